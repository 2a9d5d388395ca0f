/* log: one line each, never blocking, hostile bytes made harmless. */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "unit.h"

static char path[64];
static char text[8192];

static void open_file(enum log_level level)
{
    snprintf(path, sizeof path, "/tmp/tallyd-test-log.%d", (int)getpid());
    unlink(path);
    ck_assert(log_open(path, level));
}

static const char *read_file(void)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    unlink(path);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

START_TEST(lines_have_time_level_and_process)
{
    open_file(LOG_INFO);
    log_set_name("worker 3");
    log_warn("a %s", "word");
    log_debug("not wanted");
    ck_assert(!log_wants(LOG_DEBUG));
    const char *line = read_file();
    ck_assert_ptr_nonnull(strstr(line, "Z warn worker 3["));
    ck_assert_ptr_nonnull(strstr(line, "]: a word\n"));
    ck_assert_ptr_null(strstr(line, "not wanted"));
}
END_TEST

START_TEST(control_characters_stay_in_the_line)
{
    open_file(LOG_INFO);
    log_info("a\r\nb\x1b[31m");
    const char *line = read_file();
    ck_assert_ptr_nonnull(strstr(line, "a\\x0d\\x0ab\\x1b[31m\n"));
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
}
END_TEST

START_TEST(a_long_line_is_cut)
{
    char longest[2 * LOG_LINE_MAX];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    open_file(LOG_INFO);
    log_info("%s", longest);
    log_info("next");
    const char *line = read_file();
    ck_assert_uint_le((size_t)(strchr(line, '\n') - line) + 1, LOG_LINE_MAX);
    ck_assert_ptr_nonnull(strstr(line, "]: next\n"));
}
END_TEST

START_TEST(a_rotated_file_is_opened_again)
{
    char old[80];
    open_file(LOG_INFO);
    log_info("one");
    snprintf(old, sizeof old, "%s.1", path);
    ck_assert_int_eq(rename(path, old), 0);
    ck_assert(log_reopen());
    log_info("two");
    ck_assert_ptr_nonnull(strstr(read_file(), "two"));
    unlink(old);
}
END_TEST

START_TEST(a_full_pipe_drops_and_counts)
{
    _Atomic uint64_t dropped = 0;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    ck_assert(log_open("", LOG_INFO));
    log_set_drop_counter(&dropped);
    for (int i = 0; i < 5000; i++)
        log_info("a line that nobody reads, number %d", i);
    ck_assert_uint_gt(dropped, 0);
    ck_assert_uint_lt(dropped, 5000);
    close(ends[0]);
    log_info("the reader is gone");
}
END_TEST

START_TEST(values_are_quoted)
{
    char room[64];
    struct buf out;
    buf_init(&out, room, sizeof room);
    log_quote(&out, "a\"b\\c");
    ck_assert_str_eq(room, "\"a\\\"b\\\\c\"");
}
END_TEST

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const TTest *const tests[] = {lines_have_time_level_and_process,
                                  control_characters_stay_in_the_line,
                                  a_long_line_is_cut,
                                  a_rotated_file_is_opened_again,
                                  a_full_pipe_drops_and_counts,
                                  values_are_quoted};
    return UNIT_MAIN("log", tests);
}
