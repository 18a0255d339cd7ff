// Computed values, row by row, and the types that are refused.
#include "model/formula.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>

#include "base/error.h"
#include "base/stopping.h"
#include "model/array.h"
#include "model/decimals.h"
#include "model/letter_case.h"
#include "model/like.h"

namespace otolith::model {

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

const Schema& schema() {
  static const Schema kSchema{.columns = {{.name = "i", .type = {TypeKind::int64}},
                                          {.name = "j", .type = {TypeKind::int8}},
                                          {.name = "u", .type = {TypeKind::uint64}},
                                          {.name = "x", .type = {TypeKind::float64}},
                                          {.name = "f", .type = {TypeKind::float32}},
                                          {.name = "d", .type = {TypeKind::decimal, 12, 2}},
                                          {.name = "t", .type = {TypeKind::timestamp}},
                                          {.name = "s", .type = {TypeKind::string}},
                                          {.name = "b", .type = {TypeKind::boolean}},
                                          {.name = "z", .type = {TypeKind::binary}}}};
  return kSchema;
}

using Cell = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string>;

// One row; columns that are left out are null.
class Row final : public Inputs {
 public:
  explicit Row(const std::map<std::string, Cell>& cells) {
    static constexpr std::uint32_t kFirst = 0;
    rows = std::span(&kFirst, 1);
    for (const Column& column : schema().columns) {
      ArrayBuilder builder(column.type);
      const auto cell = cells.find(column.name);
      if (cell == cells.end())
        builder.append_null();
      else
        std::visit([&](const auto& value) { append(builder, column.type, value); }, cell->second);
      arrays_.push_back(builder.finish());
    }
  }

  const Array* column(std::size_t column) const override { return &arrays_[column]; }

 private:
  template <typename T>
  static void append(ArrayBuilder& builder, Type type, const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      builder.append_text(value);
    } else if constexpr (std::is_same_v<T, std::monostate>) {
      builder.append_null();
    } else if (type.kind == TypeKind::decimal) {
      builder.append_value(decimal_of(static_cast<std::int64_t>(value)));
    } else if (type.kind == TypeKind::float32) {
      builder.append_value(static_cast<float>(value));
    } else if (type.kind == TypeKind::float64) {
      builder.append_value(static_cast<double>(value));
    } else if (type_width(type) == 1) {
      builder.append_value(static_cast<std::int8_t>(value));
    } else {
      builder.append_value(value);
    }
  }

  std::vector<Array> arrays_;
};

// "true", "false" or "null".
std::string truth(std::string_view condition, const std::map<std::string, Cell>& cells) {
  const Row row(cells);
  const Values found = evaluate(condition_formula(parse_condition(condition), schema()), row);
  if (found.is_null(0)) return "null";
  return found.truth[0] != 0 ? "true" : "false";
}

std::string refusal(std::string_view condition, const std::map<std::string, Cell>& cells = {}) {
  try {
    return truth(condition, cells);
  } catch (const Error& error) {
    return error.message();
  }
}

bool tells(const std::string& message, std::string_view words) {
  const bool found = message.find(words) != std::string::npos;
  if (!found) MESSAGE(message);
  return found;
}

}  // namespace

TEST_CASE("formula: integers are exact far beyond 64 bits, and never wrap") {
  constexpr std::int64_t kMax = INT64_MAX;
  CHECK(truth("i + 1 > i", {{"i", kMax}}) == "true");
  CHECK(truth("i * i = 85070591730234615847396907784232501249", {{"i", kMax}}) == "true");
  CHECK(truth("-i = 9223372036854775808", {{"i", INT64_MIN}}) == "true");
  CHECK(truth("abs(i) = 9223372036854775808", {{"i", INT64_MIN}}) == "true");
  CHECK(truth("u + u = 36893488147419103230", {{"u", UINT64_MAX}}) == "true");
  CHECK(truth("i - u < 0", {{"i", kMax}, {"u", UINT64_MAX}}) == "true");
  CHECK(truth("j * 2 = 254", {{"j", std::int64_t{127}}}) == "true");
  CHECK(tells(refusal("i * i * i > 0", {{"i", kMax}}), "i * i * i does not fit 38 digits"));
}

TEST_CASE("formula: quotients are rounded down, and null where nothing is divided by") {
  const auto of = [](std::int64_t i, std::int64_t j) {
    return std::map<std::string, Cell>{{"i", i}, {"j", j}};
  };
  CHECK(truth("i // j = 2 and i % j = 1", of(7, 3)) == "true");
  CHECK(truth("i // j = -3 and i % j = 2", of(-7, 3)) == "true");
  CHECK(truth("i // j = -3 and i % j = -2", of(7, -3)) == "true");
  CHECK(truth("i // j = 2 and i % j = -1", of(-7, -3)) == "true");
  CHECK(truth("i // j = 1", of(7, 0)) == "null");
  CHECK(truth("i % j = 1", of(7, 0)) == "null");
  CHECK(truth("i / j = 3.5", of(7, 2)) == "true");
  CHECK(truth("i / j > 1e308", of(7, 0)) == "true");
  CHECK(truth("x // 0.3 = 3 and x % 0.3 < 0.3", {{"x", 1.0}}) == "true");
  CHECK(truth("x // -2 = -4 and x % -2 = -1", {{"x", 7.0}}) == "true");
  CHECK(truth("x // 1e999 = -1 and x % 1e999 > 1e308", {{"x", -7.0}}) == "true");
  CHECK(truth("x // 1e999 = 0 and x % 1e999 = 7", {{"x", 7.0}}) == "true");
  CHECK(truth("x % 0 = x % 0", {{"x", 7.0}}) == "false");
  CHECK(truth("d // 0.7 = 3 and d % 0.7 = 0.4", {{"d", std::int64_t{250}}}) == "true");
  // Where the quotient times the divisor is more than 128 bits hold.
  const std::map<std::string, Cell> wide{{"s", "99" + std::string(36, '0')}};
  CHECK(truth("cast(s as decimal(38,0)) // -98000000000000000000000000000000000000 = -2 and "
              "cast(s as decimal(38,0)) % -98000000000000000000000000000000000000 = "
              "-97000000000000000000000000000000000000",
              wide) == "true");
  CHECK(truth("-cast(s as decimal(38,0)) % 98000000000000000000000000000000000000 = "
              "97000000000000000000000000000000000000 and -cast(s as decimal(38,0)) % "
              "-98000000000000000000000000000000000000 = -1000000000000000000000000000000000000",
              wide) == "true");
}

TEST_CASE("formula: decimals are computed digit by digit") {
  const std::map<std::string, Cell> row{{"d", std::int64_t{10}}, {"i", std::int64_t{3}}};
  CHECK(truth("d = 0.1 and d + 0.2 = 0.3 and d * 3 = 0.3 and d * d = 0.01", row) == "true");
  CHECK(truth("d * i = 0.30 and d - i = -2.9", row) == "true");
  CHECK(truth("d / i = 0.03333333333333333", row) == "true");
  CHECK(tells(refusal("d * cast(i as decimal(38,37)) > 1"), "more than 38 digits"));
}

TEST_CASE("formula: integers, decimals and floats are compared by value") {
  constexpr std::int64_t kOdd = (std::int64_t{1} << 53) + 1;
  CHECK(truth("i > x", {{"i", kOdd}, {"x", 0x1p53}}) == "true");
  CHECK(truth("x < i", {{"i", kOdd}, {"x", 0x1p53}}) == "true");
  CHECK(truth("i = x", {{"i", kOdd}, {"x", 0x1p53}}) == "false");
  CHECK(truth("x > u", {{"u", UINT64_MAX}, {"x", 0x1p64}}) == "true");
  CHECK(truth("i < x", {{"i", std::int64_t{2}}, {"x", 2.5}}) == "true");
  CHECK(truth("i < x", {{"i", std::int64_t{-2}}, {"x", -2.5}}) == "false");
  CHECK(truth("i < x", {{"i", INT64_MAX}, {"x", kInfinity}}) == "true");
  CHECK(truth("d < x", {{"d", std::int64_t{10}}, {"x", 0.1}}) == "true");  // 0.1 is more as a float
  CHECK(truth("d = x", {{"d", std::int64_t{50}}, {"x", 0.5}}) == "true");
  CHECK(truth("d > x", {{"d", std::int64_t{-10}}, {"x", -0.1}}) == "true");
  CHECK(truth("d = x", {{"d", std::int64_t{0}}, {"x", -0.0}}) == "true");
  CHECK(truth("d < x", {{"d", std::int64_t{0}}, {"x", 5e-324}}) == "true");
  CHECK(truth("d > x", {{"d", std::int64_t{1}}, {"x", 1e-30}}) == "true");
  CHECK(truth("i < x", {{"i", std::int64_t{0}}, {"x", 5e-324}}) == "true");
  CHECK(truth("i > x", {{"i", std::int64_t{0}}, {"x", -1e-300}}) == "true");
  CHECK(truth("d > i", {{"d", std::int64_t{-150}}, {"i", std::int64_t{-2}}}) == "true");
  CHECK(truth("cast(d as decimal(38,30)) < u", {{"d", std::int64_t{1}}, {"u", UINT64_MAX}}) ==
        "true");
}

TEST_CASE("formula: decimals of 38 digits and floats are compared by value") {
  const auto compared = [](const char* sign, const std::string& digits, double x) {
    return truth(fmt::format("cast(s as decimal(38,0)) {} x", sign), {{"s", digits}, {"x", x}});
  };
  const std::string most(38, '9');
  const std::string power_126 = "85070591730234615865843651857942052864";
  const std::string power_126_more = "85070591730234615865843651857942052865";
  const std::string near_38 = "99999999999999997748809823456034029568";  // what 1e38 is
  const std::string near_38_more = "99999999999999997748809823456034029569";
  CHECK(compared(">", "95" + std::string(36, '0'), 8.6e37) == "true");
  CHECK(compared("<", "-95" + std::string(36, '0'), -8.6e37) == "true");
  CHECK(compared("<", "86" + std::string(36, '0'), 9.5e37) == "true");
  for (const std::string sign : {"", "-"}) {
    const double one = sign.empty() ? 1 : -1;
    const char* outside = sign.empty() ? ">" : "<";
    const char* inside = sign.empty() ? "<" : ">";
    CHECK(compared("=", sign + power_126, one * 0x1p126) == "true");
    CHECK(compared(outside, sign + power_126_more, one * 0x1p126) == "true");
    CHECK(compared(inside, sign + power_126, one * std::nextafter(0x1p126, 0x1p127)) == "true");
    CHECK(compared(outside, sign + power_126, one * std::nextafter(0x1p126, 0)) == "true");
    CHECK(compared("=", sign + near_38, one * 1e38) == "true");
    CHECK(compared(outside, sign + near_38_more, one * 1e38) == "true");
    CHECK(compared(outside, sign + most, one * 1e38) == "true");
    CHECK(compared(inside, sign + most, one * std::nextafter(1e38, 2e38)) == "true");
    CHECK(compared(inside, sign + most, one * std::nextafter(0x1p127, 0)) == "true");
    CHECK(compared(inside, sign + most, one * 0x1p127) == "true");
    CHECK(compared(inside, sign + most, one * kInfinity) == "true");
  }
  // The same beside a constant, and as a cast.
  const std::map<std::string, Cell> row{{"s", near_38}, {"x", 1e38}};
  CHECK(truth("cast(s as decimal(38,0)) = 1e38 and cast(s as decimal(38,0)) <= 1e38", row) ==
        "true");
  CHECK(truth("cast(x as decimal(38,0)) = cast(s as decimal(38,0))", row) == "true");
  CHECK(truth("try_cast(x as decimal(38,0)) is null", {{"x", 1.1e38}}) == "true");
}

TEST_CASE("formula: NaN is as in NumPy") {
  const std::map<std::string, Cell> row{{"x", kNan}, {"f", 1.0}, {"i", std::int64_t{1}}};
  CHECK(truth("x = x or x < f or x > f or x < i or i < x", row) == "false");
  CHECK(truth("x != x and x != f and x != i and i != x", row) == "true");
  CHECK(truth("not (x + 1 > 0) and x + 1 != 0", row) == "true");
  CHECK(truth("x + 1 in (1, 2)", row) == "false");
  CHECK(truth("x is null", row) == "false");
}

TEST_CASE("formula: null in, null out, and three values in and, or, not") {
  CHECK(truth("i + 1 > 0", {}) == "null");
  CHECK(truth("i > x", {{"i", std::int64_t{1}}}) == "null");
  CHECK(truth("not (i > x)", {{"i", std::int64_t{1}}}) == "null");
  CHECK(truth("(i > x) is null", {{"i", std::int64_t{1}}}) == "true");
  CHECK(truth("lower(s) = 'a'", {}) == "null");
  CHECK(truth("cast(i as string) = '1'", {}) == "null");
  CHECK(truth("year(t) > 0", {}) == "null");
  const auto joined = [](const char* word, Cell b, Cell f) {
    return truth(std::string("(b ") + word + " f > 0) = true", {{"b", b}, {"f", f}});
  };
  const Cell null;
  CHECK(joined("and", true, 1.0) == "true");
  CHECK(joined("and", true, null) == "null");
  CHECK(joined("and", false, null) == "false");
  CHECK(joined("and", null, -1.0) == "false");
  CHECK(joined("or", false, -1.0) == "false");
  CHECK(joined("or", false, null) == "null");
  CHECK(joined("or", null, 1.0) == "true");
  CHECK(joined("or", null, null) == "null");
}

TEST_CASE("formula: texts in any alphabet") {
  const std::map<std::string, Cell> row{{"s", std::string("Straße ÄÖÜ")}};
  CHECK(truth("lower(s) = 'straße äöü' and upper(s) = 'STRAßE ÄÖÜ' and len(s) = 10", row) ==
        "true");
  CHECK(truth("contains(s, 'aße') and starts_with(s, 'Str') and ends_with(s, 'Ü')", row) == "true");
  CHECK(truth("contains(s, 'ASSE') or starts_with(s, 'tr') or ends_with(s, 'ü')", row) == "false");
  CHECK(truth("s like 'Str%' and s like '%' and s like 'Straße ___' and s like 'S%e%Ü'", row) ==
        "true");
  CHECK(truth("s like 'Straße ÄÖÜ%'", row) == "true");
  CHECK(truth("s like 'Str' or s like 's%' or s like '_'", row) == "false");
  CHECK(truth("matches(s, '^Stra.e') and matches(s, '[[:space:]]') and not matches(s, '^e')",
              row) == "true");
  CHECK(truth("s like 'a%b.' and not s like 'ab_'", {{"s", std::string("a\n%b.")}}) == "true");
  CHECK(tells(refusal("matches(s, 'a(')"),
              "\"a(\" is no regular expression: missing closing parenthesis (byte 2)"));
  CHECK(tells(refusal("matches(s, '^(a+)+$')", {{"s", std::string(60, 'a') + "b"}}),
              "takes more than 1000000 steps"));
  CHECK(truth("matches(s, '^$') and s like '%' and s like '' and not s like '_%'",
              {{"s", std::string()}}) == "true");
  CHECK(truth("s like '%ab%ab_' and s like '%é_' and not s like '%b'",
              {{"s", std::string("aabaabéc")}}) == "false");
  CHECK(truth("s like '%ab%é_' and s like 'a%a%a%' and not s like '%ab'",
              {{"s", std::string("aabaabéc")}}) == "true");
  std::string out;
  append_in_case("ΑΒΓ Я 🙂 Ａ\xff", false, out);
  CHECK(out == "ΑΒΓ Я 🙂 Ａ\xff");  // no UTF-8: as it is
  out.clear();
  append_in_case("ΑΒΓ Я 🙂 Ａ", false, out);
  CHECK(out == "αβγ я 🙂 ａ");
}

TEST_CASE("formula: like is what each of its signs says, whatever stands in between") {
  // The definition, sign by sign.
  const std::function<bool(std::string_view, std::string_view)> like =
      [&](std::string_view text, std::string_view pattern) {
        if (pattern.empty()) return text.empty();
        const auto rest = [&](std::size_t bytes) {
          return like(text.substr(bytes), pattern.substr(1));
        };
        if (pattern.front() == '%')
          return rest(0) || (!text.empty() && like(text.substr(1), pattern));
        if (text.empty()) return false;
        if (pattern.front() == '_') return rest(text.starts_with("é") ? 2 : 1);
        return pattern.front() == text.front() && rest(1);
      };
  std::mt19937 random(7);
  const auto made = [&](std::initializer_list<const char*> signs) {
    std::string out;
    for (std::size_t left = random() % 9; left > 0; --left)
      out += signs.begin()[random() % signs.size()];
    return out;
  };
  unsigned like_it = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = made({"a", "a", "b", "é"});
    const std::string pattern = made({"a", "a", "b", "é", "%", "%", "_"});
    CAPTURE(text);
    CAPTURE(pattern);
    const bool wanted = like(text, pattern);
    REQUIRE(Like(pattern).holds(text) == wanted);
    like_it += wanted ? 1 : 0;
  }
  CHECK(like_it > 1'000);
}

TEST_CASE("formula: what is searched in long texts takes no square of their length") {
  const std::string text(400'000, 'a');
  const std::string part = std::string(100'000, 'a') + "b";
  const auto before = std::chrono::steady_clock::now();
  CHECK(truth("s like '%" + part + "%'", {{"s", text}}) == "false");
  CHECK(truth("s like '%a" + part + "%" + part + "%a'", {{"s", text + part + "a"}}) == "false");
  CHECK(truth("contains(s, '" + part + "')", {{"s", text}}) == "false");
  CHECK(truth("contains(s, '" + part + "')", {{"s", text + part}}) == "true");
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));  // of 100 or more
}

TEST_CASE("formula: long searches of one text have stop points") {
  const auto stopped = [](const std::string& condition, const std::string& text) {
    int left = 3;
    const Stopping stopping([&] {
      if (--left == 0) throw std::runtime_error("stopped");
    });
    try {
      (void)truth(condition, {{"s", text}});
    } catch (const std::runtime_error& error) {
      return std::string_view(error.what()) == "stopped";
    }
    return false;
  };
  CHECK(stopped("matches(s, 'a{0,200}a{0,200}[bc]')", std::string(2'000, 'a')));
  CHECK(stopped("s like '%" + std::string(2'000, 'a') + "_b%'", std::string(20'000, 'a')));
  CHECK_FALSE(stopped("matches(s, 'a')", "a"));
}

TEST_CASE("formula: regular expressions see all of a long text from wherever they begin") {
  const std::string text = std::string(10'000, 'a') + "\nééx" + std::string(70, 'b') + "y";
  const auto found = [&](const char* expression) {
    return truth(fmt::format("matches(s, '{}')", expression), {{"s", text}});
  };
  CHECK(found("aa.éé") == "false");
  CHECK(found("(?s)aa.éé") == "true");
  CHECK(found("(?<=éé)xb") == "true");
  CHECK(found("(?<=éa)xb") == "false");
  CHECK(found("^éé") == "false");
  CHECK(found("(?m)^éé") == "true");
  CHECK(found("b+y$") == "true");
  CHECK(found("b{70}y") == "true");
  CHECK(found("b{71}y") == "false");
  CHECK(found("y$") == "true");
  CHECK(found("^a{10000}\\s") == "true");
  CHECK(found("\\Gé") == "false");
  CHECK(found("\\Ga") == "true");
  CHECK(found("a(*COMMIT)b") == "false");
  CHECK(found("é(*COMMIT)x") == "false");  // of the first é
}

TEST_CASE("formula: times and their fields, before 1970 too") {
  const auto at = [](const char* time) {
    return std::map<std::string, Cell>{{"t", timestamp_parse(time).ns}};
  };
  CHECK(truth("year(t) = 2024 and month(t) = 2 and day(t) = 29 and weekday(t) = 3",
              at("2024-02-29T23:59:58")) == "true");
  CHECK(truth("hour(t) = 23 and minute(t) = 59 and second(t) = 58", at("1969-12-31T23:59:58.5")) ==
        "true");
  CHECK(truth("year(t) = 1969 and weekday(t) = 2", at("1969-12-31T23:59:58.5")) == "true");
  CHECK(truth("floor(t, '1h') = '1969-12-31T23:00'", at("1969-12-31T23:59:58.5")) == "true");
  CHECK(truth("floor(t, '1w') = '2024-02-26'", at("2024-02-29T01:00")) == "true");
  CHECK(truth("floor(t, '15m') = '2024-02-29T01:45'", at("2024-02-29T01:59")) == "true");
  CHECK(truth("floor(t, '1d') is null", {{"t", -INT64_MAX}}) == "true");
  CHECK(truth("t - '2024-02-28' = duration('1d')", at("2024-02-29")) == "true");
  CHECK(truth("t + duration('1h') = '2024-02-29T01:00'", at("2024-02-29")) == "true");
  CHECK(tells(refusal("t + duration('1w') > '2024-01-01'", {{"t", INT64_MAX}}), "out of range"));
}

TEST_CASE("formula: casts hold the value or refuse it, and try_cast gives null") {
  const std::map<std::string, Cell> row{
      {"i", std::int64_t{300}},  {"x", -2.75}, {"s", std::string("12.50")},
      {"d", std::int64_t{-250}}, {"b", true},  {"t", std::int64_t{0}}};
  CHECK(truth("cast(x as int64) = -2 and cast(x as int8) = -2 and cast(i as int16) = 300", row) ==
        "true");
  CHECK(truth("cast(i as float32) = 300 and cast(b as int8) = 1 and cast(i as bool)", row) ==
        "true");
  CHECK(truth("cast(s as decimal(9,2)) = 12.5 and cast(s as float64) = 12.5", row) == "true");
  CHECK(truth("cast(d as decimal(9,0)) = -2 and cast(d as int64) = -2", row) == "true");
  CHECK(truth("cast(x as decimal(9,1)) = -2.8 and cast(0.1 as decimal(9,2)) = 0.1", row) == "true");
  CHECK(truth("cast(i as string) = '300' and cast(x as string) = '-2.75' and cast(d as string) = "
              "'-2.50' and cast(b as string) = 'true'",
              row) == "true");
  CHECK(truth("cast(t as string) = '1970-01-01T00:00:00Z' and cast(t as int64) = 0", row) ==
        "true");
  CHECK(truth("cast(cast(t as string) as timestamp) = t", row) == "true");
  CHECK(truth("try_cast(i as int8) is null and try_cast(s as int64) is null", row) == "true");
  CHECK(tells(refusal("cast(i as int8) > 0", row),
              "cast(i as int8): int8 does not hold \"300\"; try_cast gives null"));
  CHECK(tells(refusal("cast(s as int64) > 0", row), "does not hold \"12.50\""));
  CHECK(truth("try_cast(x as int64) is null", {{"x", kNan}}) == "true");
  CHECK(truth("try_cast(x as int64) is null", {{"x", 1e300}}) == "true");
  CHECK(truth("try_cast(s as timestamp) is null", {{"s", std::string("noon")}}) == "true");
  CHECK(truth("try_cast(z as string) is null", {{"z", std::string("\xff")}}) == "true");
}

TEST_CASE("formula: messages show the beginning of long conditions") {
  std::string numbers = "i in (0";
  for (int i = 1; i < 20'000; ++i) numbers += fmt::format(", {}", i);
  const std::string text = "'" + std::string(1 << 20, 'x') + "'";
  std::string nested = text;
  for (int i = 0; i < 90; ++i) nested = "lower(" + nested + ")";
  const auto before = std::chrono::steady_clock::now();
  for (const std::string& condition :
       {"(" + numbers + ")) = 5", "i + " + text + " > 1", "abs(" + text + ") > 1",
        "s > 'a' and cast(" + text + " as int64) > i", "t + " + text + " > t", nested + " > i",
        "i > 'x' or (" + numbers + ")) = 'x'", "(" + numbers + ")) + 1 > 2",
        "matches(" + text + ", '(a*)*b') > s", nested + " = 1", "abs(" + numbers + ")) > 1",
        "-(" + numbers + ")) > 1"}) {
    const std::string message =
        refusal(condition, {{"i", std::int64_t{1}}, {"s", "b"}, {"t", std::int64_t{0}}});
    CAPTURE(condition.substr(0, 20));
    CAPTURE(message.substr(0, 1'000));
    CHECK(message.size() > 20);
    CHECK(message.size() < 800);
    CHECK(message.contains("…"));
  }
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(5));
}

TEST_CASE("formula: types that do not go together are refused with their place") {
  CHECK(tells(refusal("i > 1 and s + 1 > 2"), "string and int64 do not go together"));
  CHECK(tells(refusal("i > 1 and s + 1 > 2"),
              "(character 11):\n  i > 1 and s + 1 > 2\n            ^"));
  CHECK(tells(refusal("i > s"), "int64 is not compared with string; cast one of them"));
  CHECK(tells(refusal("t > i"), "timestamp is not compared with int64"));
  CHECK(tells(refusal("s > z"), "string is not compared with binary"));
  CHECK(tells(refusal("t * 2 > t"), "of times there are"));
  CHECK(tells(refusal("t + t > t"), "of times there are"));
  CHECK(tells(refusal("-s = 'a'"), "string is no number"));
  CHECK(tells(refusal("i + 1 > 'a'"), "int64 is compared with a number"));
  CHECK(tells(refusal("i + 1"), "i + 1 is int64 and no condition by itself"));
  CHECK(tells(refusal("lower(i) = 'a'"), "lower takes strings, not int64"));
  CHECK(tells(refusal("year(i) = 1"), "year takes times, not int64"));
  CHECK(tells(refusal("abs(s) = 1"), "abs takes numbers, not string"));
  CHECK(tells(refusal("cast(t as float64) > 1"), "timestamp cannot become float64"));
  CHECK(tells(refusal("ii + 1 > 2"), "did you mean \"i\"?"));
  CHECK(tells(refusal("s = \"AAPL\" and lower(s) = 'a'"), "texts go in single quotes"));
  CHECK(tells(refusal("t - 'noon' > 1"), "where: t - 'noon': \"noon\" is not a time"));
  CHECK(tells(refusal("t - '2026-01-01' + 1 > 1 and t = 'noon'"),
              "where: t = 'noon': column \"t\": "));
  CHECK(tells(refusal("matches(lower(s), '[')"),
              "where: matches(lower(s), '['): \"[\" is no regular expression"));
  const Expression unchecked({.kind = ExpressionKind::call,
                              .column = "floor",
                              .constants = {"1y"},
                              .operands = {col("t")}});
  CHECK_THROWS_WITH_AS(formula_of(unchecked, schema()),
                       doctest::Contains("where: \"floor\" of t: \"1y\" is no duration"), Error);
}

}  // namespace otolith::model
