// SPDX-License-Identifier: Apache-2.0
#include "runner/core/slots.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <tuple>

#include "runner/core/run_request.hpp"
#include "storage/values/number.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kWait = "wait.";
constexpr std::string_view kHold = "hold.";
constexpr std::string_view kNoGpu = "-";
constexpr int kPriorityDigits = 3;

// The text up to the next separator, which is taken away with it.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<Ticket> parse_waiting(std::string_view rest) {
  const std::string_view urgency_text = take_part(rest, '.');
  const auto urgency = number_in<std::uint32_t>(urgency_text);
  const auto run = RunId::parse(take_part(rest, '.'));
  const auto gpus = number_in<std::uint32_t>(rest);
  if (urgency_text.size() != kPriorityDigits || !urgency || *urgency > 2 * RunRequest::kMostPriority || !run.ok() ||
      !gpus)
    return std::nullopt;
  return Ticket{*run, *gpus, RunRequest::kMostPriority - static_cast<int>(*urgency), false, {}};
}

std::optional<Ticket> parse_holding(std::string_view rest) {
  const auto run = RunId::parse(take_part(rest, '.'));
  if (!run.ok() || rest.empty()) return std::nullopt;
  Ticket ticket{*run, 0, 0, true, {}};
  while (rest != kNoGpu && !rest.empty()) {
    const auto number = number_in<std::uint32_t>(take_part(rest, ','));
    if (!number) return std::nullopt;
    ticket.held.push_back(*number);
  }
  ticket.gpus = static_cast<std::uint32_t>(ticket.held.size());
  return ticket;
}

// The line of those who wait, the next first.
bool is_before(const Ticket& a, const Ticket& b) {
  return std::tuple(-a.priority, a.run) < std::tuple(-b.priority, b.run);
}

std::string count_of(std::size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

}  // namespace

std::string name_of(const Ticket& ticket) {
  if (!ticket.holds) {
    char urgency[16];
    std::snprintf(urgency, sizeof(urgency), "%0*d", kPriorityDigits, RunRequest::kMostPriority - ticket.priority);
    return std::string(kWait) + urgency + "." + ticket.run.text() + "." + std::to_string(ticket.gpus);
  }
  std::string numbers;
  for (const std::uint32_t number : ticket.held) numbers += (numbers.empty() ? "" : ",") + std::to_string(number);
  return std::string(kHold) + ticket.run.text() + "." + (numbers.empty() ? std::string(kNoGpu) : numbers);
}

Result<Ticket> parse_ticket(std::string_view name) {
  std::optional<Ticket> ticket;
  if (name.starts_with(kWait)) ticket = parse_waiting(name.substr(kWait.size()));
  if (name.starts_with(kHold)) ticket = parse_holding(name.substr(kHold.size()));
  if (ticket && name_of(*ticket) == name) return std::move(*ticket);
  return fail(Errc::invalid, "'" + std::string(name) + "' is not the ticket of a run");
}

SlotAnswer decide_slot(const std::vector<Ticket>& tickets, const Ticket& mine, const Slots& slots) {
  if (mine.holds) return SlotGranted{mine.held};
  const bool needs_gpus = mine.gpus > 0;
  const std::size_t capacity = needs_gpus ? slots.gpus.size() : slots.runs;
  std::vector<std::uint32_t> free_gpus = slots.gpus;
  std::size_t free_runs = slots.runs;
  std::vector<Ticket> before;
  SlotAwaited awaited;
  for (const Ticket& other : tickets) {
    if (other.run == mine.run || (other.gpus > 0) != needs_gpus) continue;
    if (other.holds) {
      free_runs -= std::min<std::size_t>(free_runs, 1);
      std::erase_if(free_gpus, [&](std::uint32_t gpu) {
        return std::find(other.held.begin(), other.held.end(), gpu) != other.held.end();
      });
      awaited.ahead.push_back(other.run);
    } else if (is_before(other, mine) && other.gpus <= slots.gpus.size()) {
      before.push_back(other);
    }
  }
  const std::size_t free = needs_gpus ? free_gpus.size() : free_runs;
  std::sort(before.begin(), before.end(), is_before);
  std::size_t taken = 0;
  for (const Ticket& other : before) {
    taken += needs_gpus ? other.gpus : 1;
    awaited.ahead.push_back(other.run);
  }
  const std::size_t needed = needs_gpus ? mine.gpus : 1;
  if (taken + needed <= free) {
    const auto first = free_gpus.begin() + static_cast<std::ptrdiff_t>(needs_gpus ? taken : 0);
    return SlotGranted{needs_gpus ? std::vector<std::uint32_t>(first, first + static_cast<std::ptrdiff_t>(needed))
                                  : std::vector<std::uint32_t>()};
  }
  awaited.in_vain = needed > capacity;
  awaited.reason =
      std::to_string(capacity - free) + " of " +
      (needs_gpus ? count_of(capacity, "GPU is", "GPUs are") : count_of(capacity, "slot is", "slots are")) + " taken";
  if (needs_gpus) awaited.reason = "it needs " + count_of(needed, "GPU", "GPUs") + ", and " + awaited.reason;
  if (!before.empty()) awaited.reason += ", and " + count_of(before.size(), "run waits", "runs wait") + " before it";
  return awaited;
}

}  // namespace trainyard
