"""The queries: drawn from the corpus with a seed, the same for every engine.

Words are classed by how many articles have them, in powers of two; a class is drawn first, then a
word of it, so that frequent, middling and rare words take equal part. But for `SEVERAL`, the words
of a query have one lemma each, of which no form has another: an engine that is fed first lemmas
finds as many articles by them as one that knows all, and the totals can be compared.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from itertools import islice, pairwise
from pathlib import Path

from peers import (
    AND,
    EXACT,
    NEWEST,
    OR,
    PHRASE,
    PLAIN,
    PREFIX,
    SEVERAL,
    WINDOW,
    Lemmatizer,
    Query,
    read_articles,
)

from searchkit.analysis import terms
from searchkit.analysis.ukrainian import FUNCTION_WORDS

SAMPLE = 10_000  # articles that words are drawn from
PAIRS_FROM = 1_000  # articles of these that phrases are drawn from
SMALLEST = 20  # words of a class


class Drawer:
    """Draws queries from the words of a sample of the corpus.

    Attributes:
        frequency: in how many articles of the sample each lemma is that is fit for a query.
    """

    def __init__(self, corpus: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._forms: dict[str, set[str]] = defaultdict(set)
        self._frequency: Counter[str] = Counter()
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._several: Counter[str] = Counter()
        self._days: set[str] = set()
        self._lemma = Lemmatizer()
        self.sampled = 0
        for article in _sample(corpus):
            self._read(article)
        shared = {lemma for form in self._several for lemma in terms_of(form)}
        self.frequency = {
            lemma: count
            for lemma, count in self._frequency.items()
            if lemma not in shared and _is_content(lemma)
        }
        self._classes = _classes(self.frequency)

    def _read(self, article: dict[str, str]) -> None:
        words = self._lemma.words(f"{article['title']}\n{article['text']}")
        for word in (distinct := set(words)):
            self._forms[self._lemma[word]].add(word)
            if len(terms_of(word)) > 1:
                self._several[word] += 1
        self._frequency.update({self._lemma[word] for word in distinct})
        if self.sampled < PAIRS_FROM:
            self._pairs.update(pairwise(words))
        if day := article.get("date"):
            self._days.add(day[:10])
        self.sampled += 1

    def draw(self, kind: str, count: int) -> list[Query]:
        """Return so many queries of a kind."""
        if kind == PHRASE:
            return self._phrases(count)
        if kind == SEVERAL:
            return [self._query(kind, "{}", form) for form in self._ambiguous(count)]
        if kind == PREFIX:
            return [self._prefix() for _ in range(count)]
        pattern = {
            OR: "{} OR {}", NEWEST: "{} OR {}", AND: "{} AND {}", PLAIN: "{} {}", EXACT: "={}",
        }.get(kind, "{}")  # fmt: skip
        return [
            self._query(kind, pattern, *self._distinct(pattern.count("{}"))) for _ in range(count)
        ]

    def _query(self, kind: str, pattern: str, *forms: str) -> Query:
        words = forms if kind == EXACT else tuple(self._lemma[form] for form in forms)
        since, until = self._window() if kind == WINDOW else (None, None)
        return Query(kind, pattern.format(*forms), words, since, until)

    def _distinct(self, count: int) -> list[str]:
        """Return forms of so many different words."""
        found: dict[str, str] = {}
        while len(found) < count:
            lemma = self._random.choice(self._random.choice(self._classes))
            found[lemma] = self._random.choice(sorted(self._forms[lemma]))
        return list(found.values())

    def _phrases(self, count: int) -> list[Query]:
        """Half of them pairs that often stand together, half any that do."""
        fit = {
            pair: often
            for pair, often in self._pairs.items()
            if all(self._lemma[word] in self.frequency for word in pair) and len(set(pair)) == 2
        }
        often = [pair for pair, count in fit.items() if count > 2] or list(fit)
        chosen = self._random.choices(often, k=count // 2)
        chosen += self._random.choices(list(fit), k=count - len(chosen))
        return [self._query(PHRASE, '"{} {}"', *pair) for pair in chosen]

    def _ambiguous(self, count: int) -> list[str]:
        fit = {
            form: often
            for form, often in self._several.items()
            if _is_content(form) and terms_of(form)[0] not in FUNCTION_WORDS
        }
        classes = _classes(fit)
        return [self._random.choice(self._random.choice(classes)) for _ in range(count)]

    def _prefix(self) -> Query:
        [word] = self._distinct(1)
        while len(word) < 6:
            [word] = self._distinct(1)
        start = word[: self._random.randint(4, 5)]
        return Query(PREFIX, f"{start}*", (start,))

    def _window(self) -> tuple[str, str]:
        first, last = date.fromisoformat(min(self._days)), date.fromisoformat(max(self._days))
        days = (last - first).days
        since = first + timedelta(days=self._random.randint(0, days * 9 // 10))
        return since.isoformat(), (since + timedelta(days=days // 10)).isoformat()


@cache
def terms_of(word: str) -> tuple[str, ...]:
    """Return every term by which a word is found, as searchkit has them."""
    return terms(word)[0]


def _classes(frequency: dict[str, int]) -> list[list[str]]:
    """Return the words by powers of two of their frequency; a class too small joins the next."""
    found: dict[int, list[str]] = defaultdict(list)
    for word, count in sorted(frequency.items()):
        found[count.bit_length()].append(word)
    classes: list[list[str]] = []
    for _, words in sorted(found.items()):
        if classes and len(words) < SMALLEST:
            classes[-1] += words
        else:
            classes.append(words)
    return classes


def _is_content(word: str) -> bool:
    return len(word) > 2 and word.isalpha() and word not in FUNCTION_WORDS


def _sample(corpus: Path) -> Iterator[dict[str, str]]:
    """Yield articles from the whole of the corpus, at equal distances."""
    first = list(islice(read_articles(corpus), 100))
    size = sum(len(json.dumps(each, ensure_ascii=False).encode()) for each in first) / len(first)
    step = max(1, round(corpus.stat().st_size / size / SAMPLE))
    yield from read_articles(corpus, step)
