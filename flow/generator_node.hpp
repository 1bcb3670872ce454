#pragma once

namespace ropewalk::flow {
class StageBase;
}

namespace ropewalk::flow::detail {

/// A generator of a flow that was started and has not ended, in the tree of those whose frames hold one another's stages.
/// However deep that is, it is closed from the innermost outwards, the youngest first, and not by recursion.
class GeneratorNode {
public:
    GeneratorNode(const GeneratorNode&) = delete;
    GeneratorNode& operator=(const GeneratorNode&) = delete;

    /// Those in this one's frame, and theirs.
    void closeInner() noexcept;
    /// Whether this thread is about it: then a generator that wakes may hold one that is half closed.
    static bool closes() noexcept;

protected:
    GeneratorNode() = default;
    ~GeneratorNode() = default;

    /// It was started: `owner`, if any, holds it.
    void enter(GeneratorNode* owner) noexcept;
    /// It has ended.
    void leave() noexcept;

    /// Ends the generator, which holds no living one any more, and leaves.
    virtual void close() noexcept = 0;

private:
    GeneratorNode* owner_ = nullptr;
    GeneratorNode* youngest_ = nullptr; // among those in the frame
    GeneratorNode* older_ = nullptr;
    GeneratorNode* younger_ = nullptr;
};

} // namespace ropewalk::flow::detail
