/* cgroup: what the control groups of this process let it have (cgroups(7)),
 * version 1 and 2.
 *
 * A group is held by its own limits and by those of every group above it, as
 * far up as a container shows them. The files are text of the system's: what is
 * too long, or is no number, sets no limit. */
#ifndef TALLYD_OS_CGROUP_H
#define TALLYD_OS_CGROUP_H

#include <stdint.h>

#define CGROUP_NO_LIMIT UINT64_MAX

struct cgroup_limits {
    uint64_t cpus;      /* the quota, rounded up: at least 1 */
    uint64_t memory;    /* bytes */
    uint64_t processes; /* threads, to be exact */
};

/* Where the kernel says of which groups this process is, and where they are. */
#define CGROUP_OWN "/proc/self/cgroup"
#define CGROUP_ROOT "/sys/fs/cgroup"

/* The smallest limits that these files give. */
struct cgroup_limits cgroup_read(const char *own, const char *root);

#endif
