/* The filters of the JSONPath compliance suite, each with the number of items
 * that it selects, and those that are no filters. Skipped where they are not
 * there: they are no part of the tree. */
#include <stdlib.h>
#include <string.h>

#include "decode/document.h"
#include "decode/json.h"
#include "queries.h"
#include "query/text.h"

#define CASES "../shared/data/jsonpath-filters.json"

static struct document *document;
static const struct json_value *root;

/* The cases lie beside the root of the project. */
static FILE *open_cases(void)
{
    char path[4096];
    const char *top = getenv("srcdir");
    snprintf(path, sizeof path, "%s/%s", top == NULL ? "." : top, CASES);
    return fopen(path, "r");
}

static bool read_cases(void)
{
    char bytes[4096];
    size_t n;
    struct fault fault;
    FILE *file = open_cases();
    if (file == NULL)
        return false;
    document = document_new(SCAN_DEPTH_MAX, true);
    document_begin(document);
    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
        ck_assert(document_feed(document, (uint8_t *)bytes, n, &fault));
    fclose(file);
    ck_assert(document_finish(document, &root, &fault));
    return true;
}

static const struct json_value *member(const struct json_value *v,
                                       const char *name)
{
    const struct program_name n = {name, strlen(name)};
    const struct json_value *found = document_member(v, &n);
    ck_assert_msg(found != NULL, "no %s", name);
    return found;
}

/* The characters of a string, to be freed. */
static char *characters(const struct json_value *v)
{
    const char *text;
    size_t n;
    document_value(document, v, &text, &n);
    char *out = calloc(n + 1, 1);
    text_decode(text, n, out);
    return out;
}

START_TEST(the_filters_select_what_they_should)
{
    if (!read_cases())
        return;
    const struct json_value *cases = member(root, "selected");
    ck_assert_uint_ge(document_length(document, cases), 180);
    for (size_t i = 0; i < document_length(document, cases); i++) {
        const struct json_value *c = document_element(cases, i);
        const char *body, *count;
        size_t n, count_n;
        struct program p;
        char wanted[64], *where = characters(member(c, "where"));
        const struct query_case q = {.where = where, .members = "n = count()"};
        document_value(document, member(c, "document"), &body, &n);
        document_value(document, member(c, "count"), &count, &count_n);
        snprintf(wanted, sizeof wanted, "{\"n\":%.*s}", (int)count_n, count);
        queries_compile(&p, &q);
        const char *answer = queries_answer(&p, body, n, n / 2);
        ck_assert_msg(strcmp(answer, wanted) == 0, "%s of %.*s gives %s", where,
                      (int)n, body, answer);
        program_free(&p);
        free(where);
    }
    document_free(&document);
}
END_TEST

START_TEST(what_is_no_filter_is_refused)
{
    if (!read_cases())
        return;
    const struct json_value *cases = member(root, "refused");
    ck_assert_uint_ge(document_length(document, cases), 32);
    for (size_t i = 0; i < document_length(document, cases); i++) {
        struct program p;
        struct query_error error;
        char *where = characters(member(document_element(cases, i), "where"));
        const struct query_settings s = {
            .array = "$", .where = where, .field = "value", .result = "sum"};
        ck_assert_msg(!query_compile(&p, &s, &error), "%s is taken", where);
        ck_assert_uint_gt(error.column, 0);
        free(where);
    }
    document_free(&document);
}
END_TEST

int main(void)
{
    FILE *file = open_cases();
    if (file == NULL) {
        puts("1..0 # SKIP there is no " CASES);
        return EXIT_SUCCESS;
    }
    fclose(file);
    const TTest *const tests[] = {the_filters_select_what_they_should,
                                  what_is_no_filter_is_refused};
    return UNIT_MAIN("standard", tests);
}
