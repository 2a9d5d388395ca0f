/* hash: FNV-1a, 64 bits (Fowler, Noll and Vo): tells bytes apart, but not from
 * what somebody has made to look like them. Pure. */
#ifndef TALLYD_BASE_HASH_H
#define TALLYD_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Of no bytes. */
#define HASH_START UINT64_C(0xcbf29ce484222325)

/* The hash of what `h` is the hash of, and n bytes more. */
static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    for (const unsigned char *at = bytes; n > 0; n--)
        h = (h ^ *at++) * UINT64_C(0x100000001b3);
    return h;
}

#endif
