/* link: see link.h. */
#include "downstream/link.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cutoff.h"

/* SO_RCVTIMEO is kept by the kernel's timer wheel: up to an eighth late, and
 * two ticks of 10 ms. */
#define TICKS (20 * CLOCK_MS)
#define PATIENCE_LEAST TICKS

struct link {
    struct link_set *all;
    const struct link_target *target;
    struct link *next;
    CURL *easy;
    bool open; /* the handle is in the multi handle */
    bool tls;
    curl_socket_t fd;
    int64_t made, used; /* monotonic ns */
    int64_t patience;   /* ns that a recv(2) blocks at most; 0: not set yet */
    int64_t looked_up;  /* the same: its name, by a connection that was made */
};

struct link_set {
    CURLM *multi;
    struct link *list;
    char error[CURL_ERROR_SIZE];
};

/* --- Handles. --- */

struct link_set *link_set_new(void)
{
    struct link_set *all = calloc(1, sizeof *all);
    if (all == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(all);
        return NULL;
    }
    all->multi = curl_multi_init();
    if (all->multi == NULL)
        link_set_free(&all);
    return all;
}

void link_set_free(struct link_set **all)
{
    if (*all == NULL)
        return;
    for (struct link *l = (*all)->list, *next; l != NULL; l = next) {
        next = l->next;
        link_close(l);
        curl_easy_cleanup(l->easy);
        free(l);
    }
    curl_multi_cleanup((*all)->multi);
    curl_global_cleanup();
    free(*all);
    *all = NULL;
}

#define SET(option, value)                                                     \
    (ok = ok && curl_easy_setopt(l->easy, option, value) == CURLE_OK)

static struct link *new_link(struct link_set *all, const struct link_target *t)
{
    struct link *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->all = all;
    l->target = t;
    l->tls = link_target_is_tls(t);
    l->easy = link_target_easy(t, all->error);
    if (l->easy == NULL ||
        curl_easy_setopt(l->easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK) {
        curl_easy_cleanup(l->easy);
        free(l);
        return NULL;
    }
    l->next = all->list;
    all->list = l;
    return l;
}

struct link *link_to(struct link_set *all, const struct link_target *t)
{
    struct link *l = all->list;
    while (l != NULL && l->target != t)
        l = l->next;
    return l != NULL ? l : new_link(all, t);
}

/* --- Connections. --- */

/* A handle that is taken out of its multi handle loses the connection it made
 * with CURLOPT_CONNECT_ONLY. Names and TLS sessions stay for the next one. */
void link_close(struct link *l)
{
    if (l->open)
        curl_multi_remove_handle(l->all->multi, l->easy);
    l->open = false;
}

/* Until libcurl is done with the handle that was added last. */
static CURLcode run(CURLM *multi)
{
    int running = 0, left;
    CURLMcode code;
    while ((code = curl_multi_perform(multi, &running)) == CURLM_OK &&
           running > 0) {
        if (cutoff_is_over())
            return CURLE_OPERATION_TIMEDOUT;
        curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
    const CURLMsg *end = curl_multi_info_read(multi, &left);
    return code != CURLM_OK || end == NULL ? CURLE_FAILED_INIT
                                           : end->data.result;
}

/* An address holds for as long as a connection to it may. Where nobody answers
 * the name may have moved: then it is looked up anew. */
static bool is_known(const struct link *l)
{
    return l->looked_up != 0 && clock_now() - l->looked_up <
                                    link_target_settings(l->target)->lifetime;
}

static CURLcode make(struct link *l, int64_t limit)
{
    int64_t most = link_target_settings(l->target)->connect_timeout;
    bool ok = true, known = is_known(l);
    if (limit < most)
        most = limit;
    SET(CURLOPT_TIMEOUT_MS, (long)((most + CLOCK_MS - 1) / CLOCK_MS));
    SET(CURLOPT_DNS_CACHE_TIMEOUT, known ? -1L : 0L); /* for ever, or not */
    if (!ok || curl_multi_add_handle(l->all->multi, l->easy) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    l->open = true;
    CURLcode code = run(l->all->multi);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &l->fd);
    l->made = l->used = clock_now();
    l->patience = 0;
    if (code != CURLE_OK) {
        link_close(l);
        l->looked_up = 0;
    } else if (!known) {
        l->looked_up = l->made;
    }
    return code;
}

static bool is_good(struct link *l, int64_t now)
{
    const struct link_settings *s = link_target_settings(l->target);
    char byte;
    size_t n;
    return l->open && now - l->used < s->idle && now - l->made < s->lifetime &&
           link_read(l, &byte, 1, &n) == LINK_AGAIN;
}

enum outcome link_open(struct link *l, int64_t now, int64_t deadline,
                       bool *fresh, const char **why)
{
    *fresh = !is_good(l, now);
    l->all->error[0] = '\0';
    if (!*fresh)
        return OUTCOME_ok;
    link_close(l);
    *why = "no time is left to connect";
    if (now >= deadline)
        return OUTCOME_downstream_timeout; /* to libcurl 0 ms are no limit */
    bool known = is_known(l);
    CURLcode code = make(l, deadline - now);
    if (code == CURLE_COULDNT_CONNECT && known && clock_now() < deadline) {
        l->all->error[0] = '\0';
        code = make(l, deadline - clock_now());
    }
    *why = l->all->error[0] != '\0' ? l->all->error : curl_easy_strerror(code);
    return link_target_outcome((int)code);
}

/* --- Bytes. --- */

/* Without TLS libcurl would do no more than this, but look for the connection
 * among all it has, each time (700 instructions in 7.88). Its socket may be
 * used directly: CURLOPT_CONNECT_ONLY(3), CURLINFO_ACTIVESOCKET(3). */
static CURLcode plain(ssize_t got, size_t *n)
{
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? CURLE_AGAIN
                                                 : CURLE_RECV_ERROR;
    *n = (size_t)got;
    return CURLE_OK;
}

static enum link_state state_of(CURLcode code)
{
    return code == CURLE_AGAIN ? LINK_AGAIN
           : code == CURLE_OK  ? LINK_MOVED
                               : LINK_BROKEN;
}

enum link_state link_send(struct link *l, const void *bytes, size_t most,
                          size_t *n)
{
    *n = 0;
    CURLcode code =
        l->tls
            ? curl_easy_send(l->easy, bytes, most, n)
            : plain(send(l->fd, bytes, most, MSG_DONTWAIT | MSG_NOSIGNAL), n);
    return state_of(code);
}

static enum link_state receive(struct link *l, void *bytes, size_t most,
                               int flags, size_t *n)
{
    *n = 0;
    CURLcode code = l->tls ? curl_easy_recv(l->easy, bytes, most, n)
                           : plain(recv(l->fd, bytes, most, flags), n);
    if (*n > 0)
        l->used = clock_now();
    return state_of(code);
}

enum link_state link_read(struct link *l, void *bytes, size_t most, size_t *n)
{
    return receive(l, bytes, most, MSG_DONTWAIT, n);
}

const char *link_reason(const struct link *l)
{
    return l->all->error;
}

int64_t link_used(const struct link *l)
{
    return l->used;
}

bool link_wait(const struct link *l, short events, int64_t deadline)
{
    int64_t now = clock_now();
    struct pollfd p = {.fd = l->fd, .events = events};
    deadline = cutoff_limit(deadline);
    if (now >= deadline)
        return false;
    poll(&p, 1, clock_poll_ms(deadline, now));
    return true;
}

/* Once a connection: let recv(2) block for half of the time that there is for
 * an answer. libcurl leaves its sockets non-blocking. */
static void be_patient(struct link *l, int64_t left)
{
    int off = 0;
    l->patience = left / 2;
    const struct timeval limit = {
        .tv_sec = (time_t)(l->patience / CLOCK_SECOND),
        .tv_usec = (suseconds_t)(l->patience % CLOCK_SECOND / 1000)};
    if (l->patience < PATIENCE_LEAST ||
        setsockopt(l->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        ioctl(l->fd, FIONBIO, &off) != 0)
        l->patience = CLOCK_NEVER; /* of this connection no recv(2) blocks */
}

/* May a recv(2) block, without missing the deadline? */
static bool may_block(struct link *l, int64_t deadline)
{
    int64_t left = cutoff_limit(deadline) - clock_now();
    if (l->tls || left <= 0)
        return false;
    if (l->patience == 0)
        be_patient(l, left);
    return l->patience < left && left - l->patience > l->patience / 4 + TICKS;
}

enum link_state link_receive(struct link *l, void *bytes, size_t most,
                             int64_t deadline, size_t *n)
{
    for (;;) {
        bool blocks = may_block(l, deadline);
        enum link_state state =
            receive(l, bytes, most, blocks ? 0 : MSG_DONTWAIT, n);
        if (state != LINK_AGAIN || (!blocks && !link_wait(l, POLLIN, deadline)))
            return state;
    }
}
