"""The slow, obvious search: scan every article, word by word, with plain loops.

It shares with searchkit how text becomes words and how a query becomes a tree, and nothing
else: no index, no arrays. Every query must find the same articles with the same scores here.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise, product
from typing import NamedTuple

from searchkit.analysis import Token, analyze
from searchkit.article import Article
from searchkit.dates import parse_span
from searchkit.query.parse import parse
from searchkit.query.rank import FIELD_WEIGHTS, K1, NEIGHBOURS, SAME_FORM, B
from searchkit.query.tree import (
    And,
    Dates,
    Exact,
    Field,
    Leaf,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Some,
    Word,
)
from searchkit.schema import FIELD_NAMES

Fields = tuple[str, ...]
words = cache(analyze)


class Pair(NamedTuple):
    """Two words, the second so many places behind the first."""

    left: Leaf
    right: Leaf
    distance: int


Part = Leaf | Phrase | Pair


@cache
def places(part: Part, article: Article, field: str) -> list[int]:
    """The positions where a word stands or a phrase begins."""
    if isinstance(part, Pair):
        right = places(part.right, article, field)
        return [p for p in places(part.left, article, field) if p + part.distance in right]
    tokens = tokens_of(article, field)
    if not isinstance(part, Phrase):
        return [i for i, token in tokens if part.matches(token)]
    if part.slop is None:
        slots = [set(places(word, article, field)) for word in part.words]
        return [p for p in slots[0] if all(p + i in slot for i, slot in enumerate(slots))]
    reach = len(part.words) + part.slop
    starts = sorted({p for word in part.words for p in places(word, article, field)})
    return [p for p in starts if _all_within(part.words, article, field, p, p + reach)]


def _all_within(some: Sequence[Leaf], article: Article, field: str, low: int, high: int) -> bool:
    slots = [[p for p in places(w, article, field) if low <= p < high] for w in some]
    for choice in product(*slots):
        same = [(w, p) for w, p in zip(some, choice, strict=True)]
        if len(set(same)) == len(same):  # a word asked for twice stands there twice
            return True
    return False


def tokens_of(article: Article, field: str) -> list[tuple[int, Token]]:
    """The numbered words of a field; between two tags there is a gap."""
    value = getattr(article, field) or ""
    if not isinstance(value, tuple):
        return list(enumerate(words(value)))
    found: list[tuple[int, Token]] = []
    for text in value:
        start = found[-1][0] + 101 if found else 0
        found += [(start + i, token) for i, token in enumerate(words(text))]
    return found


def matches(node: Node, article: Article, fields: Fields, mode: Callable[..., bool] = any) -> bool:
    """Whether the article matches; with `all`, whether it has all of the plain words."""
    match node:
        case And(parts):
            return all(matches(part, article, fields, mode) for part in parts)
        case Or(parts):
            return any(matches(part, article, fields, mode) for part in parts)
        case Some():
            return mode(matches(part, article, fields, mode) for part in node.wanted)
        case Not(part):
            return not matches(part, article, fields)
        case Field(name, part):
            return matches(part, article, (FIELD_NAMES[name],), mode)
        case Dates((since, until)):
            first, last = parse_span(article.date) if article.date else (0, 0)
            return first > 0 and last >= since and first <= until
        case Word() | Exact() | Prefix() | Phrase():
            return any(places(node, article, field) for field in fields)


class Reference:
    """A searcher over a list of articles."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self.articles = articles
        self.average = {
            field: sum(len(tokens_of(a, field)) for a in articles) / len(articles)
            for field in ("title", "text")
        }

    def found(self, query: str, fields: Fields = ("title", "text")) -> tuple[set[str], set[str]]:
        """The ids of the articles that match, and of those with all of the words."""
        tree = parse(query).tree
        if tree is None:
            return set(), set()
        some = {a.id for a in self.articles if matches(tree, a, fields)}
        return some, {a.id for a in self.articles if a.id in some and matches(tree, a, fields, all)}

    def score(self, node: Node, article: Article, fields: Fields = ("title", "text")) -> float:
        """BM25F of the article, by the book."""
        if not matches(node, article, fields):
            return 0.0
        match node:
            case And(parts) | Or(parts):
                return sum(self.score(part, article, fields) for part in parts)
            case Some():
                distinct = dict.fromkeys(node.wanted)
                total = sum(self.score(part, article, fields) for part in distinct)
                return total + NEIGHBOURS * self._neighbours(node, article, fields)
            case Field(name, part):
                return self.score(part, article, (FIELD_NAMES[name],))
            case Not() | Dates():
                return 0.0
            case Word(_, terms, form):
                lemmas = [Word("", (term,), form) for term in terms]
                word = self._bm25f(lemmas, article, fields)
                return word + SAME_FORM * self._bm25f([Exact(form)], article, fields)
            case Exact() | Prefix() | Phrase():
                return self._bm25f([node], article, fields)

    def _neighbours(self, node: Some, article: Article, fields: Fields) -> float:
        asked = [i for i, part in enumerate(node.parts) if part in node.wanted]
        total = 0.0
        for i, j in pairwise(asked):
            left, right = node.parts[i], node.parts[j]
            if isinstance(left, Leaf) and isinstance(right, Leaf):
                total += self._bm25f([Pair(left, right, j - i)], article, fields)
        return total

    def _bm25f(self, alternatives: Sequence[Part], article: Article, fields: Fields) -> float:
        having = sum(
            any(places(part, a, field) for part in alternatives for field in fields)
            for a in self.articles
        )
        idf = math.log(1 + (len(self.articles) - having + 0.5) / (having + 0.5))
        best = 0.0
        for part in alternatives:
            weighted = 0.0
            for field in fields:
                length = len(tokens_of(article, field)) if field in self.average else 1
                norm = 1 - B + B * length / self.average.get(field, 1)
                count = len(places(part, article, field))
                weighted += FIELD_WEIGHTS.get(field, 1) * count / norm
            best = max(best, idf * weighted * (K1 + 1) / (weighted + K1))
        return best
