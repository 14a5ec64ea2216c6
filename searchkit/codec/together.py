"""Together: what is kept so that words which stand side by side are found soon.

A phrase of two words is found by reading where both stand, in every article that has both: of
two frequent words those are many. Two things spare most of that, and change nothing else:

- Pairs that a sample of the archive often has are terms of their own: their postings are kept
  like those of a word, under `schema.pair_key`, and the phrase is looked up like one word.
- Of every other phrase, it is known from a byte by each place of the left word whether the right
  one may follow: the class of the word that does (`classes_of`), one of 254.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from searchkit.analysis import NO_WORDS, Listed, is_function_word, terms_by
from searchkit.analysis.arrays import Lexicon, lexicon, numbered, slices
from searchkit.analysis.language import UKRAINIAN
from searchkit.analysis.normalize import fold
from searchkit.article import Article
from searchkit.codec.arrays import Array, changes
from searchkit.kernel import kernel

SAMPLE = 512  # articles in which pairs are counted
LEAST = 4  # of these, that a pair must be in

ANY_CLASS = 0  # of several words at one place, as those of a compound: any may be meant
NO_CLASS = 255  # of no word: nothing follows

Pairs = Sequence[tuple[str, str]]


def classes_of(hashes: Array) -> Array:
    """Return the class of the words whose likeliest lemma is a term of this CRC-32; uint8."""
    classes: Array = (1 + hashes % 254).astype(np.uint8)
    return classes


def next_classes(rows: Sequence[Array], classes: Array) -> Array:
    """Return what follows each row: the class of the word at the next position.

    Args:
        rows: article and position of each row; those of one word lie together.
        classes: of each row; uint8.

    >>> rows = np.array([0, 0, 0, 0, 1]), np.array([0, 0, 1, 3, 4])
    >>> next_classes(rows, np.array([7, 7, 8, 9, 9], np.uint8))
    array([  8,   8, 255, 255, 255], dtype=uint8)
    """
    number, position = (each.astype(np.int64) for each in rows)
    is_new = changes(number) | changes(position)
    first = is_new.nonzero()[0]
    follows = np.full(len(first), NO_CLASS, np.uint8)
    if len(first) > 1:
        least, most = (each.reduceat(classes, first) for each in (np.minimum, np.maximum))
        here, there = first[:-1], first[1:]
        is_next = (number[there] == number[here]) & (position[there] == position[here] + 1)
        of_word = np.where(least == most, least, np.uint8(ANY_CLASS))
        follows[:-1] = np.where(is_next, of_word[1:], np.uint8(NO_CLASS))
    found: Array = follows[np.cumsum(is_new) - 1]
    return found


def often_together(articles: Sequence[Article], words: Listed = NO_WORDS) -> Pairs:
    """Return the pairs of lemmas that stand side by side in LEAST of the first SAMPLE articles.

    Function words are left out: their pairs are many, and seldom asked for. So that few words need
    be looked up, a pair of forms that stands in one article only does not count.
    """
    terms_of = terms_by(UKRAINIAN, words)
    lemmas: Counter[tuple[str, str]] = Counter()
    for (left, right), count in _neighbours(articles[:SAMPLE]):
        if not (is_function_word(left) or is_function_word(right)):
            for pair in product(terms_of(left), terms_of(right)):
                lemmas[pair] += count
    return [pair for pair, count in lemmas.items() if count >= LEAST]


def _neighbours(articles: Sequence[Article]) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield the pairs of forms that more than one article has, and how many have each."""
    counts, words, spellings = numbered([article.text for article in articles])
    forms = lexicon()
    of_spelling = [forms.number(fold(spellings[i])) for i in range(len(spellings))]
    form = np.array(of_spelling, np.int64)[words]
    article = np.repeat(np.arange(len(counts)), counts)
    key = (form[:-1] << 32 | form[1:])[article[1:] == article[:-1]]
    article = article[:-1][article[1:] == article[:-1]]
    order = key.argsort(kind="stable")
    key, article = key[order], article[order]
    is_first = changes(key)
    is_new = is_first | changes(article)
    having = np.add.reduceat(is_new, is_first.nonzero()[0], dtype=np.int64) if len(key) else key
    keys = key[is_first]
    for key, count in zip(keys[having > 1].tolist(), having[having > 1].tolist(), strict=True):
        yield (forms[key >> 32], forms[key & 0xFFFFFFFF]), count


def found_together(
    pairs: Pairs, terms: Lexicon, rows: Sequence[Array], term_of_pair: Array
) -> tuple[list[tuple[str, str]], Array]:
    """Find where the words of pairs stand side by side.

    Args:
        pairs: those that are looked for.
        terms: all of them.
        rows: article, position and pair of form and term of each row, ascending; int32.
        term_of_pair: int32.

    Returns:
        The pairs that were found; and, by article and position, shape (3, places), the article
        and position of the left word, and the number of the pair among those.
    """
    sides = ((terms.find(left), terms.find(right)) for left, right in pairs)
    met = ((a << 32 | b, pair) for (a, b), pair in zip(sides, pairs, strict=True) if min(a, b) >= 0)
    numbers = dict(met)
    wanted = np.array(sorted(numbers), np.int64)
    if not len(wanted):
        return [], np.empty((3, 0), np.int32)
    begins, ends = np.zeros((2, len(terms)), bool)
    begins[wanted >> 32] = True
    ends[wanted & 0xFFFFFFFF] = True
    if kernel:
        found = kernel.side_by_side(*rows, term_of_pair, wanted, begins, ends)
        row, which = np.frombuffer(found, np.int32).reshape(-1, 2).T
    else:
        row, which = _side_by_side(rows, term_of_pair[rows[2]], wanted, begins, ends)
    is_met = np.bincount(which, minlength=len(wanted)) > 0
    number = (np.cumsum(is_met) - 1)[which]
    places = np.stack([rows[0][row], rows[1][row], number.astype(np.int32)])
    return [numbers[key] for key in wanted[is_met].tolist()], places


def _side_by_side(
    rows: Sequence[Array], term: Array, wanted: Array, begins: Array, ends: Array
) -> tuple[Array, Array]:
    """Return the row of each left word, and the number of its pair among those wanted."""
    places = rows[0].astype(np.int64) << 32 | rows[1]
    lefts, rights = begins[term].nonzero()[0], ends[term].nonzero()[0]
    first = places[rights].searchsorted(places[lefts] + 1)
    last = places[rights].searchsorted(places[lefts] + 1, "right")
    second, of_left = slices(first, last - first)
    row = lefts[of_left]
    keys = term[row].astype(np.int64) << 32 | term[rights[second]]
    which = np.minimum(wanted.searchsorted(keys), len(wanted) - 1)
    kept = wanted[which] == keys
    once = np.unique(np.stack([places[row[kept]], which[kept]]), axis=1, return_index=True)[1]
    once.sort()  # a compound may have a lemma twice
    return row[kept][once], which[kept][once]
