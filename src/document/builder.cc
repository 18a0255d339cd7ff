#include "document/builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <compare>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"

namespace otolith::document {

void refuse_size() {
  throw_error(
      ErrorCode::limit,
      "a document has more than {} bytes as msgpack; split it, or keep large data beside it",
      kDocumentBytesMax);
}

void refuse_depth() {
  throw_error(ErrorCode::limit, "a document has more than {} levels of maps and arrays; flatten it",
              kDocumentDepthMax);
}

void Builder::float64(double number) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const bool one = std::isnan(number) && !mutant("document-nan-as-it-is");
  put({.form = Head::Form::float64, .number = std::bit_cast<std::uint64_t>(one ? kNaN : number)});
}

void Builder::string(std::string_view utf8) { text(Head::Form::string, as_bytes_view(utf8)); }
void Builder::binary(BytesView bytes) { text(Head::Form::binary, bytes); }

void Builder::timestamp(Timestamp time) { commit(put_timestamp(time, room(kTimestampBytesMax))); }

void Builder::key(std::string_view utf8, std::uint32_t mark) {
  OTO_INVARIANT(!open_.empty() && open_.back().form == Head::Form::map &&
                open_.back().count % 2 == 0);
  string(utf8);
  keys_.push_back({static_cast<std::uint32_t>(size_ - utf8.size()),
                   static_cast<std::uint32_t>(utf8.size()), mark});
}

void Builder::raw(BytesView bytes) {
  std::memcpy(room(bytes.size()), bytes.data(), bytes.size());
  commit(bytes.size());
}

void Builder::text(Head::Form form, BytesView bytes) {
  std::byte* const at = room(kHeadBytesMax + bytes.size());
  const std::size_t head = put_head({.form = form, .number = bytes.size()}, at);
  if (!bytes.empty()) std::memcpy(at + head, bytes.data(), bytes.size());
  commit(head + bytes.size());
}

void Builder::begin(Head::Form form, std::optional<std::size_t> count) {
  if (open_.size() == kDocumentDepthMax) refuse_depth();
  Open open{.form = form,
            .at = static_cast<std::uint32_t>(size_),
            .first_key = static_cast<std::uint32_t>(keys_.size())};
  std::byte* const at = room(kHeadBytesMax);
  // What is said and turns out otherwise costs a move, never a wrong header.
  open.head_bytes =
      static_cast<std::uint8_t>(put_head({.form = form, .number = count.value_or(0)}, at));
  commit(open.head_bytes);
  open_.push_back(open);
}

// The header of what ends; what is within moves where it was thought to be of another length.
void Builder::put_count(const Open& open) {
  const std::uint64_t count = open.form == Head::Form::map ? open.count / 2 : open.count;
  std::byte head[kHeadBytesMax];
  const std::size_t bytes = put_head({.form = open.form, .number = count}, head);
  const std::size_t begin = open.at + open.head_bytes;
  if (bytes != open.head_bytes) {
    (void)room(kHeadBytesMax);
    std::memmove(buffer_.data() + open.at + bytes, buffer_.data() + begin, size_ - begin);
    size_ = size_ - open.head_bytes + bytes;
  }
  std::memcpy(buffer_.data() + open.at, head, bytes);
}

std::optional<Builder::Twice> Builder::end_or_twice() {
  OTO_INVARIANT(!open_.empty());
  const Open open = open_.back();
  OTO_INVARIANT(open.form == Head::Form::array || open.count % 2 == 0);
  if (const Key* twice = find_twice(open.first_key)) return Twice{text_of(*twice), twice->mark};
  keys_.resize(open.first_key);
  open_.pop_back();
  put_count(open);  // keys of the maps around it stand before it, and stay where they are
  return std::nullopt;
}

void Builder::end() {
  const auto twice = end_or_twice();
  if (!twice) return;
  throw_error(ErrorCode::invalid_argument, "a document has the key {} twice in one map",
              quoted(twice->key));
}

// The first key, from one on, that stood there before.
const Builder::Key* Builder::find_twice(std::size_t first) const {
  constexpr std::size_t kPairs = 12;  // keys that are compared each with each
  const std::span<const Key> keys = std::span(keys_).subspan(first);
  if (keys.size() <= kPairs) {
    for (std::size_t i = 1; i < keys.size(); ++i) {
      for (std::size_t before = 0; before < i; ++before) {
        const bool same =
            keys[before].bytes == keys[i].bytes && text_of(keys[before]) == text_of(keys[i]);
        if (same) return &keys[i];
      }
    }
    return nullptr;
  }
  if (mutant("document-many-keys-unchecked")) return nullptr;
  std::vector<std::uint32_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto compare = [&](std::uint32_t a, std::uint32_t b) {
    if (keys[a].bytes != keys[b].bytes) return keys[a].bytes <=> keys[b].bytes;
    return text_of(keys[a]) <=> text_of(keys[b]);
  };
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    const auto found = compare(a, b);
    return found != 0 ? found < 0 : a < b;
  });
  const Key* out = nullptr;
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Key* again = &keys[order[i]];
    if (compare(order[i - 1], order[i]) == 0 && (out == nullptr || again < out)) out = again;
  }
  return out;
}

void Builder::grow(std::size_t bytes) {
  constexpr std::size_t kFirst = 256;
  constexpr std::size_t kMost = kDocumentBytesMax + kTimestampBytesMax;  // more room than is used
  if (size_ + bytes > kMost) refuse_size();
  buffer_.resize(std::min(kMost, std::max({kFirst, 2 * buffer_.size(), size_ + bytes})));
}

Bytes Builder::take() {
  OTO_INVARIANT(open_.empty());
  if (size_ > kDocumentBytesMax) refuse_size();
  buffer_.resize(size_);
  size_ = 0;
  keys_.clear();
  return std::exchange(buffer_, {});
}

void Builder::clear() noexcept {
  size_ = 0;
  open_.clear();
  keys_.clear();
}

}  // namespace otolith::document
