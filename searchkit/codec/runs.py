"""Runs: articles become rows (term, article, position, form), sorted, in a file of arrays.

A *run* is what one process makes of some thousand articles. A process numbers its words as it
meets them, and puts the rows of a run in the order of their terms as strings: so `codec.merge`,
which makes one segment of all runs, reads each of them from its beginning to its end:

    terms                       ascending
    first_posting, first_row    of each term where its postings and rows begin, and where they end
    postings                    article << 32 | how many rows
    rows                        position << 40 | class of the word that follows << 32 | pair

The rest is what is kept of the articles themselves.
"""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from searchkit.analysis import (
    BY_BOTH,
    Listed,
    form_pairs,
    spoken_in,
    terms_by,
    way_of,
)
from searchkit.analysis.arrays import Batches, Lexicon
from searchkit.analysis.language import RUSSIAN, UKRAINIAN
from searchkit.analysis.normalize import normalize
from searchkit.article import Article
from searchkit.codec.arrays import Array, changes, write
from searchkit.codec.kept import KeptForms
from searchkit.codec.segment import id_hash
from searchkit.codec.stored import Packer, letters, milestones
from searchkit.codec.together import (
    Pairs,
    classes_of,
    found_together,
    next_classes,
    often_together,
)
from searchkit.dates import parse_span
from searchkit.kernel import kernel
from searchkit.schema import FIELDS, GAP, key, pair_key, values

KINDS = {
    "terms": "<u4", "first_posting": "<u4", "first_row": "<u4", "postings": "<u8", "rows": "<u8",
}  # fmt: skip


class Vocabulary(NamedTuple):
    """The words of all runs that a process has made, in UTF-8.

    Attributes:
        terms: by their numbers in the runs; as `plain_arrays`.
        forms: in any order; likewise.
        term_of_pair, form_of_pair: of each pair, numbered as in the runs; int32.
    """

    terms: dict[str, Array]
    forms: dict[str, Array]
    term_of_pair: Array
    form_of_pair: Array


class Learned(NamedTuple):
    """What is known beforehand, the same for all runs.

    Attributes:
        dictionary: of the records.
        together: pairs of words that are terms of their own.
        words: the terms of the forms on the user's list.
        kept: the segments from which the lemmas of word forms are taken (`codec.kept`).
    """

    dictionary: bytes
    together: Pairs
    words: Listed
    kept: Sequence[Path]

    @classmethod
    def of(cls, articles: Sequence[Article], words: Listed, kept: Sequence[Path]) -> Self:
        """Learn from the first articles."""
        together = often_together(articles, KeptForms(kept, words))
        return cls(Packer.trained(articles).dictionary, together, words, kept)


class RunMaker:
    """What a process needs to make runs; it learns words as it goes."""

    def __init__(self, learned: Learned) -> None:
        self._packer = Packer(learned.dictionary)
        self._together = learned.together
        self._batches = Batches(KeptForms(learned.kept, learned.words), learned.words)
        self._class_of_term, self._class_of_pair = array("B"), array("B")  # that of the form
        self._values: dict[tuple[str, str | tuple[str, ...], str], tuple[list[int], list[int]]] = {}

    def make(self, articles: Sequence[Article], path: Path) -> Path:
        """Write the run of some articles, numbered from 0 in their order; return its path."""
        rows, words, starts = self._rows(articles)
        ranked = np.frombuffer(self._batches.pairs.terms.order(), np.int32)
        ranks = np.empty_like(ranked)
        ranks[ranked] = np.arange(len(ranked))
        of_pair = ranks[np.array(self._batches.pairs.term_of_pair, np.int32)]
        arrays = _inverted(len(ranks), of_pair, rows, np.array(self._class_of_pair, np.uint8))
        arrays["terms"] = ranked[arrays["terms"]].astype("<u4")
        arrays |= self._stored(articles, words, starts)
        write(path, arrays)
        return path

    def vocabulary(self) -> Vocabulary:
        """Return all words met so far."""
        pairs = self._batches.pairs
        return Vocabulary(
            _strings_of(pairs.terms),
            _strings_of(pairs.forms),
            np.array(pairs.term_of_pair, np.int32),
            np.array(pairs.form_of_pair, np.int32),
        )

    def _classify(self) -> None:
        """Note the classes of new pairs."""
        pairs, known = self._batches.pairs, len(self._class_of_pair)
        hashes = np.frombuffer(pairs.terms.hashes(len(self._class_of_term)), np.uint32)
        self._class_of_term.frombytes(classes_of(hashes).tobytes())
        term, form = (
            np.array(each[known:], np.int32) for each in (pairs.term_of_pair, pairs.form_of_pair)
        )
        # Those of a form lie together, its likeliest lemma first.
        first = np.maximum.accumulate(np.where(changes(form), np.arange(len(form)), 0))
        classes = np.array(self._class_of_term, np.uint8)[term[first]]
        self._class_of_pair.frombytes(classes.tobytes())

    def _rows(self, articles: Sequence[Article]) -> tuple[list[Array], Array, Array]:
        """Return article, position and pair of each row; then what `_stored` wants."""
        texts = [text for article in articles for text in (article.title, article.text)]
        spoken = list(map(spoken_in, articles))
        rows = self._batches.rows(texts, [language for language in spoken for _ in range(2)])
        first = np.zeros_like(rows.words)  # positions of the words of a text follow its title's
        first[1::2] = rows.words[::2] + GAP
        columns = rows.text >> 1, rows.position + first[rows.text], rows.pair
        more = zip(columns, self._labels(articles, spoken), self._pairs(columns), strict=True)
        found = [np.concatenate([np.asarray(each, np.int32) for each in every]) for every in more]
        self._classify()
        return found, rows.words, rows.starts

    def _pairs(self, columns: Sequence[Array]) -> Array:
        """Return the rows of words that often stand side by side."""
        known = self._batches.pairs
        of_pair = np.array(known.term_of_pair, np.int32)
        found, places = found_together(self._together, known.terms, columns, of_pair)
        keys = [pair_key(left, right) for left, right in found]
        numbers = [known.add(key, key) for key in keys]
        places[2] = np.array(numbers, np.int64)[places[2]]
        return places

    def _labels(
        self, articles: Sequence[Article], spoken: Sequence[str | None]
    ) -> tuple[list[int], list[int], list[int]]:
        """Return the rows of sources, sections and so on: few values, met often."""
        numbers: list[int] = []
        positions: list[int] = []
        pairs: list[int] = []
        for number, (article, language) in enumerate(zip(articles, spoken, strict=True)):
            for name in FIELDS[1:]:
                value = language if name == "language" else getattr(article, name)
                if value:
                    asked = name, value, way_of(language)
                    where, which = self._values.get(asked) or self._label(*asked)
                    numbers += [number] * len(where)
                    positions += where
                    pairs += which
        return numbers, positions, pairs

    def _label(
        self, name: str, value: str | tuple[str, ...], way: str
    ) -> tuple[list[int], list[int]]:
        where, which = list[int](), list[int]()
        terms_of = terms_by(BY_BOTH if way == RUSSIAN else UKRAINIAN, self._batches.listed)
        known = self._batches.pairs
        for position, word in values(value):
            for lemma, form in form_pairs(normalize(word), terms_of):
                where.append(position)
                which.append(known.add(key(name, lemma), key(name, form)))
        if len(self._values) < 100_000:
            self._values[name, value, way] = where, which
        return where, which

    def _stored(self, articles: Sequence[Article], words: Array, starts: Array) -> dict[str, Array]:
        """Return what is kept of the articles themselves.

        Of each title and each text, alternately, `words` is how many words it has; `starts` is
        where they start.
        """
        first = np.cumsum(words) - words
        stones = milestones(starts, first[1::2], words[1::2])
        written = list(map(letters, articles))
        records = list(map(self._packer.pack, written, stones))
        dates = [parse_span(article.date) if article.date else (0, 0) for article in articles]
        return {
            "title_words": words[::2].astype("<u4"),
            "text_words": words[1::2].astype("<u4"),
            "first": np.array([first for first, _ in dates], "<u8"),
            "last": np.array([last for _, last in dates], "<u8"),
            "ids": np.frombuffer(b"".join(id_hash(a.id) for a in articles), np.uint8),
            "records": np.frombuffer(b"".join(records), np.uint8),
            "sizes": np.array([len(packed) for packed in records], "<u4"),
        }


def _strings_of(lexicon: Lexicon) -> dict[str, Array]:
    text, ends = lexicon.strings()
    return {"bytes": np.frombuffer(text, np.uint8), "ends": np.frombuffer(ends, "<u4")}


def _inverted(
    terms: int, term_of_pair: Array, rows: Sequence[Array], class_of_pair: Array
) -> dict[str, Array]:
    """Sort rows (article, position, pair) by term; return postings and places as arrays.

    Args:
        terms: how many there are.
        term_of_pair: their ranks.
        rows: of each term, the articles ascending.
        class_of_pair: those of the forms; uint8.
    """
    if kernel:
        made = kernel.invert(terms, term_of_pair, *rows, class_of_pair)
        kinds = zip(made, KINDS.items(), strict=True)
        return {name: np.frombuffer(each, kind) for each, (name, kind) in kinds}
    number, position, pair = rows
    follows = next_classes(rows[:2], class_of_pair[pair])
    order = term_of_pair[pair].astype(np.uint64) << np.uint64(32)
    order |= np.arange(len(pair), dtype=np.uint64)
    order.sort()  # a sort of plain numbers is three times as fast as one of their indexes
    term = (order >> np.uint64(32)).astype(np.int64)
    which = (order & np.uint64(0xFFFFFFFF)).astype(np.int64)
    number, places = number[which].astype(np.int64), position[which].astype(np.int64)
    begins = (changes(term) | changes(number)).nonzero()[0]  # of postings
    of_posting = term[begins]
    is_new = changes(of_posting)
    arrays = (
        of_posting[is_new],
        np.append(is_new.nonzero()[0], len(begins)),
        np.append(begins[is_new], len(term)),
        number[begins] << 32 | np.diff(begins, append=len(term)),
        (places << 8 | follows[which]) << 32 | pair[which],
    )
    kinds = zip(arrays, KINDS.items(), strict=True)
    return {name: each.astype(kind) for each, (name, kind) in kinds}
