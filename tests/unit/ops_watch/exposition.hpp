#pragma once
/// A strict reader of the text format, version 0.0.4: what it does not understand is a finding.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace quarry::test {

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  std::string value;
};

struct Exposition {
  std::map<std::string, std::string> types;  ///< by family
  std::vector<Sample> samples;
  std::vector<std::string> findings;  ///< what is wrong, in words

  /// The value of the one sample with this name and these labels.
  std::string value(std::string_view name, const std::map<std::string, std::string>& labels = {}) const;
};

Exposition read_exposition(std::string_view text);

}  // namespace quarry::test
