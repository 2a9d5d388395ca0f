/* capture_peer: one connection of `tallyctl capture`, to its end. */
#ifndef TALLYD_CAPTURE_CAPTURE_PEER_H
#define TALLYD_CAPTURE_CAPTURE_PEER_H

#include <stdatomic.h>
#include <stdint.h>

#include "config/config.h"
#include "ctl/options.h"
#include "downstream/call.h"

/* The command line of `tallyctl capture`. */
struct capture_options {
#define OPTIONS_FILE "capture/capture_options.def"
#include "ctl/options_members.h"
#undef OPTIONS_FILE
};

/* Shared by all processes. */
struct capture_counts {
    _Atomic uint64_t posts;     /* complete ones */
    _Atomic uint64_t unwritten; /* of those: not in the file */
    _Atomic uint64_t failed;    /* of those: not answered by the downstream */
};

/* How posts are passed on to --forward; borrows from `o`. */
struct call_settings capture_peer_call(const struct capture_options *o);

/* Serve the connection `fd`, which is taken over, until its peer closes it, it
 * is silent for too long, or SIGTERM comes between two posts. SIGUSR1: the file
 * has been moved away. Give the exit status. */
int capture_peer_run(int fd, const struct capture_options *o,
                     struct capture_counts *counts);

#endif
