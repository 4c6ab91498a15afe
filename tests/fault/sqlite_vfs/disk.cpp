#include "fault/sqlite_vfs/disk.hpp"

#include <algorithm>

#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

constexpr std::size_t sector = 512;

void apply_to(std::map<std::string, std::string>& files, const DiskOp& op) {
  switch (op.what) {
    case DiskOp::What::write: {
      auto& file = files[op.file];
      const auto offset = static_cast<std::size_t>(op.offset);
      if (file.size() < offset + op.bytes.size()) file.resize(offset + op.bytes.size());
      file.replace(offset, op.bytes.size(), op.bytes);
      break;
    }
    case DiskOp::What::truncate:
      files[op.file].resize(static_cast<std::size_t>(op.offset));
      break;
    case DiskOp::What::remove:
      files.erase(op.file);
      break;
    case DiskOp::What::sync:
    case DiskOp::What::mark:
      break;
  }
}

}  // namespace

void Disk::apply(const DiskOp& op) {
  if (op.what == DiskOp::What::mark) return;
  if (op.what != DiskOp::What::sync) return pending_.push_back(op);
  for (const DiskOp& earlier : pending_)
    if (earlier.file == op.file) apply_to(durable_, earlier);
  std::erase_if(pending_, [&](const DiskOp& earlier) { return earlier.file == op.file; });
}

void Disk::tear_last_write() {
  if (!pending_.empty()) pending_.back().bytes.resize(pending_.back().bytes.size() / 2);
}

std::map<std::string, std::string> Disk::after(Loss loss, std::mt19937_64& random) const {
  auto files = durable_;
  if (loss == Loss::everything) return files;
  for (DiskOp op : pending_) {
    if (loss == Loss::something) {
      if (random() % 2 == 0) continue;
      if (op.what == DiskOp::What::write && random() % 3 == 0)
        op.bytes.resize(random() % (op.bytes.size() / sector + 1) * sector);
      if (op.what == DiskOp::What::write && op.bytes.empty()) continue;
    }
    apply_to(files, op);
  }
  return files;
}

std::map<std::string, std::string> read_folder(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.ends_with("-shm") || name.ends_with("-gate")) continue;
    files[name] = read_file(entry.path());
  }
  return files;
}

void write_folder(const std::filesystem::path& folder, const std::map<std::string, std::string>& files) {
  for (const auto& [name, content] : files) write_file(folder / name, content);
}

}  // namespace quarry::test
