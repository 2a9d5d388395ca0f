/* doctor: see doctor.h. */
#include "ctl/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/whole_file.h"
#include "conn_pool/conn_pool.h"
#include "ctl/certificate.h"
#include "ctl/doctor_nginx.h"
#include "ctl/findings.h"
#include "ctl/options.h"
#include "downstream/link.h"
#include "os/access_as.h"
#include "os/confinement.h"
#include "os/process.h"
#include "pool/preflight.h"
#include "pool/settings.h"
#include "shadow/shadow.h"
#include "worker/endpoint.h"

#define CERTIFICATES_MOST ((size_t)1 << 20)
#define CONNECT_MS 2000
#define EXPIRES_SOON (14L * 24 * 3600)

#define OPTIONS_STRUCT doctor_options
#define OPTIONS_FILE "ctl/doctor_options.def"
#include "ctl/options_declare.h"

static const struct options_table table = {
    .program = "tallyctl",
    .command = "doctor",
    .usage = "[OPTION...]",
    .about = "Look for what keeps requests from being served: a line for each "
             "thing, ok or what\nis wrong with the cure. Nothing is posted and "
             "nothing is changed.\n",
    OPTIONS_ROWS(doctor_options_rows),
};

struct visit {
    struct findings report;
    const struct doctor_options *options;
    struct config *config;
    uint32_t connections; /* room for so many */
    pid_t pool;           /* that runs with these settings; 0: none is found */
};

/* --- The pool. --- */

static const char *settings_name(const struct visit *v)
{
    return v->options->config[0] == '\0' ? "the defaults" : v->options->config;
}

static void look_at_pool(struct visit *v)
{
    if (v->pool != 0)
        findings_ok(&v->report, "pool", "process %d runs with these settings",
                    (int)v->pool);
    else
        findings_wrong(&v->report, "pool",
                       "none runs with the scoreboard of %s; start tallyd",
                       settings_name(v));
}

/* What would stop the start of a pool that does not run. */
static void look_at_start(struct visit *v, const struct settings *s,
                          const struct settings_source *source)
{
    char *text = NULL, *rest, *line;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        return;
    bool good = preflight(s, source, true, out);
    if (fclose(out) == 0 && !good)
        for (rest = text; (line = strsep(&rest, "\n")) != NULL;)
            if (strncmp(line, "tallyd: ", 8) == 0 &&
                strncmp(line, "tallyd: note", 12) != 0)
                findings_wrong(&v->report, "start", "%s", line + 8);
    if (good)
        findings_ok(&v->report, "start", "nothing is in its way");
    free(text);
}

/* --- Where the web server connects. --- */

static bool find_web_user(const struct visit *v, struct access_who *who,
                          const char **name)
{
    static const char *const usual[] = {"www-data", "nginx", "apache", "http"};
    if (v->options->user[0] != '\0') {
        *name = v->options->user;
        return access_as_find(who, *name);
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        *name = usual[i];
        if (access_as_find(who, *name))
            return true;
    }
    *name = "www-data";
    return false;
}

/* How a connection that was begun has ended. */
static int finish_connect(int fd)
{
    int error = 0;
    socklen_t n = sizeof error;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (poll(&p, 1, CONNECT_MS) == 0)
        return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error
                                                                 : errno;
}

/* 0: somebody listens, perhaps with a full queue. */
static int try_address(const struct address *a)
{
    int fd = socket(a->sock.any.sa_family,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = 0;
    if (fd < 0 || connect(fd, &a->sock.any, a->length) != 0)
        error = errno;
    if (error == EINPROGRESS)
        error = finish_connect(fd);
    if (fd >= 0)
        close(fd);
    return error == EAGAIN ? 0 : error;
}

static void tell_socket(struct visit *v, const char *user, const char *path,
                        const char *at)
{
    int error = errno;
    const char *cure =
        error == ENOENT ? "start the pool, and see listen"
        : strcmp(at, path) == 0
            ? "set socket_group to a group of that user and socket_mode = 0660"
            : "chmod o+x that directory, or let listen be below /run";
    findings_wrong(&v->report, "socket",
                   "user %s cannot write to %s: %s: %s; %s", user, path, at,
                   strerror(error), cure);
}

static void look_at_unix(struct visit *v, const struct address *a)
{
    char at[PATH_MAX];
    struct access_who who;
    const char *user, *path = a->sock.un.sun_path;
    if (!find_web_user(v, &who, &user))
        findings_wrong(&v->report, "socket",
                       "there is no user %s; name the web server's with --user",
                       user);
    else if (!access_as(&who, path, W_OK, at))
        tell_socket(v, user, path, at);
    else if (try_address(a) == ECONNREFUSED)
        findings_wrong(&v->report, "socket",
                       "nobody listens on %s; start tallyd", path);
    else
        findings_ok(&v->report, "socket", "user %s can connect to %s", user,
                    path);
}

static void look_at_listen(struct visit *v)
{
    struct address a;
    const char *listen = v->config->pool.listen;
    if (!address_parse(listen, &a))
        return; /* of no settings that are good */
    if (a.sock.any.sa_family == AF_UNIX) {
        look_at_unix(v, &a);
        return;
    }
    int error = try_address(&a);
    if (error != 0)
        findings_wrong(&v->report, "socket", "listen = %s: %s; start tallyd",
                       listen, strerror(error));
    else
        findings_ok(&v->report, "socket", "listen = %s takes connections",
                    listen);
}

/* --- Limits. --- */

/* The hard limit of open files: of the pool, or else of this process. */
static uint64_t files_limit(pid_t pid)
{
    char path[40], line[200];
    unsigned long long most = UINT64_MAX;
    snprintf(path, sizeof path, "/proc/%d/limits", (int)pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "Max open files %*s %llu", &most) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return most;
}

/* Descriptors in use; -1: the kernel does not show them. */
static int files_open(pid_t pid)
{
    char path[40];
    int n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *d = opendir(path);
    if (d == NULL)
        return -1;
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void look_at_files(struct visit *v)
{
    const struct config_pool *c = &v->config->pool;
    pid_t pid = v->pool > 0 ? v->pool : getpid();
    uint64_t most = v->pool <= 0 && c->rlimit_files > 0
                        ? (uint64_t)c->rlimit_files
                        : files_limit(pid);
    uint64_t needed = conn_pool_files(v->connections);
    int used = v->pool > 0 ? files_open(pid) : -1;
    if (most < needed)
        findings_wrong(&v->report, "files",
                       "%" PRIu64 " may be open, max_connections = %" PRIu32
                       " needs %" PRIu64
                       "; raise LimitNOFILE= or rlimit_files, or lower "
                       "max_connections",
                       most, v->connections, needed);
    else if (used >= 0)
        findings_ok(&v->report, "files", "%d of %" PRIu64 " are open", used,
                    most);
    else
        findings_ok(&v->report, "files",
                    "%" PRIu64 " may be open, %" PRIu64 " are needed at most",
                    most, needed);
}

static void look_at_backlog(struct visit *v)
{
    const int64_t backlog = v->config->pool.backlog;
    long long most = 0;
    FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
    bool known = f != NULL && fscanf(f, "%lld", &most) == 1;
    if (f != NULL)
        fclose(f);
    if (known && most < backlog)
        findings_wrong(&v->report, "backlog",
                       "backlog = %" PRId64
                       " is cut to %lld by the kernel; sysctl "
                       "net.core.somaxconn=%" PRId64,
                       backlog, most, backlog);
    else
        findings_ok(&v->report, "backlog", "%" PRId64 " connections may wait",
                    backlog);
}

static void look_at_user(struct visit *v)
{
    uid_t uid = v->pool > 0 ? process_user(v->pool) : geteuid();
    const char *user = v->config->pool.user;
    if (uid == 0 && user[0] == '\0')
        findings_wrong(&v->report, "user",
                       "the pool runs as root; set user in [pool] to one that "
                       "owns nothing else");
    else
        findings_ok(&v->report, "user", "the pool does not run as root");
}

/* What `strict` asks for is a fault of the settings where it is missing. */
static void look_at_sandbox(struct visit *v)
{
    char what[200];
    struct confinement_means m;
    if (v->config->pool.sandbox == CONFIG_sandbox_off) {
        findings_ok(&v->report, "sandbox", "off, as the settings say");
        return;
    }
    confinement_find(&m);
    confinement_print(&m, what, sizeof what);
    findings_ok(&v->report, "sandbox", "%s%s", what,
                confinement_is_whole(&m)
                    ? ""
                    : "; the pool goes on without what is missing");
}

/* --- Downstreams. --- */

static void look_at_certificates(struct visit *v, const char *key,
                                 const char *path, bool bundle)
{
    char why[300], day[20];
    struct whole_file f;
    struct tm tm;
    time_t until, now = time(NULL);
    if (path[0] == '\0')
        return;
    if (!whole_file_load(&f, path, CERTIFICATES_MOST, why, sizeof why)) {
        findings_wrong(&v->report, "tls", "%s = %s: %s", key, path, why);
        return;
    }
    bool found = certificate_until(f.bytes, f.len, bundle, &until);
    whole_file_free(&f);
    if (!found) {
        findings_wrong(&v->report, "tls", "%s = %s: no certificate (PEM) in it",
                       key, path);
        return;
    }
    strftime(day, sizeof day, "%Y-%m-%d", gmtime_r(&until, &tm));
    if (until < now)
        findings_wrong(&v->report, "tls", "%s = %s: expired on %s; renew it",
                       key, path, day);
    else if (until - now < EXPIRES_SOON)
        findings_wrong(&v->report, "tls", "%s = %s: expires on %s; renew it",
                       key, path, day);
    else
        findings_ok(&v->report, "tls", "%s = %s: until %s", key, path, day);
}

/* Connect, as a worker would, and speak TLS; nothing is sent. */
static void look_at_target(struct visit *v, const struct link_settings *s,
                           const char *where)
{
    char cause[300] = "memory is short";
    bool fresh;
    const char *why = cause;
    int64_t now = clock_now();
    enum outcome o = OUTCOME_internal;
    struct link_set *all = link_set_new();
    struct link_target *t =
        all == NULL ? NULL : link_target_new(s, cause, sizeof cause);
    struct link *l = t == NULL ? NULL : link_to(all, t);
    if (l != NULL)
        o = link_open(l, now, now + s->connect_timeout, &fresh, &why);
    if (o == OUTCOME_ok)
        findings_ok(&v->report, "downstream", "%s: %s is reached", where,
                    s->url);
    else
        findings_wrong(
            &v->report, "downstream",
            "%s: %s: %s; start it, or see its name, %s and firewalls", where,
            s->url, why, s->name);
    link_set_free(&all);
    link_target_free(&t);
}

static void look_at_endpoint(struct visit *v, const struct config_endpoint *e)
{
    char where[100];
    const struct link_settings s = endpoint_link(e);
    snprintf(where, sizeof where, "[endpoint %s]", e->name);
    if (e->downstream[0] == '\0')
        return;
    look_at_certificates(v, "downstream_ca", e->downstream_ca, true);
    look_at_certificates(v, "downstream_cert", e->downstream_cert, false);
    if (e->downstream_proxy[0] != '\0')
        findings_ok(&v->report, "downstream", "%s: behind a proxy, not tried",
                    where);
    else
        look_at_target(v, &s, where);
}

static void look_at_downstreams(struct visit *v)
{
    const struct config_shadow *shadow = &v->config->shadow;
    const struct link_settings s = shadow_link(shadow);
    for (size_t i = 0; i < v->config->endpoint_count; i++)
        look_at_endpoint(v, v->config->endpoints[i]);
    if (shadow->url[0] == '\0')
        return;
    look_at_certificates(v, "url_ca", shadow->url_ca, true);
    look_at_certificates(v, "url_cert", shadow->url_cert, false);
    look_at_target(v, &s, "[shadow]");
}

/* --- All of it. --- */

static void visit(const struct doctor_options *o,
                  const struct config_environment *e, struct findings *r)
{
    char why[CONFIG_ERROR_MAX];
    struct settings s;
    struct visit v = {.options = o};
    const struct settings_source source = {
        .path = o->config[0] == '\0' ? NULL : o->config,
        .environment = e,
        .overrides = o->set.values,
        .override_count = o->set.count};
    if (!settings_load(&s, &source, why)) {
        findings_wrong(r, "settings", "%s", why);
        return;
    }
    v.config = s.config;
    v.connections = s.capacity.connections;
    v.pool = preflight_pool(&s.config->pool);
    if (settings_try(&s, &source, why))
        findings_ok(&v.report, "settings", "%s", settings_name(&v));
    else
        findings_wrong(&v.report, "settings", "%s", why);
    look_at_pool(&v);
    if (v.pool == 0)
        look_at_start(&v, &s, &source);
    look_at_listen(&v);
    look_at_user(&v);
    look_at_files(&v);
    look_at_backlog(&v);
    look_at_sandbox(&v);
    look_at_downstreams(&v);
    if (o->nginx[0] != '\0')
        doctor_nginx(&v.report, s.config, o->nginx);
    r->bad = v.report.bad;
    settings_free(&s);
}

static void visit_here(const struct doctor_options *o, struct findings *r)
{
    char room[CONFIG_ERROR_MAX];
    struct config_environment e;
    struct buf why;
    buf_init(&why, room, sizeof room);
    if (!config_environment_take(&e, (const char *const *)environ, &why)) {
        findings_wrong(r, "settings", "%s", room);
        return;
    }
    visit(o, &e, r);
    config_environment_free(&e);
}

int doctor_main(int argc, char **argv)
{
    struct doctor_options o = {0};
    struct findings r = {.bad = false};
    int status = options_parse(&table, &o, argc, argv);
    if (status == OPTIONS_GO) {
        visit_here(&o, &r);
        status = r.bad ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    options_clear(&table, &o);
    return status;
}
