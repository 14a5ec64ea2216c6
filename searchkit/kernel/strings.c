/* Strings: in order, all words of an archive, each once (the twin is `in_order` of codec/strings.py);
 * and by number, as they are met (the twin is `Lexicon` of analysis/arrays.py). */
#include "lexicon.h"

#include <stdlib.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define FOLDS
#include <immintrin.h>
#endif

static int can_fold;
static uint32_t crc32_tables[16][256];

void fill_crc32_tables(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
        crc32_tables[0][i] = c;
    }
    for (int k = 1; k < 16; k++)
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = crc32_tables[k - 1][i];
            crc32_tables[k][i] = crc32_tables[0][c & 0xFF] ^ (c >> 8);
        }
#ifdef FOLDS
    can_fold = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#endif
}

#ifdef FOLDS
/* Puts what comes so many bits behind x in its place: x times each of two powers modulo the CRC. */
__attribute__((target("pclmul,sse4.1"))) static inline __m128i
folded(__m128i x, __m128i powers, __m128i behind) {
    __m128i low = _mm_clmulepi64_si128(x, powers, 0x00), high = _mm_clmulepi64_si128(x, powers, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), behind);
}

/* Returns 16 bytes that have, from 0 on, the CRC of these from `crc` on: whole stretches of 64 bytes,
 * folded as Gopal et al. do ("Fast CRC computation using PCLMULQDQ", Intel 2009). */
__attribute__((target("pclmul,sse4.1"))) static __m128i
folded_up(const uint8_t *data, Py_ssize_t size, uint32_t crc) {
    const __m128i by_512 = _mm_set_epi64x(0x1C6E41596, 0x154442BD4);
    const __m128i by_128 = _mm_set_epi64x(0x0CCAA009E, 0x1751997D0), *at = (const __m128i *)data;
    __m128i x[4];
    for (int i = 0; i < 4; i++) x[i] = _mm_loadu_si128(at++);
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int)crc));
    for (; size >= 128; size -= 64)
        for (int i = 0; i < 4; i++) x[i] = folded(x[i], by_512, _mm_loadu_si128(at++));
    for (int i = 1; i < 4; i++) x[i] = folded(x[i - 1], by_128, x[i]);
    return x[3];
}
#endif

/* Sixteen bytes at once, each by a table of what it means so far ahead. */
static uint32_t crc32_from(uint32_t crc, const uint8_t *data, Py_ssize_t size) {
    for (; size >= 16; data += 16, size -= 16) {
        uint32_t next = 0;
        for (int i = 0; i < 4; i++) next ^= crc32_tables[15 - i][data[i] ^ (crc >> 8 * i & 0xFF)];
        for (int i = 4; i < 16; i++) next ^= crc32_tables[15 - i][data[i]];
        crc = next;
    }
    for (; size > 0; data++, size--) crc = crc32_tables[0][(crc ^ *data) & 0xFF] ^ (crc >> 8);
    return crc;
}

/* The CRC-32 of zlib. */
uint32_t crc32_of(const uint8_t *data, Py_ssize_t size) {
    uint32_t crc = ~0u;
#ifdef FOLDS
    if (size >= 64 && can_fold) {
        Py_ssize_t whole = size & ~63;
        __m128i last = folded_up(data, whole, crc);
        crc = crc32_from(0, (const uint8_t *)&last, sizeof last);
        data += whole, size -= whole;
    }
#endif
    return ~crc32_from(crc, data, size);
}

/* -- strings in order ------------------------------------------------------------------------ */

typedef struct {
    uint64_t head; /* what it begins with, as a number: most strings differ in these */
    const uint8_t *data;
    Py_ssize_t size;
    Py_ssize_t place; /* that it had before */
} String;

/* The first eight letters, a byte each, so that no two numbers are the other way round than the
 * strings. Latin and Cyrillic letters have bytes of their own; behind any other comes nothing more. */
static uint64_t head_of(const uint8_t *data, Py_ssize_t size) {
    enum { BELOW = 129, BETWEEN = 194, ABOVE = 227 }; /* the others */
    uint64_t head = 0;
    for (int left = 56; left >= 0 && size > 0; left -= 8) {
        uint32_t c = *data, both = c << 8 | (size > 1 ? data[1] : 0);
        uint64_t letter = both < 0xD080 ? BELOW : both < 0xD180 ? BETWEEN : ABOVE;
        if (c < 0x80) letter = c + 1;
        else if (both >= 0xD080 && both < 0xD0C0) letter = BELOW + 1 + both - 0xD080;
        else if (both >= 0xD180 && both < 0xD1A0) letter = BETWEEN + 1 + both - 0xD180;
        else return head | letter << left;
        head |= letter << left;
        int bytes = c < 0x80 ? 1 : 2;
        data += bytes;
        size -= bytes;
    }
    return head;
}

static int compare_bytes(const uint8_t *a, Py_ssize_t size, const uint8_t *b, Py_ssize_t other) {
    int order = memcmp(a, b, (size_t)(size < other ? size : other));
    return order ? order : (size > other) - (size < other);
}

static int compare(const void *one, const void *other) {
    const String *a = one, *b = other;
    if (a->head != b->head) return a->head < b->head ? -1 : 1;
    return compare_bytes(a->data, a->size, b->data, b->size);
}

/* Sort by the heads, byte by byte from the last, then those of one head; -1 without memory. */
static int sort(String *strings, size_t count) {
    String *other = PyMem_New(String, count + 1), *from = strings, *to = other;
    if (!other) return PyErr_NoMemory(), -1;
    for (int shift = 0; shift < 64; shift += 8) {
        size_t next[256] = {0}, before = 0;
        for (size_t i = 0; i < count; i++) next[from[i].head >> shift & 0xFF]++;
        for (int i = 0; i < 256; i++) {
            size_t own = next[i];
            next[i] = before;
            before += own;
        }
        for (size_t i = 0; i < count; i++) to[next[from[i].head >> shift & 0xFF]++] = from[i];
        String *last = from;
        from = to;
        to = last;
    }
    PyMem_Free(other); /* after eight times all is where it was */
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i + 1; end < count && strings[end].head == strings[i].head; end++) {}
        if (end - i > 1) qsort(strings + i, end - i, sizeof *strings, compare);
    }
    return 0;
}

/* What is returned, in this order, and how large its items are. */
enum { BYTES, ENDS, HASHES, BUCKETS, ORDER, ARRAYS };

/* Write what strings.py has of strings, which are in order and distinct. */
static PyObject *arrays_of(const String *strings, uint32_t count) {
    uint32_t buckets = 1, *of[ARRAYS];
    Py_ssize_t bytes = 0;
    while (buckets < count || buckets < 2) buckets *= 2;
    for (uint32_t i = 0; i < count; i++) bytes += strings[i].size;
    Py_ssize_t sizes[ARRAYS] = {bytes, 4 * (Py_ssize_t)count, 4 * (Py_ssize_t)count,
                                4 * (Py_ssize_t)buckets + 4, 4 * (Py_ssize_t)count};
    PyObject *found = PyTuple_New(ARRAYS);
    for (int i = 0; found && i < ARRAYS; i++) {
        PyObject *array = PyBytes_FromStringAndSize(NULL, sizes[i]);
        if (!array) Py_CLEAR(found);
        else {
            PyTuple_SET_ITEM(found, i, array);
            of[i] = (uint32_t *)PyBytes_AS_STRING(array);
        }
    }
    if (!found) return NULL;
    uint8_t *out = (uint8_t *)of[BYTES];
    uint32_t end = 0, *next = of[BUCKETS] + 1;
    memset(of[BUCKETS], 0, (size_t)sizes[BUCKETS]);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(out + end, strings[i].data, (size_t)strings[i].size);
        of[ENDS][i] = end += (uint32_t)strings[i].size;
        of[HASHES][i] = crc32_of(strings[i].data, strings[i].size);
        next[of[HASHES][i] & (buckets - 1)]++;
    }
    for (uint32_t i = 0, before = 0, own; i < buckets; i++, before += own) {
        own = next[i];
        next[i] = before; /* where its first goes; behind its last when all are there */
    }
    for (uint32_t i = 0; i < count; i++) of[ORDER][next[of[HASHES][i] & (buckets - 1)]++] = i;
    return found;
}

typedef struct {
    Py_buffer bytes, ends;
    Py_ssize_t count;
} Strings;

/* Read a list of (bytes, ends); return how many strings there are in all, -1 on an error. */
static Py_ssize_t open_strings(PyObject *list, Strings *opened, Py_ssize_t *open) {
    Py_ssize_t count = 0;
    for (; *open < PyList_GET_SIZE(list); ++*open) {
        Strings *own = &opened[*open];
        PyObject *pair = PyList_GET_ITEM(list, *open);
        if (!PyTuple_Check(pair)) return PyErr_SetString(PyExc_TypeError, "not a tuple"), -1;
        if (!PyArg_ParseTuple(pair, "y*y*", &own->bytes, &own->ends)) return -1;
        const uint32_t *ends = own->ends.buf;
        own->count = own->ends.len / 4;
        int fits = own->ends.len % 4 == 0 && (uintptr_t)ends % 4 == 0;
        for (Py_ssize_t i = 0; fits && i < own->count; i++) fits = ends[i] >= (i ? ends[i - 1] : 0);
        if (!fits || (own->count && ends[own->count - 1] > own->bytes.len)) {
            ++*open;
            return PyErr_SetString(PyExc_ValueError, "strings and ends do not fit together"), -1;
        }
        count += own->count;
    }
    return count < INT32_MAX ? count : (PyErr_NoMemory(), -1);
}

static void fill(const Strings *from, Py_ssize_t place, String *strings) {
    const uint32_t *ends = from->ends.buf;
    for (Py_ssize_t i = 0; i < from->count; i++) {
        uint32_t start = i ? ends[i - 1] : 0;
        const uint8_t *data = (const uint8_t *)from->bytes.buf + start;
        strings[i] = (String){head_of(data, ends[i] - start), data, ends[i] - start, place + i};
    }
}

static PyObject *sort_all(const Strings *opened, Py_ssize_t open, Py_ssize_t count) {
    size_t at = 0, distinct = 0;
    PyObject *numbers = PyBytes_FromStringAndSize(NULL, 8 * count), *arrays = NULL;
    String *strings = numbers ? PyMem_New(String, count + 1) : NULL;
    if (numbers && !strings) PyErr_NoMemory();
    for (Py_ssize_t i = 0; strings && i < open; at += (size_t)opened[i++].count)
        fill(&opened[i], (Py_ssize_t)at, strings + at);
    if (strings && sort(strings, at) >= 0) {
        int64_t *number = (int64_t *)PyBytes_AS_STRING(numbers);
        for (size_t i = 0; i < at; i++) {
            if (!i || compare(&strings[distinct - 1], &strings[i])) strings[distinct++] = strings[i];
            number[strings[i].place] = (int64_t)distinct - 1;
        }
        arrays = arrays_of(strings, (uint32_t)distinct);
    }
    PyMem_Free(strings);
    PyObject *found = arrays ? PyTuple_Pack(2, arrays, numbers) : NULL;
    Py_XDECREF(arrays);
    Py_XDECREF(numbers);
    return found;
}

/* sort_strings(lists): (bytes, ends, hashes, buckets, order), numbers
 *
 * Of all strings in some lists, each of which is (bytes, ends), what `string_arrays` of strings.py
 * has, and their CRC-32, as numbers of 32 bits; and of those in one list after the other their
 * numbers, of 64. */
static PyObject *sort_strings(PyObject *module, PyObject *list) {
    (void)module;
    if (!PyList_Check(list)) return PyErr_Format(PyExc_TypeError, "not a list");
    Strings *opened = PyMem_New(Strings, PyList_GET_SIZE(list) + 1);
    if (!opened) return PyErr_NoMemory();
    Py_ssize_t open = 0, count = open_strings(list, opened, &open);
    PyObject *found = count < 0 ? NULL : sort_all(opened, open, count);
    while (open--) {
        PyBuffer_Release(&opened[open].bytes);
        PyBuffer_Release(&opened[open].ends);
    }
    PyMem_Free(opened);
    return found;
}

/* -- strings by number ----------------------------------------------------------------------- */

uint64_t seeds[2];
static PyTypeObject *lexicon_type;

static inline uint64_t mixed(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 Wide;
    Wide product = (Wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t hash_of(const uint8_t *string, Py_ssize_t size) {
    uint64_t hash = seeds[0] ^ (uint64_t)size;
    for (; size > 0; string += 16, size -= 16) {
        uint64_t both[2] = {0, 0};
        memcpy(both, string, size < 16 ? (size_t)size : 16);
        hash = mixed(hash ^ both[0], seeds[1] ^ both[1]);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

/* Return the entry of a string, or the free one where it belongs. */
static Entry *entry_of(
    const Lexicon *lexicon, const uint8_t *string, Py_ssize_t size, uint32_t hash
) {
    for (size_t at = hash & lexicon->mask;; at = (at + 1) & lexicon->mask) {
        Entry *entry = &lexicon->entries[at];
        if (entry->number < 0) return entry;
        const uint8_t *own;
        if (entry->hash == hash && string_of(lexicon, entry->number, &own) == size &&
            !memcmp(own, string, (size_t)size))
            return entry;
    }
}

static int have_entries(Lexicon *lexicon, size_t mask) {
    Entry *entries = PyMem_New(Entry, mask + 1);
    if (!entries) return PyErr_NoMemory(), -1;
    for (size_t i = 0; i <= mask; i++) entries[i] = (Entry){0, -1};
    for (size_t i = 0; lexicon->entries && i <= lexicon->mask; i++) {
        if (lexicon->entries[i].number < 0) continue;
        size_t at = lexicon->entries[i].hash & mask;
        while (entries[at].number >= 0) at = (at + 1) & mask;
        entries[at] = lexicon->entries[i];
    }
    PyMem_Free(lexicon->entries);
    lexicon->entries = entries;
    lexicon->mask = mask;
    return 0;
}

/* Make room for one string more, of so many bytes. */
static int make_room(Lexicon *lexicon, size_t size) {
    if (lexicon->count == INT32_MAX || size > UINT32_MAX - lexicon->size)
        return PyErr_NoMemory(), -1;
    if (lexicon->count == lexicon->numbered) {
        int32_t room = lexicon->count > INT32_MAX / 2 ? INT32_MAX : 2 * lexicon->count;
        uint32_t *ends = PyMem_Realloc(lexicon->ends, (size_t)room * sizeof *ends);
        if (!ends) return PyErr_NoMemory(), -1;
        lexicon->ends = ends;
        lexicon->numbered = room;
    }
    if (lexicon->size + size > lexicon->room) {
        size_t room = 2 * (lexicon->size + size);
        uint8_t *bytes = PyMem_Realloc(lexicon->bytes, room);
        if (!bytes) return PyErr_NoMemory(), -1;
        lexicon->bytes = bytes;
        lexicon->room = room;
    }
    if ((size_t)lexicon->count * 2 <= lexicon->mask) return 0;
    return have_entries(lexicon, 2 * lexicon->mask + 1);
}

int32_t find_in(const Lexicon *lexicon, const uint8_t *string, Py_ssize_t size) {
    return entry_of(lexicon, string, size, hash_of(string, size))->number;
}

int32_t number_in(Lexicon *lexicon, const uint8_t *string, Py_ssize_t size) {
    uint32_t hash = hash_of(string, size);
    Entry *entry = entry_of(lexicon, string, size, hash);
    if (entry->number >= 0) return entry->number;
    if (make_room(lexicon, (size_t)size) < 0) return -1;
    entry = entry_of(lexicon, string, size, hash); /* there may be more of them now */
    memcpy(lexicon->bytes + lexicon->size, string, (size_t)size);
    lexicon->ends[lexicon->count] = (uint32_t)(lexicon->size += (size_t)size);
    *entry = (Entry){hash, lexicon->count};
    return lexicon->count++;
}

int32_t number_of_str(Lexicon *lexicon, PyObject *str) {
    Py_ssize_t size;
    if (!PyUnicode_Check(str)) return PyErr_SetString(PyExc_TypeError, "not a str"), -1;
    const char *string = PyUnicode_AsUTF8AndSize(str, &size);
    return string ? number_in(lexicon, (const uint8_t *)string, size) : -1;
}

Lexicon *lexicon_in(PyObject *object) {
    if (Py_IS_TYPE(object, lexicon_type)) return (Lexicon *)object;
    return PyErr_SetString(PyExc_TypeError, "not a Lexicon"), NULL;
}

static void lexicon_dealloc(PyObject *self) {
    Lexicon *lexicon = (Lexicon *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyMem_Free(lexicon->bytes);
    PyMem_Free(lexicon->ends);
    PyMem_Free(lexicon->entries);
    PyMem_Free(lexicon->ranked);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *lexicon_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    enum { FIRST = 1 << 10 };
    (void)named;
    if (!PyArg_ParseTuple(args, "")) return NULL;
    Lexicon *lexicon = (Lexicon *)type->tp_alloc(type, 0);
    if (!lexicon) return NULL;
    lexicon->numbered = lexicon->room = FIRST;
    lexicon->ends = PyMem_New(uint32_t, FIRST);
    lexicon->bytes = PyMem_New(uint8_t, FIRST);
    if (!lexicon->ends || !lexicon->bytes || have_entries(lexicon, 2 * FIRST - 1) < 0) {
        Py_DECREF(lexicon);
        return PyErr_NoMemory();
    }
    return (PyObject *)lexicon;
}

static Py_ssize_t lexicon_length(PyObject *self) { return ((Lexicon *)self)->count; }

static PyObject *lexicon_item(PyObject *self, Py_ssize_t number) {
    const Lexicon *lexicon = (Lexicon *)self;
    const uint8_t *string;
    if (number < 0 || number >= lexicon->count)
        return PyErr_Format(PyExc_IndexError, "no such number");
    Py_ssize_t size = string_of(lexicon, (int32_t)number, &string);
    return PyUnicode_DecodeUTF8((const char *)string, size, NULL);
}

static PyObject *lexicon_number(PyObject *self, PyObject *str) {
    int32_t number = number_of_str((Lexicon *)self, str);
    return number < 0 ? NULL : PyLong_FromLong(number);
}

static PyObject *lexicon_find(PyObject *self, PyObject *str) {
    Py_ssize_t size;
    if (!PyUnicode_Check(str)) return PyErr_Format(PyExc_TypeError, "not a str");
    const char *string = PyUnicode_AsUTF8AndSize(str, &size);
    if (!string) return NULL;
    return PyLong_FromLong(find_in((Lexicon *)self, (const uint8_t *)string, size));
}

static PyObject *lexicon_strings(PyObject *self, PyObject *none) {
    const Lexicon *lexicon = (Lexicon *)self;
    (void)none;
    return Py_BuildValue("y#y#", (char *)lexicon->bytes, (Py_ssize_t)lexicon->size,
                         (char *)lexicon->ends, (Py_ssize_t)lexicon->count * 4);
}

static PyObject *lexicon_hashes(PyObject *self, PyObject *args) {
    const Lexicon *lexicon = (Lexicon *)self;
    int first;
    if (!PyArg_ParseTuple(args, "i", &first)) return NULL;
    if (first < 0 || first > lexicon->count)
        return PyErr_Format(PyExc_IndexError, "no such number");
    PyObject *found = PyBytes_FromStringAndSize(NULL, 4 * ((Py_ssize_t)lexicon->count - first));
    if (!found) return NULL;
    uint32_t *out = (uint32_t *)PyBytes_AS_STRING(found);
    for (int32_t i = first; i < lexicon->count; i++) {
        const uint8_t *string;
        Py_ssize_t size = string_of(lexicon, i, &string);
        *out++ = crc32_of(string, size);
    }
    return found;
}

static int is_before(const Lexicon *lexicon, const Ranked *one, const String *other) {
    if (one->head != other->head) return one->head < other->head;
    const uint8_t *string;
    Py_ssize_t size = string_of(lexicon, one->number, &string);
    return compare_bytes(string, size, other->data, other->size) < 0;
}

/* Put new strings, which are in order, among those that were. */
static int merge(Lexicon *lexicon, const String *strings, int32_t count) {
    Ranked *ranked = PyMem_New(Ranked, (size_t)lexicon->count + 1);
    if (!ranked) return PyErr_NoMemory(), -1;
    for (int32_t i = 0, old = 0, added = 0; i < lexicon->count; i++) {
        int is_old = added == count || (old < lexicon->in_order &&
                                        is_before(lexicon, &lexicon->ranked[old], &strings[added]));
        if (is_old) ranked[i] = lexicon->ranked[old++];
        else {
            ranked[i] = (Ranked){strings[added].head, (int32_t)strings[added].place};
            added++;
        }
    }
    PyMem_Free(lexicon->ranked);
    lexicon->ranked = ranked;
    lexicon->in_order = lexicon->count;
    return 0;
}

/* Return the strings from one on in order; NULL and an error without memory. */
static String *sorted_from(const Lexicon *lexicon, int32_t first) {
    size_t count = (size_t)(lexicon->count - first);
    String *strings = PyMem_New(String, count + 1);
    if (!strings) return PyErr_NoMemory(), NULL;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *data;
        Py_ssize_t number = first + (Py_ssize_t)i, size = string_of(lexicon, (int32_t)number, &data);
        strings[i] = (String){head_of(data, size), data, size, number};
    }
    if (sort(strings, count) >= 0) return strings;
    PyMem_Free(strings);
    return NULL;
}

int32_t *order_from(const Lexicon *lexicon, int32_t first) {
    String *strings = sorted_from(lexicon, first);
    if (!strings) return NULL;
    int32_t count = lexicon->count - first, *order = PyMem_New(int32_t, (size_t)count + 1);
    if (!order) PyErr_NoMemory();
    for (int32_t i = 0; order && i < count; i++) order[i] = (int32_t)strings[i].place;
    PyMem_Free(strings);
    return order;
}

static int put_in_order(Lexicon *lexicon) {
    int32_t first = lexicon->in_order;
    if (first == lexicon->count) return 0;
    String *strings = sorted_from(lexicon, first);
    if (!strings) return -1;
    int failed = merge(lexicon, strings, lexicon->count - first) < 0;
    PyMem_Free(strings);
    return failed ? -1 : 0;
}

static PyObject *lexicon_order(PyObject *self, PyObject *none) {
    Lexicon *lexicon = (Lexicon *)self;
    (void)none;
    if (put_in_order(lexicon) < 0) return NULL;
    PyObject *found = PyBytes_FromStringAndSize(NULL, 4 * (Py_ssize_t)lexicon->count);
    if (!found) return NULL;
    int32_t *out = (int32_t *)PyBytes_AS_STRING(found);
    for (int32_t i = 0; i < lexicon->count; i++) out[i] = lexicon->ranked[i].number;
    return found;
}

static PyMethodDef lexicon_methods[] = {
    {"number", lexicon_number, METH_O, "The number of a string, the next one if it is new."},
    {"find", lexicon_find, METH_O, "The number of a string; -1 if it is not there."},
    {"strings", lexicon_strings, METH_NOARGS, "(bytes, ends): all of them in UTF-8; uint32."},
    {"hashes", lexicon_hashes, METH_VARARGS, "The CRC-32 of each from a number on; uint32."},
    {"order", lexicon_order, METH_NOARGS, "Their numbers in the order of the strings; int32."},
    {NULL},
};

static PyType_Slot lexicon_slots[] = {
    {Py_tp_new, lexicon_new},
    {Py_tp_dealloc, lexicon_dealloc},
    {Py_tp_methods, lexicon_methods},
    {Py_sq_length, lexicon_length},
    {Py_sq_item, lexicon_item},
    {Py_tp_doc, "Lexicon(): strings that get numbers as they are met; see analysis/arrays.py."},
    {0, NULL},
};

static PyType_Spec lexicon_spec = {
    .name = "searchkit.kernel._kernel.Lexicon",
    .basicsize = sizeof(Lexicon),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = lexicon_slots,
};

int add_lexicon(PyObject *module) {
    for (int i = 0; i < 2; i++) {
        PyObject *string = PyUnicode_FromFormat("searchkit %d", i);
        if (!string) return -1;
        seeds[i] = (uint64_t)PyObject_Hash(string);
        Py_DECREF(string);
    }
    lexicon_type = (PyTypeObject *)PyType_FromSpec(&lexicon_spec);
    return lexicon_type ? PyModule_AddObjectRef(module, "Lexicon", (PyObject *)lexicon_type) : -1;
}

PyMethodDef strings_methods[] = {
    {"sort_strings", sort_strings, METH_O, NULL},
    {NULL},
};
