/* decoder: see decoder.h. */
#include "worker/decoder.h"

#include <stdlib.h>

/* A share is kept in millionths. */
#define WHOLE 1000000

/* One of the two decoders of an endpoint, with its answer so far. */
struct track {
    struct payload *payload;
    struct payload_result answer; /* ok: nothing is wrong so far */
};

struct pair {
    struct track main, check; /* payloads are made when first needed */
    int64_t due;              /* millionths of a check, summed up */
};

struct decoder {
    const struct endpoint_table *endpoints;
    struct pair *pair; /* of the body in hand */
    bool checking;
    struct pair pairs[]; /* of each endpoint */
};

struct decoder *decoder_new(const struct endpoint_table *endpoints)
{
    struct decoder *d =
        calloc(1, sizeof *d + endpoints->count * sizeof d->pairs[0]);
    if (d != NULL)
        d->endpoints = endpoints;
    return d;
}

void decoder_free(struct decoder **d)
{
    if (*d == NULL)
        return;
    for (size_t i = 0; i < (*d)->endpoints->count; i++) {
        payload_free(&(*d)->pairs[i].main.payload);
        payload_free(&(*d)->pairs[i].check.payload);
    }
    free(*d);
    *d = NULL;
}

static struct payload *make(const struct endpoint *e,
                            enum payload_decoder which)
{
    const struct config_endpoint *c = e->config;
    if (!config_is_plain(c))
        return payload_new_program(&e->program, (uint32_t)c->max_depth, which);
    const struct shape shape = config_shape(c);
    return payload_new(&shape, which);
}

static bool begin(struct track *t, const struct endpoint *e,
                  enum payload_decoder which)
{
    if (t->payload == NULL)
        t->payload = make(e, which);
    if (t->payload == NULL)
        return false;
    payload_begin(t->payload);
    t->answer.ok = true;
    return true;
}

bool decoder_begin(struct decoder *d, const struct endpoint *e)
{
    const struct config_endpoint *c = e->config;
    bool typed = c->decoder == CONFIG_decoder_typed;
    struct pair *pair = &d->pairs[e - d->endpoints->list];
    d->pair = pair;
    pair->due += c->verify;
    d->checking = pair->due >= WHOLE;
    if (d->checking)
        pair->due -= WHOLE;
    return begin(&pair->main, e, typed ? PAYLOAD_TYPED : PAYLOAD_JSONC) &&
           (!d->checking ||
            begin(&pair->check, e, typed ? PAYLOAD_JSONC : PAYLOAD_TYPED));
}

static void feed(struct track *t, const uint8_t *bytes, size_t n)
{
    if (t->answer.ok)
        t->answer.ok = payload_feed(t->payload, bytes, n, &t->answer.fault);
}

bool decoder_feed(struct decoder *d, const uint8_t *bytes, size_t n)
{
    feed(&d->pair->main, bytes, n);
    if (d->checking)
        feed(&d->pair->check, bytes, n);
    return d->pair->main.answer.ok || (d->checking && d->pair->check.answer.ok);
}

static void finish(struct track *t)
{
    struct payload_result *a = &t->answer;
    if (a->ok)
        a->ok = payload_finish(t->payload, &a->tally, &a->fault);
    a->text = a->ok ? payload_text(t->payload, &a->text_len) : NULL;
}

const struct payload_result *decoder_finish(struct decoder *d,
                                            enum decoder_check *check,
                                            struct buf *difference)
{
    struct pair *pair = d->pair;
    *check = DECODER_UNCHECKED;
    finish(&pair->main);
    if (d->checking) {
        finish(&pair->check);
        *check =
            payload_same(&pair->main.answer, &pair->check.answer, difference)
                ? DECODER_SAME
                : DECODER_DIFFERENT;
    }
    return &pair->main.answer;
}
