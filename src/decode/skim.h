/* skim: whole items of an array, fast, or not at all.
 *
 * The fast half of the typed decoder. It takes items that lie in one piece of
 * memory and are as almost all are: objects whose wanted member is a plain
 * number under a key without escapes. Each item it takes has been checked byte
 * by byte, as decode/scan would. At anything else - a fault, an integer of 19
 * digits, the end of the bytes - it stops before that item and says nothing:
 * decode/scan then goes over it, and finds the words.
 *
 * What makes it fast: items repeat, and decode/skim_memory remembers how those
 * before were made. The next ones are compared with that in blocks; only values
 * are read. A wrong guess costs the comparison: what fits is taken, and the
 * next value is read by hand.
 *
 * The fast part is skim_impl.h, compiled once for each instruction set. Pure.
 */
#ifndef TALLYD_DECODE_SKIM_H
#define TALLYD_DECODE_SKIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/skim_memory.h"
#include "decode/tally.h"

/* Bytes after `end` that must be readable; their content does not matter. */
#define SKIM_SLACK 64

/* Take the items that can be taken of [*at, end), move *at behind the last of
 * them, add their values to `t`, and give their number. `first`: *at is where
 * an item may stand; else it is behind an item, and a comma comes first.
 * `more`: this is not the last look at what is cut by the end. */
typedef uint64_t skim_function(struct skim_memory *m, bool first, bool more,
                               const uint8_t **at, const uint8_t *end,
                               struct tally *t);

skim_function skim_portable;
#if defined __x86_64__
skim_function skim_sse2, skim_avx2;
#elif defined __aarch64__
skim_function skim_neon;
#endif

struct skim_path {
    const char *name;
    skim_function *run;
};

/* The instruction sets this CPU has, best first; ends with "portable". */
#define SKIM_PATHS_MAX 4
size_t skim_paths(struct skim_path paths[SKIM_PATHS_MAX]);

#endif
