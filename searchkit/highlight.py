"""Highlight: which words of an article match, and the passages that show them best.

Spans are half-open code-point offsets; what they point at is the word exactly as written. A
passage is whole sentences of one paragraph where they fit, never cut inside a word; `…`
stands where a sentence had to be cut.

The places of the words come from the index, and where each 16th word begins is stored with the
article: of the text itself only the paragraphs that have marks are read. What the kernel does,
`marked` and `passages`, is told here in Python.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from searchkit.analysis.normalize import fold, normalize
from searchkit.analysis.tokenize import parts, words_from
from searchkit.analysis.ukrainian import ABBREVIATIONS
from searchkit.article import Article
from searchkit.codec.stored import STRIDE, starts_of
from searchkit.index import POSITION, POSITION_BITS, Index, Ints, Numbers
from searchkit.kernel import kernel
from searchkit.query.match import (
    ANYWHERE,
    TITLE,
    Matcher,
    asked,
    asks_for_a_form,
    followed,
    within_reach,
)
from searchkit.query.tree import Exact, Leaf, Node, Phrase, Prefix, Word, leaves
from searchkit.schema import GAP

PASSAGE = 240  # characters; a single longer sentence is cut around its matches

Span = tuple[int, int]
Mark = tuple[int, int, int]  # a word that matches: its span, and which part of the query it answers


class Why(NamedTuple):
    """Why a word of an article matches a query: переговорів → переговори → переговорам.

    Attributes:
        form: the word, normalised.
        lemma: what both have in common. A word that matches by its form or by its beginning has
            its likeliest lemma here.
        word: the word of the query, as it was typed.
    """

    form: str
    lemma: str
    word: str


class Passage(NamedTuple):
    """A piece of an article.

    Attributes:
        text: as written, with `…` where a sentence was cut.
        spans: where in `text` the words that match stand, ascending, never overlapping.
        matches: why each of these words matches; empty unless it was asked for.
    """

    text: str
    spans: tuple[Span, ...]
    matches: tuple[Why, ...] = ()


# -- which words match -------------------------------------------------------------------------


class Highlighter:
    """Marks the words of some articles that a tree matches."""

    def __init__(self, matcher: Matcher, tree: Node, docs: Iterable[int]) -> None:
        self._index = matcher.index
        among = np.array(sorted(docs), np.uint32)
        self._places = tuple(  # of each part of the query, ascending
            _places(matcher, leaf, scope, among)
            for leaf, (scope,) in leaves(tree, (ANYWHERE,))
            if scope in (ANYWHERE, TITLE)
        )

    def marks(self, number: int, article: Article, stones: bytes) -> tuple[list[Mark], list[Mark]]:
        """Return the marks of an article's title and of its text, each in order.

        The article and the milestones of its text are what `Index.stored` returned for its number.
        """
        words = self._index.title_words.item(number)
        return marks(self._places, number, article, stones, words)

    def shown(
        self, number: int, article: Article, stones: bytes, limit: int
    ) -> tuple[tuple[Span, ...], tuple[Passage, ...]]:
        """Return where the marks of an article's title are, and up to `limit` passages."""
        if not kernel:
            title, text = self.marks(number, article, stones)
            return spans(title), passages(article.text, text, limit)
        words = self._index.title_words.item(number)
        found, best = kernel.shown(
            self._places, number, article.title, article.text, stones,
            words, words + GAP, STRIDE, _rules(article.text, limit),
        )  # fmt: skip
        return found, tuple(map(Passage._make, best))


def _places(matcher: Matcher, part: Leaf | Phrase, scope: str, among: Numbers) -> Ints:
    """Return the places of the words of some articles that answer a part of a query."""
    matcher.deadline.check()
    if not isinstance(part, Phrase):
        return _in_scope(matcher.index, matcher.places(part, scope, among), scope)
    is_hidden = matcher.index.foreign and asks_for_a_form(part)
    if kernel and not is_hidden and (word := asked(part)) is not None:
        return _in_scope(matcher.index, matcher.places_of(word, among), scope)
    every = matcher.slots(part, scope, among)
    slots = [_in_scope(matcher.index, places, scope) for places in every]
    if part.slop is None:
        first = slots[0]
        for distance, places in enumerate(slots[1:], 1):
            first = followed(first, places, distance)
        return np.sort(np.concatenate([first + step for step in range(len(slots))]))
    first = within_reach(slots, part.words, part.slop)
    places = np.unique(np.concatenate(slots))
    nearest = first.searchsorted(places, "right") - 1  # the last stretch that begins before
    places, nearest = places[nearest >= 0], nearest[nearest >= 0]
    return places[places < first[nearest] + len(slots) + part.slop]


def _in_scope(index: Index, places: Ints, scope: str) -> Ints:
    if scope != TITLE:
        return places
    inside: Ints = places[(places & POSITION) < index.title_words[places >> POSITION_BITS]]
    return inside


def marks(
    places: tuple[Ints, ...], number: int, article: Article, stones: bytes, title_words: int
) -> tuple[list[Mark], list[Mark]]:
    """Return the marks of an article's title and of its text, each in order.

    Args:
        places: of each part of a query, those of the words that answer it, ascending; they may be
            of other articles, too. A word that answers several parts counts for the first.
        number: the article's.
        article: the article.
        stones: the milestones of its text (`codec.stored`), or none.
        title_words: how many words its title has.

    Raises:
        ValueError: there is no such word.
    """
    if kernel:
        title, text = article.title, article.text
        both: tuple[list[Mark], list[Mark]] = kernel.marks(
            places, number, title, text, stones, title_words, title_words + GAP, STRIDE
        )
        return both
    parts: dict[int, int] = {}
    for part, every in enumerate(places):
        low, high = every.searchsorted([number << POSITION_BITS, (number + 1) << POSITION_BITS])
        for place in every[low:high].tolist():
            parts.setdefault(place & POSITION, part)
    found = sorted(parts.items())
    split = bisect_left(found, (title_words,))
    title_marks = _marked(article.title, [0], found[:split], 0)
    starts = starts_of(stones) or [0]
    return title_marks, _marked(article.text, starts, found[split:], title_words + GAP)


def _marked(text: str, starts: list[int], found: list[tuple[int, int]], first: int) -> list[Mark]:
    return [(*_word(text, starts, position - first), part) for position, part in found]


def _word(text: str, starts: list[int], number: int) -> Span:
    """Return the span of a word by its number, looked for from the last milestone before it."""
    passed = min(max(number, 0) // STRIDE, len(starts) - 1)
    words = words_from(text, starts[passed])
    match = next(islice(words, max(number, 0) - passed * STRIDE, None), None)
    if number < 0 or match is None:
        raise ValueError(f"there is no word {number}")
    return match.span()


def spans(marks: Iterable[Mark]) -> tuple[Span, ...]:
    """Return where the marked words of a text begin and end."""
    return tuple((start, end) for start, end, _ in marks)


# -- why they match ----------------------------------------------------------------------------


class Reasons:
    """Tells why words of articles match a tree, by what the index knows of their forms."""

    def __init__(self, index: Index, tree: Node) -> None:
        self._index = index
        self._parts = [part for part, _ in leaves(tree, (ANYWHERE,))]
        self._known: dict[tuple[str, int], Why] = {}

    def of(self, text: str, marks: Iterable[Mark]) -> tuple[Why, ...]:
        """Return why each of some marked words of a text matches."""
        return tuple(self._of(normalize(text[start:end]), part) for start, end, part in marks)

    def _of(self, form: str, part: int) -> Why:
        if (form, part) not in self._known:
            pieces = [fold(piece) for piece in (form, *parts(form))]
            lemmas = [lemma for piece in pieces for lemma in self._index.terms_of(piece)]
            asked = self._parts[part]
            words = asked.words if isinstance(asked, Phrase) else (asked,)
            found = ((lemma, word) for word in words for lemma in _common(word, pieces, lemmas))
            likeliest = words[0].terms[0] if isinstance(words[0], Word) else form
            lemma, word = next(found, (likeliest, words[0]))
            typed = word.text if isinstance(word, Word) else str(word)
            self._known[form, part] = Why(form, lemma, typed)
        return self._known[form, part]


def _common(word: Leaf, forms: list[str], lemmas: list[str]) -> Iterator[str]:
    """Yield the lemmas that a word of a query has in common with one of an article."""
    match word:
        case Word(terms=terms):
            yield from (term for term in terms if term in lemmas)
        case Exact(form):
            yield from lemmas if form == forms[0] else [form] if form in forms else []
        case Prefix(start):
            yield from (lemma for lemma in lemmas if lemma.startswith(start))
            yield from lemmas if any(form.startswith(start) for form in forms) else ()


# -- which passages show them ------------------------------------------------------------------


def passages(
    text: str, marks: list[Mark], limit: int, why: "Reasons | None" = None
) -> tuple[Passage, ...]:
    """Return up to `limit` passages, the one that answers most of the query first.

    Where nothing in the text matches (the title does, or a date was asked for), the beginning
    of the text is the one passage, without spans. Time grows with the paragraphs that have
    marks, not with the text.

    Args:
        text: of the article.
        marks: those in it, in order.
        limit: 0 or more.
        why: tells why words match, if that is asked for.
    """
    if kernel and why is None:
        best = kernel.passages(text, marks, _rules(text, limit))
        return tuple(map(Passage._make, best))
    pieces = _pieces(text, marks) if marks else _beginning(text)
    ranked = sorted(pieces, key=_Piece.rank)[:limit]
    return tuple(piece.passage(text, why) for piece in ranked)


def _rules(text: str, limit: int) -> tuple[int, int, int, str]:
    """Return what the kernel is told of passages."""
    return min(limit, len(text)), PASSAGE, _LONGEST, _KNOWN  # there are no more


class _Piece(NamedTuple):
    """A piece of the text that may be shown; cut if it is not whole sentences."""

    start: int
    end: int
    marks: list[Mark]
    is_cut_before: bool = False
    is_cut_after: bool = False

    def rank(self) -> tuple[int, int, int]:
        """Return what is less the better the piece answers the query."""
        return -len({part for _, _, part in self.marks}), -len(self.marks), self.start

    def passage(self, text: str, why: "Reasons | None") -> Passage:
        """Return the piece as it is shown."""
        before = "…" if self.is_cut_before else ""
        after = "…" if self.is_cut_after else ""
        shift = self.start - len(before)
        spans = tuple((start - shift, end - shift) for start, end, _ in self.marks)
        matches = why.of(text, self.marks) if why else ()
        return Passage(before + text[self.start : self.end] + after, spans, matches)


def _pieces(text: str, marks: list[Mark]) -> Iterator[_Piece]:
    """Yield pieces that show all marks, each from the first sentence that is not yet shown."""
    done = at = high = 0
    while done < len(marks):
        if marks[done][0] >= high:
            at, high = _paragraph(text, *marks[done][:2])
        start, at = _sentence(text, at, high)
        if at <= marks[done][0]:
            continue
        if at - start > PASSAGE:
            until = _before(marks, at, done)
            yield from _cut(text, (start, at), marks[done:until])
        else:
            at = _grown(text, start, at, high)
            until = _before(marks, at, done)
            yield _Piece(start, at, marks[done:until])
        done = until


def _beginning(text: str) -> Iterator[_Piece]:
    """Yield the first sentences."""
    first = _VISIBLE.search(text)
    if first:
        _, high = _paragraph(text, *first.span())
        start, end = _sentence(text, first.start(), high)
        if end - start > PASSAGE:
            yield next(_cut(text, (start, end), []))
        else:
            yield _Piece(start, _grown(text, start, end, high), [])


def _paragraph(text: str, start: int, end: int) -> Span:
    """Return the part of a text between two empty lines that has a word in it."""
    high = text.find("\n\n", end)
    return max(0, text.rfind("\n\n", 0, start)), len(text) if high < 0 else high


def _before(marks: list[Mark], end: int, low: int) -> int:
    """Return how many marks begin before a place, `low` of which are known to."""
    return bisect_left(marks, (end,), low)


def _cut(text: str, sentence: Span, marks: list[Mark]) -> Iterator[_Piece]:
    """Yield pieces of a long sentence, cut at spaces, some words before each first mark."""
    done, last = 0, sentence[0]
    while done < len(marks) or last == sentence[0]:
        anchor, word_end = marks[done][:2] if marks else (sentence[0], sentence[0])
        start = room = max(last, anchor - PASSAGE // 3)
        if room > sentence[0]:
            space = _SPACE.search(text, room, anchor)
            start = space.end() if space else anchor
        end = max(word_end, start + PASSAGE)
        if end < sentence[1]:
            last_space = max(text.rfind(mark, word_end, end + 1) for mark in " \n\t\u00a0")
            if last_space > 0:
                end = start + len(text[start:last_space].rstrip())
            else:  # an endless word is shown whole, an endless row of dashes is not
                end = word_end if marks else _RUN.match(text, end).end()  # type: ignore[union-attr]
        end = min(end, sentence[1])
        after = max(_before(marks, end, done), done + 1)
        cut = (start > sentence[0], end < sentence[1])
        yield _Piece(start, end, marks[done:after], *cut)
        done, last = after, end


# -- where sentences end -----------------------------------------------------------------------

_SENTENCE_END = re.compile(
    r"""[.!?…\n] (?:  # one set of characters first: Python's `re` runs to the next of them
        (?<=[.!?…]) (?<! [.!?…] .) [.!?…]* ["'»”)\]]* (?=\s)
        | (?<=\n) (?: [^\S\n]*\n | (?= [^\S\n]*[—–-]\s))
    )""",
    re.VERBOSE,
)
_KNOWN = f" {' '.join(sorted(ABBREVIATIONS))} "
_LONGEST = max(map(len, ABBREVIATIONS))
_VISIBLE = re.compile(r"\S")
_SPACE = re.compile(r"\s(?=\S)")
_RUN = re.compile(r"\S{0,1000}")


def sentences(text: str) -> Iterator[Span]:
    """Yield the spans of all sentences of a text, white space around them left out."""
    start, end = _sentence(text, 0, len(text))
    while start < end:
        yield start, end
        start, end = _sentence(text, end, len(text))


def _sentence(text: str, at: int, high: int) -> Span:
    """Return the first sentence between two places; an empty one at `high` if there is none.

    A full stop after an abbreviation, an initial or before a small letter ends nothing:
    `на вул. Садовій, 5`, `В. Ткачук`, `о 9 год. ранку`. A paragraph ends a sentence.
    """
    first = _VISIBLE.search(text, at, high)
    if first is None:
        return high, high
    start = first.start()
    ends = (m.end() for m in _SENTENCE_END.finditer(text, start, high) if not _goes_on(text, m))
    return start, start + len(text[start : next(ends, high)].rstrip())


def _goes_on(text: str, match: re.Match[str]) -> bool:
    """Tell whether what may end a sentence is a full stop that does not."""
    if match[0] != ".":
        return False
    begin, end = match.span()
    if text[end : end + 9].lstrip(" \u00a0\n\t\"'«“(")[:1].islower():
        return True
    end = begin
    while begin > 0 and end - begin <= _LONGEST and text[begin - 1].isalpha():
        begin -= 1
    word = text[begin:end]
    return word.lower() in ABBREVIATIONS or (len(word) == 1 and word.isupper())


def _grown(text: str, start: int, end: int, high: int) -> int:
    """Return where a piece ends with the sentences that follow, as long as they fit."""
    following, further = _sentence(text, end, high)
    while following < further <= start + PASSAGE and text.count("\n", end, following) < 2:
        end = further
        following, further = _sentence(text, end, high)
    return end
