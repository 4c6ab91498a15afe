/// What PostgreSQL's types become, and what the driver says of those it does not read.

#include <boost/describe.hpp>
#include <limits>

#include "conformance/sql_postgres/postgres_test.hpp"

namespace quarry::test {
namespace {

using testing::HasSubstr;

class PostgresTypes : public PostgresTest {
 protected:
  template <class T>
  T get(const std::string& sql) {
    return db().read([&](Read& tx) { return tx.value(sql::Query<T()>("test.get", sql)); });
  }
  template <class T>
  T echo(const std::string& sql, const T& value) {
    return db().read([&](Read& tx) { return tx.value(sql::Query<T(T)>("test.echo", sql), value); });
  }
};

TEST_F(PostgresTypes, ExtremesSurvive) {
  using Limits = std::numeric_limits<std::int64_t>;
  for (const auto value : {Limits::min(), Limits::max(), std::int64_t{0}}) {
    EXPECT_EQ(echo<std::int64_t>("select $1", value), value);
    EXPECT_EQ(echo<Instant>("select $1", Instant{value == Limits::min() ? value : value / 2}).us,
              value == Limits::min() ? value : value / 2);
  }
  EXPECT_EQ(get<Instant>("select 'infinity'::timestamptz").us, Limits::max());
  EXPECT_EQ(get<Instant>("select timestamp '2000-01-01'").us, 946'684'800'000'000);
  const std::string text(3'000'000, 'x');
  EXPECT_EQ(echo<std::string>("select $1::text", text), text);
  EXPECT_EQ(echo<std::string>("select $1::text", "").size(), 0U);
  EXPECT_EQ(echo<Bytes>("select $1", Bytes(256, std::byte{0})), Bytes(256, std::byte{0}));
  EXPECT_EQ(echo<Bytes>("select $1", Bytes{}), Bytes{});
}

TEST_F(PostgresTypes, NullsOfEveryKind) {
  const auto null = [&]<class T>(std::optional<T>, const char* sql) {
    const auto value = db().read([&](Read& tx) {
      return tx.value(sql::Query<std::optional<T>(std::optional<T>)>("test.null", std::string(sql)), std::nullopt);
    });
    EXPECT_FALSE(value.has_value()) << sql;
  };
  null(std::optional<bool>(), "select $1");
  null(std::optional<std::int64_t>(), "select $1");
  null(std::optional<double>(), "select $1");
  null(std::optional<std::string>(), "select $1::varchar");
  null(std::optional<Json>(), "select $1");
  null(std::optional<Bytes>(), "select $1");
  null(std::optional<Uuid>(), "select $1");
  null(std::optional<Instant>(), "select $1");
  null(std::optional<std::vector<std::int64_t>>(), "select $1");
  null(std::optional<std::vector<std::string>>(), "select $1");
}

TEST_F(PostgresTypes, ReadsNarrowAndTextLikeTypes) {
  make("create type mood as enum ('sad', 'happy'); create domain short as varchar(10); create extension citext");
  EXPECT_EQ(get<std::int64_t>("select 7::int2"), 7);
  EXPECT_EQ(get<std::int64_t>("select -7::int4"), -7);
  EXPECT_EQ(get<double>("select 0.5::float4"), 0.5);
  EXPECT_EQ(get<std::string>("select 'happy'::mood"), "happy");
  EXPECT_EQ(get<std::string>("select 'abc'::short"), "abc");
  EXPECT_EQ(get<std::string>("select 'aBc'::citext"), "aBc");
  EXPECT_EQ(get<std::string>("select 'abc'::name"), "abc");
  EXPECT_EQ(get<std::string>("select 'x'"), "x");
  EXPECT_EQ(get<Json>("select '[1]'::json").text, "[1]");
  EXPECT_EQ(get<Json>("select '{\"a\":1}'::jsonb").text, "{\"a\": 1}");
  EXPECT_EQ(get<std::vector<std::int64_t>>("select array[1, 2]"), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(get<std::vector<std::string>>("select array['a', 'b']::varchar[]"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(get<std::vector<std::string>>("select array['sad']::mood[]"), std::vector<std::string>{"sad"});
}

TEST_F(PostgresTypes, TextParametersTakeTheTypeThatTheStatementWants) {
  make("create type mood as enum ('sad', 'happy'); create table t (m mood, a inet, n numeric, v varchar(3), d date)");
  static constexpr sql::Command<void(std::string, std::string, std::string, std::string, std::string)> insert{
      "test.insert", "insert into t values ($1, $2, $3, $4, $5)"};
  db().write([&](Write& tx) { tx.run(insert, "sad", "10.0.0.1", "1.50", "abc", "2026-03-01"); });
  EXPECT_EQ(ask("select t::text from t"), std::vector<std::string>{"(sad,10.0.0.1,1.50,abc,2026-03-01)"});
  const auto error =
      error_of([&] { db().write([&](Write& tx) { tx.run(insert, "angry", "10.0.0.1", "1", "a", "2026-03-01"); }); });
  EXPECT_EQ(error.code(), ErrorCode::invalid);
  EXPECT_THAT(error.client_message(), testing::Not(HasSubstr("angry")));
}

TEST_F(PostgresTypes, ATypeThatIsNotReadAsksForACast) {
  for (const char* sql :
       {"select 1.5::numeric as price", "select '10.0.0.1'::inet as price", "select now()::date as price"}) {
    const auto error = error_of([&] { get<std::int64_t>(sql); });
    EXPECT_EQ(error.code(), ErrorCode::bug);
    EXPECT_THAT(error.client_message(), HasSubstr("'price'"));
    EXPECT_THAT(error.client_message(), HasSubstr("price::int8"));
  }
  EXPECT_THAT(error_of([&] { get<std::string>("select '10.0.0.1'::inet as price"); }).client_message(), HasSubstr("inet"));
}

TEST_F(PostgresTypes, IdListsWorkWithAny) {
  make("create table t (id uuid, at timestamptz)");
  const Uuid a{{1}}, b{{2}};
  const auto found = db().read([&](Read& tx) {
    return tx.value(
        sql::Query<std::int64_t(std::vector<Uuid>, std::vector<Instant>)>(
            "test.any", std::string("select count(*) from (values ($1::uuid[])) v(ids) where cardinality(ids) = 2 and "
                                    "cardinality($2::timestamptz[]) = 1")),
        std::vector<Uuid>{a, b}, std::vector<Instant>{{5}});
  });
  EXPECT_EQ(found, 1);
}

}  // namespace
}  // namespace quarry::test
