/* outcome: the closed list of ways a request ends (outcome.def). */
#ifndef TALLYD_BASE_OUTCOME_H
#define TALLYD_BASE_OUTCOME_H

enum outcome {
#define OUTCOME(name, status, title) OUTCOME_##name,
#include "base/outcome.def"
    OUTCOME_COUNT
};

/* The metric label, e.g. "malformed_json". */
const char *outcome_name(enum outcome o);

/* The HTTP status of the reply; 0 when nobody is left to read one. */
int outcome_status(enum outcome o);

/* The reason phrase of that status (RFC 9110, 15); empty for 0. */
const char *outcome_phrase(enum outcome o);

/* One sentence for the problem document's title (RFC 9457, 3.1.3). */
const char *outcome_title(enum outcome o);

#endif
