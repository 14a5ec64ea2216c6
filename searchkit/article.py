"""Article: the record that travels from file to screen."""

import json
from operator import attrgetter
from typing import NamedTuple


class Article(NamedTuple):
    """One article as its file has it.

    Attributes:
        id: unique in its archive.
        text: the body; paragraphs are separated by blank lines.
        title: empty where the source has none.
        date: ISO 8601 exactly as the source has it: a day, a time, a month (`2011-05`) or a year.
        url, source, author, section, language: None where unknown.
        tags: in the source's order.
    """

    id: str
    text: str
    title: str = ""
    date: str | None = None
    url: str | None = None
    source: str | None = None
    author: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    language: str | None = None

    def content(self) -> str:
        """Return all of it: one line of JSON, the other fields in their order; then the text."""
        return f"{_encode(_values(self))}\n{self.text}"

    @classmethod
    def of(cls, content: str) -> "Article":
        """Return the article that has this content.

        Raises:
            ValueError: no article has.
        """
        try:
            values, end = _decode(content)
            name, title, date, url, source, author, section, tags, language = values
            "".join(
                [name, title, *tags, *filter(None, [date, url, source, author, section, language])]
            )
        except (TypeError, RecursionError) as error:
            raise ValueError(content[:100]) from error
        text = content[end + 1 :]
        return cls(name, text, title, date, url, source, author, section, tuple(tags), language)


_encode = json.JSONEncoder(ensure_ascii=False).encode
_decode = json.JSONDecoder().raw_decode

# Every field but the text, in order.
FIELDS = tuple(name for name in Article._fields if name != "text")
_values = attrgetter(*FIELDS)
