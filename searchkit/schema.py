"""Which fields the index has, and why each is indexed, stored or sortable."""

from collections.abc import Generator, Iterable, Iterator

from whoosh.columns import NumericColumn
from whoosh.fields import COLUMN, ID, STORED, TEXT, Schema
from whoosh.formats import Positions

from searchkit.analysis import Token, analyze

# Searched where a query names no field.
DEFAULT_FIELDS = ("title", "text")

# What a query calls the fields that it can name.
FIELD_NAMES = {
    "title": "title",
    "source": "source",
    "section": "section",
    "author": "author",
    "tag": "tags",
}

EXACT = "="  # put before a form to tell it from the lemmas of the same field
GAP = 100  # positions between the values of a list: no phrase reaches from tag to tag


class Words(TEXT):
    """Text indexed by every lemma of each word and, marked by `=`, by its form.

    All terms of one word share its position. Its frequency is counted for the first of them
    only, so that the field's length is the number of its words.
    """

    def __init__(self) -> None:
        super().__init__(stored=True)

    def index(
        self, value: str | Iterable[str], **_kwargs: object
    ) -> Generator[tuple[bytes, int, float, bytes], None, None]:
        """Yield (term, share of the field's length, frequency, encoded positions)."""
        words: dict[str, int] = {}
        positions: dict[str, list[int]] = {}
        for position, token in places(value):
            words[token.lemmas[0]] = words.get(token.lemmas[0], 0) + 1
            for term in index_terms(token):
                positions.setdefault(term, []).append(position)
        for term, found in positions.items():
            encoded = Positions().encode(found)
            yield term.encode(), words.get(term, 0), float(len(found)), encoded


def index_terms(token: Token) -> list[str]:
    """Return every term that the token is indexed by, its first lemma first."""
    return [*token.lemmas, *(EXACT + form for form in token.forms)]


def places(value: str | Iterable[str]) -> Iterator[tuple[int, Token]]:
    """Yield the words of a text, or of a list of texts, with their positions."""
    position = 0
    for text in [value] if isinstance(value, str) else value:
        for token in analyze(text):
            yield position, token
            position += 1
        position += GAP


def schema() -> Schema:
    """Return the schema of every searchkit index."""
    return Schema(
        id=ID(stored=True, unique=True),  # to show, replace and drop one article
        title=Words(),
        text=Words(),
        source=Words(),  # analysed like text: source:правда finds «Українська правда»
        section=Words(),
        author=Words(),  # author:Левчук finds «Олени Левчук»
        tags=Words(),
        date=STORED(),  # as the article has it
        url=STORED(),
        language=STORED(),
        digest=STORED(),  # tells a changed article from the same
        first=_number(),  # the date as a span of seconds, to filter and sort
        last=_number(),
        title_length=_number(),  # in words: Whoosh itself keeps lengths in one byte, which
        text_length=_number(),  # is too coarse to rank by
    )


def _number() -> COLUMN:
    return COLUMN(NumericColumn("Q"))  # type: ignore[no-untyped-call]
