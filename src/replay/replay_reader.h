/* replay_reader: a process that reads the recorded bodies.
 *
 * Standard input may be a pipe that brings nothing for hours; who waits for it
 * must not be who waits for everything else. It writes an item and its body at
 * a time, and stops where the socket is full. */
#ifndef TALLYD_REPLAY_REPLAY_READER_H
#define TALLYD_REPLAY_REPLAY_READER_H

#include <stdint.h>

#include "compare/corpus.h"

struct replay_item {
    enum corpus_state state;
    uint64_t body_len;
    char source[512];
    char why[256];
};

/* Leave out the first `skip` items. Give the exit status. */
int replay_reader_run(int fd, struct corpus *corpus, uint64_t skip);

#endif
