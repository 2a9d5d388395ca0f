/* cgroup: limits of groups as files say them, nonsense included. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/cgroup.h"
#include "temp_file.h"
#include "unit.h"

#define NONE CGROUP_NO_LIMIT

static char folder[] = "/tmp/tallyd-cgroup.XXXXXX";

static void remove_folder(void)
{
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static void open_folder(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void write_bytes(const char *name, const char *bytes, size_t n)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *at = path + strlen(folder) + 1; *at != '\0'; at++)
        if (*at == '/') {
            *at = '\0';
            mkdir(path, 0700);
            *at = '/';
        }
    temp_file_write(path, bytes, n);
}

static void put(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

static void expect(uint64_t cpus, uint64_t memory, uint64_t processes)
{
    char own[80];
    snprintf(own, sizeof own, "%s/own", folder);
    const struct cgroup_limits l = cgroup_read(own, folder);
    ck_assert_uint_eq(l.cpus, cpus);
    ck_assert_uint_eq(l.memory, memory);
    ck_assert_uint_eq(l.processes, processes);
}

START_TEST(without_groups_there_is_no_limit)
{
    expect(NONE, NONE, NONE);
    put("own", "");
    expect(NONE, NONE, NONE);
    put("own", "0::/nowhere\n");
    expect(NONE, NONE, NONE);
}
END_TEST

START_TEST(version_2_with_those_above)
{
    put("own", "0::/a/b\n");
    put("a/b/cpu.max", "max 100000\n");
    put("a/b/memory.max", "max\n");
    put("a/b/pids.max", "max\n");
    expect(NONE, NONE, NONE);
    /* 2^64 + 100000 is not 100000. */
    put("a/b/cpu.max", "1000000 18446744073709651616\n");
    expect(NONE, NONE, NONE);
    put("a/b/cpu.max", "150000 100000\n");
    put("a/b/memory.max", "1000000\n");
    put("a/memory.high", "900000\n");
    put("a/pids.max", "50\n");
    expect(2, 900000, 50);
    put("cpu.max", "1000 100000\n"); /* of a container, its root */
    expect(1, 900000, 50);
}
END_TEST

START_TEST(version_1)
{
    put("own", "3:cpu,cpuacct:/c\n2:memory:/c\n1:pids:/c\n");
    put("cpu,cpuacct/c/cpu.cfs_quota_us", "-1\n");
    put("cpu,cpuacct/c/cpu.cfs_period_us", "100000\n");
    put("memory/c/memory.limit_in_bytes", "9223372036854771712\n");
    put("pids/c/pids.max", "max\n");
    expect(NONE, UINT64_C(9223372036854771712), NONE);
    put("cpu,cpuacct/c/cpu.cfs_quota_us", "400000\n");
    put("memory/memory.limit_in_bytes", "4096\n"); /* in a container */
    put("pids/c/pids.max", "7\n");
    expect(4, 4096, 7);
}
END_TEST

/* What is outside of the root is not looked for. */
START_TEST(a_group_that_is_not_shown)
{
    char own[80], root[80];
    put("own", "0::/../a\n");
    put("a/pids.max", "5\n");
    put("root/pids.max", "9\n");
    snprintf(own, sizeof own, "%s/own", folder);
    snprintf(root, sizeof root, "%s/root", folder);
    ck_assert_uint_eq(cgroup_read(own, root).processes, 9);
    put("own", "1:../x:/\n0::nothing\n0\n::\n:\n\n0:/a\n");
    expect(NONE, NONE, NONE);
}
END_TEST

START_TEST(nonsense_sets_no_limit)
{
    static const char *const nonsense[] = {
        "",      "\n",    "12x\n",     "-5\n",
        " 5\n",  "5 5\n", "maximum\n", "99999999999999999999999999\n",
        "0x10\n"};
    put("own", "0::/a\n");
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        put("a/memory.max", nonsense[i]);
        put("a/pids.max", nonsense[i]);
        put("a/cpu.max", i == 5 ? "5 \n" : nonsense[i]);
        expect(NONE, NONE, NONE);
    }
    put("a/cpu.max", "0 100000\n");
    expect(NONE, NONE, NONE);
    put("a/cpu.max", "100000 0\n");
    expect(NONE, NONE, NONE);
    put("a/cpu.max", "18446744073709551614 1\n");
    put("a/memory.max", "18446744073709551614\n");
    expect(UINT64_MAX - 1, UINT64_MAX - 1, NONE);
}
END_TEST

START_TEST(long_files_are_cut)
{
    static char text[100000];
    memset(text, '1', sizeof text);
    write_bytes("own", text, sizeof text);
    expect(NONE, NONE, NONE);
    memset(text, '/', sizeof text);
    memcpy(text, "0::", 3);
    write_bytes("own", text, sizeof text);
    expect(NONE, NONE, NONE);
    put("own", "0::/a\n");
    memset(text, '0', sizeof text);
    write_bytes("a/memory.max", text, sizeof text);
    write_bytes("a/cpu.max", text, sizeof text);
    expect(NONE, 0, NONE);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {without_groups_there_is_no_limit,
                                  version_2_with_those_above,
                                  version_1,
                                  a_group_that_is_not_shown,
                                  nonsense_sets_no_limit,
                                  long_files_are_cut};
    return UNIT_RUN_WITH("cgroup", tests, open_folder, remove_folder);
}
