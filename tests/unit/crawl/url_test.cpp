#include "quarry/crawl/url.hpp"

#include <gtest/gtest.h>

#include "quarry/core/error.hpp"

namespace quarry::crawl {
namespace {

struct Pair {
  const char* given;
  const char* wanted;
};

TEST(Url, HasOneCanonicalForm) {
  constexpr Pair pairs[] = {
      {"http://example.org", "http://example.org/"},
      {"HTTP://Example.ORG:80/A", "http://example.org/A"},
      {"https://example.org:443", "https://example.org/"},
      {"https://example.org:80/", "https://example.org:80/"},
      {"http://example.org:8080", "http://example.org:8080/"},
      {"http://example.org:/", "http://example.org/"},
      {"http://example.org:0080/", "http://example.org/"},
      {"http://example.org./", "http://example.org/"},
      {"http://a/b/./c/../d", "http://a/b/d"},
      {"http://a/..", "http://a/"},
      {"http://a/../../b", "http://a/b"},
      {"http://a/b/..", "http://a/"},
      {"http://a/b/.", "http://a/b/"},
      {"http://a/b//c", "http://a/b//c"},
      {"http://a//../b", "http://a/b"},
      {"http://a/%2e%2E/b", "http://a/b"},
      {"http://a/b/%2e", "http://a/b/"},
      {"http://a/...", "http://a/..."},
      {"http://a/%7Euser", "http://a/~user"},
      {"http://a/%c3%a4", "http://a/%C3%A4"},
      {"http://a/\xC3\xA4", "http://a/%C3%A4"},
      {"http://a/100%", "http://a/100%25"},
      {"http://a/%zz", "http://a/%25zz"},
      {"http://a/a b", "http://a/a%20b"},
      {"http://a/%2F", "http://a/%2F"},
      {"http://a/?q=%3d%26&b=1", "http://a/?q=%3D%26&b=1"},
      {"http://a/?b=2&a=1", "http://a/?b=2&a=1"},
      {"http://a?x", "http://a/?x"},
      {"http://a/?", "http://a/"},
      {"http://a/?a=b?c", "http://a/?a=b?c"},
      {"http://a/x?y#z", "http://a/x?y"},
      {"http://a/x#y?z", "http://a/x"},
      {"http://a/?a[]=\"1\"", "http://a/?a%5B%5D=%221%22"},
      {"  http://a/ \n", "http://a/"},
      {"http://a/b\nc\td", "http://a/bcd"},
      {"http:\\\\a\\b?c\\d", "http://a/b?c%5Cd"},
      {"http://a_b.example/", "http://a_b.example/"},
      {"http://xn--bcher-kva.example/", "http://xn--bcher-kva.example/"},
      {"http://%65xample.org/", "http://example.org/"},
      {"http://[2001:DB8:0:0::1]/", "http://[2001:db8::1]/"},
      {"http://[::ffff:127.0.0.1]:8080/", "http://[::ffff:127.0.0.1]:8080/"},
  };
  for (const auto& [given, wanted] : pairs) {
    const auto url = Url::try_parse(given);
    ASSERT_TRUE(url) << given;
    EXPECT_EQ(url->text(), wanted) << given;
    EXPECT_EQ(Url::parse(url->text()), *url) << "canonical form of " << given << " is not stable";
  }
}

TEST(Url, RewritesEverySpellingOfAnIpv4Address) {
  for (const char* text :
       {"http://127.0.0.1/", "http://0x7f.1/", "http://0x7F.0.0.1/", "http://0177.0.0.1/", "http://2130706433/",
        "http://017700000001/", "http://0x7f000001/", "http://127.1/", "http://127.0.1/", "http://127.0.0.1./",
        "http://0x7f.0.1/", "http://0177.0.0x1/", "http://%31%32%37.0.0.1/"})
    EXPECT_EQ(Url::parse(text).host(), "127.0.0.1") << text;
  EXPECT_EQ(Url::parse("http://000127.0.0.1/").host(), "87.0.0.1") << "a leading zero means octal";
  for (const char* text : {"http://256.0.0.1/", "http://1.2.3.4.5/", "http://1.2.3.256/", "http://0x100000000/",
                           "http://4294967296/", "http://09.1.1.1/", "http://1.2.3.08/", "http://a.1/", "http://1..2/"})
    EXPECT_FALSE(Url::try_parse(text)) << text;
}

TEST(Url, RefusesWhatCannotBeFetchedAndNamesIt) {
  constexpr Pair pairs[] = {
      {"", "empty"},
      {"   ", "empty"},
      {"example.org/page", "absolute"},
      {"/page", "absolute"},
      {"ftp://example.org/", "only http and https"},
      {"file:///etc/passwd", "only http and https"},
      {"javascript:alert(1)", "only http and https"},
      {"http:example.org", "host"},
      {"http:///page", "host"},
      {"http://", "host"},
      {"http://exa mple.org/", "host"},
      {"http://a..b/", "host"},
      {"http://[::1/", "host"},
      {"http://[::1%25eth0]/", "host"},
      {"http://[127.0.0.1]/", "host"},
      {"http://[::1]x/", "host"},
      {"http://[]/", "host"},
      {"http://a]:80/", "host"},
      {"http://a%00b/", "host"},
      {"http://a%2fb/", "host"},
      {"http://b\xC3\xBC"
       "cher.example/",
       "punycode"},
      {"http://a:0/", "port"},
      {"http://a:65536/", "port"},
      {"http://a:8x/", "port"},
      {"http://a:-1/", "port"},
  };
  for (const auto& [given, wanted] : pairs) {
    try {
      Url::parse(given);
      ADD_FAILURE() << given << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid);
      EXPECT_NE(error.client_message().find(wanted), std::string::npos) << error.client_message();
    }
    EXPECT_FALSE(Url::try_parse(given));
  }
}

TEST(Url, RefusesCredentialsWithoutRepeatingThem) {
  EXPECT_EQ(Url::parse("http://good.example\\@evil.example/").host(), "good.example")
      << "browsers read a backslash as a slash";
  for (const char* text : {"http://ada:secret@example.org/", "http://secret@example.org/", "http://a:b@c:secret@d/"}) {
    try {
      Url::parse(text);
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.client_message().find("secret"), std::string::npos) << error.client_message();
    }
  }
}

TEST(Url, IsBounded) {
  const std::string prefix = "http://a/";
  EXPECT_TRUE(Url::try_parse(prefix + std::string(url_bytes_max - prefix.size(), 'x')));
  EXPECT_FALSE(Url::try_parse(prefix + std::string(url_bytes_max - prefix.size() + 1, 'x')));
  EXPECT_FALSE(Url::try_parse(prefix + std::string(1000, ' ') + "x")) << "encoding counts";
  EXPECT_FALSE(Url::try_parse(prefix + std::string(1'000'000, 'x')));
  EXPECT_TRUE(Url::try_parse("http://" + std::string(63, 'a') + ".b/"));
  EXPECT_FALSE(Url::try_parse("http://" + std::string(64, 'a') + ".b/"));
}

TEST(Url, HasParts) {
  const auto url = Url::parse("https://Example.org:8443/a/b?c=d&e");
  EXPECT_EQ(url.scheme(), "https");
  EXPECT_TRUE(url.is_https());
  EXPECT_EQ(url.host(), "example.org");
  EXPECT_EQ(url.port(), 8443);
  EXPECT_EQ(url.origin(), "https://example.org:8443");
  EXPECT_EQ(url.path(), "/a/b");
  EXPECT_EQ(url.query(), "c=d&e");
  EXPECT_EQ(url.path_and_query(), "/a/b?c=d&e");
  const auto plain = Url::parse("http://[::1]");
  EXPECT_EQ(plain.host(), "::1");
  EXPECT_EQ(plain.port(), 80);
  EXPECT_EQ(plain.path(), "/");
  EXPECT_EQ(plain.query(), "");
}

TEST(Resolve, FollowsTheExamplesOfRfc3986) {
  const auto base = Url::parse("http://a/b/c/d;p?q");
  constexpr Pair pairs[] = {
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g/"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q"},
      {"g#s", "http://a/b/c/g"},
      {"g?y#s", "http://a/b/c/g?y"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"https://h/x", "https://h/x"},
      {"//[::1]:81/x", "http://[::1]:81/x"},
      {"1:2", "http://a/b/c/1:2"},
  };
  for (const auto& [given, wanted] : pairs) EXPECT_EQ(resolve(base, given).text(), wanted) << given;
  for (const char* text : {"mailto:a@b", "javascript:void(0)", "tel:123", "data:text/html,x", "http:g", "//u:p@h/", "//"})
    EXPECT_FALSE(try_resolve(base, text)) << text;
  EXPECT_THROW(resolve(base, "mailto:a@b"), Error);
}

TEST(HostKey, LeavesOutTheSchemeAndItsOwnPort) {
  EXPECT_EQ(host_key(Url::parse("http://Example.org/a")), "example.org");
  EXPECT_EQ(host_key(Url::parse("https://example.org/b")), "example.org");
  EXPECT_EQ(host_key(Url::parse("https://example.org:8443/b")), "example.org:8443");
  EXPECT_EQ(host_key(Url::parse("http://[::1]:81/")), "[::1]:81");
}

TEST(Url, AHostAsPeopleWriteItHasTheKeyOfItsPages) {
  EXPECT_EQ(parse_host_key("Example.ORG"), "example.org");
  EXPECT_EQ(parse_host_key("example.org."), "example.org");
  EXPECT_EQ(parse_host_key("example.org:80"), "example.org");
  EXPECT_EQ(parse_host_key("example.org:443"), "example.org");
  EXPECT_EQ(parse_host_key("Example.org:8080"), "example.org:8080");
  EXPECT_EQ(parse_host_key("[::0001]:81"), "[::1]:81");
  EXPECT_EQ(parse_host_key("0x7f.1"), "127.0.0.1");
  EXPECT_EQ(parse_host_key("xn--bcher-kva.example"), "xn--bcher-kva.example");
  EXPECT_EQ(parse_host_key("https://Example.org:443/a?b"), "example.org");
  EXPECT_EQ(parse_host_key("https://example.org:80/"), "example.org:80");
  for (const auto* text : {"",
                           "b\xC3\xBC"
                           "cher.example",
                           "example.org/page", "a b", "user@example.org", "example.org:0", "example.org:http",
                           "ftp://example.org/", "a..b", "?"})
    EXPECT_THROW(parse_host_key(text), Error) << text;
}

TEST(SameSite, IgnoresSchemeAndWww) {
  EXPECT_TRUE(same_site(Url::parse("http://example.org/a"), Url::parse("https://www.example.org/b")));
  EXPECT_FALSE(same_site(Url::parse("http://example.org/"), Url::parse("http://docs.example.org/")));
  EXPECT_FALSE(same_site(Url::parse("http://example.org/"), Url::parse("http://example.org:8080/")));
}

}  // namespace
}  // namespace quarry::crawl
