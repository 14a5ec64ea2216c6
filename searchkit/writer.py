"""Write: articles become a new generation, the whole of it or the difference to the last.

This process reads and counts the articles; others, as many as there are processors, analyse
them (`codec.runs`).
"""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from searchkit.analysis import NO_WORDS, dictionary_version
from searchkit.article import Article
from searchkit.codec.again import pairs_of, run_of
from searchkit.codec.arrays import Array, stamp, unreadable, write
from searchkit.codec.arrays import check as check_arrays
from searchkit.codec.kept import are_whole
from searchkit.codec.merge import THREADS, merge_runs
from searchkit.codec.runs import Learned
from searchkit.codec.segment import id_hash
from searchkit.codec.toc import write_toc
from searchkit.codec.together import Pairs
from searchkit.codec.workers import Choose, Found, Made, chosen, make_runs, told
from searchkit.corpus import Block, Corpus
from searchkit.errors import (
    ArticleError,
    CorpusError,
    CorruptIndex,
    IndexUnusable,
    RequestError,
)
from searchkit.generations import (
    KEEP,
    MANIFEST,
    REMOVED,
    Averages,
    Generations,
    Manifest,
    count_of,
    damaged,
    is_as_sealed,
    read_manifest,
    timestamp,
)
from searchkit.index import Bools, Index
from searchkit.pieces import PIECES, Pieces
from searchkit.words import Words, stored_terms

if TYPE_CHECKING:  # slow to import, and only of a large archive needed
    import sqlite3

MEMORY = 1000  # MB that a build may take, if nothing else is said
BYTES_A_CHARACTER = 100  # of an article, while its run is made, with all that Python adds
BYTES_A_BYTE = 25  # of JSON, likewise: the kernel reads it
BYTES_A_ROW = 400  # while it is merged
RUN = 4_000  # articles in a run, at most; more would not make it quicker
BLOCK = 12_000_000  # bytes of JSON that are made a run, likewise
SAMPLE = 1_000  # articles that are learned from first; of no more, one process is done the soonest
LEARNED = SAMPLE  # articles of a segment from which there is nothing more to learn
SAMPLE_SIZE = 10_000_000  # characters that these have, if they are long
CACHE = 32_000  # kB of the ids that are kept in memory
IN_MEMORY = 250_000  # ids, 30 MB, before any of them goes to a file

FOUND = 25  # articles of a segment that are looked for by their ids, at least, when it is verified

MAX_SHRINK = 50  # percent of the articles that may be gone
TIER = 10  # times as large as all that is beside it the large segment is at least

Progress = Callable[[], None]
Log = Callable[[str, dict[str, int | str]], None]


@dataclass
class Summary:
    """What a build or an update did; a changed article counts as changed only.

    Attributes:
        is_anew: whether an update read all articles anew, since the dictionary or the list of words
            had changed; then all of them are `added`.
    """

    articles: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    rejected: int = 0
    generation: str = ""
    is_anew: bool = False

    def counts(self) -> dict[str, int | str]:
        """Return how many articles and bad records there are, by what was done with them."""
        others = {"generation", "is_anew"}
        return {name: count for name, count in vars(self).items() if name not in others}


@dataclass(frozen=True)
class Means:
    """What a build may use.

    Attributes:
        jobs: how many processes analyse; None for one a processor.
        memory: MB, in all of them together. What the distinct words of the archive take comes
            on top, and what a process takes that does nothing yet.
        words: the list of words that the dictionary lacks. Without one `rebuild` has none, and
            `update` that of the live generation.
    """

    jobs: int | None = None
    memory: int = MEMORY
    words: Words | None = None

    def __post_init__(self) -> None:
        if (self.jobs is not None and self.jobs < 1) or self.memory < 1:
            raise RequestError("jobs and memory are 1 or more.")

    def processes(self) -> int:
        """Return how many processes analyse."""
        return self.jobs or os.cpu_count() or 1

    def characters(self) -> int:
        """Return how many characters of text each of them may hold."""
        return self.memory * 1_000_000 // BYTES_A_CHARACTER // (self.processes() + 1)

    def block(self) -> int:
        """Return how many bytes of JSON each of them reads at once."""
        return min(self.memory * 1_000_000 // BYTES_A_BYTE // (self.processes() + 1), BLOCK)


@dataclass(frozen=True)
class Publishing:
    """On which terms a generation is published.

    Attributes:
        max_shrink: how many percent of the live generation's articles may be gone.
        force: whether it is published even if more are, or if there is no article at all.
        keep: how many generations are kept, the new one included.
    """

    max_shrink: float = MAX_SHRINK
    force: bool = False
    keep: int = KEEP

    def __post_init__(self) -> None:
        if not 0 <= self.max_shrink <= 100 or self.keep < 1:
            raise RequestError("max_shrink is a percentage, and keep is 1 or more.")

    def agree(self, corpus: Corpus, articles: int, before: int | None) -> None:
        """Raise CorpusError where there are too few articles."""
        if self.force:
            return
        if not articles:
            is_other = corpus.ignored and not corpus.rejected
            only = ", only what is not read (.txt, .jsonl, .json and .csv are)" if is_other else ""
            raise CorpusError(
                f"{corpus.path!r} holds no article{only}; the index is left as it was. If that is"
                " how it should be, say --force."
            )
        if before and articles < before * (1 - self.max_shrink / 100):
            raise CorpusError(
                f"{corpus.path!r} holds {articles:,} articles, and the live index {before:,}:"
                f" {(before - articles) / before:.0%} are gone, more than {self.max_shrink:g} %"
                " (--max-shrink). The index is left as it was. See whether the source is"
                " complete; if it is, say --force."
            )


def rebuild(
    corpus: Corpus,
    folder: str | Path,
    progress: Progress | None = None,
    means: Means = Means(),
    *,
    publishing: Publishing = Publishing(),
    log: Log = lambda *_: None,
) -> Summary:
    """Build a whole generation beside the live one, verify it and switch to it.

    Whatever stops it, the live generation goes on answering.

    Args:
        corpus: where the articles are.
        folder: where the index is.
        progress: called after every article.
        means: processes and memory.
        publishing: on which terms.
        log: called after each step with its name and counts.

    Raises:
        CorpusError: the corpus holds no article, or too few; nothing is published.
        IndexLocked: another process is writing.
    """
    generations = Generations(folder)
    with (
        generations.writing(),
        generations.building() as building,
        _knowing() as known,
    ):
        summary, name = Summary(), _segment_name(0)
        before = _count(generations)

        def is_read() -> None:
            publishing.agree(corpus, summary.articles, before)  # before all of them are merged
            summary.rejected = corpus.rejected
            log("read", summary.counts())

        words = means.words or Words()
        pieces = corpus.pieces = Pieces()
        taking = _Taking(corpus, known, summary, progress)
        made = _Segment(building / name, means, _kept_forms(generations, words))
        averages = made.write(taking.unread(means.block()), taking.choose, is_read)
        pieces.write(building / PIECES)
        segments = [name] if averages else []
        manifest = _manifest(corpus, summary, words, segments, averages or Averages(0, 0))
        return _publish(generations, building, manifest, words, summary, publishing, log)


def update(
    corpus: Corpus,
    folder: str | Path,
    progress: Progress | None = None,
    means: Means = Means(),
    *,
    publishing: Publishing = Publishing(),
    log: Log = lambda *_: None,
) -> Summary:
    """Add new articles, replace changed ones, drop vanished ones: by content, not by clock.

    The result is a generation of its own that shares its large segment with the live one. What is
    new becomes a small one, into which that of the updates before is merged; where it would not
    be small any more, the large one, too. Where nothing has changed it is not made; where no
    index exists yet, or its words were looked up in another dictionary or list of words, it is
    built whole.

    Arguments are those of `rebuild`.

    Raises:
        CorpusError, IndexLocked: as `rebuild`.
        IndexVersion: the live generation needs a rebuild first.
    """
    generations = Generations(folder)
    if not generations.exist():
        return rebuild(corpus, folder, progress, means, publishing=publishing, log=log)
    words = means.words or _words_of(generations.live())
    means = replace(means, words=words)
    if _is_of_other_words(generations, words):
        summary = rebuild(corpus, folder, progress, means, publishing=publishing, log=log)
        summary.is_anew = True
        return summary
    with (
        generations.writing(),
        generations.building() as building,
        closing(Index(generations.live())) as live,
    ):
        change = _Change(corpus, live, progress, publishing, log)
        forms = _kept_forms(generations, words)
        name = _segment_name(int(live.generation.name))
        made = _Segment(building / name, means, forms, change)
        averages = made.write(change.articles())
        summary = change.summary
        if not (summary.added or summary.changed or summary.removed):
            summary.generation = live.generation.name
            return summary
        segments = [live.manifest.segments[which] for which in change.kept]
        shared = {segment for segment in segments if _link(live, segment, building)}
        if averages:
            segments.append(name)
        _write_removed(live, change.alive, change.kept, building)
        change.pieces.write(building / PIECES)
        averages = averages or live.manifest.averages
        manifest = _manifest(corpus, summary, words, segments, averages)
        return _publish(generations, building, manifest, words, summary, publishing, log, shared)


def _sizes(building: Path) -> dict[str, int | str]:
    """Count the files of a build and their bytes, those it shares with others included."""
    sizes = [path.stat().st_size for path in building.iterdir()]
    return {"files": len(sizes), "bytes": sum(sizes)}


def _count(generations: Generations) -> int | None:
    """Return how many articles the live generation has, None if that cannot be told."""
    try:
        return count_of(generations.live())
    except IndexUnusable:
        return None


def _words_of(generation: Path) -> Words:
    """Return the list of words that a generation was built with."""
    version = read_manifest(generation).wordlist
    return Words(version, stored_terms(generation)) if version else Words()


def _is_of_other_words(generations: Generations, words: Words) -> bool:
    live = read_manifest(generations.live())
    return (live.wordlist, live.dictionary) != (words.version, dictionary_version())


def _kept_forms(generations: Generations, words: Words) -> list[Path]:
    """Return the segments that tell which lemmas a word has; none where that is in any doubt."""
    try:
        if _is_of_other_words(generations, words):
            return []
        live = generations.live()
        segments = [live / name for name in read_manifest(live).segments]
        return segments if are_whole(segments) else []
    except IndexUnusable:  # missing, damaged, of another version
        return []


# -- what is to be written ---------------------------------------------------------------------


class _Taking:
    """Which records of a corpus become articles: of those with one id the first.

    Iterating yields the articles that are new or have changed.

    Attributes:
        gone: the numbers of the live generation's articles that have changed.
    """

    def __init__(
        self, corpus: Corpus, known: "_Known", done: Summary, progress: Progress | None
    ) -> None:
        self.gone: list[int] = []
        self._corpus, self._known, self._done, self._progress = corpus, known, done, progress

    def __iter__(self) -> Iterator[Article]:
        return (article for article in self._corpus if self._takes(article.id, article))

    def unread(self, size: int) -> Iterator[Article | Block | None]:
        """Yield what `Corpus.blocks` does, but for articles that are not taken.

        No article is in the index yet.
        """
        for item in self._corpus.blocks(size):
            if not isinstance(item, Article) or self._takes(item.id, item):
                yield item

    def choose(self, block: Block, found: Found) -> list[int]:
        """Return which of the records of a block are taken; reject the bad ones."""
        taken = []
        for number, (line, name, flaw) in enumerate(found):
            self._corpus.place = block.source, line
            if name is None:
                self._corpus.reject(ArticleError(block.source, line, flaw))
            elif self._takes(name):
                taken.append(number)
        return taken

    def _takes(self, name: str, article: Article | None = None) -> bool:
        """Tell whether an article is taken; without it, none of its id may be in the index."""
        article_id = id_hash(name)
        before = self._known.meet(article_id, article)
        source, line = self._corpus.place
        if self._corpus.pieces:
            self._corpus.pieces.add(line, article_id, by_place=name.endswith(f":{line}"))
        if before == "twice":
            self._corpus.reject(ArticleError(source, line, f"the id {name!r} was there already"))
        else:
            self._done.articles += 1
            if before == "new":
                self._done.added += 1
            elif isinstance(before, int):
                self._done.changed += 1
                self.gone.append(before)
        if self._progress:
            self._progress()
        return before not in {"twice", "same"}


class _Change:
    """What an update does to the live generation, which turns out while the source is read.

    Attributes:
        summary: what was found.
        pieces: those of the source.
        alive: which articles of the live generation stay; False for those that have changed, too.
        kept: which of its segments stay as they are, when all is read.
    """

    def __init__(
        self,
        corpus: Corpus,
        live: Index,
        progress: Progress | None,
        publishing: Publishing,
        log: Log,
    ) -> None:
        self.summary = Summary()
        with live.reading():
            known = live.generation / PIECES if PIECES in live.manifest.files else None
            self.pieces = corpus.pieces = Pieces(known)
        self.alive: Bools = np.ones(live.size, bool) if live.alive is None else live.alive.copy()
        self.kept: list[int] = []
        self._corpus, self._live, self._progress = corpus, live, progress
        self._publishing, self._log = publishing, log

    def articles(self) -> Iterator[Article]:
        """Yield what is analysed: new and changed articles, then those that have to be again.

        Raises:
            CorpusError: there are too few in the source; before the last is yielded.
        """
        with _knowing(self._live, self.pieces) as known:
            taking = _Taking(self._corpus, known, self.summary, self._progress)
            yield from taking
            self._decide(taking.gone, known.vanished())
        for which in self._left():
            if not self._is_merged(which):
                base = self._live.bases[which]
                for number in self._living(which).nonzero()[0].tolist():
                    yield self._live.article(base + number)

    def _decide(self, gone: list[int], vanished: list[int]) -> None:
        """Say what stays, now that all is read."""
        summary, corpus = self.summary, self._corpus
        summary.articles += self.pieces.skipped
        if corpus.unreadable:  # what cannot be read has not vanished
            summary.articles += len(vanished)
            vanished = []
        self._publishing.agree(corpus, summary.articles, self._live.articles)
        summary.removed, summary.rejected = len(vanished), corpus.rejected
        self._log("read", summary.counts())
        self.alive[gone + vanished] = False
        self.kept = self._kept()

    def _kept(self) -> list[int]:
        """Return which segments stay as they are: if anything changes, the largest or none.

        It does not where it is not TIER times as large as all others together with what is
        written anyway, or where more of it is gone than is not. Nor does it where it was made of
        too few articles to have learned from them what a rebuild learns.
        """
        summary = self.summary
        if not (summary.added or summary.changed or summary.removed):
            return [*range(len(self._live.segments))]
        if self.taught is None:
            return []
        largest = _largest(self._live)
        living = int(np.count_nonzero(self._living(largest)))
        others = int(np.count_nonzero(self.alive)) - living + summary.added + summary.changed
        stays = living >= max(TIER * others, self._live.segments[largest].size / 2)
        return [largest] if stays else []

    def averages(self) -> Averages | None:
        """Return the averages to rank by, when all is read; None for those of what is written."""
        return self._live.manifest.averages if self.kept else None

    @cached_property
    def taught(self) -> tuple[bytes, Pairs] | None:
        """The dictionary of records and the pairs of words by which all segments are made.

        They are those of the largest; None if they are to be learned anew.
        """
        with self._live.reading():
            if not self._live.segments:
                return None
            segment = self._live.segments[_largest(self._live)]
            if segment.size < LEARNED:
                return None
            return segment.arrays.whole("dictionary").tobytes(), pairs_of(segment)

    def merged(self, folder: Path) -> Made:
        """Write runs of the segments that are merged as they are, when all is read."""
        made: Made = []
        try:
            with self._live.reading():
                for which in filter(self._is_merged, self._left()):
                    path = folder / f"again-{which}.arrays"
                    words = run_of(self._live.segments[which], self._living(which), path)
                    made.append(([path], words))
        except IndexUnusable as error:
            cause = error.__cause__  # what cannot be written is no fault of what is read
            raise (cause if isinstance(cause, OSError) else error) from None
        return made

    def _left(self) -> list[int]:
        """Return which segments do not stay, although some of their articles do."""
        every = range(len(self._live.segments))
        return [i for i in every if i not in self.kept and self._living(i).any()]

    def _living(self, which: int) -> Bools:
        base = self._live.bases[which]
        return self.alive[base : base + self._live.segments[which].size]

    def _is_merged(self, which: int) -> bool:
        """Tell whether a segment was made by what is known; else it is analysed again."""
        own = self._live.segments[which].arrays.whole("dictionary").tobytes()
        return self.taught is not None and self.taught[0] == own


def _largest(live: Index) -> int:
    return max(range(len(live.segments)), key=lambda which: live.segments[which].size)


def _write_removed(live: Index, alive: Bools, kept: Sequence[int], building: Path) -> None:
    removed = {}
    for which in kept:
        base, segment = live.bases[which], live.segments[which]
        numbers = (~alive[base : base + segment.size]).nonzero()[0].astype("<u4")
        if len(numbers):
            removed[segment.path.name] = numbers
    if removed:
        write(building / REMOVED, removed)


@contextmanager
def _knowing(live: Index | None = None, pieces: Pieces | None = None) -> Iterator["_Known"]:
    """Open a `_Known`; if there is no room for its file, say so as of any other."""
    try:
        with closing(_Known(live, pieces)) as known:
            yield known
    except _sqlite_error() as error:  # asked only when something is raised
        raise OSError(f"a temporary file: {error}") from error


def _sqlite_error() -> type[Exception]:
    import sqlite3  # noqa: PLC0415 - slow to import, and only of a large archive needed

    return sqlite3.OperationalError


class _Known:
    """Which ids were met so far: of the live generation's as bits, of all others by themselves.

    Those of a large archive go to a file.

    Args:
        live: the live generation; None for nothing.
        pieces: are asked to skip what is as it was, and was not met.
    """

    def __init__(self, live: Index | None = None, pieces: Pieces | None = None) -> None:
        self._latest = set[bytes]()  # in memory
        self._stored = 0  # in the file
        self._live = live
        self._unmet = np.ones(0, bool)  # of each article number, False for those that are gone, too
        self._leads: Array = np.empty(0, np.uint64)
        if live:
            self._unmet = np.ones(live.size, bool) if live.alive is None else live.alive.copy()
            with live.reading():
                whole = [segment.arrays.whole("ids") for segment in live.segments]
                self._ids = np.concatenate([_NO_IDS, *whole]).reshape(-1, 16)
                orders = (segment.arrays.whole("id_order") for segment in live.segments)
                sorted_ones = (
                    order + np.int64(b) for order, b in zip(orders, live.bases, strict=True)
                )
                numbers = np.concatenate([np.empty(0, np.int64), *sorted_ones])
                numbers = numbers[self._unmet[numbers]]
                leads = _leads(self._ids)[numbers]
                order = np.argsort(leads, kind="stable")  # of what is sorted in parts it is quick
                self._leads, self._numbers = leads[order], numbers[order]
                if pieces:
                    self._rows = self._numbers_of(pieces.ids)
                    pieces.may_skip = self.meet_again

    def close(self) -> None:
        """Remove the file."""
        if "_met" in vars(self):  # if it was made
            self._met.close()

    @cached_property
    def _met(self) -> "sqlite3.Connection":
        """The ids that are not in memory."""
        import sqlite3  # noqa: PLC0415 - slow to import, and only of a large archive needed

        met = sqlite3.connect("")  # a private temporary file
        met.execute(f"pragma cache_size = -{CACHE}")
        met.execute("create table met (id blob primary key) without rowid")
        return met

    def meet(self, article_id: bytes, article: Article | None) -> int | str:
        """Return "new", "same", "twice", or the number of the article that has changed."""
        if self._live is None or article is None:
            return self._meet_new(article_id)
        number = self._find(article_id)
        if number is None:
            return self._meet_new(article_id)
        if not self._unmet[number]:
            return "twice"
        self._unmet[number] = False
        return "same" if self._live.article(number) == article else number

    def _meet_new(self, article_id: bytes) -> str:
        if article_id in self._latest or self._is_stored(article_id):
            return "twice"
        self._latest.add(article_id)
        if len(self._latest) == IN_MEMORY:
            self._store()
        return "new"

    def _is_stored(self, article_id: bytes) -> bool:
        asked = "select 1 from met where id = ?"
        return bool(self._stored and self._met.execute(asked, [article_id]).fetchone())

    def _store(self) -> None:
        """Put the latest ids into the file."""
        self._met.executemany(
            "insert into met values (?)", ([each] for each in sorted(self._latest))
        )
        self._stored += len(self._latest)
        self._latest.clear()

    def _find(self, article_id: bytes) -> int | None:
        """Return the number of the live article with this id."""
        lead = int.from_bytes(article_id[:8], "big")
        place = bisect_left(self._leads.data, lead)
        while place < len(self._leads) and self._leads[place] == lead:
            number = int(self._numbers[place])
            if self._ids[number].tobytes() == article_id:
                return number
            place += 1
        return None

    def _numbers_of(self, ids: Array) -> Array:
        """Return the number of each article, -1 if it is none or that of another, too."""
        if not len(self._leads):
            return np.full(len(ids), -1)
        leads = _leads(ids)
        # What is looked for nearly in order is found in a tenth of the time, and quickly put so.
        order = (leads >> np.uint64(48)).astype(np.uint16).argsort(kind="stable")
        places = np.empty(len(ids), np.int64)
        places[order] = np.minimum(self._leads.searchsorted(leads[order]), len(self._leads) - 1)
        numbers: Array = self._numbers[places]
        is_found = self._leads[places] == leads
        is_found &= self._ids.view("u8")[numbers, 1] == ids.view("u8")[:, 1]
        is_found &= np.bincount(numbers, minlength=len(self._ids))[numbers] == 1
        return np.where(is_found, numbers, -1)

    def meet_again(self, first: int, end: int) -> bool:
        """Meet the articles of a piece that is as it was; return False if that cannot be.

        One of them was met elsewhere, or is not in the live generation: then they are to be read.
        """
        numbers = self._rows[first:end]
        if not self._unmet[numbers].all() or (numbers < 0).any():
            return False
        self._unmet[numbers] = False
        return True

    def vanished(self) -> list[int]:
        """Return the numbers of the live articles that were not met."""
        found: list[int] = self._unmet.nonzero()[0].tolist()
        return found


def _leads(ids: Array) -> Array:
    """Return the first 8 bytes of each id as a number."""
    return ids.view(">u8")[:, 0].astype(np.uint64)


_NO_IDS = np.empty(0, np.uint8)


# -- writing it --------------------------------------------------------------------------------


def _all(_: Block, found: Found) -> Sequence[int]:
    return range(len(found))


@dataclass(frozen=True)
class _Segment:
    """A segment that is to be written.

    Attributes:
        path: where it goes, in a folder that exists.
        means: processes and memory.
        forms: segments that know the lemmas of word forms.
        change: says what else goes into it, and by what it is made; without one, nothing does, and
            all is learned from the articles.
    """

    path: Path
    means: Means
    forms: Sequence[Path]
    change: _Change | None = None

    def write(
        self,
        items: Iterator[Article | Block | None],
        choose: Choose = _all,
        is_read: Callable[[], None] = lambda: None,
    ) -> Averages | None:
        """Write it; return the averages it is ranked by, None where there is no article.

        Args:
            items: articles, and blocks of them as `Corpus.blocks` has them.
            choose: says which articles of a block are written.
            is_read: is called when all is read, before the runs are merged.
        """
        sample, is_full = _sample(items, choose)
        listed = self.means.words.terms if self.means.words else NO_WORDS

        @cache
        def learned() -> Learned:
            if self.change and self.change.taught:
                return Learned(*self.change.taught, listed, self.forms)
            return Learned.of(_first(sample), listed, self.forms)

        # No other build's: one that was killed may have left a process about to write a run.
        folder = self.path.parent / f"runs-{os.urandom(8).hex()}"  # `tempfile` is slow to import
        folder.mkdir(0o700)
        jobs = self.means.processes() if is_full else 1
        runs = _runs(chain(sample, items), self.means.characters())
        made = make_runs(runs, folder, learned, jobs, choose) if sample else []
        is_read()
        made = (self.change.merged(folder) if self.change else []) + made
        averages = self.change.averages() if self.change else None
        at_once = max(self.means.memory * 1_000_000 // BYTES_A_ROW // THREADS, 1)
        if made:
            dictionary = learned().dictionary
            averages = merge_runs(made, dictionary, self.path, averages, at_once=at_once)
        for run in folder.iterdir():
            run.unlink()
        folder.rmdir()
        return averages if made else None


def _sample(items: Iterator[Article | Block | None], choose: Choose) -> tuple[list[Article], bool]:
    """Take the first articles: SAMPLE, if they are not long, and those of a block together.

    Returns:
        Them, and whether there may be more.
    """
    sample, size = list[Article](), 0
    for item in items:
        if isinstance(item, Block):
            read = list(item.read())
            found = chosen(read, choose(item, told(read)))
        else:
            found = [item] if item else []
        sample += found
        size += sum(len(article.text) for article in found)
        if len(sample) >= SAMPLE or size >= SAMPLE_SIZE:
            return sample, True
    return sample, False


def _first(sample: list[Article]) -> list[Article]:
    """Return those that are learned from, which are the same however large the blocks are."""
    ends = [*accumulate(len(article.text) for article in sample[:SAMPLE])]
    return sample[: min(bisect_left(ends, SAMPLE_SIZE) + 1, SAMPLE)]


def _runs(
    items: Iterator[Article | Block | None], characters: int
) -> Iterator[list[Article] | Block | None]:
    """Put articles together that are not in blocks."""
    run, size = list[Article](), 0
    for item in items:
        if isinstance(item, Article):
            run.append(item)
            size += len(item.text)
        if run and (len(run) == RUN or size > characters or isinstance(item, Block)):
            yield run
            run, size = [], 0
        if not isinstance(item, Article):  # None parts no articles: each file of one has it before
            yield item
    if run:
        yield run


def _segment_name(before: int) -> str:
    """Name the segment that is written while the generation of this number is live."""
    return f"segment-{before + 1:06}.arrays"


def _manifest(
    corpus: Corpus, done: Summary, words: Words, segments: Sequence[str], averages: Averages
) -> Manifest:
    """Return what the generation that was built says of itself."""
    return Manifest(
        done.articles,
        corpus.path,
        timestamp(),
        tuple(segments),
        averages,
        done.rejected,
        wordlist=words.version,
    )


def _publish(  # noqa: PLR0917 - each is a part of the whole
    generations: Generations,
    building: Path,
    manifest: Manifest,
    words: Words,
    done: Summary,
    publishing: Publishing,
    log: Log,
    shared: AbstractSet[str] = frozenset(),
) -> Summary:
    log("write", _sizes(building))
    write_toc(building, manifest.segments)
    if words.version:
        words.write(building)

    def check(generation: Path) -> None:
        log("sync", _sizes(generation))
        checked = verify(generation, shared)  # which were verified when they were written
        log("verify", {"files": checked.files, "bytes": checked.bytes})

    done.generation = generations.publish(building, manifest, check, publishing.keep).name
    log("switch", {"generation": done.generation})
    return done


class Checked(NamedTuple):
    """What was read of a generation, and found to be as it was written."""

    generation: str
    files: int
    bytes: int
    articles: int


def verify(generation: Path, shared: AbstractSet[str] = frozenset()) -> Checked:
    """Read a generation as its readers will: every byte of it, and some articles of each segment.

    Args:
        generation: its folder.
        shared: files that are not read, nor their articles.

    Raises:
        CorruptIndex: something is not as it was written.
        IndexUnusable: it cannot be read, or is of another version.
    """
    with closing(Index(generation)) as index:
        files = index.manifest.files
        if not is_as_sealed(generation / MANIFEST):
            raise damaged(generation / MANIFEST)
        for name, (size, crc) in sorted(files.items()):
            path = generation / name
            if name in shared:
                continue
            if name.endswith(".arrays"):
                check_arrays(path)
                continue
            try:
                is_it = stamp(path) == crc and path.stat().st_size == size
            except OSError as error:
                raise unreadable(path, error) from None
            if not is_it:
                raise damaged(path, size=size)
        _find_some(index, shared)
        return Checked(generation.name, len(files) + 1, index.bytes, index.articles)


def _find_some(index: Index, shared: AbstractSet[str]) -> None:
    """Find some articles of each segment by their ids: what is wrong with many is seen by few."""
    living = index.living()
    for segment, base in zip(index.segments, index.bases, strict=True):
        if segment.path.name not in shared:
            own = living[(living >= base) & (living < base + segment.size)]
            for number in own[:: max(1, len(own) // FOUND)].tolist():
                if index.number(index.article(number).id) != number:
                    raise CorruptIndex(
                        f"{index.generation}: article number {number} is not found by its id"
                    )


def _link(live: Index, name: str, building: Path) -> bool:
    """Give a file a second name; copy it where that cannot be, and return False."""
    try:
        os.link(live.generation / name, building / name)
    except OSError:
        import shutil  # noqa: PLC0415 - slow to import, and seldom needed

        shutil.copy2(live.generation / name, building / name)
        return False
    return True
