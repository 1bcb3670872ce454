#include <ropewalk/reactor/thread_pool.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/reactor/driver.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/reactor/thread_reactor.hpp>

namespace ropewalk {

using detail::Call;
using detail::Link;

namespace {

// Longer times need no timer, and might overflow one.
constexpr Seconds longTime{1e8};

// The pool whose thread this is.
thread_local constinit const void* here = nullptr;

void checkBounds(int minThreads, int maxThreads) {
    if (minThreads < 0) {
        throw AssertionError("minimum is negative");
    }
    if (minThreads > maxThreads) {
        throw AssertionError("minimum is greater than maximum");
    }
}

void perform(Call& call) noexcept {
    try {
        call.run();
    } catch (...) {
        log::err(Failure(call.where), {}, {{"during", "work in a thread"}});
    }
    call.release();
}

void joinAll(std::vector<std::unique_ptr<Worker>>& workers) noexcept {
    for (const std::unique_ptr<Worker>& worker : workers) {
        if (worker != nullptr) {
            worker->join();
        }
    }
    workers.clear();
}

void discard(Link& calls) noexcept {
    while (!calls.isAlone()) {
        auto& call = *static_cast<Call*>(calls.next);
        call.unlink();
        call.orphan();
    }
}

} // namespace

struct ThreadPool::State : std::enable_shared_from_this<State> {
    State(Driver& theDriver, Reactor* toLend, int minThreads, int maxThreads, std::string_view theName,
          Seconds patience)
        : driver(theDriver),
          lent(toLend),
          name(theName),
          idleTime(patience),
          min(minThreads),
          max(maxThreads) {
        for (Link* list : {&queue, &later, &all}) {
            list->alone();
        }
    }

    // Those that follow are called with the mutex held.

    void grow(Call* first);
    void fill();
    void rouse() noexcept;
    Call* next(Thread& thread, std::unique_lock<std::mutex>& lock);
    void wait(Thread& thread, std::unique_lock<std::mutex>& lock);
    bool waitFor(Thread& thread, std::unique_lock<std::mutex>& lock);
    std::unique_ptr<Worker> leave(Thread& thread) noexcept;

    mutable std::mutex mutex;
    Driver& driver;
    Reactor* lent;
    const std::string name;
    const Seconds idleTime;
    int min;
    int max;
    int threads = 0;
    int working = 0;
    int waiting = 0;
    bool started = false;
    bool stopping = false;
    bool abandoned = false;
    Link queue;
    Link later; // what came while it was stopping
    Link all;
    // The one that was busy last is the first to get work, so that others may leave.
    std::vector<Thread*> idle;
    std::unique_ptr<Worker> gone;                 // the last thread that left
    std::vector<std::unique_ptr<Worker>> leaving; // empty; room for those whose end will be waited for
};

struct ThreadPool::Thread final : Work, Link {
    Thread(std::shared_ptr<State> theState, Call* first) noexcept
        : Link{nullptr, nullptr}, state(std::move(theState)), given(first) {}

    void run() noexcept override {
        State& pool = *state;
        const detail::ThreadReactor::Lent reactor(pool.lent);
        here = &pool;
        std::unique_lock lock(pool.mutex);
        while (Call* call = pool.next(*this, lock)) {
            lock.unlock();
            perform(*call);
            lock.lock();
            --pool.working;
        }
        const std::unique_ptr<Worker> before = pool.leave(*this);
        lock.unlock();
        here = nullptr;
        if (before != nullptr) {
            before->join();
        }
    }

    std::shared_ptr<State> state;
    std::condition_variable woken;
    Call* given; // counts as being worked on
    bool roused = false;
    std::unique_ptr<Worker> worker; // null when somebody else waits for its end
};

// The new thread waits for the mutex until it is known here.
void ThreadPool::State::grow(Call* first) {
    idle.reserve(static_cast<std::size_t>(threads) + 1);
    leaving.reserve(static_cast<std::size_t>(threads) + 2);
    auto made = std::make_unique<Thread>(shared_from_this(), first);
    Thread& thread = *made;
    thread.worker = driver.startWorker(name.c_str(), std::move(made));
    all.insert(thread);
    ++threads;
    if (first != nullptr) {
        ++working;
    }
}

void ThreadPool::State::fill() {
    const int wanted = std::max(min - threads, std::min(waiting, max - threads));
    for (int i = 0; i < wanted; ++i) {
        try {
            grow(nullptr);
        } catch (const IOError&) {
            if (threads == 0) {
                throw;
            }
            return;
        }
    }
}

void ThreadPool::State::rouse() noexcept {
    for (Thread* thread : idle) {
        thread->roused = true;
        thread->woken.notify_one();
    }
    idle.clear();
}

/// What the thread is to do, or null if it is to leave.
Call* ThreadPool::State::next(Thread& thread, std::unique_lock<std::mutex>& lock) {
    for (;;) {
        if (thread.given != nullptr) {
            return std::exchange(thread.given, nullptr);
        }
        if (abandoned || threads > max) {
            return nullptr;
        }
        if (!queue.isAlone()) {
            auto& call = *static_cast<Call*>(queue.next);
            call.unlink();
            --waiting;
            ++working;
            return &call;
        }
        if (stopping) {
            return nullptr;
        }
        if (threads <= min || idleTime >= longTime) {
            wait(thread, lock);
        } else if (!(idleTime.count() > 0) || !waitFor(thread, lock)) {
            return nullptr;
        }
    }
}

void ThreadPool::State::wait(Thread& thread, std::unique_lock<std::mutex>& lock) {
    idle.push_back(&thread);
    thread.woken.wait(lock, [&thread] { return thread.given != nullptr || thread.roused; });
    thread.roused = false;
}

/// False when nothing came, and the thread isn't needed.
bool ThreadPool::State::waitFor(Thread& thread, std::unique_lock<std::mutex>& lock) {
    idle.push_back(&thread);
    const auto patience = std::chrono::duration_cast<std::chrono::nanoseconds>(idleTime);
    const bool came =
        thread.woken.wait_for(lock, patience, [&thread] { return thread.given != nullptr || thread.roused; });
    thread.roused = false;
    if (!came) {
        std::erase(idle, &thread);
    }
    return came || threads <= min;
}

/// The thread that left before this one; somebody has to wait for its end.
std::unique_ptr<Worker> ThreadPool::State::leave(Thread& thread) noexcept {
    thread.unlink();
    --threads;
    return thread.worker != nullptr ? std::exchange(gone, std::move(thread.worker)) : nullptr;
}

ThreadPool::ThreadPool(Driver& driver, int minThreads, int maxThreads, std::string_view name,
                       Seconds idleTime)
    : ThreadPool(driver, nullptr, minThreads, maxThreads, name, idleTime) {}

ThreadPool::ThreadPool(Reactor& reactor, int minThreads, int maxThreads, std::string_view name,
                       Seconds idleTime)
    : ThreadPool(reactor.driver(), &reactor, minThreads, maxThreads, name, idleTime) {}

ThreadPool::ThreadPool(Driver& driver, Reactor* lent, int minThreads, int maxThreads, std::string_view name,
                       Seconds idleTime) {
    checkBounds(minThreads, maxThreads);
    state_ = std::make_shared<State>(driver, lent, minThreads, maxThreads, name, idleTime);
}

ThreadPool::~ThreadPool() {
    if (here == state_.get()) {
        abandon();
        return;
    }
    Link unbegun;
    unbegun.alone();
    {
        const std::lock_guard lock(state_->mutex);
        unbegun.insertAll(state_->queue);
        unbegun.insertAll(state_->later);
        state_->waiting = 0;
    }
    discard(unbegun);
    stop();
    abandon();
}

void ThreadPool::start() {
    const std::lock_guard lock(state_->mutex);
    if (!state_->started) {
        state_->fill();
        state_->started = true;
    }
}

void ThreadPool::stop() {
    State& pool = *state_;
    if (here == &pool) {
        throw RuntimeError("a thread pool can't be stopped in one of its own threads");
    }
    std::vector<std::unique_ptr<Worker>> leaving;
    {
        const std::lock_guard lock(pool.mutex);
        if (!pool.started || pool.stopping) {
            return;
        }
        pool.stopping = true;
        pool.rouse();
        leaving.swap(pool.leaving);
        if (pool.gone != nullptr) {
            leaving.push_back(std::move(pool.gone));
        }
        for (Link* at = pool.all.next; at != &pool.all; at = at->next) {
            leaving.push_back(std::move(static_cast<Thread*>(at)->worker));
        }
    }
    joinAll(leaving);
    const std::lock_guard lock(pool.mutex);
    pool.queue.insertAll(pool.later);
    pool.started = false;
    pool.stopping = false;
}

void ThreadPool::abandon() noexcept {
    State& pool = *state_;
    Link unbegun;
    unbegun.alone();
    std::vector<std::unique_ptr<Worker>> leaving;
    {
        const std::lock_guard lock(pool.mutex);
        pool.abandoned = true;
        pool.started = false;
        unbegun.insertAll(pool.queue);
        unbegun.insertAll(pool.later);
        pool.waiting = 0;
        leaving.swap(pool.leaving);
        if (pool.gone != nullptr) {
            leaving.push_back(std::move(pool.gone));
        }
        for (Thread* thread : pool.idle) {
            leaving.push_back(std::move(thread->worker));
        }
        pool.rouse();
        for (Link* at = pool.all.next; at != &pool.all; at = at->next) {
            static_cast<Thread*>(at)->worker.reset();
        }
    }
    joinAll(leaving);
    discard(unbegun);
}

void ThreadPool::add(Call* call) {
    struct Dropped {
        void operator()(Call* unused) const noexcept { unused->orphan(); }
    };
    std::unique_ptr<Call, Dropped> owned(call);
    State& pool = *state_;
    const std::lock_guard lock(pool.mutex);
    if (pool.abandoned) {
        return;
    }
    if (pool.started && !pool.stopping) {
        if (!pool.idle.empty()) {
            Thread& thread = *pool.idle.back();
            pool.idle.pop_back();
            thread.given = owned.release();
            ++pool.working;
            thread.woken.notify_one();
            return;
        }
        if (pool.threads < pool.max) {
            try {
                pool.grow(call);
                static_cast<void>(owned.release());
                return;
            } catch (const IOError&) {
                if (pool.threads == 0) {
                    throw;
                }
            }
        }
    }
    (pool.stopping ? pool.later : pool.queue).insert(*owned.release());
    ++pool.waiting;
}

void ThreadPool::adjustPoolsize(std::optional<int> minThreads, std::optional<int> maxThreads) {
    State& pool = *state_;
    const std::lock_guard lock(pool.mutex);
    const int low = minThreads.value_or(pool.min);
    const int high = maxThreads.value_or(pool.max);
    checkBounds(low, high);
    const bool mayLeave = low < pool.min || high < pool.threads;
    pool.min = low;
    pool.max = high;
    if (pool.started && !pool.stopping) {
        if (mayLeave) {
            pool.rouse();
        }
        pool.fill();
    }
}

int ThreadPool::min() const {
    const std::lock_guard lock(state_->mutex);
    return state_->min;
}

int ThreadPool::max() const {
    const std::lock_guard lock(state_->mutex);
    return state_->max;
}

bool ThreadPool::started() const {
    const std::lock_guard lock(state_->mutex);
    return state_->started;
}

const std::string& ThreadPool::name() const noexcept {
    return state_->name;
}

int ThreadPool::threads() const {
    const std::lock_guard lock(state_->mutex);
    return state_->threads;
}

int ThreadPool::idle() const {
    const std::lock_guard lock(state_->mutex);
    return state_->threads - state_->working;
}

int ThreadPool::working() const {
    const std::lock_guard lock(state_->mutex);
    return state_->working;
}

int ThreadPool::waiting() const {
    const std::lock_guard lock(state_->mutex);
    return state_->waiting;
}

} // namespace ropewalk
