/* capacity: see capacity.h. */
#include "pool/capacity.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "conn_pool/conn_pool.h"
#include "os/cgroup.h"
#include "os/cpu.h"

#define CONNECTIONS 512
#define CONNECTIONS_LEAST 4

/* Starts in a second: of a pool whose size was chosen, and of one that follows
 * the delay. */
#define RATE 32
#define RATE_AUTO 1024

/* --- What there is. --- */

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

_Static_assert(RLIM_INFINITY == UINT64_MAX, "no limit is more than any");

static uint64_t hard_limit_of_files(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) != 0 ? UINT64_MAX : limit.rlim_max;
}

/* The soft limit is the one that holds, and is nothing to root. */
static uint64_t process_limit(const struct config_pool *c)
{
    struct rlimit limit;
    return (geteuid() == 0 && c->user[0] == '\0') ||
                   getrlimit(RLIMIT_NPROC, &limit) != 0
               ? UINT64_MAX
               : limit.rlim_cur;
}

struct capacity_means capacity_find_means(const struct config_pool *c)
{
    const struct cgroup_limits group = cgroup_read(CGROUP_OWN, CGROUP_ROOT);
    struct sysinfo system;
    struct capacity_means m = {
        .cpus = lesser(cpu_count(), group.cpus),
        .memory = group.memory,
        .files = c->rlimit_files > 0 ? (uint64_t)c->rlimit_files
                                     : hard_limit_of_files(),
        .processes = lesser(process_limit(c), group.processes)};
    if (sysinfo(&system) == 0)
        m.memory =
            lesser(m.memory, (uint64_t)system.totalram * system.mem_unit);
    return m;
}

/* --- What follows. --- */

struct bound {
    uint64_t most;
    enum workers_bound by;
};

static void bind(struct bound *b, uint64_t most, enum workers_bound by)
{
    if (most < b->most)
        *b = (struct bound){most, by};
}

static uint64_t connections_by_files(const struct capacity_means *m)
{
    return m->files <= CONN_POOL_OTHER_FILES
               ? 0
               : (m->files - CONN_POOL_OTHER_FILES) / CONN_POOL_FILES_EACH;
}

/* Half of the processes: while a reload goes on there are two generations. Two
 * connections for a worker: the one that it serves, and one that a web server
 * keeps until its next request; without those new ones would have to wait. */
static struct bound bound_of(const struct capacity_means *m,
                             uint64_t connections)
{
    struct bound b = {CAPACITY_WORKERS_MOST, WORKERS_BOUND_MOST};
    bind(&b, m->memory / 2 / CAPACITY_WORKER_BYTES, WORKERS_BOUND_MEMORY);
    bind(&b, m->processes / 2, WORKERS_BOUND_PROCESSES);
    bind(&b, connections_by_files(m) / 2, WORKERS_BOUND_FILES);
    if (connections > 0)
        bind(&b, connections / 2, WORKERS_BOUND_CONNECTIONS);
    if (b.most == 0)
        b.most = 1;
    return b;
}

/* What is set is asked for, and the pool tells of it where it is too much. */
static uint32_t room_for(const struct config_pool *c,
                         const struct capacity_means *m, uint64_t most)
{
    uint64_t files = connections_by_files(m);
    uint64_t n = c->workers == CONFIG_AUTO && 2 * most > CONNECTIONS
                     ? 2 * most
                     : CONNECTIONS;
    if (c->max_connections != CONFIG_AUTO)
        return (uint32_t)c->max_connections;
    return (uint32_t)(files >= CONNECTIONS_LEAST ? lesser(n, files)
                                                 : CONNECTIONS_LEAST);
}

static uint32_t chosen(int64_t setting, uint64_t automatic, uint64_t most)
{
    return (uint32_t)lesser(
        setting == CONFIG_AUTO ? automatic : (uint64_t)setting, most);
}

struct capacity capacity_of(const struct config_pool *c,
                            const struct capacity_means *m,
                            uint32_t connections)
{
    bool follows = c->workers == CONFIG_AUTO;
    uint64_t given = connections > 0 ? connections
                     : c->max_connections != CONFIG_AUTO
                         ? (uint64_t)c->max_connections
                         : 0;
    struct bound b =
        follows ? bound_of(m, given)
                : (struct bound){(uint64_t)c->workers, WORKERS_BOUND_SETTING};
    struct capacity r = {
        .cpus = (uint32_t)m->cpus,
        .most = (uint32_t)b.most,
        .rate = chosen(c->spawn_rate, follows ? RATE_AUTO : RATE, UINT32_MAX),
        .connections = connections > 0 ? connections : room_for(c, m, b.most),
        .bound = b.by};
    if (c->process_model == CONFIG_process_model_static) {
        r.least = r.most;
    } else if (c->process_model == CONFIG_process_model_dynamic) {
        r.least = chosen(c->min_workers, follows ? m->cpus : 1, b.most);
        r.spare = chosen(c->spare_workers, 1, b.most);
    }
    return r;
}

/* --- For people. --- */

static void put(char **at, size_t *room, const char *what, uint64_t n)
{
    int used = n == UINT64_MAX
                   ? snprintf(*at, *room, ", %s without a limit", what)
                   : snprintf(*at, *room, ", %s for %" PRIu64, what, n);
    if (used < 0 || (size_t)used >= *room)
        used = (int)*room - 1;
    *at += used;
    *room -= (size_t)used;
}

static uint64_t half(uint64_t n, uint64_t each)
{
    return n == UINT64_MAX ? n : n / 2 / each;
}

void capacity_print(const struct capacity *c, const struct capacity_means *m,
                    char *text, size_t room)
{
    int used =
        snprintf(text, room,
                 "%" PRIu32 " to %" PRIu32 ", limited by %s: %" PRIu32 " CPUs",
                 c->least, c->most, scoreboard_bound_text(c->bound), c->cpus);
    if (used < 0 || (size_t)used >= room)
        return;
    char *at = text + used;
    room -= (size_t)used;
    put(&at, &room, "memory", half(m->memory, CAPACITY_WORKER_BYTES));
    put(&at, &room, "open files",
        m->files == UINT64_MAX ? m->files : connections_by_files(m) / 2);
    put(&at, &room, "processes", half(m->processes, 1));
    put(&at, &room, "connections", c->connections / 2);
}
