#pragma once

#include <any>
#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/flow/threaded.hpp>
#include <ropewalk/task/errors.hpp>

namespace ropewalk::flow2003 {

/// The base of iterators that block: wherever a flow of 2003 takes an iterable, it goes through one in a thread of the thread's
/// reactor's pool, which begins at once. `flow.ThreadedIterator` of April, `flow.FlowIterator` of March.
///
///     class CountIterator : public april::ThreadedIterator {
///     public:
///         explicit CountIterator(int count) : count_(count) {}
///         std::vector<int> next() {                  // in the thread
///             if (count_ == 0) throw ropewalk::StopIteration();
///             return {count_--};
///         }
///     …
///     };
///
/// Its `next()` returns a list of values, and throws `StopIteration` at the end; another error is the last of what the flow
/// gets. It moves to the thread, and is destroyed there. `april::Flow` can't wait for a thread, and throws `Unsupported`.
class ThreadedIterator {
public:
    static constexpr bool chunked = true;

    std::vector<std::any> next() { throw StopIteration(); }

    template <std::derived_from<ThreadedIterator> I>
    friend flow::Threaded<I> inThread(I iterator) {
        return flow::Threaded<I>(std::move(iterator));
    }
};

namespace detail {

/// Itself, or what it points to.
template <class X>
auto& object(X& x) {
    if constexpr (requires { *x; }) {
        return *x;
    } else {
        return x;
    }
}

} // namespace detail

/// The rows of a query, which runs in a thread: `flow.QueryIterator` of April, `flow.FlowQueryIterator` of March. The pool has
/// `connect()`, which gives a connection or a pointer to one; that has `cursor()`; a cursor `execute(sql)`, and `fetchmany()`
/// and `fetchall()`, which give lists of rows, the former an empty one at the end.
template <class Pool>
class QueryIterator : public ThreadedIterator {
    using Connection = decltype(std::declval<Pool&>().connect());
    using Cursor = decltype(detail::object(std::declval<Connection&>()).cursor());

public:
    /// By `fetchmany`, or all rows at once.
    QueryIterator(std::shared_ptr<Pool> pool, std::string sql, bool fetchall = false)
        : pool_(std::move(pool)), sql_(std::move(sql)), fetchall_(fetchall) {}

    /// The same query with parameters, which `execute(sql, data)` gets as a `std::any`: so it may be a branch of a march::Flow.
    QueryIterator operator()(std::any data) const {
        QueryIterator query(pool_, sql_, fetchall_);
        query.data_ = std::move(data);
        return query;
    }

    /// In the thread.
    auto next() {
        if (open_ == nullptr) {
            open_ = std::make_unique<Open>(*pool_);
            execute(detail::object(open_->cursor));
        }
        auto& cursor = detail::object(open_->cursor);
        auto rows = fetchall_ ? cursor.fetchall() : cursor.fetchmany();
        if (rows.empty()) {
            throw StopIteration();
        }
        return rows;
    }

private:
    struct Open {
        explicit Open(Pool& pool) : connection(pool.connect()), cursor(detail::object(connection).cursor()) {}

        Connection connection;
        Cursor cursor;
    };

    template <class C>
    void execute(C& cursor) {
        if (!data_.has_value()) {
            cursor.execute(sql_);
        } else if constexpr (requires { cursor.execute(sql_, data_); }) {
            cursor.execute(sql_, data_);
        } else {
            throw UnsupportedError("this cursor takes no parameters of a query");
        }
    }

    std::shared_ptr<Pool> pool_;
    std::string sql_;
    bool fetchall_;
    std::any data_;
    std::unique_ptr<Open> open_;
};

namespace april {
using flow2003::QueryIterator;
using flow2003::ThreadedIterator;
} // namespace april

namespace march {
using flow2003::ThreadedIterator;
/// What the two were called in March.
using FlowIterator = ThreadedIterator;
template <class Pool>
using FlowQueryIterator = QueryIterator<Pool>;
} // namespace march

} // namespace ropewalk::flow2003
