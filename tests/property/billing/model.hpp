#pragma once
/// The ledger as a few maps in memory: what it should do, without a database.

#include <boost/describe.hpp>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>

#include "quarry/billing/ledger.hpp"

namespace quarry::test {

enum class Verb { reserve, settle, release, expire, grant, adjust, advance, change_plan };
BOOST_DESCRIBE_ENUM(Verb, reserve, settle, release, expire, grant, adjust, advance, change_plan)

/// Small numbers, so that ids meet again and again.
struct Step {
  Verb verb = Verb::reserve;
  unsigned id = 0;           ///< of the event
  unsigned reservation = 0;  ///< the id of another event
  unsigned amount = 0;
};
std::ostream& operator<<(std::ostream& out, const Step& step);

std::string event_id_of(unsigned id);
std::int64_t units_of(const Step& step);
billing::OverReserve over_of(const Step& step);
std::chrono::microseconds time_of(const Step& step);
/// Nothing: the free plan.
std::optional<std::string> plan_of(const Step& step);

enum class Answer { recorded, repeated, exhausted, already_ended, conflict, not_found, done };
BOOST_DESCRIBE_ENUM(Answer, recorded, repeated, exhausted, already_ended, conflict, not_found, done)

struct ModelPeriod {
  std::int64_t granted = 0;
  std::int64_t used = 0;
  std::int64_t reserved = 0;
  std::int64_t allowance = 0;  ///< the part of `granted` that the plan gave

  friend bool operator==(const ModelPeriod&, const ModelPeriod&) = default;
};

struct ModelEvent {
  std::string content;
  Verb verb = Verb::reserve;
  std::int64_t units = 0;
  Instant period;
  std::optional<unsigned> ended_by;
};

struct Model {
  Instant now;
  int free_anchor = 1;
  std::optional<std::string> plan;
  int plan_anchor = 1;
  std::map<Instant, ModelPeriod> periods;
  std::map<unsigned, ModelEvent> events;
  Answer answer = Answer::done;  ///< to the last step

  void apply(const Step& step);

 private:
  Instant period() const;
  std::int64_t plan_units() const;
  ModelPeriod& open();
  void sync();
  std::optional<Answer> repeated(const Step& step, const std::string& content) const;
  Answer reserve(const Step& step);
  Answer end(const Step& step);
  Answer change_granted(const Step& step);
};

}  // namespace quarry::test
