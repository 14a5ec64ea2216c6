"""The articles themselves: each compressed alone, so that one can be read without the others.

A record is, before compression by Zstandard with a dictionary trained on the archive's first
articles:

    4 bytes   length of the fields
    4 bytes   length of the steps
    fields    JSON: every field of the article but its text
    steps     for each word of title and text, how far behind the one before it begins: one byte,
              255 standing for 255 and what the next byte says
    text      UTF-8; lone surrogates as they are

By the steps a highlighter finds the n-th word without reading the text from its beginning.

>>> packer = Packer.trained([])
>>> [where] = steps(np.array([0, 6, 10, 12]), np.array([4]))
>>> record = packer.pack(Article("1", "Мир у світі", "Вісті"), where)
>>> article, starts = Unpacker(packer.dictionary).unpack(record)
>>> article.text, article.title, starts
('Мир у світі', 'Вісті', array([ 0,  6, 10, 12]))
"""

import json
import struct
import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import zstandard
from numpy.typing import NDArray

from searchkit.article import FIELDS, Article

Ints = NDArray[np.int64]

LEVEL = 3  # 100 MB/s; level 9 saves a tenth more and takes ten times as long
_DICTIONARY = 112_640  # bytes, the size that Zstandard recommends
_ENOUGH = 100  # records to train a dictionary on; fewer have nothing in common
_LARGEST = 1 << 30  # bytes; no record of ours is larger, and none may ask for more memory
_HEAD = struct.Struct("<II")


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

    def pack(self, article: Article, steps: bytes) -> bytes:
        """Compress an article and where its words start (`steps`)."""
        return self._zstd.compress(record(article, steps))


def record(article: Article, steps: bytes) -> bytes:
    """Return a record as it is before compression."""
    named = article.fields()
    text = article.text.encode("utf-8", "surrogatepass")
    return b"".join([_HEAD.pack(len(named), len(steps)), named, steps, text])


class Unpacker:
    """Reads the records of one segment; safe to share between threads."""

    def __init__(self, dictionary: bytes) -> None:
        self._dictionary = zstandard.ZstdCompressionDict(dictionary) if dictionary else None
        self._own = threading.local()  # a decompressor serves one thread only

    def unpack(self, packed: bytes) -> tuple[Article, Ints]:
        """Return an article and where its words start, as `Packer.pack` was given them.

        Raises:
            zstandard.ZstdError, ValueError, struct.error: the bytes are no such record.
        """
        whole = self._zstd().decompress(packed, max_output_size=_LARGEST)
        fields_size, steps_size = _HEAD.unpack_from(whole)
        fields_end = _HEAD.size + fields_size
        fields = json.loads(whole[_HEAD.size : fields_end].decode("utf-8", "surrogatepass"))
        text = whole[fields_end + steps_size :].decode("utf-8", "surrogatepass")
        named = dict(zip(FIELDS, fields, strict=True))
        steps = np.frombuffer(whole, np.uint8, steps_size, fields_end)
        starts = np.cumsum(steps, dtype=np.int64)[steps != 255]
        return Article(text=text, **named | {"tags": tuple(named["tags"])}), starts

    def _zstd(self) -> zstandard.ZstdDecompressor:
        if not hasattr(self._own, "zstd"):
            self._own.zstd = zstandard.ZstdDecompressor(dict_data=self._dictionary)
        zstd: zstandard.ZstdDecompressor = self._own.zstd
        return zstd


def steps(starts: Ints, words: Ints) -> list[bytes]:
    """Return the steps of several articles.

    Args:
        starts: where the words of each begin, one article after the other; in each as if
            `title + " " + text` were one.
        words: how many they are in each.
    """
    gaps = np.diff(starts, prepend=0)
    ends = np.cumsum(words)
    first = (ends - words)[words > 0]
    gaps[first] = starts[first]
    sizes = gaps // 255 + 1
    encoded = np.full(int(sizes.sum()), 255, np.uint8)
    place = np.cumsum(sizes)
    encoded[place - 1] = gaps % 255
    whole = encoded.tobytes()
    bounds = np.concatenate([[0], place])[np.concatenate([[0], ends])].tolist()
    return [whole[low:high] for low, high in pairwise(bounds)]
