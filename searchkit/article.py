"""Article: the record that travels from file to screen."""

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
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

    def digest(self) -> bytes:
        """Return 16 bytes that change whenever any field does."""
        content = self.fields() + b"\n" + self.text.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(content, digest_size=16).digest()

    def fields(self) -> bytes:
        """Return every field but the text as one line of JSON, in the order of FIELDS."""
        values = [getattr(self, name) for name in FIELDS]
        return _encode(values).encode("utf-8", "surrogatepass")


_encode = json.JSONEncoder(ensure_ascii=False).encode

# Every field but the text, in order.
FIELDS = tuple(name for name in Article.__match_args__ if name != "text")
