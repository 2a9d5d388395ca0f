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

const char *interpret_text(const struct interpret *i, size_t *n)
{
    (void)i;
    *n = 0;
    return NULL;
}

void interpret_free(struct interpret **i)
{
    struct typed *t = typed_of(*i);
    typed_free(&t);
    *i = NULL;
}

void interpret_begin(struct interpret *i)
{
    typed_begin(typed_of(i));
}

bool interpret_feed(struct interpret *i, const uint8_t *bytes, size_t n,
                    struct fault *fault)
{
    return typed_feed(typed_of(i), bytes, n, fault);
}

bool interpret_finish(struct interpret *i, struct tally *t, struct fault *fault)
{
    return typed_finish(typed_of(i), t, fault);
}
