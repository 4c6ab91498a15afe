#pragma once
/// The rows that both sides of a ratio work on.

#include <boost/describe.hpp>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bench/raw/raw_sqlite.h"
#include "bench/support/scratch.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::bench {

struct Thing {
  std::int64_t id = 0;
  std::string name;
  std::int64_t size = 0;
  double score = 0;
  Instant created_at;
};
BOOST_DESCRIBE_STRUCT(Thing, (), (id, name, size, score, created_at))

inline constexpr sql::Query<Thing(std::int64_t)> find_thing{
    "bench.find", "select id, name, size, score, created_at from things where id = $1"};
inline constexpr sql::Command<void(Thing)> insert_thing{
    "bench.insert", "insert into things (id, name, size, score, created_at) values ($1, $2, $3, $4, $5)"};
inline constexpr sql::Table<Thing> things{"things"};

inline const char* create_things(Engine engine) {
  return engine == Engine::sqlite
             ? "create table things (id integer primary key, name text not null, size integer not null, score real not null,"
               " created_at integer not null) strict"
             : "create table things (id bigint primary key, name text not null, size bigint not null, score float8 not null,"
               " created_at timestamptz not null)";
}

inline std::vector<Thing> make_things(std::int64_t count, std::int64_t first = 1) {
  std::vector<Thing> made;
  for (std::int64_t i = first; i < first + count; ++i)
    made.push_back({i,
                    "a name of the usual length " + std::to_string(i),
                    i * 3,
                    0.5 * static_cast<double>(i),
                    {1'772'366'400'000'000 + i}});
  return made;
}

inline std::vector<raw_row> make_raw(const std::vector<Thing>& from) {
  std::vector<raw_row> made;
  for (const auto& thing : from) {
    raw_row row{thing.id, {}, thing.size, thing.score, thing.created_at.us};
    std::snprintf(row.name, sizeof row.name, "%s", thing.name.c_str());
    made.push_back(row);
  }
  return made;
}

}  // namespace quarry::bench
