/* Texts to numbered words and rows (analysis/arrays.py), rows to a run (codec/runs.py). */
#include "lexicon.h"
#include "words.h"

/* -- texts to numbered words: an open-addressing table -------------------------------------- */

/* Words are told apart by 96 bits of hash, begun at random, so that nobody can make words that fall
 * together; that two of a hundred million do by chance is as likely as 1 to 10^13. To look at the
 * spelling as well would take longer than all the rest: it is seldom in the processor's cache. */
typedef struct {
    uint64_t hash;
    uint32_t check;
    int32_t number; /* -1: free */
} Slot;

enum { LETTERS = 0x2020, LONGEST = 64 }; /* behind ’; of a word that is written in plain ones */

typedef struct {
    Slot *slots;
    size_t mask; /* how many slots there are, less 1; at most half are taken */
    size_t count; /* of words */
    uint16_t plain[LETTERS]; /* what each plain letter is in a normal spelling */
} Table;

static const char TABLE[] = "searchkit.kernel.Table";

static void table_free(Table *table) {
    PyMem_Free(table->slots);
    PyMem_Free(table);
}

static void forget(PyObject *capsule) { table_free(PyCapsule_GetPointer(capsule, TABLE)); }

static Slot *free_slots(size_t count) {
    Slot *slots = PyMem_New(Slot, count);
    for (size_t i = 0; slots && i < count; i++) slots[i] = (Slot){0, 0, -1};
    return slots;
}

static int set_plain(Table *table, PyObject *written, PyObject *normal) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(written);
    int fits = length == PyUnicode_GET_LENGTH(normal);
    for (Py_ssize_t i = 0; fits && i < length; i++) {
        Py_UCS4 from = PyUnicode_READ_CHAR(written, i), to = PyUnicode_READ_CHAR(normal, i);
        fits = from < LETTERS && to < 0x800; /* two bytes of UTF-8 */
        if (fits) table->plain[from] = (uint16_t)to;
    }
    return fits ? 0 : (PyErr_SetString(PyExc_ValueError, "no such letters"), -1);
}

/* word_table(written, normal): a table that knows no word yet, for `number_words`.
 *
 * Plain letters and apostrophes, and what they are in a normal spelling. */
static PyObject *word_table(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *written, *normal;
    if (!PyArg_ParseTuple(args, "UU", &written, &normal)) return NULL;
    Table *table = PyMem_Calloc(1, sizeof(Table));
    if (!table) return PyErr_NoMemory();
    table->mask = (1 << 16) - 1;
    if (!(table->slots = free_slots(table->mask + 1))) PyErr_NoMemory();
    int ok = table->slots && set_plain(table, written, normal) >= 0;
    PyObject *capsule = ok ? PyCapsule_New(table, TABLE, forget) : NULL;
    if (!capsule) table_free(table);
    return capsule;
}

static int grow(Table *table) {
    size_t mask = 2 * table->mask + 1;
    Slot *slots = free_slots(mask + 1);
    if (!slots) return PyErr_NoMemory(), -1;
    for (size_t i = 0; i <= table->mask; i++) {
        if (table->slots[i].number < 0) continue;
        size_t at = table->slots[i].hash & mask;
        while (slots[at].number >= 0) at = (at + 1) & mask;
        slots[at] = table->slots[i];
    }
    PyMem_Free(table->slots);
    table->slots = slots;
    table->mask = mask;
    return 0;
}

typedef struct {
    Py_ssize_t start, end;
    uint64_t hash, check;
} Word;

/* Mix three code points, or what is left of a word, into both hashes. */
static inline void mix(Word *word, uint64_t first, uint64_t second, uint64_t third) {
    uint64_t three = first | second << 21 | third << 42;
    word->hash = (word->hash ^ three) * 0x9E3779B97F4A7C15; /* odd numbers without a pattern */
    word->hash ^= word->hash >> 32;
    word->check = (word->check ^ three) * 0xC2B2AE3D27D4EB4F;
    word->check ^= word->check >> 32;
}

static inline void hash_word(const Text *text, Word *word) {
    Py_ssize_t at = word->start, end = word->end;
    word->hash = seeds[0];
    word->check = seeds[1];
#define LETTER_AT(i) ((i) < end ? PyUnicode_READ(text->kind, text->data, i) : 0)
    for (; at < end; at += 3) mix(word, LETTER_AT(at), LETTER_AT(at + 1), LETTER_AT(at + 2));
#undef LETTER_AT
}

/* Return the slot of a word, or the free one where it belongs. */
static inline Slot *slot_of(const Table *table, const Word *word) {
    for (size_t at = word->hash & table->mask;; at = (at + 1) & table->mask) {
        Slot *slot = &table->slots[at];
        if (slot->number < 0 || (slot->hash == word->hash && slot->check == (uint32_t)word->check))
            return slot;
    }
}

/* What numbers new words: `normalize` is Python's. */
typedef struct {
    Table *table;
    Lexicon *spellings;
    PyObject *normalize;
} Numbering;

/* Return the number of the normal spelling of a word, the next one if it is new; -1 on an error. */
static int32_t spelling_of(const Numbering *numbering, const Word *word, PyObject *str) {
    uint8_t normal[2 * LONGEST], *out = normal;
    Text text = text_of(str);
    int is_plain = word->end - word->start <= LONGEST;
    for (Py_ssize_t at = word->start; is_plain && at < word->end; at++) {
        Py_UCS4 c = PyUnicode_READ(text.kind, text.data, at);
        uint16_t letter = c < LETTERS ? numbering->table->plain[c] : 0;
        is_plain = letter != 0;
        if (letter >= 0x80) *out++ = (uint8_t)(0xC0 | letter >> 6);
        *out++ = (uint8_t)(letter < 0x80 ? letter : 0x80 | (letter & 0x3F));
    }
    if (is_plain) return number_in(numbering->spellings, normal, out - normal);
    PyObject *written = PyUnicode_Substring(str, word->start, word->end);
    PyObject *spelled = written ? PyObject_CallOneArg(numbering->normalize, written) : NULL;
    int32_t number = spelled ? number_of_str(numbering->spellings, spelled) : -1;
    Py_XDECREF(written);
    Py_XDECREF(spelled);
    return number;
}

/* Return the number of the normal spelling of a word; -1 on an error. */
static inline int32_t number_of(const Numbering *numbering, const Word *word, PyObject *str) {
    Table *table = numbering->table;
    const Slot *slot = slot_of(table, word);
    if (slot->number >= 0) return slot->number;
    int32_t number = spelling_of(numbering, word, str);
    if (number < 0 || (table->count * 2 > table->mask && grow(table) < 0)) return -1;
    *slot_of(table, word) = (Slot){word->hash, (uint32_t)word->check, number};
    table->count++;
    return number;
}

enum { AHEAD = 64 }; /* words are hashed this far ahead, while memory brings their slots */

/* Number the words of a text; return how many they are, -1 on an error. */
static Py_ssize_t number_text(
    const Numbering *numbering, PyObject *str, int32_t *starts, int32_t *numbers
) {
    const Table *table = numbering->table;
    Text text = text_of(str);
    Word ahead[AHEAD];
    Py_ssize_t done = 0, end = 0;
    for (int found = AHEAD; found == AHEAD;) {
        for (found = 0; found < AHEAD; found++) {
            Word *word = &ahead[found];
            if (!next_word(&text, end, &word->start, &word->end)) break;
            end = word->end;
            hash_word(&text, word);
            __builtin_prefetch(&table->slots[word->hash & table->mask]);
        }
        for (int i = 0; i < found; i++, done++) {
            starts[done] = (int32_t)ahead[i].start;
            numbers[done] = number_of(numbering, &ahead[i], str);
            if (numbers[done] < 0) return -1;
        }
    }
    return done;
}

/* number_words(table, spellings, normalize, texts): (words, starts, numbers), int32 in bytes.
 *
 * Of each text how many words it has; of each word where it starts in its text, and the number of
 * its normal spelling, which may be new. `normalize` is called for what is not in plain letters. */
static PyObject *number_words(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *spellings, *list;
    Numbering numbering;
    if (!PyArg_ParseTuple(
            args, "OOOO!", &capsule, &spellings, &numbering.normalize, &PyList_Type, &list
        ))
        return NULL;
    if (!(numbering.table = PyCapsule_GetPointer(capsule, TABLE))) return NULL;
    if (!(numbering.spellings = lexicon_in(spellings))) return NULL;
    Py_ssize_t texts = PyList_GET_SIZE(list), room = 0, done = 0;
    for (Py_ssize_t i = 0; i < texts; i++) {
        PyObject *str = PyList_GET_ITEM(list, i);
        if (!PyUnicode_Check(str)) return PyErr_Format(PyExc_TypeError, "not a str");
        if (PyUnicode_GET_LENGTH(str) > INT32_MAX) return PyErr_NoMemory();
        room += (PyUnicode_GET_LENGTH(str) + 1) / 2; /* between two words stands something */
    }
    PyObject *words = PyBytes_FromStringAndSize(NULL, texts * 4);
    PyObject *starts = PyBytes_FromStringAndSize(NULL, room * 4);
    PyObject *numbers = PyBytes_FromStringAndSize(NULL, room * 4);
    int failed = !words || !starts || !numbers;
    for (Py_ssize_t i = 0; !failed && i < texts; i++) {
        int32_t *start = (int32_t *)PyBytes_AS_STRING(starts) + done;
        int32_t *number = (int32_t *)PyBytes_AS_STRING(numbers) + done;
        Py_ssize_t count = number_text(&numbering, PyList_GET_ITEM(list, i), start, number);
        failed = count < 0;
        ((int32_t *)PyBytes_AS_STRING(words))[i] = (int32_t)count;
        done += count;
    }
    failed = failed || _PyBytes_Resize(&starts, done * 4) < 0;
    failed = failed || _PyBytes_Resize(&numbers, done * 4) < 0;
    if (!failed) return Py_BuildValue("NNN", words, starts, numbers);
    Py_XDECREF(words);
    Py_XDECREF(starts);
    Py_XDECREF(numbers);
    return NULL;
}

/* -- numbered words to rows ------------------------------------------------------------------ */

typedef struct {
    const int32_t *items;
    Py_ssize_t length;
} Ints;

static Ints ints_of(const Py_buffer *view) { return (Ints){view->buf, view->len / 4}; }

static int are_ints(const Py_buffer *view) {
    return !view->len || (view->len % 4 == 0 && (uintptr_t)view->buf % _Alignof(int32_t) == 0);
}

/* Count the rows of all words; -1 where the numbers do not fit together. */
static Py_ssize_t count_rows(Ints words, Ints numbers, Ints begins, Ints ends, Ints pairs) {
    Py_ssize_t all = 0, rows = 0;
    for (Py_ssize_t i = 0; i < words.length; i++) {
        if (words.items[i] < 0) return -1;
        all += words.items[i];
    }
    if (all != numbers.length || begins.length != ends.length) return -1;
    for (Py_ssize_t i = 0; i < ends.length; i++) {
        if (begins.items[i] < 0 || begins.items[i] > ends.items[i]) return -1;
        if (ends.items[i] > pairs.length) return -1;
    }
    for (Py_ssize_t i = 0; i < numbers.length; i++) {
        int32_t number = numbers.items[i];
        if (number < 0 || number >= ends.length) return -1;
        rows += ends.items[number] - begins.items[number];
    }
    return rows;
}

static void fill_rows(
    Ints words, Ints numbers, Ints begins, Ints ends, Ints pairs, int32_t *out[3]
) {
    Py_ssize_t word = 0, row = 0;
    for (Py_ssize_t text = 0; text < words.length; text++)
        for (int32_t position = 0; position < words.items[text]; position++, word++) {
            int32_t number = numbers.items[word];
            for (int32_t i = begins.items[number]; i < ends.items[number]; i++, row++) {
                out[0][row] = (int32_t)text;
                out[1][row] = position;
                out[2][row] = pairs.items[i];
            }
        }
}

static void release(Py_buffer *views, int count) {
    for (int i = 0; i < count; i++) PyBuffer_Release(&views[i]);
}

/* Return a tuple of bytes objects that have room for so many int32 each, and where they are. */
static PyObject *int_arrays(const Py_ssize_t *lengths, int count, int32_t **out) {
    PyObject *tuple = PyTuple_New(count);
    for (int i = 0; tuple && i < count; i++) {
        PyObject *bytes = PyBytes_FromStringAndSize(NULL, lengths[i] * 4);
        if (!bytes) {
            Py_CLEAR(tuple);
        } else {
            out[i] = (int32_t *)PyBytes_AS_STRING(bytes);
            PyTuple_SET_ITEM(tuple, i, bytes);
        }
    }
    return tuple;
}

/* rows(words, numbers, begins, ends, pairs): (text, position, pair) of each row; all int32 in bytes.
 *
 * `words` and `numbers` are those of `number_words`; the word number n has the rows
 * pairs[begins[n]:ends[n]]. */
static PyObject *rows(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer views[5];
    if (!PyArg_ParseTuple(
            args, "y*y*y*y*y*", &views[0], &views[1], &views[2], &views[3], &views[4]
        ))
        return NULL;
    PyObject *found = NULL;
    Ints given[5];
    Py_ssize_t count = 0;
    for (int i = 0; i < 5; i++) {
        given[i] = ints_of(&views[i]);
        if (!are_ints(&views[i])) count = -1;
    }
    if (count == 0) count = count_rows(given[0], given[1], given[2], given[3], given[4]);
    if (count < 0) {
        PyErr_SetString(PyExc_ValueError, "words, numbers, begins, ends and pairs do not fit together");
    } else {
        int32_t *out[3];
        found = int_arrays((Py_ssize_t[]){count, count, count}, 3, out);
        if (found) fill_rows(given[0], given[1], given[2], given[3], given[4], out);
    }
    release(views, 5);
    return found;
}

/* -- rows to a run --------------------------------------------------------------------------- */

/* Of one term: how many rows and postings it has, then where the next ones go. */
typedef struct {
    int32_t row, posting, last; /* the article of the last row */
} Term;

typedef struct {
    Ints term_of_pair, docs, positions, pairs;
    const uint8_t *classes; /* of each pair */
    Term *terms;
    int32_t count; /* of terms */
} Rows;

enum { ANY_CLASS = 0, NO_CLASS = 255 }; /* as in codec/together.py */

static inline Term *term_of_row(const Rows *rows, Py_ssize_t row) {
    return &rows->terms[rows->term_of_pair.items[rows->pairs.items[row]]];
}

static void forget_last(const Rows *rows) {
    for (int32_t i = 0; i < rows->count; i++) rows->terms[i].last = -1;
}

static int are_terms(const Rows *rows) {
    for (Py_ssize_t i = 0; i < rows->term_of_pair.length; i++)
        if ((uint32_t)rows->term_of_pair.items[i] >= (uint32_t)rows->count) return 0;
    return rows->docs.length == rows->positions.length && rows->count >= 0 &&
           rows->docs.length == rows->pairs.length && rows->docs.length <= INT32_MAX;
}

/* Count the rows and postings of each term; 0 if there is no such row. */
static int count_terms(const Rows *rows) {
    forget_last(rows);
    for (Py_ssize_t i = 0; i < rows->docs.length; i++) {
        int32_t doc = rows->docs.items[i];
        if ((uint32_t)rows->pairs.items[i] >= (size_t)rows->term_of_pair.length) return 0;
        if (doc < 0 || (uint32_t)rows->positions.items[i] >> 24) return 0;
        Term *term = term_of_row(rows, i);
        term->row++;
        term->posting += term->last != doc;
        term->last = doc;
    }
    return 1;
}

/* Say how long the arrays of a run are, in numbers of 32 bits: terms, first_posting, first_row;
 * postings and rows, of twice as many. */
static void measure(const Rows *rows, Py_ssize_t lengths[5]) {
    Py_ssize_t terms = 0, postings = 0;
    for (int32_t i = 0; i < rows->count; i++) {
        terms += rows->terms[i].row > 0;
        postings += rows->terms[i].posting;
    }
    lengths[0] = terms;
    lengths[1] = lengths[2] = terms + 1;
    lengths[3] = 2 * postings;
    lengths[4] = 2 * rows->docs.length;
}

/* Fill in terms, first_posting and first_row, and tell each term where its first ones go. */
static void fill_terms(const Rows *rows, int32_t *out[5]) {
    int32_t at = 0, row = 0, posting = 0;
    for (int32_t i = 0; i < rows->count; i++) {
        Term *term = &rows->terms[i];
        if (!term->row) continue;
        out[0][at] = i;
        out[1][at] = posting;
        out[2][at++] = row;
        int32_t next_row = row + term->row, next_posting = posting + term->posting;
        term->row = row;
        term->posting = posting;
        row = next_row;
        posting = next_posting;
    }
    out[1][at] = posting;
    out[2][at] = row;
}

/* Return the class of a word, given its first row, and where the rows of the next one begin. */
static uint8_t class_of_word(const Rows *rows, Py_ssize_t row, Py_ssize_t *end) {
    int32_t doc = rows->docs.items[row], position = rows->positions.items[row];
    uint8_t found = rows->classes[rows->pairs.items[row]];
    for (; row < rows->docs.length && rows->docs.items[row] == doc &&
           rows->positions.items[row] == position; row++)
        if (rows->classes[rows->pairs.items[row]] != found) found = ANY_CLASS;
    *end = row;
    return found;
}

static void fill_postings(const Rows *rows, uint64_t *postings, uint64_t *places) {
    uint8_t next = NO_CLASS;
    Py_ssize_t end = 0, next_end = 0; /* of the word's rows, and of those of the next one */
    forget_last(rows);
    if (rows->docs.length) class_of_word(rows, 0, &next_end);
    for (Py_ssize_t i = 0; i < rows->docs.length; i++) {
        Term *term = term_of_row(rows, i);
        if (i == end) {
            end = next_end;
            next = NO_CLASS;
            if (end < rows->docs.length) {
                uint8_t found = class_of_word(rows, end, &next_end);
                if (rows->docs.items[end] == rows->docs.items[i] &&
                    (int64_t)rows->positions.items[end] - rows->positions.items[i] == 1)
                    next = found;
            }
        }
        if (term->last != rows->docs.items[i]) {
            term->last = rows->docs.items[i];
            postings[term->posting++] = (uint64_t)term->last << 32;
        }
        postings[term->posting - 1]++;
        uint64_t place = (uint64_t)rows->positions.items[i] << 8 | next;
        places[term->row++] = place << 32 | (uint32_t)rows->pairs.items[i];
    }
}

/* invert(terms, term_of_pair, docs, positions, pairs, class_of_pair): the first arrays of a run.
 *
 * `terms` is how many terms there are; docs, positions and pairs are rows, the articles of each
 * term in order. Returns terms, first_posting, first_row, postings and rows. */
static PyObject *invert(PyObject *module, PyObject *args) {
    (void)module;
    Rows rows = {0};
    Py_buffer views[5];
    if (!PyArg_ParseTuple(
            args, "iy*y*y*y*y*", &rows.count, &views[0], &views[1], &views[2], &views[3], &views[4]
        ))
        return NULL;
    rows.term_of_pair = ints_of(&views[0]);
    rows.docs = ints_of(&views[1]);
    rows.positions = ints_of(&views[2]);
    rows.pairs = ints_of(&views[3]);
    rows.classes = views[4].buf;
    PyObject *found = NULL;
    int whole = are_ints(&views[0]) && are_ints(&views[1]) && are_ints(&views[2]);
    whole = whole && are_ints(&views[3]) && views[4].len == rows.term_of_pair.length;
    whole = whole && are_terms(&rows);
    if (whole && !(rows.terms = PyMem_Calloc(rows.count, sizeof(Term)))) {
        PyErr_NoMemory();
    } else if (!whole || !count_terms(&rows)) {
        PyErr_SetString(PyExc_ValueError, "terms, pairs and rows do not fit together");
    } else {
        Py_ssize_t lengths[5];
        int32_t *out[5];
        measure(&rows, lengths);
        if ((found = int_arrays(lengths, 5, out))) {
            fill_terms(&rows, out);
            fill_postings(&rows, (uint64_t *)out[3], (uint64_t *)out[4]);
        }
    }
    PyMem_Free(rows.terms);
    release(views, 5);
    return found;
}

/* -- rows to pairs of words that stand side by side ------------------------------------------ */

typedef struct {
    Ints docs, positions, pairs; /* of rows, ascending by the first two */
    Ints term_of_pair;
    const uint64_t *wanted;      /* left term << 32 | right term, ascending */
    Py_ssize_t count;
    const uint8_t *begins, *ends; /* of each term, whether it is the left, the right of any */
    int32_t *found;               /* row of the left word and number of the pair, by turns */
    Py_ssize_t size, room;
} Sides;

static int note(Sides *s, int32_t row, int32_t pair) {
    for (Py_ssize_t i = s->size; i >= 2; i -= 2) { /* a compound may have a lemma twice */
        int32_t before = s->found[i - 2];
        if (s->docs.items[before] != s->docs.items[row] ||
            s->positions.items[before] != s->positions.items[row]) break;
        if (s->found[i - 1] == pair) return 1;
    }
    if (s->size + 2 > s->room) {
        Py_ssize_t room = 2 * s->room + 1024;
        int32_t *found = PyMem_Realloc(s->found, (size_t)room * sizeof *found);
        if (!found) return 0;
        s->found = found;
        s->room = room;
    }
    s->found[s->size++] = row;
    s->found[s->size++] = pair;
    return 1;
}

static inline int32_t term_at(const Sides *s, Py_ssize_t row) {
    return s->term_of_pair.items[s->pairs.items[row]];
}

static int note_followers(Sides *s, Py_ssize_t row) {
    int32_t doc = s->docs.items[row];
    int64_t next = (int64_t)s->positions.items[row] + 1;
    for (Py_ssize_t i = row + 1; i < s->docs.length && s->docs.items[i] == doc; i++) {
        if (s->positions.items[i] > next) break;
        int32_t term = term_at(s, i);
        if (s->positions.items[i] < next || !s->ends[term]) continue;
        uint64_t key = (uint64_t)term_at(s, row) << 32 | (uint32_t)term;
        Py_ssize_t low = 0, high = s->count;
        while (low < high) {
            Py_ssize_t middle = (low + high) / 2;
            if (s->wanted[middle] < key) low = middle + 1;
            else high = middle;
        }
        if (low < s->count && s->wanted[low] == key && !note(s, (int32_t)row, (int32_t)low))
            return 0;
    }
    return 1;
}

/* side_by_side(docs, positions, pairs, term_of_pair, wanted, begins, ends): see `found_together`. */
static PyObject *side_by_side(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer views[7];
    Sides s = {0};
    PyObject *answer = NULL;
    if (!PyArg_ParseTuple(args, "y*y*y*y*y*y*y*", &views[0], &views[1], &views[2], &views[3],
                          &views[4], &views[5], &views[6]))
        return NULL;
    s.docs = ints_of(&views[0]);
    s.positions = ints_of(&views[1]);
    s.pairs = ints_of(&views[2]);
    s.term_of_pair = ints_of(&views[3]);
    s.wanted = views[4].buf;
    s.count = views[4].len / 8;
    s.begins = views[5].buf;
    s.ends = views[6].buf;
    int fits = are_ints(&views[0]) && are_ints(&views[3]) && views[1].len == views[0].len &&
               views[2].len == views[0].len && views[5].len == views[6].len &&
               s.count < INT32_MAX && s.docs.length < INT32_MAX, done = 1;
    for (Py_ssize_t i = 0; fits && i < s.term_of_pair.length; i++)
        fits = s.term_of_pair.items[i] >= 0 && s.term_of_pair.items[i] < views[5].len;
    for (Py_ssize_t i = 0; fits && i < s.pairs.length; i++)
        fits = s.pairs.items[i] >= 0 && s.pairs.items[i] < s.term_of_pair.length;
    for (Py_ssize_t i = 0; fits && done && i < s.docs.length; i++)
        if (s.begins[term_at(&s, i)]) done = note_followers(&s, i);
    if (!fits) PyErr_SetString(PyExc_ValueError, "rows and terms do not fit together");
    else if (!done) PyErr_NoMemory();
    else
        answer = PyBytes_FromStringAndSize((char *)s.found, s.size * (Py_ssize_t)sizeof *s.found);
    PyMem_Free(s.found);
    release(views, 7);
    return answer;
}

PyMethodDef rows_methods[] = {
    {"word_table", word_table, METH_VARARGS, NULL},
    {"number_words", number_words, METH_VARARGS, NULL},
    {"rows", rows, METH_VARARGS, NULL},
    {"invert", invert, METH_VARARGS, NULL},
    {"side_by_side", side_by_side, METH_VARARGS, NULL},
    {NULL},
};
