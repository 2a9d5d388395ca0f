/* log: one line per event, never waiting for a reader.
 *
 * Lines go to standard error, a file, syslog or the systemd journal, each in
 * one piece, so those of several processes do not mix. What the destination
 * does not take at once is dropped and counted: a reader that stands still must
 * not stop a worker. Safe to use before log_start(): lines go to standard
 * error. */
#ifndef TALLYD_BASE_LOG_H
#define TALLYD_BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/line.h"

#define LOG_LINE_MAX LINE_MAX_BYTES

enum log_destination {
    LOG_TO_AUTO, /* file if it is set; the journal if stderr is; else stderr */
    LOG_TO_STDERR,
    LOG_TO_SYSLOG,
    LOG_TO_JOURNAL
};

/* Files for lines of one kind, beside the log. */
enum log_book { LOG_ACCESS, LOG_SLOW, LOG_BOOKS };

/* Its texts are borrowed for as long as lines are written. */
struct log_plan {
    enum log_destination to;
    enum log_level level; /* the least urgent that is written */
    bool json;
    const char *file;   /* "": none */
    const char *socket; /* of syslog or journal; "": where it usually is */
    const char *pool;   /* the pool's name */
    const char *books[LOG_BOOKS]; /* NULL or "": there is none */
};

/* Write as `plan` says from now on. False: `why` says what is wrong, and lines
 * go on as before. */
bool log_start(const struct log_plan *plan, char *why, size_t why_size);

/* Another level, another form, and the same destinations in other strings. */
void log_set(const struct log_plan *plan);

/* Open the same destination again, for a rotated file. In a process that
 * follows another one: write to what that one has opened last. False: lines go
 * on as before, and one says why. */
bool log_reopen(void);

/* Before the first fork: leave what log_reopen() opens to the processes that
 * will follow this one, which may not be able to open a file (fd_box.h).
 * False: errno. */
bool log_share(void);

/* In a forked process: follow the process that has called log_share(), if one
 * has. */
void log_follow(void);

/* Do lines go to a socket, which the process connects to again when its reader
 * has been restarted? */
bool log_has_socket(void);

/* The process a line comes from, e.g. "worker 3"; borrowed. */
void log_set_name(const char *name);

/* Where dropped lines are counted: by several processes, if they share it. What
 * was dropped while there was none, as before the first call or after NULL, is
 * added to the next. */
void log_set_drop_counter(_Atomic uint64_t *counter);

/* Ask before building an expensive message. */
bool log_wants(enum log_level level);

/* Log one line. Control characters in the message come out as \xHH. */
void log_write(enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

/* Log one line with fields (line.h) between log_begin() and log_end(). The
 * message may be "". Ask log_wants() before. */
void log_begin(struct line *l, enum log_level level, const char *message);
void log_end(struct line *l);

/* The same for a line of a book, which is plain text or JSON as the log is;
 * dropped and counted where the book is not there or does not take it. */
bool log_has_book(enum log_book b);
void log_begin_in_book(struct line *l);
void log_end_in_book(struct line *l, enum log_book b);

/* For a line that would be there a thousand times: true when the last one, at
 * *last (0: none yet), is 10 s ago; then *last is now. */
bool log_paced(int64_t *last);

#endif
