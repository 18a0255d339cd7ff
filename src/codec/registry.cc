#include "codec/registry.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "base/limits.h"
#include "base/mutant.h"
#include "base/mutex.h"
#include "codec/alp.h"
#include "codec/alp_rd.h"
#include "codec/bitmap.h"
#include "codec/bodies.h"
#include "codec/constant.h"
#include "codec/decimal.h"
#include "codec/dictionary.h"
#include "codec/frame.h"
#include "codec/lattice.h"
#include "codec/lengths.h"
#include "codec/linear.h"
#include "codec/planes.h"
#include "codec/pressed.h"
#include "codec/raw.h"
#include "codec/rle.h"
#include "codec/text.h"
#include "model/array.h"

namespace otolith::codec {

namespace {

// A chunk of 8 pages that `constant` or `linear` describes.
constexpr std::uint64_t kBytesOfAModel = 128;
// A dense codec has to save one in so many bytes.
constexpr std::uint64_t kDenseWorth = 50;
// Finding symbols takes a good part of a millisecond, and their table up to 2 KiB.
constexpr std::uint64_t kBytesWorthSymbols = 8192;

// How fast a codec is read, measured: within one class by less than what it saves in bytes.
enum class Speed : std::uint8_t { view, model, packed, summed, pressed };

Speed speed_of(CodecId id) noexcept {
  switch (id) {
    case CodecId::raw:
      return Speed::view;
    case CodecId::constant:
    case CodecId::linear:
      return Speed::model;
    case CodecId::frame:
    case CodecId::alp:
    case CodecId::lattice:
    case CodecId::alp_rd:
    case CodecId::bodies:  // one of its texts, which is what is asked for
      return Speed::packed;
    case CodecId::lz4:
    case CodecId::zstd:
    case CodecId::planes:
      return Speed::pressed;
    default:
      return Speed::summed;
  }
}

// Codecs of users; ours are found without a lock.
struct UserCodecs {
  SharedMutex mutex;
  // Never erased.
  std::map<std::uint16_t, std::unique_ptr<const Codec>> by_id OTO_GUARDED_BY(mutex);
};

UserCodecs& user_codecs() {
  static UserCodecs codecs;
  return codecs;
}

constexpr std::size_t kOurIds = 32;  // ours are below

const Codec* ours(CodecId id) noexcept {
  static const auto by_id = [] {
    std::array<const Codec*, kOurIds> out{};
    for (const Codec* codec : our_codecs()) out.at(std::size_t(codec->key().id)) = codec;
    return out;
  }();
  return std::size_t(id) < kOurIds ? by_id[std::size_t(id)] : nullptr;
}

// Asked for every page that is read.
const Codec* find(CodecId id) {
  if (const Codec* codec = ours(id)) return codec;
  UserCodecs& users = user_codecs();
  const ReadLock lock(users.mutex);
  const auto found = users.by_id.find(static_cast<std::uint16_t>(id));
  return found == users.by_id.end() ? nullptr : found->second.get();
}

[[noreturn]] void refuse(std::string message, const std::string& file, std::uint64_t offset) {
  throw_error(ErrorCode::unsupported_format, std::move(message), ErrorWhere{file, offset, {}});
}

}  // namespace

std::span<const Codec* const> our_codecs() noexcept {
  static const std::array codecs{&raw_codec(),    &constant_codec(), &linear_codec(),
                                 &frame_codec(),  &alp_codec(),      &lattice_codec(),
                                 &alp_rd_codec(), &delta_codec(),    &rle_codec(),
                                 &bitmap_codec(), &decimal_codec(),  &dictionary_codec(),
                                 &text_codec(),   &lz4_codec(),      &bodies_codec(),
                                 &planes_codec(), &zstd_codec(),     &dictionary_small_codec()};
  return codecs;
}

const Codec& codec_for(CodecKey key, const std::string& file, std::uint64_t offset,
                       std::string_view name) {
  const auto id = static_cast<std::uint16_t>(key.id);
  const Codec* codec = find(key.id);
  if (codec == nullptr && id >= kUserCodecFirst) {
    refuse(fmt::format("a column chunk needs codec {} (id {}, version {}) of a user, which this "
                       "process has not registered; call otolith::codec_register with it before "
                       "reading",
                       quoted(name), id, key.version),
           file, offset);
  }
  if (codec == nullptr) {
    refuse(fmt::format("a column chunk needs codec {} (version {}), which is not known here; read "
                       "it with a newer Otolith",
                       id, key.version),
           file, offset);
  }
  if (!name.empty() && name != codec->name() && !mutant("user-codec-name-ignored")) {
    refuse(fmt::format("a column chunk needs codec {}, and {} is registered with its id {}; "
                       "register the codec that wrote it",
                       quoted(name), quoted(codec->name()), id),
           file, offset);
  }
  if (key.version == 0 || key.version > codec->key().version) {
    refuse(fmt::format(
               "a column chunk needs version {} of codec {} ({}); this build knows versions up "
               "to {}: read it with a newer one",
               key.version, id, codec->name(), codec->key().version),
           file, offset);
  }
  return *codec;
}

Profile profile_of(std::string_view name) {
  if (name == "hot") return Profile::hot;
  if (name == "small") return Profile::small;
  if (name == "raw") return Profile::raw;
  throw_error(ErrorCode::invalid_argument,
              "there is no codec profile {}; the profiles are \"hot\", \"small\" and \"raw\"",
              quoted(name));
}

const Codec& codec_choose(Profile profile, const Array& chunk, std::uint32_t page_rows) {
  OTO_INVARIANT(raw_codec().fits(chunk.type));
  if (profile == Profile::raw || chunk.length == 0) return raw_codec();
  const std::uint64_t raw_bytes = *raw_codec().analyze(chunk);
  // What saves less than a twentieth is not worth losing views of the file.
  const std::uint64_t worth = profile == Profile::hot ? raw_bytes - raw_bytes / 20 : raw_bytes;
  const std::uint64_t judged = mutant("text-judged-by-large-pages") ? kPageRowsMax : page_rows;
  const bool long_texts = model::is_text(chunk.type) && text_too_long(chunk, judged);
  std::vector<std::pair<const Codec*, std::uint64_t>> costs;
  std::uint64_t least = worth;
  for (const Codec* codec : our_codecs().subspan(1)) {
    // A general compressor takes longer to ask than others, and is for what they cannot shrink.
    if (codec == &lz4_codec() && least < raw_bytes - raw_bytes / 4) continue;
    // Nor does text get so small: building a table costs more than the dictionary that did.
    if (codec == &text_codec() && (least < raw_bytes / 4 || raw_bytes < kBytesWorthSymbols)) {
      continue;
    }
    if (!codec->fits(chunk.type) || (codec->dense() && profile != Profile::small)) continue;
    if (long_texts && codec->limits_text()) continue;
    auto bytes = codec->analyze(chunk);
    if (bytes && codec->dense()) *bytes += *bytes / kDenseWorth;
    if (!bytes || *bytes >= worth) continue;
    costs.emplace_back(codec, *bytes);
    least = std::min(least, *bytes);
    if (*bytes <= kBytesOfAModel) break;  // nothing is smaller, and what follows is slower
  }
  const std::uint64_t most = profile == Profile::hot ? least + least / 10 : least;
  std::erase_if(costs, [most](const auto& cost) { return cost.second > most; });
  if (costs.empty()) return raw_codec();
  return *std::ranges::min(costs, {}, [](const auto& cost) {
            return std::pair(speed_of(cost.first->key().id), cost.second);
          }).first;
}

const Codec* codec_asked(std::string_view column_codec, Type type) {
  if (!column_codec.starts_with(kUserCodecPrefix)) return nullptr;
  const std::string_view name = column_codec.substr(kUserCodecPrefix.size());
  UserCodecs& users = user_codecs();
  const ReadLock lock(users.mutex);
  const auto found = std::ranges::find_if(
      users.by_id, [&](const auto& entry) { return entry.second->name() == name; });
  if (found == users.by_id.end()) {
    throw_error(ErrorCode::unsupported_format,
                "a column is to be stored by codec {}, which this process has not registered; "
                "call otolith::codec_register with it before writing",
                quoted(name));
  }
  if (!found->second->fits(type)) {
    throw_error(ErrorCode::invalid_argument, "codec {} does not take {}; use hot, small or raw",
                quoted(name), type_name(type));
  }
  return found->second.get();
}

namespace {

void check_name(const Codec& codec) {
  const std::string_view name = codec.name();
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  if (name.empty() || name.size() > kCodecNameBytesMax || !std::ranges::all_of(name, allowed)) {
    throw_error(ErrorCode::invalid_argument,
                "a codec cannot be called {}; use 1 to {} letters, digits, '-', '_' and '.'",
                quoted(name), kCodecNameBytesMax);
  }
  for (const Codec* ours : our_codecs()) {
    if (ours->name() == name) {
      throw_error(ErrorCode::invalid_argument, "codec name {} is Otolith's; choose another",
                  quoted(name));
    }
  }
}

}  // namespace

void codec_register(std::unique_ptr<const Codec> codec) {
  const auto id = static_cast<std::uint16_t>(codec->key().id);
  if (id < kUserCodecFirst) {
    throw_error(ErrorCode::invalid_argument, "codec {} has id {}; ids of users begin at {}",
                quoted(codec->name()), id, kUserCodecFirst);
  }
  if (codec->key().version == 0) {
    throw_error(ErrorCode::invalid_argument, "codec {} has version 0; versions begin at 1",
                quoted(codec->name()));
  }
  check_name(*codec);
  UserCodecs& users = user_codecs();
  const WriteLock lock(users.mutex);
  if (users.by_id.contains(id)) {
    throw_error(ErrorCode::invalid_argument, "codec id {} is taken by {}; choose another", id,
                quoted(users.by_id[id]->name()));
  }
  for (const auto& [other, taken] : users.by_id) {
    if (taken->name() == codec->name()) {
      throw_error(ErrorCode::invalid_argument, "codec name {} is taken by id {}; choose another",
                  quoted(codec->name()), other);
    }
  }
  users.by_id.emplace(id, std::move(codec));
}

}  // namespace otolith::codec
