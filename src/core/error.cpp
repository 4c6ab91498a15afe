#include "quarry/core/error.hpp"

#include <utility>

#include "quarry/core/secret.hpp"

namespace quarry {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::constraint:
      return "constraint";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::denied:
      return "denied";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::bug:
      return "bug";
  }
  return "bug";
}

Error::Error(ErrorCode code, std::string client_message, EngineDetail detail, std::source_location where)
    : std::runtime_error(without_passwords(client_message)),
      code_(code),
      client_message_(std::runtime_error::what()),
      detail_(std::move(detail)),
      where_(where) {}

Error& Error::add_query(std::string_view name) {
  if (query_name_.empty()) query_name_ = name;
  return *this;
}

void throw_invalid(std::string client_message, std::source_location where) {
  throw Error(ErrorCode::invalid, std::move(client_message), {}, where);
}

void throw_bug(std::string message, std::source_location where) {
  throw Error(ErrorCode::bug, std::move(message), {}, where);
}

}  // namespace quarry
