/* landlock: see landlock.h. */
#include "os/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The interface as the kernel documents it
 * (Documentation/userspace-api/landlock.rst), since <linux/landlock.h> of
 * Debian 12 knows the first two versions alone. */
enum {
    CREATE_VERSION = 1 << 0, /* of landlock_create_ruleset(2) */

    RULE_PATH_BENEATH = 1,
    RULE_NET_PORT = 2
};

#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_TRUNCATE (UINT64_C(1) << 14)

/* All rights of a version are bits without a gap. */
#define FS_ALL_1 ((UINT64_C(1) << 13) - 1)
#define FS_ALL_2                                                               \
    ((UINT64_C(1) << 14) - 1)              /* and to move between directories  \
                                            */
#define FS_ALL_3 ((UINT64_C(1) << 15) - 1) /* and to truncate */
#define FS_ALL_5 ((UINT64_C(1) << 16) - 1) /* and ioctl(2) of devices */

#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)

#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

/* What can be allowed of something that is no directory. */
#define OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

/* A kernel that knows less takes the rest for what it is, zeros. */
struct ruleset {
    uint64_t files, ports, scopes;
};

struct path_rule {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

struct port_rule {
    uint64_t allowed;
    uint64_t port;
};

int landlock_version(void)
{
    long version =
        syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, CREATE_VERSION);
    return version > 0 ? (int)version : 0;
}

static uint64_t all_files(int abi)
{
    return abi >= 5   ? FS_ALL_5
           : abi >= 3 ? FS_ALL_3
           : abi == 2 ? FS_ALL_2
                      : FS_ALL_1;
}

bool landlock_open(struct landlock *l, bool signals)
{
    *l = (struct landlock){.rules = -1, .abi = landlock_version()};
    if (l->abi == 0)
        return false;
    struct ruleset what = {.files = all_files(l->abi)};
    if (l->abi >= 4)
        what.ports = NET_BIND_TCP | NET_CONNECT_TCP;
    if (l->abi >= 6)
        what.scopes = SCOPE_ABSTRACT_UNIX | (signals ? SCOPE_SIGNAL : 0);
    /* Close-on-exec, says landlock_create_ruleset(2). */
    l->rules = (int)syscall(SYS_landlock_create_ruleset, &what, sizeof what, 0);
    return l->rules >= 0;
}

void landlock_close(struct landlock *l)
{
    if (l->rules >= 0)
        close(l->rules);
    l->rules = -1;
}

/* A rule that allows nothing is an error to the kernel. */
static bool add_path(const struct landlock *l, int fd, uint64_t bits)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    struct path_rule rule = {.allowed = bits & all_files(l->abi), .fd = fd};
    if (!S_ISDIR(st.st_mode))
        rule.allowed &= OF_FILES;
    return rule.allowed == 0 || syscall(SYS_landlock_add_rule, l->rules,
                                        RULE_PATH_BENEATH, &rule, 0) == 0;
}

static uint64_t bits_of(unsigned rights)
{
    uint64_t bits = 0;
    if ((rights & LANDLOCK_READ) != 0)
        bits |= FS_READ_FILE | FS_READ_DIR;
    if ((rights & LANDLOCK_WRITE) != 0)
        bits |= FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG;
    if ((rights & LANDLOCK_REMOVE) != 0)
        bits |= FS_REMOVE_FILE;
    return bits;
}

bool landlock_allow(const struct landlock *l, const char *path, unsigned rights)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    bool ok = add_path(l, fd, bits_of(rights));
    int error = errno;
    close(fd);
    errno = error;
    return ok;
}

bool landlock_allow_connect(const struct landlock *l, uint16_t port)
{
    const struct port_rule rule = {.allowed = NET_CONNECT_TCP, .port = port};
    return l->abi < 4 || syscall(SYS_landlock_add_rule, l->rules, RULE_NET_PORT,
                                 &rule, 0) == 0;
}

bool landlock_enter(const struct landlock *l)
{
    return syscall(SYS_landlock_restrict_self, l->rules, 0) == 0;
}
