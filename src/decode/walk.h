/* walk: what is wanted of a document, taken from it as it goes by.
 *
 * Two ways lead here. decode/window gives the events of bytes it has checked,
 * brackets and candidates for wanted names, and the walk reads what stands
 * there; that is nearly all. decode/scan gives tokens, one by one, where there
 * is no window. What has come so far is the same for both, so they may take
 * turns wherever a value is complete or a bracket has opened.
 *
 * The last of several members of one name counts, at every level: an array
 * starts anew with another member of its name, and an item has the last of its
 * values when it ends. */
#ifndef TALLYD_DECODE_WALK_H
#define TALLYD_DECODE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/plan.h"
#include "decode/window.h"
#include "decode/decimal.h"
#include "decode/fault.h"
#include "decode/gather.h"
#include "decode/scan.h"
#include "decode/shape.h"
#include "decode/tally.h"

/* What is known of the wanted value of an item. */
enum walk_found { WALK_NOTHING, WALK_NUMBER, WALK_OTHER };

struct walk {
    const struct plan *plan;
    struct shape shape;

    /* Where in the document. */
    bool root_is_object;
    bool in_array, in_item; /* the wanted array; an object right in it */

    /* The array so far. */
    bool array_seen, array_is_one;
    struct tally tally;
    uint64_t items;           /* not counted any more behind a wrong one */
    const char *wrong;        /* why the first wrong item is; NULL: none is */
    const char *wrong_member; /* of it; NULL: the item itself */
    uint64_t wrong_index;

    /* The item so far, if it is none of those in a window that are gone over in
     * one go: objects with a number that fits. */
    enum walk_found found;
    int64_t integer;
    double real;

    /* For tokens alone. */
    struct gather text;    /* of one name */
    struct decimal number; /* of the wanted member */
    bool name_matches; /* the last name of a level that matters is the wanted */
    bool value_under_way; /* its number is being read */
    bool short_of_memory;
};

/* Start on a document. The caller has zeroed the structure once, and filled in
 * `plan`, which is borrowed, and `shape`. */
void walk_begin(struct walk *w);
void walk_free(struct walk *w);

/* The `n` events at `at` of the window [from, cut), which began `depth` levels
 * deep. `escapes`: there is a backslash. `end`: behind the last byte that may
 * be read. */
void walk_events(struct walk *w, uint32_t depth, const uint8_t *from,
                 const uint16_t *at, size_t n, bool escapes, const uint8_t *cut,
                 const uint8_t *end);

/* A token of scan. */
void walk_token(struct walk *w, const struct scan *scan, enum scan_token token,
                const struct scan_text *text);

/* The rest of a name comes from scan; what is before it is no wanted one. */
void walk_in_name(struct walk *w);

/* The document is complete. False: it has the wrong shape. */
bool walk_finish(const struct walk *w, struct tally *t, struct fault *fault);

#endif
