r"""One file that holds named arrays: written once, mapped into memory for reading.

    offset  bytes  what
         0      8  b"srchkit" and the format version, one byte
         8      8  where the table is, little-endian
        16      4  its length
        20      4  its CRC-32
        64      ?  the arrays, little-endian, each at a multiple of 64
         ?      ?  the table: JSON, {name: [dtype, length, offset, CRC-32 as 8 hex digits]}

>>> import tempfile; path = Path(tempfile.mkdtemp(), "example.arrays")
>>> write(path, {"ids": np.array([3, 1, 2], "<u2")})
>>> written = path.read_bytes()
>>> written[:24].hex(" ", 4)
'73726368 6b697402 46000000 00000000 23000000 165e9003'
>>> written[64:70].hex(" ")
'03 00 01 00 02 00'
>>> written[70:]
b'{"ids": ["<u2", 3, 64, "bddcd6ea"]}'
>>> read(path)["ids"]
array([3, 1, 2], dtype=uint16)
"""

import json
import mmap
import os
import shutil
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from searchkit.errors import CorruptIndex

VERSION = 2

_MAGIC = b"srchkit" + bytes([VERSION])
_HEAD = struct.Struct("<8sQII")
_ALIGN = 64
_STEP = 1 << 24  # bytes checked at once

Array = NDArray[Any]
Table = dict[str, list[Any]]


class Arrays(dict[str, Array]):
    """The arrays of one file, by their names."""

    def __init__(self, path: Path, mapped: mmap.mmap, table: Table) -> None:
        self._path, self._mapped, self._table = path, mapped, table
        for name, (dtype, length, at, _) in table.items():
            empty = np.empty(0, dtype)
            self[name] = np.frombuffer(mapped, dtype, length, at) if length else empty

    def parts(self, wanted: Mapping[str, slice]) -> dict[str, Array]:
        """Read parts of some arrays into memory of their own.

        Of a mapped array the system keeps more in memory than was asked for, up to megabytes around
        each place; where little of many files is wanted, that adds up.
        """
        found = {}
        with self._path.open("rb", buffering=0) as file:
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
    put behind the others when the `with` block ends without an error. Syncing is the caller's.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._out = path.open("wb")
        self._out.seek(_ALIGN)
        self._table: Table = {}
        self._files: dict[str, IO[bytes]] = {}

    def put(self, name: str, parts: Iterable[Array]) -> None:
        """Write a whole array, of one part or more."""
        at, length, crc, kind = _align(self._out), 0, 0, ""
        for part in parts:
            data, kind = _bytes(part), part.dtype.str
            length += len(part)
            crc = zlib.crc32(data, crc)
            self._out.write(data)
        self._table[name] = [kind, length, at, f"{crc:08x}"]

    def append(self, name: str, part: Array) -> None:
        """Put a part at the end of an array, of which it has the dtype."""
        if name not in self._table:
            self._table[name] = [part.dtype.str, 0, 0, 0]
            self._files[name] = self._part(name).open("wb+")
        of_array = self._table[name]
        if part.dtype.str != of_array[0]:
            raise TypeError(f"{name} is {of_array[0]}, not {part.dtype.str}")
        data = _bytes(part)
        of_array[1] += len(part)
        of_array[3] = zlib.crc32(data, of_array[3])
        self._files[name].write(data)

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
            with self._out:
                if error is None:
                    self._finish()
        finally:
            for name, file in self._files.items():
                file.close()
                self._part(name).unlink(missing_ok=True)

    def _finish(self) -> None:
        out = self._out
        for name, part in self._files.items():
            of_array = self._table[name]
            of_array[2] = _align(out)
            of_array[3] = f"{of_array[3]:08x}"
            part.seek(0)
            shutil.copyfileobj(part, out, _STEP)
        text, at = json.dumps(self._table).encode(), out.tell()
        out.write(text)
        out.seek(0)
        out.write(_HEAD.pack(_MAGIC, at, len(text), zlib.crc32(text)))


def _bytes(array: Array) -> memoryview:
    return np.ascontiguousarray(array).view(np.uint8).data


def _align(out: IO[bytes]) -> int:
    """Go on to where an array may begin."""
    return out.seek(-out.tell() % _ALIGN, os.SEEK_CUR)


def read(path: Path) -> Arrays:
    """Map a file of arrays into memory, read-only.

    Checks the table and the file's size; `check` reads every byte.

    Raises:
        CorruptIndex: the file is missing, cut off or damaged, or of another format.
    """
    mapped = _map(path)
    return Arrays(path, mapped, _read_table(path, mapped))


def check(path: Path) -> None:
    """Read every byte of a file of arrays.

    Raises:
        CorruptIndex: names the first array that is not as it was written, and its offset.
    """
    mapped = _map(path)
    table = _read_table(path, mapped)
    arrays = Arrays(path, mapped, table)
    for name, array in arrays.items():
        data, crc = array.view(np.uint8), 0
        for start in range(0, len(data), _STEP):
            crc = zlib.crc32(data[start : start + _STEP].data, crc)
            arrays.release()
        if f"{crc:08x}" != table[name][3]:
            raise CorruptIndex(
                f"{path} is damaged in the array {name!r}, at byte {table[name][2]} or after;"
                " run `searchkit rebuild`, or go back with `searchkit rollback`."
            )


def _map(path: Path) -> mmap.mmap:
    """Map a file; the mapping goes when the last array in it does."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise CorruptIndex(f"{path} cannot be read ({error}); run `searchkit rebuild`.") from None


def _read_table(path: Path, mapped: mmap.mmap) -> Table:
    if len(mapped) < _HEAD.size:
        raise _damaged(path, 0)
    magic, at, length, crc = _HEAD.unpack_from(mapped)
    if magic != _MAGIC:
        raise _damaged(path, 0)
    text = mapped[at : at + length]
    if len(text) != length or zlib.crc32(text) != crc:
        raise _damaged(path, 8)
    table: Table = json.loads(text)
    return table


def _damaged(path: Path, offset: int) -> CorruptIndex:
    return CorruptIndex(
        f"{path} is damaged at byte {offset} or is not of this format;"
        " run `searchkit rebuild`, or go back with `searchkit rollback`."
    )
