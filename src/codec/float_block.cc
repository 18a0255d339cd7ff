#include "codec/float_block.h"

#include <algorithm>
#include <utility>

#include "codec/numbers.h"

namespace otolith::codec {

namespace {

constexpr std::uint8_t kBits = 0;
constexpr std::uint8_t kIntegers = 1;
constexpr unsigned kIntegersOrderMax = 1;

std::byte* put_head(std::uint8_t scheme, Exponents by, std::uint64_t exceptions,
                    std::byte* out) noexcept {
  store_le(out, std::uint64_t{scheme} | std::uint64_t{by.e} << 8 | std::uint64_t{by.f} << 16 |
                    exceptions << 32);
  return out + kFloatHeadBytes;
}

}  // namespace

std::byte* float_block_bits(const std::uint64_t* values, std::uint64_t count,
                            std::byte* out) noexcept {
  return block_encode(values, count, 0, put_head(kBits, {}, 0, out));
}

std::byte* float_block_encode(const std::uint64_t* values, std::uint64_t count, std::uint32_t width,
                              Exponents by, FloatIntegers& integers, std::byte* out) noexcept {
  exceptions_level(integers.integers.data(), count, integers.odd());
  const std::uint64_t odd = exceptions_bytes(integers.exceptions, width);
  std::byte* const end = block_encode(integers.integers.data(), count, kIntegersOrderMax,
                                      put_head(kIntegers, by, integers.exceptions, out));
  if (integers.exceptions * kExceptionsWorth > count) {
    std::array<std::byte, kFloatHeadBytes + kBlockBytesMax> bits;
    const std::byte* bits_end = float_block_bits(values, count, bits.data());
    if (bits_end - bits.data() < end - out + static_cast<std::ptrdiff_t>(odd))
      return std::copy(std::as_const(bits).data(), bits_end, out);
  }
  return exceptions_put(values, integers.odd(), width, end);
}

std::string_view float_block_flaw(BytesView bytes, std::uint64_t count, std::uint32_t width,
                                  unsigned exponent_max, std::uint64_t* taken) noexcept {
  if (bytes.size() < kFloatHeadBytes) return "a block is cut short";
  const auto scheme = load_le<std::uint8_t>(&bytes[0]);
  const auto e = load_le<std::uint8_t>(&bytes[1]);
  const auto f = load_le<std::uint8_t>(&bytes[2]);
  const auto exceptions = load_le<std::uint16_t>(&bytes[4]);
  if (scheme > kIntegers || e > exponent_max || f > e || exceptions > count ||
      (scheme == kBits && (e != 0 || exceptions != 0))) {
    return "the head of a block is impossible";
  }
  if (bytes[3] != std::byte{0} || load_le<std::uint16_t>(&bytes[6]) != 0)
    return "a reserved byte is not zero";
  std::uint64_t integers = 0;
  const unsigned order_max = scheme == kIntegers ? kIntegersOrderMax : 0;
  if (const auto wrong = block_flaw(bytes.subspan(kFloatHeadBytes), count, order_max, &integers);
      !wrong.empty()) {
    return wrong;
  }
  std::uint64_t odd = 0;
  const auto wrong =
      exceptions_flaw(bytes.subspan(kFloatHeadBytes + integers), exceptions, width, count, &odd);
  *taken = kFloatHeadBytes + integers + odd;
  return wrong;
}

std::uint64_t float_block_bytes(const std::byte* bytes, std::uint64_t count,
                                std::uint32_t width) noexcept {
  return kFloatHeadBytes + block_bytes(bytes + kFloatHeadBytes, count) +
         exceptions_bytes(load_le<std::uint16_t>(bytes + 4), width);
}

std::uint64_t float_bits_decode(const std::byte* bytes, std::uint64_t count, std::uint32_t width,
                                std::byte* out) noexcept {
  return kFloatHeadBytes + block_numbers(bytes + kFloatHeadBytes, count, width, out);
}

}  // namespace otolith::codec
