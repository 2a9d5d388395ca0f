/* outcome: see outcome.h. */
#include "base/outcome.h"

/* An outcome whose status has no row of its own does not compile. */
#define STATUS(status, phrase) static const char phrase_##status[] = phrase;
#include "base/outcome.def"

static const struct {
    const char *name;
    int status;
    const char *phrase, *title;
} outcomes[OUTCOME_COUNT] = {
#define OUTCOME(name, status, title) {#name, status, phrase_##status, title},
#include "base/outcome.def"
};

const char *outcome_name(enum outcome o)
{
    return outcomes[o].name;
}

int outcome_status(enum outcome o)
{
    return outcomes[o].status;
}

const char *outcome_phrase(enum outcome o)
{
    return outcomes[o].phrase;
}

const char *outcome_title(enum outcome o)
{
    return outcomes[o].title;
}
