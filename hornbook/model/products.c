/* Products of a matrix in 8 bits, 4 bits, bf16 or fp32 with some vectors, at the speed at which memory is read.

8 and 4 bits: a group of 32 numbers of a row shares a scale (fp16); a number is stored with 128 or 8 added. Sixteen rows
lie together, four numbers of the first, four of the second, ...: sixteen rows times four numbers are one instruction
(VNNI), and each lane of a register sums up one row. In 4 bits the first half of a group takes the low halves of its
bytes. The vectors are brought to 8 bits as well, each group of 32 with a scale of its own. What has been added to the
matrix is taken off at the start: `less`, computed once for each group of a vector.

bf16, the upper half of fp32, lies in the same way, two numbers of each of sixteen rows. fp32 lies row by row, as torch has
it, and four rows are multiplied at a time.
*/
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>
#define VNNI 1
#endif
#define INLINE static inline __attribute__((always_inline))
#define GROUP 32
#define LANES 16 /* rows of a block */
#define AHEAD 8192 /* bytes: what will be read soon is asked for now; found by trial, memory alone asks too late */

enum { FP32, BF16, INT8, INT4 };
typedef float Sixteen __attribute__((vector_size(64), aligned(4)));
typedef uint32_t Words __attribute__((vector_size(64), aligned(4)));

typedef int32_t Signs __attribute__((vector_size(64), aligned(4)));

INLINE float total(Sixteen sums) {
#ifdef VNNI
    return _mm512_reduce_add_ps((__m512)sums);
#else
    float sum = 0;
    for (int lane = 0; lane < 16; lane++) sum += sums[lane];
    return sum;
#endif
}

typedef struct { /* vectors in 8 bits */
    int8_t *numbers;
    int32_t *less; /* of each group: its sum times what was added to the matrix, negative */
    float *scales;
    long groups;
} Vectors;

static __thread void *room = NULL;
static __thread size_t size = 0;

static void *take(size_t bytes) {
    if (bytes > size) {
        free(room);
        size = (bytes + 4095) / 4096 * 4096;
        room = aligned_alloc(64, size);
    }
    return room;
}

INLINE void group_to_bytes(const float *from, long there, int added, const Vectors *to, long group) {
    float filled[GROUP] = {0}, largest = 0;
    int8_t *numbers = to->numbers + group * GROUP;
    if (there < GROUP) from = memcpy(filled, from, there * sizeof(float));
    int sum = 0;
#ifdef VNNI
    __m512 a = _mm512_loadu_ps(from), b = _mm512_loadu_ps(from + 16);
    largest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
    __m512 by = _mm512_set1_ps(largest > 0 ? 127 / largest : 0);
    __m512i c = _mm512_cvtps_epi32(_mm512_mul_ps(a, by)), d = _mm512_cvtps_epi32(_mm512_mul_ps(b, by));
    _mm_storeu_si128((__m128i *)numbers, _mm512_cvtepi32_epi8(c));
    _mm_storeu_si128((__m128i *)(numbers + 16), _mm512_cvtepi32_epi8(d));
    sum = _mm512_reduce_add_epi32(_mm512_add_epi32(c, d));
#else
    for (int i = 0; i < GROUP; i++) largest = fmaxf(largest, fabsf(from[i]));
    float by = largest > 0 ? 127 / largest : 0;
    for (int i = 0; i < GROUP; i++) sum += numbers[i] = (int8_t)rintf(from[i] * by);
#endif
    to->less[group] = -added * sum;
    to->scales[group] = largest / 127;
}

static Vectors to_bytes(const float *x, long count, long inputs, int added) {
    long groups = (inputs + GROUP - 1) / GROUP, all = count * groups;
    Vectors to = {.groups = groups, .numbers = take(all * (GROUP + 8))};
    to.less = (int32_t *)(to.numbers + all * GROUP);
    to.scales = (float *)(to.less + all);
    for (long row = 0; row < count; row++)
        for (long group = 0; group < groups; group++)
            group_to_bytes(x + row * inputs + group * GROUP, inputs - group * GROUP, added, &to, row * groups + group);
    return to;
}

#ifdef VNNI
/* A block of sixteen rows times `count` vectors: y[vector * stride + row] */
INLINE void block(const uint8_t *matrix, const uint16_t *scales, const Vectors *x, long first, float *y, long stride,
                  int bits, int count, int rows) {
    __m512 sums[8];
    const __m512i low = _mm512_set1_epi8(15);
#pragma GCC unroll 8
    for (int one = 0; one < count; one++) sums[one] = _mm512_setzero_ps();
    for (long group = 0; group < x->groups; group++) {
        __m512i dots[8], numbers[GROUP / 4];
        for (int i = 0; i < bits; i++) {
            numbers[i] = _mm512_loadu_si512(matrix + (group * bits + i) * 64);
            if (count == 1) __builtin_prefetch(matrix + (group * bits + i) * 64 + AHEAD);
        }
        if (bits == 4)
            for (int i = 0; i < 4; i++) {
                numbers[i + 4] = _mm512_and_si512(_mm512_srli_epi16(numbers[i], 4), low);
                numbers[i] = _mm512_and_si512(numbers[i], low);
            }
#pragma GCC unroll 8
        for (int one = 0; one < count; one++) dots[one] = _mm512_set1_epi32(x->less[(first + one) * x->groups + group]);
#pragma GCC unroll 8
        for (int i = 0; i < GROUP / 4; i++)
#pragma GCC unroll 8
            for (int one = 0; one < count; one++) {
                int32_t four;
                memcpy(&four, x->numbers + ((first + one) * x->groups + group) * GROUP + 4 * i, 4);
                dots[one] = _mm512_dpbusd_epi32(dots[one], numbers[i], _mm512_set1_epi32(four));
            }
        __m512 own = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(scales + group * LANES)));
#pragma GCC unroll 8
        for (int one = 0; one < count; one++) {
            __m512 both = _mm512_mul_ps(own, _mm512_set1_ps(x->scales[(first + one) * x->groups + group]));
            sums[one] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots[one]), both, sums[one]);
        }
    }
#pragma GCC unroll 8
    for (int one = 0; one < count; one++)
        _mm512_mask_storeu_ps(y + (first + one) * stride, (__mmask16)((1u << rows) - 1), sums[one]);
}
#else
static float half(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits >> 15) << 31, exponent = bits >> 10 & 31, rest = bits & 1023, all;
    float found, small = rest * 0x1p-24f;
    if (!exponent) return sign ? -small : small;
    all = sign | (exponent + 112) << 23 | rest << 13;
    memcpy(&found, &all, 4);
    return found;
}

INLINE void block(const uint8_t *matrix, const uint16_t *scales, const Vectors *x, long first, float *y, long stride,
                  int bits, int count, int rows) {
    for (int one = 0; one < count; one++) {
        float sums[LANES] = {0};
        for (long group = 0; group < x->groups; group++) {
            const uint8_t *mine = matrix + group * bits * 64;
            const int8_t *numbers = x->numbers + ((first + one) * x->groups + group) * GROUP;
            int32_t dots[LANES];
            for (int row = 0; row < LANES; row++) {
                dots[row] = x->less[(first + one) * x->groups + group];
                for (int i = 0; i < GROUP; i++) {
                    int place = i / 4 % bits * 64 + row * 4 + i % 4;
                    dots[row] += (bits == 8 ? mine[place] : mine[place] >> i / 16 * 4 & 15) * numbers[i];
                }
                sums[row] += dots[row] * half(scales[group * LANES + row]) * x->scales[(first + one) * x->groups + group];
            }
        }
        for (int row = 0; row < rows; row++) y[(first + one) * stride + row] = sums[row];
    }
}
#endif

INLINE void quantised(const uint8_t *matrix, const uint16_t *scales, const Vectors *x, float *y, long count,
                      long outputs, int bits, int threads) {
    long bytes = x->groups * bits * 64, many = count / 8 * 8;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (long row = 0; row < outputs; row += LANES) {
        const uint8_t *here = matrix + row / LANES * bytes;
        const uint16_t *own = scales + row * x->groups;
        int rows = outputs - row < LANES ? outputs - row : LANES;
        for (long one = 0; one < many; one += 8) block(here, own, x, one, y + row, outputs, bits, 8, rows);
        for (long one = many; one < count; one++) block(here, own, x, one, y + row, outputs, bits, 1, rows);
    }
}

/* Four rows of a matrix in fp32 times four vectors */
INLINE void tile(const float *matrix, const float *x, float *y, long inputs, long outputs) {
    Sixteen sums[16] = {0};
    float rest[16] = {0};
    long i = 0;
    for (; i + 16 <= inputs; i += 16) {
        Sixteen vectors[4];
#pragma GCC unroll 4
        for (int one = 0; one < 4; one++) vectors[one] = *(const Sixteen *)(x + one * inputs + i);
#pragma GCC unroll 4
        for (int row = 0; row < 4; row++) {
            Sixteen numbers = *(const Sixteen *)(matrix + row * inputs + i);
            __builtin_prefetch((const char *)(matrix + row * inputs + i) + 2 * AHEAD);
#pragma GCC unroll 4
            for (int one = 0; one < 4; one++) sums[row * 4 + one] += numbers * vectors[one];
        }
    }
    for (; i < inputs; i++)
        for (int at = 0; at < 16; at++) rest[at] += matrix[at / 4 * inputs + i] * x[at % 4 * inputs + i];
#pragma GCC unroll 16
    for (int at = 0; at < 16; at++) y[at % 4 * outputs + at / 4] = total(sums[at]) + rest[at];
}

/* One row times one vector, four registers in turn; asks for what lies in the rows that follow */
INLINE float row_times(const float *row, const float *x, long inputs) {
    Sixteen sums[4] = {0};
    long i = 0;
    for (; i + 64 <= inputs; i += 64)
#pragma GCC unroll 4
        for (int part = 0; part < 4; part++) {
            __builtin_prefetch((const char *)(row + i + 16 * part) + AHEAD);
            sums[part] += *(const Sixteen *)(row + i + 16 * part) * *(const Sixteen *)(x + i + 16 * part);
        }
    float rest = 0;
    for (; i < inputs; i++) rest += row[i] * x[i];
    return total((sums[0] + sums[1]) + (sums[2] + sums[3])) + rest;
}

static void plain(const float *matrix, const float *x, float *y, long count, long inputs, long outputs, int threads) {
    long tiled = outputs / 4 * 4, many = count / 4 * 4;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (long row = 0; row < outputs; row += 4) {
        int rows = outputs - row < 4 ? outputs - row : 4;
        for (long one = 0; row < tiled && one < many; one += 4)
            tile(matrix + row * inputs, x + one * inputs, y + one * outputs + row, inputs, outputs);
        for (long one = row < tiled ? many : 0; one < count; one++)
            for (long r = row; r < row + rows; r++)
                y[one * outputs + r] = row_times(matrix + r * inputs, x + one * inputs, inputs);
    }
}

/* A block of sixteen rows in bf16 times `count` vectors: two numbers of each row, the first in the lower half */
INLINE void pairs(const Words *matrix, const float *x, float *y, long inputs, long outputs, int rows, int count) {
    Sixteen even[8] = {0}, odd[8] = {0};
    for (long i = 0; i < inputs; i += 2) {
        Words both = matrix[i / 2];
        if (count == 1) __builtin_prefetch((const char *)(matrix + i / 2) + AHEAD);
        Sixteen first = (Sixteen)(both << 16), second = (Sixteen)(both & 0xffff0000u);
#pragma GCC unroll 8
        for (int one = 0; one < count; one++) {
            even[one] += first * x[one * inputs + i];
            odd[one] += second * (i + 1 < inputs ? x[one * inputs + i + 1] : 0);
        }
    }
#pragma GCC unroll 8
    for (int one = 0; one < count; one++) {
        Sixteen sums = even[one] + odd[one];
        memcpy(y + one * outputs, &sums, rows * sizeof(float));
    }
}

static void half_as_wide(const Words *matrix, const float *x, float *y, long count, long inputs, long outputs,
                         int threads) {
    long words = (inputs + 1) / 2, many = count / 8 * 8;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (long row = 0; row < outputs; row += LANES) {
        const Words *here = matrix + row / LANES * words;
        int rows = outputs - row < LANES ? outputs - row : LANES;
        long one = 0;
        for (; one < many; one += 8) pairs(here, x + one * inputs, y + one * outputs + row, inputs, outputs, rows, 8);
        for (; one < count; one++) pairs(here, x + one * inputs, y + one * outputs + row, inputs, outputs, rows, 1);
    }
}

/* y = x M^T: `count` vectors of `inputs` numbers become as many of `outputs`. Vectors that are in 8 bits already are `ready`. */
static Vectors product(int kind, const void *matrix, const void *scales, const float *x, float *y, const long shape[3],
                       int threads, const Vectors *ready) {
    long count = shape[0], inputs = shape[1], outputs = shape[2];
    Vectors vectors = {0};
    if (kind >= INT8) vectors = ready ? *ready : to_bytes(x, count, inputs, kind == INT8 ? 128 : 8);
    if (kind == FP32) plain(matrix, x, y, count, inputs, outputs, threads);
    if (kind == BF16) half_as_wide(matrix, x, y, count, inputs, outputs, threads);
    if (kind == INT8) quantised(matrix, scales, &vectors, y, count, outputs, 8, threads);
    if (kind == INT4) quantised(matrix, scales, &vectors, y, count, outputs, 4, threads);
    return vectors;
}
