/* scoreboard: what every worker does and has counted, in shared memory.
 *
 * It has two parts. The head is written by the supervisor alone: who the pool
 * is, where it is in its life, which processes there are. All other processes
 * can only read it (scoreboard_confine()), so what tallyctl acts on does not
 * come from a process that reads hostile bytes. board_file.h has a copy of the
 * head for tallyctl.
 *
 * The rest is written by all. Each worker has a slot, which it alone writes;
 * but the supervisor writes its state while it has no worker. Every process
 * writes the circuits (circuit.h), the accept queue (accept_queue.h),
 * `log_dropped`. Counters only grow and outlive the worker, so a
 * reader copies them at any moment without a lock. All fields are read and
 * written with relaxed atomics, but for those of scoreboard_begin(),
 * scoreboard_state() and busy_watch.h.
 *
 * Nobody can cut either part while it is mapped. The head is a sealed file
 * without a name (memfd_create(2)), which a program that takes the pool over
 * inherits. The rest has to be found by readers of another user as well, who
 * cannot open such a file: it is a segment of shmget(2), whose size is fixed,
 * and which is gone with the last process that has attached it. */
#ifndef TALLYD_SCOREBOARD_SCOREBOARD_H
#define TALLYD_SCOREBOARD_SCOREBOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "downstream/circuit.h"
#include <sys/types.h>

#include "base/histogram.h"
#include "base/line.h"
#include "base/outcome.h"
#include "base/parity_kind.h"
#include "base/recent.h"
#include "base/trace.h"
#include "listen/accept_queue.h"
#include "os/backtrace.h"

enum counter {
#define COUNTER(name, help) COUNTER_##name,
#include "scoreboard/counter.def"
#undef COUNTER
    COUNTER_COUNT
};

const char *scoreboard_counter_name(enum counter c);

enum timing {
#define TIMING(name) TIMING_##name,
#include "scoreboard/timing.def"
#undef TIMING
    TIMING_COUNT
};

const char *scoreboard_timing_name(enum timing t);

enum shadow_count {
#define SHADOW_COUNT(name, help) SHADOW_COUNT_##name,
#include "scoreboard/shadow.def"
#undef SHADOW_COUNT
    SHADOW_COUNT_COUNT
};

const char *scoreboard_shadow_count_name(enum shadow_count c);

enum worker_state {
    WORKER_ABSENT,  /* no process */
    WORKER_IDLE,    /* waiting for a connection */
    WORKER_BUSY,    /* a request is in hand */
    WORKER_READING, /* the body is read and decoded */
    WORKER_POSTING, /* waiting for the downstream */
    WORKER_WRITING, /* handing the reply to the web server */
    WORKER_STATE_COUNT
};

const char *scoreboard_worker_state_name(enum worker_state s);

/* Has it a request in hand? */
static inline bool scoreboard_is_busy(enum worker_state s)
{
    return s != WORKER_ABSENT && s != WORKER_IDLE;
}

/* How far a worker has come that does not serve yet. */
enum worker_step {
    STEP_FORKED,
    STEP_SETTLING, /* on its processors: scheduler, cpu_affinity */
    STEP_OPENING,  /* makes what it serves with */
    STEP_TESTING,  /* the self-test */
    STEP_DONE,
    WORKER_STEP_COUNT
};

const char *scoreboard_worker_step_name(enum worker_step s);

/* What the largest number of workers comes from. */
enum workers_bound {
    WORKERS_BOUND_SETTING, /* a number that was set */
    WORKERS_BOUND_MOST,    /* no pool has more */
    WORKERS_BOUND_MEMORY,
    WORKERS_BOUND_FILES, /* that a process may open */
    WORKERS_BOUND_PROCESSES,
    WORKERS_BOUND_CONNECTIONS, /* max_connections */
    WORKERS_BOUND_COUNT
};

/* In one word, and in some. */
const char *scoreboard_bound_name(enum workers_bound b);
const char *scoreboard_bound_text(enum workers_bound b);

/* Where the pool is in its life. */
enum pool_stage {
    POOL_SERVING,
    POOL_LEAVING, /* told to stop: stop_delay, in which it serves all the same
                   */
    POOL_DRAINING,
    POOL_REFUSING, /* what still waits is told so */
    POOL_ENDED
};

typedef _Atomic uint64_t scoreboard_u64;
typedef _Atomic int64_t scoreboard_i64;

/* What a request asks for: each a string, cut where it is too long. */
struct scoreboard_request {
    char method[16], path[128], id[TRACE_ID_MAX + 1];
};

struct scoreboard_slot {
    _Alignas(64) _Atomic uint32_t state; /* enum worker_state */
    uint32_t number;                     /* its slot; never changes */
    scoreboard_i64 since;     /* monotonic ns of its last request's start */
    scoreboard_i64 tested;    /* and of its last self-test's end; 0: none */
    _Atomic uint32_t unsound; /* 1: that one failed */
    _Atomic uint32_t step;    /* enum worker_step */
    scoreboard_u64 begun;     /* requests begun, over all workers of the slot */
    scoreboard_u64 turns;     /* see scoreboard_rests() */
    scoreboard_i64 limit; /* ns that one may take, and beyond that a write of */
    scoreboard_i64 write_limit;        /* its reply; 0: as long as it likes */
    struct scoreboard_request request; /* the last one begun */
    struct backtrace stack; /* where a worker that does not come back is */
    scoreboard_u64 outcomes[OUTCOME_COUNT];
    scoreboard_u64 counters[COUNTER_COUNT];
    struct histogram timings[TIMING_COUNT];
    struct recent recent_outcomes[OUTCOME_COUNT];
    struct recent recent_total[HISTOGRAM_BUCKETS]; /* of TIMING_total */
};

/* Processes of the shadow at most. */
#define SCOREBOARD_SHADOWS_MAX 16

/* Of one of them, which alone writes it. */
struct scoreboard_shadow {
    _Alignas(64) scoreboard_u64 counts[SHADOW_COUNT_COUNT];
    scoreboard_u64 kinds[PARITY_COUNT]; /* of what was compared */
};

#define SCOREBOARD_SLOTS_MAX 2048

/* The worker of a slot, as the supervisor knows it. */
struct scoreboard_member {
    _Atomic int32_t pid;
    _Atomic uint32_t generation; /* it belongs to; 0: the slot is free */
    scoreboard_i64 started;      /* monotonic ns of the worker's start */
};

/* Bytes of the head: a multiple of every size of a page. */
#define SCOREBOARD_HEAD 65536

/* What the head begins with, in every version that has a head. */
struct scoreboard_stub {
    char magic[8];
    uint32_t layout; /* changes with these structures and their lists */
    _Atomic uint32_t slot_count;
    _Atomic int32_t pid; /* of the supervisor; 0: stopped */
    int32_t memory;      /* the rest: of shmget(2) */
    int32_t file;        /* the supervisor's descriptor of the copy; -1 */
    uint32_t slots_most; /* slot_count may grow to that */
    uint64_t born;       /* its process started then: process_started() */
    char program[256];   /* the file that it executes, */
    char version[32];    /* and what that says of itself */
    char settings[256];  /* the file they come from; "": none */
};

struct scoreboard {
    union {
        struct scoreboard_stub stub;
        struct { /* the head; its first members are those of the stub */
            char magic[8];
            uint32_t layout;
            _Atomic uint32_t slot_count;
            _Atomic int32_t pid;
            int32_t memory;
            int32_t file;
            uint32_t slots_most;
            uint64_t born;
            char program[256], version[32], settings[256];
            scoreboard_i64 started;      /* monotonic ns */
            scoreboard_i64 started_wall; /* ns since 1970 */
            int32_t listener_family;     /* see backlog.h; 0: not known */
            uint64_t listener_inode;
            scoreboard_u64 forks, fork_errors;
            scoreboard_u64 exits_normal, exits_status, exits_signal;
            scoreboard_u64 monitor_starts, shadow_starts;
            _Atomic uint32_t workers; /* wanted; there are slots for more */
            _Atomic uint32_t workers_least, workers_most; /* by the settings */
            _Atomic uint32_t
                workers_bound; /* enum workers_bound, of the most */
            _Atomic uint32_t connections_most;
            scoreboard_i64 retry_at; /* a start has failed: the next is then */
            scoreboard_u64 retired_idle;  /* workers not needed any more */
            scoreboard_u64 workers_short; /* times that more than workers_most
                                             were needed */
            /* What saturation.h has found: how often all workers that there
             * may be were busy; since when they are and requests wait, 0: not;
             * how many wait, and how many of these on kept connections; since
             * when the one waits that waits longest, 0: not known; the most
             * that have waited, and when. Monotonic ns, the last ns since 1970.
             */
            scoreboard_u64 all_busy;
            scoreboard_i64 saturated;
            scoreboard_u64 waiting, waiting_kept;
            scoreboard_i64 waiting_since;
            scoreboard_u64 waiting_most;
            scoreboard_i64 waiting_most_at;
            _Atomic uint32_t generation; /* that serves; 1 after the start */
            scoreboard_u64 reloads_begun, reloads_ended, reloads_failed;
            scoreboard_u64 reload_good; /* number of the last good one */
            /* Settings that the last one did not take over, before
             * reloads_ended says that it is over. */
            char reload_left[256];
            _Atomic uint32_t stage; /* enum pool_stage */
            scoreboard_i64 cutoff;  /* of requests in hand: cutoff.h */
            scoreboard_u64 lost; /* connections that ended with their worker */
            scoreboard_u64 overdue_kills; /* workers, in an overdue request */
            scoreboard_u64 start_kills;   /* workers, before they served */
            scoreboard_u64 idle_kills;    /* workers, that took nothing */
            scoreboard_u64 shadow_lost;   /* samples lost with a process */
            struct scoreboard_member members[SCOREBOARD_SLOTS_MAX];
        };
        char head[SCOREBOARD_HEAD];
    };
    /* The rest. */
    _Atomic uint32_t watched;   /* 1: the supervisor looks at busy workers
                                   without being called: see busy_watch.h */
    struct accept_queue queue;  /* of the listener: see accept_queue.h */
    scoreboard_u64 log_dropped; /* lines of processes that are no workers */
    struct circuit circuits[CIRCUITS_MAX];
    struct scoreboard_shadow shadows[SCOREBOARD_SHADOWS_MAX];
    struct scoreboard_slot slots[];
};

/* Make a zeroed scoreboard shared with all later children. `settings`: the file
 * of the settings, for those who find the pool; "": none. *head, if wanted, is
 * the descriptor of the head, close-on-exec. NULL: errno. */
struct scoreboard *scoreboard_new(const char *settings, uint32_t slot_count,
                                  int *head);

/* The same, with room for more slots, which takes no memory before
 * scoreboard_grow() has made one of it. */
struct scoreboard *scoreboard_new_with_room(const char *settings,
                                            uint32_t slot_count,
                                            uint32_t slots_most, int *head);

/* In the supervisor: one slot more. False: there is no room. */
bool scoreboard_grow(struct scoreboard *b);

/* Let this user and group have the rest, so that it can be attached again after
 * an upgrade; -1: no change. False: errno. */
bool scoreboard_give(const struct scoreboard *b, uid_t uid, gid_t gid);

/* Before execve(2), which detaches the rest: a child keeps it until the next
 * program has attached it, a few seconds at most, and ends. Gives a descriptor,
 * close-on-exec, to be closed if there was no execve(2) after all; -1: errno.
 */
int scoreboard_hold(const struct scoreboard *b);

/* In another program that has inherited the descriptor of the head: go on with
 * it. *head is a new descriptor: the head moves, since nobody else may ever
 * write the old one. NULL: errno, EPROTO when it is not a scoreboard of this
 * layout. */
struct scoreboard *scoreboard_take_over(int *head);

/* In another program that does not know the layout: close what belongs to it,
 * `head` included. */
void scoreboard_leave(int head);

/* In a child: the head can only be read from now on, for good, and its
 * descriptors are closed. False: errno. */
bool scoreboard_confine(struct scoreboard *b, int head);

/* Does it begin as a scoreboard does, whatever its layout? */
bool scoreboard_is_stub(const struct scoreboard_stub *s);

/* For a reader, board_file.h: a scoreboard with this head and no counts yet.
 * NULL: errno, EPROTO if the head is not one of this layout. */
struct scoreboard *scoreboard_read(const void *head, size_t n);

/* The counts, read-only, if the process `owner` has made them. False: errno. */
bool scoreboard_attach(struct scoreboard *b, pid_t owner);

/* Bytes of the head that are used: the members come last. */
size_t scoreboard_head_bytes(const struct scoreboard *b);

/* A number that differs where the layouts of two programs do. */
uint32_t scoreboard_layout(void);

/* The oldest generation that has a slot; `newest` if none has. */
uint32_t scoreboard_oldest(const struct scoreboard *b, uint32_t newest);

/* Note which socket the pool listens on, for backlog_read(). */
void scoreboard_listener(struct scoreboard *b, int fd);

void scoreboard_free(const struct scoreboard *b);

/* Note what the request in hand asks for; the bytes are hostile. */
void scoreboard_note_request(struct scoreboard_slot *slot, const char *method,
                             const char *path, const char *id);

/* Copy that for people: printable ASCII without ", the rest is ?. The copy is
 * of one request if `begun` is the same before and after. */
void scoreboard_read_request(const struct scoreboard_slot *slot,
                             struct scoreboard_request *request);

/* Append to a log line which request the worker of a slot has, and for how
 * long.
 */
void scoreboard_tell_request(const struct scoreboard_slot *slot,
                             struct line *l);

/* For the slot's only writer, so no locked instruction is needed. */
static inline void scoreboard_add(scoreboard_u64 *counter, uint64_t n)
{
    uint64_t was = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, was + n, memory_order_relaxed);
}

static inline void scoreboard_count(scoreboard_u64 *counter)
{
    scoreboard_add(counter, 1);
}

static inline uint64_t scoreboard_load(const scoreboard_u64 *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Requests begun. What turned out to be a check (ping_path) is none. */
static inline uint64_t scoreboard_requests(const struct scoreboard_slot *slot)
{
    /* In this order the second is never less than the first. */
    uint64_t pings = atomic_load_explicit(&slot->counters[COUNTER_pings],
                                          memory_order_acquire);
    return atomic_load_explicit(&slot->begun, memory_order_relaxed) - pings;
}

/* A request begins, at `since`. A reader that sees `begun` change sees the
 * rest, too. */
static inline void scoreboard_begin(struct scoreboard_slot *slot, int64_t since)
{
    struct scoreboard_request *r = &slot->request;
    r->method[0] = r->path[0] = r->id[0] = '\0';
    atomic_store_explicit(&slot->since, since, memory_order_relaxed);
    uint64_t was = atomic_load_explicit(&slot->begun, memory_order_relaxed);
    atomic_store_explicit(&slot->begun, was + 1, memory_order_release);
}

/* A reader that sees the state sees the request it is about, too. */
static inline void scoreboard_state(struct scoreboard_slot *slot,
                                    enum worker_state state)
{
    atomic_store_explicit(&slot->state, state, memory_order_release);
}

/* A worker is about to wait for something to do; it goes on. `turns` is another
 * number after each, and odd while it does not wait. */
static inline void scoreboard_rests(struct scoreboard_slot *slot)
{
    uint64_t was = atomic_load_explicit(&slot->turns, memory_order_relaxed);
    atomic_store_explicit(&slot->turns, (was | 1) + 1, memory_order_relaxed);
}

static inline void scoreboard_goes_on(struct scoreboard_slot *slot)
{
    uint64_t was = atomic_load_explicit(&slot->turns, memory_order_relaxed);
    atomic_store_explicit(&slot->turns, (was + 1) | 1, memory_order_relaxed);
}

static inline bool scoreboard_is_awake(uint64_t turns)
{
    return (turns & 1) != 0;
}

/* What a worker is at before it has a state. */
static inline void scoreboard_step(struct scoreboard_slot *slot,
                                   enum worker_step step)
{
    atomic_store_explicit(&slot->step, step, memory_order_relaxed);
}

static inline void scoreboard_serving(struct scoreboard *b, uint32_t generation,
                                      uint32_t workers)
{
    atomic_store_explicit(&b->workers, workers, memory_order_relaxed);
    atomic_store_explicit(&b->generation, generation, memory_order_relaxed);
}

static inline void scoreboard_stage(struct scoreboard *b, enum pool_stage stage)
{
    atomic_store_explicit(&b->stage, stage, memory_order_relaxed);
}

static inline enum pool_stage scoreboard_read_stage(const struct scoreboard *b)
{
    return (enum pool_stage)atomic_load_explicit(&b->stage,
                                                 memory_order_relaxed);
}

/* Does the pool go on? Not any more once it is told to stop, when its workers
 * still serve: a health check is to send new requests elsewhere. */
static inline bool scoreboard_is_to_stay(const struct scoreboard *b)
{
    return scoreboard_read_stage(b) == POOL_SERVING;
}

#endif
