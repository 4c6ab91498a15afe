#include "support/http/file_server.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "quarry/crawl/fetcher.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

const SystemClock clock_now;

/// A server over a folder of the test's own, in a thread.
class FileServerTest : public testing::Test {
 protected:
  FileServerTest() {
    write("index.html", "<h1>root</h1>");
    write("sub/index.html", "sub");
    write("a b.txt", "text");
    std::filesystem::create_directories(folder_.path() / "empty");
    thread_ = std::thread([this] { server_.run(); });
  }
  ~FileServerTest() override {
    server_.stop();
    thread_.join();
  }
  void write(const std::string& name, const std::string& content) {
    const auto path = folder_.path() / "site" / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
  crawl::Response fetch(const std::string& path, std::string etag = "") {
    fetcher_.submit(
        {.url = crawl::Url::parse("http://127.0.0.1:" + std::to_string(server_.port()) + path), .etag = std::move(etag)});
    auto all = fetcher_.poll(std::chrono::seconds(30));
    return all.empty()
               ? crawl::Response{.requested = crawl::Url::parse("http://none/"), .url = crawl::Url::parse("http://none/")}
               : std::move(all.front());
  }

  TempDir folder_;
  FileServer server_{(prepare(), folder_.path() / "site"), 0};
  crawl::Fetcher fetcher_{{.allow_private = true}, clock_now};
  std::thread thread_;

 private:
  void prepare() { std::filesystem::create_directories(folder_.path() / "site"); }
};

TEST_F(FileServerTest, ServesFilesAndFolders) {
  EXPECT_EQ(fetch("/").body, "<h1>root</h1>");
  EXPECT_EQ(fetch("/").headers.content_type, "text/html");
  EXPECT_EQ(fetch("/a%20b.txt?x").body, "text");
  const auto sub = fetch("/sub");
  EXPECT_EQ(sub.body, "sub");
  EXPECT_EQ(sub.url.path(), "/sub/");
  EXPECT_EQ(fetch("/nothing.html").status, 404);
  EXPECT_EQ(fetch("/empty/").status, 404);
}

TEST_F(FileServerTest, SeesThatAFileHasChanged) {
  EXPECT_EQ(fetch("/a%20b.txt").body, "text");
  const auto etag = fetch("/a%20b.txt").headers.etag;
  EXPECT_EQ(fetch("/a%20b.txt", etag).status, 304);
  write("a b.txt", "another text");
  const auto changed = fetch("/a%20b.txt", etag);
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.body, "another text");
}

TEST_F(FileServerTest, StaysInItsFolder) {
  std::ofstream(folder_.path() / "secret.txt") << "secret";
  for (const char* path : {"/..%2fsecret.txt", "/sub/..%2f..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "/a%00b"}) {
    const auto response = fetch(path);
    EXPECT_GE(response.status, 400) << path;
    EXPECT_EQ(response.body, "") << path;
  }
}

TEST_F(FileServerTest, SendsWhatIsCompressedAsItIs) {
  const unsigned char gzip[] = {0x1f, 0x8b, 0x08, 0,    0,    0, 0, 0,    0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
                                0x57, 0x48, 0xaf, 0xca, 0x2c, 0, 0, 0x19, 0x6a, 0xd2, 0xdf, 0x0a, 0,    0,    0};
  write("page.html.gz", std::string(reinterpret_cast<const char*>(gzip), sizeof gzip));
  const auto response = fetch("/page.html");
  EXPECT_EQ(response.body, "hello gzip");
  EXPECT_EQ(response.headers.content_type, "text/html");
}

TEST_F(FileServerTest, SendsLargeFilesWhole) {
  write("large.bin", std::string(5'000'000, 'x'));
  EXPECT_EQ(fetch("/large.bin").body.size(), 5'000'000U);
}

TEST(FileServer, SaysWhatItCannotServe) {
  EXPECT_THROW(FileServer("/no/such/folder", 0), std::runtime_error);
  EXPECT_THROW(FileServer("/etc/hostname", 0), std::runtime_error);
}

}  // namespace
}  // namespace quarry::test
