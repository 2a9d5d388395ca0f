/* inflate: see inflate.h. */
#include "decode/inflate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

/* For inflateInit2(): the largest window, and which format is read. */
#define WINDOW_ZLIB 15
#define WINDOW_GZIP (15 + 16)

struct inflate {
    z_stream stream;
    bool open;  /* the stream is one */
    bool ended; /* the compressed data are complete */
    uint8_t piece[INFLATE_PIECE];
};

bool inflate_coding_of(const char *text, enum inflate_coding *coding)
{
    static const struct {
        const char *name;
        enum inflate_coding coding;
    } names[] = {{"", INFLATE_IDENTITY},
                 {"identity", INFLATE_IDENTITY},
                 {"gzip", INFLATE_GZIP},
                 {"x-gzip", INFLATE_GZIP},
                 {"deflate", INFLATE_DEFLATE}};
    *coding = INFLATE_IDENTITY;
    if (text == NULL)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcasecmp(text, names[i].name) == 0) {
            *coding = names[i].coding;
            return true;
        }
    return false;
}

struct inflate *inflate_new(void)
{
    return calloc(1, sizeof(struct inflate));
}

void inflate_free(struct inflate **i)
{
    if (*i == NULL)
        return;
    if ((*i)->open)
        inflateEnd(&(*i)->stream);
    free(*i);
    *i = NULL;
}

bool inflate_begin(struct inflate *i, enum inflate_coding coding)
{
    int window = coding == INFLATE_GZIP ? WINDOW_GZIP : WINDOW_ZLIB;
    i->ended = false;
    if (i->open)
        return inflateReset2(&i->stream, window) == Z_OK;
    i->stream = (z_stream){.next_in = Z_NULL};
    i->open = inflateInit2(&i->stream, window) == Z_OK;
    return i->open;
}

static const char *words(int status)
{
    return status == Z_MEM_ERROR ? "memory is short"
                                 : "the compressed data are wrong";
}

enum inflate_state inflate_next(struct inflate *i, const uint8_t **at,
                                const uint8_t *end, const uint8_t **piece,
                                size_t *n, const char **why)
{
    z_stream *s = &i->stream;
    size_t left = (size_t)(end - *at);
    if (i->ended && left > 0) {
        *why = "something stands behind the compressed data";
        return INFLATE_WRONG;
    }
    if (i->ended)
        return INFLATE_TAKEN;
    s->next_in = (Bytef *)(uintptr_t)*at;
    s->avail_in = left < UINT_MAX ? (uInt)left : UINT_MAX;
    s->next_out = i->piece;
    s->avail_out = INFLATE_PIECE;
    int status = inflate(s, Z_NO_FLUSH);
    *at = s->next_in;
    *piece = i->piece;
    *n = INFLATE_PIECE - s->avail_out;
    i->ended = status == Z_STREAM_END;
    /* Z_BUF_ERROR: there is nothing left to take, or to give. */
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
        *why = words(status);
        return INFLATE_WRONG;
    }
    return *n > 0 || *at < end ? INFLATE_PART : INFLATE_TAKEN;
}

bool inflate_finish(const struct inflate *i, const char **why)
{
    *why = "the compressed data are cut";
    return i->ended;
}
