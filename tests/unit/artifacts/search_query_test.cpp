/// The language of searches, and what each engine is asked.

#include "artifacts/search_query.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "quarry/core/error.hpp"
#include "quarry/core/random.hpp"

namespace quarry::test {
namespace {

using namespace artifacts;

std::string fts5(std::string_view text) { return to_fts5(parse_search(text)); }

std::string tsquery(std::string_view text) {
  std::vector<std::string> params;
  auto sql = to_tsquery_sql(parse_search(text), params);
  // The values in their places, for reading.
  for (std::size_t i = params.size(); i > 0; --i) {
    const auto name = "$" + std::to_string(i);
    sql.replace(sql.find(name), name.size(), "<" + params[i - 1] + ">");
  }
  return sql;
}

TEST(SearchQuery, WordsPhrasesExclusionsAlternatives) {
  EXPECT_EQ(fts5("lithium battery"), R"(("lithium" "battery"))");
  EXPECT_EQ(fts5("\"solid state\" battery"), R"(("solid state" "battery"))");
  EXPECT_EQ(fts5("lithium -sodium -\"two words\""), R"((("lithium") NOT ("sodium" OR "two words")))");
  EXPECT_EQ(fts5("lithium salt OR sodium -cheap"), R"(("lithium" "salt") OR (("sodium") NOT ("cheap")))");
  EXPECT_EQ(fts5("lith* batt"), R"(("lith" * "batt"))");
  EXPECT_EQ(tsquery("lithium -sodium"),
            "((phraseto_tsquery('english', <lithium>) && !!phraseto_tsquery('english', <sodium>)))");
  EXPECT_EQ(tsquery("a.b OR lith*"),
            "(((phraseto_tsquery('english', <a.b>) || phraseto_tsquery('english', <a b>))) || (to_tsquery('english', "
            "<'lith':*>)))");
}

TEST(SearchQuery, WhatIsNoWordSeparates) {
  EXPECT_EQ(fts5("pg_stat_activity"), R"(("pg stat activity"))");
  EXPECT_EQ(fts5("C++ foo-bar (x) y:z"), R"(("C" "foo bar" "x" "y z"))");
  EXPECT_EQ(fts5("Zürich — \u201Cnaïve\u201D \U0001F600 東京"), R"(("Zürich" "naïve" "東京"))");
  EXPECT_EQ(fts5("x NEAR y AND z NOT w"), R"(("x" "NEAR" "y" "z" "w"))");  // AND and NOT are stop words here
  EXPECT_EQ(fts5("or OR x"), R"(("x"))");
  EXPECT_EQ(fts5("OR x OR OR y OR"), R"(("x") OR ("y"))");
  EXPECT_EQ(fts5("x - y -"), R"(("x" "y"))");
  EXPECT_EQ(fts5("\"open end"), R"(("open end"))");
  EXPECT_EQ(fts5("pre\"in the\"post"), R"(("pre" "post"))");
}

TEST(SearchQuery, CommonWordsAreLeftOutUnlessQuotedWithOthers) {
  EXPECT_EQ(fts5("the index of a table"), R"(("index" "table"))");
  EXPECT_EQ(fts5("\"state of the art\""), R"(("state of the art"))");
  EXPECT_EQ(fts5("THE Index"), R"(("Index"))");
  EXPECT_EQ(fts5("the* index"), R"(("the" * "index"))");
  EXPECT_TRUE(is_stop_word("the"));
  EXPECT_TRUE(is_stop_word("a"));
  EXPECT_TRUE(is_stop_word("yourselves"));
  EXPECT_FALSE(is_stop_word("index"));
}

TEST(SearchQuery, NothingToLookForIsToldWithTheRemedy) {
  for (const auto* text : {"", "  ", "the of and", "\"\"", "\"the\"", "-x", "-\"a b\"", "+++ ---", "*", "\"", "OR",
                           "x OR -y", "-x OR y", "\u2014"}) {
    try {
      parse_search(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid);
      EXPECT_NE(error.client_message().find("name at least one word"), std::string::npos) << error.client_message();
    }
  }
  EXPECT_THROW(parse_search(std::string(1001, 'x')), Error);
  EXPECT_THROW(parse_search("\xFF"), Error);
  std::string many;
  for (int i = 0; i < 51; ++i) many += "w" + std::to_string(i) + " ";
  EXPECT_THROW(parse_search(many), Error);
}

/// Whatever is typed, quotes in the result pair up and hold letters, digits and blanks only, so nothing of it is an
/// operator.
TEST(SearchQuery, NoInputReachesTheEngineUnquoted) {
  SeededRandom random(7);
  const std::string alphabet = "ab1 \"'*-():^+{}[]&|!<>\\.,;%_~#@=?/ORNOT ";
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto length = random.below(30); length > 0; --length) text += alphabet[random.below(alphabet.size())];
    SearchQuery query;
    try {
      query = parse_search(text);
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::invalid);
      continue;
    }
    ++accepted;
    std::vector<std::string> params;
    const auto sql = to_tsquery_sql(query, params);
    const auto match = to_fts5(query);
    EXPECT_EQ(std::count(match.begin(), match.end(), '"') % 2, 0) << text;
    for (const auto& clause : query.any)
      for (const auto* terms : {&clause.wanted, &clause.unwanted})
        for (const auto& term : *terms)
          for (const auto& word : term.words)
            EXPECT_EQ(word.find_first_of(" \"'*-():^+{}[]&|!<>\\.,;%_~#@=?/"), std::string::npos) << text;
    EXPECT_EQ(sql.find_first_of(";\"\\#"), std::string::npos) << sql;
  }
  EXPECT_GT(accepted, 5000);
}

}  // namespace
}  // namespace quarry::test
