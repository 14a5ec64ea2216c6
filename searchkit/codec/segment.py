"""Segment: some thousand or million articles, open for reading. Nothing in it ever changes.

Articles have numbers from 0, the newest first, those without a date last; terms have numbers
in the order of their bytes. One file of arrays holds:

    terms.*                       the terms: lemmas, after the sign of their field (`schema.key`)
    posting_ends, place_ends      where the postings and places of each term end

    docs, codes, counts           a posting: the article's number, what it is worth (BM25F but for
                                  the idf, in LEVELS steps), how many places it has
    positions, ordinals           a place: the word's number in title and text, and the number of
                                  its form among the forms of the term

    forms.*                       the words as they are written, normalised
    form_terms, form_ordinals     a term that has the form, and which of that term's forms it is

    frequent                      the terms with more than FREQUENT postings, and of each
    champion_docs, champion_codes the CHAMPIONS best, the best first

    title_words, text_words       how long each article is
    first, last                   when it was published, as a span of YYYYMMDDhhmmss; 0 if unknown
    ids, digests                  16 bytes each: a hash of the id, and of all of the article
    id_order                      the articles' numbers in the order of the hashes of their ids
    records, record_starts,       the articles (`stored`), where each begins, and how long it is
    record_sizes, dictionary
"""

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from searchkit.article import Article
from searchkit.codec.arrays import Array, read
from searchkit.codec.stored import Unpacker
from searchkit.codec.strings import Strings

Ints = NDArray[np.int64]

LEVELS = 65_535  # a code is what a posting is worth in this many steps from 0 to k1 + 1
FREQUENT = 512  # postings; a term with more has champions
CHAMPIONS = 128


class Segment:
    """One segment's arrays.

    Attributes:
        size: how many articles it holds.
        arrays: by name, as in the table above.
        terms, forms: the strings.

    Raises:
        CorruptIndex: the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arrays = arrays = read(path)
        self.terms = Strings.named("terms", arrays)
        self.forms = Strings.named("forms", arrays)
        self.docs: Array = arrays["docs"]
        self.codes: Array = arrays["codes"]
        self.counts: Array = arrays["counts"]
        self.positions: Array = arrays["positions"]
        self.ordinals: Array = arrays["ordinals"]
        self.size = len(arrays["first"])
        # Python reads single items of a memory view five times as fast as those of an array.
        self._posting_ends = arrays["posting_ends"].data
        self._place_ends = arrays["place_ends"].data
        self._form_terms = arrays["form_terms"].data
        self._form_ordinals = arrays["form_ordinals"].data
        self._records = arrays["records"].data
        self._record_starts = arrays["record_starts"].data
        self._record_sizes = arrays["record_sizes"].data

    def postings(self, term: int, last: int | None = None) -> slice:
        """Return where the postings of a term are, articles ascending; or those up to `last`."""
        end = self._posting_ends[term if last is None else last]
        return slice(self._posting_ends[term - 1] if term else 0, end)

    def places(self, term: int, last: int | None = None) -> slice:
        """Return where the places of these postings are, in their order."""
        end = self._place_ends[term if last is None else last]
        return slice(self._place_ends[term - 1] if term else 0, end)

    def form(self, number: int) -> tuple[int, int]:
        """Return a term that has the form, and the form's number among the term's forms."""
        return self._form_terms[number], self._form_ordinals[number]

    def champions(self, term: int) -> slice | None:
        """Return where the best postings of a term are kept; None if it is not frequent."""
        place = self._champions.get(term)
        return None if place is None else slice(place * CHAMPIONS, (place + 1) * CHAMPIONS)

    @cached_property
    def _champions(self) -> dict[int, int]:
        return {term: place for place, term in enumerate(self.arrays["frequent"].tolist())}

    def find_id(self, article_id: str) -> int:
        """Return the number of the article with this id; -1 if it is not there."""
        wanted = id_hash(article_id)
        order, ids = self.arrays["id_order"].data, self.arrays["ids"].data
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            number = order[middle]
            if bytes(ids[16 * number : 16 * number + 8]) < wanted[:8]:
                low = middle + 1
            else:
                high = middle
        for number in order[low : low + 8]:
            if bytes(ids[16 * number : 16 * number + 16]) == wanted:
                return int(number)
        return -1

    def stored(self, number: int) -> tuple[Article, bytes]:
        """Return an article and the milestones of its text.

        Raises:
            zstandard.ZstdError, ValueError, struct.error: the record is damaged.
        """
        start = self._record_starts[number]
        end = start + self._record_sizes[number]
        return self._unpacker.unpack(self._records[start:end])

    def digest(self, number: int) -> bytes:
        """Return `Article.digest` of an article, as it was indexed."""
        return self.arrays["digests"][16 * number : 16 * number + 16].tobytes()

    @cached_property
    def _unpacker(self) -> Unpacker:
        return Unpacker(self.arrays["dictionary"].tobytes())


def id_hash(article_id: str) -> bytes:
    """Return 16 bytes that stand for an id."""
    from hashlib import blake2b  # noqa: PLC0415 - slow to import, and no search needs it

    return blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
