// SPDX-License-Identifier: Apache-2.0
#include "storage/datasets/subtree.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/values/names.hpp"

namespace trainyard {

namespace {

// Where `inner` lies below `folder`: "" for the folder itself; none when it lies elsewhere.
std::optional<std::string_view> below(std::string_view folder, std::string_view inner) {
  if (folder.empty()) return inner;
  if (!inner.starts_with(folder)) return std::nullopt;
  if (inner.size() == folder.size()) return std::string_view();
  if (inner[folder.size()] != '/') return std::nullopt;
  return inner.substr(folder.size() + 1);
}

// Folders by the text that a person would type.
std::set<std::string> folders_in(const Tree& tree, std::string_view above) {
  std::set<std::string> names;
  std::string_view last;  // entries of one folder stand together
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Tree::View entry = tree.view(i);
    const auto inner = below(above, entry.folder);
    if (!inner) continue;
    if (inner->empty()) {
      if (entry.kind == TreeEntry::Kind::empty_folder) names.emplace(entry.name);
    } else if (const std::string_view name = inner->substr(0, inner->find('/')); name != last) {
      names.emplace(name);
      last = name;
    }
  }
  return names;
}

Error no_such_folder(const Tree& tree, const RelPath& folder) {
  // As far as the path can be followed; the first name that is not there is the one that was mistyped.
  std::string there;
  std::string_view rest = folder.bytes();
  for (;;) {
    const std::string name(rest.substr(0, rest.find('/')));
    const auto known = folders_in(tree, there);
    if (known.count(name) == 0 || name.size() == rest.size()) {
      const auto meant = nearest(name, {known.begin(), known.end()});
      std::string sentence = "there is no folder '" + folder.text() + "'";
      if (!meant) return fail(Errc::not_found, sentence);
      const auto path = RelPath::parse(there.empty() ? *meant : there + "/" + *meant);
      if (path.ok()) sentence += "; did you mean '" + path->text() + "'?";
      return fail(Errc::not_found, sentence);
    }
    there += (there.empty() ? "" : "/") + name;
    rest.remove_prefix(name.size() + 1);
  }
}

}  // namespace

Result<Tree> subtree(const Tree& tree, const RelPath& folder) {
  TreeBuilder builder;
  std::string_view last;  // the folder of the entry before, with its number; entries of one folder stand together
  std::uint32_t number = builder.folder("");
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const Tree::View entry = tree.view(i);
    const auto inner = below(folder.bytes(), entry.folder);
    if (!inner) continue;
    if (*inner != last) {
      number = builder.folder(*inner);
      last = *inner;
    }
    if (entry.kind == TreeEntry::Kind::empty_folder) {
      builder.add_empty_folder(number, entry.name);
    } else {
      builder.set_digest(builder.add_file(number, entry.name, entry.size, entry.executable), *entry.digest);
    }
  }
  const auto at = tree.find(folder);
  if (at && at->kind == TreeEntry::Kind::file)
    return fail(Errc::invalid, "'" + folder.text() + "' is a file; name the folder that it lies in");
  if (builder.size() == 0 && !at) return no_such_folder(tree, folder);
  Tree found = TRY(std::move(builder).finish());
  if (found.files() == 0) return fail(Errc::invalid, "the folder '" + folder.text() + "' holds no file");
  return found;
}

}  // namespace trainyard
