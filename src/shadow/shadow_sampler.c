/* shadow_sampler: see shadow_sampler.h. */
#include "shadow/shadow_sampler.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fieldlist.h"

/* A share is kept in millionths. */
#define WHOLE 1000000

static void count(struct shadow_sampler *t, enum counter c)
{
    scoreboard_count(&t->slot->counters[c]);
}

void shadow_sampler_open(struct shadow_sampler *t,
                         const struct config_shadow *config,
                         struct shadow_queue *queue,
                         struct scoreboard_slot *slot, uint32_t number)
{
    *t = (struct shadow_sampler){.config = config,
                                 .queue = queue,
                                 .slot = slot,
                                 .owner = SHADOW_WORKER(number),
                                 .queue_slot = -1};
}

bool shadow_sampler_is_loop(struct shadow_sampler *t, const char *mark)
{
    if (mark == NULL || strcmp(mark, shadow_queue_name(t->queue)) != 0)
        return false;
    count(t, COUNTER_shadow_loops);
    return true;
}

/* Each request by itself, so that those sampled stand for the others: every
 * hundredth one might always be of the same kind. */
static bool is_drawn(struct shadow_sampler *t)
{
    uint32_t number;
    if (t->config->share >= WHOLE)
        return true;
    memcpy(&number, entropy_take(&t->entropy, sizeof number), sizeof number);
    return (int64_t)((uint64_t)number * WHOLE >> 32) < t->config->share;
}

static void give_up(struct shadow_sampler *t, enum counter why)
{
    shadow_queue_release(t->queue, t->queue_slot);
    t->queue_slot = -1;
    count(t, why);
}

/* The old handler cannot be asked about it: its result, if that is wanted, is
 * all there is to hand over. */
static void leave_out(struct shadow_sampler *t, struct shadow_case *c)
{
    c->whole = false;
    c->path[0] = c->query[0] = c->lines[0] = '\0';
    c->body_len = 0;
    if (t->config->result_file[0] == '\0')
        give_up(t, COUNTER_shadow_skipped);
}

/* --- The head. --- */

/* False: it is longer than `most`. */
static bool take_text(char *to, const char *text, size_t n, size_t most)
{
    if (n > most)
        return false;
    memcpy(to, text, n);
    to[n] = '\0';
    return true;
}

/* False: it cannot stand in a header line. */
static bool put_line(struct buf *out, const char *name, size_t n,
                     const char *value)
{
    buf_add(out, name, n);
    buf_str(out, ": ");
    buf_str(out, value);
    buf_str(out, "\r\n");
    return fieldlist_is_value(value);
}

/* Those of the copy that are the request's: its type, and what `headers` names.
 * The web server may not have told the type; then it is what it must be. */
static bool take_lines(struct shadow_case *c, const char *names,
                       const struct shadow_sampler_request *r)
{
    static const char type_name[] = "Content-Type";
    char variable[FIELDLIST_NAME_MAX + 6];
    const char *name, *value = r->param(r->context, "CONTENT_TYPE");
    struct buf out;
    size_t n;
    buf_init(&out, c->lines, sizeof c->lines);
    if (value == NULL || value[0] == '\0')
        value = "application/json";
    bool good = put_line(&out, type_name, sizeof type_name - 1, value);
    while (good && (name = fieldlist_next(&names, &n)) != NULL) {
        fieldlist_variable(name, n, variable);
        value = r->param(r->context, variable);
        good = value == NULL || put_line(&out, name, n, value);
    }
    return good && !out.overflow;
}

static bool take_head(const struct shadow_sampler *t, struct shadow_case *c,
                      const struct shadow_sampler_request *r)
{
    const char *query = r->param(r->context, "QUERY_STRING");
    if (query == NULL)
        query = "";
    return take_text(c->path, r->path, r->path_len, SHADOW_PATH_MAX) &&
           take_text(c->query, query, strlen(query), SHADOW_QUERY_MAX) &&
           take_lines(c, t->config->headers, r);
}

void shadow_sampler_begin(struct shadow_sampler *t,
                          const struct shadow_sampler_request *r)
{
    t->queue_slot = -1;
    if ((!r->wants_body && t->config->result_file[0] == '\0') || !is_drawn(t))
        return;
    t->queue_slot = shadow_queue_reserve(t->queue, t->owner);
    if (t->queue_slot < 0) {
        count(t, COUNTER_shadow_dropped);
        return;
    }
    struct shadow_case *c = shadow_queue_case(t->queue, t->queue_slot);
    c->body_len = 0;
    c->whole = r->wants_body && take_head(t, c, r);
    if (!c->whole)
        leave_out(t, c);
}

/* --- The body, and the end. --- */

void shadow_sampler_chunk(struct shadow_sampler *t, const uint8_t *bytes,
                          size_t n)
{
    if (t->queue_slot < 0)
        return;
    struct shadow_case *c = shadow_queue_case(t->queue, t->queue_slot);
    if (!c->whole)
        return;
    if (n > shadow_queue_max_body(t->queue) - c->body_len) {
        leave_out(t, c);
        return;
    }
    memcpy(c->body + c->body_len, bytes, n);
    c->body_len += n;
}

/* A failure of the downstream is none of the old handler's business, and a body
 * that was cut cannot be asked about. */
static bool follows_from_body(enum outcome o)
{
    return o == OUTCOME_ok || o == OUTCOME_malformed_json ||
           o == OUTCOME_wrong_shape || o == OUTCOME_out_of_range;
}

/* What the head alone decides, whatever the body is. */
static bool follows_from_head(enum outcome o)
{
    return o == OUTCOME_method_not_allowed || o == OUTCOME_body_too_large ||
           o == OUTCOME_unsupported_encoding;
}

static void fill(struct shadow_case *c, const struct shadow_sampler_reply *r,
                 const struct trace *trace, const char *reply, size_t reply_len)
{
    memcpy(c->request_id, trace->request_id, sizeof c->request_id);
    memcpy(c->traceparent, trace->child, sizeof c->traceparent);
    snprintf(c->endpoint, sizeof c->endpoint, "%s", r->endpoint);
    c->outcome = (int32_t)r->outcome;
    c->status = outcome_status(r->outcome);
    c->reply_len = (uint32_t)reply_len;
    memcpy(c->reply, reply, reply_len);
    c->reply[reply_len] = '\0';
    c->result_len = r->outcome == OUTCOME_ok ? (uint32_t)r->result_len : 0;
    if (c->result_len > 0) /* else there may be none */
        memcpy(c->result, r->result, c->result_len);
    c->result[c->result_len] = '\0';
    c->body[c->body_len] = '\0';
}

void shadow_sampler_end(struct shadow_sampler *t,
                        const struct shadow_sampler_reply *r,
                        const struct trace *trace)
{
    if (t->queue_slot < 0)
        return;
    struct shadow_case *c = shadow_queue_case(t->queue, t->queue_slot);
    const char *body = strstr(r->response, "\r\n\r\n");
    size_t len = body == NULL ? 0 : strlen(body += 4);
    if (c->whole && follows_from_head(r->outcome)) {
        leave_out(t, c); /* found out after some of the body */
        if (t->queue_slot < 0)
            return;
    }
    bool follows = follows_from_body(r->outcome) ||
                   (!c->whole && follows_from_head(r->outcome));
    if (!follows || body == NULL || len > SHADOW_REPLY_MAX) {
        give_up(t, COUNTER_shadow_skipped);
        return;
    }
    fill(c, r, trace, body, len);
    shadow_queue_submit(t->queue, t->queue_slot);
    t->queue_slot = -1;
    count(t, COUNTER_shadow_sampled);
}
