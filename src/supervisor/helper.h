/* helper: what the processes that are no workers do about signals: see
 * helpers.h. */
#ifndef TALLYD_SUPERVISOR_HELPER_H
#define TALLYD_SUPERVISOR_HELPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "scoreboard/scoreboard.h"

/* After signals_hear(): is it over with the pool? SIGTERM, SIGQUIT and SIGINT
 * say so once scoreboard_stage() is POOL_ENDED or the supervisor is gone, and
 * not before: whoever stops all processes of a pool at once can still watch it
 * drain. */
bool helper_is_over(const struct scoreboard *board, pid_t supervisor);

/* The same: does another one come, which knows the settings that serve now?
 * SIGHUP says so when the generation is not `generation` any more, SIGUSR2
 * always. */
bool helper_is_replaced(const struct scoreboard *board, uint32_t generation);

#endif
