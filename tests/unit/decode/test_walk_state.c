/* walk_state: what windows and tokens leave of a document while it is followed,
 * which answers alone do not show. */
#define BODY_MAX (1 << 18)
#include "body.h"
#include "decode/walk_query.h"
#include "decode/walk_tokens.h"
#include "queries.h"

static struct body b;
static struct program program;
static struct paths *paths;
static struct walk_state w;

static void open_walk(const struct query_case *q)
{
    queries_compile(&program, q);
    paths = paths_new(&program);
    ck_assert_ptr_nonnull(paths);
    ck_assert(walk_state_open(&w, paths));
}

static void close_walk(void)
{
    walk_state_free(&w);
    free(paths);
    program_free(&program);
}

/* The body as scan has it, in pieces of 1000 bytes; gives the result. */
static const char *walk_tokens(void)
{
    static char room[300];
    struct scan scan;
    struct buf out;
    static struct fault fault;
    buf_init(&out, room, sizeof room);
    walk_state_begin(&w);
    scan_begin(&scan, SCAN_DEPTH_MAX);
    for (size_t done = 0; done < b.n; done += 1000) {
        const uint8_t *at = (const uint8_t *)b.bytes + done;
        const uint8_t *end = b.n - done < 1000 ? at + b.n - done : at + 1000;
        enum scan_token token;
        do {
            struct scan_text text;
            const uint8_t *from = at;
            token = scan_next(&scan, &at, end, &text);
            ck_assert_int_ne(token, SCAN_FAULT);
            walk_tokens_take(&w, &scan, token, &text, from,
                             (size_t)(at - from));
        } while (token != SCAN_MORE);
    }
    walk_tokens_end(&w);
    return walk_state_finish(&w, &out, &fault) ? room : fault.reason;
}

START_TEST(long_names_and_numbers_take_no_memory)
{
    static const struct query_case q = {
        "$.list", "", "n = sum(@.value); copy c = c", "double"};
    open_walk(&q);
    b.n = 0;
    body_text(&b, "{\"");
    body_fill(&b, 'n', 100000);
    body_text(&b, "\":1,\"c\":12.50,\"l\\u0069st\":[{\"value\":2.5");
    body_fill(&b, '0', 100000);
    body_text(&b, "1}]}");
    ck_assert_str_eq(walk_tokens(), "{\"c\":12.50,\"n\":2.5}");
    ck_assert_uint_lt(w.text.room, 300);
    b.n = 0;
    body_text(&b, "{\"list\":[],\"c\":1");
    body_fill(&b, '0', 100000);
    body_text(&b, "}");
    ck_assert_str_eq(walk_tokens(), "longer than 1 KB, and to be copied");
    ck_assert_uint_lt(w.text.room, 300);
}
END_TEST

/* What is kept of a list or an object is kept to its end, and no longer: see
 * walk_state_keep_all(). */
START_TEST(nothing_is_kept_behind_its_end)
{
    static const struct query_case q = {"$", "@ == @.a || @.a == @.b",
                                        "n = count()", ""};
    open_walk(&q);
    b.n = 0;
    body_text(
        &b,
        "[{\"a\":[1,{\"x\":2}],\"b\":[1,{\"x\":2}]},{\"a\":{},\"b\":[]},[]]");
    ck_assert_str_eq(walk_tokens(), "{\"n\":2}");
    ck_assert_uint_eq(w.keeping, 0);
}
END_TEST

/* What is behind the events, of windows before, is none of them. */
START_TEST(a_window_may_end_behind_an_opening_bracket)
{
    static const struct query_case q = {"$", "", "n = sum(@.a.b)", ""};
    static const char first[] = "[{\"a\":{\"b\":1},\"t\":{",
                      second[] = "\"b\":7}}]";
    static const uint16_t events[][8] = {{0, 1, 4, 6, 9, 12, 18, 15},
                                         {2, 5, 6, 7}};
    const uint8_t *from = (const uint8_t *)first, *on = (const uint8_t *)second;
    char room[100];
    struct buf out;
    struct fault fault;
    open_walk(&q);
    walk_state_begin(&w);
    walk_query_events(&w, 0, from, events[0], 7, false, from + 19, from + 19);
    walk_query_events(&w, 3, on, events[1], 4, false, on + 8, on + 8);
    buf_init(&out, room, sizeof room);
    ck_assert(walk_state_finish(&w, &out, &fault));
    ck_assert_str_eq(room, "{\"n\":1}");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {long_names_and_numbers_take_no_memory,
                                  nothing_is_kept_behind_its_end,
                                  a_window_may_end_behind_an_opening_bracket};
    return UNIT_RUN_WITH("walk_state", tests, NULL, close_walk);
}
