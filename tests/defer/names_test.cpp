#include <ropewalk/defer/names.hpp>

#include <ropewalk/defer/deferred.hpp>
#include <ropewalk/defer/errors.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

using ropewalk::functionName;
using ropewalk::typeName;
using ropewalk::defer::Deferred;
using ropewalk::detail::simplifyFunctionName;

using Location = std::source_location;
using Text = std::string;

// The functions whose names are asked for. Each returns its own name as a coroutine, or writes it into
// `said`.
namespace poetry {

Text said;

void say(Location where = Location::current()) {
    said = functionName(where);
}

Text plain() {
    return functionName(Location::current());
}

std::vector<std::map<Text, int>> returnsTemplates(const Text&, int (*)(int)) {
    say();
    return {};
}

int (*returnsFunction(int))(double) {
    say();
    return nullptr;
}

int (&returnsArray())[2] {
    static int array[2];
    say();
    return array;
}

auto trailing() -> std::optional<Text> {
    return functionName(Location::current());
}

decltype(auto) deduced() {
    return functionName(Location::current());
}

template <class T>
Text templated(T) {
    return functionName(Location::current());
}

template <class... Ts>
Deferred<Text> templatedCoroutine(Ts...) {
    co_return functionName(Location::current());
}

Deferred<Text> coroutine(Text = {}) {
    co_return functionName(Location::current());
}

Deferred<void> emptyCoroutine() {
    say();
    co_return;
}

Deferred<std::vector<Text>> returnsDeferred() {
    say();
    Deferred<std::vector<Text>> d;
    d.callback(std::vector<Text>());
    return d;
}

struct Client {
    Client() { say(); }
    explicit Client(int) { say(); }
    Client(const Client&) = delete;
    virtual ~Client() { say(); }

    Text gotPoem(const Text&) const& noexcept { return functionName(Location::current()); }
    static Text shared() { return functionName(Location::current()); }
    virtual Deferred<Text> fetch(std::vector<Text>) { co_return functionName(Location::current()); }
    Text operator()(int) { return functionName(Location::current()); }
    Text operator[](int) { return functionName(Location::current()); }
    Text operator<(int) { return functionName(Location::current()); }
    Text operator>(int) { return functionName(Location::current()); }
    Text operator->*(int) { return functionName(Location::current()); }
    Text operator<<(int) { return functionName(Location::current()); }
    Text operator,(int) { return functionName(Location::current()); }
    Text operator!() { return functionName(Location::current()); }
    explicit operator bool() const {
        say();
        return true;
    }

    template <class T>
    struct Box {
        Text get() const { return functionName(Location::current()); }
        Deferred<Text> wait(T) { co_return functionName(Location::current()); }
        template <class U>
        Text as(std::function<U(T)>) {
            return functionName(Location::current());
        }
    };

    Text lambdaInMember() const {
        return [this] {
            static_cast<void>(this);
            return functionName(Location::current());
        }();
    }
};

Text operator""_name(unsigned long long) {
    return functionName(Location::current());
}

namespace {

Text unnamed() {
    return functionName(Location::current());
}

struct Hidden {
    Text get() const { return functionName(Location::current()); }
    Deferred<Text> wait() { co_return functionName(Location::current()); }
};

} // namespace

Text lambda() {
    return [](const Text&) { return functionName(Location::current()); }({});
}

Text lambdaInLambda() {
    return [] { return [] { return functionName(Location::current()); }(); }();
}

Deferred<Text> lambdaCoroutine() {
    return [](int) -> Deferred<Text> { co_return functionName(Location::current()); }(1);
}

Text genericLambda() {
    return [](auto...) { return functionName(Location::current()); }(1, Text());
}

Deferred<Text> genericLambdaCoroutine() {
    return []<class T>(T) -> Deferred<Text> { co_return functionName(Location::current()); }(Text());
}

Text localClass() {
    struct Local {
        Text get() const { return functionName(Location::current()); }
    };
    return Local().get();
}

const auto globalLambda = [](int) { return functionName(Location::current()); };

} // namespace poetry

namespace {

Text nameIn(const Deferred<Text>& d) {
    Text name;
    d.addCallback([&name](Text text) { name = std::move(text); });
    return name;
}

template <class F>
Text saidBy(F call) {
    poetry::said.clear();
    call();
    return poetry::said;
}

TEST_CASE("functionName: functions") {
    CHECK(poetry::plain() == "poetry::plain");
    CHECK(saidBy([] { poetry::returnsTemplates({}, nullptr); }) == "poetry::returnsTemplates");
    CHECK(saidBy([] { poetry::returnsFunction(1); }) == "poetry::returnsFunction");
    CHECK(saidBy([] { poetry::returnsArray(); }) == "poetry::returnsArray");
    CHECK(saidBy([] { poetry::returnsDeferred(); }) == "poetry::returnsDeferred");
    CHECK(poetry::trailing() == "poetry::trailing");
    CHECK(poetry::deduced() == "poetry::deduced");
    CHECK(poetry::templated(1) == "poetry::templated");
    CHECK(poetry::templated(Text()) == "poetry::templated");
    CHECK(poetry::templated<bool (*)(int)>(nullptr) == "poetry::templated");
    CHECK(poetry::unnamed() == "poetry::unnamed");
    CHECK(poetry::operator""_name(1) == "poetry::operator\"\"_name");
}

TEST_CASE("functionName: coroutines") {
    CHECK(nameIn(poetry::coroutine()) == "poetry::coroutine");
    CHECK(saidBy([] { poetry::emptyCoroutine(); }) == "poetry::emptyCoroutine");
    CHECK(nameIn(poetry::templatedCoroutine(1, Text(), std::vector<Text>())) == "poetry::templatedCoroutine");
    CHECK(nameIn(poetry::Client().fetch({})) == "poetry::Client::fetch");
    CHECK(nameIn(poetry::Client::Box<Text>().wait({})) == "poetry::Client::Box::wait");
    CHECK(nameIn(poetry::Hidden().wait()) == "poetry::Hidden::wait");
    CHECK(nameIn(poetry::lambdaCoroutine()) == "poetry::lambdaCoroutine::<lambda>");
    CHECK(nameIn(poetry::genericLambdaCoroutine()) == "poetry::genericLambdaCoroutine::<lambda>");
}

TEST_CASE("functionName: members") {
    poetry::Client client;
    CHECK(poetry::said == "poetry::Client::Client");
    poetry::said.clear();
    const poetry::Client converted(1);
    CHECK(poetry::said == "poetry::Client::Client");
    CHECK(saidBy([] { const std::optional<poetry::Client> gone(std::in_place); }) ==
          "poetry::Client::~Client");
    CHECK(client.gotPoem({}) == "poetry::Client::gotPoem");
    CHECK(poetry::Client::shared() == "poetry::Client::shared");
    CHECK(poetry::Client::Box<Text>().get() == "poetry::Client::Box::get");
    CHECK(poetry::Client::Box<int>().as<Text>({}) == "poetry::Client::Box::as");
    CHECK(poetry::Hidden().get() == "poetry::Hidden::get");
    CHECK(poetry::localClass() == "poetry::localClass::Local::get");
}

TEST_CASE("functionName: operators") {
    poetry::Client client;
    CHECK(client(1) == "poetry::Client::operator()");
    CHECK(client[1] == "poetry::Client::operator[]");
    CHECK((client < 1) == "poetry::Client::operator<");
    CHECK((client > 1) == "poetry::Client::operator>");
    CHECK((client->*1) == "poetry::Client::operator->*");
    CHECK((client << 1) == "poetry::Client::operator<<");
    CHECK(client.operator,(1) == "poetry::Client::operator,");
    CHECK(!client == "poetry::Client::operator!");
    CHECK(saidBy([&] { static_cast<void>(static_cast<bool>(client)); }) == "poetry::Client::operator bool");
}

TEST_CASE("functionName: lambdas") {
    CHECK(poetry::lambda() == "poetry::lambda::<lambda>");
    CHECK(poetry::lambdaInLambda() == "poetry::lambdaInLambda::<lambda>::<lambda>");
    CHECK(poetry::genericLambda() == "poetry::genericLambda::<lambda>");
    CHECK(poetry::Client().lambdaInMember() == "poetry::Client::lambdaInMember::<lambda>");
    CHECK(poetry::globalLambda(1).ends_with("<lambda>"));
}

TEST_CASE("functionName: spellings of both compilers, whichever this is") {
    CHECK(simplifyFunctionName("void f5(f5()::_Z2f5v.Frame*)") == "f5");
    CHECK(simplifyFunctionName("T f5()") == "f5");
    CHECK(simplifyFunctionName("int main(int, char**)") == "main");
    CHECK(simplifyFunctionName(
              "void<lambda(int)>::operator()(<lambda(int)>::_ZNK8globalCoMUliE_clEi.Frame*)") == "<lambda>");
    CHECK(simplifyFunctionName("auto main()::(anonymous class)::operator()(std::string) const") ==
          "main::<lambda>");
    CHECK(simplifyFunctionName("void {anonymous}::Hidden::get() const") == "Hidden::get");
    CHECK(simplifyFunctionName("void (anonymous namespace)::Hidden::get() const") == "Hidden::get");
    CHECK(simplifyFunctionName("A::f() const::<lambda(auto:1)> [with auto:1 = int]") == "A::f::<lambda>");
    CHECK(simplifyFunctionName("void nttp() [with auto F = '(']") == "nttp");
    CHECK(simplifyFunctionName("std::string A::text[abi:cxx11]() const") == "A::text");
    CHECK(simplifyFunctionName("A::operator std::vector<std::string>() const") == "A::operator vector");
    CHECK(simplifyFunctionName("std::vector<std::string> A::operator vector() const") ==
          "A::operator vector");
    CHECK(simplifyFunctionName("static void* A::operator new(std::size_t)") == "A::operator new");
    CHECK(simplifyFunctionName("auto A::operator<=>(const A&) const") == "A::operator<=>");
    CHECK(simplifyFunctionName("void ropewalk::defer::checked::Deferred<T>::cancel() [with T = int]") ==
          "ropewalk::defer::Deferred::cancel");
}

TEST_CASE("functionName: what can't be read stays as it is, and nothing of nothing") {
    CHECK(simplifyFunctionName("") == "");
    CHECK(functionName(Location()) == "");
    CHECK(simplifyFunctionName("(((") == "(((");
    for (const char* odd :
         {"<", "a<b", "operator", "void f(", "x::", "[", "'", "f<'>", "operator\"\"", "{", "->"}) {
        CAPTURE(odd);
        CHECK_NOTHROW(simplifyFunctionName(odd));
    }
}

TEST_CASE("placeName: file and line") {
    const Location where = Location::current();
    CHECK(ropewalk::placeName(where) == Text(where.file_name()) + ":" + std::to_string(where.line()));
    CHECK(ropewalk::placeName(Location()) == "");
}

namespace unnamed {
struct Poem {};
template <class T>
struct Book {};
} // namespace unnamed

TEST_CASE("typeName: as one would write it") {
    CHECK(typeName(typeid(int)) == "int");
    CHECK(typeName(typeid(Text)) == "std::string");
    CHECK(typeName(typeid(std::string_view)) == "std::string_view");
    CHECK(typeName(typeid(std::vector<Text>)) == "std::vector<std::string>");
    CHECK(typeName(typeid(std::map<Text, std::vector<int>>)) == "std::map<std::string, std::vector<int>>");
    CHECK(typeName(typeid(std::unordered_map<Text, std::unique_ptr<Text>>)) ==
          "std::unordered_map<std::string, std::unique_ptr<std::string>>");
    CHECK(typeName(typeid(std::optional<Text>)) == "std::optional<std::string>");
    CHECK(typeName(typeid(std::variant<std::pair<int, Text>, Text>)) ==
          "std::variant<std::pair<int, std::string>, std::string>");
    CHECK(typeName(typeid(std::function<void(Text)>)) == "std::function<void (std::string)>");
    CHECK(typeName(typeid(std::exception_ptr)) == "std::exception_ptr");
}

TEST_CASE("typeName: a template argument that isn't the default one stays") {
    CHECK(typeName(typeid(std::map<int, int, std::greater<int>>)) == "std::map<int, int, std::greater<int>>");
    CHECK(typeName(typeid(std::set<Text, std::less<>>)) == "std::set<std::string, std::less<void>>");
    CHECK(typeName(typeid(std::tuple<int, std::allocator<int>>)) == "std::tuple<int, std::allocator<int>>");
    CHECK(typeName(typeid(std::pair<int, std::less<int>>)) == "std::pair<int, std::less<int>>");
}

TEST_CASE("typeName: the library's own, without its inline namespace") {
    CHECK(typeName(typeid(ropewalk::ValueError)) == "ropewalk::ValueError");
    CHECK(typeName(typeid(ropewalk::defer::CancelledError)) == "ropewalk::defer::CancelledError");
    CHECK(typeName(typeid(Deferred<Deferred<Text>>)) ==
          "ropewalk::defer::Deferred<ropewalk::defer::Deferred<std::string>>");
    CHECK(ropewalk::detail::simplifyTypeName("ropewalk::defer::checked::Deferred<int>") ==
          "ropewalk::defer::Deferred<int>");
    CHECK(ropewalk::detail::simplifyTypeName("user::checked::Thing") == "user::checked::Thing");
}

TEST_CASE("typeName: anonymous namespaces, local classes and lambdas") {
    struct Local {};
    const auto lambda = [](const Text&) {};
    CHECK(typeName(typeid(unnamed::Poem)) == "unnamed::Poem");
    CHECK(typeName(typeid(unnamed::Book<unnamed::Poem>)) == "unnamed::Book<unnamed::Poem>");
    CHECK(typeName(typeid(Local)).ends_with("::Local"));
    CHECK(typeName(typeid(lambda)).ends_with("::<lambda>"));
    CHECK(ropewalk::detail::simplifyTypeName("main::$_0") == "main::<lambda>");
    CHECK(ropewalk::detail::simplifyTypeName("std::vector<main::{lambda(int)#1}>") ==
          "std::vector<main::<lambda>>");
}

TEST_CASE("typeName: odd texts do no harm") {
    for (const char* odd :
         {"", "<", "a<", "a<b", "a<b,", "a>b", "(", "{", "[abi:", "a<,>", "()>", "operator<"}) {
        CAPTURE(odd);
        CHECK_NOTHROW(ropewalk::detail::simplifyTypeName(odd));
    }
    CHECK(ropewalk::detail::simplifyTypeName("a>b") == "a>b");
}

} // namespace
