/* body: a body that a test puts together, piece by piece. */
#ifndef TALLYD_TESTS_BODY_H
#define TALLYD_TESTS_BODY_H

#include <string.h>

#include "unit.h"

#ifndef BODY_MAX
#define BODY_MAX 32768
#endif

struct body {
    char bytes[BODY_MAX]; /* text: a null byte is behind the last */
    size_t n;
};

static inline void body_put(struct body *b, const void *bytes, size_t n)
{
    EXPECT(n < sizeof b->bytes - b->n);
    memcpy(b->bytes + b->n, bytes, n);
    b->n += n;
    b->bytes[b->n] = '\0';
}

static inline void body_text(struct body *b, const char *text)
{
    body_put(b, text, strlen(text));
}

static inline void body_fill(struct body *b, char c, size_t n)
{
    EXPECT(n < sizeof b->bytes - b->n);
    memset(b->bytes + b->n, c, n);
    b->n += n;
    b->bytes[b->n] = '\0';
}

#endif
