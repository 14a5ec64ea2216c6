"""The command line: open, call, print. What is done is done elsewhere."""

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from searchkit import show as shown
from searchkit.analysis import Token, analyze
from searchkit.archive import Archive
from searchkit.corpus import Corpus
from searchkit.errors import ArticleError, SearchkitError
from searchkit.generations import Generations
from searchkit.writer import Progress, Summary, rebuild, update

Command = TypeVar("Command", bound=Callable[..., Any])


class _Group(click.Group):
    """Errors cross the border here: one sentence on standard error, and the exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SearchkitError as error:
            raise _failure(str(error), error.exit_code) from error
        except KeyboardInterrupt:
            raise _failure("Stopped; the index is as it was.", 130) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            name = f"{error.filename}: " if error.filename else ""
            raise _failure(f"{name}{error.strerror or error}.", 3) from error


def _failure(message: str, exit_code: int) -> click.ClickException:
    failure = click.ClickException(shown.plain(message))
    failure.exit_code = exit_code  # type: ignore[misc] # click reads it from the instance
    return failure


def _inherited(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """`searchkit --index DIR query` and `searchkit query --index DIR` are the same."""
    name = str(option.name)
    variable = f"SEARCHKIT_{name.removesuffix('_folder').upper()}"
    return value or ctx.find_root().params.get(name) or os.environ.get(variable) or None


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
    shown.use_utf8()


# -- building ----------------------------------------------------------------------------------


@main.command("index")
@click.argument("corpus", required=False)
@click.option("--strict", is_flag=True, help="Stop at the first bad record.")
@_folders
def index_command(
    corpus: str | None, strict: bool, index_folder: str | None, corpus_folder: str | None
) -> None:
    """Bring the index up to date: add new articles, replace changed ones, drop vanished ones.

    CORPUS is a folder, a file, or - for JSON Lines on standard input.

    Example: searchkit index news/
    """
    _write(update, corpus or corpus_folder, index_folder, strict)


@main.command("rebuild")
@click.argument("corpus", required=False)
@click.option("--strict", is_flag=True, help="Stop at the first bad record.")
@_folders
def rebuild_command(
    corpus: str | None, strict: bool, index_folder: str | None, corpus_folder: str | None
) -> None:
    """Build a whole new generation beside the live one, verify it, switch to it.

    CORPUS is a folder, a file, or - for JSON Lines on standard input. Until the switch, and
    whatever stops the build, the live generation answers.

    Example: searchkit rebuild news/ --index /var/lib/searchkit
    """
    _write(rebuild, corpus or corpus_folder, index_folder, strict)


def _write(
    build: Callable[[Corpus, str, Progress], Summary],
    corpus_folder: str | None,
    index_folder: str | None,
    strict: bool,
) -> None:
    corpus = Corpus(corpus_folder or "corpus", _raise if strict else _name)
    started = time.monotonic()
    with _progress(corpus) as step:
        done = build(corpus, index_folder or "index", step)
    seconds = time.monotonic() - started
    changes = f"{done.added} new, {done.changed} changed, {done.removed} gone"
    made = f"generation {done.generation}, {seconds:.1f} s"
    _say(f"{_some(done.articles, 'article')} ({changes}), {made}.")
    if done.rejected:
        _say(f"{_some(done.rejected, 'bad record')} skipped; --strict makes the first one fatal.")
    if corpus.ignored:
        _say(f"{_some(corpus.ignored, 'file')} of other formats passed over.")


def _some(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _raise(error: ArticleError) -> None:
    raise error


def _name(error: ArticleError) -> None:
    _say(f"Skipped {error}")


@contextmanager
def _progress(corpus: Corpus) -> Iterator[Progress]:
    """Show a bar on a terminal, nothing elsewhere."""
    size = corpus.size() if sys.stderr.isatty() else 0
    if not size:
        yield lambda: None
        return
    with click.progressbar(length=size, label="Indexing", file=sys.stderr) as bar:
        yield lambda: bar.update(corpus.done - bar.pos)


@main.command("rollback")
@_folders
def rollback_command(index_folder: str | None, **_corpus: str | None) -> None:
    """Switch back to the previous generation.

    Example: searchkit rollback
    """
    _say(f"Generation {Archive.rollback(index_folder or 'index')} is live again.")


# -- asking ------------------------------------------------------------------------------------


@main.command("query")
@click.argument("query", nargs=-1, required=True)
@click.option("--limit", "-n", type=click.IntRange(0), default=10, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out the first hits.")
@click.option("--since", metavar="DATE", help="From this day, month or year on.")
@click.option("--until", metavar="DATE", help="Up to this day, month or year, included.")
@click.option(
    "--sort", type=click.Choice(["relevance", "date"]), default="relevance", show_default=True
)
@click.option(
    "--passages", type=click.IntRange(0), default=3, show_default=True, help="At most, an article."
)
@click.option("--explain", is_flag=True, help="Say what each score is made of.")
@click.option("--json", "form", flag_value="json", help="One JSON object.")
@click.option("--jsonl", "form", flag_value="jsonl", help="One JSON object a hit.")
@click.option("--csv", "form", flag_value="csv", help="A header and a row a hit.")
@_folders
def query_command(
    query: tuple[str, ...],
    form: str | None,
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
    if not (index_folder or corpus_folder):
        _build_first()
    with Archive.open(index_folder or "index") as archive:
        results = archive.search(" ".join(query), **options)
    if results.read_as is not None:
        _say(f"Read as: {shown.plain(results.read_as) or 'nothing to look for'}")
    if form == "json":
        _data(shown.results_as_json(results))
    elif form == "jsonl":
        _data(*(shown.dumps(shown.hit_as_dict(hit)) for hit in results))
    elif form == "csv":
        _data(shown.results_as_csv(results))
    else:
        _print(*shown.results_as_lines(results, options["offset"] + 1))
        _say(_count(results.total, results.total_all_words))
    sys.exit(0 if results.total else 1)


def _build_first() -> None:
    """On a first try in a fresh folder: `corpus/` is there, `index/` is still empty."""
    if Generations("index").exist() or not Path("corpus").is_dir():
        return
    if next(iter(Corpus("corpus")), None) is None:
        return
    _say("There is no index yet: building it from corpus/.")
    _write(rebuild, None, None, strict=False)


def _count(total: int, all_words: int) -> str:
    if not total:
        return "No article matches."
    articles = f"{_some(total, 'article')} match{'es' if total == 1 else ''}"
    return f"{articles}." if total == all_words else f"{articles}, {all_words} with all words."


@main.command("show")
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
    with Archive.open(index_folder or "index") as archive:
        article = archive.article(article_id)
        if article is None:
            _say(f"No article has the id {shown.plain(article_id)!r}.")
            sys.exit(1)
        title, text = archive.mark(article, query or "")
    if as_json:
        _data(shown.article_as_json(article, title, text))
    else:
        _print(shown.article_as_lines(article, title, text))


@main.command("analyze")
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line of the text.")
def analyze_command(text: str | None, as_json: bool) -> None:
    """Show how TEXT, or standard input, becomes terms: word, offsets, lemmas.

    Example: searchkit analyze "у Києві"
    """
    lines = sys.stdin if text is None else text.split("\n")
    for line in lines:
        tokens = analyze(line.rstrip("\n"))
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
    with Archive.open(index_folder or "index") as archive:
        stats = archive.stats()
    if as_json:
        _data(shown.dumps(stats))
    else:
        _print(*(f"{name.replace('_', ' ')}: {value}" for name, value in stats.items()))


def _print(*lines: str) -> None:
    """Print for people: bold on a terminal only, and not where NO_COLOR is set."""
    for line in lines:
        click.echo(line, color=False if os.environ.get("NO_COLOR") else None)


def _data(*lines: str) -> None:
    """Print for programs: as it is."""
    for line in lines:
        click.echo(line, color=True)


def _say(message: str) -> None:
    click.echo(shown.plain(message), err=True)
