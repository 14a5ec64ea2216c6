"""Measure searchkit beside other engines: all tables in one run.

python benchmarks/run.py --articles 10000
python benchmarks/run.py --corpus news.jsonl --peers tantivy,fts5 --json figures.json
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from peers import (
    AND,
    ENGINES,
    KINDS,
    ONE,
    PHRASE,
    PLAIN,
    Engine,
    NumpyAlone,
    Query,
    Searchkit,
    missing,
    read_articles,
    save,
)
from peers import __file__ as peers_program
from queries import Drawer

import corpus as made_up
from searchkit.kernel import kernel

ANSWERED = (ONE, PLAIN, PHRASE)  # kinds of queries of which whole answers are measured
BUSY = 4.0  # seconds for which processes answer queries
STARTS = 9  # how often a new process is started

Figures = dict[str, Any]


@dataclass
class Bench:
    """One run: what is measured, where it is kept, and what came out.

    Attributes:
        engines: searchkit first.
        queries: by kind.
        figures: everything that was measured, as --json writes it.
    """

    corpus: Path
    work: Path
    engines: list[type[Engine]]
    queries: dict[str, list[Query]] = field(default_factory=dict)
    figures: Figures = field(default_factory=dict)
    articles: int = 0

    def folder(self, engine: type[Engine]) -> Path:
        """Return where an engine's index is."""
        if not engine.builds:
            [engine] = [e for e in self.engines if e in engine.__bases__]
        return self.work / engine.name

    def builders(self) -> list[type[Engine]]:
        """Return the engines that have an index of their own."""
        return [engine for engine in self.engines if engine.builds]

    def searchers(self) -> list[type[Engine]]:
        """Return the engines of which more is measured than how they build."""
        return [engine for engine in self.engines if engine.searches]

    def given(self, engine: type[Engine]) -> int:
        """Return how many articles an engine has."""
        return min(self.articles, engine.most or self.articles)

    def label(self, engine: type[Engine]) -> str:
        """Return an engine's name, and how many articles it has if these are not all."""
        given = self.given(engine)
        return engine.name if given == self.articles else f"{engine.name} ({given:,} articles)"

    def rivals(self) -> list[type[Engine]]:
        """Return the engines that searchkit's figures are divided by: those with all articles."""
        others = [engine for engine in self.engines if not issubclass(engine, Searchkit)]
        return [engine for engine in others if self.given(engine) == self.articles]


def say(message: str) -> None:
    """Tell a person what is being done."""
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n")
    for row in (head, ["---"] * len(head), *rows):
        print(f"| {' | '.join(row)} |")
    sys.stdout.flush()


# -- 1, 4, 5: building, bytes, memory ----------------------------------------------------------


def build(bench: Bench) -> None:
    """Build every index, each in a process of its own."""
    for engine in bench.builders():
        say(f"building: {engine.name}")
        command = ["build", engine.name, str(bench.corpus), str(bench.folder(engine))]
        done = _program(*command).communicate()[0]
        if not done:
            sys.exit(f"{engine.name}: building has failed; see above.")
        found = json.loads(done)
        found["articles"] = bench.given(engine)
        found["per_second"] = found["articles"] / found["seconds"]
        found["bytes"] = _size(bench.folder(engine))
        bench.figures["building"][engine.name] = found


def _program(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, peers_program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def building_table(bench: Bench, raw: int) -> None:
    """Print speed, size and memory of the builds."""
    found = bench.figures["building"]
    rows = []
    for engine in bench.builders():
        each = found[engine.name]
        text = raw * each["articles"] / bench.articles
        rows.append([
            bench.label(engine),
            f"{each['seconds']:,.1f}",
            f"{each['per_second']:,.0f}",
            f"{each['bytes'] / 1e6:,.1f}",
            f"{each['bytes'] / text:.2f}",
            f"{each['peak']:,.0f}",
            f"{each['peak_of_child']:,.0f}",
        ])  # fmt: skip
    head = ["", "s", "articles/s", "index, MB", "index / raw text", "peak MB", "of a child, MB"]
    table(f"Building; the raw text has {raw / 1e6:,.1f} MB", head, rows)
    rivals = [e for e in bench.rivals() if e.builds and e.whole]
    for name, what in (("articles/s", "per_second"), ("index size", "bytes")):
        for rival in rivals:
            ratio = found["searchkit"][what] / found[rival.name][what]
            print(f"\n{name}, searchkit / {rival.name}: {ratio:.2f}")


# -- 2, 3: queries -----------------------------------------------------------------------------


def _times(runs: list[Any]) -> dict[str, float]:
    """Return median and 99th percentile in ms, after all were run once."""
    for run in runs:
        run()
    taken = []
    for run in runs:
        began = time.perf_counter()
        run()
        taken.append((time.perf_counter() - began) * 1e3)
    return {"median": statistics.median(taken), "p99": float(np.percentile(taken, 99))}


def search(bench: Bench, opened: dict[str, Engine]) -> None:
    """Measure every engine with every kind of queries, one kind after the other."""
    for kind, queries in bench.queries.items():
        say(f"searching: {kind}")
        for name, engine in opened.items():
            if kind in engine.kinds:
                runs = [engine.prepare(query) for query in queries]
                bench.figures["best"].setdefault(kind, {})[name] = _times(runs)
    for kind in ANSWERED:
        say(f"answering: {kind}")
        for name, engine in opened.items():
            if engine.whole:
                runs = [engine.answer(query) for query in bench.queries[kind]]
                bench.figures["answers"].setdefault(kind, {})[name] = _times(runs)
    ours = opened["searchkit"]
    assert isinstance(ours, Searchkit)
    bench.figures["parsing"] = _times([ours.parse(query) for query in bench.queries[PLAIN]])


def times_table(bench: Bench, title: str, figures: Figures) -> None:
    """Print medians and 99th percentiles of some kinds of queries."""
    rivals = {engine.name for engine in bench.rivals()}
    rows = []
    for kind, found in figures.items():
        cells = [
            f"{found[e.name]['median']:.3f} / {found[e.name]['p99']:.3f}"
            if e.name in found
            else "–"
            for e in bench.searchers()
        ]
        beside = [found[name] for name in rivals & found.keys()]
        ratios = [
            f"{found['searchkit'][what] / min(each[what] for each in beside):.2f}"
            if beside
            else "–"
            for what in ("median", "p99")
        ]
        rows.append([kind, *cells, " / ".join(ratios)])
    table(title, ["", *map(bench.label, bench.searchers()), "searchkit / fastest peer"], rows)


def agreement(bench: Bench, opened: dict[str, Engine]) -> None:
    """Print how often the engines find as many articles as searchkit does."""
    print()
    for kind in (ONE, AND):
        queries = bench.queries[kind]
        ours = [opened["searchkit"].total(query) for query in queries]
        print(f"{kind}: searchkit finds {statistics.median(ours):,.0f} articles (median).", end="")
        for engine in bench.rivals():
            if engine.counts and engine.builds and engine.searches:
                theirs = [opened[engine.name].total(query) for query in queries]
                share = sum(map(int.__eq__, ours, theirs)) / len(ours)
                bench.figures["same_total"].setdefault(kind, {})[engine.name] = share
                print(f" {engine.name} finds as many in {share:.1%} of the queries.", end="")
        print()


# -- 5, 7: processes that search ---------------------------------------------------------------


def together(bench: Bench) -> None:
    """Measure the memory of a process that searches, and the speed of one and of two."""
    every = bench.work / "every.json"
    save([query for kind in bench.queries.values() for query in kind[:50]], every)
    plain = bench.work / "plain.json"
    save(bench.queries[PLAIN], plain)
    for engine in bench.builders():
        if not engine.searches:
            continue
        say(f"one process and two: {engine.name}")
        [alone] = _searching(bench, engine, every, 0, 1, 1)
        found: Figures = {key: alone[key] for key in ("own", "files", "peak") if key in alone}
        if engine.whole:
            for count in (1, 2):
                done = _searching(bench, engine, plain, BUSY, count, 1)
                found[f"per_second_{count}"] = sum(d["queries"] / d["seconds"] for d in done)
        if engine.shares:
            [done_by_both] = _searching(bench, engine, plain, BUSY, 1, 2)
            found["per_second_threads"] = done_by_both["queries"] / done_by_both["seconds"]
        bench.figures["processes"][engine.name] = found


def _searching(  # noqa: PLR0917 - two numbers at the end of a command
    bench: Bench, engine: type[Engine], queries: Path, seconds: float, count: int, threads: int
) -> list[Figures]:
    """Let so many processes search at the same time, in so many threads each."""
    folder = str(bench.folder(engine))
    arguments = ["search", engine.name, folder, str(queries), str(seconds), str(threads)]
    started = [_program(*arguments) for _ in range(count)]
    for each in started:
        if not (each.stdout and each.stdout.readline()):
            sys.exit(f"{engine.name}: a process that searches has failed; see above.")
    for each in started:
        if each.stdin:
            each.stdin.write("\n")
            each.stdin.flush()
    return [json.loads(each.communicate()[0]) for each in started]


def together_table(bench: Bench) -> None:
    """Print what `together` measured."""
    rows = []
    for engine in bench.builders():
        if not engine.searches:
            continue
        found = bench.figures["processes"][engine.name]
        one, two = found.get("per_second_1"), found.get("per_second_2")
        speed = [f"{one:,.0f}", f"{two:,.0f}", f"{two / one:.2f}"] if one and two else ["–"] * 3
        threads = found.get("per_second_threads")
        speed += [f"{threads:,.0f}", f"{threads / one:.2f}"] if threads and one else ["–"] * 2
        memory = [f"{found.get(key, found.get('peak')):,.0f}" for key in ("own", "files")]
        rows.append([bench.label(engine), *memory, *speed])
    head = ["", "own MB", "mapped MB", "one process", "two processes", "two / one"]
    head += ["one process, two threads", "threads / one"]
    table("A process that searches; whole answers a second, two plain words", head, rows)


# -- 6: a new process --------------------------------------------------------------------------


def starting(bench: Bench) -> None:
    """Measure whole processes, from the command to the last line.

    They keep their bytecode, as what pip installed has it, whatever the environment says: without
    it Python compiles every module anew each time.
    """
    say("starting processes")
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    index = ["--index", str(bench.folder(bench.engines[0])), "--limit", "10"]
    asked = bench.queries[PLAIN][0].typed
    query = [sys.executable, "-P", "-m", "searchkit", "query", asked, *index]  # what pip installed
    for name, command in (
        ("python -c pass", [sys.executable, "-c", "pass"]),
        ("python -c 'import numpy'", [sys.executable, "-c", "import numpy"]),
        ("searchkit query", query),
    ):
        taken = []
        for _ in range(1 + STARTS):  # the first one writes it
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True, env=environment)
            taken.append((time.perf_counter() - began) * 1e3)
        bench.figures["starting"][name] = statistics.median(taken[1:])
    rows = [[name, f"{taken:.0f}"] for name, taken in bench.figures["starting"].items()]
    table(f"A new process; ms, median of {STARTS}", ["", "ms"], rows)


# -- the run -----------------------------------------------------------------------------------


def conditions(bench: Bench, raw: int) -> Figures:
    """Return all that a figure means nothing without."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "engines": {engine.name: engine.version() for engine in bench.engines},
        "articles": bench.articles,
        "text_bytes": raw,
    }


def measure(bench: Bench, count: int, seed: int) -> None:
    """Measure everything and print it."""
    sizes = [len(f"{a.get('title', '')}{a['text']}".encode()) for a in read_articles(bench.corpus)]
    bench.articles, raw = len(sizes), sum(sizes)
    for part in ("building", "best", "answers", "same_total", "processes", "starting"):
        bench.figures[part] = {}
    bench.figures["conditions"] = conditions(bench, raw)
    for name, value in bench.figures["conditions"].items():
        print(f"- {name}: {value}")
    build(bench)
    building_table(bench, raw)
    say("drawing queries")
    drawer = Drawer(bench.corpus, seed)
    bench.queries = {kind: drawer.draw(kind, count) for kind in KINDS}
    opened = {engine.name: engine(bench.folder(engine)) for engine in bench.searchers()}
    search(bench, opened)
    title = f"ms, median / 99th percentile of {count} queries"
    times_table(bench, f"Ids and scores of the ten best; {title}", bench.figures["best"])
    agreement(bench, opened)
    title = f"Titles, dates and highlighted passages of the ten best; {title}"
    times_table(bench, title, bench.figures["answers"])
    parsing = bench.figures["parsing"]["median"] * 1e3
    print(f"\nParsing of two plain words is part of it: {parsing:.0f} µs (median).")
    together(bench)
    together_table(bench)
    starting(bench)
    bench.figures["conditions"]["load_after"] = os.getloadavg()[0]


def chosen(names: str) -> list[type[Engine]]:
    """Return searchkit and the peers that were asked for, but for those that are not there."""
    engines: list[type[Engine]] = [Searchkit, *([NumpyAlone] if kernel else [])]
    for name in names.split(","):
        if name not in ENGINES:
            sys.exit(f"There is no peer {name!r}; choose from {', '.join(ENGINES)}.")
        if wanted := missing(ENGINES[name]):
            say(f"{name} is left out; it needs: {wanted}")
        elif not issubclass(ENGINES[name], Searchkit):
            own = [engine for engine in ENGINES.values() if ENGINES[name] in engine.__mro__]
            engines += own
    return engines


def growth_table(few: Bench, many: Bench) -> None:
    """Print by how much the medians of the ten best have grown."""
    ratio = many.articles / few.articles
    rows = []
    for kind, found in many.figures["best"].items():
        before = few.figures["best"][kind]
        each = [
            f"{found[e.name]['median'] / before[e.name]['median']:.1f}" if e.name in found else "–"
            for e in many.searchers()
        ]
        rows.append([kind, *each])
    table(f"The ten best: growth of the medians for {ratio:g} times the articles",
          ["", *(engine.name for engine in many.searchers())], rows)  # fmt: skip


def main() -> None:
    """Read the command line, make what is missing, and measure."""
    parser = argparse.ArgumentParser(description="Measure searchkit beside other engines.")
    parser.add_argument("--corpus", type=Path, help="JSON Lines; made up if none is given")
    parser.add_argument(
        "--articles", type=int, nargs="+", default=[10_000],
        help="of a made-up corpus; of two sizes and more the growth is told, too",
    )  # fmt: skip
    parser.add_argument("--peers", default="tantivy,fts5,bm25s,whoosh")
    parser.add_argument("--queries", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write all figures there")
    parser.add_argument("--work", type=Path, help="where the indexes are made; a big, fast disk")
    given = parser.parse_args()
    done: list[Bench] = []
    try:
        for count in given.articles[: 1 if given.corpus else None]:
            with tempfile.TemporaryDirectory(dir=given.work) as work:
                corpus = given.corpus or Path(work, "corpus.jsonl")
                if not given.corpus:
                    say(f"writing {count:,} articles")
                    made_up.write(corpus, count)
                done.append(Bench(corpus, Path(work), chosen(given.peers)))
                measure(done[-1], given.queries, given.seed)
        if len(done) > 1:
            growth_table(done[0], done[-1])
    finally:  # what was measured before something failed is kept
        if given.json:
            text = json.dumps([bench.figures for bench in done], ensure_ascii=False, indent=1)
            given.json.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
