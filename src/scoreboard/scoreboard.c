/* scoreboard: see scoreboard.h. */
#include "scoreboard/scoreboard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "listen/backlog.h"
#include "os/share.h"

static const char magic[8] = "tallyd\n";

#define SLOTS_MAX 2048

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

/* Two builds that differ in a list or a field differ here. */
uint32_t scoreboard_layout(void)
{
    static const size_t sizes[] = {
        9, /* raised when the same sizes come to mean something else */
        OUTCOME_COUNT,
        COUNTER_COUNT,
        TIMING_COUNT,
        HISTOGRAM_BUCKETS,
        PARITY_COUNT,
        SHADOW_COUNT_COUNT,
        CIRCUITS_MAX,
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

/* Reserve the bytes, so that a full disk is an error now and not a SIGBUS at
 * the first count. */
static int make_file(const char *path, char *temporary, size_t room, size_t n)
{
    snprintf(temporary, room, "%s.%d", path, (int)getpid());
    int fd = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    int error = posix_fallocate(fd, 0, (off_t)n);
    if (error == 0)
        return fd;
    close(fd);
    unlink(temporary);
    errno = error;
    return -1;
}

/* What a reader looks at first. */
static void fill_head(struct scoreboard *b, uint32_t slot_count)
{
    memcpy(b->magic, magic, sizeof magic);
    b->layout = scoreboard_layout();
    b->slot_count = slot_count;
    for (uint32_t i = 0; i < slot_count; i++)
        b->slots[i].number = i;
    b->pid = (int32_t)getpid();
    b->started = clock_now();
    b->started_wall = clock_wall();
}

/* The file has its name when it has its head: nobody finds one that is none. */
static struct scoreboard *map_file(const char *path, uint32_t slot_count,
                                   int *fd)
{
    char temporary[4096];
    size_t n = bytes_for(slot_count);
    *fd = make_file(path, temporary, sizeof temporary, n);
    if (*fd < 0)
        return NULL;
    void *map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (map != MAP_FAILED) {
        fill_head(map, slot_count);
        if (rename(temporary, path) == 0)
            return map;
    }
    int error = errno;
    if (map != MAP_FAILED)
        munmap(map, n);
    unlink(temporary);
    close(*fd);
    errno = error;
    return NULL;
}

static struct scoreboard *map_nameless(uint32_t slot_count, int *fd)
{
    struct scoreboard *b =
        share_new("tallyd-scoreboard", bytes_for(slot_count), fd);
    if (b != NULL)
        fill_head(b, slot_count);
    return b;
}

struct scoreboard *scoreboard_new(const char *path, uint32_t slot_count,
                                  int *fd)
{
    int file = -1;
    struct scoreboard *b = path[0] != '\0' ? map_file(path, slot_count, &file)
                                           : map_nameless(slot_count, &file);
    if (b == NULL)
        return NULL;
    if (fd != NULL)
        *fd = file;
    else
        close(file);
    return b;
}

uint32_t scoreboard_oldest(const struct scoreboard *b, uint32_t newest)
{
    uint32_t oldest = newest;
    for (uint32_t i = 0; i < b->slot_count; i++) {
        uint32_t generation =
            atomic_load_explicit(&b->slots[i].generation, memory_order_relaxed);
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

static bool is_ours(const struct scoreboard *b, size_t n)
{
    return memcmp(b->magic, magic, sizeof magic) == 0 &&
           b->layout == scoreboard_layout() && b->slot_count >= 1 &&
           b->slot_count <= SLOTS_MAX && bytes_for(b->slot_count) == n;
}

static struct scoreboard *map_ours(int fd, int protection)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof(struct scoreboard)) {
        errno = EPROTO;
        return NULL;
    }
    size_t n = (size_t)st.st_size;
    struct scoreboard *b = mmap(NULL, n, protection, MAP_SHARED, fd, 0);
    if (b == MAP_FAILED)
        return NULL;
    if (is_ours(b, n))
        return b;
    munmap(b, n);
    errno = EPROTO;
    return NULL;
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

struct scoreboard *scoreboard_take_over(int fd)
{
    return map_ours(fd, PROT_READ | PROT_WRITE);
}

const struct scoreboard *scoreboard_map(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    const struct scoreboard *b = map_ours(fd, PROT_READ);
    int error = errno;
    close(fd);
    errno = error;
    return b;
}

/* These fields are where they are in every version. */
pid_t scoreboard_supervisor(const char *path)
{
    struct {
        char magic[8];
        uint32_t layout, slot_count;
        int32_t pid;
    } head;
    _Static_assert(offsetof(struct scoreboard, pid) == 16, "as it ever was");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, &head, sizeof head);
    if (fd >= 0)
        close(fd);
    return n == sizeof head && memcmp(head.magic, magic, sizeof magic) == 0
               ? (pid_t)head.pid
               : 0;
}

void scoreboard_free(const struct scoreboard *b)
{
    if (b != NULL)
        munmap((void *)(uintptr_t)b, bytes_for(b->slot_count));
}

void scoreboard_unlink(const char *path)
{
    if (path[0] != '\0')
        unlink(path);
}
