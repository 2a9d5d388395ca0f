/* interpret: the typed decoder on its portable path in the place of json-c, so
 * that whoever compares decoders has two of them here, too. */
#include "decode/interpret.h"

#include <string.h>

#include "decode/window.h"
#include "decode/typed.h"

static struct typed *typed_of(struct interpret *d)
{
    return (struct typed *)(void *)d;
}

struct interpret *interpret_new_shape(const struct shape *shape)
{
    const struct window_path *paths[WINDOW_PATHS_MAX];
    struct typed *d = typed_new(shape);
    if (d != NULL)
        typed_choose_path(d, window_paths(paths) - 1);
    return (struct interpret *)(void *)d;
}

/* Programs have no second decoder here. */
struct interpret *interpret_new(const struct program *p, uint32_t max_depth)
{
    (void)p, (void)max_depth;
    return NULL;
}

const char *interpret_text(const struct interpret *d, size_t *n)
{
    (void)d;
    *n = 0;
    return NULL;
}

void interpret_free(struct interpret **d)
{
    struct typed *t = typed_of(*d);
    typed_free(&t);
    *d = NULL;
}

void interpret_begin(struct interpret *d)
{
    typed_begin(typed_of(d));
}

bool interpret_feed(struct interpret *d, const uint8_t *bytes, size_t n,
                    struct fault *fault)
{
    return typed_feed(typed_of(d), bytes, n, fault);
}

bool interpret_finish(struct interpret *d, struct tally *t, struct fault *fault)
{
    return typed_finish(typed_of(d), t, fault);
}
