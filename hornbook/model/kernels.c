/* All kernels, compiled as one; native.py says how. */
#include "products.c"
#include "lanes.c"
#include "tape.c"
#include "loss.c"
#include "attention.c"
