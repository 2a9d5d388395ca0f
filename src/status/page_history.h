/* page_history: the section of the page with the last ten minutes, as drawings
 * (SVG) without a script. */
#ifndef TALLYD_STATUS_PAGE_HISTORY_H
#define TALLYD_STATUS_PAGE_HISTORY_H

#include <stdint.h>

#include "base/buf.h"
#include "status/history.h"

/* `now`: monotonic ns; what is older than HISTORY_SPAN is left out. */
void page_history_print(struct buf *out, const struct history *h, int64_t now);

#endif
