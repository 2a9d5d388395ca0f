/* skim: whole items of an array, fast, or not at all.
 *
 * The fast half of the typed decoder. It takes items that lie in one piece of
 * memory and are as almost all are: objects whose wanted member is a plain
 * integer (up to 18 digits) under a key without escapes. Each item it takes
 * has been checked byte by byte, as domain/scan would. At anything else - a
 * fault, a fraction, the end of the bytes - it stops before that item and says
 * nothing: domain/scan then goes over it, and finds the words.
 *
 * What makes it fast: items repeat. The text between one value and the next
 * (comma, white space, brackets, key, colon) is remembered from the items
 * before and compared as a block; only the values are read. The memory is kept
 * from request to request. A wrong guess costs the comparison.
 *
 * The code is in skim_impl.h, compiled once per instruction set. Pure. */
#ifndef TALLYD_DOMAIN_SKIM_H
#define TALLYD_DOMAIN_SKIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/tally.h"

/* Bytes after `end` that must be readable; their content does not matter. */
#define SKIM_SLACK 64

/* The text between two scalars (strings, numbers, words) of an item: all the
 * commas, brackets, keys and white space. Links form a graph: each knows which
 * two came after it last. As long as the bytes fit the links, what is open and
 * what may follow is known without looking. */
#define SKIM_LINK_BYTES 64 /* the longest */
#define SKIM_LINKS 96

/* What is open, as bits: a one, then for each level 1 for an object, 0 for an
 * array. */
#define SKIM_OUTSIDE 1 /* between items */
#define SKIM_ITEM 3    /* in an item itself */
#define SKIM_LEVELS_MAX 60

struct skim_link {
    _Alignas(2 * SKIM_LINK_BYTES) uint8_t bytes[SKIM_LINK_BYTES];
    uint64_t before, after; /* what is open; 0: not a link */
    uint32_t length, lines; /* bytes, and line feeds among them */
    uint32_t next[2];
    bool wanted; /* the wanted value follows */
};

/* Two links without text: before the first item of an array, before others. */
enum { SKIM_FIRST, SKIM_NEXT };

struct skim {
    char field[SKIM_LINK_BYTES + 8]; /* the wanted key with its quotes */
    size_t field_len;   /* 0: not a plain key; skim takes nothing then */
    uint32_t max_depth; /* of arrays and objects within an item */
    uint32_t newest;    /* the link learnt last */
    uint64_t lines;     /* line feeds in what was taken last */
    struct skim_link links[SKIM_LINKS];
};

/* Forget everything; want the member `field`. */
void skim_begin(struct skim *s, const char *field, uint32_t max_depth);

/* Take the items that can be taken of [*at, end), move *at behind the last of
 * them, add their values to `t`, and give their number. `first`: *at is where
 * an item may stand; else it is behind an item, and a comma comes first. */
typedef uint64_t skim_function(struct skim *s, bool first, const uint8_t **at,
                               const uint8_t *end, struct tally *t);

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
