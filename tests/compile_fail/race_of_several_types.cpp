// expect: the members of a race must be of one type
#include <ropewalk/defer/race.hpp>

int main() {
    ropewalk::defer::Deferred<int> number;
    ropewalk::defer::Deferred<void> nothing;
    ropewalk::defer::race(number, nothing);
}
