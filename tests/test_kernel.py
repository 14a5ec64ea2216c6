import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from searchkit.analysis.tokenize import WORD
from searchkit.analysis.ukrainian import APOSTROPHES, HYPHENS, INVISIBLE
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
