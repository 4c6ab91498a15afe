#include "bench/support/scratch.hpp"

#include "quarry/core/error.hpp"
#include "quarry/schema/migrator.hpp"

namespace quarry::bench {

Scratch::Scratch(Engine engine, bool with_schema, DatabaseOptions options) {
  if (engine == Engine::sqlite) {
    url_ = "sqlite:" + (folder_.path() / "bench.db").string();
  } else {
    // shared_buffers and max_wal_size as a small server would have them; everything that makes a commit durable is on.
    cluster_ = std::make_unique<test::PrivateCluster>(test::ClusterOptions{
        .durable = true,
        .settings = {"shared_buffers=512MB", "max_wal_size=4GB", "checkpoint_timeout=15min", "synchronous_commit=on"}});
    url_ = cluster_->url();
  }
  db_.emplace(Database::open(url_, options));
  if (with_schema) schema::migrate_up(*db_, schema::MigrationSet::embedded());
}

Engine parse_engine(const std::string& name) {
  if (name == "sqlite") return Engine::sqlite;
  if (name == "postgres") return Engine::postgres;
  throw_invalid("the engine '" + name + "' is neither sqlite nor postgres");
}

}  // namespace quarry::bench
