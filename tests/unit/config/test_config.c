/* config: every kind of setting, and what is said of a wrong one. */
#include <stdio.h>

#include "base/clock.h"
#include "config/config_load.h"
#include "temp_file.h"

static char path[] = "/tmp/tallyd-test-config.XXXXXX";
static char why[CONFIG_ERROR_MAX];

static void write_file(const char *text, size_t n)
{
    temp_file_make(path);
    temp_file_write(path, text, n);
}

static struct config *load(const char *text)
{
    write_file(text, strlen(text));
    struct config *c = config_load(path, NULL, NULL, 0, why);
    unlink(path);
    return c;
}

/* The file is refused, and every one of the words is said. */
static void refused(const char *text, const char *one, const char *two)
{
    struct config *c = load(text);
    ck_assert_msg(c == NULL, "taken: %s", text);
    ck_assert_msg(strstr(why, one) != NULL && strstr(why, two) != NULL,
                  "\"%s\" and \"%s\" are not in: %s", one, two, why);
    ck_assert_msg(strncmp(why, path, strlen(path)) == 0, "no file: %s", why);
}

START_TEST(an_empty_file_is_the_defaults)
{
    struct config *c = load("");
    ck_assert_msg(c != NULL, "%s", why);
    ck_assert_int_eq(c->pool.workers, CONFIG_AUTO);
    ck_assert_uint_eq(c->endpoint_count, 1);
    ck_assert_str_eq(c->endpoints[0]->array, "items");
    ck_assert_int_eq(c->endpoints[0]->reply, CONFIG_reply_sum);
    config_free(&c);
}
END_TEST

START_TEST(every_type_is_read)
{
    struct config *c = load("; a comment\n"
                            "[pool]\n"
                            "listen = [::1]:9000\n"
                            "workers=0\n"
                            "socket_mode = 0600\n"
                            "log_level = debug\n"
                            "drain_timeout = 2m\n"
                            "write_timeout = 250ms ; said\n"
                            "[endpoint a]\n"
                            "path = /a\n"
                            "downstream = https://host/x\n"
                            "max_body = 64k\n"
                            "verify = 0.015\n"
                            "[endpoint b]\n"
                            "path = /b/\n"
                            "multiply = -3\n");
    ck_assert_msg(c != NULL, "%s", why);
    ck_assert_str_eq(c->pool.listen, "[::1]:9000");
    ck_assert_int_eq(c->pool.workers, 0);
    ck_assert_int_eq(c->pool.socket_mode, 0600);
    ck_assert_int_eq(c->pool.drain_timeout, 120 * CLOCK_SECOND);
    ck_assert_int_eq(c->pool.write_timeout, 250 * CLOCK_MS);
    ck_assert_uint_eq(c->endpoint_count, 2);
    ck_assert_int_eq(c->endpoints[0]->max_body, 65536);
    ck_assert_int_eq(c->endpoints[0]->verify, 15000);
    ck_assert_int_eq(c->endpoints[0]->reply, CONFIG_reply_ok);
    ck_assert_int_eq(c->endpoints[1]->multiply, -3);
    config_free(&c);
}
END_TEST

/* What is printed, without the comments that say where each value is from. */
static char *printed(const struct config *c)
{
    char *text;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    config_print(c, path, out);
    fclose(out);
    char *to = text;
    for (char *line = text, *end; *line != '\0'; line = end) {
        end = strchrnul(line, '\n');
        end += *end != '\0';
        if (strncmp(line, "; ", 2) == 0)
            continue;
        memmove(to, line, (size_t)(end - line));
        to += end - line;
    }
    *to = '\0';
    return text;
}

START_TEST(what_is_printed_reads_back_the_same)
{
    char *texts[2];
    struct config *c = load("[pool]\nworkers = 3\nkeepalive_idle = 90s\n"
                            "[endpoint x]\nverify = 0.5\npath = /x\n");
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(c != NULL, "%s", why);
        texts[i] = printed(c);
        config_free(&c);
        c = i == 0 ? load(texts[0]) : NULL;
    }
    ck_assert_str_eq(texts[0], texts[1]);
    ck_assert_ptr_nonnull(strstr(texts[0], "\nworkers = 3\n"));
    ck_assert_ptr_nonnull(strstr(texts[0], "\nkeepalive_idle = 90s\n"));
    ck_assert_ptr_nonnull(strstr(texts[0], "\nverify = 0.5\n"));
    ck_assert_ptr_nonnull(strstr(texts[0], "\npath = /x\n"));
    ck_assert_ptr_nonnull(strstr(texts[0], "\n\n[endpoint x]\n"));
    ck_assert_ptr_nonnull(strstr(texts[0], "\n\n[shadow]\n"));
    free(texts[0]);
    free(texts[1]);
}
END_TEST

START_TEST(unknown_keys_get_the_nearest_name)
{
    refused("[pool]\n\nworker = 3\n", ":3: ", "did you mean workers?");
    refused("[endpoint a]\ndownstram = x\n", ":2: ", "downstream");
    refused("[pool]\nqqqqqqqqqqqq = 1\n", ":2: ", "no such key");
    refused("[endpoint a]\nworkers = 1\n",
            ":2: ", "no such key here; it is one of [pool]");
    refused("[pool]\nmultiply = 1\n",
            ":2: ", "no such key here; it is one of [endpoint NAME]");
}
END_TEST

START_TEST(wrong_values_are_told_with_what_would_be_right)
{
    refused("[pool]\nworkers = many\n", "workers = many", "a whole number");
    refused("[pool]\nworkers = -1\n", ":2: ", "0..1024");
    refused("[pool]\nworkers = 1025\n", ":2: ", "0..1024");
    refused("[pool]\nworkers = 99999999999999999999\n", ":2: ", "number");
    refused("[pool]\ndrain_timeout = 5\n", ":2: ", "a time such as");
    refused("[pool]\ndrain_timeout = 5 s\n", ":2: ", "a time such as");
    refused("[pool]\nsocket_mode = 0888\n", ":2: ", "octal");
    refused("[pool]\nlog_level = loud\n", ":2: ", "error|warn|info|debug");
    refused("[pool]\nlisten = localhost:1\n", ":2: ", "127.0.0.1:9000");
    refused("[pool]\npid_file = x\n", ":2: ", "absolute path");
    refused("[endpoint a]\nmax_body = 1x\n", ":2: ", "a size such as");
    refused("[endpoint a]\nverify = 1.5\n", ":2: ", "0..1");
    refused("[endpoint a]\nverify = half\n", ":2: ", "a share such as");
    refused("[endpoint a]\npath = a\n", ":2: ", "must start with /");
    refused("[endpoint a]\narray =\n", ":2: ", "1 to 4096 bytes");
    refused("[endpoint a]\ndownstream = ftp://h/\n", ":2: ", "http://host");
}
END_TEST

START_TEST(wrong_sections_are_told)
{
    refused("workers = 3\n", ":1: ", "before the first [section]");
    refused("[pools]\n", ":1: ", "[pool], [endpoint NAME]");
    refused("[pool\n", ":1: ", "without its ]");
    refused("[pool]\n[pool]\n", ":2: ", "there twice");
    refused("[shadow]\n[shadow]\n", ":2: ", "there twice");
    refused("[shadow]\nurls = x\n", ":2: ", "did you mean url?");
    refused("[endpoint a]\n[endpoint a]\n", ":2: ", "there twice");
    refused("[endpoint a b]\n", ":1: ", "the name must have");
    refused("[pool]\nworkers = 1\nworkers = 2\n", ":3: ", "there twice");
    refused("[pool]\nworkers\n", ":2: ", "key = value");
    refused("[pool]\n workers = 1\n", ":2: ", "white space");
}
END_TEST

START_TEST(sections_that_contradict_themselves_are_told)
{
    refused("[pool]\n[endpoint a]\npath = /x\n[endpoint b]\npath = /x\n",
            ":4: ", "[endpoint a] has the same path");
    refused("[endpoint a]\ndownstream_socket = /s\n",
            ":1: ", "needs downstream");
    refused("[endpoint a]\ndownstream = http://h/\ndownstream_cert = /c\n",
            ":1: ", "give both or none");
    refused("[endpoint a]\ndownstream = http://h/\ndownstream_http = 2\n",
            ":1: ", "for http:// write 2-prior-knowledge");
    refused("[shadow]\nurl = http://h/\n[pool]\nworkers = 0\n",
            ":1: ", "needs a supervisor");
    refused("[shadow]\nresult_file = /r\n[pool]\nworkers = 0\n",
            ":1: ", "needs a supervisor");
    refused("[shadow]\nsample_file = /s\n", ":1: ", "needs url");
    refused("[pool]\nworkers = 0\nprocess_model = ondemand\n",
            ": [pool] process_model: ", "needs a supervisor");
    refused("[pool]\nworkers = 0\nstatus_listen = 127.0.0.1:1\n",
            ": [pool] status_listen: ", "needs a supervisor");
    refused("[pool]\nworkers = 0\ncpu_affinity = auto\n",
            ": [pool] cpu_affinity: ", "needs a supervisor");
    refused("[pool]\nworkers = 2\nprocess_model = dynamic\nspare_workers = 3\n",
            ": [pool] min_workers and spare_workers: ", "at most workers");
    refused("[pool]\nworkers = 2\nprocess_model = dynamic\nmin_workers = 3\n",
            ": [pool] min_workers and spare_workers: ", "at most workers");
    refused("[pool]\ngroup = g\n", ": [pool] group: ", "needs user");
    refused("[pool]\nlog_to = stderr\nlog_socket = /\n", ": [pool] ",
            "log_socket: for syslog and the journal only");
    refused("[pool]\nlog_file = /l\nlog_socket = /s\n", ": [pool] ",
            "log_socket: for syslog and the journal only");
    refused("[pool]\nlog_to = syslog\nlog_file = /\n", ": [pool] ",
            "log_file: for log_to = auto only");
    refused("[pool]\nslow_log = /\n",
            ": [pool] slow_log: ", "without slow_threshold");
    refused("[shadow]\nurl = http://h/?x\n", ":1: ", "leave ? and # out");
    refused("[shadow]\nqueue = 4096\nmax_body = 2m\n", ":1: ", "more than 4g");
}
END_TEST

START_TEST(what_goes_together_is_taken)
{
    static const char *const good[] = {
        "[endpoint a]\ndownstream = https://h/\ndownstream_http = 2\n",
        "[pool]\nworkers = 1\nprocess_model = ondemand\n",
        "[pool]\nworkers = 1\nstatus_listen = 127.0.0.1:1\n",
        "[pool]\nworkers = 1\ncpu_affinity = auto\n",
        "[pool]\nworkers = 3\nprocess_model = dynamic\nmin_workers = 3\n",
        "[pool]\nworkers = 0\nspare_workers = 3\n",
        "[pool]\nuser = u\ngroup = g\n",
        "[pool]\nlog_to = syslog\nlog_socket = /s\n",
        "[pool]\nlog_to = journal\nlog_socket = /s\n",
        "[pool]\nlog_file = /l\n",
        "[pool]\nslow_log = /l\nslow_threshold = 1s\n"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct config *c = load(good[i]);
        ck_assert_msg(c != NULL, "%s: %s", good[i], why);
        config_free(&c);
    }
}
END_TEST

START_TEST(hostile_files_are_refused)
{
    char line[4099];
    memset(line, 'x', sizeof line);
    line[4098] = '\0';
    refused(line, ":1: ", "longer than");
    write_file("[pool]\nworkers\0 = 3\n", 20);
    ck_assert_ptr_null(config_load(path, NULL, NULL, 0, why));
    unlink(path);
    ck_assert_ptr_null(config_load("/none/such.conf", NULL, NULL, 0, why));
    ck_assert_ptr_nonnull(strstr(why, "/none/such.conf"));
    ck_assert_ptr_null(config_load("/tmp", NULL, NULL, 0, why));
    ck_assert_ptr_nonnull(strstr(why, "/tmp"));
}
END_TEST

START_TEST(overrides_come_last)
{
    const char *const good[] = {"pool.workers=5", "pool.workers=6",
                                "endpoint new.path=/new"};
    struct config *c = config_load(NULL, NULL, good, 3, why);
    ck_assert_msg(c != NULL, "%s", why);
    ck_assert_int_eq(c->pool.workers, 6);
    ck_assert_str_eq(c->endpoints[0]->path, "/new");
    config_free(&c);
    static const char *const bad[] = {
        "workers=5",     "pool.workers",      "pool.=5",       ".workers=5",
        "pool.worker=5", "nothing.workers=5", "pool.workers=x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(config_load(NULL, NULL, &bad[i], 1, why) == NULL, "%s",
                      bad[i]);
        ck_assert_int_eq(strncmp(why, "-s ", 3), 0);
    }
    /* Members have points before their names in endpoints alone. */
    static const char *const other = "pool.result.a.b=5";
    ck_assert_ptr_null(config_load(NULL, NULL, &other, 1, why));
    ck_assert_msg(strstr(why, "[pool.result.a]") != NULL, "%s", why);
}
END_TEST

#define CART                                                                   \
    "[endpoint cart]\n"                                                        \
    "array = $.order.lines\n"                                                  \
    "where = @.status == 'pa ;id' && @['#'] > 0 ; a comment\n"                 \
    "result.total = sum(@.price * @.quantity)\n"                               \
    "copy.id = $.order.id\n"                                                   \
    "result.lines = count()\n"

START_TEST(queries_are_kept_in_the_order_of_the_file)
{
    struct config *c = load(CART);
    ck_assert_msg(c != NULL, "%s", why);
    const struct config_endpoint *e = c->endpoints[0];
    ck_assert_str_eq(e->where, "@.status == 'pa ;id' && @['#'] > 0");
    ck_assert_uint_eq(e->member_count, 3);
    ck_assert_str_eq(e->members[0].name, "total");
    ck_assert_str_eq(e->members[0].text, "sum(@.price * @.quantity)");
    ck_assert(e->members[1].copy && !e->members[2].copy);
    ck_assert(!config_is_plain(e));
    config_free(&c);
}
END_TEST

START_TEST(queries_are_printed_and_read_back)
{
    char *texts[2];
    struct config *c = load(CART);
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(c != NULL, "%s", why);
        texts[i] = printed(c);
        config_free(&c);
        c = i == 0 ? load(texts[0]) : NULL;
    }
    ck_assert_str_eq(texts[0], texts[1]);
    ck_assert_ptr_nonnull(strstr(texts[0], "\nresult.lines = count()\n"));
    free(texts[0]);
    free(texts[1]);
}
END_TEST

START_TEST(a_comment_begins_where_it_did_before)
{
    struct config *c = load("[endpoint a]\n"
                            "field = it's ; a comment\n"
                            "array = a;b ; c\n"
                            "result: #1\n"
                            "multiply = 3 ;three\n"
                            "downstream = ; none\n"
                            "path = /a#none;\n");
    ck_assert_msg(c != NULL, "%s", why);
    ck_assert_str_eq(c->endpoints[0]->field, "it's");
    ck_assert_str_eq(c->endpoints[0]->array, "a;b");
    ck_assert_str_eq(c->endpoints[0]->result, "#1");
    ck_assert_int_eq(c->endpoints[0]->multiply, 3);
    ck_assert_str_eq(c->endpoints[0]->downstream, "");
    ck_assert_str_eq(c->endpoints[0]->path, "/a#none;");
    config_free(&c);
    refused("[endpoint a]\narray = a;b ;c\n", ":2: ", "begins a comment");
    refused("[endpoint a]\npath = /a # none\n", ":2: ", "and not with #");
    refused("[endpoint a] path = /a\n", ":1: ", "text behind the ]");
    refused("[endpoint a]\npath = /\xe9\n", ":2: ", "path = /?: is not UTF-8");
}
END_TEST

START_TEST(a_list_by_its_name_alone_is_plain)
{
    static const struct {
        const char *text, *list;
    } rows[] = {{"items", "items"},     {"$.items", "items"},
                {"$['a.b']", "a.b"},    {"my-items", "my-items"},
                {"a.b", NULL},          {"$", NULL},
                {"$.a.b", NULL},        {"$['']", NULL},
                {"$['\\u0000']", NULL}, {"$.a[*].b", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[80];
        snprintf(text, sizeof text, "[endpoint a]\narray = %s\n", rows[i].text);
        struct config *c = load(text);
        ck_assert_msg(c != NULL, "%s", why);
        const char *list = c->endpoints[0]->list;
        ck_assert_msg(rows[i].list == NULL
                          ? list == NULL
                          : list != NULL && !strcmp(list, rows[i].list),
                      "%s", rows[i].text);
        config_free(&c);
    }
}
END_TEST

START_TEST(mistakes_in_queries_are_told_with_line_and_column)
{
    refused("[endpoint a]\n\nwhere = @.a = 1\n",
            ":3: ", "[endpoint a] where, column 5: = compares nothing");
    refused("[endpoint a]\nresult.n = cont()\n", ":2: ",
            "result.n, column 1: cont(): no such function; did you "
            "mean count?");
    refused("[endpoint a]\ncopy.id = @.id\n", ":2: ", "copy.id, column 1: ");
    refused("[endpoint a]\narray = $.a[0]\n",
            ":2: ", "array, column 5: indexes are not supported");
    refused("[endpoint a]\nresult.m = mean(a)\nnumbers = int64\n",
            ":2: ", "mean needs numbers = double");
    refused("[endpoint a]\nreslt.n = count()\n",
            ":2: ", "did you mean result.n?");
    refused("[pool]\nresult.n = count()\n", ":2: ", "no such key");
    refused("[endpoint a]\nresult. = count()\n", ":2: ", "1 to 64 bytes");
    refused("[endpoint a]\nresult.n = count()\nresult.n = count()\n",
            ":3: ", "there twice");
    refused("[endpoint a]\nresult.n = count()\ncopy.n = $.n\n",
            ":3: ", "twice among results and copies");
    refused("[endpoint a]\nwhere = @.a == 'x ; y\n",
            ":2: ", "column 8: a string without its closing '");
}
END_TEST

START_TEST(one_form_or_the_other)
{
    refused("[endpoint a]\nformat = ndjson\narray = x\n",
            ":3: ", "each line is an item");
    refused("[endpoint a]\nformat = ndjson\ncopy.x = x\n",
            ":3: ", "no document to copy from");
    refused("[endpoint a]\nresult.n = count()\nfield = x\n",
            ":3: ", "field: is of the short form");
    refused("[endpoint a]\nmultiply = 3\nresult.n = count()\n",
            ":2: ", "there is result.n; use one form or the other");
    struct config *c = load("[endpoint a]\nfield = x\ncopy.n = $.n\n");
    ck_assert_msg(c != NULL, "%s", why);
    config_free(&c);
}
END_TEST

START_TEST(queries_are_overridden_by_name)
{
    const char *const good[] = {"endpoint cart.result.total=sum(b)",
                                "endpoint cart.result.total = sum(a)",
                                "endpoint cart.where=@.a == 'x=y'",
                                "endpoint cart.copy.a.b=$.a.b",
                                "endpoint x.copy.path=$.x",
                                "endpoint cart.path=/c"};
    struct config *c = config_load(NULL, NULL, good, 6, why);
    ck_assert_msg(c != NULL, "%s", why);
    const struct config_endpoint *e = c->endpoints[0];
    ck_assert_str_eq(e->name, "cart");
    ck_assert_str_eq(e->members[0].text, "sum(a)");
    ck_assert_str_eq(e->where, "@.a == 'x=y'");
    ck_assert_str_eq(e->members[1].name, "a.b");
    ck_assert_str_eq(c->endpoints[1]->name, "x");
    ck_assert_str_eq(c->endpoints[1]->members[0].name, "path");
    config_free(&c);
}
END_TEST

START_TEST(reply_result_is_reply_sum)
{
    struct config *c = load("[endpoint a]\nreply = result\n");
    ck_assert_msg(c != NULL, "%s", why);
    ck_assert_int_eq(c->endpoints[0]->reply, CONFIG_reply_sum);
    config_free(&c);
}
END_TEST

START_TEST(lines_have_up_to_4096_bytes)
{
    char text[4200] = "[endpoint a]\nwhere = @.a == '";
    size_t start = strlen("[endpoint a]\n");
    memset(text + strlen(text), 'x', 4096 - (strlen(text) - start) - 1);
    strcat(text, "'\n");
    struct config *c = load(text);
    ck_assert_msg(c != NULL, "%s", why);
    config_free(&c);
    memcpy(text + strlen(text) - 2, "x'\n", 4);
    refused(text, ":2: ", "longer than 4096 bytes");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        queries_are_kept_in_the_order_of_the_file,
        queries_are_printed_and_read_back,
        a_comment_begins_where_it_did_before,
        a_list_by_its_name_alone_is_plain,
        mistakes_in_queries_are_told_with_line_and_column,
        one_form_or_the_other,
        queries_are_overridden_by_name,
        reply_result_is_reply_sum,
        lines_have_up_to_4096_bytes,
        an_empty_file_is_the_defaults,
        every_type_is_read,
        what_is_printed_reads_back_the_same,
        unknown_keys_get_the_nearest_name,
        wrong_values_are_told_with_what_would_be_right,
        wrong_sections_are_told,
        sections_that_contradict_themselves_are_told,
        what_goes_together_is_taken,
        hostile_files_are_refused,
        overrides_come_last};
    return UNIT_MAIN("config", tests);
}
