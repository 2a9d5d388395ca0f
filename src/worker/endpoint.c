/* endpoint: see endpoint.h. */
#include "worker/endpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "config/config_setting.h"

/* config_load() has let no other pass. */
static enum link_http http_of(const char *text)
{
    return strcmp(text, "1.1") == 0 ? LINK_HTTP_1_1
           : strcmp(text, "2") == 0 ? LINK_HTTP_2
                                    : LINK_HTTP_2_PRIOR_KNOWLEDGE;
}

struct link_settings endpoint_link(const struct config_endpoint *c)
{
    return (struct link_settings){.name = "downstream",
                                  .url = c->downstream,
                                  .socket = c->downstream_socket,
                                  .ca = c->downstream_ca,
                                  .cert = c->downstream_cert,
                                  .key = c->downstream_key,
                                  .proxy = c->downstream_proxy,
                                  .idle = c->downstream_idle,
                                  .lifetime = c->downstream_lifetime,
                                  .connect_timeout = c->connect_timeout};
}

static bool open_downstream(struct endpoint *e, bool tried, char *why,
                            size_t why_size)
{
    const struct config_endpoint *c = e->config;
    if (c->downstream[0] == '\0')
        return true;
    struct link_settings link = endpoint_link(c);
    link.http = http_of(c->downstream_http);
    link.tried = tried;
    const struct downstream_settings s = {
        .link = link,
        .timeout = c->timeout,
        .max_reply = (uint64_t)c->downstream_max_reply,
        .resend = c->resend == CONFIG_resend_once,
        .whole_transfer = config_needs_libcurl(c),
    };
    char cause[256];
    e->target = downstream_target_new(&s, cause, sizeof cause);
    if (e->target == NULL)
        snprintf(why, why_size, "[endpoint %s] %s", c->name, cause);
    return e->target != NULL;
}

static bool open_sample(struct endpoint *e, char *why, size_t why_size)
{
    const struct config_endpoint *c = e->config;
    size_t most = c->max_body < (int64_t)ENDPOINT_SAMPLE_MAX
                      ? (size_t)c->max_body
                      : ENDPOINT_SAMPLE_MAX;
    char cause[300];
    if (c->selftest_file[0] == '\0' ||
        whole_file_load(&e->sample, c->selftest_file, most, cause,
                        sizeof cause))
        return true;
    snprintf(why, why_size, "[endpoint %s] selftest_file = %s", c->name, cause);
    return false;
}

/* A name as JSON, its colon and the comma before it. */
#define QUOTED_MAX (6 * SETTING_MEMBER_MAX + 4)
_Static_assert(PROGRAM_COPIES_MAX *(QUOTED_MAX + PROGRAM_COPY_MAX) +
                       PROGRAM_RESULTS_MAX * (QUOTED_MAX + TALLY_TEXT_MAX) +
                       sizeof "{}" <=
                   DOWNSTREAM_BODY_MAX,
               "any result can be posted");

static bool open_program(struct endpoint *e, char *why, size_t why_size)
{
    struct query_error error;
    if (config_is_plain(e->config) ||
        config_compile(e->config, &e->program, &error))
        return true;
    snprintf(why, why_size, "[endpoint %s] %s: %s", e->config->name, error.key,
             error.message);
    return false;
}

static bool open_endpoint(struct endpoint *e, const struct config_endpoint *c,
                          bool tried, char *why, size_t why_size)
{
    e->config = c;
    e->path_len = strlen(c->path);
    e->below = c->path[e->path_len - 1] == '/';
    struct buf opening;
    buf_init(&opening, e->opening, sizeof e->opening);
    buf_char(&opening, '{');
    program_print_text(&opening, c->result, strlen(c->result));
    buf_char(&opening, ':');
    e->opening_len = opening.len;
    if (opening.overflow ||
        opening.len + TALLY_TEXT_MAX > DOWNSTREAM_BODY_MAX) {
        snprintf(why, why_size, "[endpoint %s] result: too long as JSON",
                 c->name);
        return false;
    }
    return open_program(e, why, why_size) &&
           (open_sample(e, why, why_size) || tried) &&
           open_downstream(e, tried, why, why_size);
}

/* Half of the longest that a post can take. */
static int64_t time_enough(const struct config *c,
                           const struct config_endpoint *e)
{
    int64_t limit = c->pool.request_timeout;
    return (limit > 0 && limit < e->timeout ? limit : e->timeout) / 2;
}

struct endpoint_table *endpoint_table_new(const struct config *c, char *why,
                                          size_t why_size)
{
    struct endpoint_table *t = calloc(1, sizeof *t);
    if (t == NULL) {
        snprintf(why, why_size, "memory is short");
        return NULL;
    }
    for (size_t i = 0; i < c->endpoint_count && t != NULL; i++) {
        t->count++;
        t->list[i].time_enough = time_enough(c, c->endpoints[i]);
        if (!open_endpoint(&t->list[i], c->endpoints[i], c->tried, why,
                           why_size))
            endpoint_table_free(&t);
    }
    return t;
}

void endpoint_table_free(struct endpoint_table **t)
{
    if (*t == NULL)
        return;
    for (size_t i = 0; i < (*t)->count; i++) {
        downstream_target_free(&(*t)->list[i].target);
        whole_file_free(&(*t)->list[i].sample);
        program_free(&(*t)->list[i].program);
    }
    free(*t);
    *t = NULL;
}

/* A probe takes `timeout` at most; another second is for the rest of it. */
static struct breaker_rules rules_of(const struct config_endpoint *c)
{
    return (struct breaker_rules){
        .failures = (uint32_t)c->breaker,
        .cooldown = c->breaker_cooldown / CLOCK_MS,
        .lease = (c->timeout + CLOCK_SECOND) / CLOCK_MS,
    };
}

static uint64_t key_of(const struct config_endpoint *c)
{
    return circuit_key(c->name, c->downstream, c->downstream_socket);
}

bool endpoint_table_join(struct endpoint_table *t, struct scoreboard *b,
                         uint32_t generation)
{
    uint32_t oldest = scoreboard_oldest(b, generation);
    for (size_t i = 0; i < t->count; i++) {
        struct endpoint *e = &t->list[i];
        if (e->config->breaker == 0)
            continue;
        e->rules = rules_of(e->config);
        e->circuit =
            circuit_claim(b->circuits, key_of(e->config), generation, oldest);
        if (e->circuit == NULL)
            return false;
    }
    return true;
}

static bool claims(const struct endpoint *e, const char *path, size_t n)
{
    if (n < e->path_len || memcmp(path, e->config->path, e->path_len) != 0)
        return false;
    return n == e->path_len || e->below;
}

const struct endpoint *endpoint_find(const struct endpoint_table *t,
                                     const char *path, size_t n)
{
    const struct endpoint *best = NULL;
    for (size_t i = 0; i < t->count; i++)
        if (claims(&t->list[i], path, n) &&
            (best == NULL || t->list[i].path_len > best->path_len))
            best = &t->list[i];
    return best;
}
