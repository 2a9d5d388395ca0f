/* self_watchdog: see self_watchdog.h.
 *
 * The timer is set once for many requests: when it rings and the one in hand is
 * not overdue it is set again for that one, and without one it stays silent
 * until the next begins. The signal is for the thread that serves, so what the
 * handler interrupts cannot change under it. */
#include "worker/self_watchdog.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/signals.h"

/* The wait that ends by itself when the request is due has so long to do it:
 * what a supervisor gives a worker in all. */
#define GRACE (2 * CLOCK_SECOND)

/* For the last words. */
#define SECONDS_TO_SPEAK 1

static struct {
    struct scoreboard *board; /* NULL: nobody watches */
    struct scoreboard_slot *slot;
    int64_t write_timeout;
    timer_t timer;
    _Atomic int64_t due; /* 0: there is no request */
    _Atomic int armed;
} self;

static void arm(int64_t ns)
{
    /* 0 would be never. */
    const struct itimerspec at = {
        .it_value = {.tv_sec = (time_t)((ns + 1) / CLOCK_SECOND),
                     .tv_nsec = (long)((ns + 1) % CLOCK_SECOND)}};
    timer_settime(self.timer, 0, &at, NULL);
}

/* A reply that is cut short on the way is written in two steps. */
static int64_t limit_now(void)
{
    int64_t due = atomic_load(&self.due);
    bool writing = atomic_load(&self.slot->state) == WORKER_WRITING;
    return due == 0 ? 0 : due + GRACE + (writing ? 2 * self.write_timeout : 0);
}

/* What is logged may need a lock that the stuck code holds; then the second
 * signal, which nobody handles, ends the process all the same. */
static void end(const void *context)
{
    sigset_t it;
    struct line line;
    signal(SIGALRM, SIG_DFL);
    sigemptyset(&it);
    sigaddset(&it, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &it, NULL);
    alarm(SECONDS_TO_SPEAK);
    scoreboard_count(&self.board->overdue_kills);
    backtrace_note(&self.slot->stack, 1, context);
    log_begin(&line, LOG_ERROR, "stuck in a request: this process ends");
    scoreboard_tell_request(self.slot, &line);
    backtrace_tell(&self.slot->stack, 1, &line);
    log_end(&line);
    _exit(SELF_WATCHDOG_STUCK);
}

static void ring(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info;
    int saved = errno;
    int64_t limit = limit_now(), now = clock_now();
    if (limit == 0)
        atomic_store(&self.armed, 0);
    else if (now < limit)
        arm(limit - now);
    else
        end(context);
    errno = saved;
}

void self_watchdog_watch(struct scoreboard *board, struct scoreboard_slot *slot,
                         const struct config_pool *pool)
{
    if (pool->request_timeout == 0)
        return;
    /* Not to a thread that resolves a name. */
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_signo = SIGALRM};
    event._sigev_un._tid = gettid();
    if (timer_create(CLOCK_MONOTONIC, &event, &self.timer) != 0) {
        log_warn("a request that hangs will not be ended: %s", strerror(errno));
        return;
    }
    backtrace_prepare();
    self.slot = slot;
    self.write_timeout = pool->write_timeout;
    self.board = board;
    signals_catch(SIGALRM, ring);
}

void self_watchdog_begin(int64_t due)
{
    if (self.board == NULL || due == CLOCK_NEVER)
        return;
    atomic_store(&self.due, due);
    if (atomic_exchange(&self.armed, 1) == 0) {
        int64_t limit = due + GRACE, now = clock_now();
        arm(limit > now ? limit - now : 0);
    }
}

void self_watchdog_end(void)
{
    atomic_store(&self.due, 0);
}
