/* simd_none: the tests of an instruction set that no CPU of this kind has. */
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    puts("1..0 # SKIP not an x86-64");
    return EXIT_SUCCESS;
}
