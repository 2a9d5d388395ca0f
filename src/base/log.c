/* log: see log.h. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd_box.h"
#include "base/sink.h"

/* The least time between two lines of the same kind, see log_paced(). */
#define PACE (10 * CLOCK_SECOND)

#define SYSLOG_SOCKET "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static struct {
    struct log_plan plan;
    struct sink sink, books[LOG_BOOKS]; /* of a book that is not there: fd -1 */
    enum line_style style;
    const char *name;
    _Atomic uint64_t *dropped; /* NULL: unclaimed */
    _Atomic uint64_t unclaimed;
    struct fd_box box; /* what log_reopen() opens, for those that follow */
    bool follows;
} logger = {.plan = {.level = LOG_INFO, .file = "", .socket = "", .pool = ""},
            .sink = SINK_STDERR,
            .books = {{.fd = -1}, {.fd = -1}},
            .name = "tallyd",
            .box = FD_BOX_CLOSED};

/* --- Places. --- */

/* Is it the journal that reads standard error? See systemd.exec(5). */
static bool stderr_is_journal(void)
{
    static bool asked, yes; /* the variable may be gone when asked again */
    const char *stream = getenv("JOURNAL_STREAM");
    char own[64];
    struct stat st;
    if (asked)
        return yes;
    asked = true;
    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
        return false;
    snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    yes = strcmp(stream, own) == 0;
    return yes;
}

static const char *socket_of(const struct log_plan *p, const char *usual)
{
    return p->socket[0] != '\0' ? p->socket : usual;
}

/* Open the destination in *sink, which is not open; gives the style of its
 * lines in *style. */
static bool open_destination(const struct log_plan *p, struct sink *sink,
                             enum line_style *style)
{
    *style = LINE_PLAIN;
    if (p->to == LOG_TO_SYSLOG) {
        *style = LINE_SYSLOG;
        return sink_open_packets(sink, socket_of(p, SYSLOG_SOCKET));
    }
    bool to_file = p->to == LOG_TO_AUTO && p->file[0] != '\0';
    bool journal = p->to == LOG_TO_JOURNAL ||
                   (p->to == LOG_TO_AUTO && !to_file && stderr_is_journal());
    if (journal) {
        *style = LINE_JOURNAL;
        if (sink_open_packets(sink, socket_of(p, JOURNAL_SOCKET)))
            return true;
        if (p->to == LOG_TO_JOURNAL)
            return false;
        *style = LINE_PREFIXED; /* it is out of reach, but reads stderr */
    }
    return to_file ? sink_open_file(sink, p->file) : sink_open_stderr(sink);
}

static bool is_set(const char *path)
{
    return path != NULL && path[0] != '\0';
}

static void close_books(struct sink books[LOG_BOOKS])
{
    for (int i = 0; i < LOG_BOOKS; i++)
        if (books[i].fd >= 0)
            sink_close(&books[i]);
}

/* All or none. *failed: the one that cannot be opened; errno. */
static bool open_books(const struct log_plan *p, struct sink books[LOG_BOOKS],
                       int *failed)
{
    for (int i = 0; i < LOG_BOOKS; i++)
        books[i].fd = -1;
    for (int i = 0; i < LOG_BOOKS; i++) {
        *failed = i;
        if (!is_set(p->books[i]) || sink_open_file(&books[i], p->books[i]))
            continue;
        int error = errno;
        close_books(books);
        errno = error;
        return false;
    }
    *failed = LOG_BOOKS;
    return true;
}

/* *failed: the book that it is about when it fails; LOG_BOOKS: none. */
static bool open_log(const struct log_plan *plan, int *failed)
{
    struct sink sink = SINK_STDERR, books[LOG_BOOKS];
    enum line_style style;
    tzset(); /* localtime_r() need not */
    if (!open_books(plan, books, failed))
        return false;
    if (!open_destination(plan, &sink, &style)) {
        int error = errno;
        close_books(books);
        errno = error;
        return false;
    }
    close_books(logger.books);
    memcpy(logger.books, books, sizeof books);
    sink_close(&logger.sink);
    logger.sink = sink;
    logger.style = style;
    logger.plan = *plan;
    return true;
}

static void explain(const struct log_plan *p, int failed, char *why,
                    size_t why_size)
{
    static const char *const keys[] = {"access_log", "slow_log"};
    const char *reason = strerror(errno);
    if (failed < LOG_BOOKS)
        snprintf(why, why_size, "%s = %s: %s", keys[failed], p->books[failed],
                 reason);
    else if (p->to == LOG_TO_SYSLOG)
        snprintf(why, why_size, "log_to = syslog: %s: %s",
                 socket_of(p, SYSLOG_SOCKET), reason);
    else if (p->to == LOG_TO_JOURNAL)
        snprintf(why, why_size, "log_to = journal: %s: %s",
                 socket_of(p, JOURNAL_SOCKET), reason);
    else if (p->file[0] != '\0')
        snprintf(why, why_size, "log_file = %s: %s", p->file, reason);
    else
        snprintf(why, why_size, "standard error: %s", reason);
}

bool log_start(const struct log_plan *plan, char *why, size_t why_size)
{
    int failed;
    if (open_log(plan, &failed))
        return true;
    explain(plan, failed, why, why_size);
    return false;
}

/* --- Processes that follow. --- */

#define FILES (1 + LOG_BOOKS) /* the log, then the books */
_Static_assert(FILES <= FD_BOX_MOST, "all go into one box");

/* What goes to standard error is not opened anew. */
static bool has_path(void)
{
    bool file = logger.plan.to == LOG_TO_AUTO && logger.plan.file[0] != '\0';
    return file || logger.sink.kind == SINK_PACKETS;
}

static bool put_files(void)
{
    int fds[FILES] = {logger.sink.fd};
    for (int i = 0; i < LOG_BOOKS; i++)
        fds[1 + i] = logger.books[i].fd;
    return fd_box_put(&logger.box, fds, FILES);
}

static bool take_files(void)
{
    int fds[FILES];
    if (!fd_box_take(&logger.box, fds, FILES)) {
        if (errno == EAGAIN) {
            log_debug("the log is not opened again: nobody has done so yet");
            return true;
        }
        log_error("the log is not opened again: %s",
                  errno == EPIPE ? "the program that has opened it was replaced"
                                 : strerror(errno));
        return false;
    }
    if (fds[0] >= 0 && has_path())
        sink_replace(&logger.sink, fds[0]);
    else if (fds[0] >= 0)
        close(fds[0]);
    for (int i = 0; i < LOG_BOOKS; i++)
        if (fds[1 + i] >= 0)
            sink_replace(&logger.books[i], fds[1 + i]);
    return true;
}

bool log_share(void)
{
    return fd_box_open(&logger.box);
}

void log_follow(void)
{
    logger.follows = logger.box.take >= 0;
    fd_box_only_take(&logger.box);
}

bool log_reopen(void)
{
    const struct log_plan plan = logger.plan;
    char why[400];
    if (logger.follows)
        return take_files();
    bool opened = log_start(&plan, why, sizeof why);
    if (!opened)
        log_error("the log is not opened again: %s", why);
    else if (logger.box.put >= 0 && !put_files())
        log_error("the log is not opened again in other processes: %s",
                  strerror(errno));
    return opened;
}

void log_set(const struct log_plan *plan)
{
    logger.plan = *plan;
    if (logger.sink.kind == SINK_PACKETS)
        logger.sink.path = socket_of(
            plan, logger.style == LINE_SYSLOG ? SYSLOG_SOCKET : JOURNAL_SOCKET);
}

bool log_has_socket(void)
{
    return logger.sink.kind == SINK_PACKETS;
}

void log_set_name(const char *name)
{
    logger.name = name;
}

void log_set_drop_counter(_Atomic uint64_t *counter)
{
    logger.dropped = counter;
    if (counter != NULL)
        atomic_fetch_add_explicit(counter,
                                  atomic_exchange(&logger.unclaimed, 0),
                                  memory_order_relaxed);
}

bool log_wants(enum log_level level)
{
    return level <= logger.plan.level;
}

/* --- Lines. --- */

static void begin(struct line *l, enum line_style style, enum log_level level,
                  const char *message)
{
    const struct line_head head = {.style = style,
                                   .json = logger.plan.json,
                                   .level = level,
                                   .wall = clock_wall(),
                                   .pool = logger.plan.pool,
                                   .name = logger.name,
                                   .pid = (int)getpid()};
    line_begin(l, &head);
    line_message(l, message);
}

static void end(struct line *l, struct sink *to)
{
    size_t n;
    const char *bytes = line_end(l, &n);
    if (to->fd < 0 || !sink_put(to, bytes, n))
        atomic_fetch_add_explicit(logger.dropped != NULL ? logger.dropped
                                                         : &logger.unclaimed,
                                  1, memory_order_relaxed);
}

void log_begin(struct line *l, enum log_level level, const char *message)
{
    begin(l, logger.style, level, message);
}

void log_end(struct line *l)
{
    end(l, &logger.sink);
}

bool log_has_book(enum log_book b)
{
    return logger.books[b].fd >= 0;
}

void log_begin_in_book(struct line *l)
{
    begin(l, LINE_PLAIN, LOG_INFO, "");
}

void log_end_in_book(struct line *l, enum log_book b)
{
    end(l, &logger.books[b]);
}

void log_write(enum log_level level, const char *fmt, ...)
{
    if (!log_wants(level))
        return;
    int saved = errno;
    char message[LOG_LINE_MAX];
    struct line line;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    log_begin(&line, level, message);
    log_end(&line);
    errno = saved;
}

bool log_paced(int64_t *last)
{
    int64_t now = clock_now();
    if (*last != 0 && now - *last < PACE)
        return false;
    *last = now;
    return true;
}
