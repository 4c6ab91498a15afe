#include "backup/layout.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <utility>

#include "backup/file.hpp"
#include "backup/json.hpp"

namespace quarry::backup {
namespace {

constexpr std::size_t summary_bytes_max = std::size_t{64} * 1024;
constexpr std::size_t manifest_bytes_max = std::size_t{16} * 1024 * 1024;

std::string short_name(const fs::path& file) { return (file.parent_path().filename() / file.filename()).native(); }

constexpr std::string_view check_begins = R"(,"check":")";

/// The object with one member more: BLAKE2b of what it was without.
std::string with_check(const std::string& object) {
  return fmt::format("{}{}{}\"}}\n", std::string_view(object).substr(0, object.size() - 2), check_begins,
                     hex(as_text(blake2b(object))));
}

std::string_view bytes_of(const std::vector<Digest>& names) {
  return {reinterpret_cast<const char*>(names.data()), names.size() * sizeof(Digest)};
}

}  // namespace

Summary read_summary(const fs::path& folder) {
  const auto file = folder / summary_file;
  std::error_code none;
  if (fs::file_size(file, none) > summary_bytes_max && !none)
    throw BackupError(Damage::changed, fmt::format("'{}' was changed: it is too long", short_name(file)));
  const auto text = read_text(file, summary_bytes_max);
  if (!text) throw BackupError(Damage::missing, fmt::format("'{}' is missing", file.native()));
  const auto at = text->rfind(check_begins);
  const auto object = text->substr(0, at) + "}\n";
  if (at == std::string::npos || *text != with_check(object))
    throw BackupError(Damage::changed, fmt::format("'{}' was changed", short_name(file)));
  return from_json_text<Summary>(object, short_name(file));
}

Damage damage_of_summary(const fs::path& folder) {
  try {
    read_summary(folder);
  } catch (const BackupError& error) {
    return error.damage();
  } catch (const Error&) {  // the file system's
  }
  return Damage::changed;
}

void write_summary(const fs::path& folder, const Summary& summary) {
  write_durably(folder / summary_file, with_check(to_json_text(summary)));
}

SealedSize write_manifest(const fs::path& folder, const Manifest& manifest, const Keys& keys, const Salt& salt) {
  SealedWriter writer(folder / manifest_file, keys,
                      {.kind = PartKind::manifest, .subject = subject_of(manifest.name), .salt = salt});
  writer.write(to_json_text(manifest));
  return writer.finish();
}

Manifest read_manifest(const fs::path& folder, const std::string& name, const Keys& keys) {
  SealedReader reader(folder / manifest_file, keys, PartKind::manifest, subject_of(name));
  return from_json_text<Manifest>(read_sealed(reader, manifest_bytes_max), short_name(folder / manifest_file));
}

std::string digest_of(const std::vector<Digest>& names) { return hex(as_text(blake2b(bytes_of(names)))); }

void write_bodies(const fs::path& folder, const std::vector<Digest>& names) {
  write_durably(folder / bodies_file, bytes_of(names));
}

std::vector<Digest> read_bodies(const fs::path& folder, std::int64_t count, const std::string& digest) {
  const auto path = folder / bodies_file;
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) throw BackupError(Damage::missing, fmt::format("'{}' is missing", path.native()));
  if (!file) throw file_error(errno, "open", path);
  const auto bytes = file.size(path);
  const auto there = static_cast<std::int64_t>(bytes / sizeof(Digest));
  if (there < count) throw BackupError(Damage::cut, fmt::format("'{}' was cut: its end is missing", short_name(path)));
  const auto changed = [&] {
    return BackupError(Damage::changed,
                       fmt::format("'{}' was changed: it is not the list that belongs to the backup", short_name(path)));
  };
  if (there != count || bytes % sizeof(Digest) != 0) throw changed();
  std::vector<Digest> names(static_cast<std::size_t>(count));
  file.read(std::as_writable_bytes(std::span(names)), path);
  if (digest_of(names) != digest) throw changed();
  return names;
}

std::vector<Digest> read_bodies(const fs::path& folder, const Manifest& manifest) {
  return read_bodies(folder, manifest.bodies, manifest.bodies_digest);
}

std::string new_backup_name(Instant at) {
  std::string compact;
  for (const char c : to_iso8601(at))
    if (c != '-' && c != ':') compact += c;
  return fmt::format("{}-{:08x}", compact, randombytes_random());
}

}  // namespace quarry::backup
