#include <ropewalk/task/filesystem_lock.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include <ropewalk/defer/errors.hpp>

using ropewalk::IOError;
using ropewalk::ValueError;
using ropewalk::task::FilesystemLock;
using ropewalk::task::isLocked;
using ropewalk::task::LockSystem;

namespace {

struct Folder {
    Folder() {
        std::string made = (std::filesystem::temp_directory_path() / "ropewalk-XXXXXX").string();
        REQUIRE(::mkdtemp(made.data()) != nullptr);
        path = made;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string name() const { return (path / "lock").string(); }

    std::filesystem::path path;
};

/// The number of a process that is gone.
long gone() {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(0);
    }
    REQUIRE(child > 0);
    ::waitpid(child, nullptr, 0);
    return child;
}

/// A system whose every answer can be a wrong one, once.
struct Scripted : LockSystem {
    std::error_code makeLink(const std::string& name, const std::string& target) override {
        if (const auto error = next(makeErrors)) {
            return error;
        }
        if (links.contains(name)) {
            return std::make_error_code(std::errc::file_exists);
        }
        links[name] = target;
        return {};
    }
    std::expected<std::string, std::error_code> readLink(const std::string& name) override {
        if (const auto error = next(readErrors)) {
            links.erase(name);
            return std::unexpected(error);
        }
        if (!links.contains(name)) {
            return std::unexpected(std::make_error_code(std::errc::no_such_file_or_directory));
        }
        return links[name];
    }
    std::error_code remove(const std::string& name) override {
        if (const auto error = next(removeErrors)) {
            links.erase(name);
            return error;
        }
        return links.erase(name) != 0 ? std::error_code()
                                      : std::make_error_code(std::errc::no_such_file_or_directory);
    }
    std::error_code findProcess(long id) override {
        return id == 2                ? std::make_error_code(std::errc::operation_not_permitted)
               : id == own || id == 3 ? std::error_code()
                                      : std::make_error_code(std::errc::no_such_process);
    }
    long ownProcess() override { return own; }

    static std::error_code next(std::deque<std::errc>& errors) {
        if (errors.empty()) {
            return {};
        }
        const std::errc error = errors.front();
        errors.pop_front();
        return std::make_error_code(error);
    }

    long own = 100;
    std::map<std::string, std::string> links;
    std::deque<std::errc> makeErrors;
    std::deque<std::errc> readErrors;
    std::deque<std::errc> removeErrors;
};

} // namespace

TEST_CASE("a FilesystemLock is a link that names the process") {
    const Folder folder;
    FilesystemLock lock(folder.name());
    CHECK(lock.name() == folder.name());
    CHECK_FALSE(lock.locked());
    CHECK(lock.lock());
    CHECK(lock.locked());
    CHECK(lock.clean());
    CHECK(std::filesystem::read_symlink(folder.name()) == std::to_string(::getpid()));
    lock.unlock();
    CHECK_FALSE(lock.locked());
    CHECK_FALSE(std::filesystem::is_symlink(folder.name()));
    CHECK(lock.lock());
}

TEST_CASE("a FilesystemLock that is held can't be taken, by nobody") {
    const Folder folder;
    FilesystemLock lock(folder.name());
    FilesystemLock other(folder.name());
    CHECK(lock.lock());
    CHECK_FALSE(lock.lock());
    CHECK(lock.locked());
    CHECK_FALSE(other.lock());
    CHECK_FALSE(other.locked());
    lock.unlock();
    CHECK(other.lock());
}

TEST_CASE("isLocked says whether a FilesystemLock is held, and leaves it as it was") {
    const Folder folder;
    FilesystemLock lock(folder.name());
    CHECK_FALSE(isLocked(folder.name()));
    CHECK_FALSE(std::filesystem::is_symlink(folder.name()));
    lock.lock();
    CHECK(isLocked(folder.name()));
    CHECK(lock.locked());
    lock.unlock();
    CHECK_FALSE(isLocked(folder.name()));
}

TEST_CASE("the FilesystemLock of a process that is gone is taken over, and isn't clean") {
    const Folder folder;
    std::filesystem::create_symlink(std::to_string(gone()), folder.name());
    FilesystemLock lock(folder.name());
    CHECK(lock.lock());
    CHECK_FALSE(lock.clean());
    lock.unlock();
    CHECK(lock.lock());
    CHECK(lock.clean());
}

TEST_CASE("another process keeps a FilesystemLock until it is gone") {
    const Folder folder;
    int ready[2];
    int leave[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(leave) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::close(leave[1]);
        FilesystemLock theirs(folder.name());
        char byte = theirs.lock() ? 'y' : 'n';
        static_cast<void>(::write(ready[1], &byte, 1) + ::read(leave[0], &byte, 1));
        ::_exit(0);
    }
    char answer = 0;
    REQUIRE(::read(ready[0], &answer, 1) == 1);
    CHECK(answer == 'y');
    FilesystemLock lock(folder.name());
    CHECK_FALSE(lock.lock());
    CHECK_THROWS_AS(lock.unlock(), ValueError);
    for (const int end : {leave[0], leave[1], ready[0], ready[1]}) {
        ::close(end);
    }
    ::waitpid(child, nullptr, 0);
    CHECK(lock.lock());
    CHECK_FALSE(lock.clean());
}

TEST_CASE("a FilesystemLock that goes is released; in a forked process it isn't") {
    const Folder folder;
    {
        FilesystemLock lock(folder.name());
        lock.lock();
        const pid_t child = ::fork();
        if (child == 0) {
            lock.~FilesystemLock();
            ::_exit(0);
        }
        ::waitpid(child, nullptr, 0);
        CHECK(std::filesystem::is_symlink(folder.name()));
        CHECK(lock.locked());
    }
    CHECK_FALSE(std::filesystem::is_symlink(folder.name()));
    {
        FilesystemLock robbed(folder.name());
        robbed.lock();
        std::filesystem::remove(folder.name());
    }
    FilesystemLock idle(folder.name());
}

TEST_CASE("what the system says to a FilesystemLock comes out") {
    const Folder folder;
    FilesystemLock nowhere((folder.path / "none" / "lock").string());
    try {
        nowhere.lock();
        FAIL("no error");
    } catch (const IOError& error) {
        CHECK(error.code() == std::errc::no_such_file_or_directory);
        CHECK(std::string(error.what()).find(nowhere.name()) != std::string::npos);
    }
    FilesystemLock lock(folder.name());
    CHECK_THROWS_AS(lock.unlock(), IOError);
    std::filesystem::create_symlink("elsewhere", folder.name());
    CHECK_THROWS_AS(lock.lock(), ValueError);
    CHECK_THROWS_AS(lock.unlock(), ValueError);
    std::filesystem::remove(folder.name());
    std::filesystem::create_directory(folder.name());
    CHECK_THROWS_AS(lock.lock(), IOError);
}

TEST_CASE("a FilesystemLock that vanishes just then is tried again") {
    Scripted system;
    system.links["lock"] = "3";
    system.readErrors = {std::errc::no_such_file_or_directory};
    FilesystemLock lock("lock", system);
    CHECK(lock.lock());
    CHECK(lock.clean());
    CHECK(system.links["lock"] == "100");
    system.readErrors = {std::errc::permission_denied};
    CHECK_THROWS_AS(lock.lock(), IOError);
}

TEST_CASE("a stale FilesystemLock that another process takes away first") {
    Scripted system;
    system.links["lock"] = "4";
    system.removeErrors = {std::errc::no_such_file_or_directory};
    FilesystemLock lock("lock", system);
    CHECK(lock.lock());
    CHECK(lock.clean());
    lock.unlock();
    system.links["lock"] = "4";
    system.removeErrors = {std::errc::permission_denied};
    CHECK_THROWS_AS(lock.lock(), IOError);
    CHECK_FALSE(lock.locked());
}

TEST_CASE("the FilesystemLock of another user's process is held") {
    Scripted system;
    system.links["lock"] = "2";
    FilesystemLock lock("lock", system);
    CHECK_FALSE(lock.lock());
    CHECK(isLocked("lock", system));
    system.links["lock"] = "-1";
    CHECK_THROWS_AS(lock.lock(), ValueError);
    system.links["lock"] = "3 ";
    CHECK_THROWS_AS(lock.lock(), ValueError);
}

TEST_CASE("a FilesystemLock whose removal fails is still locked") {
    Scripted system;
    FilesystemLock lock("lock", system);
    lock.lock();
    system.removeErrors = {std::errc::read_only_file_system};
    CHECK_THROWS_AS(lock.unlock(), IOError);
    CHECK(lock.locked());
}
