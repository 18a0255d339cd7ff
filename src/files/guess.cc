#include "files/guess.h"

#include <charconv>

#include "files/cells.h"

namespace otolith::files {

namespace {

template <typename T>
bool is_all(std::string_view text, T& out) {
  const auto [at, failed] = std::from_chars(text.data(), text.data() + text.size(), out);
  return failed == std::errc() && at == text.data() + text.size();
}

// "007", "-01", "00.5"
bool has_leading_zero(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

bool is_time(TimeForm form, std::string_view text) {
  std::int64_t ns = 0;
  return TimeReader(form).read(text, ns);
}

}  // namespace

void TypeGuess::add(std::string_view text, bool quoted) {
  any_ = true;
  if (quoted) boolean_ = int_ = uint_ = float_ = false;
  std::uint8_t truth = 0;
  if (boolean_) boolean_ = read_boolean(text, truth);
  if (float_ && has_leading_zero(text)) int_ = uint_ = float_ = false;
  std::int64_t whole = 0;
  constexpr std::int64_t kExactMax = std::int64_t{1} << 53;
  if (int_) int_ = is_all(text, whole);
  if (int_ && (whole > kExactMax || whole < -kExactMax)) exact_ = false;
  std::uint64_t natural = 0;
  if (uint_) uint_ = is_all(text, natural);
  double number = 0;
  if (float_ && !int_) float_ = is_all(text, number);
  if (iso_) iso_ = is_time(TimeForm::iso, text);
  if (day_first_) day_first_ = is_time(TimeForm::day_first, text);
  if (month_first_) month_first_ = is_time(TimeForm::month_first, text);
}

Type TypeGuess::type() const noexcept {
  if (!any_) return {TypeKind::string};
  if (boolean_) return {TypeKind::boolean};
  if (int_) return {TypeKind::int64};
  if (uint_) return {TypeKind::uint64};
  if (float_ && exact_) return {TypeKind::float64};
  if (iso_ || day_first_ != month_first_) return {TypeKind::timestamp};
  return {TypeKind::string};
}

TimeForm TypeGuess::form() const noexcept {
  if (iso_ || day_first_ == month_first_) return TimeForm::iso;
  return day_first_ ? TimeForm::day_first : TimeForm::month_first;
}

}  // namespace otolith::files
