"""A nightly job that nobody watches: what is kept, what is refused, what readers see."""

import errno
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from searchkit import Archive
from searchkit.cli import main
from searchkit.codec.arrays import read
from searchkit.errors import (
    CorpusError,
    CorruptIndex,
    IndexMissing,
    IndexUnusable,
    QueryTimeout,
    RequestError,
)
from searchkit.generations import Generations, sealed
from searchkit.kernel import kernel as compiled
from searchkit.query.match import Deadline, Matcher, asked
from searchkit.query.parse import parse
from searchkit.query.suggest import suggestions
from searchkit.query.top import Found, top
from searchkit.writer import SAMPLE

Build = Callable[..., Any]

both_ways = pytest.mark.parametrize("build", [Archive.build, Archive.update])


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[..., Path]:
    """Write a corpus: each text becomes an article whose id is its last word."""

    def write(*texts: str) -> Path:
        path = tmp_path / "articles.jsonl"
        records = ({"id": text.split()[-1], "text": text} for text in texts)
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        path.write_text("".join(lines), encoding="utf-8")
        return path

    return write


def generations(index: Path) -> list[str]:
    return sorted(path.name for path in index.iterdir() if path.name.isdigit())


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


# -- what is kept -------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("keep", [1, 2, 4])
def test_so_many_generations_are_kept_as_were_asked_for(
    corpus: Callable[..., Path], index: Path, build: Build, keep: int
) -> None:
    for number in range(6):
        build(corpus(f"лис {number}"), index, keep=keep, force=True)
    assert generations(index) == [f"{number:06}" for number in range(7 - keep, 7)]
    for number in range(5, 6 - keep, -1):
        assert Archive.rollback(index) == f"{number:06}"
        with Archive.open(index) as archive:
            assert archive.search("лис")[0].id == str(number - 1)
    with pytest.raises(IndexMissing):
        Archive.rollback(index)


def test_less_than_one_generation_cannot_be_kept(corpus: Callable[..., Path], index: Path) -> None:
    with pytest.raises(RequestError):
        Archive.build(corpus("лис 1"), index, keep=0)
    assert run("rebuild", corpus("лис 1"), "--index", index, "--keep", 0).exit_code == 2


READ_UNTIL_TOLD = """
import sys
from searchkit import Archive

archive = Archive.open(sys.argv[1])
print("open", flush=True)
for line in sys.stdin:
    print(archive.search("лис")[0].id, flush=True)
"""


def test_a_build_runs_nothing_of_the_folder_that_it_is_started_in(
    tmp_path: Path, index: Path, corpus: Callable[..., Path]
) -> None:
    for name in ("json.py", "searchkit.py", "numpy.py"):
        (tmp_path / name).write_text("import os; os._exit(7)", encoding="utf-8")
    program = Path(sys.executable).with_name("searchkit")
    many = corpus(*(f"лис {number}" for number in range(2 * SAMPLE)))  # for more than one process
    command = [str(program), "rebuild", str(many), "--index", str(index), "--jobs", "2"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    assert (done.returncode, b"2,000 articles" in done.stderr) == (0, True)


@contextmanager
def reader(index: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has an index open, and tells what it finds for each line it gets."""
    with subprocess.Popen(
        [sys.executable, "-c", READ_UNTIL_TOLD, index],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        yield process


@pytest.mark.skipif(os.name == "nt", reason="files that are open are not removed there")
def test_what_another_process_reads_is_kept_until_it_ends(
    corpus: Callable[..., Path], index: Path
) -> None:
    """Though it be killed: then the next build removes it."""
    Archive.build(corpus("лис 0"), index)
    with reader(index) as process:
        for number in range(1, 5):
            Archive.build(corpus(f"лис {number}"), index)
        assert generations(index) == ["000001", "000004", "000005"]
        assert process.stdin
        assert process.stdout
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "0\n"
        process.send_signal(signal.SIGKILL)
    with pytest.raises(CorpusError):
        Archive.build(corpus(), index)
    assert generations(index) == ["000004", "000005"]


def test_a_closed_archive_keeps_nothing(corpus: Callable[..., Path], index: Path) -> None:
    Archive.build(corpus("лис 0"), index)
    archive = Archive.open(index)
    archive.close()
    for number in range(1, 3):
        Archive.build(corpus(f"лис {number}"), index)
    assert generations(index) == ["000002", "000003"]


def test_a_closed_archive_says_that_it_is_closed(corpus: Callable[..., Path], index: Path) -> None:
    Archive.build(corpus("лис"), index)
    with Archive.open(index) as archive:
        assert archive.search("лис").total == 1
    for ask in (lambda: archive.search("лис"), archive.stats, archive.refresh):
        with pytest.raises(RequestError, match=r"The archive is closed; open it again"):
            ask()


# -- what readers see ---------------------------------------------------------------------------


def test_an_archive_that_follows_moves_by_itself(corpus: Callable[..., Path], index: Path) -> None:
    """Within a second, and back again."""
    Archive.build(corpus("лис 0"), index)
    with Archive.open(index, follow=True) as archive, Archive.open(index) as stays:
        Archive.build(corpus("лис 1"), index)
        assert _within_a_second(lambda: archive.search("лис")[0].id == "1")
        Archive.rollback(index)
        assert _within_a_second(lambda: archive.article("0") is not None)
        assert stays.search("лис")[0].id == "0"


def _within_a_second(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 1
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def test_an_archive_that_follows_does_not_move_to_what_cannot_be_opened(
    corpus: Callable[..., Path], index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The generation that is open goes on answering."""
    monkeypatch.setattr("searchkit.archive._PAUSE", 0)
    Archive.build(corpus("лис 0"), index)
    with Archive.open(index, follow=True) as archive:
        Archive.build(corpus("лис 1"), index)
        manifest = index / "000002" / "generation.json"
        whole = manifest.read_bytes()
        manifest.write_bytes(whole[:-9])
        assert archive.search("лис")[0].id == "0"
        with pytest.raises(CorruptIndex):
            archive.refresh()
        pointer = (index / "live.json").read_bytes()
        (index / "live.json").unlink()
        assert archive.search("лис")[0].id == "0"
        manifest.write_bytes(whole)
        (index / "live.json").write_bytes(pointer)
        assert archive.search("лис")[0].id == "1"


def test_threads_find_something_at_every_moment_of_many_switches(
    corpus: Callable[..., Path], index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("searchkit.archive._PAUSE", 0)
    Archive.build(corpus("лис 0", "лис лис"), index)
    wrong: list[object] = []
    done = threading.Event()
    with Archive.open(index, follow=True) as archive:

        def ask() -> None:
            seen = 0
            while not done.is_set():
                try:
                    found = sorted(hit.id for hit in archive.search("лис"))
                    number = int(found[0])
                except Exception as error:  # noqa: BLE001 - any is wrong
                    wrong.append(error)
                    return
                if len(found) != 2 or number < seen:
                    wrong.append(found)
                seen = number

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for number in range(1, 9):
            Archive.build(corpus(f"лис {number}", "лис лис"), index, jobs=1)
        done.set()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert sorted(hit.id for hit in archive.search("лис")) == ["8", "лис"]


def test_an_archive_opens_though_the_generation_is_replaced_meanwhile(
    corpus: Callable[..., Path], index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pointer was read, and what it named is gone before it is opened."""
    Archive.build(corpus("лис 0"), index)
    live = Generations.live

    def late(self: Generations) -> Path:
        found = live(self)
        monkeypatch.undo()
        for number in range(1, 4):
            Archive.build(corpus(f"лис {number}"), index)
        assert not found.exists()
        return found

    monkeypatch.setattr(Generations, "live", late)
    with Archive.open(index) as archive:
        assert archive.search("лис")[0].id == "3"


# -- what is refused ----------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize(
    ("left", "options", "is_refused"),
    [
        (5, {}, False),
        (4, {}, True),
        (0, {}, True),
        (4, {"max_shrink": 60}, False),
        (9, {"max_shrink": 0}, True),
        (10, {"max_shrink": 0}, False),
        (1, {"max_shrink": 100}, False),
        (0, {"max_shrink": 100}, True),
        (1, {"force": True}, False),
        (0, {"force": True}, False),
    ],
)
def test_a_source_that_lost_too_many_articles_is_refused(  # noqa: PLR0917 - the table's columns
    corpus: Callable[..., Path],
    index: Path,
    build: Build,
    left: int,
    options: dict[str, Any],
    is_refused: bool,
) -> None:
    Archive.build(corpus(*(f"лис {number}" for number in range(10))), index)
    path = corpus(*(f"лис {number}" for number in range(left)))
    if is_refused:
        with pytest.raises(CorpusError, match=r"left as it was.*--force"):
            build(path, index, **options)
    else:
        assert build(path, index, **options).articles == left
    with Archive.open(index) as archive:
        assert archive.search("лис").total == len(archive) == (10 if is_refused else left)
        assert (archive.search("NOT курка").total, archive.article("10")) == (len(archive), None)


@pytest.mark.parametrize("command", ["index", "rebuild"])
def test_the_sentence_of_a_refusal_says_what_to_do(
    corpus: Callable[..., Path], index: Path, command: str
) -> None:
    """On the command line it is exit code 2."""
    path = corpus(*(f"лис {number}" for number in range(8)))
    assert run("rebuild", path, "--index", index).exit_code == 0
    corpus("лис 1", "лис 2")
    answer = run(command, path, "--index", index)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == (
        f"Error: {str(path)!r} holds 2 articles, and the live index 8: 75% are gone, more than"
        " 50 % (--max-shrink). The index is left as it was. See whether the source is complete;"
        " if it is, say --force.\n"
    )
    path.unlink()
    gone = run(command, path, "--index", index)
    assert (gone.exit_code, "no corpus at" in gone.stderr) == (2, True)
    assert generations(index) == ["000001"]
    assert run(command, path, "--index", index, "--force").exit_code == 0
    with Archive.open(index) as archive:
        assert len(archive) == 0
    corpus("лис 1")
    assert run(command, path, "--index", index).exit_code == 0
    with Archive.open(index) as archive:
        assert archive.search("лис").total == 1


def test_a_damaged_live_generation_is_no_reason_to_refuse(
    corpus: Callable[..., Path], index: Path
) -> None:
    """How many articles it had is not known, and a rebuild heals it."""
    Archive.build(corpus(*(f"лис {number}" for number in range(8))), index)
    manifest = index / "000001" / "generation.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"articles": 8', "7"))
    assert Archive.build(corpus("лис 1"), index).articles == 1


# -- check --------------------------------------------------------------------------------------


def test_check_says_in_one_line_that_all_is_well(corpus: Callable[..., Path], index: Path) -> None:
    Archive.build(corpus("лис 0", "лис 1"), index)
    Archive.build(corpus("лис 0", "лис 2"), index)
    size = sum(path.stat().st_size for path in (index / "000002").iterdir())
    answer = run("check", "--index", index)
    assert (answer.exit_code, answer.stdout) == (
        0,
        f"Generation 000002: 2 articles, 4 files, {size:,} bytes: all as it was written.\n",
    )
    every = run("check", "--all", "--index", index)
    assert [line[:18] for line in every.stdout.splitlines()] == [
        "Generation 000002:",
        "Generation 000001:",
    ]


@pytest.mark.parametrize("name", ["segment-000001.arrays", "_MAIN_1.toc", "generation.json"])
def test_check_names_the_file_that_is_damaged(
    corpus: Callable[..., Path], index: Path, name: str
) -> None:
    """Any bit of it, and nothing else; exit code 3."""
    Archive.build(corpus("лис 0", "лис 1"), index)
    path = index / "000001" / name
    whole = path.read_bytes()
    unnoticed = 0
    for at in range(0, len(whole), 101):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        path.write_bytes(damaged)
        try:
            Archive.check(index)
        except CorruptIndex as error:
            assert str(path) in str(error)  # noqa: PT017 - not all raise
        else:
            unnoticed += 1
    assert unnoticed == 0
    answer = run("check", "--index", index)
    assert answer.exit_code == 3
    assert "`searchkit rebuild`" in answer.stderr


def test_check_says_between_which_bytes(corpus: Callable[..., Path], index: Path) -> None:
    texts = (f"лис спить {number} разів, {number}" for number in range(900))
    Archive.build(corpus(*texts), index)
    path = index / "000001" / "segment-000001.arrays"
    whole = bytearray(path.read_bytes())
    whole[20_000] ^= 4
    whole[40_000] ^= 4
    path.write_bytes(whole)
    with pytest.raises(CorruptIndex, match=r"damaged between bytes 16384 and 20480 \(in '"):
        Archive.check(index)


def test_check_says_how_long_a_file_should_be(corpus: Callable[..., Path], index: Path) -> None:
    Archive.build(corpus("лис"), index)
    path = index / "000001" / "_MAIN_1.toc"
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    size = len(whole)
    with pytest.raises(CorruptIndex, match=f"at byte {size - 5}: it has {size - 5}, not {size};"):
        Archive.check(index)
    path.write_bytes(whole[:-1] + b"?")
    with pytest.raises(CorruptIndex, match=f"_MAIN_1.toc is damaged between bytes 0 and {size};"):
        Archive.check(index)


class Failing(io.BytesIO):
    """A file on a disk that fails from a byte on."""

    def readinto(self, buffer: Any, /) -> int:
        """Read what can be read."""
        if self.tell() + memoryview(buffer).nbytes > 20_000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().readinto(buffer)


def test_check_says_where_a_disk_fails(
    corpus: Callable[..., Path], index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index may be whole, and is not said to be damaged."""
    Archive.build(corpus(*(f"лис спить {number} разів, {number}" for number in range(900))), index)
    path = index / "000001" / "segment-000001.arrays"
    arrays = read(path)
    monkeypatch.setattr("searchkit.codec.arrays._AT_ONCE", 4096)
    monkeypatch.setattr(
        "searchkit.codec.arrays.open_plain", lambda path: Failing(path.read_bytes())
    )
    with pytest.raises(IndexUnusable, match="be read between bytes 16384 and 20480: I") as caught:
        arrays.all_sure()
    assert type(caught.value) is IndexUnusable


@pytest.mark.skipif(os.name == "nt", reason="a mapped file cannot be cut off there")
@pytest.mark.parametrize("ask", ["search", "article", "suggest"])
def test_a_file_that_is_cut_off_while_it_is_open_does_not_end_the_process(
    corpus: Callable[..., Path], index: Path, ask: str
) -> None:
    """As a look at what is gone would."""
    Archive.build(corpus(*(f"лис спить {number} разів, {number}" for number in range(900))), index)
    path = index / "000001" / "segment-000001.arrays"
    with Archive.open(index) as archive:
        os.truncate(path, 8192)
        with pytest.raises(CorruptIndex, match="was cut off at byte 8192 while it was open"):
            getattr(archive, ask)("лис")


# -- the log ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["index", "rebuild"])
def test_a_log_has_a_line_a_step_and_a_summary(
    corpus: Callable[..., Path], index: Path, command: str
) -> None:
    Archive.build(corpus("лис 0"), index)
    path = corpus("лис 0", "лис 1", "лис 1")
    answer = run(command, path, "--index", index, "--log-json")
    assert (answer.exit_code, answer.stdout) == (0, "")
    skip, *steps, summary = map(json.loads, answer.stderr.splitlines())
    assert (skip["step"], skip["source"], skip["line"]) == ("skip", str(path), 3)
    assert [line["step"] for line in steps] == ["read", "write", "sync", "verify", "switch"]
    assert (steps[0]["articles"], steps[0]["rejected"]) == (2, 1)
    assert steps[-1]["generation"] == summary["generation"] == "000002"
    assert (summary["step"], summary["command"], summary["articles"]) == ("done", command, 2)
    for line in (*steps, summary):
        assert line["seconds"] >= 0
        assert line["time"].endswith("Z")


def test_a_log_tells_a_failure_in_its_last_line(corpus: Callable[..., Path], index: Path) -> None:
    Archive.build(corpus("лис 0"), index)
    answer = run("rebuild", corpus(), "--index", index, "--log-json")
    assert answer.exit_code == 2
    *_, last = map(json.loads, answer.stderr.splitlines())
    assert (last["step"], last["exit_code"]) == ("failed", 2)
    assert "holds no article" in last["error"]


# -- an index that means harm -------------------------------------------------------------------


class Bomb:
    """What a pickle may hold: it makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_pickles_are_never_read(corpus: Callable[..., Path], tmp_path: Path) -> None:
    """Neither the table of contents that Whoosh wants nor any other file."""
    bomb = pickle.dumps(Bomb(tmp_path / "exploded"))
    for name in ("_MAIN_1.toc", "segment-000001.arrays", "generation.json", "../live.json"):
        Archive.build(corpus("лис 1"), tmp_path / name.strip("./") / "index")
        folder = tmp_path / name.strip("./") / "index"
        (folder / "000001" / name).write_bytes(bomb)
        for command in (["query", "лис"], ["stats"], ["check", "--all"], ["rollback"]):
            run(*command, "--index", folder)
        run("index", corpus("лис 2"), "--index", folder)
    assert not (tmp_path / "exploded").exists()
    pickle.loads(bomb)  # noqa: S301 - that it would have
    assert (tmp_path / "exploded").exists()


def lead_out(generation: Path, secret: Path, how: str) -> None:
    """Make an index read a segment, or all of a generation, that is not in its folder."""
    manifest, segment = generation / "generation.json", generation / "segment-000001.arrays"
    told = json.loads(manifest.read_text(encoding="utf-8"))
    del told["checksum"]
    names = {"absolute": str(secret), "relative": f"../../{secret.name}"}
    if how == "link":
        segment.unlink()
        segment.symlink_to(secret)
    elif how == "folder":
        generation.rename(secret.parent / "elsewhere")
        generation.symlink_to(secret.parent / "elsewhere")
    elif how == "pointer":
        pointer = {"live": "../elsewhere", "earlier": [], "last": "000001"}
        (generation.parent / "live.json").write_text(sealed(pointer), encoding="utf-8")
        generation.rename(secret.parent / "elsewhere")
    elif how == "pipe":
        segment.unlink()
        os.mkfifo(segment)
    else:
        name = names[how]
        told["files"][name] = told["files"].pop(segment.name)
        manifest.write_text(sealed(told | {"segments": [name]}), encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="links are for administrators there")
@pytest.mark.parametrize("how", ["link", "folder", "pointer", "pipe", "absolute", "relative"])
def test_no_file_outside_the_folder_is_read(
    corpus: Callable[..., Path], index: Path, tmp_path: Path, how: str
) -> None:
    Archive.build(corpus("лис 1"), index)
    secret = tmp_path / "secret.arrays"
    secret.write_bytes((index / "000001" / "segment-000001.arrays").read_bytes())
    lead_out(index / "000001", secret, how)
    for ask in (Archive.open, Archive.check):
        with pytest.raises(IndexUnusable):
            ask(index)


@pytest.mark.parametrize("length", [1 << 40, 1 << 62, -1])
def test_no_memory_is_taken_because_a_file_says_so(
    corpus: Callable[..., Path], index: Path, length: int
) -> None:
    """Sizes are those of what is there."""
    Archive.build(corpus("лис 1"), index)
    path = index / "000001" / "segment-000001.arrays"
    whole = path.read_bytes()
    at = int.from_bytes(whole[8:16], "little")
    table = json.loads(whole[at:])
    table["records"][1] = length
    text = json.dumps(table).encode()
    crc = zlib.crc32(text).to_bytes(4, "little")
    head = whole[:16] + len(text).to_bytes(4, "little") + crc
    path.write_bytes(head + whole[24:at] + text)
    with pytest.raises(CorruptIndex):
        read(path)


# -- the time of a query ------------------------------------------------------------------------

SLOW = ["слово", "слово лис", "сл*", '"слово лис"', "слово NOT лис", '"слово лис"~5', "title:сл*"]


@pytest.mark.parametrize("kernel", [True, False], ids=["kernel", "numpy"])
def test_a_query_ends_when_its_time_is_over(
    corpus: Callable[..., Path], index: Path, monkeypatch: pytest.MonkeyPatch, kernel: object
) -> None:
    Archive.build(corpus(*(f"слово лис слова {number}" for number in range(300))), index)
    if not kernel:
        for module in ("top", "match"):
            monkeypatch.setattr(f"searchkit.query.{module}.kernel", None)
    with Archive.open(index) as archive:
        for query in SLOW:
            with pytest.raises(QueryTimeout, match="took longer than 0 s"):
                archive.search(query, timeout=0)
            with pytest.raises(QueryTimeout, match="took longer than 0 s"):
                archive.suggest("сл", timeout=0)
            assert archive.search(query, timeout=99) == archive.search(query)


def test_the_time_of_a_query_is_looked_at_within_the_kernel(crowd: Path, index: Path) -> None:
    """Not only before and behind it."""
    Archive.build(crowd, index)
    with Archive.open(index) as archive:
        tree = parse("лис курка").tree
        assert tree
        matcher = Matcher(archive.index, Deadline(0))
        with pytest.raises(QueryTimeout):
            top(matcher, tree, 10)


SIZES = ["AT_ONCE", "_REACHED", "_PLACES"]
PREFIXES = ["сл*", "сл* л*", '"сл* л*"', '"л* сл* =слова"', '"л* сл*"~3', "йш* NOT слон*"]


@pytest.mark.parametrize("kernel", [True, False], ids=["kernel", "numpy"])
def test_prefixes_are_read_in_parts_that_together_are_the_whole(
    corpus: Callable[..., Path], index: Path, monkeypatch: pytest.MonkeyPatch, kernel: object
) -> None:
    texts = ("слово лис слова", "лиса йшла слоном", "йшов лис, слово і слова", "лисом словам слова")
    Archive.build(corpus(*(f"{text} {n}" for n, text in enumerate(texts * 5))), index)
    if not kernel:
        for module in ("top", "match"):
            monkeypatch.setattr(f"searchkit.query.{module}.kernel", None)
    with Archive.open(index) as archive:
        whole = [archive.search(query) for query in PREFIXES]
        assert all(found.total for found in whole)
        for size in ("index.AT_ONCE", *(f"query.match.{one}" for one in SIZES)):
            monkeypatch.setattr(f"searchkit.{size}", 2)
        assert [archive.search(query) for query in PREFIXES] == whole


class Watched(Deadline):
    """Counts how often it was looked at."""

    looks = 0

    def check(self) -> None:
        """Count this look, and never raise."""
        self.looks += 1


@pytest.mark.parametrize("kernel", [True, False], ids=["kernel", "numpy"])
@pytest.mark.usefixtures("large_stays")
def test_a_phrase_of_prefixes_read_in_parts_is_found_in_no_article_that_is_gone(
    corpus: Callable[..., Path], index: Path, monkeypatch: pytest.MonkeyPatch, kernel: object
) -> None:
    monkeypatch.setattr("searchkit.query.match._PLACES", 2)
    if not kernel:
        for module in ("top", "match"):
            monkeypatch.setattr(f"searchkit.query.{module}.kernel", None)
    texts = [f"слово лис {number}" for number in range(20)]
    Archive.build(corpus(*texts), index)
    Archive.update(corpus(*texts[:14]), index)
    with Archive.open(index) as archive:
        assert archive.index.alive is not None
        assert archive.search('"сл* л*"').total == 14


@pytest.mark.parametrize("query", ['"сл* л*"', "сл* NOT л*", '"сл* л*"~3', "title:сл*"])
def test_the_clock_is_looked_at_between_the_parts_of_a_prefix(
    corpus: Callable[..., Path], index: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr("searchkit.query.match.kernel", None)
    Archive.build(corpus(*(f"слово лис слон слива {n}" for n in range(40))), index)
    looks = []
    with Archive.open(index) as archive:
        tree = parse(query).tree
        assert tree
        for size in (1 << 17, 1):
            for module in ("index", "query.match"):
                monkeypatch.setattr(f"searchkit.{module}.AT_ONCE", size)
            matcher = Matcher(archive.index, Watched())
            matcher.match(tree)
            assert isinstance(matcher.deadline, Watched)
            looks.append(matcher.deadline.looks)
    assert looks[1] > looks[0]


class Over(Deadline):
    """Is over for the kernel alone."""

    def left(self) -> float:
        """Return that no time is left."""
        return 0

    def check(self) -> None:
        """Raise nothing."""


@pytest.mark.skipif(compiled is None, reason="the kernel was not compiled")
@pytest.mark.parametrize("query", ["лис", "=лис", "л*", '"лис курка"'])
def test_the_clock_is_looked_at_while_the_kernel_reads_places(
    crowd: Path, index: Path, query: str
) -> None:
    Archive.build(crowd, index)
    with Archive.open(index) as archive:
        tree, among = parse(query).tree, np.arange(archive.index.size, dtype=np.uint32)
        assert tree
        with pytest.raises(QueryTimeout):
            Matcher(archive.index, Over(0)).places_of(asked(tree), among)


def test_no_better_query_is_looked_for_when_the_time_is_over(
    corpus: Callable[..., Path], index: Path
) -> None:
    Archive.build(corpus(*(f"переговори {n}" for n in range(30))), index)
    with Archive.open(index) as archive:
        query = parse("перегвори", archive.index.terms_of)
        found = Found(0, 0, [], [], [])
        assert suggestions(Matcher(archive.index), query, found, None)
        assert suggestions(Matcher(archive.index, Deadline(0)), query, found, None) == ()


def test_on_the_command_line_a_timeout_is_one_sentence(
    corpus: Callable[..., Path], index: Path
) -> None:
    Archive.build(corpus("лис 1"), index)
    answer = run("query", "лис", "--index", index, "--timeout", 0)
    assert (answer.exit_code, answer.stdout) == (2, "")
    assert answer.stderr == (
        "Error: The query took longer than 0 s and was stopped; ask for fewer or rarer words, or"
        " allow it more time.\n"
    )
    assert run("suggest", "лис", "--index", index, "--timeout", 0).stderr == answer.stderr
    for command in ("query", "suggest"):
        assert run(command, "лис", "--index", index, "--timeout", 60).exit_code == 0


@pytest.mark.parametrize("typed", ["x", "-1", "nan", "1,5"])
def test_a_number_that_is_none_is_told_in_plain_words(typed: str) -> None:
    for command, option, last in (
        ("query", "--timeout", "on"),
        ("suggest", "--timeout", "on"),
        ("rebuild", "--max-shrink", "to 100"),
    ):
        answer = run(command, "лис", option, typed)
        told = f"Invalid value for '{option}': {typed!r} is not a number from 0 {last}.\n"
        assert (answer.exit_code, answer.stderr.endswith(told)) == (2, True)
