/// Random histories of the queue in a process that is killed again and again: what it said to have done is done, the step
/// that it was at is done or not, and nothing else has changed. So nothing is lost, doubled or stuck, since the model knows
/// of nothing like it.
///
/// 30 kills on each engine, 1000 with QUARRY_TEST_LONG=1.

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>
#include <sstream>
#include <thread>

#include "conformance/queue/counters.hpp"
#include "fault/seed.hpp"
#include "property/queue/model.hpp"
#include "property/queue/real_queue.hpp"
#include "support/migrated_database.hpp"
#include "support/process.hpp"

namespace quarry::test {
namespace {

constexpr sql::Query<std::int64_t()> others_at_work{
    "test.others_at_work", sql::sqlite("select 0"),
    sql::postgres(
        "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'queue-child'")};

/// Enough to be killed in the middle, however fast the machine.
constexpr int steps_max = 400;

class QueueCrashes : public MigratedEngines {
 protected:
  Step any_step() {
    static constexpr std::array weights{12, 12, 8, 5, 3, 3, 8, 2, 1, 3, 2, 1, 1, 2, 1, 2, 1, 3, 2, 2, 1};
    static_assert(weights.size() == static_cast<std::size_t>(Verb::restart) + 1);
    std::discrete_distribution<int> verb(weights.begin(), weights.end());
    std::uniform_int_distribution<unsigned> number(0, 999);
    const auto chosen = static_cast<Verb>(verb(random_));
    const auto a = number(random_), b = number(random_);
    return {chosen, a, b};
  }
  std::vector<Step> any_history() {
    std::vector<Step> steps(steps_max);
    for (auto& step : steps) step = any_step();
    return steps;
  }

  static std::string input_for(const Model& model, const std::vector<Step>& steps) {
    std::ostringstream text;
    text << model.now << ' ' << model.leases.size() << '\n';
    for (const auto& lease : model.leases) text << lease.task << ' ' << lease.token << '\n';
    for (const auto& step : steps) text << static_cast<int>(step.verb) << ' ' << step.a << ' ' << step.b << '\n';
    return text.str();
  }
  std::string url_for_child() {
    const auto& url = database().url();
    if (is_sqlite()) return url;
    return url + (url.find('?') == std::string::npos ? "?" : "&") + "application_name=queue-child";
  }

  /// What it said to have done before it was killed.
  std::vector<std::string> run_and_kill(const Model& model, const std::vector<Step>& steps, int longest_ms) {
    auto child = Process::start({.program = QUEUE_CHILD, .args = {url_for_child()}, .input = input_for(model, steps)});
    std::this_thread::sleep_for(std::chrono::milliseconds(std::uniform_int_distribution(1, longest_ms)(random_)));
    if (const auto exit = child.wait_for(std::chrono::milliseconds(0)))
      EXPECT_EQ(exit->code, 0) << child.err();
    else
      child.kill();
    // What it had sent to the server may still be under way.
    while (db().read([](Read& tx) { return tx.value(others_at_work); }) > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::vector<std::string> lines;
    std::istringstream said(child.out());
    for (std::string line; std::getline(said, line) && !said.eof();) lines.push_back(line);
    return lines;
  }

  static std::string line_of(const Model& model) {
    std::string line = "did";
    for (const auto number : model.outcome) line += " " + std::to_string(number);
    return line;
  }

  std::mt19937_64 random_{test_seed()};
};
QUARRY_BOTH_ENGINES(QueueCrashes);

TEST_P(QueueCrashes, LeaveWhatWasDoneAndNothingElse) {
  RealQueue real(db(), database().clock(), [] {});
  Model model;
  model.now = TestDatabase::kStart.us;
  real.begin(model);
  int longest_ms = 100;
  std::size_t done = 0;
  for (int left = std::getenv("QUARRY_TEST_LONG") ? 1000 : 30; left > 0; --left) {
    if (model.tasks.size() > 200) {
      model = {};
      model.now = TestDatabase::kStart.us;
      real.begin(model);
    }
    const auto steps = any_history();
    const auto said = run_and_kill(model, steps, longest_ms);
    ASSERT_LE(said.size(), steps.size());
    for (std::size_t i = 0; i < said.size(); ++i) {
      model.apply(steps[i]);
      ASSERT_EQ(said[i], line_of(model)) << steps[i];
    }
    done += said.size();
    // However slow the machine is, something is done now and then.
    longest_ms = said.empty() ? std::min(longest_ms * 2, 10'000) : longest_ms;
    real.find_tasks();
    auto found = real.look();
    if (found != real.look(model)) {
      ASSERT_LT(said.size(), steps.size()) << "all was done, but not so";
      model.apply(steps[said.size()]);
      ASSERT_EQ(found, real.look(model)) << "killed at " << steps[said.size()];
    }
    expect_counters_equal_rows(db());
  }
  EXPECT_GT(done, 0U);
}

}  // namespace
}  // namespace quarry::test
