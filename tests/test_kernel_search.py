"""The kernel and its twins in Python and NumPy give the same."""

import json
import os
import random
import subprocess
import sys
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_properties import queries, shared

from searchkit import Archive, writer
from searchkit.codec import postings
from searchkit.kernel import kernel
from searchkit.query import match, top
from searchkit.query.match import Matcher
from searchkit.query.parse import parse
from searchkit.query.top import Found, planned
from searchkit.query.tree import Phrase, leaves
from searchkit.schema import pair_key

pytestmark = pytest.mark.skipif(kernel is None, reason="the kernel was not compiled")

WINDOWS = [None, (20240000000000, 20240599999999), (20240315123000, 20251299999999), (0, 20231231)]
windows = st.sampled_from(WINDOWS)


def by_both(
    archive: Archive, query: str, wanted: int, window: tuple[int, int] | None, *, by_date: bool
) -> list[Found]:
    """What the kernel finds, if it takes the query, and what NumPy does."""
    tree = parse(query).tree
    if tree is None or planned(tree, window) is None:
        return []
    found = [top.top(Matcher(archive.index), tree, wanted, window, by_date=by_date)]
    with pytest.MonkeyPatch.context() as patch:
        for module in (top, match):
            patch.setattr(module, "kernel", None)
        found.append(top.top(Matcher(archive.index), tree, wanted, window, by_date=by_date))
    return found


@given(query=queries, wanted=st.integers(0, 30), window=windows, by_date=st.booleans())
@shared
def test_the_best_of_any_query_are_the_same(
    archive: Archive, query: str, wanted: int, window: tuple[int, int] | None, by_date: bool
) -> None:
    """The same articles in the same order, with scores of the same bits."""
    found = by_both(archive, query, wanted, window, by_date=by_date)
    assert found[1:] == found[:1]


@pytest.fixture(scope="session")
def patched(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The sample archive in two segments, with articles that are gone."""
    folder = tmp_path_factory.mktemp("patched")
    lines = (sample / "wire.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    corpus = folder / "corpus"
    corpus.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "LEARNED", 0)
        patch.setattr(writer, "TIER", 1)
        for low, high in [(0, 14), (1, 18), (2, 20)]:
            (corpus / "news.jsonl").write_text("".join(lines[low:high]), encoding="utf-8")
            Archive.update(corpus, folder / "index")
    return Archive.open(folder / "index")


@given(query=queries, wanted=st.integers(0, 30), window=windows, by_date=st.booleans())
@shared
def test_the_best_of_several_segments_are_the_same(
    patched: Archive, query: str, wanted: int, window: tuple[int, int] | None, by_date: bool
) -> None:
    """Also where articles were removed."""
    assert patched.index.alive is not None
    assert len(patched.index.segments) > 1
    found = by_both(patched, query, wanted, window, by_date=by_date)
    assert found[1:] == found[:1]


@pytest.fixture(scope="session")
def crowded(crowd: Path, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """An archive of words so frequent that they have champions, bits and pairs."""
    index = tmp_path_factory.mktemp("crowded") / "index"
    Archive.build(crowd, index)
    return Archive.open(index)


@pytest.fixture(scope="session")
def thinned(crowd: Path, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The same after an update: of many words most champions are gone, and one segment is small."""
    folder = tmp_path_factory.mktemp("thinned")
    lines = crowd.read_text(encoding="utf-8").splitlines(keepends=True)
    corpus = folder / "crowd.jsonl"
    corpus.write_text("".join(lines), encoding="utf-8")
    Archive.build(corpus, folder / "index")
    kept = [line for i, line in enumerate(lines) if i < 20 or (i % 9 and i % 3 and i % 70 < 60)]
    for last in (30, 20):  # the second is merged with the first
        kept[-last:] = [line.replace("спить", "спить, курка сіла") for line in kept[-last:]]
        corpus.write_text("".join(kept), encoding="utf-8")
        Archive.update(corpus, folder / "index", max_shrink=60)
    return Archive.open(folder / "index")


FREQUENT = ["лис", "лиси", "=лис", "=лиси", "ли*", "курка", "сокіл", "кур*", "ситий", "спить",
            "мир", "=мирні", "title:лис", "tag:лис", '"курка сіла"', '"ситий лис"', '"лис лис"',
            '"лис курка"', '"спить =курка сіла"', '"лиси =лиси лис"',
            '"=лиси =лиси"', '"ситий лис спить"', "date:2024-03"]  # fmt: skip
frequent = st.builds(
    lambda words, operator: f" {operator} ".join(words),
    st.lists(st.sampled_from(FREQUENT), min_size=1, max_size=7),
    st.sampled_from(["", "AND", "OR"]),
)


@given(query=frequent, wanted=st.integers(0, 140), window=windows, by_date=st.booleans())
@shared
def test_the_best_of_frequent_words_are_the_same_where_many_articles_are_gone(
    thinned: Archive, query: str, wanted: int, window: tuple[int, int] | None, by_date: bool
) -> None:
    """Also where the champions that are left suffice, and where they do not."""
    index = thinned.index
    assert len(index.segments) == 2
    assert index.alive is not None
    champions = index.segments[0].arrays["champions"].reshape(-1, 128)
    living = index.alive[champions].sum(axis=1)
    assert 0 < living.min() < living.max() < 128
    found = by_both(thinned, query, wanted, window, by_date=by_date)
    assert found[1:] == found[:1]


@given(query=frequent, wanted=st.integers(0, 140), window=windows, by_date=st.booleans())
@shared
def test_the_best_of_frequent_words_are_the_same(
    crowded: Archive, query: str, wanted: int, window: tuple[int, int] | None, by_date: bool
) -> None:
    """Also where the champions of a word suffice, and where they do not."""
    arrays = crowded.index.segments[0].arrays
    assert all(len(arrays[name]) for name in ("champions", "dense", "odd"))
    assert crowded.index.having(pair_key("ситий", "лис").encode()) > 1000
    found = by_both(crowded, query, wanted, window, by_date=by_date)
    assert found[1:] == found[:1]


@pytest.mark.parametrize("wanted", [1, 3, 10, 140])
@pytest.mark.parametrize(
    "query",
    ["лис спить", "спить лис", "курка сокіл", "сокіл курка", "=лиси сокіл", "лиси =лис",
     "сокіл лис курка", "ситий мир лис", "ситий лис спить курка сіла сокіл"],
)  # fmt: skip
def test_what_words_side_by_side_add_is_the_same(crowded: Archive, query: str, wanted: int) -> None:
    """Of frequent words and of rare ones: what follows is looked up for one article or for all."""
    found = by_both(crowded, query, wanted, None, by_date=False)
    assert found[1:] == found[:1]
    assert found[0].total >= wanted


SCATTERED = {"лис": 0.005, "пес": 0.05, "сова": 0.2, "жук": 0.28, "рак": 0.5, "сокіл": 0.9}


@pytest.fixture(scope="session")
def scattered(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """An archive in which each word stands in such a share of the articles, anywhere."""
    folder, draw = tmp_path_factory.mktemp("scattered"), random.Random(1)
    with (folder / "news.jsonl").open("w", encoding="utf-8") as lines:
        for i in range(4000):
            chances = [item for item in SCATTERED.items() for _ in range(3)]
            words = [word for word, share in chances if draw.random() < share / 2]
            title = draw.choice(words) if words and draw.random() < 0.1 else ""
            date = f"202{i % 4 // 3 + 3}-{i % 12 + 1:02}"
            record = {"id": str(i), "title": title, "text": " ".join(words) or "кіт", "date": date}
            lines.write(json.dumps(record) + "\n")
    Archive.build(folder / "news.jsonl", folder / "index")
    return Archive.open(folder / "index")


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("operator", ["", "AND", "OR"])
def test_what_lists_have_in_common_is_the_same_however_long_they_are(
    scattered: Archive, operator: str, window: tuple[int, int] | None
) -> None:
    """Of two and three words, of which some have champions and bits, and of what begins alike."""
    totals = []
    for words in chain(combinations([*SCATTERED, "со*"], 2), combinations(SCATTERED, 3)):
        query = f" {operator} ".join(words)
        found = by_both(scattered, query, 10, window, by_date=False)
        assert found[1:] == found[:1]
        totals.append(found[0].total)
    assert max(totals) > 100 or window == WINDOWS[-1]  # in which there is none


LEAVES = ["лис", "лиси", "=лис", "=лиси", "л*", "ли*", "к*", "со*", "мирн*", "сп*", "title:лис",
          "title:л*", "tag:л*", "й*", "*", "немає*", "немає"]  # fmt: skip


@given(query=st.sampled_from(LEAVES), step=st.sampled_from([0, 1, 2, 50, 400]))
@shared
def test_the_places_of_a_word_are_the_same(
    crowded: Archive, thinned: Archive, query: str, step: int
) -> None:
    """In all articles, in many of them and in a few; in one segment and in two."""
    tree = parse(query).tree
    if tree is None:
        return
    [(leaf, (scope,))] = leaves(tree, (match.ANYWHERE,))
    assert not isinstance(leaf, Phrase)
    for index in (crowded.index, thinned.index):
        among = index.living()[::step].astype(np.uint32) if step else None
        found = [Matcher(index).places(leaf, scope, among)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(match, "kernel", None)
            found.append(Matcher(index).places(leaf, scope, among))
        assert found[0].tolist() == found[1].tolist()


HOSTILE = """
import sys
from pathlib import Path
import numpy as np
from searchkit import Archive
from searchkit.codec.arrays import read, write
from searchkit.codec.segment import Segment
from searchkit.query import top
from searchkit.query.match import Matcher
from searchkit.query.parse import parse

index, path = Archive.open(sys.argv[1]).index, Path(sys.argv[2])
arrays = dict(read(index.segments[0].path))
arrays["chunk_keys"] = np.full_like(arrays["chunk_keys"], 0xFFFF)
write(path, arrays)
index.segments[0] = Segment(path)
try:
    top.top(Matcher(index), parse("ситий лис").tree, 10)
except ValueError as error:
    print(error, end="")
"""


def test_postings_of_articles_that_there_are_not_are_an_error(
    crowded: Archive, tmp_path: Path
) -> None:
    """And no crash, though all sums are right."""
    folder = crowded.index.generation.parent
    done = subprocess.run([sys.executable, "-c", HOSTILE, folder, tmp_path / "hostile.arrays"],
                          check=True, capture_output=True)  # fmt: skip
    assert done.stdout == b"postings lead nowhere"


def test_the_index_that_is_built_is_the_same(
    archive: Archive, sample: Path, tmp_path: Path
) -> None:
    """A build without the kernel makes the same file, byte for byte."""
    program = "import sys; from searchkit import Archive; Archive.build(sys.argv[1], sys.argv[2])"
    subprocess.run(
        [sys.executable, "-c", program, sample, tmp_path / "index"],
        check=True, env=os.environ | {"SEARCHKIT_KERNEL": "0"},
    )  # fmt: skip
    [one] = archive.index.generation.glob("segment-*.arrays")
    [other] = (tmp_path / "index").glob("*/segment-*.arrays")
    assert one.read_bytes() == other.read_bytes()


blocks = st.lists(st.lists(st.integers(0, (1 << 53) - 1), min_size=1, max_size=5), max_size=6)


@given(blocks)
def test_numbers_are_packed_to_the_same_bits(blocks: list[list[int]]) -> None:
    values = np.array([value for block in blocks for value in block], np.uint64)
    ends = np.cumsum([len(block) for block in blocks], dtype=np.int64)
    found = [each.tolist() for each in postings.pack(values, ends)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "kernel", None)
        assert [each.tolist() for each in postings.pack(values, ends)] == found
