/* doctor_nginx: see doctor_nginx.h. */
#include "ctl/doctor_nginx.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "ctl/nginx_file.h"

struct visit {
    struct findings *report;
    const struct config *config;
    const struct nginx_file *file;
    const char *path;
    int block; /* the location */
    const struct nginx_block *upstream;
};

/* "http server location /" is of no use to find it; its own words are. */
static const char *title(const struct visit *v)
{
    return v->file->blocks[v->block].title;
}

static bool is_same(const char *listen, const char *target)
{
    struct address a, b;
    return address_parse(listen, &a) && address_parse(target, &b) &&
           a.length == b.length && memcmp(&a.sock, &b.sock, a.length) == 0;
}

/* An address of nginx for one that means all of them. */
static bool leads_to(const char *listen, const char *target)
{
    const char *port = strrchr(listen, ':'), *other = strrchr(target, ':');
    return is_same(listen, target) ||
           (strncmp(listen, "*:", 2) == 0 && other != NULL &&
            strcmp(port, other) == 0);
}

static void look_at_body(const struct visit *v)
{
    int64_t most = nginx_file_max_body(v->file, v->block), needed = 0;
    const char *name = "";
    for (size_t i = 0; i < v->config->endpoint_count; i++)
        if (v->config->endpoints[i]->max_body > needed) {
            needed = v->config->endpoints[i]->max_body;
            name = v->config->endpoints[i]->name;
        }
    if (most != 0 && most < needed)
        findings_wrong(v->report, "nginx",
                       "%s: %s: client_max_body_size is %" PRId64
                       " bytes, max_body of [endpoint %s] %" PRId64
                       ": nginx refuses what lies between; set "
                       "client_max_body_size %" PRId64 "m",
                       v->path, title(v), most, name, needed,
                       (needed >> 20) + 1);
    else
        findings_ok(v->report, "nginx",
                    "%s: client_max_body_size does not cut max_body", title(v));
}

static void look_at_connections(const struct visit *v)
{
    bool kept = nginx_file_keep_conn(v->file, v->block);
    bool keeps = v->upstream != NULL && v->upstream->keepalive;
    if (keeps && !kept)
        findings_wrong(v->report, "nginx",
                       "%s: %s: keepalive of the upstream needs "
                       "fastcgi_keep_conn on",
                       v->path, title(v));
    else if (kept && !keeps)
        findings_wrong(v->report, "nginx",
                       "%s: %s: fastcgi_keep_conn on needs an upstream with "
                       "keepalive 32",
                       v->path, title(v));
    else
        findings_ok(v->report, "nginx", "%s: connections are %s", title(v),
                    kept ? "kept" : "made for each request");
}

static void look_at_queue(const struct visit *v)
{
    if (nginx_file_has_queued_at(v->file, v->block))
        findings_ok(v->report, "nginx",
                    "%s: says when a request is handed over", title(v));
    else
        findings_wrong(v->report, "nginx",
                       "%s: %s: waits for a worker are not measured; add "
                       "fastcgi_param QUEUED_AT $msec",
                       v->path, title(v));
}

/* True: it leads to the pool. */
static bool look_at(struct visit *v)
{
    const char *target = v->file->blocks[v->block].pass;
    v->upstream = nginx_file_upstream(v->file, target);
    if (v->upstream != NULL)
        target = v->upstream->server;
    if (!leads_to(v->config->pool.listen, target))
        return false;
    look_at_body(v);
    look_at_connections(v);
    look_at_queue(v);
    return true;
}

static void look_at_all(struct visit *v)
{
    const char *other = NULL;
    bool found = false;
    for (v->block = 0; v->block < v->file->count; v->block++) {
        const char *pass = v->file->blocks[v->block].pass;
        if (pass[0] == '\0')
            continue;
        if (look_at(v))
            found = true;
        else
            other = v->upstream != NULL ? v->upstream->server : pass;
    }
    if (!found)
        findings_wrong(v->report, "nginx",
                       "%s: no fastcgi_pass leads to listen = %s%s%s; write it "
                       "so, unix: before a path",
                       v->path, v->config->pool.listen,
                       other == NULL ? "" : ", but one to ",
                       other == NULL ? "" : other);
}

void doctor_nginx(struct findings *r, const struct config *c, const char *path)
{
    char why[512];
    struct nginx_file *f = malloc(sizeof *f);
    struct visit v = {.report = r, .config = c, .file = f, .path = path};
    if (f == NULL)
        findings_wrong(r, "nginx", "memory is short");
    else if (!nginx_file_read(f, path, why, sizeof why))
        findings_wrong(r, "nginx", "%s; give the file that nginx reads", why);
    else
        look_at_all(&v);
    free(f);
}
