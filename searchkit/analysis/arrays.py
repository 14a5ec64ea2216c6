"""The analyser for a whole batch of texts at once: each distinct word is looked up once.

Words get numbers as they are met; of each number it is known which rows it has in the index.
What comes out is what `analyze` would give, word for word, as arrays.
"""

import os
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from searchkit.analysis import MARKS, NO_WORDS, Listed, TermsOf, form_pairs, terms_by, way_of
from searchkit.analysis.language import UKRAINIAN, is_suspicious, stretches
from searchkit.analysis.normalize import normalize
from searchkit.analysis.tokenize import WORD
from searchkit.kernel import kernel

Ints = NDArray[np.int32]
Array = NDArray[Any]

_CUT = re.compile(f"({WORD})")


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
    """Turns batches of texts into rows; remembers every word that it has met.

    Attributes:
        listed: the terms of the forms on the user's list.
        pairs: every (lemma, form) met so far, in the order of their numbers. A form that comes
            from a text in another language than Ukrainian has a mark behind it (`MARKS`).
    """

    def __init__(self, words: Listed = NO_WORDS) -> None:
        self.listed = words
        self.pairs: dict[tuple[str, str], int] = {}
        self._words: dict[str, _Words] = {}

    def rows(self, texts: Sequence[str], languages: Sequence[str | None] = ()) -> Rows:
        """Analyse some texts, each in a language (`language.language_of`); without it Ukrainian."""
        spoken = languages or [UKRAINIAN] * len(texts)
        odd = [
            i
            for i, (text, is_in) in enumerate(zip(texts, spoken, strict=True))
            if way_of(is_in) != UKRAINIAN or (is_in == UKRAINIAN and is_suspicious(text))
        ]
        if not odd:
            return self._met(UKRAINIAN).rows(texts)
        of_odd = self._mixed([texts[i] for i in odd], [spoken[i] for i in odd])
        if len(odd) == len(texts):
            return of_odd
        among = set(odd)
        plain = [text for i, text in enumerate(texts) if i not in among]
        return _interleaved(self._met(UKRAINIAN).rows(plain), of_odd, odd)

    def _mixed(self, texts: Sequence[str], languages: Sequence[str | None]) -> Rows:
        """Analyse texts that may be in several languages each."""
        pieces = [
            _Piece(number, start, end, way_of(language))
            for number, (text, is_in) in enumerate(zip(texts, languages, strict=True))
            for start, end, language in stretches(text, is_in)
        ]
        found = []
        for way in sorted({piece.way for piece in pieces}):
            which = [i for i, piece in enumerate(pieces) if piece.way == way]
            here = [texts[p.text][p.start : p.end] for p in (pieces[i] for i in which)]
            found.append((np.array(which), self._met(way).rows(here)))
        return _joined(pieces, found, len(texts))

    def _met(self, way: str) -> "_Words":
        if way not in self._words:
            self._words[way] = _Words(self.pairs, terms_by(way, self.listed), MARKS.get(way, ""))
        return self._words[way]


class _Piece(NamedTuple):
    """A part of a text that is in one language."""

    text: int
    start: int
    end: int
    way: str


class _Words:
    """The words met in the texts that are read in one way."""

    def __init__(self, pairs: dict[tuple[str, str], int], terms_of: TermsOf, mark: str) -> None:
        self.pairs, self._terms_of, self._mark = pairs, terms_of, mark
        self._numbers: dict[str, int] = {}
        self._table = (
            kernel.word_table(*np.frombuffer(os.urandom(16), np.uint64).tolist())
            if kernel
            else None
        )
        self._ends = array("i", [0])  # the word number n has _pairs[_ends[n] : _ends[n + 1]]
        self._pairs = array("i")
        self._first: dict[str, int] = {}  # the word that had a normal spelling first

    def rows(self, texts: Sequence[str]) -> Rows:
        """Analyse some texts."""
        number_words = self._number_words if self._table is None else self._number_words_in_c
        words, starts, numbers = number_words(texts)
        return Rows(words, starts, *_rows(words, numbers, self._ends, self._pairs))

    def _number_words_in_c(self, texts: Sequence[str]) -> tuple[Ints, Ints, Ints]:
        *arrays, fresh = kernel.number_words(self._table, list(texts))
        for word in fresh:
            self._learn(word)
        words, starts, numbers = (np.frombuffer(each, np.int32) for each in arrays)
        return words, starts, numbers

    def _number_words(self, texts: Sequence[str]) -> tuple[Ints, Ints, Ints]:
        """Return how many words each text has, and where each starts, and its number."""
        counts: list[int] = []
        starts, numbers = [np.empty(0, np.int64)], array("i")
        known = self._numbers
        for text in texts:
            pieces = _CUT.split(text)  # what is between words, and words, alternately
            words = pieces[1::2]
            for word in words:
                if word not in known:
                    known[word] = len(known)
                    self._learn(word)
            numbers.extend(map(known.__getitem__, words))
            starts.append(np.cumsum([*map(len, pieces)])[:-1:2])
            counts.append(len(words))
        where = np.concatenate(starts).astype(np.int32)
        return np.array(counts, np.int32), where, np.array(numbers, np.int32)

    def _learn(self, word: str) -> None:
        """Note which pairs the next word has."""
        number = len(self._ends) - 1
        form = normalize(word)
        first = self._first.setdefault(form, number)
        if first == number:
            pairs, found = self.pairs, form_pairs(form, self._terms_of)
            if mark := self._mark:
                found = [(lemma, spelled + mark) for lemma, spelled in found]
            self._pairs.extend([pairs.setdefault(pair, len(pairs)) for pair in found])
        else:  # Мати, where мати was there before
            self._pairs.extend(self._pairs[self._ends[first] : self._ends[first + 1]])
        self._ends.append(len(self._pairs))


def _joined(pieces: Sequence[_Piece], found: Sequence[tuple[Array, Rows]], texts: int) -> Rows:
    """Put the rows of pieces together as those of their texts.

    Args:
        pieces: in the order of the texts.
        found: some of their numbers, ascending, and their rows as if each were a text.
        texts: how many there are.
    """
    text_of = np.array([piece.text for piece in pieces], np.int32)
    shift = np.array([piece.start for piece in pieces], np.int32)
    counts = np.zeros(len(pieces), np.int32)
    for which, rows in found:
        counts[which] = rows.words
    ends = np.cumsum(counts, dtype=np.int32)
    words = np.zeros(texts, np.int32)
    np.add.at(words, text_of, counts)
    before = (ends - counts) - (np.cumsum(words, dtype=np.int32) - words)[text_of]
    of_word = np.concatenate([np.repeat(which, rows.words) for which, rows in found])
    starts = np.concatenate([rows.starts for _, rows in found]) + shift[of_word]
    of_row = np.concatenate([which[rows.text] for which, rows in found])
    position = np.concatenate([rows.position for _, rows in found]) + before[of_row]
    pair = np.concatenate([rows.pair for _, rows in found])
    order = of_row.argsort(kind="stable")
    starts = starts[of_word.argsort(kind="stable")]
    return Rows(words, starts, text_of[of_row[order]], position[order], pair[order])


def _interleaved(plain: Rows, odd: Rows, places: Sequence[int]) -> Rows:
    """Put the rows of a few texts between those of others.

    Args:
        plain: the rows of the others.
        odd: those of the few.
        places: ascending, which the odd texts are among all.
    """
    cuts = np.array(places) - np.arange(len(places))  # how many plain texts stand before each
    ends = [np.cumsum(rows.words) for rows in (plain, odd)]

    def parts(rows: Rows, which: int, begins: Array, stops: Array, shifts: Array) -> list[Rows]:
        word = np.append(0, ends[which])
        first, last = rows.text.searchsorted(begins), rows.text.searchsorted(stops)
        return [
            Rows(rows.words[i:j], rows.starts[word[i] : word[j]], rows.text[a:b] + shift,
                 rows.position[a:b], rows.pair[a:b])
            for i, j, a, b, shift in zip(begins, stops, first, last, shifts.astype(np.int32),
                                         strict=True)
        ]  # fmt: skip

    count = np.arange(len(places))
    stops = np.append(cuts, len(plain.words))
    one = parts(plain, 0, np.append(0, cuts), stops, np.append(count, len(places)))
    other = parts(odd, 1, count, count + 1, cuts)
    order = [part for pair in zip(one, other, strict=False) for part in pair] + one[-1:]
    names = ("words", "starts", "text", "position", "pair")
    return Rows(*(np.concatenate([getattr(part, name) for part in order]) for name in names))


def _rows(
    words: Ints, numbers: Ints, word_ends: "array[int]", word_pairs: "array[int]"
) -> tuple[Ints, Ints, Ints]:
    """Return text, position and pair of each row of numbered words."""
    if kernel:
        text, position, pair = (
            np.frombuffer(each, np.int32)
            for each in kernel.rows(words, numbers, word_ends, word_pairs)
        )
        return text, position, pair
    ends = np.array(word_ends, np.int32)
    source, which = slices(ends[numbers], np.diff(ends)[numbers])
    text = np.repeat(np.arange(len(words), dtype=np.int32), words)[which]
    before = np.cumsum(words, dtype=np.int32) - words
    position = which.astype(np.int32) - before[text]
    return text, position, np.array(word_pairs, np.int32)[source]


def slices(first: Array, counts: Array) -> tuple[Array, Array]:
    """Return the indexes of all slices first:first + count, and which slice each is of."""
    ends = np.cumsum(counts)
    which = np.repeat(np.arange(len(counts)), counts)
    return np.arange(len(which)) + (first - ends + counts)[which], which
