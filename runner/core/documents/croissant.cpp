// SPDX-License-Identifier: Apache-2.0
#include "runner/core/documents/croissant.hpp"

#include <algorithm>

#include "runner/core/documents/identifiers.hpp"

namespace trainyard {

namespace {

// From the appendix of the specification.
Json spec_words() {
  Json words = {{"@language", "en"},
                {"@vocab", "https://schema.org/"},
                {"cr", "http://mlcommons.org/croissant/"},
                {"dct", "http://purl.org/dc/terms/"},
                {"rai", "http://mlcommons.org/croissant/RAI/"},
                {"sc", "https://schema.org/"},
                {"conformsTo", "dct:conformsTo"}};
  words["data"] = {{"@id", "cr:data"}, {"@type", "@json"}};
  words["examples"] = {{"@id", "cr:examples"}, {"@type", "@json"}};
  words["dataType"] = {{"@id", "cr:dataType"}, {"@type", "@vocab"}};
  for (const char* const word : {"citeAs",        "column",    "equivalentProperty",
                                 "extract",       "field",     "fileObject",
                                 "fileProperty",  "fileSet",   "format",
                                 "includes",      "jsonPath",  "key",
                                 "isLiveDataset", "md5",       "path",
                                 "parentField",   "recordSet", "regex",
                                 "references",    "repeated",  "replace",
                                 "samplingRate",  "separator", "source",
                                 "subField",      "transform"}) {
    words[word] = std::string("cr:") + word;
  }
  return words;
}

std::string media_type(std::string_view name) {
  static const std::map<std::string_view, const char*> kTypes = {{"csv", "text/csv"},
                                                                 {"tsv", "text/tab-separated-values"},
                                                                 {"txt", "text/plain"},
                                                                 {"json", "application/json"},
                                                                 {"jsonl", "application/jsonlines"},
                                                                 {"parquet", "application/x-parquet"},
                                                                 {"png", "image/png"},
                                                                 {"jpg", "image/jpeg"},
                                                                 {"jpeg", "image/jpeg"},
                                                                 {"wav", "audio/x-wav"},
                                                                 {"zip", "application/zip"},
                                                                 {"tar", "application/x-tar"},
                                                                 {"gz", "application/gzip"},
                                                                 {"pdf", "application/pdf"},
                                                                 {"xml", "application/xml"}};
  const std::size_t dot = name.find_last_of('.');
  const auto found = dot == std::string_view::npos ? kTypes.end() : kTypes.find(name.substr(dot + 1));
  return found == kTypes.end() ? "application/octet-stream" : found->second;
}

// Where the bytes of a file can be had: in the folder that somebody gave, or in the store.
std::string content_url(const LineageDataset& dataset, const RelPath& path, const Digest& digest) {
  for (const auto& origin : dataset.origins) {
    if (origin.kind == DataSource::Kind::folder) return file_url(origin.source + "/" + path.bytes());
  }
  return object_urn(digest);
}

Json file_object(const std::string& id, const std::string& name, const std::string& url, const std::string& type,
                 const Digest& digest) {
  return {{"@type", "cr:FileObject"}, {"@id", id}, {"name", name}, {"contentUrl", url}, {"encodingFormat", type},
          {"sha256", digest.hex()}};
}

void add_files(const LineageDataset& dataset, const Tree* tree, Json& distribution) {
  const std::string folder = dataset.tree.digest.hex().substr(0, 12);
  if (tree == nullptr || dataset.tree.files > kCroissantFiles) {
    Json object =
        file_object(folder, "tree " + folder, object_urn(dataset.tree.digest), "application/json", dataset.tree.digest);
    object["description"] = "The list of " + std::to_string(dataset.tree.files) +
                            " files with the SHA-256 of each: schemas/tree.schema.json of Trainyard.";
    distribution.push_back(std::move(object));
    return;
  }
  for (const TreeEntry& entry : tree->entries()) {
    if (!entry.digest) continue;
    Json object =
        file_object(folder + "/" + entry.path.text(), entry.path.text(),
                    content_url(dataset, entry.path, *entry.digest), media_type(entry.path.name()), *entry.digest);
    object["contentSize"] = std::to_string(entry.size) + " B";
    distribution.push_back(std::move(object));
  }
}

// When the data was first used, as far as is known.
Instant first_use(const Lineage& lineage) {
  for (const LineageRun& run : lineage.runs()) {
    if (run.record) return run.record->started_at;
  }
  const LineageVersion& version = lineage.versions().front();
  return version.record ? version.record->content.created_at : Instant();
}

}  // namespace

Json croissant(const Lineage& lineage, const std::map<Digest, Tree>& trees) {
  const LineageVersion& version = lineage.versions().front();
  Json distribution = Json::array();
  std::string sources;
  std::string digests;
  for (const LineageDataset* const dataset : lineage.training_data()) {
    const auto tree = trees.find(dataset->tree.digest);
    add_files(*dataset, tree == trees.end() ? nullptr : &tree->second, distribution);
    for (const auto& origin : dataset->origins) sources += (sources.empty() ? "" : ", ") + origin.source;
    digests += (digests.empty() ? "" : "+") + dataset->tree.digest.hex();
  }
  return {{"@context", spec_words()},
          {"@type", "sc:Dataset"},
          {"conformsTo", "http://mlcommons.org/croissant/1.0"},
          {"name", "training-data-of-" + version.package.text() + "-" + version.version.text()},
          {"description", "What " + version.text() + " and the versions before it were trained on" +
                              (sources.empty() ? std::string(": nothing that is known") : ": " + sources)},
          {"license", "unknown"},
          {"creator", {{"@type", "sc:Organization"}, {"name", "unknown"}}},
          {"datePublished", first_use(lineage).text().substr(0, 10)},
          {"url", "urn:trainyard:data:" + (digests.empty() ? "none" : digests)},
          {"distribution", std::move(distribution)}};
}

}  // namespace trainyard
