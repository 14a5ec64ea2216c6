"""Arbitrary bytes as articles, arbitrary text as queries, arbitrary bytes as an index."""

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workshop import Answers, Tally, Workshop, answers

from searchkit import Archive
from searchkit.errors import IndexUnusable
from searchkit.generations import sealed

any_time = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

SUFFIXES = [".txt", ".jsonl", ".json", ".csv"]
ALIKE = [
    "date 2024-05-06 Слово\n\nПро слово і діло.\n".encode(),
    '{"text": "Слово", "id": "1", "date": "2024", "tags": ["суд", 7]}\n'.encode(),
    '[{"text": "Слово"}, {"text": null, "title": "\\ud800"}]'.encode(),
    'text;title;date\n"Слово";"Діло";2024-13-01\n'.encode(),
    gzip.compress("Слово\n\nі діло".encode(), mtime=0),
    b"\xef\xbb\xbf\xff\xfe\0\0{[\"',;\n\r\t",
]
# Bytes, or something that looks like articles, with pieces put out, in and twice.
alike = st.lists(
    st.builds(lambda whole, a, b: whole[a : a + b], st.sampled_from(ALIKE), st.integers(0, 40),
              st.integers(0, 99)) | st.binary(max_size=20),
    max_size=8,
).map(b"".join)  # fmt: skip
content = st.binary(max_size=200) | alike
names = st.builds(
    lambda stem, suffix, gz: stem + suffix + gz,
    st.sampled_from(["a", "b", "теки/в", "c d"]),
    st.sampled_from(SUFFIXES),
    st.sampled_from(["", ".gz"]),
)
corpora = st.dictionaries(
    names, content | content.map(lambda each: gzip.compress(each, mtime=0)), max_size=4
)


@pytest.mark.fault("fuzz")
def test_whatever_lies_in_a_corpus_the_rest_is_found(tally: Tally, tmp_path: Path) -> None:
    """What is no article is named, counted and passed over; what is one is found by its words."""

    @any_time
    @given(corpora)
    def build(files: dict[str, bytes]) -> None:
        tally.tried += 1
        corpus = tmp_path / "corpus"
        shutil.rmtree(corpus, ignore_errors=True)
        for name, written in {"good.txt": "Зебра\n\nбіжить".encode(), **files}.items():
            path = corpus / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(written)
        told: list[Exception] = []
        done = Archive.build(corpus, tmp_path / "index", report=told.append, jobs=1, force=True)
        assert done.rejected == len(told)
        with Archive.open(tmp_path / "index") as archive:
            assert len(archive) == done.articles
            assert "good" in [hit.id for hit in archive.search("зебри", limit=done.articles)]
            for number in archive.index.living():
                article = archive.index.article(int(number))
                assert archive.article(article.id) == article

    build()


words = st.sampled_from(
    'переговори міст рада NOT AND OR ( ) " ~5 * = title: tag: date:2024 ['.split()
)
queries = st.text(max_size=60) | st.lists(words | st.text(max_size=3), max_size=20).map(" ".join)


@pytest.mark.fault("fuzz")
def test_whatever_is_asked_is_answered(tally: Tally, workshop: Workshop) -> None:
    """No query is an error, whatever is in it, and a page holds what it says."""
    index = workshop.story("update").after / "index"

    @any_time
    @given(queries, st.integers(0, 40), st.integers(0, 40), st.sampled_from(["relevance", "date"]))
    def ask(query: str, limit: int, offset: int, sort: str) -> None:
        tally.tried += 1
        results = archive.search(query, limit=limit, offset=offset, sort=sort)  # type: ignore[arg-type]
        assert len(results) == max(0, min(limit, results.total - offset))
        assert results.total_all_words <= results.total <= len(archive)
        for hit in results:
            for passage in hit.passages:
                assert all(0 <= a < b <= len(passage.text) for a, b in passage.spans)

    with Archive.open(index) as archive:
        ask()


@pytest.fixture(scope="module")
def index(workshop: Workshop) -> Iterator[Path]:
    """An index of two segments, with articles that are gone."""
    folder = workshop.fresh()
    shutil.copytree(workshop.story("update").after / "index", folder / "index")
    yield folder / "index"
    shutil.rmtree(folder)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda part: (
        st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=9), part, max_size=3)
    ),
    max_leaves=5,
)


def changed(whole: bytes, seed: int) -> bytes:
    """Return some bytes with a piece put out, in, twice or elsewhere."""
    random = Random(seed)
    a, b, c = sorted(random.randrange(len(whole) + 1) for _ in range(3))
    pieces = [whole[:a], whole[a:b], whole[b:c], random.randbytes(random.randrange(99)), whole[c:]]
    return b"".join(random.choices(pieces, k=random.randrange(1, 6)))


@pytest.mark.fault("fuzz")
def test_whatever_lies_in_an_index_is_no_other_answer(tally: Tally, index: Path) -> None:
    """Any file of it may hold anything: the index says so, or answers as before."""
    right = answers(index)
    every = sorted(path for path in index.rglob("*") if path.is_file())

    @any_time
    @given(st.sampled_from(every), st.binary() | st.integers(0, 1 << 64))
    def replace(path: Path, by: bytes | int) -> None:
        tally.tried += 1
        whole = path.read_bytes()
        path.unlink()
        path.write_bytes(by if isinstance(by, bytes) else changed(whole, by))
        try:
            assert told(index) in (None, right)
        finally:
            path.write_bytes(whole)

    replace()
    assert answers(index) == right


@pytest.mark.fault("fuzz")
def test_whatever_a_manifest_says_is_an_answer_or_an_error(tally: Tally, index: Path) -> None:
    """Its checksum is right: who forges an index can make it answer, but not run or crash."""
    right = answers(index)
    manifests = [index / "live.json", *index.glob("*/generation.json")]

    @any_time
    @given(st.sampled_from(manifests), st.dictionaries(st.sampled_from(KEYS), anything, max_size=3))
    def forge(path: Path, by: dict[str, object]) -> None:
        tally.tried += 1
        whole = path.read_text(encoding="utf-8")
        claimed = {**json.loads(whole), **by}
        claimed.pop("checksum")
        path.write_text(sealed(claimed), encoding="utf-8")
        try:
            told(index)
        finally:
            path.write_text(whole, encoding="utf-8")

    forge()
    assert answers(index) == right


KEYS = ["live", "earlier", "last", "articles", "corpus", "built", "segments", "averages", "files",
        "rejected", "format", "chain", "dictionary", "more"]  # fmt: skip


def told(index: Path) -> Answers | None:
    """Return what an index answers, None if it says that it cannot."""
    try:
        return answers(index)
    except IndexUnusable:
        return None
