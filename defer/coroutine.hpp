#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/closure.hpp>
#include <ropewalk/defer/coroutine_base.hpp>

/// `co_await` and the promise of a coroutine that returns a Deferred.
namespace ropewalk::defer {
class DeferredIfPending;
}

namespace ropewalk::defer::detail {

/// The chain that is awaited: `held` if a reference came with it (a temporary), which is given up on suspension.
struct Awaited {
    Chain* chain;
    const void* handle;
    bool held;
    PromiseBase* promise;
    std::source_location where;

    Awaited(Chain* awaited, const void* address, bool owned, PromiseBase* by, std::source_location at)
        : chain(awaited), handle(address), held(owned), promise(by), where(at) {
        if (chain == nullptr) [[unlikely]] {
            throwEmpty("co_await", where);
        }
    }
    /// Nothing is awaited.
    Awaited(PromiseBase* by, std::source_location at) noexcept
        : chain(nullptr), handle(nullptr), held(false), promise(by), where(at) {}
    Awaited(const Awaited&) = delete;
    Awaited& operator=(const Awaited&) = delete;
    ~Awaited() {
        if (held) {
            chain->release();
        }
    }

    bool await_ready() const {
        if (chain->dying) [[unlikely]] {
            std::rethrow_exception(abandoned("co_await on a Deferred that is being destroyed"));
        }
        return chain->idle();
    }
    bool await_suspend(std::coroutine_handle<>) {
        if (promise->cancellation != nullptr) [[unlikely]] {
            if (!std::exchange(held, true)) {
                chain->retain();
            }
            if (promise->cancelFirst(*chain, where)) {
                return false;
            }
        }
        promise->await(*chain, handle, std::exchange(held, false), where);
        return true;
    }

    // The value is moved once, into the coroutine, and then the chain is emptied.
    struct Emptying {
        ~Emptying() { awaited.chain->setNone("a coroutine", awaited.where); }
        const Awaited& awaited;
    };

    template <class T>
    T takeValue() {
        if constexpr (std::is_void_v<T>) {
            chain->setNone("a coroutine", where);
        } else {
            if (chain->kind == Chain::Kind::none) [[unlikely]] {
                if constexpr (NoneOf<T>::exists) {
                    return NoneOf<T>::value();
                } else {
                    std::rethrow_exception(chain->noResult(where));
                }
            }
            const Emptying emptying{*this};
            return std::move(chain->value<T>());
        }
    }
    Failure takeFailure() {
        Failure failure = std::move(chain->failure);
        failure.passed(where);
        chain->setNone("a coroutine", where);
        return failure;
    }
};

template <class T>
struct ValueAwaiter : Awaited {
    using Awaited::Awaited;

    T await_resume() {
        if (chain->kind == Chain::Kind::failure) {
            promise->given = takeFailure();
            promise->given.raiseException();
        }
        return takeValue<T>();
    }
};

/// Of what may have nothing to wait for.
struct IfPendingAwaiter : ValueAwaiter<void> {
    using ValueAwaiter<void>::ValueAwaiter;

    bool await_ready() const { return chain == nullptr || Awaited::await_ready(); }
    void await_resume() {
        if (chain != nullptr) {
            ValueAwaiter<void>::await_resume();
        }
    }
};

template <class T>
struct ResultAwaiter : Awaited {
    using Awaited::Awaited;

    Result<T> await_resume() {
        if (chain->kind == Chain::Kind::failure) {
            return std::unexpected(takeFailure());
        }
        if constexpr (std::is_void_v<T>) {
            takeValue<void>();
            return {};
        } else {
            if (chain->kind == Chain::Kind::none && !NoneOf<T>::exists) {
                return std::unexpected(Failure(chain->noResult(where), where));
            }
            return takeValue<T>();
        }
    }
};

/// What `d.result()` gives: to be awaited.
template <class T>
class ResultAwaitable {
public:
    ResultAwaitable(Deferred<T> deferred, const void* address)
        : deferred_(std::move(deferred)), address_(address) {}

private:
    friend struct AwaitAccess;

    Deferred<T> deferred_;
    const void* address_;
};

struct AwaitAccess {
    template <class T>
    static Deferred<T>& deferred(ResultAwaitable<T>& r) noexcept {
        return r.deferred_;
    }
    template <class T>
    static const void* address(const ResultAwaitable<T>& r) noexcept {
        return r.address_;
    }
};

/// A plain value awaited comes straight back.
template <class V>
struct PlainAwaiter {
    V value;

    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    V await_resume() { return std::forward<V>(value); }
};

/// Another library's awaiter, by reference or what its operator co_await gives: GCC 12 would copy it.
template <class A>
struct ForeignAwaiter {
    A awaiter;

    bool await_ready() { return static_cast<bool>(awaiter.await_ready()); }
    template <class P>
    auto await_suspend(std::coroutine_handle<P> frame) {
        return awaiter.await_suspend(frame);
    }
    decltype(auto) await_resume() { return awaiter.await_resume(); }
};

template <class V>
concept IsAwaitable = requires(V&& v) { v.await_ready(); } || requires(V&& v) {
    std::forward<V>(v).operator co_await();
} || requires(V&& v) { operator co_await(std::forward<V>(v)); };

template <class V>
inline constexpr bool isIfPending = std::same_as<std::remove_cvref_t<V>, DeferredIfPending>;

template <class V>
inline constexpr bool isResultAwaitable = false;
template <class T>
inline constexpr bool isResultAwaitable<ResultAwaitable<T>> = true;

template <class V>
concept IsPlain =
    !IsDeferred<V> && !IsAwaitable<V> && !isIfPending<V> && !isResultAwaitable<std::remove_cvref_t<V>> &&
    !std::same_as<std::remove_cvref_t<V>, Failure> && !std::same_as<std::remove_cvref_t<V>, Failed>;

/// Never suspends, but the optimiser can't know: Clang puts the frame of a coroutine that can't suspend on the stack, past our
/// operator new, and then there is no header before it.
struct EndsUnseen {
    bool await_ready() const noexcept {
        bool ends = true;
        asm("" : "+r"(ends));
        return ends;
    }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept {}
};

template <class T>
struct PromiseAwaits : PromiseBase {
    using Where = std::source_location;

    explicit PromiseAwaits(Where where) : PromiseBase(&tagOf<T>, where) {}

    std::suspend_never initial_suspend() const noexcept { return {}; }
    EndsUnseen final_suspend() const noexcept { return {}; }

    void unhandled_exception() noexcept {
        if (destroying) {
            destructorThrew();
            return;
        }
        std::exception_ptr error = std::current_exception();
        if (!given.empty() && given.value() == error) {
            mine->setFailure(std::move(given));
        } else {
            mine->setFailure(Failure(std::move(error), began));
        }
        finished = true;
    }

    template <class U>
    ValueAwaiter<U> await_transform(const Deferred<U>& d, Where where = Where::current()) {
        return {checkedChain<U>(d, where), &d, false, this, where};
    }
    template <class U>
    ValueAwaiter<U> await_transform(Deferred<U>&& d, Where where = Where::current()) {
        checkedChain<U>(d, where);
        return {Access::steal(d), nullptr, true, this, where};
    }
    template <class U>
    ResultAwaiter<U> await_transform(ResultAwaitable<U> r, Where where = Where::current()) {
        Deferred<U>& d = AwaitAccess::deferred(r);
        checkedChain<U>(d, where);
        return {Access::steal(d), AwaitAccess::address(r), true, this, where};
    }
    template <class V>
        requires isIfPending<V>
    IfPendingAwaiter await_transform(V&& maybe, Where where = Where::current()) {
        if (!maybe) {
            return {this, where};
        }
        auto pending = maybe.deferred(where);
        return {Access::steal(pending), nullptr, true, this, where};
    }
    PlainAwaiter<int> await_transform(const Failure& failure) { failure.raiseException(); }
    template <std::same_as<Failed> F>
    PlainAwaiter<int> await_transform(const F& failed) {
        Failure(failed).raiseException();
    }
    template <class V>
        requires IsPlain<V>
    PlainAwaiter<V> await_transform(V&& value) {
        return {std::forward<V>(value)};
    }
    template <class V>
        requires IsAwaitable<V>
    auto await_transform(V&& awaitable) {
        if constexpr (requires { std::forward<V>(awaitable).operator co_await(); }) {
            return ForeignAwaiter<decltype(std::forward<V>(awaitable).operator co_await())>{
                std::forward<V>(awaitable).operator co_await()};
        } else if constexpr (requires { operator co_await(std::forward<V>(awaitable)); }) {
            return ForeignAwaiter<decltype(operator co_await(std::forward<V>(awaitable)))>{operator co_await(
                std::forward<V>(awaitable))};
        } else {
            return ForeignAwaiter<V&&>{std::forward<V>(awaitable)};
        }
    }

private:
    template <class U>
    static Chain* checkedChain(const Deferred<U>& d, Where where) {
        Chain* chain = Access::chainOf(d);
        if constexpr (!std::is_void_v<U>) {
            if (chain != nullptr) {
                chain->requireEnd(&tagOf<U>, where);
            }
        }
        return chain;
    }
};

template <class T, class P>
Deferred<T> startCoroutine(P& promise) {
    promise.frame = std::coroutine_handle<P>::from_promise(promise);
    checkFrame(promise.frame.address(), promise.began);
    return Access::share<T>(promise.mine);
}

template <class T>
struct Promise : PromiseAwaits<T> {
    using Where = std::source_location;

    explicit Promise(Where where = Where::current()) : PromiseAwaits<T>(where) {}

    Deferred<T> get_return_object() { return startCoroutine<T>(*this); }

    template <class U = T>
        requires std::is_constructible_v<T, U&&>
    void return_value(U&& value) {
        this->mine->template emplace<T>(std::forward<U>(value));
        this->finished = true;
    }
    void return_value(Failure failure)
        requires(!std::same_as<T, Failure>)
    {
        this->mine->setFailure(std::move(failure));
        this->finished = true;
    }
    void return_value(Result<T> result) {
        if (result) {
            return_value(*std::move(result));
        } else {
            return_value(std::move(result).error());
        }
    }
};

template <>
struct Promise<void> : PromiseAwaits<void> {
    explicit Promise(Where where = Where::current()) : PromiseAwaits<void>(where) {}

    Deferred<void> get_return_object();

    void return_void() noexcept {
        mine->setVoid();
        finished = true;
    }
};

} // namespace ropewalk::defer::detail
