"""The program that measures updates: benchmarks/updates.py."""

import re
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parent.parent / "benchmarks" / "updates.py"


def test_a_day_and_a_year_are_measured_beside_rebuilds() -> None:
    few = "--articles 60 --update 5 --turns 1 --days 3 --daily 4 --queries 3".split()
    answer = subprocess.run(
        [sys.executable, str(PROGRAM), *few],
        capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[0].startswith("60 articles, ")
    shapes = [line for line in lines if line.startswith("### 5 new articles, ")]
    assert len(shapes) == 3
    for what in ("rebuild", "update", "update, imported before", "imports and reading"):
        row = rf"\| {what} \|.*%, .*% \|"
        assert sum(bool(re.fullmatch(row, line)) for line in lines) == len(shapes)
    assert any(re.fullmatch("segments: [1-3] at the end, [1-3] at most", line) for line in lines)
    asked = r"\| .* \| [\d.]+, [\d.]+ \| [\d.]+, [\d.]+ \|"
    assert sum(bool(re.fullmatch(asked, line)) for line in lines) == 6  # kinds of queries
