// Kernels in cache: unpacking against the same loop without anything to unpack.
//
//   codec_bench kernels [ROUNDS]
//
// GB of decoded bytes a second, one thread, a block of 1,024 values at a time.
#include <array>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

#include "base/bytes.h"
#include "bench/measure.h"
#include "codec/bits.h"

namespace otolith {
namespace {

constexpr int kCalls = 500;  // of one sample

// The compiler must not know what was written.
void touch(const void* memory) { asm volatile("" ::"r"(memory) : "memory"); }

double gigabytes(int rounds, const std::function<void()>& block) {
  std::vector<double> samples;
  for (int round = 0; round < rounds; ++round) {
    samples.push_back(bench::seconds_of([&] {
      for (int call = 0; call < kCalls; ++call) block();
    }));
  }
  return kCalls * kBlockRows * 8.0 / bench::quantile(samples, 0.5) / 1e9;
}

void report(const std::string& side, double figure) {
  bench::report_value("codec", side, "GB/s", figure);
}

void kernels(int rounds) {
  std::mt19937_64 random(1);
  alignas(64) std::array<std::uint64_t, kBlockRows> values{};
  alignas(64) std::array<std::uint64_t, kBlockRows> out{};
  std::array<std::uint64_t, kBlockRows> words{};
  std::uint64_t base = 1;
  report("plain loop: out[i] = in[i] + base", gigabytes(rounds, [&] {
           touch(&base);
           for (std::size_t i = 0; i < kBlockRows; ++i) out[i] = values[i] + base;
           touch(out.data());
         }));
  for (const unsigned width : {1u, 7u, 13u, 21u, 32u, 37u, 53u, 63u}) {
    for (std::uint64_t& value : values) value = random() >> (64 - width);
    auto* packed = reinterpret_cast<std::byte*>(words.data());
    const std::string name = " " + std::to_string(width) + " bits";
    report("pack" + name, gigabytes(rounds, [&] {
             codec::pack(values.data(), kBlockRows, width, 0, packed);
             touch(packed);
           }));
    report("unpack" + name, gigabytes(rounds, [&] {
             codec::unpack(packed, kBlockRows, width, base, out.data());
             touch(out.data());
           }));
    report("unpack, any width in one loop" + name, gigabytes(rounds, [&] {
             codec::unpack_plain(packed, kBlockRows, width, base, out.data());
             touch(out.data());
           }));
  }
}

}  // namespace
}  // namespace otolith

int main(int count, char** arguments) {
  const int rounds = count > 2 ? std::atoi(arguments[2]) : 40;
  if (count > 1 && std::string(arguments[1]) == "kernels") otolith::kernels(rounds);
  return count > 1 ? 0 : 2;
}
