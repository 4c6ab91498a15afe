/// Disks that are full, folders that may not be written: a clear error, and nothing half-written in sight.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/core/error.hpp"
#include "support/temp_dir.hpp"
#include "unit/artifacts/blob_bodies.hpp"

namespace quarry::test {
namespace {

using namespace artifacts;

std::size_t files_under(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) count += entry.is_regular_file();
  return count;
}

/// What `put` answers: empty when it worked.
std::string error_of_put(FileBlobStore& store, const std::string& text) {
  try {
    store.put(as_body(text));
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unavailable);
    return error.client_message();
  }
}

/// No file of this process may grow beyond `bytes`, which looks to it like a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(BlobDisk, AFullDiskIsToldAndLeavesNothing) {
  const TempDir folder("blobs");
  FileBlobStore store(folder / "blobs");
  store.put(as_body("was there before"));
  for (const std::size_t size : {std::size_t{20'000}, std::size_t{5} << 20}) {
    const FileSizeLimit limit(8192);
    for (const auto& text : {hard_body(size), hard_body(size / 2) + easy_body(size / 2)}) {
      const auto message = error_of_put(store, text);
      EXPECT_NE(message.find("no room"), std::string::npos) << message;
      EXPECT_NE(message.find((folder / "blobs").string()), std::string::npos) << message;
      EXPECT_FALSE(store.exists(hash_of(as_body(text))));
    }
    EXPECT_EQ(error_of_put(store, "small enough"), "");
  }
  EXPECT_EQ(files_under(folder.path()), 2u);
  EXPECT_EQ(error_of_put(store, hard_body(20'000)), "");
}

TEST(BlobDisk, ABatchThatFailsHalfWayLeavesNoFileUnderTmp) {
  const TempDir folder("blobs");
  FileBlobStore store(folder / "blobs");
  const std::string small = "small", large = hard_body(50'000), other = "other";
  const std::span<const std::byte> bodies[] = {as_body(small), as_body(other), as_body(large)};
  {
    const FileSizeLimit limit(8192);
    EXPECT_THROW(store.put_many(bodies), Error);
  }
  EXPECT_EQ(files_under(folder.path()), 0u);
  EXPECT_EQ(store.put_many(bodies).size(), 3u);
}

TEST(BlobDisk, ATinyFileSystemFillsUp) {
  const TempDir folder("blobs");
  const auto mount_point = folder / "tiny";
  std::filesystem::create_directory(mount_point);
  if (::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=256k") != 0)
    GTEST_SKIP() << "this process may not mount a file system";
  std::string message;
  std::size_t stored = 0;
  {
    FileBlobStore store(mount_point / "blobs");
    for (std::uint64_t seed = 1; seed < 200 && message.empty(); ++seed) {
      message = error_of_put(store, hard_body(10'000, seed));
      stored += message.empty();
    }
    for (std::uint64_t seed = 1; seed <= stored; ++seed)
      EXPECT_EQ(store.verify(hash_of(as_body(hard_body(10'000, seed)))).state, BlobState::whole);
    EXPECT_EQ(files_under(mount_point), stored);
  }
  EXPECT_EQ(::umount(mount_point.c_str()), 0);
  EXPECT_NE(message.find("no room"), std::string::npos) << message;
  EXPECT_GT(stored, 5u);
}

TEST(BlobDisk, AFolderThatMayNotBeWrittenIsNamedWithTheRemedy) {
  const TempDir folder("blobs");
  const auto root = folder / "blobs";
  FileBlobStore store(root);
  const auto hash = store.put(as_body("readable")).hash;
  namespace fs = std::filesystem;
  fs::permissions(folder.path(), fs::perms::owner_all | fs::perms::others_exec | fs::perms::others_read);
  for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
    fs::permissions(entry.path(), entry.is_directory() ? fs::perms(0555) : fs::perms(0444));
  fs::permissions(root, fs::perms(0555));
  // Permissions mean nothing to root, so a child gives that up.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
    const auto message = error_of_put(store, "a new body");
    const bool told = message.find("permissions") != std::string::npos && message.find(root.string()) != std::string::npos;
    const bool reads = as_text(store.get(hash)) == "readable";
    ::_exit(told && reads ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
    if (entry.is_directory()) fs::permissions(entry.path(), fs::perms(0755));
  fs::permissions(root, fs::perms(0755));
  EXPECT_EQ(files_under(root), 1u);
}

}  // namespace
}  // namespace quarry::test
