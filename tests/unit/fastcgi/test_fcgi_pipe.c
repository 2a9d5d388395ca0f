/* fcgi where libfcgi cannot be given the function it reads with, as when it was
 * linked with -Bsymbolic: the one here stands for its own. */
#include <unistd.h>

#include <fcgios.h>

int OS_Read(int fd, char *buf, size_t len)
{
    return (int)read(fd, buf, len);
}

#include "test_fcgi.c"
