/* page_parts: the sections of the page, each complete in itself. */
#ifndef TALLYD_STATUS_PAGE_PARTS_H
#define TALLYD_STATUS_PAGE_PARTS_H

#include "base/buf.h"
#include "scoreboard/view.h"

/* 1234567 as 1 234 567, 1234567 ns as 1.23 ms. */
void page_parts_number(struct buf *out, uint64_t n);
void page_parts_time(struct buf *out, uint64_t ns);

void page_parts_outcomes(struct buf *out, const struct view *v);
void page_parts_times(struct buf *out, const struct view *v);
void page_parts_workers(struct buf *out, const struct view *v, bool full);
void page_parts_downstream(struct buf *out, const struct view *v);
void page_parts_connections(struct buf *out, const struct view *v);

/* Nothing where there is no shadow. */
void page_parts_shadow(struct buf *out, const struct view *v);

/* Every setting in force; what is secret in a URL is left out. */
void page_parts_settings(struct buf *out, const struct view *v);

#endif
