/* reference: the typed decoder on its portable path in the place of json-c, so
 * that whoever compares decoders has two of them here, too. */
#include "decode/reference.h"

#include <string.h>

#include "decode/window.h"
#include "decode/typed.h"

static struct typed *typed_of(struct reference *d)
{
    return (struct typed *)(void *)d;
}

struct reference *reference_new(const struct shape *shape)
{
    const struct window_path *paths[WINDOW_PATHS_MAX];
    struct typed *d = typed_new(shape);
    if (d != NULL)
        typed_choose_path(d, window_paths(paths) - 1);
    return (struct reference *)(void *)d;
}

/* Programs have no second decoder here. */
struct reference *reference_new_program(const struct program *p,
                                        uint32_t max_depth)
{
    (void)p, (void)max_depth;
    return NULL;
}

const char *reference_text(const struct reference *d, size_t *n)
{
    (void)d;
    *n = 0;
    return NULL;
}

void reference_free(struct reference **d)
{
    struct typed *t = typed_of(*d);
    typed_free(&t);
    *d = NULL;
}

void reference_begin(struct reference *d)
{
    typed_begin(typed_of(d));
}

bool reference_feed(struct reference *d, const uint8_t *bytes, size_t n,
                    struct fault *fault)
{
    return typed_feed(typed_of(d), bytes, n, fault);
}

bool reference_finish(struct reference *d, struct tally *t, struct fault *fault)
{
    return typed_finish(typed_of(d), t, fault);
}
