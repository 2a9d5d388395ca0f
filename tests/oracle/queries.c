/* queries: what tallyd's decoders say of bodies under random settings, for
 * tests/oracle/queries.js.
 *
 * Standard input: number, bytes of settings, bytes of a body (three uint32,
 * this machine's order), and the two. No settings: those before. Settings are
 * lines KEY = VALUE. Standard output: a line for each:
 *
 *   result TEXT
 *   malformed_json
 *   wrong_shape POINTER
 *   out_of_range NAME
 *   refused KEY, COLUMN: WORDS   the settings are wrong
 *   differ WORDS                 the decoders do not agree, or one with itself
 *
 * Each decoder, typed on every instruction set of this machine and json-c, has
 * the body whole, cut by chance, and whole behind blanks, so that a window may
 * end anywhere in it. A piece ends where memory ends: who reads past it
 * crashes. */
#include <string.h>

#include "decode/payload.h"
#include "decode/scan.h"
#include "decode/window.h"
#include "query/query.h"
#include "decoder_input.h"

#define BODY_MAX (1 << 20)
#define SETTINGS_MAX 65536
#define ANSWER_MAX 65536

static uint8_t body[BODY_MAX];
static char settings_text[SETTINGS_MAX + 1];
static struct program program;
static struct payload *decoders[WINDOW_PATHS_MAX + 1];
static size_t decoder_count;

static enum program_mode mode_of(const char *text)
{
    return strcmp(text, "zero") == 0   ? PROGRAM_ZERO
           : strcmp(text, "skip") == 0 ? PROGRAM_SKIP
                                       : PROGRAM_REFUSE;
}

static void set(struct query_settings *s, struct query_member *members,
                const char *key, const char *value)
{
    if (strncmp(key, "result.", 7) == 0 || strncmp(key, "copy.", 5) == 0)
        members[s->member_count++] =
            (struct query_member){*key == 'c', strchr(key, '.') + 1, value};
    else if (strcmp(key, "array") == 0)
        s->array = value;
    else if (strcmp(key, "where") == 0)
        s->where = value;
    else if (strcmp(key, "numbers") == 0)
        s->numbers = *value == 'd' ? PROGRAM_DOUBLE : PROGRAM_INT64;
    else if (strcmp(key, "strings") == 0)
        s->strings =
            *value == 'n' ? PROGRAM_STRINGS_NUMBER : PROGRAM_STRINGS_REFUSE;
    else if (strcmp(key, "missing") == 0)
        s->missing = mode_of(value);
    else if (strcmp(key, "null") == 0)
        s->null = mode_of(value);
    else if (strcmp(key, "format") == 0)
        s->lines = *value == 'n';
    else
        fail(key);
}

static void open_decoders(void)
{
    const struct window_path *paths[WINDOW_PATHS_MAX];
    size_t n = window_paths(paths);
    for (size_t i = 0; i <= n; i++) {
        decoders[i] = payload_new_program(
            &program, SCAN_DEPTH_MAX, i < n ? PAYLOAD_TYPED : PAYLOAD_JSONC);
        if (decoders[i] == NULL)
            fail("memory is short");
        payload_choose_path(decoders[i], i);
    }
    decoder_count = n + 1;
}

static bool use_settings(char *text, struct query_error *error)
{
    struct query_member members[40];
    struct query_settings s = {.array = "items",
                               .where = "",
                               .members = members,
                               .field = "value",
                               .result = "sum",
                               .multiply = 2};
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *equals = strstr(line, " = ");
        *equals = '\0';
        set(&s, members, line, equals + 3);
    }
    for (size_t i = 0; i < decoder_count; i++)
        payload_free(&decoders[i]);
    decoder_count = 0;
    program_free(&program);
    if (!query_compile(&program, &s, error))
        return false;
    open_decoders();
    return true;
}

static void put_fault(const struct fault *f, char *answer)
{
    const char *end = strstr(f->reason, " does not fit");
    if (f->what == OUTCOME_out_of_range && end != NULL)
        snprintf(answer, ANSWER_MAX, "out_of_range %.*s",
                 (int)(end - f->reason), f->reason);
    else if (f->what == OUTCOME_wrong_shape)
        snprintf(answer, ANSWER_MAX, "wrong_shape %s", f->pointer);
    else
        snprintf(answer, ANSWER_MAX, "%s", outcome_name(f->what));
}

/* Decode in pieces of up to `most` bytes, or whole; with blanks before the body
 * if it is whole. */
static void decode(struct payload *p, size_t n, uint32_t most, size_t blanks,
                   char *answer)
{
    struct fault fault;
    struct tally ignored;
    bool ok = true;
    payload_begin(p);
    for (size_t at = 0; at < n && ok;) {
        size_t take = most == 0 ? n : 1 + random_below(most);
        if (take > n - at)
            take = n - at;
        uint8_t *piece = page_end - take;
        memcpy(piece, body + at, take);
        memset(piece - blanks, ' ', blanks);
        ok = payload_feed(p, piece - blanks, blanks + take, &fault);
        at += take;
    }
    if (!ok || !payload_finish(p, &ignored, &fault)) {
        put_fault(&fault, answer);
        return;
    }
    const char *text = payload_text(p, &n);
    snprintf(answer, ANSWER_MAX, "result %.*s", (int)n, text);
}

static void answer(size_t n)
{
    static const uint32_t most[] = {1, 8, 40, 200, 2000};
    static char first[ANSWER_MAX], other[ANSWER_MAX];
    for (size_t i = 0; i < 3 * decoder_count; i++) {
        uint32_t size = i % 3 == 1 ? most[random_below(5)] : 0;
        size_t blanks = i % 3 == 2 && n > 0 && n <= WINDOW_MAX
                            ? WINDOW_MAX - random_below((uint32_t)n)
                            : 0;
        decode(decoders[i / 3], n, size, blanks, i == 0 ? first : other);
        if (i > 0 && strcmp(first, other) != 0) {
            printf("differ decoder %zu, try %zu: %s, not %s\n", i / 3, i % 3,
                   other, first);
            return;
        }
    }
    puts(first);
}

int main(void)
{
    uint32_t head[3];
    struct query_error error = {.message = "no settings have come"};
    bool good = false;
    open_memory(BODY_MAX + WINDOW_MAX);
    setvbuf(stdout, NULL, _IOLBF, 0); /* the peer waits for each line */
    while (fread(head, sizeof head, 1, stdin) == 1) {
        if (head[1] > SETTINGS_MAX || head[2] > BODY_MAX ||
            fread(settings_text, 1, head[1], stdin) != head[1] ||
            fread(body, 1, head[2], stdin) != head[2])
            fail("a case is too long or cut");
        settings_text[head[1]] = '\0';
        random_begin(head[0]);
        if (head[1] > 0)
            good = use_settings(settings_text, &error);
        if (good)
            answer(head[2]);
        else
            printf("refused %s, %zu: %s\n", error.key, error.column,
                   error.message);
    }
    return EXIT_SUCCESS;
}
