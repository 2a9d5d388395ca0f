/* spelling: how many edits two names are apart. */
#include "base/spelling.h"
#include "unit.h"

START_TEST(edits_are_counted_both_ways)
{
    static const struct {
        const char *a, *b;
        size_t edits;
    } rows[] = {
        {"", "", 0},
        {"workers", "workers", 0},
        {"worker", "workers", 1},
        {"wrokers", "workers", 2},
        {"workers", "", 7},
        {"kitten", "sitting", 3},
        {"flaw", "lawn", 2},
        {"--tiemout", "--timeout", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_uint_eq(spelling_distance(rows[i].a, rows[i].b),
                          rows[i].edits);
        ck_assert_uint_eq(spelling_distance(rows[i].b, rows[i].a),
                          rows[i].edits);
    }
}
END_TEST

START_TEST(long_names_are_far)
{
    static const char name[] = "0123456789abcdef0123456789abcdef";
    static const char more[] = "0123456789abcdef0123456789abcdef0";
    ck_assert_uint_eq(spelling_distance(name, name), 0);
    ck_assert_uint_ge(spelling_distance(name, more), SPELLING_FAR);
    ck_assert_uint_ge(spelling_distance(more, name), SPELLING_FAR);
    ck_assert_uint_ge(spelling_distance(more, more), SPELLING_FAR);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {edits_are_counted_both_ways,
                                  long_names_are_far};
    return UNIT_MAIN("spelling", tests);
}
