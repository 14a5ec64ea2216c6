"""Workshop: where faults are tried on a small archive, and what came of them is counted."""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from faults import NO_FAULT, Fault, Kind, Operation, Run, Server

from searchkit import Archive
from searchkit.archive import Results
from searchkit.errors import IndexMissing
from searchkit.writer import SAMPLE

# The rows of the README's table: what is tried.
KINDS = {
    "kill": "`kill -9` at a file operation, before it, after it, halfway through a write",
    "terminate": "`SIGTERM` at a file operation",
    "power": "power cut: of what was not synced nothing, all or some survives",
    "full": "disk full, I/O error, read-only folder, for a moment or for good",
    "vanish": "the folder gone midway",
    "builders": "a second builder at any step of the first",
    "readers": "readers while generations are switched",
    "damage": "files torn, emptied, removed, overwritten, with single bits flipped",
    "foreign": "an index of another format, analyser or dictionary",
    "fuzz": "arbitrary bytes as articles, as queries and as an index",
}

WHO = ["Міська рада", "Громада", "Лікарня", "Бібліотека", "Школа", "Верф", "Пожежна частина"]
DID = [
    "відкрила новий міст через річку",
    "оголосила переговори про зарплати",
    "придбала двадцять нових автобусів",
    "запросила на виставку старих карт",
    "скасувала переговори з підрядником",
]
WHERE = ["у Полтаві", "у Луцьку", "в Умані", "у Ніжині"]
THEN = [
    "Про перебіг переговорів розповіла речниця Олена Гай.",
    "Роботи триватимуть до осені, а новий міст зачекає.",
    "На відкриття прийшли сусіди, учителі та двоє журналістів.",
]

QUERIES = [
    "переговори",
    "нові автобуси",
    '"новий міст"',
    '"речниця переговори"~4',
    "=переговорів",
    "пере* NOT школа",
    "title:громада OR tag:суд",
    "date:[2024-03-05 TO 2024-03-20]",
    "(рада OR верф) AND міст",
]

Answers = tuple[Results, ...]
Some = Callable[[Sequence[Any], int], Sequence[Any]]  # takes so many of many


def write_corpus(path: Path, articles: int, changed: Sequence[int], gone: Sequence[int]) -> Path:
    """Write a corpus: articles by number, some changed by an afterthought, some left out."""
    lines = []
    for i in range(articles):
        text = f"{WHO[i % 7]} {WHERE[i % 4]} {DID[i % 5]}. {THEN[i % 3]}\n\n{THEN[(i + 1) % 3]}"
        article = {
            "id": f"2024/{i}",
            "title": f"{WHO[i % 7]} {DID[i % 5]}",
            "date": f"2024-03-{i % 28 + 1:02}",
            "text": text + " Справу розгляне суд." * (i in changed),
            "tags": ["суд"] if i in changed else [],
        }
        if i not in gone:
            lines.append(json.dumps(article, ensure_ascii=False) + "\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


def ask(archive: Archive) -> Answers:
    """Return what an archive answers to everything that is asked."""
    return tuple(archive.search(query, limit=50) for query in QUERIES)


def found(results: Results) -> str:
    """Return which articles were found, in short."""
    return " ".join(sorted(hit.id for hit in results))


def answers(index: Path) -> Answers:
    """Return what an index answers whoever opens it now."""
    with Archive.open(index) as archive:
        return ask(archive)


def lying(index: Path) -> set[str]:
    """Return the names of all that lies in an index, numbers apart; and how many generations."""
    names = {str(path.relative_to(index)) for path in index.rglob("*")}
    kept = sum(1 for name in names if re.fullmatch(r"\d+", name))
    return {re.sub(r"\d{6}", "N", name) for name in names} | {f"{max(kept, 2)} generations"}


def is_running(process: int) -> bool:
    """Tell whether a process has not ended; one that nobody waits for has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@dataclass
class Tally:
    """What came of the faults of a test.

    Attributes:
        tried: how many faults.
        lost: those after which an index did not answer that should have.
        wrong: those after which it gave answers that were never right.
        amiss: whatever else should not have happened.
    """

    tried: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)

    def expect(self, index: Path, *right: Answers | None, after: str) -> None:
        """Count a fault, and look whether the index gives one of the right answers after it."""
        self.tried += 1
        self.look(index, *right, after=after)

    def look(self, index: Path, *right: Answers | None, after: str) -> None:
        """Look whether an index gives one of the right answers; None stands for no index."""
        try:
            told = answers(index)
        except IndexMissing:
            told = None
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no answer
            self.lost.append(f"{after}: {error!r}")
            return
        if told not in right:
            (self.wrong if told else self.lost).append(after)

    def check(self, is_so: object, what: str) -> None:
        """Note what should be so and is not."""
        if not is_so:
            self.amiss.append(what)


@dataclass(frozen=True)
class Story:
    """A command, the folder with the index before it, and what is answered before and after.

    Attributes:
        folder: where `index` is, before the command.
        after: where it is after the next command.
        args: those of the command; the index is not among them.
        next_args: those of the command that is run the next night.
        old, new: what the index answers before and after; None where there is none.
        healed: what it answers after the next command, whatever became of the first.
        operations: what the command does below the folder.
        lying: what lies in the index after the next command.
    """

    folder: Path
    after: Path
    args: tuple[str | Path, ...]
    next_args: tuple[str | Path, ...]
    old: Answers | None
    new: Answers
    healed: Answers
    operations: list[Operation]
    lying: set[str]

    def changes(self) -> list[int]:
        """Return the numbers of the operations that change something."""
        return [n for n, each in enumerate(self.operations) if each.kind is not Kind.LOOK]

    def publishing(self) -> int:
        """Return the number of the first sync."""
        return next(n for n, each in enumerate(self.operations) if each.kind is Kind.SYNC)


class Workshop:
    """Where faults are tried."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self.folder = folder
        self.old = write_corpus(folder / "old.jsonl", 30, [], [])
        self.between = write_corpus(folder / "between.jsonl", 31, [7], [])
        self.new = write_corpus(folder / "new.jsonl", 33, [4, 11], [2, 9])
        enough = SAMPLE + 20  # for other processes
        self.large = write_corpus(folder / "large.jsonl", enough, [], [])
        self.huge = write_corpus(folder / "huge.jsonl", 2_500, [], [])  # of ids
        self.larger = write_corpus(folder / "larger.jsonl", enough + 20, [1], [])
        self.story = cache(self._story)
        self._tries = 0

    def run(
        self, folder: Path, args: Sequence[str | Path], fault: Fault = NO_FAULT, below: str = ""
    ) -> Run:
        """Run a command on the index in a folder, under a fault that strikes there or `below`."""
        args = [*args, "--index", folder / "index"]
        return self._server.run(args, fault, below=folder / below)

    def run_tight(self, folder: Path, args: Sequence[str | Path], fault: Fault = NO_FAULT) -> Run:
        """Run a command that needs temporary files, under a fault that strikes only there."""
        args = [*args, "--index", folder / "index"]
        return self._server.run(args, fault, below=self._server.temporary, cache=1)

    def go_on(self, stopped: Run) -> Run:
        """Let a command go on that has stopped."""
        return self._server.go_on(stopped)

    def fresh(self, story: Story | None = None) -> Path:
        """Return a new folder, as it was before the command of a story."""
        self._tries += 1
        shutil.rmtree(self.folder / f"try-{self._tries - 9}", ignore_errors=True)
        folder = self.folder / f"try-{self._tries}"
        if story:
            shutil.copytree(story.folder, folder)
        else:
            folder.mkdir()
        return folder

    def _story(self, name: str) -> Story:
        folder = self.folder / name
        folder.mkdir()
        if name == "update":  # of two segments, the small one of which is merged
            assert self.run(folder, ("rebuild", self.old)).code == 0
            assert self.run(folder, ("index", self.between)).code == 0
        elif name != "first":
            assert self.run(folder, ("rebuild", self.new)).code == 0
            assert self.run(folder, ("rebuild", self.old)).code == 0
        args: tuple[str | Path, ...] = {
            "first": ("rebuild", self.old),
            "rebuild": ("rebuild", self.new),
            "update": ("index", self.new),
            "rollback": ("rollback",),
            "huge": ("rebuild", self.huge, "--jobs", "1"),
            "workers": ("rebuild", self.large, "--jobs", "2"),
        }[name]
        next_args = args if name != "rollback" else ("rebuild", self.new)
        before = self.folder / f"{name}-before"
        shutil.copytree(folder, before)
        old = None if name == "first" else answers(folder / "index")
        run = self.run(folder, args)
        assert run.code == 0, run.err
        new = answers(folder / "index")
        assert new != old
        assert all(results.total for results in new)
        assert self.run(folder, next_args).code == 0
        healed, left = answers(folder / "index"), lying(folder / "index")
        return Story(before, folder, args, next_args, old, new, healed, run.operations(), left)
