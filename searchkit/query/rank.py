"""Rank: BM25F, by the book, as functions of numbers.

Robertson, Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond (2009), 3.3 and
3.6. A term's frequencies in title and text are added up first, each divided by how long the
field is and multiplied by what the field is worth, and saturate together. What the figures
below give is told in docs/why.md.

All is computed in 32-bit floats, in the order that is written here: the kernel and NumPy give the
same bits, and the book's score to 1 part in 100,000.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Array = NDArray[Any]  # of any numbers

K1 = 0.5  # how soon more of the same word stops to count
B = 0.3  # how much a long field counts against its words: 0 not at all, 1 in full
FIELD_WEIGHTS = {"title": 2.0}  # any other field is worth 1

NEIGHBOURS = 0.5  # share of words that stand next to each other as in the query

# A query of more words than FEW tells what an article is about, as its first sentences do: where
# it stands among the first LEAD_WORDS words of the text, a word is worth so much more, and so
# are two that stand side by side.
FEW = 4
LEAD_WORDS = 50
WORD_LEAD, PAIR_LEAD = 0.5, 1.5


def idf(articles: int, having: int) -> float:
    """Return how much a term tells that `having` of all `articles` have; always positive.

    ln(1 + (N - n + 0.5) / (n + 0.5)), as Lucene has it.
    """
    return math.log(1 + (articles - having + 0.5) / (having + 0.5))


def norms(field: str, lengths: Array, average: float) -> Floats:
    """Return what one occurrence of a term is worth in a field of each of these lengths.

    w / (1 - b + b * length / average)
    """
    weight = FIELD_WEIGHTS.get(field, 1.0)
    found = weight / (1 - B + B * lengths.astype(np.float64) / (average or 1))
    return found.astype(np.float32)


def saturate(worth: Array) -> Floats:
    """Return the part of BM25F that grows with frequency, from 0 to k1 + 1.

    f * (k1 + 1) / (f + k1), where f is the sum of frequency * norm over the fields.
    """
    weighted: Floats = worth.astype(np.float32)
    return weighted * np.float32(K1 + 1) / (weighted + np.float32(K1))
