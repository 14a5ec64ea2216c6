"""Near: which words of an archive may have been meant by one that is typed.

gthtujdjhb  →  переговори    `retyped`: the keyboard was set to another language
peregovory  →  переговори    `spelled`: in Latin letters, or in the Russian way (выборы)
пять        →  п'ять         `with_apostrophe`: it was left out
переговри   →  переговори    `slips`: a letter too few, too many, another, or two swapped
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from heapq import heappop, heappush
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from searchkit.analysis.typed import (
    APOSTROPHE_AFTER,
    APOSTROPHE_BEFORE,
    CONFUSED,
    FLEETING,
    KEYBOARDS,
    LATIN_SPELLINGS,
    RUSSIAN_SPELLINGS,
)
from searchkit.codec.strings import Strings, letters_of

Costs = NDArray[np.float32]

LIKELY = 0.6  # what a likely slip costs; any other costs 1
LONG = 7  # letters; in a word of so many there may be two slips

_STEPS = 300  # of the search for a spelling, at most: 5 ms
_WORDS = 8  # that it finds, at most
_UNLIKELY = 3  # readings that are not the likeliest, at most; one more for each 4 letters over 8


# -- the keyboard was set to another language --------------------------------------------------


@cache
def _keyboards() -> list[tuple[set[int], dict[int, str]]]:
    """Return for each two keyboards what the first types, and what its keys are on the second."""
    tables = []
    for typed, meant in permutations(KEYBOARDS.values(), 2):
        table = {ord(a): b for a, b in zip("".join(typed), "".join(meant), strict=True)}
        tables.append((set(table), table))
    return tables


# Keys that type no letter on one keyboard and one on another; quotation marks mean too much.
_SIGNS = {key for key in "".join(KEYBOARDS["Latin"]) if not key.isalpha()} - {'"'}


def stretches(text: str, at: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the stretches around a word of a query that may have been typed as one word.

    Signs beside it may be letters on another keyboard, or what they are. A colon may if nothing
    stands before it: else it is that of a field.

    >>> text = ",tpgtrf, vbh"
    >>> [text[start:end] for start, end in stretches(text, (1, 7))]
    [',tpgtrf,', ',tpgtrf', 'tpgtrf,', 'tpgtrf']
    """
    low, high = at
    while low and _is_key(text, low - 1):
        low -= 1
    while high < len(text) and _is_key(text, high):
        high += 1
    inner = text[low:high]
    first = low + len(inner) - len(inner.lstrip("".join(_SIGNS)))
    last = high - len(inner) + len(inner.rstrip("".join(_SIGNS)))
    return list(dict.fromkeys((start, end) for start in (low, first) for end in (high, last)))


def _is_key(text: str, at: int) -> bool:
    if text[at] == ":":
        return not at or not text[at - 1].isalnum()
    return text[at].isalnum() or text[at] in _SIGNS


def retyped(text: str) -> list[str]:
    """Return what the keys that were pressed type on other keyboards.

    >>> retyped("gthtujdjhb"), retyped("сщмшв")[0]
    (['переговори'], 'covid')
    """
    letters = set(map(ord, text))
    found = [text.translate(table) for keys, table in _keyboards() if letters <= keys]
    return [other for other in dict.fromkeys(found) if other != text]


# -- in Latin letters --------------------------------------------------------------------------


@cache
def _spellings() -> dict[str, list[tuple[bytes, int]]]:
    """Return what each Latin or Russian spelling may be in Ukrainian, and what that costs."""
    table = {}
    for entry in f"{LATIN_SPELLINGS} {RUSSIAN_SPELLINGS}".split():
        latin, _, meant = entry.partition(":")
        readings = ["" if reading == "_" else reading for reading in meant.split("/")]
        table[latin] = [(reading.encode(), min(n, 1)) for n, reading in enumerate(readings)]
    return table


_LONGEST = 7  # letters of a spelling: schtsch


def spelled(strings: Strings, word: str, *, is_prefix: bool = False) -> dict[str, float]:
    """Return the words that may be spelled like this, and what each reading costs.

    That is in Latin letters, or in the Russian way.

    The likeliest readings are followed first, and only as far as words begin like them, so that
    time is bounded: nothing is read but what the archive has.

    Args:
        strings: the words.
        word: in lower case.
        is_prefix: whether it is enough that words begin like this.
    """
    found: dict[str, float] = {}
    most = _UNLIKELY + max(len(word) - 8, 0) // 4
    queue = [(0.0, 0, b"", 0, len(strings))]  # cost, minus the letters read, what they are, range
    for _ in range(_STEPS):
        if not queue or len(found) == _WORDS:
            break
        cost, read, start, low, high = heappop(queue)
        if -read == len(word):
            if is_prefix or strings[low] == start:
                found.setdefault(start.decode(), cost)
            continue
        for size, reading, more in _readings(word, -read):
            if cost + more <= most:
                begun = start + reading
                first = bisect_left(strings, begun, low, high)
                last = bisect_left(strings, begun + b"\xff", first, high)
                if first < last:
                    heappush(queue, (cost + more, read - size, begun, first, last))
    return found


def _readings(word: str, at: int) -> Iterator[tuple[int, bytes, int]]:
    """Yield how many letters can be read from here, as what, and what that costs."""
    table = _spellings()
    for size in range(1, min(_LONGEST, len(word) - at) + 1):
        letters = word[at : at + size]
        if at + size == len(word):
            letters = f"{letters}$" if f"{letters}$" in table else letters
        for reading, more in table.get(letters, ()):
            yield size, reading, more
    letter = word[at]
    if letter not in table:  # a hyphen, a digit
        yield 1, letter.encode(), 0
    elif word[at + 1 : at + 2] == letter:  # Odessa
        yield 1, b"", 1


# -- without an apostrophe ---------------------------------------------------------------------

_BARE = re.compile(f"(?<=[{APOSTROPHE_AFTER}])(?=[{APOSTROPHE_BEFORE}])")


def with_apostrophe(word: str) -> list[str]:
    """Return a word with an apostrophe in each place where one may have been left out.

    >>> with_apostrophe("пять"), with_apostrophe("подвіря"), with_apostrophe("зв'язок")
    (["п'ять"], ["подвір'я"], [])
    """
    return [f"{word[: at.start()]}'{word[at.start() :]}" for at in _BARE.finditer(word)]


# -- a slip of the finger ----------------------------------------------------------------------


def slips(parts: Sequence[Strings], word: str) -> dict[str, float]:
    """Return the words that one slip makes into this one, or two if it is long, and their costs.

    The words are in several parts, which may have some of them in common.

    A slip is a letter too few, too many or another, or two swapped: the Damerau-Levenshtein
    distance (optimal string alignment), where what happens easily costs LIKELY, not 1.
    """
    found: dict[str, float] = {}
    for most in (1, 2)[: 1 + (len(word) >= LONG)]:
        alike = [(part, _alike(part, word, most).tolist()) for part in parts]
        words = dict.fromkeys(part[number].decode() for part, found in alike for number in found)
        near = [other for other in words if abs(len(other) - len(word)) <= most and other != word]
        if near:
            costs = distances(word, near)
            found = {near[n]: float(costs[n]) for n in (costs <= most).nonzero()[0].tolist()}
        if found:
            break
    return found


def _alike(strings: Strings, word: str, most: int) -> NDArray[np.int64]:
    """Return the numbers of the strings with nearly the same letters and about the same length."""
    written = word.encode()
    letters, around = letters_of(written), 2 * most  # bytes
    found = [np.empty(0, np.int64)]
    for size in range(max(len(written) - around, 1), len(written) + around + 1):
        numbers, differing = strings.of_size(size)
        differing = differing ^ letters
        for _ in range(2 * most):  # a slip changes two letters at most
            differing &= differing - np.uint64(1)
        found.append(numbers[differing == 0])
    return np.concatenate(found)


def distances(word: str, others: list[str]) -> Costs:
    """Return what the slips cost that lead from each of other words to this one.

    >>> distances("переговри", ["переговори", "переговір", "перегвори"]).tolist()
    [1.0, 1.600000023841858, 0.6000000238418579]
    """
    width = max(map(len, others))
    table = np.array(others, f"U{width}").view(np.uint32).reshape(-1, width).T
    none = np.zeros_like(table[:1])
    fleeting = np.isin(table, _codes(FLEETING)) | (table == np.concatenate([none, table[:-1]]))
    missing = np.where(fleeting, np.float32(LIKELY), np.float32(1))  # of a letter of the other
    row = np.concatenate([none.astype(np.float32), np.cumsum(missing, axis=0, dtype=np.float32)])
    rows = [row]
    for i, letter in enumerate(word):
        is_fleeting = letter in FLEETING or (i > 0 and letter == word[i - 1])
        extra = np.float32(LIKELY if is_fleeting else 1)
        other = np.where(np.isin(table, _codes(likely(letter))), np.float32(LIKELY), np.float32(1))
        changed = rows[i][:-1] + np.where(table == ord(letter), np.float32(0), other)
        changed = np.minimum(changed, rows[i][1:] + extra)
        if i:
            swapped = (table[1:] == ord(word[i - 1])) & (table[:-1] == ord(letter))
            swap = rows[i - 1][:-2] + np.float32(LIKELY)
            changed[1:] = np.where(swapped, np.minimum(changed[1:], swap), changed[1:])
        row = np.concatenate([rows[i][:1] + extra, changed])
        for j in range(width):
            np.minimum(row[j + 1], row[j] + missing[j], out=row[j + 1])
        rows.append(row)
    lengths = np.array([*map(len, others)])
    found: Costs = rows[-1][lengths, np.arange(len(others))]
    return found


def _codes(letters: str) -> NDArray[np.uint32]:
    return np.array([*map(ord, letters)], np.uint32)


@cache
def likely(letter: str) -> str:
    """Return the letters that are easily typed instead of this one."""
    near = {other for group in CONFUSED.split() if letter in group for other in group}
    for small, _ in KEYBOARDS.values():
        for row, keys in enumerate(lines := [small[1:14], small[14:25], small[25:]]):
            at = keys.find(letter)
            if at >= 0:
                near |= {*keys[max(at - 1, 0) : at + 2]}
                near |= {*lines[row + 1][max(at - 1, 0) : at + 1]} if row < 2 else set()
                near |= {*lines[row - 1][at : at + 2]} if row else set()
    return "".join(sorted(near - {letter}))
