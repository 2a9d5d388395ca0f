/* replay_processes: see replay_processes.h. */
#include "replay/replay_processes.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/process.h"
#include "replay/frame.h"

/* What a child must not hold open: the ends of its siblings, or they would
 * never meet the end of their sockets. */
static void close_ends(struct replay_processes *all)
{
    if (all->reader > 0)
        close(all->reader_fd);
    for (size_t i = 0; i < all->count; i++)
        close(all->callers[i].fd);
}

/* Fork a child with a socket. In the child: 0, and *fd is its end; else as
 * fork(2), and *fd is ours; -1: there is neither. */
static pid_t start(struct replay_processes *all, const char *name, int *fd)
{
    int ends[2];
    *fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    pid_t pid = process_fork(name);
    if (pid == 0)
        close_ends(all);
    close(ends[pid != 0]);
    if (pid < 0)
        close(ends[0]);
    else
        *fd = ends[pid == 0];
    return pid;
}

bool replay_processes_read(struct replay_processes *all, struct corpus *corpus,
                           uint64_t skip)
{
    int fd;
    pid_t pid = start(all, "reader", &fd);
    if (pid == 0)
        _exit(replay_child_read(fd, corpus, skip));
    all->reader = pid;
    all->reader_fd = fd;
    return pid > 0;
}

bool replay_processes_call(struct replay_processes *all, int who,
                           const struct call_settings *settings)
{
    struct caller c = {.who = who};
    c.pid = start(all, "caller", &c.fd);
    if (c.pid == 0)
        _exit(replay_child_call(c.fd, settings));
    if (c.pid > 0)
        all->callers[all->count++] = c;
    return c.pid > 0;
}

static bool give(struct caller *c, struct window *w, struct slot *s)
{
    struct replay_order order = {.body_len = s->item.body_len};
    replay_window_id(w, s, c->who, order.id);
    c->busy = s;
    s->legs[c->who].state = LEG_OUT;
    return frame_write(c->fd, &order, sizeof order, s->item.body,
                       s->item.body_len);
}

bool replay_processes_order(struct replay_processes *all, struct window *w)
{
    bool none[LEGS] = {false};
    for (size_t i = 0; i < all->count; i++) {
        struct caller *c = &all->callers[i];
        if (c->busy != NULL || none[c->who])
            continue;
        struct slot *s = replay_window_ask(w, c->who);
        none[c->who] = s == NULL;
        if (s != NULL && !give(c, w, s))
            return false;
    }
    return true;
}

bool replay_processes_hear(struct caller *c)
{
    struct replay_result result;
    if (!frame_read(c->fd, &result, sizeof result))
        return false;
    char *reply = frame_read_new(c->fd, result.reply_len);
    if (reply == NULL)
        return false;
    replay_window_answered(c->busy, c->who, &result, reply, clock_now());
    c->busy = NULL;
    return true;
}

/* A reader that waits for its input hears nothing; and who is busy with a call
 * has its timeout to go. */
void replay_processes_end(struct replay_processes *all, bool now)
{
    close_ends(all);
    if (all->reader > 0)
        kill(all->reader, SIGKILL);
    for (size_t i = 0; now && i < all->count; i++)
        kill(all->callers[i].pid, SIGKILL);
    if (all->reader > 0)
        waitpid(all->reader, NULL, 0);
    for (size_t i = 0; i < all->count; i++)
        waitpid(all->callers[i].pid, NULL, 0);
    all->count = 0;
    all->reader = 0;
}
