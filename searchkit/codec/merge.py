"""Merge: the runs of all processes become one segment.

The vocabularies of the processes are put in order, articles are numbered from the newest on,
and the runs are merged, one range of terms at a time, straight into the mapped file of the
segment. Memory is bounded by the width of a range and the number of distinct words.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from searchkit.analysis.arrays import slices
from searchkit.codec.arrays import Array, Arrays, read, writing
from searchkit.codec.runs import Vocabulary
from searchkit.codec.segment import CHAMPIONS, FREQUENT, LEVELS
from searchkit.codec.strings import string_arrays
from searchkit.generations import Averages
from searchkit.query.rank import K1, saturate, weigh

Ints = NDArray[np.int64]

THREADS = 2  # that merge; more of them wait for memory rather than for a processor


@dataclass
class _Run:
    """A run, its terms numbered as in the whole segment, its articles likewise.

    There may be a thousand of them: what is kept in memory is 8 bytes a term.

    Attributes:
        terms: ascending.
        places: where each of them is among the terms of the file.
        ordinal_of_pair: of each pair of the process the form's number among those of its term.
        numbers: of the articles.
        articles: how many there are in the whole segment.
    """

    arrays: Arrays
    terms: Array
    places: Array
    ordinal_of_pair: Array
    numbers: Array
    articles: int = 0

    def sizes(self, array: str, places: Array) -> tuple[Ints, Ints]:
        """Return where the postings or rows of some terms begin, and how many they are."""
        firsts = self.arrays[array]
        first = firsts[places].astype(np.int64)
        return first, firsts[places + 1] - first


def merge_runs(
    made: Sequence[tuple[Sequence[Path], Vocabulary]],
    dictionary: bytes,
    path: Path,
    averages: Averages | None,
    *,
    at_once: int,
) -> Averages:
    """Merge the runs of some processes, each with its vocabulary, into a segment's file.

    Args:
        made: for each process the files of its runs, and its words.
        dictionary: of the records.
        path: where the segment goes.
        averages: those to rank by; None for those of these articles.
        at_once: how many rows each thread holds in memory.

    Returns:
        The averages that the segment's codes were computed with: those given or, without them,
        those of these articles.
    """
    terms, forms, maps = _vocabulary([vocabulary for _, vocabulary in made])
    runs = [
        _open_run(run, of_term, ordinals)
        for (paths, _), (of_term, ordinals) in zip(made, maps, strict=True)
        for run in paths
    ]
    articles = _number(runs)
    averages = averages or Averages(
        float(articles["title_words"].mean()), float(articles["text_words"].mean())
    )
    sizes = np.zeros((2, len(terms)), np.int64)  # postings and rows of each term
    largest = np.zeros(2, np.int64)  # position, count
    for run in runs:
        sizes[0, run.terms] += run.sizes("first_posting", run.places)[1]
        sizes[1, run.terms] += run.sizes("first_row", run.places)[1]
        largest = np.maximum(largest, run.arrays["largest"])
    frequent = (sizes[0] > FREQUENT).nonzero()[0]
    small = {
        **{f"terms.{name}": array for name, array in string_arrays(terms).items()},
        **{f"forms.{name}": array for name, array in string_arrays(list(forms)).items()},
        "form_terms": np.array([term for term, _ in forms.values()], "<u4"),
        "form_ordinals": np.array([ordinal for _, ordinal in forms.values()], "<u4"),
        "posting_ends": _fitting(np.cumsum(sizes[0])),
        "place_ends": _fitting(np.cumsum(sizes[1])),
        "frequent": frequent.astype("<u4"),
        "dictionary": np.frombuffer(dictionary, np.uint8),
        **articles,
    }
    ordinals = max((int(run.ordinal_of_pair.max(initial=0)) for run in runs), default=0)
    postings, rows = (int(total) for total in sizes.sum(axis=1))
    large = {
        "docs": ("<u4", postings),
        "codes": ("<u2", postings),
        "counts": (_fit(int(largest[1])), postings),
        "positions": (_fit(int(largest[0])), rows),
        "ordinals": (_fit(ordinals), rows),
        "champion_docs": ("<u4", len(frequent) * CHAMPIONS),
        "champion_codes": ("<u2", len(frequent) * CHAMPIONS),
        "records": ("|u1", sum(len(run.arrays["records"]) for run in runs)),
    }
    shapes = {name: (array.dtype.str, len(array)) for name, array in small.items()} | large
    with writing(path, shapes) as out:
        for name, array in small.items():
            out[name][:] = array
        _copy_records(runs, out)
        _merge(runs, terms, sizes, averages, out, at_once=at_once)
        _crown(frequent, np.cumsum(sizes[0]), out)
    return averages


def _vocabulary(
    vocabularies: Sequence[Vocabulary],
) -> tuple[list[bytes], dict[bytes, tuple[int, int]], list[tuple[Ints, Array]]]:
    """Put the words of all processes in order.

    Returns:
        The terms, sorted; of each form, sorted, a term and its number among that term's forms;
        and for each process its terms' numbers and its pairs' form numbers.
    """
    every = sorted({term.encode() for terms, _ in vocabularies for term in terms})
    number = {term: i for i, term in enumerate(every)}
    forms = sorted({form.encode() for _, pairs in vocabularies for _, form in pairs})
    rank = {form: i for i, form in enumerate(forms)}
    of_terms = [
        np.array([number[term.encode()] for term in terms], np.int64) for terms, _ in vocabularies
    ]
    keys = [
        of_term[[term for term, _ in pairs]] << 32
        | np.array([rank[form.encode()] for _, form in pairs], np.int64)
        for of_term, (_, pairs) in zip(of_terms, vocabularies, strict=True)
    ]
    distinct = np.unique(np.concatenate(keys))
    owner = distinct >> 32
    ordinal = np.arange(len(distinct)) - np.searchsorted(owner, owner)
    form, where = np.unique(distinct & 0xFFFFFFFF, return_index=True)  # any term that has it
    found = {
        forms[i]: (term, place)
        for i, term, place in zip(
            form.tolist(), owner[where].tolist(), ordinal[where].tolist(), strict=True
        )
    }
    ordinals = [ordinal[np.searchsorted(distinct, each)] for each in keys]
    return every, found, list(zip(of_terms, ordinals, strict=True))


def _open_run(path: Path, of_term: Ints, ordinals: Array) -> _Run:
    arrays = read(path)
    terms = of_term[arrays["terms"]].astype(np.uint32)
    order = np.argsort(terms).astype(np.uint32)  # from that in which words were met
    return _Run(arrays, terms[order], order, ordinals, np.empty(0, np.uint32))


def _number(runs: Sequence[_Run]) -> dict[str, Array]:
    """Number articles from the newest on, those without a date last; return their columns."""
    columns = {
        name: np.concatenate([run.arrays[name] for run in runs])
        for name in ("title_words", "text_words", "first", "last", "sizes")
    }
    order = np.argsort(-columns["first"].astype(np.int64), kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    done = 0
    for run in runs:
        size = len(run.arrays["first"])
        run.numbers = number[done : done + size].astype(np.uint32)
        run.articles = len(number)
        done += size
    sizes = columns.pop("sizes").astype(np.int64)
    ends = np.cumsum(sizes)
    hashes = {
        name: np.concatenate([run.arrays[name] for run in runs]).reshape(-1, 16)[order]
        for name in ("ids", "digests")
    }
    lead = hashes["ids"][:, :8].copy().view(">u8").ravel()
    return {
        **{name: column[order] for name, column in columns.items()},
        "record_starts": (ends - sizes)[order].astype("<u8"),
        "record_sizes": sizes[order].astype("<u4"),
        **{name: hashed.ravel() for name, hashed in hashes.items()},
        "id_order": np.argsort(lead, kind="stable").astype("<u4"),
    }


def _copy_records(runs: Sequence[_Run], out: Arrays) -> None:
    done = 0
    for run in runs:
        records = run.arrays["records"]
        out["records"][done : done + len(records)] = records
        done += len(records)
        run.arrays.release()
        out.release()


def _merge(
    runs: Sequence[_Run],
    terms: Sequence[bytes],
    sizes: Ints,
    averages: Averages,
    out: Arrays,
    *,
    at_once: int,
) -> None:
    """Fill postings and places, one range of terms after the other."""
    is_text = np.array([term[0] >= 0x20 for term in terms], bool)

    def fill(piece: _Piece) -> None:
        part = _gather(runs, piece)
        here = slice(piece.posting, piece.posting + len(part.docs))
        out["docs"][here] = part.docs
        out["counts"][here] = part.counts
        out["codes"][here] = _codes(part, is_text[part.terms], averages, out)
        there = slice(piece.row, piece.row + len(part.positions))
        out["positions"][there] = part.positions
        out["ordinals"][there] = part.ordinals
        for arrays in (out, *(run.arrays for run in runs)):
            arrays.release()

    with ThreadPoolExecutor(THREADS) as threads:  # NumPy lets go of the interpreter's lock
        work = _pieces(runs, sizes, len(out["first"]), at_once)
        for done in [threads.submit(fill, piece) for piece in work]:
            done.result()


class _Piece(NamedTuple):
    """A range of terms and one of articles, and where their postings and rows begin."""

    begin: int
    end: int
    low: int
    high: int
    posting: int
    row: int


def _pieces(runs: Sequence[_Run], sizes: Ints, articles: int, at_once: int) -> Iterator[_Piece]:
    """Yield pieces of work of some `at_once` rows.

    They have all articles, but for those of a term that has too many rows by itself.
    """
    posting_ends, row_ends = np.cumsum(sizes[0]), np.cumsum(sizes[1])
    begin = at = row = 0
    while begin < len(row_ends):
        end = max(int(np.searchsorted(row_ends, row + at_once, "right")), begin + 1)
        parts = 1 if end - begin > 1 else max(1, int(sizes[1, begin]) // at_once)
        bounds = [articles * part // parts for part in range(parts + 1)]
        for low, high in pairwise(bounds):
            yield (piece := _Piece(begin, end, low, high, at, row))
            if parts > 1:
                part = _gather(runs, piece)
                at, row = at + len(part.docs), row + len(part.positions)
        begin, at, row = end, int(posting_ends[end - 1]), int(row_ends[end - 1])


@dataclass
class _Part:
    """Postings of a range of terms, sorted by term and article, and their places."""

    terms: Ints
    docs: Ints
    counts: Ints
    positions: Ints
    ordinals: Ints


def _gather(runs: Sequence[_Run], piece: _Piece) -> _Part:
    """Take a piece from every run."""
    columns: list[list[Array]] = [[], [], [], [], []]
    shift = 0
    for run in runs:
        here = slice(*np.searchsorted(run.terms, np.array([piece.begin, piece.end], np.uint32)))
        posting, which = slices(*run.sizes("first_posting", run.places[here]))
        row, _ = slices(*run.sizes("first_row", run.places[here]))
        counts = run.arrays["counts"][posting].astype(np.int64)
        numbers = run.numbers[run.arrays["docs"][posting]].astype(np.int64)
        terms = run.terms[here][which].astype(np.int64)
        if piece.high - piece.low < run.articles:
            inside = (numbers >= piece.low) & (numbers < piece.high)
            row = row[np.repeat(inside, counts)]
            counts, numbers, terms = counts[inside], numbers[inside], terms[inside]
        new = (
            terms << 32 | numbers,
            counts,
            np.cumsum(counts) - counts + shift,
            run.arrays["positions"][row],
            run.ordinal_of_pair[run.arrays["pairs"][row]],
        )
        shift += len(row)
        for column, array in zip(columns, new, strict=True):
            column.append(array)
    keys, counts, first, positions, ordinals = (np.concatenate(column) for column in columns)
    order = np.argsort(keys)
    row, _ = slices(first[order], counts[order])
    keys = keys[order]
    return _Part(keys >> 32, keys & 0xFFFFFFFF, counts[order], positions[row], ordinals[row])


def _codes(part: _Part, is_text: Array, averages: Averages, out: dict[str, Array]) -> Array:
    """Return what each posting is worth: `saturate`, from 0 to k1 + 1, in LEVELS steps."""
    title_words = out["title_words"][part.docs].astype(np.float64)
    text_words = out["text_words"][part.docs].astype(np.float64)
    in_title = part.positions < np.repeat(title_words, part.counts)
    ends = np.cumsum(part.counts)
    titled = np.add.reduceat(in_title.astype(np.int64), ends - part.counts) if len(ends) else ends
    worth = np.where(
        is_text,
        weigh("title", titled.astype(float), title_words, averages.title)
        + weigh("text", (part.counts - titled).astype(float), text_words, averages.text),
        part.counts,
    )
    return np.maximum(np.rint(saturate(worth) * (LEVELS / (K1 + 1))), 1).astype("<u2")


def _crown(frequent: Ints, ends: Ints, out: dict[str, Array]) -> None:
    """Keep the best postings of each frequent term once more, the best first."""
    for place, term in enumerate(frequent.tolist()):
        first = int(ends[term - 1]) if term else 0
        codes = out["codes"][first : int(ends[term])]
        docs = out["docs"][first : int(ends[term])]
        order = (LEVELS - codes.astype(np.uint64)) << np.uint64(32) | docs
        best = np.sort(np.partition(order, CHAMPIONS - 1)[:CHAMPIONS])
        here = slice(place * CHAMPIONS, (place + 1) * CHAMPIONS)
        out["champion_docs"][here] = best & np.uint64(0xFFFFFFFF)
        out["champion_codes"][here] = LEVELS - (best >> np.uint64(32))


def _fit(largest: int) -> str:
    """Return the narrowest dtype that holds a number."""
    return "|u1" if largest < 1 << 8 else "<u2" if largest < 1 << 16 else "<u4"


def _fitting(ends: Ints) -> Array:
    return ends.astype("<u4" if not len(ends) or ends[-1] < 1 << 32 else "<u8")
