"""Which word is meant: its neighbours in the sentence tell."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.analysis import analyze, terms
from searchkit.analysis.context import in_context
from searchkit.analysis.lemmatize import readings
from searchkit.analysis.lists import common, lines, meant
from searchkit.analysis.normalize import fold, normalize
from searchkit.analysis.ukrainian import EUPHONY

TABLE = (Path(__file__).parent / "data" / "context.txt").read_text(encoding="utf-8")
WORDS = [*sorted(meant()), "Києві", "року", "замок", "маючи", "covid-19", "НАТО", "9"]


@pytest.mark.parametrize(
    "line", [line for line in TABLE.split("\n") if line and not line.startswith("#")]
)
def test_the_word_that_is_meant_comes_first(line: str) -> None:
    """The table has sentences with one word in brackets, and the lemma that it has there."""
    drawn, lemma = re.split(r"\s{2,}", line.strip())
    text, start = drawn.replace("[", "").replace("]", ""), drawn.index("[")
    [first] = [t.lemmas[0] for t in in_context(text, analyze(text)) if t.start == start]
    assert first == lemma


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=8).map(" ".join))
def test_only_the_order_depends_on_the_neighbours(text: str) -> None:
    """No lemma is lost; one is added only where a spelling has the term of another: у of в."""
    tokens = analyze(text)
    for before, after in zip(tokens, in_context(text, tokens), strict=True):
        form = fold(normalize(before.text))
        own = {form} if form in EUPHONY else set()
        assert set(after.lemmas) == set(before.lemmas) | own
        assert set(after.lemmas[: after.own]) == set(before.lemmas[: before.own]) | own
        assert (after.text, after.start, after.end) == (before.text, before.start, before.end)


def test_a_list_of_common_words_has_words_of_the_dictionary_in_their_base_form() -> None:
    """Any other entry would never be met."""
    assert {
        word for word in common() if (word not in terms(word)[0] or not readings(word))
    } == set()


def test_a_form_of_the_list_has_the_lemmas_that_the_list_says() -> None:
    """A lemma that the form does not have could not be put first."""
    listed = {(form, lemma) for form, lemmas in meant().items() for lemma in lemmas}
    assert {(form, lemma) for form, lemma in listed if lemma not in terms(form)[0]} == set()


def test_a_word_of_a_set_phrase_has_the_lemma_that_the_phrase_says() -> None:
    told = {
        tuple(word.split("/")) for words in lines("phrases.txt") for word in words if "/" in word
    }
    assert {(form, lemma) for form, lemma in told if lemma not in terms(form)[0]} == set()


@pytest.mark.parametrize(
    ("converb", "verb"),
    [
        ("маючи", "мати"),
        ("вернувшись", "вернутися"),
        ("принісши", "принести"),
        ("стоячи", "стояти"),
    ],
)
def test_a_converb_is_found_by_its_verb(converb: str, verb: str) -> None:
    """The dictionary has them apart."""
    assert verb in terms(converb)[0]
