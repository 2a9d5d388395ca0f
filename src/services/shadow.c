/* shadow: see shadow.h. */
#include "services/shadow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/journal.h"
#include "base/buf.h"
#include "base/log.h"
#include "domain/json.h"

/* A result's line: three names and a result, each byte six when escaped. */
#define RESULT_LINE_MAX                                                        \
    (6 * (TRACE_ID_MAX + SHADOW_RESULT_MAX + 40 /* endpoint */) + 256)

struct shadow {
    const struct config_shadow *config;
    struct scoreboard_shadow *counts;
    struct journal results;
    int64_t complained; /* monotonic ns: the last warning about a file */
};

static void count(struct shadow *s, enum shadow_count c)
{
    scoreboard_count(&s->counts->counts[c]);
}

static void complain(struct shadow *s, const char *path, const char *why)
{
    if (log_paced(&s->complained))
        log_warn("%s: %s", path, why);
}

/* One that cannot be opened is tried again with shadow_reopen(). */
static void open_file(struct shadow *s, struct journal *j, const char *path,
                      int64_t limit)
{
    j->fd = -1;
    if (path[0] != '\0' && !journal_open(j, path, limit))
        complain(s, path, strerror(errno));
}

struct shadow *shadow_new(const struct config_shadow *config,
                          struct scoreboard_shadow *counts)
{
    struct shadow *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->config = config;
    s->counts = counts;
    open_file(s, &s->results, config->result_file, config->result_max);
    return s;
}

void shadow_free(struct shadow **s)
{
    if (*s == NULL)
        return;
    journal_close(&(*s)->results);
    free(*s);
    *s = NULL;
}

void shadow_reopen(struct shadow *s)
{
    if (s->config->result_file[0] != '\0' && !journal_reopen(&s->results))
        complain(s, s->config->result_file, strerror(errno));
}

static void add_line(struct shadow *s, struct journal *j,
                     const struct buf *line, enum shadow_count written,
                     enum shadow_count lost)
{
    switch (journal_add(j, line->data, line->len)) {
    case JOURNAL_WRITTEN:
        count(s, written);
        return;
    case JOURNAL_FULL:
        complain(s, j->path, "it has reached its limit; no more is written");
        break;
    case JOURNAL_FAILED:
        complain(s, j->path, strerror(errno));
        break;
    }
    count(s, lost);
}

static void put_text(struct buf *line, const char *key, const char *text)
{
    buf_printf(line, "\"%s\":", key);
    json_quote(line, text);
    buf_char(line, ',');
}

/* What tallyctl shadow report pairs with what the old handler has posted. */
static void write_result(struct shadow *s, const struct shadow_case *c)
{
    char room[RESULT_LINE_MAX], result[SHADOW_RESULT_MAX + 1];
    struct buf line;
    memcpy(result, c->result, c->result_len);
    result[c->result_len] = '\0';
    buf_init(&line, room, sizeof room);
    buf_char(&line, '{');
    put_text(&line, "id", c->request_id);
    put_text(&line, "endpoint", c->endpoint);
    put_text(&line, "outcome", outcome_name((enum outcome)c->outcome));
    if (c->result_len > 0)
        put_text(&line, "result", result);
    buf_printf(&line, "\"status\":%d}\n", c->status);
    add_line(s, &s->results, &line, SHADOW_COUNT_results,
             SHADOW_COUNT_results_lost);
}

void shadow_examine(struct shadow *s, const struct shadow_case *c)
{
    if (s->config->result_file[0] != '\0')
        write_result(s, c);
}
