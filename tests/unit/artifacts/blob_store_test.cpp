/// The blob store in a folder: what goes in comes out, once, and nothing half-written is ever in sight.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "quarry/artifacts/file_blob_store.hpp"
#include "quarry/core/error.hpp"
#include "support/error_of.hpp"
#include "support/temp_dir.hpp"
#include "unit/artifacts/blob_bodies.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using namespace artifacts;

class Blobs : public testing::Test {
 protected:
  FileBlobStore open(FileBlobStoreOptions options = {}) {
    if (!options.clock) options.clock = clock_;
    return FileBlobStore(folder_ / "blobs", options);
  }
  /// Files under the store's folder, `tmp` included.
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) count += entry.is_regular_file();
    return count;
  }
  std::string raw(const BlobHash& hash) { return read_file(open().path_of(hash)); }

  TempDir folder_{"blobs"};
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(Instant{1'772'366'400'000'000});
};

TEST_F(Blobs, WhatGoesInComesOut) {
  auto store = open();
  for (const std::size_t size :
       {0u, 1u, 3u, 4u, 5u, 4096u, 65'535u, 65'536u, 65'537u, 131'072u, 131'073u, 1'000'000u, 4'194'304u, 5'000'000u})
    for (const auto& text : {easy_body(size), hard_body(size)}) {
      const auto staged = store.put(as_body(text));
      EXPECT_EQ(staged.hash, hash_of(as_body(text)));
      EXPECT_EQ(staged.size_bytes, static_cast<std::int64_t>(size));
      EXPECT_EQ(as_text(store.get(staged.hash)), text) << size;
      EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(store.path_of(staged.hash))), staged.stored_bytes);
      EXPECT_EQ(store.find(staged.hash)->stored_bytes, staged.stored_bytes);
      const auto check = store.verify(staged.hash);
      EXPECT_EQ(check.state, BlobState::whole);
      EXPECT_EQ(check.size_bytes, staged.size_bytes);
    }
}

TEST_F(Blobs, AFolderMayBeNamedWithASlashAtItsEnd) {
  FileBlobStore made(folder_ / "named/");
  const auto staged = made.put(as_body("abc"));
  EXPECT_EQ(made.root(), folder_ / "named");
  EXPECT_TRUE(FileBlobStore(folder_ / "named").find(staged.hash));
}

TEST_F(Blobs, TheNameIsTheSha256OfTheBody) {
  const auto staged = open().put(as_body("abc"));
  EXPECT_EQ(to_string(staged.hash), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2, B.1
  EXPECT_EQ(parse_blob_hash(to_string(staged.hash)), staged.hash);
  EXPECT_EQ(open().path_of(staged.hash),
            folder_ / "blobs/ba/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  for (const auto* bad : {"", "ba78", "zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad00"})
    EXPECT_EQ(code_of([&] { parse_blob_hash(bad); }), ErrorCode::invalid) << bad;
}

TEST_F(Blobs, CompressesWhenItPaysAndSaysSo) {
  auto store = open();
  const auto easy = store.put(as_body(easy_body(20'000)));
  EXPECT_EQ(easy.encoding, BlobEncoding::zstd);
  EXPECT_LT(easy.stored_bytes, 10'000);
  const auto hard = store.put(as_body(hard_body(20'000)));
  EXPECT_EQ(hard.encoding, BlobEncoding::none);
  EXPECT_EQ(raw(hard.hash), hard_body(20'000));
  EXPECT_EQ(store.put(as_body(easy_body(6'000'000))).encoding, BlobEncoding::zstd);
  EXPECT_EQ(store.put(as_body(hard_body(6'000'000))).encoding, BlobEncoding::none);
}

TEST_F(Blobs, ABodyThatIsItselfAFrameComesOutAsItWentIn) {
  auto store = open();
  const auto inner = store.put(as_body(easy_body(20'000)));
  for (const auto& body :
       {raw(inner.hash), std::string("\x28\xB5\x2F\xFD not a frame at all"), std::string("\x28\xB5\x2F\xFD")}) {
    const auto staged = store.put(as_body(body));
    EXPECT_EQ(staged.encoding, BlobEncoding::zstd);
    EXPECT_EQ(as_text(store.get(staged.hash)), body);
  }
}

TEST_F(Blobs, PuttingAgainChangesNothingButTheTime) {
  auto store = open();
  const auto text = easy_body(9000);
  const auto first = store.put(as_body(text));
  EXPECT_FALSE(first.existed);
  EXPECT_EQ(store.find(first.hash)->last_put_at, clock_->now());
  clock_->advance(1h);
  const auto again = store.put(as_body(text));
  EXPECT_TRUE(again.existed);
  EXPECT_EQ(again.stored_bytes, first.stored_bytes);
  EXPECT_EQ(again.encoding, first.encoding);
  EXPECT_EQ(store.find(first.hash)->last_put_at, clock_->now());
  EXPECT_EQ(files(), 1u);
}

TEST_F(Blobs, PuttingAgainRepairsADamagedCopy) {
  auto store = open();
  const auto text = easy_body(9000);
  const auto hash = store.put(as_body(text)).hash;
  for (const auto& damage : {std::string(), raw(hash).substr(0, 40), raw(hash) + "more", std::string("other bytes")}) {
    write_file(store.path_of(hash), damage);
    EXPECT_EQ(store.verify(hash).state, BlobState::damaged);
    EXPECT_FALSE(store.put(as_body(text)).existed);
    EXPECT_EQ(as_text(store.get(hash)), text);
  }
}

TEST_F(Blobs, ManyAtOnceKeepTheirOrder) {
  auto store = open();
  std::vector<std::string> texts;
  for (int i = 0; i < 120; ++i) texts.push_back("page " + std::to_string(i % 100));
  std::vector<std::span<const std::byte>> bodies;
  for (const auto& text : texts) bodies.push_back(as_body(text));
  const auto staged = store.put_many(bodies);
  ASSERT_EQ(staged.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(staged[i].hash, hash_of(bodies[i]));
    EXPECT_EQ(as_text(store.get(staged[i].hash)), texts[i]);
  }
  EXPECT_EQ(files(), 100u);
  EXPECT_TRUE(store.put_many({}).empty());
  std::size_t listed = 0;
  for (int shard = 0; shard < 256; ++shard) {
    const auto found = store.list(static_cast<std::uint8_t>(shard));
    for (const auto& info : found) EXPECT_EQ(info.hash.bytes[0], shard);
    EXPECT_TRUE(std::is_sorted(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.hash < b.hash; }));
    listed += found.size();
  }
  EXPECT_EQ(listed, 100u);
}

TEST_F(Blobs, DamageIsFoundAndNamed) {
  auto store = open();
  for (const auto& text : {easy_body(9000), hard_body(9000), hard_body(1)}) {
    const auto hash = store.put(as_body(text)).hash;
    const auto whole = raw(hash);
    for (const std::size_t at : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
      auto flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 1);
      write_file(store.path_of(hash), flipped);
      std::string message;
      EXPECT_EQ(code_of([&] { store.get(hash); }, &message), ErrorCode::corrupt) << at;
      EXPECT_NE(message.find(to_string(hash)), std::string::npos) << message;
      EXPECT_EQ(store.verify(hash).state, BlobState::damaged);
    }
  }
}

TEST_F(Blobs, AbsenceIsSaid) {
  auto store = open();
  const auto hash = hash_of(as_body("nobody has put this"));
  EXPECT_FALSE(store.exists(hash));
  EXPECT_EQ(store.verify(hash).state, BlobState::missing);
  EXPECT_EQ(code_of([&] { store.get(hash); }), ErrorCode::not_found);
  EXPECT_FALSE(store.remove(hash));
  EXPECT_FALSE(store.remove_unless_put_after(hash, clock_->now()));
  store.put(as_body("nobody has put this"));
  EXPECT_TRUE(store.exists(hash));
  EXPECT_TRUE(store.remove(hash));
  EXPECT_FALSE(store.exists(hash));
}

TEST_F(Blobs, WhatWasPutWithinTheGracePeriodStays) {
  auto store = open();
  const auto hash = store.put(as_body("page")).hash;
  EXPECT_FALSE(store.remove_unless_put_after(hash, clock_->now() - 1h));
  clock_->advance(59min);
  EXPECT_FALSE(store.remove_unless_put_after(hash, clock_->now() - 1h));
  store.put(as_body("page"));
  clock_->advance(59min);
  EXPECT_FALSE(store.remove_unless_put_after(hash, clock_->now() - 1h));
  clock_->advance(1min);
  EXPECT_TRUE(store.remove_unless_put_after(hash, clock_->now() - 1h));
  EXPECT_FALSE(store.exists(hash));
}

TEST_F(Blobs, OnlyOldLeftoversAreRemoved) {
  auto store = open();
  store.put(as_body("page"));
  const auto fresh = folder_ / "blobs/tmp/a.1.0", old = folder_ / "blobs/tmp/b.1.0";
  for (const auto& [file, age] : {std::pair(fresh, 1min), std::pair(old, 120min)}) {
    write_file(file, "half a pa");
    const timespec at{(clock_->now() - age).us / 1'000'000, 0};
    const timespec times[2] = {at, at};
    ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), times, 0), 0);
  }
  EXPECT_EQ(store.remove_abandoned(1h, true).files, 1);
  EXPECT_TRUE(std::filesystem::exists(old));
  const auto removed = store.remove_abandoned(1h, false);
  EXPECT_EQ(removed.files, 1);
  EXPECT_EQ(removed.bytes, 9);
  EXPECT_FALSE(std::filesystem::exists(old));
  EXPECT_TRUE(std::filesystem::exists(fresh));
  EXPECT_EQ(store.remove_abandoned(0s, false).files, 1);
  EXPECT_EQ(files(), 1u);
}

TEST_F(Blobs, TooLargeABodyIsRefusedOnTheWayInAndOut) {
  const auto hash = open().put(as_body(easy_body(5000))).hash;
  auto small = open({.body_bytes_max = 4999});
  EXPECT_EQ(code_of([&] { small.put(as_body(easy_body(5001))); }), ErrorCode::invalid);
  EXPECT_EQ(code_of([&] { small.get(hash); }), ErrorCode::corrupt);
  EXPECT_EQ(files(), 1u);
}

TEST_F(Blobs, AFolderThatCannotBeUsedIsNamedWithTheRemedy) {
  std::string message;
  EXPECT_EQ(code_of([&] { FileBlobStore(folder_ / "no/such/folder"); }, &message), ErrorCode::unavailable);
  EXPECT_NE(message.find("no/such"), std::string::npos) << message;
  EXPECT_NE(message.find("create it"), std::string::npos) << message;
  EXPECT_EQ(code_of([&] { FileBlobStore(folder_ / "blobs", {.create = false}); }), ErrorCode::unavailable);
  write_file(folder_ / "file", "");
  EXPECT_EQ(code_of([&] { FileBlobStore(folder_ / "file"); }), ErrorCode::unavailable);
  EXPECT_EQ(code_of([&] { FileBlobStore(""); }), ErrorCode::invalid);
}

TEST_F(Blobs, ASubfolderThatHasGoneIsMadeAgain) {
  auto store = open();
  const auto hash = store.put(as_body("page")).hash;
  std::filesystem::remove_all(folder_ / "blobs/tmp");
  std::filesystem::remove_all(store.path_of(hash).parent_path());
  EXPECT_FALSE(store.exists(hash));
  EXPECT_FALSE(store.put(as_body("page")).existed);
  EXPECT_EQ(as_text(store.get(hash)), "page");
}

/// The promise to whoever has put: no collector takes the body within the grace period, whenever it comes. Time moves only
/// before each put, which makes the copy old enough to be taken until the put has made it young again.
TEST_F(Blobs, ACollectorNeverTakesWhatWasJustPut) {
  auto store = open({.durable = false});
  const auto hash = hash_of(as_body("contested"));
  std::atomic<bool> done{false};
  std::atomic<int> taken{0};
  std::thread collector([&] {
    while (!done) taken += store.remove_unless_put_after(hash, clock_->now() - 1h);
  });
  int lost = 0, rounds = 0;
  for (; rounds < 20'000 && (rounds < 2'000 || taken < 50); ++rounds) {
    clock_->advance(2h);
    store.put(as_body("contested"));
    lost += store.verify(hash).state != BlobState::whole;
  }
  done = true;
  collector.join();
  EXPECT_EQ(lost, 0);
  EXPECT_GT(taken, 0);
}

TEST_F(Blobs, ManyThreadsMayPutTheSame) {
  auto store = open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const auto shared = easy_body(2000 + static_cast<std::size_t>(i)),
                   own = hard_body(500, static_cast<std::uint64_t>(t * 100 + i + 1));
        const std::span<const std::byte> bodies[] = {as_body(shared), as_body(own), as_body(shared)};
        for (const auto& staged : store.put_many(bodies)) EXPECT_EQ(store.verify(staged.hash).state, BlobState::whole);
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(files(), 40u + 240u);
}

}  // namespace
}  // namespace quarry::test
