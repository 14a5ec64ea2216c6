"""Rank: BM25F, by the book, as functions of numbers.

Robertson, Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond (2009), 3.3 and
3.6. A term's frequencies in title and text are added up first, each divided by how long the
field is and multiplied by what the field is worth, and saturate together. What the figures
below give is told in docs/why.md.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Array = NDArray[Any]  # of any numbers

K1 = 0.9  # how soon more of the same word stops to count
B = 0.4  # how much a long field counts against its words: 0 not at all, 1 in full
FIELD_WEIGHTS = {"title": 2.0}  # any other field is worth 1

NEIGHBOURS = 0.3  # share of words that stand next to each other as in the query


def idf(articles: int, having: int) -> float:
    """Return how much a term tells that `having` of all `articles` have; always positive.

    ln(1 + (N - n + 0.5) / (n + 0.5)), as Lucene has it.
    """
    return math.log(1 + (articles - having + 0.5) / (having + 0.5))


def weigh(field: str, frequency: Array, length: Array, average: float) -> Floats:
    """Return what a term's frequency in one field is worth in a field of that length.

    w * tf / (1 - b + b * length / average)
    """
    norm = 1 - B + B * length / (average or 1)
    worth: Floats = FIELD_WEIGHTS.get(field, 1.0) * frequency / norm
    return worth


def saturate(weighted: Array) -> Floats:
    """Return the part of BM25F that grows with frequency, from 0 to k1 + 1.

    f * (k1 + 1) / (f + k1), where f is the sum of `weigh` over the fields.
    """
    part: Floats = weighted * (K1 + 1) / (weighted + K1)
    return part
