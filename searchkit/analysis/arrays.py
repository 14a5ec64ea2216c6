"""The analyser for a whole batch of texts at once: each distinct word is looked up once.

Words get numbers as they are met; of each number it is known which rows it has in the index.
What comes out is what `analyze` would give, word for word, as arrays.
"""

import os
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.analysis import NO_WORDS, Listed, form_pairs
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
        pairs: every (lemma, form) met so far, in the order of their numbers.
    """

    def __init__(self, words: Listed = NO_WORDS) -> None:
        self.listed = words
        self.pairs: dict[tuple[str, str], int] = {}
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
            pairs = self.pairs
            self._pairs.extend(
                [pairs.setdefault(pair, len(pairs)) for pair in form_pairs(form, self.listed)]
            )
        else:  # Мати, where мати was there before
            self._pairs.extend(self._pairs[self._ends[first] : self._ends[first + 1]])
        self._ends.append(len(self._pairs))


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
