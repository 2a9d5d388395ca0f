/* scoreboard: see scoreboard.h. */
#include "scoreboard/scoreboard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "listen/backlog.h"
#include "os/process.h"
#include "os/program.h"
#include "os/share.h"

static const char magic[8] = "tallyd2";

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

_Static_assert(offsetof(struct scoreboard, watched) == SCOREBOARD_HEAD,
               "the head fits");
_Static_assert(offsetof(struct scoreboard, settings) ==
                   offsetof(struct scoreboard_stub, settings),
               "the head begins with the stub");

static const char *const counter_names[] = {
#define COUNTER(name, help) #name,
#include "scoreboard/counter.def"
#undef COUNTER
};

const char *scoreboard_counter_name(enum counter c)
{
    return counter_names[c];
}

static const char *const timing_names[] = {
#define TIMING(name) #name,
#include "scoreboard/timing.def"
#undef TIMING
};

const char *scoreboard_timing_name(enum timing t)
{
    return timing_names[t];
}

static const char *const shadow_count_names[] = {
#define SHADOW_COUNT(name, help) #name,
#include "scoreboard/shadow.def"
#undef SHADOW_COUNT
};

const char *scoreboard_shadow_count_name(enum shadow_count c)
{
    return shadow_count_names[c];
}

const char *scoreboard_worker_state_name(enum worker_state s)
{
    static const char *const names[] = {"absent",  "idle",    "busy",
                                        "reading", "posting", "writing"};
    return s < sizeof names / sizeof names[0] ? names[s] : "unknown";
}

const char *scoreboard_worker_step_name(enum worker_step s)
{
    static const char *const names[] = {"forked", "settling", "opening",
                                        "self-test", "serving"};
    return s < sizeof names / sizeof names[0] ? names[s] : "unknown";
}

const char *scoreboard_bound_name(enum workers_bound b)
{
    static const char *const names[] = {"setting", "most",      "memory",
                                        "files",   "processes", "connections"};
    return b < sizeof names / sizeof names[0] ? names[b] : "unknown";
}

const char *scoreboard_bound_text(enum workers_bound b)
{
    static const char *const texts[] = {
        [WORKERS_BOUND_SETTING] = "the setting workers",
        [WORKERS_BOUND_MOST] = "the most that a pool can have",
        [WORKERS_BOUND_MEMORY] = "memory",
        [WORKERS_BOUND_FILES] = "open files (LimitNOFILE=, rlimit_files)",
        [WORKERS_BOUND_PROCESSES] = "processes (TasksMax=, LimitNPROC=)",
        [WORKERS_BOUND_CONNECTIONS] = "max_connections"};
    return b < sizeof texts / sizeof texts[0] ? texts[b] : "unknown";
}

/* Two builds that differ in a list or a field differ here. */
uint32_t scoreboard_layout(void)
{
    static const size_t sizes[] = {
        11, /* raised when the same sizes come to mean something else */
        OUTCOME_COUNT,
        COUNTER_COUNT,
        TIMING_COUNT,
        HISTOGRAM_BUCKETS,
        PARITY_COUNT,
        SHADOW_COUNT_COUNT,
        CIRCUITS_MAX,
        offsetof(struct scoreboard, members),
        offsetof(struct scoreboard, circuits),
        offsetof(struct scoreboard, shadows),
        offsetof(struct scoreboard_slot, request),
        offsetof(struct scoreboard_slot, outcomes),
        sizeof(struct scoreboard_slot),
        sizeof(struct scoreboard)};
    return share_layout(sizes, sizeof sizes / sizeof sizes[0]);
}

static size_t bytes_for(uint32_t slot_count)
{
    return sizeof(struct scoreboard) +
           slot_count * sizeof(struct scoreboard_slot);
}

static size_t rest_bytes(uint32_t slot_count)
{
    return bytes_for(slot_count) - SCOREBOARD_HEAD;
}

size_t scoreboard_head_bytes(const struct scoreboard *b)
{
    return offsetof(struct scoreboard, members) +
           b->slot_count * sizeof b->members[0];
}

/* --- Both parts, in one place. --- */

/* Zeroed memory of our own, to map both parts over. */
static struct scoreboard *reserve(uint32_t slot_count)
{
    void *b = mmap(NULL, bytes_for(slot_count), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return b == MAP_FAILED ? NULL : b;
}

/* What is mapped afterwards for writing is refused, also for us. */
static int make_head(struct scoreboard *b)
{
    int fd = memfd_create("tallyd-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    if (ftruncate(fd, SCOREBOARD_HEAD) == 0 &&
        mmap(b, SCOREBOARD_HEAD, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
             fd, 0) != MAP_FAILED &&
        fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool attach(struct scoreboard *b, int memory, int flags)
{
    return shmat(memory, b->head + SCOREBOARD_HEAD, flags | SHM_REMAP) !=
           (void *)-1;
}

/* Whoever may read our files may read it. It goes with the last process that
 * has it: a killed pool leaves nothing behind. Until then Linux lets others
 * attach it, see shmctl(2). */
static bool make_rest(struct scoreboard *b, uint32_t slot_count,
                      uint32_t slots_most)
{
    mode_t mask = umask(0);
    umask(mask);
    b->memory = shmget(IPC_PRIVATE, rest_bytes(slots_most),
                       (int)(SHM_NORESERVE | 0600 | (0644 & ~mask)));
    if (b->memory < 0)
        return false;
    bool good = attach(b, b->memory, 0);
    int error = errno;
    shmctl(b->memory, IPC_RMID, NULL);
    errno = error;
    for (uint32_t i = 0; good && i < slot_count; i++)
        b->slots[i].number = i;
    return good;
}

static void release(struct scoreboard *b, uint32_t slot_count, int head)
{
    int error = errno;
    munmap(b, bytes_for(slot_count));
    if (head >= 0)
        close(head);
    errno = error;
}

/* --- The process that makes it. --- */

static void name_program(struct scoreboard *b)
{
    program_file(b->program, sizeof b->program);
    snprintf(b->version, sizeof b->version, "%s", PACKAGE_VERSION);
}

static void fill_head(struct scoreboard *b, const char *settings,
                      uint32_t slot_count, uint32_t slots_most)
{
    memcpy(b->magic, magic, sizeof magic);
    b->layout = scoreboard_layout();
    b->slot_count = slot_count;
    b->slots_most = slots_most;
    b->pid = (int32_t)getpid();
    b->born = process_started(getpid());
    b->file = -1;
    snprintf(b->settings, sizeof b->settings, "%s", settings);
    name_program(b);
    b->started = clock_now();
    b->started_wall = clock_wall();
}

struct scoreboard *scoreboard_new(const char *settings, uint32_t slot_count,
                                  int *head)
{
    return scoreboard_new_with_room(settings, slot_count, slot_count, head);
}

bool scoreboard_grow(struct scoreboard *b)
{
    uint32_t n = b->slot_count;
    if (n >= b->slots_most)
        return false;
    b->slots[n].number = n;
    b->slot_count = n + 1;
    return true;
}

struct scoreboard *scoreboard_new_with_room(const char *settings,
                                            uint32_t slot_count,
                                            uint32_t slots_most, int *head)
{
    struct scoreboard *b = reserve(slots_most);
    if (b == NULL)
        return NULL;
    int fd = make_head(b);
    if (fd < 0 || !make_rest(b, slot_count, slots_most)) {
        release(b, slots_most, fd);
        return NULL;
    }
    fill_head(b, settings, slot_count, slots_most);
    if (head != NULL)
        *head = fd;
    else
        close(fd);
    return b;
}

bool scoreboard_give(const struct scoreboard *b, uid_t uid, gid_t gid)
{
    struct shmid_ds seen;
    if (shmctl(b->memory, IPC_STAT, &seen) != 0)
        return false;
    if (uid != (uid_t)-1)
        seen.shm_perm.uid = uid;
    if (gid != (gid_t)-1)
        seen.shm_perm.gid = gid;
    return shmctl(b->memory, IPC_SET, &seen) == 0;
}

bool scoreboard_confine(struct scoreboard *b, int head)
{
    int file = b->file;
    if (mmap(b, SCOREBOARD_HEAD, PROT_READ, MAP_SHARED | MAP_FIXED, head, 0) ==
        MAP_FAILED)
        return false;
    close(head);
    if (file >= 0)
        close(file);
    return true;
}

/* --- Upgrade. --- */

#define HOLD_LIMIT (10 * CLOCK_SECOND)

/* Without another process that has it the segment would be gone at execve(2),
 * at which the pipe is closed. */
static void hold(int memory, int pipe)
{
    const struct timespec pause = {.tv_nsec = CLOCK_MS};
    struct shmid_ds seen;
    char none;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(pipe, STDIN_FILENO);
    close_range(STDIN_FILENO + 1, ~0U, 0);
    if (read(STDIN_FILENO, &none, 1) != 0)
        return;
    int64_t end = clock_now() + HOLD_LIMIT;
    while (shmctl(memory, IPC_STAT, &seen) == 0 && seen.shm_nattch < 2 &&
           clock_now() < end)
        nanosleep(&pause, NULL);
}

int scoreboard_hold(const struct scoreboard *b)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[1]);
        hold(b->memory, ends[0]);
        _exit(EXIT_SUCCESS);
    }
    int error = errno;
    close(ends[0]);
    if (pid > 0)
        return ends[1];
    close(ends[1]);
    errno = error;
    return -1;
}

bool scoreboard_is_stub(const struct scoreboard_stub *s)
{
    return memcmp(s->magic, magic, sizeof magic) == 0;
}

static bool is_ours(const struct scoreboard_stub *s, size_t n)
{
    return n >= offsetof(struct scoreboard, members) && scoreboard_is_stub(s) &&
           s->layout == scoreboard_layout() && s->slot_count >= 1 &&
           s->slot_count <= s->slots_most &&
           s->slots_most <= SCOREBOARD_SLOTS_MAX;
}

/* A segment that is gone had been attached by nobody, not even by what
 * scoreboard_hold() has left: every process of the pool was killed, and none
 * shares with us what we begin anew. */
static bool attach_again(struct scoreboard *b)
{
    if (attach(b, b->memory, 0))
        return true;
    if (errno != EINVAL && errno != EIDRM)
        return false;
    log_warn("upgrade: nobody was left to keep the counts: they begin at 0");
    return make_rest(b, b->slot_count, b->slots_most);
}

/* The head that is in the file, copied to one of our own. */
static struct scoreboard *move_head(const char *from, int *head)
{
    uint32_t slots =
        ((const struct scoreboard_stub *)(const void *)from)->slots_most;
    struct scoreboard *b = reserve(slots);
    int fd = b == NULL ? -1 : make_head(b);
    if (fd >= 0) {
        memcpy(b->head, from, SCOREBOARD_HEAD);
        if (attach_again(b)) {
            close(*head);
            *head = fd;
            return b;
        }
    }
    if (b != NULL)
        release(b, slots, fd);
    return NULL;
}

struct scoreboard *scoreboard_take_over(int *head)
{
    struct stat st;
    if (fstat(*head, &st) != 0 || st.st_size != SCOREBOARD_HEAD) {
        errno = EPROTO;
        return NULL;
    }
    void *from = mmap(NULL, SCOREBOARD_HEAD, PROT_READ, MAP_SHARED, *head, 0);
    if (from == MAP_FAILED)
        return NULL;
    struct scoreboard *b = NULL;
    errno = EPROTO;
    if (is_ours(from, SCOREBOARD_HEAD))
        b = move_head(from, head);
    int error = errno;
    munmap(from, SCOREBOARD_HEAD);
    errno = error;
    if (b == NULL)
        return NULL;
    name_program(b);
    if (b->file >= 0 && fcntl(b->file, F_SETFD, FD_CLOEXEC) != 0)
        b->file = -1;
    return b;
}

void scoreboard_leave(int head)
{
    struct scoreboard_stub s;
    if (pread(head, &s, sizeof s, 0) == (ssize_t)sizeof s &&
        scoreboard_is_stub(&s) && s.file > STDERR_FILENO)
        close(s.file);
    close(head);
}

/* --- Readers. --- */

struct scoreboard *scoreboard_read(const void *head, size_t n)
{
    const struct scoreboard_stub *s = head;
    if (n < sizeof *s || !is_ours(s, n)) {
        errno = EPROTO;
        return NULL;
    }
    struct scoreboard *b = reserve(s->slots_most);
    if (b != NULL)
        memcpy(b->head, head, n < SCOREBOARD_HEAD ? n : SCOREBOARD_HEAD);
    return b;
}

bool scoreboard_attach(struct scoreboard *b, pid_t owner)
{
    struct shmid_ds seen;
    if (shmctl(b->memory, IPC_STAT, &seen) != 0)
        return false;
    if (seen.shm_cpid == owner && seen.shm_segsz == rest_bytes(b->slots_most))
        return attach(b, b->memory, SHM_RDONLY);
    errno = EPROTO;
    return false;
}

uint32_t scoreboard_oldest(const struct scoreboard *b, uint32_t newest)
{
    uint32_t oldest = newest;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        uint32_t generation = atomic_load_explicit(&b->members[i].generation,
                                                   memory_order_relaxed);
        if (generation != 0 && generation < oldest)
            oldest = generation;
    }
    return oldest;
}

void scoreboard_listener(struct scoreboard *b, int fd)
{
    if (!backlog_identify(fd, &b->listener_family, &b->listener_inode))
        b->listener_family = 0;
}

static void note(char *to, size_t room, const char *from)
{
    size_t n = strnlen(from, room - 1);
    memcpy(to, from, n);
    to[n] = '\0';
}

void scoreboard_note_request(struct scoreboard_slot *slot, const char *method,
                             const char *path, const char *id)
{
    struct scoreboard_request *r = &slot->request;
    note(r->method, sizeof r->method, method);
    note(r->path, sizeof r->path, path);
    note(r->id, sizeof r->id, id);
}

static void clean(char *to, size_t room, const char *from)
{
    size_t n = strnlen(from, room - 1);
    for (size_t i = 0; i < n; i++)
        to[i] =
            from[i] < 0x20 || from[i] > 0x7e || from[i] == '"' ? '?' : from[i];
    to[n] = '\0';
}

void scoreboard_read_request(const struct scoreboard_slot *slot,
                             struct scoreboard_request *request)
{
    const struct scoreboard_request *r = &slot->request;
    clean(request->method, sizeof request->method, r->method);
    clean(request->path, sizeof request->path, r->path);
    clean(request->id, sizeof request->id, r->id);
}

void scoreboard_tell_request(const struct scoreboard_slot *slot, struct line *l)
{
    struct scoreboard_request request;
    enum worker_state state = (enum worker_state)atomic_load_explicit(
        &slot->state, memory_order_acquire);
    scoreboard_read_request(slot, &request);
    line_word(l, "request", request.id);
    line_text(l, "method", request.method);
    line_text(l, "path", request.path);
    line_word(l, "state", scoreboard_worker_state_name(state));
    line_ms(l, "total",
            clock_now() -
                atomic_load_explicit(&slot->since, memory_order_relaxed));
}

void scoreboard_free(const struct scoreboard *b)
{
    if (b != NULL)
        munmap((void *)(uintptr_t)b, bytes_for(b->slots_most));
}
