// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_election.hpp"

#include <algorithm>
#include <thread>

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view kTicketType = "application/vnd.trainyard.publication-claim.v1";
constexpr const char* kClaimNote = "trainyard.claim";
constexpr const char* kTagNote = "trainyard.tag";

// Each has the name of its tag in it, so no two are the same manifest, and one can be removed without another.
std::string manifest_of(const OciTicket& ticket, const PublicationClaim& claim) {
  const OciDescriptor empty = oci_empty_config();
  const OciManifest manifest{std::string(kTicketType),
                             empty,
                             {empty},
                             {},
                             {{kClaimNote, canonical(to_json(claim))}, {kTagNote, ticket.tag()}}};
  return manifest.text();
}

}  // namespace

Result<std::vector<OciTicket>> OciElection::tickets(const std::string& repository, const PackageVersion& version) {
  return tickets_of(version, TRY(registry_.tags(repository)));
}

Result<void> OciElection::put(const std::string& repository, const OciTicket& ticket, const PublicationClaim& claim,
                              std::optional<OciRegistry::Deadline> latest) {
  const bool known = [&] {
    const std::lock_guard lock(mutex_);
    return with_config_.contains(repository);
  }();
  if (!known) TRY(registry_.put_bytes(repository, kOciEmptyConfig));
  auto put = registry_.write(repository, ticket.tag(), kOciManifestType, manifest_of(ticket, claim), latest);
  const std::lock_guard lock(mutex_);
  if (put.ok()) {
    with_config_.insert(repository);
  } else {
    with_config_.erase(repository);
  }
  return put;
}

Result<void> OciElection::remove(const std::string& repository, const OciTicket& ticket) {
  if (const auto manifest = TRY(registry_.look(repository, ticket.tag())))
    return registry_.remove(repository, manifest->digest);
  // Only with a manifest can a tag be removed. Nobody relies on one that has lost its own.
  const PublicationClaim nobody{ticket.publication, sha256(""), "", ticket.since};
  TRY(put(repository, ticket, nobody, std::nullopt));
  return registry_.remove(repository, sha256(manifest_of(ticket, nobody)));
}

Result<OciTicket> OciElection::take_ticket(const Place& place, const PublicationClaim& mine) {
  const auto done_by = steady_clock::now() + kChoosingHolds / 2;
  const OciTicket choosing{OciTicket::Kind::choosing, place.version, 0, now_(), place.publication};
  TRY(put(place.repository, choosing, mine, done_by));
  const auto seen = TRY(tickets(place.repository, place.version));
  const OciTicket ticket{OciTicket::Kind::ticket, place.version, next_number(seen), now_(), place.publication};
  auto taken = put(place.repository, ticket, mine, done_by);
  if (taken.ok() && steady_clock::now() > done_by)
    taken = fail(Errc::unavailable, "'" + registry_.text() + "' is too slow to agree on who publishes; try again");
  // A ticket that appears after this keeps others waiting at worst: it counts for nobody.
  if (!taken.ok()) static_cast<void>(registry_.remove(place.repository, sha256(manifest_of(ticket, mine))));
  auto chosen = registry_.remove(place.repository, sha256(manifest_of(choosing, mine)));
  if (!taken.ok()) return taken.error();
  if (!chosen.ok()) return chosen.error();
  return ticket;
}

Result<std::optional<PublicationClaim>> OciElection::claim_of(const std::string& repository, const OciTicket& ticket) {
  const auto text = TRY(registry_.read(repository, ticket.tag()));
  if (!text) return std::optional<PublicationClaim>();
  const auto manifest = OciManifest::parse(*text);
  if (manifest.ok()) {
    if (const auto note = manifest->annotations.find(kClaimNote); note != manifest->annotations.end()) {
      const auto json = parse_json(note->second, "a claim");
      auto claim = json.ok() ? publication_claim_from(*json) : Result<PublicationClaim>(json.error());
      if (claim.ok()) return std::optional(std::move(*claim));
    }
  }
  return fail(Errc::incompatible,
              "'" + registry_.text() + "': the tag '" + ticket.tag() + "' of '" + repository + "' is no claim");
}

Result<std::optional<OciElection::Standing>> OciElection::standing(const std::string& repository,
                                                                   std::vector<OciTicket> seen, Instant now) {
  while (const auto lowest = winner_of(seen, now)) {
    auto claim = TRY(claim_of(repository, *lowest));
    const bool written = std::none_of(seen.begin(), seen.end(), [&](const OciTicket& each) {
      return each.kind == OciTicket::Kind::choosing && each.publication == lowest->publication;
    });
    if (claim || !written) return std::optional(Standing{*lowest, std::move(claim)});
    std::erase(seen, *lowest);
  }
  return std::optional<Standing>();
}

Result<std::optional<PublicationClaim>> OciElection::await(const Place& place, const OciTicket& own,
                                                           OciRegistry::Deadline rely_on) {
  const auto until = steady_clock::now() + kChoosingHolds + std::chrono::seconds(10);
  // Whoever begins to choose after the ticket was there sees it, and takes a higher one.
  std::optional<std::vector<OciTicket>> began_before;
  for (milliseconds pause{10}; steady_clock::now() < until; pause = std::min(pause * 2, milliseconds(500))) {
    const auto seen = TRY(tickets(place.repository, place.version));
    const Instant now = now_();
    for (const OciTicket& each : seen)
      if (each != own && (each.is_stale(now) || each.publication == place.publication))
        TRY(remove(place.repository, each));
    auto first = TRY(standing(place.repository, seen, now));
    if (!first || std::find(seen.begin(), seen.end(), own) == seen.end())
      return fail(Errc::unavailable, "'" + registry_.text() + "': the ticket of publication '" + place.publication +
                                         "' was taken away; try again");
    if (first->ticket.publication != place.publication && first->claim) {
      TRY(remove(place.repository, own));
      return std::move(first->claim);
    }
    const auto choosing = choosing_in(seen, place.publication, now);
    if (!began_before) began_before = choosing;
    const bool settled = std::none_of(choosing.begin(), choosing.end(), [&](const OciTicket& each) {
      return std::find(began_before->begin(), began_before->end(), each) != began_before->end();
    });
    if (first->ticket == own && settled) {
      const std::lock_guard lock(mutex_);
      held_[place] = {own, rely_on};
      return std::optional<PublicationClaim>();
    }
    std::this_thread::sleep_for(pause);
  }
  return fail(Errc::unavailable, "'" + registry_.text() + "': others keep choosing who publishes; try again");
}

Result<std::optional<PublicationClaim>> OciElection::claim(const std::string& repository, const PackageVersion& version,
                                                           const PublicationClaim& mine) {
  if (!is_publication_name(mine.publication))
    return fail(Errc::invalid, "'" + mine.publication + "' is no name of a publication (a UUID)");
  const Place place{repository, version, mine.publication};
  const auto tags = TRY(registry_.tags(repository));
  if (relied_on_until(repository, version, mine.publication, tags).ok()) return std::optional<PublicationClaim>();
  {
    const std::lock_guard lock(mutex_);
    held_.erase(place);
  }
  // Who has it already is told without a ticket.
  if (auto first = TRY(standing(repository, tickets_of(version, tags), now_()));
      first && first->ticket.publication != mine.publication && first->claim)
    return std::move(first->claim);
  const auto rely_on = steady_clock::now() + kRelyOn;
  const OciTicket own = TRY(take_ticket(place, mine));
  return await(place, own, rely_on);
}

Result<std::optional<PublicationClaim>> OciElection::claimed(const std::string& repository,
                                                             const PackageVersion& version) {
  auto first = TRY(standing(repository, TRY(tickets(repository, version)), now_()));
  return first ? std::move(first->claim) : std::nullopt;
}

Result<void> OciElection::release(const std::string& repository, const PackageVersion& version,
                                  const std::string& publication) {
  const Place place{repository, version, publication};
  {
    const std::lock_guard lock(mutex_);
    const auto held = held_.find(place);
    if (held != held_.end() && held->second.begun == Begun::unanswered)
      return fail(Errc::unavailable, "'" + registry_.text() + "' has not answered whether it made version " +
                                         version.text() + " visible; publish it again, or wait until the claim has " +
                                         "outlived " + std::to_string(kClaimHolds.count()) + " minutes");
    if (held != held_.end()) held_.erase(held);
  }
  for (const OciTicket& each : TRY(tickets(repository, version)))
    if (each.publication == publication) TRY(remove(repository, each));
  return {};
}

Result<OciRegistry::Deadline> OciElection::relied_on_until(const std::string& repository, const PackageVersion& version,
                                                           const std::string& publication,
                                                           const std::vector<std::string>& tags) {
  const Instant now = now_();
  const auto winner = winner_of(tickets_of(version, tags), now);
  const std::lock_guard lock(mutex_);
  const auto held = held_.find({repository, version, publication});
  const bool holds =
      held != held_.end() && winner == held->second.ticket &&
      now.microseconds - held->second.ticket.since.microseconds < std::chrono::microseconds(kRelyOn).count() &&
      steady_clock::now() < held->second.rely_on;
  if (!holds)
    return fail(Errc::unavailable, "'" + registry_.text() + "': publication '" + publication +
                                       "' has not the right to publish version " + version.text() + "; claim it again");
  return held->second.rely_on;
}

void OciElection::note(const std::string& repository, const PackageVersion& version, const std::string& publication,
                       Begun what) {
  const std::lock_guard lock(mutex_);
  const auto held = held_.find({repository, version, publication});
  if (held != held_.end()) held->second.begun = what;
}

Result<std::vector<OciTicket>> OciElection::abandoned(const std::string& repository, Instant now) {
  std::vector<OciTicket> all;
  for (const std::string& tag : TRY(registry_.tags(repository)))
    if (auto ticket = OciTicket::parse(tag)) all.push_back(std::move(*ticket));
  for (const OciTicket& each : all) {
    const bool works = !each.is_stale(now) && TRY(registry_.look(repository, each.tag()));
    if (works)
      return fail(Errc::unavailable, "'" + registry_.text() + "': somebody is about to publish version " +
                                         each.version.text() + "; try again later");
  }
  return all;
}

}  // namespace trainyard
