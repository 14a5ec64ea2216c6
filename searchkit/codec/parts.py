"""Parts: what all runs have of a range of terms, put together.

A piece of the work is a range of terms and one of articles; so memory is bounded by how wide it is.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from searchkit.analysis.arrays import slices
from searchkit.codec.arrays import Array
from searchkit.kernel import kernel
from searchkit.query.rank import K1, LEAD_WORDS, saturate
from searchkit.schema import GAP

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Piece(NamedTuple):
    """A range of terms and one of articles."""

    begin: int
    end: int
    low: int
    high: int


def pieces_of(rows: Ints, articles: int, at_once: int) -> Iterator[Piece]:
    """Yield pieces of work of some `at_once` rows, of which each term has so many.

    They have all articles, but for those of a term that has too many rows by itself: of that,
    each has some whole chunks.
    """
    row_ends = np.cumsum(rows)
    begin = row = 0
    chunks = -(-articles >> 16) or 1
    while begin < len(rows):
        end = max(int(np.searchsorted(row_ends, row + at_once, "right")), begin + 1)
        parts = min(1 if end - begin > 1 else max(1, int(rows[begin]) // at_once), chunks)
        bounds = [(chunks * part // parts) << 16 for part in range(parts + 1)]
        for low, high in pairwise(bounds):
            yield Piece(begin, end, low, high)
        begin, row = end, int(row_ends[end - 1])


class RunPart(NamedTuple):
    """What a run has of a range of terms: what the file has of it, counted from 0."""

    terms: Array
    first_posting: Array
    first_row: Array
    postings: Array
    rows: Array
    numbers: Array
    ordinal_of_pair: Array


class Part(NamedTuple):
    """Postings of a range of terms, sorted by term and article, and their places.

    Attributes:
        terms, docs, counts, titles, leads, worths: of each posting; `counts` is how many places it
            has, `titles` how many of them are in the title, `leads` 1 if one is among the first
            words of the text, else 0.
        values: of each place what `rows` has of it.
        follows: likewise, the class of the word behind it.
    """

    terms: Array
    docs: Array
    counts: Array
    titles: Array
    leads: Array
    worths: Array
    values: Array
    follows: Array


class Shared(NamedTuple):
    """What all pieces have in common.

    Attributes:
        articles: their columns.
        forms: how many forms each term has.
        of_text: the first term that is a word of title or text, not of another field.
        with_champions: which pairs of term and form are to have champions.
    """

    articles: dict[str, Array]
    forms: Array
    of_text: int
    with_champions: Bools


def gathered(parts: Sequence[RunPart], piece: Piece, shared: Shared) -> Part:
    """Put the parts of all runs together."""
    return (_gather_by_kernel if kernel else _gather)(parts, piece, shared)


def _gather_by_kernel(parts: Sequence[RunPart], piece: Piece, shared: Shared) -> Part:
    columns = (shared.articles[n] for n in ("title_words", "title_norms", "text_norms"))
    arrays = kernel.gather(
        tuple(parts), *piece, *columns, shared.forms, shared.of_text, K1, GAP, LEAD_WORDS
    )
    kinds = ("<u4", "<u4", "<u4", "<u4", "<u4", "<f4", "<u8", "|u1")
    return Part(*(np.frombuffer(a, kind) for a, kind in zip(arrays, kinds, strict=True)))


def _gather(parts: Sequence[RunPart], piece: Piece, shared: Shared) -> Part:
    columns: list[list[Array]] = [[], [], [], [], [], []]
    shift = 0
    for run in parts:
        counts = (run.postings & 0xFFFFFFFF).astype(np.int64)
        numbers = run.numbers[run.postings >> 32].astype(np.int64)
        firsts = run.first_posting.astype(np.int64)
        terms = np.repeat(run.terms.astype(np.int64), firsts[1:] - firsts[:-1])
        row = np.arange(len(run.rows))
        inside = (numbers >= piece.low) & (numbers < piece.high)
        if not inside.all():
            row = row[np.repeat(inside, counts)]
            counts, numbers, terms = counts[inside], numbers[inside], terms[inside]
        new = (
            terms << 32 | numbers,
            counts,
            np.cumsum(counts) - counts + shift,
            (run.rows[row] >> 40).astype(np.int64),
            run.ordinal_of_pair[run.rows[row] & 0xFFFFFFFF].astype(np.int64),
            (run.rows[row] >> 32).astype(np.uint8),
        )
        shift += len(row)
        for column, array in zip(columns, new, strict=True):
            column.append(array)
    keys, counts, first, *places = (np.concatenate(column) for column in columns)
    order = np.argsort(keys)
    row, _ = slices(first[order], counts[order])
    return _described(keys[order], counts[order], [each[row] for each in places], shared)


def _described(keys: Ints, counts: Ints, places: Sequence[Array], shared: Shared) -> Part:
    """Say what postings, given as term << 32 | article, are worth.

    Of each of their places, position, form and what follows.
    """
    positions, ordinals, follows = places
    terms, docs, articles = keys >> 32, keys & 0xFFFFFFFF, shared.articles
    is_text = terms >= shared.of_text
    in_title = positions < np.repeat(articles["title_words"][docs], counts)
    first = np.cumsum(counts) - counts
    titles = np.add.reduceat(in_title.astype(np.int64), first) if len(first) else counts
    titles *= is_text
    behind = positions - np.repeat(articles["title_words"][docs].astype(np.int64) + GAP, counts)
    in_lead = (behind >= 0) & (behind < LEAD_WORDS)
    leads = np.logical_or.reduceat(in_lead, first) if len(first) else is_text
    texts = (counts - titles).astype(np.float32)
    weighted = titles.astype(np.float32) * articles["title_norms"][docs]
    weighted += texts * articles["text_norms"][docs]
    worths = saturate(np.where(is_text, weighted, texts))
    values = positions * np.repeat(shared.forms[terms].astype(np.int64), counts) + ordinals
    return Part(
        terms.astype("<u4"), docs.astype("<u4"), counts.astype("<u4"), titles.astype("<u4"),
        (leads & is_text).astype("<u4"), worths, values.astype("<u8"), follows,
    )  # fmt: skip
