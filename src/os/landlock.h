/* landlock: the files and TCP ports that a process may still reach
 * (landlock(7)).
 *
 * The rules are gathered first; landlock_enter() puts the process under them,
 * for good, with its later threads and children. They add to what users,
 * groups and modes of files allow. Descriptors that are open stay as they are.
 */
#ifndef TALLYD_OS_LANDLOCK_H
#define TALLYD_OS_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct landlock {
    int rules; /* descriptor; -1: there are none */
    int abi;
};

/* The version of the kernel's interface: from 4 on with TCP ports, from 6 on
 * with signals. 0: errno says why there is none. */
int landlock_version(void);

/* Begin with rules that allow nothing of what the kernel can forbid: no file is
 * opened, made, removed, renamed or executed, no TCP port is bound or connected
 * to, no socket of the abstract kind outside is reached. `signals`: no process
 * outside is signalled. False: errno. */
bool landlock_open(struct landlock *l, bool signals);
void landlock_close(struct landlock *l);

/* What can be allowed of files: any of these together. */
enum landlock_right {
    LANDLOCK_READ = 1 << 0,
    LANDLOCK_WRITE = 1 << 1, /* to make one, too */
    LANDLOCK_REMOVE = 1 << 2
};

/* Allow these rights at `path`, and below it. What is not there is left out.
 * False: errno; so with the others. */
bool landlock_allow(const struct landlock *l, const char *path,
                    unsigned rights);

/* Allow to connect to a TCP port. True where the kernel knows no ports. */
bool landlock_allow_connect(const struct landlock *l, uint16_t port);

/* Needs PR_SET_NO_NEW_PRIVS, and no other thread. */
bool landlock_enter(const struct landlock *l);

#endif
