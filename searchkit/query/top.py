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

from searchkit.index import Bools
from searchkit.query.match import Match, Matcher
from searchkit.query.tree import Node

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
    found = matcher.match(tree)
    if window is not None:
        found = found.among(matcher.within(found.docs, window))
    page = _newest(matcher, found, wanted) if by_date else _best(matcher, found, wanted)
    return Found(len(found.docs), found.total_complete, page)


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
    keep: Bools = found.scores >= np.partition(found.scores, size - wanted)[size - wanted]
    return keep


def _best(matcher: Matcher, found: Match, wanted: int) -> Match:
    """Return the best articles by relevance, best first."""
    if found.complete is None:
        return _ordered(matcher, _settled(matcher, found, wanted), wanted)
    every = found.among(found.complete)
    first = _best(matcher, Match(every.docs, every.scores, None, found.bonuses), wanted)
    if len(first.docs) < wanted:
        rest = found.among(~found.complete)
        bonuses = [bonus for bonus in found.bonuses if not bonus.is_whole]
        rest = Match(rest.docs, rest.scores, None, bonuses)
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
