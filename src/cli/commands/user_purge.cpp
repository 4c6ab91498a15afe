/// `quarry user purge`: deleted users taken away for good, with all that is theirs.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/commands.hpp"
#include "cli/number_range.hpp"
#include "cli/text.hpp"
#include "quarry/accounts/users.hpp"
#include "quarry/billing/metering.hpp"
#include "quarry/core/error.hpp"
#include "quarry/ops/purge_user.hpp"

namespace quarry::cli {
namespace {

struct UserPurgeCli {
  std::string id;
  std::optional<double> deleted_days;
  double wait_s = 60;
};

struct UsersPurgedResult {
  std::int64_t users = 0;  ///< that are gone
  std::int64_t jobs = 0;
  std::int64_t tasks = 0;
  std::int64_t searches = 0;
  std::int64_t artifacts = 0;
  std::int64_t running = 0;  ///< tasks that have not ended, of users who are therefore still there
};
BOOST_DESCRIBE_STRUCT(UsersPurgedResult, (), (users, jobs, tasks, searches, artifacts, running))

/// Tries again until the user's last task has ended, or it is too late. Leases of dead workers end here, too: there may be
/// no worker left to notice.
void purge_with_patience(const Database& db, UserId user, std::chrono::steady_clock::time_point until,
                         UsersPurgedResult& sum) {
  while (true) {
    const auto purge = ops::purge_user(db, user);
    sum.jobs += purge.jobs;
    sum.tasks += purge.tasks;
    sum.searches += purge.searches;
    sum.artifacts += purge.artifacts;
    if (purge.done) {
      ++sum.users;
      return;
    }
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= std::chrono::steady_clock::duration::zero()) {
      sum.running += purge.running;
      return;
    }
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(left, std::chrono::milliseconds(500)));
    db.write([](Write& tx) { billing::reap_expired(tx); });
  }
}

ExitCode purge_users(Context& context, const UserPurgeCli& cli) {
  if (cli.id.empty() == !cli.deleted_days) throw_invalid("say either whom to purge, or --deleted-days");
  const std::optional<UserId> one = cli.id.empty() ? std::nullopt : std::optional(UserId{parse_uuid(cli.id)});
  const auto db = context.open(Access::write);
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                                            std::chrono::duration<double>(cli.wait_s));
  UsersPurgedResult result;
  if (one) {
    purge_with_patience(db, *one, until, result);
  } else {
    const auto before = db.now() - std::chrono::microseconds(static_cast<std::int64_t>(*cli.deleted_days * 86.4e9));
    while (result.running == 0) {
      const auto found = db.read([&](Read& tx) { return ops::users_deleted_before(tx, before); });
      if (found.empty()) break;
      for (const auto user : found) purge_with_patience(db, user, until, result);
    }
  }
  auto& console = context.console();
  console.result(result, [&] {
    console.line(fmt::format("{} and {} were purged; `quarry artifact gc` removes bodies that nothing names any more",
                             counted(result.users, "user"), counted(result.jobs, "job")));
    if (result.running > 0)
      console.note(fmt::format("{} not ended yet, and the users wait for that: try again",
                               counted(result.running, "task has", "tasks have")));
  });
  return result.running > 0 ? ExitCode::again : ExitCode::ok;
}

}  // namespace

void add_user_purge_command(CLI::App& user_group, Commands& commands) {
  auto cli = std::make_shared<UserPurgeCli>();
  auto* command =
      commands.add(user_group, "purge", "Take deleted users away for good, with all that is theirs", cli, purge_users);
  command->add_option("id", cli->id, "The deleted user");
  command->add_option("--deleted-days", cli->deleted_days, "All that were deleted longer ago")
      ->check(number_range(0.0, 1e5));
  command->add_option("--wait-s", cli->wait_s, "How long to wait for tasks that run; 60 by default")
      ->check(number_range(0.0, 1e5));
}

}  // namespace quarry::cli
