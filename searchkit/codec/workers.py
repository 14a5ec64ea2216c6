"""Workers: processes that make runs, one a processor.

They are plain subprocesses that are handed pickled work through a pipe, rather than those of
`multiprocessing`: these would run the main module of whatever application builds an index once
more, and fork its threads' locks.
"""

import gc
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from searchkit.article import FIELDS, Article
from searchkit.codec.runs import Learned, RunMaker, Vocabulary
from searchkit.errors import BuildFailed

Run = list[Article]
Made = list[tuple[list[Path], Vocabulary]]

_fields = attrgetter(*FIELDS)  # all but the text

# Left alone, glibc gives the arrays of each run back to the system, only to ask for as much again
# for the next: a tenth of the time of a process. Other systems do not know these names.
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}

_PROGRAM = "from searchkit.codec.workers import work; work()"


def make_runs(runs: Iterator[Run], folder: Path, learned: Callable[[], Learned], jobs: int) -> Made:
    """Make a file of each run in a folder; return, for each process, its files and vocabulary.

    Args:
        runs: read as processes become free.
        folder: where the files go.
        learned: returns what is the same for all runs; called while a process starts.
        jobs: how many processes make runs; with one, none is started.

    Raises:
        BuildFailed: a process was killed, for want of memory, say.
        OSError: no room, no permission.
    """
    paths = (folder / f"{number}.arrays" for number in range(sys.maxsize))
    if jobs == 1 or not sys.executable:
        maker = RunMaker(learned())
        made = [maker.make(run, path) for run, path in zip(runs, paths, strict=False)]
        return [(made, maker.vocabulary())]
    with ExitStack() as stack:
        workers: list[_Worker] = []
        threads = stack.enter_context(ThreadPoolExecutor(jobs))  # each waits for its process
        busy: dict[Future[None], _Worker] = {}
        for run, path in zip(runs, paths, strict=False):
            if len(busy) == jobs:
                done, _ = wait(busy, return_when=FIRST_COMPLETED)
                for future in done:
                    future.result()
                    del busy[future]
            idle = [worker for worker in workers if worker not in busy.values()]
            if not idle:
                idle = [stack.enter_context(_Worker(learned))]
                workers += idle
            [worker, *_] = idle
            busy[threads.submit(worker.make, run, path)] = worker
        for future in busy:
            future.result()
        words = threads.map(_Worker.vocabulary, workers)
        return [(worker.made, own) for worker, own in zip(workers, words, strict=True)]


class _Worker:
    """One process, seen from outside."""

    def __init__(self, learned: Callable[[], Learned]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - nothing of it is from outside
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**_KEEP_MEMORY, **os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert self._process.stdin and self._process.stdout  # noqa: S101, PT018 - both are pipes
        self._input, self._output = self._process.stdin, self._process.stdout
        self.made: list[Path] = []
        self._send(learned())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._output.close()
        with suppress(BrokenPipeError):  # what was not sent is not wanted
            self._input.close()

    def make(self, run: Run, path: Path) -> None:
        """Have a run made; return when it is."""
        self._send((list(map(_packed, run)), path))
        self.made.append(self._receive())

    def vocabulary(self) -> Vocabulary:
        """Return the words of all runs made here."""
        self._send(None)
        words: Vocabulary = self._receive()
        return words

    def _send(self, work: object) -> None:
        try:
            pickle.dump(work, self._input, pickle.HIGHEST_PROTOCOL)
            self._input.flush()
        except BrokenPipeError:
            raise self._failure() from None

    def _receive(self) -> Any:
        try:
            result = pickle.load(self._output)  # noqa: S301 - our own process wrote it
        except EOFError:
            raise self._failure() from None
        if isinstance(result, BaseException):
            raise result
        return result

    def _failure(self) -> BuildFailed:
        code = self._process.wait()
        return BuildFailed(
            f"A process that analyses articles ended with {code}, perhaps for want of memory;"
            " the index is left as it was. Try fewer with `--jobs 1`."
        )


def _packed(article: Article) -> tuple[bytes, Any]:
    """Return an article for pickling: UTF-16, and no class, makes that twice as fast."""
    return article.text.encode("utf-16-le", "surrogatepass"), _fields(article)


def _unpacked(packed: tuple[bytes, Any]) -> Article:
    text, (name, *others) = packed
    return Article(name, text.decode("utf-16-le", "surrogatepass"), *others)


def work() -> None:
    """Serve as a worker: read articles from standard input until None comes, write results."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that reads
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    maker = RunMaker(pickle.load(source))  # noqa: S301 - our own process wrote it
    while True:
        try:
            job = pickle.load(source)  # noqa: S301
        except EOFError:
            return
        result: object
        try:
            if job is None:
                result = maker.vocabulary()
            else:
                packed, path = job
                result = maker.make(list(map(_unpacked, packed)), path)
        except Exception as error:  # noqa: BLE001 - raised again where it can be told
            result = error
        pickle.dump(result, sink, pickle.HIGHEST_PROTOCOL)
        sink.flush()
        gc.freeze()  # the words that were learned stay: no need to look through them for garbage
