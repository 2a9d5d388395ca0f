/* handler: see handler.h. */
#include "worker/handler.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/probe.h"
#include "config/config_lines.h"
#include "decode/inflate.h"
#include "fastcgi/content_length.h"
#include "worker/decoder.h"
#include "worker/guard.h"
#include "worker/selftest.h"

/* Bytes that compressed data may have beyond an eighth more than max_body. */
#define PACKED_MORE 1024

/* Bytes that come out before the ratio is looked at. */
#define RATIO_FREE 65536

struct handler {
    const struct endpoint_table *endpoints;
    struct scoreboard_slot *slot;
    struct handler_peers peers;
    struct decoder *decoder;
    const struct endpoint *endpoint;
    bool decoding; /* the body is of interest */
    const char *idempotency_key;
    const struct trace *trace;
    uint64_t announced, received; /* bytes of body */
    struct inflate *inflate;      /* made when first needed */
    enum inflate_coding coding;
    uint64_t inflated; /* bytes that came out of the body */
    const char
        *corrupt;   /* why no more can be inflated; NULL: nothing is wrong */
    char text[512]; /* the result of a plain endpoint */
    struct handler_result result;
};

struct handler *handler_new(const struct endpoint_table *endpoints,
                            struct scoreboard_slot *slot,
                            const struct handler_peers *peers)
{
    struct handler *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->endpoints = endpoints;
    h->slot = slot;
    if (peers != NULL)
        h->peers = *peers;
    h->decoder = decoder_new(endpoints);
    if (h->decoder == NULL)
        handler_free(&h);
    return h;
}

void handler_free(struct handler **h)
{
    if (*h == NULL)
        return;
    decoder_free(&(*h)->decoder);
    inflate_free(&(*h)->inflate);
    free(*h);
    *h = NULL;
}

/* Decide the outcome, unless something before has. */
__attribute__((format(printf, 3, 4))) static void
decide(struct handler *h, enum outcome o, const char *fmt, ...)
{
    h->decoding = false;
    if (h->result.outcome != OUTCOME_ok)
        return;
    h->result.outcome = o;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(h->result.detail, sizeof h->result.detail, fmt, ap);
    va_end(ap);
}

/* Nothing is wrong with the request: it may come again. */
static void refuse(struct handler *h, enum outcome o, int64_t retry_after,
                   const char *why)
{
    decide(h, o, "%s", why);
    h->result.retry_after = retry_after;
}

static void decide_fault(struct handler *h)
{
    const struct fault *f = &h->result.fault;
    if (f->what == OUTCOME_malformed_json)
        decide(h, f->what, "%s at byte %llu, line %llu, column %llu", f->reason,
               (unsigned long long)f->offset, (unsigned long long)f->line,
               (unsigned long long)f->column);
    else
        decide(h, f->what, "%s%s%s", f->pointer,
               f->pointer[0] == '\0' ? "" : ": ", f->reason);
}

/* --- The head. --- */

/* A key that can be a header value and nothing more: visible ASCII. */
static bool valid_key(const char *key)
{
    size_t n = 0;
    for (; key[n] != '\0'; n++)
        if (key[n] < 0x21 || key[n] > 0x7e || n == DOWNSTREAM_KEY_MAX)
            return false;
    return n > 0;
}

static void check_encoding(struct handler *h, const char *encoding)
{
    bool known = inflate_coding_of(encoding, &h->coding);
    bool taken = h->coding == INFLATE_IDENTITY ||
                 (h->endpoint != NULL &&
                  h->endpoint->config->encodings == CONFIG_encodings_any);
    if (!known || !taken)
        decide(h, OUTCOME_unsupported_encoding, "Content-Encoding: %.40s",
               encoding);
}

static void check_head(struct handler *h, const struct handler_request *r)
{
    const char *method = r->method == NULL ? "" : r->method;
    if (r->too_large != NULL)
        decide(h, OUTCOME_head_too_large, "%s", r->too_large);
    if (h->endpoint == NULL)
        decide(h, OUTCOME_not_found, "no endpoint claims %.*s",
               (int)(r->path_len < 120 ? r->path_len : 120), r->path);
    if (strcmp(method, "POST") != 0)
        decide(h, OUTCOME_method_not_allowed, "the method is %.20s", method);
    check_encoding(h, r->content_encoding);
    if (!content_length_parse(r->content_length, &h->announced))
        decide(h, OUTCOME_bad_request, "CONTENT_LENGTH is %.40s",
               r->content_length);
    if (r->idempotency_key != NULL && !valid_key(r->idempotency_key))
        decide(h, OUTCOME_bad_request,
               "the Idempotency-Key is not 1 to %d visible ASCII characters",
               DOWNSTREAM_KEY_MAX);
    if (r->several_keys)
        decide(h, OUTCOME_bad_request, "two Idempotency-Keys that differ");
    if (r->loop)
        decide(h, OUTCOME_bad_request,
               "a copy made by the shadow of this pool: [shadow] url leads "
               "back to it");
}

/* Of the bytes that are decoded, or announced. */
static void check_size(struct handler *h, uint64_t bytes)
{
    uint64_t most = (uint64_t)h->endpoint->config->max_body;
    if (bytes != CONTENT_LENGTH_UNKNOWN && bytes > most)
        decide(h, OUTCOME_body_too_large, "%llu bytes, max_body is %llu",
               (unsigned long long)bytes, (unsigned long long)most);
}

/* Compressed bytes can be more than what comes out of them, a little of what
 * cannot be compressed, any number of what is empty. */
static void check_packed_size(struct handler *h, uint64_t bytes)
{
    uint64_t most = (uint64_t)h->endpoint->config->max_body;
    if (bytes != CONTENT_LENGTH_UNKNOWN &&
        bytes > most + most / 8 + PACKED_MORE)
        decide(h, OUTCOME_body_too_large,
               "%llu compressed bytes, max_body is %llu",
               (unsigned long long)bytes, (unsigned long long)most);
}

/* The body that comes is so long, as far as it is known. */
static void check_length(struct handler *h, uint64_t bytes)
{
    if (h->coding == INFLATE_IDENTITY)
        check_size(h, bytes);
    else
        check_packed_size(h, bytes);
}

static bool begin_inflating(struct handler *h)
{
    h->inflated = 0;
    h->corrupt = NULL;
    if (h->coding == INFLATE_IDENTITY)
        return true;
    if (h->inflate == NULL)
        h->inflate = inflate_new();
    return h->inflate != NULL && inflate_begin(h->inflate, h->coding);
}

bool handler_is_encoded(const struct handler *h)
{
    return h->coding != INFLATE_IDENTITY;
}

/* A request that succeeds leaves the room of its texts untouched. */
static void clear_result(struct handler_result *r)
{
    _Static_assert(offsetof(struct handler_result, downstream) <
                           offsetof(struct handler_result, fault) &&
                       offsetof(struct handler_result, fault) <
                           offsetof(struct handler_result, detail),
                   "what is not a text comes first");
    memset(r, 0, offsetof(struct handler_result, downstream.detail));
    r->outcome = OUTCOME_ok;
    r->downstream.detail[0] = '\0';
    memset(&r->fault, 0, offsetof(struct fault, reason));
    r->fault.reason[0] = r->fault.pointer[0] = '\0';
    r->detail[0] = r->difference[0] = '\0';
}

void handler_begin(struct handler *h, const struct handler_request *r)
{
    clear_result(&h->result);
    /* What is missing of a head might have named another path. */
    h->endpoint = r->too_large != NULL
                      ? NULL
                      : endpoint_find(h->endpoints, r->path, r->path_len);
    h->result.endpoint = h->endpoint;
    h->idempotency_key = r->idempotency_key;
    h->trace = r->trace;
    h->received = 0;
    check_head(h, r);
    if (h->result.outcome == OUTCOME_ok)
        check_length(h, h->announced);
    if (r->wait != NULL && r->wait->outcome != OUTCOME_ok)
        refuse(h, r->wait->outcome, r->wait->retry_after, r->wait->why);
    if (h->result.outcome != OUTCOME_ok)
        return;
    h->decoding = begin_inflating(h) && decoder_begin(h->decoder, h->endpoint);
    if (!h->decoding)
        decide(h, OUTCOME_internal, "memory is short");
}

bool handler_wants_body(const struct handler *h)
{
    return h->decoding;
}

/* --- The body. --- */

/* What has come out of `taken` compressed bytes: is it too much of it? A short
 * body is judged by its whole, a long one at once. */
static void check_ratio(struct handler *h, uint64_t taken, bool whole)
{
    uint64_t most = (uint64_t)h->endpoint->config->max_ratio;
    if ((whole || h->inflated > RATIO_FREE) && h->inflated > most * taken)
        decide(h, OUTCOME_body_too_large,
               "%llu bytes inflate to more than %llu times as many, max_ratio",
               (unsigned long long)taken, (unsigned long long)most);
}

static void inflate_chunk(struct handler *h, const uint8_t *bytes, size_t n)
{
    const uint8_t *at = bytes, *end = bytes + n, *piece;
    uint64_t before = h->received - n;
    size_t length;
    while (h->decoding) {
        enum inflate_state state =
            inflate_next(h->inflate, &at, end, &piece, &length, &h->corrupt);
        if (state == INFLATE_WRONG)
            h->decoding = false;
        if (state != INFLATE_PART)
            return;
        h->inflated += length;
        check_size(h, h->inflated);
        check_ratio(h, before + (uint64_t)(at - bytes), false);
        if (h->decoding)
            h->decoding = decoder_feed(h->decoder, piece, length);
    }
}

void handler_chunk(struct handler *h, const uint8_t *bytes, size_t n)
{
    h->received += n;
    if (h->endpoint != NULL && h->result.outcome == OUTCOME_ok)
        check_length(h, h->received);
    /* A body of the wrong length is reported as such, not as malformed; so a
     * fault waits in the decoder until the length is known. */
    if (h->decoding && h->coding != INFLATE_IDENTITY)
        inflate_chunk(h, bytes, n);
    else if (h->decoding)
        h->decoding = decoder_feed(h->decoder, bytes, n);
}

/* Is the compressed body complete, as far as it was needed? */
static void check_inflated(struct handler *h)
{
    if (h->coding == INFLATE_IDENTITY || h->result.outcome != OUTCOME_ok)
        return;
    if (h->decoding)
        check_ratio(h, h->received, true);
    if (h->corrupt != NULL ||
        (h->decoding && !inflate_finish(h->inflate, &h->corrupt)))
        decide(h, OUTCOME_bad_request, "Content-Encoding: %s", h->corrupt);
}

static void check_end(struct handler *h, enum handler_end end)
{
    if (end == HANDLER_CLIENT_GONE)
        decide(h, OUTCOME_client_gone, "within the body");
    if (end == HANDLER_TIMEOUT)
        decide(h, OUTCOME_body_timeout, "%llu bytes had come",
               (unsigned long long)h->received);
    if (end == HANDLER_OVERDUE)
        decide(h, OUTCOME_request_timeout, "%llu bytes of the body had come",
               (unsigned long long)h->received);
    if (end == HANDLER_STOPPED)
        refuse(h, OUTCOME_draining, 1, "drain_timeout is over");
    if (end == HANDLER_BROKEN)
        decide(h, OUTCOME_bad_request, "wrong FastCGI records in the body");
    if (h->announced != CONTENT_LENGTH_UNKNOWN && h->announced != h->received)
        decide(
            h, OUTCOME_length_mismatch, "%llu bytes announced, %llu received",
            (unsigned long long)h->announced, (unsigned long long)h->received);
}

/* --- The result. --- */

/* {"sum":N}, of a plain endpoint. */
static void print_sum(struct handler *h, const struct tally *t)
{
    const struct endpoint *e = h->endpoint;
    struct handler_result *r = &h->result;
    char *number = h->text + e->opening_len;
    memcpy(h->text, e->opening, e->opening_len);
    size_t n = tally_print(t, number);
    if (n == 0) {
        r->fault = (struct fault){.what = OUTCOME_out_of_range};
        snprintf(r->fault.reason, sizeof r->fault.reason,
                 "the result does not fit %s",
                 e->config->numbers == CONFIG_numbers_int64
                     ? "a 64-bit integer"
                     : "a finite double");
        decide_fault(h);
        return;
    }
    number[n] = '}';
    r->result = h->text;
    r->result_len = e->opening_len + n + 1;
}

/* The result, both what is posted and the reply of that kind. */
static void add_up(struct handler *h)
{
    struct handler_result *r = &h->result;
    struct buf difference;
    buf_init(&difference, r->difference, sizeof r->difference);
    const struct payload_result *answer =
        decoder_finish(h->decoder, &r->check, &difference);
    if (!answer->ok) {
        r->fault = answer->fault;
        decide_fault(h);
        return;
    }
    r->result = answer->text;
    r->result_len = answer->text_len;
    if (answer->text == NULL)
        print_sum(h, &answer->tally);
    r->body = r->result;
    r->body_len = r->result_len;
}

/* The post, with the breaker of its endpoint around it. */
static void post_guarded(struct handler *h, const struct downstream_post *post)
{
    const struct endpoint *e = h->endpoint;
    struct downstream_report *report = &h->result.downstream;
    struct guard_pass pass;
    bool guarded = e->circuit != NULL;
    if (guarded && !guard_enter(e, h->slot, &pass)) {
        refuse(h, OUTCOME_breaker_open, pass.retry_after, pass.why);
        return;
    }
    enum outcome o = h->peers.post(h->peers.context, e, post, report);
    if (guarded)
        guard_leave(e, h->slot, &pass, o, report);
    if (o != OUTCOME_ok)
        decide(h, o, "%s", report->detail);
}

/* The answer is the one that a post would get which the downstream takes. */
static void leave_unposted(struct handler *h)
{
    const struct endpoint *e = h->endpoint;
    struct guard_pass pass;
    if (e->circuit != NULL && guard_would_refuse(e, &pass))
        refuse(h, OUTCOME_breaker_open, pass.retry_after, pass.why);
    else
        h->result.dry_run = true;
}

static void post_result(struct handler *h, bool late)
{
    const struct handler_result *r = &h->result;
    const struct downstream_post post = {
        .body = r->body,
        .body_len = r->body_len,
        .trace = h->trace,
        .idempotency_key =
            h->idempotency_key == NULL &&
                    h->endpoint->config->resend == CONFIG_resend_once
                ? h->trace->request_id
                : h->idempotency_key,
    };
    if (h->peers.abandoned(h->peers.context)) {
        decide(h, OUTCOME_client_gone, "before the result was posted");
        return;
    }
    if (late) /* the downstream is not to blame */
        decide(h, OUTCOME_request_timeout, "nothing was posted");
    else if (h->endpoint->config->downstream_mode ==
             CONFIG_downstream_mode_dry_run)
        leave_unposted(h);
    else
        post_guarded(h, &post);
}

static void word_reply(struct handler *h)
{
    static const char ok[] = "{\"ok\":true}";
    if (h->endpoint->config->reply != CONFIG_reply_ok)
        return;
    h->result.body = ok;
    h->result.body_len = sizeof ok - 1;
}

const struct handler_result *handler_finish(struct handler *h,
                                            enum handler_end end)
{
    struct handler_result *r = &h->result;
    check_end(h, end);
    check_inflated(h);
    if (r->outcome == OUTCOME_ok)
        add_up(h);
    PROBE_DECODED(h->trace->request_id, h->received, r->outcome);
    if (r->outcome == OUTCOME_ok && h->endpoint->target != NULL)
        post_result(h, end == HANDLER_LATE);
    if (r->outcome == OUTCOME_ok)
        word_reply(h);
    return r;
}

/* --- The self-test. --- */

static bool gives(struct handler *h, const struct endpoint *e,
                  const struct buf *body, const struct buf *wanted)
{
    struct handler_result *r = &h->result;
    const uint8_t *bytes = (const uint8_t *)body->data;
    size_t half = body->len / 2;
    *r = (struct handler_result){.outcome = OUTCOME_ok, .endpoint = e};
    h->endpoint = e;
    if (!decoder_begin(h->decoder, e)) {
        decide(h, OUTCOME_internal, "memory is short");
        return false;
    }
    if (decoder_feed(h->decoder, bytes, half))
        decoder_feed(h->decoder, bytes + half, body->len - half);
    add_up(h);
    if (r->outcome != OUTCOME_ok || r->check == DECODER_DIFFERENT)
        return false;
    return r->body_len == wanted->len &&
           memcmp(r->body, wanted->data, wanted->len) == 0;
}

/* What a sample gave, in words. */
static bool tell(const struct handler *h, const char *what,
                 const struct buf *wanted, struct buf *why)
{
    const struct handler_result *r = &h->result;
    buf_printf(why, "endpoint %s: %s gives %.*s%s instead of %s",
               h->endpoint->config->name, what, (int)r->body_len,
               r->body == NULL ? "" : r->body, r->detail, wanted->data);
    return false;
}

/* The body of `selftest_file`, if there is one. */
static bool try_sample(struct handler *h, const struct endpoint *e,
                       struct buf *why)
{
    char room[CONFIG_LINE_MAX + SELFTEST_ROOM];
    struct buf wanted;
    const struct buf body = {.data = e->sample.bytes, .len = e->sample.len};
    buf_init(&wanted, room, sizeof room);
    if (e->config->selftest_sum[0] != '\0') {
        buf_add(&wanted, e->opening, e->opening_len);
        buf_printf(&wanted, "%s}", e->config->selftest_sum);
    } else {
        buf_str(&wanted, e->config->selftest_result);
    }
    return body.data == NULL || gives(h, e, &body, &wanted) ||
           tell(h, "selftest_file", &wanted, why);
}

static bool try_known(struct handler *h, const struct endpoint *e,
                      struct buf *why)
{
    char body_room[SELFTEST_ROOM], wanted_room[SELFTEST_ROOM];
    struct buf body, wanted;
    buf_init(&body, body_room, sizeof body_room);
    buf_init(&wanted, wanted_room, sizeof wanted_room);
    return !selftest_make(e, &body, &wanted) || gives(h, e, &body, &wanted) ||
           tell(h, "the known body", &wanted, why);
}

bool handler_selftest(struct handler *h, struct buf *why)
{
    const struct endpoint_table *t = h->endpoints;
    for (size_t i = 0; i < t->count; i++)
        if (!try_known(h, &t->list[i], why) || !try_sample(h, &t->list[i], why))
            return false;
    return true;
}

bool handler_try_samples(struct handler *h, struct buf *why)
{
    const struct endpoint_table *t = h->endpoints;
    for (size_t i = 0; i < t->count; i++)
        if (!try_sample(h, &t->list[i], why))
            return false;
    return true;
}
