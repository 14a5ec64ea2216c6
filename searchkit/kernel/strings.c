/* Strings in order: all words of an archive, each once; the twin is `_sorted` of codec/strings.py. */
#include "kernel.h"

#include <stdlib.h>

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
}

/* The CRC-32 of zlib; sixteen bytes at once, each by a table of what it means so far ahead. */
uint32_t crc32_of(const uint8_t *data, Py_ssize_t size) {
    uint32_t crc = ~0u;
    for (; size >= 16; data += 16, size -= 16) {
        uint32_t next = 0;
        for (int i = 0; i < 4; i++) next ^= crc32_tables[15 - i][data[i] ^ (crc >> 8 * i & 0xFF)];
        for (int i = 4; i < 16; i++) next ^= crc32_tables[15 - i][data[i]];
        crc = next;
    }
    for (; size > 0; data++, size--) crc = crc32_tables[0][(crc ^ *data) & 0xFF] ^ (crc >> 8);
    return ~crc;
}

typedef struct {
    uint64_t head; /* the first eight bytes, as a number: most strings differ in these */
    const uint8_t *data;
    Py_ssize_t size;
    int64_t *number; /* where the string's number goes */
} String;

static uint64_t head_of(const uint8_t *data, Py_ssize_t size) {
    uint64_t head = 0;
    for (Py_ssize_t i = 0; i < 8; i++) head = head << 8 | (i < size ? data[i] : 0);
    return head;
}

static int compare(const void *one, const void *other) {
    const String *a = one, *b = other;
    if (a->head != b->head) return a->head < b->head ? -1 : 1;
    Py_ssize_t common = a->size < b->size ? a->size : b->size;
    int order = common > 8 ? memcmp(a->data + 8, b->data + 8, (size_t)common - 8) : 0;
    return order ? order : (a->size > b->size) - (a->size < b->size);
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

/* Take the strings of a list; return bytes with room for their numbers, 64 bits each. */
static PyObject *take(PyObject *list, String *strings) {
    Py_ssize_t count = PyList_GET_SIZE(list);
    PyObject *numbers = PyBytes_FromStringAndSize(NULL, 8 * count);
    for (Py_ssize_t i = 0; numbers && i < count; i++) {
        PyObject *string = PyList_GET_ITEM(list, i);
        if (!PyBytes_Check(string)) {
            PyErr_SetString(PyExc_TypeError, "not bytes");
            Py_CLEAR(numbers);
            break;
        }
        const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(string);
        Py_ssize_t size = PyBytes_GET_SIZE(string);
        int64_t *number = (int64_t *)PyBytes_AS_STRING(numbers) + i;
        strings[i] = (String){head_of(data, size), data, size, number};
    }
    return numbers;
}

/* sort_strings(lists): (bytes, ends, hashes, buckets, order), [numbers, ...]
 *
 * Of all strings in some lists of bytes what `string_arrays` of strings.py has, and their CRC-32, as
 * numbers of 32 bits; and of those in each list their numbers, of 64. */
static PyObject *sort_strings(PyObject *module, PyObject *lists) {
    (void)module;
    size_t count = 0, at = 0, distinct = 0;
    if (!PyList_Check(lists)) return PyErr_Format(PyExc_TypeError, "not a list");
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(lists); i++) {
        PyObject *list = PyList_GET_ITEM(lists, i);
        if (!PyList_Check(list)) return PyErr_Format(PyExc_TypeError, "not a list");
        count += (size_t)PyList_GET_SIZE(list);
    }
    if (count >= INT32_MAX) return PyErr_NoMemory();
    String *strings = PyMem_New(String, count + 1);
    PyObject *numbers = strings ? PyList_New(0) : PyErr_NoMemory(), *arrays = NULL;
    for (Py_ssize_t i = 0; numbers && i < PyList_GET_SIZE(lists); i++) {
        PyObject *list = PyList_GET_ITEM(lists, i), *own = take(list, strings + at);
        if (!own || PyList_Append(numbers, own) < 0) Py_CLEAR(numbers);
        Py_XDECREF(own);
        at += (size_t)PyList_GET_SIZE(list);
    }
    if (numbers) {
        qsort(strings, count, sizeof *strings, compare);
        for (size_t i = 0; i < count; i++) {
            if (!i || compare(&strings[distinct - 1], &strings[i])) strings[distinct++] = strings[i];
            *strings[i].number = (int64_t)distinct - 1;
        }
        arrays = arrays_of(strings, (uint32_t)distinct);
    }
    PyMem_Free(strings);
    PyObject *found = arrays ? PyTuple_Pack(2, arrays, numbers) : NULL;
    Py_XDECREF(arrays);
    Py_XDECREF(numbers);
    return found;
}

PyMethodDef strings_methods[] = {
    {"sort_strings", sort_strings, METH_O, NULL},
    {NULL},
};
