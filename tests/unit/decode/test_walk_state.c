/* walk_state: what windows and tokens leave of a document while it is followed,
 * which answers alone do not show. */
#include "decode/walk_query.h"
#include "decode/walk_tokens.h"
#include "queries.h"

static char body[1 << 18];
static size_t body_n;

static void add(const char *text)
{
    size_t n = strlen(text);
    ck_assert_uint_lt(body_n + n, sizeof body);
    memcpy(body + body_n, text, n + 1);
    body_n += n;
}

static void add_many(char c, size_t n)
{
    ck_assert_uint_lt(body_n + n, sizeof body);
    memset(body + body_n, c, n);
    body_n += n;
}

/* The body as scan has it, in pieces of 1000 bytes; gives the result. */
static const char *walk_tokens(struct walk_state *w)
{
    static char room[300];
    struct scan scan;
    struct buf out;
    static struct fault fault;
    buf_init(&out, room, sizeof room);
    walk_state_begin(w);
    scan_begin(&scan, SCAN_DEPTH_MAX);
    for (size_t done = 0; done < body_n; done += 1000) {
        const uint8_t *at = (const uint8_t *)body + done;
        const uint8_t *end =
            body_n - done < 1000 ? at + body_n - done : at + 1000;
        enum scan_token token;
        do {
            struct scan_text text;
            const uint8_t *from = at;
            token = scan_next(&scan, &at, end, &text);
            ck_assert_int_ne(token, SCAN_FAULT);
            walk_tokens_take(w, &scan, token, &text, from, (size_t)(at - from));
        } while (token != SCAN_MORE);
    }
    walk_tokens_end(w);
    return walk_state_finish(w, &out, &fault) ? room : fault.reason;
}

START_TEST(long_names_and_numbers_take_no_memory)
{
    static const struct query_case q = {
        "$.list", "", "n = sum(@.value); copy c = c", "double"};
    struct program p;
    struct walk_state w;
    queries_compile(&p, &q);
    struct paths *paths = paths_new(&p);
    ck_assert_ptr_nonnull(paths);
    ck_assert(walk_state_open(&w, paths));
    body_n = 0;
    add("{\"");
    add_many('n', 100000);
    add("\":1,\"c\":12.50,\"l\\u0069st\":[{\"value\":2.5");
    add_many('0', 100000);
    add("1}]}");
    ck_assert_str_eq(walk_tokens(&w), "{\"c\":12.50,\"n\":2.5}");
    ck_assert_uint_lt(w.text.room, 300);
    body_n = 0;
    add("{\"list\":[],\"c\":1");
    add_many('0', 100000);
    add("}");
    ck_assert_str_eq(walk_tokens(&w), "longer than 1 KB, and to be copied");
    ck_assert_uint_lt(w.text.room, 300);
    walk_state_free(&w);
    free(paths);
    program_free(&p);
}
END_TEST

/* What is kept of a list or an object is kept to its end, and no longer: see
 * walk_state_keep_all(). */
START_TEST(nothing_is_kept_behind_its_end)
{
    static const struct query_case q = {"$", "@ == @.a || @.a == @.b",
                                        "n = count()", ""};
    struct program p;
    struct walk_state w;
    queries_compile(&p, &q);
    struct paths *paths = paths_new(&p);
    ck_assert_ptr_nonnull(paths);
    ck_assert(walk_state_open(&w, paths));
    body_n = 0;
    add("[{\"a\":[1,{\"x\":2}],\"b\":[1,{\"x\":2}]},{\"a\":{},\"b\":[]},[]]");
    ck_assert_str_eq(walk_tokens(&w), "{\"n\":2}");
    ck_assert_uint_eq(w.keeping, 0);
    walk_state_free(&w);
    free(paths);
    program_free(&p);
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
    struct program p;
    struct walk_state w;
    queries_compile(&p, &q);
    struct paths *paths = paths_new(&p);
    ck_assert_ptr_nonnull(paths);
    ck_assert(walk_state_open(&w, paths));
    walk_state_begin(&w);
    walk_query_events(&w, 0, from, events[0], 7, false, from + 19, from + 19);
    walk_query_events(&w, 3, on, events[1], 4, false, on + 8, on + 8);
    buf_init(&out, room, sizeof room);
    ck_assert(walk_state_finish(&w, &out, &fault));
    ck_assert_str_eq(room, "{\"n\":1}");
    walk_state_free(&w);
    free(paths);
    program_free(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {long_names_and_numbers_take_no_memory,
                                  nothing_is_kept_behind_its_end,
                                  a_window_may_end_behind_an_opening_bracket};
    return UNIT_MAIN("walk_state", tests);
}
