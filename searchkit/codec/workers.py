"""Workers: processes that read articles and make runs, one a processor.

Lines of JSON are handed to them unread, in blocks. Which of the articles go into the run is told
them by the process that has the ids of all blocks before.

They are plain subprocesses that are handed pickled work through a pipe, rather than those of
`multiprocessing`: these would run the main module of whatever application builds an index once
more, and fork its threads' locks.
"""

import gc
import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from searchkit.article import FIELDS, Article
from searchkit.codec.runs import Learned, RunMaker, Vocabulary
from searchkit.corpus import Block
from searchkit.errors import ArticleError, BuildFailed

if TYPE_CHECKING:  # slow to import, and a small update starts no process
    from concurrent.futures import Future

Run = list[Article]
Read = Sequence[tuple[int, Article | ArticleError]]  # what `Block.read` yields
Found = list[tuple[int, str | None, str]]  # of each record: line, id or None, what is wrong with it
Choose = Callable[[Block, Found], Sequence[int]]
Made = list[tuple[list[Path], Vocabulary]]

_fields = attrgetter(*FIELDS)  # all but the text

# Left alone, glibc gives the arrays of each run back to the system, only to ask for as much again
# for the next: a tenth of the time of a process. Other systems do not know these names.
_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
_SETTINGS = {**_KEEP_MEMORY, "OPENBLAS_NUM_THREADS": "1"}  # as in cli.py

_PROGRAM = "from searchkit.codec.workers import work; work()"


def make_runs(
    runs: Iterator[Run | Block | None],
    folder: Path,
    learned: Callable[[], Learned],
    jobs: int,
    choose: Choose,
) -> Made:
    """Make a file of each run in a folder; return, for each process, its files and vocabulary.

    Args:
        runs: read as processes become free. None comes before what needs to know that the blocks
            before it were chosen from.
        folder: where the files go.
        learned: returns what is the same for all runs; called while processes start.
        jobs: how many processes read blocks and make runs; with one, none is started.
        choose: is told what was found in each block, in their order; returns the numbers of the
            articles, among all that was found, that go into the run.

    Raises:
        BuildFailed: a process was killed, for want of memory, say.
        OSError: no room, no permission.
    """
    paths = (folder / f"{number:09}.arrays" for number in range(sys.maxsize))
    if jobs == 1 or not sys.executable:
        desk = _Desk(learned())
        made = []
        for run in runs:
            if isinstance(run, Block):
                made.append(desk.keep(choose(run, desk.read(run)), next(paths)))
            elif run:
                made.append(desk.maker.make(run, next(paths)))
        return [(made, desk.vocabulary())]
    with ExitStack() as stack:
        team = _Team(jobs, learned, choose, stack)
        for run in runs:
            if isinstance(run, Block):
                team.read(run, next(paths))
            elif run:
                team.make(run, next(paths))
            else:
                team.choose_from_all()
        return team.vocabularies()


class _Team:
    """Some processes, and what each of them does now."""

    def __init__(
        self, jobs: int, learned: Callable[[], Learned], choose: Choose, stack: ExitStack
    ) -> None:
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import

        self._jobs, self._learned, self._choose, self._stack = jobs, learned, choose, stack
        self._threads = stack.enter_context(ThreadPoolExecutor(jobs))  # each waits for its process
        self._workers: list[_Worker] = []
        self._next = self._hired()
        self._reading: deque[tuple[Future[Found], _Worker, Block, Path]] = deque()
        self._making: dict[Future[None], _Worker] = {}

    def read(self, block: Block, path: Path) -> None:
        """Have a block read and, once it is chosen from, its run made."""
        worker = self._free()
        self._reading.append((self._threads.submit(worker.read, block), worker, block, path))
        while self._reading and self._reading[0][0].done():
            self._choose_from_next()

    def make(self, run: Run, path: Path) -> None:
        """Have a run made."""
        worker = self._free()
        self._making[self._threads.submit(worker.make, run, path)] = worker

    def choose_from_all(self) -> None:
        """Wait until all blocks are read, and choose from them."""
        while self._reading:
            self._choose_from_next()

    def vocabularies(self) -> Made:
        """Wait until all is done; return what each process has made, and its words."""
        self.choose_from_all()
        for future in self._making:
            future.result()
        words = self._threads.map(_Worker.vocabulary, self._workers)
        return [(worker.made, own) for worker, own in zip(self._workers, words, strict=True)]

    def _choose_from_next(self) -> None:
        future, worker, block, path = self._reading.popleft()
        which = self._choose(block, future.result())
        self._making[self._threads.submit(worker.keep, which, path)] = worker

    def _hired(self) -> "_Worker":
        """Start a process, before it is wanted: that takes a while."""
        return self._stack.enter_context(_Worker())

    def _free(self) -> "_Worker":
        """Return a process that has nothing to do, a new one if there may be more."""
        while True:
            busy = [*(worker for _, worker, *_ in self._reading), *self._making.values()]
            idle = [worker for worker in self._workers if worker not in busy]
            if idle:
                return idle[0]
            if len(self._workers) < self._jobs:
                worker = self._next
                self._workers.append(worker)
                if len(self._workers) < self._jobs:
                    self._next = self._hired()
                worker.learn(self._learned())
                return worker
            from concurrent.futures import FIRST_COMPLETED, wait  # noqa: PLC0415 - as above

            self.choose_from_all()
            done, _ = wait(self._making, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                del self._making[future]


class _Worker:
    """One process, seen from outside."""

    def __init__(self) -> None:
        import subprocess  # noqa: PLC0415 - slow to import, and a small update needs none

        # Sent to all processes, these are for the one that reads; who is started inherits that.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            self._process = subprocess.Popen(  # noqa: S603 - nothing of it is from outside
                [sys.executable, "-P", "-c", _PROGRAM],  # -P: nothing of the folder at hand is run
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**_SETTINGS, **os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        assert self._process.stdin and self._process.stdout  # noqa: S101, PT018 - both are pipes
        self._input, self._output = self._process.stdin, self._process.stdout
        self.made: list[Path] = []

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

    def learn(self, learned: Learned) -> None:
        """Tell what is the same for all runs; to be called first."""
        self._send(learned)

    def read(self, block: Block) -> Found:
        """Have a block read; return what was found in it."""
        found: Found = self._done("read", block)
        return found

    def keep(self, which: Sequence[int], path: Path) -> None:
        """Have a run made of articles of the block that was read last."""
        self.made.append(self._done("keep", which, path))

    def make(self, run: Run, path: Path) -> None:
        """Have a run made; return when it is."""
        self.made.append(self._done("make", list(map(_packed, run)), path))

    def vocabulary(self) -> Vocabulary:
        """Return the words of all runs made here."""
        words: Vocabulary = self._done("vocabulary")
        return words

    def _done(self, task: str, *arguments: object) -> Any:
        self._send((task, *arguments))
        return self._receive()

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


def told(read: Read) -> Found:
    """Return what `Choose` wants to know of the records of a block."""
    return [
        (line, None, found.reason) if isinstance(found, ArticleError) else (line, found.id, "")
        for line, found in read
    ]


def chosen(read: Read, which: Sequence[int]) -> list[Article]:
    """Return the articles of a block that `Choose` has named."""
    found = (read[number][1] for number in which)
    return [article for article in found if isinstance(article, Article)]


class _Desk:
    """What a process does."""

    def __init__(self, learned: Learned) -> None:
        self.maker = RunMaker(learned)
        self._read: Read = []

    def read(self, block: Block) -> Found:
        """Read a block; return the line of each record, and its id or what is wrong with it."""
        self._read = list(block.read())
        return told(self._read)

    def keep(self, which: Sequence[int], path: Path) -> Path:
        """Make a run of some of the articles of this block."""
        read, self._read = self._read, []
        return self.maker.make(chosen(read, which), path)

    def make(self, packed: Sequence[tuple[bytes, Any]], path: Path) -> Path:
        """Make a run."""
        return self.maker.make(list(map(_unpacked, packed)), path)

    def vocabulary(self) -> Vocabulary:
        """Return the words of all runs made here."""
        return self.maker.vocabulary()


def work() -> None:
    """Serve as a worker: read tasks from standard input, write what comes of them."""
    sent, sink = _sent(sys.stdin.buffer), sys.stdout.buffer
    sys.stdout = sys.stderr
    for learned in islice(sent, 1):
        desk = _Desk(learned)
    for task, *arguments in sent:
        result: object
        try:
            result = getattr(desk, task)(*arguments)
        except Exception as error:  # noqa: BLE001 - raised again where it can be told
            result = error
        try:
            pickle.dump(result, sink, pickle.HIGHEST_PROTOCOL)
            sink.flush()
        except BrokenPipeError:  # the build was killed: nobody wants this, or to hear of it
            os._exit(1)
        gc.freeze()  # the words that were learned stay: no need to look through them for garbage


def _sent(source: IO[bytes]) -> Iterator[Any]:
    """Yield what another process sends, until it ends, if in the middle of something."""
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(source)  # noqa: S301 - our own process writes it
