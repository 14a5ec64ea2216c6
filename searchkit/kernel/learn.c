/* New spellings to numbered pairs of lemma and form: those that the dictionary has, and of which no
 * list or rule says more. The twin is what `_Words` of analysis/arrays.py does with the others. */
#include "dictionary.h"
#include "lexicon.h"

enum { LETTERS = 0x800, FOLDED = 8 }; /* two bytes of UTF-8; how many letters are folded */

typedef struct {
    PyObject *held;
    const Dictionary *dictionary; /* in `held` */
    Lexicon *by_hand, *usual;
    uint8_t is_plain[LETTERS];
    uint8_t in_rules[LETTERS]; /* of a letter, whether it begins or ends what rules are for */
    uint64_t seconds[LETTERS]; /* that may follow one that begins a part: bits of their last six */
    Form folded, unfolded;
    Strings starts, parts, ends;
} Learner;

static const char LEARNER[] = "searchkit.kernel.Learner";

static void learner_free(Learner *learner) {
    Py_XDECREF(learner->held);
    Py_XDECREF(learner->by_hand);
    Py_XDECREF(learner->usual);
    strings_free(&learner->starts);
    strings_free(&learner->parts);
    strings_free(&learner->ends);
    PyMem_Free(learner);
}

static void forget(PyObject *capsule) {
    learner_free(PyCapsule_GetPointer(capsule, LEARNER));
}

enum { STARTS = 1, PARTS = 2, ENDS = 4 };

/* Mark the letter with which each of some strings begins or, of ENDS, ends. */
static int mark(Learner *learner, const Strings *strings, uint8_t as) {
    for (int32_t i = 0; i < strings->count; i++) {
        const uint16_t *letters;
        int length = string_at(strings, i, &letters);
        if (length < 2) return 0;
        uint16_t c = letters[as == ENDS ? length - 1 : 0];
        if (c >= LETTERS) return 0;
        learner->in_rules[c] |= as;
        if (as == PARTS) learner->seconds[c] |= (uint64_t)1 << (letters[1] & 63);
    }
    return 1;
}

static int set_plain(Learner *learner, PyObject *letters) {
    int fits = 1;
    for (Py_ssize_t i = 0; fits && i < PyUnicode_GET_LENGTH(letters); i++) {
        Py_UCS4 c = PyUnicode_READ_CHAR(letters, i);
        fits = c < LETTERS;
        if (fits) learner->is_plain[c] = 1;
    }
    fits = fits && mark(learner, &learner->starts, STARTS) && mark(learner, &learner->parts, PARTS);
    fits = fits && mark(learner, &learner->ends, ENDS);
    return fits ? 0 : (PyErr_SetString(PyExc_ValueError, "no such letters"), -1);
}

static int set_folded(Learner *learner, PyObject *unfolded, PyObject *folded) {
    const Form *into = &learner->folded;
    int fits = form_of(unfolded, &learner->unfolded) && form_of(folded, &learner->folded) &&
               into->length == learner->unfolded.length && into->length <= FOLDED;
    for (int i = 0; fits && i < into->length; i++) fits = into->letters[i] < LETTERS;
    return fits ? 0 : (PyErr_SetString(PyExc_ValueError, "no such letters"), -1);
}

/* learner(dictionary, letters, unfolded, folded, starts, parts, ends, by_hand, usual)
 *
 * What `learn` has to know: plain letters; those that are folded, and into which; how words start,
 * what they have in them and how they end that rules are for; the forms that lists are for; and the
 * lemmas that come first. */
static PyObject *learner(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *dictionary, *letters, *unfolded, *folded, *starts, *parts, *ends, *by_hand, *usual;
    if (!PyArg_ParseTuple(
            args, "OUUUOOOOO", &dictionary, &letters, &unfolded, &folded, &starts, &parts, &ends,
            &by_hand, &usual
        ))
        return NULL;
    Learner *made = PyMem_Calloc(1, sizeof(Learner));
    if (!made) return PyErr_NoMemory();
    made->held = Py_NewRef(dictionary);
    made->by_hand = (Lexicon *)Py_XNewRef(lexicon_in(by_hand));
    if (made->by_hand) made->usual = (Lexicon *)Py_XNewRef(lexicon_in(usual));
    int ok = made->usual && (made->dictionary = dictionary_in(dictionary));
    ok = ok && strings_of(starts, STRING, &made->starts) >= 0;
    ok = ok && strings_of(parts, STRING, &made->parts) >= 0;
    ok = ok && strings_of(ends, STRING, &made->ends) >= 0;
    ok = ok && set_plain(made, letters) >= 0;
    ok = ok && set_folded(made, unfolded, folded) >= 0;
    PyObject *capsule = ok ? PyCapsule_New(made, LEARNER, forget) : NULL;
    if (!capsule) learner_free(made);
    return capsule;
}

/* Read a spelling; its form has no letters if it is too long, or has any that is not plain. */
static void read_plain(
    const Learner *learner, int32_t number, const Lexicon *spellings, Form *form
) {
    const uint8_t *at;
    Py_ssize_t size = string_of(spellings, number, &at);
    const uint8_t *end = at + size;
    form->length = 0;
    while (at < end) {
        uint16_t c = *at < 0x80 ? *at : (uint16_t)((*at & 0x1F) << 6 | (at[1] & 0x3F));
        if (*at >= 0xE0 || !learner->is_plain[c] || form->length == LONGEST) {
            form->length = 0;
            return;
        }
        form->letters[form->length++] = c;
        at += *at < 0x80 ? 1 : 2;
    }
}

enum { MOST = 3 * ROOM }; /* bytes of a form in UTF-8 */

static Py_ssize_t utf8_of(const Form *form, uint8_t *bytes) {
    uint8_t *out = bytes;
    for (int i = 0; i < form->length; i++) {
        uint16_t c = form->letters[i];
        if (c >= 0x800) *out++ = (uint8_t)(0xE0 | c >> 12);
        if (c >= 0x80) *out++ = (uint8_t)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3F) : 0xC0 | c >> 6);
        *out++ = (uint8_t)(c < 0x80 ? c : 0x80 | (c & 0x3F));
    }
    return out - bytes;
}

/* Fold a form; 1 if that changes it. */
static int fold(const Learner *learner, Form *form) {
    int changed = 0;
    for (int i = 0; i < form->length; i++)
        for (int j = 0; j < learner->folded.length; j++)
            if (form->letters[i] == learner->unfolded.letters[j]) {
                form->letters[i] = learner->folded.letters[j];
                changed = 1;
            }
    return changed;
}

static int stands_at(const Form *form, int at, const uint16_t *letters, int length) {
    if (at < 0 || form->length - at < length) return 0;
    for (int i = 0; i < length; i++)
        if (form->letters[at + i] != letters[i]) return 0;
    return 1;
}

/* Tell whether one of some strings stands in a form, or ends there if it is of ENDS. */
static int has_one(const Form *form, int at, const Strings *strings, int as) {
    for (int32_t i = 0; i < strings->count; i++) {
        const uint16_t *letters;
        int length = string_at(strings, i, &letters);
        if (stands_at(form, as == ENDS ? at + 1 - length : at, letters, length)) return 1;
    }
    return 0;
}

/* Tell whether there is a rule for words like this; their letters are plain, or folded. */
static int has_rule(const Learner *learner, const Form *form) {
    for (int at = 0, last = form->length - 1; at <= last; at++) {
        uint16_t c = form->letters[at], next = at < last ? form->letters[at + 1] : 0;
        int as = learner->in_rules[c];
        if (!as) continue;
        if (as & STARTS && !at && has_one(form, at, &learner->starts, STARTS)) return 1;
        if (as & ENDS && at == last && has_one(form, at, &learner->ends, ENDS)) return 1;
        if (as & PARTS && learner->seconds[c] >> (next & 63) & 1 &&
            has_one(form, at, &learner->parts, PARTS))
            return 1;
    }
    return 0;
}

/* -- numbering ------------------------------------------------------------------------------- */

typedef struct {
    Lexicon *spellings, *terms, *forms;
    PyObject *listed; /* NULL if nothing is */
    int *term_of_pair, *form_of_pair;
    int pairs, term_room, form_room;
    Found found;
} Lesson;

static int add_pair(Lesson *lesson, int term, int form) {
    int count = lesson->pairs + 1;
    if (grow_to((void **)&lesson->term_of_pair, &lesson->term_room, count, sizeof(int)) < 0)
        return -1;
    if (grow_to((void **)&lesson->form_of_pair, &lesson->form_room, count, sizeof(int)) < 0)
        return -1;
    lesson->term_of_pair[lesson->pairs] = term;
    lesson->form_of_pair[lesson->pairs++] = form;
    return 0;
}

static int is_usual(const Learner *learner, const Form *base) {
    uint8_t bytes[MOST];
    return find_in(learner->usual, bytes, utf8_of(base, bytes)) >= 0;
}

/* Put the base forms first that are usual; the others keep their order, too. */
static void usual_first(const Learner *learner, Found *found) {
    int usual = 0;
    for (int i = 0; i < found->based; i++) {
        if (!is_usual(learner, &found->bases[i])) continue;
        Form base;
        copy(&found->bases[i], &base);
        memmove(&found->bases[usual + 1], &found->bases[usual], (size_t)(i - usual) * sizeof(Form));
        copy(&base, &found->bases[usual++]);
    }
}

/* Number the pairs of a form, of which the base forms were found; return how many they are, 0 if it
 * is not new, or -1 and an error. */
static int number_pairs(
    const Learner *learner, Lesson *lesson, const uint8_t *spelled, Py_ssize_t size
) {
    Found *found = &lesson->found;
    uint8_t lemma[MOST];
    int32_t known = lesson->forms->count, number = number_in(lesson->forms, spelled, size);
    int before = lesson->pairs;
    if (number < known) return number < 0 ? -1 : 0; /* another spelling, or of another language */
    if (found->based > 1) usual_first(learner, found);
    for (int i = 0; i < found->based; i++) {
        Form *base = &found->bases[i];
        int again = 0;
        fold(learner, base);
        for (int j = 0; j < i && !again; j++) again = are_same(base, &found->bases[j]);
        if (again) continue;
        int32_t term = number_in(lesson->terms, lemma, utf8_of(base, lemma));
        if (term < 0 || add_pair(lesson, term, number) < 0) return -1;
    }
    return lesson->pairs - before;
}

static int is_listed(const Lesson *lesson, const uint8_t *spelled, Py_ssize_t size) {
    if (!lesson->listed) return 0;
    PyObject *string = PyUnicode_DecodeUTF8((const char *)spelled, size, NULL);
    int found = string ? PySequence_Contains(lesson->listed, string) : -1;
    Py_XDECREF(string);
    return found;
}

/* Learn a form; return how many pairs it has, 0 if Python has to find them, -1 on an error. */
static int learn_form(const Learner *learner, Lesson *lesson, const Walk *walk) {
    uint8_t spelled[MOST];
    const Form *form = &walk->word;
    if (!form->length) return 0;
    Py_ssize_t size = utf8_of(form, spelled);
    if (has_rule(learner, form) || find_in(learner->by_hand, spelled, size) >= 0) return 0;
    int elsewhere = is_listed(lesson, spelled, size);
    if (elsewhere) return elsewhere < 0 ? -1 : 0;
    if (look_up(learner->dictionary, walk, &lesson->found) < 0) return -1;
    return lesson->found.based ? number_pairs(learner, lesson, spelled, size) : 0;
}

enum { LANES = 16 }; /* words that are looked up side by side */

/* Learn the spellings from one on. They are taken in order, so that what is looked up of one lies
 * where that of the last one lay; from several places of the order at once. */
static int learn_all(
    const Learner *learner, Lesson *lesson, int32_t first, int32_t *begins, int32_t *ends
) {
    int32_t *order = order_from(lesson->spellings, first), count = lesson->spellings->count - first;
    int32_t each = count / LANES + 1;
    Walk walks[LANES];
    Form forms[LANES];
    for (int i = 0; i < LANES; i++) walks[i].depth = walks[i].reached[0] = 0;
    int failed = !order;
    for (int32_t at = 0; !failed && at < each; at++) {
        int lanes = 0;
        for (int32_t i = at; i < count; i += each) {
            read_plain(learner, order[i], lesson->spellings, &forms[lanes]);
            fold(learner, &forms[lanes++]);
            const uint8_t *next;
            string_of(lesson->spellings, order[i + 1 < count ? i + 1 : i], &next);
            __builtin_prefetch(next);
        }
        walk_along(learner->dictionary, walks, forms, lanes);
        for (int lane = 0; !failed && lane < lanes; lane++) {
            int32_t i = order[at + lane * each] - first;
            begins[i] = lesson->pairs;
            failed = learn_form(learner, lesson, &walks[lane]) < 0;
            ends[i] = lesson->pairs;
        }
    }
    PyMem_Free(order);
    return failed ? -1 : 0;
}

static PyObject *numbers_in(const int *items, int count) {
    return PyBytes_FromStringAndSize((const char *)items, (Py_ssize_t)count * (Py_ssize_t)sizeof(int));
}

/* learn(learner, spellings, first, listed, terms, forms): (begins, ends, terms, forms)
 *
 * Learns the spellings from the number `first` on: their lemmas and folded forms get numbers in
 * `terms` and `forms`. The forms that are `listed` are left to Python.
 *
 * Returns, as int32 in bytes, of each spelling which pairs it has, none where Python has to find
 * them; and of each pair its lemma's and its form's number. */
static PyObject *learn(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *spellings, *terms, *forms, *begins, *ends, *found = NULL;
    Lesson lesson = {0};
    int first;
    if (!PyArg_ParseTuple(
            args, "OOiOOO", &capsule, &spellings, &first, &lesson.listed, &terms, &forms
        ))
        return NULL;
    const Learner *learner = PyCapsule_GetPointer(capsule, LEARNER);
    if (!learner || !(lesson.spellings = lexicon_in(spellings))) return NULL;
    if (!(lesson.terms = lexicon_in(terms)) || !(lesson.forms = lexicon_in(forms))) return NULL;
    if (first < 0 || first > lesson.spellings->count)
        return PyErr_Format(PyExc_ValueError, "no such number");
    int is_any = PyObject_IsTrue(lesson.listed);
    if (is_any < 0 || found_new(&lesson.found) < 0) return NULL;
    if (!is_any) lesson.listed = NULL;
    Py_ssize_t size = 4 * ((Py_ssize_t)lesson.spellings->count - first);
    begins = PyBytes_FromStringAndSize(NULL, size);
    ends = PyBytes_FromStringAndSize(NULL, size);
    if (begins && ends &&
        learn_all(learner, &lesson, first, (int32_t *)PyBytes_AS_STRING(begins),
                  (int32_t *)PyBytes_AS_STRING(ends)) >= 0)
        found = Py_BuildValue(
            "OONN", begins, ends, numbers_in(lesson.term_of_pair, lesson.pairs),
            numbers_in(lesson.form_of_pair, lesson.pairs)
        );
    found_free(&lesson.found);
    PyMem_Free(lesson.term_of_pair);
    PyMem_Free(lesson.form_of_pair);
    Py_XDECREF(begins);
    Py_XDECREF(ends);
    return found;
}

PyMethodDef learn_methods[] = {
    {"learner", learner, METH_VARARGS, NULL},
    {"learn", learn, METH_VARARGS, NULL},
    {NULL},
};
