/* queries: settings and a body, and what the two come to as one line of text.
 * Each decoder, and each instruction set of it, has to say the same. */
#ifndef TALLYD_TESTS_QUERIES_H
#define TALLYD_TESTS_QUERIES_H

#include <stdio.h>
#include <string.h>

#include "decode/payload.h"
#include "decode/scan.h"
#include "decode/window.h"
#include "query/query.h"
#include "unit.h"

/* What a test asks for: texts of settings, in short words. */
struct query_case {
    const char *array, *where;
    const char *members; /* "total = sum(a); copy id = order.id" */
    const char *modes; /* of: lines double number missing:zero null:skip ... */
};

static inline enum program_mode queries_mode(const char *modes, const char *of)
{
    char zero[32], skip[32];
    snprintf(zero, sizeof zero, "%s:zero", of);
    snprintf(skip, sizeof skip, "%s:skip", of);
    return strstr(modes, zero) != NULL   ? PROGRAM_ZERO
           : strstr(modes, skip) != NULL ? PROGRAM_SKIP
                                         : PROGRAM_REFUSE;
}

/* Cut "name = text; copy name = text" up, in place. */
static inline size_t queries_members(char *text, struct query_member *members)
{
    size_t count = 0;
    for (char *part = strtok(text, ";"); part != NULL;
         part = strtok(NULL, ";")) {
        char *equals = strstr(part, " = ");
        part += strspn(part, " ");
        *equals = '\0';
        members[count].copy = strncmp(part, "copy ", 5) == 0;
        members[count].name = part + (members[count].copy ? 5 : 0);
        members[count++].text = equals + 3;
    }
    return count;
}

static inline void queries_compile(struct program *p,
                                   const struct query_case *c)
{
    char text[4096];
    struct query_member members[40];
    struct query_error error;
    const char *modes = c->modes == NULL ? "" : c->modes;
    snprintf(text, sizeof text, "%s", c->members == NULL ? "" : c->members);
    const struct query_settings s = {
        .array = c->array == NULL ? "$" : c->array,
        .where = c->where == NULL ? "" : c->where,
        .members = members,
        .member_count = queries_members(text, members),
        .field = "value",
        .result = "sum",
        .multiply = 2,
        .numbers = strstr(modes, "double") ? PROGRAM_DOUBLE : PROGRAM_INT64,
        .strings = strstr(modes, "number") ? PROGRAM_STRINGS_NUMBER
                                           : PROGRAM_STRINGS_REFUSE,
        .missing = queries_mode(modes, "missing"),
        .null = queries_mode(modes, "null"),
        .lines = strstr(modes, "lines") != NULL};
    ck_assert_msg(query_compile(p, &s, &error), "%s, column %zu: %s", error.key,
                  error.column, error.message);
}

/* Decode a body that comes in two pieces, and put into words what it comes to.
 */
static inline void queries_decode(struct payload *payload, const char *body,
                                  size_t n, size_t cut, struct buf *answer)
{
    struct tally ignored;
    struct fault f = {.reason = "nothing is told"};
    const uint8_t *bytes = (const uint8_t *)body;
    payload_begin(payload);
    bool ok = payload_feed(payload, bytes, cut, &f) &&
              payload_feed(payload, bytes + cut, n - cut, &f) &&
              payload_finish(payload, &ignored, &f);
    size_t len;
    const char *text = payload_text(payload, &len);
    buf_reset(answer);
    if (ok)
        buf_add(answer, text, len);
    else
        buf_printf(answer, "%s %s%s%s", outcome_name(f.what), f.pointer,
                   f.pointer[0] == '\0' ? "" : ": ", f.reason);
}

/* The result, or what is wrong: "wrong_shape /0/a: not a number". */
static inline const char *queries_answer(const struct program *p,
                                         const char *body, size_t n, size_t cut)
{
    static char room[2][40000];
    const struct window_path *paths[WINDOW_PATHS_MAX];
    size_t count = window_paths(paths);
    struct buf answers[2];
    buf_init(&answers[0], room[0], sizeof room[0]);
    buf_init(&answers[1], room[1], sizeof room[1]);
    for (size_t i = 0; i <= count; i++) {
        struct payload *payload = payload_new_program(
            p, SCAN_DEPTH_MAX, i < count ? PAYLOAD_TYPED : PAYLOAD_JSONC);
        payload_choose_path(payload, i);
        queries_decode(payload, body, n, cut, &answers[i > 0]);
        payload_free(&payload);
        ck_assert_msg(i == 0 || strcmp(room[0], room[1]) == 0,
                      "decoder %zu: %s, not %s, of %.*s", i, room[1], room[0],
                      (int)n, body);
    }
    return room[0];
}

#endif
