// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_tickets.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "storage/remotes/remote.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kChoosing = "_choosing";
constexpr std::string_view kTicket = "_ticket";
constexpr std::size_t kMostPublication = 40;

std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t dot = text.find('.');
    parts.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_publication_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostPublication && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string OciTicket::tag() const {
  const std::string place = kind == Kind::ticket ? version.text() + "." + std::to_string(number) : version.text();
  return std::string(kind == Kind::ticket ? kTicket : kChoosing) + "." + place + "." +
         std::to_string(since.microseconds) + "." + publication;
}

std::optional<OciTicket> OciTicket::parse(std::string_view tag) {
  const auto parts = parts_of(tag);
  OciTicket ticket;
  if (parts.front() == kChoosing && parts.size() == 5) {
    ticket.kind = Kind::choosing;
  } else if (parts.front() != kTicket || parts.size() != 6) {
    return std::nullopt;
  }
  const auto version = PackageVersion::parse(std::string(parts[1]) + "." + std::string(parts[2]));
  const auto number = number_in<std::uint32_t>(ticket.kind == Kind::ticket ? parts[3] : "0");
  const auto since = number_in<std::int64_t>(parts[parts.size() - 2]);
  if (!version.ok() || !number || !since || *since < 0 || !is_publication_name(parts.back())) return std::nullopt;
  // Nobody could take a higher one, and whoever took the lowest instead would go first.
  if (*number == std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  ticket.version = *version;
  ticket.number = *number;
  ticket.since.microseconds = *since;
  ticket.publication = parts.back();
  if (ticket.tag() != tag) return std::nullopt;
  return ticket;
}

bool OciTicket::is_stale(Instant now) const {
  const std::chrono::microseconds holds = kind == Kind::ticket ? std::chrono::seconds(kClaimHolds) : kChoosingHolds;
  return now.microseconds - since.microseconds > holds.count();
}

std::vector<OciTicket> tickets_of(const PackageVersion& version, const std::vector<std::string>& tags) {
  std::vector<OciTicket> tickets;
  for (const std::string& tag : tags)
    if (auto ticket = OciTicket::parse(tag); ticket && ticket->version == version) tickets.push_back(*ticket);
  return tickets;
}

std::optional<OciTicket> winner_of(const std::vector<OciTicket>& tickets, Instant now) {
  std::optional<OciTicket> lowest;
  for (const OciTicket& each : tickets) {
    if (each.kind != OciTicket::Kind::ticket || each.is_stale(now)) continue;
    if (!lowest || std::tie(each.number, each.publication) < std::tie(lowest->number, lowest->publication))
      lowest = each;
  }
  return lowest;
}

std::vector<OciTicket> choosing_in(const std::vector<OciTicket>& tickets, std::string_view but, Instant now) {
  std::vector<OciTicket> choosing;
  for (const OciTicket& each : tickets)
    if (each.kind == OciTicket::Kind::choosing && each.publication != but && !each.is_stale(now))
      choosing.push_back(each);
  return choosing;
}

std::uint32_t next_number(const std::vector<OciTicket>& tickets) {
  std::uint32_t highest = 0;
  for (const OciTicket& each : tickets) highest = std::max(highest, each.number);
  return highest + 1;
}

}  // namespace trainyard
