/* helper: see helper.h. */
#include "supervisor/helper.h"

#include <unistd.h>

#include "os/signals.h"

bool helper_is_replaced(const struct scoreboard *board, uint32_t generation)
{
    bool hup = signals_take(SIGHUP);
    return signals_take(SIGUSR2) ||
           (hup && atomic_load_explicit(&board->generation,
                                        memory_order_relaxed) != generation);
}

bool helper_is_over(const struct scoreboard *board, pid_t supervisor)
{
    bool term = signals_take(SIGTERM), quit = signals_take(SIGQUIT);
    if (!signals_take(SIGINT) && !term && !quit)
        return false;
    uint32_t stage = atomic_load_explicit(&board->stage, memory_order_relaxed);
    return stage == POOL_ENDED || getppid() != supervisor;
}
