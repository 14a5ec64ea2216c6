"""Show: hits and articles as lines for people, and as JSON or CSV for programs.

Text from an archive is untrusted: for a terminal it loses its control characters. JSON and
CSV carry it as it is.
"""

import csv
import io
import json
import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, cast

import click

from searchkit.analysis import spoken_in
from searchkit.article import Article

if TYPE_CHECKING:  # who only builds need not wait for what searches
    from searchkit.archive import Hit, Results
    from searchkit.highlight import Span
    from searchkit.query.match import Factor
    from searchkit.query.suggest import Completion, Readings, Suggestion

ZERO_WIDTH_JOINER = "\u200d"  # holds the members of an emoji family together

_COLUMNS = ("id", "title", "date", "url", "source", "author", "section", "score", "passages")


def results_as_lines(results: "Results", first: int) -> Iterator[str]:
    """Yield the hits for a person, numbered from `first`."""
    for number, hit in enumerate(results, first):
        title = bold_line(hit.article.title, hit.title_spans) or line(hit.id)
        yield f"{number}. {title}"
        yield f"   {about(hit.article)}"
        for passage in hit.passages:
            yield f"   {bold_line(passage.text, passage.spans)}"
        yield from (f"     {why}" for why in _whys(hit))
        if hit.factors:
            words = "all words" if hit.all_words else "some of the words"
            yield f"   score {hit.score:.4f}, {words}:"
            yield from (f"     {_factor(factor)}" for factor in hit.factors)
        yield ""


def _whys(hit: "Hit") -> Iterable[str]:
    """Return how each word that matches does, once each."""
    whys = chain(hit.title_matches, *(passage.matches for passage in hit.passages))
    return dict.fromkeys(plain(f"{why.form} → {why.lemma} → {why.word}") for why in whys)


def suggested(results: "Results") -> str:
    """Return the queries that may have been meant, in one line for a person."""
    return f"Did you mean: {', '.join(map(_suggestion, results.suggestions))}"


def _suggestion(one: "Suggestion") -> str:
    count = one.total_all_words or one.total
    some = "" if one.total_all_words else " with some of the words"
    return f"{one.query} ({count:,} article{'s' * (count != 1)}{some})"


def ambiguous(word: "Readings") -> str:
    """Return what a word may mean, in one line for a person."""
    listed = ", ".join(f"{reading.query} ({reading.total:,})" for reading in word.readings)
    return f"{word.word} has several readings, each of which can be asked for alone: {listed}"


def _factor(factor: "Factor") -> str:
    details = ", ".join(f"{name} {value:.4g}" for name, value in factor.details.items())
    return plain(f"{factor.score:8.4f}  {factor.name}: {details}")


def article_as_lines(article: Article, title: "tuple[Span, ...]", text: "tuple[Span, ...]") -> str:
    """Return the whole article for a person."""
    head = [bold_line(article.title, title)] if article.title else []
    return "\n".join([*head, about(article), "", bold(article.text, text)])


def article_as_json(article: Article, title: "tuple[Span, ...]", text: "tuple[Span, ...]") -> str:
    """Return the whole article and its marks as one JSON object."""
    return dumps(_as_dict(article) | {"title_spans": title, "text_spans": text})


def _as_dict(article: Article) -> dict[str, Any]:
    """Return an article's record; its language is what was recognised where the record has none."""
    return article._asdict() | {"language": article.language or spoken_in(article)}


def about(article: Article) -> str:
    """Return where an article comes from, in one line."""
    date = article.date and _TIME.sub(r"\1 \2", article.date)
    parts = (date, article.source, article.section, article.author, article.id)
    return line(" · ".join(part for part in parts if part))


_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*$")  # 2024-05-17T09:30:00+03:00


def bold(text: str, spans: "tuple[Span, ...]") -> str:
    """Return the text for a terminal, the words at the spans in bold."""
    pieces, done = [], 0
    for start, end in spans:
        pieces += [plain(text[done:start]), click.style(plain(text[start:end]), bold=True)]
        done = end
    return "".join([*pieces, plain(text[done:])])


def bold_line(text: str, spans: "tuple[Span, ...]") -> str:
    """Return the same, on one line."""
    return bold(text, spans).replace("\n", " ")


def line(text: str) -> str:
    """Return the text without what steers a terminal, on one line."""
    return plain(text).replace("\n", " ")


def plain(text: str) -> str:
    """Return the text without what steers a terminal.

    A control character becomes a space; what is invisible goes: soft hyphens, marks that turn
    the direction of writing.
    """
    if text.isprintable():
        return text
    return "".join(map(_harmless, text))


def _harmless(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Cc" and char != "\n":
        return " "
    if kind == "Cs":  # a byte of a file's name that is not UTF-8
        return "\ufffd"
    return "" if kind == "Cf" and char != ZERO_WIDTH_JOINER else char


def results_as_json(results: "Results") -> str:
    """Return everything about the results as one JSON object."""
    answer: dict[str, Any] = {"query": results.query}
    if results.read_as is not None:
        answer["read_as"] = results.read_as
    answer |= {"total": results.total, "total_all_words": results.total_all_words}
    answer["suggestions"] = [suggestion._asdict() for suggestion in results.suggestions]
    answer["readings"] = [
        {"word": word.word, "readings": [reading._asdict() for reading in word.readings]}
        for word in results.readings
    ]
    return dumps(answer | {"hits": [hit_as_dict(hit) for hit in results]})


def hit_as_dict(hit: "Hit") -> dict[str, Any]:
    """Return a hit as JSON has it; the article's text is in the passages only."""
    article = _as_dict(hit.article)
    del article["text"]
    found: dict[str, Any] = {
        "id": article.pop("id"),
        "title": article.pop("title"),
        "title_spans": hit.title_spans,
        **article,
        "score": round(hit.score, 4),
        "all_words": hit.all_words,
        "passages": [{"text": one.text, "spans": one.spans} for one in hit.passages],
    }
    if hit.factors:
        found["title_matches"] = [why._asdict() for why in hit.title_matches]
        for shown, passage in zip(found["passages"], hit.passages, strict=True):
            shown["matches"] = [why._asdict() for why in passage.matches]
        found["explain"] = [
            {"name": factor.name, "score": factor.score}
            | {name.replace(" ", "_"): value for name, value in factor.details.items()}
            for factor in hit.factors
        ]
    return found


def results_as_csv(results: "Results") -> str:
    """Return a header and a row for each hit; passages are joined by ` … `."""
    out = io.StringIO()
    # quoted, since some readers end a row at a bare carriage return
    rows = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    out.write(",".join(_COLUMNS) + "\n")
    for hit in results:
        fields = hit_as_dict(hit) | {"passages": " … ".join(p.text for p in hit.passages)}
        rows.writerow([fields[name] for name in _COLUMNS])
    return out.getvalue().rstrip("\n")


def completions_as_json(prefix: str, completions: "tuple[Completion, ...]") -> str:
    """Return completions as one JSON object."""
    return dumps({"prefix": prefix, "completions": [one._asdict() for one in completions]})


def dumps(value: Any) -> str:
    """Return JSON on one line, Ukrainian legible."""
    return json.dumps(value, ensure_ascii=False)


def use_utf8() -> None:
    """Read and write UTF-8 whatever the system's code page; what has no UTF-8 is escaped."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def guard_streams(lost: Callable[[OSError], NoReturn]) -> None:
    """Call `lost` when standard output cannot be written; what standard error loses is lost."""
    if sys.stdout is not None:
        sys.stdout = cast("TextIO", _Output(sys.stdout, lost))
    sys.stderr = cast("TextIO", _Output(sys.stderr or io.StringIO(), None))


class _Output:
    """A stream with somebody to turn to when it cannot be written."""

    def __init__(self, stream: TextIO, lost: Callable[[OSError], NoReturn] | None) -> None:
        self._stream = stream
        self._lost = lost

    def write(self, text: str) -> int:
        if text == "":  # click's probe, whose errors it ignores
            return 0
        try:
            return self._stream.write(text)
        except OSError as error:
            self._fail(error)
            return 0

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        if self._lost is None:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)  # so that Python's own last flush succeeds
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
        self._lost(error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
