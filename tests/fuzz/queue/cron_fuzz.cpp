/// Whatever text comes: it is `invalid`, or a schedule whose times lie ahead and go forward, and which no text that was
/// accepted lacks.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "quarry/core/error.hpp"
#include "quarry/queue/cron.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using quarry::Instant;
  try {
    const auto cron = quarry::queue::Cron::parse({reinterpret_cast<const char*>(data), size});
    Instant at{1'772'366'400'000'000};
    for (int i = 0; i < 5; ++i) {
      const auto next = cron.next_after(at);
      if (!next || *next <= at || next->us % 60'000'000 != 0) std::abort();
      at = *next;
    }
  } catch (const quarry::Error& error) {
    if (error.code() != quarry::ErrorCode::invalid) std::abort();
  }
  return 0;
}
