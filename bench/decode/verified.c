#include "verified.h"

#include <string.h>

#include "worker/decoder.h"

static struct config_endpoint config;
static struct endpoint_table table;
static struct decoder *both;

void verified_open(const struct query *q)
{
    config.list = (char *)q->array;
    config.field = (char *)q->field;
    config.numbers = q->doubles ? CONFIG_numbers_double : CONFIG_numbers_int64;
    config.multiply = 2;
    config.max_depth = PEERS_DEPTH;
    config.decoder = CONFIG_decoder_typed;
    config.verify = 1000000; /* millionths */
    table.list[0].config = &config;
    table.count = 1;
    both = decoder_new(&table);
}

bool decode_verified(const struct query *q, const char *bytes, size_t n,
                     uint64_t *sum)
{
    char room[256];
    struct buf difference;
    enum decoder_check check;
    buf_init(&difference, room, sizeof room);
    if (!decoder_begin(both, &table.list[0]))
        return false;
    decoder_feed(both, (const uint8_t *)bytes, n);
    const struct payload_result *r = decoder_finish(both, &check, &difference);
    *sum = (uint64_t)r->tally.exact * 2;
    if (q->doubles)
        memcpy(sum, &r->tally.approx, sizeof *sum);
    return r->ok && check == DECODER_SAME;
}

void verified_close(void)
{
    decoder_free(&both);
}
