/* answers: what tallyd's decoders say of documents, for
 * tests/oracle/compare.js.
 *
 * Standard input: documents, each after its number, its length and the depth
 * that is allowed (three uint32, this machine's order). Standard output: a line
 * for each, what is said in double and, after a tab, in int64:
 *
 *   sum BITS TEXT         the double's 64 bits in hexadecimal; TEXT is "none"
 *                         where the sum is no finite number
 *   sum TEXT              the same in int64
 *   malformed_json OFFSET
 *   wrong_shape POINTER
 *   differ WHO: WORDS     two decoders do not agree
 *
 * Typed on every path and json-c, each whole, cut by chance, and whole again;
 * with the argument "cuts" also in two pieces, cut at every byte, and byte by
 * byte. A piece ends where memory ends: who reads past it crashes. */
#include <string.h>

#include "decode/payload.h"
#include "decode/window.h"
#include "decoder_input.h"

#define DOCUMENT_MAX (1 << 20)
#define DEPTH_MAX 256

/* The decoders: typed on each path, then json-c. One payload for each mode of
 * numbers and each depth, once it is needed. */
static const struct window_path *paths[WINDOW_PATHS_MAX];
static size_t path_count;
static struct payload *payloads[WINDOW_PATHS_MAX + 1][2][DEPTH_MAX + 1];
static bool cuts; /* cut everywhere */
static uint8_t document[DOCUMENT_MAX];

static struct payload *payload_of(size_t decoder, int mode, uint32_t depth)
{
    struct payload **p = &payloads[decoder][mode][depth];
    const struct shape shape = {
        "items", "value", mode == 0 ? TALLY_DOUBLE : TALLY_INT64, 2, depth};
    if (*p == NULL)
        *p = payload_new(&shape,
                         decoder < path_count ? PAYLOAD_TYPED : PAYLOAD_JSONC);
    if (*p == NULL)
        fail("memory is short");
    payload_choose_path(*p, decoder);
    return *p;
}

/* Feed [*at, *at + take). */
static void feed(struct payload *p, size_t *at, size_t take,
                 struct payload_result *a)
{
    memcpy(page_end - take, document + *at, take);
    a->ok = payload_feed(p, page_end - take, take, &a->fault);
    *at += take;
}

/* Decode in a first piece, and others of up to `most` bytes, or whole. */
static struct payload_result decode(struct payload *p, size_t n, size_t first,
                                    uint32_t most)
{
    struct payload_result a = {.ok = true};
    size_t at = 0;
    payload_begin(p);
    if (first > 0)
        feed(p, &at, first, &a);
    while (at < n && a.ok) {
        size_t take = most == 0 ? n - at : 1 + random_below(most);
        feed(p, &at, take < n - at ? take : n - at, &a);
    }
    a.ok = a.ok && payload_finish(p, &a.tally, &a.fault);
    return a;
}

static void put_sum(const struct tally *t)
{
    char text[TALLY_TEXT_MAX];
    size_t n = tally_print(t, text);
    uint64_t bits;
    memcpy(&bits, &t->approx, sizeof bits);
    if (t->numbers == TALLY_DOUBLE)
        printf("sum %016llx ", (unsigned long long)bits);
    else
        printf("sum ");
    printf("%.*s", n > 0 ? (int)n : 4, n > 0 ? text : "none");
}

static void put_answer(const struct payload_result *a)
{
    if (a->ok)
        put_sum(&a->tally);
    else if (a->fault.what == OUTCOME_malformed_json)
        printf("malformed_json %llu", (unsigned long long)a->fault.offset);
    else
        printf("%s %s", outcome_name(a->fault.what), a->fault.pointer);
}

static bool same_place(const struct fault *a, const struct fault *b)
{
    return a->what != OUTCOME_malformed_json ||
           (a->line == b->line && a->column == b->column);
}

static bool expect_same(const struct payload_result *first,
                        const struct payload_result *other, const char *who,
                        const char *how, size_t cut)
{
    char room[300];
    struct buf words;
    buf_init(&words, room, sizeof room);
    if (payload_same(first, other, &words) && first->ok &&
        memcmp(&first->tally.approx, &other->tally.approx, sizeof(double)) !=
            0 &&
        first->tally.approx == first->tally.approx)
        buf_str(&words, "other bits");
    else if (words.len == 0 && !first->ok &&
             !same_place(&first->fault, &other->fault))
        buf_str(&words, "another line or column");
    if (words.len == 0)
        return true;
    printf("differ %s, %s %zu: %s", who, how, cut, room);
    return false;
}

/* What one decoder says however the document is cut. */
static bool check_cuts(struct payload *p, size_t n, const char *who,
                       const struct payload_result *first)
{
    struct payload_result other;
    for (size_t cut = 1; cut < n; cut++) {
        other = decode(p, n, cut, 0);
        if (!expect_same(first, &other, who, "cut at", cut))
            return false;
    }
    other = decode(p, n, 0, 1);
    return expect_same(first, &other, who, "pieces of", 1);
}

/* What all say in one mode: new, cut, and once more with what is remembered. */
static void answer(int mode, size_t n, uint32_t depth)
{
    static const uint32_t most[] = {1, 8, 40, 200, 2000};
    struct payload_result first = {.ok = false};
    for (size_t i = 0; i <= path_count; i++) {
        const char *name = i < path_count ? paths[i]->name : "json-c";
        struct payload *p = payload_of(i, mode, depth);
        struct payload_result other = decode(p, n, 0, 0);
        if (i == 0)
            first = other;
        if (!expect_same(&first, &other, name, "of", n))
            return;
        uint32_t piece = most[random_below(5)];
        other = decode(p, n, 0, piece);
        if (!expect_same(&first, &other, name, "pieces up to", piece))
            return;
        other = decode(p, n, 0, 0);
        if (!expect_same(&first, &other, name, "again", n))
            return;
        if (cuts && !check_cuts(p, n, name, &first))
            return;
    }
    put_answer(&first);
}

int main(int argc, char **argv)
{
    uint32_t head[3]; /* number, length, depth */
    cuts = argc > 1 && strcmp(argv[1], "cuts") == 0;
    open_memory(DOCUMENT_MAX);
    path_count = window_paths(paths);
    setvbuf(stdout, NULL, _IOLBF, 0); /* the peer waits for each line */
    while (fread(head, sizeof head, 1, stdin) == 1) {
        if (head[1] > DOCUMENT_MAX || head[2] > DEPTH_MAX ||
            fread(document, 1, head[1], stdin) != head[1])
            fail("a document is too long, too deep or cut");
        random_begin(head[0]);
        answer(0, head[1], head[2]);
        putchar('\t');
        answer(1, head[1], head[2]);
        putchar('\n');
    }
    return EXIT_SUCCESS;
}
