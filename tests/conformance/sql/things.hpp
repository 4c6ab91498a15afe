#pragma once
/// A table with a column of every kind, for the tests of the sql layer.

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quarry/sql/database.hpp"
#include "support/test_database.hpp"

namespace quarry::test {

enum class Color { red, green };
BOOST_DESCRIBE_ENUM(Color, red, green)

struct Thing {
  std::int64_t id = 0;
  bool flag = false;
  double weight = 0;
  std::string name;
  Json data;
  Bytes body;
  Uuid key;
  Instant at;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> words;
  Color color = Color::red;
  std::optional<std::string> note;
  friend bool operator==(const Thing&, const Thing&) = default;
};
BOOST_DESCRIBE_STRUCT(Thing, (), (id, flag, weight, name, data, body, key, at, numbers, words, color, note))

inline ScratchSql things_schema() {
  return {.sqlite =
              "create table things (id integer primary key, flag integer not null, weight real not null, name text not null "
              "unique,"
              " data text not null check (json_valid(data)), body blob not null, key blob not null, at integer not null,"
              " numbers text not null, words text not null, color text not null check (color in ('red', 'green')),"
              " note text check (length(note) < 100)) strict",
          .postgres =
              "create type color as enum ('red', 'green');"
              "create table things (id int primary key, flag boolean not null, weight float8 not null, name text not null "
              "unique,"
              " data jsonb not null, body bytea not null, key uuid not null, at timestamptz not null,"
              " numbers bigint[] not null, words text[] not null, color color not null,"
              " note text check (length(note) < 100))"};
}

inline Thing make_thing(std::int64_t id) {
  Thing thing;
  thing.id = id;
  thing.name = "thing " + std::to_string(id);
  thing.data = {R"({"a": 1})"};
  thing.key.bytes[15] = static_cast<std::uint8_t>(id);
  thing.at = {TestDatabase::kStart.us + id};
  return thing;
}

constexpr const char* thing_columns = "id, flag, weight, name, data, body, key, at, numbers, words, color, note";

inline constexpr sql::Command<void(Thing)> insert_thing{
    "thing.insert",
    "insert into things (id, flag, weight, name, data, body, key, at, numbers, words, color, note)"
    " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"};
inline constexpr sql::Query<Thing(std::int64_t)> find_thing{
    "thing.find",
    "select note, color, words, numbers, at, key, body, data, name, weight, flag, id from things where id = $1"};
inline constexpr sql::Query<Thing()> all_things{
    "thing.all", "select id, flag, weight, name, data, body, key, at, numbers, words, color, note from things order by id"};
inline constexpr sql::Query<std::int64_t()> count_things{"thing.count", "select count(*) from things"};
inline constexpr sql::Command<void(std::string_view, std::int64_t)> rename_thing{
    "thing.rename", "update things set name = $1 where id = $2"};
inline constexpr sql::Table<Thing> things_table{"things"};

}  // namespace quarry::test
