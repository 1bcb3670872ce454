// An iterator that blocks, in a thread, feeds a flow; and so does a query, row by row and with all rows at once. After
// flow-rewrite-2003-04.txt, ThreadedIterator and QueryIterator; a list stands for the database.

#include "python_text.hpp"

#include <ropewalk/flow/april.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/errors.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace flow = ropewalk::flow2003::april;

using namespace std::chrono_literals;
using flow::DeferredFlow;
using python::print;
using ropewalk::StopIteration;

auto& reactor = ropewalk::reactor();

class CountIterator : public flow::ThreadedIterator {
public:
    explicit CountIterator(int count) : count_(count) {}

    std::vector<int> next() { // this is run in a separate thread
        std::this_thread::sleep_for(10ms);
        const int val = count_;
        if (val == 0) {
            throw StopIteration();
        }
        count_ -= 1;
        return {val};
    }

private:
    int count_;
};

using Row = std::tuple<std::string>;

/// Stands for a database: whatever is asked, it has three rows.
class Cursor {
public:
    void execute(const std::string&) { rows_ = {{"one"}, {"two"}, {"three"}}; }

    std::vector<Row> fetchmany() {
        if (at_ == rows_.size()) {
            return {};
        }
        return {rows_[at_++]};
    }
    std::vector<Row> fetchall() {
        const std::vector<Row> rest(rows_.begin() + static_cast<std::ptrdiff_t>(at_), rows_.end());
        at_ = rows_.size();
        return rest;
    }

private:
    std::vector<Row> rows_;
    std::size_t at_ = 0;
};

struct Connection {
    Cursor cursor() { return {}; }
};

struct Pool {
    Connection connect() { return {}; }
};

void res(const flow::Results& x) {
    print(x);
}

int main() {
    auto pool = std::make_shared<Pool>();
    const std::string sql = "select name from numbers";
    DeferredFlow(CountIterator(3)).addCallback(res).addCallback([=] {
        DeferredFlow(flow::QueryIterator(pool, sql)).addCallback(res).addCallback([=] {
            const bool fetchall = true;
            DeferredFlow(flow::QueryIterator(pool, sql, fetchall)).addCallback(res).addCallback([] {
                reactor.stop();
            });
        });
    });
    reactor.run();
}
