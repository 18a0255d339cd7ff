#include "cli/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "files/table_writer.h"
#include "otolith/decimal.h"

namespace otolith::cli {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr unsigned kScaleWidth = 11;  // of the terminal, left of the chart
constexpr unsigned kDotsAcross = 2;   // of one character
constexpr unsigned kDotsDown = 4;

// Dots of a braille character, by column and row.
constexpr std::array<std::array<unsigned, kDotsDown>, kDotsAcross> kDots{
    {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}}};

void put_braille(std::string& out, unsigned dots) {
  const unsigned code = 0x2800 + dots;
  out += static_cast<char>(0xe0 | (code >> 12));
  out += static_cast<char>(0x80 | ((code >> 6) & 0x3f));
  out += static_cast<char>(0x80 | (code & 0x3f));
}

double decimal_number(Decimal units, std::uint8_t scale) {
  return (static_cast<double>(units.high) * 0x1p64 + static_cast<double>(units.low)) /
         std::pow(10.0, scale);
}

template <typename T>
double number_at(const Array& array, std::uint64_t row) {
  return static_cast<double>(array.value<T>(row));
}

double number_at(const Array& array, std::uint64_t row) {
  switch (array.type.kind) {
    case TypeKind::boolean:
    case TypeKind::uint8:
      return number_at<std::uint8_t>(array, row);
    case TypeKind::int8:
      return number_at<std::int8_t>(array, row);
    case TypeKind::int16:
      return number_at<std::int16_t>(array, row);
    case TypeKind::int32:
      return number_at<std::int32_t>(array, row);
    case TypeKind::int64:
      return number_at<std::int64_t>(array, row);
    case TypeKind::uint16:
      return number_at<std::uint16_t>(array, row);
    case TypeKind::uint32:
      return number_at<std::uint32_t>(array, row);
    case TypeKind::uint64:
      return number_at<std::uint64_t>(array, row);
    case TypeKind::float32:
      return number_at<float>(array, row);
    case TypeKind::float64:
      return number_at<double>(array, row);
    case TypeKind::decimal:
      return decimal_number(array.value<Decimal>(row), array.type.scale);
    default:
      return std::nan("");
  }
}

// Rows of dots, the lowest value at the bottom; a line is drawn through steps without a gap.
class Canvas {
 public:
  Canvas(const Series& series, unsigned height)
      : height_(height * kDotsDown), cells_(height, std::vector<unsigned>(columns(series))) {
    const auto [low, high] = series.range();
    const double step = high > low ? (high - low) / (height_ - 1) : 1;
    int before_low = -1;
    int before_high = -1;
    for (std::size_t x = 0; x < series.points(); ++x) {
      if (!series.has(x)) {
        before_low = before_high = -1;
        continue;
      }
      int from = static_cast<int>(std::lround((series.low(x) - low) / step));
      int to = static_cast<int>(std::lround((series.high(x) - low) / step));
      const std::pair own{from, to};
      if (before_low >= 0) {
        from = std::min(from, before_high);
        to = std::max(to, before_low);
      }
      for (int y = from; y <= to; ++y) set(x, y);
      std::tie(before_low, before_high) = own;
    }
  }
  const std::vector<std::vector<unsigned>>& cells() const { return cells_; }

 private:
  static std::size_t columns(const Series& series) {
    return (series.points() + kDotsAcross - 1) / kDotsAcross;
  }
  void set(std::size_t x, int y) {
    const auto down = height_ - 1 - static_cast<unsigned>(y);
    cells_[down / kDotsDown][x / kDotsAcross] |= kDots[x % kDotsAcross][down % kDotsDown];
  }

  unsigned height_;
  std::vector<std::vector<unsigned>> cells_;
};

std::string scale_text(double value) { return fmt::format("{:.6g}", value); }

std::string in_xml(std::string_view text) {
  std::string out;
  for (const char c : files::shown_text(text)) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

}  // namespace

Series::Series(std::string name, Timestamp first, Timestamp last, std::size_t points)
    : name_(std::move(name)),
      first_(first),
      last_(last),
      low_(points, kInfinity),
      high_(points, -kInfinity) {}

void Series::add(const Array& times, const Array& values) {
  const double span = static_cast<double>(last_.ns) - static_cast<double>(first_.ns);
  const double across = static_cast<double>(points() - 1);
  for (std::uint64_t row = 0; row < values.length; ++row) {
    if (values.is_null(row)) continue;
    const double value = number_at(values, row);
    if (!std::isfinite(value)) continue;
    const double behind =
        static_cast<double>(times.value<std::int64_t>(row)) - static_cast<double>(first_.ns);
    const double place = span > 0 ? behind / span * across : 0;
    const auto point = static_cast<std::size_t>(std::clamp(place, 0.0, across));
    low_[point] = std::min(low_[point], value);
    high_[point] = std::max(high_[point], value);
    ++values_;
  }
}

std::pair<double, double> Series::range() const noexcept {
  if (values_ == 0) return {0, 0};
  return {*std::ranges::min_element(low_), *std::ranges::max_element(high_)};
}

bool is_drawable(Type type) noexcept { return type.kind <= TypeKind::decimal; }

std::size_t terminal_points(unsigned width) noexcept {
  const unsigned columns = width > kScaleWidth + 10 ? width - kScaleWidth : 10;
  return std::size_t{columns} * kDotsAcross;
}

std::string terminal_chart(const Series& series, unsigned height) {
  const auto [low, high] = series.range();
  std::string out =
      fmt::format("{}, {} values\n", files::shown_text(series.name()), series.values());
  const Canvas canvas(series, height);
  for (unsigned row = 0; row < height; ++row) {
    const std::string scale = row == 0            ? scale_text(high)
                              : row + 1 == height ? scale_text(low)
                                                  : "";
    out += fmt::format("{:>{}} ", scale, kScaleWidth - 1);
    std::string line;
    for (const unsigned dots : canvas.cells()[row]) put_braille(line, dots);
    out += line + "\n";
  }
  const std::string first = timestamp_format(series.first());
  const std::string last = timestamp_format(series.last());
  const std::size_t width = canvas.cells()[0].size();
  const std::string margin(kScaleWidth, ' ');
  if (width < first.size() + last.size() + 1)
    return out + margin + first + "\n" + margin + last + "\n";
  const std::string gap(width - first.size() - last.size(), ' ');
  return out + margin + first + gap + last + "\n";
}

std::string svg_chart(const std::vector<Series>& series, const std::string& title) {
  constexpr int kWidth = 900, kHeight = 360, kLeft = 80, kTop = 40, kRight = 20, kBottom = 40;
  constexpr std::array kColours{"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b"};
  double low = kInfinity;
  double high = -kInfinity;
  for (const Series& one : series) {
    if (one.values() == 0) continue;
    low = std::min(low, one.range().first);
    high = std::max(high, one.range().second);
  }
  if (low > high) low = high = 0;
  const double tall = high > low ? high - low : 1;
  const auto y_of = [&](double value) {
    return kTop + (kHeight - kTop - kBottom) * (1 - (value - low) / tall);
  };
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"{2}\" y=\"20\" font-size=\"14\">{3}</text>\n",
      kWidth, kHeight, kLeft, in_xml(title));
  for (const double value : {low, (low + high) / 2, high}) {
    out += fmt::format(
        "<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>\n"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
        kLeft, kWidth - kRight, y_of(value), kLeft - 6, y_of(value) + 4, scale_text(value));
  }
  for (std::size_t i = 0; i < series.size(); ++i) {
    const Series& one = series[i];
    std::string path;
    bool pen = false;
    for (std::size_t x = 0; x < one.points(); ++x) {
      if (!one.has(x)) continue;
      const double at = kLeft + static_cast<double>(kWidth - kLeft - kRight) *
                                    static_cast<double>(x) / static_cast<double>(one.points() - 1);
      path += fmt::format("{}{:.1f},{:.1f}", std::exchange(pen, true) ? " L" : "M", at,
                          y_of(one.low(x)));
      if (one.high(x) > one.low(x)) path += fmt::format(" L{:.1f},{:.1f}", at, y_of(one.high(x)));
    }
    const char* colour = kColours[i % kColours.size()];
    out += fmt::format(
        "<path d=\"{}\" fill=\"none\" stroke=\"{}\"/>\n<text x=\"{}\" y=\"20\" fill=\"{}\" "
        "text-anchor=\"end\">{}</text>\n",
        path, colour, kWidth - kRight - 120 * static_cast<int>(i), colour, in_xml(one.name()));
  }
  if (!series.empty()) {
    out += fmt::format(
        "<text x=\"{}\" y=\"{}\">{}</text>\n<text x=\"{}\" y=\"{}\" "
        "text-anchor=\"end\">{}</text>\n",
        kLeft, kHeight - 14, timestamp_format(series[0].first()), kWidth - kRight, kHeight - 14,
        timestamp_format(series[0].last()));
  }
  return out + "</svg>\n";
}

}  // namespace otolith::cli
