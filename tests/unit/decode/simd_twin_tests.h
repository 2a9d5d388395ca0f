/* simd_twin_tests: see simd_twin.h. The masks of portable are one at a time. */
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

static uint64_t random_state = 1;

/* xorshift64 (Marsaglia, 2003). */
static uint64_t random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Masks of all densities, long runs among them. */
static uint64_t random_mask(void)
{
    uint64_t m = random_bits();
    switch (random_bits() % 6) {
    case 0:
        return m & random_bits() & random_bits();
    case 1:
        return m | random_bits() | random_bits();
    case 2:
        return UINT64_MAX << (m % 64);
    case 3:
        return UINT64_MAX >> (m % 64);
    case 4:
        return m % 3 == 0 ? 0 : UINT64_MAX;
    default:
        return m;
    }
}

static void expect_same_block(simd_block b, twin_block twin)
{
    for (unsigned c = 0; c < 256; c++)
        EXPECT(simd_eq(b, (uint8_t)c) == twin_eq(twin, (uint8_t)c));
}

/* Every byte, at places that differ. */
static void fill(uint8_t bytes[64], unsigned round)
{
    for (unsigned i = 0; i < 64; i++)
        bytes[i] = (uint8_t)(round < 256 ? i * 7 + round : random_bits());
}

START_TEST(bytes_are_found)
{
    uint8_t bytes[64];
    for (unsigned round = 0; round < 600; round++) {
        fill(bytes, round);
        simd_block b = simd_load(bytes);
        twin_block twin = twin_load(bytes);
        expect_same_block(b, twin);
        expect_same_block(simd_lower(b), twin_lower(twin));
        for (unsigned k = 0; k < 8; k++) {
            uint64_t m = 0;
            for (unsigned i = 0; i < 64; i++)
                m |= (uint64_t)(bytes[i] >> k & 1) << i;
            EXPECT(simd_bit(b, k) == m && twin_bit(twin, k) == m);
        }
        for (unsigned low = 0; low < 256; low += 1 + low % 5)
            for (unsigned high = low; high < 256; high += 1 + high % 7) {
                uint64_t m = 0;
                for (unsigned i = 0; i < 64; i++)
                    m |= (uint64_t)(bytes[i] >= low && bytes[i] <= high) << i;
                EXPECT(simd_range(b, (uint8_t)low, (uint8_t)high) == m);
                EXPECT(twin_range(twin, (uint8_t)low, (uint8_t)high) == m);
            }
    }
}
END_TEST

START_TEST(bytes_are_counted)
{
    static uint8_t bytes[255 * 64];
    for (size_t n = 0; n <= sizeof bytes; n += 64 * (1 + n / 1024)) {
        unsigned count = 0;
        for (size_t i = 0; i < sizeof bytes; i++) {
            bytes[i] = random_bits() % 3 == 0 ? 'x' : '\n';
            count += i < n && bytes[i] == '\n';
        }
        EXPECT(simd_count_eq(bytes, n, '\n') == count);
        EXPECT(twin_count_eq(bytes, n, '\n') == count);
    }
    memset(bytes, '\n', sizeof bytes);
    EXPECT(simd_count_eq(bytes, sizeof bytes, '\n') == sizeof bytes);
}
END_TEST

/* What is behind is not mapped. */
START_TEST(a_part_of_a_block_is_loaded_and_no_more)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *end = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(end, MAP_FAILED);
    end += page;
    ck_assert_int_eq(mprotect(end, page, PROT_NONE), 0);
    for (size_t n = 1; n < 64; n++) {
        uint8_t room[64], expected[64];
        memset(expected, ' ', sizeof expected);
        for (size_t i = 0; i < n; i++)
            expected[i] = end[(ptrdiff_t)(i - n)] = (uint8_t)random_bits();
        expect_same_block(simd_load_part(end - n, n, room),
                          twin_load(expected));
        ck_assert_mem_eq(room, expected, sizeof room);
    }
}
END_TEST

START_TEST(masks_are_spread_and_listed)
{
    uint16_t at[64], twin_at[64], some[96];
    uint8_t bytes[64], picked[64];
    for (unsigned i = 0; i < 64; i++)
        bytes[i] = (uint8_t)(3 * i + 1);
    for (unsigned round = 0; round < 100000; round++) {
        uint64_t m = random_mask(), bits = random_mask();
        unsigned n = simd_count(m);
        EXPECT(n == (unsigned)__builtin_popcountll(m));
        EXPECT(n == twin_count(m));
        EXPECT(simd_spread(bits, m) == twin_spread(bits, m));
        EXPECT(simd_places(m, 448, at) == n);
        EXPECT(twin_places(m, 448, twin_at) == n);
        EXPECT(memcmp(at, twin_at, n * sizeof at[0]) == 0);
        EXPECT(simd_pick(m, 448, bytes, at, picked) == n);
        EXPECT(memcmp(at, twin_at, n * sizeof at[0]) == 0);
        for (unsigned i = 0; i < n; i++)
            EXPECT(picked[i] == bytes[at[i] - 448]);
        /* In place, and moved on over some before. */
        for (unsigned i = 0; i < 96; i++)
            some[i] = (uint16_t)i;
        unsigned to = round % 33;
        EXPECT(simd_keep(m, some + 32, some + 32 - to) == n);
        for (unsigned i = 0; i < n; i++)
            EXPECT(some[32 - to + i] == at[i] - 448 + 32);
    }
}
END_TEST

START_TEST(depths_are_sums)
{
    for (unsigned round = 0; round < 20000; round++) {
        uint64_t open = random_mask(), close = random_mask() & ~open;
        uint8_t depths[64], depth = SIMD_DEPTH;
        for (unsigned i = 0; i < 64; i++) {
            depth = (uint8_t)(depth + (open >> i & 1) - (close >> i & 1));
            depths[i] = depth;
        }
        twin_block expected = twin_load(depths);
        expect_same_block(simd_depths(open, close), expected);
        EXPECT(twin_eq(twin_depths(open, close), depth) ==
               twin_eq(expected, depth));
    }
}
END_TEST

static simd_masks random_masks(uint64_t each[SIMD_LANES])
{
    simd_masks m;
    for (unsigned i = 0; i < SIMD_LANES; i++)
        each[i] = random_mask();
    memcpy(&m, each, sizeof m);
    return m;
}

static void expect_masks(simd_masks m, const uint64_t each[SIMD_LANES])
{
    EXPECT(memcmp(&m, each, sizeof m) == 0);
}

/* One after the other as portable has it, with its carry. */
START_TEST(masks_of_many_blocks_are_one_number)
{
    uint64_t a[SIMD_LANES], b[SIMD_LANES], each[SIMD_LANES];
    for (unsigned round = 0; round < 100000; round++) {
        simd_masks m = random_masks(a), other = random_masks(b);
        unsigned first = (unsigned)random_bits() & 1, twin = first;
        unsigned carry = first;
        bool any = false;
        for (unsigned i = 0; i < SIMD_LANES; i++) {
            any = any || a[i] != 0;
            each[i] = twin_add(a[i], b[i], &twin);
        }
        EXPECT(simd_any(m) == any);
        expect_masks(simd_add(m, other, &carry), each);
        EXPECT(carry == twin);
        twin = carry = first;
        for (unsigned i = 0; i < SIMD_LANES; i++)
            each[i] = twin_parity(a[i], &twin);
        expect_masks(simd_parity(m, &carry), each);
        EXPECT(carry == twin);
        for (unsigned i = 0; i < SIMD_LANES; i++)
            each[i] = i == 0 ? b[SIMD_LANES - 1] : a[i - 1];
        expect_masks(simd_from(m, other), each);
        for (unsigned i = 0; i < SIMD_LANES; i++)
            each[i] = twin_behind(a[i], i == 0 ? b[SIMD_LANES - 1] : a[i - 1]);
        expect_masks(simd_behind(m, other), each);
        expect_masks(simd_join(a), a);
    }
}
END_TEST

START_TEST(one_bit_of_many_blocks_is_any)
{
    uint64_t each[SIMD_LANES] = {0};
    simd_masks m = {0};
    EXPECT(!simd_any(m) && !twin_any(0));
    for (unsigned bit = 0; bit < 64 * SIMD_LANES; bit++) {
        each[bit / 64] = UINT64_C(1) << (bit % 64);
        EXPECT(twin_any(each[bit / 64]));
        memcpy(&m, each, sizeof m);
        EXPECT(simd_any(m));
        each[bit / 64] = 0;
    }
}
END_TEST

/* Is the UTF-8 of the block wrong, behind the one before it and with an ASCII
 * one behind it? */
static bool wrong(const uint8_t text[192])
{
    simd_block a = simd_load(text), b = simd_load(text + 64);
    return (simd_wrong_utf8(b, a) |
            simd_wrong_utf8(simd_load(text + 128), b)) != 0;
}

static bool twin_wrong(const uint8_t text[192])
{
    twin_block a = twin_load(text), b = twin_load(text + 64);
    return (twin_wrong_utf8(b, a) |
            twin_wrong_utf8(twin_load(text + 128), b)) != 0;
}

/* Characters that bytes at the edges of what is allowed could be, across the
 * first edge of the block, within it and at its end. */
START_TEST(characters_are_those_of_utf8)
{
    static const uint8_t edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
                                    0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
                                    0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3,
                                    0xf4, 0xf5, 0xf7, 0xf8, 0xff};
    static const unsigned places[] = {61, 62, 63, 64, 79, 94, 124, 125};
    size_t n = sizeof edges, all = n * n * n * n;
    uint8_t text[192];
    for (size_t k = 0; k < all; k++) {
        unsigned at = places[k % 8];
        memset(text, 'a', sizeof text);
        text[at] = edges[k % n];
        text[at + 1] = edges[k / n % n];
        text[at + 2] = edges[k / n / n % n];
        text[at + 3] = edges[k / n / n / n];
        if (at < 64 && twin_wrong_utf8(twin_load(text), twin_load(text + 128)))
            continue; /* seen with the block before */
        EXPECT(wrong(text) == twin_wrong(text));
    }
}
END_TEST

/* For UNIT_MAIN(). */
#define SIMD_TWIN_TESTS                                                        \
    bytes_are_found, bytes_are_counted,                                        \
        a_part_of_a_block_is_loaded_and_no_more, masks_are_spread_and_listed,  \
        depths_are_sums, masks_of_many_blocks_are_one_number,                  \
        one_bit_of_many_blocks_is_any, characters_are_those_of_utf8
