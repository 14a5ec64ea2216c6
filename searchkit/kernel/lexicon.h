/* Strings that get numbers as they are met: no object of Python's for each. */
#ifndef SEARCHKIT_LEXICON_H
#define SEARCHKIT_LEXICON_H

#include "kernel.h"

/* A string in a table, by its number. */
typedef struct {
    uint32_t hash;
    int32_t number; /* -1: free */
} Entry;

/* One in order: which, and what it begins with (`head_of` of strings.c). */
typedef struct {
    uint64_t head;
    int32_t number;
} Ranked;

typedef struct {
    PyObject_HEAD
    uint8_t *bytes; /* of all strings in UTF-8, one after the other */
    uint32_t *ends; /* of each in these */
    Entry *entries;
    size_t size, room, mask; /* of the bytes; of the entries, of which at most half are taken */
    int32_t count, numbered; /* how many strings there are, and there is room for */
    Ranked *ranked; /* those that were put in order */
    int32_t in_order;
} Lexicon;

/* Return a string's size, and where it begins. */
static inline Py_ssize_t string_of(const Lexicon *lexicon, int32_t number, const uint8_t **string) {
    uint32_t start = number ? lexicon->ends[number - 1] : 0;
    *string = lexicon->bytes + start;
    return lexicon->ends[number] - start;
}

Lexicon *lexicon_in(PyObject *object); /* NULL and a TypeError if it is none */

/* Return the number of a string, the next one if it is new; -1 on an error. */
int32_t number_in(Lexicon *lexicon, const uint8_t *string, Py_ssize_t size);
int32_t number_of_str(Lexicon *lexicon, PyObject *str);

/* Return the number of a string; -1 if it is not there. */
int32_t find_in(const Lexicon *lexicon, const uint8_t *string, Py_ssize_t size);

/* Return the numbers of the strings from one on, in the order of the strings: to be freed by
 * PyMem_Free; NULL and an error without memory. */
int32_t *order_from(const Lexicon *lexicon, int32_t first);

/* What hashes begin with: Python's own secret, so that nobody can make strings that fall together. */
extern uint64_t seeds[2];
int add_lexicon(PyObject *module); /* the type; it fills in the seeds */

#endif
