/* config_environment: which variables are taken, what of them is refused, and
 * that they can be handed over. */
#include "config/config_environment.h"

#include <stdio.h>
#include <sys/stat.h>

#include "allocations.h"
#include "temp_file.h"

static char path[] = "/tmp/tallyd-test-environment.XXXXXX";
static char room[512];
static struct buf why;
static struct config_environment e;

static bool take(const char *const *variables)
{
    buf_init(&why, room, sizeof room);
    return config_environment_take(&e, variables, &why);
}

static void refused(const char *variable, const char *what)
{
    const char *list[] = {variable, NULL};
    ck_assert_msg(!take(list), "taken: %.60s", variable);
    ck_assert_msg(strstr(room, what) != NULL, "%s is not in: %s", what, room);
    ck_assert_ptr_null(e.list);
    ck_assert_uint_eq(e.count, 0);
}

START_TEST(ours_are_taken_in_their_order)
{
    const char *list[] = {"PATH=/bin", "TALLYD_B=2=3", "TALLYDX=1",
                          "TALLYD_A=", "tallyd_c=no",  "XTALLYD_D=no",
                          NULL};
    ck_assert(take(list));
    ck_assert_uint_eq(e.count, 2);
    ck_assert_str_eq(e.list[0].name, "TALLYD_A");
    ck_assert_str_eq(e.list[0].value, "");
    ck_assert_str_eq(e.list[1].name, "TALLYD_B");
    ck_assert_str_eq(e.list[1].value, "2=3");
    config_environment_free(&e);
}
END_TEST

START_TEST(memory_that_is_short_is_told)
{
    const char *list[] = {"TALLYD_A=1", "TALLYD_B=2", NULL};
    long before = blocks;
    has_failed = ALLOCATIONS_COUNT;
    for (long n = 1; has_failed; n++) {
        has_failed = false;
        fail_in = n;
        bool taken = take(list);
        fail_in = 0;
        ck_assert(taken == !has_failed);
        ck_assert_msg(taken || strstr(room, "memory is short") != NULL, "%s",
                      room);
        config_environment_free(&e);
        ck_assert_int_eq(blocks, before);
    }
}
END_TEST

START_TEST(hostile_ones_are_refused)
{
    const char *twice[] = {"TALLYD_A=1", "TALLYD_B=1", "TALLYD_A=1", NULL};
    ck_assert(!take(twice));
    ck_assert_str_eq(room, "TALLYD_A: is in the environment twice");
    refused("TALLYD_A", "has no =");
    refused("TALLYD_A=a\nb", "control character");
    refused("TALLYD_A=\x1b[1m", "control character");
    refused("TALLYD_A\x7f=1", "control character");
    refused("TALLYD_A=\xc2\x9b", "control character");
    const char *bytes[] = {"TALLYD_A=\xff", NULL}; /* the name of a file may */
    ck_assert(take(bytes));
    config_environment_free(&e);
}
END_TEST

START_TEST(sizes_are_bounded)
{
    char text[CONFIG_LINE_MAX + 16] = "TALLYD_A=";
    size_t n = strlen(text);
    memset(text + n, 'x', CONFIG_LINE_MAX);
    const char *list[] = {text, NULL};
    ck_assert(take(list));
    config_environment_free(&e);
    text[n + CONFIG_LINE_MAX] = 'x';
    refused(text, "the value is too long");
    memset(text, 'N', CONFIG_VARIABLE_NAME_MAX + 1);
    memcpy(text, "TALLYD_", 7);
    strcpy(text + CONFIG_VARIABLE_NAME_MAX + 1, "=1");
    refused(text, "the name is too long");
    strcpy(text + CONFIG_VARIABLE_NAME_MAX, "=1");
    ck_assert(take(list));
    config_environment_free(&e);
}
END_TEST

/* `count` variables with values of `size` bytes. */
static bool take_many(size_t count, size_t size)
{
    char **list = calloc(count + 1, sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = calloc(1, size + 32);
        int n = sprintf(list[i], "TALLYD_%zu=", i);
        memset(list[i] + n, 'x', size);
    }
    bool good = take((const char *const *)list);
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
    config_environment_free(&e);
    return good;
}

START_TEST(so_is_their_number)
{
    ck_assert(take_many(CONFIG_VARIABLES_MAX, 1));
    ck_assert(!take_many(CONFIG_VARIABLES_MAX + 1, 1));
    ck_assert_ptr_nonnull(strstr(room, "too many"));
    ck_assert(take_many(31, CONFIG_LINE_MAX));
    ck_assert(!take_many(32, CONFIG_LINE_MAX));
}
END_TEST

static void write_file(const char *bytes, size_t n)
{
    temp_file_write(path, bytes, n);
}

static char variable[] = "TALLYD_A_FILE";

static char *value(void)
{
    const struct config_variable v = {.name = variable, .value = path};
    buf_init(&why, room, sizeof room);
    return config_environment_value(&v, &why);
}

START_TEST(a_value_may_be_in_a_file)
{
    static const struct {
        const char *bytes, *value; /* NULL: refused */
    } rows[] = {{"one", "one"}, {"one\n", "one"},  {"", ""},
                {"\n", ""},     {"one\n\n", NULL}, {"one\ntwo", NULL},
                {" x ", " x "}, {"one\r\n", NULL}, {"\t", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_file(rows[i].bytes, strlen(rows[i].bytes));
        char *text = value();
        ck_assert_msg(rows[i].value == NULL
                          ? text == NULL
                          : text != NULL && !strcmp(text, rows[i].value),
                      "row %zu: %s", i, text == NULL ? room : text);
        free(text);
    }
    write_file("a\0b", 3);
    ck_assert_ptr_null(value());
}
END_TEST

START_TEST(what_a_file_has_is_bounded)
{
    char text[CONFIG_LINE_MAX + 2];
    memset(text, 'x', sizeof text);
    text[CONFIG_LINE_MAX] = '\n';
    write_file(text, CONFIG_LINE_MAX + 1);
    char *got = value();
    ck_assert_ptr_nonnull(got);
    ck_assert_uint_eq(strlen(got), CONFIG_LINE_MAX);
    free(got);
    text[CONFIG_LINE_MAX] = 'x';
    write_file(text, CONFIG_LINE_MAX + 1);
    ck_assert_ptr_null(value());
    ck_assert_ptr_nonnull(strstr(room, "too large"));
    write_file(text, CONFIG_LINE_MAX + 2);
    ck_assert_ptr_null(value());
}
END_TEST

START_TEST(only_a_regular_file_is_read)
{
    unlink(path);
    ck_assert_ptr_null(value());
    ck_assert_ptr_nonnull(strstr(room, "No such file"));
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_ptr_null(value());
    ck_assert_ptr_nonnull(strstr(room, "not a regular file"));
}
END_TEST

static struct config_environment handed_over(bool *good)
{
    char *bytes;
    size_t n;
    FILE *out = open_memstream(&bytes, &n);
    config_environment_print(&e, out);
    fclose(out);
    struct config_environment other;
    buf_init(&why, room, sizeof room);
    *good = config_environment_parse(&other, bytes, n, &why);
    free(bytes);
    return other;
}

START_TEST(they_are_handed_over_with_their_files)
{
    char name[80];
    bool good;
    snprintf(name, sizeof name, "TALLYD_A_FILE=%s", path);
    const char *list[] = {name, "TALLYD_B_FILE=/none", "TALLYD_C=3", NULL};
    ck_assert(take(list));
    write_file("before\n", 7);
    config_environment_read(&e);
    unlink(path);
    struct config_environment other = handed_over(&good);
    ck_assert_msg(good, "%s", room);
    ck_assert_uint_eq(other.count, 3);
    char *text = config_environment_value(&other.list[0], &why);
    ck_assert_str_eq(text, "before");
    free(text);
    ck_assert_ptr_null(other.list[1].content);
    ck_assert_str_eq(other.list[2].value, "3");
    config_environment_forget(&other);
    write_file("after", 5);
    text = config_environment_value(&other.list[0], &why);
    ck_assert_str_eq(text, "after");
    free(text);
    config_environment_free(&other);
    config_environment_free(&e);
}
END_TEST

START_TEST(bytes_that_cannot_be_are_refused)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {{"TALLYD_A=1", 10},
                {"=x", 3},
                {"TALLYD_A=1\0=x\0=y", 17},
                {"TALLYD_A\0", 9},
                {"TALLYD_A=1\0TALLYD_A=2", 22},
                {"TALLYD_A=1\0=\x01", 14}};
    buf_init(&why, room, sizeof room);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(
            !config_environment_parse(&e, rows[i].bytes, rows[i].n, &why),
            "row %zu", i);
        ck_assert_ptr_null(e.list);
    }
    ck_assert(config_environment_parse(&e, "", 0, &why));
    ck_assert_uint_eq(e.count, 0);
    config_environment_free(&e);
}
END_TEST

static void open_path(void)
{
    temp_file_make(path);
}

static void close_path(void)
{
    unlink(path);
}

int main(void)
{
    const TTest *const tests[] = {ours_are_taken_in_their_order,
                                  memory_that_is_short_is_told,
                                  hostile_ones_are_refused,
                                  sizes_are_bounded,
                                  so_is_their_number,
                                  a_value_may_be_in_a_file,
                                  what_a_file_has_is_bounded,
                                  only_a_regular_file_is_read,
                                  they_are_handed_over_with_their_files,
                                  bytes_that_cannot_be_are_refused};
    return UNIT_RUN_WITH("config_environment", tests, open_path, close_path);
}
