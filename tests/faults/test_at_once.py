"""Builders and readers at once: one builds, all read, and none of them notices the others."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from faults import Fault, Strike
from workshop import Some, Tally, Workshop, ask, found

from searchkit import Archive

HERE = Path(__file__).parent


@pytest.mark.fault("builders")
@pytest.mark.parametrize("name", ["rebuild", "update"])
def test_a_second_builder_is_refused_while_the_first_holds_the_lock(
    workshop: Workshop, some: Some, tally: Tally, name: str
) -> None:
    """The first one is stopped at an operation; what the second does changes nothing for it.

    Before the first has the lock, and when it has given it back, the second may build.
    """
    story = workshop.story(name)
    locked = [n for n, each in enumerate(story.operations) if each.path == "index/.writer.json"]
    others = workshop.story("first").new, workshop.story("rebuild").new
    for at in some(range(len(story.operations)), 5):
        after = f"{name}, a second builder at {story.operations[at]}"
        folder = workshop.fresh(story)
        first = workshop.run(folder, story.args, Fault(Strike.STOP, at))
        second = workshop.run(folder, ("rebuild", workshop.old))
        if locked[0] <= at <= locked[-1]:
            is_refused = second.code == 3 and "; wait until it is done" in second.err
            tally.check(is_refused, f"{after}: {second.code} {second.err}")
            tally.expect(folder / "index", story.old, story.new, after=after)
        elif second.code == 0:
            tally.expect(folder / "index", others[0], after=after)
        first = workshop.go_on(first)
        tally.check(first.code == 0, f"{after}: the first ended with {first.code}: {first.err}")
        right = [story.new, *others] if second.code == 0 else [story.new]
        tally.look(folder / "index", *right, after=f"{after}, when both were done")


@pytest.mark.fault("readers")
def test_a_reader_may_be_overtaken_while_it_opens(workshop: Workshop, tally: Tally) -> None:
    """Stopped at an operation while three switches go by, it finds what is live before or after."""
    story = workshop.story("rebuild")
    query = ("query", "переговори", "--json", "--limit", "50")
    before = workshop.run(story.folder, query)
    for at, operation in enumerate(before.operations()):
        folder = workshop.fresh(story)
        reader = workshop.run(folder, query, Fault(Strike.STOP, at))
        for corpus in (workshop.old, workshop.new, workshop.new):
            assert workshop.run(folder, ("rebuild", corpus)).code == 0
        told = workshop.go_on(reader)
        after = workshop.run(folder, query)
        tally.tried += 1
        if told.code:
            tally.lost.append(f"a reader overtaken at {operation}: {told.err}")
        elif told.out not in (before.out, after.out):
            tally.wrong.append(f"a reader overtaken at {operation}")


@pytest.mark.fault("readers")
def test_a_reader_stays_on_its_generation_across_three_switches(
    workshop: Workshop, tally: Tally
) -> None:
    """It answers the same until it is asked to move, even when its files were removed."""
    story = workshop.story("rebuild")
    folder = workshop.fresh(story)
    with Archive.open(folder / "index") as archive:
        for switch, corpus in enumerate((workshop.new, workshop.old, workshop.new), 1):
            assert workshop.run(folder, ("rebuild", corpus)).code == 0
            tally.tried += 1
            if ask(archive) != story.old:
                tally.wrong.append(f"after {switch} switches")
        assert archive.refresh()
        assert ask(archive) == story.new


@pytest.mark.fault("readers")
def test_ten_readers_notice_none_of_twenty_switches(workshop: Workshop, tally: Tally) -> None:
    """Five threads here and five processes ask all the time; each is moved to what is live."""
    story = workshop.story("rebuild")
    folder = workshop.fresh(story)
    program = [sys.executable, str(HERE / "reader.py"), str(folder / "index")]
    threads_of = (5, 1, 1, 1, 1, 1)
    readers = [
        subprocess.Popen([*program, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for threads in threads_of
    ]
    for reader in readers:
        assert reader.stdout
        assert reader.stdout.readline() == b"reading\n"
    for switch in range(20):
        corpus = workshop.old if switch % 2 else workshop.new
        assert workshop.run(folder, ("index" if switch % 4 > 1 else "rebuild", corpus)).code == 0
    right = {
        (results.query, found(results)) for told in (story.old, story.new) for results in told or ()
    }
    for reader, threads in zip(readers, threads_of, strict=True):
        told = json.loads(reader.communicate()[0])
        tally.tried += 20 * threads
        tally.lost += told["errors"]
        tally.wrong += [
            f"{query}: {ids}" for query, ids in told["seen"] if (query, ids) not in right
        ]
        tally.check(told["generations"] > 3, f"only {told['generations']} generations were seen")
