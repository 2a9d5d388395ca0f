/* corpus: bodies out of files that may hold anything. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compare/corpus.h"
#include "temp_file.h"
#include "unit.h"

#define BODY_MAX 64

static char directory[] = "/tmp/test_corpus-XXXXXX";
static char path[128];

static void open_directory(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void close_directory(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static const char *name_of(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void write_file(const char *name, const char *bytes, size_t n)
{
    temp_file_write(name_of(name), bytes, n);
}

static struct corpus *open_corpus(const char *name,
                                  enum recording_format format)
{
    static const char *paths[1];
    char why[300];
    paths[0] = name;
    const struct corpus_settings s = {.paths = paths,
                                      .path_count = 1,
                                      .format = format,
                                      .max_body = BODY_MAX};
    struct corpus *c = corpus_new(&s, why, sizeof why);
    ck_assert_msg(c != NULL, "%s", why);
    return c;
}

/* What comes next: a body, or a state with what is said of it. */
struct wanted {
    enum corpus_state state;
    const char *text;
    size_t n; /* of a body; 0: its length is that of `text` */
};

static void expect_next(struct corpus *c, const struct wanted *w)
{
    struct corpus_item item;
    corpus_next(c, &item);
    ck_assert_msg(item.state == w->state, "%s: state %d, not %d (%s)",
                  item.source, item.state, w->state, item.why);
    if (w->state == CORPUS_BODY) {
        size_t n = w->n == 0 ? strlen(w->text) : w->n;
        ck_assert_uint_eq(item.body_len, n);
        ck_assert_mem_eq(item.body, w->text, n);
        ck_assert_int_eq(item.body[n], '\0');
    } else {
        ck_assert_ptr_null(item.body);
        ck_assert_msg(strstr(item.why, w->text) != NULL, "%s", item.why);
    }
    free(item.body);
}

/* All there is in a file of these bytes, and then the end, twice. */
static void expect_all(const char *name, const char *bytes, size_t n,
                       const struct wanted *w, size_t count)
{
    static const struct wanted end = {CORPUS_END, "", 0};
    write_file(name, bytes, n);
    struct corpus *c = open_corpus(path, RECORDING_AUTO);
    for (size_t i = 0; i < count; i++)
        expect_next(c, &w[i]);
    expect_next(c, &end);
    expect_next(c, &end);
    corpus_free(&c);
}

#define EXPECT_ALL(name, text, ...)                                            \
    do {                                                                       \
        const struct wanted w[] = {__VA_ARGS__};                               \
        expect_all(name, text, sizeof(text) - 1, w, sizeof w / sizeof w[0]);   \
    } while (0)

START_TEST(broken_lines_are_told_and_passed)
{
    EXPECT_ALL("a.ndjson",
               "{\"items\":[]}\r\n\n{\n\xff\n\0\0\n[1,]\n \n{}x\n7\n{\"a\":1}",
               {CORPUS_BODY, "{\"items\":[]}", 0},
               {CORPUS_BROKEN, "not JSON", 0}, {CORPUS_BROKEN, "not JSON", 0},
               {CORPUS_BROKEN, "not JSON", 0}, {CORPUS_BROKEN, "not JSON", 0},
               {CORPUS_BROKEN, "not JSON", 0}, {CORPUS_BROKEN, "not JSON", 0},
               {CORPUS_BODY, "7", 0}, {CORPUS_BODY, "{\"a\":1}", 0});
}
END_TEST

START_TEST(lines_of_a_log_may_be_anything)
{
    EXPECT_ALL("a.log",
               "{\"body\":\"{\\\"a\\\":1}\"}\n"
               "127.0.0.1 - - \"POST / HTTP/1.1\"\n"
               "{\"body\":\"\\x22\\x22\"}\n" /* nginx without escape=json */
               "{\"body\":\"\xff\"}\n"
               "{\"body\":\"a\\u0000b\"}\n"
               "{\"body_base64\":\"AP8=\"}\n"
               "{\"body_base64\":\"AP8\"}\n"
               "{\"body_base64\":\"A===\"}\n"
               "{\"body_base64\":\"!!!!\"}\n"
               "{\"body_base64\":\"AB==\"}\n"
               "{\"method\":\"GET\",\"body\":\"x\"}\n"
               "{\"body\":[1]}\n"
               "{\"body\":null}\n"
               "{\"body\":\"-\"}\n",
               {CORPUS_BODY, "{\"a\":1}", 0}, {CORPUS_BROKEN, "no body", 0},
               {CORPUS_BROKEN, "no body", 0}, {CORPUS_BROKEN, "no body", 0},
               {CORPUS_BODY, "a\0b", 3}, {CORPUS_BODY, "\0\xff", 2},
               {CORPUS_BROKEN, "no body", 0}, {CORPUS_BROKEN, "no body", 0},
               {CORPUS_BROKEN, "no body", 0}, {CORPUS_BROKEN, "no body", 0},
               {CORPUS_BROKEN, "no body", 0}, {CORPUS_BROKEN, "no body", 0},
               {CORPUS_BODY, "-", 0});
}
END_TEST

/* At the limit, over it, and far over it: what follows is read as ever. */
START_TEST(long_lines_are_passed)
{
    enum { HUGE_LINE = 3 << 20 };
    char *text = malloc(HUGE_LINE + 1024), *at = text;
    static const struct wanted wanted[] = {
        {CORPUS_BODY,
         "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
         64},
        {CORPUS_TOO_LONG, "over the limit", 0},
        {CORPUS_TOO_LONG, "over the limit", 0},
        {CORPUS_BODY, "1", 0}};
    at += sprintf(at, "\"%062d\"\n\"%063d\"\n", 0, 0);
    for (char *p = text; p < at; p++)
        if (*p == '0')
            *p = 'a';
    memset(at, 'x', HUGE_LINE);
    at += HUGE_LINE;
    at += sprintf(at, "\n1\n");
    expect_all("long.ndjson", text, (size_t)(at - text), wanted, 4);
    free(text);
}
END_TEST

/* The line is short enough for its escapes, the body in it is not. */
START_TEST(a_long_body_in_a_log_is_told)
{
    char text[256];
    static const struct wanted wanted[] = {{CORPUS_TOO_LONG, "body is over", 0},
                                           {CORPUS_BODY, "x", 0}};
    int n = sprintf(text, "{\"body\":\"%065d\"}\n{\"body\":\"x\"}\n", 0);
    expect_all("long.log", text, (size_t)n, wanted, 2);
}
END_TEST

START_TEST(entries_of_an_archive_may_lack_anything)
{
    EXPECT_ALL(
        "a.har",
        "{\"log\":{\"entries\":["
        "{\"request\":{\"method\":\"POST\",\"postData\":{\"text\":\"{}\"}}},"
        "{\"request\":{\"method\":\"GET\"}},"
        "{\"request\":{\"method\":\"POST\"}},"
        "{\"request\":{\"method\":\"POST\",\"postData\":null}},"
        "{\"request\":{\"method\":\"POST\",\"postData\":{\"text\":7}}},"
        "{},7,null,"
        "{\"request\":{\"method\":\"POST\",\"postData\":"
        "{\"text\":\"/w==\",\"encoding\":\"base64\"}}},"
        "{\"request\":{\"method\":\"POST\",\"postData\":"
        "{\"text\":\"/w=\",\"encoding\":\"base64\"}}}"
        "]}}",
        {CORPUS_BODY, "{}", 0}, {CORPUS_BROKEN, "no body", 0},
        {CORPUS_BROKEN, "no body", 0}, {CORPUS_BROKEN, "no body", 0},
        {CORPUS_BROKEN, "no body", 0}, {CORPUS_BROKEN, "no body", 0},
        {CORPUS_BROKEN, "no body", 0}, {CORPUS_BODY, "\xff", 1},
        {CORPUS_BROKEN, "no body", 0});
}
END_TEST

START_TEST(what_is_no_archive_is_told)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "[]",
                                        "{}",
                                        "{\"log\":{}}",
                                        "{\"log\":{\"entries\":{}}}",
                                        "{\"log\":{\"entries\":[]}} x"};
    static const struct wanted wanted = {CORPUS_BROKEN, "not an HTTP archive",
                                         0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        expect_all("a.har", texts[i], strlen(texts[i]), &wanted, 1);
    expect_all("a.har", "{\"log\":{\"entries\":[]}}", 22, NULL, 0);
}
END_TEST

START_TEST(a_file_is_one_body_byte_for_byte)
{
    EXPECT_ALL("body", "", {CORPUS_BODY, "", 0});
    EXPECT_ALL("body", "a\n\0\r\n\xff", {CORPUS_BODY, "a\n\0\r\n\xff", 6});
    char text[BODY_MAX + 2];
    memset(text, 'x', sizeof text);
    const struct wanted whole = {CORPUS_BODY, text, BODY_MAX};
    const struct wanted over = {CORPUS_TOO_LONG, "the file is over", 0};
    expect_all("body", text, BODY_MAX, &whole, 1);
    expect_all("body", text, BODY_MAX + 1, &over, 1);
}
END_TEST

START_TEST(directories_are_gone_through_in_order)
{
    static const struct wanted wanted[] = {{CORPUS_BODY, "1", 0},
                                           {CORPUS_BODY, "2", 0},
                                           {CORPUS_BODY, "3", 0},
                                           {CORPUS_END, "", 0}};
    ck_assert_int_eq(mkdir(name_of("b"), 0700), 0);
    write_file("b/in.ndjson", "2\n", 2);
    write_file("a.ndjson", "1", 1);
    write_file("c", "3", 1);
    write_file(".hidden", "4", 1);
    struct corpus *c = open_corpus(directory, RECORDING_AUTO);
    for (int i = 0; i < 4; i++)
        expect_next(c, &wanted[i]);
    corpus_free(&c);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_ends_it)
{
    char why[300];
    const char *paths[] = {name_of("none")};
    const struct corpus_settings s = {.paths = paths, .path_count = 1};
    ck_assert_ptr_null(corpus_new(&s, why, sizeof why));
    ck_assert_msg(strstr(why, "/none: No such file") != NULL, "%s", why);
    /* It was there when the list was made. */
    static const struct wanted gone = {CORPUS_FAILED, "No such file", 0};
    write_file("gone.ndjson", "1\n", 2);
    struct corpus *c = open_corpus(path, RECORDING_AUTO);
    ck_assert_int_eq(unlink(path), 0);
    expect_next(c, &gone);
    corpus_free(&c);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {broken_lines_are_told_and_passed,
                                  lines_of_a_log_may_be_anything,
                                  long_lines_are_passed,
                                  a_long_body_in_a_log_is_told,
                                  entries_of_an_archive_may_lack_anything,
                                  what_is_no_archive_is_told,
                                  a_file_is_one_body_byte_for_byte,
                                  directories_are_gone_through_in_order,
                                  a_file_that_cannot_be_read_ends_it};
    return UNIT_RUN_WITH("corpus", tests, open_directory, close_directory);
}
