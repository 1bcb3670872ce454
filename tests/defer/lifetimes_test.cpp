#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/defer/timeout.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using probes::Counted;
using probes::Words;
using ropewalk::Failure;
using ropewalk::Result;
using ropewalk::ValueError;

// How long closures and values live.
namespace {

const std::string longText = "a text that is too long to lie in the string itself";

TEST_CASE("a closure lives until its callback has run, and goes when it is done") {
    int alive = 0;
    int within = -1;
    const Deferred<int> d;
    d.addCallback([&, c = Counted(alive)](int n) {
        within = alive;
        return n;
    });
    d.addCallback([&](int n) { return n + alive; });
    CHECK(alive == 1);
    d.callback(1);
    CHECK(within == 1);
    CHECK(alive == 0);
    CHECK(defer::successResultOf(d) == 1);
}

TEST_CASE("the closure of the side that doesn't run goes too") {
    int alive = 0;
    const Deferred<int> d;
    d.addErrback([c = Counted(alive)](const Failure& f) { return f; });
    d.addCallbacks([](int n) { return n; }, [c = Counted(alive)](const Failure& f) { return f; });
    CHECK(alive == 2);
    d.callback(1);
    CHECK(alive == 0);
}

TEST_CASE("closures of a Deferred that never fires go with its last handle") {
    int alive = 0;
    Deferred<int> d;
    d.addCallback([c = Counted(alive)](int n) { return n; });
    d.addErrback([c = Counted(alive)](const Failure& f) { return f; });
    d.addBoth([c = Counted(alive)](Result<int> r) { return r; });
    d.addCallback([a = Counted(alive)](int n, const Counted&) { return n; }, Counted(alive));
    CHECK(alive == 5);
    d = nullptr;
    CHECK(alive == 0);
}

TEST_CASE("a closure, and the value, live until the Deferred that the callback returned has fired") {
    int closures = 0;
    int values = 0;
    Deferred<int> inner;
    const Deferred<Counted> outer;
    const Deferred<int> end = outer.addCallback([&, c = Counted(closures)](const Counted&) { return inner; });
    outer.callback(Counted(values));
    CHECK(closures == 1);
    CHECK(values == 1);
    inner.callback(3);
    CHECK(closures == 0);
    CHECK(values == 0);
    CHECK(defer::successResultOf(end) == 3);
}

TEST_CASE("or until it is gone") {
    int closures = 0;
    Deferred<int> inner;
    {
        const Deferred<void> outer;
        outer.addCallback([&, c = Counted(closures)] { return inner; });
        outer.callback();
        CHECK(closures == 1);
    }
    CHECK(closures == 1);
    inner = nullptr;
    CHECK(closures == 0);
}

TEST_CASE(
    "so a coroutine may be a callback: it uses its captures, a reference to the value and to extra arguments") {
    const Deferred<void> gate;
    std::string got;
    const Deferred<std::string> d;
    d.addCallback(
        [text = longText, &gate, &got](const std::string& value, const std::string& extra) -> Deferred<void> {
            co_await gate;
            got = text + '|' + value + '|' + extra;
        },
        longText + '2');
    d.callback(longText + '1');
    CHECK(got.empty());
    gate.callback();
    CHECK(got == longText + '|' + longText + "1|" + longText + '2');
}

TEST_CASE("so may an errback: it uses a reference to the failure") {
    const Deferred<void> gate;
    std::string got;
    const Deferred<std::string> d;
    d.addErrback([text = longText, &gate, &got](const Failure& f) -> Deferred<std::string> {
        co_await gate;
        got = text + f.getErrorMessage();
        co_return "handled";
    });
    d.errback(ValueError(longText));
    gate.callback();
    CHECK(got == longText + longText);
    CHECK(defer::successResultOf(d) == "handled");
}

TEST_CASE("so may a function on both sides: it uses a reference to the Result") {
    const Deferred<void> gate;
    Words got;
    const auto both = [text = longText, &gate, &got](const Result<std::string>& r) -> Deferred<void> {
        co_await gate;
        got.push_back(text + (r ? *r : r.error().getErrorMessage()));
    };
    const Deferred<std::string> d;
    d.addBoth(both);
    d.callback(longText);
    const Deferred<std::string> e;
    e.addBoth(both);
    e.errback(ValueError("bad"));
    gate.callback();
    CHECK(got == Words{longText + longText, longText + "bad"});
}

TEST_CASE("so may one that is given a type's own None") {
    const Deferred<void> gate;
    bool empty = false;
    const Deferred<std::optional<std::string>> d = defer::fail(ValueError("x"));
    d.addErrback([] {});
    d.addCallback([&](const std::optional<std::string>& none) -> Deferred<void> {
        co_await gate;
        empty = !none.has_value();
    });
    gate.callback();
    CHECK(empty);
}

/// A clock whose one call the test makes itself.
struct OneCall {
    struct Call {
        bool active() const { return false; }
        void cancel() const {}
    };
    template <class F>
    Call callLater(std::chrono::seconds, F function) {
        call = std::move(function);
        return {};
    }
    std::move_only_function<void()> call;
};

TEST_CASE("so may the function that addTimeout calls") {
    OneCall clock;
    const Deferred<void> gate;
    const Deferred<std::string> d;
    d.addTimeout(std::chrono::seconds(5), clock,
                 [text = longText, &gate](const Result<std::string>& r,
                                          std::chrono::seconds s) -> Deferred<std::string> {
                     co_await gate;
                     co_return text + (r ? *r : std::to_string(s.count()));
                 });
    clock.call();
    CHECK(d.paused() == 1);
    gate.callback();
    CHECK(defer::successResultOf(d) == longText + "5");
}

TEST_CASE("a function that addTimeout calls, on a stale handle, leaves None") {
    OneCall clock;
    const Deferred<void> front;
    const Deferred<std::string> text = front.addCallback([] { return longText; });
    front.addTimeout(std::chrono::seconds(5), clock, [](const Result<void>&, std::chrono::seconds) {});
    text.addCallback([](std::string s) { return s; });
    clock.call();
    defer::failureResultOf<ropewalk::NoResultError>(text);
}

class Client {
public:
    explicit Client(int& alive) : count_(alive) {}
    Deferred<std::string> fetch(const std::string& name, const Deferred<void>& gate) {
        const std::string prefix = prefix_;
        co_await gate;
        co_return prefix + prefix_ + name;
    }

private:
    Counted count_;
    std::string prefix_ = longText;
};

TEST_CASE("so may a member function, whose object the chain keeps") {
    int alive = 0;
    const Deferred<void> gate;
    const Deferred<std::string> d;
    const Deferred<std::string> end = d.addCallback(&Client::fetch, std::make_shared<Client>(alive), gate);
    d.callback("name");
    CHECK(alive == 1);
    gate.callback();
    CHECK(alive == 0);
    CHECK(defer::successResultOf(end) == longText + longText + "name");
}

TEST_CASE("a value larger than the slot stays where it is while the chain waits") {
    struct Large {
        std::string text;
        char more[100];
    };
    const Deferred<void> gate;
    const Large* before = nullptr;
    const Large* after = nullptr;
    std::string got;
    const Deferred<Large> d;
    d.addCallback([&](const Large& value) -> Deferred<void> {
        before = &value;
        co_await gate;
        after = &value;
        got = value.text;
    });
    d.callback(Large{longText, {}});
    gate.callback();
    CHECK(before == after);
    CHECK(got == longText);
}

TEST_CASE("a callback that holds the handle it returns makes no cycle") {
    int alive = 0;
    {
        const Deferred<int> inner;
        const Deferred<void> outer;
        outer.addCallback([inner, c = Counted(alive)] { return inner; });
        outer.callback();
    }
    CHECK(alive == 0);
}

TEST_CASE("nor does one that holds its own Deferred, once that has fired") {
    int alive = 0;
    {
        const Deferred<int> d;
        d.addCallback([d, c = Counted(alive)](int n) { return n; });
        d.addErrback([d, c = Counted(alive)](const Failure& f) { return f; });
        d.callback(1);
    }
    CHECK(alive == 0);
}

TEST_CASE("chains that are dropped waiting for each other leave nothing") {
    int alive = 0;
    {
        const Deferred<int> c;
        const Deferred<int> b = defer::succeed(0).addCallback([&, n = Counted(alive)](int) { return c; });
        const Deferred<int> a = defer::succeed(0).addCallback([&, n = Counted(alive)](int) { return b; });
        a.addCallback([n = Counted(alive)](int i) { return i; });
        const Deferred<int> target;
        a.chainDeferred(target);
        target.addCallback([n = Counted(alive)](int i) { return i; });
        CHECK(alive == 4);
    }
    CHECK(alive == 0);
}

TEST_CASE("a chain lives while what it waits for does, without a handle of its own") {
    int got = 0;
    const Deferred<int> inner;
    {
        const Deferred<void> outer;
        outer.addCallback([&] { return inner; }).addCallback([&](int n) { got = n; });
        outer.callback();
    }
    inner.callback(5);
    CHECK(got == 5);
    const Deferred<int> source;
    {
        const Deferred<int> target;
        target.addCallback([&](int n) { got = n; });
        source.chainDeferred(target);
    }
    source.callback(6);
    CHECK(got == 6);
}

TEST_CASE("the canceller goes with an unfired Deferred") {
    int alive = 0;
    {
        const Deferred<int> d([c = Counted(alive)] {});
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
}

TEST_CASE("a callback may drop every handle on its own Deferred; the chain goes on to its end") {
    int alive = 0;
    Words seen;
    auto d = std::make_unique<Deferred<int>>();
    d->addCallback([&, c = Counted(alive)](int n) {
        seen.push_back("first");
        d = nullptr;
        return n;
    });
    const Deferred<int> copy = *d;
    d->addCallback([&](int) { seen.push_back("second"); });
    std::exchange(*d, nullptr).callback(1);
    CHECK(seen == Words{"first", "second"});
    CHECK(alive == 0);
}

struct Holder {
    Deferred<int> d;
};

TEST_CASE("a handle may be destroyed by what it was used for") {
    auto holder = std::make_unique<Holder>();
    const auto drop = [&] { holder = nullptr; };
    SUBCASE("callback") {
        holder->d.addCallback([&](int) { drop(); });
        holder->d.callback(1);
    }
    SUBCASE("errback") {
        holder->d.addErrback(drop);
        holder->d.errback(ValueError("x"));
    }
    SUBCASE("cancel") {
        holder->d.addErrback(drop);
        holder->d.cancel();
    }
    SUBCASE("unpause") {
        holder->d.addCallback([&](int) { drop(); });
        holder->d.pause();
        holder->d.callback(1);
        holder->d.unpause();
    }
    SUBCASE("addCallback") {
        holder->d.callback(1);
        holder->d.addCallback([&](int) { drop(); });
    }
    SUBCASE("addErrback") {
        holder->d.errback(ValueError("x"));
        holder->d.addErrback(drop);
    }
    SUBCASE("addBoth") {
        holder->d.callback(1);
        holder->d.addBoth(drop);
    }
    SUBCASE("addCallbacks") {
        holder->d.callback(1);
        holder->d.addCallbacks(drop, drop);
    }
    SUBCASE("a canceller") {
        holder->d = Deferred<int>(drop);
        holder->d.addErrback([] {});
        holder->d.cancel();
    }
    CHECK(holder == nullptr);
}

} // namespace
