/* scan: see scan.h. */
#include "decode/scan.h"

#include <stdio.h>
#include <string.h>

/* What may come between two tokens. */
enum expect {
    EXPECT_VALUE,
    EXPECT_FIRST_VALUE, /* or the end of the array */
    EXPECT_KEY,
    EXPECT_FIRST_KEY, /* or the end of the object */
    EXPECT_COLON,
    EXPECT_COMMA, /* or the end of the array or object */
    EXPECT_NOTHING,
};

void scan_begin(struct scan *s, uint32_t max_depth)
{
    memset(s, 0, offsetof(struct scan, is_object));
    s->max_depth = max_depth;
    s->line = 1;
    s->expect = EXPECT_VALUE;
    s->token = SCAN_MORE;
}

static enum scan_token fault(struct scan *s, const char *reason)
{
    s->reason = reason;
    return SCAN_FAULT;
}

/* --- Nesting. --- */

static bool in_object(const struct scan *s)
{
    return scan_is_object(s, s->depth - 1);
}

static enum scan_token open_level(struct scan *s, bool object)
{
    if (s->depth == s->max_depth)
        return fault(s, SCAN_TOO_DEEP);
    uint64_t bit = UINT64_C(1) << (s->depth % 64);
    uint64_t *word = &s->is_object[s->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    s->depth++;
    s->expect = object ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
    return object ? SCAN_OBJECT : SCAN_ARRAY;
}

static void end_value(struct scan *s)
{
    s->expect = s->depth == 0 ? EXPECT_NOTHING : EXPECT_COMMA;
}

/* At the bracket that closes the innermost level. */
static enum scan_token close_level(struct scan *s, const uint8_t **at)
{
    ++*at;
    bool object = in_object(s);
    s->depth--;
    end_value(s);
    return object ? SCAN_OBJECT_END : SCAN_ARRAY_END;
}

/* --- Between tokens. --- */

static const uint8_t *skip_blank(struct scan *s, const uint8_t *p,
                                 const uint8_t *end, uint64_t start_offset,
                                 const uint8_t *start)
{
    for (; p < end && *p <= ' '; p++) {
        if (*p == '\n') {
            s->line++;
            s->line_start = start_offset + (uint64_t)(p - start) + 1;
        } else if (*p != ' ' && *p != '\t' && *p != '\r') {
            break;
        }
    }
    return p;
}

/* Go on with the text of s->token. */
static enum scan_token go_on(struct scan *s, const uint8_t **at,
                             const uint8_t *end, struct scan_text *text)
{
    enum scan_token token = s->token;
    text->bytes = *at;
    enum literal_state state = literal_feed(&s->literal, at, end, &s->reason);
    if (state == LITERAL_FAULT)
        return SCAN_FAULT;
    text->n = (size_t)(*at - text->bytes);
    text->last = state == LITERAL_END;
    text->escaped = s->literal.escaped;
    if (!text->last)
        return token;
    s->token = SCAN_MORE;
    if (token == SCAN_KEY || token == SCAN_STRING)
        ++*at; /* the closing quote */
    if (token == SCAN_KEY)
        s->expect = EXPECT_COLON;
    else
        end_value(s);
    return token;
}

static enum scan_token begin_text(struct scan *s, enum scan_token token,
                                  const char *word, const uint8_t **at,
                                  const uint8_t *end, struct scan_text *text)
{
    static const uint8_t kinds[] = {[SCAN_KEY] = LITERAL_STRING,
                                    [SCAN_STRING] = LITERAL_STRING,
                                    [SCAN_NUMBER] = LITERAL_NUMBER,
                                    [SCAN_WORD] = LITERAL_WORD};
    s->token = (uint8_t)token;
    literal_begin(&s->literal, kinds[token], word);
    if (token == SCAN_KEY || token == SCAN_STRING)
        ++*at; /* the opening quote */
    text->first = true;
    return go_on(s, at, end, text);
}

static enum scan_token begin_value(struct scan *s, const uint8_t **at,
                                   const uint8_t *end, struct scan_text *text)
{
    uint8_t c = **at;
    switch (c) {
    case '{':
    case '[': {
        enum scan_token token = open_level(s, c == '{');
        *at += token != SCAN_FAULT;
        return token;
    }
    case '"':
        return begin_text(s, SCAN_STRING, NULL, at, end, text);
    case 't':
        return begin_text(s, SCAN_WORD, "true", at, end, text);
    case 'f':
        return begin_text(s, SCAN_WORD, "false", at, end, text);
    case 'n':
        return begin_text(s, SCAN_WORD, "null", at, end, text);
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return begin_text(s, SCAN_NUMBER, NULL, at, end, text);
        return fault(s, "no value where one must be");
    }
}

/* The byte that stands where `expect` says what may. SCAN_MORE: it was a colon
 * or a comma. */
static enum scan_token take(struct scan *s, const uint8_t **at,
                            const uint8_t *end, struct scan_text *text)
{
    uint8_t c = **at;
    switch (s->expect) {
    case EXPECT_FIRST_VALUE:
        if (c == ']')
            return close_level(s, at);
        return begin_value(s, at, end, text);
    case EXPECT_VALUE:
        return begin_value(s, at, end, text);
    case EXPECT_FIRST_KEY:
        if (c == '}')
            return close_level(s, at);
        /* fall through */
    case EXPECT_KEY:
        if (c != '"')
            return fault(s, "no key where one must be");
        return begin_text(s, SCAN_KEY, NULL, at, end, text);
    case EXPECT_COLON:
        if (c != ':')
            return fault(s, "no colon after a key");
        ++*at;
        s->expect = EXPECT_VALUE;
        return SCAN_MORE;
    case EXPECT_COMMA:
        if (c == (in_object(s) ? '}' : ']'))
            return close_level(s, at);
        if (c != ',')
            return fault(s, in_object(s)
                                ? "neither a comma nor the end of an object"
                                : "neither a comma nor the end of an array");
        ++*at;
        s->expect = in_object(s) ? EXPECT_KEY : EXPECT_VALUE;
        return SCAN_MORE;
    default:
        return fault(s, "bytes after the end of the document");
    }
}

enum scan_token scan_next(struct scan *s, const uint8_t **at,
                          const uint8_t *end, struct scan_text *text)
{
    const uint8_t *start = *at;
    uint64_t start_offset = s->offset;
    enum scan_token token = SCAN_MORE;
    text->first = false;
    if (s->token != SCAN_MORE && *at < end)
        token = go_on(s, at, end, text);
    while (token == SCAN_MORE && s->token == SCAN_MORE) {
        *at = skip_blank(s, *at, end, start_offset, start);
        if (*at == end)
            break;
        token = take(s, at, end, text);
    }
    s->offset = start_offset + (uint64_t)(*at - start);
    return token;
}

bool scan_finish(struct scan *s)
{
    if (s->token == SCAN_NUMBER && s->depth == 0 &&
        literal_may_end(&s->literal))
        s->expect = EXPECT_NOTHING; /* only its end can end such a number */
    else if (s->token != SCAN_MORE || s->expect != EXPECT_NOTHING)
        fault(s, "the document is not complete");
    return s->reason == NULL;
}

void scan_fault(const struct scan *s, struct fault *f)
{
    *f = (struct fault){.what = OUTCOME_malformed_json,
                        .offset = s->offset,
                        .line = s->line,
                        .column = s->offset - s->line_start + 1};
    snprintf(f->reason, sizeof f->reason, "%s", s->reason);
}

bool scan_is_object(const struct scan *s, uint32_t level)
{
    return (s->is_object[level / 64] >> (level % 64) & 1) != 0;
}

void scan_open(struct scan *s, bool object)
{
    open_level(s, object);
}

void scan_resume(struct scan *s, enum scan_where where, bool in_string)
{
    bool object = s->depth > 0 && in_object(s);
    switch (where) {
    case SCAN_BEHIND_NOTHING:
        s->expect = EXPECT_VALUE;
        break;
    case SCAN_BEHIND_BRACKET:
        s->expect = object ? EXPECT_FIRST_KEY : EXPECT_FIRST_VALUE;
        break;
    case SCAN_BEHIND_COMMA:
        s->expect = object ? EXPECT_KEY : EXPECT_VALUE;
        break;
    case SCAN_BEHIND_NAME:
        s->expect = EXPECT_COLON;
        break;
    default:
        end_value(s);
    }
    if (!in_string)
        return;
    s->token = where == SCAN_BEHIND_NAME ? SCAN_KEY : SCAN_STRING;
    literal_begin(&s->literal, LITERAL_STRING, NULL);
}

bool scan_where(const struct scan *s, enum scan_where *where)
{
    *where = s->expect == EXPECT_COMMA || s->expect == EXPECT_NOTHING
                 ? SCAN_BEHIND_VALUE
                 : SCAN_BEHIND_BRACKET;
    return s->token == SCAN_MORE &&
           (*where == SCAN_BEHIND_VALUE || s->expect == EXPECT_FIRST_KEY ||
            s->expect == EXPECT_FIRST_VALUE);
}
