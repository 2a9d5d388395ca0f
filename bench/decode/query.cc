// The query of peers.h by simdjson, both of its interfaces. On-Demand does not
// check what it steps over.
#include <simdjson.h>

#include "peers.h"

using namespace simdjson;

bool query_ondemand(const struct query *, const char *bytes, size_t n,
                    uint64_t *sum)
{
    static ondemand::parser parser;
    ondemand::document document;
    ondemand::array lines;
    padded_string_view view(bytes, n, n + SIMDJSON_PADDING);
    int64_t total = 0;
    if (parser.iterate(view).get(document) ||
        document["order"]["lines"].get_array().get(lines))
        return false;
    for (auto line : lines) {
        std::string_view status;
        int64_t amount, quantity;
        ondemand::object object;
        if (line.get_object().get(object) ||
            object["status"].get_string().get(status))
            return false;
        if (status != "paid")
            continue;
        if (object["price"]["amount"].get_int64().get(amount) ||
            object["quantity"].get_int64().get(quantity))
            return false;
        total += amount * quantity;
    }
    *sum = uint64_t(total);
    return true;
}

bool query_dom(const struct query *, const char *bytes, size_t n, uint64_t *sum)
{
    static dom::parser parser;
    dom::element root;
    dom::array lines;
    int64_t total = 0;
    if (parser.parse(bytes, n, false).get(root) ||
        root["order"]["lines"].get_array().get(lines))
        return false;
    for (auto line : lines) {
        std::string_view status;
        int64_t amount, quantity;
        if (line["status"].get_string().get(status))
            return false;
        if (status != "paid")
            continue;
        if (line["price"]["amount"].get_int64().get(amount) ||
            line["quantity"].get_int64().get(quantity))
            return false;
        total += amount * quantity;
    }
    *sum = uint64_t(total);
    return true;
}
