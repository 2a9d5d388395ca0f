/* backtrace: where in its code a process is, found out by itself when asked.
 *
 * For a process that does not come back: the one that asks needs no rights
 * over it (ptrace(2)), only memory they share. It is asked with SIGALRM, and
 * answers with addresses; the asker, forked from the same program, knows what
 * they are addresses of. */
#ifndef TALLYD_OS_BACKTRACE_H
#define TALLYD_OS_BACKTRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define BACKTRACE_DEPTH 40 /* of deeper ones the outer calls are missing */

/* In shared memory, zeroed. */
struct backtrace {
    _Atomic uint64_t asked; /* the question's number; 0: none */
    _Atomic uint64_t given; /* of the question that is answered */
    _Atomic uint32_t depth;
    _Atomic uint64_t at[BACKTRACE_DEPTH]; /* addresses, innermost first */
};

/* Load what it takes. Once, before the fork. */
void backtrace_prepare(void);

/* From now on this process answers into *s, wherever it is in its code.
 * Call with signals_init() done. */
void backtrace_catch(struct backtrace *s);

/* Store where this process was when a signal came: `context` is what its
 * handler was given. An answer that nobody has asked for. */
void backtrace_note(struct backtrace *s, uint64_t number, const void *context);

/* Ask the process `pid`; `number` is not 0 and new. It may take its time, or
 * never answer. */
void backtrace_ask(struct backtrace *s, pid_t pid, uint64_t number);

/* No question any more; an answer that was given can still be printed. */
void backtrace_forget(struct backtrace *s);

/* Has this process been asked? It is going to be ended, unless it is fast. */
static inline bool backtrace_is_asked(const struct backtrace *s)
{
    return atomic_load_explicit(&s->asked, memory_order_relaxed) != 0;
}

/* Append the answer as addr2line(1) takes it, MODULE+0xOFFSET(FUNCTION) for
 * each call, the function where it is known. False: there is no answer. */
bool backtrace_print(const struct backtrace *s, uint64_t number,
                     struct buf *out);

#endif
