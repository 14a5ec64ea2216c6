"""Faults: run searchkit's command line under the shim, and say what shall strike it where.

server = Server(shim)
clean = server.run(["rebuild", ...], below=folder)      # clean.operations: what it did there
run = server.run(["rebuild", ...], Fault(Strike.KILL, at=17), below=folder)
run.code                                                # -9
"""

import itertools
import json
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, NamedTuple, Self

from searchkit import writer

HERE = Path(__file__).parent


class Kind(IntEnum):
    """The kinds of operations on files, as shim.c numbers them."""

    LOOK = 0  # open a file or folder that is there
    OPEN = 1  # make a file, or empty it
    WRITE = 2
    CUT = 3
    SYNC = 4
    RENAME = 5
    LINK = 6
    UNLINK = 7
    MKDIR = 8
    RMDIR = 9


class Strike(IntEnum):
    """What may happen at an operation, likewise."""

    NOTHING = 0
    KILL = 1  # all processes of the run, before the operation
    TERMINATE = 2  # likewise, by SIGTERM
    TEAR = 3  # kill them after it; of a write only half is done
    FAIL = 4
    STOP = 5  # until it is let go on
    VANISH = 6  # the folder is moved away
    ORPHAN = 7  # the parent of the process is killed, and the process stopped
    DIE = 8  # the process is killed, and no other


@dataclass(frozen=True)
class Fault:
    """What strikes a run, and at which of its operations, counted from 0.

    Attributes:
        error: the errno that FAIL fails with.
        again: which kinds of operations fail from then on, too.
    """

    strike: Strike = Strike.NOTHING
    at: int = -1
    error: int = 0
    again: Sequence[Kind] = ()


NO_FAULT = Fault()


class Operation(NamedTuple):
    """One operation on a file; `other` is the new name, or what a length was cut to."""

    kind: Kind
    path: str
    other: str
    offset: int
    data: bytes
    is_done: bool  # False where it failed by itself: to make a folder that is there, say

    def __str__(self) -> str:
        return f"{self.kind.name.lower()} {self.path}"


@dataclass(frozen=True)
class Run:
    """A command that was run.

    Attributes:
        code: its exit code; less than 0 for a signal, None while it is stopped.
        orders: the file that it was run by.
    """

    pid: int
    code: int | None
    orders: Path

    @property
    def out(self) -> str:
        """What it wrote to standard output."""
        return Path(f"{self.orders}.out").read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """What it wrote to standard error."""
        return Path(f"{self.orders}.err").read_text(encoding="utf-8")

    @property
    def struck(self) -> int:
        """The process that was struck; 0 for none."""
        return int(_ORDERS.unpack_from(self.orders.read_bytes())[2])

    def operations(self) -> list[Operation]:
        """Return what it did, in order, by names below the folder; of a run without a fault."""
        log, at, found = Path(f"{self.orders}.log").read_bytes(), 0, []
        below = len(_ORDERS.unpack_from(self.orders.read_bytes())[-1].rstrip(b"\0")) + 1
        while at < len(log):
            kind, path, other, offset, size = _HEAD.unpack_from(log, at)
            parts = []
            at += _HEAD.size
            for length in (path, other, max(size, 0) if kind == Kind.WRITE else 0):
                parts.append(log[at : at + length])
                at += length
            name, other = (os.fsdecode(part) for part in parts[:2])
            if other.startswith("/"):
                other = other[below:]
            found.append(Operation(Kind(kind), name[below:], other, offset, parts[2], size >= 0))
        return found


_ORDERS = struct.Struct("<qqqiiii1024s")
_HEAD = struct.Struct("<qqqqq")


def compile_shim(folder: Path) -> Path:
    """Compile shim.c into a folder.

    Raises:
        OSError, subprocess.CalledProcessError: there is no compiler here, or it is of no use.
    """
    shim = folder / "shim.so"
    flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"]
    command = [os.environ.get("CC", "cc"), *flags, "-o", str(shim), str(HERE / "shim.c"), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return shim


class Server:
    """The fork server, seen from outside; see server.py.

    Attributes:
        temporary: the folder of its temporary files.
    """

    def __init__(self, shim: Path, folder: Path) -> None:
        self.temporary = folder / "temporary"
        self._folder = folder / "orders"
        self._numbers = itertools.count()
        for each in (self._folder, self.temporary):
            each.mkdir()
        settings = {"LD_PRELOAD": str(shim), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, HERE / "server.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **settings, "SQLITE_TMPDIR": str(self.temporary)},
        )
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def run(
        self,
        args: Sequence[str | Path],
        fault: Fault = NO_FAULT,
        *,
        below: Path,
        cache: int = writer.CACHE,
    ) -> Run:
        """Run a command, under a fault; return when it has ended or stopped.

        What it does to the files below the folder `below` counts as operations. More ids than
        `cache` kB have room for go to a file in the folder `temporary`.
        """
        orders = self._folder / f"{next(self._numbers)}"
        again = sum(1 << kind for kind in fault.again)
        is_logged = fault.strike is Strike.NOTHING
        head = 0, fault.at, 0, fault.strike, fault.error, again, is_logged, os.fsencode(below)
        orders.write_bytes(_ORDERS.pack(*head).ljust(4096, b"\0"))
        told = {"args": list(map(str, args)), "orders": str(orders), "cache": cache}
        return self._ask(told, orders)

    def go_on(self, stopped: Run) -> Run:
        """Let a command that has stopped go on; return as `run` does."""
        return self._ask({"go": stopped.pid}, stopped.orders)

    def _ask(self, request: dict[str, Any], orders: Path) -> Run:
        assert self._process.stdin
        print(json.dumps(request), file=self._process.stdin, flush=True)
        return Run(**self._answer(), orders=orders)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        return dict(json.loads(self._process.stdout.readline()))
