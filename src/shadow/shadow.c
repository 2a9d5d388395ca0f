/* shadow: see shadow.h. */
#include "shadow/shadow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/target.h"
#include "compare/wanted.h"
#include "compare/mismatch_record.h"
#include "compare/parity.h"
#include "downstream/call.h"
#include "os/journal.h"
#include "scoreboard/view.h"
#include "shadow/shadow_sampler.h"

/* The share of sample_max that differences by contract may take: they may be
 * many, and must not crowd out the others. */
#define CONTRACT_PART 2

/* Each byte of path and query may take three. */
#define TARGET_MAX                                                             \
    (CONFIG_SHADOW_URL_MAX + 3 * (SHADOW_PATH_MAX + SHADOW_QUERY_MAX) + 2)

struct shadow {
    const struct shadow_plan *plan;
    const struct config_shadow *config;
    struct scoreboard_shadow *counts;
    struct call *call; /* NULL: nobody is asked */
    const char *base;  /* the path of `url`, without a / before another path */
    size_t base_len;
    struct journal samples, results;
    int64_t complained; /* monotonic ns: the last warning about a file */
    int64_t told;       /* and about a difference */
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

struct link_settings shadow_link(const struct config_shadow *c)
{
    return (struct link_settings){.name = "url",
                                  .url = c->url,
                                  .socket = c->url_socket,
                                  .ca = c->url_ca,
                                  .cert = c->url_cert,
                                  .key = c->url_key,
                                  .idle = c->url_idle,
                                  .lifetime = c->url_lifetime,
                                  .connect_timeout = c->connect_timeout};
}

/* False: `url` cannot be asked, which settings_load() has made sure of, or
 * memory is short. */
static bool open_call(struct shadow *s)
{
    char why[200];
    const struct call_settings settings = {.link = shadow_link(s->config),
                                           .timeout = s->config->timeout,
                                           .max_reply =
                                               (size_t)s->config->max_reply};
    if (s->config->url[0] == '\0')
        return true;
    s->base = strstr(s->config->url, "://") + 3;
    s->base += strcspn(s->base, "/");
    s->base_len = strlen(s->base);
    if (s->base_len > 0 && s->base[s->base_len - 1] == '/' &&
        s->config->path == CONFIG_path_request)
        s->base_len--;
    s->call = call_new(&settings, why, sizeof why);
    if (s->call == NULL)
        log_error("[shadow] %s", why);
    return s->call != NULL;
}

struct shadow *shadow_new(const struct shadow_plan *plan)
{
    struct shadow *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    const struct config_shadow *c = &plan->config->shadow;
    s->plan = plan;
    s->config = c;
    s->counts = plan->counts;
    open_file(s, &s->samples, c->sample_file, c->sample_max);
    open_file(s, &s->results, c->result_file, c->result_max);
    if (!open_call(s))
        shadow_free(&s);
    return s;
}

void shadow_free(struct shadow **s)
{
    if (*s == NULL)
        return;
    call_free(&(*s)->call);
    journal_close(&(*s)->samples);
    journal_close(&(*s)->results);
    free(*s);
    *s = NULL;
}

static bool reopen(struct shadow *s, struct journal *j, const char *path)
{
    if (path[0] == '\0' || journal_reopen(j))
        return true;
    complain(s, path, strerror(errno));
    return false;
}

bool shadow_reopen(struct shadow *s)
{
    bool samples = reopen(s, &s->samples, s->config->sample_file);
    return reopen(s, &s->results, s->config->result_file) && samples;
}

/* --- Files. --- */

/* The line is freed; it is empty where memory was short. */
static void add_line(struct shadow *s, struct journal *j, char *line, size_t n,
                     enum shadow_count written, enum shadow_count lost)
{
    enum journal_end end = n > 0 ? journal_add(j, line, n) : JOURNAL_FAILED;
    if (end == JOURNAL_FULL)
        complain(s, j->path, "it has reached its limit; no more is written");
    else if (end == JOURNAL_FAILED && n > 0)
        complain(s, j->path, strerror(errno));
    count(s, end == JOURNAL_WRITTEN ? written : lost);
    free(line);
}

static void put_text(FILE *out, const char *name, const char *text)
{
    mismatch_record_print_bytes(name, text, strlen(text), out);
    putc(',', out);
}

/* What tallyctl shadow report pairs with what the old handler has posted. A
 * refusal is explained by the body. */
static void print_result(const struct shadow *s, const struct shadow_case *c,
                         FILE *out)
{
    char now[24];
    putc('{', out);
    put_text(out, "time", view_time(clock_wall(), now));
    put_text(out, "request_id", c->request_id);
    put_text(out, "endpoint", c->endpoint);
    put_text(out, "outcome", outcome_name((enum outcome)c->outcome));
    if (c->result_len > 0) {
        put_text(out, "result", c->result);
    } else if (c->whole &&
               s->config->sample_bodies == CONFIG_sample_bodies_on) {
        mismatch_record_print_bytes("body", c->body, (size_t)c->body_len, out);
        putc(',', out);
    }
    fprintf(out, "\"status\":%d}\n", c->status);
}

static void write_result(struct shadow *s, const struct shadow_case *c)
{
    char *line = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&line, &n);
    if (out != NULL) {
        print_result(s, c, out);
        fclose(out);
    }
    add_line(s, &s->results, line, n, SHADOW_COUNT_results,
             SHADOW_COUNT_results_lost);
}

static void write_sample(struct shadow *s, const struct mismatch_record *record)
{
    char *line = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&line, &n);
    bool redact = s->config->sample_bodies == CONFIG_sample_bodies_off;
    bool contract = parity_kind_class(record->verdict->kind) == PARITY_CONTRACT;
    if (out != NULL) {
        mismatch_record_print(record, redact, out);
        fclose(out);
    }
    s->samples.limit = contract ? s->config->sample_max / CONTRACT_PART
                                : s->config->sample_max;
    add_line(s, &s->samples, line, n, SHADOW_COUNT_samples,
             SHADOW_COUNT_samples_lost);
}

/* --- Asking and comparing. --- */

static const char *strip(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);
    bool is_there =
        strncmp(path, prefix, n) == 0 && (path[n] == '/' || path[n] == '\0');
    return is_there ? path + n : path;
}

static void print_target(const struct shadow *s, const struct shadow_case *c,
                         struct buf *out)
{
    buf_add(out, s->base, s->base_len);
    if (s->config->path == CONFIG_path_request)
        target_put_path(out, strip(c->path, s->config->strip));
    if (out->len == 0)
        buf_char(out, '/');
    if (c->query[0] != '\0')
        buf_char(out, '?');
    target_put_query(out, c->query);
}

static void ask(struct shadow *s, const struct shadow_case *c,
                struct call_answer *answer)
{
    char target_room[TARGET_MAX + 1], lines_room[SHADOW_LINES_MAX + 512];
    struct buf target, lines;
    buf_init(&target, target_room, sizeof target_room);
    buf_init(&lines, lines_room, sizeof lines_room);
    print_target(s, c, &target);
    buf_printf(&lines,
               "%sX-Request-ID: %s\r\ntraceparent: %s\r\n" SHADOW_LOOP_HEADER
               ": %s\r\n",
               c->lines, c->request_id, c->traceparent, s->plan->mark);
    const struct call_request request = {.body = c->body,
                                         .body_len = (size_t)c->body_len,
                                         .target = target_room,
                                         .lines = lines_room};
    call_post(s->call, &request, answer);
    count(s, SHADOW_COUNT_asked);
}

static struct parity_result result_of_ours(const struct shadow *s,
                                           const struct shadow_case *c)
{
    bool result =
        s->config->compare == CONFIG_compare_result && c->result_len > 0;
    return (struct parity_result){.end = CALL_ANSWERED,
                                  .status = c->status,
                                  .reply = result ? c->result : c->reply,
                                  .reply_len =
                                      result ? c->result_len : c->reply_len,
                                  .posts = PARITY_POSTS_UNKNOWN};
}

static void tell(struct shadow *s, const struct shadow_case *c,
                 const struct parity_verdict *v)
{
    if (log_paced(&s->told))
        log_warn("mismatch request=%s kind=%s place=%s%s: %s", c->request_id,
                 parity_kind_name(v->kind), parity_place_name(v->place),
                 v->pointer, parity_kind_text(v->kind));
}

static void compare(struct shadow *s, const struct shadow_case *c)
{
    struct call_answer answer;
    struct parity_verdict v;
    struct wanted wanted;
    ask(s, c, &answer);
    wanted_open(&wanted, config_find_endpoint(s->plan->config, c->endpoint));
    struct parity_case compared = {.request = c->body,
                                   .request_len = (size_t)c->body_len,
                                   .ours = result_of_ours(s, c),
                                   .theirs = {.end = answer.end,
                                              .status = answer.status,
                                              .reply = answer.body,
                                              .reply_len = answer.body_len,
                                              .posts = PARITY_POSTS_UNKNOWN}};
    wanted_put(&wanted, &compared);
    parity_judge(&compared, &v);
    wanted_close(&wanted);
    scoreboard_count(&s->counts->kinds[v.kind]);
    enum parity_kind_class class = parity_kind_class(v.kind);
    if (class == PARITY_MISMATCH)
        tell(s, c, &v);
    if (s->config->sample_file[0] == '\0' ||
        (class != PARITY_MISMATCH && class != PARITY_CONTRACT))
        return;
    const struct mismatch_record record = {
        .number = s->counts->counts[SHADOW_COUNT_asked],
        .source = c->request_id,
        .compared = &compared,
        .verdict = &v,
        .details = {"", answer.detail}};
    write_sample(s, &record);
}

void shadow_examine(struct shadow *s, const struct shadow_case *c)
{
    if (s->config->result_file[0] != '\0')
        write_result(s, c);
    if (s->call != NULL && c->whole)
        compare(s, c);
    else if (s->call != NULL)
        count(s, SHADOW_COUNT_unasked);
}
