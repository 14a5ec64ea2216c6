"""Pieces: which parts of a source hold what they held when they were last read.

Every update reads every byte, since a clock proves nothing; but a part whose bytes are the same
need not be parsed again. JSON Lines are cut into pieces of some lines, any other file is a piece by
itself. Of each piece a generation keeps, in `pieces.arrays`:

    keys.*          "line<tab>path": where it begins, and in which file of the source
    sizes, lines    how long it is, in bytes and in lines (0 of a file that is not in lines)
    digests         what its bytes come to (`Digest`)
    heads           the same of its first line
    bound           1 if an article in it is called by its place, as it has no id of its own
    counts, ids     how many articles it has, and the hashes of their ids, piece after piece
    secret          what the digests were made with

Lines are known by what they hold, wherever they stand: where some are put in between, those behind
them are as they were. Pieces with a bad record are not kept: it is named each time.
"""

import io
import os
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from hashlib import sha256, shake_256
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from searchkit.codec.arrays import Array, read, write
from searchkit.codec.strings import plain_arrays
from searchkit.corpus import ends_of_lines
from searchkit.kernel import kernel

PIECES = "pieces.arrays"

_SIZE = 1 << 20  # bytes of a piece of lines, but for its last line
_LARGEST = 1 << 26  # bytes of a piece of lines, at most
_STEP = 1 << 18  # bytes read at once: what a processor has at hand
_ID = 16  # bytes, of an id and of a digest
_BLOCK = 4096  # bytes that are summed up together

Buffer = bytes | bytearray | memoryview


class Digest:
    """A number of 128 bits for some bytes: two that differ have one with a chance of 1 in 2^64.

    Each block of 4,096 bytes comes to two sums under a secret key, as in NH (Black et al., "UMAC",
    1999): ((word + key) * (next word + next key)) of each pair of 32-bit words, added up. Of blocks
    that differ each sum is the same with a chance of 2^-32, whoever chose them without the secret.
    The sums of all blocks and the size are hashed by SHA-256, which alone takes ten times as long.

    Args:
        key: `key_of` a secret.
    """

    def __init__(self, key: bytes) -> None:
        self._key, self._hash, self._size = key, sha256(), 0

    def update(self, data: Buffer) -> "Digest":
        """Add bytes: a multiple of 4,096 unless they are the last."""
        self._hash.update(sums(data, self._key))
        self._size += len(data)
        return self

    def digest(self) -> bytes:
        """Return 16 bytes; the last call."""
        self._hash.update(self._size.to_bytes(8, "little"))
        return self._hash.digest()[:_ID]


def key_of(secret: bytes) -> bytes:
    """Return two keys of a block's length each."""
    return shake_256(secret).digest(2 * _BLOCK)


def sums(data: Buffer, key: bytes) -> bytes:
    """Return the two sums of each block, the last of which is filled up with zeros."""
    return bytes(kernel.sums(data, key)) if kernel else _sums_in_numpy(data, key)


def _sums_in_numpy(data: Buffer, key: bytes) -> bytes:
    filled = bytes(data) + bytes(-len(data) % _BLOCK)
    words = np.frombuffer(filled, "<u4").reshape(-1, _BLOCK // 4)
    both = []
    for own in np.frombuffer(key, "<u4").reshape(2, -1):
        keyed = words + own
        products = keyed[:, ::2].astype("<u8") * keyed[:, 1::2]
        both.append(products.sum(axis=1, dtype="<u8"))
    return np.stack(both, axis=1).tobytes()


class _Piece(NamedTuple):
    """A piece: where it begins, what it is, and where its ids are among those that are known."""

    name: str  # of its file, in the source
    line: int
    lines: int
    size: int
    digest: bytes
    head: bytes = bytes(_ID)
    is_bound: bool = False
    ids: tuple[int, int] | None = None


class Pieces:
    """The pieces of a source: those that were known, those that were met since.

    `begin` begins a file; `add` and `spoil` tell of its articles and bad records, in order.

    Args:
        path: what the last generation knows; None for nothing.

    Attributes:
        ids: shape (articles, 16): the hashes of the ids in all known pieces.
        may_skip: is asked of a piece that is as it was whether its articles, which are these rows
            of `ids`, first:end, need not be read again.
        skipped: how many articles are in pieces that were not read again.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.skipped = 0
        self.ids: Array = np.empty((0, _ID), np.uint8)
        self.may_skip: Callable[[int, int], bool] = lambda _first, _end: True
        self._secret = os.urandom(32)
        self._files: dict[str, _Piece] = {}  # those that are whole files
        self._begun: dict[bytes, list[_Piece]] = {}  # those of lines by their heads, the last first
        self._by_row: dict[int, _Piece] = {}  # the same by the first of their `ids`
        self._next: _Piece | None = None  # what came behind the one that was skipped, and may again
        if path is not None:
            self._load(path)
        self._key = key_of(self._secret)
        self._source = self._name = ""
        self._here: list[_Piece] = []
        # Of each article of the file at hand: its line, its id, whether it is called by its place.
        self._articles = array("q"), bytearray(), bytearray()
        self._bad: list[int] | None = []  # lines of it; None if nothing of it is to be kept
        self._out: list[tuple[_Piece, int]] = []  # with the number of their articles
        self._ids = bytearray()
        self._room = bytearray(_STEP)  # new memory for each piece would cost as much as reading it

    def _load(self, path: Path) -> None:
        arrays = read(path)
        whole = {name: arrays.whole(name) for name in arrays}
        text, ends = whole["keys.bytes"].tobytes(), whole["keys.ends"].tolist()
        keys = (text[start:end] for start, end in zip([0, *ends], ends, strict=False))
        places = ((name, int(line)) for line, name in map(_named, keys))
        self._secret, self.ids = whole["secret"].tobytes(), whole["ids"].reshape(-1, _ID)
        last = np.cumsum(whole["counts"].astype(np.int64))
        ids = zip((last - whole["counts"]).tolist(), last.tolist(), strict=True)
        numbers = (whole[name].tolist() for name in ("lines", "sizes"))
        digests = (_rows(whole[name]) for name in ("digests", "heads"))
        columns = zip(places, *numbers, *digests, whole["bound"].tolist(), ids, strict=True)
        for place, *rest in [*columns][::-1]:
            piece = _Piece(*place, *rest)
            if piece.lines:
                self._begun.setdefault(piece.head, []).append(piece)
                self._by_row[rest[-1][0]] = piece
            else:
                self._files[piece.name] = piece

    def begin(self, source: str, name: str) -> None:
        """Begin a file.

        Args:
            source: as errors name it.
            name: its path in the source.
        """
        self._close()
        self._source, self._name = source, name

    @property
    def has_skipped(self) -> bool:
        """Whether something of the file at hand was not read again."""
        return any(piece.ids for piece in self._here)

    def _skip(self, piece: _Piece, line: int) -> bool:
        """Go on behind a piece that is as it was and begins here; False if it may not be."""
        assert piece.ids  # noqa: S101 - it is known
        first, end = piece.ids
        if not self.may_skip(first, end):
            return False
        is_there = piece.name == self._name and piece.line == line
        self._here.append(piece if is_there else piece._replace(name=self._name, line=line))
        self._next = self._by_row.get(end)
        self.skipped += end - first
        return True

    # -- files of lines --

    def knows_lines(self) -> bool:
        """Tell whether there is any use in `unknown`."""
        return bool(self._begun)

    def unknown(self, raw: BufferedReader, size: int, longest: int) -> Iterator[tuple[int, bytes]]:
        """Yield those lines of the file at hand that are not in pieces that are as they were.

        Args:
            raw: the file, at its beginning.
            size: bytes that are yielded together, roughly, but for a longer line.
            longest: bytes that are yielded of one line; what follows is read over.

        Yields:
            How many lines of the file stand before, and some lines.

        Raises:
            OSError: behind the whole lines that could be read.
        """
        before, have = 0, 0
        lines: list[bytes] = []
        while True:
            failed: OSError | None = None
            piece = None
            try:
                line, piece = self._line(raw, longest + 1, before + len(lines) + 1)
            except OSError as error:
                line, failed = b"", error
            if lines and (not line or piece or have >= size):
                yield before, b"".join(lines)
                before, have, lines = before + len(lines), 0, []
            if failed:
                raise failed
            if not line:
                return
            if piece and self._skip(piece, before + 1):
                self._begun[piece.head].pop()
                before += piece.lines
                continue
            if piece:
                raw.seek(len(line) - piece.size, os.SEEK_CUR)
            lines.append(line[:longest])
            have += len(line)
            if len(line) > longest:  # its reader will say so
                have = size  # nothing comes behind it
                while line and not line.endswith(b"\n"):
                    line = raw.readline(_STEP)

    def _line(self, raw: BufferedReader, size: int, number: int) -> tuple[bytes, _Piece | None]:
        """Read a line or, if a known piece begins with it, to the end of that; return both."""
        piece, self._next = self._next, None
        if piece and self._first(piece.head) is piece and self._comes(raw, piece, number):
            return bytes(self._room[: self._room.find(b"\n") + 1]), piece
        line = raw.readline(size)
        piece = self._first(self._digest(line)) if line else None
        return line, piece if piece and self._comes(raw, piece, number, line) else None

    def _first(self, head: bytes) -> _Piece | None:
        """Return the first piece that begins like this, of those that were not met yet."""
        known = self._begun.get(head)
        return known[-1] if known else None

    def _comes(self, raw: BufferedReader, piece: _Piece, number: int, line: bytes = b"") -> bool:
        """Read on to the end of a known piece, if it is what comes; its first line may be read."""
        if not len(line) <= piece.size <= _LARGEST:
            return False
        if piece.is_bound and (piece.name, piece.line) != (self._name, number):
            return False
        if len(self._room) < piece.size:
            self._room = bytearray(piece.size)
        self._room[: len(line)] = line
        with memoryview(self._room)[: piece.size] as room:
            rest = raw.readinto(room[len(line) :])
            if len(line) + rest == piece.size and self._digest(room) == piece.digest:
                return True
        raw.seek(-rest, os.SEEK_CUR)
        return False

    def put_lines(self, before: int, data: bytes) -> None:
        """Cut some lines of the file at hand, of which so many stand before, into pieces."""
        at, line = 0, before + 1
        with memoryview(data) as whole:
            while end := data.find(b"\n", at + _SIZE) + 1 or data.rfind(b"\n", at) + 1:
                head = self._digest(whole[at : data.find(b"\n", at) + 1])
                digest = self._digest(whole[at:end])
                lines = ends_of_lines(whole[at:end])
                self._here.append(_Piece(self._name, line, lines, end - at, digest, head))
                at, line = end, line + lines

    def _digest(self, data: Buffer) -> bytes:
        return Digest(self._key).update(data).digest()

    # -- other files --

    def open(self, raw: BufferedReader, size: int) -> Any:
        """Return what to read in the place of the file at hand, None if it is as it was.

        Args:
            raw: the file, at its beginning.
            size: how many bytes it has, as far as is known.
        """
        piece = self._files.get(self._name)
        if piece and size == piece.size:
            digest = Digest(self._key)
            while read := raw.readinto(self._room):
                digest.update(memoryview(self._room)[:read])
            if digest.digest() == piece.digest and self._skip(piece, piece.line):
                return None
            raw.seek(0)
        return BufferedReader(_Whole(self, raw), _STEP)

    def put_whole(self, size: int, digest: bytes) -> None:
        """Add the file at hand, which was read to its end."""
        self._here.append(_Piece(self._name, 0, 0, size, digest))

    def whole(self) -> Digest:
        """Return what the bytes of the file at hand are to be added to."""
        return Digest(self._key)

    # -- what is in them --

    def add(self, line: int | None, article_id: bytes, *, by_place: bool) -> None:
        """Tell of an article of the file at hand.

        Args:
            line: the one it begins in.
            article_id: the hash of its id.
            by_place: whether that is made of the line.
        """
        lines, ids, bound = self._articles
        lines.append(line or 0)
        ids.extend(article_id)
        bound.append(by_place)

    def spoil(self, source: str, line: int | None, *, is_all: bool) -> None:
        """Tell of a bad record in a file: the piece it is in is not kept."""
        if source == self._source and self._bad is not None:
            self._bad.append(line or 0)
            if is_all or line is None:
                self._bad = None

    def _close(self) -> None:
        """Say of each piece of the file at hand which articles are in it."""
        lines, ids, bound = self._articles
        for piece in self._here:
            if piece.ids:
                first, end = piece.ids
                self._out.append((piece, end - first))
                self._ids += self.ids[first:end].tobytes()
            elif not self._is_bad(piece):
                low, high = bisect_left(lines, piece.line), len(lines)
                if piece.lines:
                    high = bisect_left(lines, piece.line + piece.lines)
                self._out.append((piece._replace(is_bound=any(bound[low:high])), high - low))
                self._ids += ids[_ID * low : _ID * high]
        self._here, self._bad, self._source = [], [], ""
        if lines:
            self._articles = array("q"), bytearray(), bytearray()

    def _is_bad(self, piece: _Piece) -> bool:
        if not self._bad:
            return self._bad is None
        end = piece.line + piece.lines
        return not piece.lines or any(piece.line <= line < end for line in self._bad)

    def write(self, path: Path) -> None:
        """Write what is to be known next time."""
        self._close()
        pieces = [piece for piece, _ in self._out]
        keys = plain_arrays([_key(piece) for piece in pieces])
        write(
            path,
            {
                **{f"keys.{name}": each for name, each in keys.items()},
                "sizes": np.array([piece.size for piece in pieces], "<u8"),
                "lines": np.array([piece.lines for piece in pieces], "<u4"),
                "digests": _bytes(b"".join(piece.digest for piece in pieces)),
                "heads": _bytes(b"".join(piece.head for piece in pieces)),
                "bound": np.array([piece.is_bound for piece in pieces], np.uint8),
                "counts": np.array([count for _, count in self._out], "<u4"),
                "ids": _bytes(bytes(self._ids)),
                "secret": _bytes(self._secret),
            },
        )


def _key(piece: _Piece) -> bytes:
    return f"{piece.line}\t{piece.name}".encode("utf-8", "surrogateescape")


def _named(key: bytes) -> list[str]:
    """Return line and path."""
    return key.decode("utf-8", "surrogateescape").split("\t", 1)


def _bytes(data: bytes) -> Array:
    return np.frombuffer(data, np.uint8)


def _rows(digests: Array) -> list[bytes]:
    data = digests.tobytes()
    return [data[at : at + _ID] for at in range(0, len(data), _ID)]


class _Whole(io.RawIOBase):
    """A file that is one piece, which is known when it was read to its end."""

    def __init__(self, pieces: Pieces, raw: BufferedReader) -> None:
        self._pieces, self._raw, self._size = pieces, raw, 0
        self._digest: Digest | None = pieces.whole()
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as much as there is at hand."""
        if not self._rest and self._digest:
            data = self._raw.read(_STEP)
            self._digest.update(data)
            self._size += len(data)
            if not data:
                self._pieces.put_whole(self._size, self._digest.digest())
                self._digest = None
            self._rest = memoryview(data)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
