// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runner/core/run_request.hpp"

// What a command line asks for, as values.
namespace trainyard {

enum class Output { text, json };

namespace command {

struct Init {};
struct Doctor {};
struct Diff {  // of two versions of packages
  std::string before;
  std::string after;
};
struct Reproduce {
  std::string reference;
  std::string tolerance;             // a number, or empty
  std::vector<std::string> secrets;  // NAME or NAME=FILE
};
struct PackageValidate {
  std::string package;  // a zip or a folder
  std::string name;     // of one without a manifest; empty: that of its root folder
};
struct PackagePack {
  std::string folder;
  std::string zip;  // empty: <name>.zip in the working directory
  std::string name;
};
struct PackageAdd {
  std::string package;
  std::string change_log;
  std::string name;
};
struct PackageList {};
struct PackageShow {
  std::string reference;
};
struct PackageLabel {
  std::string reference;
  std::string label;
  std::string why;
};
struct PackageUnlabel {
  std::string package;
  std::string label;
  std::string why;
};
struct PackageApprove {
  std::string reference;
  std::string why;
};
struct PackageReject {
  std::string reference;
  std::string why;
};
struct PackageDelete {
  std::string reference;
  std::string why;
};
struct PackageExport {
  std::string reference;
  std::string folder = ".";
};
struct PackageImport {
  std::string zip;
  std::string metadata;  // empty: beside the zip
};
struct DatasetAdd {
  std::string name;
  std::string source;  // a folder or an archive
};
struct DatasetList {};
struct DatasetShow {
  std::string reference;
};
struct RunOptions {
  std::string package;
  std::string dataset;                   // a folder, an archive, or a reference to a dataset of the store
  std::string name;                      // empty: made up
  std::vector<std::string> environment;  // K=V
  std::string grace;                     // a duration, or empty
  std::string max_runtime;
  std::string mount;
  std::string python;        // a path, or empty
  std::string dependencies;  // system, venv, or empty
  std::string experiment;
  std::vector<std::string> tags;     // NAME or NAME=VALUE
  std::vector<std::string> secrets;  // NAME or NAME=FILE
  std::string gpus;                  // a number, or empty
  std::string priority;
  std::string retries;
  std::string isolation;  // strict, best-effort, none, or empty
  bool network = false;
  std::vector<std::string> without;  // layers of isolation
  std::string memory;                // a size, or empty
  std::string cpus;
  std::string processes;
  std::string open_files;
  std::string disk;
  std::string log_size;
  std::string output_remote;  // the name of one, or empty
  std::string executor;       // local, slurm, or empty
  std::string plan;           // the name of a resource plan, or empty
  std::string nodes;
  std::string data_sharding;  // replicated, by-file, or empty
  std::string partition;
  std::vector<std::string> sbatch_arguments;
  bool detach = false;
  friend bool operator==(const RunOptions&, const RunOptions&) = default;
};
struct RunTraining : RunOptions {
  bool save_training_data = false;
  bool allow_repeat = false;
};
struct RunEvaluation : RunOptions {
  bool save_test_data = false;
};
struct RunFull : RunOptions {
  std::string evaluation_dataset;
  bool save_training_data = false;
  bool save_test_data = false;
  bool allow_repeat = false;
};
// Many runs over hyperparameters.
struct Sweep : RunOptions {
  std::string type = "training";  // or full
  std::string evaluation_dataset;
  bool save_training_data = false;
  bool save_test_data = false;
  bool allow_repeat = false;
  std::vector<std::string> parameters;  // NAME=VALUES
  std::string random;                   // a number, or empty: a grid
  std::string seed;
  std::string halving;  // NAME=LEAST:MOST, or empty
  std::string eta;
  std::string metric;
  std::string goal;
  std::string at_once;
  bool dry_run = false;
  // Of one that is there already.
  std::string resume;  // its name, or empty: a new one
  bool retry_failed = false;
  bool stop_on_failure = false;
  friend bool operator==(const Sweep&, const Sweep&) = default;
};
struct SweepsList {};
struct SweepsShow {
  std::string sweep;
  std::string metric;  // in place of its own, or empty
  std::string goal;
};
struct RunsList {
  std::string package;  // filters; empty for all
  std::string status;
  std::string type;
  std::string experiment;
  std::vector<std::string> tags;  // NAME or NAME=VALUE
  std::string sort = "started";
  bool reverse = false;
  std::string limit;  // a number, or empty
};
struct RunsStop {
  std::string run;
  bool now = false;
  bool no_wait = false;
};
struct RunsSend {
  std::string run;
  std::string to;
};
struct RunsDelete {
  std::vector<std::string> runs;
};
struct RunsRerun {
  std::string run;
  std::string package;  // another version, or empty
  std::string dataset;
  std::string name;
  std::vector<std::string> environment;
  std::vector<std::string> secrets;
  bool detach = false;
};
struct RunsCompare {
  std::vector<std::string> runs;  // or
  std::string experiment;
};
struct RunsMetrics {
  std::string run;
  std::string metric;
  std::string rank;  // a number; empty for 0
  bool csv = false;
};
struct RunsShow {
  std::string run;
};
struct RunsLogs {
  std::string run;
  std::string stream = "all";  // or stdout or stderr
  std::string attempt;         // a number; empty for the last
  std::string rank;            // a number; empty for 0
  bool timestamps = false;
  bool follow = false;
};
struct RunsArtifacts {
  std::string run;
  std::string tar;  // a file, "-" for standard output, or empty: list them
  std::string compression;
};
struct SnapshotCreate {
  std::string folder;
};
struct SnapshotList {};
struct SnapshotCheckout {
  std::string id;
  std::string folder;
};
struct SnapshotVerify {
  std::string id;
  std::string sample;  // "5%", or empty
  std::string seed;    // a number, or empty
};
struct SnapshotRemove {
  std::string id;
  bool despite_versions = false;
  bool no_wait = false;
};
// What these name is a snapshot, or a version of a package or dataset.
struct SnapshotDiff {
  std::string before;
  std::string after;
};
struct SnapshotCat {
  std::string id;
  std::string path;  // the text of a RelPath
};
struct SnapshotExport {
  std::string id;
  std::string file;         // "-" for standard output
  std::string compression;  // none, zstd, or empty: as the file's name ends
};
// What these name is a file with results, a version, a run, or nothing for the whole store.
struct Audit {
  std::string subject;
  std::string head;  // a file with a head of the journal, or empty
};
struct JournalList {
  std::string subject;  // only lines about this; empty for all
  std::string limit;    // a number, or empty
};
struct JournalVerify {
  std::string head;
};
struct JournalHead {
  std::string file;  // "-" or empty for standard output
};
struct Uses {
  std::string what;  // a file, a folder, or digits of a SHA-256
};
// What proofs are about.
struct ProofData {
  std::string name;     // what find_named_tree takes, or run:RUN; or empty
  std::string trained;  // a version, or empty
};
struct ProofRoot {
  ProofData data;
};
struct ProofMake {
  ProofData data;
  std::string path;  // the text of a RelPath; of these three one is given
  std::string sha256;
  std::string file;
  std::string output;  // a file, or empty
};
struct ProofVerify {
  std::string file;
  std::string root;  // 64 digits, or empty
};
struct PlansList {};
struct PlansSet {
  std::string name;
  std::string executor;
  std::string cpus;
  std::string memory;
  std::string gpus;
  std::string nodes;
  std::string partition;
  std::string time;
  std::vector<std::string> sbatch_arguments;
};
struct PlansRemove {
  std::string name;
};
struct StoreConfigure {
  std::string key;  // empty: show all
  std::string value;
  bool unset = false;
};
struct StoreDu {
  std::string by = "kind";
};
struct StoreVerify {
  std::string sample;
  std::string seed;
};
struct StoreFsck {
  bool deep = false;
  bool repair = false;
};
struct StoreGc {
  std::string plan;   // a file to write
  std::string apply;  // a file to read
  bool apply_now = false;
  bool no_wait = false;
  bool despite_damage = false;
};
struct StorePurge {
  std::string sha256;
  std::string reason;
  bool yes = false;
  bool no_wait = false;
};

// Where the password of a private key comes from; neither where it has none.
struct PasswordWords {
  std::string file;
  bool ask = false;
};
struct KeysGenerate {
  std::string name;
  std::string type = "ecdsa-p256";
  PasswordWords password;
};
struct KeysList {};
struct KeysExport {
  std::string name;
  std::string file;  // empty: standard output
};
struct KeysImport {
  std::string file;
  std::string name;  // empty: that of the file
};
struct Sign {
  std::string reference;
  std::string key;  // empty: the store's
  PasswordWords password;
};
struct ShowAttestations {
  std::string reference;
  std::string format;  // intoto, model-signing, or empty: say what they are
  std::string key;
  std::string file;
};
struct Trace {
  std::string reference;
  std::string format = "text";
  std::string file;  // "-" or empty for standard output
};

struct RemoteAdd {
  std::string name;
  std::string address;
  bool require_approval = false;
  bool read_only = false;
};
struct RemoteRemove {
  std::string name;
};
struct RemoteShow {
  std::string name;
  std::string reference;  // empty: all packages
};
struct RemoteVerify {
  std::string name;
  std::string reference;  // empty: everything
};
struct RemoteCollect {
  std::string name;
  std::string older_than;
  bool apply = false;
};
struct RemoteLists {};
struct Publish {
  std::string reference;  // empty with `resume` alone
  std::vector<std::string> to;
  std::string label;
  std::string rate;  // "10M" a second; empty: as fast as it goes
  bool data = false;
  bool capsule = false;
  bool resume = false;
};
struct Pull {
  std::string reference;
  std::string from;
  std::string rate;
  bool data = false;
  bool trust_keys = false;
  bool newest_minor = false;
};
struct Promote {
  std::string reference;
  std::string from;
  std::string to;
  std::string label;
};

struct Capsule {
  std::string reference;
  std::string file;
  bool data = false;
};

struct ExportArgo {
  std::string definition;  // a run, or NAME@VERSION
  std::string image;
  std::string name;  // empty: that of the run
  std::string remote;
  std::string remote_claim;
  std::string data;
  std::string evaluation_data;
  std::string secrets;  // the names of Secrets, or empty
  std::string aws_secret;
  std::string registry_secret;
  std::string pull_secret;
  std::string python;
  std::string target;  // sap-ai-core, or empty
  std::string scenario;
  std::string resource_plan;
  std::string file;  // "-" or empty for standard output
};

struct OutboxList {};
struct OutboxDeliver {};

}  // namespace command

using Command = std::variant<
    command::Init, command::Doctor, command::PackageValidate, command::PackagePack, command::PackageAdd,
    command::PackageList, command::PackageShow, command::PackageLabel, command::PackageUnlabel, command::PackageApprove,
    command::PackageReject, command::PackageDelete, command::PackageExport, command::PackageImport, command::DatasetAdd,
    command::DatasetList, command::DatasetShow, command::RunTraining, command::RunEvaluation, command::RunFull,
    command::RunsList, command::RunsShow, command::RunsStop, command::RunsSend, command::RunsDelete, command::RunsRerun,
    command::RunsCompare, command::RunsMetrics, command::RunsLogs, command::RunsArtifacts, command::SnapshotCreate,
    command::SnapshotList, command::SnapshotCheckout, command::SnapshotVerify, command::Audit, command::JournalList,
    command::JournalVerify, command::JournalHead, command::SnapshotDiff, command::SnapshotCat, command::SnapshotExport,
    command::SnapshotRemove, command::StoreDu, command::StoreVerify, command::StoreFsck, command::StoreGc,
    command::StorePurge, command::StoreConfigure, command::KeysGenerate, command::KeysList, command::KeysExport,
    command::KeysImport, command::Sign, command::ShowAttestations, command::ProofRoot, command::ProofMake,
    command::ProofVerify, command::Uses, command::Trace, command::OutboxList, command::OutboxDeliver, command::Diff,
    command::Reproduce, command::Capsule, command::RemoteAdd, command::RemoteRemove, command::RemoteLists,
    command::RemoteShow, command::RemoteVerify, command::RemoteCollect, command::Publish, command::Pull,
    command::Promote, command::Sweep, command::SweepsList, command::SweepsShow, command::PlansList, command::PlansSet,
    command::PlansRemove, command::ExportArgo>;

struct Invocation {
  Command command;
  std::string store;  // a path
  Output output = Output::text;
};

}  // namespace trainyard
