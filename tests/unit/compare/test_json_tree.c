/* json_tree: documents as values, with every digit and every character. */
#include <stdio.h>
#include <string.h>

#include "compare/json_tree.h"
#include "unit.h"

static struct json_tree read_text(const char *text)
{
    struct json_tree t;
    ck_assert_int_eq(json_tree_read(&t, text, strlen(text)), JSON_TREE_READ);
    return t;
}

START_TEST(every_type_is_read)
{
    static const struct {
        const char *text;
        enum value_kind type;
    } rows[] = {
        {"null", VALUE_NULL},     {"false", VALUE_FALSE},  {"true", VALUE_TRUE},
        {"12", VALUE_NUMBER},     {"\"x\"", VALUE_STRING}, {"[]", VALUE_LIST},
        {" {} \n", VALUE_OBJECT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_tree t = read_text(rows[i].text);
        ck_assert_int_eq(t.root->type, rows[i].type);
        ck_assert_uint_eq(t.value_count, 1);
        ck_assert_ptr_null(t.root->next);
        json_tree_free(&t);
    }
}
END_TEST

START_TEST(numbers_keep_their_text)
{
    static const char *const rows[] = {
        "0", "-0", "1.0", "123456789012345678901234567890", "1E+2", "1e-400"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_tree t = read_text(rows[i]);
        ck_assert_str_eq(t.root->text, rows[i]);
        ck_assert_uint_eq(t.root->text_len, strlen(rows[i]));
        json_tree_free(&t);
    }
}
END_TEST

START_TEST(strings_are_decoded)
{
    static const struct {
        const char *text, *decoded;
        size_t n;
        bool surrogate;
    } rows[] = {
        {"\"\"", "", 0, false},
        {"\"plain\"", "plain", 5, false},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8, false},
        {"\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac", 6, false},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4, false},
        {"\"a\\u0000b\"", "a\0b", 3, false},
        {"\"\\ud83d\"", "\xed\xa0\xbd", 3, true},
        {"\"\\ud83dx\"", "\xed\xa0\xbdx", 4, true},
        {"\"\\ud83d\\n\"", "\xed\xa0\xbd\n", 4, true},
        {"\"\\ud83d\\ud83d\\ude00\"", "\xed\xa0\xbd\xf0\x9f\x98\x80", 7, true},
        {"\"\\ude00\\ud83d\"", "\xed\xb8\x80\xed\xa0\xbd", 6, true},
        {"\"\\ud83d\\uffff\"", "\xed\xa0\xbd\xef\xbf\xbf", 6, true},
        {"\"\xc3\xa9\"", "\xc3\xa9", 2, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_tree t = read_text(rows[i].text);
        ck_assert_uint_eq(t.root->text_len, rows[i].n);
        ck_assert_mem_eq(t.root->text, rows[i].decoded, rows[i].n + 1);
        ck_assert(t.surrogate == rows[i].surrogate);
        json_tree_free(&t);
    }
}
END_TEST

START_TEST(children_stand_in_their_order)
{
    struct json_tree t =
        read_text("{\"a\":[1,[2],{}],\"b\\u0063\":{\"x\":\"y\"},\"\":4}");
    const struct json_tree_value *a = t.root->first, *b = a->next, *c = b->next;
    ck_assert_uint_eq(t.root->count, 3);
    ck_assert_uint_eq(t.value_count, 9);
    ck_assert_str_eq(a->name, "a");
    ck_assert_uint_eq(a->count, 3);
    ck_assert_str_eq(a->first->text, "1");
    ck_assert_ptr_null(a->first->name);
    ck_assert_str_eq(a->first->next->first->text, "2");
    ck_assert_int_eq(a->first->next->next->type, VALUE_OBJECT);
    ck_assert_ptr_null(a->first->next->next->next);
    ck_assert_str_eq(b->name, "bc");
    ck_assert_str_eq(b->first->name, "x");
    ck_assert_str_eq(b->first->text, "y");
    ck_assert_str_eq(c->name, "");
    ck_assert_ptr_null(c->next);
    json_tree_free(&t);
}
END_TEST

START_TEST(the_last_member_of_a_name_counts)
{
    struct json_tree t =
        read_text("{\"a\":1,\"ab\":2,\"\\u0061\":3,\"a\\u0000\":4}");
    ck_assert_str_eq(json_tree_member(t.root, "a")->text, "3");
    ck_assert_str_eq(json_tree_member(t.root, "ab")->text, "2");
    ck_assert_ptr_null(json_tree_member(t.root, "b"));
    ck_assert_ptr_null(json_tree_member(t.root->first, "a"));
    ck_assert_ptr_null(json_tree_member(NULL, "a"));
    json_tree_free(&t);
}
END_TEST

START_TEST(what_is_not_json_is_refused)
{
    static const char *const rows[] = {
        "",    " ",  "{",       "[1,]",     "nul",        "01",
        "1 2", "\"", "{\"a\"}", "\"\x80\"", "\"\\ud83\"", "{\"a\":1,}",
        "-",   "1.", "1e",      "[1",
    };
    struct json_tree t;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(json_tree_read(&t, rows[i], strlen(rows[i])),
                         JSON_TREE_NOT_JSON);
        ck_assert_ptr_null(t.bytes);
        json_tree_free(&t); /* does no harm */
    }
}
END_TEST

START_TEST(depth_has_a_limit)
{
    char text[2 * JSON_TREE_DEPTH_MAX + 2];
    struct json_tree t;
    memset(text, '[', JSON_TREE_DEPTH_MAX);
    memset(text + JSON_TREE_DEPTH_MAX, ']', JSON_TREE_DEPTH_MAX);
    ck_assert_int_eq(json_tree_read(&t, text, 2 * JSON_TREE_DEPTH_MAX),
                     JSON_TREE_READ);
    json_tree_free(&t);
    memset(text, '[', JSON_TREE_DEPTH_MAX + 1);
    memset(text + JSON_TREE_DEPTH_MAX + 1, ']', JSON_TREE_DEPTH_MAX + 1);
    ck_assert_int_eq(json_tree_read(&t, text, sizeof text), JSON_TREE_NOT_JSON);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_type_is_read,
        numbers_keep_their_text,
        strings_are_decoded,
        children_stand_in_their_order,
        the_last_member_of_a_name_counts,
        what_is_not_json_is_refused,
        depth_has_a_limit,
    };
    return UNIT_MAIN("json_tree", tests);
}
