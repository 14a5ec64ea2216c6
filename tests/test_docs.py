import doctest
import importlib
import pkgutil
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from workshop import KINDS

import searchkit
from searchkit import Archive
from searchkit.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = [name for _, name, _ in pkgutil.walk_packages(searchkit.__path__, "searchkit.")]


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples_in_docstrings_hold(name: str) -> None:
    """A docstring that shows a result shows the one that there is."""
    failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


CONSOLE = re.findall(r"```console\n\$ (.+)\n((?:.*\n)*?)```", README)


@pytest.mark.parametrize(("command", "output"), CONSOLE)
def test_commands_of_the_readme_print_what_it_says(
    command: str, output: str, archive: Archive, sample: Path
) -> None:
    """Every example with its output can be repeated on the sample archive."""
    program, *arguments = shlex.split(command)
    assert program == "searchkit"
    if arguments[0] != "analyze":
        arguments += ["--index", str(archive.index.generation.parent)]
    answer = subprocess.run(
        [sys.executable, "-m", program, *arguments], capture_output=True, check=True, cwd=sample
    )
    assert answer.stdout.decode().rstrip("\n") == output.rstrip("\n")


QUERIES = README.split("## What you can ask")[1].split("\n## ")[0]


@pytest.mark.parametrize("query", re.findall(r"^\| `(.+?)` \|", QUERIES, re.MULTILINE))
def test_queries_of_the_readme_find_something(query: str, archive: Archive) -> None:
    """Every row of its table can be tried on the sample archive."""
    assert archive.search(query).total >= 1


def test_python_of_the_readme_runs(sample: Path, tmp_path: Path) -> None:
    """The example prints as many articles as there are."""
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "corpus").symlink_to(sample)
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path, text=True
    )
    total, *hits = answer.stdout.splitlines()
    assert int(total) >= len(hits) == 3


def test_the_table_of_faults_has_every_kind_and_nothing_is_lost_or_wrong() -> None:
    """It is printed at the end of the tests."""
    rows = re.findall(r"^\| (.+) \| ([\d,]+) \| (\d+) \| (\d+) \|$", README, re.MULTILINE)
    assert [what for what, *_ in rows] == list(KINDS.values())
    assert all(tried != "0" and lost == wrong == "0" for _, tried, lost, wrong in rows)


def test_files_that_the_readme_lists_exist() -> None:
    """The table of files in reading order names files."""
    listed = re.findall(r"^\| `(searchkit/[\w/.]+)`", README, re.MULTILINE)
    assert len(listed) >= 9
    assert [name for name in listed if not (ROOT / name).exists()] == []


def test_every_module_has_a_place_on_the_map() -> None:
    """docs/architecture.md speaks of every module that does something."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    modules = {path.name for path in (ROOT / "searchkit").glob("*.py")}
    unnamed = {"__init__.py", "__main__.py", "article.py", "dates.py", "errors.py"}
    assert {name for name in modules - unnamed if f"`{name}" not in text} == set()


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_has_help_with_an_example(name: str) -> None:
    """The help of a command says what it does and shows it."""
    # with the settings of the whole, since click keeps the help option that it makes first
    context = click.Context(
        main.commands[name], info_name=f"searchkit {name}", **main.context_settings
    )
    text = main.commands[name].get_help(context)
    assert f"searchkit {name}" in text.split("Example", 1)[1]
