"""Articles in several languages, and lines of one in another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from searchkit import Archive
from searchkit.analysis import analyze
from searchkit.analysis.language import language_of, named, stretches
from searchkit.analysis.ukrainian import TELLING_WORDS

Make = Callable[[list[dict[str, Any]]], Archive]

TABLE = (Path(__file__).parent / "data" / "languages.txt").read_text(encoding="utf-8")
LINES = [line.split(maxsplit=1) for line in TABLE.split("\n") if line[:1] > "#"]


@pytest.mark.parametrize(("language", "line"), LINES)
def test_the_language_of_a_line_is_that_of_the_table(language: str, line: str) -> None:
    assert language_of(line) == language


@pytest.mark.parametrize("text", ["", " \n", "123", "Jutro będzie ładna pogoda w Krakowie", "ΑΒΓ"])
def test_what_does_not_tell_its_language_has_none_or_that_of_most_articles(text: str) -> None:
    assert language_of(text) in (None, "uk")


def test_no_word_tells_two_languages() -> None:
    words = [word for listed in TELLING_WORDS.values() for word in listed]
    assert len(words) == len(set(words))


@pytest.mark.parametrize(
    ("said", "language"),
    [("uk", "uk"), ("uk_UA", "uk"), ("UA", "uk"), ("rus", "ru"), ("Русский", "ru"),
     ("en-GB", "en"), ("PL", "pl"), ("", None), (" ", None), (None, None), ("-", "")],
)  # fmt: skip
def test_a_record_may_name_its_language_in_many_ways(
    said: str | None, language: str | None
) -> None:
    assert (named(said) or "") == (language or "")


MIXED = """Речник відповів журналістам російською:

Мы готовы к переговорам, но условия назовём позже.

Перемовини почнуться в середу."""


def test_each_paragraph_of_a_mixed_text_is_read_in_its_language() -> None:
    assert [language for _, _, language in stretches(MIXED, "uk")] == ["uk", "ru", "uk"]
    assert [language for _, _, language in stretches(MIXED, "ru")] == ["uk", "ru"]
    assert [language for _, _, language in stretches(MIXED, "pl")] == ["pl"]
    lemmas = {token.text: token.lemmas for token in analyze(MIXED)}
    assert lemmas["Мы"] == ("мы",)
    assert lemmas["переговорам"] == ("переговоры",)
    assert lemmas["назовём"] == ("назвать",)
    assert lemmas["Перемовини"][0] == "перемовини"


@pytest.mark.parametrize(
    ("word", "lemmas"),
    [
        ("переговорами", ("переговоры",)),
        ("войны", ("война",)),
        ("ёлок", ("елка",)),
        ("елок", ("елка",)),
        ("шёл", ("идти",)),
        ("Зеленского", ("зеленский",)),
        ("дроноводами", ("дроновод",)),
        ("21-го", ("21-й", "21")),
        ("PDF", ("pdf",)),
    ],
)
def test_a_word_of_a_russian_text_has_the_lemmas_of_russian(
    word: str, lemmas: tuple[str, ...]
) -> None:
    [token] = analyze(word, "ru")
    assert token.lemmas[: len(lemmas)] == lemmas


def test_words_of_other_languages_are_their_own_lemmas() -> None:
    assert [token.lemmas for token in analyze("преговори и избори", "bg")] == [
        ("преговори",), ("и",), ("избори",),
    ]  # fmt: skip


@pytest.fixture
def mixed(make_archive: Make) -> Archive:
    return make_archive(
        [
            {"id": "uk", "text": "За столом переговорів стали обговорювати стиль документа."},
            {
                "id": "ru",
                "text": "Участники переговоров не стали говорить о войне.\n\nМы стали ждать.",
            },
            {"id": "both", "text": MIXED, "source": "Новое время", "language": "uk"},
            {"id": "en", "text": "The peace talks were not easy, and the war is not over."},
            {"id": "pl", "text": "Rozmowy trwają", "language": "pl"},
            {"id": "said", "text": "Переговори", "language": "Українська", "author": "Новый"},
        ]
    )


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("переговоры", {"ru", "both"}),  # as it stands nowhere
        ("переговорами", {"uk", "said", "ru", "both"}),  # of both languages
        ("переговори", {"uk", "said"}),
        ("переговорам", {"uk", "said", "ru", "both"}),  # it stands in Russian only
        ("войной", {"ru"}),
        ('"переговоров не стали"', {"ru"}),
        ('"не стать"', {"ru"}),
        ('"переговорів стати"', {"uk"}),
        ('"мы стали"', {"ru"}),
        ("=стали", {"uk", "ru"}),
        ("сталь", {"ru"}),
        ('"=стали ждать"', {"ru"}),
        ("=стали AND =ждать", {"ru"}),
        ("стал*", {"uk", "ru"}),
        ("ждёшь", {"ru"}),
        ("language:uk", {"uk", "both", "said"}),
        ("language:ru", {"ru"}),
        ("language:en", {"en"}),
        ("language:pl", {"pl"}),
        ("переговоры language:uk", {"both"}),
        ("language:(uk OR en) NOT мир", {"uk", "both", "said", "en"}),
        ("source:новое", {"both"}),
        ("source:время", {"both"}),
        ("и что", set()),
        ("что переговоры", {"ru", "both"}),
    ],
)
def test_articles_are_found_in_the_language_in_which_they_are(
    mixed: Archive, query: str, ids: set[str]
) -> None:
    assert {hit.id for hit in mixed.search(query)} == ids


def test_what_matches_is_marked_in_every_language(mixed: Archive) -> None:
    [hit] = [hit for hit in mixed.search("переговоры") if hit.id == "both"]
    [passage] = hit.passages
    assert [passage.text[start:end] for start, end in passage.spans] == ["переговорам"]


def test_an_exact_form_is_marked_in_every_language(mixed: Archive) -> None:
    marked = [
        passage.text[start:end]
        for query in ("=стали", '"=стали ждать"', '"=переговорів =стали"')
        for hit in mixed.search(query)
        for passage in hit.passages
        for start, end in passage.spans
    ]
    assert sorted(marked) == ["ждать", "переговорів", *["стали"] * 5]


def test_an_archive_without_russian_needs_no_russian_dictionary(
    make_archive: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("searchkit.analysis._russian_terms", refuse)
    archive = make_archive([{"id": "1", "text": "За столом переговорів."}])
    assert archive.search("переговорами").total == 1
    assert archive.search("небачене").total == 0
    assert archive.index.foreign == ()
