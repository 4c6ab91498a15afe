#pragma once
/// The real program, run as a process of its own, on a database of either engine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "support/migrated_database.hpp"
#include "support/process.hpp"

namespace quarry::test {

class CliTest : public MigratedEngines {
 protected:
  using Args = std::vector<std::string>;

  Command command(Args args) {
    args.insert(args.end(), {"--db", database().url(), "--blobs", (database().folder() / "blobs").string()});
    return {.program = QUARRY_BINARY, .args = std::move(args), .directory = database().folder()};
  }
  Finished run(Args args) { return test::run(command(std::move(args))); }

  /// Runs a command that must succeed, with --json, and reads its one document.
  boost::json::object json(Args args, int code = 0) {
    args.push_back("--json");
    const auto done = run(args);
    EXPECT_EQ(done.exit.code, code) << args[0] << " " << args[1] << ": " << done.err;
    return document_of(done);
  }
  /// Standard output must hold one JSON document, one line break, and nothing else.
  static boost::json::object document_of(const Finished& done) {
    boost::json::error_code error;
    const auto value = boost::json::parse(done.out, error);
    EXPECT_FALSE(error) << "this is not one JSON document: " << done.out << done.err;
    EXPECT_TRUE(done.out.ends_with('\n'));
    EXPECT_TRUE(value.is_object());
    return value.is_object() ? value.as_object() : boost::json::object{};
  }
  /// A command must fail with this code: one line for people, and with --json an error that says the same.
  std::string refused(const Args& args, int code) {
    const auto plain = run(args);
    EXPECT_EQ(plain.exit.code, code) << plain.err << plain.out;
    EXPECT_EQ(plain.out, "");
    EXPECT_THAT(plain.err, testing::StartsWith("quarry: "));
    auto with_json = args;
    with_json.push_back("--json");
    const auto error = json_error(with_json, code);
    EXPECT_THAT(plain.err, testing::HasSubstr(error));
    return error;
  }
  std::string json_error(const Args& args, int code) {
    const auto done = run(args);
    EXPECT_EQ(done.exit.code, code) << done.err;
    const auto document = document_of(done);
    if (!document.contains("error")) return "no error";
    const auto& error = document.at("error").as_object();
    EXPECT_EQ(error.at("exit_code").as_int64(), code);
    return std::string(error.at("message").as_string());
  }

  static std::string text(const boost::json::object& object, const char* key) {
    return std::string(object.at(key).as_string());
  }
  static std::int64_t number(const boost::json::object& object, const char* key) {
    return object.at(key).to_number<std::int64_t>();
  }

  /// A handle of the test's own, on the clock that the program reads.
  Database on_real_time() { return database().open({.clock = std::make_shared<SystemClock>()}); }
};

/// The same on a database without anything in it.
class EmptyCliTest : public CliTest {
 protected:
  std::unique_ptr<TestDatabase> make_database() override { return std::make_unique<TestDatabase>(GetParam(), Schema::none); }
};

}  // namespace quarry::test
