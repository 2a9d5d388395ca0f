/* advice: what about a pool deserves attention, in plain words, and the
 * setting to change. */
#ifndef TALLYD_STATUS_ADVICE_H
#define TALLYD_STATUS_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "scoreboard/view.h"

struct advice {
    bool urgent;     /* requests fail or wait now, or results may be wrong */
    const char *key; /* the setting; "" when none would help */
    char text[256];
};

#define ADVICE_MOST 16

/* Give how many there are, urgent ones first. */
size_t advice_list(const struct view *v, struct advice list[ADVICE_MOST]);

#endif
