/* window_avx512: decode/window with 64 bytes at a time. */
#if defined __x86_64__
#if defined __clang__
#include <immintrin.h>
#pragma clang attribute push(                                                             \
    __attribute__((target(                                                                \
        "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi2,bmi,bmi2,pclmul,popcnt,lzcnt"))), \
    apply_to = function)
#else
#pragma GCC target(                                                            \
    "avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi2,bmi,bmi2,pclmul,popcnt,lzcnt")
#include <immintrin.h>
#endif

#include "decode/simd_avx512.h"

#define WINDOW_PATH window_avx512
#define WINDOW_NAME "avx512"
#include "decode/window_impl.h"

#if defined __clang__
#pragma clang attribute pop
#endif
#endif
