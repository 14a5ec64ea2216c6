"""Merge: the runs of all processes become one segment.

The vocabularies of the processes are put in order, articles are numbered from the newest on,
and the runs are merged, one range of terms at a time, into the growing file of the segment.
Memory is bounded by the width of a range and the number of distinct words.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from searchkit.analysis.arrays import slices
from searchkit.codec.arrays import Array, Arrays, Growing, read
from searchkit.codec.runs import Vocabulary
from searchkit.codec.segment import BLOCK, CHAMPIONS, DENSE, FORM_CHAMPIONS, FREQUENT, ODD
from searchkit.codec.strings import in_order
from searchkit.codec.together import classes_of
from searchkit.generations import Averages
from searchkit.kernel import kernel
from searchkit.query.rank import K1, LEAD_WORDS, norms, saturate
from searchkit.schema import GAP, PAIR

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = 0xFFFFFFFF  # no slot
MANY = 1 << 20  # postings, whose arrays are not copied
THREADS = 2  # that merge; more of them wait for memory rather than for a processor


def merge_runs(
    made: Sequence[tuple[Sequence[Path], Vocabulary]],
    dictionary: bytes,
    path: Path,
    averages: Averages | None,
    *,
    at_once: int,
) -> Averages:
    """Merge the runs of some processes, each with its vocabulary, into a segment's file.

    Args:
        made: for each process the files of its runs, named in the order in which they were read,
            and its words.
        dictionary: of the records.
        path: where the segment goes.
        averages: those to rank by; None for those of these articles.
        at_once: how many rows each thread holds in memory.

    Returns:
        The averages that the segment is ranked by: those given or, without them, those of these
        articles.
    """
    of_text, words, maps = _vocabulary([vocabulary for _, vocabulary in made])
    files = [
        (run, of_term, ordinals)
        for (paths, _), (of_term, ordinals) in zip(made, maps, strict=True)
        for run in paths
    ]
    # As they were read, whoever made them: so articles of one moment have one order.
    runs = [_open_run(*file) for file in sorted(files, key=lambda file: file[0].name)]
    articles = _number(runs)
    averages = averages or Averages(
        float(articles["title_words"].mean()), float(articles["text_words"].mean())
    )
    articles["title_norms"] = norms("title", articles["title_words"], averages.title)
    articles["text_norms"] = norms("text", articles["text_words"], averages.text)
    with Growing(path) as out:
        for name, array in (words | articles).items():
            out.put(name, [array])
        out.put("dictionary", [np.frombuffer(dictionary, np.uint8)])
        _merge(runs, of_text, words, _Postings(out, articles), at_once)
    return averages


def _vocabulary(
    vocabularies: Sequence[Vocabulary],
) -> tuple[int, dict[str, Array], list[tuple[Ints, Array]]]:
    """Put the words of all processes in order.

    Returns:
        The first term that is a word of title or text, not of another field, or a pair; the arrays
        of terms and forms; and for each process its terms' numbers and, of each pair, the form's
        number among those of its term.
    """
    terms = in_order([each.terms for each in vocabularies])
    forms = in_order([each.forms for each in vocabularies])
    size, many = len(terms.hashes), len(forms.hashes)
    keys = np.concatenate(
        [
            of_term[own.term_of_pair] << 32 | of_form[own.form_of_pair]
            for own, of_term, of_form in zip(
                vocabularies, terms.numbers, forms.numbers, strict=True
            )
        ]
    )
    order = np.argsort(keys)
    begins = _changes(keys[order])
    distinct = keys[order[begins]]
    # np.unique would import numpy.ma, and a stable sort takes ten times as long.
    met = np.minimum.reduceat(order, begins) if len(order) else order
    owner, form = distinct >> 32, distinct & 0xFFFFFFFF
    likeliest = np.argsort(form << 32 | met)  # a word's lemmas were met in the order of likelihood
    per_term, per_form = np.bincount(owner, minlength=size), np.bincount(form, minlength=many)
    lemmas, lemma_ends = owner[likeliest], np.cumsum(per_form)
    arrays = {
        **{f"terms.{name}": array for name, array in terms.arrays.items()},
        **{f"forms.{name}": array for name, array in forms.arrays.items()},
        "term_form_ends": np.cumsum(per_term).astype("<u4"),
        "term_forms": form.astype("<u4"),
        "lemma_ends": lemma_ends.astype("<u4"),
        "lemmas": lemmas.astype("<u4"),
        "marks": np.bincount(forms.letters(-1), minlength=1).nonzero()[0].astype(np.uint8),
        "form_classes": classes_of(terms.hashes)[lemmas[lemma_ends - per_form]],
    }
    firsts = np.cumsum(per_term) - per_term  # of each term its first pair
    number = np.empty(len(keys), np.int64)  # of each pair that among the distinct ones
    number[order] = np.repeat(np.arange(len(distinct)), np.diff(begins, append=len(order)))
    ordinals = (number - firsts[keys >> 32]).astype(np.uint32)
    ends = np.cumsum([len(each.term_of_pair) for each in vocabularies])
    of_each = np.split(ordinals, ends[:-1])
    of_text = int(np.searchsorted(terms.letters(0), ord(PAIR)))
    return of_text, arrays, list(zip(terms.numbers, of_each, strict=True))


def _changes(items: Array) -> Ints:
    """Return where items are not as the one before."""
    is_new = np.ones(len(items), bool)
    is_new[1:] = items[1:] != items[:-1]
    return is_new.nonzero()[0]


# -- articles ----------------------------------------------------------------------------------


@dataclass
class _Run:
    """A run, its terms numbered as in the whole segment, its articles likewise.

    There may be a thousand of them: what is kept in memory is 4 bytes a term.

    Attributes:
        terms: ascending.
        ordinal_of_pair: of each pair of the process the form's number among those of its term.
        numbers: of the articles.
    """

    arrays: Arrays
    terms: Array
    ordinal_of_pair: Array
    numbers: Array = field(default_factory=lambda: np.empty(0, np.uint32))

    def part(self, piece: "_Piece") -> "_RunPart":
        """Read what it has of a range of terms."""
        low, high = np.searchsorted(self.terms, np.array([piece.begin, piece.end], np.uint32))
        bounds = dict.fromkeys(("first_posting", "first_row"), slice(low, high + 1))
        posting, row = self.arrays.parts(bounds).values()
        postings = slice(*posting[[0, -1]].tolist())
        rows = slice(*row[[0, -1]].tolist())
        found = self.arrays.parts({"postings": postings, "rows": rows})
        return _RunPart(
            terms=self.terms[low:high],
            first_posting=posting - posting[0],
            first_row=row - row[0],
            **found,
            numbers=self.numbers,
            ordinal_of_pair=self.ordinal_of_pair,
        )


class _RunPart(NamedTuple):
    """What a run has of a range of terms: what the file has of it, counted from 0."""

    terms: Array
    first_posting: Array
    first_row: Array
    postings: Array
    rows: Array
    numbers: Array
    ordinal_of_pair: Array


def _open_run(path: Path, of_term: Ints, ordinals: Array) -> _Run:
    arrays = read(path)
    return _Run(arrays, of_term[arrays["terms"]].astype(np.uint32), ordinals)


def _number(runs: Sequence[_Run]) -> dict[str, Array]:
    """Number articles from the newest on, those without a date last; return their columns."""
    columns = {
        name: np.concatenate([run.arrays[name] for run in runs])
        for name in ("title_words", "text_words", "first", "last", "sizes")
    }
    order = np.argsort(-columns["first"].astype(np.int64), kind="stable")
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    done = 0
    for run in runs:
        size = len(run.arrays["first"])
        run.numbers = number[done : done + size].astype(np.uint32)
        run.arrays.release()
        done += size
    sizes = columns.pop("sizes").astype(np.int64)
    ends = np.cumsum(sizes)
    ids = np.concatenate([run.arrays["ids"] for run in runs]).reshape(-1, 16)[order]
    lead = ids[:, :8].copy().view(">u8").ravel()
    return {
        **{name: column[order] for name, column in columns.items()},
        "record_starts": (ends - sizes)[order].astype("<u8"),
        "record_sizes": sizes[order].astype("<u4"),
        "ids": ids.ravel(),
        "id_order": np.argsort(lead, kind="stable").astype("<u4"),
    }


def _records(runs: Sequence[_Run]) -> Iterator[Array]:
    for run in runs:
        yield run.arrays["records"]
        run.arrays.release()


# -- postings ----------------------------------------------------------------------------------


def _merge(
    runs: Sequence[_Run],
    of_text: int,
    words: dict[str, Array],
    out: "_Postings",
    at_once: int,
) -> None:
    """Write postings and places, one range of terms after the other."""
    forms = np.diff(words["term_form_ends"].astype(np.int64), prepend=0).astype(np.uint32)

    sizes = np.zeros((2, len(forms)), np.int64)  # postings and rows of each term
    for run in runs:
        for which, name in enumerate(("first_posting", "first_row")):
            sizes[which, run.terms] += np.diff(run.arrays[name].astype(np.int64))
        run.arrays.release()
    postings, places = sizes.sum(axis=1).tolist()
    copy = out.copying(_records(runs), int(out.articles["record_sizes"].sum()), postings, places)
    shared = _Shared(out.articles, forms, of_text, _with_champions(words, forms, sizes[0], of_text))

    def made(piece: _Piece) -> tuple[_Part, _Forms]:
        parts = tuple(run.part(piece) for run in runs)
        part = (_gathered if kernel else _gather)(parts, piece, shared)
        return part, _crowned(part, piece, shared)

    pieces = list(_pieces(sizes[1], len(out.articles["first"]), at_once))
    for part, of_forms in _all_made(made, pieces, copy):
        out.add(part, sizes[0])
        out.add_forms(of_forms)
    out.close(sizes[0])


def _all_made(
    made: Callable[["_Piece"], tuple["_Part", "_Forms"]],
    pieces: list["_Piece"],
    beside: Callable[[], None],
) -> Iterator[tuple["_Part", "_Forms"]]:
    """Yield what is made of each piece, by threads if there are several, and do something else."""
    if len(pieces) < 2:
        beside()
        yield from map(made, pieces)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - slow to import

    rest = iter(pieces)
    with ThreadPoolExecutor(THREADS + 1) as threads:  # NumPy lets go of the interpreter's lock
        other = threads.submit(beside)
        waiting = [threads.submit(made, piece) for piece in islice(rest, THREADS)]
        while waiting:
            found = waiting.pop(0).result()
            waiting += [threads.submit(made, piece) for piece in islice(rest, 1)]
            yield found
        other.result()


class _Piece(NamedTuple):
    """A range of terms and one of articles."""

    begin: int
    end: int
    low: int
    high: int


def _pieces(rows: Ints, articles: int, at_once: int) -> Iterator[_Piece]:
    """Yield pieces of work of some `at_once` rows, of which each term has so many.

    They have all articles, but for those of a term that has too many rows by itself: of that,
    each has some whole chunks.
    """
    row_ends = np.cumsum(rows)
    begin = row = 0
    chunks = -(-articles >> 16) or 1
    while begin < len(rows):
        end = max(int(np.searchsorted(row_ends, row + at_once, "right")), begin + 1)
        parts = min(1 if end - begin > 1 else max(1, int(rows[begin]) // at_once), chunks)
        bounds = [(chunks * part // parts) << 16 for part in range(parts + 1)]
        for low, high in pairwise(bounds):
            yield _Piece(begin, end, low, high)
        begin, row = end, int(row_ends[end - 1])


class _Part(NamedTuple):
    """Postings of a range of terms, sorted by term and article, and their places.

    Attributes:
        terms, docs, counts, titles, leads, worths: of each posting; `counts` is how many places it
            has, `titles` how many of them are in the title, `leads` 1 if one is among the first
            words of the text, else 0.
        values: of each place what `rows` has of it.
        follows: likewise, the class of the word behind it.
    """

    terms: Array
    docs: Array
    counts: Array
    titles: Array
    leads: Array
    worths: Array
    values: Array
    follows: Array


class _Shared(NamedTuple):
    """What all pieces have in common.

    Attributes:
        articles: their columns.
        forms: how many forms each term has.
        of_text: the first term that is a word of title or text, not of another field.
        with_champions: which pairs of term and form are to have champions.
    """

    articles: dict[str, Array]
    forms: Array
    of_text: int
    with_champions: Bools


class _Forms(NamedTuple):
    """What a part has of the forms that are to have champions.

    Attributes:
        pairs: of term and form, ascending, by their numbers in `term_forms`.
        having: in how many postings of the part each stands.
        best: shape (len(pairs), FORM_CHAMPIONS): the best of these as `champions` has them, in
            any order; all bits where there are fewer.
    """

    pairs: Ints
    having: Array
    best: Array


def _with_champions(words: dict[str, Array], forms: Array, having: Ints, of_text: int) -> Bools:
    """Tell of which pairs of term and form the champions are kept.

    Of a frequent term with several forms: those of which it is the likeliest.
    """
    fit = (having > FREQUENT) & (forms > 1) & (np.arange(len(forms)) >= of_text)
    firsts = np.append(0, words["lemma_ends"])[:-1]
    term = np.repeat(np.arange(len(forms)), forms)
    found: Bools = fit[term] & (words["lemmas"][firsts][words["term_forms"]] == term)
    return found


def _crowned(part: _Part, piece: _Piece, shared: _Shared) -> _Forms:
    """Find the best postings of forms in a part."""
    before = int(shared.forms[: piece.begin].sum())
    size = int(shared.forms[piece.begin : piece.end].sum())
    chosen = shared.with_champions[before : before + size].nonzero()[0]
    slots = np.full(size, NONE, np.uint32)
    slots[chosen] = np.arange(len(chosen))
    if not len(chosen):
        having, best = np.empty(0, np.uint32), np.empty((0, FORM_CHAMPIONS), np.uint64)
    else:
        having, best = (_crown_by_kernel if kernel else _crown)(part, piece, shared, slots)
    return _Forms(chosen + before, having, best)


def _crown_by_kernel(
    part: _Part, piece: _Piece, shared: _Shared, slots: Array
) -> tuple[Array, Array]:
    """Count the forms that have a slot, and choose their best, posting by posting."""
    forms = shared.forms[piece.begin : piece.end]
    first = (np.cumsum(forms) - forms).astype(np.uint32)
    is_any = np.add.reduceat(np.append(slots != NONE, False), first) > 0
    first[~is_any | (forms == 0)] = NONE
    columns = (shared.articles[n] for n in ("title_words", "title_norms", "text_norms"))
    found = kernel.crown(
        part.terms - np.uint32(piece.begin), part.docs, part.counts, part.values, forms, first,
        slots, *columns, K1, FORM_CHAMPIONS, int(np.count_nonzero(slots != NONE)),
    )  # fmt: skip
    having, best = found
    best = np.frombuffer(best, np.uint64).reshape(-1, FORM_CHAMPIONS)
    return np.frombuffer(having, np.uint32), best


def _crown(part: _Part, piece: _Piece, shared: _Shared, slots: Array) -> tuple[Array, Array]:
    """The same for all places at once, sorted by slot and posting."""
    size = int(np.count_nonzero(slots != NONE))
    counts = part.counts.astype(np.int64)
    forms = shared.forms[piece.begin : piece.end].astype(np.int64)
    first = np.cumsum(forms) - forms
    posting = np.repeat(np.arange(len(counts)), counts)
    term = part.terms.astype(np.int64)[posting] - piece.begin
    positions, ordinals = np.divmod(part.values.astype(np.int64), np.maximum(forms, 1)[term])
    slot = np.append(slots, NONE)[np.where(forms[term] > 0, first[term] + ordinals, len(slots))]
    inside = slot != NONE
    keys, positions = slot[inside].astype(np.int64) << 32 | posting[inside], positions[inside]
    order = np.argsort(keys)
    keys, positions = keys[order], positions[order]
    firsts = _changes(keys)
    slot, docs = keys >> 32, part.docs[keys & 0xFFFFFFFF]
    in_title = positions < shared.articles["title_words"][docs]
    titles = np.add.reduceat(in_title.astype(np.int64), firsts) if len(firsts) else firsts
    texts = np.diff(firsts, append=len(slot)) - titles
    docs, slot = docs[firsts], slot[firsts]
    weighted = titles.astype(np.float32) * shared.articles["title_norms"][docs]
    weighted += texts.astype(np.float32) * shared.articles["text_norms"][docs]
    having = np.bincount(slot, minlength=size)
    best = np.full((size, FORM_CHAMPIONS), 0xFFFFFFFFFFFFFFFF, np.uint64)
    for which, end in enumerate(np.cumsum(having).tolist()):
        here = slice(end - having[which], end)
        found = np.sort(keys_of(saturate(weighted[here]), docs[here]))[:FORM_CHAMPIONS]
        best[which, : len(found)] = found
    return having.astype(np.uint32), best


def _gathered(parts: Sequence[_RunPart], piece: _Piece, shared: _Shared) -> _Part:
    """Put the parts of all runs together, by the kernel."""
    columns = (shared.articles[n] for n in ("title_words", "title_norms", "text_norms"))
    arrays = kernel.gather(
        tuple(parts), *piece, *columns, shared.forms, shared.of_text, K1, GAP, LEAD_WORDS
    )
    kinds = ("<u4", "<u4", "<u4", "<u4", "<u4", "<f4", "<u8", "|u1")
    return _Part(*(np.frombuffer(a, kind) for a, kind in zip(arrays, kinds, strict=True)))


def _gather(parts: Sequence[_RunPart], piece: _Piece, shared: _Shared) -> _Part:
    """Put the parts of all runs together."""
    columns: list[list[Array]] = [[], [], [], [], [], []]
    shift = 0
    for run in parts:
        counts = (run.postings & 0xFFFFFFFF).astype(np.int64)
        numbers = run.numbers[run.postings >> 32].astype(np.int64)
        firsts = run.first_posting.astype(np.int64)
        terms = np.repeat(run.terms.astype(np.int64), firsts[1:] - firsts[:-1])
        row = np.arange(len(run.rows))
        inside = (numbers >= piece.low) & (numbers < piece.high)
        if not inside.all():
            row = row[np.repeat(inside, counts)]
            counts, numbers, terms = counts[inside], numbers[inside], terms[inside]
        new = (
            terms << 32 | numbers,
            counts,
            np.cumsum(counts) - counts + shift,
            (run.rows[row] >> 40).astype(np.int64),
            run.ordinal_of_pair[run.rows[row] & 0xFFFFFFFF].astype(np.int64),
            (run.rows[row] >> 32).astype(np.uint8),
        )
        shift += len(row)
        for column, array in zip(columns, new, strict=True):
            column.append(array)
    keys, counts, first, *places = (np.concatenate(column) for column in columns)
    order = np.argsort(keys)
    row, _ = slices(first[order], counts[order])
    return _described(keys[order], counts[order], [each[row] for each in places], shared)


def _described(keys: Ints, counts: Ints, places: Sequence[Array], shared: _Shared) -> _Part:
    """Say what postings, given as term << 32 | article, are worth.

    Of each of their places, position, form and what follows.
    """
    positions, ordinals, follows = places
    terms, docs, articles = keys >> 32, keys & 0xFFFFFFFF, shared.articles
    is_text = terms >= shared.of_text
    in_title = positions < np.repeat(articles["title_words"][docs], counts)
    first = np.cumsum(counts) - counts
    titles = np.add.reduceat(in_title.astype(np.int64), first) if len(first) else counts
    titles *= is_text
    behind = positions - np.repeat(articles["title_words"][docs].astype(np.int64) + GAP, counts)
    in_lead = (behind >= 0) & (behind < LEAD_WORDS)
    leads = np.logical_or.reduceat(in_lead, first) if len(first) else is_text
    texts = (counts - titles).astype(np.float32)
    weighted = titles.astype(np.float32) * articles["title_norms"][docs]
    weighted += texts * articles["text_norms"][docs]
    worths = saturate(np.where(is_text, weighted, texts))
    values = positions * np.repeat(shared.forms[terms].astype(np.int64), counts) + ordinals
    return _Part(
        terms.astype("<u4"), docs.astype("<u4"), counts.astype("<u4"), titles.astype("<u4"),
        (leads & is_text).astype("<u4"), worths, values.astype("<u8"), follows,
    )  # fmt: skip


class _Postings:
    """Writes postings and places as a segment has them, in order, a part at a time."""

    def __init__(self, out: Growing, articles: dict[str, Array]) -> None:
        self.articles = articles
        self._out = out
        self._done = self._bytes = self._places = 0  # postings, bytes of rows, places in them
        self._counts = np.empty(0, np.uint32)  # these two of a block that is not yet full
        self._values = np.empty(0, np.uint64)
        self._chunks: list[Array] = []  # of each part the terms of its chunks
        self._best: tuple[int, Array] = -1, np.empty(0, np.uint64)
        self._crowned: list[Array] = []  # of the terms before in this part
        none = np.empty((0, FORM_CHAMPIONS), np.uint64)
        self._forms = _Forms(np.empty(0, np.int64), np.empty(0, np.uint32), none)  # not yet written

    def copying(
        self, records: Iterator[Array], size: int, postings: int, places: int
    ) -> Callable[[], None]:
        """Make room for so many bytes, postings and places; return what copies the records.

        A few need no room. The records are most of what is written: they go to the disk meanwhile.
        """
        if postings <= MANY:
            self._out.put("records", records)
            return lambda: None
        self._out.room("records", "|u1", size)
        self._out.room("lows", "<u2", postings)
        self._out.room("codes", "|u1", postings)
        self._out.room("follows", "|u1", places)
        self._out.room("rows", "|u1")

        def copy() -> None:
            for part in records:
                self._out.append("records", part)
            self._out.hasten("records")

        return copy

    def add(self, part: _Part, having: Ints) -> None:
        """Write a part; `having` is how many postings each term has in all."""
        texts = part.counts - part.titles
        codes = texts << np.uint32(3) | part.leads << np.uint32(2) | part.titles
        odd = ((part.titles > 3) | (codes >= ODD)).nonzero()[0]
        codes[odd] = ODD
        self._out.append("lows", (part.docs & 0xFFFF).astype("<u2"))
        self._out.append("codes", codes.astype("|u1"))
        self._out.append("odd", (odd + self._done).astype("<u8"))
        self._out.append("odd_titles", part.titles[odd].astype("<u4"))
        odd_texts = texts[odd] << np.uint32(1) | part.leads[odd]
        self._out.append("odd_texts", odd_texts.astype("<u4"))
        self._out.append("follows", part.follows)
        self._add_chunks(part)
        self._crown(part, having)
        self._done += len(part.docs)
        self._counts = np.concatenate([self._counts, part.counts])
        self._values = np.concatenate([self._values, part.values])
        self._pack(len(self._counts) // BLOCK * BLOCK)

    def close(self, having: Ints) -> None:
        """Write what comes last."""
        self._pack(len(self._counts))
        self._crown_last()
        self._write_crowned()
        self._write_forms()
        self._out.append("frequent", (having > FREQUENT).nonzero()[0].astype("<u4"))
        self._out.append("rows", np.zeros(8, "|u1"))  # so that a number is read as 8 bytes
        ends = np.searchsorted(np.concatenate(self._chunks), np.arange(len(having)), "right")
        self._out.append("chunk_ends", ends.astype("<u4"))

    def _add_chunks(self, part: _Part) -> None:
        keys = part.docs >> np.uint32(16)
        changes = (part.terms[1:] != part.terms[:-1]) | (keys[1:] != keys[:-1])
        last = np.append(changes.nonzero()[0], len(keys) - 1)
        last = last[: len(keys)]
        before = self._out.length("chunk_keys")
        self._chunks.append(part.terms[last])
        self._out.append("chunk_keys", keys[last].astype("<u2"))
        self._out.append("posting_ends", (last + 1 + self._done).astype("<u8"))
        dense = (np.diff(last, prepend=-1) > DENSE).nonzero()[0]
        self._out.append("dense", (dense + before).astype("<u4"))
        bits = [np.zeros(0, "|u1")]
        for which in dense.tolist():
            inside = np.zeros(1 << 16, bool)
            first = last[which - 1] + 1 if which else 0
            inside[part.docs[first : last[which] + 1] & 0xFFFF] = True
            bits.append(np.packbits(inside, bitorder="little"))
        self._out.append("bits", np.concatenate(bits))

    def _crown(self, part: _Part, having: Ints) -> None:
        """Keep the best postings of each frequent term once more, the best first."""
        is_first = np.ones(len(part.terms), bool)
        is_first[1:] = part.terms[1:] != part.terms[:-1]
        bounds = np.append(is_first.nonzero()[0], len(part.terms))
        terms = part.terms[bounds[:-1]]
        for which in (having[terms] > FREQUENT).nonzero()[0].tolist():
            here, term = slice(bounds[which], bounds[which + 1]), int(terms[which])
            if term != self._best[0]:
                self._crown_last()
            earlier = self._best[1] if term == self._best[0] else self._best[1][:0]
            found = np.concatenate([earlier, champions(part.worths[here], part.docs[here])])
            self._best = term, np.sort(found)[:CHAMPIONS]
        self._write_crowned()

    def _crown_last(self) -> None:
        self._crowned.append(self._best[1])

    def _write_crowned(self) -> None:
        best = np.concatenate([np.empty(0, np.uint64), *self._crowned])
        self._crowned = []
        self._out.append("champions", best.astype("<u4"))
        self._out.append("worths", _worths(best))

    def add_forms(self, forms: _Forms) -> None:
        """Keep the champions of forms; a term may have been in the part before, too."""
        last = self._forms
        if not len(forms.pairs):
            return
        if np.array_equal(last.pairs, forms.pairs):
            best = np.concatenate([last.best, forms.best], axis=1)
            best = np.sort(best, axis=1)[:, :FORM_CHAMPIONS]
            self._forms = _Forms(forms.pairs, last.having + forms.having, best)
            return
        self._write_forms()
        self._forms = forms

    def _write_forms(self) -> None:
        pairs, having, best = self._forms
        best = np.sort(best, axis=1).ravel()
        self._out.append("crowned", pairs.astype("<u4"))
        self._out.append("crowned_having", having.astype("<u4"))
        self._out.append("form_champions", best.astype("<u4"))
        self._out.append("form_worths", _worths(best))

    def _pack(self, postings: int) -> None:
        """Write the places of the first of the postings that wait: whole blocks, or the last."""
        blocks = np.arange(0, postings, BLOCK)
        ends = np.cumsum(np.add.reduceat(self._counts[:postings], blocks, dtype=np.int64))
        places = int(ends[-1]) if len(ends) else 0
        packed, starts, widths = pack(self._values[:places], ends)
        self._out.append("rows", packed)
        self._out.append("row_starts", (starts + self._bytes).astype("<u8"))
        self._out.append("row_widths", widths)
        self._out.append("follow_starts", (np.append(0, ends)[:-1] + self._places).astype("<u8"))
        self._bytes += len(packed)
        self._places += places
        self._counts, self._values = self._counts[postings:], self._values[places:]


def keys_of(worths: Array, docs: Array) -> NDArray[np.uint64]:
    """Return of each posting what is less the better it is.

    It is the complement of the bits of what it is worth, which are in the order of the float, and
    in the low half the article.
    """
    found = 0xFFFFFFFF - worths.view(np.uint32).astype(np.uint64)
    return found << np.uint64(32) | docs.astype(np.uint64)


def _worths(keys: NDArray[np.uint64]) -> Array:
    """Return what these postings are worth."""
    bits = (0xFFFFFFFF - (keys >> np.uint64(32))).astype(np.uint32)
    return bits.view(np.float32).astype("<f4")


def champions(worths: Array, docs: Array) -> NDArray[np.uint64]:
    """Return the CHAMPIONS best postings, in any order, as `keys_of` has them."""
    if kernel and len(docs) > CHAMPIONS:
        return np.frombuffer(kernel.champions(worths, docs, CHAMPIONS), np.uint64)
    found = keys_of(worths, docs)
    return np.partition(found, CHAMPIONS)[:CHAMPIONS] if len(found) > CHAMPIONS else found


def pack(values: Array, ends: Ints) -> tuple[Array, Ints, Array]:
    """Write numbers with as many bits as the largest of their block needs, low bits first.

    Args:
        values: 0 or more, below 1 << 53; uint64.
        ends: where each block ends, ascending; none is empty.

    Returns:
        The bytes; where each block begins in them; how many bits its numbers have.

    >>> pack(np.array([1, 2, 3, 7], np.uint64), np.array([3, 4]))
    (array([57,  7], dtype=uint8), array([0, 1]), array([2, 3], dtype=uint8))
    """
    sizes = np.diff(ends, prepend=0)
    if not len(sizes):
        return np.empty(0, np.uint8), ends, np.empty(0, np.uint8)
    if kernel:
        packed, widths = (np.frombuffer(each, np.uint8) for each in kernel.pack(values, ends))
        return packed, _starts(sizes, widths)[0], widths
    widths = np.frexp(np.maximum.reduceat(values, ends - sizes).astype(np.float64))[1]
    starts, end = _starts(sizes, widths)
    nth = np.arange(len(values)) - np.repeat(ends - sizes, sizes)
    bits = np.repeat(starts * 8, sizes) + nth * np.repeat(widths, sizes)
    words = np.zeros(end // 8 + 2, np.uint64)
    shifts = (bits & 63).astype(np.uint64)
    where = bits >> 6
    first = np.append(0, (where[1:] != where[:-1]).nonzero()[0] + 1)
    words[where[first]] = np.bitwise_or.reduceat(values << shifts, first)
    over = (shifts > 0).nonzero()[0]  # what a word has no room for goes to the next
    np.bitwise_or.at(words, where[over] + 1, values[over] >> (np.uint64(64) - shifts[over]))
    return words.view(np.uint8)[:end], starts, widths.astype(np.uint8)


def unpack(packed: Array, starts: Array, widths: Array, ends: Ints) -> Ints:
    """Return the numbers that `pack` has written.

    Args:
        packed: the bytes, and 8 more.
        starts: where each block begins in them.
        widths: how many bits its numbers have.
        ends: where each block ends in what is returned.

    >>> packed = np.array([57, 7, 0, 0, 0, 0, 0, 0, 0, 0], np.uint8)
    >>> unpack(packed, np.array([0, 1]), np.array([2, 3]), np.array([3, 4]))
    array([1, 2, 3, 7])
    """
    sizes = np.diff(ends, prepend=0)
    wide = np.repeat(widths.astype(np.int64), sizes)
    bits = wide * (np.arange(len(wide)) - np.repeat(ends - sizes, sizes))
    bits += np.repeat(starts.astype(np.int64) * 8, sizes)
    words = np.ndarray(max(len(packed) - 7, 0), "<i8", packed.data, 0, (1,))
    values: Ints = words[bits >> 3] >> (bits & 7) & ((1 << wide) - 1)
    return values


def _starts(sizes: Ints, widths: Array) -> tuple[Ints, int]:
    """Return where blocks of so many numbers of so many bits begin, and where the last ends."""
    ends = np.cumsum((sizes * widths.astype(np.int64) + 7) // 8)
    return np.append(0, ends[:-1]), int(ends[-1])
