/* Merge: a range of terms of all runs becomes postings, sorted by term and article; and numbers become
   bits. The twins are `_gather` of codec/parts.py, `_crown` of champions.py, `pack` of postings.py. */
#include "kernel.h"

#include <stdlib.h>

/* What `_gather` hands over of each run, in this order; all 32-bit numbers, but for POSTINGS and
   ROWS. */
enum { TERMS, FIRST_POSTING, FIRST_ROW, POSTINGS, ROWS, NUMBERS, ORDINALS, ARRAYS };

typedef struct {
    Py_buffer views[ARRAYS];
    const uint32_t *of[ARRAYS];
    const uint64_t *postings, *rows;
    size_t size[ARRAYS];
    size_t at; /* the next of the run's terms */
} Run;

typedef struct { uint32_t doc, run, count, row; } Posting;

/* What is made of each posting, then of each of its places: the columns of `_Part`, in its order. */
enum { TERM, DOC, COUNT, TITLES, LEAD, WORTH, VALUE, FOLLOW, COLUMNS };

static const Py_ssize_t SIZES[COLUMNS] = {4, 4, 4, 4, 4, 4, 8, 1};

typedef struct {
    Run *runs;
    size_t n;
    uint32_t low, high, of_text, gap, lead_words;
    Py_buffer title_words, title_norms, text_norms, forms;
    float k1;
    Posting *postings, *sorted;
    size_t room;
    PyObject *columns[COLUMNS]; /* bytes objects */
    void *out[COLUMNS]; /* what is in them */
    size_t done, places, most, most_places; /* postings and places: made, and room for them */
} Merge;

/* Adds a term's postings in one run to the others; the new number of postings, or -1. */
static Py_ssize_t take(Merge *m, size_t which, size_t n) {
    Run *run = &m->runs[which];
    size_t place = run->at;
    if (place + 1 >= run->size[FIRST_POSTING] || place + 1 >= run->size[FIRST_ROW]) return -1;
    size_t p = run->of[FIRST_POSTING][place], end = run->of[FIRST_POSTING][place + 1];
    size_t row = run->of[FIRST_ROW][place];
    if (p > end || end > run->size[POSTINGS]) return -1;
    if (n + (end - p) > m->room) {
        size_t room = 2 * (n + (end - p));
        Posting *postings = realloc(m->postings, room * sizeof *postings);
        if (postings) m->postings = postings;
        Posting *sorted = realloc(m->sorted, room * sizeof *sorted);
        if (sorted) m->sorted = sorted;
        if (!postings || !sorted) return -1;
        m->room = room;
    }
    for (; p < end; p++) {
        uint32_t own = run->postings[p] >> 32, count = (uint32_t)run->postings[p];
        if (own >= run->size[NUMBERS]) return -1;
        uint32_t doc = run->of[NUMBERS][own];
        if (doc >= m->low && doc < m->high)
            m->postings[n++] = (Posting){doc, (uint32_t)which, count, (uint32_t)row};
        row += count;
    }
    return row <= run->size[ROWS] ? (Py_ssize_t)n : -1;
}

/* Sorts by article: few by insertion, many by their digits, the low ones first. */
static void sort_by_doc(Merge *m, size_t n) {
    Posting *from = m->postings, *to = m->sorted;
    if (n < 48) {
        for (size_t i = 1; i < n; i++) {
            Posting posting = from[i];
            size_t at = i;
            for (; at && from[at - 1].doc > posting.doc; at--) from[at] = from[at - 1];
            from[at] = posting;
        }
        return;
    }
    uint32_t last = (uint32_t)(m->title_words.len / 4);
    for (int shift = 0; shift < 32 && last >> shift; shift += 11) {
        uint32_t starts[2049] = {0};
        for (size_t i = 0; i < n; i++) starts[(from[i].doc >> shift & 2047) + 1]++;
        for (int i = 0; i < 2047; i++) starts[i + 1] += starts[i];
        for (size_t i = 0; i < n; i++) to[starts[from[i].doc >> shift & 2047]++] = from[i];
        Posting *other = from;
        from = to, to = other;
    }
    m->postings = from;
    m->sorted = to;
}

/* Write the places of a posting; return how many are in the title, and whether one is in the lead;
   -1 if they do not fit. */
static inline int64_t emit_places(
    Merge *m, const Run *run, Posting posting, uint32_t words, uint64_t forms
) {
    const uint64_t *rows = run->rows + posting.row;
    uint64_t *values = (uint64_t *)m->out[VALUE] + m->places;
    uint8_t *followed = (uint8_t *)m->out[FOLLOW] + m->places;
    uint32_t titles = 0, lead = 0, count = posting.count;
    if (count > m->most_places - m->places) return -1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = rows[i] >> 40, pair = (uint32_t)rows[i];
        if (pair >= run->size[ORDINALS]) return -1;
        values[i] = position * forms + run->of[ORDINALS][pair];
        followed[i] = (uint8_t)(rows[i] >> 32);
        titles += position < words;
        lead |= position - words - m->gap < m->lead_words; /* of the title a great number */
    }
    m->places += count;
    return (int64_t)titles << 1 | lead;
}

static int emit(Merge *m, uint32_t term, size_t n) {
    const uint32_t *title_words = m->title_words.buf, *forms = m->forms.buf;
    const float *title_norms = m->title_norms.buf, *text_norms = m->text_norms.buf;
    int is_text = term >= m->of_text;
    if (n > m->most - m->done) return 0;
    for (size_t i = 0; i < n; i++) {
        Posting posting = m->postings[i];
        const Run *run = &m->runs[posting.run];
        uint32_t count = posting.count, doc = posting.doc;
        if (doc >= m->title_words.len / 4) return 0;
        uint32_t words = is_text ? title_words[doc] : 0;
        int64_t found = emit_places(m, run, posting, words, forms[term]);
        if (found < 0) return 0;
        uint32_t titles = (uint32_t)(found >> 1), lead = is_text ? found & 1 : 0;
        float worth = (float)(count - titles);
        if (is_text) {
            worth *= text_norms[doc];
            worth = (float)titles * title_norms[doc] + worth;
        }
        size_t at = m->done++;
        ((uint32_t *)m->out[TERM])[at] = term;
        ((uint32_t *)m->out[DOC])[at] = doc;
        ((uint32_t *)m->out[COUNT])[at] = count;
        ((uint32_t *)m->out[TITLES])[at] = titles;
        ((uint32_t *)m->out[LEAD])[at] = lead;
        ((float *)m->out[WORTH])[at] = saturated(worth, m->k1);
    }
    return 1;
}

static int merge_range(Merge *m, uint32_t begin, uint32_t end) {
    for (size_t i = 0; i < m->n; i++) {
        size_t low = 0, high = m->runs[i].size[TERMS];
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (m->runs[i].of[TERMS][middle] < begin) low = middle + 1;
            else high = middle;
        }
        m->runs[i].at = low;
    }
    for (uint32_t term = begin; term < end; term++) {
        Py_ssize_t n = 0;
        for (size_t i = 0; i < m->n; i++) {
            Run *run = &m->runs[i];
            if (run->at >= run->size[TERMS] || run->of[TERMS][run->at] != term) continue;
            if ((n = take(m, i, (size_t)n)) < 0) return 0;
            run->at++;
        }
        sort_by_doc(m, (size_t)n);
        if (!emit(m, term, (size_t)n)) return 0;
    }
    return 1;
}

static int take_runs(PyObject *told, Run *runs, Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *arrays = PyTuple_GET_ITEM(told, i);
        if (!PyTuple_Check(arrays) || PyTuple_GET_SIZE(arrays) != ARRAYS) {
            PyErr_SetString(PyExc_TypeError, "a run is a tuple of seven arrays");
            return 0;
        }
        for (int j = 0; j < ARRAYS; j++) {
            Py_buffer *view = &runs[i].views[j];
            if (PyObject_GetBuffer(PyTuple_GET_ITEM(arrays, j), view, PyBUF_SIMPLE) < 0) return 0;
            runs[i].of[j] = view->buf;
            runs[i].size[j] = (size_t)view->len / (j == POSTINGS || j == ROWS ? 8 : 4);
        }
        runs[i].postings = runs[i].views[POSTINGS].buf;
        runs[i].rows = runs[i].views[ROWS].buf;
    }
    return 1;
}

/* Make room for all that the runs have of the range of terms. */
static int make_room(Merge *m) {
    for (size_t i = 0; i < m->n; i++) {
        m->most += m->runs[i].size[POSTINGS];
        m->most_places += m->runs[i].size[ROWS];
    }
    for (int i = 0; i < COLUMNS; i++) {
        size_t items = i < VALUE ? m->most : m->most_places;
        m->columns[i] = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)items * SIZES[i]);
        if (!m->columns[i]) return 0;
        m->out[i] = PyBytes_AS_STRING(m->columns[i]);
    }
    return 1;
}

/* Return the columns, cut to what is in them. */
static PyObject *made_columns(Merge *m) {
    for (int i = 0; i < COLUMNS; i++) {
        Py_ssize_t size = (Py_ssize_t)(i < VALUE ? m->done : m->places) * SIZES[i];
        if (PyBytes_GET_SIZE(m->columns[i]) != size && _PyBytes_Resize(&m->columns[i], size) < 0)
            return NULL;
    }
    PyObject **made = m->columns;
    return PyTuple_Pack(COLUMNS, made[TERM], made[DOC], made[COUNT], made[TITLES], made[LEAD],
                        made[WORTH], made[VALUE], made[FOLLOW]);
}

/* gather(runs, begin, end, low, high, title_words, title_norms, text_norms, forms, of_text, k1,
   gap, lead_words) */
static PyObject *gather(PyObject *module, PyObject *args) {
    PyObject *told, *answer = NULL;
    Merge m = {0};
    unsigned int begin, end;
    int done = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!IIIIy*y*y*y*IfII", &PyTuple_Type, &told, &begin, &end, &m.low,
                          &m.high, &m.title_words, &m.title_norms, &m.text_norms, &m.forms,
                          &m.of_text, &m.k1, &m.gap, &m.lead_words)) return NULL;
    m.n = (size_t)PyTuple_GET_SIZE(told);
    m.runs = PyMem_Calloc(m.n + 1, sizeof *m.runs);
    if (!m.runs) PyErr_NoMemory();
    else if (m.title_norms.len != m.title_words.len || m.text_norms.len != m.title_words.len ||
             (Py_ssize_t)end > m.forms.len / 4)
        PyErr_SetString(PyExc_ValueError, "the arrays do not fit together");
    else if (take_runs(told, m.runs, (Py_ssize_t)m.n) && make_room(&m)) {
        Py_BEGIN_ALLOW_THREADS
        done = merge_range(&m, begin, end);
        Py_END_ALLOW_THREADS
        if (!done) PyErr_SetString(PyExc_ValueError, "a run is damaged, or memory is short");
    }
    if (done) answer = made_columns(&m);
    for (int i = 0; i < COLUMNS; i++) Py_XDECREF(m.columns[i]);
    for (size_t i = 0; m.runs && i < m.n; i++)
        for (int j = 0; j < ARRAYS; j++)
            if (m.runs[i].views[j].obj) PyBuffer_Release(&m.runs[i].views[j]);
    PyMem_Free(m.runs);
    free(m.postings);
    free(m.sorted);
    PyBuffer_Release(&m.title_words);
    PyBuffer_Release(&m.title_norms);
    PyBuffer_Release(&m.text_norms);
    PyBuffer_Release(&m.forms);
    return answer;
}

/* pack(values, ends): the bytes, and how many bits the numbers of each block have. */
static PyObject *pack(PyObject *module, PyObject *args) {
    Py_buffer values, ends;
    PyObject *packed = NULL, *widths = NULL, *answer = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*", &values, &ends)) return NULL;
    const uint64_t *value = values.buf, *end = ends.buf;
    size_t n = (size_t)values.len / 8, blocks = (size_t)ends.len / 8, size = 0, first = 0;
    if (!(widths = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)blocks))) goto done;
    uint8_t *width = (uint8_t *)PyBytes_AS_STRING(widths);
    for (size_t i = 0; i < blocks; first = end[i++]) {
        uint64_t all = 0;
        if (end[i] < first || end[i] > n) {
            PyErr_SetString(PyExc_ValueError, "a block ends nowhere");
            goto done;
        }
        for (size_t j = first; j < end[i]; j++) all |= value[j];
        width[i] = all ? (uint8_t)(64 - __builtin_clzll(all)) : 0;
        if (width[i] > 53) {
            PyErr_SetString(PyExc_ValueError, "a number is too large");
            goto done;
        }
        size += ((end[i] - first) * width[i] + 7) / 8;
    }
    if (!(packed = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size))) goto done;
    uint8_t *out = (uint8_t *)PyBytes_AS_STRING(packed);
    first = 0;
    for (size_t i = 0; i < blocks; first = end[i++]) {
        uint64_t word = 0;
        int filled = 0;
        for (size_t j = first; j < end[i]; j++) { /* at most 7 + 53 bits wait to be written */
            word |= value[j] << filled;
            for (filled += width[i]; filled >= 8; filled -= 8, word >>= 8) *out++ = (uint8_t)word;
        }
        if (filled) *out++ = (uint8_t)word;
    }
    answer = Py_BuildValue("OO", packed, widths);
done:
    Py_XDECREF(packed);
    Py_XDECREF(widths);
    PyBuffer_Release(&values);
    PyBuffer_Release(&ends);
    return answer;
}

/* Puts a key among the n least; of these, i are there so far, the largest on top. */
static inline void keep_least(uint64_t *heap, Py_ssize_t n, Py_ssize_t i, uint64_t key) {
    Py_ssize_t at = i;
    if (i < n) {
        for (; at && heap[(at - 1) / 2] < key; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    } else if (key < heap[0]) {
        at = 0;
        for (Py_ssize_t child; (child = 2 * at + 1) < n; at = child) {
            if (child + 1 < n && heap[child] < heap[child + 1]) child++;
            if (heap[child] <= key) break;
            heap[at] = heap[child];
        }
    } else return;
    heap[at] = key;
}

/* What is less the better a posting is: that much worth, or an article with a lower number. */
static inline uint64_t key_of(float worth, uint32_t doc) {
    uint32_t bits;
    memcpy(&bits, &worth, 4);
    return (uint64_t)~bits << 32 | doc;
}

/* champions(worths, docs, n): the n best of more postings, each as the twin has it. */
static PyObject *champions(PyObject *module, PyObject *args) {
    Py_buffer worths, docs;
    Py_ssize_t n;
    PyObject *answer = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*n", &worths, &docs, &n)) return NULL;
    const float *worth = worths.buf;
    const uint32_t *doc = docs.buf;
    if (worths.len != docs.len || n < 1 || docs.len / 4 < n)
        PyErr_SetString(PyExc_ValueError, "too few postings");
    else if ((answer = PyBytes_FromStringAndSize(NULL, n * 8))) {
        uint64_t *heap = (uint64_t *)PyBytes_AS_STRING(answer);
        for (Py_ssize_t i = 0; i < docs.len / 4; i++)
            keep_least(heap, n, i, key_of(worth[i], doc[i]));
    }
    PyBuffer_Release(&worths);
    PyBuffer_Release(&docs);
    return answer;
}

#define NONE UINT32_MAX

/* The postings of a part, what is known of articles and terms, and what is found of some forms. */
typedef struct {
    Py_buffer terms, docs, counts, values, forms, first, slots, title_words, title_norms, text_norms;
    Py_ssize_t wanted, n; /* champions of a form; forms */
    float k1;
    uint32_t *having; /* of each form */
    uint64_t *best;
} Crowning;

/* Counts a posting for each form that stands there, and keeps it if it is among the best. */
static int crown_posting(const Crowning *c, Py_ssize_t i, uint64_t at, uint32_t *titles,
                         uint32_t *texts) {
    uint32_t term = ((uint32_t *)c->terms.buf)[i], doc = ((uint32_t *)c->docs.buf)[i];
    uint32_t count = ((uint32_t *)c->counts.buf)[i], forms = ((uint32_t *)c->forms.buf)[term];
    const uint64_t *values = (uint64_t *)c->values.buf + at;
    const uint32_t *slots = (uint32_t *)c->slots.buf + ((uint32_t *)c->first.buf)[term];
    if ((Py_ssize_t)doc >= c->title_words.len / 4) return 0;
    uint32_t words = ((uint32_t *)c->title_words.buf)[doc];
    for (uint32_t j = 0; j < count; j++) {
        uint64_t value = values[j];
        uint64_t position = value >> 32 ? value / forms : (uint32_t)value / forms;
        *(position < words ? &titles[value - position * forms] : &texts[value - position * forms]) += 1;
    }
    for (uint32_t j = 0; j < count; j++) {
        uint64_t value = values[j];
        uint64_t form = value >> 32 ? value % forms : (uint32_t)value % forms;
        uint32_t slot = slots[form], title = titles[form], text = texts[form];
        titles[form] = texts[form] = 0;
        if (slot == NONE || !(title || text)) continue; /* or has been counted */
        if ((Py_ssize_t)slot >= c->n) return 0;
        float f = (float)text * ((float *)c->text_norms.buf)[doc];
        f = (float)title * ((float *)c->title_norms.buf)[doc] + f;
        keep_least(c->best + (Py_ssize_t)slot * c->wanted, c->wanted, c->having[slot],
                   key_of(saturated(f, c->k1), doc));
        c->having[slot]++;
    }
    return 1;
}

/* Whether each term of the part has its forms, and these have their slots. */
static int crowning_fits(const Crowning *c, uint32_t *most) {
    const uint32_t *terms = c->terms.buf, *forms = c->forms.buf, *first = c->first.buf;
    Py_ssize_t size = c->terms.len / 4;
    if (c->docs.len != c->terms.len || c->counts.len != c->terms.len || c->wanted < 1 || c->n < 0 ||
        c->first.len != c->forms.len || c->title_norms.len != c->title_words.len ||
        c->text_norms.len != c->title_words.len) return 0;
    for (Py_ssize_t i = 0; i < size; i++) {
        if ((Py_ssize_t)terms[i] >= c->forms.len / 4) return 0;
        if (first[terms[i]] == NONE) continue;
        if (!forms[terms[i]] || (Py_ssize_t)first[terms[i]] + forms[terms[i]] > c->slots.len / 4)
            return 0;
        if (forms[terms[i]] > *most) *most = forms[terms[i]];
    }
    return 1;
}

static int crown_all(const Crowning *c, uint32_t most) {
    uint32_t *titles = calloc(2 * (size_t)most + 2, sizeof *titles), *texts = titles + most;
    const uint32_t *terms = c->terms.buf, *first = c->first.buf, *counts = c->counts.buf;
    uint64_t at = 0, places = (uint64_t)c->values.len / 8;
    int fits = titles != NULL;
    for (Py_ssize_t i = 0; fits && i < c->terms.len / 4; at += counts[i++]) {
        if (counts[i] > places - at) fits = 0;
        else if (first[terms[i]] != NONE) fits = crown_posting(c, i, at, titles, texts);
    }
    free(titles);
    return fits;
}

/* crown(terms, docs, counts, values, forms, first, slots, title_words, title_norms, text_norms, k1,
   wanted, n): of each of n forms in how many postings it stands, and the best of these; a key is
   all bits where there are fewer. */
static PyObject *crown(PyObject *module, PyObject *args) {
    Crowning c = {0};
    PyObject *having = NULL, *best = NULL, *answer = NULL;
    uint32_t most = 0;
    int done = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*y*y*y*fnn", &c.terms, &c.docs, &c.counts, &c.values,
                          &c.forms, &c.first, &c.slots, &c.title_words, &c.title_norms,
                          &c.text_norms, &c.k1, &c.wanted, &c.n)) return NULL;
    if (crowning_fits(&c, &most)) {
        having = PyBytes_FromStringAndSize(NULL, c.n * 4);
        best = PyBytes_FromStringAndSize(NULL, c.n * c.wanted * 8);
    } else PyErr_SetString(PyExc_ValueError, "the arrays do not fit together");
    if (having && best) {
        c.having = memset(PyBytes_AS_STRING(having), 0, (size_t)c.n * 4);
        c.best = memset(PyBytes_AS_STRING(best), 0xFF, (size_t)(c.n * c.wanted) * 8);
        Py_BEGIN_ALLOW_THREADS
        done = crown_all(&c, most);
        Py_END_ALLOW_THREADS
        if (done) answer = PyTuple_Pack(2, having, best);
        else PyErr_SetString(PyExc_ValueError, "the arrays do not fit, or memory is short");
    }
    Py_XDECREF(having);
    Py_XDECREF(best);
    for (Py_buffer *view = &c.terms; view <= &c.text_norms; view++) PyBuffer_Release(view);
    return answer;
}

PyMethodDef merge_methods[] = {
    {"gather", gather, METH_VARARGS, "Postings of a range of terms; see codec/parts.py."},
    {"champions", champions, METH_VARARGS, "The best of some postings; see codec/champions.py."},
    {"crown", crown, METH_VARARGS, "The best postings of some forms; see codec/champions.py."},
    {"pack", pack, METH_VARARGS, "Numbers as bits; see codec/postings.py."},
    {NULL},
};
