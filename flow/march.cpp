#include <ropewalk/flow/march.hpp>

#include <memory>
#include <string>
#include <utility>

#include <ropewalk/defer/log.hpp>
#include <ropewalk/flow/living_flows.hpp>
#include <ropewalk/flow/march_stack.hpp>
#include <ropewalk/reactor/reactor.hpp>
#include <ropewalk/task/ref.hpp>

namespace ropewalk::flow2003::march {

using detail::MarchStage;
using detail::Notice;
using detail::Stack;
using detail::StageName;
using detail::Stages;

namespace {

class Callable final : public MarchStage {
public:
    Callable(detail::OneToOne function, StageName theName)
        : MarchStage(theName), function_(std::move(function)) {}

    void operator()(Stack& stack, std::any& value) override {
        std::any returned = function_(stack.context(), value);
        if (returned.has_value()) {
            stack.push(stack.next(), std::move(returned));
        }
    }

private:
    detail::OneToOne function_;
};

class Branch final : public MarchStage {
public:
    Branch(detail::OneToMany function, Notice onFinish, StageName theName)
        : MarchStage(theName), function_(std::move(function)), onFinish_(std::move(onFinish)) {}

    void operator()(Stack& stack, std::any& value) override {
        if (auto source = function_(stack.context(), value)) {
            stack.iterate(std::move(*source), onFinish_);
        }
    }

private:
    detail::OneToMany function_;
    Notice onFinish_;
};

class Merge final : public MarchStage {
public:
    Merge(detail::ManyToOne function, detail::Start start, MergeOptions options, StageName theName)
        : MarchStage(theName),
          function_(std::move(function)),
          start_(std::move(start)),
          options_(std::move(options)) {
        if (options_.passThru && !options_.reduce) {
            throw ValueError("addMerge: with passThru, the function says nothing about what goes on");
        }
        if (options_.bucket.empty()) {
            options_.bucket = "_" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
        }
    }

    void operator()(Stack& stack, std::any& value) override {
        Context& context = options_.isGlobal ? stack.globalContext() : stack.context();
        if (!context.has(options_.bucket)) {
            context.set(options_.bucket, start_());
            if (!options_.passThru) {
                context.flushes.push_back({stack.next(), options_.bucket});
            }
        }
        detail::Merged merged = function_(context, context.get(options_.bucket), value);
        if (!options_.inplace && merged.aggregate) {
            context.set(options_.bucket, std::move(*merged.aggregate));
        }
        if (options_.passThru) {
            stack.push(stack.next(), std::move(value));
        } else if (!options_.reduce && merged.passed.has_value()) {
            stack.push(stack.next(), std::move(merged.passed));
        }
    }

private:
    detail::ManyToOne function_;
    detail::Start start_;
    MergeOptions options_;
};

class Nesting final : public MarchStage {
public:
    Nesting(Notice onFlush, StageName theName) : MarchStage(theName), onFlush_(std::move(onFlush)) {}

    void operator()(Stack& stack, std::any& value) override {
        stack.nest();
        if (onFlush_) {
            stack.context().flushes.push_back({{}, {}, &onFlush_});
        }
        stack.push(stack.next(), std::move(value));
    }

private:
    Notice onFlush_;
};

class Chain final : public MarchStage {
public:
    Chain(std::vector<std::shared_ptr<const Stages>> flows, StageName theName)
        : MarchStage(theName), flows_(std::move(flows)) {}

    void operator()(Stack& stack, std::any& value) override {
        for (auto flow = flows_.rbegin(); flow != flows_.rend(); ++flow) {
            if (!(*flow)->empty()) {
                stack.push({flow->get(), 0}, value);
            }
        }
        if (stack.next().stage() != nullptr) {
            stack.push(stack.next(), std::move(value));
        }
    }

private:
    std::vector<std::shared_ptr<const Stages>> flows_;
};

class Discard final : public MarchStage {
public:
    using MarchStage::MarchStage;

    void operator()(Stack&, std::any&) override {}
};

/// An execution. While it pauses, what it waits for owns it.
class Execution final : public flow::detail::LivingFlow {
public:
    Execution(std::shared_ptr<const Stages> stages, std::any data, Seconds waitInterval, ReactorTime& clock,
              std::source_location where)
        : LivingFlow(clock, where),
          stack_(std::make_unique<Stack>(std::move(stages), std::move(data), waitInterval)) {}
    ~Execution() override { abandon(); }

    /// Throws what a stage throws before the first pause.
    void execute() {
        begin();
        executing_ = false;
        if (!failure_.empty()) {
            failure_.raiseException();
        }
    }

private:
    bool advanceToEnd() override {
        if (!advance(*stack_)) {
            return false;
        }
        if (const auto& failure = stack_->failure) {
            failure_ = *failure;
        }
        return true;
    }
    void fail(Failure failure) noexcept override { failure_ = std::move(failure); }
    void close() noexcept override { stack_.reset(); }
    void fire() override {
        if (!executing_ && !failure_.empty()) {
            log::err(failure_, "a stage of a march::Flow");
        }
    }

    std::unique_ptr<Stack> stack_; // null when it has ended
    Failure failure_{nullptr};
    bool executing_ = true;
};

} // namespace

Flow::Flow() : stages_(std::make_shared<Stages>()) {}

Flow& Flow::add(std::unique_ptr<MarchStage> stage) {
    stages_->push_back(std::move(stage));
    return *this;
}

Flow& Flow::add(detail::OneToOne function, StageName name) {
    return add(std::make_unique<Callable>(std::move(function), name));
}

Flow& Flow::add(detail::OneToMany function, Notice onFinish, StageName name) {
    return add(std::make_unique<Branch>(std::move(function), std::move(onFinish), name));
}

Flow& Flow::add(detail::ManyToOne function, detail::Start start, MergeOptions options, StageName name) {
    return add(std::make_unique<Merge>(std::move(function), std::move(start), std::move(options), name));
}

Flow& Flow::nest(Notice onFlush, StageName name) {
    return add(std::make_unique<Nesting>(std::move(onFlush), name));
}

Flow& Flow::chain(std::vector<std::shared_ptr<const Stages>> flows) {
    for (auto& flow : flows) {
        if (flow == stages_) { // it must not own itself
            flow = std::shared_ptr<const Stages>(std::shared_ptr<void>(), stages_.get());
        }
    }
    return add(std::make_unique<Chain>(std::move(flows), StageName{"addChain", {}}));
}

Flow& Flow::addDiscard(Where where) {
    return add(std::make_unique<Discard>(StageName{"addDiscard", where}));
}

void Flow::execute(Where where) {
    start({}, nullptr, where);
}

void Flow::start(std::any data, ReactorTime* clock, Where where) {
    if (stages_->empty()) {
        return;
    }
    ReactorTime& time = clock == nullptr ? reactor() : *clock;
    const auto execution = task::detail::Ref<Execution>::adopt(
        *new Execution(stages_, std::move(data), waitInterval, time, where));
    execution->execute();
}

} // namespace ropewalk::flow2003::march
