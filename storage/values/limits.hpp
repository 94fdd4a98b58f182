// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

// The bounds that hostile or mistaken input meets. One place, so that the documents can name them.
namespace trainyard::limits {

inline constexpr std::uint64_t kZipEntries = 200'000;
inline constexpr std::uint64_t kZipEntryBytes = std::uint64_t{64} << 30U;
inline constexpr std::uint64_t kZipTotalBytes = std::uint64_t{128} << 30U;
inline constexpr std::uint64_t kZipRatio = 1000;  // uncompressed to compressed, above kZipRatioFloor
inline constexpr std::uint64_t kZipRatioFloor = std::uint64_t{1}
                                                << 20U;  // small files may compress as well as they like
// An archive given as a dataset. Datasets may be as large as they like, so only what no data reaches is refused: text
// and labels compress to a hundredth at best, a bomb to a millionth.
inline constexpr std::uint64_t kArchiveEntries = 10'000'000;
inline constexpr std::uint64_t kArchiveNameBytes = std::uint64_t{1} << 30U;  // of all names; they are held in memory
inline constexpr std::uint64_t kArchiveTotalBytes = std::uint64_t{16} << 40U;
inline constexpr std::uint64_t kArchiveRatio = 1000;  // uncompressed to the archive's size, above kArchiveRatioFloor
inline constexpr std::uint64_t kArchiveRatioFloor = std::uint64_t{64} << 20U;   // what anybody can store anyway
inline constexpr std::uint64_t kZipDirectoryBytes = std::uint64_t{256} << 20U;  // 200 000 names of a thousand bytes
inline constexpr std::size_t kManifestBytes = std::size_t{1} << 20U;
inline constexpr std::size_t kRecordBytes = std::size_t{4} << 20U;  // a version record, a plan, a job, an exit
inline constexpr std::size_t kTreeBytes = std::size_t{2} << 30U;
inline constexpr std::size_t kJsonDepth = 64;
inline constexpr std::size_t kReasonCharacters = 1024;
inline constexpr std::size_t kMetricNameBytes = 64;
inline constexpr std::size_t kHyperparameters = 1000;
inline constexpr std::size_t kFolderDepth = 512;

}  // namespace trainyard::limits
