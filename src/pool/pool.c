/* pool: see pool.h. */
#include "pool/pool.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "listen/peers.h"
#include "os/cpu.h"
#include "os/limits.h"
#include "os/pidfile.h"
#include "os/privileges.h"
#include "os/proctitle.h"
#include "pool/pool_confinement.h"
#include "scoreboard/board_file.h"
#include "scoreboard/board_place.h"

#define STATUS_BACKLOG 1024

static bool fail(const char *why)
{
    log_error("%s", why);
    return false;
}

struct log_plan pool_log(const struct config_pool *c)
{
    static const enum log_destination destinations[] = {
        [CONFIG_log_to_auto] = LOG_TO_AUTO,
        [CONFIG_log_to_stderr] = LOG_TO_STDERR,
        [CONFIG_log_to_syslog] = LOG_TO_SYSLOG,
        [CONFIG_log_to_journal] = LOG_TO_JOURNAL};
    static const enum log_level levels[] = {
        [CONFIG_log_level_error] = LOG_ERROR,
        [CONFIG_log_level_warn] = LOG_WARN,
        [CONFIG_log_level_info] = LOG_INFO,
        [CONFIG_log_level_debug] = LOG_DEBUG};
    return (struct log_plan){
        .to = destinations[c->log_to],
        .level = levels[c->log_level],
        .json = c->log_format == CONFIG_log_format_json,
        .file = c->log_file,
        .socket = c->log_socket,
        .pool = c->name,
        .books = {[LOG_ACCESS] = c->access_log, [LOG_SLOW] = c->slow_log}};
}

static bool open_log(const struct config_pool *c)
{
    char why[400];
    const struct log_plan plan = pool_log(c);
    return log_start(&plan, why, sizeof why) || fail(why);
}

static bool open_socket(struct listener *l, const struct config_pool *c,
                        struct listener_config what)
{
    char why[400];
    what.mode = (mode_t)c->socket_mode;
    what.owner = c->socket_owner;
    what.group = c->socket_group;
    return listener_open(l, &what, why, sizeof why) || fail(why);
}

static bool open_listener(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    return open_socket(&p->listener, c,
                       (struct listener_config){.key = "listen",
                                                .listen = c->listen,
                                                .backlog = (int)c->backlog});
}

/* Who may connect: `allow` was checked when it was read. */
static bool check_peers(const struct config_pool *c)
{
    char room[200];
    struct buf why;
    struct peers ignored;
    buf_init(&why, room, sizeof room);
    return peers_open(&ignored, c->allow, getenv(PEERS_VARIABLE), &why) ||
           fail(room);
}

static bool open_status_listener(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    return c->status_listen[0] == '\0' ||
           open_socket(&p->status, c,
                       (struct listener_config){.key = "status_listen",
                                                .own = true,
                                                .listen = c->status_listen,
                                                .backlog = STATUS_BACKLOG});
}

void pool_count_drops(const struct pool *p)
{
    log_set_drop_counter(&p->board->log_dropped);
}

/* Two generations fit: one takes over while the other leaves. And no less than
 * `slots`; there is room for as many workers as a reload may ask for, which
 * takes no memory before they are there. */
static bool open_scoreboard(struct pool *p, uint32_t slots)
{
    const struct config_pool *c = &p->now.config->pool;
    char settings[PATH_MAX] = "";
    uint32_t least = p->now.capacity.least;
    uint32_t wanted = c->workers == 0 ? 1 : least == 0 ? 2 : 2 * least;
    if (p->source.path != NULL && realpath(p->source.path, settings) == NULL)
        settings[0] = '\0';
    p->board = scoreboard_new_with_room(
        settings, wanted > slots ? wanted : slots,
        c->workers == 0 ? wanted : SCOREBOARD_SLOTS_MAX, &p->board_head);
    if (p->board == NULL) {
        log_error("the scoreboard: %s", strerror(errno));
        return false;
    }
    scoreboard_listener(p->board, p->listener.fd);
    pool_count_drops(p);
    return true;
}

/* A path that was set is the one, or there is no start. Without a supervisor
 * that stays there is nobody to find. */
static bool open_board_file(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    char why[600] = "its name cannot be the name of a file", first[600];
    char path[BOARD_PLACE_MAX];
    if (c->scoreboard[0] != '\0')
        return board_file_make(p->board, c->scoreboard, why, sizeof why) ||
               fail(why);
    for (int i = 0; c->workers != 0 && i < BOARD_PLACES; i++) {
        if (board_place(i, c->name, path) &&
            board_file_make(p->board, path, why, sizeof why))
            return true;
        if (i == 0)
            memcpy(first, why, sizeof first);
    }
    if (c->workers != 0)
        log_info("tallyctl does not find this pool: %.250s; %.250s", first,
                 why);
    return true;
}

/* Where its file is. */
static const char *board_path(const struct pool *p, char room[BOARD_PLACE_MAX])
{
    const struct config_pool *c = &p->now.config->pool;
    for (int i = 0; c->scoreboard[0] == '\0' && i < BOARD_PLACES; i++)
        if (board_place(i, c->name, room) && board_file_is_at(p->board, room))
            return room;
    return c->scoreboard;
}

/* Found again by the user that the pool becomes. */
static bool give_scoreboard(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    char why[400];
    uid_t uid;
    gid_t gid;
    if (c->user[0] == '\0')
        return true;
    if (!privileges_find(c->user, c->group, &uid, &gid, why, sizeof why))
        return fail(why);
    return geteuid() != 0 || scoreboard_give(p->board, uid, gid) ||
           fail(strerror(errno));
}

bool pool_confine(const struct pool *p)
{
    return scoreboard_confine(p->board, p->board_head) || fail(strerror(errno));
}

/* As many circuits as endpoints can be used: this cannot fail at the start. */
static bool join_circuits(struct pool *p, uint32_t generation)
{
    return endpoint_table_join(p->now.endpoints, p->board, generation);
}

static bool open_conn_pool(struct pool *p)
{
    char why[200];
    struct settings *s = &p->now;
    p->conn_pool =
        conn_pool_new(s->capacity.connections, p->listener.fd, why, sizeof why);
    if (p->conn_pool == NULL)
        return fail(why);
    s->capacity =
        capacity_of(&s->config->pool, &s->means, conn_pool_slots(p->conn_pool));
    return true;
}

/* Also while nothing is sampled, since a reload may change that. */
static bool open_shadow(struct pool *p)
{
    const struct config *c = p->now.config;
    if (c->pool.workers == 0)
        return true;
    p->shadow = shadow_queue_new((uint32_t)c->shadow.queue,
                                 (uint64_t)c->shadow.max_body);
    if (p->shadow == NULL)
        log_error("[shadow] queue: %s", strerror(errno));
    return p->shadow != NULL;
}

/* There even if the number is fixed: the next generation's may not be. */
static bool open_idle_set(struct pool *p)
{
    p->idle_set = idle_set_new(p->board->slots_most);
    return p->idle_set != NULL || fail(strerror(errno));
}

static bool write_pid_file(struct pool *p)
{
    const char *path = p->now.config->pool.pid_file;
    char why[400];
    if (path[0] == '\0')
        return true;
    p->pid_file = pidfile_open("pid_file =", path, why, sizeof why);
    return p->pid_file >= 0 || fail(why);
}

/* Before the connection pool, which takes as many files as it may. */
static bool set_limits(const struct config_pool *c)
{
    static const enum limits_choice core[] = {
        [CONFIG_rlimit_core_inherit] = LIMITS_INHERIT,
        [CONFIG_rlimit_core_none] = LIMITS_NO,
        [CONFIG_rlimit_core_unlimited] = LIMITS_YES};
    char why[200];
    return (limits_files((uint64_t)c->rlimit_files, why, sizeof why) &&
            limits_core(core[c->rlimit_core], why, sizeof why)) ||
           fail(why);
}

static bool set_nice(const struct config_pool *c)
{
    if (cpu_nice((int)c->nice))
        return true;
    log_error("nice = %lld: %s; less than before needs root",
              (long long)c->nice, strerror(errno));
    return false;
}

static bool drop_privileges(const struct config_pool *c)
{
    static const enum limits_choice dumpable[] = {
        [CONFIG_dumpable_inherit] = LIMITS_INHERIT,
        [CONFIG_dumpable_off] = LIMITS_NO,
        [CONFIG_dumpable_on] = LIMITS_YES};
    char why[200];
    privileges_no_new_privileges();
    if (!privileges_drop(c->user, c->group, why, sizeof why))
        return fail(why);
    limits_dumpable(dumpable[c->dumpable]);
    return true;
}

/* Not where somebody has asked for it: user = root. */
static void warn_of_root(const struct config_pool *c)
{
    if (geteuid() == 0 && c->user[0] == '\0')
        log_warn("the pool runs as root: set user in [pool] to one that owns "
                 "nothing else");
}

/* What libcurl and OpenSSL set up once for a process is 250 KB. All workers
 * share it if it is there before the fork; they make the handles they use
 * themselves. OpenSSL sees to it that they do not share its random numbers. */
static bool warm_up(struct pool *p)
{
    if (p->now.config->pool.workers == 0)
        return true;
    p->warm = downstream_new();
    return p->warm != NULL || fail("libcurl cannot be initialised");
}

/* The processes to come open no file, the log's neither. */
static bool prepare_confinement(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    confinement_find(&p->means);
    pool_confinement_announce(c, &p->means);
    return c->workers == 0 || log_share() || fail(strerror(errno));
}

bool pool_open(struct pool *p)
{
    const struct config_pool *c = &p->now.config->pool;
    if (!open_log(c) || !write_pid_file(p) || !set_limits(c) ||
        !check_peers(c) || !open_listener(p) || !open_status_listener(p) ||
        !open_scoreboard(p, 0) || !open_board_file(p) || !give_scoreboard(p) ||
        !join_circuits(p, 1) || !open_conn_pool(p) || !open_idle_set(p) ||
        !open_shadow(p) || !set_nice(c) || !drop_privileges(c) ||
        !prepare_confinement(p))
        return false;
    /* All that had to be read from it is read. */
    proctitle_keep_environment(c->env_keep);
    warn_of_root(c);
    return warm_up(p);
}

/* Its directory was perhaps root's, which we are no more. */
static bool open_shared_anew(struct pool *p, uint32_t slots)
{
    if (!open_scoreboard(p, slots))
        return false;
    if (!open_board_file(p))
        log_warn("upgrade: tallyctl does not find the pool any more");
    return open_conn_pool(p) && open_idle_set(p);
}

bool pool_reopen(struct pool *p, uint32_t slots)
{
    if (p->board == NULL && !open_shared_anew(p, slots))
        return false;
    if (!join_circuits(p, p->generation))
        log_warn("upgrade: no breaker until the reload");
    proctitle_keep_environment(p->now.config->pool.env_keep);
    return open_shadow(p) && prepare_confinement(p) && warm_up(p);
}

void pool_forget_rules(struct pool *p)
{
    if (p->confined != NULL)
        confinement_close(&p->confinement);
    p->confined = NULL;
}

static void remove_files(struct pool *p)
{
    char room[BOARD_PLACE_MAX];
    listener_close(&p->listener);
    listener_close(&p->status);
    if (p->now.config == NULL)
        return;
    pidfile_close(p->pid_file, p->now.config->pool.pid_file);
    if (p->board != NULL) {
        board_file_update(p->board);
        board_file_remove(p->board, board_path(p, room));
    }
}

void pool_close(struct pool *p)
{
    bool forked = p->supervisor != 0 && p->supervisor != getpid();
    if (!forked)
        remove_files(p);
    pool_forget_rules(p);
    downstream_free(&p->warm);
    conn_pool_free(&p->conn_pool);
    shadow_queue_free(&p->shadow);
    idle_set_free(&p->idle_set);
    history_free(&p->history);
    log_set_drop_counter(NULL); /* it may be on the scoreboard */
    scoreboard_free(p->board);
    settings_free(&p->now);
    settings_free(&p->next);
    config_environment_free(&p->environment);
    free(p->tried);
    p->tried = NULL;
}
