/* recording: bodies in logs and archives, byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "compare/recording.h"
#include "unit.h"

START_TEST(names_tell_the_format)
{
    ck_assert_int_eq(recording_of_file("a.ndjson"), RECORDING_NDJSON);
    ck_assert_int_eq(recording_of_file("a.b/c.JSONL"), RECORDING_NDJSON);
    ck_assert_int_eq(recording_of_file("access.log"), RECORDING_LOG);
    ck_assert_int_eq(recording_of_file("x.har"), RECORDING_HAR);
    ck_assert_int_eq(recording_of_file("access.log.1"), RECORDING_LOG);
    ck_assert_int_eq(recording_of_file("access.log.12.gz"), RECORDING_LOG);
    ck_assert_int_eq(recording_of_file("a/access.LOG-20261130"), RECORDING_LOG);
    ck_assert_int_eq(recording_of_file("posts.ndjson.gz"), RECORDING_NDJSON);
    ck_assert_int_eq(recording_of_file("x.json"), RECORDING_BODY);
    ck_assert_int_eq(recording_of_file("x.json.1.gz"), RECORDING_BODY);
    ck_assert_int_eq(recording_of_file("log.1"), RECORDING_BODY);
    ck_assert_int_eq(recording_of_file("x.log1"), RECORDING_BODY);
    ck_assert_int_eq(recording_of_file("x.log."), RECORDING_BODY);
    ck_assert_int_eq(recording_of_file("1"), RECORDING_BODY);
    ck_assert_int_eq(recording_of_file(".gz"), RECORDING_BODY);
    ck_assert_int_eq(recording_of_file(""), RECORDING_BODY);
    ck_assert_int_eq(recording_of_file("har"), RECORDING_BODY);
}
END_TEST

START_TEST(lines)
{
    static const struct {
        const char *line;
        enum recording_state state;
        const char *body;
        size_t n;
    } rows[] = {
        {"{\"body\":\"\"}", RECORDING_TAKEN, "", 0},
        {"{\"body\":\"{\\\"a\\\":\\n1}\"}", RECORDING_TAKEN, "{\"a\":\n1}", 8},
        {"{\"body\":\"a\\u0000b\"}", RECORDING_TAKEN, "a\0b", 3},
        {"{\"method\":\"POST\",\"body\":\"x\"}", RECORDING_TAKEN, "x", 1},
        {"{\"method\":\"PUT\",\"body\":\"x\"}", RECORDING_NO_POST, NULL, 0},
        {"{\"method\":\"GET\"}", RECORDING_NO_POST, NULL, 0},
        {"{\"body_base64\":\"\"}", RECORDING_TAKEN, "", 0},
        {"{\"body_base64\":\"/w==\"}", RECORDING_TAKEN, "\xff", 1},
        {"{\"body_base64\":\"AAEC\"}", RECORDING_TAKEN, "\0\1\2", 3},
        {"{\"body_base64\":\"AAEC\",\"body\":\"x\"}", RECORDING_TAKEN, "x", 1},
        {"{\"body_base64\":\"AAE\"}", RECORDING_BROKEN, NULL, 0},
        {"{\"body_base64\":\"A===\"}", RECORDING_BROKEN, NULL, 0},
        {"{\"body_base64\":\"/x==\"}", RECORDING_BROKEN, NULL, 0},
        {"{\"body_base64\":\"AA-C\"}", RECORDING_BROKEN, NULL, 0},
        {"{\"body\":null}", RECORDING_BROKEN, NULL, 0},
        {"{}", RECORDING_BROKEN, NULL, 0},
        {"[]", RECORDING_BROKEN, NULL, 0},
        {"{\"body\":\"x\"", RECORDING_BROKEN, NULL, 0},
        {"", RECORDING_BROKEN, NULL, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *body = NULL;
        size_t n = 0;
        enum recording_state state =
            recording_read_line(rows[i].line, strlen(rows[i].line), &body, &n);
        ck_assert_msg(state == rows[i].state, "%s", rows[i].line);
        ck_assert_uint_eq(n, rows[i].n);
        ck_assert((body != NULL) == (state == RECORDING_TAKEN));
        if (body != NULL)
            ck_assert_mem_eq(body, rows[i].body, n + 1);
        free(body);
    }
}
END_TEST

/* The entries' states and bodies of an archive. */
START_TEST(archives)
{
    static const char text[] =
        "{\"log\":{\"entries\":["
        "{\"request\":{\"method\":\"GET\"}},"
        "{\"request\":{\"method\":\"POST\",\"postData\":{\"text\":\"x\"}}},"
        "{\"request\":{\"method\":\"POST\",\"postData\":"
        "{\"text\":\"/w==\",\"encoding\":\"base64\"}}},"
        "{\"request\":{\"method\":\"POST\"}},{},7]}}";
    static const enum recording_state states[] = {
        RECORDING_NO_POST, RECORDING_TAKEN,  RECORDING_TAKEN,
        RECORDING_BROKEN,  RECORDING_BROKEN, RECORDING_BROKEN};
    static const char *const bodies[] = {NULL, "x", "\xff", NULL, NULL, NULL};
    struct json_tree t;
    ck_assert_int_eq(json_tree_read(&t, text, strlen(text)), JSON_TREE_READ);
    const struct json_tree_value *entries = recording_har_entries(&t);
    ck_assert_ptr_nonnull(entries);
    const struct json_tree_value *e = entries->first;
    for (int i = 0; i < 6; i++, e = e->next) {
        char *body = NULL;
        size_t n = 0;
        ck_assert_int_eq(recording_read_entry(e, &body, &n), states[i]);
        if (bodies[i] != NULL)
            ck_assert_str_eq(body, bodies[i]);
        free(body);
    }
    ck_assert_ptr_null(e);
    json_tree_free(&t);
}
END_TEST

START_TEST(what_is_no_archive)
{
    static const char *const rows[] = {"[]", "{}", "{\"log\":[]}",
                                       "{\"log\":{\"entries\":{}}}",
                                       "{\"log\":{\"entries\":null}}"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_tree t;
        ck_assert_int_eq(json_tree_read(&t, rows[i], strlen(rows[i])),
                         JSON_TREE_READ);
        ck_assert_ptr_null(recording_har_entries(&t));
        json_tree_free(&t);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        names_tell_the_format,
        lines,
        archives,
        what_is_no_archive,
    };
    return UNIT_MAIN("recording", tests);
}
