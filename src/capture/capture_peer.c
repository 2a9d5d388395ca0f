/* capture_peer: see capture_peer.h. */
#include "capture/capture_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "compare/mismatch_record.h"
#include "downstream/call.h"
#include "os/journal.h"
#include "os/signals.h"
#include "status/http.h"

#define SILENCE_MAX (75 * CLOCK_SECOND)
#define LINES_MAX 32768

struct capture_peer {
    const struct capture_options *options;
    struct capture_counts *counts;
    struct journal journal;
    struct call *call; /* NULL: nothing is passed on */
    bool own_target;   /* the URL has a path of its own */
    char lines[LINES_MAX];
    char fields[LINES_MAX];
};

/* --- Headers that are passed on, both ways. --- */

/* Those of one connection (RFC 9110, 7.6.1), and what says where a message
 * ends, which is said anew. */
static bool is_of_connection(const char *name, size_t n)
{
    static const char *const names[] = {"Connection",
                                        "Keep-Alive",
                                        "Proxy-Connection",
                                        "TE",
                                        "Trailer",
                                        "Upgrade",
                                        "Transfer-Encoding",
                                        "Host",
                                        "Proxy-Authorization",
                                        "Expect",
                                        "Content-Length"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == n && strncasecmp(names[i], name, n) == 0)
            return true;
    return false;
}

static void add_header(void *lines, const char *name, const char *value)
{
    if (!is_of_connection(name, strlen(name)))
        buf_printf(lines, "%s: %s\r\n", name, value);
}

/* Fields of an answer, one a line, without those of its connection. */
static void keep_fields(const char *from, struct buf *to)
{
    while (*from != '\0') {
        size_t n = strcspn(from, "\n"), name = strcspn(from, ":\n");
        if (!is_of_connection(from, name))
            buf_add(to, from, n + (from[n] == '\n'));
        from += n + (from[n] == '\n');
    }
}

/* --- One post. --- */

static void fail(struct http_reply *reply, const struct call_answer *a)
{
    static const char text[] = "{\"error\":\"tallyctl capture: the downstream "
                               "gave no answer\"}";
    reply->status = a->end == CALL_TIMED_OUT ? 504 : 502;
    reply->type = "application/json";
    reply->body = strdup(text);
    reply->len = sizeof text - 1;
}

static void pass_on(struct capture_peer *p, const struct http_request *r,
                    struct http_reply *reply, struct call_answer *a)
{
    struct buf lines, fields;
    buf_init(&lines, p->lines, sizeof p->lines);
    buf_init(&fields, p->fields, sizeof p->fields);
    http_each_header(r, add_header, &lines);
    const struct call_request request = {.body = r->body,
                                         .body_len = r->body_len,
                                         .target =
                                             p->own_target ? NULL : r->target,
                                         .lines = lines.data};
    call_post(p->call, &request, a);
    if (a->end != CALL_ANSWERED) {
        atomic_fetch_add(&p->counts->failed, 1);
        fail(reply, a);
        return;
    }
    keep_fields(a->fields, &fields);
    reply->status = a->status;
    reply->fields = fields.data;
    reply->body = malloc(a->body_len + 1);
    if (reply->body != NULL)
        memcpy(reply->body, a->body, a->body_len);
    reply->len = a->body_len;
}

static void put_time(FILE *out)
{
    int64_t wall = clock_wall();
    time_t seconds = (time_t)(wall / CLOCK_SECOND);
    struct tm tm;
    char text[32];
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    fprintf(out, "{\"time\":\"%s.%03dZ\",\"method\":\"POST\"", text,
            (int)(wall % CLOCK_SECOND / CLOCK_MS));
}

static void put_text(const char *name, const char *text, FILE *out)
{
    putc(',', out);
    mismatch_record_print_bytes(name, text, strlen(text), out);
}

static bool write_down(struct capture_peer *p, const struct http_request *r,
                       int status, const struct call_answer *a)
{
    char *line = NULL;
    size_t n = 0;
    const char *id = http_header(r, "X-Request-ID");
    FILE *out = open_memstream(&line, &n);
    if (out == NULL)
        return false;
    put_time(out);
    put_text("target", r->target, out);
    if (id != NULL)
        put_text("request_id", id, out);
    fprintf(out, ",\"status\":%d", status);
    if (p->call != NULL)
        fprintf(out, ",\"took_us\":%lld", (long long)(a->took / 1000));
    if (p->call != NULL && a->end != CALL_ANSWERED)
        put_text("failed", a->detail, out);
    putc(',', out);
    mismatch_record_print_bytes("body", r->body, r->body_len, out);
    fputs("}\n", out);
    bool ok = fclose(out) == 0 &&
              journal_add(&p->journal, line, n) == JOURNAL_WRITTEN;
    free(line);
    return ok;
}

static void answer(void *context, const struct http_request *r,
                   struct http_reply *reply)
{
    struct capture_peer *p = context;
    struct call_answer a = {.end = CALL_ANSWERED};
    reply->status = 405;
    if (r->body == NULL)
        return;
    reply->status = (int)p->options->answer;
    if (p->call != NULL)
        pass_on(p, r, reply, &a);
    atomic_fetch_add(&p->counts->posts, 1);
    if (!write_down(p, r, reply->status, &a))
        atomic_fetch_add(&p->counts->unwritten, 1);
}

/* --- The connection. --- */

struct call_settings capture_peer_call(const struct capture_options *o)
{
    return (struct call_settings){.link = {.name = "forward",
                                           .url = o->forward,
                                           .ca = o->forward_ca,
                                           .cert = o->forward_cert,
                                           .key = o->forward_key},
                                  .timeout = o->timeout,
                                  .max_reply = (size_t)o->max_reply};
}

static bool open_call(struct capture_peer *p)
{
    const char *url = p->options->forward;
    char why[256];
    const struct call_settings s = capture_peer_call(p->options);
    if (url[0] == '\0')
        return true;
    const char *path = strchr(strstr(url, "://") + 3, '/');
    p->own_target = path != NULL && path[1] != '\0';
    p->call = call_new(&s, why, sizeof why);
    return p->call != NULL;
}

static void serve(struct http *http, struct capture_peer *p)
{
    bool told = false;
    while (http_connections(http) > 0 && !(told && http_is_idle(http))) {
        http_turn(http, CLOCK_NEVER);
        signals_hear();
        told = signals_take(SIGTERM) || told;
        if (signals_take(SIGUSR1))
            journal_reopen(&p->journal);
    }
}

int capture_peer_run(int fd, const struct capture_options *o,
                     struct capture_counts *counts)
{
    struct capture_peer *p = calloc(1, sizeof *p);
    const struct http_config config = {.listener = -1,
                                       .max_connections = 1,
                                       .timeout = SILENCE_MAX + o->timeout,
                                       .keep = true,
                                       .max_body = (size_t)o->max_body,
                                       .context = p,
                                       .answer = answer};
    if (p == NULL)
        return EXIT_FAILURE;
    p->options = o;
    p->counts = counts;
    /* What it cannot write is counted, and passed on all the same. */
    journal_open(&p->journal, o->out, o->max_out);
    struct http *http = open_call(p) ? http_new(&config) : NULL;
    if (http != NULL && http_adopt(http, fd))
        serve(http, p);
    bool served = http != NULL;
    if (served)
        http_free(&http);
    journal_close(&p->journal);
    call_free(&p->call);
    free(p);
    return served ? EXIT_SUCCESS : EXIT_FAILURE;
}
