/* payload: of several members of a wanted name the last counts, at both levels,
 * in every order, and wherever the borders lie of what a decoder looks at in
 * one go. What is expected is worked out here from the parts. */
#include "bodies.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct reader readers[READERS_MAX];
static size_t reader_count;
static struct body b;

static void open_readers(void)
{
    const struct shape shape = {"items", "value", TALLY_INT64, 2, 16};
    reader_count = answers_open(readers, &shape, BODY_MAX);
}

static void close_readers(void)
{
    answers_close(readers, reader_count);
}

static void check(const char *answer, size_t cut)
{
    for (size_t i = 0; i < reader_count; i++) {
        answers_check_cut(&readers[i], b.bytes, b.n, answer, 0, b.n + 1);
        answers_check_cut(&readers[i], b.bytes, b.n, answer, cut, b.n + 1);
        if (b.n < 300)
            answers_check_cut(&readers[i], b.bytes, b.n, answer, 0, 1);
    }
}

/* Members that keep apart what stands before and behind them by `n` bytes. */
static void put_apart(size_t n, int how)
{
    if (n < 12)
        return;
    body_text(&b, how % 2 == 0 ? "\"pad\":\"" : "\"pad\":[");
    body_fill(&b, how % 2 == 0 ? 'x' : ' ', n - 9);
    body_text(&b, how % 2 == 0 ? "\"," : "],");
}

/* --- `value` in one item. --- */

static const struct part {
    const char *member;
    bool wanted; /* it is of the wanted name */
    int number;  /* -1: it is none */
} values[] = {
    {"\"value\":3", true, 3},
    {"\"value\":\"value\"", true, -1},
    {"\"value\":{\"value\":5}", true, -1},
    {"\"value\":[7,{\"value\":7}]", true, -1},
    {"\"v\\u0061lue\":11", true, 11},
    {"\"\\u0076alue\":false", true, -1},
    {"\"valu\":13", false, -1},
    {"\"x\":{\"value\":17,\"items\":[{\"value\":1}]}", false, -1},
    {"\"value\":123456789012345678", true, 0},
};
#define LARGE INT64_C(123456789012345678)

/* Three members of the item in the middle, `apart` bytes before each. */
static void check_values(const size_t chosen[3], const size_t apart[3], int how)
{
    int number = -1;
    bool large = false;
    char answer[80];
    b.n = 0;
    body_text(&b, "{\"items\":[{\"value\":100},{");
    for (size_t i = 0; i < 3; i++) {
        const struct part *v = &values[chosen[i]];
        put_apart(apart[i], how + (int)i);
        body_text(&b, v->member);
        body_text(&b, i < 2 ? "," : "},{\"value\":1000}]}");
        if (v->wanted) {
            number = v->number;
            large = chosen[i] == COUNT(values) - 1;
        }
    }
    if (number < 0)
        snprintf(answer, sizeof answer, "wrong_shape /items/1/value");
    else
        snprintf(answer, sizeof answer, "%lld",
                 2 * (1100 + (large ? (long long)LARGE : number)));
    check(answer, 1 + (size_t)how * 37 % (b.n - 1));
}

START_TEST(the_last_value_counts_in_every_order)
{
    int how = 0;
    for (size_t index = 0;
         index < COUNT(values) * COUNT(values) * COUNT(values); index++) {
        size_t chosen[3] = {index % COUNT(values),
                            index / COUNT(values) % COUNT(values),
                            index / COUNT(values) / COUNT(values)};
        const size_t none[3] = {0, 0, 0};
        check_values(chosen, none, how++);
        for (size_t border = 1024; border <= 8192; border *= 2)
            for (size_t near = 0; near < 3; near++) {
                size_t apart[3] = {0, 0, 0};
                apart[near] = border - 20 - (size_t)how * 7 % 90;
                check_values(chosen, apart, how++);
            }
    }
}
END_TEST

/* --- `items` in the document. --- */

static const struct part arrays[] = {
    {"\"items\":[{\"value\":3},{\"value\":4}]", true, 7},
    {"\"items\":[]", true, 0},
    {"\"items\":{\"items\":[{\"value\":5}]}", true, -1},
    {"\"items\":\"[{}]\"", true, -1},
    {"\"items\":7", true, -1},
    {"\"\\u0069tems\":[{\"x\":[],\"value\":9}]", true, 9},
    {"\"item\":[{\"value\":11}]", false, -1},
    {"\"x\":{\"items\":[{\"value\":13}]}", false, -1},
    {"\"items\":[{\"value\":1},{}]", true, -2},
    {"\"items\":[3,{}]", true, -3},
};

static void check_arrays(const size_t chosen[3], const size_t apart[3], int how)
{
    static const char *const wrong[] = {"wrong_shape /items",
                                        "wrong_shape /items/1/value",
                                        "wrong_shape /items/0"};
    int number = -1;
    char answer[80];
    b.n = 0;
    body_text(&b, "{");
    for (size_t i = 0; i < 3; i++) {
        const struct part *a = &arrays[chosen[i]];
        put_apart(apart[i], how + (int)i);
        body_text(&b, a->member);
        body_text(&b, i < 2 ? "," : "}");
        if (a->wanted)
            number = a->number;
    }
    if (number < 0)
        snprintf(answer, sizeof answer, "%s", wrong[-1 - number]);
    else
        snprintf(answer, sizeof answer, "%d", 2 * number);
    check(answer, 1 + (size_t)how * 37 % (b.n - 1));
}

START_TEST(the_last_array_counts_in_every_order)
{
    int how = 0;
    for (size_t index = 0;
         index < COUNT(arrays) * COUNT(arrays) * COUNT(arrays); index++) {
        size_t chosen[3] = {index % COUNT(arrays),
                            index / COUNT(arrays) % COUNT(arrays),
                            index / COUNT(arrays) / COUNT(arrays)};
        const size_t none[3] = {0, 0, 0};
        check_arrays(chosen, none, how++);
        for (size_t border = 1024; border <= 8192; border *= 2)
            for (size_t near = 0; near < 3; near++) {
                size_t apart[3] = {0, 0, 0};
                apart[near] = border - 8 - (size_t)how * 7 % 90;
                check_arrays(chosen, apart, how++);
            }
    }
}
END_TEST

/* --- Many of them, over several borders; both levels at once. --- */

/* An array; gives its sum, or -1 and in *wrong its first item without. */
static int64_t put_array(uint32_t items, uint32_t *wrong)
{
    int64_t sum = 0;
    bool right = true;
    body_text(&b, "[");
    for (uint32_t i = 0; i < items; i++) {
        int number = -1;
        body_text(&b, i == 0 ? "{" : ",{");
        for (uint32_t k = 1 + bodies_below(3); k > 0; k--) {
            const struct part *v =
                &values[bodies_below(8) == 0 ? bodies_below(COUNT(values) - 1)
                                             : 0];
            put_apart(bodies_below(6) == 0 ? 12 + bodies_below(150) : 0,
                      (int)bodies_below(2));
            body_text(&b, v->member);
            body_text(&b, ",");
            number = v->wanted ? v->number : number;
        }
        body_text(&b, "\"k\":null}");
        if (number < 0 && right)
            *wrong = i;
        right = right && number >= 0;
        sum += number;
    }
    body_text(&b, "]");
    return right ? sum : -1;
}

START_TEST(the_last_of_many_counts)
{
    for (int round = 0; round < 1500; round++) {
        int64_t sum = -1;
        uint32_t wrong = 0;
        char answer[80];
        b.n = 0;
        body_text(&b, "{");
        uint32_t all = 1 + bodies_below(4);
        for (uint32_t i = 0; i < all; i++) {
            put_apart(bodies_below(3) == 0 ? bodies_below(4200) : 0,
                      (int)bodies_below(2));
            body_text(&b, "\"items\":");
            sum = put_array(bodies_below(20), &wrong);
            body_text(&b, i + 1 < all ? "," : "}");
        }
        if (sum < 0)
            snprintf(answer, sizeof answer, "wrong_shape /items/%u/value",
                     wrong);
        else
            snprintf(answer, sizeof answer, "%lld", 2 * (long long)sum);
        check(answer, 1 + bodies_below((uint32_t)b.n - 1));
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_last_value_counts_in_every_order,
                                  the_last_array_counts_in_every_order,
                                  the_last_of_many_counts};
    return UNIT_RUN_WITH("payload_members", tests, open_readers, close_readers);
}
