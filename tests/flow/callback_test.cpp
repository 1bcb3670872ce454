#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/testing.hpp>
#include <ropewalk/flow/callback.hpp>
#include <ropewalk/flow/concurrent.hpp>
#include <ropewalk/flow/deferred.hpp>
#include <ropewalk/flow/wrap.hpp>
#include <ropewalk/task/clock.hpp>

namespace flow = ropewalk::flow;
namespace defer = ropewalk::defer;

namespace {

using Ints = std::vector<int>;

/// Every result, as soon as it comes.
flow::Generator<> into(Ints& list, flow::Callback<int>& source) {
    while (auto n = co_await source) {
        list.push_back(*n);
    }
    list.push_back(-1);
}

class Recorder : public ropewalk::Producer {
public:
    void pauseProducing() override { calls += 'p'; }
    void resumeProducing() override {
        calls += 'r';
        if (onResume) {
            onResume();
        }
    }
    void stopProducing() override { calls += 's'; }

    std::string calls;
    std::function<void()> onResume;
};

} // namespace

TEST_CASE("a Callback wakes the flow within the call") {
    ropewalk::task::Clock clock;
    flow::Callback<int> source;
    Ints list;
    const auto done = flow::Deferred(into(list, source), clock);
    CHECK(list.empty());
    source.result(1);
    CHECK(list == Ints{1});
    source(2);
    CHECK(list == Ints{1, 2});
    source.finish();
    CHECK(list == Ints{1, 2, -1});
    CHECK(done.called());
    CHECK(clock.getDelayedCalls().empty());
}

TEST_CASE("a Callback keeps what comes before it is asked for, also its end") {
    ropewalk::task::Clock clock;
    flow::Callback<int> source;
    for (int i = 0; i < 9; ++i) {
        source.result(i);
    }
    source.finish();
    CHECK(source.results.size() == 9);
    CHECK_FALSE(source.stop);
    CHECK(defer::successResultOf(flow::Deferred(source, clock)) == Ints{0, 1, 2, 3, 4, 5, 6, 7, 8});
}

TEST_CASE("the results of a Callback before its error are kept") {
    ropewalk::task::Clock clock;
    flow::Callback<int> source;
    Ints list;
    const auto done = flow::Deferred(into(list, source), clock);
    source.result(1);
    source.errback(ropewalk::IOError("lost"));
    CHECK(list == Ints{1});
    CHECK(defer::failureResultOf(done).check<ropewalk::IOError>() != nullptr);

    flow::Callback<int> late;
    late.result(1);
    late.result(2);
    late.errback(ropewalk::IOError("lost"));
    Ints more;
    const auto failed = flow::Deferred(into(more, late), clock);
    CHECK(more == Ints{1, 2});
    CHECK(defer::failureResultOf(failed).check<ropewalk::IOError>() != nullptr);
}

TEST_CASE("errback without an argument takes the exception that is being handled") {
    flow::Callback<int> source;
    try {
        throw ropewalk::ValueError("bad");
    } catch (...) {
        source.errback();
    }
    REQUIRE(source.failure);
    CHECK(source.failure->check<ropewalk::ValueError>() != nullptr);
}

TEST_CASE("a Callback that has failed can't be finished") {
    flow::Callback<int> source;
    source.errback(ropewalk::IOError("lost"));
    CHECK_THROWS_AS(source.finish(), ropewalk::AssertionError);
}

TEST_CASE("a trapped error of a Callback is a result") {
    ropewalk::task::Clock clock;
    flow::Callback<int> source;
    const auto done = flow::Deferred(source, flow::trap<ropewalk::IOError>, clock);
    source.result(1);
    source.errback(ropewalk::IOError("lost"));
    const auto results = defer::successResultOf(done);
    REQUIRE(results.size() == 2);
    CHECK(results[0].value() == 1);
    CHECK(results[1].error().check<ropewalk::IOError>() != nullptr);
}

TEST_CASE("two Callbacks are merged as their results come") {
    ropewalk::task::Clock clock;
    flow::Callback<int> a;
    flow::Callback<int> b;
    const auto done = flow::Deferred(flow::Merge(a, b), clock);
    a.result(1);
    b.result(2);
    a.result(3);
    a.result(4);
    a.finish();
    b.result(5);
    defer::assertNoResult(done);
    b.finish();
    CHECK(defer::successResultOf(done) == Ints{1, 2, 3, 4, 5});
}

TEST_CASE("a flow that waits for a Callback is closed when that goes") {
    ropewalk::task::Clock clock;
    struct Mark {
        explicit Mark(std::string& theText) : text(theText) {}
        ~Mark() { text += "closed"; }
        std::string& text;
    };
    std::string text;
    auto source = std::make_unique<flow::Callback<int>>();
    auto waits = [](std::string& log, flow::Callback<int>& of) -> flow::Generator<> {
        const Mark mark(log);
        while (co_await of) {}
    };
    auto done = flow::Deferred(waits(text, *source), clock);
    source->result(1);
    CHECK(text.empty());
    source.reset();
    CHECK(text == "closed");
    CHECK_FALSE(done.called());
    CHECK(defer::flushLoggedErrors<ropewalk::AbandonedError>().size() == 1);
}

TEST_CASE("a cancelled flow doesn't hear of its Callback any more") {
    ropewalk::task::Clock clock;
    flow::Callback<int> source;
    Ints list;
    const auto done = flow::Deferred(into(list, source), clock);
    done.cancel();
    CHECK(defer::failureResultOf(done).check<defer::CancelledError>() != nullptr);
    source.result(1);
    CHECK(list.empty());
    CHECK(source.results.size() == 1);
}

TEST_CASE("a flow may push into the Callback that it reads") {
    ropewalk::task::Clock clock;
    flow::Callback<int> source;
    auto countDown = [](flow::Callback<int>& numbers) -> flow::Generator<int> {
        while (auto n = co_await numbers) {
            co_yield *n;
            if (*n == 0) {
                numbers.finish();
            } else {
                numbers.result(*n - 1);
            }
        }
    };
    const auto done = flow::Deferred(countDown(source), clock);
    source.result(3);
    CHECK(defer::successResultOf(done) == Ints{3, 2, 1, 0});
}

TEST_CASE("the flow's end may take the Callback away that has woken it") {
    ropewalk::task::Clock clock;
    auto source = std::make_unique<flow::Callback<int>>();
    flow::Deferred(*source, clock).addCallback([&](const Ints& all) {
        CHECK(all == Ints{1});
        source.reset();
    });
    source->result(1);
    source->finish();
    CHECK(source == nullptr);
}

TEST_CASE(
    "a streaming producer is paused at the limit and resumed when the flow has taken all and asks again") {
    ropewalk::task::Clock clock;
    flow::Callback<int> source(3);
    const auto producer = std::make_shared<Recorder>();
    source.registerProducer(producer, true);
    CHECK(producer->calls.empty());
    source.result(1);
    source.result(2);
    CHECK(producer->calls.empty());
    source.result(3);
    source.result(4);
    CHECK(producer->calls == "p");

    Ints list;
    const auto done = flow::Deferred(into(list, source), clock);
    CHECK(list == Ints{1, 2, 3, 4});
    CHECK(producer->calls == "pr");
    source.result(5); // taken at once
    source.result(6);
    source.result(7);
    source.result(8);
    CHECK(producer->calls == "pr");
    source.finish();
    CHECK(done.called());
}

TEST_CASE("a pull producer is resumed at once, and whenever the flow finds nothing") {
    ropewalk::task::Clock clock;
    flow::Callback<int> source;
    const auto producer = std::make_shared<Recorder>();
    int next = 0;
    producer->onResume = [&] {
        if (next == 3) {
            source.finish();
        } else {
            source.result(next++);
        }
    };
    source.registerProducer(producer, false);
    CHECK(source.results.size() == 1);
    CHECK(defer::successResultOf(flow::Deferred(source, clock)) == Ints{0, 1, 2});
    CHECK(producer->calls == "rrrr");
}

TEST_CASE("a pull producer that takes its time is asked once") {
    ropewalk::task::Clock clock;
    flow::Callback<int> source;
    const auto producer = std::make_shared<Recorder>();
    source.registerProducer(producer, false);
    CHECK(producer->calls == "r");
    Ints list;
    const auto done = flow::Deferred(into(list, source), clock);
    CHECK(producer->calls == "r");
    source.result(1);
    CHECK(producer->calls == "rr");
    source.finish();
    CHECK(list == Ints{1, -1});
}

TEST_CASE("a Callback of strings counts their bytes, and any other what it is told") {
    flow::Callback<std::string> text(10);
    const auto producer = std::make_shared<Recorder>();
    text.registerProducer(producer, true);
    text.result("12345");
    CHECK(producer->calls.empty());
    text.result("67890");
    CHECK(producer->calls == "p");

    flow::Callback<Ints> lists(4, [](const Ints& list) { return list.size(); });
    const auto other = std::make_shared<Recorder>();
    lists.registerProducer(other, true);
    lists.result(Ints{1, 2, 3});
    CHECK(other->calls.empty());
    lists.result(Ints{4});
    CHECK(other->calls == "p");
}

TEST_CASE("a Callback has one producer at a time") {
    flow::Callback<int> source;
    const auto first = std::make_shared<Recorder>();
    const auto second = std::make_shared<Recorder>();
    source.registerProducer(first, true);
    CHECK_THROWS_AS(source.registerProducer(second, true), ropewalk::RuntimeError);
    source.unregisterProducer();
    source.registerProducer(second, true);
    CHECK(first->calls.empty());
    CHECK(first.use_count() == 1);
}

TEST_CASE("the producer of a Callback that goes is stopped, and one that comes after its end") {
    const auto producer = std::make_shared<Recorder>();
    {
        flow::Callback<int> source;
        source.registerProducer(producer, true);
    }
    CHECK(producer->calls == "s");
    flow::Callback<int> source;
    source.finish();
    const auto late = std::make_shared<Recorder>();
    source.registerProducer(late, true);
    CHECK(late->calls == "s");
}
