// SPDX-License-Identifier: Apache-2.0
#include "runner/core/run_state.hpp"
#include "storage/values/sha256.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <utility>
#include <vector>

namespace trainyard::run_state_test {
namespace {

const StagedData kData{{{sha256("data"), 3, 30}, MountKind::overlay, true},
                       StagedInput{{sha256("test"), 1, 10}, MountKind::overlay, false}};
const CollectedOutputs kOutputs{CollectedOutputs::Package{{sha256("package"), 4, 40}, {sha256("zip"), 20}},
                                {sha256("artifacts"), 1, 5},
                                Evaluation{0.75, DataOverlap{1, 3, {"a.csv"}}},
                                true};
const JobId kJob{"local:1:2:3"};
const PackageVersion kVersion{1, 7};
const Outcome kWrong{RunReason::crashed, "signal 11"};

const std::vector<RunState>& states() {
  static const std::vector<RunState> all = {
      state::Queued{"2 of 2 slots are taken"},
      state::Planned{{0, 3}},
      state::Staged{kData},
      state::Running{kData, kJob},
      state::Stopping{kData, kJob},
      state::Exited{kData},
      state::Retrying{kData, 2, kWrong},
      state::Succeeded{kData},
      state::Collected{kData, kOutputs},
      state::Published{kData, kOutputs, kVersion},
      state::Evaluated{kData, kOutputs},
      state::Reproduced{kData, kOutputs},
      state::Failed{"Exited", kWrong, kData},
  };
  return all;
}

const std::vector<std::pair<std::string, Happening>>& happenings() {
  static const std::vector<std::pair<std::string, Happening>> all = {
      {"a slot becoming free", happening::SlotFreed{{0, 3}}},
      {"the data being staged", happening::DataStaged{kData}},
      {"the job starting", happening::JobStarted{kJob}},
      {"a stop being asked for", happening::StopAsked{}},
      {"the job ending", happening::JobEnded{}},
      {"an attempt failing", happening::AttemptFailed{2, kWrong}},
      {"a good verdict", happening::JudgedGood{}},
      {"the outputs being collected", happening::OutputsCollected{kOutputs}},
      {"a version being published", happening::VersionPublished{kVersion}},
      {"a score being kept", happening::ScoreKept{}},
      {"the outputs being kept", happening::OutputsKept{}},
      {"something going wrong", happening::WentWrong{kWrong}},
  };
  return all;
}

// The whole state machine: what is not here does not exist.
const std::map<std::pair<std::string, std::string>, RunState>& transitions() {
  const auto failed = [](const char* phase, std::optional<StagedData> data) {
    return state::Failed{phase, kWrong, data};
  };
  static const std::map<std::pair<std::string, std::string>, RunState> all = {
      {{"Queued", "a slot becoming free"}, state::Planned{{0, 3}}},
      {{"Planned", "the data being staged"}, state::Staged{kData}},
      {{"Retrying", "the data being staged"}, state::Staged{kData}},
      {{"Running", "an attempt failing"}, state::Retrying{kData, 2, kWrong}},
      {{"Exited", "an attempt failing"}, state::Retrying{kData, 2, kWrong}},
      {{"Staged", "the job starting"}, state::Running{kData, kJob}},
      {{"Running", "a stop being asked for"}, state::Stopping{kData, kJob}},
      {{"Running", "the job ending"}, state::Exited{kData}},
      {{"Stopping", "a stop being asked for"}, state::Stopping{kData, kJob}},
      {{"Stopping", "the job ending"}, state::Exited{kData}},
      {{"Exited", "a good verdict"}, state::Succeeded{kData}},
      {{"Succeeded", "the outputs being collected"}, state::Collected{kData, kOutputs}},
      {{"Collected", "a version being published"}, state::Published{kData, kOutputs, kVersion}},
      {{"Collected", "a score being kept"}, state::Evaluated{kData, kOutputs}},
      {{"Collected", "the outputs being kept"}, state::Reproduced{kData, kOutputs}},
      {{"Queued", "something going wrong"}, failed("Queued", std::nullopt)},
      {{"Planned", "something going wrong"}, failed("Planned", std::nullopt)},
      {{"Retrying", "something going wrong"}, failed("Retrying", kData)},
      {{"Staged", "something going wrong"}, failed("Staged", kData)},
      {{"Running", "something going wrong"}, failed("Running", kData)},
      {{"Stopping", "something going wrong"}, failed("Stopping", kData)},
      {{"Exited", "something going wrong"}, failed("Exited", kData)},
      {{"Succeeded", "something going wrong"}, failed("Succeeded", kData)},
      {{"Collected", "something going wrong"}, failed("Collected", kData)},
  };
  return all;
}

}  // namespace

TEST_CASE("every state meets every happening as the table says", "[run_state]") {
  int errors = 0;
  for (const RunState& state : states()) {
    for (const auto& [what, happening] : happenings()) {
      const std::string name(name_of(state));
      CAPTURE(name, what);
      const auto result = next(state, happening);
      const auto row = transitions().find({name, what});
      REQUIRE(result.ok() == (row != transitions().end()));
      if (result.ok()) {
        CHECK((*result == row->second));
      } else {
        CHECK(result.error() == fail(Errc::invalid, "a run that is " + name + " cannot meet " + what));
        ++errors;
      }
    }
  }
  CHECK(errors == 13 * 12 - 24);
}

TEST_CASE("states tell what users see, whether they are final, and their data", "[run_state]") {
  struct Row {
    const char* name;
    RunStatus status;
    bool is_final;
  };
  const Row rows[] = {
      {"Queued", RunStatus::queued, false},       {"Planned", RunStatus::packaging, false},
      {"Staged", RunStatus::packaging, false},    {"Running", RunStatus::running, false},
      {"Stopping", RunStatus::running, false},    {"Exited", RunStatus::running, false},
      {"Retrying", RunStatus::running, false},    {"Succeeded", RunStatus::running, false},
      {"Collected", RunStatus::running, false},   {"Published", RunStatus::successful, true},
      {"Evaluated", RunStatus::successful, true}, {"Reproduced", RunStatus::successful, true},
      {"Failed", RunStatus::failed, true},
  };
  for (std::size_t i = 0; i < states().size(); ++i) {
    const RunState& state = states()[i];
    CAPTURE(rows[i].name);
    CHECK(name_of(state) == rows[i].name);
    CHECK(name_of(status_of(state)) == name_of(rows[i].status));
    CHECK(is_final(state) == rows[i].is_final);
    CHECK((data_of(state) == (i < 2 ? std::nullopt : std::optional(kData))));
  }
  CHECK(name_of(status_of(state::Failed{"Running", {RunReason::stopped, "x"}, {}})) == "Killed");
  CHECK_FALSE(data_of(state::Failed{"Planned", kWrong, {}}));
}

TEST_CASE("a journal is written as it was read", "[run_state]") {
  for (const RunState& state : states()) {
    const JournalEntry entry{Instant{17}, state};
    const Json json = to_json(entry);
    CAPTURE(json);
    CHECK(json.size() == 12);
    CHECK((journal_entry_from(json).value() == entry));
  }
  const JournalEntry early{Instant{17}, state::Failed{"Planned", kWrong, {}}};
  CHECK((journal_entry_from(to_json(early)).value() == early));
}

TEST_CASE("a journal entry has what belongs to its state, and nothing else", "[run_state]") {
  const std::map<std::string, std::vector<std::string>> needed = {
      {"Queued", {"message"}},
      {"Planned", {"gpus"}},
      {"Staged", {"data"}},
      {"Running", {"data", "job"}},
      {"Stopping", {"data", "job"}},
      {"Exited", {"data"}},
      {"Retrying", {"data", "attempt", "reason", "message"}},
      {"Succeeded", {"data"}},
      {"Collected", {"data", "outputs"}},
      {"Published", {"data", "outputs", "version"}},
      {"Evaluated", {"data", "outputs"}},
      {"Reproduced", {"data", "outputs"}},
      {"Failed", {"phase", "reason", "message"}},
  };
  const Json everything = {{"data", to_json(JournalEntry{{}, state::Exited{kData}})["data"]},
                           {"job", "local:1:2:3"},
                           {"outputs", to_json(JournalEntry{{}, states()[8]})["outputs"]},
                           {"version", "1.7"},
                           {"phase", "Exited"},
                           {"reason", "crashed"},
                           {"message", "x"},
                           {"gpus", Json::array({0U, 3U})},
                           {"attempt", 2}};
  for (const RunState& state : states()) {
    const std::string name(name_of(state));
    const Json good = to_json(JournalEntry{Instant{17}, state});
    for (const auto& [key, value] : everything.items()) {
      CAPTURE(name, key);
      Json bad = good;
      bad[key] = good[key].is_null() ? value : Json(nullptr);
      const bool optional = (name == "Failed" && key == "data") || (name == "Planned" && key == "gpus");
      const auto read = journal_entry_from(bad);
      REQUIRE(read.ok() == optional);
      if (optional) continue;
      const bool missing = !good[key].is_null();
      CHECK(read.error().message == "the journal entry has the state '" + name + "' " +
                                        (missing ? "without what belongs to it" : "with what does not belong to it"));
    }
    Json wrong_status = good;
    wrong_status["status"] = "Scheduled";
    CHECK_FALSE(journal_entry_from(wrong_status).ok());
  }
  Json early = to_json(JournalEntry{Instant{17}, state::Planned{}});
  for (const char* const key : {"gpus", "attempt"}) early.erase(key);
  CHECK((journal_entry_from(early).value() == JournalEntry{Instant{17}, state::Planned{}}));
  Json unknown = to_json(JournalEntry{Instant{17}, state::Planned{}});
  unknown["state"] = "Paused";
  CHECK(journal_entry_from(unknown).error().message ==
        "the journal entry has the state 'Paused' without what belongs to it");
}

}  // namespace trainyard::run_state_test
