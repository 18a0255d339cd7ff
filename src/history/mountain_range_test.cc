#include <doctest/doctest.h>

#include "history/mountain_range.h"

namespace otolith::history {

namespace {
Hash256 leaf_at(std::uint64_t i) {
  Hash256 leaf;
  store_le(leaf.bytes.data(), i * 0x9e3779b97f4a7c15ull);
  return leaf;
}

MountainRange range_of(std::uint64_t size) {
  MountainRange range;
  for (std::uint64_t i = 0; i < size; ++i) range.append(leaf_at(i));
  return range;
}
}  // namespace

TEST_CASE("mountain range: every leaf of every size is proved, and by its own proof only") {
  for (std::uint64_t size = 1; size <= 70; ++size) {
    const Hash256 root = range_of(size).root();
    for (std::uint64_t i = 0; i < size; ++i) {
      const InclusionProof proof = range_prove(size, i, leaf_at);
      CHECK(range_verify(proof, leaf_at(i), root));
      CHECK_FALSE(range_verify(proof, leaf_at(i + 1), root));
    }
  }
}

TEST_CASE("mountain range: a proof changed in any hash, place or size proves nothing") {
  const Hash256 root = range_of(45).root();
  const InclusionProof proof = range_prove(45, 37, leaf_at);
  for (std::size_t i = 0; i < proof.path.size(); ++i) {
    InclusionProof other = proof;
    other.path[i].bytes[3] ^= std::byte{1};
    CHECK_FALSE(range_verify(other, leaf_at(37), root));
  }
  CHECK_FALSE(range_verify({45, 36, proof.path}, leaf_at(37), root));
  CHECK_FALSE(range_verify({46, 37, proof.path}, leaf_at(37), root));
  CHECK_FALSE(range_verify({45, 45, proof.path}, leaf_at(37), root));
  InclusionProof longer = proof;
  longer.path.push_back(root);
  CHECK_FALSE(range_verify(longer, leaf_at(37), root));
}

TEST_CASE("mountain range: the root covers the number of leaves, and nothing has the zero root") {
  CHECK(MountainRange().root().is_zero());
  CHECK(range_of(1).root() != leaf_at(0));
  CHECK(range_of(2).root() != range_of(3).root());
}

TEST_CASE("mountain range: peaks saved and loaded go on as before") {
  for (const std::uint64_t size : {0ull, 1ull, 2ull, 7ull, 64ull, 100ull}) {
    MountainRange range = range_of(size);
    ByteWriter out;
    range.save(out);
    ByteReader in(out.view());
    MountainRange loaded = MountainRange::load(in);
    in.expect_end();
    CHECK(loaded == range);
    loaded.append(leaf_at(size));
    CHECK(loaded.root() == range_of(size + 1).root());
  }
}

}  // namespace otolith::history
