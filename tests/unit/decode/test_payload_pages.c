/* payload: a body that begins where memory begins, or ends where it ends, at
 * every alignment to a block of 64 bytes, is decoded on every path without a
 * look at what is not mapped. */
#include "bodies.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PAGES 4

static struct reader readers[READERS_MAX];
static size_t reader_count;
static uint8_t *begin, *end; /* what is mapped */

static void open_readers(void)
{
    const struct shape shape = {"items", "value", TALLY_DOUBLE, 2, 16};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    reader_count = answers_open(readers, &shape, BODY_MAX);
    end = answers_page_end((PAGES + 1) * page);
    begin = end - PAGES * page;
    ck_assert_int_eq(mprotect(begin - page, page, PROT_NONE), 0);
}

static void close_readers(void)
{
    answers_close(readers, reader_count);
}

/* What stands once or many times in an array, and what that adds up to. */
static const struct {
    const char *item;
    double value;
} items[] = {
    {"{\"value\":7}", 7},
    {"{\"id\":12345678901234567,\"value\":-42}", -42},
    {"{\"value\":9223372036854775807}", 0x1p63},
    {"{\"value\":1234.5678}", 1234.5678},
    {"{\"value\":-1.25e-3}", -1.25e-3},
    {"{\"value\":0.1000000000000000055511151231257827021181583404541015}", 0.1},
    {"{\"sku\":\"A-1\",\"tags\":[\"x\",\"y\"],\"ok\":true,\"value\":3}", 3},
    {"{\"value\":1,\"value\":\"x\",\"value\":8}", 8},
    {"{\"v\\u0061lue\":5,\"\\\\\":\"\\\"\"}", 5},
    {"{\"name\":\"\xe4\xb8\xad\xe6\x96\x87\xf0\x9f\x98\x80\xd0\x96\",\"value\":"
     "2}",
     2},
    {"{\"tree\":{\"a\":[[{\"b\":{}}],[]],\"c\":[null]},\"value\":6}", 6},
    {"{ \"value\" :\n 4 , \"x\" :\t[ false , { } ] }", 4},
    {"{\"s\":\"\\ud834\\udd1e\\n\\\\\\/\\u0000\",\"value\":9,\"t\":\"\"}", 9},
    {"{\"k1\":1,\"k2\":-2.5,\"k3\":\"\",\"k4\":{},\"k5\":[],\"k6\":null,"
     "\"value\":11,\"k7\":1e9,\"k8\":\"long enough for a register or two\"}",
     11},
};

/* Decode [from, from + n), in one piece or in two. */
static void check(const struct reader *r, const uint8_t *from, size_t n,
                  size_t first, size_t item, size_t copies)
{
    struct payload_result a = {.ok = false};
    payload_begin(r->payload);
    double sum = 0;
    for (size_t i = 0; i < copies; i++)
        sum = sum + items[item].value * 2;
    if (!payload_feed(r->payload, from, first, &a.fault) ||
        !payload_feed(r->payload, from + first, n - first, &a.fault) ||
        !payload_finish(r->payload, &a.tally, &a.fault) ||
        a.tally.approx != sum || a.tally.count != copies)
        ck_abort_msg("%s, cut at %zu: %.*s: not %g", r->name, first, (int)n,
                     (const char *)from, sum);
}

static void put(struct body *b, size_t item, size_t copies, size_t before,
                size_t behind)
{
    b->n = 0;
    body_fill(b, ' ', before);
    body_text(b, "{\"items\":[");
    for (size_t i = 0; i < copies; i++) {
        body_text(b, i == 0 ? "" : ",");
        body_text(b, items[item].item);
    }
    body_text(b, "]}");
    body_fill(b, '\n', behind);
}

static void check_at_both_ends(const struct body *b, size_t item, size_t copies)
{
    for (size_t i = 0; i < reader_count; i++) {
        memset(begin, 'z', (size_t)(end - begin));
        memcpy(end - b->n, b->bytes, b->n);
        check(&readers[i], end - b->n, b->n, 0, item, copies);
        check(&readers[i], end - b->n, b->n, b->n / 2, item, copies);
        memset(begin, 'z', (size_t)(end - begin));
        memcpy(begin, b->bytes, b->n);
        check(&readers[i], begin, b->n, b->n, item, copies);
        check(&readers[i], begin, b->n, b->n / 3, item, copies);
    }
}

START_TEST(a_body_may_lie_at_either_end_of_memory)
{
    static const size_t copies[] = {1, 2, 9};
    static struct body b;
    for (size_t item = 0; item < COUNT(items); item++)
        for (size_t k = 0; k < COUNT(copies); k++)
            for (size_t blanks = 0; blanks < 64; blanks++) {
                bool before = (item + k + blanks) % 2 == 0;
                put(&b, item, copies[k], before ? blanks : 0,
                    before ? 0 : blanks);
                check_at_both_ends(&b, item, copies[k]);
            }
}
END_TEST

/* As long as all that is mapped, but for up to 64 bytes. */
START_TEST(a_body_may_fill_memory)
{
    static struct body b;
    size_t room = (size_t)(end - begin);
    for (size_t item = 0; item < COUNT(items); item++)
        for (size_t free = 0; free < 64; free += 1 + item % 3) {
            size_t copies = (room - 64 - 12) / (strlen(items[item].item) + 1);
            put(&b, item, copies, 0, 0);
            size_t n = b.n;
            put(&b, item, copies, item % 2 == 0 ? room - n - free : 0,
                item % 2 == 0 ? 0 : room - n - free);
            ck_assert_uint_eq(b.n, room - free);
            check_at_both_ends(&b, item, copies);
        }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_body_may_lie_at_either_end_of_memory,
                                  a_body_may_fill_memory};
    return UNIT_RUN_WITH("payload_pages", tests, open_readers, close_readers);
}
