// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/instant.hpp"
#include "storage/values/names.hpp"

// Who may publish to a registry, told by its tags. A registry overwrites a tag whenever it is told to, so publishers agree
// among themselves by Lamport's bakery, with tags as its registers:
//
//   _choosing.<major>.<minor>.<since>.<publication>            is about to take a ticket
//   _ticket.<major>.<minor>.<number>.<since>.<publication>     waits or publishes; the lowest (number, publication) may
//
// `since` is in microseconds since 1970, which also makes each tag one that was never there before. No label and no version
// begins with '_', so nobody takes these for one.
namespace trainyard {

// Whoever chooses for longer is gone. Whoever chooses gives up after half of it.
inline constexpr std::chrono::seconds kChoosingHolds{120};

struct OciTicket {
  enum class Kind { choosing, ticket };

  Kind kind = Kind::ticket;
  PackageVersion version;
  std::uint32_t number = 0;  // of a ticket
  Instant since;
  std::string publication;

  [[nodiscard]] std::string tag() const;
  // None: it is no such tag.
  static std::optional<OciTicket> parse(std::string_view tag);
  // A ticket by kClaimHolds, a choosing by kChoosingHolds.
  [[nodiscard]] bool is_stale(Instant now) const;
  friend bool operator==(const OciTicket&, const OciTicket&) = default;
};

// [A-Za-z0-9-]{1,40}: what fits into such a tag.
bool is_publication_name(std::string_view name);

// Those of one version.
std::vector<OciTicket> tickets_of(const PackageVersion& version, const std::vector<std::string>& tags);

// The lowest ticket that is not stale. Whoever asks for it to learn whether he may publish has waited for those who
// chose when he took his.
std::optional<OciTicket> winner_of(const std::vector<OciTicket>& tickets, Instant now);

// Those of others who may be about to take a ticket as low as one that is there.
std::vector<OciTicket> choosing_in(const std::vector<OciTicket>& tickets, std::string_view but, Instant now);

// Higher than all that are there, stale ones too.
std::uint32_t next_number(const std::vector<OciTicket>& tickets);

}  // namespace trainyard
