"""Pieces: which parts of a source hold what they held when they were last read.

Every update reads every byte, since a clock proves nothing; but a part whose bytes are the same
need not be parsed again. JSON Lines are cut into pieces of some hundred lines, any other file is a
piece by itself. Of each piece a generation keeps, in `pieces.arrays`:

    keys.*          "line<tab>path": where it begins, and in which file of the source
    sizes, lines    how long it is, in bytes and in lines (0 of a file that is not in lines)
    digests         SHA-256, the first 16 bytes
    counts, ids     how many articles it has, and the hashes of their ids, piece after piece

Pieces with a bad record are not kept: it is named each time. In place of a piece that is as it was
JSON Lines are given as many empty lines, so that all lines keep their numbers.
"""

import io
import os
from array import array
from bisect import bisect_left
from collections.abc import Callable
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from searchkit.codec.arrays import Array, read, write
from searchkit.codec.strings import plain_arrays

PIECES = "pieces.arrays"

_LINES = 256  # in a piece, at most
_LARGEST = 1 << 22  # bytes of a piece of lines, at most, but for its last line
_LARGEST_KNOWN = 1 << 26  # likewise; a rebuild makes larger ones
_STEP = 1 << 20  # bytes read at once
_ID = 16  # bytes

Buffer = bytearray | memoryview


class _Piece(NamedTuple):
    line: int
    lines: int
    size: int
    digest: bytes
    before: int | None = None  # which of the known pieces it is


class Pieces:
    """The pieces of a source: those that were known, those that were met since.

    `open` begins a file; `add` and `spoil` tell of its articles and bad records, in order.

    Attributes:
        skipped: how many articles are in pieces that are as they were.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.skipped = 0
        self._known: dict[bytes, int] = {}
        if path is not None:
            self._load(path)
        self._source = self._name = ""
        self._here: list[_Piece] = []
        self._articles = array("q"), bytearray()  # of the file at hand: lines, and ids
        self._bad: list[int] | None = []  # lines of it; None if nothing of it is to be kept
        self._out: list[tuple[bytes, _Piece, int]] = []
        self._ids = bytearray()
        self._same = bytearray()  # ids of the articles that were skipped

    def _load(self, path: Path) -> None:
        arrays = read(path)
        whole = {name: arrays.whole(name) for name in arrays}
        text, ends = whole["keys.bytes"].tobytes(), whole["keys.ends"].tolist()
        keys = [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        self._known = {key: number for number, key in enumerate(keys)}
        self._arrays = whole
        self._ends: Array = np.cumsum(whole["counts"].astype(np.int64))

    def known(self, name: str, line: int) -> _Piece | None:
        """Return what is known of the piece that begins here."""
        number = self._known.get(_key(name, line))
        if number is None:
            return None
        lines, size = int(self._arrays["lines"][number]), int(self._arrays["sizes"][number])
        digest = self._arrays["digests"][_ID * number : _ID * (number + 1)].tobytes()
        return _Piece(line, lines, size, digest, number)

    def begin(self, source: str, name: str) -> None:
        """Begin a file that is read whole, whatever is known of it."""
        self._close()
        self._source, self._name = source, name

    def put_lines(self, line: int, data: bytes) -> None:
        """Add some lines of the file at hand, of which this is the number of the first."""
        if data.endswith(b"\n"):
            self.put(_Piece(line, data.count(b"\n"), len(data), sha256(data).digest()[:_ID]))

    def open(self, source: str, name: str, raw: BufferedReader, *, in_lines: bool) -> Any:
        """Begin a file; return what to read in its place, None if all of it is as it was.

        Args:
            source: as errors name it.
            name: its path in the source.
            raw: opened, at its beginning.
            in_lines: whether each line of it is a record by itself.
        """
        self.begin(source, name)
        if in_lines:
            return BufferedReader(_Lines(self, name, raw), _STEP)
        piece = self.known(name, 0)
        if piece and os.fstat(raw.fileno()).st_size == piece.size:
            digest = sha256()
            while part := raw.read(_STEP):
                digest.update(part)
            if digest.digest()[:_ID] == piece.digest:
                self.put(piece)
                return None
            raw.seek(0)
        return BufferedReader(_Whole(self, raw), _STEP)

    def put(self, piece: _Piece) -> None:
        """Add a piece of the file at hand."""
        self._here.append(piece)
        if piece.before is not None:
            self.skipped += int(self._arrays["counts"][piece.before])

    @property
    def has_skipped(self) -> bool:
        """Whether something of the file at hand is as it was."""
        return any(piece.before is not None for piece in self._here)

    def add(self, line: int | None, article_id: bytes) -> None:
        """Tell of an article of the file at hand: the line it begins in, the hash of its id."""
        self._articles[0].append(line or 0)
        self._articles[1].extend(article_id)

    def spoil(self, source: str, line: int | None, *, is_all: bool) -> None:
        """Tell of a bad record in a file: the piece it is in is not kept."""
        if source == self._source and self._bad is not None:
            self._bad.append(line or 0)
            if is_all or line is None:
                self._bad = None

    def _close(self) -> None:
        """Say of each piece of the file at hand which articles are in it."""
        lines, ids = self._articles
        for piece in self._here:
            if piece.before is not None:
                end = int(self._ends[piece.before])
                start = end - int(self._arrays["counts"][piece.before])
                own = self._arrays["ids"][_ID * start : _ID * end].tobytes()
                self._same += own
            else:
                last = piece.line + piece.lines
                low, high = (
                    (bisect_left(lines, piece.line), bisect_left(lines, last))
                    if piece.lines
                    else (0, len(lines))
                )
                own = bytes(ids[_ID * low : _ID * high])
                if self._bad is None or any(piece.line <= bad < last for bad in self._bad):
                    continue
                if self._bad and not piece.lines:
                    continue
            self._out.append((_key(self._name, piece.line), piece, len(own) // _ID))
            self._ids += own
        self._here, self._articles, self._bad = [], (array("q"), bytearray()), []
        self._source = ""

    def same(self) -> Array:
        """Return the ids of all articles that were skipped: shape (articles, 16)."""
        self._close()
        return np.frombuffer(bytes(self._same), np.uint8).reshape(-1, _ID)

    def write(self, path: Path) -> None:
        """Write what is to be known next time."""
        self._close()
        keys = plain_arrays([key for key, _, _ in self._out])
        pieces = [piece for _, piece, _ in self._out]
        digests = b"".join(piece.digest for piece in pieces)
        write(
            path,
            {
                **{f"keys.{name}": each for name, each in keys.items()},
                "sizes": np.array([piece.size for piece in pieces], "<u8"),
                "lines": np.array([piece.lines for piece in pieces], "<u4"),
                "digests": np.frombuffer(digests, np.uint8),
                "counts": np.array([count for _, _, count in self._out], "<u4"),
                "ids": np.frombuffer(bytes(self._ids), np.uint8),
            },
        )


def _key(name: str, line: int) -> bytes:
    return f"{line}\t{name}".encode("utf-8", "surrogateescape")


class _Reader(io.RawIOBase):
    """Hands out, bit by bit, what `more` returns; b"" at the end."""

    def __init__(self, more: Callable[[], bytes]) -> None:
        self._more = more
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as much as there is at hand."""
        if not self._rest:
            self._rest = memoryview(self._more())
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class _Lines(_Reader):
    """A file of lines; those of pieces that are as they were are empty."""

    def __init__(self, pieces: Pieces, name: str, raw: BufferedReader) -> None:
        super().__init__(self._next)
        self._pieces, self._name, self._raw = pieces, name, raw
        self._line: int | None = 1  # where the next piece begins, as long as that is known
        self._room = bytearray()  # for a piece: new memory for each would cost as much as reading

    def _next(self) -> bytes:
        if self._line is None:
            return self._raw.read(_STEP)
        piece = self._pieces.known(self._name, self._line)
        if piece and piece.size <= _LARGEST_KNOWN:
            if len(self._room) < piece.size:
                self._room = bytearray(piece.size)
            with memoryview(self._room)[: piece.size] as room:
                size = self._raw.readinto(room)
                is_same = size == piece.size and sha256(room).digest()[:_ID] == piece.digest
            if is_same:
                self._pieces.put(piece)
                self._line += piece.lines
                return b"\n" * piece.lines
            self._raw.seek(-size, os.SEEK_CUR)
        lines, size = list[bytes](), 0
        while len(lines) < _LINES and size < _LARGEST:
            line = self._raw.readline(_LARGEST)
            if not line:
                break
            lines.append(line)
            size += len(line)
            if not line.endswith(b"\n"):  # the last one, to which more may be added; or too long
                self._line = None
                return b"".join(lines)
        data = b"".join(lines)
        if not data:
            return data
        self._pieces.put_lines(self._line, data)
        self._line += len(lines)
        return data


class _Whole(_Reader):
    """A file that is one piece; it is known when it was read to its end."""

    def __init__(self, pieces: Pieces, raw: BufferedReader) -> None:
        super().__init__(self._next)
        self._pieces, self._raw, self._size, self._digest = pieces, raw, 0, sha256()
        self._is_read = False

    def _next(self) -> bytes:
        data = self._raw.read(_STEP)
        self._digest.update(data)
        self._size += len(data)
        if not data and not self._is_read:
            self._is_read = True
            self._pieces.put(_Piece(0, 0, self._size, self._digest.digest()[:_ID]))
        return data
