import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from reference import Reference

from searchkit import Archive
from searchkit.archive import Sort
from searchkit.query.parse import MAX_WORDS, parse
from searchkit.query.rank import PAIR_LEAD, WORD_LEAD
from searchkit.query.tree import And, Dates, Field, Node, Not, Or, Some, Word

MakeArchive = Callable[[list[dict[str, Any]]], Archive]

TABLE = Path(__file__).parent / "data" / "queries.txt"


def rows() -> list[tuple[str, str, str | None]]:
    """The rows of the table: query, tree, and how a mended query is read."""
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            query, _, rest = line.partition("=>")
            tree, mark, read_as = rest.partition("!")
            found.append((query.rstrip(), tree.strip(), read_as.strip() if mark else None))
    return found


def sketch(node: Node | None) -> str:
    """Draw a tree on one line."""
    match node:
        case None:
            return ""
        case And(parts):
            return f"and[{' '.join(map(sketch, parts))}]"
        case Or(parts):
            return f"or[{' '.join(map(sketch, parts))}]"
        case Some(parts):
            return f"some[{' '.join(map(sketch, parts))}]"
        case Not(part):
            return f"not[{sketch(part)}]"
        case Field(name, part):
            return f"{name}[{sketch(part)}]"
        case Dates():
            return f"date[{node.text}]"
        case _:
            return str(node)


@pytest.mark.parametrize(("query", "tree", "read_as"), rows())
def test_text_becomes_the_tree_of_the_table(query: str, tree: str, read_as: str | None) -> None:
    """A query is read as the table says, and only a mended one says how it was read."""
    read = parse(query)
    assert (sketch(read.tree), read.read_as) == (tree, read_as)


@pytest.mark.parametrize("query", [query for query, _, _ in rows()])
def test_a_tree_prints_as_a_query_that_means_the_same(query: str) -> None:
    """What `read_as` shows can be typed."""
    tree = parse(query).tree
    assert parse(str(tree or "")).tree == tree


def test_a_word_is_asked_for_by_every_lemma_that_it_may_have() -> None:
    """The lemmas of one word are alternatives of one word."""
    word = parse("Києві").tree
    assert isinstance(word, Word)
    assert word.terms == ("київ", "кий")


def test_a_query_of_many_words_is_cut_and_says_so() -> None:
    """A pasted article is read up to its two-hundredth word."""
    read = parse("мир " * (MAX_WORDS + 1))
    assert isinstance(read.tree, Some)
    assert (len(read.tree.parts), read.mended) == (MAX_WORDS, True)


def test_a_noun_among_the_words_is_asked_for() -> None:
    """`Ради` may be a preposition of old books, but is the parliament's."""
    for query in ("Верховної Ради", "вивчення іноземних мов", "коло осіб"):
        tree = parse(query).tree
        assert isinstance(tree, Some)
        assert tree.wanted == tree.parts


def test_a_long_run_asks_for_the_words_of_its_phrases_too() -> None:
    """`Суд арештував акції «Північного потоку»` may be news of a stream without these marks."""
    tree = parse('суд у Гаазі арештував "акції в Києві"').tree
    assert isinstance(tree, Some)
    assert [str(part) for part in tree.wanted] == [
        *("суд", "Гаазі", "арештував", '"акції в Києві"'),
        *("акції", "Києві"),
    ]
    for query in ('арештував "акції в Києві"', 'про "суд арештував акції у Києві вчора"'):
        tree = parse(query).tree
        assert isinstance(tree, Some)
        assert str(tree.wanted[-1]).startswith('"')


def test_brackets_may_be_nested_without_end() -> None:
    """Brackets beyond a depth that nobody means are passed over."""
    read = parse("(" * 10_000 + "мир" + ")" * 10_000)
    assert (sketch(read.tree), read.mended) == ("мир", True)


# -- against the search that scans everything ---------------------------------------------------

QUERIES = [
    *[query for query, _, _ in rows()],
    "переговори посередник",
    "посередник у переговорах",
    "за переговорним столом",
    '"за переговорним столом"',
    '"у Києві"',
    '"в Києві"',
    '"гуманітарна допомога"',
    '"допомога гуманітарна"~3',
    '"гуманітарна допомога"~0',
    '"три три"~10',
    '"директорка музею"~4',
    "замок NOT віра",
    "замок OR коса OR лист",
    "(замок OR коса) AND (місто OR поле)",
    "ґрунт",
    "грунт",
    "ґрун*",
    "м'яч",
    "м’яч",
    "п'ят*",
    "в",
    "і й та",
    "рік",
    "=року",
    "title:міст",
    "title:міст source:обрій",
    "author:Ковальчук",
    "tag:вибори",
    "tag:(місцеві вибори)",
    'tag:"місцеві вибори"',
    "section:культура музей",
    "date:2024 переговори",
    "date:2023",
    "date:[2024-01 TO 2024-06] NOT переговори",
    "NOT (переговори OR посередник)",
    "covid-19",
    "COVID",
    "iphone",
    "36-й",
    "зсу дснс",
    "Токаренко Лук'яненко",
    "мирний AND переговори",
    "онлайн",
    "черговий раунд онлайн-переговорів між верф'ю і профспілкою корабелів",
    "Бібліотека переїхала до =пошти перего* місцеві вибори ремонт",
    'Посередник "за переговорним столом" закликав мерію почати мирні переговори',
    "title:(бібліотека переїхала до пошти переговори мир)",
    "(місто поле ліс річка міст) NOT переговори",
    "(місто поле ліс річка міст) OR (мирні переговори)",
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_finds_what_scanning_everything_finds(
    archive: Archive, reference: Reference, query: str
) -> None:
    """The same articles match, and the same ones have all of the words."""
    results = archive.search(query, limit=1000, passages=0)
    some, every = reference.found(query)
    assert {hit.id for hit in results} == some
    assert {hit.id for hit in results if hit.all_words} == every
    assert (results.total, results.total_all_words) == (len(some), len(every))


@pytest.mark.parametrize("query", QUERIES)
def test_scores_are_bm25f_by_the_book(archive: Archive, reference: Reference, query: str) -> None:
    """To 1 part in 100,000 what plain loops over the formula give; its factors add up to it."""
    tree = parse(query).tree
    for hit in archive.search(query, limit=4, passages=0, explain=True):
        assert tree is not None
        assert hit.score == pytest.approx(reference.score(tree, hit.article), rel=1e-5)
        assert sum(factor.score for factor in hit.factors) == pytest.approx(hit.score)


# -- what a reader of the results sees ----------------------------------------------------------


def test_every_inflected_form_finds_the_others(archive: Archive) -> None:
    """The case in which a word is asked for makes no difference to what is found."""
    forms = ["переговори", "переговорів", "Переговорам", "ПЕРЕГОВОРАМИ", "переговорах"]
    found = [{hit.id for hit in archive.search(form, limit=100)} for form in forms]
    assert len(found[0]) >= 8
    # the nominative may also be a form of the verb переговорити
    assert all(ids <= found[0] for ids in found)
    assert found[1] == found[2] == found[3] == found[4]


def test_every_spelling_of_the_apostrophe_finds_the_same(archive: Archive) -> None:
    """The keyboard's, the typesetter's and Unicode's apostrophe are one letter."""
    found = [[hit.id for hit in archive.search(f"м{mark}яч")] for mark in "'’ʼ`"]
    assert found[0]
    assert found == [found[0]] * 4


def test_a_title_counts_for_more_than_the_text(make_archive: MakeArchive) -> None:
    """Of two articles with the same words, that with the word in its title comes first."""
    archive = make_archive(
        [
            {"id": "text", "title": "Новини дня", "text": "Сьогодні почалися переговори."},
            {"id": "title", "title": "Переговори дня", "text": "Сьогодні почалися новини."},
        ]
    )
    assert [hit.id for hit in archive.search("переговори")] == ["title", "text"]


def test_words_side_by_side_count_for_more_than_apart(make_archive: MakeArchive) -> None:
    """Of two articles with the same words, that with them as in the query comes first."""
    archive = make_archive(
        [
            {"id": "apart", "text": "Переговори тривають, настрій мирний."},
            {"id": "together", "text": "Настрій добрий, мирні переговори тривають."},
            {"id": "turned", "text": "Переговори мирні тривають, настрій добрий."},
        ]
    )
    assert archive.search("мирні переговори")[0].id == "together"


def test_articles_with_all_words_come_before_those_with_some(make_archive: MakeArchive) -> None:
    """However often one word stands in an article, one that has both words precedes it."""
    archive = make_archive(
        [
            {"id": "often", "text": "Сіль, сіль і ще раз сіль. " * 5, "title": "Сіль"},
            {"id": "both", "text": "Дуже довга розповідь про море. " * 20 + "Перець і сіль."},
            {"id": "none", "text": "Про цукор."},
        ]
    )
    results = archive.search("сіль перець")
    assert [(hit.id, hit.all_words) for hit in results] == [("both", True), ("often", False)]
    assert (results.total, results.total_all_words) == (2, 1)


def test_of_many_words_whatever_is_best_comes_first(make_archive: MakeArchive) -> None:
    """Of more than four words, one that is missing does not put an article behind all others."""
    words = "сіль перець цукор борошно"
    archive = make_archive(
        [
            {"id": "most", "text": f"Про {words}. {words}. {words}. {words}."},
            {"id": "every", "text": f"{'Дуже довга розповідь. ' * 200}Десь {words} і молоко."},
            {"id": "none", "text": "Про інше, зокрема про молоко. Молоко!"},
        ]
    )
    results = archive.search(f"{words} молоко")
    assert [(hit.id, hit.all_words) for hit in results][:2] == [("most", False), ("every", True)]
    assert (results.total, results.total_all_words) == (3, 1)
    assert archive.search("сіль перець цукор молоко")[0].id == "every"


def test_in_long_queries_the_first_words_of_an_article_count_for_more(
    make_archive: MakeArchive,
) -> None:
    """News tell first what they are about; a title has its own weight."""
    filler = "Слово за словом минає розповідь. " * 5
    words = "сіль перець цукор борошно молоко"
    archive = make_archive(
        [
            {"id": "last", "text": f"{filler}{filler}{filler}{words}."},
            {"id": "first", "text": f"{filler}{words}. {filler}{filler}"},
            {"id": "other", "text": f"{filler}{filler}{filler}Про щось інше."},
        ]
    )
    assert [hit.id for hit in archive.search(words)] == ["first", "last"]
    factors = archive.search(words, explain=True)[0].factors
    leads = [factor.details["in the lead"] for factor in factors]
    assert leads == [WORD_LEAD] * 5 + [PAIR_LEAD] * 4
    few = archive.search("сіль перець", explain=True)
    assert few[0].score == few[1].score
    assert "in the lead" not in few[0].factors[0].details


def test_function_words_alone_are_looked_for(archive: Archive) -> None:
    """A preposition among other words is passed over; by itself it is a word like any other."""
    assert archive.search("переговори в").total == archive.search("переговори").total
    assert archive.search("в").total > archive.search("переговори").total


def test_readme_table_is_the_language(request: pytest.FixtureRequest) -> None:
    """Every query of the README's table is in the table of trees, and needs no mending."""
    readme = (request.config.rootpath / "README.md").read_text(encoding="utf-8")
    section = readme.split("## What you can ask")[1].split("\n## ")[0]
    shown = re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)
    known = {query.strip() for query, _, read_as in rows() if read_as is None}
    assert len(shown) >= 12
    assert set(shown) <= known


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An archive so large that frequent words have champions: 3,000 articles of few words."""
    folder = tmp_path_factory.mktemp("crowd")
    random = Random(1)
    common = ["мир", "рік", "місто", "війна", "переговори", "замок", "лист", "мати"]
    with (folder / "crowd.jsonl").open("w", encoding="utf-8") as lines:
        for number in range(3000):
            text = " ".join(random.choices(common, range(8, 0, -1), k=random.randrange(1, 12)))
            date = f"{random.randrange(2000, 2026)}"
            lines.write(json.dumps({"id": str(number), "text": text, "date": date}) + "\n")
    Archive.build(folder / "crowd.jsonl", folder / "index", jobs=1)
    with Archive.open(folder / "index") as opened:
        yield opened


CROWDED = [
    "мир",
    "замок",
    "мати",
    "мир OR мати",
    "мати OR замок",
    "мир рік",
    "мати лист",
    "мати лист замок",
    "лист мати мир рік місто",
    "мир AND мати",
    '"мати лист"',
    "мир мати date:2010",
    "мир OR мир",
    "(мир рік) AND мати",
    "мир NOT рік",
    "мат* OR лист",
    "лист мати замок переговори мат*",
    "(лист мати мир рік місто) date:2010",
    "(лист мати мир рік місто) NOT війна",
]


@pytest.mark.parametrize("sort", ["relevance", "date"])
@pytest.mark.parametrize("query", CROWDED)
def test_the_best_few_are_the_first_of_all(crowd: Archive, query: str, sort: Sort) -> None:
    """Whatever short cut finds them, they and the totals are those of sorting every article."""
    every = crowd.search(query, limit=3000, passages=0, sort=sort)
    for limit in (1, 10, 100):
        few = crowd.search(query, limit=limit, passages=0, sort=sort)
        assert (few.total, few.total_all_words) == (every.total, every.total_all_words)
        assert len(few) == min(limit, every.total)
        pairs = list(zip(few, every, strict=False))
        assert [hit.score for hit, _ in pairs] == pytest.approx([hit.score for _, hit in pairs])
        assert [hit.all_words for hit, _ in pairs] == [hit.all_words for _, hit in pairs]
        assert [hit.id for hit in few] == [hit.id for hit in every[:limit]]


@pytest.mark.parametrize("text", ["(" * 100_000, "NOT " * 100_000, '"' * 100_000, "рік (" * 9_000])
def test_of_a_text_without_an_end_the_beginning_is_read(text: str) -> None:
    """As many words and brackets as anybody means; `read_as` says so."""
    read = parse(text + " рік")
    assert read.mended
    assert len(read.read_as or "") < 5_000
