"""A file of arrays holds what was put into it, however it grew; each of its blocks has a sum."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from searchkit.codec import arrays
from searchkit.codec.arrays import BLOCK, Array, Growing, check, read
from searchkit.kernel import kernel as compiled

kernel: Any = compiled

sizes = st.integers(0, 3) | st.integers(1_000, 10_000)
parts = st.lists(sizes.map(np.arange), min_size=1, max_size=5)


@given(parts, parts, st.sampled_from(["|u1", "<u2", "<u4", "<u8"]))
def test_arrays_are_what_was_put_into_them_wherever_they_grew(
    some: list[Array], others: list[Array], kind: str
) -> None:
    """In a file of their own or, one before the other, in rooms of the file itself."""
    wanted = {"whole": some, "known": others, "last": some, "apart": others}
    made = {name: [part.astype(kind) for part in every] for name, every in wanted.items()}
    with TemporaryDirectory() as folder:
        path = Path(folder, "example.arrays")
        with Growing(path) as out:
            out.put("whole", made["whole"])
            out.room("known", kind, sum(map(len, others)))
            out.room("last", kind)
            for name, every in made.items():
                for part in every if name != "whole" else []:
                    out.append(name, part)
        check(path)
        found = read(path)
        for name, every in made.items():
            both = np.concatenate(every).tolist()
            assert found.whole(name).tolist() == both
        assert [*Path(folder).iterdir()] == [path]


def test_no_array_becomes_longer_or_shorter_than_its_room(tmp_path: Path) -> None:
    """Another begins behind it."""
    with pytest.raises(ValueError, match="numbers has 4000 items, not 4100"):
        fill(tmp_path / "example.arrays", 4_000, 4_100)


def fill(path: Path, length: int, room: int) -> None:
    with Growing(path) as out:
        out.room("numbers", "<u2", room)
        out.append("numbers", np.zeros(length, "<u2"))


@pytest.mark.skipif(not compiled, reason="the kernel was not compiled")
@given(st.integers(0, 3 * BLOCK), st.integers(0, 2 * BLOCK), st.binary(min_size=1, max_size=9))
def test_the_kernel_comes_to_the_sums_that_zlib_comes_to(size: int, at: int, data: bytes) -> None:
    some = (data * size)[:size]
    with pytest.MonkeyPatch.context() as patch:
        in_c = arrays._sums_of(some, at)  # noqa: SLF001
        patch.setattr(arrays, "kernel", None)
        assert arrays._sums_of(some, at) == in_c  # noqa: SLF001


@pytest.mark.skipif(not compiled, reason="the kernel was not compiled")
def test_blocks_without_bytes_are_refused() -> None:
    for first, size in ((0, 1), (1, 0), (-1, -1)):
        with pytest.raises(ValueError, match="a byte at least"):
            kernel.checksums(b"...", first, size)
