/// What the kernel says of this process: proc(5).

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "ops/metrics/metric_writer.hpp"

namespace quarry::ops::metrics {
namespace {

struct ProcessTimes {
  double cpu_seconds = 0;
  double started_after_boot_s = 0;
};

/// Fields 14, 15 and 22 of /proc/self/stat. The name in field 2 may hold anything, but ends at the last parenthesis.
std::optional<ProcessTimes> process_times() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  if (!std::getline(in, line)) return std::nullopt;
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0, start = 0;
  fields >> user >> system;
  for (int field = 16; field < 22; ++field) fields >> skipped;
  if (!(fields >> start)) return std::nullopt;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return ProcessTimes{(user + system) / ticks, start / ticks};
}

std::optional<double> boot_time() {
  std::ifstream in("/proc/stat");
  for (std::string word; in >> word;) {
    double seconds = 0;
    if (word == "btime" && in >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double all = 0, resident = 0;
  if (!(in >> all >> resident)) return std::nullopt;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void add_process(MetricWriter& writer) {
  const auto times = process_times();
  if (times) writer.only("process_cpu_seconds_total", times->cpu_seconds);
  if (const auto bytes = resident_bytes()) writer.only("process_resident_memory_bytes", *bytes);
  std::error_code none;
  if (const std::filesystem::directory_iterator files("/proc/self/fd", none); !none)
    writer.only("process_open_fds", static_cast<double>(std::distance(files, std::filesystem::directory_iterator())));
  const auto boot = boot_time();
  if (times && boot) writer.only("process_start_time_seconds", *boot + times->started_after_boot_s);
}

}  // namespace quarry::ops::metrics
