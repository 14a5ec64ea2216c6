"""Postings: they are written as a segment has them, with their places and champions."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.arrays import Array, Growing, changes
from searchkit.codec.champions import Forms, champions, worths_of
from searchkit.codec.parts import Part
from searchkit.codec.segment import BLOCK, CHAMPIONS, DENSE, FORM_CHAMPIONS, FREQUENT, ODD
from searchkit.kernel import kernel

Ints = NDArray[np.int64]

MANY = 1 << 20  # postings, whose arrays are not copied


class Postings:
    """Writes postings and places as a segment has them, in order, a part at a time."""

    def __init__(self, out: Growing, articles: dict[str, Array]) -> None:
        self.articles = articles
        self._out = out
        self._done = self._bytes = self._places = 0  # postings, bytes of rows, places in them
        self._counts = np.empty(0, np.uint32)  # these two of a block that is not yet full
        self._values = np.empty(0, np.uint64)
        self._chunks: list[Array] = []  # of each part the terms of its chunks
        self._best: tuple[int, Array] = -1, np.empty(0, np.uint64)
        self._crowned: list[Array] = []  # of the terms before in this part
        none = np.empty((0, FORM_CHAMPIONS), np.uint64)
        self._forms = Forms(np.empty(0, np.int64), np.empty(0, np.uint32), none)  # not yet written

    def copying(
        self, records: Iterator[Array], size: int, postings: int, places: int
    ) -> Callable[[], None]:
        """Make room for so many bytes, postings and places; return what copies the records.

        A few need no room. The records are most of what is written: they go to the disk meanwhile.
        """
        if postings <= MANY:
            self._out.put("records", records)
            return lambda: None
        self._out.room("records", "|u1", size)
        self._out.room("lows", "<u2", postings)
        self._out.room("codes", "|u1", postings)
        self._out.room("follows", "|u1", places)
        self._out.room("rows", "|u1")

        def copy() -> None:
            for part in records:
                self._out.append("records", part)
            self._out.hasten("records")

        return copy

    def add(self, part: Part, having: Ints) -> None:
        """Write a part; `having` is how many postings each term has in all."""
        texts = part.counts - part.titles
        codes = texts << np.uint32(3) | part.leads << np.uint32(2) | part.titles
        odd = ((part.titles > 3) | (codes >= ODD)).nonzero()[0]
        codes[odd] = ODD
        self._out.append("lows", (part.docs & 0xFFFF).astype("<u2"))
        self._out.append("codes", codes.astype("|u1"))
        self._out.append("odd", (odd + self._done).astype("<u8"))
        self._out.append("odd_titles", part.titles[odd].astype("<u4"))
        odd_texts = texts[odd] << np.uint32(1) | part.leads[odd]
        self._out.append("odd_texts", odd_texts.astype("<u4"))
        self._out.append("follows", part.follows)
        self._add_chunks(part)
        self._crown(part, having)
        self._done += len(part.docs)
        self._counts = np.concatenate([self._counts, part.counts])
        self._values = np.concatenate([self._values, part.values])
        self._pack(len(self._counts) // BLOCK * BLOCK)

    def close(self, having: Ints) -> None:
        """Write what comes last."""
        self._pack(len(self._counts))
        self._crown_last()
        self._write_crowned()
        self._write_forms()
        self._out.append("frequent", (having > FREQUENT).nonzero()[0].astype("<u4"))
        self._out.append("rows", np.zeros(8, "|u1"))  # so that a number is read as 8 bytes
        ends = np.searchsorted(np.concatenate(self._chunks), np.arange(len(having)), "right")
        self._out.append("chunk_ends", ends.astype("<u4"))

    def _add_chunks(self, part: Part) -> None:
        keys = part.docs >> np.uint32(16)
        is_new = changes(part.terms) | changes(keys)
        last = np.append(is_new.nonzero()[0][1:] - 1, len(keys) - 1)
        last = last[: len(keys)]
        before = self._out.length("chunk_keys")
        self._chunks.append(part.terms[last])
        self._out.append("chunk_keys", keys[last].astype("<u2"))
        self._out.append("posting_ends", (last + 1 + self._done).astype("<u8"))
        dense = (np.diff(last, prepend=-1) > DENSE).nonzero()[0]
        self._out.append("dense", (dense + before).astype("<u4"))
        bits = [np.zeros(0, "|u1")]
        for which in dense.tolist():
            inside = np.zeros(1 << 16, bool)
            first = last[which - 1] + 1 if which else 0
            inside[part.docs[first : last[which] + 1] & 0xFFFF] = True
            bits.append(np.packbits(inside, bitorder="little"))
        self._out.append("bits", np.concatenate(bits))

    def _crown(self, part: Part, having: Ints) -> None:
        """Keep the best postings of each frequent term once more, the best first."""
        bounds = np.append(changes(part.terms).nonzero()[0], len(part.terms))
        terms = part.terms[bounds[:-1]]
        for which in (having[terms] > FREQUENT).nonzero()[0].tolist():
            here, term = slice(bounds[which], bounds[which + 1]), int(terms[which])
            if term != self._best[0]:
                self._crown_last()
            earlier = self._best[1] if term == self._best[0] else self._best[1][:0]
            found = np.concatenate([earlier, champions(part.worths[here], part.docs[here])])
            self._best = term, np.sort(found)[:CHAMPIONS]
        self._write_crowned()

    def _crown_last(self) -> None:
        self._crowned.append(self._best[1])

    def _write_crowned(self) -> None:
        best = np.concatenate([np.empty(0, np.uint64), *self._crowned])
        self._crowned = []
        self._out.append("champions", best.astype("<u4"))
        self._out.append("worths", worths_of(best))

    def add_forms(self, forms: Forms) -> None:
        """Keep the champions of forms; a term may have been in the part before, too."""
        last = self._forms
        if not len(forms.pairs):
            return
        if np.array_equal(last.pairs, forms.pairs):
            best = np.concatenate([last.best, forms.best], axis=1)
            best = np.sort(best, axis=1)[:, :FORM_CHAMPIONS]
            self._forms = Forms(forms.pairs, last.having + forms.having, best)
            return
        self._write_forms()
        self._forms = forms

    def _write_forms(self) -> None:
        pairs, having, best = self._forms
        best = np.sort(best, axis=1).ravel()
        self._out.append("crowned", pairs.astype("<u4"))
        self._out.append("crowned_having", having.astype("<u4"))
        self._out.append("form_champions", best.astype("<u4"))
        self._out.append("form_worths", worths_of(best))

    def _pack(self, postings: int) -> None:
        """Write the places of the first of the postings that wait: whole blocks, or the last."""
        blocks = np.arange(0, postings, BLOCK)
        ends = np.cumsum(np.add.reduceat(self._counts[:postings], blocks, dtype=np.int64))
        places = int(ends[-1]) if len(ends) else 0
        packed, starts, widths = pack(self._values[:places], ends)
        self._out.append("rows", packed)
        self._out.append("row_starts", (starts + self._bytes).astype("<u8"))
        self._out.append("row_widths", widths)
        self._out.append("follow_starts", (np.append(0, ends)[:-1] + self._places).astype("<u8"))
        self._bytes += len(packed)
        self._places += places
        self._counts, self._values = self._counts[postings:], self._values[places:]


def pack(values: Array, ends: Ints) -> tuple[Array, Ints, Array]:
    """Write numbers with as many bits as the largest of their block needs, low bits first.

    Args:
        values: 0 or more, below 1 << 53; uint64.
        ends: where each block ends, ascending; none is empty.

    Returns:
        The bytes; where each block begins in them; how many bits its numbers have.

    >>> pack(np.array([1, 2, 3, 7], np.uint64), np.array([3, 4]))
    (array([57,  7], dtype=uint8), array([0, 1]), array([2, 3], dtype=uint8))
    """
    sizes = np.diff(ends, prepend=0)
    if not len(sizes):
        return np.empty(0, np.uint8), ends, np.empty(0, np.uint8)
    if kernel:
        packed, widths = (np.frombuffer(each, np.uint8) for each in kernel.pack(values, ends))
        return packed, _starts(sizes, widths)[0], widths
    widths = np.frexp(np.maximum.reduceat(values, ends - sizes).astype(np.float64))[1]
    starts, end = _starts(sizes, widths)
    nth = np.arange(len(values)) - np.repeat(ends - sizes, sizes)
    bits = np.repeat(starts * 8, sizes) + nth * np.repeat(widths, sizes)
    words = np.zeros(end // 8 + 2, np.uint64)
    shifts = (bits & 63).astype(np.uint64)
    where = bits >> 6
    first = np.append(0, (where[1:] != where[:-1]).nonzero()[0] + 1)
    words[where[first]] = np.bitwise_or.reduceat(values << shifts, first)
    over = (shifts > 0).nonzero()[0]  # what a word has no room for goes to the next
    np.bitwise_or.at(words, where[over] + 1, values[over] >> (np.uint64(64) - shifts[over]))
    return words.view(np.uint8)[:end], starts, widths.astype(np.uint8)


def unpack(packed: Array, starts: Array, widths: Array, ends: Ints) -> Ints:
    """Return the numbers that `pack` has written.

    Args:
        packed: the bytes, and 8 more.
        starts: where each block begins in them.
        widths: how many bits its numbers have.
        ends: where each block ends in what is returned.

    >>> packed = np.array([57, 7, 0, 0, 0, 0, 0, 0, 0, 0], np.uint8)
    >>> unpack(packed, np.array([0, 1]), np.array([2, 3]), np.array([3, 4]))
    array([1, 2, 3, 7])
    """
    sizes = np.diff(ends, prepend=0)
    wide = np.repeat(widths.astype(np.int64), sizes)
    bits = wide * (np.arange(len(wide)) - np.repeat(ends - sizes, sizes))
    bits += np.repeat(starts.astype(np.int64) * 8, sizes)
    words = np.ndarray(max(len(packed) - 7, 0), "<i8", packed.data, 0, (1,))
    values: Ints = words[bits >> 3] >> (bits & 7) & ((1 << wide) - 1)
    return values


def _starts(sizes: Ints, widths: Array) -> tuple[Ints, int]:
    """Return where blocks of so many numbers of so many bits begin, and where the last ends."""
    ends = np.cumsum((sizes * widths.astype(np.int64) + 7) // 8)
    return np.append(0, ends[:-1]), int(ends[-1])
