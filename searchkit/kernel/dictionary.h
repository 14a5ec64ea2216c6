/* pymorphy3's dictionary, read where its files lie in memory. */
#ifndef SEARCHKIT_DICTIONARY_H
#define SEARCHKIT_DICTIONARY_H

#include "kernel.h"

enum {
    LONGEST = 64, /* letters of a word that may be in the dictionary */
    STRING = 60, /* letters of a suffix or a prefix */
    ROOM = 256, /* for a word with any suffix and prefixes in place of its own */
    VARIANTS = 16, /* of one word, with ґ for г, that the dictionary has */
    DAWGS = 8, /* tables of endings */
};

typedef struct {
    int length;
    uint16_t letters[ROOM];
} Form;

typedef struct {
    const uint32_t *units;
    const uint8_t *guide;
    uint32_t size, guided;
} Dawg;

typedef struct {
    uint16_t *letters;
    int32_t *ends;
    int32_t count;
} Strings;

typedef struct {
    Py_buffer files[4 + DAWGS]; /* words, paradigms, kinds, tags, endings */
    int opened;
    Dawg words, endings[DAWGS];
    const uint16_t **paradigms; /* each begins with its length */
    int32_t count; /* of them */
    Strings suffixes, prefixes, starts;
    const uint8_t *kinds; /* of each tag */
    const uint16_t *tags; /* the first tag of the same grammemes */
    uint16_t typed, meant; /* г and ґ */
    int longest; /* letters of an ending */
} Dictionary;

/* One thing that a word may be: the variant in which it is spelled, and a form of a paradigm. */
typedef struct {
    uint32_t weight; /* of an ending: how many words of the dictionary have it */
    uint16_t paradigm, form;
    int variant;
} Parse;

typedef struct {
    Parse *parses;
    Form *variants, *bases; /* bases: the different ones of all parses, in their order */
    int count, room, varied, based, base_room;
} Found;

/* A walk along a word: where so many of its letters lead to, the last of them nowhere, perhaps. */
typedef struct {
    Form word;
    int depth;
    uint32_t reached[LONGEST + 1];
} Walk;

/* Return the length of a string, and where its letters are. */
static inline int32_t string_at(const Strings *strings, int32_t number, const uint16_t **letters) {
    *letters = strings->letters + strings->ends[number];
    return strings->ends[number + 1] - strings->ends[number];
}

static inline int are_same(const Form *one, const Form *other) {
    return one->length == other->length &&
           !memcmp(one->letters, other->letters, (size_t)one->length * 2);
}

/* Copy a form, not all of its room. */
static inline void copy(const Form *from, Form *to) {
    to->length = from->length;
    memcpy(to->letters, from->letters, (size_t)from->length * 2);
}

/* Return the dictionary in a capsule; NULL and an error if there is none. */
const Dictionary *dictionary_in(PyObject *capsule);

/* Walk along some words, side by side: each step waits for memory, but for all words at once. What
 * a word has in common with that of the walk before, the same in the beginning, is not walked again;
 * the first walk is all 0. */
void walk_along(const Dictionary *dictionary, Walk *walks, const Form *words, int count);

/* Find what a word that was walked along may be in the dictionary, with its base forms; -1 and an
 * error if that is damaged. */
int look_up(const Dictionary *dictionary, const Walk *walk, Found *found);

int found_new(Found *found); /* -1 and an error without memory */
void found_free(Found *found);

int strings_of(PyObject *list, int longest, Strings *strings); /* likewise; of a list of str */
void strings_free(Strings *strings);

/* Copy a str; 0 if it is too long, or has letters beyond U+FFFF, as no word of the dictionary. */
int form_of(PyObject *str, Form *form);
PyObject *str_of(const Form *form);

/* Return the room that something growing gets: -1 and an error without memory. */
int grow_to(void **items, int *room, int count, size_t size);

#endif
