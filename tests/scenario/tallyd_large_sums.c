/* tallyd with a fault: of a sum of 2^31 or more it sees the lower 32 bits, as a
 * rewrite with an int would. Linked with --wrap=tally_print (ld(1)), so that
 * the program itself has no place for it. Its self-test passes. */
#include "decode/tally.h"

size_t __real_tally_print(const struct tally *t, char *text);
size_t __wrap_tally_print(const struct tally *t, char *text);

size_t __wrap_tally_print(const struct tally *t, char *text)
{
    struct tally wrong = *t;
    if (wrong.exact > INT32_MAX)
        wrong.exact = (int32_t)wrong.exact;
    return __real_tally_print(&wrong, text);
}
