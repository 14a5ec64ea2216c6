import re
from contextlib import suppress
from itertools import product
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from searchkit import highlight
from searchkit.analysis.tokenize import WORD
from searchkit.analysis.ukrainian import APOSTROPHES, HYPHENS, INVISIBLE
from searchkit.article import Article
from searchkit.codec.stored import STRIDE, milestones
from searchkit.kernel import kernel as compiled
from searchkit.schema import GAP

kernel: Any = compiled
pytestmark = pytest.mark.skipif(not compiled, reason="the kernel was not compiled")

# Of each kind of character that the tokenizer tells from others, some, and any at all.
TOLD_APART = f"абв12,.:_ {APOSTROPHES}{HYPHENS}{INVISIBLE}\u0300\u0306\u036f٣½ª\ud800\U00017118😀𝟙"
texts = st.text(st.sampled_from(TOLD_APART) | st.characters(), max_size=80)


# -- words that are marked, and passages ---------------------------------------------------------

# Of what ends sentences, and what does not, some; and words long enough for a sentence to be cut.
PIECES = ["Сніг", "вул", "м", "В", "грн", "я" * 130, "слово слово " * 9, "-" * 150, *"IсΣİ😀\ud800"]
SIGNS = [*".!?…»\"')]\n\t\xa0\x1c «—-", ". ", ".\n", "\n\n", "\n \n", ".\n— "]
prose = st.lists(st.sampled_from(PIECES) | st.sampled_from(SIGNS), max_size=60).map("".join)


@given(prose | texts, st.randoms(use_true_random=False), st.integers(0, 4))
@settings(deadline=None, max_examples=1000)
def test_the_kernel_shows_the_passages_that_the_rules_say(
    text: str, random: Random, limit: int
) -> None:
    """The rules are those of the plain functions; what is marked need not even be words."""
    marks = []
    for run in re.finditer(r"\S+", text):
        start = random.randrange(*run.span())
        if random.random() < 0.3:
            marks.append((start, random.randint(start + 1, run.end()), random.randrange(3)))
    found = highlight.passages(text, marks, limit)
    with patch.object(highlight, "kernel", None):
        assert highlight.passages(text, marks, limit) == found


RULES = (3, highlight.PASSAGE, 1, " м ")


def spans_of(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(WORD, text)]


@given(texts, prose | texts, st.randoms(use_true_random=False), st.integers(0, 2**31 - 2))
@settings(deadline=None)
def test_the_kernel_marks_the_words_with_these_numbers(
    title: str, text: str, random: Random, number: int
) -> None:
    """It starts at the last milestone before a word, or without milestones at the beginning.

    A word that answers several parts counts for the first; places of other articles do not count.
    """
    titles, every = spans_of(title), spans_of(text)
    starts = np.array([start for start, _ in every], int)
    [stones] = milestones(starts, np.array([0]), np.array([len(every)]))
    first = len(titles) + GAP
    positions = [*range(len(titles)), *range(first, first + len(every))]
    parts = [sorted(random.sample(positions, random.randint(0, len(positions)))) for _ in range(3)]
    places = tuple(
        np.array([number << 32 | position for position in part] + [(number + 1) << 32], np.int64)
        for part in parts
    )
    part_of = {position: i for i in (2, 1, 0) for position in parts[i]}
    marks = [
        (p, (*(titles[p] if p < first else every[p - first]), part_of[p])) for p in sorted(part_of)
    ]
    expected = ([m for p, m in marks if p < first], [m for p, m in marks if p >= first])
    article = Article("1", text, title)
    for used, known in product([kernel, None], [stones, b""]):
        with patch.object(highlight, "kernel", used):
            assert highlight.marks(places, number, article, known, len(titles)) == expected
            told = (number, title, text, known, len(titles), first, STRIDE, RULES)
            assert not used or kernel.shown(places, *told) == (
                highlight.spans(expected[0]),
                kernel.passages(text, expected[1], RULES),
            )
            for missing in (len(titles), first - 1, first + len(every)):
                place = np.array([number << 32 | missing], np.int64)
                with pytest.raises(ValueError, match="no word"):
                    highlight.marks((place,), number, article, known, len(titles))


@given(
    texts, st.binary(max_size=9), st.lists(st.integers(0, 2**64 - 1), max_size=9),
    st.integers(0, 2**32 - 1), st.integers(0, 9),
)  # fmt: skip
@example("мир мир", b"", [1], 2**32 - 1, 0)  # the last number that there is
@settings(deadline=None)
def test_damaged_milestones_and_positions_end_in_an_error_or_in_words(
    text: str, stones: bytes, places: list[int], number: int, words: int
) -> None:
    """What is in an index may be anything; no memory but the text's is read."""
    mixed = np.array([*places, *(number << 32 | place & 63 for place in places)], np.uint64)
    with suppress(ValueError):
        both = kernel.marks((mixed,), number, text, text, stones, words, words, STRIDE)
        for start, end, _ in [*both[0], *both[1]]:
            assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    "told",
    [
        ((b"1234567",), 0, "", "", b"", 0, 300, 16), ((b"",), 0, "", "", b"", -1, 300, 16),
        ((b"",), 0, "", "", b"", 0, -1, 16), ((b"",), 0, "", "", b"", 0, 300, 0),
    ],
)  # fmt: skip
def test_numbers_that_no_word_has_are_refused(told: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"8 bytes|0 or more"):
        kernel.marks(*told)


@pytest.mark.parametrize(
    "marks",
    [[(0, 4, 0)], [(-1, 1, 0)], [(1, 1, 0)], [(1, 2, 0), (0, 1, 0)], [(0, 1)], [()], [None]],
)
def test_marks_that_are_not_in_the_text_are_refused(marks: list[Any]) -> None:
    """They would be read from memory that is not the text's."""
    with pytest.raises(ValueError, match=r"marks are|not a tuple"):
        kernel.passages("мир", marks, RULES)
