#include "nearest.h"

#include "alm/catalog.h"

// Edit distance where two letters that changed places count once (optimal string alignment), over
// code points, so that one Chinese character is one step.

static uint32_t lower(uint32_t c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

// False: more than NEAREST_LEN_MAX. A malformed byte stands for itself, above Unicode.
static bool code_points(alm_str text, uint32_t *ret, size_t *ret_len)
{
    size_t len = 0;
    for (size_t at = 0; at < text.len; len++) {
        if (len == NEAREST_LEN_MAX) {
            return false;
        }
        uint32_t c;
        size_t step = alm_utf8_decode(alm_str_slice(text, at, text.len), &c);
        ret[len] = step > 0 ? lower(c) : UINT32_C(0x110000) + (unsigned char)text.data[at];
        at += step > 0 ? step : 1;
    }
    *ret_len = len;
    return true;
}

static uint64_t letters_of(const uint32_t *word, size_t len)
{
    uint64_t letters = 0;
    for (size_t i = 0; i < len; i++) {
        letters |= UINT64_C(1) << (word[i] % 64);
    }
    return letters;
}

nearest nearest_of(alm_str word)
{
    nearest n = {.len = 0};
    if (!code_points(word, n.word, &n.len)) {
        n.len = 0;
    }
    n.letters = letters_of(n.word, n.len);
    n.limit = n.len < 2 ? 0 : ALM_MAX(n.len / 3, (size_t)1);
    return n;
}

// The distance, or limit + 1 when it is more than limit. Only cells within limit of the diagonal
// can be on a path that short; all others count as far.
static size_t distance(const nearest *n, const uint32_t *other, size_t other_len, size_t limit)
{
    const size_t far = limit + 1;
    size_t space[3][NEAREST_LEN_MAX + 1];
    size_t *before = space[0], *above = space[1], *row = space[2];
    for (size_t j = 0; j <= other_len; j++) {
        above[j] = ALM_MIN(j, far);
        before[j] = far;
    }
    for (size_t i = 1; i <= n->len; i++) {
        size_t from = i > limit ? i - limit : 1;
        size_t to = ALM_MIN(i + limit, other_len);
        size_t row_min = row[from - 1] = from == 1 ? ALM_MIN(i, far) : far;
        for (size_t j = from; j <= to; j++) {
            size_t best = above[j - 1] + (n->word[i - 1] != other[j - 1]);
            best = ALM_MIN(best, row[j - 1] + 1);
            best = ALM_MIN(best, above[j] + 1);
            if (i > 1 && j > 1 && n->word[i - 1] == other[j - 2] &&
                n->word[i - 2] == other[j - 1]) {
                best = ALM_MIN(best, before[j - 2] + 1);
            }
            row[j] = ALM_MIN(best, far);
            row_min = ALM_MIN(row_min, row[j]);
        }
        if (to < other_len) {
            row[to + 1] = far;
        }
        if (row_min == far) {
            return far;
        }
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[other_len];
}

static size_t common_prefix(const nearest *n, const uint32_t *other, size_t other_len)
{
    size_t len = 0;
    while (len < n->len && len < other_len && n->word[len] == other[len]) {
        len++;
    }
    return len;
}

void nearest_offer(nearest *n, alm_str candidate, uint32_t tag)
{
    size_t limit = n->best.len > 0 ? n->best_distance : n->limit;
    // A code point takes one to four bytes, which tells most lengths apart without decoding.
    if (n->limit == 0 || candidate.len + limit < n->len || candidate.len > 4 * (n->len + limit)) {
        return;
    }
    uint32_t other[NEAREST_LEN_MAX];
    size_t len;
    if (!code_points(candidate, other, &len) || len == 0 || len > n->len + limit ||
        n->len > len + limit) {
        return;
    }
    // One step changes at most two letters: it takes one away and brings another.
    int differing = __builtin_popcountll(n->letters ^ letters_of(other, len));
    if ((size_t)differing > 2 * limit) {
        return;
    }
    size_t found = distance(n, other, len, limit);
    if (found > limit) {
        return;
    }
    size_t prefix = common_prefix(n, other, len);
    if (n->best.len == 0 || found < n->best_distance || prefix > n->best_prefix) {
        n->best = candidate;
        n->best_distance = found;
        n->best_prefix = prefix;
        n->tag = tag;
    }
}

alm_str alm_nearest(alm_str word, const alm_str *candidates, size_t count)
{
    nearest n = nearest_of(word);
    for (size_t i = 0; i < count; i++) {
        nearest_offer(&n, candidates[i], 0);
    }
    return n.best;
}
