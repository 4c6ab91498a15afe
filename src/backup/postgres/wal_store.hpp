#pragma once
/// The files of PostgreSQL's log in a folder of backups, the base backups, and the markers: quarry/backup/pitr.hpp.

#include <boost/describe.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "quarry/backup/pitr.hpp"
#include "quarry/backup/repository.hpp"

namespace quarry::backup::postgres {

/// `base.json`: what is needed to start the copy. Nothing in it is a secret.
struct BaseInfo {
  std::string name;
  Instant ended_at;
  std::string first_segment;
  std::int64_t segment_bytes = 16 << 20;
  std::string version;
  std::string user;                             ///< a superuser of the server
  std::string database;                         ///< the one that Quarry lives in
  std::map<std::string, std::string> settings;  ///< limits that a copy must not go below
};
BOOST_DESCRIBE_STRUCT(BaseInfo, (), (name, ended_at, first_segment, segment_bytes, version, user, database, settings))

/// By time. Throws `BackupError`.
std::vector<BaseInfo> bases(const Repository& repository);
std::vector<Marker> markers(const Repository& repository);
void append_marker(const Repository& repository, const Marker& marker);

std::filesystem::path base_dir(const Repository& repository);
/// The file that holds a segment; empty when it has not been archived.
std::filesystem::path sealed_segment(const Repository& repository, const std::string& segment);
/// Unseals every segment from the first that the base needs to `last`, of every timeline, and the histories. Throws
/// `BackupError` (missing) for a gap.
std::int64_t unseal_segments(const Repository& repository, const Keys& keys, const BaseInfo& base, const std::string& last,
                             const std::filesystem::path& into);

/// Whether every segment from the first that the base needs to `last` is there.
bool has_segments(const Repository& repository, const BaseInfo& base, const std::string& last);
/// The files of segments that no base from this one on needs. Histories of timelines are small, and stay.
std::vector<std::filesystem::path> segments_before(const Repository& repository, const BaseInfo& base);

}  // namespace quarry::backup::postgres
