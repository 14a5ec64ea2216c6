"""Kept: the lemmas of word forms are taken from the live generation instead of being looked up.

Most words of an archive were in it yesterday; a segment says which lemmas each form has. A word
that the dictionary lacks takes ten times as long to guess as to find here.

A segment has one list of lemmas for a form. What may have more of them in one place than in another
is looked up again: the first parts of compounds.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from searchkit.analysis import NO_WORDS, Listed
from searchkit.analysis.tokenize import parts
from searchkit.codec.arrays import Array, read
from searchkit.codec.strings import Strings
from searchkit.schema import FIELDS, PAIR, key

_PLAIN = ("bytes", "ends")
_HASHED = (*_PLAIN, "buckets", "order")

# The arrays of a segment that are read.
ARRAYS = (
    *(f"forms.{name}" for name in _HASHED),
    *("lemma_ends", "lemmas"),
    *(f"terms.{name}" for name in _PLAIN),
)

LONGEST = 20_000  # bytes of a term; two words of 1,000 letters have less

_STARTS = [key(name, "").encode() for name in FIELDS]


class KeptForms:
    """The lemmas of the forms in some segments and, of other forms, on the user's list.

    Args:
        paths: the segments' files, which `are_whole` and were written by the same `CHAIN` with
            the same dictionary and list.
        words: the list.
    """

    def __init__(self, paths: Sequence[Path], words: Listed = NO_WORDS) -> None:
        self._segments = [_Forms(path) for path in paths]
        self._words = words

    def get(self, form: str, /) -> tuple[str, ...] | None:
        """Return what `form_terms` does, or None where that is not known."""
        if self._segments:
            string = form.encode("utf-8", "surrogatepass")
            for segment in self._segments:
                if lemmas := segment.lemmas(string):
                    return lemmas
        return self._words.get(form)

    def __contains__(self, form: object, /) -> bool:
        """Tell whether a form is on the list: others have the terms of the dictionary."""
        return form in self._words


def are_whole(paths: Sequence[Path]) -> bool:
    """Tell whether all that is read of some segments is as it was written, and makes sense.

    Raises:
        CorruptIndex: it is not as it was written.
    """
    try:
        return all(_Forms(path).make_sense() for path in paths)
    except (KeyError, ValueError, TypeError):  # arrays are missing, or no such arrays
        return False


class _Forms:
    """The forms of one segment, and their lemmas."""

    def __init__(self, path: Path) -> None:
        self._arrays = arrays = read(path)
        # Not `Strings.named`: to ask whether a string is sure takes longer than to find it.
        self._forms = Strings({name: arrays[f"forms.{name}"] for name in _HASHED})
        self._terms = Strings({name: arrays[f"terms.{name}"] for name in _PLAIN})
        self._ends, self._lemmas = arrays["lemma_ends"].data, arrays["lemmas"].data

    @cached_property
    def _first_parts(self) -> set[bytes]:
        """Return the parts of all compounds but the last."""
        letters = self._arrays["forms.bytes"]
        signs = (letters <= ord(":")).nonzero()[0]  # and digits: there are few of both
        signs = signs[np.isin(letters[signs], list(b"-.,:"))]
        compounds = self._arrays["forms.ends"].searchsorted(signs, "right")
        forms = (self._forms[number] for number in sorted({*compounds.tolist()}))
        return {p.encode() for form in forms for p in parts(form.decode(errors="replace"))[:-1]}

    def make_sense(self) -> bool:
        """Tell whether the numbers fit together: who wrote them may have meant harm."""
        kinds = [np.dtype("|u1" if name.endswith(".bytes") else "<u4") for name in ARRAYS]
        arrays = [self._arrays.whole(name) for name in ARRAYS]
        if [array.dtype for array in arrays] != kinds:
            return False
        form_bytes, form_ends, buckets, order, lemma_ends, lemmas, term_bytes, term_ends = arrays
        return (
            _end_at(form_ends, len(form_bytes))
            and _end_at(term_ends, len(term_bytes))
            and _end_at(buckets, len(order))
            and _end_at(lemma_ends, len(lemmas))
            and len(form_ends) == len(order) == len(lemma_ends)
            and bool((order < len(form_ends)).all() and (lemmas < len(term_ends)).all())
            and not len(buckets) - 1 & len(buckets) - 2
            and _is_text(term_bytes, term_ends)  # forms are only compared with what is asked for
        )

    def lemmas(self, string: bytes) -> tuple[str, ...]:
        """Return a form's lemmas, the likeliest first; none if it is not there or in doubt."""
        if string in self._first_parts:
            return ()
        for start in _STARTS:
            form = self._forms.find(start + string)
            if form >= 0:
                numbers = self._lemmas[self._ends[form - 1] if form else 0 : self._ends[form]]
                found = [self._terms[number].decode()[len(start) :] for number in numbers]
                return tuple(found) if all(lemma[:1] > PAIR for lemma in found) else ()
        return ()


def _end_at(ends: Array, last: int) -> bool:
    return len(ends) > 0 and ends[-1] == last and bool((ends[1:] >= ends[:-1]).all())


def _is_text(strings: Array, ends: Array) -> bool:
    """Tell whether strings are UTF-8, each of them, and none is too long."""
    lengths = np.diff(ends, prepend=np.uint32(0))
    begins = ends[:-1][lengths[1:] > 0]  # each with the first byte of a character
    strings.tobytes().decode()
    return bool(((strings[begins] & 0xC0) != 0x80).all()) and int(lengths.max()) <= LONGEST
