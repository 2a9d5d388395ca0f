/* window: a piece of a document, up to 8 KiB of it, checked as a whole.
 *
 * A window is read in four steps, each a loop with few branches that depend on
 * the document:
 *
 * 1. decode/block turns 64 bytes after the other into masks of their bits;
 *    decode/strip finds on them whatever can be wrong but for the next three
 *    points. The places of brackets and of what may be wanted names, the
 *    events, are written into a list.
 * 2. Words are compared with true, false and null.
 * 3. Brackets are matched, 64 events at a time: how deep each is is a sum, and
 *    then all that are equally deep are compared at once. Events that lie too
 *    deep to matter leave the list here.
 * 4. Which brackets each byte stands in is spread over the masks, and compared
 *    with what must stand in an object and what must not.
 *
 * A window ends behind the last bracket or comma in it, so that no number, word
 * or name with its value is cut, and what one window leaves to the next is what
 * brackets are open and what the last byte was. A string of some length that
 * does not end within a window is left to read_string().
 *
 * It is all or nothing: when anything is wrong, the state is as before, and
 * decode/scan goes over the same bytes to find out what and where.
 *
 * The code is window_impl.h, compiled once for each instruction set. Pure. */
#ifndef TALLYD_DECODE_WINDOW_H
#define TALLYD_DECODE_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/plan.h"

#define WINDOW_MAX 8192
#define WINDOW_BLOCKS (WINDOW_MAX / 64)
#define WINDOW_DEPTH_MAX 1024

/* A string that goes on for more than so many bytes is no wanted name, whatever
 * escapes it is written in: \uXXXX is the longest. */
#define WINDOW_LONG (6 * PLAN_NAME_MAX + 16)

/* A string that cannot be a name, and goes on for so many bytes to the end of a
 * window, is gone over by itself rather than once more. */
#define WINDOW_TEXT 64

/* What stands before a window. */
enum window_behind {
    WINDOW_BEHIND_NOTHING, /* the document begins */
    WINDOW_BEHIND_BRACKET, /* an opening one */
    WINDOW_BEHIND_COMMA,
    WINDOW_BEHIND_VALUE,
    WINDOW_BEHIND_NAME, /* a string that must be one; a colon comes */
    WINDOW_BEHIND_ALL,  /* the document is complete: only blanks may come */
};

/* Where in the document a window begins. */
struct window_place {
    uint64_t offset, line, line_start; /* as in struct scan */
    uint32_t depth;
    uint32_t behind;                            /* enum window_behind */
    uint64_t levels[WINDOW_DEPTH_MAX / 64 + 1]; /* bit n: brackets n deep are an
                                                   object's */
};

/* A strip writes the masks of up to 8 blocks (SIMD_LANES) at once, also behind
 * the last block. */
#define WINDOW_MASKS (WINDOW_BLOCKS + 8)

/* The bytes of a window; see decode/block. */
struct window_masks {
    uint64_t quote[WINDOW_MASKS], backslash[WINDOW_MASKS], wrong[WINDOW_MASKS];
    uint64_t bit[8]
                [WINDOW_MASKS]; /* in which the lowest, or next, ... is set */
    uint16_t at[WINDOW_MASKS];  /* where the block is */
    const uint8_t *from;
    size_t n;
    uint8_t tail[64]; /* the last block, if it is a part of one, with blanks */
};

struct window {
    struct window_place place;
    uint32_t max_depth;
    /* Of the window that has been read: */
    size_t taken;  /* its bytes */
    size_t events; /* how many are in `at` */
    bool escapes;  /* there is a backslash */
    bool controls; /* there is a control character, perhaps a line feed */
    size_t blocks; /* those that are not left out, up to the end */
    /* Room. Some is written behind what counts. What is kept of each block
     * until the window is known to be right: see struct strip. */
    uint64_t wrong[WINDOW_MASKS], event[WINDOW_MASKS], ends[WINDOW_MASKS];
    uint64_t named[WINDOW_MASKS], unnamed[WINDOW_MASKS];
    uint64_t begun[WINDOW_MASKS];
    uint16_t at[WINDOW_MAX + 64];
    uint8_t bytes[WINDOW_MAX + 64]; /* at the events, before any is left out */
    uint16_t words[WINDOW_MAX / 2 + 64];
    uint64_t changes[WINDOW_MAX / 64 + 2]; /* events behind which the innermost
                                              bracket is of the other kind */
    struct window_masks masks;
};

enum window_result {
    WINDOW_TAKEN,     /* `taken` bytes, and `at` has their events: offsets of
                         brackets down to plan->depth and of candidates' last
                         quotes */
    WINDOW_SHORT,     /* nothing taken: there is neither bracket nor comma */
    WINDOW_IN_STRING, /* as WINDOW_TAKEN, up to the first quote of a string
                         that does not end; read_string() goes on.
                         place.behind is for what comes behind it */
    WINDOW_WRONG,     /* nothing taken */
};

/* One instruction set. */
struct window_path {
    const char *name;
    /* Read a window at `from` of the `n` bytes there, 1 to WINDOW_MAX. Not one
     * byte behind them is read. */
    enum window_result (*read)(struct window *w, const struct plan *plan,
                               const uint8_t *from, size_t n);
    /* From within a string on, between two characters or escapes: WINDOW_TAKEN:
     * `taken` bytes to its end, the quote included. WINDOW_SHORT: it does not
     * end in the `n` bytes; `taken` of them are whole characters. */
    enum window_result (*read_string)(struct window *w, const uint8_t *from,
                                      size_t n);
};

extern const struct window_path window_portable;
#if defined __x86_64__
extern const struct window_path window_sse2, window_avx2, window_avx512;
#elif defined __aarch64__
extern const struct window_path window_neon;
#endif

/* The instruction sets this CPU has, best first; ends with "portable". */
#define WINDOW_PATHS_MAX 4
size_t window_paths(const struct window_path *paths[WINDOW_PATHS_MAX]);

/* Start on a document; max_depth is at most WINDOW_DEPTH_MAX. */
void window_begin(struct window *w, uint32_t max_depth);

/* Is the bracket at that level, 1 to depth, an object's? False at level 0. */
bool window_is_object(const struct window_place *p, uint32_t level);

/* One more level. */
void window_push(struct window_place *p, bool object);

#endif
