/* circuit and guard: breakers shared by processes that die at any moment. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/config_load.h"
#include "downstream/circuit.h"
#include "scoreboard/view.h"
#include "worker/guard.h"
#include "quiet.h"
#include "unit.h"

#define WORKERS 4
#define KILLS 300

static struct shared {
    struct circuit circuits[CIRCUITS_MAX];
    _Atomic int probing[WORKERS]; /* this worker is between ask and answer */
    _Atomic unsigned probes, doubled, answers;
} * shared;

static void open_shared(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
}

/* --- Which is whose. --- */

static struct circuit *claim(uint64_t key, uint32_t generation, uint32_t oldest)
{
    return circuit_claim(shared->circuits, key, generation, oldest);
}

START_TEST(a_key_is_made_of_all_its_parts)
{
    const uint64_t keys[] = {
        circuit_key("a", "http://b", ""), circuit_key("", "ahttp://b", ""),
        circuit_key("a", "http://", "b"), circuit_key("ah", "ttp://b", ""),
        circuit_key("", "", "")};
    size_t n = sizeof keys / sizeof keys[0];
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_ne(keys[i], 0);
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(keys[i], keys[j]);
    }
    ck_assert_uint_eq(keys[0], circuit_key("a", "http://b", ""));
}
END_TEST

START_TEST(a_reload_finds_it_as_it_was_unless_nobody_used_it)
{
    struct circuit *c = claim(7, 1, 1);
    c->word = 1234;
    ck_assert_ptr_eq(claim(7, 2, 1), c);
    ck_assert_uint_eq(c->word, 1234);
    ck_assert_ptr_eq(circuit_find(shared->circuits, 7), c);
    ck_assert_ptr_null(circuit_find(shared->circuits, 8));
    ck_assert_ptr_eq(claim(7, 4, 3), c);
    ck_assert_uint_eq(c->word, 0);
}
END_TEST

START_TEST(what_nobody_uses_is_used_anew)
{
    for (uint64_t key = 1; key <= CIRCUITS_MAX; key++) {
        struct circuit *c = claim(key, key == 5 ? 2 : 1, 1);
        ck_assert_ptr_nonnull(c);
        c->word = 99;
    }
    ck_assert_ptr_null(claim(1000, 2, 1));
    ck_assert_ptr_nonnull(claim(3, 2, 1));
    for (uint64_t key = 1000; key < 1000 + CIRCUITS_MAX - 2; key++) {
        struct circuit *c = claim(key, 3, 2);
        ck_assert_ptr_nonnull(c);
        ck_assert_uint_eq(c->word, 0);
    }
    ck_assert_ptr_null(claim(2000, 3, 2));
    ck_assert_ptr_nonnull(circuit_find(shared->circuits, 3));
    ck_assert_ptr_nonnull(circuit_find(shared->circuits, 5));
    ck_assert_ptr_null(circuit_find(shared->circuits, 4));
}
END_TEST

/* --- Workers that are killed. --- */

/* Fails as often as not, so that it opens all the time. A probe is given up by
 * its worker's death alone: the lease is for ever. */
static const struct breaker_rules hectic = {
    .failures = 2, .cooldown = 1, .lease = INT64_C(1) << 36};

static int64_t now_ms(void)
{
    return clock_now() / CLOCK_MS;
}

static void probe(uint32_t owner)
{
    shared->probing[owner] = 1;
    shared->probes++;
    for (int i = 0; i < WORKERS; i++)
        if (i != (int)owner && shared->probing[i] != 0)
            shared->doubled++;
    for (volatile int i = 0; i < 1000; i++)
        ;
    shared->probing[owner] = 0;
}

static void work(uint32_t owner)
{
    uint32_t epoch, random = owner * 2654435761u + (uint32_t)getpid();
    int64_t left;
    for (;;) {
        enum breaker_verdict v = circuit_enter(&shared->circuits[0], &hectic,
                                               now_ms(), owner, &epoch, &left);
        if (v == BREAKER_REFUSE)
            continue;
        if (v == BREAKER_PROBE)
            probe(owner);
        random = random * 1664525u + 1013904223u;
        circuit_leave(&shared->circuits[0], &hectic, now_ms(), epoch,
                      random >> 16 & 1 ? BREAKER_GOOD : BREAKER_BAD);
        shared->answers++;
    }
}

static pid_t fork_worker(uint32_t owner)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        work(owner);
    return pid;
}

/* As the supervisor does: reap, then clear up. */
static void kill_worker(pid_t pid, uint32_t owner)
{
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    shared->probing[owner] = 0;
    circuit_bury(shared->circuits, now_ms(), owner);
}

static void wait_for_probes(unsigned count)
{
    int64_t end = clock_now() + 300 * CLOCK_SECOND;
    unsigned before = shared->probes;
    while (shared->probes - before < count) {
        ck_assert_msg(clock_now() < end, "nobody probes any more");
        usleep(100);
    }
}

START_TEST(workers_that_die_leave_nothing_half_open)
{
    pid_t pids[WORKERS];
    for (uint32_t i = 0; i < WORKERS; i++)
        pids[i] = fork_worker(i);
    for (uint32_t n = 0; n < KILLS; n++) {
        wait_for_probes(2);
        kill_worker(pids[n % WORKERS], n % WORKERS);
        pids[n % WORKERS] = fork_worker(n % WORKERS);
    }
    wait_for_probes(2);
    for (uint32_t i = 0; i < WORKERS; i++)
        kill_worker(pids[i], i);
    ck_assert_uint_eq(shared->doubled, 0);
    ck_assert_uint_gt(shared->answers, shared->probes);
    ck_assert_int_ne(breaker_state(shared->circuits[0].word),
                     BREAKER_HALF_OPEN);
}
END_TEST

START_TEST(a_probe_whose_worker_is_killed_is_free_at_once)
{
    struct circuit *c = &shared->circuits[0];
    uint32_t epoch;
    int64_t left;
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 2; i++) {
            circuit_enter(c, &hectic, 0, 3, &epoch, &left);
            circuit_leave(c, &hectic, 0, epoch, BREAKER_BAD);
        }
        if (circuit_enter(c, &hectic, 1, 3, &epoch, &left) == BREAKER_PROBE)
            raise(SIGKILL);
        _exit(1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(breaker_state(c->word), BREAKER_HALF_OPEN);
    ck_assert_int_eq(circuit_enter(c, &hectic, 2, 0, &epoch, &left),
                     BREAKER_REFUSE);
    ck_assert_int_eq(left, 0);
    circuit_bury(shared->circuits, 2, 2);
    ck_assert_int_eq(circuit_enter(c, &hectic, 2, 0, &epoch, &left),
                     BREAKER_REFUSE);
    circuit_bury(shared->circuits, 2, 3);
    ck_assert_int_eq(circuit_enter(c, &hectic, 2, 0, &epoch, &left),
                     BREAKER_PROBE);
}
END_TEST

/* --- Around a post. --- */

static struct config *config;
static struct endpoint_table *table;
static struct scoreboard *board;

static void open_pool(void)
{
    static const char *const settings[] = {
        "endpoint a.path=/a",     "endpoint a.downstream=http://[::1]:1/",
        "endpoint a.breaker=2",   "endpoint a.breaker_cooldown=1h",
        "endpoint b.path=/b",     "endpoint b.downstream=http://[::1]:1/",
        "endpoint b.breaker=1",   "endpoint b.breaker_cooldown=1500ms",
        "endpoint off.path=/off", "endpoint off.downstream=http://[::1]:1/"};
    char why[CONFIG_ERROR_MAX];
    config =
        config_load(NULL, settings, sizeof settings / sizeof settings[0], why);
    ck_assert_msg(config != NULL, "%s", why);
    table = endpoint_table_new(config, why, sizeof why);
    board = scoreboard_new("", 4, NULL);
    ck_assert(table != NULL && board != NULL);
    quiet();
}

static void close_pool(void)
{
    scoreboard_free(board);
    endpoint_table_free(&table);
    config_free(&config);
}

static struct guard_pass pass; /* of the last post */

static bool post(const struct endpoint *e, int number, enum outcome o,
                 int status)
{
    const struct downstream_report report = {.status = status};
    if (!guard_enter(e, &board->slots[number], &pass))
        return false;
    guard_leave(e, &board->slots[number], &pass, o, &report);
    return true;
}

START_TEST(an_endpoint_has_its_own_and_only_if_asked_for)
{
    open_pool();
    ck_assert_ptr_null(table->list[0].circuit);
    ck_assert(endpoint_table_join(table, board, 1));
    ck_assert_ptr_nonnull(table->list[0].circuit);
    ck_assert_ptr_nonnull(table->list[1].circuit);
    ck_assert_ptr_ne(table->list[0].circuit, table->list[1].circuit);
    ck_assert_ptr_null(table->list[2].circuit);
    struct view view;
    struct view_breaker seen[CONFIG_ENDPOINTS_MAX];
    view_glance(&view, board, config);
    ck_assert_uint_eq(view_breakers(&view, seen), 2);
    ck_assert_str_eq(seen[0].endpoint, config->endpoints[0]->name);
    ck_assert_str_eq(seen[1].endpoint, config->endpoints[1]->name);
    ck_assert_int_eq(table->list[1].rules.cooldown, 1500);
    ck_assert_int_eq(table->list[1].rules.lease, 11000);
    close_pool();
}
END_TEST

START_TEST(posts_are_refused_while_it_is_open)
{
    open_pool();
    ck_assert(endpoint_table_join(table, board, 1));
    const struct endpoint *a = &table->list[0], *b = &table->list[1];
    ck_assert(post(a, 0, OUTCOME_downstream_connect, 0));
    ck_assert(post(a, 1, OUTCOME_downstream_status, 404));
    ck_assert(post(a, 0, OUTCOME_downstream_timeout, 0));
    ck_assert(post(a, 3, OUTCOME_internal, 0));
    ck_assert(post(a, 2, OUTCOME_downstream_status, 503));
    ck_assert_uint_eq(board->slots[2].counters[COUNTER_breaker_opened], 1);
    ck_assert(!post(a, 3, OUTCOME_ok, 200));
    ck_assert_int_eq(pass.retry_after, 3600);
    ck_assert_ptr_nonnull(strstr(pass.why, "open for another 3"));
    ck_assert(post(b, 3, OUTCOME_ok, 200));
    ck_assert(post(b, 3, OUTCOME_downstream_broken, 0));
    ck_assert(!post(b, 3, OUTCOME_ok, 200));
    ck_assert_int_eq(pass.retry_after, 2);
    close_pool();
}
END_TEST

START_TEST(the_probe_is_counted_and_the_others_told)
{
    const struct downstream_report report = {.status = 200};
    struct guard_pass probe;
    open_pool();
    ck_assert(endpoint_table_join(table, board, 1));
    struct endpoint *b = &table->list[1];
    b->rules.cooldown = 0;
    ck_assert(post(b, 0, OUTCOME_downstream_broken, 0));
    ck_assert(guard_enter(b, &board->slots[1], &probe));
    ck_assert_uint_eq(board->slots[1].counters[COUNTER_breaker_probes], 1);
    ck_assert(!post(b, 0, OUTCOME_ok, 200));
    ck_assert_int_eq(pass.retry_after, 0);
    ck_assert_ptr_nonnull(strstr(pass.why, "half open"));
    guard_leave(b, &board->slots[1], &probe, OUTCOME_ok, &report);
    ck_assert(post(b, 0, OUTCOME_ok, 200));
    ck_assert_uint_eq(board->slots[0].counters[COUNTER_breaker_probes], 0);
    close_pool();
}
END_TEST

/* Does a post that ends so open a breaker that one failure opens? */
static bool opens(struct endpoint *e, enum outcome o, int status)
{
    atomic_store(&e->circuit->word, 0);
    ck_assert(post(e, 0, o, status));
    return !post(e, 0, OUTCOME_ok, 200);
}

START_TEST(only_failures_of_the_downstream_count)
{
    open_pool();
    ck_assert(endpoint_table_join(table, board, 1));
    struct endpoint *b = &table->list[1];
    b->rules.cooldown = 3600 * 1000;
    for (enum outcome o = 0; o < OUTCOME_COUNT; o++)
        ck_assert_msg(opens(b, o, 0) == (o == OUTCOME_downstream_connect ||
                                         o == OUTCOME_downstream_broken ||
                                         o == OUTCOME_downstream_timeout ||
                                         o == OUTCOME_request_timeout),
                      "%s", outcome_name(o));
    ck_assert(!opens(b, OUTCOME_downstream_status, 499));
    ck_assert(opens(b, OUTCOME_downstream_status, 500));
    ck_assert(opens(b, OUTCOME_downstream_status, 599));
    close_pool();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_key_is_made_of_all_its_parts,
        a_reload_finds_it_as_it_was_unless_nobody_used_it,
        what_nobody_uses_is_used_anew,
        workers_that_die_leave_nothing_half_open,
        a_probe_whose_worker_is_killed_is_free_at_once,
        an_endpoint_has_its_own_and_only_if_asked_for,
        posts_are_refused_while_it_is_open,
        the_probe_is_counted_and_the_others_told,
        only_failures_of_the_downstream_count};
    return UNIT_RUN_WITH("circuit", tests, open_shared, NULL);
}
