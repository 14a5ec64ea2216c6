import re
from pathlib import Path

import pymorphy3
import pytest

from searchkit.analysis import analyze, is_function_word
from searchkit.analysis.normalize import normalize
from searchkit.analysis.ukrainian import COMMON_WORDS, FUNCTION_WORDS, ORDINAL_ENDINGS

DATA = Path(__file__).parent / "data"


def lines(name: str) -> list[str]:
    """The lines of a table that are neither empty nor a heading."""
    text = (DATA / name).read_text(encoding="utf-8")
    return [line for line in text.split("\n") if line.strip() and not line.startswith("# ")]


@pytest.mark.parametrize("line", lines("lemmas.txt"))
def test_a_word_has_the_lemmas_of_the_table(line: str) -> None:
    """Every lemma that a word may have is found, the likeliest first."""
    word, lemmas = re.split(r"\s{2,}", line.strip(), maxsplit=1)
    [token] = analyze(word)
    assert (token.text, " ".join(token.lemmas)) == (word, lemmas)


@pytest.mark.parametrize("drawn", lines("tokens.txt"))
def test_words_stand_where_the_table_draws_them(drawn: str) -> None:
    """Words are found with their place in the text."""
    text = drawn.replace("[", "").replace("]", "")
    found, done = "", 0
    for token in analyze(text):
        found += f"{text[done : token.start]}[{text[token.start : token.end]}]"
        done = token.end
    assert found + text[done:] == drawn


def test_a_compound_has_its_own_lemmas_before_those_of_its_parts() -> None:
    """How many of the lemmas are the whole word's is told: a query asks for these alone."""
    [token] = analyze("прес-конференції")
    assert token.lemmas[: token.own] == ("прес-конференція",)
    assert token.forms == ("прес-конференції", "прес", "конференції")


def test_a_word_that_the_dictionary_lacks_is_found_as_typed_and_by_likely_guesses() -> None:
    """The guesser's best lemmas are kept, and the form itself always is."""
    lemmas = {word: set(analyze(word)[0].lemmas) for word in ("байрактарів", "Байрактар")}
    assert "байрактар" in lemmas["байрактарів"] & lemmas["Байрактар"]
    assert "байрактарів" in lemmas["байрактарів"]
    assert "байрактаріти" not in lemmas["байрактарів"]


def test_a_very_long_word_is_its_own_lemma() -> None:
    """The guesser is not asked about what no dictionary could hold."""
    word = "слово" * 100
    assert analyze(word)[0].lemmas == (word,)


def test_function_words_are_known_in_every_spelling() -> None:
    """Prepositions, conjunctions and particles, whatever euphony makes of them."""
    tokens = analyze("У в й і та з зі переговори не Київ")
    assert [token.text for token in tokens if not is_function_word(token.forms[0])] == [
        "переговори",
        "Київ",
    ]


def test_a_function_word_is_hardly_ever_a_noun_or_a_verb() -> None:
    """Those that may be one are few; beside their list stands why they are in it."""
    morph = pymorphy3.MorphAnalyzer(lang="uk")
    content = {"NOUN", "VERB", "INFN", "ADJF"}
    assert {
        word
        for word in FUNCTION_WORDS
        if any(parse.tag.POS in content for parse in morph.parse(word))
    } == {
        *("ані", "до", "коли", "нехай", "об", "перед", "поза", "попри", "при", "про", "під"),
        *("серед", "тому", "хай", "як"),
    }


@pytest.mark.parametrize(
    "words", ["Верховної Ради", "іноземних мов", "коло осіб", "батальйон К", "київська рада"]
)
def test_a_noun_that_looks_like_a_function_word_is_asked_for(words: str) -> None:
    assert [token.text for token in analyze(words) if is_function_word(token.forms[0])] == []


@pytest.mark.parametrize("word", ["\U00017000я", "\U000187f7", "\U00018d08-міст", "я\U00018d00"])
def test_letters_that_have_no_name_are_letters(word: str) -> None:
    """Of them pymorphy3 cannot even ask in which alphabet they are."""
    [token] = analyze(word)
    assert token.text == word
    assert word in token.lemmas


@pytest.mark.parametrize("word", ["İ", "İстамбул", "a\u0374b", "ҚÌ", "ɅЯỲ", "я\u0340\u0344", "Ɨя"])
def test_odd_letters_have_one_normal_spelling(word: str) -> None:
    once = normalize(word)
    assert normalize(once) == once


@pytest.mark.parametrize("words", [COMMON_WORDS, FUNCTION_WORDS, ORDINAL_ENDINGS])
def test_word_lists_are_written_as_the_analyser_writes_words(words: frozenset[str]) -> None:
    """An entry that is not in its normal spelling would never be met."""
    assert {word for word in words if normalize(word) != word} == set()
