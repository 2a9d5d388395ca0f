/* whole_file: files that are read, and what is none. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/whole_file.h"
#include "unit.h"

static char folder[] = "/tmp/tallyd-sample.XXXXXX", path[64], why[300];
static struct whole_file sample;

static void open_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
}

static void close_folder(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void fill(size_t n)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    for (size_t i = 0; i < n; i++)
        fputc('a' + (int)(i % 26), f);
    ck_assert_int_eq(fclose(f), 0);
}

static bool load(size_t most)
{
    return whole_file_load(&sample, path, most, why, sizeof why);
}

static void refused(size_t most, const char *words)
{
    ck_assert(!load(most));
    ck_assert_ptr_null(sample.bytes);
    ck_assert_msg(strstr(why, words) != NULL, "%s", why);
    ck_assert_int_eq(strncmp(why, path, strlen(path)), 0);
}

START_TEST(a_file_is_read_whole)
{
    static const size_t sizes[] = {1, 2, 4096, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        fill(sizes[i]);
        ck_assert_msg(load(1000000), "%s", why);
        ck_assert_uint_eq(sample.len, sizes[i]);
        for (size_t at = 0; at < sample.len; at++)
            EXPECT(sample.bytes[at] == 'a' + (char)(at % 26));
        whole_file_free(&sample);
        ck_assert_ptr_null(sample.bytes);
    }
    whole_file_free(&sample);
}
END_TEST

START_TEST(a_size_has_limits)
{
    fill(100);
    ck_assert(load(100));
    whole_file_free(&sample);
    refused(99, "too large");
    ck_assert_int_eq(truncate(path, (off_t)1 << 40), 0);
    refused(99, "too large");
    fill(0);
    refused(99, "empty");
}
END_TEST

/* None of these may be waited for. */
START_TEST(what_is_no_file_is_refused)
{
    refused(99, "No such file");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    refused(99, "not a regular file");
    unlink(path);
    ck_assert_int_eq(symlink("/dev/zero", path), 0);
    refused(99, "not a regular file");
    unlink(path);
    ck_assert_int_eq(symlink("/tmp", path), 0);
    refused(99, "not a regular file");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_file_is_read_whole, a_size_has_limits,
                                  what_is_no_file_is_refused};
    return UNIT_RUN_WITH("whole_file", tests, open_folder, close_folder);
}
