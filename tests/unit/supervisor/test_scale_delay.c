/* scale: pools that follow the delay of their downstream, in a model. A request
 * takes a share of the CPUs, then a delay; a tick is a millisecond. */
#include "scale.h"

#define MOST 400
#define START_TAKES 3 /* ms */
#define CPUS 2

enum { ABSENT, STARTING, FREE, COMPUTING, POSTING };

struct pool {
    struct scale_limits l;
    struct scale scale;
    struct scale_order asked;
    uint32_t state[MOST];
    int64_t until[MOST]; /* of STARTING, POSTING */
    int64_t left[MOST];  /* of COMPUTING: us of a CPU */
    int64_t since[MOST]; /* of FREE; woken last in, first out */
    int64_t now;
    int64_t work;  /* us of a CPU that a request takes */
    int64_t delay; /* ns that it waits then */
    int64_t waiting, done, started, retired, limited;
    int64_t clients; /* each asks again when it is answered; 0: open loop */
    int64_t owed;    /* of the open loop: thousandths of a request */
    bool told;
};

static uint32_t count(const struct pool *p, uint32_t state)
{
    uint32_t n = 0;
    for (int i = 0; i < MOST; i++)
        n += p->state[i] == state;
    return n;
}

static uint32_t alive(const struct pool *p)
{
    return MOST - count(p, ABSENT);
}

static void count_stale(const struct pool *p, struct scale_sight *v)
{
    for (int i = 0; i < MOST; i++) {
        int64_t at = p->since[i] + p->l.idle_timeout;
        if (p->state[i] != FREE)
            continue;
        if (at <= p->now)
            v->stale++;
        else if (at < v->stale_at)
            v->stale_at = at;
    }
}

/* The first that is in a state, or of the free the one with the latest time. */
static int find(const struct pool *p, uint32_t state)
{
    int best = -1;
    for (int i = 0; i < MOST; i++)
        if (p->state[i] == state && (best < 0 || p->since[i] > p->since[best]))
            best = i;
    return best;
}

static void obey(struct pool *p)
{
    for (uint32_t n = p->asked.start; n > 0; n--) {
        int i = find(p, ABSENT);
        p->state[i] = STARTING;
        p->until[i] = p->now + START_TAKES * MS;
        p->started++;
    }
    for (uint32_t n = p->asked.retire; n > 0; n--) {
        p->state[find(p, FREE)] = ABSENT;
        p->retired++;
    }
    p->limited += p->asked.limited;
}

static void look(struct pool *p)
{
    struct scale_sight v = {.now = p->now,
                            .idle = count(p, FREE),
                            .busy = count(p, COMPUTING) + count(p, POSTING),
                            .starting = count(p, STARTING),
                            .stale_at = SCALE_NEVER,
                            .told = p->told};
    count_stale(p, &v);
    v.waiting = v.idle == 0 && p->waiting > 0;
    p->told = false;
    if (scale_asks(&p->scale, &p->l, &v))
        v.computing = count(p, COMPUTING);
    p->asked = scale_look(&p->scale, &p->l, &v);
    check_order(&p->l, &v, &p->asked);
    obey(p);
}

static void become_free(struct pool *p, int i)
{
    p->state[i] = FREE;
    p->since[i] = p->now;
}

static void answer(struct pool *p, int i)
{
    become_free(p, i);
    p->done++;
    p->waiting += p->clients > 0;
}

/* Those that are due; true: one has come up. */
static bool advance(struct pool *p)
{
    bool event = false;
    for (int i = 0; i < MOST; i++) {
        if (p->until[i] > p->now)
            continue;
        if (p->state[i] == POSTING)
            answer(p, i);
        event |= p->state[i] == STARTING;
        if (p->state[i] == STARTING)
            become_free(p, i);
    }
    return event;
}

static void take(struct pool *p)
{
    int i;
    while (p->waiting > 0 && (i = find(p, FREE)) >= 0) {
        p->state[i] = COMPUTING;
        p->left[i] = p->work;
        p->waiting--;
        p->told |= count(p, FREE) < p->asked.tell_below;
    }
    p->told |= p->asked.watch && p->waiting > 0;
}

/* A tick of the CPUs, in equal parts for those that want one. */
static void compute(struct pool *p)
{
    int64_t budget = CPUS * MS / 1000;
    uint32_t n;
    while (budget > 0 && (n = count(p, COMPUTING)) > 0) {
        int64_t each = budget / n > 0 ? budget / n : 1;
        for (int i = 0; i < MOST && budget > 0; i++) {
            if (p->state[i] != COMPUTING)
                continue;
            int64_t used = p->left[i] < each ? p->left[i] : each;
            p->left[i] -= used;
            budget -= used;
            if (p->left[i] > 0)
                continue;
            p->state[i] = POSTING;
            p->until[i] = p->now + p->delay;
            if (p->delay == 0)
                answer(p, i);
        }
    }
}

/* `rate` requests come in a second, evenly; for `ns`. */
static void run(struct pool *p, int64_t rate, int64_t ns)
{
    for (int64_t end = p->now + ns; p->now < end; p->now += MS) {
        bool event = advance(p);
        p->owed += rate;
        p->waiting += p->owed / 1000;
        p->owed %= 1000;
        take(p);
        compute(p);
        take(p);
        if (event || p->told || p->asked.look_at <= p->now)
            look(p);
    }
}

static void begin(struct pool *p, int64_t work, int64_t delay)
{
    *p = (struct pool){.l = {CPUS, MOST, 1, 1024, CPUS, 2 * S},
                       .now = 1000 * S,
                       .work = work,
                       .delay = delay};
    for (uint32_t i = 0; i < scale_first(&p->l); i++)
        p->state[i] = STARTING;
    look(p);
}

/* Little's law, within a fifth: workers in post are rate times delay. */
static void expect_needed(const struct pool *p, int64_t needed)
{
    EXPECT(alive(p) >= needed);
    EXPECT(alive(p) <= needed + needed / 5 + p->l.spare);
    EXPECT(p->waiting <= 2);
}

START_TEST(as_many_as_wait_for_the_downstream)
{
    static const struct {
        int64_t rate, delay;
    } loads[] = {{1000, 5}, {1000, 50}, {2000, 50}, {1000, 200}, {300, 1000}};
    for (int i = 0; i < 5; i++) {
        struct pool p;
        begin(&p, 100, loads[i].delay * MS);
        run(&p, loads[i].rate, 10 * S);
        expect_needed(&p, loads[i].rate * loads[i].delay / 1000);
        /* And so it stays. */
        int64_t changes = p.started + p.retired;
        run(&p, loads[i].rate, 20 * S);
        ck_assert_int_eq(p.started + p.retired, changes);
    }
}
END_TEST

/* Clients that wait for their answer: 64 at 5 ms. */
START_TEST(a_pool_is_there_in_milliseconds)
{
    struct pool p;
    begin(&p, 50, 5 * MS);
    run(&p, 0, S);
    p.clients = p.waiting = 64;
    run(&p, 0, 60 * MS);
    EXPECT(alive(&p) >= 64);
    run(&p, 0, 10 * S);
    EXPECT(alive(&p) <= 77);
    EXPECT(p.limited == 0);
}
END_TEST

START_TEST(a_downstream_that_is_slow_for_a_minute)
{
    struct pool p;
    begin(&p, 100, 5 * MS);
    run(&p, 1000, 10 * S);
    for (int i = 0; i < 3; i++) {
        p.delay = 300 * MS;
        run(&p, 1000, 60 * S);
        expect_needed(&p, 300);
        p.delay = 5 * MS;
        run(&p, 1000, 2 * p.l.idle_timeout + 2 * S);
        EXPECT(alive(&p) <= 7);
    }
}
END_TEST

/* 64 clients whose bodies are all the work. */
START_TEST(more_would_only_share_the_processors)
{
    struct pool p;
    begin(&p, 3000, 0);
    p.clients = p.waiting = 64;
    run(&p, 0, 20 * S);
    EXPECT(alive(&p) <= SCALE_CROWD * CPUS + CPUS);
    EXPECT(p.done >= 20 * 1000 * CPUS / 3 * 9 / 10);
    /* And when the work becomes waiting, they come. */
    p.work = 100;
    p.delay = 100 * MS;
    run(&p, 0, 2 * S);
    EXPECT(alive(&p) >= 64 && alive(&p) <= 77);
}
END_TEST

START_TEST(a_downstream_that_hangs)
{
    struct pool p;
    begin(&p, 100, 100000 * S);
    run(&p, 1000, 5 * S);
    EXPECT(alive(&p) == MOST);
    EXPECT(p.limited > 0 && p.limited <= 5);
    EXPECT(p.started == MOST - (int64_t)scale_first(&p.l));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        as_many_as_wait_for_the_downstream, a_pool_is_there_in_milliseconds,
        a_downstream_that_is_slow_for_a_minute,
        more_would_only_share_the_processors, a_downstream_that_hangs};
    return UNIT_MAIN("scale_delay", tests);
}
