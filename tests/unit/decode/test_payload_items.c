/* payload: items of every form, one behind another in every order, among plain
 * ones: those are gone over in one go until one comes that is not. */
#include "bodies.h"

static const char *const items[] = {
    "{\"value\":1}",
    "{\"id\":1,\"value\":-2}",
    "{\"value\":12345678}",
    "{\"value\":-1234567}",
    "{\"value\":123456789012345678}",
    "{\"value\":99999999999999999999}",
    "{\"value\":0.0625}",
    "{\"value\":-1e2}",
    "{\"value\":12.3456789012345678e-3}",
    "{\"value\":2,\"value\":3}",
    "{\"value\":2,\"value\":\"3\"}",
    "{\"v\\u0061lue\":4}",
    "{\"x\":\"\\\"value\",\"value\":4}",
    "{\"x\":{\"value\":9},\"value\":5}",
    "{\"value\":5,\"x\":[{\"value\":9}]}",
    "{\"items\":6,\"value\":7}",
    "{\"vague\":6,\"value\":7}",
    "{\"v\":\"v\",\"value\":7}",
    " {\"value\": 8} ",
    "{\"value\":8 }",
    "{\"value\" :8}",
    "{\"value\":\"value\"}",
    "{\"value\":null}",
    "{\"value\":{}}",
    "{\"value\":[1]}",
    "{\"x\":\"value\"}",
    "{\"valve\":1}",
    "{}",
    "[{\"value\":1}]",
    "7",
    "\"value\"",
    "\"\"",
    "          \"\"          ",
    "\n\t\r         7  \n",
    "\n\t\r         -0  \n          ",
    "\n\t\r         {\"value\": 8}  \n          ",
    "           null",
};
#define ITEMS (sizeof items / sizeof items[0])

/* `n` items, each of those at `which`, and plain ones around them. */
static void build(struct body *b, const size_t *which, size_t n)
{
    b->n = 0;
    body_text(b, "{\"items\":[{\"value\":31}");
    for (size_t i = 0; i < n; i++) {
        body_text(b, ",");
        body_text(b, items[which[i]]);
    }
    body_text(b, ",{\"value\":41},{\"value\":59}");
}

static void check(const struct bodies *s, struct body *b, const char *tail)
{
    size_t n = b->n;
    body_text(b, tail);
    EXPECT(bodies_check(s, b, 1 + bodies_below((uint32_t)b->n - 1), 0));
    b->n = n;
}

START_TEST(any_two_items_stand_side_by_side)
{
    struct bodies s;
    struct body b;
    bodies_open(&s, 16);
    for (size_t i = 0; i < ITEMS * ITEMS; i++) {
        const size_t which[] = {i / ITEMS, i % ITEMS};
        build(&b, which, 2);
        check(&s, &b, "]}");
        check(&s, &b, ",7]}");
        check(&s, &b, "],\"x\":\"far from the end of what can be read\"}");
    }
    bodies_close(&s);
}
END_TEST

START_TEST(any_item_may_be_the_last_or_the_only_one)
{
    struct bodies s;
    struct body b;
    bodies_open(&s, 16);
    for (size_t i = 0; i < ITEMS; i++)
        for (size_t before = 0; before < 70; before++) {
            b.n = 0;
            body_text(&b, "{\"items\":[");
            for (size_t k = 0; k < before; k++)
                body_text(&b, "{\"value\":3},");
            body_text(&b, items[i]);
            check(&s, &b, "]}");
        }
    bodies_close(&s);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {any_two_items_stand_side_by_side,
                                  any_item_may_be_the_last_or_the_only_one};
    return UNIT_MAIN("payload_items", tests);
}
