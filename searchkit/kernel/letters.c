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

/* What is left to read of a record, and the character of each byte. */
typedef struct {
    const uint8_t *at, *end;
    const uint16_t *characters;
} Rest;

static int take(Rest *rest, const char *sign) {
    size_t size = strlen(sign);
    if ((size_t)(rest->end - rest->at) < size || memcmp(rest->at, sign, size)) return 0;
    rest->at += size;
    return 1;
}

/* Read a string of JSON; NULL without an exception if it has signs that Python has to tell. */
static PyObject *take_string(Rest *rest) {
    if (!take(rest, "\"")) return NULL;
    const uint8_t *start = rest->at;
    Py_ssize_t escapes = 0;
    for (; rest->at < rest->end && *rest->at != '"'; rest->at++) {
        if (*rest->at < 0x20) return NULL;
        if (*rest->at != '\\') continue;
        if (++rest->at == rest->end || (*rest->at != '"' && *rest->at != '\\')) return NULL;
        escapes++;
    }
    const uint8_t *end = rest->at;
    if (!take(rest, "\"")) return NULL;
    if (!escapes) return from_bytes(start, end - start, rest->characters);
    uint8_t *plain = PyMem_Malloc((size_t)(end - start)), *out = plain;
    if (!plain) return PyErr_NoMemory();
    for (; start < end; start++) *out++ = *start == '\\' ? *++start : *start;
    PyObject *found = from_bytes(plain, out - plain, rest->characters);
    PyMem_Free(plain);
    return found;
}

static PyObject *take_strings(Rest *rest) {
    PyObject *list = PyList_New(0), *found = NULL;
    if (!list || !take(rest, "[")) goto done;
    for (int i = 0; !take(rest, "]"); i++) {
        if (i && !take(rest, ", ")) goto done;
        PyObject *string = take_string(rest);
        int failed = !string || PyList_Append(list, string) < 0;
        Py_XDECREF(string);
        if (failed) goto done;
    }
    found = PyList_AsTuple(list);
done:
    Py_XDECREF(list);
    return found;
}

enum { ID, TEXT, TITLE, TAGS = 8, FIELDS = 10 }; /* of an Article, in its order; the text is last */

/* Read the content of an article; NULL without an exception if Python has to. */
static PyObject *take_article(Rest *rest) {
    PyObject *article = PyTuple_New(FIELDS);
    if (!article || !take(rest, "[")) goto failed;
    for (int i = 0; i < FIELDS; i++) {
        if (i == TEXT) continue;
        if (i && !take(rest, ", ")) goto failed;
        PyObject *value = i == TAGS ? take_strings(rest)
                        : i > TITLE && take(rest, "null") ? Py_NewRef(Py_None)
                                                          : take_string(rest);
        if (!value) goto failed;
        PyTuple_SET_ITEM(article, i, value);
    }
    if (!take(rest, "]\n")) goto failed;
    PyObject *text = from_bytes(rest->at, rest->end - rest->at, rest->characters);
    if (!text) goto failed;
    PyTuple_SET_ITEM(article, TEXT, text);
    return article;
failed:
    Py_XDECREF(article);
    return NULL;
}

/* from_letters(record, characters): the fields of an article and its milestones; None if there are
   rare letters or whatever else Python has to read, damage among it.

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
        Rest rest = {bytes + 8 + sizes[0], bytes + record.len, characters.buf};
        article = take_article(&rest);
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
