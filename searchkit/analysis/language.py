r"""Which language a text is in: Ukrainian, Russian, English; of others its record must tell.

A text is looked at as a whole, and where it has letters that Ukrainian lacks, line by line. What
tells Ukrainian from Russian are letters that only one of them has, and small words.

>>> language_of("Перемовини тривають"), language_of("Переговоры продолжаются")
('uk', 'ru')
>>> text = "Речник відповів російською:\nМы готовы к переговорам."
>>> [(text[start:end], language) for start, end, language in stretches(text, "uk")]
[('Речник відповів російською:\n', 'uk'), ('Мы готовы к переговорам.', 'ru')]
"""

import re
from collections.abc import Iterator

from searchkit.analysis.ukrainian import LANGUAGES, STRESS, TELLING_LETTERS, TELLING_WORDS

UKRAINIAN, RUSSIAN, ENGLISH, BELARUSIAN = "uk", "ru", "en", "be"

LOOKED_AT = 4_000  # characters of a text
GLANCE, GLANCED = 300, 3  # characters, and і among them: the text is Ukrainian, if no letter is not
TELLS = {UKRAINIAN: 1, RUSSIAN: 2}  # what a letter does: those of Russian are the rarer ones
WORD_TELLS = 2
LEAST = 2  # that a text or a line tells more for one language than for the other
LEAST_ENGLISH = 0.05  # of the words of an English text are articles, prepositions and the like
NEVER_WITHOUT = 80  # letters of different words: so many, and no і, ї, є or ґ, are not Ukrainian

RUSSIAN_LETTERS = re.compile(f"[{TELLING_LETTERS[RUSSIAN]}]")

_WORDS = re.compile(r"[^\W\d_]++(?!\.)")  # с. is a village, not a preposition
_CYRILLIC = re.compile(r"[а-я]")
_UKRAINIAN_LETTERS = re.compile(f"[{TELLING_LETTERS[UKRAINIAN]}]")
_NO_STRESS = str.maketrans(dict.fromkeys(STRESS))
_LATIN = re.compile(r"[a-z]+")
_LINE = re.compile(r"[^\n]*\n?")


def named(language: str | None) -> str | None:
    """Return the language that a record names, as `language:` asks for it.

    >>> named("uk-UA"), named("UA"), named("Російська"), named("pl"), named(None)
    ('uk', 'uk', 'ru', 'pl', None)
    """
    if not language or not language.strip():
        return None
    [name, *_] = re.split(r"[-_]", language.strip().lower(), maxsplit=1)
    return LANGUAGES.get(name, name)


def language_of(text: str) -> str | None:
    """Recognise the language that most of a text is in; None if it is none that is known.

    Without any sign to the contrary a text with Cyrillic letters is Ukrainian.
    """
    if text.count("і", 0, GLANCE) >= GLANCED and not is_suspicious(text):
        return UKRAINIAN
    text = _small(text[:LOOKED_AT])
    words = _WORDS.findall(text)
    latin = [word for word in words if _LATIN.match(word)]
    if len(latin) * 2 > len(words):
        telling = sum(word in TELLING_WORDS[ENGLISH] for word in latin)
        return ENGLISH if telling >= LEAST_ENGLISH * len(words) else None
    short_u = text.count("ў")
    if short_u * 200 > len(text) and short_u > text.count("и"):  # which Belarusian lacks
        return BELARUSIAN
    return _compared(text, UKRAINIAN)


def stretches(text: str, language: str | None) -> Iterator[tuple[int, int, str | None]]:
    """Yield the stretches of a text that are in one language each: start, end, language.

    Args:
        text: as written; every character is in one stretch, and no word in two.
        language: what a line is in that does not tell.
    """
    if language not in (UKRAINIAN, RUSSIAN) or not _is_mixed(text, language):
        yield 0, len(text), language
        return
    start, before = 0, language
    for line in _LINE.finditer(text):
        now = _of_line(line[0], before if not line[0].strip() else language)
        if now != before and line.start() > start:
            yield start, line.start(), before
            start = line.start()
        before = now
    yield start, len(text), before


def is_suspicious(text: str) -> bool:
    """Tell whether a text has a letter that Ukrainian lacks; four quick scans."""
    return "ы" in text or "э" in text or "ъ" in text or "ё" in text


def _is_mixed(text: str, language: str) -> bool:
    return is_suspicious(text) if language == UKRAINIAN else "і" in text or "ї" in text


def _small(text: str) -> str:
    """Return a text in small letters and without stress marks."""
    return text.lower().translate(_NO_STRESS)


def _of_line(line: str, otherwise: str) -> str:
    if otherwise == UKRAINIAN and "і" in line and not is_suspicious(line):
        return UKRAINIAN  # most lines
    return _compared(_small(line), otherwise)


def _compared(line: str, otherwise: str) -> str:
    russian, ukrainian = _tells(line, RUSSIAN), _tells(line, UKRAINIAN)
    if abs(russian - ukrainian) < LEAST:
        return otherwise
    return RUSSIAN if russian > ukrainian else UKRAINIAN


def _tells(text: str, language: str) -> int:
    """Count what tells that a text in small letters is in a language."""
    letters = sum(map(text.count, TELLING_LETTERS[language]))
    words = _WORDS.findall(text)
    told = letters * TELLS[language] + WORD_TELLS * sum(
        map(TELLING_WORDS[language].__contains__, words)
    )
    if language == RUSSIAN and not _UKRAINIAN_LETTERS.search(text):
        told += LEAST * (len(_CYRILLIC.findall("".join(set(words)))) >= NEVER_WITHOUT)
    return told
