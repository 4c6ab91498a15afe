/// Texts that become ids and times: whatever is accepted is written back and read again to the same value, and all else is
/// `invalid`.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "quarry/core/error.hpp"
#include "quarry/core/id.hpp"
#include "quarry/core/time.hpp"

namespace {

template <class Parse, class Write>
void round_trip(std::string_view text, Parse parse, Write write) {
  try {
    const auto value = parse(text);
    if (!(parse(write(value)) == value)) std::abort();
  } catch (const quarry::Error& error) {
    if (error.code() != quarry::ErrorCode::invalid) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  round_trip(text, quarry::parse_uuid, [](const quarry::Uuid& id) { return to_string(id); });
  round_trip(text, quarry::parse_iso8601, quarry::to_iso8601);
  return 0;
}
