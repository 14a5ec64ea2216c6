"""Highlight: which words of an article match, and the passages that show them best.

Spans are half-open code-point offsets; what they point at is the word exactly as written. A
passage is whole sentences of one paragraph where they fit, never cut inside a word; `…`
stands where a sentence had to be cut.

The places of the words come from the index, and where each word begins is stored with the
article: of the text itself only the paragraphs that are shown are read.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from searchkit.analysis.tokenize import word_at
from searchkit.analysis.ukrainian import ABBREVIATIONS
from searchkit.article import Article
from searchkit.index import POSITION, POSITION_BITS, Index, Ints, Numbers
from searchkit.query.match import ANYWHERE, TITLE, Matcher, followed, within_reach
from searchkit.query.tree import Leaf, Node, Phrase, leaves
from searchkit.schema import GAP

PASSAGE = 240  # characters; a single longer sentence is cut around its matches

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of an article.

    Attributes:
        text: as written, with `…` where a sentence was cut.
        spans: where in `text` the words that match stand, ascending, never overlapping.
    """

    text: str
    spans: tuple[Span, ...]


class Mark(NamedTuple):
    """Where a word that matches begins, and the number of the part of the query it answers."""

    start: int
    part: int


# -- which words match -------------------------------------------------------------------------


class Highlighter:
    """Marks the words of some articles that a tree matches."""

    def __init__(self, matcher: Matcher, tree: Node, docs: Iterable[int]) -> None:
        self._index = matcher.index
        self._found: dict[int, dict[int, int]] = {}  # article -> position -> part
        among = np.array(sorted(docs), np.uint32)
        for part, (leaf, (scope,)) in enumerate(leaves(tree, (ANYWHERE,))):
            if scope in (ANYWHERE, TITLE):
                for place in _places(matcher, leaf, scope, among).tolist():
                    found = self._found.setdefault(place >> POSITION_BITS, {})
                    found.setdefault(place & POSITION, part)

    def marks(self, number: int, article: Article, starts: Ints) -> tuple[list[Mark], list[Mark]]:
        """Return the marks of an article's title and of its text, each in order.

        The article and the starts of its words are what `Index.stored` returned for its number.
        """
        found = sorted(self._found.get(number, {}).items())
        words = int(self._index.title_words[number])
        split = bisect_left(found, (words,))
        title = [Mark(int(starts[at]), part) for at, part in found[:split]]
        before = len(article.title) + 1
        text = [Mark(int(starts[at - GAP]) - before, part) for at, part in found[split:]]
        return title, text


def _places(matcher: Matcher, part: Leaf | Phrase, scope: str, among: Numbers) -> Ints:
    """Return the places of the words of some articles that answer a part of a query."""
    if not isinstance(part, Phrase):
        return _in_scope(matcher.index, matcher.places(part, scope, among), scope)
    every = matcher.slots(part, scope, among)
    slots = [_in_scope(matcher.index, places, scope) for places in every]
    if part.slop is None:
        first = slots[0]
        for distance, places in enumerate(slots[1:], 1):
            first = followed(first, places, distance)
        return np.concatenate([first + step for step in range(len(slots))])
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


def spans(text: str, found: Iterable[Mark]) -> tuple[Span, ...]:
    """Return where the marked words of a text begin and end."""
    return tuple((mark.start, _end(text, mark)) for mark in found)


def _end(text: str, mark: Mark) -> int:
    match = word_at(text, mark.start)
    if match is None:
        raise ValueError(f"no word begins at {mark.start}")
    return match.end()


# -- which passages show them ------------------------------------------------------------------

_SENTENCE_END = re.compile(
    r"""[.!?…\n] (?:  # one set of characters first: Python's `re` runs to the next of them
        (?<=[.!?…]) (?<! [.!?…] .) [.!?…]* ["'»”)\]]* (?=\s)
        | (?<=\n) (?: [^\S\n]*\n | (?= [^\S\n]*[—–-]\s))
    )""",
    re.VERBOSE,
)
_LONGER = max(map(len, ABBREVIATIONS)) + 1  # letters that no abbreviation has
_EMPTY_LINE = re.compile(r"[^\S\n]*\n[^\S\n]*\n")
_VISIBLE = re.compile(r"\S")
_SPACE = re.compile(r"\s(?=\S)")
_RUN = re.compile(r"\S{0,1000}")


class Sentences:
    """The sentences of a part of a text, found as they are asked for.

    A full stop after an abbreviation, an initial or before a small letter ends nothing:
    `на вул. Садовій, 5`, `В. Ткачук`, `о 9 год. ранку`. A paragraph ends a sentence.
    """

    def __init__(self, text: str, low: int, high: int) -> None:
        self._text, self._low = text, low
        self._matches = list(_SENTENCE_END.finditer(text, low, high))
        self._ends = [match.end() for match in self._matches]
        self._ends.append(high)

    def at(self, place: int) -> Span:
        """Return the span of the sentence with a place in it, white space around it left out."""
        before = bisect_right(self._ends, place) - 1
        while before >= 0 and not self._is_end(before):
            before -= 1
        start = self._ends[before] if before >= 0 else self._low
        return _trim(self._text, start, self._end(place))

    def grown(self, start: int, end: int) -> int:
        """Return the end of the sentences that follow, as long as they fit."""
        while end < self._ends[-1]:
            further = _trim(self._text, start, self._end(end))[1]
            if further <= end or further - start > PASSAGE:
                break
            end = further
        return end

    def _end(self, place: int) -> int:
        which = bisect_right(self._ends, place)
        while which < len(self._matches) and not self._is_end(which):
            which += 1
        return self._ends[min(which, len(self._matches))]

    def _is_end(self, which: int) -> bool:
        return not _goes_on(self._text, self._low, self._matches[which])


def sentences(text: str) -> Iterator[Span]:
    """Yield the spans of all sentences of a text."""
    found, done = Sentences(text, 0, len(text)), 0
    while (first := _VISIBLE.search(text, done)) is not None:
        start, done = found.at(first.start())
        yield start, done


def _paragraph(text: str, place: int) -> Span:
    """Return the part of a text between two empty lines that has a place in it."""
    high = text.find("\n\n", place)
    return max(0, text.rfind("\n\n", 0, place)), len(text) if high < 0 else high


def _goes_on(text: str, start: int, match: re.Match[str]) -> bool:
    if match[0] != "." or _EMPTY_LINE.match(text, match.end()):
        return False
    following = text[match.end() : match.end() + 9].lstrip(" \u00a0\n\t\"'«“(")
    if following[:1].islower():
        return True
    end = begin = match.start()
    if text[max(start, end - _LONGER) : end].isalpha() and end - start >= _LONGER:
        return False
    while begin > start and text[begin - 1].isalpha():
        begin -= 1
    word = text[begin:end]
    return word.lower() in ABBREVIATIONS or (len(word) == 1 and word.isupper())


def _trim(text: str, start: int, end: int) -> Span:
    if start < end and not (text[start].isspace() or text[end - 1].isspace()):
        return start, end
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def passages(text: str, found: list[Mark], limit: int) -> tuple[Passage, ...]:
    """Return up to `limit` passages, the one that answers most of the query first.

    Where nothing in the text matches (the title does, or a date was asked for), the beginning
    of the text is the one passage, without spans. Time grows with the paragraphs that have
    marks, not with the text.

    Args:
        text: of the article.
        found: the marks in it, in order.
        limit: 0 or more.
    """
    if limit < 1:
        return ()
    if not found:
        return tuple(_passage(text, shown) for shown in _beginning(text))
    chosen: list[_Candidate] = []
    for paragraph in sorted(_paragraphs(text, found), key=_Candidate.rank):
        # No piece of a paragraph is better than the whole of it would be.
        if len(chosen) == limit and chosen[-1].rank() < paragraph.rank():
            break
        chosen += _candidates(text, paragraph)
        chosen = sorted(chosen, key=_Candidate.rank)[:limit]
    return tuple(_passage(text, shown) for shown in chosen)


class _Candidate(NamedTuple):
    """A piece of the text that may be shown; cut if it is not whole sentences."""

    start: int
    end: int
    marks: list[Mark]
    is_cut_before: bool = False
    is_cut_after: bool = False

    def rank(self) -> tuple[int, int, int]:
        """Return what is less the better the piece answers the query."""
        return -len({part for _, part in self.marks}), -len(self.marks), self.start


def _paragraphs(text: str, found: list[Mark]) -> Iterator[_Candidate]:
    """Yield the parts of a text between empty lines that have marks."""
    done = 0
    while done < len(found):
        start, end = _paragraph(text, found[done].start)
        first, done = done, _before(found, end, done)
        yield _Candidate(start, end, found[first:done])


def _candidates(text: str, paragraph: _Candidate) -> Iterator[_Candidate]:
    """Yield pieces that show all marks, each from the first sentence that is not yet shown."""
    found, done = paragraph.marks, 0
    inside = Sentences(text, paragraph.start, paragraph.end)
    while done < len(found):
        start, end = inside.at(found[done].start)
        first, done = done, _before(found, end, done)
        if end - start > PASSAGE:
            yield from _cut(text, (start, end), found[first:done])
        else:
            end = inside.grown(start, end)
            done = _before(found, end, done)
            yield _Candidate(start, end, found[first:done])


def _before(found: list[Mark], end: int, low: int) -> int:
    return bisect_left(found, end, low, key=lambda mark: mark.start)


def _beginning(text: str) -> Iterator[_Candidate]:
    """Yield the first sentences."""
    first = _VISIBLE.search(text)
    if first:
        inside = Sentences(text, *_paragraph(text, first.start()))
        start, end = inside.at(first.start())
        if end - start > PASSAGE:
            yield next(_cut(text, (start, end), []))
        else:
            yield _Candidate(start, inside.grown(start, end), [])


def _cut(text: str, sentence: Span, found: list[Mark]) -> Iterator[_Candidate]:
    """Yield pieces of a long sentence, cut at spaces, some words before each first mark."""
    done, last = 0, sentence[0]
    while done < len(found) or last == sentence[0]:
        anchor = word_end = sentence[0]
        if found:
            anchor, word_end = found[done].start, _end(text, found[done])
        start = room = max(last, anchor - PASSAGE // 3)
        if room > sentence[0]:
            space = _SPACE.search(text, room, anchor)
            start = space.end() if space else anchor
        end = max(word_end, start + PASSAGE)
        if end < sentence[1]:
            last_space = max(text.rfind(mark, word_end, end + 1) for mark in " \n\t\u00a0")
            if last_space > 0:
                end = _trim(text, start, last_space)[1]
            else:  # an endless word is shown whole, an endless row of dashes is not
                end = word_end if word_end > anchor else _RUN.match(text, end).end()  # type: ignore[union-attr]
        end = min(end, sentence[1])
        after = max(_before(found, end, done), done + 1)
        cut = (start > sentence[0], end < sentence[1])
        yield _Candidate(start, end, found[done:after], *cut)
        done, last = after, end


def _passage(text: str, shown: _Candidate) -> Passage:
    before = "…" if shown.is_cut_before else ""
    after = "…" if shown.is_cut_after else ""
    shift = shown.start - len(before)
    found = tuple((start - shift, end - shift) for start, end in spans(text, shown.marks))
    return Passage(before + text[shown.start : shown.end] + after, found)
