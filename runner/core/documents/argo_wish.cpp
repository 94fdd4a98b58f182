// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/argo_wish.hpp"

#include <algorithm>

#include "runner/core/documents/argo_text.hpp"
#include "storage/values/rel_path.hpp"

namespace trainyard {

namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Nothing that Argo, Kubernetes or a shell would read anything into.
bool is_plain(std::string_view text, std::string_view marks) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter_or_digit(c) || marks.find(c) != std::string_view::npos;
  });
}

// The names of claims and Secrets: parts as DNS has them, with dots between.
bool is_object_name(std::string_view text) {
  const auto ends_well = [](char c) { return is_letter_or_digit(c); };
  return text.size() <= 253 && is_plain(text, ".-") && ends_well(text.front()) && ends_well(text.back()) &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_label(std::string_view text) {
  return text.size() <= 63 && is_plain(text, "._-") && is_letter_or_digit(text.front()) &&
         is_letter_or_digit(text.back());
}

Error mistake(std::string_view option, std::string_view text, const std::string& rule) {
  return fail(Errc::invalid,
              std::string(option) + " is '" + std::string(text.substr(0, 200)) + "' but must be " + rule);
}

Result<void> check_secret_object(const char* option, const std::string& name) {
  if (name.empty() || is_object_name(name)) return {};
  return mistake(option, name, "the name of a Secret: lower-case letters, digits, '-' and '.'");
}

Result<void> check_for_sap(const ArgoWish& wish) {
  const SapAiCore& sap = *wish.sap_ai_core;
  if (!is_label(sap.scenario))
    return mistake("--scenario", sap.scenario, "an id of at most 63 letters, digits, '-', '_' and '.'");
  if (sap.resource_plan.empty()) {
    return fail(Errc::invalid,
                "SAP AI Core runs nothing without a resource plan; give one with --resource-plan, such as starter or "
                "train.l");
  }
  if (!is_label(sap.resource_plan))
    return mistake("--resource-plan", sap.resource_plan, "the id of a plan, such as starter or train.l");
  const auto refuse = [](const std::string& what, const char* instead) {
    return fail(Errc::invalid, what + " needs a volume claim, and in SAP AI Core nobody can make one; " + instead);
  };
  if (wish.data.kind == ArgoData::Kind::claim) return refuse("--data", "use artifact or an s3:// address");
  if (wish.evaluation_data.kind == ArgoData::Kind::claim)
    return refuse("--evaluation-data", "use artifact or an s3:// address");
  if (wish.remote.kind == ArgoRemote::Kind::folder)
    return refuse("the remote '" + wish.remote.name + "'", "use a bucket or a registry");
  if (!wish.data.key.empty() || !wish.evaluation_data.key.empty()) {
    return fail(Errc::invalid,
                "in SAP AI Core a configuration says which artifact an execution gets; give 'artifact' without a key");
  }
  return {};
}

}  // namespace

Result<ArgoClaim> parse_argo_claim(std::string_view option, std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  ArgoClaim claim{std::string(text.substr(0, slash)), std::string(text.substr(std::min(slash + 1, text.size())))};
  const bool path_is_good =
      slash == text.size() || (is_plain(claim.path, "/._-+=@") && RelPath::parse(claim.path).ok());
  if (is_object_name(claim.name) && path_is_good) return claim;
  return mistake(option, text,
                 "a claim's name, or the name and '/' and a path in it of letters, digits and the marks /._-+=@");
}

Result<ArgoData> ArgoData::parse(std::string_view option, std::string_view text) {
  constexpr std::string_view kArtifact = "artifact";
  constexpr std::string_view kClaim = "claim:";
  ArgoData data;
  if (text == kArtifact) return data;
  if (text.starts_with("artifact:")) {
    data.key = std::string(text.substr(kArtifact.size() + 1));
    if (is_plain(data.key, "/._-+=@!*'(),: ") && data.key.size() <= 1024) return data;
    return mistake(option, text, "artifact:KEY, with a key of letters, digits and the marks /._-+=@");
  }
  if (text.starts_with(kClaim)) {
    data.kind = Kind::claim;
    data.claim = TRY(parse_argo_claim(option, text.substr(kClaim.size())));
    return data;
  }
  if (text.starts_with("s3://")) {
    data.kind = Kind::bucket;
    data.address = std::string(text);
    return data;
  }
  return mistake(option, text, "artifact, artifact:KEY, claim:NAME[/PATH] or s3://bucket/prefix");
}

Result<void> check_argo_wish(const ArgoWish& wish) {
  if (!is_plain(wish.image, "/._-:@") || !is_letter_or_digit(wish.image.front()))
    return mistake("--image", wish.image, "the name of an image, such as registry.example.com/trainyard:0.1");
  if (!is_argo_name(wish.name)) {
    return mistake("--name", wish.name,
                   "at most " + std::to_string(kLongestArgoName) +
                       " lower-case letters, digits and '-', with no '-' at either end");
  }
  TRY(check_secret_object("--secrets", wish.secrets));
  TRY(check_secret_object("--aws-secret", wish.aws_secret));
  TRY(check_secret_object("--registry-secret", wish.registry_secret));
  TRY(check_secret_object("--pull-secret", wish.pull_secret));
  if (wish.sap_ai_core) TRY(check_for_sap(wish));
  if (wish.remote.kind != ArgoRemote::Kind::folder) {
    if (!wish.remote.claim) return {};
    return fail(Errc::invalid, "--remote-claim is for a folder, and the remote '" + wish.remote.name + "' is none");
  }
  if (!wish.remote.claim) {
    return fail(Errc::invalid, "the remote '" + wish.remote.name +
                                   "' is a folder, which a container sees only in a volume claim; give its name with "
                                   "--remote-claim");
  }
  if (!is_plain(wish.remote.folder, "/._-+=@ ")) {
    return fail(Errc::invalid, "the folder '" + wish.remote.folder + "' of the remote '" + wish.remote.name +
                                   "' cannot be mounted in a container under that name");
  }
  return {};
}

}  // namespace trainyard
