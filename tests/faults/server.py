"""A fork server: runs searchkit's command line, each time in a child that is ready at once.

It is started under the shim, has imported everything, and reads a request a line, in JSON:

    {"args": [...], "orders": path, "cache": kB}    run a command in a child
    {"go": pid}                                     let a child that has stopped go on

and answers when the child has ended or stopped: {"pid": pid, "code": exit code, less than 0 for
a signal, null for stopped}. What the child prints goes to the files `orders`.out and .err. More ids
than "cache" has room for make it write a temporary file.
"""

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable

from searchkit import codec, writer
from searchkit.analysis import analyze
from searchkit.cli import main
from searchkit.codec import host
from searchkit.corpus import Corpus

READY = (analyze("Готово"), codec, writer, host, Corpus)  # imported and warm before the first fork
SECONDS = 1_200  # that a child may take, on a machine that does much else


def serve() -> None:
    """Answer requests until there are no more."""
    writer.LEARNED, writer.TIER = 0, 1  # the large segment of a small archive stays, too
    join = ctypes.CDLL(None).faults_join
    _answer(os.getpid(), None)
    requests = os.fdopen(os.dup(0), encoding="utf-8")  # standard input stays unread for the child
    for line in requests:
        request = json.loads(line)
        if "go" in request:
            pid = request["go"]
            os.kill(pid, signal.SIGCONT)
        else:
            pid = os.fork()
            if not pid:
                os._exit(_run(join, **request))
        _, status = os.waitpid(pid, os.WUNTRACED)
        code = None if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)
        _answer(pid, code)


def _answer(pid: int, code: int | None) -> None:
    sys.stdout.write(json.dumps({"pid": pid, "code": code}) + "\n")
    sys.stdout.flush()


def _run(join: Callable[[bytes, int], None], args: list[str], orders: str, cache: int) -> int:
    os.setsid()  # a group of its own, for signals that go to all processes of a build
    for stream, name in (0, os.devnull), (1, f"{orders}.out"), (2, f"{orders}.err"):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), stream)
    signal.alarm(SECONDS)
    try:
        writer.CACHE = cache
        writer.IN_MEMORY = min(writer.IN_MEMORY, 100 * cache)
        os.environ["SEARCHKIT_FAULTS"] = orders  # for the processes that this one starts
        join(orders.encode(), 1)
        main(args, prog_name="searchkit")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 1
    except BaseException:  # noqa: BLE001 - as the interpreter would
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    serve()
