r"""The articles themselves: each compressed alone, so that one can be read without the others.

A record is, before compression by Zstandard with a dictionary trained on the archive's first
articles:

    1 byte       how it is written: 0 for UTF-8, 1 for one byte a letter (Windows-1251)
    4 bytes      length of the milestones
    milestones   for each 16th word of the text, how far behind the one before it begins: one
                 byte, 255 standing for 255 and what the next byte says
    written      JSON, every field of the article but its text; a new line; the text

One byte a letter is a fifth smaller when compressed, and read in half the time; what has letters
that Windows-1251 lacks is written in UTF-8, lone surrogates as they are. By the milestones a
highlighter finds the n-th word without reading the text from its beginning.

>>> packer = Packer.trained([])
>>> article = Article("1", "Мир у світі. " * 25, "Вісті")
>>> [stones] = milestones(np.arange(75) // 3 * 13 + [0, 4, 6] * 25, np.array([75]))
>>> record = packer.pack(article, stones)
>>> found, stones = Unpacker(packer.dictionary).unpack(record)
>>> found == article, [article.text[at : at + 4] for at in starts_of(stones)]
(True, ['Мир ', 'у св', 'світ', 'Мир ', 'у св'])
"""

import codecs
import struct
import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import zstandard
from numpy.typing import NDArray

from searchkit.article import Article

Ints = NDArray[np.int64]

STRIDE = 16  # words from milestone to milestone

LEVEL = 3  # 100 MB/s; level 9 saves a tenth more and takes ten times as long
_DICTIONARY = 112_640  # bytes, the size that Zstandard recommends
_ENOUGH = 100  # records to train a dictionary on; fewer have nothing in common
_LARGEST = 1 << 30  # bytes; no record of ours is larger, and none may ask for more memory
_HEAD = struct.Struct("<BI")
_UTF_8, _ONE_BYTE = range(2)
_one_byte = codecs.getdecoder("cp1251")


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
            record(article, b"") for article in articles
        ]
        if len(samples) < _ENOUGH:
            return cls(b"")
        try:
            return cls(zstandard.train_dictionary(_DICTIONARY, samples).as_bytes())
        except zstandard.ZstdError:  # too little to learn from
            return cls(b"")

    def pack(self, article: Article, stones: bytes) -> bytes:
        """Compress an article and the milestones of its text."""
        return self._zstd.compress(record(article, stones))


def record(article: Article, stones: bytes) -> bytes:
    """Return a record as it is before compression."""
    content = article.content()
    try:
        how, written = _ONE_BYTE, content.encode("cp1251")
    except UnicodeEncodeError:
        how, written = _UTF_8, content.encode("utf-8", "surrogatepass")
    return b"".join([_HEAD.pack(how, len(stones)), stones, written])


class Unpacker:
    """Reads the records of one segment; safe to share between threads."""

    def __init__(self, dictionary: bytes) -> None:
        self._dictionary = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        self._own = threading.local()  # a decompressor serves one thread only

    def unpack(self, packed: bytes | memoryview) -> tuple[Article, bytes]:
        """Return an article and its milestones, as `Packer.pack` was given them.

        Raises:
            zstandard.ZstdError, ValueError, struct.error: the bytes are no such record.
        """
        whole = self._zstd().decompress(packed, max_output_size=_LARGEST)
        how, size = _HEAD.unpack_from(whole)
        stones = whole[_HEAD.size : (end := _HEAD.size + size)]
        if how == _ONE_BYTE:
            content, _ = _one_byte(whole[end:])
        else:
            content = whole[end:].decode("utf-8", "surrogatepass")
        return Article.of(content), stones

    def _zstd(self) -> zstandard.ZstdDecompressor:
        if not hasattr(self._own, "zstd"):
            self._own.zstd = zstandard.ZstdDecompressor(dict_data=self._dictionary)
        zstd: zstandard.ZstdDecompressor = self._own.zstd
        return zstd


def milestones(starts: Ints, words: Ints) -> list[bytes]:
    """Return the milestones of several texts.

    Args:
        starts: where the words of each begin, one text after the other.
        words: how many they are in each.
    """
    number = np.arange(len(starts)) - np.repeat(np.cumsum(words) - words, words)
    starts, stones = starts[number % STRIDE == 0], -(-words // STRIDE)
    ends = np.cumsum(stones)
    first = (ends - stones)[stones > 0]
    gaps = np.diff(starts, prepend=0)
    gaps[first] = starts[first]
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
