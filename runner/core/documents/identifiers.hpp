// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "runner/core/run_record.hpp"

// The names by which documents for other tools call our things. All pure.
namespace trainyard {

// "file:///data/a%20b" (RFC 8089), of an absolute path.
std::string file_url(std::string_view path);

// "urn:trainyard:object:<sha256>", of bytes that the store may have.
std::string object_urn(const Digest& digest);

// "urn:uuid:…" of version 8, made of the digest as RFC 9562 shows it in its appendix B.2.
std::string uuid_urn(const Digest& digest);

// "pkg:generic/digits@1.1", a package URL.
std::string package_url(const PackageName& package, const PackageVersion& version);

// "urn:trainyard:runner:0.1.0", of what a run names as its runner: "trainyard 0.1.0".
std::string runner_uri(const std::string& runner);
// "0.1.0"
std::string runner_version(const std::string& runner);

// As few digits as read back as the same number.
std::string exact_text(double value);
// What a metric's value is in results, a number or the text of one that JSON has no number for, as a text.
std::string exact_text(const Json& metric_value);

// What a dataset was called when it was given: "weather@2", or the last name in its path.
std::string name_of(const RecordedInput& input);

}  // namespace trainyard
