#pragma once
/// One family after the other in the text format: help and type before its first sample, each once.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "quarry/ops/metrics.hpp"

namespace quarry::ops::metrics {

using Label = std::pair<std::string_view, std::string_view>;

class MetricWriter {
 public:
  /// Begins a family; all its samples follow. `bug` for one that is not listed.
  void begin(std::string_view family);
  /// A sample of the family, whose name may have a suffix: `_sum`, `_bucket`.
  void sample(double value, std::initializer_list<Label> labels = {}, std::string_view suffix = {});
  void only(std::string_view family, double value) {
    begin(family);
    sample(value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::string_view family_;
};

/// Memory, processor time and files of this process, as far as /proc tells.
void add_process(MetricWriter& writer);

}  // namespace quarry::ops::metrics
