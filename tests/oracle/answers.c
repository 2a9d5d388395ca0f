/* answers: what tallyd's decoders say of documents, for
 * tests/oracle/compare.js.
 *
 * Standard input: documents, each after its number and its length (two uint32,
 * this machine's order). Standard output: a line for each, what is said in
 * double and, after a tab, in int64:
 *
 *   sum BITS TEXT         the double's 64 bits in hexadecimal; TEXT is "none"
 *                         where the sum is no finite number
 *   sum TEXT              the same in int64
 *   malformed_json OFFSET
 *   wrong_shape POINTER
 *   differ WHO: WORDS     two decoders do not agree
 *
 * Typed on every path and json-c, each whole, cut by chance, and whole again. A
 * piece ends where memory ends: who reads past it crashes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decode/payload.h"
#include "decode/skim.h"

#define DOCUMENT_MAX (1 << 20)
#define MAX_DEPTH 64 /* as compare.js has it */

/* One decoder in each mode of numbers. */
struct decoder {
    const char *name;
    struct payload *by_mode[2];
};

static struct decoder decoders[SKIM_PATHS_MAX + 1];
static size_t decoder_count;
static uint8_t *page_end; /* of DOCUMENT_MAX bytes */
static uint8_t *document;

static void fail(const char *what)
{
    fprintf(stderr, "answers: %s\n", what);
    exit(EXIT_FAILURE);
}

static void open_memory(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *start = mmap(NULL, DOCUMENT_MAX + page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    document = malloc(DOCUMENT_MAX);
    if (start == MAP_FAILED || document == NULL ||
        mprotect(start + DOCUMENT_MAX, page, PROT_NONE) != 0)
        fail("memory is short");
    page_end = start + DOCUMENT_MAX;
}

static void open_decoders(void)
{
    struct skim_path paths[SKIM_PATHS_MAX];
    size_t path_count = skim_paths(paths);
    decoder_count = path_count + 1;
    for (size_t i = 0; i < decoder_count; i++)
        for (int mode = 0; mode < 2; mode++) {
            const struct shape shape = {"items", "value",
                                        mode == 0 ? TALLY_DOUBLE : TALLY_INT64,
                                        2, MAX_DEPTH};
            struct payload *p = payload_new(
                &shape, i < path_count ? PAYLOAD_TYPED : PAYLOAD_JSONC);
            if (p == NULL)
                fail("memory is short");
            payload_choose_path(p, i);
            decoders[i].name = i < path_count ? paths[i].name : "json-c";
            decoders[i].by_mode[mode] = p;
        }
}

static uint64_t random_state;

/* xorshift64 (Marsaglia, 2003). */
static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

/* Decode in pieces of up to `most` bytes, or whole. */
static struct payload_result decode(struct payload *p, size_t n, uint32_t most)
{
    struct payload_result a = {.ok = true};
    payload_begin(p);
    for (size_t at = 0; at < n && a.ok;) {
        size_t take = most == 0 ? n : 1 + random_below(most);
        if (take > n - at)
            take = n - at;
        memcpy(page_end - take, document + at, take);
        a.ok = payload_feed(p, page_end - take, take, &a.fault);
        at += take;
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

static bool expect_same(const struct payload_result *first,
                        const struct payload_result *other, const char *who,
                        const char *how)
{
    char room[300];
    struct buf words;
    buf_init(&words, room, sizeof room);
    bool same_sum = !first->ok || !other->ok ||
                    memcmp(&first->tally.approx, &other->tally.approx,
                           sizeof(double)) == 0 ||
                    first->tally.approx != first->tally.approx;
    if (payload_same(first, other, &words) && same_sum)
        return true;
    printf("differ %s, %s: %s", who, how, words.len > 0 ? room : "other bits");
    return false;
}

/* What all say in one mode: new, cut, and once more with what is remembered. */
static void answer(int mode, size_t n)
{
    static const uint32_t most[] = {1, 8, 40, 200, 2000};
    struct payload_result first = {.ok = false};
    for (size_t i = 0; i < decoder_count; i++) {
        struct payload *p = decoders[i].by_mode[mode];
        struct payload_result other = decode(p, n, 0);
        if (i == 0)
            first = other;
        if (!expect_same(&first, &other, decoders[i].name, "whole"))
            return;
        other = decode(p, n, most[random_below(5)]);
        if (!expect_same(&first, &other, decoders[i].name, "cut"))
            return;
        other = decode(p, n, 0);
        if (!expect_same(&first, &other, decoders[i].name, "again"))
            return;
    }
    put_answer(&first);
}

int main(void)
{
    uint32_t head[2]; /* number, length */
    open_memory();
    open_decoders();
    setvbuf(stdout, NULL, _IOLBF, 0); /* the peer waits for each line */
    while (fread(head, sizeof head, 1, stdin) == 1) {
        if (head[1] > DOCUMENT_MAX ||
            fread(document, 1, head[1], stdin) != head[1])
            fail("a document is too long or cut");
        random_state = UINT64_C(0x9e3779b97f4a7c15) * (head[0] + UINT64_C(1));
        answer(0, head[1]);
        putchar('\t');
        answer(1, head[1]);
        putchar('\n');
    }
    return EXIT_SUCCESS;
}
