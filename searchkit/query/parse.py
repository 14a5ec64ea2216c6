"""Parse: the user's text becomes a tree. Nothing that can be typed is an error.

    query    one or more of: either, one after the other      plain words: all first, then some
    either   both OR both ...                                 OR  АБО
    both     item AND item ...                                AND І ТА
    item     NOT item | ( query ) | field:item | "phrase" | "phrase"~5 | leaf
    leaf     word | =form | lemma:lemma | start*

OR binds its neighbours before they become part of a run of plain words, AND before OR. In
such a run whatever has a field name or NOT before it is a condition: `переговори
source:вісник NOT Київ` wants every article to meet the last two. Punctuation says nothing.

Inside quotation marks only leaves count: operators and field names are words like any other.

What cannot be meant as it stands (a bracket left open, an operator with nothing behind it)
is read as well as it can be, and `Query.mended` is set.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from searchkit.analysis import form_terms, half_of, is_function_word
from searchkit.analysis.normalize import fold, normalize
from searchkit.analysis.tokenize import WORD, spans
from searchkit.dates import Span, parse_span
from searchkit.errors import DateError
from searchkit.query.tree import (
    LEMMA,
    OPERATORS,
    And,
    Dates,
    Exact,
    Field,
    Leaf,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Some,
    Word,
)
from searchkit.schema import FIELD_NAMES, MAX_SLOP

MAX_DEPTH = 30  # brackets within brackets; deeper ones are read as if they were not there
MAX_WORDS = 200  # the rest of a longer query is not read
_MAX_LEXEMES = 25_000  # likewise, of a text that consists of brackets, say

CAPITAL = "[A-ZА-ЯІЇЄҐ]"
OPENING = '"«“„'
CLOSING = '"»”“'

_LEXEME = re.compile(
    rf"""(?P<open>\()
    | (?P<close>\))
    | (?P<phrase>[{OPENING}](?P<quoted>[^{OPENING}{CLOSING}]*)(?P<end>[{CLOSING}]|$)
          (?:~(?P<slop>\d+))?)
    | (?P<date>\bdate:\s*(?:\[(?P<range>[^\]]*)\]?|(?P<day>[\w:.+-]*)))
    | (?P<field>\b(?:{"|".join(FIELD_NAMES)}):)
    | (?P<lone>\b{LEMMA}(?!\w))
    | (?P<dotted>\b(?:{CAPITAL}\.){{2,}}{CAPITAL}\b\.?)
    | (?P<word>(?P<sign>(?:=|{LEMMA})(?=\w))?(?P<text>{WORD})(?P<unknown>:(?=\w))?(?P<star>\*)?)
    | (?P<stray>[*{OPENING}{CLOSING}])
    """,
    re.VERBOSE,
)
_QUOTED = re.compile(rf"(?P<sign>(?:=|{LEMMA})(?=\w))?(?P<text>{WORD})(?P<star>\*)?")


_DAY_FIRST = re.compile(r"^(\d\d)\.(\d\d)\.(\d{4})$", re.ASCII)
_ANY_DAY = re.compile(r"\d{4}-\d\d-(?:29|3[01])", re.ASCII)

TermsOf = Callable[[str], tuple[str, ...]]


def _unknown(_form: str) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was understood.

    Attributes:
        text: as it was typed.
        tree: what is asked for; None where there is no word to look for.
        mended: whether something in the text could not be meant as it stood, or there is no word
            in it to look for.
    """

    text: str
    tree: Node | None
    mended: bool

    @property
    def read_as(self) -> str | None:
        """The query as it was understood, where that is not how it was typed."""
        return str(self.tree or "") if self.mended else None


def parse(text: str, terms_of: TermsOf = _unknown) -> Query:
    """Read a query. Any string at all can be read.

    Args:
        text: as it was typed.
        terms_of: gives the terms of a form where they are known, nothing where they are not; the
            dictionary is asked for the others.

    >>> str(parse("мир AND (війна").tree)
    'мир AND війна'
    """
    reader = _Reader(text, terms_of)
    tree = reader.query(0)
    return Query(text, tree, reader.mended or tree is None)


class _Lexeme(NamedTuple):
    kind: str  # open, close, and, or, not, field, node
    node: Node | None = None
    name: str = ""
    at: int = 0


class _Reader:
    def __init__(self, text: str, terms_of: TermsOf) -> None:
        self.mended = False
        self._terms_of = terms_of
        self._words = self._depth = 0
        found = _LEXEME.finditer(text)
        self._lexemes = [lex for match in islice(found, _MAX_LEXEMES) for lex in self._lex(match)]
        self.mended |= next(found, None) is not None
        self._at = 0

    # -- from characters to lexemes --

    def _lex(self, match: re.Match[str]) -> list[_Lexeme]:
        kind = str(match.lastgroup)  # of nested groups the outermost
        if kind in ("open", "close"):
            return self._bracket_of(kind)
        if kind == "field":
            return [_Lexeme("field", name=match["field"][:-1])]
        if kind in ("stray", "lone"):  # 'lemma:"мирні переговори"': it goes before a word only
            self.mended = True
            return []
        if kind == "date":
            return self._date(match)
        if kind == "dotted":
            return self._abbreviation(match)
        if kind == "phrase":
            return self._phrase(match)
        if match["text"] in OPERATORS and not (match["sign"] or match["star"]):
            at = match.span("text")
            return [_Lexeme(OPERATORS[match["text"]], name=match["text"], at=at[0])]
        self.mended |= match["unknown"] is not None  # "foo:bar": there is no such field
        return [_Lexeme("node", self._halved(leaf)) for leaf in self._leaves(match)]

    def _bracket_of(self, kind: str) -> list[_Lexeme]:
        """Pass over what is within too many others, and what closes it."""
        depth = self._depth + (kind == "open")
        self._depth = max(depth - (kind == "close"), 0)
        self.mended |= depth > MAX_DEPTH
        return [_Lexeme(kind)] if depth <= MAX_DEPTH else []

    def _leaves(self, match: re.Match[str], base: int = 0) -> list[Leaf]:
        self._words += 1
        if self._words > MAX_WORDS:
            self.mended = True
            return []
        text, start = match["text"], base + match.start("text")
        at = start, start + len(text)
        if match["sign"]:
            self.mended |= match["star"] is not None  # "=мир*" asks for two things at once
            form = _form(text)
            is_lemma = match["sign"] == LEMMA
            return [Word(LEMMA + form, (form,), form, at=at) if is_lemma else Exact(form, at)]
        if match["star"]:
            self.mended |= match.string[match.end() :][:1].isalnum()  # "перег*вори": two words
            return [Prefix(_form(text), at)]
        return [self._word(text, at)]

    def _word(self, text: str, at: Span = (0, 0)) -> Word:
        """Make the node for a word; a compound is asked for as a whole."""
        form = _form(text)
        terms = self._terms_of(form) or form_terms(form)
        return Word(text, terms, form, is_function_word(form), at)

    def _halved(self, leaf: Leaf) -> Leaf | Phrase:
        """Ask for a half of something in both spellings: пів'яблука and, since 2019, пів яблука."""
        rest = half_of(leaf.form) if isinstance(leaf, Word) and not leaf.is_lemma else None
        return Phrase((self._word("пів"), self._word(rest)), 0) if rest else leaf

    def _phrase(self, match: re.Match[str]) -> list[_Lexeme]:
        self.mended |= not match["end"]
        base = match.start("quoted")
        words = [
            leaf
            for inner in _QUOTED.finditer(match["quoted"])
            for leaf in self._leaves(inner, base)
        ]
        if not words:
            self.mended = True
            return []
        slop = None
        if match["slop"]:
            typed = int(match["slop"][:4000])  # of more digits Python makes no number
            slop = min(typed, MAX_SLOP)
            self.mended |= slop < typed
        return [_Lexeme("node", Phrase(tuple(words), slop) if len(words) > 1 else words[0])]

    def _abbreviation(self, match: re.Match[str]) -> list[_Lexeme]:
        """Read С.Б.У. as СБУ or as it stands: people write either."""
        letters = match[0].replace(".", "")
        self._words += 1 + len(letters)
        if self._words > MAX_WORDS:
            self.mended = True
            return []
        apart = Phrase(tuple(self._word(letter) for letter in letters), None)
        return [_Lexeme("node", Or((self._word(letters, match.span()), apart)))]

    def _date(self, match: re.Match[str]) -> list[_Lexeme]:
        """Read `date:2025-09` or `date:[2025-09-01 TO 2025-09-30]`, either end open with *."""
        text = match["day"] if match["range"] is None else match["range"]
        ends = re.split(r"\s+(?:TO|ДО)\s+|\s+(?:TO|ДО)$|^(?:TO|ДО)\s+", text.strip())
        ends = [_DAY_FIRST.sub(r"\3-\2-\1", end.strip()) for end in ends]
        first, last = map(self._existing, (ends[0], ends[-1]))
        try:
            if len(ends) > 2 or not (first or last):
                raise DateError(text)  # noqa: TRY301 - mended below like any other
            span = _span(first, last)
            if span[0] > span[1]:  # "[2019 TO 2018]": the ends are swapped
                self.mended = True
                first, last = last, first
                span = _span(first, last)
        except DateError:
            self.mended = True
            # Their place is not told: another word there would be no better date.
            return [_Lexeme("node", self._word(text[i:j])) for i, j in list(spans(text))[:2]]
        shown = first if match["range"] is None else f"[{first or '*'} TO {last or '*'}]"
        return [_Lexeme("node", Dates(span, shown))]

    def _existing(self, day: str) -> str:
        """Take the month for a day that it does not have: "2025-09-31"."""
        if _ANY_DAY.fullmatch(day):
            try:
                parse_span(day)
            except DateError:
                self.mended = True
                return day[:-3]
        return day

    # -- from lexemes to a tree --

    def query(self, depth: int) -> Node | None:
        """Read up to the bracket that closes this level, or to the end."""
        parts: list[Node] = []
        while (kind := self._kind()) is not None:
            if kind == "close":
                if depth:
                    break
                self._skip()  # closes nothing
            elif kind in ("and", "or"):
                self._lone(parts)
            elif (part := self._either(depth)) is not None:
                parts.append(part)
        return _run(parts)

    def _lone(self, parts: list[Node]) -> None:
        """Pass over an operator with nothing before it; `І` begins a sentence like any word."""
        lexeme = self._lexemes[self._at]
        if lexeme.name == "І" and not parts and len(self._lexemes) > 1:
            self._at += 1
            parts.append(self._word("І", (lexeme.at, lexeme.at + 1)))
        else:
            self._skip()

    def _either(self, depth: int) -> Node | None:
        parts = self._joined("or", self._both, depth)
        return Or(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None

    def _both(self, depth: int) -> Node | None:
        parts = self._joined("and", self._item, depth)
        return And(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None

    def _joined(self, operator: str, read: Callable[[int], Node | None], depth: int) -> list[Node]:
        parts = [read(depth)]
        while self._kind() == operator:
            self._at += 1
            while self._kind() in ("and", "or"):
                self._skip()  # "мир AND OR війна"
            parts.append(read(depth))
        return [part for part in parts if part is not None]

    def _item(self, depth: int) -> Node | None:
        negated = False
        while self._kind() == "not":
            negated = not negated
            self._at += 1
        if self._kind() in (None, "close", "and", "or"):
            self.mended = True
            return None
        lexeme = self._lexemes[self._at]
        self._at += 1
        if lexeme.kind == "open":
            node = self._bracket(depth)
        elif lexeme.kind == "field":
            node = self._field(lexeme, depth)
        else:
            node = lexeme.node
        return Not(node) if negated and node is not None else node

    def _bracket(self, depth: int) -> Node | None:
        node = self.query(depth + 1)
        if self._kind() == "close":
            self._at += 1
        else:
            self.mended = True  # left open
        self.mended |= node is None
        return node

    def _field(self, field: _Lexeme, depth: int) -> Node | None:
        if self._kind() not in ("node", "open"):
            self.mended = True
            return self._word(field.name)  # "title:" and nothing: perhaps the word was meant
        node = self._item(depth)
        return None if node is None else Field(field.name, node)

    def _kind(self) -> str | None:
        return self._lexemes[self._at].kind if self._at < len(self._lexemes) else None

    def _skip(self) -> None:
        self._at += 1
        self.mended = True


def _form(text: str) -> str:
    return fold(normalize(text))


def _span(first: str, last: str) -> Span:
    return (
        parse_span(first)[0] if first not in ("", "*") else 1,
        parse_span(last)[1] if last not in ("", "*") else 99999999999999,
    )


_CONDITIONS = (Field, Dates, Not)


def _run(parts: list[Node]) -> Node | None:
    """Make one node of a run of parts: conditions apply, of the others some will do."""
    conditions = [part for part in parts if isinstance(part, _CONDITIONS)]
    plain: list[Node] = [part for part in parts if not isinstance(part, _CONDITIONS)]
    if len(plain) > 1:
        plain = [Some(tuple(plain))]
    every = (*plain, *conditions)
    return And(every) if len(every) > 1 else every[0] if every else None
