import re
from contextlib import suppress
from itertools import product
from random import Random
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchkit import highlight
from searchkit.analysis.tokenize import WORD
from searchkit.analysis.ukrainian import APOSTROPHES, HYPHENS, INVISIBLE
from searchkit.codec.stored import STRIDE, milestones
from searchkit.kernel import kernel as compiled

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


@given(prose | texts, st.randoms(use_true_random=False), st.integers(0, 400))
@settings(deadline=None)
def test_the_kernel_marks_the_words_with_these_numbers(
    text: str, random: Random, first: int
) -> None:
    """It starts at the last milestone before a word, or without milestones at the beginning."""
    every = [match.span() for match in re.finditer(WORD, text)]
    [stones] = milestones(np.array([start for start, _ in every], int), np.array([len(every)]))
    which = sorted(random.sample(range(len(every)), random.randint(0, len(every))))
    found = [(first + number, random.randrange(3)) for number in which]
    expected = [(*every[position - first], part) for position, part in found]
    for used, known in product([kernel, None], [stones, b""]):
        with patch.object(highlight, "kernel", used):
            assert highlight.marked(text, known, found, first) == expected
            for missing in (first - 1, first + len(every)):
                with pytest.raises(ValueError, match="no word"):
                    highlight.marked(text, known, [(missing, 0)], first)


@given(texts, st.binary(max_size=9), st.lists(st.tuples(st.integers(), st.integers()), max_size=9))
@settings(deadline=None)
def test_damaged_milestones_and_positions_end_in_an_error_or_in_words(
    text: str, stones: bytes, found: list[tuple[int, int]]
) -> None:
    """What is in an index may be anything; no memory but the text's is read."""
    with suppress(ValueError, OverflowError):
        for start, end, _ in kernel.marked(text, stones, sorted(found), 0, STRIDE):
            assert 0 <= start < end <= len(text)


@pytest.mark.parametrize(
    "marks",
    [[(0, 4, 0)], [(-1, 1, 0)], [(1, 1, 0)], [(1, 2, 0), (0, 1, 0)], [(0, 1)], [()], [None]],
)
def test_marks_that_are_not_in_the_text_are_refused(marks: list[Any]) -> None:
    """They would be read from memory that is not the text's."""
    with pytest.raises(ValueError, match=r"marks are|not a tuple"):
        kernel.passages("мир", marks, 3, " м ", 240)
