// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_state.hpp"

#include <array>

namespace trainyard {

namespace {

constexpr std::array<std::string_view, 13> kStates = {"Queued",    "Planned",    "Staged",    "Running",   "Stopping",
                                                      "Exited",    "Retrying",   "Succeeded", "Collected", "Published",
                                                      "Evaluated", "Reproduced", "Failed"};
constexpr std::array<std::string_view, 12> kHappenings = {"a slot becoming free",
                                                          "the data being staged",
                                                          "the job starting",
                                                          "a stop being asked for",
                                                          "the job ending",
                                                          "an attempt failing",
                                                          "a good verdict",
                                                          "the outputs being collected",
                                                          "a version being published",
                                                          "a score being kept",
                                                          "the outputs being kept",
                                                          "something going wrong"};

// Every transition that exists, one function each; whatever has none falls to the last.
struct Transition {
  using Next = Result<RunState>;

  Next operator()(const state::Queued&, const happening::SlotFreed& h) const {
    return RunState(state::Planned{h.gpus});
  }
  Next operator()(const state::Planned&, const happening::DataStaged& h) const {
    return RunState(state::Staged{h.data});
  }
  Next operator()(const state::Retrying&, const happening::DataStaged& h) const {
    return RunState(state::Staged{h.data});
  }
  Next operator()(const state::Staged& s, const happening::JobStarted& h) const {
    return RunState(state::Running{s.data, h.job});
  }
  Next operator()(const state::Running& s, const happening::StopAsked&) const {
    return RunState(state::Stopping{s.data, s.job});
  }
  Next operator()(const state::Running& s, const happening::JobEnded&) const { return RunState(state::Exited{s.data}); }
  Next operator()(const state::Stopping& s, const happening::StopAsked&) const { return RunState(s); }
  Next operator()(const state::Stopping& s, const happening::JobEnded&) const {
    return RunState(state::Exited{s.data});
  }
  Next operator()(const state::Running& s, const happening::AttemptFailed& h) const { return retrying(s.data, h); }
  Next operator()(const state::Exited& s, const happening::AttemptFailed& h) const { return retrying(s.data, h); }
  Next operator()(const state::Exited& s, const happening::JudgedGood&) const {
    return RunState(state::Succeeded{s.data});
  }
  Next operator()(const state::Succeeded& s, const happening::OutputsCollected& h) const {
    return RunState(state::Collected{s.data, h.outputs});
  }
  Next operator()(const state::Collected& s, const happening::VersionPublished& h) const {
    return RunState(state::Published{s.data, s.outputs, h.version});
  }
  Next operator()(const state::Collected& s, const happening::ScoreKept&) const {
    return RunState(state::Evaluated{s.data, s.outputs});
  }
  Next operator()(const state::Collected& s, const happening::OutputsKept&) const {
    return RunState(state::Reproduced{s.data, s.outputs});
  }
  template <class Any, class What>
  Next operator()(const Any& any, const What& what) const {
    constexpr bool over = std::is_same_v<Any, state::Published> || std::is_same_v<Any, state::Evaluated> ||
                          std::is_same_v<Any, state::Reproduced> || std::is_same_v<Any, state::Failed>;
    if constexpr (!over && std::is_same_v<What, happening::WentWrong>) {
      return RunState(state::Failed{std::string(name_of(RunState(any))), what.outcome, data_of(RunState(any))});
    } else {
      return fail(Errc::invalid, "a run that is " + std::string(name_of(RunState(any))) + " cannot meet " +
                                     std::string(kHappenings[Happening(what).index()]));
    }
  }

  static Next retrying(const StagedData& data, const happening::AttemptFailed& failed) {
    return RunState(state::Retrying{data, failed.next, failed.outcome});
  }
};

Json to_json(const StagedInput& input) {
  return {{"tree", trainyard::to_json(input.tree)}, {"mount", name_of(input.mount)}, {"snapshot", input.snapshot}};
}

Result<StagedInput> staged_input_from(const Json& json) {
  Fields fields(json, "a staged dataset");
  const auto tree = fields.nested("tree", tree_summary_from);
  const auto mount = fields.parsed("mount", parse_mount_kind);
  const bool snapshot = fields.boolean("snapshot");
  TRY(fields.finish());
  return StagedInput{*tree, *mount, snapshot};
}

Result<DataOverlap> overlap_from(const Json& json) {
  Fields fields(json, "the overlap of the data");
  const std::uint64_t files = fields.count("files");
  const std::uint64_t of = fields.count("of");
  const Json& examples = fields.array("examples");
  TRY(fields.finish());
  DataOverlap overlap{files, of, {}};
  for (const Json& example : examples) {
    if (!example.is_string()) return fail(Errc::invalid, "an example of the overlap of the data is not a text");
    overlap.examples.push_back(example.get<std::string>());
  }
  return overlap;
}

Result<Evaluation> evaluation_from(const Json& json) {
  Fields fields(json, "the evaluation");
  const double score = fields.number("score");
  std::optional<DataOverlap> overlap;
  if (fields.nullable("overlap") != nullptr) overlap = fields.nested("overlap", overlap_from);
  TRY(fields.finish());
  return Evaluation{score, std::move(overlap)};
}

Result<CollectedOutputs::Package> package_from(const Json& json) {
  Fields fields(json, "the new package");
  const auto tree = fields.nested("tree", tree_summary_from);
  const auto zip = fields.nested("zip", zip_summary_from);
  TRY(fields.finish());
  return CollectedOutputs::Package{*tree, *zip};
}

Json to_json(const StagedData& data) {
  return {{"data", to_json(data.data)}, {"evaluation", data.evaluation ? to_json(*data.evaluation) : Json(nullptr)}};
}

Result<StagedData> staged_from(const Json& json) {
  Fields fields(json, "the staged data");
  const auto data = fields.nested("data", staged_input_from);
  std::optional<StagedInput> evaluation;
  if (fields.nullable("evaluation") != nullptr) evaluation = fields.nested("evaluation", staged_input_from);
  TRY(fields.finish());
  return StagedData{*data, std::move(evaluation)};
}

Json to_json(const Evaluation& evaluation) {
  return {{"score", evaluation.score}, {"overlap", overlap_json(evaluation.overlap)}};
}

Json to_json(const CollectedOutputs::Package& package) {
  return {{"tree", trainyard::to_json(package.tree)}, {"zip", trainyard::to_json(package.zip)}};
}

Json to_json(const CollectedOutputs& outputs) {
  return {{"package", outputs.package ? to_json(*outputs.package) : Json(nullptr)},
          {"artifacts", trainyard::to_json(outputs.artifacts)},
          {"evaluation", outputs.evaluation ? to_json(*outputs.evaluation) : Json(nullptr)},
          {"trained_on_dataset", outputs.trained_on_dataset}};
}

Result<CollectedOutputs> outputs_from(const Json& json) {
  Fields fields(json, "the outputs");
  std::optional<CollectedOutputs::Package> package;
  if (fields.nullable("package") != nullptr) package = fields.nested("package", package_from);
  const auto artifacts = fields.nested("artifacts", tree_summary_from);
  std::optional<Evaluation> evaluation;
  if (fields.nullable("evaluation") != nullptr) evaluation = fields.nested("evaluation", evaluation_from);
  const bool trained_on_dataset = fields.boolean("trained_on_dataset");
  TRY(fields.finish());
  return CollectedOutputs{std::move(package), *artifacts, std::move(evaluation), trained_on_dataset};
}

Result<std::vector<std::uint32_t>> gpus_from(const Json& json) {
  std::vector<std::uint32_t> gpus;
  if (!json.is_array() || json.empty()) return fail(Errc::invalid, "is not a list with something in it");
  for (const Json& gpu : json) {
    if (!gpu.is_number_unsigned()) return fail(Errc::invalid, "has an entry that is not the number of a GPU");
    gpus.push_back(gpu.get<std::uint32_t>());
  }
  return gpus;
}

struct StateWriter {
  Json& json;
  void operator()(const state::Queued& s) const { json["message"] = s.message; }
  void operator()(const state::Planned& s) const {
    if (!s.gpus.empty()) json["gpus"] = s.gpus;
  }
  void operator()(const state::Staged& s) const { json["data"] = to_json(s.data); }
  void operator()(const state::Running& s) const { with_job(s.data, s.job); }
  void operator()(const state::Stopping& s) const { with_job(s.data, s.job); }
  void operator()(const state::Exited& s) const { json["data"] = to_json(s.data); }
  void operator()(const state::Retrying& s) const {
    json["data"] = to_json(s.data);
    json["attempt"] = s.attempt;
    with_outcome(s.outcome);
  }
  void operator()(const state::Succeeded& s) const { json["data"] = to_json(s.data); }
  void operator()(const state::Collected& s) const {
    json["data"] = to_json(s.data);
    json["outputs"] = to_json(s.outputs);
  }
  void operator()(const state::Published& s) const {
    json["data"] = to_json(s.data);
    json["outputs"] = to_json(s.outputs);
    json["version"] = s.version.text();
  }
  void operator()(const state::Evaluated& s) const {
    json["data"] = to_json(s.data);
    json["outputs"] = to_json(s.outputs);
  }
  void operator()(const state::Reproduced& s) const {
    json["data"] = to_json(s.data);
    json["outputs"] = to_json(s.outputs);
  }
  void operator()(const state::Failed& s) const {
    if (s.data) json["data"] = to_json(*s.data);
    json["phase"] = s.phase;
    with_outcome(s.outcome);
  }
  void with_job(const StagedData& data, const JobId& job) const {
    json["data"] = to_json(data);
    json["job"] = job.text;
  }
  void with_outcome(const Outcome& outcome) const {
    json["reason"] = name_of(outcome.reason);
    json["message"] = outcome.message;
  }
};

}  // namespace

Result<RunState> next(const RunState& state, const Happening& happening) {
  return std::visit(Transition{}, state, happening);
}

std::string_view name_of(const RunState& state) { return kStates[state.index()]; }

RunStatus status_of(const RunState& state) {
  if (const auto* const failed = std::get_if<state::Failed>(&state)) return failed->outcome.status();
  if (is_final(state)) return RunStatus::successful;
  if (std::holds_alternative<state::Queued>(state)) return RunStatus::queued;
  const bool before_start =
      std::holds_alternative<state::Planned>(state) || std::holds_alternative<state::Staged>(state);
  return before_start ? RunStatus::packaging : RunStatus::running;
}

bool is_final(const RunState& state) {
  return std::holds_alternative<state::Published>(state) || std::holds_alternative<state::Evaluated>(state) ||
         std::holds_alternative<state::Reproduced>(state) || std::holds_alternative<state::Failed>(state);
}

Json overlap_json(const std::optional<DataOverlap>& overlap) {
  if (!overlap) return nullptr;
  return {{"files", overlap->files}, {"of", overlap->of}, {"examples", overlap->examples}};
}

const CollectedOutputs* outputs_of(const RunState& state) {
  return std::visit(
      [](const auto& held) -> const CollectedOutputs* {
        if constexpr (requires { held.outputs; }) {
          return &held.outputs;
        } else {
          return nullptr;
        }
      },
      state);
}

std::optional<StagedData> data_of(const RunState& state) {
  return std::visit(
      [](const auto& held) -> std::optional<StagedData> {
        if constexpr (requires { held.data; }) {
          return held.data;
        } else {
          return std::nullopt;
        }
      },
      state);
}

// Every key is always there, null where the state does not know it.
Json to_json(const JournalEntry& entry) {
  Json json = {{"time", entry.time.text()},
               {"state", name_of(entry.state)},
               {"status", name_of(status_of(entry.state))},
               {"data", nullptr},
               {"job", nullptr},
               {"outputs", nullptr},
               {"version", nullptr},
               {"phase", nullptr},
               {"reason", nullptr},
               {"message", nullptr},
               {"gpus", nullptr},
               {"attempt", nullptr}};
  std::visit(StateWriter{json}, entry.state);
  return json;
}

Result<JournalEntry> journal_entry_from(const Json& json) {
  Fields fields(json, "the journal entry");
  const auto time = fields.parsed("time", Instant::parse);
  const std::string name = fields.text("state");
  static_cast<void>(fields.text("status"));
  std::optional<StagedData> data;
  if (fields.nullable("data") != nullptr) data = fields.nested("data", staged_from);
  std::optional<CollectedOutputs> outputs;
  if (fields.nullable("outputs") != nullptr) outputs = fields.nested("outputs", outputs_from);
  const auto job = fields.optional_text("job");
  const auto version = fields.parsed_or_null("version", PackageVersion::parse);
  const auto phase = fields.optional_text("phase");
  const auto reason = fields.parsed_or_null("reason", parse_run_reason);
  const auto message = fields.optional_text("message");
  std::vector<std::uint32_t> gpus;
  if (fields.has("gpus") && fields.nullable("gpus") != nullptr) gpus = fields.nested("gpus", gpus_from).value_or(gpus);
  std::optional<std::int64_t> attempt;
  if (fields.has("attempt") && fields.nullable("attempt") != nullptr)
    attempt = fields.integer("attempt", 2, RunRequest::kMostRetries + 1);
  TRY(fields.finish());
  const auto entered = [&](RunState state) -> Result<JournalEntry> {
    JournalEntry entry{*time, std::move(state)};
    Json complete = json;
    for (const char* const key : {"gpus", "attempt"}) complete.emplace(key, nullptr);
    if (to_json(entry) != complete)
      return fail(Errc::invalid, "the journal entry has the state '" + name + "' with what does not belong to it");
    return entry;
  };
  if (name == "Queued" && message) return entered(state::Queued{*message});
  if (name == "Planned") return entered(state::Planned{std::move(gpus)});
  if (name == "Staged" && data) return entered(state::Staged{*data});
  if (name == "Running" && data && job) return entered(state::Running{*data, {*job}});
  if (name == "Stopping" && data && job) return entered(state::Stopping{*data, {*job}});
  if (name == "Exited" && data) return entered(state::Exited{*data});
  if (name == "Retrying" && data && attempt && reason && *reason != RunReason::ok && message)
    return entered(state::Retrying{*data, static_cast<int>(*attempt), {*reason, *message}});
  if (name == "Succeeded" && data) return entered(state::Succeeded{*data});
  if (name == "Collected" && data && outputs) return entered(state::Collected{*data, *outputs});
  if (name == "Published" && data && outputs && version) return entered(state::Published{*data, *outputs, *version});
  if (name == "Evaluated" && data && outputs) return entered(state::Evaluated{*data, *outputs});
  if (name == "Reproduced" && data && outputs) return entered(state::Reproduced{*data, *outputs});
  if (name == "Failed" && phase && reason && *reason != RunReason::ok && message)
    return entered(state::Failed{*phase, {*reason, *message}, data});
  return fail(Errc::invalid, "the journal entry has the state '" + name + "' without what belongs to it");
}

}  // namespace trainyard
