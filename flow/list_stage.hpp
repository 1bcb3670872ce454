#pragma once

#include <utility>
#include <vector>

#include <ropewalk/flow/stage.hpp>

namespace ropewalk::flow::detail {

template <class T>
class ListStage;

template <class T>
struct ListSource {
    using Held = ListStage<T>;
    std::vector<T> items;
};

/// All of a list at once.
template <class T>
class ListStage final : public Stage<T> {
public:
    explicit ListStage(ListSource<T> source) noexcept : items_(std::move(source.items)) {}

    Progress step(Run&) override {
        if (!this->isReady()) {
            this->results = std::move(items_);
            this->stop = true;
        }
        return {};
    }

private:
    std::vector<T> items_;
};

} // namespace ropewalk::flow::detail
