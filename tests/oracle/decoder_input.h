/* decoder_input: memory from which a decoder gets a piece of a body that ends
 * where memory ends, so that who reads past it crashes; and chance. */
#ifndef TALLYD_TESTS_DECODER_INPUT_H
#define TALLYD_TESTS_DECODER_INPUT_H

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static uint8_t *page_end;
static uint64_t random_state;

static inline void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
    exit(EXIT_FAILURE);
}

/* There are `room` bytes before page_end, and none behind it. */
static inline void open_memory(size_t room)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *start = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + room, page, PROT_NONE) != 0)
        fail("memory is short");
    page_end = start + room;
}

/* The same for the same number, each time. */
static inline void random_begin(uint32_t number)
{
    random_state = UINT64_C(0x9e3779b97f4a7c15) * (number + UINT64_C(1));
}

/* xorshift64 (Marsaglia, 2003). */
static inline uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

#endif
