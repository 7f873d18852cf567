/* Cross-entropy of rows of logits in bf16, and its gradient: every pass but the first is over a row in the cache.

    loss = -wanted * log p(label) - spread * (sum of log p)         log p = x - max - log(sum of e^(x - max))
    gradient = p - spread, and at the label less `wanted`
*/

INLINE float wide(uint16_t bits) {
    uint32_t all = (uint32_t)bits << 16;
    float number;
    memcpy(&number, &all, 4);
    return number;
}

INLINE uint16_t narrow(float number) { /* to the nearest, and of two as near to the even one */
    uint32_t all;
    memcpy(&all, &number, 4);
    return (uint16_t)((all + 0x7fff + (all >> 16 & 1)) >> 16);
}

void cross_entropy(const uint16_t *logits, uint16_t *gradients, const int64_t *labels, float *losses, const long shape[2],
                   const float parts[2], int threads) {
    long vocab = shape[1];
    float wanted = parts[0], spread = parts[1];
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        float *p = malloc(vocab * sizeof(float));
#pragma omp for schedule(static)
        for (long row = 0; row < shape[0]; row++) {
            const uint16_t *from = logits + row * vocab;
            for (long i = 0; i < vocab; i++) p[i] = wide(from[i]);
            float most = largest(p, vocab), told = p[labels[row]] - most, sum = spread != 0 ? sum_of(p, vocab, most, 0) : 0;
            float together = exponentials(p, vocab, most), by = 1 / together, log_all = logf(together);
            for (long i = 0; i < vocab; i++) p[i] = p[i] * by - spread;
            p[labels[row]] -= wanted;
            for (long i = 0; i < vocab; i++) gradients[row * vocab + i] = narrow(p[i]);
            losses[row] = -wanted * (told - log_all) - spread * (sum - vocab * log_all);
        }
        free(p);
    }
}
