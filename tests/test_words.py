"""The user's list of words."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from searchkit import Archive, SearchkitError
from searchkit.analysis.dictionary import SHIPPED
from searchkit.cli import main
from searchkit.codec.arrays import write
from searchkit.errors import ArticleError, CorruptIndex, RequestError
from searchkit.words import MAX_WORDS, STORED, Words

# Words that nobody has; of the first, no guesser could tell that its genitive is фурмора.
LINES = "# слова, яких ніхто не знає\nфурмір  двір\nгуркало   коромисло\n"


def read(text: str) -> tuple[Words, list[str]]:
    reasons: list[str] = []
    words = Words.of_lines(text.split("\n"), lambda error: reasons.append(str(error)))
    return words, reasons


@pytest.mark.parametrize(
    ("line", "form", "lemma"),
    [
        ("бабак-цар  лікар", "бабак-царями", "бабак-цар"),
        ("Хурделиця\tпшениця", "хурделицею", "хурделиця"),
        ("мікродрук біг", "мікродрук", "мікродрук"),
        ("замочок платок  # як біг, бігу", "замочком", "замочок"),
        ("ґвинтокрил снаряд", "гвинтокрилів", "гвинтокрил"),
        ("ЗМІшник кулеметник", "змішниками", "змішник"),
        ("БЕБ НАТО", "беб", "беб"),
        ("п’ятирозка трійка", "п'ятирозкою", "п'ятирозка"),
        ("брейнфогити варити", "брейнфогила", "брейнфогити"),
    ],
)
def test_a_word_gets_every_form_that_its_model_has(line: str, form: str, lemma: str) -> None:
    words, reasons = read(line)
    assert reasons == []
    assert words.terms[form][0] == lemma


def test_a_form_that_is_another_word_too_is_found_by_both() -> None:
    """The list adds readings, it takes none away."""
    words, _ = read("книг  трамп")
    assert words.terms["книги"] == ("книг", "книга")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("шахед", "has not two words"),
        ("шахед як снаряд", "has not two words"),
        ("шахед снаряда", "no word 'снаряда' in this base form"),
        ("шахед кракозябра", "no word 'кракозябра'"),
        ("шахеда снаряд", "'шахеда' does not end like 'снаряд'"),
        ("вікно снаряд", "does not end like"),
        ("кролик робота", "does not end like"),
        ("drone снаряд", "'drone' is not a Ukrainian word"),
        ("шахед 12", "'12' is not a Ukrainian word"),
        ("\udcff\udcfe снаряд", "is not a Ukrainian word"),
        ("а" * 60 + " снаряд", "is not a Ukrainian word"),
    ],
)
def test_a_bad_line_is_named_and_the_others_count(line: str, reason: str) -> None:
    words, reasons = read(f"гуркало коромисло\n{line}\nтрам трамп")
    assert len(reasons) == 1
    assert reasons[0].startswith("words.txt, line 2: ")
    assert reason in reasons[0]
    assert {"гуркала", "трамом"} <= set(words.terms)


def test_a_list_has_an_end() -> None:
    _, reasons = read("вжух дух\n" * (MAX_WORDS + 1))
    assert reasons == [f"words.txt, line {MAX_WORDS + 1}: a list has 20,000 words at most"]


def test_the_list_that_comes_with_searchkit_has_no_bad_line() -> None:
    words, reasons = read(SHIPPED.read_text(encoding="utf-8"))
    assert reasons == []
    assert words.terms["шахедами"] == ("шахед",)


# -- in an index -------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with articles, where the word is not in its base form."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEARCHKIT_WORDS", raising=False)
    (tmp_path / "corpus").mkdir()
    text = "Новини гурту\n\nНа фурморах стояв гурт."
    (tmp_path / "corpus" / "1.txt").write_text(text, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def found(query: str) -> int:
    result = run("query", query, "--json")
    return int(json.loads(result.stdout)["total"])


def test_a_form_that_no_article_has_is_found_after_the_next_rebuild(place: Path) -> None:
    """Readers need no list: what it says is in the index."""
    run("rebuild")
    assert found("фурмір") == 0
    (place / "words.txt").write_text(LINES, encoding="utf-8")
    assert found("фурмір") == 0
    run("rebuild")
    (place / "words.txt").unlink()
    assert found("фурмір") == 1


@pytest.mark.parametrize(
    ("where", "arguments"),
    [
        ("words.txt", ()),
        ("corpus/words.txt", ()),
        ("names.list", ("--words", "names.list")),
    ],
)
def test_the_list_is_in_the_corpus_or_beside_the_index_or_named(
    place: Path, where: str, arguments: tuple[str, ...]
) -> None:
    (place / where).write_text(LINES, encoding="utf-8")
    built = run("rebuild", *arguments)
    assert built.exit_code == 0
    assert "1 article " in built.stderr
    assert found("фурмір") == 1


def test_a_variable_may_name_the_list(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "names").write_text(LINES, encoding="utf-8")
    monkeypatch.setenv("SEARCHKIT_WORDS", "names")
    run("rebuild")
    assert found("фурмір") == 1
    assert run("analyze", "фурмору").stdout == "0–7\tфурмору\tфурмір\n"


def test_an_update_keeps_the_list_and_takes_a_new_one(place: Path) -> None:
    (place / "words.txt").write_text(LINES, encoding="utf-8")
    run("rebuild")
    (place / "words.txt").unlink()
    (place / "corpus" / "2.txt").write_text("Інше\n\nБіля фурмора.", encoding="utf-8")
    assert "1 new" in run("index").stderr
    assert found("фурмір") == 2
    (place / "words.txt").write_text("інший зелений\n", encoding="utf-8")
    told = "2 articles (all read anew, since the dictionary or the list of words has changed)"
    assert told in run("index").stderr
    assert found("фурмір") == 0


def test_a_list_that_has_changed_is_said_once_with_what_to_do(place: Path) -> None:
    (place / "words.txt").write_text(LINES, encoding="utf-8")
    run("rebuild")
    assert run("query", "гурт").stderr == "1 article matches.\n"
    (place / "words.txt").write_text(LINES + "інший зелений\n", encoding="utf-8")
    for arguments in (("query", "гурт"), ("stats",), ("show", "1")):
        told = run(*arguments)
        assert told.exit_code == 0
        assert told.stderr.count("words.txt is not the list of words that the index was") == 1
        assert "`searchkit rebuild`" in told.stderr


def test_another_dictionary_is_said_once_with_what_to_do(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("rebuild")
    assert place.exists()
    monkeypatch.setattr("searchkit.archive.dictionary_version", lambda: "dictionary of 2031")
    told = run("query", "гурт")
    assert told.exit_code == 0
    assert told.stderr.count("dictionary of 2031 is installed") == 1
    assert "`searchkit rebuild`" in told.stderr


def test_both_versions_are_told(place: Path) -> None:
    (place / "words.txt").write_text(LINES, encoding="utf-8")
    run("rebuild")
    told = json.loads(run("stats", "--json").stdout)
    assert told["dictionary"].startswith("pymorphy3-dicts-uk of 20")
    assert len(told["wordlist"]) == 16


def test_bad_lines_are_counted_and_may_be_fatal(place: Path) -> None:
    (place / "words.txt").write_text(LINES + "погано\n", encoding="utf-8")
    built = run("rebuild")
    assert (built.exit_code, "1 bad record" in built.stderr) == (0, True)
    assert "words.txt, line 4: has not two words" in built.stderr
    strict = run("rebuild", "--strict")
    assert strict.exit_code == 2
    assert "words.txt, line 4" in strict.stderr


def test_a_list_that_is_not_there_is_an_error(place: Path) -> None:
    built = run("rebuild", "--words", str(place / "none.txt"))
    assert built.exit_code == 2
    assert "none.txt' cannot be read" in built.stderr
    with pytest.raises(RequestError, match="cannot be read"):
        Archive.build(place / "corpus", place / "index", words=place)


def test_in_python_a_bad_line_is_reported_like_a_bad_record(place: Path) -> None:
    (place / "my").write_text("погано\n" + LINES, encoding="utf-8")
    errors: list[ArticleError] = []
    done = Archive.build(place / "corpus", place / "index", words="my", report=errors.append)
    assert [(error.source, error.line) for error in errors] == [("my", 1)]
    assert done.rejected == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-30]),
        lambda path: write(path, {"words": np.frombuffer(b"\xff\xfe", np.uint8)}),
        lambda path: write(path, {"others": np.zeros(3, np.uint8)}),
    ],
)
def test_a_damaged_list_is_a_damaged_index(place: Path, damage: Callable[[Path], Any]) -> None:
    (place / "words.txt").write_text(LINES, encoding="utf-8")
    run("rebuild")
    (path,) = (place / "index").glob(f"*/{STORED}")
    damage(path)
    shutil.rmtree(place / "corpus")
    with pytest.raises(SearchkitError) as caught, Archive.open(place / "index") as archive:
        archive.search("фурморові")
    assert isinstance(caught.value, CorruptIndex)


def test_analyze_finds_the_list_of_the_folders_that_are_named(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "words.txt").write_text(LINES, encoding="utf-8")
    for named in (("--corpus", "elsewhere"), ("--index", "elsewhere/index")):
        assert run("analyze", "фурмору", *named).stdout == "0–7\tфурмору\tфурмір\n"
