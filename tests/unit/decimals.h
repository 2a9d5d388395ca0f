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

/* A number in pieces, as a double and as an integer. */
struct decimals_value {
    double value;
    bool is_int64;
    int64_t integer; /* 77: it is none */
};

static inline struct decimals_value decimals_in_pieces(const uint8_t *bytes,
                                                       size_t n, size_t step)
{
    struct decimal d;
    struct decimals_value v = {.integer = 77};
    decimal_begin(&d);
    for (size_t at = 0; at < n; at += step)
        decimal_add(&d, bytes + at, n - at < step ? n - at : step);
    v.value = decimal_double(&d);
    v.is_int64 = decimal_int64(&d, &v.integer);
    return v;
}

/* Where it stands, as far from the end of memory as it needs, before digits or
 * behind them. */
static inline double decimals_in_place(const char *text, char behind)
{
    size_t n = strlen(text), room = n < DECIMAL_REACH ? DECIMAL_REACH : n + 1;
    uint8_t *bytes = page_end() - room;
    memset(bytes - 8, '7', room + 8);
    memcpy(bytes, text, n);
    bytes[n] = (uint8_t)behind;
    return decimal_read(bytes);
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
    got = decimals_in_pieces(bytes, n, 1 + n / 2).value;
    if (memcmp(&got, &wanted, sizeof got) != 0)
        ck_abort_msg("%s, in pieces: %a, not %a", text, got, wanted);
    for (const char *behind = ", \n}]"; *behind != '\0'; behind++) {
        got = decimals_in_place(text, *behind);
        if (memcmp(&got, &wanted, sizeof got) != 0)
            ck_abort_msg("%s, in place: %a, not %a", text, got, wanted);
    }
}

#endif
