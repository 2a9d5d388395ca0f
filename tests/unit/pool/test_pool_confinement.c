/* pool_confinement: what each kind of process may do, by the settings. What the
 * rules then forbid is the matter of test_landlock and test_syscall_filter. */
#include "pool/pool_confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "good_config.h"
#include "unit.h"

static char dir[] = "/tmp/tallyd-test-confined.XXXXXX";
static const char *const files[] = {"ours/socket", "ours/pid", "other/file"};
static char why[CONFIG_ERROR_MAX];

static const char *in_dir(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void open_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(mkdir(in_dir("ours"), 0700), 0);
    ck_assert_int_eq(mkdir(in_dir("other"), 0700), 0);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        int fd = open(in_dir(files[i]), O_WRONLY | O_CREAT, 0600);
        ck_assert_int_ge(fd, 0);
        close(fd);
    }
}

static void close_dir(void)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(in_dir(files[i]));
    rmdir(in_dir("ours"));
    rmdir(in_dir("other"));
    rmdir(dir);
}

static bool reads(const char *path)
{
    int fd = open(path, O_RDONLY);
    return fd >= 0 || errno != EACCES;
}

/* What looking up a name reads, and what checking a certificate does. */
static int as_client(bool names, bool certificates)
{
    static const char *const of_names[] = {"/etc",     "/run/systemd/resolve",
                                           "/usr/lib", "/usr/lib64",
                                           "/lib",     "/lib64"};
    static const char *const of_certificates[] = {"/etc/ssl",
                                                  "/usr/share/ca-certificates"};
    for (size_t i = 0; i < 6; i++)
        if (access(of_names[i], F_OK) == 0 && reads(of_names[i]) != names)
            return __LINE__;
    for (size_t i = 0; i < 2; i++)
        if (access(of_certificates[i], F_OK) == 0 &&
            reads(of_certificates[i]) != (certificates || (names && i == 0)))
            return __LINE__;
    return reads("/var") || reads(dir) ? __LINE__ : 0;
}

static int as_client_by_name(void)
{
    return as_client(true, false);
}

static int as_client_with_tls(void)
{
    return as_client(false, true);
}

static int as_client_with_both(void)
{
    return as_client(true, true);
}

static int as_client_by_number(void)
{
    return as_client(false, false);
}

static int as_one_that_cleans_up(void)
{
    return unlink(in_dir("ours/socket")) != 0 ||
                   unlink(in_dir("other/file")) == 0 || reads(dir)
               ? __LINE__
               : 0;
}

static int as_monitor(void)
{
    return !reads("/proc/self/statm") || reads("/etc") ? __LINE__ : 0;
}

static int as_nobody(void)
{
    return reads("/proc") || reads("/etc") || unlink(in_dir("ours/pid")) == 0
               ? __LINE__
               : 0;
}

#define BY_NAME                                                                \
    (SYSCALL_FILTER_CONNECTS | SYSCALL_FILTER_RESOLVES | SYSCALL_FILTER_READS)
#define WORKER                                                                 \
    (SYSCALL_FILTER_LIVES | SYSCALL_FILTER_SERVES | SYSCALL_FILTER_CALLS)
#define ALONE                                                                  \
    (SYSCALL_FILTER_LIVES | SYSCALL_FILTER_SERVES | SYSCALL_FILTER_WATCHES)

static char listens[160];
static const struct row {
    const char *setting;
    enum pool_confinement_kind kind;
    unsigned work;
    int (*what)(void); /* under Landlock alone; gives the line that is wrong */
} rows[] = {
    {"endpoint a.path=/a", POOL_CONFINEMENT_WORKER, WORKER, as_nobody},
    {"endpoint a.downstream=http://a.example/", POOL_CONFINEMENT_WORKER,
     WORKER | BY_NAME, as_client_by_name},
    {"endpoint a.downstream=https://a.example/", POOL_CONFINEMENT_WORKER,
     WORKER | BY_NAME, as_client_with_both},
    {"endpoint a.downstream=https://127.0.0.1:9/", POOL_CONFINEMENT_WORKER,
     WORKER | SYSCALL_FILTER_CONNECTS | SYSCALL_FILTER_READS,
     as_client_with_tls},
    {"endpoint a.downstream=http://127.0.0.1:9/", POOL_CONFINEMENT_WORKER,
     WORKER | SYSCALL_FILTER_CONNECTS, as_client_by_number},
    {"pool.queue_timeout=1s", POOL_CONFINEMENT_WORKER,
     WORKER | SYSCALL_FILTER_COUNTS, as_nobody},
    {"pool.queue_limit=1", POOL_CONFINEMENT_WORKER,
     WORKER | SYSCALL_FILTER_COUNTS, as_nobody},
    {listens, POOL_CONFINEMENT_WORKER, WORKER, as_nobody},
    {listens, POOL_CONFINEMENT_ALONE, ALONE | SYSCALL_FILTER_KEEPS,
     as_one_that_cleans_up},
    {"pool.listen=127.0.0.1:9", POOL_CONFINEMENT_ALONE, ALONE, as_nobody},
    {"endpoint a.path=/a", POOL_CONFINEMENT_MONITOR,
     SYSCALL_FILTER_LIVES | SYSCALL_FILTER_SHOWS | SYSCALL_FILTER_READS,
     as_monitor},
    {"endpoint a.path=/a", POOL_CONFINEMENT_SHADOW,
     SYSCALL_FILTER_LIVES | SYSCALL_FILTER_SAMPLES, as_nobody},
};

static void expect(const struct row *row, const struct confinement_means *means)
{
    struct confinement c;
    int status;
    struct config *config = good_config(&row->setting, 1);
    pool_confinement_open(&c, row->kind, config, means, getppid());
    ck_assert_msg(c.filter.work == row->work && c.error == 0,
                  "%s: work %x instead of %x, error %d", row->setting,
                  c.filter.work, row->work, c.error);
    pid_t pid = fork();
    if (pid == 0) {
        int line = means->no_landlock != NULL ? 0
                   : prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
                           !landlock_enter(&c.landlock)
                       ? __LINE__
                       : row->what();
        if (line != 0)
            fprintf(stderr, "# %s: line %d\n", row->setting, line);
        _exit(line != 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    confinement_close(&c);
    config_free(&config);
}

START_TEST(each_kind_may_do_what_the_settings_take)
{
    struct confinement_means means = {.landlock = landlock_version()};
    if (means.landlock == 0)
        means.no_landlock = "none";
    snprintf(listens, sizeof listens, "pool.listen=unix:%s/ours/socket", dir);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(&rows[i], &means);
}
END_TEST

/* Only who insists on all of it learns that something is missing. */
START_TEST(strict_is_refused_where_something_is_missing)
{
    static const char *const words[] = {"pool.sandbox=off", "pool.sandbox=auto",
                                        "pool.sandbox=strict"};
    struct confinement_means means;
    confinement_find(&means);
    for (int i = 0; i < 3; i++) {
        struct config *config = good_config(&words[i], 1);
        why[0] = '\0';
        bool good = pool_confinement_check(&config->pool, why, sizeof why);
        ck_assert_msg(good == (i < 2 || confinement_is_whole(&means)), "%s: %s",
                      words[i], why);
        ck_assert(good == (why[0] == '\0'));
        config_free(&config);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {each_kind_may_do_what_the_settings_take,
                                  strict_is_refused_where_something_is_missing};
    return UNIT_RUN_WITH("pool_confinement", tests, open_dir, close_dir);
}
