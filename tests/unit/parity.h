/* parity: cases in short, for the tests of compare/parity. */
#ifndef TALLYD_TESTS_PARITY_H
#define TALLYD_TESTS_PARITY_H

#include <string.h>

#include "compare/parity.h"
#include "unit.h"

/* An answer; posted NULL: nothing was posted. */
static inline struct parity_result answered(int status, const char *reply,
                                            const char *posted)
{
    return (struct parity_result){.end = CALL_ANSWERED,
                                  .status = status,
                                  .reply = reply,
                                  .reply_len = strlen(reply),
                                  .posts = posted != NULL,
                                  .posted = posted,
                                  .posted_len =
                                      posted == NULL ? 0 : strlen(posted)};
}

static inline void expect(const struct parity_case *c, enum parity_kind kind,
                          enum parity_place place, const char *pointer)
{
    struct parity_verdict v;
    parity_judge(c, &v);
    ck_assert_msg(
        v.kind == kind && v.place == place && strcmp(v.pointer, pointer) == 0,
        "%s: %s in \"%s\" at \"%s\"", c->request == NULL ? "" : c->request,
        parity_kind_name(v.kind), parity_place_name(v.place), v.pointer);
}

#endif
