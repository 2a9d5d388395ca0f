/* requestlog: see requestlog.h. */
#include "processes/requestlog.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define LINE_MAX 1024

/* A longer path is cut in the log. */
#define PATH_SHOWN 256

static const char *const timing_names[] = {
#define TIMING(name) #name,
#include "adapters/timing.def"
#undef TIMING
};

static enum log_level level_of(enum outcome o)
{
    return o == OUTCOME_ok            ? LOG_DEBUG
           : outcome_status(o) >= 500 ? LOG_WARN
                                      : LOG_INFO;
}

static void put_names(struct buf *out, const struct requestlog_entry *e)
{
    const struct handler_result *r = e->result;
    buf_printf(out, "outcome=%s status=%d request=%s trace=%.32s endpoint=%s",
               outcome_name(r->outcome), outcome_status(r->outcome),
               e->trace->request_id, e->trace->parent + 3,
               r->endpoint == NULL ? "-" : r->endpoint->config->name);
}

static void put_quoted(struct buf *out, const char *key, const char *text,
                       size_t most)
{
    char room[PATH_SHOWN + 1];
    struct buf cut;
    buf_init(&cut, room, sizeof room);
    buf_add(&cut, text, strnlen(text, most < PATH_SHOWN ? most : PATH_SHOWN));
    buf_printf(out, " %s=", key);
    log_quote(out, room);
}

static void put_request_line(struct buf *out, const struct requestlog_entry *e)
{
    put_quoted(out, "method", e->method, 20);
    put_quoted(out, "path", e->path, PATH_SHOWN);
}

static void put_ms(struct buf *out, const char *name, int64_t ns)
{
    buf_printf(out, " %s=%" PRId64 ".%03" PRId64 "ms", name, ns / CLOCK_MS,
               ns % CLOCK_MS / 1000);
}

/* Where the time went, as far as the request has come. */
static void put_timings(struct buf *out, const struct phases *p)
{
    for (int i = 0; i < TIMING_COUNT; i++) {
        int64_t ns = i == TIMING_total ? p->mark - p->begun : p->spent[i];
        if (ns >= 0)
            put_ms(out, timing_names[i], ns);
    }
}

static void log_mismatch(const struct requestlog_entry *e)
{
    if (e->result->check == DECODER_DIFFERENT)
        log_warn("mismatch request=%s the decoders differ: %s",
                 e->trace->request_id, e->result->difference);
}

void requestlog_result(const struct requestlog_entry *e)
{
    const struct handler_result *r = e->result;
    enum log_level level = level_of(r->outcome);
    log_mismatch(e);
    if (!log_wants(level))
        return;
    char room[LINE_MAX];
    struct buf line;
    buf_init(&line, room, sizeof room);
    put_names(&line, e);
    if (r->outcome == OUTCOME_request_timeout) {
        put_request_line(&line, e);
        put_timings(&line, e->phases);
    }
    if (r->detail[0] != '\0') {
        buf_str(&line, " detail=");
        log_quote(&line, r->detail);
    }
    log_write(level, "%s", room);
}
