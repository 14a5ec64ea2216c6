"""The analyser for a whole batch of texts at once: Python sees each distinct word once.

A *chunk* is a stretch between two characters that can stand in no word: mostly one word. Its
characters are hashed, as a polynomial whose coefficients are differences of prefix sums, so
that no loop runs over characters, words or texts; only a chunk that was never met before is
cut into words by `tokenize` and looked up in the dictionary. What comes out is what `analyze`
would give, word for word.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.analysis import word_pairs
from searchkit.analysis.tokenize import COMBINING, LETTER, spans
from searchkit.analysis.ukrainian import APOSTROPHES, HYPHENS, INVISIBLE

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
Array = NDArray[Any]

_LONGEST = 64  # characters of a chunk that is told from others by its hash

# What a character may be; a digit is a letter, too.
_LETTER, _MARK, _JOINER, _POINT, _DIGIT = 1, 2, 4, 8, 16


@dataclass
class Rows:
    """The words of a batch of texts, as arrays in the order of the texts.

    Attributes:
        words: shape (texts,), how many words each text has.
        starts: shape (sum of words,), where each word begins in its text, in code points.
        text, position, pair: shape (rows,), one row for each (lemma, form) of each word: the
            text's number, the word's number in it, and the pair's in `Batches.pairs`.
    """

    words: Ints
    starts: Ints
    text: Ints
    position: Ints
    pair: Ints


class Batches:
    """Turns batches of texts into rows; remembers every chunk that it has met.

    Attributes:
        pairs: every (lemma, form) met so far, in the order of their numbers.
    """

    def __init__(self) -> None:
        self.pairs: dict[tuple[str, str], int] = {}
        self._kinds = _kinds()
        random = np.random.default_rng(int.from_bytes(os.urandom(16)))  # no text is made to collide
        self._codes: Hashes = random.integers(0, 1 << 64, 1 << 16, np.uint64)
        self._base = int(random.integers(0, 1 << 62)) * 4 + 5
        self._powers = self._inverse = np.empty(0, np.uint64)
        self._chunks = _Chunks()
        self._words: dict[str, list[int]] = {}

    def rows(self, texts: Sequence[str]) -> Rows:
        """Analyse some texts; fastest when they have some 100,000 characters in all."""
        joined = "\n".join(texts) + "\n"
        letters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        edges = self._edges(letters)
        first, last = edges[::2], edges[1::2]
        known = self._look_up(joined, letters, first, last)
        return self._expand(texts, first, known)

    def _edges(self, letters: NDArray[np.uint32]) -> Ints:
        """Return where chunks begin and end, alternately."""
        kinds = self._kinds[letters]
        inside = (kinds & (_LETTER | _MARK)) != 0
        joiners = (kinds & _JOINER).nonzero()[0]
        points = (kinds & _POINT).nonzero()[0]
        joiners = joiners[inside[joiners - 1] & inside[(joiners + 1) % len(inside)]]
        digits = (kinds & _DIGIT) != 0
        points = points[digits[points - 1] & digits[(points + 1) % len(inside)]]
        inside[joiners] = True
        inside[points] = True
        edges: Ints = (inside[1:] != inside[:-1]).nonzero()[0] + 1
        return np.concatenate([[0], edges]) if inside[0] else edges

    def _look_up(
        self, joined: str, letters: NDArray[np.uint32], first: Ints, last: Ints
    ) -> NDArray[np.int32]:
        hashes = self._hash(letters, first, last)
        odd = (last - first > _LONGEST).nonzero()[0]
        if len(beyond := (letters > 0xFFFF).nonzero()[0]):
            odd = np.union1d(odd, np.searchsorted(first, beyond, "right") - 1)
            odd = odd[odd >= 0]
        if len(odd):
            own = [hash(joined[first[i] : last[i]]) & 0xFFFFFFFFFFFFFFFF for i in odd.tolist()]
            hashes[odd] = np.array(own, np.uint64)
        found = self._chunks.find(hashes)
        missing = (found < 0).nonzero()[0]
        if len(missing):
            fresh, where = np.unique(hashes[missing], return_index=True)
            starts, ends = first[missing[where]].tolist(), last[missing[where]].tolist()
            chunks = [joined[start:end] for start, end in zip(starts, ends, strict=True)]
            self._chunks.add(fresh, [self._cut(chunk) for chunk in chunks])
            found[missing] = self._chunks.find(hashes[missing])
        return found

    def _hash(self, letters: NDArray[np.uint32], first: Ints, last: Ints) -> Hashes:
        size = len(letters)
        if size > len(self._powers):
            self._powers = _powers(self._base, size)
            self._inverse = _powers(pow(self._base, -1, 1 << 64), size)
        sums = np.zeros(size + 1, np.uint64)
        np.cumsum(self._codes[letters.astype(np.uint16)] * self._powers[:size], out=sums[1:])
        hashes = (sums[last] - sums[first]) * self._inverse[first]
        hashes ^= hashes >> np.uint64(29)
        return hashes * np.uint64(0x9E3779B97F4A7C15)

    def _cut(self, chunk: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Return where the words of a chunk start, and word and pair of each of its rows."""
        words = list(spans(chunk))
        rows = [
            (number, pair)
            for number, (start, end) in enumerate(words)
            for pair in self._pairs(chunk[start:end])
        ]
        return [start for start, _ in words], rows

    def _pairs(self, word: str) -> list[int]:
        found = self._words.get(word)
        if found is None:
            found = [self.pairs.setdefault(pair, len(self.pairs)) for pair in word_pairs(word)]
            self._words[word] = found
        return found

    def _expand(self, texts: Sequence[str], first: Ints, known: NDArray[np.int32]) -> Rows:
        chunks = self._chunks
        begins = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) + 1 for text in texts], out=begins[1:])
        word_ends = np.cumsum(words := chunks.words[known])
        bounds = np.searchsorted(first, begins)  # the chunks of text i: bounds[i]:bounds[i + 1]
        before = np.concatenate([[0], word_ends])[bounds]  # words before text i
        per_text = np.diff(before)
        # where words begin
        source, which = slices(chunks.first_word[known], words)
        starts = chunks.starts[source] + first[which]
        starts -= np.repeat(begins[:-1], per_text)
        # rows
        source, which = slices(chunks.first_row[known], chunks.rows[known])
        text = np.repeat(np.arange(len(texts)), np.diff(bounds))[which]
        position = (word_ends - words)[which] + chunks.word_of_row[source] - before[text]
        return Rows(per_text, starts, text, position, chunks.pair_of_row[source])


class _Chunks:
    """What is known of each chunk, in the order of their numbers, and a hash table to find it.

    Attributes:
        first_word, words: a chunk's words are `starts[first_word : first_word + words]`.
        starts: where a word begins in its chunk.
        first_row, rows: likewise into the two that follow.
        word_of_row, pair_of_row: the word's number in the chunk, and one of its pairs.
    """

    def __init__(self) -> None:
        self._keys: Hashes = np.zeros(1 << 16, np.uint64)
        self._values = np.full(1 << 16, -1, np.int32)
        self._added = _Column(np.uint64)
        self._first_word, self._words, self._starts = _Column(), _Column(), _Column()
        self._first_row, self._rows = _Column(), _Column()
        self._word_of_row, self._pair_of_row = _Column(), _Column()

    first_word = property(lambda self: self._first_word.array)
    words = property(lambda self: self._words.array)
    starts = property(lambda self: self._starts.array)
    first_row = property(lambda self: self._first_row.array)
    rows = property(lambda self: self._rows.array)
    word_of_row = property(lambda self: self._word_of_row.array)
    pair_of_row = property(lambda self: self._pair_of_row.array)

    def find(self, hashes: Hashes) -> NDArray[np.int32]:
        """Return the number of each chunk; -1 where it is not known."""
        mask = np.uint64(len(self._keys) - 1)
        slots = hashes & mask
        found: NDArray[np.int32] = self._values[slots]
        left = ((found >= 0) & (self._keys[slots] != hashes)).nonzero()[0]
        while len(left):
            slots[left] = (slots[left] + np.uint64(1)) & mask
            found[left] = self._values[slots[left]]
            left = left[(found[left] >= 0) & (self._keys[slots[left]] != hashes[left])]
        return found

    def add(self, keys: Hashes, cut: list[tuple[list[int], list[tuple[int, int]]]]) -> None:
        """Learn chunks that are not yet known: where their words start, and their rows."""
        words = [len(starts) for starts, _ in cut]
        rows = [len(of_chunk) for _, of_chunk in cut]
        self._first_word.extend(len(self.starts) + np.cumsum(words) - words)
        self._first_row.extend(len(self.pair_of_row) + np.cumsum(rows) - rows)
        self._words.extend(words)
        self._rows.extend(rows)
        self._starts.extend([start for starts, _ in cut for start in starts])
        flat = np.array([row for _, of_chunk in cut for row in of_chunk], np.int64).reshape(-1, 2)
        self._word_of_row.extend(flat[:, 0])
        self._pair_of_row.extend(flat[:, 1])
        before = len(self._added.array)
        self._added.extend(keys)
        if len(self._added.array) * 3 > len(self._keys):
            size = 1 << (len(self._added.array) * 6).bit_length()
            self._keys, self._values = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
            before = 0
        self._place(self._added.array[before:], before)

    def _place(self, keys: Hashes, first: int) -> None:
        """Give every key the first free slot from its own on; all at once, again until all have."""
        mask = np.uint64(len(self._keys) - 1)
        slots = keys & mask
        left = np.arange(len(keys))
        while len(left):
            here = slots[left]
            free = self._values[here] < 0
            self._values[here[free]] = left[free] + first  # of several keys the last one wins
            placed = self._values[here] == left + first
            self._keys[here[placed]] = keys[left[placed]]
            left = left[~placed]
            slots[left] = (slots[left] + np.uint64(1)) & mask


class _Column:
    """An array that grows: there is room for as much again."""

    def __init__(self, dtype: type[np.generic] = np.int64) -> None:
        self._room = np.empty(1024, dtype)
        self.array = self._room[:0]

    def extend(self, new: Sequence[int] | Array) -> None:
        """Put numbers at the end."""
        size = len(self.array) + len(new)
        if size > len(self._room):
            room = np.empty(2 * size, self._room.dtype)
            room[: len(self.array)] = self.array
            self._room = room
        self._room[len(self.array) : size] = new
        self.array = self._room[:size]


def slices(first: Ints, counts: Ints) -> tuple[Ints, Ints]:
    """Return the indexes of all slices first:first + count, and which slice each is of."""
    ends = np.cumsum(counts)
    which = np.repeat(np.arange(len(counts)), counts)
    return np.arange(len(which)) + (first - ends + counts)[which], which


def _powers(base: int, size: int) -> Hashes:
    powers = np.full(size, base, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)


@cache
def _kinds() -> NDArray[np.uint8]:
    """Return what each of Unicode's code points is, by the same classes that `tokenize` uses."""
    kinds = np.zeros(0x110000, np.uint8)
    every = "".join(map(chr, range(0x110000)))
    for pattern, kind in (
        (LETTER, _LETTER),
        (f"[{COMBINING}{INVISIBLE}]", _MARK),
        (f"[{re.escape(APOSTROPHES + HYPHENS)}]", _JOINER),
        (r"[.,:]", _POINT),
        (r"\d", _DIGIT),
    ):
        where = [match.span() for match in re.finditer(f"{pattern}+", every)]
        for start, end in where:
            kinds[start:end] |= kind
    return kinds
