#pragma once

#include <any>
#include <concepts>
#include <cstddef>
#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <ropewalk/defer/errors.hpp>
#include <ropewalk/defer/seconds.hpp>
#include <ropewalk/flow/march_context.hpp>
#include <ropewalk/flow/march_function.hpp>
#include <ropewalk/flow/threaded_iterator.hpp>

namespace ropewalk {
class ReactorTime;
}

/// The flow module as it was in the middle of March 2003 (`sandbox/flow.py`), on today's engine. Its values are `std::any`s; a
/// text is a `std::string`.
namespace ropewalk::flow2003::march {

/// Thrown anywhere in a stage, it pauses the whole flow; after `waitInterval` that very call is made again.
class PauseFlow : public Exception {
public:
    PauseFlow() : Exception("PauseFlow") {}
};

/// The keyword arguments of `addMerge`.
struct MergeOptions {
    /// The name of the aggregate in the context; without one, it is the stage's own.
    std::string bucket = {};
    /// Values go on as they come, and the aggregate doesn't: it is for those who know the bucket.
    bool passThru = false;
    /// The aggregate is the whole execution's, rather than the innermost context's.
    bool isGlobal = false;
    /// The function works on the aggregate that it is given, and what it returns is no new one.
    bool inplace = false;
    /// Without it, the function also says what goes on at once: it returns a pair of the new aggregate and that, or nothing;
    /// with `inplace`, that alone.
    bool reduce = true;
};

/// A sequence of stages, which can be executed any number of times: what a stage gives goes to the next, and each value goes
/// all the way before the next one is made.
///
///     march::Flow a;
///     a.addBranch(dataSource, finished);
///     a.addFunction(addOne);
///     a.addFunction(printResult);
///     a.execute(2);
///
/// A stage's function takes the value, in a parameter of a type that it names, or doesn't; in front of it a `Context&`, if it
/// wants. A value of another type is a `WrongTypeError` that names the stage. What it returns goes on, unless it is nothing:
/// `void`, an empty optional, None. A value that goes on from the last stage is an error: `addDiscard` takes it.
///
/// Executions share the functions, and live as long as they need to. The stages are called in the thread that executes.
class Flow {
    using Where = std::source_location;

public:
    Flow();
    Flow(Flow&&) noexcept = default;
    Flow& operator=(Flow&&) noexcept = default;
    ~Flow() = default;

    /// One to one: `f(value)`. With `stop`, what equals that doesn't go on.
    template <class F>
    Flow& addCallable(F f, Where where = Where::current()) {
        return add(detail::oneToOne(std::move(f), {"addCallable", where}), {"addCallable", where});
    }
    template <class F, class S>
        requires(!std::same_as<S, Where>)
    Flow& addCallable(F f, S stop, Where where = Where::current()) {
        return add(detail::oneToOne(std::move(f), std::move(stop), {"addCallable", where}),
                   {"addCallable", where});
    }
    /// The same, by the name that it had in the mails.
    template <class F>
    Flow& addFunction(F f, Where where = Where::current()) {
        return add(detail::oneToOne(std::move(f), {"addFunction", where}), {"addFunction", where});
    }

    /// One to many: `f(value)` gives something to iterate over, as for `flow::wrap`, and each of its values goes on. At its end
    /// `onFinish()` is called, or `onFinish(context)`.
    template <class F, class G = std::nullptr_t>
    Flow& addBranch(F f, G onFinish = {}, Where where = Where::current()) {
        const detail::StageName name{"addBranch", where};
        return add(detail::oneToMany(std::move(f), name), detail::Notice(std::move(onFinish), name), name);
    }

    /// Many to one: `f(aggregate, value)` gives the new aggregate, which begins as `start`, or as what that returns, and goes on
    /// when the context ends. A stage that gave nothing to merge gives nothing.
    template <class F, class S = std::any>
    Flow& addMerge(F f, S start = {}, MergeOptions options = {}, Where where = Where::current()) {
        const detail::StageName name{"addMerge", where};
        const bool splits = !options.reduce && !options.inplace;
        return add(detail::manyToOne(std::move(f), splits, name), detail::startWith(std::move(start)),
                   std::move(options), name);
    }
    /// Many to one `std::vector<T>`. Its options may be the first three.
    template <class T = std::any>
    Flow& addMergeToList(MergeOptions options = {}, Where where = Where::current()) {
        options.inplace = true;
        const auto append = [](std::vector<T>& list, const T& value) { list.push_back(value); };
        return add(detail::manyToOne(append, false, {"addMergeToList", where}),
                   detail::startWith(std::vector<T>()), std::move(options), {"addMergeToList", where});
    }

    /// A context of its own for what each value leads to. When all that is done, `onFlush()` is called, or `onFlush(context)`;
    /// and then the merges in it give what they have, the first that began first.
    template <class G = std::nullptr_t>
    Flow& addContext(G onFlush = {}, Where where = Where::current()) {
        const detail::StageName name{"addContext", where};
        return nest(detail::Notice(std::move(onFlush), name), name);
    }

    /// Gives each value to the stages behind it, and then to these flows, one after another. They stay what they are; this one
    /// shares their stages, and sees those that they get later.
    template <std::same_as<Flow>... Flows>
    Flow& addChain(const Flow& first, const Flows&... others) {
        return chain({first.stages_, others.stages_...});
    }

    /// The end of what isn't needed any more.
    Flow& addDiscard(Where where = Where::current());

    /// How long a paused flow waits; executions that began before keep theirs.
    Seconds waitInterval{0};

    /// Runs it as far as it comes; when it pauses, the thread's reactor, or another clock, goes on with it. Throws what a stage
    /// throws; later, that is logged, and ends the execution.
    void execute(Where where = Where::current());
    template <class T>
        requires(!std::same_as<std::remove_cvref_t<T>, Where>)
    void execute(T&& data, Where where = Where::current()) {
        start(detail::toAny(std::forward<T>(data)), nullptr, where);
    }
    template <class T = std::any>
    void execute(T&& data, ReactorTime& clock, Where where = Where::current()) {
        start(detail::toAny(std::forward<T>(data)), &clock, where);
    }

private:
    Flow& add(std::unique_ptr<detail::MarchStage> stage);
    Flow& add(detail::OneToOne function, detail::StageName name);
    Flow& add(detail::OneToMany function, detail::Notice onFinish, detail::StageName name);
    Flow& add(detail::ManyToOne function, detail::Start start, MergeOptions options, detail::StageName name);
    Flow& nest(detail::Notice onFlush, detail::StageName name);
    Flow& chain(std::vector<std::shared_ptr<const detail::Stages>> flows);
    void start(std::any data, ReactorTime* clock, Where where);

    std::shared_ptr<detail::Stages> stages_;
};

} // namespace ropewalk::flow2003::march
