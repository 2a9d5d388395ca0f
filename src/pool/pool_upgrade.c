/* pool_upgrade: see pool_upgrade.h. */
#include "pool/pool_upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/process.h"
#include "os/program.h"
#include "os/signals.h"
#include "pool/handover.h"
#include "pool/pool_layout.h"
#include "scoreboard/board_file.h"

#define STATE_MOST (16 << 20)
#define FIXED_MOST 64

#define VARIABLE "TALLYD_HANDOVER"
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static void close_quietly(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
}

/* --- The program that leaves: what it hands over. --- */

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
    return (struct handover_member){.pid = (int32_t)m->pid,
                                    .number = number,
                                    .generation = m->generation,
                                    .retired = m->kill_at != CLOCK_NEVER,
                                    .started = m->started,
                                    .kill_at = m->kill_at,
                                    .begun = m->begun};
}

static void describe_head(const struct pool *p, const struct upgrade_past *past,
                          struct handover *h)
{
    *h = (struct handover){.format = HANDOVER_FORMAT,
                           .layout = pool_layout(),
                           .pid = (int32_t)getpid(),
                           .generation = past->generation,
                           .newest = past->newest,
                           .listener = describe(&p->listener),
                           .status = describe(&p->status),
                           .slots = past->count,
                           .conns = conn_pool_slots(p->conn_pool),
                           .source = (uint32_t)p->tried_len,
                           .has_source = p->tried != NULL};
    for (uint32_t i = 0; i < past->count; i++)
        h->members += past->members[i].pid != 0;
}

/* Everything behind the head; `settings` has h->settings bytes, and behind
 * them h->environment. */
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
    char *end = mempcpy(stores + h->conns, settings, h->settings);
    if (p->tried != NULL)
        end = mempcpy(end, p->tried, p->tried_len);
    memcpy(end, settings + h->settings, h->environment);
    int32_t *f = h->files;
    f[HANDOVER_LISTENER] = p->listener.fd;
    f[HANDOVER_STATUS] = p->status.fd;
    f[HANDOVER_PID_FILE] = p->pid_file;
    f[HANDOVER_BOARD] = p->board_head;
    f[HANDOVER_CONN_TABLE] = conn_pool.memory;
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
    describe_head(p, past, &head);
    settings_print_fixed(&p->now, f);
    bool good = fflush(f) == 0;
    head.settings = (uint32_t)n;
    config_environment_print(&p->environment, f);
    good = fclose(f) == 0 && good;
    head.environment = (uint32_t)n - head.settings;
    struct handover *all = good ? malloc(handover_size(&head)) : NULL;
    if (all != NULL) {
        *all = head;
        describe_rest(p, past, all, settings);
    }
    free(settings);
    return all;
}

static bool write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written <= 0)
            return false;
        bytes += written;
        n -= (size_t)written;
    }
    return true;
}

/* The file with all that: a descriptor, sealed and close-on-exec. -1: errno. */
static int make_state(const struct handover *all)
{
    int fd = memfd_create("tallyd-handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || (write_all(fd, (const char *)all, handover_size(all)) &&
                   fcntl(fd, F_ADD_SEALS, SEALS) == 0))
        return fd;
    close_quietly(fd);
    return -1;
}

/* --- The program that leaves: the trial of the next. --- */

static char path[PATH_MAX];
static char **arguments;
static struct program_mark tried_program; /* there when its trial begins */

/* What is installed under that name later is another file. */
void pool_upgrade_note(char **argv)
{
    program_started_by(path, sizeof path);
    arguments = argv;
}

static bool offer(int state)
{
    char number[16];
    snprintf(number, sizeof number, "%d", state);
    return fcntl(state, F_SETFD, 0) == 0 && setenv(VARIABLE, number, 1) == 0;
}

/* The arguments of this program, with -t before them. NULL: errno. */
static char **trial_arguments(void)
{
    size_t n = 0;
    while (arguments[n] != NULL)
        n++;
    char **list = calloc(n + 2, sizeof *list);
    if (list == NULL)
        return NULL;
    list[0] = arguments[0];
    list[1] = (char *)"-t";
    memcpy(list + 2, arguments + 1, n * sizeof *list); /* with their NULL */
    return list;
}

/* In the child. The signals it inherits are blocked, and it need not wait. */
static void run_trial(int state, int output)
{
    char **list = trial_arguments();
    sigset_t none;
    sigemptyset(&none);
    if (list == NULL || !offer(state) || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(output, STDERR_FILENO) < 0)
        return;
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(path, list);
    dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
}

/* What the trial says comes out of p->trial, a file, once it has ended. */
static pid_t fork_trial(struct pool *p, int state)
{
    p->trial = memfd_create("tallyd-trial", MFD_CLOEXEC);
    if (p->trial < 0)
        return -1;
    pid_t pid = process_fork("successor");
    if (pid == 0) {
        run_trial(state, p->trial);
        _exit(EXIT_FAILURE);
    }
    if (pid < 0)
        close_quietly(p->trial);
    return pid;
}

static void forget_settings(struct pool *p)
{
    config_environment_forget(&p->environment);
    free(p->tried);
    p->tried = NULL;
    p->tried_len = 0;
}

/* What is tried is what is handed over. Where it cannot be read, the trial says
 * why, and is the end of it. */
static void read_settings(struct pool *p)
{
    char why[CONFIG_ERROR_MAX];
    forget_settings(p);
    config_environment_read(&p->environment);
    if (p->source.path != NULL)
        settings_read(p->source.path, HANDOVER_SOURCE_MAX, &p->tried,
                      &p->tried_len, why);
}

static pid_t try_it(void *context, const struct upgrade_past *past)
{
    struct pool *p = context;
    read_settings(p);
    struct handover *all = describe_all(p, past);
    int state = all == NULL ? -1 : make_state(all);
    free(all);
    if (state < 0)
        return -1;
    program_mark(path, &tried_program);
    pid_t pid = fork_trial(p, state);
    close_quietly(state);
    return pid;
}

/* Its first line, cut to `size`. */
static void take_word(int output, char *line, size_t size)
{
    ssize_t n = pread(output, line, size - 1, 0);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    close(output);
}

/* --- The program that leaves: its end. --- */

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
    take_word(p->trial, said, sizeof said);
    if (WIFEXITED(status) && WEXITSTATUS(status) == POOL_UPGRADE_GOOD)
        return true;
    log_error("upgrade: the program that is installed now cannot take over: "
              "%s; generation %u goes on",
              complaint(status, said), p->generation);
    return false;
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

/* Comes back only when it cannot be: errno. A stop may have been asked for
 * while the monitor was waited for. */
static void execute(int state)
{
    signals_put_back();
    if (offer(state))
        execv(path, arguments);
    int error = errno;
    unsetenv(VARIABLE);
    errno = error;
}

static void become(void *context, int status, const struct upgrade_past *past)
{
    struct pool *p = context;
    struct handover_view v;
    const char *why = strerror(ENOMEM);
    if (!is_good(p, status))
        return;
    if (!program_is_marked(path, &tried_program)) {
        log_error("upgrade: %s has been replaced since it was tried; "
                  "generation %u goes on; ask again",
                  path, p->generation);
        return;
    }
    if (p->source.path != NULL && p->tried == NULL) {
        log_error("upgrade: %s could not be read; generation %u goes on",
                  p->source.path, p->generation);
        return;
    }
    struct handover *all = describe_all(p, past);
    int state = all == NULL ? -1 : make_state(all);
    if (state >= 0 && handover_read(all, handover_size(all), &v, &why)) {
        log_info("upgrade: the program that is installed now takes over");
        /* Libraries do not always say that theirs are to be closed. */
        close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
        keep_all(&v, 0);
        board_file_flags(p->board, 0);
        int holder = scoreboard_hold(p->board);
        execute(state);
        why = strerror(errno);
        if (holder >= 0)
            close(holder);
        board_file_flags(p->board, FD_CLOEXEC);
        keep_all(&v, FD_CLOEXEC);
    }
    log_error("upgrade: %s; generation %u goes on", why, p->generation);
    if (state >= 0)
        close(state);
    free(all);
    forget_settings(p);
}

struct upgrade_plan pool_upgrade_plan(struct pool *p)
{
    return (struct upgrade_plan){.context = p,
                                 .try_it = try_it,
                                 .become = become,
                                 .good = POOL_UPGRADE_GOOD};
}

/* --- The program that comes. --- */

bool pool_upgrade_is_offered(int *state)
{
    const char *number = getenv(VARIABLE);
    char *end;
    if (number == NULL)
        return false;
    long n = strtol(number, &end, 10);
    bool good = end != number && *end == '\0' && n > STDERR_FILENO &&
                n <= INT_MAX && fcntl((int)n, F_SETFD, FD_CLOEXEC) == 0;
    unsetenv(VARIABLE);
    *state = (int)n;
    return good;
}

/* Mapped for good. NULL: errno, EPROTO if it could still change. */
static const void *map_state(int state, size_t *n)
{
    struct stat st;
    int seals = fcntl(state, F_GET_SEALS);
    if (fstat(state, &st) != 0)
        return NULL;
    *n = (size_t)st.st_size;
    if (seals < 0 || (seals & SEALS) != SEALS || *n == 0 || *n > STATE_MOST) {
        errno = EPROTO;
        return NULL;
    }
    void *bytes = mmap(NULL, *n, PROT_READ, MAP_PRIVATE, state, 0);
    return bytes == MAP_FAILED ? NULL : bytes;
}

static bool read_state(int state, struct handover_view *v, const char **why)
{
    size_t n;
    const void *bytes = map_state(state, &n);
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
    struct settings_source source = {.overrides = list, .tried = true};
    const char *end = v->settings + v->head->settings;
    for (const char *at = v->settings; at < end; at += strlen(at) + 1)
        if (source.override_count < FIXED_MOST)
            list[source.override_count++] = at;
    return settings_load(fixed, &source, why);
}

static bool load_environment(struct pool *p, const struct handover_view *v,
                             char why[CONFIG_ERROR_MAX])
{
    struct buf out;
    buf_init(&out, why, CONFIG_ERROR_MAX);
    p->source.environment = &p->environment;
    return config_environment_parse(&p->environment, v->environment,
                                    v->environment_len, &out);
}

/* The settings that are handed over, but for those that are fixed. `tried`:
 * another process has found that they are good. */
static bool load_settings(struct pool *p, const struct handover_view *v,
                          bool tried, char why[CONFIG_ERROR_MAX])
{
    struct settings fixed = {0};
    if (!load_environment(p, v, why))
        return false;
    struct settings_source source = p->source;
    source.text = v->source;
    source.text_len = v->source_len;
    source.tried = tried && (v->source != NULL || source.path == NULL);
    settings_watch_text(&p->watch, &source);
    bool good = load_fixed(&fixed, v, why);
    fixed.capacity.connections = v->head->conns;
    good = good && settings_load_again(&p->now, &source, &fixed, why);
    config_environment_forget(&p->environment);
    settings_free(&fixed);
    return good;
}

bool pool_upgrade_accepts(struct pool *p, int state)
{
    struct handover_view v;
    char why[CONFIG_ERROR_MAX];
    const char *what;
    bool good = read_state(state, &v, &what);
    if (!good)
        fprintf(stderr, "tallyd: what the pool hands over: %s\n", what);
    else if (!(good = load_settings(p, &v, false, why)))
        fprintf(stderr, "tallyd: %s\n", why);
    return good;
}

/* The log may be a file that root has made; then it is not there any more. */
static bool take_settings(struct pool *p, const struct handover_view *v)
{
    char why[CONFIG_ERROR_MAX];
    if (!load_settings(p, v, true, why)) {
        log_error("upgrade: %s", why);
        return false;
    }
    const struct log_plan log = pool_log(&p->now.config->pool);
    if (!log_start(&log, why, sizeof why))
        log_warn("upgrade: %s; the log goes to standard error", why);
    return true;
}

static bool refuse_memory(const char *which, int error)
{
    log_error("upgrade: %s: %s", which, strerror(error));
    return false;
}

static bool take_memory(struct pool *p, const struct handover_view *v)
{
    const int32_t *f = v->head->files;
    const struct conn_pool_files conn_pool = {
        f[HANDOVER_CONN_TABLE], f[HANDOVER_SET], f[HANDOVER_CLOCK],
        f[HANDOVER_CONN_WATCH]};
    p->board_head = f[HANDOVER_BOARD];
    p->board = scoreboard_take_over(&p->board_head);
    if (p->board == NULL || p->board->slot_count != v->head->slots)
        return refuse_memory("the scoreboard",
                             p->board == NULL ? errno : EPROTO);
    p->conn_pool = conn_pool_take_over(
        &conn_pool, (const struct conn_pool_store *)(const void *)v->stores,
        v->head->conns, p->listener.fd);
    if (p->conn_pool == NULL)
        return refuse_memory("the connection pool", errno);
    p->idle_set = idle_set_take_over(f[HANDOVER_IDLE_SET], f[HANDOVER_BELL],
                                     p->board->slots_most);
    if (p->idle_set == NULL)
        return refuse_memory("the idle set", errno);
    pool_count_drops(p);
    return true;
}

/* Nothing that the workers share is known to us: they keep it for themselves,
 * and we begin anew. */
static void leave_memory(const struct handover_view *v)
{
    scoreboard_leave(v->head->files[HANDOVER_BOARD]);
    for (int i = HANDOVER_BOARD + 1; i < HANDOVER_FILES; i++)
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

static struct upgrade_past *past_of(const struct handover_view *v, bool strange)
{
    static struct upgrade_past past; /* there is one, as long as the pool */
    past = (struct upgrade_past){.generation = v->head->generation,
                                 .newest = v->head->newest,
                                 .members = members_of(v),
                                 .count = v->head->slots,
                                 .strange = strange};
    return past.members == NULL ? NULL : &past;
}

const struct upgrade_past *pool_upgrade_take_over(struct pool *p, int state)
{
    struct handover_view v;
    const char *why;
    bool good = read_state(state, &v, &why);
    if (good && v.head->pid != (int32_t)getpid()) {
        good = false;
        why = "another process has written it";
    }
    if (!good) {
        log_error("upgrade: what the pool hands over: %s", why);
        return NULL;
    }
    keep_all(&v, FD_CLOEXEC);
    close(state);
    bool strange = v.head->layout != pool_layout();
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
