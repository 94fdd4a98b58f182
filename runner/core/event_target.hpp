// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "storage/values/result.hpp"

namespace trainyard {

// Where events about runs go.
struct EventTarget {
  enum class Kind {
    http,  // each event is posted by itself
    file,  // each event is a line
  };

  Kind kind = Kind::http;
  std::string place;  // the address that is posted to, or the file's absolute path

  // "http://host:5000" or https, to which OpenLineage's "/api/v1/lineage" is added unless it ends so; or
  // "file:///path/events.jsonl". `invalid` says which rule is broken; a password in it is refused, because it would be
  // kept where everybody can read it.
  static Result<EventTarget> parse(std::string_view url);
  friend bool operator==(const EventTarget&, const EventTarget&) = default;
};

// What came of sending one event.
enum class Receipt {
  taken,
  refused,  // sending it again would not help
  missed,   // later it may work
};

// Pure: what the status of an HTTP answer means (RFC 9110).
Receipt receipt_of(long http_status);

}  // namespace trainyard
