/* requestlog: which requests have a line, where, and what is in it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/requestlog.h"
#include "unit.h"

static char path[3][64]; /* the log, then its books */
static char text[8192];
static struct trace trace = {.request_id = "id-7"};
static struct handler_result result;
static struct phases phases;
static const struct requestlog_entry entry = {.method = "POST",
                                              .path = "/sum",
                                              .trace = &trace,
                                              .result = &result,
                                              .phases = &phases,
                                              .body_bytes = 42};

static void open_log(enum log_level level, bool books)
{
    char why[200] = "";
    const char *const names[3] = {"log", "access", "slow"};
    for (int i = 0; i < 3; i++) {
        snprintf(path[i], sizeof path[i], "/tmp/tallyd-test-%s.%d", names[i],
                 (int)getpid());
        unlink(path[i]);
    }
    const struct log_plan plan = {
        .level = level,
        .file = path[0],
        .socket = "",
        .pool = "main",
        .books = {books ? path[1] : NULL, books ? path[2] : NULL}};
    ck_assert_msg(log_start(&plan, why, sizeof why), "%s", why);
    snprintf(trace.parent, sizeof trace.parent, "%s",
             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    result = (struct handler_result){.outcome = OUTCOME_ok};
    phases = (struct phases){.begun = CLOCK_SECOND, .mark = 3 * CLOCK_SECOND};
    for (int i = 0; i < TIMING_COUNT; i++)
        phases.spent[i] = PHASES_UNSEEN;
}

/* What stands there since the last look, without time and process. */
static const char *read_file(int which)
{
    int fd = open(path[which], O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    if (fd >= 0)
        close(fd);
    ck_assert_int_eq(truncate(path[which], 0), 0);
    return text;
}

static void expect(const char *line, const char *part)
{
    ck_assert_msg(strstr(line, part) != NULL, "no '%s' in '%s'", part, line);
}

static void expect_not(const char *line, const char *part)
{
    ck_assert_msg(strstr(line, part) == NULL, "'%s' in '%s'", part, line);
}

static void remove_log(void)
{
    for (int i = 0; i < 3; i++)
        unlink(path[i]);
}

START_TEST(a_success_is_a_detail)
{
    open_log(LOG_INFO, false);
    requestlog_result(&entry);
    ck_assert_str_eq(read_file(0), "");
    open_log(LOG_DEBUG, false);
    requestlog_result(&entry);
    const char *line = read_file(0);
    expect(line, " debug ");
    expect(line, "outcome=ok status=200 request=id-7 "
                 "trace=0af7651916cd43dd8448eb211c80319c endpoint=-\n");
}
END_TEST

START_TEST(whose_fault_it_is_decides_the_level)
{
    open_log(LOG_WARN, false);
    for (enum outcome o = OUTCOME_ok; o < OUTCOME_COUNT; o++) {
        result.outcome = o;
        requestlog_result(&entry);
        if (outcome_status(o) >= 500)
            expect(read_file(0), " warn ");
        else
            ck_assert_str_eq(read_file(0), "");
    }
    open_log(LOG_INFO, false);
    result.outcome = OUTCOME_not_found;
    snprintf(result.detail, sizeof result.detail, "nobody is there");
    requestlog_result(&entry);
    const char *line = read_file(0);
    expect(line, " info ");
    expect(line, "detail=\"nobody is there\"");
    expect_not(line, "path=");
}
END_TEST

/* What was too late says where the time went, as far as it has come. */
START_TEST(a_timeout_tells_its_time)
{
    open_log(LOG_INFO, false);
    result.outcome = OUTCOME_request_timeout;
    phases.spent[TIMING_body] = 0;
    phases.spent[TIMING_queue] = 20 * CLOCK_MS;
    requestlog_result(&entry);
    const char *line = read_file(0);
    expect(line, "method=\"POST\" path=\"/sum\" ");
    expect(line, " total=2000");
    expect(line, " queue=20");
    expect(line, " body=0");
    expect_not(line, "decode=");
    expect_not(line, "write=");
}
END_TEST

START_TEST(decoders_that_differ_are_told)
{
    const struct {
        enum decoder_check check;
        enum log_level level;
        bool told;
    } rows[] = {{DECODER_DIFFERENT, LOG_WARN, true},
                {DECODER_DIFFERENT, LOG_ERROR, false},
                {DECODER_SAME, LOG_WARN, false},
                {DECODER_UNCHECKED, LOG_WARN, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_log(rows[i].level, false);
        result.check = rows[i].check;
        snprintf(result.difference, sizeof result.difference, "7 and 8");
        requestlog_result(&entry);
        const char *line = read_file(0);
        if (rows[i].told) {
            expect(line, " warn ");
            expect(line, "mismatch: the decoders differ");
            expect(line, "request=id-7 ");
            expect(line, "difference=\"7 and 8\"\n");
        } else {
            ck_assert_str_eq(line, "");
        }
    }
}
END_TEST

START_TEST(every_request_is_in_the_access_log)
{
    open_log(LOG_ERROR, true);
    requestlog_done(&entry, 0);
    const char *line = read_file(1);
    expect(line, "outcome=ok ");
    expect(line, "method=\"POST\" path=\"/sum\" body_bytes=42 total=2000");
    ck_assert_str_eq(read_file(2), "");
    ck_assert_str_eq(read_file(0), "");
}
END_TEST

START_TEST(a_slow_one_is_told_beyond_the_threshold)
{
    const struct {
        bool books;
        enum log_level level;
        int64_t threshold;
        bool told;
    } rows[] = {{true, LOG_ERROR, 2 * CLOCK_SECOND - 1, true},
                {true, LOG_ERROR, 2 * CLOCK_SECOND, false},
                {true, LOG_ERROR, 0, false},
                {false, LOG_WARN, 1, true},
                {false, LOG_ERROR, 1, false}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        open_log(rows[i].level, rows[i].books);
        phases.spent[TIMING_decode] = CLOCK_SECOND;
        requestlog_done(&entry, rows[i].threshold);
        const char *line = read_file(rows[i].books ? 2 : 0);
        ck_assert_msg(rows[i].told == (line[0] != '\0'), "row %zu: %s", i,
                      line);
        if (!rows[i].told)
            continue;
        expect(line, "method=\"POST\" path=\"/sum\" body_bytes=42 ");
        expect(line, "decode=1000");
        if (rows[i].books)
            expect_not(line, "warn");
        else
            expect(line, " warn ");
        if (rows[i].books)
            ck_assert_str_eq(read_file(0), "");
    }
}
END_TEST

START_TEST(what_is_long_is_cut)
{
    char longest[600];
    struct requestlog_entry e = entry;
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    open_log(LOG_ERROR, true);
    e.path = e.method = longest;
    requestlog_done(&e, 0);
    const char *line = read_file(1);
    const char *method = strstr(line, "method="), *name = strstr(line, "path=");
    ck_assert_uint_eq(strspn(method + 8, "x"), 20);
    ck_assert_uint_eq(strspn(name + 6, "x"), 256);
}
END_TEST

START_TEST(a_reply_that_nobody_took)
{
    open_log(LOG_WARN, false);
    requestlog_not_taken(&trace);
    ck_assert_str_eq(read_file(0), "");
    open_log(LOG_INFO, false);
    requestlog_not_taken(&trace);
    const char *line = read_file(0);
    expect(line, " info ");
    expect(line, "did not take the reply");
    expect(line, "request=id-7 ");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_success_is_a_detail,
                                  whose_fault_it_is_decides_the_level,
                                  a_timeout_tells_its_time,
                                  decoders_that_differ_are_told,
                                  every_request_is_in_the_access_log,
                                  a_slow_one_is_told_beyond_the_threshold,
                                  what_is_long_is_cut,
                                  a_reply_that_nobody_took};
    return UNIT_RUN_WITH("requestlog", tests, NULL, remove_log);
}
