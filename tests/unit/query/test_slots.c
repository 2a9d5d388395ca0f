/* evaluation as a decoder that reads a stream uses it: values in pieces, lists
 * that come again, at every level. */
#include "queries.h"
#include "query/evaluation.h"

static struct program program;
static struct evaluation *evaluation;
static struct slots *slots;
static char answer[4096];

static void begin(const struct query_case *c)
{
    queries_compile(&program, c);
    evaluation = evaluation_new(&program);
    evaluation_begin(evaluation);
    slots = evaluation_slots(evaluation);
}

/* The result, or the place of the fault. */
static const char *end(void)
{
    struct buf out;
    struct evaluation_fault fault;
    buf_init(&out, answer, sizeof answer);
    if (!evaluation_finish(evaluation, &out, &fault)) {
        buf_reset(&out);
        buf_printf(&out, "%d ", (int)fault.what);
        evaluation_pointer(&program, &fault, &out);
    }
    evaluation_free(&evaluation);
    program_free(&program);
    return answer;
}

static void item(uint64_t index, const char *number)
{
    slots_place(slots, 0, index);
    slots_item(slots);
    if (number == NULL)
        slots_set(slots, 0, VALUE_TRUE);
    else
        slots_number(slots, 0, number, strlen(number));
    evaluation_item_end(evaluation);
}

static const struct query_case sums = {
    "$.o.l", "", "s = sum(@); n = min(@); x = max(@); c = count()", ""};

START_TEST(a_list_that_comes_again_takes_back_what_the_first_added)
{
    begin(&sums);
    evaluation_save(evaluation, 0);
    evaluation_save(evaluation, 1);
    item(0, "1");
    item(1, "100");
    evaluation_restore(evaluation, 1); /* l again */
    item(0, "7");
    ck_assert_str_eq(end(), "{\"s\":7,\"n\":7,\"x\":7,\"c\":1}");
    begin(&sums);
    evaluation_save(evaluation, 0);
    evaluation_save(evaluation, 1);
    item(0, "1");
    evaluation_restore(evaluation, 0); /* o again, without l */
    evaluation_no_list(evaluation, 2, VALUE_ABSENT);
    ck_assert_str_eq(end(), "1 /o/l");
}
END_TEST

START_TEST(so_is_what_was_wrong_with_it)
{
    begin(&sums);
    evaluation_save(evaluation, 1);
    item(0, NULL);
    item(1, "5");
    evaluation_restore(evaluation, 1);
    item(0, "4");
    ck_assert_str_eq(end(), "{\"s\":4,\"n\":4,\"x\":4,\"c\":1}");
    begin(&sums);
    item(0, "2");
    evaluation_save(evaluation, 1);
    item(3, NULL);
    evaluation_restore(evaluation, 1);
    item(6, NULL);
    ck_assert_str_eq(end(), "3 /o/l/6");
}
END_TEST

START_TEST(an_overflow_is_taken_back_too)
{
    static const struct query_case cubes = {"$.o.l", "", "s = sum(@ * @ * @)",
                                            ""};
    begin(&cubes);
    evaluation_save(evaluation, 1);
    item(0, "9223372036854775807");
    evaluation_restore(evaluation, 1);
    item(0, "3");
    ck_assert_str_eq(end(), "{\"s\":27}");
}
END_TEST

START_TEST(the_last_value_of_a_slot_counts)
{
    static const struct query_case query = {"$", "@.a == 'xy'", "c = count()",
                                            ""};
    begin(&query);
    slots_item(slots);
    slots_piece(slots, 0, VALUE_STRING, "zz", 2, true, true);
    slots_piece(slots, 0, VALUE_STRING, "", 0, true, false);
    slots_piece(slots, 0, VALUE_STRING, "\\u00", 4, false, false);
    slots_piece(slots, 0, VALUE_STRING, "78y", 3, false, true);
    evaluation_item_end(evaluation);
    ck_assert_int_eq(evaluation_fate(evaluation), EVALUATION_COUNTED);
    slots_item(slots);
    slots_piece(slots, 0, VALUE_STRING, "xy", 2, true, true);
    slots_clear(slots, SLOTS_BOTH(1));
    evaluation_item_end(evaluation);
    ck_assert_int_eq(evaluation_fate(evaluation), EVALUATION_FILTERED);
    ck_assert_str_eq(end(), "{\"c\":1}");
}
END_TEST

START_TEST(an_item_begins_without_values)
{
    static const struct query_case query = {"$", "", "s = sum(a)",
                                            "missing:zero"};
    begin(&query);
    item(0, "5");
    slots_item(slots);
    evaluation_item_end(evaluation);
    ck_assert_str_eq(end(), "{\"s\":5}");
}
END_TEST

START_TEST(a_number_may_come_as_it_was_read)
{
    static const struct query_case query = {"$", "@.a < 6", "s = sum(a)", ""};
    const struct value_number five = {true, 5, 5}, half = {false, 0, 5.5};
    begin(&query);
    slots_item(slots);
    slots_read(slots, 0, five);
    evaluation_item_end(evaluation);
    slots_item(slots);
    slots_read(slots, 0, half);
    evaluation_item_end(evaluation);
    ck_assert_str_eq(end(), "3 /0/a");
}
END_TEST

START_TEST(kept_values_come_in_pieces)
{
    static const struct query_case query = {"$", "@.a == @.b", "c = count()",
                                            ""};
    begin(&query);
    slots_item(slots);
    slots_piece(slots, 0, VALUE_LIST, "[1", 2, true, false);
    slots_piece(slots, 0, VALUE_LIST, ",\"a\"]", 5, false, true);
    slots_piece(slots, 1, VALUE_LIST, "[1.0, \"\\u0061\"]", 15, true, true);
    evaluation_item_end(evaluation);
    ck_assert_str_eq(end(), "{\"c\":1}");
}
END_TEST

/* What slots_begins() says of a string that goes on like that: '=' equal, '#'
 * different, '?' more is needed. */
static char begins(const char *where, const char *behind_quote)
{
    const struct query_case query = {"$", where, "c = count()", ""};
    char bytes[9] = "        ";
    memcpy(bytes, behind_quote, strlen(behind_quote));
    begin(&query);
    slots_item(slots);
    char said = '?';
    if (slots_begins(slots, 0, bytes)) {
        evaluation_item_end(evaluation);
        said = strcmp(end(), "{\"c\":1}") == 0 ? '=' : '#';
    } else {
        ck_assert_int_eq(slots_kind(slots, 0), VALUE_ABSENT);
        end();
    }
    return said;
}

START_TEST(first_bytes_decide_about_a_string_where_they_can)
{
    static const struct {
        const char *where, *bytes;
        char said;
    } cases[] = {
        {"@.a == 'paid'", "paid\",", '='},
        {"@.a == 'paid'", "paid\"}", '='},
        {"@.a == 'paid'", "paidx\"", '#'},
        {"@.a == 'paid'", "pai\"", '#'},
        {"@.a == 'paid'", "open \\\"", '#'},
        {"@.a == 'paid'", "p\\u0061i", '?'},
        {"@.a == 'paid'", "\\u0070ai", '?'},
        {"@.a == 'paid'", "paid\\u00", '?'},
        {"@.a == ''", "\",", '='},
        {"@.a == ''", "\\\"", '?'},
        {"@.a == ''", "a\"", '#'},
        {"@.a == 'seven_7'", "seven_7\"", '='},
        {"@.a == 'seven_7'", "seven_7x", '#'},
        {"@.a == 'eight__8'", "eight__8", '?'},
        {"@.a == 'eight__8'", "eight__9", '#'},
        {"@.a == 'more than that'", "more tha", '?'},
        {"@.a == 'more than that'", "more or ", '#'},
        {"@.a == 'a\"'", "a\"", '?'},
        {"@.a == 'a\\\\'", "a\\\\\"", '?'},
        {"@.a < 'paid'", "paid\"", '?'},
        {"@.a == 'paid' || @.a == 'open'", "paid\"", '?'},
        {"@.a == @.b", "paid\"", '?'},
        {"@.a == 1 || @.a", "paid\\", '='},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_msg(begins(cases[i].where, cases[i].bytes) == cases[i].said,
                      "%s: %s", cases[i].where, cases[i].bytes);
    ck_assert_int_eq(begins("@.a != 'paid'", "paid\""), '#');
    ck_assert_int_eq(begins("@.a != 'paid'", "pain\""), '=');
}
END_TEST

START_TEST(the_usual_forms_of_arithmetic_give_what_operations_give)
{
    static const struct {
        const char *argument, *numbers, *result;
    } cases[] = {
        {"a", "int64", "7"},
        {"-a", "int64", "-7"},
        {"a + 2", "int64", "9"},
        {"2 - a", "int64", "-5"},
        {"a * a", "int64", "49"},
        {"a - a", "int64", "0"},
        {"5", "int64", "5"},
        {"a + 1 * 2", "int64", "9"},
        {"a / 2", "double", "3.5"},
        {"2 * a", "double", "14"},
        {"a - 0.5", "double", "6.5"},
        {"a", "double", "7"},
        {"(a + a) / 4", "double", "3.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char result[64], options[64], wanted[64];
        snprintf(result, sizeof result, "s = sum(%s)", cases[i].argument);
        snprintf(options, sizeof options, "numbers:%s", cases[i].numbers);
        snprintf(wanted, sizeof wanted, "{\"s\":%s}", cases[i].result);
        const struct query_case query = {"$", "", result, options};
        begin(&query);
        item(0, "7");
        ck_assert_str_eq(end(), wanted);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_list_that_comes_again_takes_back_what_the_first_added,
        so_is_what_was_wrong_with_it,
        an_overflow_is_taken_back_too,
        the_last_value_of_a_slot_counts,
        an_item_begins_without_values,
        a_number_may_come_as_it_was_read,
        kept_values_come_in_pieces,
        first_bytes_decide_about_a_string_where_they_can,
        the_usual_forms_of_arithmetic_give_what_operations_give};
    return UNIT_MAIN("slots", tests);
}
