/* replay_results: see replay_results.h. */
#include "replay/replay_results.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "compare/mismatch_record.h"
#include "os/pidfile.h"

#define LINE_BEAT (5 * CLOCK_SECOND)     /* of lines in a log */
#define TERMINAL_BEAT (CLOCK_SECOND / 5) /* of the one on a screen */

/* A handler that is not there for so many cases in a row will not be there for
 * the others. */
#define SILENT_MAX 20

#define COMPLAINTS_MAX 10 /* about single lines of the input */

static bool stop(struct replay_results *l, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool stop(struct replay_results *l, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (l->fault[0] == '\0')
        vsnprintf(l->fault, sizeof l->fault, format, arguments);
    va_end(arguments);
    return false;
}

/* What a run that was ended has written after its last state is written anew.
 */
static bool open_out(struct replay_results *l, const char *path)
{
    l->out = fopen(path, l->state.done > 0 ? "r+e" : "we");
    if (l->out == NULL)
        return stop(l, "--out %s: %s", path, strerror(errno));
    if (ftruncate(fileno(l->out), (off_t)l->state.out) != 0 ||
        fseeko(l->out, 0, SEEK_END) != 0) {
        /* A pipe or a terminal keeps nothing. */
        if (l->state.done > 0)
            return stop(l, "--out %s: %s", path, strerror(errno));
    }
    return true;
}

/* The state file is another one each time that it is kept: the lock is on a
 * file beside it. */
static bool open_state(struct replay_results *l, const char *path)
{
    int n = snprintf(l->lock_path, sizeof l->lock_path, "%s.lock", path);
    if (n >= (int)sizeof l->lock_path)
        return stop(l, "--state: the path is too long");
    l->lock = pidfile_open("--state", l->lock_path, l->fault, sizeof l->fault);
    return l->lock >= 0 &&
           replay_state_load(&l->state, path, l->fault, sizeof l->fault);
}

bool replay_results_open(struct replay_results *l,
                         const struct replay_options *o, int64_t now)
{
    *l = (struct replay_results){.options = o, .told = now, .lock = -1};
    l->state.mark = replay_options_mark(o);
    l->terminal = isatty(STDERR_FILENO) == 1;
    if (o->state[0] != '\0' && !open_state(l, o->state))
        return false;
    l->began = now - l->state.comparison.elapsed;
    return o->out[0] == '\0' || open_out(l, o->out);
}

/* --- Cases. --- */

static struct parity_result result_of(const struct leg *leg, bool listens)
{
    return (struct parity_result){
        .end = leg->result.end,
        .status = leg->result.status,
        .reply = leg->reply,
        .reply_len = leg->result.reply_len,
        .posts = listens ? leg->posts : PARITY_POSTS_UNKNOWN,
        .posted = leg->posted == NULL ? "" : leg->posted,
        .posted_len = leg->posted_len};
}

static void count_times(struct comparison *c, const struct slot *s)
{
    for (int i = 0; i < 2; i++)
        if (s->legs[i].result.end == CALL_ANSWERED) {
            c->answers[i]++;
            c->time[i] += s->legs[i].result.took;
        }
}

/* A handler that is asked twice and differs from itself proves nothing. */
static bool is_noise(const struct parity_case *c,
                     const struct replay_results *l, const struct slot *s,
                     const struct parity_verdict *v)
{
    struct parity_verdict noise;
    struct parity_case twice = *c;
    enum parity_kind_class class = parity_kind_class(v->kind);
    if (s->legs[AGAIN].state != LEG_DONE || class == PARITY_EQUAL ||
        class == PARITY_UNJUDGED)
        return false;
    twice.ours =
        result_of(&s->legs[AGAIN], l->options->downstream_theirs[0] != '\0');
    twice.request = NULL;
    parity_judge(&twice, &noise);
    return parity_is_noise(v, &noise);
}

static bool write_out(struct replay_results *l, const struct slot *s,
                      const struct parity_case *c,
                      const struct parity_verdict *v, bool noise)
{
    if (l->out == NULL || v->kind == PARITY_equal)
        return true;
    const struct mismatch_record record = {
        .number = s->number,
        .source = s->item.source,
        .compared = c,
        .verdict = v,
        .noise = noise,
        .details = {s->legs[OURS].result.detail,
                    s->legs[THEIRS].result.detail}};
    mismatch_record_print(&record, l->options->redact, l->out);
    return !ferror(l->out) ||
           stop(l, "--out %s: %s", l->options->out, strerror(errno));
}

static bool count_silence(struct replay_results *l, const struct slot *s)
{
    bool ours = s->legs[OURS].result.end == CALL_UNREACHED;
    bool theirs = s->legs[THEIRS].result.end == CALL_UNREACHED;
    l->silent = ours || theirs ? l->silent + 1 : 0;
    if (l->silent < SILENT_MAX)
        return true;
    return stop(l, "%s %s cannot be reached: %s", ours ? "--ours" : "--theirs",
                ours ? l->options->ours : l->options->theirs,
                s->legs[ours ? OURS : THEIRS].result.detail);
}

/* Refusals say nothing of what the handlers do with a body that they take. */
static bool is_taken(const struct parity_case *c,
                     const struct parity_verdict *v)
{
    bool refused = c->ours.end == CALL_ANSWERED && c->ours.status >= 400 &&
                   c->theirs.end == CALL_ANSWERED && c->theirs.status >= 400;
    return !refused && parity_kind_class(v->kind) != PARITY_UNJUDGED;
}

/* The last case of a file has been entered. */
static void end_file(struct replay_results *l, struct replay_file *f)
{
    if (f->cases > 0 && f->taken == 0) {
        l->state.comparison.unproved++;
        snprintf(l->unproved, sizeof l->unproved, "%s", l->source);
    }
    *f = (struct replay_file){.number = f->number};
}

static void count_file(struct replay_results *l, const struct slot *s,
                       bool taken)
{
    struct replay_file *f = s->item.whole ? &l->state.bodies : &l->state.lines;
    if (!s->item.whole && f->number != s->item.file) {
        end_file(l, f);
        f->number = s->item.file;
    }
    memcpy(l->source, s->item.source, sizeof l->source);
    f->cases++;
    f->taken += taken;
}

static bool enter_case(struct replay_results *l, const struct slot *s)
{
    const struct replay_options *o = l->options;
    struct parity_case c = {
        .request = s->item.body,
        .request_len = s->item.body_len,
        .ours = result_of(&s->legs[OURS], o->downstream_ours[0] != '\0'),
        .theirs = result_of(&s->legs[THEIRS], o->downstream_theirs[0] != '\0')};
    struct parity_verdict v;
    wanted_put(&o->wanted, &c);
    parity_judge(&c, &v);
    bool noise = is_noise(&c, l, s, &v);
    comparison_add(&l->state.comparison, &v, noise);
    count_times(&l->state.comparison, s);
    count_file(l, s, is_taken(&c, &v));
    return write_out(l, s, &c, &v, noise) && count_silence(l, s);
}

static void complain(struct replay_results *l, const struct slot *s)
{
    l->complaints++;
    if (l->complaints > COMPLAINTS_MAX)
        return;
    fprintf(stderr, "%stallyctl: %s: %s; not sent\n",
            l->terminal ? "\r\033[K" : "", s->item.source, s->item.why);
    if (l->complaints == COMPLAINTS_MAX)
        fputs("tallyctl: more of that is only counted\n", stderr);
}

bool replay_results_enter(struct replay_results *l, const struct slot *s)
{
    l->state.done++;
    switch (s->item.state) {
    case CORPUS_BODY:
        return enter_case(l, s);
    case CORPUS_BROKEN:
        l->state.comparison.broken++;
        break;
    default:
        l->state.comparison.too_long++;
    }
    complain(l, s);
    return true;
}

/* --- From time to time. --- */

static void show(const struct replay_results *l)
{
    char room[256];
    struct buf line;
    buf_init(&line, room, sizeof room);
    comparison_progress(&l->state.comparison, &line);
    fprintf(stderr, l->terminal ? "\r%.200s\033[K" : "tallyctl: %s\n", room);
}

/* First the cases, then the state that says how many there are. */
static bool keep(struct replay_results *l, int64_t now)
{
    const struct replay_options *o = l->options;
    l->state.comparison.elapsed = now - l->began;
    if (l->out != NULL) {
        if (fflush(l->out) != 0)
            return stop(l, "--out %s: %s", o->out, strerror(errno));
        off_t at = ftello(l->out);
        l->state.out = at < 0 ? 0 : (uint64_t)at;
    }
    return o->state[0] == '\0' ||
           replay_state_save(&l->state, o->state, l->fault, sizeof l->fault);
}

bool replay_results_tick(struct replay_results *l, int64_t now, int64_t *due)
{
    int64_t beat = l->terminal ? TERMINAL_BEAT : LINE_BEAT;
    if (now >= l->told + beat) {
        l->told = now;
        if (!keep(l, now))
            return false;
        if (!l->options->quiet)
            show(l);
    }
    if (l->told + beat < *due)
        *due = l->told + beat;
    return true;
}

bool replay_results_close(struct replay_results *l, int64_t now)
{
    bool ok = l->fault[0] == '\0';
    char fault[sizeof l->fault];
    memcpy(fault, l->fault, sizeof fault);
    ok = keep(l, now) && ok;
    if (fault[0] != '\0') /* the first one is the cause */
        memcpy(l->fault, fault, sizeof fault);
    if (l->terminal && !l->options->quiet)
        fputs("\r\033[K", stderr);
    if (l->out != NULL && fclose(l->out) != 0)
        ok = stop(l, "--out %s: %s", l->options->out, strerror(errno));
    l->out = NULL;
    /* Behind what was kept: a run that goes on may find more in them. */
    end_file(l, &l->state.lines);
    end_file(l, &l->state.bodies);
    return ok;
}

void replay_results_release(struct replay_results *l)
{
    pidfile_close(l->lock, l->lock_path);
    l->lock = -1;
}
