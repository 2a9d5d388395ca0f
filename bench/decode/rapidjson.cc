// rapidjson's SAX interface: it checks all of the body and keeps nothing.
#define RAPIDJSON_SSE42
#include <rapidjson/reader.h>

#include <cstring>

#include "peers.h"

namespace
{
using rapidjson::SizeType;

// The levels: the root's members are at 1, the items at 2, their members at 3.
struct Handler {
    const struct query &query;
    unsigned depth = 0;
    bool next_array = false; // the next value is the one of `array`
    bool next_field = false; // the next value is the one of `field`
    bool inside = false;     // of the array
    bool found_array = false, found_field = false;
    int64_t value = 0;
    double real = 0;
    uint64_t exact = 0;
    double approx = 0;

    explicit Handler(const struct query &q) : query(q)
    {
    }

    // A value that is not an object and not a number.
    bool other()
    {
        if (next_field || next_array || (inside && depth == 2))
            return false;
        return true;
    }

    bool Null()
    {
        return other();
    }
    bool Bool(bool)
    {
        return other();
    }
    bool String(const char *, SizeType, bool)
    {
        return other();
    }
    bool RawNumber(const char *, SizeType, bool)
    {
        return other();
    }

    bool number(int64_t n, double d, bool whole)
    {
        if (!next_field)
            return other();
        next_field = false;
        found_field = true;
        value = n;
        real = d;
        return whole || query.doubles;
    }
    bool Int(int i)
    {
        return number(i, i, true);
    }
    bool Uint(unsigned i)
    {
        return number(i, i, true);
    }
    bool Int64(int64_t i)
    {
        return number(i, double(i), true);
    }
    bool Uint64(uint64_t i)
    {
        return number(int64_t(i), double(i), i <= INT64_MAX);
    }
    bool Double(double d)
    {
        return number(0, d, false);
    }

    bool Key(const char *key, SizeType n, bool)
    {
        if (depth == 3 && inside)
            next_field =
                n == query.field_n && std::memcmp(key, query.field, n) == 0;
        else if (depth == 1)
            next_array =
                n == query.array_n && std::memcmp(key, query.array, n) == 0;
        return true;
    }
    bool StartObject()
    {
        if (next_field || next_array)
            return false;
        depth++;
        if (depth == 3)
            found_field = false;
        return true;
    }
    bool EndObject(SizeType)
    {
        if (depth == 3 && inside) {
            if (!found_field)
                return false;
            exact += uint64_t(value) * 2;
            approx = approx + real * 2;
        }
        depth--;
        return true;
    }
    bool StartArray()
    {
        if (next_field || (inside && depth == 2))
            return false;
        depth++;
        if (next_array) {
            next_array = false;
            inside = found_array = true;
            exact = 0;
            approx = 0;
        }
        return true;
    }
    bool EndArray(SizeType)
    {
        if (depth == 2)
            inside = false;
        depth--;
        return true;
    }
};
} // namespace

// Only doubles that count are worth the slower way that rounds correctly.
template <unsigned flags>
static bool parse(const struct query *q, const char *bytes, uint64_t *sum)
{
    static rapidjson::Reader reader;
    Handler handler(*q);
    rapidjson::StringStream stream(bytes);
    if (!reader.Parse<flags>(stream, handler) || !handler.found_array)
        return false;
    *sum = handler.exact;
    if (q->doubles)
        std::memcpy(sum, &handler.approx, sizeof *sum);
    return true;
}

bool decode_rapidjson(const struct query *q, const char *bytes, size_t,
                      uint64_t *sum)
{
    constexpr unsigned checked = rapidjson::kParseValidateEncodingFlag;
    if (q->doubles)
        return parse<checked | rapidjson::kParseFullPrecisionFlag>(q, bytes,
                                                                   sum);
    return parse<checked>(q, bytes, sum);
}
