// SPDX-License-Identifier: Apache-2.0
#include "runner/engine/run_queue.hpp"

#include <fcntl.h>

#include <algorithm>

#include "runner/engine/run_journal.hpp"

namespace trainyard {

namespace {

constexpr const char* kLock = "lock";

Result<FileLock> lock(const Path& folder) {
  const auto made = make_folder(folder);
  if (!made.ok() && made.error().code != Errc::exists) return made.error();
  return FileLock::wait(folder / kLock);
}

Result<std::vector<Ticket>> tickets_in(const Path& folder) {
  std::vector<Ticket> tickets;
  const auto names = list_folder(folder);
  if (!names.ok() && names.error().code == Errc::not_found) return tickets;
  if (!names.ok()) return names.error();
  for (const std::string& name : *names) {
    // What is none is not ours to remove.
    if (auto ticket = parse_ticket(name); ticket.ok()) tickets.push_back(std::move(*ticket));
  }
  return tickets;
}

// Of a run that nobody drives. Before a job is started there is none, and nobody here may forbid it.
Result<bool> job_goes_on(const RunFolder& folder, Executor& executor) {
  const std::vector<JournalEntry> journal = TRY(read_journal(folder));
  if (journal.empty()) return false;
  const RunState& last = journal.back().state;
  const Path attempt = folder.attempt(TRY(folder.last_attempt()));
  std::optional<JobId> job;
  if (const auto* const running = std::get_if<state::Running>(&last)) job = running->job;
  if (const auto* const stopping = std::get_if<state::Stopping>(&last)) job = stopping->job;
  if (std::holds_alternative<state::Staged>(last)) job = TRY(executor.recall(attempt));
  return job && goes_on(TRY(executor.look(*job, attempt)));
}

Ticket ticket_for(const RunPlan& plan) {
  const int gpus = plan.gpus * workers_of(plan.request);
  return {plan.run, static_cast<std::uint32_t>(gpus), plan.request.priority, false, {}};
}

}  // namespace

Result<void> RunQueue::put(const Ticket& ticket, const std::optional<Ticket>& before) {
  if (before == ticket) return {};
  if (before) return rename_path(folder() / name_of(*before), folder() / name_of(ticket));
  TRY(open_file(folder() / name_of(ticket), O_WRONLY | O_CREAT, 0644));
  return {};
}

RunQueue::Life RunQueue::life_of(const RunId& run) {
  const RunFolders folders(ports_->store.runs(), ports_->store.active());
  auto lease = folders.take_over(run);
  if (!lease.ok() || !*lease) return Life::living;
  const RunFolder folder = folders.folder(run);
  if (is_there(folder.results()) || !is_there(folder.path())) return (*lease)->finish().ok() ? Life::over : Life::left;
  // What cannot be read any more keeps nobody waiting.
  const auto goes_on = job_goes_on(folder, ports_->executor);
  return goes_on.ok() && *goes_on ? Life::living : Life::left;
}

Result<SlotAnswer> RunQueue::ask(const RunPlan& plan, Care care) {
  // It takes nothing of this machine, and Slurm has a queue of its own.
  if (runs_in_slurm(plan.request)) return SlotAnswer(SlotGranted{});
  const Slots slots = slots_of(TRY(ports_->store.config()), ports_->machine);
  const auto locked = TRY(lock(folder()));
  std::vector<Ticket> all = TRY(tickets_in(folder()));
  const auto known = std::find_if(all.begin(), all.end(), [&](const Ticket& ticket) { return ticket.run == plan.run; });
  const std::optional<Ticket> before = known == all.end() ? std::nullopt : std::optional(*known);
  Ticket mine = before.value_or(ticket_for(plan));
  for (;;) {
    SlotAnswer answer = decide_slot(all, mine, slots);
    if (auto* const granted = std::get_if<SlotGranted>(&answer)) {
      mine.holds = true;
      mine.held = granted->gpus;
      TRY(put(mine, before));
      return answer;
    }
    std::vector<RunId> dead;
    for (const RunId& run : std::get<SlotAwaited>(answer).ahead) {
      const Life life = care == Care::yes ? life_of(run) : Life::living;
      if (life == Life::living) continue;
      dead.push_back(run);
      // One that died while it waited is passed by; its place is still its own when somebody goes on with it.
      for (const Ticket& ticket : all) {
        if (ticket.run == run && (ticket.holds || life == Life::over)) TRY(remove_file(folder() / name_of(ticket)));
      }
    }
    if (dead.empty()) {
      TRY(put(mine, before));
      return answer;
    }
    const auto is_dead = [&](const Ticket& ticket) {
      return std::find(dead.begin(), dead.end(), ticket.run) != dead.end();
    };
    std::erase_if(all, is_dead);
  }
}

Result<void> RunQueue::leave(const RunId& run) {
  const auto locked = TRY(lock(folder()));
  for (const Ticket& ticket : TRY(tickets_in(folder()))) {
    if (ticket.run == run) TRY(remove_file(folder() / name_of(ticket)));
  }
  return {};
}

Result<SlotAnswer> look_at_line(const RunPlan& plan, const Store& store, const Machine& machine) {
  if (runs_in_slurm(plan.request)) return SlotAnswer(SlotGranted{});
  return decide_slot(TRY(tickets_in(store.queue())), ticket_for(plan), slots_of(TRY(store.config()), machine));
}

Slots slots_of(const StoreConfig& config, const Machine& machine) {
  Slots slots{config.slots.value_or(machine.cores), {}};
  for (const Gpu& gpu : within_limits(config, machine).gpus) slots.gpus.push_back(gpu.number);
  return slots;
}

Machine within_limits(const StoreConfig& config, Machine machine) {
  const std::size_t most = config.gpus.value_or(static_cast<std::uint32_t>(machine.gpus.size()));
  if (most < machine.gpus.size()) {
    machine.gpus_searched += "; " + std::to_string(machine.gpus.size()) +
                             " are there, of which the store's runs may use " + std::to_string(most) +
                             " ('trainyard store config gpus')";
    machine.gpus.resize(most);
  } else {
    machine.gpus_searched += "; " + (machine.gpus.empty() ? std::string("none is there")
                                                          : std::to_string(machine.gpus.size()) + " are there");
  }
  return machine;
}

}  // namespace trainyard
