/* capture: see capture.h. */
#include "capture/capture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/capture_peer.h"
#include "downstream/call.h"
#include "listen/listener.h"
#include "os/journal.h"
#include "os/notify.h"
#include "os/process.h"
#include "os/signals.h"

enum { CAPTURED, NOT_CAPTURED = 3 };

#define SHORTAGE_PAUSE (100 * CLOCK_MS) /* of descriptors or processes */
#define WARN_BEAT (10 * CLOCK_SECOND)

struct capture {
    struct capture_options options;
    struct capture_counts *counts; /* shared */
    struct listener listener;
    pid_t *peers; /* options.connections of them; 0: none */
    size_t peer_count;
    int64_t pause; /* until then nothing is accepted */
    uint64_t warned_of;
    int64_t warned;
    char why[400];
};

/* --- The command line. --- */

static const struct option_row rows[] = {
#define OPTIONS_STRUCT capture_options
#define OPTIONS_FILE "capture/capture_options.def"
#include "ctl/options_rows.h"
};

static const struct options_table table = {
    .program = "tallyctl",
    .command = "capture",
    .usage = "--listen ADDRESS --out FILE [--forward URL] [OPTION...]",
    .about = "Store what is posted, pass it on. See tallyctl-capture(1).\n",
    OPTIONS_ROWS(rows),
};

static int parse(struct capture_options *o, int argc, char *const *argv)
{
    int status = options_parse(&table, o, argc, argv);
    if (status == OPTIONS_GO && (o->listen[0] == '\0' || o->out[0] == '\0'))
        return options_complain(&table, "--listen and --out are needed", "");
    if (status == OPTIONS_GO &&
        (o->forward_cert[0] == '\0') != (o->forward_key[0] == '\0'))
        return options_complain(&table, "--forward-cert and --forward-key",
                                "give both or none");
    return status;
}

/* --- Setting up. --- */

/* What every peer would fail at is found out before there is one. */
static bool check(struct capture *c)
{
    const struct capture_options *o = &c->options;
    struct journal journal;
    const struct call_settings s = capture_peer_call(o);
    if (!journal_open(&journal, o->out, o->max_out)) {
        snprintf(c->why, sizeof c->why, "--out %s: %s", o->out,
                 strerror(errno));
        return false;
    }
    journal_close(&journal);
    if (o->forward[0] == '\0')
        return true;
    struct call *call = call_new(&s, c->why, sizeof c->why);
    bool ok = call != NULL;
    call_free(&call);
    return ok;
}

static bool set_up(struct capture *c)
{
    const struct listener_config l = {.key = "--listen",
                                      .own = true,
                                      .listen = c->options.listen,
                                      .backlog = 511,
                                      .mode = 0666,
                                      .owner = "",
                                      .group = ""};
    c->counts = mmap(NULL, sizeof *c->counts, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    c->peers = calloc((size_t)c->options.connections, sizeof *c->peers);
    snprintf(c->why, sizeof c->why, "memory is short");
    return c->counts != MAP_FAILED && c->peers != NULL && check(c) &&
           listener_open(&c->listener, &l, c->why, sizeof c->why);
}

/* --- Peers. --- */

static void reap(struct capture *c)
{
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (int64_t i = 0; i < c->options.connections; i++)
            if (c->peers[i] == pid) {
                c->peers[i] = 0;
                c->peer_count--;
            }
}

static void tell(const struct capture *c, int signal)
{
    for (int64_t i = 0; i < c->options.connections; i++)
        if (c->peers[i] > 0)
            kill(c->peers[i], signal);
}

static void keep(struct capture *c, pid_t pid)
{
    int64_t i = 0;
    while (c->peers[i] != 0)
        i++;
    c->peers[i] = pid;
    c->peer_count++;
}

static void accept_one(struct capture *c)
{
    int fd = accept4(c->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (!listener_is_empty(errno))
            c->pause = clock_now() + SHORTAGE_PAUSE;
        return;
    }
    pid_t pid = process_fork("peer");
    if (pid == 0) {
        close(c->listener.fd);
        _exit(capture_peer_run(fd, &c->options, c->counts));
    }
    close(fd);
    if (pid > 0)
        keep(c, pid);
    else
        c->pause = clock_now() + SHORTAGE_PAUSE;
}

/* --- Running. --- */

static void warn(struct capture *c, int64_t now)
{
    uint64_t n = atomic_load(&c->counts->unwritten);
    if (n == c->warned_of || (c->warned != 0 && now < c->warned + WARN_BEAT))
        return;
    c->warned_of = n;
    c->warned = now;
    fprintf(stderr,
            "tallyctl: capture: %llu posts are not in %s: the disk is full, or "
            "it has reached --max-out\n",
            (unsigned long long)n, c->options.out);
}

static bool told_to_end(void)
{
    bool told = signals_take(SIGTERM);
    told = signals_take(SIGINT) || told;
    told = signals_take(SIGHUP) || told;
    return signals_take(SIGQUIT) || told;
}

/* False: it was told to end. */
static bool turn(struct capture *c, bool accepts)
{
    int64_t now = clock_now();
    bool room = (int64_t)c->peer_count < c->options.connections;
    struct pollfd p = {accepts && room && now >= c->pause ? c->listener.fd : -1,
                       POLLIN, 0};
    const struct timespec second = {.tv_sec = 1},
                          pause = {.tv_nsec = SHORTAGE_PAUSE};
    ppoll(&p, 1, now < c->pause ? &pause : &second, signals_waiting());
    signals_hear();
    reap(c);
    if (p.revents != 0)
        accept_one(c);
    if (signals_take(SIGUSR1))
        tell(c, SIGUSR1);
    warn(c, clock_now());
    return !told_to_end();
}

/* Posts that are being passed on are; a second signal does not wait. */
static void drain(struct capture *c)
{
    listener_retire(&c->listener);
    tell(c, SIGTERM);
    while (c->peer_count > 0)
        if (!turn(c, false))
            tell(c, SIGKILL);
}

static int conclude(const struct capture *c)
{
    const struct capture_counts *n = c->counts;
    if (!c->options.quiet)
        fprintf(stderr,
                "tallyctl: capture: %llu posts, %llu without an answer of the "
                "downstream, %llu not written\n",
                (unsigned long long)atomic_load(&n->posts),
                (unsigned long long)atomic_load(&n->failed),
                (unsigned long long)atomic_load(&n->unwritten));
    return atomic_load(&n->unwritten) == 0 ? CAPTURED : NOT_CAPTURED;
}

static int run(struct capture *c)
{
    if (!set_up(c)) {
        fprintf(stderr, "tallyctl: capture: %s\n", c->why);
        return NOT_CAPTURED;
    }
    if (!c->options.quiet)
        fprintf(stderr, "tallyctl: capture: listening on %s\n",
                c->options.listen);
    notify_send("READY=1");
    while (turn(c, true))
        continue;
    notify_send("STOPPING=1");
    drain(c);
    return conclude(c);
}

int capture_main(int argc, char **argv)
{
    struct capture c = {.listener.fd = -1};
    int status = parse(&c.options, argc, argv);
    if (status == OPTIONS_GO) {
        signals_init();
        status = run(&c);
    }
    free(c.peers);
    options_clear(&table, &c.options);
    return status;
}
