// SPDX-License-Identifier: Apache-2.0
#include <boost/filesystem/operations.hpp>

#include "runner/cli/commands.hpp"
#include "runner/cli/terminal.hpp"
#include "runner/cli/wiring.hpp"
#include "runner/executors/isolation_facts.hpp"
#include "runner/executors/local_machine.hpp"
#include "runner/mounts/mount_probe.hpp"

namespace trainyard {

namespace {

enum class Here { yes, no, not_needed };

Here here(const Isolation& isolation, Layer layer) {
  if (isolation.has(layer)) return Here::yes;
  return isolation.missing.contains(layer) ? Here::no : Here::not_needed;
}

std::string_view name_of(Here here) { return here == Here::yes ? "yes" : here == Here::no ? "no" : "not needed"; }

// What a run would get that asks for all there is.
Result<Isolation> look() {
  const Path worker = TRY(worker_program());
  // A doctor is asked before there is a store, too.
  const Path scratch = scratch_name(boost::filesystem::temp_directory_path(), "trainyard-doctor");
  TRY(make_folder(scratch, 0700));
  auto facts = probe_isolation(worker, scratch);
  TRY(remove_tree(scratch));
  return plan_isolation(IsolationWish(), TRY(facts));
}

// How the store can present data; none where there is no store.
Result<std::optional<MountFacts>> look_at_mounts(const Invocation& invocation) {
  const auto root = store_path(invocation);
  if (!root.ok() || !is_there(*root / "format")) return std::optional<MountFacts>();
  const Store store = TRY(Store::open(*root));
  return std::optional(TRY(probe_mounts(TRY(worker_program()), store.scratch(), store.scratch())));
}

Json answer_json(const Isolation& isolation, const Machine& machine, const std::optional<MountFacts>& mounts) {
  Json layers = Json::array();
  for (const Layer layer : kLayers) {
    const bool missing = here(isolation, layer) == Here::no;
    layers.push_back({{"layer", name_of(layer)},
                      {"here", name_of(here(isolation, layer))},
                      {"why_not", missing ? Json(isolation.missing.at(layer)) : Json(nullptr)},
                      {"what_helps", missing ? Json(what_helps(layer)) : Json(nullptr)}});
  }
  Json gpus = Json::array();
  for (const Gpu& gpu : machine.gpus)
    gpus.push_back({{"number", gpu.number}, {"name", gpu.name}, {"model", gpu.model}});
  Json data = nullptr;
  if (mounts) {
    data = {{"overlay", mounts->overlay_works},
            {"overlay_why_not", mounts->overlay_works ? Json(nullptr) : Json(mounts->overlay_why_not)},
            {"reflink", mounts->reflink_works}};
  }
  return {{"layers", std::move(layers)},
          {"strict", isolation.missing.empty()},
          {"cores", machine.cores},
          {"gpus", std::move(gpus)},
          {"data", std::move(data)}};
}

void print_layers(const Isolation& isolation) {
  std::vector<std::vector<std::string>> rows = {{"LAYER", "HERE", "WHAT IT DOES"}};
  for (const Layer layer : kLayers)
    rows.push_back({std::string(name_of(layer)), std::string(name_of(here(isolation, layer))), what_it_does(layer)});
  print(table(rows));
  for (const auto& [layer, why] : isolation.missing)
    print("\n" + std::string(name_of(layer)) + " is missing: " + why + "\n  " + what_helps(layer) + "\n");
}

void print_machine(const Isolation& isolation, const Machine& machine, const std::optional<MountFacts>& mounts) {
  const bool groups = !isolation.missing.contains(Layer::cgroup);
  std::vector<std::vector<std::string>> rows = {
      {"isolation strict", isolation.missing.empty() ? "runs would start" : "runs would be refused"},
      {"limits of memory and processes",
       groups ? "kept by control groups, at once" : "kept by looking several times a second"},
      {"processors", std::to_string(machine.cores)},
      {"GPUs", machine.gpus.empty() ? "none: " + machine.gpus_searched : std::to_string(machine.gpus.size())}};
  if (mounts) {
    const std::string how = mounts->overlay_works ? "mounted as overlays, without a copy"
                            : mounts->reflink_works
                                ? "cloned file by file (no overlays: " + mounts->overlay_why_not + ")"
                                : "copied (no overlays: " + mounts->overlay_why_not + ")";
    rows.push_back({"data of this store", how});
  }
  print("\n" + table(rows));
}

}  // namespace

Result<ExitCode> perform(const command::Doctor& /*command*/, const Invocation& invocation) {
  const Isolation isolation = TRY(look());
  const Machine machine = local_machine();
  const auto mounts = TRY(look_at_mounts(invocation));
  if (invocation.output == Output::json) {
    print_json(answer_json(isolation, machine, mounts));
  } else {
    print_layers(isolation);
    print_machine(isolation, machine, mounts);
  }
  return isolation.missing.empty() ? ExitCode::ok : ExitCode::run_failed;
}

}  // namespace trainyard
