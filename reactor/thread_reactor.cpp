#include <ropewalk/reactor/thread_reactor.hpp>

#include <memory>
#include <mutex>
#include <utility>

#include <ropewalk/reactor/reactor_access.hpp>

namespace ropewalk {

namespace {

thread_local constinit Reactor* mine = nullptr;
thread_local constinit Reactor* lent = nullptr;

struct Everywhere {
    std::mutex mutex;
    int reactors = 0;
    bool makingDefault = false;
    bool defaultGone = false; // the program ends
    Reactor* first = nullptr;
};

// Never destroyed: a reactor may be older than any static object, and go later.
Everywhere& everywhere() noexcept {
    static auto& all = *new Everywhere;
    return all;
}

// Not destroyed when the program ends from within its run.
struct Default {
    Default() = default;
    Default(const Default&) = delete;
    Default& operator=(const Default&) = delete;
    ~Default() {
        {
            const std::lock_guard lock(everywhere().mutex);
            everywhere().defaultGone = true;
        }
        if (detail::ReactorAccess::busy(*made)) {
            static_cast<void>(made.release());
        }
    }
    std::unique_ptr<Reactor> made = std::make_unique<Reactor>();
};

Reactor& makeDefault() {
    {
        const std::lock_guard lock(everywhere().mutex);
        if (everywhere().reactors > 0 || everywhere().makingDefault || everywhere().defaultGone) {
            throw NoReactorError();
        }
        everywhere().makingDefault = true;
    }
    struct Made {
        ~Made() {
            const std::lock_guard lock(everywhere().mutex);
            everywhere().makingDefault = false;
        }
    } const made;
    static Default only;
    return *only.made;
}

} // namespace

Reactor& reactor() {
    return mine != nullptr ? *mine : lent != nullptr ? *lent : makeDefault();
}

namespace detail {

void ThreadReactor::enter(Reactor& reactor) {
    if (mine != nullptr) {
        throw ReactorAlreadyInstalledError();
    }
    mine = &reactor;
    const std::lock_guard lock(everywhere().mutex);
    if (everywhere().reactors++ == 0) {
        everywhere().first = &reactor;
    }
}

void ThreadReactor::leave(Reactor& reactor) noexcept {
    if (mine == &reactor) {
        mine = nullptr;
    }
    const std::lock_guard lock(everywhere().mutex);
    --everywhere().reactors;
    if (everywhere().first == &reactor) {
        everywhere().first = nullptr;
    }
}

Reactor* ThreadReactor::here() noexcept {
    return mine;
}

bool ThreadReactor::madeFirst(const Reactor& reactor) noexcept {
    const std::lock_guard lock(everywhere().mutex);
    return everywhere().first == &reactor;
}

ThreadReactor::Lent::Lent(Reactor* reactor) noexcept
    : before_(std::exchange(lent, reactor != nullptr ? reactor : lent)) {}

ThreadReactor::Lent::~Lent() {
    lent = before_;
}

const void* threadMark() noexcept {
    thread_local constinit char mark = 0;
    return &mark;
}

} // namespace detail
} // namespace ropewalk
