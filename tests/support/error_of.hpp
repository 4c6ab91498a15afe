#pragma once
/// What an action throws, to be looked at.

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "quarry/core/error.hpp"

namespace quarry::test {

/// The `Error` that `action` throws; a failure of the test when it throws none.
inline Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorCode::bug, "no error");
}

/// The code of the `Error` that `action` throws, or nothing; `message` gets its words for a client.
template <class F>
std::optional<ErrorCode> code_of(F&& action, std::string* message = nullptr) {
  try {
    action();
    return std::nullopt;
  } catch (const Error& error) {
    if (message) *message = error.client_message();
    return error.code();
  }
}

}  // namespace quarry::test
