#include "random_program.hpp"
#include "twisted_model.hpp"

#include <ropewalk/defer/deferred_list.hpp>
#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/living.hpp>
#include <ropewalk/defer/log.hpp>
#include <ropewalk/defer/logged_errors.hpp>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// Random programs, run by the library and by the model: whatever can be seen must be the same, in the same
// order. RC_PARAMS="max_success=2000 max_size=200" in the environment makes more of them, and longer ones.
namespace {

using namespace ropewalk;
using programs::Op;
using programs::Ops;
using programs::Script;

/// Owns memory, so that the sanitizers see what becomes of it.
struct Value {
    Value(int n) : Value(std::to_string(n)) {}
    explicit Value(const std::string& words) : text(std::make_shared<std::string>(words)) {}

    int number() const { return text->front() == '[' ? 0 : std::stoi(*text); }

    std::shared_ptr<std::string> text;
};
using Deferred = defer::Deferred<Value>;

class UserError : public Exception {
public:
    explicit UserError(int number) : Exception("E" + std::to_string(number)) {}
};

std::string word(const Value& value) {
    return *value.text;
}
std::string word(const Failure& failure) {
    if (failure.check<UserError>() != nullptr) return failure.getErrorMessage();
    if (failure.check<defer::CancelledError>() != nullptr) return "cancelled";
    if (failure.check<NoResultError>() != nullptr) return "no result";
    if (failure.check<defer::AlreadyCalledError>() != nullptr) return "already called";
    if (failure.check<AbandonedError>() != nullptr) return "abandoned";
    if (failure.check<WrongTypeError>() != nullptr) return "wrong type";
    if (const auto* first = failure.check<defer::FirstError>()) return "first " + word(first->subFailure);
    return failure.check<RuntimeError>() != nullptr ? "runtime" : failure.repr();
}
std::string word(const Result<Value>& result) {
    return result ? word(*result) : word(result.error());
}

class Library : public log::LogObserver {
public:
    Library() { log::addObserver(*this); }
    ~Library() override {
        log::removeObserver(*this);
        defer::flushLoggedErrors();
    }

    std::vector<std::string> run(const Ops& program) {
        for (const Op& op : program) {
            perform({op});
            say(state());
        }
        closing_ = true;
        for (Deferred& slot : slots_) slot = nullptr;
        say("the end");
        defer::detail::destroyLivingCoroutines();
        return std::move(words_);
    }

    void operator()(const log::LogEvent& event) override {
        if (event.failure == nullptr) return;
        if (event.brief) {
            say(word(*event.failure));
        } else {
            say((event.text.empty() ? "unhandled " : "logged ") + word(*event.failure));
        }
    }

private:
    void say(std::string what) { words_.push_back(std::move(what)); }

    std::string state() const {
        using Kind = defer::detail::Chain::Kind;
        std::string all = "state:";
        for (const Deferred& slot : slots_) {
            all += ' ';
            if (!slot) {
                all += '-';
                continue;
            }
            auto& chain = *defer::detail::Access::chainOf(slot);
            if (!chain.idle()) {
                all += slot.called() ? "called" : "unfired";
                if (slot.paused() != 0) all += std::to_string(slot.paused());
            } else if (chain.kind == Kind::value) {
                all += word(chain.value<Value>());
            } else {
                all += chain.kind == Kind::none ? "None" : word(chain.failure);
            }
        }
        return all;
    }

    void perform(const Ops& ops) {
        if (closing_) return;
        for (const Op& op : ops) {
            try {
                statement(op);
            } catch (...) {
                say("threw " + word(Failure()));
            }
        }
    }

    void statement(const Op& op) {
        using enum Op::Kind;
        Deferred& slot = slots_[op.slot];
        if (op.kind == make) {
            slot = op.script != nullptr ? Deferred(Canceller{{*this, op.script}}) : Deferred();
            return;
        }
        if (op.kind == start) {
            slot = coroutine(op.script);
            return;
        }
        if (!slot) return;
        switch (op.kind) {
            case callback:
                return add<Value>(op.script, [&](auto callable) { slot.addCallback(std::move(callable)); });
            case errback:
                return add<const Failure&>(op.script,
                                           [&](auto callable) { slot.addErrback(std::move(callable)); });
            case both:
                return add<Result<Value>>(op.script,
                                          [&](auto callable) { slot.addBoth(std::move(callable)); });
            case fire:
                return slot.callback(op.id);
            case fail:
                return slot.errback(UserError(op.id));
            case cancel:
                return slot.cancel();
            case pause:
                return slot.pause();
            case unpause:
                return slot.unpause();
            case chain:
                if (slots_[op.other]) slot.chainDeferred(slots_[op.other]);
                return;
            case drop:
                slot = nullptr;
                return;
            case copy:
                slots_[op.other] = slot;
                return;
            case fork:
                slots_[op.other] = slot.fork();
                return;
            case list:
                if (slots_[op.other]) slots_[op.other] = listed(op, slot, slots_[op.other]);
                return;
            default:
                return;
        }
    }

    Deferred listed(const Op& op, const Deferred& first, const Deferred& second) {
        std::vector<Deferred> members;
        members.push_back(first);
        members.push_back(second);
        return defer::DeferredList(std::move(members), {op.fireOnOneErrback, op.consumeErrors})
            .addCallback([](const defer::ListResults<Value>& all) {
                return Value('[' + word(all[0]) + ',' + word(all[1]) + ']');
            });
    }

    // Callables.

    /// Says that what it lies in is destroyed.
    struct Remains {
        Remains(Library& whose, std::shared_ptr<const Script> of) : library(&whose), script(std::move(of)) {}
        Remains(Remains&& other) noexcept : library(other.library), script(std::move(other.script)) {}
        Remains& operator=(Remains&&) = delete;
        ~Remains() {
            if (script == nullptr) return;
            library->say("gone " + std::to_string(script->id));
            library->perform(script->atEnd);
        }

        Library* library;
        std::shared_ptr<const Script> script;
    };

    struct Canceller {
        Remains remains;

        void operator()(const Deferred& d) { remains.library->callCanceller(*remains.script, d); }
    };

    template <class Returned, class Given>
    struct Callable {
        Deferred captured;
        Remains remains;

        Returned operator()(Given given) {
            return remains.library->call<Returned, Given>(*remains.script, captured,
                                                          std::forward<Given>(given));
        }
    };

    void callCanceller(const Script& script, const Deferred& d) {
        const int id = script.id;
        say("canceller " + std::to_string(id));
        perform(script.ops);
        if (script.outcome == Script::Outcome::value) d.callback(id);
        if (script.outcome == Script::Outcome::failed) d.errback(UserError(id));
        if (script.outcome == Script::Outcome::error) throw UserError(id);
    }

    template <class Returned, class Given>
    Returned call(const Script& script, [[maybe_unused]] const Deferred& held, Given given) {
        using enum Script::Outcome;
        say("call " + std::to_string(script.id) + " with " + word(given));
        perform(script.ops);
        const Deferred& inSlot = slots_[script.slot];
        if constexpr (std::same_as<Returned, Deferred>) {
            if (script.outcome == fresh) return Deferred(Canceller{{*this, script.canceller}});
            if (script.outcome == failed) return defer::fail(UserError(script.id));
            const Deferred& returned = script.outcome == captured ? held : inSlot;
            return returned && script.outcome != succeeded ? returned : defer::succeed(Value(script.id));
        } else if constexpr (std::same_as<Returned, defer::Deferred<int>>) {
            if (!inSlot) return defer::succeed(script.id);
            return inSlot.fork().addCallback([](const Value& value) { return value.number(); });
        } else if constexpr (std::same_as<Returned, Result<Value>>) {
            if constexpr (std::same_as<Given, const Failure&>) {
                return std::unexpected(given);
            } else {
                return given;
            }
        } else if constexpr (std::same_as<Returned, Failure>) {
            return UserError(script.id);
        } else if constexpr (!std::is_void_v<Returned>) {
            if (script.outcome == error) throw UserError(script.id);
            return script.id;
        }
    }

    template <class Given, class Add>
    void add(const std::shared_ptr<const Script>& script, Add addTo) {
        using enum Script::Outcome;
        constexpr bool isErrback = std::same_as<Given, const Failure&>;
        const auto addReturning = [&]<class Returned>(std::type_identity<Returned>) {
            const bool captures = script->outcome == Script::Outcome::captured;
            addTo(Callable<Returned, Given>{captures ? slots_[script->slot] : nullptr, {*this, script}});
        };
        switch (script->outcome) {
            case deferred:
            case captured:
            case succeeded:
            case failed:
            case fresh:
                return addReturning(std::type_identity<Deferred>());
            case same:
                return addReturning(std::type_identity<Result<Value>>());
            case failure:
                return addReturning(std::type_identity<Failure>());
            case deferredNumber:
                return addReturning(
                    std::type_identity<std::conditional_t<isErrback, defer::Deferred<int>, Deferred>>());
            case number:
                return addReturning(std::type_identity<std::conditional_t<isErrback, int, Value>>());
            case nothing:
                return addReturning(std::type_identity<std::conditional_t<isErrback, void, Value>>());
            default:
                return addReturning(std::type_identity<Value>());
        }
    }

    // Coroutines.

    struct Frame {
        Library& library;
        const Script& script;

        ~Frame() {
            library.say("frame gone " + std::to_string(script.id));
            library.perform(script.atEnd);
        }
    };

    Deferred coroutine(std::shared_ptr<const Script> script) {
        const Frame frame{*this, *script};
        for (const Script::Await& await : script->awaits) {
            perform(await.before);
            const Deferred& slot = slots_[await.slot];
            if (!slot) continue;
            const std::string heading = "coroutine " + std::to_string(script->id) + " got ";
            std::string got;
            try {
                if (await.form == Script::Await::Form::local) {
                    const Deferred local = slot;
                    if (await.asResult) {
                        got = wordOrThrow(co_await local.result());
                    } else {
                        got = word(co_await local);
                    }
                } else if (await.form == Script::Await::Form::temporary) {
                    if (await.asResult) {
                        got = wordOrThrow(co_await Deferred(slot).result());
                    } else {
                        got = word(co_await Deferred(slot));
                    }
                } else if (await.asResult) {
                    got = wordOrThrow(co_await slot.result());
                } else {
                    got = word(co_await slot);
                }
            } catch (...) {
                say(heading + word(Failure()));
                if (!await.catches) throw;
                continue;
            }
            say(heading + got);
        }
        perform(script->ops);
        if (script->outcome == Script::Outcome::error) throw UserError(script->id);
        co_return script->id;
    }

    static std::string wordOrThrow(const Result<Value>& result) {
        if (!result) result.error().raiseException();
        return word(*result);
    }

    std::vector<std::string> words_;
    bool closing_ = false;
    std::array<Deferred, programs::slotCount> slots_;
};

/// Where the two part, with what came before.
std::string difference(const std::vector<std::string>& expected, const std::vector<std::string>& actual) {
    std::string all;
    for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
        const std::string model = i < expected.size() ? expected[i] : "(nothing)";
        const std::string library = i < actual.size() ? actual[i] : "(nothing)";
        all += model + '\n';
        if (model != library) return all + "    but the library: " + library + '\n';
    }
    return {};
}

TEST_CASE("random programs do in the library what they do in the model of Twisted") {
    int skipped = 0;
    const auto property = [&](const std::vector<std::uint8_t>& bytes) {
        const Ops program = programs::Reader(bytes).program();
        model::Twisted twisted;
        const auto expected = twisted.run(program);
        if (twisted.leaks()) {
            ++skipped;
            return;
        }
        const auto actual = Library().run(program);
        RC_LOG() << programs::text(program) << difference(expected, actual);
        RC_ASSERT(expected == actual);
        RC_ASSERT(defer::livingDeferreds().empty());
    };
    auto params = rc::detail::configuration().testParams;
    params.maxSuccess *= 80;
    params.maxSize *= 3;
    const auto bytes = rc::gen::container<std::vector<std::uint8_t>>(
        rc::gen::resize(100, rc::gen::arbitrary<std::uint8_t>()));
    const auto result =
        rc::detail::checkTestable([&] { property(*bytes); }, rc::detail::TestMetadata(), params);
    if (!result.is<rc::detail::SuccessResult>()) rc::detail::printResultMessage(result, std::cout);
    CHECK(result.is<rc::detail::SuccessResult>());
    CHECK(skipped < params.maxSuccess / 10);
}

} // namespace
