/// What is sealed comes back as it was; whatever is done to it in between is noticed, and named.

#include "quarry/backup/sealed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "quarry/backup/error.hpp"
#include "quarry/core/random.hpp"
#include "unit/backup/backup_keys.hpp"

namespace quarry::test {
namespace {

using namespace backup;

class Sealed : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_ / "part.sealed"; }
  Keys keys() const { return Keys::from_key_file(folder_ / "keys"); }
  void SetUp() override { new_key_file(folder_ / "keys"); }

  SealedSize seal(std::string_view text, const Keys& with, PartKind kind = PartKind::database, std::string_view of = "one") {
    std::filesystem::remove(file());
    SealedWriter writer(file(), with, {.kind = kind, .subject = subject_of(of), .salt = {1, 2, 3}});
    for (std::size_t at = 0; at < text.size(); at += 10'000) writer.write(text.substr(at, 10'000));
    return writer.finish(false);
  }
  std::string open(const Keys& with, PartKind kind = PartKind::database, std::string_view of = "one") {
    SealedReader reader(file(), with, kind, subject_of(of));
    return read_sealed(reader, 1U << 30);
  }
  /// What is found wrong; nothing when it opens. It must not open as anything but `text`.
  std::optional<Damage> damage(const Keys& with, const std::string& text) {
    try {
      EXPECT_EQ(open(with), text) << "damage was not noticed";
      return std::nullopt;
    } catch (const BackupError& error) {
      return error.damage();
    }
  }
  /// That zstd cannot make smaller.
  static std::string noise(std::size_t bytes) {
    SeededRandom random(bytes);
    std::string text;
    while (text.size() < bytes) text += static_cast<char>(random.next());
    return text;
  }

  TempDir folder_{"sealed"};
};

TEST_F(Sealed, ComesBackWholeAtEverySizeAroundAChunk) {
  const auto with = keys();
  for (const std::size_t bytes : {0U, 1U, 65'000U, 65'536U, 65'537U, 131'072U, 400'000U}) {
    const auto text = noise(bytes);
    const auto size = seal(text, with);
    EXPECT_EQ(size.plain_bytes, static_cast<std::int64_t>(bytes));
    EXPECT_EQ(size.sealed_bytes, static_cast<std::int64_t>(std::filesystem::file_size(file())));
    EXPECT_EQ(open(with), text);
  }
}

TEST_F(Sealed, ShowsNothingOfItsContents) {
  const std::string text = "the quick brown fox " + noise(300);
  seal(text, keys());
  const auto bytes = read_file(file());
  EXPECT_EQ(bytes.find("quick"), std::string::npos);
  EXPECT_EQ(bytes.find(text.substr(100, 16)), std::string::npos);
  EXPECT_EQ(std::filesystem::status(file()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Sealed, CompressesFirst) { EXPECT_LT(seal(std::string(1'000'000, 'x'), keys()).sealed_bytes, 2000); }

TEST_F(Sealed, EveryFlippedBitIsNoticed) {
  const auto with = keys();
  const auto text = noise(200);
  seal(text, with);
  const auto whole = read_file(file());
  std::map<Damage, int> found;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      write_file(file(), bytes);
      const auto what = damage(with, text);
      ASSERT_TRUE(what) << "byte " << i << ", bit " << bit;
      ++found[*what];
    }
  }
  EXPECT_EQ(found.size(), 1U) << "a flipped bit is a change and nothing else";
  EXPECT_TRUE(found.contains(Damage::changed));
}

TEST_F(Sealed, EveryCutIsNoticed) {
  const auto with = keys();
  const auto text = noise(70'000);
  seal(text, with);
  const auto whole = read_file(file());
  for (std::size_t size = 0; size < whole.size(); size += size < 300 || size + 300 > whole.size() ? 1U : 997U) {
    write_file(file(), whole.substr(0, size));
    EXPECT_EQ(damage(with, text), Damage::cut) << "at " << size;
  }
}

TEST_F(Sealed, ACutWithAForgedEndIsNoticed) {
  const auto with = keys();
  const auto text = noise(200'000);
  seal(text, with);
  const auto whole = read_file(file());
  for (std::size_t chunks = 1; chunks < 4; ++chunks) {
    auto bytes = whole.substr(0, 204 + chunks * (65'536 + 17));
    std::uint64_t size = bytes.size() + 16;
    for (int i = 0; i < 8; ++i, size >>= 8) bytes += static_cast<char>(size);
    write_file(file(), bytes + "QUARRYND");
    const auto found = damage(with, text);
    EXPECT_EQ(found, Damage::cut) << chunks;
  }
}

TEST_F(Sealed, ChunksCannotBeSwappedRepeatedOrAppended) {
  const auto with = keys();
  const auto text = noise(200'000);
  seal(text, with);
  const auto whole = read_file(file());
  constexpr std::size_t chunk = 65'536 + 17;
  auto swapped = whole;
  swapped.replace(204, chunk, whole.substr(204 + chunk, chunk));
  swapped.replace(204 + chunk, chunk, whole.substr(204, chunk));
  write_file(file(), swapped);
  EXPECT_EQ(damage(with, text), Damage::changed);
  auto repeated = whole;
  repeated.replace(204 + chunk, chunk, whole.substr(204, chunk));
  write_file(file(), repeated);
  EXPECT_EQ(damage(with, text), Damage::changed);
  write_file(file(), whole + whole.substr(204, 100));
  EXPECT_TRUE(damage(with, text));
}

TEST_F(Sealed, PartsOfOtherBackupsAndKindsAreToldApart) {
  const auto with = keys();
  seal("a", with, PartKind::database, "another");
  EXPECT_EQ(damage(with, "a"), Damage::swapped);
  seal("a", with, PartKind::manifest);
  EXPECT_EQ(damage(with, "a"), Damage::swapped);
  std::filesystem::remove(file());
  EXPECT_EQ(damage(with, "a"), Damage::missing);
}

TEST_F(Sealed, AnotherKeyIsAWrongKey) {
  seal("a", keys());
  EXPECT_EQ(damage(Keys::from_key_file(new_key_file(folder_ / "other")), "a"), Damage::wrong_key);
  write_secret_file(folder_ / "passphrase", "correct horse\n");
  EXPECT_EQ(damage(Keys::from_passphrase_file(folder_ / "passphrase"), "a"), Damage::wrong_key);
}

TEST_F(Sealed, AKeyThatWasReplacedOpensAsLongAsItIsInTheRing) {
  seal("a", keys());
  auto ring = system::KeyRing::from_file(folder_ / "keys");
  ring.add_primary("k2");
  ring.write_file(folder_ / "keys");
  EXPECT_EQ(open(keys()), "a");
}

TEST_F(Sealed, APassphraseOpensWhatItHasSealed) {
  write_secret_file(folder_ / "passphrase", "correct horse battery\nand the rest does not count\n");
  seal("a", Keys::from_passphrase_file(folder_ / "passphrase"));
  EXPECT_EQ(open(Keys::from_passphrase_file(folder_ / "passphrase")), "a");
  write_secret_file(folder_ / "passphrase", "incorrect horse battery");
  EXPECT_EQ(damage(Keys::from_passphrase_file(folder_ / "passphrase"), "a"), Damage::wrong_key);
}

TEST_F(Sealed, APublicKeySealsForItsKeyFileAndOpensNothing) {
  write_file(folder_ / "public", keys().public_text() + "\n");
  const auto writer = Keys::from_public_key_file(folder_ / "public");
  EXPECT_FALSE(writer.can_open());
  seal("a", writer);
  EXPECT_EQ(damage(Keys::from_public_key_file(folder_ / "public"), "a"), Damage::wrong_key);
  EXPECT_EQ(open(keys()), "a");
  EXPECT_EQ(damage(Keys::from_key_file(new_key_file(folder_ / "other")), "a"), Damage::wrong_key);
  EXPECT_EQ(open(writer), "a") << "who has just sealed it may look once, to verify it";
  EXPECT_EQ(damage(writer, "a"), Damage::wrong_key);
}

TEST_F(Sealed, KeysThatAreNoneSayWhy) {
  const auto why = [](auto make) {
    try {
      make();
    } catch (const Error& error) {
      return error.client_message();
    }
    return std::string("nothing");
  };
  auto text = keys().public_text();
  text[25] = text[25] == 'A' ? 'B' : 'A';
  write_file(folder_ / "public", text);
  EXPECT_THAT(why([&] { Keys::from_public_key_file(folder_ / "public"); }), testing::HasSubstr("mistyped"));
  write_file(folder_ / "open", "correct horse battery");
  std::filesystem::permissions(folder_ / "open", std::filesystem::perms(0644));
  EXPECT_THAT(why([&] { Keys::from_passphrase_file(folder_ / "open"); }), testing::HasSubstr("chmod 600"));
  write_secret_file(folder_ / "short", "short\n");
  EXPECT_THAT(why([&] { Keys::from_passphrase_file(folder_ / "short"); }), testing::HasSubstr("at least 8"));
  EXPECT_THAT(why([&] { Keys::from_key_file(folder_ / "none"); }), testing::HasSubstr("none"));
}

}  // namespace
}  // namespace quarry::test
