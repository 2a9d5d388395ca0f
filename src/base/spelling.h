/* spelling: how near a mistyped name is to one that exists, for a message that
 * asks "did you mean ...?". */
#ifndef TALLYD_BASE_SPELLING_H
#define TALLYD_BASE_SPELLING_H

#include <stddef.h>

/* So many edits apart a name is no help any more. */
#define SPELLING_FAR 4

/* The edits from one name to the other (Levenshtein distance); SPELLING_FAR
 * and more: far. Names of more than 32 bytes are far from all. */
size_t spelling_distance(const char *a, const char *b);

#endif
