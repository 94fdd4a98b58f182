// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "training.hpp"

namespace digits {

/// `<folder>/model.txt`, the model as text:
///
///     digits-model 1
///     hidden_units <integer>
///     epochs <integer>
///     parameters <integer, how many follow>
///     <one number on each line, in hexadecimal, hence exact>
///     end
///
/// Returns nothing when there is no such file: the package has not been trained. Throws std::runtime_error, naming the
/// file, when it is of another format or version, incomplete or damaged.
std::optional<Model> load_model(const std::filesystem::path& folder);

/// The file is either replaced whole or left as it was. Throws std::runtime_error with the path.
void save_model(const std::filesystem::path& folder, const Model& model);

}  // namespace digits
