#include "gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "peers.h"

#define GZIP_WINDOW (15 + 16) /* for zlib: the largest window, and gzip */

static void die(void)
{
    fputs("decode: gzip: memory is short\n", stderr);
    exit(2);
}

static void compress_body(struct body *b)
{
    z_stream s = {.next_in = (Bytef *)b->bytes, .avail_in = (uInt)b->n};
    if (deflateInit2(&s, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        die();
    size_t room = deflateBound(&s, b->n) + peers_padding();
    char *bytes = calloc(1, room);
    s.next_out = (Bytef *)bytes;
    s.avail_out = (uInt)room;
    if (bytes == NULL || deflate(&s, Z_FINISH) != Z_STREAM_END)
        die();
    free(b->bytes);
    *b = (struct body){bytes, s.total_out, 0};
    deflateEnd(&s);
}

void gzip_bodies(struct bodies *b)
{
    for (size_t i = 0; i < b->count; i++)
        compress_body(&b->all[i]);
}

const char *gzip_inflate(const char *bytes, size_t n, size_t *inflated)
{
    static z_stream s;
    static char *room;
    static size_t size;
    if (s.state == NULL && inflateInit2(&s, GZIP_WINDOW) != Z_OK)
        die();
    /* What gzip ends with is the length (RFC 1952, 2.3.1). */
    const unsigned char *end = (const unsigned char *)bytes + n;
    *inflated = n < 4 ? 0
                      : end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 |
                            (size_t)end[-1] << 24;
    if (size < *inflated + peers_padding()) {
        size = *inflated + peers_padding();
        free(room);
        room = calloc(1, size);
    }
    if (room == NULL || inflateReset(&s) != Z_OK)
        die();
    s.next_in = (Bytef *)bytes;
    s.avail_in = (uInt)n;
    s.next_out = (Bytef *)room;
    s.avail_out = (uInt)*inflated;
    return inflate(&s, Z_FINISH) == Z_STREAM_END ? room : NULL;
}
