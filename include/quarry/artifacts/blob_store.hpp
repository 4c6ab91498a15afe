#pragma once
/// Where bodies are kept: a store of immutable bytes under the name of their hash. The rows that refer to them are the
/// business of `quarry/artifacts/store.hpp`; a store knows no database.
///
/// The order that keeps every promise: `put` the body, which is durable when it returns, and then commit the row that names
/// it. A crash between the two leaves a body that nobody refers to; `collect_garbage` takes it after a grace period. Whoever
/// puts a body must commit its row within that period, counted from the return of `put`.
///
/// Errors: `unavailable` (unreachable, full, not writable; the message says which and what to do), `invalid` (body larger
/// than the limit), `not_found`, `corrupt` (with the blob's name), `timeout`. Thread safety: every function, from any thread
/// and any process.

#include <boost/describe.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "quarry/artifacts/blob_hash.hpp"
#include "quarry/core/time.hpp"

namespace quarry::artifacts {

enum class BlobEncoding {
  none,  ///< the bytes as they are
  zstd,  ///< one frame that knows the size of its content
};
BOOST_DESCRIBE_ENUM(BlobEncoding, none, zstd)

enum class BlobStorage { fs, s3 };
BOOST_DESCRIBE_ENUM(BlobStorage, fs, s3)

/// A body that is durable in a store, ready to be referred to.
struct StagedBlob {
  BlobHash hash;
  std::int64_t size_bytes = 0;    ///< of the body
  std::int64_t stored_bytes = 0;  ///< of what lies in the store
  BlobEncoding encoding = BlobEncoding::none;
  BlobStorage storage = BlobStorage::fs;
  bool existed = false;  ///< it was there already, and whole
};

/// What a store knows without reading the body.
struct BlobInfo {
  BlobHash hash;
  std::int64_t stored_bytes = 0;
  Instant last_put_at;  ///< moved forward by every `put` of the same body
};

enum class BlobState { whole, missing, damaged };
BOOST_DESCRIBE_ENUM(BlobState, whole, missing, damaged)

struct BlobCheck {
  BlobState state = BlobState::whole;
  std::int64_t size_bytes = 0;  ///< of the body, when it is whole
};

/// What `remove_abandoned` has found.
struct Abandoned {
  std::int64_t files = 0;
  std::int64_t bytes = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;

  /// Stores one body; durable when it returns. Storing it again is harmless, repairs a damaged copy, and moves
  /// `last_put_at`.
  StagedBlob put(std::span<const std::byte> body);
  /// Stores many for the price of about one: in one batch the costs of durability are shared. The results stand in the order
  /// of the bodies. When it throws, some of them may be stored; that is garbage like any other.
  virtual std::vector<StagedBlob> put_many(std::span<const std::span<const std::byte>> bodies) = 0;

  /// The body, proven against its hash.
  virtual Bytes get(const BlobHash& hash) = 0;
  /// What is known without reading the body; nothing when it is not there.
  virtual std::optional<BlobInfo> find(const BlobHash& hash) = 0;
  /// Whether `find` would find it.
  bool exists(const BlobHash& hash) { return find(hash).has_value(); }
  /// Reads the body through in constant memory and compares it with its name.
  virtual BlobCheck verify(const BlobHash& hash) = 0;

  /// Removes the body; false when there was none. For whoever knows that nothing can refer to it any more.
  virtual bool remove(const BlobHash& hash) = 0;
  /// Removes the body unless it was put after `moment`, in one step with regard to every put. Whoever takes `moment` from
  /// `now()` first, then makes sure that nothing refers to the body, and then calls this, takes no body from a put that came
  /// in between, however long that was. False when the body stays or was not there.
  virtual bool remove_unless_put_after(const BlobHash& hash, Instant moment) = 0;

  /// All bodies whose hash begins with the byte `shard`, by hash. Bodies that come or go meanwhile may be in it or not.
  virtual std::vector<BlobInfo> list(std::uint8_t shard) = 0;
  /// Removes what interrupted writers left behind longer than `grace` ago; with `dry_run` only counts it.
  virtual Abandoned remove_abandoned(std::chrono::microseconds grace, bool dry_run) = 0;
  /// The clock that `last_put_at` and the grace periods go by.
  virtual Instant now() const = 0;
};

}  // namespace quarry::artifacts
