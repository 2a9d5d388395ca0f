/* replay: see replay.h. */
#include "replay/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/entropy.h"
#include "listen/listener.h"
#include "os/signals.h"
#include "replay/frame.h"
#include "replay/replay_options.h"
#include "replay/replay_processes.h"
#include "replay/replay_results.h"
#include "replay/replay_window.h"
#include "status/http.h"

enum { SAME, DIFFERENT, NOT_KNOWN = 3 };

#define LISTENERS 2
#define CONNECTIONS_MAX 1024
#define CONNECTION_TIMEOUT (75 * CLOCK_SECOND)
#define POST_MAX ((size_t)1 << 20)
#define WINDOW_PER_JOB 8

/* One listener for posts, and whose they are. */
struct ear {
    struct window *window;
    int index;
    struct listener listener;
    struct http *http; /* NULL: nobody listens */
};

struct replay {
    struct replay_options options;
    struct window window;
    struct replay_processes processes;
    struct replay_results results;
    struct ear ears[LISTENERS];
    bool ended;      /* there are no more items */
    bool stopping;   /* take no more of them */
    bool signalled;  /* by somebody who wants it to end */
    int64_t next_at; /* when the rate allows the next case */
    char fault[400];
};

/* --- Setting up. --- */

static void answer(void *context, const struct http_request *r,
                   struct http_reply *reply)
{
    struct ear *ear = context;
    reply->status = 204;
    if (r->body != NULL)
        replay_window_posted(ear->window, ear->index,
                             http_header(r, "X-Request-ID"), r->body,
                             r->body_len);
}

static bool listen_for(struct replay *r, int index, const char *address)
{
    struct ear *ear = &r->ears[index];
    const struct listener_config c = {.key = index == 0 ? "--downstream-ours"
                                                        : "--downstream-theirs",
                                      .own = true,
                                      .listen = address,
                                      .backlog = 511,
                                      .mode = 0666,
                                      .owner = "",
                                      .group = ""};
    ear->window = &r->window;
    ear->index = index;
    ear->listener.fd = -1;
    if (address[0] == '\0')
        return true;
    if (!listener_open(&ear->listener, &c, r->fault, sizeof r->fault))
        return false;
    const struct http_config http = {.listener = ear->listener.fd,
                                     .max_connections = CONNECTIONS_MAX,
                                     .timeout = CONNECTION_TIMEOUT,
                                     .keep = true,
                                     .max_body = POST_MAX,
                                     .context = ear,
                                     .answer = answer};
    ear->http = http_new(&http);
    if (ear->http == NULL)
        snprintf(r->fault, sizeof r->fault, "%s: %s", c.key, strerror(errno));
    return ear->http != NULL;
}

static bool open_window(struct replay *r)
{
    const struct replay_options *o = &r->options;
    struct window *w = &r->window;
    struct entropy entropy = {.left = 0};
    uint64_t run;
    memcpy(&run, entropy_take(&entropy, sizeof run), sizeof run);
    w->asks[OURS] = w->asks[THEIRS] = true;
    w->asks[AGAIN] = o->theirs2[0] != '\0';
    w->listens[0] = o->downstream_ours[0] != '\0';
    w->listens[1] = o->downstream_theirs[0] != '\0';
    w->settle = o->settle;
    snprintf(w->run, sizeof w->run, "replay-%012llx",
             (unsigned long long)(run >> 16));
    /* One at a time: then whose a post is needs no id. */
    bool one = o->jobs == 1 && (w->listens[0] || w->listens[1]);
    snprintf(r->fault, sizeof r->fault, "memory is short");
    return replay_window_open(w, one ? 1 : (size_t)o->jobs * WINDOW_PER_JOB,
                              r->results.state.done + 1);
}

static bool start_callers(struct replay *r)
{
    const struct replay_options *o = &r->options;
    const struct link_settings links[LEGS] = {{.name = "ours",
                                               .url = o->ours,
                                               .ca = o->ours_ca,
                                               .cert = o->ours_cert,
                                               .key = o->ours_key},
                                              {.name = "theirs",
                                               .url = o->theirs,
                                               .ca = o->theirs_ca,
                                               .cert = o->theirs_cert,
                                               .key = o->theirs_key},
                                              {.name = "theirs2",
                                               .url = o->theirs2,
                                               .ca = o->theirs_ca,
                                               .cert = o->theirs_cert,
                                               .key = o->theirs_key}};
    for (int who = 0; who < LEGS; who++) {
        const struct call_settings s = {.link = links[who],
                                        .timeout = r->options.timeout,
                                        .max_reply =
                                            (size_t)r->options.max_reply};
        if (!r->window.asks[who])
            continue;
        struct call *probe = call_new(&s, r->fault, sizeof r->fault);
        if (probe == NULL)
            return false;
        call_free(&probe);
        for (int64_t i = 0; i < r->options.jobs; i++)
            if (!replay_processes_call(&r->processes, who, &s)) {
                snprintf(r->fault, sizeof r->fault, "fork: %s",
                         strerror(errno));
                return false;
            }
    }
    return true;
}

static struct corpus *list_input(struct replay *r)
{
    static const enum recording_format formats[] = {
        [REPLAY_FORMAT_auto] = RECORDING_AUTO,
        [REPLAY_FORMAT_body] = RECORDING_BODY,
        [REPLAY_FORMAT_ndjson] = RECORDING_NDJSON,
        [REPLAY_FORMAT_log] = RECORDING_LOG,
        [REPLAY_FORMAT_har] = RECORDING_HAR};
    const char *const written[] = {r->options.out, r->options.state};
    const struct corpus_settings s = {.paths = r->options.paths.values,
                                      .path_count = r->options.paths.count,
                                      .format = formats[r->options.format],
                                      .max_body = (size_t)r->options.max_body,
                                      .written = written,
                                      .written_count = 2};
    return corpus_new(&s, r->fault, sizeof r->fault);
}

static bool start_reader(struct replay *r, struct corpus *corpus)
{
    if (replay_processes_read(&r->processes, corpus, r->results.state.done))
        return true;
    snprintf(r->fault, sizeof r->fault, "fork: %s", strerror(errno));
    return false;
}

static bool open_results(struct replay *r)
{
    if (replay_results_open(&r->results, &r->options, clock_now()))
        return true;
    memcpy(r->fault, r->results.fault, sizeof r->fault);
    return false;
}

/* The input before --out, which may be in it and would be cut. Children before
 * the listeners: they must not have them. */
static bool set_up(struct replay *r)
{
    struct corpus *corpus = list_input(r);
    bool ok = corpus != NULL && open_results(r) && open_window(r) &&
              start_reader(r, corpus);
    corpus_free(&corpus);
    if (!ok || !start_callers(r) ||
        !listen_for(r, 0, r->options.downstream_ours) ||
        !listen_for(r, 1, r->options.downstream_theirs))
        return false;
    r->fault[0] = '\0';
    return true;
}

static void tear_down(struct replay *r)
{
    replay_processes_end(&r->processes, r->window.first < r->window.next);
    for (int i = 0; i < LISTENERS; i++) {
        if (r->ears[i].http != NULL)
            http_free(&r->ears[i].http);
        if (r->ears[i].window != NULL && r->ears[i].listener.path[0] != '\0')
            listener_retire(&r->ears[i].listener);
    }
    replay_window_close(&r->window);
    replay_results_release(&r->results);
}

/* --- Running. --- */

static bool fail(struct replay *r, const char *why)
{
    snprintf(r->fault, sizeof r->fault, "%s", why);
    return false;
}

/* Take the next item from the reader, which has one. */
static bool take_item(struct replay *r)
{
    struct corpus_item item;
    if (!frame_read(r->processes.reader_fd, &item, sizeof item))
        return fail(r, "the process that reads the input has ended");
    if (item.state == CORPUS_END || item.state == CORPUS_FAILED) {
        r->ended = true;
        if (item.state == CORPUS_FAILED)
            snprintf(r->fault, sizeof r->fault, "%.300s: %.90s", item.source,
                     item.why);
        return item.state == CORPUS_END;
    }
    if (item.state == CORPUS_BODY) {
        item.body = frame_read_new(r->processes.reader_fd, item.body_len);
        if (item.body == NULL)
            return fail(r, "memory is short");
        if (r->options.rate > 0) {
            int64_t now = clock_now(), beat = CLOCK_SECOND / r->options.rate;
            /* What was missed is not caught up with in a burst. */
            if (r->next_at < now - 10 * beat)
                r->next_at = now;
            r->next_at += beat;
        }
    }
    replay_window_add(&r->window, &item);
    return true;
}

static bool may_take(const struct replay *r, int64_t now, int64_t *due)
{
    if (r->ended || r->stopping || !replay_window_has_room(&r->window))
        return false;
    if (r->options.rate == 0 || now >= r->next_at)
        return true;
    if (r->next_at < *due)
        *due = r->next_at;
    return false;
}

static bool enter_ready(struct replay *r, int64_t now, int64_t *due)
{
    struct slot *s;
    while ((s = replay_window_ready(&r->window, now, due)) != NULL) {
        bool ok = replay_results_enter(&r->results, s);
        replay_window_drop(&r->window);
        if (!ok)
            return fail(r, r->results.fault);
    }
    if (r->window.unpaired > 0)
        return fail(r, "posts without our X-Request-ID have come, so nobody "
                       "can tell which case they are of; have the handler "
                       "pass it on, or use --jobs 1");
    return replay_results_tick(&r->results, now, due) ||
           fail(r, r->results.fault);
}

/* Wait for what may happen next, and take it. */
static bool wait_and_hear(struct replay *r, bool take, int64_t due)
{
    struct pollfd p[1 + LISTENERS + LEGS * REPLAY_JOBS_MAX];
    struct caller *callers[LEGS * REPLAY_JOBS_MAX];
    nfds_t n = 0, first_caller;
    p[n++] = (struct pollfd){take ? r->processes.reader_fd : -1, POLLIN, 0};
    for (int i = 0; i < LISTENERS; i++) {
        struct http *http = r->ears[i].http;
        int64_t http_at = http == NULL ? CLOCK_NEVER : http_due(http);
        p[n++] = (struct pollfd){http == NULL ? -1 : http_fd(http), POLLIN, 0};
        due = http_at < due ? http_at : due;
    }
    first_caller = n;
    for (size_t i = 0; i < r->processes.count; i++)
        if (r->processes.callers[i].busy != NULL) {
            callers[n - first_caller] = &r->processes.callers[i];
            p[n++] = (struct pollfd){r->processes.callers[i].fd, POLLIN, 0};
        }
    int64_t now = clock_now(), left = due > now ? due - now : 0;
    const struct timespec limit = {.tv_sec = left / CLOCK_SECOND,
                                   .tv_nsec = left % CLOCK_SECOND};
    if (ppoll(p, n, due == CLOCK_NEVER ? NULL : &limit, signals_waiting()) < 0)
        return errno == EINTR || fail(r, strerror(errno));
    /* Posts first: who posts does so before it answers. */
    for (int i = 0; i < LISTENERS; i++)
        if (r->ears[i].http != NULL)
            http_run(r->ears[i].http);
    for (nfds_t i = first_caller; i < n; i++)
        if (p[i].revents != 0 &&
            !replay_processes_hear(callers[i - first_caller]))
            return fail(r, "a process that calls a handler has ended");
    return p[0].revents == 0 || take_item(r);
}

/* The first signal lets what is under way end; the second does not. */
static bool told_to_stop(struct replay *r)
{
    signals_hear();
    bool told = signals_take(SIGINT);
    told = signals_take(SIGTERM) || told;
    told = signals_take(SIGHUP) || told;
    told = signals_take(SIGQUIT) || told;
    if (told && r->stopping)
        return true;
    r->signalled = r->signalled || told;
    r->stopping = r->stopping || told;
    return false;
}

static bool run(struct replay *r)
{
    while (!told_to_stop(r)) {
        int64_t now = clock_now(), due = CLOCK_NEVER;
        if (!enter_ready(r, now, &due))
            return false;
        bool nothing_left = r->window.first == r->window.next;
        if (nothing_left && (r->ended || r->stopping))
            return true;
        bool take = may_take(r, now, &due);
        if (!replay_processes_order(&r->processes, &r->window))
            return fail(r, "a process that calls a handler has ended");
        if (!wait_and_hear(r, take, due))
            return false;
    }
    return fail(r, "interrupted");
}

/* --- The end. --- */

static void print_hints(const struct replay *r)
{
    const struct comparison *c = &r->results.state.comparison;
    if (c->unproved > 0)
        fprintf(stderr,
                "tallyctl: replay: both refuse every case of %llu files, which "
                "prove nothing; the last such case is %s\n",
                (unsigned long long)c->unproved, r->results.unproved);
    if (r->window.late > 0)
        fprintf(stderr,
                "tallyctl: replay: %llu posts came when their case was over; "
                "raise --settle\n",
                (unsigned long long)r->window.late);
    if (comparison_count(c, PARITY_UNJUDGED) > 0)
        fprintf(stderr,
                "tallyctl: replay: %llu cases could not be judged: the verdict "
                "says nothing of them\n",
                (unsigned long long)comparison_count(c, PARITY_UNJUDGED));
}

static int conclude(struct replay *r, bool ok)
{
    const struct replay_options *o = &r->options;
    const struct comparison *c = &r->results.state.comparison;
    if (!replay_results_close(&r->results, clock_now()) && ok)
        ok = fail(r, r->results.fault);
    if (o->json)
        comparison_print_json(c, stdout);
    else
        comparison_print(c, stdout);
    print_hints(r);
    if (fflush(stdout) != 0 && ok)
        ok = fail(r, "the summary cannot be written");
    if (ok && r->signalled)
        ok = fail(r, o->state[0] != '\0'
                         ? "interrupted; the same command goes on from here"
                         : "interrupted; --state FILE would let it go on");
    if (ok && comparison_judged(c) == 0)
        ok = fail(r, "nothing was compared");
    if (!ok)
        fprintf(stderr, "tallyctl: replay: %s\n", r->fault);
    /* Both in millionths, so that 0 is exact. */
    bool over = comparison_rate(c) * 1e6 > (double)o->max_mismatch;
    if (!ok)
        return NOT_KNOWN;
    return over ? DIFFERENT : c->unproved > 0 ? NOT_KNOWN : SAME;
}

int replay_main(int argc, char **argv)
{
    struct replay *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NOT_KNOWN;
    r->results.lock = -1;
    int status = replay_options_parse(&r->options, argc, argv);
    if (status == OPTIONS_GO) {
        signals_init();
        if (set_up(r)) {
            status = conclude(r, run(r));
        } else {
            fprintf(stderr, "tallyctl: replay: %s\n", r->fault);
            status = NOT_KNOWN;
        }
        tear_down(r);
    }
    replay_options_free(&r->options);
    free(r);
    return status;
}
