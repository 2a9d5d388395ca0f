/* requestlog: see requestlog.h. */
#include "worker/requestlog.h"

#include <stdio.h>

#include "base/log.h"

/* A longer path is cut in the log. */
#define PATH_SHOWN 256

static enum log_level level_of(enum outcome o)
{
    return o == OUTCOME_ok            ? LOG_DEBUG
           : outcome_status(o) >= 500 ? LOG_WARN
                                      : LOG_INFO;
}

static void add_ids(struct line *l, const struct trace *trace)
{
    char id[33];
    snprintf(id, sizeof id, "%.32s", trace->parent + 3);
    line_word(l, "request", trace->request_id);
    line_word(l, "trace", id);
}

static void add_result(struct line *l, const struct requestlog_entry *e)
{
    const struct handler_result *r = e->result;
    line_word(l, "outcome", outcome_name(r->outcome));
    line_number(l, "status", outcome_status(r->outcome));
    add_ids(l, e->trace);
    line_word(l, "endpoint",
              r->endpoint == NULL ? "-" : r->endpoint->config->name);
}

static void add_cut(struct line *l, const char *key, const char *text,
                    size_t most)
{
    char room[PATH_SHOWN + 1];
    snprintf(room, sizeof room, "%.*s", (int)most, text);
    line_text(l, key, room);
}

static void add_request_line(struct line *l, const struct requestlog_entry *e)
{
    add_cut(l, "method", e->method, 20);
    add_cut(l, "path", e->path, PATH_SHOWN);
}

static int64_t total_of(const struct phases *p)
{
    return p->mark - p->begun;
}

/* Where the time went, as far as the request has come. */
static void add_timings(struct line *l, const struct phases *p)
{
    for (int i = 0; i < TIMING_COUNT; i++) {
        int64_t ns = i == TIMING_total ? total_of(p) : p->spent[i];
        if (ns >= 0)
            line_ms(l, scoreboard_timing_name((enum timing)i), ns);
    }
}

static void log_mismatch(const struct requestlog_entry *e)
{
    struct line line;
    if (e->result->check != DECODER_DIFFERENT || !log_wants(LOG_WARN))
        return;
    log_begin(&line, LOG_WARN, "mismatch: the decoders differ");
    add_ids(&line, e->trace);
    line_text(&line, "difference", e->result->difference);
    log_end(&line);
}

void requestlog_result(const struct requestlog_entry *e)
{
    const struct handler_result *r = e->result;
    enum log_level level = level_of(r->outcome);
    struct line line;
    log_mismatch(e);
    if (!log_wants(level))
        return;
    log_begin(&line, level, "");
    add_result(&line, e);
    if (r->outcome == OUTCOME_request_timeout) {
        add_request_line(&line, e);
        add_timings(&line, e->phases);
    }
    if (r->detail[0] != '\0')
        line_text(&line, "detail", r->detail);
    log_end(&line);
}

static void write_access(const struct requestlog_entry *e)
{
    struct line line;
    log_begin_in_book(&line);
    add_result(&line, e);
    add_request_line(&line, e);
    line_number(&line, "body_bytes", (int64_t)e->body_bytes);
    line_ms(&line, "total", total_of(e->phases));
    log_end_in_book(&line, LOG_ACCESS);
}

static void write_slow(const struct requestlog_entry *e)
{
    struct line line;
    bool book = log_has_book(LOG_SLOW);
    if (!book && !log_wants(LOG_WARN))
        return;
    if (book)
        log_begin_in_book(&line);
    else
        log_begin(&line, LOG_WARN, "slow");
    add_result(&line, e);
    add_request_line(&line, e);
    line_number(&line, "body_bytes", (int64_t)e->body_bytes);
    add_timings(&line, e->phases);
    if (book)
        log_end_in_book(&line, LOG_SLOW);
    else
        log_end(&line);
}

void requestlog_done(const struct requestlog_entry *e, int64_t slow_threshold)
{
    if (log_has_book(LOG_ACCESS))
        write_access(e);
    if (slow_threshold != 0 && total_of(e->phases) > slow_threshold)
        write_slow(e);
}

void requestlog_not_taken(const struct trace *trace)
{
    struct line line;
    if (!log_wants(LOG_INFO))
        return;
    log_begin(&line, LOG_INFO, "the web server did not take the reply");
    add_ids(&line, trace);
    log_end(&line);
}
