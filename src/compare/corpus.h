/* corpus: recorded request bodies, one after the other, out of files.
 *
 * Memory is bounded by the largest body, but for an archive (HAR), which is
 * read whole. What cannot be used is told and stepped over. */
#ifndef TALLYD_COMPARE_CORPUS_H
#define TALLYD_COMPARE_CORPUS_H

#include <stdbool.h>
#include <stddef.h>

#include "compare/recording.h"

struct corpus_settings {
    const char *const *paths; /* files, directories, "-" for standard input */
    size_t path_count;
    enum recording_format format; /* of standard input, if AUTO: NDJSON */
    size_t max_body;              /* bytes */
    const char *const *written;   /* files of the caller's; "": none */
    size_t written_count;
};

struct corpus;

/* Directories are looked through here: their files in the order of their
 * names, those in directories below included, those that begin with a point
 * not. Each file ends where it ends now, though it may be written to meanwhile;
 * none may be one that the caller writes. NULL: `why` says which path is wrong.
 * The settings are borrowed. */
struct corpus *corpus_new(const struct corpus_settings *s, char *why,
                          size_t why_size);
void corpus_free(struct corpus **c);

enum corpus_state {
    CORPUS_BODY,
    CORPUS_BROKEN,   /* a line, a file or an entry that has no body */
    CORPUS_TOO_LONG, /* one over max_body */
    CORPUS_END,
    CORPUS_FAILED, /* a file cannot be read, or memory is short: `why` */
};

struct corpus_item {
    enum corpus_state state;
    char *body; /* of CORPUS_BODY; from malloc(3), terminated, the caller's */
    size_t body_len;
    char source[512]; /* path, and the line or entry: "a.ndjson:12" */
    char why[256];
    size_t file; /* which one, from 1 */
    bool whole;  /* the file is this body */
};

/* CORPUS_END and CORPUS_FAILED are final. */
void corpus_next(struct corpus *c, struct corpus_item *item);

#endif
