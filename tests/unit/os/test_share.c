/* share: memory that another program can have, and nothing that is not it. */
#include "os/share.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

#define SIZE 10000

START_TEST(what_one_writes_the_other_reads)
{
    int fd;
    char *one = share_new("test", SIZE, &fd);
    ck_assert_ptr_nonnull(one);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    for (int i = 0; i < SIZE; i++)
        ck_assert_int_eq(one[i], 0);
    char *other = share_map(fd, SIZE);
    ck_assert_ptr_nonnull(other);
    strcpy(one, "here");
    ck_assert_str_eq(other, "here");
    share_free(other, SIZE, -1);
    share_free(one, SIZE, fd);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(its_size_is_for_good)
{
    int fd;
    char *memory = share_new("test", SIZE, &fd);
    ck_assert_int_eq(ftruncate(fd, SIZE - 1), -1);
    ck_assert_int_eq(ftruncate(fd, SIZE + 1), -1);
    ck_assert_ptr_null(share_map(fd, SIZE - 1));
    ck_assert_int_eq(errno, EPROTO);
    ck_assert_ptr_null(share_map(fd, SIZE + 1));
    share_free(memory, SIZE, fd);
}
END_TEST

START_TEST(what_could_be_cut_is_refused)
{
    int open_one = memfd_create("test", MFD_ALLOW_SEALING), ends[2];
    ck_assert_int_eq(ftruncate(open_one, SIZE), 0);
    ck_assert_ptr_null(share_map(open_one, SIZE));
    ck_assert_int_eq(errno, EPROTO);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_ptr_null(share_map(ends[0], SIZE));
    ck_assert_ptr_null(share_map(-1, SIZE));
    share_free(NULL, 0, open_one);
}
END_TEST

START_TEST(each_size_makes_another_layout)
{
    size_t sizes[] = {1, 64, 64, 0, 4096};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    uint32_t first = share_layout(sizes, COUNT);
    ck_assert_uint_eq(share_layout(sizes, COUNT), first);
    ck_assert_uint_ne(share_layout(sizes, COUNT - 1), first);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t more = 1; more != 0; more <<= 1) {
            sizes[i] += more;
            ck_assert_uint_ne(share_layout(sizes, COUNT), first);
            sizes[i] -= more;
        }
    /* Two that change places, and two that change alike. */
    ck_assert_uint_ne(share_layout((size_t[]){64, 1, 64, 0, 4096}, COUNT),
                      first);
    ck_assert_uint_ne(share_layout((size_t[]){1, 128, 128, 0, 4096}, COUNT),
                      first);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_one_writes_the_other_reads, its_size_is_for_good,
        what_could_be_cut_is_refused, each_size_makes_another_layout};
    return UNIT_MAIN("share", tests);
}
