// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "runner/core/bucket_data.hpp"
#include "runner/core/published_version.hpp"
#include "storage/remotes/oci_headers.hpp"
#include "storage/remotes/oci_remote.hpp"
#include "storage/remotes/oci_tickets.hpp"
#include "storage/remotes/pending_publications.hpp"
#include "storage/remotes/remote_documents.hpp"
#include "storage/remotes/remote_list.hpp"
#include "storage/values/base64.hpp"
#include "storage/values/sha256.hpp"
#include "tests/fuzz/memory_folder.hpp"
#include "tests/fuzz/properties.hpp"
#include "tests/fuzz/scripted_server.hpp"

using namespace trainyard;

namespace {

constexpr Instant kNow{std::int64_t{1'800'000'000} * 1'000'000};
constexpr std::string_view kSecret = "S3CR3T";
constexpr std::string_view kRegistry = "r.example.com";

void require_steps(const std::vector<PublishedStep>& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    fuzz::require(!steps[i].layers.empty(), "a step has layers");
    fuzz::require(i == 0 || steps[i - 1].version < steps[i].version, "versions come in their order");
  }
}

void require_publication(const OciManifest& manifest) {
  const auto publication = publication_from(manifest);
  if (!publication.ok()) return fuzz::require_sentence(publication.error());
  require_steps(publication->steps);
  fuzz::require(publication->steps.back().version == publication->version, "a publication ends with its version");
  VersionDraft draft{publication->package, kNow, {}, {}, {sha256("")}, {sha256("")}, {}, {}, {}};
  const OciManifest written = manifest_of(*publication, {publication->version, std::move(draft)});
  const auto read = OciManifest::parse(written.text());
  fuzz::require(read.ok() && *read == written, "a manifest is read as it was written");
  const auto again = publication_from(*read);
  fuzz::require(again.ok() && *again == *publication, "a publication is read as it was written");
}

void read_manifest(std::string_view text) {
  const auto manifest = OciManifest::parse(text);
  if (!manifest.ok()) return fuzz::require_sentence(manifest.error());
  const std::string written = manifest->text();
  const auto again = OciManifest::parse(written);
  fuzz::require(again.ok() && *again == *manifest && again->text() == written, "a manifest is read as it was written");
  const auto blobs = manifest->blobs();
  fuzz::require(!blobs.empty() && blobs.front() == manifest->config, "the config comes first");
  fuzz::require(blobs.size() <= manifest->layers.size() + 1, "each blob comes once");
  for (const OciDescriptor& layer : manifest->layers) static_cast<void>(name_of(layer));
  require_publication(*manifest);
  if (const auto steps = data_steps(*manifest); steps.ok()) {
    require_steps(*steps);
  } else {
    fuzz::require_sentence(steps.error());
  }
  const OciManifest attached =
      attachment(media_type::kEvidence, OciManifest::descriptor(text, manifest->artifact_type), manifest->layers);
  fuzz::require(OciManifest::parse(attached.text()).value() == attached, "what is attached is read as it was written");
}

void read_document(std::string_view text) {
  const auto json = parse_json(text, "the document");
  if (!json.ok()) return fuzz::require_sentence(json.error());
  fuzz::require_rewrite(*json, oci_descriptor_from);
  fuzz::require_rewrite(*json, publication_claim_from);
  fuzz::require_rewrite(*json, remote_format_from);
  fuzz::require_rewrite(*json, remote_package_from);
  fuzz::require_rewrite(*json, [](const Json& document) { return publication_from(document); });
  fuzz::require_rewrite(*json, remote_label_from);
  fuzz::require_rewrite(*json, attachment_from);
  fuzz::require_rewrite(*json, collecting_from);
  fuzz::require_rewrite(*json, pending_publication_from);
  fuzz::require_rewrite(*json, known_remote_from);
  fuzz::require_rewrite(*json, bucket_state_from);
}

void read_tags(std::string_view text) {
  std::vector<OciTicket> tickets;
  for (const std::string_view tag : fuzz::parts_of(text, '\n')) {
    const auto ticket = OciTicket::parse(tag);
    if (!ticket) continue;
    fuzz::require(ticket->tag() == tag, "a ticket is told by its tag alone");
    fuzz::require(is_publication_name(ticket->publication), "a ticket is that of a publication");
    tickets.push_back(*ticket);
  }
  const std::uint32_t next = next_number(tickets);
  for (const OciTicket& ticket : tickets) fuzz::require(ticket.number < next, "whoever comes later is served later");
  if (const auto winner = winner_of(tickets, kNow))
    fuzz::require(!winner->is_stale(kNow) && winner->kind == OciTicket::Kind::ticket, "who is gone wins nothing");
  static_cast<void>(choosing_in(tickets, "a", kNow));
}

void require_no_secret(const Error& error) {
  fuzz::require_sentence(error);
  fuzz::require(error.message.find(kSecret) == std::string::npos, "a secret is in no refusal: " + error.message);
  fuzz::require(error.message.find(base64("ada:" + std::string(kSecret))) == std::string::npos, "nor as base64");
}

void require_descriptor(const OciDescriptor& descriptor) {
  const auto read = oci_descriptor_from(to_json(descriptor));
  fuzz::require(read.ok() && *read == descriptor, "what a registry has can be named in a manifest");
}

// A registry that says what it wants to somebody who has a login.
void ask_registry(std::string_view text) {
  if (text.empty()) return;
  // A registry that guesses the secret may be quoted with it.
  if (text.find(kSecret) != std::string_view::npos ||
      text.find(base64("ada:" + std::string(kSecret))) != std::string_view::npos)
    return;
  static const fuzz::MemoryFolder memory;
  static const Path logins = [] {
    const Path file = memory.path() / "auth.json";
    const std::string auth = base64("ada:" + std::string(kSecret));
    const std::string json = "{\"auths\":{\"" + std::string(kRegistry) + "\":{\"auth\":\"" + auth + "\"}}}";
    fuzz::require(replace_file(memory.path(), file, json, 0600, Durable::no).ok(), "there is a login");
    return file;
  }();
  const Environment environment = [](const char* name) -> std::optional<std::string> {
    return std::string_view(name) == "REGISTRY_AUTH_FILE" ? std::optional(logins.string()) : std::nullopt;
  };
  std::vector<HttpAnswer> answers;
  for (const std::string_view each : fuzz::parts_of(text.substr(1), '\0')) answers.push_back(fuzz::answer_in(each));
  fuzz::ScriptedServer server(std::move(answers), [](const HttpRequest& request) {
    fuzz::require(request.url.starts_with("https://") || origin_of(request.url).starts_with("https://"),
                  "nothing goes out without TLS: " + request.url);
    for (const HttpHeader& header : request.headers) {
      if (header.name != "Authorization" || !header.value.starts_with("Bearer ")) continue;
      fuzz::require(origin_of(request.url) == "https://" + std::string(kRegistry),
                    "a token goes to its registry alone");
    }
  });
  const RemoteAddress address{RemoteAddress::Kind::oci, std::string(kRegistry), "team"};
  OciRemote remote(address, server, environment, [] { return kNow; });
  const PackageName package = PackageName::parse("digits").value();
  const auto require_answer = [](const auto& result, auto look) {
    if (!result.ok()) return require_no_secret(result.error());
    look(*result);
  };
  const auto nothing = [](const auto&) {};
  const auto one = [](const std::optional<OciDescriptor>& found) {
    if (found) require_descriptor(*found);
  };
  switch (text.front()) {
    case 'p': require_answer(remote.packages(), nothing); break;
    case 'v': require_answer(remote.versions(package), nothing); break;
    case 'f': require_answer(remote.find(package, {1, 4}), one); break;
    case 'm': require_answer(remote.manifest(package, sha256("")), nothing); break;
    case 'c': require_answer(remote.claimed(package, {1, 4}), nothing); break;
    case 'l':
      require_answer(remote.labels(package), [](const auto& labels) {
        for (const auto& [label, descriptor] : labels) require_descriptor(descriptor);
      });
      break;
    default:
      require_answer(remote.attached(package, sha256("")), [](const std::vector<OciDescriptor>& attached) {
        for (const OciDescriptor& each : attached) require_descriptor(each);
        const auto before = [](const OciDescriptor& a, const OciDescriptor& b) { return a.digest < b.digest; };
        fuzz::require(std::is_sorted(attached.begin(), attached.end(), before), "they come in order");
      });
  }
}

}  // namespace

// What others published. The first byte tells what: a manifest, the tags of a repository, a whole conversation with a
// registry, or one of the small documents of a remote.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 'm': read_manifest(text); break;
    case 't': read_tags(text); break;
    case 'r': ask_registry(text); break;
    default: read_document(text);
  }
  return 0;
}
