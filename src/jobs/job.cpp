#include "quarry/jobs/job.hpp"

#include <boost/describe/enum_to_string.hpp>

namespace quarry::jobs {
namespace {

struct Move {
  JobStatus from, to;
};

constexpr Move moves[] = {
    {JobStatus::pending, JobStatus::running},   {JobStatus::pending, JobStatus::completed},
    {JobStatus::pending, JobStatus::failed},    {JobStatus::pending, JobStatus::cancelled},
    {JobStatus::running, JobStatus::completed}, {JobStatus::running, JobStatus::failed},
    {JobStatus::running, JobStatus::cancelled}, {JobStatus::completed, JobStatus::running},
    {JobStatus::failed, JobStatus::running},
};

}  // namespace

std::string_view to_string(JobStatus status) noexcept { return boost::describe::enum_to_string(status, "unknown"); }

bool may_become(JobStatus from, JobStatus to) noexcept {
  for (const auto& move : moves)
    if (move.from == from && move.to == to) return true;
  return false;
}

}  // namespace quarry::jobs
