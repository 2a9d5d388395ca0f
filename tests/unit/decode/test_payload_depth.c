/* payload: brackets match at every depth up to the limit, and what does not
 * match, or is too deep, is told at its byte, wherever the levels lie that a
 * decoder keeps in one word. */
#include "bodies.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct body b;
/* Kinds of `depth` levels, '{' or '['. */
static void choose_kinds(char *kinds, size_t depth, int how)
{
    for (size_t i = 0; i < depth; i++)
        kinds[i] = "{["[how == 0   ? 0
                        : how == 1 ? 1
                        : how == 2 ? i % 2
                                   : bodies_below(2)];
}

/* Where the nest stands. */
static const struct frame {
    const char *before, *behind;
    size_t depth;
} frames[] = {
    {"{\"items\":[{\"value\":21}],\"x\":", "}", 1},
    {"{\"items\":[{\"value\":21,\"x\":", "}]}", 3},
    {"{\"x\":", ",\"items\":[{\"value\":21}]}", 1},
    {"", "", 0},
};

/* A nest of these kinds; at level `wrong` (of `depth`: nowhere) another bracket
 * closes it, or none, or two. */
static void put_nest(const struct frame *f, const char *kinds, size_t depth,
                     size_t wrong, int how)
{
    body_text(&b, f->before);
    for (size_t i = 0; i < depth; i++) {
        body_put(&b, &kinds[i], 1);
        if (kinds[i] == '{')
            body_text(&b, i % 3 == 0 ? "\"value\":" : "\"a\":");
        else if (i % 5 == 4)
            body_text(&b, "1,");
    }
    body_text(&b, "null");
    for (size_t i = depth; i-- > 0;) {
        bool object = (kinds[i] == '{') != (i == wrong && how == 0);
        if (i == wrong && how == 1)
            continue;
        if (i == wrong && how == 2)
            body_text(&b, object ? "}" : "]");
        body_text(&b, object ? "}" : "]");
        if (i % 7 == 6 && i > 0 && kinds[i - 1] == '[')
            body_text(&b, ",0");
    }
    body_text(&b, f->behind);
}

static void check_wrong_brackets(struct bodies *set, size_t depth, size_t step)
{
    char kinds[1024];
    for (int how = 0; how < 4; how++)
        for (size_t wrong = depth % step; wrong <= depth;
             wrong += step + (how < 3 ? 4U : 0U))
            for (int error = 0; error < 3; error++) {
                const struct frame *f =
                    &frames[(wrong + (size_t)error) % COUNT(frames)];
                choose_kinds(kinds, depth, how);
                b.n = 0;
                body_fill(&b, ' ',
                          bodies_below(2) == 0 ? bodies_below(70) : 3900);
                put_nest(f, kinds, depth, wrong, error);
                bool is_json = bodies_check(set, &b, 1 + bodies_below(400), 0);
                if (is_json != (wrong == depth))
                    ck_abort_msg("%.*s", (int)b.n, b.bytes);
            }
}

START_TEST(brackets_match_at_every_depth)
{
    struct bodies set;
    bodies_open(&set, 1024);
    for (size_t depth = 1; depth < 80; depth++)
        check_wrong_brackets(&set, depth, 1);
    for (size_t depth = 94; depth < 132; depth++)
        check_wrong_brackets(&set, depth, 7);
    check_wrong_brackets(&set, 1000, 31);
    check_wrong_brackets(&set, 1021, 31);
    bodies_close(&set);
}
END_TEST

/* One level more than is allowed is told at its bracket, one less is not. */
START_TEST(the_limit_is_where_it_is)
{
    static const uint32_t limits[] = {1,  2,  3,   4,   5,    16,  31,
                                      32, 33, 63,  64,  65,   66,  95,
                                      96, 97, 128, 500, 1023, 1024};
    char kinds[1100];
    for (size_t k = 0; k < COUNT(limits); k++) {
        struct bodies set;
        bodies_open(&set, limits[k]);
        for (size_t f = 0; f < COUNT(frames); f++)
            for (uint32_t more = 0; more < 4; more++) {
                size_t depth = limits[k] + more;
                if (depth < frames[f].depth + 2)
                    continue;
                depth -= frames[f].depth + 2;
                choose_kinds(kinds, depth, 3);
                b.n = 0;
                body_fill(&b, ' ',
                          bodies_below(2) == 0 ? bodies_below(70) : 3900);
                put_nest(&frames[f], kinds, depth, SIZE_MAX, 0);
                bool is_json = bodies_check(&set, &b, 1 + bodies_below(400), 0);
                size_t least = frames[f].before[0] == '\0' ? 0 : 3;
                bool fits = frames[f].depth + depth <= limits[k] &&
                            (limits[k] >= 3 || least == 0);
                if (is_json != fits)
                    ck_abort_msg("depth %u: %.*s", limits[k], (int)b.n,
                                 b.bytes);
            }
        bodies_close(&set);
    }
}
END_TEST

/* Up and down again, past the end of a word of levels and back. */
START_TEST(levels_come_and_go)
{
    struct bodies set;
    char kinds[300];
    bodies_open(&set, 256);
    for (int round = 0; round < 3000; round++) {
        size_t depth = 0, opened = 0;
        b.n = 0;
        body_text(&b, "{\"items\":[{\"value\":21}],\"x\":[");
        while (opened < 150 && depth < 250) {
            if (depth > 0 && bodies_below(9) < 4) {
                body_text(&b, kinds[--depth] == '{' ? "0}" : "0]");
                body_text(&b, depth > 0 && kinds[depth - 1] == '{'
                                  ? ",\"k\":0,\"k\":"
                                  : ",");
            } else {
                bool object = bodies_below(2) == 0;
                kinds[depth++] = object ? '{' : '[';
                body_text(&b, object ? "{\"k\":" : "[");
                opened++;
            }
        }
        body_text(&b, "1");
        while (depth > 0)
            body_text(&b, kinds[--depth] == '{' ? "}" : "]");
        body_text(&b, "]}");
        EXPECT(bodies_check(&set, &b, 1 + bodies_below((uint32_t)b.n - 1), 0));
        /* Another bracket in the place of one. */
        size_t at = 30 + bodies_below((uint32_t)b.n - 32);
        while (strchr("{}[]", b.bytes[at]) == NULL)
            at--;
        b.bytes[at] = "{}[]"[bodies_below(4)];
        bodies_check(&set, &b, at, 0);
    }
    bodies_close(&set);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {brackets_match_at_every_depth,
                                  the_limit_is_where_it_is, levels_come_and_go};
    return UNIT_MAIN("payload_depth", tests);
}
