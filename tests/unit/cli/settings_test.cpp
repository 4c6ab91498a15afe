#include "cli/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "quarry/core/error.hpp"

namespace quarry::cli {
namespace {

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

std::string refusal(std::string_view toml) {
  try {
    settings_from_toml(toml, "quarry.toml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    return error.client_message();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

TEST(Settings, HaveDefaults) {
  const auto settings = resolve({}, {}, {});
  EXPECT_EQ(settings.db, "sqlite:data/quarry.db");
  EXPECT_EQ(settings.blobs, "data/quarry.db-blobs");
  EXPECT_FALSE(settings.json);
  EXPECT_EQ(settings.log.level, log::Level::warn);
}

TEST(Settings, AFlagWinsOverTheEnvironmentAndThatOverTheFile) {
  const PartialSettings flags{.db = "sqlite:flag.db"};
  const auto variables = settings_from(environment({{"QUARRY_DB", "sqlite:env.db"}, {"QUARRY_LOG", "debug,json"}}));
  const auto file = settings_from_toml("db = 'sqlite:file.db'\nlog = 'info'\njson = true\nblobs = '/b'", "f");
  const auto settings = resolve(flags, variables, file);
  EXPECT_EQ(settings.db, "sqlite:flag.db");
  EXPECT_EQ(settings.log.level, log::Level::debug);
  EXPECT_EQ(settings.log.format, log::Format::json);
  EXPECT_TRUE(settings.json);
  EXPECT_EQ(settings.blobs, "/b");
  EXPECT_EQ(resolve({}, variables, file).db, "sqlite:env.db");
  EXPECT_EQ(resolve({}, {}, file).db, "sqlite:file.db");
  EXPECT_FALSE(resolve({}, settings_from(environment({{"QUARRY_JSON", "0"}})), file).json);
}

TEST(Settings, BodiesLieBesideTheDatabase) {
  EXPECT_EQ(resolve({.db = "sqlite:/var/lib/q/x.db"}, {}, {}).blobs, "/var/lib/q/x.db-blobs");
  EXPECT_EQ(resolve({.db = "sqlite:x.db"}, {}, {}).blobs, "x.db-blobs");
  EXPECT_EQ(resolve({.db = "postgresql://h/d"}, {}, {}).blobs, "data/d-blobs");
  EXPECT_EQ(resolve({.db = "postgresql://u:p@a:1,b:2/d_1?sslmode=require"}, {}, {}).blobs, "data/d_1-blobs");
  for (const auto* unnamed : {"postgresql://h", "postgresql:///?dbname=d", "postgresql://h/..", "postgresql://h/a%2Fb"})
    EXPECT_EQ(resolve({.db = unnamed}, {}, {}).blobs, "data/blobs") << unnamed;
}

TEST(Settings, TheLogsFormatHasASettingOfItsOwn) {
  EXPECT_EQ(resolve({.log_format = "json"}, {}, {}).log.format, log::Format::json);
  EXPECT_EQ(resolve({.log = "info,json", .log_format = "text"}, {}, {}).log.format, log::Format::text);
  const auto variables = settings_from(environment({{"QUARRY_LOG_FORMAT", "json"}}));
  EXPECT_EQ(resolve({.log = "debug"}, variables, {}).log.format, log::Format::json);
  EXPECT_EQ(resolve({.log = "debug"}, variables, {}).log.level, log::Level::debug);
  EXPECT_THROW(resolve({.log_format = "xml"}, {}, {}), Error);
}

TEST(Settings, SlowQueriesAreLoggedFromAThresholdOn) {
  EXPECT_EQ(resolve({}, {}, {}).slow_query_ms, std::nullopt);
  EXPECT_EQ(resolve({}, {}, settings_from_toml("slow_query_ms = 250", "f")).slow_query_ms, 250);
  EXPECT_THROW(resolve({.slow_query_ms = 0}, {}, {}), Error);
}

TEST(Settings, TheFilesKeysAreChecked) {
  EXPECT_THAT(refusal("\ndatabase = 'x'"), testing::AllOf(testing::HasSubstr("'database'"), testing::HasSubstr("line 2"),
                                                          testing::HasSubstr("quarry.toml")));
  EXPECT_THAT(refusal("json = 'yes'"), testing::HasSubstr("'json' must be true or false"));
  EXPECT_THAT(refusal("db = 5"), testing::HasSubstr("'db' must be a text"));
  EXPECT_THAT(refusal("db = "), testing::HasSubstr("not TOML"));
  EXPECT_THAT(refusal("\npepper_file = ''"), testing::HasSubstr("line 2: 'pepper_file' is empty"));
  EXPECT_THAT(refusal("[crawl]\nx = 1"), testing::HasSubstr("'crawl'"));
}

TEST(Settings, ANameIsSpelledTheSameWayInAllPlaces) {
  EXPECT_EQ(variable_of("busy_timeout_ms"), "QUARRY_BUSY_TIMEOUT_MS");
  EXPECT_EQ(flag_of("busy_timeout_ms"), "--busy-timeout-ms");
  const auto settings = resolve({.connections = 3}, settings_from(environment({{"QUARRY_STATEMENT_TIMEOUT_MS", "1500"}})),
                                settings_from_toml("synchronous = 'normal'\nbusy_timeout_ms = 20\nkeys_file = '/k'", "f"));
  const auto options = settings.applied_to({});
  EXPECT_EQ(options.connections_max, 3U);
  EXPECT_EQ(options.statement_timeout.count(), 1500);
  EXPECT_EQ(options.busy_timeout.count(), 20);
  EXPECT_EQ(options.synchronous, Synchronous::normal);
  EXPECT_EQ(settings.keys_file, "/k");
  const auto untouched =
      resolve({}, {}, {}).applied_to({.connections_max = 5, .statement_timeout = std::chrono::seconds(7)});
  EXPECT_EQ(untouched.connections_max, 5U);
  EXPECT_EQ(untouched.statement_timeout, std::chrono::seconds(7));
}

TEST(Settings, AreShownWithWhoSaidThemAndWithoutPasswords) {
  const SettingsSources sources{
      .flags = {.db = "postgresql://ada:geheim@h/d?sslmode=require"},
      .environment = settings_from(environment({{"QUARRY_JSON", "1"}, {"QUARRY_DB", "sqlite:e.db"}})),
      .file = settings_from_toml("log = 'info'\ndb = 'sqlite:f.db'", "q.toml"),
      .file_name = "q.toml"};
  std::map<std::string, std::pair<std::string, std::string>> shown;
  for (const auto& one : show_settings(sources)) {
    EXPECT_EQ(one.value.find("geheim"), std::string::npos);
    shown[one.name] = {one.value, one.from};
  }
  EXPECT_EQ(shown["db"].second, "--db");
  EXPECT_THAT(shown["db"].first, testing::HasSubstr("ada"));
  EXPECT_EQ(shown["blobs"], std::pair(std::string("data/d-blobs"), std::string("default")));
  EXPECT_EQ(shown["json"], std::pair(std::string("true"), std::string("QUARRY_JSON")));
  EXPECT_EQ(shown["log"], std::pair(std::string("info"), std::string("q.toml")));
  EXPECT_EQ(shown["connections"], std::pair(std::string("8"), std::string("default")));
}

TEST(Settings, OnlyARegularFileOfABoundedSizeIsRead) {
  const auto code_of = [](const std::string& file) {
    try {
      settings_from_file(file);
    } catch (const Error& error) {
      EXPECT_THAT(error.client_message(), testing::HasSubstr(file));
      return error.code();
    }
    return ErrorCode::bug;
  };
  EXPECT_EQ(code_of("/tmp"), ErrorCode::invalid);
  EXPECT_EQ(code_of("/dev/zero"), ErrorCode::invalid);
  const auto large = testing::TempDir() + "quarry-large.toml";
  std::ofstream(large) << std::string((1 << 20) + 1, '\n');
  EXPECT_EQ(code_of(large), ErrorCode::invalid);
  std::ofstream(large) << "db = 'sqlite:a.db'\n" << std::string(1000, '\n');
  EXPECT_EQ(settings_from_file(large).db, "sqlite:a.db");
  std::filesystem::remove(large);
}

TEST(Settings, WhatCannotBeReadIsRefused) {
  EXPECT_THROW(settings_from(environment({{"QUARRY_JSON", "maybe"}})), Error);
  EXPECT_THROW(settings_from(environment({{"QUARRY_CONNECTIONS", "many"}})), Error);
  EXPECT_THROW(settings_from(environment({{"QUARRY_CONNECTIONS", "99999999999999999999"}})), Error);
  EXPECT_THROW(resolve({.log = "loud"}, {}, {}), Error);
  EXPECT_THROW(resolve({.connections = 0}, {}, {}), Error);
  EXPECT_THROW(resolve({.busy_timeout_ms = -1}, {}, {}), Error);
  EXPECT_THROW(resolve({.synchronous = "off"}, {}, {}), Error);
  EXPECT_THROW(settings_from_file("/nowhere/quarry.toml"), Error);
}

}  // namespace
}  // namespace quarry::cli
