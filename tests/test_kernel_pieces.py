"""Whether bytes are as they were is told by the kernel as by its twin, and by every byte."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.kernel import kernel as compiled
from searchkit.pieces import Digest, _sums_in_numpy, key_of

kernel: Any = compiled
KEY = key_of(b"a secret")


def digest(data: bytes, key: bytes = KEY) -> bytes:
    return Digest(key).update(data).digest()


data = st.binary(max_size=100) | st.builds(
    lambda size, byte: bytes([byte]) * size, st.integers(4000, 9000), st.integers(0, 255)
)


@pytest.mark.skipif(not compiled, reason="the kernel was not compiled")
@given(data)
def test_the_kernel_comes_to_the_sums_that_numpy_comes_to(data: bytes) -> None:
    assert kernel.sums(data, KEY) == _sums_in_numpy(data, KEY)


@pytest.mark.skipif(not compiled, reason="the kernel was not compiled")
def test_a_key_of_another_length_is_refused() -> None:
    """It would be read over its end."""
    with pytest.raises(ValueError, match="8192"):
        kernel.sums(b"", KEY[1:])


@given(data, st.integers(0, 8_999), st.integers(1, 255))
def test_other_bytes_come_to_another_digest(data: bytes, place: int, other: int) -> None:
    """Be one of them changed, or there one more, though it be a zero."""
    place %= len(data) + 1
    changed = bytearray(data + b"\0")
    changed[place] ^= other
    digests = {digest(each) for each in (data, data + b"\0", bytes(changed))}
    assert len(digests) == 3
    assert digest(data + b"\0", key_of(b"another")) not in digests


def test_a_digest_is_the_same_whatever_the_parts_that_it_was_given() -> None:
    data = bytes(range(256)) * 50
    parts = Digest(KEY).update(data[:4096]).update(data[4096:12288]).update(data[12288:])
    assert parts.digest() == digest(data)
