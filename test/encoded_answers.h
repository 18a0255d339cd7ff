// What pages say of a test, and give of some rows, beside what their values say and give.
//
// Role:    tests and fuzz harnesses of codec.
// Errors:  none; what is wrong is returned.
// Threads: thread-safe.
#pragma once

#include <cmath>
#include <random>
#include <string_view>

#include "codec/numbers.h"
#include "model/decimals.h"
#include "test/pages.h"

namespace otolith::test {

/// The value of a row of an exact type.
inline Int128 exact_at(const Array& array, std::uint64_t row) {
  if (array.type.kind == TypeKind::decimal)
    return model::int128_of(array.values.as<Decimal>()[row]);
  const std::uint64_t bits = codec::number_at(array, row);
  const bool with_sign = array.type.kind == TypeKind::timestamp ||
                         (array.type.kind >= TypeKind::int8 && array.type.kind <= TypeKind::int64);
  return with_sign ? Int128{static_cast<std::int64_t>(bits)} : Int128{bits};
}

inline double float_at(const Array& array, std::uint64_t row) {
  return array.type.kind == TypeKind::float32 ? double{array.values.as<float>()[row]}
                                              : array.values.as<double>()[row];
}

/// A range or a set of values of the array, which is not empty.
inline model::Criterion random_criterion(const Array& array, std::mt19937_64& random) {
  using Kind = model::Criterion::Kind;
  model::Criterion out{.type = array.type,
                       .kind = random() % 3 == 0 ? Kind::set : Kind::range,
                       .inverse = random() % 2 == 0};
  const auto row = [&] { return random() % array.length; };
  const std::uint64_t count = out.kind == Kind::set ? 1 + random() % 10 : 2;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (model::is_text(array.type))
      out.text_set.emplace_back(array.text(row()));
    else if (model::is_exact(array.type))
      out.integer_set.push_back(exact_at(array, row()));
    else if (const double value = float_at(array, row()); !std::isnan(value))
      out.float_set.push_back(value);
    else
      out.float_set.push_back(0.5);
  }
  const auto in_order = [](auto& set) {
    std::ranges::sort(set);
    const auto again = std::ranges::unique(set);
    set.erase(again.begin(), again.end());
  };
  in_order(out.text_set);
  in_order(out.integer_set);
  in_order(out.float_set);
  if (out.kind == Kind::set) return out;
  if (!out.text_set.empty()) {
    if (random() % 4 != 0) out.texts.low = out.text_set.front();
    if (random() % 4 != 0) out.texts.high = out.text_set.back();
    out.texts.low_included = random() % 2 == 0;
    out.texts.high_included = random() % 2 == 0;
  } else if (!out.integer_set.empty()) {
    out.integers = {out.integer_set.front(), out.integer_set.back()};
  } else {
    out.floats = {random() % 4 == 0 ? -HUGE_VAL : out.float_set.front(),
                  random() % 4 == 0 ? HUGE_VAL : out.float_set.back()};
  }
  out.text_set.clear();
  out.integer_set.clear();
  out.float_set.clear();
  return out;
}

/// What is wrong with what a page without flaw says of `test`, given the values it decodes to.
inline std::string_view select_flaw(const codec::Codec& codec, const codec::Page& page,
                                    const Array& values, const model::Criterion& test) {
  const std::uint64_t words = model::bit_words(page.facts.rows);
  std::vector<std::uint64_t> told(words, 0x5a5a'5a5a'5a5a'5a5a);
  if (!codec::page_select(codec, page, test, told.data())) return {};
  std::vector<std::uint64_t> asked(words);
  model::criterion_rows(test, values, asked.data());
  return told == asked ? "" : "it selects other rows than its values";
}

/// What is wrong with what it gives of some rows.
inline std::string_view gather_flaw(const codec::Codec& codec, const codec::Page& page,
                                    const Array& values, std::mt19937_64& random) {
  const std::uint64_t first = random() % 3 * 8192;
  const std::uint64_t every = std::uint64_t{1} << random() % 12;
  std::vector<std::uint32_t> rows;
  for (std::uint64_t row = 0; row < page.facts.rows; ++row) {
    if (random() % every == 0) rows.push_back(static_cast<std::uint32_t>(first + row));
  }
  const std::uint64_t width = type_width(page.facts.type);
  Bytes out(rows.size() * width);
  if (!codec::page_gather(codec, page, {rows, first}, out.data())) return {};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const BytesView value = values.values.bytes.subspan((rows[i] - first) * width, width);
    if (!std::ranges::equal(value, BytesView(out).subspan(i * width, width)))
      return "it gathers other values than it decodes";
  }
  return {};
}

/// Both, of all pages of a chunk.
inline std::string_view answers_flaw(const codec::Codec& codec, const Array& chunk,
                                     std::uint32_t page_rows, std::mt19937_64& random) {
  if (codec.mappable()) return {};
  const codec::EncodedChunk encoded = codec::chunk_parts(codec, chunk, page_rows);
  for (const codec::Page& page : pages_of(codec, chunk, encoded, page_rows)) {
    const Array values = codec::pages_decode(codec, {&page, 1});
    for (int i = 0; i < 4; ++i) {
      const auto wrong = select_flaw(codec, page, values, random_criterion(values, random));
      if (!wrong.empty()) return wrong;
    }
    if (const auto wrong = gather_flaw(codec, page, values, random); !wrong.empty()) return wrong;
  }
  return {};
}

}  // namespace otolith::test
