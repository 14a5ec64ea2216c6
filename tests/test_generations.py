import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from searchkit import Archive
from searchkit.analysis import CHAIN
from searchkit.codec.arrays import open_plain, read, write
from searchkit.errors import (
    ArticleError,
    CorpusError,
    CorruptIndex,
    IndexLocked,
    IndexMissing,
    IndexUnusable,
    IndexVersion,
)
from searchkit.generations import FORMAT, Averages, Generations, Manifest, sealed, timestamp
from searchkit.writer import Summary, verify

Build = Callable[..., Summary]

both_ways = pytest.mark.parametrize("build", [Archive.build, Archive.update])


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[..., Path]:
    """Write a corpus: each text becomes an article whose id is its first word."""

    def write(*texts: str) -> Path:
        path = tmp_path / "articles.jsonl"
        records = ({"id": text.split(maxsplit=1)[0], "text": text} for text in texts)
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        path.write_text("".join(lines), encoding="utf-8")
        return path

    return write


def generations(index: Path) -> list[str]:
    """What lies in the folder of an index, but for the lock."""
    return sorted({path.name for path in index.iterdir()} - {".lock"})


def found(index: Path, query: str = "лис*") -> list[str]:
    """The texts that whoever opens the index now is given."""
    with Archive.open(index) as archive:
        return sorted(hit.article.text for hit in archive.search(query))


# -- publishing and rolling back ---------------------------------------------------------------


def test_each_rebuild_is_a_new_generation_and_one_before_is_kept(
    corpus: Callable[..., Path], index: Path
) -> None:
    published = []
    for text in ("лис спить", "лис встав", "лис біжить"):
        published.append(Archive.build(corpus(text), index).generation)
        assert found(index) == [text]
    assert published == ["000001", "000002", "000003"]
    assert generations(index) == ["000002", "000003", "live.json"]


def test_a_rollback_brings_the_previous_generation_back_once(
    corpus: Callable[..., Path], index: Path
) -> None:
    for text in ("лис спить", "лис встав", "лис біжить"):
        Archive.build(corpus(text), index)
    assert Archive.rollback(index) == "000002"
    assert found(index) == ["лис встав"]
    with pytest.raises(IndexMissing) as caught:
        Archive.rollback(index)
    assert str(caught.value) == (
        f"There is no earlier generation in {str(index)!r} to roll back to."
    )
    assert found(index) == ["лис встав"]


def test_after_a_rollback_numbers_are_not_used_again(
    corpus: Callable[..., Path], index: Path
) -> None:
    """The generation that was rolled back from goes with the next rebuild."""
    Archive.build(corpus("лис спить"), index)
    Archive.build(corpus("лис встав"), index)
    Archive.rollback(index)
    assert Archive.build(corpus("лис біжить"), index).generation == "000003"
    assert generations(index) == ["000001", "000003", "live.json"]
    assert Archive.rollback(index) == "000001"


def test_a_first_generation_has_none_before_it(corpus: Callable[..., Path], index: Path) -> None:
    Archive.build(corpus("лис спить"), index)
    with pytest.raises(IndexMissing, match="no earlier generation"):
        Archive.rollback(index)
    assert found(index) == ["лис спить"]


def test_where_nothing_was_built_there_is_no_index(tmp_path: Path) -> None:
    for ask in (Archive.open, Archive.rollback):
        with pytest.raises(IndexMissing) as caught:
            ask(tmp_path)
        assert str(caught.value) == (
            f"There is no index in {str(tmp_path)!r}; build it with `searchkit rebuild`."
        )
    assert list(tmp_path.iterdir()) == []


def test_an_index_at_a_url_is_refused_with_a_reason() -> None:
    url = "opensearch://localhost:9200/news"
    with pytest.raises(IndexMissing) as caught:
        Archive.open(url)
    assert str(caught.value) == f"{url} is a URL; this version reads indexes in folders only."


def test_a_file_where_the_index_should_be_is_an_error_of_the_index(tmp_path: Path) -> None:
    file = tmp_path / "index"
    file.write_text("Це не тека.", encoding="utf-8")
    with pytest.raises(IndexUnusable):
        Archive.open(file)


# -- readers ------------------------------------------------------------------------------------


def test_an_open_archive_answers_from_its_own_generation(
    corpus: Callable[..., Path], index: Path
) -> None:
    """It is kept as long as somebody has it open; `refresh` moves an archive to the live one."""
    Archive.build(corpus("лис спить"), index)
    with Archive.open(index) as archive:
        for text in ("лис встав", "лис біжить", "лис утік"):
            Archive.build(corpus(text), index)
            assert [hit.article.text for hit in archive.search("лисом")] == ["лис спить"]
            assert archive.article("лис") == archive.search("лис")[0].article
        assert generations(index) == ["000001", "000003", "000004", "live.json"]
        assert archive.refresh() is True
        assert [hit.article.text for hit in archive.search("лисом")] == ["лис утік"]
        Archive.build(corpus("лис спить"), index)
    assert generations(index) == ["000004", "000005", "live.json"]


def test_an_open_archive_answers_and_describes_itself_when_its_files_are_gone(
    corpus: Callable[..., Path], index: Path
) -> None:
    """Where locks are not known, as on some network file systems."""
    Archive.build(corpus("лис спить"), index)
    with Archive.open(index) as archive:
        for text in ("лис встав", "лис біжить", "лис утік"):
            Archive.build(corpus(text), index)
        shutil.rmtree(index / "000001")
        assert [hit.article.text for hit in archive.search("лисом")] == ["лис спить"]
        stats = archive.stats()
    assert (stats["generation"], stats["live"], stats["articles"]) == ("000001", "000004", 1)


def test_refresh_tells_whether_anything_changed(corpus: Callable[..., Path], index: Path) -> None:
    Archive.build(corpus("лис спить"), index)
    with Archive.open(index) as archive:
        assert archive.refresh() is False
        Archive.build(corpus("лис встав", "курка сіла"), index)
        assert (archive.refresh(), len(archive)) == (True, 2)
        assert archive.refresh() is False
        Archive.rollback(index)
        assert (archive.refresh(), len(archive)) == (True, 1)


@both_ways
def test_while_a_build_runs_nothing_has_changed(
    corpus: Callable[..., Path], index: Path, build: Build
) -> None:
    Archive.build(corpus("лис спить"), index)
    seen: list[object] = []
    with Archive.open(index) as archive:
        build(
            corpus("лис встав", "лисиця сіла"),
            index,
            progress=lambda: seen.append((archive.refresh(), found(index))),
        )
    assert seen == [(False, ["лис спить"])] * 2
    assert found(index) == ["лис встав", "лисиця сіла"]


# -- builds that fail ---------------------------------------------------------------------------


class Interrupted(Exception):  # noqa: N818 - stands for anything at all
    """What a caller's own code may raise."""


def interrupt() -> None:
    raise Interrupted


def press_ctrl_c() -> None:
    raise KeyboardInterrupt


def strict(error: ArticleError) -> None:
    raise error


@both_ways
@pytest.mark.parametrize(
    ("texts", "failing", "error"),
    [
        (["лис утік", "курка сіла"], {"progress": interrupt}, Interrupted),
        (["лис утік", "курка сіла"], {"progress": press_ctrl_c}, KeyboardInterrupt),
        (["лис утік", "лис утік"], {"report": strict}, ArticleError),
        ([], {}, CorpusError),
    ],
    ids=["exception", "ctrl-c", "strict", "empty"],
)
def test_a_build_that_fails_leaves_everything_as_it_was(  # noqa: PLR0917 - the table's columns
    corpus: Callable[..., Path],
    index: Path,
    build: Build,
    texts: list[str],
    failing: dict[str, Any],
    error: type[BaseException],
) -> None:
    """The old generation answers, nothing is left behind, and the next build goes through."""
    Archive.build(corpus("лис спить"), index)
    with pytest.raises(error):
        build(corpus(*texts), index, **failing)
    assert generations(index) == ["000001", "live.json"]
    assert found(index) == ["лис спить"]
    assert build(corpus("лис встав"), index).generation == "000002"
    assert found(index) == ["лис встав"]


@both_ways
def test_a_first_build_that_fails_leaves_no_index(
    corpus: Callable[..., Path], index: Path, build: Build
) -> None:
    with pytest.raises(CorpusError) as caught:
        build(path := corpus(), index)
    assert str(caught.value) == (
        f"{str(path)!r} holds no article; the index is left as it was. If that is how it should"
        " be, say --force."
    )
    assert generations(index) == []
    with pytest.raises(IndexMissing):
        Archive.open(index)


PAUSE_AFTER_AN_ARTICLE = """
import sys
from searchkit import Archive

def pause():
    print("paused", flush=True)
    sys.stdin.read()

getattr(Archive, sys.argv[1])(*sys.argv[2:], progress=pause)
"""


@both_ways
def test_a_build_that_was_killed_is_healed_by_the_next(
    corpus: Callable[..., Path], index: Path, build: Build
) -> None:
    """Until it is killed no other process may write; all may read, then and afterwards."""
    Archive.build(corpus("лис спить"), index)
    Archive.build(corpus("лис встав"), index)
    command = [sys.executable, "-c", PAUSE_AFTER_AN_ARTICLE, build.__name__]
    with subprocess.Popen(
        [*command, corpus("лис утік", "курка сіла"), index],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "paused\n"
        for write in (
            lambda: Archive.build(corpus("лис біжить"), index),
            lambda: Archive.update(corpus("лис біжить"), index),
            lambda: Archive.rollback(index),
        ):
            with pytest.raises(IndexLocked, match=f" by process {process.pid} on .*; wait until"):
                write()
        assert found(index) == ["лис встав"]
        process.kill()
    assert ".building" in generations(index)
    assert found(index) == ["лис встав"]
    assert build(corpus("лис біжить"), index).generation == "000003"
    assert generations(index) == ["000002", "000003", "live.json"]
    assert found(index) == ["лис біжить"]


def test_what_a_crash_left_behind_while_publishing_is_swept(
    corpus: Callable[..., Path], index: Path
) -> None:
    """A generation that was never pointed to, and a pointer that was never put in place."""
    Archive.build(corpus("лис спить"), index)
    shutil.copytree(index / "000001", index / "000002")
    (index / ".live.json.new").write_text('{"li', encoding="utf-8")
    (index / ".building").mkdir()
    (index / ".building" / "half.seg").write_bytes(b"half")
    (index / ".writer.json").write_text("{", encoding="utf-8")
    assert found(index) == ["лис спить"]
    with pytest.raises(CorpusError):  # even by a build that fails
        Archive.build(corpus(), index)
    assert generations(index) == ["000001", "live.json"]
    assert Archive.build(corpus("лис встав"), index).generation == "000002"
    assert Archive.rollback(index) == "000001"


def test_what_is_not_of_an_index_is_never_swept(corpus: Callable[..., Path], index: Path) -> None:
    """A folder of somebody's own may be called like a generation: by a month, a day."""
    own = [index / "202401" / "lis.txt", index / "20240102" / "03" / "lis.txt"]
    for path in own:
        path.parent.mkdir(parents=True)
        path.write_text("Лис", encoding="utf-8")
    (index / "202402").symlink_to(own[0].parent)
    for _ in range(4):
        Archive.build(corpus("лис спить"), index)
    (index / "live.json").write_text("{", encoding="utf-8")
    for _ in range(4):
        Archive.build(corpus("лис спить"), index)
    assert all(path.is_file() for path in own)
    assert (index / "202402" / "lis.txt").is_file()
    assert len(generations(index)) == 6


@both_ways
def test_the_rest_of_a_generation_is_swept(
    corpus: Callable[..., Path], index: Path, build: Build
) -> None:
    """Who is killed while it removes one has removed its manifest first."""
    Archive.build(corpus("лис спить"), index)
    shutil.copytree(index / "000001", index / "000002")
    (index / "000002" / "generation.json").unlink()
    (index / "000003").mkdir()
    build(corpus("лис встав"), index)
    assert generations(index) == ["000001", "000002", "live.json"]


@both_ways
def test_two_cannot_write_at_once(corpus: Callable[..., Path], index: Path, build: Build) -> None:
    """The second is told who the first is, in one sentence."""
    Archive.build(corpus("лис спить"), index)
    with Generations(index).writing(), pytest.raises(IndexLocked) as caught:
        build(corpus("лис встав"), index)
    assert f" is being written by process {os.getpid()} on " in str(caught.value)
    assert str(caught.value).endswith("; wait until it is done.")
    assert found(index) == ["лис спить"]
    build(corpus("лис встав"), index)
    assert found(index) == ["лис встав"]


def test_a_lock_without_a_name_is_a_lock_all_the_same(
    corpus: Callable[..., Path], index: Path
) -> None:
    Archive.build(corpus("лис спить"), index)
    with Generations(index).writing():
        (index / ".writer.json").write_text("", encoding="utf-8")
        with pytest.raises(IndexLocked, match="is being written by another process; wait"):
            Archive.build(corpus("лис встав"), index)


# -- damage ------------------------------------------------------------------------------------


def complaint(index: Path) -> tuple[type[IndexUnusable] | None, str]:
    """What is wrong with an index, when everything in it is asked for.

    Any exception but searchkit's own goes through.
    """
    try:
        with Archive.open(index) as archive:
            for query in ("лис спить", '"лис спить"', '"спить лис"~5', "с* =лис NOT кур*"):
                archive.search(query)
            for number in archive.index.living():
                archive.index.article(number)
    except IndexUnusable as error:
        return type(error), str(error)
    return None, ""


POINTERS = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"000001"',
    b"\xff\xfe\x00",
    b"{}",
    b'{"live": 1}',
    b'{"live": null}',
    b'{"live": ""}',
    b'{"live": "../000001"}',
    b'{"live": "000001", "previous": 7}',
    b'{"live": "000007"}',
    b"[" * 200_000,
]


by_start = pytest.mark.parametrize("content", POINTERS, ids=lambda content: ascii(content[:30]))


@by_start
def test_a_damaged_pointer_is_said_to_be_so(
    corpus: Callable[..., Path], index: Path, content: bytes
) -> None:
    Archive.build(corpus("лис спить"), index)
    (index / "live.json").write_bytes(content)
    kind, sentence = complaint(index)
    assert kind is CorruptIndex
    assert "`searchkit rebuild`" in sentence


@by_start
def test_a_damaged_pointer_is_healed_by_a_rebuild(
    corpus: Callable[..., Path], index: Path, content: bytes
) -> None:
    """That is what the error tells people to do."""
    Archive.build(corpus("лис спить"), index)
    (index / "live.json").write_bytes(content)
    Archive.build(corpus("лис встав"), index)
    assert found(index) == ["лис встав"]


def edited(**changes: object) -> Callable[[str], str]:
    """Change a manifest as somebody would who knows how to write one."""

    def edit(text: str) -> str:
        told = {**json.loads(text), **changes}
        return sealed({name: value for name, value in told.items() if name != "checksum"})

    return edit


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (lambda _: "", CorruptIndex),
        (lambda text: text[:20], CorruptIndex),
        (lambda _: "[]", CorruptIndex),
        (lambda _: "null", CorruptIndex),
        (lambda _: '{"articles": 2}', CorruptIndex),
        (lambda _: "[" * 200_000, CorruptIndex),
        (edited(articles=3), CorruptIndex),
        (edited(articles="2"), CorruptIndex),
        (edited(words={}), CorruptIndex),
        (edited(segments=["../../secret.arrays"]), CorruptIndex),
        (edited(segments=[]), CorruptIndex),
        (lambda text: text.replace('"articles": 2', '"articles": 3'), CorruptIndex),
        (edited(averages={"title": "3", "text": 4.0}), CorruptIndex),
        (edited(averages={"title": float("nan"), "text": 4.0}), CorruptIndex),
        (edited(files={}), CorruptIndex),
        (edited(files=[7]), CorruptIndex),
        (edited(built=7), CorruptIndex),
        (edited(format=0), IndexVersion),
        (lambda _: '{"format": 3, "chain": "7", "articles": 2}', IndexVersion),
        (edited(format=FORMAT + 1), IndexVersion),
        (edited(format=str(FORMAT)), IndexVersion),
        (edited(format=FORMAT + 1, words=12), IndexVersion),  # a later version says more of itself
        (edited(chain="0"), IndexVersion),
    ],
)
def test_a_manifest_that_does_not_fit_is_said_to_be_so(
    corpus: Callable[..., Path],
    index: Path,
    edit: Callable[[str], str],
    error: type[IndexUnusable],
) -> None:
    Archive.build(corpus("лис спить", "курка сіла"), index)
    manifest = index / "000001" / "generation.json"
    manifest.write_text(edit(manifest.read_text(encoding="utf-8")), encoding="utf-8")
    kind, sentence = complaint(index)
    assert kind is error
    assert "`searchkit rebuild`" in sentence
    Archive.build(corpus("лис встав"), index, force=True)
    assert found(index) == ["лис встав"]


def test_an_update_of_another_version_asks_for_a_rebuild(
    corpus: Callable[..., Path], index: Path
) -> None:
    Archive.build(corpus("лис спить"), index)
    manifest = index / "000001" / "generation.json"
    manifest.write_text(edited(format=0)(manifest.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(IndexVersion) as caught:
        Archive.update(corpus("лис встав"), index)
    assert str(caught.value) == (
        f"The index in {str(index)!r} was built by another version of searchkit"
        f" (format 0, analyser {CHAIN}); run `searchkit rebuild`."
    )
    assert generations(index) == ["000001", "live.json"]


@pytest.mark.parametrize("name", ["generation.json", "*.arrays"])
def test_a_missing_file_is_said_to_be_so(
    corpus: Callable[..., Path], index: Path, name: str
) -> None:
    """A rebuild, or a rollback, gets out of it."""
    Archive.build(corpus("лис спить"), index)
    Archive.build(corpus("лис встав"), index)
    next((index / "000002").glob(name)).unlink()
    assert complaint(index)[0] is CorruptIndex
    assert Archive.rollback(index) == "000001"
    assert found(index) == ["лис спить"]


@pytest.mark.parametrize(
    "name", ["live.json", "000002/generation.json", "000002/segment-000001.arrays"]
)
@pytest.mark.parametrize("why", [errno.EACCES, errno.EIO])
def test_a_file_that_may_not_be_read_is_not_called_damaged(
    corpus: Callable[..., Path],
    index: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    why: int,
) -> None:
    """A rebuild would not help; the sentence says what the system says."""
    Archive.build(corpus("лис спить"), index)
    Archive.build(corpus("лис встав"), index)

    def refuse(path: Path) -> IO[bytes]:
        if path == index / name:
            raise OSError(why, os.strerror(why), str(path))
        return open_plain(path)

    for module in ("generations", "codec.arrays"):
        monkeypatch.setattr(f"searchkit.{module}.open_plain", refuse)
    kind, sentence = complaint(index)
    assert kind is IndexUnusable
    assert sentence == (
        f"{index / name} cannot be read: {os.strerror(why)}. The index may be whole: see to the"
        " disk, or to who may read it."
    )
    monkeypatch.undo()
    assert found(index) == ["лис встав"]


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda old: (old / "generation.json").unlink(), CorruptIndex),
        (lambda old: (old / "generation.json").write_text("{"), CorruptIndex),
        (lambda old: next(old.glob("segment-*.arrays")).unlink(), CorruptIndex),
        (
            lambda old: (old / "generation.json").write_text(
                edited(format=0)((old / "generation.json").read_text(encoding="utf-8"))
            ),
            IndexVersion,
        ),
    ],
    ids=["no manifest", "broken manifest", "no segment", "other version"],
)
def test_a_generation_that_cannot_be_opened_is_not_rolled_back_to(
    corpus: Callable[..., Path],
    index: Path,
    damage: Callable[[Path], object],
    error: type[IndexUnusable],
) -> None:
    Archive.build(corpus("лис спить"), index)
    Archive.build(corpus("лис встав"), index)
    damage(index / "000001")
    with pytest.raises(error) as caught:
        Archive.rollback(index)
    assert str(caught.value) == (
        f"The earlier generation, {index / '000001'}, cannot be opened; 000002 stays live, and"
        " `searchkit rebuild` builds a new one."
    )
    assert found(index) == ["лис встав"]


@pytest.mark.parametrize("part", [0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_said_to_be_so(
    corpus: Callable[..., Path], index: Path, part: float
) -> None:
    Archive.build(corpus("лис спить", "курка сіла"), index)
    (file,) = (index / "000001").glob("segment-*.arrays")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * part)])
    kind, sentence = complaint(index)
    assert kind is CorruptIndex
    assert str(index / "000001") in sentence
    assert "`searchkit rebuild`" in sentence


@pytest.mark.parametrize("damage", [b"\xff" * 16, b"\0" * 16])
def test_damaged_bytes_are_never_another_error(
    corpus: Callable[..., Path], index: Path, damage: bytes
) -> None:
    """Some damage goes unseen by a reader; what is seen is CorruptIndex."""
    Archive.build(corpus(*(f"{i} лис спить, {i} курка сіла. " * 9 for i in range(30))), index)
    (file,) = (index / "000001").glob("segment-*.arrays")
    whole = file.read_bytes()
    others: set[str] = set()
    for start in range(0, len(whole), len(whole) // 40):
        file.write_bytes(whole[:start] + damage + whole[start + len(damage) :])
        try:
            complaint(index)
        except Exception as error:  # noqa: BLE001 - any other is what is looked for
            others.add(repr(error))
    assert others == set()


ASKED = [
    "лис", "мир", "лис мир", "лис AND курка", "лис OR мир", "лис OR мир OR курка", '"курка сіла"',
    '"лис спить" мир', '"ситий лис спить"', "л*", "=лиси", "title:лис", "tag:лис OR source:вісник",
    "переговори в Києві", "лис NOT курка", '"лис спить"~3', "лис date:[2024-03-05 TO 2024-05]",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_damaged_numbers_are_never_another_error(crowd: Path, index: Path, seed: int) -> None:
    """Files are mapped, not read: any number of any array may be any other."""
    random = np.random.default_rng(seed)
    Archive.build(crowd, index)
    (file,) = (index / "000001").glob("segment-*.arrays")
    whole = {name: array.copy() for name, array in read(file).items()}
    assert [name for name, array in whole.items() if not len(array)] == []
    others: set[str] = set()
    for name, array in whole.items():
        damaged = array.copy()
        bytes_ = damaged.view(np.uint8)
        where = random.integers(0, len(bytes_), random.choice([1, 4, len(bytes_) // 8 + 1]))
        low, high = [(0, 1), (0, 256), (255, 256)][int(random.integers(3))]
        bytes_[where] = random.integers(low, high, len(where))
        write(file, whole | {name: damaged})
        with suppress(CorruptIndex), Archive.open(index) as archive:
            for query in ASKED:
                try:
                    with suppress(CorruptIndex):
                        archive.search(query, sort="date" if random.random() < 0.5 else "relevance")
                except Exception as error:  # noqa: BLE001 - any other is what is looked for
                    others.add(f"{query} with damaged {name}: {error!r}")
    assert others == set()


def complaint_of(generation: Path) -> str:
    """What verification says, if anything."""
    try:
        verify(generation)
    except CorruptIndex as error:
        return str(error)
    return ""


def test_a_generation_is_verified_byte_by_byte(corpus: Callable[..., Path], index: Path) -> None:
    """Whatever bit has turned, and it is said in which file."""
    Archive.build(corpus("лис спить", "курка сіла"), index)
    generation = index / "000001"
    verify(generation)
    (file,) = generation.glob("segment-*.arrays")
    whole = bytearray(file.read_bytes())
    table = int.from_bytes(whole[8:16], "little")
    noticed = 0
    for at in (*range(24), *range(24, table, 7), *range(table, len(whole))):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        sentence = complaint_of(generation)
        noticed += str(file) in sentence
        assert sentence or whole[at] == 0  # between two arrays there is nothing to damage
    assert noticed > 24 + len(whole) - table
    file.write_bytes(whole)
    verify(generation)


def test_what_does_not_pass_is_not_published(corpus: Callable[..., Path], index: Path) -> None:
    Archive.build(corpus("лис спить"), index)

    def refuse(building: Path) -> None:
        assert [path.name for path in building.iterdir()] == ["generation.json"]
        raise CorruptIndex("Не те.")

    folder = Generations(index)
    with folder.writing(), folder.building() as building, pytest.raises(CorruptIndex, match="Не т"):
        folder.publish(building, Manifest(1, "corpus", timestamp(), (), Averages(0, 1)), refuse)
    assert generations(index) == ["000001", "live.json"]
    assert found(index) == ["лис спить"]
