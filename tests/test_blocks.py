"""Lines of JSON that are read in blocks, by several processes, are read as ever."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from searchkit import Archive, Article
from searchkit import corpus as corpora
from searchkit.corpus import Block, Corpus
from searchkit.errors import ArticleError
from searchkit.kernel import kernel
from searchkit.writer import Means, rebuild

LETTERS = "абґ і'’\u0301\u00ad\u00a0\u2028😀\ud800\0\n\t\r\x0b\\\"/{}[],:1eaz\u00ff\ufeff\uffff"
texts = st.text(st.sampled_from(LETTERS) | st.characters(), max_size=30)
values = st.recursive(
    texts | st.none() | st.integers() | st.floats() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
names = st.sampled_from(["id", "text", "title", "date", "url", "source", "author", "tags"]) | texts
plain = st.fixed_dictionaries(
    {"text": st.text("абв ", min_size=1)},
    optional={"id": texts, "title": texts, "date": st.sampled_from(["2024", "2024-13", " "]),
              "tags": st.lists(texts, max_size=3) | texts, "views": st.integers()},
)  # fmt: skip
records = st.dictionaries(names, values, max_size=4) | plain | values


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line of JSON in one of its spellings, or with a byte of it turned."""
    indent = draw(st.sampled_from([None, " "]))
    text = json.dumps(draw(records), ensure_ascii=draw(st.booleans()), indent=indent)
    text = text.replace("\n", "\r")
    line = text.encode("utf-8", "surrogatepass")
    if line and draw(st.integers(0, 3)) == 0:
        at = draw(st.integers(0, len(line) - 1))
        line = line[:at] + draw(st.binary(max_size=2)) + line[at + 1 :]
    return line


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that short lines reach."""
    for name, limit in (("MAX_WORD", 12), ("MAX_CHARACTERS", 40), ("MAX_RECORD", 200)):
        monkeypatch.setattr(corpora, name, limit)
    monkeypatch.setattr(corpora, "_LONGEST", 800)
    monkeypatch.setattr(corpora, "_STEP", 64)


def told(found: Iterator[tuple[int, Article | ArticleError]]) -> list[Any]:
    return [(n, str(each) if isinstance(each, ArticleError) else each) for n, each in found]


@pytest.mark.skipif(not kernel, reason="the kernel was not compiled")
@given(st.lists(lines(), max_size=5), st.booleans())
@example([b'{"text": "a", "date": "", "url": "", "id": " "}'], True)
@example(
    [b'\xef\xbb\xbf{"text": "a"}', b'{"text": "a", "text": null}', b'{"text":"\\u0000"}'], True
)
@example([b'{"text": "' + b"a" * 13 + b'"}', b'{"text": "' + b"a " * 21 + b'"}'], True)
@example([b'{"text": "a"}' + b" " * 186, b'{"text": "a"}' + b" " * 187], True)
@example(
    [b'{"text": "a", "title": "\\ud83d\\ude00", "url": "\xf0\x9f\x98\x80", "tags": []}'], False
)
@settings(deadline=None, max_examples=1000)
def test_the_kernel_reads_lines_as_python_does(many: list[bytes], is_first: bool) -> None:
    block = Block("news.jsonl", "news", 0 if is_first else 7, b"\n".join(many))
    found = told(block.read())
    with patch.object(corpora, "kernel", None):
        assert found == told(block.read())


@given(st.lists(lines() | st.sampled_from([b"", b" ", b"{}"]), max_size=6), st.integers(1, 300))
@example([], 1)
@example([b"\xc2\xa0\x0c"], 1)
@example([b"\xef\xbb\xbf"], 1)
@example([b"a" * 3_000, b'{"text": "a"}'], 100)
@settings(deadline=None, max_examples=300)
def test_blocks_of_any_size_hold_what_iterating_finds(
    tmp_path_factory: pytest.TempPathFactory, many: list[bytes], size: int
) -> None:
    folder = tmp_path_factory.mktemp("corpus")
    for name in ("a.jsonl", "c.jsonl"):
        (folder / name).write_bytes(b"\n".join(many))
    (folder / "b.txt").write_text("Лис\n\nЛис біг.", encoding="utf-8")
    (folder / "d.json").write_text("[{]", encoding="utf-8")
    expected: list[Any] = []
    corpus = Corpus(folder, lambda error: expected.append(str(error)))
    for article in corpus:
        expected.append(article)  # noqa: PERF402 - reports come in between
    found: list[Any] = []
    blocks = Corpus(folder, lambda error: found.append(str(error)))
    for item in blocks.blocks(size):
        if isinstance(item, Block):
            for _, each in item.read():
                if isinstance(each, ArticleError):
                    blocks.reject(each)
                else:
                    found.append(each)
        elif item:
            found.append(item)
    assert found == expected
    assert blocks.done == corpus.size()
    assert blocks.rejected == corpus.rejected


def test_bad_records_are_named_in_order_however_many_processes_read(tmp_path: Path) -> None:
    good = [json.dumps({"id": str(i), "text": f"Лис {i}."}) for i in range(2_000)]
    good[777] = "{"
    good[1_500] = good[3]
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for name in ("a.jsonl", "c.jsonl"):
        (corpus / name).write_text("\n".join(good), encoding="utf-8")
    (corpus / "b.txt").write_text("", encoding="utf-8")
    heard: dict[int, list[str]] = {1: [], 3: []}
    for jobs, errors in heard.items():
        with patch("searchkit.writer.BLOCK", 10_000):
            rebuild(
                Corpus(corpus, lambda error, to=errors: to.append(str(error))),  # type: ignore[misc]
                tmp_path / str(jobs),
                means=Means(jobs=jobs),
            )
        with Archive.open(tmp_path / str(jobs)) as archive:
            assert archive.stats()["articles"] == 1_998
            assert archive.article("3") == Article("3", "Лис 3.")
    assert heard[1] == heard[3]
    assert [error.rpartition("/")[2].partition(":")[0] for error in heard[3]][:5] == [
        "a.jsonl, line 778", "a.jsonl, line 1501", "b.txt", "c.jsonl, line 1", "c.jsonl, line 2",
    ]  # fmt: skip
