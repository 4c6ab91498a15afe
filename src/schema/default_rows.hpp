#pragma once
/// The rows that the migrations bring along: the plans.

#include <string>
#include <vector>

#include "quarry/schema/model.hpp"

namespace quarry::schema {

/// Adds them to the model that was read in the same transaction, if it has their table with all its columns. That a plan is
/// there, and that the free one is active, is compared; what else it says stands in `definition`.
void add_default_rows(Model& model, Read& tx);

/// Takes rows that operators have added out of `actual`, and those that cannot be read there, because their table is not as
/// it should be, out of `expected`. Returns where the rest differs.
std::vector<std::string> settle_default_rows(Model& actual, Model& expected);

}  // namespace quarry::schema
