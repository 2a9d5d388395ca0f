/* simd_utf8: the tables of simd_wrong_utf8() for instruction sets that look
 * sixteen bytes up at once. Included by their headers. */

/* What may be wrong of two bytes, after Keiser and Lemire, "Validating UTF-8 in
 * less than one instruction per byte", 2021: a table for the first half of the
 * first byte, one for its second half and one for the first half of the second
 * byte; a bit that all three have is an error. */
enum {
    UTF8_SHORT = 1,     /* the second byte does not continue the character */
    UTF8_LONG = 2,      /* it does, and there is none */
    UTF8_OVERLONG3 = 4, /* in three bytes what two can say */
    UTF8_SURROGATE = 16,
    UTF8_OVERLONG2 = 32,
    UTF8_ABOVE = 8,      /* above U+10FFFF, f4 90 and on */
    UTF8_ABOVE_F5 = 64,  /* f5 and on, 80 to 8f; */
    UTF8_OVERLONG4 = 64, /* of f0 the same second bytes are wrong */
    UTF8_TWO = 128,      /* two that continue: is there one of three bytes? */
    UTF8_ANY = UTF8_SHORT | UTF8_LONG | UTF8_TWO,
    UTF8_LARGE = UTF8_ANY | UTF8_ABOVE | UTF8_ABOVE_F5,
    UTF8_CONTINUES = UTF8_LONG | UTF8_OVERLONG2 | UTF8_TWO,
};

#define UTF8_FIRST_HIGH                                                        \
    UTF8_LONG, UTF8_LONG, UTF8_LONG, UTF8_LONG, UTF8_LONG, UTF8_LONG,          \
        UTF8_LONG, UTF8_LONG, (char)UTF8_TWO, (char)UTF8_TWO, (char)UTF8_TWO,  \
        (char)UTF8_TWO, UTF8_SHORT | UTF8_OVERLONG2, UTF8_SHORT,               \
        UTF8_SHORT | UTF8_OVERLONG3 | UTF8_SURROGATE,                          \
        UTF8_SHORT | UTF8_ABOVE | UTF8_ABOVE_F5 | UTF8_OVERLONG4
#define UTF8_FIRST_LOW                                                         \
    (char)(UTF8_ANY | UTF8_OVERLONG2 | UTF8_OVERLONG3 | UTF8_OVERLONG4),       \
        (char)(UTF8_ANY | UTF8_OVERLONG2), (char)UTF8_ANY, (char)UTF8_ANY,     \
        (char)(UTF8_ANY | UTF8_ABOVE), (char)UTF8_LARGE, (char)UTF8_LARGE,     \
        (char)UTF8_LARGE, (char)UTF8_LARGE, (char)UTF8_LARGE,                  \
        (char)UTF8_LARGE, (char)UTF8_LARGE, (char)UTF8_LARGE,                  \
        (char)(UTF8_LARGE | UTF8_SURROGATE), (char)UTF8_LARGE,                 \
        (char)UTF8_LARGE
#define UTF8_SECOND_HIGH                                                       \
    UTF8_SHORT, UTF8_SHORT, UTF8_SHORT, UTF8_SHORT, UTF8_SHORT, UTF8_SHORT,    \
        UTF8_SHORT, UTF8_SHORT,                                                \
        (char)(UTF8_CONTINUES | UTF8_OVERLONG3 | UTF8_OVERLONG4),              \
        (char)(UTF8_CONTINUES | UTF8_OVERLONG3 | UTF8_ABOVE),                  \
        (char)(UTF8_CONTINUES | UTF8_SURROGATE | UTF8_ABOVE),                  \
        (char)(UTF8_CONTINUES | UTF8_SURROGATE | UTF8_ABOVE), UTF8_SHORT,      \
        UTF8_SHORT, UTF8_SHORT, UTF8_SHORT
