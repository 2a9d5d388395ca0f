/* send: see send.h. */
#include "ctl/send.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl_pool.h"
#include "ctl/explain.h"
#include "ctl/options.h"
#include "fastcgi/cgi_response.h"
#include "fastcgi/client.h"
#include "fastcgi/record.h"
#include "worker/endpoint.h"

#define PARAMS_BYTES 65536
#define NAME_BYTES 256

#define OPTIONS_STRUCT send_options
#define OPTIONS_FILE "ctl/send_options.def"
#include "ctl/options_declare.h"

struct sender {
    const struct send_options *options;
    struct cgi_response response;
    bool told; /* the status is printed */
    char last; /* byte of the body; 0: none has come */
    struct buf params;
    char room[PARAMS_BYTES];
};

__attribute__((format(printf, 1, 2))) static bool fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("tallyctl: send: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return false;
}

/* --- The request. --- */

/* Content-Type: application/json as CONTENT_TYPE, Accept: x as HTTP_ACCEPT
 * (RFC 3875, 4.1). */
static bool put_header(struct buf *params, const char *line)
{
    char room[NAME_BYTES], *name = room;
    size_t n = strcspn(line, ":"), at = 0;
    struct buf out;
    if (line[n] != ':' || n == 0)
        return fail("--header %s: must be \"Name: value\"", line);
    buf_init(&out, room, sizeof room);
    buf_str(&out, "HTTP_");
    for (; at < n; at++) {
        if (!isalnum((unsigned char)line[at]) && line[at] != '-')
            return fail("--header %s: a name has letters, digits and -", line);
        buf_char(&out, line[at] == '-'
                           ? '_'
                           : (char)toupper((unsigned char)line[at]));
    }
    if (out.overflow)
        return fail("--header %s: the name is too long", line);
    if (strcmp(name, "HTTP_CONTENT_TYPE") == 0 ||
        strcmp(name, "HTTP_CONTENT_LENGTH") == 0)
        name += strlen("HTTP_");
    record_put_pair(params, name, line + n + 1 + strspn(line + n + 1, " \t"));
    return true;
}

static bool has_header(const struct send_options *o, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < o->header.count; i++)
        if (strncasecmp(o->header.values[i], name, n) == 0 &&
            o->header.values[i][n] == ':')
            return true;
    return false;
}

/* Where it goes: the path without its query, and that. */
static bool put_path(struct buf *params, const char *uri)
{
    char path[2048];
    size_t n = strcspn(uri, "?");
    if (uri[0] != '/' || n >= sizeof path)
        return fail("--path %s: must start with / and have up to %zu bytes",
                    uri, sizeof path - 1);
    snprintf(path, sizeof path, "%.*s", (int)n, uri);
    record_put_pair(params, "REQUEST_URI", uri);
    record_put_pair(params, "SCRIPT_NAME", path);
    record_put_pair(params, "QUERY_STRING", uri[n] == '?' ? uri + n + 1 : "");
    return true;
}

/* Of a regular file the length is known, and told as web servers do. */
static void put_length(struct buf *params, int body)
{
    char text[24];
    struct stat st;
    off_t at = lseek(body, 0, SEEK_CUR);
    if (fstat(body, &st) != 0 || !S_ISREG(st.st_mode) || at < 0)
        return;
    snprintf(text, sizeof text, "%lld",
             st.st_size > at ? (long long)(st.st_size - at) : 0LL);
    record_put_pair(params, "CONTENT_LENGTH", text);
}

static const char *choose_path(const struct send_options *o,
                               const struct config *c)
{
    if (o->path[0] != '\0')
        return o->path;
    return c->endpoint_count == 1 ? c->endpoints[0]->path : "/";
}

static bool put_params(struct sender *s, const struct config *c, int body)
{
    const struct send_options *o = s->options;
    struct buf *params = &s->params;
    record_put_pair(params, "GATEWAY_INTERFACE", "CGI/1.1");
    record_put_pair(params, "SERVER_PROTOCOL", "HTTP/1.1");
    record_put_pair(params, "SERVER_SOFTWARE", "tallyctl/" PACKAGE_VERSION);
    record_put_pair(params, "REQUEST_METHOD", "POST");
    if (!put_path(params, choose_path(o, c)))
        return false;
    if (!has_header(o, "Content-Length"))
        put_length(params, body);
    if (!has_header(o, "Content-Type"))
        record_put_pair(params, "CONTENT_TYPE", "application/json");
    for (size_t i = 0; i < o->header.count; i++)
        if (!put_header(params, o->header.values[i]))
            return false;
    return true;
}

/* --- The reply. --- */

/* For a terminal: a line's control characters could be orders to it. */
static void print_line(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] != '\r')
            fputc(iscntrl((unsigned char)text[i]) && text[i] != '\n' ? '?'
                                                                     : text[i],
                  stderr);
}

static void tell_head(struct sender *s)
{
    const struct cgi_response *r = &s->response;
    s->told = true;
    if (s->options->verbose)
        print_line(r->head, r->head_len);
    else
        fprintf(stderr, "status %d\n", r->status);
}

static bool take_output(void *context, const uint8_t *bytes, size_t n,
                        const char **why)
{
    struct sender *s = context;
    size_t body;
    *why = "the reply has no CGI header that can be read";
    if (!cgi_response_feed(&s->response, bytes, n, &body))
        return false;
    if (s->response.complete && !s->told)
        tell_head(s);
    if (body > 0)
        s->last = (char)bytes[n - 1];
    *why = "standard output does not take the reply";
    return fwrite(bytes + n - body, 1, body, stdout) == body;
}

static void take_errors(void *context, const uint8_t *bytes, size_t n)
{
    (void)context;
    print_line((const char *)bytes, n);
}

static enum body_end judge(const struct sender *s)
{
    if (!s->response.complete) {
        fail("the reply has no CGI header");
        return BODY_FAILED;
    }
    if (isatty(STDOUT_FILENO) && s->last != 0 && s->last != '\n')
        putchar('\n');
    if (fflush(stdout) != 0) {
        fail("standard output: %s", strerror(errno));
        return BODY_FAILED;
    }
    return s->response.status / 100 == 2 ? BODY_TAKEN : BODY_REFUSED;
}

static enum body_end ask(struct sender *s, const struct config *c, int body)
{
    const struct send_options *o = s->options;
    const char *listen = o->listen[0] != '\0' ? o->listen : c->pool.listen;
    struct address to;
    char why[200];
    buf_init(&s->params, s->room, sizeof s->room);
    cgi_response_begin(&s->response);
    if (!address_parse(listen, &to)) {
        fail("--listen %s: must be /path, 127.0.0.1:9000 or [::1]:9000",
             listen);
        return BODY_FAILED;
    }
    if (!put_params(s, c, body))
        return BODY_FAILED;
    const struct client_request request = {
        .to = &to,
        .params = &s->params,
        .body = body,
        .deadline = clock_now() + o->timeout,
        .context = s,
        .output = take_output,
        .errors = take_errors,
    };
    if (client_ask(&request, why, sizeof why))
        return judge(s);
    fail("%s: %s", listen, why);
    return BODY_FAILED;
}

/* The endpoint that the pool would take for the path. */
static const struct config_endpoint *endpoint_of(const struct send_options *o,
                                                 const struct config *c)
{
    char why[256];
    const char *path = choose_path(o, c);
    struct endpoint_table *t = endpoint_table_new(c, why, sizeof why);
    if (t == NULL) {
        fail("%s", why);
        return NULL;
    }
    const struct endpoint *e = endpoint_find(t, path, strcspn(path, "?"));
    const struct config_endpoint *found = e == NULL ? NULL : e->config;
    endpoint_table_free(&t);
    if (found == NULL)
        fail("--path %s: no endpoint claims it", path);
    return found;
}

static enum body_end explain(const struct send_options *o,
                             const struct config *c, int body)
{
    const struct config_endpoint *e = endpoint_of(o, c);
    return e == NULL ? BODY_FAILED : explain_body(e, body);
}

static enum body_end send_file(const struct send_options *o,
                               const struct config *c)
{
    struct sender sender = {.options = o};
    const char *path = o->body.values[0];
    bool is_stdin = strcmp(path, "-") == 0;
    int body = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (body < 0) {
        fail("%s: %s", path, strerror(errno));
        return BODY_FAILED;
    }
    enum body_end end =
        o->explain ? explain(o, c, body) : ask(&sender, c, body);
    if (!is_stdin)
        close(body);
    return end;
}

static const struct options_table table = {
    .program = "tallyctl",
    .command = "send",
    .usage = "[OPTION...] BODY",
    .about = "Post a file to the pool without a web server, print its reply.\n",
    OPTIONS_ROWS(send_options_rows),
};

int send_main(int argc, char **argv)
{
    struct send_options o = {0};
    int status = options_parse(&table, &o, argc, argv);
    if (status == OPTIONS_GO) {
        struct config *c = ctl_pool_settings(o.config, &o.set, "");
        status = c == NULL ? EX_CONFIG : (int)send_file(&o, c);
        config_free(&c);
    }
    options_clear(&table, &o);
    return status;
}
