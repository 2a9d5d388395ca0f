/* text: see text.h. */
#include "query/text.h"

#include <string.h>

enum { PLAIN, ESCAPE, HEX };

/* One byte of input can complete this many bytes of output. */
#define STEP_MAX 7

static void begin(struct text_reader *r)
{
    *r = (struct text_reader){.state = PLAIN};
}

unsigned text_encode(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (c & 0x3f));
    return 4;
}

/* The string ends: what was still waiting. */
static unsigned end_of(struct text_reader *r, uint8_t out[STEP_MAX])
{
    unsigned n = r->high == 0 ? 0 : text_encode(r->high, out);
    r->high = 0;
    return n;
}

/* The four digits of \u are there. */
static unsigned take_unit(struct text_reader *r, uint8_t *out)
{
    uint16_t unit = r->unit, high = r->high;
    if (high != 0 && unit >= 0xdc00 && unit <= 0xdfff) {
        r->high = 0;
        return text_encode(
            0x10000 + ((uint32_t)(high - 0xd800) << 10) + (unit - 0xdc00), out);
    }
    unsigned n = end_of(r, out);
    if (unit >= 0xd800 && unit <= 0xdbff) {
        r->high = unit;
        return n;
    }
    return n + text_encode(unit, out + n);
}

static uint8_t unescaped(uint8_t byte)
{
    static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    const char *at = byte == '\0' ? NULL : strchr(names, byte);
    return at == NULL ? byte : (uint8_t)bytes[at - names];
}

static unsigned hex(uint8_t byte)
{
    return byte <= '9' ? byte - 0U - '0' : (byte | 0x20U) - 'a' + 10U;
}

/* Take one byte; give how many bytes of characters it has completed. */
static unsigned step_of(struct text_reader *r, uint8_t byte,
                        uint8_t out[STEP_MAX])
{
    if (r->state == HEX) {
        r->unit = (uint16_t)((unsigned)r->unit << 4 | hex(byte));
        if (++r->digits < 4)
            return 0;
        r->state = PLAIN;
        return take_unit(r, out);
    }
    if (r->state == PLAIN && byte == '\\') {
        r->state = ESCAPE;
        return 0;
    }
    if (r->state == ESCAPE && byte == 'u') {
        r->state = HEX;
        r->digits = 0;
        r->unit = 0;
        return 0;
    }
    unsigned n = end_of(r, out);
    out[n] = r->state == ESCAPE ? unescaped(byte) : byte;
    r->state = PLAIN;
    return n + 1;
}

size_t text_decode(const char *raw, size_t n, char *out)
{
    struct text_reader r;
    uint8_t step[STEP_MAX];
    size_t len = 0;
    begin(&r);
    for (size_t i = 0; i <= n; i++) {
        unsigned got =
            i < n ? step_of(&r, (uint8_t)raw[i], step) : end_of(&r, step);
        if (got > 0) /* else there may be no `out` */
            memcpy(out + len, step, got);
        len += got;
    }
    return len;
}

/* --- In pieces. --- */

void text_match_begin(struct text_match *m)
{
    *m = (struct text_match){.order = 0};
    begin(&m->reader);
}

/* Compare `n` more bytes of characters. */
static void match(struct text_match *m, const uint8_t *bytes, size_t n,
                  const char *known, size_t known_n)
{
    size_t left = known_n - m->at;
    size_t both = n < left ? n : left;
    int order = both == 0 ? 0 : memcmp(bytes, known + m->at, both);
    if (order == 0 && n > left)
        order = 1;
    m->order = (int8_t)((order > 0) - (order < 0));
    m->at += both;
}

void text_match_feed(struct text_match *m, const char *raw, size_t n,
                     const char *known, size_t known_n)
{
    uint8_t step[STEP_MAX];
    const char *end = raw + n;
    while (raw < end && m->order == 0) {
        size_t run = 0;
        if (m->reader.state == PLAIN && m->reader.high == 0) {
            const char *escape = memchr(raw, '\\', (size_t)(end - raw));
            run = (size_t)((escape == NULL ? end : escape) - raw);
        }
        match(m, (const uint8_t *)raw, run, known, known_n);
        raw += run;
        if (raw < end && m->order == 0)
            match(m, step, step_of(&m->reader, (uint8_t)*raw++, step), known,
                  known_n);
    }
}

int text_match_end(struct text_match *m, const char *known, size_t known_n)
{
    uint8_t step[STEP_MAX];
    if (m->order == 0)
        match(m, step, end_of(&m->reader, step), known, known_n);
    return m->order == 0 && m->at < known_n ? -1 : m->order;
}

int text_order(const char *raw, size_t n, const char *known, size_t known_n)
{
    struct text_match m;
    if (memchr(raw, '\\', n) == NULL) {
        int order = memcmp(raw, known, n < known_n ? n : known_n);
        return order != 0 ? order : (n > known_n) - (n < known_n);
    }
    text_match_begin(&m);
    text_match_feed(&m, raw, n, known, known_n);
    return text_match_end(&m, known, known_n);
}

/* --- In whole. --- */

struct cursor {
    struct text_reader reader;
    const char *at, *end;
    uint8_t step[STEP_MAX];
    unsigned have, given;
    bool ended;
};

/* The next byte of its characters; -1: there is none. */
static int next(struct cursor *c)
{
    while (c->given == c->have && !c->ended) {
        c->given = 0;
        c->ended = c->at == c->end;
        c->have = c->ended ? end_of(&c->reader, c->step)
                           : step_of(&c->reader, (uint8_t)*c->at++, c->step);
    }
    return c->given < c->have ? c->step[c->given++] : -1;
}

int text_compare(const char *a, size_t an, const char *b, size_t bn)
{
    struct cursor left = {.at = a, .end = a + an};
    struct cursor right = {.at = b, .end = b + bn};
    int l, r;
    do {
        l = next(&left);
        r = next(&right);
    } while (l == r && l >= 0);
    return (l > r) - (l < r);
}
