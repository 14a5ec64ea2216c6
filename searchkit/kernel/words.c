/* Text to words, as the regular expression of analysis/tokenize.py finds them. */
#include "words.h"

/* What a code point may be; a digit is a letter, too. */
enum { LETTER = 1, DIGIT = 2, COMBINING = 4, INVISIBLE = 8, SIGN = 16, POINT = 32 };

static uint8_t kinds[0x10000]; /* of those with four digits; `set_signs` fills it */

static uint8_t kind_of_letter(Py_UCS4 c) {
    return Py_UNICODE_ISALNUM(c) ? LETTER | (Py_UNICODE_ISDECIMAL(c) ? DIGIT : 0) : 0;
}

/* What stands at a place; nothing does behind the end. */
static inline int kind_at(Text text, Py_ssize_t at) {
    if (at >= text.length) return 0;
    Py_UCS4 c = PyUnicode_READ(text.kind, text.data, at);
    return c < 0x10000 ? kinds[c] : kind_of_letter(c);
}

static inline Py_ssize_t skip(Text text, Py_ssize_t at, int kind) {
    while (kind_at(text, at) & kind) at++;
    return at;
}

/* Skip letters, the marks among them, and accents behind the last. */
static inline Py_ssize_t skip_part(Text text, Py_ssize_t at) {
    for (;;) {
        at = skip(text, at, LETTER);
        Py_ssize_t marks = skip(text, at, COMBINING | INVISIBLE);
        if (marks == at) return at;
        if (!(kind_at(text, marks) & LETTER)) return skip(text, at, COMBINING);
        at = marks;
    }
}

/* Skip what joins the part before to a part behind; stay where nothing does. */
static inline Py_ssize_t skip_joiner(Text text, Py_ssize_t at) {
    int kind = kind_at(text, at);
    if (kind & POINT) /* 1,5 */
        return kind_at(text, at - 1) & kind_at(text, at + 1) & DIGIT ? at + 1 : at;
    if (!(kind & (SIGN | INVISIBLE))) return at;
    Py_ssize_t sign = skip(text, at, INVISIBLE);
    if (!(kind_at(text, sign) & SIGN)) return at;
    Py_ssize_t end = skip(text, sign + 1, INVISIBLE);
    return kind_at(text, end) & LETTER ? end : at;
}

static inline int next_word_of(Text text, Py_ssize_t at, Py_ssize_t *start, Py_ssize_t *end) {
    while (at < text.length && !(kind_at(text, at) & LETTER)) at++;
    if (at >= text.length) return 0;
    *start = at;
    for (;;) {
        *end = skip_part(text, at);
        at = skip_joiner(text, *end);
        if (at == *end) return 1;
    }
}

int next_word(const Text *text, Py_ssize_t at, Py_ssize_t *start, Py_ssize_t *end) {
    Text read = *text;
    switch (read.kind) { /* each case is compiled by itself: the loops do not ask for the kind */
    case 1: read.kind = 1; return next_word_of(read, at, start, end);
    case 2: read.kind = 2; return next_word_of(read, at, start, end);
    default: read.kind = 4; return next_word_of(read, at, start, end);
    }
}

/* spans(text): every word of a text as (start, end). */
static PyObject *spans(PyObject *module, PyObject *str) {
    (void)module;
    if (!PyUnicode_Check(str)) return PyErr_Format(PyExc_TypeError, "not a str");
    Text text = text_of(str);
    PyObject *found = PyList_New(0);
    Py_ssize_t start, end = 0;
    while (found && next_word(&text, end, &start, &end)) {
        PyObject *span = Py_BuildValue("nn", start, end);
        if (!span || PyList_Append(found, span) < 0) Py_CLEAR(found);
        Py_XDECREF(span);
    }
    return found;
}

static void set_kind(PyObject *signs, uint8_t kind) {
    Text text = text_of(signs);
    for (Py_ssize_t i = 0; i < text.length; i++) {
        Py_UCS4 c = PyUnicode_READ(text.kind, text.data, i);
        if (c < 0x10000) kinds[c] = kind;
    }
}

/* set_signs(joiners, invisible, combining, points): what the characters are that are no letters. */
static PyObject *set_signs(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *joiners, *invisible, *combining, *points;
    if (!PyArg_ParseTuple(args, "UUUU", &joiners, &invisible, &combining, &points)) return NULL;
    for (Py_UCS4 c = 0; c < 0x10000; c++) kinds[c] = kind_of_letter(c);
    set_kind(joiners, SIGN);
    set_kind(invisible, INVISIBLE);
    set_kind(combining, COMBINING);
    set_kind(points, POINT);
    Py_RETURN_NONE;
}

PyMethodDef words_methods[] = {
    {"set_signs", set_signs, METH_VARARGS, NULL},
    {"spans", spans, METH_O, NULL},
    {NULL},
};
