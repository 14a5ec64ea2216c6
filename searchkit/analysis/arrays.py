"""The analyser for a whole batch of texts at once: each distinct word is looked up once.

Words get numbers as they are met; of each number it is known which rows it has in the index.
What comes out is what `analyze` would give, word for word, as arrays.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from searchkit.analysis import MARKS, NO_WORDS, Listed, TermsOf, form_pairs, terms_by, way_of
from searchkit.analysis.dictionary import dictionary, intact
from searchkit.analysis.language import UKRAINIAN, is_suspicious, stretches
from searchkit.analysis.lemmatize import CONVERBS, by_hand
from searchkit.analysis.lists import common
from searchkit.analysis.normalize import LETTERS, normalize
from searchkit.analysis.tokenize import WORD
from searchkit.analysis.ukrainian import APOSTROPHES, SPELLINGS
from searchkit.kernel import kernel

Ints = NDArray[np.int32]
Array = NDArray[Any]


@dataclass
class Rows:
    """The words of a batch of texts, as arrays in the order of the texts.

    Attributes:
        words: shape (texts,), how many words each text has.
        starts: shape (sum of words,), where each word begins in its text, in code points.
        text, position, pair: shape (rows,), one row for each (lemma, form) of each word: the
            text's number, the word's number in it, and the pair's in `Batches.pairs`.
    """

    words: Ints
    starts: Ints
    text: Ints
    position: Ints
    pair: Ints


class Lexicon:
    """Strings that get numbers as they are met; that of the kernel has them outside of Python.

    >>> words = Lexicon()
    >>> words.number("мир"), words.number("дім"), words.number("мир"), words.find("ліс"), words[1]
    (0, 1, 0, -1, 'дім')
    """

    def __init__(self) -> None:
        self._strings: list[str] = []
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._strings)

    def __getitem__(self, number: int) -> str:
        return self._strings[number]

    def number(self, string: str) -> int:
        """Return the number of a string, the next one if it is new."""
        number = self._numbers.setdefault(string, len(self))
        if number == len(self):
            self._strings.append(string)
        return number

    def find(self, string: str) -> int:
        """Return the number of a string; -1 if it is not there."""
        return self._numbers.get(string, -1)

    def strings(self) -> tuple[bytes, bytes]:
        """Return all of them in UTF-8, one after the other, and where each ends; uint32."""
        encoded = [*map(str.encode, self._strings)]
        return b"".join(encoded), np.cumsum([*map(len, encoded)], dtype=np.uint32).tobytes()

    def hashes(self, first: int) -> bytes:
        """Return the CRC-32 of each from a number on; uint32."""
        new = map(str.encode, self._strings[first:])
        return np.fromiter(map(crc32, new), np.uint32).tobytes()

    def order(self) -> bytes:
        """Return their numbers in the order of the strings; int32."""
        ordered = map(self._numbers.__getitem__, sorted(self._strings))
        return np.fromiter(ordered, np.int32).tobytes()


def lexicon(strings: Iterable[str] = ()) -> Lexicon:
    """Number some strings."""
    made: Lexicon = kernel.Lexicon() if kernel else Lexicon()
    for string in strings:
        made.number(string)
    return made


class Pairs:
    """Every (lemma, form) met, by numbers.

    Attributes:
        terms, forms: the lemmas and forms.
        term_of_pair, form_of_pair: of each pair the numbers of these; int32.
    """

    def __init__(self) -> None:
        self.terms, self.forms = lexicon(), lexicon()
        self.term_of_pair, self.form_of_pair = array("i"), array("i")
        self._first = array("i")  # pair of each form; what is known of it then lies behind it
        self._later: dict[tuple[int, int], int] = {}  # what was learned of it afterwards

    def __len__(self) -> int:
        return len(self.term_of_pair)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield the pairs in the order of their numbers."""
        for term, form in zip(self.term_of_pair, self.form_of_pair, strict=True):
            yield self.terms[term], self.forms[form]

    def add(self, lemma: str, form: str) -> int:
        """Return the number of a pair, the next one if it is new."""
        term, number, new = self.terms.number(lemma), self.forms.number(form), len(self)
        if number == len(self._first):
            self._first.append(new)
        else:
            at = self._first[number]
            while at < new and self.form_of_pair[at] == number:
                if self.term_of_pair[at] == term:
                    return at
                at += 1
            if (known := self._later.setdefault((term, number), new)) < new:
                return known
        self.term_of_pair.append(term)
        self.form_of_pair.append(number)
        return new

    def learn(self, spellings: Lexicon, first: int, listed: Listed) -> tuple[Ints, Ints]:
        """Have the kernel add the pairs of those spellings that it can learn.

        Args:
            spellings: those from the number `first` on are new.
            first: see there.
            listed: the forms of which the dictionary would give other terms.

        Returns:
            Of each, in order, the first pair that was added for it, and the one past the last; the
            same for those that are left.
        """
        told = _learner(), spellings, first, listed, self.terms, self.forms
        with intact():
            begins, ends, terms, forms = kernel.learn(*told)
        known = len(self)
        is_first = np.diff(np.frombuffer(forms, np.int32), prepend=-1) != 0
        self._first.frombytes((is_first.nonzero()[0] + known).astype(np.int32).tobytes())
        self.term_of_pair.frombytes(terms)
        self.form_of_pair.frombytes(forms)
        return np.frombuffer(begins, np.int32) + known, np.frombuffer(ends, np.int32) + known


@cache
def _learner() -> Any:
    """Return what the kernel has to know to learn words."""
    return kernel.learner(
        dictionary().compiled,
        LETTERS + "'",
        "ґё",
        "ге",
        ["пів"],
        list(SPELLINGS),
        list(CONVERBS),
        lexicon(by_hand()),
        lexicon(common()),
    )


def _word_table() -> Any:
    """Return what the kernel has to know to number words, and no word yet."""
    apostrophes = "".join(sign for sign in APOSTROPHES if sign <= "’")
    letters = LETTERS + LETTERS.upper() + apostrophes
    return kernel.word_table(letters, LETTERS * 2 + "'" * len(apostrophes))


class Batches:
    """Turns batches of texts into rows; remembers every word that it has met.

    Args:
        words: the terms of forms that are known beforehand.
        others: those of them of which the dictionary would give other terms, if not any may be.

    Attributes:
        listed: the terms of forms that are known beforehand.
        pairs: every (lemma, form) met so far. A form that comes from a text in another language
            than Ukrainian has a mark behind it (`MARKS`).
    """

    def __init__(self, words: Listed = NO_WORDS, others: Listed | None = None) -> None:
        self.listed = words
        self._others = words if others is None else others
        self.pairs = Pairs()
        self._words: dict[str, _Words] = {}

    def rows(self, texts: Sequence[str], languages: Sequence[str | None] = ()) -> Rows:
        """Analyse some texts, each in a language (`language.language_of`); without it Ukrainian."""
        spoken = languages or [UKRAINIAN] * len(texts)
        odd = [
            i
            for i, (text, is_in) in enumerate(zip(texts, spoken, strict=True))
            if way_of(is_in) != UKRAINIAN or (is_in == UKRAINIAN and is_suspicious(text))
        ]
        if not odd:
            return self._met(UKRAINIAN).rows(texts)
        of_odd = self._mixed([texts[i] for i in odd], [spoken[i] for i in odd])
        if len(odd) == len(texts):
            return of_odd
        among = set(odd)
        plain = [text for i, text in enumerate(texts) if i not in among]
        return _interleaved(self._met(UKRAINIAN).rows(plain), of_odd, odd)

    def _mixed(self, texts: Sequence[str], languages: Sequence[str | None]) -> Rows:
        """Analyse texts that may be in several languages each."""
        pieces = [
            _Piece(number, start, end, way_of(language))
            for number, (text, is_in) in enumerate(zip(texts, languages, strict=True))
            for start, end, language in stretches(text, is_in)
        ]
        found = []
        for way in sorted({piece.way for piece in pieces}):
            which = [i for i, piece in enumerate(pieces) if piece.way == way]
            here = [texts[p.text][p.start : p.end] for p in (pieces[i] for i in which)]
            found.append((np.array(which), self._met(way).rows(here)))
        return _joined(pieces, found, len(texts))

    def _met(self, way: str) -> "_Words":
        if way not in self._words:
            listed = self._others if kernel and way == UKRAINIAN else None
            terms_of, mark = terms_by(way, self.listed), MARKS.get(way, "")
            self._words[way] = _Words(self.pairs, terms_of, mark, listed)
        return self._words[way]


def numbered(texts: Sequence[str]) -> tuple[Ints, Ints, Lexicon]:
    """Return how many words each text has, the numbers of their normal spellings, and these."""
    words = _Words(Pairs(), terms_by(UKRAINIAN, NO_WORDS), "")
    counts, _, numbers = words.number(texts)
    return counts, numbers, words.spellings


class _Piece(NamedTuple):
    """A part of a text that is in one language."""

    text: int
    start: int
    end: int
    way: str


class _Words:
    """The words met in the texts that are read in one way.

    Args:
        pairs: of all words.
        terms_of: gives the terms of a form.
        mark: what is put behind a form.
        listed: where the kernel may learn words, the forms that are not for it.
    """

    def __init__(
        self, pairs: Pairs, terms_of: TermsOf, mark: str, listed: Listed | None = None
    ) -> None:
        self.pairs, self._terms_of, self._mark, self._listed = pairs, terms_of, mark, listed
        self._table = _word_table() if kernel else None
        self._numbers: dict[str, int] = {}  # of words as written, that of their normal spelling
        # The spelling number n has _pairs[_begins[n] : _ends[n]].
        self.spellings = lexicon()
        self._begins, self._ends, self._pairs = array("i"), array("i"), array("i")

    def rows(self, texts: Sequence[str]) -> Rows:
        """Analyse some texts."""
        words, starts, numbers = self.number(texts)
        self._learn()
        return Rows(words, starts, *_rows(words, numbers, self._begins, self._ends, self._pairs))

    def number(self, texts: Sequence[str]) -> tuple[Ints, Ints, Ints]:
        """Return how many words each text has, where each starts, and its spelling's number."""
        if self._table is not None:
            arrays = kernel.number_words(self._table, self.spellings, normalize, list(texts))
            counted, where, which = (np.frombuffer(each, np.int32) for each in arrays)
            return counted, where, which
        counts: list[int] = []
        starts, numbers = [np.empty(0, np.int64)], array("i")
        known = self._numbers
        for text in texts:
            pieces = re.split(f"({WORD})", text)  # what is between words, and words, alternately
            words = pieces[1::2]
            for word in words:
                if word not in known:
                    known[word] = self.spellings.number(normalize(word))
            numbers.extend(map(known.__getitem__, words))
            starts.append(np.cumsum([*map(len, pieces)])[:-1:2])
            counts.append(len(words))
        where = np.concatenate(starts).astype(np.int32)
        return np.array(counts, np.int32), where, np.array(numbers, np.int32)

    def _learn(self) -> None:
        """Note which pairs the new spellings have."""
        first, known, had = len(self._ends), len(self.pairs), len(self._pairs)
        begins, ends = np.zeros((2, len(self.spellings) - first), np.int32)
        if self._listed is not None:
            begins, ends = self.pairs.learn(self.spellings, first, self._listed)
            begins, ends = begins + (had - known), ends + (had - known)
            self._pairs.extend(range(known, len(self.pairs)))
        for i in (begins == ends).nonzero()[0].tolist():
            begins[i] = len(self._pairs)
            found = form_pairs(self.spellings[first + i], self._terms_of)
            self._pairs.extend([self.pairs.add(lemma, f + self._mark) for lemma, f in found])
            ends[i] = len(self._pairs)
        self._begins.frombytes(begins.tobytes())
        self._ends.frombytes(ends.tobytes())


def _joined(pieces: Sequence[_Piece], found: Sequence[tuple[Array, Rows]], texts: int) -> Rows:
    """Put the rows of pieces together as those of their texts.

    Args:
        pieces: in the order of the texts.
        found: some of their numbers, ascending, and their rows as if each were a text.
        texts: how many there are.
    """
    text_of = np.array([piece.text for piece in pieces], np.int32)
    shift = np.array([piece.start for piece in pieces], np.int32)
    counts = np.zeros(len(pieces), np.int32)
    for which, rows in found:
        counts[which] = rows.words
    ends = np.cumsum(counts, dtype=np.int32)
    words = np.zeros(texts, np.int32)
    np.add.at(words, text_of, counts)
    before = (ends - counts) - (np.cumsum(words, dtype=np.int32) - words)[text_of]
    of_word = np.concatenate([np.repeat(which, rows.words) for which, rows in found])
    starts = np.concatenate([rows.starts for _, rows in found]) + shift[of_word]
    of_row = np.concatenate([which[rows.text] for which, rows in found])
    position = np.concatenate([rows.position for _, rows in found]) + before[of_row]
    pair = np.concatenate([rows.pair for _, rows in found])
    order = of_row.argsort(kind="stable")
    starts = starts[of_word.argsort(kind="stable")]
    return Rows(words, starts, text_of[of_row[order]], position[order], pair[order])


def _interleaved(plain: Rows, odd: Rows, places: Sequence[int]) -> Rows:
    """Put the rows of a few texts between those of others.

    Args:
        plain: the rows of the others.
        odd: those of the few.
        places: ascending, which the odd texts are among all.
    """
    cuts = np.array(places) - np.arange(len(places))  # how many plain texts stand before each
    ends = [np.cumsum(rows.words) for rows in (plain, odd)]

    def parts(rows: Rows, which: int, begins: Array, stops: Array, shifts: Array) -> list[Rows]:
        word = np.append(0, ends[which])
        first, last = rows.text.searchsorted(begins), rows.text.searchsorted(stops)
        return [
            Rows(rows.words[i:j], rows.starts[word[i] : word[j]], rows.text[a:b] + shift,
                 rows.position[a:b], rows.pair[a:b])
            for i, j, a, b, shift in zip(begins, stops, first, last, shifts.astype(np.int32),
                                         strict=True)
        ]  # fmt: skip

    count = np.arange(len(places))
    stops = np.append(cuts, len(plain.words))
    one = parts(plain, 0, np.append(0, cuts), stops, np.append(count, len(places)))
    other = parts(odd, 1, count, count + 1, cuts)
    order = [part for pair in zip(one, other, strict=False) for part in pair] + one[-1:]
    names = ("words", "starts", "text", "position", "pair")
    return Rows(*(np.concatenate([getattr(part, name) for part in order]) for name in names))


def _rows(
    words: Ints, numbers: Ints, begins: "array[int]", ends: "array[int]", pairs: "array[int]"
) -> tuple[Ints, Ints, Ints]:
    """Return text, position and pair of each row of numbered words."""
    if kernel:
        text, position, pair = (
            np.frombuffer(each, np.int32)
            for each in kernel.rows(words, numbers, begins, ends, pairs)
        )
        return text, position, pair
    first, last = np.array(begins, np.int32), np.array(ends, np.int32)
    source, which = slices(first[numbers], (last - first)[numbers])
    text = np.repeat(np.arange(len(words), dtype=np.int32), words)[which]
    before = np.cumsum(words, dtype=np.int32) - words
    position = which.astype(np.int32) - before[text]
    return text, position, np.array(pairs, np.int32)[source]


def slices(first: Array, counts: Array) -> tuple[Array, Array]:
    """Return the indexes of all slices first:first + count, and which slice each is of."""
    ends = np.cumsum(counts)
    which = np.repeat(np.arange(len(counts)), counts)
    return np.arange(len(which)) + (first - ends + counts)[which], which
