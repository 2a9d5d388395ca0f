/* settings: where they are taken from, and where a mistake is said to be. What
 * a start would find is looked at, too (preflight). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/config_setting.h"
#include "pool/preflight.h"
#include "pool/settings.h"
#include "quiet.h"
#include "temp_file.h"
#include "unit.h"

static char dir[] = "/tmp/tallyd-test-settings.XXXXXX";
static char path[64], why[CONFIG_ERROR_MAX];
static struct settings settings;

static void open_dir(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/conf", dir);
}

static void close_dir(void)
{
    unlink(path);
    rmdir(dir);
}

START_TEST(what_the_file_had_is_read_in_its_place)
{
    static const char text[] = "[pool]\nworkers = 5\n";
    temp_file_text(path, "[pool]\nworkers = 7\n");
    const struct settings_source sources[] = {
        {.path = path},
        {.path = path, .text = text, .text_len = sizeof text - 1},
        {.path = path, .text = "", .text_len = 0, .tried = true}};
    static const int64_t workers[] = {7, 5, CONFIG_AUTO};
    for (int i = 0; i < 3; i++) {
        ck_assert_msg(settings_load(&settings, &sources[i], why), "%s", why);
        ck_assert_int_eq(settings.config->pool.workers, workers[i]);
        ck_assert_int_eq(settings.config->tried, sources[i].tried);
        settings_free(&settings);
    }
}
END_TEST

/* What only a look at the system tells. */
START_TEST(a_mistake_is_told_with_its_place)
{
    static const char *const option[] = {"pool.user=no-such-user"};
    const struct {
        const char *text;
        size_t options;
        const char *place;
    } rows[] = {{"[pool]\nworkers = 3\nuser = no-such-user\n", 0,
                 "/conf:3: [pool] user"},
                {"[pool]\n", 1, "-s [pool] user"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        temp_file_text(path, rows[i].text);
        const struct settings_source source = {.path = path,
                                               .overrides = option,
                                               .override_count =
                                                   rows[i].options};
        ck_assert(!settings_load(&settings, &source, why));
        ck_assert_msg(strstr(why, rows[i].place) != NULL, "no %s: %s",
                      rows[i].place, why);
        ck_assert_int_eq(strncmp(why, "-s ", 3) == 0, rows[i].options > 0);
    }
    const struct settings_source tried = {
        .path = path, .overrides = option, .override_count = 1, .tried = true};
    ck_assert_msg(settings_load(&settings, &tried, why), "%s", why);
    settings_free(&settings);
}
END_TEST

/* What a start with that line in [pool] would not find. */
static bool is_found(const char *line, const char *fault, bool trial)
{
    char text[400];
    char *said = NULL;
    size_t n = 0;
    snprintf(text, sizeof text,
             "[pool]\nlisten = %s/sock\nslow_threshold = 1s\n%s\n", dir, line);
    temp_file_text(path, text);
    const struct settings_source source = {.path = path};
    ck_assert_msg(settings_load(&settings, &source, why), "%s", why);
    FILE *out = open_memstream(&said, &n);
    bool good = preflight(&settings, &source, trial, out);
    fclose(out);
    settings_free(&settings);
    ck_assert_msg(good == (said[0] == '\0'), "%s", said);
    if (!good) {
        ck_assert_int_eq(strncmp(said, "tallyd: /tmp/", 13), 0);
        ck_assert_msg(strstr(said, "/conf:4: [pool] ") != NULL &&
                          strstr(said, fault) != NULL,
                      "no %s: %s", fault, said);
        ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
    }
    free(said);
    return !good;
}

START_TEST(each_file_of_a_start_is_looked_at)
{
    static const char *const keys[] = {"log_file",   "access_log",
                                       "slow_log",   "pid_file",
                                       "scoreboard", "status_listen"};
    char line[160], fault[160];
    for (int trial = 0; trial < 2; trial++) {
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
            snprintf(fault, sizeof fault, "%s = %s/none/x", keys[i], dir);
            ck_assert(is_found(fault, fault, trial != 0));
            snprintf(line, sizeof line, "%s = %s/x", keys[i], dir);
            ck_assert_msg(!is_found(line, "", trial != 0), "%s", line);
        }
        ck_assert(!is_found("", "", trial != 0));
    }
}
END_TEST

/* status_listen is never what a service manager has opened for requests. */
START_TEST(an_inherited_socket_is_for_requests)
{
    char line[160];
    const struct sockaddr any = {.sa_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, &any, sizeof any.sa_family), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    snprintf(line, sizeof line, "status_listen = %s/none/x", dir);
    ck_assert(is_found(line, line, false));
}
END_TEST

START_TEST(a_file_is_read_up_to_its_bound)
{
    char *text;
    size_t n;
    temp_file_text(path, "12345678");
    ck_assert_msg(settings_read(path, 8, &text, &n, why), "%s", why);
    ck_assert_uint_eq(n, 8);
    ck_assert_int_eq(memcmp(text, "12345678", 8), 0);
    free(text);
    ck_assert(!settings_read(path, 7, &text, &n, why));
    ck_assert_ptr_null(text);
    ck_assert_ptr_nonnull(strstr(why, "more than 7 bytes"));
    ck_assert(!settings_read(dir, 8, &text, &n, why));
    ck_assert_ptr_null(text);
}
END_TEST

/* From the first row of the section to the last. */
START_TEST(what_is_fixed_stays_at_a_reload)
{
    struct settings next;
    const struct settings_source source = {.path = path};
    quiet(); /* a warning each */
    temp_file_text(path, "[pool]\nname = one\nworkers = 3\nnice = 1\n");
    ck_assert_msg(settings_load(&settings, &source, why), "%s", why);
    temp_file_text(path, "[pool]\nname = two\nworkers = 0\nnice = 2\n"
                         "listen = /x\nmax_requests = 7\n");
    ck_assert_msg(settings_load_again(&next, &source, &settings, why), "%s",
                  why);
    ck_assert_str_eq(next.config->pool.name, "one");
    ck_assert_str_eq(next.config->pool.listen, settings.config->pool.listen);
    ck_assert_int_eq(next.config->pool.nice, 1);
    ck_assert_int_eq(next.config->pool.workers, 3);
    ck_assert_int_eq(next.config->pool.max_requests, 7);
    ck_assert_str_eq(next.left, "[pool] name, [pool] listen, [pool] nice, "
                                "[pool] workers");
    settings_free(&next);
    settings_free(&settings);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {what_the_file_had_is_read_in_its_place,
                                  a_mistake_is_told_with_its_place,
                                  each_file_of_a_start_is_looked_at,
                                  an_inherited_socket_is_for_requests,
                                  a_file_is_read_up_to_its_bound,
                                  what_is_fixed_stays_at_a_reload};
    return UNIT_RUN_WITH("settings", tests, open_dir, close_dir);
}
