/// `quarry cache compute`: a value from the cache, or what a command says, which is run by one program at a time.

#include <fmt/format.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/number_range.hpp"
#include "cli/text.hpp"
#include "quarry/cache/cache.hpp"

namespace quarry::cli {
namespace {

struct CacheComputeCli {
  std::string key;
  std::string run;
  std::optional<double> ttl_s;
  double compute_max_s = 30;
};
struct CacheComputeResult {
  std::string key;
  std::optional<std::string> value;  ///< nothing when the command failed
  bool computed = false;
};
BOOST_DESCRIBE_STRUCT(CacheComputeResult, (), (key, value, computed))

/// Thrown through the cache, which keeps nothing then.
struct CommandFailed {
  int status;
};

/// What a command of the shell says, without its last line break.
std::string output_of(const std::string& command) {
  constexpr std::size_t bytes_max = std::size_t{16} << 20;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw Error(ErrorCode::unavailable, "no shell could be started to run the command");
  std::string output;
  std::array<char, 65'536> buffer{};
  for (std::size_t got = 1; got > 0 && output.size() <= bytes_max; output.append(buffer.data(), got))
    got = std::fread(buffer.data(), 1, buffer.size(), pipe);
  if (const int status = pclose(pipe); status != 0 && output.size() <= bytes_max) throw CommandFailed{status};
  if (output.ends_with('\n')) output.pop_back();
  return output;
}

ExitCode compute(Context& context, const CacheComputeCli& cli) {
  cache::Ttl ttl;
  if (cli.ttl_s) ttl = std::chrono::microseconds(static_cast<std::int64_t>(*cli.ttl_s * 1e6));
  const std::chrono::milliseconds compute_max(static_cast<std::int64_t>(cli.compute_max_s * 1e3));
  cache::Cache cache(context.open(Access::write), {.compute_max = compute_max});
  auto& console = context.console();
  CacheComputeResult result{cli.key, {}, false};
  try {
    result.value = cache.get_or_compute(cli.key, ttl, [&] { return output_of(cli.run); });
    result.computed = cache.statistics().computations > 0;
    console.result(result, [&] { console.line(*result.value); });
    return ExitCode::ok;
  } catch (const CommandFailed& failed) {
    console.result(result, [&] {
      console.note(WIFEXITED(failed.status)
                       ? fmt::format("the command ended with {}: nothing was kept", WEXITSTATUS(failed.status))
                       : std::string("the command was ended by a signal: nothing was kept"));
    });
    return ExitCode::failed;
  }
}

}  // namespace

void add_cache_compute_command(CLI::App& group, Commands& commands) {
  auto cli = std::make_shared<CacheComputeCli>();
  auto* command =
      commands.add(group, "compute", "Print a value; if there is none, what a command says, and keep that", cli, compute);
  command->add_option("key", cli->key, "The key")->required();
  command->add_option("--run", cli->run, "The command, for the shell; one program at a time runs it")
      ->required()
      ->type_name("COMMAND");
  command->add_option("--ttl-s", cli->ttl_s, "How many seconds the value is good for; without an end by default")
      ->check(number_range(1e-6, 1e9));
  command->add_option("--compute-max-s", cli->compute_max_s, "After how long another program may try; 30 by default")
      ->check(number_range(0.01, 1e6));
}

}  // namespace quarry::cli
