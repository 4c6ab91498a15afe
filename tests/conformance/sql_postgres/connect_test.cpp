/// Opening: what goes wrong is said with a remedy, what the URL says holds.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "conformance/sql_postgres/postgres_test.hpp"
#include "support/private_cluster.hpp"
#include "support/temp_dir.hpp"

namespace quarry::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class PostgresConnect : public PostgresTest {
 protected:
  static std::string setting(const Database& db, const std::string& name) {
    return db.read([&](Read& tx) {
      return tx.value(sql::Query<std::string(std::string)>("test.setting", std::string("select current_setting($1)")), name);
    });
  }
};

TEST_F(PostgresConnect, AMissingDatabaseIsNamedWithARemedy) {
  const auto error = error_of([&] { Database::open(url_of_database(database().url(), "no_such_database")); });
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_EQ(error.sqlstate(), "3D000");
  EXPECT_THAT(error.client_message(), HasSubstr("'no_such_database'"));
  EXPECT_THAT(error.client_message(), HasSubstr("create it"));
}

TEST_F(PostgresConnect, AMissingServerIsNamedWithARemedy) {
  const auto error = error_of([] { Database::open("postgresql://ada:secret@127.0.0.1:1/quarry"); });
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_THAT(error.client_message(), HasSubstr("127.0.0.1:1, database 'quarry', user 'ada'"));
  EXPECT_THAT(error.client_message(), HasSubstr("is the server running"));
  EXPECT_THAT(error.client_message(), testing::Not(HasSubstr("secret")));
}

TEST_F(PostgresConnect, TheLimitsReachTheServer) {
  const auto db = database().open(with([](auto& o) {
    o.statement_timeout = 1234ms;
    o.busy_timeout = 567ms;
  }));
  EXPECT_EQ(setting(db, "statement_timeout"), "1234ms");
  EXPECT_EQ(setting(db, "lock_timeout"), "567ms");
  EXPECT_EQ(setting(db, "application_name"), "quarry");
  EXPECT_EQ(setting(db, "client_encoding"), "UTF8");
}

TEST_F(PostgresConnect, TheUrlsOptionsWin) {
  const auto db =
      Database::open(database().url() + "&application_name=mine&options=-c%20statement_timeout%3D99%20-c%20work_mem%3D8MB");
  EXPECT_EQ(setting(db, "statement_timeout"), "99ms");
  EXPECT_EQ(setting(db, "work_mem"), "8MB");
  EXPECT_EQ(setting(db, "application_name"), "mine");
}

TEST_F(PostgresConnect, TheFirstHostThatAnswersIsTaken) {
  const auto url = database().url();
  const auto at = url.find("host=") + 5;
  const auto folder = url.substr(at, url.find('&', at) - at);
  const auto several =
      url.substr(0, at) + "/nowhere," + folder + url.substr(at + folder.size()) + "&target_session_attrs=read-write";
  const auto db = Database::open(several);
  EXPECT_EQ(setting(db, "application_name"), "quarry");
  EXPECT_THAT(db.display_url(), HasSubstr("target_session_attrs=read-write"));
}

/// Listens and says nothing, like a machine whose network is gone.
class SilentServer {
 public:
  SilentServer() : folder_("silent"), socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = folder_.path() / ".s.PGSQL.5432";
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(socket_, 8) != 0)
      throw std::runtime_error("cannot listen at " + path.string());
  }
  ~SilentServer() { close(socket_); }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  std::string folder() const { return folder_.path().string(); }

 private:
  TempDir folder_;
  int socket_;
};

TEST_F(PostgresConnect, AServerThatDoesNotAnswerEndsAtTheDeadline) {
  const SilentServer silent;
  const auto error = error_of([&] {
    Database::open("postgresql:///quarry?host=" + silent.folder(), with([](auto& o) { o.acquire_timeout = 200ms; }));
  });
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_THAT(error.client_message(), HasSubstr(silent.folder()));
  EXPECT_THAT(error.client_message(), HasSubstr("no answer in time"));
}

TEST_F(PostgresConnect, AServerThatIsSilentIsPassedOver) {
  const SilentServer silent;
  const auto url = database().url();
  const auto at = url.find("host=") + 5;
  const auto both = url.substr(0, at) + silent.folder() + "," + url.substr(at);
  const auto db = Database::open(both, with([](auto& o) { o.acquire_timeout = 2s; }));
  EXPECT_EQ(setting(db, "application_name"), "quarry");
}

TEST_F(PostgresConnect, AServerThatAcceptsNoWritesIsToldFromAMistake) {
  const auto db = Database::open(database().url() + "&options=-c%20default_transaction_read_only%3Don",
                                 with([](auto& o) { o.attempts_max = 2; }));
  const auto error =
      error_of([&] { db.write([](Write& tx) { tx.session().run_script("test", "create table t (a int)"); }); });
  EXPECT_EQ(error.code(), ErrorCode::unavailable);
  EXPECT_THAT(error.client_message(), HasSubstr("replica"));
}

TEST_F(PostgresConnect, TheClockFollowsTheServersAndATestsOwnDoesNot) {
  EXPECT_EQ(database().db().now(), TestDatabase::kStart);
  const auto db = Database::open(database().url());
  const auto theirs =
      db.read([](Read& tx) { return tx.value(sql::Query<Instant()>("test.now", std::string("select clock_timestamp()"))); });
  EXPECT_LT(std::chrono::abs(db.now() - theirs), 5s) << "one machine, one clock";
}

}  // namespace
}  // namespace quarry::test
