import pytest
from reference import marks

from searchkit import Archive, Passage
from searchkit.highlight import PASSAGE, passages, sentences, spans
from searchkit.query.parse import parse

SENTENCES = [
    "Сніг ішов. |Діти раділи! |Хто б не радів? |Так…",
    "На вул. Садовій, 5, у м. Київ усе тихо. |Поїзд о 9 год. ранку.",
    "Каже В. Ткачук. |Каже Віра Ткачук.",
    "Врожай 2024 р. зібрано. |Ціна 5 млн грн. |Далі буде.",
    "«Їдьмо!» |Поїхали. |— Куди? |— Туди.",
    "Перший абзац без крапки\n\n|Другий абзац",
    "Це 1.5 бала, 24.02.2022 і т. д. для всіх.",
    "Він сказав: «Так. |Ні».",
    "",
    "   ",
]


@pytest.mark.parametrize("drawn", SENTENCES)
def test_sentences_end_where_the_table_draws_a_bar(drawn: str) -> None:
    """Abbreviations and initials end no sentence."""
    text = drawn.replace("|", "")
    found = [text[start:end] for start, end in sentences(text)]
    assert found == [piece.strip() for piece in drawn.split("|") if piece.strip()]


def shown(text: str, query: str, limit: int = 3) -> list[str]:
    """The passages of a text for a query, matching words in brackets."""
    found = passages(text, marks(text, parse(query).tree, "text"), limit)
    return [draw(passage) for passage in found]


def draw(passage: Passage) -> str:
    """Put every marked word in brackets."""
    drawn, done = "", 0
    for start, end in passage.spans:
        drawn += f"{passage.text[done:start]}[{passage.text[start:end]}]"
        done = end
    return drawn + passage.text[done:]


TALKS = (
    "Сторони сіли за переговорний стіл. Мирні переговори тривали годину.\n\n"
    "Уранці падав сніг. Про переговори мирні люди не знали, онлайн-переговорів не чекали."
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (
            "переговори",
            [
                "Про [переговори] мирні люди не знали, [онлайн-переговорів] не чекали.",
                "Мирні [переговори] тривали годину.",
            ],
        ),
        ('"мирні переговори"', ["[Мирні] [переговори] тривали годину."]),
        (
            '"переговори мирні"~0',
            [
                "[Мирні] [переговори] тривали годину.",
                "Про [переговори] [мирні] люди не знали, онлайн-переговорів не чекали.",
            ],
        ),
        ("=переговорів", ["Про переговори мирні люди не знали, [онлайн-переговорів] не чекали."]),
        (
            "стіл OR година",
            ["Сторони сіли за переговорний [стіл]. Мирні переговори тривали [годину]."],
        ),
        ("година NOT переговори", ["Мирні переговори тривали [годину]."]),
        (
            "title:переговори",
            ["Сторони сіли за переговорний стіл. Мирні переговори тривали годину."],
        ),
    ],
)
def test_passages_are_whole_sentences_with_the_words_that_match(
    query: str, found: list[str]
) -> None:
    """What answers most of the query comes first; a phrase is marked only where it stands."""
    assert shown(TALKS, query) == found


def test_sentences_that_follow_fill_a_passage_within_the_paragraph() -> None:
    """A short sentence brings its neighbours along, never those of another paragraph."""
    text = "Сніг ішов. Діти раділи. Усі сміялися.\n\nІнше."
    assert shown(text, "сніг") == ["[Сніг] ішов. Діти раділи. Усі сміялися."]


def test_a_long_sentence_is_cut_between_words_around_the_match() -> None:
    """An ellipsis stands where something was left out."""
    text = "слово " * 100 + "переговори" + " слово" * 100 + "."
    [passage] = passages(text, marks(text, parse("переговори").tree, "text"), 3)
    assert passage.text.startswith("…слово ")
    assert passage.text.endswith(" слово…")
    assert len(passage.text) <= PASSAGE + 2
    assert [passage.text[a:b] for a, b in passage.spans] == ["переговори"]


def test_an_endless_word_is_shown_whole() -> None:
    """A passage is never cut inside a word, however long the word is."""
    word = "а" * 900
    [passage] = passages(f"Ось {word} тут.", marks(f"Ось {word} тут.", parse(word).tree, "text"), 1)
    assert [passage.text[a:b] for a, b in passage.spans] == [word]


def test_where_nothing_in_the_text_matches_its_beginning_is_shown() -> None:
    """An article found by its title or date is shown from its first sentence."""
    assert shown("Перше речення. Друге.", "date:2025") == ["Перше речення. Друге."]


def test_no_more_passages_than_asked_for() -> None:
    """The limit may be zero."""
    text = "\n\n".join(["Ішов сніг."] * 9)
    assert [len(shown(text, "сніг", limit)) for limit in (0, 1, 3, 20)] == [0, 1, 3, 9]


def test_every_mark_of_the_sample_archive_is_the_word_as_written(archive: Archive) -> None:
    """Spans of titles and passages point at whole words, in order, and passages are quotations."""
    for query in ("переговори", "мирні переговори", "п’ять", "замок", "містo мiсто", "COVID-19"):
        for hit in archive.search(query, limit=100, passages=5):
            title = marks(hit.article.title, parse(query).tree, "title")
            assert hit.title_spans == spans(title)
            for passage in hit.passages:
                assert passage.text.strip("…") in hit.article.text
                assert list(passage.spans) == sorted(set(passage.spans))
                for start, end in passage.spans:
                    before, after = passage.text[:start][-1:], passage.text[end:][:1]
                    assert not before.isalnum()
                    assert not after.isalnum()
