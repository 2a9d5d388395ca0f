/* pool_upgrade: this program is the one that leaves, then the one that is
 * tried, and then the one that comes. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "pool/pool_upgrade.h"
#include "allocations.h"
#include "unit.h"

#define GENERATION 7
#define NEWEST 9
#define SLOTS_MOST 64
#define KEPT 42

static char dir[] = "/tmp/tallyd-test-upgrade.XXXXXX";
static char path[64], log_path[64];
static char *arguments[] = {NULL, path, NULL};
static struct pool pool;
static struct worker_set_member members[SLOTS_MOST];
static struct upgrade_past past = {
    .generation = GENERATION, .newest = NEWEST, .members = members};

static void write_settings(const char *workers)
{
    FILE *f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    fprintf(f,
            "[pool]\nworkers = %s\nmax_connections = 8\n"
            "listen = %s/socket\nscoreboard = %s/board\nlog_level = error\n"
            "log_file = %s/log\n",
            workers, dir, dir, dir);
    fclose(f);
}

static struct pool bare(const char *settings)
{
    return (struct pool){.source.path = settings,
                         .listener.fd = -1,
                         .status.fd = -1,
                         .pid_file = -1};
}

static void open_pool(void)
{
    char why[CONFIG_ERROR_MAX];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/conf", dir);
    snprintf(log_path, sizeof log_path, "%s/log", dir);
    write_settings("2");
    pool = bare(path);
    ck_assert_msg(settings_load(&pool.now, &pool.source, why), "%s", why);
    ck_assert_msg(pool_open(&pool), "standard error says why");
    pool.generation = GENERATION;
    past.count = pool.board->slot_count;
    ck_assert(past.count >= 3 && past.count <= SLOTS_MOST);
    pool.board->slots[2].counters[COUNTER_kept] = KEPT;
    members[0] = (struct worker_set_member){.pid = 1001,
                                            .generation = GENERATION,
                                            .started = 11,
                                            .begun = 12,
                                            .kill_at = CLOCK_NEVER};
    members[2] = (struct worker_set_member){.pid = 1003,
                                            .generation = GENERATION - 1,
                                            .started = 13,
                                            .begun = 14,
                                            .kill_at = 15};
}

static void close_pool(void)
{
    pool_close(&pool);
    unlink(path);
    unlink(log_path);
    rmdir(dir);
}

/* --- The program that comes. --- */

static bool is_same(const struct worker_set_member *a,
                    const struct worker_set_member *b)
{
    return a->pid == b->pid && a->generation == b->generation &&
           a->started == b->started && a->begun == b->begun &&
           a->kill_at == b->kill_at;
}

/* What of it is not as it was; NULL: nothing. */
static const char *lost(const struct pool *p, const struct upgrade_past *u)
{
    static const struct worker_set_member none;
    if (u == NULL)
        return "all";
    const struct worker_set_member retired = {.pid = 1003,
                                              .generation = GENERATION - 1,
                                              .started = 13,
                                              .begun = 14,
                                              .kill_at = 15};
    if (p->generation != GENERATION || u->generation != GENERATION ||
        u->newest != NEWEST)
        return "the generations";
    if (u->count != p->board->slot_count || u->strange ||
        u->members[0].pid != 1001 || u->members[0].kill_at != CLOCK_NEVER ||
        !is_same(&u->members[1], &none) || !is_same(&u->members[2], &retired))
        return "the members";
    if (p->now.config->pool.workers != 2 || !p->now.config->tried)
        return "the settings that were tried";
    if (p->board->slots[2].counters[COUNTER_kept] != KEPT)
        return "the counters";
    if (conn_pool_slots(p->conn_pool) != 8 || p->idle_set == NULL)
        return "what the workers share";
    if (p->shadow == NULL || p->warm == NULL)
        return "what is made anew";
    return NULL;
}

/* What `pool` has then is not given back: a leak checker finds it there. */
static int come(int argc, char **argv, int state)
{
    if (argc == 3 && strcmp(argv[1], "-t") == 0) {
        pool = bare(argv[2]);
        return pool_upgrade_accepts(&pool, state) ? POOL_UPGRADE_GOOD
                                                  : EXIT_FAILURE;
    }
    if (argc != 2)
        return EXIT_FAILURE;
    pool = bare(argv[1]);
    const char *what = lost(&pool, pool_upgrade_take_over(&pool, state));
    if (what != NULL)
        fprintf(stderr, "# after the upgrade, lost: %s\n", what);
    return what == NULL ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- The program that leaves. --- */

static int status_of(pid_t pid)
{
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

START_TEST(the_next_program_goes_on_where_this_one_was)
{
    const struct upgrade_plan plan = pool_upgrade_plan(&pool);
    pid_t pid = fork();
    if (pid == 0) {
        int status = status_of(plan.try_it(plan.context, &past));
        write_settings("nobody reads it again");
        plan.become(plan.context, status, &past);
        _exit(EXIT_FAILURE);
    }
    ck_assert_int_eq(status_of(pid), 0);
}
END_TEST

START_TEST(a_pool_is_opened_whole_or_not)
{
    char why[CONFIG_ERROR_MAX];
    ck_assert(pool.board != NULL && pool.conn_pool != NULL &&
              pool.idle_set != NULL && pool.shadow != NULL &&
              pool.warm != NULL && pool.listener.fd >= 0);
    struct pool second = bare(path); /* where the first one serves */
    ck_assert_msg(settings_load(&second.now, &second.source, why), "%s", why);
    ck_assert(!pool_open(&second));
    second.supervisor = getppid(); /* it has made no files */
    pool_close(&second);
}
END_TEST

START_TEST(a_program_that_cannot_take_over_does_not)
{
    const struct upgrade_plan plan = pool_upgrade_plan(&pool);
    char line[600];
    write_settings("as many as can be");
    int status = status_of(plan.try_it(plan.context, &past));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_FAILURE);
    plan.become(plan.context, status, &past); /* comes back */
    FILE *log = fopen(log_path, "re");
    ck_assert_ptr_nonnull(log);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, log));
    fclose(log);
    ck_assert_msg(strstr(line, "[pool] workers = as many as can be") != NULL &&
                      strstr(line, "; generation 7 goes on\n") != NULL,
                  "%s", line);
    /* Of a file that is gone nothing is handed over, nor of the one before. */
    ck_assert_uint_gt(pool.tried_len, 0);
    unlink(path);
    status = status_of(plan.try_it(plan.context, &past));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_FAILURE);
    ck_assert_ptr_null(pool.tried);
    ck_assert_uint_eq(pool.tried_len, 0);
}
END_TEST

/* Wherever memory ends: no trial begins, and nothing is left behind. */
START_TEST(without_memory_nothing_is_tried)
{
    const struct upgrade_plan plan = pool_upgrade_plan(&pool);
    if (!ALLOCATIONS_COUNT)
        return;
    status_of(plan.try_it(plan.context, &past));
    long before = blocks;
    for (long i = 1; has_failed || i == 1; i++) {
        has_failed = false;
        fail_in = i;
        fail_on = true;
        pid_t pid = plan.try_it(plan.context, &past);
        int error = errno;
        fail_in = 0;
        fail_on = false;
        if (pid > 0)
            status_of(pid);
        ck_assert_msg((pid > 0) == !has_failed, "allocation %ld: pid %d", i,
                      (int)pid);
        if (has_failed)
            ck_assert_int_eq(error, ENOMEM);
    }
    ck_assert_int_eq(blocks, before);
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {the_next_program_goes_on_where_this_one_was,
                                  a_pool_is_opened_whole_or_not,
                                  a_program_that_cannot_take_over_does_not,
                                  without_memory_nothing_is_tried};
    int state;
    bool offered = pool_upgrade_is_offered(&state);
    arguments[0] = argv[0];
    pool_upgrade_note(arguments);
    return offered
               ? come(argc, argv, state)
               : UNIT_RUN_WITH("pool_upgrade", tests, open_pool, close_pool);
}
