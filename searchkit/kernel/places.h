/* Places: where a word stands in many articles, whatever terms it is made of.

   The places of one term come article by article. Those of several, of a prefix thousands, are put
   in order by counting how many each article has: that tells where its own begin. The twin is
   `Matcher.places`. */
#ifndef SEARCHKIT_PLACES_H
#define SEARCHKIT_PLACES_H

#include "lists.h"

#define TABLED 1024 /* of more articles than this a table tells which one it is */

typedef struct { uint32_t which, n; } Posted; /* how many places, in which of the articles */

/* What is read in one segment, in the order in which it is found. */
typedef struct {
    Query *q;
    const uint32_t *docs; /* the articles, ascending, as they are numbered in all segments; NULL
                             for all that count */
    uint64_t n_docs;
    uint32_t *which; /* of each article of the segment which of these it is, and 1; or NULL */
    Places places;
    Posted *posted;
    uint64_t n_posted, room;
} Gathering;

/* What was found in all segments: article << 32 | position, ascending. */
typedef struct {
    uint64_t *at, n, room;
} Found;

static int room_for_found(Found *found, uint64_t more) {
    if (found->n + more <= found->room) return 1;
    uint64_t room = 2 * (found->n + more), *at = realloc(found->at, room * sizeof *at);
    if (!at) return 0;
    found->at = at;
    found->room = room;
    return 1;
}

/* -- the terms of a word ---------------------------------------------------------------------- */

typedef struct {
    List list;
    int64_t ordinal; /* of the form that is looked for; -1 for all */
} Term;

/* Takes the terms that begin like this, and those of forms that do if none of theirs does. */
static int terms_of_prefix(Query *q, const Word *word, Term **found, uint64_t *n) {
    Segment *s = q->s;
    Beginning like = beginning_like(s, word);
    Term *each = *found = keep(q, (like.size + 1) * sizeof **found);
    if (!each) return 0;
    for (uint64_t term = like.first; term < like.end; term++, each++) {
        tick(q);
        if (q->failed || !take_term(s, term, &each->list)) return 0;
        each->ordinal = -1;
    }
    for (uint64_t form = like.form; form < like.form_end; form++) {
        uint32_t term;
        tick(q);
        int is_stray = q->failed ? -1 : is_stray_form(s, form, like.first, like.end);
        if (is_stray < 0) return 0;
        if (!is_stray) continue;
        if (!form_at(s, form, &term, &each->ordinal) || !take_term(s, term, &each->list)) return 0;
        each++;
    }
    *n = (uint64_t)(each - *found);
    return 1;
}

/* Takes the terms of a word that is no phrase, in the segment at hand. */
static int terms_of_word(Query *q, Word *word, Term **found, uint64_t *n) {
    if (word->kind == PREFIX) return terms_of_prefix(q, word, found, n);
    if (!resolve(q, word)) return 0;
    *found = keep(q, ((size_t)word->n_terms + 1) * sizeof **found);
    for (int i = 0; *found && i < word->n_terms; i++)
        (*found)[i] = (Term){word->terms[i], word->ordinal};
    *n = (uint64_t)word->n_terms;
    return *found != NULL;
}

/* -- gathering -------------------------------------------------------------------------------- */

static int gather_posting(Gathering *g, uint64_t p, uint64_t which, uint32_t forms,
                          int64_t ordinal) {
    uint64_t before = g->places.n;
    tick(g->q);
    if (g->q->failed || !add_places(g->q->s, p, forms, ordinal, &g->places)) return 0;
    if (g->places.n == before) return 1;
    if (g->n_posted == g->room) {
        uint64_t room = 2 * g->room + 64;
        Posted *posted = realloc(g->posted, room * sizeof *posted);
        if (!posted) return 0;
        g->posted = posted;
        g->room = room;
    }
    g->posted[g->n_posted++] = (Posted){(uint32_t)which, (uint32_t)(g->places.n - before)};
    return 1;
}

/* Which of the articles this one is; `n_docs` or more if it is none of them. */
static inline uint64_t which_is(const Gathering *g, uint32_t doc) {
    if (!g->docs) return is_alive(g->q, doc) ? doc : g->n_docs;
    if (g->which) return doc < g->q->s->size ? (uint64_t)g->which[doc] - 1 : g->n_docs;
    uint64_t which = number_of(g->docs, 0, g->n_docs, g->q->base + doc);
    return which < g->n_docs && g->docs[which] == g->q->base + doc ? which : g->n_docs;
}

static int gather_term(Gathering *g, const Term *term) {
    const List *list = &term->list;
    uint32_t forms = form_count(g->q->s, list->term);
    int64_t ordinal = forms == 1 ? -1 : term->ordinal;
    if (g->docs && list->having / FEW >= g->n_docs) {
        for (uint64_t i = 0; i < g->n_docs; i++) {
            uint64_t p = posting_of(list, g->docs[i] - g->q->base);
            if (p != NOWHERE && !gather_posting(g, p, i, forms, ordinal)) return 0;
        }
        return 1;
    }
    uint64_t low = g->docs ? g->docs[0] - g->q->base : 0, high = g->q->s->size;
    if (g->docs) high = (uint64_t)g->docs[g->n_docs - 1] - g->q->base + 1;
    for (uint64_t c = chunk_number(list, (uint32_t)(low >> 16)); c < list->chunks; c++) {
        uint64_t first = (uint64_t)list->keys[c] << 16;
        Chunk chunk = chunk_of(g->q->s, list, c);
        if (first >= high) break;
        if (low > first) chunk.a = lower(list->lows, chunk.a, chunk.b, (uint32_t)(low - first));
        if (high < first + CHUNK)
            chunk.b = lower(list->lows, chunk.a, chunk.b, (uint32_t)(high - first));
        for (uint64_t p = chunk.a; p < chunk.b; p++) {
            uint64_t which = which_is(g, (uint32_t)first | list->lows[p]);
            if (which < g->n_docs && !gather_posting(g, p, which, forms, ordinal)) return 0;
        }
    }
    return 1;
}

/* Adds an article's places to what was found, in order and each once. `bits` are 0 between uses, one
   for each position but in very long texts. */
static void put_article(Found *found, uint64_t article, Places *own, uint64_t *bits) {
    uint32_t last = 0;
    for (uint64_t i = 0; i < own->n; i++)
        if (own->at[i] > last) last = own->at[i];
    if (own->n < FEW || last >= CHUNK) {
        sort_places(own);
        for (uint64_t i = 0; i < own->n; i++) found->at[found->n++] = article << 32 | own->at[i];
        return;
    }
    for (uint64_t i = 0; i < own->n; i++) bits[own->at[i] / 64] |= 1ull << own->at[i] % 64;
    for (uint32_t i = 0; i <= last / 64; i++) {
        for (uint64_t left = bits[i]; left; left &= left - 1)
            found->at[found->n++] = article << 32 | (i * 64 + (uint32_t)__builtin_ctzll(left));
        bits[i] = 0;
    }
}

/* Adds what was gathered in a segment to what was found. */
static int put_in_order(Gathering *g, Found *found) {
    uint64_t *ends = keep(g->q, ((size_t)g->n_docs + 1) * sizeof *ends), at = 0;
    uint32_t *sorted = keep(g->q, ((size_t)g->places.n + 1) * sizeof *sorted);
    uint64_t bits[CHUNK / 64] = {0};
    if (!ends || !sorted || !room_for_found(found, g->places.n)) return 0;
    memset(ends, 0, ((size_t)g->n_docs + 1) * sizeof *ends);
    for (uint64_t i = 0; i < g->n_posted; i++) ends[g->posted[i].which] += g->posted[i].n;
    for (uint64_t i = 0; i < g->n_docs; i++) {
        uint64_t n = ends[i];
        ends[i] = at;
        at += n;
    }
    const uint32_t *next = g->places.at;
    for (uint64_t i = 0; i < g->n_posted; i++) {
        uint64_t *end = &ends[g->posted[i].which];
        for (uint32_t n = g->posted[i].n; n; n--) sorted[(*end)++] = *next++;
    }
    for (uint64_t i = 0, start = 0; i < g->n_docs; start = ends[i++]) {
        Places own = {.at = sorted + start, .n = ends[i] - start};
        tick(g->q);
        if (own.n) put_article(found, g->docs ? g->docs[i] : g->q->base + i, &own, bits);
    }
    return !g->q->failed;
}

/* Finds the places of some terms in some articles of the segment at hand; 0 on failure. */
static int gather(Query *q, const Term *terms, uint64_t n, const uint32_t *docs, uint64_t n_docs,
                  Found *found) {
    Gathering g = {.q = q, .docs = docs, .n_docs = docs ? n_docs : q->s->size};
    int done = 1;
    if (docs && n_docs > TABLED) {
        if (!(g.which = calloc((size_t)q->s->size + 1, sizeof *g.which))) return 0;
        for (uint64_t i = 0; i < n_docs; i++)
            if (docs[i] - q->base < q->s->size) g.which[docs[i] - q->base] = (uint32_t)i + 1;
    }
    for (uint64_t i = 0; done && i < n; i++) done = gather_term(&g, &terms[i]);
    if (done && g.n_posted) done = put_in_order(&g, found);
    free(g.which);
    free(g.posted);
    free(g.places.at);
    return done;
}

/* -- phrases ---------------------------------------------------------------------------------- */

/* Reads where the words of a phrase stand in an article, as the phrase. */
static int places_of_phrase(Query *q, const Word *phrase, uint32_t doc, Places *places) {
    Places *next = &q->places[1];
    if (phrase->kind != PHRASE) { /* a pair that is a term: the places are those of its first word */
        if (!places_of(q, phrase, doc, places)) return 0;
    } else if (!places_of(q, &phrase->words[0], doc, places)) return 0;
    for (int i = 1; phrase->kind == PHRASE && i < phrase->n && places->n; i++) {
        if (!places_of(q, &phrase->words[i], doc, next)) return 0;
        keep_followed(places, next, (uint32_t)i);
    }
    uint64_t begins = places->n;
    if (!room_for(places, begins * (uint64_t)phrase->n)) return 0;
    for (int i = 1; i < phrase->n; i++)
        for (uint64_t j = 0; j < begins; j++)
            places->at[places->n++] = places->at[j] + (uint32_t)i;
    sort_places(places);
    return 1;
}

/* Finds the places of a phrase, which is resolved, in some articles of the segment at hand. */
static int gather_phrase(Query *q, const Word *phrase, const uint32_t *docs, uint64_t n_docs,
                         Found *found) {
    Places *own = &q->places[0];
    for (uint64_t i = 0; i < n_docs; i++) {
        tick(q);
        if (q->failed || !places_of_phrase(q, phrase, docs[i] - q->base, own) ||
            !room_for_found(found, own->n)) return 0;
        for (uint64_t j = 0; j < own->n; j++)
            found->at[found->n++] = (uint64_t)docs[i] << 32 | own->at[j];
    }
    return 1;
}

#endif
