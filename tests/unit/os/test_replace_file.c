/* replace_file: the old one or the new one, whole, and nobody else's. */
#include "os/replace_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define LONG 5000

static char folder[] = "/tmp/test_replace_file-XXXXXX";
static char path[64], fresh[72], other[64], why[500], text[LONG + 1];

static void open_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    snprintf(other, sizeof other, "%s/other", folder);
    memset(text, 'x', LONG);
    umask(022);
}

static void close_folder(void)
{
    unlink(path);
    unlink(fresh);
    unlink(other);
    rmdir(folder);
}

static bool put(const char *content)
{
    why[0] = '\0';
    return replace_file(path, content, strlen(content), why, sizeof why);
}

static void expect_content(const char *name, const char *wanted)
{
    char got[LONG + 2];
    FILE *f = fopen(name, "r");
    ck_assert_msg(f != NULL, "%s is not there", name);
    got[fread(got, 1, sizeof got - 1, f)] = '\0';
    fclose(f);
    ck_assert_str_eq(got, wanted);
}

static mode_t mode_of(const char *name)
{
    struct stat st;
    ck_assert_int_eq(lstat(name, &st), 0);
    return st.st_mode;
}

static bool is_there(const char *name)
{
    struct stat st;
    return lstat(name, &st) == 0;
}

START_TEST(it_is_made_and_replaced)
{
    ck_assert_msg(put("one"), "%s", why);
    expect_content(path, "one");
    ck_assert_uint_eq(mode_of(path), S_IFREG | 0644);
    ck_assert(put(text));
    expect_content(path, text);
    ck_assert(put(""));
    expect_content(path, "");
    ck_assert(!is_there(fresh));
}
END_TEST

START_TEST(who_has_it_open_reads_the_old_one_to_its_end)
{
    char got[8] = "";
    ck_assert(put("one"));
    int fd = open(path, O_RDONLY);
    ck_assert(put("two"));
    ck_assert_int_eq(read(fd, got, sizeof got - 1), 3);
    ck_assert_str_eq(got, "one");
    close(fd);
}
END_TEST

START_TEST(owner_and_permissions_are_kept)
{
    struct stat st;
    ck_assert(put("one"));
    ck_assert_int_eq(chmod(path, 0460), 0);
    bool root = geteuid() == 0;
    if (root)
        ck_assert_int_eq(chown(path, 12345, 23456), 0);
    ck_assert_msg(put("two"), "%s", why);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0460);
    ck_assert_uint_eq(st.st_uid, root ? 12345 : geteuid());
    ck_assert(!root || st.st_gid == 23456);
    /* No program with somebody's rights is made of what is written. */
    ck_assert_int_eq(chmod(path, 04755), 0);
    ck_assert(put("three"));
    ck_assert_uint_eq(mode_of(path), S_IFREG | 0755);
}
END_TEST

/* Who could read it by its group still can, and no other group. */
START_TEST(the_group_of_the_owner_s_own_file_is_kept)
{
    struct stat st;
    ck_assert(put("one"));
    ck_assert_int_eq(stat(path, &st), 0);
    gid_t group = geteuid() == 0 ? st.st_gid + 4 : st.st_gid;
    ck_assert_int_eq(chown(path, st.st_uid, group), 0);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_msg(put("two"), "%s", why);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_gid, group);
    ck_assert_uint_eq(st.st_mode, S_IFREG | 0640);
}
END_TEST

START_TEST(what_cannot_be_looked_at_is_left)
{
    ck_assert_int_eq(symlink(path, path), 0);
    ck_assert(!put("one"));
    ck_assert_msg(strstr(why, "symbolic links") != NULL, "%s", why);
    ck_assert(S_ISLNK(mode_of(path)));
    ck_assert(!is_there(fresh));
}
END_TEST

/* SIGXFSZ comes within the write, so the process ends between two steps. */
START_TEST(a_killed_writer_leaves_the_old_one)
{
    const struct rlimit small = {.rlim_cur = 100, .rlim_max = 100};
    int status;
    ck_assert(put("one"));
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_FSIZE, &small);
        put(text);
        put(text);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    expect_content(path, "one");
    ck_assert(is_there(fresh));
    ck_assert(put("two")); /* what it has left is no hindrance */
    expect_content(path, "two");
    ck_assert(!is_there(fresh));
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_one)
{
    const struct rlimit small = {.rlim_cur = 100, .rlim_max = 100};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    ck_assert(put("one"));
    sigaction(SIGXFSZ, &ignore, NULL);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    ck_assert(!put(text));
    ck_assert_msg(strstr(why, "file.new: File too large") != NULL, "%s", why);
    expect_content(path, "one");
    ck_assert(!is_there(fresh));
}
END_TEST

START_TEST(nothing_is_written_through_what_has_the_new_name)
{
    FILE *f = fopen(other, "w");
    ck_assert(f != NULL && fputs("precious", f) > 0 && fclose(f) == 0);
    ck_assert_int_eq(symlink(other, fresh), 0);
    ck_assert(put("one"));
    expect_content(other, "precious");
    expect_content(path, "one");
    ck_assert_int_eq(link(other, fresh), 0);
    ck_assert(put("two"));
    expect_content(other, "precious");
    ck_assert_int_eq(mkfifo(fresh, 0600), 0);
    ck_assert(put("three"));
    expect_content(path, "three");
    ck_assert_int_eq(mkdir(fresh, 0700), 0);
    ck_assert(!put("four"));
    ck_assert_msg(strstr(why, fresh) == why, "%s", why);
    expect_content(path, "three");
    ck_assert_int_eq(rmdir(fresh), 0);
}
END_TEST

START_TEST(a_link_is_replaced_and_what_is_no_file_is_left)
{
    FILE *f = fopen(other, "w");
    ck_assert(f != NULL && fputs("precious", f) > 0 && fclose(f) == 0);
    ck_assert_int_eq(symlink(other, path), 0);
    ck_assert(put("one"));
    expect_content(other, "precious");
    ck_assert(S_ISREG(mode_of(path)));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/dev/null", path), 0);
    ck_assert(!put("two"));
    ck_assert_msg(strstr(why, "not a regular file") != NULL, "%s", why);
    ck_assert(S_ISLNK(mode_of(path)));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert(!put("three"));
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert(!is_there(fresh));
}
END_TEST

START_TEST(a_path_that_cannot_be_is_told)
{
    char name[5000];
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert(!replace_file(name, "", 0, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "too long"));
    ck_assert(!replace_file("/none/such", "", 0, why, sizeof why));
    ck_assert_str_eq(why, "/none/such.new: No such file or directory");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        it_is_made_and_replaced,
        who_has_it_open_reads_the_old_one_to_its_end,
        owner_and_permissions_are_kept,
        the_group_of_the_owner_s_own_file_is_kept,
        what_cannot_be_looked_at_is_left,
        a_killed_writer_leaves_the_old_one,
        a_full_disk_leaves_the_old_one,
        nothing_is_written_through_what_has_the_new_name,
        a_link_is_replaced_and_what_is_no_file_is_left,
        a_path_that_cannot_be_is_told};
    return UNIT_RUN_WITH("replace_file", tests, open_folder, close_folder);
}
