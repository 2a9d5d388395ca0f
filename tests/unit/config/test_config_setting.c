/* config_setting: every row of config.def, at its bounds and past them. */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/config_setting.h"
#include "unit.h"

static char words[256];
static struct buf why;
static struct config *config;
static struct config_section sections[2];

static void open_sections(void)
{
    config = calloc(1, sizeof *config);
    ck_assert_ptr_nonnull(config);
    sections[0] = config_pool_section(config);
    ck_assert(config_set_defaults(&sections[0]));
    struct config_endpoint *e = config_add_endpoint(config, "e");
    ck_assert_ptr_nonnull(e);
    sections[1] = config_endpoint_section(e);
    buf_init(&why, words, sizeof words);
}

static void close_sections(void)
{
    config_free(&config);
    ck_assert_ptr_null(config);
}

static bool set(const struct config_section *s, const struct setting *row,
                const char *text)
{
    buf_init(&why, words, sizeof words);
    bool ok = config_setting_set(row, s->base, text, &why);
    ck_assert_msg(ok == (why.len == 0), "%s = %s: \"%s\"", row->name, text,
                  words);
    return ok;
}

/* The value of a row, as it would be written. */
static const char *printed(const struct config_section *s,
                           const struct setting *row)
{
    static char text[256];
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    config_setting_print(row, s->base, out);
    fclose(out);
    size_t name = strlen(row->name);
    ck_assert_int_eq(strncmp(text, row->name, name), 0);
    ck_assert_int_eq(strncmp(text + name, " = ", 3), 0);
    text[strcspn(text, "\n")] = '\0';
    return text + name + 3;
}

static int64_t number(const struct config_section *s, const struct setting *row)
{
    int64_t value;
    memcpy(&value, (const char *)s->base + row->offset, sizeof value);
    return value;
}

#define EACH_ROW(s, row)                                                       \
    for (int each = 0; each < 2; each++)                                       \
        for (const struct config_section *s = &sections[each]; s != NULL;      \
             s = NULL)                                                         \
            for (const struct setting *row = s->rows;                          \
                 row < s->rows + s->count; row++)

START_TEST(names_are_unique_and_have_help)
{
    EACH_ROW(s, row)
    {
        ck_assert_uint_eq(strspn(row->name, "abcdefghijklmnopqrstuvwxyz_"),
                          strlen(row->name));
        ck_assert_uint_gt(strlen(row->help), 0);
        ck_assert_ptr_eq(config_setting_find(s->rows, s->count, row->name),
                         row);
    }
    ck_assert_ptr_null(
        config_setting_find(sections[0].rows, sections[0].count, "worker"));
}
END_TEST

START_TEST(defaults_read_back_as_they_are_printed)
{
    EACH_ROW(s, row)
    {
        char first[256];
        snprintf(first, sizeof first, "%s", printed(s, row));
        ck_assert_msg(config_setting_is_initial(row, s->base), "%s", row->name);
        ck_assert_msg(set(s, row, first), "%s = %s: %s", row->name, first,
                      words);
        ck_assert_str_eq(printed(s, row), first);
    }
}
END_TEST

/* "least..most", each with its unit. */
static bool split_bounds(const struct setting *row, char bounds[2][32])
{
    const char *dots = strstr(row->allowed, "..");
    if (row->type < SETTING_COUNT || row->type == SETTING_CHOICE)
        return false;
    ck_assert_msg(dots != NULL, "%s: %s", row->name, row->allowed);
    snprintf(bounds[0], 32, "%.*s", (int)(dots - row->allowed), row->allowed);
    snprintf(bounds[1], 32, "%s", dots + 2);
    return true;
}

/* The number of `text` moved by one of its own unit. */
static void moved(const struct setting *row, const char *text, int by,
                  char out[32])
{
    char *unit;
    bool octal = row->type == SETTING_MODE;
    long value = strtol(text, &unit, octal ? 8 : 10) + by;
    snprintf(out, 32, octal ? "0%lo%s" : "%ld%s", value, unit);
}

START_TEST(bounds_are_taken_and_what_is_past_them_is_not)
{
    char bounds[2][32], past[32];
    EACH_ROW(s, row)
    {
        if (!split_bounds(row, bounds))
            continue;
        for (int i = 0; i < 2; i++) {
            ck_assert_msg(set(s, row, bounds[i]), "%s = %s: %s", row->name,
                          bounds[i], words);
            int64_t kept = number(s, row);
            moved(row, bounds[i], i == 0 ? -1 : 1, past);
            ck_assert_msg(!set(s, row, past), "%s = %s: taken", row->name,
                          past);
            ck_assert_ptr_nonnull(strstr(words, row->allowed));
            ck_assert_int_eq(number(s, row), kept); /* the old value stays */
        }
    }
}
END_TEST

START_TEST(no_number_is_guessed)
{
    static const char *const bad[] = {"",
                                      " ",
                                      " 1",
                                      "1 ",
                                      "x",
                                      "1x",
                                      "--1",
                                      "+",
                                      "-",
                                      "0x",
                                      "1.5",
                                      "1e3",
                                      "1,0",
                                      "\xd9\xa1",
                                      "1\n",
                                      "1kk",
                                      "1S",
                                      "1 s",
                                      "1sm",
                                      "1\t",
                                      "9999999999999999999999",
                                      "9223372036854775807g",
                                      "-99999999999999h"};
    EACH_ROW(s, row)
    {
        char bounds[2][32];
        if (!split_bounds(row, bounds))
            continue;
        int64_t kept = number(s, row);
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            ck_assert_msg(!set(s, row, bad[i]), "%s = \"%s\": taken", row->name,
                          bad[i]);
            ck_assert_int_eq(number(s, row), kept);
        }
    }
}
END_TEST

START_TEST(choices_are_taken_as_they_are_written)
{
    EACH_ROW(s, row)
    {
        char words_of[128], all[128] = "";
        struct buf out;
        if (row->type != SETTING_CHOICE)
            continue;
        int64_t index = 0;
        buf_init(&out, all, sizeof all);
        config_setting_print_words(row, &out);
        snprintf(words_of, sizeof words_of, "%s", all);
        for (char *word = strtok(words_of, "|"); word != NULL;
             word = strtok(NULL, "|"), index++) {
            ck_assert(set(s, row, word));
            ck_assert_int_eq(number(s, row), index);
            ck_assert_str_eq(printed(s, row), word);
        }
        ck_assert_int_gt(index, 1);
        ck_assert(!set(s, row, ""));
        ck_assert(!set(s, row, all));
        ck_assert_ptr_nonnull(strstr(words, all));
    }
}
END_TEST

static void check_texts(enum setting_type type, const char *const *texts,
                        bool good)
{
    EACH_ROW(s, row)
    for (const char *const *text = texts; row->type == type && *text != NULL;
         text++) {
        char before[256];
        snprintf(before, sizeof before, "%s", printed(s, row));
        ck_assert_msg(set(s, row, *text) == good, "%s = \"%s\": %s", row->name,
                      *text, good ? words : "taken");
        ck_assert_str_eq(printed(s, row), good ? *text : before);
    }
}

#define W64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

START_TEST(texts_have_the_form_they_must_have)
{
    static const char *const good_words[] = {"a", "\xc3\xa9", W64, NULL};
    static const char *const bad_words[] = {"", W64 "0", NULL};
    static const char *const good_files[] = {"", "/", "/a b", NULL};
    static const char *const bad_files[] = {"a", "./a", "~/a", " /a", NULL};
    static const char *const good_paths[] = {"/", "/a", "/a/", NULL};
    static const char *const bad_paths[] = {"a", "http://h/", NULL};
    static const char *const good_urls[] = {"", "http://h", "https://h:1/p?q",
                                            "http://[::1]:8/", NULL};
    static const char *const bad_urls[] = {"h",
                                           "/p",
                                           "ftp://h/",
                                           "http:h",
                                           "http://",
                                           "http:///p",
                                           "file:///etc/passwd",
                                           "HTTP//h",
                                           " http://h",
                                           "gopher://h",
                                           NULL};
    check_texts(SETTING_WORD, good_words, true);
    check_texts(SETTING_WORD, bad_words, false);
    check_texts(SETTING_FILEPATH, good_files, true);
    check_texts(SETTING_FILEPATH, bad_files, false);
    check_texts(SETTING_URLPATH, good_paths, true);
    check_texts(SETTING_URLPATH, bad_paths, false);
    EACH_ROW(s, row)
    if (row->type == SETTING_URLPATH) /* empty where that is the default */
        ck_assert_int_eq(set(s, row, ""), row->initial[0] == '\0');
    check_texts(SETTING_URL, good_urls, true);
    check_texts(SETTING_URL, bad_urls, false);
}
END_TEST

START_TEST(numbers_are_printed_in_their_largest_unit)
{
    static const struct {
        const char *name, *text, *printed;
    } rows[] = {
        {"drain_timeout", "0s", "0s"},     {"drain_timeout", "0", "0s"},
        {"drain_timeout", "1000ms", "1s"}, {"drain_timeout", "60s", "1m"},
        {"drain_timeout", "90s", "90s"},   {"drain_timeout", "3600s", "1h"},
        {"drain_timeout", "0ms", "0s"},    {"drain_timeout", "1ms", "1ms"},
        {"socket_mode", "660", "0660"},    {"socket_mode", "0", "0000"},
        {"max_body", "1024k", "1m"},       {"max_body", "1025", "1025"},
        {"max_body", "1024g", "1024g"},    {"verify", "0.000001", "0.000001"},
        {"verify", "1.000000", "1"},       {"verify", "0.10", "0.1"},
        {"multiply", "-0", "0"},           {"multiply", "-7", "-7"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct config_section *s = &sections[0];
        const struct setting *row =
            config_setting_find(s->rows, s->count, rows[i].name);
        if (row == NULL) {
            s = &sections[1];
            row = config_setting_find(s->rows, s->count, rows[i].name);
        }
        ck_assert_msg(row != NULL && set(s, row, rows[i].text), "%s = %s: %s",
                      rows[i].name, rows[i].text, words);
        ck_assert_str_eq(printed(s, row), rows[i].printed);
    }
}
END_TEST

START_TEST(a_name_mistyped_once_is_found)
{
    EACH_ROW(s, row)
    {
        char name[80];
        size_t n = strlen(row->name);
        if (n < 5)
            continue; /* too short to be told from its neighbours */
        for (size_t i = 0; i < n; i++) {
            snprintf(name, sizeof name, "%.*s%s", (int)i, row->name,
                     row->name + i + 1);
            const struct setting *near =
                config_setting_nearest(s->rows, s->count, name);
            ck_assert_msg(near != NULL, "%s", name);
        }
        ck_assert_ptr_eq(config_setting_nearest(s->rows, s->count, row->name),
                         row);
    }
    const struct config_section *s = &sections[0];
    char longest[500];
    memset(longest, 'w', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    ck_assert_ptr_null(config_setting_nearest(s->rows, s->count, longest));
    config_setting_nearest(s->rows, s->count, "");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {names_are_unique_and_have_help,
                                  defaults_read_back_as_they_are_printed,
                                  bounds_are_taken_and_what_is_past_them_is_not,
                                  no_number_is_guessed,
                                  choices_are_taken_as_they_are_written,
                                  texts_have_the_form_they_must_have,
                                  numbers_are_printed_in_their_largest_unit,
                                  a_name_mistyped_once_is_found};
    return UNIT_RUN_WITH("config_setting", tests, open_sections,
                         close_sections);
}
