#include "quarry/crawl/address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "quarry/crawl/url.hpp"

namespace quarry::crawl {
namespace {

// Both ends of every reserved block, and the neighbours outside.
constexpr std::string_view reserved_addresses = R"(
    0.0.0.0 0.0.0.1 0.255.255.255 10.0.0.0 10.0.0.1 10.255.255.255 100.64.0.0 100.64.0.1 100.100.100.200
    100.127.255.255 127.0.0.0 127.0.0.1 127.1.2.3 127.255.255.255 169.254.0.0 169.254.169.254 169.254.170.2
    169.254.255.255 172.16.0.0 172.17.0.1 172.31.255.255 192.0.0.0 192.0.0.1 192.0.0.8 192.0.0.170 192.0.0.192
    192.0.0.255 192.0.2.0 192.0.2.1 192.0.2.255 192.31.196.0 192.31.196.255 192.52.193.0 192.52.193.255 192.88.99.0
    192.88.99.1 192.88.99.255 192.168.0.0 192.168.1.1 192.168.255.255 192.175.48.0 192.175.48.255 198.18.0.0
    198.18.0.1 198.19.255.255 198.51.100.0 198.51.100.7 198.51.100.255 203.0.113.0 203.0.113.9 203.0.113.255
    224.0.0.0 224.0.0.1 232.1.1.1 239.255.255.250 239.255.255.255 240.0.0.0 250.1.2.3 255.255.255.254
    255.255.255.255 :: ::1 ::2 ::7f00:1 ::127.0.0.1 ::8.8.8.8 ::ffff ::ffff:0.0.0.0 ::ffff:127.0.0.1 ::ffff:10.0.0.1
    ::ffff:169.254.169.254 ::ffff:192.168.0.1 ::ffff:8.8.8.8 ::ffff:7f00:1 ::ffff:255.255.255.255 ::ffff:0:127.0.0.1
    ::fffe:127.0.0.1 64:ff9b:: 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b::8.8.8.8
    64:ff9b::ffff:ffff 64:ff9b:1:: 64:ff9b:1::127.0.0.1 64:ff9b:1:ffff:: 64:ff9b:2:: 100:: 100::1
    100::ffff:ffff:ffff:ffff 100:0:0:1::1 200::1 1000::1 1fff:ffff::1 2001:: 2001::1
    2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:0:ffff:: 2001:1::1 2001:1::2 2001:1::3 2001:2:: 2001:2:0:1::1
    2001:3::1 2001:4:112::1 2001:10::1 2001:1f::1 2001:20::1 2001:2f::1 2001:30::1 2001:1ff:ffff:: 2001:db8::
    2001:db8::1 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:: 2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe::
    2002:c0a8:101::1 2002:808:808::1 2002:ffff:: 2620:4f:8000:: 2620:4f:8000:ffff::1 3fff:: 3fff::1 3fff:fff:ffff::
    4000:: 4000::1 5f00:: 5f00::1 5f00:ffff:: 6000::1 8000::1 a000::1 c000::1 e000::1 f000::1 fbff::1 fc00:: fc00::1
    fd00::1 fd00:ec2::254 fdff:ffff::1 fe00::1 fe7f::1 fe80:: fe80::1 fe80::a9fe:a9fe febf:ffff::1 fec0:: fec0::1
    feff::1 ff00:: ff01::1 ff02::1 ff02::2 ff05::1:3 ff0e::1 ffff::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff)";

constexpr std::string_view open_addresses = R"(
    1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
    169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.1.255 192.0.3.0
    192.31.195.255 192.31.197.0 192.52.192.255 192.52.194.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0
    192.175.47.255 192.175.49.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0
    223.255.255.255 93.184.216.34 151.101.1.69 2000::1 2000:ffff::1 2001:200::1 2001:4860:4860::8888
    2001:db7:ffff::1 2001:db9::1 2003::1 2400:cb00::1 2600::1 2606:4700:4700::1111 2620:4f:7fff::1 2620:4f:8001::1
    2620:fe::fe 2a00:1450:4001::1 2a02::1 2fff:ffff::1 3000::1 3ffe::1 3fff:1000::1)";

std::vector<std::string> words(std::string_view text) {
  std::istringstream stream{std::string(text)};
  return {std::istream_iterator<std::string>(stream), {}};
}

TEST(Address, RefusesEveryReservedBlock) {
  const auto all = words(reserved_addresses);
  ASSERT_EQ(all.size(), 160U);
  for (const auto& text : all) {
    const auto address = parse_ip(text);
    ASSERT_TRUE(address) << text;
    EXPECT_FALSE(is_public(*address)) << text;
    EXPECT_FALSE(reserved_block(*address).empty()) << text;
  }
}

TEST(Address, AllowsTheNeighboursOfReservedBlocks) {
  const auto all = words(open_addresses);
  ASSERT_EQ(all.size(), 55U);
  for (const auto& text : all) {
    const auto address = parse_ip(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(reserved_block(*address), "") << text;
  }
}

TEST(Address, ReadsTheStrictFormsOnly) {
  for (const char* text :
       {"", "1", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "1.2.3", "1.2.3.4.5", "256.1.1.1", " 1.2.3.4",
        "1.2.3.4 ", "[::1]", "fe80::1%eth0", ":::", "1::2::3", "localhost", "::ffff:0x7f.0.0.1"})
    EXPECT_FALSE(parse_ip(text)) << text;
  EXPECT_FALSE(parse_ip(std::string_view("1.2.3.4\0", 8)));
}

TEST(Address, CannotBeHiddenBehindASpelling) {
  for (const char* text : {"http://0x7f.1/",
                           "http://0177.0.0.1/",
                           "http://2130706433/",
                           "http://0x7f000001/",
                           "http://127.1/",
                           "http://017700000001/",
                           "http://0xa9fea9fe/",
                           "http://2852039166/",
                           "http://0251.0376.0251.0376/",
                           "http://169.254.43518/",
                           "http://0xA9.254.169.254/",
                           "http://10.1/",
                           "http://0/",
                           "http://0x0/",
                           "http://00/",
                           "http://192.168.257/",
                           "http://[::ffff:7f00:1]/",
                           "http://[0:0:0:0:0:ffff:127.0.0.1]/",
                           "http://[64:ff9b::7f00:1]/",
                           "http://[2002:7f00:1::]/",
                           "http://[::]/",
                           "http://%31%36%39.254.169.254/",
                           "http://127.0.0.1./"}) {
    const auto url = Url::try_parse(text);
    ASSERT_TRUE(url) << text;
    const auto address = parse_ip(url->host());
    ASSERT_TRUE(address) << text << " became " << url->text();
    EXPECT_FALSE(is_public(*address)) << text;
  }
}

TEST(Address, ComesFromSockets) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  inet_pton(AF_INET, "127.0.0.1", &v4.sin_addr);
  EXPECT_EQ(from_sockaddr(reinterpret_cast<const sockaddr*>(&v4)), parse_ip("127.0.0.1"));
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  inet_pton(AF_INET6, "fe80::1", &v6.sin6_addr);
  EXPECT_EQ(from_sockaddr(reinterpret_cast<const sockaddr*>(&v6)), parse_ip("fe80::1"));
  sockaddr local{};
  local.sa_family = AF_UNIX;
  EXPECT_FALSE(from_sockaddr(&local));
  EXPECT_FALSE(from_sockaddr(nullptr));
}

TEST(Address, IsWrittenInItsShortForm) {
  EXPECT_EQ(to_string(*parse_ip("127.0.0.1")), "127.0.0.1");
  EXPECT_EQ(to_string(*parse_ip("2001:DB8:0:0:0:0:0:1")), "2001:db8::1");
}

}  // namespace
}  // namespace quarry::crawl
