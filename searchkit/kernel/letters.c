/* Letters: a text as a byte a letter, and back; the twins are `_to_bytes` and `_read` of
   codec/stored.py. */
#include "kernel.h"

/* to_letters(text, table): the byte of each character; None if there is none for one of them.

   The table has the byte of each character below its length, `sign` where there is none; its last
   byte is the sign. */
static PyObject *to_letters(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *text;
    Py_buffer table;
    if (!PyArg_ParseTuple(args, "Uy*", &text, &table)) return NULL;
    Py_ssize_t size = PyUnicode_GET_LENGTH(text), known = table.len - 1, i = 0;
    const uint8_t *bytes = table.buf;
    PyObject *found = known < 0 ? PyErr_Format(PyExc_ValueError, "the table is empty")
                                : PyBytes_FromStringAndSize(NULL, size);
    if (found) {
        uint8_t *out = (uint8_t *)PyBytes_AS_STRING(found), sign = bytes[known];
        const int kind = PyUnicode_KIND(text);
        const void *data = PyUnicode_DATA(text);
        for (; i < size; i++) {
            Py_UCS4 c = PyUnicode_READ(kind, data, i);
            if ((Py_ssize_t)c >= known || (out[i] = bytes[c]) == sign) break;
        }
    }
    PyBuffer_Release(&table);
    if (!found || i == size) return found;
    Py_DECREF(found);
    Py_RETURN_NONE;
}

static PyObject *from_bytes(const uint8_t *bytes, Py_ssize_t size, const uint16_t *characters) {
    PyObject *found = PyUnicode_New(size, 0xFFFF);
    if (!found || !size) return found;
    uint16_t *out = PyUnicode_2BYTE_DATA(found), all = 0;
    for (Py_ssize_t i = 0; i < size; i++) all |= out[i] = characters[bytes[i]];
    if (all > 0xFF) return found;
    PyObject *narrow = PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, out, size);
    Py_DECREF(found);
    return narrow;
}

/* Of an Article the fields that stand before the tags, in their order there; and all. */
static const int BEFORE[] = {0, 2, 3, 4, 5, 6, 7, 9};
enum { FIRST = sizeof BEFORE / sizeof *BEFORE, TEXT = 1, TITLE, TAGS = 8, FIELDS = 10 };

/* Read the content of an article; NULL without an exception if it is none. */
static PyObject *read_article(const uint8_t *at, const uint8_t *end, const uint16_t *characters) {
    PyObject *article = PyTuple_New(FIELDS), *tags = PyList_New(0);
    const uint8_t *stop;
    int failed = !article || !tags, i = 0;
    for (; !failed && (stop = memchr(at, 0, (size_t)(end - at))); i++, at = stop + 1) {
        int is_none = stop == at && i < FIRST && BEFORE[i] > TITLE;
        PyObject *value = is_none ? Py_NewRef(Py_None) : from_bytes(at, stop - at, characters);
        failed = !value || (i >= FIRST && PyList_Append(tags, value) < 0);
        if (i < FIRST) PyTuple_SET_ITEM(article, BEFORE[i], value);
        else Py_XDECREF(value);
    }
    if (!failed && i >= FIRST) {
        PyObject *text = from_bytes(at, end - at, characters), *all = PyList_AsTuple(tags);
        failed = !text || !all;
        PyTuple_SET_ITEM(article, TEXT, text);
        PyTuple_SET_ITEM(article, TAGS, all);
    }
    Py_XDECREF(tags);
    if (failed || i < FIRST) Py_CLEAR(article);
    return article;
}

/* from_letters(record, characters): the fields of an article and its milestones; None if there are
   rare letters, or damage.

   The table has the character of each byte, two bytes each. */
static PyObject *from_letters(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer record, characters;
    PyObject *article = NULL, *found = NULL;
    uint32_t sizes[2] = {0, 0}; /* of the milestones and of the rare letters */
    if (!PyArg_ParseTuple(args, "y*y*", &record, &characters)) return NULL;
    const uint8_t *bytes = record.buf;
    if (record.len >= 8) memcpy(sizes, bytes, 8);
    if (record.len - 8 >= (Py_ssize_t)sizes[0] && !sizes[1] && characters.len == 512) {
        article = read_article(bytes + 8 + sizes[0], bytes + record.len, characters.buf);
    }
    if (article) {
        const char *stones = (const char *)bytes + 8;
        found = Py_BuildValue("Ny#", article, stones, (Py_ssize_t)sizes[0]);
    } else if (!PyErr_Occurred()) found = Py_NewRef(Py_None);
    PyBuffer_Release(&record);
    PyBuffer_Release(&characters);
    return found;
}

PyMethodDef letters_methods[] = {
    {"to_letters", to_letters, METH_VARARGS, NULL},
    {"from_letters", from_letters, METH_VARARGS, NULL},
    {NULL},
};
