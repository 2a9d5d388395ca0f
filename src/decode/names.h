/* names: which member of a node begins in a window, and where strings end.
 *
 * What a window says is known to be right: decode/window has checked it. Pure.
 */
#ifndef TALLYD_DECODE_NAMES_H
#define TALLYD_DECODE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "decode/number.h"
#include "decode/paths.h"

/* A window as it is walked through. */
struct names_window {
    const uint8_t *from, *cut, *end;
    bool escapes; /* there may be some */
};

/* The member of node `of` that has the name, as it stands between its quotes;
 * 0: none. */
unsigned names_find(const struct paths *paths, unsigned of, const void *text,
                    size_t n);

/* The member whose name ends at `quote`, wherever it is and however it is
 * written. */
unsigned names_find_other(const struct paths *paths,
                          const struct names_window *w, unsigned of,
                          const uint8_t *quote);

static inline const uint8_t *names_skip_blank(const uint8_t *p)
{
    while (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')
        p++;
    return p;
}

/* Is it that member's name, without escapes? There is neither a quote nor a
 * backslash in it, so the quote before it begins it, unless that is escaped.
 * Eight bytes behind the quote, and its length and two before it, can be read.
 */
static inline bool names_is_plain(const struct paths_node *member,
                                  const uint8_t *quote)
{
    size_t n = member->name.length;
    const uint8_t *text = quote - n;
    uint64_t head;
    memcpy(&head, text, sizeof head);
    return ((head ^ member->name.head) & member->name.head_mask) == 0 &&
           text[-1] == '"' && text[-2] != '\\' &&
           (n <= 8 || memcmp(text + 8, member->name.name + 8, n - 8) == 0) &&
           !member->escaped;
}

/* The member of node `of` whose name ends at `quote`; 0: none does. *value is
 * where its value begins. `next` has, of each index *last, the member that came
 * there before, which is tried first; both are updated. */
static inline unsigned names_behind(const struct paths *paths,
                                    const struct names_window *w, unsigned of,
                                    uint16_t *next, uint16_t *last,
                                    const uint8_t *quote, const uint8_t **value)
{
    const uint8_t *at = quote + 1;
    if (*at != ':' && *(at = names_skip_blank(at)) != ':')
        return PATHS_NOTHING; /* no name */
    *value = at[1] > ' ' ? at + 1 : names_skip_blank(at + 1);
    unsigned i = next[*last];
    const struct paths_node *known = &paths->node[i];
    if (i == PATHS_NOTHING || w->end - quote < 8 ||
        quote - w->from < (ptrdiff_t)known->name.length + 2 ||
        !names_is_plain(known, quote)) {
        i = names_find_other(paths, w, of, quote);
        if (i == PATHS_NOTHING)
            return i;
        next[*last] = (uint16_t)i;
    }
    *last = (uint16_t)i;
    return i;
}

/* Where one of the eight bytes is that one; behind the first there may be
 * others. */
static inline uint64_t names_find_byte(uint64_t word, uint8_t byte)
{
    uint64_t other = word ^ NUMBER_EACH(byte);
    return (other - NUMBER_EACH(0x01)) & ~other & NUMBER_EACH(0x80);
}

/* The quote that ends the string at `from`; NULL: it goes on behind the window.
 */
static inline const uint8_t *names_string_end(const struct names_window *w,
                                              const uint8_t *from)
{
    const uint8_t *at = from;
    while (w->cut - at >= 8) {
        uint64_t word = number_load(at);
        uint64_t found =
            names_find_byte(word, '"') | names_find_byte(word, '\\');
        at += found == 0 ? 8 : __builtin_ctzll(found) / 8;
        if (found != 0 && *at == '"')
            return at;
        at += found != 0 ? 2 : 0;
    }
    for (; at < w->cut; at++)
        if (*at == '"')
            return at;
        else
            at += *at == '\\';
    return NULL;
}

#endif
