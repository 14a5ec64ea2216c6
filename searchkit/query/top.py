"""Top: the best articles of a query, and how many match in all.

Common queries are answered by the kernel, which scores few of the articles that match; any other,
and all of them where there is no kernel, by evaluating the whole tree (`match`) and sorting. Both
give the same articles, in the same order, with scores of the same bits.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from searchkit.errors import QueryTimeout
from searchkit.index import Bools
from searchkit.kernel import kernel
from searchkit.query.match import MOST_WORDS, Asked, Match, Matcher, asked, asks_for_a_form
from searchkit.query.rank import NEIGHBOURS, PAIR_LEAD, WORD_LEAD
from searchkit.query.tree import (
    And,
    Dates,
    Exact,
    Node,
    Or,
    Some,
    Word,
    is_long,
)

Span = tuple[int, int]

TRIED = 32  # articles whose bonuses are looked up first, to learn what the best have
_EVERY, _ANY, _SOME, _LOOSE = range(4)

# A tuple is asked for in a third of the time that it takes to make a union of types.
SINGLE, SEVERAL = (Word, Exact), (And, Or)


class Found(NamedTuple):
    """How many articles match, how many with all words, and the best of them, best first.

    Of each of the best: its number, its score, and whether it has all words.
    """

    total: int
    total_complete: int
    docs: list[int]
    scores: list[float]
    complete: list[bool]


class Plan(NamedTuple):
    """A query as the kernel takes it.

    Attributes:
        words: what is looked for.
        mode: whether articles must have every word, any, or some: the best those that have all, or
            whatever is best.
        bonuses: left word, right word and distance of those that should stand side by side.
        window: the first and the last moment that counts, if not all do.
    """

    words: tuple[Asked, ...]
    mode: int
    bonuses: tuple[tuple[int, int, int], ...] = ()
    window: Span | None = None


def top(
    matcher: Matcher, tree: Node, wanted: int, window: Span | None = None, *, by_date: bool = False
) -> Found:
    """Return the `wanted` best articles that match a tree, and how many match in all.

    By relevance, those with all words come before those with some, unless so many were asked for
    that hardly any has all (`tree.is_long`); among equal scores the newest come first. By date,
    the newest come first, those without a date last.

    Args:
        matcher: of the index.
        tree: what is looked for.
        wanted: 0 or more.
        window: the first and the last moment that counts, if not all do.
        by_date: whether the newest come first.

    Raises:
        ValueError: the kernel met damaged postings.
        QueryTimeout: the matcher's time is over.
    """
    index = matcher.index
    wanted = min(wanted, index.size)  # C has no greater numbers than 64 bits hold
    is_planned = kernel and not (index.foreign and asks_for_a_form(tree))
    plan = planned(tree, window) if is_planned else None
    if plan is not None:
        since, until = plan.window or (0, 0)
        try:
            return Found(*kernel.top(
                index.kernel_segments, plan.words, plan.mode, plan.bonuses,
                index.articles, NEIGHBOURS, WORD_LEAD, PAIR_LEAD, wanted,
                plan.window is not None, since, until, by_date, matcher.deadline.left(),
            ))  # fmt: skip
        except TimeoutError:
            raise QueryTimeout(matcher.deadline.seconds) from None
    found = matcher.match(tree)
    if window is not None:
        found = found.among(matcher.within(found.docs, window))
    is_loose = is_long(tree)
    if by_date:
        page = _newest(matcher, found, wanted, is_loose)
    elif is_loose:
        page = _ordered(matcher, _settled(matcher, found, wanted), wanted)
    else:
        page = _best(matcher, found, wanted)
    complete = [True] * len(page.docs) if page.complete is None else page.complete.tolist()
    docs, scores = page.docs.tolist(), page.scores.tolist()
    return Found(len(found.docs), found.total_complete, docs, scores, complete)


# -- by the kernel -----------------------------------------------------------------------------


def planned(tree: Node, window: Span | None) -> Plan | None:
    """Put a tree as the kernel takes it; None if it is not one of the common ones."""
    if isinstance(tree, Some):
        return _some(tree, window)
    if not isinstance(tree, SEVERAL):
        word = asked(tree)
        return None if word is None else Plan((word,), _EVERY, (), window)
    parts = tree.parts
    if isinstance(tree, And) and window is None:
        dates = [part for part in parts if isinstance(part, Dates)]
        if len(dates) == 1:
            window = dates[0].span
            parts = tuple(part for part in parts if part is not dates[0])
    words = _every(parts)
    mode = _ANY if isinstance(tree, Or) else _EVERY
    return None if words is None else Plan(words, mode, (), window)


def _every(parts: Iterable[Node]) -> tuple[Asked, ...] | None:
    words = []
    for part in parts:
        word = asked(part)
        if word is None:
            return None
        words.append(word)
    return tuple(words) if 0 < len(words) <= MOST_WORDS else None


def _some(tree: Some, window: Span | None) -> Plan | None:
    wanted, is_long = tree.asked()
    numbers: dict[Node, int] = {}
    number_of = {id(part): numbers.setdefault(part, len(numbers)) for part in wanted}
    words = _every(numbers)
    if words is None:
        return None
    bonuses = []
    before = None
    for at, part in enumerate(tree.parts):
        number = number_of.get(id(part))  # a hash would take as long again
        if number is None:
            continue
        is_single = isinstance(part, SINGLE)
        if is_single and before is not None:
            bonuses.append((before[1], number, at - before[0]))
        before = (at, number) if is_single else None
    if len(bonuses) > MOST_WORDS:
        return None
    return Plan(words, _LOOSE if is_long else _SOME, tuple(bonuses), window)


# -- of whatever matches -----------------------------------------------------------------------


def _ordered(matcher: Matcher, found: Match, wanted: int) -> Match:
    """Return the best of articles without bonuses, best first, whatever words they have."""
    if len(found.docs) > 4 * wanted:
        found = found.among(_reaching(found, wanted))
    first = matcher.index.first[found.docs]
    return found.among(np.lexsort((found.docs, -first, -found.scores))[:wanted])


def _reaching(found: Match, wanted: int) -> Bools:
    """Tell which articles have at least the score of the `wanted`th."""
    size = len(found.docs)
    if size <= wanted or not wanted:
        return np.full(size, bool(wanted))
    keep: Bools = found.scores >= np.partition(found.scores, size - wanted)[size - wanted]
    return keep


def _best(matcher: Matcher, found: Match, wanted: int) -> Match:
    """Return the best articles by relevance, best first: those with all words, then others."""
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


def _newest(matcher: Matcher, found: Match, wanted: int, is_loose: bool) -> Match:
    """Return the newest articles, newest first; of the same moment the best first.

    Those with all words are better than any other, unless `is_loose`.
    """
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
    some = np.zeros(len(found.docs), bool)
    if found.complete is not None and not is_loose:
        some = ~found.complete
    order = np.lexsort((found.docs, -found.scores, some, -first[found.docs]))
    return found.among(order[:wanted])
