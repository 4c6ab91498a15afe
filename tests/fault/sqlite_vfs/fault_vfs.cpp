#include "fault/sqlite_vfs/fault_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace quarry::test {
namespace {

struct State {
  std::mutex mutex;
  std::string folder;  ///< with a slash at its end; empty when nothing is watched
  bool recording = false;
  std::vector<DiskOp> log;
  FailurePlan plan;
  std::int64_t count = 0;
  bool failed = false;
  std::chrono::microseconds sync_takes{0};
};

State& state() {
  static State made;
  return made;
}

sqlite3_vfs* real_vfs = nullptr;

/// Ours in front, the real file behind it in the same piece of memory, as SQLite gives it.
struct ShimFile {
  sqlite3_file base;
  std::string* name;  ///< in the watched folder; null for another file
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

ShimFile& shim(sqlite3_file* file) { return *reinterpret_cast<ShimFile*>(file); }
const sqlite3_io_methods& real_methods(sqlite3_file* file) { return *shim(file).real()->pMethods; }

/// What is to happen with the next operation: nothing special, or a failure. Under the lock.
std::optional<Failure> count_one(const std::string* name, bool is_write) {
  auto& s = state();
  if (!name) return std::nullopt;
  ++s.count;
  if (s.plan.at == 0 || s.count < s.plan.at || (s.count > s.plan.at && !s.plan.from_then_on && s.failed))
    return std::nullopt;
  if (s.plan.with == Failure::disk_full && !is_write) return std::nullopt;
  s.failed = true;
  return s.plan.with;
}

void record(const std::string* name, DiskOp op) {
  auto& s = state();
  if (!name || !s.recording) return;
  op.file = *name;
  s.log.push_back(std::move(op));
}

int shim_close(sqlite3_file* file) {
  const int code = real_methods(file).xClose(shim(file).real());
  delete shim(file).name;
  return code;
}

int shim_read(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  return real_methods(file).xRead(shim(file).real(), to, size, offset);
}

int shim_write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  const std::scoped_lock lock(state().mutex);
  const auto failure = count_one(shim(file).name, true);
  if (failure == Failure::disk_full) return SQLITE_FULL;
  if (failure == Failure::io_error) return SQLITE_IOERR_WRITE;
  if (failure == Failure::torn) size /= 2;
  const int code = real_methods(file).xWrite(shim(file).real(), from, size, offset);
  if (code == SQLITE_OK)
    record(shim(file).name,
           {DiskOp::What::write, {}, offset, {static_cast<const char*>(from), static_cast<std::size_t>(size)}});
  return failure ? SQLITE_IOERR_WRITE : code;
}

int shim_truncate(sqlite3_file* file, sqlite3_int64 size) {
  const std::scoped_lock lock(state().mutex);
  const auto failure = count_one(shim(file).name, false);
  if (failure) return SQLITE_IOERR_TRUNCATE;
  record(shim(file).name, {DiskOp::What::truncate, {}, size, {}});
  return real_methods(file).xTruncate(shim(file).real(), size);
}

int shim_sync(sqlite3_file* file, int flags) {
  std::unique_lock lock(state().mutex);
  if (const auto nap = state().sync_takes; nap.count() > 0 && shim(file).name) {
    lock.unlock();
    std::this_thread::sleep_for(nap);
    lock.lock();
  }
  if (count_one(shim(file).name, false)) return SQLITE_IOERR_FSYNC;
  const int code = real_methods(file).xSync(shim(file).real(), flags);
  if (code == SQLITE_OK) record(shim(file).name, {DiskOp::What::sync, {}, 0, {}});
  return code;
}

int shim_size(sqlite3_file* file, sqlite3_int64* size) { return real_methods(file).xFileSize(shim(file).real(), size); }
int shim_lock(sqlite3_file* file, int level) { return real_methods(file).xLock(shim(file).real(), level); }
int shim_unlock(sqlite3_file* file, int level) { return real_methods(file).xUnlock(shim(file).real(), level); }
int shim_check_lock(sqlite3_file* file, int* out) { return real_methods(file).xCheckReservedLock(shim(file).real(), out); }
int shim_control(sqlite3_file* file, int op, void* arg) {
  return real_methods(file).xFileControl(shim(file).real(), op, arg);
}
int shim_sector(sqlite3_file* file) { return real_methods(file).xSectorSize(shim(file).real()); }
int shim_device(sqlite3_file* file) { return real_methods(file).xDeviceCharacteristics(shim(file).real()); }
int shim_map(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  return real_methods(file).xShmMap(shim(file).real(), region, size, extend, out);
}
int shim_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return real_methods(file).xShmLock(shim(file).real(), offset, count, flags);
}
void shim_barrier(sqlite3_file* file) { real_methods(file).xShmBarrier(shim(file).real()); }
int shim_unmap(sqlite3_file* file, int remove) { return real_methods(file).xShmUnmap(shim(file).real(), remove); }

const sqlite3_io_methods& methods() {
  static const sqlite3_io_methods made = [] {
    sqlite3_io_methods m{};
    m.iVersion = 2;  // no memory-mapped reading
    m.xClose = shim_close;
    m.xRead = shim_read;
    m.xWrite = shim_write;
    m.xTruncate = shim_truncate;
    m.xSync = shim_sync;
    m.xFileSize = shim_size;
    m.xLock = shim_lock;
    m.xUnlock = shim_unlock;
    m.xCheckReservedLock = shim_check_lock;
    m.xFileControl = shim_control;
    m.xSectorSize = shim_sector;
    m.xDeviceCharacteristics = shim_device;
    m.xShmMap = shim_map;
    m.xShmLock = shim_shm_lock;
    m.xShmBarrier = shim_barrier;
    m.xShmUnmap = shim_unmap;
    return m;
  }();
  return made;
}

std::string* name_in_folder(const char* path) {
  const std::scoped_lock lock(state().mutex);
  const auto& folder = state().folder;
  if (!path || folder.empty() || std::strncmp(path, folder.c_str(), folder.size()) != 0) return nullptr;
  return new std::string(path + folder.size());
}

int shim_open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  shim(file).base.pMethods = nullptr;
  const int code = real_vfs->xOpen(real_vfs, path, shim(file).real(), flags, out_flags);
  if (!shim(file).real()->pMethods) return code;
  shim(file).base.pMethods = &methods();
  shim(file).name = name_in_folder(path);
  return code;
}

int shim_delete(sqlite3_vfs*, const char* path, int sync_folder) {
  const std::unique_ptr<std::string> name(name_in_folder(path));
  const std::scoped_lock lock(state().mutex);
  if (count_one(name.get(), false)) return SQLITE_IOERR_DELETE;
  record(name.get(), {DiskOp::What::remove, {}, 0, {}});
  return real_vfs->xDelete(real_vfs, path, sync_folder);
}

}  // namespace

void FaultVfs::slow_down(std::chrono::microseconds sync) {
  const std::scoped_lock lock(state().mutex);
  state().sync_takes = sync;
}

FaultVfs& FaultVfs::install() {
  static FaultVfs made;
  static sqlite3_vfs vfs = [] {
    real_vfs = sqlite3_vfs_find(nullptr);
    sqlite3_vfs copy = *real_vfs;  // what is not replaced here needs nothing of its own
    copy.zName = "quarry-fault";
    copy.szOsFile = static_cast<int>(sizeof(ShimFile)) + real_vfs->szOsFile;
    copy.pNext = nullptr;
    copy.xOpen = shim_open;
    copy.xDelete = shim_delete;
    return copy;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 1);
  static_cast<void>(registered);
  return made;
}

void FaultVfs::watch(const std::filesystem::path& folder) {
  const std::scoped_lock lock(state().mutex);
  state().folder = folder.string() + "/";
  state().log.clear();
  state().recording = true;
}

std::vector<DiskOp> FaultVfs::take_log() {
  const std::scoped_lock lock(state().mutex);
  state().recording = false;
  return std::exchange(state().log, {});
}

void FaultVfs::mark(std::int64_t number) {
  const std::scoped_lock lock(state().mutex);
  if (state().recording) state().log.push_back({DiskOp::What::mark, {}, number, {}});
}

void FaultVfs::fail(const FailurePlan& plan) {
  const std::scoped_lock lock(state().mutex);
  state().plan = plan;
  state().count = 0;
  state().failed = false;
}

bool FaultVfs::end_failures() {
  const std::scoped_lock lock(state().mutex);
  state().plan = {};
  return state().failed;
}

}  // namespace quarry::test
