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

import os
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from weakref import finalize

import numpy as np
import zstandard
from numpy.typing import NDArray

from searchkit.analysis import BY_BOTH, MARKS, terms_by
from searchkit.analysis.language import RUSSIAN, RUSSIAN_LETTERS
from searchkit.analysis.lemmatize import known
from searchkit.analysis.normalize import fold
from searchkit.article import Article
from searchkit.codec.arrays import AGAIN, HEAD_CRC, Array, read, stamp, unreadable
from searchkit.codec.segment import Segment
from searchkit.dates import iso_day
from searchkit.errors import CorruptIndex, RequestError, SearchkitError
from searchkit.generations import MANIFEST, REMOVED, age, damaged, hold, read_manifest
from searchkit.kernel import kernel
from searchkit.query.rank import Floats, saturate
from searchkit.schema import PAIR
from searchkit.words import Terms, stored_terms

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.uint32]

DENSE = 32  # where one number in so many is asked for, a table of all is quicker than a search

AT_ONCE = 1 << 17  # postings of a prefix, or places, that are read before the clock is looked at

POSITION_BITS = 32  # a place is article number << 32 | position
POSITION = (1 << POSITION_BITS) - 1


class Postings(NamedTuple):
    """The articles that have a term, ascending, and what it is worth in each (`rank.saturate`).

    `leads` tells in which it stands among the first LEAD_WORDS words of the text.
    """

    docs: Numbers
    worths: Floats
    leads: Bools


class Index:
    """One generation, read-only; safe to share between threads.

    Articles have numbers from 0 to `size` - 1. No method ever names one that was removed.

    Attributes:
        manifest: what the generation says of itself.
        size: how many article numbers there are, those of removed articles included.
        alive: shape (size,), bool: which articles count; None if all do.
        articles: how many count.
        bytes: how large the files are.

    Raises:
        CorruptIndex: a file is missing or damaged.
        IndexVersion: written for another version of searchkit.
    """

    def __init__(self, generation: Path) -> None:
        self.generation = generation
        self._held = finalize(self, os.close, hold(generation))
        self.manifest = read_manifest(generation)
        self.segments: list[Segment] = []
        with self.reading():
            self._see_files()
            self.segments = [Segment(generation / name) for name in self.manifest.segments]
            sizes = [segment.size for segment in self.segments]
            self.bases = [sum(sizes[:i]) for i in range(len(sizes))]
            self.size = sum(sizes)
            self.alive = self._alive()
            self.bytes = (generation / MANIFEST).stat().st_size
            self.bytes += sum(size for size, _ in self.manifest.files.values())
        self.articles = self.size if self.alive is None else int(np.count_nonzero(self.alive))
        if self.articles != self.manifest.articles:
            raise CorruptIndex(
                f"The index in {generation} does not hold the {self.manifest.articles} articles"
                " that it should; run `searchkit rebuild`."
            )

    def _see_files(self) -> None:
        """See that the files are those of the manifest, by their sizes and tables."""
        for name, (size, crc) in self.manifest.files.items():
            if not name.endswith(".arrays"):
                continue  # nothing is read from it
            path = self.generation / name
            try:
                is_it = stamp(path) == crc
            except OSError as error:
                raise unreadable(path, error) from None
            if path.stat().st_size != size:
                raise damaged(path, size=size)
            if not is_it:
                raise CorruptIndex(
                    f"{path} is damaged at byte {HEAD_CRC}, or is another file; {AGAIN}."
                )

    def _alive(self) -> Bools | None:
        if REMOVED not in self.manifest.files:
            return None
        alive = np.ones(self.size, bool)
        gone = read(self.generation / REMOVED)
        for name, base in zip(self.manifest.segments, self.bases, strict=True):
            if name in gone:
                alive[base + gone.whole(name).astype(np.int64)] = False
        return alive

    def close(self) -> None:
        """Let the files go; no method may be called after it."""
        self._held()
        self.segments.clear()
        self.__dict__.pop("kernel_segments", None)

    @cached_property
    def kernel_segments(self) -> tuple[tuple[Any, bytes | None, bytes | None, int], ...]:
        """Each segment as the kernel takes it.

        Its arrays; of each article whether it counts, and the numbers of those that do not, None
        where all count; and its base.
        """
        found: list[tuple[Any, bytes | None, bytes | None, int]] = []
        for segment, base in zip(self.segments, self.bases, strict=True):
            alive = None if self.alive is None else self.alive[base : base + segment.size]
            if alive is None or alive.all():
                found.append((segment.kernel, None, None, base))
            else:  # bytes are handed over quicker than arrays
                dead = (~alive).nonzero()[0].astype(np.uint32)
                found.append((segment.kernel, alive.tobytes(), dead.tobytes(), base))
        return tuple(found)

    def living(self) -> Ints:
        """Return the numbers of all articles that count, ascending."""
        return np.arange(self.size) if self.alive is None else self.alive.nonzero()[0]

    # -- words --

    def postings(self, term: bytes, in_title: bool = False) -> Postings:
        """Return the articles that have a term (`schema.key`), or have it in the title."""
        found = []
        for segment, base in zip(self.segments, self.bases, strict=True):
            number = segment.terms.find(term)
            if number >= 0:
                found.append(self._postings(segment, base, number, number, in_title))
        return joined(found)

    def _postings(
        self, segment: Segment, base: int, term: int, last: int, in_title: bool
    ) -> Postings:
        docs = segment.docs(term, last) + np.uint32(base)
        titles, texts, leads = segment.counts(segment.postings(term, last))
        kept = None if self.alive is None else self.alive[docs]
        if in_title:
            texts, leads = np.zeros_like(texts), np.zeros_like(leads)
            kept = titles > 0 if kept is None else kept & (titles > 0)
        if kept is not None:
            docs, titles, texts, leads = docs[kept], titles[kept], texts[kept], leads[kept]
        is_label = segment.terms[term][:1] < PAIR.encode()  # of a field that is not text
        worths = saturate(texts) if is_label else self.worths(docs, titles, texts)
        return Postings(docs, worths, leads)

    def worths(self, docs: Numbers | Ints, titles: Array, texts: Array) -> Floats:
        """Return what a word is worth that stands so often in titles and texts."""
        weighted = titles.astype(np.float32) * self.title_norms[docs]
        return saturate(weighted + texts.astype(np.float32) * self.text_norms[docs])

    def terms_of(self, form: str) -> tuple[str, ...]:
        """Return the terms of a word as it is written (normalised), in all languages here.

        Nothing if no article has it: then it has those that the dictionary gives it.
        """
        found = self._terms_of(form) or self.listed.get(form, ())
        is_russian = RUSSIAN_LETTERS.search(form) is not None
        if not (self.foreign or is_russian):
            return found
        foreign = [term for mark in self.foreign for term in self._terms_of(form + mark)]
        if not (found or foreign):
            return terms_by(RUSSIAN if is_russian else BY_BOTH, self.listed)(form)
        if not (found or is_russian):  # only in Russian texts, but a Ukrainian word, too, perhaps
            found = tuple(map(fold, known(form)))
        return tuple(dict.fromkeys((*found, *foreign)))

    def _terms_of(self, form: str) -> tuple[str, ...]:
        written = form.encode()
        for segment in self.segments:
            if kernel:
                told: tuple[str, ...] = kernel.terms_of(segment.kernel, written)
                if told:
                    return told
                continue
            number = segment.forms.find(written)
            if number >= 0:
                return tuple(segment.terms[term].decode() for term in segment.lemmas(number))
        return ()

    @cached_property
    def foreign(self) -> tuple[str, ...]:
        """The marks of the forms that come from texts in other languages than Ukrainian."""
        with self.reading():
            here = {m for segment in self.segments for m in segment.arrays.whole("marks").tolist()}
        return tuple(mark for mark in MARKS.values() if ord(mark) in here)

    @cached_property
    def listed(self) -> Terms:
        """The terms of the forms on the list of words that the generation was built with."""
        with self.reading():
            return stored_terms(self.generation) if self.manifest.wordlist else {}

    def having(self, term: bytes) -> int:
        """Return how many articles have a term at most; the removed ones count."""
        if kernel:
            return sum([kernel.having(segment.kernel, term) for segment in self.segments])
        found = 0
        for segment in self.segments:
            number = segment.terms.find(term)
            if number >= 0:
                here = segment.postings(number)
                found += here.stop - here.start
        return found

    def having_like(self, prefix: bytes) -> int:
        """Return how many postings the terms that begin like this have."""
        ranges = ((segment, *segment.terms.prefixed(prefix)) for segment in self.segments)
        return sum(int(segment.having(first, last).sum()) for segment, first, last in ranges)

    def form_count(self, term: bytes) -> int:
        """Return how many forms a term has in the segment where it has most, 0 without any."""
        found = ((segment, segment.terms.find(term)) for segment in self.segments)
        return max((segment.form_count(term) for segment, term in found if term >= 0), default=0)

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

    def places_of(self, word: object, among: Numbers | None, seconds: float = -1) -> Ints:
        """Return the places of a word, as the kernel takes it, as `places` does, and once each.

        Of a phrase, which must be looked for among some articles, those of all its words, where
        they stand as the phrase.

        Raises:
            TimeoutError: it took longer than so many seconds, unless these are -1.
        """
        return np.frombuffer(kernel.places(self.kernel_segments, word, among, seconds), np.int64)

    def form_places(self, form: bytes, among: Numbers | None = None) -> Ints:
        """Return every place of a word just as it is written (normalised), as `places` does."""
        found = [_NOWHERE]
        for segment, base in zip(self.segments, self.bases, strict=True):
            for mark in ("", *self.foreign):
                number = segment.forms.find(form + mark.encode())
                if number >= 0:
                    found.append(self._form_places(segment, base, number, among))
        return np.sort(np.concatenate(found)) if self.foreign else np.concatenate(found)

    def _form_places(
        self, segment: Segment, base: int, form: int, among: Numbers | None = None
    ) -> Ints:
        term = segment.lemmas(form)[0]  # any of them stands wherever the form does
        places, ordinals = self._places(segment, base, term, among)
        chosen: Ints = places[ordinals == segment.ordinal(term, form)]
        return chosen

    def _places(
        self, segment: Segment, base: int, term: int, among: Numbers | None
    ) -> tuple[Ints, Ints]:
        docs = segment.docs(term)
        which: slice | Ints = segment.postings(term)
        chosen = self._chosen(docs, base, segment.size, among)
        if chosen is not None:
            docs, which = docs[chosen], segment.postings(term).start + chosen
        counts, positions, ordinals = segment.places(term, which)
        places: Ints = np.repeat((docs.astype(np.int64) + base) << POSITION_BITS, counts)
        return places | positions, ordinals

    def _chosen(self, docs: Numbers, base: int, size: int, among: Numbers | None) -> Ints | None:
        """Return which of a term's postings in a segment count; None for all of them."""
        if among is None:
            return None if self.alive is None else self.alive[docs + base].nonzero()[0]
        low, high = among.searchsorted(np.array([base, base + size], np.uint32))
        wanted = among[low:high] - np.uint32(base)
        if len(wanted) * 16 < len(docs):
            return member(wanted, docs)[1]
        return member(docs, wanted)[0].nonzero()[0]

    # -- all words that begin alike --
    #
    # However many they are, the loops are over parts of AT_ONCE postings, or over the few terms
    # that begin otherwise than a form of theirs. Between two parts the caller looks at the clock.

    def starting(self, prefix: bytes, in_title: bool = False) -> Iterator[Postings]:
        """Yield what the terms that begin like this are worth, in parts, an article in many.

        What forms begin like this and none of their terms does is told by `forms_starting`.
        """
        for segment, base in zip(self.segments, self.bases, strict=True):
            first, last = segment.terms.prefixed(prefix)
            for terms in self._split(segment, first, last):
                yield self._postings(segment, base, *terms, in_title)

    def forms_starting(
        self, prefix: bytes, among: Numbers | None = None
    ) -> Iterator[tuple[Ints, Ints]]:
        """Yield the places of forms that begin like this, if no term of theirs does.

        A form's places are in one part, ascending; beside each place stands its form's number.
        """
        for segment, base in self._with(among):
            terms, ordinals = segment.strays(
                segment.forms.prefixed(prefix), segment.terms.prefixed(prefix)
            )
            for term in sorted({*terms.tolist()}):
                places, own = self._places(segment, base, term, among)
                kept = np.isin(own, ordinals[terms == term])
                order = np.argsort(own[kept], kind="stable")
                yield places[kept][order], own[kept][order]

    def starting_places(self, prefix: bytes, among: Numbers | None) -> Iterator[Ints]:
        """Yield the places of terms and forms that begin like this in some articles, in parts.

        The parts are in no order, and a place may be in several.
        """
        wanted = self.alive
        if among is not None:
            wanted = np.zeros(self.size, bool)
            wanted[among] = True
        for segment, base in self._with(among):
            first, end = segment.terms.prefixed(prefix)
            for term, last in self._split(segment, first, end):
                postings, docs = segment.postings(term, last), segment.docs(term, last)
                chosen = np.arange(postings.start, postings.stop)
                if wanted is not None:
                    kept = wanted[base : base + segment.size][docs]
                    docs, chosen = docs[kept], chosen[kept]
                for at in range(0, len(chosen), AT_ONCE):
                    part = slice(at, at + AT_ONCE)
                    counts, positions, _ = segment.places(term, chosen[part], last)
                    articles = (docs[part].astype(np.int64) + base) << POSITION_BITS
                    yield np.repeat(articles, counts) | positions
        for places, _ in self.forms_starting(prefix, among):
            yield places

    def _with(self, among: Numbers | None) -> Iterator[tuple[Segment, int]]:
        """Yield the segments that have any of some articles, None for all, and their bases."""
        for segment, base in zip(self.segments, self.bases, strict=True):
            low, high = (
                (0, 1)
                if among is None
                else among.searchsorted(np.array([base, base + segment.size], np.uint32))
            )
            if low < high:
                yield segment, base

    def _split(self, segment: Segment, first: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the first and the last of terms that have about AT_ONCE postings together."""
        part = np.cumsum(segment.having(first, end)) // AT_ONCE
        starts = (np.diff(part, prepend=-1).nonzero()[0] + first).tolist()
        for start, after in pairwise([*starts, end]):
            yield start, after - 1

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

    @cached_property
    def title_norms(self) -> Floats:
        """By what a word's frequency in each title is multiplied."""
        return self._joined("title_norms")

    @cached_property
    def text_norms(self) -> Floats:
        """Likewise, in each text."""
        return self._joined("text_norms")

    def _column(self, name: str) -> Ints:
        whole = self._joined(name)
        return whole.view(np.int64) if whole.dtype == np.uint64 else whole.astype(np.int64)

    def _joined(self, name: str) -> Array:
        columns = [segment.arrays.whole(name) for segment in self.segments]
        return columns[0] if len(columns) == 1 else np.concatenate([*columns, _KINDS[name]])

    def stored(self, number: int) -> tuple[Article, bytes]:
        """Return an article and the milestones of its text (`codec.stored`)."""
        segment, local = self._where(number)
        return segment.stored(local)

    def article(self, number: int) -> Article:
        """Return the article with this number."""
        with self.reading():
            return self.stored(number)[0]

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
        from importlib.metadata import version  # noqa: PLC0415 - slow, and only this needs it

        living = self.living()
        dated = self.first[living]
        dated = dated[dated > 0]
        days = [iso_day(int(moment)) for moment in (dated.min(), dated.max())] if len(dated) else []
        told = asdict(self.manifest)
        return {
            "bytes": self.bytes,
            **told,
            "files": {name: size for name, (size, _) in told["files"].items()},
            "age": age(self.manifest.built),
            "version": version("searchkit"),
            "words": int(self.text_words[living].sum()),
            "dated": len(dated),
            "from": days[0] if days else None,
            "to": days[1] if days else None,
        }

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Whatever damaged bytes make NumPy or Zstandard raise is CorruptIndex.

        Where another thread closes the index before the end, it is RequestError.

        What was cut off since it was opened is told before a look at it ends the process.
        """
        for segment in self.segments:
            segment.arrays.see_size()
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise"):
                yield
        except SearchkitError:
            raise
        except OSError as error:
            raise unreadable(self.generation, error) from error
        except (
            ArithmeticError, LookupError, MemoryError, ValueError,
            struct.error, zstandard.ZstdError,
        ) as error:  # fmt: skip
            self._see_open()
            for segment in self.segments:
                if segment.kernel and segment.kernel.fault >= 0:
                    raise segment.arrays.damage(segment.kernel.fault) from error
            raise CorruptIndex(
                f"A file of {self.generation} is damaged ({type(error).__name__}: {error});"
                f" {AGAIN}."
            ) from error
        self._see_open()  # what was not is no answer

    def _see_open(self) -> None:
        if not self._held.alive:
            raise RequestError(
                "The archive was closed meanwhile; open it again with `Archive.open`."
            )


_NOWHERE: Ints = np.empty(0, np.int64)
_KINDS: dict[str, Array] = {  # of an index without a segment
    **{name: np.empty(0, np.uint64) for name in ("first", "last")},
    **{name: np.empty(0, np.uint32) for name in ("title_words", "text_words")},
    **{name: np.empty(0, np.float32) for name in ("title_norms", "text_norms")},
}
_NONE = Postings(np.empty(0, np.uint32), np.empty(0, np.float32), np.empty(0, bool))


def joined(found: Sequence[Postings]) -> Postings:
    """Put postings one behind the other."""
    if len(found) == 1:
        return found[0]
    if not found:
        return _NONE
    docs, worths, leads = zip(*found, strict=True)
    return Postings(np.concatenate(docs), np.concatenate(worths), np.concatenate(leads))


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
