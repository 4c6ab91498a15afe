/// `quarry schema`: the live schema as pages for people.

#include "cli/commands.hpp"
#include "quarry/schema/author.hpp"
#include "quarry/schema/document.hpp"
#include "quarry/schema/migrator.hpp"

namespace quarry::cli {
namespace {

struct PageResult {
  std::string engine;
  std::string markdown;
};
BOOST_DESCRIBE_STRUCT(PageResult, (), (engine, markdown))

/// Also of a database at another version: it shows what is there.
ExitCode show_page(Context& context, std::string (*page_of)(const schema::Model&, const schema::DesiredSchema&)) {
  const auto db = context.open_any_version(false, {.read_only = true});
  const auto state = schema::status(db);
  if (state.state == schema::State::empty) throw schema::MigrationError(schema::Reason::not_initialised, state.message);
  const PageResult result{std::string(to_string(db.engine())),
                          page_of(schema::introspect(db), schema::DesiredSchema::embedded())};
  context.console().result(result, [&] { context.console().raw(result.markdown); });
  return ExitCode::ok;
}

ExitCode show_diagram(Context& context) { return show_page(context, schema::diagram_page); }
ExitCode show_reference(Context& context) { return show_page(context, schema::reference_page); }

}  // namespace

void add_schema_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "schema", "The database's schema as pages for people");
  commands.add(group, "diagram", "Which tables there are and how they refer to each other, as Markdown with Mermaid",
               show_diagram);
  commands.add(group, "docs", "The reference of all tables, as Markdown", show_reference);
}

}  // namespace quarry::cli
