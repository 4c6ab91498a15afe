#include "sql/postgres/bulk_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "quarry/core/error.hpp"

namespace quarry::sql::postgres_driver {
namespace {

// A domain is sent as its base type. format_type with -1: a bare name without a length, so that a cast never cuts a text
// short.
constexpr std::string_view describe_sql =
    "select a.attname::text, coalesce(b.typreceive, t.typreceive)::text, format_type(a.atttypid, -1), "
    "       coalesce(e.oid, 0)::int8, coalesce(e.typreceive::text, ''), row_security_active(a.attrelid) "
    "from pg_attribute a join pg_type t on t.oid = a.atttypid "
    "left join pg_type b on t.typtype = 'd' and b.oid = t.typbasetype "
    "left join pg_type e on e.oid = coalesce(b.typelem, t.typelem) "
    "where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped";

struct CatalogColumn {
  std::string name, receive, type;
  oid::Type element;
  std::string element_receive;
  bool row_security = false;  ///< of the table, for us
};

std::string_view cell(const PGresult* result, int row, int column) {
  return {PQgetvalue(result, row, column), static_cast<std::size_t>(PQgetlength(result, row, column))};
}

/// `public.citextrecv` where the schema is not on the search path.
std::string unqualified(std::string_view name) { return std::string(name.substr(name.rfind('.') + 1)); }

std::vector<CatalogColumn> describe(std::string_view table, Pipeline& pipeline, Deadline deadline) {
  const Param name = Param::make_view(Kind::text, table.data(), table.size());
  ParamList params;
  params.assign({&name, 1});
  pipeline.send(describe_sql, Pipeline::Text::fixed, params);
  pipeline.end_segment();
  const Reply reply = pipeline.read(deadline);
  pipeline.read_end(deadline);
  const PGresult* result = reply.result.get();
  std::vector<CatalogColumn> columns;
  columns.reserve(static_cast<std::size_t>(PQntuples(result)));
  for (int row = 0; row < PQntuples(result); ++row)
    columns.push_back({std::string(cell(result, row, 0)), unqualified(cell(result, row, 1)),
                       std::string(cell(result, row, 2)), static_cast<oid::Type>(decode_integer(cell(result, row, 3))),
                       unqualified(cell(result, row, 4)), cell(result, row, 5) == std::string_view("\1", 1)});
  if (columns.empty()) throw_bug(fmt::format("the table '{}' does not exist: has the schema been migrated?", table));
  return columns;
}

std::string_view array_type(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "boolean[]";
    case Kind::int64:
      return "int8[]";
    case Kind::real:
      return "float8[]";
    case Kind::bytes:
      return "bytea[]";
    case Kind::uuid:
      return "uuid[]";
    case Kind::instant:
      return "timestamptz[]";
    default:
      return "text[]";
  }
}

bool is_array(Kind kind) {
  return kind == Kind::int64_array || kind == Kind::text_array || kind == Kind::uuid_array || kind == Kind::instant_array;
}

bool is_text(std::string_view receive) {
  constexpr std::array<std::string_view, 8> known{"textrecv",  "varcharrecv", "bpcharrecv", "namerecv",
                                                  "enum_recv", "json_recv",   "citextrecv", "unknownrecv"};
  return std::find(known.begin(), known.end(), receive) != known.end();
}

std::string quote(std::string_view identifier) {
  std::string out = "\"";
  for (const char c : identifier) out += c == '"' ? std::string(2, c) : std::string(1, c);
  return out + "\"";
}

BulkPlan make_plan(const BulkTarget& target, const std::vector<CatalogColumn>& catalog) {
  BulkPlan plan;
  std::string names, selects, arrays, aliases, values;
  // COPY FROM refuses tables under row-level security; only superusers and BYPASSRLS roles are beyond it.
  plan.copies = catalog.empty() || !catalog.front().row_security;
  for (std::size_t i = 0; i < target.columns.size(); ++i) {
    const auto found =
        std::find_if(catalog.begin(), catalog.end(), [&](const auto& c) { return c.name == target.columns[i]; });
    if (found == catalog.end())
      throw_bug(
          fmt::format("the table '{}' has no column '{}': has the schema been migrated?", target.name, target.columns[i]));
    const Kind kind = target.kinds[i];
    plan.columns.push_back(
        {kind, encoder_for(kind, found->receive, found->element, found->element_receive), found->element});
    plan.copies &= plan.columns.back().encoder != Encoder::none;
    plan.has_arrays |= is_array(kind);
    const std::string_view comma = i == 0 ? "" : ", ";
    names += fmt::format("{}{}", comma, quote(target.columns[i]));
    selects += fmt::format("{}u{}::{}", comma, i, found->type);
    arrays += fmt::format("{}${}::{}", comma, i + 1, array_type(kind));
    aliases += fmt::format("{}u{}", comma, i);
    values += fmt::format("{}${}", comma, i + 1);
  }
  constexpr std::string_view endings[2] = {"", " on conflict do nothing"};
  plan.copy_sql = fmt::format("copy {} ({}) from stdin (format binary)", target.name, names);
  for (int i = 0; i < 2; ++i) {
    plan.unnest_sql[i] = fmt::format("insert into {} ({}) select {} from unnest({}) as u({}){}", target.name, names, selects,
                                     arrays, aliases, endings[i]);
    plan.insert_sql[i] = fmt::format("insert into {} ({}) values ({}){}", target.name, names, values, endings[i]);
  }
  return plan;
}

}  // namespace

Encoder encoder_for(Kind kind, std::string_view receive, oid::Type element, std::string_view element_receive) {
  const bool array = receive == "array_recv";
  switch (kind) {
    case Kind::boolean:
      return receive == "boolrecv" ? Encoder::boolean : Encoder::none;
    case Kind::int64:
      return receive == "int8recv"   ? Encoder::int8
             : receive == "int4recv" ? Encoder::int4
             : receive == "int2recv" ? Encoder::int2
                                     : Encoder::none;
    case Kind::real:
      return receive == "float8recv" ? Encoder::float8 : receive == "float4recv" ? Encoder::float4 : Encoder::none;
    case Kind::text:
    case Kind::json:
      return is_text(receive) ? Encoder::raw : receive == "jsonb_recv" ? Encoder::jsonb : Encoder::none;
    case Kind::bytes:
      return receive == "bytearecv" ? Encoder::raw : Encoder::none;
    case Kind::uuid:
      return receive == "uuid_recv" ? Encoder::uuid : Encoder::none;
    case Kind::instant:
      return receive == "timestamptz_recv" || receive == "timestamp_recv" ? Encoder::instant : Encoder::none;
    case Kind::int64_array:
      return array && (element == oid::int8 || element == oid::int4 || element == oid::int2) ? Encoder::int64_array
                                                                                             : Encoder::none;
    case Kind::text_array:
      return array && is_text(element_receive) ? Encoder::text_array : Encoder::none;
    case Kind::uuid_array:
      return array && element == oid::uuid ? Encoder::uuid_array : Encoder::none;
    case Kind::instant_array:
      return array && (element == oid::timestamptz || element == oid::timestamp) ? Encoder::instant_array : Encoder::none;
  }
  return Encoder::none;
}

BulkPlans::Found BulkPlans::find(const BulkTarget& target, Pipeline& pipeline, Deadline deadline) {
  std::string key(target.name);
  for (std::size_t i = 0; i < target.columns.size(); ++i) {
    key += '\0';
    key += target.columns[i];
    key += static_cast<char>(target.kinds[i]);
  }
  if (const auto found = plans_.find(key); found != plans_.end()) return {&found->second, false};
  const auto made = plans_.emplace(std::move(key), make_plan(target, describe(target.name, pipeline, deadline)));
  return {&made.first->second, true};
}

}  // namespace quarry::sql::postgres_driver
