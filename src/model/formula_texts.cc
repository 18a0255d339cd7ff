// Functions of texts: their letters, their length, and what is found in them.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <cstddef>

#include "base/error.h"
#include "base/limits.h"
#include "base/stopping.h"
#include "model/formula_loops.h"
#include "model/letter_case.h"
#include "model/like.h"

namespace otolith::model {

class Pattern {
 public:
  explicit Pattern(const std::string& expression) {
    int error = 0;
    std::size_t place = 0;
    // Columns hold UTF-8, which was checked when they were written.
    constexpr std::uint32_t kOptions =
        PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT;
    code_.reset(
        pcre2_compile(bytes_of(expression), expression.size(), kOptions, &error, &place, nullptr));
    if (code_ == nullptr) refuse(expression, error, place);
    std::uint32_t options = 0;
    pcre2_pattern_info(code_.get(), PCRE2_INFO_ALLOPTIONS, &options);
    const bool tells = expression.contains("\\G") || expression.contains("(*");
    in_stretches_ = (options & PCRE2_ANCHORED) == 0 && !tells;
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // where that cannot be, it is slower
  }

  const pcre2_code* code() const noexcept { return code_.get(); }
  /// Whether a match may as well be looked for from one part of the text after another: it does not
  /// begin at one place only, and cannot tell where the search did.
  bool in_stretches() const noexcept { return in_stretches_; }
  static PCRE2_SPTR bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<PCRE2_SPTR>(text.data());
  }

 private:
  [[noreturn]] static void refuse(const std::string& expression, int error, std::size_t place) {
    constexpr std::size_t kMessageBytes = 256;
    std::array<PCRE2_UCHAR, kMessageBytes> message{};
    pcre2_get_error_message(error, message.data(), message.size());
    throw_error(ErrorCode::invalid_argument, "{} is no regular expression: {} (byte {})",
                quoted(expression), reinterpret_cast<const char*>(message.data()), place);
  }

  struct Free {
    void operator()(pcre2_code* code) const noexcept { pcre2_code_free(code); }
  };
  std::unique_ptr<pcre2_code, Free> code_;
  bool in_stretches_ = false;
};

namespace {

// Stop points of a loop over texts: one for some 20 ms of work at most, where a text is short.
class Pace {
 public:
  void took(std::size_t bytes) {
    constexpr std::size_t kStopBytes = 1 << 20;
    constexpr std::size_t kTextBytes = 64;  // what a text costs beside its bytes
    bytes_ += bytes + kTextBytes;
    if (bytes_ < kStopBytes) return;
    bytes_ = 0;
    stop_point();
  }

 private:
  std::size_t bytes_ = 0;
};

// One thread's search by a pattern.
class Search {
 public:
  explicit Search(const Formula& formula)
      : formula_(formula),
        match_(pcre2_match_data_create(1, nullptr)),
        context_(pcre2_match_context_create(nullptr)) {
    if (match_ == nullptr || context_ == nullptr) throw std::bad_alloc();
  }

  // The library counts steps anew from each place where a match may begin, and cannot be stopped:
  // it is asked for many places with few steps for each, and where these do not do for few places.
  bool found(std::string_view text) const {
    constexpr std::uint32_t kSteps = 20'000;
    constexpr std::size_t kPlaces = 512;  // bytes
    constexpr std::size_t kPlacesOfMany = 8;
    if (text.data() == nullptr) text = std::string_view("");
    const bool in_stretches = formula_.pattern->in_stretches();
    bool many = !in_stretches;  // steps
    for (std::size_t at = 0;;) {
      stop_point();
      std::size_t end = text.size();
      const std::size_t places = many ? kPlacesOfMany : kPlaces;
      if (in_stretches && end - at > places) end = character_at(text, at + places);
      pcre2_set_match_limit(context_.get(), many ? kMatchStepsMax : kSteps);
      const int result = run(text, at, end == text.size() ? PCRE2_UNSET : end - 1);
      if (result >= 0) return true;
      if (result == PCRE2_ERROR_NOMATCH) {
        if (end == text.size()) return false;
        at = end;
      } else {
        if (many) refuse();
        many = true;
      }
    }
  }

 private:
  static std::size_t character_at(std::string_view text, std::size_t at) noexcept {
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) ++at;
    return at;
  }

  // Of a match that begins from `from` to `last`.
  int run(std::string_view text, std::size_t from, std::size_t last) const noexcept {
    pcre2_set_offset_limit(context_.get(), last);
    const auto match = [&](std::uint32_t options) {
      return pcre2_match(formula_.pattern->code(), Pattern::bytes_of(text), text.size(), from,
                         options | PCRE2_NO_UTF_CHECK, match_.get(), context_.get());
    };
    const int result = match(0);
    return result == PCRE2_ERROR_JIT_STACKLIMIT ? match(PCRE2_NO_JIT) : result;
  }

  [[noreturn]] void refuse() const {
    throw_error(ErrorCode::limit,
                "where: {} takes more than {} steps from one place of a text; write the expression "
                "with fewer repetitions within one another",
                shown(formula_), kMatchStepsMax);
  }

  struct Free {
    void operator()(pcre2_match_data* data) const noexcept { pcre2_match_data_free(data); }
    void operator()(pcre2_match_context* of) const noexcept { pcre2_match_context_free(of); }
  };
  const Formula& formula_;
  std::unique_ptr<pcre2_match_data, Free> match_;
  std::unique_ptr<pcre2_match_context, Free> context_;
};

std::size_t characters(std::string_view text) noexcept {
  std::size_t out = 0;
  for (const char c : text) out += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return out;
}

// All texts behind one another, so that views of them stay where they are.
Values changed(const Formula& formula, const Values& operand, std::size_t rows) {
  const Values* operands[] = {&operand};
  Values out = results_of(formula, operands, rows);
  const auto memory = std::make_shared<std::string>();
  std::vector<std::size_t> ends;
  Pace pace;
  for (std::size_t row = 0; row < out.text.size(); ++row) {
    append_in_case(operand.text[row], formula.function->id == FunctionId::upper, *memory);
    ends.push_back(memory->size());
    pace.took(operand.text[row].size());
  }
  std::size_t begin = 0;
  for (std::size_t row = 0; row < ends.size(); ++row) {
    out.text[row] = std::string_view(*memory).substr(begin, ends[row] - begin);
    begin = ends[row];
  }
  out.owner = memory;
  return out;
}

template <typename Test>
void fill_truth(Values& out, const Values& operand, Test test) {
  Pace pace;
  for (std::size_t row = 0; row < out.truth.size(); ++row) {
    if (out.is_null(row)) continue;
    out.truth[row] = test(operand.text[row]) ? 1 : 0;
    pace.took(operand.text[row].size());
  }
}

void fill_truth(const Formula& formula, Values& out, const Values& operand) {
  const std::string_view argument = formula.argument;
  switch (formula.function->id) {
    case FunctionId::contains:
      return fill_truth(out, operand, [&](std::string_view text) {
        return text_find(text, argument) != std::string_view::npos;
      });
    case FunctionId::starts_with:
      return fill_truth(out, operand,
                        [&](std::string_view text) { return text.starts_with(argument); });
    case FunctionId::ends_with:
      return fill_truth(out, operand,
                        [&](std::string_view text) { return text.ends_with(argument); });
    case FunctionId::matches: {
      const Search search(formula);
      return fill_truth(out, operand, [&](std::string_view text) { return search.found(text); });
    }
    default: {
      const Like like(argument);
      return fill_truth(out, operand, [&](std::string_view text) { return like.holds(text); });
    }
  }
}

}  // namespace

std::shared_ptr<const Pattern> pattern_of(FunctionId function, const std::string& text) {
  if (function != FunctionId::matches) return nullptr;
  return std::make_shared<const Pattern>(text);
}

Values call_on_texts(const Formula& formula, const Values& operand, std::size_t rows) {
  const FunctionId id = formula.function->id;
  if (id == FunctionId::lower || id == FunctionId::upper) return changed(formula, operand, rows);
  const Values* operands[] = {&operand};
  Values out = results_of(formula, operands, rows);
  if (id == FunctionId::len) {
    Pace pace;
    for (std::size_t row = 0; row < out.exact.size(); ++row) {
      out.exact[row] = static_cast<Int128>(characters(operand.text[row]));
      pace.took(operand.text[row].size());
    }
  } else {
    fill_truth(formula, out, operand);
  }
  return out;
}

}  // namespace otolith::model
