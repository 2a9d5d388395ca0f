/* walk: items that are gone over in one go, of windows on every instruction
 * set. That they were shows in struct walk, whose part for one item stays as it
 * was; what they come to is the same either way. */
#include <stdio.h>
#include <string.h>

#include "decode/walk.h"
#include "unit.h"

static struct plan plan;
static struct window *w;
static struct walk walk;
static const struct window_path *paths[WINDOW_PATHS_MAX];
static size_t path_count;

static void open_walk(void)
{
    w = calloc(1, sizeof *w);
    ck_assert(w != NULL && plan_make(&plan, "items", "value"));
    path_count = window_paths(paths);
    walk.plan = &plan;
}

static void close_walk(void)
{
    walk_free(&walk);
    free(w);
}

/* Of a document that is one window no item is read by itself. */
static void expect(const struct window_path *path, enum tally_numbers numbers,
                   const char *text, int64_t sum)
{
    const uint8_t *from = (const uint8_t *)text;
    size_t n = strlen(text);
    struct tally t;
    struct fault f;
    walk.shape = (struct shape){"items", "value", numbers, 1, 16};
    walk_begin(&walk);
    walk.found = WALK_OTHER;
    walk.integer = -1;
    walk.real = -1;
    window_begin(w, 16);
    ck_assert_int_eq(path->read(w, &plan, from, n), WINDOW_TAKEN);
    walk_events(&walk, 0, from, w->at, w->events, w->escapes, from + w->taken,
                from + n);
    ck_assert(walk_finish(&walk, &t, &f));
    int64_t got = numbers == TALLY_INT64 ? (int64_t)t.exact : (int64_t)t.approx;
    ck_assert_msg(got == sum, "%s: %s: %lld", path->name, text, (long long)got);
    bool as_it_was =
        walk.found == WALK_OTHER && walk.integer == -1 && walk.real == -1;
    ck_assert_msg(as_it_was, "%s: an item was read by itself: %s", path->name,
                  text);
}

/* However they are written, if bytes may be read far beyond them. */
START_TEST(items_with_a_number_are_gone_over_in_one_go)
{
    static const char pad[] =
        ",\"x\":\"                                        "
        "                                                \"}";
    static const struct {
        const char *items;
        int64_t sum;
    } cases[] = {
        {"{\"value\":1},{\"value\":20}", 21},
        {"{\"value\": 1},{\"value\" :20},{\"value\"\n:\n300}", 321},
        {"{\"v\\u0061lue\":1},{\"value\":20}", 21},
        {"{\"value\":1,\"x\":5},{\"x\":\"value\",\"value\":20}", 21},
        {"{\"valid\":7,\"value\":1},{\"value\":20,\"valid\":7}", 21},
        {"{\"value\":5,\"value\":1},{\"value\":false,\"value\":20}", 21},
        {"{\"value\":123456789012},\n {\"value\":1}", 123456789013},
        {"{\"value\":1},{\"x\":{},\"value\":20}", 21},
    };
    char text[400];
    for (size_t i = 0; i < path_count; i++)
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
            for (int doubles = 0; doubles < 2; doubles++) {
                snprintf(text, sizeof text, "{\"items\":[%s]%s", cases[k].items,
                         pad);
                expect(paths[i], doubles ? TALLY_DOUBLE : TALLY_INT64, text,
                       cases[k].sum);
            }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {items_with_a_number_are_gone_over_in_one_go};
    return UNIT_RUN_WITH("walk", tests, open_walk, close_walk);
}
