"""What an update skips of a source is what a rebuild would have found there again."""

import gzip
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from searchkit import Archive, Article
from searchkit.corpus import Corpus
from searchkit.pieces import Pieces

WORDS = "лис курка кіт яр село хліб віра дорога вода мир замок коса поле ліс".split()


def state(index: Path) -> dict[str, Article]:
    with Archive.open(index) as archive:
        found = [archive.index.article(number) for number in archive.index.living()]
        assert sorted(hit.id for hit in archive.search("слово", limit=9999)) == sorted(
            article.id for article in found
        )
    return {article.id: article for article in found}


class Source:
    """A folder of files of all formats, changed at random."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.folder.mkdir()
        self.lines = [self.record() for _ in range(30)]
        for number in range(4):
            (folder / f"{number}.txt").write_text(self.text(), encoding="utf-8")
        self.write()

    def text(self) -> str:
        """Three lines of a text file."""
        return f"Слово\n\nСлово {' '.join(self.random.choices(WORDS, k=4))}"

    def record(self) -> dict[str, Any]:
        """One of JSON Lines, with an id or without, seldom a bad one."""
        some = {"id": str(self.random.randrange(60))} if self.random.random() < 0.7 else {}
        return {"text": self.text() if self.random.random() < 0.95 else "", **some}

    def write(self) -> None:
        """Write the lines."""
        end = "\n" if self.random.random() < 0.8 else ""
        text = "\n".join(json.dumps(line, ensure_ascii=False) for line in self.lines) + end
        (self.folder / "news.jsonl").write_text(text, encoding="utf-8")

    def change(self) -> None:
        """Change something."""
        place = self.random.randrange(len(self.lines))
        match self.random.randrange(9):
            case 0 | 1:
                self.lines += [self.record() for _ in range(self.random.randrange(1, 6))]
            case 2:
                self.lines[place] = self.record()
            case 3:
                del self.lines[place]
            case 4:
                self.lines.insert(place, self.record())
            case 5:
                path = self.folder / f"{self.random.randrange(6)}.txt"
                path.write_text(self.text(), encoding="utf-8")
            case 6:
                (self.folder / f"{self.random.randrange(6)}.txt").unlink(missing_ok=True)
            case 7:
                rows = "".join(f"{self.text()!r}\n" for _ in range(self.random.randrange(1, 4)))
                (self.folder / "a.csv").write_text("text\n" + rows, encoding="utf-8")
            case 8:
                data = json.dumps([self.record() for _ in range(3)]).encode()
                (self.folder / "b.json.gz").write_bytes(gzip.compress(data))
        self.write()


@pytest.mark.parametrize("seed", range(3))
def test_an_update_ends_where_a_rebuild_does(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was added, changed, moved or removed; ids that come twice and bad records, too."""
    monkeypatch.setattr("searchkit.pieces._SIZE", 99)
    source = Source(tmp_path / "source", seed)
    for _ in range(12):
        updated: list[Exception] = []
        done = Archive.update(source.folder, tmp_path / "a", report=updated.append, jobs=1)
        rebuilt: list[Exception] = []
        whole = Archive.build(source.folder, tmp_path / "b", report=rebuilt.append, jobs=1)
        assert (done.articles, done.rejected) == (whole.articles, whole.rejected)
        assert [*map(str, updated)][-len(rebuilt) or None :] == [*map(str, rebuilt)]
        assert state(tmp_path / "a") == state(tmp_path / "b")
        source.change()


def parsed(source: Path, index: Path) -> list[str]:
    """The ids of the articles that the next update of an index parses."""
    corpus = Corpus(source)
    with Archive.open(index) as archive:
        corpus.pieces = Pieces(archive.index.generation / "pieces.arrays")
    return [article.id for article in corpus]


def line(**fields: str) -> str:
    return json.dumps(fields) + "\n"


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Write files of JSON Lines to a folder that has no other."""
    folder = tmp_path / "source"

    def write(**files: list[str]) -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, lines in files.items():
            (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Path]:
    """Write JSON Lines of some articles to a folder."""
    folder = tmp_path / "source"
    folder.mkdir()

    def write(*texts: str) -> Path:
        lines = [json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts)]
        (folder / "news.jsonl").write_text("".join(lines), encoding="utf-8")
        return folder

    return write


def test_what_is_as_it_was_is_not_parsed_again(
    source: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By content: that it was written anew does not matter."""
    monkeypatch.setattr("searchkit.pieces._SIZE", 99)
    texts = [f"слово {number}" for number in range(10)]
    (source(*texts) / "fox.txt").write_text("Лис\n\nЛис утік.", encoding="utf-8")
    Archive.build(source(*texts), tmp_path / "index")
    assert parsed(source(*texts), tmp_path / "index") == []
    assert parsed(source(*texts, "ще"), tmp_path / "index") == ["10"]
    texts[5] = "слова"
    assert parsed(source(*texts), tmp_path / "index") == ["4", "5"]
    (source(*texts) / "fox.txt").write_text("Лис\n\nЛис втік.", encoding="utf-8")
    assert parsed(source(*texts), tmp_path / "index") == ["fox", "4", "5"]


def test_lines_that_others_were_put_before_are_as_they_were(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An archive may have its newest articles first, and a file of lines be cut in two."""
    monkeypatch.setattr("searchkit.pieces._SIZE", 99)
    old = [line(id=str(number), text=f"слово {number}") for number in range(10)]
    new = [line(id=name, text="ще") for name in ("a", "b", "c")]
    Archive.build(make(news=old), tmp_path / "index")
    assert parsed(make(news=new + old), tmp_path / "index") == ["a", "b", "c"]
    assert parsed(make(news=old[:4] + new + old[4:]), tmp_path / "index") == ["a", "b", "c"]
    assert parsed(make(news=old[:6], more=old[6:]), tmp_path / "index") == []
    done = Archive.update(make(news=new + old[:6], more=old[6:]), tmp_path / "index")
    assert (done.articles, done.added, done.changed, done.removed) == (13, 3, 0, 0)


def test_articles_that_are_called_by_their_lines_are_others_in_other_lines(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    Archive.build(make(news=[line(text="лис"), line(text="кіт")]), tmp_path / "index")
    done = Archive.update(make(news=[line(text="яр"), line(text="лис"), line(text="кіт")]),
                          tmp_path / "index")  # fmt: skip
    assert (done.articles, done.added, done.changed) == (3, 1, 2)
    done = Archive.update(make(more=[line(text="лис"), line(text="кіт")]), tmp_path / "index",
                          force=True)  # fmt: skip
    assert (done.articles, done.added, done.removed) == (2, 2, 3)


def test_an_id_that_comes_twice_is_named_and_nothing_else_is_parsed_again(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one counts, be it new or as it was."""
    monkeypatch.setattr("searchkit.pieces._SIZE", 99)
    old = [line(id=str(number), text=f"слово {number}") for number in range(10)]
    Archive.build(make(b=old), tmp_path / "index")
    met: list[int] = []
    for name, twice, counts in (("c", "c", (10, 0)), ("a", "b", (10, 1)), ("a", "b", (10, 0))):
        named: list[Exception] = []
        source = make(b=old, **{name: [line(id="5", text="лис")]})
        met.clear()
        done = Archive.update(
            source, tmp_path / "index", report=named.append, progress=lambda: met.append(1)
        )
        assert (done.articles, done.changed) == counts
        assert [str(error).partition(", ")[0] for error in named] == [
            str(source / f"{twice}.jsonl")
        ]
        assert len(met) <= 3  # articles of one piece, and the one that is new


def test_of_the_same_size_and_time_is_not_the_same(
    source: Callable[..., Path], tmp_path: Path
) -> None:
    path = source("лис спить") / "news.jsonl"
    Archive.build(path, tmp_path / "index")
    before = path.stat()
    source("лис упала")
    path.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert Archive.update(path, tmp_path / "index").changed == 1


def test_a_bad_record_is_named_by_every_update(source: Callable[..., Path], tmp_path: Path) -> None:
    for _ in range(3):
        path = source("лис", "", "кіт")
        named: list[Exception] = []
        Archive.update(path, tmp_path / "index", report=named.append)
        assert [*map(str, named)] == [f"{path / 'news.jsonl'}, line 2: has no text"]


def test_a_line_that_was_not_complete_may_go_on(
    source: Callable[..., Path], tmp_path: Path
) -> None:
    """A crawler was just writing it."""
    path = source("лис") / "news.jsonl"
    whole = path.read_bytes()
    for end in (b"", b"\n", b'\n{"text": "\xd0\xba', b'\n{"text": "\xd0\xba\xd1\x96\xd1\x82"}'):
        path.write_bytes(whole.rstrip(b"\n") + end)
        Archive.update(path, tmp_path / "index")
    with Archive.open(tmp_path / "index") as archive:
        assert [hit.id for hit in archive.search("кіт")] == ["news.jsonl:2"]
        assert len(archive) == 2
