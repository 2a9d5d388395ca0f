/* journal: whole lines, up to a limit, from several processes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/journal.h"
#include "unit.h"

static char directory[] = "/tmp/test_journal-XXXXXX";
static char path[64], content[1 << 16];

static void open_directory(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/lines", directory);
}

static void close_directory(void)
{
    unlink(path);
    rmdir(directory);
}

static const char *read_all(void)
{
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    content[fread(content, 1, sizeof content - 1, f)] = '\0';
    fclose(f);
    return content;
}

static enum journal_end add(struct journal *j, const char *line)
{
    return journal_add(j, line, strlen(line));
}

static void open_journal(struct journal *j, int64_t limit)
{
    ck_assert(journal_open(j, path, limit));
}

START_TEST(lines_come_behind_those_that_are_there)
{
    struct journal j;
    open_journal(&j, 100);
    ck_assert_int_eq(add(&j, "one\n"), JOURNAL_WRITTEN);
    journal_close(&j);
    open_journal(&j, 100);
    ck_assert_int_eq(add(&j, "two\n"), JOURNAL_WRITTEN);
    ck_assert_str_eq(read_all(), "one\ntwo\n");
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    journal_close(&j);
}
END_TEST

START_TEST(the_limit_is_kept_to_the_byte)
{
    struct journal j;
    open_journal(&j, 10);
    ck_assert_int_eq(add(&j, "12345\n"), JOURNAL_WRITTEN);
    ck_assert_int_eq(add(&j, "1234\n"), JOURNAL_FULL);
    ck_assert_int_eq(add(&j, "123\n"), JOURNAL_WRITTEN);
    ck_assert_int_eq(add(&j, "\n"), JOURNAL_FULL);
    ck_assert_str_eq(read_all(), "12345\n123\n");
    journal_close(&j);
}
END_TEST

START_TEST(a_line_that_somebody_left_is_ended)
{
    struct journal j;
    FILE *f = fopen(path, "w");
    fputs("whole\ncu", f);
    fclose(f);
    open_journal(&j, 100);
    ck_assert_int_eq(add(&j, "next\n"), JOURNAL_WRITTEN);
    ck_assert_str_eq(read_all(), "whole\ncu\nnext\n");
    journal_close(&j);
}
END_TEST

/* In a child, since Check writes files, too; it gives the number of what is
 * wrong. RLIMIT_FSIZE cuts a write in the middle, as a full disk does. */
static int fill_the_disk(void)
{
    struct journal j;
    struct rlimit limit = {8, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    if (!journal_open(&j, path, 100))
        return 1;
    if (add(&j, "12345\n") != JOURNAL_WRITTEN)
        return 2;
    if (add(&j, "67890\n") != JOURNAL_FAILED || errno != ENOSPC)
        return 3;
    if (strcmp(read_all(), "12345\n") != 0)
        return 4;
    if (add(&j, "7\n") != JOURNAL_WRITTEN)
        return 5;
    if (add(&j, "8\n") != JOURNAL_FAILED || errno != EFBIG)
        return 6;
    journal_close(&j);
    return 0;
}

START_TEST(a_line_that_does_not_fit_the_disk_is_taken_back)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_the_disk());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    ck_assert_str_eq(read_all(), "12345\n7\n");
}
END_TEST

START_TEST(no_file_is_a_failure_until_there_is_one)
{
    struct journal j;
    char missing[80];
    snprintf(missing, sizeof missing, "%s/no/lines", directory);
    ck_assert(!journal_open(&j, missing, 100));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_eq(add(&j, "one\n"), JOURNAL_FAILED);
    j.path = path;
    ck_assert(journal_reopen(&j));
    ck_assert_int_eq(add(&j, "one\n"), JOURNAL_WRITTEN);
    journal_close(&j);
}
END_TEST

START_TEST(a_file_that_was_moved_away_is_left_alone)
{
    struct journal j;
    char moved[80];
    snprintf(moved, sizeof moved, "%s.1", path);
    open_journal(&j, 8);
    ck_assert_int_eq(add(&j, "before\n"), JOURNAL_WRITTEN);
    ck_assert_int_eq(rename(path, moved), 0);
    ck_assert(journal_reopen(&j));
    ck_assert_int_eq(add(&j, "after\n"), JOURNAL_WRITTEN);
    ck_assert_str_eq(read_all(), "after\n");
    ck_assert_int_eq(unlink(moved), 0);
    journal_close(&j);
}
END_TEST

#define WRITERS 4
#define LINES 200

START_TEST(lines_of_several_processes_do_not_mix)
{
    pid_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        if (writers[i] != 0)
            continue;
        struct journal j;
        char line[64];
        journal_open(&j, path, WRITERS * LINES * 20 + 5);
        memset(line, 'a' + i, 39);
        line[39] = '\n';
        for (int n = 0; n < LINES; n++)
            journal_add(&j, line, 40);
        _exit(0);
    }
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(waitpid(writers[i], NULL, 0), writers[i]);
    const char *all = read_all();
    ck_assert_uint_eq(strlen(all), WRITERS * LINES * 20);
    for (const char *line = all; *line != '\0'; line += 40)
        ck_assert(strspn(line, (char[]){line[0], '\0'}) == 39 &&
                  line[39] == '\n');
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        lines_come_behind_those_that_are_there,
        the_limit_is_kept_to_the_byte,
        a_line_that_somebody_left_is_ended,
        a_line_that_does_not_fit_the_disk_is_taken_back,
        no_file_is_a_failure_until_there_is_one,
        a_file_that_was_moved_away_is_left_alone,
        lines_of_several_processes_do_not_mix};
    return UNIT_RUN_WITH("journal", tests, open_directory, close_directory);
}
