"""Measure what a day's update costs beside a rebuild, and what a year of them leaves of the speed.

python benchmarks/updates.py
python benchmarks/updates.py --articles 20000 --daily 50 --days 365

A day: the archive grows by some articles; `searchkit index` and `searchkit rebuild` take turns,
each a process of its own, then `Archive.update` in one that has everything imported. The archive is
a file of lines, or one for each day, or each article is a file of text. A year: every day brings a
file of new articles and a correction to one of the day before; then the index is asked beside one
that was built at once, by turns.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import NamedTuple

from peers import AND, ONE, OR, PHRASE, PLAIN, PREFIX, Query, Searchkit
from queries import Drawer

import corpus
from searchkit import Archive
from searchkit.pieces import key_of, sums

KINDS = (ONE, OR, AND, PHRASE, PLAIN, PREFIX)
A_DAY = 500  # articles in a file, where each day has one
BEST_OF = 3  # times that each query is asked of each index

Articles = Iterator[dict[str, str]]


class Cost(NamedTuple):
    """Seconds that something took: by the clock, and of processors."""

    wall: float
    cpu: float


def put(path: Path, articles: Sequence[dict[str, str]] | Articles, mode: str = "w") -> None:
    """Write articles as lines of JSON."""
    with path.open(mode, encoding="utf-8") as out:
        for article in articles:
            out.write(json.dumps(article, ensure_ascii=False) + "\n")


def command(*arguments: str | Path) -> Cost:
    """Run a program of Python's, children and all; return what it cost.

    -P is for who stands in a checkout: what was installed is run, not what lies there.
    """
    # As it is installed: compiled once.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    program = [sys.executable, "-P", *map(str, arguments)]
    subprocess.run(program, check=True, stdout=subprocess.DEVNULL, env=env)
    wall, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measured(run: Callable[[], object]) -> Cost:
    """Return what something in this process cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def as_one_file(source: Path, articles: Articles) -> None:
    """Add articles to a file of lines."""
    put(source / "news.jsonl", articles, "a")


def as_files_of_a_day(source: Path, articles: Articles) -> None:
    """Add a file of lines for each A_DAY articles."""
    while day := list(islice(articles, A_DAY)):
        put(source / f"{len(list(source.iterdir())):05}.jsonl", day)


def as_files_of_text(source: Path, articles: Articles) -> None:
    """Add a file for each article, in a folder for each month."""
    for article in articles:
        path = source / article["date"][:7] / f"{article['id']}.txt"
        path.parent.mkdir(exist_ok=True)
        head = f"date {article['date']} {article['title']}"
        path.write_text(f"{head}\n\n{article['text']}\n", encoding="utf-8")


SHAPES = {
    "one file": as_one_file,
    "a file a day": as_files_of_a_day,
    "a file an article": as_files_of_text,
}


def a_day(
    folder: Path, base: Path, fresh: Sequence[dict[str, str]], shape: str, turns: int
) -> None:
    """Update an archive that grew by a day's articles, and rebuild it, by turns."""
    source, index, before = folder / "grown", folder / "index", folder / "before"
    source.mkdir()
    with base.open(encoding="utf-8") as lines:
        SHAPES[shape](source, map(json.loads, lines))
    searchkit = ("-m", "searchkit", "--corpus", source, "--index")
    command(*searchkit, before, "rebuild")
    SHAPES[shape](source, iter(fresh))
    costs: dict[str, list[Cost]] = {
        name: [] for name in ("rebuild", "update", "update, imported before", "imports and reading")
    }
    for _ in range(turns):
        found = [command(*searchkit, index, "rebuild")]
        shutil.rmtree(index)
        for in_process in (False, True):
            shutil.copytree(before, index, copy_function=os.link)
            if in_process:
                found.append(measured(lambda: Archive.update(source, index)))
            else:
                found.append(command(*searchkit, index, "index"))
            shutil.rmtree(index)
        start = command("-c", "import searchkit.cli, searchkit.writer")
        reading = measured(lambda: _read(source))
        found.append(Cost(start.wall + reading.wall, start.cpu + reading.cpu))
        for name, cost in zip(costs, found, strict=True):
            costs[name].append(cost)
    print(f"\n### {len(fresh)} new articles, {shape}\n")
    print("|  | s | of processors | of the rebuild's |\n| --- | --- | --- | --- |")
    for name, every in costs.items():
        wall, cpu = (statistics.median(each[which] for each in every) for which in (0, 1))
        of_wall, of_cpu = (
            statistics.median(
                a[which] / b[which] for a, b in zip(every, costs["rebuild"], strict=True)
            )
            for which in (0, 1)
        )
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {of_wall:.1%}, {of_cpu:.1%} |")
    shutil.rmtree(before)
    shutil.rmtree(source)


def _read(source: Path) -> None:
    """Read every byte of a source, and do with it what tells that it is as it was."""
    key, buffer = key_of(b"secret"), bytearray(1 << 20)
    for path in source.rglob("*.*"):
        with path.open("rb", buffering=0) as file:
            while size := file.readinto(buffer):
                sums(memoryview(buffer)[:size], key)


def a_year(folder: Path, base: Path, more: Articles, daily: int, days: int) -> tuple[Path, Path]:
    """Update an archive day by day; return its index, and one that was built at once."""
    source = folder / "source"
    source.mkdir()
    shutil.copyfile(base, source / "base.jsonl")
    updated, rebuilt = folder / "updated", folder / "rebuilt"
    Archive.build(source, updated)
    costs, segments, last = [], [], list[dict[str, str]]()
    for day in range(days):
        if last:
            last[0]["text"] += " Виправлено."
            put(source / f"{day - 1:04}.jsonl", last)
        last = list(islice(more, daily))
        put(source / f"{day:04}.jsonl", last)
        costs.append(measured(lambda: Archive.update(source, updated)).cpu)
        with Archive.open(updated) as archive:
            segments.append(len(archive.index.segments))
    whole = measured(lambda: Archive.build(source, rebuilt, jobs=1)).cpu
    print(f"\n### {days} updates of {daily} new articles and one that was changed\n")
    print(f"segments: {segments[-1]} at the end, {max(segments)} at most")
    print(
        f"an update, in s of a processor: {statistics.mean(costs):.2f} (mean),"
        f" {statistics.median(costs):.2f} (median), {max(costs):.2f} (most); a rebuild:"
        f" {whole:.2f}; all updates / a rebuild: {sum(costs) / whole:.1f}"
    )
    return updated, rebuilt


def queries(drawer: Drawer, updated: Path, rebuilt: Path, count: int) -> None:
    """Ask both indexes the same, by turns, and print how much slower the updated one is."""
    engines = Searchkit(updated), Searchkit(rebuilt)
    print("\n### Queries: updated / rebuilt, of the medians and of the sums\n")
    print("|  | the ten best | whole answers |\n| --- | --- | --- |")
    for kind in KINDS:
        drawn, cells = drawer.draw(kind, count), []
        for prepare in ("prepare", "answer"):
            mine, theirs = zip(*(_asked(engines, prepare, each) for each in drawn), strict=True)
            medians = statistics.median(mine) / statistics.median(theirs)
            cells.append(f"{medians:.2f}, {sum(mine) / sum(theirs):.2f}")
        print(f"| {kind} | {' | '.join(cells)} |")


def _asked(engines: Sequence[Searchkit], prepare: str, query: Query) -> list[float]:
    """Return how long each engine takes at best."""
    runs = [getattr(engine, prepare)(query) for engine in engines]
    best = [float("inf")] * len(runs)
    for run in runs:
        run()
    for _ in range(BEST_OF):
        for which, run in enumerate(runs):
            began = time.perf_counter()
            run()
            best[which] = min(best[which], time.perf_counter() - began)
    return best


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=_Plain)
    parser.add_argument("--articles", type=int, default=100_000, help="before the first update")
    parser.add_argument("--update", type=int, default=500, help="articles of the one day")
    parser.add_argument("--turns", type=int, default=3, help="of updates and rebuilds")
    parser.add_argument("--shapes", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--days", type=int, default=365, help="of the year")
    parser.add_argument("--daily", type=int, default=50, help="articles of each of them")
    parser.add_argument("--queries", type=int, default=200, help="of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="folder on a disk with room, for all files")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.work) as name:
        folder = Path(name)
        base = folder / "base.jsonl"
        total = given.articles + given.update + given.daily * given.days
        articles = corpus.articles(total, given.seed)
        put(base, islice(articles, given.articles))
        fresh = list(islice(articles, given.update))
        print(f"{given.articles:,} articles, {base.stat().st_size / 1e6:,.0f} MB")
        for shape in given.shapes if fresh else ():
            a_day(folder, base, fresh, shape, given.turns)
        if given.days:
            drawer = Drawer(base, given.seed)
            queries(drawer, *a_year(folder, base, articles, given.daily, given.days), given.queries)


class _Plain(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Prints the description as it is written."""


if __name__ == "__main__":
    main()
