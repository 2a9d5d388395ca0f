/* decimals: what the tests of decode/decimal share. */
#ifndef TALLYD_TESTS_DECIMALS_H
#define TALLYD_TESTS_DECIMALS_H

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decode/decimal.h"
#include "unit.h"

#define DECIMALS_TEXT_MAX 2048

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

/* xorshift64 (Marsaglia, 2003). */
static inline uint64_t random_word(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static inline int below(int n)
{
    return (int)((random_word() >> 33) % (unsigned)n);
}

/* What is read ends where memory ends: who reads past it crashes. */
static inline uint8_t *page_end(void)
{
    static uint8_t *end;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (end != NULL)
        return end;
    uint8_t *start = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(start, MAP_FAILED);
    ck_assert_int_eq(mprotect(start + page, page, PROT_NONE), 0);
    end = start + page;
    return end;
}

static inline void check(const char *text, double wanted)
{
    size_t n = strlen(text);
    uint8_t *bytes = memcpy(page_end() - n, text, n);
    double got = NAN;
    if (!decimal_to_double(bytes, n, &got))
        ck_abort_msg("%s: refused", text);
    if (memcmp(&got, &wanted, sizeof got) != 0)
        ck_abort_msg("%s: %a, not %a", text, got, wanted);
}

#endif
