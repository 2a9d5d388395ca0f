/* tallyd as a version would be that lays out the shared memory otherwise, or
 * hands a pool over otherwise: the tests of upgrades become it, and it becomes
 * the usual one. */
#include <stdint.h>

uint32_t __wrap_scoreboard_layout(void);
uint32_t __wrap_scoreboard_layout(void)
{
    return 1;
}
