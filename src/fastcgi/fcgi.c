/* fcgi: see fcgi.h. */
#include "fastcgi/fcgi.h"

#include <fcgiapp.h>
#include <fcgios.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fastcgi/content_length.h"

/* Room for the largest head with its framing. */
#define PIPE_BYTES (2 * 65536)

/* A head on its way into libfcgi. */
struct framed {
    uint8_t headers[4][RECORD_HEADER_BYTES];
    struct iovec part[8];
    int count;
    size_t bytes;
    int taken;      /* parts that OS_Read() is through with */
    size_t of_part; /* and bytes of the next one */
};

struct fcgi {
    struct fcgi_config config;
    struct fcgi_conn *free_conns; /* the hot one is used again first */
    int pipe[2]; /* [0] is the descriptor that libfcgi is given for a head */
    bool direct; /* it takes the head from OS_Read(), and the pipe is empty */
    struct framed head;
    FCGX_Request request;
    uint32_t *name_keys; /* of the request's parameters, in its order */
    size_t param_count;
    uint64_t name_bits;     /* of all keys: see bit_of() */
    const char *length;     /* CONTENT_LENGTH, or NULL */
    struct fcgi_conn *conn; /* of the request in hand, else NULL */
    enum fcgi_body body;    /* how far its body is */
    bool replied;           /* the peer took the whole reply */
};

/* libfcgi passes its stream alone to a fill procedure. */
static struct fcgi *serving;

/* Never waited for: what is in it is complete. */
static bool open_pipe(struct fcgi *f)
{
    return pipe2(f->pipe, O_CLOEXEC | O_NONBLOCK) == 0 &&
           (f->direct || fcntl(f->pipe[1], F_SETPIPE_SZ, PIPE_BYTES) >= 0);
}

static void close_pipe(struct fcgi *f)
{
    for (int i = 0; i < 2; i++) {
        if (f->pipe[i] >= 0)
            close(f->pipe[i]);
        f->pipe[i] = -1;
    }
}

static struct fcgi_conn *take_conn(struct fcgi *f)
{
    struct fcgi_conn *conn = f->free_conns;
    if (conn == NULL)
        return fcgi_conn_new(&f->config);
    f->free_conns = conn->next_free;
    return conn;
}

struct fcgi_conn *fcgi_open(struct fcgi *f, int fd, int64_t now)
{
    struct fcgi_conn *conn = take_conn(f);
    if (conn != NULL)
        fcgi_conn_start(conn, fd, now);
    return conn;
}

struct fcgi_conn *fcgi_adopt(struct fcgi *f, int fd, const void *bytes,
                             size_t n)
{
    struct fcgi_conn *conn = take_conn(f);
    if (conn == NULL || fcgi_conn_unpack(conn, fd, bytes, n))
        return conn;
    conn->fd = -1;
    fcgi_close(f, conn);
    return NULL;
}

void fcgi_close(struct fcgi *f, struct fcgi_conn *conn)
{
    if (conn->fd >= 0) {
        /* The file may be open in a process that has just handed it on. */
        shutdown(conn->fd, SHUT_RDWR);
        close(conn->fd);
    }
    conn->fd = -1;
    conn->next_free = f->free_conns;
    f->free_conns = conn;
}

/* --- The head. --- */

static void add_part(struct framed *to, void *bytes, size_t n)
{
    to->part[to->count++] = (struct iovec){bytes, n};
    to->bytes += n;
}

/* Frame the head anew: one BEGIN_REQUEST, as few PARAMS as hold it, the empty
 * one. */
static void frame_head(struct framed *out, struct head *h)
{
    int used = 0;
    out->count = out->taken = 0;
    out->bytes = out->of_part = 0;
    record_print(out->headers[used], RECORD_BEGIN_REQUEST, h->id,
                 sizeof h->begin);
    add_part(out, out->headers[used++], RECORD_HEADER_BYTES);
    add_part(out, h->begin, sizeof h->begin);
    for (size_t at = 0; at < h->params_len;) {
        size_t n = h->params_len - at;
        if (n > RECORD_CONTENT_MAX)
            n = RECORD_CONTENT_MAX;
        record_print(out->headers[used], RECORD_PARAMS, h->id, (uint16_t)n);
        add_part(out, out->headers[used++], RECORD_HEADER_BYTES);
        add_part(out, h->params + at, n);
        at += n;
    }
    record_print(out->headers[used], RECORD_PARAMS, h->id, 0);
    add_part(out, out->headers[used], RECORD_HEADER_BYTES);
}

/* Instead of libfcgi's own, which calls read(2): the library exports it with
 * all that it asks the system for (fcgios.h), and so its call is bound to this
 * one. A head then costs no write into a pipe and no read from it. A library
 * that was linked with -Bsymbolic keeps to its own, as does, this being weak,
 * one that is linked in statically. */
__attribute__((weak)) int OS_Read(int fd, char *buf, size_t len)
{
    struct framed *from = &serving->head;
    size_t n = 0;
    (void)fd;
    while (n < len && from->taken < from->count) {
        const struct iovec *part = &from->part[from->taken];
        size_t left = part->iov_len - from->of_part;
        size_t some = left < len - n ? left : len - n;
        memcpy(buf + n, (const char *)part->iov_base + from->of_part, some);
        n += some;
        from->of_part = some == left ? 0 : from->of_part + some;
        from->taken += some == left;
    }
    return (int)n;
}

/* The pipe is empty and has room for all of it. */
static bool offer_head(struct fcgi *f, struct head *h)
{
    struct framed *out = &f->head;
    frame_head(out, h);
    return f->direct ||
           writev(f->pipe[1], out->part, out->count) == (ssize_t)out->bytes;
}

static void fill(FCGX_Stream *in);

/* Let libfcgi read the head. Where it fails it closes the end it was given. */
static bool parse_head(struct fcgi *f, struct head *h)
{
    if (!offer_head(f, h))
        return false;
    f->request.ipcFd = f->pipe[0];
    f->request.keepConnection = 1; /* every descriptor is ours to close */
    if (FCGX_Accept_r(&f->request) == 0)
        return true;
    f->request.ipcFd = -1;
    f->pipe[0] = -1;
    return false;
}

/* FCGX_GetParam() compares a name with the text of every parameter, which for
 * the dozen that are asked for of thirty costs more than a small body. Names
 * whose length or last letter differs need no look. */
static uint32_t key_of(const char *name, size_t n)
{
    return (uint32_t)n << 8 | (n == 0 ? 0 : (uint8_t)name[n - 1]);
}

/* Most of the names that are asked for are not there: one look at all keys
 * together tells so, more often than not. */
static uint64_t bit_of(uint32_t key)
{
    return UINT64_C(1) << ((key >> 8) * 5 + key) % 64;
}

static void measure_names(struct fcgi *f)
{
    char **at = f->request.envp;
    size_t i = 0;
    f->name_bits = 0;
    for (; at[i] != NULL; i++) {
        f->name_keys[i] = key_of(at[i], strcspn(at[i], "="));
        f->name_bits |= bit_of(f->name_keys[i]);
    }
    f->param_count = i;
}

bool fcgi_begin(struct fcgi *f, struct fcgi_conn *conn)
{
    if (!parse_head(f, &conn->head)) {
        close_pipe(f);
        open_pipe(f);
        conn->reason = "libfcgi did not take the request";
        return false;
    }
    measure_names(f);
    f->request.ipcFd = conn->fd;
    f->request.in->fillBuffProc = fill;
    f->conn = conn;
    f->body = FCGI_BODY_MORE;
    f->replied = false;
    uint64_t length;
    f->length = fcgi_param(f, "CONTENT_LENGTH");
    content_length_parse(f->length, &length);
    fcgi_conn_announce(conn, length);
    return true;
}

/* How many parameters there are up to the last one with this name, of the
 * first `count`; 0: none has it. */
static size_t find_param(const struct fcgi *f, const char *name, size_t n,
                         size_t count)
{
    uint32_t key = key_of(name, n);
    char **at = f->request.envp;
    if ((f->name_bits & bit_of(key)) == 0)
        return 0;
    for (; count > 0; count--)
        if (f->name_keys[count - 1] == key &&
            memcmp(at[count - 1], name, n) == 0)
            break;
    return count;
}

const char *fcgi_find_param(const struct fcgi *f, const char *name, size_t n)
{
    size_t i = find_param(f, name, n, f->param_count);
    return i == 0 ? NULL : f->request.envp[i - 1] + n + 1;
}

bool fcgi_param_differs(const struct fcgi *f, const char *name)
{
    char **at = f->request.envp;
    size_t n = strlen(name), last = find_param(f, name, n, f->param_count);
    size_t i = last;
    while (i > 0 && strcmp(at[i - 1], at[last - 1]) == 0)
        i = find_param(f, name, n, i - 1);
    return i > 0;
}

const char *fcgi_content_length(const struct fcgi *f)
{
    return f->length;
}

/* --- The body. --- */

/* The fill procedure of the request's input stream (FCGX_Stream): present the
 * next run of body bytes, or close the stream and say why. */
static void fill(FCGX_Stream *in)
{
    struct fcgi *f = serving;
    size_t n;
    f->body = fcgi_conn_body(f->conn, &in->rdNext, &n);
    if (f->body != FCGI_BODY_MORE) {
        in->isClosed = 1;
        in->FCGI_errno = f->body == FCGI_BODY_END ? 0 : FCGX_PROTOCOL_ERROR;
        return;
    }
    in->stopUnget = in->rdNext;
    in->stop = in->wrNext = in->rdNext + n;
}

enum fcgi_body fcgi_read(struct fcgi *f, const uint8_t **bytes, size_t *n)
{
    FCGX_Stream *in = f->request.in;
    if (FCGX_GetChar(in) == EOF)
        return f->body == FCGI_BODY_END && FCGX_GetError(in) != 0
                   ? FCGI_BODY_BROKEN
                   : f->body;
    *bytes = in->rdNext - 1; /* FCGX_GetChar() has taken one */
    *n = (size_t)(in->stop - *bytes);
    in->rdNext = in->stop;
    return FCGI_BODY_MORE;
}

bool fcgi_abandoned(const struct fcgi *f, int64_t now)
{
    return fcgi_conn_abandoned(f->conn, now);
}

/* --- The end. --- */

bool fcgi_reply(struct fcgi *f, const char *text, size_t n)
{
    FCGX_PutStr(text, (int)n, f->request.out);
    FCGX_FClose(f->request.err);
    f->replied = FCGX_FClose(f->request.out) == 0;
    return f->replied;
}

bool fcgi_end(struct fcgi *f)
{
    bool keep = f->conn->head.keep && f->body == FCGI_BODY_END && f->replied;
    FCGX_Free(&f->request, 0);
    f->request.ipcFd = -1;
    f->conn = NULL;
    return keep;
}

/* --- From start to end. --- */

/* FCGX_Init() takes over SIGPIPE, SIGTERM and SIGUSR1 where they have their
 * default action; the dispositions there were come back. */
static bool init_library(void)
{
    static const int signals[] = {SIGPIPE, SIGTERM, SIGUSR1};
    struct sigaction before[3];
    for (int i = 0; i < 3; i++)
        sigaction(signals[i], NULL, &before[i]);
    bool ok = FCGX_Init() == 0;
    for (int i = 0; i < 3; i++)
        sigaction(signals[i], &before[i], NULL);
    return ok;
}

/* Does libfcgi take a head from OS_Read()? Offer it one: else it fails, since
 * in the pipe there is none. False: descriptors are short. */
static bool try_direct(struct fcgi *f)
{
    struct head h = {.id = 1, .begin = {0, RECORD_RESPONDER}};
    f->direct = true;
    if (!open_pipe(f))
        return false;
    f->direct = parse_head(f, &h);
    if (f->direct) {
        FCGX_Free(&f->request, 0);
        f->request.ipcFd = -1;
        return true;
    }
    close_pipe(f);
    return open_pipe(f);
}

struct fcgi *fcgi_new(const struct fcgi_config *c)
{
    struct fcgi *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->config = *c;
    f->pipe[0] = f->pipe[1] = -1;
    serving = f;
    /* One more: libfcgi adds FCGI_ROLE. */
    f->name_keys = calloc(c->head.max_param_count + 1, sizeof *f->name_keys);
    if (f->name_keys != NULL && init_library() &&
        FCGX_InitRequest(&f->request, -1, 0) == 0 && try_direct(f))
        return f;
    fcgi_free(&f);
    return NULL;
}

void fcgi_free(struct fcgi **f)
{
    if (*f == NULL)
        return;
    while ((*f)->free_conns != NULL) {
        struct fcgi_conn *conn = (*f)->free_conns;
        (*f)->free_conns = conn->next_free;
        fcgi_conn_free(conn);
    }
    close_pipe(*f);
    free((*f)->name_keys);
    free(*f);
    *f = NULL;
    serving = NULL;
}
