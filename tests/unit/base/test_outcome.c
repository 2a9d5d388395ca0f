/* outcome: a closed list, each with a name, a status and words of its own. */
#include <assert.h>
#include <string.h>

#include "base/outcome.h"
#include "unit.h"

/* What clients, dashboards and alerts rely on. */
static const struct {
    enum outcome outcome;
    const char *name;
    int status;
} promised[] = {
    {OUTCOME_ok, "ok", 200},
    {OUTCOME_malformed_json, "malformed_json", 400},
    {OUTCOME_length_mismatch, "length_mismatch", 400},
    {OUTCOME_bad_request, "bad_request", 400},
    {OUTCOME_not_found, "not_found", 404},
    {OUTCOME_method_not_allowed, "method_not_allowed", 405},
    {OUTCOME_body_timeout, "body_timeout", 408},
    {OUTCOME_body_too_large, "body_too_large", 413},
    {OUTCOME_unsupported_encoding, "unsupported_encoding", 415},
    {OUTCOME_wrong_shape, "wrong_shape", 422},
    {OUTCOME_out_of_range, "out_of_range", 422},
    {OUTCOME_head_too_large, "head_too_large", 431},
    {OUTCOME_client_gone, "client_gone", 0},
    {OUTCOME_downstream_connect, "downstream_connect", 502},
    {OUTCOME_downstream_broken, "downstream_broken", 502},
    {OUTCOME_downstream_redirect, "downstream_redirect", 502},
    {OUTCOME_downstream_status, "downstream_status", 502},
    {OUTCOME_downstream_timeout, "downstream_timeout", 504},
    {OUTCOME_request_timeout, "request_timeout", 504},
    {OUTCOME_breaker_open, "breaker_open", 503},
    {OUTCOME_queue_timeout, "queue_timeout", 503},
    {OUTCOME_queue_limit, "queue_limit", 503},
    {OUTCOME_draining, "draining", 503},
    {OUTCOME_internal, "internal", 500},
};

static_assert(sizeof promised / sizeof promised[0] == OUTCOME_COUNT,
              "every outcome is promised");

START_TEST(the_promised_ones_are_there)
{
    for (size_t i = 0; i < sizeof promised / sizeof promised[0]; i++) {
        ck_assert_str_eq(outcome_name(promised[i].outcome), promised[i].name);
        ck_assert_int_eq(outcome_status(promised[i].outcome),
                         promised[i].status);
    }
}
END_TEST

START_TEST(only_success_is_zero)
{
    /* A zeroed result means that nothing is wrong. */
    ck_assert_int_eq(OUTCOME_ok, 0);
    for (int o = 1; o < OUTCOME_COUNT; o++) {
        int status = outcome_status((enum outcome)o);
        ck_assert_msg(status == 0 || (status >= 400 && status < 600), "%s: %d",
                      outcome_name((enum outcome)o), status);
    }
}
END_TEST

START_TEST(names_are_unique_and_fit_a_label)
{
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        const char *name = outcome_name((enum outcome)o);
        ck_assert_uint_gt(strlen(name), 0);
        ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz_"),
                          strlen(name));
        for (int other = 0; other < o; other++)
            ck_assert_str_ne(name, outcome_name((enum outcome)other));
    }
}
END_TEST

START_TEST(titles_are_unique_and_plain)
{
    for (int o = 0; o < OUTCOME_COUNT; o++) {
        const char *title = outcome_title((enum outcome)o);
        ck_assert_uint_gt(strlen(title), 0);
        for (const char *p = title; *p != '\0'; p++)
            ck_assert_msg(*p >= 0x20 && *p < 0x7f, "%s", title);
        for (int other = 0; other < o; other++)
            ck_assert_str_ne(title, outcome_title((enum outcome)other));
    }
}
END_TEST

START_TEST(a_status_has_its_reason_phrase)
{
    ck_assert_str_eq(outcome_phrase(OUTCOME_ok), "OK");
    ck_assert_str_eq(outcome_phrase(OUTCOME_client_gone), "");
    ck_assert_str_eq(outcome_phrase(OUTCOME_wrong_shape),
                     "Unprocessable Content");
    ck_assert_str_eq(outcome_phrase(OUTCOME_draining), "Service Unavailable");
    for (enum outcome o = 0; o < OUTCOME_COUNT; o++)
        ck_assert_int_eq(outcome_phrase(o)[0] == '\0', outcome_status(o) == 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_promised_ones_are_there, only_success_is_zero,
        names_are_unique_and_fit_a_label, titles_are_unique_and_plain,
        a_status_has_its_reason_phrase};
    return UNIT_MAIN("outcome", tests);
}
