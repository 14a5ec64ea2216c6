/* Letters: a text as a byte a letter, and back; the twins are `_to_bytes` and `_parts` of
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

/* from_letters(record, characters): content and milestones; None if there are rare letters.

   The table has the character of each byte, two bytes each. */
static PyObject *from_letters(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer record, characters;
    PyObject *content, *stones, *found = NULL;
    uint32_t sizes[2]; /* of the milestones and of the rare letters */
    if (!PyArg_ParseTuple(args, "y*y*", &record, &characters)) return NULL;
    if (record.len >= 8) memcpy(sizes, record.buf, 8);
    if (record.len < 8 || record.len - 8 < (Py_ssize_t)sizes[0] || characters.len != 512) {
        PyErr_SetString(PyExc_ValueError, "no such record");
    } else if (sizes[1]) {
        found = Py_NewRef(Py_None);
    } else {
        const uint8_t *rest = (uint8_t *)record.buf + 8 + sizes[0];
        content = from_bytes(rest, record.len - 8 - (Py_ssize_t)sizes[0], characters.buf);
        stones = PyBytes_FromStringAndSize((char *)record.buf + 8, (Py_ssize_t)sizes[0]);
        if (content && stones) found = PyTuple_Pack(2, content, stones);
        Py_XDECREF(content);
        Py_XDECREF(stones);
    }
    PyBuffer_Release(&record);
    PyBuffer_Release(&characters);
    return found;
}

PyMethodDef letters_methods[] = {
    {"to_letters", to_letters, METH_VARARGS, NULL},
    {"from_letters", from_letters, METH_VARARGS, NULL},
    {NULL},
};
