"""Text to words, with offsets into the original.

A word is a run of letters and digits, with the apostrophes, stress marks and soft hyphens
inside it, also where two of these meet. Hyphens join (прес-конференція, COVID-19), and so do
points, commas and colons between digits (1,5 or 24.02.2022 or 20:30). For any string,
`text[start:end]` is the word.
"""

import re
from collections.abc import Iterable

from searchkit.analysis.ukrainian import APOSTROPHES, HYPHENS, INVISIBLE
from searchkit.kernel import kernel

LETTER = rf"[^\W_{re.escape(APOSTROPHES)}]"  # Unicode counts three of them among the letters
COMBINING = "".join(map(chr, range(0x300, 0x370)))  # accents, and the breve of a decomposed й
_PART = rf"{LETTER}+(?:[{COMBINING}{INVISIBLE}]+{LETTER}+)*[{COMBINING}]*"
_SIGN = rf"[{INVISIBLE}]*[{re.escape(APOSTROPHES + HYPHENS)}][{INVISIBLE}]*"
_JOINER = rf"(?:{_SIGN}|(?<=\d)[.,:](?=\d))"

WORD = rf"{_PART}(?:{_JOINER}{_PART})*"
_WORD = re.compile(WORD)
words_from = _WORD.finditer  # the words from where one begins
if kernel:
    kernel.set_signs(APOSTROPHES + HYPHENS, INVISIBLE, COMBINING, ".,:")
_PARTS = re.compile(r"-|(?<=\d)[.,:](?=\d)")


def spans(text: str) -> Iterable[tuple[int, int]]:
    """Return the half-open code-point offsets of each word, in order, never overlapping."""
    if kernel:
        found: list[tuple[int, int]] = kernel.spans(text)
        return found
    return (match.span() for match in _WORD.finditer(text))


def parts(word: str) -> list[str]:
    """Return the words that a normalised compound is made of; of any other word, none.

    >>> parts("онлайн-переговори"), parts("24.02.2022"), parts("мир")
    (['онлайн', 'переговори'], ['24', '02', '2022'], [])
    """
    found = [part for part in _PARTS.split(word) if part]
    return found if len(found) > 1 else []
