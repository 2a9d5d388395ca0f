/* tally: see tally.h. */
#include "decode/tally.h"

#include <math.h>
#include <string.h>

#include "base/number_text.h"

void tally_begin(struct tally *t, enum tally_numbers numbers, int32_t multiply)
{
    *t = (struct tally){.numbers = numbers, .multiply = multiply};
}

bool tally_same(const struct tally *a, const struct tally *b)
{
    return a->numbers == b->numbers && a->multiply == b->multiply &&
           a->count == b->count && a->exact == b->exact &&
           memcmp(&a->approx, &b->approx, sizeof a->approx) == 0;
}

static size_t print_exact(const struct tally *t, char *text)
{
    __int128 result = t->exact * t->multiply;
    if (result < INT64_MIN || result > INT64_MAX)
        return 0;
    return number_text_int64((int64_t)result, text);
}

size_t tally_print(const struct tally *t, char *text)
{
    if (t->numbers == TALLY_INT64)
        return print_exact(t, text);
    if (!isfinite(t->approx))
        return 0;
    return number_text_double(t->approx, text);
}
