// What is sent to a generator, or thrown into it, comes out of its co_yield. After inline-callbacks/gen-4.py.

#include "python_text.hpp"

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/task/errors.hpp>
#include <ropewalk/task/generator.hpp>

namespace task = ropewalk::task;

using python::print;

class Malfunction : public ropewalk::Exception {};

task::Generator<int, int> myGenerator() {
    print("starting up");

    auto val = co_yield 1;
    print("got:", val);

    val = co_yield 2;
    print("got:", val);

    try {
        co_yield 3;
    } catch (const Malfunction&) {
        print("malfunction!");
    }

    co_yield 4;

    print("done");
}

int main() {
    auto gen = myGenerator();

    print(gen.next());                 // starts the generator
    print(gen.send(10));               // sends it the value 10
    print(gen.send(20));               // sends it the value 20
    print(gen.throwIn(Malfunction())); // raises an exception where it waits

    try {
        gen.next();
    } catch (const ropewalk::StopIteration&) {
        return 0; // it has come to its end
    }
}
