"""Many strings as arrays: sorted, so that a prefix is one slice, and hashed, to find one.

    bytes     their UTF-8, one after the other, in the order of the bytes
    ends      where each ends in `bytes`
    buckets   hash bucket b has the numbers `order[buckets[b] : buckets[b + 1]]`
    order     the strings' numbers by CRC-32, low bits first

>>> strings = Strings(string_arrays([b"dim", b"dity", b"mir"]))
>>> strings.find(b"mir"), strings.find(b"war"), strings.prefixed(b"di"), strings[1]
(2, -1, (0, 2), b'dity')
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from searchkit.codec.arrays import Array, Arrays
from searchkit.kernel import kernel

Sure = Callable[[str, int, int], None]


def string_arrays(strings: Sequence[bytes]) -> dict[str, Array]:
    """Return the arrays of some strings, which are distinct and sorted."""
    return _hashed(strings, _hashes(strings))


def _hashes(strings: Sequence[bytes]) -> Array:
    return np.fromiter(map(zlib.crc32, strings), np.uint32, len(strings))


def _hashed(strings: Sequence[bytes], hashes: Array) -> dict[str, Array]:
    size = 1 << max(len(strings) - 1, 1).bit_length()
    buckets = hashes & np.uint32(size - 1)
    return {
        **plain_arrays(strings),
        "buckets": np.searchsorted(np.sort(buckets), np.arange(size + 1)).astype("<u4"),
        "order": np.argsort(buckets, kind="stable").astype("<u4"),
    }


class Sorted(NamedTuple):
    """Strings in order, each once.

    Attributes:
        arrays: what `string_arrays` makes of them.
        hashes: the CRC-32 of each; uint32.
        numbers: of each list of strings that was sorted, in its order, their numbers; int64.
    """

    arrays: dict[str, Array]
    hashes: Array
    numbers: list[Array]

    def letters(self, which: int) -> Array:
        """Return the first byte of each string, with -1 the last; none may be empty."""
        ends = self.arrays["ends"].astype(np.int64)
        found: Array = self.arrays["bytes"][np.append(0, ends[:-1]) if which >= 0 else ends - 1]
        return found


def in_order(lists: Sequence[Mapping[str, Array]]) -> Sorted:
    """Sort all strings in some lists, which are as `plain_arrays`."""
    if kernel:
        own, numbers = kernel.sort_strings([(each["bytes"], each["ends"]) for each in lists])
        kinds = ("|u1", "<u4", "<u4", "<u4", "<u4")
        made = (np.frombuffer(each, kind) for each, kind in zip(own, kinds, strict=True))
        text, ends, hashes, buckets, order = made
        arrays = {"bytes": text, "ends": ends, "buckets": buckets, "order": order}
        lasts = np.cumsum([len(each["ends"]) for each in lists])
        of_lists = np.split(np.frombuffer(numbers, np.int64), lasts)[: len(lists)]
        return Sorted(arrays, hashes, of_lists)
    every = [list(map(Strings(each).__getitem__, range(len(each["ends"])))) for each in lists]
    strings = sorted(set().union(*every))
    number = dict(zip(strings, range(len(strings)), strict=True))
    hashes = _hashes(strings)
    of_lists = [np.fromiter(map(number.__getitem__, each), np.int64) for each in every]
    return Sorted(_hashed(strings, hashes), hashes, of_lists)


def plain_arrays(strings: Sequence[bytes]) -> dict[str, Array]:
    """Return the arrays of strings that are reached by their number only."""
    return {
        "bytes": np.frombuffer(b"".join(strings), np.uint8),
        "ends": np.cumsum([len(string) for string in strings], dtype="<u4"),
    }


class Strings:
    """The strings of `string_arrays`; `named` takes them from a file by a common prefix.

    Of what it reads it asks `sure` first: name of the array, first item, end.
    """

    def __init__(self, arrays: Mapping[str, Array], sure: Sure = lambda *_: None) -> None:
        self._sure = sure
        self._bytes = arrays["bytes"].data
        # Python reads single items of a memory view five times as fast as those of an array.
        self._ends = arrays["ends"].data
        self._buckets = arrays["buckets"].data if "buckets" in arrays else None
        self._order = arrays["order"].data if "order" in arrays else None
        self._mask = len(self._buckets) - 2 if self._buckets is not None else 0
        self._by_size: dict[int, tuple[Array, Array]] = {}

    @classmethod
    def named(cls, name: str, arrays: Arrays) -> "Strings":
        """Take the strings whose arrays are called `name.bytes`, `name.ends` and so on."""
        start = f"{name}."

        def sure(name: str, first: int, end: int) -> None:
            arrays.sure(start + name, first, end)

        own = {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}
        return cls(own, sure)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> bytes:
        self._sure("ends", number - 1 if number else 0, number + 1)
        start, end = self._ends[number - 1] if number else 0, self._ends[number]
        self._sure("bytes", start, end)
        return bytes(self._bytes[start:end])

    def find(self, string: bytes) -> int:
        """Return the number of a string; -1 if it is not there."""
        if not self._ends or self._buckets is None or self._order is None:
            return -1
        bucket = zlib.crc32(string) & self._mask
        self._sure("buckets", bucket, bucket + 2)
        first, end = self._buckets[bucket], self._buckets[bucket + 1]
        self._sure("order", first, end)
        for number in self._order[first:end]:
            if self[number] == string:
                return int(number)
        return -1

    @cached_property
    def sizes(self) -> Array:
        """How many bytes each string has; int32."""
        self._sure("ends", 0, len(self))
        return np.diff(np.asarray(self._ends).astype(np.int32), prepend=np.int32(0))

    def of_size(self, size: int) -> tuple[Array, Array]:
        """Return the numbers of the strings of so many bytes, and the `letters_of` each."""
        if size not in self._by_size:
            numbers = (self.sizes == size).nonzero()[0]
            self._sure("bytes", 0, len(self._bytes))
            starts = np.asarray(self._ends)[numbers].astype(np.int64) - size
            letters = np.zeros(len(numbers), np.uint64)
            for at in range(size if len(numbers) else 0):  # none is as long as what may be typed
                letters |= _BITS[np.asarray(self._bytes)[starts + at]]
            self._by_size[size] = numbers, letters
        return self._by_size[size]

    def prefixed(self, prefix: bytes) -> tuple[int, int]:
        """Return the first number of the strings that begin like this, and the one past them."""
        size = len(prefix)
        first = self._bisect(lambda string: string < prefix)
        return first, self._bisect(lambda string: string[:size] <= prefix)

    def _bisect(self, is_before: Callable[[bytes], bool]) -> int:
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if is_before(self[middle]):
                low = middle + 1
            else:
                high = middle
        return low


# The last six bits of a byte tell the letter; the first byte of a Cyrillic letter tells nothing.
_BITS = np.where(np.arange(256) < 0xC0, np.uint64(1) << (np.arange(256) & 63).astype(np.uint64), 0)
_BITS = _BITS.astype(np.uint64)


def letters_of(string: bytes) -> np.uint64:
    """Return which letters a string has, a bit for each; several letters may share one.

    >>> int(letters_of("дід".encode())).bit_count()
    2
    """
    return np.bitwise_or.reduce(_BITS[np.frombuffer(string, np.uint8)])  # type: ignore[no-any-return]
