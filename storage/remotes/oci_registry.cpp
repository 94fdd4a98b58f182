// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/oci_registry.hpp"

#include <set>
#include <thread>
#include <utility>

#include "storage/values/json.hpp"
#include "storage/values/number.hpp"
#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

constexpr std::string_view kPage = "?n=1000";
// A registry that never comes to an end is not followed for ever.
constexpr int kMostPages = 10'000;
constexpr std::chrono::seconds kMostForManifest{60};

// What registries say besides 404 to a path that is newer than they are; some show a page for people.
bool is_of_no_such_path(long status) { return status == 400 || status == 405 || status == 406 || status == 501; }

std::string manifest_path(const std::string& repository, const std::string& reference) {
  return repository + "/manifests/" + reference;
}

HttpHeader accepted() {
  return {"Accept", std::string(kOciManifestType) + ", " + std::string(kOciIndexType) +
                        ", application/vnd.docker.distribution.manifest.v2+json"};
}

// More are wanted only while others put the same small blob, which takes no time.
constexpr int kMostManifestWrites = 5;

bool names_unknown_blob(const HttpAnswer& answer) {
  return (answer.status == 400 || answer.status == 404) &&
         answer.body.find("MANIFEST_BLOB_UNKNOWN") != std::string::npos;
}

// The digest in a text like "sha256:<hex>".
std::optional<Digest> digest_in(std::string_view text) {
  if (text.substr(0, 7) != "sha256:") return std::nullopt;
  const auto digest = Digest::parse(text.substr(7));
  return digest.ok() ? std::optional(*digest) : std::nullopt;
}

}  // namespace

std::string oci_digest(const Digest& digest) { return "sha256:" + digest.hex(); }

OciRegistry::OciRegistry(const RemoteAddress& address, HttpClient& http, Environment environment, RateLimit* limit)
    : session_(address, http, std::move(environment)), limit_(limit) {}

Result<void> OciRegistry::check() {
  const HttpAnswer answer = TRY(session_.send("", {"GET", session_.url("")}));
  if (answer.status == 404)
    return fail(Errc::incompatible, "'" + text() + "' is no registry: there is no /v2/ (OCI distribution-spec 1.1)");
  if (answer.status != 200) return session_.refusal("use the registry", answer);
  return {};
}

Result<std::optional<std::vector<Json>>> OciRegistry::pages(const std::string& about, const std::string& path,
                                                            const char* list, Known known) {
  std::vector<Json> all;
  std::string url = session_.url(path);
  std::set<std::string> seen;
  for (int page = 0; page < kMostPages && seen.insert(url).second; ++page) {
    const HttpAnswer answer =
        TRY(session_.send(about, {"GET", url, {{"Accept", "application/json, " + std::string(kOciIndexType)}}}));
    if (answer.status == 404 && page == 0) return std::optional<std::vector<Json>>();
    const auto json = parse_json(answer.body, "a list");
    const bool listed = json.ok() && json->is_object() && json->contains(list);
    const bool foreign = is_of_no_such_path(answer.status) || (answer.status == 200 && !listed);
    if (known == Known::by_some && foreign && page == 0) return std::optional<std::vector<Json>>();
    if (answer.status != 200) return session_.refusal("list " + path, answer);
    if (!listed) return fail(Errc::incompatible, "'" + text() + "' lists " + path + " in a form that nobody knows");
    for (const Json& each : (*json)[list]) all.push_back(each);  // of null: nothing
    const auto link = answer.header("link");
    const auto next = link ? next_page_in(*link) : std::nullopt;
    if (!next) return std::optional(std::move(all));
    url = resolved_url(url, *next);
  }
  return fail(Errc::incompatible, "'" + text() + "' lists " + path + " without an end");
}

Result<std::vector<std::string>> OciRegistry::repositories() {
  const auto listed = pages("", "_catalog" + std::string(kPage), "repositories", Known::by_all);
  const bool refused =
      listed.ok() ? !*listed : listed.error().code != Errc::unavailable && listed.error().code != Errc::cancelled;
  if (refused)
    return fail(Errc::incompatible, "'" + text() + "' does not tell which packages it has; name the package");
  if (!listed.ok()) return listed.error();
  std::vector<std::string> names;
  for (const Json& each : **listed)
    if (each.is_string()) names.push_back(each.get<std::string>());
  return names;
}

Result<std::vector<std::string>> OciRegistry::tags(const std::string& repository) {
  const auto listed = TRY(pages(repository, repository + "/tags/list" + std::string(kPage), "tags", Known::by_all));
  std::vector<std::string> tags;
  if (!listed) return tags;
  for (const Json& each : *listed)
    if (each.is_string()) tags.push_back(each.get<std::string>());
  return tags;
}

Result<std::optional<OciDescriptor>> OciRegistry::look(const std::string& repository, const std::string& reference) {
  const HttpAnswer answer =
      TRY(session_.send(repository, {"HEAD", session_.url(manifest_path(repository, reference)), {accepted()}}));
  if (answer.status == 404) return std::optional<OciDescriptor>();
  if (answer.status != 200) return session_.refusal("look at '" + repository + ":" + reference + "'", answer);
  const auto digest = digest_in(answer.header("docker-content-digest").value_or(""));
  const auto bytes = number_in<std::int64_t>(answer.header("content-length").value_or(""));
  std::string type = answer.header("content-type").value_or("");
  if (type.empty()) type = kOciManifestType;
  if (digest && bytes && *bytes >= 0)
    return std::optional(OciDescriptor{std::move(type), *digest, static_cast<std::uint64_t>(*bytes)});
  // Not every registry tells; then its bytes do.
  const auto text = TRY(read(repository, reference));
  if (!text) return std::optional<OciDescriptor>();
  return std::optional(OciDescriptor{std::move(type), sha256(*text), text->size()});
}

Result<std::optional<std::string>> OciRegistry::read(const std::string& repository, const std::string& reference) {
  HttpAnswer answer =
      TRY(session_.send(repository, {"GET", session_.url(manifest_path(repository, reference)), {accepted()}}));
  const std::string name = "'" + repository + (reference.find(':') == std::string::npos ? ":" : "@") + reference + "'";
  if (answer.status == 404) return std::optional<std::string>();
  if (answer.status != 200) return session_.refusal("read " + name, answer);
  if (answer.body.size() > kMostOciManifest)
    return fail(Errc::incompatible, "'" + text() + "': the manifest " + name + " is longer than 4 MiB");
  const auto wanted = digest_in(reference);
  const auto told = digest_in(answer.header("docker-content-digest").value_or(""));
  const Digest got = sha256(answer.body);
  if ((wanted && *wanted != got) || (told && *told != got))
    return fail(Errc::corrupt, "'" + text() + "': the manifest " + name + " is not the text of its digest");
  return std::optional(std::move(answer.body));
}

Result<void> OciRegistry::write(const std::string& repository, const std::string& reference,
                                std::string_view media_type, std::string_view text, std::optional<Deadline> latest) {
  const std::string action = "write the manifest '" + repository + ":" + reference + "'";
  HttpBody body = HttpBody::of(text);
  if (latest) {
    // Asked for anew by each attempt, of which a patient client makes several.
    body.read = [&, read = body.read](std::uint64_t offset, std::span<char> into) -> Result<std::size_t> {
      if (std::chrono::steady_clock::now() > *latest) return fail(Errc::timed_out, "too late");
      return read(offset, into);
    };
  }
  HttpRequest request{"PUT",
                      session_.url(manifest_path(repository, reference)),
                      {{"Content-Type", std::string(media_type)}},
                      std::move(body)};
  request.patience.in_all = kMostForManifest;
  auto answer = session_.send(repository, request);
  // Distribution rewrites the link to a blob in place whenever somebody puts the same blob; a manifest that arrives at that
  // moment is told that the blob is unknown.
  for (int again = 0; again < kMostManifestWrites && answer.ok() && names_unknown_blob(*answer); ++again) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20) * (1 << again));
    answer = session_.send(repository, request);
  }
  if (!answer.ok() && answer.error().code == Errc::timed_out)
    return fail(Errc::unavailable, "'" + session_.text() + "': it took too long to " + action + "; try again");
  if (!answer.ok()) return answer.error();
  if (answer->status != 201 && answer->status != 200 && answer->status != 202) return session_.refusal(action, *answer);
  const auto told = digest_in(answer->header("docker-content-digest").value_or(""));
  if (told && *told != sha256(text))
    return fail(Errc::corrupt, "'" + session_.text() + "': the registry took other bytes than those it was sent to " +
                                   action + "; try again");
  return {};
}

Result<void> OciRegistry::remove(const std::string& repository, const Digest& manifest) {
  const HttpAnswer answer =
      TRY(session_.send(repository, {"DELETE", session_.url(manifest_path(repository, oci_digest(manifest)))}));
  if (answer.status == 202 || answer.status == 200 || answer.status == 204 || answer.status == 404) return {};
  if (answer.status == 405)
    return fail(Errc::incompatible, "'" + text() +
                                        "' removes nothing, so publishers cannot agree who of them is first; allow it "
                                        "(of distribution: 'storage.delete.enabled: true')");
  return session_.refusal("remove the manifest " + oci_digest(manifest) + " of '" + repository + "'", answer);
}

Result<std::optional<std::vector<OciDescriptor>>> OciRegistry::referrers(const std::string& repository,
                                                                         const Digest& subject) {
  const auto listed =
      TRY(pages(repository, repository + "/referrers/" + oci_digest(subject), "manifests", Known::by_some));
  if (!listed) return std::optional<std::vector<OciDescriptor>>();
  std::vector<OciDescriptor> descriptors;
  for (const Json& each : *listed)
    if (auto descriptor = oci_descriptor_from(each); descriptor.ok()) descriptors.push_back(std::move(*descriptor));
  return std::optional(std::move(descriptors));
}

}  // namespace trainyard
