// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/remotes/oci_registry.hpp"
#include "storage/remotes/oci_tickets.hpp"
#include "storage/remotes/remote.hpp"

namespace trainyard {

// Lets one publisher at a time make a version visible in a registry that knows no "only if it is not there". Assumed:
//
// - A tag is listed from when its PUT returned until its DELETE is asked for. `OciRemote::probe` tries that out.
// - A request that got no answer has its effect within a minute or never.
// - The clocks of publishers are less than a minute apart, and nobody else writes tags that begin with '_' or look like
//   versions.
//
// Whoever takes a ticket has shown before that he chooses, and is done within a minute; whoever has the lowest ticket and
// has seen those end who chose when he took it has the right, and begins to use it within kRelyOn. Others wait for twice
// as long at least before they pass over a choosing or a ticket, so whoever is passed over has stopped. A ticket counts
// only for the process that took it: one that is found again after a crash is given up for a new one. Thread-safe;
// `registry` outlives it.
class OciElection {
 public:
  using Clock = std::function<Instant()>;
  static constexpr std::chrono::minutes kRelyOn{5};

  OciElection(OciRegistry& registry, Clock now) : registry_(registry), now_(std::move(now)) {}

  // As Remote has it.
  Result<std::optional<PublicationClaim>> claim(const std::string& repository, const PackageVersion& version,
                                                const PublicationClaim& mine);
  Result<std::optional<PublicationClaim>> claimed(const std::string& repository, const PackageVersion& version);
  Result<void> release(const std::string& repository, const PackageVersion& version, const std::string& publication);

  // How long the right that this process has may be used still; `unavailable` when it has none, or `tags`, just listed,
  // tell that somebody else has it.
  Result<OciRegistry::Deadline> relied_on_until(const std::string& repository, const PackageVersion& version,
                                                const std::string& publication, const std::vector<std::string>& tags);
  // What was begun under this right got no answer. Until it did, `release` leaves the ticket to grow stale.
  enum class Begun { unanswered, answered };
  void note(const std::string& repository, const PackageVersion& version, const std::string& publication, Begun what);

  // Tags of publishers that are gone; `unavailable` while one is at work.
  Result<std::vector<OciTicket>> abandoned(const std::string& repository, Instant now);
  Result<void> remove(const std::string& repository, const OciTicket& ticket);

 private:
  struct Place {
    std::string repository;
    PackageVersion version;
    std::string publication;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Held {
    OciTicket ticket;
    OciRegistry::Deadline rely_on;
    Begun begun = Begun::answered;
  };

  Result<void> put(const std::string& repository, const OciTicket& ticket, const PublicationClaim& claim,
                   std::optional<OciRegistry::Deadline> latest);
  Result<OciTicket> take_ticket(const Place& place, const PublicationClaim& mine);
  // Whose ticket that is; none when it is gone.
  Result<std::optional<PublicationClaim>> claim_of(const std::string& repository, const OciTicket& ticket);
  // The lowest ticket of those, and whose it is. Without a claim: its owner is about to write it. A tag whose manifest is
  // gone, because a registry was interrupted while it removed both, counts for nothing.
  struct Standing {
    OciTicket ticket;
    std::optional<PublicationClaim> claim;
  };
  Result<std::optional<Standing>> standing(const std::string& repository, std::vector<OciTicket> seen, Instant now);
  Result<std::optional<PublicationClaim>> await(const Place& place, const OciTicket& own,
                                                OciRegistry::Deadline rely_on);
  Result<std::vector<OciTicket>> tickets(const std::string& repository, const PackageVersion& version);

  OciRegistry& registry_;
  const Clock now_;
  std::mutex mutex_;
  std::map<Place, Held> held_;         // guarded by mutex_, as is the next
  std::set<std::string> with_config_;  // repositories that have the two bytes which each manifest names
};

}  // namespace trainyard
