/* process: see process.h. */
#include "os/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

uint64_t process_memory(pid_t pid)
{
    char text[128];
    unsigned long long total, resident;
    snprintf(text, sizeof text, "/proc/%d/statm", (int)pid);
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%llu %llu", &total, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
