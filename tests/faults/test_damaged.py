"""A damaged index is said to be so, or answers as before; never anything else."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from workshop import Answers, Some, Tally, Workshop, answers

from searchkit import Archive
from searchkit.errors import IndexUnusable, IndexVersion
from searchkit.generations import Generations, sealed


@pytest.fixture(params=["kernel", "twin"])
def index(
    request: pytest.FixtureRequest, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An index of two segments, with articles that are gone; another generation is before it.

    It is read by the kernel, or without it.
    """
    if request.param == "twin":
        for name, module in list(sys.modules.items()):
            if name.startswith("searchkit.") and hasattr(module, "kernel"):
                monkeypatch.setattr(module, "kernel", None)
    folder = workshop.fresh()
    shutil.copytree(workshop.story("update").after / "index", folder / "index")
    yield folder / "index"
    shutil.rmtree(folder)


def files(index: Path) -> list[Path]:
    """Return the files of an index that hold anything, in a fixed order."""
    return sorted(path for path in index.rglob("*") if path.is_file() and path.stat().st_size)


@contextmanager
def damaged(path: Path, content: bytes | None) -> Iterator[None]:
    """Give a file other content, or remove it, for as long as the block runs."""
    whole = path.read_bytes()
    path.unlink()  # who has it open keeps what it has
    if content is not None:
        path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(whole)


def try_damage(tally: Tally, index: Path, right: Answers, path: Path, what: str) -> None:
    """Look whether a damaged index says so, or answers as before; and what `check` says."""
    tally.tried += 1
    after = f"{path.relative_to(index)}, {what}"
    try:
        if answers(index) != right:
            tally.wrong.append(after)
    except IndexUnusable:
        pass
    except Exception as error:  # noqa: BLE001 - any other is what is looked for
        tally.amiss.append(f"{after}: {error!r}")
    try:
        Archive.check(index, every=True)
        tally.amiss.append(f"{after}: `check` sees nothing")
    except Exception as error:  # noqa: BLE001 - likewise
        tally.check(isinstance(error, IndexUnusable), f"{after}: `check` ends with {error!r}")
        tally.check(what == "removed" or str(path) in str(error), f"{after}: `check` says {error}")


@pytest.mark.fault("damage")
@pytest.mark.parametrize("part", range(4))
def test_a_flipped_bit_changes_no_answer(index: Path, some: Some, tally: Tally, part: int) -> None:
    """Half of the bits are any of all files; half of them any of a file that is any."""
    right, random = answers(index), Random(part)
    sizes = {path: path.stat().st_size for path in files(index)}
    for flip in some(range(2_500), 125):
        weights = list(sizes.values()) if flip % 2 else None
        [path] = random.choices(list(sizes), weights)
        at, bit = random.randrange(sizes[path]), random.randrange(8)
        content = bytearray(path.read_bytes())
        content[at] ^= 1 << bit
        with damaged(path, bytes(content)):
            try_damage(tally, index, right, path, f"bit {bit} of byte {at}")


@pytest.mark.fault("damage")
def test_each_bit_of_a_manifest_counts(index: Path, tally: Tally) -> None:
    """Also one of the last digit of a fraction, which may be the same number as before."""
    right, path = answers(index), Generations(index).live() / "generation.json"
    whole = path.read_bytes()
    for at in range(whole.index(b"averages"), whole.index(b"rejected")):
        content = bytearray(whole)
        content[at] ^= 1
        with damaged(path, bytes(content)):
            try_damage(tally, index, right, path, f"bit 0 of byte {at}")


@pytest.mark.fault("damage")
def test_a_torn_or_missing_file_changes_no_answer(index: Path, some: Some, tally: Tally) -> None:
    """Each file: removed, emptied, cut off, zeroed from somewhere on, or too long."""
    right, random = answers(index), Random(0)
    for path in files(index):
        whole = path.read_bytes()
        cuts = [0, 1, len(whole) - 1, *(random.randrange(len(whole)) for _ in range(20))]
        contents: list[tuple[str, bytes | None]] = [
            ("removed", None),
            ("too long", whole + b"\0"),
            *((f"cut off at {cut}", whole[:cut]) for cut in some(cuts, 5)),
            *(
                (f"zeros from {cut} on", whole[:cut].ljust(len(whole), b"\0"))
                for cut in some(cuts, 5)
            ),
        ]
        for what, content in contents:
            if content is None or content.strip() != whole.strip():
                with damaged(path, content):
                    try_damage(tally, index, right, path, what)


@pytest.mark.fault("damage")
def test_a_rebuild_heals_any_damage(workshop: Workshop, some: Some, tally: Tally) -> None:
    """And takes nothing from the damaged index that is wrong."""
    story, random = workshop.story("update"), Random(0)
    right = workshop.story("rebuild").new
    for number in some(range(200), 12):
        folder = workshop.fresh()
        shutil.copytree(story.after / "index", folder / "index")
        path = random.choice(files(folder / "index"))
        content = bytearray(path.read_bytes())
        at = random.randrange(len(content))
        content[at : at + 1 + number % 64] = random.randbytes(random.randrange(64))
        path.unlink()
        path.write_bytes(content)
        after = f"{path.relative_to(folder)}, damaged at byte {at}, and a rebuild"
        run = workshop.run(folder, ("rebuild", workshop.new))
        tally.check(run.code == 0, f"{after}: ended with {run.code}: {run.err}")
        tally.expect(folder / "index", right, after=after)


@pytest.mark.fault("foreign")
@pytest.mark.parametrize("which", ["older", "newer", "analyser", "foreign"])
def test_an_index_of_another_version_is_refused(index: Path, tally: Tally, which: str) -> None:
    """With what it is and what to do; a rebuild makes an index of this version of it."""
    right = answers(index)
    live = Generations(index).live()
    manifest = json.loads((live / "generation.json").read_text(encoding="utf-8"))
    rest = {name: value for name, value in manifest.items() if name != "checksum"}
    every: dict[str, list[dict[str, object]]] = {
        "older": [{"format": number} for number in range(rest["format"])],
        "newer": [{"format": rest["format"] + 1}, {"format": 99, "more": [1]}],
        "analyser": [{"chain": "0"}, {"chain": None}, {"chain": rest["chain"] + ".1"}],
        "foreign": [{"format": "lucene"}, {"format": None}, {"format": [3]}],
    }
    for change in every[which]:
        content = sealed(rest | change).encode()
        tally.tried += 1
        with damaged(live / "generation.json", content):
            try:
                answers(index)
                tally.wrong.append(f"{change}")
            except IndexVersion as error:
                tally.check("run `searchkit rebuild`" in str(error), f"{change}: {error}")
            except Exception as error:  # noqa: BLE001
                tally.amiss.append(f"{change}: {error!r}")
    assert answers(index) == right


@pytest.mark.fault("foreign")
def test_an_index_of_another_dictionary_answers_until_it_is_built_anew(
    workshop: Workshop, tally: Tally
) -> None:
    """It has the lemmas of its words itself; an update looks all of them up again."""
    story = workshop.story("update")
    folder = workshop.fresh(story)
    manifest = Generations(folder / "index").live() / "generation.json"
    told = json.loads(manifest.read_text(encoding="utf-8"))
    del told["checksum"]
    manifest.write_text(sealed({**told, "dictionary": "another"}), encoding="utf-8")
    tally.expect(folder / "index", story.old, after="another dictionary")
    assert workshop.run(folder, ("index", workshop.new)).code == 0
    right = workshop.story("rebuild").new
    tally.look(folder / "index", right, after="another dictionary and an update")
