/* log: one line per event, to stderr or a file, never waiting for a reader.
 *
 * A line is written by one write(2), so lines of several processes do not mix.
 * A pipe or socket nobody reads must not stop a worker: the line is dropped
 * and counted instead. Safe to use before log_open(): lines go to stderr. */
#ifndef TALLYD_BASE_LOG_H
#define TALLYD_BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Longest line, its newline included; the rest of a longer one is cut. */
#define LOG_LINE_MAX 2048

/* Write to the file at `path` (created, appended), or to stderr when `path` is
 * empty. `path` is borrowed for log_reopen(). False: errno says why, and lines
 * keep going where they went before. */
bool log_open(const char *path, enum log_level level);

/* Another level, and the same path in another string. */
void log_set(const char *path, enum log_level level);

/* Open the same path again, for a rotated file. False: as log_open(). */
bool log_reopen(void);

/* The process a line comes from, e.g. "worker 3"; borrowed. */
void log_set_name(const char *name);

/* Where dropped lines are counted; NULL counts nowhere. */
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

/* For a line that would be there a thousand times: true when the last one, at
 * *last (0: none yet), is 10 s ago; then *last is now. */
bool log_paced(int64_t *last);

/* Append `text` as a quoted value of a key: " and \ escaped. */
void log_quote(struct buf *out, const char *text);

#endif
