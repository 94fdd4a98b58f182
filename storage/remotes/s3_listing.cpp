// SPDX-License-Identifier: Apache-2.0
#include "storage/remotes/s3_listing.hpp"

#include <algorithm>
#include <charconv>

#include "storage/values/number.hpp"
#include "storage/values/utf8.hpp"

namespace trainyard {

namespace {

Error not_s3(const std::string& action, const std::string& why) {
  return fail(Errc::unavailable,
              "cannot " + action + ": the server answers something else than S3 does (" + why + "); try again");
}

Result<std::string> url_decoded(const std::string& text, const std::string& action) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      result += ' ';
    } else if (text[i] != '%') {
      result += text[i];
    } else {
      unsigned byte = 0;
      const char* const end = text.data() + std::min(i + 3, text.size());
      const auto read = std::from_chars(text.data() + i + 1, end, byte, 16);
      if (read.ec != std::errc() || read.ptr != text.data() + i + 3) return not_s3(action, "a key");
      result += static_cast<char>(static_cast<unsigned char>(byte));
      i += 2;
    }
  }
  return result;
}

// Asks for page after page; `take` reads one and tells what the query of the next has more, or nothing after the last.
// A server that repeats itself is not asked forever.
using Take = std::function<Result<AwsQuery>(const XmlElement& page)>;
Result<void> each_page(const S3Bucket& bucket, const S3Call& first, std::string_view root, const std::string& action,
                       const Take& take) {
  AwsQuery before;
  S3Call call = first;
  for (;;) {
    const HttpAnswer answer = TRY(bucket.obeyed(call, action));
    const XmlElement page = TRY(s3_element(answer, root, action));
    const std::string truncated = page.text_of("IsTruncated");
    if (truncated != "true" && truncated != "false") return not_s3(action, "no IsTruncated");
    AwsQuery next = TRY(take(page));
    if (truncated == "false") return {};
    if (next == before) return not_s3(action, "the same page again");
    before = next;
    call.query = first.query;
    call.query.insert(call.query.end(), next.begin(), next.end());
  }
}

}  // namespace

Result<XmlElement> s3_element(const HttpAnswer& answer, std::string_view name, const std::string& action) {
  auto root = read_xml(answer.body);
  if (!root.ok()) return not_s3(action, root.error().message);
  if (root->name != name) return not_s3(action, "a '" + root->name.substr(0, 100) + "'");
  return std::move(*root);
}

Result<void> each_s3_key(const S3Bucket& bucket, const std::string& prefix,
                         const std::function<Result<void>(const KeyEntry&)>& each) {
  const std::string action = "list " + bucket.named(prefix);
  S3Call call;
  call.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", bucket.full_key(prefix)}};
  return each_page(bucket, call, "ListBucketResult", action, [&](const XmlElement& page) -> Result<AwsQuery> {
    for (const XmlElement& entry : page.children) {
      if (entry.name != "Contents") continue;
      const auto key = bucket.own_key(TRY(url_decoded(entry.text_of("Key"), action)));
      const auto bytes = number_in<std::uint64_t>(entry.text_of("Size"));
      const auto modified = s3_time(entry.text_of("LastModified"));
      if (!key || key->substr(0, prefix.size()) != prefix || !bytes || !modified.ok())
        return not_s3(action, "an entry");
      KeyEntry found{*key, *bytes, *modified};
      if (std::string tag = without_quotes(entry.text_of("ETag")); !tag.empty()) found.tag = std::move(tag);
      TRY(each(found));
    }
    return AwsQuery{{"continuation-token", page.text_of("NextContinuationToken")}};
  });
}

Result<void> each_s3_upload(const S3Bucket& bucket, const std::string& prefix,
                            const std::function<Result<void>(const S3Upload&)>& each) {
  const std::string action = "list the uploads to " + bucket.named(prefix);
  S3Call call;
  call.query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", bucket.full_key(prefix)}};
  return each_page(bucket, call, "ListMultipartUploadsResult", action, [&](const XmlElement& page) -> Result<AwsQuery> {
    for (const XmlElement& entry : page.children) {
      if (entry.name != "Upload") continue;
      const auto key = bucket.own_key(TRY(url_decoded(entry.text_of("Key"), action)));
      const std::string id = entry.text_of("UploadId");
      const auto begun = s3_time(entry.text_of("Initiated"));
      if (!key || key->substr(0, prefix.size()) != prefix || id.empty() || !begun.ok())
        return not_s3(action, "an upload");
      TRY(each({*key, id, *begun}));
    }
    AwsQuery next{{"upload-id-marker", page.text_of("NextUploadIdMarker")}};
    next.emplace_back("key-marker", TRY(url_decoded(page.text_of("NextKeyMarker"), action)));
    return next;
  });
}

Result<std::map<int, S3Part>> s3_parts(const S3Bucket& bucket, const S3Upload& upload) {
  const std::string action = "list what arrived of " + bucket.named(upload.key);
  S3Call call;
  call.key = upload.key;
  call.query = {{"uploadId", upload.id}};
  std::map<int, S3Part> parts;
  const auto listed =
      each_page(bucket, call, "ListPartsResult", action, [&](const XmlElement& page) -> Result<AwsQuery> {
        for (const XmlElement& entry : page.children) {
          if (entry.name != "Part") continue;
          const auto number = number_in<int>(entry.text_of("PartNumber"));
          const auto bytes = number_in<std::uint64_t>(entry.text_of("Size"));
          if (!number || !bytes) return not_s3(action, "a part");
          parts[*number] = {*bytes, without_quotes(entry.text_of("ETag"))};
        }
        return AwsQuery{{"part-number-marker", page.text_of("NextPartNumberMarker")}};
      });
  if (!listed.ok() && listed.error().code != Errc::not_found) return listed.error();
  return parts;
}

Result<Instant> s3_time(const std::string& text) {
  const Error wrong = fail(Errc::invalid, "'" + printable(text.substr(0, 40)) + "' is no time");
  if (text.size() < 20 || text.back() != 'Z') return wrong;
  std::string fraction = text.size() > 21 && text[19] == '.' ? text.substr(20, text.size() - 21) : "";
  if (fraction.empty() && text.size() != 20) return wrong;
  fraction.resize(6, '0');
  const auto time = Instant::parse(text.substr(0, 19) + "." + fraction + "Z");
  return time.ok() ? time : wrong;
}

std::string without_quotes(std::string etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') return etag.substr(1, etag.size() - 2);
  return etag;
}

}  // namespace trainyard
