#pragma once
/// Every command, by its words. Each file in `commands/` adds one group; what a command's options say is kept with its
/// action.

#include <CLI/CLI.hpp>
#include <boost/describe.hpp>
#include <boost/mp11/algorithm.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/context.hpp"

namespace quarry::cli {

/// The tree of commands while it is built, and the action of the one that was named.
class Commands {
 public:
  /// A command that does something.
  template <class Options>
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help, std::shared_ptr<Options> options,
                ExitCode (*action)(Context&, const Options&)) {
    auto* command = group(parent, name, help);
    command->require_subcommand(0);
    command->callback([this, command, options, action] {
      if (!command->get_subcommands().empty()) return;  // a longer command was named
      chosen_ = [options, action](Context& context) { return action(context, *options); };
    });
    return command;
  }
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help, ExitCode (*action)(Context&)) {
    auto* command = group(parent, name, help);
    command->require_subcommand(0);
    command->callback([this, action] { chosen_ = action; });
    return command;
  }
  /// A word that others follow.
  CLI::App* group(CLI::App& parent, const std::string& name, const std::string& help) {
    auto* command = parent.add_subcommand(name, help);
    command->require_subcommand(1);
    return command;
  }
  /// For an option, or an argument, to which an empty value says something: that a text is cleared, that a value is empty.
  CLI::Option* may_be_empty(CLI::Option* option) {
    may_be_empty_.insert(option);
    return option;
  }
  /// An option that may be repeated and replaces a list of words. One empty word alone takes all of them away: the list is
  /// there then, and empty. (The parser would make nothing of it where there is an optional list to fill.)
  CLI::Option* add_words(CLI::App& command, const std::string& name, std::optional<std::vector<std::string>>& words,
                         const std::string& help) {
    const auto take = [&words](const std::vector<std::string>& said) {
      words = said.size() == 1 && said.front().empty() ? std::vector<std::string>{} : said;
    };
    return may_be_empty(command.add_option_function<std::vector<std::string>>(name, take, help)->allow_extra_args(false));
  }
  bool is_empty_allowed(const CLI::Option& option) const { return may_be_empty_.contains(&option); }
  const Action& chosen() const noexcept { return chosen_; }

 private:
  std::set<const CLI::Option*> may_be_empty_;
  Action chosen_;
};

/// The names of an enum, for `CLI::IsMember`.
template <class E>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
      [&](auto enumerator) { names.emplace_back(enumerator.name); });
  return names;
}

/// An option whose value is one of an enum's names. `into` must be one of the default `E`s until it is read.
template <class E, class Into>
CLI::Option* add_enum(CLI::App& command, const std::string& name, Into& into, const std::string& help) {
  return command
      .add_option_function<std::string>(
          name,
          [&into](const std::string& text) {
            boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto enumerator) {
              if (text == enumerator.name) into = enumerator.value;
            });
          },
          help)
      ->check(CLI::IsMember(names_of<E>()));
}

void add_init_command(CLI::App& app, Commands& commands);
void add_config_command(CLI::App& app, Commands& commands);
void add_migrate_commands(CLI::App& app, Commands& commands);
void add_validate_command(CLI::App& app, Commands& commands);
void add_schema_commands(CLI::App& app, Commands& commands);
void add_queue_commands(CLI::App& app, Commands& commands);
void add_task_commands(CLI::App& queue_group, Commands& commands);
void add_host_commands(CLI::App& queue_group, Commands& commands);
void add_job_commands(CLI::App& app, Commands& commands);
void add_job_submit_command(CLI::App& job_group, Commands& commands);
void add_job_change_commands(CLI::App& job_group, Commands& commands);
void add_job_config_commands(CLI::App& job_group, Commands& commands);
void add_job_log_command(CLI::App& job_group, Commands& commands);
void add_crawl_commands(CLI::App& app, Commands& commands);
void add_artifact_commands(CLI::App& app, Commands& commands);
void add_artifact_change_commands(CLI::App& artifact_group, Commands& commands);
void add_artifact_upkeep_commands(CLI::App& artifact_group, Commands& commands);
void add_find_command(CLI::App& app, Commands& commands);
void add_search_commands(CLI::App& app, Commands& commands);
void add_cache_commands(CLI::App& app, Commands& commands);
void add_cache_compute_command(CLI::App& group, Commands& commands);
void add_limit_commands(CLI::App& app, Commands& commands);
void add_seed_command(CLI::App& app, Commands& commands);
void add_maintain_command(CLI::App& app, Commands& commands);
void add_setting_commands(CLI::App& app, Commands& commands);
void add_audit_commands(CLI::App& app, Commands& commands);
void add_schedule_commands(CLI::App& app, Commands& commands);
void add_user_commands(CLI::App& app, Commands& commands);
void add_user_purge_command(CLI::App& user_group, Commands& commands);
void add_user_change_commands(CLI::App& user_group, Commands& commands);
void add_session_commands(CLI::App& app, Commands& commands);
void add_key_commands(CLI::App& app, Commands& commands);
void add_plan_commands(CLI::App& app, Commands& commands);
void add_subscription_commands(CLI::App& app, Commands& commands);
void add_usage_commands(CLI::App& app, Commands& commands);
void add_usage_upkeep_commands(CLI::App& usage_group, Commands& commands);
void add_billing_commands(CLI::App& app, Commands& commands);
/// `health`, `stats` and `metrics`.
void add_watch_commands(CLI::App& app, Commands& commands);
void add_backup_commands(CLI::App& app, Commands& commands);
void add_backup_pitr_commands(CLI::App& backup_group, Commands& commands);
void add_restore_command(CLI::App& app, Commands& commands);

}  // namespace quarry::cli
