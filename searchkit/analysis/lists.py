"""Lists that are written by hand, as files that a linguist can edit: which words are likely."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from searchkit.analysis.normalize import fold

_FOLDER = Path(__file__).parent


@cache
def common() -> frozenset[str]:
    """Return the lemmas, folded, of common.txt: likelier than others that have the same form."""
    return frozenset(fold(word) for words in lines("common.txt") for word in words)


@cache
def meant() -> dict[str, dict[str, float]]:
    """Return the forms, folded, of forms.txt: what each means, with shares that add up to one."""
    found = {}
    for form, *entries in lines("forms.txt"):
        weights = {}
        for rank, entry in enumerate(entries):
            lemma, _, weight = entry.partition("*")
            weights[fold(lemma)] = float(weight or 0.25**rank)
        total = sum(weights.values())
        found[fold(form)] = {lemma: weight / total for lemma, weight in weights.items()}
    return found


def lines(name: str) -> Iterator[list[str]]:
    """Yield the entries of each line of a list."""
    for line in (_FOLDER / name).read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            yield line.split()
