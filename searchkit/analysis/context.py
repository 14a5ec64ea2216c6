"""Which word is meant: the lemmas of a word, weighed by its neighbours in the sentence.

A hidden Markov model, the textbook's: a sentence is a chain of tags (a preposition with the
genitive, a feminine noun in the genitive), and each word is a form that has some of them. How
likely a tag is after another was learned from plain text, without annotation, by forward-backward
over the readings of the dictionary (`benchmarks/lemmas.py`); that table, `tags.npz`, is all that
is known by numbers, and holds no words. Which words are common and what the forms of closed
classes mean is written by hand, in `common.txt`, `forms.txt` and `phrases.txt`.

The terms of a word stay what they are: only their order depends on the neighbours.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from math import inf
from operator import mul
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from searchkit.analysis import Token
from searchkit.analysis.lists import lines
from searchkit.analysis.normalize import fold, normalize
from searchkit.analysis.tags import CAPITAL, FIRST, SMALL, START, UNKNOWN, tagged
from searchkit.analysis.ukrainian import EUPHONY, GOVERNED, POSSESSIVES, SIGNS

TABLE = Path(__file__).with_name("tags.npz")

_REMEMBERED = 20_000  # pairs of words that are tagged alike: about 40 MB


def in_context(text: str, tokens: Sequence[Token]) -> list[Token]:
    """Return the tokens of a text with the lemmas of each whole word the likeliest here first.

    A spelling that is a word's own lemma but not its term (у, found by в) comes before the term.

    >>> from searchkit.analysis import analyze
    >>> text = "Мати має мати терпіння."
    >>> [token.lemmas[0] for token in in_context(text, analyze(text))]
    ['мати', 'мати', 'мати', 'терпіння']
    """
    chain, places = links(text, tokens)
    chances = _chances([_node(link.form, link.written) for link in chain])
    for place, lemma in _set_phrases(chain):
        chances[place][lemma] = inf
    found = []
    for token, place in zip(tokens, places, strict=True):
        first, form = token.lemmas[0], chain[place].form
        chance = {first: inf} | chances[place]  # a user's word, which no dictionary has
        own = sorted(token.lemmas[: token.own], key=lambda lemma: -chance.get(lemma, 0.0))
        if form in EUPHONY:
            own.insert(0, form)
        lemmas = tuple(dict.fromkeys((*own, *token.lemmas[token.own :])))
        found.append(token._replace(lemmas=lemmas, own=len(own)))
    return found


# -- a sentence as a chain ---------------------------------------------------------------------


class Link(NamedTuple):
    """A word in its folded spelling and how it is written, or a sign between words."""

    form: str
    written: int = FIRST


def links(text: str, tokens: Sequence[Token]) -> tuple[list[Link], list[int]]:
    """Return the words of a text and the signs between them, and which of them the tokens are."""
    chain: list[Link] = []
    places: list[int] = []
    end, begins = 0, True
    for token in tokens:
        between = text[end : token.start]
        if between != " ":
            for sign in filter(None, map(SIGNS.get, between)):
                chain.append(Link(sign))
                begins |= sign in '.:"'
        places.append(len(chain))
        chain.append(Link(fold(normalize(token.text)), _written(token.text, begins)))
        end, begins = token.end, False
    chain += [Link(sign) for sign in filter(None, map(SIGNS.get, text[end:]))]
    return chain, places


def _written(word: str, begins: bool) -> int:
    if not word[0].isupper():
        return SMALL
    return FIRST if begins or (len(word) > 1 and word.isupper()) else CAPITAL


def _set_phrases(chain: Sequence[Link]) -> Iterator[tuple[int, str]]:
    """Yield the places of words whose lemma is told by those beside it, and the lemma.

    That is in a set phrase (так само), and of a possessive behind a preposition: за його наказом.
    """
    phrases, forms = _phrases(), [link.form for link in chain]
    for place, form in enumerate(forms):
        for words, lemmas in phrases.get(form, ()):
            if forms[place : place + len(words)] == words:
                yield from ((place + i, lemma) for i, lemma in lemmas)
        if form in POSSESSIVES and place and forms[place - 1] in GOVERNED:
            yield place, form


# -- what a word may be ------------------------------------------------------------------------


class _Node(NamedTuple):
    """What a word may be.

    Attributes:
        tags: their numbers.
        key: the number of this set of tags.
        weights: how likely this form is for a word with each of the tags; to a factor.
        lemmas: the lemmas of each tag with their shares in its weight.
    """

    tags: tuple[int, ...]
    key: int
    weights: list[float]
    lemmas: list[dict[str, float]]


@lru_cache(100_000)
def _node(form: str, written: int) -> _Node:
    model = tag_model()
    weights: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for lemma, tag, weight in tagged(form, written, model.prior):
        weights[model.number.get(tag, model.number[UNKNOWN])][lemma] += weight
    sums = [sum(lemmas.values()) for lemmas in weights.values()]
    most = max(sums)
    shares = [
        {lemma: weight / of_all for lemma, weight in lemmas.items()}
        for lemmas, of_all in zip(weights.values(), sums, strict=True)
    ]
    return _Node(
        tags := tuple(weights), model.key(tags), [weight / most for weight in sums], shares
    )


# -- the chain of tags -------------------------------------------------------------------------


class _TagModel:
    """How likely each tag is, and each after another.

    Attributes:
        number: of each tag.
        prior: P(tag).
        steps: shape (tags, tags), P(column | row).
    """

    def __init__(self, names: list[str], prior: Any, steps: Any) -> None:
        self.number = {name: number for number, name in enumerate(names)}
        self.prior = dict(zip(names, prior.tolist(), strict=True))
        self.steps = steps
        self._keys: dict[tuple[int, ...], int] = {}
        self._blocks: dict[tuple[int, int], tuple[list[Any], list[Any]]] = {}

    def key(self, tags: tuple[int, ...]) -> int:
        """Number a set of tags."""
        return self._keys.setdefault(tags, len(self._keys))

    def block(self, before: _Node, after: _Node) -> tuple[list[Any], list[Any]]:
        """Return P(after | before) as rows, one for each tag after, and as rows for each before."""
        found = self._blocks.get((before.key, after.key))
        if found is None:
            if len(self._blocks) >= _REMEMBERED:
                self._blocks.clear()
            block = self.steps[np.ix_(before.tags, after.tags)]
            found = self._blocks[before.key, after.key] = block.T.tolist(), block.tolist()
        return found


@cache
def tag_model() -> _TagModel:
    """Load the table of tags; its numbers are eighths of a bit, as -8 log2 P."""
    with np.load(TABLE) as table:
        prior, steps = (np.exp2(table[name] / -8.0) for name in ("prior", "steps"))
        return _TagModel(table["names"].tolist(), prior, steps)


def _chances(nodes: Sequence[_Node]) -> list[dict[str, float]]:
    """Return how likely each lemma of each word is, by forward-backward."""
    if not nodes:
        return []
    model = tag_model()
    start = (model.number[START],)
    before, forward = _Node(start, model.key(start), [1.0], []), [1.0]
    forwards = []
    for node in nodes:
        rows = model.block(before, node)[0]
        forward = [
            sum(map(mul, forward, row)) * w for row, w in zip(rows, node.weights, strict=True)
        ]
        total = sum(forward)
        forwards.append(forward := [chance / total for chance in forward])
        before = node
    backward, chances = [1.0] * len(before.tags), [_lemma_chances(before, forward)]
    for i in range(len(nodes) - 1, 0, -1):
        rest = list(map(mul, nodes[i].weights, backward))
        rows = model.block(nodes[i - 1], nodes[i])[1]
        backward = [sum(map(mul, rest, row)) for row in rows]
        total = max(backward)
        backward = [chance / total for chance in backward]
        chances.append(_lemma_chances(nodes[i - 1], map(mul, forwards[i - 1], backward)))
    return chances[::-1]


def _lemma_chances(node: _Node, tags: Any) -> dict[str, float]:
    found: dict[str, float] = defaultdict(float)
    for chance, lemmas in zip(tags, node.lemmas, strict=True):
        for lemma, share in lemmas.items():
            found[lemma] += chance * share
    return found


@cache
def _phrases() -> dict[str, list[tuple[list[str], list[tuple[int, str]]]]]:
    """Return set phrases by their first word: their words, and the lemmas told with places."""
    found: dict[str, list[tuple[list[str], list[tuple[int, str]]]]] = defaultdict(list)
    for words in lines("phrases.txt"):
        forms, _, told = zip(*(word.partition("/") for word in words), strict=True)
        found[forms[0]].append(([*forms], [(i, lemma) for i, lemma in enumerate(told) if lemma]))
    return dict(found)
