/* board_file: the file that `scoreboard` names, by which others find a pool.
 *
 * It has a copy of the scoreboard's head. The supervisor writes it (pwrite(2));
 * no process of the pool maps it, so it ends none of them when somebody cuts
 * it, and it is whole again with the next thing that happens.
 *
 * Who has made it is a fact of the kernel's: the supervisor holds a lock on it
 * (fcntl(2)), which ends with the supervisor and which its children do not
 * have. F_GETLK says who holds it. What the file says of a pid counts only if
 * that is the one. The lock stays through an upgrade, with the descriptor; it
 * would go with any other descriptor of the file that the supervisor closes. */
#ifndef TALLYD_SCOREBOARD_BOARD_FILE_H
#define TALLYD_SCOREBOARD_BOARD_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "scoreboard/scoreboard.h"

/* --- In the supervisor. --- */

/* Make the file of `b`, locked, whole when it gets its name. A file that a pool
 * has left which is gone is replaced; one of a pool that runs, and what is no
 * scoreboard, is not touched. False: `why`. */
bool board_file_make(struct scoreboard *b, const char *path, char *why,
                     size_t why_size);

/* Could it be made at `path`? Nothing is. With `may_run` a pool that runs with
 * it is no fault. False: `why`, as board_file_make() would say. */
bool board_file_check(const char *path, bool may_run, char *why,
                      size_t why_size);

/* Copy the head to the file, if there is one. */
void board_file_update(const struct scoreboard *b);

/* Is the file of `b` the one at `path`? */
bool board_file_is_at(const struct scoreboard *b, const char *path);

/* Remove the file, if it is still the one that was made. */
void board_file_remove(struct scoreboard *b, const char *path);

/* Flags of fcntl(2) for its descriptor: 0 to keep it through execve(2). */
void board_file_flags(const struct scoreboard *b, int flags);

/* --- In readers. --- */

/* What it begins with. False: it is no scoreboard. */
bool board_file_stub(int fd, struct scoreboard_stub *stub);

/* The process that holds the lock: 0: there is none; -1: the kernel does not
 * say, since it is in another namespace (pid_namespaces(7)). */
pid_t board_file_holder(int fd);

/* The head as it is now, without counts: scoreboard_attach(). NULL: errno,
 * EPROTO if the layout is another one. */
struct scoreboard *board_file_read(int fd);

/* The same again into *b. False: as before. */
bool board_file_read_again(int fd, struct scoreboard *b);

#endif
