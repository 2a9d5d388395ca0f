/* window_avx2: decode/window with 32 bytes at a time. */
#if defined __x86_64__
#if defined __clang__
#include <immintrin.h>
#pragma clang attribute push(                                                  \
    __attribute__((target("avx2,bmi,bmi2,pclmul,popcnt,lzcnt"))),              \
    apply_to = function)
#else
#pragma GCC target("avx2,bmi,bmi2,pclmul,popcnt,lzcnt")
#include <immintrin.h>
#endif

#include "decode/simd_avx2.h"

#define WINDOW_PATH window_avx2
#define WINDOW_NAME "avx2"
#include "decode/window_impl.h"

#if defined __clang__
#pragma clang attribute pop
#endif
#endif
