#include "conformance/queue/explaining_session.hpp"

namespace quarry::test {
void ExplainingSession::explain(const sql::Statement& statement, std::span<const sql::Param> params) {
  const std::string text(statement.text(engine()));
  add_plan(statement, (engine() == sql::Engine::sqlite ? "explain query plan " : "explain (costs off) ") + text, params);
}

void ExplainingSession::add_plan(const sql::Statement& statement, const std::string& text,
                                 std::span<const sql::Param> params) {
  const sql::Statement explained{"test.explain", text, text, false};
  const sql::OpenCursor cursor(session_.execute(explained, params));
  auto& plan = plans_[std::string(statement.name)];
  while (cursor->step()) plan += std::string(cursor->get_text(cursor->column_count() - 1)) + "\n";
}

std::int64_t ExplainingSession::execute_each(const sql::Statement& statement, std::size_t param_count,
                                             const sql::RowSource& rows) {
  if (rows.size() > 0) {
    std::vector<sql::Param> params(param_count);
    rows.fill(0, params.data());
    explain(statement, params);
  }
  return session_.execute_each(statement, param_count, rows);
}

}  // namespace quarry::test
