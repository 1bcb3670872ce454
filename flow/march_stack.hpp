#pragma once

#include <any>
#include <cstddef>
#include <memory>
#include <source_location>
#include <variant>
#include <vector>

#include <ropewalk/flow/any_source.hpp>
#include <ropewalk/flow/march.hpp>
#include <ropewalk/flow/march_context.hpp>
#include <ropewalk/flow/march_function.hpp>
#include <ropewalk/flow/stage.hpp>

/// The execution of a flow of March 2003.
namespace ropewalk::flow2003::detail {

class Stack;

/// A stage of a flow: it is called with a value, and pushes what follows from it.
class MarchStage {
public:
    explicit MarchStage(StageName theName) noexcept : name(theName) {}
    MarchStage(const MarchStage&) = delete;
    MarchStage& operator=(const MarchStage&) = delete;
    virtual ~MarchStage() = default;

    /// If it throws, it has pushed nothing.
    virtual void operator()(Stack& stack, std::any& value) = 0;

    StageName name;
};

/// What is left to do, the next on top: in the terms of the engine, a stage without results, which steps through the sources
/// that its branches iterate over.
class Stack final : public flow::StageBase {
public:
    Stack(std::shared_ptr<const Stages> stages, std::any data, Seconds waitInterval);
    ~Stack() override;

    flow::detail::Progress step(flow::detail::Run& run) override;
    flow::detail::GeneratorNode* ownerOf(const flow::StageBase& source) noexcept override;

    // For the stage that is called.

    Context& context() noexcept { return *context_; }
    Context& globalContext() noexcept { return *global_; }
    /// The place behind it.
    Link next() const noexcept { return {current_.stages, current_.at + 1}; }
    void push(Link to, std::any value) { frames_.push_back(Call{to, std::move(value)}); }
    void iterate(flow::Source<std::any> source, Notice& onFinish) {
        frames_.push_back(Iteration{next(), std::move(source), &onFinish});
    }
    void nest();

private:
    struct Call {
        Link to;
        std::any value;
    };
    struct Iteration {
        Link to;
        flow::Source<std::any> source;
        Notice* onFinish;
    };
    struct End { // of a context
        std::shared_ptr<Context> context;
    };

    flow::detail::Progress stepTop(flow::detail::Run& run);
    void call();
    flow::detail::Progress iterate(flow::detail::Run& run);
    void flush();

    std::shared_ptr<const Stages> stages_;
    flow::Cooperate pause_;
    std::shared_ptr<Context> global_ = std::make_shared<Context>();
    std::shared_ptr<Context> context_ = global_;
    std::vector<std::variant<Call, Iteration, End>> frames_;
    Link current_; // of the stage that is called, or was last
};

} // namespace ropewalk::flow2003::detail
