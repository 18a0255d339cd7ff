// Kernels and codecs in cache, one thread, in GB of decoded bytes a second.
//
//   codec_bench kernels [ROUNDS]    a block of 1,024 values at a time
//   codec_bench codecs [ROUNDS]     a chunk of 65,536 rows of typical columns, and bits a value
//   codec_bench all FOLDER [ROUNDS] blocks of each codec beside a plain loop
//   codec_bench file TYPE FILE [GROUP_ROWS]   a column out of a file under `hot` and `small`: plain
//                                   values one behind another, of text lines
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <sstream>
#include <string>

#include "base/bytes.h"
#include "bench/measure.h"
#include "codec/bits.h"
#include "codec/registry.h"
#include "model/array.h"
#include "otolith/decimal.h"

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

// What a loop of such loads and stores reaches where there is nothing to unpack.
#ifdef __x86_64__
__attribute__((target("avx2")))
#endif
void plain(const std::uint64_t* in, std::uint64_t base, std::uint64_t* out) {
  for (std::size_t i = 0; i < kBlockRows; ++i) out[i] = in[i] + base;
}

void kernels(int rounds) {
  std::mt19937_64 random(1);
  alignas(64) std::array<std::uint64_t, kBlockRows> values{};
  alignas(64) std::array<std::uint64_t, kBlockRows> out{};
  std::array<std::uint64_t, kBlockRows> words{};
  std::uint64_t base = 1;
  report("plain loop: out[i] = in[i] + base", gigabytes(rounds, [&] {
           touch(&base);
           plain(values.data(), base, out.data());
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

// A chunk whose row i has these bits.
Array chunk_of(TypeKind kind, const std::function<std::uint64_t(std::uint64_t)>& bits) {
  Array out{.type = {kind}, .length = kRowGroupRowsMax};
  std::byte* data = nullptr;
  out.values = buffer_allocate(kRowGroupRowsMax * 8, &data);
  for (std::uint64_t row = 0; row < kRowGroupRowsMax; ++row) store_le(data + row * 8, bits(row));
  return out;
}

// Encoding of chunks, and decoding of one block again and again, in GB of values a second.
struct Rates {
  const codec::Codec* codec = nullptr;
  double bits = 0;
  double encode = 0;
  double decode = 0;
};

Rates rates_of(int rounds, const Array& chunk) {
  Rates out;
  out.codec = &codec::codec_choose(codec::Profile::hot, chunk);
  const codec::EncodedChunk encoded = codec::chunk_parts(*out.codec, chunk, kBlockRows);
  out.bits = double(encoded.values.bytes.size()) * 8 / double(chunk.length);
  std::vector<double> samples;
  for (int round = 0; round < rounds; ++round) {
    samples.push_back(
        bench::seconds_of([&] { codec::chunk_parts(*out.codec, chunk, kPageRowsMax); }));
  }
  out.encode = double(chunk.length) * 8 / bench::quantile(samples, 0.5) / 1e9;
  const codec::PagePlace& at = encoded.pages[encoded.pages.size() / 2];
  const codec::Parts parts{
      {}, {}, {nullptr, encoded.values.bytes.subspan(at.values_at, at.values_bytes)}, 0};
  alignas(64) std::array<std::uint64_t, kBlockRows> values{};
  auto* to = reinterpret_cast<std::byte*>(values.data());
  out.decode = gigabytes(rounds, [&] {
    out.codec->decode(parts, {chunk.type, kBlockRows}, {to, nullptr, 0});
    touch(to);
  });
  return out;
}

void codec_figures(int rounds, const std::string& name, const Array& chunk) {
  const codec::Codec& codec = codec::codec_choose(codec::Profile::hot, chunk);
  const std::uint32_t width = type_width(chunk.type);
  const codec::EncodedChunk encoded = codec::chunk_parts(codec, chunk, kPageRowsMax);
  const std::string side = name + ": " + std::string(codec.name());
  bench::report_value("codec", side, "bits a value",
                      double(encoded.values.bytes.size()) * 8 / double(chunk.length));
  const auto rate = [&](const std::function<void()>& work) {
    std::vector<double> samples;
    for (int round = 0; round < rounds; ++round) samples.push_back(bench::seconds_of(work));
    return double(chunk.length) * width / bench::quantile(samples, 0.5) / 1e9;
  };
  report(side + ", choose", rate([&] { codec::codec_choose(codec::Profile::hot, chunk); }));
  report(side + ", encode", rate([&] { codec::chunk_parts(codec, chunk, kPageRowsMax); }));
  if (codec.mappable()) return;
  Bytes out(chunk.length * width);
  report(side + ", decode", rate([&] {
           for (std::uint64_t page = 0; page < encoded.pages.size(); ++page) {
             const codec::PagePlace& at = encoded.pages[page];
             const codec::Parts parts{
                 {}, {}, {nullptr, encoded.values.bytes.subspan(at.values_at, at.values_bytes)}, 0};
             codec.decode(parts, {chunk.type, kPageRowsMax},
                          {&out[page * kPageRowsMax * width], nullptr, 0});
           }
           touch(out.data());
         }));
}

// Booleans and decimals, whose values are no 8 bytes.
void other_widths(int rounds) {
  std::mt19937_64 random(1);
  model::ArrayBuilder truths({TypeKind::boolean});
  model::ArrayBuilder amounts({TypeKind::decimal, 12, 2});
  model::ArrayBuilder longs({TypeKind::decimal, 38, 10});
  for (std::uint64_t row = 0; row < kRowGroupRowsMax; ++row) {
    truths.append_value(static_cast<std::uint8_t>(random() % 2));
    amounts.append_value(decimal_of(static_cast<std::int64_t>(random() % 20'000)));
    longs.append_value(Decimal{random(), static_cast<std::int64_t>(random() % 1000)});
  }
  codec_figures(rounds, "booleans", truths.finish());
  codec_figures(rounds, "amounts up to 200 as decimal(12,2)", amounts.finish());
  codec_figures(rounds, "decimals of up to 22 digits", longs.finish());
}

// Symbols of four letters, skewed: in GB of plain text and offsets.
void text_figures(int rounds) {
  std::mt19937_64 random(1);
  model::ArrayBuilder builder({TypeKind::string});
  for (std::uint64_t row = 0; row < kRowGroupRowsMax; ++row) {
    const std::uint64_t one = std::min(random() % 1000, random() % 1000);
    builder.append_text("S" + std::to_string(100 + one));
  }
  const Array chunk = builder.finish();
  const codec::Codec& codec = codec::codec_choose(codec::Profile::hot, chunk);
  const codec::EncodedChunk encoded = codec::chunk_parts(codec, chunk, kPageRowsMax);
  const double plain = double(chunk.values.bytes.size() + chunk.offsets.bytes.size());
  const double stored = double(encoded.values.bytes.size() + encoded.offsets.bytes.size());
  const std::string side = "1,000 symbols: " + std::string(codec.name());
  bench::report_value("codec", side, "bits a value", stored * 8 / double(chunk.length));
  const auto rate = [&](const std::function<void()>& work) {
    std::vector<double> samples;
    for (int round = 0; round < rounds; ++round) samples.push_back(bench::seconds_of(work));
    return plain / bench::quantile(samples, 0.5) / 1e9;
  };
  report(side + ", choose", rate([&] { codec::codec_choose(codec::Profile::hot, chunk); }));
  report(side + ", encode", rate([&] { codec::chunk_parts(codec, chunk, kPageRowsMax); }));
  std::vector<codec::Page> pages;
  for (const codec::PagePlace& at : encoded.pages) {
    pages.push_back({{{},
                      encoded.offsets,
                      {nullptr, encoded.values.bytes.subspan(at.values_at, at.values_bytes)},
                      0},
                     {chunk.type, kPageRowsMax}});
  }
  report(side + ", decode",
         rate([&] { touch(codec::pages_decode(codec, pages).values.bytes.data()); }));
}

struct Column {
  std::string name;
  Array chunk;
};

std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }

std::vector<Column> integer_columns(std::mt19937_64& random) {
  std::uint64_t counter = 0;
  std::poisson_distribution<std::uint64_t> steps(10);
  return {
      {"small integers", chunk_of(TypeKind::int64, [&](std::uint64_t) { return random() % 1000; })},
      {"counter, Poisson steps",
       chunk_of(TypeKind::int64, [&](std::uint64_t) { return counter += steps(random); })},
      {"ms times with jitter", chunk_of(TypeKind::timestamp, [&](std::uint64_t row) {
         return (row * 1000 + random() % 16) * 1'000'000;
       })}};
}

std::vector<Column> float_columns(std::mt19937_64& random) {
  std::int64_t price = 10'000;
  std::normal_distribution<double> noise;
  return {
      {"amounts, 2 decimals",
       chunk_of(TypeKind::float64,
                [&](std::uint64_t) { return bits_of(double(random() % 20'000) / 100); })},
      {"tick price, 2 decimals", chunk_of(TypeKind::float64,
                                          [&](std::uint64_t) {
                                            price += std::int64_t(random() % 3) - 1;
                                            return bits_of(double(price) / 100);
                                          })},
      {"temperature, 2 decimals",
       chunk_of(TypeKind::float64,
                [&](std::uint64_t row) {
                  const double value = 15 + 8 * std::sin(double(row) / 3000) + 0.05 * noise(random);
                  return bits_of(std::round(value * 100) / 100);
                })},
      {"W1 uniform(0,100)",
       chunk_of(TypeKind::float64,
                [&](std::uint64_t) { return bits_of(double(random() >> 11) * 0x1p-53 * 100); })},
      {"volts of a converter",
       chunk_of(TypeKind::float64,
                [&](std::uint64_t) { return bits_of(double(random() % 4096) * (3.3 / 4096)); })},
      {"normal(0,1)",
       chunk_of(TypeKind::float64, [&](std::uint64_t) { return bits_of(noise(random)); })}};
}

void codecs(int rounds) {
  other_widths(rounds);
  text_figures(rounds);
  std::mt19937_64 random(1);
  codec_figures(rounds, "W1 time",
                chunk_of(TypeKind::timestamp, [](std::uint64_t row) { return row * 267'840'000; }));
  codec_figures(rounds, "W1 n", chunk_of(TypeKind::int64, [](std::uint64_t row) { return row; }));
  for (const Column& column : integer_columns(random))
    codec_figures(rounds, column.name, column.chunk);
  for (const Column& column : float_columns(random))
    codec_figures(rounds, column.name, column.chunk);
}

// Figures of row 22; bench/run.py knows the names of those that have a goal.
void beside_plain(int rounds) {
  const auto say = [](const std::string& side, double figure, const std::string& note = "") {
    bench::report_value("22", side, "GB/s", figure, note);
  };
  std::mt19937_64 random(1);
  alignas(64) std::array<std::uint64_t, kBlockRows> values{};
  alignas(64) std::array<std::uint64_t, kBlockRows> out{};
  std::uint64_t base = 1;
  say("plain loop: out[i] = in[i] + base", gigabytes(rounds, [&] {
        touch(&base);
        plain(values.data(), base, out.data());
        touch(out.data());
      }));
  for (std::uint64_t& value : values) value = random() >> (64 - 13);
  std::array<std::uint64_t, kBlockRows> packed{};
  auto* bytes = reinterpret_cast<std::byte*>(packed.data());
  codec::pack(values.data(), kBlockRows, 13, 0, bytes);
  say("unpack, 13 bits", gigabytes(rounds, [&] {
        codec::unpack(bytes, kBlockRows, 13, base, out.data());
        touch(out.data());
      }));
  std::vector<Column> columns = integer_columns(random);
  for (Column& column : float_columns(random)) columns.push_back(std::move(column));
  for (const Column& column : columns) {
    const Rates rates = rates_of(rounds, column.chunk);
    const std::string name = std::string(rates.codec->name()) + ": " + column.name;
    const std::string note = fmt::format("{:.1f} bits a value", rates.bits);
    say("decode " + name, rates.decode, note);
    say("encode " + name, rates.encode);
  }
}

Array column_of(Type type, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  model::ArrayBuilder builder(type);
  if (model::is_text(type)) {
    for (std::string line; std::getline(file, line);) builder.append_text(line);
    return builder.finish();
  }
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  const BytesView bytes = as_bytes_view(all);
  for (std::size_t at = 0; at + type_width(type) <= bytes.size(); at += type_width(type))
    builder.append(bytes.subspan(at, type_width(type)));
  return builder.finish();
}

// Pages of a chunk with what they need to be decoded.
std::vector<codec::Page> pages_of(const Array& chunk, const codec::EncodedChunk& encoded) {
  std::vector<codec::Page> out;
  std::uint64_t rows = 0;
  for (const codec::PagePlace& at : encoded.pages) {
    codec::Page page;
    page.parts = {{},
                  encoded.offsets,
                  {nullptr, encoded.values.bytes.subspan(at.values_at, at.values_bytes)},
                  0};
    page.facts = {chunk.type, std::min<std::uint64_t>(kPageRowsMax, chunk.length - rows)};
    rows += page.facts.rows;
    out.push_back(page);
  }
  return out;
}

// Seconds of the processor, the least of a few calls: others use the machine too.
double least_s(const std::function<void()>& work) {
  double least = 1e9;
  for (int call = 0; call < 5; ++call) {
    const std::clock_t began = std::clock();
    work();
    least = std::min(least, double(std::clock() - began) / CLOCKS_PER_SEC);
  }
  return least;
}

void file_figures(Type type, const std::string& path, std::uint64_t group_rows) {
  const Array column = column_of(type, path);
  Bytes room(column.values.bytes.size());  // of any chunk
  Bytes offsets((group_rows + 1) * sizeof(std::int64_t));
  for (const codec::Profile profile : {codec::Profile::hot, codec::Profile::small}) {
    std::map<std::string, int> names;
    double plain = 0;
    double stored = 0;
    double encode_s = 0;
    double decode_s = 0;
    for (std::uint64_t first = 0; first < column.length; first += group_rows) {
      const Array chunk =
          model::array_slice(column, first, std::min(group_rows, column.length - first));
      codec::EncodedChunk encoded;
      const codec::Codec* codec = nullptr;
      encode_s += least_s([&] {
        codec = &codec::codec_choose(profile, chunk);
        encoded = codec::chunk_parts(*codec, chunk, kPageRowsMax);
      });
      ++names[std::string(codec->name())];
      plain += double(model::array_plain_bytes(chunk));
      stored += double(encoded.values.bytes.size() + encoded.offsets.bytes.size());
      if (codec->mappable()) continue;
      decode_s += least_s([&, pages = pages_of(chunk, encoded)]() mutable {
        codec::Room to{room.data(), offsets.data(), 0};
        const auto prepared = codec->prepare(encoded.offsets.bytes);
        for (codec::Page& page : pages) {
          page.parts.prepared = prepared;
          codec->decode(page.parts, page.facts, to);
          const std::uint64_t bytes = codec->decoded_bytes(page.parts, page.facts);
          to = {to.values + bytes, to.offsets + page.facts.rows * 8, to.text_at + bytes};
        }
        touch(room.data());
      });
    }
    std::ostringstream chosen;
    for (const auto& [name, times] : names) chosen << name << ' ' << times << ' ';
    const std::string side = path.substr(path.rfind('/') + 1) +
                             (profile == codec::Profile::hot ? " hot: " : " small: ") +
                             chosen.str();
    bench::report_value("codec", side, "bytes", stored);
    bench::report_value("codec", side, "bits a value", stored * 8 / double(column.length));
    report(side + "encode", plain / encode_s / 1e9);
    if (decode_s > 0) report(side + "decode", plain / decode_s / 1e9);
  }
}

}  // namespace
}  // namespace otolith

int main(int count, char** arguments) {
  if (count > 3 && std::string(arguments[1]) == "file") {
    const std::uint64_t rows = count > 4 ? std::strtoull(arguments[4], nullptr, 10) : 65'536;
    otolith::file_figures(otolith::type_parse(arguments[2]), arguments[3], rows);
    return 0;
  }
  const std::string mode = count > 1 ? arguments[1] : "";
  const int at = mode == "all" ? 3 : 2;
  const int rounds = count > at ? std::atoi(arguments[at]) : 40;
  if (mode == "kernels") otolith::kernels(rounds);
  if (mode == "codecs") otolith::codecs(rounds);
  if (mode == "all") otolith::beside_plain(rounds);
  return mode.empty() ? 2 : 0;
}
