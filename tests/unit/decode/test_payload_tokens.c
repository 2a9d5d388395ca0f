/* payload: every sequence of tokens, up to a length, and every document with
 * one token too few, too many or in the wrong place, has the answer of the
 * grammar. TOKENS_LENGTH=8 in the environment makes the sequences longer. */
#include "bodies.h"

static struct bodies set;

static void open_set(void)
{
    bodies_open(&set, 5);
}

static void close_set(void)
{
    bodies_close(&set);
}

/* --- Sequences. --- */

static const char *const tokens[] = {"{", "}", "[", "]",
                                     ",", ":", "1", "\"value\""};
#define TOKENS (sizeof tokens / sizeof tokens[0])

/* What the sequence stands in. The second reaches over the end of the first 4
 * KiB, which a decoder may look at in one go. */
static const struct frame {
    const char *before;
    size_t blanks;
    const char *behind;
} frames[] = {
    {"", 0, ""},
    {"{\"items\":[{\"value\":1},", 4060, ",{\"value\":1}]}"},
    {"{\"items\":[{\"value\":1,\"x\":", 20, "}]}"},
};

static void put_frame(struct body *b, const struct frame *f)
{
    b->n = 0;
    body_text(b, f->before);
    body_fill(b, ' ', f->blanks);
}

/* Sequence number `index`, the shortest first. */
static void put_sequence(struct body *b, size_t index)
{
    for (; index > 0; index = (index - 1) / TOKENS)
        body_text(b, tokens[(index - 1) % TOKENS]);
}

static size_t sequences_up_to(size_t length)
{
    size_t count = 1;
    while (length-- > 0)
        count = count * TOKENS + 1;
    return count;
}

static void check_sequences(const struct frame *f, size_t length)
{
    static struct body b;
    const char *longer = getenv("TOKENS_LENGTH");
    size_t count =
        sequences_up_to(longer == NULL ? length : (size_t)atol(longer));
    size_t valid = 0;
    for (size_t index = 0; index < count; index++) {
        put_frame(&b, f);
        put_sequence(&b, index);
        body_text(&b, f->behind);
        valid += bodies_check(&set, &b, 0, index % 16 == 0 ? 7 : 0);
    }
    ck_assert_uint_gt(valid, 0);
    ck_assert_uint_lt(valid, count / 10);
}

START_TEST(a_document_is_any_sequence_of_tokens)
{
    check_sequences(&frames[0], 6);
}
END_TEST

START_TEST(an_item_across_a_border_is_any_sequence_of_tokens)
{
    check_sequences(&frames[1], 4);
}
END_TEST

START_TEST(a_member_is_any_sequence_of_tokens)
{
    check_sequences(&frames[2], 5);
}
END_TEST

/* Longer ones: whatever the grammar takes so far, with every token behind it;
 * complete, and with a rest that another fault hides in. */
static size_t visit(const struct frame *f, struct body *b, size_t left)
{
    struct fault fault;
    size_t n = b->n, visited = 0;
    for (size_t i = 0; i < TOKENS; i++) {
        b->n = n;
        body_text(b, tokens[i]);
        size_t with = b->n;
        bool goes_on = bodies_scan(&set, b, &fault) || fault.offset == b->n;
        if (left > 1 && goes_on)
            visited += visit(f, b, left - 1);
        b->n = with;
        body_text(b, "]}");
        body_text(b, f->behind);
        bodies_check(&set, b, 0, 0);
        visited++;
    }
    b->n = n;
    return visited;
}

START_TEST(what_may_begin_a_document_may_go_on_with_any_token)
{
    static struct body b;
    put_frame(&b, &frames[0]);
    ck_assert_uint_gt(visit(&frames[0], &b, 10), 50000);
    put_frame(&b, &frames[2]);
    ck_assert_uint_gt(visit(&frames[2], &b, 7), 4000);
}
END_TEST

/* --- Documents with a change. --- */

static const char *const documents[] = {
    "{\"items\":[{\"value\":1},{\"value\":-20}]}",
    "{\"items\":[{\"id\":7,\"value\":1.5e3,\"x\":[true,{\"a\":null}]}],\"y\":{}"
    "}",
    "{\"a\":[[],[[1]],{}],\"items\":[{\"o\":{\"value\":9},\"value\":3}]}",
    "{\"items\":[{\"v\\u0061lue\":12},{\"value\":\"x\",\"value\":5}],\"n\":"
    "false}",
    "[{\"items\":[{\"value\":0.25}]},\"\\\"\",true,[false,null]]",
    "{\"items\":3,\"items\":[{\"value\":9223372036854775807,\"\":\"\"}]}",
};

#define MARKS_MAX 64

struct mark {
    const char *from;
    size_t n;
};

/* The tokens of a document. */
static size_t read_marks(const char *p, struct mark marks[MARKS_MAX])
{
    size_t count = 0;
    while (*p != '\0') {
        const char *from = p;
        if (*p == '"')
            for (p++; *p != '"'; p++)
                p += *p == '\\';
        else if (strchr("{}[],:", *p) == NULL)
            p += strcspn(p, "{}[],:\"") - 1;
        p++;
        ck_assert_uint_lt(count, MARKS_MAX);
        marks[count++] = (struct mark){from, (size_t)(p - from)};
    }
    return count;
}

static void put_mark(struct body *b, const struct mark *m)
{
    body_put(b, m->from, m->n);
}

/* At token `at`: `behind` of its own are kept (0, 1 or 2), `other` is put
 * there. */
static void check_change(const struct mark *marks, size_t count, size_t at,
                         int kept, const char *other, size_t blanks)
{
    static struct body b;
    b.n = 0;
    body_fill(&b, ' ', blanks);
    for (size_t i = 0; i < count; i++) {
        if (i == at)
            body_text(&b, other);
        for (int k = i == at ? kept : 1; k > 0; k--)
            put_mark(&b, &marks[i]);
    }
    bodies_check(&set, &b, blanks + (at * 5) % 90, 0);
}

START_TEST(one_token_too_few_or_too_many_has_its_answer)
{
    static const char *const others[] = {
        "",          "{",  "}",  "[",    "]", ",", ":",         "1", "-",
        "\"value\"", "\"", "\\", "null", " ", "0", "\"items\"", "e1"};
    static const size_t blanks[] = {0, 1, 40, 63, 4050};
    for (size_t d = 0; d < sizeof documents / sizeof documents[0]; d++) {
        struct mark marks[MARKS_MAX];
        size_t count = read_marks(documents[d], marks);
        for (size_t at = 0; at < count; at++)
            for (int kept = 0; kept <= 2; kept++)
                for (size_t o = 0; o < sizeof others / sizeof others[0]; o++)
                    check_change(marks, count, at, kept, others[o],
                                 blanks[(at + o) % 5]);
    }
}
END_TEST

/* Every byte in the place of every byte, and before it. */
START_TEST(one_byte_too_many_or_another_has_its_answer)
{
    static struct body b;
    for (size_t d = 0; d < sizeof documents / sizeof documents[0]; d++) {
        size_t n = strlen(documents[d]);
        for (size_t at = 0; at < n; at++)
            for (int c = 0; c < 512; c++) {
                char byte = (char)c;
                size_t skip = c < 256;
                b.n = 0;
                body_fill(&b, ' ', (size_t)c % 64);
                body_put(&b, documents[d], at);
                body_put(&b, &byte, 1);
                body_put(&b, documents[d] + at + skip, n - at - skip);
                bodies_check(&set, &b, c % 8 == 0 ? (size_t)c % 64 + at : 0, 0);
            }
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_document_is_any_sequence_of_tokens,
        an_item_across_a_border_is_any_sequence_of_tokens,
        a_member_is_any_sequence_of_tokens,
        what_may_begin_a_document_may_go_on_with_any_token,
        one_token_too_few_or_too_many_has_its_answer,
        one_byte_too_many_or_another_has_its_answer};
    return UNIT_RUN_WITH("payload_tokens", tests, open_set, close_set);
}
