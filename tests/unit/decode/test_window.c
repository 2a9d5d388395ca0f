/* window: what is taken of bytes, and what is not, on every instruction set. */
#include <stdio.h>
#include <string.h>

#include "decode/window.h"
#include "unit.h"

static struct plan plan;
static struct window *w;
static const struct window_path *paths[WINDOW_PATHS_MAX];
static size_t path_count;

static void open_windows(void)
{
    w = calloc(1, sizeof *w);
    ck_assert(w != NULL && plan_make(&plan, "items", "value"));
    path_count = window_paths(paths);
}

static void close_windows(void)
{
    free(w);
}

static enum window_result read_text(const struct window_path *path,
                                    const char *text, size_t n)
{
    return path->read(w, &plan, (const uint8_t *)text, n);
}

START_TEST(a_window_ends_behind_a_bracket_or_comma)
{
    static const struct {
        const char *text;
        size_t taken;
        enum window_behind behind;
        uint32_t depth;
        size_t events;
    } cases[] = {
        {"{\"items\":[{\"value\":12,\"x\":[1", 27, WINDOW_BEHIND_BRACKET, 4, 5},
        {"{\"items\":[{\"value\":12,\"x\":[1,2", 29, WINDOW_BEHIND_COMMA, 4, 5},
        {"{\"items\":[{\"value\":12,\"x\":[1]", 29, WINDOW_BEHIND_VALUE, 3, 5},
        {"{\"items\":[{}]} \n", 16, WINDOW_BEHIND_ALL, 0, 7},
        {"[\"value\",", 9, WINDOW_BEHIND_COMMA, 1, 2},
    };
    for (size_t i = 0; i < path_count; i++)
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            window_begin(w, 16);
            ck_assert_int_eq(
                read_text(paths[i], cases[k].text, strlen(cases[k].text)),
                WINDOW_TAKEN);
            ck_assert_uint_eq(w->taken, cases[k].taken);
            ck_assert_uint_eq(w->place.behind, cases[k].behind);
            ck_assert_uint_eq(w->place.depth, cases[k].depth);
            ck_assert_uint_eq(w->events, cases[k].events);
            ck_assert_uint_eq(w->place.offset, cases[k].taken);
        }
}
END_TEST

START_TEST(what_is_wrong_changes_nothing)
{
    static const char *const texts[] = {
        "[1,}",       "[1}",      "{\"a\",",     "[\"a\":1,",  "[01,",
        "[1.2.3,",    "[tru,",    "[truex,",     "[nul,",      "[\"\\x\",",
        "[\"\n\",",   "[1 2,",    "{\"a\":1,2,", "[]]",        "[],[]",
        "[fals,",     "[falsex,", "[t,",         "[\"\xff\",", "[1e5e,",
        "[1e,",       "[-,",      "[.5,",        "[+1,",       "[1]x",
        "{\"a\"1,",   "[,",       "[\x01,",      "{\"a\":,",   "{\"a\"::",
        "[1,,",       "{,",       "[[[[[[",      "[true:",     "[true:1,",
        "[true\"\",", "[false[",  "[null{",      "[false:1,",
    };
    for (size_t i = 0; i < path_count; i++)
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
            window_begin(w, 5);
            ck_assert_int_eq(read_text(paths[i], "[\n{\"a\":[", 8),
                             WINDOW_TAKEN);
            window_begin(w, 5);
            struct window_place before = w->place;
            enum window_result r =
                read_text(paths[i], texts[k], strlen(texts[k]));
            if (texts[k][strlen(texts[k]) - 1] == ':')
                continue; /* what is behind the last comma is not looked at */
            ck_assert_msg(r == WINDOW_WRONG, "%s: %s", paths[i]->name,
                          texts[k]);
            ck_assert_mem_eq(&before, &w->place, sizeof before);
        }
}
END_TEST

/* Also in a block of which nothing else needs a look. */
START_TEST(what_is_wrong_in_a_long_string_is_seen)
{
    static const char *const wrongs[] = {"\n", "\x1f", "\xff", "\xc3x", "\\x"};
    char text[400];
    for (size_t i = 0; i < path_count; i++)
        for (size_t k = 0; k < sizeof wrongs / sizeof wrongs[0]; k++)
            for (size_t place = 2; place < sizeof text - 10; place++) {
                memset(text, 'x', sizeof text);
                memcpy(text, "[\"", 2);
                memcpy(text + place, wrongs[k], strlen(wrongs[k]));
                memcpy(text + sizeof text - 2, "\",", 2);
                window_begin(w, 8);
                ck_assert_msg(read_text(paths[i], text, sizeof text) ==
                                  WINDOW_WRONG,
                              "%s: %zu at %zu", paths[i]->name, k, place);
            }
}
END_TEST

/* However many brackets are in the window before it. */
START_TEST(a_member_is_told_from_an_element_behind_any_number)
{
    static const struct {
        const char *text;
        enum window_result result;
    } cases[] = {{"{\"a\":1},", WINDOW_TAKEN},
                 {"{1},", WINDOW_WRONG},
                 {"{\"a\":1,2},", WINDOW_WRONG},
                 {"[\"a\":1],", WINDOW_WRONG}};
    char text[1200];
    for (size_t i = 0; i < path_count; i++)
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
            for (size_t before = 0; before < 390; before++) {
                size_t n = 1;
                text[0] = '[';
                for (size_t b = 0; b < before; b++) {
                    memcpy(text + n, "[],", 3);
                    n += 3;
                }
                memcpy(text + n, cases[k].text, strlen(cases[k].text));
                n += strlen(cases[k].text);
                window_begin(w, 8);
                ck_assert_msg(read_text(paths[i], text, n) == cases[k].result,
                              "%s: %s behind %zu", paths[i]->name,
                              cases[k].text, before);
            }
}
END_TEST

/* Wherever the borders of blocks and strips cut it. */
START_TEST(what_is_right_is_taken_at_every_place)
{
    static const char *const texts[] = {
        "\"\\u00e9\"",
        "\"\\\"\"",
        "\"\\\\\"",
        "\"\\\\\\u12aF\\n\"",
        "\"\\/\\b\\f\\n\\r\\t\"",
        "\"\xf0\x9d\x84\x9e\"",
        "\"\xe2\x82\xac\xc3\xa9\"",
        "-0.5e+10",
        "1E-2",
        "-0",
        "true",
        "true\t",
        "false\r",
        "null\n",
        "[true]",
        "{\"a\":null}",
        "false",
        "null",
        "{\"a\" :\n1}",
        "[ ]",
        "{\t}",
        "\"\\u0076alue\"",
        "[[{\"a\":[]}]]",
        "123456789012345678",
    };
    char text[1200];
    for (size_t i = 0; i < path_count; i++)
        for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
            for (size_t place = 1; place < 1040; place++) {
                size_t n = strlen(texts[k]);
                memset(text, ' ', sizeof text);
                text[0] = '[';
                memcpy(text + place, texts[k], n);
                text[place + n] = ',';
                window_begin(w, 8);
                ck_assert_msg(read_text(paths[i], text, sizeof text) ==
                                  WINDOW_TAKEN,
                              "%s: %s at %zu", paths[i]->name, texts[k], place);
                ck_assert_uint_eq(w->taken, place + n + 1);
            }
}
END_TEST

/* The other instruction sets take what portable takes, and find the same. */
START_TEST(all_paths_take_the_same)
{
    static const char alphabet[] = "[]{},:\"\\ue0128-+.Etrlfasn \n\xc3\xa9/b";
    static struct window first;
    uint32_t random = 1;
    char text[600];
    for (unsigned round = 0; round < 60000; round++) {
        size_t n = 1 + round % sizeof text;
        int head = snprintf(text, sizeof text, "{\"items\":[{\"value\":");
        for (size_t k = (size_t)head; k < n; k++) {
            random = random * 1664525 + 1013904223;
            uint32_t pick = random >> 16;
            /* Mostly numbers and commas, so that windows get long. */
            text[k] = pick % 64 != 0
                          ? "7,"[k % 2]
                          : alphabet[pick / 64 % (sizeof alphabet - 1)];
        }
        for (size_t i = path_count; i-- > 0;) {
            window_begin(w, 8);
            enum window_result r = read_text(paths[i], text, n);
            w->max_depth = (uint32_t)r; /* to compare it, too */
            if (i + 1 == path_count)
                memcpy(&first, w, sizeof first);
            EXPECT(w->max_depth == first.max_depth);
            EXPECT(memcmp(&w->place, &first.place, sizeof first.place) == 0);
            if (r != WINDOW_TAKEN)
                continue;
            EXPECT(w->taken == first.taken && w->events == first.events);
            EXPECT(memcmp(w->at, first.at, w->events * sizeof w->at[0]) == 0);
        }
    }
}
END_TEST

/* A string in which a window ends is gone over by itself if it is no name, or a
 * name longer than any that is wanted; else it is left to the next window. */
START_TEST(a_window_may_end_in_a_string)
{
    static const struct {
        const char *text; /* and so many letters */
        size_t letters;
        enum window_result result;
        size_t taken;
        enum window_behind behind;
    } cases[] = {
        {"{\"a\":\"", WINDOW_TEXT, WINDOW_IN_STRING, 6, WINDOW_BEHIND_VALUE},
        {"{\"a\":\"", WINDOW_TEXT - 1, WINDOW_TAKEN, 1, WINDOW_BEHIND_BRACKET},
        {"{\"a\":1,\"b\":\"", 300, WINDOW_IN_STRING, 12, WINDOW_BEHIND_VALUE},
        {"{\"a\":1,\"", WINDOW_LONG, WINDOW_IN_STRING, 8, WINDOW_BEHIND_NAME},
        {"{\"a\":1,\"", WINDOW_LONG - 1, WINDOW_TAKEN, 7, WINDOW_BEHIND_COMMA},
        {"{\"", WINDOW_LONG, WINDOW_IN_STRING, 2, WINDOW_BEHIND_NAME},
        {"[\"", WINDOW_LONG, WINDOW_IN_STRING, 2, WINDOW_BEHIND_VALUE},
        {"[\"", WINDOW_LONG - 1, WINDOW_TAKEN, 1, WINDOW_BEHIND_BRACKET},
        {"[\"a\",\"", WINDOW_LONG, WINDOW_IN_STRING, 6, WINDOW_BEHIND_VALUE},
        {"[{\"a\":\"b\"},\"", 99, WINDOW_TAKEN, 11, WINDOW_BEHIND_COMMA},
        {"[[1]\"", WINDOW_LONG, WINDOW_WRONG, 0, 0},
        {"{}\"", WINDOW_LONG, WINDOW_WRONG, 0, 0},
        {"{\"a\"\"", WINDOW_LONG, WINDOW_WRONG, 0, 0},
    };
    char text[1000];
    for (size_t i = 0; i < path_count; i++)
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            size_t n = strlen(cases[k].text);
            memset(text, 'x', sizeof text);
            memcpy(text, cases[k].text, n);
            window_begin(w, 8);
            enum window_result r =
                read_text(paths[i], text, n + cases[k].letters);
            ck_assert_msg(r == cases[k].result, "%s: %s: %d", paths[i]->name,
                          cases[k].text, (int)r);
            if (r == WINDOW_WRONG)
                continue;
            ck_assert_msg(w->taken == cases[k].taken, "%s: %zu", cases[k].text,
                          w->taken);
            ck_assert_uint_eq(w->place.behind, cases[k].behind);
        }
}
END_TEST

START_TEST(a_name_may_be_gone_over_by_itself)
{
    char text[1000 + WINDOW_LONG];
    for (size_t i = 0; i < path_count; i++) {
        memset(text, 'x', sizeof text);
        text[0] = '{';
        text[1] = '"';
        window_begin(w, 8);
        ck_assert_int_eq(read_text(paths[i], text, 500), WINDOW_IN_STRING);
        text[600] = '"';
        ck_assert_int_eq(
            paths[i]->read_string(w, (const uint8_t *)text + 2, 700),
            WINDOW_TAKEN);
        ck_assert_uint_eq(w->taken, 599);
        memcpy(text + 601, ":\"", 2); /* its value is no name */
        ck_assert_int_eq(read_text(paths[i], text + 601, 2 + WINDOW_LONG),
                         WINDOW_IN_STRING);
        ck_assert_uint_eq(w->taken, 2);
        ck_assert_uint_eq(w->place.behind, WINDOW_BEHIND_VALUE);
    }
}
END_TEST

START_TEST(a_long_string_is_gone_over_in_parts)
{
    static char text[9000];
    for (size_t i = 0; i < path_count; i++)
        for (size_t tail = 0; tail < 20; tail++) {
            memset(text, 'x', sizeof text);
            memcpy(text, "{\"a\":\"", 6);
            memcpy(text + 2000, "\xf0\x9d\x84\x9e\\u12aF\\\\", 12);
            memcpy(text + 2012 + tail, "\",", 2);
            window_begin(w, 8);
            ck_assert_int_eq(read_text(paths[i], text, 1990), WINDOW_IN_STRING);
            ck_assert_uint_eq(w->taken, 6);
            ck_assert_uint_eq(w->place.behind, WINDOW_BEHIND_VALUE);
            size_t at = 6;
            for (size_t n = 2001; n <= 2014 + tail; n++) {
                enum window_result r = paths[i]->read_string(
                    w, (const uint8_t *)text + at, n - at);
                at += w->taken;
                bool end = n > 2012 + tail;
                ck_assert_int_eq(r, end ? WINDOW_TAKEN : WINDOW_SHORT);
                if (end)
                    break;
                ck_assert_uint_ge(at + 6, n);
            }
            ck_assert_uint_eq(at, 2013 + tail);
            ck_assert_uint_eq(w->place.offset, at);
        }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_window_ends_behind_a_bracket_or_comma,
        what_is_wrong_changes_nothing,
        what_is_wrong_in_a_long_string_is_seen,
        a_member_is_told_from_an_element_behind_any_number,
        what_is_right_is_taken_at_every_place,
        all_paths_take_the_same,
        a_window_may_end_in_a_string,
        a_name_may_be_gone_over_by_itself,
        a_long_string_is_gone_over_in_parts};
    return UNIT_RUN_WITH("window", tests, open_windows, close_windows);
}
