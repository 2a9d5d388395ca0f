/* equality: are two JSON texts equal, as RFC 9535, 2.3.5.2.2, has it?
 *
 * Lists of the same length with equal elements; objects with the same names and
 * equal values, of two members of one name the last; numbers and strings as in
 * query/value. Time grows as n log n, whatever the texts hold. Pure. */
#ifndef TALLYD_QUERY_EQUALITY_H
#define TALLYD_QUERY_EQUALITY_H

#include <stddef.h>

enum equality { EQUALITY_DIFFERENT, EQUALITY_SAME, EQUALITY_NO_MEMORY };

/* Both are valid JSON texts of less than 4 GiB. */
enum equality equality_of(const char *a, size_t an, const char *b, size_t bn);

#endif
