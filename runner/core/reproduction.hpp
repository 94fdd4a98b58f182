// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runner/core/version_difference.hpp"
#include "storage/values/names.hpp"

// How far a run that does another one again has come to the same.
namespace trainyard {

// In the order in which they count: of many, the last one decides.
enum class Likeness { identical, within_tolerance, drift, cannot };
std::string_view name_of(Likeness likeness);

// Where the bytes of two files differ.
struct DifferentBytes {
  std::uint64_t first = 0;  // the place of the first one, from 0; the end of the shorter file when that is all
  std::uint64_t count = 0;  // of as many as both files have
  friend bool operator==(const DifferentBytes&, const DifferentBytes&) = default;
};

// A file that came out, or should have.
struct JudgedFile {
  RelPath path;
  Likeness verdict = Likeness::identical;
  std::optional<TreeEntry> before;  // none when only the reproduction has it
  std::optional<TreeEntry> after;   // none when it did not come out
  std::optional<DifferentBytes> bytes;
};

// All files of a package, or of the artifacts.
struct JudgedTree {
  Likeness verdict = Likeness::identical;
  std::string why;  // of `cannot`
  std::vector<JudgedFile> files;
};

// The last value of a metric, or the score.
struct JudgedNumber {
  std::string name;
  Likeness verdict = Likeness::identical;
  Json before;  // null when there was none
  Json after;
  // |before - after| / max(|before|, |after|), of a metric the greatest of its last, least and greatest value; none when
  // there is no such number.
  std::optional<double> difference;
};

// What is missing, so that a version cannot be reproduced.
struct MissingPart {
  enum class What {
    run,      // that made it, or what is left of it
    parent,   // the version that it was trained from
    data,     // that it was trained or evaluated on
    secret,   // that the run was given
    machine,  // something that the run needs here: a GPU, an interpreter, isolation
    outcome,  // the reproduction began and failed
  };
  What what = What::run;
  std::string why;  // a sentence
};
std::string_view name_of(MissingPart::What what);

struct NamedRun {
  RunId id;
  RunName name;
};

// Schema: schemas/reproduction.schema.json.
struct Reproduction {
  std::string version;             // "digits@1.1"
  std::optional<NamedRun> before;  // the run that made it
  std::optional<NamedRun> after;   // the run that did the same again; none when it was not begun
  double tolerance = 0;
  std::vector<MissingPart> missing;        // empty when all could be judged
  std::vector<DifferentFact> environment;  // what ran the two and is not alike: a reason to drift, and no drift itself
  std::optional<JudgedTree> package;       // none when there is nothing to judge
  std::optional<JudgedTree> artifacts;
  std::vector<JudgedNumber> metrics;
  std::optional<JudgedNumber> score;  // of a full run

  [[nodiscard]] Likeness verdict() const;
};

// Pure. `bytes` of files that drift is left to whoever can read them.
JudgedTree judge_tree(const Tree& before, const Tree& after);

// Pure: metrics as the results of a run summarise them. A metric that was measured another number of times, or last at
// another step, drifts whatever the tolerance is.
std::vector<JudgedNumber> judge_metrics(const Json& before, const Json& after, double tolerance);

JudgedNumber judge_score(const std::optional<double>& before, const std::optional<double>& after, double tolerance);

Json to_json(const Reproduction& reproduction);

}  // namespace trainyard
