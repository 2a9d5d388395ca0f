/* scoreboard and status: shared counters, and what is said of them. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "scoreboard/scoreboard.h"
#include "status/status.h"
#include "unit.h"

static char path[64];

static void choose_path(void)
{
    snprintf(path, sizeof path, "/tmp/tallyd-test-board.%d", (int)getpid());
    unlink(path);
}

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

START_TEST(a_file_can_be_read_by_others_and_not_written)
{
    struct stat st;
    choose_path();
    struct scoreboard *b = scoreboard_new(path, 3, NULL);
    ck_assert_ptr_nonnull(b);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 022, 0);
    const struct scoreboard *map = scoreboard_map(path);
    ck_assert_ptr_nonnull(map);
    scoreboard_count(&b->forks);
    ck_assert_uint_eq(map->forks, 1);
    ck_assert_uint_eq(map->slot_count, 3);
    scoreboard_free(map);
    scoreboard_free(b);
    scoreboard_unlink(path);
    ck_assert_int_ne(stat(path, &st), 0);
}
END_TEST

/* Shared with a child that maps the file all the time. */
static struct looking {
    _Atomic bool over;
    _Atomic unsigned whole, wrong;
} * looking;

static void look_until_over(void)
{
    while (!looking->over) {
        const struct scoreboard *b = scoreboard_map(path);
        looking->whole += b != NULL;
        looking->wrong += b == NULL && errno != ENOENT;
        scoreboard_free(b);
    }
}

START_TEST(a_file_that_is_there_is_whole)
{
    choose_path();
    looking = mmap(NULL, sizeof *looking, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(looking, MAP_FAILED);
    pid_t child = fork();
    if (child == 0) {
        look_until_over();
        _exit(0);
    }
    int64_t end = clock_now() + 300 * CLOCK_SECOND;
    for (int i = 0; i < 500; i++) {
        unsigned before = looking->whole;
        struct scoreboard *b = scoreboard_new(path, 2, NULL);
        ck_assert_ptr_nonnull(b);
        /* Now and then it is left there until it has been seen. */
        while (i % 10 == 0 && looking->whole == before && clock_now() < end)
            sched_yield();
        scoreboard_free(b);
        scoreboard_unlink(path);
    }
    looking->over = true;
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert_uint_ge(looking->whole, 50);
    ck_assert_uint_eq(looking->wrong, 0);
}
END_TEST

START_TEST(what_is_no_scoreboard_is_refused)
{
    choose_path();
    ck_assert_ptr_null(scoreboard_map(path));
    ck_assert_int_eq(errno, ENOENT);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    ck_assert_ptr_null(scoreboard_map(path));
    char text[4096];
    memset(text, 'x', sizeof text);
    ck_assert_int_eq(write(fd, text, sizeof text), sizeof text);
    ck_assert_ptr_null(scoreboard_map(path));
    ck_assert_int_eq(errno, EPROTO);
    close(fd);
    unlink(path);
}
END_TEST

START_TEST(a_cut_file_is_refused)
{
    choose_path();
    struct scoreboard *b = scoreboard_new(path, 8, NULL);
    ck_assert_ptr_nonnull(b);
    ck_assert_int_eq(truncate(path, (off_t)sizeof *b + 8), 0);
    ck_assert_ptr_null(scoreboard_map(path));
    unlink(path);
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
        b->slots[i].started = clock_now();
        scoreboard_state(&b->slots[i], i == 0 ? WORKER_POSTING : WORKER_IDLE);
        b->slots[i].begun = 5;
        b->slots[i].outcomes[OUTCOME_ok] = 4;
        b->slots[i].counters[COUNTER_connections] = 3;
        b->slots[i].counters[COUNTER_closed] = 1;
    }
    b->lost = 1;
    scoreboard_state(&b->slots[4], WORKER_IDLE);
    b->slots[0].generation = b->slots[1].generation = 1;
    b->slots[4].generation = 2;
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
    const TTest *const tests[] = {a_file_that_is_there_is_whole,
                                  children_count_in_shared_memory,
                                  a_file_can_be_read_by_others_and_not_written,
                                  what_is_no_scoreboard_is_refused,
                                  a_cut_file_is_refused,
                                  the_status_adds_up,
                                  a_room_too_small_is_told};
    return UNIT_MAIN("scoreboard", tests);
}
