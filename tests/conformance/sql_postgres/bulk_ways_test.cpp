/// Bulk insert by each of its ways: COPY, unnest, pipelined INSERT.

#include <boost/describe.hpp>

#include "conformance/sql_postgres/postgres_test.hpp"

namespace quarry::test {
namespace {

enum class Mood { sad, happy };
BOOST_DESCRIBE_ENUM(Mood, sad, happy)

struct Wide {
  std::int64_t id = 0;
  std::int64_t tiny = 0;
  std::int64_t small = 0;
  double single = 0;
  Mood mood = Mood::sad;
  std::string word;
  std::string folded;
  Json data;
  Json plain;
  std::optional<Bytes> body;
  Instant local;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> words;
  std::optional<bool> flag;
  friend bool operator==(const Wide&, const Wide&) = default;
};
BOOST_DESCRIBE_STRUCT(Wide, (),
                      (id, tiny, small, single, mood, word, folded, data, plain, body, local, numbers, words, flag))

constexpr const char* wide_sql =
    "create extension citext; create type mood as enum ('sad', 'happy'); create domain short as varchar(10);"
    "create table wide (id bigint primary key, tiny smallint, small int, single real, mood mood, word short, folded citext, "
    "data jsonb,"
    " plain json, body bytea, local timestamp, numbers int[], words varchar[], flag boolean)";

Wide make_wide(std::int64_t id) {
  return {.id = id,
          .tiny = id % 100,
          .small = -id,
          .single = 0.5,
          .mood = Mood::happy,
          .word = "word",
          .folded = "Folded",
          .data = {"{\"a\": 1}"},
          .plain = {"[1]"},
          .body = id % 2 ? std::optional<Bytes>() : Bytes(3, std::byte{7}),
          .local = {1'000'000 * id},
          .numbers = {id, -id},
          .words = {"a", ""},
          .flag = std::nullopt};
}

std::vector<Wide> make_wides(std::int64_t count) {
  std::vector<Wide> made;
  for (std::int64_t i = 1; i <= count; ++i) made.push_back(make_wide(i));
  return made;
}

constexpr sql::Table<Wide> wide_table{"wide"};
constexpr sql::Query<Wide()> all_wide{"test.wide", "select * from wide order by id"};

/// No arrays, and a column that has no binary form made of text.
struct Flat {
  std::int64_t id = 0;
  std::string address;
  std::optional<std::string> note;
  Mood mood = Mood::sad;
  friend bool operator==(const Flat&, const Flat&) = default;
};
BOOST_DESCRIBE_STRUCT(Flat, (), (id, address, note, mood))
constexpr sql::Table<Flat> flat_table{"flat"};
constexpr sql::Query<Flat()> all_flat{"test.flat", "select id, host(address) as address, note, mood from flat order by id"};
constexpr const char* flat_sql =
    "create type mood as enum ('sad', 'happy'); create table flat (id int primary key, address inet, note varchar(5), mood "
    "mood)";

class PostgresBulk : public PostgresTest {};

TEST_F(PostgresBulk, CopiesEveryTypeAndReadsItBack) {
  make(wide_sql);
  const auto rows = make_wides(3000);
  EXPECT_EQ(db().write([&](Write& tx) { return tx.insert_all(wide_table, rows); }), 3000);
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_wide); }), rows);
}

TEST_F(PostgresBulk, AFewRowsTakeTheShortWayAndGiveTheSame) {
  make(wide_sql);
  const auto rows = make_wides(3);
  EXPECT_EQ(db().write([&](Write& tx) { return tx.insert_all(wide_table, rows); }), 3);
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_wide); }), rows);
}

TEST_F(PostgresBulk, CopiedRowsOfAnySizeAndInTwoBatches) {
  make(wide_sql);
  auto rows = make_wides(200);
  for (auto& row : rows) row.data.text = "\"" + std::string(static_cast<std::size_t>(row.id) * 700, 'z') + "\"";
  db().write([&](Write& tx) {
    tx.insert_all(wide_table, std::span(rows).first(100));
    tx.insert_all(wide_table, std::span(rows).subspan(100));
  });
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_wide); }), rows);
}

TEST_F(PostgresBulk, IgnoresConflictsWithArraysAndWithout) {
  make(std::string(wide_sql) + "; create table flat (id int primary key, address inet, note varchar(5), mood mood)");
  const auto wides = make_wides(1500);
  std::vector<Flat> flats;
  for (int i = 1; i <= 2500; ++i)
    flats.push_back({i, "10.0.0.1", i % 3 ? std::optional<std::string>("note") : std::nullopt, Mood::happy});
  db().write([&](Write& tx) {
    EXPECT_EQ(tx.insert_all(wide_table, std::span(wides).first(700), sql::OnConflict::nothing), 700);
    EXPECT_EQ(tx.insert_all(wide_table, wides, sql::OnConflict::nothing), 800);
    EXPECT_EQ(tx.insert_all(flat_table, std::span(flats).first(1200), sql::OnConflict::nothing), 1200);
    EXPECT_EQ(tx.insert_all(flat_table, flats, sql::OnConflict::nothing), 1300);
  });
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_wide); }), wides);
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_flat); }), flats);
}

TEST_F(PostgresBulk, EveryWayWorksWithoutPreparing) {
  make(std::string(wide_sql) + "; create table flat (id int primary key, address inet, note varchar(5), mood mood)",
       with([](auto& o) { o.server_prepare = false; }));
  const auto wides = make_wides(1500);
  const std::vector<Flat> flats{{1, "10.0.0.1", "note", Mood::sad}, {2, "10.0.0.2", std::nullopt, Mood::happy}};
  db().write([&](Write& tx) {
    EXPECT_EQ(tx.insert_all(wide_table, std::span(wides).first(700)), 700);
    EXPECT_EQ(tx.insert_all(wide_table, wides, sql::OnConflict::nothing), 800);
    EXPECT_EQ(tx.insert_all(flat_table, flats), 2);
  });
  db().read([&](Read& tx) {
    std::size_t seen = 0;
    auto stream = tx.stream(all_wide);
    for (const Wide& row : stream) {
      ASSERT_EQ(row, wides[seen++]);
    }
    EXPECT_EQ(seen, wides.size());
    const auto [wide, flat] = tx.together(sql::all(all_wide), sql::all(all_flat));
    EXPECT_EQ(wide, wides);
    EXPECT_EQ(flat, flats);
  });
}

TEST_F(PostgresBulk, AColumnWithoutABinaryFormIsCast) {
  make(flat_sql);
  std::vector<Flat> rows;
  for (int i = 1; i <= 300; ++i) rows.push_back({i, "192.168.1." + std::to_string(i % 256), std::nullopt, Mood::sad});
  EXPECT_EQ(db().write([&](Write& tx) { return tx.insert_all(flat_table, rows); }), 300);
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_flat); }), rows);
}

TEST_F(PostgresBulk, ATextThatIsTooLongIsRefusedAndNotCutShort) {
  make(flat_sql);
  const std::vector<Flat> rows{{1, "10.0.0.1", "too long", Mood::sad}};
  EXPECT_EQ(error_of([&] { db().write([&](Write& tx) { tx.insert_all(flat_table, rows); }); }).code(), ErrorCode::invalid);
}

TEST_F(PostgresBulk, ADuplicateInACopyIsAConstraintAndTheConnectionGoesOn) {
  make(wide_sql, with([](auto& o) { o.connections_max = 1; }));
  auto rows = make_wides(1000);
  rows[900].id = 1;
  std::int64_t backend = 0;
  db().read([&](Read& tx) { backend = pid(tx); });
  const auto error = error_of([&] { db().write([&](Write& tx) { tx.insert_all(wide_table, rows); }); });
  EXPECT_EQ(error.code(), ErrorCode::constraint);
  EXPECT_EQ(error.query_name(), "wide");
  EXPECT_THAT(error.client_message(), testing::HasSubstr("wide_pkey"));
  db().write([&](Write& tx) {
    EXPECT_EQ(pid(tx), backend);
    EXPECT_EQ(error_of([&] { tx.attempt([&] { tx.insert_all(wide_table, rows); }); }).code(), ErrorCode::constraint);
    tx.insert_all(wide_table, make_wides(100));
  });
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_wide); }).size(), 100U);
}

TEST_F(PostgresBulk, ANumberOutOfRangeStopsTheCopyAndTheConnectionGoesOn) {
  make(wide_sql, with([](auto& o) { o.connections_max = 1; }));
  auto rows = make_wides(20'000);
  rows[19'000].tiny = 40'000;
  db().write([&](Write& tx) {
    EXPECT_EQ(error_of([&] { tx.attempt([&] { tx.insert_all(wide_table, rows); }); }).code(), ErrorCode::invalid);
    tx.insert_all(wide_table, make_wides(100));
  });
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_wide); }).size(), 100U);
}

TEST_F(PostgresBulk, ATableThatChangedSinceIsLookedAtAgain) {
  make(wide_sql, with([](auto& o) { o.connections_max = 1; }));
  const auto rows = make_wides(200);
  db().write([&](Write& tx) { tx.insert_all(wide_table, std::span(rows).first(100)); });
  ask("alter table wide alter small type bigint");
  db().write([&](Write& tx) { tx.insert_all(wide_table, std::span(rows).subspan(100)); });
  EXPECT_EQ(db().read([](Read& tx) { return tx.all(all_wide); }), rows);
}

TEST_F(PostgresBulk, AMissingTableOrColumnIsNamed) {
  make("create table flat (id int)");
  const std::vector<Flat> rows{{1, "10.0.0.1", std::nullopt, Mood::sad}};
  EXPECT_THAT(error_of([&] { db().write([&](Write& tx) { tx.insert_all(flat_table, rows); }); }).client_message(),
              testing::HasSubstr("'address'"));
  EXPECT_THAT(error_of([&] { db().write([&](Write& tx) { tx.insert_all(wide_table, make_wides(1)); }); }).client_message(),
              testing::HasSubstr("'wide'"));
}

}  // namespace
}  // namespace quarry::test
