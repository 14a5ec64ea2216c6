"""The workshop in which faults are tried, and the count of what came of them."""

import sys
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from faults import Server, compile_shim
from hypothesis import HealthCheck, settings
from workshop import KINDS, Some, Tally, Workshop


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="Try every fault, not a sample.")


def pytest_configure(config: pytest.Config) -> None:
    """Tell hypothesis, too, before the tests are imported; and never to mind a slow machine."""
    slow: dict[str, Any] = {
        "deadline": None,
        "suppress_health_check": [HealthCheck.too_slow],  # its table of all characters takes long
    }
    settings.register_profile("some", **slow)
    settings.register_profile("whole", max_examples=1_000, **slow)
    settings.load_profile("whole" if is_whole(config) else "some")


def is_whole(config: pytest.Config) -> bool:
    """Tell whether every fault shall be tried."""
    return bool(config.getoption("--whole", default=False))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Count faults; at the end of the test nothing may be lost, wrong or amiss."""
    kind = request.node.get_closest_marker("fault").args[0]
    assert kind in KINDS
    count = Tally()
    yield count
    found = count.lost, count.wrong, count.amiss
    request.node.user_properties.append(("fault", (kind, count.tried, *map(len, found))))
    assert count.tried
    assert found == ([], [], [])


@pytest.fixture
def some(request: pytest.FixtureRequest) -> Some:
    """Take so many of many faults, the same ones each time; all of them with --whole."""
    random = Random(request.node.name)

    def taken(every: Sequence[Any], count: int) -> Sequence[Any]:
        if is_whole(request.config) or len(every) <= count:
            return every
        return random.sample(every, count)

    return taken


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """The fork server under the shim, on Linux, where there is a C compiler."""
    folder = tmp_path_factory.mktemp("faults").resolve()
    if sys.platform != "linux":
        pytest.skip("the shim is for Linux")
    try:
        shim = compile_shim(folder)
    except FileNotFoundError:
        pytest.skip("the shim needs a C compiler")
    with Server(shim, folder) as server:
        yield Workshop(server, folder)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the README's table."""
    counts = {kind: [0, 0, 0] for kind in KINDS}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "fault" and getattr(report, "when", "") == "teardown":
                    kind, tried, lost, wrong, _ = value
                    counts[kind] = [
                        a + b for a, b in zip(counts[kind], (tried, lost, wrong), strict=True)
                    ]
    if not any(tried for tried, _, _ in counts.values()):
        return
    terminalreporter.section("faults" if is_whole(config) else "faults: a sample")
    terminalreporter.write_line("| fault | tried | answers lost | wrong answers |")
    terminalreporter.write_line("|---|--:|--:|--:|")
    for kind, sentence in KINDS.items():
        tried, lost, wrong = counts[kind]
        terminalreporter.write_line(f"| {sentence} | {tried:,} | {lost} | {wrong} |")
