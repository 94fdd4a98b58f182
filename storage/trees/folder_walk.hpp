// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/files.hpp"
#include "storage/trees/file_stamp.hpp"
#include "storage/values/rel_path.hpp"

namespace trainyard {

struct WalkOptions {
  // False for a path to leave out; a folder is asked for before it is entered. With it the walk has one thread.
  std::function<bool(const RelPath&)> wanted;
  // Asked now and then in the calling thread; true ends the walk with the error `cancelled`.
  std::function<bool()> cancelled;
  unsigned threads = 0;  // at most; 0: as many as serve the machine
};

// The names and stamps of everything below a folder, read by several threads: a folder is a task, a large one is shared.
// Nothing is opened but folders, and no link is followed below the root. Kept packed, about 48 bytes and the name for
// each file, until `visit` takes it apart.
class FolderWalk {
 public:
  // A file or an empty folder. Valid during the call that it is given to.
  struct Found {
    std::uint32_t folder;          // its folder's number, below `folders()`
    std::string_view folder_path;  // below the root, "" for the root
    std::string_view name;
    bool empty_folder;
    bool executable;
    std::uint64_t size;
    const FileStamp* stamp;  // the default one for a folder
  };

  // Regular files and folders only: anything else is `invalid` and named, and so is what vanishes meanwhile, and a
  // folder below more than limits::kFolderDepth others. `fd` is the open folder `root`.
  static Result<FolderWalk> of(const Path& root, int fd, const WalkOptions& options);

  [[nodiscard]] std::size_t folders() const { return folders_.size(); }
  [[nodiscard]] std::size_t entries() const { return totals_.files + totals_.empty_folders; }
  [[nodiscard]] std::uint64_t files() const { return totals_.files; }
  [[nodiscard]] std::uint64_t bytes() const { return totals_.bytes; }
  [[nodiscard]] std::size_t name_bytes() const { return totals_.name_bytes; }  // of all entries

  // Calls `see` for each entry in the order of whole paths' bytes, until it is false, and lets go of each folder.
  void visit(const std::function<bool(const Found&)>& see) &&;

 private:
  friend class FolderReader;
  friend class WalkCrew;
  friend struct StatJob;
  enum class Kind : std::uint8_t { unseen, file, executable, folder };
  struct Item {
    FileStamp stamp;
    std::uint64_t size = 0;  // of a folder: its number
    std::uint32_t name_begin = 0;
    std::uint8_t name_bytes = 0;
    Kind kind = Kind::unseen;
  };
  struct Folder {
    std::string path;
    std::size_t depth = 0;
    std::string names;
    std::vector<Item> items;  // sorted as if each folder's name ended in '/'
    [[nodiscard]] std::string_view name(const Item& item) const {
      return std::string_view(names).substr(item.name_begin, item.name_bytes);
    }
  };
  struct Totals {
    std::uint64_t files = 0;
    std::uint64_t empty_folders = 0;
    std::uint64_t bytes = 0;
    std::uint64_t name_bytes = 0;
  };

  // Whether one name of a folder comes before another; a folder's goes on with '/'.
  static bool before(std::string_view a, Kind a_kind, std::string_view b, Kind b_kind);
  bool visit_folder(std::uint32_t number, const std::function<bool(const Found&)>& see);
  void order_empty_folders(Folder& folder) const;

  std::deque<Folder> folders_;  // the root first
  Totals totals_;
};

}  // namespace trainyard
