/* explain: `tallyctl explain`, how queries are understood; and what the items
 * of a body contribute, for `tallyctl send --explain`. */
#ifndef TALLYD_CTL_EXPLAIN_H
#define TALLYD_CTL_EXPLAIN_H

#include "config/config.h"

/* Print list, paths, program, an example and its result for the endpoints asked
 * for. argv[0] is the command. The exit status, besides those of a command
 * line: 0, or 1 where there is no such endpoint. */
int explain_main(int argc, char **argv);

/* What became of a body; also the exit status of `tallyctl send`. */
enum body_end { BODY_TAKEN, BODY_REFUSED, BODY_FAILED };

/* Print a line for each item of the body that `fd` gives, what became of it and
 * what it adds to each result, and then the result or the fault. */
enum body_end explain_body(const struct config_endpoint *e, int fd);

#endif
