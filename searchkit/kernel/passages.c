/* Words marked by their numbers, and the passages that show them best: the twin of the second
 * half of highlight.py, which tells the rules. */
#include "words.h"

typedef struct { Py_ssize_t start, end; } Span;
typedef struct { Py_ssize_t start, end, part; } Mark;

/* -- which words ---------------------------------------------------------------------------- */

/* Read a tuple of integers; of which Python raises what is wrong. */
static int read_numbers(PyObject *tuple, Py_ssize_t *numbers, Py_ssize_t count) {
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) != count) {
        PyErr_Format(PyExc_ValueError, "not a tuple of %zd", count);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        numbers[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(tuple, i));
        if (numbers[i] == -1 && PyErr_Occurred()) return -1;
    }
    return 0;
}

/* Where in a text the reader stands, before the word with this number, and what it has left of
 * the milestones, the first of which is at word `passed` and a step from `stone`. */
typedef struct {
    Text text;
    const uint8_t *steps, *end;
    Py_ssize_t stride, stone, passed, at, number;
} Place;

/* Go behind a word that is further on, from the last milestone before it. */
static int go_to(Place *place, Py_ssize_t number, Py_ssize_t *start) {
    while (place->steps < place->end && place->passed <= number) {
        while (*place->steps == 255 && place->steps + 1 < place->end)
            place->stone += *place->steps++;
        place->stone += *place->steps++;
        if (place->passed > place->number) {
            place->number = place->passed;
            place->at = place->stone;
        }
        place->passed += place->stride;
    }
    while (place->number <= number) {
        if (!next_word(&place->text, place->at, start, &place->at)) return -1;
        place->number++;
    }
    return 0;
}

/* Places of words that answer one part of a query: those from `at` to `end` are not yet marked. */
typedef struct { Py_buffer view; const uint64_t *at, *end; } Part;

static const uint64_t *first_from(const Part *part, uint64_t place) {
    const uint64_t *low = part->view.buf, *high = low + part->view.len / 8;
    while (low < high) {
        const uint64_t *middle = low + (high - low) / 2;
        if (*middle < place) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Take the next position of an article that any part has, up to the last one that is wanted, and
 * the first part that has it; -1 if there is none. */
static Py_ssize_t take_next(Part *parts, Py_ssize_t count, Py_ssize_t last, Py_ssize_t *which) {
    Py_ssize_t found = -1;
    for (Py_ssize_t i = count; i--;) {
        if (parts[i].at == parts[i].end) continue;
        Py_ssize_t position = (Py_ssize_t)(*parts[i].at & 0xFFFFFFFF);
        if (position > last || (found >= 0 && position > found)) continue;
        found = position;
        *which = i;
    }
    for (Py_ssize_t i = 0; i < count && found >= 0; i++)
        while (parts[i].at < parts[i].end && (Py_ssize_t)(*parts[i].at & 0xFFFFFFFF) <= found)
            parts[i].at++;
    return found;
}

typedef struct { Mark *at; Py_ssize_t count, room; } Marks;

static int add_mark(Marks *marks, Mark mark) {
    if (marks->count == marks->room) {
        Py_ssize_t room = marks->room ? 4 * marks->room : 16;
        Mark *more = PyMem_Resize(marks->at, Mark, room);
        if (!more) {
            PyErr_NoMemory();
            return -1;
        }
        marks->at = more, marks->room = room;
    }
    marks->at[marks->count++] = mark;
    return 0;
}

/* Mark the words up to a position in a text whose first word has the position `first`. */
static int mark_all(Place *place, Part *parts, Py_ssize_t count, Py_ssize_t first,
                    Py_ssize_t last, Marks *marks) {
    Py_ssize_t position, which = 0, start = 0;
    while ((position = take_next(parts, count, last, &which)) >= 0) {
        if (position < first || go_to(place, position - first, &start) < 0) {
            PyErr_Format(PyExc_ValueError, "there is no word %zd", position);
            return -1;
        }
        if (add_mark(marks, (Mark){start, place->at, which}) < 0) return -1;
    }
    return 0;
}

static int take_parts(PyObject *told, Part *parts, uint64_t number) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(told); i++) {
        if (PyObject_GetBuffer(PyTuple_GET_ITEM(told, i), &parts[i].view, PyBUF_SIMPLE) < 0)
            return -1;
        if (parts[i].view.len % 8) {
            PyErr_SetString(PyExc_ValueError, "a place has 8 bytes");
            return -1;
        }
        parts[i].at = first_from(&parts[i], number << 32);
        parts[i].end = number < UINT32_MAX
                           ? first_from(&parts[i], (number + 1) << 32)
                           : (const uint64_t *)parts[i].view.buf + parts[i].view.len / 8;
    }
    return 0;
}

/* An article, and the places in it that are to be marked. */
typedef struct {
    PyObject *places, *title, *text;
    Py_buffer stones;
    unsigned int number;
    Py_ssize_t title_words, text_first, stride;
    Marks in_title, in_text;
} Marked;

static int mark(Marked *one) {
    Py_ssize_t count = PyTuple_GET_SIZE(one->places), done = -1;
    Part *parts = PyMem_Calloc((size_t)count + 1, sizeof *parts);
    if (!parts) PyErr_NoMemory();
    else if (one->title_words < 0 || one->text_first < 0 || one->stride < 1)
        PyErr_SetString(PyExc_ValueError, "a word's number is 0 or more");
    else if (take_parts(one->places, parts, one->number) == 0) {
        const uint8_t *steps = one->stones.buf;
        Place in_title = {.text = text_of(one->title), .stride = one->stride};
        Place in_text = {.text = text_of(one->text), .steps = steps,
                         .end = steps + one->stones.len, .stride = one->stride};
        done = mark_all(&in_title, parts, count, 0, one->title_words - 1, &one->in_title);
        if (done == 0)
            done = mark_all(&in_text, parts, count, one->text_first, UINT32_MAX, &one->in_text);
    }
    for (Py_ssize_t i = 0; parts && i < count; i++)
        if (parts[i].view.obj) PyBuffer_Release(&parts[i].view);
    PyMem_Free(parts);
    return done;
}

static void done_with(Marked *one) {
    PyMem_Free(one->in_title.at);
    PyMem_Free(one->in_text.at);
    PyBuffer_Release(&one->stones);
}

static PyObject *listed(const Marks *marks) {
    PyObject *list = PyList_New(marks->count);
    for (Py_ssize_t i = 0; list && i < marks->count; i++) {
        Mark mark = marks->at[i];
        PyObject *item = Py_BuildValue("nnn", mark.start, mark.end, mark.part);
        if (item) PyList_SET_ITEM(list, i, item);
        else Py_CLEAR(list);
    }
    return list;
}

/* Return where some marks begin and end in a piece of the text that begins at `shift`. */
static PyObject *spans_of(const Mark *marks, Py_ssize_t count, Py_ssize_t shift) {
    PyObject *spans = PyTuple_New(count);
    for (Py_ssize_t i = 0; spans && i < count; i++) {
        PyObject *span = Py_BuildValue("nn", marks[i].start - shift, marks[i].end - shift);
        if (span) PyTuple_SET_ITEM(spans, i, span);
        else Py_CLEAR(spans);
    }
    return spans;
}

/* marks(places, number, title, text, stones, title_words, text_first, stride): see
 * highlight.marks. */
static PyObject *marks(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *both = NULL;
    Marked one = {0};
    if (!PyArg_ParseTuple(args, "O!IUUy*nnn", &PyTuple_Type, &one.places, &one.number, &one.title,
                          &one.text, &one.stones, &one.title_words, &one.text_first, &one.stride))
        return NULL;
    if (mark(&one) == 0) {
        PyObject *of_title = listed(&one.in_title), *of_text = listed(&one.in_text);
        if (of_title && of_text) both = PyTuple_Pack(2, of_title, of_text);
        Py_XDECREF(of_title);
        Py_XDECREF(of_text);
    }
    done_with(&one);
    return both;
}

/* -- where sentences end -------------------------------------------------------------------- */

typedef struct {
    PyObject *str;
    Text text, known; /* the str; abbreviations with a space around each */
    Py_ssize_t longest; /* of those */
    Py_ssize_t size;    /* of a passage */
} Reader;

static inline Py_UCS4 at(const Text *text, Py_ssize_t place) {
    return PyUnicode_READ(text->kind, text->data, place);
}

static inline int is_space(const Text *text, Py_ssize_t place) {
    return Py_UNICODE_ISSPACE(at(text, place));
}

static Py_ssize_t trimmed(const Text *text, Py_ssize_t start, Py_ssize_t end) {
    while (end > start && is_space(text, end - 1)) end--;
    return end;
}

static inline int is_end(Py_UCS4 c) { return c == '.' || c == '!' || c == '?' || c == 0x2026; }

/* Tell whether a character may end a sentence; no branch, which would be guessed wrong too often. */
static inline int is_sign(Py_UCS4 c) {
    const uint64_t signs = 1ull << '.' | 1ull << '!' | 1ull << '?' | 1ull << '\n';
    return ((c < 64) & (int)(signs >> (c & 63))) | (c == 0x2026);
}

static int is_closing(Py_UCS4 c) {
    return c == '"' || c == '\'' || c == 0xbb || c == 0x201d || c == ')' || c == ']';
}

static int is_before_word(Py_UCS4 c) { /* space or an opening sign */
    return c == ' ' || c == 0xa0 || c == '\n' || c == '\t' || c == '"' || c == '\'' || c == 0xab
        || c == 0x201c || c == '(';
}

/* Tell whether letters are an abbreviation. */
static int is_known(const Reader *read, Py_ssize_t start, Py_ssize_t end) {
    const Text *known = &read->known;
    for (Py_ssize_t i = 0; i + (end - start) + 1 < known->length; i++) {
        Py_ssize_t same = 0;
        if (at(known, i) != ' ' || at(known, i + 1 + end - start) != ' ') continue;
        while (start + same < end
               && at(known, i + 1 + same) == Py_UNICODE_TOLOWER(at(&read->text, start + same)))
            same++;
        if (start + same == end) return 1;
    }
    return 0;
}

/* Tell whether a full stop ends no sentence. */
static int goes_on(const Reader *read, Py_ssize_t stop) {
    const Text *text = &read->text;
    Py_ssize_t next = stop + 1, begin = stop;
    while (next < text->length && next < stop + 10 && is_before_word(at(text, next))) next++;
    if (next < text->length && next < stop + 10 && Py_UNICODE_ISLOWER(at(text, next))) return 1;
    while (begin > 0 && stop - begin <= read->longest && Py_UNICODE_ISALPHA(at(text, begin - 1)))
        begin--;
    if (begin == stop || stop - begin > read->longest) return 0;
    if (stop - begin == 1 && Py_UNICODE_ISUPPER(at(text, begin))) return 1;
    return is_known(read, begin, stop);
}

/* Return where a sentence ends that a line's end ends, or 0. */
static Py_ssize_t line_end(const Text *text, Py_ssize_t place, Py_ssize_t high) {
    Py_ssize_t next = place + 1;
    while (next < high && at(text, next) != '\n' && is_space(text, next)) next++;
    if (next == high) return 0;
    Py_UCS4 c = at(text, next);
    if (c == '\n') return next + 1; /* an empty line */
    int is_dash = c == '-' || c == 0x2013 || c == 0x2014;
    return is_dash && next + 1 < high && is_space(text, next + 1) ? place + 1 : 0;
}

typedef uint16_t Eight __attribute__((vector_size(16)));

/* Return the next place of what may end a sentence, or `high`; a loop for each kind of text,
 * since nothing takes as long as this. */
static Py_ssize_t next_sign(const Text *text, Py_ssize_t place, Py_ssize_t high) {
    const uint8_t *one = text->data;
    const uint16_t *two = text->data;
    const uint32_t *four = text->data;
    for (; text->kind == 2 && place + 8 <= high; place += 8) { /* eight at once */
        Eight c, found;
        uint64_t half[2];
        memcpy(&c, two + place, sizeof c);
        found = (Eight)((c == '.') | (c == '!') | (c == '?') | (c == '\n') | (c == 0x2026));
        memcpy(half, &found, sizeof found);
        if (half[0]) return place + __builtin_ctzll(half[0]) / 16;
        if (half[1]) return place + 4 + __builtin_ctzll(half[1]) / 16;
    }
    switch (text->kind) {
    case 1: while (place < high && !is_sign(one[place])) place++; break;
    case 2: while (place < high && !is_sign(two[place])) place++; break;
    default: while (place < high && !is_sign(four[place])) place++;
    }
    return place;
}

static Py_ssize_t sentence_end(const Reader *read, Py_ssize_t place, Py_ssize_t high) {
    const Text *text = &read->text;
    while ((place = next_sign(text, place, high)) < high) {
        Py_UCS4 c = at(text, place);
        Py_ssize_t next = place + 1, end;
        if (c == '\n') {
            end = line_end(text, place, high);
            if (end) return end;
        } else {
            while (next < high && is_end(at(text, next))) next++;
            for (end = next; end < high && is_closing(at(text, end));) end++;
            if (end < high && is_space(text, end)
                && !(c == '.' && end == place + 1 && goes_on(read, place)))
                return end;
        }
        place = next;
    }
    return high;
}

/* Return the first sentence between two places; an empty one at `high` if there is none. */
static Span sentence(const Reader *read, Py_ssize_t place, Py_ssize_t high) {
    while (place < high && is_space(&read->text, place)) place++;
    return (Span){place, trimmed(&read->text, place, sentence_end(read, place, high))};
}

/* Return where a piece ends with the sentences that follow, as long as they fit. */
static Py_ssize_t grown(const Reader *read, Span piece, Py_ssize_t high) {
    for (;;) {
        Span next = sentence(read, piece.end, high);
        int lines = 0;
        for (Py_ssize_t i = piece.end; i < next.start; i++) lines += at(&read->text, i) == '\n';
        if (lines > 1 || next.start == next.end || next.end - piece.start > read->size)
            return piece.end;
        piece.end = next.end;
    }
}

/* Return the next place of an empty line's first or second line end, in either direction. */
static Py_ssize_t empty_line(const Reader *read, Py_ssize_t low, Py_ssize_t high, int direction) {
    const Text *text = &read->text;
    for (;;) {
        Py_ssize_t place = PyUnicode_FindChar(read->str, '\n', low, high, direction);
        Py_ssize_t other = place + direction;
        if (place < 0) return direction > 0 ? high : low;
        if (low <= other && other < high && at(text, other) == '\n') return place;
        if (direction > 0) low = place + 1;
        else high = place;
    }
}

/* Return the part of a text between two empty lines that has a word in it. */
static Span paragraph(const Reader *read, Py_ssize_t start, Py_ssize_t end) {
    return (Span){
        empty_line(read, 0, start, -1), empty_line(read, end, read->text.length, 1),
    };
}

/* -- which passages show the marks ---------------------------------------------------------- */

/* A piece that may be shown, and the marks in it. */
typedef struct {
    Span span;
    Py_ssize_t first, count, parts, number;
    int is_cut_before, is_cut_after;
} Piece;

typedef struct {
    Reader read;
    Marks marks;
    Piece *pieces; /* as many as there are marks, or one */
    Py_ssize_t count;
} Show;

static Py_ssize_t before(const Show *show, Py_ssize_t place, Py_ssize_t from) {
    while (from < show->marks.count && show->marks.at[from].start < place) from++;
    return from;
}

static void add(Show *show, Span span, Py_ssize_t first, Py_ssize_t after, Span whole) {
    Py_ssize_t parts = 0;
    for (Py_ssize_t i = first; i < after; i++) {
        Py_ssize_t same = first;
        while (show->marks.at[same].part != show->marks.at[i].part) same++;
        parts += same == i; /* the first of its part */
    }
    show->pieces[show->count] = (Piece){
        span, first, after - first, parts, show->count,
        span.start > whole.start, span.end < whole.end,
    };
    show->count++;
}

/* Return where a piece of a long sentence begins, some words before a mark. */
static Py_ssize_t cut_start(const Text *text, Py_ssize_t room, Py_ssize_t anchor) {
    for (; room + 1 < anchor; room++)
        if (is_space(text, room) && !is_space(text, room + 1)) return room + 1;
    return anchor;
}

/* Return where such a piece ends: at the last space that it has room for, behind its first mark. */
static Py_ssize_t cut_end(const Text *text, Py_ssize_t start, Mark mark, Py_ssize_t end, int is_marked) {
    for (Py_ssize_t i = end; i >= mark.end && i > 0; i--) {
        Py_UCS4 c = at(text, i);
        if (c == ' ' || c == '\n' || c == '\t' || c == 0xa0) return trimmed(text, start, i);
    }
    if (is_marked) return mark.end; /* an endless word is shown whole, */
    Py_ssize_t most = end + 1000;   /* an endless row of dashes is not */
    while (end < most && end < text->length && !is_space(text, end)) end++;
    return end;
}

/* Add pieces of a long sentence that show the marks from `done` to `until`, or its beginning. */
static void cut(Show *show, Span whole, Py_ssize_t done, Py_ssize_t until) {
    const Text *text = &show->read.text;
    Py_ssize_t last = whole.start, size = show->read.size;
    int is_marked = done < until;
    do {
        Mark mark = is_marked ? show->marks.at[done] : (Mark){whole.start, whole.start, 0};
        Py_ssize_t start = mark.start - size / 3 > last ? mark.start - size / 3 : last;
        if (start > whole.start) start = cut_start(text, start, mark.start);
        Py_ssize_t end = mark.end > start + size ? mark.end : start + size;
        if (end < whole.end) end = cut_end(text, start, mark, end, is_marked);
        if (end > whole.end) end = whole.end;
        Py_ssize_t after = before(show, end, done);
        if (after > until) after = until;
        if (is_marked && after == done) after++;
        add(show, (Span){start, end}, done, after, whole);
        done = after, last = end;
    } while (done < until);
}

static void find_pieces(Show *show) {
    Py_ssize_t done = 0, place = 0, high = 0;
    while (done < show->marks.count) {
        Mark mark = show->marks.at[done];
        if (mark.start >= high) {
            Span inside = paragraph(&show->read, mark.start, mark.end);
            place = inside.start, high = inside.end;
        }
        Span found = sentence(&show->read, place, high);
        place = found.end;
        if (place <= mark.start) continue;
        if (place - found.start > show->read.size) {
            Py_ssize_t until = before(show, place, done);
            cut(show, found, done, until);
            done = until;
        } else {
            found.end = place = grown(&show->read, found, high);
            Py_ssize_t until = before(show, place, done);
            add(show, found, done, until, found);
            done = until;
        }
    }
}

/* Add the first sentences, if there are any. */
static void find_beginning(Show *show) {
    const Text *text = &show->read.text;
    Py_ssize_t first = 0;
    while (first < text->length && is_space(text, first)) first++;
    if (first == text->length) return;
    Py_ssize_t high = paragraph(&show->read, first, first + 1).end;
    Span found = sentence(&show->read, first, high);
    if (found.end - found.start > show->read.size) {
        cut(show, found, 0, 0);
    } else {
        found.end = grown(&show->read, found, high);
        add(show, found, 0, 0, found);
    }
}

static int by_rank(const void *left, const void *right) {
    const Piece *a = left, *b = right;
    Py_ssize_t order = b->parts - a->parts;
    if (!order) order = b->count - a->count;
    if (!order) order = a->span.start - b->span.start;
    if (!order) order = a->number - b->number;
    return order < 0 ? -1 : order > 0;
}

/* Return a piece as (text, spans, no reasons). */
static PyObject *shown_piece(const Show *show, const Piece *piece) {
    PyObject *text = show->read.str;
    PyObject *spans = spans_of(show->marks.at + piece->first, piece->count,
                               piece->span.start - piece->is_cut_before);
    PyObject *quoted = PyUnicode_Substring(text, piece->span.start, piece->span.end);
    if (quoted && (piece->is_cut_before || piece->is_cut_after)) {
        PyObject *whole = PyUnicode_FromFormat(
            "%s%U%s", piece->is_cut_before ? "\xe2\x80\xa6" : "", quoted,
            piece->is_cut_after ? "\xe2\x80\xa6" : "");
        Py_SETREF(quoted, whole);
    }
    PyObject *piece_shown = quoted && spans ? Py_BuildValue("OO()", quoted, spans) : NULL;
    Py_XDECREF(quoted);
    Py_XDECREF(spans);
    return piece_shown;
}

static int read_marks(PyObject *list, Py_ssize_t length, Marks *marks) {
    Py_ssize_t done = 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        Py_ssize_t mark[3];
        if (read_numbers(PyList_GET_ITEM(list, i), mark, 3) < 0) return -1;
        if (mark[0] < done || mark[0] >= mark[1] || mark[1] > length) {
            PyErr_SetString(PyExc_ValueError, "marks are ascending and inside the text");
            return -1;
        }
        if (add_mark(marks, (Mark){mark[0], done = mark[1], mark[2]}) < 0) return -1;
    }
    return 0;
}

/* What is shown of whatever text: how many passages, of which length; the abbreviations, and how
 * long the longest of them is. */
typedef struct { Py_ssize_t limit, size, longest; PyObject *known; } Rules;

/* Return the best passages, as many as are wanted. */
static PyObject *best_shown(PyObject *text, Marks marks, const Rules *rules) {
    if (rules->limit < 0 || rules->size < 3 || rules->size > 1 << 20)
        return PyErr_Format(PyExc_ValueError, "no such limit or size");
    Show show = {
        .read = {text, text_of(text), text_of(rules->known), rules->longest, rules->size},
        .marks = marks,
        .pieces = PyMem_New(Piece, marks.count + 1),
    };
    if (!show.pieces) return PyErr_NoMemory();
    if (marks.count) find_pieces(&show);
    else find_beginning(&show);
    qsort(show.pieces, (size_t)show.count, sizeof(Piece), by_rank);
    Py_ssize_t size = show.count < rules->limit ? show.count : rules->limit;
    PyObject *best = PyList_New(size);
    for (Py_ssize_t i = 0; best && i < size; i++) {
        PyObject *pair = shown_piece(&show, &show.pieces[i]);
        if (pair) PyList_SET_ITEM(best, i, pair);
        else Py_CLEAR(best);
    }
    PyMem_Free(show.pieces);
    return best;
}

/* passages(text, marks, (limit, size, longest, known)): see highlight.passages. */
static PyObject *passages(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *text, *list, *best = NULL;
    Rules rules;
    Marks marks = {0};
    if (!PyArg_ParseTuple(args, "UO!(nnnU)", &text, &PyList_Type, &list, &rules.limit, &rules.size,
                          &rules.longest, &rules.known))
        return NULL;
    if (read_marks(list, PyUnicode_GET_LENGTH(text), &marks) == 0)
        best = best_shown(text, marks, &rules);
    PyMem_Free(marks.at);
    return best;
}

/* shown(places, number, title, text, stones, title_words, text_first, stride, (limit, size, longest,
 * known)): where the marks of the title are, and the passages; see highlight.Highlighter.shown. */
static PyObject *shown(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *both = NULL;
    Marked one = {0};
    Rules rules;
    if (!PyArg_ParseTuple(args, "O!IUUy*nnn(nnnU)", &PyTuple_Type, &one.places, &one.number,
                          &one.title, &one.text, &one.stones, &one.title_words, &one.text_first,
                          &one.stride, &rules.limit, &rules.size, &rules.longest, &rules.known))
        return NULL;
    if (mark(&one) == 0) {
        PyObject *spans = spans_of(one.in_title.at, one.in_title.count, 0);
        PyObject *best = best_shown(one.text, one.in_text, &rules);
        if (spans && best) both = PyTuple_Pack(2, spans, best);
        Py_XDECREF(spans);
        Py_XDECREF(best);
    }
    done_with(&one);
    return both;
}

PyMethodDef passages_methods[] = {
    {"marks", marks, METH_VARARGS, NULL},
    {"passages", passages, METH_VARARGS, NULL},
    {"shown", shown, METH_VARARGS, NULL},
    {NULL},
};
