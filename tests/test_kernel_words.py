import re
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from searchkit.analysis.tokenize import WORD
from searchkit.analysis.ukrainian import APOSTROPHES, HYPHENS, INVISIBLE
from searchkit.article import Article
from searchkit.codec import runs, stored
from searchkit.kernel import kernel as compiled

kernel: Any = compiled
pytestmark = pytest.mark.skipif(not compiled, reason="the kernel was not compiled")

# Of each kind of character that the tokenizer tells from others, some, and any at all.
TOLD_APART = f"абв12,.:_ {APOSTROPHES}{HYPHENS}{INVISIBLE}\u0300\u0306\u036f٣½ª\ud800\U00017118😀𝟙"
texts = st.text(st.sampled_from(TOLD_APART) | st.characters(), max_size=80)


def words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(WORD, text)]


@given(texts)
@example("а\u00ad\u0301'б а\u0301\u00ad'б а'\u00adб 1\u00ad,2 1,2 1.а а--б \U000100001,5")
@settings(deadline=None, max_examples=1000)
def test_the_kernel_finds_the_words_that_the_regular_expression_finds(text: str) -> None:
    assert kernel.spans(text) == words(text)


@pytest.mark.parametrize("frame", ["а{}б", "1{}2", "а\u00ad{}\u2060б", "а\u0301{}"])
def test_each_character_is_to_the_kernel_what_it_is_to_the_regular_expression(frame: str) -> None:
    every = list(map(frame.format, map(chr, range(0x20000))))
    assert [text for text in every if kernel.spans(text) != words(text)] == []


def ints(*numbers: int) -> Any:
    return np.array(numbers, np.int32)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 6))))
@settings(deadline=None)
def test_the_kernel_sorts_rows_into_the_run_that_numpy_sorts_them_into(
    rows: list[tuple[int, int, int]],
) -> None:
    columns = [ints(*column) for column in zip(*sorted(rows), strict=True)] or [ints()] * 3
    classes = np.array([7, 7, 8, 9, 9, 0, 255], np.uint8)
    told = 5, ints(3, 0, 3, 1, 0, 4, 3), columns, classes
    made = [runs._inverted(*told)]  # noqa: SLF001 - both ways
    with patch.object(runs, "kernel", None):
        made.append(runs._inverted(*told))  # noqa: SLF001
    compiled_run, plain_run = (
        {name: array.tolist() for name, array in run.items()} for run in made
    )
    assert compiled_run == plain_run


def test_as_many_words_as_there_may_be_are_told_apart() -> None:
    """The table grows, and each word keeps its number."""
    table, spellings = kernel.word_table("слово", "слово"), kernel.Lexicon()
    texts = [f"{number} Слово{number}" for number in range(100_000)]
    *_, numbers = kernel.number_words(table, spellings, str.lower, texts)
    assert np.frombuffer(numbers, np.int32).tolist() == [*range(200_000)]
    *_, again = kernel.number_words(table, spellings, None, texts)
    assert again == numbers
    assert (len(spellings), spellings[199_999]) == (200_000, "слово99999")


def test_words_of_plain_letters_are_spelled_without_asking() -> None:
    table, spellings = kernel.word_table("аАбБ’", "аабб'"), kernel.Lexicon()
    long = "а" * 65
    *_, numbers = kernel.number_words(table, spellings, str.upper, ["Аб аб а’Б в", long, "а" * 64])
    assert np.frombuffer(numbers, np.int32).tolist() == [0, 0, 1, 2, 3, 4]
    assert [spellings[n] for n in range(5)] == ["аб", "а'б", "В", long.upper(), "а" * 64]


@pytest.mark.parametrize(("written", "normal"), [("аб", "а"), ("\u2020", "а"), ("а", "\u0800")])
def test_letters_that_have_no_plain_spelling_are_refused(written: str, normal: str) -> None:
    with pytest.raises(ValueError, match="no such letters"):
        kernel.word_table(written, normal)


def test_what_goes_wrong_with_a_spelling_is_told() -> None:
    def fail(word: str) -> str:
        raise OSError(word)

    for normalize, error in ((fail, OSError), (len, TypeError), (None, TypeError)):
        with pytest.raises(error):
            kernel.number_words(kernel.word_table("", ""), kernel.Lexicon(), normalize, ["слово"])


FITTING = (ints(2, 1), ints(0, 1, 0), ints(0, 1), ints(1, 3), ints(0, 1, 2))


def test_numbered_words_have_the_rows_that_they_were_said_to_have() -> None:
    found = [np.frombuffer(each, np.int32).tolist() for each in kernel.rows(*FITTING)]
    assert found == [[0, 0, 0, 1], [0, 1, 1, 0], [0, 1, 2, 0]]


@pytest.mark.parametrize(
    ("which", "instead"),
    [
        (0, ints(2, 2)), (0, ints(-1, 4)), (0, b"123"),
        (1, ints(0, 2, 0)), (1, ints(0, -1, 0)), (1, ints(0, 1)),
        (2, ints()), (2, ints(-1, 1)), (2, ints(2, 1)), (2, b"12345678 "),
        (3, ints(1)), (3, ints(1, 0)), (3, ints(1, 4)),
        (4, ints(0, 1)),
    ],
)  # fmt: skip
def test_words_and_rows_that_do_not_fit_together_are_refused(which: int, instead: Any) -> None:
    given_arrays = [*FITTING[:which], instead, *FITTING[which + 1 :]]
    with pytest.raises(ValueError, match="do not fit"):
        kernel.rows(*given_arrays)


ROWS = (2, ints(0, 1, 1), ints(0, 0, 5), ints(0, 1, 0), ints(0, 2, 1), b"123")


@pytest.mark.parametrize(
    ("which", "instead"),
    [
        (0, 1), (0, -1), (1, ints(0, 2, 1)), (1, ints(0, -1, 1)), (1, ints(0, 1)),
        (2, ints(0, 0)), (2, ints(-1, 0, 5)), (3, ints(0, 0)), (3, b"12345"),
        (3, ints(0, -1, 0)), (3, ints(0, 1 << 24, 0)),
        (4, ints(0, 3, 1)), (4, ints(0, -1, 1)), (4, ints(0)), (5, b"12"),
    ],
)  # fmt: skip
def test_rows_and_terms_that_do_not_fit_together_are_refused(which: int, instead: Any) -> None:
    assert [len(array) for array in kernel.invert(*ROWS)] == [8, 12, 12, 24, 24]
    given_arrays = [*ROWS[:which], instead, *ROWS[which + 1 :]]
    with pytest.raises(ValueError, match="do not fit"):
        kernel.invert(*given_arrays)


@pytest.mark.parametrize("call", [
    lambda: kernel.spans(b"bytes"),
    lambda: kernel.number_words(kernel.word_table("", ""), kernel.Lexicon(), str.lower, ["a", b""]),
    lambda: kernel.number_words(kernel.word_table("", ""), kernel.Lexicon(), str.lower, "texts"),
    lambda: kernel.number_words(kernel.word_table("", ""), {}, str.lower, []),
    lambda: kernel.word_table("1", 2),
    lambda: kernel.rows(1, 2, 3, 4, 5),
    lambda: kernel.invert(1, 2, 3, 4, 5, 6),
    lambda: kernel.set_signs(1, 2, 3, 4),
])  # fmt: skip
def test_what_is_not_of_the_right_kind_is_refused(call: Any) -> None:
    with pytest.raises(TypeError):
        call()


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(ValueError, match="PyCapsule"):
        kernel.number_words(object(), kernel.Lexicon(), str.lower, [])


@given(st.text(st.sampled_from("абґ’№\x98☮😀\u0301a1 \n") | st.characters(), max_size=30))
@settings(deadline=None)
def test_the_kernel_writes_a_text_as_python_does(text: str) -> None:
    """With letters that have no byte of their own, and with none."""
    written = stored._to_bytes(text)  # noqa: SLF001 - the twin
    with patch.object(stored, "kernel", None):
        assert stored._to_bytes(text) == written  # noqa: SLF001


letter = st.sampled_from("абґ’№a1 \n\x01") | st.characters(exclude_characters="\0")
written = st.text(letter, max_size=30)


@given(
    st.builds(Article, written, written, written, *[st.none() | written.filter(bool)] * 5,
              st.lists(written, max_size=2).map(tuple), st.just("uk")),
    st.binary(),
)  # fmt: skip
@example(Article("", "", "", tags=("", "а", "")), b"\n\0")
@settings(deadline=None)
def test_the_kernel_reads_what_was_written_as_python_does(article: Article, stones: bytes) -> None:
    record = stored._record(stored.letters(article), stones)  # noqa: SLF001 - the twin
    assert stored._read(record) == (article, stones)  # noqa: SLF001
    with patch.object(stored, "kernel", None):
        assert stored._read(record) == (article, stones)  # noqa: SLF001


def test_the_kernel_leaves_to_python_what_only_few_articles_have() -> None:
    """Rare letters."""
    plain = Article("1", "Мир\nу світі", "Слово", None, "u", tags=("а", "б"))
    for article, is_read in (
        (plain, True), (plain._replace(tags=()), True), (plain._replace(title=""), True),
        (plain._replace(text="☮"), False), (plain._replace(title="☮"), False),
    ):  # fmt: skip
        record = stored._record(stored.letters(article), b"")  # noqa: SLF001
        found = kernel.from_letters(record, stored._CHARACTERS)  # noqa: SLF001
        assert (found is not None) == is_read


@given(st.binary(max_size=12), st.integers(0, 200), st.binary(max_size=3))
@settings(deadline=None)
def test_a_damaged_record_is_none_or_one_of_the_same_form(head: bytes, at: int, put: bytes) -> None:
    """What is in an index may be anything; no memory but the record's is read."""
    record = stored._record(stored.letters(Article("1", "Мир", "Так", tags=("а",))), b"12")  # noqa: SLF001
    for damaged in (head, head + record[len(head) :], record[:at], record[:at] + put + record[at:]):
        found = kernel.from_letters(damaged, stored._CHARACTERS)  # noqa: SLF001
        assert found is None or len(found[0]) == len(Article._fields)
