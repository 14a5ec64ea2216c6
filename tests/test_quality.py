"""The program that measures the ranking: benchmarks/quality.py."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent.parent / "benchmarks" / "quality.py"
HEAD = "| set | articles | queries | nDCG@10 | MRR@10 | recall@100 |"

ARTICLES = [
    {"id": "a", "title": "Мирні переговори", "text": "У Женеві почалися переговори."},
    {"id": "b", "title": "Врожай", "text": "Цього року зібрали багато пшениці, а жита менше."},
    {"id": "c", "title": "Погода", "text": "Синоптики чекають на дощ."},
]


def quality(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def write(path: Path, records: list[dict[str, object]]) -> None:
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    path.write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "news.docs.jsonl", [dict(article) for article in ARTICLES])
    return tmp_path


def test_each_set_of_a_folder_is_a_line_of_means(folder: Path) -> None:
    asked: list[dict[str, object]] = [
        {"query": "переговорами", "relevant": ["a"]},  # found first: 1, 1, 1
        {"query": "пшениця погода", "relevant": ["a"]},  # not found: 0, 0, 0
        {"query": "жито", "relevant": ["b", "c"]},  # one of two: 1 / (1 + 1/log2 3), 1, 1/2
    ]
    write(folder / "news.queries.jsonl", asked)
    answer = quality(folder, "--json", folder / "figures.json")
    assert answer.stdout.splitlines()[0] == HEAD
    assert answer.stdout.splitlines()[2:] == ["| news | 3 | 3 | 0.5377 | 0.6667 | 0.5000 |"]
    assert answer.returncode == 0
    figures = json.loads((folder / "figures.json").read_text())
    assert figures["news"]["queries"] == 3
    assert round(figures["news"]["ndcg"], 4) == 0.5377


def test_headlines_ask_for_articles_without_their_titles(folder: Path) -> None:
    write(folder / "heads.queries.jsonl", [{"query": "Врожай жита", "relevant": ["b"]}])
    write(folder / "titles.queries.jsonl", [{"query": "Врожай", "relevant": ["b"]}])
    answer = quality(folder, "--untitled", folder / "news.docs.jsonl")
    assert answer.stdout.splitlines()[2:] == [
        "| heads | 3 | 1 | 1.0000 | 1.0000 | 1.0000 |",
        "| titles | 3 | 1 | 0.0000 | 0.0000 | 0.0000 |",
    ]


def test_a_set_without_articles_is_named_and_left_out(folder: Path) -> None:
    for name in ("news", "heads"):
        write(folder / f"{name}.queries.jsonl", [{"query": "жито", "relevant": ["b"]}])
    answer = quality(folder)
    assert answer.stdout.splitlines()[2:] == ["| news | 3 | 1 | 1.0000 | 1.0000 | 1.0000 |"]
    assert answer.stderr.startswith("heads is left out: there is no ")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "has no queries."),
        ('{"query": "мир"}\n', ":1 is no {"),
        ('{"query": "мир", "relevant": []}\n', ":1 is no {"),
        ("мир\n", ":1 is no {"),
        (None, "has no NAME.queries.jsonl with its NAME.docs.jsonl."),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_sentence(
    folder: Path, lines: str | None, said: str
) -> None:
    if lines is not None:
        (folder / "news.queries.jsonl").write_text(lines, encoding="utf-8")
    answer = quality(folder)
    assert answer.returncode == 2
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1
