/* window: see window.h. */
#include "decode/window.h"

#include "decode/simd.h"

#define BYTES_4(c)                                                             \
    UINT32_C(0x01010101) * (c), UINT32_C(0x01010101) * ((c) + 1),              \
        UINT32_C(0x01010101) * ((c) + 2), UINT32_C(0x01010101) * ((c) + 3)
#define BYTES_16(c)                                                            \
    BYTES_4(c), BYTES_4((c) + 4), BYTES_4((c) + 8), BYTES_4((c) + 12)
#define BYTES_64(c)                                                            \
    BYTES_16(c), BYTES_16((c) + 16), BYTES_16((c) + 32), BYTES_16((c) + 48)

const uint32_t simd_bytes[256] = {BYTES_64(0), BYTES_64(64), BYTES_64(128),
                                  BYTES_64(192)};

size_t window_paths(const struct window_path *paths[WINDOW_PATHS_MAX])
{
    size_t n = 0;
#if defined __x86_64__
    bool bits = __builtin_cpu_supports("bmi2") &&
                __builtin_cpu_supports("pclmul") &&
                __builtin_cpu_supports("popcnt");
    if (bits && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vbmi2"))
        paths[n++] = &window_avx512;
    if (bits && __builtin_cpu_supports("avx2"))
        paths[n++] = &window_avx2;
    paths[n++] = &window_sse2;
#elif defined __aarch64__
    paths[n++] = &window_neon;
#endif
    paths[n++] = &window_portable;
    return n;
}

void window_begin(struct window *w, uint32_t max_depth)
{
    w->place = (struct window_place){.line = 1};
    w->max_depth = max_depth;
}

bool window_is_object(const struct window_place *p, uint32_t level)
{
    return (p->levels[level / 64] >> (level % 64) & 1) != 0;
}

void window_push(struct window_place *p, bool object)
{
    p->depth++;
    p->levels[p->depth / 64] |= (uint64_t)object << (p->depth % 64);
}
