/* parity_kind: see parity_kind.h. */
#include "base/parity_kind.h"

#include <string.h>

static const struct {
    const char *name;
    enum parity_kind_class class;
    const char *text;
} kinds[PARITY_COUNT] = {
#define PARITY(name, class, text) {#name, PARITY_##class, text},
#include "base/parity_kind.def"
#undef PARITY
};

const char *parity_kind_name(enum parity_kind k)
{
    return kinds[k].name;
}

const char *parity_kind_text(enum parity_kind k)
{
    return kinds[k].text;
}

enum parity_kind_class parity_kind_class(enum parity_kind k)
{
    return kinds[k].class;
}

const char *parity_kind_class_name(enum parity_kind_class c)
{
    static const char *const names[] = {[PARITY_EQUAL] = "equal",
                                        [PARITY_MISMATCH] = "mismatch",
                                        [PARITY_CONTRACT] = "contract",
                                        [PARITY_UNJUDGED] = "unjudged"};
    return names[c];
}

enum parity_kind parity_kind_by_name(const char *name)
{
    int k = 0;
    while (k < PARITY_COUNT && strcmp(kinds[k].name, name) != 0)
        k++;
    return (enum parity_kind)k;
}
