"""Lists of words that the dictionary lacks: each with a known word that it inflects like."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from searchkit.analysis.dictionary import Parse, inflected
from searchkit.analysis.normalize import fold

_SHIPPED = Path(__file__).with_name("words.txt")


@cache
def shipped() -> dict[str, list[Parse]]:
    """Return the forms, folded, of the words in words.txt, and what each is a form of."""
    found: dict[str, list[Parse]] = {}
    for word, model in pairs(_SHIPPED.read_text(encoding="utf-8")):
        for form, parses in inflected(fold(word), model).items():
            found.setdefault(form, []).extend(parses)
    return found


def pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield each word of a list with its model."""
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            word, model = line.split()
            yield word, model
