/// Walks docs/schema-mapping.md: whatever its middle column names in code must be there, in the migrated schema of both
/// engines, in the public headers, in the program, or in a seeded database.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/describe.hpp>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "quarry/schema/model.hpp"
#include "support/migrated_database.hpp"
#include "support/process.hpp"

namespace quarry::test {
namespace {

using schema::ObjectType;

struct Reference {
  int line = 0;
  std::string text;  ///< `column users.email`

  std::string kind() const { return text.substr(0, text.find(' ')); }
  std::string name() const { return text.substr(text.find(' ') + 1); }
};

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream in(row.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) cells.push_back(cell);
  return cells;
}

/// The references of every row; a row without any is a failure.
std::vector<Reference> read_map() {
  std::vector<Reference> references;
  std::istringstream page(read_file(std::filesystem::path(QUARRY_SOURCE_DIR) / "docs/schema-mapping.md"));
  const std::regex code("`([^`]+)`");
  std::string row;
  for (int line = 1; std::getline(page, row); ++line) {
    if (!row.starts_with("| ") || row.starts_with("| source ")) continue;
    const auto cells = cells_of(row);
    if (cells.size() != 3) {
      ADD_FAILURE() << "line " << line << " has not three cells: " << row;
      continue;
    }
    const auto before = references.size();
    for (std::sregex_iterator it(cells[1].begin(), cells[1].end(), code), end; it != end; ++it)
      references.push_back({line, (*it)[1]});
    EXPECT_GT(references.size(), before) << "line " << line << " points at nothing: " << row;
  }
  return references;
}

const std::vector<Reference>& map() {
  static const auto references = read_map();
  return references;
}

std::vector<Reference> of_kind(const std::string& kind) {
  std::vector<Reference> found;
  for (const auto& reference : map())
    if (reference.kind() == kind) found.push_back(reference);
  return found;
}

class SchemaMapping : public MigratedEngines {
 protected:
  schema::Model model() {
    return db().read([](Read& tx) { return schema::introspect(tx); });
  }
  static bool has(const schema::Model& model, ObjectType type, std::string_view name) {
    return std::ranges::any_of(model.objects,
                               [&](const auto& object) { return object.type == type && object.name == name; });
  }
};
QUARRY_BOTH_ENGINES(SchemaMapping);

TEST_P(SchemaMapping, TablesColumnsIndexesAndTriggersAreThere) {
  const auto is = model();
  for (const auto& reference : of_kind("table"))
    EXPECT_TRUE(is.find(ObjectType::table, "", reference.name())) << "line " << reference.line << ": " << reference.text;
  for (const auto& reference : of_kind("column")) {
    const auto dot = reference.name().find('.');
    EXPECT_TRUE(is.find(ObjectType::column, reference.name().substr(0, dot), reference.name().substr(dot + 1)))
        << "line " << reference.line << ": " << reference.text;
  }
  for (const auto& reference : of_kind("index")) {
    constexpr std::string_view only_postgres = "(postgresql) ";
    const bool is_limited = reference.name().starts_with(only_postgres);
    if (is_limited && is_sqlite()) continue;
    EXPECT_TRUE(has(is, ObjectType::index, is_limited ? reference.name().substr(only_postgres.size()) : reference.name()))
        << "line " << reference.line << ": " << reference.text;
  }
  for (const auto& reference : of_kind("trigger"))
    EXPECT_TRUE(has(is, ObjectType::trigger, reference.name())) << "line " << reference.line << ": " << reference.text;
}

/// `value TABLE.COLUMN WORD`: PostgreSQL has it in the column's type or in a constraint, SQLite in the column's own CHECK.
TEST_P(SchemaMapping, ValuesAreAllowed) {
  const auto is = model();
  for (const auto& reference : of_kind("value")) {
    const auto space = reference.name().find(' ');
    const auto column = reference.name().substr(0, space);
    const auto word = "'" + reference.name().substr(space + 1) + "'";
    const auto dot = column.find('.');
    const auto* found = is.find(ObjectType::column, column.substr(0, dot), column.substr(dot + 1));
    ASSERT_TRUE(found) << "line " << reference.line << ": " << reference.text;
    const auto allows = [&](const schema::Object& object) {
      const bool is_type = object.type == ObjectType::enumeration && object.name == found->attribute("type");
      const bool is_rule = object.type == ObjectType::constraint && object.table == column.substr(0, dot);
      if (!is_type && !is_rule && &object != found) return false;
      return std::ranges::any_of(object.attributes,
                                 [&](const auto& attribute) { return attribute.value.find(word) != std::string::npos; });
    };
    EXPECT_TRUE(std::ranges::any_of(is.objects, allows)) << "line " << reference.line << ": " << reference.text;
  }
}

/// `type ns::Name`, `call ns::name`, `option Struct::member`: as a declaration in a public header of that namespace.
TEST(SchemaMappingHeaders, TypesCallsAndOptionsAreDeclared) {
  std::vector<std::pair<std::string, std::string>> headers;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(QUARRY_SOURCE_DIR) / "include"))
    if (entry.path().extension() == ".hpp") headers.emplace_back(entry.path().string(), read_file(entry.path()));
  const auto declared = [&](const std::string& scope, const std::string& pattern) {
    const std::regex wanted(pattern);
    return std::ranges::any_of(headers, [&](const auto& header) {
      return header.second.find(scope) != std::string::npos && std::regex_search(header.second, wanted);
    });
  };
  for (const auto* kind : {"type", "call", "option"})
    for (const auto& reference : of_kind(kind)) {
      const auto colons = reference.name().rfind("::");
      const auto name = colons == std::string::npos ? reference.name() : reference.name().substr(colons + 2);
      const auto outer = colons == std::string::npos ? std::string() : reference.name().substr(0, colons);
      const bool in_class = !outer.empty() && std::isupper(static_cast<unsigned char>(outer[0]));
      const auto scope = outer.empty() ? std::string("namespace quarry")
                         : in_class    ? " " + outer + " {"
                                       : "namespace quarry::" + outer;
      const auto pattern = reference.kind() == "type"   ? fmt::format("(struct|class|enum class) {}\\b", name)
                           : reference.kind() == "call" ? fmt::format("[ &*>]{}\\(", name)
                                                        : fmt::format("\\b{}[{{ ;]", name);
      const bool found = declared(scope, pattern) || (outer == "sql" && declared("namespace quarry::sql", pattern)) ||
                         (outer == "sql" && declared("namespace sql {", pattern));
      EXPECT_TRUE(found) << "line " << reference.line << ": " << reference.text;
    }
}

TEST(SchemaMappingProgram, CommandsAreThere) {
  std::set<std::string> seen;
  for (const auto& reference : of_kind("command")) {
    if (!seen.insert(reference.name()).second) continue;
    std::vector<std::string> args;
    std::istringstream words(reference.name());
    for (std::string word; words >> word;) args.push_back(word);
    ASSERT_EQ(args.at(0), "quarry") << reference.text;
    args.erase(args.begin());
    const auto last = args.back();
    args.push_back("--help");
    const auto help = run({.program = QUARRY_BINARY, .args = args});
    EXPECT_EQ(help.exit.code, 0) << "line " << reference.line << ": " << reference.text << help.err;
    EXPECT_THAT(help.out, testing::HasSubstr(last)) << reference.text;
  }
  EXPECT_GT(seen.size(), 10U);
}

struct PlanRow {
  std::int64_t units = 0;
  std::int64_t tasks = 0;
  std::int64_t cents = 0;
};
BOOST_DESCRIBE_STRUCT(PlanRow, (), (units, tasks, cents))

TEST_P(SchemaMapping, SettingsAndPlansAreSeeded) {
  const auto seeded =
      run({.program = QUARRY_BINARY, .args = {"seed", "--db", database().url()}, .directory = database().folder()});
  ASSERT_EQ(seeded.exit.code, 0) << seeded.err;
  constexpr sql::Query<std::string(std::string)> find_setting{"test.setting",
                                                              "select key from system_config where key = $1"};
  constexpr sql::Query<PlanRow(std::string)> find_plan{
      "test.plan",
      "select compute_units_per_month as units, max_concurrent_tasks as tasks, price_cents as cents from subscription_plans"
      " where id = $1"};
  for (const auto& reference : of_kind("setting"))
    EXPECT_TRUE(db().read([&](Read& tx) { return tx.one(find_setting, reference.name()); }))
        << "line " << reference.line << ": " << reference.text;
  for (const auto& reference : of_kind("plan")) {
    std::istringstream words(reference.name());
    std::string id;
    PlanRow wanted;
    words >> id >> wanted.units >> wanted.tasks >> wanted.cents;
    const auto plan = db().read([&](Read& tx) { return tx.one(find_plan, id); });
    ASSERT_TRUE(plan) << "line " << reference.line << ": " << reference.text;
    EXPECT_EQ(plan->units, wanted.units) << id;
    EXPECT_EQ(plan->tasks, wanted.tasks) << id;
    EXPECT_EQ(plan->cents, wanted.cents) << id;
  }
}

TEST(SchemaMappingPage, EveryReferenceIsOfAKindThatIsChecked) {
  const std::set<std::string> kinds{"table", "column", "index",   "trigger", "value", "type",
                                    "call",  "option", "command", "setting", "plan"};
  for (const auto& reference : map())
    EXPECT_TRUE(kinds.contains(reference.kind())) << "line " << reference.line << ": " << reference.text;
  EXPECT_GT(map().size(), 300U);
}

}  // namespace
}  // namespace quarry::test
