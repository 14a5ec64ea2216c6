"""A made-up news archive of any size: real word forms, frequencies like those of real text.

    python benchmarks/corpus.py --articles 100000 --out news.jsonl

The words are forms of random entries of pymorphy3's Ukrainian dictionary, drawn by Zipf's law
with real function words at the top. An article keeps coming back to a few words of its own, and
some pairs of words often stand together. The same seed and dictionary give the same bytes.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pymorphy3
from numpy.typing import NDArray

Ints = NDArray[np.int64]

FORMS = 130_000  # distinct word forms
FORMS_OF_A_WORD = 6  # at most
PAIRS = 300  # pairs of words that often stand together
OWN_WORDS = 12  # that an article keeps coming back to
CHUNK = 2_000  # articles made at once
FIRST_DAY, DAYS = date(2014, 1, 1), 3652  # ten years

# The most frequent words of Ukrainian news, roughly in order.
FUNCTION_WORDS = """
    у на в і що з не за до та про як й від це а для його які який із він яка було також по під
    є все ще час після лише її через але цього їх може всі той буде так були бути був або при
    вже щодо ми без вони цей саме тому я якщо вона те тільки під між коли ж мають серед має
    можуть нас більше його цієї того яке себе свої своїх лише зокрема чи над перед де ці тут
    навіть якого якої нам них ним хто ні дуже адже проти тоді однак потім якщо крім зі
""".split()

# Nouns, verbs and adjectives of the news; some of their forms have several lemmas.
COMMON_WORDS = """
    рік україна київ людина країна президент війна влада місто область суд закон рада день місце
    справа партія депутат уряд гривня компанія міністр держава президентський український новий
    російський область банк система світ частина життя робота право програма питання проект
    раз сторона рішення тисяча район великий політичний слово рука державний перший дитина
    бути могти казати мати дати стати заявити отримати знати діло народ земля вода дорога школа
    переговори мир договір вибори бюджет ціна ринок завод голова армія військо фронт мова замок
    посередник брати сім'я дім вулиця зустріч мета віра надія любов лист коса поле хліб дім
""".split()

SOURCES = ("Вісник", "Обрій", "Голос міста", "Ранок", "День за днем", "Кур'єр", "Новини краю")
SECTIONS = ("політика", "економіка", "суспільство", "культура", "спорт", "технології", "світ")


def word_forms(seed: int, wanted: int = FORMS) -> list[str]:
    """Return distinct forms of dictionary words, the most frequent first."""
    morph = pymorphy3.MorphAnalyzer(lang="uk")
    keys = morph.dictionary.words.keys()  # every form that there is, in alphabetical order
    random = np.random.default_rng(seed)
    ranked: list[tuple[int, str]] = []
    seen = set(FUNCTION_WORDS)
    for number, word in enumerate(_entries(keys, random), 1):
        for nth, form in enumerate(_forms(morph, word, random, seen), 1):
            ranked.append((number * nth, form))
        if len(ranked) >= wanted:
            break
    ranked.sort(key=lambda pair: pair[0])
    return [*dict.fromkeys(FUNCTION_WORDS), *(form for _, form in ranked)]


def _entries(keys: list[str], random: np.random.Generator) -> Iterator[str]:
    yield from COMMON_WORDS
    while True:
        yield from (keys[i] for i in random.integers(0, len(keys), 1_000).tolist())


def _forms(morph: Any, word: str, random: np.random.Generator, seen: set[str]) -> list[str]:
    """Return some forms of a word's first dictionary entry that were not seen before."""
    every = dict.fromkeys(form.word for form in morph.parse(word)[0].lexeme)
    fresh = [f for f in every if f not in seen and f.replace("'", "").isalpha() and len(f) > 2]
    chosen = [fresh[i] for i in random.permutation(len(fresh))[:FORMS_OF_A_WORD].tolist()]
    seen.update(chosen)
    return chosen


class _Writer:
    """Makes articles, a chunk at a time, out of word forms."""

    def __init__(self, seed: int) -> None:
        forms = word_forms(seed)
        self._random = np.random.default_rng(seed + 1)
        self._words = np.array(forms + [form[0].upper() + form[1:] for form in forms], object)
        self._tails = np.array([" ", ", ", ". ", ".\n\n"], object)
        self._forms = len(forms)
        first = len(dict.fromkeys(FUNCTION_WORDS))
        self._any = _drawn(np.arange(self._forms))
        self._content = self._any[self._any >= first]
        self._pairs = self._random.choice(self._content, (PAIRS, 2))

    def chunk(self, size: int) -> Iterator[tuple[str, str]]:
        """Yield the titles and texts of some articles."""
        random = self._random
        own = random.choice(self._content, (size, OWN_WORDS))
        lengths = np.exp(random.normal(np.log(265), 0.5, size)).clip(40, 3_000).astype(np.int64)
        ends = np.cumsum(lengths)
        text = self._spelled(self._text(own, lengths), ends)
        for number, (start, end) in enumerate(zip(ends - lengths, ends, strict=True)):
            yield self._title(own[number]), "".join(text[start:end].ravel().tolist()).rstrip()

    def _text(self, own: Ints, lengths: Ints) -> Ints:
        """Return the forms' numbers, of all articles one after the other."""
        random = self._random
        total = int(lengths.sum())
        text = self._any[random.integers(0, len(self._any), total)]
        again = (random.random(total) < 0.12).nonzero()[0]
        article = np.repeat(np.arange(len(lengths)), lengths)
        text[again] = own[article[again], random.integers(0, OWN_WORDS, len(again))]
        places = random.integers(0, total - 1, total // 60)
        pairs = self._pairs[(PAIRS * random.random(len(places)) ** 2).astype(np.int64)]
        text[places], text[places + 1] = pairs[:, 0], pairs[:, 1]
        return text

    def _spelled(self, text: Ints, ends: Ints) -> NDArray[np.object_]:
        """Return each word and what stands behind it, shape (words, 2): sentences, paragraphs."""
        random = self._random
        total = len(text)
        stops = np.cumsum(random.integers(5, 20, total // 5)) - 1
        stops = np.union1d(stops[stops < total], ends - 1)
        tails = (random.random(total) < 0.07).astype(np.int64)
        tails[stops] = 2 + (random.random(len(stops)) < 0.25)
        begins = np.append(0, stops[:-1] + 1)
        text[begins] += self._forms  # the same forms once more, with a capital letter
        pieces = np.empty((total, 2), object)
        pieces[:, 0], pieces[:, 1] = self._words[text], self._tails[tails]
        return pieces

    def _title(self, own: Ints) -> str:
        random = self._random
        title = self._any[random.integers(0, len(self._any), int(random.integers(6, 11)))]
        title[1::2] = random.choice(own, len(title) // 2)
        title[0] += self._forms
        return " ".join(self._words[title].tolist())


def _drawn(numbers: Ints) -> Ints:
    """Return numbers as often as words of these ranks stand in a text: 4 million draws."""
    often = np.cumsum(1 / (numbers + 2.7))  # Zipf's law as Mandelbrot has it, exponent 1
    found: Ints = often.searchsorted((np.arange(1 << 22) + 0.5) * (often[-1] / (1 << 22)))
    return found


def articles(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Yield articles as JSON Lines have them."""
    writer = _Writer(seed)
    random = np.random.default_rng(seed + 2)
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        days, sources, sections = (
            random.integers(0, most, size).tolist() for most in (DAYS, len(SOURCES), len(SECTIONS))
        )
        for number, (title, text) in enumerate(writer.chunk(size)):
            yield {
                "id": f"{first + number:07}",
                "title": title,
                "date": (FIRST_DAY + timedelta(days=days[number])).isoformat(),
                "source": SOURCES[sources[number]],
                "section": SECTIONS[sections[number]],
                "text": text,
            }


def write(path: Path, count: int, seed: int = 1) -> None:
    """Write an archive of so many articles."""
    with path.open("w", encoding="utf-8") as out:
        for article in articles(count, seed):
            out.write(json.dumps(article, ensure_ascii=False) + "\n")


def main() -> None:
    """Read the command line and write the archive."""
    parser = argparse.ArgumentParser(description="Write a made-up news archive.")
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.perf_counter()
    write(given.out, given.articles, given.seed)
    size = given.out.stat().st_size / 1e6
    taken = time.perf_counter() - began
    print(f"{given.articles:,} articles, {size:,.0f} MB, {taken:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
