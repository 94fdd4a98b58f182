// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "storage/remotes/remote.hpp"
#include "storage/values/json.hpp"

// The small documents of a remote that keeps keys. Each is one line of canonical JSON.
namespace trainyard {

// That a place is a remote, and how it is laid out.
struct RemoteFormat {};

// A package that a remote has, with its name as its first publisher wrote it.
struct RemotePackage {
  PackageName name;
};

// What makes a version visible. Never changed.
struct Publication {
  OciDescriptor manifest;
  std::string publication;  // that made it visible
  std::string publisher;    // as its claim has it
  Instant published_at;
};

struct RemoteLabel {
  VersionLabel label;
  OciDescriptor manifest;
};

// A manifest that is attached to another.
struct Attachment {
  OciDescriptor manifest;  // with its artifact type and annotations
};

// Somebody removes garbage from a package.
struct Collecting {
  std::string collection;  // this attempt, and no other
  Instant since;           // or when its collector last said so
};

Json to_json(const RemoteFormat& format);
Json to_json(const RemotePackage& package);
Json to_json(const Publication& publication);
Json to_json(const RemoteLabel& label);
Json to_json(const Attachment& attachment);
Json to_json(const Collecting& collecting);

Result<RemoteFormat> remote_format_from(const Json& json);
Result<RemotePackage> remote_package_from(const Json& json);
Result<Publication> publication_from(const Json& json);
Result<RemoteLabel> remote_label_from(const Json& json);
Result<Attachment> attachment_from(const Json& json);
Result<Collecting> collecting_from(const Json& json);

template <class Document>
std::string remote_document(const Document& document) {
  return canonical(to_json(document)) + "\n";
}

}  // namespace trainyard
