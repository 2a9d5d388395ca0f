/* fcgi where libfcgi cannot be given the function it reads with, as when it was
 * linked with -Bsymbolic: the one here stands for its own. */
#include <unistd.h>

#include <fcgios.h>

int OS_Read(int fd, char *to, size_t most)
{
    return (int)read(fd, to, most);
}

#include "test_fcgi.c"
