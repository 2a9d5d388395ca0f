/* findings: what a look at a pool has found, a line each. */
#ifndef TALLYD_CTL_FINDINGS_H
#define TALLYD_CTL_FINDINGS_H

#include <stdbool.h>

struct findings {
    bool bad; /* something is wrong */
};

/* Print a line, `about` one word of it: all is well; or what is wrong, and the
 * cure. */
__attribute__((format(printf, 3, 4))) void
findings_ok(struct findings *f, const char *about, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void
findings_wrong(struct findings *f, const char *about, const char *fmt, ...);

#endif
