"""Archive: the front door. Open an index, search it, build it."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, overload

from searchkit.analysis import dictionary_version
from searchkit.article import Article
from searchkit.dates import DateLike, parse_span
from searchkit.errors import IndexUnusable, RequestError
from searchkit.generations import Generations
from searchkit.highlight import Highlighter, Passage, Reasons, Span, Why, spans
from searchkit.highlight import passages as best_passages
from searchkit.index import Index
from searchkit.query.match import Deadline, Factor, Matcher
from searchkit.query.parse import parse
from searchkit.query.suggest import (
    Completion,
    Readings,
    Suggestion,
    completions,
    is_little,
    suggestions,
)
from searchkit.query.suggest import readings as ambiguous
from searchkit.query.top import Found, top
from searchkit.query.tree import Node
from searchkit.words import chosen, find, version_of

if TYPE_CHECKING:  # what builds an index is imported when one is built
    from searchkit.corpus import Report
    from searchkit.writer import Checked, Progress, Summary

Sort = Literal["relevance", "date"]

_FOREVER = 99999999999999
_PAUSE = 0.5  # seconds from one look at the file system to the next, of an archive that follows


class Hit(NamedTuple):
    """One article that was found.

    Attributes:
        article: the whole of it.
        score: BM25F and what was added to it; comparable within one query only.
        all_words: whether it has all of the query's words; these hits come first.
        title_spans: where in `article.title` the words that match stand.
        passages: the pieces of the text that answer the query best, the best one first.
        factors: what the score is made of; empty unless it was asked for.
        title_matches: why the words at `title_spans` match; empty unless it was asked for.
    """

    article: Article
    score: float
    all_words: bool
    title_spans: tuple[Span, ...]
    passages: tuple[Passage, ...]
    factors: tuple[Factor, ...] = ()
    title_matches: tuple[Why, ...] = ()

    @property
    def id(self) -> str:
        """The article's id."""
        return self.article.id


@dataclass(frozen=True, slots=True)
class Results(Sequence[Hit]):
    """One page of hits, best first, and how many articles there are in all.

    Attributes:
        query: as it was typed.
        read_as: the query as it was understood, where it had to be mended; else None.
        total: how many articles match.
        total_all_words: how many of them have all of the query's words.
        hits: those that were asked for by limit and offset.
        suggestions: better queries, where this one finds little and the archive has them.
        readings: what ambiguous words of the query may mean; empty unless it was asked for.
    """

    query: str
    read_as: str | None
    total: int
    total_all_words: int
    hits: tuple[Hit, ...]
    suggestions: tuple[Suggestion, ...] = ()
    readings: tuple[Readings, ...] = ()

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @overload
    def __getitem__(self, which: int) -> Hit: ...
    @overload
    def __getitem__(self, which: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, which: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[which]


class Archive:
    """A searchable archive: the live generation of an index folder.

    It may be shared between threads. While a rebuild switches to a new generation it goes on
    answering from its own, until `refresh`; one that was opened with `follow` moves by itself. A
    search that is under way stays on its generation to the end.
    """

    def __init__(self, folder: str | Path, *, follow: bool = False) -> None:
        self._generations = Generations(folder)
        self._switching = threading.Lock()
        self._follow = follow
        self._looked = time.monotonic()
        self._closed = False
        self._mark, self._open = self._newest()

    @classmethod
    def open(cls, folder: str | Path = "index", *, follow: bool = False) -> Self:
        """Open the index in a folder.

        Args:
            folder: where it is.
            follow: whether to move to a new generation when there is one: it is looked for when
                something is asked, twice a second at most, with one look at the file system.
                One that cannot be opened is not moved to; the open one goes on answering.

        Raises:
            IndexMissing, CorruptIndex, IndexVersion: see `searchkit.errors`.
        """
        return cls(folder, follow=follow)

    def _newest(self) -> tuple[object, Index]:
        """Open the live generation, even if it is replaced just now."""
        while True:
            mark, live = self._generations.mark(), self._generations.live()
            try:
                return mark, Index(live)
            except IndexUnusable:
                if self._generations.live() == live:
                    raise

    @property
    def _index(self) -> Index:
        """The generation that answers what is asked now."""
        self._check_open()
        if self._follow and time.monotonic() - self._looked > _PAUSE:
            self._look()
        return self._open

    def _check_open(self) -> None:
        if self._closed:
            raise RequestError("The archive is closed; open it again with `Archive.open`.")

    def _look(self) -> None:
        """Move to the live generation, if it is another; one thread does, the others go on."""
        if not self._switching.acquire(blocking=False):
            return
        try:
            self._looked = time.monotonic()
            if self._generations.mark() != self._mark:
                with suppress(IndexUnusable):
                    self._move()
        finally:
            self._switching.release()

    def _move(self) -> bool:
        before = self._open.generation
        if self._generations.live() != before:
            self._mark, self._open = self._newest()  # a search under way keeps the old one alive
        return self._open.generation != before

    @staticmethod
    def build(
        corpus: str | Path,
        folder: str | Path = "index",
        *,
        report: "Report | None" = None,
        progress: "Progress | None" = None,
        words: str | Path | None = None,
        jobs: int | None = None,
        memory: int = 1000,
        max_shrink: float = 50,
        force: bool = False,
        keep: int = 2,
    ) -> "Summary":
        """Build a new generation from a corpus, verify it and switch to it.

        Args:
            corpus: a folder, a file, or "-" for JSON Lines on standard input.
            folder: where the index is.
            report: called with an ArticleError for every bad record; one that raises it stops
                the build. Without it bad records are only counted.
            progress: called after every article.
            words: a list of words that the dictionary lacks, each with a known one that it
                inflects like; without it `words.txt` in the folder of the articles, or else beside
                that of the index, if it is there. A bad line is reported like a bad record.
            jobs: how many processes analyse; without it as many as there are processors. What
                they write does not depend on it.
            memory: MB that they may take together, the archive's distinct words apart.
            max_shrink: how many percent of the live generation's articles may be gone.
            force: publish even if more are, or all, or the corpus itself.
            keep: how many generations to keep, the new one included; 1 or more. The rest are
                removed as soon as nobody reads them.

        Raises:
            CorpusError: there is no article, or too few of those that were there; IndexLocked:
                another process is writing. Nothing is published then.
        """
        from searchkit.corpus import Corpus  # noqa: PLC0415
        from searchkit.writer import Means, Publishing, rebuild  # noqa: PLC0415

        read = Corpus(corpus, report, or_nothing=force, index=folder)
        means = Means(jobs, memory, chosen(words, corpus, folder, read.reject))
        publishing = Publishing(max_shrink, force, keep)
        return rebuild(read, folder, progress, means, publishing=publishing)

    @staticmethod
    def update(
        corpus: str | Path,
        folder: str | Path = "index",
        *,
        report: "Report | None" = None,
        progress: "Progress | None" = None,
        words: str | Path | None = None,
        jobs: int | None = None,
        memory: int = 1000,
        max_shrink: float = 50,
        force: bool = False,
        keep: int = 2,
    ) -> "Summary":
        """Bring the index up to date with a corpus; arguments and errors as for `build`.

        Without a list of words that of the live generation counts.
        """
        from searchkit.corpus import Corpus  # noqa: PLC0415
        from searchkit.writer import Means, Publishing, update  # noqa: PLC0415

        read = Corpus(corpus, report, or_nothing=force, index=folder)
        means = Means(jobs, memory, chosen(words, corpus, folder, read.reject))
        publishing = Publishing(max_shrink, force, keep)
        return update(read, folder, progress, means, publishing=publishing)

    @staticmethod
    def rollback(folder: str | Path = "index") -> str:
        """Switch back to the previous generation and return its name.

        Raises:
            IndexMissing: there is none; IndexLocked: another process is writing.
        """
        generations = Generations(folder)
        generations.live()
        with generations.writing():
            return generations.rollback().name

    @staticmethod
    def check(folder: str | Path = "index", *, every: bool = False) -> "list[Checked]":
        """Read every byte of the live generation; of `every` one that is kept, if asked.

        Raises:
            CorruptIndex: names the file and the place of the first fault.
            IndexMissing, IndexVersion: see `searchkit.errors`.
        """
        from searchkit.writer import verify  # noqa: PLC0415

        kept = Generations(folder).kept()
        return [verify(generation) for generation in (kept if every else kept[:1])]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the index's files back; what is asked after that raises RequestError."""
        self._closed = True
        self._open.close()

    def refresh(self) -> bool:
        """Move to the live generation; return whether it was another one than before.

        Raises:
            CorruptIndex, IndexVersion: it cannot be opened; the archive stays where it is.
        """
        self._check_open()
        with self._switching:
            return self._move()

    @property
    def index(self) -> Index:
        """The open generation, for those who want to look inside."""
        return self._index

    def stats(self) -> dict[str, Any]:
        """Describe the open generation; sizes in bytes, times in ISO 8601, UTC, age in seconds."""
        index = self._index
        return self._generations.describe(index.generation) | index.describe()

    def outdated(self, words: str | Path | None = None) -> list[str]:
        """Say what has changed since the index was built, and what to do; mostly nothing.

        Args:
            words: the list of words that counts now; without it as for `build`.
        """
        manifest, told = self._index.manifest, []
        if manifest.dictionary != (installed := dictionary_version()):
            told.append(
                f"The index was built with {manifest.dictionary}, and {installed} is installed:"
                " some words may not be found in every form until `searchkit rebuild`."
            )
        listed = words or find(manifest.corpus, self._generations.folder)
        if listed and version_of(Path(listed)) != manifest.wordlist:
            told.append(
                f"{listed} is not the list of words that the index was built with;"
                " `searchkit rebuild` makes it count."
            )
        return told

    def __len__(self) -> int:
        return self._index.manifest.articles

    def article(self, article_id: str) -> Article | None:
        """Return the article with this id, or None."""
        index = self._index
        with index.reading():
            number = index.number(article_id)
            return None if number is None else index.article(number)

    def search(
        self,
        query: str,
        *,
        limit: int = 10,
        offset: int = 0,
        since: DateLike | None = None,
        until: DateLike | None = None,
        sort: Sort = "relevance",
        passages: int = 3,
        explain: bool = False,
        timeout: float | None = None,
        suggest: bool = True,
        readings: bool = False,
    ) -> Results:
        """Return the articles that match a query, as the README's table describes it.

        Args:
            query: any text; nothing that can be typed is an error.
            limit: how many hits, at most.
            offset: how many hits to leave out before them.
            since: the first day (month, year, moment) that counts; an article without a date
                is left out where this or `until` is given.
            until: the last one, included.
            sort: "relevance", or "date" for newest first, undated articles last.
            passages: how many passages of each article, at most.
            explain: also return what each score is made of, and why each word matches.
            suggest: where little is found, look for better queries; it takes some milliseconds.
            readings: also return what ambiguous words may mean.

            timeout: after how many seconds to give up; without it, never.

        Raises:
            DateError: `since` or `until` is not a date.
            RequestError: a number is negative, or `sort` unknown.
            QueryTimeout: it took too long.
            CorruptIndex: a file of the index is damaged.
        """
        if min(limit, offset, passages, timeout or 0) < 0:
            raise RequestError("limit, offset, passages and timeout cannot be negative.")
        if sort not in ("relevance", "date"):
            raise RequestError(f"sort is 'relevance' or 'date', not {sort!r}.")
        window = _window(since, until)
        index = self._index
        with index.reading():
            deadline = Deadline(timeout)
            understood = parse(query, index.terms_of)
            if understood.tree is None:
                return Results(query, understood.read_as, 0, 0, ())
            matcher = Matcher(index, deadline)
            by_date = sort == "date"
            found = top(matcher, understood.tree, offset + limit, window, by_date=by_date)
            hits = _hits(
                matcher, understood.tree, found, offset=offset, passages=passages, explain=explain
            )
            offered: tuple[Suggestion, ...] = ()
            if suggest and is_little(index, query, found.total_complete):
                offered = suggestions(matcher, understood, found, window)
            read = ambiguous(matcher, understood) if readings else ()
        return Results(
            query, understood.read_as, found.total, found.total_complete, hits, offered, read
        )

    def suggest(
        self, prefix: str, limit: int = 10, *, timeout: float | None = None
    ) -> tuple[Completion, ...]:
        """Return what a query that is being typed may become, the most frequent first.

        Its last word is completed, in base form, from the words of the archive.

        Args:
            prefix: the query as far as it was typed.
            limit: how many completions, at most.
            timeout: after how many seconds to give up; without it, never.

        Raises:
            RequestError: a number is negative.
            QueryTimeout: it took too long.
            CorruptIndex: a file of the index is damaged.
        """
        if min(limit, timeout or 0) < 0:
            raise RequestError("limit and timeout cannot be negative.")
        index = self._index
        with index.reading():
            return completions(Matcher(index, Deadline(timeout)), prefix, limit)

    def mark(self, article: Article, query: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        """Return where in an article's title and in its text the words of a query stand.

        The article must be one of this archive's.
        """
        index = self._index
        with index.reading():
            tree = parse(query, index.terms_of).tree
            number = index.number(article.id)
            if number is None or tree is None:
                return (), ()
            marker = Highlighter(Matcher(index), tree, [number])
            title, text = marker.marks(number, *index.stored(number))
            return spans(title), spans(text)


def _window(since: DateLike | None, until: DateLike | None) -> tuple[int, int] | None:
    if since is None and until is None:
        return None
    return (
        parse_span(since)[0] if since is not None else 0,
        parse_span(until)[1] if until is not None else _FOREVER,
    )


def _hits(
    matcher: Matcher, tree: Node, found: Found, *, offset: int, passages: int, explain: bool
) -> tuple[Hit, ...]:
    hits = []
    marker = Highlighter(matcher, tree, found.docs[offset:])
    why = Reasons(matcher.index, tree) if explain else None
    columns = (column[offset:] for column in (found.docs, found.scores, found.complete))
    for number, score, complete in zip(*columns, strict=True):
        matcher.deadline.check()
        article, stones = matcher.index.stored(number)
        if why is None:
            shown = marker.shown(number, article, stones, passages)
            hits.append(Hit(article, score, complete, *shown))
            continue
        title, text = marker.marks(number, article, stones)
        hits.append(
            Hit(
                article,
                score,
                complete,
                spans(title),
                best_passages(article.text, text, passages, why),
                tuple(matcher.explain(tree, number)),
                why.of(article.title, title),
            )
        )
    return tuple(hits)
