/* accept: the media type a peer likes best. */
#include "status/accept.h"
#include "unit.h"

static const char *const types[] = {"text/plain", "text/html",
                                    "application/json"};

START_TEST(the_highest_weight_wins)
{
    static const struct {
        const char *accept;
        int best;
    } cases[] = {
        {"", 0},
        {" ", 0},
        {"*/*", 0},
        {"text/html", 1},
        {"TEXT/HTML", 1},
        {"text/*", 0},
        {"application/json", 2},
        {"application/*;q=0.5, text/*;q=0.4", 2},
        {"text/html,application/xhtml+xml,*/*;q=0.8", 1},
        {"text/plain;q=0.5,application/json;q=0.25,*/*;q=0.1", 0},
        {"text/plain;version=0.0.4;q=0.5,application/json;q=0.75", 2},
        {"text/plain;q=0.1, text/html;q=0.12, application/json;q=0.121", 2},
        {"text/plain;q=0, */*;q=0.1", 1},
        {"*/*;q=0", -1},
        {"image/png", -1},
        {"text/htmlx", -1},
        {"text/htm", -1},
        {"text/", -1},
        {"*", -1},
        {"/*", -1},
        {",,;q=1,;,text/html", 1},
        {"text/html;q=", 1},
        {"text/html;q=0.", -1},
        {"text/html;q=0.0001", -1},
        {"text/html;q=x, text/plain;q=0.999", 1},
        {"text/html;Q=0.1,application/json;q=0.2", 2},
        {"text/html\t;\tq=0.1 , application/json ; q=0.2", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(accept_best(cases[i].accept, types, 3) == cases[i].best,
                      "\"%s\": %d", cases[i].accept,
                      accept_best(cases[i].accept, types, 3));
}
END_TEST

START_TEST(nothing_is_chosen_of_nothing)
{
    ck_assert_int_eq(accept_best("", types, 0), -1);
    ck_assert_int_eq(accept_best("*/*", types, 0), -1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_highest_weight_wins,
                                  nothing_is_chosen_of_nothing};
    return UNIT_MAIN("accept", tests);
}
