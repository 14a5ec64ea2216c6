/* Query: what is looked for in the segment at hand, and the best that was found so far. */
#ifndef SEARCHKIT_QUERY_H
#define SEARCHKIT_QUERY_H

#include "segment.h"

#include <math.h>
#include <time.h>

#define SLOTS 16      /* words of a query; longer ones are left to the twin */

/* -- one query ------------------------------------------------------------------------------ */

enum { WORD, FORM, PREFIX, PHRASE };
enum { EVERY, ANY, SOME, LOOSE }; /* of LOOSE it does not matter how many words an article has */

typedef struct {
    float score;
    uint32_t doc;
    const uint64_t *first; /* where it is: only of equal scores it is read */
    int complete;
} Hit;

#define HOPES 256 /* articles that are found before the first is scored */

/* Articles that are still to be scored: what they are worth at most, and their postings in the lists. */
typedef struct {
    uint64_t at[HOPES * SLOTS];
    float most[HOPES];
    uint32_t docs[HOPES];
    int n;
} Hopeful;

/* What a table of one chunk has of each article; all 0 between uses. */
typedef struct {
    float score[CHUNK];
    uint16_t words[CHUNK]; /* bits */
    uint64_t bits[CHUNK / 64];
    uint16_t met[CHUNK]; /* not 0 between uses: postings of one list that are in others, too */
    uint16_t both[CHUNK]; /* likewise: what two lists have in common */
    Hopeful hopeful; /* likewise */
} Table;

typedef struct Word Word;
struct Word {
    int kind, in_title;
    const char **strings; /* terms, a form or the beginning of words, as UTF-8 */
    Py_ssize_t *sizes;
    int n;
    Word *words; /* of a phrase */
    /* in the segment at hand: */
    List *terms; /* of its terms, those that are there */
    int n_terms;
    int64_t ordinal; /* of a form, among those of its term; else -1 */
    const uint32_t *best_docs; /* its champions; NULL if they are not all that is needed */
    const float *best_worths;
    List whole;
    int has_whole;
    uint64_t having;
    float unit; /* idf */
};

typedef struct {
    int left, right; /* words */
    uint32_t distance;
    float unit, most; /* idf; what it adds at most */
    Classes classes; /* of the right word, in the segment at hand; none if that tells nothing */
    const uint8_t *followed; /* a bit for each article there: whether a word of these classes stands
                                behind the left one; NULL if that was not looked through */
} Bonus;

typedef struct Arena { struct Arena *next; } Arena;

typedef struct {
    Segment *s;
    const uint8_t *alive; /* of each article whether it counts; NULL if all do */
    const uint32_t *dead; /* those that do not, ascending */
    uint64_t n_dead;
    uint32_t base;
    Word *words;
    int k, mode, by_date, has_window, failed;
    uint64_t since, until;
    Bonus bonuses[SLOTS];
    int n_bonuses;
    float room; /* what all bonuses add at most */
    float word_lead, pair_lead; /* what is worth more that stands in the lead */
    Hit *heap;
    uint64_t wanted, n;
    uint64_t total, total_all;
    Table *table;
    Arena *arena;
    Places places[2];
    double deadline; /* by the clock of `now`; 0 if there is none */
    uint32_t steps;
    int late;
} Query;

/* Seconds, since whenever. */
static double now(void) {
    struct timespec time;
#ifdef CLOCK_MONOTONIC
    clock_gettime(CLOCK_MONOTONIC, &time);
#else
    timespec_get(&time, TIME_UTC);
#endif
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Ends a query whose time is over; asked before each piece of work that takes some microseconds. */
static void look_at_clock(Query *q) {
    if (q->deadline && now() > q->deadline) q->failed = q->late = 1;
}

/* Likewise, before each of very many that take less. */
static inline void tick(Query *q) {
    if (!(++q->steps & 255)) look_at_clock(q);
}

static void *keep(Query *q, size_t size) {
    Arena *block = malloc(sizeof(Arena) + size);
    if (!block) {
        q->failed = 1;
        return NULL;
    }
    block->next = q->arena;
    q->arena = block;
    return block + 1;
}

static void let_go(Query *q) {
    while (q->arena) {
        Arena *next = q->arena->next;
        free(q->arena);
        q->arena = next;
    }
}

/* -- the best so far: a heap, the worst on top ------------------------------------------------ */

static int is_better(const Query *q, const Hit *a, const Hit *b) {
    if (q->by_date && *a->first != *b->first) return *a->first > *b->first;
    if (q->mode == SOME && a->complete != b->complete) return a->complete > b->complete;
    if (a->score != b->score) return a->score > b->score;
    if (*a->first != *b->first) return *a->first > *b->first;
    return a->doc < b->doc;
}

/* Whether an article may be among the best whose score is at most this. */
static inline int may_enter(const Query *q, uint32_t doc, float most, int complete) {
    if (q->n < q->wanted) return 1;
    if (!q->wanted || doc >= q->s->size) return 0;
    const Hit *worst = q->heap;
    if (q->by_date) return q->s->first[doc] >= *worst->first;
    if (q->mode == SOME && complete != worst->complete) return complete > worst->complete;
    /* A sum of SLOTS floats and as many bonuses is rounded by 32 times 2^-24 at most. */
    return most * 1.000002f >= worst->score;
}

/* Puts a hit where it belongs from a place on, below which all is in order. */
static void sink(const Query *q, uint64_t at, Hit hit) {
    Hit *heap = q->heap;
    for (;;) {
        uint64_t child = 2 * at + 1;
        if (child >= q->n) break;
        if (child + 1 < q->n && is_better(q, &heap[child], &heap[child + 1])) child++;
        if (!is_better(q, &hit, &heap[child])) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = hit;
}

static void offer(Query *q, uint32_t doc, float score, int complete) {
    if (doc >= q->s->size) {
        q->failed = 1;
        return;
    }
    Hit hit = {score, q->base + doc, q->s->first + doc, complete};
    Hit *heap = q->heap;
    uint64_t at;
    if (q->n < q->wanted) {
        for (at = q->n++; at && is_better(q, &heap[(at - 1) / 2], &hit); at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = hit;
    } else if (q->wanted && is_better(q, &hit, heap)) sink(q, 0, hit);
}

#endif
