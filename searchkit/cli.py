"""The command line: open, call, print. What is done is done elsewhere."""

import sys

try:  # Ctrl-C while they are read is no traceback either
    import atexit
    import gc

    # Nearly all that a command makes is in use to its end: it is seldom worth looking for what is
    # not, and not at all at the end, where Python looks through everything: a tenth of a query.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)

    import math
    import os
    import re
    import signal
    import threading
    import time
    from collections.abc import Callable, Iterator
    from contextlib import contextmanager, nullcontext
    from pathlib import Path
    from types import TracebackType
    from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

    # Nothing here multiplies matrices, and to start threads for it takes as long as a search.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    import click

    import searchkit
    from searchkit import show as shown
    from searchkit.analysis import Token, analyze, way_of
    from searchkit.dates import parse_span
    from searchkit.errors import ArticleError, SearchkitError
    from searchkit.generations import Generations, timestamp
except KeyboardInterrupt:
    sys.exit(130)

if TYPE_CHECKING:  # who only searches need not wait for what builds, nor the other way round
    from searchkit.corpus import Corpus
    from searchkit.writer import Progress

Command = TypeVar("Command", bound=Callable[..., Any])


class _Command(click.Command):
    """A command to which `-трамп` is a text; only Latin letters and digits make an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hide from click, behind a mark that nobody can type, what is not an option."""
        hidden = [f"\0{arg}" if re.match("-[^A-Za-z0-9_-]", arg) else arg for arg in args]
        rest = super().parse_args(ctx, hidden)
        for name, value in ctx.params.items():
            read = _text if name in _TEXTS else _shown
            several = isinstance(value, tuple)
            ctx.params[name] = tuple(map(read, value)) if several else read(value)
        return rest


_TEXTS = ("query", "prefix", "text", "article_id")  # arguments that name no file


def _shown(value: Any) -> Any:
    return value[1:] if isinstance(value, str) and value.startswith("\0-") else value


def _text(value: Any) -> Any:
    """Read as UTF-8 what came through a locale without it, such as C: as bytes, each escaped."""
    if not isinstance(value, str):
        return value
    try:
        return _shown(value).encode("ascii", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # it came through whole
        return _shown(value)


class _Group(click.Group):
    """Errors cross the border here: one sentence on standard error, and the exit code."""

    command_class = _Command

    def main(self, *args: Any, **options: Any) -> Any:
        """Run a command; no trouble with standard output or standard error is a traceback."""
        shown.use_utf8()
        shown.guard_streams(_lost)
        with _terminable():
            return super().main(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SearchkitError as error:
            raise _failure(str(error), error.exit_code) from error
        except KeyboardInterrupt as stop:
            stopped = _Stopped(stop)
            raise _failure(str(stopped), stopped.exit_code) from None
        except OSError as error:
            name = f"{error.filename}: " if error.filename else ""
            raise _failure(f"{name}{error.strerror or error}.", 3) from error


class _Terminated(KeyboardInterrupt):
    """SIGTERM, by which a service manager ends a job: it is ended as by Ctrl-C."""


class _Stopped(SearchkitError):  # noqa: N818 - likewise
    """A command was stopped by a signal, and ends as shells tell of that: 128 + its number."""

    def __init__(self, stop: KeyboardInterrupt, then: str = "") -> None:
        super().__init__(f"Stopped{then}.")
        number = signal.SIGTERM if isinstance(stop, _Terminated) else signal.SIGINT
        self.exit_code = 128 + number


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM clean up, too; not where somebody else has decided what it does."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(*_: object) -> NoReturn:
    raise _Terminated


@contextmanager
def _writing(index: str) -> Iterator[None]:
    """Say of a command that writes an index, if it is stopped, which index there is then."""
    generations = Generations(index)
    before = generations.mark()
    try:
        yield
    except KeyboardInterrupt as stop:
        is_same = generations.mark() == before
        then = f" when generation {generations.live().name} was already live" if not is_same else ""
        raise _Stopped(stop, then or "; the index is left as it was") from None


def _failure(message: str, exit_code: int) -> click.ClickException:
    failure = click.ClickException(shown.line(message))
    failure.exit_code = exit_code  # type: ignore[misc] # click reads it from the instance
    return failure


def _lost(error: OSError) -> NoReturn:
    """Say that nobody can read the answer; to `head`, which has read enough, say nothing."""
    if isinstance(error, BrokenPipeError):
        sys.exit(141)  # as of a program that the signal for it has ended
    raise _failure(f"The output could not be written: {error.strerror or error}.", 2) from error


def _inherited(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """`searchkit --index DIR query` and `searchkit query --index DIR` are the same."""
    _not_empty(ctx, option, value)
    name = str(option.name)
    variable = f"SEARCHKIT_{name.removesuffix('_folder').upper()}"
    return value or ctx.find_root().params.get(name) or os.environ.get(variable) or None


def _not_empty(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value == "":
        raise click.BadParameter("It is empty; name a folder, or leave it out.", ctx, option)
    return value


class _Number(click.IntRange):
    """A number; who types something else is told in plain words what it should have been."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"{value!r} is not a whole number from {self.min} on.", param, ctx)


class _Real(click.FloatRange):
    """A number with a fraction, perhaps; told as `_Number` does."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number."""
        try:
            number = float(super().convert(value, param, ctx))
        except click.BadParameter:
            number = math.nan
        if math.isnan(number):
            to = " on" if self.max is None else f" to {self.max:g}"
            self.fail(f"{value!r} is not a number from {self.min:g}{to}.", param, ctx)
        return number


_timeout = click.option(
    "--timeout",
    type=_Real(0),
    metavar="SECONDS",
    help="Give up after so long.  [default: never]",
)


def _folders(command: Command) -> Command:
    for name, what in (
        ("corpus", "Articles: a folder or file."),
        ("index", "Folder of the index."),
    ):
        command = click.option(
            f"--{name}",
            f"{name}_folder",
            metavar="DIR",
            callback=_inherited,
            help=f"{what}  [default: {name}, or SEARCHKIT_{name.upper()}]",
        )(command)
    return command


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='Example: searchkit query "мирні переговори" --since 2025',
)
@_folders
@click.version_option(package_name="searchkit")
def main(**_folders: str | None) -> None:
    """Search an archive of Ukrainian news: every case form found, ranked, highlighted."""


# -- building ----------------------------------------------------------------------------------


_words = click.option(
    "--words",
    metavar="FILE",
    envvar="SEARCHKIT_WORDS",
    callback=_not_empty,
    help="Words that the dictionary lacks, each with a known one that it inflects like."
    "  [default: words.txt in the corpus or beside the index, or SEARCHKIT_WORDS]",
)


def _building(command: Command) -> Command:
    """Give a command the arguments of both that build."""
    options = (
        click.argument("corpus", required=False, callback=_not_empty),
        click.option("--strict", is_flag=True, help="Stop at the first bad record."),
        _words,
        click.option(
            "--max-shrink",
            type=_Real(0, 100),
            default=50,
            metavar="PERCENT",
            help="Refuse if more of the live articles are gone.  [default: 50]",
        ),
        click.option("--force", is_flag=True, help="Publish however few articles there are."),
        click.option(
            "--keep",
            type=_Number(1),
            default=2,
            metavar="N",
            help="Generations to keep, the new one included.  [default: 2]",
        ),
        click.option(
            "--jobs",
            type=_Number(1),
            metavar="N",
            help="How many processes analyse.  [default: one a core]",
        ),
        click.option(
            "--memory",
            type=_Number(100),
            default=1000,
            metavar="MB",
            help="What they may take together.  [default: 1000]",
        ),
        click.option("--log-json", is_flag=True, help="Say what is done in JSON, one line a step."),
        _folders,
    )
    for add in reversed(options):  # as decorators are applied, so that help has them in order
        command = add(command)
    return command


@main.command("index", short_help="Bring the index up to date with the articles.")
@_building
def index_command(corpus: str | None, corpus_folder: str | None, **options: Any) -> None:
    """Bring the index up to date: add new articles, replace changed ones, drop vanished ones.

    CORPUS is a folder, a file, or - for JSON Lines on standard input.

    Example: searchkit index news/
    """
    _write("update", corpus or corpus_folder, **options)


@main.command("rebuild", short_help="Build a new generation and switch to it.")
@_building
def rebuild_command(corpus: str | None, corpus_folder: str | None, **options: Any) -> None:
    """Build a whole new generation beside the live one, verify it, switch to it.

    CORPUS is a folder, a file, or - for JSON Lines on standard input. Until the switch, and
    whatever stops the build, the live generation answers.

    Example: searchkit rebuild news/ --index /var/lib/searchkit
    """
    _write("rebuild", corpus or corpus_folder, **options)


def _write(
    how: str,
    corpus_folder: str | None = None,
    index_folder: str | None = None,
    *,
    strict: bool = False,
    words: str | None = None,
    jobs: int | None = None,
    memory: int = 1000,
    max_shrink: float = 50,
    force: bool = False,
    keep: int = 2,
    log_json: bool = False,
) -> None:
    log = _Log() if log_json else None
    started = time.monotonic()
    index = index_folder or "index"
    with log or nullcontext(), _writing(index):
        from searchkit import writer  # noqa: PLC0415
        from searchkit.corpus import Corpus  # noqa: PLC0415
        from searchkit.words import chosen  # noqa: PLC0415

        build = {"rebuild": writer.rebuild, "update": writer.update}[how]
        report = _raise if strict else log.skipped if log else _name
        corpus = Corpus(corpus_folder or "corpus", report, or_nothing=force, index=index)
        means = writer.Means(jobs, memory, chosen(words, corpus.path, index, corpus.reject))
        with nullcontext(lambda: None) if log else _progress(corpus) as step:
            done = build(
                corpus,
                index,
                step,
                means,
                publishing=writer.Publishing(max_shrink, force, keep),
                log=log.step if log else lambda *_: None,
            )
    seconds = time.monotonic() - started
    if log:
        told = {"command": how.replace("update", "index"), **vars(done), "ignored": corpus.ignored}
        log.line("done", told, seconds)
        return
    changes = f"{done.added:,} new, {done.changed:,} changed, {done.removed:,} gone"
    if done.is_anew:
        changes = "all read anew, since the dictionary or the list of words has changed"
    made = f"generation {done.generation}, {seconds:.1f} s"
    _say(f"{_some(done.articles, 'article')} ({changes}), {made}.")
    if done.rejected:
        _say(f"{_some(done.rejected, 'bad record')} skipped; --strict makes the first one fatal.")
    if corpus.ignored:
        _say(f"{_some(corpus.ignored, 'file')} of other formats passed over.")


class _Log:
    """What a build does, on standard error as JSON: one object a line, with time and seconds.

    Errors that leave the `with` block become such a line, too, and the exit code.
    """

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, SearchkitError | OSError):
            code = error.exit_code if isinstance(error, SearchkitError) else 3
            self.step("failed", {"error": shown.line(str(error)), "exit_code": code})
            sys.exit(code)

    def step(self, name: str, counts: dict[str, Any]) -> None:
        """Tell a step, and the seconds since the one before."""
        now = time.monotonic()
        self.line(name, counts, now - self._last)
        self._last = now

    def skipped(self, error: ArticleError) -> None:
        """Tell a bad record."""
        told = {"source": error.source, "line": error.line, "reason": error.reason}
        self.line("skip", told)

    def line(self, name: str, told: dict[str, Any], seconds: float | None = None) -> None:
        """Print one line."""
        took = {} if seconds is None else {"seconds": round(seconds, 3)}
        line = {"time": timestamp(), "step": name, **told, **took}
        click.echo(shown.dumps(line), err=True)


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _raise(error: ArticleError) -> None:
    raise error


def _name(error: ArticleError) -> None:
    _say(f"Skipped {error}")


@contextmanager
def _progress(corpus: "Corpus") -> Iterator["Progress"]:
    """Show a bar on a terminal, nothing elsewhere."""
    size = corpus.size() if sys.stderr.isatty() else 0
    if not size:
        yield lambda: None
        return
    with click.progressbar(length=size, label="Indexing", file=sys.stderr) as bar:
        yield lambda: bar.update(corpus.done - bar.pos)


@main.command("check", short_help="Read every byte of the index; name a fault.")
@click.option("--all", "every", is_flag=True, help="Also the generations to go back to.")
@_folders
def check_command(every: bool, index_folder: str | None, **_corpus: str | None) -> None:
    """Read every byte of the live generation; name the first fault, if there is one.

    Example: searchkit check
    """
    for told in searchkit.Archive.check(index_folder or "index", every=every):
        _print(
            f"Generation {told.generation}: {_some(told.articles, 'article')},"
            f" {_some(told.files, 'file')}, {_some(told.bytes, 'byte')}: all as it was written."
        )


@main.command("rollback")
@_folders
def rollback_command(index_folder: str | None, **_corpus: str | None) -> None:
    """Switch back to the previous generation.

    Example: searchkit rollback
    """
    index = index_folder or "index"
    with _writing(index):
        _say(f"Generation {searchkit.Archive.rollback(index)} is live again.")


# -- asking ------------------------------------------------------------------------------------


@main.command("query", short_help="Find articles by any form of the words.")
@click.argument("query", nargs=-1, required=True)
@click.option(
    "--limit", "-n", type=_Number(0), default=10, show_default=True, help="So many hits at most."
)
@click.option("--offset", type=_Number(0), default=0, help="Leave out the first hits.")
@click.option("--since", metavar="DATE", help="From this day, month or year on.")
@click.option("--until", metavar="DATE", help="Up to this day, month or year, included.")
@click.option(
    "--sort",
    type=click.Choice(["relevance", "date"]),
    default="relevance",
    show_default=True,
    help="The best first, or the newest.",
)
@click.option(
    "--passages", type=_Number(0), default=3, show_default=True, help="At most, an article."
)
@_timeout
@click.option("--explain", is_flag=True, help="Say why each word matches, what scores are made of.")
@click.option("--json", is_flag=True, help="One JSON object.")
@click.option("--jsonl", is_flag=True, help="One JSON object a hit.")
@click.option("--csv", is_flag=True, help="A header and a row a hit.")
@_folders
def query_command(
    query: tuple[str, ...],
    index_folder: str | None,
    corpus_folder: str | None,
    **options: Any,
) -> None:
    """Find articles by any form of the words; rank them, show the passages that match.

    \b
    Examples:
      searchkit query переговори
      searchkit query '"мирні переговори" NOT Київ' --since 2025-09 --sort date
      searchkit query 'title:перегов* source:вісник' --json
    """  # noqa: D301 - click's mark for lines that stay as they are
    form = _form({name: options.pop(name) for name in ("json", "jsonl", "csv")})
    if not (index_folder or corpus_folder):
        _build_first()
    with _opened(index_folder) as archive:
        results = archive.search(" ".join(query), readings=True, **options)
    _say_read_as(results.read_as)
    _say_swapped(options["since"], options["until"])
    for word in results.readings:
        if word.is_open:
            _say(shown.ambiguous(word))
    if form == "json":
        _data(shown.results_as_json(results))
    elif form == "jsonl":
        _data(*(shown.dumps(shown.hit_as_dict(hit)) for hit in results))
    elif form == "csv":
        _data(shown.results_as_csv(results))
    else:
        _print(*shown.results_as_lines(results, options["offset"] + 1))
        _say(_count(results.total, results.total_all_words))
    if results.suggestions:
        _say(shown.suggested(results))
    sys.exit(0 if results.total else 1)


def _opened(index_folder: str | None) -> "searchkit.Archive":
    """Open an index; say once what has changed since it was built."""
    archive = searchkit.Archive.open(index_folder or "index")
    for sentence in archive.outdated(os.environ.get("SEARCHKIT_WORDS")):
        _say(sentence)
    return archive


def _form(asked: dict[str, bool]) -> str | None:
    names = [name for name, is_asked in asked.items() if is_asked]
    if len(names) > 1:
        listed = " and ".join(f"--{name}" for name in names)
        raise click.UsageError(f"{listed} exclude each other; name one of them.")
    return names[0] if names else None


def _say_read_as(read_as: str | None) -> None:
    if read_as is not None:
        _say(f"Read as: {read_as or 'nothing to look for'}")


def _say_swapped(since: str | None, until: str | None) -> None:
    if since and until and parse_span(since)[0] > parse_span(until)[1]:
        _say(f"--since {since} is later than --until {until}, so nothing can match; swap them.")


def _build_first() -> None:
    """On a first try in a fresh folder: `corpus/` is there, `index/` is still empty."""
    if Generations("index").exist() or not Path("corpus").is_dir():
        return
    from searchkit.corpus import Corpus  # noqa: PLC0415

    if next(iter(Corpus("corpus")), None) is None:
        return
    _say("There is no index yet: building it from corpus/.")
    _write("rebuild")


def _count(total: int, all_words: int) -> str:
    if not total:
        return "No article matches."
    articles = f"{_some(total, 'article')} match{'es' if total == 1 else ''}"
    return f"{articles}." if total == all_words else f"{articles}, {all_words} with all words."


@main.command("suggest", short_help="Complete a word from the archive.")
@click.argument("prefix", nargs=-1, required=True)
@click.option(
    "--limit", "-n", type=_Number(0), default=10, show_default=True, help="So many at most."
)
@_timeout
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@_folders
def suggest_command(
    prefix: tuple[str, ...],
    limit: int,
    timeout: float | None,
    as_json: bool,
    index_folder: str | None,
    **_corpus: str | None,
) -> None:
    """Complete the last word of PREFIX from the archive, in base form, the most frequent first.

    Each completion is printed with the number of articles that it finds.

    \b
    Examples:
      searchkit suggest перег
      searchkit suggest мирні пере --limit 3
    """  # noqa: D301 - as above
    text = " ".join(prefix)
    with _opened(index_folder) as archive:
        completions = archive.suggest(text, limit, timeout=timeout)
    if as_json:
        _data(shown.completions_as_json(text, completions))
    else:
        _data(*(f"{shown.line(one.query)}\t{one.total}" for one in completions))
    sys.exit(0 if completions else 1)


@main.command("show", short_help="Show one article, matches marked.")
@click.argument("article_id", metavar="ID")
@click.argument("query", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@_folders
def show_command(
    article_id: str,
    query: str | None,
    as_json: bool,
    index_folder: str | None,
    **_corpus: str | None,
) -> None:
    """Show one article; with a QUERY, the words that match it are marked.

    Example: searchkit show 2024/mist-cherez-desnu переговори
    """
    with _opened(index_folder) as archive:
        article = archive.article(article_id)
        if article is None:
            _say(f"No article has the id {shown.line(article_id)!r}.")
            sys.exit(1)
        title, text = archive.mark(article, query or "")
    if query is not None:
        from searchkit.query.parse import parse  # noqa: PLC0415

        _say_read_as(parse(query).read_as)
    if as_json:
        _data(shown.article_as_json(article, title, text))
    else:
        _print(shown.article_as_lines(article, title, text))


@main.command("analyze", short_help="Show how a text becomes terms.")
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line of the text.")
@click.option("--language", metavar="CODE", help="uk, ru or another.  [default: as it looks]")
@_words
@_folders
def analyze_command(  # noqa: PLR0917 - click's
    text: str | None,
    language: str | None,
    words: str | None,
    as_json: bool,
    index_folder: str | None,
    corpus_folder: str | None,
) -> None:
    """Show how TEXT, or standard input, becomes terms: word, offsets, lemmas.

    Each line is read for itself; the lemma that is likeliest among its neighbours comes first.

    Example: searchkit analyze "у Києві"
    """
    from searchkit.analysis.context import in_context  # noqa: PLC0415 - no query needs it
    from searchkit.analysis.language import UKRAINIAN, language_of, named  # noqa: PLC0415
    from searchkit.words import chosen  # noqa: PLC0415

    if text is None and sys.stdin is None:  # closed, as by a job that has none
        raise _failure('There is no text; name it: searchkit analyze "у Києві".', 2)
    listed = chosen(words, corpus_folder or "corpus", index_folder or "index", _name)
    for line in sys.stdin if text is None else text.split("\n"):
        tokens = analyze(line.rstrip("\n"), language, listed.terms if listed else {})
        if way_of(named(language) or language_of(line)) == UKRAINIAN:
            tokens = in_context(line, tokens)
        if as_json:
            _data(shown.dumps({"tokens": [_token(token) for token in tokens]}))
        else:
            _print(*(f"{t.start}–{t.end}\t{t.text}\t{', '.join(t.lemmas)}" for t in tokens))


def _token(token: Token) -> dict[str, Any]:
    return {"text": token.text, "start": token.start, "end": token.end, "lemmas": token.lemmas}


@main.command("stats")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@_folders
def stats_command(as_json: bool, index_folder: str | None, **_corpus: str | None) -> None:
    """Describe the index: generation, age, articles, dates, sizes, versions.

    Example: searchkit stats
    """
    with _opened(index_folder) as archive:
        stats = archive.stats()
    if as_json:
        _data(shown.dumps(stats))
    else:
        units = {"age": f"{stats['age']:,} s", "bytes": f"{stats['bytes']:,}"}
        told = {name: value for name, value in (stats | units).items() if value is not None}
        _print(*(f"{name}: {_told(value) or 'none'}" for name, value in told.items()))


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(number)}" for name, number in value.items())
    if isinstance(value, float):
        return f"{value:.1f}"
    return ", ".join(value) if isinstance(value, tuple | list) else str(value)


def _print(*lines: str) -> None:
    """Print for people: bold on a terminal only, and not where NO_COLOR is set."""
    for line in lines:
        click.echo(line, color=False if os.environ.get("NO_COLOR") else None)


def _data(*lines: str) -> None:
    """Print for programs: as it is."""
    for line in lines:
        click.echo(line, color=True)


def _say(message: str) -> None:
    click.echo(shown.line(message), err=True)
