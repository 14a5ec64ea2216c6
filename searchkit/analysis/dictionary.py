"""The dictionary: pymorphy3's files, read directly; and how a word inflects like another.

All of pymorphy3 is loaded only for what this leaves to it: words in Russian, and words with unusual
letters that the dictionary lacks. Without the kernel it also guesses the other unknown words.
"""

import json
import mmap
import struct
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np

from searchkit.analysis.normalize import fold
from searchkit.errors import DictionaryDamaged
from searchkit.kernel import kernel

SHIPPED = Path(__file__).with_name("words.txt")  # words that the dictionary lacks

Parse = tuple[int, int]  # a paradigm of the dictionary, and the number of a form in it


@contextmanager
def intact() -> Iterator[None]:
    """Whatever damaged files of the dictionary make Python or the kernel raise is told as that."""
    try:
        yield
    except (
        ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError, struct.error,
    ) as error:  # fmt: skip
        raise DictionaryDamaged(
            f"The Ukrainian dictionary cannot be read ({type(error).__name__}: {error}); install it"
            " anew with `pip install --force-reinstall --no-deps pymorphy3-dicts-uk`."
        ) from error


@cache
@intact()
def morph(language: str = "uk") -> Any:
    """Load pymorphy3 and a dictionary at the first word, not at import: 0.1 s, 40 MB."""
    import pymorphy3  # noqa: PLC0415

    return pymorphy3.MorphAnalyzer(lang=language)


class Dictionary:
    """The Ukrainian dictionary.

    Attributes:
        suffixes, prefixes, tags: what the numbers in a paradigm stand for.

    Raises:
        DictionaryDamaged: its files are not as they were installed.
    """

    TYPED, MEANT = "г", "ґ"  # what is typed, and what may be meant by it

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with intact():
            self._numbers = array("H", (folder / "paradigms.array").read_bytes())
            self._ends = array("I", [1])  # of the paradigms; each begins with its length
            for _ in range(self._numbers[0]):
                self._ends.append(self._ends[-1] + 1 + self._numbers[self._ends[-1]])
            self.suffixes: list[str] = self._json("suffixes.json")
            options = dict(self._json("meta.json"))["compile_options"]
            self.prefixes: list[str] = options["paradigm_prefixes"]
            self._longest: int = options["max_suffix_length"]

    def paradigm(self, number: int) -> Sequence[int]:
        """Return the suffixes of its forms, then their tags, then their prefixes."""
        return self._numbers[self._ends[number] + 1 : self._ends[number + 1]]

    @cached_property
    def tags(self) -> list[str]:
        """What the dictionary says of a form: `NOUN,inan masc,gent`."""
        with intact():
            found: list[str] = self._json("gramtab-opencorpora-int.json")
        return found

    @cached_property
    @intact()
    def compiled(self) -> Any:
        """The dictionary as the kernel reads it; its large files are mapped, not copied."""
        grammemes = [_grammemes(tag) for tag in self.tags]
        first: dict[tuple[str, ...], int] = {}
        same = [first.setdefault(each, number) for number, each in enumerate(grammemes)]
        kinds = bytes(UNPRODUCTIVE.isdisjoint(each) | (each[0] in VERBS) << 1 for each in grammemes)
        return kernel.dictionary(
            self._mapped("words.dawg"),
            self._mapped("paradigms.array"),
            kinds,
            np.array(same, np.uint16),
            self.suffixes,
            self.prefixes,
            [self._mapped(f"prediction-suffixes-{i}.dawg") for i in range(len(self.prefixes))],
            _starts(),
            self._longest,
            self.TYPED + self.MEANT,
        )

    @cached_property
    @intact()
    def plain(self) -> tuple[Any, Any]:
        """The words, and what is replaced in them, as pymorphy3's library reads them."""
        from pymorphy3.dawg import WordsDawg  # noqa: PLC0415

        words = WordsDawg().load(str(self._folder / "words.dawg"))
        return words, words.compile_replaces({self.TYPED: self.MEANT})

    def _json(self, name: str) -> Any:
        return json.loads((self._folder / name).read_bytes())

    def _mapped(self, name: str) -> mmap.mmap:
        with (self._folder / name).open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


# As in pymorphy3: of parts of speech that get no new words, none is guessed.
UNPRODUCTIVE = frozenset("NUMR NPRO PRED PREP CONJ PRCL INTJ Apro".split())
VERBS = frozenset(["VERB", "INFN", "GRND"])


@cache
def dictionary() -> Dictionary:
    """Open the Ukrainian dictionary."""
    import pymorphy3_dicts_uk  # noqa: PLC0415 - not all of pymorphy3

    return Dictionary(Path(pymorphy3_dicts_uk.get_path()))


def _starts() -> list[str]:
    """Return the first parts of words that pymorphy3 knows, the longest first."""
    spec = find_spec("pymorphy3")
    [folder] = (spec and spec.submodule_search_locations) or [""]
    file = Path(folder, "lang", "uk", "_prefixes.py")
    if file.is_file():  # to import all of pymorphy3 takes 60 ms
        return sorted(run_path(str(file))["KNOWN_PREFIXES"], key=len, reverse=True)
    from pymorphy3.lang.uk._prefixes import KNOWN_PREFIXES  # noqa: PLC0415

    return sorted(KNOWN_PREFIXES, key=len, reverse=True)


@cache
def _grammemes(tag: str) -> tuple[str, ...]:
    return tuple(tag.replace(" ", ",", 1).split(","))


def dictionary_version() -> str:
    """Name the dictionaries' releases: an index is only as good as those it was built with."""
    import pymorphy3_dicts_ru  # noqa: PLC0415 - not all of pymorphy3
    import pymorphy3_dicts_uk  # noqa: PLC0415

    told = []
    for package in (pymorphy3_dicts_uk, pymorphy3_dicts_ru):
        meta = Path(package.get_path(), "meta.json").read_text(encoding="utf-8")
        name = package.__name__.replace("_", "-")
        told.append(f"{name} of {dict(json.loads(meta))['compiled_at'][:16]}")
    return ", ".join(told)


@intact()
def parses(word: str) -> list[tuple[str, Parse]]:
    """Return what a word may be a form of, each with the word as it is spelled there.

    The dictionary is asked itself: ten times as fast as all of pymorphy3's analysers in turn.

    >>> sorted({spelled for spelled, _ in parses("грунту")})  # г may be written for ґ
    ['грунту', 'ґрунту']
    """
    if kernel:
        found: list[tuple[str, Parse]] = kernel.parses(dictionary().compiled, word)
        return found
    words, substitutes = dictionary().plain
    if Dictionary.TYPED not in word:
        return [(word, parse) for parse in words.get(word) or ()]
    similar = words.similar_items(word, substitutes)
    return [(spelled, parse) for spelled, found in similar for parse in found]


@intact()
def known_forms(word: str) -> list[str]:
    """Return the base forms of all that a word may be in the dictionary, each once."""
    if kernel:
        found: list[str] = kernel.base_forms(dictionary().compiled, word)
        return found
    return list(dict.fromkeys(base_forms(parses(word))))


def base_forms(found: list[tuple[str, Parse]]) -> list[str]:
    """Return the base forms of parses: their endings take the place of those of the forms."""
    return [
        before + spelled[stem] + after
        for spelled, parse in found
        for before, stem, after in (_endings(parse),)
    ]


@cache
@intact()
def shipped() -> dict[str, list[Parse]]:
    """Return the forms, folded, of the words in words.txt, and what each is a form of."""
    found: dict[str, list[Parse]] = {}
    for line in SHIPPED.read_text(encoding="utf-8").split("\n"):
        if line and not line.startswith("#"):
            word, model = line.split()
            for form, parses in inflected(fold(word), model).items():
                found.setdefault(form, []).extend(parses)
    return found


@intact()
def tag(parse: Parse) -> str:
    """Return what the dictionary says of a form: `NOUN,inan masc,gent`."""
    paradigm = dictionary().paradigm(parse[0])
    return dictionary().tags[paradigm[len(paradigm) // 3 + parse[1]]]


def grammemes(parse: Parse) -> frozenset[str]:
    """Return what the dictionary says of a form: NOUN, Fixd, gent and so on."""
    return _set_of(tag(parse))


@cache
def _set_of(tag: str) -> frozenset[str]:
    return frozenset(_grammemes(tag))


def inflected(word: str, model: str) -> dict[str, list[Parse]]:
    """Return the forms of a word that inflects like another, with what each is a form of.

    Raises:
        ValueError: with the reason, if the dictionary has no such model or the two do not end
            alike.
    """
    known = dictionary()
    bases = [number for spelled, (number, idx) in parses(model) if spelled == model and idx == 0]
    if not bases:
        raise ValueError(f"the dictionary has no word {model!r} in this base form")
    found: dict[str, list[Parse]] = {}
    for number in bases:
        paradigm = known.paradigm(number)
        forms, ending = len(paradigm) // 3, known.suffixes[paradigm[0]]
        is_fixed = len({*paradigm[:forms]}) == 1  # нато: any word can go without endings
        if word.endswith(ending) and (is_fixed or _end_alike(word, model)):
            for idx in range(forms):
                prefix = known.prefixes[paradigm[2 * forms + idx]]
                form = prefix + word.removesuffix(ending) + known.suffixes[paradigm[idx]]
                found.setdefault(form, []).append((number, idx))
    if not found:
        raise ValueError(f"{word!r} does not end like {model!r}, so it cannot inflect like it")
    return found


_NOT_PLAIN = frozenset("аеєиіїоуюяьй")  # vowels, and what ends the base form of soft stems


def _end_alike(word: str, model: str) -> bool:
    """Tell whether both end in the same letter, or both in a plain consonant."""
    last = {word[-1:], model[-1:]}
    return len(last) == 1 or last.isdisjoint(_NOT_PLAIN)


@cache
@intact()
def _endings(parse: Parse) -> tuple[str, slice, str]:
    """Return what stands in the first form of a paradigm before and after the stem of a form."""
    paradigm, prefixes = dictionary().paradigm(parse[0]), dictionary().prefixes
    suffixes = dictionary().suffixes
    forms, idx = len(paradigm) // 3, parse[1]
    before, after = prefixes[paradigm[2 * forms + idx]], suffixes[paradigm[idx]]
    stem = slice(len(before), -len(after) or None)
    return prefixes[paradigm[2 * forms]], stem, suffixes[paradigm[0]]
