/* endpoint: the longest path that claims a request wins. */
#include <string.h>

#include "base/clock.h"
#include "worker/endpoint.h"
#include "good_config.h"
#include "unit.h"

static char why[CONFIG_ERROR_MAX];

static struct endpoint_table *open_table(struct config **config)
{
    static const char *const settings[] = {
        "endpoint root.path=/",
        "endpoint exact.path=/orders",
        "endpoint below.path=/orders/",
        "endpoint deep.path=/orders/new",
    };
    *config = GOOD_CONFIG(settings);
    struct endpoint_table *t = endpoint_table_new(*config, why, sizeof why);
    ck_assert_msg(t != NULL, "%s", why);
    return t;
}

START_TEST(the_longest_path_wins)
{
    static const struct {
        const char *path, *name;
    } cases[] = {
        {"/", "root"},
        {"/x", "root"},
        {"/orders", "exact"},
        {"/orders/", "below"},
        {"/orders/7", "below"},
        {"/orders/new", "deep"},
        {"/orders/new/", "below"},
        {"/orders/newer", "below"},
        {"/ordersx", "root"},
        {"/ORDERS", "root"},
    };
    struct config *config;
    struct endpoint_table *t = open_table(&config);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct endpoint *e =
            endpoint_find(t, cases[i].path, strlen(cases[i].path));
        ck_assert_msg(e != NULL && strcmp(e->config->name, cases[i].name) == 0,
                      "%s", cases[i].path);
    }
    endpoint_table_free(&t);
    config_free(&config);
}
END_TEST

START_TEST(a_path_nobody_claims_has_none)
{
    static const char *const settings[] = {"endpoint a.path=/a"};
    struct config *config = config_load(NULL, NULL, settings, 1, why);
    struct endpoint_table *t = endpoint_table_new(config, why, sizeof why);
    ck_assert_ptr_nonnull(t);
    ck_assert_ptr_null(endpoint_find(t, "", 0));
    ck_assert_ptr_null(endpoint_find(t, "/", 1));
    ck_assert_ptr_null(endpoint_find(t, "/a/b", 4));
    ck_assert_ptr_null(endpoint_find(t, "/ab", 3));
    ck_assert_ptr_nonnull(endpoint_find(t, "/ab", 2));
    endpoint_table_free(&t);
    config_free(&config);
}
END_TEST

START_TEST(a_wrong_downstream_names_its_endpoint)
{
    static const char *const settings[] = {
        "endpoint a.downstream=http://h:99999/"};
    struct config *config = GOOD_CONFIG(settings);
    ck_assert_ptr_null(endpoint_table_new(config, why, sizeof why));
    ck_assert_ptr_nonnull(strstr(why, "[endpoint a] downstream"));
    config_free(&config);
}
END_TEST

START_TEST(half_of_the_shorter_limit_is_time_enough)
{
    static const char *const settings[] = {
        "pool.request_timeout=8s",
        "endpoint short.path=/short",
        "endpoint short.timeout=3s",
        "endpoint long.path=/long",
        "endpoint long.timeout=20s",
        "endpoint short.downstream=http://a/",
        "endpoint long.downstream=http://a/"};
    struct config *config = GOOD_CONFIG(settings);
    struct endpoint_table *t = endpoint_table_new(config, why, sizeof why);
    ck_assert_msg(t != NULL, "%s", why);
    ck_assert_int_eq(t->list[0].time_enough, 1500 * CLOCK_MS);
    ck_assert_int_eq(t->list[1].time_enough, 4000 * CLOCK_MS);
    config->pool.request_timeout = 0; /* no limit */
    endpoint_table_free(&t);
    t = endpoint_table_new(config, why, sizeof why);
    ck_assert_ptr_nonnull(t);
    ck_assert_int_eq(t->list[1].time_enough, 10 * CLOCK_SECOND);
    endpoint_table_free(&t);
    config_free(&config);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_longest_path_wins,
                                  a_path_nobody_claims_has_none,
                                  a_wrong_downstream_names_its_endpoint,
                                  half_of_the_shorter_limit_is_time_enough};
    return UNIT_MAIN("endpoint", tests);
}
