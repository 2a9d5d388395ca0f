/* backtrace: a process says where in its code it is, when another one asks.
 *
 * For a process that is stuck. The asker sends SIGALRM; the handler of that
 * signal stores the return addresses of the calls in shared memory. So the
 * asker needs no right to trace the process (ptrace(2)). Both are forked from
 * the same program, so the asker can tell which module and function each
 * address is in. */
#ifndef TALLYD_OS_BACKTRACE_H
#define TALLYD_OS_BACKTRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/line.h"

#define BACKTRACE_DEPTH 40 /* calls; of more, the outermost are missing */

/* In shared memory, zeroed. */
struct backtrace {
    _Atomic uint64_t asked; /* number of the question; 0: none */
    _Atomic uint64_t given; /* number of the question that is answered */
    _Atomic uint32_t depth;
    _Atomic uint64_t at[BACKTRACE_DEPTH]; /* addresses, innermost first */
};

/* Load what backtrace(3) needs, which a signal handler cannot. Once, before the
 * fork. */
void backtrace_prepare(void);

/* This process answers into *s from now on, wherever it is in its code. Call
 * with signals_init() done. */
void backtrace_catch(struct backtrace *s);

/* In a signal handler: store where this process was when the signal came, as
 * the answer to question `number`. `context` is what the handler was given. */
void backtrace_note(struct backtrace *s, uint64_t number, const void *context);

/* Ask the process `pid`. `number` is not 0, and no earlier question to *s had
 * it. The answer comes later, or never. */
void backtrace_ask(struct backtrace *s, pid_t pid, uint64_t number);

/* Take the question back; an answer that was given can still be printed. */
void backtrace_forget(struct backtrace *s);

/* Has the process been asked? Then it may soon be killed. */
static inline bool backtrace_is_asked(const struct backtrace *s)
{
    return atomic_load_explicit(&s->asked, memory_order_relaxed) != 0;
}

/* Append the answer to question `number`: " MODULE+0xOFFSET(FUNCTION)" for each
 * call, innermost first, as addr2line(1) takes it; the function only where it
 * is known. False: there is no answer. */
bool backtrace_print(const struct backtrace *s, uint64_t number,
                     struct buf *out);

/* Append the answer, or that there is none, to a log line. */
void backtrace_tell(const struct backtrace *s, uint64_t number, struct line *l);

#endif
