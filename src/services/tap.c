/* tap: see tap.h. */
#include "services/tap.h"

#include <stdio.h>
#include <string.h>

/* A share is kept in millionths. */
#define WHOLE 1000000

static void count(struct tap *t, enum counter c)
{
    scoreboard_count(&t->slot->counters[c]);
}

void tap_open(struct tap *t, const struct config_shadow *config,
              struct shadow_queue *queue, struct scoreboard_slot *slot,
              uint32_t number)
{
    *t = (struct tap){.config = config,
                      .queue = queue,
                      .slot = slot,
                      .owner = SHADOW_WORKER(number),
                      .place = -1};
}

bool tap_is_loop(struct tap *t, const char *mark)
{
    if (mark == NULL || strcmp(mark, shadow_queue_name(t->queue)) != 0)
        return false;
    count(t, COUNTER_shadow_loops);
    return true;
}

/* Each request by itself, so that those sampled stand for the others: every
 * hundredth one might always be of the same kind. */
static bool is_drawn(struct tap *t)
{
    uint32_t number;
    if (t->config->share >= WHOLE)
        return true;
    memcpy(&number, entropy_take(&t->entropy, sizeof number), sizeof number);
    return (int64_t)((uint64_t)number * WHOLE >> 32) < t->config->share;
}

static void give_up(struct tap *t, enum counter why)
{
    shadow_queue_release(t->queue, t->place);
    t->place = -1;
    count(t, why);
}

void tap_begin(struct tap *t, const char *path, size_t path_len)
{
    t->place = -1;
    if (!is_drawn(t))
        return;
    t->place = shadow_queue_reserve(t->queue, t->owner);
    if (t->place < 0) {
        count(t, COUNTER_shadow_dropped);
        return;
    }
    struct shadow_case *c = shadow_queue_case(t->queue, t->place);
    c->body_len = 0;
    if (path_len > SHADOW_PATH_MAX) {
        give_up(t, COUNTER_shadow_skipped);
        return;
    }
    memcpy(c->path, path, path_len);
    c->path[path_len] = '\0';
}

void tap_chunk(struct tap *t, const uint8_t *bytes, size_t n)
{
    if (t->place < 0)
        return;
    struct shadow_case *c = shadow_queue_case(t->queue, t->place);
    if (n > shadow_queue_max_body(t->queue) - c->body_len) {
        give_up(t, COUNTER_shadow_skipped);
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

static void fill(struct shadow_case *c, const struct handler_result *r,
                 const struct trace *trace, const char *reply, size_t reply_len)
{
    memcpy(c->request_id, trace->request_id, sizeof c->request_id);
    memcpy(c->traceparent, trace->child, sizeof c->traceparent);
    snprintf(c->endpoint, sizeof c->endpoint, "%s", r->endpoint->config->name);
    c->outcome = (int32_t)r->outcome;
    c->status = outcome_status(r->outcome);
    c->reply_len = (uint32_t)reply_len;
    memcpy(c->reply, reply, reply_len);
    c->reply[reply_len] = '\0';
    c->result_len = r->outcome == OUTCOME_ok ? (uint32_t)r->result_len : 0;
    memcpy(c->result, r->result, c->result_len);
    c->result[c->result_len] = '\0';
    c->body[c->body_len] = '\0';
}

void tap_end(struct tap *t, const struct handler_result *r,
             const struct trace *trace, const char *reply)
{
    if (t->place < 0)
        return;
    const char *body = strstr(reply, "\r\n\r\n");
    size_t len = body == NULL ? 0 : strlen(body += 4);
    if (!follows_from_body(r->outcome) || body == NULL ||
        len > SHADOW_REPLY_MAX) {
        give_up(t, COUNTER_shadow_skipped);
        return;
    }
    fill(shadow_queue_case(t->queue, t->place), r, trace, body, len);
    shadow_queue_submit(t->queue, t->place);
    t->place = -1;
    count(t, COUNTER_shadow_sampled);
}
