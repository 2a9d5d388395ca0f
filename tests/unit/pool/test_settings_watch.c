/* settings_watch: what counts as a change of the settings, and when. */
#include "pool/settings_watch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "good_config.h"
#include "temp_file.h"
#include "unit.h"

static char directory[] = "/tmp/tallyd-test-watch.XXXXXX";
static char file[64], key[64], link_path[64];
static struct settings_source source = {.path = file};
static struct settings_watch watch;
static struct config *config;
static int64_t now;

static bool look(void)
{
    bool changed = settings_watch_look(&watch, &source, config, now);
    now = watch.at;
    return changed;
}

/* What a reload does. */
static void note(void)
{
    settings_watch_text(&watch, &source);
    settings_watch_named(&watch, config);
}

/* Of as many looks as it takes, does one find a change? */
static bool finds_change(void)
{
    bool found = false;
    for (int i = 0; i < 4; i++)
        found = look() || found;
    return found;
}

static void open_watch(void)
{
    char why[CONFIG_ERROR_MAX], setting[128];
    const char *const list[] = {setting};
    watch = (struct settings_watch){0};
    now = 0;
    strcpy(directory + sizeof directory - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(file, sizeof file, "%s/conf", directory);
    snprintf(key, sizeof key, "%s/key", directory);
    snprintf(link_path, sizeof link_path, "%s/link", directory);
    snprintf(setting, sizeof setting, "shadow.url_key=%s", key);
    config = config_load(NULL, NULL, list, 1, why);
    ck_assert_ptr_null(config); /* the certificate is missing */
    const char *const both[] = {setting, "shadow.url_cert=/dev/null"};
    config = GOOD_CONFIG(both);
    source = (struct settings_source){.path = file};
    temp_file_text(file, "one");
    temp_file_text(key, "one");
    note();
}

static void close_watch(void)
{
    config_free(&config);
    unlink(file);
    unlink(key);
    unlink(link_path);
    rmdir(directory);
}

START_TEST(nothing_has_changed_at_first)
{
    ck_assert(!finds_change());
}
END_TEST

START_TEST(a_change_counts_when_it_has_settled)
{
    ck_assert(!finds_change());
    temp_file_text(file, "two");
    ck_assert(!look());
    temp_file_text(file, "three");
    ck_assert(!look());
    ck_assert(look());
    note();
    ck_assert(!finds_change());
}
END_TEST

START_TEST(it_is_told_once)
{
    temp_file_text(file, "two");
    ck_assert(finds_change());
    ck_assert(!finds_change());
}
END_TEST

START_TEST(it_looks_once_in_a_second)
{
    look();
    ck_assert_int_eq(now, CLOCK_SECOND);
    temp_file_text(file, "two");
    ck_assert(!look());
    for (int i = 0; i < 3; i++)
        ck_assert(!settings_watch_look(&watch, &source, config, now - 1));
    ck_assert(settings_watch_look(&watch, &source, config, now));
}
END_TEST

START_TEST(the_same_bytes_are_no_change)
{
    temp_file_text(file, "two");
    temp_file_text(file, "one");
    ck_assert(!finds_change());
    unlink(file);
    ck_assert(!finds_change());
    temp_file_text(file, "one");
    ck_assert(!finds_change());
}
END_TEST

START_TEST(a_file_that_is_gone_is_waited_for)
{
    unlink(file);
    ck_assert(!finds_change());
    temp_file_text(file, "two");
    ck_assert(finds_change());
}
END_TEST

/* Of how many looks does the first find a change? 0: of none of many. */
static int looks_until_change(void)
{
    for (int i = 1; i <= 40; i++)
        if (look())
            return i;
    return 0;
}

START_TEST(a_file_that_stays_away_is_told_once)
{
    ck_assert(!finds_change());
    unlink(file);
    ck_assert_int_eq(looks_until_change(), 11);
    note(); /* the reload that fails */
    ck_assert_int_eq(looks_until_change(), 0);
    temp_file_text(file, "one"); /* the same as before, and yet to be read */
    ck_assert(finds_change());
    note();
    unlink(key);
    ck_assert_int_eq(looks_until_change(), 11);
    note();
    ck_assert_int_eq(looks_until_change(), 0);
    temp_file_text(key, "one");
    ck_assert(finds_change());
}
END_TEST

START_TEST(a_link_that_leads_elsewhere_is_a_change)
{
    source.path = link_path;
    ck_assert_int_eq(symlink("conf", link_path), 0);
    note();
    ck_assert(!finds_change());
    temp_file_text(key, "other");
    settings_watch_named(&watch, config);
    unlink(link_path);
    ck_assert_int_eq(symlink("key", link_path), 0);
    ck_assert(finds_change());
}
END_TEST

START_TEST(a_file_that_is_named_counts_too)
{
    temp_file_text(key, "two");
    ck_assert(finds_change());
    note();
    unlink(key);
    ck_assert(!finds_change());
    temp_file_text(file, "other"); /* perhaps one that does not name it */
    ck_assert(finds_change());
}
END_TEST

START_TEST(bytes_that_were_handed_over_are_compared)
{
    struct settings_source given = source;
    given.text = "one";
    given.text_len = 3;
    settings_watch_text(&watch, &given);
    ck_assert(!finds_change());
    given.text = "on";
    given.text_len = 2;
    watch = (struct settings_watch){0};
    settings_watch_text(&watch, &given);
    settings_watch_named(&watch, config);
    ck_assert(finds_change());
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {nothing_has_changed_at_first,
                                  a_change_counts_when_it_has_settled,
                                  it_is_told_once,
                                  it_looks_once_in_a_second,
                                  the_same_bytes_are_no_change,
                                  a_file_that_is_gone_is_waited_for,
                                  a_file_that_stays_away_is_told_once,
                                  a_link_that_leads_elsewhere_is_a_change,
                                  a_file_that_is_named_counts_too,
                                  bytes_that_were_handed_over_are_compared};
    return UNIT_RUN_WITH("settings_watch", tests, open_watch, close_watch);
}
