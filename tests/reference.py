"""The slow, obvious search: scan every article, word by word, with plain loops.

It shares with searchkit how text becomes words and how a query becomes a tree, and nothing
else: no index, no arrays. Every query must find the same articles with the same scores here.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise, product
from typing import NamedTuple

from searchkit.analysis import Token, analyze, spoken_in, word_pairs
from searchkit.article import Article
from searchkit.dates import parse_span
from searchkit.highlight import Mark
from searchkit.query.parse import parse
from searchkit.query.rank import (
    FIELD_WEIGHTS,
    K1,
    LEAD_WORDS,
    NEIGHBOURS,
    PAIR_LEAD,
    WORD_LEAD,
    B,
)
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
    leaves,
)
from searchkit.schema import FIELD_NAMES, GAP, values

words = cache(analyze)
pairs = cache(word_pairs)


class Pair(NamedTuple):
    """Two words, the second so many places behind the first."""

    left: Leaf
    right: Leaf
    distance: int


class Lemma(NamedTuple):
    """One of the terms that words are indexed by."""

    term: str


Part = Leaf | Phrase | Pair | Lemma


@cache
def places(part: Part, article: Article, scope: str) -> list[int]:
    """The positions where a word stands or a phrase begins."""
    tokens = tokens_of(article, scope)
    if isinstance(part, Lemma):  # мир-миру has it twice at one place
        return [i for i, token in tokens for lemma, _ in pairs(token.text) if lemma == part.term]
    if isinstance(part, Pair):
        right = places(part.right, article, scope)
        return [p for p in places(part.left, article, scope) if p + part.distance in right]
    if not isinstance(part, Phrase):
        return [i for i, token in tokens if part.matches(token)]
    if part.slop is None:
        slots = [set(places(word, article, scope)) for word in part.words]
        return [p for p in sorted(slots[0]) if all(p + i in slot for i, slot in enumerate(slots))]
    reach = len(part.words) + part.slop
    starts = sorted({p for word in part.words for p in places(word, article, scope)})
    return [p for p in starts if _all_within(part.words, article, scope, p, p + reach)]


def _all_within(some: Sequence[Leaf], article: Article, scope: str, low: int, high: int) -> bool:
    slots = [[p for p in places(w, article, scope) if low <= p < high] for w in some]
    for choice in product(*slots):
        same = [(w, p) for w, p in zip(some, choice, strict=True)]
        if len(set(same)) == len(same):  # a word asked for twice stands there twice
            return True
    return False


@cache
def tokens_of(article: Article, scope: str) -> list[tuple[int, Token]]:
    """The numbered words of a field; "main" is the title and, behind a gap, the text."""
    if scope not in ("main", "title"):
        value = spoken_in(article) if scope == "language" else getattr(article, scope)
        return [(position, words(word, "uk")[0]) for position, word in values(value or "")]
    language = spoken_in(article)
    title = list(enumerate(words(article.title, language)))
    text = enumerate(words(article.text, language), len(title) + GAP)
    return title + list(text) * (scope == "main")


def matches(node: Node, article: Article, scope: str, mode: Callable[..., bool] = any) -> bool:
    """Whether the article matches; with `all`, whether it has all of the plain words."""
    match node:
        case And(parts):
            return all(matches(part, article, scope, mode) for part in parts)
        case Or(parts):
            return any(matches(part, article, scope, mode) for part in parts)
        case Some():
            return mode(matches(part, article, scope, mode) for part in node.wanted)
        case Not(part):
            return not matches(part, article, scope)
        case Field(name, part):
            return matches(part, article, FIELD_NAMES[name], mode)
        case Dates((since, until)):
            first, last = parse_span(article.date) if article.date else (0, 0)
            return first > 0 and last >= since and first <= until
        case Word() | Exact() | Prefix() | Phrase():
            return bool(places(node, article, scope))


class Reference:
    """A searcher over a list of articles."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self.articles = articles
        self.average = {
            "title": sum(len(words(a.title)) for a in articles) / len(articles),
            "text": sum(len(words(a.text)) for a in articles) / len(articles),
        }

    def found(self, query: str, scope: str = "main") -> tuple[set[str], set[str]]:
        """The ids of the articles that match, and of those with all of the words."""
        tree = parse(query).tree
        if tree is None:
            return set(), set()
        some = {a.id for a in self.articles if matches(tree, a, scope)}
        return some, {a.id for a in self.articles if a.id in some and matches(tree, a, scope, all)}

    def score(self, node: Node, article: Article, scope: str = "main", lead: float = 0) -> float:
        """BM25F of the article, by the book; a word in the lead is worth so much more."""
        if not matches(node, article, scope):
            return 0.0
        match node:
            case And(parts) | Or(parts):
                return sum(self.score(part, article, scope) for part in parts)
            case Some():
                distinct, lead = dict.fromkeys(node.wanted), WORD_LEAD * node.is_long
                total = sum(self.score(part, article, scope, lead) for part in distinct)
                return total + self._neighbours(node, article, scope)
            case Field(name, part):
                return self.score(part, article, FIELD_NAMES[name])
            case Not() | Dates():
                return 0.0
            case Word(_, terms):
                best = max(self._worth(Lemma(term), article, scope, lead) for term in terms)
            case Prefix():
                some = _starting(node, article)
                best = max(self._worth(part, article, scope, lead) for part in some)
            case Exact() | Phrase():
                best = self._worth(node, article, scope, lead)
        return self._idf(node, scope) * best

    def _neighbours(self, node: Some, article: Article, scope: str) -> float:
        asked = [i for i, part in enumerate(node.parts) if part in node.wanted]
        total = 0.0
        for i, j in pairwise(asked):
            left, right = node.parts[i], node.parts[j]
            if isinstance(left, Word | Exact) and isinstance(right, Word | Exact):
                tells = max(self._idf(left, scope), self._idf(right, scope))
                lead = PAIR_LEAD * node.is_long
                pair = self._worth(Pair(left, right, j - i), article, scope, lead)
                total += NEIGHBOURS * tells * pair
        return total

    def _idf(self, part: Leaf | Phrase, scope: str) -> float:
        having = sum(matches(part, a, scope) for a in self.articles)
        return math.log(1 + (len(self.articles) - having + 0.5) / (having + 0.5))

    def _worth(self, part: Part, article: Article, scope: str, lead: float) -> float:
        begin = len(words(article.title)) + GAP
        in_lead = any(begin <= p < begin + LEAD_WORDS for p in places(part, article, scope))
        return self._saturated(part, article, scope) + lead * (in_lead and scope == "main")

    def _saturated(self, part: Part, article: Article, scope: str) -> float:
        found = places(part, article, scope)
        titled = [p for p in found if p < len(words(article.title))]
        if scope in ("main", "title"):
            counts = {"title": len(titled), "text": len(found) - len(titled)}
            weighted = 0.0
            for name, count in counts.items():
                length = len(words(getattr(article, name)))
                norm = 1 - B + B * length / (self.average[name] or 1)
                weighted += FIELD_WEIGHTS.get(name, 1) * count / norm
        else:
            weighted = len(found)
        return weighted * (K1 + 1) / (weighted + K1)


def _starting(prefix: Prefix, article: Article) -> set[Part]:
    """The terms and forms of the article's words that begin like this."""
    found: set[Part] = {Exact("")}  # one that nothing matches
    for scope in ("main", "source", "section", "author", "tags"):
        for _, token in tokens_of(article, scope):
            found |= {Lemma(term) for term in token.lemmas if term.startswith(prefix.start)}
            found |= {Exact(form) for form in token.forms if form.startswith(prefix.start)}
    return found


def marks(text: str, tree: Node | None, field: str) -> list[Mark]:
    """The words of a title or a text that match, in order; those of a phrase only where it is."""
    found: dict[int, Mark] = {}
    tokens = words(text)
    for number, (part, (scope,)) in enumerate(leaves(tree, ("main",)) if tree else ()):
        if scope in ("main", field):
            for p in _positions(part, tokens):
                found.setdefault(p, (tokens[p].start, tokens[p].end, number))
    return [found[p] for p in sorted(found)]


def _positions(part: Leaf | Phrase, tokens: list[Token]) -> set[int]:
    if not isinstance(part, Phrase):
        return {p for p, token in enumerate(tokens) if part.matches(token)}
    slots = [[p for p, token in enumerate(tokens) if w.matches(token)] for w in part.words]
    if part.slop is None:
        starts = [p for p in slots[0] if all(p + i in slot for i, slot in enumerate(slots))]
        return {start + i for start in starts for i in range(len(slots))}
    reach = len(slots) + part.slop
    found: set[int] = set()
    for start in sorted({position for slot in slots for position in slot}):
        near = [[p for p in slot if start <= p < start + reach] for slot in slots]
        needed = [part.words[: i + 1].count(word) for i, word in enumerate(part.words)]
        if all(len(slot) >= count for slot, count in zip(near, needed, strict=True)):
            found.update(*near)
    return found
