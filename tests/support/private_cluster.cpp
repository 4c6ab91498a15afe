#include "support/private_cluster.hpp"

#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "support/temp_dir.hpp"
#include "support/watchdog.hpp"

namespace quarry::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Generous: a start is usually a tenth of a second, but a crowded machine with a sanitizer on both cores is not usual.
constexpr seconds kStartTimeout{60};
constexpr std::size_t kLogTail = 4000;

std::filesystem::path server_program(const char* name) {
  const char* const folder = std::getenv("QUARRY_TEST_POSTGRES_BIN");
  const auto program = std::filesystem::path(folder ? folder : "/usr/lib/postgresql/15/bin") / name;
  if (!std::filesystem::exists(program))
    throw std::runtime_error(
        "the tests need PostgreSQL 15, and " + program.string() +
        " is missing: run script/setup, or set QUARRY_TEST_POSTGRES_BIN to the folder of initdb and postgres");
  return program;
}

std::optional<User> server_user() {
  if (geteuid() != 0) return std::nullopt;
  const passwd* const entry = getpwnam("postgres");
  if (!entry)
    throw std::runtime_error(
        "PostgreSQL refuses to run as root, and there is no user 'postgres' to run it as: run script/setup");
  return User{entry->pw_uid, entry->pw_gid};
}

std::filesystem::path make_folder(const std::optional<User>& user, bool durable) {
  const auto root = durable ? std::filesystem::temp_directory_path() : scratch_root();
  std::string name = (root / "quarry-pg-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  if (user && chown(name.c_str(), user->uid, user->gid) != 0)
    throw std::system_error(errno, std::generic_category(), "chown " + name);
  // Whoever runs the tests may reach the socket; the data folder below it stays private to the server.
  std::filesystem::permissions(name, std::filesystem::perms{0755});
  return name;
}

bool answers(const std::string& url) { return PQping(url.c_str()) == PQPING_OK; }

/// The folder and the URL in `cluster_file()`, or nothing.
std::optional<std::string> fixture_url() {
  if (!std::filesystem::exists(cluster_file())) return std::nullopt;
  const std::string text = read_file(cluster_file());
  const std::size_t line = text.find('\n');
  if (line == std::string::npos) return std::nullopt;
  std::string url = text.substr(line + 1, text.find('\n', line + 1) - line - 1);
  if (!answers(url)) return std::nullopt;
  return url;
}

}  // namespace

PrivateCluster::PrivateCluster(ClusterOptions options)
    : options_(std::move(options)), user_(server_user()), folder_(make_folder(user_, options_.durable)) {
  watch_cluster(folder_, options_.owner != 0 ? options_.owner : getpid());
  try {
    init();
    start();
  } catch (...) {
    server_.reset();
    end_cluster(folder_);
    throw;
  }
}

PrivateCluster::~PrivateCluster() {
  if (folder_.empty()) return;
  try {
    kill_immediate();
  } catch (const std::exception&) {
    server_.reset();  // kills it
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void PrivateCluster::init() {
  const auto made = run({.program = server_program("initdb"),
                         .args = {"--pgdata=" + (folder_ / "data").string(), "--username=quarry", "--auth=trust",
                                  "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"},
                         .directory = folder_,
                         .user = user_},
                        kStartTimeout);
  if (!made.exit.ok()) throw std::runtime_error("initdb failed: " + made.err);
}

void PrivateCluster::start() {
  if (server_) throw std::logic_error("the server runs already");
  Command command{.program = server_program("postgres"), .args = {"-D", (folder_ / "data").string()}};
  std::vector<std::string> settings{"listen_addresses=", "unix_socket_directories=" + folder_.string(),
                                    "max_connections=" + std::to_string(options_.connections_max), "logging_collector=off"};
  if (!options_.durable) settings.insert(settings.end(), {"fsync=off", "full_page_writes=off", "max_wal_size=256MB"});
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  for (std::string& setting : settings) command.args.insert(command.args.end(), {"-c", std::move(setting)});
  command.directory = folder_;
  command.user = user_;
  command.dies_with_parent = false;  // the watchdog sees to that, whichever thread has started the server
  server_.emplace(Process::start(command));
  const auto deadline = std::chrono::steady_clock::now() + kStartTimeout;
  while (!answers(url())) {
    if (!server_->running()) {
      const std::string log = log_tail();
      server_.reset();
      throw std::runtime_error("PostgreSQL ended while it started: " + log);
    }
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("PostgreSQL does not answer: " + log_tail());
    std::this_thread::sleep_for(milliseconds{5});
  }
}

void PrivateCluster::stop() {
  if (!server_) return;
  server_->signal(SIGINT);
  server_->wait(kStartTimeout);
  server_.reset();
}

void PrivateCluster::kill_immediate() {
  if (!server_) return;
  server_->signal(SIGQUIT);
  server_->wait(kStartTimeout);
  server_.reset();
}

void PrivateCluster::restart() {
  stop();
  start();
}

void PrivateCluster::release() {
  if (server_) server_->release();
  server_.reset();
  folder_.clear();
}

std::string PrivateCluster::url(std::string_view database) const {
  return "postgresql:///" + std::string(database) + "?host=" + folder_.string() + "&user=quarry";
}

std::string PrivateCluster::log_tail() const {
  std::string log = server_->err();
  return log.size() > kLogTail ? log.substr(log.size() - kLogTail) : log;
}

const std::string& PrivateCluster::shared_url() {
  static std::optional<PrivateCluster> own;
  static const std::string url = [] {
    if (const char* const given = std::getenv("QUARRY_TEST_POSTGRES_URL")) return std::string(given);
    if (auto fixture = fixture_url()) return *fixture;
    own.emplace();
    return own->url();
  }();
  return url;
}

std::filesystem::path cluster_file() { return QUARRY_TEST_CLUSTER_FILE; }

void end_cluster(const std::filesystem::path& folder) {
  std::error_code gone;
  const auto pid_file = folder / "data" / "postmaster.pid";
  if (std::filesystem::exists(pid_file, gone)) {
    const pid_t pid = std::stoi(read_file(pid_file));
    const auto works_here = [&] {
      // The file may be older than a restart of the machine: only a process that works in this folder is the server.
      return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/cwd", gone) == folder / "data";
    };
    if (works_here() && kill(pid, SIGQUIT) == 0)
      for (int i = 0; i < 1000 && works_here(); ++i) std::this_thread::sleep_for(milliseconds{10});
  }
  std::filesystem::remove_all(folder, gone);
}

}  // namespace quarry::test
