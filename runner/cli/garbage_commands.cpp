// SPDX-License-Identifier: Apache-2.0
#include "runner/cli/commands.hpp"
#include "runner/cli/progress.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/engine/garbage.hpp"
#include "runner/processes/clock.hpp"
#include "storage/values/limits.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Json to_json(const std::vector<Leaving>& leavings) {
  Json list = Json::array();
  for (const Leaving& leaving : leavings) list.push_back({{"path", leaving.path.string()}, {"bytes", leaving.bytes}});
  return list;
}

Json to_json(const Leavings& leavings) {
  return {{"checkouts", to_json(leavings.checkouts)}, {"scratch", to_json(leavings.scratch)}};
}

std::uint64_t bytes_of(const std::vector<Leaving>& leavings) {
  std::uint64_t sum = 0;
  for (const Leaving& leaving : leavings) sum += leaving.bytes;
  return sum;
}

std::string leavings_text(const std::string& verb, const Leavings& leavings) {
  std::string text;
  if (!leavings.checkouts.empty()) {
    text += verb + " " + plural(leavings.checkouts.size(), "checkout") + " that no run uses (" +
            size_text(bytes_of(leavings.checkouts)) + ")\n";
  }
  if (!leavings.scratch.empty()) {
    text += verb + " " + plural(leavings.scratch.size(), "leftover") + " of processes that died (" +
            size_text(bytes_of(leavings.scratch)) + ")\n";
  }
  return text;
}

std::uint64_t objects_that_go(const SweepPlan& plan) {
  std::uint64_t objects = 0;
  for (const PackSweep& pack : plan.packs) objects += pack.rewrite ? pack.dead.size() : 0;
  return objects;
}

void print_plan(const SweepPlan& plan, const Leavings& leavings) {
  const std::uint64_t going = objects_that_go(plan);
  std::string text;
  if (plan.freed_bytes > 0 || going > 0) {
    text = "would free " + size_text(plan.freed_bytes) + ": " + std::to_string(going) + " of " +
           plural(plan.objects, "object") + "\n";
  }
  text += leavings_text("would remove", leavings);
  if (plan.dead_objects > going) {
    text += plural(plan.dead_objects - going, "object") +
            " that nothing needs can stay a while, in packs that are mostly needed\n";
  }
  print(text.empty() ? std::string("there is nothing to remove\n") : text + "nothing was changed\n");
}

Result<void> write_plan(const SweepPlan& plan, const std::string& file) {
  const Path path = TRY(absolute_path(file));
  return publish_file(path.parent_path(), path, readable(trainyard::to_json(plan)), 0644, Durable::no);
}

Result<SweepPlan> read_plan(const std::string& file) {
  const std::string text = TRY(read_file(file, limits::kTreeBytes));
  return sweep_plan_from(TRY(parse_json(text, "the plan '" + file + "'")));
}

GarbageOptions options_of(bool no_wait, StatusLine& line) {
  GarbageOptions options;
  options.writers = waiting_for_writers(no_wait);
  options.progress = [&line](std::size_t done, std::size_t all) {
    const double fraction = all == 0 ? 0 : static_cast<double>(done) / static_cast<double>(all);
    line.show(bar(fraction) + "  went through " + std::to_string(done) + " of " + plural(all, "pack"));
  };
  return options;
}

Result<ExitCode> show_garbage(const command::StoreGc& command, const Store& store, MissingObjects missing,
                              Output output) {
  const SweepPlan plan = TRY(plan_garbage(store, missing));
  const Leavings leavings = TRY(find_leavings(store, now()));
  if (!command.plan.empty()) TRY(write_plan(plan, command.plan));
  if (output == Output::json) {
    Json json = to_json(leavings);
    json["applied"] = false;
    json["plan"] = trainyard::to_json(plan);
    print_json(json);
  } else {
    print_plan(plan, leavings);
    if (!command.plan.empty()) print("'trainyard store gc --apply " + command.plan + "' removes it\n");
  }
  return ExitCode::ok;
}

void print_report(const GarbageReport& report, Output output) {
  if (output == Output::json) {
    Json json = to_json(report.leavings);
    json["applied"] = true;
    json["freed_bytes"] = report.objects.freed_bytes;
    json["removed_objects"] = report.objects.removed_objects;
    json["packs_removed"] = report.objects.packs_removed;
    json["packs_written"] = report.objects.packs_written;
    print_json(json);
    return;
  }
  const SweepReport& objects = report.objects;
  const bool idle = objects.packs_removed == 0 && report.leavings.checkouts.empty() && report.leavings.scratch.empty();
  if (objects.packs_removed > 0) {
    print("freed " + size_text(objects.freed_bytes) + ": removed " + plural(objects.removed_objects, "object") +
          " and " + plural(objects.packs_removed, "pack") + ", wrote " + plural(objects.packs_written, "pack") + "\n");
  }
  print(idle ? "there was nothing to remove\n" : leavings_text("removed", report.leavings));
}

void print_preview(const PurgePreview& preview) {
  if (preview.earlier) {
    print("purged already on " + preview.earlier->purged_at.short_text() + " (" + printable(preview.earlier->reason) +
          ")\n");
  }
  print(preview.needs.empty() ? std::string("nothing needs the file\n")
                              : "incomplete by the purge, in " + plural(preview.needs.size(), "place") + ":\n");
  for (const std::string& need : preview.needs) print("  " + printable(need) + "\n");
  for (const Path& copy : preview.copies) print("goes too: " + printable(copy.string()) + "\n");
}

}  // namespace

Result<ExitCode> perform(const command::StoreGc& command, const Invocation& invocation) {
  const int wishes = (command.plan.empty() ? 0 : 1) + (command.apply.empty() ? 0 : 1) + (command.apply_now ? 1 : 0);
  if (wishes > 1) return fail(Errc::invalid, "give only one of --plan, --apply and --apply-now");
  const MissingObjects missing = command.despite_damage ? MissingObjects::accept : MissingObjects::refuse;
  std::optional<SweepPlan> plan;
  if (!command.apply.empty()) plan = TRY(read_plan(command.apply));
  const Store store = TRY(open_store(invocation));
  if (!plan && !command.apply_now) return show_garbage(command, store, missing, invocation.output);
  if (!plan) plan = TRY(plan_garbage(store, missing));
  StatusLine line;
  GarbageOptions options = options_of(command.no_wait, line);
  options.missing = missing;
  const GarbageReport report = TRY(collect_garbage(store, *plan, now(), options));
  line.clear();
  print_report(report, invocation.output);
  return ExitCode::ok;
}

Result<ExitCode> perform(const command::StorePurge& command, const Invocation& invocation) {
  const Digest digest = TRY(Digest::parse(command.sha256));
  if (command.reason.find_first_not_of(" \t\n") == std::string::npos)
    return fail(Errc::invalid, "a purge needs a reason that whoever misses the file can read; give --reason TEXT");
  const Store store = TRY(open_store(invocation));
  const PurgePreview preview = TRY(preview_purge(store, digest));
  Json json = {{"sha256", digest.hex()}, {"needs", preview.needs}, {"copies", Json::array()}, {"purged", command.yes}};
  json["purged_before"] = preview.earlier ? Json(preview.earlier->purged_at.text()) : Json(nullptr);
  for (const Path& copy : preview.copies) json["copies"].push_back(copy.string());
  if (invocation.output == Output::text) print_preview(preview);
  if (command.yes) {
    StatusLine line;
    const SweepReport report =
        TRY(purge_file(store, preview, command.reason, now(), options_of(command.no_wait, line)));
    json["freed_bytes"] = report.freed_bytes;
    if (invocation.output == Output::text)
      print("purged " + digest.hex() + ", freed " + size_text(report.freed_bytes) + "\n");
  } else if (invocation.output == Output::text) {
    print(preview.earlier ? "nothing was changed; --yes makes sure that nothing of the file is left\n"
                          : "nothing was changed; --yes takes the file out for good\n");
  }
  if (invocation.output == Output::json) print_json(json);
  return ExitCode::ok;
}

}  // namespace trainyard
