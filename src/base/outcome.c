/* outcome: see outcome.h. */
#include "base/outcome.h"

static const struct {
    const char *name;
    int status;
    const char *title;
} outcomes[OUTCOME_COUNT] = {
#define OUTCOME(name, status, title) {#name, status, title},
#include "base/outcome.def"
#undef OUTCOME
};

const char *outcome_name(enum outcome o)
{
    return outcomes[o].name;
}

int outcome_status(enum outcome o)
{
    return outcomes[o].status;
}

const char *outcome_title(enum outcome o)
{
    return outcomes[o].title;
}
