/* Products of a matrix in 8 bits, 4 bits, bf16 or fp32 with a few vectors, at the speed at which memory is read.

A group of 32 numbers of a row shares a scale (fp16); a number is stored with 128 (8 bits) or 8 (4 bits) added. Of two
groups in 4 bits one takes the low and the other the high half of 32 bytes. The vectors are brought to 8 bits as well,
each group of 32 with a scale of its own, so that a product of 64 pairs is one instruction (VNNI) or a loop that
compilers make fast. What has been added to the matrix is taken off before: `less`, computed once per vector.
*/
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__AVX512VNNI__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>
#define VNNI 1
#endif
#define GROUP 32
#define INLINE static inline __attribute__((always_inline))

typedef struct { /* vectors in 8 bits; `width` is a multiple of 64 */
    int8_t *numbers;
    int32_t *less; /* of every 4 numbers: their sum times what was added to the matrix, negative */
    float *scales; /* of every 4 numbers */
    long width;
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

static void to_bytes(const float *x, long count, long inputs, int added, Vectors *to) {
    long width = to->width = (inputs + 63) / 64 * 64;
    float *filled = take(count * width * 3 + width * sizeof(float));
    to->numbers = (int8_t *)(filled + width);
    to->less = (int32_t *)(to->numbers + count * width);
    to->scales = (float *)(to->less + count * width / 4);
    for (long row = 0; row < count; row++) {
        const float *from = x + row * inputs;
        if (inputs < width) {
            memcpy(filled, from, inputs * sizeof(float));
            memset(filled + inputs, 0, (width - inputs) * sizeof(float));
            from = filled;
        }
        for (long at = 0; at < width; at += GROUP) {
            int8_t *numbers = to->numbers + row * width + at;
            float largest = 0;
#ifdef VNNI
            __m512 a = _mm512_loadu_ps(from + at), b = _mm512_loadu_ps(from + at + 16);
            largest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(a), _mm512_abs_ps(b)));
            __m512 by = _mm512_set1_ps(largest > 0 ? 127 / largest : 0);
            _mm_storeu_si128((__m128i *)numbers, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(a, by))));
            _mm_storeu_si128((__m128i *)(numbers + 16), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_mul_ps(b, by))));
#else
            for (int i = 0; i < GROUP; i++) largest = fmaxf(largest, fabsf(from[at + i]));
            float by = largest > 0 ? 127 / largest : 0;
            for (int i = 0; i < GROUP; i++) numbers[i] = (int8_t)rintf(from[at + i] * by);
#endif
            for (int i = 0; i < GROUP / 4; i++) {
                long four = (row * width + at) / 4 + i;
                to->less[four] = -added * (numbers[4 * i] + numbers[4 * i + 1] + numbers[4 * i + 2] + numbers[4 * i + 3]);
                to->scales[four] = largest / 127;
            }
        }
    }
}

#ifdef VNNI
INLINE __m512i sixty_four(const uint8_t *matrix, long at, int bits) {
    if (bits == 8) return _mm512_loadu_si512(matrix + at);
    __m256i both = _mm256_loadu_si256((const __m256i *)(matrix + at / 2)), low = _mm256_set1_epi8(15);
    __m512i first = _mm512_castsi256_si512(_mm256_and_si256(both, low));
    return _mm512_inserti64x4(first, _mm256_and_si256(_mm256_srli_epi16(both, 4), low), 1);
}

/* `rows` of the matrix times `count` vectors: y[vector][row] */
INLINE void block(const uint8_t *matrix, const uint16_t *scales, const Vectors *x, long vector, float *y, long stride,
                  int bits, int rows, int count) {
    long width = x->width, bytes = width * bits / 8, groups = width / GROUP;
    __m512 sums[8];
    const __m512i pairs = _mm512_set_epi32(1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
#pragma GCC unroll 8
    for (int i = 0; i < rows * count; i++) sums[i] = _mm512_setzero_ps();
    for (long first = 0; first < groups; first += 16) {
        long left = groups - first < 16 ? groups - first : 16;
        __m512 own[4];
        __mmask16 there = (__mmask16)((1u << left) - 1);
#pragma GCC unroll 4
        for (int row = 0; row < rows; row++)
            own[row] = _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(there, scales + row * groups + first));
        for (long pair = 0; pair < left; pair += 2) {
            long at = (first + pair) * GROUP;
            __m512i which = _mm512_add_epi32(pairs, _mm512_set1_epi32((int)pair));
#pragma GCC unroll 4
            for (int row = 0; row < rows; row++) {
                if (count == 1) _mm_prefetch((const char *)(matrix + row * bytes + at * bits / 8 + 2048 * bits / 8 * 2), _MM_HINT_T0);
                __m512i numbers = sixty_four(matrix + row * bytes, at, bits);
                __m512 scale = _mm512_permutexvar_ps(which, own[row]);
#pragma GCC unroll 4
                for (int one = 0; one < count; one++) {
                    long place = (vector + one) * width + at;
                    __m512i less = _mm512_loadu_si512(x->less + place / 4);
                    __m512i dot = _mm512_dpbusd_epi32(less, numbers, _mm512_loadu_si512(x->numbers + place));
                    __m512 both = _mm512_mul_ps(scale, _mm512_loadu_ps(x->scales + place / 4));
                    sums[row * count + one] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), both, sums[row * count + one]);
                }
            }
        }
    }
#pragma GCC unroll 4
    for (int row = 0; row < rows; row++)
#pragma GCC unroll 4
        for (int one = 0; one < count; one++)
            y[(vector + one) * stride + row] = _mm512_reduce_add_ps(sums[row * count + one]);
}
#else
static float half(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits >> 15) << 31, exponent = bits >> 10 & 31, rest = bits & 1023, all;
    if (!exponent) {
        float small = rest * 0x1p-24f;
        return sign ? -small : small;
    }
    all = sign | (exponent + 112) << 23 | rest << 13;
    float found;
    memcpy(&found, &all, 4);
    return found;
}

INLINE void block(const uint8_t *matrix, const uint16_t *scales, const Vectors *x, long vector, float *y, long stride,
                  int bits, int rows, int count) {
    long width = x->width, bytes = width * bits / 8, groups = width / GROUP;
    for (int row = 0; row < rows; row++)
        for (int one = 0; one < count; one++) {
            float sum = 0;
            for (long group = 0; group < groups; group++) {
                long at = group * GROUP, place = (vector + one) * width + at;
                const int8_t *numbers = x->numbers + place;
                const uint8_t *mine = matrix + row * bytes + (bits == 8 ? at : at / 64 * 32);
                int shift = group % 2 * 4, dot = 0;
                if (bits == 8) {
                    for (int i = 0; i < GROUP; i++) dot += (mine[i] - 128) * numbers[i];
                } else {
                    for (int i = 0; i < GROUP; i++) dot += ((mine[i] >> shift & 15) - 8) * numbers[i];
                }
                sum += dot * half(scales[row * groups + group]) * x->scales[place / 4];
            }
            y[(vector + one) * stride + row] = sum;
        }
}
#endif

INLINE void quantised(const uint8_t *matrix, const uint16_t *scales, const float *x, float *y, long count, long inputs,
                      long outputs, int bits, int threads) {
    Vectors vectors;
    to_bytes(x, count, inputs, bits == 8 ? 128 : 8, &vectors);
    long bytes = vectors.width * bits / 8, groups = vectors.width / GROUP, last = count / 4 * 4;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (long few = 0; few < outputs / 4; few++) {
        long row = few * 4;
        const uint8_t *here = matrix + row * bytes;
        const uint16_t *own = scales + row * groups;
        for (long vector = 0; vector < last; vector += 4)
            for (int two = 0; two < 4; two += 2)
                block(here + two * bytes, own + two * groups, &vectors, vector, y + row + two, outputs, bits, 2, 4);
        for (long vector = last; vector < count; vector++)
            for (int one = 0; one < 4; one++) block(here + one * bytes, own + one * groups, &vectors, vector, y + row + one, outputs, bits, 1, 1);
    }
    for (long row = outputs / 4 * 4; row < outputs; row++)
        for (long vector = 0; vector < count; vector++)
            block(matrix + row * bytes, scales + row * groups, &vectors, vector, y + row, outputs, bits, 1, 1);
}

void product_int8(const uint8_t *m, const uint16_t *s, const float *x, float *y, long count, long inputs, long outputs,
                  int threads) {
    quantised(m, s, x, y, count, inputs, outputs, 8, threads);
}

void product_int4(const uint8_t *m, const uint16_t *s, const float *x, float *y, long count, long inputs, long outputs,
                  int threads) {
    quantised(m, s, x, y, count, inputs, outputs, 4, threads);
}

/* bf16 is the upper half of fp32. */
void product_bf16(const uint16_t *matrix, const void *none, const float *x, float *y, long count, long inputs,
                  long outputs, int threads) {
    (void)none;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (long row = 0; row < outputs; row++)
        for (long vector = 0; vector < count; vector++) {
            const uint16_t *mine = matrix + row * inputs;
            const float *one = x + vector * inputs;
            float sum = 0;
            for (long i = 0; i < inputs; i++) {
                union { uint32_t bits; float number; } wide = {(uint32_t)mine[i] << 16};
                sum += wide.number * one[i];
            }
            y[vector * outputs + row] = sum;
        }
}

void product_fp32(const float *matrix, const void *none, const float *x, float *y, long count, long inputs,
                  long outputs, int threads) {
    (void)none;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (long row = 0; row < outputs; row++)
        for (long vector = 0; vector < count; vector++) {
            const float *mine = matrix + row * inputs, *one = x + vector * inputs;
            float sum = 0;
            for (long i = 0; i < inputs; i++) sum += mine[i] * one[i];
            y[vector * outputs + row] = sum;
        }
}
