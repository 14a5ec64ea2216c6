"""Match: a tree is evaluated against an index, whole arrays at a time.

Every node becomes the numbers of the articles that match, ascending, and their scores. The
operators are those of sets. What is costly and changes little, whether words stand side by
side as in the query, is looked at last, and only in articles that it can bring among the best.
"""

from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.segment import LEVELS
from searchkit.index import POSITION_BITS, Bools, Index, Ints, Numbers, Postings, member
from searchkit.query.rank import K1, NEIGHBOURS, Floats, idf, saturate, weigh
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
from searchkit.schema import FIELD_NAMES, key

Scores = NDArray[np.float32]
Span = tuple[int, int]

ANYWHERE = "main"  # the scope of a query that names no field: title and text
TITLE = "title"  # a scope, too; any other is a field of the index


@dataclass
class Factor:
    """One addend of an article's score, by its name, and the numbers that make it."""

    name: str
    score: float
    details: dict[str, float]


@dataclass
class Match:
    """What a node says of the articles that match.

    Attributes:
        docs: their numbers, ascending.
        scores: shape like docs, without what `bonuses` may add.
        complete: shape like docs: which of them have all of the words; None if all have.
        bonuses: pairs of words that make an article better where they stand side by side.
    """

    docs: Numbers
    scores: Scores
    complete: Bools | None = None
    bonuses: list["Bonus"] = field(default_factory=list)

    def among(self, kept: Bools | Ints | slice) -> "Match":
        """Keep some of the articles."""
        complete = None if self.complete is None else self.complete[kept]
        return Match(self.docs[kept], self.scores[kept], complete, self.bonuses)

    @property
    def total_complete(self) -> int:
        """How many articles have all of the words."""
        return len(self.docs) if self.complete is None else int(np.count_nonzero(self.complete))


@dataclass(frozen=True)
class Bonus:
    """Two words that stand as far apart in an article as they do in the query.

    A pair tells as much as the rarer of its words; that makes `most`, which it may add to a
    score, known before a single place is read.
    """

    left: Leaf
    right: Leaf
    distance: int
    scope: str
    idf: float

    @property
    def most(self) -> float:
        """What it adds to no score more than."""
        return NEIGHBOURS * self.idf * (K1 + 1)


class Matcher:
    """Evaluates trees against one index; keeps what it found of each part of one query."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._found: dict[tuple[Leaf | Phrase, str], Match] = {}

    def match(self, node: Node, scope: str = ANYWHERE) -> Match:
        """Return the articles that match a node when it is looked for in one scope."""
        match node:
            case Word() | Exact() | Prefix():
                if (node, scope) not in self._found:
                    self._found[node, scope] = self._leaf(node, scope)
                return self._found[node, scope]
            case Phrase():
                if (node, scope) not in self._found:
                    self._found[node, scope] = self._phrase(node, scope)
                return self._found[node, scope]
            case Field(name, part):
                return self.match(part, FIELD_NAMES[name])
            case Dates() | Not():
                return self._every((node,), scope)
            case And(parts):
                return self._every(parts, scope)
            case Or(parts):
                return _any([self._settled(self.match(part, scope)) for part in parts])
            case Some():
                return self._some(node, scope)

    # -- words --

    def _leaf(self, leaf: Leaf, scope: str) -> Match:
        name = ANYWHERE if scope == TITLE else scope
        found: list[Postings | Ints]
        if isinstance(leaf, Prefix):
            found = list(self.index.starting(key(name, leaf.start).encode(), scope == TITLE))
        elif isinstance(leaf, Exact):
            found = [self.index.form_places(key(name, leaf.form).encode())]
        elif scope == TITLE:
            found = [self.index.places(key(name, term).encode()) for term in leaf.terms]
        else:
            found = [self.index.postings(key(name, term).encode()) for term in leaf.terms]
        counted = [f if isinstance(f, Postings) else self._counted(f, scope) for f in found]
        is_sorted = len(counted) == 1 and not isinstance(leaf, Prefix)
        docs, codes = counted[0] if is_sorted else best(counted, self.index.size)
        return Match(docs, self._scores(codes, len(docs)))

    def _scores(self, codes: NDArray[np.uint16], having: int) -> Scores:
        unit = idf(self.index.articles, having) * (K1 + 1) / LEVELS
        return codes * np.float32(unit)

    def _counted(self, places: Ints, scope: str) -> Postings:
        """Treat places like those of one term: count them, and say what they are worth."""
        docs = places >> POSITION_BITS
        if scope in (ANYWHERE, TITLE):
            in_title = (places & 0xFFFFFFFF) < self.index.title_words[docs]
            if scope == TITLE:
                docs, in_title = docs[in_title], in_title[in_title]
        begins = np.ones(len(docs), bool)
        begins[1:] = docs[1:] != docs[:-1]
        first = begins.nonzero()[0]
        if not len(first):
            return Postings(docs.astype(np.uint32), docs.astype(np.uint16))
        counts = np.diff(first, append=len(docs))
        docs = docs[first]
        if scope in (ANYWHERE, TITLE):
            titled = np.add.reduceat(in_title.astype(np.int64), first)
            worth = self._worth(docs, titled, counts - titled)
        else:
            worth = counts.astype(np.float64)
        codes = np.maximum(np.rint(saturate(worth) * (LEVELS / (K1 + 1))), 1)
        return Postings(docs.astype(np.uint32), codes.astype(np.uint16))

    def _worth(self, docs: Ints, titled: Ints, texted: Ints) -> Floats:
        averages = self.index.manifest.averages
        title = weigh("title", titled, self.index.title_words[docs], averages.title)
        return title + weigh("text", texted, self.index.text_words[docs], averages.text)

    # -- words in relation --

    def _phrase(self, phrase: Phrase, scope: str) -> Match:
        both = intersection([self.match(word, scope).docs for word in dict.fromkeys(phrase.words)])
        docs, codes = self._counted(self._begins(phrase, scope, both), scope)
        return Match(docs, self._scores(codes, len(docs)))

    def _begins(self, phrase: Phrase, scope: str, among: Numbers) -> Ints:
        """Return where a phrase begins in some articles, ascending."""
        slots = self.slots(phrase, scope, among)
        if phrase.slop is None:
            return side_by_side(slots)
        return within_reach(slots, phrase.words, phrase.slop)

    def slots(self, phrase: Phrase, scope: str, among: Numbers) -> list[Ints]:
        """Return the places of each word of a phrase in some articles, ascending."""
        places = {w: self.places(w, scope, among) for w in dict.fromkeys(phrase.words)}
        return [places[word] for word in phrase.words]

    def places(self, leaf: Leaf, scope: str, among: Numbers) -> Ints:
        """Return where a word stands in some articles, ascending."""
        name = ANYWHERE if scope == TITLE else scope
        if isinstance(leaf, Prefix):
            return self.index.starting_places(key(name, leaf.start).encode(), among)
        if isinstance(leaf, Exact):
            return np.unique(self.index.form_places(key(name, leaf.form).encode(), among))
        found = [self.index.places(key(name, term).encode(), among) for term in leaf.terms]
        return np.unique(np.concatenate(found))

    def _some(self, node: Some, scope: str) -> Match:
        parts = {part: self.match(part, scope) for part in node.wanted}
        bonuses = [bonus for part in parts.values() for bonus in part.bonuses]
        asked = [i for i, part in enumerate(node.parts) if part in parts]
        for i, j in pairwise(asked):
            left, right = node.parts[i], node.parts[j]
            if isinstance(left, Leaf) and isinstance(right, Leaf):
                rarer = min(len(parts[left].docs), len(parts[right].docs))
                if rarer:
                    tells = idf(self.index.articles, rarer)
                    bonuses.append(Bonus(left, right, j - i, scope, tells))
        found = _any([Match(part.docs, part.scores, part.complete) for part in parts.values()])
        every = intersection([part.docs[complete_of(part)] for part in parts.values()])
        found.complete = member(found.docs, every)[0]
        found.bonuses = bonuses
        return found

    def bonus(self, bonus: Bonus, docs: Numbers) -> Scores:
        """Return what a pair of words adds to the scores of some articles, ascending."""
        added = np.zeros(len(docs), np.float32)
        both = intersection(
            [docs, *(self.match(w, bonus.scope).docs for w in (bonus.left, bonus.right))]
        )
        if len(both):
            slots = [self.places(w, bonus.scope, both) for w in (bonus.left, bonus.right)]
            having, codes = self._counted(side_by_side(slots, bonus.distance), bonus.scope)
            added[docs.searchsorted(having)] = codes * np.float32(bonus.most / LEVELS)
        return added

    # -- logic --

    def _every(self, parts: tuple[Node, ...], scope: str) -> Match:
        """Match all parts: words first, the rarest leading, then dates and what is excluded."""
        wanted = [self.match(p, scope) for p in parts if not isinstance(p, Dates | Not)]
        if not wanted:
            every = self.index.living().astype(np.uint32)
            wanted = [Match(every, np.zeros(len(every), np.float32))]
        docs = intersection([match.docs for match in wanted])
        for part in parts:
            if isinstance(part, Dates):
                docs = docs[self.within(docs, part.span)]
            elif isinstance(part, Not):
                docs = docs[~member(docs, self.match(part.part, scope).docs)[0]]
        found = Match(docs, np.zeros(len(docs), np.float32))
        for each in wanted:
            where = each.docs.searchsorted(docs)
            found.scores = found.scores + each.scores[where]
            if each.complete is not None:
                complete = each.complete[where]
                found.complete = complete if found.complete is None else found.complete & complete
            found.bonuses += each.bonuses
        return found

    def _settled(self, found: Match) -> Match:
        """Add all bonuses to the scores."""
        if not found.bonuses:
            return found
        added = [self.bonus(bonus, found.docs) for bonus in found.bonuses]
        return Match(found.docs, reduce(np.add, added, found.scores), found.complete)

    def within(self, docs: Numbers, span: Span) -> Bools:
        """Tell which articles may have been published between two moments, both included."""
        since, until = span
        first, last = self.index.first[docs], self.index.last[docs]
        return (first > 0) & (last >= since) & (first <= until)

    # -- the best --

    def best(self, found: Match, wanted: int, *, by_date: bool = False) -> Match:
        """Return the `wanted` best articles, best first, with all that their scores are made of.

        By relevance, those with all words come before those with some; among equal scores the
        newest. By date, the newest first, those without a date last.
        """
        if by_date:
            found = self._settled(found.among(self._newest(found.docs, wanted)))
        else:
            found = self._promising(found, wanted)
        first = self.index.first[found.docs]
        some = np.zeros(len(first), bool) if found.complete is None else ~found.complete
        order = (-found.scores, some, -first) if by_date else (-first, -found.scores, some)
        return found.among(np.lexsort((found.docs, *order))[:wanted])

    def _newest(self, docs: Numbers, wanted: int) -> Bools | slice:
        """Choose the newest articles: `wanted` of them, and those as new as the last of these."""
        if len(docs) <= wanted or not wanted:
            return slice(wanted and None)
        if len(self.index.segments) == 1:  # the newest have the lowest numbers
            stop = wanted
            oldest = self.index.first[docs[stop - 1]]
            while stop < len(docs) and self.index.first[docs[stop]] == oldest:
                stop += 1
            return slice(stop)
        first = self.index.first[docs]
        keep: Bools = first >= np.partition(first, len(docs) - wanted)[len(docs) - wanted]
        return keep

    def _promising(self, found: Match, wanted: int) -> Match:
        """Drop what cannot be among the best, so that bonuses are added to few articles."""
        if found.complete is None:
            return self._settled(found.among(self._contenders(found, wanted)))
        if found.total_complete >= wanted:
            every = found.among(found.complete)
            return self._settled(every.among(self._contenders(every, wanted)))
        rest = (~found.complete).nonzero()[0]
        chosen = np.ones(len(found.docs), bool)
        chosen[rest] = self._contenders(found.among(rest), wanted - found.total_complete)
        return self._settled(found.among(chosen))

    def _contenders(self, found: Match, wanted: int) -> Bools:
        """Tell which articles may be among the `wanted` best once bonuses have been added."""
        size = len(found.docs)
        few = max(64, 2 * wanted) if found.bonuses else wanted
        if size <= few or not wanted:
            return np.full(size, bool(wanted))
        least = np.partition(found.scores, size - few)[size - few]
        keep: Bools = found.scores >= least
        if not found.bonuses:
            return keep
        tried = self._settled(found.among(keep)).scores
        least = np.partition(tried, len(tried) - wanted)[len(tried) - wanted]
        room = sum(bonus.most for bonus in found.bonuses)
        return found.scores >= np.float32(least - room)

    # -- why --

    def explain(self, node: Node, number: int, scope: str = ANYWHERE) -> list[Factor]:
        """Return the addends of the score that a node gives to one article that matches."""
        match node:
            case Field(name, part):
                return self.explain(part, number, FIELD_NAMES[name])
            case Dates() | Not():
                return []
            case And(parts) | Or(parts):
                found = [self.match(part, scope) for part in parts]
                having = [p for p, m in zip(parts, found, strict=True) if number in m.docs]
                return [f for part in having for f in self.explain(part, number, scope)]
            case Some():
                wanted = dict.fromkeys(node.wanted)
                having = [part for part in wanted if number in self.match(part, scope).docs]
                factors = [f for part in having for f in self.explain(part, number, scope)]
                bonuses = self._some(node, scope).bonuses
                own = [b for b in bonuses if b.left in node.parts and b.right in node.parts]
                return factors + [f for b in own for f in self._explain_bonus(b, number)]
            case Word() | Exact() | Prefix() | Phrase():
                return [self._explain_leaf(node, number, scope)]

    def _explain_leaf(self, leaf: Leaf | Phrase, number: int, scope: str) -> Factor:
        found = self.match(leaf, scope)
        score = float(found.scores[found.docs.searchsorted(number)])
        docs = np.array([number], np.uint32)
        name = str(leaf)
        if isinstance(leaf, Phrase):
            places = self._begins(leaf, scope, docs)
        elif isinstance(leaf, Word):
            field_name = ANYWHERE if scope == TITLE else scope
            each = {t: self.index.places(key(field_name, t).encode(), docs) for t in leaf.terms}
            best_term = max(each, key=lambda t: tuple(self._counted(each[t], scope).codes))
            places = each[best_term]
            name = name if name == best_term else f"{name} → {best_term}"
        else:
            places = self.places(leaf, scope, docs)
        tells = idf(self.index.articles, len(found.docs))
        details = {"share": 1.0, "idf": tells, **self._details(places, number, scope)}
        return Factor(name, score, details)

    def _explain_bonus(self, bonus: Bonus, number: int) -> list[Factor]:
        docs = np.array([number], np.uint32)
        score = float(self.bonus(bonus, docs)[0])
        if not score:
            return []
        slots = [self.places(word, bonus.scope, docs) for word in (bonus.left, bonus.right)]
        places = side_by_side(slots, bonus.distance)
        details = {"share": NEIGHBOURS, "idf": bonus.idf}
        details |= self._details(places, number, bonus.scope)
        return [Factor(f"side by side: {bonus.left} {bonus.right}", score, details)]

    def _details(self, places: Ints, number: int, scope: str) -> dict[str, float]:
        """Return every number of the formula for one article, by its name."""
        index, averages = self.index, self.index.manifest.averages
        if scope not in (ANYWHERE, TITLE):
            worth = float(len(places))
            return {f"{scope} frequency": worth, "saturated": float(saturate(np.array(worth)))}
        titled = int(np.count_nonzero((places & 0xFFFFFFFF) < index.title_words[number]))
        texted = len(places) - titled if scope == ANYWHERE else 0
        found: dict[str, float] = {}
        worth = 0.0
        for name, count, length, average in (
            ("title", titled, index.title_words[number], averages.title),
            ("text", texted, index.text_words[number], averages.text),
        ):
            if count:
                found[f"{name} frequency"] = count
                found[f"{name} length"] = int(length)
                found[f"{name} average length"] = average
                worth += float(weigh(name, np.array(count), np.array(length), average))
        found["weighted frequency"] = worth
        found["saturated"] = float(saturate(np.array(worth)))
        return found


def complete_of(match: Match) -> Bools | slice:
    """Return which of a match's articles have all of the words."""
    return slice(None) if match.complete is None else match.complete


def intersection(sets: list[Numbers]) -> Numbers:
    """Return the numbers that are in all sets, each ascending.

    >>> intersection([np.array([1, 2, 5], np.uint32), np.array([2, 3, 5], np.uint32)])
    array([2, 5], dtype=uint32)
    """
    first, *others = sorted(sets, key=len)
    for other in others:
        first = first[member(first, other)[0]]
    return first


def best(found: list[Postings], size: int) -> Postings:
    """Return the articles that are in any of the postings, with the best of their codes.

    Within one of the postings an article may come more than once, and in any order.

    >>> docs, codes = np.array([7, 2, 7], np.uint32), np.array([1, 5, 9], np.uint16)
    >>> best([Postings(docs, codes)], 10)
    Postings(docs=array([2, 7], dtype=uint32), codes=array([5, 9], dtype=uint16))
    """
    docs = np.concatenate([each.docs for each in found]) if found else np.empty(0, np.uint32)
    codes = np.concatenate([each.codes for each in found]) if found else np.empty(0, np.uint16)
    if len(docs) * 16 > size:
        dense = np.zeros(size, np.uint16)
        np.maximum.at(dense, docs, codes)
        docs = dense.nonzero()[0].astype(np.uint32)
        return Postings(docs, dense[docs])
    keys = docs.astype(np.uint64) << np.uint64(16) | codes
    keys.sort()
    docs = (keys >> np.uint64(16)).astype(np.uint32)
    last = np.ones(len(docs), bool)
    last[:-1] = docs[1:] != docs[:-1]
    return Postings(docs[last], keys[last].astype(np.uint16))


def _any(parts: list[Match]) -> Match:
    """Return the articles of any part, their scores added up."""
    if len(parts) == 1:
        return parts[0]
    docs = np.concatenate([part.docs for part in parts])
    order = docs.argsort(kind="stable")
    docs = docs[order]
    begins = np.ones(len(docs), bool)
    begins[1:] = docs[1:] != docs[:-1]
    first = begins.nonzero()[0]
    scores = np.concatenate([part.scores for part in parts])[order]
    found = Match(docs[first], np.add.reduceat(scores, first) if len(first) else scores)
    if any(part.complete is not None for part in parts):
        each = [np.ones(len(p.docs), bool) if p.complete is None else p.complete for p in parts]
        complete = np.concatenate(each)[order]
        found.complete = np.logical_or.reduceat(complete, first) if len(first) else complete
    return found


def side_by_side(slots: list[Ints], distance: int = 1) -> Ints:
    """Return the places of the first slot that the others follow, each `distance` further on.

    >>> side_by_side([np.array([3, 9]), np.array([4, 11])])
    array([3])
    """
    starts = slots[0]
    for step, places in enumerate(slots[1:], 1):
        if not len(places):
            return places
        wanted = starts + step * distance
        where = places.searchsorted(wanted)
        where[where == len(places)] = 0
        starts = starts[places[where] == wanted]
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
