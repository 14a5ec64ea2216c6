"""Whatever strikes a build, the old index or the new one answers, and the next run heals."""

import os
import signal
import time
from collections.abc import Sequence
from errno import EACCES, EIO, ENOSPC, EROFS
from pathlib import Path

import pytest
from disk import ALL, DATA, NAMES, NOTHING_UNSYNCED, ZEROS, Disk, any_of
from faults import Fault, Kind, Operation, Run, Strike
from workshop import Some, Story, Tally, Workshop, is_running, lying

every_story = pytest.mark.parametrize("name", ["first", "rebuild", "update", "rollback"])
nightly = pytest.mark.parametrize("name", ["rebuild", "update"])


def points(story: Story, some: Some, before: int, publishing: int) -> list[int]:
    """Choose operations that change something: so many before publishing begins, so many of it."""
    changes = story.changes()
    begin = sum(1 for n in changes if n < story.publishing())
    return [*some(changes[:begin], before), *some(changes[begin:], publishing)]


def heals(workshop: Workshop, story: Story, folder: Path, tally: Tally, after: str) -> None:
    """Look whether the next run leaves what it always leaves: its answers, no orphans."""
    run = workshop.run(folder, story.next_args)
    tally.check(run.code == 0, f"{after}: the next run ended with {run.code}: {run.err}")
    tally.look(folder / "index", story.healed, after=f"{after} and another run")
    found = lying(folder / "index")
    tally.check(found == story.lying, f"{after}: left behind {sorted(found ^ story.lying)}")


def is_told(run: Run) -> bool:
    """Tell whether a command that failed has said so as it should: exit code and a sentence."""
    lines = run.err.splitlines()
    return run.code in (2, 3) and len(lines) == 1 and lines[0].startswith("Error: ")


@pytest.mark.fault("kill")
@every_story
@pytest.mark.parametrize("strike", [Strike.KILL, Strike.TEAR], ids=lambda strike: strike.name)
def test_a_build_may_be_killed_at_any_operation(
    workshop: Workshop, some: Some, tally: Tally, name: str, strike: Strike
) -> None:
    """Before it or after it; of a write half may have been done."""
    story = workshop.story(name)
    for at in points(story, some, 2, 30 if strike is Strike.KILL else 5):
        after = f"{name}, {strike.name} at {story.operations[at]}"
        folder = workshop.fresh(story)
        run = workshop.run(folder, story.args, Fault(strike, at))
        tally.check(run.code == -9, f"{after}: ended with {run.code}")
        tally.expect(folder / "index", story.old, story.new, after=after)
        heals(workshop, story, folder, tally, after)


@pytest.mark.fault("terminate")
@nightly
def test_a_build_may_be_terminated_at_any_operation(
    workshop: Workshop, some: Some, tally: Tally, name: str
) -> None:
    """SIGTERM is what systemd stops a job with; which index there is then is told as it is."""
    story = workshop.story(name)
    for at in points(story, some, 2, 5):
        after = f"{name}, SIGTERM at {story.operations[at]}"
        folder = workshop.fresh(story)
        run = workshop.run(folder, story.args, Fault(Strike.TERMINATE, at))
        told = {
            "Error: Stopped; the index is left as it was.\n": story.old,
            "Error: Stopped when generation 000003 was already live.\n": story.new,
        }
        is_told = run.code == 143 and run.err in told
        tally.check(is_told, f"{after}: ended with {run.code}: {run.err}")
        tally.expect(folder / "index", told.get(run.err), after=after)
        heals(workshop, story, folder, tally, after)


@every_story
def test_every_operation_is_seen(workshop: Workshop, tmp_path: Path, name: str) -> None:
    """Done once more in memory, they make what lies on the disk, to the byte."""
    story = workshop.story(name)
    folder = workshop.fresh(story)
    disk = Disk(folder)
    for operation in workshop.run(folder, story.args).operations():
        disk.do(operation)
    disk.after(ALL, tmp_path / "done")
    found, seen = (
        {path.relative_to(top): path.read_bytes() for path in top.rglob("*") if path.is_file()}
        for top in (folder, tmp_path / "done")
    )
    assert found == seen


@pytest.mark.fault("power")
@every_story
def test_the_power_may_be_cut_at_any_operation(
    workshop: Workshop, some: Some, tally: Tally, name: str
) -> None:
    """Of what was not synced, names and data, nothing, all or some is there afterwards."""
    story = workshop.story(name)
    last = len(story.operations) - 1
    chosen = {*points(story, some, 2, 8), last}
    disk = Disk(story.folder)
    for at, operation in enumerate(story.operations):
        disk.do(operation)
        every = [NOTHING_UNSYNCED, NAMES, ZEROS, DATA, *map(any_of, (2 * at, 2 * at + 1))]
        survivals = some(every, 4) if at in chosen else ()
        for number, survival in enumerate(survivals):
            after = f"{name}, power cut after {operation}: {survival.name}"
            folder = workshop.fresh()
            folder.rmdir()
            disk.after(survival, folder)
            right = [story.new] if at == last else [story.old, story.new]
            tally.expect(folder / "index", *right, after=after)
            if number == at % len(survivals) or at >= story.publishing():
                heals(workshop, story, folder, tally, after)


GROWING = (Kind.OPEN, Kind.WRITE, Kind.LINK, Kind.MKDIR)
CHANGING = tuple(kind for kind in Kind if kind is not Kind.LOOK)
FAILURES = {
    "disk full for a moment": (ENOSPC, ()),
    "disk full": (ENOSPC, GROWING),
    "I/O error": (EIO, ()),
    "I/O errors": (EIO, CHANGING),
    "read-only": (EROFS, CHANGING),
    "not permitted": (EACCES, CHANGING),
}


@pytest.mark.fault("full")
@nightly
@pytest.mark.parametrize("failure", FAILURES)
def test_any_operation_may_fail(
    workshop: Workshop, some: Some, tally: Tally, name: str, failure: str
) -> None:
    """Whoever cannot write says so and leaves; what is done nonetheless is done whole."""
    story = workshop.story(name)
    error, again = FAILURES[failure]
    for at in some(range(len(story.operations)), 5):
        after = f"{name}, {failure} at {story.operations[at]}"
        folder = workshop.fresh(story)
        run = workshop.run(folder, story.args, Fault(Strike.FAIL, at, error, again))
        tally.check(run.code == 0 or is_told(run), f"{after}: ended with {run.code}: {run.err}")
        right = [story.new] if run.code == 0 else [story.old, story.new]
        tally.expect(folder / "index", *right, after=after)
        heals(workshop, story, folder, tally, after)


@pytest.mark.fault("full")
def test_there_may_be_no_room_for_temporary_files(
    workshop: Workshop, some: Some, tally: Tally
) -> None:
    """The ids of an archive that does not fit into memory are kept in one."""
    story = workshop.story("huge")
    operations = workshop.run_tight(workshop.fresh(story), story.args).operations()
    for at in some(range(len(operations)), 2):
        after = f"no room at {operations[at]}"
        folder = workshop.fresh(story)
        run = workshop.run_tight(folder, story.args, Fault(Strike.FAIL, at, ENOSPC, GROWING))
        tally.check(run.code == 0 or is_told(run), f"{after}: ended with {run.code}: {run.err}")
        right = [story.new] if run.code == 0 else [story.old]
        tally.expect(folder / "index", *right, after=after)
        heals(workshop, story, folder, tally, after)


@pytest.mark.fault("vanish")
@nightly
def test_the_folder_may_vanish_at_any_operation(
    workshop: Workshop, some: Some, tally: Tally, name: str
) -> None:
    """Moved away, it answers as before; in its place the next run builds a new one."""
    story = workshop.story(name)
    for at in some(range(len(story.operations)), 5):
        after = f"{name}, gone at {story.operations[at]}"
        folder = workshop.fresh(story)
        run = workshop.run(folder, story.args, Fault(Strike.VANISH, at), below="index")
        tally.check(run.code == 0 or is_told(run), f"{after}: ended with {run.code}: {run.err}")
        tally.expect(folder / "index.away", story.old, story.new, after=after)
        run = workshop.run(folder, ("rebuild", workshop.new))
        tally.check(run.code == 0, f"{after}: the next run ended with {run.code}: {run.err}")
        tally.look(
            folder / "index", workshop.story("rebuild").new, after=f"{after} and another run"
        )


# -- processes that analyse --------------------------------------------------------------------


def of_workers(operations: Sequence[Operation]) -> list[int]:
    """Return the numbers of the operations that other processes do: those that write runs."""
    kinds = Kind.OPEN, Kind.WRITE
    return [n for n, each in enumerate(operations) if "/runs" in each.path and each.kind in kinds]


@pytest.mark.fault("kill")
@pytest.mark.parametrize("strike", [Strike.KILL, Strike.TEAR, Strike.DIE], ids=lambda it: it.name)
def test_a_process_that_analyses_may_be_killed(
    workshop: Workshop, some: Some, tally: Tally, strike: Strike
) -> None:
    """With all others, or alone, for want of memory, say: then the build ends with a sentence."""
    story = workshop.story("workers")
    for at in some(of_workers(story.operations), 2):
        after = f"{strike.name} at {story.operations[at]}"
        folder = workshop.fresh(story)
        run = workshop.run(folder, story.args, Fault(strike, at))
        told = is_told(run) and run.code == 2 and "--jobs 1" in run.err
        tally.check(
            told if strike is Strike.DIE else run.code == -9, f"{after}: {run.code} {run.err}"
        )
        tally.expect(folder / "index", story.old, after=after)
        heals(workshop, story, folder, tally, after)


@pytest.mark.fault("full")
def test_a_process_that_analyses_may_fail_to_write(
    workshop: Workshop, some: Some, tally: Tally
) -> None:
    """It is told as if one process had done it all."""
    story = workshop.story("workers")
    for at in some(of_workers(story.operations), 2):
        after = f"disk full at {story.operations[at]}"
        folder = workshop.fresh(story)
        run = workshop.run(folder, story.args, Fault(Strike.FAIL, at, ENOSPC, GROWING))
        tally.check(is_told(run) and run.code == 3, f"{after}: {run.code} {run.err}")
        tally.expect(folder / "index", story.old, after=after)
        heals(workshop, story, folder, tally, after)


@pytest.mark.fault("kill")
def test_a_process_that_outlives_its_build_disturbs_no_other(
    workshop: Workshop, tally: Tally
) -> None:
    """It was about to write when its build was killed, and does so while the next one builds."""
    story = workshop.story("workers")
    killed_args = "rebuild", workshop.larger, "--jobs", "2"
    folder, tried = workshop.fresh(story), workshop.fresh(story)
    at = of_workers(story.operations)[0]
    killed = workshop.run(folder, killed_args, Fault(Strike.ORPHAN, at))
    assert killed.code == -9
    workshop.run(tried, killed_args, Fault(Strike.KILL, at))
    runs_are_made = of_workers(workshop.run(tried, story.args).operations())[-1] + 1
    building = workshop.run(folder, story.args, Fault(Strike.STOP, runs_are_made))
    assert building.code is None
    os.kill(killed.struck, signal.SIGCONT)
    while is_running(killed.struck):
        time.sleep(0.01)
    run = workshop.go_on(building)
    tally.check(run.code == 0, run.err)
    tally.check(not killed.err, killed.err)
    tally.expect(folder / "index", story.new, after="a process that outlived its build")
