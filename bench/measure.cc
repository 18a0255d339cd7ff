#include "bench/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace otolith::bench {

double quantile(std::vector<double> samples, double q) {
  std::ranges::sort(samples);
  const double at = q * static_cast<double>(samples.size() - 1);
  return samples[static_cast<std::size_t>(std::lround(at))];
}

void report(const std::string& row, const std::string& side, const std::vector<double>& samples,
            const std::string& note) {
  fmt::print(
      "{{\"row\":\"{}\",\"side\":\"{}\",\"unit\":\"s\",\"median\":{:.9f},\"min\":{:.9f},"
      "\"max\":{:.9f},\"p99\":{:.9f},\"samples\":{},\"note\":\"{}\"}}\n",
      row, side, quantile(samples, 0.5), quantile(samples, 0), quantile(samples, 1),
      quantile(samples, 0.99), samples.size(), note);
  std::fflush(stdout);
}

void report_value(const std::string& row, const std::string& side, const std::string& unit,
                  double value, const std::string& note) {
  fmt::print(
      "{{\"row\":\"{}\",\"side\":\"{}\",\"unit\":\"{}\",\"median\":{:.6f},\"samples\":1,"
      "\"note\":\"{}\"}}\n",
      row, side, unit, value, note);
  std::fflush(stdout);
}

void report_absent(const std::string& row, const std::string& side, const std::string& why) {
  fmt::print("{{\"row\":\"{}\",\"side\":\"{}\",\"absent\":\"{}\"}}\n", row, side, why);
  std::fflush(stdout);
}

}  // namespace otolith::bench
