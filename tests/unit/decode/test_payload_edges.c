/* payload: not one byte is read before a body or behind it, wherever it ends
 * and however long its pieces are. */
#include "answers.h"

/* Longer than whatever a decoder copies aside at once. */
#define BODY_MAX 8192

static char body[BODY_MAX];
static size_t body_n;
static char sum[32];

/* Items that change: other lengths, members and white space; and some whose key
 * has an escape, which no fast path takes. */
static void build(void)
{
    static const char *const others[] = {
        "\"name\":\"Gr\xc3\xbc\xc3\x9f"
        "e \\u20ac\xf0\x9d\x84\x9e\",",
        "\"size\":{\"w\":1.25,\"h\":-0.5e-3,\"deep\":[[[]]]},",
        "\"tags\":[\"a\",\"\",\"long enough to fill a register or two of "
        "it\"],",
        "\"ok\":true,\"none\":null,\"no\":false,",
        "\n    \"id\" : 12345678901234567890 ,\n    ",
        "",
    };
    int total = 0;
    body_n = (size_t)snprintf(body, sizeof body, "{\"items\":[");
    for (int i = 0; i < 90; i++) {
        body_n += (size_t)snprintf(
            body + body_n, sizeof body - body_n, "%s{%s%s\"%s\":%d}",
            i == 0 ? "" : ",", others[i % 7 % 6], others[i / 3 % 6],
            i % 11 == 5 ? "v\\u0061lue" : "value", i * i * 31 - 7);
        total += 2 * (i * i * 31 - 7);
    }
    body_n += (size_t)snprintf(body + body_n, sizeof body - body_n, "]}");
    ck_assert_uint_lt(body_n, sizeof body);
    ck_assert_uint_gt(body_n, 4096);
    snprintf(sum, sizeof sum, "%d", total);
}

static struct reader readers[READERS_MAX];
static size_t reader_count;

static void open_readers(void)
{
    const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    build();
    reader_count = answers_open(readers, &shape, BODY_MAX);
}

static void close_readers(void)
{
    answers_close(readers, reader_count);
}

/* Every beginning is incomplete at its end, which is where memory ends. */
START_TEST(a_body_may_end_anywhere)
{
    char answer[40];
    for (size_t i = 0; i < reader_count; i++)
        for (size_t n = 0; n <= body_n; n++) {
            snprintf(answer, sizeof answer, MALFORMED "%zu", n);
            answers_check_cut(&readers[i], body, n, n == body_n ? sum : answer,
                              0, n + 1);
        }
}
END_TEST

START_TEST(a_piece_may_end_anywhere)
{
    for (size_t i = 0; i < reader_count; i++) {
        for (size_t first = 1; first < body_n; first++)
            answers_check_cut(&readers[i], body, body_n, sum, first, body_n);
        for (size_t step = 1; step < body_n; step += 1 + step / 100)
            answers_check_cut(&readers[i], body, body_n, sum, step / 2, step);
    }
}
END_TEST

/* A body that fills its memory: nothing mapped before and behind it. */
START_TEST(a_body_may_fill_a_page)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *middle = answers_page_end(2 * page) - page;
    ck_assert_int_eq(mprotect(middle - page, page, PROT_NONE), 0);
    for (size_t filler = 0; filler < 200; filler++) {
        /* Spaces before the end move all that is before the edge. */
        size_t tail = filler + 2;
        memset(middle, ' ', page);
        memcpy(middle, "{\"items\":[", 10);
        size_t n = 10;
        while (n + 12 + tail < page) {
            memcpy(middle + n, "{\"value\":1},", 12);
            n += 12;
        }
        middle[n - 1] = ' ';
        size_t items = (n - 10) / 12;
        memcpy(middle + page - tail, "]}", 2);
        for (size_t i = 0; i < reader_count; i++) {
            struct payload_result a = {.ok = true};
            payload_begin(readers[i].payload);
            EXPECT(payload_feed(readers[i].payload, middle, page, &a.fault));
            EXPECT(payload_finish(readers[i].payload, &a.tally, &a.fault));
            EXPECT(a.tally.count == items);
        }
    }
}
END_TEST

/* Behind blanks, which are too many to wait for a bracket or comma, too. */
START_TEST(a_value_is_not_the_end_of_what_it_stands_in)
{
    static char text[WINDOW_MAX];
    char answer[40];
    int n = snprintf(text, sizeof text, "{\"items\":[%4000s\"\"", "");
    snprintf(answer, sizeof answer, MALFORMED "%d", n);
    for (size_t i = 0; i < reader_count; i++)
        answers_check_cut(&readers[i], text, (size_t)n, answer, 0, sizeof text);
}
END_TEST

/* Pieces of nothing change nothing. */
START_TEST(a_piece_may_be_empty)
{
    struct payload_result a = {.ok = true};
    char got[200];
    for (size_t i = 0; i < reader_count; i++) {
        struct payload *p = readers[i].payload;
        uint8_t *end = readers[i].page_end;
        payload_begin(p);
        for (size_t at = 0; at < body_n; at += 3) {
            size_t n = body_n - at < 3 ? body_n - at : 3;
            EXPECT(payload_feed(p, end, 0, &a.fault));
            memcpy(end - n, body + at, n);
            EXPECT(payload_feed(p, end - n, n, &a.fault));
        }
        EXPECT(payload_feed(p, end, 0, &a.fault));
        EXPECT(payload_finish(p, &a.tally, &a.fault));
        answers_put(got, sizeof got, &a);
        ck_assert_str_eq(got, sum);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_body_may_end_anywhere,
                                  a_piece_may_end_anywhere,
                                  a_value_is_not_the_end_of_what_it_stands_in,
                                  a_body_may_fill_a_page, a_piece_may_be_empty};
    return UNIT_RUN_WITH("payload_edges", tests, open_readers, close_readers);
}
