/* pymorphy3's dictionary: what a word is a form of, and what one may be that is not there. The
 * twins are `parses` of analysis/dictionary.py and `_guesses` of analysis/lemmatize.py.
 *
 * The layout is that of pymorphy3 2 (opencorpora_dict/storage.py and dawg.py) and, of the tables of
 * words and of endings, of the library dawgdic by Susumu Yata, which the packages DAWG and
 * DAWG-Python read:
 *
 *   units   how many, then 32 bits each: 0-7 label, 8 whether a key ends here, 9 whether the offset
 *           is to be shifted by 8, 10-30 offset, 31 whether it is a value. A child has the index
 *           `index ^ offset ^ label`, if its own label is that.
 *   guide   how many, then two bytes for each unit: the labels of its first child and of its next
 *           sibling; 0 is none.
 *
 * A key is a word in UTF-8, a byte 1, and in base 64 the numbers of a paradigm and of a form in it,
 * two bytes each, big-endian; of an ending, a count of four bytes before these. A paradigm has the
 * suffixes of its forms, then their tags, then their prefixes, by numbers of two bytes.
 *
 * The files come from a package, yet they may be damaged: each index is checked. */
#include "dictionary.h"

enum { NONE = 0xFFFFFFFF, SEPARATOR = 1 };
enum { PRODUCTIVE = 1, VERB = 2 }; /* kinds of tags */
enum { DEPTH = 16, STEPS = 1 << 16 }; /* bytes of a value in base 64; nodes below one key */

static int damaged(void) {
    return PyErr_SetString(PyExc_ValueError, "the dictionary is damaged"), -1;
}

int grow_to(void **items, int *room, int count, size_t size) {
    if (count <= *room) return 0;
    int wanted = count + count / 2 + 8;
    void *grown = PyMem_Realloc(*items, (size_t)wanted * size);
    if (!grown) return PyErr_NoMemory(), -1;
    *items = grown;
    *room = wanted;
    return 0;
}

/* -- strings --------------------------------------------------------------------------------- */

int form_of(PyObject *str, Form *form) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(str);
    int kind = PyUnicode_KIND(str);
    const void *data = PyUnicode_DATA(str);
    if (length > LONGEST || kind == PyUnicode_4BYTE_KIND) return 0;
    form->length = (int)length;
    for (Py_ssize_t i = 0; i < length; i++)
        form->letters[i] = (uint16_t)PyUnicode_READ(kind, data, i);
    return 1;
}

PyObject *str_of(const Form *form) {
    return PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, form->letters, form->length);
}

void strings_free(Strings *strings) {
    PyMem_Free(strings->letters);
    PyMem_Free(strings->ends);
}

int strings_of(PyObject *list, int longest, Strings *strings) {
    Py_ssize_t count = PyList_Check(list) ? PyList_GET_SIZE(list) : -1, at = 0;
    if (count < 0) return PyErr_SetString(PyExc_TypeError, "not a list"), -1;
    if (count > 0xFFFF) return damaged();
    strings->count = (int32_t)count;
    strings->ends = PyMem_New(int32_t, count + 1);
    strings->letters = PyMem_New(uint16_t, count * longest + 1);
    if (!strings->ends || !strings->letters) return PyErr_NoMemory(), -1;
    strings->ends[0] = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *str = PyList_GET_ITEM(list, i);
        Form form;
        if (!PyUnicode_Check(str)) return PyErr_SetString(PyExc_TypeError, "not a str"), -1;
        if (PyUnicode_GET_LENGTH(str) > longest || !form_of(str, &form)) return damaged();
        memcpy(strings->letters + at, form.letters, (size_t)form.length * 2);
        strings->ends[i + 1] = (int32_t)(at += form.length);
    }
    void *fitting = PyMem_Realloc(strings->letters, (size_t)(at + 1) * 2);
    if (fitting) strings->letters = fitting;
    return 0;
}

static void append(Form *form, const uint16_t *letters, int length) {
    memcpy(form->letters + form->length, letters, (size_t)length * 2);
    form->length += length;
}

/* -- what was found -------------------------------------------------------------------------- */

int found_new(Found *found) {
    *found = (Found){.variants = PyMem_New(Form, VARIANTS)};
    return found->variants ? 0 : (PyErr_NoMemory(), -1);
}

void found_free(Found *found) {
    PyMem_Free(found->parses);
    PyMem_Free(found->variants);
    PyMem_Free(found->bases);
}

/* -- walking --------------------------------------------------------------------------------- */

static inline uint32_t follow(const Dawg *dawg, uint32_t index, uint32_t label) {
    uint32_t unit = dawg->units[index];
    uint32_t next = index ^ (unit >> 10) << ((unit & 0x200) >> 6) ^ label;
    return next < dawg->size && (dawg->units[next] & 0x800000FF) == label ? next : (uint32_t)NONE;
}

static inline uint32_t follow_letter(const Dawg *dawg, uint32_t index, uint32_t c) {
    if (c < 0x80) return follow(dawg, index, c);
    if (c < 0x800) {
        index = follow(dawg, index, 0xC0 | c >> 6);
    } else {
        index = follow(dawg, index, 0xE0 | c >> 12);
        if (index != NONE) index = follow(dawg, index, 0x80 | (c >> 6 & 0x3F));
    }
    return index == NONE ? index : follow(dawg, index, 0x80 | (c & 0x3F));
}

static int digit_of(uint8_t c) { /* in base 64; -1 is none */
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static inline int forms_in(const Dictionary *dictionary, uint16_t paradigm) {
    return dictionary->paradigms[paradigm][0] / 3;
}

/* Take a value; `key` is in base 64. */
static int take(
    const Dictionary *dictionary, const uint8_t *key, int length, int width, Found *found
) {
    uint8_t bytes[DEPTH];
    uint32_t bits = 0;
    int held = 0, count = 0;
    for (int i = 0, digit; i < length && (digit = digit_of(key[i])) >= 0; i++) {
        bits = bits << 6 | (uint32_t)digit;
        if ((held += 6) >= 8) bytes[count++] = (uint8_t)(bits >> (held -= 8));
    }
    if (count != width) return damaged();
    const uint8_t *last = bytes + width - 4;
    Parse parse = {0, (uint16_t)(last[0] << 8 | last[1]), (uint16_t)(last[2] << 8 | last[3]),
                   found->varied - 1};
    for (int i = 0; i < width - 4; i++) parse.weight = parse.weight << 8 | bytes[i];
    if (parse.paradigm >= dictionary->count) return damaged();
    if (parse.form >= forms_in(dictionary, parse.paradigm)) return damaged();
    if (grow_to((void **)&found->parses, &found->room, found->count + 1, sizeof(Parse)) < 0)
        return -1;
    found->parses[found->count++] = parse;
    return 0;
}

static inline uint8_t guided(const Dawg *dawg, uint32_t index, int which) {
    return index < dawg->guided ? dawg->guide[index * 2 + (uint32_t)which] : 0;
}

/* Take all values below a node, in the order in which they are kept. */
static int take_all(
    const Dictionary *dictionary, const Dawg *dawg, uint32_t index, int width, Found *found
) {
    uint32_t path[DEPTH + 1] = {index};
    uint8_t key[DEPTH];
    int depth = 0;
    for (int step = 0; step < STEPS; step++) {
        if (dawg->units[path[depth]] & 0x100 && take(dictionary, key, depth, width, found) < 0)
            return -1;
        uint8_t label = guided(dawg, path[depth], 0);
        while (!label) {
            if (!depth) return 0;
            label = guided(dawg, path[depth--], 1);
        }
        if (depth == DEPTH) break;
        key[depth] = label;
        uint32_t next = follow(dawg, path[depth], label);
        if (next == NONE) break;
        path[++depth] = next;
    }
    return damaged();
}

/* Take one step more along a word; 0 where it ends, or leads nowhere. */
static inline int step(const Dawg *dawg, Walk *walk) {
    int at = walk->depth;
    if (at == walk->word.length || walk->reached[at] == NONE) return 0;
    walk->reached[++walk->depth] = follow_letter(dawg, walk->reached[at], walk->word.letters[at]);
    return 1;
}

/* Find a word that was walked along: first as it is spelled, then with ґ for each г from `at` on. */
static int find(
    const Dictionary *dictionary, const Dawg *dawg, const Walk *walk, int at, int width,
    Found *found
) {
    uint32_t index = walk->depth == walk->word.length ? walk->reached[walk->depth] : (uint32_t)NONE;
    if (index != NONE) index = follow(dawg, index, SEPARATOR);
    if (index != NONE) {
        if (found->varied == VARIANTS) return damaged();
        copy(&walk->word, &found->variants[found->varied++]);
        if (take_all(dictionary, dawg, index, width, found) < 0) return -1;
    }
    for (int i = at; i < walk->depth; i++) {
        if (walk->word.letters[i] != dictionary->typed) continue;
        uint32_t next = follow_letter(dawg, walk->reached[i], dictionary->meant);
        if (next == NONE) continue;
        Walk other;
        copy(&walk->word, &other.word);
        other.word.letters[i] = dictionary->meant;
        other.reached[other.depth = i + 1] = next;
        while (step(dawg, &other)) {}
        if (find(dictionary, dawg, &other, i + 1, width, found) < 0) return -1;
    }
    return 0;
}

/* Find a word by itself. */
static int find_alone(
    const Dictionary *dictionary, const Dawg *dawg, const Form *word, int width, Found *found
) {
    Walk walk;
    copy(word, &walk.word);
    walk.reached[walk.depth = 0] = 0;
    while (step(dawg, &walk)) {}
    found->count = found->varied = found->based = 0;
    return find(dictionary, dawg, &walk, 0, width, found);
}

void walk_along(const Dictionary *dictionary, Walk *walks, const Form *words, int count) {
    const Dawg *dawg = &dictionary->words;
    for (int i = 0; i < count; i++) {
        Walk *walk = &walks[i];
        int same = 0;
        while (same < walk->depth && same < words[i].length &&
               walk->word.letters[same] == words[i].letters[same])
            same++;
        walk->depth = same;
        copy(&words[i], &walk->word);
    }
    for (int left = 1; left;) {
        left = 0;
        for (int i = 0; i < count; i++) left |= step(dawg, &walks[i]);
    }
    for (int i = 0; i < count; i++) {
        uint32_t end = walks[i].reached[walks[i].depth];
        if (end != NONE) end = follow(dawg, end, SEPARATOR);
        if (end < dawg->guided) __builtin_prefetch(dawg->guide + end * 2);
    }
}

/* Make the base form of a parse: its prefix and suffix take the place of those of the form. */
static void base_form(
    const Dictionary *dictionary, const Parse *parse, const Form *spelled, Form *base
) {
    const uint16_t *paradigm = dictionary->paradigms[parse->paradigm] + 1, *letters;
    int forms = forms_in(dictionary, parse->paradigm);
    if (!parse->form) {
        copy(spelled, base);
        return;
    }
    int begin = string_at(&dictionary->prefixes, paradigm[2 * forms + parse->form], &letters);
    int end = spelled->length - string_at(&dictionary->suffixes, paradigm[parse->form], &letters);
    int length = string_at(&dictionary->prefixes, paradigm[2 * forms], &letters);
    base->length = 0;
    append(base, letters, length);
    if (begin < end) append(base, spelled->letters + begin, end - begin);
    length = string_at(&dictionary->suffixes, paradigm[0], &letters);
    append(base, letters, length);
}

/* Make the base forms of all that was found. */
static int have_bases(const Dictionary *dictionary, Found *found) {
    for (int i = 0; i < found->count; i++) {
        int which = found->based;
        if (grow_to((void **)&found->bases, &found->base_room, which + 1, sizeof(Form)) < 0)
            return -1;
        const Parse *parse = &found->parses[i];
        base_form(dictionary, parse, &found->variants[parse->variant], &found->bases[which]);
        for (int j = 0; j < which; j++)
            if (are_same(&found->bases[j], &found->bases[which])) which = j;
        found->based += which == found->based;
    }
    return 0;
}

int look_up(const Dictionary *dictionary, const Walk *walk, Found *found) {
    found->count = found->varied = found->based = 0;
    if (find(dictionary, &dictionary->words, walk, 0, 4, found) < 0) return -1;
    return have_bases(dictionary, found);
}

/* -- words that are not there ---------------------------------------------------------------- */

enum { UNKNOWN_TAG = 0xFFFF, NO_PARADIGM = -1 };
enum { LEAST_REST = 3, LONGEST_START = 5, LEAST_GUESSED = 4 }; /* letters; as in pymorphy3 */

typedef struct {
    Form spelled, base;
    int tag, paradigm; /* by these and its spelling two guesses are the same */
    uint8_t kind;
    int unknown_start; /* letters that the dictionary lacks before a word that it has */
    double score;
} Guess;

typedef struct {
    Guess *items;
    int count, room;
} Guesses;

/* Add a guess; 0 if it is there already, -1 and an error without memory. */
static int add_guess(Guesses *guesses, const Guess *guess) {
    for (int i = 0; i < guesses->count; i++) {
        const Guess *other = &guesses->items[i];
        if (other->tag == guess->tag && other->paradigm == guess->paradigm &&
            are_same(&other->spelled, &guess->spelled))
            return 0;
    }
    if (grow_to((void **)&guesses->items, &guesses->room, guesses->count + 1, sizeof(Guess)) < 0)
        return -1;
    guesses->items[guesses->count++] = *guess;
    return 1;
}

/* Fill in what a parse of a word says. */
static void guess_of(
    const Dictionary *dictionary, const Parse *parse, const Form *spelled, Guess *guess
) {
    int forms = forms_in(dictionary, parse->paradigm);
    int tag = dictionary->paradigms[parse->paradigm][1 + forms + parse->form];
    guess->spelled = *spelled;
    base_form(dictionary, parse, spelled, &guess->base);
    guess->tag = dictionary->tags[tag];
    guess->kind = dictionary->kinds[tag];
    guess->paradigm = parse->paradigm;
    guess->unknown_start = 0;
}

static void put_before(Form *form, const uint16_t *letters, int length) {
    memmove(form->letters + length, form->letters, (size_t)form->length * 2);
    memcpy(form->letters, letters, (size_t)length * 2);
    form->length += length;
}

static Form rest_of(const Form *word, int start) {
    Form rest = {.length = 0};
    append(&rest, word->letters + start, word->length - start);
    return rest;
}

/* Of a word, add what its rest is in the dictionary; KnownPrefixAnalyzer asks with nothing before,
 * UnknownPrefixAnalyzer with some letters. */
static int add_known(
    const Dictionary *dictionary, const Form *word, int start, double score, Found *found,
    Guesses *guesses
) {
    Form rest = rest_of(word, start);
    if (find_alone(dictionary, &dictionary->words, &rest, 4, found) < 0) return -1;
    for (int i = 0; i < found->count; i++) {
        Guess guess;
        const Parse *parse = &found->parses[i];
        guess_of(dictionary, parse, &found->variants[parse->variant], &guess);
        guess.score = score;
        guess.unknown_start = start;
        if (!start) { /* each of them: the dictionary's own are not compared */
            if (grow_to((void **)&guesses->items, &guesses->room, guesses->count + 1,
                        sizeof(Guess)) < 0)
                return -1;
            guesses->items[guesses->count++] = guess;
        } else if (guess.kind & PRODUCTIVE) {
            put_before(&guess.spelled, word->letters, start);
            put_before(&guess.base, word->letters, start);
            if (add_guess(guesses, &guess) < 0) return -1;
        }
    }
    return 0;
}

static int starts_with(const Form *word, const uint16_t *letters, int length) {
    return word->length >= length && !memcmp(word->letters, letters, (size_t)length * 2);
}

/* KnownSuffixAnalyzer: of the longest ending that is known, what words with it are. */
static int add_by_ending(
    const Dictionary *dictionary, const Form *word, Found *found, Guesses *guesses
) {
    int begin = guesses->count;
    if (word->length < LEAST_GUESSED) return 0;
    for (int which = dictionary->prefixes.count - 1; which >= 0; which--) {
        const uint16_t *prefix;
        int length = string_at(&dictionary->prefixes, which, &prefix), first = guesses->count;
        double total = 1;
        if (!starts_with(word, prefix, length)) continue;
        for (int ending = dictionary->longest; ending && total == 1; ending--) {
            int before = word->length > ending ? word->length - ending : 0;
            Form end = rest_of(word, before);
            if (find_alone(dictionary, &dictionary->endings[which], &end, 8, found) < 0) return -1;
            for (int i = 0; i < found->count; i++) {
                Guess guess;
                const Parse *parse = &found->parses[i];
                Form spelled = found->variants[parse->variant];
                put_before(&spelled, word->letters, before);
                guess_of(dictionary, parse, &spelled, &guess);
                if (!(guess.kind & PRODUCTIVE)) continue;
                total += parse->weight;
                guess.score = parse->weight;
                if (add_guess(guesses, &guess) < 0) return -1;
            }
        }
        for (int i = first; i < guesses->count; i++)
            guesses->items[i].score = guesses->items[i].score / total * 0.5;
    }
    for (int i = begin + 1; i < guesses->count; i++) { /* the likeliest first */
        Guess guess = guesses->items[i];
        int at = i;
        for (; at > begin && guesses->items[at - 1].score < guess.score; at--)
            guesses->items[at] = guesses->items[at - 1];
        guesses->items[at] = guess;
    }
    return 0;
}

/* MorphAnalyzer.parse of a word of plain letters. */
static int guess_all(
    const Dictionary *dictionary, const Form *word, Found *found, Guesses *guesses
) {
    if (add_known(dictionary, word, 0, 1.0, found, guesses) < 0) return -1;
    if (guesses->count) return 0;
    const Strings *starts = &dictionary->starts;
    for (int32_t i = 0; i < starts->count; i++) { /* KnownPrefixAnalyzer, the longest first */
        const uint16_t *letters;
        int length = string_at(starts, i, &letters), failed = 0;
        if (word->length < length + LEAST_REST || !starts_with(word, letters, length)) continue;
        Form rest = rest_of(word, length);
        Guesses inner = {0};
        failed = guess_all(dictionary, &rest, found, &inner) < 0;
        for (int j = 0; !failed && j < inner.count; j++) {
            Guess *guess = &inner.items[j];
            if (!(guess->kind & PRODUCTIVE)) continue;
            put_before(&guess->spelled, letters, length);
            put_before(&guess->base, letters, length);
            guess->score *= 0.75;
            guess->unknown_start = 0;
            failed = add_guess(guesses, guess) < 0;
        }
        PyMem_Free(inner.items);
        if (failed) return -1;
    }
    if (guesses->count) return 0;
    for (int start = 1; start <= LONGEST_START && start <= word->length - LEAST_REST; start++)
        if (add_known(dictionary, word, start, 0.5, found, guesses) < 0) return -1;
    if (add_by_ending(dictionary, word, found, guesses) < 0) return -1;
    if (guesses->count) return 0;
    Guess unknown = {*word, *word, UNKNOWN_TAG, NO_PARADIGM, PRODUCTIVE, 0, 1.0};
    return add_guess(guesses, &unknown) < 0 ? -1 : 0;
}

static int is_plausible(const Form *word, const Guess *guess, int is_verbal, int least_known) {
    if (guess->unknown_start && word->length - guess->unknown_start < least_known) return 0;
    return !(guess->kind & VERB) || is_verbal;
}

/* guesses(dictionary, word, is_verbal, least_known): the base forms that are plausible and at least
 * a quarter as likely as the best, the likeliest first. */
static PyObject *guesses(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *str;
    int is_verbal, least_known;
    if (!PyArg_ParseTuple(args, "OUpi", &capsule, &str, &is_verbal, &least_known)) return NULL;
    const Dictionary *dictionary = dictionary_in(capsule);
    Form word;
    Found found;
    Guesses all = {0};
    if (!dictionary) return NULL;
    if (!form_of(str, &word)) return PyErr_Format(PyExc_ValueError, "no word of plain letters");
    if (found_new(&found) < 0) return NULL;
    PyObject *list = guess_all(dictionary, &word, &found, &all) < 0 ? NULL : PyList_New(0);
    double best = 0;
    for (int i = 0; i < all.count; i++)
        if (is_plausible(&word, &all.items[i], is_verbal, least_known) && all.items[i].score > best)
            best = all.items[i].score;
    for (int i = 0; list && i < all.count; i++) {
        const Guess *guess = &all.items[i];
        if (!is_plausible(&word, guess, is_verbal, least_known) || guess->score < best / 4) continue;
        PyObject *base = str_of(&guess->base);
        if (!base || PyList_Append(list, base) < 0) Py_CLEAR(list);
        Py_XDECREF(base);
    }
    PyMem_Free(all.items);
    found_free(&found);
    return list;
}

/* -- opening it ------------------------------------------------------------------------------ */

static const char DICTIONARY[] = "searchkit.kernel.Dictionary";

static void dictionary_free(Dictionary *dictionary) {
    for (int i = 0; i < dictionary->opened; i++) PyBuffer_Release(&dictionary->files[i]);
    PyMem_Free(dictionary->paradigms);
    strings_free(&dictionary->suffixes);
    strings_free(&dictionary->prefixes);
    strings_free(&dictionary->starts);
    PyMem_Free(dictionary);
}

static void forget(PyObject *capsule) {
    dictionary_free(PyCapsule_GetPointer(capsule, DICTIONARY));
}

const Dictionary *dictionary_in(PyObject *capsule) {
    return PyCapsule_GetPointer(capsule, DICTIONARY);
}

static Py_buffer *open_file(Dictionary *dictionary, PyObject *bytes) {
    Py_buffer *file = &dictionary->files[dictionary->opened];
    if (PyObject_GetBuffer(bytes, file, PyBUF_SIMPLE) < 0) return NULL;
    dictionary->opened++;
    if ((uintptr_t)file->buf % 4) return damaged(), NULL;
    return file;
}

static int open_dawg(Dictionary *dictionary, PyObject *bytes, Dawg *dawg) {
    Py_buffer *file = open_file(dictionary, bytes);
    if (!file) return -1;
    if (file->len < 8) return damaged();
    const uint32_t *start = file->buf;
    uint64_t units = 4 + 4 * (uint64_t)start[0];
    if (!start[0] || units + 4 > (uint64_t)file->len) return damaged();
    *dawg = (Dawg){start + 1, (const uint8_t *)file->buf + units + 4, start[0], start[1 + start[0]]};
    return units + 4 + 2 * (uint64_t)dawg->guided > (uint64_t)file->len ? damaged() : 0;
}

static int is_paradigm(const Dictionary *dictionary, const uint16_t *paradigm, Py_ssize_t tags) {
    int forms = paradigm[0] / 3;
    for (int i = 0; i < forms; i++) {
        const uint16_t *form = paradigm + 1 + i;
        if (form[0] >= dictionary->suffixes.count || form[2 * forms] >= dictionary->prefixes.count)
            return 0;
        if (form[forms] >= tags || dictionary->tags[form[forms]] >= tags) return 0;
    }
    return forms && paradigm[0] % 3 == 0;
}

static int open_paradigms(Dictionary *dictionary, PyObject *bytes, Py_ssize_t tags) {
    Py_buffer *file = open_file(dictionary, bytes);
    if (!file) return -1;
    const uint16_t *at = file->buf, *end = at + file->len / 2;
    if (at == end) return damaged();
    dictionary->count = *at++;
    if (!(dictionary->paradigms = PyMem_New(const uint16_t *, dictionary->count + 1)))
        return PyErr_NoMemory(), -1;
    for (int32_t i = 0; i < dictionary->count; i++, at += 1 + *at) {
        if (at == end || end - at <= *at || !is_paradigm(dictionary, at, tags)) return damaged();
        dictionary->paradigms[i] = at;
    }
    return 0;
}

static int open_tags(Dictionary *dictionary, PyObject *kinds, PyObject *tags, Py_ssize_t *count) {
    Py_buffer *file = open_file(dictionary, kinds), *other = NULL;
    if (file) other = open_file(dictionary, tags);
    if (!other) return -1;
    *count = file->len;
    dictionary->kinds = file->buf;
    dictionary->tags = other->buf;
    return other->len == 2 * file->len && file->len < UNKNOWN_TAG ? 0 : damaged();
}

static int open_endings(Dictionary *dictionary, PyObject *list) {
    Py_ssize_t count = PyList_GET_SIZE(list);
    if (count != dictionary->prefixes.count || count > DAWGS) return damaged();
    for (Py_ssize_t i = 0; i < count; i++)
        if (open_dawg(dictionary, PyList_GET_ITEM(list, i), &dictionary->endings[i]) < 0) return -1;
    return 0;
}

/* dictionary(words, paradigms, kinds, tags, suffixes, prefixes, endings, starts, longest, pair)
 *
 * The files words.dawg and paradigms.array; of each tag a byte, PRODUCTIVE | VERB, and the number
 * of the first tag with the same grammemes, as uint16; the suffixes and prefixes of paradigms; the
 * files prediction-suffixes-N.dawg; the known first parts of words, the longest first; how long an
 * ending is at most; what is typed, and what may be meant by it: гґ. */
static PyObject *dictionary(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *words, *paradigms, *kinds, *tags, *suffixes, *prefixes, *endings, *starts, *pair;
    Dictionary *made = PyMem_Calloc(1, sizeof(Dictionary));
    Py_ssize_t count = 0;
    Form both = {0};
    if (!made) return PyErr_NoMemory();
    int ok = PyArg_ParseTuple(
        args, "OOOOOOO!OiU", &words, &paradigms, &kinds, &tags, &suffixes, &prefixes, &PyList_Type,
        &endings, &starts, &made->longest, &pair
    );
    ok = ok && strings_of(suffixes, STRING, &made->suffixes) >= 0;
    ok = ok && strings_of(prefixes, STRING, &made->prefixes) >= 0;
    ok = ok && strings_of(starts, STRING, &made->starts) >= 0;
    ok = ok && open_tags(made, kinds, tags, &count) >= 0;
    ok = ok && open_dawg(made, words, &made->words) >= 0;
    ok = ok && open_paradigms(made, paradigms, count) >= 0;
    ok = ok && open_endings(made, endings) >= 0;
    if (ok && (!form_of(pair, &both) || both.length != 2 || made->longest < 0)) ok = damaged() == 0;
    made->typed = both.letters[0];
    made->meant = both.letters[1];
    PyObject *capsule = ok ? PyCapsule_New(made, DICTIONARY, forget) : NULL;
    if (!capsule) dictionary_free(made);
    return capsule;
}

/* -- asking it from Python ------------------------------------------------------------------- */

static int asked(PyObject *args, const Dictionary **dictionary, Form *word, int *is_there) {
    PyObject *capsule, *str;
    if (!PyArg_ParseTuple(args, "OU", &capsule, &str)) return -1;
    if (!(*dictionary = dictionary_in(capsule))) return -1;
    *is_there = form_of(str, word);
    return 0;
}

static PyObject *list_of(const Found *found, int is_parses) {
    int count = is_parses ? found->count : found->based;
    PyObject *list = PyList_New(count);
    for (int i = 0; list && i < count; i++) {
        PyObject *item;
        if (is_parses) {
            const Parse *parse = &found->parses[i];
            const Form *variant = &found->variants[parse->variant];
            item = Py_BuildValue("N(HH)", str_of(variant), parse->paradigm, parse->form);
        } else {
            item = str_of(&found->bases[i]);
        }
        if (item) PyList_SET_ITEM(list, i, item);
        else Py_CLEAR(list);
    }
    return list;
}

static PyObject *ask(PyObject *args, int is_parses) {
    const Dictionary *dictionary;
    Form word;
    Found found;
    int is_there;
    if (asked(args, &dictionary, &word, &is_there) < 0) return NULL;
    if (!is_there) return PyList_New(0);
    if (found_new(&found) < 0) return NULL;
    int failed = find_alone(dictionary, &dictionary->words, &word, 4, &found) < 0 ||
                 have_bases(dictionary, &found) < 0;
    PyObject *list = failed ? NULL : list_of(&found, is_parses);
    found_free(&found);
    return list;
}

/* parses(dictionary, word): all that it may be, as (how it is spelled, (paradigm, form)). */
static PyObject *parses(PyObject *module, PyObject *args) {
    (void)module;
    return ask(args, 1);
}

/* base_forms(dictionary, word): of all that it may be the base forms, each once. */
static PyObject *base_forms(PyObject *module, PyObject *args) {
    (void)module;
    return ask(args, 0);
}

PyMethodDef dictionary_methods[] = {
    {"dictionary", dictionary, METH_VARARGS, NULL},
    {"parses", parses, METH_VARARGS, NULL},
    {"base_forms", base_forms, METH_VARARGS, NULL},
    {"guesses", guesses, METH_VARARGS, NULL},
    {NULL},
};
