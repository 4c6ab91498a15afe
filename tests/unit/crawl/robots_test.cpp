#include "quarry/crawl/robots.hpp"

#include <gtest/gtest.h>

namespace quarry::crawl {
namespace {

using std::chrono::milliseconds;

Url at(const std::string& path) { return Url::parse("http://example.org" + path); }

RobotsPolicy parse(std::string_view file, std::string_view product = "quarry") { return RobotsPolicy::parse(file, product); }

bool allows(std::string_view file, const std::string& path, std::string_view product = "quarry") {
  return parse(file, product).allows(at(path));
}

TEST(Robots, IsFoundAtTheRoot) {
  EXPECT_EQ(robots_url(Url::parse("https://example.org:8443/a/b?c")).text(), "https://example.org:8443/robots.txt");
}

TEST(Robots, AllowsWhatNoRuleForbids) {
  EXPECT_TRUE(allows("", "/a"));
  EXPECT_TRUE(allows("User-agent: *\nDisallow:\n", "/a"));
  EXPECT_TRUE(allows("Disallow: /a\n", "/a")) << "before the first group";
  EXPECT_TRUE(allows("User-agent: other\nDisallow: /\n", "/a"));
  EXPECT_FALSE(allows("User-agent: *\nDisallow: /\n", "/a"));
  EXPECT_TRUE(allows("User-agent: *\nDisallow: /\n", "/robots.txt"));
}

// The example of RFC 9309, 5.1, and its table.
TEST(Robots, FollowsTheExampleOfRfc9309) {
  constexpr std::string_view file =
      "User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n"
      "User-Agent: foobot\nDisallow:/\nAllow:/example/page.html\nAllow:/example/allowed.gif\n\n"
      "User-Agent: barbot\nUser-Agent: bazbot\nDisallow: /example/page.html\n\n"
      "User-Agent: quxbot\n";
  EXPECT_TRUE(allows(file, "/example/page.html", "foobot"));
  EXPECT_TRUE(allows(file, "/example/allowed.gif", "foobot"));
  EXPECT_FALSE(allows(file, "/example/", "foobot"));
  for (const char* bot : {"barbot", "bazbot", "BarBot"}) {
    EXPECT_FALSE(allows(file, "/example/page.html", bot));
    EXPECT_TRUE(allows(file, "/example/other.gif", bot));
  }
  EXPECT_TRUE(allows(file, "/example/page.html", "quxbot")) << "an own group without rules";
  EXPECT_FALSE(allows(file, "/x.gif"));
  EXPECT_TRUE(allows(file, "/x.gif?y"));
  EXPECT_TRUE(allows(file, "/publications/"));
  EXPECT_FALSE(allows(file, "/example/x"));
}

TEST(Robots, TheLongestRuleDecides) {
  EXPECT_TRUE(allows("User-agent: *\nDisallow: /a\nAllow: /a/b\n", "/a/b/c"));
  EXPECT_FALSE(allows("User-agent: *\nAllow: /a\nDisallow: /a/b\n", "/a/b/c"));
  EXPECT_TRUE(allows("User-agent: *\nDisallow: /a\nAllow: /a\n", "/a")) << "allow wins a tie";
  EXPECT_TRUE(allows("User-agent: *\nDisallow: /\nAllow: /$\n", "/"));
  EXPECT_FALSE(allows("User-agent: *\nDisallow: /\nAllow: /$\n", "/x"));
  EXPECT_FALSE(allows("User-agent: *\nAllow: /page\nDisallow: /*.htm\n", "/page.htm"));
  EXPECT_EQ(parse("User-agent: *\nDisallow: /a # why\nAllow: /a/b").deciding_rule(at("/a/c")), "Disallow: /a");
  EXPECT_EQ(parse("User-agent: *\nDisallow: /a\n").deciding_rule(at("/b")), "");
}

struct Match {
  const char* rule;
  const char* path;
  bool fits;
};

TEST(Robots, MatchesPatterns) {
  constexpr Match cases[] = {
      {"/", "/anything", true},
      {"/fish", "/fish", true},
      {"/fish", "/fish.html", true},
      {"/fish", "/fish?id=1", true},
      {"/fish", "/Fish", false},
      {"/fish", "/catfish", false},
      {"/fish/", "/fish", false},
      {"/fish*", "/fisherman", true},
      {"/*.php", "/a/b.php?c", true},
      {"/*.php", "/a.PHP", false},
      {"/*.php$", "/a.php", true},
      {"/*.php$", "/a.php?x", false},
      {"/*.php$", "/a.php/a.php", true},
      {"/fish*.php", "/fishheads/catfish.php?x", true},
      {"/fish*.php", "/Fish.PHP", false},
      {"*", "/", true},
      {"*/b", "/a/b", true},
      {"/a*b*c", "/axxbxxc", true},
      {"/a*b*c", "/axxcxxb", false},
      {"/a**b", "/ab", true},
      {"/a*$", "/abc", true},
      {"/$", "/", true},
      {"/a$b", "/a$b", true},
      {"/a$b", "/a", false},
      {"/*?*", "/a?b", true},
      {"/*?*", "/a", false},
      {"/a?b=1", "/a?b=1&c", true},
      {"fish", "/fish", false},
      {"/%7Ejoe", "/~joe", true},
      {"/~joe", "/%7ejoe", true},
      {"/a%3cd", "/a%3Cd", true},
      {"/a/b%2Fc", "/a/b/c", false},
      {"/\xC3\xA4", "/%C3%A4", true},
      {"/%e3%83%84", "/\xE3\x83\x84", true},
      {"/a%2A", "/axx", false},
      {"/a%2A", "/a%2a", true},
      {"/a b", "/a%20b", true},
  };
  for (const auto& [rule, path, wanted] : cases)
    EXPECT_EQ(!allows("User-agent: *\nDisallow: " + std::string(rule) + "\n", path), wanted) << rule << " and " << path;
}

TEST(Robots, FindsItsGroup) {
  constexpr std::string_view file =
      "user-agent: *\ndisallow: /any\n\nUSER-AGENT: Quarry/2.0 (x)\nDisallow: /one\n\nuser-agent: quarry\nDisallow: /two\n"
      "User-agent: quarrybot\nDisallow: /three\n";
  EXPECT_TRUE(allows(file, "/any")) << "the own group replaces that of the star";
  EXPECT_FALSE(allows(file, "/one"));
  EXPECT_FALSE(allows(file, "/two")) << "groups of one name are one";
  EXPECT_TRUE(allows(file, "/three")) << "another name that begins the same";
  EXPECT_FALSE(allows(file, "/any", "else"));
  EXPECT_FALSE(allows("User-agent: a\nUser-agent: quarry\nUser-agent: b\nDisallow: /x\n", "/x"));
  EXPECT_FALSE(allows("User-agent: quarry\n\n\nDisallow: /x\n", "/x")) << "empty lines end no group";
  EXPECT_FALSE(allows("User-agent: quarry\nSitemap: http://a/\nUnknown: y\nDisallow: /x\n", "/x"));
}

TEST(Robots, IsLenientAboutTheForm) {
  EXPECT_FALSE(allows("\xEF\xBB\xBFUser-agent: *\nDisallow: /x\n", "/x"));
  EXPECT_FALSE(allows("User-agent: *\r\nDisallow: /x\r\n", "/x"));
  EXPECT_FALSE(allows("User-agent: *\rDisallow: /x", "/x"));
  EXPECT_FALSE(allows("  User-agent \t:\t* # all\n Disallow : /x # that\n", "/x"));
  EXPECT_TRUE(allows("User-agent *\nDisallow /x\n", "/x")) << "no colon, no line";
  EXPECT_TRUE(allows("<html><body>User-agent: nobody</body></html>", "/x"));
  EXPECT_FALSE(allows(std::string_view("User-agent: *\nDisallow: /x\n\0\xFF\n", 30), "/x"));
}

TEST(Robots, ReadsCrawlDelay) {
  const auto delay = [](std::string_view line) {
    return parse("User-agent: *\n" + std::string(line) + "\nDisallow: /x\n").crawl_delay();
  };
  EXPECT_EQ(delay("Crawl-delay: 2"), milliseconds(2000));
  EXPECT_EQ(delay("crawl-DELAY: 0.5"), milliseconds(500));
  EXPECT_EQ(delay("Crawl-delay: 99999"), crawl_delay_max);
  EXPECT_EQ(delay("Crawl-delay: 1e9"), std::nullopt);
  for (const char* line : {"", "Crawl-delay:", "Crawl-delay: soon", "Crawl-delay: -1", "Crawl-delay: 5s", "Crawl-delay: nan",
                           "Crawl-delay: inf"})
    EXPECT_EQ(delay(line), std::nullopt) << line;
  EXPECT_EQ(parse("User-agent: *\nCrawl-delay: 5\nUser-agent: quarry\nDisallow: /x\n").crawl_delay(), std::nullopt);
}

TEST(Robots, ListsSitemaps) {
  const auto policy =
      parse("Sitemap: http://example.org/a.xml\nUser-agent: x\nsitemap:https://Other.example/b\nSitemap: /relative\n");
  ASSERT_EQ(policy.sitemaps().size(), 2U);
  EXPECT_EQ(policy.sitemaps()[0].text(), "http://example.org/a.xml");
  EXPECT_EQ(policy.sitemaps()[1].text(), "https://other.example/b");
}

TEST(Robots, ReadsFiveHundredKibibytes) {
  std::string file = "User-agent: *\nDisallow: /early\n";
  file.append(robots_bytes_max - file.size() - 10, '#');
  file += "\nDisallow: /late\n";
  EXPECT_FALSE(allows(file, "/early"));
  EXPECT_TRUE(allows(file, "/late"));
  EXPECT_TRUE(allows(file, "/")) << "the line that is cut ('Disallow:' or less) is no rule";
}

TEST(Robots, TakesBoundedTimeOnFilesMadeToHurt) {
  const std::string rule = "Disallow: /*" + std::string(900, 'a') + "b\n";
  std::string file = "User-agent: *\n";
  while (file.size() < robots_bytes_max) file += rule;
  const auto policy = parse(file);
  EXPECT_FALSE(policy.allows(at("/" + std::string(2000, 'a'))));
  EXPECT_TRUE(policy.allows(at("/short")));
}

TEST(Robots, JudgesByTheStatus) {
  constexpr std::string_view file = "User-agent: *\nDisallow: /x\n";
  const auto judge = [&](int status) { return RobotsPolicy::from_response(status, file, "quarry"); };
  EXPECT_EQ(judge(200).source(), RobotsPolicy::Source::parsed);
  EXPECT_FALSE(judge(200).allows(at("/x")));
  for (const int status : {301, 400, 401, 403, 404, 410, 451}) EXPECT_TRUE(judge(status).allows(at("/x"))) << status;
  for (const int status : {0, 429, 500, 503, 599}) {
    EXPECT_FALSE(judge(status).allows(at("/y"))) << status;
    EXPECT_EQ(judge(status).age_max(), robots_retry_age) << status;
  }
  EXPECT_EQ(judge(404).age_max(), robots_age);
  EXPECT_TRUE(judge(503).allows(at("/robots.txt")));
}

}  // namespace
}  // namespace quarry::crawl
