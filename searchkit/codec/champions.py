"""Champions: the best postings of frequent terms, and of their forms, kept once more.

Those of a term are among the postings that it has; those of a form are found by its places.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from searchkit.codec.arrays import Array, changes
from searchkit.codec.parts import Part, Piece, Shared
from searchkit.codec.segment import CHAMPIONS, FORM_CHAMPIONS, FREQUENT
from searchkit.kernel import kernel
from searchkit.query.rank import K1, saturate

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NONE = 0xFFFFFFFF  # no slot


def keys_of(worths: Array, docs: Array) -> NDArray[np.uint64]:
    """Return of each posting what is less the better it is.

    It is the complement of the bits of what it is worth, which are in the order of the float, and
    in the low half the article.
    """
    found = 0xFFFFFFFF - worths.view(np.uint32).astype(np.uint64)
    return found << np.uint64(32) | docs.astype(np.uint64)


def worths_of(keys: NDArray[np.uint64]) -> Array:
    """Return what these postings are worth."""
    bits = (0xFFFFFFFF - (keys >> np.uint64(32))).astype(np.uint32)
    return bits.view(np.float32).astype("<f4")


def champions(worths: Array, docs: Array) -> NDArray[np.uint64]:
    """Return the CHAMPIONS best postings, in any order, as `keys_of` has them."""
    if kernel and len(docs) > CHAMPIONS:
        return np.frombuffer(kernel.champions(worths, docs, CHAMPIONS), np.uint64)
    found = keys_of(worths, docs)
    return np.partition(found, CHAMPIONS)[:CHAMPIONS] if len(found) > CHAMPIONS else found


class Forms(NamedTuple):
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


def with_champions(words: dict[str, Array], forms: Array, having: Ints, of_text: int) -> Bools:
    """Tell of which pairs of term and form the champions are kept.

    Of a frequent term with several forms: those of which it is the likeliest.
    """
    fit = (having > FREQUENT) & (forms > 1) & (np.arange(len(forms)) >= of_text)
    firsts = np.append(0, words["lemma_ends"])[:-1]
    term = np.repeat(np.arange(len(forms)), forms)
    found: Bools = fit[term] & (words["lemmas"][firsts][words["term_forms"]] == term)
    return found


def crowned_forms(part: Part, piece: Piece, shared: Shared) -> Forms:
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
    return Forms(chosen + before, having, best)


def _crown_by_kernel(part: Part, piece: Piece, shared: Shared, slots: Array) -> tuple[Array, Array]:
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


def _crown(part: Part, piece: Piece, shared: Shared, slots: Array) -> tuple[Array, Array]:
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
    firsts = changes(keys).nonzero()[0]
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
