/// `quarry job submit`: a job for whoever works on the queue.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/commands/crawl_only.hpp"
#include "cli/commands/crawl_submit.hpp"
#include "cli/json.hpp"
#include "cli/read_file.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/jobs/submit.hpp"
#include "quarry/ops/policy.hpp"
#include "quarry/store/checks.hpp"

namespace quarry::cli {
namespace {

struct SubmitCli : TargetCli {
  std::string title;
  std::string type = "crawl";
  std::string description;
  std::vector<std::string> keywords;
  int priority = queue::priority_default;
  std::string depends_on;
};

constexpr std::size_t title_characters = 255;

struct SubmitResult {
  jobs::Job job;
  std::int64_t tasks = 0;
};
BOOST_DESCRIBE_STRUCT(SubmitResult, (), (job, tasks))

jobs::NewJob job_of(const SubmitCli& cli) {
  jobs::NewJob job;
  job.job_type = cli.type;
  job.title = cli.title;
  job.keywords = cli.keywords;
  job.priority = cli.priority;
  if (!cli.description.empty()) job.description = cli.description;
  if (!cli.depends_on.empty()) job.depends_on_job_id = JobId{parse_uuid(cli.depends_on)};
  return job;
}

/// Only their worker knows what a config of theirs means; a URL is where a crawl has it, in `targetUrl`.
Json config_of_own(const SubmitCli& cli) {
  refuse_crawl_options(cli, "is for a crawl: a job of another type has what its worker wants in its --config");
  if (cli.config_file.empty())
    return Json{cli.url.empty() ? "{}" : boost::json::serialize(boost::json::object{{"targetUrl", cli.url}})};
  auto text = read_file(cli.config_file, "the job's config", 1 << 20);
  if (cli.url.empty()) return Json{std::move(text)};
  boost::json::error_code error;
  auto config = boost::json::parse(text, error);
  if (error || !config.is_object()) throw_invalid(fmt::format("{} is no JSON object", cli.config_file));
  if (!all_finite(config))
    throw_invalid(
        fmt::format("{} holds a number beyond a double's range (1.8e308): give it as a text in quotes", cli.config_file));
  config.as_object()["targetUrl"] = cli.url;
  return Json{boost::json::serialize(config)};
}

ExitCode submit(Context& context, const SubmitCli& cli) {
  auto job = job_of(cli);
  std::optional<crawl::JobConfig> config;
  if (cli.type == "crawl") {
    config = job_config_of(cli);
    if (cli.title.empty()) job.title = store::first_characters(config->target_url->text(), title_characters);
  } else {
    job.config = config_of_own(cli);
    if (cli.title.empty()) job.title = store::first_characters(cli.url, title_characters);
    if (job.title.empty()) throw_invalid("a job of your own type has no title: give one with --title, or a URL");
  }
  // A crawl comes with its first page; other jobs get their tasks from whoever made them.
  const auto result = context.open(Access::write).write([&](Write& tx) {
    job.user_id = accounts::ensure_local_user(tx);
    job.open_jobs_max = ops::read_policy(tx).open_jobs_max;
    if (!config) return SubmitResult{jobs::submit(tx, job), 0};
    const auto made = submit_crawl(tx, job, *config);
    return SubmitResult{made.job, made.tasks};
  });
  auto& console = context.console();
  console.result(result, [&] { console.line(to_string(result.job.id)); });
  return ExitCode::ok;
}

}  // namespace

void add_job_submit_command(CLI::App& group, Commands& commands) {
  auto cli = std::make_shared<SubmitCli>();
  auto* command =
      commands.add(group, "submit", "Put a job into the queue, for `quarry work` to do; prints its id", cli, submit);
  add_target_options(*command, *cli);
  command->add_option("--title", cli->title, "1 to 255 characters; the URL by default");
  command->add_option("--type", cli->type, "`crawl` by default; jobs of other types are for workers of your own");
  command->add_option("--description", cli->description, "For people");
  command->add_option("--keyword", cli->keywords, "For people to find it by; may be said several times")
      ->allow_extra_args(false);
  command->add_option("--priority", cli->priority, "1 (highest) to 10; 5 by default")->check(CLI::Range(1, 10));
  command->add_option("--depends-on", cli->depends_on, "A job that must end first")->type_name("JOB");
}

}  // namespace quarry::cli
