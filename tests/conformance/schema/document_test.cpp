/// The committed pages are what a live database gives, and they tell what there is.

#include "quarry/schema/document.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "quarry/schema/author.hpp"
#include "support/migrated_database.hpp"

namespace quarry::schema::test {
namespace {

using testing::HasSubstr;

std::string committed(const std::string& name) {
  std::ifstream in(std::string(QUARRY_SOURCE_DIR) + "/docs/" + name, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class Document : public quarry::test::MigratedEngines {
 protected:
  std::string file(const std::string& name) const { return name + (is_sqlite() ? "-sqlite.md" : ".md"); }
  Model model() { return introspect(db()); }
};
QUARRY_BOTH_ENGINES(Document);

TEST_P(Document, DiagramIsTheCommittedOne) {
  EXPECT_TRUE(diagram_page(model()) == committed(file("schema-diagram")))
      << "docs/" << file("schema-diagram") << " is not what the schema gives: quarry schema diagram --db ... > docs/"
      << file("schema-diagram");
}

TEST_P(Document, ReferenceIsTheCommittedOne) {
  EXPECT_TRUE(reference_page(model()) == committed(file("schema-reference")))
      << "docs/" << file("schema-reference") << " is not what the schema gives: quarry schema docs --db ... > docs/"
      << file("schema-reference");
}

TEST_P(Document, EveryTableAndColumnIsTold) {
  const auto schema = model();
  const auto diagram = diagram_page(schema);
  const auto reference = reference_page(schema);
  for (const auto& object : schema.objects) {
    const Object* table = schema.find(ObjectType::table, {}, object.table.empty() ? object.name : object.table);
    if (table && !table->attribute("partition of").empty()) continue;
    if (object.type == ObjectType::table) {
      EXPECT_THAT(diagram, HasSubstr("    " + object.name + " {"));
      EXPECT_THAT(reference, HasSubstr("### " + object.name + "\n"));
    }
    if (object.type == ObjectType::column) {
      EXPECT_THAT(diagram, testing::ContainsRegex(" " + object.name + "[ \n]"));
      EXPECT_THAT(reference, HasSubstr("| " + object.name + " |"));
    }
    if (object.type == ObjectType::index || object.type == ObjectType::trigger) {
      EXPECT_THAT(reference, HasSubstr("- " + object.name + ": `"));
    }
  }
}

TEST_P(Document, KeysAndPurposesAreTold) {
  const auto schema = model();
  const auto diagram = diagram_page(schema);
  EXPECT_THAT(diagram, HasSubstr("users ||--o{ user_sessions : \"user_id\""));
  EXPECT_THAT(diagram, HasSubstr("searches |o--o{ scraping_jobs : \"user_id, search_id\""));
  const auto reference = reference_page(schema);
  EXPECT_THAT(reference, HasSubstr("\n## Accounts\n"));
  EXPECT_THAT(reference, HasSubstr("### user_sessions\n\nLogins. The token is shown once and never stored"));
  EXPECT_THAT(reference, HasSubstr("- (user_id, job_id) refers to [scraping_jobs](#scraping_jobs) (user_id, id), on delete "
                                   "cascade"));
  EXPECT_THAT(reference, HasSubstr(" absolute end |"));
  if (is_sqlite()) {
    EXPECT_THAT(reference, HasSubstr("| seq | integer |  |  | the row's number in artifacts_fts; VACUUM leaves it alone |"));
  } else {
    EXPECT_THAT(reference, HasSubstr("| user_role | 'user', 'admin', 'moderator' |"));
  }
}

TEST_P(Document, TablesThatNobodyKnowsAreToldLast) {
  db().write([](Write& tx) {
    tx.session().run_script("test.table",
                            "create table \"odd | name\" (id integer primary key, \"a b\" text default '`|`')");
  });
  const auto schema = model();
  EXPECT_THAT(reference_page(schema), HasSubstr("\n## Others\n\n### odd | name\n"));
  EXPECT_THAT(diagram_page(schema), HasSubstr("\n## Others\n"));
}

}  // namespace
}  // namespace quarry::schema::test
