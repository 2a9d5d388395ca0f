/* order: what a test tells a program under test to do while it runs. A file is
 * mapped when the program starts, since the processes of a pool cannot open one
 * later: byte 0 is 1 while there is an order, whose text begins at byte 1. The
 * test writes the text first. tests/lib/order.py is the other side. */
#ifndef TALLYD_TESTS_ORDER_H
#define TALLYD_TESTS_ORDER_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ORDER_BYTES 256

struct order {
    _Atomic unsigned char there;
    char text[ORDER_BYTES - 1];
};

static struct order *order_file; /* NULL: the test gives none */

/* Early in the program, by a function with the attribute constructor. */
static inline void order_map(const char *variable)
{
    const char *path = getenv(variable);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return;
    void *file =
        mmap(NULL, ORDER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    order_file = file == MAP_FAILED ? NULL : file;
}

/* Is there an order? Then `text` is it. */
static inline bool order_read(char text[ORDER_BYTES])
{
    if (order_file == NULL || order_file->there == 0)
        return false;
    memcpy(text, order_file->text, sizeof order_file->text);
    text[sizeof order_file->text - 1] = '\0';
    return true;
}

/* Take it: false when another process was faster. */
static inline bool order_take(void)
{
    return atomic_exchange(&order_file->there, 0) != 0;
}

#endif
