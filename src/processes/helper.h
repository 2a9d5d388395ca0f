/* helper: what the processes that are no workers do about signals: see
 * helpers.h. */
#ifndef TALLYD_PROCESSES_HELPER_H
#define TALLYD_PROCESSES_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "adapters/scoreboard.h"

/* After signals_hear(): is this one to end? SIGTERM, SIGQUIT and SIGINT ask for
 * it once scoreboard_stage() says POOL_ENDED or the supervisor is gone, and not
 * before: whoever stops all processes of a pool at once can still watch it
 * drain. SIGHUP does when another generation than `generation` serves. */
bool helper_is_done(const struct scoreboard *board, pid_t supervisor,
                    uint32_t generation);

#endif
