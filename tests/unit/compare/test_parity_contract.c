/* parity: differences by contract are told apart from faults by the request. */
#include <stdio.h>
#include <stdlib.h>

#include "parity.h"

static const struct shape exact = {"items", "value", TALLY_INT64, 2, 64};
static const struct shape rounded = {"items", "value", TALLY_DOUBLE, 2, 64};

static struct parity_case asked(const struct shape *shape, const char *request,
                                struct parity_result ours,
                                struct parity_result theirs)
{
    return (struct parity_case){.request = request,
                                .request_len = strlen(request),
                                .shape = shape,
                                .ours = ours,
                                .theirs = theirs};
}

struct row {
    const char *request;
    int ours, theirs;
    const char *result; /* theirs, as a reply and as a post */
    enum parity_kind kind;
};

static void expect_rows(const struct shape *shape, const struct row *rows,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &rows[i];
        struct parity_case c =
            asked(shape, r->request, answered(r->ours, "{}", NULL),
                  answered(r->theirs, r->result, NULL));
        expect(&c, r->kind, PARITY_IN_STATUS, "");
        c.theirs = answered(r->theirs, "{}", r->result);
        expect(&c, r->kind, PARITY_IN_STATUS, "");
        c.request = NULL; /* nothing is taken on trust */
        expect(&c, PARITY_status, PARITY_IN_STATUS, "");
    }
}

#define ITEM(value) "{\"items\":[{\"value\":1},{\"value\":" value "}]}"

START_TEST(ours_refuses_what_javascript_takes)
{
    static const struct row rows[] = {
        {ITEM("\"5\""), 422, 200, "{\"sum\":12}", PARITY_coerced},
        {ITEM("null"), 422, 200, "{\"sum\":2}", PARITY_coerced},
        {ITEM("true"), 422, 200, "{\"sum\":4}", PARITY_coerced},
        {ITEM("[]"), 422, 200, "{\"sum\":2}", PARITY_coerced},
        {ITEM("{}"), 422, 200, "{\"sum\":null}", PARITY_coerced},
        {ITEM("1,\"value\":\"5\""), 422, 200, "{\"sum\":12}", PARITY_coerced},
        {"{\"items\":[{\"val\":1}]}", 422, 200, "{\"sum\":null}",
         PARITY_missing_field},
        {"{\"items\":[{}]}", 422, 200, "{\"sum\":null}", PARITY_missing_field},
        {"{\"items\":[5]}", 422, 200, "{\"sum\":null}", PARITY_wrong_shape},
        {"{\"items\":\"\"}", 422, 200, "{\"sum\":0}", PARITY_wrong_shape},
        {"{}", 422, 200, "{\"sum\":0}", PARITY_wrong_shape},
        {"[[{\"value\":1}]]", 422, 200, "{\"sum\":2}", PARITY_wrong_shape},
        {"{\"items\":[],\"x\":\"\xff\"}", 400, 200, "{\"sum\":0}",
         PARITY_invalid_utf8},
        {"{\"items\":[],\"x\":\"\xe2\x82\"}", 400, 200, "{\"sum\":0}",
         PARITY_invalid_utf8},
        {"{\"items\":[],}", 400, 200, "{\"sum\":0}", PARITY_invalid_json},
        {"", 400, 200, "{\"sum\":0}", PARITY_invalid_json},
        {"\xef\xbb\xbf{\"items\":[]}", 400, 200, "{\"sum\":0}",
         PARITY_invalid_json},
        {"{\"items\":[]}", 413, 200, "{\"sum\":0}", PARITY_too_large},
        {"{\"items\":[]}", 200, 413, "{}", PARITY_too_large},
    };
    expect_rows(&exact, rows, sizeof rows / sizeof rows[0]);
    expect_rows(&rounded, rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(results_out_of_range)
{
    static const struct row of_int64[] = {
        {ITEM("9223372036854775807"), 422, 200, "{\"sum\":0}", PARITY_wrapped},
        {ITEM("9223372036854775806"), 422, 200, "{\"sum\":-2}", PARITY_wrapped},
        {ITEM("-9223372036854775808"), 422, 200, "{\"sum\":2}", PARITY_wrapped},
        {ITEM("9223372036854775807"), 422, 200,
         "{\"sum\":18446744073709552000}", PARITY_out_of_range},
        {ITEM("9223372036854775807"), 422, 200, "{\"ok\":true}",
         PARITY_out_of_range},
    };
    static const struct row of_double[] = {
        {ITEM("1e400"), 422, 200, "{\"sum\":null}", PARITY_out_of_range},
        {ITEM("1.7e308"), 422, 200, "{\"sum\":null}", PARITY_out_of_range},
    };
    expect_rows(&exact, of_int64, sizeof of_int64 / sizeof of_int64[0]);
    expect_rows(&rounded, of_double, sizeof of_double / sizeof of_double[0]);
}
END_TEST

START_TEST(numbers_that_are_no_int64)
{
    static const struct row rows[] = {
        {ITEM("1.5"), 422, 200, "{\"sum\":5}", PARITY_not_integer},
        {ITEM("1e2"), 422, 200, "{\"sum\":202}", PARITY_not_integer},
        {ITEM("9223372036854775808"), 422, 200,
         "{\"sum\":18446744073709552000}", PARITY_not_integer},
        {"{\"items\":[{\"value\":\"1\"},{\"value\":1.5}]}", 422, 200,
         "{\"sum\":5}", PARITY_coerced},
    };
    expect_rows(&exact, rows, sizeof rows / sizeof rows[0]);
}
END_TEST

START_TEST(theirs_refuses_what_ours_takes)
{
    static const struct row rows[] = {
        {ITEM("2,\"value\":3"), 200, 400, "{}", PARITY_duplicate_member},
        {"{\"items\":[],\"items\":[]}", 200, 400, "{}",
         PARITY_duplicate_member},
        {"{\"items\":[],\"x\":1,\"x\":2}", 200, 400, "{}", PARITY_status},
        {ITEM("-0"), 200, 400, "{}", PARITY_minus_zero},
        {"{\"items\":[],\"\\ud800\":1}", 200, 422, "{}", PARITY_lone_surrogate},
        {ITEM("2"), 200, 400, "{}", PARITY_status},
        {ITEM("2,\"value\":3"), 200, 500, "{}", PARITY_status},
        {ITEM("\"2\""), 200, 400, "{}", PARITY_status},
    };
    expect_rows(&exact, rows, sizeof rows / sizeof rows[0]);
}
END_TEST

/* A refusal is only one by contract with the status that the contract has. */
START_TEST(a_fault_of_ours_is_not_excused)
{
    static const struct row rows[] = {
        {ITEM("2"), 422, 200, "{\"sum\":6}", PARITY_status},
        {ITEM("2"), 400, 200, "{\"sum\":6}", PARITY_status},
        {ITEM("2"), 500, 200, "{\"sum\":6}", PARITY_status},
        {ITEM("\"5\""), 400, 200, "{\"sum\":12}", PARITY_status},
        {ITEM("\"5\""), 500, 200, "{\"sum\":12}", PARITY_status},
        {ITEM("\"5\""), 404, 200, "{\"sum\":12}", PARITY_status},
        {"{\"items\":[],}", 422, 200, "{\"sum\":0}", PARITY_status},
        {ITEM("1000000000000"), 422, 200, "{\"sum\":1}", PARITY_status},
    };
    expect_rows(&exact, rows, sizeof rows / sizeof rows[0]);
    struct parity_case c =
        asked(&exact, ITEM("\"5\""), answered(422, "{}", "{\"sum\":12}"),
              answered(200, "{}", "{\"sum\":12}"));
    expect(&c, PARITY_downstream_extra, PARITY_IN_POSTS, "");
}
END_TEST

START_TEST(depth)
{
    enum { DEEP = 100 };
    char request[2 * DEEP + 64];
    char *p = request + sprintf(request, "{\"items\":[],\"x\":");
    memset(p, '[', DEEP);
    memset(p + DEEP, ']', DEEP);
    strcpy(p + 2 * DEEP, "}");
    const struct row rows[] = {
        {request, 400, 200, "{\"sum\":0}", PARITY_too_deep},
    };
    expect_rows(&exact, rows, 1);
}
END_TEST

/* Sums that were rounded on the way, so that both are far from each other. */
START_TEST(rounded_sums)
{
    static const char request[] =
        "{\"items\":[{\"value\":4611686018427387903},{\"value\":1},"
        "{\"value\":-4611686018427387903}]}";
    struct parity_case c =
        asked(&exact, request, answered(200, "{\"sum\":2}", NULL),
              answered(200, "{\"sum\":0}", NULL));
    expect(&c, PARITY_precision, PARITY_IN_REPLY, "/sum");
    c.theirs = answered(200, "{\"sum\":2}", NULL);
    c.ours = answered(200, "{\"sum\":0}", NULL);
    c.shape = &rounded;
    expect(&c, PARITY_precision, PARITY_IN_REPLY, "/sum");
    c.theirs = answered(200, "{\"sum\":4}", NULL);
    expect(&c, PARITY_reply_body, PARITY_IN_REPLY, "/sum");
    c.request = "{";
    c.request_len = 1;
    c.theirs = answered(200, "{\"sum\":2}", NULL);
    expect(&c, PARITY_reply_body, PARITY_IN_REPLY, "/sum");
    c.request = NULL;
    expect(&c, PARITY_reply_body, PARITY_IN_REPLY, "/sum");
}
END_TEST

START_TEST(both_refuse)
{
    const struct parity_case c =
        asked(&exact, ITEM("[]"), answered(422, "{\"title\":1}", NULL),
              answered(400, "{\"error\":1}", NULL));
    expect(&c, PARITY_error_shape, PARITY_IN_REPLY, "/error");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        ours_refuses_what_javascript_takes,
        results_out_of_range,
        numbers_that_are_no_int64,
        theirs_refuses_what_ours_takes,
        a_fault_of_ours_is_not_excused,
        depth,
        rounded_sums,
        both_refuse,
    };
    return UNIT_MAIN("parity_contract", tests);
}
