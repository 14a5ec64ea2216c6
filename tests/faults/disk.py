"""Disk: what lies on it after a power cut, worked out from the operations of a run.

    disk = Disk(folder)                     # as it is: all of it synced
    for operation in operations[:n]:
        disk.do(operation)
    disk.after(NOTHING_UNSYNCED, target)    # write what may have survived to a folder

A file keeps what it held when it was last synced; of what was written since then, nothing, all or
something survives. A folder keeps the names that it had when it was last synced; of those that
came, went or changed since then, any may survive. That is all that POSIX promises; most file
systems keep more.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from random import Random
from typing import NamedTuple

from faults import Kind, Operation


@dataclass(eq=False)
class File:
    """A file: what it holds, and what it held when it was last synced."""

    data: bytes = b""
    synced: bytes = b""

    def change(self, operation: Operation) -> None:
        """Write to it, or cut it to a length."""
        if operation.kind is Kind.CUT:
            length = int(operation.other)
            self.data = self.data[:length].ljust(length, b"\0")
        else:
            at, data = operation.offset, operation.data
            self.data = self.data[:at].ljust(at, b"\0") + data + self.data[at + len(data) :]


@dataclass(eq=False)
class Folder:
    """A folder: its names, those when it was last synced, and the changes since then, in order."""

    names: dict[str, "File | Folder"] = field(default_factory=dict)
    synced: dict[str, "File | Folder"] = field(default_factory=dict)
    changes: "list[Change]" = field(default_factory=list)

    def change(self, change: "Change") -> None:
        """Give some names to other files, or to none, all at once."""
        _apply(self.names, change)
        self.changes.append(change)


Change = dict[str, File | Folder | None]  # of names


def _apply(names: dict[str, File | Folder], change: Change) -> None:
    for name, node in change.items():
        names.pop(name, None)
        if node is not None:
            names[name] = node


class Survival(NamedTuple):
    """What survives a power cut of a file's data, and of a folder's changes, in order."""

    name: str
    data: Callable[[File], bytes]
    changes: Callable[[Folder], Iterable[Change]]


NOTHING_UNSYNCED = Survival("nothing unsynced", lambda file: file.synced, lambda _: ())
NAMES = Survival("names, no data", lambda file: file.synced, lambda folder: folder.changes)
ZEROS = Survival(
    "names, zeros for data",
    lambda file: file.data if file.data == file.synced else bytes(len(file.data)),
    lambda folder: folder.changes,
)
DATA = Survival("data, no names", lambda file: file.data, lambda _: ())
ALL = Survival("all", lambda file: file.data, lambda folder: folder.changes)


def any_of(seed: int) -> Survival:
    """Return one where each file, and each change of a name, fares as a seed says."""
    random = Random(seed)

    def data(file: File) -> bytes:
        torn = file.data[: random.randrange(len(file.data) + 1)]
        return random.choice([file.synced, file.data, torn, torn.ljust(len(file.data), b"\0")])

    return Survival(
        f"some, seed {seed}",
        lambda file: file.data if file.data == file.synced else data(file),
        lambda folder: [change for change in folder.changes if random.random() < 0.5],
    )


class Disk:
    """The files and folders below one folder, before and while a run writes."""

    def __init__(self, folder: Path) -> None:
        self._inodes: dict[int, File] = {}
        self._top = self._load(folder)

    def _load(self, folder: Path) -> Folder:
        names: dict[str, File | Folder] = {}
        for path in folder.iterdir():
            if path.is_dir():
                names[path.name] = self._load(path)
            else:
                data = path.read_bytes()
                names[path.name] = self._inodes.setdefault(path.stat().st_ino, File(data, data))
        return Folder(names, dict(names))

    def _find(self, path: PurePath) -> File | Folder | None:
        node: File | Folder | None = self._top
        for name in path.parts:
            node = node.names.get(name) if isinstance(node, Folder) else None
        return node

    def _folder(self, path: PurePath) -> Folder:
        node = self._find(path)
        assert isinstance(node, Folder)
        return node

    def do(self, operation: Operation) -> None:
        """Do an operation."""
        kind, path = operation.kind, PurePath(operation.path)
        node = self._find(path)
        if not operation.is_done or kind is Kind.LOOK:
            return
        if kind is Kind.SYNC:
            if isinstance(node, Folder):
                node.synced, node.changes = dict(node.names), []
            elif node:
                node.synced = node.data
        elif kind in (Kind.WRITE, Kind.CUT):
            if isinstance(node, File):  # or it has no name any more
                node.change(operation)
        elif kind is Kind.OPEN and isinstance(node, File):
            node.data = b"" if operation.other else node.data
        else:
            self._rename(operation, node, path)

    def _rename(self, operation: Operation, node: File | Folder | None, path: PurePath) -> None:
        change: Change
        match operation.kind:
            case Kind.OPEN:
                change = {path.name: File()}
            case Kind.MKDIR:
                change = {path.name: Folder()}
            case Kind.LINK:
                change = {}
            case _:
                change = {path.name: None}
        if operation.kind in (Kind.RENAME, Kind.LINK):
            new = PurePath(operation.other)
            if new.parent == path.parent:
                change[new.name] = node
            else:
                self._folder(new.parent).change({new.name: node})
        self._folder(path.parent).change(change)

    def after(self, survival: Survival, target: Path) -> None:
        """Write what survives a power cut now to a new folder."""
        written: dict[File, Path] = {}

        def write(folder: Folder, path: Path) -> None:
            path.mkdir()
            names = dict(folder.synced)
            for change in survival.changes(folder):
                _apply(names, change)
            for name, node in names.items():
                if isinstance(node, Folder):
                    write(node, path / name)
                elif node in written:
                    os.link(written[node], path / name)
                else:
                    (path / name).write_bytes(survival.data(node))
                    written[node] = path / name

        write(self._top, target)
