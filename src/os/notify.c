/* notify: see notify.h. */
#include "os/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NS_PER_US 1000

/* A path, or @ and a name that is in no directory (unix(7)). False: none. */
static bool find(struct sockaddr_un *to, socklen_t *n)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t length = name == NULL ? 0 : strlen(name);
    if (length < 2 || length >= sizeof to->sun_path ||
        (name[0] != '/' && name[0] != '@'))
        return false;
    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(to->sun_path, name, length);
    if (name[0] == '@')
        to->sun_path[0] = '\0';
    *n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

bool notify_is_wanted(void)
{
    struct sockaddr_un to;
    socklen_t n;
    return find(&to, &n);
}

int64_t notify_watchdog(void)
{
    const char *limit = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (limit == NULL || !notify_is_wanted())
        return 0;
    if (pid != NULL && strtol(pid, NULL, 10) != getpid())
        return 0;
    long long us = strtoll(limit, NULL, 10);
    return us > 0 && us < INT64_MAX / NS_PER_US ? us * NS_PER_US : 0;
}

void notify_send(const char *fmt, ...)
{
    char text[512];
    struct sockaddr_un to;
    socklen_t to_size;
    va_list ap;
    if (!find(&to, &to_size))
        return;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    if (n > 0 && (size_t)n < sizeof text)
        sendto(fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL,
               (struct sockaddr *)&to, to_size);
    close(fd);
}
