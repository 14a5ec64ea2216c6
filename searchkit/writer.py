"""Write: articles become a new generation, the whole of it or the difference to the last."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import whoosh.index

from searchkit.analysis.tokenize import spans
from searchkit.article import Article
from searchkit.corpus import Corpus
from searchkit.dates import parse_span
from searchkit.errors import ArticleError, CorpusError, CorruptIndex
from searchkit.generations import Generations, Manifest, timestamp
from searchkit.index import Index
from searchkit.schema import schema

BUFFER_MB = 64  # postings kept in memory before Whoosh sorts them on disk

Progress = Callable[[], None]


@dataclass
class Summary:
    """What a build or an update did; a changed article counts as changed only."""

    articles: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    rejected: int = 0
    generation: str = ""


def rebuild(corpus: Corpus, folder: str | Path, progress: Progress | None = None) -> Summary:
    """Build a whole generation beside the live one, verify it and switch to it.

    Whatever stops it, the live generation goes on answering.

    Raises:
        CorpusError: the corpus holds no article; nothing is published.
        IndexLocked: another process is writing.
    """
    generations = Generations(folder)
    with (
        generations.writing(),
        generations.building() as building,
        closing(_Known()) as known,
    ):
        writer = whoosh.index.create_in(str(building), schema()).writer(limitmb=BUFFER_MB)
        summary = _fill(writer, corpus, known, progress)
        return _publish(generations, building, corpus, summary)


def update(corpus: Corpus, folder: str | Path, progress: Progress | None = None) -> Summary:
    """Add new articles, replace changed ones, drop vanished ones: by content, not by clock.

    The result is a generation of its own that shares its unchanged files with the live one.
    Where nothing has changed, or no index exists yet, it is not made, or built whole.

    Raises:
        CorpusError, IndexLocked: as `rebuild`.
        IndexVersion: the live generation needs a rebuild first.
    """
    generations = Generations(folder)
    if not generations.exist():
        return rebuild(corpus, folder, progress)
    with (
        generations.writing(),
        generations.building() as building,
        closing(_Known(generations.live())) as known,
    ):
        live = generations.live()
        for path in live.iterdir():
            if path.name != "generation.json":
                _link(path, building / path.name)
        writer = whoosh.index.open_dir(str(building)).writer(limitmb=BUFFER_MB)
        summary = _fill(writer, corpus, known, progress)
        if not (summary.added or summary.changed or summary.removed):
            summary.generation = live.name
            return summary
        return _publish(generations, building, corpus, summary)


def _fill(writer: Any, corpus: Corpus, known: "_Known", progress: Progress | None) -> Summary:
    """Give a Whoosh writer what is new, and take from it what has gone."""
    summary = Summary()
    try:
        for article in corpus:
            _take(article, corpus, known, writer, summary)
            if progress:
                progress()
        if not summary.articles:
            raise CorpusError(  # noqa: TRY301 - the writer must be cancelled for it too
                f"{corpus.path!r} holds no article; the index is left as it was."
            )
        for number in known.vanished():
            writer.delete_document(number)
            summary.removed += 1
    except BaseException:
        writer.cancel()
        raise
    writer.commit()
    summary.rejected = corpus.rejected
    return summary


def _publish(generations: Generations, building: Path, corpus: Corpus, summary: Summary) -> Summary:
    manifest = Manifest(summary.articles, corpus.path, timestamp(), summary.rejected)
    summary.generation = generations.publish(building, manifest, verify).name
    return summary


def _take(article: Article, corpus: Corpus, known: "_Known", writer: Any, done: Summary) -> None:
    digest = article.digest()
    before = known.meet(article.id, digest)
    if before == "twice":
        source, line = corpus.place
        corpus.reject(ArticleError(source, line, f"the id {article.id!r} was there already"))
        return
    done.articles += 1
    if before == "same":
        return
    if before == "new":
        done.added += 1
    else:
        done.changed += 1
        writer.delete_document(before)
    writer.add_document(**_document(article, digest))


def _document(article: Article, digest: bytes) -> dict[str, Any]:
    first, last = parse_span(article.date) if article.date else (0, 0)
    fields = {name: getattr(article, name) for name in Article.__match_args__}
    return {name: value for name, value in fields.items() if value} | {
        "digest": digest,
        "first": first,
        "last": last,
        "title_length": sum(1 for _ in spans(article.title)),
        "text_length": sum(1 for _ in spans(article.text)),
    }


def verify(generation: Path) -> None:
    """Read a generation as its readers will, every article of it.

    Raises:
        CorruptIndex: something is not as it was written.
    """
    index = Index(generation)
    try:
        for number in index.living():
            if index.article(number).digest() != index.digest(number):
                raise CorruptIndex(f"{generation}: article number {number} differs from its digest")
    finally:
        index.close()


class _Known:
    """The ids met so far and those of the live generation, on disk: memory stays flat."""

    def __init__(self, generation: Path | None = None) -> None:
        self._ids = sqlite3.connect("")  # a private temporary file
        self._ids.execute(
            "create table ids (id text primary key, digest blob, number integer, met integer)"
            " without rowid"
        )
        if generation is not None:
            live = Index(generation)
            rows = (
                (live.article(number).id, live.digest(number), number, 0)
                for number in live.living()
            )
            self._ids.executemany("insert into ids values (?, ?, ?, ?)", rows)
            live.close()

    def close(self) -> None:
        """Remove the file."""
        self._ids.close()

    def meet(self, article_id: str, digest: bytes) -> int | str:
        """Return "new", "same", "twice", or the number of the article that has changed."""
        row = self._ids.execute(
            "select digest, number, met from ids where id = ?", [article_id]
        ).fetchone()
        if row is None:
            self._ids.execute("insert into ids values (?, ?, null, 1)", [article_id, digest])
            return "new"
        if row[2]:
            return "twice"
        self._ids.execute("update ids set met = 1 where id = ?", [article_id])
        return "same" if row[0] == digest else int(row[1])

    def vanished(self) -> list[int]:
        """Return the numbers of the articles that were not met again."""
        return [number for (number,) in self._ids.execute("select number from ids where not met")]


def _link(source: Path, target: Path) -> None:
    """Give a file a second name; copy it where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
