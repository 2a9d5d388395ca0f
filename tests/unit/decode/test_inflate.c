/* inflate: gzip and deflate, cut anywhere, and nothing behind them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "decode/inflate.h"
#include "unit.h"

#define ROOM (1 << 20)

static uint8_t packed[ROOM], plain[ROOM], got[ROOM];

/* Compress as the coding says; gives the length. */
static size_t pack(const uint8_t *bytes, size_t n, enum inflate_coding coding)
{
    z_stream s = {.next_in = (Bytef *)(uintptr_t)bytes,
                  .avail_in = (uInt)n,
                  .next_out = packed,
                  .avail_out = sizeof packed};
    ck_assert_int_eq(deflateInit2(&s, 9, Z_DEFLATED,
                                  coding == INFLATE_GZIP ? 31 : 15, 9,
                                  Z_DEFAULT_STRATEGY),
                     Z_OK);
    ck_assert_int_eq(deflate(&s, Z_FINISH), Z_STREAM_END);
    deflateEnd(&s);
    return s.total_out;
}

/* Feed [from, to); append to `got`. NULL: all is taken. */
static const char *feed(struct inflate *i, const uint8_t *from,
                        const uint8_t *to, size_t *n)
{
    const uint8_t *piece;
    const char *why = "no reason";
    size_t more;
    for (;;) {
        switch (inflate_next(i, &from, to, &piece, &more, &why)) {
        case INFLATE_PART:
            ck_assert_uint_le(*n + more, sizeof got);
            memcpy(got + *n, piece, more);
            *n += more;
            break;
        case INFLATE_TAKEN:
            ck_assert_ptr_eq(from, to);
            return NULL;
        case INFLATE_WRONG:
            return why;
        }
    }
}

static void fill(size_t n)
{
    unsigned seed = 7;
    for (size_t i = 0; i < n; i++)
        plain[i] = (uint8_t)(rand_r(&seed) % 5);
}

START_TEST(a_body_comes_out_however_it_is_cut)
{
    static const size_t sizes[] = {0, 1, 100, INFLATE_PIECE, 100000};
    struct inflate *i = inflate_new();
    for (size_t k = 0; k < 2 * sizeof sizes / sizeof sizes[0]; k++) {
        enum inflate_coding coding =
            k % 2 == 0 ? INFLATE_GZIP : INFLATE_DEFLATE;
        size_t size = sizes[k / 2], step;
        const char *why;
        fill(size);
        size_t length = pack(plain, size, coding);
        for (step = 1; step <= length; step = step * 3 + 1) {
            size_t n = 0;
            ck_assert(inflate_begin(i, coding));
            for (size_t at = 0; at < length; at += step) {
                size_t end = at + step < length ? at + step : length;
                ck_assert_ptr_null(feed(i, packed + at, packed + end, &n));
            }
            ck_assert(inflate_finish(i, &why));
            ck_assert_uint_eq(n, size);
            ck_assert(memcmp(got, plain, n) == 0);
        }
    }
    inflate_free(&i);
}
END_TEST

START_TEST(what_is_cut_is_not_complete)
{
    struct inflate *i = inflate_new();
    fill(1000);
    size_t length = pack(plain, 1000, INFLATE_GZIP);
    for (size_t end = 0; end < length; end++) {
        size_t n = 0;
        const char *why;
        ck_assert(inflate_begin(i, INFLATE_GZIP));
        ck_assert_ptr_null(feed(i, packed, packed + end, &n));
        ck_assert(!inflate_finish(i, &why));
        ck_assert_str_eq(why, "the compressed data are cut");
    }
    inflate_free(&i);
}
END_TEST

START_TEST(nothing_may_stand_behind_it)
{
    struct inflate *i = inflate_new();
    fill(10);
    size_t length = pack(plain, 10, INFLATE_GZIP), n = 0;
    ck_assert(inflate_begin(i, INFLATE_GZIP));
    ck_assert_str_eq(feed(i, packed, packed + length + 1, &n),
                     "something stands behind the compressed data");
    /* Not even another member. */
    memcpy(packed + length, packed, length);
    ck_assert(inflate_begin(i, INFLATE_GZIP));
    n = 0;
    ck_assert_ptr_null(feed(i, packed, packed + length, &n));
    ck_assert_ptr_nonnull(feed(i, packed + length, packed + 2 * length, &n));
    inflate_free(&i);
}
END_TEST

START_TEST(wrong_data_are_found)
{
    struct inflate *i = inflate_new();
    size_t n = 0;
    fill(1000);
    size_t length = pack(plain, 1000, INFLATE_GZIP);
    packed[length - 6] ^= 1; /* of the checksum */
    ck_assert(inflate_begin(i, INFLATE_GZIP));
    ck_assert_ptr_nonnull(feed(i, packed, packed + length, &n));
    n = 0;
    ck_assert(inflate_begin(i, INFLATE_DEFLATE));
    ck_assert_ptr_nonnull(feed(i, packed, packed + length, &n));
    n = 0;
    ck_assert(inflate_begin(i, INFLATE_GZIP));
    ck_assert_ptr_nonnull(feed(i, (const uint8_t *)"{\"items\":[]}",
                               (const uint8_t *)"{\"items\":[]}" + 12, &n));
    inflate_free(&i);
}
END_TEST

START_TEST(codings_are_known_by_name)
{
    enum inflate_coding c;
    ck_assert(inflate_coding_of(NULL, &c) && c == INFLATE_IDENTITY);
    ck_assert(inflate_coding_of("", &c) && c == INFLATE_IDENTITY);
    ck_assert(inflate_coding_of("Identity", &c) && c == INFLATE_IDENTITY);
    ck_assert(inflate_coding_of("GZIP", &c) && c == INFLATE_GZIP);
    ck_assert(inflate_coding_of("x-gzip", &c) && c == INFLATE_GZIP);
    ck_assert(inflate_coding_of("deflate", &c) && c == INFLATE_DEFLATE);
    ck_assert(!inflate_coding_of("br", &c));
    ck_assert(!inflate_coding_of("gzip, gzip", &c));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_body_comes_out_however_it_is_cut, what_is_cut_is_not_complete,
        nothing_may_stand_behind_it, wrong_data_are_found,
        codings_are_known_by_name};
    return UNIT_MAIN("inflate", tests);
}
