#include "model/merkle.h"

#include <bit>
#include <string>

namespace otolith::model {

Hash256 domain_key(std::string_view kind) {
  return blake3(as_bytes_view("otolith 1 " + std::string(kind)));
}

Hash256 merkle_root(std::span<const Hash256> leaves) {
  static const Hash256 node_key = domain_key("merkle node");
  if (leaves.empty()) return blake3_keyed(node_key, BytesView{});
  if (leaves.size() == 1) return leaves.front();
  const std::size_t left = std::bit_floor(leaves.size() - 1);
  return blake3_keyed(
      node_key, {merkle_root(leaves.first(left)).view(), merkle_root(leaves.subspan(left)).view()});
}

}  // namespace otolith::model
