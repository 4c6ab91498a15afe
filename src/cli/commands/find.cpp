/// `quarry find WORDS`: full-text search over what was fetched.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "cli/text.hpp"
#include "quarry/artifacts/search.hpp"

namespace quarry::cli {
namespace {

struct FindCli {
  std::vector<std::string> words;
  std::string job;
  std::string cursor;
  int limit = 10;
};

struct FindResult {
  std::string query;
  std::vector<artifacts::SearchHit> hits;
  std::optional<std::string> next;  ///< for --after; nothing on the last page
};
BOOST_DESCRIBE_STRUCT(FindResult, (), (query, hits, next))

/// Marks that no text holds (private use), for a terminal to show in bold.
constexpr std::string_view bold_begin = "\xEE\x80\x80", bold_end = "\xEE\x80\x81";

std::string with_bold(std::string text) {
  const auto replace = [&](std::string_view mark, std::string_view code) {
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + code.size()))
      text.replace(at, mark.size(), code);
  };
  replace(bold_begin, "\x1b[1m");
  replace(bold_end, "\x1b[0m");
  return text;
}

void print(Console& console, const FindResult& result) {
  int number = 0;
  for (const auto& hit : result.hits) {
    console.raw(fmt::format("{}{}. {}\n", number == 0 ? "" : "\n", number + 1,
                            console.strong(printable(hit.title.value_or("(no title)")))));
    ++number;
    if (hit.source_url) console.line(*hit.source_url);
    const auto snippet = printable(hit.snippet);
    console.raw((console.terminal().colour ? with_bold(snippet) : snippet) + "\n");
  }
  if (result.hits.empty()) console.note("nothing was found");
  if (result.next) console.note(fmt::format("there is more: --after {}", *result.next));
}

ExitCode find(Context& context, const FindCli& cli) {
  auto& console = context.console();
  artifacts::SearchRequest request;
  request.query = fmt::format("{}", fmt::join(cli.words, " "));
  request.limit = cli.limit;
  if (!cli.job.empty()) request.job_id = JobId{parse_uuid(cli.job)};
  if (!cli.cursor.empty()) request.cursor = cli.cursor;
  if (console.terminal().colour && !console.json()) {
    request.mark_begin = bold_begin;
    request.mark_end = bold_end;
  }
  auto page = context.open(Access::read).read([&](Read& tx) { return artifacts::search(tx, request); });
  const FindResult result{request.query, std::move(page.items), std::move(page.next)};
  console.result(result, [&] { print(console, result); });
  return ExitCode::ok;
}

}  // namespace

void add_find_command(CLI::App& app, Commands& commands) {
  auto cli = std::make_shared<FindCli>();
  auto* command = commands.add(app, "find",
                               "Search in what was fetched: words, \"a phrase\", -without, this OR that, begin*", cli, find);
  command->add_option("words", cli->words, "What to look for; behind -- when a word begins with -")->required();
  command->add_option("--job", cli->job, "Only in this job's pages");
  command->add_option("--limit", cli->limit, "Hits at most; 10 by default")->check(CLI::Range(1, 100));
  command->add_option("--after", cli->cursor, "Where the page before ended")->type_name("CURSOR");
}

}  // namespace quarry::cli
