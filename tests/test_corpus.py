import csv
import gzip
import io
import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from searchkit import Article
from searchkit.corpus import Corpus
from searchkit.errors import ArticleError, CorpusError

MakeCorpus = Callable[[dict[str, str | bytes]], Path]

FOX = "Лисиця перебігла колію."
HEN = "Курка знесла блакитне яйце."


def read(path: Path) -> tuple[list[Article], list[tuple[str, int | None, str]]]:
    """The good articles, and of each bad record where it stands and what is wrong with it."""
    rejected: list[ArticleError] = []
    corpus = Corpus(path, rejected.append)
    articles = list(corpus)
    assert corpus.rejected == len(rejected)
    places = [(os.path.relpath(error.source, path), error.line) for error in rejected]
    return articles, [
        (name, line, error.reason) for (name, line), error in zip(places, rejected, strict=True)
    ]


def as_line(record: dict[str, Any]) -> str:
    """Write a record as a line of JSON Lines."""
    return json.dumps(record, ensure_ascii=False) + "\n"


# -- text files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "date", "title", "text"),
    [
        (f"date 2025-09-24 Лисиця в місті\n\n{FOX}\n", "2025-09-24", "Лисиця в місті", FOX),
        (f" date 2025-09-24 Лисиця в місті\n\n{FOX}", "2025-09-24", "Лисиця в місті", FOX),
        (f"date\t2025-09-24  Лисиця в місті \n{FOX}", "2025-09-24", "Лисиця в місті", FOX),
        (f"Лисиця в місті\n\n{FOX}\n", None, "Лисиця в місті", FOX),
        (f"date 2011 Лисиця\n\n{FOX}", "2011", "Лисиця", FOX),
        (f"date 2011-05 Лисиця\n\n{FOX}", "2011-05", "Лисиця", FOX),
        (f"date 2025-09-24\n\n{FOX}", "2025-09-24", "", FOX),
        (f"date line у Карпатах\n\n{FOX}", None, "date line у Карпатах", FOX),
        (f"Дата: 2025-09-24\n\n{FOX}", None, "Дата: 2025-09-24", FOX),
        (f"\n\n\nЛисиця\n\n{FOX}", None, "Лисиця", FOX),
        (f"Лисиця\n\n{FOX}\n\n{HEN}\n", None, "Лисиця", f"{FOX}\n\n{HEN}"),
        (f"Лисиця\r\n\r\n{FOX}\r\n\r\n{HEN}\r\n", None, "Лисиця", f"{FOX}\n\n{HEN}"),
        (f"\ufeffdate 2025-09-24 Лисиця\n\n{FOX}", "2025-09-24", "Лисиця", FOX),
        (
            "<b>Лисиця</b> & R&amp;D\n\n<p>Хвіст</p>",
            None,
            "<b>Лисиця</b> & R&amp;D",
            "<p>Хвіст</p>",
        ),
    ],
    ids=repr,
)
def test_a_text_file_is_one_article(
    make_corpus: MakeCorpus, content: str, date: str | None, title: str, text: str
) -> None:
    """The first line holds the title and, where it begins with `date`, the date."""
    articles, rejected = read(make_corpus({"fox.txt": content}))
    assert (articles, rejected) == ([Article("fox", text, title, date)], [])


# -- records -----------------------------------------------------------------------------------

FULL = {
    "id": "fox-42",
    "title": "Лисиця в місті",
    "text": f"{FOX}\n\n{HEN}",
    "date": "2025-09-24T08:30:00+03:00",
    "url": "https://example.org/fox",
    "source": "Степ медіа",
    "author": "Інна Лиман",
    "section": "тварини",
    "tags": "лисиці, міста",
    "language": "uk",
}
FULL_ARTICLE = Article(
    id="fox-42",
    title="Лисиця в місті",
    text=f"{FOX}\n\n{HEN}",
    date="2025-09-24T08:30:00+03:00",
    url="https://example.org/fox",
    source="Степ медіа",
    author="Інна Лиман",
    section="тварини",
    tags=("лисиці", "міста"),
    language="uk",
)
BARE = {"id": "hen", "text": HEN}
BARE_ARTICLE = Article("hen", HEN)


def as_csv(records: list[dict[str, Any]], delimiter: str) -> str:
    out = io.StringIO(newline="")
    rows = csv.DictWriter(out, FULL, delimiter=delimiter)
    rows.writeheader()
    rows.writerows(records)
    return out.getvalue()


FORMATS = {
    "a.jsonl": "".join(json.dumps(record) + "\n" for record in (FULL, BARE)),
    "b.jsonl": "\n\n".join(json.dumps(record, ensure_ascii=False) for record in (FULL, BARE)),
    "c.jsonl": "\r\n".join(json.dumps(record) for record in (FULL, BARE)) + "\r\n",
    "d.json": json.dumps([FULL, BARE]),
    "e.json": json.dumps([FULL, BARE], ensure_ascii=False, indent=2),
    "f.json": json.dumps([FULL, BARE], indent=1).replace("\n", "\r\n"),
    "g.csv": as_csv([FULL, BARE], ","),
    "h.csv": as_csv([FULL, BARE], ";"),
    "i.csv": as_csv([FULL, BARE], "\t"),
    "j.csv": as_csv([FULL, BARE], ",").replace("title", " Title ").replace("text", "TEXT"),
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "byte-order-mark"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_carries_every_field(
    make_corpus: MakeCorpus, name: str, mark: str, packed: bool
) -> None:
    """All but `text` is optional; line ends, indents and a byte order mark do not matter."""
    content = (mark + FORMATS[name]).encode()
    folder = make_corpus({f"{name}.gz": gzip.compress(content)} if packed else {name: content})
    assert read(folder) == ([FULL_ARTICLE, BARE_ARTICLE], [])


def test_a_json_file_may_hold_one_object(make_corpus: MakeCorpus) -> None:
    assert read(make_corpus({"fox.json": json.dumps(FULL, indent=2)})) == ([FULL_ARTICLE], [])


def test_a_packed_text_file_is_named_without_both_suffixes(make_corpus: MakeCorpus) -> None:
    folder = make_corpus({"2025/fox.txt.gz": gzip.compress(f"Лисиця\n\n{FOX}".encode())})
    assert read(folder) == ([Article("2025/fox", FOX, "Лисиця")], [])


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"id": 42}, {"id": "42"}),
        ({"id": " fox \n"}, {"id": "fox"}),
        ({"title": None, "date": "", "tags": [], "author": []}, {}),
        ({"tags": "лисиці; міста ;"}, {"tags": ("лисиці", "міста")}),
        ({"tags": ["Одеса, порт", " лисиці "]}, {"tags": ("Одеса, порт", "лисиці")}),
        ({"author": ["Олена Левчук", "Ігор Мороз"]}, {"author": "Олена Левчук, Ігор Мороз"}),
        ({"date": "2025-09-24"}, {"date": "2025-09-24"}),
        ({"date": "2025-09-24T08:30:00+03:00"}, {"date": "2025-09-24T08:30:00+03:00"}),
        ({"date": "2025-09-24T05:30:00Z"}, {"date": "2025-09-24T05:30:00Z"}),
        ({"date": "2011-05"}, {"date": "2011-05"}),
        ({"date": "2011"}, {"date": "2011"}),
        ({"date": 2011}, {"date": "2011"}),
        ({"views": 7, "nested": {"a": [1]}}, {}),
        ({"title": "<i>Лис</i> &amp; я"}, {"title": "<i>Лис</i> &amp; я"}),
    ],
    ids=repr,
)
def test_fields_are_taken_as_sources_write_them(
    make_corpus: MakeCorpus, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Numbers and lists are read, markup is left alone, foreign fields are passed over."""
    folder = make_corpus({"fox.jsonl": json.dumps({"id": "fox", "text": FOX} | fields)})
    article = Article(**{"id": "fox", "text": FOX} | expected)
    assert read(folder) == ([article], [])


@pytest.mark.parametrize(
    ("name", "content", "places"),
    [
        ("news.jsonl", '{"text": "Лис"}\n{"text": "Курка"}\n', [1, 2]),
        ("news.jsonl", '\n{"text": "Лис"}\n\n{}\n{"text": "Курка"}\n', [2, 5]),
        ("news.json", '[{"text": "Лис"}, {"text": "Курка"}]', [1, 2]),
        ("news.json", '[\n\n{"text": "Лис"},\n{},\n{"text": "Курка"}\n]', [1, 3]),
        ("news.csv", "text\nЛис\nКурка\n", [2, 3]),
        ("news.csv", 'text\n"Лис"\n"  \n"\n"Курка"\n', [2, 5]),
    ],
)
def test_records_without_an_id_have_their_place_as_id(
    make_corpus: MakeCorpus, name: str, content: str, places: list[int]
) -> None:
    """The line, or which of the list it is; bad records count too."""
    articles, _ = read(make_corpus({f"2025/{name}": content}))
    ids = [f"2025/{name}:{place}" for place in places]
    assert articles == [Article(ids[0], "Лис"), Article(ids[1], "Курка")]


# -- folders, files, standard input ------------------------------------------------------------


def test_a_folder_is_read_with_its_subfolders_in_a_fixed_order(make_corpus: MakeCorpus) -> None:
    """An article's id is its path in the folder, without the suffix."""
    folder = make_corpus(
        {
            "б.txt": "Б\n\nбе",
            "2025/09/а.txt": "А\n\nа",
            "2024/в.г.txt": "В\n\nве",
            "а.jsonl": '{"id": "рядок", "text": "текст"}',
        }
    )
    articles, rejected = read(folder)
    assert [article.id for article in articles] == ["рядок", "б", "2024/в.г", "2025/09/а"]
    assert rejected == []


def test_a_file_alone_is_a_corpus(make_corpus: MakeCorpus) -> None:
    """Ids are as if its folder had been named."""
    folder = make_corpus({"fox.txt": f"Лисиця\n\n{FOX}", "hen.txt": f"Курка\n\n{HEN}"})
    assert list(Corpus(folder / "fox.txt")) == [Article("fox", FOX, "Лисиця")]


def test_other_formats_are_counted_and_hidden_files_passed_over(make_corpus: MakeCorpus) -> None:
    folder = make_corpus(
        {
            "fox.txt": f"Лисиця\n\n{FOX}",
            "README.md": "# Про архів",
            "photo.jpg": b"\xff\xd8\xff",
            "LICENSE": "CC0",
            ".fox.txt.swp": "b0VIM",
            ".draft.txt": f"Чернетка\n\n{HEN}",
            ".git/description.txt": "git",
        }
    )
    corpus = Corpus(folder)
    assert [article.id for article in corpus] == ["fox"]
    assert (corpus.ignored, corpus.rejected) == (3, 0)


@pytest.mark.parametrize(
    ("name", "packed"), [("FOX.TXT", False), ("Fox.Txt.gz", True), ("fox.txt.GZ", True)]
)
def test_suffixes_may_be_written_in_capitals(
    make_corpus: MakeCorpus, name: str, packed: bool
) -> None:
    content = f"Лисиця\n\n{FOX}".encode()
    folder = make_corpus({name: gzip.compress(content) if packed else content})
    assert read(folder) == ([Article(name.partition(".")[0], FOX, "Лисиця")], [])


def test_a_corpus_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as caught:
        Corpus(tmp_path / "nowhere")
    assert str(caught.value) == (
        f"There is no corpus at {str(tmp_path / 'nowhere')!r}; name a folder or file of articles."
    )


def test_the_bytes_read_add_up_to_the_size(make_corpus: MakeCorpus) -> None:
    """A progress bar reaches its end, also where files are packed or passed over."""
    folder = make_corpus(
        {
            "a.txt": f"Лисиця\n\n{FOX}",
            "b.jsonl": FORMATS["a.jsonl"] + "{broken\n",
            "c.json.gz": gzip.compress(FORMATS["d.json"].encode()),
            "d.csv": FORMATS["g.csv"],
            "e.md": "# Інше",
        }
    )
    corpus = Corpus(folder)
    sizes = [(folder / name).stat().st_size for name in ("a.txt", "b.jsonl", "c.json.gz", "d.csv")]
    assert corpus.size() == sum(sizes)
    assert len(list(corpus)) == 7
    assert corpus.done == sum(sizes)


class Input(io.RawIOBase):
    """Standard input that counts what was taken from it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.taken = 0
        self._pieces = pieces

    @property
    def buffer(self) -> io.BufferedReader:
        """What `sys.stdin` has its bytes in."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, into: Any) -> int:
        """Give the next piece."""
        piece = next(self._pieces, b"")
        into[: len(piece)] = piece
        self.taken += len(piece)
        return len(piece)


def test_standard_input_is_read_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is JSON Lines; the first articles are there long before the input ends."""
    endless = Input(repeat(as_line({"text": FOX}).encode()))
    monkeypatch.setattr(sys, "stdin", endless)
    articles = iter(Corpus("-"))
    assert [next(articles) for _ in range(3)] == [
        Article("stdin:1", FOX),
        Article("stdin:2", FOX),
        Article("stdin:3", FOX),
    ]
    assert endless.taken < 100_000


def test_a_line_that_never_ends_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a line longer than any record only the count of characters matters."""
    line = repeat(b"x" * 8_000, 3_000)
    monkeypatch.setattr(sys, "stdin", Input(chain(line, [b"\n"], [as_line(BARE).encode()])))
    rejected: list[ArticleError] = []
    assert list(Corpus("-", rejected.append)) == [BARE_ARTICLE]
    assert [str(error) for error in rejected] == ["-, line 1: is longer than 8,000,000 characters"]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
def test_a_file_is_read_as_it_goes(make_corpus: MakeCorpus, suffix: str, packed: bool) -> None:
    """The first article of a big file is there when little of the file has been read."""
    noise = random.Random(42)  # noqa: S311 - only has to resist packing
    texts = [noise.randbytes(300).hex(" ") for _ in range(3_000)]
    content = {
        ".jsonl": "".join(as_line({"text": text}) for text in texts),
        ".json": json.dumps([{"text": text} for text in texts]),
        ".csv": "text\n" + "\n".join(texts),
    }[suffix].encode()
    name = f"big{suffix}" + (".gz" if packed else "")
    corpus = Corpus(make_corpus({name: gzip.compress(content, 1) if packed else content}))
    articles = iter(corpus)
    assert next(articles).text == texts[0]
    assert 0 < corpus.done < corpus.size() / 3
    assert [article.text for article in articles] == texts[1:]


# -- bad records -------------------------------------------------------------------------------

GOOD = as_line(BARE).strip()
NOT_UTF8 = "is not valid UTF-8; convert the file first (iconv -f cp1251 -t utf-8)"


def says(said: str, reason: str) -> bool:
    """Where the expected reason ends in a space, Python's own words follow it."""
    return said.startswith(reason) if reason.endswith(" ") else said == reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"text": "Лис', "broken JSON: "),
        ('{"text": "Лис"} {}', "broken JSON: "),
        ("Лис перебіг колію.", "broken JSON: Expecting value (column 1)"),
        ("[" * 100_000, "broken JSON: "),
        ('{"text": "Лис", "id": ' + "9" * 5_000 + "}", "broken JSON: "),
        ('["Лис"]', "is not a JSON object"),
        ('"Лис"', "is not a JSON object"),
        ("null", "is not a JSON object"),
        ("{}", "has no text"),
        ('{"title": "Лис"}', "has no text"),
        ('{"text": null}', "has no text"),
        ('{"text": " \\n\\t"}', "has no text"),
        ('{"text": 7}', "'text' is not a text"),
        ('{"text": ["Лис"]}', "'text' is not a text"),
        ('{"text": "Лис", "title": {"uk": "Лис"}}', "'title' is not a text"),
        ('{"text": "Лис", "id": true}', "'id' is not a text"),
        ('{"text": "Лис", "tags": ["лис", 7]}', "'tags' is not a text"),
        (
            '{"text": "Лис", "date": "24.09.2025"}',
            "bad date: '24.09.2025' is not a date; write 2025, 2025-09 or 2025-09-24.",
        ),
        ('{"text": "Лис", "date": "2025-13"}', "bad date: '2025-13' is not a date: "),
        ('{"text": "Ли\\u0000с"}', "'text' holds a NUL character"),
        ('{"text": "Лис", "source": "\\u0000"}', "'source' holds a NUL character"),
        ('{"text": "Лис \\ud800"}', "'text' holds half of a surrogate pair"),
        ('{"text": "Лис", "id": "\\ude00"}', "'id' holds half of a surrogate pair"),
        ('{"text": "' + "ну" * 501 + '"}', "'text' holds a word of more than 1,000 letters"),
        ('{"text": "Лис"}'.encode("cp1251"), f"'text' {NOT_UTF8}"),
        ('{"text": "x", "title": "Лис"}'.encode("cp1251"), f"'title' {NOT_UTF8}"),
        (b'{"text": "\xc3"}', f"'text' {NOT_UTF8}"),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_a_bad_line_is_named_and_its_neighbours_are_kept(
    make_corpus: MakeCorpus, line: str | bytes, reason: str
) -> None:
    """The report says in which file, in which line, and what is wrong."""
    raw = line if isinstance(line, bytes) else line.encode()
    before, after = b'{"id": "fox", "text": "\xd0\x9b\xd0\xb8\xd1\x81"}\n', GOOD.encode() + b"\n"
    articles, rejected = read(make_corpus({"2025/a.jsonl": before + raw + b"\n" + after}))
    assert [article.id for article in articles] == ["fox", "hen"]
    ((name, number, said),) = rejected
    assert (name, number) == ("2025/a.jsonl", 2)
    assert says(said, reason)


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("a.txt", "", None, "is empty"),
        ("a.txt", " \n\n\t\n", None, "is empty"),
        ("a.txt", "\ufeff", None, "is empty"),
        ("a.jsonl", "\n\n", None, "is empty"),
        ("a.json", " [ ] ", None, "is empty"),
        ("a.csv", "", None, "is empty"),
        ("a.csv", "id,text\n", None, "is empty"),
        ("a.jsonl.gz", gzip.compress(b"", mtime=0), None, "is empty"),
        ("a.txt", "Лише заголовок", 1, "has no text"),
        ("a.txt", "date 2025-09-24 Лише заголовок\n\n \n", 1, "has no text"),
        ("a.txt", f"date 2025-02-30 Лис\n\n{FOX}", 1, "bad date: '2025-02-30' is not a date: "),
        ("a.txt", f"Лис\n\n{FOX}".encode("cp1251"), 1, f"'text' {NOT_UTF8}"),
        ("a.txt", f"Лис\n\n{FOX}\0", 1, "'text' holds a NUL character"),
        ("a.txt", "Лис\n\n" + "ну" * 501, 1, "'text' holds a word of more than 1,000 letters"),
        ("a.json", "Лис", 1, "broken JSON: "),
        ("a.json", '"Лис"', 1, "is not a JSON object"),
        ("a.json", "{}", 1, "has no text"),
        ("a.json", '{"a":' * 50_000, 1, "broken JSON: "),
        ("a.csv", "id,title\n1,Лис\n", 1, "the header has no column named 'text'"),
        ("a.csv", "id,text\n1,Лис,перебіг\n", 2, "has 3 cells, the header 2"),
        ("a.csv", "id,text\n1\n", 2, "has no text"),
        ("a.txt.gz", b"Not packed at all", None, "cannot be read: damaged gzip data "),
        (
            "a.txt.gz",
            gzip.compress(f"Лис\n\n{FOX}".encode(), mtime=0)[:-9],
            None,
            "cannot be read: ",
        ),
        (
            "a.json.gz",
            gzip.compress(GOOD.encode(), mtime=0)[:12] + b"\0" * 9,
            None,
            "cannot be read: ",
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_bad_file_is_named_and_its_neighbours_are_kept(
    make_corpus: MakeCorpus, name: str, content: str | bytes, line: int | None, reason: str
) -> None:
    """No file can stop the others from being read."""
    folder = make_corpus(
        {"1.jsonl": '{"id": "fox", "text": "Лис"}', name: content, "я.jsonl": GOOD}
    )
    articles, rejected = read(folder)
    assert [article.id for article in articles] == ["fox", "hen"]
    ((where, number, said),) = rejected
    assert (where, number) == (name, line)
    assert says(said, reason)


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        (
            "a.json",
            f'[{{"id": "fox", "text": "Лис"}},\n 7,\n {GOOD}]',
            2,
            "is not a JSON object",
        ),
        ("a.json", f'[{{"id": "fox", "text": "Лис"}},\n{{"text": ""}}, {GOOD}]', 2, "has no text"),
        ("a.csv", f"id,text\nfox,Лис\nlynx,,\nhen,{HEN}\n", 3, "has 3 cells, the header 2"),
        ("a.csv", f'id,text\nfox,"Лис\nі\nліс"\n\nlynx,\nhen,{HEN}\n', 6, "has no text"),
        ("a.csv", f"id;text;date\nfox;Лис\n1;Рись;зима\nhen;{HEN}\n", 3, "bad date: "),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_bad_record_does_not_spoil_its_file(
    make_corpus: MakeCorpus, name: str, content: str, line: int, reason: str
) -> None:
    articles, rejected = read(make_corpus({name: content}))
    assert [article.id for article in articles] == ["fox", "hen"]
    ((where, number, said),) = rejected
    assert (where, number) == (name, line)
    assert says(said, reason)


TOO_LONG = "'text' is longer than 1,000,000 characters"


@pytest.mark.parametrize(
    ("name", "around", "words", "reason"),
    [
        ("a.txt", "Лис\n\n|", 400_000, TOO_LONG),
        ("a.txt", "Лис\n\n|", 3_500_000, TOO_LONG),
        ("a.txt.gz", "Лис\n\n|", 3_500_000, TOO_LONG),
        ("a.jsonl", '{"text": "|"}', 400_000, TOO_LONG),
        ("a.jsonl", '{"text": "|"}', 3_500_000, "is longer than 8,000,000 characters"),
        ("a.json", '{"text": "|"}', 400_000, TOO_LONG),
        ("a.json", '{"text": "|"}', 3_500_000, "broken JSON: "),
        ("a.csv", "text\n|\n", 400_000, TOO_LONG),
        ("a.csv", "text\n|\n", 3_500_000, "broken CSV: "),
    ],
)
def test_what_is_too_big_for_an_article_is_named_and_its_neighbours_are_kept(
    make_corpus: MakeCorpus, name: str, around: str, words: int, reason: str
) -> None:
    """Megabytes that lost their way do not become an article."""
    content = around.replace("|", "ну " * words).encode()
    folder = make_corpus(
        {
            "1.jsonl": '{"id": "fox", "text": "Лис"}',
            name: gzip.compress(content, 1) if name.endswith(".gz") else content,
            "я.jsonl": GOOD,
        }
    )
    articles, rejected = read(folder)
    assert [article.id for article in articles] == ["fox", "hen"]
    ((where, number, said),) = rejected
    assert (where, number) == (name, 2 if ".csv" in name else 1)
    assert says(said, reason)


def test_a_cell_that_is_too_big_does_not_spoil_its_file(make_corpus: MakeCorpus) -> None:
    content = f"id,text\nfox,Лис\nlynx,{'ну ' * 3_000_000}\nhen,{HEN}\n"
    articles, rejected = read(make_corpus({"a.csv": content}))
    assert [article.id for article in articles] == ["fox", "hen"]
    assert [(name, line) for name, line, _ in rejected] == [("a.csv", 3)]


@pytest.mark.parametrize("cut", [1, 2, 3, 10, 28, 29])
def test_a_list_that_was_cut_off_is_named_wherever_the_cut_is(
    make_corpus: MakeCorpus, cut: int
) -> None:
    """What came through whole is kept; that the rest is missing is said."""
    whole = '[{"id": "fox", "text": "Лис"},\n{"id": "hen", "text": "Кур"}]'
    articles, rejected = read(make_corpus({"a.json": whole[:-cut]}))
    assert [article.id for article in articles] == (["fox", "hen"] if cut == 1 else ["fox"])
    assert [(name, number is not None) for name, number, _ in rejected] == [("a.json", True)]


def test_a_packed_file_that_was_cut_off_keeps_what_came_through(make_corpus: MakeCorpus) -> None:
    noise = random.Random(7)  # noqa: S311 - only has to resist packing
    lines = [json.dumps({"id": i, "text": noise.randbytes(90).hex(" ")}) for i in range(2_000)]
    content = gzip.compress("\n".join(lines).encode())
    articles, rejected = read(
        make_corpus({"a.jsonl.gz": content[: len(content) // 2], "b.txt": "Б\n\nб"})
    )
    numbers = [article.id for article in articles]
    assert numbers == [*map(str, range(len(numbers) - 1)), "b"]
    assert 800 < len(numbers) < 1_100
    ((name, line, reason),) = rejected
    assert (name, line) == ("a.jsonl.gz", None)
    assert reason.startswith("cannot be read: damaged gzip data (")


def test_a_report_that_raises_ends_the_reading(make_corpus: MakeCorpus) -> None:
    """That is how strictness is asked for."""
    folder = make_corpus({"a.jsonl": f"{GOOD}\n{{}}\n{GOOD}\n", "b.txt": "Б\n\nбе"})

    def strict(error: ArticleError) -> None:
        raise error

    articles = iter(Corpus(folder, strict))
    assert next(articles) == BARE_ARTICLE
    with pytest.raises(ArticleError) as caught:
        next(articles)
    error = caught.value
    assert (error.source, error.line, error.reason) == (str(folder / "a.jsonl"), 2, "has no text")
    assert str(error) == f"{folder / 'a.jsonl'}, line 2: has no text"


def test_without_a_report_bad_records_are_counted_all_the_same(make_corpus: MakeCorpus) -> None:
    corpus = Corpus(make_corpus({"a.jsonl": f"{{}}\n{GOOD}\n[]\n"}))
    assert list(corpus) == [BARE_ARTICLE]
    assert corpus.rejected == 2


# -- the sample archive ------------------------------------------------------------------------


def test_the_sample_archive_has_no_bad_record(sample: Path) -> None:
    """It has the articles, the ids and the one other file that its README promises."""
    rejected: list[ArticleError] = []
    corpus = Corpus(sample, rejected.append)
    articles = list(corpus)
    assert (len(articles), corpus.ignored, rejected) == (72, 1, [])
    assert len({article.id for article in articles}) == 72
    assert [a.title for a in articles if a.id == "2025/mist-cherez-desnu-vidkryto"] == [
        "Міст через Десну відкрили: вантажівки повернулися"
    ]


def test_a_digest_changes_with_every_field() -> None:
    """By it an update tells a changed article from the same."""
    changed: list[dict[str, Any]] = [
        {},
        {"id": "fox-43"},
        {"text": FOX},
        {"title": "Лис"},
        {"date": None},
        {"url": None},
        {"source": None},
        {"author": None},
        {"section": None},
        {"tags": ("лисиці",)},
        {"language": None},
    ]
    digests = [replace(FULL_ARTICLE, **fields).digest() for fields in changed]
    assert len(set(digests)) == len(changed)
    assert {len(digest) for digest in digests} == {16}
    assert digests[0] == replace(FULL_ARTICLE).digest()


def test_files_of_one_name_in_two_formats_do_not_take_each_others_ids(
    make_corpus: MakeCorpus,
) -> None:
    """The suffix is part of the id of a record that has none."""
    folder = make_corpus({"news.csv": "text\nЛис\n", "news.jsonl": '\n{"text": "Курка"}\n'})
    articles, rejected = read(folder)
    assert [article.id for article in articles] == ["news.csv:2", "news.jsonl:2"]
    assert rejected == []


def test_a_quotation_mark_left_open_in_csv_is_named(make_corpus: MakeCorpus) -> None:
    """The rows behind it would otherwise become one article without a word."""
    content = 'id,text\nfox,Лис\nhen,"Курка сіла\nlynx,Рись\n'
    articles, rejected = read(make_corpus({"a.csv": content}))
    assert [article.id for article in articles] == ["fox"]
    assert [(name, line) for name, line, _ in rejected] == [("a.csv", 3)]
