/* simd_sse2: its operations are those of simd_portable. */
#if defined __x86_64__
#include "simd_twin.h"

#include "decode/simd_sse2.h"

#include "simd_twin_tests.h"

int main(void)
{
    const TTest *const tests[] = {SIMD_TWIN_TESTS};
    return UNIT_MAIN("simd_sse2", tests);
}
#else
#include "simd_none.h"
#endif
