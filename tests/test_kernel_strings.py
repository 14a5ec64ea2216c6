from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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
    found = strings.in_order(given_lists)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strings, "kernel", None)
        plain = strings.in_order(given_lists)
    assert told(found) == told(plain)
    whole = strings.string_arrays(sorted({string for each in given_lists for string in each}))
    assert all(np.array_equal(whole[name], found.arrays[name]) for name in whole)


@pytest.mark.parametrize("wrong", ["abc", [b"abc"], [["abc"]], [(b"abc",)]])
def test_what_is_no_list_of_lists_of_bytes_is_an_error(wrong: Any) -> None:
    with pytest.raises(TypeError):
        kernel.sort_strings(wrong)
