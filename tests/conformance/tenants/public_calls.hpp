#pragma once
/// The functions of the public headers that work in somebody's transaction.

#include <filesystem>
#include <map>
#include <string>

namespace quarry::test {

/// `jobs::find` and how many overloads it has, of every function in `include/quarry/*/*.hpp` that takes a `Read&` or a
/// `Write&`, wherever among its parameters. Members count as functions of their namespace.
std::map<std::string, int> public_calls(const std::filesystem::path& include_folder);

/// The same of one header's text.
std::map<std::string, int> public_calls_of(const std::string& header);

}  // namespace quarry::test
