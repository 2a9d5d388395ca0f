/* http_response: see http_response.h. */
#include "downstream/http_response.h"

#include <string.h>
#include <strings.h>

#define NO_LENGTH UINT64_MAX

/* An interim answer or the final one: each has its own fields (RFC 9110, 15.2).
 */
static void begin_message(struct http_response *a)
{
    a->status = 0;
    a->keep = true;
    a->part = HTTP_RESPONSE_STATUS_LINE;
    a->length = NO_LENGTH;
    a->chunked = a->framing = false;
}

void http_response_begin(struct http_response *a, uint64_t max_body)
{
    begin_message(a);
    a->reason = NULL;
    a->body_left = max_body;
    a->head_left = HTTP_RESPONSE_HEAD_MAX;
    a->line_cut = false;
    a->line_len = 0;
    a->take = NULL;
    a->field = NULL;
}

static enum http_response_state wrong(struct http_response *a,
                                      const char *reason)
{
    a->reason = reason;
    return HTTP_RESPONSE_WRONG;
}

static enum http_response_state complete(struct http_response *a)
{
    a->part = HTTP_RESPONSE_COMPLETE;
    return HTTP_RESPONSE_DONE;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- The header, line by line. --- */

/* HTTP/1.1 200 OK (RFC 9112, 4). */
static enum http_response_state status_line(struct http_response *a)
{
    const char *l = a->line;
    if (a->line_len < 12 || memcmp(l, "HTTP/1.", 7) != 0 || !is_digit(l[7]) ||
        l[8] != ' ' || !is_digit(l[9]) || !is_digit(l[10]) || !is_digit(l[11]))
        return wrong(a, "its first line is no HTTP/1 status line");
    a->status = (l[9] - '0') * 100 + (l[10] - '0') * 10 + (l[11] - '0');
    if (a->status < 100 || (a->line_len > 12 && l[12] != ' '))
        return wrong(a, "its status is not a number of three digits");
    /* Who invents a status (RFC 9110, 15) is not trusted with the next post. */
    if (l[7] == '0' || a->status >= 600)
        a->keep = false;
    a->part = HTTP_RESPONSE_FIELDS;
    return HTTP_RESPONSE_MORE;
}

/* The value of the line's field without the space around it. */
static size_t value_of(const struct http_response *a, size_t name_len,
                       const char **value)
{
    const char *from = a->line + name_len + 1, *to = a->line + a->line_len;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    *value = from;
    return (size_t)(to - from);
}

static enum http_response_state content_length(struct http_response *a,
                                               const char *value, size_t n)
{
    uint64_t length = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_digit(value[i]) || length > (NO_LENGTH - 10) / 10)
            return wrong(a, "its Content-Length is not a number");
        length = length * 10 + (uint64_t)(value[i] - '0');
    }
    if (n == 0 || (a->length != NO_LENGTH && a->length != length))
        return wrong(a, "its Content-Length is not one number");
    a->length = length;
    return HTTP_RESPONSE_MORE;
}

/* Is `word` an element of the list (RFC 9110, 5.6.1)? */
static bool lists(const char *value, size_t n, const char *word)
{
    size_t len = strlen(word);
    while (n > 0) {
        size_t some = 0;
        while (some < n && value[some] != ',')
            some++;
        const char *from = value, *to = value + some;
        while (from < to && (*from == ' ' || *from == '\t'))
            from++;
        while (to > from && (to[-1] == ' ' || to[-1] == '\t'))
            to--;
        if ((size_t)(to - from) == len && strncasecmp(from, word, len) == 0)
            return true;
        some += some < n;
        value += some;
        n -= some;
    }
    return false;
}

static bool is_name(const struct http_response *a, size_t len, const char *name)
{
    return strlen(name) == len && strncasecmp(a->line, name, len) == 0;
}

/* Connection, Content-Length and Transfer-Encoding matter. */
static enum http_response_state field(struct http_response *a, size_t name_len)
{
    const char *value;
    size_t n = value_of(a, name_len, &value);
    bool length = is_name(a, name_len, "Content-Length");
    bool coding = is_name(a, name_len, "Transfer-Encoding");
    a->framing = length || coding || is_name(a, name_len, "Connection");
    if (!a->framing)
        return HTTP_RESPONSE_MORE;
    /* Of a long list of options the rest might say "close". */
    if (a->line_cut && !length && !coding) {
        a->keep = false;
        return HTTP_RESPONSE_MORE;
    }
    if (a->line_cut)
        return wrong(a, "a field that matters is too long");
    if (length)
        return content_length(a, value, n);
    if (!coding)
        a->keep = a->keep && !lists(value, n, "close");
    else if (a->chunked || n != 7 || strncasecmp(value, "chunked", 7) != 0)
        return wrong(a, "its Transfer-Encoding is unknown");
    else
        a->chunked = true;
    return HTTP_RESPONSE_MORE;
}

static enum http_response_state field_line(struct http_response *a)
{
    if (a->line[0] == ' ' || a->line[0] == '\t') /* obs-fold (5.2) */
        return a->framing ? wrong(a, "a field that matters is folded")
                          : HTTP_RESPONSE_MORE;
    const char *colon = memchr(a->line, ':', a->line_len);
    if (colon == NULL || colon == a->line)
        return wrong(a, "a line of its header has no name");
    for (const char *c = a->line; c < colon; c++)
        if (*c <= ' ' || *c > '~')
            return wrong(a, "a name in its header is none");
    if (a->field != NULL && a->part == HTTP_RESPONSE_FIELDS &&
        a->status >= 200 && !a->line_cut)
        a->field(a->taker, a->line, a->line_len);
    return a->part == HTTP_RESPONSE_FIELDS ? field(a, (size_t)(colon - a->line))
                                           : HTTP_RESPONSE_MORE;
}

/* The empty line: what follows (RFC 9112, 6.3)? */
static enum http_response_state end_head(struct http_response *a)
{
    if (a->status == 101)
        return wrong(a, "it switches protocols");
    if (a->status < 200) {
        begin_message(a);
        return HTTP_RESPONSE_MORE;
    }
    if (a->status == 204 || a->status == 304) {
        /* They have no body (RFC 9112, 6.3); who announces one may send it. */
        a->keep = a->keep && !a->chunked &&
                  (a->length == NO_LENGTH || a->length == 0);
        return complete(a);
    }
    if (a->chunked) {
        /* With a length as well it may be an attack on some reader. */
        a->keep = a->keep && a->length == NO_LENGTH;
        a->part = HTTP_RESPONSE_CHUNK_SIZE;
        return HTTP_RESPONSE_MORE;
    }
    if (a->length == NO_LENGTH) {
        a->keep = false;
        a->part = HTTP_RESPONSE_BODY_TO_THE_END;
        return HTTP_RESPONSE_MORE;
    }
    if (a->length > a->body_left)
        return HTTP_RESPONSE_TOO_LONG;
    a->left = a->length;
    a->part = HTTP_RESPONSE_BODY;
    return a->left == 0 ? complete(a) : HTTP_RESPONSE_MORE;
}

/* --- Chunks (RFC 9112, 7.1). --- */

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_response_state chunk_size(struct http_response *a)
{
    uint64_t size = 0;
    size_t i = 0;
    for (; i < a->line_len && hex_digit(a->line[i]) >= 0; i++) {
        if (size >> 60 != 0)
            return wrong(a, "the size of a chunk is beyond any number");
        size = size << 4 | (uint64_t)hex_digit(a->line[i]);
    }
    if (i == 0 || a->line_cut ||
        (i < a->line_len && strchr("; \t", a->line[i]) == NULL))
        return wrong(a, "the size of a chunk is not a number");
    if (size > a->body_left)
        return HTTP_RESPONSE_TOO_LONG;
    a->left = size;
    a->part = size == 0 ? HTTP_RESPONSE_TRAILERS : HTTP_RESPONSE_CHUNK;
    return HTTP_RESPONSE_MORE;
}

static enum http_response_state take_line(struct http_response *a)
{
    if (a->line_len > 0 && a->line[a->line_len - 1] == '\r')
        a->line_len--;
    if (memchr(a->line, '\0', a->line_len) != NULL ||
        memchr(a->line, '\r', a->line_len) != NULL)
        return wrong(a, "a line of its header has a control character");
    switch (a->part) {
    case HTTP_RESPONSE_STATUS_LINE:
        return status_line(a);
    case HTTP_RESPONSE_CHUNK_SIZE:
        return chunk_size(a);
    case HTTP_RESPONSE_CHUNK_END:
        a->part = HTTP_RESPONSE_CHUNK_SIZE;
        return a->line_len == 0 ? HTTP_RESPONSE_MORE
                                : wrong(a, "a chunk is longer than its size");
    case HTTP_RESPONSE_TRAILERS:
        return a->line_len == 0 ? complete(a) : field_line(a);
    default:
        return a->line_len == 0 ? end_head(a) : field_line(a);
    }
}

/* --- Bytes. --- */

static bool in_body(const struct http_response *a)
{
    return a->part == HTTP_RESPONSE_BODY ||
           a->part == HTTP_RESPONSE_BODY_TO_THE_END ||
           a->part == HTTP_RESPONSE_CHUNK;
}

/* Up to the end of the line, or of the bytes; gives how many. */
static size_t feed_line(struct http_response *a, const uint8_t *bytes, size_t n,
                        enum http_response_state *state)
{
    const uint8_t *end = memchr(bytes, '\n', n);
    size_t some = end == NULL ? n : (size_t)(end - bytes);
    size_t room = sizeof a->line - a->line_len;
    size_t kept = some < room ? some : room;
    memcpy(a->line + a->line_len, bytes, kept);
    a->line_len += kept;
    a->line_cut = a->line_cut || kept < some;
    /* The lines between chunks are as many as the body lets them be. */
    bool between = a->part == HTTP_RESPONSE_CHUNK_SIZE ||
                   a->part == HTTP_RESPONSE_CHUNK_END;
    if (between ? a->line_cut : some >= a->head_left) {
        *state = wrong(a, "its header is too long");
        return some;
    }
    if (!between)
        a->head_left -= some + (end != NULL);
    if (end == NULL)
        return some;
    *state = take_line(a);
    a->line_len = 0;
    a->line_cut = false;
    return some + 1;
}

static size_t feed_body(struct http_response *a, const uint8_t *bytes, size_t n,
                        enum http_response_state *state)
{
    bool counted = a->part != HTTP_RESPONSE_BODY_TO_THE_END;
    size_t some = counted && a->left < n ? (size_t)a->left : n;
    if (some > a->body_left) {
        *state = HTTP_RESPONSE_TOO_LONG;
        return n;
    }
    a->body_left -= some;
    if (a->take != NULL)
        a->take(a->taker, bytes, some);
    if (counted && (a->left -= some) == 0) {
        if (a->part == HTTP_RESPONSE_CHUNK)
            a->part = HTTP_RESPONSE_CHUNK_END;
        else
            *state = complete(a);
    }
    return some;
}

enum http_response_state http_response_feed(struct http_response *a,
                                            const uint8_t *bytes, size_t n)
{
    enum http_response_state state = HTTP_RESPONSE_MORE;
    while (n > 0 && state == HTTP_RESPONSE_MORE) {
        size_t used = in_body(a) ? feed_body(a, bytes, n, &state)
                                 : feed_line(a, bytes, n, &state);
        bytes += used;
        n -= used;
    }
    if (n > 0)
        a->keep = false;
    return state;
}

bool http_response_end(struct http_response *a)
{
    return a->part == HTTP_RESPONSE_BODY_TO_THE_END;
}
