/* selftest: see selftest.h. */
#include "worker/selftest.h"

#include <inttypes.h>
#include <string.h>

/* Document, array, item. */
#define DEPTH 3

static const int values[] = {1, 20, -7, 28};

bool selftest_make(const struct endpoint *e, struct buf *body,
                   struct buf *wanted)
{
    const struct config_endpoint *c = e->config;
    int64_t sum = 0;
    if (!config_is_plain(c))
        return false;
    buf_str(body, "{\"a\\u006e\":null,");
    program_print_text(body, c->list, strlen(c->list));
    buf_str(body, ":[");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        /* The member that counts is the last: whatever its name is, it wins. */
        buf_printf(body, "%s{\"id\":\"no. %zu\", ", i == 0 ? "" : ",", i);
        program_print_text(body, c->field, strlen(c->field));
        buf_printf(body, ":%d}", values[i]);
        sum += values[i] * c->multiply;
    }
    buf_str(body, "]}");
    buf_add(wanted, e->opening, e->opening_len);
    buf_printf(wanted, "%" PRId64 "}", sum);
    return c->max_depth >= DEPTH && !body->overflow && !wanted->overflow;
}
