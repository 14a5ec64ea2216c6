import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import whoosh.index
import whoosh.qparser
import whoosh.query.qcolumns
import whoosh.query.spans
from whoosh.analysis.acore import Token
from whoosh.fields import TEXT
from whoosh.highlight import ContextFragmenter
from whoosh.scoring import BM25F, TF_IDF, bm25
from whoosh.sorting import FieldFacet

from searchkit import Archive
from searchkit.analysis import analyze, spoken_in
from searchkit.codec import host
from searchkit.codec.toc import write_toc
from searchkit.corpus import Corpus
from searchkit.errors import CorruptIndex, RequestError
from searchkit.index import Index
from searchkit.schema import GAP

query: Any = whoosh.query  # which tells type checkers of nothing that it is there
spans: Any = whoosh.query.spans
qcolumns: Any = whoosh.query.qcolumns
qparser: Any = whoosh.qparser

BREAK = "\x1e"  # between title and text, and from tag to tag, where Whoosh's own codec indexes

MakeCorpus = Callable[[dict[str, str | bytes]], Path]


def hosted(generation: Path, folder: Path) -> Any:
    """Open a copy of a generation, in which Whoosh may leave its lock."""
    shutil.copytree(generation, folder)
    (folder / "_MAIN_1.toc").unlink(missing_ok=True)
    write_toc(folder, Index(generation).manifest.segments)
    return whoosh.index.open_dir(str(folder))


@pytest.fixture(scope="module")
def ours(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The sample archive as Whoosh opens it."""
    return hosted(archive.index.generation, tmp_path_factory.mktemp("host") / "copy")


class Parts(host.Lemmas):
    """Analyses texts between BREAKs; their words are GAP positions apart."""

    def __call__(self, value: str, **options: Any) -> Iterator[Token]:
        """Yield tokens as its base does."""
        start = 0
        for part in value.split(BREAK):
            yield from super().__call__(part, **options | {"start_pos": start})
            start += len(analyze(part)) + GAP


def make_stock(index: Index, folder: Path) -> Any:
    """Index the same articles, in the same order, with the codec that comes with Whoosh."""
    schema = host.whoosh_schema()
    for field in schema._fields.values():
        if isinstance(field, TEXT):
            field.analyzer = Parts()
    folder.mkdir()
    made: Any = whoosh.index.create_in(str(folder), schema)
    with made.writer() as writer:
        for number in index.living().tolist():
            article = index.article(number)
            writer.add_document(
                **article._asdict()
                | {"tags": BREAK.join(article.tags), "language": spoken_in(article)},
                _stored_language=article.language,
                _stored_tags=article.tags,
                main=BREAK.join([article.title, article.text]),
                first=int(index.first[number]) or None,
                last=int(index.last[number]) or None,
            )
    return made


@pytest.fixture(scope="module")
def stock(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The sample archive in an index of Whoosh's own."""
    return make_stock(archive.index, tmp_path_factory.mktemp("host") / "stock")


@pytest.fixture
def updated(
    sample: Path, make_corpus: MakeCorpus, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Archive]:
    """The sample archive without two articles, and with a third one in other words."""
    request.getfixturevalue("large_stays")
    lines = [json.dumps(article._asdict()) for article in Corpus(sample)]
    Archive.build(make_corpus({"news.jsonl": "\n".join(lines)}), tmp_path / "index")
    lines[7] = lines[7].replace('"text": "', '"text": "Кракозябра купила тролейбус. ')
    Archive.update(make_corpus({"news.jsonl": "\n".join(lines[2:])}), tmp_path / "index")
    with Archive.open(tmp_path / "index") as opened:
        assert len(opened.index.segments) == 2
        assert opened.index.alive is not None
        yield opened


Term = query.Term


def word(text: str) -> Any:
    return Term("main", text)


TALKS, DAY, THREE = word("переговори"), word("день"), word("три")

QUERIES = [
    TALKS,
    Term("main", "три", boost=2.5),
    Term("main", "чупакабра"),
    Term("main", "\u0001обрій"),  # a term of another field as the segment's file has it
    Term("source", "обрій"),
    Term("tags", "вода"),
    Term("section", "спорт"),
    Term("author", "кравець"),
    Term("id", "2023/kanyon-startuvav"),
    Term("id", "2023/kanyon"),
    query.And([THREE, DAY]),
    query.And([THREE, DAY, query.Not(TALKS)]),
    query.Or([TALKS, DAY, Term("tags", "вода"), word("чупакабра")]),
    query.Or([TALKS, DAY, THREE], minmatch=2),
    query.Not(THREE),
    query.AndNot(THREE, DAY),
    query.AndMaybe(THREE, DAY),
    query.Otherwise(word("чупакабра"), DAY),
    query.DisjunctionMax([TALKS, DAY, THREE], tiebreak=0.2),
    query.ConstantScoreQuery(THREE, 3.0),
    query.Phrase("main", ["мирний", "переговори"]),
    query.Phrase("main", ["мирний", "переговори", "чупакабра"]),
    query.Phrase("main", ["рок", "три"], slop=40),
    query.Phrase("tags", ["вода", "вода"]),
    query.Ordered([THREE, DAY]),
    query.Sequence([query.Or([word("цей"), word("сей")]), word("рок")]),
    query.Prefix("main", "перегов"),
    query.Prefix("id", "2023/"),
    query.Prefix("tags", "в"),
    query.Wildcard("main", "*ськ?"),
    query.Wildcard("source", "*"),
    query.Regex("main", "п[ео]ре.*ити"),
    query.Variations("main", "день"),
    query.FuzzyTerm("main", "перегавори"),
    query.FuzzyTerm("main", "день", maxdist=2),
    query.FuzzyTerm("source", "обрий"),
    query.TermRange("main", "па", "пе", constantscore=False),
    query.TermRange("author", None, "кравець", endexcl=True),
    query.NumericRange("first", 2025_01_01_00_00_00, 2025_99_99_99_99_99),
    query.NumericRange("last", None, 2023_99_99_99_99_99),
    query.NumericRange("first", 2024_01_01_00_00_00, None, startexcl=True),
    Term("first", 2025_09_11_00_00_00),
    query.ConstantScoreQuery(
        qcolumns.ColumnQuery("first", lambda date: date < 2024_00_00_00_00_00)
    ),
    query.Every(),
    query.Every("main"),
    query.Every("section"),
    query.Every("first"),
    query.NestedParent(query.Every("section"), TALKS),
    query.NestedChildren(query.Every("section"), TALKS),
    query.NullQuery,
    spans.SpanNear(word("мирний"), TALKS, slop=2, ordered=False),
    spans.SpanNear2([word("рок"), THREE], slop=40, ordered=False),
    spans.SpanOr([TALKS, DAY]),
    spans.SpanNot(THREE, DAY),
    spans.SpanFirst(TALKS, limit=5),
    spans.SpanBefore(THREE, DAY),
    spans.SpanCondition(TALKS, THREE),
    spans.SpanContains(spans.SpanNear(word("рок"), THREE, slop=40), word("той")),
]

# With any codec, these go by the numbers of articles, or by a column, where removed ones remain.
GO_BY_NUMBER = query.NestedParent | query.NestedChildren | query.ConstantScoreQuery


# -- the same answers ---------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [None, 10])
@pytest.mark.parametrize("asked", QUERIES, ids=lambda asked: type(asked).__name__)
@pytest.mark.parametrize("weighting", [BM25F(B=0), TF_IDF()], ids=["BM25F", "TF_IDF"])
def test_whoosh_finds_the_same_as_with_its_own_codec(
    ours: Any, stock: Any, asked: Any, limit: int | None, weighting: Any
) -> None:
    """The same articles, scores and order; lengths are left out, since Whoosh counts lemmas."""
    pages = []
    for index in (ours, stock):
        with index.searcher(weighting=weighting) as searcher:
            hits = searcher.search(asked, limit=limit)
            pages.append((len(hits), [(hit["id"], round(hit.score, 6)) for hit in hits]))
    assert pages[0] == pages[1]


def test_the_table_of_queries_finds_something(ours: Any) -> None:
    """An answer is worth comparing where it is not empty; six are meant to be."""
    with ours.searcher() as searcher:
        found = [len(searcher.search(asked, limit=None)) for asked in QUERIES]
    assert found.count(0) == 6


@pytest.mark.parametrize("options", [{"limit": None}, {"limit": 10}], ids=str)
def test_where_whoosh_fails_it_fails_with_any_codec(
    ours: Any, stock: Any, options: dict[str, Any]
) -> None:
    """Whoosh 3.54 stumbles over Require, if only the best articles are wanted."""
    told = []
    for index in (ours, stock):
        with index.searcher(weighting=BM25F(B=0)) as searcher:
            try:
                hits = searcher.search(query.Require(THREE, DAY), **options)
                told.append([hit["id"] for hit in hits])
            except AssertionError as error:
                told.append([type(error)])
    assert told[0] == told[1]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("date", ["first", "last"])
def test_articles_are_sorted_by_date(ours: Any, stock: Any, date: str, newest_first: bool) -> None:
    """Those without a date count as the oldest."""
    pages = []
    for index in (ours, stock):
        with index.searcher() as searcher:
            by_date = FieldFacet(date, reverse=newest_first)
            hits = searcher.search(query.Every(), sortedby=by_date, groupedby=date, limit=None)
            pages.append(([hit["id"] for hit in hits], hits.groups()))
    assert pages[0] == pages[1]
    assert len(pages[0][0]) == 72


def test_filters_masks_and_collapsing_work(ours: Any, stock: Any) -> None:
    pages = []
    for index in (ours, stock):
        with index.searcher(weighting=BM25F(B=0)) as searcher:
            hits = searcher.search(
                THREE,
                filter=query.NumericRange("first", 2024_00_00_00_00_00, None),
                mask=DAY,
                collapse="first",
                terms=True,
            )
            pages.append([(hit["id"], hit.matched_terms()) for hit in hits])
    assert pages[0] == pages[1] != []


@pytest.mark.parametrize(
    "asked",
    [TALKS, query.Or([THREE, DAY]), query.Phrase("main", ["мирний", "переговори"])],
    ids=lambda asked: type(asked).__name__,
)
def test_highlights_are_those_of_whoosh(ours: Any, stock: Any, asked: Any) -> None:
    pages = []
    for index in (ours, stock):
        with index.searcher(weighting=BM25F(B=0)) as searcher:
            hits = searcher.search(asked, terms=True)
            hits.fragmenter = ContextFragmenter(surround=30)
            pages.append([hit.highlights("main", text=hit["text"]) for hit in hits])
    assert pages[0] == pages[1]
    assert any("<b " in snippet for snippet in pages[0])


def test_similar_articles_and_words_are_found(ours: Any, stock: Any) -> None:
    told = []
    for index in (ours, stock):
        with index.searcher(weighting=BM25F(B=0)) as searcher:
            number = searcher.document_number(id="2023/kanyon-startuvav")
            text = searcher.stored_fields(number)["text"]
            similar = searcher.more_like(number, "main", text=text, top=5)
            words = searcher.suggest("main", "переговрои", limit=3)
            told.append(([hit["id"] for hit in similar], words))
    assert told[0] == told[1]
    assert "переговори" in told[0][1]


def test_every_posting_is_the_one_that_whoosh_makes(ours: Any, stock: Any) -> None:
    """Fields, terms, articles, frequencies and positions, in their order."""
    with ours.reader() as one, stock.reader() as other:
        assert [(*posting, value or b"") for *posting, value in one.iter_postings()] == [
            (*posting, value or b"") for *posting, value in other.iter_postings()
        ]
        infos = [
            [
                (term, t.doc_frequency(), t.weight(), t.max_weight(), t.min_id(), t.max_id())
                for term, t in reader
            ]
            for reader in (one, other)
        ]
        assert infos[0] == infos[1]


def test_every_stored_field_is_the_one_that_was_given(ours: Any, stock: Any) -> None:
    with ours.reader() as one, stock.reader() as other:
        assert list(one.all_stored_fields()) == list(other.all_stored_fields())
        for date in ("first", "last"):
            assert list(one.column_reader(date)) == list(other.column_reader(date))


def test_an_article_is_as_long_as_it_has_words(ours: Any, archive: Archive) -> None:
    """By that BM25F counts, as searchkit's own ranking does, and not by lemmas."""
    lengths = (archive.index.title_words + archive.index.text_words).tolist()
    with ours.searcher() as searcher:
        assert [searcher.doc_field_length(number, "main") for number in range(72)] == lengths
        assert searcher.field_length("main") == sum(lengths)
        [best] = searcher.search(TALKS, limit=1)
        [(_, frequency)] = [
            (number, count)
            for number, count in searcher.postings("main", "переговори").items_as("frequency")
            if number == best.docnum
        ]
        idf = searcher.idf("main", "переговори")
        average = sum(lengths) / 72
        expected = bm25(idf, frequency, lengths[best.docnum], average, 0.75, 1.2)
        assert best.score == pytest.approx(expected)


# -- the answers of searchkit --------------------------------------------------------------------


def any_lemma(text: str) -> Any:
    """Ask for a word as searchkit does: one of its lemmas is enough."""
    [token] = analyze(text)
    return query.Or([word(lemma) for lemma in token.lemmas[: token.own]])


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("переговорів", any_lemma("переговорів")),
        ("онлайн-переговори", any_lemma("онлайн-переговори")),
        ("років AND трьох", query.And([any_lemma("років"), any_lemma("трьох")])),
        ("цього OR води", query.Or([any_lemma("цього"), any_lemma("води")])),
        ("три AND NOT дні", query.AndNot(any_lemma("три"), any_lemma("дні"))),
        ('"мирних переговорів"', spans.SpanNear2([any_lemma("мирних"), TALKS])),
        ('"цього року"', spans.SpanNear2([any_lemma("цього"), any_lemma("року")])),
        ("tag:вода", Term("tags", "вода")),
        ("date:2024", query.NumericRange("first", 2024_00_00_00_00_00, 2024_99_99_99_99_99)),
    ],
)
def test_searchkit_and_whoosh_find_the_same_articles(
    archive: Archive, ours: Any, typed: str, asked: Any
) -> None:
    with ours.searcher() as searcher:
        found = {hit["id"] for hit in searcher.search(asked, limit=None)}
    assert found == {hit.id for hit in archive.search(typed, limit=100)} != set()


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("Переговори", "(main:переговори OR main:переговорити)"),
        ('"Мирних переговорів"', 'main:"мирний переговори"'),
        ("ПЕРЕГОВ*", "main:перегов*"),
        ("П’ят?", "main:п'ят?"),
        ("tags:Воду", "tags:вода"),
        ("id:2023/kanyon-startuvav", "id:2023/kanyon-startuvav"),
    ],
)
def test_whoosh_parses_queries_by_the_words_of_the_index(
    ours: Any, typed: str, understood: str
) -> None:
    parsed = qparser.QueryParser("main", ours.schema).parse(typed)
    assert str(parsed) == understood


# -- generations --------------------------------------------------------------------------------


def test_removed_articles_are_not_found(updated: Archive, tmp_path: Path) -> None:
    """Of an archive that was updated Whoosh finds what it finds in one indexed anew."""
    ours = hosted(updated.index.generation, tmp_path / "ours")
    stock = make_stock(updated.index, tmp_path / "stock")
    assert (ours.doc_count(), ours.doc_count_all()) == (70, 73)
    for asked in QUERIES:
        if isinstance(asked, GO_BY_NUMBER):
            continue
        found = []
        for index in (ours, stock):
            with index.searcher() as searcher:
                docs = searcher.docs_for_query(asked)
                found.append(sorted(searcher.stored_fields(number)["id"] for number in docs))
        assert found[0] == found[1], asked
    with ours.searcher() as searcher:
        [hit] = searcher.search(word("кракозябра"))
        assert searcher.document(id=hit["id"])["text"].startswith("Кракозябра купила тролейбус. ")
        assert searcher.search(query.Every(), sortedby="first", limit=None).scored_length() == 70


def test_whoosh_needs_the_folder_and_nothing_else(ours: Any, archive: Archive) -> None:
    """It need not even be told of searchkit, which its table of contents names."""
    program = (
        "import sys, whoosh.index, whoosh.query\n"
        "with whoosh.index.open_dir(sys.argv[1]).searcher() as searcher:\n"
        "    found = searcher.search(whoosh.query.Term('main', 'переговори'), limit=None)\n"
        "    print(*sorted(hit['id'] for hit in found), sep='\\n')\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, ours.storage.folder],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    ).stdout.decode()
    assert told.split() == sorted(hit.id for hit in archive.search("переговори", limit=100))


def test_searchkit_searches_without_whoosh() -> None:
    """Importing Whoosh takes longer than a search."""
    program = "import sys; from searchkit import Archive; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert b"searchkit.index" in told
    assert b"whoosh" not in told


@pytest.mark.parametrize(
    "change",
    [
        lambda index: index.writer(),
        lambda index: index.delete_by_term("id", "2023/kanyon-startuvav"),
        lambda index: index.optimize(),
        lambda index: index.add_field("more", TEXT()),
    ],
    ids=["writer", "delete", "optimize", "add_field"],
)
def test_whoosh_may_not_write(
    archive: Archive, tmp_path: Path, change: Callable[[Any], object]
) -> None:
    """Nothing is changed, and the error says who may."""
    index = hosted(archive.index.generation, tmp_path / "copy")
    before = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    with pytest.raises(RequestError, match="change the archive through searchkit"):
        change(index)
    after = {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()}
    after.pop("MAIN_WRITELOCK", None)
    assert after == before
    assert index.doc_count() == 72


def test_a_missing_segment_is_an_error_of_searchkit(archive: Archive, tmp_path: Path) -> None:
    index = hosted(archive.index.generation, tmp_path / "copy")
    for path in (tmp_path / "copy").glob("segment-*"):
        path.unlink()
    with pytest.raises(CorruptIndex, match="searchkit rebuild"):
        index.searcher()


def test_a_build_needs_nothing_of_whoosh(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    corpus = make_corpus({"a.txt": "Заголовок\n\nТекст про мир.\n"})
    program = (
        "import sys; from searchkit import Archive; Archive.build(*sys.argv[1:]);"
        " Archive.update(*sys.argv[1:]); sys.exit('whoosh' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, corpus, tmp_path / "index"], check=True)
