// Figures of one benchmark run: taken in turns, printed as one JSON line each.
//
// Role:    every program in bench/ reports through here; bench/run.py makes the tables.
// Shapes:  durations in seconds; a figure is the list of its samples.
// Errors:  none.
// Threads: thread-compatible.
// Why:     medians with their spread, never single runs; the table is made from these lines alone.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace otolith::bench {

/// Seconds that `work` takes on the wall.
inline double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The q-quantile (0..1) of samples.
double quantile(std::vector<double> samples, double q);

/// Prints {"row":…,"side":…,"unit":"s","median":…,"min":…,"max":…,"p99":…,"samples":n,"note":…}.
void report(const std::string& row, const std::string& side, const std::vector<double>& samples,
            const std::string& note = "");

/// Prints a single number with its unit, for counts and ratios.
void report_value(const std::string& row, const std::string& side, const std::string& unit,
                  double value, const std::string& note = "");

/// Says of a side that it is not there, and why.
void report_absent(const std::string& row, const std::string& side, const std::string& why);

}  // namespace otolith::bench
