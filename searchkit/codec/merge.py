"""Merge: the runs of all processes become one segment.

The vocabularies of the processes are put in order, articles are numbered from the newest on,
and the runs are merged, one range of terms at a time (`parts`), into the growing file of the
segment (`postings`). Memory is bounded by the width of a range and the number of distinct words.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.arrays import Array, Arrays, Growing, changes, read
from searchkit.codec.champions import Forms, crowned_forms, with_champions
from searchkit.codec.parts import Part, Piece, RunPart, Shared, gathered, pieces_of
from searchkit.codec.postings import Postings
from searchkit.codec.runs import Vocabulary
from searchkit.codec.strings import in_order
from searchkit.codec.together import classes_of
from searchkit.generations import Averages
from searchkit.query.rank import norms
from searchkit.schema import PAIR

Ints = NDArray[np.int64]

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
            those of segments last, and its words.
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
        _merge(runs, of_text, words, Postings(out, articles), at_once)
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
    begins = changes(keys[order]).nonzero()[0]
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

    def part(self, piece: Piece) -> RunPart:
        """Read what it has of a range of terms."""
        low, high = np.searchsorted(self.terms, np.array([piece.begin, piece.end], np.uint32))
        bounds = dict.fromkeys(("first_posting", "first_row"), slice(low, high + 1))
        posting, row = self.arrays.parts(bounds).values()
        postings = slice(*posting[[0, -1]].tolist())
        rows = slice(*row[[0, -1]].tolist())
        found = self.arrays.parts({"postings": postings, "rows": rows})
        return RunPart(
            terms=self.terms[low:high],
            first_posting=posting - posting[0],
            first_row=row - row[0],
            **found,
            numbers=self.numbers,
            ordinal_of_pair=self.ordinal_of_pair,
        )


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


def _merge(
    runs: Sequence[_Run],
    of_text: int,
    words: dict[str, Array],
    out: Postings,
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
    shared = Shared(out.articles, forms, of_text, with_champions(words, forms, sizes[0], of_text))

    def made(piece: Piece) -> tuple[Part, Forms]:
        parts = tuple(run.part(piece) for run in runs)
        part = gathered(parts, piece, shared)
        return part, crowned_forms(part, piece, shared)

    pieces = list(pieces_of(sizes[1], len(out.articles["first"]), at_once))
    for part, of_forms in _all_made(made, pieces, copy):
        out.add(part, sizes[0])
        out.add_forms(of_forms)
    out.close(sizes[0])


def _all_made(
    made: Callable[[Piece], tuple[Part, Forms]],
    pieces: list[Piece],
    beside: Callable[[], None],
) -> Iterator[tuple[Part, Forms]]:
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
