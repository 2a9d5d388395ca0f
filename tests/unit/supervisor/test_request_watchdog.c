/* request_watchdog: who is busy for too long is asked, and killed for that
 * request and no other. The clock is not waited for: requests are begun in the
 * past. */
#include "supervisor/request_watchdog.h"
#include "temp_file.h"
#include "watched.h"

#define REQUEST_LIMIT (5 * CLOCK_SECOND)
#define WAIT_LIMIT CLOCK_SECOND /* of request_watchdog.c */
#define LONG_AGO (3600 * CLOCK_SECOND)

static int64_t at; /* the next look, as the last one has said */

static void open_worker(void)
{
    watched_open(3);
    slot->limit = REQUEST_LIMIT;
    slot->write_limit = 3 * CLOCK_SECOND;
    watched_start(watched_hang);
}

static int64_t begin(enum worker_state state, int64_t ago)
{
    int64_t since = clock_now() - ago;
    scoreboard_begin(slot, since);
    scoreboard_state(slot, state);
    return since;
}

static void look(void)
{
    at = request_watchdog_look(&worker_set, false);
}

/* Look until a case that there was is closed. */
static void wait_for_verdict(void)
{
    int64_t end = clock_now() + DEADLINE, due = at;
    while (at == due) {
        ck_assert(clock_now() < end);
        usleep(1000);
        look();
    }
}

START_TEST(an_idle_pool_is_looked_at_when_others_may_begin)
{
    look();
    ck_assert_int_eq(at, CLOCK_NEVER);
    int64_t now = clock_now();
    at = request_watchdog_look(&worker_set, true);
    ck_assert_int_ge(at, now + REQUEST_LIMIT + WAIT_LIMIT);
    ck_assert_int_le(at, clock_now() + REQUEST_LIMIT + WAIT_LIMIT);
}
END_TEST

START_TEST(each_state_has_its_time)
{
    int64_t since = begin(WORKER_POSTING, CLOCK_SECOND);
    look();
    ck_assert_int_eq(at, since + REQUEST_LIMIT + WAIT_LIMIT);
    /* The reply of one that was answered in time may take its own. */
    since = begin(WORKER_WRITING, REQUEST_LIMIT + 2 * CLOCK_SECOND);
    look();
    ck_assert_int_lt(at, since + REQUEST_LIMIT + WAIT_LIMIT +
                             2 * slot->write_limit + 1);
    ck_assert(!backtrace_is_asked(&slot->stack));
    begin(WORKER_WRITING, LONG_AGO);
    look();
    ck_assert(backtrace_is_asked(&slot->stack));
}
END_TEST

START_TEST(one_without_a_limit_is_left_alone)
{
    slot->limit = 0;
    begin(WORKER_BUSY, LONG_AGO);
    at = request_watchdog_look(&worker_set, true);
    ck_assert(!backtrace_is_asked(&slot->stack));
    ck_assert_int_eq(at, CLOCK_NEVER);
}
END_TEST

START_TEST(an_idle_one_is_left_alone)
{
    begin(WORKER_IDLE, LONG_AGO);
    look();
    ck_assert(!backtrace_is_asked(&slot->stack));
}
END_TEST

START_TEST(one_that_is_stuck_is_asked_and_killed)
{
    begin(WORKER_BUSY, LONG_AGO);
    look();
    ck_assert(backtrace_is_asked(&slot->stack));
    ck_assert_uint_eq(board->overdue_kills, 0);
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    int64_t end = clock_now() + DEADLINE;
    while (slot->stack.given != slot->begun) /* it has its time to answer */
        ck_assert(clock_now() < end);
    watched_expect_killed(look);
    ck_assert_uint_eq(board->overdue_kills, 1);
    /* Its slot is filled again: the next one has a clean record. */
    worker_set_vacate(&worker_set, 1);
    ck_assert(!backtrace_is_asked(&slot->stack));
    look();
    ck_assert_uint_eq(board->overdue_kills, 1);
}
END_TEST

START_TEST(one_that_is_stopped_is_killed)
{
    kill(child, SIGSTOP);
    ck_assert_int_eq(waitpid(child, NULL, WUNTRACED), child);
    begin(WORKER_READING, LONG_AGO);
    look();
    watched_expect_killed(look);
    ck_assert_uint_eq(slot->stack.given, 0);
    ck_assert_uint_eq(board->overdue_kills, 1);
}
END_TEST

START_TEST(one_that_comes_back_is_not_killed)
{
    begin(WORKER_BUSY, LONG_AGO);
    look();
    scoreboard_state(slot, WORKER_IDLE);
    wait_for_verdict();
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    ck_assert_uint_eq(board->overdue_kills, 0);
    /* It is to leave, and finds that out by itself. */
    ck_assert(backtrace_is_asked(&slot->stack));
}
END_TEST

START_TEST(another_request_is_not_killed)
{
    begin(WORKER_BUSY, LONG_AGO);
    look();
    begin(WORKER_BUSY, 0);
    wait_for_verdict();
    ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
    ck_assert_uint_eq(board->overdue_kills, 0);
}
END_TEST

START_TEST(the_first_slot_is_looked_at_like_others)
{
    slot = &board->slots[0];
    slot->limit = REQUEST_LIMIT;
    worker_set.members[0].pid = child;
    int64_t since = begin(WORKER_BUSY, CLOCK_SECOND);
    look();
    ck_assert_int_eq(at, since + REQUEST_LIMIT + WAIT_LIMIT);
}
END_TEST

/* There is room for another slot, and what lies there looks like a worker. */
START_TEST(nothing_behind_the_last_slot_is_looked_at)
{
    struct scoreboard_slot *behind = &board->slots[2];
    worker_set.members[2] = worker_set.members[1];
    behind->limit = REQUEST_LIMIT;
    scoreboard_begin(behind, clock_now() - LONG_AGO);
    scoreboard_state(behind, WORKER_BUSY);
    look();
    ck_assert_int_eq(at, CLOCK_NEVER);
    ck_assert(!backtrace_is_asked(&behind->stack));
}
END_TEST

/* Its time is over, now. */
static void look_in_time(void)
{
    worker_set.members[1].overdue.kill_at = clock_now();
    look();
}

/* The lines about it, in the log from now on. */
static char log_path[] = "/tmp/test_request_watchdog-XXXXXX";

static void keep_log(void)
{
    const struct log_plan plan = {
        .level = LOG_WARN, .file = log_path, .socket = "", .pool = ""};
    char why[200];
    temp_file_make(log_path);
    ck_assert_msg(log_start(&plan, why, sizeof why), "%s", why);
}

static void expect_log(const char *part, int lines)
{
    char text[4096] = "";
    int n = 0;
    int fd = open(log_path, O_RDONLY);
    ck_assert_int_ge(read(fd, text, sizeof text - 1), 0);
    close(fd);
    unlink(log_path);
    for (const char *end = text; (end = strchr(end, '\n')) != NULL; end++)
        n++;
    ck_assert_msg(n == lines, "%d lines: %s", n, text);
    ck_assert_msg(lines == 0 || strstr(text, part) != NULL, "%s", text);
}

/* The kernel may take its time, and the supervisor to be told of the end. */
START_TEST(one_that_is_killed_is_told_of_once)
{
    keep_log();
    begin(WORKER_BUSY, LONG_AGO);
    look();
    for (int i = 0; i < 3; i++)
        look_in_time();
    request_watchdog_ended(&worker_set, 1);
    ck_assert_uint_eq(board->overdue_kills, 1);
    expect_log("is stuck and killed", 1);
}
END_TEST

START_TEST(one_that_ends_when_it_comes_back_is_told_of)
{
    keep_log();
    begin(WORKER_BUSY, LONG_AGO);
    look();
    scoreboard_state(slot, WORKER_IDLE);
    request_watchdog_ended(&worker_set, 1);
    expect_log("came back late", 1);
}
END_TEST

START_TEST(one_that_was_told_of_may_end)
{
    keep_log();
    begin(WORKER_BUSY, LONG_AGO);
    look();
    scoreboard_state(slot, WORKER_IDLE);
    look_in_time();
    request_watchdog_ended(&worker_set, 1);
    expect_log("came back late", 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_idle_pool_is_looked_at_when_others_may_begin,
        each_state_has_its_time,
        one_without_a_limit_is_left_alone,
        an_idle_one_is_left_alone,
        one_that_is_stuck_is_asked_and_killed,
        one_that_is_stopped_is_killed,
        one_that_comes_back_is_not_killed,
        another_request_is_not_killed,
        the_first_slot_is_looked_at_like_others,
        nothing_behind_the_last_slot_is_looked_at,
        one_that_is_killed_is_told_of_once,
        one_that_ends_when_it_comes_back_is_told_of,
        one_that_was_told_of_may_end};
    return UNIT_RUN_WITH("request_watchdog", tests, open_worker, watched_close);
}
