/* payload: however long a body is, and whatever it is made of, the typed
 * decoder takes no more memory. HOSTILE_MB=64 in the environment makes them
 * longer than 4 MB. How long it takes is what tests/hostile/run counts. */
#include <malloc.h>

#include "answers.h"
#include "hostile.h"

/* Beside its state a decoder may keep this much... */
#define KEPT_MAX ((size_t)64 * 1024)

static size_t most_used;

static size_t used(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

static void look(void)
{
    size_t now = used();
    most_used = now > most_used ? now : most_used;
}

/* ... and twice the text of one key or number that comes in pieces. */
static size_t kept_of(const struct hostile *h, size_t size)
{
    bool one_text = strncmp(h->name, "wanted", 6) == 0 ||
                    strcmp(h->name, "a key of escapes") == 0;
    return KEPT_MAX + 2 * (one_text ? size + HOSTILE_PIECE : h->key) +
           (h->key > 0 ? HOSTILE_PIECE : 0);
}

static void check(const struct hostile *h, const struct reader *r, size_t size)
{
    static struct hostile_piece piece;
    char got[300];
    hostile_fill(h, &piece);
    size_t before = used();
    most_used = before;
    struct payload_result a = hostile_decode(h, &piece, r->payload, size, look);
    answers_put(got, sizeof got, &a);
    if (strcmp(got, h->answer) != 0)
        ck_abort_msg("%s: %s: wanted \"%s\", got \"%s\"", r->name, h->name,
                     h->answer, got);
    if (most_used - before > kept_of(h, size))
        ck_abort_msg("%s: %s: %zu bytes more", r->name, h->name,
                     most_used - before);
}

START_TEST(memory_does_not_grow_with_a_body)
{
    const char *longer = getenv("HOSTILE_MB");
    size_t size = (size_t)(longer == NULL ? 4 : atol(longer)) << 20;
    const struct shape shape = {"items", "value", TALLY_INT64, 2,
                                SCAN_DEPTH_MAX};
    struct reader readers[READERS_MAX];
    size_t count = answers_open(readers, &shape, 64);
    for (size_t i = 0; i + 1 < count; i++) /* json-c keeps a tree */
        for (size_t h = 0; h < HOSTILE_COUNT; h++) {
            /* New each time: what one body needed is not kept for the next. */
            payload_free(&readers[i].payload);
            readers[i].payload = payload_new(&shape, PAYLOAD_TYPED);
            payload_choose_path(readers[i].payload, i);
            check(&hostile_bodies[h], &readers[i], size);
        }
    answers_close(readers, count);
}
END_TEST

/* A sanitizer has an allocator that mallinfo2(3) does not know. */
#if defined __has_feature
#if __has_feature(address_sanitizer)
#define UNCOUNTED
#endif
#elif defined __SANITIZE_ADDRESS__
#define UNCOUNTED
#endif

START_TEST(memory_is_counted)
{
#if !defined UNCOUNTED
    size_t before = used();
    char *volatile more = malloc(1 << 20);
    ck_assert_uint_ge(used(), before + (1 << 20));
    free(more);
#endif
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {memory_does_not_grow_with_a_body,
                                  memory_is_counted};
    return UNIT_MAIN("payload_hostile", tests);
}
