"""Index: one generation, open for reading, as arrays.

This module and `writer` are where Whoosh's codec is met, and the seam at which another codec
takes its place: whatever can answer these questions can be searched.

    here is a term: in which articles is it, and how often?     `frequencies`
    here is a term: at which places?                            `occurrences`
    which terms begin like this?                                `terms`
    how long is each article's title or text?                   `lengths`
    when was each article published?                            `first`, `last`
    here is an article's number: give me the article            `article`
    here is an id: what is the article's number?                `number`
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import whoosh.index
from numpy.typing import NDArray
from whoosh.reading import IndexReader, TermNotFound

from searchkit.article import Article
from searchkit.dates import iso_day
from searchkit.errors import CorruptIndex, SearchkitError
from searchkit.generations import read_manifest

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

POSITION_BITS = 32  # an occurrence is article number << 32 | position


class Index:
    """One generation, read-only; safe to share between threads.

    Articles have numbers from 0 to `size` - 1. Numbers of deleted articles are not reused;
    `alive` tells which still count. No method ever names a dead one.

    Attributes:
        manifest: what the generation says of itself.
        size: how many article numbers there are, dead ones included.
        alive: shape (size,), bool.
        first, last: shape (size,), int64: the article's date as a span of YYYYMMDDhhmmss; 0
            where it has none.

    Raises:
        CorruptIndex: a file is missing or damaged.
        IndexVersion: written for another version of searchkit.
    """

    def __init__(self, generation: Path) -> None:
        self.generation = generation
        self.manifest = read_manifest(generation)
        self._lock = threading.RLock()  # Whoosh's readers share one file position
        self._lengths: dict[str, Ints] = {}
        self._bytes = sum(path.stat().st_size for path in generation.iterdir())
        with self._reading():
            self._whoosh = whoosh.index.open_dir(str(generation))
            self._reader: IndexReader = self._whoosh.reader()  # type: ignore[no-untyped-call]
            self._segments = self._reader.leaf_readers()
            self.size = int(self._reader.doc_count_all())
            self.alive: Bools = np.array(
                [not self._reader.is_deleted(number) for number in range(self.size)], bool
            )
            self.first = self._column("first")
            self.last = self._column("last")
            for field in ("title", "text"):
                self._lengths[field] = self._column(f"{field}_length")
        if np.count_nonzero(self.alive) != self.manifest.articles:
            raise CorruptIndex(
                f"The index in {generation} does not hold the {self.manifest.articles} articles"
                " that it should; run `searchkit rebuild`."
            )

    def close(self) -> None:
        """Give the files back; no method may be called after it."""
        self._reader.close()

    def living(self) -> list[int]:
        """Return the numbers of all articles that count, ascending."""
        found: list[int] = self.alive.nonzero()[0].tolist()
        return found

    def frequencies(self, field: str, term: str) -> tuple[Ints, Ints]:
        """Return the numbers of the articles that have the term, ascending, and how often."""
        numbers, counts = [], []
        with self._reading():
            for matcher, offset in self._matchers(field, term):
                while matcher.is_active():
                    numbers.append(matcher.id() + offset)
                    counts.append(int(matcher.weight()))
                    matcher.next()
        found = np.array(numbers, np.int64)
        alive = self.alive[found]
        return found[alive], np.array(counts, np.int64)[alive]

    def occurrences(self, field: str, term: str, among: Bools) -> Ints:
        """Return every place of a term in the articles of the mask `among`, ascending.

        A place is the article's number << POSITION_BITS | the word's position.
        """
        places = []
        with self._reading():
            for matcher, offset in self._matchers(field, term):
                while matcher.is_active():
                    number = matcher.id() + offset
                    if among[number] and self.alive[number]:
                        base = number << POSITION_BITS
                        places += [base | position for position in matcher.value_as("positions")]
                    matcher.next()
        return np.array(places, np.int64)

    def terms(self, field: str, prefix: str) -> list[str]:
        """Return the field's terms that begin with the prefix, in code-point order."""
        with self._reading():
            return [bytes(term).decode() for term in self._reader.expand_prefix(field, prefix)]

    def lengths(self, field: str) -> Ints:
        """Return how many words each article has in a field, shape (size,).

        Only in titles and texts does length matter; in any other field all are 1.
        """
        return self._lengths.get(field, np.ones(self.size, np.int64))

    def article(self, number: int) -> Article:
        """Return the article with this number."""
        with self._reading():
            stored: dict[str, Any] = self._reader.stored_fields(number)
        stored = {name: stored[name] for name in Article.__match_args__ if name in stored}
        return Article(**stored | {"tags": tuple(stored.get("tags", ()))})

    def digest(self, number: int) -> bytes:
        """Return `Article.digest()` of the article with this number, as it was indexed."""
        with self._reading():
            return bytes(self._reader.stored_fields(number)["digest"])

    def number(self, article_id: str) -> int | None:
        """Return the number of the article with this id, or None."""
        if not _has_utf8(article_id):
            return None  # no article's id was ever like this
        numbers, _ = self.frequencies("id", article_id)
        return int(numbers[0]) if len(numbers) else None

    def describe(self) -> dict[str, Any]:
        """Return what can be told of the generation: sizes in bytes and words, dates, versions."""
        dated = self.first[self.alive & (self.first > 0)]
        days = [iso_day(moment) for moment in (dated.min(), dated.max())] if len(dated) else []
        return {
            "bytes": self._bytes,
            **asdict(self.manifest),
            "words": int(self.lengths("text")[self.alive].sum()),
            "dated": len(dated),
            "from": days[0] if days else None,
            "to": days[1] if days else None,
        }

    def _matchers(self, field: str, term: str) -> Iterator[tuple[Any, int]]:
        for reader, offset in self._segments:
            try:
                matcher = reader.postings(field, term.encode())
            except TermNotFound:
                continue
            yield matcher, offset

    def _column(self, name: str) -> Ints:
        return np.array(
            [value for reader, _ in self._segments for value in reader.column_reader(name)],
            np.int64,
        )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One thread at a time; whatever damaged bytes make Whoosh raise is CorruptIndex."""
        with self._lock:
            try:
                yield
            except SearchkitError:
                raise
            except Exception as error:
                raise CorruptIndex(
                    f"A file of {self.generation} is damaged ({type(error).__name__}: {error});"
                    " run `searchkit rebuild`, or go back with `searchkit rollback`."
                ) from error


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
