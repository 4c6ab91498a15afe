#pragma once
/// Runs a program and kills it at the n-th system call of its main thread, counted from where it stops itself.

#include <string>
#include <vector>

namespace quarry::test {

struct Traced {
  bool finished = false;  ///< it ended by itself, with exit code 0, before the n-th call
  bool can_trace = true;  ///< false where this process may not trace another
};

Traced kill_at_system_call(const std::string& program, const std::vector<std::string>& args, int n);

}  // namespace quarry::test
