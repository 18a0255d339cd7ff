#include "codec/symbols.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>

#include "base/error.h"

namespace otolith::codec {

namespace {

constexpr std::uint8_t kEscape = 255;
constexpr std::size_t kHeadBytes = 8;
constexpr int kRounds = 5;
constexpr std::uint64_t kGainMin = 24;    // bytes saved of a sample: what a symbol costs, and more
constexpr std::size_t kBytesCodes = 256;  // beside codes of symbols, while counting
constexpr std::size_t kCounted = kBytesCodes + kSymbolsMax;

constexpr std::uint64_t mask_of(std::uint64_t bytes) noexcept {
  return bytes >= kSymbolBytesMax ? ~0ull : (1ull << (bytes * 8)) - 1;
}

std::uint64_t word_at(BytesView text) noexcept {
  std::uint64_t word = 0;
  if (text.size() >= sizeof(word)) return load_le<std::uint64_t>(text.data());
  std::memcpy(&word, text.data(), text.size());
  return word;
}

// ---------------------------------------------------------------------------------------- analyze

struct Candidate {
  Symbol symbol;
  std::uint64_t gain = 0;
};

// How often each code occurs in a sample, and each pair: bytes are 0..255, symbols follow.
struct Counts {
  std::array<std::uint32_t, kCounted> one{};
  std::vector<std::uint32_t> two = std::vector<std::uint32_t>(kCounted * kCounted);

  void add(std::size_t before, std::size_t code) {
    ++one[code];
    if (before != kCounted) ++two[before * kCounted + code];
  }
};

Counts counts_of(const SymbolTable& table, BytesView sample) {
  Counts out;
  std::size_t before = kCounted;  // none
  while (!sample.empty()) {
    const int code = table.longest(sample);
    const auto byte = std::to_integer<std::size_t>(sample[0]);
    const std::size_t bytes = code < 0 ? 1 : table.symbols()[static_cast<std::size_t>(code)].bytes;
    const std::size_t now = code < 0 ? byte : kBytesCodes + static_cast<std::size_t>(code);
    out.add(before, now);
    if (bytes > 1) out.add(before, byte);  // so that shorter ones can grow elsewhere
    before = now;
    sample = sample.subspan(bytes);
  }
  return out;
}

std::vector<Candidate> candidates_of(const SymbolTable& table, const Counts& counts) {
  const auto symbol = [&](std::size_t code) {
    return code < kBytesCodes ? Symbol{code, 1} : table.symbols()[code - kBytesCodes];
  };
  const std::size_t codes = kBytesCodes + table.symbols().size();
  std::vector<Candidate> out;
  for (std::size_t a = 0; a < codes; ++a) {
    if (counts.one[a] == 0) continue;
    const Symbol one = symbol(a);
    // A byte without a symbol costs two.
    out.push_back({one, std::uint64_t{counts.one[a]} * (one.bytes == 1 ? 8 : one.bytes)});
    for (std::size_t b = 0; b < codes && one.bytes < kSymbolBytesMax; ++b) {
      const std::uint32_t times = counts.two[a * kCounted + b];
      if (times < 2) continue;
      const Symbol two = symbol(b);
      const std::uint64_t bytes = std::min<std::uint64_t>(one.bytes + two.bytes, kSymbolBytesMax);
      out.push_back({{(one.text | two.text << (one.bytes * 8)) & mask_of(bytes),
                      static_cast<std::uint8_t>(bytes)},
                     times * bytes});
    }
  }
  return out;
}

// The best of them, each once.
std::vector<Symbol> best_of(std::vector<Candidate> all) {
  const auto key = [](const Candidate& of) { return std::pair(of.symbol.text, of.symbol.bytes); };
  std::ranges::sort(all, {}, key);
  std::vector<Candidate> once;
  for (const Candidate& candidate : all) {
    if (!once.empty() && once.back().symbol == candidate.symbol)
      once.back().gain += candidate.gain;
    else
      once.push_back(candidate);
  }
  std::ranges::sort(once, {}, [](const Candidate& of) {
    return std::tuple(~of.gain, of.symbol.text, of.symbol.bytes);
  });
  std::vector<Symbol> out;
  for (const Candidate& candidate : once) {
    if (candidate.gain < kGainMin || out.size() == kSymbolsMax) break;
    out.push_back(candidate.symbol);
  }
  return out;
}

}  // namespace

SymbolTable::SymbolTable(std::vector<Symbol> symbols)
    : symbols_(std::move(symbols)), first_((1u << 16) + 1) {
  OTO_INVARIANT(symbols_.size() <= kSymbolsMax);
  single_.fill(-1);
  for (std::size_t code = 0; code < symbols_.size(); ++code) {
    const Symbol& symbol = symbols_[code];
    if (symbol.bytes == 1) {
      single_[symbol.text] = static_cast<std::int16_t>(code);
    } else {
      order_.push_back(static_cast<std::uint8_t>(code));
      ++first_[(symbol.text & 0xffff) + 1];
    }
  }
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  // By their first two bytes, the longest first.
  std::ranges::sort(order_, {}, [&](std::uint8_t code) {
    return std::tuple(symbols_[code].text & 0xffff, kSymbolBytesMax - symbols_[code].bytes, code);
  });
}

SymbolTable SymbolTable::build(BytesView sample) {
  SymbolTable table;
  for (int round = 0; round < kRounds; ++round)
    table = SymbolTable(best_of(candidates_of(table, counts_of(table, sample))));
  return table;
}

int SymbolTable::longest(BytesView text) const noexcept {
  const std::uint64_t word = word_at(text);
  if (text.size() >= 2) {
    const std::uint16_t end = first_[(word & 0xffff) + 1];
    for (std::uint16_t i = first_[word & 0xffff]; i < end; ++i) {
      const Symbol& symbol = symbols_[order_[i]];
      if (symbol.bytes <= text.size() && (word & mask_of(symbol.bytes)) == symbol.text)
        return order_[i];
    }
  }
  return single_[word & 0xff];
}

// ----------------------------------------------------------------------------------------- encode

void SymbolTable::write(ByteWriter& out) const {
  out.put(static_cast<std::uint32_t>(symbols_.size()));
  out.put_zeros(4);
  for (const Symbol& symbol : symbols_) out.put(symbol.bytes);
  out.align(8);
  for (const Symbol& symbol : symbols_) out.put(symbol.text);
}

void SymbolTable::pack(BytesView text, ByteWriter& out) const {
  Bytes packed(text.size() * 2);
  std::size_t at = 0;
  while (!text.empty()) {
    const int code = longest(text);
    if (code < 0) {
      packed[at++] = std::byte{kEscape};
      packed[at++] = text[0];
      text = text.subspan(1);
    } else {
      packed[at++] = static_cast<std::byte>(code);
      text = text.subspan(symbols_[static_cast<std::size_t>(code)].bytes);
    }
  }
  out.put_bytes(BytesView(packed).first(at));
}

// ----------------------------------------------------------------------------------------- decode

namespace {

// A table without flaw, by code; of codes that are none and of the escape the length is 0.
struct Codes {
  std::array<std::uint64_t, 256> text{};
  std::array<std::uint8_t, 256> bytes{};

  explicit Codes(BytesView table) noexcept {
    const std::uint64_t count = load_le<std::uint32_t>(table.data());
    std::memcpy(bytes.data(), &table[kHeadBytes], count);
    std::memcpy(text.data(), table.data() + align_up(kHeadBytes + count, 8), count * 8);
  }
};

}  // namespace

std::string_view symbols_flaw(BytesView table) noexcept {
  if (table.size() < kHeadBytes) return "its table of symbols is cut short";
  const std::uint64_t count = load_le<std::uint32_t>(table.data());
  if (count > kSymbolsMax) return "its table has too many symbols";
  const std::uint64_t texts = align_up(kHeadBytes + count, 8);
  if (load_le<std::uint32_t>(&table[4]) != 0 || table.size() != texts + count * 8)
    return "its table of symbols has a wrong size";
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto bytes = load_le<std::uint8_t>(&table[kHeadBytes + i]);
    if (bytes == 0 || bytes > kSymbolBytesMax) return "a symbol has an impossible length";
    if ((load_le<std::uint64_t>(&table[texts + i * 8]) & ~mask_of(bytes)) != 0)
      return "a symbol is longer than it says";
  }
  const BytesView filled = table.subspan(kHeadBytes + count, texts - kHeadBytes - count);
  return all_zero(filled) ? "" : "a reserved byte is not zero";
}

bool symbols_size(BytesView table, BytesView packed, std::uint64_t* bytes) noexcept {
  const Codes codes(table);
  std::uint64_t sum = 0;
  bool sound = true;
  for (std::size_t i = 0; i < packed.size(); ++i) {
    const auto code = std::to_integer<std::uint8_t>(packed[i]);
    if (code == kEscape) ++i;
    const std::uint8_t size = code == kEscape ? std::uint8_t{1} : codes.bytes[code];
    sound &= size != 0 && i < packed.size();
    sum += size;
  }
  *bytes = sum;
  return sound;
}

void symbols_unpack(BytesView table, BytesView packed, std::byte* out,
                    std::uint64_t size) noexcept {
  const Codes codes(table);
  const std::byte* at = packed.data();
  const std::byte* const end = at + packed.size();
  const std::byte* const out_end = out + size;
  // A store writes 8 bytes, of which the next one overwrites what was too many.
  while (at < end && static_cast<std::uint64_t>(out_end - out) >= kSymbolBytesMax) {
    const auto code = std::to_integer<std::uint8_t>(*at++);
    if (code != kEscape) [[likely]] {
      store_le(out, codes.text[code]);
      out += codes.bytes[code];
    } else if (at < end) {
      *out++ = *at++;
    }
  }
  while (at < end) {
    const auto code = std::to_integer<std::uint8_t>(*at++);
    const std::uint64_t text = code != kEscape ? codes.text[code]
                               : at < end      ? std::to_integer<std::uint64_t>(*at++)
                                               : 0;
    const std::uint64_t bytes = std::min<std::uint64_t>(code != kEscape ? codes.bytes[code] : 1,
                                                        static_cast<std::uint64_t>(out_end - out));
    std::memcpy(out, &text, bytes);
    out += bytes;
  }
}

}  // namespace otolith::codec
