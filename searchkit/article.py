"""Article: the record that travels from file to screen."""

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
        """Return all of it: each field, of the tags each, with a NUL behind it; then the text.

        No article that is read has a NUL in it, or a field that is empty but not None.
        """
        name, text, title, date, url, source, author, section, tags, language = self
        others = (date or "", url or "", source or "", author or "", section or "", language or "")
        return "\0".join([name, title, *others, *tags, text])

    @classmethod
    def of(cls, content: str) -> "Article":
        """Return the article that has this content.

        Raises:
            ValueError: no article has.
        """
        name, title, *others, text = content.split("\0")
        date, url, source, author, section, language = (each or None for each in others[:6])
        tags = tuple(others[6:])
        return cls(name, text, title, date, url, source, author, section, tags, language)


# Every field but the text, in order.
FIELDS = tuple(name for name in Article._fields if name != "text")
