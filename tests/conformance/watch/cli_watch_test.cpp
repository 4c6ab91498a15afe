/// `quarry health`, `stats`, `metrics` and what a running worker serves, as a monitor and an operator meet them.

#include <fmt/format.h>

#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <fstream>
#include <functional>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "conformance/cli/cli_test.hpp"
#include "quarry/queue/enqueue.hpp"
#include "unit/ops_watch/exposition.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CliWatch : public CliTest {
 protected:
  static boost::json::object check_of(const boost::json::object& report, std::string_view name) {
    for (const auto& check : report.at("checks").as_array())
      if (check.at("name").as_string() == name) return check.as_object();
    ADD_FAILURE() << "no check " << name;
    return {};
  }
  void put(int count) {
    on_real_time().write([&](Write& tx) {
      const std::vector<queue::NewTask> tasks(static_cast<std::size_t>(count),
                                              queue::NewTask{.host_key = "planted-host.example"});
      queue::enqueue(tx, queue::open_queue(tx, "mine"), tasks);
    });
  }
  std::set<std::string> listed() {
    std::set<std::string> names;
    const auto document = json({"metrics", "--list"});
    for (const auto& family : document.at("families").as_array()) names.emplace(family.at("name").as_string());
    return names;
  }
};
QUARRY_BOTH_ENGINES(CliWatch);

TEST_P(CliWatch, HealthHasALineForEachCheckAndItsExitCode) {
  const auto done = run({"health"});
  EXPECT_EQ(done.exit.code, 8) << "never backed up";
  for (const auto* name :
       {"database", "schema", "engine", "pool", "disk", "backup", "tasks", "schedules", "webhooks", "audit"})
    EXPECT_TRUE(std::regex_search(done.out, std::regex(fmt::format("(^|\n){} +(ok|notice|warning) ", name)))) << done.out;
  EXPECT_THAT(done.out, HasSubstr("never backed up and verified -> quarry backup DIR"));
  EXPECT_THAT(done.out, testing::EndsWith("live, ready, degraded\n"));
  EXPECT_EQ(run({"health", "--ready"}).exit.code, 0);
  EXPECT_EQ(run({"health", "--live"}).exit.code, 0);
  EXPECT_EQ(run({"health", "--check", "schema", "--check", "tasks"}).exit.code, 0);
  const auto report = json({"health"}, 8);
  EXPECT_TRUE(report.at("ready").as_bool());
  EXPECT_EQ(text(report, "state"), "degraded");
  EXPECT_EQ(text(check_of(report, "backup"), "state"), "warning");
  EXPECT_EQ(text(check_of(report, "schema"), "state"), "ok");
}

TEST_P(CliWatch, HealthNamesWhatIsWrongOnTheCommandLine) {
  EXPECT_THAT(refused({"health", "--check", "weather"}, 64), HasSubstr("weather"));
  refused({"health", "--timeout-ms", "0"}, 64);
  refused({"health", "--live", "--ready"}, 64);
  refused({"stats", "--hosts", "-1"}, 64);
}

TEST_P(CliWatch, WhatCannotBeReachedIsNotReady) {
  const std::string url = is_sqlite() ? "sqlite:" + (database().folder() / "absent.db").string()
                                      : "postgresql://quarry:planted-secret@/absent?host=" + database().folder().string();
  const auto done = test::run(
      {.program = QUARRY_BINARY, .args = {"health", "--json", "--timeout-ms", "300", "--db", url, "--log", "trace"}});
  EXPECT_EQ(done.exit.code, 9) << done.err;
  const auto report = document_of(done);
  EXPECT_FALSE(report.at("live").as_bool());
  EXPECT_EQ(text(check_of(report, "database"), "state"), "failed");
  EXPECT_THAT(done.out + done.err, Not(HasSubstr("planted-secret")));
  const auto metrics = test::run({.program = QUARRY_BINARY, .args = {"metrics", "--db", url}});
  EXPECT_EQ(metrics.exit.code, 9);
  const auto read = read_exposition(metrics.out);
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_EQ(read.value("quarry_health_live"), "0");
  EXPECT_EQ(test::run({.program = QUARRY_BINARY, .args = {"health", "--db", "nonsense:x"}}).exit.code, 64);
}

TEST_P(CliWatch, StatsForPeopleAndPrograms) {
  put(5);
  const auto done = run({"stats"});
  EXPECT_EQ(done.exit.code, 0) << done.err;
  EXPECT_TRUE(std::regex_search(done.out, std::regex("\nmine +5 "))) << done.out;
  EXPECT_THAT(done.out,
              testing::AllOf(HasSubstr("planted-host.example"), HasSubstr("task_queue"), HasSubstr("connections")));
  const auto figures = json({"stats", "--exact"});
  const auto& queue = figures.at("queues").as_array().at(0).as_object();
  EXPECT_EQ(text(queue, "name"), "mine");
  EXPECT_EQ(number(queue, "pending"), 5);
  for (const auto& table : figures.at("tables").as_array()) {
    EXPECT_EQ(table.at("exactness").as_string(), "exact");
    if (table.at("name").as_string() == "task_queue") {
      EXPECT_EQ(table.at("rows").to_number<int>(), 5);
    }
  }
}

TEST_P(CliWatch, MetricsAreThoseThatAreListed) {
  put(5);
  const auto done = run({"metrics"});
  EXPECT_EQ(done.exit.code, 0) << done.err;
  const auto read = read_exposition(done.out);
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_EQ(read.value("quarry_queue_tasks", {{"queue", "mine"}, {"state", "pending"}}), "5");
  EXPECT_EQ(read.value("quarry_host_pending_tasks", {{"host", "planted-host.example"}}), "5");
  EXPECT_EQ(read.value("quarry_table_rows", {{"table", "task_queue"}}), "5");
  EXPECT_EQ(read.value("quarry_health_ready"), "1");
  const auto all = listed();
  for (const auto& [family, type] : read.types) EXPECT_TRUE(all.contains(family)) << family;
  EXPECT_EQ(read_exposition(text(json({"metrics"}), "text")).types.size(), read.types.size());
}

/// Everything that the dashboard asks for exists.
TEST_P(CliWatch, TheDashboardAsksForMetricsThatThereAre) {
  std::ifstream in(QUARRY_SOURCE_DIR "/packaging/grafana/quarry.json");
  std::ostringstream file;
  file << in.rdbuf();
  const auto dashboard = boost::json::parse(file.str());
  const auto all = listed();
  const std::regex metric("\\b(?:quarry|process)_[a-z0-9_]+");
  std::set<std::string> asked;
  std::size_t expressions = 0;
  const std::function<void(const boost::json::value&)> walk = [&](const boost::json::value& value) {
    if (const auto* array = value.if_array())
      for (const auto& element : *array) walk(element);
    const auto* object = value.if_object();
    if (!object) return;
    for (const auto& [key, member] : *object) {
      if ((key != "expr" && key != "definition" && key != "query") || !member.is_string()) {
        walk(member);
        continue;
      }
      const std::string expression(member.as_string());
      if (key == "expr") ++expressions;
      for (std::sregex_iterator it(expression.begin(), expression.end(), metric), end; it != end; ++it)
        asked.insert(it->str());
    }
  };
  walk(dashboard);
  EXPECT_GT(expressions, 30U);
  EXPECT_GT(asked.size(), 30U);
  for (const auto& name : asked) {
    const auto family = std::regex_replace(name, std::regex("_(bucket|sum|count)$"), "");
    EXPECT_TRUE(all.contains(name) || (all.contains(family) && family.find("duration") != std::string::npos)) << name;
  }
}

/// A worker with its pages open, until the end of the test.
class Worker {
 public:
  explicit Worker(const Command& command) : process_(Process::start(command)) {
    process_.wait_for_output("/metrics\n");
    const auto err = process_.err();
    const auto colon = err.find("127.0.0.1:") + 10;
    port_ = err.substr(colon, err.find('/', colon) - colon);
  }
  std::string get(const std::string& target) const {
    boost::asio::ip::tcp::iostream stream("127.0.0.1", port_);
    stream << "GET " << target << " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" << std::flush;
    std::ostringstream all;
    all << stream.rdbuf();
    return all.str();
  }
  std::string body(const std::string& target) const {
    const auto answer = get(target);
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }
  Process& process() { return process_; }

 private:
  Process process_;
  std::string port_;
};

TEST_P(CliWatch, AWorkerServesItsFiguresOnTheLoopbackInterface) {
  put(3);
  Worker worker(command({"work", "--metrics-port", "0"}));
  EXPECT_THAT(worker.get("/health/live"), testing::StartsWith("HTTP/1.1 200"));
  const auto ready = worker.get("/health/ready");
  EXPECT_THAT(ready, testing::StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ready, testing::AllOf(HasSubstr("degraded\n"), HasSubstr("\nwarning backup: never")));
  const auto answer = worker.get("/metrics");
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  const auto read = read_exposition(worker.body("/metrics"));
  EXPECT_THAT(read.findings, IsEmpty());
  EXPECT_EQ(read.value("quarry_queue_tasks", {{"queue", "mine"}, {"state", "pending"}}), "3");
  EXPECT_EQ(read.value("quarry_worker_pages_total"), "0");
  EXPECT_NE(read.value("quarry_query_duration_seconds_count", {{"query", "queue.claim"}}) +
                read.value("quarry_transaction_duration_seconds_count", {{"kind", "write"}}),
            "nonenone");
  // With what has no figure yet, all that is listed is served.
  const std::set<std::string> may_be_absent{"quarry_backup_last_verified_timestamp_seconds", "quarry_database_free_bytes",
                                            "quarry_database_log_bytes", "quarry_tasks_success_ratio"};
  for (const auto& name : listed()) EXPECT_TRUE(read.types.contains(name) || may_be_absent.contains(name)) << name;
  worker.process().signal(SIGTERM);
  EXPECT_EQ(worker.process().wait().code, 0);
}

TEST_P(CliWatch, AWorkerWhoseDatabaseIsAnothersIsLiveAndNotReady) {
  Worker worker(command({"work", "--metrics-port", "127.0.0.1:0"}));
  on_real_time().write(
      [](Write& tx) { tx.session().run_script("test.newer", "update schema_migrations set checksum = 'another'"); });
  std::string ready;
  for (int i = 0; i < 200 && !ready.starts_with("HTTP/1.1 503"); ++i) {
    std::this_thread::sleep_for(50ms);
    ready = worker.get("/health/ready");
  }
  EXPECT_THAT(ready, testing::AllOf(testing::StartsWith("HTTP/1.1 503"), HasSubstr("failed schema")));
  EXPECT_THAT(worker.get("/health/live"), testing::StartsWith("HTTP/1.1 200"));
}

TEST_P(CliWatch, NothingIsServedToOtherMachines) {
  for (const auto* address : {"0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464", "example.org:9464"})
    EXPECT_THAT(refused({"work", "--until-idle", "--metrics-port", address}, 64), HasSubstr("loopback")) << address;
  refused({"work", "--until-idle", "--metrics-port", "many"}, 64);
}

/// Each line of a log in JSON, and nothing else on standard error but remarks.
std::vector<boost::json::object> log_lines(const std::string& err) {
  std::vector<boost::json::object> lines;
  std::istringstream in(err);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with('{')) continue;
    boost::json::error_code error;
    const auto value = boost::json::parse(line, error);
    EXPECT_FALSE(error) << line;
    if (!error) lines.push_back(value.as_object());
  }
  return lines;
}

TEST_P(CliWatch, SlowStatementsAreLoggedByNameAndTimeAlone) {
  db().write([&](Write& tx) {
    tx.session().run_script(
        "test.fill", is_sqlite() ? "with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000)"
                                   " insert into cache (key, value) select 'planted-key-' || i, 'planted-value' from n"
                                 : "insert into cache (key, value) select 'planted-key-' || i, 'planted-value'"
                                   " from generate_series(1, 300000) i");
  });
  const auto done = run({"stats", "--exact", "--slow-query-ms", "1", "--log-format", "json"});
  ASSERT_EQ(done.exit.code, 0) << done.err;
  const auto lines = log_lines(done.err);
  ASSERT_FALSE(lines.empty()) << done.err;
  for (const auto& line : lines) {
    EXPECT_EQ(text(line, "message"), "slow query");
    EXPECT_EQ(text(line, "level"), "warning");
    EXPECT_THAT(text(line, "query"), testing::MatchesRegex("[a-z_]+\\.[a-z_]+"));
    EXPECT_GE(number(line, "duration_ms"), 1);
  }
  EXPECT_THAT(done.err, Not(HasSubstr("planted")));
  EXPECT_THAT(run({"stats", "--exact", "--slow-query-ms", "1"}).err, HasSubstr("slow query query=stats."));
  EXPECT_THAT(run({"stats", "--slow-query-ms", "86400000"}).err, Not(HasSubstr("slow query")));
  refused({"stats", "--slow-query-ms", "0"}, 64);
  refused({"stats", "--log-format", "xml"}, 64);
}

TEST_P(CliWatch, LogsHoldNoSecretsAtAnyLevelAndNoRowsAboveDebug) {
  std::string url = database().url();
  if (is_postgres())
    url += (url.find('?') == std::string::npos ? "?" : "&") + std::string("password=planted-secret-of-the-server");
  std::string log;
  std::string printed;
  const auto go = [&](Args args, const std::string& input, const std::string& level) {
    args.insert(args.end(), {"--log", level, "--log-format", "json", "--slow-query-ms", "1", "--blobs",
                             (database().folder() / "blobs").string()});
    const auto done = test::run({.program = QUARRY_BINARY,
                                 .args = args,
                                 .environment = {{"QUARRY_DB", url}},
                                 .directory = database().folder(),
                                 .input = input});
    log_lines(done.err);
    log += done.err;
    printed += done.out;
    return done;
  };
  for (const std::string level : {"trace", "info"}) {
    const auto name = "planted-user-" + level;
    log.clear();
    go({"user", "add", name, "--email", name + "@planted.example"}, "planted-secret-password\n", level);
    go({"user", "add", name, "--email", name + "@planted.example"}, "planted-secret-password\n", level);
    const auto key = go({"key", "add", name, "--name", "planted-key", "--json"}, "", level);
    const auto session = go({"session", "open", name}, "planted-secret-password\n", level);
    go({"session", "open", name}, "planted-secret-wrong\n", level);
    go({"setting", "keygen", "keys-" + level}, "", level);
    go({"setting", "set", "smtp." + level, "--sensitive", "--stdin", "--keys", "keys-" + level}, "planted-secret-setting",
       level);
    go({"job", "submit", "https://planted.example/planted-path?token=planted-secret-in-a-url"}, "", level);
    for (const Args& args : {Args{"health"}, Args{"stats"}, Args{"metrics"}, Args{"queue", "list"}, Args{"user", "list"}})
      go(args, "", level);
    EXPECT_EQ(key.exit.code, 0) << key.err;
    EXPECT_THAT(log, Not(HasSubstr("planted-secret"))) << "at level " << level;
    if (level == "info") {
      EXPECT_THAT(log, Not(HasSubstr("@planted.example"))) << "rows are told at debug at most";
    }
    // What was made and shown once is in no log either.
    const std::regex secret("[A-Za-z0-9_]{40,}");
    std::size_t secrets = 0;
    for (const auto& shown : {key.out, session.out})
      for (std::sregex_iterator it(shown.begin(), shown.end(), secret), end; it != end; ++it, ++secrets) {
        EXPECT_THAT(log, Not(HasSubstr(it->str())));
      }
    EXPECT_GE(secrets, 2U) << key.out << session.out;
  }
  EXPECT_THAT(printed, Not(HasSubstr("planted-secret-password")));
}

}  // namespace
}  // namespace quarry::test
