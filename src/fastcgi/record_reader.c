/* record_reader: see record_reader.h. */
#include "fastcgi/record_reader.h"

#include <string.h>

void record_reader_begin(struct record_reader *u, uint16_t id)
{
    *u = (struct record_reader){.id = id};
}

static enum record_reader_state wrong(struct record_reader *u,
                                      const char *reason)
{
    u->reason = reason;
    return RECORD_READER_WRONG;
}

/* A record begins. */
static enum record_reader_state open_record(struct record_reader *u)
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
    return RECORD_READER_MORE;
}

/* Up to `most` of the bytes that are left; 0 when there are none. */
static size_t take(size_t *at, size_t n, size_t most)
{
    size_t left = n - *at, length = left < most ? left : most;
    *at += length;
    return length;
}

static enum record_reader_state
take_content(struct record_reader *u, const uint8_t *bytes, size_t length)
{
    size_t at = sizeof u->end_body - u->content_left;
    u->content_left -= (uint32_t)length;
    if (u->record.type == RECORD_STDOUT)
        return RECORD_READER_STDOUT;
    if (u->record.type == RECORD_STDERR)
        return RECORD_READER_STDERR;
    memcpy(u->end_body + at, bytes, length);
    u->end = (enum record_end)u->end_body[4];
    return u->content_left == 0 ? RECORD_READER_END : RECORD_READER_MORE;
}

enum record_reader_state record_reader_next(struct record_reader *u,
                                            const uint8_t *bytes, size_t n,
                                            size_t *used, const uint8_t **part,
                                            size_t *part_len)
{
    enum record_reader_state state = RECORD_READER_MORE;
    *used = 0;
    while (state == RECORD_READER_MORE && *used < n) {
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
            state = u->header_len == 0 ? open_record(u) : RECORD_READER_MORE;
        }
    }
    return state;
}
