// simdjson, both of its interfaces. On-Demand does not check what it steps
// over; DOM checks all of the body and keeps all of it. Both want the body in
// padded memory.
#include <simdjson.h>

#include <cstring>

#include "peers.h"

using namespace simdjson;

// The sum of numbers that come one by one.
struct total {
    bool doubles;
    uint64_t exact = 0;
    double approx = 0;

    template <typename Value> bool add(Value &&value)
    {
        if (doubles) {
            double one;
            if (value.get_double().get(one))
                return false;
            approx = approx + one * 2;
            return true;
        }
        int64_t one;
        if (value.get_int64().get(one))
            return false;
        exact += uint64_t(one) * 2;
        return true;
    }

    uint64_t bits() const
    {
        uint64_t all = exact;
        if (doubles)
            std::memcpy(&all, &approx, sizeof all);
        return all;
    }
};

// On-Demand compares names as they are written. One with escapes is looked
// for when there is no other.
static simdjson_result<ondemand::value> search(ondemand::object &object,
                                               std::string_view name)
{
    for (auto field : object) {
        std::string_view found;
        SIMDJSON_TRY(field.unescaped_key().get(found));
        if (found == name)
            return field.value();
    }
    return NO_SUCH_FIELD;
}

static simdjson_result<ondemand::value> find(ondemand::object &object,
                                             std::string_view name)
{
    auto found = object[name];
    if (found.error() != NO_SUCH_FIELD)
        return found;
    SIMDJSON_TRY(object.reset().error());
    return search(object, name);
}

bool decode_ondemand(const struct query *q, const char *bytes, size_t n,
                     uint64_t *sum)
{
    static ondemand::parser parser;
    ondemand::document document;
    ondemand::object root, object;
    ondemand::array items;
    padded_string_view view(bytes, n, n + SIMDJSON_PADDING);
    const std::string_view array(q->array, q->array_n);
    const std::string_view field(q->field, q->field_n);
    struct total total {
        q->doubles
    };
    if (parser.iterate(view).get(document) || document.get_object().get(root) ||
        find(root, array).get_array().get(items))
        return false;
    for (auto item : items)
        if (item.get_object().get(object) || !total.add(find(object, field)))
            return false;
    *sum = total.bits();
    return true;
}

bool decode_dom(const struct query *q, const char *bytes, size_t n,
                uint64_t *sum)
{
    static dom::parser parser;
    dom::element root;
    dom::array items;
    const std::string_view array(q->array, q->array_n);
    const std::string_view field(q->field, q->field_n);
    struct total total {
        q->doubles
    };
    if (parser.parse(bytes, n, false).get(root) ||
        root[array].get_array().get(items))
        return false;
    for (auto item : items)
        if (!total.add(item[field]))
            return false;
    *sum = total.bits();
    return true;
}

size_t peers_padding()
{
    return SIMDJSON_PADDING;
}

const char *peers_simdjson_dom()
{
    static const std::string name = get_active_implementation()->name();
    return name.c_str();
}

#define TEXT(name) TEXT_OF(name)
#define TEXT_OF(name) #name

// What this file is compiled for; the library's stage 1 is the active one.
const char *peers_simdjson_ondemand()
{
    return TEXT(SIMDJSON_BUILTIN_IMPLEMENTATION);
}
