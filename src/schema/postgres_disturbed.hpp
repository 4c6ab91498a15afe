#pragma once
/// What must be dropped and made anew although it does not change, because PostgreSQL refuses to change what it stands on:
/// views, triggers and policies over a column whose type changes, constants of an enum that is made anew.

#include <functional>
#include <set>

#include "schema/change.hpp"

namespace quarry::schema {

/// `kept` gives what an object is to become, or null when it goes. The result may name objects that change anyway.
std::set<ObjectKey> disturbed_objects(const Model& actual, const ModelIndex& there,
                                      const std::function<const Object*(const Object&)>& kept);

/// By type and name, but partitions behind their parents and views behind the views that they read.
std::vector<const Object*> in_order_of_creation(const Model& model, const ModelIndex& index);

}  // namespace quarry::schema
