// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "assessment.hpp"
#include "training.hpp"

namespace digits {

// Each function yields a whole SVG file that stands alone: no script, no link, a white ground. `title` is plain words,
// without the characters that XML reserves.

/// Loss and accuracy over the epochs, for training and validation images. `history` is not empty.
std::string learning_curve_svg(const std::vector<EpochMetrics>& history);

/// How often each true digit (rows) was taken for each digit (columns).
std::string confusion_matrix_svg(const Assessment& assessment, std::string_view title);

/// The images that were taken for another digit, with both digits; the first of them when there are very many.
std::string misclassified_svg(const Assessment& assessment, std::string_view title);

}  // namespace digits
