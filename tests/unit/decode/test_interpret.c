/* interpret: who is told of each item. What it says of bodies is compared with
 * the typed decoder by other tests. */
#include "decode/interpret.h"

#include "queries.h"

static void count(void *context, const struct evaluation *e)
{
    ck_assert_ptr_nonnull(e);
    ++*(int *)context;
}

START_TEST(each_item_is_told_to_who_wants_it)
{
    static const struct query_case q = {"$", "@ > 1", "n = count()", ""};
    static const char body[] = "[1,2,3]";
    struct program p;
    struct fault fault;
    size_t n;
    int told = 0;
    queries_compile(&p, &q);
    struct interpret *i = interpret_new(&p, 16);
    ck_assert_ptr_nonnull(i);
    for (int turn = 0; turn < 3; turn++) {
        interpret_tell(i, turn == 1 ? count : NULL, &told);
        interpret_begin(i);
        ck_assert(
            interpret_feed(i, (const uint8_t *)body, sizeof body - 1, &fault));
        ck_assert(interpret_finish(i, NULL, &fault));
        ck_assert_str_eq(interpret_text(i, &n), "{\"n\":2}");
        ck_assert_int_eq(told, turn == 0 ? 0 : 3);
    }
    interpret_free(&i);
    ck_assert_ptr_null(i);
    program_free(&p);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {each_item_is_told_to_who_wants_it};
    return UNIT_MAIN("interpret", tests);
}
