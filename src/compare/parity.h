/* parity: what two handlers made of one request, compared.
 *
 * The verdict is `equal`, or the kind of the first difference, of the list in
 * parity_kind.def. A difference is only called one by contract when the request
 * itself shows that it is: its body is decoded here as ours decodes it, and the
 * status that ours gave must be the one that follows. Pure. */
#ifndef TALLYD_COMPARE_PARITY_H
#define TALLYD_COMPARE_PARITY_H

#include <stdbool.h>

#include "base/parity_kind.h"
#include "compare/json_diff.h"
#include "compare/parity_case.h"

/* Where the first difference is. */
enum parity_place {
    PARITY_NOWHERE,
    PARITY_IN_STATUS, /* or in whether there is an answer at all */
    PARITY_IN_POSTS,  /* their number */
    PARITY_IN_POSTED, /* at `pointer` of the body posted downstream */
    PARITY_IN_REPLY,  /* at `pointer` of the reply */
};

struct parity_verdict {
    enum parity_kind kind;
    enum parity_place place;
    char pointer[JSON_DIFF_POINTER_MAX];
};

/* "status", "posts", "posted", "reply", or "" for nowhere. */
const char *parity_place_name(enum parity_place p);

void parity_judge(const struct parity_case *c, struct parity_verdict *v);

/* A handler that is asked twice may answer otherwise the second time. Is `v`, a
 * difference between ours and theirs, at a place where theirs differs from
 * itself, as `noise` between the two has it? */
bool parity_is_noise(const struct parity_verdict *v,
                     const struct parity_verdict *noise);

#endif
