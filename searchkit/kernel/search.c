/* Search: the best articles of the common queries, straight from the arrays of a segment.

   The twin of `top` is query/top.py: the same articles, and scores of the same bits. To be read
   in this order:

       segment.h   the arrays; terms, postings, places
       query.h     the words of a query; the best so far
       lists.h     words become lists; what several lists have in common
       places.h    where a word stands in many articles
       search.c    the best of lists; from Python and back

   - Of one frequent word the best postings are kept beside the index (champions).
   - All of some words: the shortest list leads, the others are probed.
   - Any of two words: articles with both, and of those with one only, its champions.
   - Any of more: scores are added up in a table of one chunk.
   - Of many plain words, likewise, whatever is best.
   - A bonus for words side by side has a bound in each article: places are read only of those that
     it can bring among the best. */
#include "places.h"

#include <structmember.h>

#define STRIP 256     /* postings that are looked through before the first is scored */
#define OFTEN 64      /* what follows a word is looked through if one of so many of its articles counts */
#define LONG 200000   /* postings; a query with more of them may take a millisecond */

/* -- the best ----------------------------------------------------------------------------------- */

typedef struct { uint64_t low, high; int is_checked; } Range;

/* The first of some moments, newest first, that is less than one or, if `or_equal`, not more; without
   a branch at each step that no processor foresees. */
static uint64_t older_of(const uint64_t *moments, uint64_t low, uint64_t high, uint64_t moment, int or_equal) {
    for (uint64_t n = high > low ? high - low : 0, half; n; n -= half) {
        uint64_t at = moments[low + (half = (n + 1) / 2) - 1];
        low += half * ((at > moment) | ((at == moment) & !or_equal));
    }
    return low;
}

/* Likewise, the first article, from one on, of which `first` is: milestones, which stay in the cache, tell
   between which of them it is. */
static uint64_t older(const Segment *s, uint64_t from, uint64_t moment, int or_equal) {
    uint64_t passed = older_of(s->milestones, 0, s->n_milestones, moment, or_equal);
    uint64_t low = passed ? (passed - 1) * MILESTONE : 0, high = s->size;
    if (passed < s->n_milestones) high = passed * MILESTONE;
    return older_of(s->first, low > from ? low : from, high, moment, or_equal);
}

/* The articles of a window, as ranges, ascending: those whose span begins in it, and those of the
   minute, hour, day, month and year in which it begins, where `last` must be looked at. */
static int ranges_of(const Query *q, Range *ranges) {
    if (!q->has_window) {
        ranges[0] = (Range){0, q->s->size, 0};
        return 1;
    }
    uint64_t since = q->since ? q->since : 1, unit = 100, before;
    uint64_t newest = older(q->s, 0, q->until, 1);
    before = older(q->s, newest, since, 0);
    ranges[0] = (Range){newest, before, 0};
    int n = 1;
    for (; unit <= q->s->vaguest; unit *= 100) {
        uint64_t moment = since / unit * unit;
        if (moment >= since || !moment || moment > q->until) continue;
        uint64_t low = older(q->s, before, moment, 1);
        if (low == q->s->size || q->s->first[low] != moment) continue;
        before = older(q->s, low, moment, 0);
        ranges[n++] = (Range){low, before, 1};
    }
    return n;
}

/* What an article must get to be among the best, as far as the segments before tell. */
static float least_so_far(const Query *q) {
    return q->n == q->wanted && q->n && !q->by_date ? q->heap[0].score * CERTAINLY : -1;
}

static void visit_score(Walk *w, uint32_t doc, uint64_t *at) {
    Query *q = w->q;
    float score = 0;
    for (int i = 0; i < w->k; i++)
        score += worth(q->s, w->lists[i], at[i], doc) * q->words[i].unit;
    if (!may_enter(q, doc, score, 1)) return;
    offer(q, doc, score, 1);
    if (q->n < q->wanted || !q->n || q->by_date) return;
    if (q->heap[0].score * CERTAINLY > w->least) w->least = q->heap[0].score * CERTAINLY;
}

/* What the least of as many champions of a list is worth as are wanted; -1 if fewer count. */
static float least_of_champions(const Query *q, const List *list) {
    uint64_t living = 0;
    int i = 0;
    for (; list->best_docs && living < q->wanted && i < CHAMPIONS; i++)
        living += is_alive(q, list->best_docs[i]);
    if (!list->best_docs || living < q->wanted) return -1;
    return i ? list->best_worths[i - 1] : 0;
}

/* Offers an article that may be among the best already: the better score counts. */
static void offer_again(Query *q, uint32_t doc, float score) {
    uint64_t at = 0;
    if (!may_enter(q, doc, score, 1)) return;
    while (at < q->n && q->heap[at].doc != q->base + doc) at++;
    if (at == q->n) offer(q, doc, score, 1);
    else if (q->heap[at].score < score) { /* better than those below it, perhaps */
        q->heap[at].score = score;
        sink(q, at, q->heap[at]);
    }
}

/* What a word must be worth in an article for that to be among the best so far; infinity if none is. */
static float needed_to_enter(const Query *q, const Word *word, int complete) {
    if (q->n < q->wanted) return 0;
    if (!q->n) return INFINITY;
    if (q->mode == SOME && complete != q->heap->complete)
        return complete > q->heap->complete ? 0 : INFINITY;
    return q->heap->score * CERTAINLY / word->unit;
}

/* Offers a posting, if another list has not its article, or the better of its scores counts. */
static void offer_posting(Query *q, const Word *word, const List *list, const List *other,
                          int complete, uint32_t doc, uint64_t p) {
    if (!may_enter(q, doc, worth_at_most(q->s, list, p) * word->unit, complete)) return;
    float score = worth(q->s, list, p, doc) * word->unit;
    if (!may_enter(q, doc, score, complete) || !is_alive(q, doc)) return;
    if (!other) offer_again(q, doc, score);
    else if (posting_of(other, doc) == NOWHERE) offer(q, doc, score, complete);
}

/* Likewise, those from p to end - 1, at most STRIP, of which the codes tell enough, or all. The first is not
   in a chunk before the `c`th, in which the last one is then. */
static void offer_strip(Query *q, const Word *word, const List *list, const List *other,
                        int complete, uint64_t *c, uint64_t p, uint64_t end, const Enough *enough) {
    uint64_t found[STRIP];
    uint32_t docs[STRIP];
    int n = 0;
    for (; (p = enough ? next_enough(q->s, p, end, enough) : p) < end; p++) {
        while (list->ends[*c] <= p) ++*c;
        docs[n] = (uint32_t)list->keys[*c] << 16 | list->lows[p];
        __builtin_prefetch(q->s->text_norms + docs[n]);
        found[n++] = p;
    }
    for (int i = 0; i < n; i++) offer_posting(q, word, list, other, complete, docs[i], found[i]);
}

/* Offers what a word's list, or that of one of its terms, has that may be among the best; what another
   list has is left out. Without another, what was offered before counts by the better score. The word
   stands in most articles once, and not in the title: these come last, since by then few may be. */
static void offer_list(Query *q, const Word *word, const List *list, const List *other,
                       int complete) {
    int are_coded = !list->worths && !list->is_label;
    uint64_t last = list->chunks ? list->ends[list->chunks - 1] : list->start;
    for (int are_single = 0; are_single < 1 + are_coded; are_single++) {
        Enough enough = {{0}, 0};
        float told = -1; /* what these are enough for */
        uint64_t c = 0;
        for (uint64_t p = list->start, end; p < last && !q->failed; p = end) {
            float need = needed_to_enter(q, word, complete);
            end = p + STRIP < last ? p + STRIP : last;
            look_at_clock(q);
            if (need == INFINITY) return;
            if (need != told) enough = enough_for(q->s, need - list->lead, are_single);
            if (are_single && enough.least[0] == ODD) return;
            told = need;
            offer_strip(q, word, list, other, complete, &c, p, end, are_coded ? &enough : NULL);
        }
    }
}

/* Offers the best of one word that the other has not; the rest of them would not do. */
static void offer_alone(Query *q, const Word *word, const List *other, int complete) {
    const List *list = &word->whole;
    float unit = word->unit;
    int are_led = least_of_champions(q, list) >= 0;
    for (int i = 0; are_led && i < CHAMPIONS; i++) {
        float score = list->best_worths[i] * unit;
        if (!may_enter(q, list->best_docs[i], score, complete)) return;
        if (is_alive(q, list->best_docs[i]) && posting_of(other, list->best_docs[i]) == NOWHERE)
            offer(q, list->best_docs[i], score, complete);
    }
    if (!are_led) offer_list(q, word, list, other, complete);
}

/* The best of a form that has champions. */
static void best_of_form(Query *q, const Word *word) {
    for (int i = 0; i < FORM_CHAMPIONS; i++) {
        float score = word->best_worths[i] * word->unit;
        if (!(score > 0) || !may_enter(q, word->best_docs[i], score, 1)) return;
        if (is_alive(q, word->best_docs[i])) offer(q, word->best_docs[i], score, 1);
    }
}

/* The best of one word: an article that several of its terms have is worth the best of them. */
static void best_crowned(Query *q, Word *word) {
    q->total += word->having;
    q->total_all += word->having;
    if (word->best_docs) {
        best_of_form(q, word);
        return;
    }
    for (int i = 0; i < word->n_terms; i++) { /* those first that have the highest scores */
        const List *list = &word->terms[i];
        if (least_of_champions(q, list) < 0) continue;
        for (int j = 0; j < CHAMPIONS; j++) {
            float score = list->best_worths[j] * word->unit;
            if (!may_enter(q, list->best_docs[j], score, 1)) break;
            if (is_alive(q, list->best_docs[j])) offer_again(q, list->best_docs[j], score);
        }
    }
    for (int i = 0; i < word->n_terms; i++)
        if (least_of_champions(q, &word->terms[i]) < 0)
            offer_list(q, word, &word->terms[i], NULL, 1);
}

/* Offers the champions of a list that are in a range; 0 if they are too few to be all that matter. */
static int offer_champions(Query *q, const List *list, const Range *range) {
    uint8_t inside[CHAMPIONS];
    uint64_t n = 0;
    if (q->k > 1 || q->by_date || !list->best_docs || q->wanted > CHAMPIONS) return 0;
    for (int i = 0; i < CHAMPIONS; i++) { /* one in ten, say: no processor foresees which */
        inside[n] = (uint8_t)i;
        n += list->best_docs[i] - range->low < range->high - range->low;
    }
    for (uint64_t i = 0, all = n; q->alive && i < all; i++) {
        if (!i) n = 0;
        inside[n] = inside[i];
        n += is_alive(q, list->best_docs[inside[i]]);
    }
    if (!n || n < q->wanted) return 0;
    for (uint64_t i = 0; i < n; i++) {
        float score = list->best_worths[inside[i]] * q->words[0].unit;
        if (!may_enter(q, list->best_docs[inside[i]], score, 1)) break;
        offer(q, list->best_docs[inside[i]], score, 1);
    }
    return 1;
}

/* Visits the newest of a list, as long as there can be some among the best. */
static void visit_newest_of_one(Walk *w, const Range *range) {
    uint64_t step = 4096, high;
    for (uint64_t low = range->low; low < range->high; low = high, step *= 4) {
        if (!may_enter(w->q, (uint32_t)low, 0, 1)) return;
        high = low + step < range->high ? low + step : range->high;
        meet(w, low, high);
    }
}

/* All words, without bonuses; one word, too. */
static void best_of_every(Query *q, const Range *ranges, int n) {
    const List *one = &q->words[0].whole;
    for (int i = 0; i < n; i++) {
        const Range *range = &ranges[i];
        Walk w = {.q = q, .k = q->k, .visit = visit_score,
                  .in_order = q->by_date, .least = least_so_far(q),
                  .check = range->is_checked ? &q->since : NULL};
        for (int j = 0; j < q->k; j++) w.lists[j] = &q->words[j].whole;
        uint64_t found;
        if (q->has_window && q->k == 1) {
            fetch_edge(one, range->low);
            fetch_edge(one, range->high);
        }
        if (n == 1 && offer_champions(q, one, range))
            found = count_living(q, one, range->low, range->high);
        else if (q->k == 1 && q->by_date && !w.check) {
            visit_newest_of_one(&w, range);
            found = count_living(q, one, range->low, range->high);
        } else {
            meet(&w, range->low, range->high);
            found = w.found;
        }
        q->total += found;
        q->total_all += found;
    }
}

/* Whether two lists as they lie in the file were asked for, and nothing else matters. */
static int is_pair(const Query *q) {
    return q->k == 2 && !q->words[0].whole.made && !q->words[1].whole.made && !q->by_date &&
           !q->has_window && q->wanted <= CHAMPIONS;
}

static void visit_joined(Walk *w, uint32_t doc, uint64_t *at) {
    (void)at;
    float score = w->q->table->score[doc & 0xFFFF];
    if (may_enter(w->q, doc, score, 1)) offer(w->q, doc, score, 1);
}

static void visit_nothing(Walk *w, uint32_t doc, uint64_t *at) {
    (void)w, (void)doc, (void)at;
}

/* Joins a range; of the newest first only as much of it as can be among them. */
static uint64_t join_range(Query *q, const Range *range, Visit visit) {
    Walk w = {.q = q, .k = q->k, .visit = visit,
              .check = range->is_checked ? &q->since : NULL};
    const List *lists[SLOTS];
    for (int j = 0; j < q->k; j++) w.lists[j] = lists[j] = &q->words[j].whole;
    uint64_t step = q->by_date ? 2048 : UINT32_MAX, high;
    for (uint64_t low = range->low; low < range->high; low = high, step *= 4) {
        if (q->by_date && !w.check && !may_enter(q, (uint32_t)low, 0, 1))
            return w.found + count_any(q, lists, q->k, low, range->high);
        high = low + step < range->high ? low + step : range->high;
        join(&w, low, high);
    }
    return w.found;
}

static void best_of_any(Query *q, const Range *ranges, int n) {
    if (is_pair(q)) {
        const List *a = &q->words[0].whole, *b = &q->words[1].whole;
        int rarer = q->words[1].unit > q->words[0].unit;
        Walk w = {.q = q, .k = 2, .lists = {a, b}, .visit = visit_score,
                  .least = least_so_far(q)};
        for (int i = 0; i < 2; i++) { /* the champions of one of them have that, and more */
            float least = least_of_champions(q, w.lists[i]) * q->words[i].unit * CERTAINLY;
            if (least > w.least) w.least = least;
        }
        meet(&w, 0, q->s->size);
        offer_alone(q, &q->words[rarer], &q->words[!rarer].whole, 1);
        offer_alone(q, &q->words[!rarer], &q->words[rarer].whole, 1);
        uint64_t found = q->words[0].having + q->words[1].having - w.found;
        q->total += found;
        q->total_all += found;
        return;
    }
    for (int i = 0; i < n; i++) {
        uint64_t found = join_range(q, &ranges[i], visit_joined);
        q->total += found;
        q->total_all += found;
    }
}

/* -- plain words: all of them first, then some; side by side is better -------------------------- */

typedef struct {
    uint32_t doc;
    float score, most; /* without bonuses; with them, at most */
    int complete;
    const uint64_t *at; /* its postings in the words' lists; NULL if they are not known */
} Candidate;

/* Learns what may follow the left words of bonuses in the segment at hand, and looks through all that
   does where many articles are likely to be asked about: those with all words, or with both of these. */
static void know_followers(Query *q, int are_complete) {
    for (int i = 0; i < q->n_bonuses && !q->failed; i++) {
        Bonus *bonus = &q->bonuses[i];
        const Word *left = &q->words[bonus->left], *right = &q->words[bonus->right];
        bonus->classes.n = 0;
        bonus->followed = NULL;
        if (bonus->distance != 1) continue;
        if (!classes_of(q->s, right, &bonus->classes)) q->failed = 1;
        double share = 1; /* of the articles with the left word, those that are asked about */
        for (int j = 0; j < q->k; j++)
            if (j != bonus->left && (are_complete || j == bonus->right))
                share *= (double)q->words[j].whole.having / q->s->size;
        if (!bonus->classes.n || q->by_date || share * OFTEN < 1) continue;
        if (!mark_followed(q, left, &bonus->classes, &bonus->followed)) q->failed = 1;
    }
}

/* Whether two words that should stand side by side are all that is asked for. */
static int is_whole(const Query *q, const Bonus *bonus) {
    return q->k == 2 && bonus->left != bonus->right;
}

/* Whether two words may stand side by side in an article, as far as what follows the left one tells. */
static int may_adjoin(const Query *q, const Bonus *bonus, const Candidate *one) {
    const Word *left = &q->words[bonus->left];
    if (bonus->followed) return one->doc < q->s->size && is_marked(bonus, one->doc);
    int is_known = one->at && !left->whole.made; /* its list is that of its only term */
    uint64_t known = is_known ? one->at[bonus->left] : NOWHERE;
    return may_be_followed(q->s, left, &bonus->classes, one->doc, known);
}

/* Adds to a score what words that stand side by side in an article add. */
static float with_bonuses(Query *q, const Candidate *one) {
    float score = one->score;
    for (int i = 0; i < q->n_bonuses; i++) {
        const Bonus *bonus = &q->bonuses[i];
        if (!one->complete && is_whole(q, bonus)) continue;
        if (!may_adjoin(q, bonus, one)) continue;
        Places *left = &q->places[0], *right = &q->places[1];
        if (!places_of(q, &q->words[bonus->left], one->doc, left)) q->failed = 1;
        else if (left->n && !places_of(q, &q->words[bonus->right], one->doc, right)) q->failed = 1;
        if (q->failed || !left->n) continue;
        keep_followed(left, right, bonus->distance);
        if (left->n) score += worth_of_places(q->s, one->doc, left, q->pair_lead) * bonus->unit;
    }
    return score;
}

/* Offers an article that may be among the best with what its bonuses add at most. They are looked
   up at once: the sooner it is known what the best have, the fewer others need be looked at. */
static void consider(Walk *w, const Candidate *one) {
    Query *q = w->q;
    if (!may_enter(q, one->doc, one->most, one->complete)) return;
    tick(q);
    if (q->failed) return;
    float score = with_bonuses(q, one);
    if (!may_enter(q, one->doc, score, one->complete)) return;
    offer(q, one->doc, score, one->complete);
    if (q->n == q->wanted && q->n) w->least = q->heap[0].score * CERTAINLY;
}

/* What a pair of words is worth at most in an article, given what one of them is worth there: that
   much, since it stands there no more often than the word. A word of n terms, of which the best
   counts, stands there n times as often as that at most, which saturates to this. */
static float pair_worth(const Query *q, const Word *word, float worth) {
    float n = (float)word->n_terms, k1_1 = q->s->k1_1;
    return n * worth * k1_1 / ((n - 1) * worth + k1_1);
}

static void visit_candidate(Walk *w, uint32_t doc, uint64_t *at) {
    Query *q = w->q;
    float each[SLOTS], score = 0;
    for (int i = 0; i < w->k; i++) {
        each[i] = worth(q->s, w->lists[i], at[i], doc);
        score += each[i] * q->words[i].unit;
    }
    if (score + q->room < w->least) return;
    float most = score;
    for (int i = 0; i < q->n_bonuses && doc < q->s->size; i++) {
        if (!is_marked(&q->bonuses[i], doc)) continue;
        int left = q->bonuses[i].left, right = q->bonuses[i].right;
        float a = pair_worth(q, &q->words[left], each[left]);
        float b = pair_worth(q, &q->words[right], each[right]);
        most += (a < b ? a : b) * q->bonuses[i].unit;
    }
    consider(w, &(Candidate){doc, score, most, 1, at});
}

/* Considers an article of the table, which tells which of the words it has. */
static void visit_some(Walk *w, uint32_t doc, uint64_t *at) {
    (void)at;
    Query *q = w->q;
    uint32_t words = q->table->words[doc & 0xFFFF];
    float score = q->table->score[doc & 0xFFFF], most = score;
    int complete = words + 1 == 1u << q->k;
    if (complete && q->mode == SOME && !q->by_date) return; /* has been considered */
    if (!may_enter(q, doc, score + q->room, complete)) return;
    for (int i = 0; i < q->n_bonuses && doc < q->s->size; i++)
        if (is_marked(&q->bonuses[i], doc) && words >> q->bonuses[i].left & words >> q->bonuses[i].right & 1)
            most += q->bonuses[i].most;
    consider(w, &(Candidate){doc, score, most, complete, NULL});
}

/* The articles with all of the plain words. */
static void best_complete(Query *q, const Range *ranges, int n) {
    know_followers(q, 1);
    for (int i = 0; i < n; i++) {
        Walk w = {.q = q, .k = q->k, .visit = q->by_date ? NULL : visit_candidate,
                  .least = least_so_far(q), .check = ranges[i].is_checked ? &q->since : NULL};
        for (int j = 0; j < q->k; j++) w.lists[j] = &q->words[j].whole;
        meet(&w, ranges[i].low, ranges[i].high);
        q->total_all += w.found;
    }
}

/* Those with some of them, if they are among the best; counts both. */
static void best_incomplete(Query *q, const Range *ranges, int n, uint64_t complete) {
    const List *lists[SLOTS];
    for (int i = 0; i < q->k; i++) lists[i] = &q->words[i].whole;
    int are_shown = q->total_all < q->wanted || q->by_date;
    int have_bonuses = 0;
    for (int i = 0; i < q->n_bonuses; i++) have_bonuses |= !is_whole(q, &q->bonuses[i]);
    if (is_pair(q) && !have_bonuses) {
        if (are_shown) {
            offer_alone(q, &q->words[0], lists[1], 0);
            offer_alone(q, &q->words[1], lists[0], 0);
        }
        q->total += q->words[0].having + q->words[1].having - complete;
        return;
    }
    if (are_shown) know_followers(q, 0);
    for (int i = 0; i < n && !q->failed; i++) {
        if (are_shown)
            q->total += join_range(q, &ranges[i], visit_some);
        else if (ranges[i].is_checked) q->total += join_range(q, &ranges[i], visit_nothing);
        else q->total += count_any(q, lists, q->k, ranges[i].low, ranges[i].high);
    }
}

/* The best articles with some of many plain words; counts also those with all. */
static void best_of_many(Query *q, const Range *ranges, int n) {
    know_followers(q, 0);
    for (int i = 0; i < n && !q->failed; i++) {
        Walk w = {.q = q, .k = q->k, .check = ranges[i].is_checked ? &q->since : NULL};
        for (int j = 0; j < q->k; j++) w.lists[j] = &q->words[j].whole;
        meet(&w, ranges[i].low, ranges[i].high);
        q->total_all += w.found;
        q->total += join_range(q, &ranges[i], visit_some);
    }
}

/* -- from Python and back ------------------------------------------------------------------------ */

/* Takes (kind, in_title, items): terms of a word, a form, the beginning of words, or the words of
   a phrase. What is taken is borrowed: a string keeps its UTF-8. 0 with an exception set on failure. */
static int take_word(Query *q, PyObject *told, Word *word, int depth) {
    PyObject *items;
    memset(word, 0, sizeof *word);
    if (!PyArg_ParseTuple(told, "ipO!", &word->kind, &word->in_title, &PyTuple_Type, &items))
        return 0;
    Py_ssize_t n = PyTuple_GET_SIZE(items);
    if (word->kind < WORD || word->kind > PHRASE || n < 1 || (depth && word->kind >= PREFIX) ||
        (word->kind == PHRASE ? n > SLOTS : n > 1000) ||
        ((word->kind == FORM || word->kind == PREFIX) && n != 1)) {
        PyErr_SetString(PyExc_ValueError, "no such word");
        return 0;
    }
    word->n = (int)n;
    word->strings = keep(q, (size_t)n * sizeof *word->strings);
    word->sizes = keep(q, (size_t)n * sizeof *word->sizes);
    word->words = keep(q, (size_t)n * sizeof *word->words);
    if (!word->strings || !word->sizes || !word->words) {
        PyErr_NoMemory();
        return 0;
    }
    for (int i = 0; i < word->n; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        if (word->kind == PHRASE) {
            if (!take_word(q, item, &word->words[i], depth + 1)) return 0;
        } else if (!(word->strings[i] = PyUnicode_AsUTF8AndSize(item, &word->sizes[i]))) return 0;
    }
    return 1;
}

/* Copies words with those of their phrases: each segment finds its own terms for them. */
static Word *copied(Query *q, const Word *words, int n) {
    Word *copy = keep(q, (size_t)n * sizeof *copy);
    if (!copy) return NULL;
    memcpy(copy, words, (size_t)n * sizeof *copy);
    for (int i = 0; i < n; i++)
        if (copy[i].kind == PHRASE) copy[i].words = copied(q, words[i].words, words[i].n);
    return copy;
}

typedef struct {
    Segment *s;
    const uint8_t *alive; /* as in a query */
    const uint32_t *dead;
    uint64_t n_dead;
    uint32_t base;
    Word *words;
    uint64_t complete;
} Part;

static void enter(Query *q, const Part *part) {
    q->s = part->s;
    q->alive = part->alive;
    q->dead = part->dead;
    q->n_dead = part->n_dead;
    q->base = part->base;
    q->words = part->words;
    q->places[0].next = q->places[1].next = 0;
}

static float idf(double articles, double having, double share) {
    return (float)(share * log(1 + (articles - having + 0.5) / (having + 0.5)));
}

/* Finds the words in every segment; returns how many postings they have. */
static uint64_t find_words(Query *q, Part *parts, Py_ssize_t n) {
    uint64_t postings = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        enter(q, &parts[i]);
        for (int j = 0; j < q->k; j++) {
            Word *word = &q->words[j];
            if (q->failed || !resolve(q, word)) q->failed = 1;
            for (int t = 0; !q->failed && t < word->n_terms; t++) postings += word->terms[t].having;
            for (int w = 0; !q->failed && word->kind == PHRASE && w < word->n; w++)
                for (int t = 0; t < word->words[w].n_terms; t++)
                    postings += word->words[w].terms[t].having;
        }
    }
    return postings;
}

static void run(Query *q, Part *parts, Py_ssize_t n, double articles, double neighbours) {
    uint64_t having[SLOTS] = {0};
    for (Py_ssize_t i = 0; i < n && !q->failed; i++) {
        enter(q, &parts[i]);
        for (int j = 0; j < q->k && !q->failed; j++) {
            if (!count_word(q, &q->words[j])) q->failed = 1;
            else having[j] += q->words[j].having;
        }
    }
    for (int i = 0; i < q->n_bonuses; i++) {
        uint64_t left = having[q->bonuses[i].left], right = having[q->bonuses[i].right];
        uint64_t rarer = left < right ? left : right;
        q->bonuses[i].unit = rarer ? idf(articles, (double)rarer, neighbours) : 0;
    }
    Range ranges[6];
    for (Py_ssize_t i = 0; i < n && !q->failed; i++) {
        enter(q, &parts[i]);
        for (int j = 0; j < q->k; j++)
            q->words[j].unit = idf(articles, (double)having[j], 1);
        q->room = 0;
        for (int j = 0; j < q->n_bonuses; j++) {
            q->bonuses[j].most = q->bonuses[j].unit * (q->s->k1_1 + q->pair_lead);
            q->room += q->bonuses[j].most;
        }
        if (q->mode < SOME && is_crowned(q, q->words)) {
            best_crowned(q, q->words);
            continue;
        }
        int r = ranges_of(q, ranges);
        uint64_t before = q->total_all;
        if (q->mode == SOME) best_complete(q, ranges, r);
        else if (q->mode == LOOSE) best_of_many(q, ranges, r);
        else if (q->mode == EVERY || q->k == 1) best_of_every(q, ranges, r);
        else best_of_any(q, ranges, r);
        parts[i].complete = q->total_all - before;
    }
    for (Py_ssize_t i = 0; i < n && q->mode == SOME && !q->failed; i++) {
        enter(q, &parts[i]);
        best_incomplete(q, ranges, ranges_of(q, ranges), parts[i].complete);
    }
}

static PyTypeObject *segment_type;

/* Sees that the columns of articles that any of them may be looked up in are as written; what was seen to be
   so is not looked at again. */
static void sure_of_columns(const Query *q, Segment *s) {
    uint64_t faults = s->faults;
    int wanted = q->has_window ? 2 : 1;
    if (s->sure_columns >= wanted) return;
    SURE_OF_ALL(s, first);
    if (q->has_window) {
        SURE_OF_ALL(s, last);
        learn_dates(s);
    }
    SURE_OF_ALL(s, title_words);
    SURE_OF_ALL(s, title_norms);
    SURE_OF_ALL(s, text_norms);
    learn_most(s);
    if (s->faults == faults) s->sure_columns = wanted;
}

static uint64_t faults_of(const Part *parts, Py_ssize_t n) {
    uint64_t found = 0;
    for (Py_ssize_t i = 0; i < n; i++) found += parts[i].s->faults;
    return found;
}

/* Takes (segment, alive, dead, base) of each: see `Index.kernel_segments`. What is taken is borrowed. */
static int take_parts(PyObject *told, Part *parts, Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *part = PyTuple_GET_ITEM(told, i), *alive, *dead;
        if (!PyTuple_Check(part) || PyTuple_GET_SIZE(part) != 4 ||
            !Py_IS_TYPE(PyTuple_GET_ITEM(part, 0), segment_type)) {
            PyErr_SetString(PyExc_TypeError, "no segment");
            return 0;
        }
        unsigned long base = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(part, 3));
        if (PyErr_Occurred()) return 0;
        parts[i].s = (Segment *)PyTuple_GET_ITEM(part, 0);
        if (base > UINT32_MAX || base + (uint64_t)parts[i].s->size > UINT32_MAX) {
            PyErr_SetString(PyExc_ValueError, "too many articles");
            return 0;
        }
        parts[i].base = (uint32_t)base;
        alive = PyTuple_GET_ITEM(part, 1);
        dead = PyTuple_GET_ITEM(part, 2);
        if (alive == Py_None) continue;
        if (!PyBytes_Check(alive) || !PyBytes_Check(dead)) {
            PyErr_SetString(PyExc_TypeError, "alive and dead are bytes");
            return 0;
        }
        if (PyBytes_GET_SIZE(alive) != (Py_ssize_t)parts[i].s->size) {
            PyErr_SetString(PyExc_ValueError, "alive has not one byte for each article");
            return 0;
        }
        parts[i].alive = (const uint8_t *)PyBytes_AS_STRING(alive);
        parts[i].dead = (const uint32_t *)(const void *)PyBytes_AS_STRING(dead);
        parts[i].n_dead = (uint64_t)PyBytes_GET_SIZE(dead) / 4;
    }
    return 1;
}

static int take_words(Query *q, PyObject *told, PyObject *bonuses, Part *parts, Py_ssize_t n) {
    Py_ssize_t k = PyTuple_GET_SIZE(told), b = PyTuple_GET_SIZE(bonuses);
    if (k < 1 || k > SLOTS || b > SLOTS || q->mode < EVERY || q->mode > LOOSE) {
        PyErr_SetString(PyExc_ValueError, "too many words, or none");
        return 0;
    }
    Word words[SLOTS];
    q->k = (int)k;
    q->n_bonuses = (int)b;
    for (int i = 0; i < q->k; i++)
        if (!take_word(q, PyTuple_GET_ITEM(told, i), &words[i], 0)) return 0;
    for (int i = 0; i < q->n_bonuses; i++) {
        Bonus *bonus = &q->bonuses[i];
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(bonuses, i), "iiI", &bonus->left, &bonus->right,
                              &bonus->distance)) return 0;
        if (bonus->left < 0 || bonus->left >= k || bonus->right < 0 || bonus->right >= k) {
            PyErr_SetString(PyExc_ValueError, "a bonus for no word");
            return 0;
        }
    }
    for (Py_ssize_t i = 0; i < n; i++)
        if (!(parts[i].words = copied(q, words, q->k))) {
            PyErr_NoMemory();
            return 0;
        }
    return 1;
}

static PyObject *told(Query *q) {
    Hit *hits = keep(q, (size_t)(q->n + 1) * sizeof *hits);
    PyObject *docs = PyList_New((Py_ssize_t)q->n), *scores = PyList_New((Py_ssize_t)q->n);
    PyObject *flags = PyList_New((Py_ssize_t)q->n), *answer = NULL;
    Py_ssize_t n = (Py_ssize_t)q->n;
    if (!hits) PyErr_NoMemory();
    if (!hits || !docs || !scores || !flags) goto done;
    for (uint64_t left = q->n; left--;) { /* the heap, the worst first */
        hits[left] = q->heap[0];
        Hit last = q->heap[--q->n];
        if (q->n) sink(q, 0, last);
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *doc = PyLong_FromUnsignedLong(hits[i].doc);
        PyObject *score = PyFloat_FromDouble((double)hits[i].score);
        PyList_SET_ITEM(flags, i, PyBool_FromLong(hits[i].complete));
        if (doc) PyList_SET_ITEM(docs, i, doc);
        if (score) PyList_SET_ITEM(scores, i, score);
        if (!doc || !score) goto done;
    }
    answer = Py_BuildValue("KKOOO", (unsigned long long)q->total, (unsigned long long)q->total_all,
                           docs, scores, flags);
done:
    Py_XDECREF(docs);
    Py_XDECREF(scores);
    Py_XDECREF(flags);
    return answer;
}

static Table *spare; /* guarded by the interpreter's lock */

static PyObject *top(PyObject *module, PyObject *args) {
    PyObject *segments, *words, *bonuses, *answer = NULL;
    Query q = {0};
    double articles, neighbours, word_lead, pair_lead, seconds;
    unsigned long long wanted, since, until;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!iO!ddddKpKKpd", &PyTuple_Type, &segments, &PyTuple_Type, &words,
                          &q.mode, &PyTuple_Type, &bonuses, &articles, &neighbours, &word_lead,
                          &pair_lead, &wanted, &q.has_window, &since, &until, &q.by_date,
                          &seconds)) return NULL;
    if (seconds >= 0) q.deadline = now() + seconds;
    Py_ssize_t n = PyTuple_GET_SIZE(segments);
    if (q.mode == LOOSE) {
        q.word_lead = (float)word_lead;
        q.pair_lead = (float)pair_lead;
    }
    q.wanted = wanted;
    q.since = since;
    q.until = until;
    Part *parts = PyMem_Calloc((size_t)n + 1, sizeof *parts);
    q.table = spare ? spare : calloc(1, sizeof *q.table);
    spare = NULL;
    if (!parts || !q.table) {
        PyErr_NoMemory();
        goto done;
    }
    if (!take_parts(segments, parts, n) || !take_words(&q, words, bonuses, parts, n)) goto done;
    uint64_t articles_in_all = 0, faults = faults_of(parts, n);
    for (Py_ssize_t i = 0; i < n; i++) {
        articles_in_all += parts[i].s->size;
        sure_of_columns(&q, parts[i].s);
    }
    if (q.wanted > articles_in_all) q.wanted = articles_in_all;
    if (!(q.heap = keep(&q, (size_t)(q.wanted + 1) * sizeof *q.heap))) {
        PyErr_NoMemory();
        goto done;
    }
    /* Who lets go of the interpreter's lock may wait 5 ms for it: too long for a short query. */
    PyThreadState *state = find_words(&q, parts, n) < LONG ? NULL : PyEval_SaveThread();
    run(&q, parts, n, articles, neighbours);
    if (state) PyEval_RestoreThread(state);
    if (faults_of(parts, n) != faults) q.failed = 1;
    if (q.late) PyErr_SetString(PyExc_TimeoutError, "the time is over");
    else if (q.failed) PyErr_SetString(PyExc_ValueError, "postings lead nowhere");
    else answer = told(&q);
done:
    if (q.failed || spare) free(q.table);
    else spare = q.table;
    PyMem_Free(parts);
    free(q.places[0].at);
    free(q.places[1].at);
    let_go(&q);
    return answer;
}

/* How many postings the places of a word are read of, at most. */
static uint64_t read_at_most(const Term *terms, uint64_t n, uint64_t n_docs) {
    uint64_t found = 0;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t having = terms[i].list.having;
        found += having / FEW < n_docs ? having : n_docs;
    }
    return found;
}

/* Finds the places of a word in those of some articles that each segment has. */
static void find_places(Query *q, Part *parts, Py_ssize_t n, const uint32_t *docs, uint64_t n_docs,
                        Found *found) {
    for (Py_ssize_t i = 0; i < n && !q->failed; i++) {
        enter(q, &parts[i]);
        uint64_t low = number_of(docs, 0, docs ? n_docs : 0, q->base), n_terms = 0;
        uint64_t here = number_of(docs, low, docs ? n_docs : 0, q->base + q->s->size) - low;
        const uint32_t *own = docs ? docs + low : NULL;
        Term *terms = NULL;
        if (docs && !here) continue;
        if (q->words->kind == PHRASE) {
            if (!resolve(q, q->words) || !gather_phrase(q, q->words, own, here, found)) q->failed = 1;
        } else if (!terms_of_word(q, q->words, &terms, &n_terms)) q->failed = 1;
        else {
            /* Who lets go of the interpreter's lock may wait 5 ms for it. */
            int is_long = read_at_most(terms, n_terms, docs ? here : q->s->size) >= LONG;
            PyThreadState *state = is_long ? PyEval_SaveThread() : NULL;
            if (!gather(q, terms, n_terms, own, here, found)) q->failed = 1;
            if (state) PyEval_RestoreThread(state);
        }
    }
}

/* places(segments, word, articles, seconds): article << 32 | position of each place, ascending, in
   some articles, ascending; or, of what is no phrase, in all. */
static PyObject *places(PyObject *module, PyObject *args) {
    PyObject *segments, *told_word, *answer = NULL;
    Py_buffer among = {0};
    Query q = {0};
    Word word;
    Found found = {0};
    double seconds;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!z*d", &PyTuple_Type, &segments, &PyTuple_Type, &told_word,
                          &among, &seconds)) return NULL;
    if (seconds >= 0) q.deadline = now() + seconds;
    Py_ssize_t n = PyTuple_GET_SIZE(segments);
    Part *parts = PyMem_Calloc((size_t)n + 1, sizeof *parts);
    if (!parts) PyErr_NoMemory();
    if (!parts || !take_parts(segments, parts, n) || !take_word(&q, told_word, &word, 0)) goto done;
    if (word.kind == PHRASE && !among.buf) {
        PyErr_SetString(PyExc_ValueError, "a phrase is looked for in some articles");
        goto done;
    }
    uint64_t faults = faults_of(parts, n);
    for (Py_ssize_t i = 0; i < n; i++)
        if (!(parts[i].words = copied(&q, &word, 1))) q.failed = 1;
    find_places(&q, parts, n, among.buf, (uint64_t)among.len / 4, &found);
    if (faults_of(parts, n) != faults) q.failed = 1;
    if (q.late) PyErr_SetString(PyExc_TimeoutError, "the time is over");
    else if (q.failed) PyErr_SetString(PyExc_ValueError, "postings lead nowhere");
    else answer = PyBytes_FromStringAndSize((const char *)found.at,
                                            (Py_ssize_t)(found.n * sizeof *found.at));
done:
    PyMem_Free(parts);
    free(found.at);
    free(q.places[0].at);
    free(q.places[1].at);
    let_go(&q);
    PyBuffer_Release(&among);
    return answer;
}

/* having(segment, term): how many articles have a term. */
static PyObject *having(PyObject *module, PyObject *args) {
    PyObject *told;
    Py_buffer string;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!y*", segment_type, &told, &string)) return NULL;
    const Segment *s = (Segment *)told;
    uint64_t faults = s->faults;
    Strings terms = STRINGS(s, terms);
    int64_t term = find(&terms, string.buf, string.len);
    PyBuffer_Release(&string);
    uint64_t start = 0, end = 0;
    if (term >= 0) {
        SURE_OF_END(s, s->chunk_ends, term);
        uint64_t first = term ? s->chunk_ends[term - 1] : 0, last = s->chunk_ends[term];
        if (first <= last && last <= s->n_chunk_keys) {
            if (first) SURE_OF(s, posting_ends, first - 1, 1);
            if (last) SURE_OF(s, posting_ends, last - 1, 1);
            start = first ? s->posting_ends[first - 1] : 0;
            end = last ? s->posting_ends[last - 1] : 0;
        } else start = 1; /* damaged */
    }
    if (start <= end && end <= s->n_lows && s->faults == faults)
        return PyLong_FromUnsignedLongLong(end - start);
    PyErr_SetString(PyExc_ValueError, "postings lead nowhere");
    return NULL;
}

/* terms_of(segment, form): the terms of a word as it is written, the likeliest first. */
static PyObject *terms_of(PyObject *module, PyObject *args) {
    PyObject *told;
    Py_buffer form;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!y*", segment_type, &told, &form)) return NULL;
    const Segment *s = (Segment *)told;
    uint64_t faults = s->faults, low = 0, high = 0;
    Strings terms = STRINGS(s, terms), forms = STRINGS(s, forms);
    int64_t number = find(&forms, form.buf, form.len);
    PyBuffer_Release(&form);
    if (number >= 0) {
        SURE_OF_END(s, s->lemma_ends, number);
        low = number ? s->lemma_ends[number - 1] : 0;
        high = s->lemma_ends[number];
        if (low > high || high > s->n_lemmas) goto damaged;
        SURE_OF(s, lemmas, low, high - low);
    }
    if (s->faults != faults) goto damaged;
    PyObject *found = PyTuple_New((Py_ssize_t)(high - low));
    for (uint64_t i = low; found && i < high; i++) {
        uint64_t term = s->lemmas[i], start = 0, end = 0;
        if (term < terms.count) {
            SURE_OF_END(s, terms.ends, term);
            start = term ? terms.ends[term - 1] : 0;
            end = terms.ends[term];
        }
        if (start < end && end <= terms.size) {
            SURE_AT(s, terms.bytes + start, end - start);
            PyObject *text = PyUnicode_DecodeUTF8((const char *)terms.bytes + start,
                                                  (Py_ssize_t)(end - start), NULL);
            if (text) PyTuple_SET_ITEM(found, (Py_ssize_t)(i - low), text);
            if (text && s->faults == faults) continue;
        }
        Py_DECREF(found);
        if (PyErr_Occurred()) return NULL;
        goto damaged;
    }
    return found;
damaged:
    PyErr_SetString(PyExc_ValueError, "forms lead nowhere");
    return NULL;
}

/* record(segment, article): the bytes of an article; see Segment.stored. */
static PyObject *record(PyObject *module, PyObject *args) {
    PyObject *told;
    unsigned int number;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!I", segment_type, &told, &number)) return NULL;
    const Segment *s = (Segment *)told;
    uint64_t faults = s->faults;
    if (number < s->size) {
        SURE_OF(s, record_starts, number, 1);
        SURE_OF(s, record_sizes, number, 1);
        uint64_t start = s->record_starts[number], size = s->record_sizes[number];
        if (s->faults == faults && start <= s->n_records && size <= s->n_records - start) {
            SURE_OF(s, records, start, size);
            if (s->faults == faults)
                return PyBytes_FromStringAndSize((const char *)s->records + start, (Py_ssize_t)size);
        }
    }
    PyErr_SetString(PyExc_ValueError, "a record lies nowhere");
    return NULL;
}

/* checksums(data, first, size): the CRC-32 of the first so many bytes and of each so many behind
   them, of which the last may be fewer; uint32 in bytes. */
static PyObject *checksums(PyObject *module, PyObject *args) {
    Py_buffer data;
    Py_ssize_t first, size;
    PyObject *answer = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*nn", &data, &first, &size)) return NULL;
    if (first < 1 || size < 1) PyErr_SetString(PyExc_ValueError, "a block has a byte at least");
    else {
        Py_ssize_t rest = data.len > first ? data.len - first : 0;
        Py_ssize_t blocks = (data.len > 0) + rest / size + (rest % size > 0);
        answer = PyBytes_FromStringAndSize(NULL, blocks * 4);
    }
    if (answer) {
        uint32_t *out = (uint32_t *)PyBytes_AS_STRING(answer);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t at = 0, end = first; at < data.len; at = end, end += size) {
            if (end > data.len) end = data.len;
            *out++ = crc32_of((uint8_t *)data.buf + at, end - at);
        }
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&data);
    return answer;
}

PyMethodDef search_methods[] = {
    {"top", top, METH_VARARGS, "The best articles of a query; see query/top.py."},
    {"having", having, METH_VARARGS, "How many articles have a term; see index.py."},
    {"terms_of", terms_of, METH_VARARGS, "The terms of a written word; see index.py."},
    {"record", record, METH_VARARGS, "The bytes of an article; see codec/segment.py."},
    {"places", places, METH_VARARGS, "Where a word stands in some articles; see index.py."},
    {"checksums", checksums, METH_VARARGS, "The CRC-32 of blocks of bytes; see codec/arrays.py."},
    {NULL},
};

static PyMemberDef segment_members[] = {
    {"fault", T_LONGLONG, offsetof(Segment, fault), READONLY, "A damaged block; -1 if none is."},
    {NULL},
};

static PyType_Slot segment_slots[] = {
    {Py_tp_new, segment_new},
    {Py_tp_dealloc, segment_dealloc},
    {Py_tp_members, segment_members},
    {Py_tp_doc, "Segment(arrays, k1, checks): a segment's arrays, checked to fit together."},
    {0, NULL},
};

static PyType_Spec segment_spec = {
    .name = "searchkit.kernel._kernel.Segment",
    .basicsize = sizeof(Segment),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = segment_slots,
};

int add_search(PyObject *module) {
    segment_type = (PyTypeObject *)PyType_FromSpec(&segment_spec);
    return segment_type ? PyModule_AddObjectRef(module, "Segment", (PyObject *)segment_type) : -1;
}
