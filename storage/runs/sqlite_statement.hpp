// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// What SQLite last complained of: `corrupt` for a file that is no database or a damaged one.
inline Error sqlite_error(sqlite3* database) {
  if (database == nullptr) return fail(Errc::io, "out of memory");
  const int code = sqlite3_errcode(database);
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return fail(damaged ? Errc::corrupt : code == SQLITE_BUSY ? Errc::unavailable : Errc::io, sqlite3_errmsg(database));
}

inline Result<void> execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return sqlite_error(database);
}

// One prepared statement of SQLite. Parameters count from 1, columns from 0. Single-threaded; ends before its database.
class Statement {
 public:
  static Result<Statement> prepare(sqlite3* database, const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) != SQLITE_OK) return sqlite_error(database);
    return Statement(statement);
  }

  // True when there is a row.
  Result<bool> step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return sqlite_error(sqlite3_db_handle(statement_.get()));
  }
  void reset() { sqlite3_reset(statement_.get()); }

  void bind(int parameter, const std::string& text) {
    sqlite3_bind_text(statement_.get(), parameter, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
  }
  // The bytes outlive the next step.
  void bind_bytes(int parameter, std::string_view bytes) {
    sqlite3_bind_blob(statement_.get(), parameter, bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_STATIC);
  }
  void bind(int parameter, std::int64_t number) { sqlite3_bind_int64(statement_.get(), parameter, number); }
  void bind(int parameter, double number) { sqlite3_bind_double(statement_.get(), parameter, number); }

  [[nodiscard]] bool is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
  [[nodiscard]] std::string text(int column) const {
    const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    return text == nullptr
               ? std::string()
               : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
  }
  // Valid until the next step.
  [[nodiscard]] std::string_view bytes(int column) const {
    const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    return bytes == nullptr
               ? std::string_view()
               : std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
  }
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  [[nodiscard]] double number(int column) const { return sqlite3_column_double(statement_.get(), column); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace trainyard
