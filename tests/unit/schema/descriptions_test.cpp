#include "schema/descriptions.hpp"

#include <gtest/gtest.h>

#include "quarry/core/error.hpp"
#include "quarry/schema/document.hpp"
#include "schema/table_pages.hpp"

namespace quarry::schema {
namespace {

constexpr const char* script = R"sql(-- About the whole file.
--
-- More of it.

-- =====================
-- First part
-- =====================

CREATE TYPE mood AS ENUM ('sad', 'ok');   -- not of the next

-- People who
-- come and go.
CREATE TABLE "people" (
  id    uuid PRIMARY KEY,               -- made by us
  -- with or without
  -- a title
  name  text NOT NULL CHECK (length(name) BETWEEN 1 AND 50),   -- shown
  mood  mood NOT NULL DEFAULT 'ok',
  CONSTRAINT named CHECK (name <> '')
) WITH (fillfactor = 80);

-- Lost in space.

CREATE INDEX i ON people (name);

-- =====================
-- Second part
-- =====================

-- Says one.
CREATE OR REPLACE FUNCTION one() RETURNS integer LANGUAGE sql AS $$ SELECT 1; -- no comment
$$;
CREATE TABLE IF NOT EXISTS things (id bigint, note text -- at the end
);
)sql";

TEST(Descriptions, BelongToWhatTheyStandAt) {
  const auto found = read_descriptions(Engine::postgres, script);
  ASSERT_EQ(found.tables.size(), 2u);
  const auto& people = found.tables[0];
  EXPECT_EQ(people.name, "people");
  EXPECT_EQ(people.section, "First part");
  EXPECT_EQ(people.text, "People who come and go.");
  EXPECT_EQ(people.columns.at("id"), "made by us");
  EXPECT_EQ(people.columns.at("name"), "with or without a title shown");
  EXPECT_EQ(people.columns.at("mood"), "");
  const auto& things = found.tables[1];
  EXPECT_EQ(things.name, "things");
  EXPECT_EQ(things.section, "Second part");
  EXPECT_EQ(things.text, "");
  EXPECT_EQ(things.columns.at("note"), "at the end");
  EXPECT_EQ(found.functions.at("one"), "Says one.");
}

TEST(Descriptions, OfTheRealSchemaCoverEveryTable) {
  for (const Engine engine : {Engine::sqlite, Engine::postgres})
    for (const auto& table : read_descriptions(engine, DesiredSchema::embedded().text(engine)).tables) {
      EXPECT_FALSE(table.section.empty()) << table.name;
      EXPECT_FALSE(table.text.empty() && !table.name.starts_with("audit_logs_")) << table.name << " is not explained";
    }
}

TEST(Descriptions, OfNothingAreNone) {
  EXPECT_TRUE(read_descriptions(Engine::sqlite, "").tables.empty());
  EXPECT_TRUE(read_descriptions(Engine::sqlite, "-- nothing").tables.empty());
  EXPECT_EQ(read_descriptions(Engine::sqlite, "create table").tables.size(), 1u);
  EXPECT_THROW(read_descriptions(Engine::sqlite, "create table t (a text default 'x"), Error);
}

TEST(OneLine, HasNoCommentsAndOneSpace) {
  EXPECT_EQ(one_line(Engine::sqlite, "check ( a\n   in ('x  y',  -- why\n 'z') )"), "check (a in ('x  y', 'z'))");
  EXPECT_EQ(one_line(Engine::postgres, "a::text"), "a::text");
  EXPECT_EQ(one_line(Engine::postgres, ""), "");
}

}  // namespace
}  // namespace quarry::schema
