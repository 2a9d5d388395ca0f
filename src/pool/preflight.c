/* preflight: see preflight.h. */
#include "pool/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/place.h"
#include "listen/listener.h"
#include "os/access_as.h"
#include "os/pidfile.h"
#include "scoreboard/board_file.h"
#include "scoreboard/board_place.h"

#define WHY 600

struct looking {
    const struct settings *s;
    const struct settings_source *source;
    bool trial;
    pid_t pool; /* it runs with these settings; 0: none, or no trial */
    FILE *out;
    bool good;
};

/* `what` begins with the key. */
static void tell(struct looking *l, const struct config_section *section,
                 const char *what, bool note)
{
    char key[64], room[CONFIG_ERROR_MAX];
    struct buf place;
    buf_init(&place, room, sizeof room);
    snprintf(key, sizeof key, "%.*s", (int)strcspn(what, " "), what);
    settings_put_place(&place, l->source, section, key);
    fprintf(l->out, "tallyd: %s%s%s\n", note ? "note: " : "", room, what);
    if (!note)
        l->good = false;
}

static void tell_pool(struct looking *l, const char *what, bool note)
{
    const struct config_section pool = config_pool_section(l->s->config);
    tell(l, &pool, what, note);
}

static pid_t holder_of(const char *path)
{
    int fd = path[0] == '\0'
                 ? -1
                 : open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return 0;
    pid_t holder = board_file_holder(fd);
    close(fd);
    return holder;
}

pid_t preflight_pool(const struct config_pool *c)
{
    char path[BOARD_PLACE_MAX];
    pid_t pid = holder_of(c->scoreboard);
    for (int i = 0; pid == 0 && c->scoreboard[0] == '\0' && i < BOARD_PLACES;
         i++)
        if (board_place(i, c->name, path))
            pid = holder_of(path);
    return pid != 0 ? pid : holder_of(c->pid_file);
}

/* --- What a start makes. --- */

static void look_at_socket(struct looking *l, const char *key,
                           const char *address, bool own)
{
    char why[WHY];
    unsigned line;
    const struct config_pool *c = &l->s->config->pool;
    const struct config_section pool = config_pool_section(l->s->config);
    const struct listener_config what = {.key = key,
                                         .own = own,
                                         .listen = address,
                                         .owner = c->socket_owner,
                                         .group = c->socket_group};
    if (address[0] != '\0' && !listener_check(&what, l->pool, why, sizeof why))
        tell_pool(l, why, l->trial && !config_is_given(&pool, key, &line));
}

static void look_at_log(struct looking *l, const char *key, const char *path)
{
    char why[WHY];
    if (path[0] == '\0' || place_may_write_path(path))
        return;
    snprintf(why, sizeof why,
             "%s = %.300s: %s; the directory must exist, and it or the file be "
             "writable",
             key, path, strerror(errno));
    tell_pool(l, why, false);
}

static void look_at_pool(struct looking *l)
{
    char why[WHY];
    const struct config_pool *c = &l->s->config->pool;
    look_at_log(l, "log_file", c->log_file);
    look_at_log(l, "access_log", c->access_log);
    look_at_log(l, "slow_log", c->slow_log);
    if (c->pid_file[0] != '\0' &&
        !pidfile_check(c->pid_file, l->trial, why, sizeof why))
        tell_pool(l, why, false);
    look_at_socket(l, "listen", c->listen, false);
    look_at_socket(l, "status_listen", c->status_listen, true);
    if (c->scoreboard[0] != '\0' &&
        !board_file_check(c->scoreboard, l->trial, why, sizeof why))
        tell_pool(l, why, false);
}

/* --- What the workers read, as the pool's user. --- */

struct reading {
    struct looking *looking;
    struct access_who who;
    const char *user;
};

static void look_at_file(struct reading *r, const struct config_section *s,
                         const char *key, const char *path)
{
    char at[PATH_MAX], why[WHY];
    if (path[0] == '\0' || access_as(&r->who, path, R_OK, at))
        return;
    snprintf(why, sizeof why,
             "%s = %.200s: user %.60s cannot read it: %.200s: %s", key, path,
             r->user, at, strerror(errno));
    tell(r->looking, s, why, false);
}

/* As ourselves they have been read by now. */
static void look_at_files(struct looking *l)
{
    const struct config *c = l->s->config;
    const struct config_section shadow = config_shadow_section(l->s->config);
    struct reading r = {.looking = l, .user = c->pool.user};
    if (geteuid() != 0 || r.user[0] == '\0' || !access_as_find(&r.who, r.user))
        return;
    for (size_t i = 0; i < c->endpoint_count; i++) {
        struct config_endpoint *e = c->endpoints[i];
        const struct config_section s = config_endpoint_section(e);
        look_at_file(&r, &s, "downstream_ca", e->downstream_ca);
        look_at_file(&r, &s, "downstream_cert", e->downstream_cert);
        look_at_file(&r, &s, "downstream_key", e->downstream_key);
        look_at_file(&r, &s, "selftest_file", e->selftest_file);
    }
    look_at_file(&r, &shadow, "url_ca", c->shadow.url_ca);
    look_at_file(&r, &shadow, "url_cert", c->shadow.url_cert);
    look_at_file(&r, &shadow, "url_key", c->shadow.url_key);
}

bool preflight(const struct settings *s, const struct settings_source *source,
               bool trial, FILE *out)
{
    struct looking l = {.s = s,
                        .source = source,
                        .trial = trial,
                        .pool = trial ? preflight_pool(&s->config->pool) : 0,
                        .out = out,
                        .good = true};
    look_at_pool(&l);
    look_at_files(&l);
    return l.good;
}
