/* pairing: results and posts by request id, whatever the two files hold. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shadow/pairing.h"
#include "good_config.h"
#include "temp_file.h"
#include "unit.h"

#define SUM "\"{\\\"sum\\\":42}\""
#define OURS(id, result) "{\"request_id\":\"" id "\",\"result\":" result "}\n"
#define REFUSED(id, status, more)                                              \
    "{\"request_id\":\"" id "\",\"endpoint\":\"e\",\"status\":" #status        \
    "," more "}\n"
#define POST(id, body) "{\"request_id\":\"" id "\",\"body\":" body "}\n"

static char directory[] = "/tmp/test_pairing-XXXXXX";
static char results[64], posts[64], answers[64];
static struct config *config;
static struct pairing pairing;

static void open_files(void)
{
    static const char *const settings[] = {"endpoint e.path=/"};
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(results, sizeof results, "%s/results", directory);
    snprintf(posts, sizeof posts, "%s/posts", directory);
    snprintf(answers, sizeof answers, "%s/answers", directory);
    config = GOOD_CONFIG(settings);
}

static void close_files(void)
{
    config_free(&config);
    unlink(results);
    unlink(posts);
    unlink(answers);
    rmdir(directory);
}

static const char *answered; /* NULL: no file of answers */

static void read_both(void)
{
    char why[300];
    const struct pairing_files files = {.results = results,
                                        .posts = posts,
                                        .answers = answered,
                                        .config = config};
    ck_assert_msg(pairing_read(&pairing, &files, why, sizeof why), "%s", why);
}

static void read_texts(const char *ours, const char *theirs)
{
    temp_file_text(results, ours);
    temp_file_text(posts, theirs);
    read_both();
}

static void expect_only(enum parity_kind kind)
{
    ck_assert_uint_eq(pairing.comparison.cases, 1);
    for (int k = 0; k < PARITY_COUNT; k++)
        ck_assert_msg(pairing.comparison.kinds[k] == (k == (int)kind),
                      "%s: %" PRIu64 ", wanted %s",
                      parity_kind_name((enum parity_kind)k),
                      pairing.comparison.kinds[k], parity_kind_name(kind));
}

START_TEST(who_posts_takes_and_who_does_not_refuses)
{
    static const struct {
        const char *ours, *theirs;
        enum parity_kind kind;
    } cases[] = {
        {OURS("a", SUM), POST("a", SUM), PARITY_equal},
        {OURS("a", SUM), POST("a", "\"{\\\"sum\\\":43}\""),
         PARITY_downstream_body},
        {OURS("a", SUM), POST("b", SUM), PARITY_status},
        {OURS("a", SUM), "", PARITY_status},
        {REFUSED("a", 422, "\"body\":\"{}\""), "", PARITY_equal},
        {REFUSED("a", 400, "\"body\":\"{\""), POST("b", SUM), PARITY_equal},
        {REFUSED("a", 405, "\"outcome\":\"method_not_allowed\""), "",
         PARITY_equal},
        {REFUSED("a", 405, "\"outcome\":\"method_not_allowed\""),
         POST("a", SUM), PARITY_status},
        {REFUSED("a", 415, "\"outcome\":\"unsupported_encoding\""),
         POST("a", SUM), PARITY_status},
        {REFUSED("a", 413, "\"outcome\":\"body_too_large\""), POST("a", SUM),
         PARITY_too_large},
        {REFUSED("a", 422, "\"body\":\"{\\\"items\\\":[{}]}\""),
         POST("a", "\"{\\\"sum\\\":null}\""), PARITY_missing_field},
        {REFUSED("a", 422, "\"body\":\"{\\\"items\\\":[]}\""), POST("a", SUM),
         PARITY_status}, /* nothing in the body excuses it */
        {REFUSED("a", 400, "\"body\":\"{\\\"items\\\":[]\""), POST("a", SUM),
         PARITY_invalid_json},
        /* {"items":[],"x":"\xff"} */
        {REFUSED("a", 400, "\"body_base64\":\"eyJpdGVtcyI6W10sIngiOiL/In0=\""),
         POST("a", SUM), PARITY_invalid_utf8},
        {REFUSED("a", 400, "\"body_base64\":\"eyJ\""), POST("a", SUM),
         PARITY_status}, /* which body it was is not known */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        read_texts(cases[i].ours, cases[i].theirs);
        expect_only(cases[i].kind);
    }
}
END_TEST

#define ANSWER(id, status)                                                     \
    "{\"request_id\":\"" id "\",\"status\":" #status "}\n"

/* What the client was told tells a refusal from a request without a post. */
START_TEST(a_status_says_more_than_no_post)
{
    static const struct {
        const char *ours, *posts, *answers;
        enum parity_kind kind;
    } cases[] = {
        {OURS("a", SUM), POST("a", SUM), ANSWER("a", 200), PARITY_equal},
        {OURS("a", SUM), "", ANSWER("a", 200), PARITY_downstream_extra},
        {OURS("a", SUM), "", ANSWER("a", 400), PARITY_status},
        {OURS("a", SUM), "", ANSWER("a", 500), PARITY_status},
        {OURS("a", SUM), "", ANSWER("b", 200), PARITY_status},
        {OURS("a", SUM), "", ANSWER("a", 499), PARITY_status},
        /* A refusal is one whatever its number; 499 is that of nobody. */
        {REFUSED("a", 405, "\"outcome\":\"method_not_allowed\""), "",
         ANSWER("a", 498), PARITY_error_shape},
        {OURS("a", SUM), POST("a", SUM), ANSWER("a", 502), PARITY_equal},
        {REFUSED("a", 422, "\"body\":\"{}\""), "", ANSWER("a", 422),
         PARITY_equal},
        {REFUSED("a", 422, "\"body\":\"{}\""), "", ANSWER("a", 400),
         PARITY_error_shape},
        {REFUSED("a", 422, "\"body\":\"{}\""), "", ANSWER("a", 500),
         PARITY_status},
        {REFUSED("a", 422, "\"body\":\"{\\\"items\\\":[{}]}\""), "",
         ANSWER("a", 200), PARITY_missing_field},
        {REFUSED("a", 405, "\"outcome\":\"method_not_allowed\""), "",
         ANSWER("a", 200), PARITY_status},
        {OURS("a", SUM), "", ANSWER("a", 400) ANSWER("a", 200),
         PARITY_status}, /* which of them it was is not known */
    };
    answered = answers;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        temp_file_text(answers, cases[i].answers);
        read_texts(cases[i].ours, cases[i].posts);
        expect_only(cases[i].kind);
    }
    static const char broken[] = "{\n\"x\"\n{}\n{\"request_id\":\"b\"}\n";
    temp_file_write(answers, broken, sizeof broken - 1);
    read_texts(OURS("a", SUM), POST("a", SUM));
    expect_only(PARITY_equal);
    ck_assert_uint_eq(pairing.broken, 3);
    ck_assert_uint_eq(pairing.answers, 0);
    answered = NULL;
}
END_TEST

START_TEST(a_post_that_is_no_text_is_compared_all_the_same)
{
    read_texts(OURS("a", SUM),
               "{\"request_id\":\"a\",\"body_base64\":\"/w==\"}\n");
    expect_only(PARITY_downstream_body);
    ck_assert_uint_eq(pairing.broken, 0);
}
END_TEST

START_TEST(a_failure_of_the_pool_says_nothing_of_the_request)
{
    read_texts(REFUSED("a", 503, "\"outcome\":\"queue_timeout\"")
                   REFUSED("b", 500, "\"outcome\":\"internal\""),
               POST("a", SUM));
    ck_assert_uint_eq(pairing.comparison.cases, 0);
    ck_assert_uint_eq(pairing.failed, 2);
    ck_assert_uint_eq(pairing.unclaimed, 0);
}
END_TEST

START_TEST(posts_without_a_result_are_left_over)
{
    read_texts(OURS("a", SUM),
               POST("a", SUM) POST("b", SUM) POST("c", SUM) POST("c", SUM));
    expect_only(PARITY_equal);
    ck_assert_uint_eq(pairing.unclaimed, 1);
    ck_assert_uint_eq(pairing.repeated, 1);
}
END_TEST

/* Each of them alone, between two lines that are good. */
START_TEST(lines_of_any_bytes_are_counted_and_passed)
{
    static const struct {
        const char *bytes;
        size_t n;
    } lines[] = {
#define LINE(text) {text, sizeof(text) - 1}
        LINE(""),
        LINE("{"),
        LINE("null"),
        LINE("[]"),
        LINE("{}"),
        LINE("{\"request_id\":\"\","
             "\"body\":\"\"}"),
        LINE("{\"request_id\":7,\"body\":\"\"}"),
        LINE("{\"request_id\":[\"a\"],\"body\":\"\"}"),
        LINE("{\"request_id\":\"x\",\"body\":\"\\ud800\""),
        LINE("{\"request_id\":\"x\",\"body\":\"\\x41\"}"),
        LINE("\0\0\0"),
        LINE("{\"request_id\":\"x\0\",\"body\":\"\"}"),
        LINE("\xff\xfe{\"request_id\":\"x\"}"),
        LINE("{\"request_id\":\"x\",\"body\":\"\xff\"}"),
#undef LINE
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[512], *at = text;
        at = mempcpy(at, POST("a", SUM), strlen(POST("a", SUM)));
        at = mempcpy(at, lines[i].bytes, lines[i].n);
        *at++ = '\n';
        at = mempcpy(at, POST("b", SUM), strlen(POST("b", SUM)));
        temp_file_write(posts, text, (size_t)(at - text));
        temp_file_write(results, OURS("a", SUM) OURS("b", SUM),
                        strlen(OURS("a", SUM) OURS("b", SUM)));
        read_both();
        ck_assert_msg(pairing.broken == 1, "line %zu", i);
        ck_assert_uint_eq(pairing.comparison.kinds[PARITY_equal], 2);
        temp_file_write(results, text,
                        (size_t)(at - text)); /* results as broken */
        read_both();
        ck_assert_msg(pairing.broken == 2, "line %zu as a result", i);
    }
}
END_TEST

START_TEST(a_line_without_its_end_is_not_there_yet)
{
    temp_file_write(results, OURS("a", SUM), strlen(OURS("a", SUM)));
    for (size_t cut = 0; cut < strlen(POST("a", SUM)); cut++) {
        temp_file_write(posts, POST("a", SUM), cut);
        read_both();
        ck_assert_uint_eq(pairing.posts, 0);
        ck_assert_uint_eq(pairing.broken, 0);
        expect_only(PARITY_status);
    }
}
END_TEST

/* A body of a megabyte, and ids that fill the index several times over. */
START_TEST(many_and_long_lines_are_paired)
{
    enum { COUNT = 5000, LONG = 1 << 20 };
    FILE *a = fopen(results, "w"), *b = fopen(posts, "w");
    ck_assert(a != NULL && b != NULL);
    for (int i = 0; i < COUNT; i++) {
        fprintf(a, "{\"request_id\":\"id-%d\",\"result\":" SUM "}\n", i);
        fprintf(b, "{\"request_id\":\"id-%d\",\"body\":" SUM "}\n",
                COUNT - 1 - i);
    }
    fputs("{\"request_id\":\"long\",\"result\":" SUM "}\n", a);
    fputs("{\"request_id\":\"long\",\"body\":\"", b);
    for (int i = 0; i < LONG; i++)
        putc('x', b);
    fputs("\"}\n", b);
    fclose(a);
    fclose(b);
    read_both();
    ck_assert_uint_eq(pairing.comparison.kinds[PARITY_equal], COUNT);
    ck_assert_uint_eq(pairing.comparison.kinds[PARITY_downstream_body], 1);
    ck_assert_str_eq(pairing.example, "long");
}
END_TEST

START_TEST(a_file_that_is_not_there_is_told)
{
    char why[300];
    const struct pairing_files files = {.results = results,
                                        .posts = "/none/such"};
    temp_file_write(results, "", 0);
    ck_assert(!pairing_read(&pairing, &files, why, sizeof why));
    ck_assert_str_eq(why, "/none/such: No such file or directory");
    temp_file_write(posts, "", 0);
    read_both(); /* two empty ones */
    ck_assert_uint_eq(pairing.comparison.cases, 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_posts_takes_and_who_does_not_refuses,
        a_status_says_more_than_no_post,
        a_post_that_is_no_text_is_compared_all_the_same,
        a_failure_of_the_pool_says_nothing_of_the_request,
        posts_without_a_result_are_left_over,
        lines_of_any_bytes_are_counted_and_passed,
        a_line_without_its_end_is_not_there_yet,
        many_and_long_lines_are_paired,
        a_file_that_is_not_there_is_told};
    return UNIT_RUN_WITH("pairing", tests, open_files, close_files);
}
