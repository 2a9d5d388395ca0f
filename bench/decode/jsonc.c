/* json-c alone, as a handler would use it: no check in front of it. */
#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool decode_jsonc(const char *bytes, size_t n, int64_t *sum);

bool decode_jsonc(const char *bytes, size_t n, int64_t *sum)
{
    static struct json_tokener *tokener;
    struct json_object *items;
    int64_t total = 0;
    if (tokener == NULL)
        tokener = json_tokener_new();
    json_tokener_reset(tokener);
    struct json_object *root = json_tokener_parse_ex(tokener, bytes, (int)n);
    bool ok = json_object_object_get_ex(root, "items", &items);
    for (size_t i = 0; ok && i < json_object_array_length(items); i++) {
        struct json_object *value;
        ok = json_object_object_get_ex(json_object_array_get_idx(items, i),
                                       "value", &value);
        if (ok)
            total += json_object_get_int64(value) * 2;
    }
    json_object_put(root);
    *sum = total;
    return ok;
}
