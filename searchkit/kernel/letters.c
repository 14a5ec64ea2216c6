/* Letters: a text as a byte a letter; the twin is `_to_bytes` of codec/stored.py. */
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

PyMethodDef letters_methods[] = {
    {"to_letters", to_letters, METH_VARARGS, NULL},
    {NULL},
};
