"""Index: one generation, open for reading; its segments as if they were one.

    here is a term: in which articles is it, and what is it worth there?    `postings`
    and at which places?                                                    `places`
    the same of a word just as it is written                                `form_places`
    the same of all terms that begin like this                              `starting`
    when was each article published?                                        `first`, `last`
    here is an article's number: give me the article                        `stored`
    here is an id: what is the article's number?                            `number`

Articles are numbered through all segments; within a segment the newest come first.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from searchkit.article import Article
from searchkit.codec.arrays import Array, read
from searchkit.codec.segment import Segment
from searchkit.dates import iso_day
from searchkit.errors import CorruptIndex, SearchkitError
from searchkit.generations import REMOVED, read_manifest

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.uint32]

DENSE = 32  # where one number in so many is asked for, a table of all is quicker than a search

POSITION_BITS = 32  # a place is article number << 32 | position
POSITION = (1 << POSITION_BITS) - 1


class Postings(NamedTuple):
    """The articles that have a term, ascending, and what it is worth in each (a code)."""

    docs: Numbers
    codes: NDArray[np.uint16]


class Index:
    """One generation, read-only; safe to share between threads.

    Articles have numbers from 0 to `size` - 1. No method ever names one that was removed.

    Attributes:
        manifest: what the generation says of itself.
        size: how many article numbers there are, those of removed articles included.
        alive: shape (size,), bool: which articles count; None if all do.
        articles: how many count.

    Raises:
        CorruptIndex: a file is missing or damaged.
        IndexVersion: written for another version of searchkit.
    """

    def __init__(self, generation: Path) -> None:
        self.generation = generation
        self.manifest = read_manifest(generation)
        with self.reading():
            self.segments = [Segment(generation / name) for name in self.manifest.segments]
            sizes = [segment.size for segment in self.segments]
            self.bases = [sum(sizes[:i]) for i in range(len(sizes))]
            self.size = sum(sizes)
            self.alive = self._alive()
            self._bytes = sum(path.stat().st_size for path in generation.iterdir())
        self.articles = self.size if self.alive is None else int(np.count_nonzero(self.alive))
        if self.articles != self.manifest.articles:
            raise CorruptIndex(
                f"The index in {generation} does not hold the {self.manifest.articles} articles"
                " that it should; run `searchkit rebuild`."
            )

    def _alive(self) -> Bools | None:
        path = self.generation / REMOVED
        if not path.exists():
            return None
        alive = np.ones(self.size, bool)
        gone = read(path)
        for name, base in zip(self.manifest.segments, self.bases, strict=True):
            if name in gone:
                alive[base + gone[name].astype(np.int64)] = False
        return alive

    def close(self) -> None:
        """Let the files go; no method may be called after it."""
        self.segments.clear()

    def living(self) -> Ints:
        """Return the numbers of all articles that count, ascending."""
        return np.arange(self.size) if self.alive is None else self.alive.nonzero()[0]

    # -- words --

    def postings(self, term: bytes) -> Postings:
        """Return the articles that have a term (`schema.key`), and its codes there."""
        found = []
        for segment, base in zip(self.segments, self.bases, strict=True):
            number = segment.terms.find(term)
            if number >= 0:
                here = segment.postings(number)
                found.append(self._living(segment.docs[here], segment.codes[here], base))
        return _joined(found)

    def having(self, term: bytes) -> int:
        """Return how many articles have a term at most; the removed ones count."""
        found = 0
        for segment in self.segments:
            number = segment.terms.find(term)
            if number >= 0:
                here = segment.postings(number)
                found += here.stop - here.start
        return found

    def champions(self, term: bytes) -> tuple[int, Postings] | None:
        """Return how many articles have the term, and those where it is worth most, best first.

        None where that would have to be found out: in an index of several segments, or one from
        which articles were removed.
        """
        if len(self.segments) != 1 or self.alive is not None:
            return None
        [segment] = self.segments
        number = segment.terms.find(term)
        if number < 0:
            return 0, _NONE
        here = segment.postings(number)
        best = segment.champions(number)
        if best is None:
            codes = segment.codes[here]
            order = (-codes.astype(np.int32)).argsort(kind="stable")
            return len(codes), Postings(segment.docs[here][order], codes[order])
        kept = segment.arrays["champion_docs"][best], segment.arrays["champion_codes"][best]
        return here.stop - here.start, Postings(*kept)

    def places(self, term: bytes, among: Numbers | None = None) -> Ints:
        """Return every place of a term, ascending; of the articles `among` only, if given.

        A place is the article's number << POSITION_BITS | the word's position.
        """
        found = [_NOWHERE]
        for segment, base in zip(self.segments, self.bases, strict=True):
            number = segment.terms.find(term)
            if number >= 0:
                found.append(self._places(segment, base, number, among)[0])
        return np.concatenate(found)

    def form_places(self, form: bytes, among: Numbers | None = None) -> Ints:
        """Return every place of a word just as it is written (normalised), as `places` does."""
        found = [_NOWHERE]
        for segment, base in zip(self.segments, self.bases, strict=True):
            number = segment.forms.find(form)
            if number >= 0:
                found.append(self._form_places(segment, base, number, among))
        return np.concatenate(found)

    def _form_places(
        self, segment: Segment, base: int, number: int, among: Numbers | None = None
    ) -> Ints:
        term, ordinal = segment.form(number)
        places, ordinals = self._places(segment, base, term, among)
        chosen: Ints = places[ordinals == ordinal]
        return chosen

    def _places(
        self,
        segment: Segment,
        base: int,
        term: int,
        among: Numbers | None,
        last: int | None = None,
    ) -> tuple[Ints, Array]:
        here, there = segment.postings(term, last), segment.places(term, last)
        docs, counts = segment.docs[here], segment.counts[here]
        positions, ordinals = segment.positions[there], segment.ordinals[there]
        chosen = self._chosen(docs, base, segment.size, among, last is None)
        if chosen is not None:
            ends = np.cumsum(counts, dtype=np.int64)[chosen]
            docs, counts = docs[chosen], counts[chosen].astype(np.int64)
            rows = np.repeat(ends - np.cumsum(counts), counts) + np.arange(counts.sum())
            positions, ordinals = positions[rows], ordinals[rows]
        places: Ints = np.repeat((docs.astype(np.int64) + base) << POSITION_BITS, counts)
        return places | positions.astype(np.int64), ordinals

    def _chosen(
        self, docs: Numbers, base: int, size: int, among: Numbers | None, is_sorted: bool
    ) -> Ints | None:
        """Return which of a segment's postings count; None for all of them."""
        if among is None:
            return None if self.alive is None else self.alive[docs + base].nonzero()[0]
        low, high = among.searchsorted(np.array([base, base + size], np.uint32))
        wanted = among[low:high] - np.uint32(base)
        if len(wanted) * 16 < len(docs) and is_sorted:
            return member(wanted, docs)[1]
        return member(docs, wanted)[0].nonzero()[0]

    def starting(
        self, prefix: bytes, as_places: bool = False, among: Numbers | None = None
    ) -> Iterator[Postings | Ints]:
        """Yield what each term and form is worth that begins like this, or its places.

        Terms come together, an article perhaps several times; forms only if none of these terms
        is theirs, each as places.
        """
        for segment, base in zip(self.segments, self.bases, strict=True):
            first, last = segment.terms.prefixed(prefix)
            if first < last and as_places:
                yield self._places(segment, base, first, among, last - 1)[0]
            elif first < last:
                here = segment.postings(first, last - 1)
                yield self._living(segment.docs[here], segment.codes[here], base)
            low, high = segment.forms.prefixed(prefix)
            owners = segment.arrays["form_terms"][low:high]
            for number in ((owners < first) | (owners >= last)).nonzero()[0].tolist():
                yield self._form_places(segment, base, low + number, among)

    def starting_places(self, prefix: bytes, among: Numbers | None) -> Ints:
        """Return the places of terms and forms that begin like this in some articles."""
        found = self.starting(prefix, as_places=True, among=among)
        return np.unique(np.concatenate([_NOWHERE, *found]))

    def _living(self, docs: Numbers, codes: NDArray[np.uint16], base: int) -> Postings:
        if base:
            docs = docs + np.uint32(base)
        if self.alive is not None:
            alive = self.alive[docs]
            docs, codes = docs[alive], codes[alive]
        return Postings(docs, codes)

    # -- articles --

    @cached_property
    def first(self) -> Ints:
        """The first moment that each article may be of, YYYYMMDDhhmmss; 0 if unknown."""
        return self._column("first")

    @cached_property
    def last(self) -> Ints:
        """The last such moment."""
        return self._column("last")

    @cached_property
    def title_words(self) -> Ints:
        """How many words each title has."""
        return self._column("title_words")

    @cached_property
    def text_words(self) -> Ints:
        """How many words each text has."""
        return self._column("text_words")

    def _column(self, name: str) -> Ints:
        columns = [segment.arrays[name] for segment in self.segments]
        whole = columns[0] if len(columns) == 1 else np.concatenate(columns)
        return whole.view(np.int64) if whole.dtype == np.uint64 else whole.astype(np.int64)

    def stored(self, number: int) -> tuple[Article, bytes]:
        """Return an article and the milestones of its text (`codec.stored`)."""
        segment, local = self._where(number)
        return segment.stored(local)

    def article(self, number: int) -> Article:
        """Return the article with this number."""
        with self.reading():
            return self.stored(number)[0]

    def digest(self, number: int) -> bytes:
        """Return `Article.digest()` of the article with this number, as it was indexed."""
        segment, local = self._where(number)
        return segment.digest(local)

    def number(self, article_id: str) -> int | None:
        """Return the number of the article with this id, or None."""
        for segment, base in zip(self.segments, self.bases, strict=True):
            found = segment.find_id(article_id)
            if found >= 0 and (self.alive is None or self.alive[base + found]):
                return base + found
        return None

    def _where(self, number: int) -> tuple[Segment, int]:
        which = bisect_right(self.bases, number) - 1
        return self.segments[which], number - self.bases[which]

    def describe(self) -> dict[str, Any]:
        """Return what can be told of the generation: sizes in bytes and words, dates, versions."""
        living = self.living()
        dated = self.first[living]
        dated = dated[dated > 0]
        days = [iso_day(int(moment)) for moment in (dated.min(), dated.max())] if len(dated) else []
        return {
            "bytes": self._bytes,
            **asdict(self.manifest),
            "words": int(self.text_words[living].sum()),
            "dated": len(dated),
            "from": days[0] if days else None,
            "to": days[1] if days else None,
        }

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Whatever damaged bytes make NumPy or Zstandard raise is CorruptIndex."""
        try:
            yield
        except SearchkitError:
            raise
        except (
            ArithmeticError, LookupError, MemoryError, OSError, ValueError,
            struct.error, zstandard.ZstdError,
        ) as error:  # fmt: skip
            raise CorruptIndex(
                f"A file of {self.generation} is damaged ({type(error).__name__}: {error});"
                " run `searchkit rebuild`, or go back with `searchkit rollback`."
            ) from error


_NOWHERE: Ints = np.empty(0, np.int64)
_NONE = Postings(np.empty(0, np.uint32), np.empty(0, np.uint16))


def _joined(found: list[Postings]) -> Postings:
    if len(found) == 1:
        return found[0]
    if not found:
        return _NONE
    docs, codes = zip(*found, strict=True)
    return Postings(np.concatenate(docs), np.concatenate(codes))


def member(wanted: Numbers, docs: Numbers) -> tuple[Bools, Ints]:
    """Tell which of some numbers are among others, ascending, and where those stand there.

    >>> found, where = member(np.array([2, 3, 9], np.uint32), np.array([1, 3, 9], np.uint32))
    >>> found, where
    (array([False,  True,  True]), array([1, 2]))
    """
    if not len(docs):
        return np.zeros(len(wanted), bool), np.empty(0, np.int64)
    where: Ints
    if len(wanted) * DENSE > (size := int(docs[-1]) + 1):
        places = np.full(size + 1, -1, np.int32)  # the last one stands for all that are greater
        places[docs] = np.arange(len(docs), dtype=np.int32)
        where = places[np.minimum(wanted, size)].astype(np.int64)
        found = where >= 0
    else:
        where = docs.searchsorted(wanted)
        where[where == len(docs)] = 0  # 0 where it is not, unless that is the number there
        found = docs[where] == wanted
    return found, where[found]
