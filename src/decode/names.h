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
    const uint8_t *near; /* a quote in [near, near + n) has around it what */
    size_t n;            /* names_is_next() reads */
    bool escapes;        /* there may be some */
};

/* Bytes behind a name's quote: a colon, a number, and what may be behind it. */
#define NAMES_REACH (NUMBER_REACH + 3)

/* The window [from, cut), with bytes to be read up to `end`. */
static inline struct names_window
names_window_of(const struct paths *paths, const uint8_t *from,
                const uint8_t *cut, const uint8_t *end, bool escapes)
{
    size_t before = paths->longest < 6 ? 8 : paths->longest + 2U;
    size_t around = before + NAMES_REACH, n = (size_t)(end - from);
    return (struct names_window){.from = from,
                                 .cut = cut,
                                 .end = end,
                                 .near = n > around ? from + before : from,
                                 .n = n > around ? n - around : 0,
                                 .escapes = escapes};
}

/* The member of node `of` that has the name, as it stands between its quotes;
 * 0: none. */
unsigned names_find(const struct paths *paths, unsigned of, const void *text,
                    size_t n);

static inline const uint8_t *names_skip_blank(const uint8_t *p)
{
    while (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')
        p++;
    return p;
}

/* Is it that member's name, without escapes? There is neither a quote nor a
 * backslash in it, so the quote before it begins it, unless that is escaped. */
static inline bool names_is_plain(const struct paths_node *member,
                                  const uint8_t *quote)
{
    size_t n = member->length;
    uint64_t tail;
    memcpy(&tail, quote - 8, sizeof tail);
    return ((tail ^ member->tail) & member->tail_mask) == 0 &&
           *(quote - n - 2) != '\\' &&
           (n < 8 || (*(quote - n - 1) == '"' &&
                      (n == 8 || memcmp(quote - n, member->name, n - 8) == 0)));
}

/* Is it, and does the value behind it begin two bytes behind `quote`, as
 * mostly? */
static inline bool names_is_next(const struct names_window *w,
                                 const struct paths_node *member,
                                 const uint8_t *quote)
{
    return (size_t)(quote - w->near) < w->n && quote[1] == ':' &&
           quote[2] > ' ' && names_is_plain(member, quote);
}

/* The member of node `of` whose name ends at `quote`, wherever and however it
 * is written; 0: none does. *value is where its value begins. */
unsigned names_find_behind(const struct paths *paths,
                           const struct names_window *w, unsigned of,
                           const uint8_t *quote, const uint8_t **value);

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
