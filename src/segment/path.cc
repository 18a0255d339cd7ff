#include "segment/path.h"

namespace otolith::segment {

namespace {
constexpr std::string_view kSuffix = ".seg";
}

std::string segment_folder(const Id128& segment) {
  return std::string(kSegmentsFolder) + "/" + segment.text().substr(0, 2);
}

std::string segment_path(const Id128& segment) {
  return segment_folder(segment) + "/" + segment.text() + std::string(kSuffix);
}

std::optional<Id128> segment_of_name(std::string_view name) {
  Id128 id;
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  return id128_parse(name, id) ? std::optional(id) : std::nullopt;
}

}  // namespace otolith::segment
