// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/values/digest.hpp"
#include "storage/values/result.hpp"

// What an export for Argo Workflows has to be told beside the run: where the container finds things in its cluster.
namespace trainyard {

// Something in a persistent volume claim. `path` is relative, and empty for all of it.
struct ArgoClaim {
  std::string name;
  std::string path;
  friend bool operator==(const ArgoClaim&, const ArgoClaim&) = default;
};

// Where a container finds data:
//
//   artifact            an input artifact, which whoever submits a workflow names
//   artifact:KEY        one that has this key in the cluster's artifact repository
//   claim:NAME[/PATH]   a folder or an archive in a volume claim
//   s3://bucket/prefix  what Trainyard fetches from there itself
struct ArgoData {
  enum class Kind { artifact, claim, bucket };

  Kind kind = Kind::artifact;
  std::string key;      // of an artifact; empty: named by whoever submits
  ArgoClaim claim;      // of a claim
  std::string address;  // of a bucket

  static Result<ArgoData> parse(std::string_view option, std::string_view text);
  friend bool operator==(const ArgoData&, const ArgoData&) = default;
};

// The remote that the package comes from, and that its new version goes to.
struct ArgoRemote {
  enum class Kind { folder, bucket, registry };
  enum class Use { publish, read };

  std::string name;     // as RemoteName has it
  std::string address;  // as RemoteAddress writes it
  Kind kind = Kind::folder;
  Use use = Use::publish;
  std::string folder;              // of a folder: where it has to be mounted
  std::optional<ArgoClaim> claim;  // of a folder: what is mounted there
};

// What SAP AI Core wants of an executable.
struct SapAiCore {
  std::string scenario;  // its id
  std::string resource_plan;
};

struct ArgoWish {
  std::string image;
  std::string name;  // of the WorkflowTemplate: is_argo_name
  ArgoRemote remote;
  ArgoData data;
  ArgoData evaluation_data;              // where the run has evaluation data
  std::string secrets;                   // the Secret with the run's secrets; empty where the run has none
  std::string aws_secret;                // the Secret with AWS_ACCESS_KEY_ID and so on; or empty
  std::string registry_secret;           // the Secret of type kubernetes.io/dockerconfigjson; or empty
  std::string pull_secret;               // the Secret for the image; or empty
  std::optional<std::string> python;     // the interpreter in the image, where it is not the run's
  std::optional<Digest> data_tree;       // of what the run saw, where that is known
  std::optional<SapAiCore> sap_ai_core;  // none: for Argo Workflows itself
};

// "claim" or "claim/path".
Result<ArgoClaim> parse_argo_claim(std::string_view option, std::string_view text);

// Refuses what no cluster takes, and of SAP AI Core what it has no place for. The error names the option.
Result<void> check_argo_wish(const ArgoWish& wish);

}  // namespace trainyard
