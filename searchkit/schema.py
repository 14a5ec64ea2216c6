"""Which fields the index has, and why each is indexed, stored or sortable."""

from collections.abc import Iterator

from searchkit.analysis.tokenize import spans

# The indexed fields. Title and text of an article are one, so that a phrase is looked up once:
# the words of the title come first, then GAP positions of nothing, then those of the text.
FIELDS = ("main", "source", "section", "author", "tags", "language")

GAP = 300  # positions between title and text, and from tag to tag: no phrase reaches across
MAX_SLOP = 250  # words that a phrase may have between its own; less than GAP

# What is searched where a query names no field.
DEFAULT_FIELDS = ("title", "text")

# What a query calls the fields that it can name. The title is the beginning of "main".
FIELD_NAMES = {
    "title": "title",
    "source": "source",
    "section": "section",
    "author": "author",
    "tag": "tags",
    "language": "language",
}

EXACT = "="  # put before a form to tell it from the lemmas of the same field


def key(name: str, term: str) -> str:
    """Return a term or form as the term dictionary has it: all fields are in one.

    Words of "main" stand as they are; those of any other field follow a control character,
    with which no word begins.
    """
    number = FIELDS.index(name)
    return f"{chr(number)}{term}" if number else term


PAIR = "\x1f"  # put before two lemmas that often stand side by side (`codec.together`)


def pair_key(left: str, right: str) -> str:
    """Return two lemmas, side by side in title or text, as the term dictionary has them."""
    return f"{PAIR}{left} {right}"


def values(value: str | tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield the words of a text, or of a list of texts, as written, with their positions."""
    position = 0
    for text in [value] if isinstance(value, str) else value:
        for start, end in spans(text):
            yield position, text[start:end]
            position += 1
        position += GAP
