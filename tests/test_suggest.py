from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit import Archive
from searchkit.analysis.typed import FLEETING, KEYBOARDS, LATIN_SPELLINGS
from searchkit.codec.strings import Strings, string_arrays
from searchkit.query.near import LIKELY, LONG, distances, likely, retyped, slips, spelled
from searchkit.query.parse import parse
from searchkit.query.suggest import LITTLE, Completion, Reading

MakeArchive = Callable[[list[dict[str, Any]]], Archive]

TABLE = Path(__file__).parent / "data" / "typed.txt"


def rows() -> list[tuple[str, str]]:
    """The rows of the table: what is typed, and what is offered for it."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=>") for line in lines if line and not line.startswith("#")]
    return [(typed.strip(), meant.strip()) for typed, meant in pairs]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """An archive of the words of the table."""
    folder = tmp_path_factory.mktemp("typed")
    for number, word in enumerate(sorted({meant.lower().strip(",") for _, meant in rows()})):
        (folder / f"{number}.txt").write_text(f"{word}\n\nОсь слово.", encoding="utf-8")
    Archive.build(folder, folder / "index")
    return Archive.open(folder / "index")


@pytest.mark.parametrize(("typed", "meant"), rows())
def test_what_is_typed_is_offered_as_the_table_says(table: Archive, typed: str, meant: str) -> None:
    results = table.search(typed)
    assert results.total == 0
    assert results.suggestions[0][:3] == (meant, 1, 1)


# -- better queries -----------------------------------------------------------------------------


def many(text: str, count: int, **more: Any) -> list[dict[str, Any]]:
    """So many articles with a text."""
    return [{"id": f"{text}-{i}", "text": text, **more} for i in range(count)]


@pytest.fixture
def archive_of_talks(make_archive: MakeArchive) -> Archive:
    """Talks are frequent, a few articles have a slip, and one source is known."""
    return make_archive(
        many("Мирні переговори в Києві.", 30, source="Вісник", date="2024-05-01")
        + many("Мирні перегвори.", 1)
        + many("Covid у Києві, лист.", 12)
    )


@pytest.mark.parametrize(
    ("query", "offered"),
    [
        ("переговри", [("переговори", 30, 30, "spelling")]),
        ("мирні переговри", [("мирні переговори", 31, 30, "spelling")]),
        ("vbhys gthtujdjhb", [("мирні переговори", 31, 30, "keyboard layout")]),
        ("gthtujdjhb d rb'ds", [("переговори в києві", 42, 30, "keyboard layout")]),
        ('"мирні переговри" AND NOT лист', [
            ('"мирні переговори" AND NOT лист', 30, 30, "spelling"),
        ]),
        ("(переговри І title:місто) OR peregovory", [
            ("(переговори І title:місто) OR переговори", 30, 30, "spelling, Latin letters"),
        ]),
        ("source:dscybr", [("source:вісник", 30, 30, "keyboard layout")]),
        ("source:visnyk", [("source:вісник", 30, 30, "Latin letters")]),
        ("source:(віснкк)", [("source:(вісник)", 30, 30, "spelling")]),
        ("gthtuj*", [("перего*", 30, 30, "keyboard layout")]),
        ("=переговориии", [("=переговори", 30, 30, "spelling")]),
        ("переговри date:2024", [("переговори date:2024", 30, 30, "spelling")]),
        # found, but hardly ever
        ("перегвори", [("переговори", 30, 30, "spelling")]),
        # a phrase that nobody writes: its words without the marks
        ('"переговори мирні"', [("переговори мирні", 31, 30, "quotation marks")]),
        ("у «Київ мирні»", [("у Київ мирні", 43, 30, "quotation marks")]),
        ('"переговори мирні"~0', []),
        ('"мирні переговори"', []),
        ('source:"переговори мирні"', []),
        # nothing better is there
        ("мирні", []),
        ("бегемот", []),
        ("переговри date:2023", []),
        ("перегово-2024", []),
        ("лист", []),
        ("лемма:", []),
        ("NOT переговри", []),
        ("lemma:переговри", []),
        # a form is no base form
        ("lemma:Києві", [
            ("lemma:київ", 42, 42, "base form"), ("lemma:кий", 42, 42, "base form"),
        ]),
        ("lemma:переговорами мирні", [("lemma:переговори мирні", 31, 30, "base form")]),
    ],
)  # fmt: skip
def test_only_what_is_wrong_is_mended(
    archive_of_talks: Archive, query: str, offered: list[tuple[str, int, int, str]]
) -> None:
    """Operators, fields, quotation marks and the other words stay as they were typed."""
    results = archive_of_talks.search(query)
    assert list(results.suggestions) == offered
    for suggestion in results.suggestions:
        found = archive_of_talks.search(suggestion.query)
        assert (found.total, found.total_all_words) == suggestion[1:3]


def test_the_window_counts(archive_of_talks: Archive) -> None:
    assert archive_of_talks.search("переговри", since="2024-06").suggestions == ()
    assert archive_of_talks.search("переговри", since="2024").suggestions[0].total == 30


def test_results_are_those_of_the_query_as_typed(archive_of_talks: Archive) -> None:
    """A suggestion changes nothing, and need not be looked for."""
    offering = archive_of_talks.search("перегвори")
    silent = archive_of_talks.search("перегвори", suggest=False)
    assert (offering.hits, offering.total) == (silent.hits, 1)
    assert (len(offering.suggestions), silent.suggestions) == (1, ())


def test_a_word_that_enough_articles_have_is_left_alone(make_archive: MakeArchive) -> None:
    archive = make_archive(many("кита", LITTLE + 1) + many("кота", 500))
    assert archive.search("кита").suggestions == ()


def test_a_latin_word_may_be_quoted_more_often_and_still_be_meant_otherwise(
    make_archive: MakeArchive,
) -> None:
    """`Kyiv Independent` is quoted, and Київ is what is asked for."""
    archive = make_archive(many("Kyiv Independent.", 12) + many("Київ.", 1300))
    [offered] = archive.search("Kyiv").suggestions
    assert offered == ("Київ", 1300, 1300, "Latin letters")


@pytest.mark.usefixtures("large_stays")
def test_suggestions_come_from_all_segments(make_archive: MakeArchive) -> None:
    """An archive that was updated has several."""
    folder = make_archive(many("Переговори.", 19)).index.generation.parent
    corpus = folder.parent / "articles.jsonl"
    with corpus.open("a", encoding="utf-8") as file:
        file.write('{"id": "1", "text": "Переговори."}\n{"id": "2", "text": "Посередник."}\n')
    Archive.update(corpus, folder)
    with Archive.open(folder) as archive:
        assert len(archive.index.segments) > 1
        assert archive.search("переговри").suggestions[0][:2] == ("переговори", 20)
        assert archive.search("poserednik").suggestions[0].query == "посередник"
        assert archive.suggest("пос") == (Completion("посередник", 1),)
        assert archive.suggest("пер") == (Completion("переговори", 20),)


# -- which words are near -----------------------------------------------------------------------


def test_every_keyboard_has_the_same_keys() -> None:
    assert len({len(row) for rows in KEYBOARDS.values() for row in rows}) == 1


def test_spellings_are_told_once() -> None:
    latin = [entry.partition(":")[0] for entry in LATIN_SPELLINGS.split()]
    assert len(latin) == len(set(latin))


def test_keys_pressed_on_one_keyboard_and_back_on_the_other() -> None:
    assert "gthtujdjhb" in retyped("переговори")
    assert retyped("мир-2024") == []


letters = st.text(st.sampled_from("абвийіїьё'gк"), min_size=1, max_size=9)


@given(letters, st.lists(letters, min_size=1, max_size=5))
def test_slips_cost_what_the_textbook_says(word: str, others: list[str]) -> None:
    """The distance is Damerau and Levenshtein's (optimal string alignment), with two costs."""
    assert distances(word, others) == pytest.approx([distance(other, word) for other in others])


def distance(other: str, word: str) -> float:
    """Return the same, cell by cell."""
    cells: dict[tuple[int, int], float] = {(0, 0): 0.0}
    for i, j in product(range(len(other) + 1), range(len(word) + 1)):
        found = [cells[0, 0]] if i == j == 0 else []
        if i:
            found.append(cells[i - 1, j] + lone(other, i - 1))
        if j:
            found.append(cells[i, j - 1] + lone(word, j - 1))
        if i and j:
            a, b = other[i - 1], word[j - 1]
            found.append(cells[i - 1, j - 1] + (0 if a == b else LIKELY if a in likely(b) else 1))
        if i > 1 and j > 1 and (other[i - 1], other[i - 2]) == (word[j - 2], word[j - 1]):
            found.append(cells[i - 2, j - 2] + LIKELY)
        cells[i, j] = min(found)
    return cells[len(other), len(word)]


def lone(word: str, at: int) -> float:
    """What a letter costs that only one of two words has."""
    return LIKELY if word[at] in FLEETING or (at and word[at] == word[at - 1]) else 1


@given(st.lists(letters, min_size=1, max_size=30), letters, st.integers(0, 30))
def test_slips_finds_what_a_scan_of_all_words_finds(
    words: list[str], word: str, first: int
) -> None:
    """All words at a cost of 1, or of 2 where none is nearer and the word is long.

    However they are divided between segments.
    """
    halves = [sorted({w.encode() for w in half}) for half in (words[:first], words[first // 2 :])]
    parts = [Strings(string_arrays(half)) for half in halves if half]
    costs = {other: distance(other, word) for other in words if other != word}
    near = {w: cost for w, cost in costs.items() if cost <= 1 and abs(len(w) - len(word)) <= 1}
    if not near and len(word) >= LONG:
        near = {w: cost for w, cost in costs.items() if cost <= 2 and abs(len(w) - len(word)) <= 2}
    found = slips(parts, word)
    bags = {w for w in near if len({*w} ^ {*word}) <= (2 if min(near.values()) <= 1 else 4)}
    assert bags <= found.keys() <= near.keys()
    assert found == pytest.approx({w: near[w] for w in found})


@given(st.text(max_size=20), st.lists(letters, max_size=9), st.booleans())
def test_any_text_can_be_read_as_latin_spelling(word: str, words: list[str], start: bool) -> None:
    """What is found is there, or begins what is there."""
    strings = Strings(string_arrays(sorted({w.encode() for w in words})))
    if word and words:
        found = spelled(strings, word.replace("\ud800", ""), is_prefix=start)
        assert all(any(w.startswith(f) if start else w == f for w in words) for f in found)


# -- completions --------------------------------------------------------------------------------


def test_completions_are_base_forms_by_frequency(make_archive: MakeArchive) -> None:
    archive = make_archive(
        many("Переговорами й перегонами.", 2) + many("Переговорів про перець.", 3)
    )
    assert archive.suggest("пере") == (
        Completion("переговори", 5),
        Completion("перець", 3),
        Completion("перегони", 2),
    )
    assert archive.suggest("пере", limit=1) == (Completion("переговори", 5),)
    assert archive.suggest("пере", limit=0) == ()


def test_what_the_guesser_invents_is_no_completion(make_archive: MakeArchive) -> None:
    """Nor is a reading that is hardly ever the likeliest, unless it is typed in full."""
    archive = make_archive(many("Шахеди, шахедів, шахедами збили в Києві.", 2))
    assert [one.query for one in archive.suggest("шахед")] == ["шахед"]
    assert [one.query for one in archive.suggest("к")] == ["Київ"]
    assert [one.query for one in archive.suggest("кий")] == ["кий"]


def test_names_and_abbreviations_are_written_as_in_the_archive(make_archive: MakeArchive) -> None:
    """As most of their forms inside a sentence; at its beginning any word has a capital."""
    archive = make_archive(
        many("Саміт НАТО в Івано-Франківську, новий міністр натовпу не бачив.", 2)
        + many("Натовп розійшовся. У НАТОВПІ хвороба.", 1)
        + many("Іванові відповів Іван.", 1)
    )
    assert [one.query for one in archive.suggest("нат")] == ["натовп", "НАТО"]
    assert archive.suggest("саміт на")[0].query == "саміт НАТО"
    assert [one.query for one in archive.suggest("івано-")] == ["Івано-Франківськ"]
    assert [one.query for one in archive.suggest("саміт")] == ["саміт"]


def test_words_before_the_last_one_are_kept_and_count(make_archive: MakeArchive) -> None:
    archive = make_archive(
        many("Мирні переговори.", 2) + many("Мирні люди, перемога.", 3) + many("Перець.", 5)
    )
    assert [one.query for one in archive.suggest("пере")] == ["перець", "перемога", "переговори"]
    assert archive.suggest("мирні пере") == (
        Completion("мирні переговори", 2),  # side by side
        Completion("мирні перемога", 3),
    )
    assert archive.suggest('"мирні пере') == (Completion('"мирні переговори', 2),)
    assert archive.suggest("перемога NOT пере")[0].query == "перемога NOT перець"


def test_a_field_is_completed_from_its_own_words(make_archive: MakeArchive) -> None:
    archive = make_archive(many("Вільха.", 2, source="Вісник", title="Верба"))
    assert archive.suggest("source:в") == (Completion("source:вісник", 2),)
    assert archive.suggest("title:в") == (Completion("title:верба", 2),)


@pytest.mark.parametrize("prefix", ["gtht", "perego", "ПЕРЕГ", "перегово"])
def test_a_prefix_may_be_typed_otherwise(archive_of_talks: Archive, prefix: str) -> None:
    assert archive_of_talks.suggest(prefix)[0] == Completion("переговори", 30)


@pytest.mark.parametrize(
    "prefix", ["", " ", "мирні ", "щщщ", "\0", "\x01", "\ud800", '"', "title:"]
)
def test_where_nothing_begins_like_this_nothing_is_returned(
    archive_of_talks: Archive, prefix: str
) -> None:
    """Nor are the signs by which the index tells its fields and pairs of words."""
    assert archive_of_talks.suggest(prefix) == ()


# -- readings -----------------------------------------------------------------------------------


@pytest.fixture
def ambiguous(make_archive: MakeArchive) -> Archive:
    """Three articles of the capital, one of a billiard cue, some of castles and a locked door."""
    return make_archive(
        many("У Києві.", 3, title="Києві")
        + many("З києм у руці.", 1)
        + many("Замок і замки.", 2)
        + many("Шахедів.", 2)
    )


def readings(archive: Archive, query: str) -> dict[str, list[Reading]]:
    """The readings of each ambiguous word."""
    found = archive.search(query, readings=True).readings
    return {one.word: list(one.readings) for one in found}


def test_each_reading_that_the_archive_has_can_be_asked_for_alone(ambiguous: Archive) -> None:
    found = readings(ambiguous, "Києві замок")
    assert {word: [one.lemma for one in each] for word, each in found.items()} == {
        "Києві": ["київ", "кий"],
        "замок": ["замок", "замокти"],
    }
    for reading in [reading for each in found.values() for reading in each]:
        assert ambiguous.search(reading.query).total == reading.total > 0


def test_readings_of_a_field_are_asked_for_there(ambiguous: Archive) -> None:
    found = readings(ambiguous, '"у Києві" OR title:Києві')
    assert found["Києві"][0] == Reading("київ", 3, "title:lemma:київ")


def test_one_word_alone_has_no_readings(ambiguous: Archive) -> None:
    """Inventions of the guesser are none, nor is what is asked for by its lemma."""
    for query in ("шахедів", "lemma:київ", "=Києві", "киє*", "NOT Києві", "бегемот", "!"):
        assert readings(ambiguous, query) == {}


def test_people_are_asked_only_where_both_readings_are_likely(make_archive: MakeArchive) -> None:
    archive = make_archive(many("Коса, косу, косої.", 2) + many("Косий, косого, косою.", 2))
    [one] = archive.search("коса", readings=True).readings
    assert one.is_open
    archive = make_archive(many("Києва, у Києві.", 2))
    [one] = archive.search("Києві", readings=True).readings
    assert not one.is_open


def test_a_lemma_is_asked_for_in_phrases_too(ambiguous: Archive) -> None:
    assert ambiguous.search('"у lemma:київ"').total == 3
    assert ambiguous.search('"з lemma:кий"').total == 1
    assert ambiguous.search("lemma:кий AND руці").total == 1
    assert str(parse('"у lemma:Київ" lemma:мир*').tree) == '"у lemma:київ" lemma:мир'


# -- why did this match? ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "drawn"),
    [
        ("переговорам", "переговори → переговори → переговорам"),
        ("Києві", "києва → київ → Києві"),
        ("=Переговорів", "переговорів → переговори → =переговорів"),
        ("перег*", "переговори → переговори → перег*; переговорів → переговори → перег*"),
        ('"мирних переговорів"', "мирні → мирний → мирних; переговори → переговори → переговорів"),
        ("онлайн", "онлайн-переговорів → онлайн → онлайн"),
        ("переговори NOT лист", "онлайн-переговорів → переговори → переговори"),
        ("lemma:мирний", "мирні → мирний → lemma:мирний"),
        ("title:мир", "мир → мир → мир"),
    ],
)
def test_each_word_that_matches_tells_why(
    make_archive: MakeArchive, query: str, drawn: str
) -> None:
    """Its form, the lemma, and the word of the query."""
    archive = make_archive(
        [
            {"id": "1", "title": "Мир", "text": "Мирні переговори. До Києва, без переговорів."},
            {"id": "2", "text": "Чекали онлайн-переговорів."},
        ]
    )
    told: list[tuple[str, ...]] = []
    for hit in archive.search(query, explain=True):
        assert len(hit.title_matches) == len(hit.title_spans)
        told += hit.title_matches
        for passage in hit.passages:
            assert len(passage.matches) == len(passage.spans)
            for why, (start, end) in zip(passage.matches, passage.spans, strict=True):
                assert why.form == passage.text[start:end].lower()
            told += passage.matches
    assert {*drawn.split("; ")} <= {" → ".join(why) for why in told}


def test_why_costs_nothing_where_it_is_not_asked_for(archive: Archive) -> None:
    plain, explained = (archive.search("мирні переговори", explain=e) for e in (False, True))
    assert {passage.matches for hit in plain for passage in hit.passages} == {()}
    for one, other in zip(plain, explained, strict=True):
        assert [p[:2] for p in one.passages] == [p[:2] for p in other.passages]


def test_no_other_word_is_offered_for_a_date(make_archive: MakeArchive) -> None:
    archive = make_archive([{"text": f"переговори {n}"} for n in range(20)])
    assert archive.search("перегвори").suggestions
    assert archive.search("date:перегвори").suggestions == ()
