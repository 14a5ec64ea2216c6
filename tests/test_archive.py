import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any, cast

import pytest

from searchkit import Archive, Article, Hit, Passage, Results
from searchkit.archive import Sort
from searchkit.dates import DateLike, parse_span
from searchkit.errors import DateError, IndexMissing, RequestError

MakeArchive = Callable[[list[dict[str, Any]]], Archive]


def ids(results: Results) -> list[str]:
    return [hit.id for hit in results]


# -- what comes back ----------------------------------------------------------------------------


def test_a_hit_is_the_article_its_score_and_where_the_words_stand(
    make_archive: MakeArchive,
) -> None:
    archive = make_archive(
        [
            {"id": "fox", "title": "Лис і курка", "text": "Лиса бачили двічі. Курку — ні."},
            {"id": "cat", "title": "Кіт", "text": "Кіт спить."},
        ]
    )
    results = archive.search("лисом")
    (hit,) = results
    assert hit == Hit(
        article=Article("fox", "Лиса бачили двічі. Курку — ні.", "Лис і курка"),
        score=hit.score,
        all_words=True,
        title_spans=((0, 3),),
        passages=(Passage("Лиса бачили двічі. Курку — ні.", ((0, 4),)),),
        factors=(),
    )
    assert hit.id == "fox"
    assert hit.score > 0
    assert results == Results("лисом", None, 1, 1, (hit,))


def test_results_are_a_sequence_of_hits(archive: Archive) -> None:
    results = archive.search("переговори", limit=4)
    assert (len(results), results.total > 4) == (4, True)
    assert list(results) == [results[0], *results[1:3], results[-1]]
    assert results[0] in results


def test_the_factors_of_a_score_add_up_to_it(archive: Archive) -> None:
    """They are there when they are asked for."""
    for hit in archive.search("мирні переговори Київ", explain=True):
        assert sum(factor.score for factor in hit.factors) == pytest.approx(hit.score)
        assert [factor.name for factor in hit.factors if factor.score <= 0] == []
    assert {hit.factors for hit in archive.search("мирні переговори")} == {()}


@pytest.mark.parametrize("query", ["", " ", "—", "?!*", "()", '"', "NOT", "\ud800"])
def test_a_query_without_a_word_finds_nothing(archive: Archive, query: str) -> None:
    results = archive.search(query)
    assert (results.query, results.total, results.total_all_words, results.hits) == (
        query,
        0,
        0,
        (),
    )


def test_a_word_that_no_article_has_finds_nothing(archive: Archive) -> None:
    assert archive.search("бегемот") == Results("бегемот", None, 0, 0, ())


def test_a_mended_query_says_how_it_was_read(archive: Archive) -> None:
    results = archive.search("переговори AND (мирні")
    assert results.read_as == "переговори AND мирні"
    assert ids(results) == ids(archive.search("переговори AND мирні"))
    assert archive.search("переговори AND мирні").read_as is None


# -- order --------------------------------------------------------------------------------------


def test_articles_with_all_words_come_first(make_archive: MakeArchive) -> None:
    """However well the others match."""
    archive = make_archive(
        [
            {"id": "some", "title": "Сіль", "text": "Сіль, сіль, сіль і ще раз сіль."},
            {"id": "all", "text": f"Сіль. {'Кладуть і те, і се. ' * 40} Перець."},
            *({"id": f"перець-{n}", "text": "Перець.", "title": "Перець"} for n in range(5)),
            {"id": "none", "text": "Цукор."},
        ]
    )
    results = archive.search("сіль перець")
    found = [(hit.id, hit.all_words) for hit in results][:2]
    assert found == [("all", True), ("some", False)]
    assert (results.total, results.total_all_words) == (7, 1)
    assert results[0].score < results[1].score


def test_a_word_in_the_title_counts_for_more_than_one_in_the_text(
    make_archive: MakeArchive,
) -> None:
    archive = make_archive(
        [
            {"id": "text", "title": "Новини дня", "text": "Лис утік."},
            {"id": "title", "title": "Лис утік", "text": "Новини дня."},
        ]
    )
    assert ids(archive.search("лис")) == ["title", "text"]


def test_words_side_by_side_count_for_more_than_words_apart(make_archive: MakeArchive) -> None:
    archive = make_archive(
        [
            {"id": "apart", "text": "Мирні люди ведуть переговори."},
            {"id": "adjacent", "text": "Люди ведуть мирні переговори."},
        ]
    )
    assert ids(archive.search("мирні переговори")) == ["adjacent", "apart"]


def test_of_equal_scores_the_newest_comes_first(make_archive: MakeArchive) -> None:
    dates = ["2023-05-01", None, "2025-05-01", "2024-05-01"]
    archive = make_archive([{"id": str(d), "text": "Лис утік.", "date": d} for d in dates])
    assert ids(archive.search("лис")) == ["2025-05-01", "2024-05-01", "2023-05-01", "None"]


def test_sorted_by_date_the_newest_come_first_and_the_undated_last(
    make_archive: MakeArchive,
) -> None:
    """A month or a year stands where it begins; relevance decides within one date."""
    dates = ["2011", None, "2025-09-24T08:30", "2025-09-24", "2025-09", "2011-05", "2025-09-25"]
    articles = [{"id": str(d), "text": "Лис утік.", "date": d} for d in dates]
    twice = {"id": "twice", "text": "Лис, лис утік.", "date": "2025-09-25"}
    archive = make_archive([*articles, twice, {"id": "hen", "text": "Курка."}])
    assert ids(archive.search("лис", sort="date")) == [
        "twice",
        "2025-09-25",
        "2025-09-24T08:30",
        "2025-09-24",
        "2025-09",
        "2011-05",
        "2011",
        "None",
    ]


# -- pages --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.parametrize("sort", ["relevance", "date"])
def test_the_pages_put_together_are_the_whole(archive: Archive, sort: Sort, size: int) -> None:
    whole = archive.search("міст школа", limit=100, sort=sort)
    assert len(whole) == whole.total > 10
    pages = [
        archive.search("міст школа", limit=size, offset=offset, sort=sort)
        for offset in range(0, whole.total, size)
    ]
    assert tuple(chain.from_iterable(pages)) == whole.hits
    assert {(page.total, page.total_all_words) for page in pages} == {
        (whole.total, whole.total_all_words)
    }


def test_a_page_may_be_empty(archive: Archive) -> None:
    whole = archive.search("переговори", limit=100)
    for limit, offset in ((0, 0), (10, whole.total), (10, 10**30)):
        page = archive.search("переговори", limit=limit, offset=offset)
        assert (page.hits, page.total) == ((), whole.total)
    for limit in (10**30, 1 << 64):
        assert archive.search("переговори", limit=limit) == whole


def test_there_are_as_many_passages_as_asked_for_at_most(archive: Archive) -> None:
    for limit in (0, 1, 2):
        hits = archive.search("переговори", limit=100, passages=limit)
        assert max(len(hit.passages) for hit in hits) == limit


@pytest.mark.parametrize(
    "options", [{"limit": -1}, {"offset": -1}, {"passages": -1}, {"timeout": -1}, {"limit": -5}]
)
def test_a_negative_number_is_refused(archive: Archive, options: dict[str, int]) -> None:
    with pytest.raises(RequestError) as caught:
        archive.search("переговори", **cast("Any", options))
    assert str(caught.value) == "limit, offset, passages and timeout cannot be negative."


def test_an_unknown_order_is_refused(archive: Archive) -> None:
    with pytest.raises(RequestError) as caught:
        archive.search("переговори", sort=cast("Any", "newest"))
    assert str(caught.value) == "sort is 'relevance' or 'date', not 'newest'."


# -- windows of time ----------------------------------------------------------------------------


@pytest.fixture
def dated(make_archive: MakeArchive) -> Archive:
    """One article for each kind of date; its id is its date."""
    dates = [
        None,
        "2011",
        "2011-05",
        "2011-05-31",
        "2011-06-01",
        "2025-09-24",
        "2025-09-24T08:30:00+03:00",
        "2025-09-24T23:59:59",
        "2025-10",
    ]
    return make_archive([{"id": str(d), "text": "Лис утік.", "date": d} for d in dates])


SEPTEMBER_24 = ["2025-09-24", "2025-09-24T08:30:00+03:00", "2025-09-24T23:59:59"]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2011", "2011", ["2011", "2011-05", "2011-05-31", "2011-06-01"]),
        (None, "2011", ["2011", "2011-05", "2011-05-31", "2011-06-01"]),
        ("2011-05", "2011-05", ["2011", "2011-05", "2011-05-31"]),
        ("2011-06", "2011-06", ["2011", "2011-06-01"]),
        ("2011-06-01", "2011-12", ["2011", "2011-06-01"]),
        ("2011-01-15", "2011-01-16", ["2011"]),
        ("2010", "2011-01-01", ["2011"]),
        ("2011-12-31", "2012", ["2011"]),
        ("2011-05-10", "2011-05-10", ["2011", "2011-05"]),
        ("2012", "2024", []),
        (None, "2010", []),
        ("2025-09-24", "2025-09-24", SEPTEMBER_24),
        (date(2025, 9, 24), date(2025, 9, 24), SEPTEMBER_24),
        ("2025-09", "2025-09", SEPTEMBER_24),
        (date(2025, 9, 1), None, [*SEPTEMBER_24, "2025-10"]),
        ("2025-09-25", None, ["2025-10"]),
        ("2025-10-31", None, ["2025-10"]),
        ("2025-11", None, []),
        ("2026", "2025", []),
        ("2025-09-24T08:30", "2025-09-24T08:30", ["2025-09-24", "2025-09-24T08:30:00+03:00"]),
        (datetime(2025, 9, 24, 9, tzinfo=UTC), "2025-09", ["2025-09-24", "2025-09-24T23:59:59"]),
    ],
)
def test_an_article_is_found_in_every_window_that_its_date_touches(
    dated: Archive, since: DateLike | None, until: DateLike | None, expected: list[str]
) -> None:
    """A year or a month counts as its whole span; an undated article is in no window."""
    results = dated.search("лис", since=since, until=until)
    assert sorted(ids(results)) == expected
    assert (results.total, results.total_all_words) == (len(expected), len(expected))


def test_without_a_window_the_undated_are_found_too(dated: Archive) -> None:
    assert "None" in ids(dated.search("лис"))
    assert dated.search("лис").total == 9


def test_a_window_changes_no_score(archive: Archive) -> None:
    """Ranking does not depend on what is filtered out."""
    whole = {hit.id: hit for hit in archive.search("переговори", limit=100)}
    window = archive.search("переговори", limit=100, since="2024", until="2024")
    assert 0 < window.total < len(whole)
    assert [whole[hit.id] for hit in window] == list(window)


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("value", ["", "вчора", "2025-13", "24.09.2025"])
def test_what_is_not_a_date_is_refused(archive: Archive, name: str, value: str) -> None:
    with pytest.raises(DateError, match=f"^'{value}' is not a date"):
        archive.search("переговори", **cast("Any", {name: value}))


# -- threads ------------------------------------------------------------------------------------


def test_threads_that_share_an_archive_get_the_same_answers(archive: Archive) -> None:
    queries = ["переговори", "мирні переговори", '"через Десну"', "школ*", "міст NOT Десна"] * 8
    alone = [archive.search(query, limit=100, explain=True) for query in queries]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda q: archive.search(q, limit=100, explain=True), queries))
    assert together == alone
    assert [results.total > 0 for results in alone] == [True] * len(queries)


# -- looking inside -----------------------------------------------------------------------------


def test_an_article_is_found_by_its_id(archive: Archive) -> None:
    article = archive.article("svystuntsi-v-lisaboni")
    assert article is not None
    assert (article.title, article.date) == ("Свистунці з Ічні поїхали до Лісабона", "2023")
    assert archive.article("svystuntsi") is None


def test_the_words_of_a_query_are_marked_in_any_article(archive: Archive) -> None:
    article = archive.article("dvi-taburetky")
    assert article is not None
    title, text = archive.mark(article, "мирними переговорами")
    assert [article.title[start:end] for start, end in title] == ["Мирні", "переговори"]
    assert [article.text[start:end].lower() for start, end in text][:2] == ["мирні", "переговори"]
    assert archive.mark(article, "") == ((), ())


def test_an_archive_is_as_long_as_it_has_articles(archive: Archive) -> None:
    assert len(archive) == 72


def test_stats_describe_the_generation(make_archive: MakeArchive) -> None:
    archive = make_archive(
        [
            {"id": "fox", "title": "Лис", "text": "Лис утік.", "date": "2011"},
            {"id": "hen", "text": "Курка знесла яйце.", "date": "2025-09-24T08:30:00+03:00"},
            {"id": "cat", "text": "Кіт спить."},
        ]
    )
    generation = archive.index.generation
    stats = archive.stats()
    assert {name: stats[name] for name in ("generation", "live", "previous")} == {
        "generation": "000001",
        "live": "000001",
        "previous": None,
    }
    assert {name: stats[name] for name in ("articles", "rejected", "dated", "words")} == {
        "articles": 3,
        "rejected": 0,
        "dated": 2,
        "words": 7,
    }
    assert stats["index"] == str(generation.parent)
    assert stats["bytes"] == sum(path.stat().st_size for path in generation.iterdir())


def test_stats_name_dates_that_can_be_asked_for(make_archive: MakeArchive) -> None:
    """From the first date to the last, in ISO 8601."""
    dates = [None, "2011", "2012-05-01", "2025-09-24T08:30:00+03:00"]
    stats = make_archive([{"id": str(d), "text": "Лис.", "date": d} for d in dates]).stats()
    assert [parse_span(stats["from"])[0] // 10**10, parse_span(stats["to"])[0] // 10**6] == [
        2011,
        2025_09_24,
    ]
    assert parse_span(stats["built"])[0] > parse_span("2025")[0]


def test_stats_of_an_archive_without_dates_have_none(make_archive: MakeArchive) -> None:
    stats = make_archive([{"id": "fox", "text": "Лис."}]).stats()
    assert (stats["dated"], stats["from"], stats["to"]) == (0, None, None)


@pytest.mark.parametrize("query", ["переговори", "переговорів у Києві", '"мирні переговори"'])
def test_a_query_for_words_that_the_index_knows_does_not_load_the_dictionary(
    archive: Archive, query: str
) -> None:
    """Loading it takes longer than all else that a new process does."""
    program = (
        "import sys; from searchkit import cli\n"
        "try: cli.main()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    folder = str(archive.index.generation.parent)
    command = [sys.executable, "-c", program, "query", query, "--index", folder, "--json"]
    run = subprocess.run(command, capture_output=True, check=True)
    assert b'"total"' in run.stdout
    assert {b"searchkit.index", b"pymorphy3"} & {*run.stderr.split()} == {b"searchkit.index"}


@pytest.mark.parametrize(
    "means", [{"jobs": 0}, {"jobs": -1}, {"memory": 0}, {"memory": -1}], ids=str
)
def test_a_build_without_means_is_refused(tmp_path: Path, means: dict[str, Any]) -> None:
    (tmp_path / "fox.txt").write_text("Лис\n\nЛис спить.", encoding="utf-8")
    for build in (Archive.build, Archive.update):
        with pytest.raises(RequestError, match="jobs and memory are 1 or more"):
            build(tmp_path / "fox.txt", tmp_path / "index", **means)


def test_a_timeout_that_is_no_number_is_refused(archive: Archive) -> None:
    with pytest.raises(RequestError, match="timeout is a number of seconds"):
        archive.search("переговори", timeout=float("nan"))


def test_a_folder_that_no_system_has_is_a_missing_index(tmp_path: Path) -> None:
    (tmp_path / "fox.txt").write_text("Лис\n\nЛис спить.", encoding="utf-8")
    for ask in (Archive.open, Archive.check, lambda index: Archive.build(tmp_path, index)):
        with pytest.raises(IndexMissing, match="NUL"):
            ask("a\0b")


@pytest.mark.parametrize("query", ["lemma:", "section:"])
def test_a_prefix_alone_is_mended_by_no_other_word(tmp_path: Path, query: str) -> None:
    (tmp_path / "emma.txt").write_text("Emma\n\nEmma won the election.", encoding="utf-8")
    Archive.build(tmp_path / "emma.txt", tmp_path / "index")
    with Archive.open(tmp_path / "index") as archive:
        results = archive.search(query)
    assert results.read_as is not None
    assert results.suggestions == ()


@pytest.mark.parametrize("fault", [None, LookupError])
def test_what_is_closed_while_it_is_asked_is_not_called_damaged(
    tmp_path: Path, fault: type[Exception] | None
) -> None:
    (tmp_path / "fox.txt").write_text("Лис\n\nЛис спить.", encoding="utf-8")
    Archive.build(tmp_path / "fox.txt", tmp_path / "index")
    archive = Archive.open(tmp_path / "index")

    def ask() -> None:
        with archive.index.reading():
            archive.close()
            if fault:
                raise fault

    with pytest.raises(RequestError, match="was closed meanwhile; open it"):
        ask()
