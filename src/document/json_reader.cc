#include "document/json_reader.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "document/builder.h"
#include "model/utf8.h"

namespace otolith::document {

namespace {

// Of a number other than 0 that no float64 is near: whether it is too small, not too large.
bool is_tiny(std::string_view digits) noexcept {
  if (digits.starts_with('-')) digits.remove_prefix(1);
  const std::size_t mark = std::min(digits.find_first_of("eE"), digits.size());
  long exponent = 0;
  if (mark != digits.size()) {
    std::string_view power = digits.substr(mark + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    const auto [end, error] = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (error != std::errc()) return power.starts_with('-');
  }
  const std::size_t point = std::min(digits.find('.'), mark);
  const std::size_t first = digits.find_first_of("123456789");
  const long place =
      first < point ? static_cast<long>(point - first) : -static_cast<long>(first - point - 1);
  return exponent + place < 0;
}

// Where a text in quotes begins, given what is behind it: the quotes within it are escaped.
std::size_t text_begin(std::string_view text, std::size_t end) noexcept {
  for (std::size_t at = end - 1; at-- != 0;) {
    if (text[at] != '"') continue;
    std::size_t slashes = 0;
    while (slashes < at && text[at - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) return at;
  }
  return 0;
}

// What the parser tells, written down. What is refused ends the parsing.
class Writing : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Writing> {
 public:
  Writing(std::string_view text, const rapidjson::MemoryStream& stream, Builder& out)
      : text_(text), stream_(stream), out_(out) {}

  bool Null() {
    if (!within()) return false;
    out_.null();
    return true;
  }
  bool Bool(bool truth) {
    if (!within()) return false;
    out_.boolean(truth);
    return true;
  }
  bool RawNumber(const char* digits, rapidjson::SizeType bytes, bool) {
    if (!within()) return false;
    return number({digits, bytes});
  }
  bool String(const char* text, rapidjson::SizeType bytes, bool) {
    if (!within() || !utf8({text, bytes})) return false;
    out_.string({text, bytes});
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType bytes, bool) {
    if (!utf8({text, bytes})) return false;
    out_.key({text, bytes}, static_cast<std::uint32_t>(here()));
    return true;
  }
  bool StartObject() {
    if (!not_too_deep()) return false;
    out_.begin_map();
    return true;
  }
  bool StartArray() {
    if (!within() || !not_too_deep()) return false;
    out_.begin_array();
    return true;
  }
  bool EndObject(rapidjson::SizeType) {
    if (const auto twice = out_.end_or_twice()) {
      return refuse(text_begin(text_, twice->mark),
                    fmt::format("the key {} is there twice", quoted(twice->key)));
    }
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    out_.end();
    return true;
  }

  // Why it was refused, and where; empty where it was not.
  std::string why{};
  std::size_t where = 0;
  ErrorCode code = ErrorCode::invalid_argument;

 private:
  std::size_t here() const { return stream_.Tell(); }

  bool refuse(std::size_t at, std::string reason) {
    where = at;
    why = std::move(reason);
    return false;
  }
  // Of what is no object: documents are.
  bool within() { return out_.depth() != 0 || refuse(0, "a document is an object, {\"name\": …}"); }
  bool not_too_deep() {
    if (out_.depth() < kDocumentDepthMax) return true;
    code = ErrorCode::limit;
    return refuse(here() - 1, fmt::format("a document has more than {} levels of objects and "
                                          "arrays; flatten it",
                                          kDocumentDepthMax));
  }
  bool utf8(std::string_view text) {
    if (model::utf8_valid(text) || mutant("document-text-unchecked")) return true;
    return refuse(text_begin(text_, here()),
                  "a text is no UTF-8, or holds half of a surrogate pair");
  }

  bool number(std::string_view digits) {
    const bool whole = digits.find_first_of(".eE") == std::string_view::npos;
    return whole && !mutant("document-integers-as-floats") ? integer(digits) : real(digits);
  }

  bool integer(std::string_view digits) {
    const char* const begin = digits.data();
    const char* const end = begin + digits.size();
    std::int64_t number = 0;
    if (std::from_chars(begin, end, number).ec == std::errc()) {
      out_.integer(number);
      return true;
    }
    std::uint64_t large = 0;
    const auto [at, error] = std::from_chars(begin, end, large);
    if (error != std::errc() || at != end) {
      return refuse(here() - digits.size(),
                    fmt::format("the integer {} has more than 64 bits; write it as text, or as a "
                                "float with .0 behind it",
                                cut(digits)));
    }
    out_.unsigned_integer(large);
    return true;
  }

  bool real(std::string_view digits) {
    double number = 0;
    const auto error = std::from_chars(digits.data(), digits.data() + digits.size(), number).ec;
    if (error == std::errc::result_out_of_range) {
      if (!is_tiny(digits)) {
        return refuse(here() - digits.size(),
                      fmt::format("the number {} is beyond what a float64 holds; write it as text",
                                  cut(digits)));
      }
      number = digits.starts_with('-') ? -0.0 : 0.0;
    }
    out_.float64(number);
    return true;
  }

  static std::string cut(std::string_view digits) {
    constexpr std::size_t kShown = 40;
    return std::string(digits.substr(0, kShown)) + (digits.size() > kShown ? "…" : "");
  }

  std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  Builder& out_;
};

std::string reason_of(const rapidjson::ParseResult& result) {
  if (result.Code() == rapidjson::kParseErrorNumberTooBig)
    return "a number is beyond what a float64 holds; write it as text";
  std::string out = rapidjson::GetParseError_En(result.Code());
  if (out.ends_with('.')) out.pop_back();
  return "it is no JSON: " + out;
}

}  // namespace

std::string json_place(std::string_view text, std::size_t offset, const JsonOrigin& origin) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::uint64_t line =
      origin.line + static_cast<std::uint64_t>(std::ranges::count(before, '\n'));
  const std::string_view on_line = before.substr(before.rfind('\n') + 1);
  const auto column = 1 + std::ranges::count_if(on_line, [](char c) {
                        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
                      });
  if (origin.name.empty()) return fmt::format("JSON line {}, column {}", line, column);
  return fmt::format("{}:{}:{}", origin.name, line, column);
}

class JsonReader::Parser {
 public:
  Bytes read(std::string_view text, const JsonOrigin& origin) {
    if (text.size() > kJsonTextBytesMax) {
      throw_error(ErrorCode::limit, "{}: a document has more than {} bytes as JSON; split it",
                  json_place(text, 0, origin), kJsonTextBytesMax);
    }
    out_.clear();
    rapidjson::MemoryStream stream(text.data(), text.size());
    Writing writing(text, stream, out_);
    try {
      const rapidjson::ParseResult result =
          parser_.Parse<rapidjson::kParseNumbersAsStringsFlag>(stream, writing);
      if (writing.why.empty() && result.IsError()) {
        writing.why = reason_of(result);
        writing.where = result.Offset();
      }
      if (writing.why.empty() && stream.Tell() != text.size()) {
        writing.why = "a NUL character follows the document";
        writing.where = stream.Tell();
      }
      if (writing.why.empty()) return out_.take();
    } catch (const Error& error) {  // too large
      throw_error(error.code(), "{}: {}", json_place(text, stream.Tell(), origin), error.message());
    }
    throw_error(writing.code, "{}: {}", json_place(text, writing.where, origin), writing.why);
  }

 private:
  rapidjson::Reader parser_;
  Builder out_;
};

JsonReader::JsonReader() : parser_(std::make_unique<Parser>()) {}
JsonReader::~JsonReader() = default;
JsonReader::JsonReader(JsonReader&&) noexcept = default;

Bytes JsonReader::read(std::string_view text, const JsonOrigin& origin) {
  return parser_->read(text, origin);
}

Bytes from_json(std::string_view text) { return JsonReader().read(text); }

}  // namespace otolith::document
