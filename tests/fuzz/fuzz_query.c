/* fuzz_query: settings and a body by libFuzzer. The first line of the input is
 * `array`, the next `where`, a result, a copy, and the modes; what is left
 * is the body. A mistake must be told with a column within its text; a program
 * that was understood must evaluate the body the same whole and cut in two. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "decode/payload.h"
#include "decode/scan.h"
#include "query/query.h"

#define LINES 5
#define TEXT_ROOM 5000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

/* The next line, as a text. */
static const uint8_t *take_line(const uint8_t *at, const uint8_t *end,
                                char text[TEXT_ROOM])
{
    const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
    size_t n = (size_t)((stop == NULL ? end : stop) - at);
    size_t kept = n < TEXT_ROOM ? n : TEXT_ROOM - 1;
    memcpy(text, at, kept);
    text[kept] = '\0';
    return stop == NULL ? end : stop + 1;
}

/* What a body comes to, cut at `cut`: the result, or the fault's place. */
static void evaluate(const struct program *p, const uint8_t *body, size_t n,
                     size_t cut, struct payload_result *r, char **text)
{
    struct payload *payload =
        payload_new_program(p, SCAN_DEPTH_MAX, PAYLOAD_TYPED);
    check(payload != NULL);
    *r = (struct payload_result){.ok = false};
    payload_begin(payload);
    r->ok = payload_feed(payload, body, cut, &r->fault) &&
            payload_feed(payload, body + cut, n - cut, &r->fault) &&
            payload_finish(payload, &r->tally, &r->fault);
    *text = NULL;
    if (r->ok) {
        const char *result = payload_text(payload, &r->text_len);
        *text = malloc(r->text_len + 1);
        check(*text != NULL);
        memcpy(*text, result, r->text_len);
    }
    r->text = *text;
    payload_free(&payload);
}

static void compare(const struct program *p, const uint8_t *body, size_t n)
{
    struct payload_result whole, cut;
    char *texts[2], room[300];
    struct buf words;
    buf_init(&words, room, sizeof room);
    evaluate(p, body, n, n, &whole, &texts[0]);
    evaluate(p, body, n, n / 2, &cut, &texts[1]);
    check(payload_same(&whole, &cut, &words));
    free(texts[0]);
    free(texts[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char texts[LINES][TEXT_ROOM];
    const uint8_t *at = data, *end = data + size;
    for (size_t i = 0; i < LINES; i++)
        at = take_line(at, end, texts[i]);
    struct query_member members[] = {{false, "r", texts[2]},
                                     {true, "c", texts[3]}};
    const char *modes = texts[4];
    const struct query_settings s = {
        .array = texts[0],
        .where = texts[1],
        .members = members,
        .member_count = texts[3][0] == '\0' ? 1 : 2,
        .numbers = strchr(modes, 'd') ? PROGRAM_DOUBLE : PROGRAM_INT64,
        .strings = strchr(modes, 's') ? PROGRAM_STRINGS_NUMBER
                                      : PROGRAM_STRINGS_REFUSE,
        .missing = strchr(modes, 'm') ? PROGRAM_SKIP : PROGRAM_REFUSE,
        .null = strchr(modes, 'n') ? PROGRAM_ZERO : PROGRAM_REFUSE,
        .lines = strchr(modes, 'l') != NULL};
    struct program p;
    struct query_error error;
    if (query_compile(&p, &s, &error)) {
        compare(&p, at, (size_t)(end - at));
        program_free(&p);
    } else {
        check(error.message[0] != '\0' && error.column <= TEXT_ROOM);
    }
    return 0;
}
