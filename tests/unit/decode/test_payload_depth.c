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

/* A nest of these kinds, whose levels are closed as those of `closes`; at level
 * `wrong` no bracket closes it, or two. */
static void put_nest(const struct frame *f, const char *kinds,
                     const char *closes, size_t depth, size_t wrong, int how)
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
        int times = i != wrong ? 1 : how;
        for (; times > 0; times--)
            body_text(&b, closes[i] == '{' ? "}" : "]");
        if (i % 7 == 6 && i > 0 && kinds[i - 1] == '[')
            body_text(&b, ",0");
    }
    body_text(&b, f->behind);
}

static void check_wrong_brackets(struct bodies *set, size_t depth, size_t step)
{
    char kinds[1024], closes[1024];
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
                memcpy(closes, kinds, depth);
                if (error == 1 && wrong < depth)
                    closes[wrong] = kinds[wrong] == '{' ? '[' : '{';
                put_nest(f, kinds, closes, depth, wrong, error);
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

/* A decoder that mixes up the words it keeps levels in takes brackets that
 * close those of another word: all levels up to one, as arrays, as objects, or
 * as those 32 or 64 levels away. */
START_TEST(levels_close_as_what_they_are)
{
    static const size_t borders[] = {31, 32, 33, 63, 64, 65, 96, 128};
    static const size_t depths[] = {34, 64, 66, 97, 100, 130, 200, 1000};
    struct bodies set;
    char kinds[1200], closes[1024];
    bodies_open(&set, 1024);
    for (int how = 0; how < 4; how++)
        for (size_t d = 0; d < COUNT(depths); d++)
            for (size_t k = 0; k < COUNT(borders) * 5; k++) {
                size_t depth = depths[d], border = borders[k / 5];
                choose_kinds(kinds, sizeof kinds, how);
                for (size_t i = 0; i < depth; i++)
                    closes[i] = i >= border  ? kinds[i]
                                : k % 5 == 0 ? '['
                                : k % 5 == 1 ? '{'
                                : k % 5 == 2 ? kinds[i + 32]
                                : k % 5 == 3 ? kinds[i + 64]
                                             : kinds[i < 32 ? i : i - 32];
                b.n = 0;
                body_fill(&b, ' ', bodies_below(70));
                put_nest(&frames[(d + k) % COUNT(frames)], kinds, closes, depth,
                         SIZE_MAX, 0);
                bodies_check(&set, &b, 1 + bodies_below(300), 0);
            }
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
                put_nest(&frames[f], kinds, kinds, depth, SIZE_MAX, 0);
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

/* --- What stands in objects and in arrays. --- */

static void put_gap(void)
{
    if (bodies_below(5) == 0)
        body_fill(&b, bodies_below(9) == 0 ? '\n' : ' ', bodies_below(200));
}

/* A value with its name, if it has one. */
static void put_member(bool named, bool container, char kind)
{
    put_gap();
    if (named) {
        body_text(&b, bodies_below(3) == 0 ? "\"value\"" : "\"k\"");
        put_gap();
        body_text(&b, ":");
        put_gap();
    }
    if (container)
        body_put(&b, &kind, 1);
    else
        body_text(&b, bodies_below(3) == 0 ? "\"v\"" : "12");
    if (!container && bodies_below(9) == 0) {
        b.n -= b.bytes[b.n - 1] == '"';
        bool string = b.bytes[b.n - 1] == 'v';
        body_fill(&b, string ? 'x' : '3', bodies_below(150));
        body_text(&b, string ? "\"" : "");
    }
}

/* A nest of up to 40 values; those from `from` up to `to` have a name where
 * none may be, and none where one must be. */
static void put_values(uint32_t from, uint32_t to)
{
    char kinds[64];
    size_t depth = 1;
    bool first = true;
    body_text(&b, "{\"items\":[{\"value\":21}],\"x\":[");
    kinds[0] = '[';
    for (uint32_t i = 0; i < 40; i++) {
        if (!first && depth > 1 && bodies_below(4) == 0) {
            put_gap();
            body_text(&b, kinds[--depth] == '{' ? "}" : "]");
            continue;
        }
        bool container = depth < 60 && bodies_below(3) == 0;
        bool named = (kinds[depth - 1] == '{') != (i >= from && i < to);
        char kind = "{["[bodies_below(2)];
        body_text(&b, first ? "" : ",");
        put_member(named, container, kind);
        if (container)
            kinds[depth++] = kind;
        first = container;
    }
    while (depth > 0)
        body_text(&b, kinds[--depth] == '{' ? "}" : "]");
    body_text(&b, "}");
}

START_TEST(members_have_names_in_objects_only)
{
    struct bodies set;
    size_t valid = 0;
    bodies_open(&set, 64);
    for (int round = 0; round < 12000; round++) {
        uint32_t from = bodies_below(40), to = from + bodies_below(40);
        b.n = 0;
        put_values(from, round % 8 == 0 ? from : to);
        valid += bodies_check(&set, &b, 1 + bodies_below(300), 0);
    }
    ck_assert_uint_gt(valid, 1000);
    ck_assert_uint_lt(valid, 6000);
    bodies_close(&set);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {brackets_match_at_every_depth,
                                  levels_close_as_what_they_are,
                                  the_limit_is_where_it_is, levels_come_and_go,
                                  members_have_names_in_objects_only};
    return UNIT_MAIN("payload_depth", tests);
}
