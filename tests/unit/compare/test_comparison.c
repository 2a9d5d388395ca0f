/* comparison: counts, and what is made of them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "compare/comparison.h"
#include "unit.h"

static void add(struct comparison *c, enum parity_kind kind, int times,
                bool noise)
{
    const struct parity_verdict v = {.kind = kind};
    for (int i = 0; i < times; i++)
        comparison_add(c, &v, noise);
}

static struct comparison sample(void)
{
    struct comparison c = {.broken = 3,
                           .too_long = 4,
                           .answers = {5, 6},
                           .time = {7000000, 8000000},
                           .elapsed = INT64_C(2000000000)};
    add(&c, PARITY_equal, 90, false);
    add(&c, PARITY_coerced, 5, false);
    add(&c, PARITY_status, 2, false);
    add(&c, PARITY_reply_body, 3, true);
    add(&c, PARITY_unreached, 10, false);
    return c;
}

START_TEST(each_class_is_counted)
{
    struct comparison c = sample();
    ck_assert_uint_eq(c.cases, 110);
    ck_assert_uint_eq(comparison_judged(&c), 100);
    ck_assert_uint_eq(comparison_count(&c, PARITY_EQUAL), 90);
    ck_assert_uint_eq(comparison_count(&c, PARITY_CONTRACT), 5);
    ck_assert_uint_eq(comparison_count(&c, PARITY_MISMATCH), 2);
    ck_assert_uint_eq(comparison_count(&c, PARITY_UNJUDGED), 10);
    ck_assert_uint_eq(comparison_noise(&c), 3);
    ck_assert_double_eq_tol(comparison_rate(&c), 0.02, 1e-12);
    ck_assert_double_eq_tol(comparison_bound(&c), 0.0616, 1e-3);
}
END_TEST

START_TEST(of_nothing_nothing_is_known)
{
    struct comparison c = {0};
    ck_assert_double_eq(comparison_rate(&c), 0);
    ck_assert_double_eq(comparison_bound(&c), 1);
}
END_TEST

START_TEST(it_is_read_back_as_it_was)
{
    struct comparison c = sample(), back = {0};
    char *text, name[64];
    size_t n;
    FILE *out = open_memstream(&text, &n);
    comparison_save(&c, out);
    fclose(out);
    for (char *line = strtok(text, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        uint64_t value;
        ck_assert_int_eq(sscanf(line, "%63s %" SCNu64, name, &value), 2);
        ck_assert_msg(comparison_load(&back, name, value), "%s", line);
    }
    ck_assert_mem_eq(&c, &back, sizeof c);
    ck_assert(!comparison_load(&back, "nonsense", 1));
    ck_assert(!comparison_load(&back, "kind.nonsense", 1));
    ck_assert(!comparison_load(&back, "other.equal", 1));
    free(text);
}
END_TEST

static char *printed(void (*print)(const struct comparison *, FILE *),
                     const struct comparison *c)
{
    char *text;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    print(c, out);
    fclose(out);
    return text;
}

static void expect(char *text, const char *part)
{
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in\n%s", part, text);
}

START_TEST(the_summary_says_it)
{
    struct comparison c = sample();
    char *text = printed(comparison_print, &c);
    expect(text, "cases                110\n");
    expect(text, "broken 3, too long 4");
    expect(text, "equal                 90   90.0000 %");
    expect(text, "  coerced                     5");
    expect(text, "mismatches             2    2.0000 %");
    expect(text, "noise                  3");
    expect(text, "not judged            10");
    expect(text, "55 cases/s; ours 1.40 ms");
    expect(text, "2 mismatches to look into");
    free(text);
    text = printed(comparison_print_json, &c);
    expect(text, "\"cases\":110,\"judged\":100,\"equal\":90,\"contract\":5");
    expect(text, "\"kinds\":{\"equal\":90,\"status\":2,\"coerced\":5");
    expect(text, "\"noise_kinds\":{\"reply_body\":3}");
    expect(text, "\"rate\":0.02,");
    free(text);
}
END_TEST

START_TEST(the_verdict_is_in_words)
{
    struct comparison c = {0};
    char *text = printed(comparison_print, &c);
    expect(text, "nothing was compared");
    free(text);
    add(&c, PARITY_error_shape, 3, false);
    text = printed(comparison_print, &c);
    expect(text, "both refuse everything");
    free(text);
    c = (struct comparison){0};
    add(&c, PARITY_equal, 300, false);
    text = printed(comparison_print, &c);
    expect(text,
           "no mismatch; with 95 % confidence fewer than 1 in 101 differ");
    free(text);
    c.unproved = 2;
    text = printed(comparison_print, &c);
    expect(text, "no proof: both refuse every case of 2 files;");
    free(text);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_class_is_counted,     of_nothing_nothing_is_known,
        it_is_read_back_as_it_was, the_summary_says_it,
        the_verdict_is_in_words,
    };
    return UNIT_MAIN("comparison", tests);
}
