/// Scripts, for both engines: any text is cut into statements or refused, and the statements lie in the text, one behind the
/// other.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "quarry/core/error.hpp"
#include "quarry/schema/sql_text.hpp"

using namespace quarry::schema;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view script(reinterpret_cast<const char*>(data), size);
  for (const Engine engine : {Engine::sqlite, Engine::postgres}) {
    try {
      const char* end = script.data();
      for (const auto& statement : split_script(engine, script)) {
        if (statement.text.empty() || statement.text.data() < end) std::abort();
        end = statement.text.data() + statement.text.size();
        // What has one spelling keeps it.
        const auto once = normalised(engine, statement.text);
        if (normalised(engine, once) != once) std::abort();
      }
      if (end > script.data() + script.size()) std::abort();
    } catch (const quarry::Error& error) {
      if (error.code() != quarry::ErrorCode::invalid) std::abort();
    }
  }
  return 0;
}
