#include "codec/select.h"

#include "base/mutant.h"
#include "codec/bits_row.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

using model::Criterion;

void fill_bits(std::uint64_t count, bool passes, std::uint64_t* bits) noexcept {
  std::fill_n(bits, model::bit_words(count), passes ? ~0ull : 0);
  model::cut_bits(count, bits);
}

// Whether all integers base..base+most pass or none of them; nullopt where they have to be asked.
std::optional<bool> known_of(std::uint64_t base, std::uint64_t most, const IntegerTest& test) {
  bool apart = true;
  for (const IntegerRange& range : test.ranges) {
    const std::uint64_t first = base - range.low;
    const bool goes_on = first <= UINT64_MAX - most;  // does not wrap past the range's low end
    if (first <= range.steps && goes_on && first + most <= range.steps) return !test.inverse;
    apart = apart && first > range.steps && (goes_on || mutant("select-wrapped-block-apart"));
  }
  return apart ? std::optional(test.inverse) : std::nullopt;
}

// Whether all integers base..base+most are what a value of the test's width is widened to.
bool is_widened(std::uint64_t base, std::uint64_t most, const IntegerTest& test) noexcept {
  if (test.width == sizeof(std::uint64_t) || mutant("select-uncut")) return true;
  const std::uint64_t values = 1ull << (test.width * 8);
  const std::uint64_t first = test.has_sign ? base + values / 2 : base;
  return most < values && first < values - most;
}

template <typename Narrow>
void cut(std::uint64_t* values, std::uint64_t count) noexcept {
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto narrow = static_cast<Narrow>(values[i]);
    if constexpr (std::is_signed_v<Narrow>)
      values[i] = static_cast<std::uint64_t>(std::int64_t{narrow});
    else
      values[i] = narrow;
  }
}

// As a reader of the values does.
void cut(std::uint64_t* values, std::uint64_t count, const IntegerTest& test) noexcept {
  switch (test.width) {
    case 1:
      return test.has_sign ? cut<std::int8_t>(values, count) : cut<std::uint8_t>(values, count);
    case 2:
      return test.has_sign ? cut<std::int16_t>(values, count) : cut<std::uint16_t>(values, count);
    case 4:
      return test.has_sign ? cut<std::int32_t>(values, count) : cut<std::uint32_t>(values, count);
    default:
      return;
  }
}

}  // namespace

bool is_selectable(const Criterion& test) noexcept {
  return test.integer_set.size() <= kSelectRangesMax && test.float_set.size() <= kSelectRangesMax &&
         test.text_set.size() <= kSelectRangesMax;
}

IntegerTest integer_test(const Criterion& test) {
  IntegerTest out{.ranges = {}, .inverse = test.inverse};
  if (test.type.kind != TypeKind::decimal) out.width = type_width(test.type);
  out.has_sign = test.type.kind >= TypeKind::int8 && test.type.kind <= TypeKind::int64;
  const auto add = [&out](Int128 low, Int128 high) {
    out.ranges.push_back({static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(high - low)});
  };
  if (test.kind == Criterion::Kind::range) add(test.integers.low, test.integers.high);
  for (const Int128 one : test.integer_set) add(one, one);
  return out;
}

IntegerTest entry_test(const Criterion& test, std::uint64_t entries,
                       const std::function<std::string_view(std::uint64_t)>& entry) {
  IntegerTest out{.ranges = {}, .inverse = test.inverse};
  const auto first = [&](auto holds) {
    std::uint64_t low = 0;
    std::uint64_t high = entries;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      (holds(entry(middle)) ? high : low) = holds(entry(middle)) ? middle : middle + 1;
    }
    return low;
  };
  const auto add = [&](auto from, auto behind) {
    const std::uint64_t low = first(from);
    const std::uint64_t high = first(behind);
    if (low < high) out.ranges.push_back({low, high - low - 1});
  };
  if (test.kind == Criterion::Kind::range) {
    const model::TextBounds& asked = test.texts;
    add([&](std::string_view text) { return asked.above_low(text); },
        [&](std::string_view text) { return !asked.below_high(text); });
  }
  for (const std::string& one : test.text_set) {
    add([&](std::string_view text) { return text >= one; },
        [&](std::string_view text) { return text > one; });
  }
  return out;
}

void integers_select(const std::uint64_t* values, std::uint64_t count, const IntegerTest& test,
                     std::uint64_t* bits) noexcept {
  fill_bits(count, false, bits);
  for (const IntegerRange& range : test.ranges) {
    std::array<std::uint64_t, model::bit_words(kBlockRows)> found;
    model::range_bits(values, count, range.low, range.steps, found.data());
    for (std::uint64_t i = 0; i < model::bit_words(count); ++i) bits[i] |= found[i];
  }
  if (!test.inverse || mutant("select-inverse-ignored")) return;
  for (std::uint64_t i = 0; i < model::bit_words(count); ++i) bits[i] = ~bits[i];
  model::cut_bits(count, bits);
}

std::uint64_t block_select(const std::byte* bytes, std::uint64_t count, const IntegerTest& test,
                           std::uint64_t* bits) noexcept {
  const auto packed = block_packed(bytes, count);
  const bool widened =
      packed && packed->outliers == 0 && is_widened(packed->base, width_mask(packed->width), test);
  if (widened) {
    if (const auto known = known_of(packed->base, width_mask(packed->width), test)) {
      fill_bits(count, *known, bits);
      return packed->bytes;
    }
  }
  alignas(64) BlockValues values;
  const std::uint64_t taken = block_decode(bytes, count, values.data());
  if (!widened && !mutant("select-uncut")) cut(values.data(), count, test);
  integers_select(values.data(), count, test, bits);
  return taken;
}

}  // namespace otolith::codec
