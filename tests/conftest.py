"""What several test files share: the sample archive, and tiny corpora made to order."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from reference import Reference

from searchkit import Archive, writer

pytest_plugins = ["reliability"]  # the fixtures of tests/faults


@pytest.fixture(scope="session")
def sample() -> Path:
    """The sample archive that comes with the project."""
    return Path(__file__).parent.parent / "corpus"


@pytest.fixture(scope="session")
def archive(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """The sample archive, indexed once in each test process."""
    index = tmp_path_factory.mktemp("sample") / "index"
    Archive.build(sample, index)
    with Archive.open(index) as opened:
        yield opened


@pytest.fixture(scope="session")
def reference(archive: Archive) -> Reference:
    """The plain scan over the sample archive."""
    index = archive.index
    return Reference([index.article(number) for number in index.living()])


@pytest.fixture(scope="session")
def crowd(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wire reports of the sample archive and 1,200 more: enough for every array of an index.

    Frequent words have champions and bits, some stand in an article too often for a code, and
    some side by side often enough for a pair. A rare one stands beside a frequent one, or not.
    """
    made = [
        {"id": str(i), "title": "лис" * (i % 9 == 0), "tags": ["лис"], "text": text, "date": date}
        for i in range(1200)
        for birds in [{7: "сокіл, курка", 8: "курка, сокіл"}.get(i % 150, "курка")]
        for text in [f"Ситий лис спить, {birds} сіла{', лиси' * (i % 70)}"[: 900 - i // 2]]
        for date in [f"2024-{i % 7 + 1:02}" + f"-{i % 28 + 1:02}" * (i % 5 > 0)]
    ]
    corpus = tmp_path_factory.mktemp("crowd") / "crowd.jsonl"
    wire = (sample / "wire.jsonl").read_text(encoding="utf-8")
    corpus.write_text(wire + "".join(map(_line, made)), encoding="utf-8")
    return corpus


@pytest.fixture
def large_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates keep the largest segment of an archive, however small it is."""
    monkeypatch.setattr(writer, "LEARNED", 0)
    monkeypatch.setattr(writer, "TIER", 1)


@pytest.fixture
def make_archive(tmp_path: Path) -> Iterator[Callable[[list[dict[str, Any]]], Archive]]:
    """Index some records, each in a folder of its own, and open them."""
    numbers, opened = count(1), []

    def make(articles: list[dict[str, Any]]) -> Archive:
        folder = tmp_path / f"archive-{next(numbers)}"
        folder.mkdir()
        corpus = folder / "articles.jsonl"
        corpus.write_text("".join(map(_line, articles)), encoding="utf-8")
        Archive.build(corpus, folder / "index", report=_raise)
        opened.append(Archive.open(folder / "index"))
        return opened[-1]

    yield make
    for archive in opened:
        archive.close()


@pytest.fixture
def make_corpus(tmp_path: Path) -> Callable[[dict[str, str | bytes]], Path]:
    """Write files, by their paths, to one folder and return it."""
    folder = tmp_path / "corpus"
    folder.mkdir()

    def make(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return make


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _raise(error: Exception) -> None:
    raise error
