"""A word's lemmas: every dictionary entry it may be a form of, by pymorphy3."""

import re
from functools import cache
from itertools import product
from typing import Any

from searchkit.analysis.dictionary import (
    Parse,
    base_forms,
    dictionary,
    grammemes,
    intact,
    known_forms,
    morph,
    parses,
    shipped,
    tag,
)
from searchkit.analysis.lists import common, meant
from searchkit.analysis.normalize import is_plain
from searchkit.analysis.ukrainian import (
    ABBREVIATED,
    CARDINAL_ENDINGS,
    EUPHONY,
    HALVES,
    NEVER_MEANT,
    ORDINAL_ENDINGS,
    PREFIXES,
    SPELLINGS,
)
from searchkit.kernel import kernel

MAX_LENGTH = 50  # the longest word of the dictionary has 34 letters

# What may be in the dictionary, or be guessed by its Cyrillic ending (it-компанії, though not
# 36-й). For letters that have no name in Unicode, the Tangut ones, pymorphy3 raises an error.
_OTHERS = r"a-z\u00df-\u024f'-"
_UKRAINIAN = re.compile(rf"[{_OTHERS}]*[\u0400-\u04ff][\u0400-\u04ff{_OTHERS}]*")

_NUMBERED = re.compile(r"(\d[\d.,:]*)-(.+)")  # 36-й, 10-поверховий
_OLD_SPELLING = re.compile("|".join(SPELLINGS))
_PREFIXED = re.compile(rf"({'|'.join(PREFIXES)})-(?=\w)")
_HALF = re.compile(r"пів'?(?=\w{3})")

# Endings that hardly any noun or adjective has: only such a word is guessed to be a verb.
_VERBAL = re.compile(
    r"""( т[иь] | ться | ти(ся|сь) | ([аеиіїоуюя]в|л[аои])(ся|сь)
    | [ую]ва(в|л[аои]) | [ую]є | [ую]ють )$""",
    re.VERBOSE,
)
LEAST_KNOWN = 5  # letters that the known part of a word has behind a part that is not known


def lemmas(word: str) -> tuple[str, ...]:
    """Return the lemmas of a normalised word, the likeliest first, at least one.

    A word that the dictionary lacks has those guesses by its ending that are plausible and at
    least a quarter as likely as the best, and its own form. Latin words, numbers and words with
    letters of any third script are their own lemma. Behind the lemmas stand other spellings of
    them, where the newer one is another (проект, проєкт), and what an abbreviation is short for.

    >>> lemmas("києві"), lemmas("covid"), lemmas("зі"), lemmas("проектом"), lemmas("90-х")[:1]
    (('київ', 'кий'), ('covid',), ('з',), ('проект', 'проєкт'), ('90-й',))
    """
    word = EUPHONY.get(word, word)
    found = known(word)
    if not found:
        if not is_word(word):
            return _of_numbered(word)
        found = _of_compound(word) if "-" in word else _of_unknown(word)
    elif len(found) > 1:
        found = _likeliest_first(word, found)
    if word in NEVER_MEANT:
        found = [lemma for lemma in found if lemma != NEVER_MEANT[word]]
    if "-" in word or _OLD_SPELLING.search(word):
        found += [other for lemma in found for other in _other_spellings(lemma)]
    if word in ABBREVIATED:
        found.append(ABBREVIATED[word])
    return tuple(dict.fromkeys(found))


def russian_lemmas(word: str) -> tuple[str, ...]:
    """Return the lemmas of a word of a Russian text; as `lemmas`, but of ё that was typed as е.

    >>> russian_lemmas("переговорам"), russian_lemmas("ждет")
    (('переговоры',), ('ждать',))
    """
    if not is_word(word):
        return _of_numbered(word)
    parses = morph("ru").parse(word)
    if parses[0].is_known:
        return tuple(dict.fromkeys(parse.normal_form for parse in parses))
    return tuple(dict.fromkeys([*_guesses(word, "ru"), word]))


def is_word(word: str) -> bool:
    """Tell whether a normalised word may be in a dictionary: in Cyrillic and not too long."""
    return len(word) <= MAX_LENGTH and bool(_UKRAINIAN.fullmatch(word))


def adjective(part: str) -> list[str]:
    """Return the adjective that the first part of a compound is made of, if it is of one.

    >>> adjective("військово"), adjective("прес")
    (['військовий'], [])
    """
    if not part.endswith("о"):
        return []
    return [each for each in (part[:-1] + "ий", part[:-1] + "ій") if each in known(each)][:1]


def half_of(word: str) -> str | None:
    """Return what a word is the half of, in the genitive, if that is written with пів.

    >>> half_of("пів'яблука"), half_of("півгодини"), half_of("півострова")
    ('яблука', 'години', None)
    """
    half = _HALF.match(word)
    if not half or not (rest := word[half.end() :]).isalpha():
        return None
    if half[0] == "пів'" or word in HALVES:
        return rest
    found = parses(word)
    is_half = found and all({"NOUN", "Fixd"} <= grammemes(parse) for _, parse in found)
    return rest if is_half and parses(rest) else None


def known(word: str) -> list[str]:
    """Return the lemmas of a word that the dictionary or words.txt has; none of any other."""
    if word.endswith(CONVERBS):
        return [lemma for lemma, _ in readings(word)]
    found = known_forms(word)
    if word in (listed := shipped()):
        also = base_forms([(word, parse) for parse in listed[word]])
        found = list(dict.fromkeys(found + also))
    return found


@cache
def by_hand() -> frozenset[str]:
    """Return the forms that are on some list: what the dictionary says of them is not all."""
    lists = EUPHONY, NEVER_MEANT, ABBREVIATED, meant(), shipped()
    return frozenset(form for each in lists for form in each)


def _likeliest_first(word: str, found: list[str]) -> list[str]:
    """Return lemmas with those first that are usual, whatever the neighbours of the word are."""
    if listed := meant().get(word):
        return sorted(found, key=lambda lemma: -listed.get(lemma, 0.0))
    usual = common()
    return found if usual.isdisjoint(found) else sorted(found, key=lambda each: each not in usual)


def readings(word: str) -> list[tuple[str, str]]:
    """Return the lemma and the grammemes of all that a folded word may be in the dictionary.

    >>> readings("маючи")
    [('мати', 'GRND'), ('маяти', 'GRND')]
    """
    found = parses(word) + [(word, parse) for parse in shipped().get(word, ())]
    verbs = infinitives(word) if word.endswith(CONVERBS) else []
    pairs = []
    for lemma, (_, parse) in zip(base_forms(found), found, strict=True):
        grammemes = tag(parse)
        if not (verbs and grammemes.startswith("GRND")):
            pairs.append((lemma, grammemes))
        if verbs and grammemes.startswith(("GRND", "ADVB")):  # стоячи: only the adverb is known
            pairs += [(verb, "GRND") for verb in verbs]
    return pairs


CONVERBS = tuple(f"{end}{own}" for end in ("чи", "ши") for own in ("", "сь", "ся"))


def infinitives(converb: str) -> list[str]:
    """Return the verbs that a form like маючи or вернувшись belongs to, by another form of them.

    >>> infinitives("вернувшись"), infinitives("принісши"), infinitives("стоячи")
    (['вернутися'], ['принести'], ['стояти'])
    """
    stem, reflexive = (converb[:-2], "ся") if converb[-2:] in ("сь", "ся") else (converb, "")
    finite = f"{stem[:-2]}ть" if stem.endswith("чи") else stem[:-2]  # мають, вернув, приніс
    tense = {"pres", "futr"} if stem.endswith("чи") else {"past"}
    found = [
        each
        for each in parses(finite + reflexive)
        if "VERB" in grammemes(each[1]) and not tense.isdisjoint(grammemes(each[1]))
    ]
    return list(dict.fromkeys(base_forms(found)))


# -- words that the dictionary lacks -----------------------------------------------------------


def _of_compound(word: str) -> list[str]:
    """Return the lemmas of a compound: of its last part, and of the first where the two agree.

    Of держав-членів that is держава-член, of онлайн-переговорів онлайн-переговори.
    """
    first, _, last = word.rpartition("-")
    if not first or not last:
        return [word]
    lefts, rights = parses(first), parses(last)
    if adjective(first) and (kept := [each for each in rights if "ADJF" in grammemes(each[1])]):
        return [f"{first}-{lemma}" for lemma in base_forms(kept)]
    both = [pair for pair in product(lefts, rights) if _agree(pair[0][1], pair[1][1])]
    if both:
        return ["-".join(base_forms([*pair])) for pair in both]
    return [f"{first}-{lemma}" for lemma in lemmas(last)]


_CASES = frozenset("nomn gent datv accs ablt loct voct".split())


def _agree(left: Parse, right: Parse) -> bool:
    """Tell whether both are nouns in the same case and number."""
    a, b = grammemes(left), grammemes(right)
    if "NOUN" not in a & b or not _CASES & a & b:
        return False
    return "Fixd" in b or ("plur" in a) == ("plur" in b)


def _of_unknown(word: str) -> list[str]:
    return adjective(word) or [*_guesses(word), word]  # українсько: the first part of a compound


def _guesses(word: str, language: str = "uk") -> list[str]:
    """Return what a word may be a form of that the dictionary lacks, the likeliest first."""
    if kernel and language == "uk" and is_plain(word):
        is_verbal = bool(_VERBAL.search(word))
        with intact():
            found: list[str] = kernel.guesses(dictionary().compiled, word, is_verbal, LEAST_KNOWN)
        return found
    guesses = [guess for guess in morph(language).parse(word) if _is_plausible(word, guess)]
    least = max((guess.score for guess in guesses), default=0) / 4
    return [guess.normal_form for guess in guesses if guess.score >= least]


def _is_plausible(word: str, guess: Any) -> bool:
    """Tell whether a guess is more than an invention.

    Of шахедів pymorphy3 makes шахе + дів, past tense of діти: of a short known word behind
    something unknown, and a verb that does not look like one.
    """
    unit, *prefix = guess.methods_stack[-1]
    if type(unit).__name__ == "UnknownPrefixAnalyzer" and len(word) - len(prefix[0]) < LEAST_KNOWN:
        return False
    is_verb = guess.tag.POS in ("VERB", "INFN", "GRND")
    return not is_verb or bool(_VERBAL.search(word))


def _other_spellings(lemma: str) -> list[str]:
    """Return the newer spellings of a lemma: проєкт of проект, експрезидент of екс-президент."""
    found = [_PREFIXED.sub(r"\1", lemma)] if _PREFIXED.match(lemma) else []
    if old := _OLD_SPELLING.search(lemma):
        newer = lemma.replace(old[0], SPELLINGS[old[0]])
        if newer in known(newer):
            found.append(newer)
    return found


def _of_numbered(word: str) -> tuple[str, ...]:
    """Return the lemmas of a number with an ending or a word: 21-го, 5-ти, 10-поверхового."""
    numbered = _NUMBERED.fullmatch(word)
    if not numbered:
        return (word,)
    number, rest = numbered.groups()
    if not rest.isalpha():
        return (word,)
    found = [f"{number}-й"] if rest in ORDINAL_ENDINGS else []
    found += [number] if rest in CARDINAL_ENDINGS else []
    return tuple(found or [f"{number}-{lemma}" for lemma in lemmas(rest)])
