#include "forms.hpp"

#include "run_named.hpp"

#include <vector>

// Forms that GCC 12 rejects: a braced list for an initializer_list in an expression that awaits. Other compilers run them.
namespace {

using namespace forms;

// Arguments of what is awaited, and variables

Deferred<int> listOfNumbers(int, Deferred<int>) {
    const int x = co_await takesVector({1, 2, 4});
    co_return x;
}
Deferred<int> vectorOfNumbers(int, Deferred<int>) {
    const int x = co_await takesVector(std::vector<int>{1, 2, 4});
    co_return x;
}
Deferred<int> vectorOfDeferreds(int, Deferred<int>) {
    const int x = co_await takesDeferreds({number(3), number(4)});
    co_return x;
}
Deferred<int> vectorDeduced(int, Deferred<int>) {
    const int x = co_await takesDeferreds(std::vector{number(3), number(4)});
    co_return x;
}
Deferred<int> listOfDeferreds(int, Deferred<int>) {
    const auto all = co_await defer::DeferredList(std::vector{number(3), number(4)});
    co_return *all[0] + *all[1];
}
Deferred<int> vectorOfAwaits(int, Deferred<int>) {
    const std::vector<int> v{co_await number(3), co_await number(4)};
    co_return v[0] + v[1];
}

const Form all[] = {
    {"listOfNumbers", listOfNumbers},         {"vectorOfNumbers", vectorOfNumbers},
    {"vectorOfDeferreds", vectorOfDeferreds}, {"vectorDeduced", vectorDeduced},
    {"listOfDeferreds", listOfDeferreds},     {"vectorOfAwaits", vectorOfAwaits},
};

} // namespace

int main(int argc, char** argv) {
    return forms::runNamed(all, argc, argv);
}
