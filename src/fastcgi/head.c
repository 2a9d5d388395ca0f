/* head: see head.h. */
#include "fastcgi/head.h"

#include <string.h>

#include "fastcgi/record.h"

void head_begin(struct head *h, const struct head_limits *limits,
                uint8_t *params)
{
    *h = (struct head){.limits = *limits, .params = params};
}

void head_begin_after(struct head *h, const struct head_limits *limits,
                      uint8_t *params, uint16_t id, uint32_t padding)
{
    head_begin(h, limits, params);
    h->before = h->record_id = id;
    h->type = RECORD_STDIN;
    h->padding_left = padding;
}

bool head_is_fresh(const struct head *h)
{
    return !h->begun && h->content_left == 0 && h->padding_left == 0;
}

static enum head_state refuse(struct head *h, const char *reason)
{
    h->reason = reason;
    return HEAD_REFUSED;
}

/* Is it the empty STDIN of the request before, which needed none? */
static bool ends_before(struct head *h, const struct record *r)
{
    if (r->type != RECORD_STDIN || r->content != 0 || r->id != h->before)
        return false;
    h->before = 0;
    return true;
}

/* Between requests: a BEGIN_REQUEST, a management record, the end of the
 * request before, or an abort that has crossed the reply to its request: that
 * id is not active (section 3.3). */
static enum head_state open_first(struct head *h, const struct record *r)
{
    if (r->id == 0)
        return r->content <= h->limits.max_params
                   ? HEAD_MORE
                   : refuse(h, "a management record over max_params");
    if (r->type == RECORD_ABORT_REQUEST || ends_before(h, r))
        return HEAD_MORE;
    if (r->type != RECORD_BEGIN_REQUEST)
        return refuse(h, "the first record is not BEGIN_REQUEST");
    if (r->content != sizeof h->begin)
        return refuse(h, "BEGIN_REQUEST does not have 8 bytes");
    h->id = r->id;
    return HEAD_MORE;
}

/* Within the head of request h->id: PARAMS, or what belongs to a request id
 * that is not active and is to be ignored (section 3.3). */
static enum head_state open_next(struct head *h, const struct record *r)
{
    if (r->id == 0)
        return refuse(h, "a management record inside a request");
    if (r->type == RECORD_BEGIN_REQUEST)
        return refuse(h, "a second request on the connection");
    if (r->id != h->id)
        return HEAD_MORE;
    if (r->type == RECORD_ABORT_REQUEST)
        return refuse(h, "the request was aborted before its parameters");
    if (r->type != RECORD_PARAMS)
        return refuse(h, "a record other than PARAMS before their end");
    return HEAD_MORE;
}

static enum head_state open_record(struct head *h, const uint8_t *header)
{
    struct record r;
    if (!record_parse(header, &r))
        return refuse(h, "not FastCGI version 1");
    h->type = r.type;
    h->record_id = r.id;
    h->content_left = r.content;
    h->padding_left = r.padding;
    h->empty = r.content == 0;
    return h->begun ? open_next(h, &r) : open_first(h, &r);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Store `n` bytes of content of the record being read, as far as they fit. */
static void take_content(struct head *h, const uint8_t *bytes, size_t n)
{
    if (h->record_id != 0 && h->type == RECORD_BEGIN_REQUEST) {
        memcpy(h->begin + sizeof h->begin - h->content_left, bytes, n);
    } else if (h->record_id == 0 || h->record_id == h->id) {
        size_t fits = least(n, h->limits.max_params - h->params_len);
        memcpy(h->params + h->params_len, bytes, fits);
        h->params_len += fits;
        h->over = h->over || fits < n;
    }
}

static enum head_state close_begin(struct head *h)
{
    unsigned role = (unsigned)h->begin[0] << 8 | h->begin[1];
    h->begun = true;
    h->keep = h->begin[2] & 1;
    return role == RECORD_RESPONDER ? HEAD_MORE : HEAD_WRONG_ROLE;
}

/* Of what is too much the first parameters stay that are complete. */
static enum head_state close_params(struct head *h)
{
    size_t at = 0, fit = 0;
    uint32_t count = 0;
    struct record_pair pair;
    while (record_parse_pair(h->params + at, h->params_len - at, &pair)) {
        at += pair.length;
        if (++count <= h->limits.max_param_count)
            fit = at;
    }
    if (h->over)
        h->excess = "the parameters are over max_params";
    else if (at < h->params_len)
        return refuse(h, "a parameter's length is beyond its record");
    else if (count > h->limits.max_param_count)
        h->excess = "more parameters than max_param_count";
    h->params_len = fit;
    return HEAD_READY;
}

/* The record is complete, its padding included. */
static enum head_state close_record(struct head *h)
{
    if (h->record_id == 0)
        return h->type == RECORD_GET_VALUES ? HEAD_VALUES : HEAD_UNKNOWN_TYPE;
    if (!h->begun)
        return h->type == RECORD_BEGIN_REQUEST ? close_begin(h) : HEAD_MORE;
    if (h->record_id == h->id && h->empty)
        return close_params(h);
    return HEAD_MORE;
}

/* Take what there is of the content and padding of the record being read;
 * gives how much that was. */
static size_t take_record(struct head *h, const uint8_t *bytes, size_t n)
{
    size_t content = least(h->content_left, n);
    take_content(h, bytes, content);
    size_t padding = least(h->padding_left, n - content);
    h->content_left -= (uint32_t)content;
    h->padding_left -= (uint32_t)padding;
    return content + padding;
}

enum head_state head_feed(struct head *h, const uint8_t *bytes, size_t n,
                          size_t *used)
{
    enum head_state state = HEAD_MORE;
    *used = 0;
    while (state == HEAD_MORE) {
        if (h->content_left == 0 && h->padding_left == 0) {
            if (n - *used < RECORD_HEADER_BYTES)
                break;
            state = open_record(h, bytes + *used);
            *used += RECORD_HEADER_BYTES;
            if (state != HEAD_MORE)
                break;
        }
        *used += take_record(h, bytes + *used, n - *used);
        if (h->content_left > 0 || h->padding_left > 0)
            break;
        state = close_record(h);
    }
    return state;
}
