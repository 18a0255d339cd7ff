#include "codec/registry.h"

#include <map>

#include "base/error.h"
#include "base/mutex.h"
#include "codec/raw.h"

namespace otolith::codec {

namespace {

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

const Codec* find(CodecId id) {
  if (id == CodecId::raw) return &raw_codec();
  UserCodecs& users = user_codecs();
  const ReadLock lock(users.mutex);
  const auto found = users.by_id.find(static_cast<std::uint16_t>(id));
  return found == users.by_id.end() ? nullptr : found->second.get();
}

[[noreturn]] void refuse(std::string message, const std::string& file, std::uint64_t offset) {
  throw_error(ErrorCode::unsupported_format, std::move(message), ErrorWhere{file, offset, {}});
}

}  // namespace

const Codec& codec_for(CodecKey key, const std::string& file, std::uint64_t offset) {
  const auto id = static_cast<std::uint16_t>(key.id);
  const Codec* codec = find(key.id);
  if (codec == nullptr) {
    refuse(fmt::format("a column chunk needs codec {} (version {}), which is not known here; {}",
                       id, key.version,
                       id >= kUserCodecFirst ? "register that codec before reading"
                                             : "read it with a newer Otolith"),
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

const Codec& codec_choose(std::string_view profile, const Array& sample) {
  // Every profile ends at raw until there are codecs that save anything.
  if (profile != "hot" && profile != "small" && profile != "raw") {
    throw_error(ErrorCode::invalid_argument,
                "there is no codec profile {}; the profiles are \"hot\", \"small\" and \"raw\"",
                quoted(profile));
  }
  OTO_INVARIANT(raw_codec().fits(sample.type));
  return raw_codec();
}

void codec_register(std::unique_ptr<const Codec> codec) {
  const auto id = static_cast<std::uint16_t>(codec->key().id);
  if (id < kUserCodecFirst) {
    throw_error(ErrorCode::invalid_argument, "codec {} has id {}; ids of users begin at {}",
                quoted(codec->name()), id, kUserCodecFirst);
  }
  UserCodecs& users = user_codecs();
  const WriteLock lock(users.mutex);
  if (users.by_id.contains(id)) {
    throw_error(ErrorCode::invalid_argument, "codec id {} is taken by {}; choose another", id,
                quoted(users.by_id[id]->name()));
  }
  users.by_id.emplace(id, std::move(codec));
}

}  // namespace otolith::codec
