"""Files: the folder of an index, its generations, and which of them is live.

    index/
    ├── live.json      {"live": "000007", "previous": "000006"}
    ├── 000007/        a complete Whoosh index and its manifest, generation.json
    ├── 000006/        the one before, for `searchkit rollback`
    ├── .building/     what a running build writes; swept by the next one if it was killed
    └── .lock          held while a process writes; .writer.json says which

A generation never changes once it is published. Publishing syncs every file and folder to
disk and then replaces `live.json` by one rename, so that whatever stops a build, at any
moment, readers find either the old generation or the new one, whole.
"""

import json
import os
import platform
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from searchkit.analysis import CHAIN, dictionary_version
from searchkit.errors import CorruptIndex, IndexLocked, IndexMissing, IndexUnusable, IndexVersion

FORMAT = 3  # of the generation: its files, fields and manifest
REMOVED = "removed.arrays"  # by the name of each segment, the numbers of articles that are gone

_NUMBER = re.compile(r"\d{6,}")
_SEGMENT = re.compile(r"[\w-]+\.arrays")


@dataclass(frozen=True)
class Averages:
    """How many words a title and a text have on average."""

    title: float
    text: float


@dataclass(frozen=True)
class Manifest:
    """What a generation says of itself.

    Attributes:
        articles: how many it holds.
        corpus: where they came from.
        built: when, in ISO 8601, UTC.
        segments: the files that hold them, in the order of their numbers.
        averages: how many words a title and a text have, as ranking knows it: those of the last
            rebuild.
        rejected: how many records were bad.
        format, chain: what a reader must have in common with its writer.
        dictionary: which lemmas its words have.
    """

    articles: int
    corpus: str
    built: str
    segments: tuple[str, ...]
    averages: Averages
    rejected: int = 0
    format: int = FORMAT
    chain: str = CHAIN
    dictionary: str = field(default_factory=dictionary_version)


class Generations:
    """The generations in one index folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if re.match(r"\w+://", str(folder)):
            raise IndexMissing(f"{folder} is a URL; this version reads indexes in folders only.")

    # -- reading --

    def exist(self) -> bool:
        """Tell whether a generation was ever published here."""
        return (self.folder / "live.json").exists()

    def live(self) -> Path:
        """Return the folder of the generation that answers now.

        Raises:
            IndexMissing: nothing was published here.
            CorruptIndex: the pointer is damaged or points nowhere.
            IndexUnusable: it may not be read.
        """
        return self.folder / self._pointer()["live"]

    def _pointer(self) -> dict[str, str]:
        path = self.folder / "live.json"
        try:
            pointer = json.loads(path.read_text(encoding="utf-8"))
            names = [pointer["live"], pointer.get("previous") or pointer["live"]]
            named = all(_NUMBER.fullmatch(name) for name in names)
        except (FileNotFoundError, NotADirectoryError):
            raise IndexMissing(
                f"There is no index in {str(self.folder)!r}; build it with `searchkit rebuild`."
            ) from None
        except OSError as error:
            raise _unreadable(path, error) from None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise CorruptIndex(
                f"{path} is damaged; build the index anew with `searchkit rebuild`."
            ) from None
        if not named:
            raise CorruptIndex(f"{path} names no generation; run `searchkit rebuild`.")
        return dict(pointer)

    def describe(self, generation: Path) -> dict[str, Any]:
        """Return where a generation stands among the others."""
        pointer = self._pointer()
        return {
            "index": str(self.folder),
            "generation": generation.name,
            "live": pointer["live"],
            "previous": pointer.get("previous"),
        }

    # -- writing --

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder's lock; sweep what a killed build left behind.

        Raises:
            IndexLocked: another process holds it. The message says which.
        """
        from filelock import FileLock, Timeout  # noqa: PLC0415 - who only reads needs no lock

        self.folder.mkdir(parents=True, exist_ok=True)
        owner = self.folder / ".writer.json"
        lock = FileLock(self.folder / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise IndexLocked(
                f"The index in {str(self.folder)!r} is being written {_describe(owner)};"
                " wait until it is done."
            ) from None
        try:
            me = {"pid": os.getpid(), "host": platform.node(), "since": timestamp()}
            owner.write_text(json.dumps(me), encoding="utf-8")
            _remove(self.folder / ".building")
            yield
        finally:
            owner.unlink(missing_ok=True)
            lock.release()

    @contextmanager
    def building(self) -> Iterator[Path]:
        """Make an empty folder for the next generation; gone again unless it is published."""
        building = self.folder / ".building"
        building.mkdir()
        try:
            yield building
        finally:
            _remove(building)

    def publish(self, building: Path, manifest: Manifest, verify: Callable[[Path], None]) -> Path:
        """Make a finished build the live generation; keep the one before, remove the rest.

        Everything is on disk before `verify` reads it, and nothing is switched if that raises.
        """
        text = json.dumps(asdict(manifest), ensure_ascii=False, indent=2)
        (building / "generation.json").write_text(text + "\n", encoding="utf-8")
        for path in sorted(building.rglob("*"), reverse=True):
            _sync(path)
        _sync(building)
        verify(building)
        names = self._names()
        try:
            previous = self._pointer()["live"]
        except IndexMissing:
            previous = None
        except CorruptIndex:
            previous = max(names, default=None)  # healed by this build
        generation = self.folder / f"{max([0, *map(int, names)]) + 1:06}"
        building.rename(generation)
        _sync(self.folder)
        self._point(generation.name, previous)
        for name in self._names():
            if name not in (generation.name, previous):
                _remove(self.folder / name)
        return generation

    def rollback(self) -> Path:
        """Point to the previous generation again.

        Raises:
            IndexMissing: there is none.
            IndexUnusable: it cannot be opened; the live one stays.
        """
        pointer = self._pointer()
        previous = pointer.get("previous")
        if not previous or not (self.folder / previous).is_dir():
            raise IndexMissing(
                f"There is no earlier generation in {str(self.folder)!r} to roll back to."
            )
        generation = self.folder / previous
        try:
            _look_at(generation)
        except IndexUnusable as error:
            raise type(error)(
                f"The earlier generation, {generation}, cannot be opened; {pointer['live']} stays"
                " live, and `searchkit rebuild` builds a new one."
            ) from error
        self._point(previous, None)
        return generation

    def _point(self, live: str, previous: str | None) -> None:
        new = self.folder / ".live.json.new"
        new.write_text(json.dumps({"live": live, "previous": previous}) + "\n", encoding="utf-8")
        _sync(new)
        new.replace(self.folder / "live.json")
        _sync(self.folder)

    def _names(self) -> list[str]:
        return [path.name for path in self.folder.iterdir() if _NUMBER.fullmatch(path.name)]


def read_manifest(generation: Path) -> Manifest:
    """Return what a generation says of itself.

    Raises:
        CorruptIndex: the manifest is missing or damaged.
        IndexVersion: this version of searchkit cannot read the generation.
        IndexUnusable: the manifest may not be read.
    """
    path = generation / "generation.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if (told["format"], told["chain"]) != (FORMAT, CHAIN):
            raise IndexVersion(
                f"The index in {str(generation.parent)!r} was built by another version of"
                f" searchkit (format {told['format']}, analyser {told['chain']});"
                " run `searchkit rebuild`."
            )
        segments = tuple(told.pop("segments"))
        if not all(_SEGMENT.fullmatch(name) for name in segments):
            raise ValueError(segments)  # noqa: TRY301 - no file outside the folder is opened
        return Manifest(**told | {"segments": segments, "averages": Averages(**told["averages"])})
    except (FileNotFoundError, NotADirectoryError):
        raise _damaged(path) from None
    except OSError as error:
        raise _unreadable(path, error) from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _damaged(path) from None


def _look_at(generation: Path) -> None:
    """Read a generation's manifest and see that its files are there."""
    for name in read_manifest(generation).segments:
        if not (generation / name).is_file():
            raise _damaged(generation / name)


def _damaged(path: Path) -> CorruptIndex:
    return CorruptIndex(
        f"{path} is missing or damaged; build the index anew with `searchkit rebuild`,"
        " or go back with `searchkit rollback`."
    )


def _unreadable(path: Path, error: OSError) -> IndexUnusable:
    """Make the error for a file that may be whole: it is not the index that needs mending."""
    return IndexUnusable(f"{path} cannot be read: {error.strerror or error}.")


def timestamp() -> str:
    """Return the time in ISO 8601, UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _describe(owner: Path) -> str:
    try:
        who = json.loads(owner.read_text(encoding="utf-8"))
        return f"by process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "by another process"


def _remove(folder: Path) -> None:
    """Remove a folder and what is in it, or as much as can be removed."""
    import shutil  # noqa: PLC0415 - slow to import; who only reads removes nothing

    shutil.rmtree(folder, ignore_errors=True)


def _sync(path: Path) -> None:
    """Force a file or folder to disk; Windows syncs no folders."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
