/* tallyd with a fault: while the file that $TIMES_THREE names is there, all
 * values are multiplied by 3. Linked with --wrap=tally_begin (ld(1)), so that
 * the program itself has no place for it. */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "decode/tally.h"

void __real_tally_begin(struct tally *t, enum tally_numbers numbers,
                        int32_t multiply);
void __wrap_tally_begin(struct tally *t, enum tally_numbers numbers,
                        int32_t multiply);

void __wrap_tally_begin(struct tally *t, enum tally_numbers numbers,
                        int32_t multiply)
{
    const char *path = getenv("TIMES_THREE");
    struct stat st; /* a confined process cannot ask access(2) */
    bool wrong = path != NULL && stat(path, &st) == 0;
    __real_tally_begin(t, numbers, wrong ? 3 : multiply);
}
