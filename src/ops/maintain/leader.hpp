#pragma once
/// One run of maintenance at a time per database. Whatever happens to the process, its leadership ends with it.

#include <memory>
#include <string>

#include "quarry/sql/database.hpp"

namespace quarry::ops::upkeep {

class Leader {
 public:
  virtual ~Leader() = default;
  /// False when the leadership was lost on the way: the connection that held it is gone. Throws what the database throws.
  virtual bool still_leads() = 0;
};

/// Null while another one leads; `holder` then says who.
std::unique_ptr<Leader> take_lead(const Database& db, std::string& holder);

}  // namespace quarry::ops::upkeep
