"""What a form may be, out of any sentence: its lemmas, their tags, and how likely each is.

What is likely is known from lists that are written by hand (`forms.txt`, `common.txt`) and from a
few rules of thumb, not from counts of words.
"""

import re
from functools import cache
from typing import NamedTuple

from searchkit.analysis.lemmatize import readings
from searchkit.analysis.lists import common, meant
from searchkit.analysis.normalize import fold
from searchkit.analysis.ukrainian import EUPHONY, GOVERNED, SIGNS


class Tagged(NamedTuple):
    """A reading of a form.

    Attributes:
        lemma: as a term; but the form itself where only euphony tells it from its term (у, в).
        tag: what its neighbours depend on; see `tag_of`.
        weight: P(form, lemma | tag), to a factor.
    """

    lemma: str
    tag: str
    weight: float


NUMBER, LATIN, UNKNOWN = "0", "a", "?"  # tags of words that the dictionary cannot have or lacks
START = "."  # a text begins as if after a full stop

# What part of all words of its part of speech a word is that no list has.
_SHARES = {
    "NOUN": 5e-6,
    "ADJF": 1.3e-5,
    "VERB": 1.3e-5,
    "ADVB": 2e-4,
    "GRND": 2e-4,
    "INTJ": 1e-3,
    "PREP": 1e-2,
    "PRCL": 2e-2,
    "NPRO": 4e-2,
    "CONJ": 4e-2,
    "NUMR": 5e-2,
}
_COMMON = 30  # times as frequent is a word of common.txt
_UNLIKELY = 0.2  # times as likely is what looks like a word that is meant more often
_SELDOM = 1e-4  # is a reading meant that forms.txt leaves out
_UNSEEN = 1e-6  # P(tag) of a tag that the table has not

# How a word is written, and how many times as likely it is a name then.
SMALL, FIRST, CAPITAL = range(3)  # FIRST: of a sentence, or all in capitals
_AS_NAME = (0.01, 1.0, 20.0)
_NAMES = frozenset(["Name", "Surn", "Patr"])
_RARE = frozenset(["Arch", "Slng", "Infr", "Dist", "alt"])


def tagged(form: str, written: int, prior: dict[str, float]) -> list[Tagged]:
    """Return the readings of a folded form, or of a sign between words.

    Args:
        form: one of `SIGNS` is its own tag.
        written: SMALL, FIRST or CAPITAL.
        prior: P(tag).
    """
    if form in _SIGN_TAGS:
        return [Tagged(form, form, 1.0)]
    spelled = EUPHONY.get(form, form)
    known = readings(spelled)
    if not known:  # nothing can be said of its lemmas
        tag = NUMBER if form[0].isdigit() else LATIN if form.isascii() else UNKNOWN
        return [Tagged("", tag, 1.0)]
    weights: dict[str, dict[str, float]] = {}
    for lemma, grammemes in known:
        tags = weights.setdefault(form if lemma == spelled else fold(lemma), {})
        tag, weight = tag_of(grammemes, spelled, lemma), _share(lemma, grammemes, written)
        weight *= _chance_beside(lemma, grammemes, known)
        tags[tag] = max(tags.get(tag, 0.0), weight)
    if listed := meant().get(form):
        for lemma, tags in weights.items():
            of_tags = sum(prior.get(tag, _UNSEEN) for tag in tags)
            weights[lemma] = dict.fromkeys(tags, listed.get(lemma, _SELDOM) / of_tags)
    return [Tagged(lemma, *tag) for lemma, tags in weights.items() for tag in tags.items()]


_SIGN_TAGS = frozenset(SIGNS.values())


def _share(lemma: str, grammemes: str, written: int) -> float:
    """Return what part of the words of its part of speech a word has, as far as can be guessed."""
    pos, *rest = _split(grammemes)
    share, is_common = _SHARES.get(pos, 1e-3), lemma in common()
    if is_common:
        share *= _COMMON
    if not _RARE.isdisjoint(rest):
        share *= 0.1
    if not _NAMES.isdisjoint(rest):
        share *= _AS_NAME[written] * (0.2 if "Surn" in rest else 0.5)
        if "plur" in rest:
            share *= 0.03
    elif written == CAPITAL and _WITHOUT_PLURAL.match(grammemes):  # as place names are
        share *= 5
    if "Pltm" in rest and written == CAPITAL:  # Суми, beside сума
        share *= 20
    elif "Pltm" in rest and not is_common:  # гектари, beside гектар
        share *= _UNLIKELY
    if "Fixd" in rest and "Abbr" in rest:
        share *= 0.5
    return share * (0.1 if "voct" in rest else 0.3 if "impr" in rest else 1.0)


_WITHOUT_PLURAL = re.compile(r"NOUN,(masc|femn|neut),inan ")  # the gender is of all forms


def _chance_beside(lemma: str, grammemes: str, known: list[tuple[str, str]]) -> float:
    """Return how likely a word is, to a factor, beside others of which this form is more often."""
    if len(known) == 1:
        return 1.0
    lemmas = {other for other, _ in known}
    if grammemes.startswith("ADJF"):
        if lemma.endswith(("ів", "їв", "ин", "їн")):
            return 0.05  # батьків: батько, людиною: людина
        is_outdone = lemma.endswith("лий")  # настала: настати
        is_outdone |= lemma[:-2] + "я" in lemmas  # порівнянні: порівняння
    elif grammemes.startswith("NOUN"):
        adjectives = {other[:-2] for other, tag in known if tag.startswith("ADJF")}
        if "inan" in grammemes and any(stem.endswith(("ов", "ев")) for stem in adjectives):
            return 0.02  # типові: типовий; hardly anybody writes that to things
        is_outdone = lemma[:-1] in adjectives and lemma not in common()  # знайома: знайомий
        is_trade = "anim" in grammemes and lemma.endswith(("ик", "ік"))
        is_outdone |= is_trade and f"{lemma}а" in lemmas  # техніки: техніка
    elif grammemes.startswith("ADVB"):
        return 0.02 if any("Impe" in tag for _, tag in known) else 1.0  # визначено: визначити
    else:
        stem, ending = (lemma[:-4], "тися") if lemma.endswith("ся") else (lemma[:-2], "ти")
        is_outdone = f"{stem}ва{ending}" in lemmas  # визнає: визнавати, not визнати
        is_outdone |= f"{stem[:-1]}и{ending}" in lemmas  # дозволять: дозволити, not дозволяти
    return _UNLIKELY if is_outdone else 1.0


_CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct", "voct")
_GENDERS = ("plur", "masc", "femn", "neut")

_PRONOUNS = frozenset(["це", "те", "все", "усе"])  # of which each has places of its own

# Determiners by what follows them: a possessive has its noun behind it, a relative rarely.
_DETERMINERS = {
    lemma: kind
    for kind, lemmas in {
        "POSS": "мій твій наш ваш свій його її їх їхній",
        "REL": "який котрий чий",
        "THIS": "цей оцей",
    }.items()
    for lemma in lemmas.split()
}


@cache
def tag_of(grammemes: str, form: str, lemma: str) -> str:
    """Return the tag of a reading: what its neighbours depend on, and no more.

    >>> tag_of("NOUN,anim femn,gent", "мати", "мати"), tag_of("PREP", "без", "без")
    ('NOUN gent femn', 'PREP gent')
    """
    pos, *rest = _split(grammemes)
    case = next(filter(rest.__contains__, _CASES), "")
    gender = next(filter(rest.__contains__, _GENDERS), "")
    if pos == "PREP":
        return f"PREP {GOVERNED.get(form, '')}"
    if lemma == "це" and pos == "PRCL":  # це — столиця: the same word by another name
        return "це nomn"
    if pos == "CONJ":
        return "CONJ subord" if "subord" in rest else "CONJ"
    if pos == "NPRO":
        if "pers" in rest:
            return f"pers {case}"
        if not {"anim", "inan"}.isdisjoint(rest):
            return f"{lemma if lemma in _PRONOUNS else 'NPRO'} {case}"
        pos = _DETERMINERS.get(lemma, "DET") if case else "ADVB"
    elif pos == "NUMR":
        gender = ""
    elif pos == "NOUN" and not _NAMES.isdisjoint(rest):
        pos = "name"
    elif pos == "VERB":
        kinds = ("infn", "past", "impr", "Impe", "1per", "2per", "3per")
        case = next(filter(rest.__contains__, kinds), "")
        gender = "" if case in kinds[:1] + kinds[2:4] else gender
    return f"{pos} {case} {gender}".strip()


@cache
def _split(grammemes: str) -> list[str]:
    return re.split("[ ,]", grammemes)
