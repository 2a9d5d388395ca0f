/* helper: see helper.h. */
#include "processes/helper.h"

#include <unistd.h>

#include "adapters/signals.h"

bool helper_is_done(const struct scoreboard *board, pid_t supervisor,
                    uint32_t generation)
{
    if (signals_take(SIGHUP) &&
        atomic_load_explicit(&board->generation, memory_order_relaxed) !=
            generation)
        return true; /* another one knows the settings that serve now */
    bool term = signals_take(SIGTERM), quit = signals_take(SIGQUIT);
    if (!signals_take(SIGINT) && !term && !quit)
        return false;
    uint32_t stage = atomic_load_explicit(&board->stage, memory_order_relaxed);
    return stage == POOL_ENDED || getppid() != supervisor;
}
