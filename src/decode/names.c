/* names: see names.h. */
#include "decode/names.h"

#include "decode/window.h"
#include "query/text.h"

unsigned names_find(const struct paths *paths, unsigned of, const void *text,
                    size_t n)
{
    const struct paths_node *node = &paths->node[of];
    for (unsigned i = node->child; i < node->child + node->children; i++)
        if (text_order(text, n, paths->node[i].name, paths->node[i].length) ==
            0)
            return i;
    return PATHS_NOTHING;
}

static unsigned find_plain(const struct paths *paths, unsigned of,
                           const uint8_t *quote)
{
    const struct paths_node *node = &paths->node[of];
    for (unsigned i = node->child; i < node->child + node->children; i++)
        if (names_is_plain(&paths->node[i], quote))
            return i;
    return PATHS_NOTHING;
}

/* The member whose name ends at `quote`, wherever it is and however it is
 * written. */
static unsigned find_any(const struct paths *paths,
                         const struct names_window *w, unsigned of,
                         const uint8_t *quote)
{
    bool near = (size_t)(quote - w->near) >= w->n;
    unsigned i = near ? PATHS_NOTHING : find_plain(paths, of, quote);
    if (i != PATHS_NOTHING || !(w->escapes || near))
        return i;
    const uint8_t *first = plan_find_quote(w->from, quote, WINDOW_LONG);
    if (first == NULL)
        return PATHS_NOTHING;
    size_t n = (size_t)(quote - first) - 1;
    if (!near && memchr(first + 1, '\\', n) == NULL)
        return PATHS_NOTHING; /* find_plain() has looked for it */
    return names_find(paths, of, first + 1, n);
}

unsigned names_find_behind(const struct paths *paths,
                           const struct names_window *w, unsigned of,
                           const uint8_t *quote, const uint8_t **value)
{
    const uint8_t *at = names_skip_blank(quote + 1);
    if (*at != ':')
        return PATHS_NOTHING; /* no name */
    *value = names_skip_blank(at + 1);
    return find_any(paths, w, of, quote);
}
