/* decimal: the hard cases of the literature, texts of any length, and which
 * texts are numbers and integers. */
#include "decode/decimal.h"

#include <errno.h>

#include "decimals.h"
#include "decode/literal.h"

/* --- The literature: Clinger (1990), the tests of Gay and Paxson for
 * strtod(3), the numbers that Java 6 and PHP 5.3 never came back from, Lemire
 * (2021). --- */

static const struct {
    const char *text;
    double value;
} cases[] = {
    {"0", 0.0},
    {"-0", -0.0},
    {"-0.0e-5", -0.0},
    {"0e999999999999999999999999", 0.0},
    {"0.0000000000000000000000000000000000000000000000000000000000000000e+400",
     0.0},
    {"1", 0x1p+0},
    {"-1", -0x1p+0},
    {"123456789012345678", 0x1.b69b4ba630f35p+56},
    {"9007199254740991", 0x1.fffffffffffffp+52},
    {"9007199254740992", 0x1p+53},
    {"9007199254740993", 0x1p+53},
    {"9007199254740994", 0x1.0000000000001p+53},
    {"9007199254740995", 0x1.0000000000002p+53},
    {"9007199254740993.00000000000000000000000000000000000000000001",
     0x1.0000000000001p+53},
    {"9007199254740991.4999999999999999999999999999999995",
     0x1.fffffffffffffp+52},
    {"18014398509481989", 0x1.0000000000001p+54},
    {"18014398509481990", 0x1.0000000000002p+54},
    {"18014398509481991", 0x1.0000000000002p+54},
    {"9223372036854775807", 0x1p+63},
    {"9223372036854775808", 0x1p+63},
    {"9223372036854776832", 0x1p+63},
    {"9223372036854776833", 0x1.0000000000001p+63},
    {"18446744073709551615", 0x1p+64},
    {"18446744073709551616", 0x1p+64},
    {"1e22", 0x1.0f0cf064dd592p+73},
    {"1e23", 0x1.52d02c7e14af6p+76},
    {"8.5e22", 0x1.1ffdbf6b2b2ebp+76},
    {"1e-22", 0x1.e392010175ee6p-74},
    {"1e-23", 0x1.82db34012b251p-77},
    {"9.5367431640625e-7", 0x1p-20},
    {"89255e-22", 0x1.494af6ce5221fp-57},
    {"104110013277974872254e-225", 0x1.0b661a31987aep-681},
    {"123456789012345678901234567890", 0x1.8ee90ff6c373ep+96},
    {"7.2057594037927933e16", 0x1p+56},
    {"72057594037927928.0", 0x1.fffffffffffffp+55},
    {"72057594037927936.0", 0x1p+56},
    {"72057594037927932.0", 0x1p+56},
    {"9223372036854774784.0", 0x1.fffffffffffffp+62},
    {"10240000000000000000.5", 0x1.1c37937e08000p+63},
    {"9007199254740992e22", 0x1.0f0cf064dd592p+126},
    {"9007199254740993e22", 0x1.0f0cf064dd593p+126},
    {"1.7976931348623157e308", 0x1.fffffffffffffp+1023},
    {"1.7976931348623158e308", 0x1.fffffffffffffp+1023},
    {"1.7976931348623159e308", INFINITY},
    {"17976931348623158e292", 0x1.fffffffffffffp+1023},
    {"1e308", 0x1.1ccf385ebc8a0p+1023},
    {"1e309", INFINITY},
    {"-1e309", -INFINITY},
    {"9999999999999999999e289", 0x1.1ccf385ebc8a0p+1023},
    {"9999999999999999999e290", INFINITY},
    {"2.2250738585072014e-308", 0x1p-1022},
    {"2.2250738585072012e-308", 0x1p-1022},
    {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
    {"2.225073858507201e-308", 0x0.fffffffffffffp-1022},
    {"4.9406564584124654e-324", 0x0.0000000000001p-1022},
    {"5e-324", 0x0.0000000000001p-1022},
    {"2.4703282292062327e-324", 0.0},
    {"2.4703282292062328e-324", 0x0.0000000000001p-1022},
    {"1e-323", 0x0.0000000000002p-1022},
    {"7.4e-324", 0x0.0000000000001p-1022},
    {"1e-324", 0.0},
    {"1e-400", 0.0},
    {"18446744073709551615e-343", 0.0},
    {"18446744073709551615e-342", 0x0.0000000000004p-1022},
    {"6.631236846766476e-316", 0x0.0000008000000p-1022},
    {"3.237883913302901e-319", 0x0.000000000ffffp-1022},
    {"6.9533558078476524e-310", 0x0.0800000000100p-1022},
    {"3.3161339052167390562200598e-237", 0x1.59801d6e5f2d6p-786},
    {"5.00e-324", 0x0.0000000000001p-1022},
    {"0.500000000000000166533453693773481063544750213623046875",
     0x1.0000000000002p-1},
    {"3.518437208883201171875e13", 0x1.0000000000002p+45},
    {"62.5364939768271845828", 0x1.f44abd5aa7ca4p+5},
    {"8.10109172351e-10", 0x1.bd5cbaef0fd0cp-31},
    {"1.50000000000000011102230246251565", 0x1.8000000000000p+0},
    {"1.00000000000000011102230246251565404236316680908203125", 0x1p+0},
    {"1.00000000000000011102230246251565404236316680908203124", 0x1p+0},
    {"1.00000000000000011102230246251565404236316680908203126",
     0x1.0000000000001p+0},
    {"1.00000000000000033306690738754696212708950042724609375",
     0x1.0000000000002p+0},
    {"30078505129381147446200", 0x1.97a3c7271b021p+74},
    {"1777820000000000000001", 0x1.8180d5bad2e3ep+70},
    {"5e-20", 0x1.d83c94fb6d2acp-65},
    {"4.4501363245856945e-308", 0x1.ffffaa19ab7c4p-1022},
    {"356882859e-7", 0x1.1d819c09b6622p+5},
    {"2.98023223876953125e-8", 0x1p-25},
    {"2251799813685248.125", 0x1p+51},
    {"2251799813685247.875", 0x1p+51},
    {"4503599627370497.5", 0x1.0000000000002p+52},
    {"4503599627370496.5", 0x1p+52},
    {"4503599627370497.4999999999999999999999", 0x1.0000000000001p+52},
    {"1.448997445238699", 0x1.72f17f1f49aadp+0},
    {"6.8985865317742005e-180", 0x1.ca033eb318c0ap-596},
    {"1.3076622631878654e65", 0x1.3de005bd620dfp+216},
    {"1.8254370818746402660437411213933955878019332885742187",
     0x1.d34fd8378ea83p+0},
    {"0."
     "0000000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000000000000000000000000123",
     0x1.1a19af362b215p-342},
    {"1090544144181609348671888949248", 0x1.b8779f2474dfap+99},
    {"9.881312916824931e-324", 0x0.0000000000002p-1022},
    {"1.8e1", 0x1.2000000000000p+4},
    {"1E+2", 0x1.9000000000000p+6},
    {"1e-02", 0x1.47ae147ae147bp-7},
    {"1e00000000000000000000000000000000000000000000001", 0x1.4000000000000p+3},
    {"1e-00000000000000000000000000000000000000000000001",
     0x1.999999999999ap-4},
    {"1e99999999999999999999", INFINITY},
    {"1e-99999999999999999999", 0.0},
    {"1e9223372036854775807", INFINITY},
    {"1e9223372036854775808", INFINITY},
    {"1e-9223372036854775808", 0.0},
    {"1e18446744073709551617", INFINITY},
    {"0.1e4294967297", INFINITY},
    {"0e-18446744073709551617", 0.0},
    {"9.9999999999999999999", 0x1.4000000000000p+3},
    {"1844674407370955161.6", 0x1.999999999999ap+60},
    {"184467440.73709551616", 0x1.5fd7fe1796495p+27},
    {"12345678.12345678", 0x1.78c29c3f35ba2p+23},
    {"123456781234567812345678.5e-10", 0x1.674e784a38190p+43},
};

START_TEST(hard_cases_have_their_value)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = cases[i].text;
        check(text, cases[i].value);
        for (size_t step = 1; step <= strlen(text); step++)
            EXPECT(decimals_in_pieces((const uint8_t *)text, strlen(text), step)
                       .value == cases[i].value);
    }
}
END_TEST

/* --- Any length. --- */

#define LONG 1000000

/* `head`, LONG times `fill`, `tail`. */
static void check_long(const char *head, char fill, const char *tail,
                       double wanted)
{
    char *text = malloc(LONG + 200);
    size_t n = (size_t)sprintf(text, "%s", head);
    memset(text + n, fill, LONG);
    n += LONG + (size_t)sprintf(text + n + LONG, "%s", tail);
    double got = NAN;
    EXPECT(decimal_to_double((uint8_t *)text, n, &got));
    if (memcmp(&got, &wanted, sizeof got) != 0)
        ck_abort_msg("%s %c... %s: %a, not %a", head, fill, tail, got, wanted);
    got = decimals_in_pieces((uint8_t *)text, n, 4096).value;
    if (memcmp(&got, &wanted, sizeof got) != 0)
        ck_abort_msg("%s %c... %s, in pieces: %a", head, fill, tail, got);
    free(text);
}

START_TEST(a_number_may_be_of_any_length)
{
    check_long("0.", '0', "", 0);
    check_long("-0.", '0', "", -0.0);
    check_long("0.", '0', "1", 0);
    check_long("0.", '0', "1e1000001", 1);
    check_long("0.", '0', "25e1000001", 2.5);
    check_long("1", '0', "e-1000000", 1);
    check_long("1", '0', "e-1000001", 0.1);
    check_long("1", '0', "", INFINITY);
    check_long("-9", '9', "", -INFINITY);
    check_long("9", '9', "e-1000000", 10);
    check_long("1.", '3', "", 0x1.5555555555555p0);
    check_long("1e", '0', "1", 10);
    check_long("1e-", '0', "1", 0.1);
    check_long("1e", '9', "", INFINITY);
    check_long("1e-", '9', "", 0);
    check_long("0e", '9', "", 0);
    check_long("9007199254740993.", '0', "", 0x1p53);
    check_long("9007199254740993.", '0', "1", 0x1.0000000000001p53);
    check_long("9007199254740993", '0', "e-1000000", 0x1p53);
    check_long("9007199254740993", '0', "1e-1000001", 0x1.0000000000001p53);
    check_long("9007199254740992.", '9', "", 0x1p53);
    check_long("4.94065645841246544", '0', "e-324", 0x1p-1074);
}
END_TEST

/* --- What is a number, and what an integer. --- */

/* What the scanner says of it. */
static bool is_number(const char *text)
{
    const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
    const char *reason;
    struct literal l;
    literal_begin(&l, LITERAL_NUMBER, NULL);
    return *text != '\0' &&
           literal_feed(&l, &at, end, &reason) == LITERAL_MORE &&
           literal_may_end(&l);
}

static void check_int64(const char *text)
{
    size_t n = strlen(text);
    uint8_t *bytes = memcpy(page_end() - n, text, n);
    int64_t got = 77;
    char *end;
    errno = 0;
    int64_t wanted = strtoll(text, &end, 10);
    bool is = is_number(text) && *end == '\0' && errno == 0;
    if (decimal_to_int64(bytes, n, &got) != is || got != (is ? wanted : 77))
        ck_abort_msg("%s: %lld", text, (long long)got);
    if (!is_number(text))
        return;
    struct decimals_value v = decimals_in_pieces(bytes, n, 1 + n / 3);
    if (v.is_int64 != is || v.integer != got)
        ck_abort_msg("%s, in pieces: %lld", text, (long long)v.integer);
}

/* Also with eight digits before it, which are read in one go. */
START_TEST(all_short_texts_are_taken_or_refused)
{
    static const char letters[] = "019-+.eE /:";
    const size_t count = sizeof letters - 1;
    int numbers = 0;
    for (size_t index = 0; index < 12 * 11 * 11 * 11 * 11 * 11; index++) {
        char text[24] = "12345678";
        size_t from = 8, n = 8;
        for (size_t rest = index; rest > 0; rest = (rest - 1) / count)
            text[n++] = letters[(rest - 1) % count];
        text[n] = '\0';
        for (size_t at = 0; at <= from; at += 4) {
            double value = 77;
            size_t length = n - at;
            uint8_t *bytes = memcpy(page_end() - length, text + at, length);
            bool is = is_number(text + at);
            if (is)
                check(text + at, strtod(text + at, NULL));
            else if (decimal_to_double(bytes, length, &value) || value != 77)
                ck_abort_msg("%s: taken", text + at);
            check_int64(text + at);
            numbers += is;
        }
    }
    ck_assert_int_gt(numbers, 10000);
}
END_TEST

/* Every byte behind and among digits. */
START_TEST(no_other_byte_is_a_digit)
{
    for (int c = 1; c < 256; c++)
        for (size_t n = 1; n < 20; n++)
            for (size_t at = 0; at < n; at++) {
                char text[24];
                memset(text, '1', n);
                text[n] = '\0';
                text[at] = (char)c;
                check_int64(text);
                if (is_number(text))
                    check(text, strtod(text, NULL));
                else
                    EXPECT(
                        !decimal_to_double((uint8_t *)text, n, &(double){0}));
            }
}
END_TEST

START_TEST(integers_have_their_value)
{
    static const char *const texts[] = {
        "",
        "-",
        "0",
        "-0",
        "00",
        "-00",
        "01",
        "7",
        "-7",
        "9223372036854775806",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775807",
        "-9223372036854775808",
        "-9223372036854775809",
        "9999999999999999999",
        "-9999999999999999999",
        "10000000000000000000",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551617",
        "27670116110564327424",
        "1.0",
        "1e0",
        "1E2",
        "0.0",
        "-0.0",
        "100000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000001",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_int64(texts[i]);
    for (int i = 0; i < 100000; i++) {
        char text[32];
        sprintf(text, "%s%llu", below(2) == 0 ? "-" : "",
                (unsigned long long)random_word() >> below(64));
        check_int64(text);
    }
}
END_TEST

/* --- The powers of five, of which tests/check-powers knows the same hash
 * (FNV-1a of the words). --- */

#define POWERS_HASH UINT64_C(0xf5eba93aea6ac412)

START_TEST(the_powers_are_those_that_are_proved)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int q = DECIMAL_POWER_MIN; q <= DECIMAL_POWER_MAX; q++)
        for (int i = 0; i < 2; i++)
            hash = (hash ^ decimal_power(q)[i]) * UINT64_C(0x100000001b3);
    ck_assert_uint_eq(hash, POWERS_HASH);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_powers_are_those_that_are_proved,
                                  hard_cases_have_their_value,
                                  a_number_may_be_of_any_length,
                                  all_short_texts_are_taken_or_refused,
                                  no_other_byte_is_a_digit,
                                  integers_have_their_value};
    return UNIT_MAIN("decimal", tests);
}
