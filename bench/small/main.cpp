/// Runs pairs of benchmarks, `<what>/raw` and `<what>/quarry`, interleaved, and prints the ratio of their medians:
///
///     quarry-bench-sql [--benchmark_filter=...]

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace {

/// Collects every repetition, and prints one line for each pair at the end. The first part of a name tells the pair, the
/// second the side.
class RatioReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) {
      if (run.error_occurred) fmt::print(stderr, "{}: {}\n", run.benchmark_name(), run.error_message);
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      const auto name = run.benchmark_name();
      const auto slash = name.find('/');
      const auto rest = name.substr(slash + 1);
      auto& side = times_[name.substr(0, slash)][rest.substr(0, rest.find('/'))];
      side.wall_us.push_back(run.real_accumulated_time / static_cast<double>(run.iterations) * 1e6);
      side.cpu_us.push_back(run.cpu_accumulated_time / static_cast<double>(run.iterations) * 1e6);
    }
  }
  void Finalize() override {
    fmt::print("{:<40}{:>12}{:>12}{:>8}{:>12}{:>12}{:>8}\n", "medians, microseconds", "raw", "quarry", "ratio", "raw cpu",
               "quarry cpu", "ratio");
    for (auto& [what, sides] : times_) {
      if (sides.size() != 2) {
        for (auto& [side, times] : sides)
          fmt::print("{:<40}{:>24.3f}{:>16}\n", what, median(times.wall_us),
                     fmt::format("{:.0f}/s", 1e6 / median(times.wall_us)));
        continue;
      }
      const double raw = median(sides["raw"].wall_us), quarry = median(sides["quarry"].wall_us);
      const double raw_cpu = median(sides["raw"].cpu_us), quarry_cpu = median(sides["quarry"].cpu_us);
      fmt::print("{:<40}{:>12.2f}{:>12.2f}{:>8.2f}{:>12.2f}{:>12.2f}{:>8.2f}\n", what, raw, quarry, raw / quarry, raw_cpu,
                 quarry_cpu, raw_cpu / quarry_cpu);
    }
    fmt::print("ratio: raw / quarry; 1.00 is the engine's own speed, more is faster than that\n");
  }

 private:
  static double median(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
  }
  struct Side {
    std::vector<double> wall_us, cpu_us;
  };
  std::map<std::string, std::map<std::string, Side>> times_;
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> args(argv, argv + argc);
  std::string repetitions = "--benchmark_repetitions=7", interleave = "--benchmark_enable_random_interleaving=true";
  for (auto* arg : {&repetitions, &interleave}) args.insert(args.begin() + 1, arg->data());
  int count = static_cast<int>(args.size());
  benchmark::Initialize(&count, args.data());
  if (benchmark::ReportUnrecognizedArguments(count, args.data())) return 1;
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
