r"""One file that holds named arrays: written once, mapped into memory for reading.

    offset  bytes  what
         0      8  b"srchkit" and the format version, one byte
         8      4  length of the table, little-endian
        12      4  CRC-32 of the table
        16      ?  the table: JSON, {name: [dtype, length, offset, CRC-32 as 8 hex digits]}
         ?      ?  the arrays, little-endian, each at a multiple of 64

Sizes are known before anything is written, so that the arrays are filled in place, in any
order, by whoever has their parts.

>>> import tempfile; path = Path(tempfile.mkdtemp(), "example.arrays")
>>> with writing(path, {"ids": ("<u2", 3)}) as arrays:
...     arrays["ids"][:] = 3, 1, 2
>>> written = path.read_bytes()
>>> written[:16].hex(" ", 4)
'73726368 6b697401 28000000 2dc43a23'
>>> written[16:56]
b'{"ids": ["<u2", 3, 64, "bddcd6ea"]}     '
>>> written[64:].hex(" ")
'03 00 01 00 02 00'
>>> read(path)["ids"]
array([3, 1, 2], dtype=uint16)
"""

import json
import mmap
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.errors import CorruptIndex

VERSION = 1

_MAGIC = b"srchkit" + bytes([VERSION])
_HEAD = struct.Struct("<8sII")
_ALIGN = 64
_STEP = 1 << 24  # bytes checked at once

Array = NDArray[Any]
Shapes = Mapping[str, tuple[str, int]]


class Arrays(dict[str, Array]):
    """The arrays of one file, by their names."""

    def __init__(self, mapped: mmap.mmap, table: dict[str, list[Any]]) -> None:
        self._mapped = mapped
        for name, (dtype, length, at, _) in table.items():
            empty = np.empty(0, dtype)
            self[name] = np.frombuffer(mapped, dtype, length, at) if length else empty

    def release(self) -> None:
        """Give the memory back that holds what was read or written so far; the file has it."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._mapped.madvise(mmap.MADV_DONTNEED)


def write(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write a file of arrays that are there already, in half the time that filling it takes.

    Raises:
        OSError: no room, no permission; the file is not complete then.
    """
    shapes = {name: (array.dtype.str, len(array)) for name, array in arrays.items()}
    table, size = _planned(shapes)
    for name, array in arrays.items():
        table[name][3] = f"{_crc(array):08x}"
    with path.open("wb") as file:
        file.write(_head(table))
        for name, array in arrays.items():
            file.seek(table[name][2])
            file.write(array.data)
        file.truncate(size)


@contextmanager
def writing(path: Path, shapes: Shapes) -> Iterator[Arrays]:
    """Make a file of arrays, {name: (dtype, length)}, all 0; yield them to be filled.

    On leaving, checksums and the table are written. Syncing is the caller's.

    Raises:
        OSError: no room, no permission; the file is not complete then.
    """
    table, size = _planned(shapes)
    with path.open("wb+") as file:
        file.truncate(size)
        with mmap.mmap(file.fileno(), size) as mapped:
            arrays = Arrays(mapped, table)
            yield arrays
            for name in table:
                table[name][3] = f"{_crc(arrays[name]):08x}"
                arrays.release()
            arrays.clear()
            head = _head(table)
            mapped[: len(head)] = head
            mapped.flush()


def read(path: Path) -> Arrays:
    """Map a file of arrays into memory, read-only.

    Checks the table and the file's size; `check` reads every byte.

    Raises:
        CorruptIndex: the file is missing, cut off or damaged, or of another format.
    """
    mapped = _map(path)
    return Arrays(mapped, _read_table(path, mapped))


def check(path: Path) -> None:
    """Read every byte of a file of arrays.

    Raises:
        CorruptIndex: names the first array that is not as it was written, and its offset.
    """
    mapped = _map(path)
    table = _read_table(path, mapped)
    arrays = Arrays(mapped, table)
    for name, array in arrays.items():
        if f"{_crc(array):08x}" != table[name][3]:
            raise CorruptIndex(
                f"{path} is damaged in the array {name!r}, at byte {table[name][2]} or after;"
                " run `searchkit rebuild`, or go back with `searchkit rollback`."
            )
        arrays.release()


def _map(path: Path) -> mmap.mmap:
    """Map a file; the mapping goes when the last array in it does."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise CorruptIndex(f"{path} cannot be read ({error}); run `searchkit rebuild`.") from None


def _planned(shapes: Shapes) -> tuple[dict[str, list[Any]], int]:
    """Return the table, without checksums, and the size of the file."""
    table, _ = _layout(shapes, 0)
    return _layout(shapes, _aligned(_HEAD.size + len(_table(table)) + 8 * len(table)))


def _layout(shapes: Shapes, at: int) -> tuple[dict[str, list[Any]], int]:
    table = {}
    for name, (dtype, length) in shapes.items():
        at = _aligned(at)
        table[name] = [dtype, int(length), at, "00000000"]
        at += np.dtype(dtype).itemsize * int(length)
    return table, at


def _table(table: dict[str, list[Any]]) -> bytes:
    text = json.dumps(table).encode()
    return text + b" " * (-len(text) % 8)


def _head(table: dict[str, list[Any]]) -> bytes:
    text = _table(table)
    return _HEAD.pack(_MAGIC, len(text), zlib.crc32(text)) + text


def _read_table(path: Path, mapped: mmap.mmap) -> dict[str, list[Any]]:
    if len(mapped) < _HEAD.size:
        raise _damaged(path, 0)
    magic, length, crc = _HEAD.unpack_from(mapped)
    if magic != _MAGIC:
        raise _damaged(path, 0)
    text = mapped[_HEAD.size : _HEAD.size + length]
    if len(text) != length or zlib.crc32(text) != crc:
        raise _damaged(path, 8)
    table: dict[str, list[Any]] = json.loads(text)
    end = max((np.dtype(t).itemsize * n + at for t, n, at, _ in table.values()), default=0)
    if len(mapped) < end:
        raise _damaged(path, len(mapped))
    return table


def _damaged(path: Path, offset: int) -> CorruptIndex:
    return CorruptIndex(
        f"{path} is damaged at byte {offset} or is not of this format;"
        " run `searchkit rebuild`, or go back with `searchkit rollback`."
    )


def _crc(array: Array) -> int:
    data, crc = array.view(np.uint8), 0
    for start in range(0, len(data), _STEP):
        crc = zlib.crc32(data[start : start + _STEP].data, crc)
    return crc


def _aligned(at: int) -> int:
    return -(-at // _ALIGN) * _ALIGN
