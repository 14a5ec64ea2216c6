"""Suggest: better queries, completions and the readings of a word, by what the archive holds.

Nothing here changes what a query finds.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from searchkit.analysis import MARKS, form_terms, is_function_word
from searchkit.analysis.language import RUSSIAN
from searchkit.analysis.lemmatize import known
from searchkit.analysis.normalize import fold, normalize
from searchkit.analysis.tokenize import spans
from searchkit.analysis.ukrainian import APOSTROPHES, TELLING_LETTERS
from searchkit.codec.strings import Strings
from searchkit.errors import QueryTimeout
from searchkit.highlight import Highlighter
from searchkit.index import Index
from searchkit.query.match import ANYWHERE, TITLE, Matcher
from searchkit.query.near import retyped, slips, spelled, stretches, with_apostrophe
from searchkit.query.parse import CLOSING, MAX_WORDS, OPENING, Query, parse
from searchkit.query.top import Found, Span, top
from searchkit.query.tree import (
    LEMMA,
    OPERATORS,
    Field,
    Leaf,
    Phrase,
    Prefix,
    Some,
    Word,
    is_long,
    leaves,
)
from searchkit.schema import FIELD_NAMES, key

LITTLE = 10  # articles: a query that finds no more may not have been meant as it stands
FOREIGN_LITTLE = 0.01  # of the archive; for Latin or Russian letters, which quotations bring in

_MUCH_MORE = 15  # times as many articles must have a word that stands for one that some have
_BETTER = 3  # times as many articles with all words must a better query find
_OFFERED = 3  # queries, at most
_TRIED = 6  # likewise
_MENDED = 4  # words of a query, at most: each takes some milliseconds
_SHORTEST = 4  # letters of a word in which slips are looked for; one more if articles have it

# A word must be in e^3 = 20 times as many articles to be offered before one that costs 1 less.
_COST = 3.0
# What these cost, beside slips and unlikely readings; and that the dictionary has the word.
_KEYBOARD, _FOREIGN, _APOSTROPHE, _UNLIKELY = 0.3, 0.3, 0.3, 1.0
_NEARLY_SURE = 1.0  # what an offer that no article has in full costs, at most


_RETYPED, _LATIN_LETTERS, _SPELLING = "keyboard layout", "Latin letters", "spelling"


class Suggestion(NamedTuple):
    """A query that may have been meant.

    Attributes:
        query: it can be typed.
        total: how many articles it finds.
        total_all_words: how many of them have all of its words.
        reason: "keyboard layout", "Latin letters", "Russian letters", "spelling", "base form" or
            "quotation marks"; several are joined by commas.
    """

    query: str
    total: int
    total_all_words: int
    reason: str


class Completion(NamedTuple):
    """What a query that is being typed may become.

    Attributes:
        query: it can be typed; its last word is in base form.
        total: how many articles have all of its words.
    """

    query: str
    total: int


class Reading(NamedTuple):
    """One of the words that a word of a query may be a form of.

    Attributes:
        lemma: its base form.
        total: how many articles may have it.
        query: asks for it alone; finds so many.
    """

    lemma: str
    total: int
    query: str


class Readings(NamedTuple):
    """What an ambiguous word of a query may mean.

    Attributes:
        word: as it was typed.
        readings: two or more, the likeliest first.
        is_open: whether the second is likely enough to ask which was meant.
    """

    word: str
    readings: tuple[Reading, ...]
    is_open: bool


# -- better queries ----------------------------------------------------------------------------


def is_little(index: Index, query: str, found: int) -> bool:
    """Tell whether so few articles with all words are a reason to look for a better query."""
    is_foreign = query.isascii() or _RUSSIAN.search(query) is not None
    return found <= LITTLE or (is_foreign and found <= FOREIGN_LITTLE * index.articles)


_RUSSIAN = re.compile(f"[{TELLING_LETTERS[RUSSIAN]}]", re.IGNORECASE)


def suggestions(
    matcher: Matcher, query: Query, found: Found, window: Span | None
) -> tuple[Suggestion, ...]:
    """Return queries that find more than one that finds little, the best first.

    Words that hardly any article has are mended, and nothing else is touched: operators, fields,
    quotation marks and the other words stay as they were typed. Where there is nothing to mend and
    no article has a phrase, its words are offered without the marks. When the matcher's time is
    over there are none.

    Args:
        matcher: of the index.
        query: as it was read.
        found: what it finds.
        window: the first and the last moment that counts, if not all do.
    """
    try:
        return _suggestions(matcher, query, found, window)
    except QueryTimeout:
        return ()


def _suggestions(
    matcher: Matcher, query: Query, found: Found, window: Span | None
) -> tuple[Suggestion, ...]:
    index = matcher.index
    rare = ((leaf, scope) for leaf, scope in _words(query) if _is_rare(index, query, leaf, scope))
    guesses = []
    for word in islice(rare, _MENDED):
        matcher.deadline.check()
        guesses.append(_guesses(index, query.text, *word))
    guesses = [made for made in guesses if made]
    offered = []
    for text, reason, cost in [
        *(_mended(index, query.text, guesses) if guesses else ()),
        *_unquoted(query, found),
    ]:
        tree = parse(text, index.terms_of).tree
        better = top(matcher, tree, 0, window) if tree is not None else found
        is_likely = better.total_complete or cost <= _NEARLY_SURE
        if is_likely and _is_better(better, found):
            score = math.log1p(better.total_complete) - _COST * cost
            offer = Suggestion(text, better.total, better.total_complete, reason)
            offered.append((score, offer))
    offered.sort(key=lambda one: -one[0])
    best = [offer for _, offer in offered if offer.total_all_words]
    return tuple(best or [offer for _, offer in offered])[:_OFFERED]


def _unquoted(query: Query, found: Found) -> list[tuple[str, str, float]]:
    """Return a query of plain words and phrases without quotation marks, if no article has all."""
    if query.tree is None or is_long(query.tree):  # which asks for the words already
        return []
    parts = query.tree.parts if isinstance(query.tree, Some) else (query.tree,)
    slops = {part.slop for part in parts if isinstance(part, Phrase)}
    if found.total_complete or slops != {None}:
        return []
    text = re.sub(rf"(?<=\w)[{_MARKS}]+(?=\w)", " ", query.text)
    return [(re.sub(f"[{_MARKS}]", "", text), "quotation marks", 0.0)]


_MARKS = "".join({*OPENING, *CLOSING})


def _is_better(other: Found, found: Found) -> bool:
    if other.total_complete or found.total_complete:
        return other.total_complete > _BETTER * found.total_complete
    return other.total > found.total


class _Guess(NamedTuple):
    """What may be put in the place of a stretch of a query."""

    score: float  # the greater the likelier
    cost: float
    start: int
    end: int
    text: str
    reason: str


def _mended(
    index: Index, text: str, guesses: list[list[_Guess]]
) -> Iterator[tuple[str, str, float]]:
    """Yield a query with the best guess for each of its words, then with one of the next best.

    Yield with it the reason, and what the guesses cost.
    """
    best = [made[0] for made in guesses]
    others = ([*best[:i], guess, *best[i + 1 :]] for i, g in enumerate(guesses) for guess in g[1:])
    tried = {text: ("", 0.0)}
    if any(guess.reason == _RETYPED for guess in best):
        tried[_all_retyped(index, text)] = _RETYPED, _KEYBOARD
    is_all_latin = text.isascii() and " " in text.strip()
    if is_all_latin and any(guess.reason == _LATIN_LETTERS for guess in best):
        tried[_all_spelled(index, text)] = _LATIN_LETTERS, _FOREIGN
    for chosen in chain([best], others):
        mended, used, end = text, [], len(text)
        for guess in sorted(chosen, key=lambda guess: -guess.start):
            if guess.end <= end:
                mended = mended[: guess.start] + guess.text + mended[guess.end :]
                used.append(guess)
                end = guess.start
        reasons = dict.fromkeys(guess.reason for guess in reversed(used))
        tried.setdefault(mended, (", ".join(reasons), sum(guess.cost for guess in used)))
    for mended, (reason, cost) in list(tried.items())[1 : 1 + _TRIED]:
        yield mended, reason, cost


def _all_retyped(index: Index, text: str) -> str:
    """Return a query with every word retyped that the archive then knows: `d rbtds` too."""
    pieces = re.split(r"""([\s()"«»“”„]+)""", text, maxsplit=MAX_WORDS)
    for i, piece in enumerate(pieces[::2]):
        known = [other for other in retyped(piece) if _known(index, other, ANYWHERE)]
        pieces[2 * i] = known[0] if known else piece
    return "".join(pieces)


def _all_spelled(index: Index, text: str) -> str:
    """Return a query with every Latin word in Cyrillic that the archive may have so: kyiv metro."""
    made, end = "", 0
    for start, stop in islice(spans(text), MAX_WORDS):
        word = text[start:stop]
        if word in OPERATORS or text[stop : stop + 1] == ":":
            continue
        found = _spelled(index, word, ANYWHERE, is_prefix=False)
        scores = {
            other: math.log(having) - _COST * cost
            for other, cost in found.items()
            if (having := _known(index, other, ANYWHERE))
        }
        best = max(scores, key=scores.__getitem__, default=word)
        made, end = made + text[end:start] + _cased(best, word), stop
    return made + text[end:]


def _words(query: Query) -> Iterator[tuple[Leaf, str]]:
    """Yield the words that are asked for, once each, with the field where."""
    found = leaves(query.tree, (ANYWHERE,)) if query.tree is not None else ()
    seen = {(0, 0)}
    for part, (scope,) in found:
        for leaf in part.words if isinstance(part, Phrase) else (part,):
            if leaf.at not in seen:
                seen.add(leaf.at)
                yield leaf, ANYWHERE if scope == TITLE else scope


def _is_rare(index: Index, query: Query, leaf: Leaf, scope: str) -> bool:
    """Tell whether hardly any article has a word, and nothing tells that it is a word.

    What has several forms in the archive is one, and so is what is the form of another word: of one
    that the dictionary lacks, the form as written is among the lemmas.
    """
    if _is_lemma(leaf):
        return not _having(index, query.text, leaf, scope)
    written = query.text[slice(*leaf.at)]
    if isinstance(leaf, Word) and not is_little(
        index, written, index.having(key(scope, leaf.terms[0]).encode())
    ):
        return False  # which is so of nearly all
    here = _having(index, query.text, leaf, scope)
    if any(
        _known(index, word, scope) > _MUCH_MORE * here
        for word in with_apostrophe(fold(normalize(written)))
    ):
        return True
    if here and isinstance(leaf, Word):
        own = key(scope, leaf.form)
        is_short = len(written) < _SHORTEST + (not written.isascii())
        if is_short or leaf.form not in leaf.terms or index.form_count(own.encode()) > 1:
            return False
    return is_little(index, written, here)


def _is_lemma(leaf: Leaf) -> bool:
    return isinstance(leaf, Word) and leaf.is_lemma


def _having(index: Index, text: str, leaf: Leaf, scope: str) -> int:
    """Return how many articles have a word of a query, roughly."""
    if isinstance(leaf, Word):
        return max(index.having(key(scope, term).encode()) for term in leaf.terms)
    return _known(index, text[slice(*leaf.at)], scope, is_prefix=isinstance(leaf, Prefix))


def _guesses(index: Index, text: str, leaf: Leaf, scope: str) -> list[_Guess]:
    """Return what a rare word may stand for, the likeliest first."""
    is_prefix = isinstance(leaf, Prefix)
    here = _having(index, text, leaf, scope)
    found: dict[tuple[str, ...], _Guess] = {}
    others = (_base_forms,) if _is_lemma(leaf) else (_candidates, _retyped_with_slips)
    for candidates in others:
        for (start, end), other, cost, reason in candidates(index, text, leaf, scope):
            if here and cost > 1 and reason == _SPELLING:
                continue  # two slips, although it is there as it was typed
            having = _known(index, other, scope, is_prefix=is_prefix)
            if having > _MUCH_MORE * here:
                form = key(scope, fold(normalize(other)))
                terms = index.terms_of(form) or (form,)
                score = math.log(having) - _COST * cost + 1.5 * (terms[0] == form)
                guess = _Guess(score, cost, start, end, other, reason)
                found[terms] = max(found.get(terms, guess), guess)  # of one word one form
        if found:
            break
    best = sorted(found.values(), reverse=True)[:_OFFERED]
    return [guess for guess in best if guess.score > best[0].score - _COST]


_Candidates = Iterator[tuple[Span, str, float, str]]


def _candidates(index: Index, text: str, leaf: Leaf, scope: str) -> _Candidates:
    """Yield what may be meant by a word: where in the query, what, at which cost, and why."""
    start, end = leaf.at
    written = text[start:end]
    yield from _on_keyboards(text, leaf)
    form = fold(normalize(written))
    if len(form) < 2 or any(map(str.isdigit, form)):
        return
    while end < len(text) and text[end] in APOSTROPHES:  # a soft sign: Rus'
        end += 1
    for other in with_apostrophe(form):
        yield leaf.at, _cased(other, written), _APOSTROPHE, _SPELLING
    reason = _LATIN_LETTERS if _LATIN_WORD.fullmatch(form) else ""
    reason = "Russian letters" if _RUSSIAN.search(form) else reason
    foreign = form + "'" * (end > leaf.at[1])
    is_prefix = isinstance(leaf, Prefix)
    is_word = _UNLIKELY * bool(known(form))
    for kind in _strings(index):
        for strings in kind if reason else []:
            for other, cost in spelled(strings, key(scope, foreign), is_prefix=is_prefix).items():
                yield (start, end), _cased(other, written), _FOREIGN + cost, reason
        if len(form) >= _SHORTEST and not is_prefix:
            for other, cost in slips(kind, key(scope, form)).items():
                yield leaf.at, _cased(other, written), cost + is_word, _SPELLING


def _on_keyboards(text: str, leaf: Leaf) -> _Candidates:
    """Yield the same for what the keys type on other keyboards, with the signs beside a word."""
    length = leaf.at[1] - leaf.at[0]
    for low, high in stretches(text, leaf.at):
        signs = sum(char.isalnum() for char in text[low:high]) > length
        for other in retyped(text[low:high]):  # rather one word than several: cdj,jlf
            if len([*spans(other)]) == 1:
                yield (low, high), other, _KEYBOARD - signs, _RETYPED


def _strings(index: Index) -> tuple[list[Strings], list[Strings]]:
    """Return the forms of all segments, and the terms."""
    return [one.forms for one in index.segments], [one.terms for one in index.segments]


def _base_forms(index: Index, text: str, leaf: Leaf, scope: str) -> _Candidates:
    """Yield the same for a form that was asked for as if it were the base form: lemma:Києві."""
    form = fold(normalize(text[slice(*leaf.at)]))
    for term in index.terms_of(key(scope, form)) or form_terms(form):
        yield leaf.at, _cased(term, ""), 0.0, "base form"


def _retyped_with_slips(index: Index, text: str, leaf: Leaf, scope: str) -> _Candidates:
    """Yield the same for words that have a slip, too, typed on another keyboard."""
    written = text[slice(*leaf.at)]
    for retry in retyped(written):
        if len(retry) >= _SHORTEST and retry.isalpha() and not isinstance(leaf, Prefix):
            form = key(scope, fold(normalize(retry)))
            for kind in _strings(index):
                for other, cost in slips(kind, form).items():
                    yield leaf.at, _cased(other, written), _KEYBOARD + cost, _RETYPED


_LATIN_WORD = re.compile(r"[a-z\u00df-\u024f'-]+")


def _cased(keyed: str, written: str) -> str:
    """Return a word in capitals where the one typed has them, without the signs of an index."""
    word = keyed.lstrip("\0\1\2\3\4\5\6\7").rstrip("".join(MARKS.values()))
    if written.isupper() and len(written) > 1:
        return word.upper()
    return _titled(word) if written[:1].isupper() else word


def _known(index: Index, text: str, scope: str, *, is_prefix: bool = False) -> int:
    """Return how many articles have the word of a text, roughly; of several words the rarest."""
    found = []
    for start, end in spans(text):
        form = key(scope, fold(normalize(text[start:end])))
        if is_prefix:
            ranges = [(one, *one.terms.prefixed(form.encode())) for one in index.segments]
            found.append(sum(int(one.having(first, last).sum()) for one, first, last in ranges))
        else:
            terms = index.terms_of(form) or (form,)
            found.append(max(index.having(term.encode()) for term in terms))
    return min(found, default=0)


# -- completions -------------------------------------------------------------------------------


def completions(matcher: Matcher, prefix: str, limit: int) -> tuple[Completion, ...]:
    """Return what a query may become by completing its last word, the most frequent first.

    The words are the archive's, in base form; what stands before the last one stays, and only
    what occurs with it is returned. Where the archive has no word that begins like this, the
    keyboard may be set to another language, or the word be spelled in Latin letters.

    Args:
        matcher: of the index; its time counts.
        prefix: the query as far as it was typed.
        limit: how many completions, at most.

    Raises:
        QueryTimeout: the matcher's time is over.
    """
    index = matcher.index
    last = _LAST.search(prefix)
    if last is None:
        return ()
    head, typed = prefix[: last.start()], last[0]
    field = re.search(r"(\w+):$", head)
    scope = FIELD_NAMES.get(field[1], ANYWHERE) if field else ANYWHERE
    scope = ANYWHERE if scope == TITLE else scope
    tried = (_completed(matcher, head, scope, s, limit) for s in _starts(index, typed, scope))
    found = next(filter(None, tried), ())
    if scope != ANYWHERE:
        return found
    return tuple(
        one._replace(query=head + _as_written(matcher, one.query[len(head) :])) for one in found
    )


_SAMPLE = 3  # articles that tell how a word is written


def _as_written(matcher: Matcher, word: str) -> str:
    """Return a base form with the capitals that most of its forms have inside a sentence."""
    index, node = matcher.index, Word(LEMMA + word, (word,), word)
    docs = top(matcher, node, _SAMPLE).docs
    marker, seen = Highlighter(matcher, node, docs), Counter[tuple[int, ...]]()
    for number in docs:
        article, stones = index.stored(number)
        for start, end, _ in marker.marks(number, article, stones)[1]:
            written = article.text[start:end]
            is_inside = _INSIDE.search(article.text, max(start - 3, 0), start)
            if is_inside and index.terms_of(fold(normalize(written)))[:1] == (word,):
                seen[_capitals(written)] += 1
    for capitals, count in seen.most_common(1):
        parts = word.split("-")
        if 2 * count > seen.total() and len(capitals) == len(parts):
            made = zip(parts, capitals, strict=True)
            return "-".join((str, _titled, str.upper)[how](part) for part, how in made)
    return word


_INSIDE = re.compile(r"[^\W\d_],? $")  # what stands before a word that begins no sentence


def _capitals(written: str) -> tuple[int, ...]:
    """Return of each part of a word: 0 for small letters, 1 for a capital first, 2 for all.

    >>> _capitals("Івано-Франківська"), _capitals("НАТО"), _capitals("переговорів")
    ((1, 1), (2,), (0,))
    """
    parts = written.split("-")
    return tuple(part[:1].isupper() + (len(part) > 1 and part.isupper()) for part in parts)


def _titled(word: str) -> str:
    return word[:1].upper() + word[1:]


def _starts(index: Index, typed: str, scope: str) -> Iterator[list[str]]:
    """Yield how words may begin of which this was typed: like this; else on another keyboard..."""
    yield [typed]
    yield retyped(typed)
    found = _spelled(index, typed, scope, is_prefix=True)
    least = min(found.values(), default=0)
    yield [start for start, cost in found.items() if cost == least]


_TOGETHER = 10  # articles with both words are worth one where they stand side by side
_LAST = re.compile(r"""[^\s()"«»“”„:=]+$""")


def _spelled(index: Index, typed: str, scope: str, *, is_prefix: bool) -> dict[str, float]:
    """Return the words, or their beginnings, that this may be in Latin letters, and the costs."""
    form = fold(normalize(typed))
    if not _LATIN_WORD.fullmatch(form):
        return {}
    found: dict[str, float] = {}
    for segment in index.segments:
        for strings in (segment.terms, segment.forms)[: 2 - is_prefix]:
            found |= spelled(strings, key(scope, form), is_prefix=is_prefix)
    return {_cased(word, ""): cost for word, cost in found.items()}


def _completed(
    matcher: Matcher, head: str, scope: str, starts: list[str], limit: int
) -> tuple[Completion, ...]:
    """Return completions whose last word begins in one of several ways."""
    having: Counter[str] = Counter()
    for start in dict.fromkeys(fold(normalize(start)) for start in starts):
        if start[:1].isalnum():
            having += _beginning(matcher.index, key(scope, start), 2 * limit + 10)
    words = [word for word, _ in having.most_common(2 * limit + 10)]
    made = ((word, Completion(head + word, _total(matcher, head + word))) for word in words)
    found = sorted((one for one in made if one[1].total), key=lambda one: -one[1].total)[:limit]
    before = _before(head)
    if before:
        together = {word: _total(matcher, f'"{before} {word}"') for word, _ in found}
        found.sort(key=lambda one: -one[1].total - _TOGETHER * together[one[0]])
    return tuple(one for _, one in found)


def _before(head: str) -> str:
    """Return the word before the one that is completed, if there is one that tells anything."""
    words = list(spans(head))
    if not words or not head[words[-1][1] :].isspace():
        return ""
    word = head[slice(*words[-1])]
    return "" if word in OPERATORS or is_function_word(fold(normalize(word))) else word


def _total(matcher: Matcher, query: str) -> int:
    """Return how many articles have all words of a query; base forms are not looked up again."""
    matcher.deadline.check()
    tree = parse(query, lambda form: matcher.index.terms_of(form) or (form,)).tree
    return top(matcher, tree, 0).total_complete if tree is not None else 0


def _beginning(index: Index, start: str, limit: int) -> Counter[str]:
    """Return the most frequent base forms that begin like this, and how many articles have them.

    A term that is rarely the likeliest lemma of its forms is no base form that anybody means: what
    the guesser invents is not (шахедіти), nor is кий because of Києві.
    """
    found: Counter[str] = Counter()
    for segment in index.segments:
        first, last = segment.terms.prefixed(start.encode(errors="replace"))
        if first < last:
            counts = segment.having(first, last) * (segment.likeliest(first, last) >= _OFTEN)
            if segment.terms[first] == start.encode():
                counts[0] = segment.having(first, first + 1)[0]  # whoever typed it means it
            for at in np.argsort(-counts, kind="stable")[: limit + 100].tolist():
                word = _cased(segment.terms[first + at].decode(), "")
                if counts[at] and not is_function_word(word):
                    found[word] += int(counts[at])
    return Counter(dict(found.most_common(limit)))


_OFTEN = 0.5  # of its forms


# -- readings ----------------------------------------------------------------------------------


def readings(matcher: Matcher, query: Query) -> tuple[Readings, ...]:
    """Return the readings of each word of a query that has several in the archive."""
    found = {}
    for leaf, scope in leaves(query.tree, (ANYWHERE,)) if query.tree is not None else ():
        for word in leaf.words if isinstance(leaf, Phrase) else (leaf,):
            if isinstance(word, Word) and len(word.terms) > 1:
                found[word.form, scope] = _readings(matcher, word, *scope)
    return tuple(one for one in found.values() if len(one.readings) > 1)


def _readings(matcher: Matcher, word: Word, scope: str) -> Readings:
    index, made = matcher.index, []
    name = ANYWHERE if scope == TITLE else scope
    likely = {term: _likely(index, key(name, term).encode()) for term in word.terms}
    is_guessed = word.terms[-1] == word.form  # the dictionary lacks it
    for term in word.terms:
        if is_guessed and not likely[term] and term != word.terms[0]:
            continue
        node: Word | Field = Word(LEMMA + term, (term,), term)
        if scope != ANYWHERE:
            node = Field(next(n for n, field in FIELD_NAMES.items() if field == scope), node)
        total = top(matcher, node, 0).total
        if total:
            made.append((total * likely[term], Reading(term, total, str(node))))
    made.sort(key=lambda one: -one[0])
    is_open = len(made) > 1 and made[1][0] >= _CONSIDERABLE * made[0][0]
    return Readings(word.text, tuple(reading for _, reading in made), is_open)


_CONSIDERABLE = 0.3


def _likely(index: Index, term: bytes) -> float:
    """Return of which share of its forms a term is the likeliest lemma."""
    found = [
        float(segment.likeliest(number, number + 1)[0])
        for segment in index.segments
        if (number := segment.terms.find(term)) >= 0
    ]
    return max(found, default=0.0)
