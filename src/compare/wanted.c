/* wanted: see wanted.h. */
#include "compare/wanted.h"

void wanted_open(struct wanted *w, const struct config_endpoint *e)
{
    struct query_error error;
    *w = (struct wanted){.shaped = false};
    if (e == NULL)
        return;
    w->max_depth = (uint32_t)e->max_depth;
    w->shaped = config_is_plain(e);
    if (w->shaped)
        w->shape = config_shape(e);
    else
        w->programmed = config_compile(e, &w->program, &error);
}

void wanted_close(struct wanted *w)
{
    if (w->programmed)
        program_free(&w->program);
    *w = (struct wanted){.shaped = false};
}

void wanted_put(const struct wanted *w, struct parity_case *c)
{
    c->shape = w->shaped ? &w->shape : NULL;
    c->program = w->programmed ? &w->program : NULL;
    c->max_depth = w->max_depth;
}
