#include "sql/postgres/oids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace quarry::sql::postgres_driver::oid {
namespace {

/// By number are the types that Quarry never binds, but which a query may give back.
constexpr std::pair<Type, std::string_view> names[] = {
    {boolean, "boolean"},
    {bytea, "bytea"},
    {single_char, "\"char\""},
    {name, "name"},
    {int8, "int8"},
    {int2, "int2"},
    {int4, "int4"},
    {text, "text"},
    {oid, "oid"},
    {json, "json"},
    {xml, "xml"},
    {650, "cidr"},
    {float4, "float4"},
    {float8, "float8"},
    {829, "macaddr"},
    {869, "inet"},
    {int2_array, "int2[]"},
    {int4_array, "int4[]"},
    {text_array, "text[]"},
    {varchar_array, "varchar[]"},
    {int8_array, "int8[]"},
    {bpchar, "char"},
    {varchar, "varchar"},
    {1082, "date"},
    {1083, "time"},
    {timestamp, "timestamp"},
    {timestamptz, "timestamptz"},
    {timestamptz_array, "timestamptz[]"},
    {1186, "interval"},
    {1700, "numeric"},
    {2249, "record"},
    {2278, "void"},
    {uuid, "uuid"},
    {uuid_array, "uuid[]"},
    {3614, "tsvector"},
    {jsonb, "jsonb"},
};

}  // namespace

std::string name_of(Type type) {
  const auto* found =
      std::find_if(std::begin(names), std::end(names), [&](const auto& entry) { return entry.first == type; });
  return found != std::end(names) ? std::string(found->second) : fmt::format("type {}", type);
}

}  // namespace quarry::sql::postgres_driver::oid
