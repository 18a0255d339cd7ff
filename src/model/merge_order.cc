#include "model/merge_order.h"

#include <algorithm>
#include <tuple>

namespace otolith::model {

namespace {

struct Head {
  std::uint32_t source;
  std::uint64_t row;
};

class Merge {
  auto place(const Head& head) const noexcept {
    const MergeSource& source = sources_[head.source];
    return std::tuple(
        source.key_rank, source.begins.empty() ? value_of(source.begin) : source.begins[head.row],
        source.ordinals.empty() ? source.ordinal + head.row : source.ordinals[head.row],
        head.source);
  }
  bool before(const Head& a, const Head& b) const noexcept {
    const std::int64_t time_a = sources_[a.source].times[a.row];
    const std::int64_t time_b = sources_[b.source].times[b.row];
    return time_a != time_b ? time_a < time_b : place(a) < place(b);
  }
  // The heap's order: its front is the head that comes first.
  auto behind() const noexcept {
    return [this](const Head& a, const Head& b) { return before(b, a); };
  }

 public:
  explicit Merge(std::span<const MergeSource> sources) : sources_(sources) {
    for (std::uint32_t i = 0; i < sources.size(); ++i) {
      if (!sources[i].times.empty()) heap_.push_back({i, 0});
    }
    std::ranges::make_heap(heap_, behind());
  }

  std::vector<MergePiece> pieces() {
    std::vector<MergePiece> out;
    while (!heap_.empty()) {
      std::ranges::pop_heap(heap_, behind());
      Head& head = heap_.back();
      const std::uint64_t first = head.row;
      const std::uint64_t end = sources_[head.source].times.size();
      // Whatever still stands before the best of the others belongs to the same stretch.
      do {
        ++head.row;
      } while (head.row < end && (heap_.size() == 1 || before(head, heap_.front())));
      out.push_back({head.source, first, head.row - first});
      if (head.row == end) {
        heap_.pop_back();
      } else {
        std::ranges::push_heap(heap_, behind());
      }
    }
    return out;
  }

 private:
  std::span<const MergeSource> sources_;
  std::vector<Head> heap_;
};

}  // namespace

std::vector<MergePiece> merge_order(std::span<const MergeSource> sources) {
  return Merge(sources).pieces();
}

}  // namespace otolith::model
