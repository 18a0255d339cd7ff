#include "bench/documents/kept.h"

#ifdef OTOLITH_LMDB
#include <lmdb.h>

#include <filesystem>
#include <stdexcept>
#endif

namespace otolith::bench {

#ifdef OTOLITH_LMDB

namespace {

constexpr std::size_t kMapBytes = std::size_t{1} << 32;

void check(int code) {
  if (code != MDB_SUCCESS) throw std::runtime_error(std::string("LMDB: ") + mdb_strerror(code));
}

MDB_val value_of(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

class Lmdb final : public Kept {
 public:
  explicit Lmdb(const std::string& folder) {
    std::filesystem::create_directories(folder);
    check(mdb_env_create(&environment_));
    check(mdb_env_set_mapsize(environment_, kMapBytes));
    check(mdb_env_open(environment_, folder.c_str(), MDB_NOSYNC, 0644));
    check(mdb_txn_begin(environment_, nullptr, 0, &transaction_));
    check(mdb_dbi_open(transaction_, nullptr, 0, &table_));
  }
  Lmdb(const Lmdb&) = delete;
  Lmdb& operator=(const Lmdb&) = delete;
  ~Lmdb() override {
    mdb_txn_abort(transaction_);
    mdb_env_close(environment_);
  }

  void put(std::string_view id, std::string_view body) override {
    MDB_val key = value_of(id);
    MDB_val value = value_of(body);
    check(mdb_put(transaction_, table_, &key, &value, 0));
  }
  void written() override {
    check(mdb_txn_commit(transaction_));
    check(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction_));
  }
  void renew() override {
    mdb_txn_reset(transaction_);
    check(mdb_txn_renew(transaction_));
  }
  std::string_view find(std::string_view id) override {
    MDB_val key = value_of(id);
    MDB_val value;
    check(mdb_get(transaction_, table_, &key, &value));
    return {static_cast<const char*>(value.mv_data), value.mv_size};
  }

 private:
  MDB_env* environment_ = nullptr;
  MDB_txn* transaction_ = nullptr;
  MDB_dbi table_ = 0;
};

}  // namespace

std::unique_ptr<Kept> lmdb(const std::string& folder) { return std::make_unique<Lmdb>(folder); }

#else

std::unique_ptr<Kept> lmdb(const std::string&) { return nullptr; }

#endif

}  // namespace otolith::bench
