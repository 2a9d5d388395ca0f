/* unframe: see unframe.h. */
#include "fastcgi/unframe.h"

#include <string.h>

void unframe_begin(struct unframe *u, uint16_t id)
{
    *u = (struct unframe){.id = id};
}

static enum unframe_state wrong(struct unframe *u, const char *reason)
{
    u->reason = reason;
    return UNFRAME_WRONG;
}

/* A record begins. */
static enum unframe_state open_record(struct unframe *u)
{
    if (!record_parse(u->header, &u->record))
        return wrong(u, "what answers does not speak FastCGI");
    if (u->record.id != u->id)
        return wrong(u, "a record that belongs to no request");
    if (u->record.type != RECORD_STDOUT && u->record.type != RECORD_STDERR &&
        u->record.type != RECORD_END_REQUEST)
        return wrong(u, "a record of a type that no reply has");
    if (u->record.type == RECORD_END_REQUEST &&
        u->record.content != sizeof u->end_body)
        return wrong(u, "an END_REQUEST of the wrong length");
    u->content_left = u->record.content;
    u->padding_left = u->record.padding;
    return UNFRAME_MORE;
}

/* Up to `most` of the bytes that are left; 0 when there are none. */
static size_t take(size_t *at, size_t n, size_t most)
{
    size_t left = n - *at, length = left < most ? left : most;
    *at += length;
    return length;
}

static enum unframe_state take_content(struct unframe *u, const uint8_t *bytes,
                                       size_t length)
{
    size_t at = sizeof u->end_body - u->content_left;
    u->content_left -= (uint32_t)length;
    if (u->record.type == RECORD_STDOUT)
        return UNFRAME_STDOUT;
    if (u->record.type == RECORD_STDERR)
        return UNFRAME_STDERR;
    memcpy(u->end_body + at, bytes, length);
    u->end = (enum record_end)u->end_body[4];
    return u->content_left == 0 ? UNFRAME_END : UNFRAME_MORE;
}

enum unframe_state unframe_next(struct unframe *u, const uint8_t *bytes,
                                size_t n, size_t *used, const uint8_t **part,
                                size_t *part_len)
{
    enum unframe_state state = UNFRAME_MORE;
    *used = 0;
    while (state == UNFRAME_MORE && *used < n) {
        *part = bytes + *used;
        if (u->content_left > 0) {
            *part_len = take(used, n, u->content_left);
            state = take_content(u, *part, *part_len);
        } else if (u->padding_left > 0) {
            u->padding_left -= (uint32_t)take(used, n, u->padding_left);
        } else {
            size_t length = take(used, n, sizeof u->header - u->header_len);
            memcpy(u->header + u->header_len, *part, length);
            u->header_len = (u->header_len + length) % sizeof u->header;
            state = u->header_len == 0 ? open_record(u) : UNFRAME_MORE;
        }
    }
    return state;
}
