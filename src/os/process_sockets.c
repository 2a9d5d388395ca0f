/* process_sockets: see process_sockets.h. */
#include "os/process_sockets.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKETS_MOST 64
#define STATE_LISTEN 10 /* TCP_LISTEN */

struct inodes {
    unsigned long list[SOCKETS_MOST];
    size_t count;
};

/* Those of the sockets that listen on the port. */
static void find_listening(const char *table, uint16_t port, struct inodes *to)
{
    char line[512];
    FILE *f = fopen(table, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        unsigned local, state;
        unsigned long inode;
        if (sscanf(line,
                   " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s "
                   "%*s %*s %*s %lu",
                   &local, &state, &inode) == 3 &&
            local == port && state == STATE_LISTEN && to->count < SOCKETS_MOST)
            to->list[to->count++] = inode;
    }
    if (f != NULL)
        fclose(f);
}

static bool is_one_of(const struct inodes *all, const char *link)
{
    char *end;
    if (strncmp(link, "socket:[", 8) != 0)
        return false;
    unsigned long inode = strtoul(link + 8, &end, 10);
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i] == inode)
            return true;
    return false;
}

bool process_sockets_have(pid_t pid, uint16_t port)
{
    struct inodes all = {.count = 0};
    char path[40], link[64];
    bool found = false;
    find_listening("/proc/net/tcp", port, &all);
    find_listening("/proc/net/tcp6", port, &all);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *d = opendir(path);
    if (d == NULL)
        return true;
    for (const struct dirent *e = readdir(d); e != NULL && !found;
         e = readdir(d)) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
        link[n < 0 ? 0 : n] = '\0';
        found = is_one_of(&all, link);
    }
    closedir(d);
    return found;
}
