/* skim: see skim.h. */
#include "decode/skim.h"

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
