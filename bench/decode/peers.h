/* peers: the decoders that tallyd is compared with.
 *
 * Each adds up `field` of the objects in `array`, { array: [ { field: number }
 * ] }, and gives the sum of twice the values: with int64 as a two's complement
 * that wraps around, with doubles as the bits of the sum in document order.
 * False: the body is malformed or of another shape. `bytes` is followed by
 * peers_padding() readable zero bytes. Not for threads: each keeps what it can
 * use again from body to body. */
#ifndef TALLYD_BENCH_PEERS_H
#define TALLYD_BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* As many levels as tallyd is given; json-c and simdjson are told, too. */
#define PEERS_DEPTH 1024

struct query {
    const char *array, *field;
    size_t array_n, field_n;
    bool doubles;
};

typedef bool peer_function(const struct query *q, const char *bytes, size_t n,
                           uint64_t *sum);

peer_function decode_ondemand, decode_dom, decode_rapidjson, decode_serde,
    decode_jsonc;

/* The same job for a query, of which each peer reads the same members:
 *
 *   array = $.order.lines
 *   where = @.status == "paid"
 *   result.total = sum(@.price.amount * @.quantity)
 *
 * as a handler written for it would: the names are in the code. */
peer_function query_ondemand, query_dom, query_serde;

/* What simdjson wants to be readable behind the body, and it is zero. */
size_t peers_padding(void);

/* The instruction set of simdjson's DOM and of its On-Demand. */
const char *peers_simdjson_dom(void);
const char *peers_simdjson_ondemand(void);

#ifdef __cplusplus
}
#endif

#endif
