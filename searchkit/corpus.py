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
import io
import json
import math
import os
import re
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TextIO

import numpy as np

from searchkit.analysis.tokenize import spans
from searchkit.article import Article
from searchkit.dates import parse_span
from searchkit.errors import ArticleError, CorpusError, DateError
from searchkit.kernel import kernel
from searchkit.words import LIST

if TYPE_CHECKING:
    from searchkit.pieces import Pieces

MAX_CHARACTERS = 1_000_000  # a text longer than a 500-page book is not an article
MAX_WORD = 1_000  # no language has such words: it is data that lost its way (base64, hex)
MAX_RECORD = 8_000_000  # characters of one JSON or CSV record, escapes counted

Record = tuple[int | None, dict[str, Any]]
Report = Callable[[ArticleError], None]

STANDARD_INPUT = "standard input"

_OPTIONAL = ("title", "url", "source", "author", "section", "language")


class _UnreadError(ArticleError):
    """A source, or part of it, could not be read: which articles it holds is not known."""


class Corpus:
    """The articles of a folder (with its subfolders), a file, or `-` for standard input.

    A list of words (`words.LIST`) at the top of a folder is no article.

    Iterating yields every good article in a fixed order: files by path, records as they
    stand. An id may come twice; whoever collects the articles decides which one counts.

    Args:
        path: where they are.
        report: called with every bad record.
        or_nothing: take it for a corpus without articles if there is nothing at `path`.
        index: the folder of an index; if it lies in that of the articles, it is left out.

    Attributes:
        rejected: how many records were bad so far.
        unreadable: how many files and folders could not be read, or only in part, so far.
            What is missing from them may still exist.
        ignored: how many files were passed over so far: of other formats, devices and the
            like, links to folders.
        done: bytes read so far, for a progress bar; see `size`.
        place: file and line of the article that was yielded last.
        pieces: what is known of the files; of those parts that are as they were, iterating yields
            no article. None, at first: nothing is.

    Raises:
        CorpusError: there is nothing at `path`, or it cannot be looked at; it is the folder of
            the index; or standard input is closed.
    """

    def __init__(
        self,
        path: str | Path,
        report: Report | None = None,
        *,
        or_nothing: bool = False,
        index: str | Path | None = None,
    ) -> None:
        self.path = str(path)
        self.report = report
        self.rejected = 0
        self.unreadable = 0
        self.ignored = 0
        self.done = 0
        self.place: tuple[str, int | None] = (self.path, None)
        self._root = Path(path)
        self._unread: set[str] = set()
        self.pieces: Pieces | None = None
        if self.path == "-" and sys.stdin is None:  # closed by whoever started this: `<&-`
            raise CorpusError("There is no standard input; name a folder or file of articles.")
        self._is_folder = self._is_gone = False
        try:
            self._is_folder = self.path != "-" and stat.S_ISDIR(_mode(self.path))
        except CorpusError:
            if not or_nothing or os.path.lexists(self.path):
                raise
            self._is_gone = True
        self._index = "" if index is None else _relative(index, self._root)
        if self._index == ".":
            raise CorpusError(
                f"{self.path!r} is the folder of the articles and of the index; name another for"
                " one of them."
            )

    def size(self) -> int:
        """Return the bytes that there are to read; 0 for standard input."""
        if self.path == "-":
            return 0
        return sum(file.size for file in self._files(lambda *_: None) if file.suffix)

    def reject(self, error: ArticleError) -> None:
        """Count a bad record and report it; a report that raises ends the reading."""
        self.rejected += 1
        if self.pieces:
            self.pieces.spoil(error.source, error.line, is_all=isinstance(error, _UnreadError))
        if isinstance(error, _UnreadError):
            self._unread.add(error.source)  # many records of one file are one file
            self.unreadable = len(self._unread)
        if self.report:
            self.report(error)

    def __iter__(self) -> Iterator[Article]:
        for item in self.blocks(_FEW):
            if isinstance(item, Article):
                yield item
            elif item:
                yield from self._of(item)

    def _of(self, block: "Block") -> Iterator[Article]:
        for line, found in block.read():
            if isinstance(found, ArticleError):
                self.reject(found)
            else:
                self.place = block.source, line
                yield found

    def blocks(self, size: int) -> Iterator["Article | Block | None"]:
        """Yield what iterating does, but large files of lines of JSON are yielded unread.

        Whoever reads a block rejects its bad records, in their order. Before anything else is
        rejected or yielded as an article, None is yielded: the blocks before are to be read first.

        Args:
            size: bytes of a block, roughly, but for a longer line.
        """
        if self.path == "-":
            with self._naming(STANDARD_INPUT):
                yield from self._articles(STANDARD_INPUT, ".jsonl", sys.stdin.buffer, "stdin")
            return
        unseen: list[tuple[str, Exception]] = []
        for file in self._files(lambda *error: unseen.append(error)):
            yield from self._told(unseen)
            if not file.suffix:
                self.ignored += 1
                continue
            try:
                raw = open(file.path, "rb")  # noqa: PTH123, SIM115 - Path's own is slow; both close it
            except OSError as error:
                unseen.append((file.path, error))
                yield from self._told(unseen)
                continue
            if self.pieces:
                self.pieces.begin(file.path, file.name)
            if not file.name.lower().endswith(".jsonl"):
                yield None
                with raw:
                    yield from self._whole(file, raw)
                continue
            with raw:
                for block in self._blocks(file, raw, size):
                    if block and file.size < size // _SMALL:
                        yield None
                        yield from self._of(block)
                    else:
                        yield block
        yield from self._told(unseen)

    def _whole(self, file: "_File", raw: io.BufferedReader) -> Iterator[Article]:
        """Yield the articles of a file that is not cut into blocks, if it is not as it was."""
        done = self.done + file.size
        with self._naming(file.path):
            opened: Any = self.pieces.open(raw, file.size) if self.pieces else raw
            if opened:
                is_packed = file.name.lower().endswith(".gz")
                if is_packed:
                    import gzip  # noqa: PLC0415 - slow to import, and seldom needed

                    opened = gzip.GzipFile(fileobj=opened)
                yield from self._articles(file.path, file.suffix, opened, file.stem(), raw)
            self.done = done

    def _told(self, unseen: list[tuple[str, Exception]]) -> Iterator[None]:
        """Reject what could not be looked at."""
        if unseen:
            yield None
        while unseen:
            self._cannot_read(*unseen.pop(0))

    def _blocks(self, file: "_File", raw: io.BufferedReader, size: int) -> Iterator["Block | None"]:
        """Yield the lines of a file, cut into blocks."""
        is_empty, done, pieces = True, self.done, self.pieces
        failed: OSError | None = None
        parts = _whole_lines(raw, size)
        if pieces and pieces.knows_lines():
            parts = pieces.unknown(raw, size, _LONGEST)
        try:
            for before, data in parts:
                self.done = done + raw.tell()
                block = Block(file.path, file.stem(), before, data)
                if pieces:
                    pieces.put_lines(before, data)
                is_empty = is_empty and block.is_empty()
                yield block
        except OSError as error:
            failed = error
        yield None
        self.done = done + raw.tell()
        if failed:
            self._cannot_read(file.path, failed)
        elif is_empty and not (pieces and pieces.has_skipped):
            self.reject(ArticleError(file.path, None, "is empty"))

    def _files(self, cannot_read: Callable[[str, OSError], None]) -> Iterator["_File"]:
        """Yield the files that are not hidden.

        What cannot be looked at is handed to `cannot_read` instead.
        """

        def unlisted(error: OSError) -> None:
            cannot_read(str(error.filename or self._root), error)

        if self._is_gone:
            return
        if not self._is_folder:
            yield from _looked_at(str(self._root), self._root.name, cannot_read)
            return
        for folder, subfolders, names in os.walk(self._root, onerror=unlisted):
            here = Path(folder)
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            # os.walk does not follow these, as they may lead in circles.
            links = [name for name in subfolders if _is_link(here / name)]
            # There may be a file for each article, and a Path for each would take as long as it.
            path, within = (str(each / "-")[:-1] for each in (here, here.relative_to(self._root)))
            within = within.replace(os.sep, "/")
            subfolders[:] = [name for name in subfolders if within + name != self._index]
            for name in sorted(names + links):
                if not (name.startswith(".") or (name == LIST and not within)):
                    yield from _looked_at(path + name, within + name, cannot_read)

    @contextmanager
    def _naming(self, source: str) -> Iterator[None]:
        """Name a source that cannot be read, or not to its end, and go on behind it."""
        try:
            yield
        except (OSError, EOFError, zlib.error) as error:
            self._cannot_read(source, error)

    def _cannot_read(self, source: str, error: Exception) -> None:
        self.reject(_UnreadError(source, None, f"cannot be read: {_why(error)}"))

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
                    now = raw.tell()
                    self.done += now - before
                    before = now
                line = None if isinstance(record, ArticleError) else record[0]
                found = _checked(record, source, which(stem, line, number))
                if isinstance(found, ArticleError):
                    self.reject(found)
                else:
                    self.place = source, line
                    yield found
            if not number:
                self.reject(ArticleError(source, None, "is empty"))
        finally:
            text.detach()


class Block(NamedTuple):
    """Whole lines of a file of JSON Lines, unread.

    Attributes:
        source: the file as the user would name it.
        stem: what its articles are called that have no id.
        before: how many lines of the file stand before these.
        data: the lines.
    """

    source: str
    stem: str
    before: int
    data: bytes

    def read(self) -> Iterator[tuple[int, Article | ArticleError]]:
        """Yield the line of each record, and the article or what is wrong with it.

        The kernel reads and checks what is plain; of the rest it says where it is.
        """
        if not kernel or _flaw(self.stem):
            yield from self._read()
            return
        found = kernel.records(self.data, MAX_WORD, MAX_CHARACTERS, MAX_RECORD - 1)
        for line, record in enumerate(found, self.before + 1):
            if len(record) == len(Article._fields):
                name = f"{self.stem}:{line}"
                article = _sound(record, name)
                fields = {} if article else dict(zip(Article._fields, record, strict=True))
                yield line, article or _checked((line, fields), self.source, name)
            else:
                data = self.data[slice(*record)]
                yield from self._replace(before=line - 1, data=data)._read()  # noqa: SLF001 - its own

    def _read(self) -> Iterator[tuple[int, Article | ArticleError]]:
        with self._text() as text:
            for record in _read_json_lines(text, self.source, self.before):
                line = record.line or 0 if isinstance(record, ArticleError) else record[0] or 0
                yield line, _checked(record, self.source, f"{self.stem}:{line}")

    def is_empty(self) -> bool:
        """Tell whether there is no record in it."""
        with self._text() as text:
            return not any(map(str.strip, text))

    def _text(self) -> TextIO:
        encoding = "utf-8" if self.before else "utf-8-sig"
        lines = io.BytesIO(self.data)
        return io.TextIOWrapper(lines, encoding=encoding, errors="surrogateescape", newline="\n")


def _whole_lines(raw: io.BufferedReader, size: int) -> Iterator[tuple[int, bytes]]:
    """Cut a file into some `size` bytes of whole lines each; far too long a line is cut off.

    Towards the end they are less, down to an eighth, so that whoever reads them side by side is
    done at the same time.

    Yields:
        How many lines stand before, and some lines.

    Raises:
        OSError: behind the whole lines that could be read.
    """
    before, left = 0, os.fstat(raw.fileno()).st_size
    while True:
        parts: list[bytes] = []
        have, wanted = 0, min(size, max(left // 4, size // 8, 1))
        failed: OSError | None = None
        try:
            while have < wanted and (part := raw.read(min(_STEP, wanted - have))):
                parts.append(part)
                have += len(part)
            parts.append(raw.readline(_LONGEST))  # the rest of the last
        except OSError as error:
            failed = error
        data = b"".join(parts)
        left -= len(data)
        if failed:
            data = data[: data.rfind(b"\n") + 1]
        if data:
            yield before, data
        if failed:
            raise failed
        if have < wanted:
            return
        before += ends_of_lines(data)
        if len(parts[-1]) == _LONGEST and not data.endswith(b"\n"):  # its reader will say so
            before += 1
            while (part := raw.readline(_STEP)) and not part.endswith(b"\n"):
                pass


def ends_of_lines(data: bytes | memoryview) -> int:
    """Return how many there are; `bytes.count` looks at one byte after the other."""
    whole = np.frombuffer(data, np.uint8)
    starts = range(0, len(whole), _STEP)
    return sum(int(np.count_nonzero(whole[at : at + _STEP] == ord("\n"))) for at in starts)


_STEP = 1 << 20  # bytes read at once
_SMALL = 4  # times as small as a block is a file that is not worth one
_FEW = 1 << 18  # bytes of lines that are read before the first of their articles is there
_LONGEST = 4 * MAX_RECORD  # bytes that a record may have, as none of its characters has more than 4


def _mode(path: str) -> int:
    try:
        return Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise CorpusError(
            f"There is no corpus at {path!r}; name a folder or file of articles."
        ) from None
    except OSError as error:
        raise CorpusError(
            f"The corpus {path!r} cannot be read ({_why(error)}); name another or make it readable."
        ) from None


class _File(NamedTuple):
    """A file of a source: its path, that in the source, its size.

    The suffix is that of a format; none where it is to be passed over.
    """

    path: str
    name: str
    suffix: str
    size: int

    def stem(self) -> str:
        """Return what an article in it is called that has no id."""
        return re.sub(r"(\.txt)?(\.gz)?$", "", self.name, flags=re.IGNORECASE)


def _relative(path: str | Path, root: Path) -> str:
    """Return a path as seen from a folder, links followed; "" if it lies elsewhere."""
    if "\0" in str(path):  # nowhere
        return ""
    real, folder = Path(os.path.realpath(path)), os.path.realpath(root)
    return real.relative_to(folder).as_posix() if real.is_relative_to(folder) else ""


def _is_link(path: Path | str) -> bool:
    return os.path.islink(path)  # noqa: PTH114 - Path's own raises where it may not look


def _looked_at(
    path: str, name: str, cannot_read: Callable[[str, OSError], None]
) -> Iterator[_File]:
    suffix = _format(name)
    try:
        found = os.stat(path)  # noqa: PTH116 - likewise
    except OSError as error:
        # Only of a link that is not called like articles is it known that none are lost.
        if suffix or not _is_link(path):
            cannot_read(path, error)
        else:
            yield _File(path, name, "", 0)
    else:
        yield _File(path, name, suffix if stat.S_ISREG(found.st_mode) else "", found.st_size)


def _why(error: Exception) -> str:
    """Say in plain words why a file cannot be read."""
    if isinstance(error, EOFError):
        return "its gzip data ends too early"
    if "Not a gzipped file" in str(error):  # may also stand behind data that is
        return "it holds data that is not gzip"
    if isinstance(error, zlib.error) or type(error).__name__ == "BadGzipFile":
        return "its gzip data is damaged"
    return getattr(error, "strerror", None) or str(error)


def _format(name: str) -> str:
    name = name.lower().removesuffix(".gz")
    return next((suffix for suffix in _READERS if name.endswith(suffix)), "")


# -- from a record to an article ---------------------------------------------------------------


def _checked(record: Record | ArticleError, source: str, name: str) -> Article | ArticleError:
    """Return the article of a record, or what is wrong with it."""
    if isinstance(record, ArticleError):
        return record
    line, fields = record
    try:
        return _article(fields, name)
    except _Flaw as flaw:
        return ArticleError(source, line, str(flaw))


def _sound(record: tuple[Any, ...], name: str) -> Article | None:
    """Return what `_article` does of stripped strings without a flaw; None where there is none."""
    own, text, title, date, url, source, author, section, tags, language = record
    if not text or text.isspace():
        return None
    try:
        if date:
            parse_span(date)
        tags = _tags({"tags": tags}) if tags else ()
    except (DateError, _Flaw):
        return None
    return Article(
        own or name, text, title or "", date, url, source, author, section, tags, language
    )


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
    title, url, source, author, section, language = (_string(fields, key) for key in _OPTIONAL)
    return Article(
        id=_string(fields, "id") or name,
        text=text,
        title=title or "",
        date=date,
        url=url,
        source=source,
        author=author,
        section=section,
        tags=_tags(fields),
        language=language,
    )


class _Flaw(Exception):  # noqa: N818 - never leaves this module
    """What is wrong with a record; file and line are added where it is caught."""


def _string(fields: dict[str, Any], key: str) -> str | None:
    value = fields.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        value = _as_string(value, key)
    if flaw := _flaw(value):
        raise _Flaw(f"{key!r} {flaw}")
    return value.strip() or None


def _as_string(value: Any, key: str) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)  # "author": ["Олена Левчук", "Ігор Мороз"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        # NaN, Infinity and 1e400 come through Python's json; an int may be too big to ask.
        if isinstance(value, float) and not math.isfinite(value):
            raise _Flaw(f"{key!r} is not a finite number")
        return str(value)
    raise _Flaw(f"{key!r} is not a text")


def _tags(fields: dict[str, Any]) -> tuple[str, ...]:
    joined = _string(fields, "tags")
    if not joined:
        return ()
    value = fields["tags"]
    parts = value if isinstance(value, list) else re.split("[;,]", joined)
    return tuple(part.strip() for part in parts if part.strip())


def _flaw(text: str) -> str | None:
    if len(text) <= MAX_WORD and text.isprintable():
        return None  # as are most fields but the text
    if len(text) > MAX_CHARACTERS:
        return f"is longer than {MAX_CHARACTERS:,} characters"
    if "\0" in text:
        return "holds a NUL character"
    if len(text) > MAX_WORD and _has_endless_word(text):
        return f"holds a word of more than {MAX_WORD:,} letters"
    try:
        text.encode("utf-16-le")  # fails where UTF-8 does, and is three times as fast
    except UnicodeEncodeError as error:
        if "\udc80" <= text[error.start] <= "\udcff":
            return "is not valid UTF-8; convert the file first (iconv -f cp1251 -t utf-8)"
        return "holds half of a surrogate pair"
    return None


_TO_LAST_SPACE = re.compile(r".*\s", re.DOTALL)
_SPACE = re.compile(r"\s")


def _has_endless_word(text: str) -> bool:
    """Tell whether the tokenizer finds a word of more than MAX_WORD characters.

    A word has no white space in it, so leaps from one to the last within reach pass over
    nearly all text; only a stretch without any is given to the tokenizer.
    """
    start = 0
    while len(text) - start > MAX_WORD:
        reach = start + MAX_WORD + 1
        if leap := _TO_LAST_SPACE.match(text, start, reach):
            start = leap.end()
            continue
        space = _SPACE.search(text, reach)
        stretch = text[start : space.start() if space else None]
        if any(end - begin > MAX_WORD for begin, end in spans(stretch)):
            return True
        start += len(stretch)
    return False


# -- from a file to records --------------------------------------------------------------------

_DATED = re.compile(r"date\s+([0-9]{4}-[0-9]{2}-[0-9]{2}\S*)\s*")


def _read_text(stream: TextIO, source: str) -> Iterator[Record | ArticleError]:
    content = stream.read(2 * MAX_CHARACTERS + 1)  # a title and a text, each as long as may be
    if len(content) > 2 * MAX_CHARACTERS:
        yield ArticleError(source, 1, f"is longer than {MAX_CHARACTERS:,} characters")
        return
    head, _, text = content.strip().partition("\n")
    if not head:
        return
    dated = _DATED.match(head)
    date, title = (dated[1], head[dated.end() :]) if dated else (None, head)
    yield 1, {"date": date, "title": title, "text": text.strip("\n")}


def _read_json_lines(
    stream: TextIO, source: str, number: int = 0
) -> Iterator[Record | ArticleError]:
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
        value = json.loads(line.rstrip("\r\n"))  # else an open string ends in a control character
    except (ValueError, RecursionError) as error:
        column = f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        return ArticleError(source, number, f"broken JSON: {_json_flaw(error)}{column}")
    return _object(value, source, number)


def _json_flaw(error: Exception) -> str:
    """Say what is wrong with JSON; Python's words end in "at", for a place to follow."""
    if isinstance(error, RecursionError):
        return "brackets nested too deep"
    if isinstance(error, json.JSONDecodeError):
        return re.sub(r"( starting)? at$", "", error.msg)
    return "a number of too many digits"


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
                reason = f"broken JSON: {_json_flaw(error)}; the rest is not read"
                yield _UnreadError(source, line, reason)
            elif opened > 0:
                yield _UnreadError(source, line, "the list ends before its closing bracket")
            return
        yield _object(value, source, line)
        line += buffer.count("\n", start, end)
        start = end


class _Lines:
    """The lines of a CSV file for its reader, counted; no record may take too many characters.

    Attributes:
        number: of the line that was given last, from 1.
        room: the characters left to the record that is being read.

    Raises:
        _Flaw: the record is too long. The next line is given all the same.
    """

    def __init__(self, stream: TextIO) -> None:
        self.number = 0
        self.room = MAX_RECORD
        self._stream = stream

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._stream.readline(MAX_RECORD)
        if not line:
            raise StopIteration
        self.number += 1
        self.room -= len(line)
        if self.room <= 0:
            while line and line[-1] not in "\r\n":
                line = self._stream.readline(MAX_RECORD)
            raise _Flaw(f"is longer than {MAX_RECORD:,} characters")
        return line


def _read_csv(stream: TextIO, source: str) -> Iterator[Record | ArticleError]:
    csv.field_size_limit(max(csv.field_size_limit(), MAX_RECORD))  # the module's limit: 128 kB
    lines = _Lines(stream)
    try:
        first = next((line for line in lines if line.strip()), None)
    except _Flaw as flaw:
        yield _UnreadError(source, lines.number, f"the header {flaw}")
        return
    if first is None:
        return
    delimiter = max(",;\t", key=first.count)
    header = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter))]
    if "text" not in header:
        yield _UnreadError(source, lines.number, "the header has no column named 'text'")
        return
    yield from _rows(lines, header, delimiter, source)


def _rows(
    lines: _Lines, header: list[str], delimiter: str, source: str
) -> Iterator[Record | ArticleError]:
    rows = csv.reader(lines, delimiter=delimiter, strict=True)  # names a quote left open
    while True:
        line, lines.room = lines.number + 1, MAX_RECORD
        try:
            row = next(rows)
        except StopIteration:
            return
        except (csv.Error, _Flaw) as error:
            # An open quotation mark takes the rows behind it for its own.
            kind = _UnreadError if lines.number > line else ArticleError
            yield kind(source, line, str(error) if isinstance(error, _Flaw) else _csv_flaw(error))
            continue
        if len(row) > len(header):
            yield ArticleError(source, line, f"has {len(row)} cells, the header {len(header)}")
        elif row:
            yield line, {name: cell or None for name, cell in zip(header, row, strict=False)}


def _csv_flaw(error: csv.Error) -> str:
    reason = str(error)
    if reason == "unexpected end of data":
        reason = "a quotation mark is left open"
    elif "expected after" in reason:
        reason = "a quotation mark is left open, or stands inside a cell without being doubled"
    return f"broken CSV: {reason}"


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
