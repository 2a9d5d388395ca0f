/* scoreboard and status: shared counters, and what is said of them. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "scoreboard/scoreboard.h"
#include "status/status.h"
#include "quiet.h"
#include "unit.h"

START_TEST(children_count_in_shared_memory)
{
    struct scoreboard *b = scoreboard_new("", 2, NULL);
    ck_assert_ptr_nonnull(b);
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 1000; i++)
            scoreboard_count(&b->slots[1].outcomes[OUTCOME_ok]);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_uint_eq(b->slots[1].outcomes[OUTCOME_ok], 1000);
    ck_assert_uint_eq(b->slots[0].outcomes[OUTCOME_ok], 0);
    scoreboard_free(b);
}
END_TEST

/* Writes through `at`, which must not be possible: gives the signal of its end.
 */
static int end_of_writer(struct scoreboard *b, int head, volatile int32_t *at)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        if (!scoreboard_confine(b, head))
            _exit(1);
        /* Neither the mapping nor a new one can be made to be written. */
        if (mprotect(b, SCOREBOARD_HEAD, PROT_READ | PROT_WRITE) == 0)
            _exit(2);
        if (fcntl(head, F_GETFD) >= 0)
            _exit(3);
        scoreboard_count(&b->slots[0].outcomes[OUTCOME_ok]);
        *at = -1;
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status), "it ended with status %d",
                  WEXITSTATUS(status));
    return WTERMSIG(status);
}

START_TEST(a_child_writes_its_counts_and_not_the_head)
{
    int head;
    struct scoreboard *b = scoreboard_new("", 2, &head);
    ck_assert_ptr_nonnull(b);
    int32_t pid = b->pid;
    ck_assert_int_eq(end_of_writer(b, head, (int32_t *)(void *)&b->pid),
                     SIGSEGV);
    ck_assert_int_eq(
        end_of_writer(b, head, (int32_t *)(void *)&b->members[1].pid), SIGSEGV);
    ck_assert_int_eq(b->pid, pid);
    ck_assert_int_eq(b->members[1].pid, 0);
    ck_assert_uint_eq(b->slots[0].outcomes[OUTCOME_ok], 2);
    /* With the descriptor there is no way either. */
    ck_assert_ptr_eq(
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, head, 0),
        MAP_FAILED);
    ck_assert_int_eq(pwrite(head, "x", 1, 0), -1);
    ck_assert_int_eq(ftruncate(head, 0), -1);
    close(head);
    scoreboard_free(b);
}
END_TEST

START_TEST(a_child_reads_what_the_head_becomes)
{
    int head;
    struct scoreboard *b = scoreboard_new("", 2, &head);
    ck_assert_ptr_nonnull(b);
    pid_t child = fork();
    if (child == 0) {
        if (!scoreboard_confine(b, head))
            _exit(1);
        while (b->stage != POOL_ENDED)
            sched_yield();
        _exit(0);
    }
    scoreboard_stage(b, POOL_ENDED);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    close(head);
    scoreboard_free(b);
}
END_TEST

START_TEST(the_next_program_goes_on_with_it)
{
    int head, first;
    struct scoreboard *b = scoreboard_new("", 3, &head);
    ck_assert_ptr_nonnull(b);
    first = head;
    scoreboard_serving(b, 7, 2);
    b->members[2].pid = 12;
    scoreboard_count(&b->slots[2].outcomes[OUTCOME_ok]);
    struct scoreboard *next = scoreboard_take_over(&head);
    ck_assert_ptr_nonnull(next);
    ck_assert_int_ne(head, first);
    ck_assert_uint_eq(next->generation, 7);
    ck_assert_int_eq(next->members[2].pid, 12);
    ck_assert_uint_eq(next->slots[2].outcomes[OUTCOME_ok], 1);
    /* The counts are the same memory, the head is a new one. */
    scoreboard_count(&b->slots[2].outcomes[OUTCOME_ok]);
    ck_assert_uint_eq(next->slots[2].outcomes[OUTCOME_ok], 2);
    next->generation = 8;
    ck_assert_uint_eq(b->generation, 7);
    scoreboard_free(b);
    scoreboard_free(next);
    close(head);
}
END_TEST

/* Every process was killed at the moment of an upgrade. */
START_TEST(counts_that_nobody_kept_begin_anew)
{
    int head;
    struct scoreboard *b = scoreboard_new("", 3, &head);
    ck_assert_ptr_nonnull(b);
    scoreboard_serving(b, 7, 2);
    scoreboard_count(&b->slots[2].outcomes[OUTCOME_ok]);
    scoreboard_free(b);
    quiet();
    struct scoreboard *next = scoreboard_take_over(&head);
    ck_assert_ptr_nonnull(next);
    ck_assert_uint_eq(next->generation, 7);
    ck_assert_uint_eq(next->slots[2].outcomes[OUTCOME_ok], 0);
    ck_assert_uint_eq(next->slots[2].number, 2);
    scoreboard_free(next);
    close(head);
}
END_TEST

START_TEST(nobody_takes_over_something_else)
{
    int head = memfd_create("other", MFD_CLOEXEC);
    ck_assert_ptr_null(scoreboard_take_over(&head));
    ck_assert_int_eq(errno, EPROTO);
    ck_assert_int_eq(ftruncate(head, SCOREBOARD_HEAD), 0);
    ck_assert_ptr_null(scoreboard_take_over(&head));
    ck_assert_int_eq(errno, EPROTO);
    close(head);
}
END_TEST

/* As between two programs, when no worker is there. */
START_TEST(the_counts_outlive_an_execve)
{
    struct scoreboard *b = scoreboard_new("", 1, NULL);
    ck_assert_ptr_nonnull(b);
    int memory = b->memory;
    scoreboard_count(&b->slots[0].outcomes[OUTCOME_ok]);
    int holder = scoreboard_hold(b);
    ck_assert_int_ge(holder, 0);
    struct shmid_ds seen;
    scoreboard_free(b);
    close(holder);
    ck_assert_int_eq(shmctl(memory, IPC_STAT, &seen), 0);
    ck_assert_uint_eq(seen.shm_nattch, 1);
    void *again = shmat(memory, NULL, 0);
    ck_assert_ptr_ne(again, (void *)-1);
    ck_assert_int_gt(wait(NULL), 0); /* the holder has ended */
    shmdt(again);
    ck_assert_int_ne(shmctl(memory, IPC_STAT, &seen), 0);
}
END_TEST

/* Pages of it that are in memory. */
static size_t resident(const void *from, const void *to)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), n = 0;
    uintptr_t at = ((uintptr_t)from + page - 1) / page * page;
    unsigned char there;
    for (; at + page <= (uintptr_t)to; at += page) {
        ck_assert_int_eq(mincore((void *)at, page, &there), 0);
        n += there & 1;
    }
    return n;
}

START_TEST(room_for_slots_takes_no_memory_until_they_are_made)
{
    struct scoreboard *b =
        scoreboard_new_with_room("", 2, SCOREBOARD_SLOTS_MAX, NULL);
    ck_assert_ptr_nonnull(b);
    static struct view view;
    view_glance(&view, b, NULL);
    ck_assert_uint_eq(resident(&b->slots[3], &b->slots[SCOREBOARD_SLOTS_MAX]),
                      0);
    size_t head = scoreboard_head_bytes(b);
    for (uint32_t i = 2; i < SCOREBOARD_SLOTS_MAX; i++) {
        ck_assert_uint_eq(b->slot_count, i);
        ck_assert(scoreboard_grow(b));
        ck_assert_uint_eq(b->slots[i].number, i);
    }
    ck_assert(!scoreboard_grow(b));
    ck_assert_uint_eq(b->slot_count, SCOREBOARD_SLOTS_MAX);
    ck_assert_uint_gt(scoreboard_head_bytes(b), head);
    scoreboard_free(b);
}
END_TEST

START_TEST(the_status_adds_up)
{
    static char room[65536];
    static struct view view;
    struct buf out;
    struct scoreboard *b = scoreboard_new("", 6, NULL);
    scoreboard_serving(b, 2, 3);
    b->workers_most = 3;
    b->pid = 77;
    b->started = clock_now();
    for (int i = 0; i < 2; i++) {
        b->members[i].started = clock_now();
        scoreboard_state(&b->slots[i], i == 0 ? WORKER_POSTING : WORKER_IDLE);
        b->slots[i].begun = 5;
        b->slots[i].outcomes[OUTCOME_ok] = 4;
        b->slots[i].counters[COUNTER_connections] = 3;
        b->slots[i].counters[COUNTER_closed] = 1;
    }
    b->lost = 1;
    scoreboard_state(&b->slots[4], WORKER_IDLE);
    b->members[0].generation = b->members[1].generation = 1;
    b->members[4].generation = 2;
    buf_init(&out, room, sizeof room);
    view_take(&view, b, NULL, 0);
    ck_assert(status_json(&view, &out));
    ck_assert_ptr_nonnull(strstr(room, "\"pid\":77"));
    ck_assert_ptr_nonnull(strstr(room, "\"connections\":3,\"requests\":10"));
    ck_assert_ptr_nonnull(strstr(room, "\"state\":\"posting\""));
    ck_assert_ptr_nonnull(strstr(room, "\"number\":4"));
    ck_assert_ptr_null(strstr(room, "\"number\":2"));
    ck_assert_ptr_nonnull(strstr(room, "\"ok\":8"));
    buf_init(&out, room, sizeof room);
    ck_assert(status_text(&view, &out));
    ck_assert_ptr_nonnull(strstr(room, "3 of 3 workers, 1 busy, 10 requests"));
    scoreboard_free(b);
}
END_TEST

/* Free slots have no generation; they do not count as the oldest. */
START_TEST(the_oldest_generation_has_a_slot)
{
    struct scoreboard *b = scoreboard_new("", 3, NULL);
    ck_assert_uint_eq(scoreboard_oldest(b, 7), 7);
    b->members[1].generation = 7;
    ck_assert_uint_eq(scoreboard_oldest(b, 7), 7);
    b->members[2].generation = 5;
    ck_assert_uint_eq(scoreboard_oldest(b, 7), 5);
    b->members[0].generation = 6;
    ck_assert_uint_eq(scoreboard_oldest(b, 7), 5);
    b->members[2].generation = 0;
    ck_assert_uint_eq(scoreboard_oldest(b, 7), 6);
    scoreboard_free(b);
}
END_TEST

START_TEST(a_room_too_small_is_told)
{
    char room[64];
    static struct view view;
    struct buf out;
    struct scoreboard *b = scoreboard_new("", 2, NULL);
    view_take(&view, b, NULL, 0);
    buf_init(&out, room, sizeof room);
    ck_assert(!status_text(&view, &out));
    buf_init(&out, room, sizeof room);
    ck_assert(!status_json(&view, &out));
    scoreboard_free(b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        children_count_in_shared_memory,
        a_child_writes_its_counts_and_not_the_head,
        a_child_reads_what_the_head_becomes,
        the_next_program_goes_on_with_it,
        counts_that_nobody_kept_begin_anew,
        nobody_takes_over_something_else,
        the_counts_outlive_an_execve,
        room_for_slots_takes_no_memory_until_they_are_made,
        the_status_adds_up,
        the_oldest_generation_has_a_slot,
        a_room_too_small_is_told};
    return UNIT_MAIN("scoreboard", tests);
}
