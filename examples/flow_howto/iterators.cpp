// Iterators: objects that give one value after another, until they throw StopIteration. The second changes its state as it
// goes. After flow-howto.txt, "Iterators and generators" and "State pattern".

#include "python_text.hpp"

#include <ropewalk/task/errors.hpp>

#include <string>
#include <vector>

using python::print;

class Counter {
public:
    explicit Counter(int theCount) : count(theCount) {}

    Counter& iter() { return *this; }

    int next() {
        const int ret = count;
        count -= 1;
        if (ret != 0) {
            return ret;
        }
        throw ropewalk::StopIteration();
    }

    int count;
};

class States {
public:
    States& iter() {
        next_ = &States::stateOne;
        return *this;
    }

    std::string next() { return (this->*next_)(); }

private:
    std::string stateOne() {
        next_ = &States::stateTwo;
        return "one";
    }

    std::string stateTwo() {
        next_ = &States::stateStop;
        return "two";
    }

    std::string stateStop() { throw ropewalk::StopIteration(); }

    std::string (States::*next_)() = nullptr;
};

template <class Iterable>
auto list(Iterable iterable) {
    auto& it = iterable.iter();
    std::vector<decltype(it.next())> ret;
    try {
        while (true) {
            ret.push_back(it.next());
        }
    } catch (const ropewalk::StopIteration&) {
        return ret;
    }
}

int main() {
    print(list(Counter(3)));

    // prints: [3, 2, 1]

    print(list(States()));

    // prints: ['one', 'two']
}
