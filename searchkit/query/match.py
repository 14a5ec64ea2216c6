"""Match: a tree is evaluated against an index, whole arrays at a time.

Every node becomes two arrays with one entry per article (does it match, and does it match
with all of the words) and a list of reasons, whose scores add up to the article's. The
operators are then those of logic.
"""

from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise

import numpy as np

from searchkit.index import POSITION_BITS, Bools, Index, Ints
from searchkit.query.rank import NEIGHBOURS, SAME_FORM, Floats, idf, saturate, weigh
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
from searchkit.schema import DEFAULT_FIELDS, EXACT, FIELD_NAMES

Fields = tuple[str, ...]


@dataclass
class Factor:
    """One addend of an article's score, by its name, and the numbers that make it."""

    name: str
    score: float
    details: dict[str, float]


@dataclass
class Counts:
    """How often a term, or whatever counts like one, stands in each field of each article."""

    frequencies: dict[str, Floats]
    lengths: dict[str, Floats]
    averages: dict[str, float]

    def __post_init__(self) -> None:
        fields = self.frequencies.items()
        self.weighted: Floats = np.sum(
            [weigh(f, counts, self.lengths[f], self.averages[f]) for f, counts in fields], axis=0
        )
        self.found: Bools = self.weighted > 0
        self.saturated: Floats = saturate(self.weighted)

    def details(self, number: int) -> dict[str, float]:
        """Return every number of the formula for one article, by its name."""
        found = {}
        for name, frequency in self.frequencies.items():
            if frequency[number]:
                found[f"{name} frequency"] = float(frequency[number])
                found[f"{name} length"] = float(self.lengths[name][number])
                found[f"{name} average length"] = self.averages[name]
        found["weighted frequency"] = float(self.weighted[number])
        found["saturated"] = float(self.saturated[number])
        return found


@dataclass
class Reason:
    """One addend of the score: `share` times the best BM25F of some alternatives.

    The alternatives are one word: what it tells follows from how many articles have any.
    """

    name: str
    share: float
    alternatives: dict[str, Counts]
    articles: int
    where: Bools | None = None  # an article that fails the rest of an AND gets nothing

    def __post_init__(self) -> None:
        counts = self.alternatives.values()
        self.found: Bools = reduce(np.logical_or, [each.found for each in counts])
        self.idf = idf(self.articles, int(np.count_nonzero(self.found)))
        best = reduce(np.maximum, [each.saturated for each in counts])
        self.whole: Floats = self.share * self.idf * best

    def score(self) -> Floats:
        """Return the addend for every article."""
        return self.whole if self.where is None else np.where(self.where, self.whole, 0.0)

    def factor(self, number: int) -> Factor:
        """Return the addend for one article, with the numbers that make it."""
        best = max(self.alternatives, key=lambda term: self.alternatives[term].saturated[number])
        name = self.name if best == self.name else f"{self.name} → {best}"
        details = {"share": self.share, "idf": self.idf, **self.alternatives[best].details(number)}
        return Factor(name, float(self.score()[number]), details)


@dataclass
class Match:
    """What a node says of every article; the arrays have shape (index.size,).

    Attributes:
        found: whether the article matches.
        complete: whether it matches with all of the words.
        reasons: what its score is made of.
    """

    found: Bools
    complete: Bools
    reasons: list[Reason] = field(default_factory=list)

    def score(self) -> Floats:
        """Return the score of every article, 0 where nothing speaks for it."""
        scores = [reason.score() for reason in self.reasons]
        return np.sum(scores, axis=0) if scores else np.zeros(len(self.found))

    def explain(self, number: int) -> list[Factor]:
        """Return the addends of one article's score that are not 0."""
        factors = [reason.factor(number) for reason in self.reasons]
        return [factor for factor in factors if factor.score]


class Matcher:
    """Evaluates trees against one index."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.articles = int(np.count_nonzero(index.alive))

    def match(self, node: Node, fields: Fields = DEFAULT_FIELDS) -> Match:
        """Return what the node says of every article when it is looked for in these fields."""
        match node:
            case Word() | Exact() | Prefix():
                return self._leaf(node, fields)
            case Phrase():
                return self._phrase(node, fields)
            case Dates(span):
                found = within(self.index, span)
                return Match(found, found)
            case Field(name, part):
                return self.match(part, (FIELD_NAMES[name],))
            case Not(part):
                found = self.index.alive & ~self.match(part, fields).found
                return Match(found, found)
            case And(parts):
                return _every([self.match(part, fields) for part in parts])
            case Or(parts):
                return _any([self.match(part, fields) for part in parts])
            case Some():
                return self._some(node, fields)

    # -- leaves --

    def _leaf(self, leaf: Leaf, fields: Fields) -> Match:
        if isinstance(leaf, Prefix):
            return self._counted(leaf, {f: self._places(leaf, f) for f in fields})
        alternatives = {term: self._term(term, fields) for term in leaf.terms}
        word = Reason(str(leaf), 1.0, alternatives, self.articles)
        if isinstance(leaf, Exact):
            return Match(word.found, word.found, [word])
        form = EXACT + leaf.form
        same = Reason("same form", SAME_FORM, {form: self._term(form, fields)}, self.articles)
        return Match(word.found, word.found, [word, same])

    def _term(self, term: str, fields: Fields) -> Counts:
        frequencies = {}
        for name in fields:
            numbers, counts = self.index.frequencies(name, term)
            frequencies[name] = np.zeros(self.index.size)
            frequencies[name][numbers] = counts
        return self._counts(frequencies)

    def _counts(self, frequencies: dict[str, Floats]) -> Counts:
        lengths = {name: self.index.lengths(name).astype(float) for name in frequencies}
        averages = {
            name: float(length[self.index.alive].mean()) if self.articles else 1.0
            for name, length in lengths.items()
        }
        return Counts(frequencies, lengths, averages)

    def _counted(self, node: Leaf | Phrase, places: dict[str, Ints]) -> Match:
        """Treat places like those of one term: they are counted, and tell as much as rare."""
        reason = Reason(str(node), 1.0, {str(node): self._count(places)}, self.articles)
        return Match(reason.found, reason.found, [reason])

    def _count(self, places: dict[str, Ints]) -> Counts:
        frequencies = {}
        for name, found in places.items():
            counted = np.bincount(found >> POSITION_BITS, minlength=self.index.size)
            frequencies[name] = counted.astype(np.float64)
        return self._counts(frequencies)

    # -- words in relation --

    def _phrase(self, phrase: Phrase, fields: Fields) -> Match:
        both = reduce(np.logical_and, [self._leaf(word, fields).found for word in phrase.words])
        places = {}
        for name in fields:
            slots = [self._places(word, name, both) for word in phrase.words]
            if phrase.slop is None:
                places[name] = side_by_side(slots)
            else:
                places[name] = within_reach(slots, phrase.words, phrase.slop)
        return self._counted(phrase, places)

    def _some(self, node: Some, fields: Fields) -> Match:
        parts = {part: self.match(part, fields) for part in node.wanted}
        found = _any(list(parts.values()))
        found.complete = reduce(np.logical_and, [part.complete for part in parts.values()])
        found.reasons += self._neighbours(node, parts, fields)
        return found

    def _neighbours(self, node: Some, parts: dict[Node, Match], fields: Fields) -> list[Reason]:
        """Pairs of words as far apart as in the query: `переговори в Києві` skips one."""
        asked = [i for i, part in enumerate(node.parts) if part in parts]
        reasons = []
        for i, j in pairwise(asked):
            left, right = node.parts[i], node.parts[j]
            if not (isinstance(left, Leaf) and isinstance(right, Leaf)):
                continue
            both = parts[left].found & parts[right].found
            places = {}
            for name in fields:
                slots = [self._places(left, name, both), self._places(right, name, both)]
                places[name] = side_by_side(slots, j - i)
            words = Phrase((left, right))
            counts = {str(words): self._count(places)}
            reasons.append(Reason("side by side", NEIGHBOURS, counts, self.articles))
        return reasons

    def _places(self, leaf: Leaf, name: str, among: Bools | None = None) -> Ints:
        among = self.index.alive if among is None else among
        if isinstance(leaf, Prefix):
            terms = [*self.index.terms(name, leaf.start)]
            terms += self.index.terms(name, EXACT + leaf.start)
        else:
            terms = list(leaf.terms)
        found = [self.index.occurrences(name, term, among) for term in terms]
        return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def _every(parts: list[Match]) -> Match:
    found = reduce(np.logical_and, [part.found for part in parts])
    reasons = [reason for part in parts for reason in part.reasons]
    for reason in reasons:
        reason.where = found if reason.where is None else reason.where & found
    return Match(found, reduce(np.logical_and, [part.complete for part in parts]), reasons)


def _any(parts: list[Match]) -> Match:
    return Match(
        reduce(np.logical_or, [part.found for part in parts]),
        reduce(np.logical_or, [part.complete for part in parts]),
        [reason for part in parts for reason in part.reasons],
    )


def within(index: Index, span: tuple[int, int]) -> Bools:
    """Tell which articles may have been published between two moments, both included."""
    since, until = span
    return index.alive & (index.first > 0) & (index.last >= since) & (index.first <= until)


def side_by_side(slots: list[Ints], distance: int = 1) -> Ints:
    """Return the places of the first slot that the others follow, each `distance` further on.

    >>> side_by_side([np.array([3, 9]), np.array([4, 11])])
    array([3])
    """
    starts = slots[0]
    for step, places in enumerate(slots[1:], 1):
        starts = starts[np.isin(starts + step * distance, places, assume_unique=True)]
    return starts


def within_reach(slots: list[Ints], words: tuple[Leaf, ...], slop: int) -> Ints:
    """Return where stretches begin that hold a word of every slot, `slop` others at most.

    A word that was asked for twice must stand there twice.

    >>> within_reach([np.array([7]), np.array([3])], (Exact("a"), Exact("b")), 3)
    array([3])
    """
    starts = np.unique(np.concatenate(slots))
    reach = starts + len(slots) - 1 + slop
    for which, places in enumerate(slots):
        nth = words[:which].count(words[which])
        ends = np.append(places, [np.iinfo(np.int64).max] * (nth + 1))
        keep = ends[np.searchsorted(places, starts) + nth] <= reach
        starts, reach = starts[keep], reach[keep]
    return starts
