/* count: decode hostile bodies under callgrind, for tests/hostile/run.
 *
 *   count BYTES
 *
 * Each body of tests/unit/hostile.h whose keys are not longer than it, of BYTES
 * and of twice as much, on the best path of this CPU and on the last, and on
 * the best in small pieces, too. Of each a dump of what was executed is left,
 * named "PATH/PIECE/BODY/SIZE". */
#include <stdio.h>
#include <stdlib.h>
#include <valgrind/callgrind.h>

#include "decode/window.h"
#include "hostile.h"

static void count(const struct hostile *h, const char *path, size_t index,
                  size_t size, size_t slice)
{
    const struct shape shape = {"items", "value", TALLY_INT64, 2,
                                SCAN_DEPTH_MAX};
    static struct hostile_piece piece;
    char name[200];
    struct payload *p = payload_new(&shape, PAYLOAD_TYPED);
    if (p == NULL)
        exit(EXIT_FAILURE);
    payload_choose_path(p, index);
    snprintf(name, sizeof name, "%s/%zu/%s/%zu", path, slice, h->name, size);
    hostile_fill(h, &piece);
    piece.slice = slice;
    CALLGRIND_ZERO_STATS;
    hostile_decode(h, &piece, p, size, NULL);
    CALLGRIND_DUMP_STATS_AT(name);
    payload_free(&p);
}

/* On one path, in pieces of `slice` bytes. */
static void count_all(size_t index, size_t size, size_t slice)
{
    const struct window_path *paths[WINDOW_PATHS_MAX];
    window_paths(paths);
    for (size_t h = 0; h < HOSTILE_COUNT; h++)
        for (size_t times = 1; times <= 2; times++)
            if (hostile_bodies[h].key < size)
                count(&hostile_bodies[h], paths[index]->name, index,
                      size * times, slice);
}

int main(int argc, char **argv)
{
    const struct window_path *paths[WINDOW_PATHS_MAX];
    size_t last = window_paths(paths) - 1;
    size_t size = argc > 1 ? (size_t)atol(argv[1]) : 0;
    if (size == 0 || !RUNNING_ON_VALGRIND)
        return EXIT_FAILURE;
    count_all(0, size, HOSTILE_PIECE);
    count_all(0, size, 48);
    count_all(last, size, HOSTILE_PIECE);
    return EXIT_SUCCESS;
}
