#include "document/msgpack.h"

#include <bit>

namespace otolith::document {

namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
using Form = Head::Form;

template <typename T>
T load_be(const std::byte* from) noexcept {
  const T value = load_le<T>(from);
  if constexpr (sizeof(T) == 1)
    return value;
  else
    return std::byteswap(value);
}

template <typename T>
std::byte* store_be(std::byte* to, T value) noexcept {
  if constexpr (sizeof(T) != 1) value = std::byteswap(value);
  store_le(to, value);
  return to + sizeof(T);
}

// Behind the first byte: a number of so many bytes.
std::optional<std::uint64_t> number_behind(BytesView bytes, unsigned width) noexcept {
  if (bytes.size() < 1 + width) return std::nullopt;
  switch (width) {
    case 1:
      return load_be<std::uint8_t>(bytes.data() + 1);
    case 2:
      return load_be<std::uint16_t>(bytes.data() + 1);
    case 4:
      return load_be<std::uint32_t>(bytes.data() + 1);
    default:
      return load_be<std::uint64_t>(bytes.data() + 1);
  }
}

std::optional<Head> wide(Form form, BytesView bytes, unsigned width) noexcept {
  const auto number = number_behind(bytes, width);
  if (!number) return std::nullopt;
  return Head{.form = form, .bytes = static_cast<std::uint8_t>(1 + width), .number = *number};
}

// A signed integer: one that is not negative is written as if it were unsigned.
std::optional<Head> signed_number(BytesView bytes, unsigned width) noexcept {
  auto head = wide(Form::negative, bytes, width);
  if (!head) return std::nullopt;
  const unsigned unused = 64 - 8 * width;
  const auto value = static_cast<std::int64_t>(head->number << unused) >> unused;
  head->number = static_cast<std::uint64_t>(value);
  if (value >= 0) head->form = Form::positive;
  return head;
}

// Its length, then its type.
std::optional<Head> extension(BytesView bytes, unsigned width, std::uint64_t fixed) noexcept {
  const auto length = width == 0 ? std::optional(fixed) : number_behind(bytes, width);
  if (!length || bytes.size() < 2 + width) return std::nullopt;
  return Head{.form = Form::extension,
              .bytes = static_cast<std::uint8_t>(2 + width),
              .extension = static_cast<std::int8_t>(bytes[1 + width]),
              .number = *length};
}

constexpr Head one_byte(Form form, std::uint64_t number) noexcept {
  return {.form = form, .number = number};
}

// What the first byte says, and the number behind it.
std::optional<Head> told_by(std::uint8_t first, BytesView bytes) noexcept {
  if (first < 0x80) return one_byte(Form::positive, first);
  if (first < 0x90) return one_byte(Form::map, first & 0x0fu);
  if (first < 0xa0) return one_byte(Form::array, first & 0x0fu);
  if (first < 0xc0) return one_byte(Form::string, first & 0x1fu);
  if (first >= 0xe0)
    return one_byte(Form::negative, static_cast<std::uint64_t>(static_cast<std::int8_t>(first)));
  switch (first) {
    case 0xc0:
      return one_byte(Form::null, 0);
    case 0xc2:
    case 0xc3:
      return one_byte(Form::boolean, first & 1u);
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return wide(Form::binary, bytes, 1u << (first - 0xc4u));
    case 0xc7:
    case 0xc8:
    case 0xc9:
      return extension(bytes, 1u << (first - 0xc7u), 0);
    case 0xca:
      return wide(Form::float32, bytes, 4);
    case 0xcb:
      return wide(Form::float64, bytes, 8);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return wide(Form::positive, bytes, 1u << (first - 0xccu));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return signed_number(bytes, 1u << (first - 0xd0u));
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return extension(bytes, 0, 1ull << (first - 0xd4u));
    case 0xd9:
    case 0xda:
    case 0xdb:
      return wide(Form::string, bytes, 1u << (first - 0xd9u));
    case 0xdc:
    case 0xdd:
      return wide(Form::array, bytes, 2u << (first - 0xdcu));
    case 0xde:
    case 0xdf:
      return wide(Form::map, bytes, 2u << (first - 0xdeu));
    default:
      return std::nullopt;  // 0xc1 is never used
  }
}

std::size_t put_number(std::byte* out, std::uint8_t first, std::uint64_t number,
                       unsigned width) noexcept {
  *out++ = static_cast<std::byte>(first);
  switch (width) {
    case 1:
      store_be(out, static_cast<std::uint8_t>(number));
      break;
    case 2:
      store_be(out, static_cast<std::uint16_t>(number));
      break;
    case 4:
      store_be(out, static_cast<std::uint32_t>(number));
      break;
    default:
      store_be(out, number);
  }
  return 1 + width;
}

// log2 of the bytes that hold the number: 0 to 3.
constexpr unsigned width_log(std::uint64_t number) noexcept {
  return number <= UINT8_MAX ? 0u : number <= UINT16_MAX ? 1u : number <= UINT32_MAX ? 2u : 3u;
}

// The same of a number below 0.
constexpr unsigned negative_log(std::int64_t number) noexcept {
  return number >= INT8_MIN ? 0u : number >= INT16_MIN ? 1u : number >= INT32_MIN ? 2u : 3u;
}

std::size_t put_one(std::byte* out, std::uint64_t byte) noexcept {
  *out = static_cast<std::byte>(byte);
  return 1;
}

std::size_t put_sized(std::byte* out, unsigned first, std::uint64_t number, unsigned log) noexcept {
  return put_number(out, static_cast<std::uint8_t>(first + log), number, 1u << log);
}

// Counts have no form of one byte behind the first.
std::size_t put_count(std::byte* out, unsigned first, std::uint64_t number) noexcept {
  const unsigned log = number <= UINT16_MAX ? 0 : 1;
  return put_number(out, static_cast<std::uint8_t>(first + log), number, 2u << log);
}

}  // namespace

std::optional<Head> head_of(BytesView bytes) noexcept {
  if (bytes.empty()) return std::nullopt;
  auto head = told_by(std::to_integer<std::uint8_t>(bytes.front()), bytes);
  if (!head) return std::nullopt;
  const std::uint64_t left = bytes.size() - head->bytes;
  return head->size() - head->bytes > left || head->children() > left ? std::nullopt : head;
}

std::size_t value_size(BytesView bytes) noexcept {
  std::size_t at = 0;
  for (std::uint64_t pending = 1; pending != 0; --pending) {
    const auto head = head_of(bytes.subspan(at));
    if (!head) return 0;
    at += head->size();
    pending += head->children();
  }
  return at;
}

std::optional<Timestamp> timestamp_of(BytesView payload) noexcept {
  std::int64_t seconds = 0;
  std::uint64_t ns = 0;
  if (payload.size() == 4) {
    seconds = load_be<std::uint32_t>(payload.data());
  } else if (payload.size() == 8) {
    const auto both = load_be<std::uint64_t>(payload.data());
    ns = both >> 34;
    seconds = static_cast<std::int64_t>(both & ((1ull << 34) - 1));
  } else if (payload.size() == 12) {
    ns = load_be<std::uint32_t>(payload.data());
    seconds = static_cast<std::int64_t>(load_be<std::uint64_t>(payload.data() + 4));
  } else {
    return std::nullopt;
  }
  if (ns >= std::uint64_t{kSecondNs}) return std::nullopt;
  // The first second of the range begins before it: its ns are added to a product that may not fit.
  std::int64_t whole = 0;
  const bool before = seconds < 0;
  const std::int64_t rest = static_cast<std::int64_t>(ns) - (before ? kSecondNs : 0);
  if (__builtin_mul_overflow(seconds + (before ? 1 : 0), kSecondNs, &whole)) return std::nullopt;
  if (__builtin_add_overflow(whole, rest, &whole)) return std::nullopt;
  return whole == kNotATime ? std::nullopt : std::optional(Timestamp{whole});
}

std::size_t put_head(const Head& head, std::byte* out) noexcept {
  const std::uint64_t number = head.number;
  const auto negative = static_cast<std::int64_t>(number);
  switch (head.form) {
    case Form::null:
      return put_one(out, 0xc0);
    case Form::boolean:
      return put_one(out, 0xc2 | number);
    case Form::positive:
      return number < 0x80 ? put_one(out, number) : put_sized(out, 0xcc, number, width_log(number));
    case Form::negative:
      return negative >= -32 ? put_one(out, number & 0xff)
                             : put_sized(out, 0xd0, number, negative_log(negative));
    case Form::float32:
      return put_number(out, 0xca, number, 4);
    case Form::float64:
      return put_number(out, 0xcb, number, 8);
    case Form::string:
      return number < 32 ? put_one(out, 0xa0 | number)
                         : put_sized(out, 0xd9, number, width_log(number));
    case Form::binary:
      return put_sized(out, 0xc4, number, width_log(number));
    case Form::array:
      return number < 16 ? put_one(out, 0x90 | number) : put_count(out, 0xdc, number);
    case Form::map:
      return number < 16 ? put_one(out, 0x80 | number) : put_count(out, 0xde, number);
    case Form::extension:
      break;  // timestamps are put whole
  }
  return 0;
}

std::size_t put_timestamp(Timestamp time, std::byte* out) noexcept {
  std::int64_t seconds = time.ns / kSecondNs;
  std::int64_t ns = time.ns % kSecondNs;
  if (ns < 0) {
    ns += kSecondNs;
    --seconds;
  }
  const auto type = static_cast<std::byte>(kTimestampExtension);
  const bool early = seconds < 0;
  if (!early && ns == 0 && seconds <= UINT32_MAX) {
    out[0] = std::byte{0xd6};
    out[1] = type;
    store_be(out + 2, static_cast<std::uint32_t>(seconds));
    return 6;
  }
  if (!early) {  // the range ends before 2^34 seconds
    out[0] = std::byte{0xd7};
    out[1] = type;
    store_be(out + 2, static_cast<std::uint64_t>(ns) << 34 | static_cast<std::uint64_t>(seconds));
    return 10;
  }
  out[0] = std::byte{0xc7};
  out[1] = std::byte{12};
  out[2] = type;
  store_be(store_be(out + 3, static_cast<std::uint32_t>(ns)), static_cast<std::uint64_t>(seconds));
  return 15;
}

}  // namespace otolith::document
