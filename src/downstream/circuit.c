/* circuit: see circuit.h. */
#include "downstream/circuit.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/hash.h"

/* Each part ends with its 0, so that no two lists of parts are the same bytes.
 */
static uint64_t hash(uint64_t h, const char *part)
{
    return hash_bytes(h, part, strlen(part) + 1);
}

uint64_t circuit_key(const char *endpoint, const char *url, const char *socket)
{
    uint64_t h = hash(hash(hash(HASH_START, endpoint), url), socket);
    return h == 0 ? 1 : h;
}

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

/* False: somebody else has changed it, and *was is what it is now. */
static bool replace(struct circuit *c, uint64_t *was, uint64_t word)
{
    return word == *was ||
           atomic_compare_exchange_weak_explicit(
               &c->word, was, word, memory_order_relaxed, memory_order_relaxed);
}

static struct circuit *find(struct circuit all[CIRCUITS_MAX], uint64_t key)
{
    for (size_t i = 0; i < CIRCUITS_MAX; i++)
        if (load(&all[i].key) == key)
            return &all[i];
    return NULL;
}

static bool is_free(const struct circuit *c, uint32_t oldest)
{
    return load(&c->key) == 0 || c->generation < oldest;
}

static struct circuit *find_free(struct circuit all[CIRCUITS_MAX],
                                 uint32_t oldest)
{
    for (size_t i = 0; i < CIRCUITS_MAX; i++)
        if (is_free(&all[i], oldest))
            return &all[i];
    return NULL;
}

struct circuit *circuit_claim(struct circuit all[CIRCUITS_MAX], uint64_t key,
                              uint32_t generation, uint32_t oldest)
{
    struct circuit *c = find(all, key);
    if (c == NULL)
        c = find_free(all, oldest);
    if (c == NULL)
        return NULL;
    if (is_free(c, oldest)) {
        atomic_store(&c->word, 0);
        atomic_store(&c->key, key);
    }
    c->generation = generation;
    return c;
}

const struct circuit *circuit_find(const struct circuit all[CIRCUITS_MAX],
                                   uint64_t key)
{
    return find((struct circuit *)(uintptr_t)all, key);
}

enum breaker_verdict circuit_enter(struct circuit *c,
                                   const struct breaker_rules *rules,
                                   int64_t now, uint32_t owner, uint32_t *epoch,
                                   int64_t *left)
{
    uint64_t was = load(&c->word), word;
    enum breaker_verdict verdict;
    do {
        word = was;
        verdict = breaker_ask(&word, rules, now, owner, epoch);
    } while (!replace(c, &was, word));
    *left = breaker_state(word) == BREAKER_OPEN ? breaker_left(word, now) : 0;
    return verdict;
}

struct circuit_change circuit_leave(struct circuit *c,
                                    const struct breaker_rules *rules,
                                    int64_t now, uint32_t epoch,
                                    enum breaker_result result)
{
    uint64_t was = load(&c->word), word;
    do
        word = breaker_learn(was, rules, now, epoch, result);
    while (!replace(c, &was, word));
    return (struct circuit_change){breaker_state(was), breaker_state(word)};
}

void circuit_bury(struct circuit all[CIRCUITS_MAX], int64_t now, uint32_t owner)
{
    for (size_t i = 0; i < CIRCUITS_MAX; i++) {
        uint64_t was = load(&all[i].word), word;
        do
            word = breaker_bury(was, now, owner);
        while (!replace(&all[i], &was, word));
    }
}
