"""How often the first lemma is right, and where the table behind that comes from.

    python benchmarks/lemmas.py measure GOLD.conllu...   how often `analyze` is right
    python benchmarks/lemmas.py learn NEWS.jsonl         make searchkit/analysis/tags.npz anew

GOLD is a treebank of Universal Dependencies. NEWS is plain text: it has no annotation, and
nothing of it but how often a tag follows another goes into the table. Learning takes some
minutes on a million words; the measurement needs NEWS never to have seen GOLD.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from searchkit.analysis import analyze
from searchkit.analysis.context import TABLE, Link, in_context, links
from searchkit.analysis.normalize import fold, normalize
from searchkit.analysis.tags import START, UNKNOWN, tagged
from searchkit.corpus import Corpus

LEFT_OUT = {"PUNCT", "SYM", "NUM"}
LONGEST = 150  # words and signs of a paragraph that is learned from
ROUNDS = 5
TRUST = 5  # a step that was hardly ever seen is as likely as its tag, by so many observations


# -- measure -----------------------------------------------------------------------------------


def measure(path: str) -> None:
    """Print how many words of a treebank have their lemma first, and among all."""
    seen: Counter[str] = Counter()
    for text, gold in sentences(path):
        found = {(token.start, token.end): token for token in in_context(text, analyze(text))}
        for start, end, lemma, kind in gold:
            if kind not in LEFT_OUT:
                token = found.get((start, end))
                lemmas = token.lemmas if token else ()
                seen["words"] += 1
                seen["cut otherwise"] += token is None
                seen["lemma first"] += lemmas[:1] == (lemma,)
                seen["lemma among all"] += lemma in lemmas
    words = seen.pop("words")
    shares = ", ".join(f"{name} {count / words:.2%}" for name, count in seen.items())
    print(f"{Path(path).name}: {words} words, {shares}")


def sentences(path: str) -> Iterator[tuple[str, list[tuple[int, int, str, str]]]]:
    """Yield each sentence of a treebank: start, end, lemma and part of speech of its words."""
    for block in Path(path).read_text(encoding="utf-8").split("\n\n"):
        text = re.search(r"^# text = (.*)$", block, re.MULTILINE)
        if not text:
            continue
        words, end = [], 0
        for line in block.split("\n"):
            columns = line.split("\t")
            if columns[0].isdigit() and (start := text[1].find(columns[1], end)) >= 0:
                end = start + len(columns[1])
                words.append((start, end, fold(normalize(columns[2])), columns[3]))
        yield text[1], words


# -- learn -------------------------------------------------------------------------------------


def learn(texts: Iterable[str]) -> None:
    """Count which tag follows which, by forward-backward, and write the table."""
    numbers: dict[Link, int] = {}
    chains = [
        [numbers.setdefault(link, len(numbers)) for link in links(line, analyze(line))[0]]
        for text in texts
        for line in text.split("\n")
    ]
    batches = list(padded([chain for chain in chains if 0 < len(chain) < LONGEST]))
    readings = [each for link in numbers for each in tagged(*link, prior={})]
    names = sorted({each.tag for each in readings} | {UNKNOWN, START})
    of_tags = np.full(len(names), 1 / len(names))
    steps = np.full((len(names), len(names)), 1 / len(names))
    for number in range(ROUNDS):
        weights = weights_of(numbers, dict(zip(names, of_tags.tolist(), strict=True)))
        counts, likelihood = expected(batches, steps, weights, names.index(START))
        of_tags = counts.sum(0) / counts.sum()
        counts = corrected(counts, names)
        steps = (counts + TRUST * of_tags) / (counts.sum(1, keepdims=True) + TRUST)
        print(f"round {number + 1}: log-likelihood {likelihood:.0f}", file=sys.stderr, flush=True)
    with TABLE.open("wb") as file:
        np.savez_compressed(
            file, names=np.array(names), prior=eighths(of_tags), steps=eighths(steps)
        )


def eighths(chances: Any) -> Any:
    """Return -8 log2 of some chances, as bytes."""
    return np.clip(np.round(-8 * np.log2(np.maximum(chances, 1e-12))), 0, 255).astype(np.uint8)


def padded(chains: list[list[int]], size: int = 512) -> Iterator[Any]:
    """Yield chains of about one length as arrays, with -1 behind the shorter ones."""
    chains.sort(key=len)
    for first in range(0, len(chains), size):
        batch = chains[first : first + size]
        array = np.full((len(batch), len(batch[-1])), -1)
        for row, chain in zip(array, batch, strict=True):
            row[: len(chain)] = chain
        yield array


def weights_of(numbers: dict[Link, int], prior: dict[str, float]) -> Any:
    """Return P(form | tag) to a factor, shape (forms + 1, tags); the last row is of no form."""
    number = {name: i for i, name in enumerate(prior)}
    weights = np.zeros((len(numbers) + 1, len(prior)), np.float32)
    for link, row in numbers.items():
        for _, tag, weight in tagged(*link, prior=prior):
            weights[row, number[tag]] += weight
    weights[-1] = 1
    return weights / weights.max(1, keepdims=True)


def expected(batches: list[Any], steps: Any, weights: Any, start: int) -> tuple[Any, float]:
    """Return how often each tag is expected to follow each, and the log-likelihood of the text."""
    steps, counts, likelihood = steps.astype(np.float32), np.zeros(steps.shape), 0.0
    for batch in batches:
        texts, length = batch.shape
        forward = np.zeros((length + 1, texts, len(steps)), np.float32)
        forward[0, :, start] = 1
        for i in range(length):
            chances = (forward[i] @ steps) * weights[batch[:, i]]
            total = chances.sum(1, keepdims=True)
            likelihood += float(np.log(total[batch[:, i] >= 0]).sum())
            forward[i + 1] = chances / total
        backward = np.ones((texts, len(steps)), np.float32)
        for i in range(length - 1, -1, -1):
            live, here = batch[:, i] >= 0, weights[batch[:, i]] * backward
            total = ((forward[i] @ steps) * here).sum(1, keepdims=True)
            counts += (forward[i][live] / total[live]).T @ here[live]
            backward = here @ steps.T
            backward /= backward.max(1, keepdims=True)
            backward[~live] = 1
    return counts * steps, likelihood


def corrected(counts: Any, names: list[str]) -> Any:
    """Return the counts without what the commonest ambiguity of all would teach wrongly.

    Whether це, цього or того is a determiner or a pronoun cannot be learned from itself. So what
    stands before and after a determiner in such a form is taken from the feminine (ця, цієї), and
    a noun that agrees with a pronoun hardly ever follows it.
    """
    number, counts = {name: i for i, name in enumerate(names)}, counts.copy()
    of_nouns = counts.sum(0)
    for name, here in number.items():
        kind, case, gender = (*name.split(" "), "", "")[:3]
        direct = case in ("nomn", "accs")
        if kind in ("DET", "THIS") and (gender == "neut" or (gender == "masc" and not direct)):
            femn = number[f"{kind} {case} femn"]
            nouns = [of_nouns[number[f"NOUN {case} {each}"]] for each in (gender, "femn")]
            counts[:, here] = counts[:, femn] * nouns[0] / nouns[1]
            swapped = [number.get(_swapped(other, gender), i) for other, i in number.items()]
            counts[here] = 0
            np.add.at(counts[here], swapped, counts[femn] * nouns[0] / nouns[1])
        elif kind in ("це", "те", "все", "усе"):
            for agreeing in product(
                ("NOUN", "ADJF", "DET", "THIS"),
                ("nomn", "accs") if direct else (case,),
                ("neut",) if direct else ("neut", "masc"),
            ):
                if (column := number.get(" ".join(agreeing))) is not None:
                    counts[here, column] *= 0.03 if agreeing[0] == "NOUN" or not direct else 0.15
    return counts


def _swapped(tag: str, gender: str) -> str:
    """Return a tag with the feminine and another gender changed for each other."""
    *rest, last = tag.split(" ")
    return " ".join([*rest, {gender: "femn", "femn": gender}.get(last, last)])


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    if command == "measure":
        for path in paths:
            measure(path)
    else:
        articles = Corpus(paths[0])
        learn(f"{article.title}\n{article.text}" for article in articles)
