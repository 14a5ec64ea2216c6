"""Again: a segment becomes a run, to be merged with others without its articles being analysed.

An update takes the small segment of the days before into the one that it writes, and now and then
the large one. What a run says of its rows, a segment says of its postings and places; only the
articles that do not count any more are left out, and the words that no other has.
"""

from collections.abc import Iterator
from itertools import compress, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.arrays import Array, Growing
from searchkit.codec.postings import unpack
from searchkit.codec.runs import KINDS, Vocabulary
from searchkit.codec.segment import BLOCK, Segment
from searchkit.codec.strings import plain_arrays
from searchkit.codec.together import Pairs
from searchkit.schema import PAIR

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STEP = 1 << 12  # blocks of postings, and articles, that are read at once


def pairs_of(segment: Segment) -> Pairs:
    """Return the pairs of words that are terms of their own in a segment."""
    first, end = segment.terms.prefixed(PAIR.encode())
    pairs = (segment.terms[number].decode()[1:].partition(" ") for number in range(first, end))
    return [(left, right) for left, _, right in pairs]


def run_of(segment: Segment, alive: Bools, path: Path) -> Vocabulary:
    """Write a run of the articles of a segment that count; return its words.

    Args:
        segment: every byte of it is checked first.
        alive: which of its articles count.
        path: where the run goes. Its articles are in the order of the segment.

    Raises:
        CorruptIndex: the segment is damaged.
        OSError: no room, no permission.
    """
    segment.arrays.all_sure()
    arrays = segment.arrays
    terms, pairs = len(segment.terms), len(arrays["lemmas"])
    number = np.cumsum(alive) - 1
    having, rows = np.zeros((2, terms), np.int64)
    is_used = np.zeros(pairs, bool)
    living = alive.nonzero()[0]
    with Growing(path) as out:
        for name in ("postings", "rows"):
            out.append(name, np.empty(0, KINDS[name]))
        for part in _parts(segment):
            inside = alive[part.docs]
            chosen = np.repeat(inside, part.counts)
            of_pair = part.pairs[chosen]
            is_used[of_pair] = True
            having += np.bincount(part.terms[inside], minlength=terms)
            rows += np.bincount(part.terms, part.counts * inside, terms).astype(np.int64)
            postings = number[part.docs[inside]] << 32 | part.counts[inside]
            places = part.positions[chosen] << 8 | part.follows[chosen]
            out.append("postings", postings.astype(KINDS["postings"]))
            out.append("rows", (places << 32 | of_pair).astype(KINDS["rows"]))
        there = having > 0
        new = (np.cumsum(there) - 1).astype("<u4")  # of each term
        out.put("terms", [new[there]])
        out.put("first_posting", [_from_0(having[there])])
        out.put("first_row", [_from_0(rows[there])])
        for name in ("title_words", "text_words", "first", "last"):
            out.put(name, [arrays[name][alive]])
        out.put("ids", [arrays["ids"].reshape(-1, 16)[alive].ravel()])
        out.put("sizes", [arrays["record_sizes"][alive]])
        out.put("records", _records(segment, living))
    return _words(segment, there, new, is_used)


def _sizes(ends: Array) -> Ints:
    found: Ints = ends.astype(np.int64)
    found[1:] -= ends[:-1].astype(np.int64)
    return found


def _from_0(sizes: Ints) -> Array:
    return np.append(0, np.cumsum(sizes)).astype("<u4")


class _Part(NamedTuple):
    """Some postings: of each its term and article, and how many places it has; then the places."""

    terms: Ints
    docs: Ints
    counts: Ints
    positions: Ints
    pairs: Ints
    follows: Array


def _parts(segment: Segment) -> Iterator[_Part]:
    """Read all postings of a segment, some at a time."""
    arrays = segment.arrays
    ends = arrays["posting_ends"].astype(np.int64)
    per_term = _sizes(arrays["chunk_ends"])
    term_of_chunk = np.repeat(np.arange(len(per_term)), per_term)
    forms = _sizes(arrays["term_form_ends"])
    first_form = np.cumsum(forms) - forms
    pair_of_form = _pairs(segment)[1]
    for first in range(0, len(arrays["lows"]), STEP * BLOCK):
        last = min(first + STEP * BLOCK, len(arrays["lows"]))
        low, high = ends.searchsorted([first, last - 1], "right")
        chunks = np.repeat(
            np.arange(low, high + 1), _sizes(np.clip(ends[low : high + 1], first, last) - first)
        )
        docs = arrays["chunk_keys"][chunks].astype(np.int64) << 16 | arrays["lows"][first:last]
        terms = term_of_chunk[chunks]
        titles, texts, _ = segment.counts(slice(first, last))
        counts = titles.astype(np.int64) + texts
        of_row = np.repeat(terms, counts)
        blocks = slice(first // BLOCK, -(-last // BLOCK))
        places = np.add.reduceat(counts, np.arange(0, last - first, BLOCK))  # of each block
        values = unpack(
            arrays["rows"], arrays["row_starts"][blocks], arrays["row_widths"][blocks],
            np.cumsum(places),
        )  # fmt: skip
        positions, ordinals = np.divmod(values, np.maximum(forms, 1)[of_row])
        row = int(arrays["follow_starts"][first // BLOCK])
        yield _Part(
            terms, docs, counts, positions, pair_of_form[first_form[of_row] + ordinals],
            arrays["follows"][row : row + len(values)],
        )  # fmt: skip


def _pairs(segment: Segment) -> tuple[Ints, Ints]:
    """Number the pairs of term and form in the order of `lemmas`.

    Returns:
        The form of each; and the numbers in the order of `term_forms`.
    """
    having = _sizes(segment.arrays["lemma_ends"])
    form = np.repeat(np.arange(len(having)), having)
    return form, np.lexsort((form, segment.arrays["lemmas"]))


def _words(segment: Segment, there: Bools, new: Array, is_used: Bools) -> Vocabulary:
    """Return the words of the articles that count.

    Args:
        segment: that they are in.
        there: which terms they have.
        new: the numbers of these.
        is_used: which pairs of term and form they have; any other becomes one of those.
    """
    which = np.where(is_used, np.arange(len(is_used)), is_used.argmax() if len(is_used) else 0)
    which = which if is_used.any() else which[:0]
    form = _pairs(segment)[0][which]
    has_form = np.zeros(len(segment.forms), bool)
    has_form[form] = True
    number = np.cumsum(has_form) - 1
    return Vocabulary(
        plain_arrays([*compress(_listed(segment, "terms"), there)]),
        plain_arrays([*compress(_listed(segment, "forms"), has_form)]),
        new[segment.arrays["lemmas"][which]].astype(np.int32),
        number[form].astype(np.int32),
    )


def _listed(segment: Segment, name: str) -> Iterator[bytes]:
    whole, ends = segment.arrays[f"{name}.bytes"].tobytes(), segment.arrays[f"{name}.ends"].tolist()
    return (whole[start:end] for start, end in pairwise([0, *ends]))


def _records(segment: Segment, living: Ints) -> Iterator[Array]:
    records = segment.arrays["records"]
    starts = segment.arrays["record_starts"]
    sizes = segment.arrays["record_sizes"]
    for first in range(0, len(living), STEP):
        numbers = living[first : first + STEP]
        bounds = zip(starts[numbers].tolist(), sizes[numbers].tolist(), strict=True)
        every = b"".join([records[start : start + size].tobytes() for start, size in bounds])
        yield np.frombuffer(every, np.uint8)
