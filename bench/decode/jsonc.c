/* json-c alone, as a handler would use it: no check in front of it. */
#include <json-c/json.h>
#include <string.h>

#include "peers.h"

static bool add(struct json_object *items, const struct query *q, uint64_t *sum)
{
    uint64_t exact = 0;
    double approx = 0;
    size_t n = json_object_array_length(items);
    for (size_t i = 0; i < n; i++) {
        struct json_object *value;
        if (!json_object_object_get_ex(json_object_array_get_idx(items, i),
                                       q->field, &value))
            return false;
        if (q->doubles)
            approx = approx + json_object_get_double(value) * 2;
        else
            exact += (uint64_t)json_object_get_int64(value) * 2;
    }
    if (q->doubles)
        memcpy(&exact, &approx, sizeof exact);
    *sum = exact;
    return true;
}

bool decode_jsonc(const struct query *q, const char *bytes, size_t n,
                  uint64_t *sum)
{
    static struct json_tokener *tokener;
    struct json_object *items;
    if (tokener == NULL)
        tokener = json_tokener_new_ex(PEERS_DEPTH);
    json_tokener_reset(tokener);
    struct json_object *root = json_tokener_parse_ex(tokener, bytes, (int)n);
    bool ok = json_tokener_get_error(tokener) == json_tokener_success &&
              json_object_object_get_ex(root, q->array, &items) &&
              json_object_is_type(items, json_type_array) && add(items, q, sum);
    json_object_put(root);
    return ok;
}
