from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from searchkit.analysis.arrays import Lexicon
from searchkit.codec import strings
from searchkit.kernel import kernel

if kernel is None:
    pytest.skip("the kernel was not compiled", allow_module_level=True)

# Few different bytes, so that many strings begin alike, and some are the beginning of others.
some_bytes = st.lists(st.sampled_from(b"\0\1ab\xff"), max_size=12).map(bytes)
lists = st.lists(st.lists(some_bytes | st.binary(max_size=20), unique=True), max_size=4)


def told(made: strings.Sorted) -> list[Any]:
    """Return all of it, to be compared."""
    arrays = [*made.arrays.items(), ("hashes", made.hashes)]
    named = [(name, array.dtype, array.tolist()) for name, array in sorted(arrays)]
    return [named, *(each.tolist() for each in made.numbers)]


@given(lists)
@example([])
@example([[]])
@example([[b"", b"a", b"a\0", b"abcdefgh", b"abcdefgh\0", b"abcdefghi"], [b"abcdefgh", b""]])
def test_the_kernel_sorts_strings_as_python_does(given_lists: list[list[bytes]]) -> None:
    as_arrays = list(map(strings.plain_arrays, given_lists))
    found = strings.in_order(as_arrays)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strings, "kernel", None)
        plain = strings.in_order(as_arrays)
    assert told(found) == told(plain)
    whole = strings.string_arrays(sorted({string for each in given_lists for string in each}))
    assert all(np.array_equal(whole[name], found.arrays[name]) for name in whole)


@given(lists, st.lists(st.text(alphabet="абвяґїєѐҐ’'aбz1\x7f\x80߿ࠀ\x00𝟙", max_size=20)))
def test_letters_of_any_script_are_in_the_order_of_their_bytes(
    given_lists: list[list[bytes]], texts: list[str]
) -> None:
    """Which is that of their code points."""
    written = {text.encode() for text in texts}.union(*given_lists)
    found = strings.Strings(strings.in_order([strings.plain_arrays([*written])]).arrays)
    assert list(map(found.__getitem__, range(len(found)))) == sorted(written)


@pytest.mark.parametrize("wrong", ["abc", [b"abc"], [["abc"]], [(b"abc",)], [("abc", b"")]])
def test_what_is_no_list_of_strings_is_an_error(wrong: Any) -> None:
    with pytest.raises(TypeError):
        kernel.sort_strings(wrong)


@pytest.mark.parametrize("ends", [(4,), (2, 1), (0, 2, 1, 3), b"123"])
def test_ends_that_lie_outside_of_the_bytes_are_refused(ends: Any) -> None:
    told = ends if isinstance(ends, bytes) else np.array(ends, np.uint32)
    with pytest.raises(ValueError, match="strings and ends do not fit"):
        kernel.sort_strings([(b"abc", np.array([3], np.uint32)), (b"abc", told)])


some_words = st.lists(st.sampled_from(["", "а", "аб", "абвгґдеєж", "z", "𝟙"]) | st.text(max_size=9))


@given(st.lists(some_words, max_size=4))
def test_the_kernel_numbers_strings_as_python_does(batches: list[list[str]]) -> None:
    """And has them in order, whatever was added since they were in order last."""
    compiled, plain = kernel.Lexicon(), Lexicon()
    for words in batches:
        sound = [word.encode("utf-8", "ignore").decode() for word in words]
        known = len(plain)
        assert list(map(compiled.find, sound)) == list(map(plain.find, sound))
        numbers = list(map(compiled.number, sound))
        assert numbers == list(map(plain.number, sound))
        for each in (compiled, plain):
            assert list(map(each.find, sound)) == numbers
            assert [each[number] for number in numbers] == sound
        assert len(compiled) == len(plain)
        assert compiled.strings() == plain.strings()
        assert compiled.order() == plain.order()
        assert compiled.hashes(known) == plain.hashes(known)


def test_a_lexicon_grows_to_what_it_is_told() -> None:
    words = kernel.Lexicon()
    for _ in range(2):
        assert [words.number(f"слово{n}") for n in range(50_000)] == [*range(50_000)]
    assert words[49_999] == "слово49999"


@pytest.mark.parametrize("call", [
    lambda words: words[0], lambda words: words.hashes(1), lambda words: words.hashes(-1),
])  # fmt: skip
def test_numbers_that_a_lexicon_lacks_are_refused(call: Any) -> None:
    with pytest.raises(IndexError):
        call(kernel.Lexicon())


@pytest.mark.parametrize("call", [
    lambda words: words.number(b"bytes"), lambda words: words.find(1),
    lambda words: words.hashes("1"), kernel.Lexicon,
])  # fmt: skip
def test_what_is_no_string_has_no_number(call: Any) -> None:
    with pytest.raises(TypeError):
        call(kernel.Lexicon())
