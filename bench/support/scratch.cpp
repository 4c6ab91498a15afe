#include "bench/support/scratch.hpp"

#include "quarry/core/error.hpp"
#include "quarry/schema/migrator.hpp"
#include "quarry/sql/backend.hpp"

namespace quarry::bench {

Scratch::Scratch(Engine engine, bool with_schema, DatabaseOptions options) {
  if (engine == Engine::sqlite) {
    url_ = "sqlite:" + (folder_.path() / "bench.db").string();
  } else {
    // shared_buffers and the log's sizes as a small server would have them; everything that makes a commit durable is on.
    cluster_ = std::make_unique<test::PrivateCluster>(
        test::ClusterOptions{.durable = true,
                             .settings = {"shared_buffers=512MB", "max_wal_size=4GB", "min_wal_size=2GB",
                                          "checkpoint_timeout=15min", "synchronous_commit=on"}});
    url_ = cluster_->url();
  }
  db_.emplace(Database::open(url_, options));
  if (with_schema) schema::migrate_up(*db_, schema::MigrationSet::embedded());
}

void Scratch::grow_old() {
  if (!cluster_) return;
  db_->backend().run_outside_transaction("bench.fill_log",
                                         "select count(*) from (select pg_logical_emit_message(false, 'bench', repeat('x', "
                                         "1048576)) from generate_series(1, 1500)) m");
  db_->backend().run_outside_transaction("bench.recycle_log", "checkpoint");
}

Engine parse_engine(const std::string& name) {
  if (name == "sqlite") return Engine::sqlite;
  if (name == "postgres") return Engine::postgres;
  throw_invalid("the engine '" + name + "' is neither sqlite nor postgres");
}

}  // namespace quarry::bench
