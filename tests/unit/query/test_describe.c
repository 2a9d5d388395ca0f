/* describe: what a query asks for, in words. */
#include <string.h>

#include "query/describe.h"
#include "queries.h"

static struct program program;
static char room[4096];
static struct buf out;

static void compile(const char *array, const char *where, const char *members)
{
    const struct query_case q = {array, where, members, "double"};
    queries_compile(&program, &q);
    buf_init(&out, room, sizeof room);
}

static void expect(const char *wanted)
{
    ck_assert_str_eq(room, wanted);
    buf_reset(&out);
}

static void expect_ops(const char *const *wanted)
{
    for (size_t i = 0; i < program.op_count; i++) {
        ck_assert_ptr_nonnull(wanted[i]);
        describe_op(&program, &program.ops[i], &out);
        expect(wanted[i]);
    }
    ck_assert_ptr_null(wanted[program.op_count]);
}

START_TEST(paths_are_as_the_settings_could_have_them)
{
    compile("$.order['the lines'].all", "", "n = sum(@.a['b c'].d)");
    describe_list(&program, &out);
    expect("$.order[\"the lines\"].all");
    describe_slot(&program, 0, &out);
    expect("@.a[\"b c\"].d");
    program_free(&program);
    compile("$[*].a[*].b", "", "n = count()");
    describe_list(&program, &out);
    expect("$[*].a[*].b");
    program_free(&program);
    compile("$", "", "n = sum(@); copy id = order.id");
    describe_list(&program, &out);
    expect("$");
    describe_slot(&program, 0, &out);
    expect("@");
    describe_slot(&program, 1, &out);
    expect("$.order.id");
    describe_uses(&program, 1, &out);
    expect("copied");
    program_free(&program);
}
END_TEST

START_TEST(conditions_are_told_one_by_one)
{
    static const char *const wanted[] = {"compare @.a == null",
                                         "compare @.a != true",
                                         "and",
                                         "compare @.a < false",
                                         "compare @.a >= \"t\\\"\"",
                                         "and",
                                         "or",
                                         "compare @.a > -7",
                                         "compare @.a <= 0.5",
                                         "or",
                                         "or",
                                         "has @.b",
                                         "not",
                                         "compare @.a == @.c",
                                         "and",
                                         "or",
                                         NULL};
    compile("$",
            "@.a == null && @.a != true || @.a < false && @.a >= 't\"' || "
            "(@.a > -7 || @.a <= 0.5) || !@.b && @.a == @.c",
            "n = count()");
    char all[2048] = "";
    for (size_t i = 0; i < program.op_count; i++) {
        describe_op(&program, &program.ops[i], &out);
        strcat(all, room);
        strcat(all, "\n");
        buf_reset(&out);
    }
    for (size_t i = 0; wanted[i] != NULL; i++)
        ck_assert_msg(strstr(all, wanted[i]) != NULL, "no %s in %s", wanted[i],
                      all);
    program_free(&program);
}
END_TEST

START_TEST(arithmetic_is_told_one_by_one)
{
    static const char *const wanted[] = {
        "read @.a",   "constant 2", "multiply", "read @.b", "negate", "add",
        "constant 3", "divide",     "read @.a", "subtract", NULL};
    compile("$", "", "n = sum((@.a * 2 + -@.b) / 3 - @.a)");
    expect_ops(wanted);
    describe_uses(&program, 0, &out);
    expect("a number");
    program_free(&program);
}
END_TEST

START_TEST(each_use_is_told)
{
    compile("$", "@.a > 1 && @.a == @.b && @.c", "n = sum(@.a)");
    describe_uses(&program, 0, &out);
    expect("a number, compared with a literal, compared with another path");
    describe_uses(&program, 2, &out);
    expect("whether it is there");
    program_free(&program);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {paths_are_as_the_settings_could_have_them,
                                  conditions_are_told_one_by_one,
                                  arithmetic_is_told_one_by_one,
                                  each_use_is_told};
    return UNIT_MAIN("describe", tests);
}
