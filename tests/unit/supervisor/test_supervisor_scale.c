/* supervisor: a number of children that follows what there is to do. The
 * requests are bytes of a pipe, and last until they are let go. */
#include <poll.h>

#include "fakes.h"

#define MOST 8
#define IDLE_TIMEOUT (CLOCK_SECOND / 2)

static struct idle_set *idle_set;
static int queue[2];
static struct {
    _Atomic int taken, let_go; /* requests */
    _Atomic int fail;          /* children end at once */
    _Atomic int large;         /* number of one that has much memory */
} * work;

static bool has_work(void)
{
    char byte;
    return read(queue[0], &byte, 1) == 1;
}

static void use_memory(size_t n)
{
    static char *room;
    room = malloc(n);
    ck_assert_ptr_nonnull(room);
    for (size_t i = 0; i < n; i += 4096)
        room[i] = 1;
}

static int serve(void *context, uint32_t number, uint32_t generation)
{
    const struct idle_set_seat seat = {idle_set, number};
    struct pollfd p = {.fd = queue[0], .events = POLLIN};
    (void)context, (void)generation;
    shared->starts++;
    if (work->fail)
        return 7;
    if (work->large == (int)number)
        use_memory(8 << 20);
    scoreboard_step(&board->slots[number], STEP_DONE);
    scoreboard_state(&board->slots[number], WORKER_IDLE);
    idle_set_ready(&seat);
    while (!signals_take(SIGTERM)) {
        ppoll(&p, 1, NULL, signals_waiting());
        if (!has_work())
            continue;
        idle_set_busy(&seat);
        scoreboard_count(&board->slots[number].begun);
        scoreboard_state(&board->slots[number], WORKER_BUSY);
        int ticket = ++work->taken;
        while (work->let_go < ticket)
            usleep(1000);
        scoreboard_state(&board->slots[number], WORKER_IDLE);
        idle_set_idle(&seat);
    }
    shared->done = board->stage > POOL_LEAVING;
    return 0;
}

static bool prepare_as_it_was(void *context, uint32_t generation,
                              struct generation_size *size)
{
    (void)generation;
    *size = *(const struct generation_size *)context;
    shared->prepared++;
    return true;
}

static void begin(uint32_t least, uint32_t spare)
{
    static struct generation_size size;
    size = (struct generation_size){.workers = {.least = least,
                                                .most = MOST,
                                                .spare = spare,
                                                .rate = 100,
                                                .idle_timeout = IDLE_TIMEOUT},
                                    .drain_timeout = LIMIT,
                                    .start_timeout = LIMIT};
    make_shared(2 * MOST);
    work = mmap(NULL, sizeof *work, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    work->large = -1;
    idle_set = idle_set_new(2 * MOST);
    ck_assert_ptr_nonnull(idle_set);
    ck_assert_int_eq(pipe2(queue, O_NONBLOCK), 0);
    const struct supervisor_plan plan = {
        .size = size,
        .board = board,
        .context = &size,
        .idle_set = idle_set,
        .queue = queue[0],
        .child = serve,
        .bury = bury,
        .buried = buried,
        .leave = leave,
        .retire = retire,
        .is_done = is_done,
        .reload = {
            .context = &size, .prepare = prepare_as_it_was, .adopt = adopt}};
    supervise(&plan);
}

static void send_requests(int n)
{
    static const char bytes[64];
    ck_assert_int_eq(write(queue[1], bytes, (size_t)n), n);
}

static void stop(void)
{
    kill(supervisor, SIGTERM);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(alive(), 0);
}

START_TEST(from_nobody_and_back)
{
    begin(0, 0);
    UNTIL(board->generation == 1);
    ck_assert_int_eq(shared->starts, 0);
    int64_t sent = clock_now();
    send_requests(1);
    UNTIL(work->taken == 1);
    bool late = clock_now() - sent >= CLOCK_SECOND; /* then another starts */
    UNTIL(board->workers == 1);
    work->let_go = 1;
    UNTIL(alive() == 0);
    UNTIL(board->workers == 0);
    ck_assert_uint_eq(board->retired_idle, (uint64_t)shared->starts);
    ck_assert(shared->starts == 1 || late);
    stop();
}
END_TEST

START_TEST(a_burst_gets_all_and_is_told_that_they_are_too_few)
{
    begin(1, 1);
    UNTIL(work->taken == 0 && alive() == 1);
    send_requests(MOST + 2);
    UNTIL(work->taken == MOST);
    UNTIL(board->workers_short >= 1);
    ck_assert_int_eq(alive(), MOST);
    work->let_go = 100;
    UNTIL(work->taken == MOST + 2);
    UNTIL(alive() == 1);
    UNTIL(board->workers == 1);
    ck_assert_uint_eq(board->exits_signal, 0);
    stop();
}
END_TEST

START_TEST(spare_ones_are_there_before_they_are_needed)
{
    begin(2, 3);
    UNTIL(alive() == 3);
    send_requests(2);
    UNTIL(work->taken == 2 && board->workers >= 5);
    ck_assert_uint_eq(board->workers_short, 0);
    work->let_go = 2;
    UNTIL(alive() == 3);
    stop();
}
END_TEST

static bool are_idle_for_long(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t since = idle_set_since(idle_set, i);
        if (since == 0 || clock_now() - since < IDLE_TIMEOUT)
            return false;
    }
    return true;
}

START_TEST(the_largest_leaves_first)
{
    begin(1, 1);
    work->large = 3;
    UNTIL(alive() == 1);
    send_requests(4);
    UNTIL(work->taken == 4);
    UNTIL(board->members[3].pid != 0);
    pid_t large = board->members[3].pid;
    kill(supervisor, SIGSTOP); /* until all have been idle for long enough */
    work->let_go = 4;
    UNTIL(are_idle_for_long(4));
    kill(supervisor, SIGCONT);
    UNTIL(alive() == 1);
    ck_assert_int_ne(kill(large, 0), 0);
    stop();
}
END_TEST

START_TEST(what_is_killed_is_replaced)
{
    uint64_t killed = 0;
    begin(0, 0);
    send_requests(2);
    UNTIL(work->taken == 2);
    for (uint32_t i = 0; i < board->slot_count; i++)
        if (board->slots[i].state == WORKER_BUSY) {
            UNTIL(board->members[i].pid != 0); /* a child may be faster */
            killed += kill(board->members[i].pid, SIGKILL) == 0;
        }
    UNTIL(board->exits_signal == killed && board->forks > killed);
    send_requests(2);
    UNTIL(work->taken == 4);
    work->let_go = 4;
    UNTIL(alive() == 0);
    stop();
}
END_TEST

START_TEST(starts_that_fail_are_repeated_with_pauses)
{
    begin(0, 0);
    work->fail = 1;
    send_requests(3);
    UNTIL(shared->starts >= 3);
    int64_t began = clock_now();
    int starts = shared->starts;
    UNTIL(clock_now() - began > CLOCK_SECOND / 2);
    starts = shared->starts - starts; /* 0.4, 0.8 s */
    ck_assert_int_le(starts, 2 + (clock_now() - began) / CLOCK_SECOND);
    ck_assert_int_le(alive(), 1);
    ck_assert_int_gt(board->retry_at, 0);
    work->fail = 0;
    UNTIL(work->taken == 3);
    work->let_go = 3;
    UNTIL(alive() == 0);
    stop();
}
END_TEST

START_TEST(a_reload_starts_as_many_as_are_busy)
{
    begin(0, 0);
    send_requests(3);
    /* A child may have taken its request before it is counted. */
    UNTIL(work->taken == 3 && board->forks >= 3);
    uint64_t forks = board->forks; /* one more if a start took a second */
    kill(supervisor, SIGHUP);
    UNTIL(board->generation == 2 && board->reloads_ended == 1);
    ck_assert_uint_eq(board->forks, forks + 3);
    send_requests(1);
    UNTIL(work->taken == 4);
    work->let_go = 4;
    UNTIL(alive() == 0);
    /* At least one, as a proof, though none is needed. */
    int starts = shared->starts;
    kill(supervisor, SIGHUP);
    UNTIL(board->reloads_ended == 2);
    ck_assert_uint_eq(board->generation, 3);
    ck_assert_int_eq(shared->starts, starts + 1);
    UNTIL(alive() == 0);
    stop();
}
END_TEST

START_TEST(a_reload_while_it_grows)
{
    begin(1, 1);
    UNTIL(alive() == 1);
    for (int i = 0; i < 20; i++) {
        send_requests(1);
        if (i % 5 == 4)
            kill(supervisor, SIGHUP);
        UNTIL(work->taken == i + 1);
        if (i >= 3)
            work->let_go = i - 3;
    }
    work->let_go = 20;
    UNTIL(alive() == 1 && board->reloads_begun == board->reloads_ended);
    ck_assert_uint_eq(board->reloads_failed, 0);
    ck_assert_uint_eq(board->exits_signal, 0);
    stop();
}
END_TEST

START_TEST(a_stop_without_anybody_there_serves_what_waits)
{
    begin(0, 0);
    UNTIL(board->generation == 1);
    kill(supervisor, SIGSTOP);
    kill(supervisor, SIGTERM);
    kill(supervisor, SIGCONT);
    ck_assert_int_eq(end_status(), 0);
    ck_assert_int_eq(shared->starts,
                     1); /* it empties queue and connection pool */
}
END_TEST

/* The first one as well as any other: the kernel says who is stopped. */
START_TEST(who_is_stopped_is_replaced)
{
    begin(1, 0);
    UNTIL(alive() == 1 && board->slots[0].state == WORKER_IDLE);
    pid_t stopped = board->members[0].pid;
    kill(stopped, SIGSTOP);
    UNTIL(board->idle_kills == 1);
    UNTIL(alive() == 1 && board->members[0].pid != stopped);
    ck_assert_uint_eq(board->exits_signal, 1);
    stop();
}
END_TEST

/* How often the supervisor went to sleep. */
static long switches(void)
{
    char path[64], line[256];
    long n = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)supervisor);
    FILE *f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f) != NULL)
        sscanf(line, "voluntary_ctxt_switches: %ld", &n);
    fclose(f);
    return n;
}

static bool is_still(void)
{
    int64_t began = clock_now();
    long before = switches();
    UNTIL(clock_now() - began > CLOCK_SECOND / 2);
    return switches() == before;
}

START_TEST(nobody_wakes_up_when_nothing_happens)
{
    begin(0, 0);
    send_requests(1);
    UNTIL(work->taken == 1);
    work->let_go = 1;
    UNTIL(alive() == 0);
    /* Sooner or later: it may have something left to do at first. */
    UNTIL(is_still());
    stop();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        from_nobody_and_back,
        a_burst_gets_all_and_is_told_that_they_are_too_few,
        spare_ones_are_there_before_they_are_needed,
        the_largest_leaves_first,
        what_is_killed_is_replaced,
        starts_that_fail_are_repeated_with_pauses,
        a_reload_starts_as_many_as_are_busy,
        a_reload_while_it_grows,
        a_stop_without_anybody_there_serves_what_waits,
        who_is_stopped_is_replaced,
        nobody_wakes_up_when_nothing_happens};
    return UNIT_MAIN("supervisor_scale", tests);
}
