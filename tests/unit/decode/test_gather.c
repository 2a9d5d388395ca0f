/* gather and entropy: pieces put together; bytes never given twice. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/entropy.h"
#include "decode/gather.h"
#include "unit.h"

static bool add(struct gather *g, const char *text, size_t n, bool first)
{
    const struct scan_text piece = {
        .bytes = (const uint8_t *)text, .n = n, .first = first};
    return gather_add(g, &piece, SIZE_MAX);
}

START_TEST(pieces_become_one_text)
{
    struct gather g = {0};
    ck_assert(add(&g, "ab", 2, true));
    ck_assert(add(&g, "", 0, false));
    ck_assert(add(&g, "cd", 2, false));
    ck_assert_uint_eq(g.n, 4);
    ck_assert_str_eq(g.bytes, "abcd");
    ck_assert(add(&g, "x", 1, true));
    ck_assert_uint_eq(g.n, 1);
    ck_assert_str_eq(g.bytes, "x");
    ck_assert(add(&g, "", 0, true));
    ck_assert_str_eq(g.bytes, "");
    gather_free(&g);
    ck_assert_ptr_null(g.bytes);
    gather_free(&g);
}
END_TEST

START_TEST(no_more_than_the_most_is_kept)
{
    struct scan_text piece = {
        .bytes = (const uint8_t *)"abc", .n = 3, .first = true};
    struct gather g = {0};
    ck_assert(gather_add(&g, &piece, 5));
    ck_assert_str_eq(g.bytes, "abc");
    piece.first = false;
    ck_assert(gather_add(&g, &piece, 5));
    ck_assert_str_eq(g.bytes, "abcab");
    ck_assert(gather_add(&g, &piece, 5));
    ck_assert_uint_eq(g.n, 5);
    gather_free(&g);
}
END_TEST

START_TEST(it_grows_byte_by_byte)
{
    struct gather g = {0};
    for (size_t i = 0; i < 100000; i++) {
        const char byte = (char)('a' + i % 26);
        ck_assert(add(&g, &byte, 1, i == 0));
        ck_assert_int_eq(g.bytes[i + 1], '\0');
    }
    for (size_t i = 0; i < 100000; i++)
        ck_assert_int_eq(g.bytes[i], (int)('a' + i % 26));
    /* Doubling: the room stays within a small factor of the text. */
    ck_assert_uint_lt(g.room, 4 * g.n);
    gather_free(&g);
}
END_TEST

START_TEST(random_bytes_are_not_given_twice)
{
    static struct entropy e;
    static uint8_t taken[200][16];
    for (size_t i = 0; i < 200; i++) {
        memcpy(taken[i], entropy_take(&e, 16), 16);
        for (size_t j = 0; j < i; j++)
            ck_assert(memcmp(taken[i], taken[j], 16) != 0);
    }
}
END_TEST

START_TEST(any_number_of_them_can_be_taken)
{
    static struct entropy e;
    for (size_t n = 1; n <= sizeof e.bytes; n = n * 3 + 1) {
        const uint8_t *bytes = entropy_take(&e, n);
        ck_assert(bytes >= e.bytes && bytes + n <= e.bytes + sizeof e.bytes);
    }
    ck_assert_ptr_eq(entropy_take(&e, sizeof e.bytes), e.bytes);
    ck_assert_uint_eq(e.left, 0);
}
END_TEST

START_TEST(a_zeroed_child_has_its_own)
{
    static struct entropy e;
    uint8_t ours[16], theirs[16];
    int ends[2];
    entropy_take(&e, 16);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        e = (struct entropy){0};
        _exit(write(ends[1], entropy_take(&e, 16), 16) == 16 ? 0 : 1);
    }
    memcpy(ours, entropy_take(&e, 16), 16);
    ck_assert_int_eq(read(ends[0], theirs, 16), 16);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    ck_assert(memcmp(ours, theirs, 16) != 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        pieces_become_one_text,          no_more_than_the_most_is_kept,
        it_grows_byte_by_byte,           random_bytes_are_not_given_twice,
        any_number_of_them_can_be_taken, a_zeroed_child_has_its_own};
    return UNIT_MAIN("gather", tests);
}
