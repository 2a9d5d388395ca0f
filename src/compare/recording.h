/* recording: the request bodies in what a server or a browser has recorded.
 * Pure. */
#ifndef TALLYD_COMPARE_RECORDING_H
#define TALLYD_COMPARE_RECORDING_H

#include <stddef.h>

#include "compare/json_tree.h"

enum recording_format {
    RECORDING_AUTO,   /* by the name of the file */
    RECORDING_BODY,   /* a file is one body */
    RECORDING_NDJSON, /* each line is one, and must be JSON */
    RECORDING_LOG,    /* each line is a JSON object that has one, see below */
    RECORDING_HAR,    /* HTTP Archive 1.2: those of its POSTs */
};

/* .ndjson and .jsonl, .log, .har, also when logrotate(8) has added a number or
 * a date (.1, -20261130) or the file is compressed (.gz); anything else is one
 * body. */
enum recording_format recording_of_file(const char *path);

enum recording_state {
    RECORDING_TAKEN,
    RECORDING_BROKEN,  /* not JSON, or no object with a body in it */
    RECORDING_NO_POST, /* whole, but of another method */
    RECORDING_NO_MEMORY,
};

/* One line of a log. The object's member `body` is the body as a string, or
 * `body_base64` is; `method`, if there, must be POST. That is what nginx logs
 * with escape=json, what tallyctl capture stores, and what tallyctl replay
 * writes of cases that differ. RECORDING_TAKEN: *body is from malloc(3),
 * terminated, and the caller's. */
enum recording_state recording_read_line(const char *line, size_t n,
                                         char **body, size_t *body_len);

/* The entries of an archive, or NULL: `t` is none. */
const struct json_tree_value *recording_har_entries(const struct json_tree *t);

/* The body of one entry; as recording_read_line(). */
enum recording_state recording_read_entry(const struct json_tree_value *entry,
                                          char **body, size_t *body_len);

#endif
