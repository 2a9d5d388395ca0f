/* query: settings that become one program, and what is wrong with them. */
#include <stdio.h>
#include <string.h>

#include "query/query.h"
#include "allocations.h"
#include "unit.h"

static struct program program;

START_TEST(a_mistake_is_told_with_its_setting)
{
    static const struct query_member members[] = {{true, "id", "order.id"},
                                                  {false, "total", "som(a)"}};
    struct query_settings s = {
        .array = "items", .where = "", .members = members, .member_count = 2};
    struct query_error e;
    ck_assert(!query_compile(&program, &s, &e));
    ck_assert_str_eq(e.key, "result.total");
    ck_assert_uint_eq(e.column, 1);
    s.where = "a ==";
    ck_assert(!query_compile(&program, &s, &e));
    ck_assert_str_eq(e.key, "where");
    ck_assert_uint_eq(e.column, 5);
    s.array = "$.";
    ck_assert(!query_compile(&program, &s, &e));
    ck_assert_str_eq(e.key, "array");
}
END_TEST

START_TEST(a_name_is_taken_once)
{
    static const struct query_member members[] = {{true, "id", "order.id"},
                                                  {false, "id", "sum(a)"}};
    const struct query_settings s = {
        .array = "items", .where = "", .members = members, .member_count = 2};
    struct query_error e;
    ck_assert(!query_compile(&program, &s, &e));
    ck_assert_str_eq(e.key, "result.id");
    ck_assert_msg(strstr(e.message, "twice"), "%s", e.message);
}
END_TEST

START_TEST(there_are_at_most_16_results_and_16_copies)
{
    static struct query_member members[34];
    static char names[34][8];
    struct query_settings s = {
        .array = "items", .where = "", .members = members};
    struct query_error e;
    for (int i = 0; i < 34; i++) {
        sprintf(names[i], "n%d", i);
        members[i] = (struct query_member){i % 2 == 0, names[i],
                                           i % 2 == 0 ? "a" : "count()"};
    }
    s.member_count = 32;
    ck_assert(query_compile(&program, &s, &e));
    program_free(&program);
    s.member_count = 33;
    ck_assert(!query_compile(&program, &s, &e));
    ck_assert_str_eq(e.message, "more than 16 copies");
    members[32] = members[33];
    ck_assert(!query_compile(&program, &s, &e));
    ck_assert_str_eq(e.message, "more than 16 results");
}
END_TEST

/* What is no UTF-8 is one U+FFFD for each byte. */
START_TEST(a_name_is_quoted_whatever_it_has)
{
    struct program_name quoted;
    ck_assert(program_quote(&program,
                            "a\xff\xc3"
                            "b\xc3\xa4\"\n",
                            &quoted));
    ck_assert_str_eq(quoted.bytes, "\"a\xef\xbf\xbd\xef\xbf\xbd"
                                   "b\xc3\xa4\\\"\\u000a\"");
    program_free(&program);
}
END_TEST

START_TEST(the_short_form_is_a_sum)
{
    const struct query_settings s = {.array = "items",
                                     .where = "",
                                     .field = "any.name",
                                     .result = "s\"m",
                                     .multiply = -3};
    struct query_error e;
    ck_assert(query_compile(&program, &s, &e));
    ck_assert_uint_eq(program.slot_count, 1);
    ck_assert_uint_eq(program.slots[0].count, 1);
    ck_assert_str_eq(program.slots[0].names[0].bytes, "any.name");
    ck_assert_str_eq(program.results[0].quoted.bytes, "\"s\\\"m\"");
    ck_assert_uint_eq(program.results[0].function, PROGRAM_SUM);
    ck_assert_uint_eq(program.op_count, 3);
    ck_assert_int_eq(program.literals[0].number.exact, -3);
    program_free(&program);
}
END_TEST

/* One allocation after the other is the first that fails. */
START_TEST(memory_that_is_short_is_told)
{
    static const struct query_member members[] = {
        {.name = "n", .text = "sum(@.a['b'] * 2)"},
        {.name = "m", .text = "count()"},
        {.name = "id", .text = "order.id", .copy = true}};
    const struct query_settings forms[] = {
        {.array = "$.items[*].x",
         .where = "@.a == 'text' && @.b != @.c || !@.d",
         .members = members,
         .member_count = 3},
        {.array = "items", .where = "", .field = "v", .result = "s"}};
    for (size_t i = 0; ALLOCATIONS_COUNT && i < 4; i++) {
        long before = blocks;
        fail_on = i % 2 == 0;
        has_failed = true;
        for (long n = 1; has_failed && n < 1000; n++) {
            struct query_error e = {.message = ""};
            has_failed = false;
            fail_in = n;
            bool done = query_compile(&program, &forms[i / 2], &e);
            fail_in = 0;
            ck_assert_int_eq(done, !has_failed);
            if (done)
                program_free(&program);
            else
                ck_assert_str_eq(e.message, "memory is short");
            ck_assert_int_eq(blocks, before);
        }
        ck_assert(!has_failed);
    }
}
END_TEST

START_TEST(the_sum_is_behind_the_condition)
{
    const struct query_settings s = {.array = "items",
                                     .where = "@.a == 1 || @.b",
                                     .field = "v",
                                     .result = "s",
                                     .multiply = 2};
    struct query_error e;
    ck_assert(query_compile(&program, &s, &e));
    ck_assert_uint_gt(program.op_count, 3);
    ck_assert_uint_eq(program.results[0].range.from, program.op_count - 3);
    ck_assert_uint_eq(program.results[0].range.to, program.op_count);
    program_free(&program);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {memory_that_is_short_is_told,
                                  the_sum_is_behind_the_condition,
                                  a_name_is_quoted_whatever_it_has,
                                  a_mistake_is_told_with_its_setting,
                                  a_name_is_taken_once,
                                  there_are_at_most_16_results_and_16_copies,
                                  the_short_form_is_a_sum};
    return UNIT_MAIN("query", tests);
}
