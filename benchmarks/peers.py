"""Every engine behind one interface: searchkit, and others that are fed lemmas.

As a program it does one thing in a process of its own, and prints one line of JSON:

    python benchmarks/peers.py build ENGINE CORPUS FOLDER             seconds, memory
    python benchmarks/peers.py search ENGINE FOLDER QUERIES SECONDS THREADS   queries, memory

The other engines cannot have several terms at one position, so each word is fed to them as its
first lemma, by searchkit's own look-up of words; "tantivy, fed by pymorphy3" is what its user would
write without searchkit. What makes a query ready is done by `prepare`; what that returns is what is
timed.
"""

import importlib
import json
import re
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import pymorphy3

from searchkit import Archive
from searchkit.analysis import terms
from searchkit.analysis.normalize import normalize
from searchkit.dates import parse_span
from searchkit.kernel import kernel
from searchkit.query.match import Matcher
from searchkit.query.parse import parse
from searchkit.query.top import top

Run = Callable[[], Any]

BEST = 10  # hits of an answer

# The kinds of queries.
ONE = "one word"
OR = "two words, OR"
AND = "two words, AND"
PHRASE = "phrase"
PLAIN = "two plain words: all first, then some"
SEVERAL = "word with several lemmas"
PREFIX = "prefix"
EXACT = "exact form"
WINDOW = "one word in a tenth of the dates"
NEWEST = "two words, OR, newest first"
KINDS = (ONE, OR, AND, PHRASE, PLAIN, SEVERAL, PREFIX, EXACT, WINDOW, NEWEST)

_WORD = re.compile(r"\w+(?:['’ʼ-]\w+)*")


@dataclass(frozen=True)
class Query:
    """One query.

    Attributes:
        kind: one of KINDS.
        typed: as a user of searchkit would type it.
        words: the first lemma of each word; of a prefix, the prefix; of a form, the form.
        since, until: the days of a window, both included.
    """

    kind: str
    typed: str
    words: tuple[str, ...]
    since: str | None = None
    until: str | None = None


def save(queries: list[Query], path: Path) -> None:
    """Write queries for another process."""
    path.write_text(json.dumps([asdict(query) for query in queries]), encoding="utf-8")


def load(path: Path) -> list[Query]:
    """Read what `save` wrote."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return [Query(**{**each, "words": tuple(each["words"])}) for each in found]


def read_articles(corpus: Path, step: int = 1) -> Iterator[dict[str, str]]:
    """Yield the articles of a JSON Lines file, or every `step`th of them."""
    with corpus.open(encoding="utf-8") as lines:
        yield from map(json.loads, islice(lines, 0, None, step))


class Lemmatizer(dict[str, str]):
    """Each word's first lemma by searchkit, looked up once and remembered."""

    def __missing__(self, word: str) -> str:
        lemma = self[word] = terms(word)[0][0]
        return lemma

    @staticmethod
    def words(text: str) -> list[str]:
        """Return the words of a text, in lower case."""
        return _WORD.findall(text.lower())

    def text(self, text: str) -> str:
        """Return the lemmas of a text's words with spaces between them."""
        return " ".join(map(self.__getitem__, self.words(text)))

    def articles(self, corpus: Path) -> Iterator[tuple[int, str, str]]:
        """Yield each article's day as a number, its title, and the lemmas of title and text."""
        for article in read_articles(corpus):
            title = article.get("title", "")
            yield _day(article.get("date")), title, self.text(f"{title}\n{article['text']}")


class PymorphyLemmatizer(Lemmatizer):
    """Each word's first lemma by pymorphy3 as it comes, looked up once and remembered."""

    def __init__(self) -> None:
        super().__init__()
        self._parse = pymorphy3.MorphAnalyzer(lang="uk").parse

    def __missing__(self, word: str) -> str:
        lemma = self[word] = str(self._parse(normalize(word))[0].normal_form)
        return lemma


def _day(day: str | None) -> int:
    return date.fromisoformat(f"{day}-01-01"[:10]).toordinal() if day else 0


class Engine:
    """What the benchmark asks of an engine.

    Attributes:
        name: in the tables.
        packages: what `pip install` needs; the first one's version is printed.
        modules: what must be importable.
        most: articles that it is given, at most.
        kinds: of queries that it can answer.
        whole: whether it can give titles, dates and passages.
        counts: whether it can say how many articles match.
        builds: whether it has an index of its own; else that of its base class.
        searches: whether more of it is measured than how it builds.
        shares: whether threads may share what was opened.
    """

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()
    modules: ClassVar[tuple[str, ...]] = ()
    most: ClassVar[int | None] = None
    kinds: ClassVar[tuple[str, ...]] = tuple(kind for kind in KINDS if kind != EXACT)
    whole: ClassVar[bool] = True
    counts: ClassVar[bool] = True
    builds: ClassVar[bool] = True
    searches: ClassVar[bool] = True
    shares: ClassVar[bool] = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lemma = Lemmatizer()

    def lemmas(self, query: Query) -> tuple[str, ...]:
        """Return the first lemmas of a query's words as they were typed."""
        return tuple(map(self._lemma.__getitem__, self._lemma.words(query.typed)))

    @classmethod
    def build(cls, corpus: Path, folder: Path) -> None:
        """Make an index of JSON Lines in a folder that exists."""
        raise NotImplementedError

    def prepare(self, query: Query) -> Run:
        """Return what finds the ids and scores of the ten best, from a parsed query."""
        raise NotImplementedError

    def answer(self, query: Query) -> Run:
        """Return what makes ten titles, dates and highlighted passages of a typed query."""
        raise NotImplementedError

    def total(self, query: Query) -> int:
        """Return how many articles match."""
        raise NotImplementedError

    @classmethod
    def version(cls) -> str:
        """Return the version of what is measured."""
        return version(cls.packages[0])


def all_then_some(every: Run, some: Run, *, always: bool = False) -> Run:
    """Return what finds hits with all words and, where they are too few, any hits behind them."""

    def run() -> list[Any]:
        hits: list[Any] = every()
        if always or len(hits) < BEST:
            hits += some()  # those with all words come twice; to drop them would only take longer
        return hits[:BEST]

    return run


class Searchkit(Engine):
    """The engine of this repository, fed plain text."""

    name = "searchkit"
    packages = ("searchkit",)
    kinds = KINDS
    shares = True

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._archive = Archive.open(folder)

    @classmethod
    def build(cls, corpus: Path, folder: Path) -> None:
        """Make an index as `searchkit rebuild` does."""
        Archive.build(corpus, folder)

    def prepare(self, query: Query) -> Run:
        """Do what `Archive.search` does up to the numbers of the best articles."""
        index = self._archive.index
        tree = parse(query.typed, index.terms_of).tree
        assert tree is not None
        window = None
        if query.since and query.until:
            window = parse_span(query.since)[0], parse_span(query.until)[1]
        by_date = query.kind == NEWEST

        def run() -> object:
            found = top(Matcher(index), tree, BEST, window, by_date=by_date)
            return found.docs, found.scores, found.total

        return run

    def parse(self, query: Query) -> Run:
        """Return what parses a query as a search does."""
        return lambda: parse(query.typed, self._archive.index.terms_of)

    def answer(self, query: Query) -> Run:
        """Search as anybody would."""
        since, until = query.since, query.until
        return lambda: self._archive.search(query.typed, limit=BEST, since=since, until=until)

    def total(self, query: Query) -> int:
        """Return the answer's total."""
        return self._archive.search(query.typed, limit=0).total


class NumpyAlone(Searchkit):
    """The same index, searched without the compiled kernel."""

    name = "NumPy alone"
    builds = False

    def prepare(self, query: Query) -> Run:
        """Do the same by NumPy."""
        return _without_kernel(super().prepare(query))

    def answer(self, query: Query) -> Run:
        """Search without the kernel; records are read as ever."""
        return _without_kernel(super().answer(query))


def _without_kernel(run: Run) -> Run:
    modules: list[Any] = [
        importlib.import_module(f"searchkit.{name}")
        for name in ("query.top", "query.match", "highlight")
    ]

    def slow() -> object:
        for module in modules:
            module.kernel = None
        try:
            return run()
        finally:
            for module in modules:
                module.kernel = kernel

    return slow


class Tantivy(Engine):
    """tantivy-py, not counting what else matches; two threads write."""

    name = "tantivy"
    packages = ("tantivy",)
    modules = ("tantivy",)
    shares = True
    counting: ClassVar[bool] = False
    lemmatizer: ClassVar[type[Lemmatizer]] = Lemmatizer

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._tantivy: Any = importlib.import_module("tantivy")
        self._index = self._tantivy.Index.open(str(folder))
        self._searcher = self._index.searcher()

    @classmethod
    def build(cls, corpus: Path, folder: Path) -> None:
        """Make an index; the lemmas are stored, since snippets are made of them."""
        tantivy: Any = importlib.import_module("tantivy")
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("body", stored=True, tokenizer_name="whitespace")
        schema.add_text_field("title", stored=True, tokenizer_name="raw", index_option="basic")
        schema.add_integer_field("day", stored=True, indexed=True, fast=True)
        index = tantivy.Index(schema.build(), path=str(folder))
        writer = index.writer(heap_size=256_000_000, num_threads=2)
        for day, title, body in cls.lemmatizer().articles(corpus):
            writer.add_document(tantivy.Document(day=day, title=title, body=body))
        writer.commit()
        writer.wait_merging_threads()

    def _term(self, word: str) -> Any:
        return self._tantivy.Query.term_query(self._index.schema, "body", word)

    def _join(self, words: tuple[str, ...], how: str) -> Any:
        occur = getattr(self._tantivy.Occur, how)
        return self._tantivy.Query.boolean_query([(occur, self._term(word)) for word in words])

    def _parse(self, query: Query, words: tuple[str, ...]) -> Any:
        ask, schema = self._tantivy.Query, self._index.schema
        if query.kind == PHRASE:
            return ask.phrase_query(schema, "body", list(words))
        if query.kind == PREFIX:
            return ask.regex_query(schema, "body", re.escape(words[0]) + ".*")
        if query.since:
            days = _day(query.since), _day(query.until)
            window = ask.range_query(schema, "day", self._tantivy.FieldType.Integer, *days)
            must = self._tantivy.Occur.Must
            window = ask.const_score_query(window, 0.0)
            return ask.boolean_query([(must, self._term(words[0])), (must, window)])
        if len(words) == 1:
            return self._term(words[0])
        return self._join(words, "Must" if query.kind == AND else "Should")

    def _search(self, parsed: Any, **more: Any) -> Any:
        return self._searcher.search(parsed, limit=BEST, count=self.counting, **more)

    def _best(self, query: Query, words: tuple[str, ...]) -> Run:
        parsed = self._parse(query, words)
        if query.kind == NEWEST:
            return lambda: list(self._search(parsed, order_by_field="day").hits)
        if query.kind != PLAIN:
            return lambda: list(self._search(parsed).hits)
        every = self._join(words, "Must")
        return all_then_some(
            lambda: list(self._search(every).hits),
            lambda: list(self._search(parsed).hits),
            always=self.counting,
        )

    def prepare(self, query: Query) -> Run:
        """Find scores and addresses; for plain words, all of them, then if need be any."""
        return self._best(query, query.words)

    def answer(self, query: Query) -> Run:
        """Lemmatise, search, and make a snippet of each hit, of lemmas as they are stored."""

        def run() -> object:
            words = self.lemmas(query)
            best, found = self._best(query, words), []
            snippets = self._tantivy.SnippetGenerator.create(
                self._searcher, self._parse(query, words), self._index.schema, "body"
            )
            for _, address in best():
                hit = self._searcher.doc(address)
                day = date.fromordinal(hit.get_first("day"))
                passage = snippets.snippet_from_doc(hit).to_html()
                found.append((hit.get_first("title"), day, passage))
            return found

        return run

    def total(self, query: Query) -> int:
        """Count."""
        found = self._searcher.search(self._parse(query, query.words), limit=1, count=True)
        return int(found.count)


class TantivyCounting(Tantivy):
    """The same index, asked to count all that matches, as searchkit always does."""

    name = "tantivy, counting"
    counting = True
    builds = False


class TantivyByPymorphy(Tantivy):
    """The same, fed by pymorphy3's own parses: what its user would write. Only built."""

    name = "tantivy, fed by pymorphy3"
    lemmatizer = PymorphyLemmatizer
    searches = False


class Fts5(Engine):
    """SQLite's full-text search, from Python's own sqlite3."""

    name = "fts5"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._database = sqlite3.connect(folder / "fts5.sqlite")
        self._database.execute("PRAGMA mmap_size = 8000000000")

    @classmethod
    def build(cls, corpus: Path, folder: Path) -> None:
        """Make a table in one transaction, then merge its b-trees into one."""
        database = sqlite3.connect(folder / "fts5.sqlite")
        database.execute("PRAGMA synchronous = OFF")
        database.execute(
            "CREATE VIRTUAL TABLE news USING fts5(day UNINDEXED, title UNINDEXED, body,"
            """ tokenize = "unicode61 remove_diacritics 0 tokenchars '-'''''")"""
        )
        database.executemany(
            "INSERT INTO news(day, title, body) VALUES (?, ?, ?)", Lemmatizer().articles(corpus)
        )
        database.execute("INSERT INTO news(news) VALUES ('optimize')")
        database.commit()
        database.close()

    def _match(self, query: Query, words: tuple[str, ...]) -> str:
        if query.kind == PHRASE:
            return f'"{" ".join(words)}"'
        joint = " AND " if query.kind == AND else " OR "
        return joint.join(f'"{word}"' for word in words) + "*" * (query.kind == PREFIX)

    def _best(self, query: Query, words: tuple[str, ...], columns: str) -> Run:
        order = "day DESC" if query.kind == NEWEST else "rank"
        window = "AND day BETWEEN ? AND ?" if query.since else ""
        days = [_day(query.since), _day(query.until)] if query.since else []
        ask = f"SELECT {columns} FROM news WHERE news MATCH ? {window} ORDER BY {order} LIMIT 10"
        match = self._match(query, words)
        if query.kind != PLAIN:
            return lambda: self._database.execute(ask, [match, *days]).fetchall()
        every = match.replace(" OR ", " AND ")
        return all_then_some(
            lambda: self._database.execute(ask, [every]).fetchall(),
            lambda: self._database.execute(ask, [match]).fetchall(),
        )

    def prepare(self, query: Query) -> Run:
        """Find row numbers and ranks; it parses the query each time."""
        return self._best(query, query.words, "rowid, rank")

    def answer(self, query: Query) -> Run:
        """Lemmatise and search; SQLite makes the snippets."""

        def run() -> object:
            words = self.lemmas(query)
            columns = "title, day, snippet(news, 2, '<b>', '</b>', '…', 32)"
            best = self._best(query, words, columns)
            return [(title, date.fromordinal(day), text) for title, day, text in best()]

        return run

    def total(self, query: Query) -> int:
        """Count."""
        ask = "SELECT count(*) FROM news WHERE news MATCH ?"
        [found] = self._database.execute(ask, [self._match(query, query.words)]).fetchone()
        return int(found)

    @classmethod
    def version(cls) -> str:
        """Return SQLite's version."""
        return sqlite3.sqlite_version


class Whoosh(Engine):
    """Whoosh as it comes, with its own codec; too slow for more than some thousand articles."""

    name = "whoosh"
    packages = ("whoosh3",)
    modules = ("whoosh.index",)
    most = 5_000

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._query: Any = importlib.import_module("whoosh.query")
        self._searcher = importlib.import_module("whoosh.index").open_dir(str(folder)).searcher()

    @classmethod
    def build(cls, corpus: Path, folder: Path) -> None:
        """Make an index of the first articles."""
        fields: Any = importlib.import_module("whoosh.fields")
        spaces = importlib.import_module("whoosh.analysis").SpaceSeparatedTokenizer()
        schema = fields.Schema(
            title=fields.STORED,
            day=fields.NUMERIC(sortable=True, stored=True),
            body=fields.TEXT(analyzer=spaces, stored=True),
        )
        index = importlib.import_module("whoosh.index").create_in(str(folder), schema)
        writer = index.writer(limitmb=256)
        for day, title, body in islice(Lemmatizer().articles(corpus), Whoosh.most):
            writer.add_document(title=title, day=day, body=body)
        writer.commit()

    def _parse(self, query: Query, words: tuple[str, ...]) -> Any:
        each = [self._query.Term("body", word) for word in words]
        if query.kind == PHRASE:
            return self._query.Phrase("body", list(words))
        if query.kind == PREFIX:
            return self._query.Prefix("body", words[0])
        if len(words) == 1:
            return each[0]
        return self._query.And(each) if query.kind == AND else self._query.Or(each)

    def _best(self, query: Query, words: tuple[str, ...]) -> Run:
        parsed, more = self._parse(query, words), {}
        if query.kind == NEWEST:
            more = {"sortedby": "day", "reverse": True}
        if query.since:
            days = _day(query.since), _day(query.until)
            more = {"filter": self._query.NumericRange("day", *days)}
        if query.kind != PLAIN:
            return lambda: self._searcher.search(parsed, limit=BEST, **more)
        every = self._query.And(parsed.subqueries)
        return all_then_some(
            lambda: list(self._searcher.search(every, limit=BEST)),
            lambda: list(self._searcher.search(parsed, limit=BEST)),
        )

    def prepare(self, query: Query) -> Run:
        """Find numbers and scores."""
        return self._best(query, query.words)

    def answer(self, query: Query) -> Run:
        """Lemmatise, search, highlight."""

        def run() -> object:
            words = self.lemmas(query)
            best = self._best(query, words)
            return [
                (hit["title"], date.fromordinal(hit["day"]), hit.highlights("body"))
                for hit in best()
            ]

        return run

    def total(self, query: Query) -> int:
        """Count."""
        return len(self._searcher.search(self._parse(query, query.words), limit=1))


class Bm25s(Engine):
    """bm25s with numba: scores of words, and no more: no AND, phrases, dates or text."""

    name = "bm25s"
    packages = ("bm25s", "numba")
    modules = ("bm25s", "numba")
    most = 200_000  # it takes the whole corpus as lists
    kinds = (ONE, OR, SEVERAL)
    whole = counts = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        bm25s: Any = importlib.import_module("bm25s")
        self._index = bm25s.BM25.load(str(folder), mmap=True)
        self._index.activate_numba_scorer()
        self._known = set(self._index.vocab_dict)

    @classmethod
    def build(cls, corpus: Path, folder: Path) -> None:
        """Make an index."""
        bm25s: Any = importlib.import_module("bm25s")
        numbers: dict[str, int] = {}
        rows = [
            [numbers.setdefault(word, len(numbers)) for word in body.split()]
            for _, _, body in islice(Lemmatizer().articles(corpus), Bm25s.most)
        ]
        index = bm25s.BM25(backend="numba")
        index.index((rows, numbers), show_progress=False)
        index.save(str(folder))

    def prepare(self, query: Query) -> Run:
        """Find numbers and scores of words, any of them."""
        words = [[word for word in query.words if word in self._known]]
        return lambda: self._index.retrieve(words, k=BEST, show_progress=False)


ENGINES: dict[str, type[Engine]] = {
    engine.name: engine
    for engine in (
        Searchkit,
        NumpyAlone,
        Tantivy,
        TantivyByPymorphy,
        TantivyCounting,
        Fts5,
        Whoosh,
        Bm25s,
    )
}


def missing(engine: type[Engine]) -> str | None:
    """Return what to do before an engine can be measured; None if nothing."""
    try:
        for module in engine.modules:
            importlib.import_module(module)
        if engine.packages:
            engine.version()
        elif engine is Fts5:
            sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    except (ImportError, PackageNotFoundError):
        return f"pip install {' '.join(engine.packages)}"
    except sqlite3.OperationalError:
        return "a Python whose SQLite has FTS5"
    return None


# -- in a process of its own -------------------------------------------------------------------


def _peak(who: int) -> float:
    """Return the most memory that was resident, in MB; kilobytes on Linux, bytes on macOS."""
    most = resource.getrusage(who).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def _status() -> dict[str, float]:
    """Return what Linux says of this process's memory, in MB; elsewhere nothing."""
    status = Path("/proc/self/status")
    lines = status.read_text() if status.exists() else ""
    found = re.findall(r"^(\w+):\s+(\d+) kB", lines, re.MULTILINE)
    return {name: int(size) * 1024 / 1e6 for name, size in found}


def _resident() -> dict[str, float]:
    """Return resident memory in MB: the process's own, and that of files it has mapped."""
    status = _status()
    if "RssAnon" not in status:
        return {"peak": _peak(resource.RUSAGE_SELF)}
    return {"own": status["RssAnon"], "files": status["RssFile"]}


def _build(engine: type[Engine], corpus: Path, folder: Path) -> dict[str, float]:
    folder.mkdir(parents=True)
    began = time.perf_counter()
    engine.build(corpus, folder)
    return {
        "seconds": time.perf_counter() - began,
        # getrusage would count what the process was forked from
        "peak": _status().get("VmHWM") or _peak(resource.RUSAGE_SELF),
        "peak_of_child": _peak(resource.RUSAGE_CHILDREN),
    }


def _search(
    engine: type[Engine], folder: Path, queries: list[Query], seconds: float, threads: int
) -> dict[str, float]:
    """Answer all queries once; then, when a line comes in, for so many seconds, in threads."""
    opened = engine(folder)
    runs = [opened.answer(query) for query in queries] if engine.whole else []
    for run in [*runs, *(opened.prepare(query) for query in queries if query.kind in engine.kinds)]:
        run()
    memory = _resident()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()

    def answer(first: int) -> int:
        done = first
        while runs and time.perf_counter() - began < seconds:
            runs[done % len(runs)]()
            done += 1
        return done - first

    if threads == 1:  # SQLite answers in the thread that opened it only
        done = answer(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            done = sum(pool.map(answer, [len(runs) * i // threads for i in range(threads)]))
    return {"queries": done, "seconds": time.perf_counter() - began, **memory}


def main() -> None:
    """Do what the command line says and print the outcome."""
    task, name, *paths = sys.argv[1:]
    engine = ENGINES[name]
    if task == "build":
        outcome = _build(engine, Path(paths[0]), Path(paths[1]))
    else:
        seconds, threads = float(paths[2]), int(paths[3])
        outcome = _search(engine, Path(paths[0]), load(Path(paths[1])), seconds, threads)
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
