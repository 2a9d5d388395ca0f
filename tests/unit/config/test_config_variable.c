/* config_variable: which setting each environment variable is. */
#include "config/config_variable.h"

#include <stdio.h>

#include "config/config_load.h"
#include "temp_file.h"

static const char file[] = "[endpoint cart]\npath = /cart\n"
                           "result.Total = sum(a)\n"
                           "[endpoint cart_connect]\npath = /connect\n"
                           "[endpoint a-b]\npath = /ab\n"
                           "[endpoint x.y]\npath = /xy1\n"
                           "[endpoint x_y]\npath = /xy2\n";
static char why[CONFIG_ERROR_MAX];

/* The settings of the file with these variables, up to NULL. */
static struct config *load(const char *const *variables)
{
    struct config_environment e;
    struct buf out;
    buf_init(&out, why, sizeof why);
    if (!config_environment_take(&e, variables, &out))
        return NULL;
    FILE *in = fmemopen((void *)(uintptr_t)file, sizeof file - 1, "r");
    struct config *c = config_load_from(in, "FILE", &e, NULL, 0, why);
    fclose(in);
    config_environment_free(&e);
    return c;
}

static void refused(const char *variable, const char *what)
{
    const char *list[] = {variable, NULL};
    struct config *c = load(list);
    ck_assert_msg(c == NULL, "taken: %s", variable);
    ck_assert_msg(strncmp(why, variable, strcspn(variable, "=")) == 0 &&
                      strstr(why, what) != NULL,
                  "%s is not in: %s", what, why);
}

START_TEST(each_section_has_its_variables)
{
    const char *list[] = {
        "TALLYD_POOL_WORKERS= 16 ",         "TALLYD_SHADOW_MAX_BODY=1k",
        "TALLYD_ENDPOINT_CART_MAX_BODY=1m", "TALLYD_endpoint_a_b_MULTIPLY=3",
        "TALLYD_POOL_PID_FILE=/run/x",      NULL};
    struct config *c = load(list);
    ck_assert_msg(c != NULL, "%s", why);
    ck_assert_int_eq(c->pool.workers, 16);
    ck_assert_int_eq(c->shadow.max_body, 1024);
    ck_assert_int_eq(config_find_endpoint(c, "cart")->max_body, 1 << 20);
    ck_assert_int_eq(config_find_endpoint(c, "a-b")->multiply, 3);
    ck_assert_str_eq(c->pool.pid_file, "/run/x");
    ck_assert_uint_eq(c->endpoint_count, 5);
    config_free(&c);
}
END_TEST

START_TEST(the_longest_key_wins)
{
    const char *list[] = {"TALLYD_ENDPOINT_CART_CONNECT_TIMEOUT=7s",
                          "TALLYD_ENDPOINT_CART_CONNECT_MAX_BODY=7",
                          "TALLYD_ENDPOINT_CART_COPY_PATH=$.p",
                          "TALLYD_ENDPOINT_CART_RESULT_TOTAL=sum(b)",
                          "TALLYD_ENDPOINT_CART_RESULT_LINES=count()",
                          NULL};
    struct config *c = load(list);
    ck_assert_msg(c != NULL, "%s", why);
    struct config_endpoint *e = config_find_endpoint(c, "cart");
    ck_assert_int_eq(e->connect_timeout, INT64_C(7000000000));
    ck_assert_int_eq(config_find_endpoint(c, "cart_connect")->max_body, 7);
    ck_assert_str_eq(config_find_member(e, true, "path")->text, "$.p");
    ck_assert_str_eq(config_find_member(e, false, "Total")->text, "sum(b)");
    ck_assert_str_eq(config_find_member(e, false, "lines")->text, "count()");
    ck_assert_uint_eq(c->endpoint_count, 5);
    config_free(&c);
}
END_TEST

START_TEST(two_that_fit_are_named)
{
    refused("TALLYD_ENDPOINT_X_Y_PATH=/z",
            "[endpoint x.y] path and [endpoint x_y] path");
    refused("TALLYD_ENDPOINT_A_B_RESULT_FILE=/z",
            "[endpoint a-b] result in a file and [endpoint a-b] result.file");
    const char *twins[] = {"TALLYD_POOL_WORKERS=1", "TALLYD_Pool_Workers=2",
                           NULL};
    ck_assert_ptr_null(load(twins));
    ck_assert_str_eq(why, "TALLYD_Pool_Workers: is the same setting as "
                          "TALLYD_POOL_WORKERS, [pool] workers");
}
END_TEST

START_TEST(an_endpoint_of_the_environment_has_a_path)
{
    const char *list[] = {"TALLYD_ENDPOINT_NEW_ONE_COPY_SHOP_PATH=$.x",
                          "TALLYD_ENDPOINT_NEW_ONE_PATH=/new",
                          "TALLYD_ENDPOINT_NEW_ONE_DOWNSTREAM=http://h/", NULL};
    struct config *c = load(list);
    ck_assert_msg(c != NULL, "%s", why);
    struct config_endpoint *e = config_find_endpoint(c, "new_one");
    ck_assert_uint_eq(c->endpoint_count, 6);
    ck_assert_str_eq(e->path, "/new");
    ck_assert_int_eq(e->reply, CONFIG_reply_ok);
    ck_assert_str_eq(config_find_member(e, true, "shop_path")->text, "$.x");
    config_free(&c);
    refused("TALLYD_ENDPOINT_NEW_ONE_DOWNSTREAM=http://h/",
            "needs TALLYD_ENDPOINT_NAME_PATH");
    refused("TALLYD_ENDPOINT_"
            "N23456789012345678901234567890123_PATH=/x",
            "is no setting");
}
END_TEST

START_TEST(the_name_of_an_endpoint_is_bounded)
{
    enum { LONGEST = CONFIG_ENDPOINT_NAME_MAX };
    char text[300], beside[300];
    const char *list[] = {text, beside, NULL};
    snprintf(beside, sizeof beside, "TALLYD_ENDPOINT_%0*d_PATH=/beside",
             LONGEST, 2);
    for (int more = 0; more < 100; more += 33) {
        snprintf(text, sizeof text, "TALLYD_ENDPOINT_%0*d_PATH=/new",
                 LONGEST + more, 1);
        struct config *c = load(list);
        ck_assert_msg((c != NULL) == (more == 0), "%s: %s", text, why);
        config_free(&c);
    }
}
END_TEST

START_TEST(so_is_the_number_of_endpoints)
{
    enum { MANY = 3 * CONFIG_ENDPOINTS_MAX };
    static char texts[MANY][64];
    const char *list[MANY + 1] = {NULL};
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "TALLYD_ENDPOINT_N%03d_PATH=/%d", i,
                 i);
        list[i] = texts[i];
    }
    ck_assert_ptr_null(load(list));
    ck_assert_msg(strncmp(why, "TALLYD_ENDPOINT_N", 17) == 0, "%s", why);
}
END_TEST

START_TEST(a_setting_may_be_in_a_file)
{
    char path[] = "/tmp/tallyd-test-variable.XXXXXX", text[80];
    const char *list[] = {text, NULL};
    temp_file_make(path);
    snprintf(text, sizeof text, "TALLYD_POOL_WORKERS_FILE=%s", path);
    temp_file_write(path, "7 \n", 3);
    struct config *c = load(list);
    ck_assert_msg(c != NULL, "%s", why);
    ck_assert_int_eq(c->pool.workers, 7);
    config_free(&c);
    temp_file_write(path, "7 \nx\n", 5);
    refused(text, "more than one line");
    unlink(path);
    refused(text, "No such file");
}
END_TEST

START_TEST(what_is_no_setting_gets_the_nearest_name)
{
    refused("TALLYD_POOL_WORKER=1", "did you mean TALLYD_POOL_WORKERS?");
    refused("TALLYD_WORKERS=1", "did you mean TALLYD_POOL_WORKERS?");
    refused("TALLYD_POOLS_WORKERS=1", "did you mean TALLYD_POOL_WORKERS?");
    refused("TALLYD_SHADOW_URLS=1", "did you mean TALLYD_SHADOW_URL?");
    refused("TALLYD_ENDPOINT_CART_CONECT_TIMEOUT=1s",
            "did you mean TALLYD_ENDPOINT_CART_CONNECT_TIMEOUT?");
    refused("TALLYD_ENDPOINT_A_B_PAHT=/", "TALLYD_ENDPOINT_A_B_PATH?");
    refused("TALLYD_NOTHING_LIKE_IT=1", "there are TALLYD_POOL_KEY,");
    refused("TALLYD_=1", "is no setting");
    refused("TALLYD_POOL_=1", "is no setting");
    refused("TALLYD_ENDPOINT_=1", "is no setting");
    refused("TALLYD_POOL_WORKERS=x",
            "[pool] workers = x: must be auto, or a whole number, 0..1024");
    refused("TALLYD_ENDPOINT_CART_ARRAY=\xff", "is not UTF-8");
}
END_TEST

START_TEST(variables_of_services_are_no_settings)
{
    const char *links[] = {"TALLYD_SERVICE_HOST=10.96.0.7",
                           "TALLYD_SERVICE_PORT=9000",
                           "TALLYD_SERVICE_PORT_FASTCGI=9000",
                           "TALLYD_PORT=tcp://10.96.0.7:9000",
                           "TALLYD_PORT_9000_TCP=tcp://10.96.0.7:9000",
                           "TALLYD_PORT_9000_TCP_PROTO=tcp",
                           "TALLYD_PORT_9000_TCP_PORT=9000",
                           "TALLYD_PORT_9000_TCP_ADDR=fd00::7",
                           "TALLYD_CANARY_SERVICE_HOST=10.96.0.8",
                           "TALLYD_SHADOW_SERVICE_PORT=80",
                           "TALLYD_POOL_PORT=udp://10.96.0.8:1",
                           "TALLYD_ENDPOINT_CART_COPY_SERVICE_HOST=10.0.0.1",
                           NULL};
    struct config *c = load(links);
    ck_assert_msg(c != NULL, "%s", why);
    ck_assert_uint_eq(c->links, 12);
    config_free(&c);
    refused("TALLYD_SERVICE_HOST=a host", "is no setting");
    refused("TALLYD_PORT=9000", "is no setting");
    refused("TALLYD_PORT_X_TCP=tcp://h:1", "is no setting");
    refused("TALLYD_PORT_9000_TCP_SIZE=1", "is no setting");
}
END_TEST

START_TEST(where_a_value_is_from_is_printed)
{
    char *text;
    const char *list[] = {"TALLYD_POOL_WORKERS=3", NULL};
    const char *const options[] = {"pool.backlog=7"};
    size_t n;
    struct config_environment e;
    struct buf out;
    buf_init(&out, why, sizeof why);
    ck_assert(config_environment_take(&e, list, &out));
    FILE *in = fmemopen((void *)(uintptr_t)file, sizeof file - 1, "r");
    struct config *c = config_load_from(in, "FILE", &e, options, 1, why);
    fclose(in);
    config_environment_free(&e);
    FILE *printed = open_memstream(&text, &n);
    config_print(c, "FILE", printed);
    fclose(printed);
    config_free(&c);
    ck_assert_ptr_nonnull(
        strstr(text, "\n; TALLYD_POOL_WORKERS\nworkers = 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n; -s\nbacklog = 7\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n; FILE:5\npath = /connect\n"));
    ck_assert_ptr_nonnull(strstr(text, "\n; FILE:3\nresult.Total = sum(a)\n"));
    ck_assert_ptr_null(strstr(text, "\nnice = 0\n;"));
    ck_assert_ptr_null(strstr(text, ";\nnice"));
    free(text);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {each_section_has_its_variables,
                                  the_longest_key_wins,
                                  two_that_fit_are_named,
                                  an_endpoint_of_the_environment_has_a_path,
                                  the_name_of_an_endpoint_is_bounded,
                                  so_is_the_number_of_endpoints,
                                  a_setting_may_be_in_a_file,
                                  what_is_no_setting_gets_the_nearest_name,
                                  variables_of_services_are_no_settings,
                                  where_a_value_is_from_is_printed};
    return UNIT_MAIN("config_variable", tests);
}
