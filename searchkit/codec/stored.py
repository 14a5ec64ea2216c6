r"""The articles themselves: each compressed alone, so that one can be read without the others.

A record is, before compression by Zstandard with a dictionary trained on the archive's first
articles:

    4 bytes      length of the milestones
    4 bytes      length of the rare letters
    milestones   for each 16th word of the text, how far behind the one before it begins: one
                 byte, 255 standing for 255 and what the next byte says
    rare         the letters of the rest that Windows-1251 lacks, in their order: UTF-8, lone
                 surrogates as they are
    the rest     id, title, date, url, source, author, section, language and the tags, a NUL behind
                 each; the text: a byte for each letter, in Windows-1251, which has no use for 0x98,
                 the sign for a rare one

A byte a letter is a fifth smaller when compressed than UTF-8, and read in half the time. By the
milestones a highlighter finds the n-th word without reading the text from its beginning.

>>> packer = Packer.trained([])
>>> article = Article("1", "Мир у світі. " * 25, "Вісті ☮")
>>> [stones] = milestones(np.arange(75) // 3 * 13 + [0, 4, 6] * 25, np.array([0]), np.array([75]))
>>> record = packer.pack(letters(article), stones)
>>> found, stones = Unpacker(packer.dictionary).unpack(record)
>>> found == article, [article.text[at : at + 4] for at in starts_of(stones)]
(True, ['Мир ', 'у св', 'світ', 'Мир ', 'у св'])
"""

import codecs
import re
import struct
import threading
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import zstandard
from numpy.typing import NDArray

from searchkit.article import Article
from searchkit.kernel import kernel

Ints = NDArray[np.int64]

STRIDE = 16  # words from milestone to milestone

LEVEL = 3  # 100 MB/s; level 9 saves a twelfth more and takes five times as long
_DICTIONARY = 112_640  # bytes, the size that Zstandard recommends
# Bytes that are found as good together, and that two of these have in common at least. Zstandard
# would try some, which takes five times as long and finds none that are better for news.
_SEGMENTS = {"k": 100, "d": 6}
_ENOUGH = 100  # records to train a dictionary on; fewer have nothing in common
_LARGEST = 1 << 30  # bytes; no record of ours is larger, and none may ask for more memory
_HEAD = struct.Struct("<II")
_SIGN = "\x98"  # of a rare letter
_LETTERS = bytes(range(256)).decode("cp1251", "replace").replace("\ufffd", _SIGN)
_CODES = codecs.charmap_build(_LETTERS)
_CHARACTERS = np.array([*map(ord, _LETTERS)], "=u2")
_RARE = f"[^{re.escape(_LETTERS.replace(_SIGN, ''))}]"


Letters = tuple[bytes, bytes]  # a byte for each letter, and the rare ones in UTF-8


class Packer:
    """Makes records of articles.

    Attributes:
        dictionary: what `unpack` needs to read them.
    """

    def __init__(self, dictionary: bytes) -> None:
        self.dictionary = dictionary
        known = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        self._zstd = zstandard.ZstdCompressor(level=LEVEL, dict_data=known, write_dict_id=False)

    @classmethod
    def trained(cls, articles: Sequence[Article]) -> "Packer":
        """Make one whose dictionary has what these articles have in common."""
        samples: list[bytes | bytearray | memoryview] = [
            _record(letters(article), b"") for article in articles
        ]
        if len(samples) < _ENOUGH:
            return cls(b"")
        try:
            return cls(zstandard.train_dictionary(_DICTIONARY, samples, **_SEGMENTS).as_bytes())
        except zstandard.ZstdError:  # too little to learn from
            return cls(b"")

    def pack(self, written: Letters, stones: bytes) -> bytes:
        """Compress an article and the milestones of its text."""
        return self._zstd.compress(_record(written, stones))


def letters(article: Article) -> Letters:
    """Return an article as it is in a record: all of it, and its rare letters."""
    return _to_bytes(article.content())


def _record(written: Letters, stones: bytes) -> bytes:
    rest, rare = written
    return b"".join([_HEAD.pack(len(stones), len(rare)), stones, rare, rest])


def _to_bytes(content: str) -> Letters:
    r"""Return a byte for each letter, and the rare ones in UTF-8.

    >>> _to_bytes("за́мок")
    (b'\xe7\xe0\x98\xec\xee\xea', b'\xcc\x81')
    """
    if kernel and (plain := kernel.to_letters(content, _table())) is not None:
        return plain, b""
    try:
        return codecs.charmap_encode(content, "strict", _CODES)[0], b""
    except UnicodeEncodeError:
        rare = "".join(re.findall(_RARE, content)).encode("utf-8", "surrogatepass")
        return codecs.charmap_encode(re.sub(_RARE, _SIGN, content), "strict", _CODES)[0], rare


@cache
def _table() -> bytes:
    """Return the byte of each character, as the kernel wants it."""
    codes = {ord(letter): code for code, letter in enumerate(_LETTERS)}
    sign = codes[ord(_SIGN)]
    return bytes([*(codes.get(code, sign) for code in range(max(codes) + 1)), sign])


def _read(record: bytes) -> tuple[Article, bytes]:
    """Return what a record was made of: an article and the milestones of its text."""
    if kernel and (found := kernel.from_letters(record, _CHARACTERS)) is not None:
        fields, stones = found
        return Article._make(fields), stones
    stones_size, rare_size = _HEAD.unpack_from(record)
    stones_end = _HEAD.size + stones_size
    end = stones_end + rare_size
    content = _from_bytes(record[end:], record[stones_end:end])
    return Article.of(content), record[_HEAD.size : stones_end]


def _from_bytes(rest: bytes, rare: bytes) -> str:
    content = codecs.charmap_decode(rest, "strict", _LETTERS)[0]
    if not rare:
        return content
    letters = [*rare.decode("utf-8", "surrogatepass"), ""]
    return "".join([a + b for a, b in zip(content.split(_SIGN), letters, strict=True)])


class _Own(threading.local):
    """What serves one thread only."""

    def __init__(self, dictionary: zstandard.ZstdCompressionDict | None) -> None:
        self.zstd = zstandard.ZstdDecompressor(dict_data=dictionary)


class Unpacker:
    """Reads the records of one segment; safe to share between threads."""

    def __init__(self, dictionary: bytes) -> None:
        self._own = _Own(zstandard.ZstdCompressionDict(dictionary) if dictionary else None)

    def unpack(self, packed: bytes | memoryview) -> tuple[Article, bytes]:
        """Return an article and its milestones, as `Packer.pack` was given them.

        Raises:
            zstandard.ZstdError, ValueError, struct.error: the bytes are no such record.
        """
        return _read(self._own.zstd.decompress(packed, max_output_size=_LARGEST))


def milestones(starts: Ints, first: Ints, words: Ints) -> list[bytes]:
    """Return the milestones of several texts.

    Args:
        starts: where each word begins in its text.
        first: of each text its first word among these.
        words: how many it has.
    """
    stones = -(-words // STRIDE)
    text = np.repeat(np.arange(len(words)), stones)
    nth = np.arange(len(text)) - (np.cumsum(stones) - stones)[text]
    starts = starts[first[text] + nth * STRIDE]
    ends = np.cumsum(stones)
    gaps = np.diff(starts, prepend=0)
    gaps[nth == 0] = starts[nth == 0]
    places = np.cumsum(gaps // 255 + 1)
    encoded = np.full(places[-1] if len(places) else 0, 255, np.uint8)
    encoded[places - 1] = gaps % 255
    whole = encoded.tobytes()
    bounds = np.concatenate([[0], places])[np.concatenate([[0], ends])].tolist()
    return [whole[low:high] for low, high in pairwise(bounds)]


def starts_of(stones: bytes) -> list[int]:
    """Return where the milestones of a text are."""
    steps = np.frombuffer(stones, np.uint8)
    starts: Ints = np.cumsum(steps, dtype=np.int64)[steps != 255]
    found: list[int] = starts.tolist()
    return found
