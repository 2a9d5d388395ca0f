/* probe: static probes, for bpftrace(8), perf(1), SystemTap and gdb.
 *
 * Each is one nop in the code and a note in the ELF file that says where it is
 * and in which registers its arguments are; nothing is evaluated that was not
 * at hand. Built without <sys/sdt.h> they are nothing at all.
 *
 * This is the only list; tallyd(8) describes it and tests/check-probes compares
 * it with the program. `id` is the request id, a string. */
#ifndef TALLYD_BASE_PROBE_H
#define TALLYD_BASE_PROBE_H

#ifdef HAVE_SYS_SDT_H
#include <sys/sdt.h>
#define PROBE2(name, a, b) DTRACE_PROBE2(tallyd, name, a, b)
#define PROBE3(name, a, b, c) DTRACE_PROBE3(tallyd, name, a, b, c)
#else
#define PROBE2(name, a, b) ((void)(a), (void)(b))
#define PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#endif

/* A worker has a request and knows its id and its path, a string. */
#define PROBE_REQUEST_START(id, path) PROBE2(request_start, id, path)

/* The body is decoded, added up and in words: its bytes, and the outcome so
 * far, as its number in outcome.def from 0, which is ok. */
#define PROBE_DECODED(id, bytes, outcome) PROBE3(decoded, id, bytes, outcome)

/* The result is about to be posted, for an endpoint with this name. */
#define PROBE_DOWNSTREAM_START(id, endpoint)                                   \
    PROBE2(downstream_start, id, endpoint)

/* The post has ended: its outcome, the HTTP status of the answer, 0 for none.
 */
#define PROBE_DOWNSTREAM_END(id, outcome, status)                              \
    PROBE3(downstream_end, id, outcome, status)

/* The request is over: its outcome, and what it took, in ns. */
#define PROBE_DONE(id, outcome, ns) PROBE3(done, id, outcome, ns)

#endif
