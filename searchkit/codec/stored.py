r"""The articles themselves: each compressed alone, so that one can be read without the others.

A record is, before compression by Zstandard with a dictionary trained on the archive's first
articles:

    1 byte       how it is written: 0 for UTF-8, 1 for one byte a letter (Windows-1251)
    4 bytes      how many milestones there are
    milestones   4 bytes each: where every 32nd word of the text begins
    written      JSON, every field of the article but its text; a new line; the text

One byte a letter is a fifth smaller when compressed, and read in half the time; what has letters
that Windows-1251 lacks is written in UTF-8, lone surrogates as they are. By the milestones a
highlighter finds the n-th word without reading the text from its beginning.

>>> packer = Packer.trained([])
>>> article = Article("1", "Мир у світі. " * 25, "Вісті")
>>> [stones] = milestones(np.arange(75) // 3 * 13 + [0, 4, 6] * 25, np.array([75]))
>>> record = packer.pack(article, stones)
>>> found, stones = Unpacker(packer.dictionary).unpack(record)
>>> found == article, [article.text[at : at + 4] for at in np.frombuffer(stones, "<u4")]
(True, ['світ', 'у св'])
"""

import struct
import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import zstandard
from numpy.typing import NDArray

from searchkit.article import Article

Ints = NDArray[np.int64]

STRIDE = 32  # words from milestone to milestone

LEVEL = 3  # 100 MB/s; level 9 saves a tenth more and takes ten times as long
_DICTIONARY = 112_640  # bytes, the size that Zstandard recommends
_ENOUGH = 100  # records to train a dictionary on; fewer have nothing in common
_LARGEST = 1 << 30  # bytes; no record of ours is larger, and none may ask for more memory
_HEAD = struct.Struct("<BI")
_UTF_8, _ONE_BYTE = range(2)


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
    return b"".join([_HEAD.pack(how, len(stones) // 4), stones, written])


class Unpacker:
    """Reads the records of one segment; safe to share between threads."""

    def __init__(self, dictionary: bytes) -> None:
        self._dictionary = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        self._own = threading.local()  # a decompressor serves one thread only

    def unpack(self, packed: bytes) -> tuple[Article, bytes]:
        """Return an article and its milestones, as `Packer.pack` was given them.

        Raises:
            zstandard.ZstdError, ValueError, struct.error: the bytes are no such record.
        """
        whole = self._zstd().decompress(packed, max_output_size=_LARGEST)
        how, count = _HEAD.unpack_from(whole)
        stones = whole[_HEAD.size : (end := _HEAD.size + 4 * count)]
        if how == _ONE_BYTE:
            content = whole[end:].decode("cp1251")
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
    kept = starts.astype("<u4")
    bounds = pairwise([0, *np.cumsum(words).tolist()])
    return [kept[low + STRIDE : high : STRIDE].tobytes() for low, high in bounds]
