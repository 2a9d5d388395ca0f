/* simd_avx2: its operations are those of simd_portable. */
#if defined __x86_64__
#include <immintrin.h>
#include <stdio.h>

#if defined __clang__
#pragma clang attribute push(                                                  \
    __attribute__((target("avx2,bmi,bmi2,pclmul,popcnt,lzcnt"))),              \
    apply_to = function)
#else
#pragma GCC target("avx2,bmi,bmi2,pclmul,popcnt,lzcnt")
#endif

#include "simd_twin.h"

#include "decode/simd_avx2.h"

#include "simd_twin_tests.h"

#if defined __clang__
#pragma clang attribute pop
#endif

int main(void)
{
    const TTest *const tests[] = {SIMD_TWIN_TESTS};
    if (!__builtin_cpu_supports("avx2")) {
        puts("1..0 # SKIP this CPU has no avx2");
        return EXIT_SUCCESS;
    }
    return UNIT_MAIN("simd_avx2", tests);
}
#else
#include "simd_none.h"
#endif
