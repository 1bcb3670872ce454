#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <ropewalk/flow/pipe.hpp>

namespace ropewalk::flow {

struct LineBreakOptions {
    std::string delimiter = "\r\n";
    std::size_t maxlength = 16384; ///< of a line, in bytes, without its delimiter
    bool trailer = false;          ///< whether what follows the last delimiter is a line too
};

namespace detail {

/// Cuts what comes in pieces into lines.
class LineCutter {
public:
    /// Throws `ValueError` for an empty delimiter.
    explicit LineCutter(LineBreakOptions options);

    /// Adds the lines that end in `piece`. Throws `LineTooLong`; then the rest of the piece is gone, and so is the line.
    void cut(std::string_view piece, Results<std::string>& lines);
    /// The last piece was there. Throws `RuntimeError` if it didn't end with a delimiter, and there is to be no trailer.
    void end(Results<std::string>& lines);

private:
    void keep(std::string_view rest);
    [[noreturn]] void tooLong(std::string_view line);

    LineBreakOptions options_;
    std::string begun_; // a line whose end hasn't come
};

template <class S>
class LineBreakStage;

} // namespace detail

/// The lines of a source of strings, without their delimiters: `flow.LineBreak`. It fails with `LineTooLong` at a line that
/// is too long, and with `RuntimeError` when something follows the last delimiter and that is not to be a line.
///
///     flow::LineBreak(conn, {.delimiter = "\n"})
///
/// A recipe, for `wrap`, a controller, or another one. Throws `ValueError` for an empty delimiter.
template <class S>
class LineBreak {
public:
    using Held = detail::LineBreakStage<S>;

    template <class X>
        requires(!std::same_as<std::remove_cvref_t<X>, LineBreak>)
    explicit LineBreak(X&& x, LineBreakOptions options = {})
        : source(detail::source(std::forward<X>(x))), cutter(std::move(options)) {}

    S source;
    detail::LineCutter cutter;
};
template <class X>
LineBreak(X&&) -> LineBreak<detail::SourceOf<X>>;
template <class X>
LineBreak(X&&, LineBreakOptions) -> LineBreak<detail::SourceOf<X>>;

namespace detail {

template <class S>
class LineBreakStage final : public PipeStage<S, std::string> {
public:
    explicit LineBreakStage(LineBreak<S> lineBreak)
        : PipeStage<S, std::string>(std::move(lineBreak.source)), cutter_(std::move(lineBreak.cutter)) {}

private:
    void process(Results<ItemOf<S>>& pieces, bool last) override {
        for (const auto& piece : pieces) {
            cutter_.cut(piece, this->results);
        }
        if (last) {
            cutter_.end(this->results);
        }
    }

    LineCutter cutter_;
};

} // namespace detail
} // namespace ropewalk::flow
