#pragma once

#include <concepts>
#include <cstddef>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ropewalk/defer/closure.hpp>
#include <ropewalk/defer/coroutine.hpp>

namespace ropewalk::defer {

/// A result that may come later, and the chain of callbacks that it goes through: twisted.internet.defer.Deferred.
///
/// A handle: one pointer, cheap to copy; all copies, of whatever T, name one chain, which lives while a handle does (or
/// while what it waits for does). T is the type of the result at the *end* of the chain as this handle sees it; adding
/// a callback returns a handle on the same chain with the new type. Like a shared pointer's, all operations are const.
/// Not for several threads, not even to copy: see `Reactor::firer`.
///
/// A function that returns a Deferred may be a coroutine, which takes the part of `inlineCallbacks`.
template <class T>
class Deferred {
    static_assert(!std::is_reference_v<T> && !std::is_const_v<T>, "a Deferred holds a value of its own");

public:
    using Value = T;
    using promise_type = detail::Promise<T>;
    using Where = std::source_location;

    Deferred(Where where = Where::current()) : chain_(new detail::Chain(&detail::tagOf<T>, where)) {}

    /// `canceller` is called by `cancel()` with this Deferred, or with nothing. It may fire it.
    template <class F>
        requires(std::invocable<std::decay_t<F>&, Deferred> || std::invocable<std::decay_t<F>&>) &&
                (!detail::IsDeferred<F>)
    explicit Deferred(F&& canceller, Where where = Where::current());

    /// The empty handle. Any operation on it throws EmptyDeferredError.
    Deferred(std::nullptr_t) noexcept : chain_(nullptr) {}

    Deferred(const Deferred& other) noexcept : chain_(other.chain_) {
        if (chain_ != nullptr) {
            chain_->retain();
        }
    }
    Deferred(Deferred&& other) noexcept : chain_(std::exchange(other.chain_, nullptr)) {}
    Deferred& operator=(Deferred other) noexcept {
        std::swap(chain_, other.chain_);
        return *this;
    }
    ~Deferred() {
        if (chain_ != nullptr) {
            chain_->release();
        }
    }

    explicit operator bool() const noexcept { return chain_ != nullptr; }

    // Callbacks. Each is called once, with the result and then up to four extra arguments, or with the extra arguments
    // alone; a member function takes its object first. It may return a value, nothing, a Deferred (which is waited for),
    // a Result or a Failure; what it throws is the next result. If a result is there, it is called at once.

    /// For a value. Throws WrongTypeError if it takes the value and T isn't the type at the chain's end.
    template <class F>
    auto addCallback(F&& f, Where where = Where::current()) const {
        return addValue(detail::bindExtra(std::forward<F>(f)), where);
    }
    template <class F, class A>
    auto addCallback(F&& f, A&& a, Where where = Where::current()) const {
        return addValue(detail::bindExtra(std::forward<F>(f), std::forward<A>(a)), where);
    }
    template <class F, class A, class B>
    auto addCallback(F&& f, A&& a, B&& b, Where where = Where::current()) const {
        return addValue(detail::bindExtra(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b)), where);
    }
    template <class F, class A, class B, class C>
    auto addCallback(F&& f, A&& a, B&& b, C&& c, Where where = Where::current()) const {
        return addValue(
            detail::bindExtra(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c)),
            where);
    }
    template <class F, class A, class B, class C, class D>
    auto addCallback(F&& f, A&& a, B&& b, C&& c, D&& d, Where where = Where::current()) const {
        return addValue(detail::bindExtra(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                          std::forward<C>(c), std::forward<D>(d)),
                        where);
    }

    /// For a failure. Its value must convert to T; nothing leaves None; a returned Failure goes on.
    template <class G>
    Deferred addErrback(G&& g, Where where = Where::current()) const {
        return addFailure(detail::bindExtra(std::forward<G>(g)), where);
    }
    template <class G, class A>
    Deferred addErrback(G&& g, A&& a, Where where = Where::current()) const {
        return addFailure(detail::bindExtra(std::forward<G>(g), std::forward<A>(a)), where);
    }
    template <class G, class A, class B>
    Deferred addErrback(G&& g, A&& a, B&& b, Where where = Where::current()) const {
        return addFailure(detail::bindExtra(std::forward<G>(g), std::forward<A>(a), std::forward<B>(b)),
                          where);
    }
    template <class G, class A, class B, class C>
    Deferred addErrback(G&& g, A&& a, B&& b, C&& c, Where where = Where::current()) const {
        return addFailure(
            detail::bindExtra(std::forward<G>(g), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c)),
            where);
    }
    template <class G, class A, class B, class C, class D>
    Deferred addErrback(G&& g, A&& a, B&& b, C&& c, D&& d, Where where = Where::current()) const {
        return addFailure(detail::bindExtra(std::forward<G>(g), std::forward<A>(a), std::forward<B>(b),
                                            std::forward<C>(c), std::forward<D>(d)),
                          where);
    }

    /// For either: f(Result<T>) or f().
    template <class F>
    auto addBoth(F&& f, Where where = Where::current()) const {
        return addEither(detail::bindExtra(std::forward<F>(f)), where);
    }
    template <class F, class A>
    auto addBoth(F&& f, A&& a, Where where = Where::current()) const {
        return addEither(detail::bindExtra(std::forward<F>(f), std::forward<A>(a)), where);
    }
    template <class F, class A, class B>
    auto addBoth(F&& f, A&& a, B&& b, Where where = Where::current()) const {
        return addEither(detail::bindExtra(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b)),
                         where);
    }
    template <class F, class A, class B, class C>
    auto addBoth(F&& f, A&& a, B&& b, C&& c, Where where = Where::current()) const {
        return addEither(
            detail::bindExtra(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b), std::forward<C>(c)),
            where);
    }
    template <class F, class A, class B, class C, class D>
    auto addBoth(F&& f, A&& a, B&& b, C&& c, D&& d, Where where = Where::current()) const {
        return addEither(detail::bindExtra(std::forward<F>(f), std::forward<A>(a), std::forward<B>(b),
                                           std::forward<C>(c), std::forward<D>(d)),
                         where);
    }

    /// A pair, of which one side runs; what f throws is for the next pair. `nullptr` lets the result pass.
    template <class F, class G = std::nullptr_t>
    auto addCallbacks(F&& f, G&& g = nullptr, Where where = Where::current()) const;

    // Firing, once: by the handle of the type that the chain was made with.

    /// Throws AlreadyCalledError, or WrongTypeError. A Failure makes it an `errback`.
    template <class U = T>
        requires(!std::is_void_v<T>) && std::is_constructible_v<T, U&&>
    void callback(U&& value, Where where = Where::current()) const {
        detail::Chain& chain = get("callback", where);
        if (chain.mayFireWith(&detail::tagOf<T>, where)) {
            chain.template emplace<T>(std::forward<U>(value));
            chain.fired(where);
        }
    }
    void callback(Where where = Where::current()) const
        requires std::is_void_v<T>
    {
        detail::Chain& chain = get("callback", where);
        if (chain.mayFireWith(&detail::tagOf<T>, where)) {
            chain.setVoid();
            chain.fired(where);
        }
    }
    void callback(None, Where where = Where::current()) const
        requires std::is_void_v<T>
    {
        callback(where);
    }
    void callback(Failure failure, Where where = Where::current()) const
        requires(!std::same_as<T, Failure>)
    {
        errback(std::move(failure), where);
    }

    /// Takes any exception object as well. Throws AlreadyCalledError.
    void errback(Failure failure, Where where = Where::current()) const {
        get("errback", where).errback(std::move(failure), where);
    }
    /// With the exception being handled, else throws NoCurrentExceptionError.
    void errback(Where where = Where::current()) const { errback(Failure(where), where); }

    /// Cancels what it waits for, if it waits; else, if it is unfired, calls the canceller and, if that fires nothing,
    /// fails with CancelledError. What the canceller throws comes out here.
    void cancel(std::string_view reason = {}, Where where = Where::current()) const {
        get("cancel", where).cancel(reason, where);
    }

    /// Nothing runs until `unpause` was called as often.
    void pause(Where where = Where::current()) const { get("pause", where).pause(); }
    void unpause(Where where = Where::current()) const { get("unpause", where).unpause(where); }

    bool called(Where where = Where::current()) const { return get("called", where).called; }
    /// How many `unpause` are missing, one more while it waits for a Deferred that a callback returned.
    unsigned paused(Where where = Where::current()) const {
        const detail::Chain& chain = get("paused", where);
        return unsigned{chain.paused} + (chain.waiting ? 1U : 0U);
    }

    // Joining.

    /// Fires `target` with this one's result, here in the chain, and leaves None.
    Deferred chainDeferred(const Deferred& target, Where where = Where::current()) const {
        detail::Chain& chain = get("chainDeferred", where);
        chain.requireEnd(&detail::tagOf<T>, where);
        detail::Chain& other = target.get("chainDeferred", where);
        other.requireFiredWith(&detail::tagOf<T>, where);
        Deferred self = *this;
        chain.chainTo(other, where);
        return self;
    }

    /// A second Deferred, which gets a copy of the result as it stands here.
    Deferred fork(Where where = Where::current()) const;

    /// Cancels it after `timeout` on `clock` (anything with `callLater`); that cancellation becomes a TimeoutError.
    template <class Duration, class Clock>
    Deferred addTimeout(Duration timeout, Clock& clock, Where where = Where::current()) const;
    /// The same, where `onTimeoutCancel(Result<T>, timeout)` makes the result.
    template <class Duration, class Clock, class F>
        requires std::invocable<std::decay_t<F>&, Result<T>, Duration>
    Deferred addTimeout(Duration timeout, Clock& clock, F&& onTimeoutCancel,
                        Where where = Where::current()) const;

    /// For `co_await d.result()`: a Result<T>, and no exception.
    detail::ResultAwaitable<T> result() const& { return detail::ResultAwaitable<T>(*this, this); }
    detail::ResultAwaitable<T> result() && { return detail::ResultAwaitable<T>(std::move(*this), nullptr); }

    /// `<Deferred at 0x…>`, with ` waiting on Deferred at 0x…` or ` current result: …` where there is one, as `operator<<`
    /// prints it.
    std::string str() const {
        if (chain_ == nullptr) {
            return "<Deferred: empty handle>";
        }
        if constexpr (detail::hasText<T>) {
            if (chain_->kind == detail::Chain::Kind::value && chain_->end == &detail::tagOf<T> &&
                chain_->idle()) {
                return detail::describe(*chain_, detail::textOf(std::as_const(chain_->template value<T>())));
            }
        }
        return detail::describe(*chain_, {});
    }

    template <class U>
    friend bool operator==(const Deferred& a, const Deferred<U>& b) noexcept {
        return a.chain_ == detail::Access::chainOf(b);
    }
    friend bool operator==(const Deferred& a, std::nullptr_t) noexcept { return a.chain_ == nullptr; }

private:
    friend detail::Access;

    Deferred(detail::Chain* chain, detail::Access::Adopted) noexcept : chain_(chain) {}

    detail::Chain& get(const char* operation, Where where) const {
        if (chain_ == nullptr) [[unlikely]] {
            detail::throwEmpty(operation, where);
        }
        return *chain_;
    }

    template <class F>
    auto addValue(F&& function, Where where) const;
    template <class G>
    Deferred addFailure(G&& function, Where where) const;
    template <class F>
    auto addEither(F&& function, Where where) const;

    detail::Chain* chain_;
};

/// A failure that converts to any Deferred, failed with it: what `fail(error)` gives.
class [[nodiscard]] Failed {
public:
    explicit Failed(Failure failure, std::source_location where = std::source_location::current())
        : failure_(std::move(failure)), where_(where) {}

    template <class T>
    operator Deferred<T>() const {
        Deferred<T> d(where_);
        d.errback(failure_, where_);
        return d;
    }
    explicit operator Failure() const { return failure_; }

private:
    Failure failure_;
    std::source_location where_;
};

namespace detail {

template <class T, class F>
struct CancellerOf : Canceller {
    explicit CancellerOf(F&& f) : function(std::move(f)) {
        call = [](Canceller& self, Chain& chain, const std::exception_ptr&, std::source_location) {
            F& canceller = static_cast<CancellerOf&>(self).function;
            if constexpr (std::invocable<F&, Deferred<T>>) {
                (void)canceller(Access::share<T>(&chain));
            } else {
                (void)canceller();
            }
            return true;
        };
        destroy = [](Canceller* self) noexcept { deleteQuietly(static_cast<CancellerOf*>(self)); };
    }
    F function;
};

} // namespace detail

template <class T>
template <class F>
    requires(std::invocable<std::decay_t<F>&, Deferred<T>> || std::invocable<std::decay_t<F>&>) &&
            (!detail::IsDeferred<F>)
Deferred<T>::Deferred(F&& canceller, Where where) : Deferred(where) {
    chain_->maker.canceller =
        new detail::CancellerOf<T, std::decay_t<F>>(std::decay_t<F>(std::forward<F>(canceller)));
}

template <class T>
template <class F>
auto Deferred<T>::addValue(F&& function, Where where) const {
    constexpr detail::Takes how = detail::takes<F, T>();
    static_assert(
        how != detail::Takes::unfit,
        "ropewalk: this callback can take neither the Deferred's value (with the extra arguments) nor nothing");
    if constexpr (how != detail::Takes::unfit) {
        using Returned = typename detail::CallResult<F, T>::Type;
        using End = detail::EndAfter<Returned, T>;
        detail::Chain& chain = get("addCallback", where);
        if constexpr (how == detail::Takes::value) {
            chain.requireEnd(&detail::tagOf<T>, where);
        }
        constexpr bool changesEnd = !detail::Outcome<std::decay_t<Returned>>::isFailure;
        return detail::addClosure<End, changesEnd>(
            chain, detail::OnValue<T, End, std::decay_t<F>>{std::forward<F>(function)}, where);
    }
}

template <class T>
template <class G>
Deferred<T> Deferred<T>::addFailure(G&& function, Where where) const {
    static_assert(detail::takesFailure<G>() != detail::Takes::unfit,
                  "ropewalk: this errback can take neither a Failure (with the extra arguments) nor nothing");
    if constexpr (detail::takesFailure<G>() != detail::Takes::unfit) {
        using Returned = detail::FailureCallResult<G>;
        using Given = detail::EndAfter<Returned, T>;
        if constexpr (detail::checkConversion<Given, T>()) {
            detail::Chain& chain = get("addErrback", where);
            if constexpr (!std::is_void_v<Given> && !std::is_void_v<T> &&
                          !detail::Outcome<std::decay_t<Returned>>::isFailure) {
                chain.requireEnd(&detail::tagOf<T>, where);
            }
            return detail::addClosure<T>(
                chain, detail::OnFailure<T, std::decay_t<G>>{std::forward<G>(function)}, where);
        }
    }
}

template <class T>
template <class F>
auto Deferred<T>::addEither(F&& function, Where where) const {
    constexpr detail::Takes how = detail::takesBoth<F, T>();
    static_assert(
        how != detail::Takes::unfit,
        "ropewalk: this function can take neither a Result of the Deferred's type (with the extra arguments) nor nothing");
    if constexpr (how != detail::Takes::unfit) {
        using Returned = detail::BothCallResult<F, T>;
        using End = detail::EndAfter<Returned, T>;
        detail::Chain& chain = get("addBoth", where);
        if constexpr (how == detail::Takes::value && !std::is_void_v<T>) {
            chain.requireEnd(&detail::tagOf<T>, where);
        }
        constexpr bool changesEnd = !detail::Outcome<std::decay_t<Returned>>::isFailure;
        return detail::addClosure<End, changesEnd>(
            chain, detail::OnBoth<T, End, std::decay_t<F>>{std::forward<F>(function)}, where);
    }
}

template <class T>
template <class F, class G>
auto Deferred<T>::addCallbacks(F&& f, G&& g, Where where) const {
    if constexpr (std::same_as<std::decay_t<G>, std::nullptr_t>) {
        return addCallback(std::forward<F>(f), where);
    } else if constexpr (std::same_as<std::decay_t<F>, std::nullptr_t>) {
        return addErrback(std::forward<G>(g), where);
    } else {
        using Callback = decltype(detail::bindExtra(std::forward<F>(f)));
        using Errback = decltype(detail::bindExtra(std::forward<G>(g)));
        constexpr detail::Takes how = detail::takes<Callback, T>();
        static_assert(how != detail::Takes::unfit,
                      "ropewalk: this callback can take neither the Deferred's value nor nothing");
        static_assert(detail::takesFailure<Errback>() != detail::Takes::unfit,
                      "ropewalk: this errback can take neither a Failure nor nothing");
        if constexpr (how != detail::Takes::unfit &&
                      detail::takesFailure<Errback>() != detail::Takes::unfit) {
            using End = detail::EndAfter<typename detail::CallResult<Callback, T>::Type, T>;
            if constexpr (detail::checkConversion<detail::EndAfter<detail::FailureCallResult<Errback>, End>,
                                                  End>()) {
                detail::Chain& chain = get("addCallbacks", where);
                if constexpr (how == detail::Takes::value) {
                    chain.requireEnd(&detail::tagOf<T>, where);
                }
                return detail::addClosure<End, true>(
                    chain,
                    detail::OnEither<T, End, Callback, Errback>{{detail::bindExtra(std::forward<F>(f))},
                                                                {detail::bindExtra(std::forward<G>(g))}},
                    where);
            }
        }
    }
}

template <class T>
Deferred<T> Deferred<T>::fork(Where where) const {
    detail::Chain& chain = get("fork", where);
    chain.requireEnd(&detail::tagOf<T>, where);
    Deferred copy(where);
    detail::addTap(
        chain,
        [copy](detail::Chain& from, const detail::Entry& entry, detail::Loop& loop) {
            const Where at = entry.where;
            detail::Chain& to = *copy.chain_;
            if (!to.mayFire(at)) {
                return;
            }
            if (from.kind == detail::Chain::Kind::failure) {
                to.setFailure(from.failure);
                to.failure.passed(at);
            } else if (from.kind == detail::Chain::Kind::none) {
                to.setNone(from.taker().who, from.taker().where);
            } else if constexpr (std::is_void_v<T>) {
                to.setVoid();
            } else {
                try {
                    to.template emplace<T>(std::as_const(from.value<T>()));
                } catch (...) {
                    to.setFailure(Failure(at));
                }
            }
            detail::fireIn(loop, to, at);
        },
        where);
    return copy;
}

template <class Character, class Traits, class T, template <class, class> class Stream>
Stream<Character, Traits>& operator<<(Stream<Character, Traits>& out, const Deferred<T>& d) {
    out << d.str();
    return out;
}

inline Deferred<void> detail::Promise<void>::get_return_object() {
    return startCoroutine<void>(*this);
}

} // namespace ropewalk::defer
