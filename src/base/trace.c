/* trace: see trace.h. */
#include "base/trace.h"

#include <stdbool.h>
#include <string.h>

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_id_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || (c != '\0' && strchr("-_.:+/=@", c));
}

static bool valid_id(const char *id)
{
    size_t n = 0;
    if (id == NULL)
        return false;
    for (; id[n] != '\0'; n++)
        if (n >= TRACE_ID_MAX || !is_id_char(id[n]))
            return false;
    return n > 0;
}

static bool hex_field(const char *s, size_t n, bool may_be_zero)
{
    bool zero = true;
    for (size_t i = 0; i < n; i++) {
        if (!is_hex(s[i]))
            return false;
        zero = zero && s[i] == '0';
    }
    return may_be_zero || !zero;
}

/* version "-" trace-id "-" parent-id "-" flags (Trace Context, 3.2.2). A
 * later version may be longer and is read as version 00 (4.2.2). */
static bool valid_parent(const char *p)
{
    if (p == NULL || strnlen(p, TRACE_PARENT_LEN) < TRACE_PARENT_LEN)
        return false;
    bool longer = p[TRACE_PARENT_LEN] != '\0';
    if (!hex_field(p, 2, true) || memcmp(p, "ff", 2) == 0)
        return false;
    if (longer && (memcmp(p, "00", 2) == 0 || p[TRACE_PARENT_LEN] != '-'))
        return false;
    return p[2] == '-' && hex_field(p + 3, 32, false) && p[35] == '-' &&
           hex_field(p + 36, 16, false) && p[52] == '-' &&
           hex_field(p + 53, 2, true);
}

static bool valid_state(const char *s)
{
    if (s == NULL || strnlen(s, TRACE_STATE_MAX + 1) > TRACE_STATE_MAX)
        return false;
    for (; *s != '\0'; s++)
        if (*s < 0x20 || *s > 0x7e)
            return false;
    return true;
}

static void print_hex(char *out, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

void trace_make(struct trace *t, const char *request_id,
                const char *traceparent, const char *tracestate,
                const uint8_t *random)
{
    char span[17];
    print_hex(span, random, 8);
    if (valid_id(request_id))
        memcpy(t->request_id, request_id, strlen(request_id) + 1);
    else
        print_hex(t->request_id, random + 8, 16);

    t->state[0] = '\0';
    if (valid_parent(traceparent)) {
        memcpy(t->parent, traceparent, TRACE_PARENT_LEN);
        t->parent[TRACE_PARENT_LEN] = '\0';
        if (valid_state(tracestate))
            memcpy(t->state, tracestate, strlen(tracestate) + 1);
    } else {
        memcpy(t->parent, "00-", 3);
        print_hex(t->parent + 3, random + 24, 16);
        t->parent[35] = '-';
        memcpy(t->parent + 36, span, 16);
        memcpy(t->parent + 52, "-00", 4);
    }
    memcpy(t->child, t->parent, sizeof t->child);
    memcpy(t->child, "00", 2);
    memcpy(t->child + 36, span, 16);
    /* Of the flags only "sampled" is known to version 00; the others must be
     * zero in what is sent on (3.2.2.5.2). */
    bool sampled = strchr("13579bdf", t->child[54]) != NULL;
    memcpy(t->child + 53, sampled ? "01" : "00", 2);
}
