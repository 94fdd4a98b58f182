// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "runner/core/lineage.hpp"

namespace trainyard {

// More files than this are described by their tree alone.
inline constexpr std::uint64_t kCroissantFiles = 1000;

// Pure: the data that the version and those before it were trained on, as a Croissant dataset 1.0
// (http://mlcommons.org/croissant/1.0). Each file is a FileObject; where there are more than kCroissantFiles, or the tree
// is not at hand, the one FileObject is the tree's document, whose SHA-256 pins every file. What nobody told Trainyard (a
// licence, a creator) is called unknown. `trees` holds what is known of the datasets, by digest.
Json croissant(const Lineage& lineage, const std::map<Digest, Tree>& trees);

}  // namespace trainyard
