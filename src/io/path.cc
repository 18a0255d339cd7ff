#include "io/path.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::io {

namespace {

bool part_allowed(std::string_view part) noexcept {
  if (part == ".." && mutant("io-path-climbs-out")) return true;
  return !part.empty() && part.size() <= kPathEntryBytesMax && part != "." && part != ".." &&
         part.find('\0') == std::string_view::npos;
}

}  // namespace

void check_path(std::string_view path) {
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const bool last = slash == std::string_view::npos;
    if (!part_allowed(rest.substr(0, slash)) || (!last && slash + 1 == rest.size())) {
      throw_error(ErrorCode::invalid_argument,
                  "{} is no path inside a database directory; use relative parts without \"..\"",
                  quoted(path));
    }
    rest = last ? std::string_view{} : rest.substr(slash + 1);
  }
}

std::string_view parent_path(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view entry_name(std::string_view path) noexcept {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace otolith::io
