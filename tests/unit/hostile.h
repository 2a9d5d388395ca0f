/* hostile: bodies of any size that a client could send to use up memory or
 * time, made as they are fed. For the test of decode/payload and tests/hostile.
 */
#ifndef TALLYD_TESTS_HOSTILE_H
#define TALLYD_TESTS_HOSTILE_H

#include <stdlib.h>
#include <string.h>

#include "decode/payload.h"
#include "decode/scan.h"

#define HOSTILE_KEY ((size_t)1 << 20)
#define HOSTILE_PIECE ((size_t)1 << 13)

/* `unit` over and over between the two others. */
struct hostile {
    const char *name;
    const char *before, *unit, *behind;
    const char *answer; /* as answers.h writes it; in int64 */
    size_t key;         /* letters before each `unit`, instead of one */
};

#define IN_STRING(unit) "{\"items\":[],\"x\":\"", unit, "\"}", "0"
#define IN_ARRAY(unit) "{\"items\":[],\"x\":[", unit, "0]}", "0"
#define IN_ITEMS(unit) "{\"items\":[", unit, "{\"value\":0}]}"
#define IN_ITEM(unit) "{\"items\":[{", unit, "\"value\":0}]}"

static const struct hostile hostile_bodies[] = {
    {"arrays", "", "[", "", "malformed_json 1024", 0},
    {"objects", "", "{\"a\":", "", "malformed_json 5120", 0},
    {"quotes", "", "\"", "", "malformed_json 2", 0},
    {"brackets up and down", IN_ARRAY("[[[[[{\"a\":[{}]}]]]]],"), 0},
    {"backslashes", IN_STRING("\\\\"), 0},
    {"quotes in a string", IN_STRING("\\\""), 0},
    {"escapes", IN_STRING("\\u0000"), 0},
    {"surrogates", IN_STRING("\\ud834"), 0},
    {"letters", IN_STRING("x"), 0},
    {"characters", IN_STRING("\xe4\xb8\xad"), 0},
    {"empty strings", IN_ARRAY("\"\","), 0},
    {"short strings", IN_ARRAY("\"\\\"\","), 0},
    {"digits", IN_ARRAY("7"), 0},
    {"decimals", "{\"items\":[],\"x\":0.", "3", "}", "0", 0},
    {"an exponent", "{\"items\":[],\"x\":0e", "0", "}", "0", 0},
    {"words", IN_ARRAY("null,"), 0},
    {"numbers", IN_ARRAY("-0.0e-0,"), 0},
    {"blanks", IN_ARRAY(" "), 0},
    {"lines", IN_ARRAY("\n"), 0},
    {"members", "{\"items\":[],", "\"k\":0,", "\"\":0}", "0", 0},
    {"arrays of items", "{", "\"items\":[{}],", "\"items\":[]}", "0", 0},
    {"escaped names", "{", "\"\\u0069tems\":3,", "\"items\":[]}", "0", 0},
    {"values", IN_ITEM("\"value\":1,"), "0", 0},
    {"objects as values", IN_ITEM("\"value\":{},"), "0", 0},
    {"escaped values", IN_ITEM("\"v\\u0061lue\":1,"), "0", 0},
    {"nearly the name", IN_ITEM("\"valu\\u0066\":1,\"values\":\"value\","), "0",
     0},
    {"items", IN_ITEMS("{\"value\":0},"), "0", 0},
    {"empty items", IN_ITEMS("{},"), "wrong_shape /items/0/value", 0},
    {"doubled items", IN_ITEMS("{\"value\":\"\",\"value\":0},"), "0", 0},
    {"19 digits",
     IN_ITEMS("{\"value\":1000000000000000000},"
              "{\"value\":-1000000000000000000},"),
     "0", 0},
    {"ties", IN_ITEMS("{\"value\":9007199254740993.000000000000000001},"),
     "wrong_shape /items/0/value", 0},
    {"wanted digits", "{\"items\":[{\"value\":", "7", "}]}",
     "wrong_shape /items/0/value", 0},
    {"wanted zeros", "{\"items\":[{\"value\":0.", "0", "1}]}",
     "wrong_shape /items/0/value", 0},
    {"keys of 1 MB", "{\"items\":[{\"value\":0", ",\"", "\":7}]}", "0",
     HOSTILE_KEY},
    {"a key of escapes", "{\"items\":[{\"value\":0,\"", "\\u0076", "\":7}]}",
     "0", 0},
};
#define HOSTILE_COUNT (sizeof hostile_bodies / sizeof hostile_bodies[0])

/* Units, as many as one piece takes, and letters of keys. */
struct hostile_piece {
    char units[HOSTILE_PIECE], letters[HOSTILE_PIECE];
    size_t n;
    size_t slice; /* what is fed at once */
};

static inline void hostile_fill(const struct hostile *h,
                                struct hostile_piece *piece)
{
    size_t unit = strlen(h->unit);
    size_t most = h->key > 0 ? unit : sizeof piece->units;
    memset(piece->letters, 'k', sizeof piece->letters);
    piece->slice = HOSTILE_PIECE;
    for (piece->n = 0; piece->n + unit <= most; piece->n += unit)
        memcpy(piece->units + piece->n, h->unit, unit);
}

static inline void hostile_feed(struct payload *p, const char *bytes, size_t n,
                                size_t slice, struct payload_result *a)
{
    for (size_t at = 0; a->ok && at < n; at += slice)
        a->ok = payload_feed(p, (const uint8_t *)bytes + at,
                             n - at < slice ? n - at : slice, &a->fault);
}

/* Feed about `size` bytes of it; `look` is called behind each piece. */
static inline struct payload_result
hostile_decode(const struct hostile *h, const struct hostile_piece *piece,
               struct payload *p, size_t size, void (*look)(void))
{
    struct payload_result a = {.ok = true};
    payload_begin(p);
    hostile_feed(p, h->before, strlen(h->before), piece->slice, &a);
    size_t round = h->key > 0 ? h->key : HOSTILE_PIECE;
    for (size_t fed = 0; a.ok && fed < size; fed += round) {
        if (fed > 0 && h->key > 0)
            hostile_feed(p, "\":7", 3, piece->slice, &a);
        hostile_feed(p, piece->units, piece->n, piece->slice, &a);
        for (size_t k = 0; a.ok && k < h->key; k += sizeof piece->letters)
            hostile_feed(p, piece->letters, sizeof piece->letters, piece->slice,
                         &a);
        if (look != NULL)
            look();
    }
    if (a.ok)
        hostile_feed(p, h->behind, strlen(h->behind), piece->slice, &a);
    a.ok = a.ok && payload_finish(p, &a.tally, &a.fault);
    return a;
}

#endif
