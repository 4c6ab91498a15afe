/// `quarry search`: one question asked of several sources, and what they answered.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/commands/crawl_options.hpp"
#include "cli/interrupt.hpp"
#include "cli/number_range.hpp"
#include "cli/page_options.hpp"
#include "cli/read_file.hpp"
#include "cli/text.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/crawl/search_run.hpp"
#include "quarry/jobs/change.hpp"
#include "quarry/jobs/find.hpp"
#include "quarry/ops/policy.hpp"
#include "quarry/queue/until_done.hpp"

namespace quarry::cli {
namespace {

using searches::SearchStatus;

constexpr std::size_t sources_bytes_max = 1 << 20;

struct RunCli : WorkerCli {
  std::string query;
  std::string sources_file;
  std::vector<std::string> only;
  double max_age_hours = 24;
  bool submit_only = false;
};

std::vector<crawl::SearchSource> sources_of(const RunCli& cli) {
  auto sources = crawl::parse_sources(read_file(cli.sources_file, "the file of sources", sources_bytes_max));
  if (cli.only.empty()) return sources;
  std::vector<crawl::SearchSource> chosen;
  for (const auto& name : cli.only) {
    const auto found = std::ranges::find(sources, name, &crawl::SearchSource::name);
    if (found == sources.end()) throw_invalid(fmt::format("{} has no source '{}'", cli.sources_file, name));
    chosen.push_back(*found);
  }
  return chosen;
}

struct RunResult {
  searches::Search search;
  std::vector<JobId> jobs;
  bool from_before = false;
  bool interrupted = false;
  std::int64_t results = 0;
};
BOOST_DESCRIBE_STRUCT(RunResult, (), (search, jobs, from_before, interrupted, results))

void show_results(Console& console, const std::vector<searches::SearchResult>& rows) {
  Table table({{"#", Align::right}, {"SOURCE"}, {"TITLE"}, {"URL"}});
  for (const auto& row : rows)
    table.row({row.position ? fmt::format("{}", *row.position) : "-", row.source, row.title.value_or(""), row.url});
  if (table.empty())
    console.note("there are no results");
  else
    console.print(table);
}

void show_run(Console& console, const Database& db, const RunResult& result) {
  const auto id = to_string(result.search.id);
  if (result.from_before)
    console.note(fmt::format("answered by an earlier search, of {}", human_time(*result.search.completed_at)));
  console.line(fmt::format("search {} is {}: {} results", id, to_string(result.search.status), result.results));
  const auto top = db.read([&](Read& tx) { return searches::list_results(tx, result.search.id, {}, {.limit = 10}); });
  if (!top.rows.empty()) show_results(console, top.rows);
  if (top.next) console.note(fmt::format("there are more: quarry search results {}", id));
}

/// Does the search's jobs until it has ended, or Ctrl-C.
void work_on(const Database& db, Context& context, const RunCli& cli, const Interrupt& interrupt, SearchId id) {
  artifacts::FileBlobStore blobs(context.settings().blobs);
  auto options = worker_options_of(cli);
  options.finished = [&] { return !searches::is_open(db.read([&](Read& tx) { return searches::get(tx, id).status; })); };
  crawl::Worker(db, blobs, std::move(options)).run(interrupt.token());
}

ExitCode run(Context& context, const RunCli& cli) {
  const auto sources = sources_of(cli);
  const auto db = context.open(Access::write);
  const Interrupt interrupt;
  const auto max_age = std::chrono::microseconds(static_cast<std::int64_t>(cli.max_age_hours * 3.6e9));
  auto started = db.write([&](Write& tx) {
    return crawl::start_search(tx, {.user_id = accounts::ensure_local_user(tx),
                                    .query = cli.query,
                                    .sources = sources,
                                    .max_age = max_age,
                                    .open_jobs_max = ops::read_policy(tx).open_jobs_max});
  });
  if (!started.from_before && !cli.submit_only) work_on(db, context, cli, interrupt, started.search.id);
  RunResult result{std::move(started.search), std::move(started.jobs), started.from_before};
  db.read([&](Read& tx) {
    result.search = searches::get(tx, result.search.id);
    result.results = searches::count_results(tx, result.search.id);
  });
  result.interrupted = interrupt.signal() != 0 && searches::is_open(result.search.status);
  auto& console = context.console();
  console.result(result, [&] { show_run(console, db, result); });
  if (result.interrupted) {
    console.note("interrupted; `quarry work` goes on where this stopped");
    return ended_by(interrupt.signal());
  }
  return result.search.status == SearchStatus::failed ? ExitCode::failed : ExitCode::ok;
}

struct SearchListCli {
  std::optional<SearchStatus> status;
  std::string source;
  std::string text;
  searches::SearchOrder by = searches::SearchOrder::created_at;
  bool reverse = false;
  PageRequest page;
};
struct SearchListResult {
  std::vector<searches::Search> searches;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(SearchListResult, (), (searches, next, total))

void note_page(Console& console, const std::optional<std::int64_t>& total, const std::optional<std::string>& next) {
  if (total) console.note(fmt::format("{} in all", *total));
  if (next) console.note(fmt::format("there are more: --after {}", *next));
}

ExitCode list(Context& context, const SearchListCli& cli) {
  searches::SearchFilter filter{.status = cli.status};
  if (!cli.source.empty()) filter.source = cli.source;
  if (!cli.text.empty()) filter.text = cli.text;
  searches::SearchListOrder order{.by = cli.by};
  if (cli.reverse) order.direction = store::Direction::ascending;
  auto page = context.open(Access::read).read([&](Read& tx) { return searches::list(tx, filter, cli.page, order); });
  const SearchListResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    Table table({{"SEARCH"}, {"STATUS"}, {"SOURCES"}, {"CREATED"}, {"QUERY"}});
    for (const auto& search : result.searches)
      table.row({to_string(search.id), std::string(to_string(search.status)),
                 fmt::format("{}", fmt::join(search.sources, ", ")), human_time(search.created_at), search.query});
    if (table.empty())
      console.note("there are no such searches");
    else
      console.print(table);
    note_page(console, result.total, result.next);
  });
  return ExitCode::ok;
}

struct OneSearchCli {
  std::string id;
  SearchId search() const { return {parse_uuid(id)}; }
};

struct ShowResult {
  searches::Search search;
  std::vector<jobs::Job> jobs;
  std::int64_t results = 0;
};
BOOST_DESCRIBE_STRUCT(ShowResult, (), (search, jobs, results))

ExitCode show(Context& context, const OneSearchCli& cli) {
  const auto result = context.open(Access::read).read([&](Read& tx) {
    return ShowResult{searches::get(tx, cli.search()), jobs::list(tx, {.search_id = cli.search()}, {.limit = 100}).rows,
                      searches::count_results(tx, cli.search())};
  });
  auto& console = context.console();
  console.result(result, [&] {
    Fields fields;
    fields.add("search", to_string(result.search.id));
    fields.add("query", result.search.query);
    fields.add("status", std::string(to_string(result.search.status)));
    fields.add("results", fmt::format("{}", result.results));
    fields.add("created", human_time(result.search.created_at));
    if (result.search.completed_at) fields.add("ended", human_time(*result.search.completed_at));
    fields.add_if("error", result.search.error_message);
    console.print(fields);
    Table table({{"SOURCE"}, {"STATUS"}, {"DONE", Align::right}, {"FAILED", Align::right}, {"JOB"}});
    for (const auto& job : result.jobs)
      table.row({job.scraper_name.value_or(""), std::string(jobs::to_string(job.status)),
                 fmt::format("{}", job.processed_items), fmt::format("{}", job.failed_items), to_string(job.id)});
    if (!table.empty()) console.print(table);
  });
  return ExitCode::ok;
}

struct ResultsCli : OneSearchCli {
  std::string source;
  std::string text;
  PageRequest page;
};
struct ResultsResult {
  std::vector<searches::SearchResult> results;
  std::optional<std::string> next;
  std::optional<std::int64_t> total;
};
BOOST_DESCRIBE_STRUCT(ResultsResult, (), (results, next, total))

ExitCode results(Context& context, const ResultsCli& cli) {
  searches::ResultFilter filter;
  if (!cli.source.empty()) filter.source = cli.source;
  if (!cli.text.empty()) filter.text = cli.text;
  auto page =
      context.open(Access::read).read([&](Read& tx) { return searches::list_results(tx, cli.search(), filter, cli.page); });
  const ResultsResult result{std::move(page.rows), std::move(page.next), page.total};
  auto& console = context.console();
  console.result(result, [&] {
    show_results(console, result.results);
    note_page(console, result.total, result.next);
  });
  return ExitCode::ok;
}

ExitCode cancel(Context& context, const OneSearchCli& cli) {
  const auto db = context.open(Access::write);
  const auto jobs = db.read([&](Read& tx) {
    searches::get(tx, cli.search());
    return jobs::list(tx, {.search_id = cli.search()}, {.limit = 100}).rows;
  });
  for (const auto& job : jobs) {
    if (!jobs::is_open(job.status)) continue;
    queue::until_done([&] { return db.write([&](Write& tx) { return jobs::cancel(tx, job.id); }); });
  }
  const auto search = db.read([&](Read& tx) { return searches::get(tx, cli.search()); });
  auto& console = context.console();
  console.result(search, [&] { console.line(fmt::format("search {} is {}", cli.id, to_string(search.status))); });
  return ExitCode::ok;
}

struct SearchPurgedResult {
  SearchId search;
  std::int64_t jobs = 0;
};
BOOST_DESCRIBE_STRUCT(SearchPurgedResult, (), (search, jobs))

ExitCode purge(Context& context, const OneSearchCli& cli) {
  const auto db = context.open(Access::write);
  SearchPurgedResult result{.search = cli.search()};
  const auto jobs = db.read([&](Read& tx) {
    searches::get(tx, cli.search());
    return jobs::list(tx, {.search_id = cli.search()}, {.limit = 100}).rows;
  });
  for (const auto& job : jobs) {
    queue::until_done([&] { return db.write([&](Write& tx) { return jobs::purge(tx, job.id); }); });
    ++result.jobs;
  }
  db.write([&](Write& tx) { searches::purge(tx, cli.search()); });
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("search {} is gone, with its {} jobs and its results", cli.id, result.jobs));
  });
  return ExitCode::ok;
}

}  // namespace

void add_search_commands(CLI::App& app, Commands& commands) {
  auto& group = *commands.group(app, "search", "Ask several sources one question, and read what they answered");
  const auto add = [&](const char* name, const char* help, ExitCode (*action)(Context&, const OneSearchCli&)) {
    auto cli = std::make_shared<OneSearchCli>();
    commands.add(group, name, help, cli, action)->add_option("id", cli->id, "The search")->required();
  };
  {
    auto cli = std::make_shared<RunCli>();
    auto* command = commands.add(group, "run", "Ask the sources, unless a fresh answer is there", cli, run);
    command->add_option("query", cli->query, "What to search for")->required();
    command->add_option("--sources", cli->sources_file, "A JSON file of sources by name")->type_name("FILE")->required();
    command->add_option("--source", cli->only, "Only this one of them; may be repeated")->type_name("NAME");
    command
        ->add_option("--max-age-hours", cli->max_age_hours, "How old an earlier answer may be; 24 by default, 0 asks anew")
        ->check(number_range(0.0, 1e6));
    command->add_flag("--submit-only", cli->submit_only, "Leave the asking to `quarry work`");
    add_worker_options(*command, *cli);
  }
  {
    auto cli = std::make_shared<SearchListCli>();
    auto* command = commands.add(group, "list", "List searches, the newest first", cli, list);
    add_enum<SearchStatus>(*command, "--status", cli->status, "Only searches in this state");
    command->add_option("--source", cli->source, "Only searches that asked this source");
    command->add_option("--text", cli->text, "Only searches with this in their query");
    add_enum<searches::SearchOrder>(*command, "--sort", cli->by, "By created_at (default) or query");
    command->add_flag("--reverse", cli->reverse, "The lowest first, instead of the highest");
    add_page_options(*command, cli->page);
  }
  add("show", "Show a search and its jobs", show);
  {
    auto cli = std::make_shared<ResultsCli>();
    auto* command = commands.add(group, "results", "List what the sources answered, by position", cli, results);
    command->add_option("id", cli->id, "The search")->required();
    command->add_option("--source", cli->source, "Only of this source");
    command->add_option("--text", cli->text, "Only with this in the title or the snippet");
    add_page_options(*command, cli->page);
  }
  add("cancel", "Cancel a search's jobs", cancel);
  add("purge", "Remove a search that has ended, with its jobs and results", purge);
}

}  // namespace quarry::cli
