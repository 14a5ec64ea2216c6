"""Words: the user's own list, of words that the dictionary lacks.

A line has a word and a known one that it inflects like, both in the base form:

    # names of this year
    шахед     снаряд
    Сирський  Залужний

The list counts when an index is built. The terms of all the forms are kept in the index, so that
who only searches needs no list.

>>> Words.of_lines(["шахед  снаряд"], print).terms["шахедами"]
('шахед',)
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from searchkit.analysis.dictionary import inflected
from searchkit.analysis.lemmatize import MAX_LENGTH, is_word, known
from searchkit.analysis.normalize import fold, normalize
from searchkit.codec.arrays import read, write
from searchkit.errors import ArticleError, CorruptIndex, RequestError

LIST = "words.txt"  # the name of a list that need not be named
STORED = "words.arrays"  # in a generation
MAX_WORDS = 20_000
MAX_SIZE = 4_000_000  # bytes of a list
MAX_STORED = 100_000_000  # bytes of its forms and their terms

Reject = Callable[[ArticleError], None]
Terms = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Words:
    """A list of words.

    Attributes:
        version: a hash of the list; empty where there is none.
        terms: of each form, folded, of its words: first the word, then what else it may be.
    """

    version: str = ""
    terms: Terms = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, reject: Reject) -> "Words":
        """Read a list; a bad line is handed to `reject`, with file, line and reason.

        Raises:
            RequestError: it cannot be read, or is too large.
        """
        content = _content(path)
        lines = content.decode("utf-8-sig", "surrogateescape").splitlines()
        made = cls.of_lines(lines, reject, str(path))
        return cls(_hash(content), made.terms)

    @classmethod
    def of_lines(cls, lines: Iterable[str], reject: Reject, source: str = LIST) -> "Words":
        """Return the list that has these lines; a bad one is handed to `reject`."""
        found: dict[str, list[str]] = {}
        for number, word, model in _pairs(source, lines, reject):
            try:
                forms = inflected(word, model)
            except ValueError as error:
                reject(ArticleError(source, number, str(error)))
            else:
                for form in forms:
                    found.setdefault(fold(form), []).append(fold(word))
        return cls(terms={form: _terms(form, words) for form, words in found.items()})

    def write(self, folder: Path) -> None:
        """Keep the terms in a generation."""
        lines = "\n".join(" ".join([form, *terms]) for form, terms in self.terms.items())
        write(folder / STORED, {"words": np.frombuffer(lines.encode(), np.uint8)})


def stored_terms(folder: Path) -> Terms:
    """Return the terms of the list that is kept in a generation.

    Raises:
        CorruptIndex: it is damaged.
    """
    path = folder / STORED
    kept = read(path)
    try:
        if len(kept["words"]) > MAX_STORED:
            raise ValueError(path)  # noqa: TRY301 - damaged like any other
        lines = filter(None, kept.whole("words").tobytes().decode().split("\n"))
        return {form: tuple(terms) for form, *terms in map(str.split, lines)}
    except (ValueError, LookupError):
        raise CorruptIndex(f"{path} is damaged; run `searchkit rebuild`.") from None


def find(corpus: str | Path, index: str | Path) -> Path | None:
    """Return the list that nobody named: in the folder of the articles, or beside the index."""
    places = [Path(corpus, LIST), Path(index).parent / LIST]
    return next((path for path in places if path.is_file()), None)


def chosen(
    named: str | Path | None, corpus: str | Path, index: str | Path, reject: Reject
) -> Words | None:
    """Read the list that was named or, without a name, is found; None where there is none."""
    path = named or find(corpus, index)
    return Words.read(Path(path), reject) if path else None


def version_of(path: Path) -> str:
    """Return the version that the list in a file has now.

    Raises:
        RequestError: as `Words.read`.
    """
    return _hash(_content(path))


def _hash(content: bytes) -> str:
    from hashlib import blake2b  # noqa: PLC0415 - slow to import, and seldom needed

    return blake2b(content, digest_size=8).hexdigest()


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise RequestError(
            f"The list of words {str(path)!r} cannot be read: {error.strerror or error}."
        ) from None
    if len(content) > MAX_SIZE:
        raise RequestError(f"The list of words {str(path)!r} is larger than {MAX_SIZE:,} bytes.")
    return content


def _pairs(source: str, lines: Iterable[str], reject: Reject) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the word and its model of each good line."""
    taken = 0
    for number, line in enumerate(lines, 1):
        words = [normalize(word) for word in line.split("#")[0].split()]
        strange = next((word for word in words if not is_word(word)), None)
        if not words:
            continue
        if len(words) != 2:
            reason = "has not two words: a new one, and a known one that it inflects like"
        elif strange is not None:
            reason = f"{strange[:MAX_LENGTH]!r} is not a Ukrainian word"
        elif taken == MAX_WORDS:
            reason = f"a list has {MAX_WORDS:,} words at most"
        else:
            taken += 1
            yield number, words[0], words[1]
            continue
        reject(ArticleError(source, number, reason))


def _terms(form: str, words: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*words, *map(fold, known(form))]))
