// SPDX-License-Identifier: Apache-2.0
// What the sizes of parts and how many go at once bring, to a real S3 server: the table behind S3Parts.
//
//   upload_parts ADDRESS FILE [ROUNDS]
//
// ADDRESS is s3://BUCKET?endpoint=URL of a bucket that is there; credentials come from where `trainyard` looks for them. The
// file goes up whole, and in parts of 5 to 64 MiB, one to eight at once; the order changes from round to round, and the
// median of each is told.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "storage/http/retrying_http.hpp"
#include "storage/remotes/aws_credentials.hpp"
#include "storage/remotes/s3_keys.hpp"
#include "storage/values/sha256.hpp"

namespace {

using namespace trainyard;

constexpr std::uint64_t kMebi = std::uint64_t{1} << 20U;

struct Row {
  const char* how;
  S3Parts parts;
  std::vector<double> seconds = {};
};

template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    std::cerr << "upload_parts: " << result.error().message << "\n";
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

Instant system_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

double upload(const RemoteAddress& address, const S3Parts& parts, const Path& file, std::uint64_t bytes,
              const Digest& digest) {
  const auto plain = curl_http();
  const auto http = retrying(*plain);
  S3Keys keys(address, must(s3_settings(address, must(read_aws_sources()))), *http, nullptr, system_now, parts);
  const auto begin = std::chrono::steady_clock::now();
  must(keys.put("upload", file, bytes, digest, [](std::uint64_t) {}));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  must(keys.remove("upload"));
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: upload_parts ADDRESS FILE [ROUNDS]\n";
    return 2;
  }
  const RemoteAddress address = must(RemoteAddress::parse(argv[1]));
  const Path file = argv[2];
  const std::size_t rounds = argc > 3 ? static_cast<std::size_t>(std::max(1, std::atoi(argv[3]))) : 5;
  const std::string content = must(read_file(file, std::size_t{4} << 30U));
  const Digest digest = sha256(content);
  std::vector<Row> rows = {{"whole", {content.size(), 16 * kMebi, 1}}};
  for (const std::uint64_t mebi : {5U, 8U, 16U, 32U, 64U})
    for (const int at_once : {1, 2, 4, 8}) rows.push_back({"parts", {0, mebi * kMebi, at_once}});
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Row& row = rows[round % 2 == 0 ? i : rows.size() - 1 - i];
      row.seconds.push_back(upload(address, row.parts, file, content.size(), digest));
    }
  }
  std::printf("%-6s %8s %8s %10s %10s\n", "how", "MiB", "at once", "seconds", "MiB/s");
  for (Row& row : rows) {
    std::sort(row.seconds.begin(), row.seconds.end());
    const double median = row.seconds[row.seconds.size() / 2];
    std::printf("%-6s %8llu %8d %10.3f %10.1f\n", row.how, static_cast<unsigned long long>(row.parts.bytes / kMebi),
                row.parts.at_once, median, static_cast<double>(content.size()) / static_cast<double>(kMebi) / median);
  }
  return 0;
}
