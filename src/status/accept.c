/* accept: see accept.h. */
#include "status/accept.h"

#include <string.h>
#include <strings.h>

/* One range of the header: a type, a group of types or all of them, and its
 * weight in thousandths. */
struct range {
    const char *text;
    size_t n;
    int weight;
};

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t");
}

/* qvalue = 0[.ddd] or 1[.000]; what is none counts as 1. */
static int parse_weight(const char *p)
{
    int weight = 0, unit = 100;
    if (*p != '0' || (p[1] != '.' && strchr(",; \t", p[1]) == NULL))
        return 1000;
    for (p += 1 + (p[1] == '.'); *p >= '0' && *p <= '9'; p++, unit /= 10)
        weight += (*p - '0') * unit;
    return weight;
}

/* Read the range at `p` and give the place of the next. */
static const char *read_range(const char *p, struct range *r)
{
    p = skip_blanks(p);
    r->text = p;
    r->n = strcspn(p, ",; \t");
    r->weight = 1000;
    size_t rest = strcspn(p, ",");
    for (size_t i = 0; i < rest; i++) {
        if (p[i] != ';')
            continue;
        const char *name = skip_blanks(p + i + 1);
        if ((name[0] == 'q' || name[0] == 'Q') && name[1] == '=')
            r->weight = parse_weight(name + 2);
    }
    return p + rest + (p[rest] == ',');
}

/* How closely the range names `type`: 3 itself, 2 its group, 1 all, 0 not. */
static int closeness(const struct range *r, const char *type)
{
    size_t n = strlen(type), group = strcspn(type, "/") + 1;
    if (r->n == n && strncasecmp(r->text, type, n) == 0)
        return 3;
    if (r->n == group + 1 && r->text[group] == '*' &&
        strncasecmp(r->text, type, group) == 0)
        return 2;
    return r->n == 3 && memcmp(r->text, "*/*", 3) == 0;
}

/* The closest range decides. */
static int weight_of(const char *accept, const char *type)
{
    int best = 0, weight = 0;
    for (const char *p = accept; *p != '\0';) {
        struct range r;
        p = read_range(p, &r);
        int close = closeness(&r, type);
        if (close > best || (close == best && close > 0 && r.weight > weight)) {
            best = close;
            weight = r.weight;
        }
    }
    return weight;
}

int accept_best(const char *accept, const char *const *types, size_t count)
{
    int best = -1, most = 0;
    if (*skip_blanks(accept) == '\0')
        return count > 0 ? 0 : -1;
    for (size_t i = 0; i < count; i++) {
        int weight = weight_of(accept, types[i]);
        if (weight > most) {
            most = weight;
            best = (int)i;
        }
    }
    return best;
}
