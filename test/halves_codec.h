// A user's codec for tests, by the public header alone: even bytes of a page, then the odd ones.
//
// Role:    shows what otolith/codec.h asks of a program; can lie and throw.
// Shapes:  even and odd bytes of the plain values; of text the lengths u32 each, then the bytes.
// Errors:  decode throws corrupt for bytes it did not write.
// Threads: immutable.
#pragma once

#include <cstring>
#include <functional>
#include <string>

#include <otolith/codec.h>
#include <otolith/error.h>

namespace otolith::test {

struct Halves {
  std::uint16_t id = kUserCodecFirst + 20;
  std::uint16_t version = 1;
  std::string name = "halves";
  std::uint64_t short_rows = 0;    // fewer rows than asked for
  std::uint64_t short_values = 0;  // fewer bytes of values than rows need
  std::function<void()> fails{};   // called first by encode and decode
};

class HalvesCodec final : public UserCodec {
 public:
  explicit HalvesCodec(Halves how = {}) : how_(std::move(how)) {}

  std::uint16_t id() const noexcept override { return how_.id; }
  std::uint16_t version() const noexcept override { return how_.version; }
  std::string_view name() const noexcept override { return how_.name; }
  bool fits(Type type) const noexcept override { return type.kind != TypeKind::float32; }

  std::vector<std::byte> encode(const Array& page) const override {
    if (how_.fails) how_.fails();
    std::vector<std::byte> plain;
    const auto put = [&plain](const void* from, std::size_t bytes) {
      const auto* at = static_cast<const std::byte*>(from);
      plain.insert(plain.end(), at, at + bytes);
    };
    const bool text = page.type.kind == TypeKind::string || page.type.kind == TypeKind::binary;
    for (std::uint64_t row = 0; text && row < page.length; ++row) {
      const auto bytes = static_cast<std::uint32_t>(page.text(row).size());
      put(&bytes, sizeof(bytes));
    }
    for (std::uint64_t row = 0; text && row < page.length; ++row)
      put(page.text(row).data(), page.text(row).size());
    if (!text) put(page.values.bytes.data(), page.length * type_width(page.type));
    return halves(plain);
  }

  Array decode(std::span<const std::byte> bytes, Type type, std::uint64_t rows) const override {
    if (how_.fails) how_.fails();
    const std::vector<std::byte> plain = whole(bytes);
    Array out{.type = type, .length = rows - how_.short_rows};
    if (type.kind != TypeKind::string && type.kind != TypeKind::binary) {
      if (plain.size() != rows * type_width(type)) refuse();
      out.values = cut(plain);
      return out;
    }
    std::byte* data = nullptr;
    out.offsets = buffer_allocate((rows + 1) * sizeof(std::int64_t), &data);
    std::int64_t end = 0;
    std::memcpy(data, &end, sizeof(end));
    if (plain.size() < rows * sizeof(std::uint32_t)) refuse();
    for (std::uint64_t row = 0; row < rows; ++row) {
      std::uint32_t length = 0;
      std::memcpy(&length, &plain[row * sizeof(length)], sizeof(length));
      end += length;
      std::memcpy(data + (row + 1) * sizeof(end), &end, sizeof(end));
    }
    out.values = cut(
        {plain.begin() + static_cast<std::ptrdiff_t>(rows * sizeof(std::uint32_t)), plain.end()});
    return out;
  }

 private:
  [[noreturn]] static void refuse() { throw Error(ErrorCode::corrupt, "these are no halves"); }

  static std::vector<std::byte> halves(const std::vector<std::byte>& plain) {
    std::vector<std::byte> out;
    for (std::size_t i = 0; i < plain.size(); i += 2) out.push_back(plain[i]);
    for (std::size_t i = 1; i < plain.size(); i += 2) out.push_back(plain[i]);
    return out;
  }
  static std::vector<std::byte> whole(std::span<const std::byte> bytes) {
    std::vector<std::byte> out;
    const std::size_t even = (bytes.size() + 1) / 2;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      out.push_back(bytes[i % 2 == 0 ? i / 2 : even + i / 2]);
    return out;
  }
  Buffer cut(std::vector<std::byte> values) const {
    values.resize(values.size() - std::min<std::size_t>(values.size(), how_.short_values));
    return buffer_of(std::move(values));
  }

  Halves how_;
};

}  // namespace otolith::test
