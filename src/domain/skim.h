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
 * (comma, white space, key, colon) is remembered from the item before and
 * compared as a block; only the values are read. The memory is kept from
 * request to request. A wrong guess costs the comparison.
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

#define SKIM_LINKS 48      /* remembered texts of an item */
#define SKIM_LINK_BYTES 64 /* the longest of them */

/* The text between two values, of the item before. */
struct skim_link {
    uint8_t bytes[SKIM_LINK_BYTES];
    uint32_t length; /* 0: not known */
    bool wanted;     /* it ends with the wanted key */
};

struct skim {
    char field[SKIM_LINK_BYTES]; /* the wanted key with its quotes */
    size_t field_len;            /* 0: too long for skim, which takes nothing */
    uint32_t max_depth;          /* of containers within an item */
    struct skim_link links[SKIM_LINKS];
};

/* Forget everything; want the member `field`. */
void skim_begin(struct skim *s, const char *field, uint32_t max_depth);

/* A place where an item may begin, and how far it was taken. */
struct skim_run {
    const uint8_t *at; /* moved past what was taken */
    bool comma;        /* what was taken ends with a comma */
    uint64_t count;    /* items taken; 0: nothing was */
};

typedef struct skim_run skim_function(struct skim *s, const uint8_t *at,
                                      const uint8_t *end, struct tally *t);

/* Take what can be taken of [at, end) and add it to `t`. */
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
