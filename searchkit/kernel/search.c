/* Search: the best articles of the common queries, straight from the arrays of a segment.

   What each array holds, codec/segment.py tells. The twin of `top` is query/top.py: the same
   articles, and scores of the same bits.

   A query is a row of slots. A slot becomes a list: the postings of one term as they lie in the
   file, or, where a word has several lemmas, is asked for in one form, begins like this or is a
   phrase, postings that were made for the occasion. Lists go chunk by chunk (65,536 articles).

   - Of one frequent word the best postings are kept beside the index (champions).
   - All of some words: the shortest list leads, the others are probed.
   - Any of two words: articles with both, and of those with one only, its champions.
   - Any of more: scores are added up in a table of one chunk.
   - A bonus for words side by side has a bound: places are read only of articles that it can
     bring among the best. */
#include "kernel.h"

#include <math.h>
#include <stdlib.h>

#define CHUNK 65536
#define BLOCK 64
#define ODD 255
#define CHAMPIONS 128
#define DENSE 1024    /* postings; a chunk with more has bits */
#define PAIR 0x1F     /* schema.PAIR; what is less stands before terms of fields that are not text */
#define SLOTS 16      /* words of a query; longer ones are left to the twin */
#define TRIED 32      /* articles whose bonuses are looked up first */
#define LONG 200000   /* postings; a query with more of them may take a millisecond */
#define NOWHERE UINT64_MAX

/* -- a segment ------------------------------------------------------------------------------ */

/* The arrays: C type, how many bytes an item has, name. */
#define ARRAYS(X)                                                                                 \
    X(uint32_t, 4, chunk_ends) X(uint16_t, 2, chunk_keys) X(uint64_t, 8, posting_ends)            \
    X(uint16_t, 2, lows) X(uint8_t, 1, codes) X(uint64_t, 8, odd) X(uint32_t, 4, odd_titles)      \
    X(uint32_t, 4, odd_texts) X(uint64_t, 8, row_starts) X(uint8_t, 1, row_widths)                \
    X(uint8_t, 1, rows) X(uint32_t, 4, dense) X(uint8_t, 1, bits) X(uint32_t, 4, frequent)        \
    X(uint32_t, 4, champions) X(float, 4, worths) X(float, 4, title_norms) X(float, 4, text_norms)\
    X(uint32_t, 4, title_words) X(uint32_t, 4, term_form_ends) X(uint32_t, 4, term_forms)         \
    X(uint32_t, 4, lemma_ends) X(uint32_t, 4, lemmas) X(uint64_t, 8, first) X(uint64_t, 8, last)  \
    X(uint8_t, 1, terms_bytes) X(uint32_t, 4, terms_ends) X(uint32_t, 4, terms_buckets)           \
    X(uint32_t, 4, terms_order) X(uint8_t, 1, forms_bytes) X(uint32_t, 4, forms_ends)             \
    X(uint32_t, 4, forms_buckets) X(uint32_t, 4, forms_order)

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
#define X(type, size, name) const type *name; uint64_t n_##name;
    ARRAYS(X)
#undef X
    float k1, k1_1;
    uint32_t size; /* articles */
} Segment;

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
           s->n_bits == s->n_dense * (CHUNK / 8) &&
           s->n_champions == s->n_frequent * CHAMPIONS && s->n_worths == s->n_champions &&
           s->n_title_norms == s->n_first && s->n_text_norms == s->n_first &&
           s->n_title_words == s->n_first && s->n_last == s->n_first && s->n_first < UINT32_MAX &&
           s->n_term_form_ends == s->n_terms_ends && s->n_chunk_ends == s->n_terms_ends &&
           s->n_term_forms == s->n_lemmas && s->n_lemma_ends == s->n_forms_ends &&
           s->n_terms_order == s->n_terms_ends && s->n_forms_order == s->n_forms_ends &&
           s->n_terms_buckets >= 2 && s->n_forms_buckets >= 2 &&
           s->n_terms_ends < UINT32_MAX && s->n_forms_ends < UINT32_MAX;
}

static PyObject *segment_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    PyObject *arrays;
    float k1;
    (void)kwargs;
    if (!PyArg_ParseTuple(args, "Of", &arrays, &k1)) return NULL;
    Segment *self = (Segment *)type->tp_alloc(type, 0);
    if (!self) return NULL;
    self->held = 0;
    if (segment_take(self, arrays) < 0) {
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
    return (PyObject *)self;
}

static void segment_dealloc(Segment *self) {
    for (int i = 0; i < self->held; i++) PyBuffer_Release(&self->views[i]);
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}

/* -- strings: the twin is codec/strings.py --------------------------------------------------- */

typedef struct {
    const uint8_t *bytes;
    const uint32_t *ends, *buckets, *order;
    uint64_t size, count, bucket_count;
} Strings;

#define STRINGS(s, what)                                                                          \
    ((Strings){(s)->what##_bytes, (s)->what##_ends, (s)->what##_buckets, (s)->what##_order,       \
               (s)->n_##what##_bytes, (s)->n_##what##_ends, (s)->n_##what##_buckets})

static uint32_t crc32_of(const uint8_t *data, Py_ssize_t size) {
    static uint32_t table[256];
    if (!table[1]) {
        for (uint32_t i = 255; i; i--) { /* table[1] comes last: it says that all are there */
            uint32_t c = i;
            for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            table[i] = c;
        }
    }
    uint32_t crc = ~0u;
    for (Py_ssize_t i = 0; i < size; i++) crc = table[(crc ^ data[i]) & 0xFF] ^ (crc >> 8);
    return ~crc;
}

/* Compares a string with others as bytes; a damaged end makes it greater than all. */
static int compare(const Strings *strings, uint64_t number, const uint8_t *data, uint64_t size,
                   int as_prefix) {
    uint64_t start = number ? strings->ends[number - 1] : 0, end = strings->ends[number];
    if (start > end || end > strings->size) return 1;
    uint64_t own = end - start, common = own < size ? own : size;
    int order = memcmp(strings->bytes + start, data, common);
    if (order || (as_prefix && own >= size)) return order;
    return own < size ? -1 : own > size;
}

static int64_t find(const Strings *strings, const uint8_t *data, Py_ssize_t size) {
    if (!strings->count) return -1;
    uint64_t bucket = crc32_of(data, size) & (strings->bucket_count - 2);
    uint64_t low = strings->buckets[bucket], high = strings->buckets[bucket + 1];
    if (high > strings->count) high = strings->count;
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
        uint64_t low = past ? *first : 0, high = strings->count;
        while (low < high) {
            uint64_t middle = low + (high - low) / 2;
            int order = compare(strings, middle, data, (uint64_t)size, past);
            if (past ? order <= 0 : order < 0) low = middle + 1;
            else high = middle;
        }
        *(past ? end : first) = low;
    }
}

/* -- postings ------------------------------------------------------------------------------- */

typedef struct {
    uint32_t term;   /* as it lies in the file; where a list is made, the first of its terms */
    int is_label;    /* of a field that is not text: how long it is does not count */
    uint64_t chunks, start;
    const uint16_t *keys;
    const uint64_t *ends;
    const uint16_t *lows;
    float *worths;       /* of a list that was made; else NULL */
    void *made;          /* what was allocated for it */
    uint64_t having;     /* how many postings */
    float most;          /* what none of them is worth more than */
    const uint32_t *best_docs; /* champions, or NULL */
    const float *best_worths;
} List;

typedef struct {
    uint64_t a, b; /* postings a to b - 1 */
    const uint8_t *bits;
} Chunk;

static inline void counts(const Segment *s, uint64_t p, uint32_t *titles, uint32_t *texts) {
    uint8_t code = s->codes[p];
    *titles = code & 3;
    *texts = code >> 2;
    if (code == ODD) {
        uint64_t low = 0, high = s->n_odd;
        while (low < high) {
            uint64_t middle = (low + high) / 2;
            if (s->odd[middle] < p) low = middle + 1;
            else high = middle;
        }
        *titles = low < s->n_odd ? s->odd_titles[low] : 0;
        *texts = low < s->n_odd ? s->odd_texts[low] : 0;
    }
}

static inline float worth_of(const Segment *s, int is_label, uint32_t doc, uint32_t titles,
                             uint32_t texts) {
    float f;
    if (is_label) f = (float)texts;
    else if (doc < s->size) {
        f = (float)titles * s->title_norms[doc];
        f += (float)texts * s->text_norms[doc];
    } else f = 0; /* damaged: it is found out where the article is read */
    return saturated(f, s->k1);
}

static inline float worth(const Segment *s, const List *list, uint64_t p, uint32_t doc) {
    uint32_t titles, texts;
    if (list->worths) return list->worths[p];
    counts(s, p, &titles, &texts);
    return worth_of(s, list->is_label, doc, titles, texts);
}

/* Takes a term's postings as they lie in the file; 0 if they lead out of it. */
static int take_term(const Segment *s, uint64_t term, List *list) {
    memset(list, 0, sizeof *list);
    list->term = (uint32_t)term;
    list->most = s->k1_1;
    list->lows = s->lows;
    uint64_t c0 = term ? s->chunk_ends[term - 1] : 0, c1 = s->chunk_ends[term];
    if (c0 > c1 || c1 > s->n_chunk_keys) return 0;
    list->chunks = c1 - c0;
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
    list->having = end - list->start;
    uint64_t text_start = term ? s->terms_ends[term - 1] : 0;
    list->is_label = text_start < s->n_terms_bytes && s->terms_bytes[text_start] < PAIR;
    uint64_t low = 0, high = s->n_frequent;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (s->frequent[middle] < term) low = middle + 1;
        else high = middle;
    }
    if (low < s->n_frequent && s->frequent[low] == term && list->having >= CHAMPIONS) {
        list->best_docs = s->champions + low * CHAMPIONS;
        list->best_worths = s->worths + low * CHAMPIONS;
        list->most = list->best_worths[0];
    }
    return 1;
}

static inline Chunk chunk_of(const Segment *s, const List *list, uint64_t which) {
    Chunk chunk = {which ? list->ends[which - 1] : list->start, list->ends[which], NULL};
    if (!list->made && chunk.b - chunk.a > DENSE) {
        uint64_t wanted = (uint64_t)(list->keys + which - s->chunk_keys);
        uint64_t low = 0, high = s->n_dense;
        while (low < high) {
            uint64_t middle = (low + high) / 2;
            if (s->dense[middle] < wanted) low = middle + 1;
            else high = middle;
        }
        if (low < s->n_dense && s->dense[low] == wanted) chunk.bits = s->bits + low * (CHUNK / 8);
    }
    return chunk;
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

/* Likewise, where it is probably near. */
static inline uint64_t gallop(const uint16_t *lows, uint64_t a, uint64_t b, uint32_t low) {
    uint64_t step = 1;
    while (a + step < b && lows[a + step] < low) {
        a += step;
        step *= 2;
    }
    return lower(lows, a, a + step + 1 < b ? a + step + 1 : b, low);
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
    uint64_t p = lower(list->lows, a, b, doc & 0xFFFF);
    return p < b && list->lows[p] == (doc & 0xFFFF) ? p : NOWHERE;
}

/* How many of a list's articles have numbers from low to high - 1. */
static uint64_t count_between(const List *list, uint64_t low, uint64_t high) {
    uint64_t found = 0;
    for (uint64_t c = chunk_number(list, (uint32_t)(low >> 16)); c < list->chunks; c++) {
        uint64_t base = (uint64_t)list->keys[c] << 16;
        if (base >= high) break;
        uint64_t a = c ? list->ends[c - 1] : list->start, b = list->ends[c];
        if (high < base + CHUNK) b = lower(list->lows, a, b, (uint32_t)(high - base));
        if (low > base) a = lower(list->lows, a, b, (uint32_t)(low - base));
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
        codes = (codes >> 2 & 0x3F3F3F3F3F3F3F3F) + (codes & 0x0303030303030303);
        lanes += (codes & 0x00FF00FF00FF00FF) + (codes >> 8 & 0x00FF00FF00FF00FF);
    }
    found = lanes * 0x0001000100010001 >> 48;
    for (; p < b; p++) {
        odd |= s->codes[p] == ODD;
        found += (uint64_t)(s->codes[p] >> 2) + (s->codes[p] & 3);
    }
    for (; odd && a < b; a++) {
        uint32_t titles, texts;
        if (s->codes[a] != ODD) continue;
        counts(s, a, &titles, &texts);
        found += (uint64_t)titles + texts - 66; /* 63 and 3 were taken for them */
    }
    return found;
}

/* Adds the positions of a posting, those of one form only unless ordinal is -1; 0 on failure. */
static int add_places(const Segment *s, uint64_t p, uint32_t forms, int64_t ordinal,
                      Places *places) {
    uint64_t block = p / BLOCK, before;
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

/* -- one query ------------------------------------------------------------------------------ */

enum { WORD, FORM, PREFIX, PHRASE };
enum { EVERY, ANY, SOME };

typedef struct {
    float score;
    uint32_t doc;
    uint64_t first;
    int complete;
} Hit;

/* What a table of one chunk has of each article; all 0 between uses. */
typedef struct {
    float score[CHUNK];
    uint8_t count[CHUNK];
    uint64_t bits[CHUNK / 64];
} Table;

typedef struct Word Word;
struct Word {
    int kind, in_title;
    const char **strings; /* terms, a form or the beginning of words, as UTF-8 */
    Py_ssize_t *sizes;
    int n;
    Word *words; /* of a phrase */
    /* in the segment at hand: */
    List *terms; /* of its terms, those that are there */
    int n_terms;
    int64_t ordinal; /* of a form, among those of its term; else -1 */
    List whole;
    int has_whole;
    uint64_t having;
    float unit; /* idf */
};

typedef struct {
    int left, right; /* words */
    uint32_t distance;
    float unit;
} Bonus;

typedef struct Arena { struct Arena *next; } Arena;

typedef struct {
    Segment *s;
    const uint8_t *alive; /* or NULL */
    uint32_t base;
    Word *words;
    int k, mode, by_date, has_window, failed;
    uint64_t since, until;
    Bonus bonuses[SLOTS];
    int n_bonuses;
    float room; /* what all bonuses add at most */
    int some_have_bonuses; /* articles that do not have all words, too */
    Hit *heap;
    uint64_t wanted, n;
    uint64_t total, total_all;
    Table *table;
    Arena *arena;
    Places places[2];
} Query;

static void *keep(Query *q, size_t size) {
    Arena *block = malloc(sizeof(Arena) + size);
    if (!block) {
        q->failed = 1;
        return NULL;
    }
    block->next = q->arena;
    q->arena = block;
    return block + 1;
}

static void let_go(Query *q) {
    while (q->arena) {
        Arena *next = q->arena->next;
        free(q->arena);
        q->arena = next;
    }
}

static int bits_set(uint64_t x) {
    x -= x >> 1 & 0x5555555555555555;
    x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
    return (int)(((x + (x >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101 >> 56);
}

/* -- the best so far: a heap, the worst on top ------------------------------------------------ */

static int is_better(const Query *q, const Hit *a, const Hit *b) {
    if (q->by_date && a->first != b->first) return a->first > b->first;
    if (a->complete != b->complete) return a->complete > b->complete;
    if (a->score != b->score) return a->score > b->score;
    if (a->first != b->first) return a->first > b->first;
    return a->doc < b->doc;
}

/* Whether an article may be among the best whose score is at most this. */
static inline int may_enter(const Query *q, uint32_t doc, float most, int complete) {
    if (q->n < q->wanted) return 1;
    if (!q->wanted || doc >= q->s->size) return 0;
    const Hit *worst = q->heap;
    if (q->by_date) return q->s->first[doc] >= worst->first;
    if (complete != worst->complete) return complete > worst->complete;
    return most * 1.000002f >= worst->score; /* sums are rounded */
}

/* Puts a hit where it belongs from a place on, below which all is in order. */
static void sink(const Query *q, uint64_t at, Hit hit) {
    Hit *heap = q->heap;
    for (;;) {
        uint64_t child = 2 * at + 1;
        if (child >= q->n) break;
        if (child + 1 < q->n && is_better(q, &heap[child], &heap[child + 1])) child++;
        if (!is_better(q, &hit, &heap[child])) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = hit;
}

static void offer(Query *q, uint32_t doc, float score, int complete) {
    if (doc >= q->s->size) {
        q->failed = 1;
        return;
    }
    Hit hit = {score, q->base + doc, q->s->first[doc], complete};
    Hit *heap = q->heap;
    uint64_t at;
    if (q->n < q->wanted) {
        for (at = q->n++; at && is_better(q, &heap[(at - 1) / 2], &hit); at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = hit;
    } else if (q->wanted && is_better(q, &hit, heap)) sink(q, 0, hit);
}

/* -- lists that are made --------------------------------------------------------------------- */

typedef struct {
    List *list;
    uint16_t *keys, *lows;
    uint64_t *ends;
    uint64_t room_for_chunks;
} Maker;

/* Begins a list of at most so many postings. */
static int make(Query *q, Maker *maker, List *list, uint64_t postings) {
    uint64_t chunks = ((uint64_t)q->s->size + CHUNK - 1) / CHUNK;
    memset(list, 0, sizeof *list);
    char *room = keep(q, chunks * 10 + postings * 6 + 16);
    if (!room) return 0;
    maker->list = list;
    maker->room_for_chunks = chunks;
    list->made = room;
    list->ends = maker->ends = (uint64_t *)room;
    list->worths = (float *)(room + chunks * 8);
    list->keys = maker->keys = (uint16_t *)(room + chunks * 8 + postings * 4);
    list->lows = maker->lows = maker->keys + chunks;
    list->most = q->s->k1_1;
    return 1;
}

static inline void put(Maker *maker, uint32_t doc, float worth) {
    List *list = maker->list;
    if (!list->chunks || maker->keys[list->chunks - 1] != doc >> 16) {
        if (list->chunks == maker->room_for_chunks) return; /* damaged: a number that is no article */
        maker->keys[list->chunks++] = (uint16_t)(doc >> 16);
    }
    maker->lows[list->having] = (uint16_t)doc;
    list->worths[list->having++] = worth;
    maker->ends[list->chunks - 1] = list->having;
}

static inline int is_alive(const Query *q, uint32_t doc) {
    return doc < q->s->size && (!q->alive || q->alive[doc]);
}

/* Makes one list of several, or of one that has to be filtered: an article is worth the best. */
static int unite(Query *q, const List *lists, int n, int in_title, List *out) {
    const Segment *s = q->s;
    Table *table = q->table;
    uint64_t most = 0, *at = keep(q, (size_t)n * sizeof *at);
    for (int i = 0; i < n; i++) most += lists[i].having;
    Maker maker;
    if (!at || !make(q, &maker, out, most)) return 0;
    memset(at, 0, (size_t)n * sizeof *at);
    for (;;) {
        uint32_t key = CHUNK;
        for (int i = 0; i < n; i++)
            if (at[i] < lists[i].chunks && lists[i].keys[at[i]] < key) key = lists[i].keys[at[i]];
        if (key == CHUNK) return 1;
        for (int i = 0; i < n; i++) {
            const List *list = &lists[i];
            if (at[i] == list->chunks || list->keys[at[i]] != key) continue;
            Chunk chunk = chunk_of(s, list, at[i]++);
            for (uint64_t p = chunk.a; p < chunk.b; p++) {
                uint32_t low = list->lows[p], doc = key << 16 | low, titles, texts;
                float w;
                if (list->worths) w = list->worths[p];
                else {
                    counts(s, p, &titles, &texts);
                    if (in_title && !titles) continue;
                    w = worth_of(s, list->is_label, doc, titles, in_title ? 0 : texts);
                }
                if (w > table->score[low]) table->score[low] = w;
                table->bits[low / 64] |= 1ull << low % 64;
            }
        }
        for (uint32_t i = 0; i < CHUNK / 64; i++) {
            for (uint64_t bits = table->bits[i]; bits; bits &= bits - 1) {
                uint32_t low = i * 64 + (uint32_t)__builtin_ctzll(bits);
                if (is_alive(q, key << 16 | low)) put(&maker, key << 16 | low, table->score[low]);
                table->score[low] = 0;
            }
            table->bits[i] = 0;
        }
    }
}

/* -- words in a segment ----------------------------------------------------------------------- */

static int add_term(Query *q, Word *word, uint64_t term) {
    if (term < q->s->n_terms_ends && take_term(q->s, term, &word->terms[word->n_terms])) {
        word->n_terms++;
        return 1;
    }
    q->failed = 1;
    return 0;
}

/* What a posting is worth whose places are known; also how much of it is in the title. */
static float worth_of_places(const Segment *s, uint32_t doc, const Places *places) {
    uint32_t titles = 0, words = doc < s->size ? s->title_words[doc] : 0;
    for (uint64_t i = 0; i < places->n; i++) titles += places->at[i] < words;
    return worth_of(s, 0, doc, titles, (uint32_t)places->n - titles);
}

/* Makes the list of a form, given one of its terms. */
static int make_form(Query *q, const List *term, int64_t ordinal, List *out) {
    Maker maker;
    uint32_t forms = form_count(q->s, term->term);
    if (!make(q, &maker, out, term->having)) return 0;
    for (uint64_t c = 0; c < term->chunks; c++) {
        Chunk chunk = chunk_of(q->s, term, c);
        for (uint64_t p = chunk.a; p < chunk.b; p++) {
            uint32_t doc = (uint32_t)term->keys[c] << 16 | term->lows[p];
            q->places[0].n = 0;
            if (!add_places(q->s, p, forms, ordinal, &q->places[0])) return 0;
            if (!q->places[0].n || !is_alive(q, doc)) continue;
            float w = term->is_label ? worth_of(q->s, 1, doc, 0, (uint32_t)q->places[0].n)
                                     : worth_of_places(q->s, doc, &q->places[0]);
            put(&maker, doc, w);
        }
    }
    return 1;
}

/* Finds a form's first term, and the form's number there; 0 if it is damaged. */
static int form_at(const Segment *s, uint64_t form, uint32_t *term, int64_t *ordinal) {
    uint64_t first = form ? s->lemma_ends[form - 1] : 0;
    if (first >= s->lemma_ends[form] || s->lemma_ends[form] > s->n_lemmas) return 0;
    *term = s->lemmas[first];
    if (*term >= s->n_terms_ends) return 0;
    uint64_t low = *term ? s->term_form_ends[*term - 1] : 0, end = s->term_form_ends[*term];
    if (low > end || end > s->n_term_forms) return 0;
    uint64_t start = low;
    for (uint64_t high = end; low < high;) {
        uint64_t middle = (low + high) / 2;
        if (s->term_forms[middle] < form) low = middle + 1;
        else high = middle;
    }
    *ordinal = (int64_t)(low - start);
    return 1;
}

static int resolve_form(Query *q, Word *word) {
    Strings forms = STRINGS(q->s, forms);
    uint32_t term;
    word->terms = keep(q, sizeof(List));
    if (!word->terms) return 0;
    int64_t form = find(&forms, (const uint8_t *)word->strings[0], word->sizes[0]);
    if (form < 0) return 1;
    if (!form_at(q->s, (uint64_t)form, &term, &word->ordinal)) return 0;
    if (!add_term(q, word, term)) return 0;
    if (form_count(q->s, term) == 1) word->ordinal = -1; /* every place is one of it */
    return 1;
}

static int resolve_prefix(Query *q, Word *word) {
    Segment *s = q->s;
    Strings terms = STRINGS(s, terms), forms = STRINGS(s, forms);
    const uint8_t *start = (const uint8_t *)word->strings[0];
    uint64_t first, end, form, form_end;
    prefixed(&terms, start, word->sizes[0], &first, &end);
    prefixed(&forms, start, word->sizes[0], &form, &form_end);
    word->terms = keep(q, (size_t)(end - first + form_end - form + 1) * sizeof(List));
    if (!word->terms) return 0;
    for (uint64_t term = first; term < end; term++)
        if (!add_term(q, word, term)) return 0;
    for (; form < form_end; form++) { /* forms of other terms: "йшов" for "йш*" */
        uint64_t low = form ? s->lemma_ends[form - 1] : 0, high = s->lemma_ends[form];
        if (high > s->n_lemmas) return 0;
        for (; low < high; low++)
            if (s->lemmas[low] >= first && s->lemmas[low] < end) break;
        uint32_t term;
        int64_t ordinal;
        List list;
        if (low < high) continue;
        if (!form_at(s, form, &term, &ordinal) || !take_term(s, term, &list)) return 0;
        if (!make_form(q, &list, ordinal, &word->terms[word->n_terms])) return 0;
        word->n_terms++;
    }
    return 1;
}

/* Takes a phrase of two words for one, if they often stand together (codec/together.py). */
static int resolve_pair(Query *q, Word *phrase) {
    Strings terms = STRINGS(q->s, terms);
    char key[512] = {PAIR};
    size_t size = 1;
    for (int i = 0; i < 2; i++) {
        const Word *word = &phrase->words[i];
        if (phrase->n != 2 || word->kind != WORD || word->n_terms != 1) return 1;
        uint64_t term = word->terms[0].term, start = term ? terms.ends[term - 1] : 0;
        uint64_t length = terms.ends[term] - start;
        if (start > terms.ends[term] || terms.ends[term] > terms.size) return 0;
        if (length < 1 || terms.bytes[start] < 0x20 || size + length + 1 > sizeof key) return 1;
        if (i) key[size++] = ' ';
        memcpy(key + size, terms.bytes + start, length);
        size += length;
    }
    int64_t pair = find(&terms, (const uint8_t *)key, (Py_ssize_t)size);
    if (pair < 0) return 1;
    phrase->kind = WORD;
    phrase->terms = keep(q, sizeof(List));
    return phrase->terms && add_term(q, phrase, (uint64_t)pair);
}

/* Finds a word in the segment at hand; 0 on failure. */
static int resolve(Query *q, Word *word) {
    Strings terms = STRINGS(q->s, terms);
    word->n_terms = word->has_whole = 0;
    word->ordinal = -1;
    word->terms = NULL;
    if (word->kind == PHRASE) {
        for (int i = 0; i < word->n; i++)
            if (!resolve(q, &word->words[i])) return 0;
        return resolve_pair(q, word);
    }
    if (word->kind == FORM) return resolve_form(q, word);
    if (word->kind == PREFIX) return resolve_prefix(q, word);
    word->terms = keep(q, (size_t)word->n * sizeof(List));
    if (!word->terms) return 0;
    for (int i = 0; i < word->n; i++) {
        int64_t term = find(&terms, (const uint8_t *)word->strings[i], word->sizes[i]);
        if (term >= 0 && !add_term(q, word, (uint64_t)term)) return 0;
    }
    return 1;
}

/* Reads where a word stands in an article; 0 on failure. */
static int places_of(const Query *q, const Word *word, uint32_t doc, Places *places) {
    places->n = 0;
    for (int i = 0; i < word->n_terms; i++) {
        const List *term = &word->terms[i];
        uint64_t p = posting_of(term, doc);
        if (p != NOWHERE &&
            !add_places(q->s, p, form_count(q->s, term->term), word->ordinal, places)) return 0;
    }
    sort_places(places);
    return 1;
}

/* Keeps those places of the first behind which, at a distance, there is one of the second. */
static void keep_followed(Places *first, const Places *second, uint32_t distance) {
    uint64_t kept = 0, j = 0;
    for (uint64_t i = 0; i < first->n; i++) {
        uint64_t wanted = (uint64_t)first->at[i] + distance;
        while (j < second->n && second->at[j] < wanted) j++;
        if (j < second->n && second->at[j] == wanted) first->at[kept++] = first->at[i];
    }
    first->n = kept;
}

/* -- going through lists --------------------------------------------------------------------- */

typedef struct Walk Walk;
typedef void (*Visit)(Walk *walk, uint32_t doc, uint64_t *at);

struct Walk {
    Query *q;
    const List *lists[SLOTS];
    Chunk chunks[SLOTS]; /* of the lists, those at hand */
    uint64_t next[SLOTS]; /* from where on the next article's postings are */
    Visit visit;         /* NULL to count only */
    const uint64_t *check; /* only articles whose `last` is not less count, if not NULL */
    uint64_t found;
    int k;
    void *own; /* the visitor's */
};

/* A posting that a bit said is there. */
static inline uint64_t looked_up(Walk *w, int i, uint32_t doc, uint64_t at) {
    if (at != NOWHERE) return at;
    const Chunk *chunk = &w->chunks[i];
    at = gallop(w->lists[i]->lows, w->next[i], chunk->b, doc & 0xFFFF);
    w->next[i] = at;
    return at < chunk->b ? at : chunk->b - 1;
}

/* How many numbers two ascending rows have in common. */
static uint64_t common(const uint16_t *a, const uint16_t *a_end, const uint16_t *b,
                       const uint16_t *b_end) {
    uint64_t found = 0;
    while (a < a_end && b < b_end) {
        uint16_t x = *a, y = *b;
        found += x == y;
        a += x <= y;
        b += y <= x;
    }
    return found;
}

/* How many articles two lists have in common in the chunks at hand, of which all counts. */
static uint64_t count_in_chunk(const Walk *w) {
    const Chunk *few = &w->chunks[0], *many = &w->chunks[1];
    const uint16_t *lows = w->lists[0]->lows, *others = w->lists[1]->lows;
    uint64_t found = 0;
    if (few->b - few->a > many->b - many->a) {
        const Chunk *chunk = few;
        few = many, many = chunk;
        lows = w->lists[1]->lows, others = w->lists[0]->lows;
    }
    if (many->bits && few->bits) {
        for (int i = 0; i < CHUNK / 8; i += 8) {
            uint64_t x, y;
            memcpy(&x, few->bits + i, 8);
            memcpy(&y, many->bits + i, 8);
            found += (uint64_t)bits_set(x & y);
        }
    } else if (many->bits) {
        for (uint64_t p = few->a; p < few->b; p++)
            found += many->bits[lows[p] / 8] >> (lows[p] % 8) & 1;
    } else if ((many->b - many->a) / 16 < few->b - few->a) {
        found = common(lows + few->a, lows + few->b, others + many->a, others + many->b);
    } else {
        uint64_t next = many->a;
        for (uint64_t p = few->a; p < few->b && next < many->b; p++) {
            next = gallop(others, next, many->b, lows[p]);
            found += next < many->b && others[next] == lows[p];
        }
    }
    return found;
}

static void meet_in_chunk(Walk *w, uint32_t key, uint32_t low_end, uint32_t high_end) {
    int order[SLOTS] = {0}, k = w->k;
    uint64_t at[SLOTS], *next = w->next;
    if (k == 2 && !w->visit && !w->check && !low_end && high_end == CHUNK) {
        w->found += count_in_chunk(w);
        return;
    }
    for (int i = 0; i < k; i++) {
        int j = i;
        uint64_t size = w->chunks[i].b - w->chunks[i].a;
        for (; j && w->chunks[order[j - 1]].b - w->chunks[order[j - 1]].a > size; j--)
            order[j] = order[j - 1];
        order[j] = i;
        next[i] = w->chunks[i].a;
    }
    int lead = order[0];
    const uint16_t *lows = w->lists[lead]->lows;
    uint64_t p = w->chunks[lead].a, end = w->chunks[lead].b;
    if (low_end) p = lower(lows, p, end, low_end);
    if (high_end < CHUNK) end = lower(lows, p, end, high_end);
    for (; p < end; p++) {
        uint32_t low = lows[p], doc = key << 16 | low;
        at[lead] = p;
        int j = 1;
        for (; j < k; j++) {
            int i = order[j];
            const Chunk *chunk = &w->chunks[i];
            if (chunk->bits) {
                if (!(chunk->bits[low / 8] >> (low % 8) & 1)) break;
                at[i] = NOWHERE;
                continue;
            }
            uint64_t there = gallop(w->lists[i]->lows, next[i], chunk->b, low);
            next[i] = there;
            if (there == chunk->b) return;
            if (w->lists[i]->lows[there] != low) break;
            at[i] = there;
        }
        if (j < k) continue;
        if (w->check && (doc >= w->q->s->size || w->q->s->last[doc] < *w->check)) continue;
        w->found++;
        if (w->visit) w->visit(w, doc, at);
    }
}

/* Visits the articles from low to high - 1 that are in all lists. */
static void meet(Walk *w, uint64_t low, uint64_t high) {
    uint64_t at[SLOTS] = {0};
    int lead = 0;
    for (int i = 1; i < w->k; i++)
        if (w->lists[i]->chunks < w->lists[lead]->chunks) lead = i;
    for (int i = 0; i < w->k; i++) at[i] = chunk_number(w->lists[i], (uint32_t)(low >> 16));
    for (; at[lead] < w->lists[lead]->chunks && !w->q->failed; at[lead]++) {
        uint32_t key = w->lists[lead]->keys[at[lead]];
        uint64_t base = (uint64_t)key << 16;
        if (base >= high) return;
        int i = 0;
        for (; i < w->k; i++) {
            const List *list = w->lists[i];
            while (at[i] < list->chunks && list->keys[at[i]] < key) at[i]++;
            if (at[i] == list->chunks) return;
            if (list->keys[at[i]] != key) break;
            w->chunks[i] = chunk_of(w->q->s, list, at[i]);
            if (w->chunks[i].a == w->chunks[i].b) break;
        }
        if (i == w->k)
            meet_in_chunk(w, key, low > base ? (uint32_t)(low - base) : 0,
                          high < base + CHUNK ? (uint32_t)(high - base) : CHUNK);
    }
}

/* Visits the articles from low to high - 1 that are in any list: `at` is NULL, and the table has
   the sum of their scores and in how many lists they are. */
static void join(Walk *w, uint64_t low, uint64_t high) {
    Query *q = w->q;
    Table *table = q->table;
    for (uint64_t base = low / CHUNK * CHUNK; base < high && !q->failed; base += CHUNK) {
        int any = 0;
        for (int i = 0; i < w->k; i++) {
            const List *list = w->lists[i];
            float unit = q->words[i].unit;
            uint64_t c = chunk_number(list, (uint32_t)(base >> 16));
            if (c == list->chunks || list->keys[c] != base >> 16) continue;
            Chunk chunk = chunk_of(q->s, list, c);
            if (low > base) chunk.a = lower(list->lows, chunk.a, chunk.b, (uint32_t)(low - base));
            if (high < base + CHUNK)
                chunk.b = lower(list->lows, chunk.a, chunk.b, (uint32_t)(high - base));
            for (uint64_t p = chunk.a; p < chunk.b; p++) {
                uint32_t at = list->lows[p];
                table->score[at] += worth(q->s, list, p, (uint32_t)base | at) * unit;
                table->count[at]++;
                table->bits[at / 64] |= 1ull << at % 64;
            }
            any |= chunk.a < chunk.b;
        }
        for (uint32_t i = 0; any && i < CHUNK / 64; i++) {
            for (uint64_t bits = table->bits[i]; bits; bits &= bits - 1) {
                uint32_t at = i * 64 + (uint32_t)__builtin_ctzll(bits), doc = (uint32_t)base | at;
                if (!w->check || (doc < q->s->size && q->s->last[doc] >= *w->check)) {
                    w->found++;
                    w->visit(w, doc, NULL);
                }
                table->score[at] = 0;
                table->count[at] = 0;
            }
            table->bits[i] = 0;
        }
    }
}

/* Counts the articles from low to high - 1 that are in any list. */
static uint64_t count_any(Query *q, const List *const *lists, int k, uint64_t low, uint64_t high) {
    uint64_t found = 0, *bits = q->table->bits;
    if (k == 1) return count_between(lists[0], low, high);
    if (k == 2) {
        Walk w = {.q = q, .lists = {lists[0], lists[1]}, .k = 2};
        meet(&w, low, high);
        return count_between(lists[0], low, high) + count_between(lists[1], low, high) - w.found;
    }
    for (uint64_t base = low / CHUNK * CHUNK; base < high; base += CHUNK) {
        int any = 0;
        for (int i = 0; i < k; i++) {
            const List *list = lists[i];
            uint64_t c = chunk_number(list, (uint32_t)(base >> 16));
            if (c == list->chunks || list->keys[c] != base >> 16) continue;
            Chunk chunk = chunk_of(q->s, list, c);
            if (low > base) chunk.a = lower(list->lows, chunk.a, chunk.b, (uint32_t)(low - base));
            if (high < base + CHUNK)
                chunk.b = lower(list->lows, chunk.a, chunk.b, (uint32_t)(high - base));
            for (uint64_t p = chunk.a; p < chunk.b; p++)
                bits[list->lows[p] / 64] |= 1ull << list->lows[p] % 64;
            any |= chunk.a < chunk.b;
        }
        for (int i = 0; any && i < CHUNK / 64; i++) {
            found += (uint64_t)bits_set(bits[i]);
            bits[i] = 0;
        }
    }
    return found;
}

/* -- a word as one list ------------------------------------------------------------------------ */

static int make_whole(Query *q, Word *word);

#define RING 16 /* articles that wait until the processor has fetched where their places are */
#define NEAR 6

typedef struct { uint32_t doc; uint64_t at[SLOTS]; } Waiting;

typedef struct {
    Word *words;
    int k, is_label;
    Maker maker;
    uint64_t came;
    Waiting ring[RING];
} PhraseMaker;

/* Reads the places of a word of a phrase in an article. */
static int places_at(Query *q, const Word *word, const Waiting *one, int i, Places *places) {
    if (word->whole.made) return places_of(q, word, one->doc, places);
    places->n = 0;
    if (!add_places(q->s, one->at[i], form_count(q->s, word->whole.term), word->ordinal, places))
        return 0;
    sort_places(places);
    return 1;
}

/* Puts an article to the others if the phrase is there. */
static void check_phrase(Query *q, PhraseMaker *own, const Waiting *one) {
    Places *first = &q->places[0], *next = &q->places[1];
    for (int i = 0; i < own->k && (!i || first->n); i++) {
        if (!places_at(q, &own->words[i], one, i, i ? next : first)) {
            q->failed = 1;
            return;
        }
        if (i) keep_followed(first, next, (uint32_t)i);
    }
    if (first->n)
        put(&own->maker, one->doc, own->is_label
                                       ? worth_of(q->s, 1, one->doc, 0, (uint32_t)first->n)
                                       : worth_of_places(q->s, one->doc, first));
}

static void visit_phrase(Walk *w, uint32_t doc, uint64_t *at) {
    PhraseMaker *own = w->own;
    const Segment *s = w->q->s;
    Waiting *one = &own->ring[own->came % RING];
    if (own->came >= RING) check_phrase(w->q, own, one);
    one->doc = doc;
    for (int i = 0; i < w->k; i++) {
        one->at[i] = looked_up(w, i, doc, at[i]);
        if (w->lists[i]->made) continue;
        __builtin_prefetch(s->codes + one->at[i] / BLOCK * BLOCK);
        __builtin_prefetch(s->row_starts + one->at[i] / BLOCK);
        __builtin_prefetch(s->row_widths + one->at[i] / BLOCK);
    }
    if (own->came++ < NEAR) return;
    one = &own->ring[(own->came - NEAR) % RING]; /* its rows can be reckoned by now */
    for (int i = 0; i < w->k; i++) {
        uint64_t start = w->lists[i]->made ? s->n_rows : s->row_starts[one->at[i] / BLOCK];
        if (start > s->n_rows || s->n_rows - start < 128) continue;
        __builtin_prefetch(s->rows + start);
        __builtin_prefetch(s->rows + start + 64);
    }
}

static int make_phrase(Query *q, Word *phrase) {
    PhraseMaker own;
    own.words = phrase->words;
    own.k = phrase->n;
    own.came = 0;
    Walk w = {.q = q, .k = phrase->n, .visit = visit_phrase, .own = &own};
    uint64_t fewest = UINT64_MAX;
    for (int i = 0; i < phrase->n; i++) {
        if (!make_whole(q, &phrase->words[i])) return 0;
        w.lists[i] = &phrase->words[i].whole;
        if (w.lists[i]->having < fewest) fewest = w.lists[i]->having;
    }
    if (!make(q, &own.maker, &phrase->whole, fewest)) return 0;
    own.is_label = phrase->words[0].n_terms && phrase->words[0].terms[0].is_label;
    if (fewest) meet(&w, 0, q->s->size);
    for (uint64_t i = own.came > RING ? own.came - RING : 0; i < own.came && !q->failed; i++)
        check_phrase(q, &own, &own.ring[i % RING]);
    return !q->failed;
}

static int make_whole(Query *q, Word *word) {
    if (word->has_whole) return 1;
    word->has_whole = 1;
    if (word->kind == PHRASE) return make_phrase(q, word);
    if (!word->n_terms) {
        memset(&word->whole, 0, sizeof word->whole);
        return 1;
    }
    if (word->ordinal >= 0) return make_form(q, word->terms, word->ordinal, &word->whole);
    if (word->n_terms == 1 && !word->in_title && !q->alive) {
        word->whole = word->terms[0];
        return 1;
    }
    return unite(q, word->terms, word->n_terms, word->in_title, &word->whole);
}

/* Whether the best of a word alone are among the champions of its terms. */
static int is_crowned(const Query *q, const Word *word) {
    return q->k == 1 && q->mode != SOME && word->kind != PHRASE && word->ordinal < 0 &&
           !word->in_title && !q->alive && !q->by_date && !q->has_window && q->wanted <= CHAMPIONS;
}

/* Learns in how many articles a word is. */
static int count_word(Query *q, Word *word) {
    if (!is_crowned(q, word)) {
        if (!make_whole(q, word)) return 0;
        word->having = word->whole.having;
        return 1;
    }
    const List **lists = keep(q, ((size_t)word->n_terms + 1) * sizeof *lists);
    if (!lists) return 0;
    for (int i = 0; i < word->n_terms; i++) lists[i] = &word->terms[i];
    word->having = word->n_terms ? count_any(q, lists, word->n_terms, 0, q->s->size) : 0;
    return 1;
}

/* -- the best ----------------------------------------------------------------------------------- */

typedef struct { uint64_t low, high; int is_checked; } Range;

/* The first article of which `first` is less than a moment, or, if `or_equal`, not more. */
static uint64_t older(const Segment *s, uint64_t moment, int or_equal) {
    uint64_t low = 0, high = s->size;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (or_equal ? s->first[middle] > moment : s->first[middle] >= moment) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The articles of a window, as ranges, ascending: those whose span begins in it, and those of the
   minute, hour, day, month and year in which it begins, where `last` must be looked at. */
static int ranges_of(const Query *q, Range *ranges) {
    if (!q->has_window) {
        ranges[0] = (Range){0, q->s->size, 0};
        return 1;
    }
    uint64_t since = q->since ? q->since : 1, unit = 100, before;
    ranges[0] = (Range){older(q->s, q->until, 1), older(q->s, since, 0), 0};
    if (ranges[0].high < ranges[0].low) ranges[0].high = ranges[0].low;
    before = ranges[0].high;
    int n = 1;
    for (int i = 0; i < 5; i++, unit *= 100) {
        uint64_t moment = since / unit * unit;
        if (moment >= since || !moment) continue;
        uint64_t low = older(q->s, moment, 1), high = older(q->s, moment, 0);
        if (low < before) low = before;
        if (moment > q->until || low >= high) continue;
        ranges[n++] = (Range){low, high, 1};
        before = high;
    }
    return n;
}

/* Scores an article: first by the words whose postings are at hand, since looking up the others can
   often be spared. */
static void visit_score(Walk *w, uint32_t doc, uint64_t *at) {
    Query *q = w->q;
    float each[SLOTS], score = 0;
    double most = 0; /* of floats, what is taken off would leave its rounding behind */
    for (int i = 0; i < w->k; i++) {
        const List *list = w->lists[i];
        each[i] = (at[i] == NOWHERE ? list->most : worth(q->s, list, at[i], doc)) * q->words[i].unit;
        most += each[i];
    }
    for (int i = 0; i < w->k; i++) {
        if (!may_enter(q, doc, (float)most, 1)) return;
        if (at[i] != NOWHERE) continue;
        most -= each[i];
        each[i] = worth(q->s, w->lists[i], looked_up(w, i, doc, NOWHERE), doc) * q->words[i].unit;
        most += each[i];
    }
    for (int i = 0; i < w->k; i++) score += each[i];
    if (may_enter(q, doc, score, 1)) offer(q, doc, score, 1);
}

/* Offers the best of one list that none of some others has; the rest of them would not do. */
static void offer_alone(Query *q, const Word *word, const List *list, const List *other,
                        int complete) {
    float unit = word->unit;
    if (list->best_docs) {
        for (int i = 0; i < CHAMPIONS; i++) {
            float score = list->best_worths[i] * unit;
            if (!may_enter(q, list->best_docs[i], score, complete)) return;
            if (!other || posting_of(other, list->best_docs[i]) == NOWHERE)
                offer(q, list->best_docs[i], score, complete);
        }
        return;
    }
    for (uint64_t c = 0; c < list->chunks; c++) {
        Chunk chunk = chunk_of(q->s, list, c);
        for (uint64_t p = chunk.a; p < chunk.b; p++) {
            uint32_t doc = (uint32_t)list->keys[c] << 16 | list->lows[p];
            float score = worth(q->s, list, p, doc) * unit;
            if (may_enter(q, doc, score, complete) &&
                (!other || posting_of(other, doc) == NOWHERE)) offer(q, doc, score, complete);
        }
    }
}

/* Offers an article that may be among the best already: the better score counts. */
static void offer_again(Query *q, uint32_t doc, float score) {
    uint64_t at = 0;
    if (!may_enter(q, doc, score, 1)) return;
    while (at < q->n && q->heap[at].doc != q->base + doc) at++;
    if (at == q->n) offer(q, doc, score, 1);
    else if (q->heap[at].score < score) { /* better than those below it, perhaps */
        q->heap[at].score = score;
        sink(q, at, q->heap[at]);
    }
}

/* The best of one word: an article that several of its terms have is worth the best of them. */
static void best_crowned(Query *q, Word *word) {
    q->total += word->having;
    q->total_all += word->having;
    for (int i = 0; i < word->n_terms; i++) {
        const List *list = &word->terms[i];
        for (int j = 0; list->best_docs && j < CHAMPIONS; j++) {
            float score = list->best_worths[j] * word->unit;
            if (!may_enter(q, list->best_docs[j], score, 1)) break;
            offer_again(q, list->best_docs[j], score);
        }
        for (uint64_t c = 0; !list->best_docs && c < list->chunks; c++) {
            Chunk chunk = chunk_of(q->s, list, c);
            for (uint64_t p = chunk.a; p < chunk.b; p++) {
                uint32_t doc = (uint32_t)list->keys[c] << 16 | list->lows[p];
                offer_again(q, doc, worth(q->s, list, p, doc) * word->unit);
            }
        }
    }
}

/* All words, without bonuses; one word, too. */
static void best_of_every(Query *q, const Range *ranges, int n) {
    const List *one = &q->words[0].whole;
    for (int i = 0; i < n; i++) {
        Walk w = {.q = q, .k = q->k, .visit = visit_score,
                  .check = ranges[i].is_checked ? &q->since : NULL};
        for (int j = 0; j < q->k; j++) w.lists[j] = &q->words[j].whole;
        uint64_t inside = 0;
        if (q->k == 1 && n == 1 && !q->by_date && one->best_docs && q->wanted <= CHAMPIONS)
            for (int j = 0; j < CHAMPIONS; j++)
                inside += one->best_docs[j] >= ranges[i].low && one->best_docs[j] < ranges[i].high;
        if (inside && inside >= q->wanted) { /* champions suffice */
            for (int j = 0; j < CHAMPIONS; j++)
                if (one->best_docs[j] >= ranges[i].low && one->best_docs[j] < ranges[i].high)
                    offer(q, one->best_docs[j], one->best_worths[j] * q->words[0].unit, 1);
            w.found = count_between(one, ranges[i].low, ranges[i].high);
        } else if (q->k == 1 && q->by_date && !w.check) {
            uint64_t step = 4096, high;
            w.found = count_between(one, ranges[i].low, ranges[i].high);
            for (uint64_t low = ranges[i].low; low < ranges[i].high; low = high, step *= 4) {
                if (!may_enter(q, (uint32_t)low, 0, 1)) break;
                high = low + step < ranges[i].high ? low + step : ranges[i].high;
                uint64_t found = w.found;
                meet(&w, low, high);
                w.found = found;
            }
        } else meet(&w, ranges[i].low, ranges[i].high);
        q->total += w.found;
        q->total_all += w.found;
    }
}

/* Whether two lists as they lie in the file were asked for, and nothing else matters. */
static int is_pair(const Query *q) {
    return q->k == 2 && !q->words[0].whole.made && !q->words[1].whole.made && !q->by_date &&
           !q->has_window && q->wanted <= CHAMPIONS;
}

static void visit_joined(Walk *w, uint32_t doc, uint64_t *at) {
    (void)at;
    float score = w->q->table->score[doc & 0xFFFF];
    if (may_enter(w->q, doc, score, 1)) offer(w->q, doc, score, 1);
}

static void visit_nothing(Walk *w, uint32_t doc, uint64_t *at) {
    (void)w, (void)doc, (void)at;
}

/* Joins a range; of the newest first only as much of it as can be among them. */
static uint64_t join_range(Query *q, const Range *range, Visit visit, void *own) {
    Walk w = {.q = q, .k = q->k, .visit = visit, .own = own,
              .check = range->is_checked ? &q->since : NULL};
    const List *lists[SLOTS];
    for (int j = 0; j < q->k; j++) w.lists[j] = lists[j] = &q->words[j].whole;
    uint64_t step = q->by_date ? 2048 : UINT32_MAX, high;
    for (uint64_t low = range->low; low < range->high; low = high, step *= 4) {
        if (q->by_date && !w.check && !may_enter(q, (uint32_t)low, 0, 1))
            return w.found + count_any(q, lists, q->k, low, range->high);
        high = low + step < range->high ? low + step : range->high;
        join(&w, low, high);
    }
    return w.found;
}

static void best_of_any(Query *q, const Range *ranges, int n) {
    if (is_pair(q)) {
        const List *a = &q->words[0].whole, *b = &q->words[1].whole;
        offer_alone(q, &q->words[0], a, b, 1);
        offer_alone(q, &q->words[1], b, a, 1);
        Walk w = {.q = q, .k = 2, .lists = {a, b}, .visit = visit_score};
        meet(&w, 0, q->s->size);
        q->total += a->having + b->having - w.found;
        q->total_all += a->having + b->having - w.found;
        return;
    }
    for (int i = 0; i < n; i++) {
        uint64_t found = join_range(q, &ranges[i], visit_joined, NULL);
        q->total += found;
        q->total_all += found;
    }
}

/* -- plain words: all of them first, then some; side by side is better -------------------------- */

typedef struct {
    uint32_t *docs;
    float *scores;
    uint64_t n, room;
} Candidates;

static void add_candidate(Query *q, Candidates *all, uint32_t doc, float score) {
    if (all->n == all->room) {
        uint64_t room = all->room ? 4 * all->room : 1024;
        uint32_t *docs = keep(q, room * sizeof *docs);
        float *scores = keep(q, room * sizeof *scores);
        if (!docs || !scores) return;
        if (all->n) {
            memcpy(docs, all->docs, all->n * sizeof *docs);
            memcpy(scores, all->scores, all->n * sizeof *scores);
        }
        *all = (Candidates){docs, scores, all->n, room};
    }
    all->docs[all->n] = doc;
    all->scores[all->n++] = score;
}

/* Whether two words that should stand side by side are all that is asked for. */
static int is_whole(const Query *q, const Bonus *bonus) {
    return q->k == 2 && bonus->left != bonus->right;
}

/* Adds to a score what words that stand side by side in an article add. */
static float with_bonuses(Query *q, uint32_t doc, float score, int complete) {
    for (int i = 0; i < q->n_bonuses; i++) {
        const Bonus *bonus = &q->bonuses[i];
        if (!complete && is_whole(q, bonus)) continue;
        Places *left = &q->places[0], *right = &q->places[1];
        if (!places_of(q, &q->words[bonus->left], doc, left)) q->failed = 1;
        else if (left->n && !places_of(q, &q->words[bonus->right], doc, right)) q->failed = 1;
        if (q->failed || !left->n) continue;
        keep_followed(left, right, bonus->distance);
        if (left->n) score += worth_of_places(q->s, doc, left) * bonus->unit;
    }
    return score;
}

static void refine_one(Query *q, uint32_t doc, float score, int complete) {
    if (!may_enter(q, doc, score + q->room, complete)) return;
    score = with_bonuses(q, doc, score, complete);
    if (may_enter(q, doc, score, complete)) offer(q, doc, score, complete);
}

/* Offers candidates with their bonuses; the likeliest first, so that few others need be read. */
static void refine(Query *q, const Candidates *all, int complete) {
    float best[TRIED];
    uint64_t n = 0, tried = q->by_date ? 0 : TRIED < all->n ? TRIED : all->n;
    for (uint64_t i = 0; i < all->n && tried; i++) { /* the scores of the best, the least first */
        if (n == tried && all->scores[i] <= best[0]) continue;
        uint64_t at = 0;
        if (n == tried)
            for (; at + 1 < n && best[at + 1] < all->scores[i]; at++) best[at] = best[at + 1];
        else {
            for (at = n++; at && best[at - 1] > all->scores[i]; at--) best[at] = best[at - 1];
        }
        best[at] = all->scores[i];
    }
    float least = tried ? best[0] : INFINITY;
    for (uint64_t i = 0; i < all->n && !q->failed; i++)
        if (all->scores[i] >= least) refine_one(q, all->docs[i], all->scores[i], complete);
    for (uint64_t i = 0; i < all->n && !q->failed; i++)
        if (all->scores[i] < least) refine_one(q, all->docs[i], all->scores[i], complete);
}

static void visit_candidate(Walk *w, uint32_t doc, uint64_t *at) {
    float score = 0;
    for (int i = 0; i < w->k; i++)
        score += worth(w->q->s, w->lists[i], looked_up(w, i, doc, at[i]), doc) *
                 w->q->words[i].unit;
    add_candidate(w->q, w->own, doc, score);
}

static void visit_incomplete(Walk *w, uint32_t doc, uint64_t *at) {
    (void)at;
    Query *q = w->q;
    float score = q->table->score[doc & 0xFFFF];
    if (q->table->count[doc & 0xFFFF] == q->k || !may_enter(q, doc, score + q->room, 0)) return;
    if (q->some_have_bonuses) add_candidate(q, w->own, doc, score);
    else offer(q, doc, score, 0);
}

static void visit_newest(Walk *w, uint32_t doc, uint64_t *at) {
    (void)at;
    refine_one(w->q, doc, w->q->table->score[doc & 0xFFFF],
               w->q->table->count[doc & 0xFFFF] == w->q->k);
}

/* The articles with all of the plain words. */
static void best_complete(Query *q, const Range *ranges, int n) {
    Candidates all = {0};
    for (int i = 0; i < n; i++) {
        Walk w = {.q = q, .k = q->k, .visit = q->by_date ? NULL : visit_candidate, .own = &all,
                  .check = ranges[i].is_checked ? &q->since : NULL};
        for (int j = 0; j < q->k; j++) w.lists[j] = &q->words[j].whole;
        meet(&w, ranges[i].low, ranges[i].high);
        q->total_all += w.found;
    }
    refine(q, &all, 1);
}

/* Those with some of them, if they are among the best; counts both. */
static void best_incomplete(Query *q, const Range *ranges, int n, uint64_t complete) {
    const List *lists[SLOTS];
    Candidates all = {0};
    for (int i = 0; i < q->k; i++) lists[i] = &q->words[i].whole;
    int are_shown = q->total_all < q->wanted || q->by_date;
    for (int i = 0; i < q->n_bonuses; i++)
        if (!is_whole(q, &q->bonuses[i])) q->some_have_bonuses = 1;
    if (is_pair(q) && !q->some_have_bonuses) {
        if (are_shown) {
            offer_alone(q, &q->words[0], lists[0], lists[1], 0);
            offer_alone(q, &q->words[1], lists[1], lists[0], 0);
        }
        q->total += lists[0]->having + lists[1]->having - complete;
        return;
    }
    for (int i = 0; i < n && !q->failed; i++) {
        if (are_shown)
            q->total += join_range(q, &ranges[i], q->by_date ? visit_newest : visit_incomplete,
                                   &all);
        else if (ranges[i].is_checked) q->total += join_range(q, &ranges[i], visit_nothing, NULL);
        else q->total += count_any(q, lists, q->k, ranges[i].low, ranges[i].high);
    }
    refine(q, &all, 0);
}

/* -- from Python and back ------------------------------------------------------------------------ */

/* Takes (kind, in_title, items): terms of a word, a form, the beginning of words, or the words of
   a phrase. What is taken is borrowed. 0 with an exception set on failure. */
static int take_word(Query *q, PyObject *told, Word *word, int depth) {
    PyObject *items;
    memset(word, 0, sizeof *word);
    if (!PyArg_ParseTuple(told, "ipO!", &word->kind, &word->in_title, &PyTuple_Type, &items))
        return 0;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    if (word->kind < WORD || word->kind > PHRASE || n < 1 || (depth && word->kind >= PREFIX) ||
        (word->kind == PHRASE ? n > SLOTS : n > 1000) ||
        ((word->kind == FORM || word->kind == PREFIX) && n != 1)) {
        PyErr_SetString(PyExc_ValueError, "no such word");
        return 0;
    }
    word->n = (int)n;
    word->strings = keep(q, (size_t)n * sizeof *word->strings);
    word->sizes = keep(q, (size_t)n * sizeof *word->sizes);
    word->words = keep(q, (size_t)n * sizeof *word->words);
    if (!word->strings || !word->sizes || !word->words) {
        PyErr_NoMemory();
        return 0;
    }
    for (int i = 0; i < word->n; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        if (word->kind == PHRASE) {
            if (!take_word(q, item, &word->words[i], depth + 1)) return 0;
        } else {
            char *string;
            if (PyBytes_AsStringAndSize(item, &string, &word->sizes[i]) < 0) return 0;
            word->strings[i] = string;
        }
    }
    return 1;
}

/* Copies words with those of their phrases: each segment finds its own terms for them. */
static Word *copied(Query *q, const Word *words, int n) {
    Word *copy = keep(q, (size_t)n * sizeof *copy);
    if (!copy) return NULL;
    memcpy(copy, words, (size_t)n * sizeof *copy);
    for (int i = 0; i < n; i++)
        if (copy[i].kind == PHRASE) copy[i].words = copied(q, words[i].words, words[i].n);
    return copy;
}

typedef struct {
    Segment *s;
    Py_buffer alive;
    uint32_t base;
    Word *words;
    uint64_t complete;
} Part;

static void enter(Query *q, const Part *part) {
    q->s = part->s;
    q->alive = part->alive.buf;
    q->base = part->base;
    q->words = part->words;
    q->places[0].next = q->places[1].next = 0;
}

static float idf(double articles, double having, double share) {
    return (float)(share * log(1 + (articles - having + 0.5) / (having + 0.5)));
}

/* Finds the words in every segment; returns how many postings they have. */
static uint64_t find_words(Query *q, Part *parts, Py_ssize_t n) {
    uint64_t postings = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        enter(q, &parts[i]);
        for (int j = 0; j < q->k; j++) {
            Word *word = &q->words[j];
            if (q->failed || !resolve(q, word)) q->failed = 1;
            for (int t = 0; !q->failed && t < word->n_terms; t++) postings += word->terms[t].having;
            for (int w = 0; !q->failed && word->kind == PHRASE && w < word->n; w++)
                for (int t = 0; t < word->words[w].n_terms; t++)
                    postings += word->words[w].terms[t].having;
        }
    }
    return postings;
}

static void run(Query *q, Part *parts, Py_ssize_t n, double articles, double neighbours) {
    uint64_t having[SLOTS] = {0};
    for (Py_ssize_t i = 0; i < n && !q->failed; i++) {
        enter(q, &parts[i]);
        for (int j = 0; j < q->k && !q->failed; j++) {
            if (!count_word(q, &q->words[j])) q->failed = 1;
            else having[j] += q->words[j].having;
        }
    }
    float most[SLOTS];
    for (int i = 0; i < q->n_bonuses; i++) {
        uint64_t left = having[q->bonuses[i].left], right = having[q->bonuses[i].right];
        uint64_t rarer = left < right ? left : right;
        q->bonuses[i].unit = rarer ? idf(articles, (double)rarer, neighbours) : 0;
        most[i] = q->bonuses[i].unit;
    }
    Range ranges[6];
    for (Py_ssize_t i = 0; i < n && !q->failed; i++) {
        enter(q, &parts[i]);
        for (int j = 0; j < q->k; j++)
            q->words[j].unit = idf(articles, (double)having[j], 1);
        q->room = 0;
        for (int j = 0; j < q->n_bonuses; j++) q->room += most[j] * q->s->k1_1;
        if (q->mode != SOME && is_crowned(q, q->words)) {
            best_crowned(q, q->words);
            continue;
        }
        int r = ranges_of(q, ranges);
        uint64_t before = q->total_all;
        if (q->mode == SOME) best_complete(q, ranges, r);
        else if (q->mode == EVERY || q->k == 1) best_of_every(q, ranges, r);
        else best_of_any(q, ranges, r);
        parts[i].complete = q->total_all - before;
    }
    for (Py_ssize_t i = 0; i < n && q->mode == SOME && !q->failed; i++) {
        enter(q, &parts[i]);
        best_incomplete(q, ranges, ranges_of(q, ranges), parts[i].complete);
    }
}

static PyTypeObject *segment_type;

static int take_parts(PyObject *told, Part *parts, Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *segment, *alive;
        unsigned int base;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(told, i), "OOI", &segment, &alive, &base)) return 0;
        if (!Py_IS_TYPE(segment, segment_type)) {
            PyErr_SetString(PyExc_TypeError, "no segment");
            return 0;
        }
        parts[i].s = (Segment *)segment;
        parts[i].base = base;
        if ((uint64_t)base + parts[i].s->size > UINT32_MAX) {
            PyErr_SetString(PyExc_ValueError, "too many articles");
            return 0;
        }
        if (alive == Py_None) continue;
        if (PyObject_GetBuffer(alive, &parts[i].alive, PyBUF_SIMPLE) < 0) return 0;
        if (parts[i].alive.len != (Py_ssize_t)parts[i].s->size) {
            PyErr_SetString(PyExc_ValueError, "alive has not one byte for each article");
            return 0;
        }
    }
    return 1;
}

static int take_words(Query *q, PyObject *told, PyObject *bonuses, Part *parts, Py_ssize_t n) {
    Py_ssize_t k = PyTuple_GET_SIZE(told), b = PyTuple_GET_SIZE(bonuses);
    if (k < 1 || k > SLOTS || b > SLOTS || q->mode < EVERY || q->mode > SOME) {
        PyErr_SetString(PyExc_ValueError, "too many words, or none");
        return 0;
    }
    Word words[SLOTS];
    q->k = (int)k;
    q->n_bonuses = (int)b;
    for (int i = 0; i < q->k; i++)
        if (!take_word(q, PyTuple_GET_ITEM(told, i), &words[i], 0)) return 0;
    for (int i = 0; i < q->n_bonuses; i++) {
        Bonus *bonus = &q->bonuses[i];
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(bonuses, i), "iiI", &bonus->left, &bonus->right,
                              &bonus->distance)) return 0;
        if (bonus->left < 0 || bonus->left >= k || bonus->right < 0 || bonus->right >= k) {
            PyErr_SetString(PyExc_ValueError, "a bonus for no word");
            return 0;
        }
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (!(parts[i].words = copied(q, words, q->k))) {
            PyErr_NoMemory();
            return 0;
        }
    return 1;
}

static PyObject *told(Query *q) {
    Hit *hits = keep(q, (size_t)(q->n + 1) * sizeof *hits);
    PyObject *docs = PyList_New((Py_ssize_t)q->n), *scores = PyList_New((Py_ssize_t)q->n);
    PyObject *flags = PyList_New((Py_ssize_t)q->n), *answer = NULL;
    Py_ssize_t n = (Py_ssize_t)q->n;
    if (!hits) PyErr_NoMemory();
    if (!hits || !docs || !scores || !flags) goto done;
    for (uint64_t left = q->n; left--;) { /* the heap, the worst first */
        hits[left] = q->heap[0];
        Hit last = q->heap[--q->n];
        if (q->n) sink(q, 0, last);
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *doc = PyLong_FromUnsignedLong(hits[i].doc);
        PyObject *score = PyFloat_FromDouble((double)hits[i].score);
        PyList_SET_ITEM(flags, i, PyBool_FromLong(hits[i].complete));
        if (doc) PyList_SET_ITEM(docs, i, doc);
        if (score) PyList_SET_ITEM(scores, i, score);
        if (!doc || !score) goto done;
    }
    answer = Py_BuildValue("KKOOO", (unsigned long long)q->total, (unsigned long long)q->total_all,
                           docs, scores, flags);
done:
    Py_XDECREF(docs);
    Py_XDECREF(scores);
    Py_XDECREF(flags);
    return answer;
}

static Table *spare; /* guarded by the interpreter's lock */

static PyObject *top(PyObject *module, PyObject *args) {
    PyObject *segments, *words, *bonuses, *answer = NULL;
    Query q = {0};
    double articles, neighbours;
    unsigned long long wanted, since, until;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!iO!ddKpKKp", &PyTuple_Type, &segments, &PyTuple_Type, &words,
                          &q.mode, &PyTuple_Type, &bonuses, &articles, &neighbours, &wanted,
                          &q.has_window, &since, &until, &q.by_date)) return NULL;
    Py_ssize_t n = PyTuple_GET_SIZE(segments);
    q.wanted = wanted;
    q.since = since;
    q.until = until;
    Part *parts = PyMem_Calloc((size_t)n + 1, sizeof *parts);
    q.table = spare ? spare : calloc(1, sizeof *q.table);
    spare = NULL;
    if (!parts || !q.table) {
        PyErr_NoMemory();
        goto done;
    }
    if (!take_parts(segments, parts, n) || !take_words(&q, words, bonuses, parts, n)) goto done;
    uint64_t articles_in_all = 0;
    for (Py_ssize_t i = 0; i < n; i++) articles_in_all += parts[i].s->size;
    if (q.wanted > articles_in_all) q.wanted = articles_in_all;
    if (!(q.heap = keep(&q, (size_t)(q.wanted + 1) * sizeof *q.heap))) {
        PyErr_NoMemory();
        goto done;
    }
    /* Who lets go of the interpreter's lock may wait 5 ms for it: too long for a short query. */
    PyThreadState *state = find_words(&q, parts, n) < LONG ? NULL : PyEval_SaveThread();
    run(&q, parts, n, articles, neighbours);
    if (state) PyEval_RestoreThread(state);
    if (q.failed) PyErr_SetString(PyExc_ValueError, "postings lead nowhere");
    else answer = told(&q);
done:
    if (q.failed || spare) free(q.table);
    else spare = q.table;
    for (Py_ssize_t i = 0; parts && i < n; i++)
        if (parts[i].alive.obj) PyBuffer_Release(&parts[i].alive);
    PyMem_Free(parts);
    free(q.places[0].at);
    free(q.places[1].at);
    let_go(&q);
    return answer;
}

/* places(segment, word, articles): article << 32 | position of each place, in some articles. */
static PyObject *places(PyObject *module, PyObject *args) {
    PyObject *segment, *told_word, *answer = NULL;
    Py_buffer among;
    Query q = {0};
    Word word;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO!y*", &segment, &PyTuple_Type, &told_word, &among)) return NULL;
    Places all = {0};
    uint64_t *found = NULL, n = 0, room = 0;
    if (!Py_IS_TYPE(segment, segment_type) || !take_word(&q, told_word, &word, 1)) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "no segment");
        goto done;
    }
    q.s = (Segment *)segment;
    if (!resolve(&q, &word)) q.failed = 1;
    const uint32_t *docs = among.buf;
    for (Py_ssize_t i = 0; i < among.len / 4 && !q.failed; i++) {
        if (!places_of(&q, &word, docs[i], &all)) q.failed = 1;
        if (n + all.n > room) {
            room = 2 * (n + all.n);
            uint64_t *more = realloc(found, room * sizeof *found);
            if (!more) q.failed = 1;
            else found = more;
        }
        for (uint64_t j = 0; j < all.n && !q.failed; j++)
            found[n++] = (uint64_t)docs[i] << 32 | all.at[j];
    }
    if (q.failed) PyErr_SetString(PyExc_ValueError, "postings lead nowhere");
    else answer = PyBytes_FromStringAndSize((const char *)found, (Py_ssize_t)(n * sizeof *found));
done:
    free(found);
    free(all.at);
    let_go(&q);
    PyBuffer_Release(&among);
    return answer;
}

PyMethodDef search_methods[] = {
    {"top", top, METH_VARARGS, "The best articles of a query; see query/top.py."},
    {"places", places, METH_VARARGS, "Where a word stands in some articles; see index.py."},
    {NULL},
};

static PyType_Slot segment_slots[] = {
    {Py_tp_new, segment_new},
    {Py_tp_dealloc, segment_dealloc},
    {Py_tp_doc, "Segment(arrays, k1): the arrays of a segment, checked to fit together."},
    {0, NULL},
};

static PyType_Spec segment_spec = {
    .name = "searchkit.kernel._kernel.Segment",
    .basicsize = sizeof(Segment),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = segment_slots,
};

int add_search(PyObject *module) {
    crc32_of((const uint8_t *)"", 0);
    segment_type = (PyTypeObject *)PyType_FromSpec(&segment_spec);
    return segment_type ? PyModule_AddObjectRef(module, "Segment", (PyObject *)segment_type) : -1;
}
