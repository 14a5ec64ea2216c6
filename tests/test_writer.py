import gzip
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from searchkit import Archive, Article, Hit, writer
from searchkit.codec.workers import make_runs
from searchkit.corpus import Corpus
from searchkit.writer import Means, Summary, _runs, rebuild

MakeArchive = Callable[[list[dict[str, Any]]], Archive]
MakeCorpus = Callable[[dict[str, str | bytes]], Path]

FOX = "Лис\n\nЛис перебіг колію."
HEN = "Курка\n\nКурка знесла яйце."
CAT = "Кіт\n\nКіт утік на дах."


def ids(archive: Archive) -> list[str]:
    return sorted(archive.index.article(number).id for number in archive.index.living())


# -- what is written is what was read ----------------------------------------------------------


def test_every_article_of_the_sample_archive_comes_back_as_it_was_read(
    archive: Archive, sample: Path
) -> None:
    read = list(Corpus(sample))
    numbers = [archive.index.number(article.id) for article in read]
    assert sorted(number for number in numbers if number is not None) == list(range(72))
    assert [archive.index.article(number or 0) for number in numbers] == read
    assert [archive.article(article.id) for article in read] == read


@pytest.mark.parametrize(
    "article",
    [
        Article("лис", "Лис."),
        Article("2025/09/лис в місті: №7", "Лис."),
        Article("=лис*", "Лис \"і\" 'курка' \\ NOT <b>яйце</b> &amp;"),
        Article("рядки", "  Лис.\r\n\r\n\tКурка.\u2028Кіт.\n "),
        Article("знаки", "\u0301 е\u0301 и\u0306 \u00ad \u200b \ufeff \u202e \x1b[31m \U0001f98a"),
        Article(
            id="усе",
            text="Лис.",
            title="Лис, і \u00abлисиця\u00bb",
            date="2025-09-24T08:30:00+03:00",
            url="https://example.org/?q=лис&p=1",
            source="Степ медіа",
            author="Інна Лиман, Вадим Кравець",
            section="тварини",
            tags=("лиси, лисиці", "яр; ліс", "лис"),
            language="uk",
        ),
    ],
    ids=lambda article: article.id,
)
def test_any_article_comes_back_as_it_was(make_archive: MakeArchive, article: Article) -> None:
    opened = make_archive([{"id": "курка", "text": "Курка."}, article._asdict()])
    assert opened.article(article.id) == article
    assert opened.article("курка") == Article("курка", "Курка.")


@pytest.mark.parametrize("article_id", ["", "ли", "лиси", "Лис", "лис ", "*", "\0", "\ud800"])
def test_an_id_that_no_article_has_finds_none(make_archive: MakeArchive, article_id: str) -> None:
    opened = make_archive([{"id": "лис", "text": "Лис."}])
    assert opened.article(article_id) is None


def test_an_article_is_as_long_as_it_has_words(make_archive: MakeArchive) -> None:
    """However many lemmas a word has."""
    words = "Мати купила замок. Біла коса, три мати й онлайн-переговори!"
    opened = make_archive(
        [{"id": "a", "title": "Три мати", "text": words}, {"id": "b", "text": "Три три три."}]
    )
    assert opened.index.title_words.tolist() == [2, 0]
    assert opened.index.text_words.tolist() == [9, 3]


def test_dates_are_kept_as_spans(make_archive: MakeArchive) -> None:
    dates = ["2025-09-24", None, "2011", "2011-05", "2025-09-24T08:30:00+03:00"]
    opened = make_archive([{"id": str(date), "text": "Лис.", "date": date} for date in dates])
    index = opened.index
    assert list(zip(index.first.tolist(), index.last.tolist(), strict=True)) == [
        (2025_09_24_08_30_00, 2025_09_24_08_30_00),
        (2025_09_24_00_00_00, 2025_09_24_99_99_99),
        (2011_05_00_00_00_00, 2011_05_99_99_99_99),
        (2011_00_00_00_00_00, 2011_99_99_99_99_99),
        (0, 0),
    ]


# -- building -----------------------------------------------------------------------------------


def test_a_build_tells_what_it_did(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    steps: list[None] = []
    folder = make_corpus({"fox.txt": FOX, "hen.txt": HEN, "bad.txt": "", "photo.jpg": b"\xff"})
    summary = Archive.build(folder, tmp_path / "index", progress=lambda: steps.append(None))
    assert summary == Summary(articles=2, added=2, rejected=1, generation="000001")
    assert len(steps) == 2


def test_a_manifest_tells_where_the_articles_came_from(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus({"fox.txt": FOX, "hen.txt": HEN, "bad.txt": ""})
    Archive.build(folder, tmp_path / "index")
    with Archive.open(tmp_path / "index") as opened:
        manifest = opened.index.manifest
        assert len(opened) == 2
    assert (manifest.articles, manifest.rejected, manifest.corpus) == (2, 1, str(folder))


@pytest.mark.parametrize("in_memory", [100, 1], ids=["memory", "file"])
@pytest.mark.parametrize("build", [Archive.build, Archive.update])
def test_of_two_articles_with_one_id_the_first_counts(
    make_corpus: MakeCorpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    build: Callable[..., Summary],
    in_memory: int,
) -> None:
    """The second is named with its own file and line, like any bad record."""
    monkeypatch.setattr("searchkit.writer.IN_MEMORY", in_memory)
    folder = make_corpus(
        {
            "a.jsonl": '{"id": "fox", "text": "Лис."}\n\n{"id": "fox", "text": "Інший лис."}\n',
            "b/fox.csv": "text,id\nТретій лис.,fox\nКурка.,hen\n",
            "fox.txt": FOX,
        }
    )
    rejected: list[Exception] = []
    summary = build(folder, tmp_path / "index", report=rejected.append)
    assert summary == Summary(articles=2, added=2, rejected=3, generation="000001")
    reason = "the id 'fox' was there already"
    assert [str(error) for error in rejected] == [
        f"{folder / 'a.jsonl'}, line 3: {reason}",
        f"{folder / 'fox.txt'}, line 1: {reason}",
        f"{folder / 'b' / 'fox.csv'}, line 2: {reason}",
    ]
    with Archive.open(tmp_path / "index") as opened:
        assert ids(opened) == ["fox", "hen"]
        assert opened.article("fox") == Article("fox", "Лис.")


@pytest.mark.skipif(os.name == "nt", reason="there every file name is Unicode")
def test_a_file_name_that_is_not_utf8_does_not_stop_a_build(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    """Archives from older systems have such names; the other articles are indexed."""
    folder = make_corpus({"hen.txt": HEN})
    (folder / os.fsdecode("лис.txt".encode("cp1251"))).write_text(FOX, encoding="utf-8")
    summary = Archive.build(folder, tmp_path / "index")
    assert summary.articles + summary.rejected == 2
    with Archive.open(tmp_path / "index") as opened:
        assert opened.article("hen") == Article("hen", "Курка знесла яйце.", "Курка")


# -- updating -----------------------------------------------------------------------------------


def test_an_update_adds_replaces_and_drops(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    index = tmp_path / "index"
    folder = make_corpus({"fox.txt": FOX, "hen.txt": HEN})
    assert Archive.update(folder, index) == Summary(articles=2, added=2, generation="000001")

    make_corpus({"cat.txt": CAT, "hen.txt": "Курка\n\nКурка знесла гусяче яйце."})
    (folder / "fox.txt").unlink()
    assert Archive.update(folder, index) == Summary(
        articles=2, added=1, changed=1, removed=1, generation="000002"
    )
    with Archive.open(index) as opened:
        assert (ids(opened), len(opened)) == (["cat", "hen"], 2)
        assert opened.article("fox") is None
        assert opened.article("hen") == Article("hen", "Курка знесла гусяче яйце.", "Курка")
        assert opened.search("лис").total == 0
        assert [hit.id for hit in opened.search("гусячі яйця")] == ["hen"]
        assert [hit.id for hit in opened.search("дахи")] == ["cat"]


def test_an_update_keeps_the_articles_of_a_file_that_cannot_be_read(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    packed = gzip.compress(b'{"id": "dog", "text": "dog"}')
    Archive.build(make_corpus({"fox.txt": FOX, "dog.jsonl.gz": packed}), index)
    folder = make_corpus({"cat.txt": CAT, "dog.jsonl.gz": b"no gzip"})
    (folder / "fox.txt").unlink()
    assert Archive.update(folder, index) == Summary(
        articles=3, added=1, rejected=1, generation="000002"
    )
    with Archive.open(index) as opened:
        assert (ids(opened), len(opened)) == (["cat", "dog", "fox"], 3)
    assert Archive.update(folder, index) == Summary(articles=3, rejected=1, generation="000002")


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Лисиця"},
        {"text": "Лис утік"},
        {"date": "2025-09-25"},
        {"url": "https://example.org/lys"},
        {"source": "Вісник"},
        {"author": None},
        {"section": "природа"},
        {"tags": ["ліс", "лис"]},
        {"language": "en"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_in_any_field_is_a_change(
    make_corpus: MakeCorpus, tmp_path: Path, change: dict[str, Any]
) -> None:
    article = Article(
        id="fox",
        text="Лис біжить",
        title="Лис",
        date="2025-09-24",
        url="https://example.org/fox",
        source="Степ медіа",
        author="Інна Лиман",
        section="тварини",
        tags=("лис", "ліс"),
        language="uk",
    )
    record = article._asdict()
    Archive.build(make_corpus({"fox.json": json.dumps(record)}), tmp_path / "index")
    folder = make_corpus({"fox.json": json.dumps(record | change)})
    assert Archive.update(folder, tmp_path / "index") == Summary(
        articles=1, changed=1, generation="000002"
    )
    expected: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in change.items()
    }
    with Archive.open(tmp_path / "index") as opened:
        assert opened.article("fox") == article._replace(**expected)


def test_an_update_without_changes_makes_no_generation(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    """By content, not by clock: files may be touched, packed, have other line ends."""
    index = tmp_path / "index"
    folder = make_corpus({"fox.txt": FOX, "two.jsonl": '{"text": "Кіт"}\n{"text": "Пес"}\n'})
    Archive.build(folder, index)
    before = {path.name: path.stat().st_mtime_ns for path in index.glob("*/*")}
    packed = gzip.compress((folder / "two.jsonl").read_bytes())
    make_corpus({"fox.txt": FOX.replace("\n", "\r\n"), "two.jsonl.gz": packed})
    (folder / "two.jsonl").unlink()
    os.utime(folder / "fox.txt", (0, 0))
    assert Archive.update(folder, index) == Summary(articles=3, generation="000001")
    assert {path.name: path.stat().st_mtime_ns for path in index.glob("*/*")} == before
    assert not (index / ".building").exists()


def test_an_update_leaves_the_generation_before_it_untouched(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    """Though they share files, a rollback gives back what was there."""
    index = tmp_path / "index"
    folder = make_corpus({"fox.txt": FOX, "hen.txt": HEN})
    Archive.build(folder, index)
    before = {path.name: path.read_bytes() for path in (index / "000001").iterdir()}
    (folder / "fox.txt").unlink()
    make_corpus({"cat.txt": CAT})
    Archive.update(folder, index)
    assert {path.name: path.read_bytes() for path in (index / "000001").iterdir()} == before
    assert Archive.rollback(index) == "000001"
    with Archive.open(index) as opened:
        assert ids(opened) == ["fox", "hen"]


QUERIES = [
    "переговори",
    "мирні переговори в Києві",
    "міст через Десну",
    '"через Десну"',
    '"Десну міст"~5',
    "школ* OR музе*",
    "переговори NOT мирні",
    "source:обрій економіка",
    "tag:переговори",
    "=лелеки",
    "date:2024-10",
]


def answers(archive: Archive) -> list[tuple[int, int, dict[str, Hit]]]:
    """What an archive says to the queries.

    A score depends on average lengths that are frozen from rebuild to rebuild.
    """
    pages = [archive.search(query, limit=100) for query in QUERIES]
    return [
        (
            page.total,
            page.total_all_words,
            {hit.id: hit._replace(score=0.0) for hit in page},
        )
        for page in pages
    ]


@pytest.fixture(params=["analysed", "small", "merged"])
def taking_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates analyse all articles again, write a small segment, or merge all segments."""
    if request.param != "analysed":
        monkeypatch.setattr(writer, "LEARNED", 0)
        monkeypatch.setattr(writer, "TIER", 1 if request.param == "small" else 1_000)


@pytest.mark.usefixtures("taking_in")
def test_an_archive_that_was_updated_answers_like_one_built_anew(
    sample: Path, archive: Archive, tmp_path: Path
) -> None:
    """However it got there: articles came in parts, in other words, and left again."""
    lines = [json.dumps(article._asdict()) + "\n" for article in Corpus(sample)]
    others = [line.replace('"text": "', '"text": "Мирні переговори. ') for line in lines]
    foreign = [line.replace('"id": "', '"id": "інша-') for line in lines[:9]]
    stages = [
        foreign + others[:30],
        lines[:30],
        others[20:40] + lines[:20],
        lines[10:50] + foreign,
        lines[:71],
        lines,
    ]
    corpus, index = tmp_path / "corpus.jsonl", tmp_path / "index"
    summaries = []
    for stage in stages:
        corpus.write_text("".join(stage), encoding="utf-8")
        summaries.append(Archive.update(corpus, index))
    assert summaries == [
        Summary(39, added=39, generation="000001"),
        Summary(30, changed=30, removed=9, generation="000002"),
        Summary(40, added=10, changed=10, generation="000003"),
        Summary(49, added=19, changed=20, removed=10, generation="000004"),
        Summary(71, added=31, removed=9, generation="000005"),
        Summary(72, added=1, generation="000006"),
    ]
    with Archive.open(index) as updated:
        assert ids(updated) == ids(archive)
        assert answers(updated) == answers(archive)
        described = ("articles", "words", "dated", "from", "to")
        assert [updated.stats()[key] for key in described] == [
            archive.stats()[key] for key in described
        ]


def test_memory_decides_how_much_is_done_at_once_and_nothing_else(
    sample: Path, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build of 50 rows at once, a frequent word in several pieces, makes the same index."""
    monkeypatch.setattr("searchkit.writer.BYTES_A_ROW", 10_000)
    monkeypatch.setattr("searchkit.codec.postings.MANY", 0)  # large arrays grow in their place
    rebuild(Corpus(sample), tmp_path / "index", means=Means(jobs=1, memory=1))
    with Archive.open(tmp_path / "index") as small:
        [one], [other] = archive.index.segments, small.index.segments
        for name in ("lows", "codes", "rows", "champions", "bits", "ids", "terms.bytes"):
            assert one.arrays[name].tolist() == other.arrays[name].tolist()


def test_an_update_takes_no_more_memory_for_more_articles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Be they new or changed."""
    monkeypatch.setattr("searchkit.writer.SAMPLE_SIZE", 1)

    def write(count: int, word: str) -> Path:
        lines = [{"id": str(i), "text": f"{word} {i}" + 60_000 * " \n"} for i in range(count)]
        path = tmp_path / f"{count}.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return path

    peaks = []
    for count in (15, 75):
        index = tmp_path / f"index-{count}"
        Archive.build(write(1, "лис"), index)
        for word in ("лис", "кіт"):
            path = write(count, word)
            tracemalloc.start()
            done = Archive.update(path, index, jobs=1, memory=1)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert done.added + done.changed >= count - 1
    assert max(peaks) < 1.5 * min(peaks)


def test_the_articles_of_many_small_files_are_analysed_together(tmp_path: Path) -> None:
    """A folder may have a file for each day, or for each article."""
    for number in range(9):
        (tmp_path / f"{number}.txt").write_text("Лис\n\nЛис спить.", encoding="utf-8")
        line = json.dumps({"text": "лис"}) + "\n"
        (tmp_path / f"{number}.jsonl").write_text(line, encoding="utf-8")
    runs = filter(None, _runs(Corpus(tmp_path).blocks(10_000), 10_000))
    assert [len(run) for run in runs] == [18]


def test_several_processes_write_what_one_writes_byte_for_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever analysed them, articles are numbered as they were read, and so is what they have."""
    monkeypatch.setattr("searchkit.writer.BLOCK", 40_000)
    lines = [{"id": str(i), "text": f"Лис {i} біг {i % 7} стежками."} for i in range(9_000)]
    corpus = tmp_path / "many.jsonl"
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    written = set()
    for jobs in (1, 2, 3):
        Archive.build(corpus, tmp_path / str(jobs), jobs=jobs)
        [segment] = (tmp_path / str(jobs)).glob("*/segment-*")
        written.add(segment.read_bytes())
    assert len(written) == 1


def test_long_articles_are_learned_from_alike_however_large_the_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several processes each reads smaller blocks; what is learned first is the same."""
    monkeypatch.setattr("searchkit.writer.SAMPLE_SIZE", 10_000)
    lines = [{"text": f"Лис {i} біг {i % 7} стежками. " * 30} for i in range(300)]
    corpus = tmp_path / "long.jsonl"
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    written = set()
    for memory in (1, 2, 3):
        Archive.build(corpus, tmp_path / str(memory), jobs=1, memory=memory)
        [segment] = (tmp_path / str(memory)).glob("*/segment-*")
        written.add(segment.read_bytes())
    assert len(written) == 1


@pytest.mark.parametrize(
    ("count", "length", "processes"), [(1_100, 1, 2), (30, 1, 1), (30, 400_000, 2)]
)
def test_many_articles_are_analysed_by_several_processes_and_so_are_few_long_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, length: int, processes: int
) -> None:
    """Ten megabytes are many; a process has started before one alone has analysed them."""
    told = []

    def watched(*args: Any) -> Any:
        told.append(args[3])
        return make_runs(*args)

    monkeypatch.setattr("searchkit.writer.make_runs", watched)
    lines = [{"id": str(i), "text": "лис" + length * "\n"} for i in range(count)]
    corpus = tmp_path / "long.jsonl"
    corpus.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert Archive.build(corpus, tmp_path / "index", jobs=2).articles == count
    assert told == [processes]
