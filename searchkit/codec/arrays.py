r"""One file that holds named arrays: written once, mapped into memory for reading.

    offset  bytes  what
         0      8  b"srchkit" and the format version, one byte
         8      8  where the table is, little-endian
        16      4  its length
        20      4  its CRC-32
        64      ?  the arrays, little-endian, each at a multiple of 64
         ?      ?  the table: JSON, {name: [dtype, length, offset]}

The last of the arrays, "sums", has the CRC-32 of each BLOCK of bytes from the first of the file to
where it begins itself (the first 64 left out), and the table has its own. A file may be many times
as large as what is asked for, so it is not read whole before it is used: each block is checked
when something in it is first asked for (`Arrays.sure`), once in the life of an `Arrays`.

>>> import tempfile; path = Path(tempfile.mkdtemp(), "example.arrays")
>>> write(path, {"ids": np.array([3, 1, 2], "<u2")})
>>> written = path.read_bytes()
>>> written[:24].hex(" ", 4)
'73726368 6b697403 84000000 00000000 3c000000 97dac57c'
>>> written[64:70].hex(" ")
'03 00 01 00 02 00'
>>> written[128:132].hex(" "), written[132:]
('e7 e8 6e c7', b'{"ids": ["<u2", 3, 64], "sums": ["<u4", 1, 128, "336336bf"]}')
>>> read(path).whole("ids")
array([3, 1, 2], dtype=uint16)
"""

import json
import mmap
import os
import re
import stat
import struct
import zlib
from collections.abc import Iterable, Mapping
from io import BufferedReader
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from searchkit.errors import CorruptIndex, IndexUnusable
from searchkit.kernel import kernel

VERSION = 3
BLOCK = 4096  # bytes that are checked together: what a system reads at least

_MAGIC = b"srchkit" + bytes([VERSION])
_HEAD = struct.Struct("<8sQII")
HEAD_CRC = 20  # where in the head the CRC-32 of the table is
_ALIGN = 64  # bytes; the head has as many
_STEP = 1 << 24  # bytes copied or checked at once
_AT_ONCE = 1 << 18  # bytes that are read before they are checked
_SUMS = "sums"
_MANY = 16  # blocks that are sooner looked at together than one by one
_LARGEST = 1 << 20  # bytes of a table; none of ours has a hundredth
_KIND = re.compile(r"[<|][uif][1248]", re.ASCII)

# How a file is opened that may lead elsewhere, or be a pipe, which may keep a reader waiting.
PLAIN = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

Array = NDArray[Any]


class _Place(NamedTuple):
    """Where an array is in the file; `crc` is that of the sums."""

    dtype: str
    length: int
    offset: int
    crc: str | None = None


Table = dict[str, _Place]


class Arrays(dict[str, Array]):
    """The arrays of one file, by their names: as they lie there, unchecked.

    Who reads them says before of which part to be `sure`, or takes the `whole`.

    Attributes:
        path: of the file.
        checks: the whole file, its sums, and for each of its blocks a byte that is not 0 if the
            block was found to be as it was written; for the kernel, which checks, too.
    """

    def __init__(self, path: Path, mapped: mmap.mmap, table: Table) -> None:
        self.path, self._mapped, self._table = path, mapped, table
        for name, (dtype, length, at, _) in table.items():
            empty = np.empty(0, dtype)
            self[name] = np.frombuffer(mapped, dtype, length, at) if length else empty
        sums = self.pop(_SUMS)
        self._sizes = {name: (place.offset, self[name].itemsize) for name, place in table.items()
                       if name != _SUMS}  # fmt: skip
        self._seen = bytearray(len(sums) + 1)  # one more, where an empty array may seem to be
        self.checks = memoryview(mapped), sums, self._seen
        self._sums = sums.data
        self._end = table[_SUMS].offset

    def sure(self, name: str, start: int, stop: int) -> None:
        """See that an array's items from `start` to `stop` - 1 are as they were written.

        Raises:
            CorruptIndex: they are not, or there are none.
        """
        offset, size = self._sizes[name]
        first, last = (offset + start * size) // BLOCK, (offset + stop * size - 1) // BLOCK
        if first == last and self._seen[first]:
            return
        if not 0 <= start <= stop <= len(self[name]):
            raise CorruptIndex(f"{self.path} is damaged: {name!r} has no item {stop}; {AGAIN}.")
        if last - first >= _MANY and 0 in self._seen[first : last + 1]:
            self._look_at_all(first, last)
            return
        for block in range(first, last + 1) if start < stop else ():
            if not self._seen[block]:
                self._look_at(block)

    def sure_at(self, name: str, items: Array) -> None:
        """See that some items of an array are as they were written; raises what `sure` does."""
        if not len(items):
            return
        offset, size = self._sizes[name]
        if int(items.max()) >= len(self[name]):
            raise CorruptIndex(f"{self.path} is damaged: {name!r} is too short; {AGAIN}.")
        blocks = (offset + items.astype(np.int64) * size) // BLOCK
        unseen = blocks[np.frombuffer(self._seen, np.uint8)[blocks] == 0]
        unseen = unseen[changes(unseen)]  # of items in order hardly any are left
        for block in sorted({*unseen.tolist()}):  # np.unique would import numpy.ma: 10 ms
            self._look_at(block)

    def whole(self, name: str) -> Array:
        """Return an array of which every byte is as it was written.

        Raises:
            CorruptIndex: it is not.
        """
        array = self[name]
        self.sure(name, 0, len(array))
        return array

    def all_sure(self) -> None:
        """See that every byte of the file is as it was written.

        It is read: where a disk fails that is an error, while of a mapped file it is a signal.

        Raises:
            CorruptIndex: names the first bytes that are not, as nearly as it is known.
            IndexUnusable: the disk fails.
        """
        buffer = memoryview(bytearray(_AT_ONCE))
        with open_plain(self.path) as file:
            for part in range(0, self._end, _AT_ONCE):
                try:
                    file.seek(part)
                    file.readinto(buffer)
                except OSError as error:
                    raise unreadable(self.path, error, (part, part + _AT_ONCE)) from None
                last = min(part + _AT_ONCE, self._end)
                start = max(part, _ALIGN)
                found = _sums_of(buffer[start - part : max(last, start) - part], start)
                for block, crc in enumerate(found, part // BLOCK):
                    if crc != self._sums[block]:
                        raise self.damage(block)
                    self._seen[block] = 1

    def see_size(self) -> None:
        """See that the file is as long as when it was mapped: what is gone cannot be asked for.

        Raises:
            CorruptIndex: somebody has cut it off. Nothing of searchkit does.
        """
        if (size := self._mapped.size()) < len(self._mapped):
            raise CorruptIndex(
                f"{self.path} was cut off at byte {size} while it was open; {AGAIN}."
            )

    def _bounds(self, block: int) -> tuple[int, int]:
        return max(block * BLOCK, _ALIGN), min((block + 1) * BLOCK, self._end)

    def _look_at(self, block: int) -> None:
        whole, _, seen = self.checks
        start, end = self._bounds(block)
        if zlib.crc32(whole[start:end]) != self._sums[block]:
            raise self.damage(block)
        seen[block] = 1

    def _look_at_all(self, first: int, last: int) -> None:
        whole, sums, seen = self.checks
        start, end = self._bounds(first)[0], self._bounds(last)[1]
        wrong = (
            np.array(_sums_of(whole[start:end], start), "<u4") != sums[first : last + 1]
        ).nonzero()[0]
        if len(wrong):
            raise self.damage(first + int(wrong[0]))
        seen[first : last + 1] = bytes([1]) * (last + 1 - first)

    def damage(self, block: int) -> CorruptIndex:
        """Make the error for a block that is not as it was written."""
        start, end = self._bounds(block)
        here = [
            name
            for name, (_, length, at, _) in self._table.items()
            if at < end and at + length * self[name].itemsize > start
        ] if block < len(self._sums) else []  # fmt: skip
        names = " or ".join(map(repr, here)) or "no array"
        return CorruptIndex(
            f"{self.path} is damaged between bytes {start} and {end} (in {names}); {AGAIN}."
        )

    def parts(self, wanted: Mapping[str, slice]) -> dict[str, Array]:
        """Read parts of some arrays, unchecked, into memory of their own.

        Of a mapped array the system keeps more in memory than was asked for, up to megabytes around
        each place; where little of many files is wanted, that adds up.
        """
        found = {}
        with self.path.open("rb", buffering=0) as file:
            for name, part in wanted.items():
                kind, _, at, _ = self._table[name]
                size = np.dtype(kind).itemsize
                file.seek(at + part.start * size)
                found[name] = np.frombuffer(file.read((part.stop - part.start) * size), kind)
        return found

    def release(self) -> None:
        """Give the memory back that holds what was read so far; the file has it."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)


AGAIN = "run `searchkit rebuild`, or go back with `searchkit rollback`"


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write a file of arrays. Syncing is the caller's.

    Raises:
        OSError: no room, no permission; the file is not complete then.
    """
    with Growing(path) as out:
        for name, array in arrays.items():
            out.put(name, [array])


class Growing:
    """A file of arrays whose lengths are not known before the last of their parts is there.

    Arrays are `put` whole, or grow part by part (`append`), each in a file of its own; these are
    put behind the others when the `with` block ends without an error. A large one may have a
    `room` in which it grows, so that it is not copied. Syncing is the caller's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._out = _Summed(path.open("wb"))
        self._table: dict[str, list[Any]] = {}
        self._files: dict[str, IO[bytes]] = {}
        self._rooms: dict[str, tuple[_Summed, int | None]] = {}

    def put(self, name: str, parts: Iterable[Array]) -> None:
        """Write a whole array, of one part or more."""
        at, length, kind = self._out.align(), 0, ""
        for part in parts:
            kind = part.dtype.str
            length += len(part)
            self._out.write(_bytes(part))
        self._table[name] = [kind, length, at]

    def room(self, name: str, kind: str, length: int | None = None) -> None:
        """Make room for an array of this dtype, which is going to grow.

        Args:
            name: of the array.
            kind: the dtype.
            length: how long it will be; None of the last, behind which nothing else may be put.
        """
        at = self._out.align(BLOCK)
        self._table[name] = [kind, 0, at]
        self._rooms[name] = _Summed(self._path.open("rb+"), at), length
        self._out.skip(-(-(length or 0) * np.dtype(kind).itemsize // BLOCK))

    def append(self, name: str, part: Array) -> None:
        """Put a part at the end of an array, of which it has the dtype."""
        if name not in self._table:
            self._table[name] = [part.dtype.str, 0, 0]
            self._files[name] = self._part(name).open("wb+")
        of_array = self._table[name]
        if part.dtype.str != of_array[0]:
            raise TypeError(f"{name} is {of_array[0]}, not {part.dtype.str}")
        of_array[1] += len(part)
        file = self._rooms[name][0] if name in self._rooms else self._files[name]
        file.write(_bytes(part))

    def hasten(self, name: str) -> None:
        """Have the system write to disk what is in a room by now; a sync then waits for less."""
        file = self._rooms[name][0].file
        file.flush()
        os.fsync(file.fileno())

    def length(self, name: str) -> int:
        """Return how long an array is by now."""
        return int(self._table[name][1]) if name in self._table else 0

    def _part(self, name: str) -> Path:
        return self._path.with_name(f"{self._path.name}.{name}.part")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            with self._out.file:
                if error is None:
                    self._finish()
        finally:
            for room, _ in self._rooms.values():
                room.file.close()
            for name, file in self._files.items():
                file.close()
                self._part(name).unlink(missing_ok=True)

    def _finish(self) -> None:
        out = self._out
        for name, (room, length) in self._rooms.items():
            if length not in {None, found := self._table[name][1]}:
                raise ValueError(f"{name} has {found} items, not {length}")
            out.take(room)
        for name, part in self._files.items():
            self._table[name][2] = out.align()
            part.seek(0)
            while data := part.read(_STEP):
                out.write(data)
        at = out.align()
        sums = np.array(out.finished(), "<u4").tobytes()
        self._table[_SUMS] = ["<u4", len(sums) // 4, at, f"{zlib.crc32(sums):08x}"]
        text = json.dumps(self._table).encode()
        out.file.write(sums + text)
        out.file.seek(0)
        out.file.write(_HEAD.pack(_MAGIC, at + len(sums), len(text), zlib.crc32(text)))


class _Summed:
    """A file, or a room in it, that is written from its beginning on, and the sums of its blocks.

    Attributes:
        file: where it is.
        first: the block that it begins with.
        at: where in the file the next byte goes.
        sums: of all its blocks that are full.
    """

    def __init__(self, file: IO[bytes], at: int = 0) -> None:
        self.file = file
        self.first, self.at, self._sum = at // BLOCK, at or _ALIGN, 0
        self.sums: list[int] = []
        file.seek(self.at)  # in the whole file there is room for the head

    def write(self, data: bytes | memoryview) -> int:
        """Write at the end."""
        self.file.write(data)
        first = min(-self.at % BLOCK, len(data))  # bytes that go to the block that was begun
        last = len(data) - (len(data) - first) % BLOCK
        with memoryview(data) as whole:
            self._add(whole[:first])
            self.sums += _sums_of(whole[first:last])
            self.at += last - first
            self._add(whole[last:])
        return len(data)

    def _add(self, part: memoryview) -> None:
        """Add bytes of one block to its sum."""
        self._sum = zlib.crc32(part, self._sum)
        self.at += len(part)
        if part and not self.at % BLOCK:
            self.sums.append(self._sum)
            self._sum = 0

    def align(self, to: int = _ALIGN) -> int:
        """Go on to where an array may begin; return where that is."""
        self.write(bytes(-self.at % to))
        return self.at

    def skip(self, blocks: int) -> None:
        """Leave room for whole blocks that are written by another, which `take` asks for."""
        self.sums += [0] * blocks
        self.at += blocks * BLOCK
        self.file.seek(self.at)

    def take(self, room: "_Summed") -> None:
        """Take what was written in a room, or behind all that is here."""
        room.align(BLOCK)
        self.sums[room.first : room.first + len(room.sums)] = room.sums
        self.at = max(self.at, room.at)
        self.file.seek(self.at)
        room.file.flush()

    def finished(self) -> list[int]:
        """Return the sums of all blocks, the last of which may not be full."""
        rest = [self._sum] if self.at % BLOCK and self.at > _ALIGN else []
        return self.sums + rest


def _sums_of(data: bytes | memoryview, at: int = 0) -> list[int]:
    """Return the sums of the blocks of bytes that lie in a file from a place on."""
    first = BLOCK - at % BLOCK
    if kernel:
        found: list[int] = np.frombuffer(kernel.checksums(data, first, BLOCK), np.uint32).tolist()
        return found
    ends = [*range(first, len(data), BLOCK), len(data)] if len(data) else []
    return [zlib.crc32(data[start:end]) for start, end in pairwise([0, *ends])]


def _bytes(array: Array) -> memoryview:
    return np.ascontiguousarray(array).view(np.uint8).data


def read(path: Path) -> Arrays:
    """Map a file of arrays into memory, read-only.

    Checks the table, the sums and the file's size; `check` reads every byte.

    Raises:
        CorruptIndex: the file is missing, cut off or damaged, or of another format.
        IndexUnusable: it cannot be read.
    """
    mapped = _map(path)
    table = _read_table(path, mapped)
    return Arrays(path, mapped, table)


def check(path: Path) -> None:
    """Read every byte of a file of arrays.

    Raises:
        CorruptIndex, IndexUnusable: as `Arrays.all_sure`.
    """
    read(path).all_sure()


def stamp(path: Path) -> str:
    """Return a checksum of a file, as 8 hex digits.

    It is the CRC-32 of the whole or, of a file of arrays, of its table: `check` tells whether the
    table fits the rest.
    """
    with open_plain(path) as file:
        if path.suffix == ".arrays":
            head = file.read(_HEAD.size)
            return f"{_HEAD.unpack(head)[3]:08x}" if len(head) == _HEAD.size else ""
        crc = 0
        while part := file.read(_STEP):
            crc = zlib.crc32(part, crc)
        return f"{crc:08x}"


def open_plain(path: Path) -> BufferedReader:
    """Open a file of an index, which may come from anywhere, for reading.

    Raises:
        OSError: it is not there, or may not be read; or it is a link, which may lead elsewhere, a
            pipe, which may keep a reader waiting, a folder or a device.
    """
    if path.is_symlink():
        raise OSError(f"{path} is a link")
    file = open(path, "rb", opener=lambda name, mode: os.open(name, mode | PLAIN))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"{path} is no file")
    return file


def _map(path: Path) -> mmap.mmap:
    """Map a file; the mapping goes when the last array in it does."""
    try:
        with open_plain(path) as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        raise CorruptIndex(f"{path} is empty; {AGAIN}.") from None
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError, at: tuple[int, int] | None = None) -> IndexUnusable:
    """Make the error for a file that cannot be opened, or not be read between two bytes."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return CorruptIndex(f"{path} is missing; {AGAIN}.")
    if error.errno is None:  # it is what `open_plain` does not open
        return CorruptIndex(f"{error}, as no part of an index is; {AGAIN}.")
    where = "" if at is None else f" between bytes {at[0]} and {at[1]}"
    return IndexUnusable(
        f"{path} cannot be read{where}: {error.strerror}. The index may be whole: see to the disk,"
        " or to who may read it."
    )


def _read_table(path: Path, mapped: mmap.mmap) -> Table:
    """Read the table and the sums of a file that may be any.

    Raises:
        CorruptIndex: it is not one of ours, whole.
    """
    if len(mapped) < _ALIGN:
        raise _damaged(path, 0)
    magic, at, length, crc = _HEAD.unpack_from(mapped)
    if magic != _MAGIC or any(mapped[_HEAD.size : _ALIGN]):
        raise _damaged(path, 0)
    if length > _LARGEST or at + length != len(mapped):
        raise _damaged(path, 8)
    text = mapped[at : at + length]
    if zlib.crc32(text) != crc:
        raise _damaged(path, at)
    try:
        table = {name: _Place(*place) for name, place in json.loads(text).items()}
        sums = table[_SUMS]
        if not all(_fits(place, at) for place in table.values()) or sums.dtype != "<u4":
            raise _damaged(path, at)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _damaged(path, at) from None
    blocks = -(-sums.offset // BLOCK) if sums.offset > _ALIGN else 0
    data = mapped[sums.offset : at]
    if (
        len(data) != 4 * sums.length
        or sums.length != blocks
        or any(p.offset > sums.offset for p in table.values())
        or f"{zlib.crc32(data):08x}" != sums.crc
    ):
        raise _damaged(path, sums.offset)
    return table


def _fits(place: _Place, end: int) -> bool:
    """Tell whether an array can be where the table says, before the table itself."""
    kind, length, at, _ = place
    if not _KIND.fullmatch(kind) or type(length) is not int or type(at) is not int:
        return False
    return length >= 0 and at >= _ALIGN and at + length * int(kind[-1]) <= end


def _damaged(path: Path, offset: int) -> CorruptIndex:
    return CorruptIndex(f"{path} is damaged at byte {offset} or is not of this format; {AGAIN}.")


def changes(items: Array) -> NDArray[np.bool_]:
    """Tell where an array's item differs from the one before it.

    >>> changes(np.array([3, 3, 7]))
    array([ True, False,  True])
    """
    changed = np.ones(len(items), bool)
    np.not_equal(items[1:], items[:-1], out=changed[1:])
    return changed
