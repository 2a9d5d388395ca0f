/* allocations: malloc(3) that counts what is in use and fails where it is told
 * to, for tests of what is done when memory is short. glibc calls these in
 * place of its own. */
#ifndef TALLYD_TESTS_ALLOCATIONS_H
#define TALLYD_TESTS_ALLOCATIONS_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

/* volatile: a compiler takes malloc(3) to change no variable of ours. */
static volatile long blocks; /* in use */
/* The next but so many fails; 0: none. With fail_on all behind it fail, too. */
static volatile long fail_in;
static volatile bool fail_on, has_failed;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static inline bool allocations_fail(void)
{
    if (fail_in == 0 || --fail_in > 0)
        return false;
    fail_in = fail_on;
    has_failed = true;
    errno = ENOMEM;
    return true;
}

#ifndef __SANITIZE_ADDRESS__ /* it has its own, and looks for leaks itself */
#define ALLOCATIONS_COUNT 1

void *malloc(size_t n)
{
    void *p = allocations_fail() ? NULL : __libc_malloc(n);
    blocks += p != NULL;
    return p;
}

void *calloc(size_t count, size_t n)
{
    void *p = allocations_fail() ? NULL : __libc_calloc(count, n);
    blocks += p != NULL;
    return p;
}

void *realloc(void *old, size_t n)
{
    void *p = allocations_fail() ? NULL : __libc_realloc(old, n);
    blocks += p != NULL && old == NULL;
    return p;
}

void free(void *p)
{
    blocks -= p != NULL;
    __libc_free(p);
}
#else
#define ALLOCATIONS_COUNT 0
#endif

#endif
