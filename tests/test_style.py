import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    "command", ["ruff check", "ruff format --check", "mypy --no-incremental"], ids=str
)
def test_the_code_passes(command: str) -> None:
    """Style and types are checked like anything else."""
    run = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
