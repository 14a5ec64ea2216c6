"""Together: pairs of words that often stand side by side are terms of their own.

A phrase of two words is found by reading where both stand, in every article that has both: of
two frequent words those are many. Of pairs that a sample of the archive often has, the postings
are kept like those of a word, under `schema.pair_key`, so that such a phrase is looked up like
one word. Which pairs there are changes nothing but the time that a phrase takes.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from searchkit.analysis import is_function_word
from searchkit.analysis.arrays import Batches, slices
from searchkit.article import Article
from searchkit.codec.arrays import Array

SAMPLE = 512  # articles in which pairs are counted
LEAST = 4  # of these, that a pair must be in

Pairs = Sequence[tuple[str, str]]


def often_together(articles: Sequence[Article]) -> Pairs:
    """Return the pairs of lemmas that stand side by side in LEAST of the first SAMPLE articles.

    Function words are left out: their pairs are many, and seldom asked for.
    """
    batches = Batches()
    rows = batches.rows([article.text for article in articles[:SAMPLE]])
    terms: dict[str, int] = {}
    numbers = [terms.setdefault(lemma, len(terms)) for lemma, _ in batches.pairs]
    told = [not is_function_word(lemma) for lemma in terms]
    term = np.array(numbers, np.int64)[rows.pair]
    kept = np.array(told, bool)[term].nonzero()[0]
    left, right = side_by_side((rows.text, rows.position), kept, kept)
    each = np.unique(np.stack([term[left], term[right], rows.text[left]]), axis=1)
    pairs, articles_with = np.unique(each[:2], axis=1, return_counts=True)
    names = list(terms)
    return [(names[a], names[b]) for a, b in pairs[:, articles_with >= LEAST].T.tolist()]


def side_by_side(rows: Sequence[Array], lefts: Array, rights: Array) -> tuple[Array, Array]:
    """Return each two rows of which the second stands one position behind the first.

    Args:
        rows: text and position of each, ascending.
        lefts: which of them may be the first, ascending.
        rights: likewise, the second.

    >>> every = np.arange(4)
    >>> side_by_side([np.array([0, 0, 0, 1]), np.array([4, 5, 5, 6])], every, every)
    (array([0, 0]), array([1, 2]))
    """
    texts, positions = rows
    places = texts.astype(np.int64) << 32 | positions
    wanted, given = places[lefts] + 1, places[rights]
    low = given.searchsorted(wanted)
    second, first = slices(low, given.searchsorted(wanted, "right") - low)
    return lefts[first], rights[second]


def found_together(
    pairs: Pairs, terms: Mapping[str, int], rows: Sequence[Array], term: Array
) -> tuple[list[tuple[str, str]], Array]:
    """Find where the words of pairs stand side by side.

    Args:
        pairs: those that are looked for.
        terms: the numbers of all terms.
        rows: article and position of each row, ascending.
        term: of each row.

    Returns:
        The pairs that were found; and, ascending, shape (3, places), the article and position of
        the left word, and the number of the pair among those.
    """
    numbers = {(terms[a] << 32 | terms[b]): (a, b) for a, b in pairs if a in terms and b in terms}
    wanted = np.array(sorted(numbers), np.int64)
    if not len(wanted):
        return [], np.empty((3, 0), np.int64)
    begins, ends = np.zeros((2, len(terms)), bool)
    begins[wanted >> 32] = True
    ends[wanted & 0xFFFFFFFF] = True
    left, right = side_by_side(rows, begins[term].nonzero()[0], ends[term].nonzero()[0])
    keys = term[left].astype(np.int64) << 32 | term[right]
    which = np.minimum(wanted.searchsorted(keys), len(wanted) - 1)
    kept = wanted[which] == keys
    places = np.stack([*(column[left[kept]] for column in rows), which[kept]]).astype(np.int64)
    places = np.unique(places, axis=1)  # a compound may have a lemma twice
    met, places[2] = np.unique(places[2], return_inverse=True)
    return [numbers[key] for key in wanted[met].tolist()], places
