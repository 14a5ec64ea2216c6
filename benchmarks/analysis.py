"""Measure the analyser alone, on one core: words met again, words met first, and importing it.

    python benchmarks/analysis.py                 # on 4,000 made-up articles
    python benchmarks/analysis.py news.jsonl      # on your own

Beside it stands what a user of pymorphy3 would write: a loop over `re.finditer` with a dictionary
of the words that it has met, and pymorphy3 itself for those that it has not. Both give, of each
word, where it begins and ends and all its lemmas.
"""

import argparse
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import pymorphy3
from peers import read_articles

import corpus as made_up
from searchkit.analysis import form_terms
from searchkit.analysis.arrays import Batches, Ints
from searchkit.analysis.normalize import fold, normalize

MADE_UP = 4_000  # articles, if no file is given
BATCH = 2_000  # titles and texts that are analysed at once
TIMES = 10  # that all is analysed
STARTS = 9  # processes that import it

_WORD = re.compile(r"\w+(?:['’ʼ-]\w+)*")


class Loop:
    """The plain loop; it remembers every word that it has met."""

    def __init__(self) -> None:
        self._morph = pymorphy3.MorphAnalyzer(lang="uk")
        self._known: dict[str, tuple[str, ...]] = {}

    def lemmas(self, word: str) -> tuple[str, ...]:
        """Return all lemmas of a word in lower case, as pymorphy3 has them."""
        return tuple(dict.fromkeys(parse.normal_form for parse in self._morph.parse(word)))

    def __call__(self, texts: Sequence[str]) -> int:
        """Analyse texts; return how many words they have."""
        known, words = self._known, 0
        for text in texts:
            found = []
            for match in _WORD.finditer(text):
                word = match[0]
                lemmas = known.get(word)
                if lemmas is None:
                    lemmas = known[word] = self.lemmas(word.lower())
                found.append((match.start(), match.end(), lemmas))
            words += len(found)
        return words


class Arrays:
    """What a build does with texts."""

    def __init__(self) -> None:
        self._batches = Batches()

    def __call__(self, texts: Sequence[str]) -> int:
        """Analyse texts; return how many words they have."""
        batches = (texts[at : at + BATCH] for at in range(0, len(texts), BATCH))
        return sum(len(_offsets_and_lemmas(self._batches, batch)[0]) for batch in batches)


def _offsets_and_lemmas(batches: Batches, texts: Sequence[str]) -> tuple[Ints, Ints]:
    """Return where each word begins, and of each word the numbers of its lemmas and forms."""
    rows = batches.rows(texts)
    return rows.starts, rows.pair


def seconds(run: Callable[[], object]) -> float:
    """Return the processor time that a call takes."""
    began = time.process_time()
    run()
    return time.process_time() - began


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        print("|", " | ".join(row), "|")
    print()


def words_a_second(texts: Sequence[str]) -> None:
    """Print how fast texts are analysed TIMES over: with what is learned on the way, and after."""
    speeds = []
    for analyse in (Arrays(), Loop()):
        words = analyse(texts[:20])  # the dictionary is loaded
        taken = []
        for _ in range(TIMES):
            began = time.process_time()
            words = analyse(texts)
            taken.append(time.process_time() - began)
        speeds.append((TIMES * words / sum(taken), words / statistics.median(taken[1:])))
    rows = [
        [name, f"{ours:,.0f}", f"{loop:,.0f}", f"{ours / loop:.1f}"]
        for name, ours, loop in zip(
            (f"all, {TIMES} times over", "once all words are known"), *speeds, strict=True
        )
    ]
    table(["words a second", "searchkit", "plain loop", "ratio"], rows)


def new_forms_a_second(texts: Sequence[str]) -> None:
    """Print how fast forms are learned that were never met."""
    spelled = list(dict.fromkeys(word for text in texts for word in _WORD.findall(text)))
    forms = list(dict.fromkeys(map(fold, map(normalize, spelled))))
    form_terms(forms[0])  # the dictionary is loaded
    batches, loop = Batches(), Loop()
    learned = seconds(lambda: batches.rows(spelled)), seconds(lambda: list(map(form_terms, forms)))
    asked = seconds(lambda: list(map(loop.lemmas, forms)))
    rows = [
        [name, f"{len(forms) / taken:,.0f}", f"{asked / taken:.1f}"]
        for name, taken in (
            ("searchkit, from spellings to numbered lemmas", learned[0]),
            ("searchkit, the look-up alone", learned[1]),
            ("pymorphy3, `parse` and `normal_form`", asked),
        )
    ]
    print(f"{len(spelled):,} spellings of {len(forms):,} forms.\n")
    table(["new forms a second", "", "beside pymorphy3"], rows)


def _of_children() -> float:
    """Return the processor time of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def import_times() -> None:
    """Print how much processor time importing takes, in a process of its own."""
    taken = []
    for program in ("pass", "import numpy", "import numpy, searchkit"):
        each = []
        for _ in range(STARTS):
            began = _of_children()
            subprocess.run([sys.executable, "-c", program], check=True)
            each.append(_of_children() - began)
        taken.append(statistics.median(each) * 1e3)
    python, numpy, both = taken
    rows = [["NumPy", f"{numpy - python:.0f}"], ["searchkit, beyond NumPy", f"{both - numpy:.0f}"]]
    table([f"importing, ms, median of {STARTS}", ""], rows)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description="Measure the analyser on one core.")
    parser.add_argument("corpus", type=Path, nargs="?", help="JSON Lines; made up if none is given")
    given = parser.parse_args()
    made = made_up.articles(MADE_UP, seed=1)
    articles = read_articles(given.corpus) if given.corpus else islice(made, MADE_UP)
    texts = [text for a in articles for text in (a.get("title") or "", a["text"])]
    words_a_second(texts)
    new_forms_a_second(texts)
    import_times()


if __name__ == "__main__":
    main()
