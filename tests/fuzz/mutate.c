/* mutate: changes to a body that leave it nearly JSON, for fuzz_payload.
 *
 * libFuzzer's own mutations are of bytes, and mostly end in the first item.
 * These know tokens: they repeat, drop, swap and copy what stands between two
 * commas, put in members and numbers of the edge, and write the white space
 * anew, so that bodies of many items with a fault deep inside come about. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed);

/* As in fuzz_payload.c. */
#define SETTINGS_BYTES 2
#define BETWEEN_BODIES 0xff

#define TEXT_MAX 16384
#define TOKENS_MAX 4096

struct text {
    uint8_t *bytes;
    size_t n, max;
};

/* Of a text that need not be JSON. The kind is the byte itself of { } [ ] , :
 * and of what is between bodies, else one of these. */
enum { STRING = '"', SCALAR = '1', BLANK = ' ' };

struct token {
    size_t from, to;
    uint8_t kind;
};

static struct token tokens[TOKENS_MAX];
static size_t token_count;
static uint64_t random_state;

/* xorshift64 (Marsaglia, 2003). */
static size_t below(size_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return n == 0 ? 0 : (size_t)(random_state >> 16) % n;
}

/* Put `n` bytes in the place of [from, to), as far as there is room. */
static void splice(struct text *t, size_t from, size_t to, const void *bytes,
                   size_t n)
{
    static uint8_t copy[TEXT_MAX]; /* `bytes` may be of the text itself */
    if (n > sizeof copy || t->n - (to - from) + n > t->max)
        return;
    memcpy(copy, bytes, n);
    memmove(t->bytes + from + n, t->bytes + to, t->n - to);
    memcpy(t->bytes + from, copy, n);
    t->n = t->n - (to - from) + n;
}

/* --- Tokens. --- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static bool is_mark(uint8_t c)
{
    return c == BETWEEN_BODIES || (c != '\0' && strchr("{}[],:", c) != NULL);
}

static size_t token_end(const struct text *t, size_t at)
{
    const uint8_t *b = t->bytes;
    uint8_t c = b[at++];
    if (is_mark(c))
        return at;
    if (c == '"') {
        for (; at < t->n && b[at] != '"'; at++)
            at += b[at] == '\\';
        return at < t->n ? at + 1 : t->n;
    }
    while (at < t->n && is_blank(b[at]) == is_blank(c) && !is_mark(b[at]) &&
           b[at] != '"')
        at++;
    return at;
}

static void read_tokens(const struct text *t)
{
    token_count = 0;
    for (size_t at = 0; at < t->n && token_count < TOKENS_MAX;) {
        uint8_t c = t->bytes[at];
        size_t end = token_end(t, at);
        tokens[token_count++] = (struct token){at, end,
                                               is_mark(c) || c == '"' ? c
                                               : is_blank(c)          ? BLANK
                                                                      : SCALAR};
        at = end;
    }
}

/* A token of that kind, by chance; token_count: there is none. */
static size_t find(uint8_t kind)
{
    size_t start = below(token_count);
    for (size_t i = 0; i < token_count; i++) {
        size_t at = (start + i) % token_count;
        if (tokens[at].kind == kind)
            return at;
    }
    return token_count;
}

/* What stands between two commas or brackets: an item, a member, a value. */
struct part {
    size_t from, to;
    bool is_member;
};

static bool find_part(struct part *p)
{
    static const char starts[] = "{[,,,,";
    size_t i = find((uint8_t)starts[below(sizeof starts - 1)]);
    if (i + 1 >= token_count)
        return false;
    *p = (struct part){.from = tokens[i].to};
    int depth = 0;
    for (i++; i < token_count; i++) {
        uint8_t kind = tokens[i].kind;
        if (depth == 0 && (kind == ',' || kind == '}' || kind == ']'))
            break;
        p->is_member |= depth == 0 && kind == ':';
        depth += (kind == '{' || kind == '[') - (kind == '}' || kind == ']');
    }
    p->to = i < token_count ? tokens[i].from : tokens[token_count - 1].to;
    return p->to > p->from;
}

/* --- Mutations; each may find nothing to do. --- */

static void repeat_part(struct text *t)
{
    struct part p;
    if (!find_part(&p))
        return;
    for (size_t times = 1 + below(below(4) == 0 ? 40 : 3); times > 0; times--) {
        splice(t, p.to, p.to, t->bytes + p.from, p.to - p.from);
        splice(t, p.to, p.to, ",", 1);
    }
}

static void drop_part(struct text *t)
{
    struct part p;
    if (!find_part(&p))
        return;
    if (p.to < t->n && t->bytes[p.to] == ',')
        p.to++;
    else if (t->bytes[p.from - 1] == ',')
        p.from--;
    splice(t, p.from, p.to, "", 0);
}

static void copy_part(struct text *t)
{
    struct part from, to;
    if (find_part(&from) && find_part(&to))
        splice(t, to.from, to.to, t->bytes + from.from, from.to - from.from);
}

static void swap_parts(struct text *t)
{
    struct part a, b;
    uint8_t copy[512];
    if (!find_part(&a) || !find_part(&b) || a.to > b.from ||
        a.to - a.from > sizeof copy)
        return;
    size_t n = a.to - a.from, before = t->n;
    memcpy(copy, t->bytes + a.from, n);
    splice(t, a.from, a.to, t->bytes + b.from, b.to - b.from);
    size_t moved = t->n - before; /* may wrap, and back */
    splice(t, b.from + moved, b.to + moved, copy, n);
}

static void put_member(struct text *t)
{
    static const char *const members[] = {
        "\"value\":7",
        "\"v\\u0061lue\":8",
        "\"value\":\"x\"",
        "\"id\":12345",
        "\"x\":[1,{}]",
        "\"s\":\"\\\"\\n\\u00e9\"",
        "\"o\":{\"value\":9}",
        "\"b\":true",
        "\"n\":null",
        "\"f\":-0.5e-3",
        "\"u\":\"\xc3\xa9\"",
        "\"items\":[]",
        "\"\\u0076alue\":3",
        "\"valu\\u0065\":{}",
        "\"\\ud834\\udd1e\":1",
        "\"\\\\\":\"\\\\\\\"\"",
        "\"w\":[true,false,null,true]",
        "\"items\":[{\"value\":2}]",
        "\"\\u0069tems\":[3]",
        "\"\xe4\xb8\xad\":\"\xf0\x9f\x98\x80\xe6\x96\x87\"",
        "\"d\":[[[[{\"a\":[{}]}]]]]",
        "\"values\":\"value\"",
        "\"valu\":9007199254740993.0000000000000000001",
        "\"long\":\"a text that is longer than a register, and than two of "
        "them; it goes on up to the end of the fourth, which is here\""};
    const char *member = members[below(sizeof members / sizeof members[0])];
    struct part p;
    if (!find_part(&p) || !p.is_member)
        return;
    splice(t, p.from, p.from, ",", 1);
    splice(t, p.from, p.from, member, strlen(member));
}

static void put_number(struct text *t)
{
    static const char *const numbers[] = {
        "0",
        "-0",
        "-1",
        "12345678",
        "123456789",
        "999999999999999999",
        "1000000000000000000",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551616",
        "-9223372036854775809",
        "1000000000000000000000",
        "9007199254740993.00000000000000000000000001",
        "2.2250738585072011e-308",
        "1.5",
        "1e400",
        "0.1",
        "-0.0e-0",
        "1e-400",
        "01",
        "-",
        "1.",
        ".5",
        "1e+",
        "true",
        "nul",
        "123456789012345678901234567890123456789012345678901234567890"};
    const char *number = numbers[below(sizeof numbers / sizeof numbers[0])];
    size_t i = find(SCALAR);
    if (i < token_count)
        splice(t, tokens[i].from, tokens[i].to, number, strlen(number));
}

/* Give a number or string another length. */
static void stretch(struct text *t)
{
    static const char digits[] = "111111111111111111111111111111111111111111111"
                                 "11111111111111111111111111111111111111111111";
    size_t i = find(below(2) == 0 ? SCALAR : STRING);
    if (i == token_count)
        return;
    size_t length = tokens[i].to - tokens[i].from;
    size_t at = tokens[i].from + (length > 1 ? 1 + below(length - 1) : 1);
    if (below(2) == 0 && at + 1 < tokens[i].to)
        splice(t, at, at + 1 + below(tokens[i].to - at - 1), "", 0);
    else
        splice(t, at, at, digits, 1 + below(sizeof digits - 1));
}

/* Put a copy of the first body before it. */
static void repeat_body(struct text *t)
{
    static const uint8_t between = BETWEEN_BODIES;
    size_t i = find(BETWEEN_BODIES);
    size_t n = i < token_count ? tokens[i].from : t->n;
    size_t before = t->n;
    splice(t, 0, 0, &between, 1);
    if (t->n > before)
        splice(t, 0, 0, t->bytes + 1, n);
}

/* Take one mark away, or put it twice, or another in its place. */
static void change_mark(struct text *t)
{
    static const char marks[] = "{}[],:\"";
    size_t i = find((uint8_t)marks[below(6)]);
    if (i == token_count)
        return;
    size_t at = tokens[i].from;
    splice(t, at, at + below(2), marks + below(7), below(3) > 0);
}

/* White space, so much that what follows lies in another block. */
static void put_blanks(struct text *t)
{
    static const char blanks[] = "          \n\r\n \t                        "
                                 "                                           ";
    size_t i = below(token_count), n = below(sizeof blanks - 1);
    if (token_count > 0)
        splice(t, tokens[i].from, tokens[i].from, blanks, n);
}

/* Write one letter of a string as an escape. */
static void escape_letter(struct text *t)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    size_t i = find(STRING);
    if (i == token_count || tokens[i].to - tokens[i].from < 3)
        return;
    size_t at = tokens[i].from + 1 + below(tokens[i].to - tokens[i].from - 2);
    uint8_t c = t->bytes[at];
    const char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    splice(t, at, at + 1, escape, sizeof escape);
}

/* Let libFuzzer change one token. */
static void change_token(struct text *t)
{
    size_t i = below(token_count);
    uint8_t room[256];
    if (token_count == 0 || tokens[i].to - tokens[i].from > sizeof room / 2)
        return;
    size_t n = tokens[i].to - tokens[i].from;
    memcpy(room, t->bytes + tokens[i].from, n);
    n = LLVMFuzzerMutate(room, n, sizeof room);
    splice(t, tokens[i].from, tokens[i].to, room, n);
}

/* Write all white space anew, in one style. */
static void restyle(struct text *t)
{
    static const struct {
        const char *after_comma, *after_colon, *after_open, *before_close;
    } styles[] = {{"", "", "", ""},
                  {" ", " ", "", ""},
                  {"\n  ", " ", "\n  ", "\n"},
                  {" ", "\t", " ", " "},
                  {"\r\n\t\t", " ", "\r\n", ""}};
    size_t style = below(sizeof styles / sizeof styles[0]);
    for (size_t i = token_count; i-- > 0;) {
        const struct token *k = &tokens[i];
        const char *blank = styles[style].before_close;
        size_t at = k->kind == '}' || k->kind == ']' ? k->from : k->to;
        if (k->kind == ',')
            blank = styles[style].after_comma;
        else if (k->kind == ':')
            blank = styles[style].after_colon;
        else if (k->kind == '{' || k->kind == '[')
            blank = styles[style].after_open;
        else if (k->kind == BLANK)
            splice(t, k->from, k->to, "", 0);
        if (is_mark(k->kind))
            splice(t, at, at, blank, strlen(blank));
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed)
{
    static void (*const mutations[])(struct text *) = {
        repeat_part,  drop_part,   copy_part,  swap_parts,   put_member,
        put_number,   stretch,     restyle,    repeat_body,  change_token,
        change_token, change_mark, put_blanks, escape_letter};
    if (size <= SETTINGS_BYTES || max_size > TEXT_MAX)
        return LLVMFuzzerMutate(data, size, max_size);
    random_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    if (below(4) == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    struct text t = {data + SETTINGS_BYTES, size - SETTINGS_BYTES,
                     max_size - SETTINGS_BYTES};
    for (size_t times = 1 + below(4); times > 0; times--) {
        read_tokens(&t);
        mutations[below(sizeof mutations / sizeof mutations[0])](&t);
    }
    return SETTINGS_BYTES + t.n;
}
