"""Tree: what was asked, as data.

A node prints as a query that parses to the same tree; that is what `read_as` shows.

    Word("переговори")            any form of the word
    Word("lemma:київ")            any form of this reading of a word         lemma:київ
    Exact("переговорів")          that very form                           =переговорів
    Prefix("перегов")             any word that begins like this           перегов*
    Phrase((Word, Word), None)    side by side, in this order              "мирні переговори"
    Phrase((Word, Word), 5)       in any order, 5 or fewer words between   "мирні переговори"~5
    Some((Word, Word))            all of them first, then some             мирні переговори
                                  (of more than FEW, whatever is best)
    And, Or, Not                  as they say                              мир AND NOT війна
    Field("title", node)          only there                               title:переговори
    Dates(first, last, text)      published then                           date:2025-09
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from searchkit.analysis import Token
from searchkit.dates import Span
from searchkit.query.rank import FEW
from searchkit.schema import EXACT, FIELD_NAMES

LEMMA = "lemma:"  # put before a lemma in a query: none of the other readings of a word is meant

# In capitals only; і and та in a sentence are words like any other.
OPERATORS = {
    **dict.fromkeys(("AND", "І", "ТА"), "and"),
    **dict.fromkeys(("OR", "АБО"), "or"),
    **dict.fromkeys(("NOT", "НЕ"), "not"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """Any form of a word. `terms` are its lemmas: alternatives, one of which is enough.

    `at` is the stretch of the query that it was read from, here and below; none if it was not.
    """

    text: str
    terms: tuple[str, ...]
    form: str
    is_function: bool = False
    at: Span = field(default=(0, 0), compare=False)

    @property
    def is_lemma(self) -> bool:
        """Whether one of the readings of a word is asked for."""
        return self.text.startswith(LEMMA)

    def __str__(self) -> str:
        return f'"{self.text}"' if self.text in OPERATORS else self.text

    def matches(self, token: Token) -> bool:
        """Tell whether a word of an article is one that is asked for."""
        return not set(self.terms).isdisjoint(token.lemmas)


@dataclass(frozen=True, slots=True)
class Exact:
    """One form of a word, as it was typed but for case and spelling of apostrophes."""

    form: str
    at: Span = field(default=(0, 0), compare=False)

    @property
    def terms(self) -> tuple[str, ...]:
        """The one term of the index that stands for the form."""
        return (EXACT + self.form,)

    def __str__(self) -> str:
        return f"={self.form}"

    def matches(self, token: Token) -> bool:
        """Tell whether a word of an article is one that is asked for."""
        return self.form in token.forms


@dataclass(frozen=True, slots=True)
class Prefix:
    """Any word that begins like this, as it stands in the article or in its base form."""

    start: str
    at: Span = field(default=(0, 0), compare=False)

    def __str__(self) -> str:
        return f"{self.start}*"

    def matches(self, token: Token) -> bool:
        """Tell whether a word of an article is one that is asked for."""
        return any(term.startswith(self.start) for term in (*token.lemmas, *token.forms))


Leaf = Word | Exact | Prefix


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words side by side and in order or, with a slop, that many other words between them.

    With a slop the order is free, and the words stand within a stretch of the article that
    has at most `slop` words beside them.
    """

    words: tuple[Leaf, ...]
    slop: int | None = None

    def __str__(self) -> str:
        tail = "" if self.slop is None else f"~{self.slop}"
        words = (word.text if isinstance(word, Word) else str(word) for word in self.words)
        return f'"{" ".join(words)}"{tail}'


@dataclass(frozen=True, slots=True)
class Dates:
    """Articles whose date may lie between two moments, YYYYMMDDhhmmss, both included."""

    span: Span
    text: str

    def __str__(self) -> str:
        return f"date:{self.text}"


@dataclass(frozen=True, slots=True)
class Field:
    """A node that is looked for in one field only; `name` is one of FIELD_NAMES."""

    name: str
    part: "Node"

    def __str__(self) -> str:
        return f"{self.name}:{_bracket(self.part, Leaf | Phrase)}"


@dataclass(frozen=True, slots=True)
class Not:
    """Every article that does not match."""

    part: "Node"

    def __str__(self) -> str:
        return f"NOT {_bracket(self.part, Leaf | Phrase | Field | Dates)}"


@dataclass(frozen=True, slots=True)
class And:
    """Articles that match every part."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " AND ".join(
            _bracket(part, Leaf | Phrase | Field | Dates | Not) for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class Or:
    """Articles that match at least one part."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " OR ".join(
            _bracket(part, Leaf | Phrase | Field | Dates | Not | And) for part in self.parts
        )


@dataclass(frozen=True, slots=True)
class Some:
    """Plain words: articles that match at least one part.

    Those that match all come first, unless there are more than FEW.
    """

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " ".join(_bracket(part, Leaf | Phrase | And | Or) for part in self.parts)

    @property
    def wanted(self) -> tuple["Node", ...]:
        """The parts that are asked for: function words only where there is nothing else.

        Of a long run the words of each phrase, too: there it raises the articles that have it,
        and others may be meant as well.
        """
        return self.asked()[0]

    @property
    def is_long(self) -> bool:
        """Whether so much is asked for that hardly any article has all of it."""
        return self.asked()[1]

    def asked(self) -> tuple[tuple["Node", ...], bool]:
        """Return `wanted` and `is_long`: whoever needs both has them in half the time."""
        plain = [part for part in self.parts if not (isinstance(part, Word) and part.is_function)]
        content = tuple(plain) or self.parts
        if not _is_long(content):
            return content, False
        return content + tuple(w for part in content for w in _words(part) if w != part), True


Node = Leaf | Phrase | Dates | Field | Not | And | Or | Some


def _is_long(content: tuple[Node, ...]) -> bool:
    if len(content) <= FEW and Phrase not in map(type, content):  # mostly, and soon told
        return False
    words = [word for part in content for word in _words(part)]
    return len(content) > 1 and len(words) > FEW and len(set(words)) > FEW


def _words(part: Node) -> tuple[Node, ...]:
    """Return the words of a phrase that has no slop; of any other part the part."""
    if not isinstance(part, Phrase) or part.slop is not None:
        return (part,)
    return tuple(word for word in part.words if not _is_function(word))


def _is_function(part: Node) -> bool:
    return isinstance(part, Word) and part.is_function


def leaves(node: Node, fields: tuple[str, ...]) -> Iterator[tuple[Leaf | Phrase, tuple[str, ...]]]:
    """Yield what an article is matched by, with the fields where: nothing that is excluded."""
    match node:
        case Field(name, part):
            yield from leaves(part, (FIELD_NAMES[name],))
        case Some():
            for part in node.wanted:
                yield from leaves(part, fields)
        case And(parts) | Or(parts):
            for part in parts:
                yield from leaves(part, fields)
        case Word() | Exact() | Prefix() | Phrase():
            yield node, fields


def is_long(node: Node) -> bool:
    """Tell whether there is a long run of plain words in what is asked for."""
    match node:
        case Some(parts):
            return node.is_long or any(map(is_long, parts))
        case And(parts) | Or(parts):
            return any(map(is_long, parts))
        case Field(_, part):
            return is_long(part)
    return False


def _bracket(node: Node, plain: object) -> str:
    return str(node) if isinstance(node, plain) else f"({node})"  # type: ignore[arg-type]
