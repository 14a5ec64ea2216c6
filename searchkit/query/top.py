"""Top: the best articles, without scoring every one that matches.

What can be known beforehand is used, and the outcome is the same as that of sorting all:

- of a frequent word the best postings are kept once more, the best first (champions)
- of two words, the rarer one's articles are scored all, and of those that have the more frequent
  one only, its champions
- where enough articles have all of the plain words, those that have some are only counted
- a bonus for words side by side has a bound: who cannot reach the best even with it is left out
"""

from typing import NamedTuple

import numpy as np

from searchkit.codec.segment import CHAMPIONS
from searchkit.index import Bools, Numbers, Postings, member
from searchkit.query.match import Match, Matcher, added, best, meet
from searchkit.query.tree import Node, Or, Some, Word

Span = tuple[int, int]

TRIED = 32  # articles whose bonuses are looked up first, to learn what the best have


class Found(NamedTuple):
    """How many articles match, how many with all words, and the best of them, best first."""

    total: int
    total_complete: int
    page: Match


def top(
    matcher: Matcher, tree: Node, wanted: int, window: Span | None = None, *, by_date: bool = False
) -> Found:
    """Return the `wanted` best articles that match a tree, and how many match in all.

    By relevance, those with all words come before those with some; among equal scores the newest
    come first. By date, the newest come first, those without a date last.

    Args:
        matcher: of the index.
        tree: what is looked for.
        wanted: 0 or more.
        window: the first and the last moment that counts, if not all do.
        by_date: whether the newest come first.
    """
    if window is None and not by_date and 0 < wanted <= CHAMPIONS:
        quick = _quick(matcher, tree, wanted)
        if quick is not None:
            return quick
    found = matcher.match(tree)
    if window is not None:
        found = found.among(matcher.within(found.docs, window))
    page = _newest(matcher, found, wanted) if by_date else _best(matcher, found, wanted)
    return Found(len(found.docs), found.total_complete, page)


def _quick(matcher: Matcher, tree: Node, wanted: int) -> Found | None:
    """Take a short cut, if there is one."""
    match tree:
        case Word():
            return _best_of_word(matcher, tree, wanted)
        case Or((Word() as one, Word() as other)) if one != other:
            pair = _both_and_one(matcher, one, other, wanted)
            if pair is None:
                return None
            total, both, rest = pair
            docs = np.concatenate([both.docs, rest.docs])
            every = Match(docs, np.concatenate([both.scores, rest.scores]))
            return Found(total, total, _ordered(matcher, every, wanted))
        case Some():
            return _best_of_some(matcher, tree, wanted)
    return None


def _best_of_word(matcher: Matcher, word: Word, wanted: int) -> Found | None:
    lists = [matcher.index.champions(term.encode()) for term in word.terms]
    known = [each for each in lists if each is not None and each[0]]
    if None in lists or len(known) > 2:
        return None
    total = sum(count for count, _ in known)
    if len(known) == 2:  # two lemmas
        few, many = sorted(map(matcher.index.postings, map(str.encode, word.terms)), key=_size)[-2:]
        total -= len(member(few.docs, many.docs)[1])
    heads = [Postings(docs[:wanted], codes[:wanted]) for _, (docs, codes) in known]
    docs, codes = heads[0] if len(heads) == 1 else best(heads, matcher.index.size)
    found = Match(docs, codes, matcher.unit(total))
    return Found(total, total, _ordered(matcher, found, wanted))


def _size(postings: Postings) -> int:
    return len(postings.docs)


def _both_and_one(
    matcher: Matcher, one: Word, other: Word, wanted: int
) -> tuple[int, Match, Match] | None:
    """Return how many have either word, those with both, and the best of those with one.

    None if a word has several lemmas, or champions do not suffice.
    """
    if len(one.terms) > 1 or len(other.terms) > 1:
        return None
    few, many = sorted(
        (matcher.match(one), matcher.match(other)), key=lambda match: len(match.docs)
    )
    frequent = other if matcher.match(other) is many else one
    champions = matcher.index.champions(frequent.terms[0].encode())
    if champions is None:
        return None
    has, where = member(few.docs, many.docs)
    docs, codes = champions[1]
    alone = ~member(docs, few.docs)[0]
    docs, codes = docs[alone][:wanted], codes[alone][:wanted]
    if len(docs) < min(wanted, len(many.docs) - len(where)):
        return None
    scores = few.scores
    both = Match(few.docs[has], scores[has] + many.codes[where] * np.float32(many.unit))
    scores = scores[~has]
    rest = Match(
        np.concatenate([few.docs[~has], docs]),
        np.concatenate([scores, codes * np.float32(many.unit)]),
    )
    return len(few.docs) + len(many.docs) - len(where), both, rest


def _best_of_some(matcher: Matcher, node: Some, wanted: int) -> Found | None:
    """Find the best of those with all words; only if they are too few, of those with some."""
    words = tuple(dict.fromkeys(node.wanted))
    if not all(isinstance(word, Word) for word in words):
        return None
    parts = [matcher.match(word) for word in words]
    docs, where = meet([part.docs for part in parts])
    if len(docs) < wanted and len(words) != 2:
        return None
    every = added(docs, parts, where)
    every.bonuses = matcher.bonuses(node, "main")
    if len(docs) >= wanted:
        total = _union(parts, docs, matcher.index.size)
        return Found(total, len(docs), _best(matcher, every, wanted))
    one, other = words
    pair = (
        _both_and_one(matcher, one, other, wanted)
        if isinstance(one, Word) and isinstance(other, Word)
        else None
    )
    if pair is None:
        return None
    total, _, rest = pair
    first = _best(matcher, every, wanted)
    then = _ordered(matcher, rest, wanted - len(docs))
    complete = np.arange(len(first.docs) + len(then.docs)) < len(first.docs)
    scores = np.concatenate([first.scores, then.scores])
    page = Match(np.concatenate([first.docs, then.docs]), scores, complete=complete)
    return Found(total, len(docs), page)


def _union(parts: list[Match], every: Numbers, size: int) -> int:
    if len(parts) == 1:
        return len(every)
    if len(parts) == 2:
        return len(parts[0].docs) + len(parts[1].docs) - len(every)
    seen = np.zeros(size, bool)
    for part in parts:
        seen[part.docs] = True
    return int(np.count_nonzero(seen))


# -- of whatever matches -----------------------------------------------------------------------


def _ordered(matcher: Matcher, found: Match, wanted: int) -> Match:
    """Return the best of articles without bonuses, best first."""
    if len(found.docs) > 4 * wanted:
        found = found.among(_reaching(found, wanted))
    first = matcher.index.first[found.docs]
    order: tuple[np.ndarray, ...] = (found.docs, -first, -found.scores)
    if found.complete is not None:
        order = (*order, ~found.complete)
    return found.among(np.lexsort(order)[:wanted])


def _reaching(found: Match, wanted: int) -> Bools:
    """Tell which articles have at least the score of the `wanted`th."""
    size = len(found.docs)
    if size <= wanted or not wanted:
        return np.full(size, bool(wanted))
    keep: Bools = found.codes >= np.partition(found.codes, size - wanted)[size - wanted]
    return keep


def _best(matcher: Matcher, found: Match, wanted: int) -> Match:
    """Return the best articles by relevance, best first."""
    if found.complete is None:
        return _ordered(matcher, _settled(matcher, found, wanted), wanted)
    every = found.among(found.complete)
    first = _best(matcher, Match(every.docs, every.codes, every.unit, None, found.bonuses), wanted)
    if len(first.docs) < wanted:
        rest = found.among(~found.complete)
        bonuses = [bonus for bonus in found.bonuses if not bonus.is_whole]
        rest = Match(rest.docs, rest.codes, rest.unit, None, bonuses)
        then = _best(matcher, rest, wanted - len(first.docs))
    else:
        then = first.among(slice(0))
    complete = np.arange(len(first.docs) + len(then.docs)) < len(first.docs)
    docs = np.concatenate([first.docs, then.docs])
    return Match(docs, np.concatenate([first.scores, then.scores]), complete=complete)


def _settled(matcher: Matcher, found: Match, wanted: int) -> Match:
    """Drop what cannot be among the best even with all bonuses; add these to the rest."""
    few = max(TRIED, 2 * wanted)
    if not found.bonuses or len(found.docs) <= few or not wanted:
        return matcher.settled(
            found.among(_reaching(found, wanted)) if not found.bonuses else found
        )
    tried = found.among(_reaching(found, few))
    settled = matcher.settled(tried)
    least = np.partition(settled.scores, len(settled.docs) - wanted)[len(settled.docs) - wanted]
    room = sum(bonus.most for bonus in found.bonuses)
    hopeful = found.among(found.scores >= np.float32(least - room))
    if len(hopeful.docs) <= len(tried.docs):
        return settled
    return matcher.settled(hopeful)


def _newest(matcher: Matcher, found: Match, wanted: int) -> Match:
    """Return the newest articles, newest first; of the same moment the best first."""
    first = matcher.index.first
    if len(found.docs) > wanted > 0:
        if len(matcher.index.segments) == 1:  # the newest have the lowest numbers
            oldest = first[found.docs[wanted - 1]]
            bound = len(first) - first[::-1].searchsorted(oldest)
            found = found.among(slice(int(found.docs.searchsorted(bound))))
        else:
            moments = first[found.docs]
            size = len(moments)
            found = found.among(moments >= np.partition(moments, size - wanted)[size - wanted])
    found = matcher.settled(found.among(slice(0)) if not wanted else found)
    some = np.zeros(len(found.docs), bool) if found.complete is None else ~found.complete
    order = np.lexsort((found.docs, -found.scores, some, -first[found.docs]))
    return found.among(order[:wanted])
