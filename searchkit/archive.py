"""Archive: the front door. Open an index, search it, build it."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, overload

from searchkit.article import Article
from searchkit.dates import DateLike, parse_span
from searchkit.errors import RequestError
from searchkit.generations import Generations
from searchkit.highlight import Highlighter, Passage, Span, spans
from searchkit.highlight import passages as best_passages
from searchkit.index import Index
from searchkit.query.match import Factor, Matcher
from searchkit.query.parse import parse
from searchkit.query.top import Found, top
from searchkit.query.tree import Node

if TYPE_CHECKING:  # what builds an index is imported when one is built
    from searchkit.corpus import Report
    from searchkit.writer import Progress, Summary

Sort = Literal["relevance", "date"]

_FOREVER = 99999999999999


class Hit(NamedTuple):
    """One article that was found.

    Attributes:
        article: the whole of it.
        score: BM25F and what was added to it; comparable within one query only.
        all_words: whether it has all of the query's words; these hits come first.
        title_spans: where in `article.title` the words that match stand.
        passages: the pieces of the text that answer the query best, the best one first.
        factors: what the score is made of; empty unless it was asked for.
    """

    article: Article
    score: float
    all_words: bool
    title_spans: tuple[Span, ...]
    passages: tuple[Passage, ...]
    factors: tuple[Factor, ...] = ()

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
    """

    query: str
    read_as: str | None
    total: int
    total_all_words: int
    hits: tuple[Hit, ...]

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
    answering from its own, until `refresh`.
    """

    def __init__(self, folder: str | Path) -> None:
        self._generations = Generations(folder)
        self._index = Index(self._generations.live())
        self._switching = threading.Lock()

    @classmethod
    def open(cls, folder: str | Path = "index") -> Self:
        """Open the index in a folder.

        Raises:
            IndexMissing, CorruptIndex, IndexVersion: see `searchkit.errors`.
        """
        return cls(folder)

    @staticmethod
    def build(
        corpus: str | Path,
        folder: str | Path = "index",
        *,
        report: "Report | None" = None,
        progress: "Progress | None" = None,
        jobs: int | None = None,
        memory: int = 1000,
    ) -> "Summary":
        """Build a new generation from a corpus, verify it and switch to it.

        Args:
            corpus: a folder, a file, or "-" for JSON Lines on standard input.
            folder: where the index is.
            report: called with an ArticleError for every bad record; one that raises it stops
                the build. Without it bad records are only counted.
            progress: called after every article.
            jobs: how many processes analyse; without it as many as there are processors.
            memory: MB that they may take together, the archive's distinct words apart.

        Raises:
            CorpusError: there is no article; IndexLocked: another process is writing.
        """
        from searchkit.corpus import Corpus  # noqa: PLC0415
        from searchkit.writer import Means, rebuild  # noqa: PLC0415

        return rebuild(Corpus(corpus, report), folder, progress, Means(jobs, memory))

    @staticmethod
    def update(
        corpus: str | Path,
        folder: str | Path = "index",
        *,
        report: "Report | None" = None,
        progress: "Progress | None" = None,
        jobs: int | None = None,
        memory: int = 1000,
    ) -> "Summary":
        """Bring the index up to date with a corpus; arguments and errors as for `build`."""
        from searchkit.corpus import Corpus  # noqa: PLC0415
        from searchkit.writer import Means, update  # noqa: PLC0415

        return update(Corpus(corpus, report), folder, progress, Means(jobs, memory))

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
        """Give the index's files back."""
        self._index.close()

    def refresh(self) -> bool:
        """Move to the live generation; return whether it was another one than before."""
        with self._switching:
            live = self._generations.live()
            if live == self._index.generation:
                return False
            self._index = Index(live)  # a search that is under way keeps the old one alive
            return True

    @property
    def index(self) -> Index:
        """The open generation, for those who want to look inside."""
        return self._index

    def stats(self) -> dict[str, Any]:
        """Describe the open generation; sizes in bytes, times in ISO 8601, UTC."""
        return self._generations.describe(self._index.generation) | self._index.describe()

    def __len__(self) -> int:
        return self._index.manifest.articles

    def article(self, article_id: str) -> Article | None:
        """Return the article with this id, or None."""
        number = self._index.number(article_id)
        return None if number is None else self._index.article(number)

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
            explain: also return what each score is made of.

        Raises:
            DateError: `since` or `until` is not a date.
            RequestError: a number is negative, or `sort` unknown.
            CorruptIndex: a file of the index is damaged.
        """
        if min(limit, offset, passages) < 0:
            raise RequestError("limit, offset and passages cannot be negative.")
        if sort not in ("relevance", "date"):
            raise RequestError(f"sort is 'relevance' or 'date', not {sort!r}.")
        window = _window(since, until)
        index = self._index
        with index.reading():
            understood = parse(query, index.terms_of)
            if understood.tree is None:
                return Results(query, understood.read_as, 0, 0, ())
            matcher = Matcher(index)
            by_date = sort == "date"
            found = top(matcher, understood.tree, offset + limit, window, by_date=by_date)
            hits = _hits(
                matcher, understood.tree, found, offset=offset, passages=passages, explain=explain
            )
        return Results(query, understood.read_as, found.total, found.total_complete, hits)

    def mark(self, article: Article, query: str) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        """Return where in an article's title and in its text the words of a query stand.

        The article must be one of this archive's.
        """
        index = self._index
        tree = parse(query, index.terms_of).tree
        number = index.number(article.id)
        if number is None or tree is None:
            return (), ()
        with index.reading():
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
    for place, number in enumerate(found.docs[offset:], offset):
        article, stones = matcher.index.stored(number)
        title, text = marker.marks(number, article, stones)
        hits.append(
            Hit(
                article,
                found.scores[place],
                found.complete[place],
                spans(title),
                best_passages(article.text, text, passages),
                tuple(matcher.explain(tree, number)) if explain else (),
            )
        )
    return tuple(hits)
