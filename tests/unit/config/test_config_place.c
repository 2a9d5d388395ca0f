/* config_place: of settings that are wrong, where the pool is. */
#include "config/config_place.h"

#include "allocations.h"
#include "temp_file.h"

static char path[] = "/tmp/tallyd-test-place.XXXXXX";

/* Name and scoreboard; NULL: they cannot be told. Nothing is left behind. */
static void expect(const char *file, const char *const *options, size_t count,
                   const char *name, const char *scoreboard)
{
    long before = blocks;
    struct config *c = config_place_load(file, options, count);
    ck_assert_msg((c == NULL) == (name == NULL), "%s: %s", name,
                  c == NULL ? "none" : c->pool.name);
    if (c != NULL) {
        ck_assert_str_eq(c->pool.name, name);
        ck_assert_str_eq(c->pool.scoreboard, scoreboard);
    }
    config_free(&c);
    ck_assert_int_eq(blocks, before);
}

START_TEST(what_is_wrong_elsewhere_does_not_matter)
{
    temp_file_text(path,
                   "wrong\n"
                   "[endpoint a]\nname = not this\nname = twice\n"
                   "[pool]\nworkers = many\nname = one\nscoreboard = /run/one\n"
                   "name = two\n[pool\n");
    expect(path, NULL, 0, "two", "/run/one");
    const char *const options[] = {"pool.name=three"};
    expect(path, options, 1, "three", "/run/one");
    temp_file_text(path,
                   "[pool]\nscoreboard = run/one\n"); /* is no path of one */
    expect(path, NULL, 0, NULL, NULL);
    unlink(path);
    expect(path, NULL, 0, NULL, NULL);
    const char *const placed[] = {"pool.scoreboard=/run/x", "pool.name=four"};
    expect(path, placed, 2, "four", "/run/x");
    expect(NULL, placed, 2, "four", "/run/x");
}
END_TEST

START_TEST(variables_come_behind_the_file)
{
    char file[] = "/tmp/tallyd-test-value.XXXXXX";
    temp_file_make(file);
    temp_file_write(file, "/run/of-a-file \n", 16);
    temp_file_text(path, "[pool]\nname = one\nscoreboard = /run/one\n");
    setenv("TALLYD_POOL_NAME", "two", 1);
    setenv("TALLYD_POOL_WORKERS", "many", 1);
    setenv("TALLYD_POOL_SCOREBOARD_FILE", file, 1);
    expect(path, NULL, 0, "two", "/run/of-a-file");
    unlink(file);
    expect(path, NULL, 0, "two", "/run/one");
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
    const TTest *const tests[] = {what_is_wrong_elsewhere_does_not_matter,
                                  variables_come_behind_the_file};
    return UNIT_RUN_WITH("config_place", tests, open_path, close_path);
}
