// SPDX-License-Identifier: Apache-2.0
#include "storage/packages/attestations.hpp"

#include "storage/values/sha256.hpp"

namespace trainyard {

namespace {

// The signature of a model names each of its files; a package of 200,000 is the largest.
constexpr std::size_t kMostAttestationBytes = std::size_t{1} << 30U;

}  // namespace

Result<Envelopes> read_attestations(const Path& file) {
  const auto text = read_file(file, kMostAttestationBytes);
  if (!text.ok() && text.error().code == Errc::not_found) return Envelopes();
  if (!text.ok()) return text.error();
  auto envelopes = dsse_envelopes_from_lines(*text);
  if (envelopes.ok()) return envelopes;
  return fail(Errc::corrupt, "the attestations '" + file.string() + "' cannot be read: " + envelopes.error().message);
}

Result<void> write_attestations(const Path& scratch, const Path& file, const Envelopes& envelopes) {
  return replace_file(scratch, file, dsse_lines(envelopes), 0444, Durable::yes);
}

Path Attestations::file_of(const PackageName& name, const PackageVersion& version) const {
  return folder_of(name) / (version.text() + std::string(kAttestationsSuffix));
}

Result<Envelopes> Attestations::of(const PackageName& name, const PackageVersion& version) const {
  return read_attestations(file_of(name, version));
}

Result<RelPath> Attestations::record_path(const PackageName& name, const PackageVersion& version) const {
  return RelPath::parse(packages_.filename().string() + "/" + name.folded() + "/" +
                        file_of(name, version).filename().string());
}

Result<void> Attestations::change(const PackageName& name, const PackageVersion& version, Instant now,
                                  const std::function<Result<Envelopes>(const Envelopes&)>& next) const {
  StoreJournal::Session session = TRY(journal_.begin());
  const Envelopes before = TRY(of(name, version));
  const Envelopes after = TRY(next(before));
  if (after == before) return {};
  const std::string lines = dsse_lines(after);
  const RelPath path = TRY(record_path(name, version));
  return journal_.replace(
      session, {StoreEvent::Action::version_attested, now, name.text() + "@" + version.text(), path, sha256(lines)},
      lines);
}

}  // namespace trainyard
