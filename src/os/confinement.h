/* confinement: what a process of the pool can still do once it runs: system
 * calls (syscall_filter.h), files and TCP ports (landlock.h).
 *
 * The supervisor finds out what the kernel has. The rules are made by the
 * process when it starts, while it can still open files, or before the fork for
 * several; the process enters when it is ready to take the first byte from
 * outside. */
#ifndef TALLYD_OS_CONFINEMENT_H
#define TALLYD_OS_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "os/landlock.h"
#include "os/syscall_filter.h"

enum confinement_mode {
    CONFINEMENT_OFF,
    CONFINEMENT_AUTO,  /* as far as the kernel can; what is refused fails */
    CONFINEMENT_STRICT /* all of it; what is refused ends the process */
};

/* What there is of it here. */
struct confinement_means {
    const char *no_filter;   /* NULL, or why there are no filters */
    const char *no_landlock; /* NULL, or why there is no Landlock */
    int landlock;            /* its version */
};

/* Ask the kernel. Both are out of reach in a program that was built with
 * sanitizers or for coverage, which open files and make calls of their own. */
void confinement_find(struct confinement_means *m);

/* For a line of the log: what there is, or what is missing. */
void confinement_print(const struct confinement_means *m, char *text,
                       size_t room);

/* Is all of it there that `strict` asks for? */
bool confinement_is_whole(const struct confinement_means *m);

struct confinement {
    enum confinement_mode mode;
    struct confinement_means means;
    struct syscall_filter filter;
    struct landlock landlock;
    int error; /* errno of the first rule that could not be made; 0: none */
};

/* Begin with rules that allow `work` (enum syscall_filter_work), and no file
 * and no port. `supervisor`: 0 when there is none. A child has a copy, but the
 * descriptor of Landlock's rules is one for all until they are entered: who
 * does not enter has to close it. */
void confinement_open(struct confinement *c, enum confinement_mode mode,
                      const struct confinement_means *means, unsigned work,
                      pid_t supervisor);
void confinement_close(struct confinement *c);

/* More of it: see landlock.h. */
void confinement_allow_path(struct confinement *c, const char *path,
                            unsigned rights);
void confinement_allow_connect(struct confinement *c, uint16_t port);

/* Allow these rights to the file at `path`, which need not be there yet, and to
 * one that takes its place: to what is in its directory, and in that of the
 * file that a link leads to. "": nothing. */
void confinement_allow_file(struct confinement *c, const char *path,
                            unsigned rights);

/* In the process that forks others which will enter: have their filter of calls
 * ready. What keeps it from that only makes them slower to start. */
void confinement_prepare(const struct confinement *c);

/* Put this process under the rules, and close *c. NULL: there are none. False:
 * the process must not serve; the log says why. */
bool confinement_enter(struct confinement *c);

#endif
