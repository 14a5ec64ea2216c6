/* New words to numbered pairs of lemma and form: those that the dictionary has, and of which no
 * list or rule says more. The twin is what `_Words` of analysis/arrays.py does with the others. */
#include "dictionary.h"

enum { LETTERS = 0x2020, FOLDED = 8 }; /* behind ’; how many letters are folded */

typedef struct {
    PyObject *held, *by_hand, *usual;
    const Dictionary *dictionary; /* in `held` */
    uint16_t plain[LETTERS]; /* the small letter of each that is plain */
    uint8_t in_rules[LETTERS]; /* of a letter, whether it begins or ends what rules are for */
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
        if (length <= 0) return 0;
        uint16_t c = letters[as == ENDS ? length - 1 : 0];
        if (c >= LETTERS) return 0;
        learner->in_rules[c] |= as;
    }
    return 1;
}

static int set_plain(Learner *learner, PyObject *written, PyObject *small) {
    Py_ssize_t length = PyUnicode_GET_LENGTH(written);
    int fits = length == PyUnicode_GET_LENGTH(small);
    for (Py_ssize_t i = 0; fits && i < length; i++) {
        Py_UCS4 from = PyUnicode_READ_CHAR(written, i), to = PyUnicode_READ_CHAR(small, i);
        fits = from < LETTERS && to < LETTERS;
        if (fits) learner->plain[from] = (uint16_t)to;
    }
    fits = fits && mark(learner, &learner->starts, STARTS) && mark(learner, &learner->parts, PARTS);
    fits = fits && mark(learner, &learner->ends, ENDS);
    return fits ? 0 : (PyErr_SetString(PyExc_ValueError, "no such letters"), -1);
}

static int set_folded(Learner *learner, PyObject *unfolded, PyObject *folded) {
    if (form_of(unfolded, &learner->unfolded) && form_of(folded, &learner->folded) &&
        learner->folded.length == learner->unfolded.length && learner->folded.length <= FOLDED)
        return 0;
    return PyErr_SetString(PyExc_ValueError, "no such letters"), -1;
}

/* learner(dictionary, written, small, unfolded, folded, starts, parts, ends, by_hand, usual)
 *
 * What `learn` has to know: plain letters and apostrophes, and what they are in a normal spelling;
 * letters that are folded, and into which; how words start, what they have in them and how they end
 * that rules are for; the forms that lists are for; and the lemmas that come first. */
static PyObject *learner(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *dictionary, *written, *small, *unfolded, *folded, *starts, *parts, *ends, *hand, *usual;
    if (!PyArg_ParseTuple(
            args, "OUUUUOOOO!O!", &dictionary, &written, &small, &unfolded, &folded, &starts,
            &parts, &ends, &PyFrozenSet_Type, &hand, &PyFrozenSet_Type, &usual
        ))
        return NULL;
    Learner *made = PyMem_Calloc(1, sizeof(Learner));
    if (!made) return PyErr_NoMemory();
    made->held = Py_NewRef(dictionary);
    made->by_hand = Py_NewRef(hand);
    made->usual = Py_NewRef(usual);
    int ok = (made->dictionary = dictionary_in(dictionary)) != NULL;
    ok = ok && strings_of(starts, STRING, &made->starts) >= 0;
    ok = ok && strings_of(parts, STRING, &made->parts) >= 0;
    ok = ok && strings_of(ends, STRING, &made->ends) >= 0;
    ok = ok && set_plain(made, written, small) >= 0;
    ok = ok && set_folded(made, unfolded, folded) >= 0;
    PyObject *capsule = ok ? PyCapsule_New(made, LEARNER, forget) : NULL;
    if (!capsule) learner_free(made);
    return capsule;
}

/* Write a word as `normalize` does; 0 if it has any letter that is not plain. */
static int in_plain_letters(const Learner *learner, PyObject *word, Form *form) {
    if (!form_of(word, form)) return 0;
    for (int i = 0; i < form->length; i++) {
        uint16_t c = form->letters[i], small = c < LETTERS ? learner->plain[c] : 0;
        if (!small) return 0;
        form->letters[i] = small;
    }
    return 1;
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
    return at >= 0 && form->length - at >= length &&
           !memcmp(form->letters + at, letters, (size_t)length * 2);
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
        int as = learner->in_rules[form->letters[at]];
        if (!as) continue;
        if (as & STARTS && !at && has_one(form, at, &learner->starts, STARTS)) return 1;
        if (as & ENDS && at == last && has_one(form, at, &learner->ends, ENDS)) return 1;
        if (as & PARTS && has_one(form, at, &learner->parts, PARTS)) return 1;
    }
    return 0;
}

/* -- numbering ------------------------------------------------------------------------------- */

typedef struct {
    PyObject *listed, *met, *terms, *forms;
    int32_t *same, *counts; /* of each word */
    int *term_of_pair, *form_of_pair;
    int pairs, term_room, form_room;
    Found found;
} Lesson;

/* Return the number of a string, the next one if it is new; -1 on an error. */
static int number_of(PyObject *numbers, PyObject *string) {
    Py_ssize_t next = PyDict_GET_SIZE(numbers);
    if (next >= INT32_MAX) return PyErr_NoMemory(), -1;
    PyObject *number = PyLong_FromSsize_t(next);
    PyObject *known = number ? PyDict_SetDefault(numbers, string, number) : NULL;
    Py_XDECREF(number); /* the dictionary holds it, if it is new */
    return known ? (int)PyLong_AsLong(known) : -1;
}

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

/* Tell whether a base form is usual; -1 on an error. */
static int is_usual(const Learner *learner, const Form *base) {
    PyObject *string = str_of(base);
    int found = string ? PySet_Contains(learner->usual, string) : -1;
    Py_XDECREF(string);
    return found;
}

/* Put the base forms first that are usual; the others keep their order, too. */
static int usual_first(const Learner *learner, Found *found) {
    int usual = 0;
    for (int i = 0; i < found->based; i++) {
        int first = is_usual(learner, &found->bases[i]);
        if (first < 0) return -1;
        if (!first) continue;
        Form base;
        copy(&found->bases[i], &base);
        memmove(&found->bases[usual + 1], &found->bases[usual], (size_t)(i - usual) * sizeof(Form));
        copy(&base, &found->bases[usual++]);
    }
    return 0;
}

/* Number the pairs of a form that is new, and of which the base forms were found. */
static int number_pairs(
    const Learner *learner, Lesson *lesson, const Form *form, PyObject *spelled
) {
    Found *found = &lesson->found;
    Py_ssize_t known = PyDict_GET_SIZE(lesson->forms);
    int number = number_of(lesson->forms, spelled), before = lesson->pairs;
    if (number >= 0 && number < known) return 0; /* another spelling, or of another language */
    if (number < 0 || (found->based > 1 && usual_first(learner, found) < 0)) return -1;
    for (int i = 0; i < found->based; i++) {
        Form *base = &found->bases[i];
        int again = 0;
        fold(learner, base);
        for (int j = 0; j < i && !again; j++) again = are_same(base, &found->bases[j]);
        if (again) continue;
        PyObject *lemma = are_same(base, form) ? Py_NewRef(spelled) : str_of(base);
        int term = lemma ? number_of(lesson->terms, lemma) : -1;
        Py_XDECREF(lemma);
        if (term < 0 || add_pair(lesson, term, number) < 0) return -1;
    }
    return lesson->pairs - before;
}

/* Learn a form that was not met; return how many pairs it has, 0 if Python has to find them. */
static int learn_form(const Learner *learner, Lesson *lesson, const Form *form, PyObject *spelled) {
    int elsewhere = PySet_Contains(learner->by_hand, spelled);
    if (!elsewhere) elsewhere = PySequence_Contains(lesson->listed, spelled);
    if (elsewhere) return elsewhere < 0 ? -1 : 0;
    if (look_up(learner->dictionary, form, &lesson->found) < 0) return -1;
    return lesson->found.based ? number_pairs(learner, lesson, form, spelled) : 0;
}

/* Learn one word, of which the form is given if its letters are plain; 1 if Python has to, -1 on an
 * error. */
static int learn_word(
    const Learner *learner, Lesson *lesson, Form *form, int number, Py_ssize_t at
) {
    lesson->same[at] = number;
    lesson->counts[at] = 0;
    if (!form->length) return 1;
    PyObject *spelled = str_of(form), *own = spelled ? PyLong_FromLong(number) : NULL;
    PyObject *first = own ? PyDict_SetDefault(lesson->met, spelled, own) : NULL;
    int result = first ? 0 : -1;
    if (first && first != own) {
        lesson->same[at] = (int32_t)PyLong_AsLong(first);
    } else if (first) {
        if (fold(learner, form)) Py_SETREF(spelled, str_of(form));
        result = !spelled ? -1 : has_rule(learner, form) ? 0 : learn_form(learner, lesson, form, spelled);
        if (result >= 0) lesson->counts[at] = result;
        result = result < 0 ? -1 : !result;
    }
    Py_XDECREF(own);
    Py_XDECREF(spelled);
    return result;
}

/* Read some words; the form of one that has any letter that is not plain has none. */
static int read_ahead(
    const Learner *learner, PyObject *words, Py_ssize_t at, int count, Form *forms
) {
    for (int i = 0; i < count; i++) {
        PyObject *word = PyList_GET_ITEM(words, at + i);
        if (!PyUnicode_Check(word)) return PyErr_SetString(PyExc_TypeError, "not a str"), -1;
        if (!in_plain_letters(learner, word, &forms[i])) forms[i].length = 0;
    }
    walk_ahead(learner->dictionary, forms, count);
    return 0;
}

static PyObject *numbers_in(const int *items, int count) {
    return PyBytes_FromStringAndSize((const char *)items, (Py_ssize_t)count * (Py_ssize_t)sizeof(int));
}

static PyObject *learn_all(
    const Learner *learner, Lesson *lesson, PyObject *words, int first, PyObject *others
) {
    Py_ssize_t count = PyList_GET_SIZE(words);
    PyObject *same = PyBytes_FromStringAndSize(NULL, count * 4);
    PyObject *counts = PyBytes_FromStringAndSize(NULL, count * 4);
    int failed = !same || !counts;
    if (!failed) lesson->same = (int32_t *)PyBytes_AS_STRING(same);
    if (!failed) lesson->counts = (int32_t *)PyBytes_AS_STRING(counts);
    Form ahead[AHEAD];
    for (Py_ssize_t i = 0; !failed && i < count; i++) {
        int which = (int)(i % AHEAD), wanted = count - i < AHEAD ? (int)(count - i) : AHEAD;
        if (!which && (failed = read_ahead(learner, words, i, wanted, ahead) < 0)) break;
        int other = learn_word(learner, lesson, &ahead[which], first + (int)i, i);
        PyObject *number = other > 0 ? PyLong_FromSsize_t(i) : NULL;
        failed = other < 0 || (other && (!number || PyList_Append(others, number) < 0));
        Py_XDECREF(number);
    }
    if (!failed)
        return Py_BuildValue(
            "NNNNO", same, counts, numbers_in(lesson->term_of_pair, lesson->pairs),
            numbers_in(lesson->form_of_pair, lesson->pairs), others
        );
    Py_XDECREF(same);
    Py_XDECREF(counts);
    return NULL;
}

/* learn(learner, words, first, listed, met, terms, forms): (same, counts, terms, forms, others)
 *
 * Numbers the words from `first` on. `met` has the number of the first word of each normal spelling,
 * `terms` and `forms` those of lemmas and of folded forms; new ones are added. The forms that are
 * `listed` are left to Python.
 *
 * Returns, as int32 in bytes, of each word the number of the first with the same spelling, and how
 * many pairs it has; of each new pair, word by word, its lemma's and its form's number. Then the
 * words, counted from 0, of which Python has to find the pairs. */
static PyObject *learn(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *capsule, *words, *found = NULL;
    Lesson lesson = {0};
    int first;
    if (!PyArg_ParseTuple(
            args, "OO!iOO!O!O!", &capsule, &PyList_Type, &words, &first, &lesson.listed,
            &PyDict_Type, &lesson.met, &PyDict_Type, &lesson.terms, &PyDict_Type,
            &lesson.forms
        ))
        return NULL;
    const Learner *learner = PyCapsule_GetPointer(capsule, LEARNER);
    if (!learner) return NULL;
    if (first < 0 || PyList_GET_SIZE(words) > INT32_MAX - first) return PyErr_NoMemory();
    PyObject *others = PyList_New(0);
    if (others && found_new(&lesson.found) >= 0)
        found = learn_all(learner, &lesson, words, first, others);
    found_free(&lesson.found);
    PyMem_Free(lesson.term_of_pair);
    PyMem_Free(lesson.form_of_pair);
    Py_XDECREF(others);
    return found;
}

PyMethodDef learn_methods[] = {
    {"learner", learner, METH_VARARGS, NULL},
    {"learn", learn, METH_VARARGS, NULL},
    {NULL},
};
