#include <ropewalk/defer/deferred.hpp>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/helpers.hpp>
#include <ropewalk/defer/testing.hpp>

#include <doctest/doctest.h>

#include <any>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "probes.hpp"

namespace defer = ropewalk::defer;

using defer::Deferred;
using probes::Words;
using ropewalk::Failure;
using ropewalk::None;
using ropewalk::Result;
using ropewalk::ValueError;

namespace {

template <class T, class V, class F>
void fireWith(V&& value, F function) {
    const Deferred<T> d;
    d.addCallback(std::move(function));
    d.callback(std::forward<V>(value));
    defer::successResultOf(Deferred<void>(d.addCallback([] {})));
}

TEST_CASE("a callback may take the value as T, const T&, T&&, auto, or what T converts to") {
    Words seen;
    fireWith<std::string>("a", [&](std::string s) { seen.push_back("T " + s); });
    fireWith<std::string>("b", [&](const std::string& s) { seen.push_back("const T& " + s); });
    fireWith<std::string>("c", [&](std::string&& s) { seen.push_back("T&& " + s); });
    fireWith<std::string>("d", [&](auto s) { seen.push_back("auto " + s); });
    fireWith<std::string>("e", [&](const auto& s) { seen.push_back("const auto& " + s); });
    fireWith<std::string>("f", [&](auto&& s) {
        static_assert(std::is_same_v<decltype(s), std::string&&>);
        seen.push_back("auto&& " + s);
    });
    fireWith<std::string>("g", [&](std::string_view s) { seen.push_back("string_view " + std::string(s)); });
    fireWith<int>(7, [&](long n) { seen.push_back("long " + std::to_string(n)); });
    fireWith<int>(8, [&](std::any n) { seen.push_back("any " + std::to_string(std::any_cast<int>(n))); });
    CHECK(seen == Words{"T a", "const T& b", "T&& c", "auto d", "const auto& e", "auto&& f", "string_view g",
                        "long 7", "any 8"});
}

TEST_CASE("it is called with an rvalue: by value it is moved, by const T& it is neither copied nor moved") {
    struct Tracked {
        int* copies;
        int* moves;
        Tracked(int& c, int& m) : copies(&c), moves(&m) {}
        Tracked(const Tracked& o) : copies(o.copies), moves(o.moves) { ++*copies; }
        Tracked(Tracked&& o) noexcept : copies(o.copies), moves(o.moves) { ++*moves; }
    };
    int copies = 0;
    int moves = 0;
    const Deferred<Tracked> byReference;
    byReference.addCallback([](const Tracked&) {});
    byReference.callback(Tracked(copies, moves));
    CHECK(copies == 0);
    CHECK(moves == 1);
    const Deferred<Tracked> byValue;
    byValue.addCallback([](Tracked) {});
    byValue.callback(Tracked(copies, moves));
    CHECK(copies == 0);
    CHECK(moves == 3);
}

TEST_CASE("or nothing") {
    bool ran = false;
    const Deferred<std::string> d;
    d.addCallback([&] { ran = true; });
    d.callback("unused");
    CHECK(ran);
}

struct Overloaded {
    Words* seen;
    void operator()() const { seen->push_back("nothing"); }
    void operator()(int) const { seen->push_back("int"); }
    void operator()(const std::string&) const { seen->push_back("string"); }
};

TEST_CASE("of overloads the one for the value is called, of those without one that which takes nothing") {
    Words seen;
    fireWith<int>(1, Overloaded{&seen});
    fireWith<std::string>("s", Overloaded{&seen});
    fireWith<std::unique_ptr<int>>(nullptr, Overloaded{&seen});
    const Deferred<void> d;
    d.addCallback(Overloaded{&seen});
    d.callback();
    CHECK(seen == Words{"int", "string", "nothing", "nothing"});
}

TEST_CASE("on a void chain: nothing, or None") {
    Words seen;
    const Deferred<void> d;
    d.addCallback([&] { seen.push_back("nothing"); });
    d.addCallback([&](None) { seen.push_back("None"); });
    d.addCallback([&](auto) { seen.push_back("auto"); });
    d.addCallback([&](const auto& none) {
        static_assert(std::is_same_v<decltype(none), const None&>);
        seen.push_back("const auto&");
    });
    d.addCallback([&](auto&&...) { seen.push_back("pack"); });
    d.callback(None{});
    CHECK(seen == Words{"nothing", "None", "auto", "const auto&", "pack"});
}

TEST_CASE("extra arguments alone, where the value isn't wanted") {
    Words seen;
    const Deferred<int> d;
    const Deferred<void> done =
        d.addCallback([&](const std::string& s) { seen.push_back(s); }, std::string("extra"));
    done.addCallback([&](None, const std::string& s) { seen.push_back("None " + s); }, std::string("extra"));
    d.addErrback([&](const std::string& s) { seen.push_back(s); }, std::string("not called"));
    d.addBoth([&](std::string s, int n) { seen.push_back(s + std::to_string(n)); }, "both", 2);
    d.callback(1);
    CHECK(seen == Words{"extra", "None extra", "both2"});
}

TEST_CASE("extra arguments are kept as values, moved in and moved out") {
    const Deferred<int> d;
    auto owned = std::make_unique<int>(5);
    std::string local = "before";
    int got = 0;
    std::string text;
    d.addCallback(
        [&](int n, std::unique_ptr<int> p, const std::string& s) {
            got = n + *p;
            text = s;
        },
        std::move(owned), local);
    local = "after";
    d.callback(10);
    CHECK(got == 15);
    CHECK(text == "before");
}

TEST_CASE("extra arguments by reference, with std::ref") {
    const Deferred<int> d;
    int total = 1;
    d.addCallback([](int n, int& sum) { sum += n; }, std::ref(total));
    d.callback(10);
    CHECK(total == 11);
}

int twice(int n) {
    return 2 * n;
}

std::string joined(const std::string& a, const std::string& b) {
    return a + b;
}

TEST_CASE("functions, pointers to them, std::function, and what only moves") {
    const Deferred<int> d;
    d.addCallback(twice).addCallback(&twice).addCallback(std::function<int(int)>(twice));
    d.addCallback(
        std::move_only_function<int(int)>([p = std::make_unique<int>(1)](int n) { return n + *p; }));
    d.addCallback([p = std::make_unique<int>(2)](int n) { return n + *p; });
    d.addErrback([p = std::make_unique<int>(2)](const Failure&) { return *p; });
    d.addBoth([p = std::make_unique<int>(3)](Result<int> r) { return *r + *p; });
    d.callback(1);
    CHECK(defer::successResultOf(d) == 14);
    const Deferred<std::string> text = defer::succeed(std::string("a"));
    text.addCallback(joined, "b");
    CHECK(defer::successResultOf(text) == "ab");
}

TEST_CASE("a callable that changes itself, and one whose call is &&-free but not const") {
    const Deferred<int> d;
    d.addCallback([n = 1](int m) mutable { return n += m; });
    d.callback(1);
    CHECK(defer::successResultOf(d) == 2);
}

class Client {
public:
    Words seen;

    void gotPoem(const std::string& poem) { seen.push_back(poem); }
    void gotPoemFrom(const std::string& poem, const std::string& host, int port) {
        seen.push_back(poem + " from " + host + ':' + std::to_string(port));
    }
    int length(const std::string& poem) const { return static_cast<int>(poem.size()); }
    void failed(const Failure& f) { seen.push_back(f.getErrorMessage()); }
    void done() noexcept { seen.push_back("done"); }
    void either(const Result<std::string>& r) { seen.push_back(r ? *r : "failure"); }

    void listen(const Deferred<std::string>& d) {
        d.addCallback(&Client::gotPoem, this);
        d.addErrback(&Client::failed, this);
        d.addBoth(&Client::done, this);
    }
};

TEST_CASE("a member function takes its object first: a pointer") {
    Client client;
    const Deferred<std::string> d;
    client.listen(d);
    d.callback("poem");
    const Deferred<std::string> e;
    client.listen(e);
    e.errback(ValueError("lost"));
    CHECK(client.seen == Words{"poem", "done", "lost", "done"});
}

TEST_CASE("and then extra arguments") {
    Client client;
    const Deferred<std::string> d;
    d.addCallback(&Client::gotPoemFrom, &client, "host", 10001);
    d.callback("poem");
    CHECK(client.seen == Words{"poem from host:10001"});
}

TEST_CASE("its object may be a reference_wrapper, a shared_ptr, a unique_ptr, or a copy") {
    Client client;
    const auto shared = std::make_shared<Client>();
    auto unique = std::make_unique<Client>();
    Client& moved = *unique;
    Words seen;
    const auto run = [&](auto&& object) {
        const Deferred<std::string> d;
        d.addBoth(&Client::either, std::forward<decltype(object)>(object));
        d.callback("x");
    };
    run(std::ref(client));
    CHECK(client.seen == Words{"x"});
    run(shared);
    CHECK(shared->seen == Words{"x"});
    run(&moved);
    CHECK(moved.seen == Words{"x"});
    run(client);
    CHECK(client.seen == Words{"x"});
    const Deferred<std::string> d;
    d.addCallback(&Client::length, std::move(unique)).addCallback([&](int n) {
        seen.push_back(std::to_string(n));
    });
    d.callback("four");
    CHECK(seen == Words{"4"});
}

TEST_CASE("a shared_ptr keeps the object until the call is done") {
    auto client = std::make_shared<Client>();
    const std::weak_ptr<Client> watch = client;
    const Deferred<std::string> d;
    d.addCallback(&Client::gotPoem, std::move(client));
    CHECK_FALSE(watch.expired());
    d.callback("poem");
    CHECK(watch.expired());
}

TEST_CASE("a member function of the value itself") {
    const Deferred<std::string> d;
    const auto size = d.addCallback(&std::string::size);
    d.callback("four");
    CHECK(defer::successResultOf(size) == 4);
}

struct Base {
    virtual ~Base() = default;
    virtual int answer(int n) const { return n; }
};
struct Derived : Base {
    int answer(int n) const override { return n + 1; }
};

TEST_CASE("a virtual member function of a base, with a pointer to what derives from it") {
    Derived derived;
    const Deferred<int> d;
    d.addCallback(&Base::answer, &derived);
    d.callback(1);
    CHECK(defer::successResultOf(d) == 2);
}

TEST_CASE("addBoth gives f a Result<T>, by value or by reference") {
    Words seen;
    const auto run = [&](const Deferred<int>& d) {
        d.addBoth([&](Result<int> r) {
            seen.push_back(r ? std::to_string(*r) : r.error().getErrorMessage());
            return r;
        });
        d.addBoth([&](const Result<int>& r) {
            seen.push_back(r ? "value" : "failure");
            return r;
        });
        d.addBoth([&](auto&& r) { seen.push_back(r ? "rvalue" : "rfailure"); });
        d.addBoth([&] { seen.push_back("nothing"); });
    };
    run(defer::succeed(1));
    run(defer::fail(ValueError("x")));
    CHECK(seen == Words{"1", "value", "rvalue", "nothing", "x", "failure", "rfailure", "nothing"});
}

TEST_CASE("addBoth on a void chain gives a Result<void>") {
    Words seen;
    const auto both = [&](const Result<void>& r) {
        seen.push_back(r ? "done" : r.error().getErrorMessage());
    };
    defer::succeed().addBoth(both);
    Deferred<void>(defer::fail(ValueError("x"))).addBoth(both);
    CHECK(seen == Words{"done", "x"});
}

} // namespace
