/* json: documents that are built, and single values. */
#include <math.h>
#include <string.h>

#include "allocations.h"
#include "decode/json.h"
#include "unit.h"

static char room[4096];

static const char *printed(struct json_doc *root)
{
    struct buf out;
    buf_init(&out, room, sizeof room);
    ck_assert(json_print(root, &out));
    json_free(&root);
    ck_assert_ptr_null(root);
    return room;
}

START_TEST(documents_are_printed_in_order)
{
    struct json_doc *root = json_new_object();
    json_put_text(root, "text", "a\"b\\c\n");
    json_put_uint(root, "most", UINT64_MAX);
    json_put_bool(root, "yes", true);
    json_put_uint(json_put_object(root, "inner"), "n", 1);
    struct json_doc *list = json_put_array(root, "list");
    json_append_object(list);
    json_put_uint(json_append_object(list), "n", 2);
    ck_assert_str_eq(printed(root),
                     "{\"text\":\"a\\\"b\\\\c\\n\","
                     "\"most\":18446744073709551615,\"yes\":true,"
                     "\"inner\":{\"n\":1},\"list\":[{},{\"n\":2}]}");
}
END_TEST

START_TEST(hostile_text_is_still_json)
{
    struct json_doc *root = json_new_object();
    json_put_text(root, "a", "\x01\x1f</script>\xff\xc3");
    const char *text = printed(root);
    ck_assert_ptr_null(strchr(text, '\x01'));
    ck_assert_ptr_null(strchr(text, '\xff'));
    ck_assert_ptr_nonnull(strstr(text, "\xef\xbf\xbd"));
}
END_TEST

START_TEST(a_buffer_too_small_is_told)
{
    char little[8];
    struct buf out;
    struct json_doc *root = json_new_object();
    json_put_text(root, "key", "value");
    buf_init(&out, little, sizeof little);
    ck_assert(!json_print(root, &out));
    json_free(&root);
}
END_TEST

START_TEST(integers_must_be_integers_of_int64)
{
    int64_t v;
    ck_assert(json_int64("9223372036854775807", &v) && v == INT64_MAX);
    ck_assert(json_int64("-9223372036854775808", &v) && v == INT64_MIN);
    ck_assert(json_int64("-0", &v) && v == 0);
    ck_assert(!json_int64("9223372036854775808", &v));
    ck_assert(!json_int64("-9223372036854775809", &v));
    ck_assert(!json_int64("1.0", &v));
    ck_assert(!json_int64("1e3", &v));
}
END_TEST

START_TEST(what_has_no_place_is_not_kept)
{
    long before = blocks;
    ck_assert_ptr_null(json_append_object(NULL));
    ck_assert_ptr_null(json_put_object(NULL, "a"));
    json_put_uint(NULL, "a", 1);
    ck_assert_int_eq(blocks, before);
}
END_TEST

START_TEST(doubles_are_rounded_correctly)
{
    ck_assert(json_double("0.1") == 0.1);
    ck_assert(json_double("123456789012345678901234567890") ==
              123456789012345678901234567890.0);
    ck_assert(json_double("9007199254740993") == 9007199254740992.0);
    ck_assert(isinf(json_double("1e999")));
    ck_assert(json_double("1e-999") == 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        documents_are_printed_in_order, hostile_text_is_still_json,
        a_buffer_too_small_is_told,     integers_must_be_integers_of_int64,
        what_has_no_place_is_not_kept,  doubles_are_rounded_correctly};
    return UNIT_MAIN("json", tests);
}
