/* One token of every row through a whole stack in one call: a list of simple steps, which tape.py writes down.

All vectors lie in one piece of memory, `work`; a step reads at `from` and writes at `to`, both counted in floats for
one row and the same for each (a vector of width w of all rows: rows x w numbers). Between the steps nothing but this
memory is shared, and what is remembered of earlier tokens: keys and values in fp32, one head after the other.
*/
enum { PRODUCT, NORM, TURN, ATTEND, ACTIVATE, GATE, ADD, COPY };
enum { RELU, RELU2, GELU, GELU_TANH, SILU };

typedef struct {
    int32_t what, kind; /* kind: of matrix, of norm (1: with a mean), of activation, of position */
    int32_t inputs, outputs; /* widths; of heads: how many, and of those that are shared */
    int32_t width, limit; /* of a head; limit: window (0: none), or 1: the vector is in 8 bits already */
    float number, bound; /* eps or scale; soft cap (0: none) or the most a number may be */
    int64_t from, other, to;
    const void *matrix, *scales, *bias;
} Step;

typedef struct { /* of one attention: (rows, heads, capacity, width) */
    float *keys, *values;
    int64_t row, head; /* how far it is to the next */
} Cache;

typedef struct {
    float *work;
    const Cache *caches; /* in the order in which they are asked for */
    const float *const *turns; /* of each kind of position: cosines, sines, (rows, width) */
    const int64_t *first; /* of each row: the column in which it begins */
    int64_t rows, turned, column; /* rows; rows of the turns (1: the same for all); where the new token stands */
    int32_t threads;
} Call;

INLINE Sixteen activated(Sixteen x, int kind) {
    Sixteen zero = {0};
    if (kind == RELU || kind == RELU2) return either(x <= 0, zero, kind == RELU ? x : x * x);
    if (kind == SILU) return x / (1 + exponential(-x));
    if (kind == GELU_TANH) return x / (1 + exponential(-1.5957691f * (x + 0.044715f * x * x * x)));
    return x * (0.5f + 0.5f * error_function(x * 0.70710678f));
}

INLINE void each(float *x, const float *gate, long count, int kind) {
    for (long i = 0; i < count; i += 16) {
        Sixteen numbers = some(x + i, count - i, 0);
        put(x + i, gate ? numbers * activated(some(gate + i, count - i, 0), kind) : activated(numbers, kind), count - i);
    }
}

static void activate(float *x, const float *gate, long count, int kind) {
    if (kind == RELU) each(x, gate, count, RELU);
    if (kind == RELU2) each(x, gate, count, RELU2);
    if (kind == GELU) each(x, gate, count, GELU);
    if (kind == GELU_TANH) each(x, gate, count, GELU_TANH);
    if (kind == SILU) each(x, gate, count, SILU);
}

static void norm(const Step *step, const float *x, float *y) {
    long width = step->inputs;
    const float *gain = step->matrix, *bias = step->bias;
    float mean = step->kind ? sum_of(x, width, 0, 0) / width : 0;
    float by = 1 / sqrtf(sum_of(x, width, mean, 1) / width + step->number);
    for (long i = 0; i < width; i++) y[i] = (x[i] - mean) * by * (gain ? gain[i] : 1) + (bias ? bias[i] : 0);
}

/* The first `turning` channels of every head, paired half a turn apart */
static void turn(float *heads, const float *cos, const float *sin, long count, long width, long turning) {
    float before[turning];
    for (long head = 0; head < count; head++, heads += width) {
        memcpy(before, heads, sizeof before);
        for (long i = 0; i < turning; i++) {
            long beside = i < turning / 2 ? i + turning / 2 : i - turning / 2;
            heads[i] = before[i] * cos[i] + before[beside] * sin[i];
        }
    }
}

INLINE float dot(const float *a, const float *b, long width) {
    Sixteen sums = {0};
    float rest = 0;
    long i = 0;
    for (; i + 16 <= width; i += 16) sums += *(const Sixteen *)(a + i) * *(const Sixteen *)(b + i);
    for (; i < width; i++) rest += a[i] * b[i];
    return total(sums) + rest;
}

/* `some` times sixteen channels of the values, each by its share */
INLINE void mix(const float *shares, const float *values, float *to, long count, long width, int some) {
    Sixteen sums[4] = {0};
    for (long i = 0; i < count; i++)
#pragma GCC unroll 4
        for (int part = 0; part < some; part++) sums[part] += shares[i] * *(const Sixteen *)(values + i * width + 16 * part);
#pragma GCC unroll 4
    for (int part = 0; part < some; part++) *(Sixteen *)(to + 16 * part) = sums[part];
}

/* The heads that share keys and values, of one row: what they say of `count` columns */
static void attend(const Step *step, const float *q, const float *keys, const float *values, float *to, long count) {
    long width = step->width, group = step->inputs / step->outputs;
    float shares[count];
    for (long head = 0; head < group; head++, q += width, to += width) {
        for (long i = 0; i < count; i++) shares[i] = dot(q, keys + i * width, width) * step->number;
        for (long i = 0; i < count && step->bound > 0; i++) shares[i] = step->bound * tanhf(shares[i] / step->bound);
        float by = 1 / exponentials(shares, count, largest(shares, count));
        for (long i = 0; i < count; i++) shares[i] *= by;
        long c = 0;
        for (; c + 64 <= width; c += 64) mix(shares, values + c, to + c, count, width, 4);
        for (; c + 16 <= width; c += 16) mix(shares, values + c, to + c, count, width, 1);
        for (; c < width; c++) {
            float sum = 0;
            for (long i = 0; i < count; i++) sum += shares[i] * values[i * width + c];
            to[c] = sum;
        }
    }
}

static void remember_and_attend(const Step *step, const Call *call, const Cache *cache) {
    long width = step->width, heads = step->outputs, rows = call->rows;
    long all = step->inputs * width, own = heads * width; /* numbers of a row's queries, and of its keys */
    const float *q = call->work + step->from * rows, *k = call->work + step->other * rows, *v = k + own * rows;
#pragma omp parallel for num_threads(call->threads) if (call->threads > 1) collapse(2)
    for (long row = 0; row < rows; row++)
        for (long head = 0; head < heads; head++) {
            long start = row * cache->row + head * cache->head, here = start + call->column * width;
            long first = call->first ? call->first[row] : 0, seen = call->column + 1;
            if (step->limit && first < seen - step->limit) first = seen - step->limit;
            memcpy(cache->keys + here, k + row * own + head * width, width * sizeof(float));
            memcpy(cache->values + here, v + row * own + head * width, width * sizeof(float));
            long places = row * all + head * (all / heads), begin = start + first * width;
            attend(step, q + places, cache->keys + begin, cache->values + begin, call->work + step->to * rows + places, seen - first);
        }
}

static void finish_product(const Step *step, float *y, long rows) {
    const float *bias = step->bias;
    for (long row = 0; row < rows && bias; row++)
        for (long i = 0; i < step->outputs; i++) y[row * step->outputs + i] += bias[i];
    for (long i = 0; i < rows * step->outputs && step->bound > 0; i++) y[i] = fmaxf(fminf(y[i], step->bound), -step->bound);
}

void play(const Step *steps, long count, const Call *call) {
    long rows = call->rows;
    Vectors vectors = {0};
    const Cache *cache = call->caches;
    for (const Step *step = steps; step < steps + count; step++) {
        float *from = call->work + step->from * rows, *to = call->work + step->to * rows;
        if (step->what == PRODUCT) {
            const long shape[3] = {rows, step->inputs, step->outputs};
            vectors = product(step->kind, step->matrix, step->scales, from, to, shape, call->threads, step->limit ? &vectors : NULL);
            finish_product(step, to, rows);
        } else if (step->what == NORM) {
            for (long i = 0; i < rows * step->outputs; i++) norm(step, from + i * step->inputs, to + i * step->inputs);
        } else if (step->what == TURN) {
            const float *cos = call->turns[2 * step->kind], *sin = call->turns[2 * step->kind + 1];
            for (long row = 0; row < rows; row++) {
                long at = call->turned > 1 ? row * step->limit : 0;
                turn(to + row * step->inputs * step->width, cos + at, sin + at, step->inputs, step->width, step->limit);
            }
        } else if (step->what == ATTEND) {
            remember_and_attend(step, call, cache++);
        } else if (step->what == ACTIVATE || step->what == GATE) {
            activate(to, step->what == GATE ? from : NULL, rows * step->inputs, step->kind);
        } else if (step->what == ADD) {
            for (long i = 0; i < rows * step->inputs; i++) to[i] += from[i];
        } else {
            memcpy(to, from, rows * step->inputs * sizeof(float));
        }
    }
}

void multiply(int kind, const void *matrix, const void *scales, const float *x, float *y, const long shape[3], int threads) {
    product(kind, matrix, scales, x, y, shape, threads, NULL);
}
