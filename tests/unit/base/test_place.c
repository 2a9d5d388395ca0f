/* place: root opens files where others may put links, and is not led away. */
#include "base/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define NOBODY 65534

static char dir[] = "/tmp/tallyd-test-place.XXXXXX";
static char path[96], other[96];

/* A directory of somebody else's, with a file of root's beside it. */
static void open_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chmod(dir, 0755), 0);
    snprintf(path, sizeof path, "%s/theirs", dir);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(chown(path, NOBODY, NOBODY), 0);
    snprintf(path, sizeof path, "%s/theirs/file", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    int fd = open(other, O_CREAT | O_WRONLY, 0600);
    ck_assert_int_eq(write(fd, "root's\n", 7), 7);
    close(fd);
}

static void close_dir(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

static int take(const char *at)
{
    return place_take_path(at, O_WRONLY | O_APPEND | O_CLOEXEC, 0640);
}

static void is_refused(const char *at, int error)
{
    ck_assert_int_eq(take(at), -1);
    ck_assert_msg(errno == error, "%s", strerror(errno));
}

/* `at` leads to the file that is there. */
static void leads_to(const char *at, const char *file)
{
    struct stat st, there;
    int fd = take(at);
    ck_assert_msg(fd >= 0, "%s: %s", at, strerror(errno));
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_eq(stat(file, &there), 0);
    ck_assert_uint_eq(st.st_ino, there.st_ino);
    close(fd);
}

static void link_by(uid_t uid, const char *target, const char *at)
{
    unlink(at);
    ck_assert_int_eq(symlink(target, at), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(lchown(at, uid, uid), 0);
}

START_TEST(a_file_is_made_and_found_again)
{
    struct stat st;
    leads_to(path, path);
    leads_to(path, path);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0640 & ~022);
    is_refused(dir, EISDIR);
    is_refused("/none/such/file", ENOENT);
    is_refused("/etc/passwd/file", ENOTDIR);
    is_refused("", EISDIR);
    char end[128];
    snprintf(end, sizeof end, "%s/", dir);
    is_refused(end, EISDIR);
    ck_assert_int_eq(chdir(dir), 0);
    leads_to("theirs/../theirs/./file", path);
    leads_to("other", other);
}
END_TEST

START_TEST(a_link_of_theirs_is_not_followed)
{
    if (geteuid() != 0)
        return;
    link_by(NOBODY, other, path);
    is_refused(path, ELOOP);
    link_by(NOBODY, "../none", path);
    is_refused(path, ELOOP);
    ck_assert_int_ne(access(dir, F_OK), -1);
    /* On the way as well. */
    char way[128], through[160];
    snprintf(way, sizeof way, "%s/theirs/way", dir);
    snprintf(through, sizeof through, "%s/other", way);
    link_by(NOBODY, dir, way);
    is_refused(through, ELOOP);
    link_by(0, dir, way);
    leads_to(through, other);
}
END_TEST

START_TEST(a_link_of_root_is_followed)
{
    link_by(0, other, path);
    leads_to(path, other);
    link_by(0, "../other", path);
    leads_to(path, other);
    link_by(0, "file", path);
    is_refused(path, ELOOP);
}
END_TEST

START_TEST(a_link_of_root_leads_no_further_than_it_says)
{
    char next[128];
    if (geteuid() != 0)
        return;
    snprintf(next, sizeof next, "%s/theirs/next", dir);
    link_by(0, "next", path);
    link_by(NOBODY, other, next);
    is_refused(path, ELOOP);
}
END_TEST

START_TEST(a_second_name_is_not_opened)
{
    if (geteuid() != 0)
        return;
    ck_assert_int_eq(link(other, path), 0);
    is_refused(path, EMLINK);
    /* Nor where its directory is descriptor 0. */
    int kept = dup(STDIN_FILENO);
    close(STDIN_FILENO);
    int fd = place_take_path(path, O_WRONLY, 0600);
    int error = errno;
    dup2(kept, STDIN_FILENO);
    close(kept);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(error, EMLINK);
    ck_assert_int_eq(unlink(path), 0);
    /* Nobody but root gives names in a directory of root's. */
    snprintf(path, sizeof path, "%s/second", dir);
    ck_assert_int_eq(link(other, path), 0);
    leads_to(path, other);
}
END_TEST

START_TEST(descriptors_have_names)
{
    char name[64];
    int fd = open(other, O_RDWR);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    leads_to(name, other);
    link_by(0, name, path); /* as /dev/stderr is one */
    leads_to(path, other);
    close(fd);
}
END_TEST

START_TEST(what_is_made_is_new_and_is_told_from_others)
{
    struct place p;
    char name[PLACE_NAME], again[PLACE_NAME];
    ck_assert(place_open(&p, path));
    int fd = place_make(&p, O_RDWR, 0600, name);
    int second = place_make(&p, O_RDWR, 0600, again);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ge(second, 0);
    ck_assert_str_ne(name, again);
    ck_assert(!place_has(&p, fd));
    ck_assert_int_eq(renameat(p.dir, name, p.dir, p.name), 0);
    ck_assert(place_has(&p, fd));
    ck_assert(!place_has(&p, second));
    ck_assert_int_eq(unlinkat(p.dir, p.name, 0), 0);
    ck_assert_int_eq(symlinkat(again, p.dir, p.name), 0);
    ck_assert(!place_has(&p, second));
    place_close(&p);
    close(fd);
    close(second);
}
END_TEST

int main(void)
{
    umask(022);
    const TTest *const tests[] = {a_file_is_made_and_found_again,
                                  a_link_of_theirs_is_not_followed,
                                  a_link_of_root_is_followed,
                                  a_link_of_root_leads_no_further_than_it_says,
                                  a_second_name_is_not_opened,
                                  descriptors_have_names,
                                  what_is_made_is_new_and_is_told_from_others};
    return UNIT_RUN_WITH("place", tests, open_dir, close_dir);
}
