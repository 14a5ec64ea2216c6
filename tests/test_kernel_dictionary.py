"""The kernel reads pymorphy3's dictionary as pymorphy3 does, and learns words as Python does."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pymorphy3.lang.uk import DEFAULT_UNITS

from searchkit.analysis import arrays, dictionary, lemmatize, word_pairs
from searchkit.analysis.normalize import is_plain
from searchkit.errors import DictionaryDamaged
from searchkit.kernel import kernel as compiled

kernel: Any = compiled
pytestmark = pytest.mark.skipif(not compiled, reason="the kernel was not compiled")

FOLDER = dictionary.dictionary()._folder  # noqa: SLF001
LETTERS = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'"
STARTS = ["", "пере", "не", "супер", "екс", "екстра", "анти", "най", "кубло", "щонай"]
STEMS = ["президент", "говор", "гетьман", "шахед", "байрактар", "гра", "зем", "ґрунт", "кращ"]
ENDINGS = ["", "у", "ами", "ого", "увати", "лися", "вання", "ість", "ська", "єю", "ів", "ія"]

made_up = st.tuples(*map(st.sampled_from, (STARTS, STARTS, STEMS, ENDINGS))).map("".join)
plain = made_up | st.text(LETTERS, min_size=1, max_size=14) | st.sampled_from(STEMS)
letters = st.sampled_from(LETTERS + "-.ы1a’😀") | st.characters(codec="utf-8")
words = plain | st.text(letters, max_size=80)


@given(words)
@example("грунту")
@example("гугугу" * 12)
@example("")
@settings(deadline=None, max_examples=300)
def test_a_word_is_in_the_kernel_what_it_is_to_pymorphy3s_library(word: str) -> None:
    """Spelled as it is, and with ґ for any г; in the same order."""
    found = dictionary.parses(word), dictionary.known_forms(word)
    with patch.object(dictionary, "kernel", None):
        assert found == (dictionary.parses(word), dictionary.known_forms(word))


@pytest.mark.parametrize("word", ["\ud800", "го\udfffра", "гора\ud800"])
def test_half_a_character_is_in_no_word(word: str) -> None:
    """pymorphy3's library is never asked for one: it raises UnicodeEncodeError."""
    assert (dictionary.parses(word), dictionary.known_forms(word)) == ([], [])


def test_the_first_parts_of_words_are_those_that_pymorphy3_knows() -> None:
    [known] = [unit.known_prefixes for unit in DEFAULT_UNITS if hasattr(unit, "known_prefixes")]
    assert sorted(dictionary._starts()) == sorted(known)  # noqa: SLF001


@given(plain.filter(is_plain))
@example("перечудернацьких")
@example("дезде" * 10)
@example("екстраекспреебер")
@settings(deadline=None, max_examples=300)
def test_the_kernel_guesses_what_pymorphy3_guesses(word: str) -> None:
    found = lemmatize._guesses(word)  # noqa: SLF001 - both ways
    with patch.object(lemmatize, "kernel", None):
        assert found == lemmatize._guesses(word)  # noqa: SLF001


SPELLINGS = [word for stem in STEMS for word in (stem, stem.upper(), f"{stem}-{stem}", stem + "и")]
LEARNED = [
    *SPELLINGS,
    *"Мати мати МАТИ ма́ти Ґрунту грунту ґрунт-грунт військово військово-морського".split(),
    *"п’ять п'ять пʼятьма проєктом проектами маючи півгодини у й зі НАТО тис шахедами".split(),
    *"нагідки київ Києві замок 36-й COVID-19 Iрпінь переговори\u00adми".split(),
]


@given(st.lists(st.sampled_from(LEARNED) | plain, max_size=12), st.booleans())
@settings(deadline=None)
def test_words_learned_by_the_kernel_have_the_pairs_that_python_gives_them(
    spelled: list[str], is_listed: bool
) -> None:
    """In whatever order they come, and with a list of the user's."""
    listed = {"мати": ("матуся",), "шахед": ("шахед",)} if is_listed else {}
    batches = arrays.Batches(listed)
    texts = [" ".join(spelled[: len(spelled) // 2]), *spelled]
    with patch.object(arrays, "kernel", None):
        rows = (plain_batches := arrays.Batches(listed)).rows(texts)
    made = batches.rows(texts)
    assert pairs_of(batches, made) == pairs_of(plain_batches, rows)
    assert len(set(batches.pairs)) == len(batches.pairs)


def pairs_of(batches: arrays.Batches, rows: arrays.Rows) -> list[tuple[int, int, tuple[str, str]]]:
    pairs = list(batches.pairs)
    where = zip(rows.text.tolist(), rows.position.tolist(), rows.pair.tolist(), strict=True)
    return [(text, position, pairs[pair]) for text, position, pair in where]


def test_the_kernel_leaves_to_python_what_lists_and_rules_are_for() -> None:
    pairs = arrays.Pairs()
    told = "мати київ маючи у півгодини прес-служба етері шахедо слово їжак it-їжак".split()
    known = pairs.add("мати", "мати")
    begins, ends = pairs.learn(arrays.lexicon(told), 1, {"їжак": ("їжак",)})
    assert (ends - begins).tolist() == [2, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    every = list(pairs)
    assert every[begins[0] : ends[0]] == word_pairs("київ")
    assert every[begins[7] : ends[7]] == [("слово", "слово")]
    assert (every[known], len(every)) == (("мати", "мати"), 4)


FILES = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".dawg", ".array"))


@pytest.fixture
def damage(tmp_path: Path) -> Any:
    """Make a dictionary of which one file is not as it was."""

    def make(name: str, content: bytes) -> Any:
        for path in FOLDER.iterdir():
            copy = tmp_path / path.name
            copy.unlink(missing_ok=True)
            if path.name != name:
                copy.symlink_to(path)
        (tmp_path / name).write_bytes(content)
        return dictionary.Dictionary(tmp_path).compiled

    yield make
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [3, 8, 1000, -2])
def test_a_dictionary_that_was_cut_off_is_refused(damage: Any, name: str, left: int) -> None:
    content = (FOLDER / name).read_bytes()
    if len(content[:left]) < len(content):
        with pytest.raises(DictionaryDamaged, match="install it anew"):
            damage(name, content[:left])


@pytest.mark.parametrize("how", ["1", "0"], ids=["kernel", "python"])
@pytest.mark.parametrize("name", ["words.dawg", "suffixes.json"])
@pytest.mark.parametrize("command", ["analyze", "rebuild"])
def test_on_the_command_line_a_damaged_dictionary_is_one_sentence(
    tmp_path: Path, command: str, name: str, how: str
) -> None:
    """Also where another process of the build met it."""
    package = tmp_path / "pymorphy3_dicts_uk"
    shutil.copytree(FOLDER.parent, package, copy_function=os.symlink)
    for path in package.rglob(name):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content[: len(content) // 2])
    (tmp_path / "news.txt").write_text("Заголовок\n\nПро слово і справу\n", encoding="utf-8")
    given = ["слово"] if command == "analyze" else [str(tmp_path / "news.txt"), "--jobs", "2"]
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "searchkit", "--index", str(tmp_path / "index"), command, *given],
        check=False, capture_output=True, encoding="utf-8", cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths, "SEARCHKIT_KERNEL": how},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: The Ukrainian dictionary cannot be read")
    assert done.stderr.endswith("--no-deps pymorphy3-dicts-uk`.\n")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(2))
def test_a_damaged_dictionary_says_so_or_gives_something_else_but_never_more(
    damage: Any, name: str, seed: int
) -> None:
    """Whatever numbers it has, nothing is read from outside the files, and all ends soon."""
    chance = np.random.default_rng(seed)
    content = np.fromfile(FOLDER / name, np.uint8)
    where = chance.integers(4, len(content), len(content) // (30 if seed % 2 else 3000))
    content[where] = chance.integers(0, 256, len(where))
    try:
        damaged = damage(name, content.tobytes())
    except DictionaryDamaged:
        return
    for word in [*LEARNED, *(start + stem for start in STARTS for stem in STEMS)]:
        for ask in (kernel.parses, kernel.base_forms, lambda *asked: kernel.guesses(*asked, 1, 5)):
            try:
                assert isinstance(ask(damaged, word[:50]), list)
            except ValueError as error:
                assert "damaged" in str(error)  # noqa: PT017


COMPILED = dictionary.dictionary().compiled
LEXICONS = kernel.Lexicon(), kernel.Lexicon()


@pytest.mark.parametrize("call", [
    lambda: kernel.parses(object(), "слово"),
    lambda: kernel.base_forms(None, "слово"),
    lambda: kernel.guesses(object(), "слово", 1, 5),
    lambda: kernel.guesses(dictionary.dictionary().compiled, "слово" * 20, 1, 5),
    lambda: kernel.learn(dictionary.dictionary().compiled, *LEXICONS[:1], 0, {}, *LEXICONS),
    lambda: kernel.learn(arrays._learner(), *LEXICONS[:1], 1, {}, *LEXICONS),  # noqa: SLF001
    lambda: kernel.learner(object(), "а", "", "", [], [], [], *LEXICONS),
    lambda: kernel.learner(COMPILED, "\u0800", "", "", [], [], [], *LEXICONS),
    lambda: kernel.learner(COMPILED, "а", "а", "", [], [], [], *LEXICONS),
    lambda: kernel.learner(COMPILED, "а", "а", "\u0800", [], [], [], *LEXICONS),
    lambda: kernel.learner(COMPILED, "а", "", "", ["п"], [], [], *LEXICONS),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(call: Any) -> None:
    with pytest.raises(ValueError, match=r"PyCapsule|plain|no such"):
        call()


@pytest.mark.parametrize("call", [
    lambda: kernel.dictionary(1, 2, 3),
    lambda: kernel.parses(dictionary.dictionary().compiled, b"bytes"),
    lambda: kernel.learn(arrays._learner(), ["word"], 0, {}, *LEXICONS),  # noqa: SLF001
    lambda: kernel.learn(arrays._learner(), *LEXICONS[:1], 0, {}, {}, {}),  # noqa: SLF001
    lambda: kernel.learn(arrays._learner(), arrays.lexicon(["слово"]), 0, 1.5, *LEXICONS),  # noqa: SLF001
    lambda: kernel.learner(COMPILED, "а", "", "", [], [], [], frozenset(), frozenset()),
])  # fmt: skip
def test_what_is_not_of_the_right_kind_is_refused(call: Any) -> None:
    with pytest.raises(TypeError):
        call()
