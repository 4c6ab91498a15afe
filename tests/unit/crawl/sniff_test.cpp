#include "crawl/web/sniff.hpp"

#include <gtest/gtest.h>

#include <string>

namespace quarry::crawl {
namespace {

TEST(Sniff, APageIsKnownByItsFirstTag) {
  for (const char* page : {"<!DOCTYPE html><p>", "\r\n\t <HTML lang=en>", "<title>T</title>", "<!-- a comment -->",
                           "<a href=x>", "\xEF\xBB\xBF<body>", "<p>text"})
    EXPECT_TRUE(looks_like_html(page)) << page;
}

TEST(Sniff, WhatMerelyHoldsOneIsNoPage) {
  for (const char* other : {"", " ", "<", "<p", "<pre>", "<address>", "text <p>", "<?xml version='1.0'?>",
                            "{\"a\": \"<p>\"}", "%PDF-1.4", "<!doctype htmlx>", "\xFF\xFE<"})
    EXPECT_FALSE(looks_like_html(other)) << other;
}

}  // namespace
}  // namespace quarry::crawl
