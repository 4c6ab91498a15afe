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

/// Prints as usual, and remembers each repetition's time for the ratios.
class RatioReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const auto& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      auto name = run.benchmark_name();
      const auto slash = name.find('/');
      const auto rest = name.substr(slash + 1);
      times_[name.substr(0, slash)][rest.substr(0, rest.find('/'))].push_back(run.GetAdjustedRealTime());
    }
  }
  void Finalize() override {
    ConsoleReporter::Finalize();
    fmt::print("\n{:<40} {:>14}   (median time of raw / median time of quarry; 1.00 is the engine's own speed)\n", "what", "ratio");
    for (auto& [what, sides] : times_)
      if (sides.size() == 2) fmt::print("{:<40} {:>14.2f}\n", what, median(sides["raw"]) / median(sides["quarry"]));
  }

 private:
  static double median(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
  }
  std::map<std::string, std::map<std::string, std::vector<double>>> times_;
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<char*> args(argv, argv + argc);
  std::string repetitions = "--benchmark_repetitions=7", interleave = "--benchmark_enable_random_interleaving=true",
              quiet = "--benchmark_display_aggregates_only=true";
  for (auto* arg : {&repetitions, &interleave, &quiet}) args.insert(args.begin() + 1, arg->data());
  int count = static_cast<int>(args.size());
  benchmark::Initialize(&count, args.data());
  if (benchmark::ReportUnrecognizedArguments(count, args.data())) return 1;
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
