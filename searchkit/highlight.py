"""Highlight: which words of an article match, and the passages that show them best.

Spans are half-open code-point offsets; what they point at is the word exactly as written. A
passage is whole sentences of one paragraph where they fit, never cut inside a word; `…`
stands where a sentence had to be cut.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from searchkit.analysis import Token, analyze
from searchkit.analysis.ukrainian import ABBREVIATIONS
from searchkit.query.tree import Leaf, Node, Phrase, leaves
from searchkit.schema import DEFAULT_FIELDS

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


@dataclass(frozen=True, slots=True)
class Mark:
    """A word of an article that matches, and which part of the query it answers."""

    token: Token
    part: Leaf | Phrase


def marks(text: str, tree: Node | None, field: str) -> list[Mark]:
    """Return the words of a field that match, in order; those of a phrase only where it stands."""
    parts = (
        [part for part, fields in leaves(tree, DEFAULT_FIELDS) if field in fields] if tree else []
    )
    if not parts:
        return []
    tokens = analyze(text)
    found: dict[int, Mark] = {}
    for part in parts:
        for position in _positions(part, tokens):
            found.setdefault(position, Mark(tokens[position], part))
    return [found[position] for position in sorted(found)]


def spans(found: list[Mark]) -> tuple[Span, ...]:
    """Return where the marked words stand."""
    return tuple((mark.token.start, mark.token.end) for mark in found)


def passages(text: str, found: list[Mark], limit: int) -> tuple[Passage, ...]:
    """Return up to `limit` passages, the one that answers most of the query first.

    Where nothing in the text matches (the title does, or a date was asked for), the beginning
    of the text is the one passage, without spans.
    """
    if limit < 1:
        return ()
    candidates = list(_candidates(text, found))
    candidates.sort(key=lambda c: (-len({m.part for m in c[1]}), -len(c[1]), c[0]))
    chosen: list[tuple[Span, list[Mark]]] = []
    for candidate in candidates:
        (start, end), _ = candidate
        if all(end <= other[0] or other[1] <= start for other, _ in chosen):
            chosen.append(candidate)
        if len(chosen) == limit:
            break
    return tuple(_passage(text, span, inside) for span, inside in chosen)


# -- which words match -------------------------------------------------------------------------


def _positions(part: Leaf | Phrase, tokens: list[Token]) -> set[int]:
    if not isinstance(part, Phrase):
        return {position for position, token in enumerate(tokens) if part.matches(token)}
    slots = [[p for p, token in enumerate(tokens) if w.matches(token)] for w in part.words]
    if part.slop is None:
        rest = [set(slot) for slot in slots]
        starts = [p for p in slots[0] if all(p + i in slot for i, slot in enumerate(rest))]
        return {start + i for start in starts for i in range(len(slots))}
    reach = len(slots) + part.slop
    found: set[int] = set()
    for start in sorted({position for slot in slots for position in slot}):
        near = [[p for p in slot if start <= p < start + reach] for slot in slots]
        needed = [part.words[: i + 1].count(word) for i, word in enumerate(part.words)]
        if all(len(slot) >= count for slot, count in zip(near, needed, strict=True)):
            found.update(*near)
    return found


# -- which passages show them ------------------------------------------------------------------

_SENTENCE_END = re.compile(r"[.!?…]+[\"'»”)\]]*(?=\s)|\n\s*\n|\n(?=\s*[—–-]\s)")
_LAST_WORD = re.compile(r"[^\W\d_]+(?=\.$)")


def sentences(text: str) -> list[Span]:
    """Return the spans of the sentences, white space around them left out.

    A full stop after an abbreviation, an initial or before a small letter ends nothing:
    `на вул. Садовій, 5`, `В. Ткачук`, `о 9 год. ранку`.
    """
    found, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        if _goes_on(text, start, match):
            continue
        found.append((start, match.end()))
        start = match.end()
    found.append((start, len(text)))
    return [span for span in (_trim(text, *span) for span in found) if span[0] < span[1]]


def _goes_on(text: str, start: int, match: re.Match[str]) -> bool:
    if match[0] != ".":
        return False
    following = text[match.end() : match.end() + 20].lstrip(" \u00a0\n\t\"'«“(")
    if following[:1].islower():
        return True
    word = _LAST_WORD.search(text, max(start, match.end() - 30), match.end())
    return word is not None and (
        word[0].lower() in ABBREVIATIONS or (len(word[0]) == 1 and word[0].isupper())
    )


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _candidates(text: str, found: list[Mark]) -> Iterator[tuple[Span, list[Mark]]]:
    """Yield spans of the text worth showing, each with the marks in it."""
    every = sentences(text)
    if not found:
        if every:
            yield _grow(text, every, 0), []
        return
    for number, (start, end) in enumerate(every):
        inside = [mark for mark in found if start <= mark.token.start < end]
        if inside:
            if end - start > PASSAGE:
                yield from _cut(text, (start, end), inside)
            else:
                span = _grow(text, every, number)
                yield span, [m for m in found if span[0] <= m.token.start < span[1]]


def _grow(text: str, every: list[Span], number: int) -> Span:
    """Add the sentences that follow in the same paragraph, as long as they fit."""
    start, end = every[number]
    if end - start > PASSAGE:
        return next(_cut(text, (start, end), []))[0]
    for (_, before), (after, stop) in pairwise(every[number:]):
        if stop - start > PASSAGE or "\n\n" in text[before:after]:
            break
        end = stop
    return start, end


def _cut(text: str, sentence: Span, inside: list[Mark]) -> Iterator[tuple[Span, list[Mark]]]:
    """Yield pieces of a long sentence, cut between words, some words before each first mark."""
    words = analyze(text[sentence[0] : sentence[1]])
    bounds = [(sentence[0] + word.start, sentence[0] + word.end) for word in words]
    last = sentence[0]
    for anchor in [mark.token.start for mark in inside] or [sentence[0]]:
        if anchor < last:
            continue
        room = anchor - PASSAGE // 3
        start = next((s for s, _ in bounds if s >= room or s == anchor), sentence[0])
        start = sentence[0] if room <= sentence[0] else start
        ends = [e for _, e in bounds if e <= start + PASSAGE and e > anchor]
        end = ends[-1] if ends else next((e for _, e in bounds if e > anchor), sentence[1])
        if sentence[1] <= start + PASSAGE:
            end = sentence[1]
        last = end
        yield (start, end), [m for m in inside if start <= m.token.start and m.token.end <= end]


def _passage(text: str, span: Span, inside: list[Mark]) -> Passage:
    start, end = span
    cut = next((s for s in sentences(text) if s[0] <= start < s[1]), span)
    before = "…" if cut[0] < start else ""
    after = "…" if end < cut[1] and not any(s[1] == end for s in sentences(text)) else ""
    shift = start - len(before)
    found = tuple((m.token.start - shift, m.token.end - shift) for m in inside)
    return Passage(before + text[start:end] + after, found)
