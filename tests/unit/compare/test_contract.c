/* contract: which differences are by contract where results are of a query.
 * Those of a shape are in test_parity_contract.c. */
#include "compare/contract.h"
#include "queries.h"

struct row {
    const char *array, *where, *members, *modes; /* of a struct query_case */
    const char *body;
    int ours, theirs;
    enum parity_kind kind;
};

static const struct row rows[] = {
    {"$", "", "s = sum(a)", "", "[{\"a\":\"5\"}]", 422, 200, PARITY_coerced},
    {"$.x", "", "s = sum(a/b)", "double", "{\"x\":[{\"a\":1,\"b\":null}]}", 422,
     200, PARITY_coerced},
    {"$", "", "s = sum(@['x/y~'])", "", "[{\"x/y~\":1.5}]", 422, 200,
     PARITY_not_integer},
    {"$", "", "s = sum(a)", "", "[{}]", 422, 200, PARITY_missing_field},
    {"$", "", "s = sum(a)", "", "{}", 422, 200, PARITY_wrong_shape},
    {"$.l", "", "copy k = k; c = count()", "", "{\"l\":[],\"k\":[]}", 422, 200,
     PARITY_wrong_shape},
    {"$", "", "s = sum(@)", "", "[9223372036854775807,1]", 422, 200,
     PARITY_out_of_range},
    {"$", "", "s = sum(@)", "", "[1,]", 400, 200, PARITY_invalid_json},
    {"$", "", "s = sum(@)", "", "[1", 413, 200, PARITY_too_large},
    {NULL, "", "s = sum(a)", "lines", "{\"a\":1}\n\n{\"a\":1.5}\n", 422, 200,
     PARITY_not_integer},
    {NULL, "", "s = sum(a)", "lines", "{\"a\":\"1\"}", 422, 200,
     PARITY_coerced},
    {NULL, "", "s = sum(a)", "lines", "{\"a\":1}\n[]", 422, 200,
     PARITY_missing_field},
    {NULL, "", "s = sum(@)", "lines", "1\n1.5", 422, 200, PARITY_not_integer},
    /* No excuse: what the body shows is another status, or none. */
    {"$", "", "s = sum(@)", "", "[1]", 422, 200, PARITY_status},
    {"$", "", "s = sum(@)", "", "[true]", 400, 200, PARITY_status},
    {"$", "@ == 1", "s = sum(@)", "", "[true]", 422, 200, PARITY_status},
    {"$", "", "s = sum(@)", "", "[1]", 200, 400, PARITY_status},
};

START_TEST(refusals_are_explained_by_the_body)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        const struct query_case query = {r->array, r->where, r->members,
                                         r->modes};
        struct program p;
        queries_compile(&p, &query);
        const struct parity_case c = {.request = r->body,
                                      .request_len = strlen(r->body),
                                      .program = &p,
                                      .max_depth = SCAN_DEPTH_MAX,
                                      .ours = {.status = r->ours},
                                      .theirs = {.status = r->theirs}};
        enum parity_kind kind = contract_explain(&c);
        ck_assert_msg(kind == r->kind, "%s: %s", r->body,
                      parity_kind_name(kind));
        program_free(&p);
    }
}
END_TEST

START_TEST(rounding_is_told_from_a_wrong_result)
{
    static const struct query_case query = {
        "$", "", "n = count(); s = sum(@); m = max(@)", ""};
    static const char body[] = "[9007199254740993,2]";
    struct program p;
    queries_compile(&p, &query);
    const struct parity_case c = {.request = body,
                                  .request_len = strlen(body),
                                  .program = &p,
                                  .max_depth = SCAN_DEPTH_MAX};
    ck_assert(contract_is_rounding(&c, "9007199254740995", "9007199254740994"));
    ck_assert(contract_is_rounding(&c, "9007199254740992", "9007199254740993"));
    ck_assert(
        !contract_is_rounding(&c, "9007199254740995", "9007199254740993"));
    ck_assert(
        !contract_is_rounding(&c, "9007199254740993", "9007199254740994"));
    ck_assert(!contract_is_rounding(&c, "3", "2"));
    program_free(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {refusals_are_explained_by_the_body,
                                  rounding_is_told_from_a_wrong_result};
    return UNIT_MAIN("contract", tests);
}
