/* idlines: a file of lines, each a JSON object with a request id, and an index
 * of them by that id.
 *
 * The file is mapped; the index costs 24 bytes a line, and a line is read when
 * it is needed. */
#ifndef TALLYD_COMPARE_IDLINES_H
#define TALLYD_COMPARE_IDLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compare/json_tree.h"

struct idlines {
    char *bytes;
    size_t size, at; /* where the next line is */
};

/* False: `why`. idlines_close() is due in any case. */
bool idlines_open(struct idlines *l, const char *path, char *why,
                  size_t why_size);
void idlines_close(struct idlines *l);

/* The next line, without its line feed: *len bytes at *at. False: there is
 * none; one without its end is still being written. */
bool idlines_next(struct idlines *l, size_t *at, size_t *len);

/* Read a line that is an object with a request id; else false, and nothing is
 * held. After true json_tree_free() is due. */
bool idlines_read(const struct idlines *l, size_t at, size_t len,
                  struct json_tree *t, const struct json_tree_value **id);

/* A member that is a string, or NULL. */
const struct json_tree_value *idlines_text(const struct json_tree *t,
                                           const char *name);

/* A member that is a number, as an integer; `otherwise` if there is none. */
int idlines_number(const struct json_tree *t, const char *name, int otherwise);

/* Seconds since 1970 of the member `time`, such as 2026-11-24T10:00:00.5Z;
 * 0: it has none. */
int64_t idlines_time(const struct json_tree *t);

/* --- The index. --- */

/* One id: where its line is. */
struct idlines_entry {
    uint64_t hash; /* of the id; 0: there is none */
    uint64_t at : 62, claimed : 1, repeated : 1;
    uint64_t len;
};

struct idlines_index {
    struct idlines_entry *entries;
    uint64_t room, used; /* room: a power of 2 */
};

/* The line is the id's; the last one, if there were others. Two ids of one hash
 * of 64 bits are taken for one that comes twice: once in some billion weeks.
 * NULL: memory is short. */
struct idlines_entry *idlines_add(struct idlines_index *x,
                                  const struct json_tree_value *id, size_t at,
                                  size_t len);

/* NULL: there is none. */
struct idlines_entry *idlines_find(const struct idlines_index *x,
                                   const struct json_tree_value *id);

void idlines_forget(struct idlines_index *x);

#endif
