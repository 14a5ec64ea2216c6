"""Segment: some thousand or million articles, open for reading. Nothing in it ever changes.

Articles have numbers from 0, the newest first, those without a date last; terms have numbers
in the order of their bytes. One file of arrays holds:

    terms.*                       the terms: lemmas, after the sign of their field (`schema.key`)
    chunk_ends                    where the chunks of each term end

    chunk_keys, posting_ends      a chunk: the postings of a term in 65,536 articles whose numbers
                                  have the same high bits, the key; and where they end
    lows, codes                   a posting: the low 16 bits of the article's number, and how often
                                  the word stands in title and text, and whether it does so among
                                  the first words of the text (`rank.LEAD_WORDS`):
                                  text << 3 | lead << 2 | title
    odd, odd_titles, odd_texts    the postings whose code is ODD, since one of the two is too high
                                  for it; and what they are, title, and text << 1 | lead
    row_starts, row_widths, rows  the places of BLOCK postings each: where they begin in `rows`, and
                                  how many bits each has. A place is the word's number in title and
                                  text, times how many forms the term has, plus the form's number
                                  among these
    follow_starts, follows        how many places stand before those of each BLOCK; and of each
                                  place the class of the word behind it (`together.classes_of`)

    dense, bits                   the chunks with more than DENSE postings; for each of them
                                  65,536 bits, which say what `lows` says
    frequent                      the terms with more than FREQUENT postings, and of each the
    champions, worths             CHAMPIONS best: the articles, and what the word is worth there
    crowned, crowned_having       the forms of frequent terms that have several, each by its number
                                  in `term_forms`, with its likeliest term; in how many articles
    form_champions, form_worths   each stands; and of each the FORM_CHAMPIONS best, likewise

    forms.*                       the words as they are written, normalised
    lemma_ends, lemmas            the terms of each form, the likeliest first
    form_classes                  of each form the class of its likeliest term
    marks                         the last bytes of all forms: some tell the language (`MARKS`)
    term_form_ends, term_forms    the forms of each term, ascending: their order numbers its forms

    title_words, text_words       how long each article is
    title_norms, text_norms       by what a word's frequency there is multiplied (`rank.norms`)
    first, last                   when it was published, as a span of YYYYMMDDhhmmss; 0 if unknown
    ids, id_order                 a hash of each id, 16 bytes; the articles in the order of these
    records, record_starts,       the articles (`stored`), where each begins, and how long it is
    record_sizes, dictionary

A term that stands in the articles 3 and 70,000 has two chunks, with the keys 0 and 1, and the lows
3 and 4,464. Of one article, whose title is word number 0 and whose text begins at number 301:

>>> import tempfile
>>> from searchkit import Archive
>>> folder = Path(tempfile.mkdtemp())
>>> line = '{"id": "1", "title": "Мир", "text": "Про мир, без миру"}'
>>> _ = (folder / "news.jsonl").write_text(line, encoding="utf-8")
>>> _ = Archive.build(folder / "news.jsonl", folder / "index")
>>> [path] = folder.glob("index/*/segment-*")
>>> segment = Segment(path)
>>> term = segment.terms.find("мир".encode())
>>> posting = segment.postings(term)
>>> segment.docs(term), segment.arrays["codes"][posting]  # twice in the text, once in the title
(array([0], dtype=uint32), array([21], dtype=uint8))
>>> counts, positions, forms = segment.places(term, posting)
>>> positions.tolist(), forms.tolist()  # мир, мир, миру
([0, 302, 304], [0, 0, 1])
>>> [int(place) for place in positions * segment.form_count(term) + forms]  # as in `rows`
[0, 604, 609]
"""

from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from searchkit.article import Article
from searchkit.codec.arrays import Array, changes, read
from searchkit.codec.stored import Unpacker
from searchkit.codec.strings import Strings
from searchkit.kernel import kernel
from searchkit.query.rank import K1

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.uint32]

BLOCK = 64  # postings whose places lie together
ODD = 255  # the code of a posting that no code can tell
DENSE = 1_152  # postings; of more in a chunk, a bit for each article is looked up sooner
FREQUENT = 512  # postings; a term with more has champions
CHAMPIONS = 128
FORM_CHAMPIONS = 10


class Segment:
    """One segment's arrays.

    Attributes:
        size: how many articles it holds.
        arrays: by name, as in the table above.
        terms, forms: the strings.
        kernel: the same arrays as the kernel takes them; None without one.

    Raises:
        CorruptIndex: the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arrays = arrays = read(path)
        self.terms = Strings.named("terms", arrays)
        self.forms = Strings.named("forms", arrays)
        self.size = len(arrays["first"])
        self.kernel = kernel and kernel.Segment(
            {name.replace(".", "_"): array for name, array in arrays.items()}, K1, arrays.checks
        )
        # Python reads single items of a memory view five times as fast as those of an array.
        self._chunk_ends = arrays["chunk_ends"].data
        self._posting_ends = arrays["posting_ends"].data
        self._lemma_ends = arrays["lemma_ends"].data
        self._term_form_ends = arrays["term_form_ends"].data
        self._records = arrays["records"].data
        self._record_starts = arrays["record_starts"].data
        self._record_sizes = arrays["record_sizes"].data

    # -- postings --

    def postings(self, term: int, last: int | None = None) -> slice:
        """Return where the postings of a term are, articles ascending; or those up to `last`."""
        first, end = self._chunks(term, last)
        self.arrays.sure("posting_ends", first - 1 if first else 0, end)
        start = self._posting_ends[first - 1] if first else 0
        stop = self._posting_ends[end - 1] if end > first else start
        if not start <= stop <= len(self.arrays["lows"]):  # NumPy would make room for so many
            raise ValueError(f"there are no postings {start} to {stop}")
        return slice(start, stop)

    def docs(self, term: int, last: int | None = None) -> Numbers:
        """Return the articles of these postings."""
        first, end = self._chunks(term, last)
        here = self.postings(term, last)
        self.arrays.sure("chunk_keys", first, end)
        self.arrays.sure("lows", here.start, here.stop)
        ends = self.arrays["posting_ends"][first:end].astype(np.int64)
        keys = self.arrays["chunk_keys"][first:end].astype(np.uint32) << np.uint32(16)
        found: Numbers = np.repeat(keys, np.diff(ends, prepend=here.start))
        found |= self.arrays["lows"][here]
        return found

    def _chunks(self, term: int, last: int | None) -> tuple[int, int]:
        last = term if last is None else last
        self.arrays.sure("chunk_ends", term - 1 if term else 0, last + 1)
        end: int = self._chunk_ends[last]
        first: int = self._chunk_ends[term - 1] if term else 0
        if first > end:
            raise ValueError(f"there are no chunks {first} to {end}")
        return first, end

    def counts(self, which: slice | Ints) -> tuple[Array, Array, Bools]:
        """Return how often the words of some postings, ascending, stand in title and in text.

        And whether they do so among the first words of the text.
        """
        if isinstance(which, slice):
            self.arrays.sure("codes", which.start, which.stop)
        else:
            self.arrays.sure_at("codes", which)
        codes = self.arrays["codes"][which]
        titles, texts, leads = codes & np.uint8(3), codes >> np.uint8(3), (codes & np.uint8(4)) > 0
        odd = (codes == ODD).nonzero()[0]
        if len(odd):
            every = np.arange(which.start, which.stop) if isinstance(which, slice) else which
            where = self.arrays.whole("odd").searchsorted(every[odd].astype(np.uint64))
            titles, texts = titles.astype(np.uint32), texts.astype(np.uint32)
            titles[odd] = self.arrays.whole("odd_titles")[where]
            odd_texts = self.arrays.whole("odd_texts")[where]
            texts[odd], leads[odd] = odd_texts >> np.uint32(1), odd_texts & np.uint32(1)
        return titles, texts, leads

    # -- places --

    def places(
        self, term: int, which: slice | Ints, last: int | None = None
    ) -> tuple[Ints, Ints, Ints]:
        """Return the places of some postings of a term, or of the terms up to `last`.

        Args:
            term: its number.
            which: the postings, ascending.
            last: the number of the last of several terms.

        Returns:
            How many places each posting has; and of all places, in order, the position and the
            number of the form among those of the term.
        """
        every = np.arange(which.start, which.stop) if isinstance(which, slice) else which
        blocks = every // BLOCK
        blocks = blocks[changes(blocks)]
        inside = (blocks[:, None] * BLOCK + np.arange(BLOCK)).ravel()
        inside = inside[inside < len(self.arrays["codes"])]
        titles, texts, _ = self.counts(inside)
        counts = titles.astype(np.int64) + texts
        first = np.cumsum(counts) - counts  # of each posting's places among those of all blocks
        block = inside // BLOCK
        begins = first[np.searchsorted(block, block)]  # likewise, of its block's
        here = np.searchsorted(inside, every)
        counts, within = counts[here], (first - begins)[here]
        if counts.max(initial=0) > 8 * len(self.arrays["rows"]):  # likewise
            raise ValueError("a posting has more places than there are")
        values = self._unpacked(np.repeat(block[here], counts), counted_up(within, counts))
        forms: int | Ints = self.form_count(term)
        if last is not None:
            terms = np.arange(term, last + 2)
            ends = self._bounds("posting_ends", self._bounds("chunk_ends", terms))
            form_ends = self._bounds("term_form_ends", terms)
            form_counts = np.diff(form_ends)[np.searchsorted(ends[1:], every, "right")]
            forms = np.repeat(np.maximum(form_counts, 1), counts)
        return counts, values // forms, values % forms

    def _unpacked(self, blocks: Ints, nth: Ints) -> Ints:
        """Return the nth number of each of some blocks."""
        for name in ("row_widths", "row_starts"):
            self.arrays.sure_at(name, blocks)
        packed = self.arrays["rows"]
        widths = self.arrays["row_widths"][blocks].astype(np.uint64)
        bits = self.arrays["row_starts"][blocks].astype(np.uint64) * np.uint64(8)
        bits += widths * nth.astype(np.uint64)
        words = np.ndarray(max(len(packed) - 7, 0), "<u8", packed.data, 0, (1,))
        at = bits >> np.uint64(3)
        self.arrays.sure_at("rows", at)
        self.arrays.sure_at("rows", at + np.uint64(7))
        found = words[at] >> (bits & np.uint64(7))
        values: Ints = (found & ((np.uint64(1) << widths) - np.uint64(1))).astype(np.int64)
        return values

    # -- forms --

    def form_count(self, term: int) -> int:
        """Return how many forms a term has, at least 1."""
        self.arrays.sure("term_form_ends", term - 1 if term else 0, term + 1)
        first = self._term_form_ends[term - 1] if term else 0
        return max(self._term_form_ends[term] - first, 1)

    def lemmas(self, form: int) -> list[int]:
        """Return the terms of a form, the likeliest first."""
        self.arrays.sure("lemma_ends", form - 1 if form else 0, form + 1)
        first, end = self._lemma_ends[form - 1] if form else 0, self._lemma_ends[form]
        self.arrays.sure("lemmas", first, end)
        found: list[int] = self.arrays["lemmas"][first:end].tolist()
        return found

    def having(self, first: int, end: int) -> Ints:
        """Return how many postings each of the terms first:end has."""
        chunks = self._bounds("chunk_ends", np.arange(first, end + 1))
        return np.diff(self._bounds("posting_ends", chunks))

    def likeliest(self, first: int, end: int) -> Array:
        """Return of which share of its forms each of the terms first:end is the likeliest lemma."""
        bounds = self._bounds("term_form_ends", np.arange(first, end + 1))
        term = np.repeat(np.arange(first, end), np.diff(bounds))  # of each form
        self.arrays.sure("term_forms", int(bounds[0]), int(bounds[-1]))
        forms = self.arrays["term_forms"][bounds[0] : bounds[-1]].astype(np.int64)
        firsts = self._bounds("lemma_ends", forms)
        self.arrays.sure_at("lemmas", firsts)
        own = self.arrays["lemmas"][firsts] == term
        found: Array = np.bincount(term - first, own, end - first)
        return found / np.maximum(np.diff(bounds), 1)

    def _bounds(self, name: str, which: Ints) -> Ints:
        """Return where the slices that end at `name` begin."""
        before = np.maximum(which - 1, 0)
        self.arrays.sure_at(name, before)
        found: Ints = np.where(which > 0, self.arrays[name][before].astype(np.int64), 0)
        return found

    def strays(self, forms: tuple[int, int], terms: tuple[int, int]) -> tuple[Ints, Ints]:
        """Return of the forms first:end those of which no term is one of the terms first:end.

        Returns:
            The likeliest term of each, and the form's number among the forms of that term.
        """
        bounds = self._bounds("lemma_ends", np.arange(forms[0], forms[1] + 1))
        self.arrays.sure("lemmas", int(bounds[0]), int(bounds[-1]))
        lemmas = self.arrays["lemmas"][bounds[0] : bounds[-1]].astype(np.int64)
        inside = np.append(0, np.cumsum((lemmas >= terms[0]) & (lemmas < terms[1])))
        counts = np.diff(inside[bounds - bounds[0]])
        stray = (counts == 0).nonzero()[0]
        likeliest = lemmas[(bounds - bounds[0])[stray]]
        starts = self._bounds("term_form_ends", likeliest)
        sizes = self._bounds("term_form_ends", likeliest + 1) - starts
        every = counted_up(starts, sizes)
        self.arrays.sure_at("term_forms", every)
        own = np.repeat(np.arange(len(stray)), sizes)
        before = self.arrays["term_forms"][every] < (stray + forms[0])[own]
        return likeliest, np.bincount(own[before], minlength=len(stray))

    def ordinal(self, term: int, form: int) -> int:
        """Return a form's number among the forms of a term."""
        self.arrays.sure("term_form_ends", term - 1 if term else 0, term + 1)
        first, end = self._term_form_ends[term - 1] if term else 0, self._term_form_ends[term]
        self.arrays.sure("term_forms", first, end)
        forms = self.arrays["term_forms"][first:end]
        return int(forms.searchsorted(np.uint32(form)))

    # -- articles --

    def find_id(self, article_id: str) -> int:
        """Return the number of the article with this id; -1 if it is not there."""
        wanted = id_hash(article_id)
        order, ids, sure = self.arrays["id_order"].data, self.arrays["ids"].data, self.arrays.sure

        def hashed(place: int) -> bytes:
            sure("id_order", place, place + 1)
            start = 16 * order[place]
            sure("ids", start, start + 16)
            return bytes(ids[start : start + 16])

        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            if hashed(middle)[:8] < wanted[:8]:
                low = middle + 1
            else:
                high = middle
        for place in range(low, min(low + 8, len(order))):
            if hashed(place) == wanted:
                return int(order[place])
        return -1

    def stored(self, number: int) -> tuple[Article, bytes]:
        """Return an article and the milestones of its text.

        Raises:
            zstandard.ZstdError, ValueError, struct.error: the record is damaged.
        """
        if kernel and self.kernel:
            return self._unpacker.unpack(kernel.record(self.kernel, number))
        sure = self.arrays.sure
        sure("record_starts", number, number + 1)
        sure("record_sizes", number, number + 1)
        start = self._record_starts[number]
        end = start + self._record_sizes[number]
        sure("records", start, end)
        return self._unpacker.unpack(self._records[start:end])

    @cached_property
    def _unpacker(self) -> Unpacker:
        return Unpacker(self.arrays.whole("dictionary").tobytes())


def id_hash(article_id: str) -> bytes:
    """Return 16 bytes that stand for an id."""
    found: bytes = _blake2b()(article_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return found


@cache
def _blake2b() -> Any:
    from hashlib import blake2b  # noqa: PLC0415 - slow to import, and no search needs it

    return blake2b


def counted_up(first: Ints, counts: Ints) -> Ints:
    """Return first, first + 1 and so on, as many as counted, for each.

    >>> counted_up(np.array([5, 2]), np.array([1, 3]))
    array([5, 2, 3, 4])
    """
    ends = np.cumsum(counts)
    found: Ints = np.repeat(first - ends + counts, counts) + np.arange(ends[-1] if len(ends) else 0)
    return found
