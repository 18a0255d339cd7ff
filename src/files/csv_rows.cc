#include "files/csv_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/inline.h"
#include "base/mutant.h"
#include "model/utf8.h"

namespace otolith::files {

namespace {

// ---- 64 bytes at a time -------------------------------------------------------------------------

constexpr std::size_t kBlock = 64;

using Bytes = std::uint8_t __attribute__((ext_vector_type(kBlock)));
using Bits = bool __attribute__((ext_vector_type(kBlock)));

OTO_INLINE inline std::uint64_t bits_where(const Bytes& equal) {
  return std::bit_cast<std::uint64_t>(__builtin_convertvector(equal, Bits));
}

// Bit i: whether an odd number of bits up to i is set.
OTO_INLINE inline std::uint64_t prefix_xor(std::uint64_t bits) {
  for (unsigned step = 1; step < 64; step *= 2) bits ^= bits << step;
  return bits;
}

// Masks of a window, block by block, and what is carried from one to the next.
class Masks {
 public:
  explicit Masks(char separator) : separator_(static_cast<std::uint8_t>(separator)) {}

  /// The ends of fields among 64 bytes.
  OTO_INLINE inline std::uint64_t ends(const char* text) {
    Bytes block;
    std::memcpy(&block, text, kBlock);
    return ends_of(block);
  }
  /// Whether all that was seen is in order; NUL and quotes out of place are not.
  bool in_order() const { return (stray_ | nul_) == 0; }
  bool plain() const { return high_ == 0; }
  std::uint64_t line_feeds() const { return line_feeds_; }

 private:
  OTO_INLINE inline std::uint64_t ends_of(const Bytes& block) {
    const auto equal = [&](std::uint8_t byte) { return bits_where(Bytes(block == byte)); };
    const std::uint64_t separators = equal(separator_);
    std::uint64_t feeds = equal('\n');
    const std::uint64_t quotes = equal('"');
    high_ |= bits_where(Bytes(block >= 0x80));
    nul_ |= equal(0);
    std::uint64_t ends = separators | feeds;
    if ((quotes | inside_ | was_close_ | was_return_) != 0) {
      const std::uint64_t inside = prefix_xor(quotes) ^ inside_;  // from an opening quote on
      const std::uint64_t opening = quotes & inside;
      const std::uint64_t closing = quotes & ~inside;
      stray_ |= opening & ~(((ends | quotes) << 1) | was_end_);
      const std::uint64_t behind = (closing << 1) | was_close_;
      const std::uint64_t returns = behind & equal('\r');  // a line feed has to follow
      stray_ |= behind & ~(ends | quotes | returns);
      stray_ |= ((returns << 1) | was_return_) & ~feeds;
      was_close_ = closing >> 63;
      was_return_ = returns >> 63;
      was_end_ = (ends | quotes) >> 63;
      inside_ = std::uint64_t{0} - (inside >> 63);
      ends &= ~inside;
      feeds &= ~inside;
    } else {
      was_end_ = ends >> 63;
    }
    line_feeds_ += static_cast<std::uint64_t>(std::popcount(feeds));
    return ends;
  }

  std::uint8_t separator_;
  std::uint64_t inside_ = 0;      // all ones between quotes
  std::uint64_t was_end_ = 1;     // the byte before was an end, or a quote
  std::uint64_t was_close_ = 0;   // it was a closing quote
  std::uint64_t was_return_ = 0;  // it was the CR behind one
  std::uint64_t stray_ = 0;
  std::uint64_t nul_ = 0;
  std::uint64_t high_ = 0;
  std::uint64_t line_feeds_ = 0;
};

OTO_INLINE inline std::uint32_t* put_ends(std::uint32_t* out, std::uint64_t bits,
                                          std::uint32_t base) {
  const int count = std::popcount(bits);
  for (int done = 0; done < count; done += 8) {
    for (int i = 0; i < 8; ++i) {  // more than there are is written over
      out[done + i] = base + static_cast<std::uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
  }
  return out + count;
}

// Whether a line is that of the names, whichever way it ends.
OTO_INLINE inline bool is_header(std::string_view line, const CsvShape& shape) {
  return !shape.header.empty() && line.starts_with(shape.header[0]) &&
         line.size() <= shape.header.size() + 1 && line.starts_with(shape.header);
}

// All of it in order: rows of so many fields each, no quote out of place, no NUL.
bool find_in_order(CsvRows& out, std::string_view text, bool last, const CsvShape& shape) {
  if (out.ends.size() < text.size() + kBlock) out.ends.resize(text.size() + kBlock);
  std::uint32_t* at = out.ends.data();
  Masks masks(shape.separator);
  std::size_t done = 0;
  for (; done + kBlock <= text.size(); done += kBlock) {
    at = put_ends(at, masks.ends(text.data() + done), static_cast<std::uint32_t>(done));
  }
  if (done < text.size()) {
    std::array<char, kBlock> rest;
    rest.fill(' ');
    std::memcpy(rest.data(), text.data() + done, text.size() - done);
    const std::uint64_t known = (std::uint64_t{1} << (text.size() - done)) - 1;
    at = put_ends(at, masks.ends(rest.data()) & known, static_cast<std::uint32_t>(done));
  }
  if (!masks.in_order() && !mutant("csv-stray-quotes-pass")) return false;
  const std::size_t columns = shape.columns;
  const std::size_t rows = static_cast<std::size_t>(at - out.ends.data()) / columns;
  std::uint32_t begin = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint32_t end = out.ends[row * columns + columns - 1];
    if (text[end] != '\n') return false;
    if (is_header(text.substr(begin, end - begin), shape)) return false;
    if (columns == 1 && end <= begin + 1) return false;  // perhaps an empty line
    out.begins.push_back(begin);
    begin = end + 1;
  }
  // As many line feeds as rows: none stands within a row.
  const bool whole = masks.line_feeds() == rows && (!last || begin == text.size());
  if (!whole || !(masks.plain() || model::utf8_valid(text.substr(0, begin)))) return false;
  out.consumed = begin;
  return true;
}

// ---- Byte by byte, where something is out of order ----------------------------------------------

enum class Ending : std::uint8_t { separator, line, text, wrong };

// One window, record by record.
class CarefulRows {
 public:
  CarefulRows(std::string_view text, char separator) : text_(text), separator_(separator) {}

  /// Reads the record at `begin`: its ends, or what is wrong with it. False where the window ends
  /// within it.
  bool record(std::size_t begin) {
    ends_.clear();
    why_.clear();
    at_ = begin;
    while (true) {
      const Ending ending = field();
      if (ending == Ending::text) return false;
      if (ending == Ending::wrong) return true;
      ends_.push_back(static_cast<std::uint32_t>(at_));
      ++at_;
      if (ending == Ending::line) return true;
    }
  }
  const std::vector<std::uint32_t>& ends() const { return ends_; }
  const std::string& why() const { return why_; }
  std::size_t behind() const { return at_; }
  bool in_quotes() const { return in_quotes_; }

 private:
  Ending field() {
    in_quotes_ = at_ < text_.size() && text_[at_] == '"';
    return in_quotes_ ? quoted_field() : plain_field();
  }
  Ending plain_field() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == separator_) return Ending::separator;
      if (c == '\n') return Ending::line;
      if (c == '"') return wrong("a quote stands inside a field that does not begin with one");
      if (c == '\0') return wrong("it holds a NUL byte");
    }
    return Ending::text;
  }
  Ending quoted_field() {
    ++at_;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\0') return wrong("it holds a NUL byte");
      if (text_[at_] != '"') continue;
      if (at_ + 1 == text_.size()) break;
      if (text_[at_ + 1] != '"') return behind_quote();
      ++at_;
    }
    return Ending::text;
  }
  Ending behind_quote() {
    ++at_;
    if (text_[at_] == '\r') {
      if (at_ + 1 == text_.size()) return Ending::text;
      if (text_[at_ + 1] == '\n') ++at_;
    }
    if (text_[at_] == separator_) return Ending::separator;
    if (text_[at_] == '\n') return Ending::line;
    return wrong("text stands behind a closing quote");
  }
  Ending wrong(std::string_view why) {
    why_ = why;
    return Ending::wrong;
  }

  std::string_view text_;
  char separator_;
  std::size_t at_ = 0;
  std::vector<std::uint32_t> ends_;
  std::string why_;
  bool in_quotes_ = false;
};

std::string why_not_utf8(std::string_view line) {
  const auto high = std::ranges::find_if(line, [](char c) { return (c & 0x80) != 0; });
  return fmt::format(
      "it is not UTF-8 (a byte is 0x{:02x}); convert the file, for example: iconv -f LATIN1 -t "
      "UTF-8",
      static_cast<unsigned char>(*high));
}

bool is_blank(std::string_view line) { return line.empty() || line == "\r"; }

// What is wrong with a record of these ends, or nothing.
std::string why_no_row(std::string_view line, std::size_t fields, const CsvShape& shape) {
  if (is_header(line, shape)) return "it is the header again";
  if (fields != shape.columns)
    return fmt::format("it has {} field{}, not {}", fields, fields == 1 ? "" : "s", shape.columns);
  return model::utf8_valid(line) ? "" : why_not_utf8(line);
}

void find_carefully(CsvRows& out, std::string_view text, bool last, const CsvShape& shape) {
  CarefulRows records(text, shape.separator);
  std::size_t begin = 0;
  while (begin < text.size()) {
    const bool whole = records.record(begin);
    if (!whole && !last) break;
    std::string why = records.why();
    if (!whole) why = "a quote is left open";
    if (why.empty()) {
      const std::string_view line = text.substr(begin, records.behind() - 1 - begin);
      if (is_blank(line)) {
        begin = records.behind();
        continue;
      }
      why = why_no_row(line, records.ends().size(), shape);
    }
    if (why.empty()) {
      out.begins.push_back(static_cast<std::uint32_t>(begin));
      out.ends.insert(out.ends.end(), records.ends().begin(), records.ends().end());
      begin = records.behind();
      continue;
    }
    const std::size_t feed = text.find('\n', begin);
    if (feed == std::string_view::npos) break;
    out.bad.push_back({begin, feed + 1, std::move(why)});
    begin = feed + 1;
  }
  out.consumed = begin;
}

// The last field of a line that ends in CR LF ends before the CR.
void drop_carriage_returns(CsvRows& out) {
  for (std::size_t row = 0; row < out.size(); ++row) {
    std::uint32_t& end = out.ends[row * out.columns + out.columns - 1];
    if (end > out.begins[row] && out.text[end - 1] == '\r') --end;
  }
}

}  // namespace

void find_rows(CsvRows& out, std::string_view text, bool last, const CsvShape& shape) {
  out.text = text;
  out.columns = shape.columns;
  out.begins.clear();
  out.bad.clear();
  if (!find_in_order(out, text, last, shape)) {
    out.begins.clear();
    out.ends.clear();
    find_carefully(out, text, last, shape);
  }
  drop_carriage_returns(out);
}

std::vector<std::string_view> first_record(std::string_view text, char separator,
                                           std::size_t& end) {
  CarefulRows records(text, separator);
  const bool whole = records.record(0);
  if (!whole || !records.why().empty()) {
    throw_error(ErrorCode::invalid_argument, "{}",
                whole ? records.why() : std::string("a quote is left open"));
  }
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (const std::uint32_t field_end : records.ends()) {
    out.push_back(text.substr(begin, field_end - begin));
    begin = field_end + 1;
  }
  if (out.back().ends_with('\r')) out.back().remove_suffix(1);
  end = records.behind();
  return out;
}

std::string_view unquoted(std::string_view field, std::string& scratch) {
  if (!field.starts_with('"')) return field;
  if (field.size() < 2) return {};
  field = field.substr(1, field.size() - 2);
  if (field.find('"') == std::string_view::npos) return field;
  scratch.clear();
  for (std::size_t i = 0; i < field.size(); ++i) {
    scratch += field[i];
    if (field[i] == '"') ++i;
  }
  return scratch;
}

}  // namespace otolith::files
