#pragma once
/// What can be subscribed to. A new database has free (100 units a month, 1 task at a time), starter (1000, 3), professional
/// (5000, 10) and enterprise (25000, 50).
///
/// Errors: `not_found`, `invalid`, `constraint`, `denied`, as each function says. Thread safety: that of the transaction.

#include <boost/describe.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarry/core/time.hpp"
#include "quarry/sql/transaction.hpp"

namespace quarry::billing {

/// What a user has who has subscribed to nothing. It cannot be deactivated.
inline constexpr std::string_view free_plan = "free";

struct Plan {
  std::string id;
  std::string name;
  std::int64_t compute_units_per_month = 0;  ///< whole units: minutes of run time
  int max_concurrent_tasks = 1;
  int price_cents = 0;                             ///< a month, for people; nothing is computed from it
  std::optional<std::string> provider_variant_id;  ///< what the payment provider sells it as; nothing: not for sale
  bool is_active = true;                           ///< may be newly subscribed to; who has it keeps it
  Instant created_at;
  Instant updated_at;
};
BOOST_DESCRIBE_STRUCT(Plan, (),
                      (id, name, compute_units_per_month, max_concurrent_tasks, price_cents, provider_variant_id, is_active,
                       created_at, updated_at))

/// By id; nothing when there is none.
std::optional<Plan> find_plan(Read& tx, std::string_view id);
/// Throws `not_found`.
Plan get_plan(Read& tx, std::string_view id);
/// The plan that the provider sells as this variant.
std::optional<Plan> find_plan_of_variant(Read& tx, std::string_view variant);
/// The cheapest first.
std::vector<Plan> list_plans(Read& tx, bool with_inactive = false);

struct NewPlan {
  std::string id;    ///< 1 to 50 characters
  std::string name;  ///< 1 to 100
  std::int64_t compute_units_per_month = 0;
  int max_concurrent_tasks = 1;
  int price_cents = 0;
  std::optional<std::string> provider_variant_id{};
};
/// Throws `invalid` for a field out of bounds and `constraint` when the id or the variant is taken. Like every change of
/// plans it is for the system and for admins: `denied` for others.
Plan create_plan(Write& tx, const NewPlan& plan);

/// Fields that are set are changed, and no others.
struct PlanChanges {
  std::optional<std::string> name{};
  std::optional<std::int64_t> compute_units_per_month{};  ///< counts from each user's next period on
  std::optional<int> max_concurrent_tasks{};              ///< counts at once
  std::optional<int> price_cents{};
  std::optional<std::optional<std::string>> provider_variant_id{};
  std::optional<bool> is_active{};
};
/// Throws `not_found`, and as `create_plan`.
Plan update_plan(Write& tx, std::string_view id, const PlanChanges& changes);

}  // namespace quarry::billing
