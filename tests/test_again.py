"""Segments are merged as they are: what an update makes of them is what a rebuild makes."""

import json
from collections.abc import Sequence
from errno import ENOSPC
from pathlib import Path

import numpy as np
import pytest

from searchkit import Archive, Article, writer
from searchkit.analysis import Listed
from searchkit.codec import runs
from searchkit.codec.again import pairs_of
from searchkit.codec.together import Pairs
from searchkit.corpus import Corpus
from searchkit.errors import IndexUnwritable

ELSEWHERE = {"records", "record_starts"}  # in the order in which articles came


def update_by_stages(
    sample: Path, folder: Path, stages: list[tuple[int, bool]], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Update an index to the first so many articles, with others that are gone in the end."""
    lines = [json.dumps(article._asdict()) + "\n" for article in Corpus(sample)]
    others = [line.replace('"id": "', '"id": "x').replace("а", "ка") for line in lines[:9]]
    monkeypatch.setattr(writer, "LEARNED", 0)
    for count, with_others in stages:
        written = lines[:count] + (others if with_others else [])
        (folder / "corpus.jsonl").write_text("".join(written), encoding="utf-8")
        Archive.update(folder / "corpus.jsonl", folder / "index")
    return folder / "index"


def test_a_segment_that_is_merged_of_others_is_that_of_a_rebuild(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Array by array, if it has learned the same; no word is left of an article that is gone."""
    monkeypatch.setattr(writer, "TIER", 1_000_000)
    stages = [(30, True), (50, True), (72, False)]
    with Archive.open(update_by_stages(sample, tmp_path, stages, monkeypatch)) as merged:
        [one] = merged.index.segments
        pairs = pairs_of(one)
        assert pairs
        monkeypatch.setattr(runs, "often_together", lambda *_: pairs)
        Archive.build(sample, tmp_path / "built")
        with Archive.open(tmp_path / "built") as built:
            [other] = built.index.segments
            for name, array in other.arrays.items():
                assert name in ELSEWHERE or np.array_equal(one.arrays[name], array), name
            for number in range(built.index.size):
                assert merged.index.article(number) == built.index.article(number)


def test_the_small_segment_of_the_updates_before_is_merged(
    sample: Path, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are never more than two, and all have the same pairs of words."""
    monkeypatch.setattr(writer, "TIER", 1)
    stages = [(40, True), (44, True), (50, True), (56, False), (72, False)]
    with Archive.open(update_by_stages(sample, tmp_path, stages, monkeypatch)) as updated:
        large, small = updated.index.segments
        assert (large.size, small.size) == (49, 32)
        assert updated.index.alive is not None
        assert set(pairs_of(small)) <= set(pairs_of(large))
        assert pairs_of(small)
        for left, right in pairs_of(large):
            query = f'"{left} {right}"'
            assert updated.search(query).total == archive.search(query).total


def test_of_an_archive_too_small_to_learn_from_all_is_analysed_again(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pairs of words, and what records have in common, are learned from the first 1,000."""
    calls = list[int]()
    learn = runs.often_together  # type: ignore[attr-defined]

    def learned(articles: Sequence[Article], words: Listed) -> Pairs:
        calls.append(len(articles))
        return learn(articles, words)

    monkeypatch.setattr(runs, "often_together", learned)
    lines = [json.dumps(article._asdict()) + "\n" for article in Corpus(sample)]
    for count in (60, 72):
        (tmp_path / "corpus.jsonl").write_text("".join(lines[:count]), encoding="utf-8")
        Archive.update(tmp_path / "corpus.jsonl", tmp_path / "index")
    assert calls == [60, 72]


def test_where_there_is_no_room_for_a_merged_segment_that_is_said(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not what is read that is at fault."""

    def full(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(writer, "TIER", 1_000_000)
    monkeypatch.setattr(writer, "run_of", full)
    with pytest.raises(IndexUnwritable, match="No space left on device"):
        update_by_stages(sample, tmp_path, [(40, False), (50, False)], monkeypatch)
