"""Every error that searchkit raises.

    SearchkitError
    ├── RequestError            what was asked for cannot be done          exit code 2
    │   ├── CorpusError         no articles where articles should be
    │   ├── ArticleError        one record is bad: file, line, reason
    │   ├── DateError           a date that is not ISO 8601
    │   └── QueryTimeout        the answer took longer than it may
    ├── BuildFailed             a process that builds was killed           exit code 2
    ├── DictionaryDamaged       the words' dictionary cannot be read       exit code 2
    └── IndexUnusable           there is no index to answer from           exit code 3
        ├── IndexMissing        nothing was built there yet
        ├── IndexLocked         another process is writing
        ├── IndexUnwritable     no room, no permission, a disk that fails
        ├── IndexVersion        built by another version of searchkit
        └── CorruptIndex        a file is damaged or missing

The message of each is one sentence for the person who asked, with what to do next.
"""


class SearchkitError(Exception):
    """The base of all of them: what an application that embeds searchkit catches."""

    exit_code = 2


class RequestError(SearchkitError):
    """The request cannot be met as it was made."""


class CorpusError(RequestError):
    """The corpus is not there, cannot be read, or holds no articles."""


class ArticleError(RequestError):
    """One record of a corpus is bad.

    Attributes:
        source: the file as the user would name it, or "standard input".
        line: the line where the record begins, counted from 1; None for a whole file.
        reason: what is wrong with it.
    """

    def __init__(self, source: str, line: int | None, reason: str) -> None:
        self.source = source
        self.line = line
        self.reason = reason
        place = source if line is None else f"{source}, line {line}"
        super().__init__(f"{place}: {reason}")


class DateError(RequestError):
    """A date that is neither a year, a month, a day nor a time of ISO 8601."""


class QueryTimeout(RequestError):  # noqa: N818 - read as a sentence
    """A query took longer than it was allowed to; what was found by then is not given."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The query took longer than {seconds:g} s and was stopped; ask for fewer or rarer"
            " words, or allow it more time."
        )


class BuildFailed(SearchkitError):  # noqa: N818 - read as a sentence
    """A process that analyses articles was killed; the index is left as it was."""


class DictionaryDamaged(SearchkitError):  # noqa: N818 - likewise
    """The dictionary, a package beside searchkit, is not as it was installed."""


class IndexUnusable(SearchkitError):  # noqa: N818 - read as a sentence: "index unusable"
    """There is no index that could answer."""

    exit_code = 3


class IndexMissing(IndexUnusable):
    """No index was ever built in this folder."""


class IndexLocked(IndexUnusable):
    """Another process is writing this index."""


class IndexUnwritable(IndexUnusable):
    """The index cannot be written; what was live stays so."""


class IndexVersion(IndexUnusable):
    """The index was written in a format or by an analyser that this version does not read."""


class CorruptIndex(IndexUnusable):
    """A file of the index is damaged or missing."""
