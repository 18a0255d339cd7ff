#include "document/leaves.h"

#include "base/error.h"
#include "document/path.h"

namespace otolith::document {

namespace {

constexpr std::size_t kLeavesMax = 1'000'000;

void add_leaves(const std::string& path, const std::string& holders, const Value& value,
                std::vector<Leaf>& out) {
  const bool map = value.kind() == Kind::map;
  const bool holds = (map || value.kind() == Kind::array) && value.size() != 0;
  if (!holds) {
    if (out.size() == kLeavesMax)
      throw_error(ErrorCode::limit, "a document has more than {} values", kLeavesMax);
    out.push_back({path, holders, value});
  } else if (map) {
    for (const Field& field : value.fields())
      add_leaves(path_with(path, field.key), holders + 'm', field.value, out);
  } else {
    std::size_t place = 0;
    for (const Value& item : value.items())
      add_leaves(path_with(path, place++), holders + 'a', item, out);
  }
}

}  // namespace

std::vector<Leaf> leaves(Value document) {
  std::vector<Leaf> out;
  add_leaves({}, {}, document, out);
  return out;
}

}  // namespace otolith::document
