/* replay_crew: see replay_crew.h. */
#include "replay/replay_crew.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/child.h"
#include "replay/frame.h"

/* What a child must not hold open: the ends of its siblings, or they would
 * never meet the end of their sockets. */
static void close_ends(struct crew_of_replay *crew)
{
    if (crew->reader > 0)
        close(crew->reader_fd);
    for (size_t i = 0; i < crew->count; i++)
        close(crew->callers[i].fd);
}

/* Fork a child with a socket. In the child: 0, and *fd is its end; else as
 * fork(2), and *fd is ours; -1: there is neither. */
static pid_t start(struct crew_of_replay *crew, const char *name, int *fd)
{
    int ends[2];
    *fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    pid_t pid = child_fork(name);
    if (pid == 0)
        close_ends(crew);
    close(ends[pid != 0]);
    if (pid < 0)
        close(ends[0]);
    else
        *fd = ends[pid == 0];
    return pid;
}

bool replay_crew_read(struct crew_of_replay *crew, struct corpus *corpus,
                      uint64_t skip)
{
    int fd;
    pid_t pid = start(crew, "reader", &fd);
    if (pid == 0)
        _exit(replay_reader_run(fd, corpus, skip));
    crew->reader = pid;
    crew->reader_fd = fd;
    return pid > 0;
}

bool replay_crew_call(struct crew_of_replay *crew, int who,
                      const struct call_settings *settings)
{
    struct caller c = {.who = who};
    c.pid = start(crew, "caller", &c.fd);
    if (c.pid == 0)
        _exit(replay_caller_run(c.fd, settings));
    if (c.pid > 0)
        crew->callers[crew->count++] = c;
    return c.pid > 0;
}

static bool give(struct caller *c, struct window *w, struct slot *s)
{
    struct replay_order order = {.body_len = s->item.body_len};
    window_id(w, s, c->who, order.id);
    c->busy = s;
    s->legs[c->who].state = LEG_OUT;
    return frame_write(c->fd, &order, sizeof order, s->body, s->item.body_len);
}

bool replay_crew_order(struct crew_of_replay *crew, struct window *w)
{
    bool none[LEGS] = {false};
    for (size_t i = 0; i < crew->count; i++) {
        struct caller *c = &crew->callers[i];
        if (c->busy != NULL || none[c->who])
            continue;
        struct slot *s = window_ask(w, c->who);
        none[c->who] = s == NULL;
        if (s != NULL && !give(c, w, s))
            return false;
    }
    return true;
}

bool replay_crew_hear(struct caller *c, struct window *w)
{
    struct replay_result result;
    if (!frame_read(c->fd, &result, sizeof result))
        return false;
    char *reply = frame_read_new(c->fd, result.reply_len);
    if (reply == NULL)
        return false;
    window_answered(w, c->busy, c->who, &result, reply, clock_now());
    c->busy = NULL;
    return true;
}

/* A reader that waits for its input hears nothing; and who is busy with a call
 * has its timeout to go. */
void replay_crew_end(struct crew_of_replay *crew, bool now)
{
    close_ends(crew);
    if (crew->reader > 0)
        kill(crew->reader, SIGKILL);
    for (size_t i = 0; now && i < crew->count; i++)
        kill(crew->callers[i].pid, SIGKILL);
    if (crew->reader > 0)
        waitpid(crew->reader, NULL, 0);
    for (size_t i = 0; i < crew->count; i++)
        waitpid(crew->callers[i].pid, NULL, 0);
    crew->count = 0;
    crew->reader = 0;
}
