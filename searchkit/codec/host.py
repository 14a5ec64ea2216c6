"""Host: a generation's folder is also an index that Whoosh opens, reads and searches.

    index = whoosh.index.open_dir(str(generation))
    with index.searcher() as searcher:
        hits = searcher.search(whoosh.query.Term("main", "переговори"))

All that Whoosh can ask works on it, at Whoosh's speed: it goes from article to article in
Python. searchkit needs nothing of this. It writes the table of contents that Whoosh begins
with (`codec.toc`) and never reads it; no other module imports this one, or Whoosh at all.

    _MAIN_1.toc             tells Whoosh to call this module
    main                    title and text, with GAP positions between them
    source, section, author, tags
                            likewise, without the sign that `schema.key` puts before a term
    id, first, last         a term an article, which no file lists
    first, last             to sort by, too: YYYYMMDDhhmmss, 0 where the date is unknown

Whoosh can change nothing: that is done through searchkit.
"""
# ruff: noqa: ARG002, D102 - the methods are Whoosh's, and so is what they promise
# mypy: allow-untyped-calls

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from whoosh.analysis.acore import Token
from whoosh.analysis.analyzers import Analyzer
from whoosh.codec import base
from whoosh.columns import Column, ColumnReader
from whoosh.fields import ID, NUMERIC, STORED, TEXT, FieldType, Schema
from whoosh.filedb.filestore import FileStorage
from whoosh.formats import Format
from whoosh.matching.mcore import ListMatcher
from whoosh.reading import TermInfo, TermNotFound
from whoosh.scoring import BaseScorer

from searchkit.analysis import analyze, word_pairs
from searchkit.analysis.normalize import fold, normalize
from searchkit.article import FIELDS as STORED_FIELDS
from searchkit.codec.arrays import Array, read
from searchkit.codec.segment import Segment
from searchkit.codec.toc import INDEX
from searchkit.errors import RequestError
from searchkit.generations import REMOVED
from searchkit.schema import FIELDS, key

DATES = ("first", "last")

Term = tuple[str, bytes]


def whoosh_schema() -> Schema:
    """Return the fields as Whoosh knows them."""
    fields: dict[str, FieldType] = {name: STORED() for name in (*STORED_FIELDS, "text")}
    for name in FIELDS:
        fields[name] = TEXT(Lemmas(), stored=name != "main", multitoken_query="or")
    for name in DATES:
        fields[name] = NUMERIC(int, 64, signed=False, shift_step=0, sortable=True, default=0)
    fields["id"] = ID(stored=True, unique=True)
    return Schema(**fields)


class Lemmas(Analyzer):
    """Gives Whoosh the lemmas of each word, all at one position.

    Articles are analysed as searchkit does it, queries likewise: a compound is asked for as a
    whole. Where Whoosh's parser makes a phrase, a row of terms, each word is only its likeliest
    lemma; a SpanNear2 of Or queries asks for all of them.
    """

    def __call__(self, value: str, **options: Any) -> Iterator[Token]:
        token = Token(**options)
        if not options.get("tokenize", True):  # the beginning of a word, a pattern, a limit
            token.text = fold(normalize(value))
            yield token
            return
        for position, word in enumerate(analyze(value), options.get("start_pos", 0)):
            token.pos = position
            token.startchar, token.endchar = word.start, word.end
            if token.mode == "query":
                lemmas = word.lemmas[: 1 if token.chars else word.own]
            else:
                lemmas = tuple(lemma for lemma, _ in word_pairs(word.text))
            for token.text in lemmas:
                yield token


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise RequestError(
        "Whoosh can only read this index; change the archive through searchkit,"
        " with `searchkit index`."
    )


class HostedSegment(base.Segment):
    """What Whoosh's table of contents has of a segment, made of the name of its file."""

    def __init__(self, name: str) -> None:
        self.indexname, self.segid, self.compound = INDEX, name, False

    def codec(self) -> "HostCodec":
        return HostCodec(self.segid)

    # Only Whoosh's writers call these, `doc_count_all` before they do anything else.
    doc_count_all = deleted_count = deleted_docs = is_deleted = delete_document = _refuse


class HostCodec(base.Codec):
    """Opens one segment for one reader."""

    per_document_writer = field_writer = postings_writer = postings_reader = new_segment = _refuse

    def __init__(self, name: str) -> None:
        self._name = name
        self._opened: Articles | None = None

    def terms_reader(self, storage: FileStorage, segment: HostedSegment) -> "Terms":
        return Terms(self.per_document_reader(storage, segment).fields)

    def per_document_reader(self, storage: FileStorage, segment: HostedSegment) -> "Articles":
        self._opened = self._opened or Articles(Path(storage.folder), self._name)
        return self._opened


# -- terms -------------------------------------------------------------------------------------


class Postings(NamedTuple):
    """The articles that have a term, how often each and, where it is a word, at which places."""

    docs: Array
    counts: Array
    positions: Array | None = None


class Words:
    """The terms of a field that is made of words.

    Attributes:
        lengths: how long the field is in each article.
    """

    def __init__(self, segment: Segment, name: str) -> None:
        self._segment, self._terms = segment, segment.terms
        self._sign = key(name, "").encode()
        # The terms of "main" have no sign, and stand behind all that have one, and behind pairs.
        self._low, self._high = self._terms.prefixed(self._sign or b" ")
        if not self._sign:
            self._high = len(self._terms)

    def starting_at(self, term: bytes) -> Iterator[bytes]:
        low = max(self._low, self._terms.prefixed(self._sign + term)[0])
        return (self._terms[number][len(self._sign) :] for number in range(low, self._high))

    def postings(self, term: bytes) -> Postings | None:
        number = self._terms.find(self._sign + term)
        if not self._low <= number < self._high:
            return None
        here = self._segment.postings(number)
        counts, positions, _ = self._segment.places(number, here)
        return Postings(self._segment.docs(number), counts, positions)

    @cached_property
    def lengths(self) -> Array:
        segment = self._segment
        if not self._sign:
            return segment.arrays.whole("title_words") + segment.arrays.whole("text_words").astype(
                np.int64
            )
        if self._low == self._high:
            return np.zeros(segment.size)
        docs = segment.docs(self._low, self._high - 1)
        _, counts, _ = segment.counts(segment.postings(self._low, self._high - 1))
        return np.bincount(docs, counts, segment.size)


class Values:
    """The terms of a field of which an article has one, or none; read when they are needed."""

    def __init__(self, size: int, term_of: Callable[[int], bytes]) -> None:
        self._term_of = term_of
        self.lengths = np.zeros(size)

    @cached_property
    def _docs(self) -> dict[bytes, list[int]]:
        docs: dict[bytes, list[int]] = {}
        for number in range(len(self.lengths)):
            docs.setdefault(self._term_of(number), []).append(number)
        docs.pop(b"", None)
        return dict(sorted(docs.items()))

    def starting_at(self, term: bytes) -> Iterator[bytes]:
        return (each for each in self._docs if each >= term)

    def postings(self, term: bytes) -> Postings | None:
        docs = np.array(self._docs.get(term, []), np.int64)
        return Postings(docs, np.ones_like(docs)) if len(docs) else None


class Ids(Values):
    """The ids of articles: one is found by its hash, all are read from the articles."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.size, lambda number: _encode(segment.stored(number)[0].id))
        self._segment = segment

    def postings(self, term: bytes) -> Postings | None:
        docs = np.array([self._segment.find_id(term.decode("utf-8", "surrogatepass"))])
        return Postings(docs, np.ones_like(docs)) if docs[0] >= 0 else None


class Terms(base.TermsReader):
    """All terms of a segment, in the order of their fields and bytes."""

    def __init__(self, fields: dict[str, Words | Values]) -> None:
        self._fields = fields

    def __contains__(self, term: Term) -> bool:
        return self._fields[term[0]].postings(term[1]) is not None

    def indexed_field_names(self) -> Sequence[str]:
        return sorted(self._fields)

    def terms(self) -> Iterator[Term]:
        return self.terms_from("", b"")

    def terms_from(self, fieldname: str, prefix: bytes) -> Iterator[Term]:
        for name in sorted(self._fields):
            if name >= fieldname:
                start = prefix if name == fieldname else b""
                yield from ((name, term) for term in self._fields[name].starting_at(start))

    def items(self) -> Iterator[tuple[Term, TermInfo]]:
        return self.items_from("", b"")

    def items_from(self, fieldname: str, prefix: bytes) -> Iterator[tuple[Term, TermInfo]]:
        return ((term, self.term_info(*term)) for term in self.terms_from(fieldname, prefix))

    def term_info(self, fieldname: str, text: bytes) -> TermInfo:
        found = self._fields[fieldname].postings(text)
        if found is None:
            raise KeyError(fieldname, text)  # what Whoosh expects, here but not in `matcher`
        return self._info(fieldname, found)

    def frequency(self, fieldname: str, text: bytes) -> float:
        return self.term_info(fieldname, text).weight()

    def doc_frequency(self, fieldname: str, text: bytes) -> int:
        return self.term_info(fieldname, text).doc_frequency()

    def _info(self, fieldname: str, found: Postings) -> TermInfo:
        """Return Whoosh's record of a term, a new one each time, since Whoosh changes it."""
        docs, counts, _ = found
        lengths = self._fields[fieldname].lengths[docs]
        shortest, longest = int(lengths.min()), int(lengths.max())
        total, most = float(counts.sum()), float(counts.max())
        return TermInfo(total, len(docs), shortest, longest, most, int(docs[0]), int(docs[-1]))

    def matcher(
        self, fieldname: str, text: bytes, format_: Format, scorer: BaseScorer | None = None
    ) -> "Matcher":
        found = self._fields[fieldname].postings(text)
        if found is None:
            raise TermNotFound(f"No term {fieldname}:{text!r}")
        return Matcher(
            found.docs.tolist(),
            found.counts.astype(float).tolist(),
            None if found.positions is None else Places(found, format_),
            format_,
            scorer,
            term=(fieldname, text),
            terminfo=self._info(fieldname, found),
        )

    def cursor(self, fieldname: str, fieldobj: FieldType) -> "Cursor":
        return Cursor(self._fields[fieldname], fieldobj)


class Matcher(ListMatcher):
    """Goes through the postings of a term, which are one block to Whoosh."""

    def block_max_weight(self) -> float:  # Whoosh's own looks for it again for every article
        most: float = self._terminfo.max_weight()
        return most


class Places(Sequence[bytes]):
    """Where a term stands in each article, put as Whoosh's files have it when asked for."""

    def __init__(self, found: Postings, format_: Format) -> None:
        self._positions: Any = found.positions
        self._ends = np.cumsum(found.counts, dtype=np.int64)
        self._starts = self._ends - found.counts
        self._encode = format_.encode  # type: ignore[attr-defined] # of formats with positions

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, which: Any) -> Any:
        return self._encode(self._positions[self._starts[which] : self._ends[which]].tolist())


class Cursor(base.FieldCursor):
    """Stands on a term of a field; with it Whoosh jumps from one similar word to the next."""

    def __init__(self, terms: Words | Values, field: FieldType) -> None:
        self._terms, self._field = terms, field
        self.first()

    def first(self) -> str | None:
        return self.find(b"")

    def find(self, string: str | bytes) -> str | None:
        self._rest = self._terms.starting_at(self._field.to_bytes(string))
        return self.next()

    def next(self) -> str | None:
        term = next(self._rest, None)
        self._text = None if term is None else self._field.from_bytes(term)
        return self._text

    def text(self) -> str | None:
        return self._text

    def is_valid(self) -> bool:
        return self._text is not None


# -- articles ----------------------------------------------------------------------------------


class Articles(base.PerDocumentReader):
    """What a segment has of each article.

    Attributes:
        fields: its terms, by the names of their fields.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._segment = segment = Segment(folder / name)
        gone = read(folder / REMOVED) if (folder / REMOVED).exists() else None
        self._removed = frozenset(map(int, gone.whole(name) if gone and name in gone else ()))
        self.fields: dict[str, Words | Values] = {each: Words(segment, each) for each in FIELDS}
        for date in DATES:
            self.fields[date] = Values(segment.size, _date_term(segment.arrays.whole(date)))
        self.fields["id"] = Ids(segment)

    def doc_count(self) -> int:
        return self._segment.size - len(self._removed)

    def doc_count_all(self) -> int:
        return self._segment.size

    def has_deletions(self) -> bool:
        return bool(self._removed)

    def is_deleted(self, docnum: int) -> bool:
        return docnum in self._removed

    def deleted_docs(self) -> frozenset[int]:
        return self._removed

    def supports_columns(self) -> bool:
        return True

    def has_column(self, fieldname: str) -> bool:
        return fieldname in DATES

    def list_columns(self) -> tuple[str, ...]:
        return DATES

    def column_reader(self, fieldname: str, column: Column) -> "Dates":
        return Dates(self._segment.arrays.whole(fieldname))

    def doc_field_length(self, docnum: int, fieldname: str, default: int = 0) -> int:
        return int(self.fields[fieldname].lengths[docnum]) or default

    def field_length(self, fieldname: str) -> int:
        return int(self.fields[fieldname].lengths.sum())

    def min_field_length(self, fieldname: str) -> int:
        return int(self.fields[fieldname].lengths.min())

    def max_field_length(self, fieldname: str) -> int:
        return int(self.fields[fieldname].lengths.max())

    def stored_fields(self, docnum: int) -> dict[str, Any]:
        article, _ = self._segment.stored(docnum)
        found = {name: getattr(article, name) for name in (*STORED_FIELDS, "text")}
        return {name: value for name, value in found.items() if value is not None}


class Dates(ColumnReader):
    """The dates of all articles, to sort by."""

    def __init__(self, dates: Array) -> None:
        self._dates, self._doccount, self._direction = dates, len(dates), 1

    def __getitem__(self, docnum: int) -> int:
        return int(self._dates[docnum])

    def sort_key(self, docnum: int) -> Any:
        return self[docnum] * self._direction

    def set_reverse(self) -> None:
        self._direction = -1


def _encode(article_id: str) -> bytes:
    return article_id.encode("utf-8", "surrogatepass")


def _date_term(dates: Array) -> Callable[[int], bytes]:
    """Return what makes an article's date the term that NUMERIC makes of it; b"" if unknown."""
    return lambda number: struct.pack(">BQ", 0, int(dates[number])) if dates[number] else b""
