// simdjson On-Demand doing the same sum; it needs padded memory and does not
// check what it steps over.
#include <cstdint>
#include <simdjson.h>

extern "C" bool decode_simdjson(const char *bytes, size_t n, size_t room,
                                int64_t *sum)
{
    static simdjson::ondemand::parser parser;
    simdjson::ondemand::document document;
    simdjson::padded_string_view view(bytes, n, room);
    if (parser.iterate(view).get(document))
        return false;
    int64_t total = 0;
    simdjson::ondemand::array items;
    if (document["items"].get(items))
        return false;
    for (auto item : items) {
        int64_t value;
        if (item["value"].get(value))
            return false;
        total += value * 2;
    }
    *sum = total;
    return true;
}

extern "C" size_t simdjson_padding()
{
    return simdjson::SIMDJSON_PADDING;
}
