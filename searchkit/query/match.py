"""Match: a tree is evaluated against an index, whole arrays at a time.

Every node becomes the numbers of the articles that match, ascending, and their scores. The
operators are those of sets. What is costly and changes little, whether words stand side by
side as in the query, is looked at last, and only in articles that it can bring among the best.
"""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise

import numpy as np

from searchkit.codec.arrays import changes
from searchkit.errors import QueryTimeout, RequestError
from searchkit.index import (
    AT_ONCE,
    POSITION,
    POSITION_BITS,
    Bools,
    Index,
    Ints,
    Numbers,
    Postings,
    joined,
    member,
)
from searchkit.kernel import kernel
from searchkit.query.rank import (
    K1,
    LEAD_WORDS,
    NEIGHBOURS,
    PAIR_LEAD,
    WORD_LEAD,
    Floats,
    idf,
    norms,
    saturate,
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
from searchkit.schema import FIELD_NAMES, GAP, key

Span = tuple[int, int]

Asked = tuple[int, bool, tuple[object, ...]]  # a word as the kernel takes it

MOST_WORDS = 16  # that the kernel takes
_PLACES = 1 << 22  # postings of the words of a phrase whose places are in memory at once
_REACHED = 1 << 12  # likewise, articles in which stretches are looked for

_WORD, _FORM, _PREFIX, _PHRASE = range(4)

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
    scores: Floats
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
    score, known before a single place is read. `lead` is what it is worth more among the first
    words of a text.
    """

    left: Leaf
    right: Leaf
    distance: int
    scope: str
    idf: float
    is_whole: bool  # whether no other words were asked for
    lead: float

    @property
    def most(self) -> float:
        """What it adds to no score more than."""
        return NEIGHBOURS * self.idf * (K1 + 1 + self.lead)


class Deadline:
    """When the time of a query is over.

    Attributes:
        seconds: how long it may take from now on; infinity if for ever.
    """

    def __init__(self, seconds: float | None = None) -> None:
        if seconds is not None and math.isnan(seconds):
            raise RequestError("timeout is a number of seconds, and nan is none.")
        self.seconds = math.inf if seconds is None else seconds
        self._end = math.inf if seconds is None else time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, 0 at least; -1 if the time is never over."""
        return -1 if self._end == math.inf else max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise QueryTimeout if the time is over."""
        if self._end != math.inf and time.monotonic() > self._end:
            raise QueryTimeout(self.seconds)


class Matcher:
    """Evaluates trees against one index; keeps what it found of each part of one query.

    Whatever takes long raises QueryTimeout when the deadline is over: it is looked at before each
    part of a tree, and while places are read.
    """

    def __init__(self, index: Index, deadline: Deadline | None = None) -> None:
        self.index = index
        self.deadline = deadline or Deadline()
        self._found: dict[tuple[Leaf | Phrase, str, float], Match] = {}

    def match(self, node: Node, scope: str = ANYWHERE, lead: float = 0) -> Match:
        """Return the articles that match a node when it is looked for in one scope.

        A word or a phrase is worth `lead` more among the first words of a text.
        """
        self.deadline.check()
        match node:
            case Word() | Exact() | Prefix():
                if (node, scope, lead) not in self._found:
                    self._found[node, scope, lead] = self._leaf(node, scope, lead)
                return self._found[node, scope, lead]
            case Phrase():
                if (node, scope, lead) not in self._found:
                    self._found[node, scope, lead] = self._phrase(node, scope, lead)
                return self._found[node, scope, lead]
            case Field(name, part):
                return self.match(part, FIELD_NAMES[name])
            case Dates() | Not():
                return self._every((node,), scope)
            case And(parts):
                return self._every(parts, scope)
            case Or(parts):
                return _any([self.settled(self.match(part, scope)) for part in parts])
            case Some():
                return self._some(node, scope)

    # -- words --

    def _leaf(self, leaf: Leaf, scope: str, lead: float) -> Match:
        if isinstance(leaf, Prefix):
            parts = (with_lead(found, lead) for found in self._starting(leaf, scope))
            return self._ranked(best(parts, self.index.size))
        name = ANYWHERE if scope == TITLE else scope
        if isinstance(leaf, Exact):
            each = [self._counted(self.index.form_places(key(name, leaf.form).encode()), scope)]
        else:
            terms = [key(name, term).encode() for term in leaf.terms]
            each = [self.index.postings(term, scope == TITLE) for term in terms]
        each = [with_lead(found, lead) for found in each]
        return self._ranked(each[0] if len(each) == 1 else best(each, self.index.size))

    def _starting(self, prefix: Prefix, scope: str) -> Iterator[Postings]:
        """Yield what the words of a prefix are worth, in parts; with an eye on the clock."""
        start = key(ANYWHERE if scope == TITLE else scope, prefix.start).encode()
        for found in self.index.starting(start, scope == TITLE):
            self.deadline.check()
            yield found
        for places, forms in self.index.forms_starting(start):
            self.deadline.check()
            yield self._counted(places, scope, forms)

    def _ranked(self, found: Postings) -> Match:
        tells = idf(self.index.articles, len(found.docs))
        return Match(found.docs, found.worths * np.float32(tells))

    def _counted(self, places: Ints, scope: str, forms: Ints | None = None) -> Postings:
        """Treat places like those of one term: count them, and say what they are worth.

        Those of several forms are counted for each form by itself.
        """
        docs = places >> POSITION_BITS
        in_title = (places & POSITION) < self.index.title_words[docs]
        if scope == TITLE:
            forms = None if forms is None else forms[in_title]
            docs, in_title = docs[in_title], in_title[in_title]
        begins = changes(docs) if forms is None else changes(docs) | changes(forms)
        first = begins.nonzero()[0]
        if not len(first):
            return joined([])
        counts = np.diff(first, append=len(docs))
        leads = np.zeros(len(first), bool)
        if scope == ANYWHERE:
            behind = (places & POSITION) - self.index.title_words[docs] - GAP
            leads = np.logical_or.reduceat((behind >= 0) & (behind < LEAD_WORDS), first)
        docs = docs[first]
        if scope not in (ANYWHERE, TITLE):
            return Postings(docs.astype(np.uint32), saturate(counts), leads)
        titled = np.add.reduceat(in_title.astype(np.int64), first)
        worths = self.index.worths(docs, titled, counts - titled)
        return Postings(docs.astype(np.uint32), worths, leads)

    # -- words in relation --

    def _phrase(self, phrase: Phrase, scope: str, lead: float) -> Match:
        both = None
        if phrase.slop is not None:
            words = dict.fromkeys(phrase.words)
            both, _ = meet([self.match(word, scope).docs for word in words])
        found = self._counted(self._begins(phrase, scope, both), scope)
        return self._ranked(with_lead(found, lead))

    def _begins(self, phrase: Phrase, scope: str, among: Numbers | None) -> Ints:
        """Return where a phrase begins in some articles, or in all, ascending.

        Of words that are in very many articles only so many places are read at once: a prefix of
        one letter has a tenth of all that there are.
        """
        many = sum(self._having(word, scope) for word in {*phrase.words})
        if among is None and many > _PLACES:
            among = self.index.living().astype(np.uint32)
        if among is None:
            return self._begins_in(phrase, scope, None)
        share = len(among) / max(self.index.size, 1)
        pieces = np.array_split(among, 1 + int(many * share) // _PLACES)
        return np.concatenate([self._begins_in(phrase, scope, piece) for piece in pieces])

    def _begins_in(self, phrase: Phrase, scope: str, among: Numbers | None) -> Ints:
        if phrase.slop is None:
            return self._side_by_side(list(enumerate(phrase.words)), scope, among)
        assert among is not None  # noqa: S101 - else every place of every word would be read
        slots, found = self.slots(phrase, scope, among), [np.empty(0, np.int64)]
        edges = np.append(among[::_REACHED], self.index.size).astype(np.int64) << POSITION_BITS
        cuts = [places.searchsorted(edges) for places in slots]
        for i in range(len(edges) - 1):
            self.deadline.check()
            each = [p[cut[i] : cut[i + 1]] for p, cut in zip(slots, cuts, strict=True)]
            found.append(within_reach(each, phrase.words, phrase.slop))
        return np.concatenate(found)

    def _side_by_side(
        self, words: list[tuple[int, Leaf]], scope: str, among: Numbers | None
    ) -> Ints:
        """Return where words stand at these distances, the rarest looked up first.

        Places of the others are read in those articles only that are still in question.
        """
        words.sort(key=lambda word: self._having(word[1], scope))
        (distance, rarest), *others = words
        places = self.places(rarest, scope, among)
        begins = places[(places & POSITION) >= distance] - distance
        for distance, word in others:
            if not len(begins):
                break
            every = begins >> POSITION_BITS
            docs: Numbers = every[changes(every)].astype(np.uint32)
            begins = followed(begins, self.places(word, scope, docs), distance)
        return begins

    def _having(self, leaf: Leaf, scope: str) -> int:
        """Return how many postings are read to find the places of a word, roughly."""
        name, index = ANYWHERE if scope == TITLE else scope, self.index
        if isinstance(leaf, Prefix):
            return index.having_like(key(name, leaf.start).encode())
        if isinstance(leaf, Exact):  # any of its terms stands wherever the form does
            terms = index.terms_of(key(name, leaf.form))[:1]
        else:
            terms = tuple(key(name, term) for term in leaf.terms)
        return sum(index.having(term.encode()) for term in terms)

    def slots(self, phrase: Phrase, scope: str, among: Numbers) -> list[Ints]:
        """Return the places of each word of a phrase in some articles, ascending."""
        places = {w: self.places(w, scope, among) for w in dict.fromkeys(phrase.words)}
        return [places[word] for word in phrase.words]

    def places(self, leaf: Leaf, scope: str, among: Numbers | None) -> Ints:
        """Return where a word stands in some articles, or in all, ascending and once each."""
        name = ANYWHERE if scope == TITLE else scope
        self.deadline.check()
        is_hidden = isinstance(leaf, Exact) and bool(self.index.foreign)  # see `asks_for_a_form`
        if kernel and not is_hidden:
            return self.places_of(asked(leaf, name), among)
        if isinstance(leaf, Prefix):
            return self._starting_places(key(name, leaf.start).encode(), among)
        if isinstance(leaf, Exact):
            return np.unique(self.index.form_places(key(name, leaf.form).encode(), among))
        found = [self.index.places(key(name, term).encode(), among) for term in leaf.terms]
        found = [places for places in found if len(places)] or found[:1]
        return found[0] if len(found) == 1 else once(found)

    def places_of(self, word: Asked | None, among: Numbers | None) -> Ints:
        """Return what `Index.places_of` does."""
        try:
            return self.index.places_of(word, among, self.deadline.left())
        except TimeoutError:
            raise QueryTimeout(self.deadline.seconds) from None

    def _starting_places(self, start: bytes, among: Numbers | None) -> Ints:
        """Return the places of a prefix, ascending and once each; with an eye on the clock."""
        parts = [np.empty(0, np.int64)]
        for part in self.index.starting_places(start, among):
            self.deadline.check()
            parts.append(np.sort(part, kind="stable"))
        pieces = sum(map(len, parts)) // AT_ONCE + 1
        edges = np.linspace(0, self.index.size, pieces + 1).astype(np.int64) << POSITION_BITS
        cuts = [part.searchsorted(edges) for part in parts]
        found = []
        for i in range(pieces):
            self.deadline.check()
            each = [part[cut[i] : cut[i + 1]] for part, cut in zip(parts, cuts, strict=True)]
            found.append(once(each))
        return np.concatenate(found)

    def _some(self, node: Some, scope: str) -> Match:
        lead = WORD_LEAD if node.is_long else 0
        parts = [self.match(part, scope, lead) for part in dict.fromkeys(node.wanted)]
        found = _any([Match(p.docs, p.scores, p.complete) for p in parts])
        every, _ = meet([part.docs[complete_of(part)] for part in parts])
        found.complete = member(found.docs, every)[0]
        found.bonuses = self.bonuses(node, scope)
        return found

    def bonuses(self, node: Some, scope: str) -> list[Bonus]:
        """Return what plain words may add to a score by standing side by side."""
        parts = {part: self.match(part, scope) for part in node.wanted}
        bonuses = [bonus for part in parts.values() for bonus in part.bonuses]
        asked = [i for i, part in enumerate(node.parts) if part in parts]
        for i, j in pairwise(asked):
            left, right = node.parts[i], node.parts[j]
            if isinstance(left, Word | Exact) and isinstance(right, Word | Exact):
                rarer = min(len(parts[left].docs), len(parts[right].docs))
                if rarer:
                    tells = idf(self.index.articles, rarer)
                    is_whole = left != right and len(parts) == 2
                    lead = PAIR_LEAD if node.is_long else 0
                    bonuses.append(Bonus(left, right, j - i, scope, tells, is_whole, lead))
        return bonuses

    def bonus(self, bonus: Bonus, docs: Numbers) -> Floats:
        """Return what a pair of words adds to the scores of some articles, ascending."""
        more = np.zeros(len(docs), np.float32)
        found = with_lead(self._counted(self._pair(bonus, docs), bonus.scope), bonus.lead)
        more[docs.searchsorted(found.docs)] = found.worths * np.float32(NEIGHBOURS * bonus.idf)
        return more

    def _pair(self, bonus: Bonus, docs: Numbers) -> Ints:
        pair = [(0, bonus.left), (bonus.distance, bonus.right)]
        return self._side_by_side(pair, bonus.scope, docs)

    # -- logic --

    def _every(self, parts: tuple[Node, ...], scope: str) -> Match:
        """Match all parts: words first, the rarest leading, then dates and what is excluded."""
        wanted = [self.match(p, scope) for p in parts if not isinstance(p, Dates | Not)]
        if not wanted:
            every = self.index.living().astype(np.uint32)
            wanted = [Match(every, np.zeros(len(every), np.float32))]
        docs, where = meet([match.docs for match in wanted])
        for part in parts:
            if isinstance(part, Dates):
                keep = self.within(docs, part.span)
            elif isinstance(part, Not):
                keep = ~member(docs, self.match(part.part, scope).docs)[0]
            else:
                continue
            docs, where = docs[keep], [places[keep] for places in where]
        return added(docs, wanted, where)

    def settled(self, found: Match) -> Match:
        """Add all bonuses to the scores."""
        if not found.bonuses or not len(found.docs):
            return Match(found.docs, found.scores, found.complete)
        more = {bonus: self.bonus(bonus, found.docs) for bonus in dict.fromkeys(found.bonuses)}
        scores = reduce(np.add, (more[bonus] for bonus in found.bonuses), found.scores)
        return Match(found.docs, scores, found.complete)

    def within(self, docs: Numbers, span: Span) -> Bools:
        """Tell which articles may have been published between two moments, both included."""
        since, until = span
        first, last = self.index.first[docs], self.index.last[docs]
        return (first > 0) & (last >= since) & (first <= until)

    # -- why --

    def explain(
        self, node: Node, number: int, scope: str = ANYWHERE, lead: float = 0
    ) -> list[Factor]:
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
                lead = WORD_LEAD if node.is_long else 0
                having = [part for part in wanted if number in self.match(part, scope, lead).docs]
                factors = [f for part in having for f in self.explain(part, number, scope, lead)]
                bonuses = self.bonuses(node, scope)
                own = [b for b in bonuses if b.left in node.parts and b.right in node.parts]
                return factors + [f for b in own for f in self._explain_bonus(b, number)]
            case Word() | Exact() | Prefix() | Phrase():
                return [self._explain_leaf(node, number, scope, lead)]

    def _explain_leaf(self, leaf: Leaf | Phrase, number: int, scope: str, lead: float) -> Factor:
        found = self.match(leaf, scope, lead)
        score = float(found.scores[found.docs.searchsorted(number)])
        docs = np.array([number], np.uint32)
        name = str(leaf)
        if isinstance(leaf, Phrase):
            places = self._begins(leaf, scope, docs)
        elif isinstance(leaf, Word):
            field_name = ANYWHERE if scope == TITLE else scope
            each = {t: self.index.places(key(field_name, t).encode(), docs) for t in leaf.terms}
            worths = {t: with_lead(self._counted(each[t], scope), lead).worths for t in each}
            best_term = max(each, key=lambda t: tuple(worths[t]))
            places = each[best_term]
            name = name if name == best_term else f"{name} → {best_term}"
        else:
            places = self.places(leaf, scope, docs)
        tells = idf(self.index.articles, len(found.docs))
        details = {"share": 1.0, "idf": tells, **self._details(places, number, scope, lead)}
        return Factor(name, score, details)

    def _explain_bonus(self, bonus: Bonus, number: int) -> list[Factor]:
        docs = np.array([number], np.uint32)
        score = float(self.bonus(bonus, docs)[0])
        if not score:
            return []
        places = self._pair(bonus, docs)
        details = {"share": NEIGHBOURS, "idf": bonus.idf}
        details |= self._details(places, number, bonus.scope, bonus.lead)
        return [Factor(f"side by side: {bonus.left} {bonus.right}", score, details)]

    def _details(self, places: Ints, number: int, scope: str, lead: float) -> dict[str, float]:
        """Return every number of the formula for one article, by its name."""
        index, averages = self.index, self.index.manifest.averages
        if scope not in (ANYWHERE, TITLE):
            worth = float(len(places))
            return {f"{scope} frequency": worth, "saturated": float(saturate(np.array(worth)))}
        titled = int(np.count_nonzero((places & POSITION) < index.title_words[number]))
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
                worth += count * float(norms(name, np.array(length), average))
        found["weighted frequency"] = worth
        found["saturated"] = float(saturate(np.array(worth)))
        if lead and self._counted(places, scope).leads.any():
            found["in the lead"] = lead
        return found


def asked(node: Node, scope: str = ANYWHERE) -> Asked | None:
    """Put a leaf or a phrase as the kernel takes it; None if it takes no such thing."""
    match node:
        case Word(terms=terms):
            if scope in (ANYWHERE, TITLE):  # most are: their terms stand as they are
                return _WORD, scope == TITLE, terms
            return _WORD, False, tuple([key(scope, term) for term in terms])
        case Field(field, part):
            return asked(part, FIELD_NAMES[field])
        case Exact(form) if scope != TITLE:
            return _FORM, False, (key(scope, form),)
        case Prefix(start) if scope != TITLE:
            return _PREFIX, False, (key(scope, start),)
        case Phrase(words, None) if scope != TITLE and len(words) <= MOST_WORDS:
            each = [asked(word, scope) for word in words if not isinstance(word, Prefix)]
            return (_PHRASE, False, tuple(each)) if len(each) == len(words) else None
    return None


def with_lead(found: Postings, lead: float) -> Postings:
    """Return postings that are worth so much more where the word stands in the lead."""
    if not lead:
        return found
    more: Floats = found.leads.astype(np.float32) * np.float32(lead)
    return found._replace(worths=found.worths + more)


def asks_for_a_form(node: Node) -> bool:
    """Tell whether an exact form is asked for, of which the kernel finds only one language's."""
    return any(
        isinstance(word, Exact)
        for part, _ in leaves(node, ())
        for word in (part.words if isinstance(part, Phrase) else [part])
    )


def complete_of(match: Match) -> Bools | slice:
    """Return which of a match's articles have all of the words."""
    return slice(None) if match.complete is None else match.complete


def meet(sets: Sequence[Numbers]) -> tuple[Numbers, list[Ints]]:
    """Return the numbers that are in all sets, each ascending, and where they stand in each.

    >>> meet([np.array([1, 2, 5], np.uint32), np.array([2, 3, 5], np.uint32)])
    (array([2, 5], dtype=uint32), [array([1, 2]), array([0, 2])])
    """
    first, *others = sorted(range(len(sets)), key=lambda which: len(sets[which]))
    docs = sets[first]
    where = {first: np.arange(len(docs))}
    for other in others:
        found, places = member(docs, sets[other])
        docs = docs[found]
        where = {which: place[found] for which, place in where.items()}
        where[other] = places
    return docs, [where[which] for which in range(len(sets))]


def best(found: Iterable[Postings], size: int) -> Postings:
    """Return the articles that are in any of the postings, with the best of what they are worth.

    Within one of the postings an article may come more than once, and in any order.

    >>> docs, worths = np.array([7, 2, 7], np.uint32), np.array([0.25, 1, 0.5], np.float32)
    >>> docs, worths, _ = best([Postings(docs, worths, np.zeros(3, bool))], 10)
    >>> docs.tolist(), worths.tolist()
    ([2, 7], [1.0, 0.5])
    """
    few, total, dense = list[Postings](), 0, None
    for part in found:
        few.append(part)
        total += len(part.docs)
        if dense is None and total * 16 > size:
            dense = np.zeros(size, np.float32)
        if dense is not None:
            for docs, worths, _ in few:
                np.maximum.at(dense, docs, worths)
            few = []
    if dense is not None:
        docs = dense.nonzero()[0].astype(np.uint32)
        return Postings(docs, dense[docs], np.zeros(len(docs), bool))
    docs, worths, _ = joined(few)
    # floats of 0 and more are in the order of their bits
    keys = docs.astype(np.uint64) << np.uint64(32) | worths.view(np.uint32)
    keys.sort()
    docs = (keys >> np.uint64(32)).astype(np.uint32)
    last = np.ones(len(docs), bool)
    last[:-1] = docs[1:] != docs[:-1]
    worths = keys[last].astype(np.uint32).view(np.float32)
    return Postings(docs[last], worths, np.zeros(len(worths), bool))


def added(docs: Numbers, parts: Sequence[Match], where: Sequence[Ints]) -> Match:
    """Add up what several parts say of articles that all of them have; each says it where."""
    found = Match(docs, np.zeros(len(docs), np.float32))
    for part, places in zip(parts, where, strict=True):
        found.scores = found.scores + part.scores[places]
        if part.complete is not None:
            complete = part.complete[places]
            found.complete = complete if found.complete is None else found.complete & complete
        found.bonuses += part.bonuses
    return found


def _any(parts: list[Match]) -> Match:
    """Return the articles of any part, their scores added up."""
    if len(parts) == 1:
        return parts[0]
    docs = np.sort(np.concatenate([part.docs for part in parts]))
    docs = docs[changes(docs)]
    found = Match(docs, np.zeros(len(docs), np.float32))
    is_told = any(part.complete is not None for part in parts)
    complete = np.zeros(len(docs), bool)
    for part in parts:
        where = docs.searchsorted(part.docs)
        found.scores[where] += part.scores
        complete[where] |= True if part.complete is None else part.complete
    found.complete = complete if is_told else None
    return found


def once(parts: Sequence[Ints]) -> Ints:
    """Return the numbers of several arrays, ascending and once each.

    >>> once([np.array([3, 9]), np.array([3, 4])])
    array([3, 4, 9])
    """
    # of ascending parts a stable sort takes half as long; np.unique hashes first
    numbers = np.sort(np.concatenate(parts), kind="stable")
    return numbers[changes(numbers)]


def followed(begins: Ints, places: Ints, distance: int) -> Ints:
    """Return those beginnings behind which, at some distance, there is a place.

    >>> followed(np.array([3, 9]), np.array([4, 11]), 1)
    array([3])
    """
    if not len(places):
        return places
    where = places.searchsorted(begins + distance)
    where[where == len(places)] = 0
    kept: Ints = begins[places[where] == begins + distance]
    return kept


def within_reach(slots: list[Ints], words: tuple[Leaf, ...], slop: int) -> Ints:
    """Return where stretches begin that hold a word of every slot, `slop` others at most.

    A word that was asked for twice must stand there twice.

    >>> within_reach([np.array([7]), np.array([3])], (Exact("a"), Exact("b")), 3)
    array([3])
    """
    starts = once(slots)
    reach = starts + len(slots) - 1 + slop
    for which, places in enumerate(slots):
        nth = words[:which].count(words[which])
        ends = np.append(places, [np.iinfo(np.int64).max] * (nth + 1))
        keep = ends[np.searchsorted(places, starts) + nth] <= reach
        starts, reach = starts[keep], reach[keep]
    return starts
