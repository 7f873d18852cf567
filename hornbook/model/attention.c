/* Causal attention forwards and backwards (Vaswani et al. 2017; the recomputed weights are FlashAttention's, Dao et al.
2022, section 3.1). Of each head all is brought to fp32, the queries scaled at once; six queries at a time meet all
earlier keys, so that their scores lie in the cache and softmax is taken of whole rows. Kept for the way back: each row's
largest score, and one over its sum.

Everything is one product: six rows of A times a matrix whose rows are up to 64 numbers wide, 24 registers of sums.
*/
#define SIX 6
#define PANEL 48 /* queries whose weights are kept together on the way back */
#define WIDE 64

typedef struct { /* sizes, and how far it is from one to the next: of q, k, v and what stands like the answer */
    int64_t batch, heads, shared, time, width;
    int64_t q[3], k[3], v[3], o[3]; /* of a row, a head, a token */
    float scale;
    int32_t kind, threads;
} Shape;

INLINE void six(const float *a, long row, long next, const float *b, long wide, float *c, long stride, long count,
                int some, int more) {
    Sixteen sums[SIX * 4];
#pragma GCC unroll 24
    for (int i = 0; i < SIX * some; i++) {
        Sixteen zero = {0};
        sums[i] = more ? *(Sixteen *)(c + i / some * stride + i % some * 16) : zero;
    }
    for (long k = 0; k < count; k++, a += next, b += wide) {
        Sixteen numbers[4];
#pragma GCC unroll 4
        for (int part = 0; part < some; part++) numbers[part] = *(const Sixteen *)(b + 16 * part);
#pragma GCC unroll 6
        for (int r = 0; r < SIX; r++)
#pragma GCC unroll 4
            for (int part = 0; part < some; part++) sums[r * some + part] += a[r * row] * numbers[part];
    }
#pragma GCC unroll 24
    for (int i = 0; i < SIX * some; i++) *(Sixteen *)(c + i / some * stride + i % some * 16) = sums[i];
}

/* c (six rows, `columns`) = a b, or c + a b; a's rows are `row` apart and its columns `next` */
INLINE void rows_times(const float *a, long row, long next, const float *b, long wide, float *c, long stride, long count,
                       long columns, int more) {
    for (long at = 0; at < columns; at += WIDE, b += WIDE, c += WIDE) {
        long parts = (columns - at + 15) / 16;
        if (parts >= 4) six(a, row, next, b, wide, c, stride, count, 4, more);
        else if (parts == 3) six(a, row, next, b, wide, c, stride, count, 3, more);
        else if (parts == 2) six(a, row, next, b, wide, c, stride, count, 2, more);
        else six(a, row, next, b, wide, c, stride, count, 1, more);
    }
}

/* The scores of six queries with the keys before `count`; the keys stand upright, 64 side by side */
static void score(const float *q, const float *upright, float *scores, long stride, long count, long width) {
    for (long at = 0; at < count; at += WIDE)
        rows_times(q, width, 1, upright + at * width, WIDE, scores + at, stride, width, count - at < WIDE ? count - at : WIDE, 0);
}

static void take_head(const Shape *s, const void *from, const int64_t *steps, long row, long head, float by, float *to) {
    for (long t = 0; t < s->time; t++)
        for (long c = 0, at = row * steps[0] + head * steps[1] + t * steps[2]; c < s->width; c++)
            to[t * s->width + c] = by * (s->kind == BF16 ? wide(((const uint16_t *)from)[at + c]) : ((const float *)from)[at + c]);
}

static void give_head(const Shape *s, const float *from, float by, void *to, long heads, long row, long head) {
    for (long t = 0; t < s->time; t++)
        for (long c = 0, at = ((row * s->time + t) * heads + head) * s->width; c < s->width; c++)
            if (s->kind == BF16) ((uint16_t *)to)[at + c] = narrow(by * from[t * s->width + c]);
            else ((float *)to)[at + c] = by * from[t * s->width + c];
}

static void set_upright(const Shape *s, const float *from, float *to) {
    for (long t = 0; t < s->time; t++)
        for (long c = 0; c < s->width; c++) to[(t / WIDE * s->width + c) * WIDE + t % WIDE] = from[t * s->width + c];
}

INLINE long filled(const Shape *s) { return (s->time + PANEL - 1) / PANEL * PANEL + WIDE; } /* tokens there is room for */

void attention(const Shape *s, const void *q, const void *k, const void *v, void *answer, float *kept) {
    long width = s->width, tokens = filled(s), one = tokens * width;
#pragma omp parallel num_threads(s->threads) if (s->threads > 1)
    {
        float *mine = calloc(5 * one + SIX * tokens, sizeof(float));
        float *query = mine, *key = mine + one, *value = key + one, *upright = value + one, *said = upright + one, *p = said + one;
#pragma omp for collapse(2) schedule(static)
        for (long row = 0; row < s->batch; row++)
            for (long head = 0; head < s->heads; head++) {
                long of = head / (s->heads / s->shared);
                take_head(s, q, s->q, row, head, s->scale, query);
                take_head(s, k, s->k, row, of, 1, key);
                take_head(s, v, s->v, row, of, 1, value);
                set_upright(s, key, upright);
                for (long i = 0; i < s->time; i += SIX) {
                    long count = i + SIX < s->time ? i + SIX : s->time;
                    float by[SIX];
                    score(query + i * width, upright, p, tokens, count, width);
                    for (long r = 0; r < SIX && i + r < s->time; r++) {
                        float *mine = p + r * tokens, most = largest(mine, i + r + 1);
                        by[r] = 1 / exponentials(mine, i + r + 1, most);
                        for (long j = i + r + 1; j < count; j++) mine[j] = 0;
                        float *keep = kept + 2 * ((row * s->heads + head) * s->time + i + r);
                        keep[0] = most, keep[1] = by[r];
                    }
                    rows_times(p, tokens, 1, value, width, said + i * width, width, count, width, 0);
                    for (long r = 0; r < SIX && i + r < s->time; r++)
                        for (long c = 0; c < width; c++) said[(i + r) * width + c] *= by[r];
                }
                give_head(s, said, 1, answer, s->heads, row, head);
            }
        free(mine);
    }
}

/* Of one query: its weights again, and the gradient of its scores; both 0 from `seen` to `end` */
INLINE void row_back(float *p, float *by_scores, long seen, long end, const float *kept) {
    Sixteen sums = {0};
    for (long j = seen; j < end; j++) p[j] = by_scores[j] = 0;
    for (long j = 0; j < seen; j += 16) {
        Sixteen weights = exponential(some(p + j, seen - j, -INFINITY) - kept[0]) * kept[1];
        if (seen - j < 16) put(p + j, weights, seen - j), weights = some(p + j, seen - j, 0);
        else put(p + j, weights, 16);
        sums += weights * some(by_scores + j, seen - j, 0);
    }
    float less = total(sums);
    for (long j = 0; j < seen; j++) by_scores[j] = p[j] * (by_scores[j] - less);
}

typedef struct { /* of one head, in fp32: what it read, what it is told, what it tells; `p` and `ds` of a panel */
    float *q, *k, *v, *told, *k_upright, *v_upright, *dq, *dk, *dv, *p, *ds;
} Head;

static void head_back(const Shape *s, const Head *h, const float *kept) {
    long width = s->width, tokens = filled(s);
    for (long start = 0; start < s->time; start += PANEL) {
        long rows = s->time - start < PANEL ? s->time - start : PANEL, all = (start + rows + SIX - 1) / SIX * SIX;
        for (long r = 0; r < rows; r += SIX) {
            long i = start + r, count = i + SIX < s->time ? i + SIX : s->time;
            float *p = h->p + r * tokens, *ds = h->ds + r * tokens;
            score(h->q + i * width, h->k_upright, p, tokens, count, width);
            score(h->told + i * width, h->v_upright, ds, tokens, count, width);
            for (long one = 0; one < SIX; one++) {
                long seen = r + one < rows ? i + one + 1 : 0;
                row_back(p + one * tokens, ds + one * tokens, seen, all, kept + 2 * (i + one));
            }
            rows_times(ds, tokens, 1, h->k, width, h->dq + i * width, width, count, width, 0);
        }
        rows = (rows + SIX - 1) / SIX * SIX;
        for (long j = 0; j < all; j += SIX) { /* queries before these keys have weights of 0 */
            long skip = j > start ? (j - start) / SIX * SIX : 0, i = start + skip;
            rows_times(h->p + skip * tokens + j, 1, tokens, h->told + i * width, width, h->dv + j * width, width, rows - skip, width, 1);
            rows_times(h->ds + skip * tokens + j, 1, tokens, h->q + i * width, width, h->dk + j * width, width, rows - skip, width, 1);
        }
    }
}

void attention_back(const Shape *s, const void *q, const void *k, const void *v, const void *told, const float *kept,
                    void *dq, void *dk, void *dv) {
    long width = s->width, tokens = filled(s), one = tokens * width, group = s->heads / s->shared;
#pragma omp parallel num_threads(s->threads) if (s->threads > 1)
    {
        float *mine = calloc(9 * one + 2 * PANEL * tokens, sizeof(float)), *p = mine + 9 * one;
        Head h = {mine, mine + one, mine + 2 * one, mine + 3 * one, mine + 4 * one, mine + 5 * one,
                  mine + 6 * one, mine + 7 * one, mine + 8 * one, p, p + PANEL * tokens};
#pragma omp for collapse(2) schedule(static)
        for (long row = 0; row < s->batch; row++)
            for (long of = 0; of < s->shared; of++) {
                take_head(s, k, s->k, row, of, 1, h.k);
                take_head(s, v, s->v, row, of, 1, h.v);
                set_upright(s, h.k, h.k_upright);
                set_upright(s, h.v, h.v_upright);
                memset(h.dk, 0, 2 * one * sizeof(float));
                for (long head = of * group; head < (of + 1) * group; head++) {
                    take_head(s, q, s->q, row, head, s->scale, h.q);
                    take_head(s, told, s->o, row, head, 1, h.told);
                    head_back(s, &h, kept + 2 * (row * s->heads + head) * s->time);
                    give_head(s, h.dq, s->scale, dq, s->heads, row, head);
                }
                give_head(s, h.dk, 1, dk, s->shared, row, of);
                give_head(s, h.dv, 1, dv, s->shared, row, of);
            }
        free(mine);
    }
}
