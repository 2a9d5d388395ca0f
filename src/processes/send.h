/* send: `tallyctl send`, a file posted to a pool without a web server. */
#ifndef TALLYD_PROCESSES_SEND_H
#define TALLYD_PROCESSES_SEND_H

#include <stdbool.h>
#include <stddef.h>

#include "adapters/config.h"

#define SEND_HEADERS_MAX 64

struct send_wish {
    const char *file;   /* "-": standard input */
    const char *listen; /* where to; NULL: as the settings say */
    const char *path;   /* NULL: of the one endpoint, else / */
    const char *headers[SEND_HEADERS_MAX];
    size_t header_count;
    unsigned timeout; /* s */
    bool verbose;
};

/* How it went, and the exit status of the command. */
enum send_end { SEND_TAKEN, SEND_REFUSED, SEND_FAILED };

/* Print the reply's body on standard output; its status, its header if
 * `verbose`, and what went wrong on standard error. */
enum send_end send_file(const struct send_wish *w, const struct config *c);

#endif
