/* skim: see skim.h. */
#include "domain/skim.h"

#include <stdio.h>
#include <string.h>

void skim_begin(struct skim *s, const char *field, uint32_t max_depth)
{
    memset(s, 0, sizeof *s);
    s->max_depth = max_depth;
    s->newest = SKIM_NEXT;
    s->links[SKIM_FIRST].after = s->links[SKIM_NEXT].after = SKIM_OUTSIDE;
    int n = snprintf(s->field, sizeof s->field, "\"%s\"", field);
    /* A key that would be written with an escape is never found as it is. */
    if (n < (int)sizeof s->field && strpbrk(field, "\"\\") == NULL)
        s->field_len = (size_t)n;
}

size_t skim_paths(struct skim_path paths[SKIM_PATHS_MAX])
{
    const struct skim_path all[] = {
#if defined __x86_64__
        {"avx2",
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")
             ? skim_avx2
             : NULL},
        {"sse2", skim_sse2},
#elif defined __aarch64__
        {"neon", skim_neon},
#endif
        {"portable", skim_portable},
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].run != NULL)
            paths[n++] = all[i];
    return n;
}
