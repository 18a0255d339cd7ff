#include "files/table_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "files/value_text.h"

namespace otolith::files {

namespace {

constexpr std::size_t kMeasuredRows = 1000;
constexpr unsigned kCellWidthMax = 40;  // on a terminal
constexpr unsigned kCellWidthMin = 8;   // below this a column is left out instead
constexpr std::size_t kPieceBytes = 1 << 16;
constexpr std::string_view kGap = "  ";

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

// The first character; a byte that is no UTF-8 is one by itself.
Character first_of(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  if (lead < 0xc0) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (bytes > text.size()) return {lead, 1};
  char32_t code = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) code = (code << 6) | (at(i) & 0x3fu);
  return {code, bytes};
}

struct Range {
  char32_t first, last;
};
constexpr std::array kWide{
    Range{0x1100, 0x115f},   Range{0x2e80, 0x303e},   Range{0x3041, 0xa4cf},
    Range{0xa960, 0xa97c},   Range{0xac00, 0xd7a3},   Range{0xf900, 0xfaff},
    Range{0xfe30, 0xfe6f},   Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},
    Range{0x1f300, 0x1f64f}, Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff},
    Range{0x20000, 0x3fffd}};
constexpr std::array kNarrow{Range{0x300, 0x36f},   Range{0x483, 0x489},   Range{0x591, 0x5bd},
                             Range{0x610, 0x61a},   Range{0x64b, 0x65f},   Range{0x200b, 0x200d},
                             Range{0x20d0, 0x20f0}, Range{0xfe00, 0xfe0f}, Range{0xfe20, 0xfe2f}};

template <std::size_t N>
bool among(const std::array<Range, N>& ranges, char32_t code) noexcept {
  return std::ranges::any_of(
      ranges, [&](const Range& range) { return code >= range.first && code <= range.last; });
}

unsigned width_of(char32_t code) noexcept {
  if (code < 0x300) return 1;
  if (among(kNarrow, code)) return 0;
  return among(kWide, code) ? 2 : 1;
}

// What changes the direction or the place of what follows.
bool is_obeyed(char32_t code) noexcept {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

std::string escaped(char32_t code) {
  const auto number = static_cast<unsigned>(code);
  return number < 0x100 ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{:04x}", number);
}

bool right_aligned(const Column& column) noexcept {
  return column.type.kind > TypeKind::boolean && column.type.kind <= TypeKind::decimal;
}

}  // namespace

unsigned text_width(std::string_view text) noexcept {
  unsigned out = 0;
  while (!text.empty()) {
    const Character next = first_of(text);
    out += width_of(next.code);
    text.remove_prefix(next.bytes);
  }
  return out;
}

std::string shown_text(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character next = first_of(text);
    if (next.code == '\n')
      out += "\\n";
    else if (!is_obeyed(next.code))
      out += text.substr(0, next.bytes);
    else
      out += escaped(next.code);
    text.remove_prefix(next.bytes);
  }
  return out;
}

std::string cut_text(const std::string& text, unsigned width) {
  if (text_width(text) <= width) return text;
  std::size_t at = 0;
  unsigned taken = 1;  // the ellipsis
  while (at < text.size()) {
    const Character next = first_of(std::string_view(text).substr(at));
    if (taken + width_of(next.code) > width) break;
    taken += width_of(next.code);
    at += next.bytes;
  }
  return text.substr(0, at) + "…";
}

TableWriter::TableWriter(std::shared_ptr<const Schema> schema, TextSink sink, const RowLook& look)
    : schema_(std::move(schema)), sink_(std::move(sink)), look_(look) {}

std::string TableWriter::cell(const Array& column, std::uint64_t row) const {
  if (column.is_null(row)) return "-";
  std::string plain;
  put_value(plain, column, row);
  std::string out = shown_text(plain);
  return look_.width == 0 ? out : cut_text(out, std::min(kCellWidthMax, look_.width));
}

void TableWriter::rows(const Batch& batch) {
  for (std::uint64_t row = 0; row < batch.rows; ++row) {
    Cells cells;
    const std::size_t shown = widths_.empty() ? batch.columns.size() : widths_.size();
    for (std::size_t i = 0; i < shown; ++i) cells.push_back(cell(batch.columns[i], row));
    if (widths_.empty()) {
      waiting_.push_back(std::move(cells));
      if (waiting_.size() == kMeasuredRows) measure();
    } else {
      put_line(cells, false);
    }
  }
}

// Widths of the columns that fit, then the lines that waited for them.
void TableWriter::measure() {
  unsigned left = look_.width;
  for (std::size_t i = 0; i < schema_->columns.size(); ++i) {
    unsigned width = text_width(shown_text(schema_->columns[i].name));
    for (const Cells& cells : waiting_) width = std::max(width, text_width(cells[i]));
    if (look_.width != 0) {
      const auto gap = static_cast<unsigned>(i == 0 ? 0 : kGap.size());
      if (i != 0 && left < gap + std::min(width, kCellWidthMin)) break;
      width = std::min(width, left - gap);
      left -= gap + width;
    }
    widths_.push_back(std::max(width, 1u));
  }
  Cells names;
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    names.push_back(shown_text(schema_->columns[i].name));
  }
  put_line(names, true);
  for (const Cells& cells : waiting_) put_line(cells, false);
  waiting_.clear();
}

void TableWriter::put_line(const Cells& cells, bool head) {
  if (head && look_.colour) text_ += "\x1b[1m";
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    if (i != 0) text_ += kGap;
    const std::string shown = look_.width == 0 ? cells[i] : cut_text(cells[i], widths_[i]);
    const unsigned width = text_width(shown);
    const std::string fill(width < widths_[i] ? widths_[i] - width : 0, ' ');
    const bool right = right_aligned(schema_->columns[i]);
    if (right) text_ += fill;
    text_ += shown;
    if (!right && i + 1 != widths_.size()) text_ += fill;
  }
  text_.erase(text_.find_last_not_of(' ') + 1);
  if (head && look_.colour) text_ += "\x1b[0m";
  text_ += '\n';
  if (text_.size() < kPieceBytes) return;
  sink_(text_);
  text_.clear();
}

void TableWriter::end() {
  if (widths_.empty()) measure();
  if (widths_.size() < schema_->columns.size()) {
    std::string names;
    for (std::size_t i = widths_.size(); i < schema_->columns.size(); ++i) {
      names += (names.empty() ? "" : ", ") + shown_text(schema_->columns[i].name);
    }
    text_ += fmt::format("not shown, for want of width: {}; --columns picks\n", names);
  }
  if (!text_.empty()) sink_(text_);
  text_.clear();
}

}  // namespace otolith::files
