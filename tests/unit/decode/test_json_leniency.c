/* json_leniency: what json-c's strict mode takes and JSON is not. Every such
 * body must be refused by both decoders, however it is cut: json-c is never
 * the gate. */
#include <string.h>

#include <json-c/json.h>

#include "base/outcome.h"
#include "decode/payload.h"
#include "unit.h"

struct lenient {
    const char *why;
    const char *body;
    size_t n;
    bool taken; /* by json-c 0.16 in strict mode */
};

#define ROW(why, body, taken)                                                  \
    {                                                                          \
        why, body, sizeof(body) - 1, taken                                     \
    }
#define X(value) "{\"items\":[],\"x\":" value "}"

static const struct lenient bodies[] = {
    ROW("NaN", X("NaN"), true),
    ROW("Infinity", X("Infinity"), true),
    ROW("-Infinity", X("-Infinity"), true),
    ROW("true in capitals", X("TRUE"), false),
    ROW("leading zero", X("01"), false),
    ROW("minus and zeros", X("-00"), true),
    ROW("fraction without digits", X("1."), true),
    ROW("fraction before an exponent", X("1.e5"), true),
    ROW("exponent without digits", X("1e"), false),
    ROW("exponent with a sign alone", X("1e+"), false),
    ROW("two exponents", X("1e1e1"), false),
    ROW("line feed in a string", X("\"a\nb\""), true),
    ROW("tab in a string", X("\"a\tb\""), true),
    ROW("control character in a key", "{\"items\":[],\"a\tb\":1}", true),
    ROW("NUL in a string", X("\"a\0b\""), false),
    ROW("comma before ]", X("[1,]"), false),
    ROW("comma before }", "{\"items\":[],}", false),
    ROW("comma alone", X("[,]"), false),
    ROW("comment", X("/* */ 1"), false),
    ROW("comment to the line's end", X("1//\n"), false),
    ROW("apostrophes", X("'a'"), false),
    ROW("key without quotes", "{\"items\":[],x:1}", false),
    ROW("unknown escape", X("\"\\q\""), false),
    ROW("overlong UTF-8", X("\"\xc0\xaf\""), true),
    ROW("surrogate as UTF-8", X("\"\xed\xa0\x80\""), true),
    ROW("past the last character", X("\"\xf4\x90\x80\x80\""), true),
    ROW("byte that starts nothing", X("\"\xff\""), false),
    ROW("vertical tab between tokens", "{\v\"items\":[]}", false),
    ROW("form feed between tokens", "{\f\"items\":[]}", false),
    ROW("NUL behind the document", "{\"items\":[]}\0", true),
    ROW("bytes behind a NUL", "{\"items\":[]}\0{", true),
    ROW("byte order mark", "\xef\xbb\xbf{\"items\":[]}", false),
    ROW("second document", "{\"items\":[]}{}", false),
    ROW("letter behind the document", "{\"items\":[]}x", false),
    ROW("unterminated", "{\"items\":[]", false),
    ROW("nothing", "", false),
};
#define BODIES (sizeof bodies / sizeof bodies[0])

static bool json_c_takes(const struct lenient *b)
{
    struct json_tokener *t = json_tokener_new();
    ck_assert_ptr_nonnull(t);
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    json_object_put(json_tokener_parse_ex(t, b->body, (int)b->n));
    bool taken = json_tokener_get_error(t) == json_tokener_success;
    json_tokener_free(t);
    return taken;
}

static void check_refused(struct payload *p, const struct lenient *b,
                          size_t cut)
{
    struct fault fault = {.what = OUTCOME_ok};
    struct tally t;
    uint8_t copy[64];
    bool ok = true;
    payload_begin(p);
    for (size_t at = 0; at < b->n && ok;) {
        size_t n = at == 0 && cut > 0 ? cut : b->n - at;
        memcpy(copy, b->body + at, n);
        ok = payload_feed(p, copy, n, &fault);
        at += n;
    }
    ck_assert_msg(!(ok && payload_finish(p, &t, &fault)), "%s: taken", b->why);
    ck_assert_msg(fault.what == OUTCOME_malformed_json, "%s: %s", b->why,
                  outcome_name(fault.what));
    ck_assert_uint_le(fault.offset, b->n);
    ck_assert_uint_gt(strlen(fault.reason), 0);
}

static void check_all(enum payload_decoder decoder)
{
    const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    struct payload *p = payload_new(&shape, decoder);
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < BODIES; i++) {
        for (size_t cut = 0; cut < bodies[i].n || cut == 0; cut++)
            check_refused(p, &bodies[i], cut);
    }
    payload_free(&p);
}

START_TEST(the_typed_decoder_refuses_them)
{
    check_all(PAYLOAD_TYPED);
}
END_TEST

START_TEST(the_reference_decoder_refuses_them)
{
    check_all(PAYLOAD_JSONC);
}
END_TEST

START_TEST(json_c_alone_is_no_gate)
{
    /* Another release takes others; this one shows what the gate is for. */
    bool known = JSON_C_VERSION_NUM == (0 << 16 | 16 << 8);
    size_t taken = 0;
    for (size_t i = 0; i < BODIES; i++) {
        bool takes = json_c_takes(&bodies[i]);
        taken += takes;
        ck_assert_msg(!known || takes == bodies[i].taken, "%s: %s",
                      bodies[i].why, takes ? "taken" : "refused");
    }
    ck_assert(!known || taken > 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_typed_decoder_refuses_them,
                                  the_reference_decoder_refuses_them,
                                  json_c_alone_is_no_gate};
    return UNIT_MAIN("json_leniency", tests);
}
