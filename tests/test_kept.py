"""A rebuild or an update takes the lemmas of word forms from the generation before."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from searchkit import Archive
from searchkit.analysis import lemmatize
from searchkit.codec import kept
from searchkit.codec.arrays import read, write
from searchkit.corpus import Corpus
from searchkit.writer import Means, rebuild, update

ALONE = Means(jobs=1)


def segment_file(index: Path) -> Path:
    """Return the one segment of the live generation."""
    live: str = json.loads((index / "live.json").read_text())["live"]
    [file] = Path(index, live).glob("segment-*")
    return file


def segment(index: Path) -> dict[str, list[Any]]:
    return {name: array.tolist() for name, array in read(segment_file(index)).items()}


@pytest.fixture
def crowd(crowd: Path, tmp_path: Path) -> Path:
    """More articles, in which a word is also the first part of a compound: it has more lemmas."""
    texts = [
        "Прес-конференції, прес, конференція",
        "прес",
        "24.02.2022, 1,5; 90-х років; півгодини",
        "Бармаглотів, бармаглотами",
    ]
    corpus = tmp_path / "crowd.jsonl"
    lines = [json.dumps({"id": text, "text": text}) + "\n" for text in texts]
    corpus.write_text(crowd.read_text(encoding="utf-8") + "".join(lines), encoding="utf-8")
    return corpus


@pytest.fixture
def index(crowd: Path, tmp_path: Path) -> Path:
    rebuild(Corpus(crowd), tmp_path / "index", means=ALONE)
    return tmp_path / "index"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words that the dictionary was asked for."""
    words: list[str] = []
    known = lemmatize.known

    def noted(word: str) -> Any:
        words.append(word)
        return known(word)

    monkeypatch.setattr(lemmatize, "known", noted)
    return words


def test_a_rebuild_asks_the_dictionary_for_no_word_that_was_there_before(
    crowd: Path, index: Path, asked: list[str]
) -> None:
    """But for parts of compounds: of українсько-російський, for український."""
    before = segment(index)
    data, ends = bytes(before["forms.bytes"]), [0, *before["forms.ends"]]
    forms = [data[start:end].decode() for start, end in pairwise(ends)]
    compounds = [form for form in forms if not form.isalnum()]
    rebuild(Corpus(crowd), index, means=ALONE)
    assert len(set(asked)) < 40
    assert {word for word in asked if not any(word[:-2] in each for each in compounds)} == set()
    assert segment(index) == before


def test_an_update_asks_for_new_words_only(
    crowd: Path, index: Path, tmp_path: Path, asked: list[str]
) -> None:
    corpus = tmp_path / "more.jsonl"
    text = "Лис зажене бармаглотів і куздрів."
    line = json.dumps({"id": "new", "text": text}, ensure_ascii=False)
    corpus.write_text(crowd.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    update(Corpus(corpus), index, means=ALONE)
    # What the dictionary has, the kernel finds there sooner than here.
    assert [word for word in asked if word != "зажене"] == ["куздрів"]
    with Archive.open(index) as archive:
        assert [hit.id for hit in archive.search("куздрів")] == ["new"]


def test_processes_take_the_words_that_were_there_before_too(index: Path, tmp_path: Path) -> None:
    texts = [f"Лис{i % 9} біг {i} стежками, чоловіків {i % 7}." for i in range(9_000)]
    corpus = tmp_path / "many.jsonl"
    corpus.write_text(
        "".join(json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(texts)),
        encoding="utf-8",
    )
    rebuild(Corpus(corpus), tmp_path / "new")
    rebuild(Corpus(corpus), index)
    ours, theirs = segment(index), segment(tmp_path / "new")
    for name in ("terms.bytes", "forms.bytes", "lemma_ends", "lemmas", "codes"):
        assert ours[name] == theirs[name]


@pytest.mark.parametrize("key", ["dictionary", "chain", "format"])
def test_words_that_were_looked_up_otherwise_are_looked_up_again(
    crowd: Path, index: Path, asked: list[str], key: str
) -> None:
    manifest = index / "000001" / "generation.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(told | {key: "another"}))
    rebuild(Corpus(crowd), index, means=ALONE)
    assert asked


@pytest.mark.parametrize("name", kept.ARRAYS)
def test_words_that_are_damaged_are_looked_up_again(
    crowd: Path, index: Path, asked: list[str], name: str
) -> None:
    before = segment(index)
    file = segment_file(index)
    data = bytearray(file.read_bytes())
    table = int.from_bytes(data[8:16], "little")
    at = json.loads(data[table:])[name][2]
    data[at] ^= 1
    file.write_bytes(data)
    rebuild(Corpus(crowd), index, means=ALONE)
    assert asked
    assert segment(index) == before


@pytest.mark.parametrize("seed", range(2))
def test_whatever_an_index_says_of_words_a_rebuild_goes_through(
    crowd: Path, index: Path, seed: int
) -> None:
    """Its checksums may be right and its numbers wrong: whoever wrote it meant harm."""
    random = np.random.default_rng(seed)
    for name in kept.ARRAYS:
        arrays = {name: array.copy() for name, array in read(segment_file(index)).items()}
        bytes_ = arrays[name].view(np.uint8)
        bytes_[random.integers(0, len(bytes_), len(bytes_) // 2)] = random.integers(0, 256)
        write(segment_file(index), arrays)
        assert rebuild(Corpus(crowd), index, means=ALONE).articles == 1_224


@pytest.mark.parametrize("name", kept.ARRAYS)
def test_an_array_of_another_kind_is_no_array_of_words(
    crowd: Path, index: Path, asked: list[str], name: str
) -> None:
    arrays = {each: array.copy() for each, array in read(segment_file(index)).items()}
    write(segment_file(index), arrays | {name: arrays[name].astype("<f8")})
    rebuild(Corpus(crowd), index, means=ALONE)
    assert asked
