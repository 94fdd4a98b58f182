// SPDX-License-Identifier: Apache-2.0
#include "storage/trees/folder_writer.hpp"

#include <fcntl.h>

#include <cerrno>

namespace trainyard {

Result<FolderWriter> FolderWriter::at(const Path& root) {
  UniqueFd fd = TRY(open_file(root, O_RDONLY | O_DIRECTORY));
  return FolderWriter(root, std::move(fd));
}

Result<int> FolderWriter::folder_of(std::string_view folder) {
  if (folder.empty()) return fd_.get();
  if (last_fd_ && folder == last_folder_) return last_fd_.get();
  UniqueFd current;
  Path shown = root_;
  for (std::size_t begin = 0; begin < folder.size();) {
    const std::size_t end = std::min(folder.find('/', begin), folder.size());
    const std::string name(folder.substr(begin, end - begin));
    const int above = current ? current.get() : fd_.get();
    shown /= name;
    if (::mkdirat(above, name.c_str(), 0777) != 0 && errno != EEXIST)
      return system_error("create the folder", shown, errno);
    current = TRY(open_at(above, name.c_str(), O_RDONLY | O_DIRECTORY, shown));
    begin = end + 1;
  }
  last_folder_ = folder;
  last_fd_ = std::move(current);
  return last_fd_.get();
}

Result<UniqueFd> FolderWriter::create_file(const RelPath& path, bool executable) {
  const std::string& bytes = path.bytes();
  const std::size_t slash = bytes.rfind('/');
  const int folder =
      TRY(folder_of(slash == std::string::npos ? std::string_view() : std::string_view(bytes).substr(0, slash)));
  return open_at(folder, std::string(path.name()).c_str(), O_WRONLY | O_CREAT | O_EXCL, root_ / bytes,
                 executable ? 0755 : 0644);
}

Result<void> FolderWriter::create_folder(const RelPath& path) {
  TRY(folder_of(path.bytes()));
  return {};
}

}  // namespace trainyard
