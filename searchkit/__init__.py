"""Full-text search over Ukrainian news archives.

from searchkit import Archive

Archive.build("corpus", "index")
with Archive.open("index") as archive:
    for hit in archive.search("переговори"):
        print(hit.article.title, hit.passages[0].text)
"""

from searchkit.archive import Archive, Hit, Results
from searchkit.article import Article
from searchkit.errors import SearchkitError
from searchkit.highlight import Passage

__all__ = ["Archive", "Article", "Hit", "Passage", "Results", "SearchkitError"]
