/* skim_impl: the code of domain/skim, included once per instruction set.
 *
 * Before: SKIM_NAME, the function to define, and SKIM_WIDTH with two
 * operations on so many bytes:
 *
 *   uint64_t not_plain(p)  one bit (times SKIM_BITS) for each byte at p that
 *                          ends a run of plain text in a string: a quote, a
 *                          backslash, a control character, not ASCII
 *   bool same(a, b, n)     are the first n <= SKIM_LINK_BYTES bytes equal?
 *
 * Every function takes a place and gives the place behind what it stepped
 * over, NULL when it will not. `end` is looked at before each token; within a
 * token reading may go up to SKIM_SLACK bytes past it, and what was found
 * there is thrown away, since an item must end before `end`. */

#include <endian.h>
#include <string.h>

static inline bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline const uint8_t *blank(const uint8_t *p, const uint8_t *end)
{
    if (*p > ' ')
        return p;
    while (p < end && is_blank(*p))
        p++;
    return p;
}

static inline bool is_digit(uint8_t c)
{
    return (uint8_t)(c - '0') < 10;
}

/* --- Strings. --- */

static inline bool is_hex(uint8_t c)
{
    uint8_t lower = c | 0x20;
    return is_digit(c) || (lower >= 'a' && lower <= 'f');
}

/* After a backslash. */
static const uint8_t *escape(const uint8_t *p)
{
    switch (*p) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 1;
    case 'u':
        return is_hex(p[1]) && is_hex(p[2]) && is_hex(p[3]) && is_hex(p[4])
                   ? p + 5
                   : NULL;
    default:
        return NULL;
    }
}

static inline bool is_tail(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

/* A character of several bytes; the table of RFC 3629, 4. */
static const uint8_t *character(const uint8_t *p)
{
    uint8_t c = *p, next = p[1];
    if (c < 0xc2 || !is_tail(next))
        return NULL;
    if (c < 0xe0)
        return p + 2;
    if (!is_tail(p[2]))
        return NULL;
    if (c < 0xf0)
        return (c == 0xe0 && next < 0xa0) || (c == 0xed && next > 0x9f) ? NULL
                                                                        : p + 3;
    if (!is_tail(p[3]) || c > 0xf4 || (c == 0xf0 && next < 0x90) ||
        (c == 0xf4 && next > 0x8f))
        return NULL;
    return p + 4;
}

/* After the opening quote. */
static inline const uint8_t *string(const uint8_t *p, const uint8_t *end)
{
    while (p < end) {
        uint64_t special = not_plain(p);
        if (special == 0) {
            p += SKIM_WIDTH;
            continue;
        }
        p += (unsigned)__builtin_ctzll(special) / SKIM_BITS;
        if (*p == '"')
            return p + 1;
        if (*p == '\\')
            p = escape(p + 1);
        else if (*p >= 0x80)
            p = character(p);
        else
            return NULL;
        if (p == NULL)
            return NULL;
    }
    return NULL;
}

/* --- Numbers. --- */

/* How many of the eight bytes at p are digits before the first that is not. A
 * byte is a digit when its high half is 3 and adding 6 does not change that
 * (Lemire and others call it SWAR, "SIMD within a register"). */
static inline unsigned digits_at(const uint8_t *p, uint64_t *word)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    w = le64toh(w); /* the first byte lowest, on every machine */
    *word = w;
    uint64_t high =
        (w & UINT64_C(0xf0f0f0f0f0f0f0f0)) ^ UINT64_C(0x3030303030303030);
    uint64_t more =
        ((w + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0)) ^
        UINT64_C(0x3030303030303030);
    uint64_t other = high | more;
    return other == 0 ? 8 : (unsigned)__builtin_ctzll(other) / 8;
}

/* The value of the first `n` (1 to 8) digits of `word`: shifted so that the
 * last is on top, zeros below, then pairs, fours and eight are joined. */
static inline uint64_t digits_value(uint64_t word, unsigned n)
{
    uint64_t w = (word & UINT64_C(0x0f0f0f0f0f0f0f0f)) << (64 - 8 * n);
    w = w * 10 + (w >> 8);
    return (((w & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
             ((w >> 16) & UINT64_C(0x000000ff000000ff)) *
                 UINT64_C(0x0000271000000001)) >>
            32);
}

/* A plain integer of up to 18 digits and nothing more. */
static inline const uint8_t *integer(const uint8_t *p, int64_t *value)
{
    uint64_t word, sum;
    bool minus = *p == '-';
    p += minus;
    unsigned n = digits_at(p, &word);
    if (n == 0 || (*p == '0' && n > 1))
        return NULL;
    sum = digits_value(word, n);
    p += n;
    if (n == 8) {
        unsigned count = 8;
        for (; is_digit(*p) && count < 19; count++)
            sum = sum * 10 + (*p++ - '0');
        if (count > 18)
            return NULL;
    }
    if (*p == '.' || (*p | 0x20) == 'e')
        return NULL;
    *value = minus ? -(int64_t)sum : (int64_t)sum;
    return p;
}

static inline const uint8_t *digits(const uint8_t *p, const uint8_t *end)
{
    uint64_t word;
    unsigned n = digits_at(p, &word);
    if (n == 0)
        return NULL;
    p += n;
    while (n == 8 && p < end) {
        n = digits_at(p, &word);
        p += n;
    }
    return p;
}

static inline const uint8_t *number(const uint8_t *p, const uint8_t *end)
{
    p += *p == '-';
    if (*p == '0')
        p++;
    else if ((p = digits(p, end)) == NULL)
        return NULL;
    if (*p == '.' && (p = digits(p + 1, end)) == NULL)
        return NULL;
    if ((*p | 0x20) == 'e') {
        p++;
        p += *p == '+' || *p == '-';
        return digits(p, end);
    }
    return is_digit(*p) ? NULL : p;
}

/* --- Values. --- */

static inline const uint8_t *word(const uint8_t *p)
{
    if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0)
        return p + 4;
    return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

static const uint8_t *container(const uint8_t *p, const uint8_t *end,
                                uint32_t depth);

/* Any value; `depth`: levels that may still be opened. */
static inline const uint8_t *value(const uint8_t *p, const uint8_t *end,
                                   uint32_t depth)
{
    if (*p == '"')
        return string(p + 1, end);
    if (*p == '-' || is_digit(*p))
        return number(p, end);
    if (*p == '{' || *p == '[')
        return container(p, end, depth);
    return word(p);
}

/* A key and its colon, up to the value. */
static inline const uint8_t *key(const uint8_t *p, const uint8_t *end)
{
    if (*p != '"' || (p = string(p + 1, end)) == NULL)
        return NULL;
    p = blank(p, end);
    return *p == ':' ? blank(p + 1, end) : NULL;
}

static const uint8_t *container(const uint8_t *p, const uint8_t *end,
                                uint32_t depth)
{
    bool object = *p == '{';
    uint8_t close = object ? '}' : ']';
    if (depth == 0)
        return NULL;
    p = blank(p + 1, end);
    if (*p == close)
        return p + 1;
    while (p < end) {
        if (object && (p = key(p, end)) == NULL)
            return NULL;
        if ((p = value(p, end, depth - 1)) == NULL)
            return NULL;
        p = blank(p, end);
        if (*p == close)
            return p + 1;
        if (*p != ',')
            return NULL;
        p = blank(p + 1, end);
    }
    return NULL;
}

/* --- Items. --- */

/* Step over the text between two values and remember it as `link`. The member
 * before it has ended, or none has been (`first`). Gives NULL at the end of
 * the object, too. */
static const uint8_t *learn(const struct skim *s, struct skim_link *link,
                            const uint8_t *from, const uint8_t *end, bool first)
{
    const uint8_t *p = blank(from, end);
    if (!first) {
        if (*p != ',')
            return NULL;
        p = blank(p + 1, end);
    }
    const uint8_t *name = p;
    if ((p = key(p, end)) == NULL || p >= end)
        return NULL;
    size_t length = (size_t)(p - from), left = (size_t)(end - name);
    bool escaped = memchr(name, '\\', (size_t)(p - name)) != NULL;
    if (escaped)
        return NULL; /* it may be the wanted key, in other words */
    link->length = 0;
    link->wanted =
        left > s->field_len && memcmp(name, s->field, s->field_len) == 0;
    if (length <= SKIM_LINK_BYTES) {
        memcpy(link->bytes, from, length);
        link->length = (uint32_t)length;
    }
    return p;
}

/* One item, from its opening brace; *sum is the wanted value. */
static inline const uint8_t *item(struct skim *s, const uint8_t *p,
                                  const uint8_t *end, int64_t *wanted)
{
    struct skim_link *link = s->links, spare;
    bool found = false, first = true;
    p++;
    for (unsigned i = 0; p < end; i++, link++, first = false) {
        if (i >= SKIM_LINKS) {
            link = &spare;
            link->length = 0;
        }
        if (link->length > 0 && same(p, link->bytes, link->length)) {
            p += link->length;
            if (p >= end)
                return NULL;
        } else {
            const uint8_t *close = blank(p, end);
            if (*close == '}' && !first)
                return found ? close + 1 : NULL;
            if ((p = learn(s, link, p, end, first)) == NULL)
                return NULL;
        }
        p = link->wanted ? integer(p, wanted) : value(p, end, s->max_depth);
        found |= link->wanted;
        if (p == NULL)
            return NULL;
    }
    return NULL;
}

static inline void add(struct tally *t, int64_t value)
{
    if (t->numbers == TALLY_INT64)
        t->exact += value;
    else
        t->approx = t->approx + (double)value * t->multiply;
    t->count++;
}

struct skim_run SKIM_NAME(struct skim *s, const uint8_t *at, const uint8_t *end,
                          struct tally *t) {
    struct skim_run run = {.at = at};
    if (s->field_len == 0)
        return run;
    for (const uint8_t *p = at; p < end;) {
        int64_t wanted = 0;
        p = blank(p, end);
        if (*p != '{' || (p = item(s, p, end, &wanted)) == NULL || p > end)
            break;
        add(t, wanted);
        run.count++;
        run.at = p;
        run.comma = false;
        p = blank(p, end);
        if (p >= end || *p != ',')
            break;
        run.at = ++p;
        run.comma = true;
    }
    return run;
}
