#include "sql/postgres/link.hpp"

#include "quarry/core/error.hpp"
#include "quarry/core/log.hpp"
#include "sql/postgres/wire.hpp"

namespace quarry::sql::postgres_driver {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds probe_max{5};

ClockSample measure_clock(Pipeline& pipeline, Deadline deadline) {
  const SystemClock ours;
  const Instant before = ours.now();
  pipeline.send("select clock_timestamp()", Pipeline::Text::once, {});
  pipeline.end_segment();
  const Reply reply = pipeline.read(deadline, Connection::OnDeadline::give_up);
  const Instant after = ours.now();
  pipeline.read_end(deadline, Connection::OnDeadline::give_up);
  const Instant theirs = decode_instant({PQgetvalue(reply.result.get(), 0, 0), 8});
  const auto half = (after - before) / 2;
  return {theirs - (before + half), half};
}

}  // namespace

std::unique_ptr<Link> Link::open(const ConnectSettings& settings, const DatabaseOptions& options, std::uint64_t salt,
                                 Deadline deadline) {
  auto link = std::make_unique<Link>(Connection::open(settings, deadline), options, salt);
  link->clock = measure_clock(link->pipeline, deadline);
  return link;
}

bool Link::answers(Deadline deadline) noexcept {
  try {
    if (!connection->looks_alive()) return false;
    const auto now = std::chrono::steady_clock::now();
    const auto patience =
        deadline == Deadline::max() ? probe_max : std::min<Deadline::duration>(probe_max, (deadline - now) / 2);
    pipeline.end_segment();
    pipeline.read_end(now + patience, Connection::OnDeadline::give_up);
    return !connection->broken();
  } catch (const std::exception& error) {
    log::debug("postgres: a rested connection is dropped: {}", error.what());
    return false;
  }
}

}  // namespace quarry::sql::postgres_driver
