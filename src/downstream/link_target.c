/* link_target: see link_target.h. */
#include "downstream/link_target.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct link_target {
    struct link_settings settings;
    CURLU *url;
    struct link_url parts;
    bool tls;
};

static const char *or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? NULL : text;
}

static bool readable(const char *path, const char *name, const char *key,
                     char *why, size_t room)
{
    if (or_null(path) == NULL || access(path, R_OK) == 0)
        return true;
    snprintf(why, room, "%s_%s = %s: the file cannot be read", name, key, path);
    return false;
}

/* False: memory is short. */
static bool take_part(CURLU *url, CURLUPart part, unsigned flags, char **out)
{
    return curl_url_get(url, part, out, flags) != CURLUE_OUT_OF_MEMORY;
}

static bool see_scheme(struct link_target *t)
{
    char *scheme = NULL;
    take_part(t->url, CURLUPART_SCHEME, 0, &scheme);
    t->tls = scheme != NULL && strcmp(scheme, "https") == 0;
    curl_free(scheme);
    return scheme != NULL;
}

static CURLUcode parse(struct link_target *t)
{
    struct link_url *p = &t->parts;
    t->url = curl_url();
    if (t->url == NULL)
        return CURLUE_OUT_OF_MEMORY;
    CURLUcode code = curl_url_set(t->url, CURLUPART_URL, t->settings.url, 0);
    if (code == CURLUE_OK)
        code = curl_url_get(t->url, CURLUPART_HOST, &p->host, CURLU_PUNYCODE);
    if (code != CURLUE_OK || !see_scheme(t))
        return code != CURLUE_OK ? code : CURLUE_OUT_OF_MEMORY;
    return take_part(t->url, CURLUPART_PATH, 0, &p->path) &&
                   take_part(t->url, CURLUPART_QUERY, 0, &p->query) &&
                   take_part(t->url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT,
                             &p->port) &&
                   take_part(t->url, CURLUPART_USER, CURLU_URLDECODE,
                             &p->user) &&
                   take_part(t->url, CURLUPART_PASSWORD, CURLU_URLDECODE,
                             &p->password)
               ? CURLUE_OK
               : CURLUE_OUT_OF_MEMORY;
}

struct link_target *link_target_new(const struct link_settings *s, char *why,
                                    size_t why_size)
{
    if (!s->tried && (!readable(s->ca, s->name, "ca", why, why_size) ||
                      !readable(s->cert, s->name, "cert", why, why_size) ||
                      !readable(s->key, s->name, "key", why, why_size)))
        return NULL;
    struct link_target *t = calloc(1, sizeof *t);
    CURLUcode code = CURLUE_OUT_OF_MEMORY;
    if (t != NULL) {
        t->settings = *s;
        code = parse(t);
    }
    if (code == CURLUE_OK)
        return t;
    snprintf(why, why_size, "%s = %.120s: %s", s->name, s->url,
             curl_url_strerror(code));
    link_target_free(&t);
    return NULL;
}

void link_target_free(struct link_target **t)
{
    if (*t == NULL)
        return;
    char *const parts[] = {(*t)->parts.path, (*t)->parts.query,
                           (*t)->parts.host, (*t)->parts.port,
                           (*t)->parts.user, (*t)->parts.password};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        curl_free(parts[i]);
    curl_url_cleanup((*t)->url);
    free(*t);
    *t = NULL;
}

const struct link_url *link_target_url(const struct link_target *t)
{
    return &t->parts;
}

const struct link_settings *link_target_settings(const struct link_target *t)
{
    return &t->settings;
}

bool link_target_is_tls(const struct link_target *t)
{
    return t->tls;
}

/* --- What it takes. --- */

#define PROXY_PORT 1080 /* CURLOPT_PROXY(3), but for https */

static bool is_number(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return host[0] == '[' || inet_pton(AF_INET, host, address) == 1;
}

static uint16_t number_of(const char *port, uint16_t usual)
{
    return port == NULL ? usual : (uint16_t)strtoul(port, NULL, 10);
}

/* A proxy of another kind than HTTP may leave the name of the target to us. */
static void need_proxy(struct link_target_needs *needs, const char *proxy)
{
    char *host = NULL, *port = NULL;
    CURLU *url = curl_url();
    if (url != NULL && curl_url_set(url, CURLUPART_URL, proxy,
                                    CURLU_NON_SUPPORT_SCHEME |
                                        CURLU_GUESS_SCHEME) == CURLUE_OK) {
        take_part(url, CURLUPART_HOST, 0, &host);
        take_part(url, CURLUPART_PORT, 0, &port);
    }
    bool tls = strncmp(proxy, "https:", 6) == 0;
    needs->tls = needs->tls || tls;
    needs->name = needs->name || host == NULL || !is_number(host);
    needs->port = number_of(port, tls ? 443 : PROXY_PORT);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(url);
}

struct link_target_needs link_target_needs(const struct link_target *t)
{
    const struct link_url *p = &t->parts;
    struct link_target_needs needs = {.tls = t->tls};
    if (or_null(t->settings.socket) != NULL)
        return needs;
    needs.name = !is_number(p->host);
    needs.port = number_of(p->port, t->tls ? 443 : 80);
    if (or_null(t->settings.proxy) != NULL)
        need_proxy(&needs, t->settings.proxy);
    return needs;
}

const char *link_target_system_ca(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    return info->age >= CURLVERSION_EIGHTH && info->cainfo != NULL
               ? info->cainfo
               : "";
}

/* --- Handles. --- */

#define SET(option, value)                                                     \
    (ok = ok && curl_easy_setopt(easy, option, value) == CURLE_OK)

static long http_version(enum link_http http)
{
    switch (http) {
    case LINK_HTTP_2:
        return CURL_HTTP_VERSION_2TLS;
    case LINK_HTTP_2_PRIOR_KNOWLEDGE:
        return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    default:
        return CURL_HTTP_VERSION_1_1;
    }
}

static bool set_options(CURL *easy, const struct link_target *t, char *error)
{
    const struct link_settings *s = &t->settings;
    const char *proxy = or_null(s->proxy);
    bool ok = true;
    SET(CURLOPT_CURLU, t->url);
    SET(CURLOPT_UNIX_SOCKET_PATH, or_null(s->socket));
    if (or_null(s->ca) != NULL) /* else libcurl's own */
        SET(CURLOPT_CAINFO, s->ca);
    SET(CURLOPT_SSLCERT, or_null(s->cert));
    SET(CURLOPT_SSLKEY, or_null(s->key));
    SET(CURLOPT_ERRORBUFFER, error);
    SET(CURLOPT_HTTP_VERSION, http_version(s->http));
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    /* "": none, whatever the environment says. */
    SET(CURLOPT_PROXY, proxy == NULL ? "" : proxy);
    SET(CURLOPT_NOPROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a name server's time is not ours */
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    return ok;
}

void *link_target_easy(const struct link_target *t, char *error)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL || set_options(easy, t, error))
        return easy;
    curl_easy_cleanup(easy);
    return NULL;
}

/* --- What went wrong. --- */

/* All others mean that the answer, or the connection, was no good. */
static const struct {
    CURLcode code;
    enum outcome outcome;
} outcomes[] = {
    {CURLE_OK, OUTCOME_ok},
    {CURLE_OPERATION_TIMEDOUT, OUTCOME_downstream_timeout},
    {CURLE_ABORTED_BY_CALLBACK, OUTCOME_downstream_timeout},
    /* Nobody was reached, so nothing was posted. */
    {CURLE_COULDNT_RESOLVE_PROXY, OUTCOME_downstream_connect},
    {CURLE_COULDNT_RESOLVE_HOST, OUTCOME_downstream_connect},
    {CURLE_COULDNT_CONNECT, OUTCOME_downstream_connect},
    {CURLE_INTERFACE_FAILED, OUTCOME_downstream_connect},
    {CURLE_PROXY, OUTCOME_downstream_connect},
    {CURLE_SSL_CONNECT_ERROR, OUTCOME_downstream_connect},
    {CURLE_SSL_ENGINE_NOTFOUND, OUTCOME_downstream_connect},
    {CURLE_SSL_CERTPROBLEM, OUTCOME_downstream_connect},
    {CURLE_SSL_CIPHER, OUTCOME_downstream_connect},
    {CURLE_PEER_FAILED_VERIFICATION, OUTCOME_downstream_connect},
    {CURLE_SSL_CACERT_BADFILE, OUTCOME_downstream_connect},
    {CURLE_SSL_CRL_BADFILE, OUTCOME_downstream_connect},
    {CURLE_SSL_ISSUER_ERROR, OUTCOME_downstream_connect},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, OUTCOME_downstream_connect},
    {CURLE_SSL_INVALIDCERTSTATUS, OUTCOME_downstream_connect},
    /* Ours. */
    {CURLE_FAILED_INIT, OUTCOME_internal},
    {CURLE_NOT_BUILT_IN, OUTCOME_internal},
    {CURLE_OUT_OF_MEMORY, OUTCOME_internal},
    {CURLE_BAD_FUNCTION_ARGUMENT, OUTCOME_internal},
    {CURLE_UNKNOWN_OPTION, OUTCOME_internal},
};

enum outcome link_target_outcome(int code)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++)
        if ((int)outcomes[i].code == code)
            return outcomes[i].outcome;
    return OUTCOME_downstream_broken;
}
