/* breaker: every history of two workers, step by step, against a model; and
 * the rules one by one. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "downstream/breaker.h"
#include "unit.h"

#define WORKERS 2
#define COOLDOWN 3
#define LEASE 2

static const struct breaker_rules rules = {
    .failures = 2, .cooldown = COOLDOWN, .lease = LEASE};

/* --- The rules. --- */

static uint64_t word;

static enum breaker_verdict ask(int64_t now, uint32_t owner, uint32_t *epoch)
{
    return breaker_ask(&word, &rules, now, owner, epoch);
}

static void learn(int64_t now, uint32_t epoch, enum breaker_result result)
{
    word = breaker_learn(word, &rules, now, epoch, result);
}

static void fail_twice(int64_t now)
{
    uint32_t epoch;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ask(now, 0, &epoch), BREAKER_PASS);
        learn(now, epoch, BREAKER_BAD);
    }
    ck_assert_int_eq(breaker_state(word), BREAKER_OPEN);
}

static void open_word(void)
{
    word = 0;
}

START_TEST(failures_in_a_row_open_it)
{
    uint32_t epoch;
    ask(0, 0, &epoch);
    learn(0, epoch, BREAKER_BAD);
    ck_assert_uint_eq(breaker_failures(word), 1);
    learn(0, epoch, BREAKER_GOOD);
    ck_assert_uint_eq(breaker_failures(word), 0);
    learn(0, epoch, BREAKER_BAD);
    learn(0, epoch, BREAKER_UNKNOWN);
    ck_assert_int_eq(breaker_state(word), BREAKER_CLOSED);
    learn(0, epoch, BREAKER_BAD);
    ck_assert_int_eq(breaker_state(word), BREAKER_OPEN);
}
END_TEST

START_TEST(it_stays_open_for_the_cooldown)
{
    uint32_t epoch;
    fail_twice(100);
    for (int64_t now = 100; now < 100 + COOLDOWN; now++) {
        ck_assert_int_eq(ask(now, 1, &epoch), BREAKER_REFUSE);
        ck_assert_int_eq(breaker_left(word, now), 100 + COOLDOWN - now);
    }
    ck_assert_int_eq(ask(100 + COOLDOWN, 1, &epoch), BREAKER_PROBE);
}
END_TEST

START_TEST(one_probe_decides)
{
    uint32_t epoch, other;
    fail_twice(0);
    ck_assert_int_eq(ask(3, 0, &epoch), BREAKER_PROBE);
    ck_assert_int_eq(ask(3, 1, &other), BREAKER_REFUSE);
    learn(4, epoch, BREAKER_BAD);
    ck_assert_int_eq(ask(6, 0, &epoch), BREAKER_REFUSE);
    ck_assert_int_eq(ask(7, 0, &epoch), BREAKER_PROBE);
    learn(8, epoch, BREAKER_GOOD);
    ck_assert_int_eq(breaker_state(word), BREAKER_CLOSED);
    ck_assert_uint_eq(breaker_failures(word), 0);
}
END_TEST

START_TEST(a_probe_that_asked_nobody_leaves_room_for_another)
{
    uint32_t epoch;
    fail_twice(0);
    ask(3, 0, &epoch);
    learn(3, epoch, BREAKER_UNKNOWN);
    ck_assert_int_eq(ask(3, 1, &epoch), BREAKER_PROBE);
}
END_TEST

START_TEST(a_probe_that_does_not_come_back_is_given_up)
{
    uint32_t lost, epoch;
    fail_twice(0);
    ask(3, 0, &lost);
    ck_assert_int_eq(ask(3 + LEASE - 1, 1, &epoch), BREAKER_REFUSE);
    ck_assert_int_eq(ask(3 + LEASE, 1, &epoch), BREAKER_PROBE);
    learn(6, lost, BREAKER_GOOD);
    ck_assert_int_eq(breaker_state(word), BREAKER_HALF_OPEN);
    learn(6, epoch, BREAKER_GOOD);
    ck_assert_int_eq(breaker_state(word), BREAKER_CLOSED);
}
END_TEST

START_TEST(a_probe_dies_with_its_worker_and_no_other)
{
    uint32_t epoch;
    fail_twice(0);
    ask(3, 7, &epoch);
    word = breaker_bury(word, 3, 6);
    ck_assert_int_eq(ask(3, 1, &epoch), BREAKER_REFUSE);
    word = breaker_bury(word, 3, 7);
    ck_assert_int_eq(ask(3, 1, &epoch), BREAKER_PROBE);
    word = 0;
    ck_assert_uint_eq(breaker_bury(word, 3, 0), 0);
    fail_twice(0);
    uint64_t open = word;
    ck_assert_uint_eq(breaker_bury(word, 1, 0), open);
}
END_TEST

START_TEST(posts_that_began_before_an_outage_are_late)
{
    uint32_t early, epoch;
    ask(0, 1, &early);
    fail_twice(0);
    learn(1, early, BREAKER_GOOD);
    ck_assert_int_eq(breaker_state(word), BREAKER_OPEN);
    ask(3, 0, &epoch);
    learn(3, epoch, BREAKER_GOOD);
    for (int i = 0; i < 5; i++)
        learn(4, early, BREAKER_BAD);
    ck_assert_uint_eq(breaker_failures(word), 0);
}
END_TEST

/* Moments whose upper bits are lost, and the largest numbers there are. */
START_TEST(large_numbers_keep_to_their_bits)
{
    static const struct breaker_rules large = {
        BREAKER_FAILURES_MAX, INT64_C(3600000), INT64_C(3601000)};
    const int64_t ends[] = {INT64_C(1) << 38, INT64_C(1) << 37,
                            INT64_C(5) << 38, INT64_C(1) << 44};
    uint32_t epoch = 0, other;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        int64_t now = ends[i] - 1000000;
        word = 0;
        for (uint32_t n = 0; n < BREAKER_FAILURES_MAX; n++) {
            ck_assert_uint_eq(breaker_failures(word), n);
            ck_assert_int_eq(breaker_ask(&word, &large, now, 0, &epoch),
                             BREAKER_PASS);
            word = breaker_learn(word, &large, now, epoch, BREAKER_BAD);
        }
        ck_assert_int_eq(breaker_left(word, now), large.cooldown);
        now += large.cooldown;
        ck_assert_int_eq(breaker_left(word, now - 1), 1);
        ck_assert_int_eq(
            breaker_ask(&word, &large, now, BREAKER_OWNER_MAX, &epoch),
            BREAKER_PROBE);
        ck_assert_int_eq(breaker_left(word, now), large.lease);
        ck_assert_int_eq(breaker_ask(&word, &large, now, 0, &other),
                         BREAKER_REFUSE);
        word = breaker_bury(word, now, BREAKER_OWNER_MAX);
        ck_assert_int_eq(breaker_left(word, now + (INT64_C(1) << 36)), 0);
    }
}
END_TEST

START_TEST(epochs_go_round)
{
    uint32_t epoch, last = 0;
    for (int64_t i = 0; i < 10000; i++) {
        ck_assert_int_ne(ask(i * 100, 1, &epoch), BREAKER_REFUSE);
        ck_assert(i == 0 || i == 1 || epoch != last);
        last = epoch;
        learn(i * 100, epoch, BREAKER_BAD);
        ck_assert_int_ne(breaker_state(word), BREAKER_HALF_OPEN);
    }
}
END_TEST

/* --- Every history. --- */

/* What the words of breaker.h say, without bits and epochs. */
struct model {
    enum breaker_state state;
    unsigned failures;
    int until;
    int prober; /* half open; WORKERS: one that is no longer waited for */
};

/* A worker has a request on its way, or not. */
struct pass {
    bool held, probe, late; /* late: another state has come since */
    uint32_t epoch;
};

struct history {
    uint64_t word;
    int now;
    struct model model;
    struct pass passes[WORKERS];
};

static void move(struct history *h, enum breaker_state state, int until)
{
    h->model = (struct model){state, 0, until, WORKERS};
    for (int i = 0; i < WORKERS; i++)
        h->passes[i].late = true;
}

static enum breaker_verdict model_ask(struct history *h, int worker)
{
    if (h->model.state == BREAKER_CLOSED)
        return BREAKER_PASS;
    if (h->now < h->model.until)
        return BREAKER_REFUSE;
    move(h, BREAKER_HALF_OPEN, h->now + LEASE);
    h->model.prober = worker;
    return BREAKER_PROBE;
}

static void model_learn(struct history *h, int worker,
                        enum breaker_result result)
{
    struct model *m = &h->model;
    if (h->passes[worker].late)
        return;
    if (m->state == BREAKER_HALF_OPEN) {
        EXPECT(m->prober == worker && h->passes[worker].probe);
        if (result == BREAKER_GOOD)
            move(h, BREAKER_CLOSED, 0);
        else
            move(h, BREAKER_OPEN,
                 h->now + (result == BREAKER_BAD ? COOLDOWN : 0));
    } else if (result == BREAKER_GOOD) {
        m->failures = 0;
    } else if (result == BREAKER_BAD && ++m->failures >= rules.failures) {
        move(h, BREAKER_OPEN, h->now + COOLDOWN);
    }
}

enum { ASK, GOOD, BAD, UNKNOWN, DIE, STEPS };

/* False: this worker cannot do that now. */
static bool step(struct history *h, int what, int worker)
{
    struct pass *p = &h->passes[worker];
    if (what == ASK) {
        uint32_t epoch = 0;
        if (p->held)
            return false;
        enum breaker_verdict wanted = model_ask(h, worker);
        EXPECT(breaker_ask(&h->word, &rules, h->now, (uint32_t)worker,
                           &epoch) == wanted);
        if (wanted == BREAKER_REFUSE)
            return false;
        *p = (struct pass){true, wanted == BREAKER_PROBE, false, epoch};
        return true;
    }
    if (!p->held)
        return false;
    if (what == DIE) {
        h->word = breaker_bury(h->word, h->now, (uint32_t)worker);
        if (h->model.state == BREAKER_HALF_OPEN && h->model.prober == worker)
            move(h, BREAKER_OPEN, h->now);
    } else {
        enum breaker_result result = (enum breaker_result)(what - GOOD);
        h->word = breaker_learn(h->word, &rules, h->now, p->epoch, result);
        model_learn(h, worker, result);
    }
    p->held = false;
    return true;
}

static void compare(const struct history *h)
{
    const struct model *m = &h->model;
    int probes = 0;
    EXPECT(breaker_state(h->word) == m->state);
    EXPECT(breaker_failures(h->word) == m->failures);
    int left =
        m->state == BREAKER_CLOSED || m->until < h->now ? 0 : m->until - h->now;
    EXPECT(breaker_left(h->word, h->now) == left);
    /* Nothing lasts: whoever dies, somebody may try after this. */
    EXPECT(left <= (COOLDOWN > LEASE ? COOLDOWN : LEASE));
    for (int i = 0; i < WORKERS; i++)
        probes += h->passes[i].held && h->passes[i].probe && !h->passes[i].late;
    EXPECT(probes <= 1);
    EXPECT(probes == 0 || m->state == BREAKER_HALF_OPEN);
}

static unsigned long histories, seen[3];

static void explore(const struct history *from, int depth)
{
    histories++;
    seen[breaker_state(from->word)]++;
    compare(from);
    if (depth == 0)
        return;
    for (int i = 0; i < STEPS * WORKERS; i++) {
        struct history h = *from;
        if (step(&h, i % STEPS, i / STEPS))
            explore(&h, depth - 1);
    }
    struct history later = *from;
    later.now++;
    explore(&later, depth - 1);
}

START_TEST(every_history_is_as_the_model_says)
{
    /* From the first moment, and from the end of the first outage. */
    struct history h = {0};
    explore(&h, 10);
    for (int i = 0; i < 2; i++)
        EXPECT(step(&h, ASK, 0) && step(&h, BAD, 0));
    EXPECT(h.model.state == BREAKER_OPEN);
    h.now += COOLDOWN;
    explore(&h, 10);
    ck_assert_uint_gt(histories, 1000000);
    for (int i = 0; i < 3; i++)
        ck_assert_uint_gt(seen[i], 10000);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        failures_in_a_row_open_it,
        it_stays_open_for_the_cooldown,
        one_probe_decides,
        a_probe_that_asked_nobody_leaves_room_for_another,
        a_probe_that_does_not_come_back_is_given_up,
        a_probe_dies_with_its_worker_and_no_other,
        posts_that_began_before_an_outage_are_late,
        large_numbers_keep_to_their_bits,
        epochs_go_round,
        every_history_is_as_the_model_says};
    return UNIT_RUN_WITH("breaker", tests, open_word, NULL);
}
