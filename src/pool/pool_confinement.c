/* pool_confinement: see pool_confinement.h. */
#include "pool/pool_confinement.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "downstream/link_target.h"
#include "shadow/shadow.h"
#include "worker/endpoint.h"

#define DNS_PORT 53

/* Where NSS (nsswitch.conf(5)) and OpenSSL find what they load and read. /etc
 * as a whole: who changes what resolvers read there puts a new file in its
 * place, and a rule for the file itself would hold for the old one. */
static const char *const of_names[] = {
    "/etc", "/run/systemd/resolve", "/usr/lib", "/usr/lib64", "/lib", "/lib64"};
static const char *const of_tls[] = {
    "/etc/ssl", "/etc/pki", "/etc/ca-certificates",
    "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static enum confinement_mode mode_of(const struct config_pool *c)
{
    static const enum confinement_mode modes[] = {
        [CONFIG_sandbox_auto] = CONFINEMENT_AUTO,
        [CONFIG_sandbox_off] = CONFINEMENT_OFF,
        [CONFIG_sandbox_strict] = CONFINEMENT_STRICT};
    return modes[c->sandbox];
}

bool pool_confinement_check(const struct config_pool *c, char *why,
                            size_t why_size)
{
    struct confinement_means m;
    char what[200];
    if (c->sandbox != CONFIG_sandbox_strict)
        return true;
    confinement_find(&m);
    if (confinement_is_whole(&m))
        return true;
    confinement_print(&m, what, sizeof what);
    snprintf(why, why_size, "sandbox = strict: %s", what);
    return false;
}

void pool_confinement_announce(const struct config_pool *c,
                               const struct confinement_means *m)
{
    char what[200];
    if (c->sandbox == CONFIG_sandbox_off)
        return;
    confinement_print(m, what, sizeof what);
    if (confinement_is_whole(m))
        log_debug("sandbox: %s", what);
    else
        log_warn("sandbox = auto: not all of it is there: %s", what);
}

/* --- Who is asked. --- */

static unsigned allow_all(struct confinement *c, const char *const *paths,
                          size_t n)
{
    for (size_t i = 0; i < n; i++)
        confinement_allow_path(c, paths[i], LANDLOCK_READ);
    return SYSCALL_FILTER_READS;
}

static unsigned allow_names(struct confinement *c)
{
    confinement_allow_file(c, "/etc/resolv.conf",
                           LANDLOCK_READ); /* often a link */
    confinement_allow_connect(c, DNS_PORT);
    return SYSCALL_FILTER_RESOLVES | allow_all(c, of_names, COUNT(of_names));
}

static unsigned allow_tls(struct confinement *c, const struct link_settings *s)
{
    confinement_allow_file(c, s->ca, LANDLOCK_READ);
    confinement_allow_file(c, s->cert, LANDLOCK_READ);
    confinement_allow_file(c, s->key, LANDLOCK_READ);
    confinement_allow_file(c, link_target_system_ca(), LANDLOCK_READ);
    return allow_all(c, of_tls, COUNT(of_tls));
}

/* Let the process reach this URL; gives what that takes. */
static unsigned allow_peer(struct confinement *c, const struct link_settings *s)
{
    char why[256];
    unsigned work = 0;
    /* Files that have gone since the settings were read are no reason. */
    const struct link_settings bare = {.name = s->name,
                                       .url = s->url,
                                       .socket = s->socket,
                                       .ca = "",
                                       .cert = "",
                                       .key = "",
                                       .proxy = s->proxy};
    if (s->url[0] == '\0')
        return 0;
    struct link_target *t = link_target_new(&bare, why, sizeof why);
    if (t == NULL)
        return 0;
    const struct link_target_needs needs = link_target_needs(t);
    if (needs.tls)
        work |= allow_tls(c, s);
    if (needs.name)
        work |= allow_names(c);
    if (needs.port != 0)
        confinement_allow_connect(c, needs.port);
    link_target_free(&t);
    return work |
           (needs.port == 0 ? SYSCALL_FILTER_UNIX : SYSCALL_FILTER_CONNECTS);
}

static unsigned allow_downstreams(struct confinement *c,
                                  const struct config *config)
{
    unsigned work = 0;
    for (size_t i = 0; i < config->endpoint_count; i++) {
        const struct link_settings s = endpoint_link(config->endpoints[i]);
        work |= allow_peer(c, &s);
    }
    return work;
}

/* --- Which files. --- */

static unsigned allow_files(struct confinement *c, const char *const *paths,
                            size_t n, unsigned rights)
{
    unsigned work = 0;
    for (size_t i = 0; i < n; i++) {
        confinement_allow_file(c, paths[i], rights);
        if (paths[i][0] != '\0')
            work = SYSCALL_FILTER_KEEPS;
    }
    return work;
}

static unsigned allow_shadow(struct confinement *c,
                             const struct config_shadow *s)
{
    const struct link_settings url = shadow_link(s);
    const char *const files[] = {s->sample_file, s->result_file,
                                 s->totals_file};
    return allow_peer(c, &url) |
           allow_files(c, files, COUNT(files),
                       LANDLOCK_READ | LANDLOCK_WRITE | LANDLOCK_REMOVE);
}

/* Without a supervisor a process opens the log again, and removes at its end
 * what it has made. */
static unsigned allow_own_files(struct confinement *c,
                                const struct config_pool *p)
{
    const char *socket = p->listen;
    if (strncmp(socket, "unix:", 5) == 0)
        socket += 5;
    const char *const logs[] = {p->log_file, p->access_log, p->slow_log};
    const char *const made[] = {p->pid_file, p->scoreboard,
                                socket[0] == '/' ? socket : ""};
    return allow_files(c, logs, COUNT(logs), LANDLOCK_WRITE) |
           allow_files(c, made, COUNT(made), LANDLOCK_REMOVE);
}

/* The limits are compared with the kernel's queue. */
static unsigned allow_limits(const struct config_pool *p)
{
    return p->queue_timeout != 0 || p->queue_limit != 0 ? SYSCALL_FILTER_COUNTS
                                                        : 0;
}

/* A core file counts as one that the process makes (core(5)). Whoever asks for
 * one gets it, but not if that would take the whole file system. */
static void allow_core(struct confinement *c)
{
    char pattern[PATH_MAX] = "", place[2 * PATH_MAX] = "";
    FILE *f = fopen("/proc/sys/kernel/core_pattern", "re");
    if (f == NULL)
        return;
    bool file = fgets(pattern, sizeof pattern, f) != NULL && pattern[0] != '|';
    fclose(f);
    if (!file || (pattern[0] != '/' && getcwd(place, PATH_MAX) == NULL))
        return;
    size_t n = strlen(place);
    snprintf(place + n, sizeof place - n, "/%s", pattern);
    *strrchr(place, '/') = '\0';
    if (strspn(place, "/") < strlen(place))
        confinement_allow_path(c, place, LANDLOCK_READ | LANDLOCK_WRITE);
}

void pool_confinement_open(struct confinement *c,
                           enum pool_confinement_kind kind,
                           const struct config *config,
                           const struct confinement_means *means,
                           pid_t supervisor)
{
    static const unsigned work[] = {
        [POOL_CONFINEMENT_WORKER] =
            SYSCALL_FILTER_SERVES | SYSCALL_FILTER_CALLS,
        [POOL_CONFINEMENT_MONITOR] =
            SYSCALL_FILTER_SHOWS | SYSCALL_FILTER_READS,
        [POOL_CONFINEMENT_SHADOW] = SYSCALL_FILTER_SAMPLES,
        [POOL_CONFINEMENT_ALONE] =
            SYSCALL_FILTER_SERVES | SYSCALL_FILTER_WATCHES};
    confinement_open(c, mode_of(&config->pool), means, work[kind], supervisor);
    switch (kind) {
    case POOL_CONFINEMENT_MONITOR:
        /* The memory of the processes. */
        confinement_allow_path(c, "/proc", LANDLOCK_READ);
        break;
    case POOL_CONFINEMENT_SHADOW:
        c->filter.work |= allow_shadow(c, &config->shadow);
        break;
    case POOL_CONFINEMENT_ALONE:
        c->filter.work |= allow_own_files(c, &config->pool) |
                          allow_downstreams(c, config) |
                          allow_limits(&config->pool);
        break;
    case POOL_CONFINEMENT_WORKER:
        c->filter.work |=
            allow_downstreams(c, config) | allow_limits(&config->pool);
        break;
    }
    if (config->pool.rlimit_core == CONFIG_rlimit_core_unlimited)
        allow_core(c);
    if (log_has_socket())
        c->filter.work |= SYSCALL_FILTER_LOGS;
}
