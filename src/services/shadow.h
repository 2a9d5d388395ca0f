/* shadow: what becomes of a sampled request after its reply has left.
 *
 * Its result is written to result_file. Run by processes of its own, so it may
 * take its time: nothing here can change or delay a reply. */
#ifndef TALLYD_SERVICES_SHADOW_H
#define TALLYD_SERVICES_SHADOW_H

#include "adapters/config.h"
#include "adapters/scoreboard.h"
#include "adapters/shadow_queue.h"

struct shadow;

/* One per process. NULL: memory is short. Everything is borrowed. */
struct shadow *shadow_new(const struct config_shadow *config,
                          struct scoreboard_shadow *counts);
void shadow_free(struct shadow **s);

/* Open the files again: they have been moved away. */
void shadow_reopen(struct shadow *s);

void shadow_examine(struct shadow *s, const struct shadow_case *c);

#endif
