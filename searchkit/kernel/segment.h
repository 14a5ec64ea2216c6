/* Segment: the arrays of codec/segment.py, and how a term, a posting and a place are found in them.

   The arrays may come from anywhere, and are not read as a whole before they are used. Each
   function checks the numbers that lead it to a place in memory, and says of what it reads to be
   `sure`: that it is as it was written. Where it is not, the segment has a fault, what is found is
   of no use, and `top` and its like end in an error. */
#ifndef SEARCHKIT_SEGMENT_H
#define SEARCHKIT_SEGMENT_H

#include "kernel.h"

#include <stdlib.h>

#define CHUNK 65536
#define BLOCK 64
#define ODD 255
#define CHAMPIONS 128
#define FORM_CHAMPIONS 10
#define DENSE 1152    /* postings; a chunk with more has bits */
#define LINE 512      /* bits that a processor reads at once */
#define LINES (CHUNK / LINE)
#define PAIR 0x1F     /* schema.PAIR; what is less stands before terms of fields that are not text */
#define ANY_CLASS 0   /* together.ANY_CLASS */
#define MOST_CLASSES 12 /* that are looked for at once */
#define GAP 300       /* schema.GAP */
#define LEAD_WORDS 50 /* rank.LEAD_WORDS */
#define MILESTONE 256 /* articles */
#define NOWHERE UINT64_MAX

/* -- a segment ------------------------------------------------------------------------------ */

/* The arrays: C type, how many bytes an item has, name. */
#define ARRAYS(X)                                                                                 \
    X(uint32_t, 4, chunk_ends) X(uint16_t, 2, chunk_keys) X(uint64_t, 8, posting_ends)            \
    X(uint16_t, 2, lows) X(uint8_t, 1, codes) X(uint64_t, 8, odd) X(uint32_t, 4, odd_titles)      \
    X(uint32_t, 4, odd_texts) X(uint64_t, 8, row_starts) X(uint8_t, 1, row_widths)                \
    X(uint8_t, 1, rows) X(uint64_t, 8, follow_starts) X(uint8_t, 1, follows)                      \
    X(uint8_t, 1, form_classes) X(uint32_t, 4, dense) X(uint8_t, 1, bits) X(uint32_t, 4, frequent)        \
    X(uint32_t, 4, crowned) X(uint32_t, 4, crowned_having) X(uint32_t, 4, form_champions)         \
    X(float, 4, form_worths)                                                                      \
    X(uint32_t, 4, champions) X(float, 4, worths) X(float, 4, title_norms) X(float, 4, text_norms)\
    X(uint32_t, 4, title_words) X(uint32_t, 4, term_form_ends) X(uint32_t, 4, term_forms)         \
    X(uint32_t, 4, lemma_ends) X(uint32_t, 4, lemmas) X(uint64_t, 8, first) X(uint64_t, 8, last)  \
    X(uint8_t, 1, terms_bytes) X(uint32_t, 4, terms_ends) X(uint32_t, 4, terms_buckets)           \
    X(uint32_t, 4, terms_order) X(uint8_t, 1, forms_bytes) X(uint32_t, 4, forms_ends)             \
    X(uint32_t, 4, forms_buckets) X(uint32_t, 4, forms_order) X(uint8_t, 1, records)              \
    X(uint64_t, 8, record_starts) X(uint32_t, 4, record_sizes)

enum {
#define X(type, size, name) I_##name,
    ARRAYS(X)
#undef X
    ARRAY_COUNT
};

typedef struct {
    PyObject_HEAD
    Py_buffer views[ARRAY_COUNT];
    int held; /* how many views are */
    Py_buffer file, sums, seen; /* codec/arrays.py */
    int64_t fault; /* a block that is not as it was written; -1 if there is none */
    uint64_t faults; /* how many were met */
#define X(type, size, name) const type *name; uint64_t n_##name;
    ARRAYS(X)
#undef X
    float k1, k1_1;
    int sure_columns;  /* 1 if the columns of articles were seen to be as written, 2 if `last`, too */
    int knows_most;    /* whether the next is known: what a posting of this code is worth at most */
    float most_of[256];
    uint64_t vaguest;  /* the greatest unit of time that a date begins with, if known; else 0 */
    uint64_t *milestones; /* `first` of each MILESTONEth article, if `vaguest` is known */
    uint64_t n_milestones;
    uint16_t *ranks;   /* of each chunk that has bits, if `ranked` has 1 there: how many of them stand
                          before each LINE */
    uint8_t *ranked;   /* 0 if that was not looked at, 2 if it leads nowhere; NULL without memory */
    uint32_t size; /* articles */
} Segment;

/* -- what was written: the twin is codec/arrays.py ------------------------------------------- */

#define SURE 4096 /* bytes that are checked together */
#define HEAD 64   /* bytes of the file that are not */

/* The CRC-32 of zlib of a string, four bits at once: all of this table comes from memory in one piece. */
static uint32_t crc32_of_string(const uint8_t *data, Py_ssize_t size) {
    static const uint32_t table[16] __attribute__((aligned(64))) = {
        0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
        0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = ~0u;
    for (Py_ssize_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return ~crc;
}

static void look_at(Segment *s, uint64_t first, uint64_t last) {
    const uint8_t *file = s->file.buf;
    const uint32_t *sums = s->sums.buf;
    uint8_t *seen = s->seen.buf;
    uint64_t end = (uint64_t)((const uint8_t *)s->sums.buf - file);
    for (uint64_t block = first; block <= last; block++) {
        if (seen[block]) continue;
        uint64_t a = block ? block * SURE : HEAD, b = (block + 1) * SURE < end ? (block + 1) * SURE : end;
        if (crc32_of(file + a, (Py_ssize_t)(b - a)) == sums[block]) seen[block] = 1;
        else {
            s->fault = (int64_t)block;
            __atomic_fetch_add(&s->faults, 1, __ATOMIC_RELAXED); /* by any thread that searches */
        }
    }
}

/* Sees that some bytes of an array are as they were written. */
static inline void sure(const Segment *s, const void *from, uint64_t bytes) {
    if (!bytes) return;
    uint64_t at = (uint64_t)((const uint8_t *)from - (const uint8_t *)s->file.buf);
    uint64_t first = at / SURE, last = (at + bytes - 1) / SURE;
    const uint8_t *seen = s->seen.buf;
    if (first == last ? !seen[first] : memchr(seen + first, 0, last - first + 1) != NULL)
        look_at((Segment *)s, first, last);
}

#define SURE_AT(s, from, n) sure(s, from, (uint64_t)(n) * sizeof *(from))
#define SURE_OF(s, name, from, n) SURE_AT(s, (s)->name + (from), n)
#define SURE_OF_ALL(s, name) SURE_OF(s, name, 0, (s)->n_##name)

/* Of an array of ends: where one ends, and where the one before does, if there is one. */
#define SURE_OF_END(s, ends, i) SURE_AT(s, (ends) + ((i) ? (i) - 1 : 0), (i) ? 2 : 1)

static int segment_take(Segment *self, PyObject *arrays) {
    static const struct { const char *name; int size; } told[] = {
#define X(type, size, name) {#name, size},
        ARRAYS(X)
#undef X
    };
    for (int i = 0; i < ARRAY_COUNT; i++) {
        PyObject *array = PyMapping_GetItemString(arrays, told[i].name);
        if (!array) return -1;
        int done = PyObject_GetBuffer(array, &self->views[i], PyBUF_SIMPLE);
        Py_DECREF(array);
        if (done < 0) return -1;
        self->held = i + 1;
        if (self->views[i].len % told[i].size || (uintptr_t)self->views[i].buf % told[i].size) {
            PyErr_Format(PyExc_ValueError, "%s is no array of its kind", told[i].name);
            return -1;
        }
    }
#define X(type, size, name) self->name = self->views[I_##name].buf; \
    self->n_##name = (uint64_t)self->views[I_##name].len / size;
    ARRAYS(X)
#undef X
    return 0;
}

static int segment_fits(const Segment *s) {
    return s->n_lows == s->n_codes && s->n_chunk_keys == s->n_posting_ends &&
           s->n_odd == s->n_odd_titles && s->n_odd == s->n_odd_texts &&
           s->n_row_starts == s->n_row_widths &&
           s->n_row_starts == (s->n_codes + BLOCK - 1) / BLOCK && s->n_rows >= 8 &&
           s->n_follow_starts == s->n_row_starts && s->n_form_classes == s->n_forms_ends &&
           s->n_bits == s->n_dense * (CHUNK / 8) &&
           s->n_champions == s->n_frequent * CHAMPIONS && s->n_worths == s->n_champions &&
           s->n_crowned == s->n_crowned_having && s->n_form_worths == s->n_form_champions &&
           s->n_form_champions == s->n_crowned * FORM_CHAMPIONS &&
           s->n_title_norms == s->n_first && s->n_text_norms == s->n_first &&
           s->n_title_words == s->n_first && s->n_last == s->n_first && s->n_first < UINT32_MAX &&
           s->n_term_form_ends == s->n_terms_ends && s->n_chunk_ends == s->n_terms_ends &&
           s->n_term_forms == s->n_lemmas && s->n_lemma_ends == s->n_forms_ends &&
           s->n_terms_order == s->n_terms_ends && s->n_forms_order == s->n_forms_ends &&
           s->n_record_starts == s->n_first && s->n_record_sizes == s->n_first &&
           s->n_terms_buckets >= 2 && s->n_forms_buckets >= 2 &&
           s->n_terms_ends < UINT32_MAX && s->n_forms_ends < UINT32_MAX;
}

/* Whether the arrays lie before the sums in the file, so that there is one for each byte. */
static int segment_is_of_file(Segment *self) {
    const uint8_t *file = self->file.buf, *end = self->sums.len ? self->sums.buf : file;
    int is = self->seen.len * 4 >= self->sums.len;
    for (int i = 0; i < ARRAY_COUNT; i++) {
        const uint8_t *at = self->views[i].buf;
        if (self->views[i].len && (at < file || at + self->views[i].len > end)) is = 0;
    }
    if ((end - file + SURE - 1) / SURE != self->sums.len / 4) is = 0;
    if (!is) PyErr_SetString(PyExc_ValueError, "the arrays are not those of the file");
    return is;
}

static PyObject *segment_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *arrays, *file, *sums, *seen;
    float k1;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "Of(OOO)", &arrays, &k1, &file, &sums, &seen)) return NULL;
    Segment *self = (Segment *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->fault = -1;
    if (PyObject_GetBuffer(file, &self->file, PyBUF_SIMPLE) < 0 ||
        PyObject_GetBuffer(sums, &self->sums, PyBUF_SIMPLE) < 0 ||
        PyObject_GetBuffer(seen, &self->seen, PyBUF_WRITABLE) < 0 ||
        segment_take(self, arrays) < 0 || !segment_is_of_file(self)) {
        Py_DECREF(self);
        return NULL;
    }
    self->k1 = k1;
    self->k1_1 = (float)((double)k1 + 1.0);
    self->size = (uint32_t)self->n_first;
    if (!segment_fits(self)) {
        Py_DECREF(self);
        PyErr_SetString(PyExc_ValueError, "the arrays of the segment do not fit together");
        return NULL;
    }
    self->ranks = calloc(self->n_dense + 1, LINES * sizeof *self->ranks);
    if (self->ranks) self->ranked = calloc(self->n_dense + 1, 1);
    return (PyObject *)self;
}

static void segment_dealloc(Segment *self) {
    for (int i = 0; i < self->held; i++) PyBuffer_Release(&self->views[i]);
    PyBuffer_Release(&self->file);
    PyBuffer_Release(&self->sums);
    PyBuffer_Release(&self->seen);
    free(self->ranks);
    free(self->ranked);
    free(self->milestones);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* -- strings: the twin is codec/strings.py --------------------------------------------------- */

typedef struct {
    const Segment *s;
    const uint8_t *bytes;
    const uint32_t *ends, *buckets, *order;
    uint64_t size, count, bucket_count;
} Strings;

#define STRINGS(s, what)                                                                          \
    ((Strings){(s), (s)->what##_bytes, (s)->what##_ends, (s)->what##_buckets, (s)->what##_order,       \
               (s)->n_##what##_bytes, (s)->n_##what##_ends, (s)->n_##what##_buckets})

/* Compares a string with others as bytes; a damaged end makes it greater than all. */
static int compare(const Strings *strings, uint64_t number, const uint8_t *data, uint64_t size,
                   int as_prefix) {
    SURE_OF_END(strings->s, strings->ends, number);
    uint64_t start = number ? strings->ends[number - 1] : 0, end = strings->ends[number];
    if (start > end || end > strings->size) return 1;
    SURE_AT(strings->s, strings->bytes + start, end - start);
    uint64_t own = end - start, common = own < size ? own : size;
    int order = memcmp(strings->bytes + start, data, common);
    if (order || (as_prefix && own >= size)) return order;
    return own < size ? -1 : own > size;
}

static int64_t find(const Strings *strings, const uint8_t *data, Py_ssize_t size) {
    if (!strings->count) return -1;
    uint64_t bucket = crc32_of_string(data, size) & (strings->bucket_count - 2);
    SURE_AT(strings->s, strings->buckets + bucket, 2);
    uint64_t low = strings->buckets[bucket], high = strings->buckets[bucket + 1];
    if (high > strings->count) high = strings->count;
    if (low < high) SURE_AT(strings->s, strings->order + low, high - low);
    for (; low < high; low++) {
        uint64_t number = strings->order[low];
        if (number < strings->count && !compare(strings, number, data, (uint64_t)size, 0))
            return (int64_t)number;
    }
    return -1;
}

static void prefixed(const Strings *strings, const uint8_t *data, Py_ssize_t size,
                     uint64_t *first, uint64_t *end) {
    for (int past = 0; past < 2; past++) {
        uint64_t low = past ? *first : 0, high = strings->count, step = 1;
        for (; past && low + step < high; step *= 4) /* the end is mostly near */
            if (compare(strings, low + step, data, (uint64_t)size, 1) > 0) high = low + step;
        while (low < high) {
            uint64_t middle = low + (high - low) / 2;
            __builtin_prefetch(strings->ends + low + (middle - low) / 2); /* one of these is next */
            __builtin_prefetch(strings->ends + middle + (high - middle) / 2);
            int order = compare(strings, middle, data, (uint64_t)size, past);
            if (past ? order <= 0 : order < 0) low = middle + 1;
            else high = middle;
        }
        *(past ? end : first) = low;
    }
}

/* -- postings ------------------------------------------------------------------------------- */

typedef struct {
    uint32_t term;   /* of a list that was made, nothing: its places are read by its terms */
    int is_label;    /* of a field that is not text: how long it is does not count */
    uint64_t chunks, start;
    const uint16_t *keys;
    const uint64_t *ends;
    const uint16_t *lows;
    float *worths;       /* of a list that was made; else NULL */
    void *made;          /* what was allocated for it */
    const uint64_t *from; /* of a list that is a part of a term's: its postings there; else NULL */
    uint64_t having;     /* how many postings */
    uint64_t dense, dense_end; /* where those of its chunks are that have bits */
    float most;          /* what none of them is worth more than */
    float lead;          /* what one is worth more that stands in the lead, if it counts */
    const uint32_t *best_docs; /* champions, or NULL */
    const float *best_worths;
} List;

typedef struct {
    uint64_t a, b; /* postings a to b - 1 */
    const uint8_t *bits;
    const uint16_t *ranks; /* once they were asked for: `know_ranks` */
} Chunk;

/* How often a word stands in title and text; and 1 if it is among the first words of the text. */
static inline int counts(const Segment *s, uint64_t p, uint32_t *titles, uint32_t *texts) {
    uint8_t code = s->codes[p];
    int in_lead = code >> 2 & 1;
    *titles = code & 3;
    *texts = code >> 3;
    if (code == ODD) {
        SURE_OF_ALL(s, odd);
        SURE_OF_ALL(s, odd_titles);
        SURE_OF_ALL(s, odd_texts);
        uint64_t low = 0, high = s->n_odd;
        while (low < high) {
            uint64_t middle = (low + high) / 2;
            if (s->odd[middle] < p) low = middle + 1;
            else high = middle;
        }
        *titles = low < s->n_odd ? s->odd_titles[low] : 0;
        *texts = low < s->n_odd ? s->odd_texts[low] : 0;
        in_lead = *texts & 1;
        *texts >>= 1;
    }
    return in_lead;
}

static inline float worth_of(const Segment *s, int is_label, uint32_t doc, uint32_t titles,
                             uint32_t texts) {
    float f;
    if (is_label) f = (float)texts;
    else if (doc < s->size) {
        f = titles ? (float)titles * s->title_norms[doc] : 0;
        f += (float)texts * s->text_norms[doc];
    } else f = 0; /* damaged: it is found out where the article is read */
    return saturated(f, s->k1);
}

/* What a posting is worth at most, without a look at how long its article is. */
static inline float worth_at_most(const Segment *s, const List *list, uint64_t p) {
    if (list->worths) return list->worths[p];
    if (list->is_label) return s->k1_1 + list->lead;
    return s->most_of[s->codes[p]] + list->lead;
}

static inline float worth(const Segment *s, const List *list, uint64_t p, uint32_t doc) {
    uint32_t titles, texts;
    if (list->worths) return list->worths[p];
    int in_lead = counts(s, p, &titles, &texts);
    float w = worth_of(s, list->is_label, doc, titles, texts);
    return in_lead ? w + list->lead : w;
}

/* The first of some ascending numbers that is not less than one. */
static inline uint64_t number_of(const uint32_t *numbers, uint64_t low, uint64_t high,
                                 uint64_t wanted) {
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (numbers[middle] < wanted) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Learns what postings are worth at most, whatever articles they are of. */
static void learn_most(Segment *s) {
    float title = 0, text = 0;
    if (s->knows_most) return;
    s->knows_most = 1;
    for (uint32_t i = 0; i < s->size; i++) {
        if (s->title_norms[i] > title) title = s->title_norms[i];
        if (s->text_norms[i] > text) text = s->text_norms[i];
    }
    for (uint32_t code = 0; code < ODD; code++)
        s->most_of[code] = saturated((float)(code & 3) * title + (float)(code >> 3) * text, s->k1);
    s->most_of[ODD] = s->k1_1;
}

/* Learns how vague dates may be: 100 to the power of 3 of an archive that tells days; and marks the way
   through them, newest first. Without memory for that there are no milestones. */
static void learn_dates(Segment *s) {
    if (s->vaguest) return;
    s->vaguest = 1;
    for (uint32_t i = 0; i < s->size; i++)
        while (s->first[i] && s->vaguest < 10000000000 && s->first[i] % (s->vaguest * 100) == 0)
            s->vaguest *= 100;
    s->milestones = malloc((s->size / MILESTONE + 1) * sizeof *s->milestones);
    for (uint32_t i = 0; s->milestones && i < s->size; i += MILESTONE)
        s->milestones[s->n_milestones++] = s->first[i];
}

/* Takes a term's postings as they lie in the file; 0 if they lead out of it. */
static int take_term(const Segment *s, uint64_t term, List *list) {
    memset(list, 0, sizeof *list);
    list->term = (uint32_t)term;
    list->most = s->k1_1;
    list->lows = s->lows;
    SURE_OF_END(s, s->chunk_ends, term);
    uint64_t c0 = term ? s->chunk_ends[term - 1] : 0, c1 = s->chunk_ends[term];
    if (c0 > c1 || c1 > s->n_chunk_keys) return 0;
    list->chunks = c1 - c0;
    SURE_OF(s, chunk_keys, c0, c1 - c0);
    SURE_OF(s, posting_ends, c0 ? c0 - 1 : 0, c1 - (c0 ? c0 - 1 : 0));
    list->keys = s->chunk_keys + c0;
    list->ends = s->posting_ends + c0;
    list->start = c0 ? s->posting_ends[c0 - 1] : 0;
    uint64_t end = list->start;
    for (uint64_t c = c0; c < c1; c++) {
        if (s->posting_ends[c] < end || s->posting_ends[c] > s->n_lows ||
            (c > c0 && s->chunk_keys[c] <= s->chunk_keys[c - 1]) ||
            s->posting_ends[c] - end > CHUNK) return 0;
        end = s->posting_ends[c];
    }
    if (list->start > end) return 0;
    list->having = end - list->start;
    SURE_OF(s, lows, list->start, list->having);
    SURE_OF(s, codes, list->start, list->having);
    SURE_OF_END(s, s->terms_ends, term);
    uint64_t text_start = term ? s->terms_ends[term - 1] : 0;
    if (text_start < s->n_terms_bytes) SURE_OF(s, terms_bytes, text_start, 1);
    list->is_label = text_start < s->n_terms_bytes && s->terms_bytes[text_start] < PAIR;
    if (list->having > DENSE) {
        SURE_OF_ALL(s, dense);
        list->dense = number_of(s->dense, 0, s->n_dense, c0);
        list->dense_end = s->n_dense - list->dense < list->chunks ? s->n_dense
                                                                  : list->dense + list->chunks;
    }
    if (list->having < CHAMPIONS) return 1;
    SURE_OF_ALL(s, frequent);
    uint64_t low = number_of(s->frequent, 0, s->n_frequent, term);
    if (low < s->n_frequent && s->frequent[low] == term) {
        SURE_OF(s, champions, low * CHAMPIONS, CHAMPIONS);
        SURE_OF(s, worths, low * CHAMPIONS, CHAMPIONS);
        list->best_docs = s->champions + low * CHAMPIONS;
        list->best_worths = s->worths + low * CHAMPIONS;
        list->most = list->best_worths[0];
    }
    return 1;
}

static inline Chunk chunk_of(const Segment *s, const List *list, uint64_t which) {
    Chunk chunk = {which ? list->ends[which - 1] : list->start, list->ends[which], NULL, NULL};
    if (!list->made && chunk.b - chunk.a > DENSE) {
        uint64_t wanted = (uint64_t)(list->keys + which - s->chunk_keys);
        uint64_t low = list->dense + which; /* if all chunks before have bits, too */
        if (low >= list->dense_end || s->dense[low] != wanted)
            low = number_of(s->dense, list->dense, list->dense_end, wanted);
        if (low < list->dense_end && s->dense[low] == wanted) {
            SURE_OF(s, bits, low * (CHUNK / 8), CHUNK / 8);
            chunk.bits = s->bits + low * (CHUNK / 8);
        }
    }
    return chunk;
}

#if defined(__GNUC__) && defined(__x86_64__)
#define HAS_POPCOUNT __builtin_cpu_supports("popcnt")
#define POPCOUNTS __attribute__((target("popcnt")))
#else
#define HAS_POPCOUNT 1
#define POPCOUNTS
#endif

/* Learns how many bits of a chunk stand before each LINE, if that was not asked for before. */
POPCOUNTS static void know_ranks(const Segment *s, Chunk *chunk) {
    if (!chunk->bits || chunk->ranks || !s->ranked || !HAS_POPCOUNT) return;
    uint64_t which = (uint64_t)(chunk->bits - s->bits) / (CHUNK / 8), before = 0;
    uint16_t *ranks = s->ranks + which * LINES;
    uint8_t is = __atomic_load_n(&s->ranked[which], __ATOMIC_ACQUIRE);
    if (!is) {
        for (int i = 0; i < LINES; i++) {
            ranks[i] = (uint16_t)before;
            for (int j = 0; j < LINE / 64; j++) {
                uint64_t word;
                memcpy(&word, chunk->bits + (i * LINE / 8 + 8 * j), 8);
                before += (uint64_t)__builtin_popcountll(word);
            }
        }
        is = before == chunk->b - chunk->a ? 1 : 2;
        __atomic_store_n(&s->ranked[which], is, __ATOMIC_RELEASE); /* another thread may read it */
    }
    if (is == 1) chunk->ranks = ranks;
}

/* The posting of an article that has a bit in a chunk whose ranks are known. */
POPCOUNTS static uint64_t ranked(const Chunk *chunk, uint32_t low) {
    const uint8_t *line = chunk->bits + low / LINE * (LINE / 8);
    uint32_t last = low % LINE / 64;
    uint64_t at = chunk->a + chunk->ranks[low / LINE], word;
    for (uint32_t i = 0; i < LINE / 64; i++) { /* all, without a branch that no processor foresees */
        memcpy(&word, line + 8 * i, 8);
        uint64_t these = i < last ? ~0ull : i > last ? 0 : (1ull << low % 64) - 1;
        at += (uint64_t)__builtin_popcountll(word & these);
    }
    return at < chunk->b ? at : chunk->b - 1;
}

/* The first posting from a on whose low bits are not less. */
static inline uint64_t lower(const uint16_t *lows, uint64_t a, uint64_t b, uint32_t low) {
    while (a < b) {
        uint64_t middle = a + (b - a) / 2;
        if (lows[middle] < low) a = middle + 1;
        else b = middle;
    }
    return a;
}

/* Where it is if numbers are spread evenly. */
static inline uint64_t guess(uint64_t a, uint64_t b, uint32_t low) {
    return a + (b - a) * low / CHUNK;
}

#define WINDOW 64 /* postings that are compared at once, around a guess */

/* Likewise, by a guess, and by a better one if that was too far off. */
static inline uint64_t near(const uint16_t *lows, uint64_t a, uint64_t b, uint32_t low) {
    if (b < a + WINDOW) return lower(lows, a, b, low);
    uint64_t from = guess(a, b, low), top = b - WINDOW;
    uint16_t less = 0, than = (uint16_t)low;
    from = from < a + WINDOW / 2 ? a : from - WINDOW / 2;
    for (int tries = 0; tries < 4; tries++) {
        if (from > top) from = top;
        uint32_t first = lows[from], last = lows[from + WINDOW - 1];
        if (first > low && from > a) {
            uint64_t off = WINDOW / 2 + (b - a) * (first - low) / CHUNK;
            from = from < a + off ? a : from - off;
        } else if (last < low && from < top) from += WINDOW / 2 + (b - a) * (low - last) / CHUNK;
        else {
            for (int i = 0; i < WINDOW; i++) less = (uint16_t)(less + (lows[from + i] < than));
            return from + less;
        }
    }
    return lower(lows, a, b, low);
}

static uint64_t chunk_number(const List *list, uint32_t key) {
    uint64_t low = 0, high = list->chunks;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (list->keys[middle] < key) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Where an article's posting is in a list; NOWHERE if it has none. */
static uint64_t posting_of(const List *list, uint32_t doc) {
    uint64_t c = chunk_number(list, doc >> 16);
    if (c == list->chunks || list->keys[c] != doc >> 16) return NOWHERE;
    uint64_t a = c ? list->ends[c - 1] : list->start, b = list->ends[c];
    uint64_t p = near(list->lows, a, b, doc & 0xFFFF);
    return p < b && list->lows[p] == (doc & 0xFFFF) ? p : NOWHERE;
}

/* Asks for where a list's first article from one on probably is. */
static void fetch_edge(const List *list, uint64_t doc) {
    uint64_t c = chunk_number(list, (uint32_t)(doc >> 16));
    if (c == list->chunks || list->keys[c] != doc >> 16) return;
    uint64_t a = c ? list->ends[c - 1] : list->start;
    const uint16_t *at = list->lows + guess(a, list->ends[c], doc & 0xFFFF);
    __builtin_prefetch(at - WINDOW / 2);
    __builtin_prefetch(at);
    __builtin_prefetch(at + WINDOW / 2);
}

/* How many of a list's articles have numbers from low to high - 1. */
static uint64_t count_between(const List *list, uint64_t low, uint64_t high) {
    uint64_t found = 0;
    for (uint64_t c = chunk_number(list, (uint32_t)(low >> 16)); c < list->chunks; c++) {
        uint64_t base = (uint64_t)list->keys[c] << 16;
        if (base >= high) break;
        uint64_t a = c ? list->ends[c - 1] : list->start, b = list->ends[c];
        if (high < base + CHUNK) b = near(list->lows, a, b, (uint32_t)(high - base));
        if (low > base) a = near(list->lows, a, b, (uint32_t)(low - base));
        found += b - a;
    }
    return found;
}

/* -- places --------------------------------------------------------------------------------- */

typedef struct {
    uint32_t *at; /* positions, ascending */
    uint64_t n, room;
    uint64_t next, before; /* the posting behind the last one, and how many places of its block
                              stand before its own */
} Places;

static int room_for(Places *places, uint64_t more) {
    if (places->n + more <= places->room) return 1;
    uint64_t room = 2 * (places->n + more);
    uint32_t *at = realloc(places->at, room * sizeof *at);
    if (!at) return 0;
    places->at = at;
    places->room = room;
    return 1;
}

static uint32_t form_count(const Segment *s, uint32_t term) {
    SURE_OF_END(s, s->term_form_ends, term);
    uint32_t first = term ? s->term_form_ends[term - 1] : 0, end = s->term_form_ends[term];
    return end > first ? end - first : 1;
}

/* How many places the postings from a to b - 1 of one block have. */
static uint64_t places_between(const Segment *s, uint64_t a, uint64_t b) {
    uint64_t found = 0, odd = 0, lanes = 0, p = a;
    for (; p + 8 <= b; p += 8) { /* eight codes at once, each in a byte */
        uint64_t codes;
        memcpy(&codes, s->codes + p, 8);
        odd |= (~codes - 0x0101010101010101) & codes & 0x8080808080808080; /* perhaps */
        codes = (codes >> 3 & 0x1F1F1F1F1F1F1F1F) + (codes & 0x0303030303030303);
        lanes += (codes & 0x00FF00FF00FF00FF) + (codes >> 8 & 0x00FF00FF00FF00FF);
    }
    found = lanes * 0x0001000100010001 >> 48;
    for (; p < b; p++) {
        odd |= s->codes[p] == ODD;
        found += (uint64_t)(s->codes[p] >> 3) + (s->codes[p] & 3);
    }
    for (; odd && a < b; a++) {
        uint32_t titles, texts;
        if (s->codes[a] != ODD) continue;
        counts(s, a, &titles, &texts);
        found += (uint64_t)titles + texts - 34; /* 31 and 3 were taken for them */
    }
    return found;
}

/* Adds the positions of a posting, those of one form only unless ordinal is -1; 0 on failure.

   The places of a block are in the order of its postings. Where those of the last posting ended is
   remembered, since the next one is often in the same block. */
static int add_places(const Segment *s, uint64_t p, uint32_t forms, int64_t ordinal,
                      Places *places) {
    uint64_t block = p / BLOCK, before;
    SURE_OF(s, codes, block * BLOCK, p + 1 - block * BLOCK);
    SURE_OF(s, row_widths, block, 1);
    SURE_OF(s, row_starts, block, 1);
    if (places->next > block * BLOCK && places->next <= p) /* goes on in the same block */
        before = places->before + places_between(s, places->next, p);
    else before = places_between(s, block * BLOCK, p);
    uint32_t titles, texts;
    counts(s, p, &titles, &texts);
    uint64_t n = (uint64_t)titles + texts, width = s->row_widths[block];
    uint64_t start = s->row_starts[block];
    places->next = p + 1;
    places->before = before + n;
    if (width > 57 || start > s->n_rows || n > 8 * s->n_rows || before + n > (1ull << 40) ||
        (before + n) * width / 8 + 8 > s->n_rows - start || !room_for(places, n)) return 0;
    SURE_OF(s, rows, start + before * width / 8, n * width / 8 + 8);
    uint64_t mask = (1ull << width) - 1;
    for (uint64_t i = before; i < before + n; i++) {
        uint64_t bit = i * width, value;
        memcpy(&value, s->rows + start + bit / 8, 8);
        value = value >> (bit & 7) & mask;
        uint64_t position = value >> 32 ? value / forms : (uint32_t)value / forms;
        if (ordinal >= 0 && (int64_t)(value - position * forms) != ordinal) continue;
        if (position > UINT32_MAX) return 0;
        places->at[places->n++] = (uint32_t)position;
    }
    return 1;
}

/* How many places stand before those of a posting, of all that there are. */
static uint64_t places_before(const Segment *s, uint64_t p) {
    if (p >= s->n_codes) return s->n_follows;
    uint64_t block = p / BLOCK;
    SURE_OF(s, follow_starts, block, 1);
    SURE_OF(s, codes, block * BLOCK, p - block * BLOCK);
    return s->follow_starts[block] + places_between(s, block * BLOCK, p);
}

typedef struct {
    uint8_t of[MOST_CLASSES];
    int n;
} Classes;

typedef uint8_t Sixteen __attribute__((vector_size(16)));

/* The first of some places behind which a word of one of these classes stands; `end` if none is. */
static uint64_t next_followed(const Segment *s, uint64_t at, uint64_t end, const Classes *classes) {
    for (; at + 16 <= end; at += 16) { /* sixteen at once */
        Sixteen follows, any = {0};
        uint64_t half[2];
        memcpy(&follows, s->follows + at, sizeof follows);
        for (int i = 0; i < classes->n; i++) any |= (Sixteen)(follows == classes->of[i]);
        memcpy(half, &any, sizeof any);
        if (half[0]) return at + (uint64_t)__builtin_ctzll(half[0]) / 8;
        if (half[1]) return at + 8 + (uint64_t)__builtin_ctzll(half[1]) / 8;
    }
    for (; at < end; at++)
        if (memchr(classes->of, s->follows[at], (size_t)classes->n)) return at;
    return end;
}

/* Codes that tell enough: the least of those of each number of times in the title; and the greatest. */
typedef struct { uint8_t least[4], most; } Enough;

/* The codes of postings that may be worth so much: of words that stand in an article once, and not in
   its title, or of the others. */
static Enough enough_for(const Segment *s, float worth, int are_single) {
    Enough enough = {{ODD, ODD, ODD, ODD}, are_single ? (2 << 3) - 1 : ODD};
    for (uint32_t titles = 0; titles < (are_single ? 1 : 4); titles++) {
        uint32_t code = are_single ? 1 << 3 : titles ? titles : 2 << 3, end = enough.most;
        while (code < end && s->most_of[code] < worth) code += 1 << 3;
        if (code < end) enough.least[titles] = (uint8_t)code;
    }
    return enough;
}

/* The first of some postings with such a code; `end` if none has. */
static uint64_t next_enough(const Segment *s, uint64_t p, uint64_t end, const Enough *enough) {
    for (; p + 16 <= end; p += 16) { /* sixteen at once */
        Sixteen codes, any = {0};
        uint64_t half[2];
        memcpy(&codes, s->codes + p, sizeof codes);
        for (uint8_t titles = 0; titles < 4; titles++)
            any |= (Sixteen)((codes & 3) == titles) & (Sixteen)(codes >= enough->least[titles]);
        any &= (Sixteen)(codes <= enough->most);
        memcpy(half, &any, sizeof any);
        if (half[0]) return p + (uint64_t)__builtin_ctzll(half[0]) / 8;
        if (half[1]) return p + 8 + (uint64_t)__builtin_ctzll(half[1]) / 8;
    }
    while (p < end && (s->codes[p] < enough->least[s->codes[p] & 3] || s->codes[p] > enough->most)) p++;
    return p;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void sort_places(Places *places) {
    for (uint64_t i = 1; i < places->n; i++) {
        if (places->at[i - 1] <= places->at[i]) continue;
        qsort(places->at, places->n, sizeof *places->at, by_number);
        break;
    }
    uint64_t kept = 0;
    for (uint64_t i = 0; i < places->n; i++)
        if (!kept || places->at[i] != places->at[kept - 1]) places->at[kept++] = places->at[i];
    places->n = kept;
}

#endif
