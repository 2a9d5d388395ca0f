/* handover: what one program writes the next one reads, and nothing else.
 */
#include "pool/handover.h"

#include <string.h>

#include "unit.h"

#define SLOTS 8
#define MEMBERS 3
#define PLACES 4
static const char settings[] = "pool.listen=/x\0pool.workers=4";
static const char source[] = "[pool]\nworkers = 4\n";
static const char environment[] = "TALLYD_POOL_NICE=1";

static union {
    struct handover head;
    char bytes[4096];
} room;
static size_t size;
static struct handover_view view;

static struct handover_member *members(void)
{
    return (void *)(&room.head + 1);
}

static struct handover_store *stores(void)
{
    return (void *)(members() + MEMBERS);
}

static void fill_as(const char *format)
{
    memset(&room, 0, sizeof room);
    room.head = (struct handover){.source = sizeof source,
                                  .environment = sizeof environment,
                                  .has_source = 1,
                                  .layout = 7,
                                  .pid = 100,
                                  .generation = 2,
                                  .newest = 3,
                                  .slots = SLOTS,
                                  .members = MEMBERS,
                                  .conns = PLACES,
                                  .settings = sizeof settings};
    strcpy(room.head.listener.path, "/run/x");
    for (int i = 0; i < HANDOVER_FILES; i++)
        room.head.files[i] = 3 + i;
    for (uint32_t i = 0; i < MEMBERS; i++)
        members()[i] = (struct handover_member){
            .pid = 101 + (int32_t)i, .number = 2 * i, .generation = 1 + i % 2};
    for (int i = 0; i < PLACES; i++)
        stores()[i] = (struct handover_store){20 + i, 30 + i};
    memcpy(stores() + PLACES, settings, sizeof settings);
    memcpy((char *)(stores() + PLACES) + sizeof settings, source,
           sizeof source);
    memcpy((char *)(stores() + PLACES) + sizeof settings + sizeof source,
           environment, sizeof environment);
    memcpy(room.head.format, format, sizeof room.head.format);
    size = handover_size(&room.head);
}

static void fill(void)
{
    fill_as(HANDOVER_FORMAT);
}

static bool is_read(void)
{
    const char *why = NULL;
    bool good = handover_read(&room, size, &view, &why);
    ck_assert_ptr_nonnull(why);
    return good;
}

START_TEST(what_is_written_is_read)
{
    ck_assert(is_read());
    ck_assert_ptr_eq(view.head, &room.head);
    ck_assert_int_eq(view.members[2].pid, 103);
    ck_assert_int_eq(view.stores[3].far, 33);
    ck_assert_mem_eq(view.settings, settings, sizeof settings);
    ck_assert_uint_eq(view.source_len, sizeof source);
    ck_assert_mem_eq(view.source, source, sizeof source);
    ck_assert_uint_eq(view.environment_len, sizeof environment);
    ck_assert_mem_eq(view.environment, environment, sizeof environment);
    room.head.files[HANDOVER_STATUS] = -1;
    ck_assert(is_read());
    room.head.has_source = 0;
    ck_assert(is_read());
    ck_assert_ptr_null(view.source);
}
END_TEST

/* In a container the pool is process 1. */
START_TEST(what_process_1_has_written_is_read)
{
    room.head.pid = 1;
    ck_assert(is_read());
}
END_TEST

/* A version before ends its head sooner, at `end`, and the whole as well. */
static void fill_as_before(const char *format, size_t end)
{
    fill_as(format);
    memmove(room.bytes + end, &room.head + 1, sizeof room - sizeof room.head);
}

static void is_read_as_before(void)
{
    ck_assert(is_read());
    ck_assert_int_eq(view.members[2].pid, 103);
    ck_assert_int_eq(view.stores[3].far, 33);
    ck_assert_mem_eq(view.settings, settings, sizeof settings);
    ck_assert_uint_eq(view.environment_len, 0);
    for (size_t all = size, n = 0; n < all + 64; n++) {
        size = n;
        ck_assert_int_eq(is_read(), n == all);
    }
}

START_TEST(what_a_version_before_has_written_is_read)
{
    fill_as_before(HANDOVER_FORMAT_BEFORE,
                   offsetof(struct handover, environment));
    ck_assert(is_read());
    ck_assert_mem_eq(view.source, source, sizeof source);
    ck_assert_ptr_eq(view.source + sizeof source, room.bytes + size);
    is_read_as_before();
}
END_TEST

START_TEST(what_the_first_version_has_written_is_read)
{
    fill_as_before(HANDOVER_FORMAT_FIRST, offsetof(struct handover, source));
    ck_assert(is_read());
    ck_assert_ptr_eq(view.settings + sizeof settings, room.bytes + size);
    ck_assert_ptr_null(view.source);
    is_read_as_before();
}
END_TEST

START_TEST(another_length_is_refused)
{
    size_t all = size;
    for (size = 0; size < all + 64; size++)
        ck_assert_int_eq(is_read(), size == all);
}
END_TEST

/* Each number for itself, with values that others have been hurt by. */
#define REFUSED(field, value)                                                  \
    do {                                                                       \
        fill();                                                                \
        ck_assert(is_read());                                                  \
        field = value;                                                         \
        ck_assert_msg(!is_read(), "taken: " #field " = " #value);              \
    } while (0)

START_TEST(numbers_that_cannot_be_are_refused)
{
    REFUSED(room.head.format[6], '1');
    REFUSED(room.head.pid, 0);
    REFUSED(room.head.pid, -1);
    REFUSED(room.head.generation, 0);
    REFUSED(room.head.generation, 4);
    REFUSED(room.head.slots, 2);
    REFUSED(room.head.slots, HANDOVER_SLOTS_MAX + 1);
    REFUSED(room.head.members, UINT32_MAX);
    REFUSED(room.head.members, MEMBERS + 1);
    REFUSED(room.head.conns, UINT32_MAX / 8 + 1);
    REFUSED(room.head.conns, 0);
    REFUSED(room.head.settings, UINT32_MAX);
    REFUSED(room.head.source, UINT32_MAX);
    REFUSED(room.head.source, sizeof source - 1);
    REFUSED(room.head.has_source, 2);
    REFUSED(room.head.environment, UINT32_MAX);
    REFUSED(room.head.environment, sizeof environment - 1);
    REFUSED(room.head.listener.adopted, 2);
    REFUSED(room.head.status.is_unix, UINT32_MAX);
    REFUSED(room.head.files[HANDOVER_LISTENER], -1);
    REFUSED(room.head.files[HANDOVER_SET], 2);
    REFUSED(room.head.files[HANDOVER_CLOCK], INT32_MAX);
    REFUSED(room.head.files[HANDOVER_CONN_WATCH], -1);
    REFUSED(room.head.files[HANDOVER_STATUS], -2);
    REFUSED(members()[0].pid, 0);
    REFUSED(members()[0].pid, -7);
    REFUSED(members()[0].number, SLOTS);
    REFUSED(members()[0].number, 2); /* of another */
    REFUSED(members()[1].generation, 0);
    REFUSED(members()[1].generation, 4);
    REFUSED(members()[1].retired, 2);
    REFUSED(stores()[0].near, -1);
    REFUSED(stores()[3].far, 1);
    REFUSED(room.bytes[size - sizeof environment - sizeof source - 1], 'x');
    fill();
    memset(room.head.status.path, 'x', sizeof room.head.status.path);
    ck_assert(!is_read());
}
END_TEST

/* Whatever the bytes, nothing beyond them is read (under a sanitizer). */
START_TEST(bytes_by_chance_do_no_harm)
{
    uint64_t random = 7;
    for (int turn = 0; turn < 200000; turn++) {
        fill();
        for (int i = 0; i < 3; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            room.bytes[(random >> 33) % size] = (char)(random >> 20);
        }
        char *copy = malloc(size);
        const char *why;
        EXPECT(copy != NULL);
        memcpy(copy, &room, size);
        handover_read(copy, size, &view, &why);
        free(copy);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_is_written_is_read,
                                  what_process_1_has_written_is_read,
                                  what_a_version_before_has_written_is_read,
                                  what_the_first_version_has_written_is_read,
                                  another_length_is_refused,
                                  numbers_that_cannot_be_are_refused,
                                  bytes_by_chance_do_no_harm};
    return UNIT_RUN_WITH("handover", tests, fill, NULL);
}
