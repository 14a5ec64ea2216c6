import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymorphy3
import pytest

from searchkit import Archive
from searchkit.analysis import analyze, is_function_word
from searchkit.analysis.dictionary import SHIPPED, base_forms, inflected, parses
from searchkit.analysis.normalize import normalize
from searchkit.analysis.ukrainian import FUNCTION_WORDS, HALVES, ORDINAL_ENDINGS

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
    assert token.lemmas[: token.own] == ("прес-конференція", "пресконференція")
    assert token.forms == ("прес-конференції", "прес", "конференції")


@pytest.mark.parametrize(
    ("word", "lemma"),
    [("тиндрахів", "тиндрах"), ("кракозябрами", "кракозябра"), ("хумбрикові", "хумбрик")],
)
def test_a_word_that_nobody_knows_is_found_as_typed_and_by_plausible_guesses(
    word: str, lemma: str
) -> None:
    """The guesser's best lemmas are kept, and the form itself always is."""
    [token] = analyze(word)
    assert {lemma, word} <= set(token.lemmas)
    assert not [found for found in token.lemmas if found.endswith("ти")]  # an invented verb


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
    "phrase", ["Верховної Ради", "іноземних мов", "коло осіб", "батальйон К", "київська рада"]
)
def test_a_noun_that_looks_like_a_function_word_is_asked_for(phrase: str) -> None:
    assert [token.text for token in analyze(phrase) if is_function_word(token.forms[0])] == []


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


def test_each_word_of_the_list_has_a_form_that_the_dictionary_lacks() -> None:
    """Otherwise it need not be there; and each model is a word of the dictionary."""
    lines = [line for line in SHIPPED.read_text(encoding="utf-8").split("\n") if line[:1] > "#"]
    needless = [
        line
        for line in lines
        for word, model in [line.split()]
        if all(word in base_forms(parses(form)) for form in inflected(word, model))
    ]
    assert len(lines) > 100
    assert needless == []


def test_the_newer_of_two_spellings_is_a_word_of_the_dictionary() -> None:
    """By no other would a word be found."""
    older = "проект проекція траекторія священик фойє конвейєр ляйєн сайєнтолог етер авдит"
    older += " авдіозапис авдієнція лавреат павза катедра атени міт аритметика логаритм"
    older += " маратон ортографія анатема дитирамб агатангел демостен бористен хамас хезболла"
    found = {word: analyze(word)[0].lemmas for word in older.split()}
    assert [word for word, lemmas in found.items() if len(lemmas) < 2] == []


@pytest.mark.parametrize("halves", ["пів'яблука", "пів яблука"])
def test_a_half_is_found_in_both_spellings(
    make_archive: Callable[[list[dict[str, Any]]], Archive], halves: str
) -> None:
    texts = ["З'їв пів'яблука.", "З'їв пів яблука.", "Пів години чистив яблука."]
    archive = make_archive([{"id": str(i), "text": text} for i, text in enumerate(texts)])
    found = archive.search(halves)
    assert {hit.id for hit in found if hit.all_words} >= {"0", "1"}
    assert {hit.id for hit in archive.search("пів'яблука")} == {"0", "1"}


@pytest.mark.parametrize("listed", [FUNCTION_WORDS, ORDINAL_ENDINGS, HALVES])
def test_wordlists_are_written_as_the_analyser_writes_words(listed: frozenset[str]) -> None:
    """An entry that is not in its normal spelling would never be met."""
    assert {word for word in listed if normalize(word) != word} == set()
