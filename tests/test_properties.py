"""What must hold for every input."""

from contextlib import suppress
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from reference import Reference, marks

from searchkit import Archive
from searchkit.analysis import BY_FORM, MARKS, Token, analyze, arrays, word_pairs
from searchkit.analysis.language import RUSSIAN, language_of, stretches
from searchkit.analysis.normalize import normalize
from searchkit.article import Article
from searchkit.codec.stored import Packer, Unpacker, letters
from searchkit.highlight import passages, sentences, spans
from searchkit.kernel import kernel
from searchkit.query.parse import parse
from searchkit.query.tree import OPERATORS
from searchkit.schema import FIELD_NAMES

# Letters, marks and signs at which tokenizers, parsers and highlighters stumble.
AWKWARD = "абвгґіїй ABC 012 '’ʼ`- –—\n\t\r\0\u0301\u0306\u00ad\u200b\ufeff😀ßİﬁ\ud800"
AWKWARD += '.,:;!?…"«»„“()[]=*~_'
AWKWARD += "ыъЭ\nѐЀЍÌỳİ\u02b9\u0374\u2010\u2060\U00017118"
awkward = st.text(st.sampled_from(AWKWARD) | st.characters(), max_size=60)

# What means something in a query, glued together with what does not.
SAID = [*OPERATORS, *(f"{name}:" for name in FIELD_NAMES), "date:", "date:[", "TO", "2025", "~05"]
SAID += ["lemma:", "gthtujdjhb", "peregovory", "переговри", "zelen"]
said = st.sampled_from(SAID) | st.sampled_from(AWKWARD) | st.just(" ") | st.just('"')
asked = awkward | st.lists(said, max_size=20).map("".join) | st.lists(said).map(" ".join)

WORDS = ["мир", "мирні", "переговори", "переговорів", "посередник", "Києві", "замок", "три", "у",
         "прес-конференція", "м’яч", "ґрунт", "COVID-19", "xyz"]  # fmt: skip
word = st.sampled_from(WORDS)
plain = (
    word | word.map("={}".format) | word.map("lemma:{}".format) | word.map(lambda w: w[:3] + "*")
)
phrase = st.builds(
    lambda ws, slop: f'"{" ".join(ws)}"{slop}', st.lists(plain, min_size=1, max_size=3),
    st.sampled_from(["", "~0", "~2", "~9"]),
)  # fmt: skip
queries = st.recursive(
    plain | phrase | st.sampled_from(["date:2024", "date:[2024-03 TO 2025-01]", "tag:вибори"]),
    lambda part: (
        st.builds(
            lambda a, op, b: f"({a}) {op} {b}",
            part,
            st.sampled_from(["", "AND", "OR", "NOT", "І НЕ"]),
            part,
        )
        | part.map("title:({})".format)
        | part.map("NOT ({})".format)
    ),
    max_leaves=5,
)

shared = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(awkward)
@settings(deadline=None)
def test_offsets_point_at_the_word_as_written(text: str) -> None:
    """For any string `text[start:end]` is the token, and tokens never overlap."""
    done = 0
    for token in analyze(text):
        assert text[token.start : token.end] == token.text
        assert done <= token.start < token.end
        assert token.lemmas
        assert 1 <= token.own <= len(token.lemmas)
        done = token.end


@given(awkward)
@settings(deadline=None)
def test_normalizing_twice_is_normalizing_once(text: str) -> None:
    """A word's normal spelling is its own normal spelling."""
    for token in analyze(text):
        once = normalize(token.text)
        assert normalize(once) == once


@pytest.mark.parametrize("compiled", [kernel, None], ids=["compiled", "plain"])
@given(texts=st.lists(awkward, max_size=4))
@example(texts=["Ъ", "Переговоры начались", "Переговори"])
@settings(deadline=None)
def test_a_batch_of_texts_has_the_words_of_each(compiled: object, texts: list[str]) -> None:
    """What is indexed at once is what `analyze` finds text by text, when met anew and again."""
    languages = [language_of(text) for text in texts]
    tokens = [analyze(text, language) for text, language in zip(texts, languages, strict=True)]
    with patch.object(arrays, "kernel", compiled):
        check_batches(texts, languages, tokens)


SPOKEN = {MARKS[RUSSIAN]: "ru", MARKS[BY_FORM]: "pl"}  # behind a form: whose text it is from


def check_batches(texts: list[str], languages: list[str | None], tokens: list[list[Token]]) -> None:
    batches = arrays.Batches()
    for _ in range(2):
        rows = batches.rows(texts, languages)
        assert rows.words.tolist() == [len(found) for found in tokens]
        assert rows.starts.tolist() == [token.start for found in tokens for token in found]
        pairs = list(batches.pairs)
        where = zip(rows.text.tolist(), rows.position.tolist(), rows.pair.tolist(), strict=True)
        found_pairs: dict[tuple[int, int], list[tuple[str, ...]]] = {}
        for text, position, pair in where:
            found_pairs.setdefault((text, position), []).append(pairs[pair])
        for text, found in enumerate(tokens):
            for position, token in enumerate(found):
                here = found_pairs.pop((text, position))
                [language] = {SPOKEN.get(form[-1:], "uk") for _, form in here}
                plain = [(lemma, form.rstrip("".join(SPOKEN))) for lemma, form in here]
                assert plain == word_pairs(token.text, language)
                assert tuple(dict.fromkeys(lemma for lemma, _ in plain)) == token.lemmas
                assert {form for _, form in plain} == set(token.forms)
        assert found_pairs == {}


@given(awkward, st.sampled_from(["uk", "ru", "pl", None]))
@settings(deadline=None)
def test_the_stretches_of_a_text_are_all_of_it(text: str, language: str | None) -> None:
    """Each begins where the last one ended, and a new one only behind the end of a line."""
    pieces = list(stretches(text, language))
    assert "".join(text[start:end] for start, end, _ in pieces) == text
    assert all(text[start - 1] == "\n" for start, _, _ in pieces[1:])


@given(asked)
@settings(deadline=None)
def test_any_text_can_be_read_as_a_query(text: str) -> None:
    """Parsing never raises, and what it understood can be typed again."""
    read = parse(text)
    assert parse(str(read.tree or "")).tree == read.tree


@given(asked)
@shared
def test_any_text_can_be_mended_and_completed(archive: Archive, text: str) -> None:
    """What is offered finds what it says, and more than what was typed."""
    results = archive.search(text, explain=True, readings=True)
    for query, total, total_all_words, _ in results.suggestions:
        found = archive.search(query, limit=0, suggest=False)
        assert (found.total, found.total_all_words) == (total, total_all_words)
        assert (total_all_words, total) > (results.total_all_words, results.total)
    for reading in (reading for word in results.readings for reading in word.readings):
        assert archive.search(reading.query, limit=0).total == reading.total > 0
    assert all(total > 0 for _, total in archive.suggest(text, 5))


@given(awkward, awkward)
@settings(deadline=None)
def test_passages_quote_the_text_and_mark_whole_words(text: str, query: str) -> None:
    """Whatever is asked of whatever text, spans are words of the article."""
    found = marks(text, parse(query + " мир*").tree, "text")
    words = [text[start:end] for start, end in spans(found)]
    for passage in passages(text, found, 5):
        assert passage.text.strip("…").strip() in text
        for start, end in passage.spans:
            assert passage.text[start:end] in words


@given(awkward)
@settings(deadline=None)
def test_sentences_leave_out_nothing_but_space(text: str) -> None:
    """The sentences of a text, joined, are the text without the white space between them."""
    pieces = [text[start:end] for start, end in sentences(text)]
    assert "".join("".join(pieces).split()) == "".join(text.split())


kept = awkward.map(lambda text: text.replace("\0", ""))


@given(st.lists(kept, min_size=5, max_size=5), st.lists(kept, max_size=2), st.binary())
@settings(deadline=None)
def test_an_article_is_read_as_it_was_stored(
    values: list[str], tags: list[str], stones: bytes
) -> None:
    """Whatever letters it has."""
    name, text, title, date, url = values
    article = Article(name, text, title, date or None, url or None, tags=tuple(tags))
    assert Unpacker(b"").unpack(Packer(b"").pack(letters(article), stones)) == (article, stones)


@given(st.lists(st.just("\0") | awkward, max_size=30).map("".join))
@settings(deadline=None)
def test_what_is_no_article_is_not_read_as_one(content: str) -> None:
    """Damaged bytes are never another error than this one."""
    with suppress(ValueError):
        Article.of(content)


@given(query=asked)
@shared
def test_any_text_can_be_searched_for(archive: Archive, query: str) -> None:
    """No text that a person can type raises."""
    results = archive.search(query, limit=3)
    assert results.total_all_words <= results.total


@given(query=queries)
@shared
def test_any_query_finds_what_scanning_everything_finds(
    archive: Archive, reference: Reference, query: str
) -> None:
    """The index and the plain scan agree on every query of the language."""
    results = archive.search(query, limit=1000, passages=0)
    some, every = reference.found(query)
    assert {hit.id for hit in results} == some
    assert {hit.id for hit in results if hit.all_words} == every
