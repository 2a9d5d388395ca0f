/* share: see share.h. */
#include "os/share.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

static void *map(int fd, size_t n)
{
    void *memory = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void *share_new(const char *name, size_t n, int *fd)
{
    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0)
        return NULL;
    void *memory = NULL;
    if (ftruncate(*fd, (off_t)n) == 0 && fcntl(*fd, F_ADD_SEALS, SEALS) == 0)
        memory = map(*fd, n);
    if (memory != NULL)
        return memory;
    int error = errno;
    close(*fd);
    *fd = -1;
    errno = error;
    return NULL;
}

void *share_map(int fd, size_t n)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return NULL;
    int seals = fcntl(fd, F_GET_SEALS);
    if (st.st_size == (off_t)n && seals >= 0 && (seals & SEALS) == SEALS)
        return map(fd, n);
    errno = EPROTO;
    return NULL;
}

void share_free(void *memory, size_t n, int fd)
{
    if (memory != NULL)
        munmap(memory, n);
    if (fd >= 0)
        close(fd);
}

/* The high bits folded into the low ones. */
uint32_t share_layout(const size_t *sizes, size_t n)
{
    uint64_t hash = hash_bytes(HASH_START, sizes, n * sizeof *sizes);
    return (uint32_t)(hash ^ hash >> 32);
}
