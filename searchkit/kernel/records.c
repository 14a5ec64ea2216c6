/* Lines of JSON to records; the twin is Python's json with the checks of corpus.py.
 *
 * Only what is plain is read here, which is nearly all: an object of strings and nulls, tags as a
 * list of strings, without surrogates, characters beyond U+FFFF, or anything that might be wrong. */
#include "kernel.h"

/* The fields of an article, in its order. Others are read over. */
static const char *const NAMES[] = {
    "id", "text", "title", "date", "url", "source", "author", "section", "tags", "language",
};
enum { FIELDS = sizeof NAMES / sizeof *NAMES, TEXT = 1, TAGS = 8, OTHER = FIELDS };

typedef struct {
    const uint8_t *at, *end; /* what is left of the line; a byte that is no letter follows */
    uint16_t *letters; /* room for as many as the line has bytes */
    Py_ssize_t most_in_word, most; /* letters without white space, and in all */
} Line;

static inline void skip_space(Line *line) {
    while (*line->at == ' ' || *line->at == '\t' || *line->at == '\r') line->at++;
}

static inline int take(Line *line, uint8_t sign) {
    skip_space(line);
    if (*line->at != sign) return 0;
    line->at++;
    return 1;
}

/* What a \ and a letter stand for; 0 if that is not plain. `at` is behind the \. */
static unsigned escaped(const uint8_t **at) {
    unsigned c = *(*at)++, code = 0;
    switch (c) {
    case '"': case '\\': case '/': return c;
    case 'n': return '\n';
    case 't': return '\t';
    case 'r': return '\r';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'u': break;
    default: return 0;
    }
    for (int i = 0; i < 4; i++, (*at)++) {
        unsigned digit = **at;
        if (digit >= '0' && digit <= '9') digit -= '0';
        else if ((digit | 32) >= 'a' && (digit | 32) <= 'f') digit = (digit | 32) - 'a' + 10;
        else return 0;
        code = code << 4 | digit;
    }
    return code >= 0xD800 && code < 0xE000 ? 0 : code;
}

static inline int continues(uint8_t c) { return (c & 0xC0) == 0x80; }

/* Read a string into `letters`; return how many they are, -1 if it is not plain. */
static Py_ssize_t read_letters(Line *line) {
    if (!take(line, '"')) return -1;
    const uint8_t *at = line->at;
    uint16_t *out = line->letters, *space = out;
    for (;;) {
        unsigned c = *at++;
        if (c < 0x80) {
            if (c == '"') break;
            if (c < ' ') return -1;
            if (c == '\\' && !(c = escaped(&at))) return -1;
            if (c <= ' ') {
                if (out - space > line->most_in_word) return -1;
                space = out;
            }
        } else if (c < 0xE0) {
            if (c < 0xC2 || !continues(*at)) return -1;
            c = (c & 0x1F) << 6 | (*at++ & 0x3F);
        } else {
            if (c >= 0xF0 || !continues(at[0]) || !continues(at[1])) return -1;
            c = (c & 0x0F) << 12 | (at[0] & 0x3F) << 6 | (at[1] & 0x3F);
            if (c < 0x800 || (c >= 0xD800 && c < 0xE000)) return -1;
            at += 2;
        }
        *out++ = (uint16_t)c;
    }
    line->at = at;
    Py_ssize_t count = out - line->letters;
    return count > line->most || out - space > line->most_in_word ? -1 : count;
}

/* Read a string; NULL if it is not plain, or on an error. */
static PyObject *read_string(Line *line) {
    Py_ssize_t count = read_letters(line);
    if (count < 0) return NULL;
    return PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, line->letters, count);
}

/* Read a string and strip it; None if nothing is left. */
static PyObject *read_stripped(Line *line) {
    Py_ssize_t end = read_letters(line), start = 0;
    if (end < 0) return NULL;
    while (end && Py_UNICODE_ISSPACE(line->letters[end - 1])) end--;
    while (start < end && Py_UNICODE_ISSPACE(line->letters[start])) start++;
    if (!end) Py_RETURN_NONE;
    return PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, line->letters + start, end - start);
}

static PyObject *read_list(Line *line) {
    PyObject *list = PyList_New(0);
    if (!list || take(line, ']')) return list;
    do {
        PyObject *item = read_string(line);
        int failed = !item || PyList_Append(list, item) < 0;
        Py_XDECREF(item);
        if (failed) return Py_DECREF(list), NULL;
    } while (take(line, ','));
    if (take(line, ']')) return list;
    return Py_DECREF(list), NULL;
}

static PyObject *read_value(Line *line, int name) {
    skip_space(line);
    if (*line->at == '"') return name == TEXT ? read_string(line) : read_stripped(line);
    if (line->end - line->at >= 4 && !memcmp(line->at, "null", 4)) {
        line->at += 4;
        Py_RETURN_NONE;
    }
    return name == TAGS && take(line, '[') ? read_list(line) : NULL;
}

/* Read a name and the colon behind it; -1 if they are not plain. */
static int read_name(Line *line) {
    Py_ssize_t count = read_letters(line);
    if (count < 0 || !take(line, ':')) return -1;
    for (int i = 0; i < FIELDS; i++) {
        Py_ssize_t j = 0;
        while (j < count && line->letters[j] == (uint8_t)NAMES[i][j]) j++;
        if (j == count && !NAMES[i][j]) return i;
    }
    return OTHER;
}

/* Read a line; NULL if it is not plain, or on an error. */
static PyObject *read_record(Line *line) {
    if (!take(line, '{')) return NULL;
    PyObject *record = PyTuple_New(FIELDS);
    if (!record) return NULL;
    do {
        int name = read_name(line);
        PyObject *value = name < 0 ? NULL : read_value(line, name);
        if (!value) return Py_DECREF(record), NULL;
        if (name == OTHER) Py_DECREF(value);
        else {
            PyObject *before = PyTuple_GET_ITEM(record, name);
            PyTuple_SET_ITEM(record, name, value);
            Py_XDECREF(before);
        }
    } while (take(line, ','));
    if (take(line, '}')) {
        skip_space(line);
        for (int i = 0; i < FIELDS; i++)
            if (!PyTuple_GET_ITEM(record, i)) PyTuple_SET_ITEM(record, i, Py_NewRef(Py_None));
        if (line->at == line->end) return record;
    }
    return Py_DECREF(record), NULL;
}

/* records(lines, most_in_word, most, longest): of each line a tuple of its fields, None for those that
 * it has not; or where it begins and ends, if it is not plain. All but text and tags are stripped, and
 * None if nothing is left.
 *
 * Plain is no string of more than `most` characters or with more than `most_in_word` between two
 * spaces, and no line of more than `longest` bytes with its end. */
static PyObject *records(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *bytes;
    Line line;
    Py_ssize_t longest, size = 0;
    if (!PyArg_ParseTuple(args, "Snnn", &bytes, &line.most_in_word, &line.most, &longest))
        return NULL;
    const uint8_t *start = (uint8_t *)PyBytes_AS_STRING(bytes), *all = start;
    const uint8_t *end = start + PyBytes_GET_SIZE(bytes); /* where a 0 is */
    PyObject *found = PyList_New(0);
    line.letters = NULL;
    for (const uint8_t *next; found && start < end; start = next) {
        const uint8_t *stop = memchr(start, '\n', (size_t)(end - start));
        next = stop ? stop + 1 : end;
        line.at = start;
        line.end = stop ? stop : end;
        PyObject *record = NULL;
        if (next - start <= longest) {
            if (line.end - start > size) {
                size = 2 * (line.end - start);
                PyMem_Free(line.letters);
                line.letters = PyMem_New(uint16_t, (size_t)size);
            }
            record = line.letters || !size ? read_record(&line) : PyErr_NoMemory();
        }
        if (!record && !PyErr_Occurred()) record = Py_BuildValue("nn", start - all, next - all);
        if (!record || PyList_Append(found, record) < 0) Py_CLEAR(found);
        Py_XDECREF(record);
    }
    PyMem_Free(line.letters);
    return found;
}

PyMethodDef records_methods[] = {
    {"records", records, METH_VARARGS, "Lines of JSON to tuples; see corpus.py."},
    {NULL},
};
