// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <variant>

// What a fallible function yields: the value, or one Error. Errors are values here; an exception of a library is caught
// in the one adapter that calls it and becomes an Error there.
namespace trainyard {

// One code per decision that a caller can take. Only `unavailable` is ever retried.
enum class Errc {
  not_found,
  exists,
  invalid,       // the user's input; names the thing and the rule
  incompatible,  // made for another version or kind of Trainyard
  corrupt,       // stored bytes are not what their digest or schema says
  io,            // the operating system refused
  unavailable,   // may work later
  timed_out,
  cancelled,
  package_failed,  // the package's own code ended the call
};

struct Error {
  Errc code = Errc::io;
  std::string message;  // one sentence that names the thing; no trailing full stop, no newline

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  using Value = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok()
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !ok()
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using Value = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)), failed_(true) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  void value() const {}
  const Error& error() const& { return error_; }
  Error&& error() && { return std::move(error_); }

 private:
  Error error_;
  bool failed_ = false;
};

inline Error fail(Errc code, std::string message) { return Error{code, std::move(message)}; }

// The same error with the place where it happened in front: "reading plan.json: …".
inline Error within(std::string place, Error error) {
  error.message = std::move(place) + ": " + error.message;
  return error;
}

}  // namespace trainyard

// Yields the value of a Result, or returns its error from the enclosing function. Each use has a name of its own, so that
// uses can nest. Not in braces after another member or element, as in Pair{a, TRY(b)}: GCC does not destroy `a` on the
// way out. As an argument in parentheses it is safe. (tests/layering watches over this.)
#define TRY(expression) TRAINYARD_TRY_COUNTED(expression, __COUNTER__)
#define TRAINYARD_TRY_COUNTED(expression, number) TRAINYARD_TRY_NUMBERED(expression, number)
#define TRAINYARD_TRY_NUMBERED(expression, number) TRAINYARD_TRY_NAMED(expression, try_result_##number)
#define TRAINYARD_TRY_NAMED(expression, name)                          \
  __extension__({                                                      \
    auto&& name = (expression);                                        \
    if (!name.ok()) return std::forward<decltype(name)>(name).error(); \
    std::forward<decltype(name)>(name).value();                        \
  })
