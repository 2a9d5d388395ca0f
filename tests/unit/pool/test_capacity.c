/* capacity: what the number of workers and connections follows from. */
#include "pool/capacity.h"

#include <stdio.h>
#include <string.h>

#include "good_config.h"
#include "unit.h"

#define MB (UINT64_C(1) << 20)

static const struct capacity_means plenty = {4, 65536 * MB, 1 << 20,
                                             UINT64_MAX};
static char text[256];

static struct capacity with(const struct capacity_means *m, uint32_t made,
                            const char *const *list, size_t n)
{
    struct config *c = good_config(list, n);
    const struct capacity r = capacity_of(&c->pool, m, made);
    capacity_print(&r, m, text, sizeof text);
    config_free(&c);
    return r;
}

static struct capacity by_default(const struct capacity_means *m)
{
    return with(m, 0, NULL, 0);
}

static void expect(const struct capacity *c, uint32_t least, uint32_t most,
                   uint32_t connections, enum workers_bound bound)
{
    ck_assert_uint_eq(c->least, least);
    ck_assert_uint_eq(c->most, most);
    ck_assert_uint_eq(c->connections, connections);
    ck_assert_int_eq(c->bound, bound);
    ck_assert_ptr_nonnull(strstr(text, scoreboard_bound_text(bound)));
}

START_TEST(from_the_processors_to_what_there_is)
{
    struct capacity c = by_default(&plenty);
    expect(&c, 4, CAPACITY_WORKERS_MOST, 2 * CAPACITY_WORKERS_MOST,
           WORKERS_BOUND_MOST);
    struct capacity_means m = plenty;
    m.memory = 512 * MB;
    c = by_default(&m);
    expect(&c, 4, 256, 512, WORKERS_BOUND_MEMORY);
    m.processes = 100;
    c = by_default(&m);
    expect(&c, 4, 50, 512, WORKERS_BOUND_PROCESSES);
    m.files = 128 + 3 * 81 + 2;
    c = by_default(&m);
    expect(&c, 4, 40, 81, WORKERS_BOUND_FILES);
    m.cpus = 64;
    c = by_default(&m);
    expect(&c, 40, 40, 81, WORKERS_BOUND_FILES);
}
END_TEST

/* Whoever has next to nothing has a worker. */
START_TEST(never_none)
{
    const struct capacity_means nothing = {1, 0, 0, 0};
    struct capacity c = by_default(&nothing);
    expect(&c, 1, 1, 4, WORKERS_BOUND_MEMORY);
    ck_assert_uint_eq(c.spare, 1);
    static const struct capacity_means unknown = {1, UINT64_MAX, UINT64_MAX,
                                                  UINT64_MAX};
    c = by_default(&unknown);
    expect(&c, 1, CAPACITY_WORKERS_MOST, 2 * CAPACITY_WORKERS_MOST,
           WORKERS_BOUND_MOST);
}
END_TEST

START_TEST(connections_that_are_there_or_were_asked_for)
{
    static const char *const few[] = {"pool.max_connections=100"};
    struct capacity c = with(&plenty, 0, few, 1);
    expect(&c, 4, 50, 100, WORKERS_BOUND_CONNECTIONS);
    c = with(&plenty, 512, NULL, 0); /* after a reload */
    expect(&c, 4, 256, 512, WORKERS_BOUND_CONNECTIONS);
}
END_TEST

/* What a file has meant since before there was auto. */
START_TEST(a_number_is_that_number)
{
    static const char *const fixed[] = {"pool.workers=8"};
    static const char *const dynamic[] = {"pool.workers=300",
                                          "pool.process_model=dynamic"};
    static const char *const ondemand[] = {"pool.workers=8",
                                           "pool.process_model=ondemand"};
    static const char *const alone[] = {"pool.workers=0"};
    const struct capacity_means m = {64, 64 * MB, 4096, 20};
    struct capacity c = with(&m, 0, fixed, 1);
    expect(&c, 8, 8, 512, WORKERS_BOUND_SETTING);
    c = with(&m, 0, dynamic, 2);
    expect(&c, 1, 300, 512, WORKERS_BOUND_SETTING);
    ck_assert_uint_eq(c.rate, 32);
    ck_assert_uint_eq(c.spare, 1);
    c = with(&m, 0, ondemand, 2);
    expect(&c, 0, 8, 512, WORKERS_BOUND_SETTING);
    c = with(&m, 0, alone, 1);
    expect(&c, 0, 0, 512, WORKERS_BOUND_SETTING);
}
END_TEST

START_TEST(what_is_set_besides_auto)
{
    static const char *const list[] = {
        "pool.min_workers=10", "pool.spawn_rate=7", "pool.spare_workers=3"};
    struct capacity c = with(&plenty, 0, list, 3);
    ck_assert_uint_eq(c.least, 10);
    ck_assert_uint_eq(c.rate, 7);
    ck_assert_uint_eq(c.spare, 3);
    static const char *const ondemand[] = {"pool.process_model=ondemand"};
    c = with(&plenty, 0, ondemand, 1);
    ck_assert_uint_eq(c.least, 0);
    ck_assert_uint_eq(c.most, CAPACITY_WORKERS_MOST);
}
END_TEST

START_TEST(a_fixed_number_has_to_be_said)
{
    static const char *const list[] = {"pool.process_model=static"};
    char why[CONFIG_ERROR_MAX];
    ck_assert_ptr_null(config_load(NULL, NULL, list, 1, why));
    ck_assert_ptr_nonnull(strstr(why, "give a number"));
}
END_TEST

/* Cut where there is little room. */
START_TEST(words_have_a_bound)
{
    struct capacity c = by_default(&plenty);
    for (size_t room = 1; room < sizeof text; room++) {
        memset(text, 'x', sizeof text);
        capacity_print(&c, &plenty, text, room);
        ck_assert_ptr_nonnull(memchr(text, '\0', room));
        ck_assert_int_eq(text[room], 'x');
    }
}
END_TEST

START_TEST(this_system_has_some)
{
    char why[CONFIG_ERROR_MAX];
    struct config *c = config_load(NULL, NULL, NULL, 0, why);
    const struct capacity_means m = capacity_find_means(&c->pool);
    ck_assert_uint_ge(m.cpus, 1);
    ck_assert_uint_gt(m.memory, 0);
    ck_assert_uint_gt(m.files, 0);
    config_free(&c);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {from_the_processors_to_what_there_is,
                                  never_none,
                                  connections_that_are_there_or_were_asked_for,
                                  a_number_is_that_number,
                                  what_is_set_besides_auto,
                                  a_fixed_number_has_to_be_said,
                                  words_have_a_bound,
                                  this_system_has_some};
    return UNIT_MAIN("capacity", tests);
}
