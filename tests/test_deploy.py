"""The files and commands of docs/operations.md."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from searchkit import Archive
from searchkit.cli import main

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
UNITS = sorted((ROOT / "deploy").iterdir())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        shutil.copy(unit, tmp_path)
    answer = subprocess.run(
        ["systemd-analyze", "verify", *(tmp_path / unit.name for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    own = [line for line in answer.stderr.splitlines() if "searchkit" in line]
    assert [line for line in own if "not executable" not in line] == []


def test_the_page_names_the_units() -> None:
    for unit in UNITS:
        assert f"](../deploy/{unit.name})" in PAGE


@pytest.mark.parametrize("command", re.findall(r"^\$ (searchkit .+)$", PAGE, re.MULTILINE))
def test_commands_of_the_page_can_be_given(command: str, sample: Path, tmp_path: Path) -> None:
    for _ in range(2):
        Archive.build(sample, tmp_path / "index")
    _, *arguments = shlex.split(command)
    answer = CliRunner().invoke(main, [*arguments, "--index", str(tmp_path / "index")])
    assert answer.exit_code == 0


@pytest.mark.parametrize(
    "command",
    re.findall(r"searchkit rebuild .*? --log-json", "\n".join(u.read_text("utf-8") for u in UNITS))
    + re.findall(r"searchkit rebuild .*? --log-json", PAGE),
)
def test_nightly_commands_build_an_index(command: str, sample: Path, tmp_path: Path) -> None:
    """In folders of this test."""
    folders = {"/srv/news": str(sample), "/var/lib/searchkit": str(tmp_path / "index")}
    _, *arguments = (folders.get(word, word) for word in shlex.split(command))
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert (tmp_path / "index" / "live.json").exists()
