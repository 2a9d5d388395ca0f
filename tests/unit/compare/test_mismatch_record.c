/* mismatch_record: a case that differs as one line, whatever bytes are in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/json_tree.h"
#include "compare/recording.h"
#include "parity.h"
#include "compare/mismatch_record.h"
#include "unit.h"

static char *line;
static size_t line_len;

static void print(const struct parity_case *c, const char *source, bool redact)
{
    struct parity_verdict v;
    parity_judge(c, &v);
    const struct mismatch_record s = {.number = 7,
                                      .source = source,
                                      .compared = c,
                                      .verdict = &v,
                                      .details = {"", "refused \"it\"\n"}};
    free(line);
    line = NULL;
    FILE *out = open_memstream(&line, &line_len);
    mismatch_record_print(&s, redact, out);
    fclose(out);
}

static void forget(void)
{
    free(line);
}

/* One line of JSON; the text of a member, by names with points between. */
static const char *text_at(struct json_tree *t, const char *names)
{
    char name[64];
    ck_assert_uint_eq(strcspn(line, "\n"), line_len - 1);
    ck_assert_msg(json_tree_read(t, line, line_len) == JSON_TREE_READ, "%s",
                  line);
    const struct json_tree_value *v = t->root;
    while (v != NULL && *names != '\0') {
        size_t n = strcspn(names, ".");
        memcpy(name, names, n);
        name[n] = '\0';
        v = json_tree_member(v, name);
        names += n + (names[n] == '.');
    }
    return v == NULL ? NULL : v->text;
}

static void expect_text(const char *names, const char *wanted)
{
    struct json_tree t;
    const char *text = text_at(&t, names);
    if (wanted == NULL)
        ck_assert_msg(text == NULL, "%s is there: %s", names, line);
    else
        ck_assert_msg(text != NULL && strcmp(text, wanted) == 0,
                      "%s is not %s: %s", names, wanted, line);
    json_tree_free(&t);
}

START_TEST(it_says_what_differs_and_where)
{
    const struct parity_case c = {
        .request = "{\"items\":[]}",
        .request_len = 12,
        .ours = answered(200, "{\"sum\":1}", "{\"sum\":1}"),
        .theirs = answered(200, "{\"sum\":2}", "{\"sum\":2}")};
    print(&c, "a.log:3", false);
    expect_text("case", "7");
    expect_text("source", "a.log:3");
    expect_text("kind", "downstream_body");
    expect_text("class", "mismatch");
    expect_text("place", "posted");
    expect_text("pointer", "/sum");
    expect_text("ours.end", "answered");
    expect_text("ours.status", "200");
    expect_text("ours.posts", "1");
    expect_text("theirs.posted", "{\"sum\":2}");
    expect_text("theirs.reply", "{\"sum\":2}");
    expect_text("body", "{\"items\":[]}");
}
END_TEST

START_TEST(no_reply_has_its_reason)
{
    const struct parity_case c = {
        .request = "",
        .ours = answered(200, "{}", NULL),
        .theirs = {.end = CALL_TIMED_OUT, .posts = PARITY_POSTS_UNKNOWN}};
    print(&c, "x", false);
    expect_text("theirs.end", "timed_out");
    expect_text("theirs.detail", "refused \"it\"\n");
    expect_text("theirs.reply", NULL);
    expect_text("theirs.posts", NULL);
    expect_text("body", "");
}
END_TEST

START_TEST(redacted_it_has_lengths_only)
{
    const struct parity_case c = {
        .request = "{\"secret\":[]}",
        .request_len = 13,
        .ours = answered(200, "{\"secret\":1}", "{\"secret\":1}"),
        .theirs = answered(200, "{\"secret\":2}", "{\"secret\":22}")};
    print(&c, "x", true);
    ck_assert_msg(strstr(line, "secret") == NULL, "%s", line);
    expect_text("body_bytes", "13");
    expect_text("ours.reply_bytes", "12");
    expect_text("theirs.posted_bytes", "13");
    expect_text("pointer", NULL);
}
END_TEST

/* What is written is what recording_read_line() reads, byte for byte. */
static void expect_replayable(const char *bytes, size_t n)
{
    char *body;
    size_t body_len;
    const struct parity_case c = {.request = bytes,
                                  .request_len = n,
                                  .ours = answered(200, "{}", NULL),
                                  .theirs = answered(500, "", NULL)};
    print(&c, bytes[0] == '\0' ? "" : "\xff\"\\\n\x01", false);
    ck_assert_uint_eq(strcspn(line, "\n"), line_len - 1);
    ck_assert_msg(recording_read_line(line, line_len, &body, &body_len) ==
                      RECORDING_TAKEN,
                  "%s", line);
    ck_assert_uint_eq(body_len, n);
    ck_assert_mem_eq(body, bytes, n);
    free(body);
}

START_TEST(every_byte_can_be_replayed)
{
    char bytes[8];
    for (int a = 0; a < 256; a++) {
        bytes[0] = (char)a;
        bytes[1] = '\0';
        expect_replayable(bytes, 1);
        bytes[1] = (char)0xa9; /* after 0xc3 a letter */
        bytes[2] = '\0';
        expect_replayable(bytes, 2);
    }
    expect_replayable("a\0b", 3);
    expect_replayable("\xf0\x9d\x84\x9e\xed\xa0\x80", 7); /* a surrogate */
    expect_replayable("\xc0\x80", 2);
    expect_replayable("", 0);
}
END_TEST

/* Base64 goes out in pieces, whose ends must not show. */
START_TEST(long_bodies_that_are_no_text_are_whole)
{
    enum { MOST = 3 * 1024 + 4 };
    char *bytes = malloc(2 * MOST + 1);
    for (int i = 0; i < 2 * MOST; i++)
        bytes[i] = (char)(0x80 + i * 7 % 128);
    bytes[2 * MOST] = '\0';
    for (size_t n = MOST - 8; n <= MOST; n++)
        expect_replayable(bytes + 2 * MOST - n, n);
    expect_replayable(bytes, 2 * MOST);
    free(bytes);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        it_says_what_differs_and_where, no_reply_has_its_reason,
        redacted_it_has_lengths_only, every_byte_can_be_replayed,
        long_bodies_that_are_no_text_are_whole};
    return UNIT_RUN_WITH("mismatch_record", tests, NULL, forget);
}
