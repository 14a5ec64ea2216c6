/* The tokenizer, for every file that has to find words in a text. */
#ifndef SEARCHKIT_WORDS_H
#define SEARCHKIT_WORDS_H

#include "kernel.h"

/* The code points of a str; whoever made it holds the str as long as they are read. */
typedef struct {
    int kind; /* bytes of each */
    const void *data;
    Py_ssize_t length;
} Text;

static inline Text text_of(PyObject *str) {
    return (Text){PyUnicode_KIND(str), PyUnicode_DATA(str), PyUnicode_GET_LENGTH(str)};
}

/* Find the first word that begins at `at` or behind it: what `analysis.tokenize.WORD` finds.
 *
 * Returns 1 and where it stands, half-open, or 0 if there is none. It needs no lock. */
int next_word(const Text *text, Py_ssize_t at, Py_ssize_t *start, Py_ssize_t *end);

#endif
