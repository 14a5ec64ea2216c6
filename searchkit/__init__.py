"""Full-text search over Ukrainian news archives.

from searchkit import Archive

Archive.build("corpus", "index")
with Archive.open("index") as archive:
    for hit in archive.search("переговори"):
        print(hit.article.title, hit.passages[0].text)
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from searchkit.archive import Archive, Hit, Results
    from searchkit.article import Article
    from searchkit.errors import SearchkitError
    from searchkit.highlight import Passage

__all__ = ["Archive", "Article", "Hit", "Passage", "Results", "SearchkitError"]

_HOMES = {
    "Archive": "archive",
    "Article": "article",
    "Hit": "archive",
    "Passage": "highlight",
    "Results": "archive",
    "SearchkitError": "errors",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is: NumPy takes longer to import than a search does."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
