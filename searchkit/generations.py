"""Files: the folder of an index, its generations, and which of them is live.

    index/
    ├── live.json      {"live": "000007", "earlier": ["000006"], "checksum": "3f0a11c2"}
    ├── 000007/        a complete Whoosh index and its manifest, generation.json
    ├── 000006/        the one before, for `searchkit rollback`
    ├── .building/     what a running build writes; swept by the next one if it was killed
    └── .lock          held while a process writes; .writer.json says which

A generation never changes once it is published. Publishing syncs every file and folder to
disk and then replaces `live.json` by one rename, so that whatever stops a build, at any
moment, readers find either the old generation or the new one, whole.

Who reads a generation holds a shared lock on its manifest (flock). The system lets it go when the
process ends, however it ends. A generation that `live.json` does not name is removed when nobody
holds it: by the build that replaces it, or by the first one after the reader has gone. Where a
file system knows no such locks, as some network ones, it is removed at once.

An index may come from anywhere. Its JSON and its arrays are plain data, each with a checksum, and
no link is followed out of its folder.
"""

import importlib
import json
import os
import platform
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from searchkit.analysis import CHAIN, dictionary_version
from searchkit.codec.arrays import AGAIN, PLAIN, open_plain, stamp, unreadable
from searchkit.errors import (
    CorruptIndex,
    IndexLocked,
    IndexMissing,
    IndexUnusable,
    IndexUnwritable,
    IndexVersion,
)

try:
    import fcntl
except ImportError:  # Windows, which removes no file that is open
    fcntl = None  # type: ignore[assignment]

FORMAT = 7  # of the generation: its files, fields and manifest
MANIFEST = "generation.json"
REMOVED = "removed.arrays"  # by the name of each segment, the numbers of articles that are gone
KEEP = 2  # generations, the live one included

_NUMBER = re.compile(r"\d{6,}", re.ASCII)
_SEGMENT = re.compile(r"[\w-]+\.arrays", re.ASCII)
_OURS = re.compile(rf"{_SEGMENT.pattern}|_MAIN_\d+\.toc", re.ASCII)  # without a manifest
_LARGEST = 1 << 22  # bytes of a JSON file; none of ours is a hundredth as large


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
        files: of each file but the manifest its size in bytes and a CRC-32, as hex digits: of the
            whole file or, of a file of arrays, of its table, which has those of the rest.
        format, chain: what a reader must have in common with its writer.
        dictionary: which lemmas its words have.
        wordlist: which list of words came on top of it (`words.Words.version`); "" for none.
    """

    articles: int
    corpus: str
    built: str
    segments: tuple[str, ...]
    averages: Averages
    rejected: int = 0
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    format: int = FORMAT
    chain: str = CHAIN
    dictionary: str = field(default_factory=dictionary_version)
    wordlist: str = ""


class Pointer(NamedTuple):
    """Which generation is live, and which are kept to go back to, the latest first."""

    live: str
    earlier: tuple[str, ...] = ()


class Generations:
    """The generations in one index folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if re.match(r"\w+://", str(folder)):
            raise IndexMissing(f"{folder} is a URL; this version reads indexes in folders only.")
        if "\0" in str(folder):
            raise IndexMissing(f"{str(folder)!r} can be no folder: there is a NUL in its name.")

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
        return self.folder / self.pointer().live

    def kept(self) -> list[Path]:
        """Return the folders of the live generation and of those to go back to, the latest first.

        Raises:
            IndexMissing, CorruptIndex, IndexUnusable: as `live`.
        """
        live, earlier = self.pointer()
        return [self.folder / name for name in (live, *earlier)]

    def pointer(self) -> Pointer:
        """Return what `live.json` says; raises what `live` does."""
        path = self.folder / "live.json"
        try:
            told = _read_json(path)
            if told.keys() == {"live", "previous"}:  # of format 3, and before it had a checksum
                earlier = [told["previous"]] if told["previous"] else []
                pointer = Pointer(told["live"], tuple(earlier))
            else:
                pointer = Pointer(told["live"], tuple(_unsealed(told)["earlier"]))
            named = all(_NUMBER.fullmatch(name) for name in (pointer.live, *pointer.earlier))
        except (FileNotFoundError, NotADirectoryError):
            raise IndexMissing(
                f"There is no index in {str(self.folder)!r}; build it with `searchkit rebuild`."
            ) from None
        except OSError as error:
            raise unreadable(path, error) from None
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise damaged(path, "build the index anew with `searchkit rebuild`") from None
        if not named:
            raise CorruptIndex(f"{path} names no generation; run `searchkit rebuild`.")
        return pointer

    def mark(self) -> object:
        """Return what differs after every switch, by one look at the file system."""
        try:
            found = (self.folder / "live.json").stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size

    def describe(self, generation: Path) -> dict[str, Any]:
        """Return where a generation stands among the others."""
        live, earlier = self.pointer()
        return {
            "index": str(self.folder),
            "generation": generation.name,
            "live": live,
            "previous": earlier[0] if earlier else None,
            "kept": [live, *earlier],
        }

    # -- writing --

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the folder's lock; sweep what a killed build left behind.

        Raises:
            IndexLocked: another process holds it. The message says which.
            IndexUnwritable: the system let something not be written, here or in the block.
        """
        with _naming_trouble(self.folder), self._locked():
            self._sweep()
            yield
            self._sweep()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        _make(self.folder)
        owner = self.folder / ".writer.json"
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | PLAIN, 0o644)
        try:
            if not _lock(lock):
                raise IndexLocked(
                    f"The index in {str(self.folder)!r} is being written {_describe(owner)};"
                    " wait until it is done."
                )
            me = {"pid": os.getpid(), "host": platform.node(), "since": timestamp()}
            owner.write_text(json.dumps(me), encoding="utf-8")
            try:
                yield
            finally:
                owner.unlink(missing_ok=True)
        finally:
            os.close(lock)  # unlocks it

    def _sweep(self) -> None:
        """Remove what is no part of the index: of a killed build, or kept for a reader once."""
        _remove(self.folder / ".building")
        (self.folder / ".live.json.new").unlink(missing_ok=True)
        try:
            live, earlier = self.pointer()
        except IndexUnusable:
            return  # which of them count is not known before one is live again
        for name in self._names():
            if name not in (live, *earlier):
                _remove_unread(self.folder / name)

    @contextmanager
    def building(self) -> Iterator[Path]:
        """Make an empty folder for the next generation; gone again unless it is published."""
        building = self.folder / ".building"
        building.mkdir()
        try:
            yield building
        finally:
            _remove(building)

    def publish(
        self,
        building: Path,
        manifest: Manifest,
        verify: Callable[[Path], object],
        keep: int = KEEP,
    ) -> Path:
        """Make a finished build the live generation.

        Everything is on disk before `verify` reads it, and nothing is switched if that raises.

        Args:
            building: its folder, which becomes that of the generation.
            manifest: what it says of itself; its files are described here.
            verify: called with the folder.
            keep: how many generations to keep, this one included. Of the rest those go that
                nobody reads, at the end of `writing`.
        """
        files = {path.name: (path.stat().st_size, stamp(path)) for path in building.iterdir()}
        told = asdict(replace(manifest, files=files))
        (building / MANIFEST).write_text(sealed(told), encoding="utf-8")
        for path in sorted(building.rglob("*"), reverse=True):
            _sync(path)
        _sync(building)
        verify(building)
        names = self._names()
        try:
            earlier = [generation.name for generation in self.kept()]
        except IndexUnusable:  # healed by this build
            earlier = [name for name in names if (self.folder / name / MANIFEST).exists()]
            earlier.sort(key=int, reverse=True)
        earlier = [name for name in earlier if name in names][: keep - 1]
        generation = self.folder / f"{max(map(int, [*names, self._last()])) + 1:06}"
        building.rename(generation)
        _sync(self.folder)
        self._point(Pointer(generation.name, tuple(earlier)))
        return generation

    def rollback(self) -> Path:
        """Point to the previous generation again.

        Raises:
            IndexMissing: there is none.
            IndexUnusable: it cannot be opened; the live one stays.
        """
        live, earlier = self.pointer()
        if not earlier or not (self.folder / earlier[0]).is_dir():
            raise IndexMissing(
                f"There is no earlier generation in {str(self.folder)!r} to roll back to."
            )
        generation = self.folder / earlier[0]
        try:
            _look_at(generation)
        except IndexUnusable as error:
            raise type(error)(
                f"The earlier generation, {generation}, cannot be opened; {live} stays"
                " live, and `searchkit rebuild` builds a new one."
            ) from error
        self._point(Pointer(earlier[0], earlier[1:]))
        return generation

    def _point(self, pointer: Pointer) -> None:
        last = max(map(int, [*self._names(), self._last()]))
        new = self.folder / ".live.json.new"
        new.write_text(sealed({**pointer._asdict(), "last": f"{last:06}"}), encoding="utf-8")
        _sync(new)
        new.replace(self.folder / "live.json")
        _sync(self.folder)

    def _last(self) -> str:
        """Return the greatest number that a generation ever had, as far as it is known.

        A reader tells generations apart by their numbers, so none is used again.
        """
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            last = _unsealed(_read_json(self.folder / "live.json"))["last"]
            return str(last) if _NUMBER.fullmatch(last) else "0"
        return "0"

    def _names(self) -> list[str]:
        return [path.name for path in self.folder.iterdir() if _NUMBER.fullmatch(path.name)]


# -- one generation ----------------------------------------------------------------------------


def hold(generation: Path) -> int:
    """Keep a generation from being removed; return a file descriptor, to be closed when done.

    Raises:
        CorruptIndex: there is no such generation, or no longer.
        IndexUnusable: it may not be read.
    """
    path = generation / MANIFEST
    gone = CorruptIndex(f"{path} is being removed; {AGAIN}.")
    try:
        if generation.is_symlink():
            raise CorruptIndex(f"{generation} is a link, as no part of an index is; {AGAIN}.")
        with open_plain(path) as file:
            if fcntl:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise gone from None
                except OSError:  # a file system without such locks
                    pass
            if not os.fstat(file.fileno()).st_nlink:
                raise gone
            return os.dup(file.fileno())  # it has the lock, too
    except OSError as error:
        raise unreadable(path, error) from None


def read_manifest(generation: Path) -> Manifest:
    """Return what a generation says of itself.

    Raises:
        CorruptIndex: the manifest is missing or damaged.
        IndexVersion: this version of searchkit cannot read the generation.
        IndexUnusable: the manifest may not be read.
    """
    path = generation / MANIFEST
    try:
        told = _read_json(path)
        if "checksum" in told or told["format"] not in _WITHOUT_CHECKSUM:
            told = _unsealed(told)
        if (told["format"], told["chain"]) != (FORMAT, CHAIN):
            raise IndexVersion(
                f"The index in {str(generation.parent)!r} was built by another version of"
                f" searchkit (format {told['format']}, analyser {told['chain']});"
                " run `searchkit rebuild`."
            )
        return _manifest(told)
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        raise damaged(path) from None


_WITHOUT_CHECKSUM = (1, 2, 3)


def _manifest(told: dict[str, Any]) -> Manifest:
    """Make a manifest of what JSON says, which may be anything.

    Raises:
        TypeError, ValueError, LookupError, AttributeError: it is not a manifest.
    """
    found = Manifest(
        **told
        | {
            "segments": tuple(told["segments"]),
            "averages": Averages(**told["averages"]),
            "files": {name: (size, crc) for name, (size, crc) in told["files"].items()},
        }
    )
    numbers = (found.articles, found.rejected, *(size for size, _ in found.files.values()))
    texts = (found.corpus, found.built, found.dictionary)
    if not (
        all(type(number) is int and number >= 0 for number in numbers)
        and all(isinstance(text, str) for text in texts)
        and all(0 <= average < 1e9 for average in vars(found.averages).values())
        # No file outside the folder is opened.
        and all(_SEGMENT.fullmatch(name) and name in found.files for name in found.segments)
    ):
        raise ValueError(told)
    return found


def count_of(generation: Path) -> int | None:
    """Return how many articles a generation of any version says it has, None if it does not."""
    try:
        told = _read_json(generation / MANIFEST)
        if "checksum" in told or told["format"] not in _WITHOUT_CHECKSUM:
            told = _unsealed(told)
        articles = told["articles"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return articles if type(articles) is int else None


def _look_at(generation: Path) -> None:
    """Read a generation's manifest and see that its files are there."""
    for name in read_manifest(generation).files:
        if not (generation / name).is_file():
            raise CorruptIndex(f"{generation / name} is missing; {AGAIN}.")


def damaged(path: Path, then: str = AGAIN, size: int | None = None) -> CorruptIndex:
    """Make the error for a file with one checksum: the fault may be at any byte of it.

    Args:
        path: of the file, which is there.
        then: what to do.
        size: how many bytes it should have, if that is known.
    """
    has = path.stat().st_size
    if size is None or has == size:
        return CorruptIndex(f"{path} is damaged between bytes 0 and {has}; {then}.")
    where = min(has, size)
    return CorruptIndex(f"{path} is damaged at byte {where}: it has {has}, not {size}; {then}.")


# -- JSON with a checksum ----------------------------------------------------------------------


def sealed(told: dict[str, Any]) -> str:
    """Return JSON that has a checksum of all the rest: a CRC-32 of it, keys in order.

    >>> sealed({"live": "000001"}).split()
    ['{', '"live":', '"000001",', '"checksum":', '"0b819d82"', '}']
    """
    whole = {**told, "checksum": _checksum(told)}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def is_as_sealed(path: Path) -> bool:
    """Tell whether a sealed file that can be read is as it was written, to the byte.

    A bit of the last digit of a fraction may flip and leave the number as it is.
    """
    told = _unsealed(_read_json(path))
    return path.read_bytes() == sealed(told).encode()


def _unsealed(told: dict[str, Any]) -> dict[str, Any]:
    """Return what was sealed; raises ValueError or KeyError if it is another."""
    rest = {name: value for name, value in told.items() if name != "checksum"}
    if told["checksum"] != _checksum(rest):
        raise ValueError(told)
    return rest


def _checksum(told: dict[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(told, sort_keys=True).encode()):08x}"


def _read_json(path: Path) -> dict[str, Any]:
    """Read an object; raises what opening a file does, ValueError, TypeError, RecursionError."""
    with open_plain(path) as file:
        text = file.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise ValueError(path)
    told = json.loads(text.decode())
    if not isinstance(told, dict):
        raise TypeError(path)
    return told


# -- the file system ---------------------------------------------------------------------------


def _lock(file: int) -> bool:
    """Lock a file until it is closed, however the process ends; return False if another has it."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            importlib.import_module("msvcrt").locking(file, 2, 1)  # LK_NBLCK, the first byte
    except (BlockingIOError, PermissionError):
        return False
    return True


def timestamp() -> str:
    """Return the time in ISO 8601, UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def age(built: str) -> int | None:
    """Return how many seconds ago a `timestamp` was; None if it is none.

    >>> age("1970-01-01T00:00:00Z") > 1.7e9, age("yesterday")
    (True, None)
    """
    try:
        then = datetime.strptime(built, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return None
    return max(0, round((datetime.now(UTC) - then).total_seconds()))


def _describe(owner: Path) -> str:
    try:
        who = json.loads(owner.read_text(encoding="utf-8"))
        return f"by process {who['pid']} on {who['host']} since {who['since']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "by another process"


@contextmanager
def _naming_trouble(folder: Path) -> Iterator[None]:
    """Say of what the system does not do that it was about the index in a folder."""
    try:
        yield
    except BrokenPipeError:  # of a callback that prints
        raise
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        raise IndexUnwritable(
            f"The index in {str(folder)!r} could not be written"
            f" ({name}{error.strerror or error}), so what was live stays so; run this again when"
            " that is mended."
        ) from error


def _make(folder: Path) -> None:
    """Make a folder and those above it, on disk as well: who loses its name loses the index."""
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _remove(folder: Path) -> None:
    """Remove a folder and what is in it, or as much as can be removed."""
    import shutil  # noqa: PLC0415 - slow to import; who only reads removes nothing

    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_unread(generation: Path) -> None:
    """Remove a generation unless somebody holds it.

    What has no manifest goes if it can be the rest of one: somebody's own folder may have digits
    for a name, too.
    """
    try:
        file = (generation / MANIFEST).open("rb+")  # some systems lock only what may be written
    except OSError:
        if _is_rest(generation):
            _remove(generation)
        return
    with file:
        if fcntl:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            except OSError:  # a file system without such locks
                pass
            (generation / MANIFEST).unlink()  # from here on it cannot be held
    _remove(generation)


def _is_rest(folder: Path) -> bool:
    """Tell whether nothing lies in a folder but files of a generation, or nothing at all."""
    with suppress(OSError):
        return all(_OURS.fullmatch(path.name) for path in folder.iterdir())
    return False


def _sync(path: Path) -> None:
    """Force a file or folder to disk; Windows syncs no folders."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
