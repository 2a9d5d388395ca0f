/* log: one line each, never blocking, hostile bytes made harmless. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "unit.h"

static char path[64];
static char text[8192];

static struct log_plan plan_for(const char *file)
{
    return (struct log_plan){
        .level = LOG_INFO, .file = file, .socket = "", .pool = "main"};
}

static void open_log(const struct log_plan *plan)
{
    char why[200] = "";
    ck_assert_msg(log_start(plan, why, sizeof why), "%s", why);
}

static void open_stderr(void)
{
    const struct log_plan plan = plan_for("");
    open_log(&plan);
}

static void open_file(void)
{
    snprintf(path, sizeof path, "/tmp/tallyd-test-log.%d", (int)getpid());
    unlink(path);
    const struct log_plan plan = plan_for(path);
    open_log(&plan);
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
    open_file();
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
    open_file();
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
    open_file();
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
    open_file();
    log_info("one");
    snprintf(old, sizeof old, "%s.1", path);
    ck_assert_int_eq(rename(path, old), 0);
    ck_assert(log_reopen());
    log_info("two");
    ck_assert_ptr_nonnull(strstr(read_file(), "two"));
    unlink(old);
}
END_TEST

/* However short its name is. */
START_TEST(who_follows_takes_the_file_that_was_opened)
{
    char dir[] = "/tmp/tallyd-test-log.XXXXXX";
    const struct log_plan shared = plan_for("a"), own = plan_for("b");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
    open_log(&shared);
    ck_assert(log_share() && log_reopen());
    open_log(&own);
    log_follow();
    ck_assert(log_reopen());
    log_info("followed");
    unlink("b");
    snprintf(path, sizeof path, "a");
    ck_assert_ptr_nonnull(strstr(read_file(), "followed"));
    rmdir(dir);
}
END_TEST

START_TEST(a_full_pipe_drops_and_counts)
{
    _Atomic uint64_t dropped = 0;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    open_stderr();
    log_set_drop_counter(&dropped);
    for (int i = 0; i < 5000; i++)
        log_info("a line that nobody reads, number %d", i);
    ck_assert_uint_gt(dropped, 0);
    ck_assert_uint_lt(dropped, 5000);
    close(ends[0]);
    log_info("the reader is gone");
}
END_TEST

START_TEST(what_is_dropped_early_is_counted_later)
{
    _Atomic uint64_t dropped = 1, other = 0;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    open_stderr();
    close(ends[0]);
    log_info("one");
    log_info("two");
    log_set_drop_counter(&dropped);
    ck_assert_uint_eq(dropped, 3);
    log_set_drop_counter(NULL);
    log_info("three");
    ck_assert_uint_eq(dropped, 3);
    log_set_drop_counter(&other);
    ck_assert_uint_eq(other, 1);
    log_info("four");
    ck_assert_uint_eq(other, 2);
    ck_assert_uint_eq(dropped, 3);
}
END_TEST

START_TEST(a_full_socket_drops_and_counts)
{
    _Atomic uint64_t dropped = 0;
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    open_stderr();
    /* Whoever shares the socket must not find it changed. */
    ck_assert_int_eq(fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK, 0);
    log_set_drop_counter(&dropped);
    for (int i = 0; i < 5000; i++)
        log_info("a line that nobody reads, number %d", i);
    ck_assert_uint_gt(dropped, 0);
    ck_assert_uint_lt(dropped, 5000);
}
END_TEST

START_TEST(an_inherited_pipe_is_not_changed)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    open_stderr();
    ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

/* Every byte value; the line stays one line and cannot drive a terminal. */
START_TEST(no_byte_leaves_its_line)
{
    char all[256];
    for (int c = 1; c < 256; c++)
        all[c - 1] = (char)c;
    all[255] = '\0';
    open_file();
    log_info("%s", all);
    const char *line = read_file();
    size_t n = strlen(line);
    for (size_t i = 0; i + 1 < n; i++)
        ck_assert_msg((unsigned char)line[i] >= 0x20 && line[i] != 0x7f,
                      "byte 0x%02x", (unsigned)(unsigned char)line[i]);
    ck_assert_int_eq(line[n - 1], '\n');
    ck_assert_ptr_nonnull(strstr(line, "\\x01"));
    ck_assert_ptr_nonnull(strstr(line, "\\x7f"));
}
END_TEST

START_TEST(controls_of_8_bits_stay_in_the_line)
{
    open_file();
    /* U+009B, which terminals take for ESC [, and the last of its kind. */
    log_info("a\xc2\x9b"
             "31mb\xc2\x80\xc2\x9f\xc3\xa9");
    const char *line = read_file();
    ck_assert_ptr_null(strstr(line, "\xc2\x9b"));
    ck_assert_ptr_null(strstr(line, "\xc2\x80"));
    ck_assert_ptr_null(strstr(line, "\xc2\x9f"));
    ck_assert_ptr_nonnull(strstr(line, "\xc3\xa9"));
}
END_TEST

START_TEST(a_line_full_of_escapes_is_cut_at_a_whole_one)
{
    char bad[LOG_LINE_MAX];
    memset(bad, '\x01', sizeof bad);
    bad[sizeof bad - 1] = '\0';
    open_file();
    log_info("%s", bad);
    const char *line = read_file();
    size_t n = strlen(line);
    ck_assert_uint_le(n, LOG_LINE_MAX);
    ck_assert_uint_gt(n, LOG_LINE_MAX - 100);
    ck_assert_int_eq(strcmp(line + n - 5, "\\x01\n"), 0);
}
END_TEST

START_TEST(a_path_that_fails_changes_nothing)
{
    open_file();
    char why[200];
    const struct log_plan bad = plan_for("/none/such/destination");
    ck_assert(!log_start(&bad, why, sizeof why));
    ck_assert_str_eq(why, "log_file = /none/such/destination: "
                          "No such file or directory");
    log_info("still here");
    ck_assert(log_reopen());
    log_info("and here");
    const char *line = read_file();
    ck_assert_ptr_nonnull(strstr(line, "still here\n"));
    ck_assert_ptr_nonnull(strstr(line, "and here\n"));
}
END_TEST

START_TEST(errno_is_kept)
{
    open_file();
    errno = EDOM;
    log_info("a line");
    ck_assert_int_eq(errno, EDOM);
    unlink(path);
}
END_TEST

START_TEST(lines_of_processes_do_not_mix)
{
    enum { CHILDREN = 4, LINES = 200 };
    static char all[CHILDREN * LINES * 300];
    open_file();
    for (int i = 0; i < CHILDREN; i++)
        if (fork() == 0) {
            char word[160];
            memset(word, 'a' + i, sizeof word);
            word[sizeof word - 1] = '\0';
            for (int n = 0; n < LINES; n++)
                log_info("<%s>", word);
            _exit(0);
        }
    for (int i = 0; i < CHILDREN; i++)
        ck_assert_int_gt(wait(NULL), 0);
    int fd = open(path, O_RDONLY), lines = 0;
    ssize_t n = read(fd, all, sizeof all - 1);
    close(fd);
    unlink(path);
    ck_assert_int_gt(n, 0);
    all[n] = '\0';
    for (char *line = strtok(all, "\n"); line != NULL;
         line = strtok(NULL, "\n"), lines++) {
        const char *word = strchr(line, '<');
        ck_assert_ptr_nonnull(word);
        ck_assert_uint_eq(strlen(word), 161);
        ck_assert_uint_eq(strspn(word + 1, (char[]){word[1], '\0'}), 159);
    }
    ck_assert_int_eq(lines, CHILDREN * LINES);
}
END_TEST

START_TEST(level_and_form_can_change)
{
    struct log_plan plan = plan_for(path);
    open_file();
    plan.level = LOG_DEBUG;
    plan.json = true;
    log_set(&plan);
    log_debug("a word");
    const char *line = read_file();
    ck_assert_int_eq(line[0], '{');
    ck_assert_ptr_nonnull(strstr(line, "\"level\":\"debug\""));
    ck_assert_ptr_nonnull(strstr(line, "\"message\":\"a word\"}\n"));
}
END_TEST

START_TEST(fields_follow_the_message)
{
    struct line line;
    open_file();
    log_begin(&line, LOG_WARN, "it broke");
    line_word(&line, "status", "502");
    line_text(&line, "detail", "why not");
    log_end(&line);
    ck_assert_ptr_nonnull(
        strstr(read_file(), ": it broke status=502 detail=\"why not\"\n"));
}
END_TEST

START_TEST(books_are_files_of_their_own)
{
    char access[80], moved[88];
    _Atomic uint64_t dropped = 0;
    struct line line;
    open_file();
    snprintf(access, sizeof access, "%s.access", path);
    snprintf(moved, sizeof moved, "%s.1", access);
    struct log_plan plan = plan_for(path);
    plan.books[LOG_ACCESS] = access;
    open_log(&plan);
    log_set_drop_counter(&dropped);
    ck_assert(log_has_book(LOG_ACCESS) && !log_has_book(LOG_SLOW));
    for (int i = 0; i < 2; i++) {
        log_begin_in_book(&line);
        line_number(&line, "turn", i);
        log_end_in_book(&line, LOG_ACCESS);
        if (i == 0)
            ck_assert_int_eq(rename(access, moved), 0);
        ck_assert(log_reopen());
    }
    ck_assert_str_eq(read_file(), ""); /* nothing of it is in the log */
    snprintf(path, sizeof path, "/tmp/tallyd-test-log.%d.access",
             (int)getpid());
    ck_assert_ptr_nonnull(strstr(read_file(), ": turn=1\n"));
    ck_assert_ptr_null(strstr(text, "turn=0"));
    unlink(moved);
    ck_assert_uint_eq(dropped, 0);
    log_begin_in_book(&line);
    log_end_in_book(&line, LOG_SLOW);
    ck_assert_uint_eq(dropped, 1);
}
END_TEST

START_TEST(a_book_that_fails_changes_nothing)
{
    char why[200];
    open_file();
    struct log_plan bad = plan_for("/dev/null");
    bad.books[LOG_SLOW] = "/none/such/destination";
    ck_assert(!log_start(&bad, why, sizeof why));
    ck_assert_str_eq(why, "slow_log = /none/such/destination: "
                          "No such file or directory");
    ck_assert(!log_has_book(LOG_ACCESS) && !log_has_book(LOG_SLOW));
    ck_assert_int_ge(fcntl(0, F_GETFD), 0);
    log_info("still here");
    ck_assert_ptr_nonnull(strstr(read_file(), "still here\n"));
}
END_TEST

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const TTest *const tests[] = {lines_have_time_level_and_process,
                                  control_characters_stay_in_the_line,
                                  a_long_line_is_cut,
                                  a_rotated_file_is_opened_again,
                                  who_follows_takes_the_file_that_was_opened,
                                  a_full_pipe_drops_and_counts,
                                  what_is_dropped_early_is_counted_later,
                                  a_full_socket_drops_and_counts,
                                  an_inherited_pipe_is_not_changed,
                                  no_byte_leaves_its_line,
                                  controls_of_8_bits_stay_in_the_line,
                                  a_line_full_of_escapes_is_cut_at_a_whole_one,
                                  a_path_that_fails_changes_nothing,
                                  errno_is_kept,
                                  lines_of_processes_do_not_mix,
                                  level_and_form_can_change,
                                  fields_follow_the_message,
                                  books_are_files_of_their_own,
                                  a_book_that_fails_changes_nothing};
    return UNIT_MAIN("log", tests);
}
