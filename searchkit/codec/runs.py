"""Runs: articles become rows (term, article, position, form), sorted, in a file of arrays.

A *run* is what one process makes of some thousand articles. A process numbers its words as it
meets them, so that no string is sorted or compared before the end, when `codec.merge` makes
one segment of all runs.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.analysis import word_pairs
from searchkit.analysis.arrays import Batches
from searchkit.article import Article
from searchkit.codec.arrays import Array, write
from searchkit.codec.segment import id_hash
from searchkit.codec.stored import Packer, steps
from searchkit.dates import parse_span
from searchkit.schema import FIELDS, GAP, key, values

Ints = NDArray[np.int64]

BATCH = 150_000  # characters analysed at once: its arrays fit the processor's cache

Vocabulary = tuple[list[str], list[tuple[int, str]]]


class RunMaker:
    """What a process needs to make runs; it learns words as it goes."""

    def __init__(self, dictionary: bytes) -> None:
        self._packer = Packer(dictionary)
        self._batches = Batches()
        self._terms: dict[str, int] = {}
        self._term_of_pair: list[int] = []
        self._values: dict[tuple[str, str | tuple[str, ...]], tuple[list[int], list[int]]] = {}

    def make(self, articles: Sequence[Article], path: Path) -> Path:
        """Write the run of some articles, numbered from 0 in their order; return its path."""
        rows, words, starts = self._rows(articles)
        while len(self._term_of_pair) < len(self._batches.pairs):
            self._learn()
        stored = self._stored(articles, words, starts)
        _write_run(path, rows, np.array(self._term_of_pair, np.int64), stored)
        return path

    def vocabulary(self) -> Vocabulary:
        """Return the terms by their numbers here, and of each pair the term and the form."""
        forms = [form for _, form in self._batches.pairs]
        return list(self._terms), list(zip(self._term_of_pair, forms, strict=True))

    def _learn(self) -> None:
        pairs = list(self._batches.pairs)[len(self._term_of_pair) :]
        self._term_of_pair += [self._terms.setdefault(term, len(self._terms)) for term, _ in pairs]

    def _rows(self, articles: Sequence[Article]) -> tuple[list[Array], Ints, Ints]:
        """Return article, position and pair of each row; then what `_stored` wants."""
        found: list[list[Any]] = [[], [], [], [], []]
        for first, batch in _batched(articles):
            texts = [text for article in batch for text in (article.title, article.text)]
            rows = self._batches.rows(texts)
            shift = np.where(rows.text & 1, np.repeat(rows.words[::2], 2)[rows.text] + GAP, 0)
            new = (first + (rows.text >> 1), rows.position + shift, rows.pair)
            for column, part in zip(found, (*new, rows.words, rows.starts), strict=True):
                column.append(part)
        for column, more in zip(found, self._labels(articles), strict=False):
            column.append(np.array(more, np.int64))
        *columns, words, starts = (np.concatenate(column) for column in found)
        return columns, words, starts

    def _labels(self, articles: Sequence[Article]) -> tuple[list[int], list[int], list[int]]:
        """Return the rows of sources, sections, authors and tags: few values, met often."""
        numbers: list[int] = []
        positions: list[int] = []
        pairs: list[int] = []
        for number, article in enumerate(articles):
            for name in FIELDS[1:]:
                value = getattr(article, name)
                if value:
                    where, which = self._values.get((name, value)) or self._label(name, value)
                    numbers += [number] * len(where)
                    positions += where
                    pairs += which
        return numbers, positions, pairs

    def _label(self, name: str, value: str | tuple[str, ...]) -> tuple[list[int], list[int]]:
        where, which = [], []
        known = self._batches.pairs
        for position, token in values(value):
            for lemma, form in word_pairs(token.text):
                where.append(position)
                pair = key(name, lemma), key(name, form)
                which.append(known.setdefault(pair, len(known)))
        if len(self._values) < 100_000:
            self._values[name, value] = where, which
        return where, which

    def _stored(self, articles: Sequence[Article], words: Ints, starts: Ints) -> dict[str, Array]:
        """Return what is kept of the articles themselves.

        Of each title and each text, alternately, `words` is how many words it has; `starts` is
        where they start.
        """
        titles = np.array([len(article.title) + 1 for article in articles], np.int64)
        titles = np.repeat(titles, words[1::2])  # one for each word of a text
        is_title = np.repeat(np.arange(len(words)) % 2 == 0, words)
        starts[~is_title] += titles
        where = steps(starts, words[::2] + words[1::2])
        records = [
            self._packer.pack(article, each) for article, each in zip(articles, where, strict=True)
        ]
        dates = [parse_span(article.date) if article.date else (0, 0) for article in articles]
        return {
            "title_words": words[::2].astype("<u4"),
            "text_words": words[1::2].astype("<u4"),
            "first": np.array([first for first, _ in dates], "<u8"),
            "last": np.array([last for _, last in dates], "<u8"),
            "ids": np.frombuffer(b"".join(id_hash(a.id) for a in articles), np.uint8),
            "digests": np.frombuffer(b"".join(a.digest() for a in articles), np.uint8),
            "records": np.frombuffer(b"".join(records), np.uint8),
            "sizes": np.array([len(packed) for packed in records], "<u4"),
        }


def _batched(articles: Sequence[Article]) -> Iterator[tuple[int, list[Article]]]:
    """Yield runs of articles of some BATCH characters, each with the number of its first."""
    first, size, batch = 0, 0, []
    for number, article in enumerate(articles):
        batch.append(article)
        size += len(article.text)
        if size >= BATCH:
            yield first, batch
            first, size, batch = number + 1, 0, []
    if batch:
        yield first, batch


def _write_run(path: Path, rows: list[Array], term_of_pair: Ints, stored: dict[str, Array]) -> None:
    """Sort rows by term, article and position, and write them with the articles."""
    number, position, pair = rows
    order = term_of_pair[pair].astype(np.uint64) << np.uint64(32)
    order |= np.arange(len(pair), dtype=np.uint64)
    order.sort()  # a sort of plain numbers is three times as fast as one of their indexes
    term = (order >> np.uint64(32)).astype(np.int64)
    which = (order & np.uint64(0xFFFFFFFF)).astype(np.int64)
    number = number[which]
    is_new = np.ones(len(term), bool)
    is_new[1:] = (term[1:] != term[:-1]) | (number[1:] != number[:-1])
    begins = is_new.nonzero()[0]  # of postings
    counts = np.diff(begins, append=len(term))
    of_posting = term[begins]
    is_new = np.ones(len(of_posting), bool)
    is_new[1:] = of_posting[1:] != of_posting[:-1]
    arrays = {
        "terms": of_posting[is_new].astype("<u4"),
        "first_posting": np.append(is_new.nonzero()[0], len(begins)).astype("<u4"),
        "first_row": np.append(begins[is_new], len(term)).astype("<u4"),
        "largest": np.array([position.max(initial=0), counts.max(initial=0)], "<u4"),
        "docs": number[begins].astype("<u4"),
        "counts": counts.astype("<u4"),
        "positions": position[which].astype("<u4"),
        "pairs": pair[which].astype("<u4"),
        **stored,
    }
    write(path, arrays)
