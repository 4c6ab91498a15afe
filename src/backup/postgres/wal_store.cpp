#include "backup/postgres/wal_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "backup/envelope.hpp"
#include "backup/file.hpp"
#include "backup/json.hpp"
#include "backup/key_derivation.hpp"
#include "quarry/backup/sealed.hpp"

namespace quarry::backup {
namespace postgres {
namespace {

constexpr std::size_t json_bytes_max = 1 << 20;
constexpr std::size_t markers_bytes_max = 256 << 20;
constexpr std::size_t wal_buffer_bytes = 256 * 1024;

fs::path wal_dir(const Repository& repository) { return repository.dir() / "wal"; }
fs::path markers_file(const Repository& repository) { return wal_dir(repository) / "markers"; }

/// `000000010000000000000003`
bool is_segment(std::string_view name) {
  return name.size() == 24 &&
         std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}

/// `SEGMENT-CONTENTS.sealed`, or nothing.
std::string plain_name(const fs::path& file) {
  const auto name = file.filename().native();
  const auto dash = name.rfind('-');
  return name.ends_with(".sealed") && dash != name.npos ? name.substr(0, dash) : std::string();
}

void unseal_file(const fs::path& sealed, const Keys& keys, const std::string& name, const fs::path& into) {
  SealedReader reader(sealed, keys, PartKind::wal_segment, subject_of("wal/" + name));
  const auto out = File::make(into);
  std::vector<std::byte> buffer(wal_buffer_bytes);
  while (const auto got = reader.read(buffer)) out.write(std::span(buffer).first(got), into);
}

/// Segments without their timeline are numbered without gaps: so many to a file of 4 GiB, and so the digits count on.
std::uint64_t per_file(const BaseInfo& base) {
  if (base.segment_bytes < 1 << 20 || base.segment_bytes > 1 << 30)
    throw BackupError(Damage::changed, fmt::format("'{}/base.json' was changed: no log has such segments", base.name));
  return (std::uint64_t{4} << 30) / static_cast<std::uint64_t>(base.segment_bytes);
}
std::uint64_t number_of(std::string_view segment, std::uint64_t per_file) {
  if (!is_segment(segment.substr(0, 24)))
    throw BackupError(Damage::changed, fmt::format("'{}' is named as a segment of the log, and is none", segment));
  const auto high = std::stoull(std::string(segment.substr(8, 8)), nullptr, 16);
  const auto low = std::stoull(std::string(segment.substr(16, 8)), nullptr, 16);
  return high * per_file + low;
}

}  // namespace

fs::path base_dir(const Repository& repository) { return repository.dir() / "base"; }

std::vector<BaseInfo> bases(const Repository& repository) {
  std::vector<BaseInfo> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(base_dir(repository), none)) {
    if (entry.path().filename().native().starts_with(".")) continue;
    const auto file = entry.path() / "base.json";
    const auto text = read_text(file, json_bytes_max);
    if (!text) throw BackupError(Damage::missing, fmt::format("'{}' is missing", file.native()));
    found.push_back(from_json_text<BaseInfo>(*text, file.native()));
  }
  std::ranges::sort(found, {}, [](const BaseInfo& base) { return base.ended_at.us; });
  return found;
}

std::vector<Marker> markers(const Repository& repository) {
  std::vector<Marker> found;
  std::istringstream lines(read_text(markers_file(repository), markers_bytes_max).value_or(""));
  // A line without its end was being written when the machine stopped.
  for (std::string line; std::getline(lines, line) && !lines.eof();)
    found.push_back(from_json_text<Marker>(line, markers_file(repository).native()));
  std::ranges::sort(found, {}, [](const Marker& marker) { return marker.before.us; });
  return found;
}

void append_marker(const Repository& repository, const Marker& marker) {
  const auto path = markers_file(repository);
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!file) throw file_error(errno, "open", path);
  const auto line = to_json_text(marker);
  file.write(std::as_bytes(std::span(line)), path);
  file.sync(path);
}

fs::path sealed_segment(const Repository& repository, const std::string& segment) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(wal_dir(repository), none))
    if (plain_name(entry.path()) == segment) return entry.path();
  return {};
}

std::int64_t unseal_segments(const Repository& repository, const Keys& keys, const BaseInfo& base, const std::string& last,
                             const fs::path& into) {
  const auto count_on = per_file(base);
  const auto begin = number_of(base.first_segment, count_on), end = number_of(last, count_on);
  std::set<std::uint64_t> numbers;
  std::int64_t count = 0;
  for (const auto& entry : fs::directory_iterator(wal_dir(repository))) {
    const auto name = plain_name(entry.path());
    if (!name.ends_with(".history")) {
      if (!is_segment(name)) continue;
      const auto number = number_of(name, count_on);
      if (number < begin || number > end) continue;
      numbers.insert(number);
    }
    unseal_file(entry.path(), keys, name, into / name);
    ++count;
  }
  for (auto number = begin; number <= end; ++number)
    if (!numbers.contains(number))
      throw BackupError(Damage::missing, fmt::format("the segment {:08X}{:08X} of the log is missing in '{}'",
                                                     number / count_on, number % count_on, wal_dir(repository).native()));
  return count;
}

bool has_segments(const Repository& repository, const BaseInfo& base, const std::string& last) {
  const auto count_on = per_file(base);
  std::set<std::uint64_t> numbers;
  for (const auto& entry : fs::directory_iterator(wal_dir(repository)))
    if (const auto name = plain_name(entry.path()); is_segment(name)) numbers.insert(number_of(name, count_on));
  for (auto number = number_of(base.first_segment, count_on); number <= number_of(last, count_on); ++number)
    if (!numbers.contains(number)) return false;
  return true;
}

std::vector<fs::path> segments_before(const Repository& repository, const BaseInfo& base) {
  const auto count_on = per_file(base);
  const auto begin = number_of(base.first_segment, count_on);
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(wal_dir(repository))) {
    // A segment, or what names one: 000000010000000000000003.00000028.backup
    const auto name = plain_name(entry.path());
    if (is_segment(name.substr(0, 24)) && number_of(name, count_on) < begin) found.push_back(entry.path());
  }
  return found;
}

}  // namespace postgres

void push_wal(const fs::path& dir, const Keys& keys, const fs::path& file) {
  start_sodium();
  const auto repository = Repository::open(dir);
  const auto folder = dir / "wal";
  const auto name = file.filename().native();
  // What it holds is told by a keyed hash, which whoever only seals can make again, too.
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, 32);
  const auto in = File::open_to_read(file);
  std::vector<std::byte> buffer(256 * 1024);
  while (const auto got = in.read(buffer, file))
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(buffer.data()), got);
  Digest contents{};
  crypto_generichash_final(&state, contents.data(), contents.size());
  const auto told = hex(as_text(blob_name(keys, repository.salt(), as_text(contents)))).substr(0, 16);
  const auto target = folder / fmt::format("{}-{}.sealed", name, told);
  const auto there = postgres::sealed_segment(repository, name);
  if (there == target) return;
  if (!there.empty())
    throw Error(ErrorCode::conflict,
                fmt::format("'{}' is in '{}' already, with other contents: is it another server's?", name, folder.native()));
  auto incoming = folder / fmt::format(".{}.new", name);
  std::error_code ignored;
  fs::remove(incoming, ignored);
  SealedWriter writer(
      incoming, keys,
      {.kind = PartKind::wal_segment, .subject = subject_of("wal/" + name), .salt = repository.salt(), .zstd_level = 3});
  const auto again = File::open_to_read(file);
  while (const auto got = again.read(buffer, file)) writer.write(std::span(buffer).first(got));
  writer.finish();
  rename_durably(incoming, target);
}

}  // namespace quarry::backup
