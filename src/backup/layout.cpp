#include "backup/layout.hpp"

#include <fmt/format.h>

#include <cstring>

#include "backup/file.hpp"
#include "backup/json.hpp"

namespace quarry::backup {
namespace {

constexpr std::size_t summary_bytes_max = 64 * 1024;
constexpr std::size_t manifest_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t bodies_bytes_max = std::size_t{4} << 30;

std::string short_name(const fs::path& file) { return (file.parent_path().filename() / file.filename()).native(); }

std::string_view bytes_of(const std::vector<Digest>& names) {
  return {reinterpret_cast<const char*>(names.data()), names.size() * sizeof(Digest)};
}

}  // namespace

Summary read_summary(const fs::path& folder) {
  const auto file = folder / summary_file;
  const auto text = read_text(file, summary_bytes_max);
  if (!text) throw BackupError(Damage::missing, fmt::format("'{}' is missing", file.native()));
  return from_json_text<Summary>(*text, short_name(file));
}

void write_summary(const fs::path& folder, const Summary& summary) {
  write_durably(folder / summary_file, to_json_text(summary));
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

std::vector<Digest> read_bodies(const fs::path& folder, const std::string& digest) {
  const auto file = folder / bodies_file;
  const auto text = read_text(file, bodies_bytes_max);
  if (!text) throw BackupError(Damage::missing, fmt::format("'{}' is missing", file.native()));
  std::vector<Digest> names(text->size() / sizeof(Digest));
  // An empty vector has no place to copy to, not even nothing.
  if (!names.empty()) std::memcpy(names.data(), text->data(), names.size() * sizeof(Digest));
  if (text->size() % sizeof(Digest) != 0 || digest_of(names) != digest)
    throw BackupError(Damage::changed,
                      fmt::format("'{}' was changed: it is not the list that belongs to the backup", short_name(file)));
  return names;
}

std::string new_backup_name(Instant at) {
  std::string compact;
  for (const char c : to_iso8601(at))
    if (c != '-' && c != ':') compact += c;
  return fmt::format("{}-{:08x}", compact, randombytes_random());
}

}  // namespace quarry::backup
