/* pool_upgrade: see pool_upgrade.h. */
#include "pool/pool_upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conn_pool/conn_table.h"
#include "pool/handover.h"
#include "pool/successor.h"

/* Raised when two versions lay out shared memory alike but mean different
 * things by it. */
#define MEANING 1

#define STATE_MOST (4 << 20)
#define FIXED_MOST 64

static uint32_t layout(void)
{
    return scoreboard_layout() * 31 + MEANING * 1009 +
           (uint32_t)sizeof(struct conn_slot);
}

/* --- The program that leaves. --- */

static struct handover_listener describe(const struct listener *l)
{
    struct handover_listener h = {.device = l->device,
                                  .inode = l->inode,
                                  .adopted = l->adopted,
                                  .is_unix = l->is_unix};
    memcpy(h.path, l->path, sizeof l->path);
    return h;
}

static struct handover_member member(const struct worker_set_member *m,
                                     uint32_t number)
{
    bool retired = m->kill_at != CLOCK_NEVER;
    return (struct handover_member){.pid = (int32_t)m->pid,
                                    .number = number,
                                    .generation = m->generation,
                                    .retired = retired,
                                    .started = m->started,
                                    .kill_at = retired ? m->kill_at : 0,
                                    .begun = m->begun};
}

static void describe_head(const struct pool *p, const struct upgrade_past *past,
                          struct handover *h)
{
    *h = (struct handover){.format = HANDOVER_FORMAT,
                           .layout = layout(),
                           .pid = (int32_t)getpid(),
                           .generation = past->generation,
                           .newest = past->newest,
                           .listener = describe(&p->listener),
                           .status = describe(&p->status),
                           .slots = past->count,
                           .conns = conn_pool_slots(p->conn_pool)};
    for (uint32_t i = 0; i < past->count; i++)
        h->members += past->members[i].pid != 0;
}

/* Everything behind the head; `settings` has h->settings bytes. */
static void describe_rest(const struct pool *p, const struct upgrade_past *past,
                          struct handover *h, const char *settings)
{
    struct handover_member *members = (void *)(h + 1);
    struct handover_store *stores = (void *)(members + h->members);
    struct conn_pool_files conn_pool;
    uint32_t n = 0;
    for (uint32_t i = 0; i < past->count; i++)
        if (past->members[i].pid != 0)
            members[n++] = member(&past->members[i], i);
    _Static_assert(sizeof *stores == sizeof(struct conn_pool_store),
                   "two descriptors each");
    conn_pool_hand_over(p->conn_pool, &conn_pool,
                        (struct conn_pool_store *)(void *)stores);
    memcpy(stores + h->conns, settings, h->settings);
    int32_t *f = h->files;
    f[HANDOVER_LISTENER] = p->listener.fd;
    f[HANDOVER_STATUS] = p->status.fd;
    f[HANDOVER_PID_FILE] = p->pid_file;
    f[HANDOVER_BOARD] = p->board_file;
    f[HANDOVER_PLACES] = conn_pool.memory;
    f[HANDOVER_SET] = conn_pool.set;
    f[HANDOVER_CLOCK] = conn_pool.clock;
    f[HANDOVER_CONN_WATCH] = conn_pool.conn_watch;
    idle_set_hand_over(p->idle_set, &f[HANDOVER_IDLE_SET], &f[HANDOVER_BELL]);
}

/* To be freed; NULL: errno. */
static struct handover *describe_all(const struct pool *p,
                                     const struct upgrade_past *past)
{
    char *settings = NULL;
    size_t n = 0;
    struct handover head;
    FILE *f = open_memstream(&settings, &n);
    if (f == NULL)
        return NULL;
    settings_print_fixed(&p->now, f);
    bool good = fclose(f) == 0;
    describe_head(p, past, &head);
    head.settings = (uint32_t)n;
    struct handover *all = good ? malloc(handover_size(&head)) : NULL;
    if (all != NULL) {
        *all = head;
        describe_rest(p, past, all, settings);
    }
    free(settings);
    return all;
}

/* A descriptor; -1: errno. */
static int write_state(const struct pool *p, const struct upgrade_past *past)
{
    struct handover *all = describe_all(p, past);
    if (all == NULL)
        return -1;
    int state = successor_state(all, handover_size(all));
    free(all);
    return state;
}

static void keep_all(const struct handover_view *v, int flags)
{
    for (int i = 0; i < HANDOVER_FILES; i++)
        if (v->head->files[i] >= 0)
            fcntl(v->head->files[i], F_SETFD, flags);
    for (uint32_t i = 0; i < v->head->conns; i++) {
        fcntl(v->stores[i].near, F_SETFD, flags);
        fcntl(v->stores[i].far, F_SETFD, flags);
    }
}

static pid_t try_it(void *context, const struct upgrade_past *past)
{
    struct pool *p = context;
    int state = write_state(p, past);
    if (state < 0)
        return -1;
    pid_t pid = successor_try(state, &p->trial);
    int error = errno;
    close(state);
    errno = error;
    return pid;
}

static const char *complaint(int status, const char *said)
{
    if (WIFSIGNALED(status))
        return strsignal(WTERMSIG(status));
    if (WEXITSTATUS(status) == 0)
        return "it is of a version that cannot do that; restart the pool";
    return said[0] == '\0' ? "it ended without a word" : said;
}

static bool is_good(struct pool *p, int status)
{
    char said[300];
    successor_said(p->trial, said, sizeof said);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SUCCESSOR_GOOD)
        return true;
    log_error("upgrade: the program that is installed now cannot take over: "
              "%s; generation %u goes on",
              complaint(status, said), p->generation);
    return false;
}

static void become(void *context, int status, const struct upgrade_past *past)
{
    struct pool *p = context;
    struct handover_view v;
    const char *why = strerror(ENOMEM);
    if (!is_good(p, status))
        return;
    struct handover *all = describe_all(p, past);
    int state = all == NULL ? -1 : successor_state(all, handover_size(all));
    if (state >= 0 && handover_read(all, handover_size(all), &v, &why)) {
        log_info("upgrade: the program that is installed now takes over");
        /* Libraries do not always say that theirs are to be closed. */
        close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
        keep_all(&v, 0);
        successor_become(state);
        why = strerror(errno);
        keep_all(&v, FD_CLOEXEC);
    }
    log_error("upgrade: %s; generation %u goes on", why, p->generation);
    if (state >= 0)
        close(state);
    free(all);
}

struct upgrade_plan pool_upgrade_plan(struct pool *p)
{
    return (struct upgrade_plan){.context = p,
                                 .try_it = try_it,
                                 .become = become,
                                 .good = SUCCESSOR_GOOD};
}

/* --- The program that comes. --- */

static bool read_state(int state, struct handover_view *v, const char **why)
{
    size_t n;
    const void *bytes = successor_read(state, STATE_MOST, &n);
    *why = strerror(errno);
    return bytes != NULL && handover_read(bytes, n, v, why);
}

static struct listener listener_of(const struct handover_listener *h, int fd)
{
    struct listener l = {.fd = fd,
                         .adopted = h->adopted != 0,
                         .is_unix = h->is_unix != 0,
                         .device = h->device,
                         .inode = h->inode};
    memcpy(l.path, h->path, sizeof l.path);
    return l;
}

/* The settings of the pool that cannot change, as if they stood in a file. */
static bool load_fixed(struct settings *fixed, const struct handover_view *v,
                       char why[CONFIG_ERROR_MAX])
{
    const char *list[FIXED_MOST];
    struct settings_source source = {NULL, list, 0};
    const char *end = v->settings + v->head->settings;
    for (const char *at = v->settings; at < end; at += strlen(at) + 1)
        if (source.override_count < FIXED_MOST)
            list[source.override_count++] = at;
    return settings_load(fixed, &source, why);
}

/* The settings of the source, but for those that are fixed. */
static bool load_settings(struct pool *p, const struct handover_view *v,
                          struct settings *fixed, char why[CONFIG_ERROR_MAX])
{
    return load_fixed(fixed, v, why) &&
           settings_load_again(&p->now, &p->source, fixed, v->head->slots / 2,
                               why);
}

bool pool_upgrade_accepts(struct pool *p, int state)
{
    struct handover_view v;
    struct settings fixed = {0};
    char why[CONFIG_ERROR_MAX];
    const char *what;
    bool good = read_state(state, &v, &what);
    if (!good)
        fprintf(stderr, "tallyd: what the pool hands over: %s\n", what);
    else if (!(good = load_settings(p, &v, &fixed, why)))
        fprintf(stderr, "tallyd: %s\n", why);
    settings_free(&fixed);
    return good;
}

/* The log may be a file that root has made; then it is not there any more. */
static bool take_settings(struct pool *p, const struct handover_view *v)
{
    struct settings fixed = {0};
    char why[CONFIG_ERROR_MAX];
    bool good = load_settings(p, v, &fixed, why);
    settings_free(&fixed);
    if (!good) {
        log_error("upgrade: %s", why);
        return false;
    }
    const struct log_plan log = pool_log(&p->now.config->pool);
    if (!log_start(&log, why, sizeof why))
        log_warn("upgrade: %s; the log goes to standard error", why);
    return true;
}

static bool take_memory(struct pool *p, const struct handover_view *v)
{
    const int32_t *f = v->head->files;
    const struct conn_pool_files conn_pool = {
        f[HANDOVER_PLACES], f[HANDOVER_SET], f[HANDOVER_CLOCK],
        f[HANDOVER_CONN_WATCH]};
    p->board_file = f[HANDOVER_BOARD];
    p->board = scoreboard_take_over(f[HANDOVER_BOARD]);
    p->conn_pool = conn_pool_take_over(
        &conn_pool, (const struct conn_pool_store *)(const void *)v->stores,
        v->head->conns, p->listener.fd);
    p->idle_set = idle_set_take_over(f[HANDOVER_IDLE_SET], f[HANDOVER_BELL],
                                     v->head->slots);
    if (p->board != NULL && p->conn_pool != NULL && p->idle_set != NULL &&
        p->board->slot_count == v->head->slots) {
        pool_count_drops(p);
        return true;
    }
    log_error("upgrade: the memory of the pool: %s", strerror(errno));
    return false;
}

/* Nothing that the workers share is known to us: they keep it for themselves,
 * and we begin anew. */
static void leave_memory(const struct handover_view *v)
{
    for (int i = HANDOVER_BOARD; i < HANDOVER_FILES; i++)
        close(v->head->files[i]);
    for (uint32_t i = 0; i < v->head->conns; i++) {
        close(v->stores[i].near);
        close(v->stores[i].far);
    }
}

static struct worker_set_member *members_of(const struct handover_view *v)
{
    struct worker_set_member *list = calloc(v->head->slots, sizeof *list);
    for (uint32_t i = 0; list != NULL && i < v->head->members; i++) {
        const struct handover_member *m = &v->members[i];
        list[m->number] = (struct worker_set_member){
            .pid = m->pid,
            .generation = m->generation,
            .started = m->started,
            .begun = m->begun,
            .kill_at = m->retired != 0 ? m->kill_at : CLOCK_NEVER};
    }
    return list;
}

static struct pool_past *past_of(const struct handover_view *v, bool strange)
{
    static struct pool_past past; /* there is one, and as long as the pool */
    past = (struct pool_past){.strange = strange,
                              .past = {.generation = v->head->generation,
                                       .newest = v->head->newest,
                                       .members = members_of(v),
                                       .count = v->head->slots}};
    return past.past.members == NULL ? NULL : &past;
}

struct pool_past *pool_upgrade_take_over(struct pool *p, int state)
{
    struct handover_view v;
    const char *why;
    if (!read_state(state, &v, &why) || v.head->pid != (int32_t)getpid()) {
        log_error("upgrade: what the pool hands over: %s", why);
        return NULL;
    }
    keep_all(&v, FD_CLOEXEC);
    close(state);
    bool strange = v.head->layout != layout();
    p->generation = v.head->generation;
    p->listener =
        listener_of(&v.head->listener, v.head->files[HANDOVER_LISTENER]);
    p->status = listener_of(&v.head->status, v.head->files[HANDOVER_STATUS]);
    p->pid_file = v.head->files[HANDOVER_PID_FILE];
    if (strange)
        leave_memory(&v);
    if (!take_settings(p, &v) || (!strange && !take_memory(p, &v)) ||
        !pool_reopen(p, v.head->slots))
        return NULL;
    return past_of(&v, strange);
}
