/* Sixteen numbers at a time: e^x, sums, the largest. Compilers do not vectorise these by themselves without being
allowed to forget about NaN and about the order of sums; here the order is written down, so the sums are the same
wherever they are compiled.
*/

INLINE Sixteen either(Signs first, Sixteen a, Sixteen b) {
    return (Sixteen)((first & (Signs)a) | (~first & (Signs)b));
}

INLINE Sixteen all(float number) {
    Sixteen zero = {0};
    return zero + number;
}

/* As many as there are, up to sixteen; the rest are `filling` */
INLINE Sixteen some(const float *from, long there, float filling) {
    Sixteen found = all(filling);
    if (there >= 16) return *(const Sixteen *)from;
    memcpy(&found, from, there * sizeof(float));
    return found;
}

INLINE void put(float *to, Sixteen numbers, long there) {
    if (there >= 16) *(Sixteen *)to = numbers;
    else memcpy(to, &numbers, there * sizeof(float));
}

/* e^x: 2^n times a polynomial (Cephes) on [-0.35, 0.35], off by 1e-7 of it; NaN stays NaN */
INLINE Sixteen exponential(Sixteen x) {
    x = either(x < -87, all(-87), either(x > 88, all(88), x));
    Signs n = __builtin_convertvector(x * 1.44269504f + either(x < 0, all(-0.5f), all(0.5f)), Signs);
    Sixteen whole = __builtin_convertvector(n, Sixteen), power = (Sixteen)((n + 127) << 23);
    x = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    Sixteen sum = 1.3981999507e-3f + x * 1.9875691500e-4f;
    sum = 1.6666665459e-1f + x * (4.1665795894e-2f + x * (8.3334519073e-3f + x * sum));
    return power * (1 + (x + x * x * (5.0000001201e-1f + x * sum)));
}

/* The error function (Abramowitz and Stegun 1964, 7.1.26), off by 1.5e-7 */
INLINE Sixteen error_function(Sixteen x) {
    Sixteen size = either(x < 0, -x, x), t = 1 / (1 + 0.3275911f * size);
    Sixteen sum = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
    Sixteen found = 1 - sum * exponential(-size * size);
    return either(x < 0, -found, found);
}

static float largest(const float *x, long count) {
    Sixteen most = all(-INFINITY);
    for (long i = 0; i < count; i += 16) {
        Sixteen numbers = some(x + i, count - i, -INFINITY);
        most = either(numbers > most, numbers, most);
    }
    float found = -INFINITY;
    for (int lane = 0; lane < 16; lane++) found = most[lane] > found ? most[lane] : found;
    return found;
}

/* The sum of (x - less), or of its squares */
INLINE float sum_of(const float *x, long count, float less, int squared) {
    Sixteen sums = {0};
    for (long i = 0; i < count; i += 16) {
        Sixteen numbers = some(x + i, count - i, less) - less;
        sums += squared ? numbers * numbers : numbers;
    }
    return total(sums);
}

/* x becomes e^(x - less); the sum of them */
static float exponentials(float *x, long count, float less) {
    Sixteen sums = {0};
    for (long i = 0; i < count; i += 16) {
        Sixteen numbers = exponential(some(x + i, count - i, less) - less);
        put(x + i, numbers, count - i);
        if (count - i < 16) numbers = some(x + i, count - i, 0);
        sums += numbers;
    }
    return total(sums);
}
