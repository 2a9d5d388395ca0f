/* record: see record.h. */
#include "fastcgi/record.h"

#include <stdio.h>
#include <string.h>

bool record_parse(const uint8_t bytes[RECORD_HEADER_BYTES], struct record *out)
{
    out->type = bytes[1];
    out->id = (uint16_t)(bytes[2] << 8 | bytes[3]);
    out->content = (uint16_t)(bytes[4] << 8 | bytes[5]);
    out->padding = bytes[6];
    return bytes[0] == 1;
}

void record_print(uint8_t bytes[RECORD_HEADER_BYTES], enum record_type type,
                  uint16_t id, uint16_t content)
{
    bytes[0] = 1;
    bytes[1] = (uint8_t)type;
    bytes[2] = (uint8_t)(id >> 8);
    bytes[3] = (uint8_t)id;
    bytes[4] = (uint8_t)(content >> 8);
    bytes[5] = (uint8_t)content;
    bytes[6] = bytes[7] = 0;
}

/* A length of one byte, or of four with the top bit set (section 3.4). */
static size_t parse_length(const uint8_t *bytes, size_t n, size_t *length)
{
    if (n >= 1 && bytes[0] < 0x80) {
        *length = bytes[0];
        return 1;
    }
    if (n < 4)
        return 0;
    *length = (size_t)(bytes[0] & 0x7f) << 24 | (size_t)bytes[1] << 16 |
              (size_t)bytes[2] << 8 | bytes[3];
    return 4;
}

bool record_parse_pair(const uint8_t *bytes, size_t n, struct record_pair *out)
{
    size_t used = parse_length(bytes, n, &out->name_len);
    if (used == 0)
        return false;
    size_t more = parse_length(bytes + used, n - used, &out->value_len);
    if (more == 0)
        return false;
    used += more;
    if (out->name_len > n - used || out->value_len > n - used - out->name_len)
        return false;
    out->name = bytes + used;
    out->value = out->name + out->name_len;
    out->length = used + out->name_len + out->value_len;
    return true;
}

static void put_record(struct buf *out, enum record_type type, uint16_t id,
                       const void *content, size_t n)
{
    uint8_t header[RECORD_HEADER_BYTES];
    record_print(header, type, id, (uint16_t)n);
    buf_add(out, header, sizeof header);
    buf_add(out, content, n);
}

void record_put_end(struct buf *out, uint16_t id, enum record_end status)
{
    const uint8_t body[8] = {0, 0, 0, 0, (uint8_t)status};
    put_record(out, RECORD_END_REQUEST, id, body, sizeof body);
}

void record_put_unknown_type(struct buf *out, uint8_t type)
{
    const uint8_t body[8] = {type};
    put_record(out, RECORD_UNKNOWN_TYPE, 0, body, sizeof body);
}

static void put_length(struct buf *out, size_t n)
{
    const uint8_t bytes[4] = {(uint8_t)(n >> 24 | 0x80), (uint8_t)(n >> 16),
                              (uint8_t)(n >> 8), (uint8_t)n};
    if (n < 0x80)
        buf_char(out, (char)n);
    else
        buf_add(out, bytes, sizeof bytes);
}

void record_put_pair(struct buf *out, const char *name, const char *value)
{
    put_length(out, strlen(name));
    put_length(out, strlen(value));
    buf_str(out, name);
    buf_str(out, value);
}

static void put_number(struct buf *out, const char *name, uint32_t value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    record_put_pair(out, name, text);
}

static bool asks_for(const uint8_t *query, size_t n, const char *name)
{
    struct record_pair pair;
    while (record_parse_pair(query, n, &pair)) {
        if (pair.name_len == strlen(name) &&
            memcmp(pair.name, name, pair.name_len) == 0)
            return true;
        query += pair.length;
        n -= pair.length;
    }
    return false;
}

void record_put_values(struct buf *out, const uint8_t *query, size_t n,
                       const struct record_values *values)
{
    const struct {
        const char *name;
        uint32_t value;
    } known[] = {{"FCGI_MAX_CONNS", values->max_conns},
                 {"FCGI_MAX_REQS", values->max_reqs},
                 {"FCGI_MPXS_CONNS", 0}};
    char room[128];
    struct buf pairs;
    buf_init(&pairs, room, sizeof room);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (asks_for(query, n, known[i].name))
            put_number(&pairs, known[i].name, known[i].value);
    put_record(out, RECORD_GET_VALUES_RESULT, 0, pairs.data, pairs.len);
}
