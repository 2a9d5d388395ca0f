/* shadow_report: what the shadow has found out so far, for people and
 * machines. */
#ifndef TALLYD_SHADOW_SHADOW_REPORT_H
#define TALLYD_SHADOW_SHADOW_REPORT_H

#include <stdio.h>

#include "base/buf.h"
#include "compare/comparison.h"
#include "decode/json.h"
#include "scoreboard/view.h"
#include "shadow/totals.h"

/* What was compared, since the pool was started. */
void shadow_report_sum(const struct view *v, struct comparison *c);

/* A few lines for status, nothing while no request was ever sampled; and the
 * same as a member of its JSON. */
void shadow_report_text(const struct view *v, struct buf *out);
void shadow_report_put(const struct view *v, struct json_doc *page);

/* The whole report over all pools, the last of which is `running` or not, with
 * its verdict in words; and the same as one JSON object. */
void shadow_report_print(const struct totals *t, bool running, FILE *out);
void shadow_report_print_json(const struct totals *t, bool running, FILE *out);

/* What was compared, over all of them. */
void shadow_report_sum_all(const struct totals *t, struct comparison *c);

#endif
