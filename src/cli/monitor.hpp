#pragma once
/// `quarry work --metrics-port`: what a monitor asks of a running worker, over HTTP on the loopback interface.
///
/// | page | |
/// |---|---|
/// | /metrics | the database's figures, this process's and the worker's, as Prometheus reads them |
/// | /health/live | 200 as long as the process runs; asks nobody |
/// | /health/ready | 200 when work can be done and 503 when not, with the checks as lines |
///
/// Health is looked at every five seconds at most and figures every two, however often one asks.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "quarry/http/status_server.hpp"
#include "quarry/ops/metrics.hpp"
#include "quarry/sql/database.hpp"

namespace quarry::cli {

struct MonitorSources {
  Database db;
  std::string blobs{};
  std::shared_ptr<const ops::QueryWatch> queries{};
  /// Figures of the worker. Called from the server's threads.
  std::function<std::vector<ops::MetricCount>()> counts{};
};

class Monitor {
 public:
  /// Throws `unavailable` when the port is taken.
  Monitor(const http::LoopbackAddress& address, MonitorSources sources);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;
  std::string url() const { return server_->url(); }

 private:
  http::StatusAnswer metrics();
  http::StatusAnswer ready();

  const MonitorSources sources_;
  ops::HealthMonitor health_;
  std::optional<ops::Statistics> figures_;  ///< asked and renewed by the server's one slow thread
  std::chrono::steady_clock::time_point figures_at_{};
  std::unique_ptr<http::StatusServer> server_;  ///< last: its threads use all of the above
};

/// `warning backup: never backed up and verified; quarry backup DIR`, for each check.
std::string health_lines(const ops::HealthReport& report);

}  // namespace quarry::cli
