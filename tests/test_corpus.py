import csv
import gzip
import io
import json
import os
import random
import socket
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from searchkit import Archive, Article
from searchkit.corpus import Corpus
from searchkit.errors import ArticleError, CorpusError

MakeCorpus = Callable[[dict[str, str | bytes]], Path]

FOX = "Лисиця перебігла колію."
HEN = "Курка знесла блакитне яйце."
GOOD_LINES = b'{"text": "fox"}\n' * 9


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
        (f"date 2025-09-24T08:30 Лисиця\n\n{FOX}", "2025-09-24T08:30", "Лисиця", FOX),
        (f"date 2011 Лисиця\n\n{FOX}", None, "date 2011 Лисиця", FOX),
        (f"date 2011-05 Лисиця\n\n{FOX}", None, "date 2011-05 Лисиця", FOX),
        (f"date 2025 was hard\n\n{FOX}", None, "date 2025 was hard", FOX),
        (f"date 5 apples\n\n{FOX}", None, "date 5 apples", FOX),
        (f"date2025-09-24 Лисиця\n\n{FOX}", None, "date2025-09-24 Лисиця", FOX),
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
    """The first line holds the title and, where it begins with `date YYYY-MM-DD`, the date."""
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
    "k.csv": "\r\n \r\n" + as_csv([FULL, BARE], ";"),
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
        ({"id": 10**400}, {"id": str(10**400)}),
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
        ("news.csv", "\n\ntext\n\nЛис\nКурка\n", [5, 6]),
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


def test_what_is_no_file_is_passed_over_and_counted(
    make_corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe that nobody writes to would never end, a link to a folder may lead in circles."""
    folder = make_corpus({"fox.txt": f"Лисиця\n\n{FOX}", "2025/hen.txt": f"Курка\n\n{HEN}"})
    os.mkfifo(folder / "pipe.jsonl")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(folder)  # a socket's path may not be long
        listener.bind("socket.txt")
    (folder / "2025" / "up").symlink_to(folder)
    (folder / "2025" / ".hidden").symlink_to(folder)
    (folder / "latest").symlink_to(folder / "nowhere")
    corpus = Corpus(folder)
    assert [article.id for article in corpus] == ["fox", "2025/hen"]
    assert (corpus.ignored, corpus.rejected, corpus.unreadable) == (4, 0, 0)


def test_an_index_among_the_articles_is_left_out(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    folder = make_corpus({"fox.txt": f"Лисиця\n\n{FOX}", "2025/index/fox.txt": f"Лис\n\n{FOX}"})
    (tmp_path / "link").symlink_to(folder)
    index = tmp_path / "link" / "index"
    for build in (Archive.build, Archive.build, Archive.update):
        rejected: list[ArticleError] = []
        assert (build(folder, index, report=rejected.append).articles, rejected) == (2, [])


def test_articles_and_an_index_have_each_a_folder(make_corpus: MakeCorpus) -> None:
    folder = make_corpus({"fox.txt": f"Лисиця\n\n{FOX}"})
    with pytest.raises(CorpusError, match="is the folder of the articles and of the index; name"):
        Archive.build(folder, folder.parent / "corpus" / ".." / folder.name)
    assert [path.name for path in folder.iterdir()] == ["fox.txt"]


def test_a_linked_file_and_a_linked_corpus_are_read(
    make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    folder = make_corpus({"fox.txt": f"Лисиця\n\n{FOX}"})
    (folder / "lynx.txt").symlink_to(folder / "fox.txt")
    (tmp_path / "link").symlink_to(folder)
    articles, rejected = read(tmp_path / "link")
    assert ([article.id for article in articles], rejected) == (["fox", "lynx"], [])


@pytest.fixture
def forbid(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], None]:
    """Let a function of `os` fail for one path; permissions would not stop the superuser."""

    def forbid(function: str, forbidden: Path) -> None:
        real = getattr(os, function)

        def fake(path: Any, *args: Any, **options: Any) -> Any:
            if isinstance(path, str | Path) and Path(path) == forbidden:
                raise PermissionError(13, "Permission denied", str(path))
            return real(path, *args, **options)

        monkeypatch.setattr(os, function, fake)

    return forbid


@pytest.mark.parametrize(
    ("function", "name"), [("scandir", "2024"), ("stat", "2024/hen.txt"), ("stat", "LICENSE")]
)
def test_what_cannot_be_looked_at_is_named_and_its_neighbours_are_kept(
    make_corpus: MakeCorpus, forbid: Callable[[str, Path], None], function: str, name: str
) -> None:
    """Whether it holds articles is not known."""
    folder = make_corpus(
        {
            "fox.txt": f"Лисиця\n\n{FOX}",
            "2024/hen.txt": f"Курка\n\n{HEN}",
            "2025/lynx.txt": f"Рись\n\n{FOX}",
            "LICENSE": "CC0",
        }
    )
    forbid(function, folder / name)
    rejected: list[ArticleError] = []
    corpus = Corpus(folder, rejected.append)
    assert corpus.size() > 0
    ids = [article.id for article in corpus]
    assert ids == [id_ for id_ in ("fox", "2024/hen", "2025/lynx") if not id_.startswith(name[:5])]
    assert [str(error) for error in rejected] == [
        f"{folder / name}: cannot be read: Permission denied"
    ]
    assert (corpus.rejected, corpus.unreadable) == (1, 1)


def test_a_link_to_an_article_that_is_gone_is_named(make_corpus: MakeCorpus) -> None:
    """The disk that it was on may be back tomorrow."""
    folder = make_corpus({"fox.txt": f"Лисиця\n\n{FOX}"})
    (folder / "hen.txt").symlink_to(folder / "nowhere")
    corpus = Corpus(folder)
    assert corpus.size() == (folder / "fox.txt").stat().st_size
    assert [article.id for article in corpus] == ["fox"]
    assert (corpus.rejected, corpus.unreadable, corpus.ignored) == (1, 1, 0)


def test_a_corpus_that_may_not_be_looked_at_is_an_error(
    tmp_path: Path, forbid: Callable[[str, Path], None]
) -> None:
    forbid("stat", tmp_path)
    with pytest.raises(CorpusError) as caught:
        Corpus(tmp_path)
    assert str(caught.value) == (
        f"The corpus {str(tmp_path)!r} cannot be read (Permission denied); "
        "name another or make it readable."
    )


@pytest.mark.parametrize(
    ("content", "unreadable"),
    [
        ({"a.txt.gz": b"Not packed"}, 1),
        ({"a.txt.gz": b"Not packed", "b.jsonl.gz": b"Not packed"}, 2),
        ({"a.jsonl.gz": gzip.compress(GOOD_LINES, mtime=0)[:-9]}, 1),
        ({"a.json": '[{"text": "Лис"}, oh'}, 1),
        ({"a.json": '[{"text": "Лис"}'}, 1),
        ({"a.csv": 'text\n"Лис\nКурка\n'}, 1),
        ({"a.csv": 'text\n"Лис\n"Курка"\nРись\n"Лис\n"Курка"'}, 1),
        ({"a.csv": "id;title\n1;Лис\n"}, 1),
        ({"a.csv": 'text\n"Лис" перебіг\n'}, 0),
        ({"a.csv": "text\nЛис,перебіг\n"}, 0),
        ({"a.jsonl": "{oh\n[]\n"}, 0),
        ({"a.json": "[{}, 7]"}, 0),
        ({"a.txt": ""}, 0),
    ],
    ids=repr,
)
def test_files_that_could_not_be_read_to_the_end_are_counted(
    make_corpus: MakeCorpus, content: dict[str, str | bytes], unreadable: int
) -> None:
    """Each once. Of bad records in between no other article is missing."""
    corpus = Corpus(make_corpus(content))
    list(corpus)
    assert corpus.unreadable == unreadable
    assert corpus.rejected >= max(unreadable, 1)


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


def test_standard_input_that_is_closed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """So Python shows what the shell writes as `<&-`."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CorpusError) as caught:
        Corpus("-")
    assert str(caught.value) == "There is no standard input; name a folder or file of articles."


def test_standard_input_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its terminal or disk may have gone away."""

    def pieces() -> Iterator[bytes]:
        yield as_line(BARE).encode()
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdin", Input(pieces()))
    rejected: list[ArticleError] = []
    corpus = Corpus("-", rejected.append)
    assert list(corpus) == [BARE_ARTICLE]
    assert [str(error) for error in rejected] == [
        "standard input: cannot be read: Input/output error"
    ]
    assert corpus.unreadable == 1


def test_a_record_of_standard_input_is_named_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [as_line(BARE).encode(), b"{}\n"]
    monkeypatch.setattr(sys, "stdin", Input(iter(lines)))
    rejected: list[ArticleError] = []
    corpus = Corpus("-", rejected.append)
    assert list(corpus) == [BARE_ARTICLE]
    assert corpus.place == ("standard input", 1)
    assert [str(error) for error in rejected] == ["standard input, line 2: has no text"]


def test_a_line_that_never_ends_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a line longer than any record only the count of characters matters."""
    line = repeat(b"x" * 8_000, 3_000)
    monkeypatch.setattr(sys, "stdin", Input(chain(line, [b"\n"], [as_line(BARE).encode()])))
    rejected: list[ArticleError] = []
    assert list(Corpus("-", rejected.append)) == [BARE_ARTICLE]
    assert [str(error) for error in rejected] == [
        "standard input, line 1: is longer than 8,000,000 characters"
    ]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv"])
def test_a_file_is_read_as_it_goes(make_corpus: MakeCorpus, suffix: str, packed: bool) -> None:
    """The first article of a big file is there when little of the file has been read."""
    noise = random.Random(42)
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
        ('{"text": "Лис\t"}', "broken JSON: Invalid control character (column 14)"),
        ('{"text": "Лис', "broken JSON: Unterminated string (column 10)"),
        ("[" * 100_000, "broken JSON: brackets nested too deep"),
        ('{"text": "Лис", "id": ' + "9" * 5_000 + "}", "broken JSON: a number of too many digits"),
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
        ('{"text": "Лис", "id": 1e400}', "'id' is not a finite number"),
        ('{"text": "Лис", "id": -Infinity}', "'id' is not a finite number"),
        ('{"text": "Лис", "title": NaN}', "'title' is not a finite number"),
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
        ("a.txt", f"date 2025-02-31 Лис\n\n{FOX}", 1, "bad date: '2025-02-31' is not a date: "),
        ("a.txt", f"date 2025-09-24: Лис\n\n{FOX}", 1, "bad date: '2025-09-24:' is not a date; "),
        ("a.txt", f"Лис\n\n{FOX}".encode("cp1251"), 1, f"'text' {NOT_UTF8}"),
        ("a.txt", f"Лис\n\n{FOX}\0", 1, "'text' holds a NUL character"),
        ("a.txt", "Лис\n\n" + "ну" * 501, 1, "'text' holds a word of more than 1,000 letters"),
        ("a.json", "Лис", 1, "broken JSON: "),
        ("a.json", '"Лис"', 1, "is not a JSON object"),
        ("a.json", "{}", 1, "has no text"),
        (
            "a.json",
            '{"a":' * 50_000,
            1,
            "broken JSON: brackets nested too deep; the rest is not read",
        ),
        ("a.csv", "id,title\n1,Лис\n", 1, "the header has no column named 'text'"),
        ("a.csv", "id,text\n1,Лис,перебіг\n", 2, "has 3 cells, the header 2"),
        ("a.csv", "id,text\n1\n", 2, "has no text"),
        ("a.csv", "x" * 9_000_000, 1, "the header is longer than 8,000,000 characters"),
        ("a.csv", 'id,text\n1,"Лис', 2, "broken CSV: a quotation mark is left open"),
        ("a.txt.gz", b"Not packed at all", None, "cannot be read: it holds data that is not gzip"),
        (
            "a.txt.gz",
            gzip.compress(f"Лис\n\n{FOX}".encode(), mtime=0)[:-9],
            None,
            "cannot be read: its gzip data ends too early",
        ),
        (
            "a.json.gz",
            gzip.compress(GOOD.encode(), mtime=0)[:-8] + b"\0" * 8,
            None,
            "cannot be read: its gzip data is damaged",
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
RECORD_TOO_LONG = "is longer than 8,000,000 characters"


@pytest.mark.parametrize(
    ("name", "around", "words", "reason"),
    [
        ("a.txt", "Лис\n\n|", 400_000, TOO_LONG),
        ("a.txt", "Лис " * 1_000 + "\n\n|", 380_000, TOO_LONG),
        ("a.txt", "\n" * 5_000 + "Лис\n\n|", 380_000, TOO_LONG),
        ("a.txt", "Лис\n\n|", 3_500_000, "is longer than 1,000,000 characters"),
        ("a.txt.gz", "Лис\n\n|", 3_500_000, "is longer than 1,000,000 characters"),
        ("a.jsonl", '{"text": "|"}', 400_000, TOO_LONG),
        ("a.jsonl", '{"text": "|"}', 3_500_000, RECORD_TOO_LONG),
        ("a.json", '{"text": "|"}', 400_000, TOO_LONG),
        ("a.json", '{"text": "|"}', 3_500_000, "broken JSON: "),
        ("a.csv", "text\n|\n", 400_000, TOO_LONG),
        ("a.csv", "text\n|\n", 3_500_000, RECORD_TOO_LONG),
        ("a.csv", "id,text\n1;,|", 3_500_000, RECORD_TOO_LONG),
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


@pytest.mark.parametrize("long", ["ну " * 3_000_000, "ну," * 3_000_000])
def test_a_row_that_is_too_big_does_not_spoil_its_file(make_corpus: MakeCorpus, long: str) -> None:
    """Be it in one cell or in many."""
    content = f"id,text\nfox,Лис\nlynx,{long}\nhen,{HEN}\n"
    articles, rejected = read(make_corpus({"a.csv": content}))
    assert [article.id for article in articles] == ["fox", "hen"]
    assert rejected == [("a.csv", 3, RECORD_TOO_LONG)]


def test_a_quotation_mark_left_open_takes_no_more_than_a_record(make_corpus: MakeCorpus) -> None:
    """The rows behind it are read again."""
    rows = "".join(f"{number},{'ну ' * 33_333}\n" for number in range(100))
    content = f'id,text\nfox,Лис\nlynx,"Рись\n{rows}'
    articles, rejected = read(make_corpus({"a.csv": content}))
    assert [article.id for article in articles] == ["fox", *map(str, range(80, 100))]
    assert rejected == [("a.csv", 3, RECORD_TOO_LONG)]


def test_a_row_that_never_ends_is_not_kept(make_corpus: MakeCorpus) -> None:
    """Of a row longer than any record only the count of characters matters."""
    packed = gzip.compress(b"id,text\nlynx," + b"x" * 100_000_000 + b"\nhen,Hen\n", 1)
    folder = make_corpus({"a.csv.gz": packed})
    tracemalloc.start()
    articles, rejected = read(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert articles == [Article("hen", "Hen")]
    assert rejected == [("a.csv.gz", 2, RECORD_TOO_LONG)]
    assert peak < 60_000_000


def test_white_space_around_a_text_file_does_not_count_as_its_text(make_corpus: MakeCorpus) -> None:
    folder = make_corpus({"fox.txt": "\n" * 500_000 + f"Лисиця\n\n{'ну ' * 300_000}{FOX}"})
    articles, rejected = read(folder)
    assert (len(articles), rejected) == (1, [])
    assert articles[0].text.endswith(FOX)


@pytest.mark.parametrize("joiner", ["", "-", "\u00ad", "'", "\u0301", "’"], ids=ascii)
@pytest.mark.parametrize("around", ["", "/", "\n", "/ну" * 900 + "/"])
def test_a_word_is_as_long_as_the_tokenizer_takes_it(
    make_corpus: MakeCorpus, around: str, joiner: str
) -> None:
    """What joins its letters counts; a sign that divides words ends it, as white space does."""
    longest = ("а" + joiner) * (999 // (1 + len(joiner))) + "а"
    fits, endless = [around + word + around for word in (longest, longest + joiner + "аа")]
    folder = make_corpus({"a.jsonl": as_line({"text": fits}) + as_line({"text": endless})})
    articles, rejected = read(folder)
    assert [article.text for article in articles] == [fits]
    assert rejected == [("a.jsonl", 2, "'text' holds a word of more than 1,000 letters")]


@pytest.mark.parametrize(
    "text",
    [
        "а-" * 450_000,
        "1." * 450_000,
        ("а" * 999 + " ") * 1_000,
        (" " + "а" * 1_000) * 999,
        ("а" * 999 + "/") * 1_000,
        "слово,ще/" * 111_111,
        "а" + "\u00ad" * 999_999,
        "\u0301" * 1_000_000,
    ],
    ids=lambda value: ascii(value[:4]),
)
def test_the_longest_text_is_checked_in_no_time(make_corpus: MakeCorpus, text: str) -> None:
    """However its words are made: a second is for a slow machine, it takes a fifth at most."""
    folder = make_corpus({"a.jsonl": as_line({"text": text})})
    started = time.process_time()
    articles, rejected = read(folder)
    assert time.process_time() - started < 1
    assert len(articles) + len(rejected) == 1


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
    noise = random.Random(7)
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
    assert reason == "cannot be read: its gzip data ends too early"


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
