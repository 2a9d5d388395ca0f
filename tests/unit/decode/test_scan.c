/* scan: every production of the grammar, and every way to break it, however
 * the bytes are cut. */
#include <stdio.h>
#include <string.h>

#include "decode/scan.h"
#include "unit.h"

/* What comes out: brackets as they are, k s n w with the token's text, "." at
 * the end of a document, "!" with the offset of what is wrong. */
struct trace {
    char text[512];
    size_t n;
};

static void add(struct trace *t, const void *bytes, size_t n)
{
    EXPECT(t->n + n < sizeof t->text);
    memcpy(t->text + t->n, bytes, n);
    t->n += n;
    t->text[t->n] = '\0';
}

static void add_token(struct trace *t, enum scan_token token,
                      const struct scan_text *text)
{
    static const char marks[] = {
        [SCAN_OBJECT] = '{',    [SCAN_OBJECT_END] = '}', [SCAN_ARRAY] = '[',
        [SCAN_ARRAY_END] = ']', [SCAN_KEY] = 'k',        [SCAN_STRING] = 's',
        [SCAN_NUMBER] = 'n',    [SCAN_WORD] = 'w'};
    if (token < SCAN_KEY || text->first)
        add(t, &marks[token], 1);
    if (token >= SCAN_KEY)
        add(t, text->bytes, text->n);
}

/* Scan [body, body + n), the first piece of `first` bytes, others of `step`. */
static void run(struct trace *t, struct scan *s, uint32_t max_depth,
                const char *body, size_t n, size_t first, size_t step)
{
    char place[32];
    enum scan_token token = SCAN_MORE;
    t->n = 0;
    scan_begin(s, max_depth);
    for (size_t from = 0; from < n && token != SCAN_FAULT;) {
        size_t take = from == 0 && first > 0 ? first : step;
        if (take > n - from)
            take = n - from;
        const uint8_t *at = (const uint8_t *)body + from, *end = at + take;
        struct scan_text text;
        while ((token = scan_next(s, &at, end, &text)) != SCAN_MORE &&
               token != SCAN_FAULT)
            add_token(t, token, &text);
        from += take;
    }
    if (token != SCAN_FAULT && scan_finish(s)) {
        add(t, ".", 1);
        return;
    }
    int length =
        snprintf(place, sizeof place, "!%llu", (unsigned long long)s->offset);
    add(t, place, (size_t)length);
}

struct vector {
    const char *body;
    const char *trace;
};

static const struct vector vectors[] = {
    /* Values by themselves: JSON-text = ws value ws. */
    {"{}", "{}."},
    {"[]", "[]."},
    {"\"\"", "s."},
    {"0", "n0."},
    {"-0", "n-0."},
    {"12.50e-07", "n12.50e-07."},
    {"1E+2", "n1E+2."},
    {"true", "wtrue."},
    {"false", "wfalse."},
    {"null", "wnull."},
    {" \t\r\n0 \t\r\n", "n0."},
    {"\r\n{\r\n}\r\n", "{}."},
    {"", "!0"},
    {" ", "!1"},
    {"\n\n", "!2"},
    {"-", "n-!1"},
    {"1.", "n1.!2"},
    {"1e", "n1e!2"},
    {"1e-", "n1e-!3"},
    {"tru", "wtru!3"},
    {"\"", "s!1"},
    {"\"\\", "s\\!2"},
    {"\"\\u00e", "s\\u00e!6"},
    {"\"\xe2\x82", "s\xe2\x82!3"},
    {"{", "{!1"},
    {"[", "[!1"},
    {"}", "!0"},
    {"]", "!0"},
    {",", "!0"},
    {":", "!0"},
    {"\xef\xbb\xbf{}", "!0"},
    {"\xff\xfe{", "!0"},
    {"\v0", "!0"},
    {"\xc2\xa0", "!0"},
    /* Something behind it. */
    {"0 0", "n0!2"},
    {"0,", "n0!1"},
    {"{}{", "{}!2"},
    {"[]]", "[]!2"},
    {"{}}", "{}!2"},
    {"\"\"\"", "s!2"},
    {"truefalse", "wtrue!4"},
    {"null0", "wnull!4"},
    {"1a", "n1!1"},
    /* Objects. */
    {"{\"a\":1}", "{kan1}."},
    {" { \"a\" : 1 , \"\" : { } } ", "{kan1k{}}."},
    {"{\"a\":1,\"a\":\"b\"}", "{kan1kasb}."},
    {"{\"a\"}", "{ka!4"},
    {"{\"a\":}", "{ka!5"},
    {"{\"a\":,}", "{ka!5"},
    {"{\"a\"::1}", "{ka!5"},
    {"{\"a\",1}", "{ka!4"},
    {"{\"a\" \"b\":1}", "{ka!5"},
    {"{\"a\":1,}", "{kan1!7"},
    {"{\"a\":1,,}", "{kan1!7"},
    {"{\"a\":1 \"b\":2}", "{kan1!7"},
    {"{\"a\":1:2}", "{kan1!6"},
    {"{\"a\":1]", "{kan1!6"},
    {"{,\"a\":1}", "{!1"},
    {"{:1}", "{!1"},
    {"{1:1}", "{!1"},
    {"{null:1}", "{!1"},
    {"{[]:1}", "{!1"},
    {"{a:1}", "{!1"},
    {"{'a':1}", "{!1"},
    {"{\"a", "{ka!3"},
    {"{\"a\"", "{ka!4"},
    {"{\"a\":", "{ka!5"},
    {"{\"a\":1", "{kan1!6"},
    {"{\"a\":1,", "{kan1!7"},
    /* Arrays. */
    {"[1]", "[n1]."},
    {"[ 1 , \"\" , [ ] , { } , null ]", "[n1s[]{}wnull]."},
    {"[[[1],2],3]", "[[[n1]n2]n3]."},
    {"[,]", "[!1"},
    {"[,1]", "[!1"},
    {"[1,]", "[n1!3"},
    {"[1,,2]", "[n1!3"},
    {"[1 2]", "[n1!3"},
    {"[1:2]", "[n1!2"},
    {"[:]", "[!1"},
    {"[\"a\":1]", "[sa!4"},
    {"[1}", "[n1!2"},
    {"[1", "[n1!2"},
    {"[1,", "[n1!3"},
    {"[\"a", "[sa!3"},
    {"[{]", "[{!2"},
    {"[[}", "[[!2"},
    /* Text is told as it is written. */
    {"{\"\\u0061\\\"\":\"\\\\\\/\"}", "{k\\u0061\\\"s\\\\\\/}."},
    {"[\"\xf0\x9d\x84\x9e\"]", "[s\xf0\x9d\x84\x9e]."},
};

START_TEST(the_tokens_are_those_of_the_grammar)
{
    struct trace t;
    struct scan s;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct vector *v = &vectors[i];
        size_t n = strlen(v->body);
        for (size_t first = 0; first < n || first == 0; first++) {
            run(&t, &s, 8, v->body, n, first, n + 1);
            ck_assert_msg(strcmp(t.text, v->trace) == 0,
                          "%s, cut at %zu: wanted %s, got %s", v->body, first,
                          v->trace, t.text);
        }
        for (size_t step = 1; step < 4; step++) {
            run(&t, &s, 8, v->body, n, 0, step);
            ck_assert_msg(strcmp(t.text, v->trace) == 0,
                          "%s, in pieces of %zu: wanted %s, got %s", v->body,
                          step, v->trace, t.text);
        }
    }
}
END_TEST

/* --- All sequences of tokens, against a grammar of its own. --- */

#define TOKENS "{}[],:k1"
#define SEQUENCE_MAX 6
#define SEQUENCES 299592 /* of up to six of the eight */

/* Recursive descent: true, and *t behind it; or false, at the token that
 * cannot stand where it does. */
static bool is_value(const char **t);

static bool is_member(const char **t)
{
    if (**t != 'k')
        return false;
    ++*t;
    if (**t != ':')
        return false;
    ++*t;
    return is_value(t);
}

static bool is_list(const char **t, char end, bool (*is_part)(const char **))
{
    ++*t;
    if (**t != end) {
        if (!is_part(t))
            return false;
        while (**t == ',') {
            ++*t;
            if (!is_part(t))
                return false;
        }
    }
    return *(*t)++ == end || (--*t, false);
}

static bool is_value(const char **t)
{
    if (**t == '{')
        return is_list(t, '}', is_member);
    if (**t == '[')
        return is_list(t, ']', is_value);
    return **t == 'k' || **t == '1' ? (++*t, true) : false;
}

/* Write the tokens out, a space after each; a key is also a string. */
static size_t spell(char *body, const char *tokens, size_t places[])
{
    size_t n = 0, i = 0;
    for (; tokens[i] != '\0'; i++) {
        places[i] = n;
        if (tokens[i] == 'k') {
            memcpy(body + n, "\"k\"", 3);
            n += 3;
        } else {
            body[n++] = tokens[i];
        }
        body[n++] = ' ';
    }
    places[i] = n;
    return n;
}

START_TEST(all_short_documents)
{
    struct trace t;
    struct scan s;
    unsigned documents = 0;
    for (unsigned index = 0; index <= SEQUENCES; index++) {
        char tokens[SEQUENCE_MAX + 1], body[64];
        size_t places[SEQUENCE_MAX + 1], count = 0;
        for (unsigned rest = index; rest > 0; rest = (rest - 1) / 8)
            tokens[count++] = TOKENS[(rest - 1) % 8];
        tokens[count] = '\0';
        size_t n = spell(body, tokens, places);
        const char *at = tokens;
        bool valid = is_value(&at) && *at == '\0';
        documents += valid;
        for (size_t step = 1; step < 64; step += 62) {
            run(&t, &s, 8, body, n, 0, step);
            if ((t.text[t.n - 1] == '.') != valid ||
                (!valid && s.offset != places[at - tokens]))
                ck_abort_msg("%s: %s", tokens, t.text);
        }
    }
    ck_assert_uint_gt(documents, 20);
}
END_TEST

/* --- Depth. --- */

/* `depth` levels: of arrays, of objects, or of both in turn. */
static size_t nest(char *body, size_t depth, unsigned kinds)
{
    size_t n = 0;
    for (size_t i = 0; i < depth; i++) {
        bool object = kinds == 1 || (kinds == 2 && i % 3 == 1);
        memcpy(body + n, object ? "{\"\":" : "[", object ? 4 : 1);
        n += object ? 4 : 1;
    }
    body[n++] = '1';
    for (size_t i = depth; i-- > 0;)
        body[n++] = kinds == 1 || (kinds == 2 && i % 3 == 1) ? '}' : ']';
    return n;
}

/* Scan it in one piece; gives the last token. */
static enum scan_token scan_all(struct scan *s, uint32_t max_depth,
                                const char *body, size_t n)
{
    const uint8_t *at = (const uint8_t *)body;
    struct scan_text text;
    enum scan_token token;
    scan_begin(s, max_depth);
    do
        token = scan_next(s, &at, (const uint8_t *)body + n, &text);
    while (token != SCAN_MORE && token != SCAN_FAULT);
    return token;
}

static void check_depth(uint32_t limit, unsigned kinds)
{
    static char body[8 * SCAN_DEPTH_MAX];
    struct scan s;
    size_t n = nest(body, limit + 1, kinds);
    ck_assert_int_eq(scan_all(&s, limit, body, n), SCAN_FAULT);
    ck_assert_str_eq(s.reason, "nested deeper than max_depth");
    ck_assert_uint_eq(s.depth, limit);
    n = nest(body, limit, kinds);
    ck_assert_int_eq(scan_all(&s, limit, body, n), SCAN_MORE);
    ck_assert(scan_finish(&s));
    /* The kind of each level is known. */
    for (size_t close = n - limit; close < n; close++) {
        body[close] ^= ']' ^ '}';
        EXPECT(scan_all(&s, limit, body, n) == SCAN_FAULT);
        EXPECT(s.offset == close);
        body[close] ^= ']' ^ '}';
    }
}

START_TEST(depth_ends_at_max_depth)
{
    static const uint32_t limits[] = {1,   2,   3,    63,   64,  65,
                                      127, 128, 1000, 1023, 1024};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        for (unsigned kinds = 0; kinds < 3; kinds++)
            check_depth(limits[i], kinds);
}
END_TEST

/* --- For who goes over a part by himself. --- */

/* scan goes on behind an opening bracket, a comma, a value or a name as if it
 * had read what is before; and says where it is behind tokens. */
START_TEST(a_part_may_be_skipped)
{
    static const char body[] = "{\"a\":[1,\"b\",{}],\n\"c\\n\":2}";
    static const struct {
        size_t at;
        uint32_t depth;
        enum scan_where where;
        bool in_string;
    } places[] = {
        {0, 0, SCAN_BEHIND_NOTHING, false}, {1, 1, SCAN_BEHIND_BRACKET, false},
        {2, 1, SCAN_BEHIND_NAME, true},     {4, 1, SCAN_BEHIND_NAME, false},
        {6, 2, SCAN_BEHIND_BRACKET, false}, {7, 2, SCAN_BEHIND_VALUE, false},
        {8, 2, SCAN_BEHIND_COMMA, false},   {9, 2, SCAN_BEHIND_VALUE, true},
        {11, 2, SCAN_BEHIND_VALUE, false},  {13, 3, SCAN_BEHIND_BRACKET, false},
        {14, 2, SCAN_BEHIND_VALUE, false},  {15, 1, SCAN_BEHIND_VALUE, false},
        {16, 1, SCAN_BEHIND_COMMA, false},  {18, 1, SCAN_BEHIND_NAME, true},
        {25, 0, SCAN_BEHIND_VALUE, false},
    };
    static const bool objects[] = {true, false, true};
    const uint8_t *bytes = (const uint8_t *)body, *end = bytes + strlen(body);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct scan s;
        struct scan_text text;
        struct fault fault;
        const uint8_t *at = bytes + places[i].at;
        enum scan_token token;
        scan_begin(&s, 4);
        for (uint32_t level = 0; level < places[i].depth; level++)
            scan_open(&s, objects[level]);
        s.offset = places[i].at;
        scan_resume(&s, places[i].where, places[i].in_string);
        for (uint32_t level = 0; level < places[i].depth; level++)
            ck_assert(scan_is_object(&s, level) == objects[level]);
        do
            token = scan_next(&s, &at, end, &text);
        while (token != SCAN_MORE && token != SCAN_FAULT);
        ck_assert_msg(token == SCAN_MORE && scan_finish(&s), "%zu", i);
        ck_assert_uint_eq(s.offset, strlen(body));
        at = (const uint8_t *)"!";
        ck_assert_int_eq(scan_next(&s, &at, at + 1, &text), SCAN_FAULT);
        scan_fault(&s, &fault);
        ck_assert_uint_eq(fault.offset, strlen(body));
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_tokens_are_those_of_the_grammar,
                                  all_short_documents, depth_ends_at_max_depth,
                                  a_part_may_be_skipped};
    return UNIT_MAIN("scan", tests);
}
