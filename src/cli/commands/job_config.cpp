/// `quarry job config`: what is remembered of a job by name. `quarry job config upgrade`: the jobs' own configs, brought to
/// today's version.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "quarry/crawl/stored_configs.hpp"
#include "quarry/jobs/configurations.hpp"
#include "quarry/jobs/find.hpp"

namespace quarry::cli {
namespace {

struct JobConfigCli {
  std::string id;
  std::string key;
  std::optional<std::string> value;
  bool unset = false;
};

struct JobConfigResult {
  std::vector<jobs::Configuration> configurations;
};
BOOST_DESCRIBE_STRUCT(JobConfigResult, (), (configurations))

ExitCode remember(Context& context, const JobConfigCli& cli) {
  if (cli.id.empty()) throw_invalid("say which job");
  const JobId job{parse_uuid(cli.id)};
  if ((cli.value || cli.unset) && cli.key.empty()) throw_invalid("say which key");
  if (cli.value && cli.unset) throw_invalid("say either a value or --unset");
  const auto db = context.open(cli.value || cli.unset ? Access::write : Access::read);
  if (cli.value) db.write([&](Write& tx) { jobs::set_configuration(tx, job, cli.key, cli.value); });
  if (cli.unset && !db.write([&](Write& tx) { return jobs::unset_configuration(tx, job, cli.key); }))
    throw Error(ErrorCode::not_found, fmt::format("job {} has no configuration '{}'", to_string(job), cli.key));
  JobConfigResult result;
  db.read([&](Read& tx) {
    jobs::get(tx, job);
    if (cli.key.empty() || cli.unset) return void(result.configurations = jobs::list_configurations(tx, job));
    const auto found = jobs::find_configuration(tx, job, cli.key);
    if (!found) throw Error(ErrorCode::not_found, fmt::format("job {} has no configuration '{}'", to_string(job), cli.key));
    result.configurations.push_back(*found);
  });
  auto& console = context.console();
  console.result(result, [&] {
    for (const auto& row : result.configurations)
      console.line(fmt::format("{} = {}", row.config_key, row.config_value.value_or("")));
  });
  return ExitCode::ok;
}

struct ConfigUpgradeCli {
  bool dry_run = false;
};

struct ConfigUpgradeResult {
  std::int64_t upgraded = 0;  ///< or would be
  std::int64_t kept = 0;      ///< as they are, because of a problem
  int version = crawl::config_version;
  bool dry_run = false;
  std::vector<crawl::ConfigUpgrade> jobs;
};
BOOST_DESCRIBE_STRUCT(ConfigUpgradeResult, (), (upgraded, kept, version, dry_run, jobs))

std::string upgrade_line(const crawl::ConfigUpgrade& job) {
  if (job.problem) return fmt::format("job {} stays as it is: {}", to_string(job.job_id), *job.problem);
  return fmt::format("job {} from version {}{}", to_string(job.job_id), job.from,
                     job.left_out.empty() ? "" : fmt::format(", without {}", fmt::join(job.left_out, ", ")));
}

ExitCode upgrade_configs(Context& context, const ConfigUpgradeCli& cli) {
  const auto db = context.open(cli.dry_run ? Access::read : Access::write);
  ConfigUpgradeResult result{.dry_run = cli.dry_run, .jobs = {}};
  std::optional<JobId> after;
  do {
    const crawl::ConfigUpgradeRequest request{.after = after};
    const auto page = cli.dry_run ? db.read([&](Read& tx) { return crawl::look_at_stored_configs(tx, request); })
                                  : db.write([&](Write& tx) { return crawl::upgrade_stored_configs(tx, request); });
    for (const auto& job : page.jobs) ++(job.problem ? result.kept : result.upgraded);
    result.jobs.insert(result.jobs.end(), page.jobs.begin(), page.jobs.end());
    after = page.next;
  } while (after);
  auto& console = context.console();
  console.result(result, [&] {
    for (const auto& job : result.jobs) console.line(upgrade_line(job));
    console.line(fmt::format("{} config{} {} version {}{}", result.upgraded, result.upgraded == 1 ? "" : "s",
                             cli.dry_run ? "would be brought to" : "brought to", result.version,
                             result.kept == 0 ? "" : fmt::format("; {} cannot be", result.kept)));
  });
  return result.kept == 0 ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

void add_job_config_commands(CLI::App& group, Commands& commands) {
  auto cli = std::make_shared<JobConfigCli>();
  auto* command = commands.add(group, "config", "Show or set what is remembered of a job by name", cli, remember);
  command->add_option("id", cli->id, "The job");
  command->add_option("key", cli->key, "One key; all by default");
  commands.may_be_empty(command->add_option("value", cli->value, "Set it to this"));
  command->add_flag("--unset", cli->unset, "Forget the key");
  auto upgrade_cli = std::make_shared<ConfigUpgradeCli>();
  commands.add(*command, "upgrade", "Bring the configs of stored crawls to today's version", upgrade_cli, upgrade_configs)
      ->add_flag("--dry-run", upgrade_cli->dry_run, "Only tell which there are, and what today's version has no word for");
}

}  // namespace quarry::cli
