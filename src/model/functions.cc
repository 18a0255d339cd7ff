#include "model/functions.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/error.h"

namespace otolith::model {

namespace {

using Of = Function::Of;
using Argument = Function::Argument;

constexpr Function kFunctions[] = {
    {FunctionId::abs, "abs", Of::number},
    {FunctionId::lower, "lower", Of::text},
    {FunctionId::upper, "upper", Of::text},
    {FunctionId::len, "len", Of::text},
    {FunctionId::contains, "contains", Of::text, Argument::text},
    {FunctionId::starts_with, "starts_with", Of::text, Argument::text},
    {FunctionId::ends_with, "ends_with", Of::text, Argument::text},
    {FunctionId::like, "like", Of::text, Argument::text},
    {FunctionId::matches, "matches", Of::text, Argument::text},
    {FunctionId::year, "year", Of::time},
    {FunctionId::month, "month", Of::time},
    {FunctionId::day, "day", Of::time},
    {FunctionId::hour, "hour", Of::time},
    {FunctionId::minute, "minute", Of::time},
    {FunctionId::second, "second", Of::time},
    {FunctionId::weekday, "weekday", Of::time},
    {FunctionId::floor, "floor", Of::time, Argument::duration},
};

constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
    {"ns", 1},
    {"us", 1'000},
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
    {"d", 86'400'000'000'000},
    {"w", 604'800'000'000'000},
};

}  // namespace

std::span<const Function> functions() noexcept { return kFunctions; }

const Function* function_find(std::string_view name) noexcept {
  const auto* found = std::ranges::find(kFunctions, name, &Function::name);
  return found == std::end(kFunctions) ? nullptr : found;
}

const Function& function_of(std::string_view name) {
  const Function* found = function_find(name);
  if (found != nullptr) return *found;
  std::vector<std::string> names;
  std::string all;
  for (const Function& function : kFunctions) {
    names.emplace_back(function.name);
    all += (all.empty() ? "" : ", ") + names.back();
  }
  throw_error(ErrorCode::invalid_argument, "there is no function {}{}; there are {}", quoted(name),
              nearest_hint(name, names), all);
}

void function_check(std::string_view name, const std::vector<Constant>& arguments) {
  const Function& function = function_of(name);
  const std::size_t taken = function.argument == Argument::none ? 0 : 1;
  if (arguments.size() != taken) {
    throw_error(ErrorCode::invalid_argument, "{} takes {}, and was given {}", name,
                taken == 0 ? "one value and nothing else" : "a value and one constant text",
                arguments.size());
  }
  if (taken == 0) return;
  const auto* text = std::get_if<std::string>(&arguments.front().value());
  if (text == nullptr) {
    throw_error(ErrorCode::invalid_argument, "{}: the second argument is to be text, {}", name,
                function.argument == Argument::duration ? "such as '1h'" : "such as 'AB'");
  }
  if (function.argument == Argument::duration) (void)duration_parse(*text);
}

std::int64_t duration_parse(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const auto* found =
      std::ranges::find(kUnits, unit, &std::pair<std::string_view, std::int64_t>::first);
  std::int64_t ns = 0;
  if (error != std::errc{} || found == std::end(kUnits) || count <= 0 ||
      __builtin_mul_overflow(count, found->second, &ns)) {
    throw_error(ErrorCode::invalid_argument,
                "{} is no duration; write a positive integer and a unit of ns, us, ms, s, m, h, d, "
                "w, such as '15m'",
                quoted(text));
  }
  return ns;
}

}  // namespace otolith::model
