/* page: a pool as one HTML page, for people with a browser.
 *
 * No script, no image, nothing from elsewhere: its Content-Security-Policy
 * allows its own style alone. Whatever comes from outside is escaped. */
#ifndef TALLYD_STATUS_PAGE_H
#define TALLYD_STATUS_PAGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "scoreboard/view.h"
#include "status/history.h"

#define PAGE_POLICY                                                            \
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "         \
    "form-action 'none'; frame-ancestors 'none'"

struct page_wish {
    unsigned refresh;              /* s between two loads; 0: none */
    bool full;                     /* a line for each worker */
    const struct history *history; /* NULL: there is none */
};

/* Append the whole page. False: `out` is too small. */
bool page_print(const struct view *v, const struct page_wish *wish,
                struct buf *out);

#endif
