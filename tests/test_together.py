"""What is kept for words that stand side by side, and what it is for."""

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from searchkit import Archive
from searchkit.article import Article
from searchkit.codec.together import ANY_CLASS, NO_CLASS, classes_of, often_together
from searchkit.schema import pair_key

MakeArchive = Callable[[list[dict[str, Any]]], Archive]

TEXTS = [
    "Мирних угод п'ять.",
    "мирна угода в місті, мирна угода",
    "Про мирну угоду й багато мирних угод",
    "Мир. Мирна угода",
]


def articles(texts: list[str]) -> list[Article]:
    return [Article(str(number), text) for number, text in enumerate(texts)]


def test_pairs_are_counted_by_articles_in_any_form() -> None:
    """It must be in four, in forms that are in two; how often in each does not matter."""
    assert ("мирний", "угода") in often_together(articles(TEXTS))
    assert ("мирний", "угода") not in often_together(articles(TEXTS[:3]))


def test_pairs_with_function_words_are_not_kept() -> None:
    """`у місті` is asked for seldom, and stands everywhere."""
    assert often_together(articles(["у місті"] * 9)) == []


@pytest.mark.parametrize("query", ['"мирна угода"', '"мирних угод"', '"угода мирна"'])
def test_a_phrase_is_the_same_with_pairs_and_without(make_archive: MakeArchive, query: str) -> None:
    """In three articles the pair is not often enough; its words weigh the same in both archives."""
    [few, many] = (
        make_archive([{"id": str(i), "text": text, "title": text} for i, text in enumerate(texts)])
        for texts in (TEXTS[:3], TEXTS)
    )
    pair = pair_key("мирний", "угода").encode()
    assert [archive.index.having(pair) for archive in (few, many)] == [0, 4]
    found = {hit.id for hit in many.search(query)}
    assert {hit.id for hit in few.search(query)} == found - {"3"}
    assert found == (set() if query == '"угода мирна"' else {"0", "1", "2", "3"})


def test_by_each_place_stands_what_follows(make_archive: MakeArchive) -> None:
    """The class of the next word's likeliest lemma; of a compound, that it may be any."""
    archive = make_archive([{"id": "1", "title": "Мир", "text": "мир миру онлайн-медіа, мир"}])
    [segment] = archive.index.segments
    term = segment.terms.find("мир".encode())
    titles, texts, _ = segment.counts(slice(0, segment.postings(term).start))
    start = int(titles.sum() + texts.sum())
    [mir] = classes_of(np.array([crc32("мир".encode())]))
    follows = segment.arrays["follows"][start : start + 4].tolist()
    assert follows == [NO_CLASS, mir, ANY_CLASS, NO_CLASS]
    assert segment.arrays["form_classes"][segment.forms.find("миру".encode())] == mir


@pytest.mark.parametrize("query", [
    '"про переговори"', '"про онлайн-переговори"', '"про =переговорів"', '"про онлайн"',
    '"переговори почалися"', '"онлайн =почалися"', '"про переговорах почалися"',
])  # fmt: skip
def test_parts_of_compounds_follow_and_are_followed(make_archive: MakeArchive, query: str) -> None:
    archive = make_archive([{"id": "1", "text": "Сьогодні про онлайн-переговорів почалися чутки."}])
    assert [hit.id for hit in archive.search(query)] == ["1"]
