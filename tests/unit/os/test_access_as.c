/* access_as: the bits of a mode, for a user who is not this process. */
#include "os/access_as.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

#define STRANGER 4000001
#define COLLEAGUE 4000002

static char dir[] = "/tmp/tallyd-test-access.XXXXXX";
static char file[64];

static void open_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/file", dir);
    FILE *f = fopen(file, "we");
    ck_assert_ptr_nonnull(f);
    fclose(f);
}

static void close_dir(void)
{
    chmod(dir, 0700);
    unlink(file);
    rmdir(dir);
}

/* What is in the way of them; "": nothing. */
static const char *obstacle(uid_t uid, gid_t group, int mode)
{
    static char at[PATH_MAX];
    const struct access_who who = {uid, {0xffff, group}, 2};
    if (access_as(&who, file, mode, at))
        return "";
    ck_assert_int_eq(errno, EACCES);
    return at;
}

/* The first class that somebody is in counts, be it the worse one. */
START_TEST(one_class_of_the_mode_counts)
{
    struct stat st;
    ck_assert_int_eq(chmod(dir, 0711), 0);
    ck_assert_int_eq(chmod(file, 0264), 0);
    ck_assert_int_eq(stat(file, &st), 0);
    const gid_t ours = st.st_gid, other = ours + 1;
    const uid_t owner = st.st_uid;
    ck_assert_str_eq(obstacle(STRANGER, other, R_OK), "");
    ck_assert_str_eq(obstacle(STRANGER, other, W_OK), file);
    ck_assert_str_eq(obstacle(COLLEAGUE, ours, R_OK | W_OK), "");
    ck_assert_str_eq(obstacle(COLLEAGUE, ours, R_OK | X_OK), file);
    ck_assert_str_eq(obstacle(owner, other, W_OK), "");
    if (owner != 0)
        ck_assert_str_eq(obstacle(owner, ours, R_OK), file);
    ck_assert_str_eq(obstacle(0, other, R_OK | W_OK | X_OK), "");
    /* Each directory on the way has to be entered. */
    ck_assert_int_eq(chmod(dir, 0750), 0);
    ck_assert_str_eq(obstacle(STRANGER, other, R_OK), dir);
    ck_assert_str_eq(obstacle(COLLEAGUE, ours, R_OK), "");
    ck_assert_str_eq(obstacle(0, other, R_OK), "");
}
END_TEST

START_TEST(a_path_that_leads_nowhere_is_told)
{
    static char long_path[PATH_MAX + 1];
    char at[PATH_MAX];
    const struct access_who root = {.uid = 0};
    memset(long_path, '/', sizeof long_path - 1);
    ck_assert(!access_as(&root, "/none/such/place", R_OK, at));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_str_eq(at, "/none");
    ck_assert(!access_as(&root, "place", R_OK, at));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_str_eq(at, "place");
    ck_assert(!access_as(&root, "", R_OK, at));
    ck_assert_int_eq(errno, EINVAL);
    ck_assert(!access_as(&root, long_path, R_OK, at));
    ck_assert_int_eq(errno, ENAMETOOLONG);
    ck_assert(access_as(&root, "/", R_OK, at));
}
END_TEST

START_TEST(a_user_is_found_with_the_groups)
{
    struct access_who who;
    ck_assert(!access_as_find(&who, "nobody-of-that-name"));
    ck_assert(access_as_find(&who, "root"));
    ck_assert_uint_eq(who.uid, 0);
    ck_assert_int_ge(who.group_count, 1);
    ck_assert_int_le(who.group_count, ACCESS_GROUPS_MOST);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {one_class_of_the_mode_counts,
                                  a_path_that_leads_nowhere_is_told,
                                  a_user_is_found_with_the_groups};
    return UNIT_RUN_WITH("access_as", tests, open_dir, close_dir);
}
