#include "ingest/join_rows.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <optional>

#include "base/limits.h"
#include "base/mutant.h"
#include "ingest/many.h"
#include "model/array.h"
#include "model/compare.h"
#include "model/gather.h"
#include "scan/unit.h"
#include "segment/layout.h"

namespace otolith::ingest {

namespace {

constexpr std::uint64_t kTextBytes = 48;  // of a value, with its offset: a guess
constexpr std::uint64_t kSampleBytes = 8ull << 20;
constexpr std::uint64_t kSampleDecodedBytes = 128ull << 20;  // of pages, for the sake of a few rows
constexpr std::uint64_t kSamplePlaces = 32;
constexpr std::uint64_t kSampleRows = 64;      // side by side, in each of them
constexpr std::uint64_t kSampleFirst = 4;      // in the first, which tells how large they are
constexpr std::uint64_t kWindowRowsMin = 256;  // fewer would decode pages too often

// Some rows of one run, of which the first `next` were taken and the first `written` passed on.
struct Window {
  std::vector<Array> columns;
  std::vector<const Array*> order;  // keys, time, begin, ordinal
  std::uint64_t rows = 0;
  std::uint64_t next = 0;
  std::uint64_t written = 0;
  std::uint64_t base = 0;  // of its rows among those of the batch
  bool in_batch = false;
};
using WindowPointer = std::shared_ptr<Window>;

// A column of row ids, in the place where a segment of many begins has it.
Column id_column(ColumnId id) { return {.type = {TypeKind::uint64}, .id = value_of(id)}; }

// Goes through the wanted rows of one run within one partition.
class Cursor {
 public:
  Cursor(const scan::RowSource& source, const std::vector<scan::Selected>& pieces,
         const Schema& schema, std::uint64_t window_rows)
      : source_(&source), pieces_(&pieces), schema_(&schema), window_rows_(window_rows) {
    load();
  }

  const WindowPointer& window() const noexcept { return window_; }
  bool at_end() const noexcept { return window_->next == window_->rows; }
  /// The next rows, where there are any.
  void load() {
    window_ = std::make_shared<Window>();
    if (at_ < pieces_->size() && taken_ == piece().ranges.rows()) {
      ++at_;
      taken_ = 0;
    }
    if (at_ == pieces_->size()) return;
    const scan::Selected part = next_part();
    taken_ += part.ranges.rows();
    window_->rows = part.ranges.rows();
    window_->columns = columns_of(part);
    for (const std::size_t key : schema_->key_indexes()) order_by(key);
    order_by(schema_->time_index());
    order_by(schema_->columns.size());
    order_by(schema_->columns.size() + 1);
  }

 private:
  const scan::Selected& piece() const { return (*pieces_)[at_]; }
  void order_by(std::size_t column) { window_->order.push_back(&window_->columns[column]); }

  scan::Selected next_part() const {
    const RowSet& all = piece().ranges;
    const std::uint64_t end = std::min(taken_ + window_rows_, all.rows());
    return {piece().piece, all.first_rows(end).last_rows(end - taken_)};
  }

  std::vector<Array> columns_of(const scan::Selected& part) const {
    Batch rows{.schema = nullptr, .rows = part.ranges.rows(), .columns = {}};
    for (const Column& column : schema_->columns)
      rows.columns.push_back(scan::selected_values(*source_, part, column));
    if (source_->begin()) {
      const std::uint64_t first = source_->pieces()[part.piece].first_ordinal;
      add_row_ids(rows, *source_->begin(), part.ranges.moved(first));
      return std::move(rows.columns);
    }
    for (const ColumnId id : {segment::kBeginColumn, segment::kOrdinalColumn})
      rows.columns.push_back(scan::selected_values(*source_, part, id_column(id)));
    return std::move(rows.columns);
  }

  const scan::RowSource* source_;
  const std::vector<scan::Selected>* pieces_;
  const Schema* schema_;
  std::uint64_t window_rows_;
  std::size_t at_ = 0;       // of the pieces
  std::uint64_t taken_ = 0;  // of its wanted rows: those that were in a window
  WindowPointer window_;
};

bool less(const Window& a, std::uint64_t a_row, const Window& b, std::uint64_t b_row) {
  return model::row_compare(a.order, a_row, b.order, b_row) < 0;
}

// The first row of the window that does not come before the other's next: by growing steps, since
// rows of one run mostly come in long stretches.
std::uint64_t stretch_end(const Window& window, const Window& other) {
  std::uint64_t before = window.next;
  std::uint64_t step = 1;
  while (before + step < window.rows && less(window, before + step, other, other.next)) {
    before += step;
    step *= 2;
  }
  std::uint64_t behind = std::min(before + step, window.rows);
  while (behind - before > 1) {
    const std::uint64_t middle = before + (behind - before) / 2;
    (less(window, middle, other, other.next) ? before : behind) = middle;
  }
  return behind;
}

// Rows that were taken from windows, until they are a batch.
class Taken {
 public:
  Taken(std::shared_ptr<const Schema> schema, const std::function<void(const Batch&)>& sink)
      : schema_(std::move(schema)), sink_(sink) {}

  std::uint64_t room() const noexcept { return kRowGroupRowsMax - rows_; }
  /// The next rows of the window.
  void add(const WindowPointer& window, std::uint64_t count) {
    if (!window->in_batch) windows_.push_back(window);
    window->in_batch = true;
    stretches_.push_back({window.get(), window->next, count});
    window->next += count;
    rows_ += count;
    if (rows_ == kRowGroupRowsMax) flush();
  }

  void flush() {
    if (rows_ == 0) return;
    const std::vector<std::uint32_t> order = rows_in_order();
    const std::size_t columns = windows_.front()->columns.size();
    Batch batch{.schema = schema_, .rows = rows_, .columns = {}};
    for (std::size_t column = 0; column < columns; ++column) {
      const Array all = column_of(column);
      batch.columns.push_back(order.empty() ? all : model::gather(all, order));
    }
    sink_(batch);
    for (const WindowPointer& window : windows_) {
      window->written = window->next;
      window->in_batch = false;
    }
    windows_.clear();
    stretches_.clear();
    rows_ = 0;
  }

 private:
  struct Stretch {
    Window* window = nullptr;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
  };

  // By their places in the windows one behind the other; empty where they stand so already.
  std::vector<std::uint32_t> rows_in_order() {
    std::uint64_t base = 0;
    for (const WindowPointer& window : windows_) {
      window->base = base;
      base += window->next - window->written;
    }
    std::vector<std::uint32_t> order;
    order.reserve(rows_);
    bool stand = true;
    for (const Stretch& stretch : stretches_) {
      const std::uint64_t from = stretch.window->base + stretch.first - stretch.window->written;
      stand = stand && from == order.size();
      for (std::uint64_t i = 0; i < stretch.count; ++i)
        order.push_back(static_cast<std::uint32_t>(from + i));
    }
    if (stand) order.clear();
    return order;
  }

  Array column_of(std::size_t column) const {
    std::vector<Array> parts;
    for (const WindowPointer& window : windows_) {
      parts.push_back(model::array_slice(window->columns[column], window->written,
                                         window->next - window->written));
    }
    if (parts.size() == 1) return parts.front();
    std::vector<const Array*> all;
    for (const Array& part : parts) all.push_back(&part);
    return model::array_concat(all);
  }

  std::shared_ptr<const Schema> schema_;
  const std::function<void(const Batch&)>& sink_;
  std::vector<WindowPointer> windows_;
  std::vector<Stretch> stretches_;
  std::uint64_t rows_ = 0;
};

// The run whose row comes first gives rows as long as they come before those of all others.
void merge(std::vector<Cursor> cursors, Taken& taken) {
  const auto behind = [](const Cursor& a, const Cursor& b) {
    return less(*b.window(), b.window()->next, *a.window(), a.window()->next);
  };
  std::ranges::make_heap(cursors, behind);
  while (!cursors.empty()) {
    std::ranges::pop_heap(cursors, behind);
    Cursor& first = cursors.back();
    const Window& window = *first.window();
    const std::uint64_t end = cursors.size() == 1 || mutant("join-unmerged")
                                  ? window.rows
                                  : stretch_end(window, *cursors.front().window());
    taken.add(first.window(), std::min(end - window.next, taken.room()));
    if (first.at_end()) first.load();
    if (first.at_end()) {
      cursors.pop_back();
    } else {
      std::ranges::push_heap(cursors, behind);
    }
  }
}

}  // namespace

std::uint64_t row_bytes(const Schema& schema) noexcept {
  std::uint64_t bytes = 2 * sizeof(std::uint64_t);
  for (const Column& column : schema.columns) {
    bytes += model::is_text(column.type) ? kTextBytes : type_width(column.type);
  }
  return bytes;
}

JoinRows::JoinRows(std::vector<JoinSource> sources, std::shared_ptr<const Schema> schema,
                   std::uint64_t window_bytes)
    : schema_(std::move(schema)), window_bytes_(window_bytes) {
  for (JoinSource& of : sources) {
    const scan::RowSource* source = of.source.get();
    for (std::size_t i = 0; i < source->pieces().size(); ++i) {
      if (of.rows[i].empty()) continue;
      const scan::Piece& piece = source->pieces()[i];
      std::vector<Part>& parts = partitions_[piece.bucket];
      const bool goes_on =
          !parts.empty() && parts.back().source == source && parts.back().run == piece.run;
      if (!goes_on) parts.push_back({source, piece.run, {}});
      parts.back().pieces.push_back({i, std::move(of.rows[i])});
    }
    sources_.push_back(std::move(of.source));
  }
}

model::Run JoinRows::run() const {
  model::Run out;
  for (const auto& [bucket, parts] : partitions_) {
    std::uint64_t rows = 0;
    for (const Part& part : parts) {
      for (const scan::Selected& piece : part.pieces) rows += piece.ranges.rows();
    }
    out.push_back({bucket, rows});
  }
  return out;
}

// Side by side in each place, so that few pages are decoded for them.
Array JoinRows::sample(std::size_t column) const {
  std::vector<std::pair<const scan::RowSource*, const scan::Selected*>> pieces;
  std::uint64_t rows = 0;
  for (const auto& [bucket, parts] : partitions_) {
    for (const Part& part : parts) {
      for (const scan::Selected& piece : part.pieces) {
        pieces.emplace_back(part.source, &piece);
        rows += piece.ranges.rows();
      }
    }
  }
  std::vector<Array> found;
  std::uint64_t before = 0;  // rows of the pieces gone through
  std::uint64_t next = 0;    // the row to go on with
  std::uint64_t some = kSampleFirst;
  std::uint64_t places = kSamplePlaces;
  std::uint64_t taken = 0;
  std::uint64_t bytes = 0;
  for (const auto& [source, piece] : pieces) {
    const std::uint64_t end = before + piece->ranges.rows();
    while (next < end) {
      const std::uint64_t first = next - before;
      const std::uint64_t last = std::min(first + some, piece->ranges.rows());
      const RowSet chosen = piece->ranges.first_rows(last).last_rows(last - first);
      const Array page =
          scan::selected_values(*source, {piece->piece, chosen}, schema_->columns[column]);
      std::vector<std::uint32_t> all_of_it(last - first);
      std::iota(all_of_it.begin(), all_of_it.end(), 0u);
      found.push_back(model::gather(page, all_of_it));  // a view would hold the page
      taken += last - first;
      bytes += model::text_bytes(found.back());
      const std::uint64_t mean = bytes / taken + 1;
      places = std::clamp<std::uint64_t>(
          kSampleDecodedBytes / (mean * std::min(source->page_rows(), rows)), 2, kSamplePlaces);
      some = std::clamp<std::uint64_t>(kSampleBytes / places / mean, 1, kSampleRows);
      next = std::max(next + rows / places, before + last);
    }
    before = end;
  }
  std::vector<const Array*> all;
  for (const Array& array : found) all.push_back(&array);
  return model::array_concat(all);
}

void JoinRows::write(const std::function<void(const Batch&)>& sink) const {
  Taken taken(schema_, sink);
  for (const auto& [bucket, parts] : partitions_) {
    const std::uint64_t fit = window_bytes_ / (parts.size() * row_bytes(*schema_));
    const std::uint64_t window_rows = std::bit_floor(
        std::clamp<std::uint64_t>(fit, kWindowRowsMin, kRowGroupRowsMax));  // parts of pages
    std::vector<Cursor> cursors;
    for (const Part& part : parts) {
      cursors.emplace_back(*part.source, part.pieces, *schema_, window_rows);
    }
    merge(std::move(cursors), taken);
    taken.flush();
  }
}

}  // namespace otolith::ingest
