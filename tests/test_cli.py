import csv
import inspect
import io
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
from click.testing import CliRunner
from workshop import is_running

from searchkit import Archive, Article
from searchkit.cli import main
from searchkit.generations import Generations, sealed
from searchkit.show import about

MakeCorpus = Callable[[dict[str, str | bytes]], Path]

ARTICLES: list[dict[str, Any]] = [
    {
        "id": "fox",
        "title": "Лисиця в Києві",
        "text": "Лисицю бачили біля мосту. Переговори з нею тривають.",
        "date": "2025-09-24",
        "url": "https://example.org/fox",
        "source": "Степ медіа",
        "author": "Інна Лиман",
        "section": "місто",
        "tags": ["лисиці", "Київ"],
        "language": "uk",
    },
    {
        "id": "hen",
        "title": "Курка й лисиця",
        "text": "Курка кличе лисицю на переговори.\n\nЛисиця не йде.",
        "date": "2024-05",
    },
    {"id": "cat", "text": "Кіт спить, а лисиця ні.", "date": "2011"},
    {"id": "dog", "title": "Пес", "text": "Пес дрімає."},
]


class Answer(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str


def run(*args: str | Path, **options: Any) -> Answer:
    """Run a command in this process; whatever it raises is a failure."""
    result = CliRunner().invoke(main, list(map(str, args)), **options)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


def start(*args: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start the command as a process of its own."""
    command = [sys.executable, "-m", "searchkit", *map(str, args)]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, **pipes | options)


@pytest.fixture(autouse=True)
def _in_a_fresh_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SEARCHKIT_INDEX", "SEARCHKIT_CORPUS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The four articles, indexed."""
    folder = tmp_path_factory.mktemp("cli")
    corpus = folder / "articles.jsonl"
    lines = [json.dumps(article, ensure_ascii=False) + "\n" for article in ARTICLES]
    corpus.write_text("".join(lines), encoding="utf-8")
    Archive.build(corpus, folder / "index")
    return folder / "index"


def found(answer: Answer) -> list[str]:
    """The ids of the hits in an answer to --json."""
    return [hit["id"] for hit in json.loads(answer.out)["hits"]]


# -- query --------------------------------------------------------------------------------------


def test_a_query_prints_titles_and_passages_and_counts_on_standard_error(index: Path) -> None:
    assert run("query", "переговори з лисицею", "--index", index) == (
        0,
        (
            "1. Курка й лисиця\n"
            "   2024-05 · hen\n"
            "   Курка кличе лисицю на переговори.\n"
            "   Лисиця не йде.\n"
            "\n"
            "2. Лисиця в Києві\n"
            "   2025-09-24 · Степ медіа · місто · Інна Лиман · fox\n"
            "   Лисицю бачили біля мосту. Переговори з нею тривають.\n"
            "\n"
            "3. cat\n"
            "   2011 · cat\n"
            "   Кіт спить, а лисиця ні.\n"
            "\n"
        ),
        "3 articles match, 2 with all words.\n",
    )


def test_words_may_come_as_several_arguments(index: Path) -> None:
    assert run("query", "переговори", "з", "лисицею", "--index", index) == run(
        "query", "переговори з лисицею", "--index", index
    )


def test_json_is_one_object(index: Path) -> None:
    code, out, err = run("query", "лисицею", "--json", "--index", index, "--since", "2025")
    answer = json.loads(out)
    score = answer["hits"][0].pop("score")
    assert (code, err, score > 0) == (0, "", True)
    assert answer == {
        "query": "лисицею",
        "total": 1,
        "total_all_words": 1,
        "suggestions": [],
        "readings": [],
        "hits": [
            {
                "id": "fox",
                "title": "Лисиця в Києві",
                "title_spans": [[0, 6]],
                "date": "2025-09-24",
                "url": "https://example.org/fox",
                "source": "Степ медіа",
                "author": "Інна Лиман",
                "section": "місто",
                "tags": ["лисиці", "Київ"],
                "language": "uk",
                "all_words": True,
                "passages": [
                    {
                        "text": "Лисицю бачили біля мосту. Переговори з нею тривають.",
                        "spans": [[0, 6]],
                    }
                ],
            }
        ],
    }
    assert "Лисицю" in out  # legible, not \u041b\u0438…


def test_the_language_is_what_was_recognised_where_no_record_says_it(index: Path) -> None:
    _, out, _ = run("query", "курка", "--json", "--index", index)
    assert [hit["language"] for hit in json.loads(out)["hits"]] == ["uk"]
    assert json.loads(run("show", "dog", "--json", "--index", index).out)["language"] == "uk"


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("2024-05-17T09:30:00+03:00", "2024-05-17 09:30"),
        ("2024-05-17T09:30Z", "2024-05-17 09:30"),
        *[(same, same) for same in ("2024-05-17", "2024-05", "2024")],
    ],
)
def test_people_are_told_dates_as_they_write_them(date: str, told: str) -> None:
    assert about(Article(id="fox", title="", text="", date=date)) == f"{told} · fox"


def test_spans_point_at_the_words_as_written(index: Path) -> None:
    """They are half-open code-point offsets into the passage, or the title."""
    code, out, _ = run("query", "лисиці переговорів", "--json", "--index", index)
    marked = {
        hit["id"]: [
            [text[start:end] for start, end in spans]
            for text, spans in [
                (hit["title"], hit["title_spans"]),
                *((passage["text"], passage["spans"]) for passage in hit["passages"]),
            ]
        ]
        for hit in json.loads(out)["hits"]
    }
    assert code == 0
    assert marked == {
        "hen": [["лисиця"], ["лисицю", "переговори"], ["Лисиця"]],
        "fox": [["Лисиця"], ["Лисицю", "Переговори"]],
        "cat": [[], ["лисиця"]],
    }


def test_jsonl_is_one_hit_a_line(index: Path) -> None:
    whole = json.loads(run("query", "лисиця", "--json", "--index", index).out)
    code, out, err = run("query", "лисиця", "--jsonl", "--index", index)
    assert [json.loads(line) for line in out.splitlines()] == whole["hits"]
    assert (code, err, len(whole["hits"])) == (0, "", 3)


def test_csv_has_a_header_and_a_row_a_hit(index: Path) -> None:
    whole = json.loads(run("query", "лисиця", "--json", "--index", index).out)
    code, out, err = run("query", "лисиця", "--csv", "--index", index)
    rows = list(csv.reader(io.StringIO(out)))
    assert (code, err) == (0, "")
    assert rows[0] == [
        *("id", "title", "date", "url", "source", "author", "section", "score", "passages"),
    ]
    assert [dict(zip(rows[0], row, strict=True)) for row in rows[1:]] == [
        {name: "" if hit[name] is None else str(hit[name]) for name in rows[0][:-1]}
        | {"passages": " … ".join(passage["text"] for passage in hit["passages"])}
        for hit in whole["hits"]
    ]
    assert sorted(row[0] for row in rows[1:]) == ["cat", "fox", "hen"]


@pytest.mark.parametrize(
    ("form", "out"),
    [
        (
            "--json",
            (
                '{"query": "бегемот", "total": 0, "total_all_words": 0,'
                ' "suggestions": [], "readings": [], "hits": []}\n'
            ),
        ),
        ("--jsonl", ""),
        ("--csv", "id,title,date,url,source,author,section,score,passages\n"),
    ],
)
def test_where_nothing_is_found_programs_are_told_so(index: Path, form: str, out: str) -> None:
    assert run("query", "бегемот", form, "--index", index) == (1, out, "")


def test_where_nothing_is_found_people_are_told_so(index: Path) -> None:
    assert run("query", "бегемот", "--index", index) == (1, "", "No article matches.\n")


def test_explain_tells_of_each_word_that_matches_why(index: Path) -> None:
    """Its form, the lemma, and the word of the query; to people once each."""
    args = ("query", "лисиці переговорам", "--explain", "--limit", "1", "--index", index)
    out = run(*args).out
    assert re.findall(r"^ {5}(\S+ → \S+ → \S+)$", out, re.MULTILINE) == [
        "лисиця → лисиця → лисиці",
        "лисицю → лисиця → лисиці",
        "переговори → переговори → переговорам",
    ]
    [hit] = json.loads(run(*args, "--json").out)["hits"]
    assert hit["title_matches"] == [{"form": "лисиця", "lemma": "лисиця", "word": "лисиці"}]
    assert [[match["form"] for match in one["matches"]] for one in hit["passages"]] == [
        [one["text"][start:end].lower() for start, end in one["spans"]] for one in hit["passages"]
    ]


def test_a_better_query_is_offered_on_standard_error_and_never_forced(index: Path) -> None:
    assert run("query", "gthtujdjhb", "--index", index) == (
        1,
        "",
        "No article matches.\nDid you mean: переговори (2 articles)\n",
    )


def test_programs_are_told_of_a_better_query(index: Path) -> None:
    code, out, err = run("query", "zelena лисциця", "--json", "--index", index)
    assert (code, err) == (1, "Did you mean: zelena лисиця (3 articles with some of the words)\n")
    assert json.loads(out)["suggestions"] == [
        {"query": "zelena лисиця", "total": 3, "total_all_words": 0, "reason": "spelling"}
    ]


def test_an_ambiguous_word_lists_its_readings(index: Path) -> None:
    """Each can be asked for alone; people are not bothered with one that nobody means."""
    code, out, err = run("query", "Києві", "--json", "--index", index)
    assert (code, err) == (0, "")
    assert json.loads(out)["readings"] == [
        {
            "word": "Києві",
            "readings": [
                {"lemma": "київ", "total": 1, "query": "lemma:київ"},
                {"lemma": "кий", "total": 1, "query": "lemma:кий"},
            ],
        }
    ]


def test_suggest_completes_from_the_words_of_the_archive(index: Path) -> None:
    assert run("suggest", "л", "--index", index) == (0, "лисиця\t3\n", "")
    assert run("suggest", "курка", "л", "--index", index) == (0, "курка лисиця\t1\n", "")
    assert run("suggest", "к", "--limit", "1", "--index", index).out == "київ\t1\n"
    assert run("suggest", "ю", "--index", index) == (1, "", "")


def test_suggest_prints_json(index: Path) -> None:
    code, out, _ = run("suggest", "пере", "--json", "--index", index)
    assert (code, json.loads(out)) == (
        0,
        {"prefix": "пере", "completions": [{"query": "переговори", "total": 2}]},
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--limit", "1"], ["fox"]),
        (["-n", "2"], ["fox", "hen"]),
        (["--limit", "1", "--offset", "1"], ["hen"]),
        (["--offset", "3"], []),
        (["--limit", "0"], []),
        (["--since", "2024"], ["fox", "hen"]),
        (["--since", "2024-05-15"], ["fox", "hen"]),
        (["--since", "2024-06"], ["fox"]),
        (["--until", "2024-05-15"], ["hen", "cat"]),
        (["--until", "2011-01-01"], ["cat"]),
        (["--since", "2011-06", "--until", "2024-04"], ["cat"]),
    ],
    ids=" ".join,
)
def test_options_choose_the_page_and_the_window(
    index: Path, options: list[str], expected: list[str]
) -> None:
    answer = run("query", "лисиця", "--sort", "date", "--json", "--index", index, *options)
    assert (answer.code, found(answer), answer.err) == (0, expected, "")


def test_a_window_in_which_nothing_is_found(index: Path) -> None:
    answer = run("query", "лисиця", "--since", "2026", "--json", "--index", index)
    assert (answer.code, found(answer)) == (1, [])


def test_hits_are_numbered_through_the_pages(index: Path) -> None:
    out = run("query", "лисиця", "--offset", "1", "--index", index).out
    assert re.findall(r"^\d+(?=\. )", out, re.MULTILINE) == ["2", "3"]


@pytest.mark.parametrize(("limit", "expected"), [("0", 0), ("1", 1), ("5", 2)])
def test_passages_are_limited(index: Path, limit: str, expected: int) -> None:
    _, out, _ = run("query", "лисиця", "--passages", limit, "--json", "--index", index)
    lengths = {hit["id"]: len(hit["passages"]) for hit in json.loads(out)["hits"]}
    assert lengths["hen"] == expected


def test_explain_adds_what_the_score_is_made_of(index: Path) -> None:
    """Its addends, each with the numbers of the formula, add up to the score."""
    _, out, _ = run("query", "лисиця переговори", "--explain", "--json", "--index", index)
    for hit in json.loads(out)["hits"]:
        assert sum(factor["score"] for factor in hit["explain"]) == pytest.approx(
            hit["score"], abs=1e-4
        )
        assert {"name", "score", "share", "idf"} <= hit["explain"][0].keys()
        assert all(key.isidentifier() for factor in hit["explain"] for key in factor)
    _, out, _ = run("query", "лисиця", "--explain", "--index", index)
    assert len(re.findall(r"^   score \d\.\d{4}, all words:$", out, re.MULTILINE)) == 3
    assert len(re.findall(r"^ +\d\.\d{4}  лисиця: share 1, idf ", out, re.MULTILINE)) == 3


def test_a_query_that_was_mended_says_how_it_was_read(index: Path) -> None:
    code, out, err = run("query", "(лисиця", "--json", "--index", index)
    assert (code, json.loads(out)["read_as"], err) == (0, "лисиця", "Read as: лисиця\n")
    assert "read_as" not in json.loads(run("query", "лисиця", "--json", "--index", index).out)


STRANGE = [
    "",
    " ",
    "\t\n",
    "?!.,;:",
    "*",
    "***лис",
    '"',
    '"""',
    "«„“”»",
    "'",
    "\\",
    "\\n",
    "%s %d {} {0} $(ls) `ls`",
    "(",
    ")" * 50,
    "(" * 5_000,
    "NOT",
    "AND OR NOT",
    "І АБО НЕ",
    "title:",
    "title:title:title:",
    "невідоме:поле",
    "date:",
    "date:[",
    "date:[* TO *]",
    "date:99999",
    '"лис кіт"~99999999999999999999',
    "лис^3 лис~2 +лис -лис",
    "=",
    "=*",
    "/лис.*/",
    "<script>alert(1)</script>",
    "лис" * 5_000,
    "лис " * 5_000,
    "🦊",
    "👨\u200d👩\u200d👧",
    "е\u0301\u0301\u0301\u0301",
    "\u202eсил",
    "\ufeffлис",
    "\x00",
    "\x1b[31mлис\x07",
    "\udcff\udcfe",
    "лис\ud800",
    "ⅧⅨ ½ ² ﬁ ß İ",
    "१२३ ٣",
    "--",
]


@pytest.mark.parametrize("query", STRANGE, ids=lambda query: ascii(query)[:30])
def test_whatever_is_typed_is_a_query(index: Path, query: str) -> None:
    """It finds something or nothing; it is never an error."""
    code, out, err = run("query", "--json", "--index", index, "--", query)
    answer = json.loads(out)
    assert (answer["query"], code) == (query, 0 if answer["total"] else 1)
    assert err == "" or err.startswith("Read as: ")
    code, out, err = run("query", "--index", index, "--", query)
    assert code == (0 if answer["total"] else 1)
    assert err.splitlines()[-1].startswith("No article matches." if code else f"{answer['total']} ")


@pytest.mark.parametrize("query", ["", "  ", "***", "\\", "🦊", '""', "AND", "()"])
def test_a_query_without_a_word_says_that_there_is_nothing_to_look_for(
    index: Path, query: str
) -> None:
    told = "Read as: nothing to look for\nNo article matches.\n"
    assert run("query", query, "--index", index) == (1, "", told)
    code, out, err = run("query", query, "--json", "--index", index)
    assert (code, json.loads(out)["read_as"], err) == (1, "", told.splitlines(keepends=True)[0])


@pytest.mark.parametrize(
    "args",
    [
        ["query", "-лисиця", "--json"],
        ["query", "--json", "-лисиця"],
        ["query", "-«лисиця»", "--json"],
        ["query", '-"лисиця"', "--json", "-n5"],
        ["query", "-ЛИСИЦЯ", "-лис", "--json"],
    ],
    ids=" ".join,
)
def test_a_query_may_begin_with_a_hyphen(index: Path, args: list[str]) -> None:
    answer = run(*args, "--index", index)
    typed = " ".join(arg for arg in args[1:] if re.match("-[^-n]", arg))
    assert (answer.code, len(found(answer)), json.loads(answer.out)["query"]) == (0, 3, typed)


def test_a_text_that_begins_with_a_hyphen_is_a_text_for_every_command(index: Path) -> None:
    assert run("analyze", "-Києві").out == "1–6\tКиєві\tкиїв, кий\n"
    assert run("show", "-лис", "--index", index) == (1, "", "No article has the id '-лис'.\n")
    assert run("show", "fox", "-лис", "--index", index).code == 0
    told = "Error: There is no corpus at '-лис'; name a folder or file of articles.\n"
    assert run("rebuild", "-лис") == (2, "", told)


@pytest.mark.parametrize(
    ("since", "until", "swapped"),
    [
        ("2019", "2018", True),
        ("2025-09-02", "2025-09-01", True),
        ("2019", "2019-05", False),
        ("2019-05", "2019", False),
    ],
)
def test_a_window_with_its_ends_swapped_is_said_to_be_so(
    index: Path, since: str, until: str, *, swapped: bool
) -> None:
    answer = run("query", "лис*", "--since", since, "--until", until, "--index", index)
    told = f"--since {since} is later than --until {until}, so nothing can match; swap them.\n"
    assert answer == (1, "", (told if swapped else "") + "No article matches.\n")


# -- where the index and the corpus are ---------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ["--index", "{}", "query", "лис*", "--json"],
        ["query", "--index", "{}", "лис*", "--json"],
        ["query", "лис*", "--json", "--index={}"],
        ["--index", "nowhere", "query", "лис*", "--json", "--index", "{}"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("named", [None, "elsewhere"])
def test_index_may_be_named_before_or_after_the_command(
    index: Path, args: list[str], named: str | None
) -> None:
    """The nearer one counts, and either counts for more than the environment."""
    answer = run(*[arg.format(index) for arg in args], env={"SEARCHKIT_INDEX": named})
    assert (answer.code, len(found(answer)), answer.err) == (0, 3, "")


def test_index_may_be_named_by_the_environment(index: Path) -> None:
    answer = run("query", "лис*", "--json", env={"SEARCHKIT_INDEX": str(index)})
    assert (answer.code, len(found(answer)), answer.err) == (0, 3, "")


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (["rebuild", "here"], {"SEARCHKIT_CORPUS": "elsewhere"}),
        (["rebuild", "here", "--corpus", "elsewhere"], {}),
        (["rebuild", "--corpus", "here"], {"SEARCHKIT_CORPUS": "elsewhere"}),
        (["--corpus", "here", "rebuild"], {}),
        (["--corpus", "here", "rebuild"], {"SEARCHKIT_CORPUS": "elsewhere"}),
        (["--corpus", "elsewhere", "rebuild", "--corpus", "here"], {}),
        (["rebuild"], {"SEARCHKIT_CORPUS": "here"}),
        (["index"], {"SEARCHKIT_CORPUS": "here"}),
    ],
    ids=str,
)
def test_corpus_may_be_named_in_every_way(args: list[str], env: dict[str, str]) -> None:
    for name in ("here", "elsewhere"):
        Path(name).mkdir()
        Path(name, f"{name}.txt").write_text("Лис\n\nЛис утік.", encoding="utf-8")
    assert run(*args, env=env)[:2] == (0, "")
    assert found(run("query", "лис", "--json", "--index", "index")) == ["here"]


def test_the_first_query_in_a_fresh_folder_builds_the_index() -> None:
    """Where neither index nor corpus was named; it says so on standard error, once."""
    Path("corpus").mkdir()
    Path("corpus", "fox.txt").write_text("date 2025-09-24 Лис\n\nЛис утік.", encoding="utf-8")
    code, out, err = run("query", "лиса")
    assert (code, out) == (0, "1. Лис\n   2025-09-24 · fox\n   Лис утік.\n\n")
    assert re.fullmatch(
        r"There is no index yet: building it from corpus/\.\n"
        r"1 article \(1 new, 0 changed, 0 gone\), generation 000001, \d+\.\d s\.\n"
        r"1 article matches\.\n",
        err,
    )
    assert run("query", "лиса") == (code, out, "1 article matches.\n")


def test_a_first_build_leaves_standard_output_to_the_data() -> None:
    Path("corpus").mkdir()
    Path("corpus", "fox.txt").write_text("Лис\n\nЛис утік.", encoding="utf-8")
    assert found(run("query", "лиса", "--json")) == ["fox"]


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (["query", "лис", "--index", "nowhere"], {}),
        (["query", "лис", "--index", "index"], {}),
        (["--index", "nowhere", "query", "лис"], {}),
        (["query", "лис"], {"SEARCHKIT_INDEX": "nowhere"}),
        (["query", "лис", "--corpus", "corpus"], {}),
        (["query", "лис"], {"SEARCHKIT_CORPUS": "corpus"}),
        (["show", "fox"], {}),
        (["stats"], {}),
        (["rollback"], {}),
    ],
    ids=str,
)
def test_a_missing_index_is_an_error_where_it_or_its_corpus_was_named(
    args: list[str], env: dict[str, str]
) -> None:
    """Nothing is built, and nothing is left behind."""
    Path("corpus").mkdir()
    Path("corpus", "fox.txt").write_text("Лис\n\nЛис утік.", encoding="utf-8")
    name = "nowhere" if "nowhere" in [*args, *env.values()] else "index"
    message = f"Error: There is no index in {name!r}; build it with `searchkit rebuild`.\n"
    assert run(*args, env=env) == (3, "", message)
    assert not Path(name).exists()


@pytest.mark.parametrize("corpus", [[], ["corpus"], ["corpus/.hidden", "corpus/2025"]])
def test_without_articles_there_is_no_first_build(corpus: list[str]) -> None:
    """An empty folder is no corpus: it is the index that is missing."""
    for folder in corpus:
        Path(folder).mkdir(parents=True)
    message = "Error: There is no index in 'index'; build it with `searchkit rebuild`.\n"
    assert run("query", "лис") == (3, "", message)


# -- index, rebuild, rollback -------------------------------------------------------------------


def without_seconds(text: str) -> str:
    return re.sub(r"\d+\.\d s\.", "N s.", text)


def test_index_tells_on_standard_error_what_it_did(make_corpus: MakeCorpus) -> None:
    """What was new, what changed, what has gone, what was bad, what was passed over."""
    folder = make_corpus(
        {
            "fox.txt": "Лис\n\nЛис утік.",
            "hen.txt": "Курка\n\nКурка сидить.",
            "bad.jsonl": '{"text": "Кіт"}\n{"text": 7}\n',
            "README.md": "# Архів",
        }
    )
    told = (
        f"Skipped {folder}/bad.jsonl, line 2: 'text' is not a text\n"
        "{}, N s.\n"
        "1 bad record skipped; --strict makes the first one fatal.\n"
        "1 file of other formats passed over.\n"
    )
    code, out, err = run("index", folder)
    first = "3 articles (3 new, 0 changed, 0 gone), generation 000001"
    assert (code, out, without_seconds(err)) == (0, "", told.format(first))

    code, out, err = run("index", folder)
    same = "3 articles (0 new, 0 changed, 0 gone), generation 000001"
    assert (code, out, without_seconds(err)) == (0, "", told.format(same))

    (folder / "fox.txt").unlink()
    make_corpus({"hen.txt": "Курка\n\nКурка спить.", "a.txt": "А\n\nа", "b.txt": "Б\n\nбе"})
    code, out, err = run("index", folder)
    changed = "4 articles (2 new, 1 changed, 1 gone), generation 000002"
    assert (code, out, without_seconds(err)) == (0, "", told.format(changed))


def test_rebuild_and_rollback_switch_generations(make_corpus: MakeCorpus) -> None:
    for number, text in enumerate(("Лис утік.", "Лис прийшов.", "Лис спить."), 1):
        code, out, err = run("rebuild", make_corpus({"fox.txt": f"Лис\n\n{text}"}))
        told = f"1 article (1 new, 0 changed, 0 gone), generation 00000{number}, N s.\n"
        assert (code, out, without_seconds(err)) == (0, "", told)
    assert run("rollback") == (0, "", "Generation 000002 is live again.\n")
    assert "Лис прийшов." in run("query", "лис").out
    message = "Error: There is no earlier generation in 'index' to roll back to.\n"
    assert run("rollback") == (3, "", message)


@pytest.mark.parametrize("command", ["index", "rebuild"])
def test_a_corpus_may_come_on_standard_input(command: str) -> None:
    lines = '{"id": "fox", "text": "Лис утік."}\n{"id": "hen"}\n{"id": "cat", "text": "Кіт."}\n'
    code, out, err = run(command, "-", input=lines)
    assert (code, out, without_seconds(err)) == (
        0,
        "",
        (
            "Skipped standard input, line 2: has no text\n"
            "2 articles (2 new, 0 changed, 0 gone), generation 000001, N s.\n"
            "1 bad record skipped; --strict makes the first one fatal.\n"
        ),
    )
    assert found(run("query", "лиси", "--json")) == ["fox"]


@pytest.mark.parametrize("command", ["index", "rebuild"])
def test_strict_makes_the_first_bad_record_fatal(command: str, make_corpus: MakeCorpus) -> None:
    folder = make_corpus({"a.jsonl": '{"text": "Лис"}\n\n{"text": "Лис"\n{"text": 7}\n'})
    code, out, err = run(command, folder, "--strict")
    assert (code, out) == (2, "")
    assert re.fullmatch(
        rf"Error: {re.escape(str(folder))}/a\.jsonl, line 3: broken JSON: .*\n", err
    )
    assert run("query", "лис", "--index", "index").code == 3


def test_a_byte_of_a_name_that_is_not_utf8_is_shown(make_corpus: MakeCorpus) -> None:
    folder = make_corpus({"c\udcff.txt": ""})
    _, _, err = run("rebuild", folder)
    assert "c\ufffd.txt: is empty" in err


def test_what_is_typed_is_utf8_whatever_the_locale(make_corpus: MakeCorpus) -> None:
    run("rebuild", make_corpus({"a.txt": "Лис\n\nЛис спить."}))
    plain = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"}
    with start("query", "лисом", "--jsonl", env=plain) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["id"] == "a"


@pytest.mark.parametrize("command", ["index", "rebuild"])
def test_a_corpus_without_articles_is_refused(command: str, make_corpus: MakeCorpus) -> None:
    folder = make_corpus({"README.md": "# Порожньо"})
    message = (
        f"Error: {str(folder)!r} holds no article, only what is not read"
        " (.txt, .jsonl, .json and .csv are); the index is left as it was."
    )
    message += " If that is how it should be, say --force.\n"
    assert run(command, folder) == (2, "", message)
    message = "Error: There is no corpus at 'nowhere'; name a folder or file of articles.\n"
    assert run(command, "nowhere") == (2, "", message)


# -- show, stats, analyze -----------------------------------------------------------------------


def test_show_prints_the_whole_article(index: Path) -> None:
    assert run("show", "hen", "--index", index) == (
        0,
        "Курка й лисиця\n2024-05 · hen\n\nКурка кличе лисицю на переговори.\n\nЛисиця не йде.\n",
        "",
    )
    assert run("show", "cat", "--index", index).out == "2011 · cat\n\nКіт спить, а лисиця ні.\n"


@pytest.mark.parametrize(
    ("query", "title_spans", "text_spans"),
    [
        ([], [], []),
        (["лисиці"], [[0, 6]], [[0, 6]]),
        (["переговорів Києва"], [[9, 14]], [[26, 36]]),
        (["бегемот"], [], []),
    ],
)
def test_show_as_json_has_every_field_and_the_marks(
    index: Path, query: list[str], title_spans: list[list[int]], text_spans: list[list[int]]
) -> None:
    code, out, err = run("show", "fox", *query, "--json", "--index", index)
    marks = {"title_spans": title_spans, "text_spans": text_spans}
    assert (code, json.loads(out), err) == (0, ARTICLES[0] | marks, "")


def test_show_says_how_a_mended_query_was_read(index: Path) -> None:
    assert run("show", "cat", '"лисиця', "--index", index).err == "Read as: лисиця\n"
    assert run("show", "cat", "🦊", "--index", index).err == "Read as: nothing to look for\n"
    assert run("show", "cat", "лисиця", "--index", index).err == ""


@pytest.mark.parametrize("article_id", ["fo", "foxy", "FOX", "", "лис", "\x1b[31m", "\udcff"])
def test_show_says_that_no_article_has_the_id(index: Path, article_id: str) -> None:
    code, out, err = run("show", "--index", index, "--", article_id)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"No article has the id '.*'\.\n", err)
    assert "\x1b" not in err


def test_stats_describe_the_index(index: Path) -> None:
    code, out, err = run("stats", "--json", "--index", index)
    stats = json.loads(out)
    assert (code, err) == (0, "")
    expected: dict[str, Any] = {"articles": 4, "words": 23, "dated": 3, "rejected": 0}
    expected |= {"index": str(index), "generation": "000001", "live": "000001", "previous": None}
    assert {name: stats[name] for name in expected} == expected
    assert {"bytes", "built", "corpus", "from", "to", "format", "chain", "version"} <= stats.keys()
    assert 0 <= stats["age"] < 600
    assert stats["bytes"] > sum(stats["files"].values()) > stats["files"]["segment-000001.arrays"]
    code, out, err = run("stats", "--index", index)
    assert (code, err) == (0, "")
    names = [name for name, value in stats.items() if value is not None]
    assert [line.partition(": ")[0] for line in out.splitlines()] == names
    assert "articles: 4\n" in out
    assert "wordlist: none\n" in out
    assert re.search(r"^age: \d+ s$", out, re.MULTILINE)
    assert "None" not in out


LINES = ["у Києві", "", "  Онлайн-переговори — 24.02.2022!", "🦊 п'ять п’ять", "x\ty"]


def test_analyze_prints_one_object_a_line() -> None:
    """Each with the words of that line; `text` is what stands at the offsets."""
    code, out, err = run("analyze", "--json", input="\n".join(LINES) + "\n")
    objects = [json.loads(line) for line in out.splitlines()]
    assert (code, err, len(objects)) == (0, "", len(LINES))
    assert objects[0] == {
        "tokens": [
            {"text": "у", "start": 0, "end": 1, "lemmas": ["у", "в"]},
            {"text": "Києві", "start": 2, "end": 7, "lemmas": ["київ", "кий"]},
        ]
    }
    words = [[token["text"] for token in analyzed["tokens"]] for analyzed in objects]
    assert words == [
        ["у", "Києві"],
        [],
        ["Онлайн-переговори", "24.02.2022"],
        ["п'ять", "п’ять"],
        ["x", "y"],
    ]
    for line, analyzed in zip(LINES, objects, strict=True):
        for token in analyzed["tokens"]:
            assert token["text"] == line[token["start"] : token["end"]]
            assert token["lemmas"]


def test_analyze_puts_the_lemma_first_that_is_meant_in_its_line() -> None:
    """The neighbours tell; the other terms by which a word is found stand behind."""
    out = run("analyze", "--json", input="Батько має право.\nВін бере старий замок.\n").out
    lines = [[token["lemmas"] for token in json.loads(line)["tokens"]] for line in out.splitlines()]
    assert [[lemmas[0] for lemmas in line] for line in lines] == [
        ["батько", "мати", "право"],
        ["він", "брати", "старий", "замок"],
    ]
    assert "бер" in lines[1][1]


def test_analyze_reads_its_argument_like_standard_input() -> None:
    text = "\n".join(LINES)
    assert run("analyze", text, "--json") == run("analyze", "--json", input=text)
    assert run("analyze", text) == run("analyze", input=text)


def test_analyze_reads_lines_of_any_convention() -> None:
    for text in ("мир\r\nсніг\r\n", "мир\nсніг"):
        objects = [
            json.loads(line) for line in run("analyze", "--json", input=text).out.split("\n")[:-1]
        ]
        assert [analyzed["tokens"][0]["text"] for analyzed in objects] == ["мир", "сніг"]


def test_analyze_prints_a_word_a_line_for_people() -> None:
    assert run("analyze", "у Києві") == (0, "0–1\tу\tу, в\n2–7\tКиєві\tкиїв, кий\n", "")
    assert run("analyze", "") == (0, "", "")
    assert run("analyze", "", "--json") == (0, '{"tokens": []}\n', "")


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["query", "лис", "--since", "вчора"], "'вчора' is not a date; write 2025, 2025-09 or"),
        (["query", "лис", "--until", "2025-13"], "'2025-13' is not a date: "),
        (["query", "лис", "--since", ""], "'' is not a date; write 2025"),
        (["query"], "Missing argument 'QUERY...'."),
        (["query", "лис", "--limit", "-1"], "Invalid value for '--limit' / '-n': '-1' is not a w"),
        (
            ["query", "лис", "--limit", "багато"],
            "Invalid value for '--limit' / '-n': 'багато' is not a whole number from 0 on.\n",
        ),
        (["query", "лис", "--offset", "-1"], "Invalid value for '--offset'"),
        (["query", "лис", "--passages", "-1"], "Invalid value for '--passages'"),
        (["query", "лис", "--sort", "newest"], "Invalid value for '--sort'"),
        (["query", "лис", "--xml"], "No such option"),
        (["query", "лис", "-x"], "No such option"),
        (["query", "лис", "-5"], "No such option"),
        (["query", "лис", "--json", "--csv"], "--json and --csv exclude each other; name one of "),
        (["query", "лис", "--csv", "--jsonl"], "--jsonl and --csv exclude each other; name one "),
        (["query", "лис", "--index", ""], "Invalid value for '--index': It is empty; name a "),
        (["stats", "--index="], "Invalid value for '--index': It is empty; name a "),
        (["rebuild", "--corpus", ""], "Invalid value for '--corpus': It is empty; name a "),
        (["rebuild", ""], "Invalid value for '[CORPUS]': It is empty; name a "),
        (["index", "--jobs", "0"], "Invalid value for '--jobs': '0' is not a whole number from 1"),
        (["show"], "Missing argument 'ID'."),
        (["index", "a", "b"], "Got unexpected extra argument"),
        (["find", "лис"], "No such command 'find'."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_named_and_exits_with_2(
    index: Path, args: list[str], message: str
) -> None:
    code, out, err = run("--index", index, *args)
    assert (code, out) == (2, "")
    assert f"Error: {message}" in err


def truncate(index: Path) -> None:
    (file,) = (index / "000001").glob("segment-*.arrays")
    file.write_bytes(file.read_bytes()[:-10])


def write_other_version(index: Path) -> None:
    manifest = index / "000001" / "generation.json"
    told = json.loads(manifest.read_text(encoding="utf-8"))
    del told["checksum"]
    manifest.write_text(sealed(told | {"format": 0}), encoding="utf-8")


@pytest.mark.parametrize("command", [["query", "лис"], ["show", "fox"], ["stats"]], ids=str)
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda index: (index / "live.json").write_text("{", "utf-8"),
            "live.json is damaged between bytes 0 and 1; ",
        ),
        (truncate, "segment-000001.arrays is damaged at byte "),
        (write_other_version, "was built by another version of searchkit (format 0, "),
    ],
    ids=["pointer", "segment", "version"],
)
def test_an_index_that_cannot_be_used_exits_with_3(
    make_corpus: MakeCorpus, command: list[str], damage: Callable[[Path], None], message: str
) -> None:
    """One sentence says why, and what to do; doing it helps."""
    folder = make_corpus({"fox.txt": "Лис\n\nЛис утік."})
    run("rebuild", folder)
    damage(Path("index"))
    code, out, err = run(*command)
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert err.startswith("Error: ")
    assert message in err
    assert "`searchkit rebuild`" in err
    assert run("rebuild", folder).code == 0
    assert run(*command).code == 0


@pytest.mark.parametrize(
    "command", [["index", "corpus"], ["rebuild", "corpus"], ["rollback"]], ids=str
)
def test_an_index_that_is_being_written_exits_with_3(
    make_corpus: MakeCorpus, command: list[str]
) -> None:
    run("rebuild", make_corpus({"fox.txt": "Лис\n\nЛис утік."}))
    with Generations("index").writing():
        code, out, err = run(*command)
        assert run("query", "лис").code == 0
    assert (code, out) == (3, "")
    assert re.fullmatch(
        rf"Error: The index in 'index' is being written by process {os.getpid()} on .* since .*;"
        r" wait until it is done\.\n",
        err,
    )


def test_an_index_at_a_url_exits_with_3() -> None:
    url = "opensearch://localhost:9200/news"
    message = f"Error: {url} is a URL; this version reads indexes in folders only.\n"
    assert run("query", "лис", "--index", url) == (3, "", message)


def test_a_file_in_place_of_a_folder_exits_with_3() -> None:
    Path("index").write_text("Це не тека.", encoding="utf-8")
    code, out, err = run("query", "лис", "--index", "index")
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert err.startswith("Error: ")


# -- terminals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "args",
    [
        ["query", "лисиця"],
        ["query", "лисиця", "--explain"],
        ["show", "fox", "лисиця"],
        ["stats"],
        ["query", "--help"],
    ],
    ids=" ".join,
)
def test_what_is_no_terminal_gets_no_colours(index: Path, args: list[str]) -> None:
    answer = run(*args, "--index", index)
    assert answer.code == 0
    assert "\x1b" not in answer.out + answer.err


def test_on_a_terminal_the_words_that_match_are_bold(index: Path) -> None:
    for args in (["query", "--limit", "1", "лисиці"], ["show", "hen", "лисиці"]):
        out = run(*args, "--index", index, color=True).out
        assert re.findall("\x1b\\[1m(.*?)\x1b\\[0m", out) == ["лисиця", "лисицю", "Лисиця"]
        plain = re.sub("\x1b\\[[01]m", "", out)
        assert plain == run(*args, "--index", index).out
        assert run(*args, "--index", index, color=True, env={"NO_COLOR": "1"}).out == plain


def test_titles_and_ids_take_one_line(make_corpus: MakeCorpus) -> None:
    record = {"id": "fox\nhen", "title": "Лис\nутік", "text": "Лис утік.", "source": "а\nб"}
    untitled = {"id": "x\ny", "text": "Лис."}
    lines = "".join(json.dumps(each) + "\n" for each in (record, untitled))
    Archive.build(make_corpus({"a.jsonl": lines}), "index")
    out = run("query", "лис", "--index", "index").out
    assert "1. Лис утік\n   а б · fox hen\n   Лис утік.\n" in out
    assert "2. x y\n   x y\n   Лис.\n" in out
    assert run("show", "fox\nhen").out == "Лис утік\nа б · fox hen\n\nЛис утік.\n"
    assert run("show", "a\nb").err == "No article has the id 'a b'.\n"


HOSTILE = "\x1b[31m\x1b]0;назва\x07\x08\x7f\x9b2J\r\t\u202e\u2066"


@pytest.fixture
def hostile(make_corpus: MakeCorpus) -> Path:
    """Articles that would steer a terminal, in every field, and one in its id alone."""
    names = ("title", "source", "section", "author")
    fields: dict[str, Any] = dict.fromkeys(names, f"лис{HOSTILE}")
    record = {"id": f"fox{HOSTILE}", "text": f"Лис{HOSTILE} утік."} | fields
    untitled = {"id": f"hen{HOSTILE}hen", "text": "Лис і курка."}
    lines = "".join(json.dumps(each) + "\n" for each in (record, untitled))
    Archive.build(make_corpus({"a.jsonl": lines}), "index")
    return Path("index")


def steering(text: str) -> list[str]:
    """The characters of a text that steer a terminal; a line feed is welcome."""
    return [
        char for char in text if char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs")
    ]


@pytest.mark.parametrize(
    "args",
    [
        ["query", "лис"],
        ["query", "лис", "--explain", "--passages", "0"],
        ["query", "курка"],
        ["query", f'"лис{HOSTILE}утік'],
        ["show", f"fox{HOSTILE}".strip(), "лис"],
        ["show", f"hen{HOSTILE}hen"],
        ["show", f"nobody{HOSTILE}"],
        ["analyze", f"лис{HOSTILE}"],
    ],
    ids=ascii,
)
def test_people_are_shown_nothing_that_steers_their_terminal(
    hostile: Path, args: list[str]
) -> None:
    named = [] if args[0] == "analyze" else ["--index", str(hostile)]
    answer = run(*args, *named, color=True)
    assert answer.code == ("nobody" in args[1])
    bold_apart = re.sub("\x1b\\[[01]m", "", answer.out)
    columns = "\t" if args[0] == "analyze" else ""
    assert [char for char in steering(bold_apart + answer.err) if char not in columns] == []


@pytest.mark.skipif(os.name == "nt", reason="there no file can have such a name")
@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_the_name_of_a_bad_file_does_not_steer_the_terminal(
    make_corpus: MakeCorpus, strict: list[str]
) -> None:
    folder = make_corpus({"\x1b[31mfox.txt": "", "hen.txt": "Курка\n\nКурка сидить."})
    answer = run("rebuild", folder, *strict, color=True)
    assert steering(answer.err) == []
    assert "fox.txt: is empty" in answer.err


@pytest.mark.parametrize(
    "title",
    [
        "Лис, курка",
        'Лис «рудий» і "сірий"',
        "Лис\nутік",
        "Лис\rутік",
        "Лис\tутік",
        "=1+1",
        "\x1b[31mЛис\x1b[0m",
        "\u202eЛис\x07",
    ],
    ids=ascii,
)
def test_programs_are_given_the_text_as_it_is(make_corpus: MakeCorpus, title: str) -> None:
    record = {"id": "fox", "text": "Лис утік.", "title": title}
    Archive.build(make_corpus({"a.json": json.dumps(record)}), "index")
    for form in ("--json", "--jsonl"):
        hit = json.loads(run("query", "утік", form, "--index", "index").out)
        assert hit.get("hits", [hit])[0]["title"] == title
    answer = run("query", "утік", "--csv", "--index", "index")
    rows = list(csv.DictReader(io.StringIO(answer.out, newline="")))
    assert [(row["id"], row["title"]) for row in rows] == [("fox", title)]


# -- help ---------------------------------------------------------------------------------------

COMMANDS = {name: command for name, command in main.commands.items() if not command.hidden}


def test_the_commands_are_those_of_the_contract() -> None:
    assert {"index", "rebuild", "rollback", "query", "show", "analyze", "stats"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_an_example_that_works(name: str) -> None:
    """It names the command, and every example can be parsed."""
    *_, last = inspect.cleandoc(COMMANDS[name].help or "").split("\n\n")
    assert re.match(r"(\x08\n)?Examples?:", last)
    examples = re.findall(r"searchkit (.*)", last)
    assert examples
    for example in examples:
        first, *args = shlex.split(example)
        assert first == name
        with click.Context(main, **main.context_settings) as parent:
            COMMANDS[name].make_context(name, args, parent=parent)
        assert example in run(name, "--help").out
    assert run(name, "-h") == run(name, "--help")


def test_the_programs_own_help_shows_an_example_and_every_command() -> None:
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert out.rstrip().splitlines()[-1].strip().startswith("Example: searchkit query ")
    assert [name for name in COMMANDS if f"\n  {name} " not in out] == []


# -- as a process -------------------------------------------------------------------------------


def test_the_program_works_from_end_to_end(make_corpus: MakeCorpus) -> None:
    folder = make_corpus({"fox.txt": "date 2025-09-24 Лис\n\nЛис утік."})
    with start("rebuild", folder) as process:
        out, err = process.communicate()
    assert (process.returncode, out) == (0, b"")
    assert err.decode().startswith("1 article (1 new, ")
    assert b"\r" not in err
    with start("query", "лиси", "--json") as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert [hit["id"] for hit in json.loads(out)["hits"]] == ["fox"]
    with start("query", "бегемот") as process:
        assert process.communicate() == (b"", b"No article matches.\n")
    assert process.returncode == 1


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1251"])
def test_texts_are_utf8_whatever_the_system_thinks(encoding: str) -> None:
    """Also what comes on standard input."""
    with start("analyze", "--json", env=os.environ | {"PYTHONIOENCODING": encoding}) as process:
        out, err = process.communicate("у Києві\n".encode())
    assert (process.returncode, err) == (0, b"")
    assert [token["text"] for token in json.loads(out)["tokens"]] == ["у", "Києві"]


def test_input_that_is_not_utf8_is_no_traceback() -> None:
    env = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    with start("analyze", "--json", env=env) as process:
        _, err = process.communicate("мир у Києві\n".encode("cp1251"))
    assert b"Traceback" not in err


def test_a_reader_that_goes_away_is_no_traceback(index: Path) -> None:
    """As in `searchkit query … | head`."""
    read, write = os.pipe()
    os.close(read)
    with start("query", "лис*", "--index", index, stdout=write) as process:
        os.close(write)
        _, err = process.communicate()
    assert (process.returncode, err) == (141, b"")


no_such_files = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")


@no_such_files
@pytest.mark.parametrize("args", [["query", "лис*", "--index", "{}"], ["--help"]], ids=" ".join)
def test_an_answer_that_cannot_be_written_is_said_to_be_so(index: Path, args: list[str]) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        start(*[arg.format(index) for arg in args], stdout=full) as process,
    ):
        _, err = process.communicate()
    told = b"Error: The output could not be written: No space left on device.\n"
    assert (process.returncode, err) == (2, told)


SHELL = f"{shlex.quote(sys.executable)} -m searchkit"


@no_such_files
@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize(
    ("command", "code"),
    [("query лис\\*", 0), ("query бегемот", 1), ("query --xml", 2), ("index nowhere", 2)],
)
def test_a_closed_or_full_standard_error_changes_no_exit_code(
    index: Path, command: str, redirected: str, code: int
) -> None:
    line = f"{SHELL} --index {shlex.quote(str(index))} {command} {redirected}"
    answer = subprocess.run(["sh", "-c", line], capture_output=True, check=False)
    assert (answer.returncode, answer.stderr) == (code, b"")
    assert bool(answer.stdout) == (code == 0)


@pytest.mark.skipif(os.name == "nt", reason="there is no such shell")
def test_analyze_without_standard_input_asks_for_a_text() -> None:
    line = f"{SHELL} analyze <&-"
    answer = subprocess.run(["sh", "-c", line], capture_output=True, check=False)
    told = 'Error: There is no text; name it: searchkit analyze "у Києві".\n'
    assert (answer.returncode, answer.stdout, answer.stderr.decode()) == (2, b"", told)


@pytest.mark.parametrize("command", ["index", "rebuild"])
def test_the_number_of_processes_may_be_named(make_corpus: MakeCorpus, command: str) -> None:
    folder = make_corpus({"fox.txt": "Лис\n\nЛис утік."})
    for jobs in ("1", "2"):
        assert run(command, folder, "--jobs", jobs).code == 0
    assert found(run("query", "лиса", "--json", "--index", "index")) == ["fox"]


def test_ctrl_c_while_the_program_starts_is_no_traceback(tmp_path: Path) -> None:
    """A module that it imports stands for the moment."""
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    with start("query", "лис", env=os.environ | {"PYTHONPATH": path}) as process:
        assert process.communicate() == (b"", b"")
    assert process.returncode == 130


def test_ctrl_c_while_a_build_starts_is_told_as_later(tmp_path: Path) -> None:
    (tmp_path / "hashlib.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    with start("rebuild", "news", env=os.environ | {"PYTHONPATH": path}) as process:
        told = b"Error: Stopped; the index is left as it was.\n"
        assert process.communicate() == (b"", told)
    assert process.returncode == 130


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is no signal there")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
@pytest.mark.parametrize("is_logged", [False, True], ids=["", "log"])
def test_a_signal_stops_a_build_in_one_sentence(
    number: signal.Signals, code: int, *, is_logged: bool
) -> None:
    # Of tests that a shell runs in the background, Ctrl-C is ignored, and of what they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = start("rebuild", "-", *["--log-json"][:is_logged])
    signal.signal(signal.SIGINT, before)
    with process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(b"{}\n" + b" " * 100_000)
        process.stdin.flush()
        assert b"has no text" in process.stderr.readline()
        process.send_signal(number)
        _, err = process.communicate()
    told = "Stopped; the index is left as it was."
    assert process.returncode == code
    if is_logged:
        [line] = map(json.loads, err.splitlines())
        assert (line["step"], line["error"], line["exit_code"]) == ("failed", told, code)
    else:
        assert err.decode() == f"Error: {told}\n"
    assert run("query", "лис", "--index", "index").code == 3


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which processes there are")
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["the build", "all of its processes"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_a_build_that_is_stopped_leaves_no_process_and_no_file_behind(
    send: Callable[[int, int], None], number: signal.Signals
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = start("rebuild", "-", "--jobs", "2", start_new_session=True)
    signal.signal(signal.SIGINT, before)
    with process:
        assert process.stdin
        for number_of_line in range(20_000):
            process.stdin.write(b'{"id": "%d", "text": "%s"}\n' % (number_of_line, b"fox " * 500))
            if workers := processes_of(process.pid):
                break
        send(process.pid, number)
        _, err = process.communicate()  # which closes what is read no more, without an error
        assert err.decode() == "Error: Stopped; the index is left as it was.\n"
    while any(map(is_running, workers)):  # one that has just been started notices it by itself
        time.sleep(0.01)
    assert [path.name for path in Path("index").iterdir()] == [".lock"]


def processes_of(parent: int) -> list[int]:
    """Return the numbers of the processes that another one has started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8")
    return list(map(int, children.split()))


@pytest.mark.skipif(os.name == "nt", reason="it is no signal there")
def test_a_program_that_runs_the_command_decides_itself_what_sigterm_does(index: Path) -> None:
    def own(*_: object) -> None: ...

    before = signal.signal(signal.SIGTERM, own)
    try:
        assert CliRunner().invoke(main, ["query", "лисиці", "--index", str(index)]).exit_code == 0
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")
@pytest.mark.parametrize(("env", "bold"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_real_terminal_is_coloured_unless_it_is_told_not_to_be(
    index: Path, env: dict[str, str], *, bold: bool
) -> None:
    terminal, other_end = os.openpty()
    with start(
        *("query", "лисиці", "--limit", "1", "--index", index),
        stdout=other_end,
        env=os.environ | {"TERM": "xterm"} | env,
    ) as process:
        _, err = process.communicate()
    out = os.read(terminal, 100_000).decode()
    os.close(terminal)
    os.close(other_end)
    assert (process.returncode, "\x1b[1mлисиця\x1b[0m" in out) == (0, bold)
    assert ("\x1b" in out, "лисиця" in out, b"\x1b" in err) == (bold, True, False)
