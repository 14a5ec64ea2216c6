"""Read: a folder, a file or standard input becomes a stream of articles.

A record is read, checked and handed on before the next one is touched, so memory does not
grow with the archive. A bad record is reported with file, line and reason, counted, and
skipped. The formats, each also with `.gz` behind it:

    .txt     one article: `date YYYY-MM-DD` (optional) and the title on the first line,
             then paragraphs separated by blank lines
    .jsonl   one object a line
    .json    a list of objects, or one object
    .csv     a header, then one article a row; commas, semicolons or tabs
"""

import csv
import gzip
import io
import json
import os
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from searchkit.article import Article
from searchkit.dates import parse_span
from searchkit.errors import ArticleError, CorpusError, DateError

MAX_CHARACTERS = 1_000_000  # a text longer than a 500-page book is not an article
MAX_WORD = 1_000  # no language has such words: it is data that lost its way (base64, hex)
MAX_RECORD = 8_000_000  # characters of one JSON or CSV record, escapes counted

Record = tuple[int | None, dict[str, Any]]
Report = Callable[[ArticleError], None]

_ENDLESS_WORD = re.compile(rf"\w{{{MAX_WORD + 1}}}")
_OPTIONAL = ("title", "url", "source", "author", "section", "language")


class Corpus:
    """The articles of a folder (with its subfolders), a file, or `-` for standard input.

    Iterating yields every good article in a fixed order: files by path, records as they
    stand. An id may come twice; whoever collects the articles decides which one counts.

    Attributes:
        rejected: how many records were bad so far.
        ignored: how many files of other formats were passed over so far.
        done: bytes read so far, for a progress bar; see `size`.
        place: file and line of the article that was yielded last.

    Raises:
        CorpusError: there is nothing at `path`.
    """

    def __init__(self, path: str | Path, report: Report | None = None) -> None:
        self.path = str(path)
        self.report = report
        self.rejected = 0
        self.ignored = 0
        self.done = 0
        self.place: tuple[str, int | None] = (self.path, None)
        self._root = Path(path)
        if self.path != "-" and not self._root.exists():
            raise CorpusError(
                f"There is no corpus at {self.path!r}; name a folder or file of articles."
            )

    def size(self) -> int:
        """Return the bytes that there are to read; 0 for standard input."""
        if self.path == "-":
            return 0
        return sum(path.stat().st_size for path in self._files() if _format(path))

    def reject(self, error: ArticleError) -> None:
        """Count a bad record and report it; a report that raises ends the reading."""
        self.rejected += 1
        if self.report:
            self.report(error)

    def __iter__(self) -> Iterator[Article]:
        if self.path == "-":
            yield from self._articles("-", ".jsonl", sys.stdin.buffer, "stdin")
            return
        base = self._root if self._root.is_dir() else self._root.parent
        for path in self._files():
            suffix = _format(path)
            if not suffix:
                self.ignored += 1
                continue
            name = path.relative_to(base).as_posix()
            stem = re.sub(r"(\.txt)?(\.gz)?$", "", name, flags=re.IGNORECASE)
            try:
                with path.open("rb") as raw:
                    opened = gzip.GzipFile(fileobj=raw) if name.lower().endswith(".gz") else raw
                    yield from self._articles(str(path), suffix, opened, stem, raw)  # type: ignore[arg-type]
                    self.done += path.stat().st_size - raw.tell()
            except (OSError, EOFError, zlib.error) as error:
                reason = getattr(error, "strerror", None) or f"damaged gzip data ({error})"
                self.reject(ArticleError(str(path), None, f"cannot be read: {reason}"))

    def _files(self) -> Iterator[Path]:
        if not self._root.is_dir():
            yield self._root
            return
        for folder, subfolders, names in os.walk(self._root):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(names):
                path = Path(folder, name)
                if not name.startswith(".") and path.is_file():
                    yield path

    def _articles(
        self, source: str, suffix: str, stream: BinaryIO, stem: str, raw: BinaryIO | None = None
    ) -> Iterator[Article]:
        read, newline = _READERS[suffix]
        text = io.TextIOWrapper(
            stream, encoding="utf-8-sig", errors="surrogateescape", newline=newline
        )
        before = number = 0
        which = _WHICH[suffix]
        try:
            for number, record in enumerate(read(text, source), 1):
                if raw is not None:
                    self.done += raw.tell() - before
                    before = raw.tell()
                if isinstance(record, ArticleError):
                    self.reject(record)
                    continue
                line, fields = record
                try:
                    article = _article(fields, which(stem, line, number))
                except _Flaw as flaw:
                    self.reject(ArticleError(source, line, str(flaw)))
                else:
                    self.place = source, line
                    yield article
            if not number:
                self.reject(ArticleError(source, None, "is empty"))
        finally:
            text.detach()


def _format(path: Path) -> str | None:
    name = path.name.lower().removesuffix(".gz")
    return next((suffix for suffix in _READERS if name.endswith(suffix)), None)


# -- from a record to an article ---------------------------------------------------------------


def _article(fields: dict[str, Any], name: str) -> Article:
    """Check a record and return its article; `name` is the id where it has none.

    Raises:
        _Flaw: with the first thing that is wrong.
    """
    text = fields.get("text")
    if text is None or (isinstance(text, str) and not text.strip()):
        raise _Flaw("has no text")
    if not isinstance(text, str):
        raise _Flaw("'text' is not a text")
    if flaw := _flaw(text):
        raise _Flaw(f"'text' {flaw}")
    if _flaw(name):
        raise _Flaw("the file's name is not valid UTF-8; rename it")
    date = _string(fields, "date")
    try:
        if date:
            parse_span(date)
    except DateError as error:
        raise _Flaw(f"bad date: {error}") from None
    optional = {key: _string(fields, key) for key in _OPTIONAL}
    return Article(
        id=_string(fields, "id") or name,
        text=text,
        title=optional.pop("title") or "",
        date=date,
        tags=_tags(fields),
        **optional,
    )


class _Flaw(Exception):  # noqa: N818 - never leaves this module
    """What is wrong with a record; file and line are added where it is caught."""


def _string(fields: dict[str, Any], key: str) -> str | None:
    value = fields.get(key)
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        value = ", ".join(value)  # "author": ["Олена Левчук", "Ігор Мороз"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _Flaw(f"{key!r} is not a text")
    if flaw := _flaw(value):
        raise _Flaw(f"{key!r} {flaw}")
    return value.strip() or None


def _tags(fields: dict[str, Any]) -> tuple[str, ...]:
    joined = _string(fields, "tags")
    if not joined:
        return ()
    value = fields["tags"]
    parts = value if isinstance(value, list) else re.split("[;,]", joined)
    return tuple(part.strip() for part in parts if part.strip())


def _flaw(text: str) -> str | None:
    if len(text) > MAX_CHARACTERS:
        return f"is longer than {MAX_CHARACTERS:,} characters"
    if "\0" in text:
        return "holds a NUL character"
    if _ENDLESS_WORD.search(text):
        return f"holds a word of more than {MAX_WORD:,} letters"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        if "\udc80" <= text[error.start] <= "\udcff":
            return "is not valid UTF-8; convert the file first (iconv -f cp1251 -t utf-8)"
        return "holds half of a surrogate pair"
    return None


# -- from a file to records --------------------------------------------------------------------


def _read_text(stream: TextIO, _source: str) -> Iterator[Record | ArticleError]:
    content = stream.read(MAX_CHARACTERS + 1_000)
    head, _, text = content.strip().partition("\n")
    if not head:
        return
    date, title = None, head
    words = head.split(maxsplit=2)
    if words[0] == "date" and len(words) > 1 and words[1][0].isdigit():
        date, title = words[1], words[2] if len(words) > 2 else ""
    yield 1, {"date": date, "title": title, "text": text.strip("\n")}


def _read_json_lines(stream: TextIO, source: str) -> Iterator[Record | ArticleError]:
    number = 0
    while line := stream.readline(MAX_RECORD):
        number += 1
        if len(line) == MAX_RECORD:
            while line and not line.endswith("\n"):
                line = stream.readline(MAX_RECORD)
            yield ArticleError(source, number, f"is longer than {MAX_RECORD:,} characters")
        elif line.strip():
            yield _json_record(line, source, number)


def _json_record(line: str, source: str, number: int) -> Record | ArticleError:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return ArticleError(source, number, f"broken JSON: {error.msg} (column {error.colno})")
    except (ValueError, RecursionError) as error:
        return ArticleError(source, number, f"broken JSON: {error}")
    return _object(value, source, number)


def _object(value: Any, source: str, number: int) -> Record | ArticleError:
    if isinstance(value, dict):
        return number, value
    return ArticleError(source, number, "is not a JSON object")


def _read_json(stream: TextIO, source: str) -> Iterator[Record | ArticleError]:
    """Yield the objects of a list, or the one object, holding no more than one at a time.

    After broken JSON nothing tells where the next record begins: the rest is not read.
    """
    decoder = json.JSONDecoder()
    buffer, start, line, opened = "", 0, 1, 0
    while True:
        end = start
        while end < len(buffer) and (buffer[end] in "[,]" or buffer[end].isspace()):
            opened += (buffer[end] == "[") - (buffer[end] == "]")
            end += 1
        line += buffer.count("\n", start, end)
        start = end
        try:
            value, end = decoder.raw_decode(buffer, start)
        except (ValueError, RecursionError) as error:
            more = stream.read(max(1 << 16, len(buffer) - start))
            if more and len(buffer) - start < MAX_RECORD:
                buffer, start = buffer[start:] + more, 0
                continue
            if start < len(buffer):
                reason = getattr(error, "msg", None) or str(error)
                yield ArticleError(source, line, f"broken JSON: {reason}; the rest is not read")
            elif opened > 0:
                yield ArticleError(source, line, "the list ends before its closing bracket")
            return
        yield _object(value, source, line)
        line += buffer.count("\n", start, end)
        start = end


def _read_csv(stream: TextIO, source: str) -> Iterator[Record | ArticleError]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD))  # the module's limit: 128 kB
    first = stream.readline(MAX_RECORD)
    if not first.strip():
        return
    delimiter = max(",;\t", key=first.count)
    header = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter))]
    if "text" not in header:
        yield ArticleError(source, 1, "the header has no column named 'text'")
        return
    rows = csv.reader(stream, delimiter=delimiter, strict=True)  # names a quote left open
    while True:
        line = rows.line_num + 2  # behind the header, counted from 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield ArticleError(source, line, f"broken CSV: {error}")
            continue
        if len(row) > len(header):
            yield ArticleError(source, line, f"has {len(row)} cells, the header {len(header)}")
        elif row:
            yield line, {name: cell or None for name, cell in zip(header, row, strict=False)}


# What tells a record without an id from the others of its file.
_WHICH: dict[str, Callable[[str, int | None, int], str]] = {
    ".txt": lambda name, _line, _number: name,
    ".jsonl": lambda name, line, _number: f"{name}:{line}",
    ".json": lambda name, _line, number: f"{name}:{number}",  # a list may stand on one line
    ".csv": lambda name, line, _number: f"{name}:{line}",
}

# Text in any newline convention; the others decide for themselves what a newline is.
_READERS: dict[str, tuple[Callable[[TextIO, str], Iterator[Record | ArticleError]], str | None]]
_READERS = {
    ".txt": (_read_text, None),
    ".jsonl": (_read_json_lines, "\n"),
    ".json": (_read_json, "\n"),
    ".csv": (_read_csv, ""),
}
