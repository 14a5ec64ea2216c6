/* Lists: a word of a query becomes a list of postings, and lists are gone through together.

   A list is the postings of one term as they lie in the file or, where a word has several lemmas,
   is asked for in one form, begins like this or is a phrase, postings that were made for the
   occasion. Lists go chunk by chunk (65,536 articles). */
#ifndef SEARCHKIT_LISTS_H
#define SEARCHKIT_LISTS_H

#include "query.h"

/* -- lists that are made --------------------------------------------------------------------- */

typedef struct {
    List *list;
    uint16_t *keys, *lows;
    uint64_t *ends;
    uint64_t room_for_chunks;
} Maker;

/* Begins a list of at most so many postings. */
static int make(Query *q, Maker *maker, List *list, uint64_t postings) {
    uint64_t chunks = ((uint64_t)q->s->size + CHUNK - 1) / CHUNK;
    memset(list, 0, sizeof *list);
    char *room = keep(q, chunks * 10 + postings * 6 + 16);
    if (!room) return 0;
    maker->list = list;
    maker->room_for_chunks = chunks;
    list->made = room;
    list->ends = maker->ends = (uint64_t *)room;
    list->worths = (float *)(room + chunks * 8);
    list->keys = maker->keys = (uint16_t *)(room + chunks * 8 + postings * 4);
    list->lows = maker->lows = maker->keys + chunks;
    list->most = q->s->k1_1 + q->word_lead;
    return 1;
}

static inline void put(Maker *maker, uint32_t doc, float worth) {
    List *list = maker->list;
    if (!list->chunks || maker->keys[list->chunks - 1] != doc >> 16) {
        if (list->chunks == maker->room_for_chunks) return; /* damaged: a number that is no article */
        maker->keys[list->chunks++] = (uint16_t)(doc >> 16);
    }
    maker->lows[list->having] = (uint16_t)doc;
    list->worths[list->having++] = worth;
    maker->ends[list->chunks - 1] = list->having;
}

static inline int is_alive(const Query *q, uint32_t doc) {
    return doc < q->s->size && (!q->alive || q->alive[doc]);
}

/* Makes one list of several, or of one that has to be filtered: an article is worth the best. */
static int unite(Query *q, const List *lists, int n, int in_title, List *out) {
    const Segment *s = q->s;
    Table *table = q->table;
    uint64_t most = 0, *at = keep(q, (size_t)n * sizeof *at);
    for (int i = 0; i < n; i++) most += lists[i].having;
    Maker maker;
    if (!at || !make(q, &maker, out, most)) return 0;
    memset(at, 0, (size_t)n * sizeof *at);
    for (;;) {
        uint32_t key = CHUNK;
        for (int i = 0; i < n; i++)
            if (at[i] < lists[i].chunks && lists[i].keys[at[i]] < key) key = lists[i].keys[at[i]];
        if (key == CHUNK) return 1;
        look_at_clock(q);
        if (q->failed) return 0;
        for (int i = 0; i < n; i++) {
            const List *list = &lists[i];
            if (at[i] == list->chunks || list->keys[at[i]] != key) continue;
            Chunk chunk = chunk_of(s, list, at[i]++);
            for (uint64_t p = chunk.a; p < chunk.b; p++) {
                uint32_t low = list->lows[p], doc = key << 16 | low, titles, texts;
                float w;
                if (list->worths) w = list->worths[p];
                else {
                    int in_lead = counts(s, p, &titles, &texts);
                    if (in_title && !titles) continue;
                    w = worth_of(s, list->is_label, doc, titles, in_title ? 0 : texts);
                    if (in_lead && !in_title) w += list->lead;
                }
                if (w > table->score[low]) table->score[low] = w;
                table->bits[low / 64] |= 1ull << low % 64;
            }
        }
        for (uint32_t i = 0; i < CHUNK / 64; i++) {
            for (uint64_t bits = table->bits[i]; bits; bits &= bits - 1) {
                uint32_t low = i * 64 + (uint32_t)__builtin_ctzll(bits);
                if (is_alive(q, key << 16 | low)) put(&maker, key << 16 | low, table->score[low]);
                table->score[low] = 0;
            }
            table->bits[i] = 0;
        }
    }
}

/* -- words in a segment ----------------------------------------------------------------------- */

static int add_term(Query *q, Word *word, uint64_t term) {
    List *list = &word->terms[word->n_terms];
    if (term < q->s->n_terms_ends && take_term(q->s, term, list)) {
        list->lead = q->word_lead;
        list->most += q->word_lead;
        word->n_terms++;
        return 1;
    }
    q->failed = 1;
    return 0;
}

/* Whether a position is among the first words of a text, given how many words the title has. */
static inline int is_in_lead(uint64_t position, uint32_t words) {
    return position - words - GAP < LEAD_WORDS; /* of the title a great number */
}

/* What a posting is worth whose places are known; so much more if one of them is in the lead. */
static float worth_of_places(const Segment *s, uint32_t doc, const Places *places, float lead) {
    uint32_t titles = 0, words = doc < s->size ? s->title_words[doc] : 0;
    int in_lead = 0;
    for (uint64_t i = 0; i < places->n; i++) {
        titles += places->at[i] < words;
        in_lead |= is_in_lead(places->at[i], words);
    }
    float w = worth_of(s, 0, doc, titles, (uint32_t)places->n - titles);
    return in_lead ? w + lead : w;
}

__extension__ typedef unsigned __int128 Wide;

/* The places of the postings of a term, one after the other. */
typedef struct {
    const uint8_t *rows; /* of the block at hand */
    uint64_t bit, width;
} Reading;

/* Begins with a posting. */
static int read_from(const Segment *s, uint64_t p, Reading *reading) {
    uint64_t block = p / BLOCK, before, all;
    uint64_t end = (block + 1) * BLOCK < s->n_codes ? (block + 1) * BLOCK : s->n_codes;
    SURE_OF(s, codes, block * BLOCK, end - block * BLOCK);
    SURE_OF(s, row_widths, block, 1);
    SURE_OF(s, row_starts, block, 1);
    before = places_between(s, block * BLOCK, p);
    all = before + places_between(s, p, end);
    uint64_t start = s->row_starts[block];
    *reading = (Reading){s->rows + start, 0, s->row_widths[block]};
    if (reading->width > 57 || start > s->n_rows || all > 8 * s->n_rows ||
        all * reading->width / 8 + 8 > s->n_rows - start) return 0;
    SURE_OF(s, rows, start, all * reading->width / 8 + 8);
    reading->bit = before * reading->width;
    return 1;
}

/* Reads a place, some places ahead. */
static inline uint64_t place_at(const Reading *reading, uint64_t ahead) {
    uint64_t value, bit = reading->bit + ahead * reading->width;
    memcpy(&value, reading->rows + bit / 8, 8);
    return value >> (bit & 7) & ((1ull << reading->width) - 1);
}

/* Tells which of the next n places are of one of a term's forms. */
static uint32_t are_of_form(const Reading *reading, uint32_t n, uint32_t forms, uint64_t ordinal,
                            uint32_t *which) {
    uint64_t inverse = UINT64_MAX / forms + 1; /* a number of 32 bits is divided by a product */
    uint32_t found = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t value = place_at(reading, i), position;
        if (value >> 32 || forms == 1) position = value / forms;
        else position = (uint64_t)((Wide)inverse * value >> 64);
        which[found] = i;
        found += value - position * forms == ordinal;
    }
    return found;
}

typedef struct {
    uint32_t doc, first, end; /* which of the places that were found */
    int has_title, has_lead;  /* whether the term, in any form, stands there */
} OfForm;

/* What a posting of a form is worth. */
static float worth_of_form(const Query *q, const OfForm *one, int is_label, const Reading *reading,
                           uint32_t forms, const uint32_t *which) {
    uint32_t all = one->end - one->first, in_title = 0, in_lead = 0;
    int is_asked = !is_label && (one->has_title || (one->has_lead && q->word_lead > 0));
    if (is_asked && one->doc < q->s->size)
        for (uint32_t i = one->first; i < one->end; i++) {
            uint64_t position = place_at(reading, which[i]) / forms;
            in_title += position < q->s->title_words[one->doc];
            in_lead |= is_in_lead(position, q->s->title_words[one->doc]);
        }
    float w = worth_of(q->s, is_label, one->doc, in_title, all - in_title);
    return in_lead ? w + q->word_lead : w;
}

/* Puts those of the postings from p to end - 1, of one block, where the form stands. */
static int put_form(Query *q, Maker *maker, const List *term, uint32_t base, uint64_t p,
                    uint64_t end, uint32_t forms, uint64_t ordinal) {
    const Segment *s = q->s;
    Places *room = &q->places[0];
    Reading reading;
    OfForm found[BLOCK];
    int n = 0;
    if (!read_from(s, p, &reading)) return 0;
    uint64_t places = places_between(s, p, end), before = 0;
    room->n = 0;
    if (places > UINT32_MAX || !room_for(room, places + 1)) return 0;
    uint32_t all = are_of_form(&reading, (uint32_t)places, forms, ordinal, room->at), i = 0;
    for (; p < end && i < all; p++) {
        uint32_t titles, texts, first = i;
        int has_lead = counts(s, p, &titles, &texts);
        before += (uint64_t)titles + texts;
        while (i < all && room->at[i] < before) i++;
        if (i == first || !is_alive(q, base | term->lows[p])) continue;
        found[n++] = (OfForm){base | term->lows[p], first, i, titles > 0, has_lead};
        __builtin_prefetch(s->text_norms + found[n - 1].doc);
    }
    for (int j = 0; j < n; j++)
        put(maker, found[j].doc,
            worth_of_form(q, &found[j], term->is_label, &reading, forms, room->at));
    return 1;
}

/* Makes the list of a form, given one of its terms. */
static int make_form(Query *q, const List *term, int64_t ordinal, List *out) {
    Maker maker;
    uint32_t forms = form_count(q->s, term->term);
    if (!make(q, &maker, out, term->having)) return 0;
    for (uint64_t c = 0; c < term->chunks; c++) {
        Chunk chunk = chunk_of(q->s, term, c);
        look_at_clock(q);
        for (uint64_t p = chunk.a, end; p < chunk.b; p = end) {
            end = (p / BLOCK + 1) * BLOCK < chunk.b ? (p / BLOCK + 1) * BLOCK : chunk.b;
            if (q->failed || !put_form(q, &maker, term, (uint32_t)term->keys[c] << 16, p, end,
                                       forms, (uint64_t)ordinal)) return 0;
        }
    }
    return 1;
}

/* Finds a form's first term, and the form's number there; 0 if it is damaged. */
static int form_at(const Segment *s, uint64_t form, uint32_t *term, int64_t *ordinal) {
    SURE_OF_END(s, s->lemma_ends, form);
    uint64_t first = form ? s->lemma_ends[form - 1] : 0;
    if (first >= s->lemma_ends[form] || s->lemma_ends[form] > s->n_lemmas) return 0;
    SURE_OF(s, lemmas, first, 1);
    *term = s->lemmas[first];
    if (*term >= s->n_terms_ends) return 0;
    SURE_OF_END(s, s->term_form_ends, *term);
    uint64_t low = *term ? s->term_form_ends[*term - 1] : 0, end = s->term_form_ends[*term];
    if (low > end || end > s->n_term_forms) return 0;
    SURE_OF(s, term_forms, low, end - low);
    uint64_t start = low;
    for (uint64_t high = end; low < high;) {
        uint64_t middle = (low + high) / 2;
        if (s->term_forms[middle] < form) low = middle + 1;
        else high = middle;
    }
    *ordinal = (int64_t)(low - start);
    return 1;
}

static int resolve_form(Query *q, Word *word) {
    Strings forms = STRINGS(q->s, forms);
    uint32_t term;
    word->terms = keep(q, sizeof(List));
    if (!word->terms) return 0;
    int64_t form = find(&forms, (const uint8_t *)word->strings[0], word->sizes[0]);
    if (form < 0) return 1;
    if (!form_at(q->s, (uint64_t)form, &term, &word->ordinal)) return 0;
    if (!add_term(q, word, term)) return 0;
    if (form_count(q->s, term) == 1) word->ordinal = -1; /* every place is one of it */
    return 1;
}

/* Whether no term of a form is one of those from first to end - 1: "йшов" for "йш*"; -1 if it is
   damaged. */
static int is_stray_form(const Segment *s, uint64_t form, uint64_t first, uint64_t end) {
    SURE_OF_END(s, s->lemma_ends, form);
    uint64_t low = form ? s->lemma_ends[form - 1] : 0, high = s->lemma_ends[form];
    if (high > s->n_lemmas) return -1;
    if (low < high) SURE_OF(s, lemmas, low, high - low);
    for (; low < high; low++)
        if (s->lemmas[low] >= first && s->lemmas[low] < end) return 0;
    return 1;
}

/* Terms and forms that begin like a prefix, and how many they are. */
typedef struct { uint64_t first, end, form, form_end; size_t size; } Beginning;

static Beginning beginning_like(const Segment *s, const Word *prefix) {
    Strings terms = STRINGS(s, terms), forms = STRINGS(s, forms);
    const uint8_t *start = (const uint8_t *)prefix->strings[0];
    Beginning found;
    prefixed(&terms, start, prefix->sizes[0], &found.first, &found.end);
    prefixed(&forms, start, prefix->sizes[0], &found.form, &found.form_end);
    found.size = (size_t)(found.end - found.first + found.form_end - found.form);
    return found;
}

static int resolve_prefix(Query *q, Word *word) {
    Segment *s = q->s;
    Beginning like = beginning_like(s, word);
    word->terms = keep(q, (like.size + 1) * sizeof(List));
    if (!word->terms) return 0;
    for (uint64_t term = like.first; term < like.end; term++) {
        tick(q);
        if (q->failed || !add_term(q, word, term)) return 0;
    }
    for (uint64_t form = like.form; form < like.form_end; form++) {
        uint32_t term;
        int64_t ordinal;
        List list;
        int is_stray = is_stray_form(s, form, like.first, like.end);
        if (is_stray < 0) return 0;
        if (!is_stray) continue;
        if (!form_at(s, form, &term, &ordinal) || !take_term(s, term, &list)) return 0;
        if (!make_form(q, &list, ordinal, &word->terms[word->n_terms])) return 0;
        word->n_terms++;
    }
    return 1;
}

/* Takes a phrase of two words for one word, if they often stand together (codec/together.py) and
   the segment at hand has a term for that; in another segment it may be a phrase. */
static int resolve_pair(Query *q, Word *phrase) {
    Strings terms = STRINGS(q->s, terms);
    char key[512] = {PAIR};
    size_t size = 1;
    for (int i = 0; i < 2; i++) {
        const Word *word = &phrase->words[i];
        if (phrase->n != 2 || word->kind != WORD || word->n_terms != 1) return 1;
        uint64_t term = word->terms[0].term;
        SURE_OF_END(q->s, terms.ends, term);
        uint64_t start = term ? terms.ends[term - 1] : 0;
        uint64_t length = terms.ends[term] - start;
        if (start > terms.ends[term] || terms.ends[term] > terms.size) return 0;
        SURE_AT(q->s, terms.bytes + start, length);
        if (length < 1 || terms.bytes[start] < 0x20 || size + length + 1 > sizeof key) return 1;
        if (i) key[size++] = ' ';
        memcpy(key + size, terms.bytes + start, length);
        size += length;
    }
    int64_t pair = find(&terms, (const uint8_t *)key, (Py_ssize_t)size);
    if (pair < 0) return 1;
    phrase->kind = WORD;
    phrase->terms = keep(q, sizeof(List));
    return phrase->terms && add_term(q, phrase, (uint64_t)pair);
}

/* Finds a word in the segment at hand; 0 on failure. */
static int resolve(Query *q, Word *word) {
    Strings terms = STRINGS(q->s, terms);
    word->n_terms = word->has_whole = 0;
    word->ordinal = -1;
    word->best_docs = NULL;
    word->terms = NULL;
    if (word->kind == PHRASE) {
        for (int i = 0; i < word->n; i++)
            if (!resolve(q, &word->words[i])) return 0;
        return resolve_pair(q, word);
    }
    if (word->kind == FORM) return resolve_form(q, word);
    if (word->kind == PREFIX) return resolve_prefix(q, word);
    word->terms = keep(q, (size_t)word->n * sizeof(List));
    if (!word->terms) return 0;
    for (int i = 0; i < word->n; i++) {
        int64_t term = find(&terms, (const uint8_t *)word->strings[i], word->sizes[i]);
        if (term >= 0 && !add_term(q, word, (uint64_t)term)) return 0;
    }
    return 1;
}

/* Reads where a word stands in an article; 0 on failure. */
static int places_of(Query *q, const Word *word, uint32_t doc, Places *places) {
    places->n = 0;
    for (int i = 0; i < word->n_terms; i++) {
        const List *term = &word->terms[i];
        uint64_t p = posting_of(term, doc);
        if (p != NOWHERE &&
            !add_places(q->s, p, form_count(q->s, term->term), word->ordinal, places)) return 0;
    }
    sort_places(places);
    return 1;
}

/* Keeps those places of the first behind which, at a distance, there is one of the second. */
static void keep_followed(Places *first, const Places *second, uint32_t distance) {
    uint64_t kept = 0, j = 0;
    for (uint64_t i = 0; i < first->n; i++) {
        uint64_t wanted = (uint64_t)first->at[i] + distance;
        while (j < second->n && second->at[j] < wanted) j++;
        if (j < second->n && second->at[j] == wanted) first->at[kept++] = first->at[i];
    }
    first->n = kept;
}

/* -- going through lists --------------------------------------------------------------------- */

typedef struct Walk Walk;
typedef void (*Visit)(Walk *walk, uint32_t doc, uint64_t *at);

/* The articles of one chunk that are in all lists. */
typedef struct {
    Chunk chunks[SLOTS]; /* of the lists */
    uint32_t key;
    int lead;      /* the list that has fewest here */
    uint64_t a, n; /* its first posting; how many of it and of those behind it are in all */
    uint16_t *met; /* how far from the first one these are */
} Common;

struct Walk {
    Query *q;
    const List *lists[SLOTS];
    Visit visit;         /* NULL to count only */
    int in_order;        /* whether it is for the articles as they come, whatever they are worth */
    const uint64_t *check; /* only articles whose `last` is not less count, if not NULL */
    float least; /* only articles count that may get it; the visitor says */
    uint64_t found;
    int k;
    void *own; /* the visitor's */
};

#define CERTAINLY 0.99999f /* times a score: rounding does not reach it */

/* Whether a bonus is not ruled out in an article by what was looked through. */
static inline int is_marked(const Bonus *bonus, uint32_t doc) {
    return !bonus->followed || bonus->followed[doc / 8] >> doc % 8 & 1;
}

/* Whether all bonuses are. */
static inline int is_bare(const Query *q, uint32_t doc) {
    for (int i = 0; i < q->n_bonuses && doc < q->s->size; i++)
        if (is_marked(&q->bonuses[i], doc)) return 0;
    return 1;
}

/* What an article's posting in one list must be worth for the article to count, if it has no bonus;
   else, bonuses of its word add in proportion to that at most. */
static float needed(const Walk *w, int lead, int is_bare) {
    const Query *q = w->q;
    if (!(w->least > 0)) return -1; /* of a phrase, too: its lists are not those of the query's words */
    double rest = 0, unit = q->words[lead].unit;
    if (!(unit > 0)) return -1;
    for (int i = 0; i < w->k; i++)
        if (i != lead) rest += (double)w->lists[i]->most * q->words[i].unit;
    for (int i = 0; i < q->n_bonuses && !is_bare; i++) {
        const Bonus *bonus = &q->bonuses[i];
        if (bonus->left == lead || bonus->right == lead)
            unit += (double)bonus->unit * q->words[lead].n_terms;
        else rest += bonus->most;
    }
    return (float)((w->least - rest) / unit) * CERTAINLY;
}

#define NEXT 32 /* postings that are compared at once, from the last one on */

/* The posting of an article that is known to be in a chunk of a list, from a posting on. */
static inline uint64_t looked_up(const Chunk *chunk, const List *list, uint32_t doc, uint64_t from) {
    const uint16_t *lows = list->lows, than = (uint16_t)doc;
    if (chunk->ranks) return ranked(chunk, than);
    if (chunk->b - from >= NEXT && lows[from + NEXT - 1] >= than) { /* of a frequent word mostly */
        uint16_t less = 0;
        for (int i = 0; i < NEXT; i++) less = (uint16_t)(less + (lows[from + i] < than));
        return from + less;
    }
    uint64_t at = near(lows, chunk->a, chunk->b, than);
    return at < chunk->b ? at : chunk->b - 1;
}

/* The first of the articles that do not count whose number is not less. */
static const uint32_t *dead_from(const Query *q, uint64_t number) {
    uint64_t low = 0, high = q->n_dead;
    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (q->dead[middle] < number) low = middle + 1;
        else high = middle;
    }
    return q->dead + low;
}

#define FEW 16 /* times as many postings as there are others are rather looked up in than read */

/* How many bits two rows for a chunk of so many articles have in common. */
WIDE static uint64_t common_bits(const uint8_t *a, const uint8_t *b, uint64_t size) {
    uint64_t found = 0;
    for (uint64_t i = 0; i < CHUNK / 8 && i * 8 < size; i += 128) { /* 16 words: a byte's count is 128 at most */
        uint64_t x[16], y[16], counted = 0;
        memcpy(x, a + i, sizeof x);
        memcpy(y, b + i, sizeof y);
        for (int j = 0; j < 16; j++) {
            uint64_t bits = x[j] & y[j];
            bits -= bits >> 1 & 0x5555555555555555;
            bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
            counted += (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F;
        }
        counted = (counted & 0x00FF00FF00FF00FF) + (counted >> 8 & 0x00FF00FF00FF00FF);
        found += counted * 0x0001000100010001 >> 48;
    }
    return found;
}

#define LANES 16
#define RATHER_READ 128 /* times as many postings as there are others are rather read than looked up in */
#define ABREAST 8 /* numbers that LANES others are compared with at once */

typedef uint16_t Lanes __attribute__((vector_size(2 * LANES)));

/* Numbers that are among others: `met` is NULL to count only; see `keep_equal`. */
typedef struct { uint16_t *met; uint64_t kept, n; int are_some; } Equal;

/* Compares ABREAST numbers, the first of them the `at`th, with `left` of LANES others, all with all. */
static inline void compare_block(Equal *equal, const uint16_t *few, uint64_t at, const uint16_t *many,
                                 uint64_t left) {
    Lanes lanes, any = {0};
    uint64_t found[LANES / 4];
    memcpy(&lanes, many, sizeof lanes);
    for (int k = 0; k < ABREAST; k++) any |= (Lanes)(lanes == few[k]);
    for (uint64_t k = left; k < LANES; k++) any[k] = 0;
    memcpy(found, &any, sizeof found);
    if (!equal->met) {
        uint64_t counts = 0; /* four at once */
        for (int i = 0; i < LANES / 4; i++) counts += found[i] & 0x0001000100010001;
        equal->kept += counts * 0x0001000100010001 >> 48;
        return;
    }
    if (!(found[0] | found[1] | found[2] | found[3])) return; /* mostly */
    for (uint64_t i = 0, k = 0; i < LANES; i += 4)
        for (uint64_t bits = found[i / 4], lane; bits; bits &= ~(0xFFFFull << 16 * (lane - i))) {
            lane = i + (uint64_t)__builtin_ctzll(bits) / 16;
            if (equal->kept == equal->n) return; /* damaged */
            while (k < ABREAST - 1 && few[k] != many[lane]) k++;
            if (few[k] != many[lane]) return; /* damaged: not ascending */
            equal->met[equal->kept++] = equal->are_some ? equal->met[at + k] : (uint16_t)(at + k);
        }
}

/* What is left of n numbers behind whole blocks; the last one is repeated until there are enough. */
static void take_rest(uint16_t *rest, uint64_t block, const uint16_t *numbers, uint64_t n) {
    for (uint64_t i = 0, at = n / block * block; n && i < block; i++, at++)
        rest[i] = numbers[at < n ? at : n - 1];
}

/* Of n numbers keeps in `met` those that are among m others, both ascending: where they are, or what `met`
   had there; or counts them only. Blocks of both are compared; then that goes on which ends first, without a branch. */
WIDE static uint64_t keep_equal(const uint16_t *few, uint64_t n, const uint16_t *many, uint64_t m,
                                uint16_t *met, int are_some) {
    Equal equal = {met, 0, n, are_some};
    uint16_t rest_of_few[ABREAST], rest_of_many[LANES];
    uint64_t i = 0, j = 0;
    while (i + ABREAST <= n && j + LANES <= m) {
        compare_block(&equal, few + i, i, many + j, LANES);
        uint16_t last = few[i + ABREAST - 1], other = many[j + LANES - 1];
        i += last <= other ? ABREAST : 0;
        j += other <= last ? LANES : 0;
    }
    take_rest(rest_of_few, ABREAST, few, n);
    take_rest(rest_of_many, LANES, many, m);
    while (i < n && j < m) {
        const uint16_t *own = n - i < ABREAST ? rest_of_few : few + i;
        const uint16_t *others = m - j < LANES ? rest_of_many : many + j;
        compare_block(&equal, own, i, others, m - j < LANES ? m - j : LANES);
        uint16_t last = own[ABREAST - 1], other = others[LANES - 1];
        i += last <= other ? ABREAST : 0;
        j += other <= last ? LANES : 0;
    }
    return equal.kept;
}

/* Of some postings of a list, given by how far they are from the first one that `lows` has, keeps
   those that another list's chunk has, too; without branches that no processor foresees. */
static uint64_t keep_met(Table *table, const uint16_t *lows, uint16_t *met, uint64_t n,
                         const uint16_t *others, const Chunk *chunk) {
    uint64_t kept = 0, i = 0;
    if (chunk->bits) {
        for (; i < n; i++) {
            uint32_t low = lows[met[i]];
            met[kept] = met[i];
            kept += chunk->bits[low / 8] >> low % 8 & 1;
        }
    } else if ((chunk->b - chunk->a) / RATHER_READ < n) {
        for (; i < n; i++) table->both[i] = lows[met[i]];
        kept = keep_equal(table->both, n, others + chunk->a, chunk->b - chunk->a, met, 1);
    } else {
        for (; i < n; i++) {
            uint64_t p = near(others, chunk->a, chunk->b, lows[met[i]]);
            met[kept] = met[i];
            kept += p < chunk->b && others[p] == lows[met[i]];
        }
    }
    return kept;
}

/* Likewise, of all postings of a list in a chunk, where both have bits: a posting's number is how
   many bits there are before its own. */
POPCOUNTS static uint64_t keep_common(uint16_t *met, uint64_t n, const Chunk *few, const Chunk *many) {
    uint64_t kept = 0, before = 0;
    for (int i = 0; i < CHUNK / 8; i += 8) {
        uint64_t x, y;
        memcpy(&x, few->bits + i, 8);
        memcpy(&y, many->bits + i, 8);
        for (uint64_t both = x & y; both; both &= both - 1) {
            uint64_t below = (both & -both) - 1;
            met[kept++] = (uint16_t)(before + (uint64_t)__builtin_popcountll(x & below));
        }
        before += (uint64_t)__builtin_popcountll(x);
    }
    return before == n ? kept : 0; /* of a damaged list nothing is kept */
}

/* Counts what whole chunks of two lists that have bits have in common, but for what does not count. */
static uint64_t count_common(const Query *q, uint64_t base, const Chunk *few, const Chunk *many) {
    uint64_t found = common_bits(few->bits, many->bits, q->s->size - base);
    const uint32_t *dead = dead_from(q, base), *last = dead_from(q, base + CHUNK);
    for (; dead < last; dead++) {
        uint32_t low = *dead & 0xFFFF;
        found -= (few->bits[low / 8] & many->bits[low / 8]) >> low % 8 & 1;
    }
    return found;
}

/* Of n postings of a list, one after the other, keeps those that another list's chunk has, too; or counts
   them only, if `met` is NULL. */
static uint64_t meet_first(Table *table, const uint16_t *lows, uint64_t n, const uint16_t *others,
                           const Chunk *chunk, uint16_t *met) {
    uint64_t kept = 0;
    if (chunk->bits && !met)
        for (uint64_t i = 0; i < n; i++) kept += chunk->bits[lows[i] / 8] >> lows[i] % 8 & 1;
    else if (chunk->bits)
        for (uint64_t i = 0; i < n; i++) {
            met[kept] = (uint16_t)i;
            kept += chunk->bits[lows[i] / 8] >> lows[i] % 8 & 1;
        }
    else if ((chunk->b - chunk->a) / RATHER_READ < n)
        kept = keep_equal(lows, n, others + chunk->a, chunk->b - chunk->a, met, 0);
    else {
        if (!met) met = table->met;
        for (uint64_t i = 0; i < n; i++) met[i] = (uint16_t)i;
        kept = keep_met(table, lows, met, n, others, chunk);
    }
    return kept;
}

/* Finds which articles of a chunk are in all lists, from low_end to high_end - 1. */
static void meet_in_chunk(Walk *w, Common *here, uint32_t low_end, uint32_t high_end) {
    const Query *q = w->q;
    int order[SLOTS] = {0}, k = w->k, are_counted = k == 2 && !w->visit && !w->check;
    for (int i = 0; i < k; i++) {
        int j = i;
        uint64_t size = here->chunks[i].b - here->chunks[i].a;
        for (; j && here->chunks[order[j - 1]].b - here->chunks[order[j - 1]].a > size; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
    const List *list = w->lists[here->lead = order[0]], *other = w->lists[order[k > 1]];
    const Chunk *few = &here->chunks[here->lead], *next = &here->chunks[order[k > 1]];
    int have_bits = k > 1 && few->bits && next->bits && !low_end && high_end == CHUNK;
    uint64_t a = few->a, end = few->b, n = 0;
    here->n = 0;
    if (are_counted && have_bits) {
        w->found += count_common(q, (uint64_t)here->key << 16, few, next);
        return;
    }
    if (low_end) a = lower(list->lows, a, end, low_end);
    if (high_end < CHUNK) end = lower(list->lows, a, end, high_end);
    const uint16_t *lows = list->lows + a;
    uint16_t *met = here->met;
    if (are_counted && !q->alive) {
        w->found += meet_first(q->table, lows, end - a, other->lows, next, NULL);
        return;
    }
    if (k == 1) for (; n < end - a; n++) met[n] = (uint16_t)n;
    else if (have_bits && HAS_POPCOUNT) n = keep_common(met, end - a, few, next);
    else n = meet_first(q->table, lows, end - a, other->lows, next, met);
    for (int j = 2; j < k; j++)
        n = keep_met(q->table, lows, met, n, w->lists[order[j]]->lows, &here->chunks[order[j]]);
    for (uint64_t i = 0, all = n; (w->check || q->alive) && i < all; i++) {
        uint32_t doc = here->key << 16 | lows[met[i]];
        if (!i) n = 0;
        met[n] = met[i];
        n += is_alive(q, doc) && (!w->check || q->s->last[doc] >= *w->check);
    }
    w->found += n;
    here->a = a;
    here->n = n;
}

#define CLASSES 4 /* of articles that were collected, by what they may be worth */

/* What an article's postings are worth at most, and bonuses, without a look at how long it is. */
static inline float most_at(const Walk *w, uint32_t doc, const uint64_t *at) {
    float most = is_bare(w->q, doc) ? 0 : w->q->room;
    for (int i = 0; i < w->k; i++)
        most += worth_at_most(w->q->s, w->lists[i], at[i]) * w->q->words[i].unit;
    return most;
}

/* Visits those of the articles that were collected that may be worth enough, and those first that may
   be worth most: the sooner it is known what the best have, the fewer others need be looked at. */
static void visit_hopeful(Walk *w) {
    Hopeful *all = &w->q->table->hopeful;
    uint16_t chosen[HOPES];
    float least = INFINITY, most = 0;
    int n = all->n;
    all->n = 0;
    for (int i = 0; i < n && w->in_order; i++) w->visit(w, all->docs[i], all->at + i * w->k);
    if (w->in_order) return;
    for (int i = 0; i < n; i++) {
        float here = all->most[i] = most_at(w, all->docs[i], all->at + i * w->k);
        if (here < least) least = here;
        if (here > most) most = here;
    }
    for (int c = CLASSES - 1; c >= 0; c--) {
        float from = c ? least + (most - least) / CLASSES * (float)c : 0;
        int count = 0;
        for (int i = 0; i < n; i++) {
            if (all->most[i] < from || all->most[i] < w->least) continue;
            __builtin_prefetch(w->q->s->text_norms + all->docs[i]);
            chosen[count++] = (uint16_t)i;
        }
        for (int j = 0; j < count; j++) {
            int i = chosen[j];
            if (all->most[i] >= w->least) w->visit(w, all->docs[i], all->at + i * w->k);
            all->most[i] = -2;
        }
    }
}

/* Of some of the articles that are in all lists, keeps those whose posting in one may be worth
   enough. */
static uint64_t keep_hopeful(const Walk *w, const Common *here, uint16_t *met, uint64_t n) {
    const List *list = w->lists[here->lead];
    float need[2] = {needed(w, here->lead, 0), needed(w, here->lead, 1)};
    uint64_t kept = 0;
    if (need[1] <= 0) return n;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t p = here->a + met[i];
        met[kept] = met[i];
        kept += worth_at_most(w->q->s, list, p) >=
                need[is_bare(w->q, here->key << 16 | list->lows[p])];
    }
    return kept;
}

/* Collects the articles of a chunk that are to be visited. By then the processor has fetched how often
   the words stand there, which is asked for here. */
static void collect(Walk *w, Common *here) {
    const List *list = w->lists[here->lead];
    Hopeful *all = &w->q->table->hopeful;
    uint64_t next[SLOTS];
    for (int j = 0; j < w->k; j++) {
        next[j] = here->chunks[j].a;
        if (j != here->lead) know_ranks(w->q->s, &here->chunks[j]);
    }
    for (uint64_t from = 0; from < here->n; from += HOPES) {
        uint16_t *met = here->met + from;
        uint64_t n = here->n - from < HOPES ? here->n - from : HOPES;
        n = keep_hopeful(w, here, met, n);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t p = here->a + met[i], *at = all->at + all->n * w->k;
            uint32_t doc = here->key << 16 | list->lows[p];
            for (int j = 0; j < w->k; j++) {
                if (j == here->lead) at[j] = p;
                else at[j] = next[j] = looked_up(&here->chunks[j], w->lists[j], doc, next[j]);
                __builtin_prefetch(w->q->s->codes + at[j]);
            }
            all->docs[all->n++] = doc;
            if (all->n == HOPES) visit_hopeful(w);
        }
    }
}

/* Visits the articles from low to high - 1 that are in all lists. */
static void meet(Walk *w, uint64_t low, uint64_t high) {
    uint64_t at[SLOTS] = {0};
    int lead = 0;
    for (int i = 1; i < w->k; i++)
        if (w->lists[i]->chunks < w->lists[lead]->chunks) lead = i;
    for (int i = 0; i < w->k; i++) at[i] = chunk_number(w->lists[i], (uint32_t)(low >> 16));
    Common here = {.met = w->q->table->met};
    w->q->table->hopeful.n = 0;
    if (high >= w->q->s->size) high = UINT64_MAX; /* the last chunk is a whole one */
    for (; at[lead] < w->lists[lead]->chunks && !w->q->failed; at[lead]++) {
        look_at_clock(w->q);
        uint32_t key = w->lists[lead]->keys[at[lead]];
        uint64_t base = (uint64_t)key << 16;
        if (base >= high) break;
        int i = 0;
        for (; i < w->k; i++) {
            const List *list = w->lists[i];
            while (at[i] < list->chunks && list->keys[at[i]] < key) at[i]++;
            if (at[i] == list->chunks) goto done;
            if (list->keys[at[i]] != key) break;
            here.chunks[i] = chunk_of(w->q->s, list, at[i]);
            if (here.chunks[i].a == here.chunks[i].b) break;
        }
        if (i < w->k) continue;
        here.key = key;
        meet_in_chunk(w, &here, low > base ? (uint32_t)(low - base) : 0,
                      high - base < CHUNK ? (uint32_t)(high - base) : CHUNK);
        if (w->visit && here.n) collect(w, &here);
    }
done:
    if (w->visit) visit_hopeful(w);
}

/* What a list has of the chunk at base, from low to high - 1. */
static Chunk clipped(const Segment *s, const List *list, uint64_t base, uint64_t low,
                     uint64_t high) {
    uint64_t c = chunk_number(list, (uint32_t)(base >> 16));
    if (c == list->chunks || list->keys[c] != base >> 16) return (Chunk){0, 0, NULL};
    Chunk chunk = chunk_of(s, list, c);
    if (low > base) chunk.a = lower(list->lows, chunk.a, chunk.b, (uint32_t)(low - base));
    if (high < base + CHUNK)
        chunk.b = lower(list->lows, chunk.a, chunk.b, (uint32_t)(high - base));
    return chunk;
}

/* How many of a list's articles with numbers from low to high - 1 count. */
static uint64_t count_living(const Query *q, const List *list, uint64_t low, uint64_t high) {
    uint64_t found = low || high < q->s->size ? count_between(list, low, high) : list->having;
    uint64_t dead = 0;
    if (!q->n_dead || list->made) return found;
    for (uint64_t c = chunk_number(list, (uint32_t)(low >> 16)); c < list->chunks; c++) {
        uint64_t base = (uint64_t)list->keys[c] << 16;
        if (base >= high) break;
        Chunk chunk = clipped(q->s, list, base, low, high);
        if (chunk.bits) {
            const uint32_t *at = dead_from(q, low > base ? low : base);
            const uint32_t *end = dead_from(q, high < base + CHUNK ? high : base + CHUNK);
            for (; at < end; at++) dead += chunk.bits[(*at & 0xFFFF) / 8] >> *at % 8 & 1;
        } else
            for (uint64_t p = chunk.a; p < chunk.b; p++)
                dead += !is_alive(q, (uint32_t)base | list->lows[p]);
    }
    return dead < found ? found - dead : 0;
}

/* Visits the articles from low to high - 1 that are in any list: `at` is NULL, and the table has
   the sum of their scores and in which lists they are. */
static void join(Walk *w, uint64_t low, uint64_t high) {
    Query *q = w->q;
    Table *table = q->table;
    for (uint64_t base = low / CHUNK * CHUNK; base < high && !q->failed; base += CHUNK) {
        look_at_clock(q);
        int any = 0;
        for (int i = 0; i < w->k; i++) {
            const List *list = w->lists[i];
            float unit = q->words[i].unit;
            Chunk chunk = clipped(q->s, list, base, low, high);
            for (uint64_t p = chunk.a; p < chunk.b; p++) {
                uint32_t at = list->lows[p];
                table->score[at] += worth(q->s, list, p, (uint32_t)base | at) * unit;
                table->words[at] |= (uint16_t)(1u << i);
                table->bits[at / 64] |= 1ull << at % 64;
            }
            any |= chunk.a < chunk.b;
        }
        for (uint32_t i = 0; any && i < CHUNK / 64; i++) {
            for (uint64_t bits = table->bits[i]; bits; bits &= bits - 1) {
                uint32_t at = i * 64 + (uint32_t)__builtin_ctzll(bits), doc = (uint32_t)base | at;
                if (is_alive(q, doc) && (!w->check || q->s->last[doc] >= *w->check)) {
                    w->found++;
                    w->visit(w, doc, NULL);
                }
                table->score[at] = 0;
                table->words[at] = 0;
            }
            table->bits[i] = 0;
        }
    }
}

/* The articles of a chunk that are in any of several lists: those of the first one that has bits, and the
   bits of a table. As long as few are set in that, how many articles there are, and in how many words of the
   table; which words these are is in `table->both`. */
typedef struct { const uint8_t *first; uint64_t found, words; int are_many; } Marks;

/* Adds those that a list has. */
static void add_bits(Table *table, Marks *marks, const List *list, const Chunk *chunk) {
    uint64_t *bits = table->bits;
    int is_first = !marks->first && !marks->words && !marks->are_many;
    if (chunk->bits && is_first) {
        marks->first = chunk->bits;
        marks->found = chunk->b - chunk->a;
        return;
    }
    marks->are_many |= chunk->bits || chunk->b - chunk->a > CHUNK / 256;
    const uint8_t *more[] = {chunk->bits, marks->are_many ? marks->first : NULL};
    for (int j = 0; j < 2; j++)
        for (int i = 0; more[j] && i < CHUNK / 64; i++) {
            uint64_t word;
            memcpy(&word, more[j] + 8 * i, 8);
            bits[i] |= word;
        }
    if (marks->are_many) marks->first = NULL;
    const uint8_t *first = marks->first;
    for (uint64_t p = chunk->a; !chunk->bits && p < chunk->b; p++) {
        uint32_t low = list->lows[p];
        uint64_t word = bits[low / 64];
        if (!marks->are_many) {
            table->both[marks->words] = (uint16_t)(low / 64);
            marks->words += !word;
            marks->found += ~(word >> low % 64 | (first ? (uint64_t)first[low / 8] >> low % 8 : 0)) & 1;
        }
        bits[low / 64] = word | 1ull << low % 64;
    }
}

/* Counts them but for those that do not count, and sets all bits of the table to 0. */
static uint64_t take_bits(const Query *q, const Marks *marks, uint64_t base) {
    const uint32_t *dead = dead_from(q, base), *last = dead_from(q, base + CHUNK);
    uint64_t *bits = q->table->bits, found = marks->found;
    if (marks->are_many) found = common_bits((const uint8_t *)bits, (const uint8_t *)bits, q->s->size - base);
    for (; dead < last; dead++) {
        uint32_t low = *dead & 0xFFFF;
        found -= (bits[low / 64] >> low % 64 | (marks->first ? (uint64_t)marks->first[low / 8] >> low % 8 : 0)) & 1;
    }
    if (marks->are_many) memset(bits, 0, CHUNK / 8);
    else for (uint64_t i = 0; i < marks->words; i++) bits[q->table->both[i]] = 0;
    return found;
}

/* Counts the articles from low to high - 1 that are in any list. */
static uint64_t count_any(Query *q, const List *const *lists, int k, uint64_t low, uint64_t high) {
    uint64_t found = 0;
    if (k == 1) return count_living(q, lists[0], low, high);
    if (k == 2) {
        Walk w = {.q = q, .lists = {lists[0], lists[1]}, .k = 2};
        meet(&w, low, high);
        for (int i = 0; i < k; i++) found += count_living(q, lists[i], low, high);
        return found - w.found;
    }
    int most = 0; /* has bits, if any has */
    for (int i = 1; i < k; i++)
        if (lists[i]->having > lists[most]->having) most = i;
    for (uint64_t base = low / CHUNK * CHUNK; base < high; base += CHUNK) {
        Marks marks = {0};
        int are_all = low <= base && (high >= base + CHUNK || high >= q->s->size);
        for (int i = 0; i < k; i++) {
            const List *list = lists[i ? i == most ? 0 : i : most];
            Chunk chunk = clipped(q->s, list, base, low, high);
            if (!are_all) chunk.bits = NULL; /* tell of others, too */
            if (chunk.a < chunk.b) add_bits(q->table, &marks, list, &chunk);
        }
        found += take_bits(q, &marks, base);
    }
    return found;
}

/* -- a word as one list ------------------------------------------------------------------------ */

static int make_whole(Query *q, Word *word);

#define RING 16 /* articles that wait until the processor has fetched where their places are */
#define NEAR 6

/* Learns the classes of a word; there are none if they are too many. */
static int classes_of(const Segment *s, const Word *word, Classes *classes) {
    classes->of[0] = ANY_CLASS;
    classes->n = 1;
    for (int t = 0; t < word->n_terms; t++) {
        uint32_t term = word->terms[t].term;
        SURE_OF_END(s, s->term_form_ends, term);
        uint32_t first = term ? s->term_form_ends[term - 1] : 0, end = s->term_form_ends[term];
        if (first > end || end > s->n_term_forms) return 0;
        SURE_OF(s, term_forms, first, end - first);
        for (uint32_t i = first; i < end; i++) {
            if (word->ordinal >= 0 && i - first != word->ordinal) continue;
            if (s->term_forms[i] >= s->n_form_classes) return 0;
            SURE_OF(s, form_classes, s->term_forms[i], 1);
            uint8_t found = s->form_classes[s->term_forms[i]];
            if (memchr(classes->of, found, (size_t)classes->n)) continue;
            if (classes->n == MOST_CLASSES) {
                classes->n = 0;
                return 1;
            }
            classes->of[classes->n++] = found;
        }
    }
    return 1;
}

/* Whether a word of one of some classes may stand behind a word in an article, given the posting of
   a word of one term if that is known. */
static int may_be_followed(const Segment *s, const Word *word, const Classes *classes,
                           uint32_t doc, uint64_t known) {
    if (!classes->n) return 1;
    for (int t = 0; t < word->n_terms; t++) {
        uint32_t titles, texts;
        uint64_t p = known == NOWHERE ? posting_of(&word->terms[t], doc) : known;
        if (p == NOWHERE) continue;
        counts(s, p, &titles, &texts);
        uint64_t at = places_before(s, p), end = at + titles + texts;
        if (end < at || end > s->n_follows) return 1; /* damaged: reading the places tells */
        SURE_OF(s, follows, at, end - at);
        if (next_followed(s, at, end, classes) < end) return 1;
    }
    return 0;
}

typedef struct { uint64_t *postings; uint32_t *docs; uint64_t n, room; } Followed;

static int add_followed(Query *q, Followed *all, uint32_t doc, uint64_t p) {
    if (all->n == all->room) {
        uint64_t room = all->room ? 4 * all->room : 512;
        uint64_t *postings = keep(q, room * sizeof *postings);
        uint32_t *docs = keep(q, room * sizeof *docs);
        if (!postings || !docs) return 0;
        if (all->n) {
            memcpy(postings, all->postings, all->n * sizeof *postings);
            memcpy(docs, all->docs, all->n * sizeof *docs);
        }
        *all = (Followed){postings, docs, all->n, room};
    }
    all->postings[all->n] = p;
    all->docs[all->n++] = doc;
    return 1;
}

/* Finds the articles of a term in which a word of one of some classes stands behind it. */
static int find_followed(Query *q, const List *term, const Classes *classes, Followed *all) {
    const Segment *s = q->s;
    for (uint64_t c = 0; c < term->chunks; c++) {
        Chunk chunk = chunk_of(s, term, c);
        if (chunk.a == chunk.b) continue; /* damaged */
        uint64_t p = chunk.a, here = places_before(s, p), end = places_before(s, chunk.b);
        if (here > end || end > s->n_follows) return 0;
        look_at_clock(q);
        if (q->failed) return 0;
        SURE_OF(s, follows, here, end - here);
        SURE_OF(s, follow_starts, p / BLOCK, (chunk.b - 1) / BLOCK - p / BLOCK + 1);
        for (uint64_t at = here; (at = next_followed(s, at, end, classes)) < end; at = here) {
            while ((p / BLOCK + 1) * BLOCK < chunk.b && s->follow_starts[p / BLOCK + 1] <= at) {
                p = (p / BLOCK + 1) * BLOCK;
                here = s->follow_starts[p / BLOCK];
            }
            for (; p < chunk.b && here <= at; p++) { /* on to the posting that this is a place of */
                uint32_t titles, texts;
                counts(s, p, &titles, &texts);
                here += (uint64_t)titles + texts;
            }
            if (here <= at) return 0;
            if (!add_followed(q, all, (uint32_t)term->keys[c] << 16 | term->lows[p - 1], p - 1))
                return 0;
        }
    }
    return 1;
}

/* Makes the list of these articles. */
static int make_followed(Query *q, const List *term, const Classes *classes, List *out) {
    Followed all = {0};
    Maker maker;
    if (!find_followed(q, term, classes, &all) || !make(q, &maker, out, all.n)) return 0;
    for (uint64_t i = 0; i < all.n; i++) put(&maker, all.docs[i], 0);
    out->from = all.postings;
    return 1;
}

/* Makes a bit for each article of the segment: whether a word is so followed there. */
static int mark_followed(Query *q, const Word *word, const Classes *classes, const uint8_t **out) {
    uint64_t size = (uint64_t)q->s->size / 8 + 1;
    uint8_t *bits = keep(q, size);
    if (!bits) return 0;
    memset(bits, 0, size);
    for (int t = 0; t < word->n_terms; t++) {
        Followed all = {0};
        if (!find_followed(q, &word->terms[t], classes, &all)) return 0;
        for (uint64_t i = 0; i < all.n; i++)
            if (all.docs[i] < q->s->size) bits[all.docs[i] / 8] |= (uint8_t)(1 << all.docs[i] % 8);
    }
    *out = bits;
    return 1;
}

#define FAR 32 /* times as many postings as the rarest word has are not looked through */

/* Makes the list of the articles in which a phrase can be, as what follows one of its words tells,
   if that is soon found; else the word's own list is taken. Returns the word; -1 on failure. */
static int make_candidates(Query *q, const Word *phrase, uint64_t fewest, List *out) {
    int which = 0;
    Classes classes;
    for (int i = 1; i + 1 < phrase->n; i++)
        if (phrase->words[i].whole.having < phrase->words[which].whole.having) which = i;
    const Word *word = &phrase->words[which];
    *out = word->whole;
    if (phrase->n < 2 || word->whole.having / FAR > fewest) return which;
    if (!classes_of(q->s, word + 1, &classes)) return -1;
    if (!classes.n) return which;
    List *lists = keep(q, ((size_t)word->n_terms + 1) * sizeof *lists);
    if (!lists) return -1;
    for (int t = 0; t < word->n_terms; t++)
        if (!make_followed(q, &word->terms[t], &classes, &lists[t])) return -1;
    if (!word->whole.made && word->n_terms) *out = lists[0];
    else if (!unite(q, lists, word->n_terms, 0, out)) return -1;
    return which;
}

typedef struct { uint32_t doc; uint64_t at[SLOTS]; } Waiting;

typedef struct {
    Word *words;
    int k, is_label;
    Maker maker;
    uint64_t came;
    Waiting ring[RING];
} PhraseMaker;

/* Reads the places of a word of a phrase in an article. */
static int places_at(Query *q, const Word *word, const Waiting *one, int i, Places *places) {
    if (word->whole.made) return places_of(q, word, one->doc, places);
    places->n = 0;
    if (!add_places(q->s, one->at[i], form_count(q->s, word->whole.term), word->ordinal, places))
        return 0;
    sort_places(places);
    return 1;
}

/* Puts an article to the others if the phrase is there. */
static void check_phrase(Query *q, PhraseMaker *own, const Waiting *one) {
    tick(q);
    if (q->failed) return;
    Places *first = &q->places[0], *next = &q->places[1];
    for (int i = 0; i < own->k && (!i || first->n); i++) {
        if (!places_at(q, &own->words[i], one, i, i ? next : first)) {
            q->failed = 1;
            return;
        }
        if (i) keep_followed(first, next, (uint32_t)i);
    }
    if (first->n)
        put(&own->maker, one->doc, own->is_label
                                       ? worth_of(q->s, 1, one->doc, 0, (uint32_t)first->n)
                                       : worth_of_places(q->s, one->doc, first, q->word_lead));
}

static void visit_phrase(Walk *w, uint32_t doc, uint64_t *at) {
    PhraseMaker *own = w->own;
    const Segment *s = w->q->s;
    Waiting *one = &own->ring[own->came % RING];
    if (own->came >= RING) check_phrase(w->q, own, one);
    one->doc = doc;
    for (int i = 0; i < w->k; i++) {
        one->at[i] = at[i];
        if (w->lists[i]->from) one->at[i] = w->lists[i]->from[one->at[i]];
        else if (w->lists[i]->made) continue;
        __builtin_prefetch(s->codes + one->at[i] / BLOCK * BLOCK);
        __builtin_prefetch(s->row_starts + one->at[i] / BLOCK);
        __builtin_prefetch(s->row_widths + one->at[i] / BLOCK);
    }
    if (own->came++ < NEAR) return;
    one = &own->ring[(own->came - NEAR) % RING]; /* its rows can be reckoned by now */
    for (int i = 0; i < w->k; i++) {
        const List *list = w->lists[i];
        int is_made = list->made && !list->from;
        uint64_t start = is_made ? s->n_rows : s->row_starts[one->at[i] / BLOCK];
        if (start > s->n_rows || s->n_rows - start < 128) continue;
        __builtin_prefetch(s->rows + start);
        __builtin_prefetch(s->rows + start + 64);
    }
}

static int make_phrase(Query *q, Word *phrase) {
    PhraseMaker own;
    own.words = phrase->words;
    own.k = phrase->n;
    own.came = 0;
    Walk w = {.q = q, .k = phrase->n, .visit = visit_phrase, .in_order = 1, .own = &own};
    uint64_t fewest = UINT64_MAX;
    for (int i = 0; i < phrase->n; i++) {
        if (!make_whole(q, &phrase->words[i])) return 0;
        w.lists[i] = &phrase->words[i].whole;
        if (w.lists[i]->having < fewest) fewest = w.lists[i]->having;
    }
    own.is_label = phrase->words[0].n_terms && phrase->words[0].terms[0].is_label;
    if (fewest) {
        List candidates;
        int which = make_candidates(q, phrase, fewest, &candidates);
        if (which < 0) return 0;
        w.lists[which] = &candidates;
        if (candidates.having < fewest) fewest = candidates.having;
        if (!make(q, &own.maker, &phrase->whole, fewest)) return 0;
        meet(&w, 0, q->s->size);
    } else if (!make(q, &own.maker, &phrase->whole, 0)) return 0;
    for (uint64_t i = own.came > RING ? own.came - RING : 0; i < own.came && !q->failed; i++)
        check_phrase(q, &own, &own.ring[i % RING]);
    return !q->failed;
}

static int make_whole(Query *q, Word *word) {
    if (word->has_whole) return 1;
    word->has_whole = 1;
    if (word->kind == PHRASE) return make_phrase(q, word);
    if (!word->n_terms) {
        memset(&word->whole, 0, sizeof word->whole);
        return 1;
    }
    if (word->ordinal >= 0) return make_form(q, word->terms, word->ordinal, &word->whole);
    if (word->n_terms == 1 && !word->in_title) {
        word->whole = word->terms[0];
        return 1;
    }
    return unite(q, word->terms, word->n_terms, word->in_title, &word->whole);
}

/* Whether the best of a word are all that is asked for. */
static int is_alone(const Query *q, const Word *word) {
    return q->k == 1 && q->mode < SOME && word->kind != PHRASE && !word->in_title && !q->by_date &&
           !q->has_window && q->wanted <= CHAMPIONS;
}

/* Whether they are among its champions, or those of its terms. */
static int is_crowned(const Query *q, const Word *word) {
    return is_alone(q, word) && (word->ordinal < 0 || word->best_docs);
}

#define FEWER 16 /* times as many postings as there are articles that do not count */

/* Counts the articles that do not count and have a form; 0 on failure. */
static int count_dead(Query *q, const Word *word, uint64_t *found) {
    const List *term = word->terms;
    uint32_t forms = form_count(q->s, term->term);
    for (uint64_t i = 0; i < q->n_dead; i++) {
        uint64_t p = posting_of(term, q->dead[i]);
        q->places[0].n = 0;
        if (p == NOWHERE) continue;
        if (!add_places(q->s, p, forms, word->ordinal, &q->places[0])) return 0;
        *found += q->places[0].n > 0;
    }
    return 1;
}

/* Takes what is kept of a form, if it has champions and they are enough. */
static int take_champions(Query *q, Word *word) {
    const Segment *s = q->s;
    uint32_t term = word->terms[0].term;
    if (!word->terms[0].best_docs || q->n_dead * FEWER > word->terms[0].having) return 1;
    uint64_t pair = (term ? s->term_form_ends[term - 1] : 0) + (uint64_t)word->ordinal;
    SURE_OF_ALL(s, crowned);
    uint64_t which = number_of(s->crowned, 0, s->n_crowned, pair), dead = 0, living = 0;
    if (which == s->n_crowned || s->crowned[which] != pair) return 1;
    SURE_OF(s, crowned_having, which, 1);
    SURE_OF(s, form_champions, which * FORM_CHAMPIONS, FORM_CHAMPIONS);
    SURE_OF(s, form_worths, which * FORM_CHAMPIONS, FORM_CHAMPIONS);
    if (!count_dead(q, word, &dead)) return 0;
    uint64_t all = s->crowned_having[which];
    word->having = all > dead ? all - dead : 0;
    const uint32_t *docs = s->form_champions + which * FORM_CHAMPIONS;
    for (uint64_t i = 0; i < FORM_CHAMPIONS && i < all; i++) living += is_alive(q, docs[i]);
    if (living < q->wanted && living < word->having) return 1;
    word->best_docs = docs;
    word->best_worths = s->form_worths + which * FORM_CHAMPIONS;
    return 1;
}

/* Learns in how many articles a word is. */
static int count_word(Query *q, Word *word) {
    if (is_alone(q, word) && word->ordinal >= 0 && !take_champions(q, word)) return 0;
    if (is_crowned(q, word) && word->best_docs) return 1;
    if (!is_crowned(q, word)) {
        if (!make_whole(q, word)) return 0;
        word->having = count_living(q, &word->whole, 0, q->s->size);
        return 1;
    }
    const List **lists = keep(q, ((size_t)word->n_terms + 1) * sizeof *lists);
    if (!lists) return 0;
    for (int i = 0; i < word->n_terms; i++) lists[i] = &word->terms[i];
    word->having = word->n_terms ? count_any(q, lists, word->n_terms, 0, q->s->size) : 0;
    return 1;
}

#endif
