/* worker: from its start to its end, in this process. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/signals.h"
#include "worker/worker.h"
#include "allocations.h"
#include "quiet.h"
#include "good_config.h"
#include "unit.h"

static struct config *config;
static struct endpoint_table *table;
static struct listener listener;
static struct worker_plan plan;
static int client;

/* The worker has a connection, and is told to end before it serves it. */
static int told;

int accept4(int fd, __SOCKADDR_ARG peer, socklen_t *restrict n, int flags)
{
    long got = syscall(SYS_accept4, fd, peer, n, flags);
    if (got >= 0 && told != 0)
        raise(told);
    return (int)got;
}

#define PARAMS                                                                 \
    "\1\4\0\1\0\64\0\0\16\4REQUEST_METHODPOST\13\1SCRIPT_NAME/"                \
    "\16\2CONTENT_LENGTH12\1\4\0\1\0\0\0\0"
#define BODY "\1\5\0\1\0\14\0\0{\"items\":[]}\1\5\0\1\0\0\0\0"
#define HEAD(keep) "\1\1\0\1\0\10\0\0\0\1" keep "\0\0\0\0\0" PARAMS
#define REQUEST(keep) HEAD(keep) BODY

/* The kernel gives an abstract address. */
static void open_listener(void)
{
    struct sockaddr_un {
        sa_family_t family;
        char path[108];
    } at = {.family = AF_UNIX};
    socklen_t n = sizeof at.family;
    listener = (struct listener){
        .fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), .is_unix = true};
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener.fd, (struct sockaddr *)&at, n), 0);
    ck_assert_int_eq(listen(listener.fd, 8), 0);
    n = sizeof at;
    ck_assert_int_eq(getsockname(listener.fd, (struct sockaddr *)&at, &n), 0);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&at, n), 0);
}

static void open_worker(void)
{
    /* What waits is not hurried: its time is over before. */
    static const char *const settings[] = {"endpoint any.path=/",
                                           "pool.keepalive_idle=1s",
                                           "pool.header_timeout=1s"};
    char why[CONFIG_ERROR_MAX];
    quiet();
    signals_init();
    config = GOOD_CONFIG(settings);
    table = endpoint_table_new(config, why, sizeof why);
    ck_assert_msg(table != NULL, "%s", why);
    open_listener();
    struct scoreboard *board = scoreboard_new("", 1, NULL);
    ck_assert(board != NULL && endpoint_table_join(table, board, 1));
    plan = (struct worker_plan){
        .pool = &config->pool,
        .endpoints = table,
        .board = board,
        .slot = &board->slots[0],
        .seat.idle_set = idle_set_new(1),
        .conn_pool = conn_pool_new(8, listener.fd, why, sizeof why),
        .workers_most = 1,
        .listener = &listener};
    ck_assert_msg(plan.conn_pool != NULL, "%s", why);
    ck_assert_ptr_nonnull(plan.seat.idle_set);
    conn_pool_join(
        plan.conn_pool, 1,
        (struct conn_count_counters){&plan.slot->counters[COUNTER_connections],
                                     &plan.slot->counters[COUNTER_closed]});
    board->watched = 1; /* else it would call its parent, which is Check */
    told = 0;
    close(STDIN_FILENO); /* whatever the test was started with */
    ck_assert_int_eq(open("/dev/null", O_RDONLY), STDIN_FILENO);
}

static void close_worker(void)
{
    close(client);
    close(listener.fd);
    conn_pool_free(&plan.conn_pool);
    idle_set_free(&plan.seat.idle_set);
    scoreboard_free(plan.board);
    endpoint_table_free(&table);
    config_free(&config);
}

enum kind { ALONE, SUPERVISED, ORPHAN };

static void run(enum kind kind, int64_t drain_timeout)
{
    config->pool.drain_timeout = drain_timeout;
    plan.supervisor = kind == ALONE        ? 0
                      : kind == SUPERVISED ? getppid()
                                           : getpid();
    ck_assert_int_eq(worker_run(&plan), EXIT_SUCCESS);
}

/* The statuses of all replies so far: "200 503 ". */
static void read_statuses(char statuses[32])
{
    static const char mark[] = "Status: ";
    char bytes[8192];
    ssize_t n = recv(client, bytes, sizeof bytes, MSG_DONTWAIT);
    const char *at = bytes, *end = bytes + (n > 0 ? n : 0);
    statuses[0] = '\0';
    while ((at = memmem(at, (size_t)(end - at), mark, strlen(mark))) != NULL) {
        at += strlen(mark);
        strncat(statuses, at, 4);
    }
}

/* Two requests wait on a connection when it is taken, and with it comes a
 * signal. Whether the second one is served, or told that there is no time left,
 * or left to the others, is the matter of the signal. */
START_TEST(a_worker_that_is_told_to_end_has_a_rule_for_what_waits)
{
    static const char requests[] = REQUEST("\1") REQUEST("\0");
    static const struct {
        const char *statuses;
        enum kind kind;
        int signal;
        int64_t drain_timeout;
    } cases[] = {
        {"200 200 ", ALONE, SIGTERM, 3600 * CLOCK_SECOND},
        {"200 503 ", ALONE, SIGTERM, 0},
        {"200 200 ", ALONE, SIGQUIT, 3600 * CLOCK_SECOND},
        {"200 200 ", ALONE, SIGUSR1, 3600 * CLOCK_SECOND},
        {"200 ", ALONE, SIGINT, 3600 * CLOCK_SECOND},
        {"200 ", SUPERVISED, SIGTERM, 3600 * CLOCK_SECOND},
        {"200 ", SUPERVISED, SIGINT, 3600 * CLOCK_SECOND},
        {"200 200 ", SUPERVISED, SIGUSR2, 3600 * CLOCK_SECOND},
        {"200 503 ", SUPERVISED, SIGUSR2, 0},
        {"200 200 ", ORPHAN, SIGTERM, 3600 * CLOCK_SECOND},
        {"200 503 ", ORPHAN, SIGTERM, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char statuses[32];
        if (i > 0)
            open_worker();
        ck_assert_int_eq(send(client, requests, sizeof requests - 1, 0),
                         sizeof requests - 1);
        told = cases[i].signal;
        run(cases[i].kind, cases[i].drain_timeout);
        read_statuses(statuses);
        ck_assert_msg(strcmp(statuses, cases[i].statuses) == 0,
                      "case %zu: %sinstead of %s", i, statuses,
                      cases[i].statuses);
        ck_assert_uint_eq(plan.slot->counters[COUNTER_body_bytes],
                          12 * strlen(statuses) / 4);
        ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFD), 0);
        if (i + 1 < sizeof cases / sizeof cases[0])
            close_worker();
    }
}
END_TEST

/* timeout(1) sends it twice; here it comes all the time. */
START_TEST(an_order_that_is_told_twice_is_one)
{
    struct sigevent order = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGTERM};
    const struct itimerspec always = {.it_value.tv_nsec = CLOCK_MS,
                                      .it_interval.tv_nsec = CLOCK_MS};
    timer_t timer;
    int64_t began = clock_now();
    close(client); /* it would be waited for */
    client = -1;
    config->pool.stop_delay = 50 * CLOCK_MS;
    ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &order, &timer), 0);
    ck_assert_int_eq(timer_settime(timer, 0, &always, NULL), 0);
    run(ALONE, 3600 * CLOCK_SECOND);
    timer_delete(timer);
    /* Had it ended at once, it would not have come so far. But after a second
     * in which the machine stood still the next order is another one. */
    ck_assert(clock_now() - began >= CLOCK_SECOND ||
              scoreboard_read_stage(plan.board) == POOL_DRAINING);
}
END_TEST

/* Its head is complete, and nothing follows before it is due. */
START_TEST(the_wait_for_a_body_is_time_of_the_body)
{
    static const char request[] = HEAD("\0");
    char statuses[32];
    config->pool.request_timeout = 10 * CLOCK_MS;
    ck_assert_int_eq(send(client, request, sizeof request - 1, 0),
                     sizeof request - 1);
    told = SIGTERM;
    run(ALONE, 3600 * CLOCK_SECOND);
    read_statuses(statuses);
    ck_assert_str_eq(statuses, "504 ");
    ck_assert_uint_eq(plan.slot->counters[COUNTER_body_bytes], 0);
    ck_assert_uint_gt(plan.slot->timings[TIMING_body].sum, 0);
}
END_TEST

START_TEST(no_memory_is_left_behind)
{
    long before = 0;
    for (int i = 0; i < 3; i++) {
        before = blocks; /* libraries keep what they make first */
        raise(SIGTERM);
        run(SUPERVISED, 0);
    }
    ck_assert_int_eq(blocks, before);
}
END_TEST

/* Where SIGUSR1 does not end it, and SIGTERM does. */
START_TEST(sigusr1_opens_the_log_again)
{
    char place[] = "/tmp/tallyd-worker-XXXXXX", path[64], why[200];
    ck_assert_ptr_nonnull(mkdtemp(place));
    snprintf(path, sizeof path, "%s/log", place);
    const struct log_plan to_file = {
        .level = LOG_ERROR, .file = path, .socket = "", .pool = ""};
    for (enum kind kind = ALONE; kind <= SUPERVISED; kind++) {
        if (kind > ALONE)
            open_worker();
        ck_assert_msg(log_start(&to_file, why, sizeof why), "%s", why);
        ck_assert_int_eq(unlink(path), 0);
        char *none = config->pool.log_file;
        config->pool.log_file = path;
        raise(SIGUSR1);
        raise(SIGTERM);
        run(kind, 0);
        config->pool.log_file = none;
        ck_assert_msg(unlink(path) == 0, "kind %d: not opened again", kind);
        if (kind < SUPERVISED)
            close_worker();
    }
    ck_assert_int_eq(rmdir(place), 0);
}
END_TEST

START_TEST(a_worker_that_can_serve_rings_the_bell)
{
    raise(SIGTERM);
    run(SUPERVISED, 0);
    ck_assert(idle_set_has_rung(plan.seat.idle_set));
    ck_assert_int_ne(idle_set_since(plan.seat.idle_set, 0), 0);
    ck_assert_uint_eq(plan.slot->counters[COUNTER_selftests], 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_worker_that_is_told_to_end_has_a_rule_for_what_waits,
        an_order_that_is_told_twice_is_one,
        the_wait_for_a_body_is_time_of_the_body,
        no_memory_is_left_behind,
        sigusr1_opens_the_log_again,
        a_worker_that_can_serve_rings_the_bell};
    return UNIT_RUN_WITH("worker", tests, open_worker, close_worker);
}
