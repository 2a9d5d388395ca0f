/* totals: see totals.h. */
#include "shadow/totals.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

static const char heading[] = "tallyd-shadow-totals 1\n";

static const char *const count_names[TOTALS_COUNT] = {
    [TOTALS_seconds] = "seconds", [TOTALS_requests] = "requests",
    [TOTALS_sampled] = "sampled", [TOTALS_dropped] = "dropped",
    [TOTALS_skipped] = "skipped", [TOTALS_loops] = "loops",
    [TOTALS_lost] = "lost",
};

void totals_begin(struct totals *t, int64_t now)
{
    *t = (struct totals){.began = now, .saved = now};
}

/* What came since `from`. A counter that went back has begun anew. */
static uint64_t since(uint64_t now, uint64_t from)
{
    return now >= from ? now - from : now;
}

void totals_sum(const struct totals *t, struct totals_set *sum)
{
    for (int i = 0; i < TOTALS_COUNT; i++)
        sum->counts[i] =
            t->past.counts[i] + since(t->now.counts[i], t->base.counts[i]);
    for (int k = 0; k < PARITY_COUNT; k++)
        sum->kinds[k] =
            t->past.kinds[k] + since(t->now.kinds[k], t->base.kinds[k]);
}

void totals_update(struct totals *t, const struct totals_pool *p, int64_t now)
{
    if (t->pool != p->number) {
        struct totals_set sum;
        totals_sum(t, &sum);
        t->past = sum;
        t->base = (struct totals_set){{0}, {0}};
        t->pool = p->number;
        t->pools++;
    }
    t->pid = p->pid;
    t->now = p->counted;
    t->saved = now;
}

void totals_reset(struct totals *t, int64_t now)
{
    t->past = (struct totals_set){{0}, {0}};
    t->base = t->now;
    t->began = t->saved = now;
    t->pools = t->pool != 0;
}

/* --- As text. --- */

static void print_set(const char *set, const struct totals_set *s,
                      struct buf *out)
{
    for (int i = 0; i < TOTALS_COUNT; i++)
        if (s->counts[i] > 0)
            buf_printf(out, "%s.%s %" PRIu64 "\n", set, count_names[i],
                       s->counts[i]);
    for (int k = 0; k < PARITY_COUNT; k++)
        if (s->kinds[k] > 0)
            buf_printf(out, "%s.kind.%s %" PRIu64 "\n", set,
                       parity_kind_name((enum parity_kind)k), s->kinds[k]);
}

void totals_print(const struct totals *t, struct buf *out)
{
    buf_printf(out,
               "%sbegan %" PRId64 "\nsaved %" PRId64 "\npools %" PRIu64
               "\npool %" PRIu64 "\npid %" PRId64 "\n",
               heading, t->began, t->saved, t->pools, t->pool, t->pid);
    print_set("past", &t->past, out);
    print_set("base", &t->base, out);
    print_set("now", &t->now, out);
    buf_printf(out, "check %" PRIu64 "\n",
               hash_bytes(HASH_START, out->data, out->len));
}

/* What a name of a set stands for; NULL: nothing. */
static uint64_t *member(struct totals_set *s, const char *name)
{
    for (int i = 0; i < TOTALS_COUNT; i++)
        if (strcmp(count_names[i], name) == 0)
            return &s->counts[i];
    if (strncmp(name, "kind.", 5) != 0)
        return NULL;
    enum parity_kind k = parity_kind_by_name(name + 5);
    return k == PARITY_COUNT ? NULL : &s->kinds[k];
}

static bool take(struct totals *t, const char *name, uint64_t value)
{
    uint64_t *to = NULL;
    if (strcmp(name, "began") == 0)
        t->began = (int64_t)value;
    else if (strcmp(name, "saved") == 0)
        t->saved = (int64_t)value;
    else if (strcmp(name, "pools") == 0)
        t->pools = value;
    else if (strcmp(name, "pool") == 0)
        t->pool = value;
    else if (strcmp(name, "pid") == 0)
        t->pid = (int64_t)value;
    else if (strncmp(name, "past.", 5) == 0)
        to = member(&t->past, name + 5);
    else if (strncmp(name, "base.", 5) == 0)
        to = member(&t->base, name + 5);
    else if (strncmp(name, "now.", 4) == 0)
        to = member(&t->now, name + 4);
    else
        return false;
    if (to != NULL)
        *to = value;
    return to != NULL || strchr(name, '.') == NULL;
}

/* "name value" of the n bytes before a line feed. */
static bool read_line(const char *line, size_t n, char name[64],
                      uint64_t *value)
{
    const char *blank = memchr(line, ' ', n);
    size_t len = blank == NULL ? 0 : (size_t)(blank - line);
    if (len == 0 || len >= 64 || len + 1 == n || n - len > 21)
        return false;
    memcpy(name, line, len);
    name[len] = '\0';
    *value = 0;
    for (const char *p = blank + 1; p < line + n; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (digit > 9 || *value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

static const char *read_all(struct totals *t, const char *text, size_t n)
{
    size_t at = sizeof heading - 1;
    if (n < at || memcmp(text, heading, at) != 0)
        return "no totals of this version's shadow";
    while (at < n) {
        char name[64];
        uint64_t value;
        const char *end = memchr(text + at, '\n', n - at);
        if (end == NULL)
            break;
        size_t len = (size_t)(end - text) - at;
        if (!read_line(text + at, len, name, &value))
            return "a line of it makes no sense";
        if (strcmp(name, "check") == 0)
            return end + 1 == text + n &&
                           value == hash_bytes(HASH_START, text, at)
                       ? NULL
                       : "it was changed";
        if (!take(t, name, value))
            return "a line of it has a name of another version";
        at += len + 1;
    }
    return "it is cut";
}

bool totals_read(struct totals *t, const char *text, size_t n, char *why,
                 size_t why_size)
{
    *t = (struct totals){0};
    const char *fault = read_all(t, text, n);
    if (fault != NULL)
        snprintf(why, why_size, "%s", fault);
    return fault == NULL;
}
