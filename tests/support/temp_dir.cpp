#include "support/temp_dir.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace quarry::test {

std::filesystem::path scratch_root() {
  constexpr std::uintmax_t kRoom = 2'000'000'000;
  const std::filesystem::path memory = "/dev/shm";
  std::error_code absent;
  if (!std::getenv("TMPDIR") && std::filesystem::is_directory(memory, absent) && access(memory.c_str(), W_OK) == 0) {
    const auto space = std::filesystem::space(memory, absent);
    if (!absent && space.available >= kRoom) return memory;
  }
  return std::filesystem::temp_directory_path();
}

TempDir::TempDir(std::string_view label) {
  std::string name = (scratch_root() / ("quarry-" + std::string(label) + "-XXXXXX")).string();
  if (!mkdtemp(name.data())) throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;  // a leftover folder must not turn a passed test into a failed one
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& file, std::string_view content) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace quarry::test
